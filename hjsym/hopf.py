"""Log-sum-exp layers read as viscous Hamilton–Jacobi equations (Hopf–Cole), and their Hopf–Lax limits.

A layer f(x) = ε log Σ_j e^{(W_j·x + b_j)/ε} has two exact readings. The **plane-wave gauge** takes f as
initial data at s = 0. The **kernel gauge** chooses a time t > 0 and reads f at that time, off atoms y_j with
initial values g_j. Both carry the Hamiltonian H(p) = κ|p|² and the viscosity ν = κε; κ = 1 unless given.

Sources: E. Hopf (1950) and J. D. Cole (1951) for the transform; Miñoza, Legara, Monterola,
"The Hamilton–Jacobi theory of deep learning", arXiv:2605.28983 (2026), for the kernel gauge of a layer. The
plane-wave gauge and the defect of the un-normalised kernel sum are derived here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym import layers
from hjsym._files import replaced
from hjsym.errors import ModelFileError
from hjsym.expr import default_symbols
from hjsym.frontends import load
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.npz import read_npz
from hjsym.network import Network
from tropical import MIN_PLUS, Polynomial, Semiring
from tropical._arrays import as_points, frozen
from tropical._display import summary
from tropical._formulas import in_display
from tropical._html import shown
from tropical._tables import HasTable, coordinates
from tropical.errors import BudgetExceeded, InputError, ShapeError, TropicalError

__all__ = ["KernelGauge", "LSELayer", "PlaneWaveGauge", "symbolic_residual"]

_MAX_CLASS = 1_000_000  # of labels in a file, which make as many probabilities
_MAX_SYMBOLIC = 24  # N·d beyond which SymPy takes minutes to reduce a residual to 0


@dataclass(frozen=True, eq=False)
class LSELayer(HasTable):
    """The layer f(x) = ε log Σ_j exp((W_j·x + b_j)/ε), with the Hamiltonian that it is read with.

    Parameters
    ----------
    W : (N, d) array
        Slopes.
    b : (N,) array
        Offsets.
    eps : float
        Temperature ε > 0.
    kappa : float
        κ in H(p) = κ|p|²; the viscosity is ν = κε.
    labels : (N,) integer array, optional
        The class that each neuron votes for, where the layer is a classifier.

    Examples
    --------
    >>> layer = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5)
    >>> gauge = layer.kernel(t=1.0)
    >>> gauge.y.ravel(), gauge.g
    (array([ 2., -2.]), array([-1., -1.]))
    >>> x = np.array([0.3])
    >>> bool(np.isclose(layer(x) + gauge.u(x), 0.3**2 / 4))
    True
    >>> layer.plane_wave.pde()
    Eq(Derivative(F(x1, s), s), Derivative(F(x1, s), x1)**2 + 0.5*Derivative(F(x1, s), (x1, 2)))
    >>> layer.neurons, layer.variables, layer.viscosity
    (2, 1, 0.5)
    >>> again = LSELayer.from_initial_data(gauge.y, gauge.g, eps=0.5, t=1.0)
    >>> bool(np.allclose(again.W, layer.W)), LSELayer.from_network(layer.to_network()).eps
    (True, 0.5)
    >>> votes = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5, labels=[0, 1])
    >>> votes.class_probabilities(x).round(4)
    array([0.7685, 0.2315])
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     votes.save(f"{folder}/layer.npz")
    ...     LSELayer.load(f"{folder}/layer.npz").labels
    array([0, 1])
    """

    W: ArrayLike
    b: ArrayLike
    eps: float
    kappa: float = 1.0
    labels: ArrayLike | None = None

    __repr__ = summary

    def __post_init__(self):
        for name in ("eps", "kappa"):
            value = float(getattr(self, name))
            if not (math.isfinite(value) and value > 0):
                raise InputError(
                    f"{name} is {value}; pass a finite number > 0 (the limit eps = 0 is hopf_lax)"
                )
            object.__setattr__(self, name, value)
        polynomial = Polynomial(np.asarray(self.W, float), np.asarray(self.b, float), Semiring(eps=self.eps))
        if not len(polynomial) or not np.isfinite(polynomial.coefficients).all():
            raise InputError("the layer has no neurons, or an infinite offset; pass at least one, all finite")
        object.__setattr__(self, "W", polynomial.slopes)
        object.__setattr__(self, "b", polynomial.coefficients)
        object.__setattr__(self, "polynomial", polynomial)
        if self.labels is not None:
            labels = np.asarray(self.labels)
            if labels.shape != self.b.shape or labels.dtype.kind not in "iu" or labels.min() < 0:
                raise ShapeError(
                    f"labels have shape {labels.shape} and dtype {labels.dtype}; "
                    f"pass {self.neurons} integers >= 0, one per neuron"
                )
            object.__setattr__(self, "labels", frozen(labels))

    @classmethod
    def from_initial_data(
        cls, y: ArrayLike, g: ArrayLike, eps: float, t: float = 1.0, kappa: float = 1.0
    ) -> LSELayer:
        """The layer whose kernel gauge at time t has atoms y (N, d) with initial values g (N,):
        W = y/2κt, b = −g − |y|²/4κt."""
        y, g = np.asarray(y, float), np.asarray(g, float)
        y = y[:, None] if y.ndim == 1 else y
        _check_time(t)
        return cls(y / (2 * kappa * t), -g - (y**2).sum(axis=1) / (4 * kappa * t), eps, kappa)

    @classmethod
    def from_network(cls, source, kappa: float = 1.0) -> LSELayer:
        """The layer in a network that is one affine map followed by LogSumExp, or by Softplus of one output."""
        network = load(source)
        kinds = [node.layer for node in network.nodes if not isinstance(node.layer, layers.Identity)]
        match kinds:
            case [layers.Affine() as affine, layers.LogSumExp() as gate]:
                return cls(affine.weight, affine.bias, gate.eps, kappa)
            case [layers.Affine() as affine, layers.Softplus() as gate] if len(affine.bias) == 1:
                weight = np.vstack([affine.weight, np.zeros_like(affine.weight)])
                return cls(weight, np.append(affine.bias, 0.0), gate.eps, kappa)
        raise InputError(
            f"the network is {' → '.join(map(str, kinds))}; a Hopf–Cole reading needs Affine → LogSumExp"
        )

    @classmethod
    def load(cls, path: str | os.PathLike, kappa: float = 1.0, *, limits: Limits = DEFAULT) -> LSELayer:
        """Read a layer that `save` wrote: an .npz file with W, b, eps and perhaps labels."""
        arrays = read_npz(Path(path), limits)
        if missing := {"W", "b", "eps"} - arrays.keys():
            raise ModelFileError(
                f"{path} has no {', '.join(sorted(missing))}; an LSE layer needs W, b and eps"
            )
        if arrays["eps"].size != 1:
            raise ModelFileError(f"eps of {path} has shape {arrays['eps'].shape}; one number is needed")
        if words := [k for k in ("W", "b", "eps") if arrays[k].dtype.kind not in "biuf"]:
            raise ModelFileError(f"{path} has text in the place of {', '.join(words)}; numbers are needed")
        labels = arrays.get("labels", np.zeros(0, int))
        if labels.dtype.kind not in "iu" or labels.max(initial=0) > _MAX_CLASS:
            raise ModelFileError(f"labels of {path} are no integers up to {_MAX_CLASS:,}")
        try:
            return cls(arrays["W"], arrays["b"], arrays["eps"].item(), kappa, arrays.get("labels"))
        except (TropicalError, TypeError, ValueError, OverflowError) as error:
            raise ModelFileError(f"{path} holds no LSE layer: {error}") from None

    def save(self, path: str | os.PathLike, **extra: ArrayLike) -> None:
        """Write W, b, eps, labels and `extra` to an .npz file, which appears whole or not at all."""
        arrays = {"W": self.W, "b": self.b, "eps": self.eps, **extra}
        if self.labels is not None:
            arrays["labels"] = self.labels
        with replaced(Path(path)) as part, part.open("wb") as file:
            np.savez_compressed(file, **arrays)

    def to_network(self) -> Network:
        """Affine → LogSumExp."""
        return Network.sequential(self.variables, [layers.Affine(self.W, self.b), layers.LogSumExp(self.eps)])

    @property
    def neurons(self) -> int:
        """N, the number of neurons."""
        return len(self.b)

    @property
    def variables(self) -> int:
        """d, the number of variables."""
        return self.W.shape[1]

    @property
    def viscosity(self) -> float:
        """ν = κε."""
        return self.kappa * self.eps

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """f(x) at points of shape (..., d)."""
        return self.polynomial(x)

    def class_probabilities(self, x: ArrayLike) -> np.ndarray:
        """P(c | x) = Σ of the Gibbs weights of the neurons labelled c, shape (..., classes)."""
        if self.labels is None:
            raise InputError("the layer has no labels; pass labels= with the class of each neuron")
        return self.polynomial.weights(x) @ (self.labels[:, None] == np.arange(self.labels.max() + 1)).astype(
            float
        )

    # ---- print -----------------------------------------------------------------------------------

    def latex(self) -> str:
        r"""The layer in LaTeX.

        >>> print(LSELayer([[1.0], [-1.0]], [0.0, 0.5], eps=0.5).latex())
        f(x) = \operatorname{LSE}_{0.5}\left(x_{1},\, -x_{1} + 0.5\right)
        """
        return f"f(x) = {self.polynomial.latex()}"

    def _repr_latex_(self) -> str | None:
        return shown(lambda: in_display(self.latex()) if self.polynomial._repr_latex_() else None)

    def _shape(self) -> tuple[int, int]:
        return self.neurons, self.variables + 2

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        labels = {} if self.labels is None else {"label": self.labels[:first]}
        return {**labels, "b": self.b[:first], **coordinates("W", self.W[:first])}

    def _html(self) -> str | None:
        from hjsym._notebook import layer_html

        return layer_html(self) if self._repr_latex_() is None else None

    # ---- gauges ----------------------------------------------------------------------------------

    @cached_property
    def plane_wave(self) -> PlaneWaveGauge:
        """f as initial data: F(x, 0) = f(x)."""
        return PlaneWaveGauge(self)

    def kernel(self, t: float = 1.0) -> KernelGauge:
        """f as the solution at time t."""
        return KernelGauge(self, t)


@dataclass(frozen=True, eq=False)
class PlaneWaveGauge:
    r"""F(x, s) = ε log Σ_j exp((W_j·x + b_j + sκ|W_j|²)/ε), which solves F_s = κ|∇F|² + νΔF, F(·, 0) = f.

    No time has to be chosen and nothing normalised: each exponential solves the heat equation by itself.

    >>> wave = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5).plane_wave
    >>> wave.at(0.0)([0.3]).round(6), wave.at(1.0)([0.3]).round(6)       # F = f, and one unit later
    (np.float64(0.431641), np.float64(1.431641))
    >>> wave.pde()
    Eq(Derivative(F(x1, s), s), Derivative(F(x1, s), x1)**2 + 0.5*Derivative(F(x1, s), (x1, 2)))
    >>> bool(abs(wave.residual(np.array([0.3]), 1.0)) < 1e-14)
    True
    >>> wave.latex()
    '\\partial_s F = |\\nabla F|^2 + 0.5\\,\\Delta F, \\qquad F(x, 0) = f(x)'
    """

    layer: LSELayer

    __repr__ = summary

    def at(self, s: float) -> Polynomial:
        """F(·, s) as a log-semiring polynomial."""
        squares = (self.layer.W**2).sum(axis=1)
        return Polynomial(
            self.layer.W, self.layer.b + s * self.layer.kappa * squares, self.layer.polynomial.semiring
        )

    def __call__(self, x: ArrayLike, s: float = 0.0) -> np.ndarray:
        """F(x, s)."""
        return self.at(s)(x)

    def residual(self, x: ArrayLike, s: float = 0.0) -> np.ndarray:
        """F_s − κ|∇F|² − νΔF by moments of the Gibbs weights, relative to the largest of the three terms.

        F_s = κE|W|², ∇F = E W, ΔF = tr Cov(W)/ε, each summed on its own: a few ulp where all is well.
        """
        layer, field = self.layer, self.at(s)
        weights = field.weights(x)
        time = layer.kappa * weights @ (layer.W**2).sum(axis=1)
        transport = layer.kappa * (field.gradient(x) ** 2).sum(axis=-1)
        diffusion = layer.viscosity * np.trace(field.hessian(x), axis1=-2, axis2=-1)
        tiny = np.full_like(time, np.finfo(float).tiny)
        return (time - transport - diffusion) / np.maximum.reduce([time, transport, diffusion, tiny])

    def pde(self) -> sympy.Eq:
        """The equation as a SymPy Eq in F(x1 … xd, s)."""
        return _equation(self.layer, "F", "s", sign=1, source=0)

    def latex(self) -> str:
        """The equation in LaTeX, in vector notation."""
        kappa, nu = _prefix(self.layer.kappa), _prefix(self.layer.viscosity)
        return rf"\partial_s F = {kappa}|\nabla F|^2 + {nu}\Delta F, \qquad F(x, 0) = f(x)"

    def _repr_latex_(self) -> str:
        return in_display(self.latex())


@dataclass(frozen=True, eq=False)
class KernelGauge(HasTable):
    r"""The layer as the solution at time t of data g_j at atoms y_j = 2κtW_j, g_j = −b_j − κt|W_j|².

    u(x, t) = −ε log Σ_j exp(−(g_j + |x − y_j|²/4κt)/ε), and f + u = |x|²/4κt identically. Two versions of u
    are offered because no single one has both properties:

    - ``u``, the finite sum, starts from u(y_j, 0⁺) = g_j where that is the smallest term, and solves the
      equation with a known defect: u_t + κ|∇u|² = νΔu − εd/2t.
    - ``u_normalised``, ũ = u + (εd/2) log(4πνt), solves ũ_t + κ|∇ũ|² = νΔũ exactly, but tends to −∞ at the
      atoms as t → 0.

    The time is a gauge: every t gives the same f and another (y, g).

    >>> gauge = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5).kernel(t=1.0)
    >>> y, g = gauge.initial_data
    >>> y.ravel().tolist() == gauge.y.ravel().tolist(), g
    (True, array([-1., -1.]))
    >>> x = np.array([0.3])
    >>> gauge.u(x).round(6), gauge.u_normalised(x).round(6), gauge.hopf_lax(x).round(6)
    (np.float64(-0.409141), np.float64(0.050328), np.float64(-0.2775))
    >>> bool(abs(gauge.identity_defect(x)) < 1e-14), bool(abs(gauge.residual(x)) < 1e-14)
    (True, True)
    >>> gauge.pde()
    Eq(Derivative(u(x1, t), t), -Derivative(u(x1, t), x1)**2 + 0.5*Derivative(u(x1, t), (x1, 2)) - 0.25/t)
    >>> gauge.latex(normalised=True)
    '\\partial_t \\tilde u + |\\nabla \\tilde u|^2 = 0.5\\,\\Delta \\tilde u'
    """

    layer: LSELayer
    t: float = 1.0

    __repr__ = summary

    def __post_init__(self):
        _check_time(self.t)

    @cached_property
    def y(self) -> np.ndarray:
        """Atoms, shape (N, d)."""
        return 2 * self.layer.kappa * self.t * self.layer.W

    @cached_property
    def g(self) -> np.ndarray:
        """Initial values at the atoms, shape (N,)."""
        return -self.layer.b - self.layer.kappa * self.t * (self.layer.W**2).sum(axis=1)

    @property
    def initial_data(self) -> tuple[np.ndarray, np.ndarray]:
        """(y, g)."""
        return self.y, self.g

    def _costs(self, x: ArrayLike, t: float | None) -> tuple[np.ndarray, float]:
        """g_j + |x − y_j|²/4κt, shape (..., N), from the differences x − y_j, and t."""
        t = self.t if t is None else _check_time(t)
        x = as_points(x, self.layer.variables, np.dtype(np.float64))
        squares = np.zeros((*x.shape[:-1], self.layer.neurons))
        for k in range(self.layer.variables):
            squares += np.subtract.outer(x[..., k], self.y[:, k]) ** 2
        return self.g + squares / (4 * self.layer.kappa * t), t

    def u(self, x: ArrayLike, t: float | None = None) -> np.ndarray:
        """The un-normalised u(x, t), at the layer's own time unless t is given."""
        return Semiring(sign=-1, eps=self.layer.eps).sum(self._costs(x, t)[0])

    def u_normalised(self, x: ArrayLike, t: float | None = None) -> np.ndarray:
        """ũ(x, t) = u + (εd/2) log(4πνt)."""
        layer, t = self.layer, self.t if t is None else t
        shift = math.log(4 * math.pi * layer.viscosity * t)
        return self.u(x, t) + layer.eps * layer.variables / 2 * shift

    def hopf_lax(self, x: ArrayLike, t: float | None = None) -> np.ndarray:
        """The limit ε → 0, min_j {g_j + |x − y_j|²/4κt}: the viscosity solution of u_t + κ|∇u|² = 0."""
        return MIN_PLUS.sum(self._costs(x, t)[0])

    def identity_defect(self, x: ArrayLike) -> np.ndarray:
        """f + u − |x|²/4κt relative to max(|x|²/4κt, 1); zero but for rounding."""
        action = (np.asarray(x, float) ** 2).sum(axis=-1) / (4 * self.layer.kappa * self.t)
        return (self.layer(x) + self.u(x) - action) / np.maximum(action, 1)

    def residual(self, x: ArrayLike, normalised: bool = False) -> np.ndarray:
        """Residual of the equation of u (or ũ) at time t, relative to its largest term or the defect εd/2t.

        By moments of the Gibbs weights: u_t = −E|x − y|²/4κt², ∇u = E(x − y)/2κt, Δu = d/2κt − tr Cov(y)/4κ²t²ε.
        ũ_t has εd/2t more, which is the defect of u.
        """
        layer, t = self.layer, self.t
        x = as_points(x, layer.variables, np.dtype(np.float64))
        weights = layer.polynomial.weights(x)
        displacement = x[..., None, :] - self.y
        mean = (weights[..., None] * displacement).sum(axis=-2)
        spread = (weights[..., None] * (displacement - mean[..., None, :]) ** 2).sum(axis=(-2, -1))
        squares = (weights[..., None] * displacement**2).sum(axis=(-2, -1))
        defect = layer.eps * layer.variables / (2 * t)
        time = -squares / (4 * layer.kappa * t**2) + (defect if normalised else 0.0)
        transport = layer.kappa * ((mean / (2 * layer.kappa * t)) ** 2).sum(axis=-1)
        laplacian = layer.variables / (2 * layer.kappa * t) - spread / (4 * layer.kappa**2 * t**2 * layer.eps)
        diffusion = layer.viscosity * laplacian - (0.0 if normalised else defect)
        scale = np.maximum.reduce([np.abs(time), transport, np.abs(diffusion), np.full_like(time, defect)])
        return (time + transport - diffusion) / scale

    def pde(self, normalised: bool = False) -> sympy.Eq:
        """The equation of u, with its defect, or of ũ, as a SymPy Eq."""
        t = sympy.Symbol("t", positive=True)
        defect = 0 if normalised else -_nice(self.layer.eps) * self.layer.variables / (2 * t)
        return _equation(self.layer, "utilde" if normalised else "u", "t", sign=-1, source=defect)

    def latex(self, normalised: bool = False) -> str:
        """The equation in LaTeX, in vector notation."""
        kappa, nu = _prefix(self.layer.kappa), _prefix(self.layer.viscosity)
        u = r"\tilde u" if normalised else "u"
        defect = "" if normalised else rf" - \frac{{{self.layer.eps * self.layer.variables / 2:.6g}}}{{t}}"
        return rf"\partial_t {u} + {kappa}|\nabla {u}|^2 = {nu}\Delta {u}{defect}"

    def _repr_latex_(self) -> str:
        return in_display(self.latex())

    def _shape(self) -> tuple[int, int]:
        return self.y.shape[0], self.y.shape[1] + 1

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        return {"g": self.g[:first], **coordinates("y", self.y[:first])}

    def _html(self) -> None:
        """The formula is always short."""


def symbolic_residual(
    gauge: str, neurons: int = 2, variables: int = 1, kappa: sympy.Expr | None = None
) -> sympy.Expr:
    """The PDE residual of a layer whose every weight is a symbol, reduced by SymPy: it is 0.

    Parameters
    ----------
    gauge : {"plane wave", "kernel", "kernel normalised", "network"}
        "network" is f itself at fixed (y, g): f_t + x·∇f/t − κ|∇f|² = νΔf, with no defect.
    neurons, variables : int
        N and d of the generic layer; N·d at most 24.
    kappa : SymPy expression, optional
        κ; a positive symbol by default.

    Notes
    -----
    SymPy differentiates u with the phase of each exponential an unknown function of (x, t); then the
    exponentials become symbols of their own, the phases' derivatives are put in, and the rational function
    that is left is cancelled. Nothing of the derivation is used.

    Examples
    --------
    >>> [symbolic_residual(g, 2, 1) for g in ("plane wave", "kernel", "kernel normalised", "network")]
    [0, 0, 0, 0]
    """
    if neurons * variables > _MAX_SYMBOLIC:
        raise BudgetExceeded(
            "symbols of the residual", neurons * variables, _MAX_SYMBOLIC, "use residual(x), which is numeric"
        )
    eps, t = sympy.symbols("epsilon t", positive=True)
    kappa = sympy.Symbol("kappa", positive=True) if kappa is None else kappa
    x = default_symbols(variables)
    rows = [default_symbols(variables, f"w{j}_") for j in range(neurons)]
    offsets = default_symbols(neurons, "b")
    if gauge == "plane wave":
        phases = [_dot(w, x) + b + t * kappa * _dot(w, w) for w, b in zip(rows, offsets, strict=True)]
    else:
        phases = [
            -b - _dot([a - c for a, c in zip(x, y, strict=True)]) / (4 * kappa * t)
            for y, b in zip(rows, offsets, strict=True)
        ]
    unknowns = [sympy.Function(f"theta{j}")(*x, t) for j in range(neurons)]
    modes = {sympy.exp(z / eps): sympy.Dummy(f"E{j}", positive=True) for j, z in enumerate(unknowns)}
    total = sympy.Add(*modes)
    nu, d = kappa * eps, variables
    forms = {
        "plane wave": lambda: (eps * sympy.log(total), -1, 0),
        "kernel": lambda: (-eps * sympy.log(total), 1, -eps * d / (2 * t)),
        "kernel normalised": lambda: (
            -eps * sympy.log(total) + eps * sympy.Rational(d, 2) * sympy.log(4 * sympy.pi * nu * t), 1, 0
        ),
        "network": lambda: (_dot(x) / (4 * kappa * t) + eps * sympy.log(total), -1, 0),
    }  # fmt: skip
    if gauge not in forms:
        raise InputError(f"gauge {gauge!r} is unknown; pass one of {', '.join(map(repr, forms))}")
    field, sign, source = forms[gauge]()
    gradient = [field.diff(v) for v in x]
    laplacian = sympy.Add(*(field.diff(v, 2) for v in x))
    residual = field.diff(t) + sign * kappa * _dot(gradient) - nu * laplacian - source
    if gauge == "network":
        residual += _dot(x, gradient) / t
    known = dict(zip(unknowns, phases, strict=True))
    residual = residual.subs(modes).replace(sympy.Derivative, lambda z, *by: known[z].diff(*by))
    return sympy.cancel(sympy.together(residual))


def _dot(a: Sequence, b: Sequence | None = None) -> sympy.Expr:
    return sympy.Add(*(p * q for p, q in zip(a, a if b is None else b, strict=True)))


def _check_time(t: float) -> float:
    if not (math.isfinite(t) and t > 0):
        raise InputError(f"t is {t}; pass a finite time > 0 (the plane-wave gauge needs none)")
    return float(t)


def _nice(value: float) -> sympy.Expr:
    return sympy.Integer(int(value)) if value == int(value) else sympy.Float(value)


def _prefix(value: float) -> str:
    return "" if value == 1 else rf"{value:.6g}\,"


def _equation(layer: LSELayer, name: str, time: str, sign: int, source) -> sympy.Eq:
    """name_time = sign·κ|∇|² + νΔ + source."""
    if layer.variables > 100:
        raise ShapeError(f"the equation in {layer.variables} coordinates is unreadable; use latex()")
    x = default_symbols(layer.variables)
    t = sympy.Symbol("t", positive=True) if time == "t" else sympy.Symbol(time, real=True)
    field = sympy.Function(name)(*x, t)
    transport = _nice(layer.kappa) * _dot([field.diff(v) for v in x])
    diffusion = _nice(layer.viscosity) * sympy.Add(*(field.diff(v, 2) for v in x))
    return sympy.Eq(field.diff(t), sign * transport + diffusion + source)

"""Log-sum-exp layers and maxima as solutions of V_t + κ ∇Vᵀ A ∇V = ν tr(A∇²V), A the identity unless given.

With plane waves F(x, t) = ε log Σ_j exp((W_j·x + b_j + tκ W_jᵀAW_j)/ε), V = −F solves the equation for ν = κε, and at
ε → 0, where F is a maximum, it is its viscosity solution. In the kernel gauge at a time t_0

    V(x, t) = −ε log Σ_j exp(−(g_j + (x − y_j)ᵀA⁻¹(x − y_j)/4κt)/ε),   y = 2κt_0 AW,   g = −b − κt_0 WᵀAW

solves it with −εd/2t more on the right, and f(x) + V(x, t_0) = xᵀA⁻¹x/4κt_0.

Sources: the plane waves are derived here; for the kernel gauge see `hjsym.hopf`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.hopf import LSELayer
from hjsym.symbols import LogSumExp
from hjsym.systems.system import HJSystem
from hjsym.systems.weights import Weights, dot, finite_array, mixed
from tropical import Polynomial, Rational
from tropical.errors import InputError

__all__ = ["log_sum_exp", "maximum", "square", "temperature", "tropical_rational"]

_MOST_NUMBERS = 20_000  # of a layer whose solution is written out
_T = sympy.Symbol("t", real=True)
_TIME = sympy.Symbol("t", positive=True)
_WAVES = "each exponential solves the heat equation by itself, for all W, b and t (Hopf–Cole)"
_HOPF_LAX = "Hopf–Lax: the maximum of plane waves is the viscosity solution, for H is convex and t ≥ 0"


@dataclass(frozen=True, eq=False)
class _Space:
    """States, momenta, κ and A of an equation, as they are written."""

    weights: Weights
    x: tuple
    p: tuple
    kappa: sympy.Expr
    A: sympy.MatrixBase | sympy.MatrixSymbol | None

    @classmethod
    def of(cls, what: str, d: int, numbers: int, kappa, A: ArrayLike | None, symbolic: bool) -> _Space:
        weights = Weights.of(what, d, 0, False)
        if symbolic:
            weights = Weights.of(what, d, numbers + (0 if A is None else d * (d + 1) // 2) + 2, True)
        x, p = weights.state(d)
        metric = None if A is None else _written(weights, positive_definite(A, d))
        return cls(weights, x, p, weights.scalar("kappa", kappa, positive=True), metric)

    @property
    def H(self) -> sympy.Expr:
        """κ pᵀAp."""
        if self.weights.is_matrix:
            (p,) = self.p
            return self.kappa * (p.T * p if self.A is None else p.T * self.A * p)
        return self.kappa * self.form(self.p)

    def form(self, a) -> sympy.Expr:
        """aᵀAa."""
        if self.A is None:
            return square(a)
        return (sympy.Matrix(a).T * self.A * sympy.Matrix(a))[0]

    def wave(self, w, b) -> sympy.Expr:
        """w·x + b + tκ wᵀAw."""
        return dot(w, self.x) + b + _T * self.kappa * self.form(w)

    def is_written_out(self, numbers: int) -> bool:
        return not self.weights.is_matrix and numbers <= _MOST_NUMBERS

    def system(self, **parts) -> HJSystem:
        parts = {"t": _T, "label": "exact", "parameters": self.weights.parameters} | parts
        return HJSystem(H=self.H, x=self.x, p=self.p, A=self.A, **parts)


def log_sum_exp(
    layer: LSELayer,
    gauge: str = "plane wave",
    symbolic: bool = False,
    A: ArrayLike | None = None,
    t: float = 1.0,
) -> HJSystem:
    """The system of a log-sum-exp layer, in the plane-wave gauge or the kernel gauge at a time t > 0.

    A (d, d) symmetric and positive definite makes it H = κ pᵀAp with the viscosity ν tr(A∇²).

    Parameters
    ----------
    layer : LSELayer
    gauge : {"plane wave", "kernel"}
    symbolic : bool
        Keep weights as symbols.
    A : (d, d) array, optional
        The metric of H; the identity by default.
    t : float
        Time > 0 of the kernel gauge.

    Returns
    -------
    HJSystem

    Examples
    --------
    >>> from hjsym.hopf import LSELayer
    >>> log_sum_exp(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5)).fields
    mappingproxy({'V': -LogSumExp(1/2, t + x1, t - x1)})
    """
    if gauge not in ("plane wave", "kernel"):
        raise InputError(f"gauge is {gauge!r}; pass 'plane wave' or 'kernel'")
    if not (math.isfinite(t) and t > 0):
        raise InputError(f"t is {t}; pass the time > 0 of the kernel gauge (the plane-wave gauge needs none)")
    space = _Space.of("the layer", layer.variables, layer.W.size + layer.neurons, layer.kappa, A, symbolic)
    eps = space.weights.scalar("epsilon", layer.eps, positive=True)
    return (_plane_wave if gauge == "plane wave" else _kernel)(space, layer, eps, mixed(float(t)))


def _plane_wave(space: _Space, layer: LSELayer, eps: sympy.Expr, t: sympy.Expr) -> HJSystem:
    system = {
        "name": f"log-sum-exp of {layer.neurons} affine functions of {layer.variables} variables, plane-wave gauge",
        "reason": _WAVES, "viscosity": space.kappa * eps, "readout": "f(x) = −V(x, 0)",
    }  # fmt: skip
    if not space.is_written_out(layer.W.size):
        return space.system(**system)
    F = LogSumExp(eps, *(space.wave(w, b) for w, b in _rows(space.weights, layer.W, layer.b)))
    return space.system(**system, fields={"V": -F}, output=F.subs(_T, 0))


def _kernel(space: _Space, layer: LSELayer, eps: sympy.Expr, t0: sympy.Expr) -> HJSystem:
    kappa, x = space.kappa, space.x
    length = "|x|²" if space.A is None else "xᵀA⁻¹x"
    action = f"{length}/4κ" if t0 == 1 else f"{length}/4κt"
    system = {
        "name": f"log-sum-exp of {layer.neurons} affine functions of {layer.variables} variables, "
        f"kernel gauge at time {t0}",
        "reason": f"f(x) + V(x, {t0}) = {action}; the finite sum is not normalised, and −εd/2t is what that costs",
        "t": _TIME, "viscosity": kappa * eps, "source": -eps * layer.variables / (2 * _TIME),
        "readout": f"f(x) = {action} − V(x, {t0})",
    }  # fmt: skip
    if not space.is_written_out(layer.W.size):
        return space.system(**system)
    inverse = None if space.A is None else space.A.inv()
    costs = []
    for w, b in _rows(space.weights, layer.W, layer.b):
        w = sympy.Matrix(w)
        y = 2 * kappa * t0 * (w if space.A is None else space.A * w)
        distance = _form(inverse, sympy.Matrix(x) - y)
        costs.append(b + kappa * t0 * space.form(w) - distance / (4 * kappa * _TIME))
    V = -LogSumExp(eps, *costs)
    output = _form(inverse, sympy.Matrix(x)) / (4 * kappa * t0) - V.subs(_TIME, t0)
    return space.system(**system, fields={"V": V}, output=output)


def maximum(polynomial: Polynomial, kappa=1, symbolic: bool = False, A: ArrayLike | None = None) -> HJSystem:
    """The system of a maximum of affine functions: the viscosity solution of V_t + κ ∇VᵀA∇V = 0.

    Parameters
    ----------
    polynomial : Polynomial
        Over max-plus, at ε = 0.
    kappa : number
        κ > 0.
    symbolic : bool
        Keep weights as symbols.
    A : (d, d) array, optional
        Symmetric and positive definite; the identity by default.

    Returns
    -------
    HJSystem

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> maximum(x + y + 1).fields
    mappingproxy({'V': -Max(1, t + x1, t + x2)})
    """
    size = polynomial.slopes.size
    space = _Space.of("the maximum", polynomial.variables, size + len(polynomial), kappa, A, symbolic)
    system = {
        "name": f"maximum of {len(polynomial)} affine functions of {polynomial.variables} variables",
        "reason": _HOPF_LAX, "readout": "f(x) = −V(x, 0)",
    }  # fmt: skip
    if not space.is_written_out(size):
        return space.system(**system)
    F = _wave_front(space, polynomial)
    return space.system(**system, fields={"V": -F}, output=_initially(F))


def tropical_rational(f: Rational, kappa=1, symbolic: bool = False, A: ArrayLike | None = None) -> HJSystem:
    """The pair of a tropical rational function P ⊘ Q: two solutions of one equation, f their difference.

    Parameters
    ----------
    f : Rational
        Over max-plus, at ε = 0, of polynomials.
    kappa, symbolic, A
        As for `maximum`.

    Returns
    -------
    HJSystem
        With the fields V_P and V_Q.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> sorted(tropical_rational((x + y) / (x + 0)).fields)
    ['V_P', 'V_Q']
    """
    size = f.P.slopes.size + f.Q.slopes.size
    space = _Space.of("the network", f.variables, size + len(f.P) + len(f.Q), kappa, A, symbolic)
    system = {
        "name": f"tropical rational function of {len(f.P)} over {len(f.Q)} monomials",
        "reason": "P and Q each are initial data of a viscosity solution; their difference solves no such equation",
        "readout": "f(x) = V_Q(x, 0) − V_P(x, 0)",
    }  # fmt: skip
    if not space.is_written_out(size):
        return space.system(**system)
    P, Q = (_wave_front(space, part, f"_{name}") for name, part in (("P", f.P), ("Q", f.Q)))
    return space.system(**system, fields={"V_P": -P, "V_Q": -Q}, output=_initially(P) - _initially(Q))


def _wave_front(space: _Space, polynomial: Polynomial, name: str = "") -> sympy.Expr:
    """max_j (W_j·x + b_j + tκ W_jᵀAW_j), unevaluated."""
    rows = _rows(space.weights, polynomial.slopes, polynomial.coefficients, name)
    terms = {space.wave(w, b) for w, b in rows}
    return sympy.Max(*terms, evaluate=False) if len(terms) > 1 else terms.pop()


def _initially(F: sympy.Expr) -> sympy.Expr:
    """F at t = 0, its terms not compared with each other, as SymPy would for longer than anybody waits."""
    if not isinstance(F, sympy.Max):
        return F.subs(_T, 0)
    terms = {term.subs(_T, 0) for term in F.args}
    return sympy.Max(*terms, evaluate=False) if len(terms) > 1 else terms.pop()


# ---- parts -------------------------------------------------------------------------------------------


def _rows(weights: Weights, W: ArrayLike, b: ArrayLike, name: str = "") -> list[tuple]:
    """(W_j, b_j) of every neuron, as they are written."""
    W, b = weights.matrix(f"W{name}", W), weights.vector(f"b{name}", b)
    return [(list(W.row(j)), b[j]) for j in range(W.rows)]


def _written(weights: Weights, A: np.ndarray):
    """A as it is written, symmetric in symbols too."""
    A = weights.matrix("A", A)
    if weights.form != "symbols":
        return A
    for i in range(A.rows):
        for j in range(i):
            del weights.parameters[A[i, j]]
            A[i, j] = A[j, i]
    return A


def positive_definite(A: ArrayLike, d: int) -> np.ndarray:
    """A as a symmetric and positive definite matrix (d, d)."""
    A = finite_array("A", A, (d, d))
    if (A.T != A).any():
        raise InputError("A is not symmetric; pass (A + Aᵀ)/2, which gives the same pᵀAp")
    least = np.linalg.eigvalsh(A).min()
    if not least > 0:
        raise InputError(f"A has the eigenvalue {least:g}; pass a positive definite matrix")
    return A


def temperature(eps):
    """ε if it is above 0."""
    if not eps > 0:
        raise InputError(
            f"eps is {eps}; pass a temperature > 0 (at eps = 0 pass a maximum, such as a Polynomial)"
        )
    return eps


def square(a) -> sympy.Expr:
    """|a|²."""
    return sympy.Add(*(v**2 for v in a))


def _form(inverse: sympy.MatrixBase | None, a: sympy.MatrixBase) -> sympy.Expr:
    """aᵀA⁻¹a, as the sum of squares for the identity."""
    return square(a) if inverse is None else (a.T * inverse * a)[0]

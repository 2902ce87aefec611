"""The Kadomtsev–Petviashvili equation of a layer: its slopes are line solitons, its tropical curve their web.

A layer f(x) = ε log Σ_j exp((k_j x + c_j)/ε) in one variable moves in the plane-wave time y and a third-order time T:

    F(x, y, T) = ε log Σ_j exp((k_j x + k_j² y + k_j³ T + c_j)/ε) = ε log τ,    u = 2ε ∂_x² F = 2 Var_π(k),

and u solves KP II with dispersion ε²,

    (−4u_T + ε²u_xxx + 6uu_x)_x + 3u_yy = 0.

y is the time s of `LSELayer.plane_wave` with κ = 1. As ε → 0 the ridges of u tend to the tropical curve of
max_j (k_j x + k_j² y + k_j³ T + c_j); the height of a ridge, (k_i − k_j)²/2, does not depend on ε.

Why: every derivative of F is a joint cumulant of k, k² and k³. In Hirota's form (D_x⁴ − 4D_xD_T + 3D_y²) τ·τ = 0 each
pair of exponentials has the factor (k_i − k_j)² ((k_i − k_j)² − 4(k_i² + k_ik_j + k_j²) + 3(k_i + k_j)²) = 0.

Sources: arXiv:2605.28983 (2026), appendix M, for the τ-function of a layer. R. Hirota, *The Direct Method in Soliton
Theory* (2004), for the bilinear form; Y. Kodama, *KP Solitons and the Grassmannians* (2017), for [i, j]-solitons and
their asymptotics. The tropical web and the dispersive form in ε are derived here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.hopf import LSELayer
from tropical import Polynomial, Semiring
from tropical._arrays import EXACT, convert, frozen
from tropical.errors import BudgetExceeded, InputError, ShapeError
from tropical.hypersurface import Hypersurface

__all__ = ["KP", "LineSoliton", "TauFunction", "symbolic_residual"]

KP = (-4, 1, 6, 3)  # of u_xT, u_xxxx, (uu_x)_x and u_yy
_MOST_SYMBOLIC = 6  # exponentials: two seconds of SymPy; each more doubles them
_BLOCK = 1 << 21  # weights held at a time


@dataclass(frozen=True)
class LineSoliton:
    """The [i, j]-soliton ½(k_i − k_j)² sech²(½(θ_i − θ_j)/ε), θ_j = k_j x + k_j² y + k_j³ T + c_j.

    Attributes
    ----------
    pair : (int, int)
        i < j, of the slopes in increasing order.
    slopes, offsets : (float, float)
        k_i < k_j and c_i, c_j.
    eps : float
    ends : tuple of (float, float)
        What of its ridge is in the web: the vertices (x, y) at its ends, one for a ray.
    upward : bool or None
        Of a ray: whether it goes to y → +∞. None for a bounded edge and for the whole line of two exponentials.

    Examples
    --------
    >>> ridge = TauFunction([-1.0, 0.5], [0.0, 0.0]).solitons()[0]
    >>> ridge.pair, ridge.amplitude, ridge.direction, ridge.speed, ridge.ridge(2.0)
    ((0, 1), 1.125, (0.5, 1.0), -0.75, np.float64(1.0))
    """

    pair: tuple[int, int]
    slopes: tuple[float, float]
    offsets: tuple[float, float]
    eps: float
    ends: tuple[tuple[float, float], ...] = ()
    upward: bool | None = None

    @property
    def amplitude(self) -> float:
        """½(k_i − k_j)², the height of the ridge, at every ε."""
        return (self.slopes[1] - self.slopes[0]) ** 2 / 2

    @property
    def direction(self) -> tuple[float, float]:
        """(−(k_i + k_j), 1): along the ridge x = −(k_i + k_j) y + const."""
        return -sum(self.slopes), 1.0

    @property
    def speed(self) -> float:
        """dx/dT of the ridge at fixed y: −(k_i² + k_ik_j + k_j²)."""
        a, b = self.slopes
        return -(a * a + a * b + b * b)

    def ridge(self, y: ArrayLike, T: float = 0.0) -> np.ndarray:
        """x of the ridge, where θ_i = θ_j."""
        (a, b), (c, e) = self.slopes, self.offsets
        return -(a + b) * np.asarray(y, dtype=float) + self.speed * T - (e - c) / (b - a)

    def __call__(self, x: ArrayLike, y: ArrayLike, T: ArrayLike = 0.0) -> np.ndarray:
        """u of this soliton alone."""
        gap = (self.slopes[1] - self.slopes[0]) * (np.asarray(x, dtype=float) - self.ridge(y, T))
        decay = np.exp(-np.abs(gap) / self.eps)  # sech² without overflow
        return self.amplitude * 4 * decay / (1 + decay) ** 2


@dataclass(frozen=True, eq=False)
class TauFunction:
    """τ = Σ_j exp((k_j x + k_j² y + k_j³ T + c_j)/ε) and the solution u = 2ε² ∂_x² log τ of KP.

    Parameters
    ----------
    k : (N,) array
        Slopes. They are put into increasing order; equal ones become one exponential, with the sum of both.
    c : (N,) array
        Offsets.
    eps : float
        ε > 0.

    Raises
    ------
    InputError
        No exponentials, numbers that are not finite, ε ≤ 0.
    ShapeError
        Lengths that do not fit.

    Notes
    -----
    Nothing overflows: F and u come from the log-sum-exp core, u as a centred variance. Cost O(N) a point.

    Examples
    --------
    >>> tau = TauFunction([-1.0, 0.0, 2.0], [0.0, 0.5, 0.0])
    >>> float(tau.u(0.0, 1.0).round(6))
    0.97804
    >>> bool(tau.residual(np.linspace(-5, 5, 101), 0.3, 0.2).max() < 1e-14)
    True
    >>> [(s.pair, s.amplitude, s.upward) for s in tau.solitons()]
    [((0, 1), 0.5, False), ((0, 2), 4.5, True), ((1, 2), 2.0, False)]
    >>> from hjsym.hopf import LSELayer
    >>> TauFunction.from_layer(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=1.0)).u(0.0, 0.0)
    array(2.)
    >>> tau.polynomial.variables, len(tau.web().cells)
    (3, 3)
    >>> tau.equation().rhs
    0
    >>> TauFunction([0.0, 1.0], [0.0, 0.0]).expression()
    exp(T + x + y) + 1
    """

    k: ArrayLike
    c: ArrayLike
    eps: float = 1.0

    def __post_init__(self):
        k, c = np.asarray(self.k, dtype=float), np.asarray(self.c, dtype=float)
        if k.ndim != 1 or k.shape != c.shape:
            raise ShapeError(f"k and c have shapes {k.shape} and {c.shape}; pass (N,) and (N,)")
        if not (len(k) and np.isfinite(k).all() and np.isfinite(c).all()):
            raise InputError("there are no exponentials, or a slope or offset is not finite")
        if not (math.isfinite(self.eps) and self.eps > 0):
            raise InputError(f"eps is {self.eps}; pass a finite number > 0; the limit 0 is web(T)")
        merged = Polynomial(k, c, Semiring(eps=float(self.eps))).merge()
        order = np.argsort(merged.slopes[:, 0])
        object.__setattr__(self, "k", frozen(merged.slopes[order, 0]))
        object.__setattr__(self, "c", frozen(merged.coefficients[order]))
        object.__setattr__(self, "eps", float(self.eps))

    @classmethod
    def from_layer(cls, layer: LSELayer) -> TauFunction:
        """That of a layer in one variable: k = W, c = b, F(x, s, 0) = ``layer.plane_wave(x, s)`` for κ = 1."""
        if layer.variables != 1:
            raise InputError(
                f"the layer has {layer.variables} variables; a τ-function has one slope for each neuron: "
                "pass the layer on a line, LSELayer((W @ v)[:, None], W @ p + b, eps)"
            )
        return cls(layer.W[:, 0], layer.b, layer.eps)

    def __len__(self) -> int:
        """N, the number of different slopes."""
        return len(self.k)

    @cached_property
    def polynomial(self) -> Polynomial:
        """F as a log-semiring polynomial in (x, y, T)."""
        return Polynomial(np.stack([self.k, self.k**2, self.k**3], axis=1), self.c, Semiring(eps=self.eps))

    # ---- values ----------------------------------------------------------------------------------

    def __call__(self, x: ArrayLike, y: ArrayLike, T: ArrayLike = 0.0) -> np.ndarray:
        """F = ε log τ at coordinates that broadcast."""
        return np.asarray(self.polynomial(_points(x, y, T)))

    def u(self, x: ArrayLike, y: ArrayLike, T: ArrayLike = 0.0) -> np.ndarray:
        """u = 2 Var_π(k), between 0 and ½(k_N − k_1)²."""
        return np.asarray(2 * self.eps * self.polynomial.hessian(_points(x, y, T))[..., 0, 0])

    def residual(
        self, x: ArrayLike, y: ArrayLike, T: ArrayLike = 0.0, *, equation: Sequence[float] = KP
    ) -> np.ndarray:
        """|−4u_xT + ε²u_xxxx + 6(uu_x)_x + 3u_yy| by cumulants, in units of its largest term over the points.

        Parameters
        ----------
        x, y, T : arrays that broadcast
        equation : four numbers
            The coefficients, `KP` by default; with any other the residual is no rounding error.

        Notes
        -----
        Derivatives are exact expressions in centred moments of k, k² and k³ under the Gibbs weights, up to the sixth
        cumulant; what is left is rounding. Cost O(N) a point, in blocks: N = 10⁵ neurons take no more memory than 10².
        """
        points = _points(x, y, T)
        flat = points.reshape(-1, 3)
        size = max(1, _BLOCK // len(self.k))
        terms = np.concatenate(
            [self._terms(flat[i : i + size]) for i in range(0, len(flat), size)] or [_NO_TERMS]
        )
        terms = terms * np.asarray(equation, dtype=float)
        largest = np.abs(terms).max(initial=0.0)
        return np.abs(terms.sum(axis=1)).reshape(points.shape[:-1]) / (largest or 1.0)

    def _terms(self, points: np.ndarray) -> np.ndarray:
        """u_xT, ε²u_xxxx, (uu_x)_x and u_yy, all times ε²: the cumulants alone."""
        weights = self.polynomial.weights(points)

        def mean(*factors):
            return np.einsum("pn" + ",pn" * len(factors) + "->p", weights, *factors)

        a, c, b = (values - (weights @ values)[:, None] for values in (self.k, self.k**2, self.k**3))
        aa = a * a
        aaa = aa * a
        m2, m3, m4, m6 = mean(aa), mean(aaa), mean(aa, aa), mean(aaa, aaa)
        u, u_x, u_xx = 2 * m2, 2 * m3, 2 * (m4 - 3 * m2**2)
        u_xT = 2 * (mean(aaa, b) - 3 * m2 * mean(a, b))
        u_xxxx = 2 * (m6 - 15 * m4 * m2 - 10 * m3**2 + 30 * m2**3)
        u_yy = 2 * (mean(aa, c, c) - m2 * mean(c, c) - 2 * mean(a, c) ** 2)
        return np.stack([u_xT, u_xxxx, u_x**2 + u * u_xx, u_yy], axis=1)

    # ---- the web -----------------------------------------------------------------------------------

    def web(self, T: float | Fraction = 0.0) -> Hypersurface:
        """The tropical curve of max_j (k_j x + k_j² y + k_j³ T + c_j) in the (x, y) plane, exactly.

        Raises
        ------
        InputError
            A single exponential: u = 0, there is no curve. A time that is not finite.
        """
        if not np.isfinite(float(T)):
            raise InputError(f"T is {T}; the web is drawn at a finite time")
        if len(self) < 2:
            raise InputError("one exponential has u = 0 and no web; pass two different slopes or more")
        k, c = (convert(values, EXACT) for values in (self.k, self.c))
        return Polynomial(np.stack([k, k**2], axis=1), c + k**3 * Fraction(T)).hypersurface()

    def solitons(self, T: float | Fraction = 0.0) -> list[LineSoliton]:
        """The ridges of u: one [i, j]-soliton for each edge of the web, in order of (i, j).

        Of N slopes, rays are [0, N − 1] for y → +∞ and [j, j + 1] for y → −∞.
        """
        web = self.web(T)
        found = []
        for cell in web.cells:
            i, j = min(cell.monomials), max(cell.monomials)
            ends = tuple((float(x), float(y)) for x, y in web.vertices[list(cell.vertices)])
            upward = bool(cell.rays[0][1] > 0) if len(cell.rays) == 1 else None
            pair = [i, j]
            found.append(
                LineSoliton(
                    (i, j), tuple(self.k[pair].tolist()), tuple(self.c[pair].tolist()), self.eps, ends, upward
                )
            )
        return sorted(found, key=lambda soliton: soliton.pair)

    # ---- symbols -----------------------------------------------------------------------------------

    def expression(self) -> sympy.Expr:
        """τ as a SymPy expression in x, y and T, its numbers exact rationals."""
        x, y, T = sympy.symbols("x y T", real=True)
        k, c = ([sympy.Rational(Fraction(v)) for v in values.tolist()] for values in (self.k, self.c))
        eps = sympy.Rational(Fraction(self.eps))
        return sympy.Add(
            *(sympy.exp((p * x + p**2 * y + p**3 * T + q) / eps) for p, q in zip(k, c, strict=True))
        )

    def equation(self) -> sympy.Eq:
        """(−4u_T + ε²u_xxx + 6uu_x)_x + 3u_yy = 0."""
        x, y, T = sympy.symbols("x y T", real=True)
        u = sympy.Function("u")(x, y, T)
        inner = -4 * u.diff(T) + sympy.Rational(Fraction(self.eps)) ** 2 * u.diff(x, 3) + 6 * u * u.diff(x)
        return sympy.Eq(sympy.Derivative(inner, x) + 3 * u.diff(y, 2), 0)

    # ---- pictures ------------------------------------------------------------------------------------

    def plot(self, T: float = 0.0, ax=None, *, box=((-20, 20), (-20, 20)), pixels: int = 400):
        """√u in the (x, y) plane at time T with the tropical curve over it.

        Parameters
        ----------
        T : float
        ax : matplotlib Axes, optional
            Those of a new figure by default.
        box : ((x0, x1), (y0, y1)) or Box
        pixels : int
            Along each axis.

        Returns
        -------
        Axes

        Examples
        --------
        >>> TauFunction([-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]).plot(pixels=20).get_title()
        '√u at T = 0, and the tropical curve'
        """
        from tropical._figures import ORANGE, axes_or_new, sides
        from tropical.plotting import plot_curve

        box = sides(box, 2)
        x, y = (np.linspace(low, high, pixels) for low, high in box)
        values = self.u(x[None, :], y[:, None], T)
        ax = axes_or_new(ax)
        shown = {"extent": box.ravel(), "origin": "lower", "interpolation": "bilinear"}
        ax.imshow(np.sqrt(values), cmap="Blues", **shown)  # low ridges are seen beside high ones
        plot_curve(self.web(T), ax, box=box, weights=False, color=ORANGE, linewidth=1.0, linestyle="--")
        ax.set(xlabel="x", ylabel="y", title=f"√u at T = {T:g}, and the tropical curve")
        return ax


_NO_TERMS = np.empty((0, 4))


def _points(x: ArrayLike, y: ArrayLike, T: ArrayLike) -> np.ndarray:
    try:
        return np.stack(np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x, y, T))), axis=-1)
    except ValueError:
        raise ShapeError(
            f"x, y and T have shapes {np.shape(x)}, {np.shape(y)} and {np.shape(T)}; pass some that broadcast"
        ) from None


def symbolic_residual(exponentials: int = 2, *, equation: Sequence = KP) -> sympy.Expr:
    """The residual of KP for τ of N exponentials with every k_j and c_j a symbol, reduced by SymPy: it is 0.

    Parameters
    ----------
    exponentials : int
        N, up to 6.
    equation : four numbers
        The coefficients of u_xT, u_xxxx, (uu_x)_x and u_yy; with any others it is not 0.

    Returns
    -------
    SymPy expression
        In k_j and E_j = exp(k_j x + k_j² y + k_j³ T + c_j).

    Notes
    -----
    u = 2∂_x² log τ is differentiated as a quotient P/τ^m of polynomials in k and E, for which ∂_x E_j = k_j E_j and so
    on; SymPy expands the numerator over τ⁶. Hirota's form is not used.

    Examples
    --------
    >>> symbolic_residual(3)
    0
    >>> sympy.factor(symbolic_residual(2, equation=(-3, 1, 6, 3)))      # another equation: not 0
    2*E1*E2*(k1 - k2)**4*(E1**2 - 4*E1*E2 + E2**2)*(k1**2 + k1*k2 + k2**2)/(E1 + E2)**4
    """
    if exponentials < 1:
        raise InputError(f"got {exponentials} exponentials; τ needs one at least")
    if exponentials > _MOST_SYMBOLIC:
        raise BudgetExceeded(
            "exponentials", exponentials, _MOST_SYMBOLIC, "use residual(x, y, T), which is numeric"
        )
    names = [f"{letter}{j + 1}" for letter in "kE" for j in range(exponentials)]
    ring = sympy.polys.rings.PolyRing(names, sympy.QQ)
    k, modes = ring.gens[:exponentials], ring.gens[exponentials:]
    tau = sum(modes, ring.zero)

    def flow(f, power: int):
        """∂f along x, y or T, for power 1, 2 and 3."""
        return sum((p**power * e * f.diff(e) for p, e in zip(k, modes, strict=True)), ring.zero)

    def along(quotient, *powers: int):
        f, m = quotient
        for power in powers:
            f, m = flow(f, power) * tau - m * f * flow(tau, power), m + 1
        return f, m

    u = along((2 * flow(tau, 1), 1), 1)
    u_x = along(u, 1)
    product = u[0] * u_x[0], u[1] + u_x[1]
    parts = along(u, 1, 3), along(u, 1, 1, 1, 1), along(product, 1), along(u, 2, 2)
    numerator = sum(
        (sympy.QQ(c) * f * tau ** (6 - m) for c, (f, m) in zip(equation, parts, strict=True)), ring.zero
    )
    return numerator.as_expr() / tau.as_expr() ** 6

"""The arrows of the commutative square, each an identity or a limit with a proved bound, and each checked at points.

The corner at the end of an arrow is computed from its own data, by a route that does not share the arrow's formula.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from hjsym.conjugate import PolyhedralConjugate

__all__ = ["Arrow", "check_arrows"]

_ULP = 2.0**-50  # a few units of rounding, which the bound of an identity allows
_INWARDS = 2.0**-40  # the least part of the way to the mean of all slopes
_MOST_QUERIES, _FEW_QUERIES = 16, 4  # of conjugates: where pieces are known, and where each takes a program
_MOST_SYMBOLS = 12  # N·d up to which equations are also checked in 40 digits


@dataclass(frozen=True)
class Arrow:
    """One arrow, checked.

    Attributes
    ----------
    source, target : str
        Names of corners.
    claim : str
        What is checked.
    route : str
        How the other side was computed.
    error : float
        The largest deviation over the points.
    bound : float
        What it may be, proved: of a limit a multiple of ε, of an identity rounding.
    """

    source: str
    target: str
    claim: str
    route: str
    error: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the error is within the bound."""
        return self.error <= self.bound


def check_arrows(square) -> Iterator[Arrow]:
    """Every arrow of a `Diagram`, with its error at the points of that and its bound."""
    x, layer = square.points, square.layer
    f, f0, u, u0 = (square.corners[name](x) for name in ("network", "tropical", "viscous", "inviscid"))
    z = np.einsum("nd,jd->nj", x, layer.W) + layer.b
    action = (x**2).sum(axis=1) / (4 * layer.kappa * square.t)
    rounding = _ULP * (
        np.abs(z).max()
        + action.max()
        + np.abs(square.gauge.g).max()
        + layer.eps * math.log(layer.neurons + 1)
    )
    by_scipy = layer.eps * logsumexp(z / layer.eps, axis=1)
    yield Arrow(
        "network",
        "network",
        "f_ε by the compiled core",
        "SciPy's logsumexp",
        np.abs(f - by_scipy).max(),
        rounding,
    )
    yield Arrow(
        "network", "tropical", "0 ≤ f_ε − f_0 ≤ ε log N", "NumPy's maximum", _outside(f - z.max(axis=1), rounding),
        square.limit_bound + rounding,
    )  # fmt: skip
    yield Arrow(
        "network",
        "viscous",
        "f_ε + u_ε = |x|²/4κt",
        "u_ε from its atoms",
        np.abs(f + u - action).max(),
        rounding,
    )
    yield Arrow(
        "tropical", "inviscid", "f_0 + u_0 = |x|²/4κt", "u_0 by Hopf–Lax from its atoms",
        np.abs(f0 + u0 - action).max(), rounding,
    )  # fmt: skip
    yield Arrow(
        "viscous", "inviscid", "0 ≤ u_0 − u_ε ≤ ε log N", "each from its atoms", _outside(u0 - u, rounding),
        square.limit_bound + rounding,
    )  # fmt: skip
    yield _equation_holds(square)
    yield from _convex_corner(square, f, f0, z)


def _equation_holds(square) -> Arrow:
    """The equation of u_ε at the points: in 40 digits where it is small, else by moments of Gibbs weights."""
    claim = "u_t + κ|∇u|² = νΔu − εd/2t"
    if square.layer.neurons * square.layer.variables <= _MOST_SYMBOLS:
        system = square.systems["viscous"]
        error = max(system.residual_at(x, square.t) for x in square.points[:2])
        return Arrow("viscous", "viscous", claim, "SymPy's derivatives in 40 digits", error, 1e-30)
    error = np.abs(square.gauge.residual(square.points)).max()  # E|D|² = |E D|² + Var D for all weights
    rounding = 8 * (square.layer.neurons + square.layer.variables + 10) * np.finfo(float).eps
    return Arrow("viscous", "viscous", claim, "moments of the Gibbs weights", error, rounding)


def _convex_corner(square, f, f0, z: np.ndarray) -> Iterator[Arrow]:
    """At the first points; means are moved a little into the hull, off which conjugates are +∞.

    For weights λ of mean y, 0 ≤ f(x) + f*(y) − x·y ≤ ε KL(λ‖π) with π the Gibbs weights. KL is convex and below
    max −log π_j, so that λ = (1 − s)π + sμ makes it s(f(x) − min z_j) at most, whatever μ.
    """
    soft, hard = square.corners["entropic"], square.corners["polyhedral"]
    queries = _MOST_QUERIES if hard.is_whole else _FEW_QUERIES
    layer, x, f, f0, z = square.layer, *(a[:queries] for a in (square.points, f, f0, z))
    weights = np.exp((z - z.max(axis=1, keepdims=True)) / layer.eps)
    means = weights @ layer.W / weights.sum(axis=1, keepdims=True)
    largest, s = layer.W[z.argmax(axis=1)], _inwards(square)
    inner = means + (layer.W.mean(axis=0) - means) * s if s < 1 else largest
    size = (np.abs(x) @ np.abs(layer.W).max(axis=0)).max() + np.abs(layer.b).max() + layer.eps
    asked = inner if hard.is_whole else largest
    rounding, hard_rounding = 4 * _ULP * size, 4 * _ULP * (size + _size_of_pieces(hard, asked))
    claim = "f(x) + f*(y) = x·y at y = ∇f(x)"
    entropy = _at(soft, inner)
    gap = f + entropy - (x * inner).sum(axis=1)
    yield Arrow(
        "network", "entropic", claim, "f_ε* at the mean of the Gibbs weights", np.abs(gap).max(),
        s * (f - z.min(axis=1)).max() + rounding,
    )  # fmt: skip
    gap = f0 + _at(hard, largest) - (x * largest).sum(axis=1)
    yield Arrow(
        "tropical", "polyhedral", claim, "f_0* at the largest slope", np.abs(gap).max(), hard_rounding,
    )  # fmt: skip
    if hard.is_whole:
        hull, route, slack = _at(hard, inner), "entropy beside a hull, at means", hard_rounding
    else:  # where f_0* would take an exact program, of minutes
        hull, route = _hull_by_program(layer, inner), "entropy beside SciPy's linprog, at means"
        slack = 1e-6 * size
    yield Arrow(
        "entropic", "polyhedral", "0 ≤ f_0* − f_ε* ≤ ε log N", route, _outside(hull - entropy, slack),
        square.limit_bound + slack,
    )  # fmt: skip


def _hull_by_program(layer, y: np.ndarray) -> np.ndarray:
    """f_0*(y) = min −Σ λ_j b_j over weights λ ≥ 0 of sum 1 and mean y, by HiGHS, to its tolerance of 1e-7."""
    from scipy.optimize import linprog

    means_and_sum = np.vstack([layer.W.T, np.ones(layer.neurons)])
    found = [linprog(-layer.b, A_eq=means_and_sum, b_eq=np.append(row, 1.0)) for row in y]
    return np.array([program.fun if program.success else np.nan for program in found])


def _inwards(square) -> float:
    """The part s of the way from a Gibbs mean to that of all slopes, at which rounding stays in the hull.

    Moved by δ, the point is there for μ_j = (1 + A_j·C⁻¹δ/s)/N in place of 1/N, where A_j is W_j less the mean and
    C the covariance; so |A_j·C⁻¹δ| ≤ s does. The hull is taken in coordinates that tell its points apart. 1 where
    it is thinner than rounding.
    """
    W = square.layer.W[:, square.corners["entropic"].domain.polytope.affine_hull.pivots]
    moved = (len(W) + 8) * np.finfo(float).eps * np.abs(W).max(axis=0, initial=0.0)
    reach = len(W) * np.abs(np.linalg.pinv(W - W.mean(axis=0), rcond=0)).T @ moved
    s = max(_INWARDS, reach.max(initial=0.0))
    return float(s) if s < 0.5 else 1.0


def _outside(differences: np.ndarray, rounding: float) -> float:
    """The largest of numbers that are to be ≥ 0, and +∞ if one is below 0 by more than rounding."""
    return math.inf if differences.min() < -rounding else float(differences.max())


def _size_of_pieces(hard: PolyhedralConjugate, y: np.ndarray) -> float:
    """The largest Σ|x_k||y_k| + |v| of pieces x·y − v of f_0*, to which the rounding of its values is relative."""
    if hard.is_whole:
        pieces = hard.envelope
        return float((np.abs(y) @ np.abs(pieces.slopes).T + np.abs(pieces.coefficients)).max())
    steepest = np.abs(hard.argmax(y).reshape(y.shape))
    return float((steepest @ np.abs(hard.polynomial.slopes).max(axis=0)).max())


def _at(function, y: np.ndarray) -> np.ndarray:
    return function(y[:, 0] if y.shape[1] == 1 else y)

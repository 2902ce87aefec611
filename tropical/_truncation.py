"""Leaving out monomials of a log-sum-exp polynomial, with a proved bound on the change.

Leaving out the terms S changes f(x) by exactly −ε log(1 − π_S(x)), where π_S is the sum of their Gibbs weights.
At given points that is the error. Over a box, π_j(x) = exp((z_j(x) − f(x))/ε) with z_j(x) = W_j·x + b_j, and for any
weights λ ≥ 0 that sum to 1 (Gibbs' inequality)

    f(x) ≥ Σλ_i z_i(x) + εH(λ),   so   max_box π_j ≤ exp(max_box [z_j − Σλ_i z_i − εH(λ)]/ε),

a linear function over a box, whose maximum is plain. The best λ are those of f at the point of the box where
z_j − f is largest, where the bound is attained; any others are as safe. Over min-plus everything is mirrored.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tropical._algebra import drop_zeros, with_terms
from tropical._arrays import as_array, is_finite, refuse_where, to_floats
from tropical.domain import Box, as_box
from tropical.errors import InputError

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial

__all__ = ["Truncation", "truncate"]

_UNIT = 2.0**-53


@dataclass(frozen=True)
class Truncation:
    """A polynomial with fewer monomials, and how far it is from the one that it came from.

    Attributes
    ----------
    polynomial : Polynomial
        What is left.
    removed : tuple of int
        Rows left out, in the numbering of the original; those with the semiring's zero included.
    error : float
        At points: the largest |p(x) − q(x)| over them, −ε log(1 − π_S). Over a box: a proved bound on it.

    Examples
    --------
    >>> from tropical import Polynomial, Semiring
    >>> p = Polynomial([0.0, 1.0, 2.0], [0.0, -50.0, 0.0], Semiring(eps=1.0))
    >>> found = p.truncate(1e-6, box=(-3, 3))
    >>> len(found.polynomial), found.removed, found.error < 1e-6
    (2, (1,), True)
    """

    polynomial: "Polynomial"
    removed: tuple[int, ...]
    error: float


def truncate(
    p: "Polynomial",
    tol: float,
    points: ArrayLike | None = None,
    box: Box | tuple[ArrayLike, ArrayLike] | None = None,
) -> Truncation:
    if p.semiring.is_tropical:
        raise InputError("truncate needs eps > 0; at eps = 0 use normal_form, which changes nothing")
    if not (math.isfinite(tol) and tol >= 0):
        raise InputError(f"tol is {tol}; pass a finite tolerance >= 0, in the units of the values")
    if (points is None) == (box is None):
        raise InputError("pass either points= or box=(lower, upper), where the tolerance is to hold")
    infinite = p.coefficients == -p.semiring.zero
    refuse_where(infinite, "coefficients", p.coefficients, "every other term is lost beside an infinite one")
    rows, q = np.flatnonzero(p.coefficients != p.semiring.zero), drop_zeros(p).to_float()
    if not len(q):
        return Truncation(drop_zeros(p), tuple(range(len(p))), 0.0)
    share = -math.expm1(-tol / p.semiring.eps)
    kept, error = _at_points(q, points, share) if box is None else _over_box(q, *_bounds(q, box), share)
    removed = np.setdiff1d(np.arange(len(p)), rows[kept])
    left = with_terms(p, p.slopes[rows[kept]], p.coefficients[rows[kept]])
    return Truncation(left, tuple(removed.tolist()), error)


def _at_points(q: "Polynomial", points: ArrayLike, share: float) -> tuple[np.ndarray, float]:
    """Rows to keep, and the error at the points."""
    weights = _weights_at(q, points)
    kept, lost = _split(weights, share)
    rest, gone = weights[:, kept].sum(axis=1), weights[:, lost].sum(axis=1)
    with np.errstate(divide="ignore"):  # where gone rounds to 1
        change = np.where(gone < 0.5, -np.log1p(-np.minimum(gone, 0.5)), -np.log(rest))
    return kept, q.semiring.eps * float(change.max(initial=0.0)) if len(lost) else 0.0


def _over_box(
    q: "Polynomial", lower: np.ndarray, upper: np.ndarray, share: float
) -> tuple[np.ndarray, float]:
    """Rows to keep, and a proved bound on the error in the box."""
    bounds = _largest_weights(q, lower, upper, share)
    kept, lost = _split(bounds[None], share)
    for j in lost[bounds[lost] > bounds[lost].sum() / 100]:  # the few that make the bound
        _sharpen(bounds, q, j, lower, upper)
    total = math.fsum(bounds[lost]) * (1 + 2 * _UNIT)
    return kept, -q.semiring.eps * math.log1p(-total) * (1 + 8 * _UNIT)


def _split(weights: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Columns to keep and to leave out: the smallest, as long as they sum to at most `share` in each row."""
    n = weights.shape[1]
    order = np.argsort(weights.max(axis=0, initial=0.0), kind="stable")
    sums = np.cumsum(weights[:, order], axis=1).max(axis=0, initial=0.0)
    sums *= 1 + 2 * n * _UNIT  # a sum of n terms rounds by less than n units
    count = min(int(np.searchsorted(sums, share, side="right")), n - 1)
    return np.sort(order[count:]), np.sort(order[:count])


def _weights_at(q: "Polynomial", points: ArrayLike) -> np.ndarray:
    weights = q.weights(as_array("points", points).astype(float)).reshape(-1, len(q))
    if np.isnan(weights).any():
        raise InputError("a point has no weights (NaN or infinite coordinates); pass finite points")
    return weights


def _bounds(q: "Polynomial", box) -> tuple[np.ndarray, np.ndarray]:
    """The box in floats; exact ends are rounded outwards, so that the bound holds in the box that was given."""
    sides = as_box(box).bounds(q.variables)
    if not all(is_finite(side).all() for side in sides):
        raise InputError("the box is unbounded, where every bound is infinite; pass finite low and high")
    floats = [to_floats(side) for side in sides]
    with np.errstate(over="ignore"):
        lower, upper = (
            np.where(side == near, near, np.nextafter(near, end))
            for side, near, end in zip(sides, floats, (-np.inf, np.inf), strict=True)
        )
    return lower.astype(float), upper.astype(float)


def _largest_weights(q: "Polynomial", lower: np.ndarray, upper: np.ndarray, share: float) -> np.ndarray:
    """Proved bounds on max_box π_j, shape (N,); sharp for those that neither go nor stay for sure."""
    bounds = _bound_weights(q, q.weights((lower + upper) / 2), lower, upper, np.arange(len(q)))
    seen = q.weights(np.stack([lower, (lower + upper) / 2, upper])).max(axis=0)
    for j in np.flatnonzero((bounds > share / len(q)) & (seen <= share)):
        _sharpen(bounds, q, j, lower, upper)
    return bounds


def _sharpen(bounds: np.ndarray, q: "Polynomial", j: int, lower: np.ndarray, upper: np.ndarray) -> None:
    weights = q.weights(_likeliest_point(q, j, lower, upper))
    bounds[j] = min(bounds[j], *_bound_weights(q, weights, lower, upper, np.array([j])))


def _bound_weights(
    q: "Polynomial", weights: np.ndarray, lower: np.ndarray, upper: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """max_box π_j is at most this, for the given rows: the formula of this file's head with λ = weights."""
    eps, (n, d) = q.semiring.eps, q.slopes.shape
    W, b = q.semiring.sign * q.slopes, q.semiring.sign * q.coefficients
    weights = weights / math.fsum(weights)
    used = weights[weights > 0]
    middle, radius, reach = (lower + upper) / 2, (upper - lower) / 2, np.maximum(abs(lower), abs(upper))
    slope = W[rows] - weights @ W
    gap = slope @ middle + abs(slope) @ radius + b[rows] - weights @ b + eps * (used @ np.log(used))
    # Each of these sums rounds by at most its length times the sum of sizes; so does the sum of the weights.
    sizes = (abs(W[rows]) + weights @ abs(W)) @ reach + abs(b[rows]) + weights @ abs(b)
    gap += 8 * (n + d + 16) * _UNIT * (sizes + eps * (1 + math.log(n)))
    power = gap / eps
    return np.exp(np.minimum(power + 4 * _UNIT * abs(power), 0.0)) * (1 + 8 * _UNIT)


def _likeliest_point(q: "Polynomial", j: int, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """About where in the box π_j is largest: z_j − f is concave (convex over min-plus)."""
    sign = q.semiring.sign

    def fall(x):
        value, gradient = q.value_and_gradient(x)
        return sign * (value - q.slopes[j] @ x - q.coefficients[j]), sign * (gradient - q.slopes[j])

    from scipy.optimize import minimize  # half of the time to import this package

    found = minimize(fall, (lower + upper) / 2, jac=True, method="L-BFGS-B",
                     bounds=np.stack([lower, upper], axis=1), options={"maxiter": 50})  # fmt: skip
    return np.clip(found.x, lower, upper)

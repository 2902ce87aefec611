"""Where monotone functions of one variable change sign, many at once, by bisection down to neighbouring floats."""

from collections.abc import Callable

import numpy as np

from hjsym.conjugate.base import ConvexFunction

__all__ = ["crossing", "slopes_of"]

_DOUBLINGS = 1100  # from the least to the largest float
_HALVINGS = 1200


def crossing(rise: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours low ≤ high with rise(low) ≤ 0 ≤ rise(high) for nondecreasing functions into [−∞, ∞].

    `rise` takes one point for each function. Where there is no change of sign both ends are the same infinity.
    """
    first = rise(start)
    low, high = np.where(first <= 0, start, -np.inf), np.where(first >= 0, start, np.inf)
    step = np.maximum(np.abs(start), 1.0) * 2.0**-4
    for _ in range(_DOUBLINGS):
        open_low, open_high = low == -np.inf, high == np.inf
        if not (open_low | open_high).any():
            break
        with np.errstate(over="ignore"):
            at = np.where(open_low, start - step, np.where(open_high, start + step, start))
            step = 2 * step
        far = ~np.isfinite(at)
        if (far | ~(open_low | open_high)).all():
            break
        value = rise(np.where(far, start, at))
        low = np.where(~far & (value <= 0) & (at > low), at, low)
        high = np.where(~far & (value >= 0) & (at < high), at, high)
    high = np.where(low == -np.inf, -np.inf, high)
    low = np.where(high == np.inf, np.inf, low)
    return _bisected(rise, low, high)


def _bisected(rise, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    for _ in range(_HALVINGS):
        with np.errstate(invalid="ignore"):
            middle = low / 2 + high / 2
        going = np.isfinite(middle) & (low < middle) & (middle < high)
        if not going.any():
            break
        value = rise(np.where(going, middle, np.where(np.isfinite(low), low, 0.0)))
        low = np.where(going & (value <= 0), middle, low)
        high = np.where(going & (value >= 0), middle, high)
    return low, high


def slopes_of(f: ConvexFunction, inner: float) -> Callable[[np.ndarray], np.ndarray]:
    """A subgradient of f at points of one variable, −∞ left of its domain and +∞ right of it; `inner` is in it."""

    def slopes(x: np.ndarray) -> np.ndarray:
        found = f._argmax(x[:, None])[:, 0]
        none = found != found
        if none.any():
            found = np.where(none, np.where(x < inner, -np.inf, np.where(x > inner, np.inf, 0.0)), found)
        return found

    return slopes


def best_of(
    values: Callable[[np.ndarray], np.ndarray], *candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The candidate of least value, and that value."""
    best, least = candidates[0], values(candidates[0])
    for other in candidates[1:]:
        value = values(other)
        best, least = np.where(value < least, other, best), np.minimum(value, least)
    return best, least

"""Minima of convex functions of several variables, given values and subgradients, by SciPy's quasi-Newton methods."""

from collections.abc import Callable, Sequence

import numpy as np

from tropical.errors import InputError

__all__ = ["minimise_smooth"]


def minimise_smooth(
    value: Callable[[np.ndarray], float],
    slope: Callable[[np.ndarray], np.ndarray],
    starts: Sequence[np.ndarray],
) -> np.ndarray:
    """The best point found from the first start at which the value is finite; where the slope is none, it is flat.

    BFGS, restarted until it gains nothing. No certificate: callers compute their own gap.
    """
    from scipy.optimize import minimize

    start = next((s for s in starts if np.isfinite(value(s))), None)
    if start is None:
        raise InputError("the function is infinite at every start; shift it so that 0 lies in its domain")

    def both(p: np.ndarray) -> tuple[float, np.ndarray]:
        at = value(p)
        if not np.isfinite(at):
            return np.inf, np.zeros_like(p)
        return at, np.nan_to_num(slope(p))

    best, least = np.asarray(start, float), value(start)
    for _ in range(5):
        with np.errstate(all="ignore"):
            found = minimize(both, best, jac=True, method="BFGS", options={"gtol": 1e-13, "maxiter": 2000})
        if not found.fun < least - 1e-15 * abs(least):
            return found.x if found.fun <= least else best
        best, least = found.x, found.fun
    return best

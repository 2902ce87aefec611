"""Power laws E ≈ C·N^s fitted on logarithmic scales, with an interval for the exponent s.

The exponent is the least-squares slope of log E over log N. Its interval is Student's, or, where measurements were
repeated, a bootstrap over the repetitions; both are about scatter. A curve without scatter, such as the error of a
quadrature rule, deviates from a line by its curvature alone: then `PowerLaw.local` says more than any interval.

Source: B. Efron, R. J. Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 9 and 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from tropical._arrays import frozen, refuse_where
from tropical.errors import InputError, ShapeError

__all__ = ["PowerLaw", "power_law"]


@dataclass(frozen=True, eq=False, repr=False)
class PowerLaw:
    """E ≈ amplitude·N^exponent; what `power_law` returns.

    Attributes
    ----------
    sizes : (k,) array
        N.
    errors : (k,) array
        E; the mean over the repetitions, where there were any.
    exponent, amplitude : float
    interval : (float, float)
        Of the exponent.
    confidence : float
    method : {"t", "bootstrap"}

    Examples
    --------
    >>> law = power_law([10, 20, 40, 80], [0.5, 0.25, 0.125, 0.0625])
    >>> round(law.alpha, 9), law.local.round(6), law.interval[0] <= law.exponent <= law.interval[1]
    (1.0, array([-1., -1., -1.]), True)
    >>> ax = law.plot(label="halves")
    """

    sizes: np.ndarray
    errors: np.ndarray
    exponent: float
    amplitude: float
    interval: tuple[float, float]
    confidence: float
    method: str

    @property
    def alpha(self) -> float:
        """α = −exponent, the rate of E ~ N^{−α}."""
        return -self.exponent

    @property
    def local(self) -> np.ndarray:
        """Slopes between neighbouring sizes, (k − 1,): constant for a true power law."""
        return np.diff(np.log(self.errors)) / np.diff(np.log(self.sizes))

    def __call__(self, sizes: ArrayLike) -> np.ndarray:
        """The fitted errors at other sizes."""
        return self.amplitude * np.asarray(sizes, dtype=float) ** self.exponent

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"<PowerLaw {self.amplitude:.3g}·N^{self.exponent:.3f}, "
            f"{self.confidence:.0%} in [{low:.3f}, {high:.3f}] ({self.method})>"
        )

    def plot(self, ax=None, *, label: str | None = None, **style):
        """Errors and the fitted line on logarithmic axes, on new ones of matplotlib unless given; returns them."""
        from tropical._figures import axes_or_new

        ax = axes_or_new(ax)
        (line,) = ax.loglog(self.sizes, self(self.sizes), **style)
        ax.loglog(
            self.sizes,
            self.errors,
            "o",
            color=line.get_color(),
            markersize=4,
            label=f"{label or 'error'}: slope {self.exponent:.2f}",
        )
        ax.set(xlabel="N", ylabel="error")
        ax.legend(frameon=False)
        return ax


def power_law(
    sizes: ArrayLike,
    errors: ArrayLike,
    *,
    confidence: float = 0.95,
    method: str | None = None,
    resamples: int = 2000,
    rng: np.random.Generator | int | None = 0,
) -> PowerLaw:
    """Fit E ≈ C·N^s by least squares of log E over log N.

    Parameters
    ----------
    sizes : (k,) array
        N > 0, k ≥ 3, in increasing order.
    errors : (k,) or (repetitions, k) array
        E > 0. Of repetitions the mean over them is fitted.
    confidence : float
        Of the interval of s, in (0, 1).
    method : {"t", "bootstrap"}, optional
        "t", Student's interval of the slope, by default for one row of errors. "bootstrap", the default for more,
        resamples rows, or, of one row, the residuals of the fit (scaled by √(k/(k − 2))), and takes quantiles.
    resamples : int
        Of the bootstrap.
    rng : numpy Generator or seed
        Of the bootstrap.

    Returns
    -------
    PowerLaw

    Raises
    ------
    InputError
        Fewer than three sizes, sizes that do not increase, an error that is not positive and finite, an unknown method.
    ShapeError
        Lengths that do not fit.

    Examples
    --------
    >>> law = power_law([10, 20, 40, 80], [0.52, 0.24, 0.13, 0.062])
    >>> law
    <PowerLaw 5.19·N^-1.009, 95% in [-1.139, -0.879] (t)>
    >>> round(law.alpha, 2), law.local.round(2)
    (1.01, array([-1.12, -0.88, -1.07]))
    """
    sizes, errors = np.asarray(sizes, dtype=float), np.asarray(errors, dtype=float)
    if sizes.ndim != 1 or errors.ndim not in (1, 2) or errors.shape[-1:] != sizes.shape:
        raise ShapeError(
            f"sizes have shape {sizes.shape} and errors {errors.shape}; pass (k,) and (k,) or (repetitions, k)"
        )
    if len(sizes) < 3:
        raise InputError(f"got {len(sizes)} sizes; a line and its interval need three or more")
    if not (np.isfinite(sizes).all() and sizes[0] > 0 and (np.diff(sizes) > 0).all()):
        raise InputError(f"sizes are {sizes.tolist()}; pass positive numbers in increasing order")
    refuse_where(~(np.isfinite(errors) & (errors > 0)), "errors", errors, "log E needs a positive number")
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}; pass a number between 0 and 1, such as 0.95")
    method = method or ("t" if errors.ndim == 1 else "bootstrap")
    if method not in ("t", "bootstrap"):
        raise InputError(f"method is {method!r}; pass 't' or 'bootstrap'")
    mean = errors if errors.ndim == 1 else errors.mean(axis=0)
    line = _Line(np.log(sizes), np.log(mean))
    if method == "t":
        reach = stats.t.ppf((1 + confidence) / 2, len(sizes) - 2) * line.deviation
        interval = line.slope - reach, line.slope + reach
    else:
        draws = line.resampled(errors, resamples, np.random.default_rng(rng))
        interval = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return PowerLaw(
        frozen(sizes),
        frozen(mean),
        line.slope,
        math.exp(line.intercept),
        tuple(map(float, interval)),
        confidence,
        method,
    )


class _Line:
    """Least squares of one variable; SciPy's gives NaN for a constant one."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        centred = x - x.mean()
        square = (centred**2).sum()
        self.functional = centred / square  # the slope is linear in y
        self.slope = float(self.functional @ (y - y.mean()))
        self.intercept = float(y.mean() - self.slope * x.mean())
        self.residuals = y - self.intercept - self.slope * x
        self.deviation = math.sqrt((self.residuals**2).sum() / (len(x) - 2) / square)

    def resampled(self, errors: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Slopes of resampled data: of rows where measurements were repeated, of residuals where not."""
        if errors.ndim == 2:
            rows = rng.integers(len(errors), size=(count, len(errors)))
            return np.log(errors[rows].mean(axis=1)) @ self.functional
        k = len(self.residuals)
        spread = self.residuals * math.sqrt(k / (k - 2))
        return self.slope + spread[rng.integers(k, size=(count, k))] @ self.functional

"""Descent on an objective: L-BFGS of SciPy, and Adam, with early stopping on data kept apart.

Source: D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980 (2015), Algorithm 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

__all__ = ["Descent", "Watch", "adam", "lbfgs"]

_MEMORY = 20  # pairs that L-BFGS keeps


@dataclass
class Watch:
    """Sees each step: records losses, reports progress, and stops when data kept apart stop improving.

    Parameters
    ----------
    validation : callable, optional
        The error of parameters on data kept apart.
    patience : int
        Steps without a new least error after which to stop.
    tol : float
        How much less, relative to the least error, counts as new.
    report : callable, optional
        Called with the number of steps done.
    """

    validation: Callable[[np.ndarray], float] | None = None
    patience: int = 20
    tol: float = 1e-4
    report: Callable[[int], object] | None = None
    losses: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    best: np.ndarray | None = None
    waited: int = 0

    def sees(self, parameters: np.ndarray, loss: float) -> bool:
        """Record one step; whether to stop."""
        self.losses.append(float(loss))
        if self.report is not None:
            self.report(len(self.losses))
        if self.validation is None:
            return False
        error = self.validation(parameters)
        improved = not self.errors or error < min(self.errors) * (1 - self.tol)
        if improved or self.best is None:
            self.best = parameters.copy()
        self.waited = 0 if improved else self.waited + 1
        self.errors.append(error)
        return self.waited >= self.patience


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended.

    Attributes
    ----------
    parameters : (P,) array
        Those of least validation error where data were kept apart, else the last.
    converged : bool
        Whether the method stopped by itself.
    """

    parameters: np.ndarray
    converged: bool


def _guarded(objective: Callable) -> Callable:
    """Infinite where a line search tries parameters that overflow."""

    def value(parameters):
        with np.errstate(over="ignore", invalid="ignore"):
            if np.abs(parameters).max(initial=0) < 1e100:
                loss, gradient = objective(parameters)
                if np.isfinite(loss) and np.isfinite(gradient).all():
                    return loss, gradient
        return 1e300, np.zeros_like(parameters)

    return value


def lbfgs(
    objective: Callable, start: np.ndarray, watch: Watch, max_iter: int = 200, tol: float = 1e-8
) -> Descent:
    """At most `max_iter` steps of L-BFGS, until the gradient is below `tol` or the loss no longer falls."""
    stopped = False

    def step(intermediate_result):
        nonlocal stopped
        stopped = watch.sees(intermediate_result.x, intermediate_result.fun)
        if stopped:
            raise StopIteration

    options = {
        "maxiter": max_iter,
        "maxcor": _MEMORY,
        "gtol": tol,
        "ftol": tol * 1e-4,
        "maxfun": 20 * max_iter,
    }
    fit = minimize(_guarded(objective), start, method="L-BFGS-B", jac=True, callback=step, options=options)
    parameters = fit.x if watch.best is None else watch.best
    return Descent(parameters, stopped or fit.status != 1)


def adam(
    objective: Callable,
    start: np.ndarray,
    watch: Watch,
    max_iter: int = 1000,
    learning_rate: float = 0.006,
    batches: Iterator[np.ndarray | slice] | None = None,
) -> Descent:
    """`max_iter` steps of Adam with β = (0.9, 0.999), on all rows unless `batches` yields those of each step."""
    parameters = np.array(start)
    mean, square = np.zeros_like(parameters), np.zeros_like(parameters)
    stopped = False
    for step in range(1, max_iter + 1):
        loss, gradient = objective(parameters, slice(None) if batches is None else next(batches))
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        slowed = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        parameters -= learning_rate / (1 - 0.9**step) * mean / slowed
        stopped = watch.sees(parameters, loss)
        if stopped:
            break
    return Descent(parameters if watch.best is None else watch.best, stopped)

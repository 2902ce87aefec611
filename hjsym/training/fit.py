"""The least-squares fit of log-sum-exps and their differences: scaling, stages of temperature, restarts."""

from dataclasses import dataclass, replace

import numpy as np

from hjsym.training.data import Scaling, checked, joined
from hjsym.training.objectives import SquaredError
from hjsym.training.schedule import Schedule, check_count, check_positive, kept_apart
from hjsym.training.start import starting_table
from tropical import Polynomial, Semiring
from tropical._display import summary
from tropical._progress import Progress
from tropical._workers import Workers
from tropical.errors import InputError, ShapeError

__all__ = ["LSEFit", "fit_lse"]

_SIGNS = {"convex": (1,), "concave": (-1,), "difference": (1, -1)}
_STAGES = 6  # temperatures of an annealed fit, in geometric progression
_TEMPERED = 0.1  # of the targets' spread: the temperature where none is given
_HOT = 1e10  # of the same: hotter, rounding of ε log N alone is an error of 1e-6


@dataclass(frozen=True, eq=False)
class LSEFit:
    """f = Σ_h sign_h LSE_ε(W_h x + b_h), fitted.

    Attributes
    ----------
    table : (heads, N, d + 1) array
        Slopes, and offsets in the last column.
    eps : float
    signs : tuple of ±1
    error : float
        The weighted mean of the squared errors, on data kept apart where there are such.
    losses, validation_errors : lists of float
        By step; scaled as the descent had them.
    steps : int
    converged : bool

    Examples
    --------
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> found = fit_lse(x, x[:, 0] ** 2, n_neurons=3, eps=0.1, seed=0)
    >>> len(found.polynomials), found.table.shape, found.error < 1e-2, found.steps > 0
    (1, (1, 3, 2), True, True)
    """

    table: np.ndarray
    eps: float
    signs: tuple[int, ...]
    error: float
    losses: list[float]
    validation_errors: list[float]
    steps: int
    converged: bool

    __repr__ = summary

    @property
    def polynomials(self) -> tuple[Polynomial, ...]:
        """The heads, each a max polynomial at ε."""
        return tuple(Polynomial(part[:, :-1], part[:, -1], Semiring(eps=self.eps)) for part in self.table)

    def __call__(self, x) -> np.ndarray:
        """f(x) at points (..., d)."""
        return sum(s * p(x) for s, p in zip(self.signs, self.polynomials, strict=True))


def fit_lse(
    points,
    targets,
    weights=None,
    *,
    shape: str = "convex",
    n_neurons: int = 20,
    eps: float | None = None,
    temperature: str = "fixed",
    decay: float = 0.0,
    init: str = "partition",
    n_init: int = 1,
    standardize: bool = True,
    schedule: Schedule | None = None,
    seed=None,
    start: np.ndarray | None = None,
    progress: Progress = None,
    executor: Workers = None,
) -> LSEFit:
    """Fit Σ_h sign_h LSE_ε by least squares: what `LSERegressor` runs, without scikit-learn.

    Parameters
    ----------
    points, targets, weights : (B, d), (B,) and (B,) arrays
        Finite. Weights are 1 by default.
    shape, n_neurons, eps, temperature, init, n_init, standardize
        As of `LSERegressor`.
    decay : float
        Its alpha.
    schedule : Schedule, optional
        Its settings of the descent.
    seed : int, numpy.random.Generator or None
    start : (heads, N, d + 1) array, optional
        Slopes and offsets to start from, in the units of the data.
    progress : callable or bool, optional
        Called with the number of steps done; True draws a bar.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Runs the `n_init` descents, as in `tropical.linear_regions`; the fit does not depend on it.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> fit = fit_lse(x, np.abs(x[:, 0]), n_neurons=2, eps=0.01, seed=0)
    >>> np.sort(fit.table[0, :, 0]).round(2)
    array([-1.,  1.])
    """
    points, targets, weights = checked(points, targets, weights)
    if shape not in _SIGNS:
        raise InputError(f"shape is {shape!r}; pass {', '.join(map(repr, _SIGNS))}")
    if temperature not in ("fixed", "annealed", "learnt"):
        raise InputError(f"temperature is {temperature!r}; pass 'fixed', 'annealed' or 'learnt'")
    signs, neurons = _SIGNS[shape], check_count("n_neurons", n_neurons)
    check_count("n_init", n_init)
    needed = (len(signs), neurons, points.shape[1] + 1)
    if start is not None and np.shape(start) != needed:
        raise ShapeError(f"start has shape {np.shape(start)}; pass slopes and offsets of shape {needed}")
    if not (np.isfinite(decay) and decay >= 0):
        raise InputError(f"decay is {decay}; pass a finite number >= 0")
    schedule = Schedule() if schedule is None else schedule
    rng = np.random.default_rng(seed)
    scaling = Scaling.of(points, targets, weights) if standardize else Scaling.none(points.shape[1])
    spread = scaling.unit if standardize else Scaling.of(points, targets, weights).unit
    eps = _TEMPERED * spread if eps is None else check_positive("eps", eps)
    if eps > _HOT * spread:
        raise InputError(
            f"eps is {eps:g} and the targets' standard deviation {spread:g}: so hot a layer rounds to an affine "
            f"function; pass eps <= {_HOT * spread:g}, or fit a linear model"
        )
    inner, targets = scaling.scale(points, targets)
    data = joined(inner, targets, weights)
    if temperature == "annealed" and start is not None:
        temperature = "fixed"  # what was found is not to be melted again
    stages = _stages(temperature, eps / scaling.unit, spread / scaling.unit)
    whole = SquaredError(*data, signs, neurons, stages[-1], decay)
    apart = None
    if schedule.early_stopping:
        rows, others = kept_apart(len(data[0]), schedule.validation_fraction, rng)
        whole, apart = whole.part(rows), whole.part(others)
    objectives = [replace(whole, eps=stage) for stage in stages]
    first = eps / scaling.unit

    def starts():
        for _ in range(1 if start is not None else n_init):
            if start is None:
                data = whole.points, whole.targets, whole.weights
                table = starting_table(init, data, signs, neurons, stages[0] or first, rng)
            else:
                table = scaling.table_there(np.asarray(start, float), signs)
            yield table.ravel() if stages[-1] is not None else np.append(table.ravel(), np.log(first))

    run = schedule.best(objectives, starts(), rng, apart, progress, executor)
    table, inner_eps = whole.split(run.parameters)
    return LSEFit(
        table=scaling.table_back(table, signs),
        eps=eps if temperature != "learnt" else scaling.unit * inner_eps,
        signs=signs,
        error=run.error * scaling.unit**2,
        losses=run.losses,
        validation_errors=run.validation_errors,
        steps=len(run.losses),
        converged=run.converged,
    )


def _stages(temperature: str, eps: float, spread: float) -> list[float | None]:
    """The temperature of each stage, in the units of the descent; None is learnt."""
    if temperature == "learnt":
        return [None]
    if temperature == "fixed" or eps >= spread:
        return [eps]
    return [*np.geomspace(spread, eps, _STAGES)[:-1].tolist(), eps]

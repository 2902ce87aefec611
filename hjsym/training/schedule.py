"""How a descent is run: which method, how long, on which rows, and when to stop."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from hjsym.training.descent import Descent, Watch, adam, lbfgs
from tropical._progress import Progress, reporting
from tropical._workers import Workers, in_order
from tropical.errors import InputError

__all__ = ["Run", "Schedule", "check_count", "check_positive", "kept_apart"]


@dataclass(frozen=True, eq=False)
class Run:
    """Where a descent ended, and how it went: the losses by step, and the errors on rows kept apart."""

    parameters: np.ndarray
    error: float
    losses: list[float]
    validation_errors: list[float]
    converged: bool


@dataclass(frozen=True)
class Schedule:
    """Settings of a descent; `LSERegressor` says what each means.

    >>> Schedule("adam", max_iter=1000).learning_rate
    0.006
    """

    solver: str = "lbfgs"
    max_iter: int = 500
    tol: float = 1e-8
    learning_rate: float = 0.006
    batch_size: int | None = None
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 20

    def __post_init__(self):
        if self.solver not in ("lbfgs", "adam"):
            raise InputError(f"solver is {self.solver!r}; pass 'lbfgs' or 'adam'")
        if self.batch_size is not None and self.solver == "lbfgs":
            raise InputError("batch_size is for solver='adam'; L-BFGS takes all rows")
        for name in ("max_iter", "n_iter_no_change") + (("batch_size",) if self.batch_size else ()):
            check_count(name, getattr(self, name))
        for name in ("tol", "learning_rate", "validation_fraction"):
            check_positive(name, getattr(self, name))
        if self.validation_fraction >= 1:
            raise InputError(f"validation_fraction is {self.validation_fraction}; pass a share below 1")

    def best(
        self,
        objectives: Sequence,
        starts: Iterable[np.ndarray],
        rng: np.random.Generator,
        apart=None,
        progress: Progress = None,
        executor: Workers = None,
    ) -> "Run":
        """The best of the descents from `starts`, by the error on the rows kept apart where there are such.

        Each descends on the objectives in turn, with an equal share of the steps; `apart`, an objective on the rows
        kept apart, is watched during the last. An executor runs them side by side, and then progress is by descents.
        """
        starts, done, best = list(starts), 0, None
        apiece = [rng] * len(starts)
        if self.batch_size and len(starts) > 1:  # the order in which descents run does not matter then
            apiece = map(np.random.default_rng, rng.integers(2**63, size=len(starts)))
        with reporting(progress, "steps") as report:
            live = None if report is None or executor is not None else lambda step: report(done + step)
            work = ((objectives, start, own, apart, live) for start, own in zip(starts, apiece, strict=True))
            with closing(in_order(self._run, work, executor)) as runs:
                for run in runs:
                    done += len(run.losses)
                    if report is not None and live is None:
                        report(done)
                    if best is None or run.error < best.error:
                        best = run
        return best

    def _run(self, objectives, start, rng, apart, report) -> Run:
        parameters, losses = start, []
        judge = (objectives[-1] if apart is None else apart).error
        share = -(-self.max_iter // len(objectives))
        for k, objective in enumerate(objectives, 1):
            before = len(losses)
            watch = Watch(
                validation=judge if apart is not None and k == len(objectives) else None,
                patience=self.n_iter_no_change,
                report=None if report is None else lambda step, before=before: report(before + step),
            )
            descent = self._descend(objective, parameters, rng, watch, share)
            parameters = descent.parameters
            losses += watch.losses
        return Run(parameters, judge(parameters), losses, watch.errors, descent.converged)

    def _descend(self, objective, start, rng, watch, steps) -> Descent:
        if self.solver == "lbfgs":
            return lbfgs(objective, start, watch, steps, self.tol)
        batches = None if self.batch_size is None else _batches(len(objective.points), self.batch_size, rng)
        return adam(objective, start, watch, steps, self.learning_rate, batches)


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Rows of batches without end, each epoch in a new order."""
    while True:
        order = rng.permutation(count)
        yield from (order[i : i + size] for i in range(0, count, size))


def kept_apart(count: int, fraction: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and at least one row kept apart."""
    apart = max(1, round(fraction * count))
    if apart >= count:
        raise InputError(
            f"early_stopping would keep {apart} of {count} distinct rows apart; pass more data or "
            "early_stopping=False"
        )
    order = rng.permutation(count)
    return np.sort(order[apart:]), np.sort(order[:apart])


def check_count(name: str, value) -> int:
    """A whole number ≥ 1."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise InputError(f"{name} is {value!r}; pass a whole number >= 1")
    return int(value)


def check_positive(name: str, value) -> float:
    """A finite number > 0."""
    if not isinstance(value, Real) or not (np.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value!r}; pass a finite number > 0")
    return float(value)

"""The fit of labelled neurons by the log-loss: starts, scaling, and rows kept apart."""

import numpy as np

from hjsym.training.data import Scaling, joined
from hjsym.training.objectives import LogLoss
from hjsym.training.schedule import Run, Schedule, check_count, kept_apart
from tropical._progress import Progress
from tropical._workers import Workers
from tropical.errors import InputError

__all__ = ["fit_labelled"]


def fit_labelled(
    points: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    *,
    classes: int,
    n_neurons: int,
    eps: float,
    decay: float,
    n_init: int,
    schedule: Schedule,
    seed=None,
    start: np.ndarray | None = None,
    progress: Progress = None,
    executor: Workers = None,
) -> tuple[np.ndarray, Run]:
    """Slopes and offsets (C, N, d + 1) of the neurons of each class, and how the descent went.

    It runs at temperature 1 on inputs of mean 0 and spread 1: P(c | x) depends on W/ε and b/ε only.
    """
    neurons = check_count("n_neurons", n_neurons)
    check_count("n_init", n_init)
    if not (np.isfinite(decay) and decay >= 0):
        raise InputError(f"alpha is {decay}; pass a finite number >= 0")
    rng = np.random.default_rng(seed)
    rows, _, weights = joined(np.column_stack([points, labels]), np.zeros(len(points)), weights)
    points, labels = rows[:, :-1], rows[:, -1].astype(int)
    scaling = Scaling.of(points, np.zeros(len(points)), weights)
    whole = LogLoss(scaling.scale(points, 0.0)[0], labels, weights, classes, neurons, 1.0, decay)
    apart = None
    if schedule.early_stopping:
        train, others = kept_apart(len(points), schedule.validation_fraction, rng)
        whole, apart = whole.part(train), whole.part(others)

    def starts():
        for _ in range(1 if start is not None else n_init):
            yield (_prototypes(whole, rng) if start is None else _inner(start / eps, scaling)).ravel()

    run = schedule.best([whole], starts(), rng, apart, progress, executor)
    return eps * scaling.table_back(whole.table(run.parameters), (1,)), run


def _inner(table: np.ndarray, scaling: Scaling) -> np.ndarray:
    return scaling.table_there(table, (1,))


def _prototypes(data: LogLoss, rng: np.random.Generator) -> np.ndarray:
    """Phases −|x − m|²/2d, up to what all share, around points m of each class, and the logarithm of its share."""
    d = data.points.shape[1]
    table = np.empty((data.classes, data.neurons, d + 1))
    for c, part in enumerate(table):
        mine = np.flatnonzero(data.labels == c)
        # A class may have no row left to train on where rows are kept apart.
        pool = mine if len(mine) else np.arange(len(data.points))
        m = data.points[rng.choice(pool, data.neurons, replace=data.neurons > len(pool))]
        part[:, :-1] = m / d + 0.01 * rng.normal(size=m.shape)
        share = (data.weights[mine].sum() + 1) / (data.weights.sum() + data.classes)
        part[:, -1] = np.log(share / data.neurons) - (m**2).sum(axis=1) / (2 * d)
    return table

"""Critical points at many temperatures, in this process or by the workers of an executor."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Executor

import numpy as np
from numpy.typing import ArrayLike

from hjsym.bifurcation.critical import CriticalPoints, critical_points
from hjsym.bifurcation.landscape import EntropyLandscape, as_eps
from tropical import Slice
from tropical._progress import Progress, reporting
from tropical.errors import ShapeError, WorkerError

__all__ = ["sweep"]


def sweep(
    source,
    eps: ArrayLike,
    domain=None,
    *,
    cells: int = 24,
    executor: Executor | None = None,
    progress: Progress = None,
) -> tuple[CriticalPoints, ...]:
    """`critical_points` at each of the temperatures eps (n,), in their order.

    Parameters
    ----------
    source, domain, cells
        As for `critical_points`.
    eps : (n,) array
        Each > 0.
    executor : concurrent.futures.Executor, optional
        Runs the temperatures; anything that offers the same will do. The result does not depend on it.
    progress : callable or bool, optional
        Called with the number of temperatures done; True draws a bar.

    Raises
    ------
    WorkerError
        If a worker of the executor died.

    Examples
    --------
    >>> H = EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
    >>> [len(level) for level in sweep(H, [0.1, 0.35, 0.5, 0.51, 1.0])]
    [9, 7, 5, 3, 1]
    """
    temperatures = np.asarray(eps, dtype=float)
    if temperatures.ndim != 1:
        raise ShapeError(f"eps has shape {temperatures.shape}; pass a list of temperatures, (n,)")
    temperatures = [as_eps(e) for e in temperatures]
    H = source if isinstance(domain, Slice) else EntropyLandscape.of(source)
    found = []
    with reporting(progress, "temperatures") as report:
        for level in _levels(H, temperatures, domain, cells, executor):
            found.append(level)
            if report is not None:
                report(len(found))
    return tuple(found)


def _levels(H, temperatures, domain, cells: int, executor: Executor | None):
    if executor is None:
        for e in temperatures:
            yield critical_points(H, e, domain, cells=cells)
        return
    futures = [executor.submit(critical_points, H, e, domain, cells=cells) for e in temperatures]
    try:
        for future in futures:
            yield future.result()
    except BrokenExecutor as error:
        raise WorkerError(
            f"a worker of {type(executor).__name__} ended before its temperature was done ({error}); take fewer "
            "workers, or leave executor out"
        ) from error
    finally:
        for future in futures:
            future.cancel()

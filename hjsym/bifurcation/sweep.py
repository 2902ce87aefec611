"""Critical points at many temperatures, in this process or by the workers of an executor."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from hjsym.bifurcation.critical import CriticalPoints, critical_points
from hjsym.bifurcation.landscape import EntropyLandscape, as_eps
from tropical import Slice
from tropical._progress import Progress, reporting
from tropical._workers import Workers, in_order
from tropical.errors import ShapeError

__all__ = ["sweep"]


def sweep(
    source,
    eps: ArrayLike,
    domain=None,
    *,
    cells: int = 24,
    executor: Workers = None,
    progress: Progress = None,
) -> tuple[CriticalPoints, ...]:
    """`critical_points` at each of the temperatures eps (n,), in their order.

    Parameters
    ----------
    source, domain, cells
        As for `critical_points`.
    eps : (n,) array
        Each > 0.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Runs the temperatures, as in `tropical.linear_regions`. The result does not depend on it.
    progress : callable or bool, optional
        Called with the number of temperatures done; True draws a bar.

    Raises
    ------
    WorkerError
        If the pools that `executor` makes break again and again.

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
    search, found = partial(critical_points, H, domain=domain, cells=cells), []
    with (
        reporting(progress, "temperatures") as report,
        closing(in_order(search, [(e,) for e in temperatures], executor)) as levels,
    ):
        for level in levels:
            found.append(level)
            if report is not None:
                report(len(found))
    return tuple(found)

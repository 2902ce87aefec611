"""All rows, one by one or on an executor; those that are finished are read back."""

import os
import time
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hjsym._files import replaced
from hjsym.paper.drawing import can_draw, to_svg
from hjsym.paper.images import ImagesMissing
from hjsym.paper.page import page
from hjsym.paper.row import Row, Study
from hjsym.paper.rows import ROWS
from hjsym.paper.store import FinishedRow, fingerprint, read_row, write_row
from hjsym.paper.wrong import COUNTEREXAMPLES
from tropical._progress import Progress, reporting
from tropical._tables import HasTable
from tropical._workers import Workers, as_done
from tropical.errors import InputError

__all__ = ["ROW_NAMES", "Reproduction", "reproduce"]

_ALL = {row.name: row for row in (*ROWS, *COUNTEREXAMPLES)}
ROW_NAMES = tuple(_ALL)


@dataclass(frozen=True)
class Reproduction(HasTable):
    """What `reproduce` gives.

    Attributes
    ----------
    rows : tuple of FinishedRow
        In the order of the report.
    report : Path
        The HTML file.
    """

    rows: tuple[FinishedRow, ...]
    report: Path

    def _shape(self) -> tuple[int, int]:
        return sum(max(1, len(row.measurements)) for row in self.rows), 9

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        from hjsym.paper.table import columns_of

        return columns_of(self.rows, first)

    def _html(self) -> str:
        from hjsym.paper.table import summary_html

        return summary_html(self)

    @property
    def passes(self) -> bool:
        """Whether every row that was run met its figures."""
        return all(row.passes for row in self.rows)


def reproduce(
    out: str | os.PathLike,
    only: str | Sequence[str] | None = None,
    fast: bool = False,
    executor: Workers = None,
    progress: Progress = None,
    seed: int = 0,
) -> Reproduction:
    """Run the experiments of arXiv:2605.28983 and write a report of the paper's figures beside ours.

    Parameters
    ----------
    out : path
        A folder, made if it is not there; `out`/report.html is the report, `out`/rows has each row as JSON and SVG.
    only : str or sequence of str, optional
        Names of rows; all by default.
    fast : bool
        Fewer repetitions and smaller sweeps: about a minute instead of ten or more. Figures that need the full run are
        then met within wider tolerances, which the report states.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Runs rows side by side, the longest first, as in `tropical.linear_regions`. Results do not depend on it.
    progress : callable, True or None
        Called with the number of rows finished so far; True draws a bar.
    seed : int
        Of everything random that the experiment leaves open. Each row has a generator of its own.

    Returns
    -------
    Reproduction

    Raises
    ------
    InputError
        An unknown row.
    WorkerError
        If the pools that `executor` makes break again and again.

    Notes
    -----
    A row that is finished is kept, whatever happens to those after it, and is not run again with the same options
    and versions. A row that fails by an exception is reported as failed and run again the next time. Without
    matplotlib the report has no pictures but those that need none, and says so.

    References
    ----------
    Miñoza, Legara, Monterola, "The Hamilton–Jacobi theory of deep learning",
    arXiv:2605.28983 (2026), and its public code.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = reproduce(folder, only="softplus-relu", fast=True)
    ...     done.passes, done.report.name, done.rows[0].measurements[0].quantity
    (True, 'report.html', 'sup |softplus_ε − ReLU| at ε = 1')
    """
    chosen = _chosen(only)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed is {seed!r}; pass a whole number >= 0")
    out = Path(out)
    folder = out / "rows"
    folder.mkdir(parents=True, exist_ok=True)
    marks = {row.name: fingerprint(row.name, fast, int(seed)) for row in chosen}
    finished: dict[str, FinishedRow] = {}
    with reporting(progress, "rows") as report:
        for row in chosen:
            if (kept := read_row(folder, row.name, marks[row.name])) is not None:
                finished[row.name] = kept
        if report is not None:
            report(len(finished))
        left = sorted((row for row in chosen if row.name not in finished), key=lambda row: -row.minutes)
        with closing(as_done(run_row, [(row.name, fast, int(seed)) for row in left], executor)) as results:
            for result in results:
                if not (result.error or result.skipped):  # what was missing may be there the next time
                    write_row(folder, result, marks[result.name])
                finished[result.name] = result
                if report is not None:
                    report(len(finished))
    rows = tuple(finished[row.name] for row in chosen)
    path = out / "report.html"
    with replaced(path) as part:
        part.write_text(page(rows, fast=fast, seed=int(seed), pictures=can_draw()), encoding="utf-8")
    return Reproduction(rows, path)


def _chosen(only: str | Sequence[str] | None) -> list[Row]:
    names = [only] if isinstance(only, str) else list(_ALL) if only is None else list(only)
    if unknown := [name for name in names if name not in _ALL]:
        raise InputError(f"row {unknown[0]!r} is unknown; known are {', '.join(_ALL)}")
    return [row for row in _ALL.values() if row.name in names]


def run_row(name: str, fast: bool, seed: int) -> FinishedRow:
    """One row, in a worker or not; what goes wrong in it is its result."""
    row = _ALL[name]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    said = {k: getattr(row, k) for k in ("name", "title", "source", "claim", "truth")}
    start = time.perf_counter()
    try:
        outcome = row.run(Study(fast, rng))
        drawn = tuple(
            (p.title, p.caption, to_svg(p)) for p in outcome.pictures if can_draw() or hasattr(p, "svg")
        )
    except ImagesMissing as missing:
        return FinishedRow(**said, seconds=time.perf_counter() - start, skipped=str(missing))
    except Exception as error:  # a defect of one row must not take the others with it
        return FinishedRow(
            **said, seconds=time.perf_counter() - start, error=f"{type(error).__name__}: {error}"
        )
    return FinishedRow(
        **said, seconds=time.perf_counter() - start, measurements=outcome.measurements, remarks=outcome.remarks,
        pictures=drawn,
    )  # fmt: skip

"""`hjsym paper`: a bar on stderr while rows run, a report of them afterwards."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hjsym.paper.runner import ROW_NAMES, Reproduction, reproduce
from hjsym.reports.report import Report
from tropical._threads import usable_threads
from tropical._workers import Workers
from tropical.errors import InputError

__all__ = ["run"]


def run(out: Path, only: list[str] | None, fast: bool, jobs: int, seed: int) -> Report:
    """Run the rows, with what came of them."""
    if jobs < 1:
        raise InputError(f"jobs is {jobs}; pass a whole number >= 1")
    total = len(set(only)) if only else len(ROW_NAMES)
    with _bar(total) as progress:
        workers = _workers(min(jobs, total))
        done = reproduce(out, only=only, fast=fast, executor=workers, progress=progress, seed=seed)
    return _report(done)


def _workers(jobs: int) -> Workers:
    """What makes processes that share nothing with this one, anew where one of them dies; or nothing."""
    if jobs == 1:
        return None
    # Workers inherit it; threads of theirs beyond the processors there are would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_threads() // jobs)))
    return partial(ProcessPoolExecutor, jobs, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar that is drawn over itself on a terminal, and line by line elsewhere."""
    start, width, live = time.monotonic(), 30, sys.stderr.isatty()

    def report(done: int) -> None:
        filled = width * done // total
        line = (
            f"[{'█' * filled}{'·' * (width - filled)}] {done}/{total} rows, {time.monotonic() - start:.0f} s"
        )
        print(line, end="\r" if live else "\n", file=sys.stderr, flush=True)

    try:
        yield report
    finally:
        if live:
            print(file=sys.stderr)


def _report(done: Reproduction) -> Report:
    report = Report({"report": done.report, "rows": []})
    table = []
    for row in done.rows:
        verdict = "skipped" if row.skipped else "passes" if row.passes else "FAILED"
        table.append([row.name, verdict, f"{row.seconds:.1f}", row.title])
        report.data["rows"].append({
            "name": row.name, "title": row.title, "verdict": verdict.lower(), "seconds": row.seconds,
            "skipped": row.skipped or None, "error": row.error or None,
            "measurements": [
                {
                    "quantity": m.quantity, "kind": m.kind, "stated": m.stated, "found": m.ours,
                    "tolerance": m.tolerance, "holds": m.passes,
                }
                for m in row.measurements
            ],
        })  # fmt: skip
    report.table(["row", "", "seconds", "what"], table)
    for row in done.rows:
        for text in (row.skipped, row.error):
            if text:
                report.line(f"{row.name}: {text}")
        for m in row.measurements:
            if not m.passes:
                stated = "nothing" if m.stated is None else f"{m.stated:.6g}"
                report.line(f"{row.name}: {m.quantity}: stated {stated}, found {m.ours:.6g}")
    report.check(f"rows of {len(done.rows)} with a miss", sum(not row.passes for row in done.rows), 0.0)
    report.line(f"the report is {done.report}")
    return report

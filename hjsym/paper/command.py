"""`hjsym paper`: a bar on stderr while rows run, a line for each afterwards."""

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
from tropical._threads import usable_threads
from tropical._workers import Workers
from tropical.errors import InputError

__all__ = ["run"]


def run(out: Path, only: list[str] | None, fast: bool, jobs: int, seed: int) -> int:
    """Run the rows, print what came of them, and give the exit code."""
    if jobs < 1:
        raise InputError(f"jobs is {jobs}; pass a whole number >= 1")
    total = len(set(only)) if only else len(ROW_NAMES)
    with _bar(total) as progress:
        workers = _workers(min(jobs, total))
        done = reproduce(out, only=only, fast=fast, executor=workers, progress=progress, seed=seed)
    print(_summary(done))
    return 0 if done.passes else 1


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


def _summary(done: Reproduction) -> str:
    width = max(len(row.name) for row in done.rows)
    lines = []
    for row in done.rows:
        missed = [m for m in row.measurements if not m.passes]
        verdict = "skipped" if row.skipped else "passes" if row.passes else "FAILED"
        lines.append(f"  {row.name:{width}}  {verdict:8} {row.seconds:7.1f} s  {row.title}")
        lines += [f"      {text}" for text in (row.skipped, row.error) if text]
        lines += [f"      {m.quantity}: stated {m.stated:.6g}, found {m.ours:.6g}" for m in missed]
    failed = sum(not row.passes for row in done.rows)
    lines.append(
        f"  {len(done.rows) - failed} of {len(done.rows)} rows without a miss; the report is {done.report}"
    )
    return "\n".join(lines)

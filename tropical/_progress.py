"""Progress of long work: a callable of the user's, or a bar of tqdm or rich, or a count."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tropical.errors import InputError

__all__ = ["Progress", "reporting"]

Progress = Callable[[int], object] | bool | None


@contextmanager
def reporting(progress: Progress, what: str) -> Iterator[Callable[[int], object] | None]:
    """What to call with the number of things done so far: `progress` itself, or the bar that True stands for."""
    if not isinstance(progress, bool):
        if progress is not None and not callable(progress):
            raise InputError(
                f"progress is {progress!r}; pass a callable of one number, True for a bar, or None"
            )
        yield progress
    elif not progress:
        yield None
    else:
        with _bar(what) as report:
            yield report


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int], object]]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        with _rich_bar(what) as report:
            yield report
        return
    with tqdm(unit=f" {what}") as bar:
        yield lambda done: bar.update(done - bar.n)


@contextmanager
def _rich_bar(what: str) -> Iterator[Callable[[int], object]]:
    try:
        from rich.console import Console
        from rich.progress import Progress as RichProgress
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
    except ImportError:
        with _count(what) as report:
            yield report
        return
    with RichProgress(
        SpinnerColumn(),
        TextColumn("{task.completed} {task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _count(what: str) -> Iterator[Callable[[int], object]]:
    """A line that is written over itself."""
    try:
        yield lambda done: print(f"\r{done} {what}", end="", file=sys.stderr, flush=True)
    finally:
        print(file=sys.stderr)

"""Pieces of long work, computed here or by the workers of an executor; nothing is lost where a worker dies.

No scheduler: anything with the `submit` of `concurrent.futures.Executor` runs the pieces, and what this adds is their
order, how many are handed out at a time, and what becomes of those that a broken pool leaves behind.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from tropical.errors import InputError, WorkerError

__all__ = ["Workers", "as_done", "in_order"]

Workers = Executor | Callable[[], Executor] | None

_AHEAD = 1024  # pieces handed out at a time, so that endless work does not fill the memory
_POOLS = 3  # made one after another that did not finish a single piece


def in_order(
    function: Callable, work: Iterable[tuple], executor: Workers = None, *, ahead: int = _AHEAD
) -> Iterator:
    """function(*arguments) for each of `work`, in its order; at most `ahead` of them are handed out or wait.

    An executor that breaks is replaced by a new one where `executor` makes them, and else by this process: pieces that
    are done are kept, the others computed again.
    """
    if executor is None:
        yield from starmap(function, work)
        return
    with _Crew(function, executor) as crew:
        for arguments in work:
            crew.hand_out(arguments)
            if len(crew.pieces) >= ahead:
                yield crew.result(crew.pieces[0])
        while crew.pieces:
            yield crew.result(crew.pieces[0])


def as_done(function: Callable, work: Iterable[tuple], executor: Workers = None) -> Iterator:
    """As `in_order`, each as soon as it is there and all handed out at once."""
    if executor is None:
        yield from starmap(function, work)
        return
    with _Crew(function, executor) as crew:
        for arguments in work:
            crew.hand_out(arguments)
        while crew.pieces:
            yield crew.result(crew.first_done())


@dataclass(eq=False)
class _Piece:
    """Arguments, and who computes the result: a future, or None for this process."""

    arguments: tuple
    future: Future | None = None


class _Crew:
    """An executor, or one after another, and the pieces that it has been handed."""

    def __init__(self, function: Callable, executor: Workers):
        is_maker = isinstance(executor, type) or not hasattr(executor, "submit")
        if is_maker and not callable(executor):
            raise InputError(
                f"executor is a {type(executor).__name__}; pass a concurrent.futures.Executor, a callable that makes "
                "one, or None"
            )
        self.function, self.make = function, executor if is_maker else None
        self.pool: Any = None if is_maker else executor
        self.pieces: deque[_Piece] = deque()  # handed out and not done with
        self.open: deque[_Piece] = deque()  # those that the executor does not have yet
        self.finished = self.before = 0  # pieces that are done, and were when a pool broke
        self.fruitless = 0  # pools that broke since one was

    def __enter__(self) -> "_Crew":
        if self.make is not None:
            self.pool = self.make()
        return self

    def __exit__(self, kind, *_) -> None:
        for piece in self.pieces:
            if piece.future is not None:
                piece.future.cancel()
        if self.make is not None and self.pool is not None:
            # Who stops the work halfway does not want to wait for what is under way.
            self.pool.shutdown(wait=kind is None, cancel_futures=True)

    def hand_out(self, arguments: tuple) -> None:
        piece = _Piece(arguments)
        self.pieces.append(piece)
        self.open.append(piece)
        self._submit()

    def _submit(self) -> None:
        """Hand to the executor, if there is one, what nobody works on."""
        while self.pool is not None and self.open:
            piece = self.open[0]
            try:
                piece.future = self.pool.submit(self.function, *piece.arguments)
                self.open.popleft()
            except BrokenExecutor as error:
                self._replace(error)
        self.open.clear()

    def first_done(self) -> _Piece:
        """A piece whose result is there; one for this process if there is no other."""
        futures = {piece.future: piece for piece in self.pieces if piece.future is not None}
        done = wait(futures, return_when=FIRST_COMPLETED).done if futures else ()
        return next((futures[f] for f in futures if f in done), self.pieces[0])

    def result(self, piece: _Piece):
        """What the function gave for the piece, which is then done with."""
        while piece.future is not None:
            try:
                found = piece.future.result()
                break
            except BrokenExecutor as error:
                self._replace(error)
                self._submit()
        else:
            found = self.function(*piece.arguments)
        self.pieces.remove(piece)
        self.finished += 1
        return found

    def _replace(self, error: BrokenExecutor) -> None:
        """Another pool, or this process, for what the broken one has not done."""
        lost = self._lost()
        if self.make is None:
            warnings.warn(
                f"a worker of {type(self.pool).__name__} ended before its work was done ({error}); what it has not "
                "done is computed in this process. Pass a callable that makes executors, and the pool is replaced",
                RuntimeWarning,
                stacklevel=2,
            )
            self.pool = None
        else:
            self._renew(self.finished + len(self.pieces) - len(lost), error)
        for piece in lost:
            piece.future = None
        self.open = deque(lost)

    def _lost(self) -> list[_Piece]:
        """The pieces that a broken pool has not done, once it has given up all of them."""
        wait([piece.future for piece in self.pieces if piece.future is not None])
        return [p for p in self.pieces if p.future is None or isinstance(_failure(p.future), BrokenExecutor)]

    def _renew(self, finished: int, error: BrokenExecutor) -> None:
        name = type(self.pool).__name__
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.pool = None
        self.fruitless = 1 if finished > self.before else self.fruitless + 1
        self.before = finished
        if self.fruitless >= _POOLS:
            raise WorkerError(
                f"{_POOLS} {name}s broke one after another before another piece of work was done ({error}); memory may "
                "have run out: take fewer workers, or leave executor out"
            ) from error
        self.pool = self.make()


def _failure(future: Future) -> BaseException | None:
    return None if future.cancelled() else future.exception()

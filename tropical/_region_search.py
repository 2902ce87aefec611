"""A search for regions, in one piece or in parts that executors run."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import numpy as np

from tropical._region_pack import MAX_LIMBS, PackedGates, PackedLinear, limbs_of, pack
from tropical._region_program import Program
from tropical._region_table import COMPLETE, Part
from tropical._regions import Walk
from tropical._workers import Workers, in_order
from tropical.errors import BudgetExceeded, InputError

__all__ = ["Search", "search_in_parts"]

PARTS = 64  # at least, where there are as many cells: enough that workers end about together
_tokens = count()
_cancelled: set[int] = set()  # tokens of searches that the user has stopped; only threads see it


@dataclass(frozen=True)
class Search:
    """All that a search needs; it can be sent to another process.

    Attributes
    ----------
    inputs, steps
        Of `pack`.
    outputs : tuple of int
    branches : list of int
    bounds : list of (limbs an integer, limbs)
    partial : bool
        Leave cells with too many corners out, and go on.
    """

    inputs: np.ndarray
    steps: list[PackedLinear | PackedGates]
    outputs: tuple[int, ...]
    branches: list[int]
    bounds: list[tuple[int, np.ndarray]]
    partial: bool

    @classmethod
    def of(cls, program: Program, partial: bool) -> "Search":
        inputs, steps = pack(program)
        bounds = [limbs_of(form) for form in program.bounds]
        longest = max([step.limbs for step in steps] + [limbs for limbs, _ in bounds])
        if longest > MAX_LIMBS:
            raise BudgetExceeded(
                "bits of the integers that exact regions need", 64 * longest, 64 * MAX_LIMBS,
                "round the weights to fewer binary digits",
            )  # fmt: skip
        return cls(inputs, steps, program.outputs, program.branches, bounds, partial)

    def run(
        self,
        limit: int,
        *,
        prefix: Sequence[int] = (),
        stop: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Part:
        """The regions in the cell where the first gates have these winners; see `Walk`."""
        walk = Walk(
            self.inputs, self.steps, self.outputs, self.branches, limit, self.partial, progress, prefix, stop
        )
        part = walk.run(self.bounds)
        if part is None:
            raise InputError("the domain has no interior; regions are those of a full-dimensional domain")
        return part

    def cells(self) -> list[tuple[int, ...]]:
        """The winners of the first gates in each of some cells that make up the domain, in the order of the search."""
        gates, total = 1, len(self.branches)
        while gates < total:
            found = self.run(1, stop=gates).gaps
            if len(found) >= PARTS:
                return found
            gates += 1 + gates // 4
        return [()]


def search_in_parts(
    search: Search, limit: int, executor: Workers, progress: Callable[[int], object] | None = None
) -> list[Part]:
    """What `search.run(limit)` finds, in parts, in its order.

    The cells after some gates are searched one by one, each by a worker that takes the way down to it again. So no
    region lies in two parts, and none is cut by a seam.
    """
    cells, token = search.cells(), next(_tokens)
    parts: list[Part] = []
    found = 0
    with closing(in_order(_run, [(search, limit, cell, token) for cell in cells], executor)) as results:
        try:
            for cell in cells:
                part = next(results) if found < limit else None
                if part is None or found + len(part) > limit:
                    # What is left out is named by a search that stops there.
                    part = search.run(limit - found, prefix=cell)
                parts.append(part)
                found += len(part)
                if progress is not None:
                    progress(found)
                if part.reason != COMPLETE and not search.partial:
                    break
        finally:
            if len(parts) < len(cells):
                _cancelled.add(token)
    return parts


def _run(search: Search, limit: int, cell: tuple[int, ...], token: int) -> Part:
    """One part, in a worker."""

    def go_on(_: int) -> None:
        if token in _cancelled:
            raise CancelledError

    return search.run(limit, prefix=cell, progress=go_on)

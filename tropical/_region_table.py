"""What a search for regions found: columns over one or several parts, of which each comes from one search."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

__all__ = ["COMPLETE", "TOO_MANY_RAYS", "TOO_MANY_REGIONS", "Column", "Part", "Table"]

COMPLETE, TOO_MANY_REGIONS, TOO_MANY_RAYS = range(3)  # why a search stopped, of csrc/search.h


@dataclass(eq=False)
class Part:
    """What one search found, as plain arrays and integers: it can be sent to another process.

    Attributes
    ----------
    width : int
        Variables and one.
    winners : (regions, gates) array
        Per gate the branch that is the largest, the first of equal ones.
    heads : (regions + 1, 5) array
        Per region how many rays and constraints, which set of lines, and where its entries in `tight` and `numbers`
        begin; the last row means nothing.
    tight, numbers : arrays
        Per ray of a region a bit for each constraint that is 0 on it; names (gate, branch) of the constraints, and
        the numbers of the rays.
    rays, limbs, start : arrays
        How rays follow from others; see csrc/rays.h.
    given : dict
        Rays that do not, by number.
    lines : list
        Sets of lines.
    equal, equal_start : arrays
        (gate, branch, first branch that equals it) from equal_start[region] / 3 on.
    output_numbers : (regions, outputs) array
        Rows of `output_forms`.
    output_forms : list of arrays
        Per output its different forms, in limbs.
    gaps : list of tuples
        Cells left out, by the winners of their first gates.
    reason : int
        Why the search stopped, if it did.
    """

    width: int
    winners: np.ndarray
    heads: np.ndarray
    tight: np.ndarray
    numbers: np.ndarray
    rays: np.ndarray
    limbs: np.ndarray
    start: np.ndarray
    given: dict
    lines: list
    equal: np.ndarray
    equal_start: np.ndarray
    output_numbers: np.ndarray
    output_forms: list
    gaps: list
    reason: int

    def __len__(self) -> int:
        return len(self.winners)

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_generators"}

    @cached_property
    def _generators(self):
        from tropical._regions import Generators  # which imports this module

        return Generators.of(self.width, self.rays.copy(), self.limbs, self.start, self.given, self.lines)

    def patterns(self) -> list[bytes] | list[tuple[int, ...]]:
        """The winners of each region as a key: bytes, or a tuple where a gate has more than 256 branches."""
        if self.winners.itemsize > 1:
            return [tuple(row) for row in self.winners.tolist()]
        data, gates = self.winners.tobytes(), self.winners.shape[1]
        return [data[gates * k : gates * (k + 1)] for k in range(len(self))]

    def _cell(self, k: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
        """Names of the constraints, the bits of the rays, and their numbers."""
        count, constraints, _, words_from, numbers_from = self.heads[k].tolist()
        words = -(-constraints // 64)
        numbers = self.numbers[numbers_from : numbers_from + 2 * constraints + count]
        tight = self.tight[words_from : words_from + count * words]
        rays = numbers[2 * constraints :].tolist()
        return numbers[: 2 * constraints].reshape(-1, 2), tight.reshape(count, words), rays

    def rays_of(self, k: int) -> tuple[tuple[int, ...], ...]:
        """Whole primitive vectors (s, t): s/t are vertices, and where t = 0, s are directions to infinity."""
        return tuple(map(self._generators.vector, self._cell(k)[2]))

    def lines_of(self, k: int) -> tuple[tuple[int, ...], ...]:
        return tuple(self.lines[self.heads[k, 2]])

    def ties_of(self, k: int) -> tuple[tuple[int, int], ...]:
        """(gate, branch) that equal the winner of the gate all over the region."""
        return tuple((g, b) for g, b, first in self._equal_in(k) if first == self.winners[k, g])

    def _equal_in(self, k: int) -> list[list[int]]:
        return self.equal[self.equal_start[k] // 3 : self.equal_start[k + 1] // 3].tolist()

    def facets_of(self, k: int) -> list[list[tuple[int, int]]]:
        """Per facet the (gate, branch) that equal the winner on it; (−1, i) is bound i of the domain."""
        from tropical._regions import facets_of

        names, tight, rays = self._cell(k)
        infinite = sum(1 << r for r, ray in enumerate(rays) if self._generators.is_infinite(ray))
        facets = facets_of(names, tight, infinite)
        aliases = self._equal_in(k)
        if aliases:
            for facet in facets:
                facet += [
                    (g, b) for gate, branch in tuple(facet) for g, b, f in aliases if (g, f) == (gate, branch)
                ]
        return facets


class Column(Sequence):
    """One thing of every region, computed when asked for."""

    def __init__(self, table: "Table", what: Callable[[Part, int], object]):
        self._table, self._what = table, what

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, k):
        part = bisect_right(self._table.starts, k) - 1
        return self._what(self._table.parts[part], k - self._table.starts[part])

    def __iter__(self) -> Iterator:
        return (self._what(part, k) for part in self._table.parts for k in range(len(part)))


class Table:
    """Columns over the regions of several parts, one after another.

    Attributes
    ----------
    winners : list
        Keys of the regions; see `Part.patterns`.
    rays, lines, ties, facets : Column
        See the methods of `Part`.
    outputs : list of tuples
        Numbers into `forms`.
    forms : list of dict
        Per output from the limbs of its forms to their numbers, in the order in which they first come.
    """

    def __init__(self, parts: list[Part]):
        self.parts = parts
        self.starts = list(accumulate((len(part) for part in parts[:-1]), initial=0))
        self.winners = [key for part in parts for key in part.patterns()]
        self.rays, self.lines = Column(self, Part.rays_of), Column(self, Part.lines_of)
        self.ties, self.facets = Column(self, Part.ties_of), Column(self, Part.facets_of)
        self.gaps = [gap for part in parts for gap in part.gaps]
        self.forms: list[dict[bytes, int]] = [{} for _ in parts[0].output_forms]
        columns = [self._numbered(k) for k in range(len(self.forms))]
        self.outputs = list(zip(*columns, strict=True))

    def __len__(self) -> int:
        return len(self.winners)

    def _numbered(self, k: int) -> list[int]:
        forms, numbers = self.forms[k], []
        for part in self.parts:
            rows = part.output_forms[k]
            of_row = np.array([forms.setdefault(row.tobytes(), len(forms)) for row in rows], dtype=np.int64)
            numbers += of_row[part.output_numbers[:, k]].tolist() if len(part) else []
        return numbers

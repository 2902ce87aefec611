"""The best lines for a linear bound, by a linear program over what the lines leave of a network (HiGHS, in floats)."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import sparse

from hjsym import layers
from hjsym.simplification.bend import infinite
from hjsym.simplification.value_bounds import Lines, ValueBounds

__all__ = ["Optimum", "RelaxedProgram"]

_NOTHING = 1e-12  # a multiplier that HiGHS means as 0


class Optimum(NamedTuple):
    """The value, the slopes of lines that show it, and the input at which the lines reach it."""

    value: float
    lines: Lines
    point: np.ndarray


class RelaxedProgram:
    """All entries of a value and of those before it, bound to each other by the layers, with lines for the bends.

    Made once for a value; each question is about one of its entries.
    """

    def __init__(self, bounds: ValueBounds, value: int):
        self.bounds, self.value = bounds, value
        self.starts = np.cumsum([0, *bounds.network.sizes[: value + 1]])
        self.equal, self.below = _Constraints(), _Constraints()
        self.tags: dict[
            int, tuple[int, int, int, Fraction]
        ] = {}  # row of `below` → (value, entry, sign, slope)
        if bounds.ground.polyhedron is not None:
            for row, limit in zip(*(a.tolist() for a in bounds.ground.polyhedron), strict=True):
                self.below.add(enumerate(row), limit)
        for k in range(1, value + 1):
            self._add_layer(k)

    def best(self, entry: int, sign: int) -> "Optimum | None":
        """About the largest value of sign · entry that the lines allow; None if there is none."""
        from scipy.optimize import linprog  # half of the time to import this package

        total = int(self.starts[-1])
        objective = np.zeros(total)
        objective[self.starts[self.value] + entry] = -sign
        free = [(None, None)] * (total - len(self.bounds.ground.low))
        ends = [
            tuple(None if infinite(e) else float(e) for e in interval)
            for interval in self.bounds.intervals[0]
        ]
        result = linprog(
            objective, *self.below.matrix(total), *self.equal.matrix(total), bounds=[*ends, *free]
        )
        if result.status != 0:
            return None
        weights: dict[tuple[int, int, int], list[tuple[float, Fraction]]] = {}
        marginals = result.ineqlin.marginals
        for row, (k, i, side, slope) in self.tags.items():
            weights.setdefault((k, i, side), []).append((-float(marginals[row]), slope))
        found = {key: _mean(pairs) for key, pairs in weights.items()}
        lines = {key: slope for key, slope in found.items() if slope is not None}
        return Optimum(-float(result.fun), lines, result.x[: len(ends)])

    def _add_layer(self, k: int) -> None:
        node, here = self.bounds.network.nodes[k - 1], int(self.starts[k])
        befores = [int(self.starts[i]) for i in node.inputs]
        if k in self.bounds.maps:
            rows = self.bounds.maps[k]
            for i, (row, b) in enumerate(zip(rows.rows, rows.bias, strict=True)):
                self.equal.add([(here + i, 1), *((befores[0] + j, -v) for j, v in row.items())], b)
        elif k in self.bounds.bends:
            for i in range(self.bounds.network.sizes[k]):
                self._add_bend(k, i, here + i, befores[0] + i, self.bounds.intervals[node.inputs[0]][i])
        elif isinstance(node.layer, layers.Maximum):
            size = self.bounds.network.sizes[node.inputs[0]]
            for i, group in enumerate(node.layer.members(size).tolist()):
                for j in set(group):
                    self.below.add([(befores[0] + j, 1), (here + i, -1)], 0)
                if not infinite(top := self.bounds.intervals[k][i][1]):
                    self.below.add([(here + i, 1)], top)
        else:
            self._add_joint(node, here, befores)

    def _add_joint(self, node, here: int, befores: list[int]) -> None:
        """A sum or a concatenation."""
        sizes = [self.bounds.network.sizes[i] for i in node.inputs]
        if isinstance(node.layer, layers.Add):
            factors = node.layer.factors.tolist()
            for i in range(sizes[0]):
                terms = [(before + i, -f) for before, f in zip(befores, factors, strict=True)]
                self.equal.add([(here + i, 1), *terms], 0)
            return
        for before, size, start in zip(befores, sizes, np.cumsum([0, *sizes]).tolist(), strict=False):
            for i in range(size):
                self.equal.add([(here + start + i, 1), (before + i, -1)], 0)

    def _add_bend(self, k: int, i: int, here: int, before: int, interval) -> None:
        bend = self.bounds.bends[k][i]
        stays = bend.piece(*interval)
        if stays is not None:
            slope, intercept = bend.pieces[stays]
            self.equal.add([(here, 1), (before, -slope)], intercept)
            return
        for sign in (1, -1):
            for slope in bend.lines(*interval, sign):
                self.tags[len(self.below)] = (k, i, sign, slope)
                limit = sign * bend.offset(slope, *interval, sign)
                self.below.add([(here, sign), (before, -sign * slope)], limit)


class _Constraints:
    """Rows of a sparse system."""

    def __init__(self):
        self.columns: list[int] = []
        self.data: list[float] = []
        self.offsets = [0]
        self.limits: list[float] = []

    def __len__(self) -> int:
        return len(self.limits)

    def add(self, terms, limit) -> None:
        """Σ coefficient · variable, equal to `limit` or below it; a variable may come twice."""
        for column, coefficient in terms:
            self.columns.append(column)
            self.data.append(float(coefficient))
        self.offsets.append(len(self.data))
        self.limits.append(float(limit))

    def matrix(self, size: int):
        matrix = sparse.csr_array((self.data, self.columns, self.offsets), shape=(len(self), size))
        return matrix, np.array(self.limits)


def _mean(pairs: list[tuple[float, Fraction]]) -> Fraction | None:
    """The slope that the multipliers weigh out, between those that they weigh."""
    total = sum(max(weight, 0.0) for weight, _ in pairs)
    if total <= _NOTHING:
        return None
    mean = Fraction(sum(max(weight, 0.0) * float(slope) for weight, slope in pairs) / total)
    slopes = [slope for _, slope in pairs]
    return min(max(mean, min(slopes)), max(slopes))

"""Bounded domains for programs in floats: bounds that hold for all points, and floats made points of the domain."""

from fractions import Fraction
from functools import cached_property
from math import inf

import numpy as np
from scipy.optimize import linprog

from hjsym.layers import Affine
from hjsym.network import Network, Node
from tropical import Circuit, linear_regions
from tropical._arrays import EXACT, convert, to_floats
from tropical._chart import Chart
from tropical._region_program import value
from tropical._region_shape import exact_array
from tropical.domain import Domain, Polyhedron, Slice
from tropical.errors import BudgetExceeded, InputError

__all__ = ["BoundedDomain"]

_UNBOUNDED = (
    "the domain is not seen to be bounded; pass a Box with finite sides, or add sides to the Polyhedron"
)


class BoundedDomain:
    """A domain in its own coordinates s, which are those of R^d but for a Slice.

    Attributes
    ----------
    low, high : (k,) arrays of float
        Bounds of s, proved.
    rows : list of lists of Fractions
        The inequalities (a…, b), a·s + b ≥ 0, that are not bounds of one coordinate.
    """

    def __init__(self, domain: Domain, d: int):
        self.chart = Chart(domain, d)
        self.sliced = isinstance(domain, Slice)
        rows = self.chart.bounds.tolist()
        self.rows = [row for row in rows if np.count_nonzero(row[:-1]) > 1]
        self.exact_low, self.exact_high = _bounds(rows, self.chart.directions.shape[1])
        self.low, self.high = _rounded(self.exact_low, -inf), _rounded(self.exact_high, inf)

    def moved(self, network: Network) -> Network:
        """The network as a function of s."""
        if not self.sliced:
            return network
        parts = self.chart.directions, self.chart.origin
        floats = [to_floats(part) for part in parts]
        lossless = all((convert(a, EXACT) == b).all() for a, b in zip(floats, parts, strict=True))
        first = Affine(*(floats if lossless else parts))
        nodes = (Node(n.layer, tuple(i + 1 for i in n.inputs), n.name) for n in network.nodes)
        return Network(len(self.low), (Node(first, (0,)), *nodes))

    def nearly_inside(self, s: np.ndarray) -> np.ndarray:
        """As `inside`, rounded to floats."""
        return np.clip(to_floats(self.inside(s)) if self.rows else s, self.low, self.high)

    def inside(self, s: np.ndarray) -> np.ndarray:
        """A point of the domain in Fractions near the floats s: clipped, then moved inwards where that is needed."""
        near = [
            min(max(Fraction(v), a), b)
            for v, a, b in zip(s.tolist(), self.exact_low, self.exact_high, strict=True)
        ]
        share = Fraction(0)
        for row in self.rows:
            missing = -value(row, [*near, 1])
            if missing > 0:
                share = max(share, missing / (missing + value(row, [*self._centre, 1])))
        if share:
            near = [v + share * (c - v) for v, c in zip(near, self._centre, strict=True)]
        return exact_array(near)

    @cached_property
    def _centre(self) -> list[Fraction]:
        """A point inside all rows, proved to be."""
        rows = to_floats(exact_array(self.rows))
        k = rows.shape[1] - 1
        sizes = abs(rows[:, :-1]).sum(axis=1, keepdims=True)
        found = linprog(
            np.append(np.zeros(k), -1),
            np.hstack([-rows[:, :-1], sizes]),
            rows[:, -1],
            bounds=[*zip(self.low, self.high, strict=True), (0, 1)],
        )
        if found.status == 0:
            point = [
                min(max(Fraction(v), a), b)
                for v, a, b in zip(found.x.tolist(), self.exact_low, self.exact_high, strict=False)
            ]
            if all(value(row, [*point, 1]) > 0 for row in self.rows):
                return point
        raise InputError("the domain is empty or has no interior; describe a flat one by a Slice")


def _bounds(rows: list[list[Fraction]], k: int) -> tuple[list, list]:
    """Bounds of each coordinate, by those of the others in the rows; if that is not enough, by the vertices."""
    low, high = [-inf] * k, [inf] * k
    for _ in range(k + 1):
        if not any(abs(v) == inf for v in low + high):
            return low, high
        for row in rows:
            used = [j for j in range(k) if row[j]]
            for j in used:
                ends = {i: high[i] if row[i] > 0 else low[i] for i in used if i != j}
                if any(abs(end) == inf for end in ends.values()):
                    continue
                end = -(row[-1] + sum(row[i] * end for i, end in ends.items())) / row[j]
                low[j], high[j] = (max(low[j], end), high[j]) if row[j] > 0 else (low[j], min(high[j], end))
    return _by_vertices(rows, k)


def _by_vertices(rows: list[list[Fraction]], k: int) -> tuple[list, list]:
    sides = exact_array(rows, k + 1)
    try:
        (whole,) = linear_regions(Circuit.identity(k), Polyhedron(-sides[:, :-1], sides[:, -1]))
    except BudgetExceeded:
        raise InputError(_UNBOUNDED) from None
    if not whole.is_bounded:
        raise InputError(_UNBOUNDED)
    corners = whole.vertices
    return corners.min(axis=0).tolist(), corners.max(axis=0).tolist()


def _rounded(bounds: list[Fraction], towards: float) -> np.ndarray:
    """The nearest floats on that side."""
    near = to_floats(exact_array(bounds))
    beyond = [f > b if towards < 0 else f < b for f, b in zip(near.tolist(), bounds, strict=True)]
    return np.where(beyond, np.nextafter(near, towards), near)

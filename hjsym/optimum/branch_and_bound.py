"""Largest values of networks by mixed-integer programming, and proofs of bounds by branch and bound.

HiGHS finds a point; what the network gives there in Fractions is a value that it attains. The bound beyond it comes
from a tree of linear relaxations, each of which proves its own (`linear_model`), so nothing that was computed in floats
is trusted. The tree stops where the bound meets the value to within a tolerance, or when the time is up.
"""

import heapq
from dataclasses import dataclass, field
from itertools import count
from time import monotonic

import numpy as np

from hjsym.network import Network
from hjsym.optimum.bounded import BoundedDomain
from hjsym.optimum.encoding import Encoding
from hjsym.pieces import affine_piece
from tropical._arrays import EXACT, convert
from tropical.domain import Domain
from tropical.extremum import Extremum

__all__ = ["largest_by_programs"]

_STARTS = 16  # random points, the best of which is the first to climb from
_VIOLATED = 1e-9  # gates closer than this to what they stand for are not branched on


def largest_by_programs(
    network: Network, domain: Domain, objectives: np.ndarray, time_limit: float, gap: float
) -> Extremum:
    """The largest of the numbers objectives @ f(x) for x in a bounded domain."""
    start = monotonic()
    place = BoundedDomain(domain, network.input_size)
    here = place.moved(network)
    with np.errstate(over="ignore", invalid="ignore"):
        encoding = Encoding(here, place.low, place.high, place.rows, start + time_limit / 4)
        search = _Search(encoding, here, place, objectives, gap)
        solver_bound = search.by_solver(start + 0.4 * time_limit)
        bound = search.by_branching(start + time_limit)
    point = place.inside(search.best)
    value = max(convert(objectives, EXACT) @ here.to_exact()(point))
    return Extremum(value, point, None, bound, solver_bound)


@dataclass(frozen=True, order=True)
class _Part:
    """The points whose binaries are fixed so, for one objective; those of the largest bound come first."""

    negative_bound: float
    tick: int
    objective: int = field(compare=False)
    fixed: dict[int, int] = field(compare=False)
    branch: int | None = field(compare=False)  # the next binary to fix, if that could help


class _Search:
    """The best point so far, and the parts that are left."""

    def __init__(self, encoding: Encoding, network: Network, place: BoundedDomain, objectives, gap: float):
        self.encoding, self.model, self.place, self.gap = encoding, encoding.model, place, gap
        self.objectives = objectives
        self.network = network.to_float()
        self.best, self.value = None, -np.inf
        self.ticks, self.closed = count(), -np.inf
        self._try(place.low / 2 + place.high / 2)
        for share in np.random.default_rng(0).uniform(size=(_STARTS, len(place.low))):
            self._try(place.low + share * (place.high - place.low))
        self._climb()
        self.costs = []
        for row in objectives:
            cost = np.zeros(self.model.size)
            np.add.at(cost, encoding.outputs, row)
            self.costs.append(cost)
        self.parts = [self._part(k, {}, np.inf) for k in range(len(objectives))]
        heapq.heapify(self.parts)

    @property
    def _enough(self) -> float:
        """A bound that needs no more work."""
        return self.value + self.gap * max(1.0, abs(self.value))

    @property
    def bound(self) -> float:
        """Proved so far."""
        return max([self.closed, *(-part.negative_bound for part in self.parts[:1])])

    def _try(self, s: np.ndarray) -> None:
        s = self.place.nearly_inside(s)
        value = float((self.objectives @ self.network(s)).max())
        if self.best is None or value > self.value:
            self.best, self.value = s, value

    def _climb(self) -> None:
        """From corner to corner of a box, each time where the affine piece at the best point has its largest value."""
        value = -np.inf
        while not self.place.rows and self.value > value:
            value = self.value
            slopes = self.objectives @ affine_piece(self.network, self.best)[0]
            for slope in slopes:
                self._try(np.where(slope > 0, self.place.high, self.place.low))

    def _part(self, objective: int, fixed: dict[int, int], above: float) -> _Part:
        low, high = self.model.low.copy(), self.model.high.copy()
        numbers = list(fixed)
        low[numbers] = high[numbers] = list(fixed.values())
        found = self.model.relaxed(self.costs[objective], low, high)
        if found.x is not None:
            self._try(found.x[self.encoding.inputs])
        bound = min(found.bound, above)
        return _Part(-bound, next(self.ticks), objective, fixed, self._undecided(found.x, fixed))

    def _undecided(self, x: np.ndarray | None, fixed: dict[int, int]) -> int | None:
        """A binary of the gate that is furthest from what it stands for."""
        worst, chosen = _VIOLATED, None
        for gate in self.encoding.gates:
            free = [a for a in gate.binaries.tolist() if a not in fixed]
            if free and x is None:
                return free[0]
            if free and (violation := gate.violation(x)) > worst:
                worst, chosen = violation, min(free, key=lambda a: abs(x[a] - 0.5))
        return chosen

    def by_solver(self, until: float) -> float:
        """HiGHS looks for a better point for each objective that may have one; its bound, which nothing proves."""
        solver_bound = -np.inf
        for k, part in enumerate(sorted(self.parts)):
            bound = -part.negative_bound
            if bound > self._enough:
                share = (until - monotonic()) / (len(self.parts) - k)
                x, theirs = self.model.solve(self.costs[part.objective], share, self.gap)
                bound = min(bound, theirs)
                if x is not None:
                    self._try(x[self.encoding.inputs])
                    self._climb()
            solver_bound = max(solver_bound, bound)
        return solver_bound

    def by_branching(self, until: float) -> float:
        """A bound by parts of which each has its own."""
        while self.parts and self.bound > self._enough and monotonic() < until:
            part = heapq.heappop(self.parts)
            bound = -part.negative_bound
            if part.branch is None:
                self.closed = max(self.closed, bound)
                continue
            for value in (0, 1):
                fixed = {**part.fixed, part.branch: value}
                heapq.heappush(self.parts, self._part(part.objective, fixed, bound))
        return self.bound

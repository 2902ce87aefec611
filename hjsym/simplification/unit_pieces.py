"""Which units never leave one piece of their bend on a domain: proved, or seen on two, or undecided."""

from fractions import Fraction

import numpy as np

from hjsym.simplification.bend import infinite
from hjsym.simplification.ground import Ground
from hjsym.simplification.relaxed_program import RelaxedProgram
from hjsym.simplification.value_bounds import ValueBounds

__all__ = ["Pieces", "find_pieces"]

Pieces = dict[
    int, list[int | None]
]  # by the value that a bend gives: for each unit its piece, if it has but one

_WORK = 1 << 25  # integers multiplied for bounds that nobody asked for, which sharpen those that follow
_FAR = 100.0  # from the finite end of an interval that has no other
_SLACK = 1e-7  # how far HiGHS may be off: a program that misses by more is not worth a proof


def find_pieces(
    bounds: ValueBounds, gates: list[int], programs: int, points: int, rng: np.random.Generator
) -> tuple[Pieces, int]:
    """The pieces of the units of some bends, and how many units are neither proved to stay nor seen to move.

    Sharpens the bounds on the way. Points decide on which piece a unit could stay; `programs` is how many linear
    programs may be solved to prove that it does.
    """
    seen = _Seen(bounds, gates)
    seen.look(_random_points(bounds.ground, points, rng))
    pieces: Pieces = {}
    undecided = 0
    for gate in gates:
        value = bounds.network.nodes[gate - 1].inputs[0]
        _sharpen(bounds, gate, value, seen)
        bounds.renew(value + 1)
        still = [i for i in _open_units(bounds, gate) if seen.only_piece(gate, i) is not None]
        if still and programs > 0:
            programs -= _prove_by_programs(bounds, gate, value, still, seen, programs)
            bounds.renew(value + 1)
        pieces[gate] = [_piece(bounds, gate, i) for i in range(len(bounds.bends[gate]))]
        undecided += sum(seen.only_piece(gate, i) is not None for i in _open_units(bounds, gate))
    return pieces, undecided


class _Seen:
    """The first and the last piece that points of the domain put each unit on, as floats tell."""

    def __init__(self, bounds: ValueBounds, gates: list[int]):
        self.network, self.gates = bounds.network.to_float(), gates
        self.first = {gate: np.full(self.network.sizes[gate], np.iinfo(int).max) for gate in gates}
        self.last = {gate: np.full(self.network.sizes[gate], -1) for gate in gates}

    def look(self, points: np.ndarray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            values = self.network.values(points)
        for gate in self.gates:
            node = self.network.nodes[gate - 1]
            z = values[node.inputs[0]]
            past, at_least = (
                np.zeros(z.shape, int) + sum(compare(z, place) for place in node.layer.breaks)
                for compare in (np.greater, np.greater_equal)  # a break belongs to both of its pieces
            )
            self.first[gate] = np.minimum(self.first[gate], at_least.min(axis=0))
            self.last[gate] = np.maximum(self.last[gate], past.max(axis=0))

    def only_piece(self, gate: int, i: int) -> int | None:
        """A piece that a unit was on at every point, None if there is none."""
        return int(self.last[gate][i]) if self.last[gate][i] <= self.first[gate][i] else None


def _random_points(ground: Ground, count: int, rng: np.random.Generator) -> np.ndarray:
    """Points of the domain: uniform between finite ends, else of growing size; one at least of a polyhedron."""
    low, high = (np.array([float(end) for end in ends]) for ends in (ground.low, ground.high))
    far = rng.normal(size=(count, ground.d)) * 4.0 ** rng.integers(-1, 4, size=(count, 1))
    start = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
    points = start + np.where(np.isfinite(low), abs(far), np.where(np.isfinite(high), -abs(far), far))
    boxed = np.isfinite(low) & np.isfinite(high)
    points[:, boxed] = rng.uniform(low[boxed], high[boxed], size=(count, boxed.sum()))
    if ground.polyhedron is None:
        return points
    G, h = (np.asarray(a, dtype=float) for a in ground.polyhedron)
    return np.concatenate([points[(points @ G.T <= h).all(axis=1)], ground.origin[None].astype(float)])


def _corner(ground: Ground, slopes: dict[int, Fraction]) -> np.ndarray:
    """Where slopes·x is largest over a box; far out where that has no end."""
    point = np.array([_end(low, high) for low, high in zip(ground.low, ground.high, strict=True)])
    for k, slope in slopes.items():
        end = (ground.high if slope > 0 else ground.low)[k]
        point[k] = point[k] + (_FAR if slope > 0 else -_FAR) if infinite(end) else float(end)
    return point


def _end(low, high) -> float:
    return 0.0 if infinite(low) and infinite(high) else float(high if infinite(low) else low)


def _open_units(bounds: ValueBounds, gate: int) -> list[int]:
    """Those not proved to stay on one piece."""
    return [i for i in range(len(bounds.bends[gate])) if _piece(bounds, gate, i) is None]


def _piece(bounds: ValueBounds, gate: int, i: int) -> int | None:
    value = bounds.network.nodes[gate - 1].inputs[0]
    return bounds.bends[gate][i].piece(*bounds.intervals[value][i])


def _sharpen(bounds: ValueBounds, gate: int, value: int, seen: _Seen) -> None:
    """Linear bounds with the plain choice of lines, for the units that intervals leave open.

    Where such a bound is attained over a box the unit itself is often as large, so that corner is looked at.
    """
    entries = sum(rows.entries for k, rows in bounds.maps.items() if k <= value)
    for i in _open_units(bounds, gate):
        if seen.only_piece(gate, i) is None and 4 * entries * len(bounds.bends[gate]) > _WORK:
            continue
        for sign in (1, -1):
            slopes = bounds.sharpen(value, i, sign)
            if slopes is not None and bounds.ground.polyhedron is None:
                seen.look(_corner(bounds.ground, slopes)[None])


def _prove_by_programs(
    bounds: ValueBounds, gate: int, value: int, units: list[int], seen: _Seen, programs: int
) -> int:
    """Try to prove that units stay on the piece they were seen on; how many programs that took."""
    try:
        program = RelaxedProgram(bounds, value)
    except OverflowError:  # a Fraction beyond the floats
        return 0
    used = 0
    for i in units:
        piece = seen.only_piece(gate, i)
        if piece is None:  # what a program for another unit found has moved it
            continue
        low, high = bounds.bends[gate][i].span(piece)
        for sign, limit in ((1, high), (-1, -low)):
            if used == programs:
                return used
            if infinite(limit) or _holds(bounds, value, i, sign, limit):
                continue
            used += 1
            found = program.best(i, sign)
            if found is None:
                break
            seen.look(found.point[None])
            if found.value > float(limit) + _SLACK * (1 + abs(float(limit))):
                break
            if not bounds.prove(value, i, sign, limit, found.lines):
                break
    return used


def _holds(bounds: ValueBounds, value: int, i: int, sign: int, limit: Fraction) -> bool:
    low, high = bounds.intervals[value][i]
    return (high if sign > 0 else -low) <= limit

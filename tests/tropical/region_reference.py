"""The enumeration of tropical/_regions.pyx in plain Python and whole numbers, without filter, limbs or increments.

A cell {s : form(s) ≥ 0 for its forms} is held as the cone over it, {(s, t) : form(s, t) ≥ 0, t ≥ 0}, by whole
generators: lines (both directions), and rays, of which those with t > 0 are vertices s/t and those with t = 0
directions to infinity. Cells have an interior, and a hyperplane cuts one exactly if its form takes both signs on
the generators.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tropical._region_program import Gates, Linear, Program, difference, primitive, value
from tropical.errors import InputError


class Cell:
    """A cone by generators.

    Attributes
    ----------
    lines, rays : list of primitive whole vectors (s, t)
    tight : list of int
        Per ray the set of its constraints that are 0 on it, as bits; bit 0 is t ≥ 0.
    constraints : int
        How many there are.
    """

    __slots__ = ("constraints", "lines", "rays", "tight")

    def __init__(self, lines, rays, tight, constraints):
        self.lines, self.rays, self.tight, self.constraints = lines, rays, tight, constraints

    @classmethod
    def space(cls, d: int) -> "Cell":
        """All of R^d."""
        unit = [[int(i == j) for j in range(d + 1)] for i in range(d + 1)]
        return cls(unit[:d], unit[d:], [0], 1)

    def cut(self, form) -> tuple["Cell | None", "Cell | None"]:
        """The parts where form ≥ 0 and where form ≤ 0, None for one without interior; form must not be zero."""
        for k, line in enumerate(self.lines):
            slope = value(form, line)
            if slope:
                line = line if slope > 0 else [-a for a in line]
                return self._cut_lines(form, line, abs(slope), self.lines[:k] + self.lines[k + 1 :])
        values = [value(form, ray) for ray in self.rays]
        if min(values) >= 0:
            return self, None
        if max(values) <= 0:
            return None, self
        return self._cut_rays(values)

    def _cut_lines(self, form, line, slope, others):
        """A hyperplane across a line: every other generator moves along the line onto the hyperplane."""

        def moved(vector):
            v = value(form, vector)
            return primitive([slope * a - v * b for a, b in zip(vector, line, strict=True)])

        bit = 1 << self.constraints
        lines = [moved(other) for other in others]
        rays = [moved(ray) for ray in self.rays]
        tight = [t | bit for t in self.tight] + [bit - 1]
        return tuple(
            Cell(lines, [*rays, end], tight, self.constraints + 1) for end in (line, [-a for a in line])
        )

    def _cut_rays(self, values):
        bit = 1 << self.constraints
        needed = len(self.rays[0]) - len(self.lines) - 2  # hyperplanes that meet in a face of two rays
        up = [k for k, v in enumerate(values) if v > 0]
        down = [k for k, v in enumerate(values) if v < 0]
        new, new_tight = [], []
        for i in up:
            for j in down:
                common = self.tight[i] & self.tight[j]
                if common.bit_count() < needed or self._shared_by_others(common, i, j):
                    continue
                pairs = zip(self.rays[i], self.rays[j], strict=True)
                new.append(primitive([values[i] * b - values[j] * a for a, b in pairs]))
                new_tight.append(common | bit)
        on = [k for k, v in enumerate(values) if not v]
        new = [self.rays[k] for k in on] + new
        new_tight = [self.tight[k] | bit for k in on] + new_tight
        return tuple(
            Cell(
                self.lines,
                [self.rays[k] for k in side] + new,
                [self.tight[k] for k in side] + new_tight,
                self.constraints + 1,
            )
            for side in (up, down)
        )

    def _shared_by_others(self, common: int, i: int, j: int) -> bool:
        """Whether a third ray lies on all the hyperplanes that rays i and j share: then they span no face."""
        return any(common & ~t == 0 and k not in (i, j) for k, t in enumerate(self.tight))


class Found(NamedTuple):
    """A region.

    Attributes
    ----------
    winners : tuple of int
        Per gate the winning branch, the first of equal ones.
    ties : tuple of (gate, branch)
        Branches that equal the winner on all of the region.
    rays, lines : list
        Generators of the cone over its closure; see `Cell`.
    facets : tuple of tuples of (gate, branch)
        Per facet the branches that equal the winner on it; (−1, k) is bound k of the domain.
    outputs : tuple of tuples of forms
        The forms of P, and of Q if there is one, each flattened.
    """

    winners: tuple[int, ...]
    ties: tuple[tuple[int, int], ...]
    rays: list
    lines: list
    facets: tuple
    outputs: tuple


def domain_cell(program: Program) -> Cell:
    """The domain as a cell."""
    cell = Cell.space(program.variables)
    for form in program.bounds:
        part, _ = cell.cut(form) if any(form) else (cell, None)
        if part is None or (not any(form[:-1]) and form[-1] < 0):
            raise InputError("the domain has no interior; regions are those of a full-dimensional domain")
        cell = part
    return cell


def walk(program: Program) -> Iterator[Found]:
    """Every region once."""
    yield from _after(program, 1, [program.inputs], domain_cell(program), (), ())


def _after(program: Program, step: int, forms: list, cell: Cell, winners: tuple, ties: tuple):
    """The regions in a cell on which the steps before `step` are affine."""
    while step < len(program.steps) and isinstance(program.steps[step], Linear):
        forms = [*forms, program.linear_forms(program.steps[step], forms)]
        step += 1
    if step == len(program.steps):
        outputs = tuple(tuple(a for form in forms[k] for a in form) for k in program.outputs)
        facets = _facets(program, forms, cell, winners)
        yield Found(winners, ties, cell.rays, cell.lines, facets, outputs)
        return
    gates: Gates = program.steps[step]
    parts = [(cell, (), ())]
    for i in range(gates.size):
        branches = [forms[b][i] for b in gates.branches]
        gate = program.first_gate[step] + i
        parts = [
            (piece, (*w, winner), (*t, *((gate, k) for k in equal)))
            for part, w, t in parts
            for piece, winner, equal in _pieces(part, branches)
        ]
    for part, w, t in parts:
        chosen = [forms[gates.branches[winner]][i] for i, winner in enumerate(w)]
        yield from _after(program, step + 1, [*forms, chosen], part, winners + w, ties + t)


def _pieces(cell: Cell, branches: list) -> list[tuple[Cell, int, list[int]]]:
    """The parts of a cell on which a branch wins, with that branch and those equal to it."""
    first = {}
    for k, form in enumerate(branches):
        first.setdefault(tuple(form), k)
    distinct = list(first.values())
    pieces = []
    for k in distinct:
        part: Cell | None = cell
        for other in distinct:
            if other != k and part is not None:
                part, _ = part.cut(difference(branches[k], branches[other]))
        if part is not None:
            equal = [j for j, form in enumerate(branches) if j != k and form == branches[k]]
            pieces.append((part, k, equal))
    return pieces


def _facets(program: Program, forms: list, cell: Cell, winners: tuple) -> tuple:
    """The facets of a region: the largest sets of rays on which a constraint is 0."""
    on: dict[int, list] = {}
    at_infinity = sum(1 << r for r, ray in enumerate(cell.rays) if ray[-1] == 0)

    def add(form, name):
        zeros = sum(1 << r for r, ray in enumerate(cell.rays) if value(form, ray) == 0)
        if zeros & ~at_infinity and any(form):
            on.setdefault(zeros, []).append(name)

    for k, form in enumerate(program.bounds):
        add(form, (-1, k))
    for step, gates in enumerate(program.steps):
        if isinstance(gates, Gates):
            for i in range(gates.size):
                gate = program.first_gate[step] + i
                mine = forms[gates.branches[winners[gate]]][i]
                for b, branch in enumerate(gates.branches):
                    if b != winners[gate]:
                        add(difference(mine, forms[branch][i]), (gate, b))
    return tuple(tuple(names) for z, names in on.items() if not any(z != y and z & ~y == 0 for y in on))

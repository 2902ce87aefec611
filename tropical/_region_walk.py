"""Enumerates the activation regions of a `Program`, one gate after another, in whole numbers."""

from collections.abc import Iterator
from typing import NamedTuple

from tropical._region_cells import Cell, value
from tropical._region_program import Gates, Linear, Program, difference
from tropical.errors import InputError

__all__ = ["Found", "domain_cell", "walk"]


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

"""What keeps pieces in one variable from being a closed convex function."""

from dataclasses import dataclass
from itertools import pairwise

from sympy import Expr, S, oo

from hjsym.conjugate.symbolic.legendre import Arc
from hjsym.conjugate.symbolic.numbers import is_finite, order, value_at
from hjsym.conjugate.symbolic.pieces import Pieces

__all__ = ["Defect", "defect_of"]


@dataclass(frozen=True)
class Defect:
    """What keeps pieces from being a closed convex function: where (at, and to the far end of a gap), and why."""

    reason: str
    at: Expr
    to: Expr | None = None
    at_an_end: bool = False
    """A value above the limit at an end of the domain: not closed, but convex."""


def defect_of(f: Pieces, arcs: list[Arc]) -> Defect | None:
    """The first defect; None for a closed convex function."""
    for arc in arcs:
        if arc.bend < 0:
            return Defect(f"it bends down on ({arc.a}, {arc.b})", _inside(arc))
    return _gap(f, arcs) or _corner(f, arcs) or _end(f, arcs)


def _inside(arc: Arc) -> Expr:
    if arc.a is -oo and arc.b is oo:
        return S.Zero
    return arc.a + 1 if arc.b is oo else arc.b - 1 if arc.a is -oo else (arc.a + arc.b) / 2


def _gap(f: Pieces, arcs: list[Arc]) -> Defect | None:
    ends = {e for arc in arcs for e in (arc.a, arc.b)}
    isolated = [n for n in f.nodes if n not in ends and f.values[n] is not oo]
    others = [e for e in ends if is_finite(e)] + isolated
    if isolated and len(others) > 1:
        other = next(e for e in others if e != isolated[0])
        low, high = (isolated[0], other) if order(isolated[0], other) < 0 else (other, isolated[0])
        return Defect(f"its domain has the isolated point {isolated[0]}", low, high)
    for left, right in pairwise(arcs):
        if left.b != right.a:
            return Defect(f"its domain has a gap from {left.b} to {right.a}", left.b, right.a)
    return None


def _corner(f: Pieces, arcs: list[Arc]) -> Defect | None:
    for left, right in pairwise(arcs):
        node = left.b
        limits = [value_at(left.expr, f.x, node, "-"), value_at(right.expr, f.x, node, "+")]
        here = f.values.get(node, limits[0])
        if (limits[0] != limits[1] and order(*limits) != 0) or order(here, limits[0]) != 0:
            return Defect(f"it jumps at {node}", node)
        if order(left.slope_b, right.slope_a) > 0:
            return Defect(f"its slope falls from {left.slope_b} to {right.slope_a} at {node}", node)
    return None


def _end(f: Pieces, arcs: list[Arc]) -> Defect | None:
    for end in (arcs[0].a, arcs[-1].b) if arcs else ():
        value = f.values.get(end)
        if value is not None and order(f.closure(end), value) < 0:
            return Defect(f"its limit at the end {end} of its domain is below its value", end, at_an_end=True)
    return None

"""The conjugate of closed convex pieces: slopes become points, corners and ends become lines.

With x moving from left to right, y ∈ ∂f(x) moves from left to right too. A strictly convex arc gives the arc
y x(y) − f(x(y)) between its slopes, x(y) inverse to f'; a corner or an end of the domain at a gives the line
a y − f(a) between the slopes beside it; a line gives the point where the two arcs beside it meet.
"""

import itertools
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol, oo

from hjsym.conjugate.symbolic.implicit import slope_inverse
from hjsym.conjugate.symbolic.inverse import solve_slope
from hjsym.conjugate.symbolic.match import Match, find_match
from hjsym.conjugate.symbolic.numbers import is_finite, order, short_constant, sign, sign_on, spoken, value_at
from hjsym.conjugate.symbolic.pieces import Branch, Pieces
from hjsym.conjugate.symbolic.tidy import tidy
from hjsym.conjugate.symbolic.zeros import zeros
from hjsym.errors import UndecidedError

__all__ = ["Arc", "Span", "arcs_of", "legendre"]


@dataclass(frozen=True)
class Arc:
    """A smooth piece that bends one way: convex (1), concave (−1) or affine (0), with the slopes at its ends."""

    expr: Expr
    a: Expr
    b: Expr
    bend: int
    slope_a: Expr
    slope_b: Expr
    match: Match | None = None


@dataclass(frozen=True)
class Span:
    """A formula on the open interval (a, b), its derivative, and how it was found."""

    expr: Expr
    slope: Expr
    a: Expr
    b: Expr
    method: str


def arcs_of(f: Pieces) -> list[Arc]:
    """The branches of f, cut where they change the way they bend; raises UndecidedError."""
    return [arc for b in f.branches for arc in _bent(b, f.x)]


def _bent(branch: Branch, x: Symbol) -> list[Arc]:
    g, a, b = branch.expr, branch.a, branch.b
    q = sympy.diff(g, x, 2)
    if not q.has(x):
        q = sympy.simplify(q)
        return [_arc(g, x, a, b, _decided(q), None)]
    match = find_match(g, x, a, b)
    if match is not None:
        return [_arc(g, x, a, b, _decided(match.C), match)]
    if sympy.simplify(q) == 0:
        return [_arc(g, x, a, b, 0, None)]
    ends = [a, *zeros(q, x, a, b), b]
    parts = itertools.pairwise(ends)
    cut = len(ends) > 2
    return [
        _arc(g, x, lo, hi, sign_on(q, x, lo, hi), find_match(g, x, lo, hi) if cut else None)
        for lo, hi in parts
    ]


def _decided(e: Expr) -> int:
    s = sign(e)
    if s is None:
        raise UndecidedError(
            f"whether f bends up depends on the sign of {spoken(e)}; declare its parameters positive"
        )
    return s


def _arc(g: Expr, x: Symbol, a: Expr, b: Expr, bend: int, match: Match | None) -> Arc:
    slope = sympy.diff(g, x)
    ends = []
    for end, side in ((a, "+"), (b, "-")):
        known = match.slope_at(x, end) if match is not None else None
        ends.append(value_at(slope, x, end, side) if known is None else known)
    return Arc(g, a, b, bend, *ends, match)


def legendre(arcs: list[Arc], values: dict[Expr, Expr], x: Symbol, y: Symbol, *, numeric: bool = False):
    """Spans of f* and its values at their ends; f has convex arcs that join, or is one point.

    `numeric` does without formulas for the inverse of f'.
    """
    if not arcs:
        ((node, value),) = values.items()
        return [Span(node * y - value, node, -oo, oo, "rule")], {}
    spans: list[Span] = []
    found: dict[Expr, Expr] = {}
    if is_finite(arcs[0].a):
        spans += _line(arcs[0].a, values.get(arcs[0].a), y, -oo, arcs[0].slope_a)
    for k, arc in enumerate(arcs):
        spans += conjugate_arc(arc, x, y, numeric)
        if k + 1 < len(arcs):
            spans += _line(arc.b, values[arc.b], y, arc.slope_b, arcs[k + 1].slope_a)
    if is_finite(arcs[-1].b):
        spans += _line(arcs[-1].b, values.get(arcs[-1].b), y, arcs[-1].slope_b, oo)
    for arc in arcs:
        for end, slope in ((arc.a, arc.slope_a), (arc.b, arc.slope_b)):
            if is_finite(slope):
                found[slope] = _value(arc, end, slope, values, spans, x, y)
    if _is_even(arcs, x):
        spans = _mirrored(spans, y)
    for left in spans[:-1]:  # cuts inside an arc
        if left.b not in found:
            found[left.b] = value_at(left.expr, y, left.b, "-")
    return spans, found


def _is_even(arcs: list[Arc], x: Symbol) -> bool:
    return all(
        p.a == -q.b and sympy.expand(p.expr.subs(x, -x) - q.expr) == 0
        for p, q in zip(arcs, reversed(arcs), strict=True)
    )


def _mirrored(spans: list[Span], y: Symbol) -> list[Span]:
    """The formulas on y < 0 from those on y > 0."""
    if any(s.a != -t.b for s, t in zip(spans, reversed(spans), strict=True)):
        return spans
    right = spans[(len(spans) + 1) // 2 :]
    left = [Span(s.expr.subs(y, -y), -s.slope.subs(y, -y), -s.b, -s.a, s.method) for s in reversed(right)]
    return left + spans[len(left) : len(spans) - len(left)] + right


def _line(node: Expr, value: Expr, y: Symbol, lo: Expr, hi: Expr) -> list[Span]:
    if lo == hi or order(lo, hi) == 0:
        return []
    return [Span(sympy.expand(node * y - value), node, lo, hi, "rule")]


def _value(arc: Arc, end: Expr, slope: Expr, values, spans, x: Symbol, y: Symbol) -> Expr:
    """f* at the slope at an end of an arc."""
    if arc.bend == 0:
        return short_constant(-arc.expr.subs(x, 0))
    if end not in (oo, -oo):
        return short_constant(slope * end - values[end])
    known = arc.match.conjugate_value_at(slope) if arc.match is not None else None
    if known is not None:
        return known
    span = next(s for s in spans if slope in (s.a, s.b))
    return value_at(span.expr, y, slope, "+" if slope == span.a else "-")


def conjugate_arc(arc: Arc, x: Symbol, y: Symbol, numeric: bool = False) -> list[Span]:
    """f* between the slopes at the ends of a strictly convex arc; nothing for a line."""
    if arc.bend == 0:
        return []
    lo, hi = arc.slope_a, arc.slope_b
    if arc.match is not None and not numeric:
        m = arc.match
        return [Span(tidy(m.conjugate(y), y, lo, hi), tidy(m.contact(y), y, lo, hi), lo, hi, m.method)]
    slope = sympy.diff(arc.expr, x)
    if not slope.diff(x).has(x):
        return [_of_quadratic(arc, x, y)]
    parts = None if numeric else solve_slope(slope, x, y, arc.a, arc.b, lo, hi)
    if parts is not None:
        return [
            _with_contact(arc, x, y, tidy(c, y, left, right), left, right, "sympy")
            for c, left, right in parts
        ]
    contact = slope_inverse(slope, x, y, arc.a, arc.b)
    return [Span(contact * y - arc.expr.subs(x, contact), contact, lo, hi, "numeric")]


def _of_quadratic(arc: Arc, x: Symbol, y: Symbol) -> Span:
    a, b, c = (sympy.expand(arc.expr).coeff(x, k) for k in (2, 1, 0))
    contact = sympy.expand((y - b) / (2 * a))
    value = sympy.expand((y - b) ** 2 / (4 * a) - c)
    return Span(value, contact, arc.slope_a, arc.slope_b, "closed form")


def _with_contact(arc: Arc, x: Symbol, y: Symbol, contact: Expr, lo: Expr, hi: Expr, method: str) -> Span:
    return Span(tidy(contact * y - arc.expr.subs(x, contact), y, lo, hi), contact, lo, hi, method)

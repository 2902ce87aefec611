"""The closed convex hull of pieces in one variable: convex arcs that join, and the common tangents between them.

f is the least of its convex arcs and of points (ends, corners, ends of concave arcs), so f* is the largest of their
conjugates, (min f_i)* = max f_i*. In the order of x each pair of these crosses once, at the slope of the common
tangent; a stack keeps those that attain the maximum, as for the hull of points. Crossings are located in 50 digits;
they are kept exact where the equation of two formulas can be solved or a simple number solves it.
"""

import itertools
from dataclasses import dataclass

import mpmath
import sympy
from sympy import Expr, S, Symbol, oo

from hjsym.conjugate.symbolic.defects import defect_of
from hjsym.conjugate.symbolic.legendre import Arc, Span, conjugate_arc
from hjsym.conjugate.symbolic.numbers import is_finite, order, short_constant, to_mpf, value_at
from hjsym.conjugate.symbolic.pieces import Pieces
from hjsym.conjugate.symbolic.tangents import Element, conjugate_at, contact_at, crossing, exact_crossing
from hjsym.conjugate.symbolic.zeros import zeros
from hjsym.errors import UndecidedError

__all__ = ["Hull", "closed_hull"]

_DIGITS = 50


@dataclass(frozen=True)
class Hull:
    """Convex arcs that join, values at their ends; `improper` is ±oo where the hull is that everywhere."""

    arcs: list[Arc]
    values: dict[Expr, Expr]
    improper: Expr | None = None


def closed_hull(f: Pieces, arcs: list[Arc]) -> Hull:
    """The hull of what `arcs` cut f into."""
    values = {n: f.closure(n) for n in f.nodes}
    for arc in arcs:
        for end, side in ((arc.a, "+"), (arc.b, "-")):
            if end not in values and end not in (oo, -oo):
                values[end] = value_at(arc.expr, f.x, end, side)
    if any(v is S.NegativeInfinity for v in values.values()) or any(
        a.expr is S.NegativeInfinity for a in arcs
    ):
        return Hull([], {}, -oo)
    values = {n: v for n, v in values.items() if v is not oo}
    if not arcs and not values:
        return Hull([], {}, oo)
    if _closes(f, arcs, values):
        return Hull(arcs, values)
    return _hull(f.x, arcs, values)


def _closes(f: Pieces, arcs: list[Arc], values) -> bool:
    """Whether f is convex once its values at ends are its limits."""
    if any(arc.bend < 0 for arc in arcs):
        return False
    ends = {e for a in arcs for e in (a.a, a.b)}
    if any(n not in ends for n in values) and (arcs or len(values) > 1):
        return False
    outer = {arcs[0].a, arcs[-1].b} if arcs else set()
    return (
        defect_of(
            Pieces(f.x, f.branches, {n: values.get(n, oo) if n in outer else v for n, v in f.values.items()}),
            arcs,
        )
        is None
    )


# ---- what the hull is made of --------------------------------------------------------------------------


def _elements(x: Symbol, y: Symbol, arcs: list[Arc], values) -> list[Element]:
    found, covered = [], set()
    for arc in arcs:
        if arc.bend <= 0:  # its ends are among the nodes
            continue
        spans = conjugate_arc(arc, x, y)
        ends = [(arc.a, "+"), (arc.b, "-")]
        limits = [values.get(e, oo) if e not in (oo, -oo) else oo for e, _ in ends]
        own = [value_at(arc.expr, x, e, s) if e not in (oo, -oo) else oo for e, s in ends]
        if is_finite(own[0]) and is_finite(arc.slope_a):
            spans = [Span(y * arc.a - own[0], arc.a, -oo, arc.slope_a, "rule"), *spans]
        if is_finite(own[1]) and is_finite(arc.slope_b):
            spans = [*spans, Span(y * arc.b - own[1], arc.b, arc.slope_b, oo, "rule")]
        covered |= {
            e
            for (e, _), v, w in zip(ends, limits, own, strict=True)
            if e not in (oo, -oo) and v == w and is_finite(v)
        }
        if spans:
            found.append(Element(arc.a, arc.b, spans, arc))
    for node, value in values.items():
        if node not in covered:
            found.append(Element(node, node, [Span(y * node - value, node, -oo, oo, "rule")]))
    with mpmath.workdps(_DIGITS):
        return sorted(found, key=lambda e: (to_mpf(e.a), to_mpf(e.b)))


def _recession(arcs: list[Arc]) -> tuple[Expr, Expr]:
    """Slopes of f at −∞ and at ∞; f* is +∞ outside of them."""
    left = arcs[0].slope_a if arcs and arcs[0].a is S.NegativeInfinity else -oo
    right = arcs[-1].slope_b if arcs and arcs[-1].b is S.Infinity else oo
    return left, right


def _hull(x: Symbol, arcs: list[Arc], values) -> Hull:
    parameters = {s for a in arcs for s in (a.expr.free_symbols | a.a.free_symbols | a.b.free_symbols)} - {x}
    parameters |= {s for n, v in values.items() for s in n.free_symbols | v.free_symbols}
    if parameters:
        names = ", ".join(sorted(map(str, parameters)))
        raise UndecidedError(f"f is not convex, and its hull depends on {names}; replace them by numbers")
    left, right = _recession(arcs)
    if order(left, right) > 0:
        return Hull([], {}, -oo)
    if left == right or order(left, right) == 0:
        return _flat_hull(x, arcs, values, left)
    y = sympy.Dummy("y", real=True)
    with mpmath.workdps(_DIGITS):
        stack = _scan(_elements(x, y, arcs, values), y, to_mpf(left), to_mpf(right))
        return _assembled(stack, x, y, left, right)


def _flat_hull(x: Symbol, arcs: list[Arc], values, slope: Expr) -> Hull:
    """Where only one slope is left: the highest line of that slope below f."""
    heights = [v - slope * n for n, v in values.items()]
    for arc in arcs:
        tilted = sympy.expand(arc.expr - slope * x)
        heights += [value_at(tilted, x, end, "+") for end in (arc.a, arc.b) if end in (oo, -oo)]
        if arc.bend > 0:
            inside = zeros(sympy.diff(tilted, x), x, arc.a, arc.b)
            heights += [short_constant(tilted.subs(x, z)) for z in inside]
        elif arc.bend == 0:
            heights.append(tilted.subs(x, arc.a if arc.a is not -oo else arc.b if arc.b is not oo else 0))
    lowest = heights[0]
    for h in heights[1:]:
        lowest = h if order(h, lowest) < 0 else lowest
    if lowest in (oo, -oo):
        return Hull([], {}, lowest)
    return Hull([Arc(slope * x + lowest, -oo, oo, 0, slope, slope)], {})


def _scan(elements: list[Element], y: Symbol, left, right) -> list[tuple[Element, object]]:
    """Elements on the hull, each with the slope (mpmath) from which on it is active."""
    stack: list[tuple[Element, object]] = []
    for e in elements:
        start = left
        while stack:
            start = crossing(stack[-1][0], e, y, left, right)
            if start > stack[-1][1] or (len(stack) == 1 and start > left):
                break
            stack.pop()
            start = left
        if start < right or not stack:
            stack.append((e, start))
    return stack


def _assembled(stack, x: Symbol, y: Symbol, left: Expr, right: Expr) -> Hull:
    slopes = [left]
    for (p, _), (q, start) in itertools.pairwise(stack):
        slopes.append(exact_crossing(p, q, start, x, y))
    slopes.append(right)
    arcs: list[Arc] = []
    values: dict[Expr, Expr] = {}
    for k, (e, _) in enumerate(stack):
        begin = e.a if slopes[k] is -oo or e.a is -oo else contact_at(e, slopes[k], x, y)
        end = e.b if slopes[k + 1] is oo or e.b is oo else contact_at(e, slopes[k + 1], x, y)
        if begin is not -oo and slopes[k] is not -oo:  # with k = 0 the line that goes on to −∞
            line = slopes[k] * x - conjugate_at(e, slopes[k], x, y)
            start = -oo if k == 0 else arcs[-1].b if arcs else next(iter(values))
            _bridge(arcs, start, begin, line, slopes[k])
        if e.arc is not None and order(begin, end) < 0:
            lo = e.arc.slope_a if begin == e.a else slopes[k]
            hi = e.arc.slope_b if end == e.b else slopes[k + 1]
            arcs.append(Arc(e.arc.expr, begin, end, e.arc.bend, lo, hi, e.arc.match))
        for node in (begin, end):
            if is_finite(node) and node not in values:
                values[node] = _height(e, node, x)
    if end is not oo and right is not oo:
        _bridge(arcs, end, oo, right * x - conjugate_at(e, right, x, y), right)
    return Hull(_joined(arcs), values)


def _bridge(arcs: list[Arc], start: Expr, stop: Expr, line: Expr, slope: Expr) -> None:
    """The segment from where the hull ends so far to where the next element begins."""
    if order(start, stop) < 0:
        arcs.append(Arc(sympy.expand(line), start, stop, 0, slope, slope))


def _height(e: Element, node: Expr, x: Symbol) -> Expr:
    if e.arc is None:
        span = e.spans[0]
        (y,) = span.expr.free_symbols or (None,)
        return -span.expr if y is None else -span.expr.subs(y, 0)
    value = value_at(e.arc.expr, x, node, "+" if node == e.a else "-")
    return value.evalf(35) if value.has(sympy.Float) else short_constant(value)


def _joined(arcs: list[Arc]) -> list[Arc]:
    """Neighbouring segments of one line made one."""
    result: list[Arc] = []
    for arc in arcs:
        last = result[-1] if result else None
        if last is not None and last.bend == arc.bend == 0 and sympy.expand(last.expr - arc.expr) == 0:
            result[-1] = Arc(arc.expr, last.a, arc.b, 0, arc.slope_a, arc.slope_b)
        else:
            result.append(arc)
    return result

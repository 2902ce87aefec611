"""The closed convex hull of pieces in one variable: convex arcs that join, and the common tangents between them.

f is the least of its convex arcs and of points (ends, corners, ends of concave arcs), so f* is the largest of their
conjugates, (min f_i)* = max f_i*. In the order of x each pair of these crosses once, at the slope of the common
tangent; a stack keeps those that attain the maximum, as for the hull of points. Crossings are located in 50 digits;
they are kept exact where the equation of two formulas can be solved or a simple number solves it.
"""

import itertools
from dataclasses import dataclass, field

import mpmath
import sympy
from sympy import Expr, S, Symbol, oo

from hjsym.conjugate.pieces import Pieces
from hjsym.conjugate.symbolic_defects import defect_of
from hjsym.conjugate.symbolic_implicit import SlopeInverse
from hjsym.conjugate.symbolic_legendre import Arc, Span, conjugate_arc
from hjsym.conjugate.symbolic_numbers import compiled, is_finite, order, short_constant, to_mpf, value_at
from hjsym.conjugate.symbolic_zeros import zeros
from hjsym.errors import UndecidedError

__all__ = ["Hull", "closed_hull"]

_DIGITS = 50
_SAME = mpmath.mpf(10) ** -42


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


@dataclass
class _Element:
    """A point or a closed convex arc, with its conjugate as spans over all slopes."""

    a: Expr
    b: Expr
    spans: list[Span]
    arc: Arc | None = None
    functions: list = field(default_factory=list)

    def span_at(self, slope) -> Span:
        """The span that holds a slope, given in mpmath."""
        for s in self.spans:
            if slope <= to_mpf(s.b):
                return s
        return self.spans[-1]

    def value(self, slope, y: Symbol):
        return compiled(self.span_at(slope).expr, y)(slope)


def _elements(x: Symbol, y: Symbol, arcs: list[Arc], values) -> list[_Element]:
    found, covered = [], set()
    for arc in arcs:
        if arc.bend < 0:
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
            found.append(_Element(arc.a, arc.b, spans, arc))
    for node, value in values.items():
        if node not in covered:
            found.append(_Element(node, node, [Span(y * node - value, node, -oo, oo, "rule")]))
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


# ---- common tangents -------------------------------------------------------------------------------------


def _scan(elements: list[_Element], y: Symbol, left, right) -> list[tuple[_Element, object]]:
    """Elements on the hull, each with the slope (mpmath) from which on it is active."""
    stack: list[tuple[_Element, object]] = []
    for e in elements:
        start = left
        while stack:
            start = _crossing(stack[-1][0], e, y, left, right)
            if start > stack[-1][1] or (len(stack) == 1 and start > left):
                break
            stack.pop()
            start = left
        if start < right or not stack:
            stack.append((e, start))
    return stack


def _crossing(p: _Element, q: _Element, y: Symbol, left, right):
    """The least slope from which on q* ≥ p*; left or right where there is none between."""
    lo, hi = _bracket(left, right)
    ahead = lambda s: q.value(s, y) - p.value(s, y) >= -_SAME * (1 + abs(s))  # noqa: E731
    step = mpmath.mpf(1)
    while left == -mpmath.inf and ahead(lo) and step < 1e12:
        lo, step = lo - step, 2 * step
    step = mpmath.mpf(1)
    while right == mpmath.inf and not ahead(hi) and step < 1e12:
        hi, step = hi + step, 2 * step
    if ahead(lo):
        return left
    if not ahead(hi):
        return right
    for _ in range(170):
        middle = (lo + hi) / 2
        lo, hi = (lo, middle) if ahead(middle) else (middle, hi)
    return hi


def _bracket(left, right):
    """Points just inside of the slopes between which f* is finite."""
    if left > -mpmath.inf and right < mpmath.inf:
        gap = (right - left) * mpmath.mpf(10) ** -18
        return left + gap, right - gap
    if left > -mpmath.inf:
        return left + mpmath.mpf(10) ** -18, left + 1
    return (
        (right - 1, right - mpmath.mpf(10) ** -18) if right < mpmath.inf else (mpmath.mpf(-1), mpmath.mpf(1))
    )


def _exact_crossing(p: _Element, q: _Element, near, x: Symbol, y: Symbol) -> Expr:
    """The crossing as an exact number where one is found, else in 35 digits."""
    if p.arc is not None and q.arc is not None and p.b == q.a:
        slope = p.arc.slope_b
        if is_finite(slope) and abs(to_mpf(slope) - near) <= 1e-15 * (1 + abs(near)):
            return slope
    f, g = p.span_at(near), q.span_at(near)
    difference = sympy.expand(f.expr - g.expr)
    lo = f.a if order(f.a, g.a) >= 0 else g.a
    hi = f.b if order(f.b, g.b) <= 0 else g.b
    simple = sympy.nsimplify(sympy.Float(str(near), 30), rational=True, tolerance=1e-18)
    if simple.q < 10**6 and abs(to_mpf(simple) - near) < 1e-15 * (1 + abs(near)):
        at = difference.subs(y, simple)
        if abs(to_mpf(at)) < 1e-30:
            return simple
    touching = _tangent_through(p, q, near, x, y)
    if touching is not None:
        return touching
    if not _hard(difference, y):
        try:
            for z in zeros(difference, y, lo, hi):
                if abs(to_mpf(z) - near) < 1e-15 * (1 + abs(near)):
                    return z
        except UndecidedError:
            pass
    return sympy.Float(str(near), 35)


def _tangent_through(p: _Element, q: _Element, near, x: Symbol, y: Symbol) -> Expr | None:
    """The slope of the tangent to the one arc through the one point, where it touches the arc inside."""
    arcs = [e for e in (p, q) if e.arc is not None and e.span_at(near).slope.has(y)]
    ends = [e.span_at(near) for e in (p, q) if not e.span_at(near).slope.has(y)]
    if len(arcs) != 1 or len(ends) != 1:
        return None
    arc, end = arcs[0].arc, ends[0]
    slope = sympy.diff(arc.expr, x)
    node, height = end.slope, -end.expr.subs(y, 0)
    try:
        touching = zeros(sympy.expand(slope * (x - node) - arc.expr + height), x, arc.a, arc.b)
    except UndecidedError:
        return None
    slopes = [short_constant(slope.subs(x, z)) for z in touching]
    return next((s for s in slopes if abs(to_mpf(s) - near) < 1e-15 * (1 + abs(near))), None)


def _hard(e: Expr, y: Symbol) -> bool:
    return not e.is_polynomial(y) and e.count_ops() > 12


def _assembled(stack, x: Symbol, y: Symbol, left: Expr, right: Expr) -> Hull:
    slopes = [left]
    for (p, _), (q, start) in itertools.pairwise(stack):
        slopes.append(_exact_crossing(p, q, start, x, y))
    slopes.append(right)
    arcs: list[Arc] = []
    values: dict[Expr, Expr] = {}
    for k, (e, _) in enumerate(stack):
        begin = e.a if k == 0 else _contact(e, slopes[k], x, y)
        end = e.b if k + 1 == len(stack) else _contact(e, slopes[k + 1], x, y)
        if k > 0:
            height = -_conjugate_at(e, slopes[k], x, y)
            _bridge(arcs, values, begin, slopes[k] * x + height, slopes[k], x)
        if e.arc is not None and order(begin, end) < 0:
            lo = e.arc.slope_a if begin == e.a else slopes[k]
            hi = e.arc.slope_b if end == e.b else slopes[k + 1]
            arcs.append(Arc(e.arc.expr, begin, end, e.arc.bend, lo, hi, e.arc.match))
        for node in (begin, end):
            if node not in (oo, -oo) and node not in values:
                values[node] = _height(e, node, x)
    return Hull(_joined(arcs), values)


def _bridge(arcs, values, begin: Expr, line: Expr, slope: Expr, x: Symbol) -> None:
    """The segment from where the hull ends so far to where the next element begins."""
    start = arcs[-1].b if arcs else next(iter(values))
    if order(start, begin) < 0:
        arcs.append(Arc(sympy.expand(line), start, begin, 0, slope, slope))


def _height(e: _Element, node: Expr, x: Symbol) -> Expr:
    if e.arc is None:
        span = e.spans[0]
        (y,) = span.expr.free_symbols or (None,)
        return -span.expr if y is None else -span.expr.subs(y, 0)
    value = value_at(e.arc.expr, x, node, "+" if node == e.a else "-")
    return value.evalf(35) if value.has(sympy.Float) else short_constant(value)


def _contact(e: _Element, slope: Expr, x: Symbol, y: Symbol) -> Expr:
    span = e.span_at(to_mpf(slope))
    if span.slope.has(SlopeInverse):
        found = zeros(sympy.diff(e.arc.expr, x) - slope, x, e.arc.a, e.arc.b)
        if found:
            return found[0]
    return _at_slope(span.slope, slope, y)


def _conjugate_at(e: _Element, slope: Expr, x: Symbol, y: Symbol) -> Expr:
    span = e.span_at(to_mpf(slope))
    if span.slope.has(SlopeInverse):
        contact = _contact(e, slope, x, y)
        return short_constant(slope * contact - e.arc.expr.subs(x, contact))
    return _at_slope(span.expr, slope, y)


def _at_slope(formula: Expr, slope: Expr, y: Symbol) -> Expr:
    value = formula.subs(y, slope)
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

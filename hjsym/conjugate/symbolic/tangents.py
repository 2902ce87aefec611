"""Where the conjugates of two parts of a function cross: the slope of their common tangent, exact if it can be."""

from dataclasses import dataclass, field

import mpmath
import sympy
from sympy import Expr, Symbol

from hjsym.conjugate.symbolic.implicit import SlopeInverse
from hjsym.conjugate.symbolic.legendre import Arc, Span
from hjsym.conjugate.symbolic.numbers import compiled, is_finite, order, short_constant, to_mpf
from hjsym.conjugate.symbolic.zeros import zeros
from hjsym.errors import UndecidedError

__all__ = ["Element", "conjugate_at", "contact_at", "crossing", "exact_crossing"]

_SAME = mpmath.mpf(10) ** -42


@dataclass
class Element:
    """A point or a closed convex arc, with its conjugate as spans over all slopes."""

    a: Expr
    b: Expr
    spans: list[Span]
    arc: Arc | None = None
    touching: dict[Expr, Expr] = field(default_factory=dict)
    """Points of contact that are known, by slope."""

    def span_at(self, slope) -> Span:
        """The span that holds a slope, given in mpmath."""
        for s in self.spans:
            if slope <= to_mpf(s.b):
                return s
        return self.spans[-1]

    def value(self, slope, y: Symbol):
        return compiled(self.span_at(slope).expr, y)(slope)


def crossing(p: Element, q: Element, y: Symbol, left, right):
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


def exact_crossing(p: Element, q: Element, near, x: Symbol, y: Symbol) -> Expr:
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


def _tangent_through(p: Element, q: Element, near, x: Symbol, y: Symbol) -> Expr | None:
    """The slope of the tangent to the one arc through the one point, where it touches the arc inside."""
    arcs = [e for e in (p, q) if e.arc is not None and e.span_at(near).slope.has(y)]
    ends = [e.span_at(near) for e in (p, q) if not e.span_at(near).slope.has(y)]
    if len(arcs) != 1 or len(ends) != 1:
        return None
    arc, end = arcs[0].arc, ends[0]
    slope = sympy.diff(arc.expr, x)
    node, height = end.slope, -end.expr.subs(y, 0)
    try:
        candidates = zeros(sympy.expand(slope * (x - node) - arc.expr + height), x, arc.a, arc.b)
    except UndecidedError:
        return None
    for z in candidates:
        found = short_constant(slope.subs(x, z))
        if abs(to_mpf(found) - near) < 1e-15 * (1 + abs(near)):
            arcs[0].touching[found] = z
            return found
    return None


def _hard(e: Expr, y: Symbol) -> bool:
    return not e.is_polynomial(y) and e.count_ops() > 12


def contact_at(e: Element, slope: Expr, x: Symbol, y: Symbol) -> Expr:
    """Where the tangent of a slope touches."""
    span = e.span_at(to_mpf(slope))
    if slope not in e.touching and span.slope.has(SlopeInverse):
        e.touching[slope] = _solved(e.arc, slope, x) or _at_slope(span.slope, slope, y).evalf(35)
    return e.touching[slope] if slope in e.touching else _at_slope(span.slope, slope, y)


def _solved(arc: Arc, slope: Expr, x: Symbol) -> Expr | None:
    try:
        found = zeros(sympy.diff(arc.expr, x) - slope, x, arc.a, arc.b)
    except UndecidedError:
        return None
    return found[0] if found else None


def conjugate_at(e: Element, slope: Expr, x: Symbol, y: Symbol) -> Expr:
    """The conjugate of a part at a slope."""
    contact = contact_at(e, slope, x, y)
    if slope in e.touching:
        return short_constant(slope * contact - e.arc.expr.subs(x, contact))
    return _at_slope(e.span_at(to_mpf(slope)).expr, slope, y)


def _at_slope(formula: Expr, slope: Expr, y: Symbol) -> Expr:
    value = formula.subs(y, slope)
    return value.evalf(35) if value.has(sympy.Float) else short_constant(value)

"""Spans as one SymPy expression: joined where one formula goes on, written in |y| where the function is even."""

import sympy
from sympy import Abs, Expr, Piecewise, S, Symbol, oo

from hjsym.conjugate.symbolic.legendre import Span
from hjsym.conjugate.symbolic.numbers import is_finite
from hjsym.conjugate.symbolic.tidy import same, signed_form

__all__ = ["joined", "odd_expression", "one_expression", "with_infinity"]


def joined(spans: list[Span], y: Symbol) -> list[Span]:
    """Spans with neighbours merged where one formula is both, or where |y| makes it so."""
    result: list[Span] = []
    for span in spans:
        merged = _merged(result[-1], span, y) if result and result[-1].b == span.a else None
        if merged is None:
            result.append(span)
        else:
            result[-1] = merged
    return result


def _merged(left: Span, right: Span, y: Symbol) -> Span | None:
    for expr, slope in _common(left, right, y):
        return Span(expr, slope, left.a, right.b, right.method)
    return None


def _common(left: Span, right: Span, y: Symbol):
    if left.expr == right.expr:
        yield left.expr, left.slope
        return
    if left.expr.is_polynomial(y) != right.expr.is_polynomial(y):
        return
    if left.expr.is_polynomial(y):
        return
    for one, other in sorted(((left, right), (right, left)), key=lambda p: p[0].expr.count_ops()):
        if same(one.expr, other.expr, y, other.a, other.b):
            yield one.expr, one.slope
            return
    if right.a == 0:
        expr = signed_form(right.expr, y, 1)
        if expr == signed_form(left.expr, y, -1) and expr.has(Abs):
            yield expr, signed_form(right.slope, y, 1) if right.slope == -left.slope else _odd(right, y)


def _odd(right: Span, y: Symbol) -> Expr:
    """The slope of an even function from its slope on y > 0."""
    return sympy.sign(y) * right.slope.subs(y, Abs(y))


def one_expression(spans: list[Span], values: dict[Expr, Expr], y: Symbol) -> Expr:
    """A formula that is right inside the domain, and at the ends where it can be evaluated."""
    if not spans:
        ((_, value),) = values.items()
        return value
    if len(spans) == 1:
        return spans[0].expr
    half = _even_half(spans, y)
    if half is not None:
        return half
    cases = [(s.expr, y <= s.b) for s in spans[:-1]]
    return Piecewise(*cases, (spans[-1].expr, True))


def _even_half(spans: list[Span], y: Symbol) -> Expr | None:
    """An even function with a corner or flat part at 0, as cases of |y|."""
    for left, right in zip(spans, reversed(spans), strict=True):
        if left.a != -right.b or sympy.expand(left.expr.subs(y, -y) - right.expr) != 0:
            return None
    half = [s for s in spans if s.b is oo or (is_finite(s.b) and s.b.is_positive)]
    size = Abs(y)
    cases = [(s.expr.subs(y, size) if not _is_even(s.expr, y) else s.expr, size <= s.b) for s in half[:-1]]
    last = half[-1].expr if _is_even(half[-1].expr, y) else half[-1].expr.subs(y, size)
    return Piecewise(*cases, (last, True)) if cases else last


def odd_expression(spans: list[Span], y: Symbol) -> Expr | None:
    """sign(y) times cases of |y|, for an odd function."""
    for left, right in zip(spans, reversed(spans), strict=True):
        if left.a != -right.b or sympy.expand(left.expr.subs(y, -y) + right.expr) != 0:
            return None
    half = [s for s in spans if s.b is oo or (is_finite(s.b) and s.b.is_positive)]
    if len(half) == len(spans):
        return None
    size = Abs(y)
    cases = [(s.expr.subs(y, size), size <= s.b) for s in half[:-1]]
    last = half[-1].expr.subs(y, size)
    return sympy.sign(y) * (Piecewise(*cases, (last, True)) if cases else last)


def _is_even(e: Expr, y: Symbol) -> bool:
    return sympy.expand(e.subs(y, -y) - e) == 0


def with_infinity(expr: Expr, values: dict[Expr, Expr], domain: sympy.Set, y: Symbol) -> Expr:
    """The function on all reals: values at ends that the formula misses, the formula, and +∞ elsewhere."""
    special: dict[Expr, list[Expr]] = {}
    for node, value in values.items():
        if value is not oo and not _evaluates(expr, y, node, value):
            special.setdefault(value, []).append(node)
    cases = [(v, sympy.Or(*(sympy.Eq(y, n) for n in nodes))) for v, nodes in special.items()]
    inside = S.true if domain == S.Reals else domain.as_relational(y)
    cases.append((expr, inside))
    return Piecewise(*cases) if inside == S.true else Piecewise(*cases, (oo, True))


def _evaluates(expr: Expr, y: Symbol, node: Expr, value: Expr) -> bool:
    at = expr.subs(y, node)
    return at == value or (is_finite(at) and sympy.expand(at - value) == 0)

"""Fenchel–Young as a check of formulas for f*: equality at the maximiser, inequality elsewhere, in 40 digits.

f*(y) = x(y) y − f(x(y)) at a point x(y) of the domain shows that the formula is not above the supremum;
f*(y) ≥ x y − f(x) over all pieces of f that it is not below it. f enters as it was given, before any hull.
"""

import mpmath
from sympy import Expr, Symbol, oo

from hjsym.conjugate.symbolic.legendre import Arc, Span
from hjsym.conjugate.symbolic.numbers import compiled, draws, probes, to_mpf

__all__ = ["fenchel_young_holds"]

_DIGITS = 40
_ERROR = mpmath.mpf(10) ** -20
_PER_SPAN, _PER_ARC = 2, 5


def fenchel_young_holds(
    arcs: list[Arc], values: dict[Expr, Expr], spans: list[Span], x: Symbol, y: Symbol
) -> bool:
    """Whether the spans pass at points of each, for several values of the parameters."""
    symbols = {
        s for p in [*arcs, *spans] for s in (p.expr.free_symbols | p.a.free_symbols | p.b.free_symbols)
    }
    symbols |= {s for n, v in values.items() for s in n.free_symbols | v.free_symbols}
    with mpmath.workdps(_DIGITS):
        return all(_holds_for(row, arcs, values, spans, x, y) for row in draws(symbols - {x, y}, 2))


def _holds_for(row, arcs, values, spans, x: Symbol, y: Symbol) -> bool:
    pieces = [(compiled(a.expr.subs(row), x), to_mpf(a.a.subs(row)), to_mpf(a.b.subs(row))) for a in arcs]
    nodes = [(to_mpf(n.subs(row)), to_mpf(v.subs(row))) for n, v in values.items() if v is not oo]
    others = [(p, v) for n, v in nodes for p in [n]]
    for arc, (f, _, _) in zip(arcs, pieces, strict=True):
        for p in probes(arc.a.subs(row), arc.b.subs(row), _PER_ARC):
            point = mpmath.mpf(p.p) / p.q
            others.append((point, f(point)))
    for span in spans:
        value, contact = compiled(span.expr.subs(row), y), compiled(span.slope.subs(row), y)
        for p in probes(span.a.subs(row), span.b.subs(row), _PER_SPAN):
            slope = mpmath.mpf(p.p) / p.q
            if not _holds_at(slope, value(slope), contact(slope), pieces, nodes, others):
                return False
    return True


def _holds_at(slope, value, contact, pieces, nodes, others) -> bool:
    size = 1 + abs(value) + abs(slope * contact)
    at = _value(contact, pieces, nodes)
    if at is None or not abs(value + at - slope * contact) <= _ERROR * size:
        return False
    return all(
        value + v - slope * point >= -_ERROR * (size + abs(v) + abs(slope * point)) for point, v in others
    )


def _value(point, pieces, nodes):
    near = _ERROR * (1 + abs(point))
    found = [v for n, v in nodes if abs(n - point) <= near]
    found += [f(point) for f, a, b in pieces if a - near < point < b + near and not mpmath.isnan(f(point))]
    return min(found, default=None)

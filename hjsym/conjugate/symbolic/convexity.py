"""Convexity of pieces in one variable: proved, refuted with three points, or unknown.

Convex is: f'' ≥ 0 on each piece, no gap in the domain, no jump and no falling slope at a node inside. A piece that
was recognised as a known pair by its digits is proved to bend up by SymPy's assumptions, by f'' having no zero, or by
f'' being that of the pair symbolically; without one of these the answer is unknown.
"""

import mpmath
import sympy
from sympy import Expr, Rational, Symbol, oo

from hjsym.conjugate.base import Convexity
from hjsym.conjugate.symbolic.defects import Defect, defect_of
from hjsym.conjugate.symbolic.legendre import Arc
from hjsym.conjugate.symbolic.numbers import compiled, probes, to_mpf
from hjsym.conjugate.symbolic.pieces import Pieces
from hjsym.conjugate.symbolic.zeros import has_one_sign, zeros
from hjsym.errors import UndecidedError

__all__ = ["convexity_of", "convexity_without_arcs"]

_DIGITS = 60
_HALVINGS = 60
_SAMPLES = 64


def convexity_of(f: Pieces, arcs: list[Arc]) -> Convexity:
    """The verdict on pieces and on the arcs that they were cut into."""
    try:
        defect = defect_of(f, arcs)
    except UndecidedError as error:
        return Convexity(None, str(error))
    if defect is not None and not defect.at_an_end:
        return Convexity(False, defect.reason, _witness(f, defect))
    for arc in arcs:
        if not _bends_up(arc, f.x):
            return Convexity(
                None, f"f'' agrees in 25 digits with a convex one on ({arc.a}, {arc.b}), which is no proof"
            )
    closed = "" if defect is None else f", but not closed: {defect.reason}"
    return Convexity(True, f"f'' >= 0 on each of {len(arcs)} pieces and slopes rise between them{closed}")


def convexity_without_arcs(f: Pieces, error: UndecidedError) -> Convexity:
    """Where the places at which f bends are not known: refuted by three points of a sample, or unknown."""
    if _has_parameters(f):
        return Convexity(None, str(error))
    points = sorted({p for b in f.branches for p in probes(b.a, b.b, _SAMPLES)})
    with mpmath.workdps(_DIGITS):
        for triple in zip(points, points[1:], points[2:], strict=False):
            if _above_chord(f, triple):
                return Convexity(False, f"it lies above its chord at {triple[1]}", triple)
    return Convexity(None, str(error))


def _bends_up(arc: Arc, x: Symbol) -> bool:
    if arc.bend == 0 or arc.match is None:
        return True  # decided by f'' = 0, or by all zeros of f''
    q = sympy.diff(arc.expr, x, 2)
    if has_one_sign(q, x, arc.a, arc.b) or has_one_sign(sympy.factor(sympy.together(q)), x, arc.a, arc.b):
        return True
    try:
        if not zeros(q, x, arc.a, arc.b):
            return True
    except UndecidedError:
        pass
    return sympy.simplify(q - sympy.diff(arc.match.expr(x), x, 2)) == 0


# ---- witnesses -----------------------------------------------------------------------------------------


def _witness(f: Pieces, defect: Defect) -> tuple[Expr, Expr, Expr] | None:
    """Rational points a < m < b with f(m) above the chord, found near the defect and checked in 60 digits."""
    if _has_parameters(f):
        return None
    with mpmath.workdps(_DIGITS):
        center = _rational(defect.at)
        reach = Rational(1)
        for _ in range(_HALVINGS):
            for points in _triples(center, reach, defect):
                if _above_chord(f, points):
                    return points
            reach /= 2
    return None


def _has_parameters(f: Pieces) -> bool:
    return any((b.expr.free_symbols | b.a.free_symbols | b.b.free_symbols) - {f.x} for b in f.branches)


def _rational(e: Expr) -> Rational:
    return e if e.is_Rational else Rational(str(sympy.N(e, 40)))


def _triples(center, w, defect: Defect):
    yield center - w, center, center + w
    if defect.to is not None:
        to = _rational(defect.to)
        yield center - w, (center + to) / 2, to + w
        yield center, (center + to) / 2, to
        yield center, (center + to) / 2, to + w
        yield center - w, (center + to) / 2, to
    yield center, center + w, center + 2 * w
    yield center - 2 * w, center - w, center


def _above_chord(f: Pieces, points) -> bool:
    a, m, b = points
    left, middle, right = (_value(f, p) for p in points)
    if not (mpmath.isfinite(left) and mpmath.isfinite(right)):
        return False
    share = (m - a) / (b - a)
    chord = left + (right - left) * mpmath.mpf(share.p) / share.q
    return middle > chord + mpmath.mpf(10) ** -40 * (1 + abs(left) + abs(right))


def _value(f: Pieces, point):
    for node, value in f.values.items():
        if point == node:
            return mpmath.inf if value is oo else to_mpf(value)
    at = mpmath.mpf(point.p) / point.q
    for branch in f.branches:
        if to_mpf(branch.a) < at < to_mpf(branch.b):
            return compiled(branch.expr, f.x)(at)
    return mpmath.inf

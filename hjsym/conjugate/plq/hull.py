"""Conjugates of piecewise quadratic functions that need not be convex, and so their convex hulls.

f is the least of its convex pieces and of points (ends of the others), so f* is the largest of their conjugates,
which are PLQ; in the order of x any two of these cross once, at the slope of the common tangent, and a stack keeps
those that are somewhere largest, as for the hull of points.
"""

import math
from fractions import Fraction

import numpy as np

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.plq.graph import PLQ
from tropical._arrays import EXACT
from tropical.errors import InputError

__all__ = ["conjugate_of_pieces"]


def conjugate_of_pieces(parts: list[tuple]) -> ConvexFunction:
    """f* of a x² + b x + c on [t, t'], given as rows (t, t', a, b, c) from left to right."""
    if not parts:
        return Improper(-math.inf, 1)
    left = 2 * parts[0][2] if parts[0][0] == -math.inf else math.inf
    right = 2 * parts[-1][2] if parts[-1][1] == math.inf else math.inf
    if left < 0 or right < 0:
        return Improper(math.inf, 1, True)
    low = parts[0][3] if left == 0 else -math.inf
    high = parts[-1][3] if right == 0 else math.inf
    if low > high:
        return Improper(math.inf, 1, True)
    duals = [e.conjugate() for e in _elements(parts)]
    if low == high:
        at = np.array([low], duals[0].x.dtype)
        value = max(d._values(at[:, None])[0] for d in duals)
        return PLQ(at, 0 * at, value, math.inf, math.inf, of_hull=True)
    return _assembled(_scan(duals, low, high), low, high)


def _elements(parts: list[tuple]) -> list[PLQ]:
    """Convex pieces, and the finite ends of the others, from left to right."""
    found: list[PLQ] = []
    for lo, hi, a, b, c in parts:
        ends = [e for e in (lo, hi) if math.isfinite(e)]
        if a > 0 or (a == 0 and len(ends) < 2) or (a == 0 and lo != hi):
            x = np.array(ends or [0 * a])
            s, value = 2 * a * x + b, (a * x[0] + b) * x[0] + c
            left = math.inf if math.isfinite(lo) else 2 * a
            right = math.inf if math.isfinite(hi) else 2 * a
            found.append(PLQ(x, s, value, left, right))
        else:
            points = dict.fromkeys(ends)
            found += [
                PLQ(np.array([e]), np.array([0 * e]), (a * e + b) * e + c, math.inf, math.inf) for e in points
            ]
    return found


def _scan(duals: list[PLQ], low, high) -> list[tuple[PLQ, object]]:
    """Those that are largest somewhere, each with the slope from which on it is."""
    stack: list[tuple[PLQ, object]] = []
    for q in duals:
        start = low
        while stack:
            start = _crossing(stack[-1][0], q, low, high)
            if start > stack[-1][1] or (len(stack) == 1 and start > low):
                break
            stack.pop()
            start = low
        if start < high or not stack:
            stack.append((q, start))
    return stack


def _crossing(p: PLQ, q: PLQ, low, high):
    """The least slope in [low, high] from which on q ≥ p; q − p rises."""
    ends = [e for e in (low, high) if math.isfinite(e)]
    cuts = np.concatenate([p.x, q.x, np.array(ends, p.x.dtype)])
    cuts = np.sort(cuts[(cuts >= low) & (cuts <= high)])
    if not len(cuts):
        cuts = np.array([0 * p.value], p.x.dtype)
    gaps = q._values(cuts[:, None]) - p._values(cuts[:, None])
    ahead = np.flatnonzero(gaps >= 0)
    if not len(ahead):
        return high if math.isfinite(high) else _root(p, q, cuts[-1], gaps[-1], 1)
    k = ahead[0]
    if gaps[k] == 0 and k > 0:
        return cuts[k]
    if k == 0:
        return low if math.isfinite(low) else _root(p, q, cuts[0], gaps[0], -1)
    return _root(p, q, cuts[k - 1], gaps[k - 1], 1)


def _root(p: PLQ, q: PLQ, at, gap, side: int):
    """Where q − p, of one quadratic beside `at` (to the right for side 1), is 0; `side`·inf where it is nowhere."""
    beside = np.array([at], p.x.dtype)
    slope = (q.slopes(beside)[side > 0] - p.slopes(beside)[side > 0])[0]
    bend = _bend(q, at, side) - _bend(p, at, side)
    gap, slope = side * gap, slope  # in w = side·(y − at) ≥ 0: side·(q − p) = gap + slope w + side·bend w²/2
    if gap == 0 and side < 0:
        return at if slope > 0 or bend != 0 else side * math.inf
    bend = side * bend
    if bend == 0:
        return at - side * gap / slope if slope > 0 and -gap / slope >= 0 else side * math.inf
    square = slope * slope - 2 * gap * bend
    if square < 0:
        return side * math.inf
    root = _square_root(square)
    steps = [2 * -gap / (slope + root) if slope + root != 0 else math.inf, (-slope - root) / bend]
    steps = [w for w in steps if w >= 0]
    return at + side * min(steps) if steps else side * math.inf


def _bend(f: PLQ, at, side: int):
    k = int(np.searchsorted(f.x, at, "right" if side > 0 else "left")) - (1 if side > 0 else 0)
    bend = f._curvatures[k + 1 if side > 0 else k]
    return 0 if bend == math.inf else bend


def _square_root(v):
    if not isinstance(v, Fraction):
        return math.sqrt(v)
    top, bottom = math.isqrt(v.numerator), math.isqrt(v.denominator)
    if top * top != v.numerator or bottom * bottom != v.denominator:
        raise InputError(
            f"a common tangent needs the square root of {v}, which is irrational; pass floats, or a SymPy Piecewise"
        )
    return Fraction(top, bottom)


def _assembled(stack: list[tuple[PLQ, object]], low, high) -> PLQ:
    """The graph of the maximum."""
    x, s = [], []
    starts = [start for _, start in stack] + [high]
    for (f, start), stop in zip(stack, starts[1:], strict=True):
        inside = (f.x > start) & (f.x < stop)
        begin = [start] if math.isfinite(start) else []
        end = [stop] if math.isfinite(stop) else []
        dtype = f.x.dtype
        first = f.slopes(np.array(begin, dtype))[1]
        last = f.slopes(np.array(end, dtype))[0]
        x += [*begin, *f.x[inside], *end]
        s += [*first, *f.s[inside], *last]
        if not x:
            x, s = [0 * f.value], list(f.slopes(np.array([0 * f.value], dtype))[0])
    keep = [k for k, e in enumerate(s) if math.isfinite(e)]
    dtype = stack[0][0].x.dtype
    x, s = np.array([x[k] for k in keep], dtype), np.array([s[k] for k in keep], dtype)
    if dtype != EXACT:
        x, s = np.maximum.accumulate(x), np.maximum.accumulate(s)
    first, last = stack[0][0], stack[-1][0]
    value = max(f._values(x[:1, None])[0] for f, _ in (stack[0], stack[min(1, len(stack) - 1)]))
    left = math.inf if math.isfinite(low) else first.left
    right = math.inf if math.isfinite(high) else last.right
    return PLQ(x, s, value, left, right, of_hull=True)

"""Rational functions in one variable, exactly: zeros and poles, and where numerator and denominator are equal."""

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from tropical.roots import Number, exact_roots, hull_terms, multiplicity, rounded

if TYPE_CHECKING:
    from tropical.rational import Rational

__all__ = ["decision_boundary", "reduced_roots", "zeros_and_poles"]

Jumps = list[tuple[Fraction | float, Fraction]]


def reduced_roots(f: "Rational") -> tuple[Jumps, Jumps]:
    """Roots of P and of Q that are left when common ones cancel, ascending, with multiplicities."""
    jumps: dict[Fraction | float, Fraction] = {}
    for p, sign in ((f.P, 1), (f.Q, -1)):
        hull = hull_terms(p)
        for root, jump in [(f.P.semiring.zero, hull[0][0]), *exact_roots(p, hull)]:
            jumps[root] = jumps.get(root, Fraction(0)) + sign * jump
    ordered = sorted(jumps.items())
    return [(r, m) for r, m in ordered if m > 0], [(r, -m) for r, m in ordered if m < 0]


def zeros_and_poles(f: "Rational") -> tuple[list[tuple[Number, Number]], list[tuple[Number, Number]]]:
    return tuple(
        [(r if isinstance(r, float) else rounded(f.P, r), multiplicity(f.P, m)) for r, m in found]
        for found in reduced_roots(f)
    )


def decision_boundary(f: "Rational") -> list[tuple[Number, Number]]:
    """The closed intervals on which P = Q, ascending; a single point is an interval of length 0."""
    found: list[list[Fraction | float]] = []
    for lower, upper, slope, intercept in _pieces(f):
        if slope:
            root = -intercept / slope
            if not lower <= root <= upper:
                continue
            lower = upper = root
        elif intercept:
            continue
        if found and found[-1][1] == lower:
            found[-1][1] = upper
        else:
            found.append([lower, upper])
    return [tuple(v if isinstance(v, float) else rounded(f.P, v) for v in pair) for pair in found]


def _pieces(f: "Rational"):
    """Intervals (lower, upper) with the slope and intercept of f there, from left to right."""
    sign, parts = f.P.semiring.sign, (f.P, f.Q)
    hulls = [hull_terms(p)[::sign] for p in parts]
    ends = [
        [*(r for r, _ in exact_roots(p, hull[::sign])[::sign]), math.inf]
        for p, hull in zip(parts, hulls, strict=True)
    ]
    cuts = [-math.inf, *sorted({r for some in ends for r in some})]
    at = [0, 0]
    for lower, upper in pairwise(cuts):
        at = [k + (some[k] <= lower) for k, some in zip(at, ends, strict=True)]
        (w, b), (v, c) = (hull[k] for k, hull in zip(at, hulls, strict=True))
        yield lower, upper, w - v, b - c

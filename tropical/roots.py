"""Tropical polynomials in one variable: roots, split form, linear factors, interpolation. All decided exactly.

The graph of max_j (W_j·x + b_j) bends where two edges of the upper hull of the points (W_j, b_j) meet, and the jump
of the slope there is the multiplicity of the root (for min, the lower hull). Floats are dyadic numbers: the hull is
that of their exact values, and what is returned is rounded once, to nearest.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from tropical._algebra import check_budget
from tropical._arrays import EXACT, as_array, convert, is_exact, is_finite, refuse_where, to_floats
from tropical._upper_chain import hull_rows
from tropical.errors import InputError, ShapeError
from tropical.polynomial import Polynomial
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["factor", "from_roots", "interpolate", "is_split", "roots", "split_form"]

Number = int | float | Fraction
Term = tuple[Fraction, Fraction]


def roots(p: Polynomial) -> list[tuple[Number, Number]]:
    """The roots of a polynomial in one variable, ascending, each with its multiplicity.

    A root is a point where the dominant monomial changes; its multiplicity is the jump of the slope, a whole number
    (`int`) if the exponents are. A lowest exponent w > 0 makes the semiring's zero (−∞ for max, +∞ for min) a root
    of multiplicity w. Multiplicities then sum to the degree.

    Returns
    -------
    list of (root, multiplicity)
        Fractions if p is exact; else floats, each root the float nearest to the exact root of the float polynomial.

    Raises
    ------
    ShapeError
        More variables than one.
    InputError
        ε > 0, the zero polynomial (whose roots are all numbers), an infinite coefficient that is not the zero, or a
        root beyond the floats.

    Notes
    -----
    Cost N log N, for floats mostly in floats: orientations too close to call are decided in Fractions.

    Examples
    --------
    >>> Polynomial([0, 1, 3], [1, 4, 0]).roots()              # 0x³ + 4x + 1
    [(-3.0, 1), (2.0, 2)]
    """
    hull = hull_terms(p)
    found = [(rounded(p, root), multiplicity(p, jump)) for root, jump in exact_roots(p, hull)]
    if (lowest := hull[0][0]) > 0:
        found.insert(0, (p.semiring.zero, multiplicity(p, lowest)))
    return found[:: p.semiring.sign]


def split_form(p: Polynomial) -> Polynomial:
    """The fullest polynomial with the same function: all whole powers between the lowest and the highest.

    Over max-plus its coefficients are the largest, over min-plus the smallest, that leave the function as it is.
    In floats they are rounded once. Exponents must be whole.

    Parameters
    ----------
    p : Polynomial in one variable
        At ε = 0, with whole exponents.

    Returns
    -------
    Polynomial

    Examples
    --------
    >>> print(split_form(Polynomial([0, 1, 3], [1, 4, 0])))
    1 ⊕ 4 x1 ⊕ 2 x1^2 ⊕ x1^3
    """
    return _polynomial(p, _split_terms(p))


def is_split(p: Polynomial) -> bool:
    """Whether p, as it is written, is the product of linear factors: whether it equals its split form.

    Duplicates count as merged. Decided exactly.

    >>> from tropical import MIN_PLUS
    >>> [is_split(Polynomial([0, 1, 2], b, MIN_PLUS)) for b in ([4, 3, 2], [4, 4, 2])]
    [True, False]
    """
    merged = p.to_exact().merge()
    return _split_terms(p) == sorted(
        zip(merged.slopes[:, 0].tolist(), merged.coefficients.tolist(), strict=True)
    )


def factor(p: Polynomial) -> tuple[Number, list[tuple[Polynomial, Number]]]:
    """The constant c and the linear factors x ⊕ r with multiplicities m: p = c ⊗ ⊗(x ⊕ r)^m as functions.

    Every polynomial in one variable has these factors as a function; as it is written only if `is_split`. The root
    at the semiring's zero, or negative exponents, give the factor x.

    Examples
    --------
    >>> lead, factors = factor(Polynomial([0, 1, 3], [1, 4, 0]))
    >>> lead, [(str(q), m) for q, m in factors]
    (0.0, [('x1 ⊕ -3', 1), ('x1 ⊕ 2', 2)])
    """
    hull = hull_terms(p)
    lowest, (_, lead), x = hull[0][0], hull[-1], (Fraction(1), Fraction(0))
    factors = [([x], lowest)] if lowest else []
    factors += [([x, (Fraction(0), r)], jump) for r, jump in exact_roots(p, hull)[:: p.semiring.sign]]
    return rounded(p, lead), [(_polynomial(p, terms), multiplicity(p, m)) for terms, m in factors]


def from_roots(
    roots: Iterable[Number | tuple[Number, Number]], lead: Number = 0, semiring: Semiring = MAX_PLUS
) -> Polynomial:
    """lead ⊗ ⊗(x ⊕ r)^m, as the polynomial with the fewest monomials.

    Parameters
    ----------
    roots : iterable of numbers or of (root, multiplicity)
        Multiplicities are positive reals, 1 where left out. The semiring's zero is a root of x.
    lead : number
        The coefficient of the highest power.

    Returns
    -------
    Polynomial
        Exact if any number is; else float64, rounded once.

    Examples
    --------
    >>> print(from_roots([-3, (2, 2)]))
    1 ⊕ 4 x1 ⊕ x1^3
    """
    if not semiring.is_tropical:
        raise InputError(f"roots make a polynomial at eps = 0, got {semiring}; deform the result")
    pairs = [r if isinstance(r, tuple) else (r, 1) for r in roots]
    if any(len(pair) != 2 for pair in pairs):
        raise ShapeError("roots holds a tuple that is not (root, multiplicity); pass numbers or pairs")
    numbers = as_array("roots", [lead, *(v for pair in pairs for v in pair)])
    refuse_where(numbers != numbers, "roots", numbers, "a root must not be NaN")
    exact, (lead, *flat) = is_exact(numbers), convert(numbers, EXACT).tolist()
    if not isinstance(lead, Fraction):
        raise InputError(f"lead is {lead}; pass a finite number")
    merged: dict[Number, Fraction] = {}
    for root, times in zip(flat[::2], flat[1::2], strict=True):
        if not isinstance(times, Fraction) or times <= 0:
            raise InputError(f"root {root} has multiplicity {times}; pass a finite number > 0")
        if root == -semiring.zero:
            raise InputError(f"a root is {root}; pass finite numbers or the semiring's zero {semiring.zero}")
        merged[root] = merged.get(root, Fraction(0)) + times
    terms = [(sum(merged.values(), Fraction(0)), lead)]
    for root in sorted(merged, reverse=semiring.sign > 0):
        if root != semiring.zero:
            slope, coefficient = terms[-1]
            terms.append((slope - merged[root], coefficient + merged[root] * root))
    return _make(terms[::-1], exact, semiring)


def interpolate(points: ArrayLike, semiring: Semiring = MAX_PLUS) -> Polynomial:
    """The polynomial through given points whose roots are among their abscissae (tropical Lagrange interpolation).

    Between neighbours it is linear, and beyond the outermost points it goes on as beside them; except that on the
    side of the semiring's zero (left for max, right for min) a slope > 0 ends in a constant, so that slopes are
    those of a polynomial with constant term wherever the points allow it.

    Parameters
    ----------
    points : (n, 2) array
        Pairs (x, y) with different x, in any order. Exact input gives an exact polynomial; in floats exponents and
        coefficients are rounded once, and the points are met to that rounding.

    Raises
    ------
    InputError
        Points that are not convex (max) or concave (min): no polynomial meets them. Equal abscissae.

    Examples
    --------
    >>> from tropical import MIN_PLUS
    >>> print(interpolate([(-2, -3), (1, 3), (2, 4)], MIN_PLUS))
    4 ⊕ 2 x1 ⊕ 1 x1^2
    """
    if not semiring.is_tropical:
        raise InputError(f"points determine a polynomial at eps = 0, got {semiring}; deform the result")
    array = as_array("points", points)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise ShapeError(f"points have shape {array.shape}; pass (n, 2) with n >= 1, rows (x, y)")
    refuse_where(~is_finite(array), "points", array, "points must be finite")
    ordered = sorted(map(tuple, convert(array, EXACT).tolist()))
    slopes = []
    for (x, y), (u, v) in pairwise(ordered):
        if x == u:
            raise InputError(f"two points have x = {x}; pass points with different x")
        slopes.append((v - y) / (u - x))
    for k, (before, after) in enumerate(pairwise(slopes)):
        if semiring.sign * (after - before) < 0:
            shape = "convex" if semiring.sign > 0 else "concave"
            where = ", ".join(map(str, ordered[k + 1]))
            raise InputError(
                f"the points are not {shape} at ({where}): no polynomial over {semiring} meets them"
            )
    terms = {s: y - s * x for s, (x, y) in zip(slopes, ordered, strict=False)}
    end, beside = (ordered[0], slopes[:1]) if semiring.sign > 0 else (ordered[-1], slopes[-1:])
    if not beside or beside[0] > 0:
        terms[Fraction(0)] = end[1]
    return _make(sorted(terms.items()), is_exact(array), semiring)


# ---- exactly -------------------------------------------------------------------------------------------


def hull_terms(p: Polynomial) -> list[Term]:
    """The monomials (slope, coefficient) that alone are the value somewhere, exact, by ascending slope."""
    if p.variables != 1:
        raise ShapeError(
            f"the polynomial has {p.variables} variables; roots and split forms are those of one"
        )
    if not p.semiring.is_tropical:
        raise InputError(f"roots and split forms need eps = 0, got {p.semiring}; use deform(0)")
    infinite = p.coefficients == -p.semiring.zero
    refuse_where(
        infinite, "coefficients", p.coefficients, "a function that is infinite everywhere has no roots"
    )
    if not (rows := hull_rows(p)):
        raise InputError("this is the zero polynomial, of which every number is a root; pass another")
    exact = [convert(a[rows], EXACT).tolist() for a in (p.slopes[:, 0], p.coefficients)]
    return list(zip(*exact, strict=True))


def exact_roots(p: Polynomial, hull: list[Term]) -> list[tuple[Fraction, Fraction]]:
    """Finite roots and multiplicities in Fractions, by ascending slope: ascending for max, descending for min."""
    return [((c - d) / (v - w), v - w) for (w, c), (v, d) in pairwise(hull)]


def _split_terms(p: Polynomial) -> list[Term]:
    hull = hull_terms(p)
    slopes = p.slopes[p.coefficients != p.semiring.zero]
    refuse_where(slopes != np.floor(slopes), "slopes", slopes, "a split form needs whole exponents")
    check_budget(
        int(hull[-1][0] - hull[0][0]) + 1, "split form", "use from_roots(p.roots()), which has no fill"
    )
    terms = hull[:1]
    for (w, c), (v, d) in pairwise(hull):
        rise = (d - c) / (v - w)
        terms += [(w + k, c + k * rise) for k in range(1, int(v - w) + 1)]
    return terms


# ---- numbers out ---------------------------------------------------------------------------------------


def rounded(p: Polynomial, value: Fraction) -> Number:
    return value if p.is_exact else to_floats(np.array(value)).item()


def multiplicity(p: Polynomial, jump: Fraction) -> Number:
    return jump.numerator if jump.denominator == 1 else rounded(p, jump)


def _polynomial(p: Polynomial, terms: list[Term]) -> Polynomial:
    return _make(terms, p.is_exact, p.semiring)


def _make(terms: list[Term], exact: bool, semiring: Semiring) -> Polynomial:
    array = np.array(terms, dtype=object)
    if not exact:
        array = to_floats(array)
    return Polynomial(array[:, :1], array[:, 1], semiring)

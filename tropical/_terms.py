"""Tropical polynomials from and to dictionaries; equal slopes merged; the normal form; equality of functions."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tropical._algebra import drop_zeros, operand, with_terms
from tropical._arrays import EXACT, as_array, convert, is_number, to_floats
from tropical._dominance import Terms
from tropical._upper_chain import hull_rows
from tropical.errors import InputError, ShapeError

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial

__all__ = ["equals", "equals_up_to_scaling", "merge", "normal_form", "read_dict", "same_terms", "to_dict"]

ExactTerms = dict[tuple, Fraction | float]


def read_dict(terms: Mapping, variables: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and coefficients of a dictionary from exponents to coefficients."""
    rows = [(key,) if is_number(key) else tuple(key) for key in terms]
    if not rows and variables is None:
        raise InputError(
            "the dictionary is empty, which leaves the number of variables open; pass variables="
        )
    variables = len(rows[0]) if variables is None else variables
    for row in rows:
        if len(row) != variables:
            raise ShapeError(
                f"exponents {row} are {len(row)} numbers; pass {variables}, one for each variable"
            )
    slopes = as_array("exponents", np.array(rows, dtype=object).reshape(len(rows), variables).tolist())
    coefficients = as_array("coefficients", list(terms.values()))
    return slopes.reshape(len(rows), variables), coefficients


def to_dict(p: "Polynomial") -> dict[tuple, object]:
    merged = merge(p)
    return dict(zip(map(tuple, merged.slopes.tolist()), merged.coefficients.tolist(), strict=True))


def merge(p: "Polynomial") -> "Polynomial":
    p = drop_zeros(p)
    if p.is_exact:
        return with_terms(p, *_columns(list(_exact_terms(p).items()), p.variables))
    if not len(p):
        return p
    # Sorted by slope, then by coefficient, so that the sum of equals does not depend on their order.
    order = np.lexsort((p.coefficients, *p.slopes.T[::-1]))
    slopes = p.slopes[order]
    first = np.append(True, (slopes[1:] != slopes[:-1]).any(axis=1))
    starts = np.flatnonzero(first)
    sums = _sum_groups(p, p.coefficients[order], starts, np.cumsum(first) - 1)
    appearance = np.argsort(np.minimum.reduceat(order, starts), kind="stable")
    return with_terms(p, slopes[starts][appearance], sums[appearance].astype(p.dtype))


def _sum_groups(p: "Polynomial", b: np.ndarray, starts: np.ndarray, group: np.ndarray) -> np.ndarray:
    """⊕ over each group of consecutive coefficients, of which none is the zero."""
    sign, eps = p.semiring.sign, p.semiring.eps
    top = np.maximum.reduceat(sign * b, starts)
    if not eps:
        return sign * top
    with np.errstate(invalid="ignore", over="ignore"):  # ∞ − ∞ where both are the top
        gaps = np.where(sign * b == top[group], 0.0, (sign * b - top[group]) / eps)
    return sign * (top + eps * np.log(np.add.reduceat(np.exp(gaps), starts)))


def normal_form(p: "Polynomial") -> "Polynomial":
    p, infinite = merge(p), -p.semiring.zero
    if (p.coefficients == infinite).any():
        return operand(p, infinite)
    if p.semiring.is_tropical:
        p = _keep(p, _essential(p))
    return _keep(p, sorted(range(len(p)), key=p.slopes.tolist().__getitem__))


def _keep(p: "Polynomial", rows: list[int]) -> "Polynomial":
    return with_terms(p, p.slopes[rows], p.coefficients[rows])


def _essential(p: "Polynomial") -> list[int]:
    """Those of distinct monomials that are somewhere larger (smaller for min) than every other, exactly."""
    if p.variables == 1:
        return hull_rows(p)
    from tropical.pruning import essential

    return essential(p)


# ---- equality ------------------------------------------------------------------------------------------


def same_terms(p: "Polynomial", q) -> bool:
    q = operand(p, q)
    return _sorted_terms(p) == _sorted_terms(q)


def equals(p: "Polynomial", q) -> bool:
    q = operand(p, q)
    if not p.semiring.is_tropical:
        return same_terms(p, q)
    p, q = (drop_zeros(f).to_exact() for f in (p, q))
    infinite = [(f.coefficients == -f.semiring.zero).any() for f in (p, q)]
    if any(infinite):
        return all(infinite)
    if p.variables == 1:
        p, q = _keep(p, hull_rows(p)), _keep(q, hull_rows(q))
        return p.slopes.tolist() == q.slopes.tolist() and p.coefficients.tolist() == q.coefficients.tolist()
    from tropical.pruning import hull_is_cheap

    if _exact_terms(p) == _exact_terms(q):
        return True
    if hull_is_cheap(p) and hull_is_cheap(q):
        return same_terms(normal_form(p), normal_form(q))
    return _below(p, q) and _below(q, p)


def equals_up_to_scaling(p: "Polynomial", q) -> Fraction | float | None:
    q = operand(p, q)
    exact, sign = p.is_exact and q.is_exact, p.semiring.sign
    tops = [max((sign * drop_zeros(f).coefficients).tolist(), default=None) for f in (p, q)]
    if None in tops or np.inf in tops:
        return (Fraction(0) if exact else 0.0) if tops[0] == tops[1] else None
    constant = sign * (Fraction(tops[0]) - Fraction(tops[1]))
    shifted = convert(drop_zeros(q).coefficients, EXACT) + constant
    if p.semiring.is_tropical:
        equal = equals(p, with_terms(p, drop_zeros(q).slopes, shifted))
    else:
        equal = _sorted_terms(p) == sorted(zip(drop_zeros(q).slopes.tolist(), shifted, strict=True))
    return (constant if exact else to_floats(np.array(constant)).item()) if equal else None


def _below(p: "Polynomial", q: "Polynomial") -> bool:
    """Whether p(x) ≤ q(x) for all x (≥ for min), of exact polynomials with finite coefficients, at ε = 0."""
    theirs, sign = _exact_terms(q), p.semiring.sign
    ours = [(w, b) for w, b in _exact_terms(p).items() if w not in theirs or sign * b > sign * theirs[w]]
    slopes, coefficients = _columns([*ours, *theirs.items()], p.variables)
    terms, others = Terms(slopes, sign * coefficients), range(len(ours), len(coefficients))
    return all(terms.is_dominated(j, others)[0] for j in range(len(ours)))


def _sorted_terms(p: "Polynomial") -> list[tuple[list, object]]:
    p = drop_zeros(p)
    return sorted(zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True))


def _exact_terms(p: "Polynomial") -> ExactTerms:
    """Coefficient by slope, equal ones merged, of an exact polynomial; in order of appearance."""
    terms: ExactTerms = {}
    better = max if p.semiring.sign > 0 else min
    for slope, b in zip(map(tuple, p.slopes.tolist()), p.coefficients.tolist(), strict=True):
        terms[slope] = better(terms[slope], b) if slope in terms else b
    return terms


def _columns(terms: Sequence[tuple[tuple, object]], variables: int) -> tuple[np.ndarray, np.ndarray]:
    slopes = np.array([w for w, _ in terms], dtype=object).reshape(len(terms), variables)
    coefficients = np.empty(len(terms), dtype=object)
    coefficients[:] = [b for _, b in terms]
    return slopes, coefficients

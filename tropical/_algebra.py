"""Algebra of tropical polynomials as lists of terms: ⊕, ⊗, powers, composition.

A Fraction, or another exact number, makes its result exact; floats and integers leave floats what they are.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from tropical._arrays import EXACT, as_array, common_dtype, convert, is_number
from tropical.errors import BudgetExceeded, InputError, SemiringMismatchError, ShapeError

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial

__all__ = [
    "add",
    "check_budget",
    "compose",
    "compose_one",
    "coordinates",
    "divide",
    "drop_zeros",
    "multiply",
    "operand",
    "power",
    "with_terms",
]

_MAX_TERMS = 10**7  # of a product, power or composition: beyond it the arrays alone pass a gigabyte


def operand(p: "Polynomial", other) -> "Polynomial":
    """`other` as a polynomial that fits p; a number is a constant."""
    if is_number(other):
        constant = as_array("constant", other, default=p.dtype).reshape(1)
        return with_terms(p, np.zeros((1, p.variables), constant.dtype), constant)
    if not isinstance(other, type(p)):
        raise InputError(f"got a {type(other).__name__}; pass a {type(p).__name__} or a number")
    if other.semiring != p.semiring:
        raise SemiringMismatchError(
            f"one polynomial is over {p.semiring}, the other over {other.semiring}; deform one of them first"
        )
    if other.variables != p.variables:
        raise ShapeError(
            f"one polynomial has {p.variables} variables, the other {other.variables}; give both the same"
        )
    return other


def add(p: "Polynomial", other) -> "Polynomial":
    if not (isinstance(other, type(p)) or is_number(other)):
        return NotImplemented
    return _join(p, [p, operand(p, other)])


def multiply(p: "Polynomial", other) -> "Polynomial":
    if not (isinstance(other, type(p)) or is_number(other)):
        return NotImplemented
    p, q = _alike(p, operand(p, other))
    check_budget(len(p) * len(q), "product of polynomials")
    slopes = p.slopes[:, None] + q.slopes[None]
    coefficients = p.semiring.mul(p.coefficients[:, None], q.coefficients[None])
    return with_terms(p, slopes.reshape(-1, p.variables), coefficients.reshape(-1))


def divide(p: "Polynomial", other):
    from tropical.rational import Rational

    if not (isinstance(other, type(p)) or is_number(other)):
        return NotImplemented
    return Rational(p, operand(p, other))


def power(p: "Polynomial", exponent: Real) -> "Polynomial":
    if not is_number(exponent):
        return NotImplemented
    k = int(exponent) if isinstance(exponent, Integral) else as_array("power", exponent).item()
    if not math.isfinite(k):
        raise InputError(f"power {k}; pass a finite exponent")
    if not p.semiring.is_tropical and k == int(k):
        k = int(k)
    if k < 0 and len(p) != 1:
        raise InputError(f"power {k}: a sum has no negative power that is a polynomial; use 1 / p**{-k}")
    if k < 0 and p.coefficients[0] == p.semiring.zero:
        raise InputError(f"power {k} of the zero polynomial; only positive powers of it exist")
    if k == 0:
        return operand(p, 0)
    if p.semiring.is_tropical or len(p) == 1:
        dtype = common_dtype(p.dtype, as_array("power", k, default=p.dtype).dtype)
        factor = convert(np.array(k), dtype).item() if dtype == EXACT else k
        return with_terms(
            p,
            (convert(p.slopes, dtype) * factor).astype(dtype),
            (convert(p.coefficients, dtype) * factor).astype(dtype),
        )
    if k != int(k):
        raise InputError(
            f"power {k} at eps = {p.semiring.eps:g}: a·LSE_ε(z) = LSE_aε(a·z) changes the temperature; "
            f"scale the entries by {k} and deform to {float(k) * p.semiring.eps:g} instead"
        )
    return _multinomial(p, k)


def _multinomial(p: "Polynomial", k: int) -> "Polynomial":
    check_budget(_power_size(p, k), "power of a polynomial")
    log_factorial = np.array([math.lgamma(i + 1) for i in range(k + 1)])
    chosen = list(itertools.combinations_with_replacement(range(len(p)), k))
    counts = np.array([np.bincount(c, minlength=len(p)) for c in chosen]).reshape(-1, len(p))
    log_multinomial = log_factorial[k] - log_factorial[counts].sum(axis=1)
    used = np.where(counts > 0, p.coefficients, 0.0)  # keeps 0·(−∞) out
    coefficients = (counts * used).sum(axis=1) + p.semiring.sign * p.semiring.eps * log_multinomial
    return with_terms(p, (counts @ p.slopes).astype(p.dtype), coefficients.astype(p.dtype))


# ---- composition ---------------------------------------------------------------------------------------


def compose(polynomials: Sequence["Polynomial"], inner: Sequence):
    """p(q_1, …, q_d) for each of `polynomials`, over one common denominator: ([numerators], denominator).

    Each term is b_j ⊗ ⊗_k q_k^{W_jk}. Monomials q_k are put in at once; the others, by distinct powers. Where a
    sum q_k has negative powers, all numerators and the denominator carry it to minus the lowest.
    """
    from tropical.rational import Rational

    p = polynomials[0]
    if len(inner) != p.variables:
        raise ShapeError(f"got {len(inner)} functions for {p.variables} variables; pass one for each")
    if any(isinstance(f, Rational) for f in inner):  # f^w = P^w ⊗ Q^{−w}
        parts = [f if isinstance(f, Rational) else Rational(f, f**0) for f in _fitting(p, inner)]
        doubled = [with_terms(p, np.hstack([p.slopes, -p.slopes]), p.coefficients) for p in polynomials]
        return compose(doubled, [f.P for f in parts] + [f.Q for f in parts])
    alike = _alike(*map(drop_zeros, [*polynomials, *_fitting(p, inner)]))
    polynomials, inner = alike[: len(polynomials)], alike[len(polynomials) :]
    dtype = common_dtype(polynomials[0].dtype, inner[0].dtype)
    sums = [k for k, q in enumerate(inner) if len(q) != 1]
    lowest = {k: min([0, *(v for p in polynomials for v in p.slopes[:, k].tolist())]) for k in sums}
    if empty := [k for k in sums if not len(inner[k]) and lowest[k]]:
        raise InputError(f"variable {empty[0]} has negative exponents, and what replaces it is the zero")
    grouped = [_by_powers(p, sums, lowest) for p in polynomials]
    check_budget(
        sum(
            len(rows) * math.prod(_power_size(inner[k], w) for k, w in zip(sums, powers, strict=True))
            for groups in grouped
            for powers, rows in groups.items()
        ),
        "composition",
    )
    numerators = []
    for p, groups in zip(polynomials, grouped, strict=True):
        monomials = _put_in_monomials(p, inner, dtype)
        parts = [
            _times_powers(
                with_terms(monomials, monomials.slopes[rows], monomials.coefficients[rows]),
                [inner[k] for k in sums], powers,
            )
            for powers, rows in groups.items()
        ]  # fmt: skip
        numerators.append(_join(monomials, parts))
    one = operand(inner[0], convert(np.zeros(()), dtype).item())
    return numerators, _times_powers(one, [inner[k] for k in sums], [-lowest[k] for k in sums])


def compose_one(p: "Polynomial", inner: Sequence):
    from tropical.rational import Rational

    (numerator,), denominator = compose([p], inner)
    whole = len(denominator) == 1 and not any(isinstance(f, Rational) for f in inner)
    return numerator if whole else Rational(numerator, denominator)


def coordinates(p: "Polynomial", mapping: Mapping[int, object]) -> list:
    """The variables of p, with those of `mapping` replaced."""
    for k in mapping:
        if not isinstance(k, Integral) or not 0 <= k < p.variables:
            raise InputError(f"there is no variable {k!r}; they are counted from 0 to {p.variables - 1}")
    one, eye = operand(p, 0), convert(np.eye(p.variables), p.dtype)
    return [
        operand(p, mapping[k]) if is_number(mapping.get(k)) else mapping[k] if k in mapping
        else with_terms(p, eye[k : k + 1], one.coefficients)
        for k in range(p.variables)
    ]  # fmt: skip


def _fitting(p: "Polynomial", inner: Sequence) -> list:
    """All of `inner` as functions of the same variables, over the semiring of p; numbers become constants."""
    from tropical.rational import Rational

    first = next((f for f in inner if isinstance(f, (type(p), Rational))), None)
    if first is None:
        raise InputError("none of the functions put in is a polynomial; at numbers, call p(x)")
    first = first.P if isinstance(first, Rational) else first
    if not isinstance(first, type(p)):
        raise InputError("got a Rational of circuits; expand its parts into polynomials first")
    operand(p, with_terms(first, np.zeros((0, p.variables)), np.zeros(0)))  # refuses another semiring
    for f in inner:
        if isinstance(f, Rational):
            operand(first, f.P)
        elif not isinstance(f, type(p)) and not is_number(f):
            raise InputError(f"got a {type(f).__name__}; pass polynomials, rational functions or numbers")
    return [f if isinstance(f, Rational) else operand(first, f) for f in inner]


def _by_powers(p: "Polynomial", sums: list[int], lowest: dict) -> dict[tuple, list[int]]:
    """The rows of p by the powers to which they need the sums."""
    groups: dict[tuple, list[int]] = {}
    for row, slope in enumerate(p.slopes.tolist()):
        groups.setdefault(tuple(slope[k] - lowest[k] for k in sums), []).append(row)
    return groups


def _put_in_monomials(p: "Polynomial", inner: Sequence["Polynomial"], dtype: np.dtype) -> "Polynomial":
    slopes = convert(np.zeros((len(p), inner[0].variables)), dtype)
    coefficients = convert(p.coefficients, dtype)
    for exponents, q in zip(convert(p.slopes, dtype).T, inner, strict=True):
        if len(q) == 1:
            slopes = slopes + exponents[:, None] * q.slopes
            with np.errstate(invalid="ignore"):  # 0·∞, which counts as 0
                shift = np.where(exponents == 0, exponents, exponents * q.coefficients)
            coefficients = p.semiring.mul(coefficients, shift)
    return with_terms(p, slopes, coefficients)


def _times_powers(p: "Polynomial", factors: Sequence["Polynomial"], powers: Sequence) -> "Polynomial":
    for q, k in zip(factors, powers, strict=True):
        if k:
            p = multiply(p, power(q, k))
    return p


def _power_size(p: "Polynomial", k) -> int:
    """How many terms `power` makes, for k ≥ 0."""
    if not k:
        return 1
    whole = len(p) > 1 and not p.semiring.is_tropical and k == int(k)
    return math.comb(len(p) + int(k) - 1, int(k)) if whole else len(p)


# ---- lists of terms ------------------------------------------------------------------------------------


def with_terms(p: "Polynomial", slopes: np.ndarray, coefficients: np.ndarray) -> "Polynomial":
    """These terms over the semiring of p."""
    return replace(p, slopes=slopes, coefficients=coefficients)


def drop_zeros(p: "Polynomial") -> "Polynomial":
    """Without the monomials whose coefficient is the semiring's zero."""
    kept = p.coefficients != p.semiring.zero
    return p if kept.all() else with_terms(p, p.slopes[kept], p.coefficients[kept])


def check_budget(terms: int, stage: str, hint: str = "keep the factors apart in a Circuit") -> None:
    if terms > _MAX_TERMS:
        raise BudgetExceeded(stage, terms, _MAX_TERMS, hint)


def _join(p: "Polynomial", parts: Sequence["Polynomial"]) -> "Polynomial":
    """The terms of all parts; none gives the zero in the variables of p."""
    parts = _alike(*parts) or [with_terms(p, p.slopes[:0], p.coefficients[:0])]
    return with_terms(
        parts[0],
        np.concatenate([q.slopes for q in parts]),
        np.concatenate([q.coefficients for q in parts]),
    )


def _alike(*polynomials: "Polynomial") -> list["Polynomial"]:
    """All exact if one is: a float plus a Fraction would be a float."""
    exact = any(p.is_exact for p in polynomials)
    return [p.to_exact() if exact and not p.is_exact else p for p in polynomials]

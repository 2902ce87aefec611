"""Algebra of tropical polynomials: ⊕, ⊗, powers. Polynomials are seen as lists of terms here."""

import itertools
import math
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from tropical._arrays import EXACT, common_dtype, convert
from tropical.errors import BudgetExceeded, InputError, SemiringMismatchError, ShapeError

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial

__all__ = ["add", "divide", "multiply", "operand", "power"]

_MAX_TERMS = 10**7  # of a product or power: beyond it the arrays alone pass a gigabyte


def operand(p: "Polynomial", other) -> "Polynomial":
    """`other` as a polynomial that fits p; a number is a constant."""
    if isinstance(other, Real):
        dtype = p.dtype
        slopes = convert(np.zeros((1, p.variables)), dtype)
        return _with_terms(p, slopes, convert(np.array([other]), dtype))
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
    if not isinstance(other, (type(p), Real)):
        return NotImplemented
    q = operand(p, other)
    return _with_terms(p, _concatenate(p.slopes, q.slopes), _concatenate(p.coefficients, q.coefficients))


def multiply(p: "Polynomial", other) -> "Polynomial":
    if not isinstance(other, (type(p), Real)):
        return NotImplemented
    q = operand(p, other)
    _check_budget(len(p) * len(q), "product of polynomials")
    slopes = p.slopes[:, None] + q.slopes[None]
    coefficients = p.semiring.mul(p.coefficients[:, None], q.coefficients[None])
    return _with_terms(p, slopes.reshape(-1, p.variables), coefficients.reshape(-1))


def power(p: "Polynomial", exponent: Real) -> "Polynomial":
    if not isinstance(exponent, Real):
        return NotImplemented
    k = exponent
    if not math.isfinite(k):
        raise InputError(f"power {k}; pass a finite exponent")
    if k < 0 and len(p) != 1:
        raise InputError(f"power {k}: a sum has no negative power that is a polynomial; use 1 / p**{-k}")
    if k == 0:
        return operand(p, 0)
    if p.semiring.is_tropical or len(p) == 1:
        dtype = p.dtype
        factor = convert(np.array(k), dtype) if dtype == EXACT else k
        return _with_terms(p, (p.slopes * factor).astype(dtype), (p.coefficients * factor).astype(dtype))
    if k != int(k):
        raise InputError(
            f"power {k} at eps = {p.semiring.eps:g}: a·LSE_ε(z) = LSE_aε(a·z) changes the temperature; "
            f"scale the entries by {k} and deform to {float(k) * p.semiring.eps:g} instead"
        )
    k = int(k)
    _check_budget(math.comb(len(p) + k - 1, k), "power of a polynomial")
    log_factorial = np.array([math.lgamma(i + 1) for i in range(k + 1)])
    chosen = list(itertools.combinations_with_replacement(range(len(p)), k))
    counts = np.array([np.bincount(c, minlength=len(p)) for c in chosen]).reshape(-1, len(p))
    log_multinomial = log_factorial[k] - log_factorial[counts].sum(axis=1)
    used = np.where(counts > 0, p.coefficients, 0.0)  # keeps 0·(−∞) out
    coefficients = (counts * used).sum(axis=1) + p.semiring.sign * p.semiring.eps * log_multinomial
    return _with_terms(p, (counts @ p.slopes).astype(p.dtype), coefficients.astype(p.dtype))


def divide(p: "Polynomial", other):
    from tropical.rational import Rational

    if not isinstance(other, (type(p), Real)):
        return NotImplemented
    return Rational(p, operand(p, other))


def _with_terms(p: "Polynomial", slopes: np.ndarray, coefficients: np.ndarray) -> "Polynomial":
    return replace(p, slopes=slopes, coefficients=coefficients)


def _check_budget(terms: int, stage: str) -> None:
    if terms > _MAX_TERMS:
        raise BudgetExceeded(stage, terms, _MAX_TERMS, "keep the factors apart in a Circuit")


def _concatenate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    dtype = common_dtype(a.dtype, b.dtype)
    return np.concatenate([convert(a, dtype), convert(b, dtype)])

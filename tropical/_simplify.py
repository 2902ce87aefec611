"""Rational functions made smaller, and compared, at ε = 0: exactly."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tropical._algebra import with_terms
from tropical._arrays import EXACT, convert, is_finite
from tropical._bends import reduced_roots
from tropical.errors import BudgetExceeded, InputError
from tropical.pruning import prune
from tropical.roots import from_roots, hull_terms

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial
    from tropical.rational import Rational

__all__ = ["equals", "simplify"]


def equals(f: "Rational", g: "Rational") -> bool:
    parts = [f.P, f.Q, g.P, g.Q]
    if f.P.semiring.is_tropical:
        P, Q, R, S = (p.to_exact().normal_form() for p in parts)
        return (P * S).equals(R * Q)
    # At ε > 0 the lists of terms decide (see Polynomial.equals), and those of the products must not be rounded.
    P, Q, R, S = (p.deform(0.0).to_exact() for p in parts)
    return (P * S).same_terms(R * Q)


def simplify(f: "Rational") -> "Rational":
    if not f.P.semiring.is_tropical:
        raise InputError(f"simplify needs eps = 0, got {f.P.semiring}; at eps > 0 merge P and Q instead")
    P, Q = f.P.normal_form(), f.Q.normal_form()
    if not len(P):
        return type(f)(P, Q**0)
    for p, name in ((P, "P"), (Q, "Q")):
        if not is_finite(p.coefficients).all():
            raise InputError(f"{name} is infinite everywhere; pass finite coefficients")
    exact = type(f)(P.to_exact(), Q.to_exact())
    reduced = _without_common_roots(exact) if f.variables == 1 else _without_common_factor(exact)
    steps = (_without_common_monomial(reduced), _without_common_monomial(exact))
    if f.is_exact:
        return steps[0]
    return next((g.to_float() for g in steps if _fits_floats(g)), type(f)(P, Q))


def _fits_floats(f: "Rational") -> bool:
    """Whether no entry of exact P and Q would round."""
    entries = [v for p in (f.P, f.Q) for a in (p.slopes, p.coefficients) for v in a.flat]
    return all(abs(v) < 2**1000 and Fraction(float(v)) == v for v in entries)


def _without_common_monomial(f: "Rational") -> "Rational":
    """Exponents from 0 on in each variable; the last coefficient of Q is 0."""
    lowest = np.concatenate([f.P.slopes, f.Q.slopes]).min(axis=0)
    height = f.Q.coefficients[-1]
    return type(f)(*(with_terms(p, p.slopes - lowest, p.coefficients - height) for p in (f.P, f.Q)))


def _without_common_roots(f: "Rational") -> "Rational":
    semiring = f.P.semiring
    P, Q = (
        from_roots(some, lead, semiring).to_exact().normal_form()
        for some, lead in zip(reduced_roots(f), (hull_terms(f.P)[-1][1], hull_terms(f.Q)[-1][1]), strict=True)
    )
    return type(f)(P, Q)


def _without_common_factor(f: "Rational") -> "Rational":
    one = f.P**0
    if len(f.P) >= len(f.Q) and (quotient := _divide(f.P, f.Q)) is not None:
        return type(f)(quotient, one)
    if len(f.P) < len(f.Q) and (quotient := _divide(f.Q, f.P)) is not None:
        return type(f)(one, quotient)
    return f


def _divide(P: "Polynomial", Q: "Polynomial") -> "Polynomial | None":
    """R with P = R ⊗ Q as functions, of normal forms, or None.

    Where a monomial p of P alone is the value, one r of R and one q of Q are, and p = r ⊗ q: a point there finds q.
    """
    witnesses = prune(P, return_report=True)[1].witnesses
    quotients: dict[tuple, Fraction] = {}
    for j, point in witnesses.items():
        k = int(Q.argmax(point))
        quotients.setdefault(
            tuple((P.slopes[j] - Q.slopes[k]).tolist()), P.coefficients[j] - Q.coefficients[k]
        )
    slopes = np.array(list(quotients), dtype=object).reshape(len(quotients), P.variables)
    R = with_terms(P, slopes, convert(np.array(list(quotients.values()), dtype=object), EXACT))
    try:
        return R if (R * Q).equals(P) else None
    except BudgetExceeded:  # a product too large to compare: no answer, and nothing cancels
        return None

"""Tropical polynomials as text."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial

__all__ = ["formula", "summary"]

_MOST_TERMS = 12  # that a formula shows


def summary(p: "Polynomial") -> str:
    kind = "exact" if p.is_exact else p.dtype.name
    size = f"{len(p)} monomials in {p.variables} variables"
    return f"<Polynomial: {size} over {p.semiring}, {kind}>"


def formula(p: "Polynomial") -> str:
    if len(p) > _MOST_TERMS:
        return summary(p)
    if not len(p):
        return str(p.semiring.zero)
    return " ⊕ ".join(map(_monomial, p.coefficients, p.slopes))


def _monomial(coefficient, slope) -> str:
    powers = [f"x{k}" if a == 1 else f"x{k}^{_number(a)}" for k, a in enumerate(slope, start=1) if a != 0]
    lead = [] if coefficient == 0 and powers else [_number(coefficient)]
    return " ".join(lead + powers)


def _number(value) -> str:
    return str(value) if not isinstance(value, (float, np.floating)) else f"{value:.6g}"

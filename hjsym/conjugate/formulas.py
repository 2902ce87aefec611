"""Functions of several variables as SymPy expressions, where they have one in closed form."""

from collections.abc import Sequence
from functools import singledispatch

import numpy as np
import sympy

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.entropic import LogSumExp
from hjsym.conjugate.maxaffine import MaxAffine
from hjsym.conjugate.polyhedral import PolyhedralConjugate
from hjsym.conjugate.quadratic import Quadratic
from hjsym.conjugate.radial import Radial
from hjsym.conjugate.separable import Separable
from hjsym.expr import expression
from tropical.errors import InputError

__all__ = ["formula"]


@singledispatch
def formula(f: ConvexFunction, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """f in these symbols; +∞ off its domain where that is not all of R^d."""
    raise InputError(f"{type(f).__name__} is numeric and has no expression; call it, or build it from SymPy")


@formula.register
def _(f: Separable, symbols):
    terms, place = [], 0
    for part in f.parts:
        own = symbols[place : place + part.variables]
        place += part.variables
        if hasattr(part, "piecewise"):  # of one variable, with its domain
            terms.append(part.piecewise.subs(part.symbol, own[0]))
        else:
            terms.append(formula(part, own))
    return sympy.Add(*terms)


@formula.register
def _(f: Quadratic, symbols):
    x = sympy.Matrix(symbols)
    Q, b = _matrix(f.Q), _matrix(f.b[:, None])
    value = sympy.expand((x.T * Q * x)[0] / 2 + (b.T * x)[0] + _number(f.c))
    if not len(f.E):
        return value
    sides = _matrix(f.E) * x
    equations = [sympy.Eq(side, _number(e)) for side, e in zip(sides, f.e, strict=True)]
    return sympy.Piecewise((value, sympy.And(*equations)), (sympy.oo, True))


@formula.register(MaxAffine)
@formula.register(LogSumExp)
def _(f, symbols):
    return expression(f.polynomial, symbols)


@formula.register
def _(f: PolyhedralConjugate, symbols):
    """The maximum over its pieces, on the hull of the slopes."""
    polytope, x = f.domain.polytope, sympy.Matrix(symbols)
    G, h = polytope.halfspaces
    E, e = polytope.equations
    inside = [side <= _number(c) for side, c in zip(_matrix(G) * x, h, strict=True)] if len(G) else []
    inside += (
        [sympy.Eq(side, _number(c)) for side, c in zip(_matrix(E) * x, e, strict=True)] if len(E) else []
    )
    return sympy.Piecewise((expression(f.envelope, symbols), sympy.And(*inside)), (sympy.oo, True))


@formula.register
def _(f: Radial, symbols):
    if f.p != 2 or not hasattr(f.profile, "piecewise"):
        raise InputError(f"{type(f).__name__} of this norm has no expression; call it")
    size = sympy.sqrt(sympy.Add(*(s**2 for s in symbols)))
    return f.profile.piecewise.subs(f.profile.symbol, size)


def _number(value) -> sympy.Expr:
    """A Fraction as it is, a float as the decimal that it prints as where that is short."""
    exact = (
        sympy.Rational(repr(float(value)))
        if isinstance(value, float | np.floating)
        else sympy.Rational(str(value))
    )
    return exact if exact.q <= 10**6 else sympy.Float(float(value))


def _matrix(array: np.ndarray) -> sympy.Matrix:
    return sympy.Matrix([[_number(v) for v in row] for row in array])

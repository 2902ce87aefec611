"""SymPy expressions that are piecewise quadratic, as PLQ functions of numbers."""

import math
from fractions import Fraction

import sympy
from sympy import Expr, Symbol

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.plq.pieces import piecewise_quadratic
from hjsym.conjugate.symbolic.pieces import split
from hjsym.expr import symbolic
from tropical.errors import InputError

__all__ = ["plq_from_expression"]


def plq_from_expression(f: Expr, x: Symbol | None = None, domain: sympy.Set | None = None) -> ConvexFunction:
    """A piecewise linear or quadratic expression in one variable as `PLQ`, or as `PiecewiseQuadratic` if not convex.

    Exact if all its numbers are rational, in floats otherwise.

    Parameters
    ----------
    f : sympy.Expr
    x : sympy.Symbol, optional
        The variable; by default the only free symbol.
    domain : SymPy set, optional
        An interval; f is +∞ outside.

    Returns
    -------
    PLQ or PiecewiseQuadratic

    Raises
    ------
    InputError
        A piece that is not quadratic, a symbol besides x.

    Examples
    --------
    >>> x = Symbol("x")
    >>> f = plq_from_expression(sympy.Max(0, abs(x) - 1) ** 2 / 2)
    >>> f.rational, f(Fraction(-3)), f.conjugate().expr
    (True, Fraction(2, 1), Piecewise((x**2/2 - x, x <= 0), (x**2/2 + x, True)))
    """
    f = symbolic(f, "f")
    symbols = f.free_symbols | (set() if domain is None else domain.free_symbols)
    x = x if x is not None else next(iter(f.free_symbols), Symbol("x"))
    if symbols - {x}:
        raise InputError(
            f"f has the parameters {symbols - {x}}; replace them by numbers, or use symbolic_function"
        )
    t = sympy.Dummy(x.name, real=True)
    pieces = split(f.subs(x, t), t, domain)
    rows = [(b.a, b.b, *_coefficients(b.expr, t)) for b in pieces.branches]
    ends = {e for row in rows for e in row[:2]}
    rows += [(n, n, 0, 0, v) for n, v in pieces.values.items() if n not in ends and v is not sympy.oo]
    rows.sort(key=lambda row: (row[0].evalf(30), row[1].evalf(30)))
    number = (
        _exact
        if all(e.is_Rational or e.is_infinite for row in rows for e in map(sympy.sympify, row))
        else float
    )
    breaks, coefficients = [], []
    for a, b, *c in rows:
        if breaks and breaks[-1] != number(a):
            coefficients.append([number(0), number(0), math.inf])
            breaks.append(number(a))
        breaks += [number(a)] * (not breaks) + [number(b)]
        coefficients.append([number(v) for v in c])
    if not rows:
        raise InputError("f is +inf everywhere; it has no pieces")
    return piecewise_quadratic(breaks, coefficients)


def _coefficients(e: Expr, x: Symbol) -> tuple[Expr, Expr, Expr]:
    e = sympy.expand(e)
    if not e.is_polynomial(x) or sympy.degree(e, x) > 2:
        raise InputError(f"{e} is not a polynomial of degree <= 2; use symbolic_function")
    return tuple(e.coeff(x, k) for k in (2, 1, 0))


def _exact(e):
    e = sympy.sympify(e)
    return float(e) if e.is_infinite else Fraction(int(e.p), int(e.q))

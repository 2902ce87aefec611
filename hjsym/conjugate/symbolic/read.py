"""SymPy expressions as functions of convex analysis."""

import sympy
from sympy import Dummy, Expr, S, Symbol, oo

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.symbolic.function import SymbolicFunction
from hjsym.conjugate.symbolic.legendre import Span
from hjsym.conjugate.symbolic.parameters import Parameters, readings
from hjsym.conjugate.symbolic.pieces import split
from hjsym.errors import UndecidedError
from hjsym.expr import symbolic
from tropical.errors import InputError

__all__ = ["as_symbolic", "symbolic_function"]


def symbolic_function(
    f: Expr, x: Symbol | None = None, domain: sympy.Set | None = None, y: Symbol | None = None
) -> SymbolicFunction:
    """A SymPy expression in one variable as a function of convex analysis.

    Parameters
    ----------
    f : Expr
        With Piecewise, Max, Min and Abs where needed; +∞ where it is not real. Other symbols are parameters, taken as
        positive unless declared otherwise; exponents beyond 1, or below 1 where that is what makes f convex.
        Floats are read as the decimals that they print as.
    x : Symbol, optional
        The variable; by default the only free symbol.
    domain : Set, optional
        Intervals and points; f is +∞ outside.
    y : Symbol, optional
        The variable of the conjugate.

    Returns
    -------
    SymbolicFunction

    Raises
    ------
    UndecidedError
        A zero, sign or limit that is needed could not be decided; the message says which.

    Examples
    --------
    >>> x, a, p = sympy.symbols("x a p", positive=True)
    >>> print(symbolic_function(x / a - sympy.log(x / a) - 1, x).conjugate())
    -log(-a*y + 1) for y in Interval.open(-oo, 1/a)
    >>> g = symbolic_function(abs(sympy.Symbol("t")) ** p / p, sympy.Symbol("t")).conjugate()
    >>> g.expr, g.conditions
    ((p - 1)*Abs(y)**(p/(p - 1))/p, (p > 1,))
    """
    f = symbolic(f, "f")
    x = _variable(f, x)
    if domain is not None and not isinstance(domain, sympy.Set):
        raise InputError(
            f"domain is {domain}; pass a SymPy set: an Interval, a FiniteSet, or a Union of such"
        )
    if f.has(S.ImaginaryUnit):
        raise InputError(f"{f} is not real; pass a real function")
    f, domain = _with_rationals(f), None if domain is None else _with_rationals(domain)
    first, error = None, None
    choices = list(readings(f, x, domain))
    for parameters in choices:
        try:
            result = _built(f, x, domain, parameters)
            if len(choices) == 1 or result.convexity().convex:
                return _with_dual(result, y)
            first = first or result
        except UndecidedError as e:
            error = error or e
    if first is None:
        raise error
    return _with_dual(first, y)


def _with_rationals(e):
    """Floats as the decimals that they print as, so that zeros and signs can be decided."""
    return e.xreplace({v: sympy.Rational(str(v)) for v in e.atoms(sympy.Float)})


def _with_dual(f: SymbolicFunction, y: Symbol | None) -> SymbolicFunction:
    if y is not None:
        f._conjugate = f._conjugated(y)
    return f


def _built(f: Expr, x: Symbol, domain: sympy.Set | None, parameters: Parameters) -> SymbolicFunction:
    inner = Dummy(x.name, real=True)
    inside = f.xreplace({x: inner, **parameters.inward})
    restricted = None if domain is None else domain.xreplace(parameters.inward)
    if inside is S.Infinity or restricted is S.EmptySet:
        return SymbolicFunction(x, inner, [], {}, constant=oo, given=oo)
    if inside is S.NegativeInfinity:
        if restricted in (None, S.Reals):
            return SymbolicFunction(x, inner, [], {}, constant=-oo, given=-oo)
        raise InputError(
            f"f is -oo on {domain} alone; pass a function that is finite somewhere, or -oo on all reals"
        )
    pieces = split(inside, inner, restricted)
    if not pieces.branches and all(v is oo for v in pieces.values.values()):
        return SymbolicFunction(x, inner, [], {}, constant=oo, given=oo)
    spans = [Span(b.expr, sympy.diff(b.expr, inner), b.a, b.b, "given") for b in pieces.branches]
    return SymbolicFunction(x, inner, spans, pieces.values, given=f, parameters=parameters)


def _variable(f: Expr, x: Symbol | None) -> Symbol:
    if x is not None:
        return x
    if len(f.free_symbols) != 1:
        names = ", ".join(sorted(map(str, f.free_symbols))) or "none"
        raise InputError(f"f has the symbols {names}; say which is the variable with x=")
    return next(iter(f.free_symbols))


def as_symbolic(f: Expr, x=None, y=None, domain=None) -> ConvexFunction:
    """An expression in one variable as a function, a constant too; see `conjugate` for the arguments."""
    if x is None and not f.free_symbols:
        x = Symbol("x", real=True)
    y = y[0] if isinstance(y, (tuple, list)) and len(y) == 1 else y
    if not isinstance(y, (Symbol, type(None))):
        raise InputError(f"y is {y} for one variable; pass one Symbol")
    return symbolic_function(f, x, domain, y)

"""From what users have (a formula, a polynomial, a layer) to a function of convex analysis, and its conjugate."""

import warnings

import sympy

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.errors import HullWarning, NotConvexError
from hjsym.hopf import LSELayer
from tropical import Circuit, Polynomial, Rational, is_convex
from tropical.domain import Domain
from tropical.errors import InputError

__all__ = ["as_function", "biconjugate", "check_convex", "conjugate", "convexity"]


def conjugate(f, x=None, y=None, domain=None, strict: bool = False) -> ConvexFunction:
    """The convex conjugate (Legendre–Fenchel transform) f*(y) = sup_x ⟨x, y⟩ − f(x).

    Parameters
    ----------
    f
        A SymPy expression; a `tropical.Polynomial` or `LSELayer`; any function of `hjsym.conjugate`.
    x : Symbol or sequence of Symbols, optional
        The variables of an expression, in order; by default its free symbols by name.
    y : Symbol or sequence of Symbols, optional
        What to call the variables of f*; "y" by default.
    domain : SymPy set or Box, optional
        Outside of it f is +∞.
    strict : bool
        Raise where f is not convex, rather than warn and give the conjugate of its closed convex hull.

    Returns
    -------
    ConvexFunction
        Callable, with `domain`, `argmax`, `gap`, `method`, `exact`, `of_hull` and its own `conjugate`.

    Raises
    ------
    NotConvexError
        If `strict`, with three points that show it.
    InputError
        A kind of f that has no conjugate here; the message says what to do.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> print(conjugate(sympy.log(1 + sympy.exp(x))))
    y*log(y) + (1 - y)*log(1 - y) for y in Interval(0, 1)
    >>> from tropical import variables
    >>> a, b = variables(2)
    >>> g = conjugate(a + b + 0)                                          # of max(a, b, 0): 0 on a triangle
    >>> g([[0.25, 0.5], [0.75, 0.5]]), g.method, g.exact
    (array([ 0., inf]), 'polyhedral', True)
    """
    f = as_function(f, x, y, domain)
    check_convex(f, strict)
    return f.conjugate()


def check_convex(f: ConvexFunction, strict: bool) -> None:
    """Warn of, or refuse, a function that is not convex."""
    verdict = f.convexity()
    if verdict.convex is not False:
        return
    message = f"f is not convex ({verdict.reason})"
    if strict:
        raise NotConvexError(
            f"{message}; strict=False gives the conjugate of its closed convex hull", verdict.witness
        )
    warnings.warn(f"{message}: this is the conjugate of its closed convex hull", HullWarning, stacklevel=3)


def as_function(f, x=None, y=None, domain=None) -> ConvexFunction:
    """f as a function of convex analysis; see `conjugate` for the arguments.

    Parameters
    ----------
    f, x, y, domain
        As for `conjugate`.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> as_function(sympy.Abs(x), x)([-2.0, 3.0])
    array([2., 3.])
    """
    if isinstance(f, ConvexFunction):
        return f
    if isinstance(f, LSELayer):
        f = f.polynomial
    if isinstance(f, Polynomial):
        from hjsym.conjugate.maxaffine import from_polynomial

        return from_polynomial(f)
    if isinstance(f, (sympy.Expr, int, float)):
        return _from_sympy(sympy.sympify(f), x, y, domain)
    raise InputError(_advice(f))


def _from_sympy(f: sympy.Expr, x, y, domain) -> ConvexFunction:
    """In one variable, with parameters if x is given; else in those of x, or in all its symbols by name."""
    several = x is not None and not isinstance(x, sympy.Symbol)
    symbols = tuple(x) if several else tuple(sorted(f.free_symbols, key=str))
    if (several and len(symbols) > 1) or (x is None and len(symbols) > 1):
        from hjsym.conjugate.expressions import from_expression

        return from_expression(f, symbols, domain)
    from hjsym.conjugate.symbolic.read import as_symbolic

    return as_symbolic(f, symbols[0] if several else x, y, domain)


def biconjugate(f, x=None, domain=None) -> ConvexFunction:
    """f**, the closed convex hull of f; f itself where it is closed and convex.

    Parameters
    ----------
    f, x, domain
        As for `conjugate`.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> from hjsym.conjugate.sets import Points
    >>> biconjugate(Points([[-1.0], [1.0]]))([0.0, 0.5, 1.5])
    array([ 0.,  0., inf])
    """
    return as_function(f, x, None, domain).conjugate().conjugate()


def convexity(f, x=None, domain=None) -> Convexity:
    """Whether f is convex: proved, refuted with three points that show it, or unknown.

    Parameters
    ----------
    f, x, domain
        As for `conjugate`; also a `tropical.Rational`.

    Returns
    -------
    Convexity
        ``convex`` is True, False or None, with the ``reason`` and the ``witness``.

    Examples
    --------
    >>> from tropical import variables
    >>> a, b = variables(2)
    >>> convexity(a / (a + b)).convex                                     # x − max(x, y)
    False
    """
    if isinstance(f, Rational):
        found = is_convex(f)
        witness = None if found.points is None else tuple(found.points[[0, 1, 2]])
        return Convexity(bool(found), f"by its {found.regions} linear regions", witness)
    return as_function(f, x, None, domain).convexity()


def _advice(f) -> str:
    if isinstance(f, (Rational, Circuit)):
        return (
            "f is a difference of convex functions, and its conjugate only that of its hull; "
            "toland_dual(f) gives inf f = inf Q* − P*, conjugate(f.P) and conjugate(f.Q) the parts"
        )
    if isinstance(f, (sympy.Set, Domain)):
        return "f is a set; pass indicator(f) or support(f)"
    if callable(f):
        return "f is a Python function; pass FromCallable(f, variables=d), or a SymPy expression"
    return (
        f"f is a {type(f).__name__}; pass a SymPy expression, a Polynomial, or a function of hjsym.conjugate"
    )

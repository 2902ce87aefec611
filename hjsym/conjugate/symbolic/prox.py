"""Proximal maps in closed form: prox_{λf} is the derivative of (λf + p²/2)*, by the machinery of conjugates.

Nothing is assumed of f but that λf + p²/2 is treated right; so f need not be convex, and Moreau's identity is not used.
Where minimisers are many (a slope that bridges a gap of the graph) one of them is returned.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike
from sympy import Expr, Symbol

from hjsym.conjugate.symbolic.function import SymbolicFunction
from hjsym.conjugate.symbolic.legendre import Span
from hjsym.conjugate.symbolic.parameters import Parameters
from hjsym.conjugate.symbolic.printing import joined, odd_expression, one_expression
from hjsym.expr import symbolic
from tropical.errors import InputError

__all__ = ["ProximalMap", "symbolic_prox"]


class ProximalMap:
    """x ↦ argmin_p f(p) + (x − p)²/2λ as a formula; made by `symbolic_prox`.

    Attributes
    ----------
    expr : Expr
        The map in `symbol`, on all reals.
    envelope : Expr
        Moreau's envelope e_λf in the same variable.
    method : str
        As for conjugates.

    Examples
    --------
    >>> from hjsym.conjugate.symbolic.read import symbolic_function
    >>> x = Symbol("x", real=True)
    >>> soft = symbolic_prox(symbolic_function(abs(x), x))
    >>> soft.expr
    Piecewise((0, lambda >= Abs(x)), (-lambda + Abs(x), True))*sign(x)
    >>> at_one = soft.subs({sympy.Symbol("lambda", positive=True): 1})
    >>> at_one([-3.0, 0.5]), at_one.envelope
    (array([-2.,  0.]), Piecewise((x**2/2, Abs(x) <= 1), (Abs(x) - 1/2, True)))
    """

    def __init__(self, conjugate: SymbolicFunction, lam: Expr, outer: Expr):
        self._conjugate, self._lam, self._outer = conjugate, lam, outer
        self.symbol: Symbol = conjugate.symbol
        self.method = conjugate.method

    @cached_property
    def expr(self) -> Expr:
        x = self._conjugate._x
        spans = [Span(s.slope, s.slope, s.a, s.b, s.method) for s in self._conjugate._spans]
        spans = joined(spans, x)
        found = odd_expression(spans, x) if len(spans) > 1 else None
        return self._conjugate._shown(one_expression(spans, {}, x) if found is None else found)

    @cached_property
    def envelope(self) -> Expr:
        x = self._conjugate._x
        shown = [
            Span(sympy.expand((x**2 / 2 - s.expr) / self._lam), s.slope, s.a, s.b, s.method)
            for s in self._conjugate._spans
        ]
        return self._conjugate._shown(one_expression(joined(shown, x), {}, x))

    def __call__(self, x: ArrayLike):
        """Values at an array; raises where parameters are left, λ among them."""
        return self._conjugate.argmax(x)

    def subs(self, values: dict) -> ProximalMap:
        """The map with numbers for parameters."""
        return ProximalMap(self._conjugate.subs(values), self._lam.subs(values), self._outer.subs(values))

    def __repr__(self) -> str:
        return f"<{self.symbol} -> {self.expr}; {self.method}>"


def symbolic_prox(f: SymbolicFunction, lam: Expr | float | None = None) -> ProximalMap:
    """prox_{λf} of a symbolic function as a formula.

    Parameters
    ----------
    f : SymbolicFunction
    lam : Expr or number, optional
        λ > 0; by default a positive symbol "lambda".

    Examples
    --------
    >>> from hjsym.conjugate.symbolic.read import symbolic_function
    >>> x = Symbol("x", real=True)
    >>> symbolic_prox(symbolic_function(-sympy.log(x), x)).expr
    x/2 + sqrt(4*lambda + x**2)/2
    >>> symbolic_prox(symbolic_function(sympy.exp(x), x)).expr
    x - LambertW(lambda*exp(x))
    >>> symbolic_prox(symbolic_function(abs(x), x), 2)([-3.0, 1.0, 5.0])
    array([-1.,  0.,  3.])
    """
    lam = Symbol("lambda", positive=True) if lam is None else _exact(lam)
    if not lam.free_symbols and not lam.is_positive:
        raise InputError(f"lam is {lam}; pass a positive number or symbol")
    if f._constant is not None:
        raise InputError(
            f"f is {f._constant} everywhere and has no proximal map; pass a function that is finite somewhere"
        )
    declared = {s: sympy.Dummy(s.name, positive=True) for s in lam.free_symbols if s.is_positive is None}
    inner, t = lam.xreplace(declared), f._x
    known = f._parameters
    parameters = Parameters(
        {**known.inward, **declared},
        {**known.outward, **{v: k for k, v in declared.items()}},
        known.conditions,
    )
    inner = inner.xreplace(known.inward)
    spans = [
        Span(sympy.expand(inner * s.expr) + t**2 / 2, inner * s.slope + t, s.a, s.b, "given")
        for s in f._spans
    ]
    values = {n: sympy.expand(inner * v) + n**2 / 2 for n, v in f._nodes.items()}
    total = SymbolicFunction(f.symbol, t, spans, values, given=sympy.S.Zero, parameters=parameters)
    conjugate = total._conjugated(Symbol(f.symbol.name, real=True))
    return ProximalMap(conjugate, inner, lam)


def _exact(lam) -> Expr:
    if isinstance(lam, (float, np.floating)):
        if not np.isfinite(lam):
            raise InputError(f"lam is {lam}; pass a finite number > 0")
        return sympy.Rational(float(lam))
    return symbolic(lam, "lam")

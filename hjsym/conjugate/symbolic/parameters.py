"""Parameters of formulas: what they are taken to be, and how they are shown again.

A parameter that is declared to be nothing is taken as positive. One in an exponent of the variable is taken beyond 1
or below 1, by p = 1 + r or p = 1/(1 + r) with r > 0, if that makes the function convex; SymPy's assumptions can then
decide what has to be known of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy
from sympy import Dummy, Expr, Pow, Symbol

from hjsym.expr import symbolic

__all__ = ["NO_PARAMETERS", "Parameters", "readings"]


@dataclass(frozen=True)
class Parameters:
    """Replacements of the user's symbols, and back."""

    inward: dict[Symbol, Expr] = field(default_factory=dict)
    outward: dict[Symbol, Expr] = field(default_factory=dict)
    conditions: tuple = ()

    def shown(self, e):
        """An expression in the symbols of the user."""
        if not self.outward:
            return e
        e = e.xreplace(self.outward)
        if not self.conditions:
            return e
        return e.replace(
            lambda n: isinstance(n, Pow) and not n.exp.is_number, lambda n: Pow(n.base, sympy.cancel(n.exp))
        )

    def put(self, values: dict) -> tuple[dict, "Parameters"]:
        """Replacements of the inner symbols for values of the user's, and the parameters that are left."""
        values = {k: symbolic(v, f"the value of {k}") for k, v in values.items()}
        given = {s: e.subs(values) for s, e in self.outward.items() if e.free_symbols & set(values)}
        plain = {k: v for k, v in values.items() if k not in self.inward}
        rest = Parameters(
            {k: v for k, v in self.inward.items() if k not in values},
            {k: v for k, v in self.outward.items() if k not in given},
            tuple(c for c in self.conditions if not c.free_symbols & set(values)),
        )
        return {**given, **plain}, rest


NO_PARAMETERS = Parameters()


def readings(f: Expr, x: Symbol, domain: sympy.Set | None) -> Iterator[Parameters]:
    """Ways to take the parameters, the plain one first."""
    free = (f.free_symbols | (domain.free_symbols if domain is not None else set())) - {x}
    plain = {s: Dummy(s.name, positive=True) for s in free if s.is_real is None and s.is_commutative}
    yield Parameters(plain, {v: k for k, v in plain.items()})
    for p in sorted(_exponents(f, x), key=str):
        others = {k: v for k, v in plain.items() if k != p}
        for value, back, condition in (
            (lambda r: 1 + r, lambda p: p - 1, p > 1),
            (lambda r: 1 / (1 + r), lambda p: 1 / p - 1, p < 1),
        ):
            r = Dummy("r", positive=True)
            yield Parameters(
                {**others, p: value(r)}, {**{v: k for k, v in others.items()}, r: back(p)}, (condition,)
            )


def _exponents(f: Expr, x: Symbol) -> set[Symbol]:
    """Parameters that stand in an exponent of something with x, and may be on either side of 1."""
    return {
        s
        for n in f.atoms(Pow)
        if n.base.has(x) and not n.exp.has(x)
        for s in n.exp.free_symbols
        if s.is_negative is not True and s.is_integer is not True and (s - 1).is_positive is None
    }

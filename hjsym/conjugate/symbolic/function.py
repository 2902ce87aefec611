"""A function of one real variable as formulas on intervals, with its conjugate as such a function."""

from functools import cached_property

import numpy as np
import sympy
from sympy import Dummy, Expr, S, Symbol, oo

from hjsym._latex import latex, latex_of
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.symbolic.hull import Hull, closed_hull
from hjsym.conjugate.symbolic.legendre import Arc, Span, arcs_of, legendre
from hjsym.conjugate.symbolic.parameters import NO_PARAMETERS, Parameters
from hjsym.conjugate.symbolic.pieces import Branch, Pieces
from hjsym.conjugate.symbolic.printing import joined, one_expression, with_infinity
from hjsym.conjugate.symbolic.values import SpanTable
from hjsym.conjugate.symbolic.verify import fenchel_young_holds
from hjsym.errors import UndecidedError
from tropical.errors import InputError

__all__ = ["SymbolicFunction"]


class SymbolicFunction(ConvexFunction):
    r"""An extended-real function of one variable as formulas on intervals; made by `symbolic_function`.

    Attributes
    ----------
    expr : Expr
        A formula that is right on `domain`, but for ends where it has to be understood as a limit.
    piecewise : Piecewise
        The function on all reals, with such ends spelled out and +∞ outside of the domain.
    domain : Set
        Where the function is finite.
    symbol : Symbol
        Its variable.

    Examples
    --------
    >>> from hjsym.conjugate.symbolic.read import symbolic_function
    >>> x = sympy.Symbol("x")
    >>> f = symbolic_function(sympy.log(1 + sympy.exp(x)), x)
    >>> g = f.conjugate()
    >>> print(g)
    y*log(y) + (1 - y)*log(1 - y) for y in Interval(0, 1)
    >>> g([-1, 0, 0.5, 1])
    array([        inf,  0.        , -0.69314718,  0.        ])
    >>> g.piecewise
    Piecewise((0, Eq(y, 0) | Eq(y, 1)), (y*log(y) + (1 - y)*log(1 - y), (y >= 0) & (y <= 1)), (oo, True))
    >>> g.latex().startswith(r"y \log")
    True
    >>> g.convexity().convex, g.variables, g.conditions
    (True, 1, ())
    >>> a = sympy.Symbol("a", positive=True)
    >>> symbolic_function(a * x**2, x).conjugate().subs({a: 2}).expr
    y**2/8
    """

    def __init__(
        self, symbol, internal, spans, values, *, method="given", of_hull=False, constant=None, given=None,
        parameters=NO_PARAMETERS,
    ):  # fmt: skip
        self.symbol = symbol
        self.method, self.of_hull = method, of_hull
        self._x = internal
        self._spans: list[Span] = spans
        self._nodes: dict[Expr, Expr] = values
        self._constant = constant
        self._given = given
        self._parameters: Parameters = parameters
        self._conjugate: SymbolicFunction | None = None

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def variables(self) -> int:
        return 1

    @cached_property
    def domain(self) -> sympy.Set:
        if self._constant is not None:
            return S.EmptySet if self._constant is oo else S.Reals
        return self._shown(self._pieces.domain)

    @cached_property
    def expr(self) -> Expr:
        if self._constant is not None:
            return self._constant
        if self._given is not None:
            return self._given
        return self._shown(one_expression(self._joined, self._nodes, self._x))

    @cached_property
    def piecewise(self) -> Expr:
        if self._constant is not None:
            return self._constant
        values = {self._shown(n): self._shown(v) for n, v in self._nodes.items()}
        return with_infinity(self.expr, values, self.domain, self.symbol)

    @cached_property
    def _joined(self) -> list[Span]:
        return joined(self._spans, self._x)

    def _shown(self, e):
        return self._parameters.shown(e).xreplace({self._x: self.symbol})

    @property
    def conditions(self) -> tuple:
        """Relations of the parameters under which the formulas hold, besides their declarations."""
        return self._parameters.conditions

    def __str__(self) -> str:
        return f"{self.expr} for {self.symbol} in {self.domain}"

    def __repr__(self) -> str:
        return f"<{self}; {self.method}>"

    def latex(self) -> str:
        """The function in LaTeX, with its domain."""
        return rf"{latex(self.expr)}, \quad {latex(self.symbol)} \in {latex(self.domain)}"

    def _repr_latex_(self) -> str | None:
        return latex_of(self, self.expr)

    # ---- values ----------------------------------------------------------------------------------

    @cached_property
    def _table(self) -> SpanTable:
        if self._free:
            names = ", ".join(sorted({str(s) for e in self._free for s in self._shown(e).free_symbols}))
            raise InputError(
                f"the function depends on {names}; give values with subs({{...}}) before calling it"
            )
        return SpanTable(self._spans, self._nodes, self._x)

    @cached_property
    def _free(self) -> set[Symbol]:
        free = {s for p in self._spans for s in p.expr.free_symbols | p.a.free_symbols | p.b.free_symbols}
        free |= {s for n, v in self._nodes.items() for s in n.free_symbols | v.free_symbols}
        return free - {self._x}

    def _values(self, y: np.ndarray) -> np.ndarray:
        if self._constant is not None:
            return np.full(len(y), float(self._constant))
        return self._table.values(y[:, 0])

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        """The slope where there is one; at a node the one of the two beside it that is less in size."""
        if self._constant is not None:
            return np.full(y.shape, np.nan)
        return self._table.slopes(y[:, 0])[:, None]

    # ---- convex analysis -------------------------------------------------------------------------

    def conjugate(self) -> "SymbolicFunction":
        """f*(y) = sup_x x y − f(x), checked by Fenchel–Young; of a conjugate the closed convex hull of f."""
        if self._conjugate is None:
            try:
                self._conjugate = self._conjugated(_dual_symbol(self.symbol))
            except UndecidedError as error:
                self._conjugate = self._searched(error)
        return self._conjugate

    def _searched(self, error: UndecidedError) -> ConvexFunction:
        """f* by search at each point, where f may be convex and has no parameters; else the error is raised."""
        from hjsym.conjugate.numeric import FromCallable

        if self.convexity().convex is False or self._free:
            raise error
        return FromCallable(self, 1, self.argmax, convex=self.convexity().convex).conjugate()

    def _conjugated(self, symbol: Symbol) -> "SymbolicFunction":
        y = Dummy(symbol.name, real=True)
        hull = self._hull
        if hull.improper is not None:
            result = SymbolicFunction(
                symbol, y, [], {}, method="rule", of_hull=self._is_not_convex, constant=-hull.improper
            )
            result._conjugate = self._of_hull_arcs(hull, result)
            return result
        spans, values = self._verified(hull, y)
        result = SymbolicFunction(
            symbol,
            y,
            spans,
            values,
            method=_method(spans, y),
            of_hull=self._is_not_convex,
            parameters=self._parameters,
        )
        result._conjugate = self._of_hull_arcs(hull, result)
        return result

    def _verified(self, hull: Hull, y: Symbol):
        arcs, values = self._arcs, {**hull.values, **{n: v for n, v in self._closure.items() if v is not oo}}
        for numeric in (False, True):
            spans, ends = legendre(hull.arcs, hull.values, self._x, y, numeric=numeric)
            if fenchel_young_holds(arcs, values, spans, self._x, y):
                return spans, ends
        raise UndecidedError(
            f"no formula for the conjugate of {self.expr} passed the Fenchel–Young check; "
            "use FromCallable for a numeric conjugate"
        )

    def _of_hull_arcs(self, hull: Hull, conjugate: "SymbolicFunction") -> "SymbolicFunction":
        """f where it is closed and convex, else its closed convex hull."""
        if not self._is_not_convex and self._is_closed:
            return self
        spans = [Span(a.expr, sympy.diff(a.expr, self._x), a.a, a.b, "rule") for a in hull.arcs]
        constant = hull.improper
        result = SymbolicFunction(
            self.symbol, self._x, spans, hull.values, method="rule", constant=constant, parameters=self._parameters,
            of_hull=self._is_not_convex,
        )  # fmt: skip
        result._conjugate = conjugate
        return result

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self._x, tuple(Branch(s.expr, s.a, s.b) for s in self._spans), self._nodes)

    @cached_property
    def _closure(self) -> dict[Expr, Expr]:
        return {n: self._pieces.closure(n) for n in self._pieces.nodes}

    @cached_property
    def _arcs(self) -> list[Arc]:
        return arcs_of(self._pieces)

    @cached_property
    def _hull(self) -> Hull:
        if self._constant is not None:
            return Hull([], {}, self._constant)
        return closed_hull(self._pieces, self._arcs)

    @property
    def _is_not_convex(self) -> bool:
        return self.convexity().convex is False

    @cached_property
    def _is_closed(self) -> bool:
        return all(self._nodes[n] == v for n, v in self._closure.items())

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        from hjsym.conjugate.symbolic.prox import symbolic_prox

        if lam not in self._proximal:
            try:
                self._proximal[lam] = symbolic_prox(self, lam)
            except UndecidedError:
                return super()._prox(x, lam)
        return np.asarray(self._proximal[lam](x))

    @cached_property
    def _proximal(self) -> dict:
        return {}

    def convexity(self) -> Convexity:
        """Whether f is convex: f'' ≥ 0 on each piece, no slope falls, no value above the limits inside the domain."""
        if self._constant is not None or self.method != "given":
            return Convexity(True, "convex by construction")
        return self._verdict

    @cached_property
    def _verdict(self) -> Convexity:
        from hjsym.conjugate.symbolic.convexity import convexity_of, convexity_without_arcs

        try:
            return convexity_of(self._pieces, self._arcs)
        except UndecidedError as error:
            return convexity_without_arcs(self._pieces, error)

    def subs(self, values: dict) -> "SymbolicFunction":
        """The function with numbers for some of its parameters."""
        inside, rest = self._parameters.put(values)
        put = lambda e: e.subs(inside)  # noqa: E731
        spans = [Span(put(s.expr), put(s.slope), put(s.a), put(s.b), s.method) for s in self._spans]
        nodes = {put(n): put(v) for n, v in self._nodes.items()}
        given = None if self._given is None else self._given.subs(values)
        result = SymbolicFunction(
            self.symbol, self._x, spans, nodes, method=self.method, of_hull=self.of_hull, constant=self._constant,
            given=given, parameters=rest,
        )  # fmt: skip
        if self._conjugate is not None and self._conjugate._conjugate is self:
            link, self._conjugate._conjugate = self._conjugate._conjugate, None
            result._conjugate = self._conjugate.subs(values)
            result._conjugate._conjugate, self._conjugate._conjugate = result, link
        return result


_RANK = ("rule", "closed form", "known pair", "sympy", "numeric")


def _method(spans: list[Span], y: Symbol) -> str:
    """The name for how all spans were found: the least simple of them."""
    methods = {s.method for s in spans}
    simple = methods <= {"rule", "closed form"} and len(spans) > 1
    if simple and all(not s.slope.diff(y).has(y) for s in spans):
        return "plq"
    return max(methods, key=_RANK.index, default="rule")


def _dual_symbol(x: Symbol) -> Symbol:
    return Symbol("y" if x.name != "y" else "x", real=True)

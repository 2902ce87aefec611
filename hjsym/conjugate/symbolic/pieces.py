"""An expression in one real variable as smooth branches between nodes, +∞ elsewhere.

Abs, sign, Max, Min, Heaviside and Piecewise are resolved from the inside out: the zeros of what they switch on
cut the line into cells, and in each cell one case holds. Logarithms, roots and poles cut it further where their
arguments leave their domain. Every cut is an exact zero, or `UndecidedError` is raised.
"""

import itertools
from dataclasses import dataclass, field

import sympy
from sympy import Abs, Expr, Heaviside, Max, Min, Piecewise, S, Symbol, oo

from hjsym.conjugate.symbolic.numbers import (
    draws,
    is_finite,
    order,
    ordered,
    probes,
    sign_on,
    spoken,
    value_at,
)
from hjsym.conjugate.symbolic.zeros import zeros
from hjsym.errors import UndecidedError

__all__ = ["Branch", "Pieces", "split"]

_SWITCHES = (Abs, sympy.sign, Heaviside, Max, Min, Piecewise)


@dataclass(frozen=True)
class Branch:
    """A smooth expression on the open interval (a, b)."""

    expr: Expr
    a: Expr
    b: Expr

    def limit(self, x: Symbol, end: Expr) -> Expr:
        """The limit of the expression at one of its ends."""
        return value_at(self.expr, x, end, "+" if end == self.a else "-")


@dataclass(frozen=True)
class Pieces:
    """Branches in increasing order, and the values at their finite ends and at isolated points.

    Attributes
    ----------
    x : Symbol
    branches : tuple of Branch
        Apart but for common ends.
    values : dict of Expr to Expr
        Values at nodes; oo where the node is left out of the domain.
    """

    x: Symbol
    branches: tuple[Branch, ...]
    values: dict[Expr, Expr] = field(default_factory=dict)

    @property
    def nodes(self) -> list[Expr]:
        return ordered(self.values)

    @property
    def domain(self) -> sympy.Set:
        """Where the function is finite."""
        joined: list[tuple[Expr, Expr]] = []
        for b in self.branches:
            if joined and joined[-1][1] == b.a and self.values.get(b.a, oo) is not oo:
                joined[-1] = (joined[-1][0], b.b)
            else:
                joined.append((b.a, b.b))
        closed = {k for k, v in self.values.items() if v is not oo}
        ends = {e for b in self.branches for e in (b.a, b.b)}
        intervals = [sympy.Interval(a, b, a not in closed, b not in closed) for a, b in joined]
        return sympy.Union(*intervals, sympy.FiniteSet(*(closed - ends)))

    def closure(self, node: Expr) -> Expr:
        """The value at a node of the lower semicontinuous closure."""
        found = [self.values.get(node, oo)]
        found += [b.limit(self.x, node) for b in self.branches if node in (b.a, b.b)]
        return least(found)


def least(values) -> Expr:
    best = values[0]
    for v in values[1:]:
        best = v if order(v, best) < 0 else best
    return best


def split(expr: Expr, x: Symbol, domain: sympy.Set | None = None) -> Pieces:
    """The pieces of an expression over a set of intervals and points (all reals by default)."""
    if sympy.diff(expr, x).has(sympy.Derivative, sympy.Subs) or expr.has(
        sympy.floor, sympy.ceiling, sympy.Mod
    ):
        raise UndecidedError(f"{spoken(expr)} has no derivative that SymPy knows; write it as a Piecewise")
    intervals, points = _parts(S.Reals if domain is None else domain)
    cells = [cell for i in intervals for cell in _cells(expr, x, i.start, i.end)]
    cells = [c for c in cells if c.expr is not S.Infinity]
    if any(c.expr.has(S.NaN, sympy.zoo, oo) for c in cells if c.expr is not S.NegativeInfinity):
        raise UndecidedError(f"{spoken(expr)} is not a finite real expression on its domain")
    included = {e: True for p in points for e in [p]}
    for i in intervals:
        included.setdefault(i.start, not i.left_open)
        included.setdefault(i.end, not i.right_open)
    values: dict[Expr, Expr] = {}
    for node in ordered([*points, *(e for c in cells for e in (c.a, c.b) if e not in (oo, -oo))]):
        values[node] = _value(expr, x, node, cells) if included.get(node, True) else oo
    return _merged(Pieces(x, tuple(cells), values))


def _parts(domain: sympy.Set) -> tuple[list[sympy.Interval], list[Expr]]:
    parts = domain.args if isinstance(domain, sympy.Union) else (domain,)
    intervals, points = [], []
    for part in parts:
        if part is S.Reals:
            part = sympy.Interval(-oo, oo)
        if isinstance(part, sympy.Interval):
            intervals.append(part)
        elif isinstance(part, sympy.FiniteSet):
            points += list(part)
        elif part is not S.EmptySet:
            raise UndecidedError(f"the domain is {domain}; pass intervals, finite sets or unions of them")
    return sorted(intervals, key=lambda i: ordered([j.start for j in intervals]).index(i.start)), points


def _cells(expr: Expr, x: Symbol, a: Expr, b: Expr) -> list[Branch]:
    """Branches of expr inside (a, b), smooth and with real values."""
    switch = _innermost(expr, x)
    if switch is None:
        return _inside_natural_domain(expr, x, a, b)
    result = []
    for lo, hi in _cut(a, b, _breaks(switch, x, a, b)):
        result += _cells(expr.xreplace({switch: _resolved(switch, x, lo, hi)}), x, lo, hi)
    return result


def _innermost(expr: Expr, x: Symbol) -> Expr | None:
    for node in sympy.postorder_traversal(expr):
        if isinstance(node, _SWITCHES) and node.has(x):
            return node
    return None


def _cut(a: Expr, b: Expr, breaks) -> list[tuple[Expr, Expr]]:
    ends = [a, *ordered(breaks), b]
    return list(itertools.pairwise(ends))


def _breaks(switch: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr]:
    if isinstance(switch, (Max, Min)):
        args = switch.args
        differences = [p - q for k, p in enumerate(args) for q in args[:k]]
    elif isinstance(switch, Piecewise):
        relations = {r for _, c in switch.args for r in c.atoms(sympy.core.relational.Relational)}
        differences = [r.lhs - r.rhs for r in relations]
    else:
        differences = [switch.args[0]]
    return [z for d in differences if d.has(x) for z in zeros(sympy.expand(d), x, a, b)]


def _resolved(switch: Expr, x: Symbol, a: Expr, b: Expr) -> Expr:
    if isinstance(switch, (Max, Min)):
        best = switch.args[0]
        for other in switch.args[1:]:
            s = sign_on(sympy.expand(other - best), x, a, b)
            best = other if s == (1 if isinstance(switch, Max) else -1) else best
        return best
    if isinstance(switch, Piecewise):
        return _case(switch, x, a, b)
    s = sign_on(switch.args[0], x, a, b)
    if isinstance(switch, Abs):
        return s * switch.args[0]
    return sympy.Integer(s) if isinstance(switch, sympy.sign) else sympy.Integer(max(s, 0))


def _case(switch: Piecewise, x: Symbol, a: Expr, b: Expr) -> Expr:
    chosen = set()
    for row in draws((switch.free_symbols | a.free_symbols | b.free_symbols) - {x}):
        (point,) = probes(a.subs(row), b.subs(row))
        for k, (_, condition) in enumerate(switch.args):
            if condition.subs(row).subs(x, point) == True:  # noqa: E712  (a SymPy Boolean)
                chosen.add(k)
                break
        else:
            chosen.add(None)
    if len(chosen) > 1:
        raise UndecidedError(
            f"which case of {spoken(switch)} holds depends on its parameters; replace them by numbers"
        )
    k = chosen.pop()
    return oo if k is None else switch.args[k][0]


def _inside_natural_domain(expr: Expr, x: Symbol, a: Expr, b: Expr) -> list[Branch]:
    conditions = _conditions(expr, x)
    breaks = [z for u, _ in conditions for z in zeros(u, x, a, b)]
    cells = []
    for lo, hi in _cut(a, b, breaks):
        if all(not positive or sign_on(u, x, lo, hi) > 0 for u, positive in conditions):
            cells.append(Branch(expr, lo, hi))
    return cells


def _conditions(expr: Expr, x: Symbol) -> list[tuple[Expr, bool]]:
    """Pairs (u, positive): expr is real and smooth where u is positive, or where it is not zero."""
    found = []
    for node in sympy.preorder_traversal(expr):
        if not node.args or not node.has(x):
            continue
        u = node.args[0]
        if isinstance(node, sympy.Pow):
            if node.exp.has(x) or not node.exp.is_integer:
                found.append((u, True))
            elif node.exp.is_negative or not node.exp.is_number:
                found.append((u, False))
        elif isinstance(node, sympy.log):
            found.append((u, True))
        elif isinstance(node, (sympy.asin, sympy.acos, sympy.atanh)):
            found.append((1 - u**2, True))
        elif isinstance(node, sympy.acosh):
            found.append((u - 1, True))
        elif isinstance(node, (sympy.tan, sympy.sec)):
            found.append((sympy.cos(u), False))
        elif isinstance(node, (sympy.cot, sympy.csc)):
            found.append((sympy.sin(u), False))
        elif isinstance(node, (sympy.coth, sympy.csch)):
            found.append((u, False))
        elif isinstance(node, sympy.LambertW):
            found.append((u + sympy.exp(-1), True))
    return [(u, positive) for u, positive in dict.fromkeys(found) if u.has(x) and not _always(u, positive)]


def _always(u: Expr, positive: bool) -> bool:
    return bool(u.is_positive) or (not positive and bool(u.is_nonzero))


def _value(expr: Expr, x: Symbol, node: Expr, cells) -> Expr:
    """The value at a node; where the expression has none there, its least limit from inside the domain."""
    v = expr.subs(x, node)
    if v is S.Infinity or v is S.NegativeInfinity or is_finite(v):
        return v
    limits = [c.limit(x, node) for c in cells if node in (c.a, c.b) and c.expr is not S.NegativeInfinity]
    return least(limits) if limits else oo


def _merged(f: Pieces) -> Pieces:
    """Without nodes across which one expression goes on and can be evaluated."""
    branches: list[Branch] = []
    values = dict(f.values)
    for b in f.branches:
        last = branches[-1] if branches else None
        if last is not None and last.b == b.a and last.expr == b.expr:
            v = b.expr.subs(f.x, b.a)
            if is_finite(v) and values[b.a] == v:
                branches[-1] = Branch(b.expr, last.a, b.b)
                del values[b.a]
                continue
        branches.append(b)
    return Pieces(f.x, tuple(branches), values)

"""Networks as straight-line SymPy programs: one assignment a unit, so that code grows like the weights.

A nested formula repeats each unit wherever it is used; a program computes it once. It follows the network itself,
not P and Q, so its values do not cancel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from itertools import pairwise

import numpy as np
import sympy

from hjsym import layers
from hjsym.expr import affine_form, check_size, checked_symbols, number, soft_maximum
from hjsym.network import Network
from hjsym.symbols import Maximum
from tropical.circuit import entries

__all__ = ["Program", "program"]

Atoms = list[sympy.Expr]


@dataclass
class Program:
    """Assignments (symbol, expression in symbols before it), and the outputs in those symbols."""

    inputs: tuple[sympy.Symbol, ...]
    names: Iterator[sympy.Symbol]
    steps: list[tuple[sympy.Symbol, sympy.Expr]] = field(default_factory=list)
    outputs: Atoms = field(default_factory=list)

    def assign(self, expressions: Sequence[sympy.Expr]) -> Atoms:
        """A symbol for each expression that needs one."""
        return [e if e.is_Atom else self._named(e) for e in expressions]

    def _named(self, expression: sympy.Expr) -> sympy.Symbol:
        symbol = next(self.names)
        self.steps.append((symbol, expression))
        return symbol


def program(
    network: Network, symbols: Sequence[sympy.Symbol] | None = None, limit: int = 1_000_000
) -> Program:
    """The network in `symbols`, layer by layer; BudgetExceeded above `limit` operations.

    >>> import hjsym
    >>> p = program(hjsym.load([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])]))
    >>> p.steps, p.outputs
    ([(h0, x1 - x2), (h1, Max(h0, 0)), (h2, 2.0*h1 + 1)], [h2])
    """
    inputs = checked_symbols(symbols, network.input_size)
    check_size(sum(_size(node.layer, network.sizes[node.inputs[0]]) for node in network.nodes), limit)
    prefix = "h"
    while any(s.name.startswith(prefix) for s in inputs):
        prefix += "h"
    made = Program(inputs, sympy.numbered_symbols(prefix, real=True))
    values = [list(inputs)]
    for node in network.nodes:
        values.append(made.assign(_expressions(node.layer, *(values[i] for i in node.inputs))))
    made.outputs = values[-1]
    made.steps = _needed(made)
    return made


def _needed(made: Program) -> list[tuple[sympy.Symbol, sympy.Expr]]:
    """The steps that the outputs depend on."""
    wanted = set().union(*(e.free_symbols for e in made.outputs))
    kept = []
    for symbol, expression in reversed(made.steps):
        if symbol in wanted:
            wanted |= expression.free_symbols
            kept.append((symbol, expression))
    return kept[::-1]


def _size(layer: layers.Layer, size: int) -> int:
    """About how many operations it takes."""
    if isinstance(layer, layers.Affine):
        return 2 * layer.weight.size + len(layer.bias)
    if isinstance(layer, layers.PiecewiseLinear):
        return size * (4 * len(layer.breaks) + 3)
    if isinstance(layer, layers.Maximum):
        return layer.members(size).size + 1
    return 2 * size


@singledispatch
def _expressions(layer, *operands: Atoms) -> list[sympy.Expr]:
    """What a layer computes."""
    raise NotImplementedError(f"no formula of {layer}")


@_expressions.register
def _(layer: layers.Affine, x):
    rows: list[list] = [[] for _ in layer.bias]
    for i, j, weight in entries(layer.weight):
        rows[i].append((j, weight))
    return [affine_form(row, b, x) for row, b in zip(rows, layer.bias, strict=True)]


@_expressions.register
def _(layer: layers.Scale, x):
    return [number(w) * v + number(b) for w, v, b in zip(layer.factor, x, layer.bias, strict=True)]


@_expressions.register
def _(layer: layers.Identity, x):
    return x


@_expressions.register
def _(layer: layers.Gather, x):
    return [x[i] for i in layer.index]


@_expressions.register
def _(layer: layers.Concat, *operands):
    return [v for x in operands for v in x]


@_expressions.register
def _(layer: layers.Add, *operands):
    factors = [number(f) for f in layer.factors]
    return [
        sympy.Add(*(f * v for f, v in zip(factors, row, strict=True))) for row in zip(*operands, strict=True)
    ]


@_expressions.register
def _(layer: layers.Maximum, x):
    return [soft_maximum(layer.eps, [x[i] for i in group]) for group in layer.members(len(x)).tolist()]


@_expressions.register
def _(layer: layers.PiecewiseLinear, x):
    columns = [np.broadcast_to(a, (len(a), len(x))) for a in (layer.breaks, layer.slopes, layer.intercepts)]
    return [_bent(v, layer.eps, *(c[:, k] for c in columns)) for k, v in enumerate(x)]


# ---- functions of one variable -------------------------------------------------------------------------


def _bent(z: sympy.Expr, eps: float, breaks, slopes, intercepts) -> sympy.Expr:
    """A piecewise-linear function at z, without pieces that cancel where z is large.

    Convex, it is the maximum of its pieces; with one bend β at temperature ε, their log-sum-exp at βε. Else each soft
    maximum adds ε log(1 + e^{−|z − c|/ε}) to the hard one.
    """
    bends = slopes[1:] - slopes[:-1]
    bent = bends != 0
    kept = np.concatenate([[True], bent])
    pieces = [number(s) * z + number(t) for s, t in zip(slopes[kept], intercepts[kept], strict=True)][::-1]
    for sign in (1, -1):
        if (sign * bends >= 0).all() and (eps == 0 or bent.sum() <= 1):
            return sign * soft_maximum(eps * abs(float(bends.sum())), [sign * p for p in pieces])
    value = _segments(z, breaks, slopes, intercepts)
    if eps:
        soft = [(b, sympy.Abs(z - number(c))) for b, c in zip(bends[bent], breaks[bent], strict=True)]
        value += sympy.Add(*(number(b) * soft_maximum(eps, [-away, sympy.S.Zero]) for b, away in soft))
    return value


def _segments(z: sympy.Expr, breaks, slopes, intercepts) -> sympy.Expr:
    """The value at the first break, and what each piece adds between the breaks that end it."""
    start = slopes[0] * breaks[0] + intercepts[0]
    before = -Maximum(number(breaks[0]) - z, 0)
    after = Maximum(z - number(breaks[-1]), 0)
    within = [-Maximum(-Maximum(z - number(a), 0), -number(b - a)) for a, b in pairwise(breaks)]
    parts = zip(slopes, [before, *within, after], strict=True)
    return number(start) + sympy.Add(*(number(s) * part for s, part in parts if s != 0))

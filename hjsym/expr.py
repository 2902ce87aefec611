"""Circuits as SymPy expressions, built without SymPy's evaluation, which is quadratic in a maximum's size."""

from collections.abc import Sequence

import numpy as np
import sympy

from hjsym.symbols import LogSumExp
from tropical import Circuit
from tropical.circuit import Affine, Input, Node, entries
from tropical.errors import BudgetExceeded, ShapeError

__all__ = ["default_symbols", "rational_expression"]


def default_symbols(d: int, name: str = "x") -> tuple[sympy.Symbol, ...]:
    """Real symbols x1 … xd."""
    return tuple(sympy.Symbol(f"{name}{k}", real=True) for k in range(1, d + 1))


def rational_expression(
    P: Circuit, Q: Circuit, symbols: Sequence[sympy.Symbol] | None, limit: int
) -> sympy.Expr | list[sympy.Expr]:
    """P − Q, one expression or a list; raises BudgetExceeded above `limit` operations."""
    symbols = default_symbols(P.variables) if symbols is None else tuple(symbols)
    if len(symbols) != P.variables:
        raise ShapeError(
            f"got {len(symbols)} symbols for {P.variables} variables; pass one symbol per variable"
        )
    operations = sum(_operation_count(P)) + sum(_operation_count(Q))
    if operations > limit:
        raise BudgetExceeded(
            "operations in the printed formula", operations, limit,
            "take fewer outputs, affine_at for one region, or raise limit=",
        )  # fmt: skip
    built: dict[Node, list[sympy.Expr]] = {}
    numerators, denominators = (_expressions(c, symbols, built) for c in (P, Q))
    differences = [p - q for p, q in zip(numerators, denominators, strict=True)]
    return differences[0] if len(differences) == 1 else differences


def _operation_count(circuit: Circuit) -> list[int]:
    """Nodes of the expression tree of each output, before building it."""
    counts: dict[Node, list[int]] = {}
    for node in circuit.nodes:
        if isinstance(node, Input):
            counts[node] = [1] * node.size
        elif isinstance(node, Affine):
            counts[node] = [1] * node.size
            for weights, operand in node.terms:
                for i, j, _ in entries(weights):
                    counts[node][i] += 1 + counts[operand][j]
        else:
            counts[node] = [1 + sum(c) for c in zip(*(counts[b] for b in node.branches), strict=True)]
    return counts[circuit.node]


def _number(value) -> sympy.Expr:
    """Exact rationals stay exact; floats stay floats of the same 53 bits."""
    if isinstance(value, (float, np.floating)):
        return sympy.Integer(int(value)) if value in (0.0, 1.0) else sympy.Float(float(value))
    return sympy.Rational(value.numerator, value.denominator)


def _expressions(circuit: Circuit, symbols, built: dict[Node, list[sympy.Expr]]) -> list[sympy.Expr]:
    for node in circuit.nodes:
        if node in built:
            continue
        if isinstance(node, Input):
            built[node] = list(symbols)
        elif isinstance(node, Affine):
            rows = [[_number(b)] for b in node.bias]
            for weights, operand in node.terms:
                for i, j, weight in entries(weights):
                    rows[i].append(_number(weight) * built[operand][j])
            built[node] = [sympy.Add(*row) for row in rows]
        else:
            eps = circuit._temperature(node)
            branches = zip(*(built[b] for b in node.branches), strict=True)
            built[node] = [_maximum(eps, row) for row in branches]
    return built[circuit.node]


def _maximum(eps: float, branches: Sequence[sympy.Expr]) -> sympy.Expr:
    if eps > 0:
        return LogSumExp(_number(eps), *branches)
    return sympy.Max(*branches, evaluate=False)

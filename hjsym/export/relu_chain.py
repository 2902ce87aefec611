"""Tropical circuits as chains of affine layers and ReLUs.

max(a, b) = b + relu(a − b), and what is not compared yet is carried on as v = relu(v) − relu(−v). All gates whose
operands are known halve their branches together, one layer after another.

Source: R. Arora, A. Basu, P. Mianjy, A. Mukherjee, "Understanding deep neural networks with rectified linear units",
ICLR 2018, Theorem 2.1.
"""

from graphlib import TopologicalSorter
from numbers import Real
from typing import NamedTuple

import numpy as np

from hjsym import layers
from hjsym.network import Network
from tropical import Circuit
from tropical._arrays import EXACT, common_dtype, convert
from tropical.circuit import Affine, Max, in_order
from tropical.circuit import Node as CircuitNode
from tropical.sparse import Weights

__all__ = ["ReluChain"]


class _Form(NamedTuple):
    """Affine functions of the units of a layer, a row each."""

    matrix: np.ndarray
    bias: np.ndarray

    def __sub__(self, other: "_Form") -> "_Form":
        return _Form(self.matrix - other.matrix, self.bias - other.bias)

    @property
    def varying(self) -> int:
        """How many of the functions are no constants."""
        return int((self.matrix != 0).any(axis=1).sum())


class ReluChain:
    """Circuits over one identity, as affine layers and ReLUs; `known` holds gates in terms of the last layer."""

    def __init__(self, circuits: list[Circuit], sign: int):
        self.sign, self.ends = sign, [c.node for c in circuits]
        self.dtype = common_dtype(*(c.dtype for c in circuits))
        self.waiting = [node for node in in_order(self.ends) if isinstance(node, Max)]
        self.branches: dict[CircuitNode, list[_Form]] = {}  # of gates that are being compared
        self.source, d = self.ends[0].source, self.ends[0].source.size
        x = _Form(convert(np.eye(d), self.dtype), convert(np.zeros(d), self.dtype))
        self.known: dict[CircuitNode, _Form] = {self.source: x}
        self.layers: list[layers.Layer] = []
        self.width = d

    def network(self) -> Network:
        while self.waiting or self.branches:
            self._advance()
        forms = [_composed(end, self.known) for end in self.ends]
        total = forms[0] - forms[1] if len(forms) == 2 else forms[0]
        last = layers.Affine(self.sign * total.matrix, self.sign * total.bias)
        return Network.sequential(self.source.size, [*self.layers, last], exact=self.dtype == EXACT)

    def _advance(self) -> None:
        """One more layer, in which each open gate halves its branches."""
        self._open_gates()
        layer = _Units(self.width, self.dtype, nonnegative=bool(self.layers))
        compared: dict[CircuitNode, list[_Rows]] = {}
        for gate, forms in self.branches.items():
            forms = sorted(
                forms, key=lambda form: form.varying, reverse=True
            )  # constants are carried for nothing
            half = len(forms) // 2
            pairs = zip(forms[:half], forms[::-1], strict=False)
            compared[gate] = [layer.maximum(a, b) for a, b in pairs]
            compared[gate] += [layer.carry(form) for form in forms[half : len(forms) - half]]
        carried = {node: layer.carry(self.known[node]) for node in self._read_later()}
        self.known = {node: layer.form(rows) for node, rows in carried.items()}
        self.branches = {}
        for gate, parts in compared.items():
            forms = [layer.form(rows) for rows in parts]
            if len(forms) == 1:
                self.known[gate] = forms[0]
            else:
                self.branches[gate] = forms
        if layer.rows:
            self.layers += [layer.affine(), layers.Relu()]
            self.width = len(layer.rows)

    def _open_gates(self) -> None:
        """Start on the gates whose operands are known."""
        for gate in list(self.waiting):
            if all(leaf in self.known for b in gate.branches for leaf in _leaves(b)):
                self.branches[gate] = [_composed(b, self.known) for b in gate.branches]
                self.waiting.remove(gate)

    def _read_later(self) -> list[CircuitNode]:
        """What is known and still read by the outputs or by gates that wait."""
        readers = [*self.ends, *(b for gate in self.waiting for b in gate.branches)]
        wanted = {leaf for reader in readers for leaf in _leaves(reader)}
        return [node for node in self.known if node in wanted]


def _leaves(node: CircuitNode) -> list[CircuitNode]:
    """The gates and the input that a node reads through affine steps alone."""
    return [step for step in _steps(node) if not isinstance(step, Affine)]


def _steps(node: CircuitNode) -> list[CircuitNode]:
    """A node and what it reads through affine steps, operands first."""
    graph: dict[CircuitNode, tuple[CircuitNode, ...]] = {}
    pending = [node]
    while pending:
        step = pending.pop()
        if step not in graph:
            graph[step] = step.operands if isinstance(step, Affine) else ()
            pending.extend(graph[step])
    return list(TopologicalSorter(graph).static_order())


def _composed(node: CircuitNode, known: dict[CircuitNode, _Form]) -> _Form:
    """A node in terms of the last layer, from the gates that are known in these terms."""
    forms: dict[CircuitNode, _Form] = {}
    for step in _steps(node):
        if not isinstance(step, Affine):
            forms[step] = known[step]
            continue
        terms = [_times(weights, forms[operand]) for weights, operand in step.terms]
        matrix, bias = (sum(parts[1:], parts[0]) for parts in zip(*terms, strict=True))
        forms[step] = _Form(matrix, bias + step.bias)
    return forms[node]


def _times(weights: Weights, form: _Form) -> _Form:
    if weights.ndim == 1:
        return _Form(weights[:, None] * form.matrix, weights * form.bias)
    return _Form(weights @ form.matrix, weights @ form.bias)


_Rows = list[tuple[dict[int, Real], Real]]  # affine functions of units that are still being numbered


class _Units:
    """The ReLUs of one layer, each computed once; `nonnegative` says that those of the layer before are."""

    def __init__(self, inputs: int, dtype: np.dtype, nonnegative: bool):
        self.inputs, self.dtype, self.nonnegative = inputs, dtype, nonnegative
        self.rows: list[np.ndarray] = []
        self.bias: list[Real] = []
        self.numbers: dict[tuple, int] = {}

    def relu(self, form: _Form) -> _Rows:
        return [self._relu(row, b) for row, b in zip(*form, strict=True)]

    def carry(self, form: _Form) -> _Rows:
        """v itself: relu(v) where it cannot be negative, else relu(v) − relu(−v)."""
        return [self._carry(row, b) for row, b in zip(*form, strict=True)]

    def maximum(self, a: _Form, b: _Form) -> _Rows:
        """b + relu(a − b)."""
        return [_added(*pair) for pair in zip(self.carry(b), self.relu(a - b), strict=True)]

    def _relu(self, row: np.ndarray, b: Real) -> tuple[dict[int, Real], Real]:
        if not (row != 0).any():
            return {}, max(b, b * 0)
        number = self.numbers.setdefault((*row.tolist(), b), len(self.rows))
        if number == len(self.rows):
            self.rows.append(row)
            self.bias.append(b)
        return {number: 1}, b * 0

    def _carry(self, row: np.ndarray, b: Real) -> tuple[dict[int, Real], Real]:
        if not (row != 0).any():
            return {}, b
        upper = self._relu(row, b)
        if self.nonnegative and b >= 0 and (row >= 0).all():
            return upper
        lower, _ = self._relu(-row, -b)
        return upper[0] | dict.fromkeys(lower, -1), upper[1]

    def form(self, rows: _Rows) -> _Form:
        """The functions in terms of the units, when all of these are numbered."""
        matrix = np.zeros((len(rows), len(self.rows) or self.inputs))
        for i, (entries, _) in enumerate(rows):
            for unit, coefficient in entries.items():
                matrix[i, unit] = coefficient
        bias = np.array([b for _, b in rows], dtype=self.dtype)
        return _Form(convert(matrix, self.dtype), bias)

    def affine(self) -> layers.Affine:
        """The layer that computes what the ReLUs take."""
        matrix = np.array(self.rows, dtype=self.dtype).reshape(len(self.rows), self.inputs)
        return layers.Affine(matrix, np.array(self.bias, dtype=self.dtype))


def _added(first: tuple[dict[int, Real], Real], second: tuple[dict[int, Real], Real]):
    """The sum of two functions of units."""
    total = dict(first[0])
    for unit, coefficient in second[0].items():
        total[unit] = total.get(unit, 0) + coefficient
    return total, first[1] + second[1]

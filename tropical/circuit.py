"""Tropical circuits: shared graphs of affine maps with nonnegative weights and (soft) max gates.

A circuit is a tropical polynomial in factored form, and stays small where the expanded polynomial has
astronomically many monomials. Nodes are immutable and refer to their operands, so that circuits built from
one another share them: evaluating several circuits together does shared work once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from graphlib import TopologicalSorter
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from tropical import _dask
from tropical._arrays import (
    EXACT,
    FLOAT64,
    as_array,
    as_points,
    common_dtype,
    convert,
    frozen,
    is_finite,
    spoiled,
)
from tropical._formulas import HasFormula
from tropical.errors import BudgetExceeded, InputError, ShapeError
from tropical.polynomial import Polynomial
from tropical.semiring import Semiring
from tropical.sparse import SparseMatrix, Weights, as_weights, cast, numbers, private

__all__ = [
    "Affine", "Circuit", "Input", "Max", "Node", "combine", "entries", "evaluate_together", "in_order", "soft_max",
]  # fmt: skip


_MAX_COUNT_BITS = 1_000_000  # of a number of monomials: beyond it even counting takes minutes


@dataclass(frozen=True, eq=False)
class Node:
    """One vector-valued step of a circuit; `size` is its length.

    `source` is the `Input` that it hangs from and `dtype` that of its weights and all below (None: none yet).
    """

    size: int
    source: Input = field(init=False)
    dtype: np.dtype | None = field(init=False)

    def __post_init__(self):
        sources = {operand.source for operand in self.operands}
        if len(sources) != 1:
            raise InputError(
                "operands start from different identities; build all from one Circuit.identity(d)"
            )
        dtypes = {operand.dtype for operand in self.operands} | self.own_dtypes
        object.__setattr__(self, "source", sources.pop())
        object.__setattr__(self, "dtype", common_dtype(*dtypes - {None}) if dtypes - {None} else None)

    @property
    def operands(self) -> tuple[Node, ...]:
        return ()

    @property
    def own_dtypes(self) -> set[np.dtype]:
        return set()


@dataclass(frozen=True, eq=False)
class Input(Node):
    """The point x itself; `exact` makes a circuit exact that has no weights of its own to say so."""

    exact: bool = False

    def __post_init__(self):
        object.__setattr__(self, "source", self)
        object.__setattr__(self, "dtype", EXACT if self.exact else None)


@dataclass(frozen=True, eq=False)
class Affine(Node):
    """Σ_i weights_i · operand_i + bias: tropical monomials, with weights as exponents.

    Weights are ≥ 0, which keeps a maximum a maximum; only those on the `Input` may have any sign. Weights of
    shape (size,) stand for the diagonal matrix; others are dense or a `tropical.sparse.SparseMatrix`.
    """

    terms: tuple[tuple[Weights, Node], ...]
    bias: np.ndarray

    @property
    def operands(self) -> tuple[Node, ...]:
        return tuple(node for _, node in self.terms)

    @property
    def own_dtypes(self) -> set[np.dtype]:
        return {self.bias.dtype}  # the weights' as well

    @cached_property
    def is_constant(self) -> bool:
        """Whether all weights are 0, as in ``c + 0``."""
        return not any(numbers(weights).any() for weights, _ in self.terms)


@dataclass(frozen=True, eq=False)
class Max(Node):
    """Elementwise ⊕ of its branches, at its own temperature `eps` unless the circuit sets another."""

    branches: tuple[Node, ...]
    eps: float = 0.0

    @property
    def operands(self) -> tuple[Node, ...]:
        return self.branches


def in_order(roots: Iterable[Node]) -> list[Node]:
    """Every node that the roots depend on, operands first."""
    graph: dict[Node, tuple[Node, ...]] = {}
    pending = list(roots)
    while pending:
        node = pending.pop()
        if node not in graph:
            graph[node] = node.operands
            pending.extend(node.operands)
    return list(TopologicalSorter(graph).static_order())


class Circuit(HasFormula):
    """A vector of m tropical polynomials in d variables, as a shared circuit.

    Start from ``Circuit.identity(d)`` and combine: ``affine`` applies weights and bias, ``c1 + c2`` is the
    elementwise ⊕ (a max gate), ``c1 * c2`` the elementwise ⊗, ``c ** a`` the power a ≥ 0, ``c1 / c2`` the
    `Rational`, ``c[i]`` a choice of outputs. Circuits are over max-plus and its log-semirings.

    Parameters
    ----------
    node : Node
        The output; everything else hangs from it.
    eps : float, optional
        One temperature for every gate; None leaves each gate its own (0 unless it was built with another).

    Notes
    -----
    Values have shape (..., m) for points of shape (..., d). Points must be finite; NaN propagates. A
    circuit of Fractions is exact: it takes floats, integers and Fractions as points and does not round.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> hidden = x.affine([[1, -2], [3, 1]], [0, 1]) + 0        # two ReLU units
    >>> c = hidden.affine([[1, 2]])
    >>> c([1.0, 1.0])
    array([10.])
    >>> c.affine_at([1.0, 1.0])
    (array([[6., 2.]]), array([2.]))
    >>> c.monomial_count(), len(c.expand())
    ([4], 4)
    >>> c.variables, c.outputs, c.gates, len(c.nodes), c.is_tropical, c.is_exact
    (2, 1, 2, 5, True, False)
    >>> c.gradient([1.0, 1.0]), c.log2_monomial_count()
    (array([[6., 2.]]), array([2.]))
    >>> soft = c.deform(0.1)
    >>> bool(0 <= soft([1.0, 1.0]) - c([1.0, 1.0]) <= soft.deformation_bound())
    True
    """

    __array_ufunc__ = None

    def __init__(self, node: Node, eps: float | None = None):
        self.node = node
        self.eps = None if eps is None else Semiring(eps=eps).eps
        self.dtype = node.dtype or FLOAT64
        if self.is_exact and self.eps:
            raise InputError(f"an exact circuit at eps = {eps:g}: log-sum-exp is transcendental; use floats")

    def __getstate__(self) -> dict:
        # Operands first, so that pickling does not go down from node to node, for which Python's stack is too short.
        return {"nodes": self.nodes, **vars(self)}

    @cached_property
    def nodes(self) -> list[Node]:
        """Every node, operands before what uses them."""
        return in_order([self.node])

    @classmethod
    def identity(cls, d: int, exact: bool = False) -> Circuit:
        """x ↦ x on R^d, from which every circuit starts; over Fractions if `exact`."""
        return cls(Input(int(d), exact))

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def variables(self) -> int:
        """d, the number of variables."""
        return self.node.source.size

    @property
    def outputs(self) -> int:
        """m, the number of outputs."""
        return self.node.size

    @property
    def is_exact(self) -> bool:
        """Whether weights are Fractions."""
        return self.dtype == EXACT

    @property
    def gates(self) -> int:
        """How many scalar max gates there are."""
        return sum(n.size for n in self.nodes if isinstance(n, Max))

    @property
    def is_tropical(self) -> bool:
        """Whether every gate is at ε = 0."""
        return all(self._temperature(n) == 0 for n in self.nodes if isinstance(n, Max))

    def deform(self, eps: float) -> Circuit:
        """The same circuit with every gate at temperature `eps`; nodes stay shared."""
        return Circuit(self.node, eps)

    def _temperature(self, gate: Max) -> float:
        return gate.eps if self.eps is None else self.eps

    # ---- building --------------------------------------------------------------------------------

    def affine(self, weights: ArrayLike, bias: ArrayLike | None = None) -> Circuit:
        """weights @ c + bias: monomials in this circuit's outputs.

        Parameters
        ----------
        weights : (k, m) array or SciPy sparse matrix
            Exponents, ≥ 0 unless this circuit is the identity.
        bias : (k,) array, optional
            Coefficients, finite.
        """
        return combine([(weights, self)], bias)

    def __getitem__(self, index) -> Circuit:
        """The circuit of some outputs only."""
        rows = np.atleast_1d(np.arange(self.outputs)[index])
        return self.affine(convert(np.equal.outer(rows, np.arange(self.outputs)), self.dtype))

    def _ones(self) -> np.ndarray:
        return convert(np.ones(self.outputs), self.dtype)

    def _constant(self, value: Real) -> Circuit:
        zeros = convert(np.zeros((self.outputs, self.variables)), self.dtype)
        bias = convert(np.full(self.outputs, value), self.dtype)
        return combine([(zeros, Circuit(self.node.source, self.eps))], bias)

    def __add__(self, other) -> Circuit:
        """c1 ⊕ c2: elementwise max, or its soft version."""
        if not isinstance(other, (Circuit, Real)):
            return NotImplemented
        return soft_max([self, self._constant(other) if isinstance(other, Real) else other])

    def __mul__(self, other) -> Circuit:
        """c1 ⊗ c2: elementwise sum."""
        if not isinstance(other, (Circuit, Real)):
            return NotImplemented
        if isinstance(other, Real):
            return combine([(self._ones(), self)], convert(np.full(self.outputs, other), self.dtype))
        return combine([(self._ones(), self), (self._ones(), other)])

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: Real) -> Circuit:
        """c^{⊗a}: the functions a·c(x), a ≥ 0."""
        if not isinstance(exponent, Real):
            return NotImplemented
        if exponent == 0:
            return self._constant(0.0)
        return combine([(self._ones() * exponent, self)])

    def __truediv__(self, other):
        """c1 ⊘ c2, a `Rational`."""
        from tropical.rational import Rational

        if not isinstance(other, (Circuit, Real)):
            return NotImplemented
        return Rational(self, self._constant(other) if isinstance(other, Real) else other)

    # ---- values and derivatives ------------------------------------------------------------------

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """c(x) at points of shape (..., d); returns shape (..., m)."""
        return evaluate_together((self,), x)[0]

    def error_bound(self, x: ArrayLike) -> np.ndarray:
        """A proved bound on |c(x) as computed − c(x)|, shape (..., m); 0 for exact circuits.

        The weights count as they are stored. See `tropical._rounding` for what is assumed of the arithmetic.

        >>> c = Circuit.identity(1).affine([[0.1]]) + 0
        >>> c.error_bound([3.0]) < 1e-15
        array([ True])
        """
        from tropical._rounding import circuit_bounds

        return circuit_bounds((self,), x)[0]

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """The Jacobian, shape (..., m, d); at ε = 0 that of the first dominant branch of each gate.

        By reverse accumulation: the cost is m evaluations, memory points × m × width numbers.
        """
        if _dask.is_dask(x):
            return _dask.at_points(
                self.gradient, x, self.variables, self.dtype, [(self.outputs, self.variables)]
            )[0]
        return self._tangent(self._points(x))[0]

    def affine_at(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """The affine piece around x: slopes (..., m, d) and intercepts (..., m); needs ε = 0.

        Each output's row is its dominant monomial, read off without expanding. The piece is exact for the
        branches that win at x; an exact circuit also computes the slopes without rounding. On ties the first
        branch wins.
        """
        if not self.is_tropical:
            raise InputError("affine_at needs every gate at eps = 0; use gradient, or deform(0)")
        return self._tangent(self._points(x))

    def _points(self, x: ArrayLike) -> np.ndarray:
        return as_points(x, self.variables, self.dtype)

    def _tangent(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slopes and intercepts of the tangent plane at x, by reverse accumulation.

        `adjoints[node]` is the derivative of the outputs in the node, shape (..., m, node.size). Each bias
        passes through its adjoint to the outputs, which gives the intercept.
        """
        values = node_values(self, self.nodes, x)
        eye = convert(np.eye(self.outputs), x.dtype)
        adjoints: dict[Node, np.ndarray] = {
            self.node: np.broadcast_to(eye, (*x.shape[:-1], *eye.shape)),
        }
        intercept = convert(np.zeros((*x.shape[:-1], self.outputs)), x.dtype)
        for node in reversed(self.nodes):
            if isinstance(node, Input):
                continue
            adjoint = adjoints.pop(node)
            if isinstance(node, Affine):
                intercept = intercept + adjoint @ _as(node.bias, x.dtype)
                passed = [
                    (operand, _times(adjoint, _as(weights, x.dtype))) for weights, operand in node.terms
                ]
            else:
                shares = self._shares(node, values)
                passed = [
                    (b, adjoint * share[..., None, :]) for b, share in zip(node.branches, shares, strict=True)
                ]
            for operand, part in passed:
                adjoints[operand] = adjoints[operand] + part if operand in adjoints else part
        return spoiled(x, adjoints[self.node.source], intercept)

    def _shares(self, gate: Max, values: dict[Node, np.ndarray]) -> np.ndarray:
        """Gibbs weights of a gate's branches, stacked in front."""
        branches = np.stack([values[b] for b in gate.branches])
        eps = self._temperature(gate)
        if eps > 0:
            shares = np.exp((branches - branches.max(axis=0)) / eps)
            return shares / shares.sum(axis=0)
        winner = np.argmax(branches, axis=0)
        indices = np.arange(len(branches)).reshape(-1, *(1,) * winner.ndim)
        return convert((winner == indices).astype(np.float64), branches.dtype)

    def deformation_bound(self) -> np.ndarray:
        """A proved bound on 0 ≤ c_ε(x) − c_0(x) for all x, shape (m,); c_0 has every gate at ε = 0.

        It is the value at the origin of the deformed circuit without its biases. Proof by induction: if
        u_ε ≤ u_0 + δ for every operand, a nonnegative affine map keeps it with Wδ, and
        LSE_ε(u_0 + δ) ≤ max u_0 + LSE_ε(δ). Attained where all branches tie, so it cannot be improved
        without looking at the biases. Rounded upwards.
        """
        excess: dict[Node, np.ndarray] = {}
        roundings = 0
        for node in self.nodes:
            if isinstance(node, Input):
                excess[node] = np.zeros(node.size)
            elif isinstance(node, Affine):
                parts = [
                    _times(excess[u], w.astype(float).T) for w, u in node.terms if not isinstance(u, Input)
                ]
                excess[node] = sum(parts, np.zeros(node.size))
                roundings += sum(w.shape[-1] + 2 for w, _ in node.terms)
            else:
                branches = np.stack([excess[b] for b in node.branches])
                excess[node] = Semiring(eps=self._temperature(node)).sum(branches, axis=0)
                roundings += 8 * len(branches)
        return excess[self.node] * (1 + roundings * 2.0**-52)

    # ---- expansion -------------------------------------------------------------------------------

    def monomial_count(self) -> list[int]:
        """How many monomials `expand` would give for each output, exactly, without expanding.

        Raises BudgetExceeded where the count itself has more than a million binary digits.
        """
        eps = self._single_temperature()
        bits = max(float(b.max(initial=0)) for b in self._log2_counts(eps).values())
        if bits > _MAX_COUNT_BITS:
            raise BudgetExceeded(
                "binary digits of the number of monomials", int(bits), _MAX_COUNT_BITS,
                "evaluate the circuit instead of expanding it",
            )  # fmt: skip
        counts: dict[Node, list[int]] = {}
        for node in self.nodes:
            if isinstance(node, Input):
                counts[node] = [1] * node.size
            elif isinstance(node, Affine):
                counts[node] = [1] * node.size
                for weights, operand in node.terms:
                    for i, j, weight in entries(weights):
                        n = counts[operand][j]
                        if eps > 0 and n > 1:
                            n = math.comb(n + _whole(weight) - 1, n - 1)
                        counts[node][i] *= n
            else:
                counts[node] = [sum(c) for c in zip(*(counts[b] for b in node.branches), strict=True)]
        return counts[self.node]

    def log2_monomial_count(self) -> np.ndarray:
        """log2 of `monomial_count`, (m,) floats, for counts of any size; from above at ε > 0."""
        return self._log2_counts(self._single_temperature())[self.node]

    def _log2_counts(self, eps: float) -> dict[Node, np.ndarray]:
        """log2 of the count of every scalar; at ε > 0 from above."""
        bits: dict[Node, np.ndarray] = {}
        for node in self.nodes:
            if isinstance(node, Input):
                bits[node] = np.zeros(node.size)
            elif isinstance(node, Affine):
                total = np.zeros(node.size)
                for weights, operand in node.terms:
                    if not isinstance(operand, Input):  # C(n + w − 1, w) ≤ n^w
                        exponents = weights.astype(float) if eps > 0 else _pattern(weights)
                        total = total + _times(bits[operand], exponents.T)
                bits[node] = np.minimum(total, 1e300)  # stays finite, so that 0 times it is 0
            else:
                bits[node] = np.logaddexp2.reduce([bits[b] for b in node.branches])
        return bits

    def expand(self, limit: int = 100_000) -> Polynomial | list[Polynomial]:
        """The circuit as explicit `Polynomial`s: one, or a list of m where there are several outputs.

        Raises
        ------
        BudgetExceeded
            If they have more than `limit` monomials together; `reached` says how many exactly.

        Notes
        -----
        At ε > 0 weights must be whole numbers and all gates at one temperature: only then is the circuit a
        polynomial over S_ε.
        """
        reached = sum(self.monomial_count())
        if reached > limit:
            raise BudgetExceeded(
                "monomials of the expanded circuit", reached, limit, "evaluate the circuit, or raise limit="
            )
        semiring = Semiring(eps=self._single_temperature())
        needed: dict[Node, set[int]] = {node: set() for node in self.nodes}
        needed[self.node] = set(range(self.outputs))
        for node in reversed(self.nodes):
            if isinstance(node, Affine):
                for weights, operand in node.terms:
                    needed[operand] |= {j for i, j, _ in entries(weights) if i in needed[node]}
            elif isinstance(node, Max):
                for branch in node.branches:
                    needed[branch] |= needed[node]
        done: dict[Node, dict[int, Polynomial]] = {}
        for node in self.nodes:
            done[node] = {i: self._expand_one(node, i, done, semiring) for i in needed[node]}
        polynomials = [done[self.node][i] for i in range(self.outputs)]
        return polynomials[0] if len(polynomials) == 1 else polynomials

    def _expand_one(self, node: Node, i: int, done: dict, semiring: Semiring) -> Polynomial:
        if isinstance(node, Max):
            first, *others = (done[branch][i] for branch in node.branches)
            return sum(others, first)
        slope = convert(np.zeros((1, self.variables)), self.dtype)
        if isinstance(node, Input):
            slope[0, i] += 1
            return Polynomial(slope, slope[:, 0] * 0, semiring)
        product = Polynomial(slope, node.bias[i : i + 1], semiring)
        for weights, operand in node.terms:
            for j, weight in _row(weights, i):
                if weight != 0:
                    product = product * done[operand][j] ** weight
        return product

    def _single_temperature(self) -> float:
        temperatures = {self._temperature(n) for n in self.nodes if isinstance(n, Max)}
        if len(temperatures) > 1:
            raise InputError(
                f"gates at different temperatures {sorted(temperatures)} do not make one polynomial; "
                "deform(eps) to one of them"
            )
        return temperatures.pop() if temperatures else (self.eps or 0.0)

    def __repr__(self) -> str:
        kind = "exact" if self.is_exact else self.dtype.name
        gates = f"{self.gates} {'max' if self.is_tropical else 'soft'} gates"
        eps = "" if self.eps is None or self.is_tropical else f" at eps = {self.eps:g}"
        return f"<Circuit: R^{self.variables} → R^{self.outputs}, {gates}{eps}, {kind}>"


def combine(terms: Sequence[tuple[ArrayLike, Circuit]], bias: ArrayLike | None = None) -> Circuit:
    """Σ_i weights_i @ circuit_i + bias, the general affine step.

    Weights have shape (k, outputs of the circuit), or (k,) for a diagonal matrix; SciPy's sparse matrices
    stay sparse.

    >>> x = Circuit.identity(2)
    >>> combine([([[1.0, 0.0]], x), ([[0.0, 2.0]], x + 0)], [1.0])([3.0, -4.0])
    array([4.])
    """
    eps = _common_temperature([c for _, c in terms])
    arrays = [as_weights("weights", w) for w, _ in terms]
    for weights, (_, circuit) in zip(arrays, terms, strict=True):
        if weights.ndim not in (1, 2) or weights.shape[-1] != circuit.outputs:
            raise ShapeError(
                f"weights have shape {weights.shape} but the circuit has {circuit.outputs} outputs; "
                f"pass weights of shape (k, {circuit.outputs})"
            )
        stored = numbers(weights)
        if not is_finite(stored).all():
            raise InputError("weights contain NaN or infinity; pass finite weights")
        if not isinstance(circuit.node, Input) and (stored < 0).any():
            raise InputError(
                f"weight {stored[stored < 0][0]} on a circuit is negative, and a negative multiple of a maximum is "
                "not a tropical polynomial; carry numerator and denominator, as a Rational does"
            )
    size = len(arrays[0])
    bias = as_array("bias", np.zeros(size, arrays[0].dtype) if bias is None else bias)
    if bias.shape != (size,) or any(len(w) != size for w in arrays):
        raise ShapeError(
            f"bias has shape {bias.shape} and weights {[w.shape for w in arrays]}; pass (k,) and (k, m) with one k"
        )
    if not is_finite(bias).all():
        raise InputError("bias contains NaN or infinity; pass finite coefficients")
    dtype = common_dtype(
        bias.dtype, *(w.dtype for w in arrays), *(c.node.dtype for _, c in terms if c.node.dtype)
    )
    pairs = ((private(cast(w, dtype)), c.node) for w, (_, c) in zip(arrays, terms, strict=True))
    return Circuit(Affine(size, tuple(pairs), frozen(convert(bias, dtype))), eps)


def soft_max(circuits: Sequence[Circuit], eps: float = 0.0) -> Circuit:
    """The elementwise ⊕ of circuits, through a gate with its own temperature `eps`.

    >>> x = Circuit.identity(1)
    >>> soft_max([x, x], eps=1.0)([0.0]).round(4)
    array([0.6931])
    """
    sizes = {c.outputs for c in circuits}
    if len(sizes) != 1:
        raise ShapeError(f"⊕ of circuits with {sorted(sizes)} outputs; give all the same number")
    branches = tuple(c.node for c in circuits)
    return Circuit(Max(sizes.pop(), branches, Semiring(eps=eps).eps), _common_temperature(circuits))


def evaluate_together(circuits: Sequence[Circuit], x: ArrayLike) -> tuple[np.ndarray, ...]:
    """The values of several circuits at x; nodes that they share are evaluated once."""
    first = circuits[0]
    _common_temperature(circuits)
    dtype = common_dtype(*(c.dtype for c in circuits))
    if _dask.is_dask(x):
        function = circuits[0] if len(circuits) == 1 else partial(evaluate_together, tuple(circuits))
        return _dask.at_points(function, x, first.variables, dtype, [(c.outputs,) for c in circuits])
    points = as_points(x, first.variables, dtype)
    values = node_values(first, in_order(c.node for c in circuits), points)
    return tuple(values[c.node] for c in circuits)


def node_values(circuit: Circuit, order: Iterable[Node], x: np.ndarray) -> dict[Node, np.ndarray]:
    """What each of the nodes computes at points of a dtype that fits all weights."""
    values: dict[Node, np.ndarray] = {}
    for node in order:
        if isinstance(node, Input):
            values[node] = x
        elif isinstance(node, Affine):
            values[node] = (
                _constant_value(node, values, x) if node.is_constant else _affine_value(node, values, x)
            )
        else:
            values[node] = Semiring(eps=circuit._temperature(node)).add(*(values[b] for b in node.branches))
    return values


def _affine_value(node: Affine, values: dict[Node, np.ndarray], x: np.ndarray) -> np.ndarray:
    (weights, operand), *others = node.terms
    with np.errstate(invalid="ignore"):  # infinite points
        total = _times(values[operand], _as(weights, x.dtype).T)
        total += _as(node.bias, x.dtype)
        for weights, operand in others:
            total += _times(values[operand], _as(weights, x.dtype).T)
    return total


def _constant_value(node: Affine, values: dict[Node, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The bias without a product by zeros; points that are not finite still spoil it."""
    bias = _as(node.bias, x.dtype)
    with np.errstate(invalid="ignore"):
        spoiled = sum((values[u] - values[u]).sum(axis=-1, keepdims=True) for _, u in node.terms)
    if (spoiled != 0).any():
        return bias + spoiled
    return np.broadcast_to(bias, (*x.shape[:-1], node.size))


def _as(array: Weights, dtype: np.dtype) -> Weights:
    return array if array.dtype == dtype else cast(array, dtype)


def _times(x: np.ndarray, weights: Weights) -> np.ndarray:
    """x @ weights, for a matrix or a diagonal one."""
    return x * weights if weights.ndim == 1 else x @ weights


def _pattern(weights: Weights) -> Weights:
    """1 where a weight is not zero."""
    if isinstance(weights, SparseMatrix):
        return weights.with_data(np.ones(weights.size))
    return (weights != 0).astype(float)


def _row(weights: Weights, i: int) -> Iterable[tuple[int, Real]]:
    """(column, weight) along one row."""
    if isinstance(weights, SparseMatrix):
        return weights.row(i)
    return [(i, weights[i])] if weights.ndim == 1 else enumerate(weights[i])


def entries(weights: Weights) -> list[tuple[int, int, Real]]:
    """(row, column, weight) of the nonzero weights of a matrix, dense or sparse, or a diagonal one."""
    if isinstance(weights, SparseMatrix):
        return list(weights.entries())
    where = np.argwhere(weights != 0).tolist()
    return [(index[0], index[-1], weights[tuple(index)]) for index in where]


def _common_temperature(circuits: Sequence[Circuit]) -> float | None:
    temperatures = {c.eps for c in circuits}
    if len(temperatures) > 1:
        raise InputError(f"circuits deformed to different temperatures {temperatures}; deform both to one")
    return temperatures.pop()


def _whole(weight) -> int:
    if weight != int(weight):
        raise InputError(
            f"weight {weight} is not a whole number: at eps > 0 the circuit is no polynomial over one semiring "
            "(scaling changes the temperature); evaluate it, or deform(0)"
        )
    return int(weight)

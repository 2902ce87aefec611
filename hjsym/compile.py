"""Networks to tropical rational functions, exactly: one rule per layer.

Every value of the network is carried as a pair of rails (P, Q) with value P − Q, both tropical circuits.
With W = W⁺ − W⁻, an affine layer gives A = W⁺P + W⁻Q + b over B = W⁺Q + W⁻P, a ReLU max(A, B) over B, and a
maximum over entries max_i(P_i + Σ_{k≠i} Q_k) over Σ_k Q_k: weights stay nonnegative, so both rails stay tropical
polynomials, and nothing is expanded. Sparse weights stay sparse.

Source: L. Zhang, G. Naitzat, L.-H. Lim, "Tropical geometry of deep neural networks", ICML 2018, Prop. 5.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, singledispatch

import numpy as np
import sympy

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.expr import rational_expression
from hjsym.forecast import Forecast, forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.pieces import affine_piece
from tropical import Circuit, Rational
from tropical.circuit import combine, soft_max
from tropical.errors import InputError
from tropical.sparse import SparseMatrix, Weights, numbers, split

__all__ = ["TropicalNetwork", "compile"]


class TropicalNetwork(Rational):
    """A network f as a tropical rational function P ⊘ Q of circuits; see `tropical.Rational`.

    Attributes
    ----------
    network : Network
        What was compiled, without its head.
    head : Layer or None
        The Sigmoid, Softmax or LogSoftmax that the network applies to f; it is not part of f.
    """

    def __init__(self, P: Circuit, Q: Circuit, network: Network, head: layers.Layer | None = None):
        super().__init__(P, Q)
        self.network = network
        self.head = head

    def deform(self, eps: float) -> "TropicalNetwork":
        """P_ε ⊘ Q_ε: every max gate becomes log-sum-exp at temperature `eps`."""
        return TropicalNetwork(self.P.deform(eps), self.Q.deform(eps), self.network, self.head)

    @cached_property
    def exactly(self) -> "TropicalNetwork":
        """The network compiled over Fractions: in floats the rails of a bend may have rounded its slopes."""
        transcendental = any(node.layer.eps for node in self.network.nodes)
        if self.is_exact or transcendental or not (self.P.is_tropical and self.Q.is_tropical):
            return self
        return compile(self.network, exact=True)

    def affine_at(self, x, outputs=None) -> tuple[np.ndarray, np.ndarray]:
        """(slope, intercept) of an affine piece that f coincides with at x: shapes (..., m, d) and (..., m).

        Read off the network itself: one forward pass, and one back that carries the m outputs, or only those
        of the indices `outputs`. On the boundary between pieces a maximum takes its first entry and a bend its
        left side. Needs ε = 0.
        """
        if not (self.P.is_tropical and self.Q.is_tropical):
            raise InputError("affine_at needs every gate at eps = 0; use gradient, or deform(0)")
        return affine_piece(self.network, x, outputs)

    def forecast(self, points: int = 1000, seed: int = 0) -> Forecast:
        """Sizes of the expanded P and Q, of regions and memory, before any work; see `hjsym.forecast.forecast`."""
        return forecast(self, points, seed)

    def expr(self, symbols=None, *, limit: int = 1_000_000) -> sympy.Expr | list[sympy.Expr]:
        """f as SymPy expressions P − Q, unevaluated; one expression, or a list of them for several outputs.

        Parameters
        ----------
        symbols : sequence of sympy.Symbol, optional
            One per variable; x1 … xd by default.
        limit : int
            Largest number of operations in the printed formula.

        Raises
        ------
        BudgetExceeded
            If the formula would be larger, saying how large.

        Examples
        --------
        >>> f = compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])])
        >>> f.expr()
        -2.0*x2 + 2.0*Max(x1, x2) + 1
        """
        return rational_expression(self.P, self.Q, symbols, limit)


def compile(source, exact: bool = False, input_shape: Sequence[int] | None = None) -> TropicalNetwork:
    """Turn a network into its tropical rational function f = P ⊘ Q.

    Parameters
    ----------
    source
        Anything `hjsym.load` takes.
    exact : bool
        Compile over `fractions.Fraction`. Float weights are dyadic rationals, so f then equals the network
        identically, at every rational point.
    input_shape : sequence of int, optional
        The shape of one input, where the source does not know it; see `hjsym.load`.

    Returns
    -------
    TropicalNetwork
        ``f(x)`` has shape (..., m) for points (..., d), tensors flattened in C order. A final Sigmoid, Softmax
        or LogSoftmax is left out and kept in ``f.head``: f is the scores it acts on. Softplus and LogSumExp
        become gates at their temperature.

    Raises
    ------
    UnsupportedLayerError
        A layer that is not piecewise linear nor a log-sum-exp, by name and position.

    Notes
    -----
    Cost: one pass over the weights; the circuit has about four times as many.

    References
    ----------
    Zhang, Naitzat, Lim, ICML 2018, Theorem 5.4.

    Examples
    --------
    >>> f = compile([([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -3.0]], [0.25])])
    >>> f([2.0, 1.0])
    array([-10.75])
    >>> f.affine_at([2.0, 1.0])
    (array([[-0.5, -7. ]]), array([-2.75]))
    >>> compile(f.network, exact=True)([2, 1])
    array([Fraction(-43, 4)], dtype=object)
    """
    whole = load(source, input_shape)
    network = whole.without_head()
    if exact:
        network = network.to_exact()
    values = [Rails(Circuit.identity(network.input_size, exact=network.exact))]
    for k, node in enumerate(network.nodes):
        operands = [values[i] for i in node.inputs]
        if network.exact and node.layer.eps:
            raise UnsupportedLayerError(
                f"layer {k} ({node.layer}) is transcendental; compile without exact=True"
            )
        try:
            values.append(_rule(node.layer, *operands))
        except UnsupportedLayerError as error:
            raise UnsupportedLayerError(f"layer {k} ({node.name or node.layer}): {error}") from None
    rails = values[-1]
    return TropicalNetwork(rails.P, rails.denominator, network, whole.head)


@dataclass(frozen=True, eq=False)
class Rails:
    """A vector of values P − Q; Q None is zero, which shallow layers often have."""

    P: Circuit
    Q: Circuit | None = None

    @property
    def denominator(self) -> Circuit:
        return self.P**0 if self.Q is None else self.Q


def _affine(pairs, bias=None) -> Circuit | None:
    """Σ weight @ circuit + bias without the terms that vanish; None if nothing is left and no bias."""
    kept = [(w, c) for w, c in pairs if c is not None and (numbers(w) != 0).any()]
    if not kept and bias is None:
        return None
    return combine(kept or pairs[:1], bias)


def _signed(weight: Weights, circuit: Circuit | None):
    """weight · circuit as a term of P, with W⁺, and one of Q, with W⁻."""
    positive, negative = split(weight)
    return (positive, circuit), (negative, circuit)


def _linear(weighted: Sequence[tuple[Weights, Rails]], bias: np.ndarray | None = None) -> Rails:
    """Σ W(P − Q) + b = (Σ W⁺P + W⁻Q + b) − (Σ W⁺Q + W⁻P)."""
    upper, lower = [], []
    for weight, rails in weighted:
        positive, negative = split(weight)
        upper += [(positive, rails.P), (negative, rails.Q)]
        lower += [(positive, rails.Q), (negative, rails.P)]
    bias = np.zeros(len(weighted[0][0])) if bias is None else bias
    return Rails(_affine(upper, bias), _affine(lower))


@singledispatch
def _rule(layer, *operands: Rails) -> Rails:
    """The rails of one layer from those of its operands."""
    raise UnsupportedLayerError(
        f"{layer} is not piecewise linear; it can only be the last layer, where it is left out of f"
    )


@_rule.register
def _(layer: layers.Affine, rails: Rails) -> Rails:
    return _linear([(layer.weight, rails)], layer.bias)


@_rule.register
def _(layer: layers.Scale, rails: Rails) -> Rails:
    if (layer.factor == -1).all() and not layer.bias.any():
        return Rails(rails.denominator, rails.P)
    return _linear([(layer.factor, rails)], layer.bias)


@_rule.register
def _(layer: layers.Identity, rails: Rails) -> Rails:
    return rails


@_rule.register
def _(layer: layers.Gather, rails: Rails) -> Rails:
    chosen = SparseMatrix.selection(layer.index, rails.P.outputs)
    return Rails(*(c and combine([(chosen, c)]) for c in (rails.P, rails.Q)))


@_rule.register
def _(layer: layers.Add, *operands: Rails) -> Rails:
    size = operands[0].P.outputs
    return _linear([(np.full(size, f), rails) for f, rails in zip(layer.factors, operands, strict=True)])


@_rule.register
def _(layer: layers.Concat, *operands: Rails) -> Rails:
    sizes = [rails.P.outputs for rails in operands]
    places = zip(np.cumsum([0, *sizes]), sizes, strict=False)
    blocks = [SparseMatrix.selection(start + np.arange(n), sum(sizes)).T for start, n in places]
    return _linear(list(zip(blocks, operands, strict=True)))


@_rule.register
def _(layer: layers.PiecewiseLinear, rails: Rails) -> Rails:
    """With first slope s, last slope r, intercept t and bends β_k at c_k,
    f(P − Q) = s·P − r·Q + t + Σ_k β_k max(P − c_k, Q).
    """
    P, Q, size = rails.P, rails.denominator, rails.P.outputs
    first, last, intercept, *bends = (
        np.broadcast_to(row, size)
        for row in (layer.slopes[0], layer.slopes[-1], layer.intercept, *layer.bends)
    )
    terms = [(first, P), (-last, rails.Q)]
    for bend, place in zip(bends, layer.breaks, strict=True):
        shifted = combine([(np.ones(size), P)], -np.broadcast_to(place, size)) if place.any() else P
        terms.append((bend, soft_max([shifted, Q], layer.eps)))
    upper, lower = zip(*(_signed(weight, circuit) for weight, circuit in terms), strict=True)
    return Rails(_affine(upper, intercept), _affine(lower))


@_rule.register
def _(layer: layers.Maximum, rails: Rails) -> Rails:
    """max_i(P_i − Q_i) = max_i(P_i + Σ_{k≠i} Q_k) − Σ_k Q_k over each group, and so for log-sum-exp."""
    size = rails.P.outputs
    members = layer.members(size)
    choices = [SparseMatrix.selection(column, size) for column in members.T]
    if rails.Q is None:
        return Rails(soft_max([combine([(c, rails.P)]) for c in choices], layer.eps))
    rows = np.repeat(np.arange(len(members)), members.shape[1] - 1)
    branches = []
    for i, chosen in enumerate(choices):
        others = np.delete(members, i, axis=1).ravel()
        rest = SparseMatrix((len(members), size), rows, others, np.ones(len(others)))
        branches.append(_affine([(chosen, rails.P), (rest, rails.Q)]))
    rows = np.repeat(np.arange(len(members)), members.shape[1])
    everything = SparseMatrix((len(members), size), rows, members.ravel(), np.ones(members.size))
    return Rails(soft_max(branches, layer.eps), combine([(everything, rails.Q)]))

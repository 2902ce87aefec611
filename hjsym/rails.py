"""The rails of a network, layer by layer: one rule for each, exact.

Every value of the network is carried as a pair of rails (P, Q) with value P − Q, both tropical circuits.
With W = W⁺ − W⁻, an affine layer gives A = W⁺P + W⁻Q + b over B = W⁺Q + W⁻P, a ReLU max(A, B) over B, and a
maximum over entries max_i(P_i + Σ_{k≠i} Q_k) over Σ_k Q_k: weights stay nonnegative, so both rails stay tropical
polynomials, and nothing is expanded. Sparse weights stay sparse.

Source: L. Zhang, G. Naitzat, L.-H. Lim, "Tropical geometry of deep neural networks", ICML 2018, Prop. 5.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from tropical import Circuit
from tropical.circuit import combine, soft_max
from tropical.sparse import SparseMatrix, Weights, numbers, split

__all__ = ["Rails", "rule"]


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
def rule(layer, *operands: Rails) -> Rails:
    """The rails of one layer from those of its operands."""
    raise UnsupportedLayerError(
        f"{layer} is not piecewise linear; it can only be the last layer, where it is left out of f"
    )


@rule.register
def _(layer: layers.Affine, rails: Rails) -> Rails:
    return _linear([(layer.weight, rails)], layer.bias)


@rule.register
def _(layer: layers.Scale, rails: Rails) -> Rails:
    if (layer.factor == -1).all() and not layer.bias.any():
        return Rails(rails.denominator, rails.P)
    return _linear([(layer.factor, rails)], layer.bias)


@rule.register
def _(layer: layers.Identity, rails: Rails) -> Rails:
    return rails


@rule.register
def _(layer: layers.Gather, rails: Rails) -> Rails:
    chosen = SparseMatrix.selection(layer.index, rails.P.outputs)
    return Rails(*(c and combine([(chosen, c)]) for c in (rails.P, rails.Q)))


@rule.register
def _(layer: layers.Add, *operands: Rails) -> Rails:
    size = operands[0].P.outputs
    return _linear([(np.full(size, f), rails) for f, rails in zip(layer.factors, operands, strict=True)])


@rule.register
def _(layer: layers.Concat, *operands: Rails) -> Rails:
    sizes = [rails.P.outputs for rails in operands]
    places = zip(np.cumsum([0, *sizes]), sizes, strict=False)
    blocks = [SparseMatrix.selection(start + np.arange(n), sum(sizes)).T for start, n in places]
    return _linear(list(zip(blocks, operands, strict=True)))


@rule.register
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


@rule.register
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

"""Lipschitz bounds of networks from the norms of their layers: no regions, so for networks of any size.

Every layer is a map of slope at most its norm, which is the norm of its matrix for an affine one, the largest slope
of a piecewise-linear function of one variable, and at most that of a choice of entries for maxima: a maximum, hard or
soft, has a mean of unit vectors as its gradient. Norms of one path are multiplied, those of joined paths added.
All roundings go upwards.
"""

from functools import singledispatch
from math import inf, sqrt

import numpy as np

from hjsym import layers
from hjsym.network import Network
from tropical._arrays import to_floats
from tropical._norms import spectral_bound
from tropical.sparse import SparseMatrix, Weights

__all__ = ["float_weights", "lipschitz_bound", "margin_bounds", "value_bounds", "weight_norm"]

_LARGEST_GRAM = (
    1024  # rows of a Gram matrix that is decomposed; above it norms 1 and ∞ bound the spectral one
)


def lipschitz_bound(network: Network, norm: float) -> float:
    """A number L with ‖f(x) − f(y)‖ ≤ L‖x − y‖ for all x and y: the product of the norms of the layers."""
    return value_bounds(network, norm)[-1]


def margin_bounds(network: Network, norm: float, winner: int) -> np.ndarray:
    """For each output j a bound, as above, of f_winner − f_j; a last affine layer is subtracted before its norm is."""
    bounds = value_bounds(network, norm)
    last = network.nodes[-1]
    if isinstance(last.layer, layers.Affine):
        rows, before = _floats(last.layer.weight), bounds[last.inputs[0]]
        dense = np.asarray(rows.todense()) if hasattr(rows, "todense") else rows
    else:
        dense, before = np.eye(network.output_size), bounds[-1]
    conjugate = {1: inf, 2: 2, inf: 1}[norm]
    sizes = np.linalg.norm(dense[winner] - dense, conjugate, axis=1)
    rounding = np.abs(dense[winner]).sum() + np.abs(dense).sum(axis=1)  # of the difference, in any norm
    return _up((sizes + 2.0**-52 * rounding) * before, dense.shape[1])


def weight_norm(weight: Weights, norm: float) -> float:
    """The operator norm of a matrix, or a bound just above it."""
    W = _floats(weight)
    columns, rows = (float(np.asarray(abs(W).sum(axis=k)).max(initial=0)) for k in (0, 1))
    columns, rows = _up(columns, W.shape[0]), _up(rows, W.shape[1])
    if norm != 2:
        return columns if norm == 1 else rows
    bound = _up(sqrt(columns) * sqrt(rows), 4)
    if min(W.shape) <= _LARGEST_GRAM:
        rounding = 2.0**-52 * sqrt(float((abs(W) ** 2).sum()))  # of Fractions to floats
        bound = min(bound, _up(spectral_bound(W) + rounding, 4))
    return bound


def float_weights(weight: Weights) -> Weights:
    """Weights in floats, sparse ones as such."""
    if isinstance(weight, SparseMatrix):
        return weight.with_data(to_floats(weight.data))
    return to_floats(weight)


def _floats(weight: Weights):
    """As `float_weights`, for NumPy's functions."""
    W = float_weights(weight)
    return W._scipy if isinstance(W, SparseMatrix) else W


def _up(value, operations: int):
    """Above a nonnegative number that was computed in so many operations."""
    return value * (1 + (operations + 8) * 2.0**-52)


def value_bounds(network: Network, norm: float) -> list[float]:
    """For the input and what every node computes a Lipschitz bound in the input."""
    bounds = [1.0]
    for node in network.nodes:
        operands = [bounds[i] for i in node.inputs]
        sizes = [network.sizes[i] for i in node.inputs]
        bounds.append(_up(_gain(node.layer, norm, operands, sizes[0]), 4 * len(operands)))
    return bounds


@singledispatch
def _gain(layer, norm: float, operands: list[float], size: int) -> float:
    """The bound behind a layer from those of its operands, of which the first has `size` entries."""
    raise NotImplementedError(f"no norm of {layer}")


@_gain.register
def _(layer: layers.Affine, norm, operands, size):
    return weight_norm(layer.weight, norm) * operands[0]


@_gain.register
def _(layer: layers.Scale, norm, operands, size):
    return float(abs(layer.factor).max(initial=0)) * operands[0]


@_gain.register
def _(layer: layers.Identity, norm, operands, size):
    return operands[0]


@_gain.register
def _(layer: layers.Gather, norm, operands, size):
    return _choice(np.bincount(layer.index, minlength=1), norm) * operands[0]


@_gain.register
def _(layer: layers.Add, norm, operands, size):
    return sum(abs(float(f)) * bound for f, bound in zip(layer.factors, operands, strict=True))


@_gain.register
def _(layer: layers.Concat, norm, operands, size):
    return float(np.linalg.norm(operands, norm))


@_gain.register
def _(layer: layers.PiecewiseLinear, norm, operands, size):
    return float(abs(layer.slopes).max()) * operands[0]


@_gain.register
def _(layer: layers.Maximum, norm, operands, size):
    members = np.sort(layer.members(size), axis=1)
    first = np.concatenate([np.ones((len(members), 1), bool), members[:, 1:] > members[:, :-1]], axis=1)
    return _choice(np.bincount(members[first], minlength=1), norm) * operands[0]


def _choice(counts: np.ndarray, norm: float) -> float:
    """Of a matrix with rows of sum 1 and columns of sum `counts` at most: ‖S‖₂² ≤ ‖S‖₁‖S‖∞."""
    most = float(counts.max())
    return {1: most, 2: sqrt(most), inf: 1.0}[norm]

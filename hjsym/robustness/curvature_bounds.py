"""Bounds on the curvature of deformed networks on all of R^d, layer by layer: −concave·1 ⪯ ∇²f ⪯ convex·1.

Differentiated twice, c·f is a sum over the layers: with the Jacobian J of what a layer reads, its adjoint a, and its
own second derivatives, each adds Jᵀ(Σ_i a_i σ_i″)J. A soft bend of slope β has 0 ≤ σ″/β ≤ 1/4ε, and a soft maximum
Cov_π/ε of the slopes that it joins, at most a quarter of their squared diameter over ε (Popoviciu). What is convex in
this sum is what the rail P_ε bends, what is concave is Q_ε: the two sides are kept apart. Adjoints are intervals, with
slopes of bends anywhere between their pieces, and ‖J‖ is at most the product of the norms of the layers before.

Everything is rounded outwards, but never over 0: a sign that is known stays known. At ε = 0 a bend that the output
reads makes its side infinite; the other side still holds, as the limit ε → 0 of those of soft bends.
"""

import math
from functools import singledispatch

import numpy as np

from hjsym import layers
from hjsym.adjoints import scattered
from hjsym.layer_norms import float_weights, value_bounds, weight_norm
from hjsym.network import Network
from hjsym.robustness.farthest import farthest
from tropical._rounding import absolute, gamma, rounded_up
from tropical.sparse import SparseMatrix, Weights, split

__all__ = ["network_curvature"]

Interval = tuple[np.ndarray, np.ndarray]
_MOST_PAIRS = 10**7  # slopes of one group of a maximum that are compared


def network_curvature(network: Network, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row c of directions (q, m) of c·f: (convex, concave), in the Euclidean norm, and its slopes' largest
    absolute values (q, d).

    Cost: a pass back with q rows of intervals, and q spectral norms for every layer of bends.
    """
    gains = value_bounds(network, 2)
    adjoints: list[Interval | None] = [None] * len(network.nodes) + [(directions, directions)]
    convex, concave = np.zeros(len(directions)), np.zeros(len(directions))
    with np.errstate(all="ignore"):
        for k in reversed(range(len(network.nodes))):
            node, adjoint = network.nodes[k], adjoints[k + 1]
            if adjoint is None:
                continue
            before = node.inputs[0]
            reading = _Reading(network, before, gains)
            more = _bending(node.layer, *adjoint, reading)
            convex, concave = (_grown(a + b, 1) for a, b in zip((convex, concave), more, strict=True))
            sizes = [network.sizes[i] for i in node.inputs]
            for i, part in zip(node.inputs, _back(node.layer, *adjoint, *sizes), strict=True):
                adjoints[i] = part if adjoints[i] is None else _sum(adjoints[i], part)
    low, high = adjoints[0] or (np.zeros((len(directions), network.input_size)),) * 2
    return convex, concave, np.maximum(abs(low), abs(high))


def _grown(bound: np.ndarray, operations: int) -> np.ndarray:
    """A bound of so many operations, rounded up; 0 stays 0."""
    return np.where(bound == 0, 0.0, rounded_up(bound, operations))


class _Reading:
    """The value that a layer reads: how much it can grow with x, alone or as rows of the affine map that gives it."""

    def __init__(self, network: Network, value: int, gains: list[float]):
        self.size, self.gain, self.weight = network.sizes[value], np.float64(gains[value]), None
        if value and isinstance(network.nodes[value - 1].layer, layers.Affine):
            self.weight = float_weights(network.nodes[value - 1].layer.weight)
            self.gain_before = gains[network.nodes[value - 1].inputs[0]]

    def square(self, d: np.ndarray) -> np.ndarray:
        """A bound on the largest eigenvalue of Jᵀ diag(d) J, for each row of d ≥ 0."""
        plain = rounded_up(d.max(axis=-1, initial=0.0) * self.gain**2, 3)
        if self.weight is not None and np.isfinite(d).all():
            sharp = [weight_norm(_scaled_rows(self.weight, np.sqrt(row)), 2) * self.gain_before for row in d]
            plain = np.minimum(plain, rounded_up(np.square(sharp), 12))
        return np.where((d > 0).any(axis=-1), plain, 0.0)

    def spread(self, members: np.ndarray) -> np.ndarray:
        """For each group of entries a bound on the largest distance between the slopes of two."""
        if self.weight is None or isinstance(self.weight, SparseMatrix):
            return np.full(len(members), rounded_up(np.asarray(math.sqrt(2) * self.gain), 2))
        rows = (self.weight[group] for group in members)
        sizes = [farthest(r, r, 2, _MOST_PAIRS).upper * self.gain_before for r in rows]
        return rounded_up(np.array(sizes), 2)


def _scaled_rows(weight: Weights, factors: np.ndarray) -> Weights:
    if isinstance(weight, SparseMatrix):
        return weight.with_data(weight.data * np.repeat(factors, np.diff(weight.offsets)))
    return weight * factors[:, None]


def _sum(a: Interval, b: Interval) -> Interval:
    falls, rises = (a[0] < 0) | (b[0] < 0), (a[1] > 0) | (b[1] > 0)
    return _widened(a[0] + b[0], a[1] + b[1], 0.0, falls, rises)


def _widened(low: np.ndarray, high: np.ndarray, error, falls: np.ndarray, rises: np.ndarray) -> Interval:
    """Outwards by an error and the rounding of one operation; below and above 0 only where the signs allow it."""
    reach = rounded_up(error + 2.0**-52 * np.maximum(abs(low), abs(high)), 3)
    low, high = low - reach, high + reach
    return np.where(falls, low, np.maximum(low, 0.0)), np.where(rises, high, np.minimum(high, 0.0))


# ---- what a layer bends ----------------------------------------------------------------------------------


@singledispatch
def _bending(layer, low: np.ndarray, high: np.ndarray, reading: _Reading) -> tuple[np.ndarray, np.ndarray]:
    """What a layer adds to the convex and the concave side, from its adjoint; affine ones nothing."""
    return np.zeros(len(low)), np.zeros(len(low))


@_bending.register
def _(layer: layers.PiecewiseLinear, low, high, reading):
    up, down = (_grown(np.maximum(s * layer.bends, 0).sum(axis=0), len(layer.breaks)) for s in (1.0, -1.0))
    with np.errstate(divide="ignore"):
        up, down = (
            _grown(b / (4 * np.float64(layer.eps)), 2) if layer.eps else _infinite(b) for b in (up, down)
        )
    rise, fall = np.maximum(high, 0), np.maximum(-low, 0)
    convex = np.maximum(_product(rise, up), _product(fall, down))
    concave = np.maximum(_product(rise, down), _product(fall, up))
    shape = (len(low), reading.size)
    return tuple(reading.square(np.broadcast_to(d, shape)) for d in (convex, concave))


@_bending.register
def _(layer: layers.Maximum, low, high, reading):
    members = layer.members(reading.size)
    single = members.shape[1] == 1
    sides = []
    for d in (np.maximum(high, 0), np.maximum(-low, 0)):
        if not layer.eps:
            sides.append(np.where((d > 0).any(axis=-1) & (not single), np.inf, 0.0))
            continue
        squares = rounded_up(reading.spread(members) ** 2 / (4 * layer.eps), 4)
        apart = rounded_up(_product(d, squares).sum(axis=-1), len(members) + 1)
        most = np.bincount(members.ravel()).max()  # diag(π) − ππᵀ has norm ½ at most
        together = rounded_up(d.max(axis=-1) * float(most) * reading.gain**2 / (2 * layer.eps), 6)
        sides.append(np.where((d > 0).any(axis=-1), np.minimum(apart, together), 0.0))
    return tuple(sides)


def _infinite(bends: np.ndarray) -> np.ndarray:
    return np.where(bends > 0, np.inf, 0.0)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a·b for numbers ≥ 0, where 0·∞ is 0."""
    return np.where((a > 0) & (b > 0), rounded_up(a * b, 1), 0.0)


# ---- adjoints over all of R^d ----------------------------------------------------------------------------


@singledispatch
def _back(layer, low: np.ndarray, high: np.ndarray, *sizes: int) -> list[Interval]:
    """The adjoints of a layer's operands, of those sizes, from its own, whatever the operands are."""
    raise NotImplementedError(f"no range of slopes of {layer}")


@_back.register
def _(layer: layers.Affine, low, high, size):
    weight = float_weights(layer.weight)
    positive, negative = split(weight)
    reach = gamma(weight.shape[0] + 4) * (np.maximum(abs(low), abs(high)) @ absolute(weight))
    falls = (low < 0) @ _pattern(positive) + (high > 0) @ _pattern(negative) > 0
    rises = (high > 0) @ _pattern(positive) + (low < 0) @ _pattern(negative) > 0
    return [_widened(low @ positive - high @ negative, high @ positive - low @ negative, reach, falls, rises)]


@_back.register
def _(layer: layers.Scale, low, high, size):
    return [_times(low, high, layer.factor.astype(float), layer.factor.astype(float))]


@_back.register
def _(layer: layers.Identity, low, high, size):
    return [(low, high)]


@_back.register
def _(layer: layers.Gather, low, high, size):
    return [_scattered(low, high, layer.index, size)]


@_back.register
def _(layer: layers.Add, low, high, *sizes):
    return [_times(low, high, float(f), float(f)) for f in layer.factors]


@_back.register
def _(layer: layers.Concat, low, high, *sizes):
    ends = np.cumsum(sizes)[:-1]
    return list(zip(np.split(low, ends, axis=-1), np.split(high, ends, axis=-1), strict=True))


@_back.register
def _(layer: layers.PiecewiseLinear, low, high, size):
    return [_times(low, high, layer.slopes.min(axis=0).astype(float), layer.slopes.max(axis=0).astype(float))]


@_back.register
def _(layer: layers.Maximum, low, high, size):
    members = layer.members(size)
    spread = [np.repeat(a, members.shape[1], axis=-1) for a in (np.minimum(low, 0), np.maximum(high, 0))]
    return [_scattered(*spread, members.ravel(), size)]


def _times(low, high, first, last) -> Interval:
    """The product with numbers between first and last."""
    corners = np.stack(np.broadcast_arrays(low * first, low * last, high * first, high * last))
    falls, rises = (
        (low < 0) & (last > 0) | (high > 0) & (first < 0),
        (high > 0) & (last > 0) | (low < 0) & (first < 0),
    )
    return _widened(corners.min(axis=0), corners.max(axis=0), 0.0, falls, rises)


def _scattered(low, high, index, size: int) -> Interval:
    reach = gamma(len(index)) * scattered(np.maximum(abs(low), abs(high)), index, size)
    falls, rises = (scattered(sign.astype(float), index, size) > 0 for sign in (low < 0, high > 0))
    return _widened(scattered(low, index, size), scattered(high, index, size), reach, falls, rises)


def _pattern(weights: Weights) -> Weights:
    """1 where a weight is not 0."""
    if isinstance(weights, SparseMatrix):
        return weights.with_data((weights.data != 0).astype(float))
    return (weights != 0).astype(float)

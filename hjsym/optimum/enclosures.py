"""Intervals that enclose what a network computes over a box: no regions, and all roundings go outwards.

The error of a sum of n products is taken as (n + 8)·2⁻⁵² times the sum of their sizes, twice what the standard model
of floating-point arithmetic asks for, which covers Fractions rounded to floats as well.
"""

from functools import singledispatch
from typing import NamedTuple

import numpy as np

from hjsym import layers
from hjsym.layer_norms import float_weights
from hjsym.network import Network
from tropical._arrays import to_floats
from tropical.errors import InputError
from tropical.sparse import numbers, split

__all__ = ["Interval", "check", "enclose"]

_UNIT = 2.0**-52
_TINY = 2.0**-1000  # above all that underflow can lose


class Interval(NamedTuple):
    """low ≤ v ≤ high, entry by entry."""

    low: np.ndarray
    high: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """The largest |v|."""
        return np.maximum(abs(self.low), abs(self.high))


def check(network: Network) -> None:
    """Refuses networks that have no such intervals: with soft gates, or with numbers that no float stands for."""
    for k, node in enumerate(network.nodes):
        if node.layer.eps:
            raise InputError(f"layer {k} ({node.layer}) is at eps = {node.layer.eps:g}; bounds need eps = 0")
        for weights in node.layer._weights().values():
            if ((numbers(weights) != 0) & (to_floats(numbers(weights)) == 0)).any():
                raise InputError(f"layer {k} ({node.layer}) has a number below the floats; round it to 0")


def _outwards(low, high, size, operations: int) -> Interval:
    error = _error(size, operations)
    return Interval(low - error, high + error)


def _error(size, operations: int) -> np.ndarray:
    error = (operations + 8) * _UNIT * size
    return np.where(error > 0, error + _TINY, 0.0)


@singledispatch
def enclose(layer, *operands: Interval) -> Interval:
    """Holds what the layer makes of all vectors in the operands."""
    raise NotImplementedError(f"no interval of {layer}")


@enclose.register
def _(layer: layers.Affine, x):
    plus, minus = split(float_weights(layer.weight))
    b = to_floats(layer.bias)
    size = plus @ x.size + minus @ x.size + abs(b)
    return _outwards(
        plus @ x.low - minus @ x.high + b, plus @ x.high - minus @ x.low + b, size, plus.shape[1]
    )


@enclose.register
def _(layer: layers.Scale, x):
    factor, b = to_floats(layer.factor), to_floats(layer.bias)
    low, high = np.sort([factor * x.low, factor * x.high], axis=0)
    return _outwards(low + b, high + b, abs(factor) * x.size + abs(b), 2)


@enclose.register
def _(layer: layers.Identity, x):
    return x


@enclose.register
def _(layer: layers.Gather, x):
    return Interval(x.low[layer.index], x.high[layer.index])


@enclose.register
def _(layer: layers.Add, *operands):
    pairs = list(zip(to_floats(layer.factors), operands, strict=True))
    low, high = sum(np.sort([f * x.low, f * x.high], axis=0) for f, x in pairs)
    return _outwards(low, high, sum(abs(f) * x.size for f, x in pairs), len(pairs))


@enclose.register
def _(layer: layers.Concat, *operands):
    return Interval(*(np.concatenate(ends) for ends in zip(*operands, strict=True)))


@enclose.register
def _(layer: layers.PiecewiseLinear, x):
    """The extreme values are at the ends or at a bend between them."""
    bends = (np.clip(row, x.low, x.high) for row in to_floats(layer.breaks))
    values, errors = _bent(layer, np.stack([x.low, *bends, x.high]))
    return Interval((values - errors).min(axis=0), (values + errors).max(axis=0))


def _bent(layer: layers.PiecewiseLinear, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values at points (k, n), and bounds of their errors, which cover bends that were moved to a float."""
    slopes, breaks, intercept = (to_floats(a) for a in (layer.slopes, layer.breaks, layer.intercept))
    value, size = slopes[0] * points + intercept, abs(slopes[0] * points) + abs(intercept)
    for bend, place in zip(to_floats(layer.bends), breaks, strict=True):
        part = bend * np.maximum(points - place, 0)
        value, size = value + part, size + abs(part)
    if layer.is_exact:
        size = size + abs(slopes).max(axis=0) * abs(breaks).sum(axis=0)
    return value, _error(size, 4 * len(breaks))


@enclose.register
def _(layer: layers.Maximum, x):
    members = layer.members(len(x.low))
    return Interval(x.low[members].max(axis=1), x.high[members].max(axis=1))

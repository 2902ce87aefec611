"""Proved bounds on the rounding of a network's values, computed layer by layer; see `tropical._rounding`."""

from functools import singledispatch

import numpy as np

from hjsym import layers
from hjsym.network import Network
from tropical._rounding import U, affine_error, gamma, rounded_up, soft_add_error, soft_sum_error

__all__ = ["layer_error", "network_errors"]


def network_errors(network: Network, values: list[np.ndarray]) -> list[np.ndarray]:
    """Bounds on |value as computed − exact value| of what `network.values` gave; weights count as they are stored."""
    errors = [np.zeros(values[0].shape)]
    for node, value in zip(network.nodes, values[1:], strict=True):
        pairs = [(values[i], errors[i]) for i in node.inputs]
        errors.append(np.broadcast_to(layer_error(node.layer, value, *pairs), value.shape))
    return errors


@singledispatch
def layer_error(layer, value: np.ndarray, *pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Of a layer's value, from its operands as computed and their errors."""
    raise NotImplementedError(f"no rounding bound of {layer}")


@layer_error.register
def _(layer: layers.Affine, value, pair):
    return affine_error([(layer.weight, *pair)], layer.bias)


@layer_error.register
def _(layer: layers.Scale, value, pair):
    return affine_error([(layer.factor, *pair)], layer.bias)


@layer_error.register(layers.Identity)
@layer_error.register(layers.Gather)
@layer_error.register(layers.Concat)
def _(layer, value, *pairs):
    return layer(*(error for _, error in pairs))


@layer_error.register
def _(layer: layers.Add, value, *pairs):
    size = value.shape[-1]
    return affine_error(
        [(np.full(size, f), *pair) for f, pair in zip(layer.factors, pairs, strict=True)], np.zeros(size)
    )


@layer_error.register
def _(layer: layers.Relu, value, pair):
    x, error = pair
    return np.where(x + error <= 0, 0.0, error)  # there both are 0


@layer_error.register
def _(layer: layers.Softplus, value, pair):
    return rounded_up(pair[1] + soft_add_error(layer.eps, value), 1)


@layer_error.register
def _(layer: layers.PiecewiseLinear, value, pair):
    """f is Lipschitz with its largest slope, soft or not. An intercept is a sum over the bends before it, each a
    difference of two slopes times a break, and each soft maximum adds `soft_add_error`."""
    x, error = pair
    bends, steep, count = len(layer.breaks), abs(layer.slopes), len(layer.breaks) + 4
    with np.errstate(all="ignore"):
        jumps = steep[1:] + steep[:-1]
        size = steep.max(axis=0) * abs(x) + abs(layer.intercept) + (jumps * abs(layer.breaks)).sum(axis=0)
        size = size + layer.eps * jumps.sum(axis=0)
        soft = 24 * U * layer.eps * jumps.sum(axis=0)
        return rounded_up(steep.max(axis=0) * error + gamma(count) * size + soft, bends + 6)


@layer_error.register
def _(layer: layers.Maximum, value, pair):
    members = layer.members(pair[0].shape[-1])
    error = pair[1][..., members].max(axis=-1)
    if layer.eps:
        error = rounded_up(error + soft_sum_error(layer.eps, value, members.shape[1]), 1)
    return error

"""The affine piece of a network around a point, or its tangent, by one pass forward and one back.

Going back, the adjoint of a value is the slope of the outputs in it, shape (..., m, size); what each layer adds
to the outputs besides goes to the intercept.
"""

import math
from functools import singledispatch

import numpy as np
from numpy.typing import ArrayLike

from hjsym import layers
from hjsym.network import Network
from tropical._arrays import EXACT, convert, is_exact

__all__ = ["affine_piece", "scattered"]


def affine_piece(network: Network, x: ArrayLike, outputs=None) -> tuple[np.ndarray, np.ndarray]:
    """Slope (..., m, d) and intercept (..., m) of an affine map that equals the network at x and near it
    wherever x is inside a region; exact for exact networks. `outputs` chooses some of the m. With layers at ε > 0
    it is the tangent at x.

    Cost: a forward pass, and a pass back with m columns.
    """
    values = network.values(x)
    points = values[0]
    eye = convert(np.eye(network.output_size), points.dtype)
    if outputs is not None:
        eye = eye[np.atleast_1d(outputs)]
    adjoints: list[np.ndarray | None] = [None] * len(network.nodes)
    adjoints.append(np.broadcast_to(eye, (*points.shape[:-1], *eye.shape)))
    intercept = convert(np.zeros((*points.shape[:-1], len(eye))), points.dtype)
    for k in reversed(range(len(network.nodes))):
        node, adjoint = network.nodes[k], adjoints[k + 1]
        adjoints[k + 1] = None
        if adjoint is None:  # nothing that the output reads
            continue
        passed, constant = _back(node.layer, adjoint, *(values[i] for i in node.inputs))
        if constant is not None:
            intercept = intercept + constant
        for i, part in zip(node.inputs, passed, strict=True):
            adjoints[i] = part if adjoints[i] is None else adjoints[i] + part
    if adjoints[0] is None:
        shape = (*intercept.shape, network.input_size)
        return convert(np.zeros(shape), points.dtype), intercept
    return adjoints[0], intercept


@singledispatch
def _back(
    layer, adjoint: np.ndarray, *inputs: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray | None]:
    """The adjoints of a layer's operands, and what its constant adds to the outputs (None: nothing)."""
    raise NotImplementedError(f"no affine piece of {layer}")


@_back.register
def _(layer: layers.Affine, adjoint, x):
    return (adjoint @ layer.weight,), adjoint @ layer.bias


@_back.register
def _(layer: layers.Scale, adjoint, x):
    return (adjoint * layer.factor,), adjoint @ layer.bias


@_back.register
def _(layer: layers.Identity, adjoint, x):
    return (adjoint,), None


@_back.register
def _(layer: layers.Gather, adjoint, x):
    return (scattered(adjoint, layer.index, x),), None


@_back.register
def _(layer: layers.Add, adjoint, *inputs):
    return tuple(adjoint * factor for factor in layer.factors), None


@_back.register
def _(layer: layers.Concat, adjoint, *inputs):
    ends = np.cumsum([x.shape[-1] for x in inputs])
    return tuple(np.split(adjoint, ends[:-1], axis=-1)), None


@_back.register
def _(layer: layers.PiecewiseLinear, adjoint, x):
    slope, intercept = layer.tangent(x)
    return (adjoint * slope[..., None, :],), (adjoint @ intercept[..., None])[..., 0]


@_back.register
def _(layer: layers.Maximum, adjoint, x):
    members = layer.members(x.shape[-1])
    if layer.eps:
        shares = layer.shares(x)
        parts = adjoint[..., None] * shares[..., None, :, :]
        lines = layer(x) - (shares * x[..., members]).sum(axis=-1)
        spread = scattered(parts.reshape(*adjoint.shape[:-1], members.size), members.ravel(), x)
        return (spread,), (adjoint @ lines[..., None])[..., 0]
    first = np.argmax(x[..., members], axis=-1)
    winners = members[np.arange(len(members)), first]
    return (scattered(adjoint, winners[..., None, :], x),), None


def scattered(adjoint: np.ndarray, index: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Zeros of the length of x, with the entries of the adjoint added at `index`."""
    shape = (*adjoint.shape[:-1], x.shape[-1])
    rows = np.arange(math.prod(shape[:-1])).reshape(*shape[:-1], 1)
    index = (rows * shape[-1] + index).ravel()
    if not is_exact(adjoint):
        return np.bincount(index, adjoint.ravel(), math.prod(shape)).reshape(shape)
    total = convert(np.zeros(math.prod(shape)), EXACT)
    np.add.at(total, index, adjoint.ravel())
    return total.reshape(shape)

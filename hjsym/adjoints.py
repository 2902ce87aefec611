"""Layers differentiated: how each carries adjoints back and tangents forward, and the gradients of its weights.

With J any number that depends on a layer's output y, the adjoint of y is ∂J/∂y, of shape (..., m). For a layer
y = f(x, θ) there are

- `pull`, the adjoints of its operands, fᵀ_x p;
- `push`, the tangent of y, f_x δx;
- `curve`, how `pull` changes with x, Σ_i p_i f_i,xx δx;
- `weight_gradients`, the gradients f_θᵀ p of its weights.

At a bend the left side is taken and in a maximum the first entry, as `affine_at` does.
"""

import math
from functools import singledispatch
from itertools import pairwise

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.layers import Layer
from tropical import Semiring
from tropical._arrays import EXACT, convert, is_exact
from tropical.sparse import SparseMatrix

__all__ = ["curve", "pull", "push", "scattered", "weight_gradients"]


# ---- adjoints ------------------------------------------------------------------------------------------


@singledispatch
def pull(layer: Layer, adjoint: np.ndarray, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
    """The adjoints of the operands, from that of the output."""
    raise UnsupportedLayerError(f"{layer} has no derivative here")


@pull.register
def _(layer: layers.Affine, adjoint, x):
    return (adjoint @ layer.weight,)


@pull.register
def _(layer: layers.Scale, adjoint, x):
    return (adjoint * layer.factor,)


@pull.register
def _(layer: layers.Identity, adjoint, x):
    return (adjoint,)


@pull.register
def _(layer: layers.Gather, adjoint, x):
    return (scattered(adjoint, layer.index, x.shape[-1]),)


@pull.register
def _(layer: layers.Add, adjoint, *inputs):
    return tuple(adjoint * factor for factor in layer.factors)


@pull.register
def _(layer: layers.Concat, adjoint, *inputs):
    ends = np.cumsum([x.shape[-1] for x in inputs])
    return tuple(np.split(adjoint, ends[:-1], axis=-1))


@pull.register
def _(layer: layers.PiecewiseLinear, adjoint, x):
    return (adjoint * layer.tangent(x)[0],)


@pull.register
def _(layer: layers.Maximum, adjoint, x):
    members = layer.members(x.shape[-1])
    shares = adjoint[..., None] * _shares(layer, x)
    flat = shares.reshape(*shares.shape[:-2], members.size)
    return (scattered(flat, members.ravel(), x.shape[-1]),)


@pull.register
def _(layer: layers.Sigmoid, adjoint, x):
    y = layer(x)
    return (adjoint * y * (1 - y),)


@pull.register
def _(layer: layers.Softmax, adjoint, x):
    y = layer(x)
    return (y * (adjoint - _total(adjoint * y)),)


@pull.register
def _(layer: layers.LogSoftmax, adjoint, x):
    return (adjoint - np.exp(layer(x)) * _total(adjoint),)


# ---- tangents ------------------------------------------------------------------------------------------


@singledispatch
def push(layer: Layer, tangents: tuple[np.ndarray, ...], *inputs: np.ndarray) -> np.ndarray:
    """The tangent of the output, from those of the operands; a linear layer is its own."""
    return layer(*tangents)


@push.register
def _(layer: layers.Affine, tangents, x):
    return tangents[0] @ layer.weight.T


@push.register
def _(layer: layers.Scale, tangents, x):
    return tangents[0] * layer.factor


@push.register
def _(layer: layers.PiecewiseLinear, tangents, x):
    return tangents[0] * layer.tangent(x)[0]


@push.register
def _(layer: layers.Maximum, tangents, x):
    members = layer.members(x.shape[-1])
    return (tangents[0][..., members] * _shares(layer, x)).sum(axis=-1)


@push.register(layers.Sigmoid)
@push.register(layers.Softmax)
def _(layer, tangents, x):
    return pull(layer, tangents[0], x)[0]  # their Jacobians are symmetric


@push.register
def _(layer: layers.LogSoftmax, tangents, x):
    return tangents[0] - _total(np.exp(layer(x)) * tangents[0])


# ---- curvature -----------------------------------------------------------------------------------------


@singledispatch
def curve(layer: Layer, adjoint: np.ndarray, tangents: tuple[np.ndarray, ...], *inputs: np.ndarray):
    """The change of `pull(layer, adjoint, …)` along the tangents of the operands; zero where a layer is
    piecewise linear."""
    return tuple(np.zeros_like(t) for t in tangents)


@curve.register
def _(layer: layers.PiecewiseLinear, adjoint, tangents, x):
    if not layer.eps:
        return (np.zeros_like(tangents[0]),)
    bent = 0.0
    for bend, place in zip(layer.bends, layer.breaks, strict=True):
        bent = bent + bend * layers.Sigmoid()((x - place) / layer.eps) * layers.Sigmoid()(
            (place - x) / layer.eps
        )
    return (adjoint * bent / layer.eps * tangents[0],)


@curve.register
def _(layer: layers.Maximum, adjoint, tangents, x):
    if not layer.eps:
        return (np.zeros_like(tangents[0]),)
    members = layer.members(x.shape[-1])
    weights, moved = _shares(layer, x), tangents[0][..., members]
    changes = weights * (moved - _total(weights * moved)) / layer.eps
    changes = adjoint[..., None] * changes
    flat = changes.reshape(*changes.shape[:-2], members.size)
    return (scattered(flat, members.ravel(), x.shape[-1]),)


@curve.register
def _(layer: layers.Sigmoid, adjoint, tangents, x):
    y = layer(x)
    return (adjoint * y * (1 - y) * (1 - 2 * y) * tangents[0],)


@curve.register
def _(layer: layers.Softmax, adjoint, tangents, x):
    y, moved = layer(x), push(layer, tangents, x)
    return (moved * (adjoint - _total(adjoint * y)) - y * _total(adjoint * moved),)


@curve.register
def _(layer: layers.LogSoftmax, adjoint, tangents, x):
    y = np.exp(layer(x))
    return (-y * (tangents[0] - _total(y * tangents[0])) * _total(adjoint),)


# ---- weights -------------------------------------------------------------------------------------------


@singledispatch
def weight_gradients(layer: Layer, adjoint: np.ndarray, *inputs: np.ndarray) -> dict:
    """The gradient of each array of weights by its name, summed over the leading axes; {} without weights."""
    return {}


@weight_gradients.register
def _(layer: layers.Affine, adjoint, x):
    p, x = (np.broadcast_to(a, (*adjoint.shape[:-1], a.shape[-1])) for a in (adjoint, x))
    p, x = p.reshape(-1, p.shape[-1]), x.reshape(-1, x.shape[-1])
    W = layer.weight
    if isinstance(W, SparseMatrix):
        rows = np.repeat(np.arange(W.shape[0]), np.diff(W.offsets))
        gradient = SparseMatrix(W.shape, rows, W.columns, (p[:, rows] * x[:, W.columns]).sum(axis=0))
    else:
        gradient = p.T @ x
    return {"weight": gradient, "bias": p.sum(axis=0)}


@weight_gradients.register
def _(layer: layers.Scale, adjoint, x):
    return {"factor": _summed(adjoint * x), "bias": _summed(adjoint)}


@weight_gradients.register
def _(layer: layers.PiecewiseLinear, adjoint, x):
    """f = s_0 z + t + Σ_k (s_{k+1} − s_k) r_k with r_k = max(z − c_k, 0)."""
    if not layer.parameters:
        return {}
    ramps = [Semiring(eps=layer.eps).add(x - place, np.zeros_like(x)) for place in layer.breaks]
    bounds = [x, *ramps, np.zeros_like(x)]
    slopes = [_summed(adjoint * (left - right)) for left, right in pairwise(bounds)]
    breaks = [
        _summed(-adjoint * bend * _step(layer.eps, x - place))
        for bend, place in zip(layer.bends, layer.breaks, strict=True)
    ]
    return {"slopes": np.array(slopes), "breaks": np.array(breaks), "intercept": _summed(adjoint)}


# ---- parts ---------------------------------------------------------------------------------------------


def _total(a: np.ndarray) -> np.ndarray:
    return a.sum(axis=-1, keepdims=True)


def _summed(a: np.ndarray) -> np.ndarray:
    return a.reshape(-1, a.shape[-1]).sum(axis=0)


def _step(eps: float, z: np.ndarray) -> np.ndarray:
    """The derivative of max(z, 0) at temperature ε; 0 at a bend."""
    return layers.Sigmoid()(z / eps) if eps else (z > 0) * 1


def _shares(layer: layers.Maximum, x: np.ndarray) -> np.ndarray:
    """The derivative of each maximum by its arguments: Gibbs weights, at ε = 0 the first of the largest."""
    if layer.eps:
        return layer.shares(x)
    z = x[..., layer.members(x.shape[-1])]
    first = np.argmax(z, axis=-1)[..., None]
    return (np.arange(z.shape[-1]) == first) * 1


def scattered(adjoint: np.ndarray, index: np.ndarray, size: int) -> np.ndarray:
    """Zeros of this size, with the entries of the adjoint added at `index`."""
    shape = (*adjoint.shape[:-1], size)
    rows = np.arange(math.prod(shape[:-1])).reshape(*shape[:-1], 1)
    places = (rows * size + index).ravel()
    if not is_exact(adjoint):
        return np.bincount(places, adjoint.ravel(), math.prod(shape)).reshape(shape)
    total = convert(np.zeros(math.prod(shape)), EXACT)
    np.add.at(total, places, adjoint.ravel())
    return total.reshape(shape)

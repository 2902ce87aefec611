"""Tensor operations in terms of a `Network`'s flat layers, for the readers of formats that speak of tensors.

A `Tensor` is a value of the network under construction with the shape of one sample; the batch axis is never
among its axes. Samples are flattened in C order. What a model's description makes large (a convolution as a
matrix, the windows of a pool) is counted before it is built.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError, one_line
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.network import Network, Node, needed
from tropical.errors import BudgetExceeded
from tropical.sparse import SparseMatrix

__all__ = ["Builder", "Tensor"]


@dataclass(frozen=True)
class Tensor:
    """A value computed from the input: its index in the Network and its shape without the batch axis."""

    index: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def places(self) -> np.ndarray:
        """Where each entry of the tensor stands in the flat vector."""
        return np.arange(self.size).reshape(self.shape)


class Builder:
    """A network under construction, within limits."""

    def __init__(self, input_shape: Sequence[int], limits: Limits = DEFAULT):
        shape = tuple(int(n) for n in input_shape)
        if not shape or min(shape) < 1:
            raise UnsupportedLayerError(
                f"an input of shape {shape} a sample; axes of fixed length are needed"
            )
        if math.prod(shape) > limits.input_size:
            raise BudgetExceeded(
                one_line(f"numbers a sample of an input of shape {shape}", 200),
                math.prod(shape),
                limits.input_size,
                "take a smaller one, or raise the limit of input_size",
            )
        self.limits = limits
        self.input = Tensor(0, shape)
        self.nodes: list[Node] = []
        self._entries = self._bytes = self._values = 0

    def finish(self, output: Tensor, metadata: Mapping[str, str] | None = None) -> Network:
        """The network up to `output`, without what it does not read."""
        if output.index == 0:
            output = self.emit(layers.Identity(), [output], "")
        return Network(self.input.size, needed(self.nodes, output.index), metadata or {})

    def emit(self, layer: layers.Layer, operands: Sequence[Tensor], name: str, shape=None) -> Tensor:
        """Append a layer; the shape is the first operand's unless given."""
        self.hold(layer.nbytes)
        if len(self.nodes) >= self.limits.nodes:
            raise BudgetExceeded(
                "layers", len(self.nodes) + 1, self.limits.nodes, "take a smaller network, or raise the limit of nodes"
            )  # fmt: skip
        name = (
            name.decode(errors="replace") if isinstance(name, bytes) else name
        )  # protobuf, if it is no text
        self.nodes.append(Node(layer, tuple(t.index for t in operands), name))
        return Tensor(len(self.nodes), operands[0].shape if shape is None else tuple(shape))

    def spend(self, entries: int, what: str) -> None:
        """Count what is about to be built."""
        self._entries += int(entries)
        if self._entries > self.limits.entries:
            raise BudgetExceeded(
                f"{what}: entries of the matrices and windows so far", self._entries, self.limits.entries,
                "make the input or the layer smaller, or raise the limit of entries",
            )  # fmt: skip

    def hold(self, nbytes: int) -> None:
        """Count what stays in memory: the arrays of layers, computed constants."""
        self._bytes += int(nbytes)
        if self._bytes > self.limits.memory:
            raise BudgetExceeded(
                "bytes of layers and constants so far", self._bytes, self.limits.memory,
                "take a smaller network, or raise the limit of memory",
            )  # fmt: skip

    def read(self, values: int) -> None:
        """Count the numbers that a layer is about to read, for what costs time and builds nothing."""
        self._values += int(values)
        if self._values > self.limits.values:
            raise BudgetExceeded(
                "numbers that the layers read so far", self._values, self.limits.values,
                "take a smaller network, or raise the limit of values",
            )  # fmt: skip

    # ---- shapes ------------------------------------------------------------------------------------

    def take(self, t: Tensor, places: np.ndarray, name: str = "") -> Tensor:
        """The tensor whose entries stand at `places` of the flat t; no layer where nothing moves."""
        if places.size == t.size and (places.ravel() == np.arange(t.size)).all():
            return Tensor(t.index, places.shape)
        self.spend(places.size, "Gather")
        return self.emit(layers.Gather(places.ravel()), [t], name, places.shape)

    def reshape(self, t: Tensor, shape: Sequence[int]) -> Tensor:
        """The same numbers under another shape; one length may be −1."""
        shape = [int(n) for n in shape]
        if shape.count(-1) > 1 or any(n < -1 for n in shape):
            raise UnsupportedLayerError(f"Reshape to {shape} is not read; use one -1 and positive lengths")
        if -1 in shape:
            rest = -math.prod(shape)
            shape[shape.index(-1)] = t.size // rest if rest else 0
        if math.prod(shape) != t.size:
            raise UnsupportedLayerError(
                f"Reshape of {t.shape} a sample to {tuple(shape)} mixes samples; keep the batch as the first axis"
            )
        return Tensor(t.index, tuple(shape))

    def flatten(self, t: Tensor, start: int = 0, stop: int = -1) -> Tensor:
        """Axes from `start` to `stop` as one."""
        rank = max(len(t.shape), 1)
        start, stop = axis_of(start, rank), axis_of(stop, rank)
        middle = math.prod(t.shape[start : stop + 1])
        return Tensor(t.index, (*t.shape[:start], middle, *t.shape[stop + 1 :]))

    def transpose(self, t: Tensor, order: Sequence[int], name: str = "") -> Tensor:
        """The tensor with its axes in another order."""
        if sorted(order) != list(range(len(t.shape))):
            raise UnsupportedLayerError(
                f"axes {list(order)} of a tensor of shape {t.shape} are no permutation"
            )
        return self.take(t, t.places.transpose(order), name)

    def broadcast(self, tensors: Sequence[Tensor], name: str) -> list[Tensor]:
        """All with one shape, entries repeated where an axis has length 1."""
        shapes = [t.shape for t in tensors]
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            shape = None
        if shape is None or len(set(map(len, shapes))) > 1:
            shown = " and ".join(map(str, shapes))
            raise UnsupportedLayerError(f"shapes {shown} a sample do not go together; give both the same")
        self.spend(math.prod(shape) if len(set(shapes)) > 1 else 0, "Gather")
        return [
            t if t.shape == shape else self.take(t, np.broadcast_to(t.places, shape), name) for t in tensors
        ]

    def concat(self, tensors: Sequence[Tensor], axis: int, name: str = "") -> Tensor:
        """Tensors one after another along an axis."""
        rank = len(tensors[0].shape)
        axis = axis_of(axis, rank)
        rest = {t.shape[:axis] + t.shape[axis + 1 :] for t in tensors}
        if len(rest) > 1 or any(len(t.shape) != rank for t in tensors):
            shown = " and ".join(str(t.shape) for t in tensors)
            raise UnsupportedLayerError(f"Concat of shapes {shown} a sample along axis {axis}")
        starts = np.cumsum([0, *(t.size for t in tensors)])
        self.spend(starts[-1], "Concat")
        places = np.concatenate([t.places + k for t, k in zip(tensors, starts, strict=False)], axis)
        joined = self.emit(layers.Concat(len(tensors)), tensors, name, (int(starts[-1]),))
        return self.take(joined, places, name)

    def pad(self, t: Tensor, before: Sequence[int], after: Sequence[int], value: float, name: str) -> Tensor:
        """t with `value` around it."""
        if min(*before, *after, 0) < 0 or not np.isfinite(value):
            raise UnsupportedLayerError(f"padding by {list(before)} and {list(after)} with {value}")
        shape = tuple(int(n + a + b) for n, a, b in zip(t.shape, before, after, strict=True))
        self.spend(math.prod(shape), "Pad")
        bias = np.full(shape, float(value))
        inside = tuple(slice(a, a + n) for n, a in zip(t.shape, before, strict=True))
        bias[inside] = 0.0
        rows = np.arange(bias.size).reshape(shape)[inside].ravel()
        weight = SparseMatrix((bias.size, t.size), rows, np.arange(t.size), np.ones(t.size))
        return self.emit(layers.Affine(weight, bias.ravel()), [t], name, shape)

    # ---- affine maps -------------------------------------------------------------------------------

    def constant(self, array: np.ndarray) -> Tensor:
        """A tensor that does not depend on the input."""
        self.spend(array.size, "constant")
        nothing = SparseMatrix((array.size, self.input.size), [], [], np.zeros(0))
        return self.emit(layers.Affine(nothing, array.astype(float).ravel()), [self.input], "", array.shape)

    def linear(self, t: Tensor, weight: np.ndarray, bias: np.ndarray | None, name: str) -> Tensor:
        """weight @ x + bias along the last axis, weight of shape (outputs, inputs)."""
        if weight.ndim != 2 or not t.shape or weight.shape[1] != t.shape[-1] or not weight.size:
            raise UnsupportedLayerError(
                f"weights of shape {weight.shape} for values of shape {t.shape} a sample; "
                "two axes are needed, (outputs, inputs), with inputs the last length"
            )
        outputs, inputs = weight.shape
        bias = np.zeros(outputs) if bias is None else np.broadcast_to(bias, (outputs,))
        repeats = t.size // inputs
        if repeats == 1:
            return self.emit(layers.Affine(weight, bias), [t], name, (*t.shape[:-1], outputs))
        self.spend(repeats * weight.size, "linear layer at every place")
        copies = np.arange(repeats)[:, None, None]
        rows = copies * outputs + np.arange(outputs)[:, None] + np.zeros((1, 1, inputs), int)
        columns = copies * inputs + np.arange(inputs) + np.zeros((1, outputs, 1), int)
        data = np.broadcast_to(weight, rows.shape)
        matrix = SparseMatrix((repeats * outputs, t.size), rows.ravel(), columns.ravel(), data.ravel())
        return self.emit(layers.Affine(matrix, np.tile(bias, repeats)), [t], name, (*t.shape[:-1], outputs))

    def scale(self, t: Tensor, factor, bias, name: str) -> Tensor:
        """factor · t + bias, both constants broadcast as NumPy does."""
        shape = np.broadcast_shapes(t.shape, *(without_batch(a, t) for a in (factor, bias)))
        self.spend(2 * math.prod(shape), "Scale")
        factor, bias = (
            np.broadcast_to(np.reshape(a, without_batch(a, t)), shape).ravel() for a in (factor, bias)
        )
        if shape != t.shape:
            t = self.take(t, np.broadcast_to(t.places, shape), name)
        return self.emit(layers.Scale(factor, bias), [t], name)

    def shift(self, t: Tensor, bias, name: str, fold: bool = False) -> Tensor:
        """t + bias; `fold` allows to add it to the affine map that t comes from, which nothing else reads."""
        wide = without_batch(bias, t)
        producer = self.nodes[t.index - 1] if t.index else None
        fold = fold and producer is not None and isinstance(producer.layer, layers.Affine)
        if fold and np.broadcast_shapes(wide, t.shape) == t.shape:
            more = np.broadcast_to(np.reshape(bias, wide), t.shape).ravel()
            layer = layers.Affine(producer.layer.weight, producer.layer.bias + more)
            self.nodes[t.index - 1] = Node(layer, producer.inputs, producer.name)
            return t
        return self.scale(t, 1.0, bias, name)

    def batch_norm(self, t: Tensor, gamma, beta, mean, variance, eps: float, axis: int, name: str) -> Tensor:
        """gamma (t − mean)/√(variance + eps) + beta with one number of each for every entry of an axis."""
        axis = axis_of(axis, len(t.shape))
        arrays = [np.asarray(a, dtype=float) for a in (gamma, beta, mean, variance)]
        if any(a.shape != (t.shape[axis],) for a in arrays):
            raise UnsupportedLayerError(
                f"batch norm of {t.shape[axis]} channels with arrays of shapes {[a.shape for a in arrays]}"
            )
        gamma, beta, mean, variance = arrays
        if not (variance + eps > 0).all():
            raise UnsupportedLayerError("batch norm with a variance + eps that is not positive")
        factor = gamma / np.sqrt(variance + eps)
        column = (-1, *(1,) * (len(t.shape) - axis - 1))
        return self.scale(t, factor.reshape(column), (beta - mean * factor).reshape(column), name)

    def add(self, tensors: Sequence[Tensor], factors: Sequence[float], name: str) -> Tensor:
        """Σ factor · tensor, broadcast."""
        return self.emit(layers.Add(np.array(factors, float)), self.broadcast(tensors, name), name)

    def negative(self, t: Tensor, name: str) -> Tensor:
        return self.scale(t, -1.0, 0.0, name)

    def head(self, layer: layers.Head, t: Tensor, name: str) -> Tensor:
        """What turns scores into probabilities, right behind a layer that computes them."""
        if t.index == 0:
            t = self.emit(layers.Identity(), [t], "")
        return self.emit(layer, [t], name)

    # ---- maxima and reductions ---------------------------------------------------------------------

    def elementwise(self, t: Tensor, layer: layers.Layer, name: str) -> Tensor:
        return self.emit(layer, [t], name)

    def prelu(self, t: Tensor, slopes: np.ndarray, name: str) -> Tensor:
        """max(t, 0) + slopes · min(t, 0), slopes broadcast to t."""
        wide = without_batch(slopes, t)
        if np.broadcast_shapes(wide, t.shape) != t.shape:
            raise UnsupportedLayerError(f"slopes of shape {np.shape(slopes)} for values of shape {t.shape}")
        if np.size(slopes) == 1:
            return self.emit(layers.LeakyRelu(float(np.reshape(slopes, ()))), [t], name)
        self.spend(3 * t.size, "PRelu")
        slopes = np.broadcast_to(np.reshape(slopes, wide), t.shape).ravel()
        return self.emit(layers.prelu(slopes.astype(float)), [t], name)

    def maximum(self, tensors: Sequence[Tensor], name: str, sign: int = 1) -> Tensor:
        """The largest of several tensors, entry by entry; the smallest for sign −1."""
        if len(tensors) == 1:
            return tensors[0]
        if sign < 0:
            opposite = self.maximum([self.negative(t, name) for t in tensors], name)
            return self.negative(opposite, name)
        tensors = self.broadcast(tensors, name)
        size, shape = tensors[0].size, tensors[0].shape
        self.spend(size * len(tensors), "Max")
        groups = np.arange(size)[:, None] + size * np.arange(len(tensors))
        joined = self.emit(layers.Concat(len(tensors)), tensors, name, (size * len(tensors),))
        return self.emit(layers.Maximum(groups), [joined], name, shape)

    def bound(self, t: Tensor, constant: np.ndarray, name: str, sign: int = 1) -> Tensor:
        """max(t, constant), or min for sign −1."""
        wide = without_batch(constant, t)
        if np.broadcast_shapes(wide, t.shape) != t.shape:
            return self.maximum([t, self.constant(np.reshape(constant, wide))], name, sign)
        self.spend(3 * t.size, "Max")
        c = np.broadcast_to(np.reshape(constant, wide), t.shape).ravel().astype(float)
        slopes = np.broadcast_to(np.array([[0.0], [1.0]][::sign]), (2, t.size))
        layer = layers.PiecewiseLinear(
            c[None], slopes, c if sign > 0 else c * 0, label="Max" if sign > 0 else "Min"
        )
        return self.emit(layer, [t], name)

    def reduce(self, t: Tensor, axes: Sequence[int], kind: str, keep: bool, name: str) -> Tensor:
        """The "sum", "mean", "max", "min" or "logsumexp" over some axes."""
        rank = len(t.shape)
        axes = tuple(sorted({axis_of(a, rank) for a in axes}))
        groups = np.moveaxis(t.places, axes, range(rank - len(axes), rank))
        groups = groups.reshape(-1, math.prod(t.shape[a] for a in axes))
        shape = [1 if k in axes else n for k, n in enumerate(t.shape) if keep or k not in axes]
        if kind == "min":
            t = self.negative(t, name)
        if kind in ("sum", "mean"):
            layer = sums(groups, t.size, mean=kind == "mean")
        elif kind == "logsumexp":
            layer = layers.LogSumExp() if len(groups) == 1 else layers.Maximum(groups, 1.0)
        else:
            layer = layers.Maximum(groups)
        self.spend(t.size, f"reduction by {kind}")
        reduced = self.emit(layer, [t], name, shape)
        return self.negative(reduced, name) if kind == "min" else reduced


def sums(groups: np.ndarray, size: int, mean: bool) -> layers.Affine:
    """The sum or mean of each group of entries."""
    rows = np.repeat(np.arange(len(groups)), groups.shape[1])
    data = np.full(groups.size, 1.0 / groups.shape[1] if mean else 1.0)
    return layers.Affine(SparseMatrix((len(groups), size), rows, groups.ravel(), data), np.zeros(len(groups)))


def axis_of(axis: int, rank: int) -> int:
    """An axis of a sample, counted from 0, given from either end."""
    if not -rank <= axis < rank:
        raise UnsupportedLayerError(f"axis {axis} of a sample of {rank} axes")
    return axis % rank


def without_batch(array, t: Tensor) -> tuple[int, ...]:
    """The shape of a constant beside t: an axis for the batch, which has to be of length 1, is left out."""
    shape = np.shape(array)
    if len(shape) == len(t.shape) + 1 and shape[0] == 1:
        shape = shape[1:]
    try:
        if len(shape) > len(t.shape):
            raise ValueError
        np.broadcast_shapes(shape, t.shape)
    except ValueError:
        raise UnsupportedLayerError(
            f"constant of shape {np.shape(array)} beside values of shape {t.shape} a sample; it must broadcast to them"
        ) from None
    return shape

"""The layers of a network as ONNX operators.

Tensors are (batch, size), as vectors are here. Sparse matrices become windows: the entries of each row are gathered,
weighted and summed. A maximum over groups is a Gather and a ReduceMax, a log-sum-exp at temperature ε is
ε · ReduceLogSumExp(x/ε), and a piecewise-linear function that ONNX has no operator for a sum of ReLUs.
"""

from collections.abc import Sequence
from functools import singledispatch

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hjsym import layers
from hjsym.frontends.limits import DEFAULT
from hjsym.network import Network
from tropical._arrays import is_exact
from tropical.errors import BudgetExceeded, InputError
from tropical.sparse import SparseMatrix

MAX_BYTES = DEFAULT.file_bytes

__all__ = ["Writer"]

_OPSET, _IR = 17, 8  # old enough for run times of 2022, new enough for doubles everywhere


class Writer:
    """An ONNX graph under construction."""

    def __init__(self, network: Network, dtype: np.dtype):
        if dtype not in (np.float64, np.float32):
            raise InputError(f"dtype is {dtype}; pass float64 or float32")
        self.network, self.dtype = network, dtype
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self.bytes = 0
        self.place = ""  # the layer that is being written, for messages
        self.name = ""

    def model(self) -> onnx.ModelProto:
        values = ["x"]
        for k, (node, size) in enumerate(zip(self.network.nodes, self.network.sizes[1:], strict=True)):
            self.place, self.name = f"layer {k} ({node})", node.name
            operands = [values[i] for i in node.inputs]
            sizes = [self.network.sizes[i] for i in node.inputs]
            values.append(_write(node.layer, self, operands, sizes[0] if sizes else size))
        self.nodes[-1].output[0] = "y"
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        x, y = (
            helper.make_tensor_value_info(name, kind, ["batch", size])
            for name, size in (("x", self.network.input_size), ("y", self.network.output_size))
        )
        graph = helper.make_graph(self.nodes, "network", [x], [y], self.tensors)
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR, producer_name="hjsym")
        helper.set_model_props(model, {str(k): str(v) for k, v in self.network.metadata.items()})
        onnx.checker.check_model(model, full_check=True)
        return model

    def op(self, kind: str, operands: Sequence[str], **attributes) -> str:
        """Append an operator; its value's name."""
        result = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, operands, [result], name=self.name, **attributes))
        return result

    def constant(self, array: np.ndarray) -> str:
        """A tensor of numbers, or of places where it is of integers."""
        array = np.asarray(array)
        if array.dtype.kind not in "iu":
            array = self._numbers(array)
        self.make_room(array.nbytes)
        self.bytes += array.nbytes
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def make_room(self, size: int) -> None:
        """Refuse what would be too large, before it is built."""
        if self.bytes + size > MAX_BYTES:
            raise BudgetExceeded(
                f"{self.place}: bytes of the ONNX model so far", self.bytes + size, MAX_BYTES,
                "write it as float32, or save the network as .npz",
            )  # fmt: skip

    def _numbers(self, array: np.ndarray) -> np.ndarray:
        if is_exact(array):
            array = self._as_floats(array)
        with np.errstate(over="ignore"):
            cast = array.astype(self.dtype)
        if not np.isfinite(cast).all():
            number = array[~np.isfinite(cast)].flat[0]
            raise InputError(f"{self.place} has the number {number}, beyond float32; write it as float64")
        return cast

    def _as_floats(self, array: np.ndarray) -> np.ndarray:
        out = np.empty(array.shape)
        for index, value in np.ndenumerate(array):
            try:
                out[index] = float(value)
            except OverflowError:
                out[index] = np.inf
            if out[index] != value:
                raise InputError(
                    f"{self.place} has the number {value}, which no float64 holds; ONNX has no rationals, so round "
                    "the network first, with to_float()"
                )
        return out


# ---- one rule for each layer: the names of its operands, and the size of the first ---------------------


@singledispatch
def _write(layer, w: Writer, operands: list[str], size: int) -> str:
    raise NotImplementedError(f"no ONNX operators for {layer}")


@_write.register
def _(layer: layers.Affine, w, operands, size):
    if isinstance(layer.weight, SparseMatrix):
        rows, columns = layer.weight.shape
        widest = int(np.diff(layer.weight.offsets).max(initial=0))
        if 0 < widest * 4 <= columns:
            return _shifted(w, _windows(layer.weight, widest, w, operands[0]), layer.bias)
        w.make_room(rows * columns * w.dtype.itemsize)
    weight = w.constant(np.asarray(layer.weight))
    bias = [w.constant(layer.bias)] if (layer.bias != 0).any() else []
    return w.op("Gemm", [*operands, weight, *bias], transB=1)


def _windows(weight: SparseMatrix, widest: int, w: Writer, operand: str) -> str:
    """A sparse matrix by the entries of its rows, of which shorter ones are filled up with zeros."""
    rows = weight.shape[0]
    w.make_room(rows * widest * (8 + w.dtype.itemsize))
    slot = np.arange(weight.size) - weight.offsets[weight.rows]
    places, entries = np.zeros((rows, widest), np.int64), np.zeros((rows, widest), weight.dtype)
    places[weight.rows, slot], entries[weight.rows, slot] = weight.columns, weight.data
    gathered = w.op("Gather", [operand, w.constant(places)], axis=1)
    product = w.op("Mul", [gathered, w.constant(entries[None])])
    return w.op("ReduceSum", [product, w.constant(np.array([2]))], keepdims=0)


@_write.register
def _(layer: layers.Scale, w, operands, size):
    value = _shifted(w, _multiplied(w, operands[0], layer.factor), layer.bias)
    return w.op("Identity", operands) if value == operands[0] else value


def _multiplied(w: Writer, value: str, factor: np.ndarray) -> str:
    return value if (factor == 1).all() else w.op("Mul", [value, w.constant(factor)])


def _shifted(w: Writer, value: str, bias: np.ndarray) -> str:
    return w.op("Add", [value, w.constant(bias)]) if (bias != 0).any() else value


@_write.register
def _(layer: layers.Identity, w, operands, size):
    return w.op("Identity", operands)


@_write.register
def _(layer: layers.Gather, w, operands, size):
    return w.op("Gather", [*operands, w.constant(layer.index)], axis=1)


@_write.register
def _(layer: layers.Add, w, operands, size):
    if layer.factors.tolist() == [1, -1]:
        return w.op("Sub", operands)
    weighted = [
        _multiplied(w, value, np.array([factor]))
        for factor, value in zip(layer.factors, operands, strict=True)
    ]
    return w.op("Add" if len(weighted) == 2 else "Sum", weighted)


@_write.register
def _(layer: layers.Concat, w, operands, size):
    return w.op("Concat", operands, axis=1)


@_write.register
def _(layer: layers.Maximum, w, operands, size):
    value, kind = operands[0], "ReduceLogSumExp" if layer.eps else "ReduceMax"
    if layer.eps not in (0.0, 1.0):
        value = w.op("Div", [value, w.constant(np.array([layer.eps]))])
    if layer.groups is None:
        value = w.op(kind, [value], axes=[1], keepdims=1)
    else:
        value = w.op("Gather", [value, w.constant(layer.groups)], axis=1)
        value = w.op(kind, [value], axes=[2], keepdims=0)
    return _multiplied(w, value, np.array([layer.eps or 1.0]))


@_write.register
def _(layer: layers.Sigmoid, w, operands, size):
    return w.op("Sigmoid", operands)


@_write.register
def _(layer: layers.Softmax, w, operands, size):
    return w.op("Softmax", operands, axis=1)


@_write.register
def _(layer: layers.LogSoftmax, w, operands, size):
    return w.op("LogSoftmax", operands, axis=1)


@_write.register
def _(layer: layers.PiecewiseLinear, w, operands, size):
    known = None if layer.eps else _known_function(layer, w, operands[0])
    return known or _sum_of_bends(layer, w, operands[0])


def _known_function(layer: layers.PiecewiseLinear, w: Writer, value: str) -> str | None:
    """A function that ONNX has an operator for, or None."""
    slopes, breaks, start = layer.slopes, layer.breaks, layer.intercept
    shape = [float(row[0]) if (row == row[0]).all() and row[0] in (-1, 0, 1) else None for row in slopes]
    bends_at_zero = len(breaks) == 1 and not (breaks != 0).any() and not (start != 0).any()
    if bends_at_zero and shape == [0, 1]:
        return w.op("Relu", [value])
    if bends_at_zero and shape == [-1, 1]:
        return w.op("Abs", [value])
    if bends_at_zero and shape[1] == 1:
        return w.op("PRelu", [value, w.constant(slopes[0])])
    if shape == [0, 1] and (start == breaks[0]).all():
        return w.op("Max", [value, w.constant(breaks[0])])
    if shape == [1, 0] and not (start != 0).any():
        return w.op("Min", [value, w.constant(breaks[0])])
    if shape == [0, 1, 0] and (start == breaks[0]).all():
        if slopes.shape[1] == 1:
            return w.op("Clip", [value, *(w.constant(b.reshape(())) for b in breaks)])
        return w.op("Min", [w.op("Max", [value, w.constant(breaks[0])]), w.constant(breaks[1])])
    return None


def _sum_of_bends(layer: layers.PiecewiseLinear, w: Writer, value: str) -> str:
    """slopes[0]·z + intercept + Σ bend · max(z − break, 0), with a softplus at eps > 0."""
    parts = [_multiplied(w, value, layer.slopes[0])] if (layer.slopes[0] != 0).any() else []
    eps = np.array([layer.eps])
    for bend, place in zip(layer.bends, layer.breaks, strict=True):
        if not (bend != 0).any():
            continue
        part = w.op("Sub", [value, w.constant(place)]) if (place != 0).any() else value
        if layer.eps:
            part = part if layer.eps == 1 else w.op("Div", [part, w.constant(eps)])
            part = w.op("Softplus", [part])
            bend = bend * layer.eps
        else:
            part = w.op("Relu", [part])
        parts.append(_multiplied(w, part, bend))
    parts = parts or [w.op("Mul", [value, w.constant(layer.slopes[0])])]
    return _shifted(w, w.op("Sum", parts), layer.intercept)

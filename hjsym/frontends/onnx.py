"""Networks from ONNX models, which are treated as hostile: everything is checked before it is used.

The `onnx` package parses; this module decides what may be trusted. Files have a size limit, tensors must
hold as many bytes as their shape says, external data must lie inside the model's folder, and operators that
are not listed are refused by name. Values are per sample: the first axis of every tensor is the batch, the
others are flattened in C order.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.network import Network, Node

__all__ = ["MAX_BYTES", "MAX_INPUT", "load_onnx", "load_onnx_file"]

MAX_BYTES = 1 << 30  # of a model file, of all its external data, of one tensor
MAX_INPUT = 1 << 24  # numbers in one sample
_STANDARD_DOMAINS = ("", "ai.onnx")
_OLDEST_OPSET = 7  # before it Add, Gemm and Dropout meant other things
_ELEMENT_TYPES = {
    *(TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL),
    *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
    *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
}
_ATTRIBUTE_TYPES = {
    **dict.fromkeys(("alpha", "beta"), float),
    **dict.fromkeys(("axis", "transA", "transB", "keepdims", "allowzero"), int),
    "axes": list,
}


def load_onnx_file(path: Path) -> Network:
    """Read a .onnx file and the external data beside it."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of a .onnx file")
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise ModelFileError(f"{path} has {size:,} bytes; between 1 and {MAX_BYTES:,} are read")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ModelFileError(f"{path} is not an ONNX model or is truncated: {error}") from None
    _load_external_data(model, path.resolve().parent)
    return load_onnx(model)


def load_onnx(model) -> Network:
    """Read a live ONNX ModelProto (or GraphProto) whose data is in memory."""
    if not isinstance(model, onnx.ModelProto):
        raise UnsupportedLayerError(f"got an ONNX {type(model).__name__}; pass a ModelProto")
    if not model.graph.node:
        raise ModelFileError("the ONNX model has no graph; the file is truncated or not a model")
    for opset in model.opset_import:
        if opset.domain in _STANDARD_DOMAINS and opset.version < _OLDEST_OPSET:
            raise UnsupportedLayerError(
                f"the model uses opset {opset.version}; {_OLDEST_OPSET} or newer is read, so convert it first"
            )
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return _Reader(model.graph).read(metadata)


# ---- external data ----------------------------------------------------------------------------------


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    constants = [a.t for node in model.graph.node for a in node.attribute if a.HasField("t")]
    return [*model.graph.initializer, *constants]


def _load_external_data(model: onnx.ModelProto, folder: Path) -> None:
    total = 0
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        path = folder / location
        try:
            inside = bool(location) and path.resolve().is_relative_to(folder)
            present = inside and path.is_file()
        except (ValueError, OSError):  # a NUL byte, a name too long
            inside = present = False
        if not inside or Path(location).is_absolute():
            raise ModelFileError(
                f"tensor {tensor.name!r} keeps its data in {location[:80]!r}, outside the model's folder; "
                "move the data beside the model"
            )
        if not present:
            raise ModelFileError(f"tensor {tensor.name!r} keeps its data in {location!r}, which is missing")
        available = path.stat().st_size
        try:
            offset = int(entries.get("offset", 0))
            length = int(entries.get("length", available - offset))
        except ValueError:
            raise ModelFileError(f"tensor {tensor.name!r} has a malformed offset or length") from None
        total += length
        if offset < 0 or length < 0 or offset + length > available or total > MAX_BYTES:
            raise ModelFileError(
                f"tensor {tensor.name!r} asks for {length:,} bytes at {offset:,} of {location!r}, which has "
                f"{available:,}; at most {MAX_BYTES:,} are read in all"
            )
        with path.open("rb") as file:
            file.seek(offset)
            tensor.raw_data = file.read(length)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _array(tensor: TensorProto) -> np.ndarray:
    """The tensor's values, after its shape has been checked against the bytes that it holds."""
    name, shape = tensor.name, tuple(tensor.dims)
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ModelFileError(f"tensor {name!r} has external data; load the model from its path")
    if any(n < 0 for n in shape):
        raise ModelFileError(f"tensor {name!r} has the negative shape {shape}")
    if tensor.data_type not in _ELEMENT_TYPES:
        raise ModelFileError(f"tensor {name!r} has element type {tensor.data_type}; real numbers are needed")
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    needed = math.prod(shape) * dtype.itemsize
    if needed > MAX_BYTES:
        raise ModelFileError(
            f"tensor {name!r} of shape {shape} has {needed:,} bytes; at most {MAX_BYTES:,} are read"
        )
    if tensor.HasField("raw_data") and len(tensor.raw_data) != needed:
        raise ModelFileError(
            f"tensor {name!r} of shape {shape} needs {needed:,} bytes and holds {len(tensor.raw_data):,}; "
            "the file is truncated or damaged"
        )
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"tensor {name!r} cannot be read: {error}") from None


# ---- the graph --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Value:
    """A tensor computed from the input: its index in the Network and its shape without the batch axis."""

    index: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class _Reader:
    """Walks the graph once, in file order, which ONNX requires to be topological."""

    def __init__(self, graph: onnx.GraphProto):
        self.graph = graph
        self.nodes: list[Node] = []
        self.known: dict[str, _Value | np.ndarray] = {}
        self.uses: dict[str, int] = {}

    def read(self, metadata: dict[str, str]) -> Network:
        for tensor in self.graph.initializer:
            self.known[tensor.name] = _array(tensor)
        if self.graph.sparse_initializer:
            raise UnsupportedLayerError("the model has sparse initializers; store them dense")
        inputs = [i for i in self.graph.input if i.name not in self.known]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            raise UnsupportedLayerError(
                f"the model has {len(inputs)} inputs and {len(self.graph.output)} outputs; one of each is read"
            )
        shape = _sample_shape(inputs[0])
        self.known[inputs[0].name] = _Value(0, shape)
        output = self.graph.output[0].name
        for node in self._needed(output):
            self._convert(node)
        result = self.known.get(output)
        if not isinstance(result, _Value) or result.index != len(self.nodes) or not self.nodes:
            raise ModelFileError(f"the output {output!r} is not computed from the input")
        return Network(math.prod(shape), tuple(self.nodes), metadata)

    def _needed(self, output: str) -> list[onnx.NodeProto]:
        """The nodes that the output depends on, in file order."""
        wanted, kept = {output}, []
        for node in reversed(self.graph.node):
            if wanted & set(node.output):
                kept.append(node)
                wanted |= set(node.input)
                for name in node.input:
                    self.uses[name] = self.uses.get(name, 0) + 1
        return kept[::-1]

    def _convert(self, node: onnx.NodeProto) -> None:
        label = f"{node.op_type} {node.name or node.output[0]!r}"
        converter = _OPERATORS.get(node.op_type) if node.domain in _STANDARD_DOMAINS else None
        if converter is None:
            domain = f" of domain {node.domain!r}" if node.domain not in _STANDARD_DOMAINS else ""
            raise UnsupportedLayerError(
                f"ONNX operator {label}{domain} is not supported; supported are {', '.join(sorted(_OPERATORS))}"
            )
        for name in node.input:
            if name and name not in self.known:
                raise ModelFileError(
                    f"{label} reads {name!r}, which no earlier node computes; the file is damaged"
                )
        for name in node.output:
            if name in self.known:
                raise ModelFileError(
                    f"{label} computes {name!r}, which is there already; the file is damaged"
                )
        operands = [self.known[name] if name else None for name in node.input]
        try:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            for name, value in attributes.items():
                if not isinstance(value, _ATTRIBUTE_TYPES.get(name, object)):
                    raise ModelFileError(f"attribute {name!r} = {value!r} has the wrong type")
            self.known[node.output[0]] = converter(self, node, operands, attributes)
        except (UnsupportedLayerError, ModelFileError) as error:
            raise type(error)(f"{label}: {error}") from None
        except (ValueError, IndexError, TypeError, KeyError) as error:
            raise ModelFileError(f"{label} cannot be read: {error}") from None

    def emit(self, layer: layers.Layer, operands: list[_Value], name: str, shape=None) -> _Value:
        """Append a layer and return its value; the shape is the first operand's unless given."""
        self.nodes.append(Node(layer, tuple(v.index for v in operands), name))
        return _Value(len(self.nodes), operands[0].shape if shape is None else shape)


def _sample_shape(info: onnx.ValueInfoProto) -> tuple[int, ...]:
    dims = info.type.tensor_type.shape.dim
    shape = tuple(d.dim_value for d in dims[1:])
    if len(dims) < 2 or any(n <= 0 for n in shape):
        shown = [d.dim_value or d.dim_param or "?" for d in dims]
        raise UnsupportedLayerError(
            f"input {info.name!r} has shape {shown}; a batch axis and then axes of fixed length are needed"
        )
    if math.prod(shape) > MAX_INPUT:
        raise ModelFileError(
            f"input {info.name!r} of shape {shape} has {math.prod(shape):,} numbers a sample; "
            f"at most {MAX_INPUT:,} are read"
        )
    return shape


def _value(operand, what: str) -> _Value:
    if not isinstance(operand, _Value):
        raise UnsupportedLayerError(f"{what} of a constant; fold constants before export")
    return operand


def _vector(operand, what: str) -> _Value:
    value = _value(operand, what)
    if len(value.shape) != 1:
        raise UnsupportedLayerError(f"{what} of a tensor of shape {value.shape} a sample; flatten it first")
    return value


def _weight(operand, value: _Value, what: str, axis: int) -> np.ndarray:
    """A constant matrix whose length along `axis` is that of the value."""
    weight = _constant(operand, f"weights of {what}")
    if weight.ndim != 2 or weight.shape[axis] != value.size or not weight.size:
        raise ModelFileError(
            f"weights of {what} have shape {weight.shape} but {value.size} values come in; "
            f"two axes are needed, axis {axis} of length {value.size}"
        )
    return weight.astype(np.float64)


def _constant(operand, what: str) -> np.ndarray:
    if not isinstance(operand, np.ndarray):
        raise UnsupportedLayerError(f"{what} that depend on the input; only constants are read")
    return operand


# ---- operators: (reader, node, operands, attributes) -> the value of the first output -------------------


def _read_constant(reader, node, operands, attributes):
    if isinstance(attributes.get("value"), TensorProto):
        return _array(attributes["value"])
    numbers = [v for k, v in attributes.items() if k.startswith(("value_float", "value_int"))]
    if len(numbers) != 1:
        raise UnsupportedLayerError(
            f"Constant {node.output[0]!r} holds {sorted(attributes)}; numbers are needed"
        )
    return np.asarray(numbers[0])


def _read_gemm(reader, node, operands, attributes):
    if attributes.get("transA", 0):
        raise UnsupportedLayerError("Gemm with transA: it mixes samples; export without it")
    value, transposed = _vector(operands[0], "Gemm"), bool(attributes.get("transB", 0))
    weight = _weight(operands[1], value, "Gemm", axis=int(transposed)) * attributes.get("alpha", 1.0)
    weight = weight if transposed else weight.T
    bias = np.zeros(len(weight))
    if len(operands) > 2 and operands[2] is not None:
        bias = _row(operands[2], len(weight), "bias of Gemm") * attributes.get("beta", 1.0)
    return reader.emit(layers.Affine(weight, bias), [value], node.name, (len(weight),))


def _read_matmul(reader, node, operands, attributes):
    value = _vector(operands[0], "MatMul")
    weight = _weight(operands[1], value, "MatMul", axis=0)
    layer = layers.Affine(weight.T, np.zeros(weight.shape[1]))
    return reader.emit(layer, [value], node.name, (weight.shape[1],))


def _row(operand, size: int, what: str) -> np.ndarray:
    """A constant that broadcasts over the batch to one row of `size` numbers."""
    array = _constant(operand, what).astype(np.float64)
    if array.size not in (1, size) or array.ndim > 2 or array.shape[:-1] != (1,) * (array.ndim - 1):
        raise UnsupportedLayerError(f"{what} of shape {array.shape}; shape ({size},) is needed")
    return np.broadcast_to(array.reshape(-1), (size,))


def _read_add(reader, node, operands, attributes):
    a, b = operands
    if isinstance(a, _Value) and isinstance(b, _Value):
        if a.shape != b.shape:
            raise UnsupportedLayerError(f"Add of shapes {a.shape} and {b.shape} a sample; give both the same")
        return reader.emit(layers.Add(), [a, b], node.name)
    value, constant = (a, b) if isinstance(a, _Value) else (b, a)
    value = _vector(value, "Add")
    bias = _row(constant, value.size, "constant of Add")
    producer = reader.nodes[value.index - 1] if value.index else None
    (source,) = (name for name in node.input if reader.known[name] is value)
    if producer and isinstance(producer.layer, layers.Affine) and reader.uses[source] == 1:
        # MatMul then Add, as exporters write a linear layer: one Affine.
        layer = layers.Affine(producer.layer.weight, producer.layer.bias + bias)
        reader.nodes[value.index - 1] = Node(layer, producer.inputs, producer.name)
        return value
    return reader.emit(layers.Shift(bias), [value], node.name)


def _elementwise(make: Callable[[dict], layers.Layer]):
    def read(reader, node, operands, attributes):
        return reader.emit(make(attributes), [_value(operands[0], node.op_type)], node.name)

    return read


def _read_dropout(reader, node, operands, attributes):
    mode = operands[2] if len(operands) > 2 else None
    if mode is not None and np.any(_constant(mode, "the mode of Dropout")):
        raise UnsupportedLayerError("Dropout in training mode; export the model for inference")
    return reader.emit(layers.Identity(), [_value(operands[0], "Dropout")], node.name)


def _read_flatten(reader, node, operands, attributes):
    value = _value(operands[0], "Flatten")
    if attributes.get("axis", 1) not in (1, -len(value.shape) or 1):
        raise UnsupportedLayerError(
            f"Flatten from axis {attributes['axis']}; only axis 1 keeps samples apart"
        )
    return reader.emit(layers.Identity(), [value], node.name, (value.size,))


def _read_reshape(reader, node, operands, attributes):
    value = _value(operands[0], "Reshape")
    target = [int(n) for n in _constant(operands[1], "the shape of Reshape").reshape(-1)]
    if attributes.get("allowzero", 0) or any(n < -1 for n in target) or target.count(-1) > 1:
        raise UnsupportedLayerError(f"Reshape to {target} is not read; use one -1 and positive lengths")
    # 0 copies the input's length on that axis; the first axis has to stay the batch.
    lengths = [(0, *value.shape)[i] if n == 0 and i <= len(value.shape) else n for i, n in enumerate(target)]
    batch, *sample = lengths or [1]
    if -1 in sample:
        rest = -math.prod(sample)
        sample[sample.index(-1)] = value.size // rest if rest else 0
    if batch > 1 or math.prod(sample) != value.size:
        raise UnsupportedLayerError(
            f"Reshape of {value.shape} a sample to {target} mixes samples; keep the batch as the first axis"
        )
    return reader.emit(layers.Identity(), [value], node.name, tuple(sample))


def _read_softmax(reader, node, operands, attributes):
    value = _vector(operands[0], "Softmax")
    if attributes.get("axis", -1) not in (1, -1):
        raise UnsupportedLayerError(f"Softmax over axis {attributes['axis']}; only the last axis is read")
    return reader.emit(layers.Softmax(), [value], node.name)


def _read_logsumexp(reader, node, operands, attributes):
    value = _vector(operands[0], "ReduceLogSumExp")
    axes = attributes.get("axes")
    if axes is None and len(operands) > 1 and operands[1] is not None:
        axes = _constant(operands[1], "the axes of ReduceLogSumExp").reshape(-1).tolist()
    if list(axes or []) not in ([1], [-1]):
        raise UnsupportedLayerError(f"ReduceLogSumExp over axes {axes}; only the last axis is read")
    return reader.emit(layers.LogSumExp(), [value], node.name, (1,) if attributes.get("keepdims", 1) else ())


_OPERATORS = {
    "Add": _read_add,
    "Constant": _read_constant,
    "Dropout": _read_dropout,
    "Flatten": _read_flatten,
    "Gemm": _read_gemm,
    "Identity": _elementwise(lambda a: layers.Identity()),
    "LeakyRelu": _elementwise(lambda a: layers.LeakyRelu(a.get("alpha", float(np.float32(0.01))))),
    "MatMul": _read_matmul,
    "ReduceLogSumExp": _read_logsumexp,
    "Relu": _elementwise(lambda a: layers.Relu()),
    "Reshape": _read_reshape,
    "Sigmoid": _elementwise(lambda a: layers.Sigmoid()),
    "Softmax": _read_softmax,
    "Softplus": _elementwise(lambda a: layers.Softplus()),
}

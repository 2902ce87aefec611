"""ONNX operators: each a function of the reader, the node, its operands and attributes.

Operands are a `Tensor` computed from the input, an array, or None where left out. The result is the value of
the node's first output, or a list of one for each.
"""

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.onnx_tensors import array_of
from hjsym.frontends.tensors import Tensor, axis_of
from hjsym.frontends.windows import Window, average_pool, convolution, max_pool

__all__ = ["OPERATORS"]


# ---- operands and attributes -----------------------------------------------------------------------------


def _value(operand, what: str) -> Tensor:
    if not isinstance(operand, Tensor):
        raise UnsupportedLayerError(f"{what} of a constant; fold constants before export")
    return operand


def _vector(operand, what: str) -> Tensor:
    value = _value(operand, what)
    if len(value.shape) != 1:
        raise UnsupportedLayerError(f"{what} of a tensor of shape {value.shape} a sample; flatten it first")
    return value


def _constant(operand, what: str) -> np.ndarray:
    if not isinstance(operand, np.ndarray):
        raise UnsupportedLayerError(f"{what} that depend on the input; only constants are read")
    return operand


def _numbers(operand, what: str) -> np.ndarray:
    """A constant of finite numbers as float64."""
    array = _constant(operand, what).astype(np.float64)
    if not np.isfinite(array).all():
        raise ModelFileError(f"{what} contain NaN or infinity")
    return array


def _optional(operands: list, k: int):
    return operands[k] if len(operands) > k else None


def _integers(operands: list, k: int, attributes: dict, name: str) -> list[int] | None:
    """A list of integers from operand k, or from an attribute as in earlier opsets."""
    if _optional(operands, k) is not None:
        array = _constant(operands[k], f"{name} of an operator")
        if array.dtype.kind not in "iu":
            raise ModelFileError(f"{name} have dtype {array.dtype}; integers are needed")
        return array.reshape(-1).tolist()
    return attributes.get(name)


def _sample_axis(axis: int, rank: int, what: str) -> int:
    """An axis of the whole tensor as one of a sample of `rank` axes."""
    if not -rank <= axis <= rank or axis == 0:
        raise UnsupportedLayerError(
            f"{what} over axis {axis}; only the axes of a sample, 1 to {rank}, are read"
        )
    return axis - 1 if axis > 0 else axis + rank


def _sample_axes(axes, rank: int, what: str) -> list[int]:
    if not axes or any(not -rank <= a <= rank or a == 0 for a in axes):
        raise UnsupportedLayerError(f"{what} over axes {axes}; name axes of a sample, from 1 to {rank}")
    return [_sample_axis(a, rank, what) for a in axes]


# ---- constants and affine maps -----------------------------------------------------------------------


def _read_constant(reader, node, operands, attributes):
    if isinstance(attributes.get("value"), TensorProto):
        return array_of(attributes["value"])
    numbers = [v for k, v in attributes.items() if k.startswith(("value_float", "value_int"))]
    if len(numbers) != 1:
        raise UnsupportedLayerError(
            f"Constant {node.output[0]!r} holds {sorted(attributes)}; numbers are needed"
        )
    return np.asarray(numbers[0])


def _weight(operand, value: Tensor, what: str, axis: int) -> np.ndarray:
    """A constant matrix whose length along `axis` is that of the value's last axis."""
    weight, size = _constant(operand, f"weights of {what}"), value.shape[-1] if value.shape else 1
    if weight.ndim != 2 or weight.shape[axis] != size or not weight.size:
        raise ModelFileError(
            f"weights of {what} have shape {weight.shape} but {size} values come in; "
            f"two axes are needed, axis {axis} of length {size}"
        )
    return weight.astype(np.float64)


def _read_gemm(reader, node, operands, attributes):
    if attributes.get("transA", 0):
        raise UnsupportedLayerError("Gemm with transA: it mixes samples; export without it")
    value, transposed = _vector(operands[0], "Gemm"), bool(attributes.get("transB", 0))
    weight = _weight(operands[1], value, "Gemm", axis=int(transposed)) * attributes.get("alpha", 1.0)
    weight = weight if transposed else weight.T
    bias = np.zeros(len(weight))
    if _optional(operands, 2) is not None:
        bias = _row(operands[2], len(weight), "bias of Gemm") * attributes.get("beta", 1.0)
    return reader.builder.linear(value, weight, bias, node.name)


def _read_matmul(reader, node, operands, attributes):
    value = _value(operands[0], "MatMul")
    if not value.shape:
        raise UnsupportedLayerError("MatMul of one number a sample; give the value an axis first")
    weight = _weight(operands[1], value, "MatMul", axis=0)
    return reader.builder.linear(value, weight.T, None, node.name)


def _row(operand, size: int, what: str) -> np.ndarray:
    """A constant that broadcasts over the batch to one row of `size` numbers."""
    array = _constant(operand, what).astype(np.float64)
    if array.size not in (1, size) or array.ndim > 2 or array.shape[:-1] != (1,) * (array.ndim - 1):
        raise UnsupportedLayerError(f"{what} of shape {array.shape}; shape ({size},) is needed")
    return np.broadcast_to(array.reshape(-1), (size,))


def _read_sum(factors: Callable[[int], list[float]]):
    """Σ factor · operand, of values and constants."""

    def read(reader, node, operands, attributes):
        weighted = list(zip(operands, factors(len(operands)), strict=True))
        values = [(v, f) for v, f in weighted if isinstance(v, Tensor)]
        constants = [
            _numbers(v, f"operands of {node.op_type}") * f for v, f in weighted if not isinstance(v, Tensor)
        ]
        if not values:
            raise UnsupportedLayerError(f"{node.op_type} of constants; fold constants before export")
        (total, factor), builder = values[0], reader.builder
        if len(values) > 1:
            total = builder.add([v for v, _ in values], [f for _, f in values], node.name)
        elif factor != 1:
            total = builder.scale(total, factor, 0.0, node.name)
        (source, *_) = [n for n in node.input if isinstance(reader.known[n], Tensor)]
        for constant in constants:
            # MatMul then Add, as exporters write a linear layer: one Affine.
            fold = total is values[0][0] and len(constants) == 1 and reader.uses[source] == 1
            total = builder.shift(total, constant, node.name, fold)
        return total

    return read


def _read_product(inverse: bool):
    def read(reader, node, operands, attributes):
        a, b = operands
        if not isinstance(a, Tensor) and not inverse:
            a, b = b, a
        value = _value(a, node.op_type)
        if isinstance(b, Tensor):
            raise UnsupportedLayerError(
                f"{node.op_type} of two values that depend on the input is not piecewise linear"
            )
        factor = _numbers(b, f"operands of {node.op_type}")
        if inverse and (factor == 0).any():
            raise ModelFileError("division by zero")
        return reader.builder.scale(value, 1 / factor if inverse else factor, 0.0, node.name)

    return read


def _read_batch_norm(reader, node, operands, attributes):
    if attributes.get("training_mode", 0) or not attributes.get("spatial", 1) or any(node.output[1:]):
        raise UnsupportedLayerError(
            "batch norm in training or without spatial; export the model for inference"
        )
    value = _value(operands[0], "BatchNormalization")
    arrays = [_numbers(v, "parameters of BatchNormalization") for v in operands[1:5]]
    epsilon = attributes.get("epsilon", float(np.float32(1e-5)))
    return reader.builder.batch_norm(value, *arrays, epsilon, 0, node.name)


def _read_window(attributes, kernel, sizes) -> Window:
    rank = len(sizes)
    stride, dilation = (tuple(attributes.get(k, [1] * rank)) for k in ("strides", "dilations"))
    pads = attributes.get("pads", [0] * 2 * rank)
    mode = attributes.get("auto_pad", b"NOTSET")
    if len(pads) != 2 * rank or not len(kernel) == len(stride) == len(dilation) == rank:
        raise ModelFileError(
            f"kernel {kernel}, strides {stride}, dilations {dilation}, pads {pads} of {rank} axes"
        )
    if mode in (b"SAME_UPPER", b"SAME_LOWER"):
        return Window.same(sizes, kernel, stride, dilation, mode == b"SAME_UPPER")
    if mode not in (b"NOTSET", b"VALID"):
        raise ModelFileError(f"auto_pad {mode!r}")
    pads = [0] * 2 * rank if mode == b"VALID" else pads
    return Window.of(
        kernel, stride, dilation, tuple(pads[:rank]), tuple(pads[rank:]), attributes.get("ceil_mode", 0)
    )


def _read_conv(reader, node, operands, attributes):
    value, weight = _value(operands[0], "Conv"), _numbers(operands[1], "weights of Conv")
    kernel = tuple(attributes.get("kernel_shape", weight.shape[2:]))
    window = _read_window(attributes, kernel, value.shape[1:])
    bias = None if _optional(operands, 2) is None else _numbers(operands[2], "bias of Conv")
    return convolution(reader.builder, value, weight, bias, window, attributes.get("group", 1), node.name)


def _read_pool(pool, **options):
    def read(reader, node, operands, attributes):
        value = _value(operands[0], node.op_type)
        if "kernel_shape" not in attributes:
            raise ModelFileError("a pool without kernel_shape; the file is damaged")
        window = _read_window(attributes, tuple(attributes["kernel_shape"]), value.shape[1:])
        extra = {k: bool(attributes.get(v, 0)) for k, v in options.items()}
        return pool(reader.builder, value, window, node.name, **extra)

    return read


# ---- elementwise, maxima, reductions ------------------------------------------------------------------


def _elementwise(make: Callable[[dict], layers.Layer]):
    def read(reader, node, operands, attributes):
        return reader.emit(make(attributes), [_value(operands[0], node.op_type)], node.name)

    return read


def _read_clip(reader, node, operands, attributes):
    bounds = []
    for k, (name, default) in enumerate((("min", -np.inf), ("max", np.inf)), start=1):
        bound = attributes.get(name, default)
        if _optional(operands, k) is not None:
            bound = _constant(operands[k], "bounds of Clip").astype(float)
            if bound.size != 1:
                raise ModelFileError(f"{name} of Clip has shape {bound.shape}; one number is needed")
            bound = float(bound.reshape(()))
        bounds.append(bound)
    return reader.emit(layers.clip(*bounds), [_value(operands[0], "Clip")], node.name)


def _read_prelu(reader, node, operands, attributes):
    slopes = _numbers(operands[1], "slopes of PRelu")
    return reader.builder.prelu(_value(operands[0], "PRelu"), slopes, node.name)


def _read_hard_sigmoid(reader, node, operands, attributes):
    alpha, beta = (attributes.get(k, float(np.float32(v))) for k, v in (("alpha", 0.2), ("beta", 0.5)))
    line = reader.builder.scale(_value(operands[0], "HardSigmoid"), alpha, beta, node.name)
    return reader.emit(layers.clip(0, 1), [line], node.name)


def _read_shrink(reader, node, operands, attributes):
    width, bias = attributes.get("lambd", 0.5), attributes.get("bias", 0.0)
    if width != bias or width < 0:
        raise UnsupportedLayerError(
            f"Shrink with lambd {width} and bias {bias} jumps; it is continuous for equal ones"
        )
    return reader.emit(layers.softshrink(width), [_value(operands[0], "Shrink")], node.name)


def _read_extremum(sign: int):
    def read(reader, node, operands, attributes):
        values = [v for v in operands if isinstance(v, Tensor)]
        if not values:
            raise UnsupportedLayerError(f"{node.op_type} of constants; fold constants before export")
        result = reader.builder.maximum(values, node.name, sign)
        for constant in (v for v in operands if not isinstance(v, Tensor)):
            bound = _numbers(constant, f"operands of {node.op_type}")
            result = reader.builder.bound(result, bound, node.name, sign)
        return result

    return read


def _read_reduction(kind: str):
    def read(reader, node, operands, attributes):
        value, what = _value(operands[0], node.op_type), node.op_type
        axes = _sample_axes(_integers(operands, 1, attributes, "axes"), len(value.shape), what)
        return reader.builder.reduce(value, axes, kind, bool(attributes.get("keepdims", 1)), node.name)

    return read


def _read_global(kind: str):
    def read(reader, node, operands, attributes):
        value = _value(operands[0], node.op_type)
        return reader.builder.reduce(value, range(1, len(value.shape)), kind, True, node.name)

    return read


def _read_sigmoid(reader, node, operands, attributes):
    return reader.builder.head(layers.Sigmoid(), _value(operands[0], "Sigmoid"), node.name)


def _read_head(layer: type[layers.Head]):
    def read(reader, node, operands, attributes):
        value = _vector(operands[0], node.op_type)
        if attributes.get("axis", -1) not in (1, -1):
            raise UnsupportedLayerError(
                f"{node.op_type} over axis {attributes['axis']}; only the last axis is read"
            )
        return reader.builder.head(layer(), value, node.name)

    return read


# ---- shapes ----------------------------------------------------------------------------------------------


def _read_identity(reader, node, operands, attributes):
    return _value(operands[0], node.op_type)


def _read_dropout(reader, node, operands, attributes):
    mode = _optional(operands, 2)
    if mode is not None and np.any(_constant(mode, "the mode of Dropout")):
        raise UnsupportedLayerError("Dropout in training mode; export the model for inference")
    return _value(operands[0], "Dropout")


def _read_flatten(reader, node, operands, attributes):
    value = _value(operands[0], "Flatten")
    if attributes.get("axis", 1) not in (1, -len(value.shape) or 1):
        raise UnsupportedLayerError(
            f"Flatten from axis {attributes['axis']}; only axis 1 keeps samples apart"
        )
    return Tensor(value.index, (value.size,))


def _read_reshape(reader, node, operands, attributes):
    value = _value(operands[0], "Reshape")
    target = [int(n) for n in _constant(operands[1], "the shape of Reshape").reshape(-1)]
    if attributes.get("allowzero", 0) or any(n < -1 for n in target) or target.count(-1) > 1:
        raise UnsupportedLayerError(f"Reshape to {target} is not read; use one -1 and positive lengths")
    # 0 copies the input's length on that axis; the first axis has to stay the batch.
    lengths = [(0, *value.shape)[i] if n == 0 and i <= len(value.shape) else n for i, n in enumerate(target)]
    batch, *sample = lengths or [2]
    if batch > 1:
        raise UnsupportedLayerError(f"Reshape to {target} mixes samples; keep the batch as the first axis")
    return reader.builder.reshape(value, sample)


def _read_transpose(reader, node, operands, attributes):
    value = _value(operands[0], "Transpose")
    order = attributes.get("perm", range(len(value.shape) + 1)[::-1])
    if not order or order[0] != 0:
        raise UnsupportedLayerError(f"Transpose to axes {list(order)} mixes samples; keep axis 0 first")
    return reader.builder.transpose(value, [k - 1 for k in order[1:]], node.name)


def _read_squeeze(reader, node, operands, attributes):
    value = _value(operands[0], "Squeeze")
    axes = _integers(operands, 1, attributes, "axes")
    axes = axes or [k + 1 for k, n in enumerate(value.shape) if n == 1]
    axes = _sample_axes(axes, len(value.shape), "Squeeze") if axes else []
    return reader.builder.reshape(value, [n for k, n in enumerate(value.shape) if k not in axes])


def _read_unsqueeze(reader, node, operands, attributes):
    value, axes = _value(operands[0], "Unsqueeze"), _integers(operands, 1, attributes, "axes")
    rank = len(value.shape) + len(axes or [])
    axes = _sample_axes(axes, rank, "Unsqueeze")
    lengths = iter(value.shape)
    return reader.builder.reshape(value, [1 if k in axes else next(lengths) for k in range(rank)])


def _read_concat(reader, node, operands, attributes):
    builder = reader.builder
    if not any(isinstance(v, Tensor) for v in operands):
        raise UnsupportedLayerError("Concat of constants; fold constants before export")
    rank = next(len(v.shape) for v in operands if isinstance(v, Tensor))
    axis = _sample_axis(attributes["axis"], rank, "Concat")
    tensors = []
    for operand in operands:
        if not isinstance(operand, Tensor):
            array = _numbers(operand, "operands of Concat")
            if array.ndim != rank + 1 or array.shape[0] != 1:
                raise UnsupportedLayerError(
                    f"Concat with a constant of shape {array.shape}; its batch must be 1"
                )
            operand = builder.constant(array[0])
        tensors.append(operand)
    return builder.concat(tensors, axis, node.name)


def _read_split(reader, node, operands, attributes):
    value = _value(operands[0], "Split")
    axis = _sample_axis(attributes.get("axis", 0), len(value.shape), "Split")
    sizes, length = _integers(operands, 1, attributes, "split"), value.shape[axis]
    if sizes is None:
        part = -(-length // len(node.output))
        sizes = [min(part, length - k * part) for k in range(len(node.output))]
    if sum(sizes) != length or min(sizes) < 1 or len(sizes) != len(node.output):
        raise ModelFileError(f"Split of {length} entries into {sizes} for {len(node.output)} outputs")
    parts = np.split(value.places, np.cumsum(sizes)[:-1], axis)
    return [reader.builder.take(value, places, node.name) for places in parts]


def _read_slice(reader, node, operands, attributes):
    value = _value(operands[0], "Slice")
    starts, ends, axes = (
        _integers(operands, k, attributes, name) for k, name in ((1, "starts"), (2, "ends"), (3, "axes"))
    )
    steps = _integers(operands, 4, {}, "steps")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    chosen = [slice(None)] * len(value.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        k = _sample_axis(axis, len(value.shape), "Slice")
        if step < 0 and end < -value.shape[k]:
            end = None  # to the very first entry
        chosen[k] = slice(start, end, step)
    return _non_empty(reader, value, value.places[tuple(chosen)], node)


def _read_gather(reader, node, operands, attributes):
    value, index = _value(operands[0], "Gather"), _constant(operands[1], "indices of Gather")
    axis = _sample_axis(attributes.get("axis", 0), len(value.shape), "Gather")
    if index.dtype.kind not in "iu":
        raise ModelFileError(f"indices of Gather have dtype {index.dtype}; integers are needed")
    reader.builder.spend(value.size // value.shape[axis] * index.size, "Gather")
    return _non_empty(reader, value, np.take(value.places, index, axis), node)


def _non_empty(reader, value, places, node):
    if not places.size:
        raise UnsupportedLayerError(f"{node.op_type} that leaves nothing of a value of shape {value.shape}")
    return reader.builder.take(value, places, node.name)


def _read_pad(reader, node, operands, attributes):
    value, rank = _value(operands[0], "Pad"), len(_value(operands[0], "Pad").shape)
    pads, mode = _integers(operands, 1, attributes, "pads"), attributes.get("mode", b"constant")
    axes = _integers(operands, 3, {}, "axes")
    axes = range(rank + 1) if axes is None else [axis_of(a, rank + 1) for a in axes]
    if pads is None or len(pads) != 2 * len(axes) or mode != b"constant":
        raise UnsupportedLayerError(
            f"Pad by {pads} in mode {mode!r}; only constant padding of every axis is read"
        )
    before, after = [0] * (rank + 1), [0] * (rank + 1)
    for k, axis in enumerate(axes):
        before[axis], after[axis] = pads[k], pads[k + len(axes)]
    if before[0] or after[0]:
        raise UnsupportedLayerError("Pad of the batch; only the axes of a sample are padded")
    fill = _optional(operands, 2)
    fill = attributes.get("value", 0.0) if fill is None else float(_numbers(fill, "value of Pad").reshape(()))
    return reader.builder.pad(value, before[1:], after[1:], fill, node.name)


def _read_cast(reader, node, operands, attributes):
    if attributes.get("to") not in (TensorProto.FLOAT, TensorProto.DOUBLE):
        raise UnsupportedLayerError(
            f"Cast to element type {attributes.get('to')} rounds; only to float and double"
        )
    return _value(operands[0], "Cast")


OPERATORS = {
    "Abs": _elementwise(lambda a: layers.absolute()),
    "Add": _read_sum(lambda n: [1.0] * 2),
    "AveragePool": _read_pool(average_pool, count_padding="count_include_pad"),
    "BatchNormalization": _read_batch_norm,
    "Cast": _read_cast,
    "Clip": _read_clip,
    "Concat": _read_concat,
    "Constant": _read_constant,
    "Conv": _read_conv,
    "Div": _read_product(inverse=True),
    "Dropout": _read_dropout,
    "Flatten": _read_flatten,
    "Gather": _read_gather,
    "Gemm": _read_gemm,
    "GlobalAveragePool": _read_global("mean"),
    "GlobalMaxPool": _read_global("max"),
    "HardSigmoid": _read_hard_sigmoid,
    "Identity": _read_identity,
    "LeakyRelu": _elementwise(lambda a: layers.LeakyRelu(a.get("alpha", float(np.float32(0.01))))),
    "LogSoftmax": _read_head(layers.LogSoftmax),
    "MatMul": _read_matmul,
    "Max": _read_extremum(1),
    "MaxPool": _read_pool(max_pool),
    "Mean": _read_sum(lambda n: [1.0 / n] * n),
    "Min": _read_extremum(-1),
    "Mul": _read_product(inverse=False),
    "Neg": lambda reader, node, operands, attributes: reader.builder.negative(
        _value(operands[0], "Neg"), node.name
    ),
    "PRelu": _read_prelu,
    "Pad": _read_pad,
    "ReduceLogSumExp": _read_reduction("logsumexp"),
    "ReduceMax": _read_reduction("max"),
    "ReduceMean": _read_reduction("mean"),
    "ReduceMin": _read_reduction("min"),
    "ReduceSum": _read_reduction("sum"),
    "Relu": _elementwise(lambda a: layers.Relu()),
    "Reshape": _read_reshape,
    "Shrink": _read_shrink,
    "Sigmoid": _read_sigmoid,
    "Slice": _read_slice,
    "Softmax": _read_head(layers.Softmax),
    "Softplus": _elementwise(lambda a: layers.Softplus()),
    "Split": _read_split,
    "Squeeze": _read_squeeze,
    "Sub": _read_sum(lambda n: [1.0, -1.0]),
    "Sum": _read_sum(lambda n: [1.0] * n),
    "Transpose": _read_transpose,
    "Unsqueeze": _read_unsqueeze,
}

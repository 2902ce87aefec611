"""ONNX operators: each a function of the reader, the node, its operands and attributes.

Operands are a `Tensor` computed from the input, an array, or None where left out. The result is the value of
the node's first output, or a list of one for each. Those that only move numbers are in `onnx_shapes`,
convolutions and pools in `onnx_windows`, those of constants alone in `onnx_constants`.
"""

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.onnx_operands import (
    constant_of,
    integers,
    numbers_of,
    optional,
    sample_axes,
    value_of,
    vector_of,
)
from hjsym.frontends.onnx_shapes import SHAPE_OPERATORS
from hjsym.frontends.onnx_tensors import array_of
from hjsym.frontends.onnx_windows import WINDOW_OPERATORS
from hjsym.frontends.tensors import Tensor

__all__ = ["OPERATORS"]


# ---- constants and affine maps -----------------------------------------------------------------------


def _read_constant(reader, node, operands, attributes):
    if isinstance(attributes.get("value"), TensorProto):
        return array_of(attributes["value"], reader.limits)
    numbers = [v for k, v in attributes.items() if k.startswith(("value_float", "value_int"))]
    if len(numbers) != 1:
        raise UnsupportedLayerError(
            f"Constant {node.output[0]!r} holds {sorted(attributes)}; numbers are needed"
        )
    return np.asarray(numbers[0])


def _weight(operand, value: Tensor, what: str, axis: int) -> np.ndarray:
    """A constant matrix whose length along `axis` is that of the value's last axis."""
    weight, size = constant_of(operand, f"weights of {what}"), value.shape[-1] if value.shape else 1
    if weight.ndim != 2 or weight.shape[axis] != size or not weight.size:
        raise ModelFileError(
            f"weights of {what} have shape {weight.shape} but {size} values come in; "
            f"two axes are needed, axis {axis} of length {size}"
        )
    return weight.astype(np.float64)


def _read_gemm(reader, node, operands, attributes):
    if attributes.get("transA", 0):
        raise UnsupportedLayerError("Gemm with transA: it mixes samples; export without it")
    value, transposed = vector_of(operands[0], "Gemm"), bool(attributes.get("transB", 0))
    weight = _weight(operands[1], value, "Gemm", axis=int(transposed)) * attributes.get("alpha", 1.0)
    weight = weight if transposed else weight.T
    bias = np.zeros(len(weight))
    if optional(operands, 2) is not None:
        bias = _row(operands[2], len(weight), "bias of Gemm") * attributes.get("beta", 1.0)
    return reader.builder.linear(value, weight, bias, node.name)


def _read_matmul(reader, node, operands, attributes):
    if not isinstance(operands[0], Tensor):
        return _read_matmul_from_left(reader, node, operands)
    value = value_of(operands[0], "MatMul")
    if not value.shape:
        raise UnsupportedLayerError("MatMul of one number a sample; give the value an axis first")
    weight = _weight(operands[1], value, "MatMul", axis=0)
    return reader.builder.linear(value, weight.T, None, node.name)


def _read_matmul_from_left(reader, node, operands):
    """weight @ x for values of two axes: along the first of them."""
    weight, value = constant_of(operands[0], "weights of MatMul"), value_of(operands[1], "MatMul")
    weight = weight[0] if weight.ndim == 3 and weight.shape[0] == 1 else weight
    if len(value.shape) != 2 or weight.ndim != 2:
        raise UnsupportedLayerError(
            f"MatMul of a constant of shape {weight.shape} with values of shape {value.shape} a sample; two axes each "
            "are read"
        )
    columns = reader.builder.transpose(value, [1, 0], node.name)
    product = reader.builder.linear(columns, weight.astype(np.float64), None, node.name)
    return reader.builder.transpose(product, [1, 0], node.name)


def _row(operand, size: int, what: str) -> np.ndarray:
    """A constant that broadcasts over the batch to one row of `size` numbers."""
    array = constant_of(operand, what).astype(np.float64)
    if array.size not in (1, size) or array.ndim > 2 or array.shape[:-1] != (1,) * (array.ndim - 1):
        raise UnsupportedLayerError(f"{what} of shape {array.shape}; shape ({size},) is needed")
    return np.broadcast_to(array.reshape(-1), (size,))


def _read_sum(factors: Callable[[int], list[float]]):
    """Σ factor · operand, of values and constants."""

    def read(reader, node, operands, attributes):
        weighted = list(zip(operands, factors(len(operands)), strict=True))
        values = [(v, f) for v, f in weighted if isinstance(v, Tensor)]
        constants = [
            numbers_of(v, f"operands of {node.op_type}") * f for v, f in weighted if not isinstance(v, Tensor)
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
        value = value_of(a, node.op_type)
        if isinstance(b, Tensor):
            raise UnsupportedLayerError(
                f"{node.op_type} of two values that depend on the input is not piecewise linear"
            )
        factor = numbers_of(b, f"operands of {node.op_type}")
        if inverse and (factor == 0).any():
            raise ModelFileError("division by zero")
        return reader.builder.scale(value, 1 / factor if inverse else factor, 0.0, node.name)

    return read


def _read_batch_norm(reader, node, operands, attributes):
    if attributes.get("training_mode", 0) or not attributes.get("spatial", 1) or any(node.output[1:]):
        raise UnsupportedLayerError(
            "batch norm in training or without spatial; export the model for inference"
        )
    value = value_of(operands[0], "BatchNormalization")
    arrays = [numbers_of(v, "parameters of BatchNormalization") for v in operands[1:5]]
    epsilon = attributes.get("epsilon", float(np.float32(1e-5)))
    return reader.builder.batch_norm(value, *arrays, epsilon, 0, node.name)


# ---- elementwise, maxima, reductions ------------------------------------------------------------------


def _elementwise(make: Callable[[dict], layers.Layer]):
    def read(reader, node, operands, attributes):
        return reader.emit(make(attributes), [value_of(operands[0], node.op_type)], node.name)

    return read


def _read_clip(reader, node, operands, attributes):
    bounds = []
    for k, (name, default) in enumerate((("min", -np.inf), ("max", np.inf)), start=1):
        bound = attributes.get(name, default)
        if optional(operands, k) is not None:
            bound = constant_of(operands[k], "bounds of Clip").astype(float)
            if bound.size != 1:
                raise ModelFileError(f"{name} of Clip has shape {bound.shape}; one number is needed")
            bound = float(bound.reshape(()))
        bounds.append(bound)
    return reader.emit(layers.clip(*bounds), [value_of(operands[0], "Clip")], node.name)


def _read_prelu(reader, node, operands, attributes):
    slopes = numbers_of(operands[1], "slopes of PRelu")
    return reader.builder.prelu(value_of(operands[0], "PRelu"), slopes, node.name)


def _read_hard_sigmoid(reader, node, operands, attributes):
    alpha, beta = (attributes.get(k, float(np.float32(v))) for k, v in (("alpha", 0.2), ("beta", 0.5)))
    line = reader.builder.scale(value_of(operands[0], "HardSigmoid"), alpha, beta, node.name)
    return reader.emit(layers.clip(0, 1), [line], node.name)


def _read_shrink(reader, node, operands, attributes):
    width, bias = attributes.get("lambd", 0.5), attributes.get("bias", 0.0)
    if width != bias or width < 0:
        raise UnsupportedLayerError(
            f"Shrink with lambd {width} and bias {bias} jumps; it is continuous for equal ones"
        )
    return reader.emit(layers.softshrink(width), [value_of(operands[0], "Shrink")], node.name)


def _read_extremum(sign: int):
    def read(reader, node, operands, attributes):
        values = [v for v in operands if isinstance(v, Tensor)]
        if not values:
            raise UnsupportedLayerError(f"{node.op_type} of constants; fold constants before export")
        result = reader.builder.maximum(values, node.name, sign)
        for constant in (v for v in operands if not isinstance(v, Tensor)):
            bound = numbers_of(constant, f"operands of {node.op_type}")
            result = reader.builder.bound(result, bound, node.name, sign)
        return result

    return read


def _read_reduction(kind: str):
    def read(reader, node, operands, attributes):
        value, what = value_of(operands[0], node.op_type), node.op_type
        axes = integers(operands, 1, attributes, "axes")
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return value
        axes = sample_axes(axes, len(value.shape), what)
        return reader.builder.reduce(value, axes, kind, bool(attributes.get("keepdims", 1)), node.name)

    return read


def _read_norm(reader, node, operands, attributes):
    """Σ |x|, which is piecewise linear as no other norm but the largest entry is."""
    value = reader.emit(layers.absolute(), [value_of(operands[0], "ReduceL1")], node.name)
    return _read_reduction("sum")(reader, node, [value, *operands[1:]], attributes)


def _read_global(kind: str):
    def read(reader, node, operands, attributes):
        value = value_of(operands[0], node.op_type)
        return reader.builder.reduce(value, range(1, len(value.shape)), kind, True, node.name)

    return read


def _read_sigmoid(reader, node, operands, attributes):
    return reader.builder.head(layers.Sigmoid(), value_of(operands[0], "Sigmoid"), node.name)


def _read_head(layer: type[layers.Head]):
    def read(reader, node, operands, attributes):
        value = vector_of(operands[0], node.op_type)
        if attributes.get("axis", -1) not in (1, -1):
            raise UnsupportedLayerError(
                f"{node.op_type} over axis {attributes['axis']}; only the last axis is read"
            )
        return reader.builder.head(layer(), value, node.name)

    return read


OPERATORS = {
    **SHAPE_OPERATORS,
    **WINDOW_OPERATORS,
    "Abs": _elementwise(lambda a: layers.absolute()),
    "Add": _read_sum(lambda n: [1.0] * 2),
    "BatchNormalization": _read_batch_norm,
    "Clip": _read_clip,
    "Constant": _read_constant,
    "Div": _read_product(inverse=True),
    "Gemm": _read_gemm,
    "GlobalAveragePool": _read_global("mean"),
    "GlobalMaxPool": _read_global("max"),
    "HardSigmoid": _read_hard_sigmoid,
    "LeakyRelu": _elementwise(lambda a: layers.LeakyRelu(a.get("alpha", float(np.float32(0.01))))),
    "LogSoftmax": _read_head(layers.LogSoftmax),
    "MatMul": _read_matmul,
    "Max": _read_extremum(1),
    "Mean": _read_sum(lambda n: [1.0 / n] * n),
    "Min": _read_extremum(-1),
    "Mul": _read_product(inverse=False),
    "Neg": lambda reader, node, operands, attributes: reader.builder.negative(
        value_of(operands[0], "Neg"), node.name
    ),
    "PRelu": _read_prelu,
    "ReduceL1": _read_norm,
    "ReduceLogSumExp": _read_reduction("logsumexp"),
    "ReduceMax": _read_reduction("max"),
    "ReduceMean": _read_reduction("mean"),
    "ReduceMin": _read_reduction("min"),
    "ReduceSum": _read_reduction("sum"),
    "Relu": _elementwise(lambda a: layers.Relu()),
    "Shrink": _read_shrink,
    "Sigmoid": _read_sigmoid,
    "Softmax": _read_head(layers.Softmax),
    "Softplus": _elementwise(lambda a: layers.Softplus()),
    "Sub": _read_sum(lambda n: [1.0, -1.0]),
    "Sum": _read_sum(lambda n: [1.0] * n),
}

"""ONNX operators of constants alone, computed while reading: what exporters leave of shapes and of unfolded weights.

They are computed in the types that the file has, as a run time does. Sizes are counted before anything is built.
"""

import math
from collections.abc import Callable

import numpy as np
from onnx import TensorProto, helper

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.onnx_operands import BATCH, constant_of, has_batch, integers, lengths_of
from hjsym.frontends.onnx_tensors import array_of
from hjsym.frontends.tensors import axis_of

__all__ = ["FOLDED"]

_INTEGERS = (TensorProto.INT32, TensorProto.INT64)
_NUMBERS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BOOL, *_INTEGERS)


# ---- moved, lengths of the batch too ---------------------------------------------------------------------


def _moved(function: Callable):
    """An operator that moves entries: what has no length of a batch any more is an array of integers again."""

    def run(reader, node, operands, attributes):
        result = np.asarray(function(reader, node, operands, attributes))
        moved = not has_batch(result) or BATCH in result.ravel().tolist()
        return result if moved else result.astype(np.int64)

    return run


def _cast(reader, node, operands, attributes):
    kind = attributes.get("to")
    if kind not in _NUMBERS or (has_batch(operands[0]) and kind not in _INTEGERS):
        raise UnsupportedLayerError(f"Cast of a constant to element type {kind}")
    return (
        operands[0] if has_batch(operands[0]) else operands[0].astype(helper.tensor_dtype_to_np_dtype(kind))
    )


def _gather(reader, node, operands, attributes):
    axis = axis_of(attributes.get("axis", 0), operands[0].ndim)
    index = constant_of(operands[1], "indices of Gather")
    reader.builder.spend(operands[0].size // max(operands[0].shape[axis], 1) * index.size, "Gather")
    return np.take(operands[0], index, axis)


def _slice(reader, node, operands, attributes):
    array = operands[0]
    starts, ends, axes = (
        integers(operands, k, attributes, name) for k, name in ((1, "starts"), (2, "ends"), (3, "axes"))
    )
    steps = integers(operands, 4, {}, "steps") or [1] * len(starts)
    chosen = [slice(None)] * array.ndim
    for start, end, axis, step in zip(starts, ends, axes or range(len(starts)), steps, strict=True):
        axis = axis_of(axis, array.ndim)
        chosen[axis] = slice(start, None if step < 0 and end < -array.shape[axis] else end, step)
    return array[tuple(chosen)]


def _concat(reader, node, operands, attributes):
    reader.builder.spend(sum(v.size for v in operands), "Concat")
    return np.concatenate(operands, axis_of(attributes["axis"], operands[0].ndim))


def _reshape(reader, node, operands, attributes):
    target = [int(n) for n in constant_of(operands[1], "the shape of Reshape").reshape(-1)]
    lengths = [operands[0].shape[k] if n == 0 else n for k, n in enumerate(target)]
    return operands[0].reshape(lengths)


def _squeeze(reader, node, operands, attributes):
    axes = integers(operands, 1, attributes, "axes")
    return operands[0].squeeze(None if axes is None else tuple(axes))


def _unsqueeze(reader, node, operands, attributes):
    return np.expand_dims(operands[0], tuple(integers(operands, 1, attributes, "axes") or []))


def _transpose(reader, node, operands, attributes):
    return operands[0].transpose(attributes.get("perm"))


# ---- made --------------------------------------------------------------------------------------------


def _lengths(operand, what: str) -> tuple[int, ...]:
    """A shape; a constant that repeats for each sample does so for one."""
    lengths = tuple(1 if n is BATCH else n for n in lengths_of(operand, what))
    if any(n < 0 for n in lengths):
        raise ModelFileError(f"{what} is {lengths}; lengths from 0 are needed")
    return lengths


def _constant_of_shape(reader, node, operands, attributes):
    shape = _lengths(operands[0], "the shape of ConstantOfShape")
    reader.builder.spend(math.prod(shape), "ConstantOfShape")
    value = array_of(attributes["value"], reader.limits) if "value" in attributes else np.zeros(1, np.float32)
    return np.full(shape, value.reshape(()))


def _expand(reader, node, operands, attributes):
    array = constant_of(operands[0], "operands of Expand")
    shape = np.broadcast_shapes(_lengths(operands[1], "the shape of Expand"), array.shape)
    reader.builder.spend(math.prod(shape), "Expand")
    return np.broadcast_to(array, shape)


def _tile(reader, node, operands, attributes):
    array, repeats = constant_of(operands[0], "operands of Tile"), integers(operands, 1, {}, "repeats")
    reader.builder.spend(array.size * math.prod(repeats), "Tile")
    return np.tile(array, repeats)


def _range(reader, node, operands, attributes):
    start, limit, delta = (constant_of(v, "bounds of Range").reshape(()) for v in operands)
    count = max(math.ceil((limit.item() - start.item()) / delta.item()), 0) if delta else 0
    reader.builder.spend(count, "Range")
    return start + np.arange(count).astype(start.dtype) * delta


def _shape(reader, node, operands, attributes):
    return np.array(
        operands[0].shape[slice(attributes.get("start", 0), attributes.get("end"))], dtype=np.int64
    )


def _size(reader, node, operands, attributes):
    return np.array(operands[0].size)


# ---- computed ----------------------------------------------------------------------------------------


def _entrywise(function: Callable):
    """A function of arrays that broadcast."""

    def run(reader, node, operands, attributes):
        arrays = [constant_of(v, f"operands of {node.op_type}") for v in operands]
        reader.builder.spend(math.prod(np.broadcast_shapes(*(a.shape for a in arrays))), node.op_type)
        return np.asarray(function(*arrays))

    return run


def _quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, of integers towards 0."""
    if a.dtype.kind == "f":
        return a / b
    if not b.all():
        raise ModelFileError("division by zero")
    return np.sign(a) * np.sign(b) * (abs(a) // abs(b))


def _of_many(function: Callable):
    def run(*arrays):
        total = arrays[0]
        for array in arrays[1:]:
            total = function(total, array)
        return total

    return run


def _reduction(function: Callable):
    def run(reader, node, operands, attributes):
        array = constant_of(operands[0], f"operands of {node.op_type}")
        axes = integers(operands, 1, attributes, "axes")
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return array
        axes = tuple(axis_of(a, array.ndim) for a in axes) if axes else None
        if not array.size:
            raise ModelFileError(f"{node.op_type} of nothing, an array of shape {array.shape}")
        return np.asarray(
            function(array, axis=axes, keepdims=bool(attributes.get("keepdims", 1))), dtype=array.dtype
        )

    return run


def _matmul(reader, node, operands, attributes):
    a, b = (constant_of(v, "operands of MatMul") for v in operands)
    if min(a.ndim, b.ndim) < 2:
        raise UnsupportedLayerError(
            f"MatMul of constants of shapes {a.shape} and {b.shape}; two axes are read"
        )
    many = math.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    reader.builder.spend(many * a.shape[-2] * max(a.shape[-1], 1) * b.shape[-1], "MatMul")
    return a @ b


FOLDED = {
    "Abs": _entrywise(np.abs),
    "Add": _entrywise(np.add),
    "Cast": _cast,
    "Ceil": _entrywise(np.ceil),
    "Concat": _moved(_concat),
    "ConstantOfShape": _constant_of_shape,
    "Div": _entrywise(_quotient),
    "Equal": _entrywise(np.equal),
    "Exp": _entrywise(np.exp),
    "Expand": _expand,
    "Floor": _entrywise(np.floor),
    "Gather": _moved(_gather),
    "Identity": lambda reader, node, operands, attributes: operands[0],
    "Log": _entrywise(np.log),
    "MatMul": _matmul,
    "Max": _entrywise(_of_many(np.maximum)),
    "Min": _entrywise(_of_many(np.minimum)),
    "Mul": _entrywise(np.multiply),
    "Neg": _entrywise(np.negative),
    "Pow": _entrywise(lambda a, b: np.power(a, b.astype(a.dtype))),
    "Range": _range,
    "Reciprocal": _entrywise(np.reciprocal),
    "ReduceMax": _reduction(np.max),
    "ReduceMean": _reduction(np.mean),
    "ReduceMin": _reduction(np.min),
    "ReduceProd": _reduction(np.prod),
    "ReduceSum": _reduction(np.sum),
    "Relu": _entrywise(lambda a: np.maximum(a, 0)),
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "Slice": _moved(_slice),
    "Sqrt": _entrywise(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _entrywise(np.subtract),
    "Sum": _entrywise(_of_many(np.add)),
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _entrywise(np.where),
}

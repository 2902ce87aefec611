"""Tensors of ONNX models as arrays, once their shape agrees with the bytes that are there."""

import math

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from hjsym.errors import ModelFileError
from hjsym.frontends.limits import DEFAULT, Limits

__all__ = ["array_of"]

_ELEMENT_TYPES = {
    *(TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL),
    *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
    *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
}


def array_of(tensor: TensorProto, limits: Limits = DEFAULT) -> np.ndarray:
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
    if needed > limits.file_bytes:
        raise ModelFileError(
            f"tensor {name!r} of shape {shape} has {needed:,} bytes; at most {limits.file_bytes:,} are read"
        )
    if tensor.HasField("raw_data") and len(tensor.raw_data) != needed:
        raise ModelFileError(
            f"tensor {name!r} of shape {shape} needs {needed:,} bytes and holds {len(tensor.raw_data):,}; "
            "the file is truncated or damaged"
        )
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"tensor {name!r} cannot be read: {error}") from None

"""Operands and attributes of ONNX operators: values computed from the input, or constants.

A constant is an array. One of lengths, which a `Shape` gave, may have the mark `BATCH` where the length of the batch
would stand; it can be moved about and reshaped to, but nothing is computed with it.
"""

import numpy as np

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.tensors import Tensor

__all__ = [
    "BATCH",
    "constant_of",
    "has_batch",
    "integers",
    "lengths_of",
    "numbers_of",
    "optional",
    "sample_axes",
    "sample_axis",
    "value_of",
    "vector_of",
]


class _Batch:
    def __repr__(self) -> str:
        return "batch"


BATCH = _Batch()


def has_batch(operand) -> bool:
    """Whether this is an array of lengths with the batch among them."""
    return isinstance(operand, np.ndarray) and operand.dtype == object


def value_of(operand, what: str) -> Tensor:
    if not isinstance(operand, Tensor):
        raise UnsupportedLayerError(f"{what} of a constant; fold constants before export")
    return operand


def vector_of(operand, what: str) -> Tensor:
    value = value_of(operand, what)
    if len(value.shape) != 1:
        raise UnsupportedLayerError(f"{what} of a tensor of shape {value.shape} a sample; flatten it first")
    return value


def constant_of(operand, what: str) -> np.ndarray:
    if not isinstance(operand, np.ndarray):
        raise UnsupportedLayerError(f"{what} that depend on the input; only constants are read")
    if has_batch(operand):
        raise UnsupportedLayerError(
            f"{what} that depend on the length of the batch; only fixed ones are read"
        )
    return operand


def lengths_of(operand, what: str) -> list:
    """A list of lengths, of which the first may be `BATCH`."""
    if not has_batch(operand):
        return [int(n) for n in constant_of(operand, what).reshape(-1)]
    first, *others = operand.reshape(-1).tolist()
    if BATCH in others or (first is not BATCH):
        raise UnsupportedLayerError(f"{what} with the batch elsewhere than in front; keep it the first axis")
    return [BATCH, *map(int, others)]


def numbers_of(operand, what: str) -> np.ndarray:
    """A constant of finite numbers as float64."""
    array = constant_of(operand, what).astype(np.float64)
    if not np.isfinite(array).all():
        raise ModelFileError(f"{what} contain NaN or infinity")
    return array


def optional(operands: list, k: int):
    return operands[k] if len(operands) > k else None


def integers(operands: list, k: int, attributes: dict, name: str) -> list[int] | None:
    """A list of integers from operand k, or from an attribute as in earlier opsets."""
    if optional(operands, k) is not None:
        array = constant_of(operands[k], f"{name} of an operator")
        if array.dtype.kind not in "iu":
            raise ModelFileError(f"{name} have dtype {array.dtype}; integers are needed")
        return array.reshape(-1).tolist()
    return attributes.get(name)


def sample_axis(axis: int, rank: int, what: str) -> int:
    """An axis of the whole tensor as one of a sample of `rank` axes."""
    if not -rank <= axis <= rank or axis == 0:
        raise UnsupportedLayerError(
            f"{what} over axis {axis}; only the axes of a sample, 1 to {rank}, are read"
        )
    return axis - 1 if axis > 0 else axis + rank


def sample_axes(axes, rank: int, what: str) -> list[int]:
    if not axes or any(not -rank <= a <= rank or a == 0 for a in axes):
        raise UnsupportedLayerError(f"{what} over axes {axes}; name axes of a sample, from 1 to {rank}")
    return [sample_axis(a, rank, what) for a in axes]

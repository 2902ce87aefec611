"""What all layers have in common."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from tropical._arrays import EXACT, as_array, is_exact, is_finite, refuse_where, to_floats
from tropical.errors import InputError
from tropical.sparse import SparseMatrix, Weights, as_weights, cast, numbers, private

__all__ = ["FRACTION_BYTES", "Layer", "as_index", "finite", "temperature"]

FRACTION_BYTES = 160  # with its two integers, if they are short


@dataclass(frozen=True, eq=False)
class Layer:
    """A map of vectors along the last axis: of one vector to one of its size unless it says otherwise.

    >>> from hjsym.layers import Affine, Relu
    >>> isinstance(Relu(), Layer), Relu().output_size(3), Relu().parameters
    (True, 3, 0)
    >>> soft = Relu().deform(0.5)
    >>> soft.arguments(), soft.is_exact, soft.to_exact().eps, soft.to_float().eps, soft.astype(np.float32).eps
    ({'eps': 0.5}, False, 0.5, 0.5, 0.5)
    >>> Affine(np.eye(3), np.zeros(3)).nbytes
    96
    """

    operands = 1  # how many inputs it takes
    eps = 0.0  # its temperature; above 0 it is no longer piecewise linear

    def output_size(self, *sizes: int) -> int:
        """The size of the output for inputs of these sizes; an error says what does not fit."""
        return sizes[0]

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def arguments(self) -> dict[str, Any]:
        """What to call the class with to get this layer again."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}

    def _weights(self) -> dict[str, Weights]:
        stored = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: v for k, v in stored.items() if isinstance(v, SparseMatrix) or _is_numeric(v)}

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return sum(v.size for v in self._weights().values())

    @property
    def nbytes(self) -> int:
        """What its arrays take; a Fraction counts as `FRACTION_BYTES`."""
        arrays = [v for v in vars(self).values() if isinstance(v, np.ndarray | SparseMatrix)]
        return sum(_bytes(part) for v in arrays for part in _parts(v))

    @property
    def is_exact(self) -> bool:
        """Whether a number in it is a Fraction."""
        return any(is_exact(v) for v in self._weights().values())

    def _with(self, change: Callable[[Weights], Weights]) -> Self:
        """The same layer with its numbers changed."""
        changed = copy(self)
        for name, value in self._weights().items():
            object.__setattr__(changed, name, private(change(value)))
        return changed

    def astype(self, dtype: np.dtype) -> Self:
        """The same layer with numbers of another type; to exact without rounding."""
        return self._with(lambda value: cast(value, dtype))

    def to_exact(self) -> Self:
        """The same layer over Fractions."""
        return self.astype(EXACT)

    def to_float(self) -> Self:
        """The same layer with each number rounded to the nearest float64."""
        return self._with(_rounded)

    def _set(self, **values) -> None:
        """Give a frozen layer its checked fields."""
        for name, value in values.items():
            if isinstance(value, np.ndarray | SparseMatrix):
                value = private(value)
            object.__setattr__(self, name, value)

    def deform(self, eps: float) -> "Layer":
        """The same layer with its maxima at temperature `eps`; itself where it has none."""
        return self

    def __str__(self) -> str:
        return type(self).__name__


def _parts(value: Weights) -> tuple[np.ndarray, ...]:
    """The arrays that hold an array or a sparse matrix."""
    return (value.data, value.columns, value.offsets) if isinstance(value, SparseMatrix) else (value,)


def _bytes(array: np.ndarray) -> int:
    return array.size * (FRACTION_BYTES if array.dtype == object else array.dtype.itemsize)


def _is_numeric(value) -> bool:
    """Whether this is an array of numbers and not of indices."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fO"


def _rounded(weights: Weights) -> Weights:
    if isinstance(weights, SparseMatrix):  # built anew: what rounds to 0 goes
        return SparseMatrix(weights.shape, weights.rows, weights.columns, to_floats(weights.data))
    return to_floats(weights)


def finite(**values) -> list[Weights]:
    """The arrays as floats, or all as Fractions if one of them is, once they are known to be finite."""
    arrays = {name: as_weights(name, value) for name, value in values.items()}
    for name, array in arrays.items():
        stored = numbers(array)
        refuse_where(~is_finite(stored), name, stored, "weights must be finite numbers")
    dtype = EXACT if any(map(is_exact, arrays.values())) else np.dtype(np.float64)
    return [cast(array, dtype) for array in arrays.values()]


def as_index(name: str, value) -> np.ndarray:
    """An array of places in a vector."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise InputError(f"{name} has dtype {array.dtype} or negative entries; pass integers from 0")
    return array.astype(np.int64)


def temperature(layer: Layer, eps: float) -> float:
    """`eps` as a float ≥ 0."""
    if not (np.isfinite(eps) and eps >= 0):
        raise InputError(f"eps of {type(layer).__name__} is {eps}; pass a finite temperature ≥ 0")
    return float(eps)


def scalar(name: str, value) -> np.ndarray:
    """One finite number, as an array of no axes."""
    array = as_array(name, value)
    if array.ndim or not is_finite(array).all():
        raise InputError(f"{name} is {value}; pass a finite number")
    return array

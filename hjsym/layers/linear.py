"""Affine layers: matrices, scalings, choices of entries, sums and concatenations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.layers.base import Layer, as_index, finite
from tropical.errors import InputError, ShapeError
from tropical.sparse import SparseMatrix

__all__ = ["Add", "Affine", "Concat", "Gather", "Identity", "Scale"]


@dataclass(frozen=True, eq=False)
class Affine(Layer):
    """x ↦ weight @ x + bias.

    `weight` has shape (outputs, inputs) and is dense, a `tropical.sparse.SparseMatrix` or one of SciPy's;
    `bias` has shape (outputs,).

    >>> layer = Affine([[1.0, 2.0], [0.0, -1.0]], [0.5, 0.0])
    >>> layer(np.array([1.0, 1.0])), layer.output_size(2), layer.parameters, sorted(layer.arguments())
    (array([ 3.5, -1. ]), 2, 6, ['bias', 'weight'])
    >>> layer.to_exact().is_exact, layer.to_exact().to_float().is_exact, layer.astype(np.float32).weight.dtype
    (True, False, dtype('float32'))
    """

    weight: ArrayLike | SparseMatrix
    bias: ArrayLike

    def __post_init__(self):
        weight, bias = finite(weight=self.weight, bias=self.bias)
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ShapeError(
                f"weight has shape {weight.shape} and bias {bias.shape}; "
                "pass weight (outputs, inputs) and bias (outputs,)"
            )
        self._set(weight=weight, bias=bias)

    def output_size(self, *sizes: int) -> int:
        if sizes[0] != self.weight.shape[1]:
            raise ShapeError(f"weight has shape {self.weight.shape} but {sizes[0]} values come in")
        return self.weight.shape[0]

    def __call__(self, x):
        return x @ self.weight.T + self.bias

    def __str__(self) -> str:
        stored = f", {self.weight.size:,} entries" if isinstance(self.weight, SparseMatrix) else ""
        return f"Affine {self.weight.shape[1]} → {self.weight.shape[0]}{stored}"


@dataclass(frozen=True, eq=False)
class Scale(Layer):
    """x ↦ factor · x + bias, entry by entry; both vectors of the input's length.

    >>> Scale([2.0, -1.0], [0.0, 1.0])(np.array([3.0, 3.0]))
    array([ 6., -2.])
    """

    factor: ArrayLike
    bias: ArrayLike

    def __post_init__(self):
        factor, bias = finite(factor=self.factor, bias=self.bias)
        if factor.ndim != 1 or bias.shape != factor.shape:
            raise ShapeError(f"factor has shape {factor.shape} and bias {bias.shape}; pass two equal vectors")
        self._set(factor=factor, bias=bias)

    def output_size(self, *sizes: int) -> int:
        if sizes[0] != len(self.bias):
            raise ShapeError(f"factor has length {len(self.bias)} but {sizes[0]} values come in")
        return sizes[0]

    def __call__(self, x):
        return x * self.factor + self.bias


@dataclass(frozen=True, eq=False)
class Identity(Layer):
    """x ↦ x.

    >>> Identity()(np.array([1.0, 2.0]))
    array([1., 2.])
    """

    def __call__(self, x):
        return x


@dataclass(frozen=True, eq=False)
class Gather(Layer):
    """x ↦ x[index]: a permutation, a slice, a repetition.

    >>> Gather([2, 0])(np.array([5.0, 6.0, 7.0]))
    array([7., 5.])
    """

    index: ArrayLike

    def __post_init__(self):
        index = as_index("index", self.index)
        if index.ndim != 1:
            raise ShapeError(f"index has shape {index.shape}; pass a vector")
        self._set(index=index)

    def output_size(self, *sizes: int) -> int:
        if self.index.max(initial=-1) >= sizes[0]:
            raise ShapeError(f"index goes up to {self.index.max()} but {sizes[0]} values come in")
        return len(self.index)

    def __call__(self, x):
        return x[..., self.index]


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """(x, y, …) ↦ Σ factor · operand: residual connections, differences, means.

    >>> Add((1.0, -1.0))(np.array([3.0, 5.0]), np.array([1.0, 1.0])), Add().operands
    (array([2., 4.]), 2)
    """

    factors: ArrayLike = (1.0, 1.0)

    def __post_init__(self):
        (factors,) = finite(factors=self.factors)
        if factors.ndim != 1 or not len(factors):
            raise ShapeError(f"factors have shape {factors.shape}; pass one for each operand")
        self._set(factors=factors)

    @property
    def operands(self) -> int:
        return len(self.factors)

    @property
    def parameters(self) -> int:
        return 0

    def output_size(self, *sizes: int) -> int:
        if len(set(sizes)) > 1:
            raise ShapeError(f"Add joins vectors of sizes {' and '.join(map(str, sizes))}; give all one size")
        return sizes[0]

    def __call__(self, *inputs):
        first, *others = (x if f == 1 else x * f for f, x in zip(self.factors, inputs, strict=True))
        return sum(others, first)


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """(x, y, …) ↦ one vector, end to end.

    >>> Concat()(np.array([1.0]), np.array([2.0, 3.0]))
    array([1., 2., 3.])
    """

    operands: int = 2

    def __post_init__(self):
        if not isinstance(self.operands, int) or self.operands < 1:
            raise InputError(f"Concat of {self.operands!r} operands; pass how many, at least 1")

    def output_size(self, *sizes: int) -> int:
        return sum(sizes)

    def __call__(self, *inputs):
        return np.concatenate(inputs, axis=-1)

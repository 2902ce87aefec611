"""The layers a `Network` is made of: plain arrays and their forward rule, one class each.

A layer maps vectors to vectors along the last axis. Piecewise-linear layers also run on exact arrays of
`fractions.Fraction`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tropical import Semiring
from tropical._arrays import EXACT, FLOAT64, as_array, convert, frozen, is_exact, refuse_where
from tropical.errors import InputError, ShapeError

__all__ = [
    "Add",
    "Affine",
    "Identity",
    "Layer",
    "LeakyRelu",
    "LogSumExp",
    "Relu",
    "Shift",
    "Sigmoid",
    "Softmax",
    "Softplus",
]


@dataclass(frozen=True, eq=False)
class Layer:
    """A map of one vector, of any size to the same size unless it says otherwise."""

    operands = 1  # how many inputs it takes

    def output_size(self, *sizes: int) -> int:
        return sizes[0]

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return 0

    def to_exact(self) -> "Layer":
        """The same layer over Fractions."""
        return self

    def __str__(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, eq=False)
class Affine(Layer):
    """x ↦ weight @ x + bias, with weight of shape (outputs, inputs) and bias of shape (outputs,)."""

    weight: ArrayLike
    bias: ArrayLike

    def __post_init__(self):
        weight, bias = as_array("weight", self.weight), as_array("bias", self.bias)
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ShapeError(
                f"weight has shape {weight.shape} and bias {bias.shape}; "
                "pass weight (outputs, inputs) and bias (outputs,)"
            )
        for name, array in (("weight", weight), ("bias", bias)):
            finite = np.isfinite(array.astype(float))
            refuse_where(~finite, name, array, "weights must be finite numbers")
        dtype = EXACT if EXACT in (weight.dtype, bias.dtype) else FLOAT64
        object.__setattr__(self, "weight", frozen(convert(weight, dtype)))
        object.__setattr__(self, "bias", frozen(convert(bias, dtype)))

    def output_size(self, *sizes: int) -> int:
        if sizes[0] != self.weight.shape[1]:
            raise ShapeError(f"weight has shape {self.weight.shape} but {sizes[0]} values come in")
        return self.weight.shape[0]

    def __call__(self, x):
        return x @ self.weight.T + self.bias

    @property
    def parameters(self) -> int:
        return self.weight.size + self.bias.size

    def to_exact(self) -> "Affine":
        return Affine(convert(self.weight, EXACT), convert(self.bias, EXACT))

    def __str__(self) -> str:
        return f"Affine {self.weight.shape[1]} → {self.weight.shape[0]}"


@dataclass(frozen=True, eq=False)
class Shift(Layer):
    """x ↦ x + bias."""

    bias: ArrayLike

    def __post_init__(self):
        bias = as_array("bias", self.bias)
        if bias.ndim != 1 or not np.isfinite(bias.astype(float)).all():
            raise InputError(f"bias of Shift has shape {bias.shape}; pass a vector of finite numbers")
        object.__setattr__(self, "bias", frozen(convert(bias, EXACT if is_exact(bias) else FLOAT64)))

    def output_size(self, *sizes: int) -> int:
        if sizes[0] != len(self.bias):
            raise ShapeError(f"bias has length {len(self.bias)} but {sizes[0]} values come in")
        return sizes[0]

    def __call__(self, x):
        return x + self.bias

    @property
    def parameters(self) -> int:
        return self.bias.size

    def to_exact(self) -> "Shift":
        return Shift(convert(self.bias, EXACT))


@dataclass(frozen=True, eq=False)
class Identity(Layer):
    """x ↦ x: dropout in inference, flattening, reshaping."""

    def __call__(self, x):
        return x


@dataclass(frozen=True, eq=False)
class Relu(Layer):
    """x ↦ max(x, 0)."""

    def __call__(self, x):
        return np.maximum(x, 0)


@dataclass(frozen=True, eq=False)
class LeakyRelu(Layer):
    """x ↦ x for x > 0 and slope · x otherwise, for any real slope."""

    slope: float = 0.01

    def __post_init__(self):
        if not np.isfinite(float(self.slope)):
            raise InputError(f"slope of LeakyRelu is {self.slope}; pass a finite number")

    def __call__(self, x):
        return np.where(x > 0, x, x * self.slope)

    def to_exact(self) -> "LeakyRelu":
        return replace(self, slope=convert(np.array(self.slope), EXACT)[()])

    def __str__(self) -> str:
        return f"LeakyRelu slope {float(self.slope):g}"


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """(x, y) ↦ x + y: a residual connection."""

    operands = 2

    def output_size(self, *sizes: int) -> int:
        if sizes[0] != sizes[1]:
            raise ShapeError(f"Add joins vectors of sizes {sizes[0]} and {sizes[1]}; give both the same size")
        return sizes[0]

    def __call__(self, x, y):
        return x + y


@dataclass(frozen=True, eq=False)
class _Thermal(Layer):
    """A layer with a temperature."""

    eps: float = 1.0

    def __post_init__(self):
        if not (np.isfinite(self.eps) and self.eps > 0):
            raise InputError(f"eps of {type(self).__name__} is {self.eps}; pass a finite temperature > 0")

    def __str__(self) -> str:
        return f"{type(self).__name__} eps {self.eps:g}"


@dataclass(frozen=True, eq=False)
class Softplus(_Thermal):
    """x ↦ ε log(1 + e^{x/ε})."""

    def __call__(self, x):
        return Semiring(eps=self.eps).add(x, 0.0)


@dataclass(frozen=True, eq=False)
class LogSumExp(_Thermal):
    """x ↦ ε log Σ_i e^{x_i/ε}, one number."""

    def output_size(self, *sizes: int) -> int:
        return 1

    def __call__(self, x):
        return np.asarray(Semiring(eps=self.eps).sum(x))[..., None]


@dataclass(frozen=True, eq=False)
class Sigmoid(Layer):
    """x ↦ 1/(1 + e^{−x}); only as the last layer."""

    def __call__(self, x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


@dataclass(frozen=True, eq=False)
class Softmax(Layer):
    """x ↦ e^{x_i} / Σ e^{x_k}; only as the last layer."""

    def __call__(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

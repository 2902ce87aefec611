"""Layers that only a network's end may have: what turns scores into probabilities."""

from dataclasses import dataclass

import numpy as np

from hjsym.layers.base import Layer

__all__ = ["Head", "LogSoftmax", "Sigmoid", "Softmax"]


@dataclass(frozen=True, eq=False)
class Head(Layer):
    """A map of scores that compiling leaves out and keeps beside the result."""


@dataclass(frozen=True, eq=False)
class Sigmoid(Head):
    """x ↦ 1/(1 + e^{−x}); only as the last layer."""

    def __call__(self, x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


@dataclass(frozen=True, eq=False)
class Softmax(Head):
    """x ↦ e^{x_i} / Σ e^{x_k}; only as the last layer."""

    def __call__(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


@dataclass(frozen=True, eq=False)
class LogSoftmax(Head):
    """x ↦ x_i − log Σ e^{x_k}; only as the last layer."""

    def __call__(self, x):
        top = x.max(axis=-1, keepdims=True)
        return x - top - np.log(np.exp(x - top).sum(axis=-1, keepdims=True))

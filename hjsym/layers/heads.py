"""Layers that only a network's end may have: what turns scores into probabilities."""

from dataclasses import dataclass

import numpy as np

from hjsym.layers.base import Layer

__all__ = ["Head", "LogSoftmax", "Sigmoid", "Softmax"]


@dataclass(frozen=True, eq=False)
class Head(Layer):
    """A map of scores that compiling leaves out and keeps beside the result.

    >>> issubclass(Softmax, Head), isinstance(Sigmoid(), Head)
    (True, True)
    """


@dataclass(frozen=True, eq=False)
class Sigmoid(Head):
    """x ↦ 1/(1 + e^{−x}); only as the last layer.

    >>> Sigmoid()(np.array([0.0, 800.0]))
    array([0.5, 1. ])
    """

    def __call__(self, x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


@dataclass(frozen=True, eq=False)
class Softmax(Head):
    """x ↦ e^{x_i} / Σ e^{x_k}; only as the last layer.

    >>> Softmax()(np.array([0.0, 0.0, 0.0, 800.0]))
    array([0., 0., 0., 1.])
    """

    def __call__(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


@dataclass(frozen=True, eq=False)
class LogSoftmax(Head):
    """x ↦ x_i − log Σ e^{x_k}; only as the last layer.

    >>> LogSoftmax()(np.array([0.0, 0.0])).round(6)
    array([-0.693147, -0.693147])
    """

    def __call__(self, x):
        top = x.max(axis=-1, keepdims=True)
        return x - top - np.log(np.exp(x - top).sum(axis=-1, keepdims=True))

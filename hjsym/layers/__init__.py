"""The layers a `Network` is made of: few and plain, so that every format maps to them exactly.

Affine maps (dense, sparse or diagonal), choices of entries, sums and concatenations; piecewise-linear functions
of one variable; maxima over groups. A temperature `eps` above 0 makes the last two soft: Softplus is a soft
ReLU, LogSumExp a soft maximum. All but the soft ones also run on exact arrays of `fractions.Fraction`.
"""

from hjsym.layers.base import Layer
from hjsym.layers.gates import (
    LeakyRelu,
    LogSumExp,
    Maximum,
    PiecewiseLinear,
    Relu,
    Softplus,
    absolute,
    clip,
    prelu,
    softshrink,
)
from hjsym.layers.heads import Head, LogSoftmax, Sigmoid, Softmax
from hjsym.layers.linear import Add, Affine, Concat, Gather, Identity, Scale

__all__ = [
    "Add",
    "Affine",
    "Concat",
    "Gather",
    "Head",
    "Identity",
    "Layer",
    "LeakyRelu",
    "LogSoftmax",
    "LogSumExp",
    "Maximum",
    "PiecewiseLinear",
    "Relu",
    "Scale",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "absolute",
    "clip",
    "prelu",
    "softshrink",
]

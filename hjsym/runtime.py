"""What generated Python code calls for maxima, log-sum-exp and Gibbs means.

Each function looks at its arguments: with a tensor of torch or an array of JAX among them it computes by that
library, so that gradients and compilation pass through; else with arrays by NumPy, with SymPy's expressions
symbolically, with numbers of mpmath in their precision, and with plain numbers by `math`. Arguments broadcast, NaN
propagates, and no library is imported that is not there already.
"""

import math
import sys
from collections.abc import Sequence
from functools import reduce

import mpmath
import numpy as np
import sympy

from hjsym import symbols

__all__ = ["gibbs_mean", "log_sum_exp", "tropical_maximum"]


def tropical_maximum(*z):
    """max(z_1, …, z_N).

    >>> tropical_maximum(np.array([1.0, 5.0]), 2)
    array([2., 5.])
    """
    xp = _library(z)
    if xp is sympy:
        return symbols.Maximum(*z)
    return z[_first(z)] if xp in _SCALAR else xp.amax(_stack(xp, z), 0)


def log_sum_exp(eps, z: Sequence):
    """ε log Σ e^{z/ε} as top + ε log(1 + Σ e^{(z − top)/ε}), the sum over the others; the maximum at ε = 0.

    >>> round(log_sum_exp(0.5, (1000.0, 1000.0)), 6)
    1000.346574
    """
    xp = _library((eps, *z))
    if xp is sympy:
        return symbols.LogSumExp(eps, *z)
    if _is_zero(eps):
        return tropical_maximum(*z)
    if xp in _SCALAR:
        first = _first(z)
        rest = [w for k, w in enumerate(_weights(xp, eps, z, z[first])) if k != first]
        return z[first] + eps * xp.log1p(sum(rest))
    z = _stack(xp, z)
    top = xp.amax(z, 0)
    rest = xp.where(_is_first(xp, z), 0.0, _array_weights(xp, eps, z, top))
    return top + eps * xp.log1p(rest.sum(0))


def gibbs_mean(eps, z: Sequence, v: Sequence):
    """Σ π v with π = softmax(z/ε); at ε = 0 the v of the first largest z.

    >>> gibbs_mean(0, (np.array([1.0, 5.0]), 2.0), (10, 20))
    array([20., 10.])
    """
    xp = _library((eps, *z, *v))
    if xp is sympy:
        return symbols.GibbsMean(eps, z, v)
    if xp in _SCALAR:
        first = _first(z)
        if _is_zero(eps):
            return v[first]
        weights = _weights(xp, eps, z, z[first])
        return sum(w * b for w, b in zip(weights, v, strict=True)) / sum(weights)
    both = _stack(xp, (*z, *v))
    z, v = both[: len(z)], both[len(z) :]
    if _is_zero(eps):
        return xp.where(_is_first(xp, z), v, 0.0).sum(0)
    weights = _array_weights(xp, eps, z, xp.amax(z, 0))
    return (weights * v).sum(0) / weights.sum(0)


_SCALAR = (math, mpmath)


def _library(values):
    """The module to compute with."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    kinds = (
        (torch and torch.Tensor, torch),
        (jax and jax.Array, jax and jax.numpy),
        (np.ndarray, np),
        (sympy.Basic, sympy),
        (mpmath.mpf, mpmath),
    )
    for kind, module in kinds:
        if kind and any(isinstance(v, kind) for v in values):
            return module
    return math


def _is_zero(eps) -> bool:
    return not hasattr(eps, "shape") and eps == 0


def _first(z: Sequence) -> int:
    """Where the first largest number is, or the first NaN."""
    first = 0
    for k, v in enumerate(z):
        if v != v:
            return k
        if v > z[first]:
            first = k
    return first


def _weights(xp, eps, z: Sequence, top) -> list:
    return [xp.exp(0 if v == top else (v - top) / eps) for v in z]


def _stack(xp, values: Sequence):
    """The values along a new first axis."""
    if xp.__name__ != "torch":
        return xp.stack(xp.broadcast_arrays(*values))
    tensors = [v for v in values if isinstance(v, xp.Tensor)]
    dtype = reduce(xp.promote_types, (t.dtype for t in tensors))
    if not dtype.is_floating_point:
        dtype = xp.get_default_dtype()
    device = tensors[0].device
    return xp.stack(xp.broadcast_tensors(*(xp.as_tensor(v, dtype=dtype, device=device) for v in values)))


def _is_first(xp, z):
    """Where the first largest value along axis 0 is."""
    places = xp.cumsum(xp.ones_like(z), 0) - 1
    return places == xp.argmax(z, 0)


def _array_weights(xp, eps, z, top):
    with np.errstate(over="ignore", invalid="ignore"):  # eps may be tiny, and infinities subtracted
        return xp.exp(xp.where(z == top, 0.0, z - top) / eps)

"""Arithmetic of the extended reals as convex analysis has it: ∞ − ∞ = ∞, 0·∞ = 0, 0 log 0 = 0; NaN stays NaN.

The first says that a point outside the domain of one summand is outside the domain of the sum, the second that λf is
the zero function for λ = 0 (R. T. Rockafellar, Convex Analysis, 1970, section 4).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

__all__ = ["add", "inner", "multiply", "xlogx"]


def add(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """a + b with ∞ − ∞ = ∞.

    >>> add([1.0, np.inf], [2.0, -np.inf])
    array([ 3., inf])
    """
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(invalid="ignore", over="ignore"):
        total = a + b
    top = (a == np.inf) | (b == np.inf)
    return np.where(top & (a == a) & (b == b), np.inf, total)


def multiply(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """a·b with 0·∞ = 0.

    >>> multiply([0.0, 2.0], np.inf)
    array([ 0., inf])
    """
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(invalid="ignore", over="ignore"):
        product = a * b
    zero = (a == 0) | (b == 0)
    return np.where(zero & (a == a) & (b == b), 0.0, product)


def inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Σ_k a_k b_k over the last axis, with 0·∞ = 0 and ∞ − ∞ = ∞."""
    with np.errstate(invalid="ignore", over="ignore"):
        total = (a * b).sum(axis=-1)
    if not (total != total).any():
        return total
    terms = np.broadcast_to(multiply(a, b), np.broadcast_shapes(np.shape(a), np.shape(b)))
    out = np.zeros(terms.shape[:-1])
    for k in range(terms.shape[-1]):
        out = add(out, terms[..., k])
    return out


def xlogx(x: ArrayLike) -> np.ndarray:
    """x log x for x ≥ 0, 0 at 0; +∞ for x < 0.

    >>> xlogx([-1.0, 0.0, 1.0])
    array([inf,  0.,  0.])
    """
    x = np.asarray(x, float)
    return np.where(x < 0, np.inf, xlogy(x, np.where(x < 0, 1.0, x)))

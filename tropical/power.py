"""Powers of a square matrix over a semiring."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from tropical._square import as_square, identity
from tropical.errors import InputError
from tropical.matrix import matmul
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["power"]


def power(A: ArrayLike, k: int, semiring: Semiring = MAX_PLUS) -> np.ndarray:
    """The power A^{⊗k}: its entry i, j is ⊕ over the walks of k steps from i to j of their weights.

    Parameters
    ----------
    A : (..., n, n) array
    k : int
        At least 0; the power 0 is the identity, 0 on the diagonal and the zero elsewhere.
    semiring : Semiring

    Returns
    -------
    (..., n, n) array
        Of the dtype of A.

    Raises
    ------
    InputError
        k < 0 (matrices have no inverses but generalised permutations), NaN, the infinity that is not the zero.
    ShapeError
        Matrices that are not square.

    Notes
    -----
    By repeated squaring: at most 2 log₂ k products. Floats are rounded once a product.

    Examples
    --------
    >>> power([[0, 3], [2, 0]], 5)
    array([[10., 13.],
           [12., 10.]])
    """
    A = as_square(A, semiring, batched=True)
    if isinstance(k, bool) or not isinstance(k, Integral):
        raise InputError(f"k is {k!r}; pass an integer")
    if k < 0:
        raise InputError(f"k is {k}; pass k >= 0: only generalised permutation matrices have inverses")
    if k == 0:
        return np.broadcast_to(identity(A.shape[-1], A.dtype, semiring), A.shape).copy()
    result = None
    with np.errstate(over="ignore"):
        while k:
            if k & 1:
                result = A.copy() if result is None else matmul(result, A, semiring)
            k >>= 1
            if k:
                A = matmul(A, A, semiring)
    return result

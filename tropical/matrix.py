"""Products of matrices over a semiring."""

import math

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core
from tropical._arrays import EXACT, as_array, common_dtype, convert, is_exact
from tropical._threads import run_in_slices
from tropical.errors import InputError, ShapeError
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["matmul"]

_CHUNK = 1 << 22  # numbers in a temporary
# Below this the scaled sum may have lost terms to underflow: each lost product is < 2^-1022 (float: 2^-126)
# and there are at most k of them, so what is lost is below k · 2^-62 (k · 2^-26) of the sum.
_SAFE = {np.dtype(np.float64): 2.0**-960, np.dtype(np.float32): np.float32(2.0**-100)}


def matmul(
    A: ArrayLike,
    B: ArrayLike,
    semiring: Semiring = MAX_PLUS,
    return_argmax: bool = False,
    *,
    n_threads: int | None = None,
):
    """The product C = A ⊗ B, C_ij = ⊕_k A_ik ⊗ B_kj.

    Over max-plus C_ij = max_k (A_ik + B_kj); at ε > 0, C_ij = ε log Σ_k exp((A_ik + B_kj)/ε).

    Parameters
    ----------
    A : (..., m, k) array
        Or (k,), a row vector. Any strides: a transposed view is not copied at ε = 0.
    B : (..., k, n) array
        Or (k,), a column vector. Leading axes broadcast.
    semiring : Semiring
    return_argmax : bool
        Also return the smallest k that attains each entry, −1 where the entry is the zero; ε = 0 only.
    n_threads : int, optional
        Threads at ε = 0, all that help by default; no result depends on it. At ε > 0 BLAS has its own.

    Returns
    -------
    C : (..., m, n) array
        float32, float64 or exact, as the operands are. Vectors lose their axis, as with NumPy's matmul.
    argmax : integer array
        Only with `return_argmax`.

    Raises
    ------
    ShapeError
        Inner lengths that differ.

    Notes
    -----
    ε = 0: one rounding per sum, the same bits on every instruction set; m·n·k sums and maxima. The zero
    absorbs, (−∞) ⊗ (+∞) = −∞, and NaN propagates.

    ε > 0: rows of A and columns of B are scaled by their maxima, exponentiated, multiplied by BLAS, and the
    logarithm is taken. Entries whose sum could have lost terms to underflow are recomputed one by one. The
    error is a few ulp of max|A_i·| + max|B_·j| + ε log k.

    Examples
    --------
    >>> matmul([[1, 2], [3, 4]], [[0, 5], [1, 0]])
    array([[3., 6.],
           [5., 8.]])
    >>> C, k = matmul([[1, 2], [3, 4]], [[0, 5], [1, 0]], return_argmax=True)
    >>> k
    array([[1, 0],
           [1, 0]])
    >>> matmul([0, 0], [[1, 2], [1, 2]], Semiring(eps=1.0)).round(4)
    array([1.6931, 2.6931])
    """
    A, B = as_array("A", A), as_array("B", B)
    if A.ndim == 0 or B.ndim == 0:
        raise ShapeError(f"A has shape {A.shape} and B {B.shape}; pass matrices or vectors, not scalars")
    if return_argmax and not semiring.is_tropical:
        raise InputError(f"return_argmax needs eps = 0, got {semiring.eps:g}: every k contributes")
    rows, columns = A.ndim > 1, B.ndim > 1
    A = A if rows else A[None, :]
    B = B if columns else B[:, None]
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(
            f"A has shape {A.shape} and B {B.shape}; the last axis of A and the one before last of B must agree"
        )
    dtype = common_dtype(A.dtype, B.dtype)
    if dtype == EXACT and not semiring.is_tropical:
        raise InputError(
            f"exact matrices at eps = {semiring.eps:g}: log-sum-exp is transcendental; pass floats"
        )
    A, B = convert(A, dtype), convert(B, dtype)
    if A.ndim > 2 or B.ndim > 2:
        try:
            lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        except ValueError:
            raise ShapeError(
                f"A has shape {A.shape} and B {B.shape}; leading axes do not broadcast"
            ) from None
        A = np.broadcast_to(A, lead + A.shape[-2:])
        B = np.broadcast_to(B, lead + B.shape[-2:])
    if semiring.is_tropical:
        C, index = _tropical(A, B, semiring, return_argmax, n_threads)
    else:
        C, index = _soft(A, B, semiring), None
    results = [_drop_axes(M, rows, columns) for M in (C, index) if M is not None]
    return tuple(results) if return_argmax else results[0]


def _drop_axes(C: np.ndarray, rows: bool, columns: bool) -> np.ndarray:
    C = C if columns else C[..., 0]
    return (C if rows else C[..., 0, :] if columns else C[..., 0])[()]


def is_awkward(A: np.ndarray, semiring: Semiring) -> bool:
    """Whether A has NaN or the infinity that the zero has to absorb."""
    if not A.size:
        return False
    worst = A.max() if semiring.sign > 0 else A.min()  # NaN wins both
    return not worst * semiring.sign < np.inf


def _tropical(A: np.ndarray, B: np.ndarray, semiring: Semiring, with_index: bool, n_threads: int | None):
    if is_exact(A) or is_awkward(A, semiring) or is_awkward(B, semiring):
        return _tropical_by_rows(A, B, semiring, with_index)
    shape = (*A.shape[:-1], B.shape[-1])
    C = np.empty(shape, A.dtype)
    index = np.empty(shape, np.int64) if with_index else None
    (m, k), n = A.shape[-2:], B.shape[-1]
    batch = math.prod(shape[:-2])
    A, B = A.reshape(batch, m, k), B.reshape(batch, k, n)
    C3, index3 = C.reshape(batch, m, n), None if index is None else index.reshape(batch, m, n)

    def some_rows(part: slice) -> None:
        some = None if index3 is None else index3[:, part]
        _core.matmul(A[:, part], B, C3[:, part], semiring.sign, False, some)

    def some_products(part: slice) -> None:
        some = None if index3 is None else index3[part]
        _core.matmul(A[part], B[part], C3[part], semiring.sign, False, some)

    if batch == 1:
        run_in_slices(some_rows, m, k * n, n_threads)
    else:
        run_in_slices(some_products, batch, m * k * n, n_threads)
    return C, index


def _tropical_by_rows(A: np.ndarray, B: np.ndarray, semiring: Semiring, with_index: bool):
    """One row of A at a time, for exact entries and for infinities that meet."""
    C = np.full((*A.shape[:-1], B.shape[-1]), semiring.zero, A.dtype)
    index = np.full(C.shape, -1, np.int64)
    for i in range(A.shape[-2] if A.shape[-1] else 0):
        terms = semiring.mul(A[..., i, :, None], B)
        best = np.argmax(terms, axis=-2) if semiring.sign > 0 else np.argmin(terms, axis=-2)
        C[..., i, :] = np.take_along_axis(terms, best[..., None, :], axis=-2)[..., 0, :]
        nothing = (C[..., i, :] == semiring.zero) | (C[..., i, :] != C[..., i, :])
        index[..., i, :] = np.where(nothing, -1, best)
    return C, index if with_index else None


def _soft(A: np.ndarray, B: np.ndarray, semiring: Semiring) -> np.ndarray:
    """Scale, exponentiate, multiply, take logarithms; recompute what underflowed."""
    if not A.shape[-1]:
        return np.full((*A.shape[:-1], B.shape[-1]), semiring.zero, A.dtype)
    eps, safe = A.dtype.type(semiring.eps), _SAFE[A.dtype]
    A, B = (A, B) if semiring.sign > 0 else (-A, -B)
    row, column = A.max(axis=-1, keepdims=True), B.max(axis=-2, keepdims=True)
    with np.errstate(all="ignore"):  # infinities and underflow are looked for below
        C = _exponentials(A, row, eps) @ _exponentials(B, column, eps)
        # NaN, also that of infinities less themselves, fails the comparison.
        doubtful = None if C.size and C.min() >= safe else ~np.greater_equal(C, safe)
        np.log(C, out=C)
        C *= eps
        C += row
        C += column
    if doubtful is not None:
        _recompute(A, B, C, doubtful, semiring)
    return C if semiring.sign > 0 else -C


def _exponentials(A: np.ndarray, top: np.ndarray, eps: np.floating) -> np.ndarray:
    """e^{(A − top)/ε}, in one temporary."""
    E = A - top
    E /= eps
    return np.exp(E, out=E)


def _recompute(A: np.ndarray, B: np.ndarray, C: np.ndarray, where: np.ndarray, semiring: Semiring) -> None:
    """C at `where` by log-sum-exp of the terms themselves."""
    upright = Semiring(eps=semiring.eps)
    *lead, i, j = np.nonzero(where)
    step = max(1, _CHUNK // A.shape[-1])
    for start in range(0, len(i), step):
        some = slice(start, start + step)
        batch = tuple(axis[some] for axis in lead)
        terms = upright.mul(A[(*batch, i[some])], np.swapaxes(B, -1, -2)[(*batch, j[some])])
        C[(*batch, i[some], j[some])] = upright.sum(terms)

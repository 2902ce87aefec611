"""Products of matrices over a semiring."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core, _dask
from tropical._arrays import EXACT, as_array, as_output, common_dtype, convert, is_exact
from tropical._threads import run_in_slices
from tropical.errors import InputError, ShapeError
from tropical.semiring import MAX_PLUS, Semiring, check_semiring

__all__ = ["EPS_RANGE", "matmul"]

_CHUNK = 1 << 22  # numbers in a temporary
# Where 1/eps, and eps times a gap, are finite numbers with all their digits: TINY_EPS and HUGE_EPS of csrc/real.h.
EPS_RANGE = {np.dtype(np.float64): (1e-290, 1e290), np.dtype(np.float32): (1e-30, 1e30)}


def matmul(
    A: ArrayLike,
    B: ArrayLike,
    semiring: Semiring = MAX_PLUS,
    return_argmax: bool = False,
    *,
    out: np.ndarray | None = None,
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
    out : (..., m, n) array, optional
        Where C goes: of its shape and dtype, any strides, apart from A and B.
    n_threads : int, optional
        Threads, all that help by default; no result depends on it.

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

    ε > 0: rows of A and columns of B are scaled by their maxima, exponentiated and multiplied; where terms that
    underflow could have mattered, which a bound decides, the entry is summed anew from the terms themselves. With
    u = 1.1e-16 (float32: 6e-8), and max over finite entries, the error is below
    12 u (max|A_i·| + max|B_·j|) + u ε (150 + k/128), and mostly below a third of that.

    Where A or B is a dask array, so is C, and nothing is computed yet: each chunk of k gives a product, and these are
    added, which at ε = 0 changes no bit, and at ε > 0 rounds once more for every eight chunks.

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
    check_semiring(semiring)
    lazy = _dask.is_dask(A) or _dask.is_dask(B)
    A, B = (M if _dask.is_dask(M) else as_array(name, M) for name, M in (("A", A), ("B", B)))
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
    lead = _common_lead(A, B)
    if lazy:
        _dask.refuse_out(out)
        options = {"semiring": semiring, "return_argmax": return_argmax, "n_threads": n_threads or 1}
        return _dask.product(A, B, rows, columns, semiring, return_argmax, partial(matmul, **options))
    A, B = convert(A, dtype), convert(B, dtype)
    shape = (*lead, *((A.shape[-2],) if rows else ()), *((B.shape[-1],) if columns else ()))
    result = as_output(out, shape, dtype, A, B)
    C = result if columns else result[..., None]
    C = C if rows else C[..., None, :]
    index = np.empty(C.shape, np.int64) if return_argmax else None
    if semiring.is_tropical:
        _tropical(A, B, C, index, semiring, n_threads)
    else:
        _soft(A, B, C, semiring, n_threads)
    if not return_argmax:
        return result[()]
    return result[()], index.reshape(shape)[()]


def _common_lead(A: np.ndarray, B: np.ndarray) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    except ValueError:
        raise ShapeError(f"A has shape {A.shape} and B {B.shape}; leading axes do not broadcast") from None


def _batches(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One leading axis each, without a copy where strides allow it; another array for C if they do not."""
    lead, (m, n) = C.shape[:-2], C.shape[-2:]
    count = math.prod(lead)
    A = np.broadcast_to(A, lead + A.shape[-2:]).reshape(count, *A.shape[-2:])
    B = np.broadcast_to(B, lead + B.shape[-2:]).reshape(count, *B.shape[-2:])
    row, number = C.strides[-2:] if n != 1 else (C.strides[-2], C.strides[-2] if m > 1 else C.itemsize)
    has_plain_rows = C.flags.aligned and row >= 0 and number == C.itemsize
    if has_plain_rows and (len(lead) < 2 or C.flags.c_contiguous):
        return A, B, C if len(lead) == 1 else C.reshape(count, m, n)
    return A, B, np.empty((count, m, n), C.dtype)


def _tropical(A, B, C, index, semiring: Semiring, n_threads: int | None) -> None:
    """Fill C and index, of shape (..., m, n)."""
    if is_exact(A):
        _exact(A, B, C, index, semiring)
        return
    A3, B3, C3 = _batches(A, B, C)
    index3 = None if index is None else index.reshape(C3.shape)
    batch, m, n = C3.shape
    sign, may_have_nan = semiring.sign, []

    def some_rows(part: slice) -> None:
        some = None if index3 is None else index3[:, part]
        may_have_nan.append(_core.matmul(A3[:, part], B3, C3[:, part], sign, False, some))

    def some_products(part: slice) -> None:
        some = None if index3 is None else index3[part]
        may_have_nan.append(_core.matmul(A3[part], B3[part], C3[part], sign, False, some))

    if batch == 1:
        # 64 rows alone would not have B packed (_matrices.pxi).
        run_in_slices(some_rows, m, B3.shape[1] * n, n_threads, unit=128)
    else:
        run_in_slices(some_products, batch, m * B3.shape[1] * n, n_threads)
    if any(may_have_nan):
        spoiled = np.isnan(A3).any(axis=2)[:, :, None] | np.isnan(B3).any(axis=1)[:, None]
        C3[spoiled] = np.nan
        if index3 is not None:
            index3[spoiled] = -1
    if not np.may_share_memory(C3, C):
        C[...] = C3.reshape(C.shape)


def _exact(A, B, C, index, semiring: Semiring) -> None:
    """One row of A at a time."""
    C[...] = semiring.zero
    index = np.empty(C.shape, np.int64) if index is None else index
    index[...] = -1
    for i in range(A.shape[-2] if A.shape[-1] else 0):
        terms = semiring.mul(A[..., i, :, None], B)
        best = np.argmax(terms, axis=-2) if semiring.sign > 0 else np.argmin(terms, axis=-2)
        C[..., i, :] = np.take_along_axis(terms, best[..., None, :], axis=-2)[..., 0, :]
        nothing = (C[..., i, :] == semiring.zero) | (C[..., i, :] != C[..., i, :])
        index[..., i, :] = np.where(nothing, -1, best)


def _soft(A, B, C, semiring: Semiring, n_threads: int | None) -> None:
    """Fill C, of shape (..., m, n)."""
    if not A.shape[-1] or not C.size:
        C[...] = semiring.zero
        return
    sign, eps = semiring.sign, semiring.eps
    least, most = EPS_RANGE[A.dtype]
    if not least < eps < most:
        _term_by_term(A, B, C, semiring)
        return
    A3, B3, C3 = _batches(A, B, C)
    (batch, m, n), k = C3.shape, B3.shape[1]
    if batch == 1 and m > 1 and n > 1:
        prepared = np.empty(_core.log_prepared_size(k, n), A.dtype)
        _core.log_prepare(B3[0], sign, eps, prepared)
        cost = (k + 20) * n  # an exponential is some 20 multiply-adds
        run_in_slices(
            lambda part: _core.log_matmul(A3[:, part], B3, C3[:, part], sign, eps, prepared),
            m, cost, n_threads,
        )  # fmt: skip
    elif batch == 1 and n == 1:
        run_in_slices(
            lambda part: _core.log_matmul(A3[:, part], B3, C3[:, part], sign, eps), m, 20 * k, n_threads
        )
    elif batch == 1:
        run_in_slices(
            lambda part: _core.log_matmul(A3, B3[:, :, part], C3[:, :, part], sign, eps), n, 20 * k, n_threads
        )
    else:
        cost = m * k * n + 20 * (m * k + k * n + m * n)
        run_in_slices(
            lambda part: _core.log_matmul(A3[part], B3[part], C3[part], sign, eps), batch, cost, n_threads
        )
    if not np.may_share_memory(C3, C):
        C[...] = C3.reshape(C.shape)


def _term_by_term(A, B, C, semiring: Semiring) -> None:
    """Log-sum-exp of the terms of each entry, for temperatures out of the range of the kernels."""
    (m, k), n = A.shape[-2:], B.shape[-1]
    step = max(1, _CHUNK // (k * n))
    for start in range(0, m, step):
        some = slice(start, start + step)
        terms = semiring.mul(A[..., some, None, :], np.swapaxes(B, -1, -2)[..., None, :, :])
        C[..., some, :] = semiring.sum(terms)

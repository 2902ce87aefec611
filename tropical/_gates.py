"""Semiring sums of whole arrays at ε > 0, number by number, by the compiled gate."""

from collections.abc import Sequence

import numpy as np

from tropical import _core
from tropical._threads import run_in_slices

__all__ = ["fill_gate"]

_WIDE = 64  # numbers in a row from which rows are taken one by one: the kernel takes as many at a time


def fill_gate(
    arrays: Sequence[np.ndarray], out: np.ndarray, sign: int, eps: float, n_threads: int | None
) -> None:
    """Fill `out` with the ⊕ of float arrays of its shape and dtype, of any strides."""
    if not out.size:
        return
    columns = out.shape[-1] if out.ndim else 1
    branches = [_in_rows(a, columns) for a in arrays]
    result = np.ascontiguousarray(out).reshape(-1, columns)
    if all(b.shape == result.shape and b.flags.c_contiguous for b in branches):
        branches, flat = [b.reshape(1, -1) for b in branches], result.reshape(1, -1)
        run_in_slices(
            lambda part: _core.gate([b[:, part] for b in branches], flat[:, part], sign, eps),
            out.size, 8 * len(branches), n_threads,
        )  # fmt: skip
    else:
        run_in_slices(
            lambda part: _core.gate([b[part] if len(b) > 1 else b for b in branches], result[part], sign, eps),
            len(result), 8 * len(branches) * columns, n_threads,
        )  # fmt: skip
    if not out.flags.c_contiguous:
        out[...] = result.reshape(out.shape)


def _in_rows(a: np.ndarray, columns: int) -> np.ndarray:
    """The array as rows of contiguous numbers, without a copy where they are long; one row if all are the same."""
    if columns >= _WIDE and a.strides[-1] == a.itemsize:
        if all(step == 0 or n == 1 for step, n in zip(a.strides[:-1], a.shape[:-1], strict=True)):
            return a[(0,) * (a.ndim - 1)].reshape(1, columns)
        if a.ndim == 2:
            return a
    return np.ascontiguousarray(a).reshape(-1, columns)

"""Dask arrays, lazily: the work on blocks of them, and what puts blocks together again.

Blocks are computed by the functions for NumPy arrays, each by one thread, since it is dask that runs them side by side.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial, reduce
from itertools import accumulate
from operator import itemgetter

import numpy as np

from tropical._arrays import EXACT, as_array, common_dtype, points_error
from tropical.errors import InputError
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["along_axes", "at_points", "is_dask", "legendre", "product", "refuse_out"]

_TOGETHER = 8  # blocks that one task adds


def is_dask(x) -> bool:
    """Whether x is a dask array, without importing dask."""
    return "dask.array" in sys.modules and type(x).__module__.startswith("dask.array")


def at_points(
    function: Callable,
    x,
    variables: int,
    dtype: np.dtype,
    tails: Sequence[tuple[int, ...]],
    kinds: dict[int, np.dtype] | None = None,
):
    """The arrays that function(x) gives at points of shape (..., variables), one for each of `tails`, in a tuple.

    Array k has shape (..., *tails[k]) and the dtype of points and function together, or kinds[k]. A function of one
    tail returns an array, one of several a tuple.
    """
    import dask.array as da

    if x.ndim == 0 or x.shape[-1] != variables:
        raise points_error(x.shape, variables)
    dtype = common_dtype(_dtype("x", x, dtype), dtype)
    names = [[f"a{k}{i}" for i in range(len(tail))] for k, tail in enumerate(tails)]
    signature = "(i)->" + ",".join(f"({','.join(axes)})" for axes in names)
    sizes = {a: n for axes, tail in zip(names, tails, strict=True) for a, n in zip(axes, tail, strict=True)}
    dtypes = [(kinds or {}).get(k, dtype) for k in range(len(tails))]
    several = len(tails) > 1
    found = da.apply_gufunc(
        function, signature, x.rechunk({x.ndim - 1: -1}), output_sizes=sizes,
        output_dtypes=dtypes if several else dtypes[0],
    )  # fmt: skip
    return tuple(found) if several else (found,)


def product(A, B, rows: bool, columns: bool, semiring: Semiring, return_argmax: bool, of_blocks: Callable):
    """A ⊗ B of shapes (..., m, k) and (..., k, n), one of them a dask array, from the products of blocks.

    Each chunk of k gives a product, and these are added: exactly at ε = 0.
    """
    import dask.array as da

    A, B = da.asarray(A), da.asarray(B)
    dtype = common_dtype(_dtype("A", A), _dtype("B", B))
    ndim = max(A.ndim, B.ndim)
    *lead, i, j, k = range(ndim + 1)
    left, right, both = (*lead, i, k), (*lead, k, j), (*lead, i, j)
    A = A[(None,) * (ndim - A.ndim)]
    B = B[(None,) * (ndim - B.ndim)]
    B = B.rechunk({ndim - 2: A.chunks[-1]})
    kind = {"dtype": dtype, "meta": np.empty((0,) * ndim, dtype)}
    parts = []
    for start, stop in _edges(A.chunks[-1]):
        run = partial(_numbered, of_blocks, start) if return_argmax else of_blocks
        a, b = A[..., start:stop], B[..., start:stop, :]
        parts.append(da.blockwise(run, both, a, left, b, right, concatenate=True, **kind))
    found = _put_together(parts, semiring, return_argmax)
    found = tuple(C if rows else C[..., 0, :] for C in found)
    found = tuple(C if columns else C[..., 0] for C in found)
    return found if return_argmax else found[0]


def legendre(f, axis: int, x: np.ndarray, slopes: int, exact: bool, return_argmax: bool, of_block: Callable):
    """f* along an axis, at so many slopes: the maximum of those of the chunks of f, each with its nodes."""
    import dask.array as da

    dtype = EXACT if exact else _dtype("f", f)
    kind = {"dtype": dtype, "meta": np.empty((0,) * f.ndim, dtype)}
    chunks = (*f.chunks[:axis], (slopes,), *f.chunks[axis + 1 :])
    parts = []
    for start, stop in _edges(f.chunks[axis]):
        run = partial(of_block, x=x[start:stop])
        run = partial(_numbered, run, start) if return_argmax else run
        some = f[(slice(None),) * axis + (slice(start, stop),)]
        parts.append(da.map_blocks(run, some, chunks=chunks, **kind))
    found = _put_together(parts, MAX_PLUS, return_argmax)
    return found if return_argmax else found[0]


def along_axes(f, axes: Sequence[int], steps: Sequence[Callable], exact: bool = False):
    """f after steps[i] along axes[i], one after the other; whole lines of an axis come into one block for it."""
    dtype = EXACT if exact else _dtype("f", f)
    for axis, step in zip(axes, steps, strict=True):
        if f.numblocks[axis] > 1:
            f = f.rechunk({k: -1 if k == axis else "auto" for k in range(f.ndim)})
        f = f.map_blocks(step, dtype=dtype, meta=np.empty((0,) * f.ndim, dtype))
    return f


def refuse_out(*outs: np.ndarray | None) -> None:
    if any(out is not None for out in outs):
        raise InputError(
            "out is given, and the input is a dask array; leave out away and use dask.array.store"
        )


def _dtype(name: str, x, default: np.dtype | None = None) -> np.dtype:
    """What a block will be converted to."""
    sample = np.empty(0, x.dtype)
    return (as_array(name, sample) if default is None else as_array(name, sample, default=default)).dtype


def _edges(chunks: tuple[int, ...]) -> list[tuple[int, int]]:
    stops = list(accumulate(chunks))
    return list(zip([0, *stops], stops, strict=False))


def _numbered(run: Callable, start: int, *blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values, and where they are attained in the whole."""
    values, places = run(*blocks)
    return values, places + start * (places >= 0)


def _put_together(parts: list, semiring: Semiring, with_places: bool) -> tuple:
    """The ⊕ of arrays of equal chunks, with the places that attain it where blocks are pairs."""
    import dask.array as da

    add = partial(_best, semiring.sign) if with_places else partial(_sum, semiring)
    meta = parts[0]._meta
    while len(parts) > 1:
        groups = [parts[k : k + _TOGETHER] for k in range(0, len(parts), _TOGETHER)]
        parts = [da.map_blocks(add, *group, dtype=meta.dtype, meta=meta) for group in groups]
    if not with_places:
        return (parts[0],)
    metas = meta, meta.astype(np.int64)
    return tuple(da.map_blocks(itemgetter(k), parts[0], dtype=m.dtype, meta=m) for k, m in enumerate(metas))


def _sum(semiring: Semiring, *blocks: np.ndarray) -> np.ndarray:
    return np.asarray(semiring.add(*blocks, n_threads=1))


def _best(sign: int, *pairs: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The better of each, the first of equal ones; NaN spoils, and has no place."""
    return reduce(partial(_better, sign), pairs)


def _better(sign: int, a, b):
    (u, i), (v, j) = a, b
    values = np.asarray(Semiring(sign).add(u, v))
    first = (u == values) & (i >= 0)
    places = np.where(first, i, j)
    return values, np.where(values == values, places, -1)

"""Sparse matrices of floats or Fractions, for circuits of convolutions and pools.

Floats are multiplied by SciPy, which has no exact entries; Fractions by NumPy's sums over segments.
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from tropical import _core
from tropical._arrays import EXACT, as_array, convert, frozen
from tropical.errors import InputError, ShapeError

__all__ = ["SparseMatrix", "Weights", "as_weights", "cast", "numbers", "private", "split"]


def _places(name: str, value: ArrayLike) -> np.ndarray:
    """Whole numbers, of which there may be none."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu" and array.size:
        raise InputError(f"{name} have dtype {array.dtype}; pass integers")
    return array.astype(np.int64)


class SparseMatrix:
    """A matrix by its nonzero entries, row by row: immutable, of float32, float64 or Fractions.

    ``W @ x`` and ``x @ W`` are those of NumPy with dense x. ``np.asarray(W)`` is the dense matrix.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    rows, columns : (n,) arrays of int
        Where the entries stand, in any order.
    data : (n,) array
        The entries; those at one place are added, zeros are dropped.

    Notes
    -----
    A product costs one multiplication an entry and a point. The transpose is built once and kept.

    Examples
    --------
    >>> W = SparseMatrix((2, 3), [0, 1, 1], [2, 0, 2], [5.0, 1.0, -1.0])
    >>> W @ np.array([1.0, 2.0, 3.0])
    array([15., -2.])
    >>> W.size, np.asarray(W.T).shape
    (3, (3, 2))
    """

    __array_ufunc__ = None  # so that x @ W comes here
    ndim = 2

    def __init__(self, shape: tuple[int, int], rows: ArrayLike, columns: ArrayLike, data: ArrayLike):
        rows, columns = (_places(name, v) for name, v in (("rows", rows), ("columns", columns)))
        data = as_array("data", data)
        if not rows.shape == columns.shape == data.shape or data.ndim != 1:
            raise ShapeError(
                f"rows, columns and data have shapes {rows.shape}, {columns.shape}, {data.shape}; "
                "pass three vectors of one length"
            )
        if min(shape) < 0 or shape[0] * shape[1] > sys.maxsize:
            raise ShapeError(f"the shape is {shape}; pass two lengths whose product is below 2⁶³")
        for name, places, length in (("rows", rows, shape[0]), ("columns", columns, shape[1])):
            if places.size and not 0 <= places.min() <= places.max() < length:
                raise InputError(
                    f"{name} run from {places.min()} to {places.max()}; 0 to {length - 1} exist in {shape}"
                )
        rows, columns, data = _merged(rows * shape[1] + columns, shape[1], data)
        counts = np.bincount(rows, minlength=shape[0])
        self._set(shape, data, columns, np.concatenate([[0], np.cumsum(counts)]))

    def __reduce__(self):
        return SparseMatrix._of, (
            self.shape,
            self.data,
            self.columns,
            self.offsets,
        )  # not what was compiled of them

    def _set(self, shape, data, columns, offsets) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        self.data, self.columns, self.offsets = map(frozen, (data, columns, offsets))

    @classmethod
    def _of(cls, shape, data, columns, offsets) -> "SparseMatrix":
        """From arrays that are in order already."""
        matrix = cls.__new__(cls)
        matrix._set(shape, data, columns, offsets)
        return matrix

    @classmethod
    def selection(cls, index: ArrayLike, columns: int, dtype: np.dtype | type = float) -> "SparseMatrix":
        """The matrix with ``(S @ x)[i] = x[index[i]]``."""
        index = np.asarray(index, dtype=np.int64)
        ones = convert(np.ones(len(index)), np.dtype(dtype))
        return cls((len(index), columns), np.arange(len(index)), index, ones)

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def size(self) -> int:
        """How many entries are stored."""
        return self.data.size

    @cached_property
    def rows(self) -> np.ndarray:
        """The row of every entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.offsets))

    @cached_property
    def T(self) -> "SparseMatrix":
        """The transpose."""
        order = np.argsort(self.columns, kind="stable")
        counts = np.bincount(self.columns, minlength=self.shape[1])
        offsets = np.concatenate([[0], np.cumsum(counts)])
        transpose = SparseMatrix._of(self.shape[::-1], self.data[order], self.rows[order], offsets)
        transpose.__dict__["T"] = self
        return transpose

    def __len__(self) -> int:
        return self.shape[0]

    def row(self, i: int) -> Iterator[tuple[int, Real]]:
        """(column, entry) of one row."""
        part = slice(self.offsets[i], self.offsets[i + 1])
        return zip(self.columns[part].tolist(), self.data[part], strict=True)

    def entries(self) -> Iterator[tuple[int, int, Real]]:
        """(row, column, entry) of all entries."""
        return zip(self.rows.tolist(), self.columns.tolist(), self.data, strict=True)

    def with_data(self, data: np.ndarray) -> "SparseMatrix":
        """Other numbers, none of them zero, at the same places."""
        return SparseMatrix._of(self.shape, data, self.columns, self.offsets)

    def astype(self, dtype: np.dtype | type) -> "SparseMatrix":
        """Entries of another type; to exact without rounding."""
        if self.dtype == dtype:
            return self
        return self.with_data(convert(self.data, np.dtype(dtype)))

    def where(self, keep: np.ndarray) -> "SparseMatrix":
        """Those entries for which `keep` is true."""
        offsets = np.concatenate([[0], np.cumsum(keep)])[self.offsets]
        return SparseMatrix._of(self.shape, self.data[keep], self.columns[keep], offsets)

    @cached_property
    def _scipy(self) -> sparse.csr_array:
        return sparse.csr_array((self.data, self.columns, self.offsets), shape=self.shape)

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        """W @ x for x of shape (columns,) or (columns, k)."""
        x = np.asarray(x)
        return self.__rmatmul__(x.T, self).T

    def __rmatmul__(self, x: np.ndarray, transpose: "SparseMatrix | None" = None) -> np.ndarray:
        """x @ W for x of shape (..., rows)."""
        x = np.asarray(x)
        transpose = self.T if transpose is None else transpose  # row j of it sums up output j
        if x.ndim == 0 or x.shape[-1] != transpose.shape[1]:
            raise ShapeError(f"a matrix of shape {self.shape} does not fit an array of shape {x.shape}")
        if EXACT in (x.dtype, self.dtype):
            return transpose._exact_times(convert(x, EXACT))
        flat = x.reshape(-1, x.shape[-1])
        if len(flat) > 1 and 2 * np.count_nonzero(used := flat.any(axis=0)) < len(used):
            # Adjoints behind rectifiers and pools: most rows of W meet zeros alone.
            rows = np.flatnonzero(used)
            (product,) = transpose.T.pulled(rows, flat[:, rows].T, 1)
        else:
            product = transpose._scipy @ (flat[0] if len(flat) == 1 else flat.T)
        return np.ascontiguousarray(product.T).reshape(*x.shape[:-1], transpose.shape[0])

    def pulled(self, at: np.ndarray, slopes: np.ndarray, points: int) -> np.ndarray:
        """Σ_r W[i_r, j] slopes[r] over the r with at[r] = p · rows + i_r, (points, columns, m) for slopes (n, m).

        Only rows of W that are named in `at` are read. Over floats.
        """
        dtype = np.result_type(self.data, slopes)
        total = np.zeros((points, self.shape[1], slopes.shape[1]), dtype)
        self.astype(dtype)._packed.pull(at, np.ascontiguousarray(slopes, dtype), total)
        return total

    @cached_property
    def _packed(self) -> _core.SparseRows:
        places = self._scipy.indices.astype(np.int32, copy=False)  # read by products the other way as well
        return _core.SparseRows(self.offsets, places, self.data, self.shape[1])

    def _exact_times(self, x: np.ndarray) -> np.ndarray:
        """Σ_k W[j, k] x[..., k], one segment of products a row."""
        total = np.full((*x.shape[:-1], self.shape[0]), Fraction(0), dtype=object)
        filled = self.offsets[:-1] < self.offsets[1:]
        if filled.any():
            products = x[..., self.columns] * convert(self.data, EXACT)
            total[..., filled] = np.add.reduceat(products, self.offsets[:-1][filled], axis=-1)
        return total

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        dense = convert(np.zeros(self.shape), self.dtype)
        dense[self.rows, self.columns] = self.data
        return dense if dtype is None else dense.astype(dtype)

    def __repr__(self) -> str:
        kind = "exact" if self.dtype == EXACT else self.dtype.name
        return f"<SparseMatrix {self.shape[0]} × {self.shape[1]}, {self.size:,} entries, {kind}>"


Weights = np.ndarray | SparseMatrix


def _merged(keys: np.ndarray, columns: int, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and entries in order, those at one place added and zeros dropped."""
    if (keys[1:] <= keys[:-1]).any():
        order = np.argsort(keys, kind="stable")
        keys, data = keys[order], data[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        if len(first) < len(keys):
            keys, data = keys[first], np.add.reduceat(data, first)
    kept = data != 0
    if not kept.all():
        keys, data = keys[kept], data[kept]
    return *np.divmod(keys, max(columns, 1)), data


def as_weights(name: str, value) -> Weights:
    """A dense array or a `SparseMatrix`, made from a SciPy one where that is given."""
    if isinstance(value, SparseMatrix):
        return value
    if sparse.issparse(value):
        entries = value.tocoo()
        return SparseMatrix(entries.shape, entries.row, entries.col, entries.data)
    return as_array(name, value)


def numbers(weights: Weights) -> np.ndarray:
    """The numbers that weights store."""
    return weights.data if isinstance(weights, SparseMatrix) else weights


def cast(weights: Weights, dtype: np.dtype) -> Weights:
    """Weights of another type, to exact without rounding."""
    return weights.astype(dtype) if isinstance(weights, SparseMatrix) else convert(weights, dtype)


def private(weights: Weights) -> Weights:
    """Weights that nobody else can change."""
    return weights if isinstance(weights, SparseMatrix) else frozen(weights)


def split(weights: Weights) -> tuple[Weights, Weights]:
    """W⁺ and W⁻, both ≥ 0, with W = W⁺ − W⁻."""
    if isinstance(weights, SparseMatrix):
        negative = weights.where(weights.data < 0)
        return weights.where(weights.data > 0), negative.with_data(-negative.data)
    return np.where(weights > 0, weights, weights * 0), np.where(weights < 0, -weights, weights * 0)

"""Rational points as integer points, and exact sides of hyperplanes behind a float filter.

Each column of a rational matrix is scaled by its own common denominator and moved so that its range straddles 0;
both keep incidences and order. Integers are int64 where every determinant of D + 1 points fits, Python integers
elsewhere. Floats are dyadic rationals, so all of this is exact for them as well.
"""

import math
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np

from tropical._arrays import is_exact

__all__ = ["IntegerPoints", "Planes", "as_floats", "content", "normals", "pivot_columns"]

_UNIT = 2.0**-53
_BLOCK = 1 << 17  # entries of a block of sides, which stays in cache

# Infinity minus infinity decides nothing, and the integers do.
_may_overflow = np.errstate(over="ignore", invalid="ignore")


class IntegerPoints:
    """Points X with rational coordinates (N, D) as integers: X = (integers + centre) / scale, by columns.

    X are floats, Fractions, Python integers, or int64 below 2^60. Floats whose integers would be long are made into
    them row by row, where they are asked for.

    Attributes
    ----------
    floats : (N, D) float64, the integers within one rounding
    scale, centre : lists of D Fractions and integers
    """

    def __init__(self, points: np.ndarray):
        self.scale, self.centre, self._columns, self._bits = [], [], [], []
        for k in range(points.shape[1]):
            self._append(points[:, k])
        self.floats = np.empty(points.shape)
        for k, column in enumerate(self._columns):
            self.floats[:, k] = as_floats(column)

    def _append(self, column: np.ndarray) -> None:
        column, scale = _integer_column(column)
        low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
        self.scale.append(scale)
        self.centre.append((low + high) // 2)
        self._columns.append(column - self.centre[-1])
        self._bits.append((high - low + 1).bit_length() + 1)

    def __len__(self) -> int:
        return len(self.floats)

    @property
    def width(self) -> int:
        """D, the number of coordinates."""
        return len(self._columns)

    @property
    def dtype(self) -> np.dtype:
        """int64 where a determinant of D + 1 points fits, else object for Python integers."""
        bits = sum(self._bits) + 1 + math.lgamma(self.width + 1) / math.log(2)
        return np.dtype(np.int64 if bits < 62 else object)

    @cached_property
    def integers(self) -> np.ndarray:
        """All of them, (N, D)."""
        return self.rows(np.arange(len(self)))

    def rows(self, index: np.ndarray) -> np.ndarray:
        """The integers of some points, of shape (*index.shape, D)."""
        out = np.empty((*np.shape(index), self.width), self.dtype)
        for k, column in enumerate(self._columns):
            out[..., k] = np.asarray(column[index]).astype(out.dtype)  # else one integer would stay NumPy's
        return out

    def take(self, index: np.ndarray) -> "IntegerPoints":
        """Some of the points, on the same scale."""
        return self._with([column[index] for column in self._columns], self.floats[index])

    def with_column(self, column: np.ndarray) -> "IntegerPoints":
        """With one coordinate more."""
        points = self._with(self._columns, self.floats)
        points._append(column)
        points.floats = np.column_stack([self.floats, as_floats(points._columns[-1])])
        return points

    def _with(self, columns: list[np.ndarray], floats: np.ndarray) -> "IntegerPoints":
        points = object.__new__(IntegerPoints)
        for name in ("scale", "centre", "_bits"):
            setattr(points, name, list(getattr(self, name)))
        points._columns, points.floats = list(columns), floats
        return points


def _integer_column(column: np.ndarray) -> tuple[np.ndarray, Fraction]:
    """Integers and the factor that made them, from Fractions, Python integers or floats; int64 where that is safe."""
    if column.dtype.kind == "i":
        return column, Fraction(1)
    if is_exact(column):
        scale = math.lcm(*(v.denominator for v in column))
        whole = [v.numerator * (scale // v.denominator) for v in column]
        wide = any(abs(v).bit_length() > 60 for v in whole)
        return np.array(whole, dtype=object if wide else np.int64), Fraction(scale)
    mantissa, exponent = np.frexp(column.astype(np.float64))
    mantissa = np.ldexp(mantissa, 53).astype(np.int64)
    zero = mantissa == 0
    if zero.all():
        return mantissa, Fraction(1)
    trailing = np.frexp((mantissa & -mantissa).astype(np.float64))[1] - 1
    mantissa >>= np.where(zero, 0, trailing)
    exponent = exponent.astype(np.int64) - 53 + trailing
    lowest = int(exponent[~zero].min())
    shift = np.where(zero, 0, exponent - lowest)
    width = np.frexp(np.abs(mantissa).astype(np.float64))[1] + shift
    if width.max() > 60:
        mantissa, shift = mantissa.astype(object), shift.astype(object)
    return mantissa << shift, Fraction(2) ** -lowest


def as_floats(integers: np.ndarray) -> np.ndarray:
    """Integers rounded to float64; NaN, which decides nothing, where they are too large."""
    try:
        return integers.astype(np.float64)
    except OverflowError:
        return np.full(integers.shape, np.nan)


def normals(differences: np.ndarray) -> np.ndarray:
    """The generalised cross product of D − 1 vectors in D dimensions, by rows: (F, D − 1, D) → (F, D).

    Its product with a vector is the determinant with that vector as the first row. Division-free, by minors
    of the first rows; 2^D·D products.
    """
    count, rows, D = differences.shape
    minors = {(): np.ones(count, differences.dtype)}
    for r in range(rows):
        row = differences[:, r]
        minors = {
            columns: sum(
                (-1) ** (r + i) * row[:, columns[i]] * minors[columns[:i] + columns[i + 1 :]]
                for i in range(r + 1)
            )
            for columns in combinations(range(D), r + 1)
        }
    everything = tuple(range(D))
    normal = [(-1) ** k * minors[everything[:k] + everything[k + 1 :]] for k in range(D)]
    return np.stack(normal, axis=1)


class Planes:
    """Hyperplanes {x : n·x = c} with integer entries, and the exact side of integer points.

    The float value of n·x − c has D + 1 products of factors rounded once and D sums, so that its error is below
    (2D + 16) 2^−53 (|n|·|x| + |c|); what that leaves undecided is computed in integers.
    """

    def __init__(self, normal: np.ndarray, offset: np.ndarray):
        self.normal, self.offset = normal, offset
        self._normal, self._offset = as_floats(normal), as_floats(offset)
        self._tolerance = (2 * normal.shape[1] + 16) * _UNIT

    def __len__(self) -> int:
        return len(self.offset)

    @classmethod
    def through(cls, points: IntegerPoints, simplices: np.ndarray) -> "Planes":
        """Through D points each; the normal is 0 where they are affinely dependent."""
        corners = points.rows(simplices)
        normal = normals(corners[:, 1:] - corners[:, :1])
        return cls(normal, (normal * corners[:, 0]).sum(axis=1))

    def in_coordinates(self, old: "IntegerPoints", new: "IntegerPoints") -> "Planes":
        """The same planes, given in the integers of `old`, in those of `new`."""
        ratio = [s / t for s, t in zip(old.scale, new.scale, strict=True)]
        normal = [[int(n) * r for n, r in zip(row, ratio, strict=True)] for row in self.normal.tolist()]
        rows = []
        for row, plain, offset in zip(normal, self.normal.tolist(), self.offset.tolist(), strict=True):
            shift = sum(n * m for n, m in zip(plain, old.centre, strict=True))
            moved = sum(n * m for n, m in zip(row, new.centre, strict=True))
            entries = [*row, offset + shift - moved]
            unit = content(entries) or 1
            rows.append([int(v / unit) for v in entries])
        rows = np.array(rows, dtype=object).reshape(len(normal), len(ratio) + 1)
        return Planes(rows[:, :-1], rows[:, -1])

    @property
    def floats(self) -> tuple[np.ndarray, np.ndarray]:
        """Normals and offsets as float64."""
        return self._normal, self._offset

    def replaced(self, keep: np.ndarray, more: "Planes") -> "Planes":
        """Those that `keep` marks, then `more`."""
        planes = object.__new__(Planes)
        for name in ("normal", "offset", "_normal", "_offset"):
            setattr(planes, name, np.concatenate([getattr(self, name)[keep], getattr(more, name)]))
        planes._tolerance = self._tolerance
        return planes

    def turned(self, sign: np.ndarray) -> "Planes":
        """With the normals times ±1."""
        return Planes(self.normal * sign[:, None], self.offset * sign)

    def values(self, points: IntegerPoints, rows: np.ndarray, which: np.ndarray) -> np.ndarray:
        """n·x − c of points[rows[i]] and plane which[i], in integers."""
        return (self.normal[which] * points.rows(rows)).sum(axis=1) - self.offset[which]

    @_may_overflow
    def signs(self, points: IntegerPoints, rows: np.ndarray, which: np.ndarray) -> np.ndarray:
        """The side of points[rows[i]] of plane which[i]: +1 beyond it, 0 on it, −1 before it."""
        x, normal, offset = points.floats[rows], self._normal[which], self._offset[which]
        value = (normal * x).sum(axis=1) - offset
        bound = (np.abs(normal) * np.abs(x)).sum(axis=1) + np.abs(offset)
        signs = np.sign(value)
        unsure = np.flatnonzero(~(np.abs(value) > self._tolerance * bound))
        if len(unsure):
            signs[unsure] = _sign(self.values(points, rows[unsure], which[unsure]))
        return signs.astype(np.int8)

    @_may_overflow
    def all_signs(self, points: IntegerPoints, rows: np.ndarray) -> np.ndarray:
        """The sides of points[rows] of all planes, (len(rows), F) int8."""
        signs = np.empty((len(rows), len(self)), np.int8)
        if not signs.size:
            return signs
        reach = np.abs(points.floats).max(axis=0)  # one bound a plane, for the farthest point
        bound = self._tolerance * (np.abs(self._normal) @ reach + np.abs(self._offset)) * (1 + 2.0**-40)
        step = max(1, _BLOCK // len(self))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            value = points.floats[part] @ self._normal.T
            value -= self._offset
            block = (value > bound).view(np.int8) - (value < -bound).view(np.int8)
            i, f = np.nonzero(block == 0)
            block[i, f] = self.signs(points, part[i], f)
            signs[start : start + step] = block
        return signs


def _sign(integers: np.ndarray) -> np.ndarray:
    return (integers > 0).astype(np.int8) - (integers < 0).astype(np.int8)


def pivot_columns(rows: np.ndarray) -> tuple[list[int], list[int]]:
    """Rows and columns of a largest nonsingular minor of an integer matrix, greedily from the first ones.

    Fraction-free elimination that stops once the rank cannot grow; O(N·D·rank) integer operations.
    """
    left = rows.astype(object)
    taken, columns = [], []
    while len(taken) < min(left.shape):
        where = np.argwhere((left != 0).T)  # the first column that has something left
        if not len(where):
            break
        column, row = map(int, where[0])
        pivot, factor = left[row], left[:, column]
        left = left * pivot[column] - factor[:, None] * pivot[None]
        common = np.gcd.reduce(left, axis=1, initial=0)
        left = left // np.where(common == 0, 1, common)[:, None]
        taken.append(row)
        columns.append(column)
    return taken, sorted(columns)


def content(vector) -> Fraction:
    """The largest rational that divides every entry of a rational vector with integer quotients; 0 for 0."""
    entries = [Fraction(v) for v in vector]
    scale = math.lcm(*(v.denominator for v in entries))
    return Fraction(math.gcd(*(v.numerator * (scale // v.denominator) for v in entries)), scale)

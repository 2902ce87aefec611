"""The affine hull of rational points: coordinates within it, its lattice, and what is constant along it."""

import math
from fractions import Fraction
from functools import cached_property

import numpy as np

from tropical._arrays import EXACT, convert
from tropical._lattice import IntegerPoints, pivot_columns

__all__ = ["AffineHull"]


class AffineHull:
    """The affine hull of the rows of a (N, d) matrix, N ≥ 1, found exactly.

    Attributes
    ----------
    dim : int
    pivots : list of int
        Coordinates that map it one to one onto R^dim.
    directions : (dim, d) array of Fractions
        A basis of its directions that is the identity on the pivots.
    """

    def __init__(self, points: np.ndarray):
        origin, d = points[0], points.shape[1]
        rows, self.pivots = _independent(points)
        self.dim = len(rows)
        self.directions = convert(np.eye(d), EXACT)
        self.origin = convert(origin, EXACT)
        if self.dim < d:
            spanning = convert(points[rows], EXACT) - self.origin
            self.directions = _reduced(spanning, self.pivots)

    @cached_property
    def density(self) -> Fraction:
        """The lattice volume, for which a cell of Z^d in the hull has volume 1, per volume in the pivots.

        Integer directions are the v·R, R = (1 | C), with v and v·C integer; the index of these v in all integer v is
        that of Z^m in the lattice which C's rows and Z^m span, m = d − dim.
        """
        free = [k for k in range(self.directions.shape[1]) if k not in self.pivots]
        C = self.directions[:, free]
        q = math.lcm(*(v.denominator for v in C.flat))
        rows = [[int(v * q) for v in row] for row in C.tolist()]
        unit = [[q if i == k else 0 for i in range(len(free))] for k in range(len(free))]
        return Fraction(_lattice_determinant(rows + unit), q ** len(free))

    @property
    def lineality(self) -> np.ndarray:
        """A basis of the orthogonal complement of the directions, (d − dim, d) Fractions."""
        d = self.directions.shape[1]
        free = [k for k in range(d) if k not in self.pivots]
        basis = convert(np.eye(d)[free].reshape(len(free), d), EXACT)
        basis[:, self.pivots] = -self.directions[:, free].T
        return basis

    def lifted(self, x: np.ndarray) -> np.ndarray:
        """Points of R^d from values along the directions: `x` at the pivots, 0 elsewhere."""
        out = convert(np.zeros((len(x), self.directions.shape[1])), x.dtype)
        out[:, self.pivots] = x
        return out


def _independent(points: np.ndarray) -> tuple[list[int], list[int]]:
    """Rows that, with the first one, span the affine hull, and coordinates that tell its points apart."""
    d = points.shape[1]
    if len(points) > 4 * d + 4:  # most often a few far ones do
        order = [
            *points.argmin(axis=0),
            *points.argmax(axis=0),
            *np.linspace(0, len(points) - 1, 2 * d, dtype=int),
        ]
        some = np.unique([0, *order])
        rows, columns = _pivots(points[some])
        if len(columns) == d:
            return some[rows].tolist(), columns
    return _pivots(points)


def _pivots(points: np.ndarray) -> tuple[list[int], list[int]]:
    X = IntegerPoints(points).integers
    return pivot_columns(X - X[:1])


def _reduced(rows: np.ndarray, pivots: list[int]) -> np.ndarray:
    """Row echelon form in Fractions with the identity on the pivots, which are nonsingular."""
    rows = rows.copy()
    for k, column in enumerate(pivots):
        swap = k + next(i for i, v in enumerate(rows[k:, column]) if v != 0)
        rows[[k, swap]] = rows[[swap, k]]
        rows[k] = rows[k] / rows[k, column]
        for i in range(len(rows)):
            if i != k:
                rows[i] = rows[i] - rows[i, column] * rows[k]
    return rows


def _lattice_determinant(rows: list[list[int]]) -> int:
    """Of the lattice of full rank that integer rows span, by Euclid's algorithm on each column."""
    determinant = 1
    for column in range(len(rows[0]) if rows else 0):
        while True:
            used = [row for row in rows if row[column]]
            pivot = min(used, key=lambda row: abs(row[column]))
            if len(used) == 1:
                break
            for row in used:
                if row is not pivot:
                    factor = row[column] // pivot[column]
                    row[:] = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        determinant *= abs(pivot[column])
        rows = [row for row in rows if row is not pivot]
    return determinant

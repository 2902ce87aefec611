"""The affine hull of rational points: coordinates within it, its lattice, and what is constant along it."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np

from tropical._arrays import EXACT, convert
from tropical._lattice import IntegerPoints, content, pivot_columns

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
    density : Fraction
        Its lattice volume, for which a cell of Z^d has volume 1, per volume in the pivots.
    """

    def __init__(self, points: np.ndarray):
        origin, d = points[0], points.shape[1]
        rows, self.pivots = _independent(points)
        self.dim = len(rows)
        self.directions = convert(np.eye(d), EXACT)
        self.density = Fraction(1)
        self.origin = convert(origin, EXACT)
        if self.dim < d:
            spanning = convert(points[rows], EXACT) - self.origin
            self.directions = _reduced(spanning, self.pivots)
            self.density = content(
                _determinant(self.directions[:, list(columns)])
                for columns in combinations(range(d), self.dim)
            )

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


def _determinant(matrix: np.ndarray) -> Fraction:
    n = len(matrix)
    matrix, sign = matrix.copy(), 1
    for k in range(n):
        swap = next((i for i in range(k, n) if matrix[i, k] != 0), None)
        if swap is None:
            return Fraction(0)
        if swap != k:
            matrix[[k, swap]] = matrix[[swap, k]]
            sign = -sign
        for i in range(k + 1, n):
            matrix[i] = matrix[i] - matrix[i, k] / matrix[k, k] * matrix[k]
    return math.prod(matrix.diagonal(), start=Fraction(sign))

"""−log det on symmetric matrices, whose conjugate is −n − log det(−Y).

S. Boyd, L. Vandenberghe, Convex Optimization, 2004, example 3.23.
"""

from dataclasses import dataclass

import numpy as np

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.domains import Sublevel
from tropical.errors import InputError

__all__ = ["LogDet"]


@dataclass(frozen=True, eq=False)
class LogDet(ConvexFunction):
    """f(X) = −log det X for symmetric positive definite X (n, n), +∞ for others.

    Points are matrices written as vectors of n² entries, ``X.reshape(..., n * n)``, so that ⟨X, Y⟩ = tr XY.

    >>> f = LogDet(2)
    >>> float(f.conjugate()(-np.eye(2).ravel()))
    -2.0
    """

    size: int
    method = "known pair"

    def __post_init__(self):
        if self.size < 1:
            raise InputError(f"size is {self.size}; pass n >= 1 for matrices (n, n)")

    @property
    def variables(self) -> int:
        return self.size**2

    @property
    def domain(self):
        return Sublevel(self)

    def conjugate(self) -> ConvexFunction:
        return self.dilate(-1.0) + -float(self.size)

    def _matrices(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As matrices, and which of them are symmetric and positive definite."""
        X = y.reshape(len(y), self.size, self.size)
        inside = (X.transpose(0, 2, 1) == X).all(axis=(1, 2))
        for k in np.flatnonzero(inside):
            try:
                np.linalg.cholesky(X[k])
            except np.linalg.LinAlgError:
                inside[k] = False
        return X, inside

    def _values(self, y: np.ndarray) -> np.ndarray:
        X, inside = self._matrices(y)
        out = np.full(len(y), np.inf)
        out[inside] = -np.linalg.slogdet(X[inside])[1]
        return out

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        X, inside = self._matrices(y)
        out = np.full(y.shape, np.nan)
        inverse = np.linalg.inv(X[inside])
        out[inside] = -((inverse + inverse.transpose(0, 2, 1)) / 2).reshape(-1, self.variables)
        return out

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """By eigenvalues: p = (x + √(x² + 4λ))/2 for each."""
        X = x.reshape(len(x), self.size, self.size)
        values, vectors = np.linalg.eigh((X + X.transpose(0, 2, 1)) / 2)
        moved = (values + np.sqrt(values**2 + 4 * lam)) / 2
        P = (vectors * moved[:, None, :]) @ vectors.transpose(0, 2, 1)
        return ((P + P.transpose(0, 2, 1)) / 2).reshape(x.shape)

    def _anchor(self) -> np.ndarray:
        return np.eye(self.size).ravel()

"""Norms 1, 2 and ∞ of exact vectors and matrices, with square roots and spectra between proved bounds."""

import math
from fractions import Fraction

import numpy as np

from tropical._arrays import to_floats
from tropical.errors import InputError

__all__ = [
    "as_norm", "definite_beyond", "gram_matrix", "matrix_norm", "norm_bounds", "spectral_bound", "square_root",
]  # fmt: skip

Bounds = tuple[Fraction | float, Fraction | float]
Matrix = list[list[Fraction]]


def as_norm(norm) -> float:
    """1, 2 or ∞."""
    if norm not in (1, 2, math.inf):
        raise InputError(f"norm {norm!r}; pass 1, 2 or math.inf")
    return norm


def square_root(square: Fraction) -> tuple[float, float]:
    """Neighbouring floats, or one, around the root of a number ≥ 0."""
    shift = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    low = high = math.ldexp(math.sqrt(square / Fraction(4) ** shift), shift)
    while Fraction(low) ** 2 > square:
        low = math.nextafter(low, 0)
    while Fraction(high) ** 2 < square:
        high = math.nextafter(high, math.inf)
    return low, high


def norm_bounds(vector, norm: float) -> Bounds:
    """Lower and upper bound of the norm of a vector of Fractions, equal for norms 1 and ∞."""
    if norm == 2:
        return square_root(sum((a * a for a in vector), Fraction(0)))
    size = sum if norm == 1 else max
    exact = Fraction(size(map(abs, vector)))
    return exact, exact


def matrix_norm(rows: Matrix, norm: float) -> Bounds:
    """Lower and upper bound of max ‖Jv‖ / ‖v‖ for a matrix of Fractions, one norm on both sides.

    For norm 1 the largest sum over a column, for ∞ over a row, both exact; for 2 the largest singular value: exact up
    to its square root for one row or column, else between a Rayleigh quotient and a number whose difference to JᵀJ
    is positive definite by elimination.
    """
    if norm == math.inf:
        return norm_bounds([sum(map(abs, row)) for row in rows], norm)
    if norm == 1:
        return matrix_norm(list(zip(*rows, strict=True)), math.inf)
    if len(rows) == 1 or len(rows[0]) == 1:
        return norm_bounds([a for row in rows for a in row], norm)
    gram = gram_matrix(rows)
    if not any(map(any, gram)):
        return 0.0, 0.0
    vector = [Fraction(v) for v in np.linalg.eigh(to_floats(np.array(gram, dtype=object)))[1][:, -1].tolist()]
    image = [_dot(row, vector) for row in gram]
    lower = _dot(image, vector) / _dot(vector, vector)
    gap = sum(row[k] for k, row in enumerate(gram)) / 2**46
    while not definite_beyond(gram, lower + gap):
        gap *= 16
    return square_root(lower)[0], square_root(lower + gap)[1]


def gram_matrix(rows: Matrix) -> Matrix:
    """The smaller one of JJᵀ and JᵀJ."""
    if len(rows) > len(rows[0]):
        rows = list(zip(*rows, strict=True))
    return [[_dot(a, b) for b in rows] for a in rows]


def _dot(a, b) -> Fraction:
    return sum((u * v for u, v in zip(a, b, strict=True)), Fraction(0))


def definite_beyond(gram: Matrix, bound: Fraction) -> bool:
    """Whether bound·1 − gram is positive definite: all pivots of its elimination are positive."""
    rows = [[bound * (i == j) - a for j, a in enumerate(row)] for i, row in enumerate(gram)]
    for k, pivot in enumerate(rows):
        if pivot[k] <= 0:
            return False
        for row in rows[k + 1 :]:
            factor = row[k] / pivot[k]
            row[k:] = [a - factor * b for a, b in zip(row[k:], pivot[k:], strict=True)]
    return True


def spectral_bound(W: np.ndarray) -> float:
    """A float that is at least the largest singular value of a matrix of floats, dense or one of SciPy's, by 1e-9.

    With A = WWᵀ or WᵀW of n rows as computed, it is proved by a Cholesky decomposition of U·1 − A that does not break
    down: then λ_max(A) ≤ U + γ_{n+1}/(1 − γ_{n+1}) · tr(U·1 − A). The product is off by γ_k‖W‖²_F at most.

    Source: S. M. Rump, "Verification of positive definiteness", BIT Numerical Mathematics 46 (2006), Theorem 2.3.
    """
    scale = float(abs(W).max()) if W.size else 0.0
    if not scale:
        return 0.0
    scale = 2.0 ** math.frexp(scale)[1]
    W = W / scale
    W = W if W.shape[0] <= W.shape[1] else W.T
    A = W @ W.T
    A = np.asarray(A.todense()) if hasattr(A, "todense") else A
    n, unit = len(A), 2.0**-52
    roundings = (2 * max(W.shape) + n * n + 16) * unit
    top = max(float(np.linalg.eigvalsh(A)[-1]), float(A.diagonal().max()))
    gap = top * 1e-10
    while True:
        bound = top + gap
        try:
            np.linalg.cholesky(bound * np.eye(n) - A)
        except np.linalg.LinAlgError:
            gap *= 16
            continue
        frobenius = float(A.trace()) * (1 + roundings)
        return scale * math.sqrt((bound + roundings * (bound + frobenius)) * (1 + 8 * unit))

"""Linear equations and inequalities over max-plus and min-plus, by residuation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_array, common_dtype, convert, is_exact, refuse_where
from tropical._square import as_entries, as_square, need_tropical
from tropical.closure import star
from tropical.errors import InputError, ShapeError
from tropical.matrix import matmul
from tropical.semiring import MAX_PLUS, MIN_PLUS, Semiring

__all__ = ["fixed_point", "is_solvable", "residual", "solve"]


def residual(A: ArrayLike, B: ArrayLike, semiring: Semiring = MAX_PLUS, side: str = "left") -> np.ndarray:
    """The residual A\\B, the greatest X with A ⊗ X ≤ B; or B/A, the greatest X with X ⊗ A ≤ B.

    Over max-plus (A\\B)_kj = min_i (B_ij − A_ik) and (B/A)_ik = min_j (B_ij − A_kj), so that
    A ⊗ X ≤ B ⇔ X ≤ A\\B (a Galois connection). Over min-plus ≤ and "greatest" turn into ≥ and "least".

    Parameters
    ----------
    A : (..., m, k) array
        Or (..., k, n) for `side="right"`. −∞ for the zero of max-plus, +∞ for min-plus.
    B : (..., m, n) array
        Or a vector, a column on the left, a row on the right. May hold both infinities.
    semiring : Semiring
        With ε = 0.
    side : {"left", "right"}
        A\\B or B/A.

    Returns
    -------
    (..., k, n) array
        Or (..., m, k) for `side="right"`. The top (+∞ for max-plus) where nothing bounds the entry, which is
        where a column of A (a row, for B/A) is all zero.

    Raises
    ------
    InputError
        ε > 0 (a sum ⊕_ε has no greatest solution), NaN, the infinity that is not the zero in A.
    ShapeError
        Lengths that do not fit.

    Notes
    -----
    One product over the mirrored semiring, m k n sums. Floats are rounded once, to nearest, so A ⊗ (A\\B) may
    exceed B by a rounding; Fractions do not.

    References
    ----------
    F. Baccelli et al., Synchronization and Linearity, 1992, section 4.4; T. S. Blyth, M. F. Janowitz,
    Residuation Theory, 1972.

    Examples
    --------
    >>> A, B = np.array([[1, 2], [3, 4]]), np.array([[6, 7], [8, 9]])
    >>> residual(A, B)
    array([[5., 6.],
           [4., 5.]])
    >>> residual(A, B, side="right")
    array([[5., 3.],
           [7., 5.]])
    """
    need_tropical("residuation", semiring, "a sum of exponentials has no greatest solution")
    A, B = as_entries("A", A, semiring), as_array("B", B)
    if side not in ("left", "right"):
        raise InputError(f"side is {side!r}; pass 'left' for A\\B or 'right' for B/A")
    if A.ndim < 2 or B.ndim < 1:
        raise ShapeError(f"A has shape {A.shape} and B {B.shape}; pass a matrix, and a matrix or a vector")
    axis = -2 if side == "left" else -1
    vector = B.ndim == 1
    if A.shape[axis] != B.shape[-1 if vector else axis]:
        raise ShapeError(
            f"A has shape {A.shape} and B {B.shape}; for side={side!r} they need as many "
            f"{'rows' if side == 'left' else 'columns'}"
        )
    refuse_where(np.asarray(B != B), "B", B, "pass numbers or infinities")
    A, B = (semiring.sign * M for M in (A, B[:, None] if vector and side == "left" else np.atleast_2d(B)))
    if side == "right":  # X ⊗ A ≤ B says the same as Aᵀ ⊗ Xᵀ ≤ Bᵀ
        A, B = A.swapaxes(-1, -2), B.swapaxes(-1, -2)
    X = semiring.sign * _left(A, B)
    if vector:
        return X[..., 0]
    return X if side == "left" else X.swapaxes(-1, -2)


def _left(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A\\B over max-plus. −∞ in B, which min-plus does not know, is put in at the end."""
    nothing = -np.inf == B
    top = convert(np.array(np.inf), B.dtype)[()]
    down = -A.swapaxes(-1, -2)
    X = matmul(down, np.where(nothing, top, B), MIN_PLUS)
    if nothing.any():
        blocked = (down < np.inf).astype(np.float32) @ nothing.astype(np.float32) > 0
        X = np.where(blocked, convert(np.array(-np.inf), X.dtype), X)
    return X


def solve(A: ArrayLike, b: ArrayLike, semiring: Semiring = MAX_PLUS, *, check: bool = False) -> np.ndarray:
    """The principal solution x = A\\b of A ⊗ x = b: the greatest x with A ⊗ x ≤ b (least with ≥ for min-plus).

    If A ⊗ x = b has a solution, then this is one, and the greatest. If it has none, x is the greatest
    subsolution; `check=True` raises in that case, and `is_solvable` tells.

    Parameters
    ----------
    A : (m, n) array
    b : (m,) or (m, p) array
        Right-hand sides; the zero is allowed.
    semiring : Semiring
        With ε = 0.
    check : bool
        Whether to raise unless A ⊗ x = b.

    Returns
    -------
    (n,) or (n, p) array
        +∞ (−∞ for min-plus) where a column of A is all zero, so that any value does.

    Raises
    ------
    InputError
        With `check`: the system has no solution; the message names an equation that fails. NaN, the infinity that
        is not the zero, ε > 0.
    ShapeError
        Lengths that do not fit.

    Notes
    -----
    m n p sums. The set of all solutions lies below x, and need not be a single point. The other linear equation,
    x = A ⊗ x ⊕ b, has a least solution, `fixed_point`.

    References
    ----------
    R. A. Cuninghame-Green, Minimax Algebra, 1979, chapter 14; P. Butkovič, Max-linear Systems, 2010, section 3.1.

    Examples
    --------
    >>> A = np.array([[1, 2], [3, 4]])
    >>> solve(A, [6, 8])
    array([5., 4.])
    >>> matmul(A, solve(A, [6, 8])), matmul(A, solve(A, [6, 9]))
    (array([6., 8.]), array([6., 8.]))
    >>> is_solvable(A, [6, 9])
    False
    """
    A, b = _system(A, b, semiring)
    if check:
        _solvable_or_error(A, b, semiring)
    return residual(A, b, semiring)


def is_solvable(A: ArrayLike, b: ArrayLike, semiring: Semiring = MAX_PLUS) -> bool:
    """Whether A ⊗ x = b has a solution, decided exactly for the numbers as given; see `solve`.

    Notes
    -----
    That is so if each equation i with b_i not zero is tight for some k: b_i − A_ik is the least of its column.
    Differences of floats are compared with their rounding errors (Knuth's TwoSum), so no tolerance is needed.

    Examples
    --------
    >>> is_solvable([[0, 1], [1, 0]], [0.1, 0.2]), is_solvable([[0], [1]], [0.1, 0.2])
    (True, False)
    """
    A, b = _system(A, b, semiring)
    return not len(_untight(A, b, semiring))


def fixed_point(A: ArrayLike, b: ArrayLike, semiring: Semiring = MAX_PLUS) -> np.ndarray:
    """The least solution x = A* ⊗ b of x = A ⊗ x ⊕ b (greatest for min-plus); the best paths that end in b.

    At ε > 0 the solution ε log ((I − e^{A/ε})⁻¹ e^{b/ε}), the only one that is the limit of its iterates from the
    zero.

    Parameters
    ----------
    A : (n, n) array
    b : (n,) or (n, p) array
    semiring : Semiring

    Raises
    ------
    DivergenceError
        The closure of A diverges; see `plus`.

    Notes
    -----
    n³ sums for the closure. Bellman's equation of shortest paths (min-plus) and of critical paths (max-plus).

    Examples
    --------
    >>> inf = np.inf
    >>> fixed_point([[inf, 1, 5], [inf, inf, 1], [inf, inf, inf]], [inf, inf, 0], Semiring(sign=-1))
    array([2., 1., 0.])
    """
    A, b = as_square(A, semiring), as_entries("b", b, semiring)
    if b.ndim not in (1, 2) or len(b) != len(A):
        raise ShapeError(
            f"A has shape {A.shape} and b {b.shape}; pass b of shape ({len(A)},) or ({len(A)}, p)"
        )
    return matmul(star(A, semiring), b, semiring)


def _system(A: ArrayLike, b: ArrayLike, semiring: Semiring) -> tuple[np.ndarray, np.ndarray]:
    need_tropical("a linear system", semiring, "deform(0) has it, and `fixed_point` solves x = A ⊗ x ⊕ b")
    A, b = as_entries("A", A, semiring), as_entries("b", b, semiring)
    if A.ndim != 2 or b.ndim not in (1, 2) or len(b) != len(A):
        raise ShapeError(f"A has shape {A.shape} and b {b.shape}; pass A (m, n) and b (m,) or (m, p)")
    dtype = common_dtype(A.dtype, b.dtype)
    return convert(A, dtype), convert(b, dtype)


def _solvable_or_error(A: np.ndarray, b: np.ndarray, semiring: Semiring) -> None:
    missed = _untight(A, b, semiring)
    if len(missed):
        index = tuple(missed[0].tolist())
        reached = matmul(A, residual(A, b, semiring), semiring)[index]
        raise InputError(
            f"A ⊗ x = b has no solution: b{list(index)} is {b[index]}, and {reached} is the nearest that A ⊗ x "
            "reaches; leave check=True out for the principal subsolution"
        )


def _untight(A: np.ndarray, b: np.ndarray, semiring: Semiring) -> np.ndarray:
    """Indices of the b that A ⊗ (A\\b) does not reach."""
    A, b = semiring.sign * A, semiring.sign * b
    missed = np.zeros(b.shape, dtype=bool)
    for column in np.ndindex(b.shape[1:]):
        right = b[:, *column]
        missed[:, *column] = (right > -np.inf) & ~_tight(A, right).any(axis=1)
    return np.argwhere(missed)


def _tight(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where b_i − A_ik is finite and the least of its column, exactly."""
    arcs = (-np.inf < A) & (b > -np.inf)[:, None]
    # A column is blocked by an equation that asks for the zero.
    arcs &= ~((-np.inf < A) & (b == -np.inf)[:, None]).any(axis=0)
    if not is_exact(A):
        with np.errstate(all="ignore"):
            high, low = _difference(b.astype(np.float64)[:, None], A.astype(np.float64))
        if np.isfinite(high[arcs]).all():
            # high is monotone in the exact difference, and low decides among equals.
            least = np.where(arcs, high, np.inf).min(axis=0, initial=np.inf)
            tight = arcs & (high == least)
            return tight & (low == np.where(tight, low, np.inf).min(axis=0, initial=np.inf))
        A, b = convert(A, EXACT), convert(b, EXACT)
    D = np.full(A.shape, np.inf, dtype=object)
    rows, columns = np.nonzero(arcs)
    D[rows, columns] = [Fraction(b[i]) - A[i, k] for i, k in zip(rows, columns, strict=True)]
    return arcs & (D.min(axis=0, initial=np.inf) == D)


def _difference(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a − b = high + low exactly, high rounded to nearest."""
    high = a - b
    back = high - a
    return high, (a - (high - back)) - (b + back)

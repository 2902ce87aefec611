"""Closures of a square matrix over a semiring: the best path between each two nodes, or the sum over all paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core
from tropical._arrays import FLOAT64, is_exact
from tropical._cycles import as_integers, best_cycles
from tropical._perron import class_roots
from tropical._square import as_square, identity, round_to, shrunk
from tropical._threads import run_in_slices
from tropical.errors import DivergenceError
from tropical.matrix import matmul
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["plus", "reduced", "star"]

_BLOCK = 64  # measured, 500 and 1,000 nodes
_NEAR = 1e-6  # pivots 1 − e^{a/ε} below this are looked into


def plus(A: ArrayLike, semiring: Semiring = MAX_PLUS, *, n_threads: int | None = None) -> np.ndarray:
    """The closure A⁺ = A ⊕ A² ⊕ A³ ⊕ …: ⊕ over all walks of at least one step between each two nodes.

    At ε = 0 these are the best paths: shortest over min-plus, longest (critical) over max-plus. At ε > 0 it is
    ε log (E + E² + …) = ε log (E (I − E)⁻¹) with E = e^{A/ε} entry by entry, soft shortest paths: the sum over
    all walks, each with its Gibbs weight.

    Parameters
    ----------
    A : (..., n, n) array
        Weights of edges i → j; the semiring's zero (−∞ for max, +∞ for min) where there is none. Fractions
        at ε = 0.
    semiring : Semiring
    n_threads : int, optional
        Threads at ε = 0, all that help by default; no result depends on it.

    Returns
    -------
    (..., n, n) array
        Of the dtype of A.

    Raises
    ------
    DivergenceError
        ε = 0: some cycle has positive weight (negative for min). The message and `.cycle` name it. ε > 0: the
        spectral radius of e^{A/ε} is at least 1, or cannot be told from 1 in float64.
    InputError
        NaN, the infinity that is not the zero, Fractions at ε > 0.
    ShapeError
        Matrices that are not square.

    Notes
    -----
    ε = 0: Floyd and Warshall's algorithm in blocks of 64, n³ sums and maxima, most of them in `matmul`; compare
    `scipy.sparse.csgraph.floyd_warshall`, which is for min-plus floats. Divergence is decided exactly for the
    matrix as given: a float result that rounding could have put on the wrong side of 0 is checked in rational
    arithmetic. A path of k steps carries at most k − 1 roundings.

    ε > 0: Kleene's elimination in the same blocks. It adds positive numbers alone, but for one 1 − e^{a/ε} a
    pivot; its errors are those of a relative change of a few n u in the entries of E. Softness is bounded:
    A⁺_ε ≥ A⁺_0, and with at most m walks in the sum, A⁺_ε ≤ A⁺_0 + ε log m.

    References
    ----------
    S. C. Kleene, 1956; B. Carré, "An algebra for network routing problems", J. Inst. Math. Appl. 7 (1971).

    Examples
    --------
    >>> inf = np.inf
    >>> plus([[inf, 3.0, inf], [inf, inf, 4.0], [1.0, inf, inf]], Semiring(sign=-1))
    array([[8., 3., 7.],
           [5., 8., 4.],
           [1., 4., 8.]])
    >>> plus([[1, 2], [3, 4]])
    Traceback (most recent call last):
    tropical.errors.DivergenceError: the cycle 1 -> 1 has positive weight 4, so the closure diverges; \
subtract `eigenvalue(A)` from A, or remove the cycle
    """
    A = as_square(A, semiring, batched=True)
    C = np.array(A, order="C")
    with np.errstate(over="ignore"):
        for index in np.ndindex(A.shape[:-2]):
            _close(C[index], A[index], semiring, n_threads)
    return C


def star(A: ArrayLike, semiring: Semiring = MAX_PLUS, *, n_threads: int | None = None) -> np.ndarray:
    """The Kleene star A* = I ⊕ A ⊕ A² ⊕ …, I having 0 on its diagonal and the zero elsewhere; see `plus`.

    At ε > 0 it is ε log (I − e^{A/ε})⁻¹.

    Parameters
    ----------
    A, semiring, n_threads
        As for `plus`.

    Returns
    -------
    (..., n, n) array
        Of the dtype of A.

    Examples
    --------
    >>> from numpy import inf
    >>> star([[-inf, 2, 3], [-2, -10, -1], [-5, -2, 0]])
    array([[ 0.,  2.,  3.],
           [-2.,  0.,  1.],
           [-4., -2.,  0.]])
    >>> w = np.log(0.3)  # words over edges 0→0, 0→1, 1→0, each with probability 0.3: 1/(1 − w − w²) = 100/61
    >>> round(float(np.exp(star([[w, w], [w, -inf]], Semiring(eps=1.0))[0, 0] - np.log(100 / 61))), 12)
    1.0
    """
    C = plus(A, semiring, n_threads=n_threads)
    nodes = np.arange(C.shape[-1])
    C[..., nodes, nodes] = semiring.add(
        C[..., nodes, nodes], identity(len(nodes), C.dtype, semiring).diagonal()
    )
    return C


def _close(C: np.ndarray, A: np.ndarray, semiring: Semiring, n_threads: int | None) -> None:
    """Replace C, which holds A, by its closure."""
    if not semiring.is_tropical:
        upright = np.array(semiring.sign * A, dtype=np.float64, order="C")
        C[...] = semiring.sign * _close_soft(upright, semiring.eps)
    elif is_exact(A):
        _refuse_divergence(A, semiring)
        C[...] = _close_exact(A, semiring)
    else:
        _close_blocks(C, semiring, n_threads)
        if _is_doubtful(A, C, semiring):
            _refuse_divergence(A, semiring)
            if (semiring.sign * C.diagonal()).max() > 0:  # rounding alone did that
                C[...] = _close_scaled(A, semiring)


# ---- eps = 0 -------------------------------------------------------------------------------------------------


def _close_blocks(C: np.ndarray, semiring: Semiring, n_threads: int | None) -> None:
    """In place: with D⁺ of a diagonal block, its row of blocks, then every other row, its own block first."""
    n, sign = len(C), semiring.sign
    with np.errstate(over="ignore"):
        for start in range(0, n, _BLOCK):
            here = slice(start, start + _BLOCK)
            _core.close(C[here, here], sign)
            across = C[here].copy()
            _core.matmul(across[None, :, here], across[None], C[None, here], sign, True)
            _pass_through(C, here, sign, n_threads)


def _pass_through(C: np.ndarray, here: slice, sign: int, n_threads: int | None) -> None:
    """C[:, here] ⊕= C[:, here] ⊗ C[here, here], then C ⊕= C[:, here] ⊗ C[here], but for the rows `here`."""
    across = C[here].copy()

    def some_rows(part: slice) -> None:
        before, after = (part.start, min(part.stop, here.start)), (max(part.start, here.stop), part.stop)
        for rows in (slice(*before), slice(*after)):
            if rows.start < rows.stop:
                down = C[rows, here].copy()
                _core.matmul(down[None], across[None, :, here], C[None, rows, here], sign, True)
                down = C[rows, here].copy()
                _core.matmul(down[None], across[None], C[None, rows], sign, True)

    run_in_slices(some_rows, len(C), across.size, n_threads, unit=128)  # fewer rows would not have B packed


def _close_exact(A: np.ndarray, semiring: Semiring) -> np.ndarray:
    C = A.copy()
    for k in range(len(C)):
        C = semiring.add(C, semiring.mul(C[:, k, None], C[None, k]))
    return C


def _is_doubtful(A: np.ndarray, C: np.ndarray, semiring: Semiring) -> bool:
    """Whether some cycle may have positive weight: no rounding can have hidden one if this is False."""
    n = len(C)
    top = (semiring.sign * C.diagonal()).max(initial=-np.inf)
    if top <= 0 and (A.max(initial=-np.inf) <= 0 if semiring.sign > 0 else A.min(initial=np.inf) >= 0):
        return False  # no weight is positive, so no sum of them is
    finite = np.isfinite(A)
    largest = np.abs(A, where=finite, out=np.zeros_like(A)).max(initial=0.0)
    # A cycle has at most n arcs, so n − 1 roundings of sums below n · largest.
    if top < -(n * n * float(largest)) * float(np.finfo(A.dtype).eps):
        return False
    if top > 0 or not np.isfinite(top):
        return True
    K, _ = as_integers(A[finite])
    sums_are_exact = K.dtype != object and n * np.abs(K).max() < 2 ** (np.finfo(A.dtype).nmant + 1)
    return not sums_are_exact


def _refuse_divergence(A: np.ndarray, semiring: Semiring) -> None:
    for critical in best_cycles(semiring.sign * A):
        if critical.mean > 0:
            weight = semiring.sign * critical.mean * len(critical.cycle)
            kind = "positive" if semiring.sign > 0 else "negative"
            rounded = round_to(FLOAT64, weight)
            path = " -> ".join(map(str, [*critical.cycle, critical.cycle[0]]))
            raise DivergenceError(
                f"the cycle {path} has {kind} weight {rounded:g}, so the closure diverges; "
                "subtract `eigenvalue(A)` from A, or remove the cycle",
                critical.cycle,
                weight if is_exact(A) else float(rounded),
            )


def _close_scaled(A: np.ndarray, semiring: Semiring) -> np.ndarray:
    """The closure where cycles of weight 0 have rounded to a positive weight."""
    A, factor = shrunk(semiring.sign * A)
    C, v = reduced(A)
    _close_blocks(C, MAX_PLUS, None)
    return semiring.sign * ((C + v[:, None] - v) / A.dtype.type(factor))


def reduced(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A_ij + v_j − v_i and v = A* ⊗ 0, for a max-plus A whose closure exists.

    These weights are at most 0, which rounding must not exceed; then no sum of them can.
    """
    v, C = np.zeros(len(A), A.dtype), np.empty_like(A)
    for _ in range(len(A)):
        np.add(A, v, out=C)
        higher = np.maximum(v, C.max(axis=1))
        if np.array_equal(higher, v):
            break
        v = higher
    np.add(A, v, out=C)
    C -= v[:, None]
    return np.minimum(C, 0, out=C), v


# ---- eps > 0 -------------------------------------------------------------------------------------------------


def _close_soft(C: np.ndarray, eps: float) -> np.ndarray:
    """Kleene's elimination, C_ij ⊕ C_ik ⊗ (C_kk)* ⊗ C_kj for each k, in blocks; overwrites C."""
    A, soft, n = C.copy(), Semiring(eps=eps), len(C)
    everywhere = np.arange(n)
    least = 1.0
    for start in range(0, n, _BLOCK):
        here = everywhere[start : start + _BLOCK]
        rest = np.delete(everywhere, here)
        D, pivot = _close_pivots(C[np.ix_(here, here)], soft)
        least = min(least, pivot)
        if least <= 0:
            break
        across, down = C[np.ix_(here, rest)], C[np.ix_(rest, here)]
        across = soft.add(across, matmul(D, across, soft))
        C[np.ix_(rest, rest)] = soft.add(C[np.ix_(rest, rest)], matmul(down, across, soft))
        C[np.ix_(here, rest)] = across
        C[np.ix_(rest, here)] = soft.add(down, matmul(down, D, soft))
        C[np.ix_(here, here)] = D
    if least < _NEAR:
        _refuse_soft_divergence(A, eps, least)
    return C


def _close_pivots(D: np.ndarray, soft: Semiring) -> tuple[np.ndarray, float]:
    """The closure of a small block and its least pivot 1 − e^{a/ε}, which is positive if it converges."""
    least = 1.0
    for k in range(len(D)):
        pivot = -np.expm1(D[k, k] / soft.eps)
        least = min(least, pivot)
        if not pivot > 0:
            break
        D = soft.add(D, (D[:, k] - soft.eps * np.log(pivot))[:, None] + D[k])
    return D, least


def _refuse_soft_divergence(A: np.ndarray, eps: float, pivot: float) -> None:
    """I − E is a nonsingular M-matrix exactly if all pivots are positive; near 0 the spectrum decides."""
    low, high = -np.inf, -np.inf
    for _, *bounds, _ in class_roots(A, eps):
        low, high = max(low, bounds[0]), max(high, bounds[1])
    if pivot > 0 and high < 0:
        return
    with np.errstate(over="ignore"):
        radius = np.exp((low + high) / 2 / eps)
    if low >= 0:
        raise DivergenceError(
            f"e^(A/eps) has spectral radius {radius:.17g} >= 1, so the closure at eps = {eps:g} diverges; "
            "subtract more than `eigenvalue(A)` from A"
        )
    raise DivergenceError(
        f"e^(A/eps) has spectral radius 1 - {-np.expm1(high / eps):.1e} to 1 - {-np.expm1(low / eps):.1e}: "
        f"float64 cannot tell whether the closure at eps = {eps:g} converges; lower the weights of A"
    )

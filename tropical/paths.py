"""Paths of a weighted graph: best ones node by node, and sums over all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import floyd_warshall

from tropical._arrays import as_array, convert, frozen, is_exact, refuse_where
from tropical._display import summary
from tropical._square import as_square, need_tropical, shrunk
from tropical.closure import reduced, star
from tropical.errors import DivergenceError, InputError, ShapeError
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["BestPaths", "best_paths", "path_sums"]


@dataclass(frozen=True)
class BestPaths:
    """A best path between each two nodes.

    Attributes
    ----------
    weights : (n, n) array
        The Kleene star A*: 0 or better on the diagonal, the zero where there is no path.
    predecessors : (n, n) array of integers
        The node before j on the path from i to j; −1 for i = j and where there is no path.

    Examples
    --------
    >>> inf = np.inf
    >>> found = best_paths([[inf, 1, 5], [inf, inf, 1], [1, inf, inf]], Semiring(sign=-1))
    >>> found.path(0, 2), found.path(1, 1), found.predecessors[0].tolist()
    ([0, 1, 2], [1], [-1, 0, 1])
    """

    weights: np.ndarray
    predecessors: np.ndarray

    __repr__ = summary

    def path(self, start: int, end: int) -> list[int]:
        """The nodes from `start` to `end`, both included; an empty list if there is no path."""
        n = len(self.weights)
        if not (0 <= start < n and 0 <= end < n):
            raise InputError(f"nodes are {start} and {end}; pass two of 0 … {n - 1}")
        nodes = [end]
        while nodes[-1] != start:
            node = int(self.predecessors[start, nodes[-1]])
            if node < 0:
                return []
            nodes.append(node)
        return nodes[::-1]


def best_paths(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> BestPaths:
    """All-pairs best paths, longest over max-plus and shortest over min-plus, with the nodes on them.

    Parameters
    ----------
    A : (n, n) array
        Weights of edges i → j; the semiring's zero where there is none. Fractions too.
    semiring : Semiring
        With ε = 0.

    Returns
    -------
    BestPaths
        `weights`, `predecessors` and `path(i, j)`. Paths are simple; which of several best ones is not specified.

    Raises
    ------
    DivergenceError
        Some cycle has positive weight (negative for min); named as by `plus`.
    InputError
        ε > 0, NaN, the infinity that is not the zero.

    Notes
    -----
    Weights are those of `star`. Predecessors of floats come from `scipy.sparse.csgraph.floyd_warshall`, on weights
    scaled by potentials so that no rounding makes a cycle of weight 0 look like a gain; n³ steps. `star` alone is
    several times as fast.

    Examples
    --------
    >>> inf = np.inf
    >>> paths = best_paths([[inf, 1, 5], [inf, inf, 1], [1, inf, inf]], Semiring(sign=-1))
    >>> float(paths.weights[0, 2]), paths.path(0, 2)
    (2.0, [0, 1, 2])
    """
    need_tropical("a best path", semiring, "`star` sums over all paths")
    A = as_square(A, semiring)
    weights = star(A, semiring)
    upright = semiring.sign * A
    before = _exact_predecessors(upright) if is_exact(A) else _float_predecessors(upright.astype(np.float64))
    return BestPaths(frozen(weights), frozen(before))


def _float_predecessors(A: np.ndarray) -> np.ndarray:
    if not len(A):
        return np.empty((0, 0), np.int64)
    lengths, _ = reduced(shrunk(A)[0])
    rows, columns = np.nonzero(lengths > -np.inf)
    # A sparse array keeps edges of length 0; a dense one would lose them.
    graph = csr_array((-lengths[rows, columns], (rows, columns)), shape=A.shape)
    _, before = floyd_warshall(graph, return_predecessors=True)
    return np.maximum(before, -1).astype(np.int64)


def _exact_predecessors(A: np.ndarray) -> np.ndarray:
    nodes = np.arange(len(A))
    C = A.copy()
    before = np.where(-np.inf != A, nodes[:, None], -1)
    C[nodes, nodes], before[nodes, nodes] = 0, -1
    for k in nodes:
        through = C[:, k, None] + C[None, k]
        better = through > C
        C, before = np.where(better, through, C), np.where(better, before[k], before)
    return before


def path_sums(W: ArrayLike) -> np.ndarray:
    """The star (I − W)⁻¹ = I + W + W² + … over (+, ×): for each two nodes the sum over all walks of their products.

    With ones along the edges of an acyclic graph it counts paths; with probabilities it gives expected numbers of
    visits; with a number z < 1/ρ along the edges, generating functions Σ_k (walks of k steps) z^k. It is
    exp(star(log W)) over `Semiring(eps=1.0)`, which also holds what exp could not.

    Parameters
    ----------
    W : (n, n) array
        Nonnegative weights of edges i → j. Fractions give exact sums.

    Returns
    -------
    (n, n) array
        Of the dtype of W.

    Raises
    ------
    DivergenceError
        The spectral radius of W is at least 1. Decided exactly for Fractions.
    InputError
        A negative or infinite entry, NaN.
    ShapeError
        W is not one square matrix.

    Notes
    -----
    Gauss–Jordan elimination, n³ products and sums; all terms are nonnegative but for one 1 − w a pivot. W converges
    exactly if all these are positive (I − W is then a nonsingular M-matrix).

    References
    ----------
    A. Berman, R. J. Plemmons, Nonnegative Matrices in the Mathematical Sciences, 1994, Theorem 6.2.3.

    Examples
    --------
    >>> from fractions import Fraction
    >>> w = Fraction(3, 10)
    >>> path_sums([[w, w], [w, 0]])[0, 0]
    Fraction(100, 61)
    """
    W = as_array("W", W)
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise ShapeError(f"W has shape {W.shape}; pass one square matrix, of shape (n, n)")
    refuse_where(~((W >= 0) & np.less(W, np.inf)), "W", W, "pass finite weights >= 0")
    C = W.copy()
    for k in range(len(C)):
        pivot = 1 - C[k, k]
        if not pivot > 0:
            raise DivergenceError(
                f"the sum over walks among nodes 0 … {k} diverges: W has spectral radius >= 1; scale W down"
            )
        C = C + (C[:, k] / pivot)[:, None] * C[k]
    nodes = np.arange(len(C))
    C[nodes, nodes] += convert(np.ones(len(C)), C.dtype)
    return C

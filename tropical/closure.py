"""Closures of a square matrix over a semiring: the best path between each two nodes."""

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core
from tropical._arrays import as_array, convert, is_exact
from tropical.errors import InputError, ShapeError
from tropical.matrix import is_awkward
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["plus", "star"]

_BLOCK = 64  # measured, 500 and 1,000 nodes


def plus(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> np.ndarray:
    """The closure A⁺ = A ⊕ A² ⊕ A³ ⊕ …: the best path of at least one step between each two nodes.

    Over min-plus these are all-pairs shortest paths, over max-plus longest (critical) ones; ε = 0.

    Parameters
    ----------
    A : (n, n) array
        Weights of edges i → j; the semiring's zero (−∞ for max, +∞ for min) where there is none.

    Raises
    ------
    InputError
        If a cycle has positive weight (negative for min): then the sum diverges. The message names a node.

    Notes
    -----
    Floyd and Warshall's algorithm in blocks of 64, n³ sums and maxima, most of them in `matmul`.

    Examples
    --------
    >>> inf = np.inf
    >>> plus([[inf, 3.0, inf], [inf, inf, 4.0], [1.0, inf, inf]], Semiring(sign=-1))
    array([[8., 3., 7.],
           [5., 8., 4.],
           [1., 4., 8.]])
    """
    A = as_array("A", A)
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise ShapeError(f"A has shape {A.shape}; pass a square matrix")
    if not semiring.is_tropical:
        raise InputError(f"closure at eps = {semiring.eps:g} is not here yet; deform(0) has one")
    if is_exact(A):
        C = _close_exact(A, semiring)
    elif is_awkward(A, semiring):
        raise InputError(
            f"A has NaN or {-semiring.zero}; pass finite weights, and {semiring.zero} for no edge"
        )
    else:
        C = np.array(A, order="C")
        _close_blocks(C, semiring)
    best = semiring.sign * C.diagonal()
    if C.size and best.max() > 0:
        node = int(np.argmax(best))
        kind = "positive" if semiring.sign > 0 else "negative"
        raise InputError(f"a cycle of {kind} weight passes through node {node}, so the closure diverges")
    return C


def _close_blocks(C: np.ndarray, semiring: Semiring) -> None:
    """In place: with D⁺ of a diagonal block, its row and column blocks, then all the rest."""
    n, sign = len(C), semiring.sign
    with np.errstate(over="ignore"):
        for start in range(0, n, _BLOCK):
            here = slice(start, start + _BLOCK)
            _core.close(C[here, here], sign)
            diagonal = C[here, here].copy()
            across, down = C[here].copy(), C[:, here].copy()
            _core.matmul(diagonal[None], across[None], C[None, here], sign, True)
            _core.matmul(down[None], diagonal[None], C[None, :, here], sign, True)
            across, down = C[here].copy(), C[:, here].copy()
            for rest in (slice(0, start), slice(start + _BLOCK, n)):
                _core.matmul(down[None, rest], across[None], C[None, rest], sign, True)


def _close_exact(A: np.ndarray, semiring: Semiring) -> np.ndarray:
    C = A.copy()
    for k in range(len(C)):
        C = semiring.add(C, semiring.mul(C[:, k, None], C[None, k]))
    return C


def star(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> np.ndarray:
    """The Kleene star A* = I ⊕ A ⊕ A² ⊕ …, I having 0 on its diagonal and the zero elsewhere; see `plus`.

    Examples
    --------
    >>> from numpy import inf
    >>> star([[-inf, 2, 3], [-2, -10, -1], [-5, -2, 0]])
    array([[ 0.,  2.,  3.],
           [-2.,  0.,  1.],
           [-4., -2.,  0.]])
    """
    C = plus(A, semiring)
    nodes = np.arange(len(C))
    C[nodes, nodes] = semiring.add(C[nodes, nodes], convert(np.zeros(len(C)), C.dtype))
    return C

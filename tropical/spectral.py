"""Eigenvalues, eigenvectors and critical graphs of square matrices over a semiring."""

from __future__ import annotations

import math
from fractions import Fraction

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from tropical._arrays import convert, is_exact
from tropical._cycles import Critical, best_cycles
from tropical._perron import class_roots
from tropical._square import as_square, need_tropical, round_to, shrunk
from tropical.closure import star
from tropical.errors import InputError
from tropical.matrix import matmul
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["critical_graph", "eigenvalue", "eigenvalues", "eigenvectors"]


def eigenvalue(A: ArrayLike, semiring: Semiring = MAX_PLUS):
    """The largest λ with A ⊗ v = λ ⊗ v for some v that is not all zero (least for sign −1).

    At ε = 0 that is the maximum cycle mean (minimum for sign −1), over all cycles of the weight of a cycle
    divided by its number of arcs. At ε > 0 it is ε log ρ(e^{A/ε}), ρ the spectral radius (Perron root).

    Parameters
    ----------
    A : (n, n) array
        A_ij is the weight of the arc i → j; the zero (−∞ for max, +∞ for min) where there is none. Need not be
        irreducible. Fractions at ε = 0.
    semiring : Semiring

    Returns
    -------
    scalar
        Of the dtype of A; a Fraction for exact A. The semiring's zero if A has no cycle.

    Raises
    ------
    InputError
        NaN, the infinity that is not the zero, Fractions at ε > 0. ε > 0: |A| or ε beyond 1e290, or bounds
        that stay a millionth apart, which the message gives.
    ShapeError
        A is not one square matrix.

    Notes
    -----
    ε = 0: policy iteration in floats finds a cycle; that no other is better is proved in integers on the few
    arcs where rounding leaves room for doubt. The result is the exact mean of the matrix as given, rounded once.
    A handful of passes over A as a rule; 1,000 nodes take about 0.1 s, where Karp's algorithm does n³ steps.

    ε > 0: Noda's iteration in the logarithmic domain, O(n³) a step, five or so as a rule. Collatz and
    Wielandt's bounds say when to stop. No overflow for small ε: 0 ≤ λ_ε − λ_0 ≤ ε log n for sign +1.

    References
    ----------
    R. A. Cuninghame-Green, Minimax Algebra, 1979; J. Cochet-Terrasson et al., "Numerical computation of
    spectral elements in max-plus algebra", IFAC SSC 1998; T. Noda, Numer. Math. 17 (1971).

    Examples
    --------
    >>> float(eigenvalue([[3, 7], [2, 4]]))
    4.5
    >>> from fractions import Fraction
    >>> eigenvalue([[Fraction(3), 7], [2, 4]])
    Fraction(9, 2)
    >>> float(eigenvalue(np.log([[1, 1], [1, 0.5]]), Semiring(eps=1.0)).round(4))    # log ((3 + √17)/4)
    0.577
    """
    A = as_square(A, semiring)
    if semiring.is_tropical:
        found = best_cycles(semiring.sign * A)
        best = max((critical.mean for critical in found), default=-math.inf)
    else:
        found = class_roots(_upright(A, semiring), semiring.eps)
        best = max(((low + high) / 2 for _, low, high, _ in found), default=-math.inf)
    return round_to(A.dtype, semiring.sign * best)


def eigenvalues(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> np.ndarray:
    """All λ other than the zero with A ⊗ v = λ ⊗ v for some v that is not all zero; ε = 0.

    The best cycle mean μ of a strongly connected component is one of them exactly if no component that has
    access to it has a better one. An irreducible matrix has one eigenvalue.

    Returns
    -------
    (k,) array
        Best first, each once. The zero (−∞ for max) is an eigenvalue too if A has a column of zeros, and is
        not listed.

    References
    ----------
    R. B. Bapat, D. Stanford, P. van den Driessche, "Pattern properties and spectral inequalities in max
    algebra", SIAM J. Matrix Anal. Appl. 16 (1995); P. Butkovič, Max-linear Systems, 2010, Theorem 4.5.4.

    Examples
    --------
    >>> eigenvalues([[1, 0], [-np.inf, 2]]), eigenvalues([[1, -np.inf], [0, 2]])
    (array([2., 1.]), array([2.]))
    """
    need_tropical("the spectrum", semiring, "`eigenvalue` gives the spectral radius")
    A = as_square(A, semiring)
    values = sorted({c.mean for c in _spectral_classes(A, semiring)}, reverse=True)
    rounded = [round_to(A.dtype, semiring.sign * value) for value in values]
    return np.array([*rounded, None], dtype=object)[:-1].astype(A.dtype)


def eigenvectors(A: ArrayLike, semiring: Semiring = MAX_PLUS, value=None) -> np.ndarray:
    """Generators of the eigenspace {v : A ⊗ v = λ ⊗ v}, as columns; λ is `eigenvalue(A)` unless given.

    At ε = 0 there is one column for each component of the critical graph: that of a critical node c in
    (A ⊗ λ^{−1})*, the best paths to c of the weights less λ. Every eigenvector for λ is a combination
    ⊕_k α_k ⊗ v_k of these, and none of them is one of the others. At ε > 0 the eigenvector of a strongly
    connected matrix is unique: ε log of the Perron vector.

    Parameters
    ----------
    A : (n, n) array
    semiring : Semiring
    value : scalar, optional
        One of `eigenvalues(A)`, for a reducible matrix at ε = 0.

    Returns
    -------
    (n, k) array
        Of the dtype of A. The best entry of each column is 0; the zero where a node has no access to the
        component. k = 0 if A has no cycle.

    Raises
    ------
    InputError
        `value` is no eigenvalue. ε > 0: two strongly connected components whose spectral radii float64 cannot
        tell apart compete for the largest; pass the components one by one.

    Notes
    -----
    n² k a round, where the number of rounds is the number of arcs on the longest of the best paths, at most n. In
    floats a path of m arcs carries O(m) roundings; Fractions give exact vectors. For left eigenvectors pass A.T.

    At ε > 0, a reducible matrix has one class of largest spectral radius; nodes without access to it have the
    zero. Of its other eigenvectors nothing is said.

    References
    ----------
    F. Baccelli et al., Synchronization and Linearity, 1992, Theorem 3.101; P. Butkovič, Max-linear Systems, 2010,
    Theorem 4.3.3 (reducible matrices); H. Schneider, Linear Algebra Appl. 84 (1986) for ε > 0.

    Examples
    --------
    >>> A = np.array([[3.0, 7], [2, 4]])
    >>> v = eigenvectors(A)
    >>> v
    array([[ 0. ],
           [-2.5]])
    >>> matmul(A, v) - v
    array([[4.5],
           [4.5]])
    """
    A = as_square(A, semiring)
    if semiring.is_tropical:
        return _tropical_eigenvectors(A, semiring, value)
    if value is not None:
        raise InputError(f"value needs eps = 0, got {semiring.eps:g}; leave it out")
    vectors = _soft_eigenvectors(_upright(A, semiring), semiring.eps)
    with np.errstate(over="ignore"):  # of float32
        return (semiring.sign * vectors).astype(A.dtype)


def critical_graph(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> nx.DiGraph:
    """The arcs of all cycles whose mean is the eigenvalue, with their nodes; ε = 0.

    Returns
    -------
    networkx.DiGraph
        Nodes are indices, arcs have the attribute `weight`, and `graph["eigenvalue"]` is the eigenvalue. Every
        cycle of this graph is critical. Empty if A has no cycle.

    Notes
    -----
    Decided in rational arithmetic for the matrix as given: an arc whose best cycle falls short by one unit in the
    last place is not critical. Cost as for `eigenvalue`.

    Examples
    --------
    >>> G = critical_graph([[5, -np.inf, 5], [-np.inf, 6, 3], [6, 6, 3]])
    >>> list(G.edges(data="weight")), G.graph["eigenvalue"]
    ([(1, 1, 6.0)], 6.0)
    """
    need_tropical("the critical graph", semiring, "at eps > 0 every cycle contributes")
    A = as_square(A, semiring)
    G = nx.DiGraph(eigenvalue=semiring.zero)
    found = best_cycles(semiring.sign * A)
    best = max((c.mean for c in found), default=None)
    for critical in found:
        if critical.mean == best:
            rows, columns = critical.arcs.T
            weights = A[rows, columns].tolist()
            G.add_weighted_edges_from(zip(rows.tolist(), columns.tolist(), weights, strict=True))
    if best is not None:
        value = round_to(A.dtype, semiring.sign * best)
        G.graph["eigenvalue"] = value if is_exact(A) else float(value)
    return G


def _upright(A: np.ndarray, semiring: Semiring) -> np.ndarray:
    return (semiring.sign * A).astype(np.float64)


# ---- eps = 0 -------------------------------------------------------------------------------------------------


def _having_access(A: np.ndarray, nodes: np.ndarray, semiring: Semiring) -> np.ndarray:
    """The nodes from which a path leads to these, which are strongly connected; themselves included."""
    backward = csr_array((semiring.zero != A).T)
    return breadth_first_order(backward, int(nodes[0]), return_predecessors=False)


def _spectral_classes(A: np.ndarray, semiring: Semiring) -> list[Critical]:
    """The components whose best cycle mean no component with access to them beats."""
    found = best_cycles(semiring.sign * A)
    means = np.array([-math.inf] * len(A), dtype=object)
    for critical in found:
        means[critical.nodes] = critical.mean
    return [c for c in found if c.mean >= max(means[_having_access(A, c.nodes, semiring)])]


def _tropical_eigenvectors(A: np.ndarray, semiring: Semiring, value) -> np.ndarray:
    classes = _spectral_classes(A, semiring)
    means = {c.mean for c in classes}
    if value is not None:
        listed = {mean: round_to(A.dtype, semiring.sign * mean) for mean in means}
        means = {mean for mean in means if listed[mean] == value}
        if not means:
            shown = ", ".join(map(str, sorted(listed.values())))
            raise InputError(f"value {value} is no eigenvalue; the eigenvalues are: {shown or 'none'}")
    mean = max(means, default=None)
    classes = [c for c in classes if c.mean == mean]
    if not classes:
        return np.empty((len(A), 0), A.dtype)
    # Nodes without access to the classes have the zero, and could lie on cycles of a greater mean.
    nodes = np.unique(np.concatenate([_having_access(A, c.nodes, semiring) for c in classes]))
    ends = np.searchsorted(nodes, [first for c in classes for first in _first_nodes(c.arcs, len(A))])
    upright, factor = shrunk(semiring.sign * A[np.ix_(nodes, nodes)])
    paths = _best_paths_to(upright - round_to(A.dtype, mean * Fraction(factor)), ends)
    paths = paths - paths.max(axis=0)
    vectors = convert(np.full((len(A), len(ends)), semiring.zero), A.dtype).copy()
    with np.errstate(over="ignore"):
        vectors[nodes] = semiring.sign * (paths if factor == 1 else paths / A.dtype.type(factor))
    return vectors


def _first_nodes(arcs: np.ndarray, n: int) -> list[int]:
    """The least node of each component of these critical arcs."""
    graph = csr_array((np.ones(len(arcs), bool), arcs.T), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    _, where = np.unique(label[arcs[:, 0]], return_index=True)  # arcs are sorted by their first node
    return arcs[where, 0].tolist()


def _best_paths_to(A: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The columns `ends` of A*; cycles of A are at most 0 up to rounding, so n rounds are enough."""
    columns = np.arange(len(ends))
    X = convert(np.full((len(A), len(ends)), -np.inf), A.dtype).copy()
    X[ends, columns] = round_to(A.dtype, 0)
    for _ in range(len(A) - 1):
        longer = MAX_PLUS.add(X, matmul(A, X))
        longer[ends, columns] = X[ends, columns]  # a cycle through the end that rounds above 0
        if np.array_equal(longer, X):
            break
        X = longer
    return X


# ---- eps > 0 -------------------------------------------------------------------------------------------------


def _soft_eigenvectors(A: np.ndarray, eps: float) -> np.ndarray:
    classes = class_roots(A, eps)
    vectors = np.full((len(A), min(1, len(classes))), -np.inf)
    if not classes:
        return vectors
    classes.sort(key=lambda c: c[1])
    nodes, low, high, x = classes[-1]
    rivals = [other for other in classes[:-1] if not other[2] < low]
    if rivals:
        raise InputError(
            f"float64 cannot tell the spectral radii of the components of nodes {nodes[0]} and {rivals[0][0][0]} "
            "apart; pass the strongly connected components one by one"
        )
    soft = Semiring(eps=eps)
    vectors[nodes, 0] = x
    above = np.setdiff1d(_having_access(A, nodes, soft), nodes)
    if len(above):
        A = A - (low + high) / 2
        into = matmul(A[np.ix_(above, nodes)], x, soft)
        vectors[above, 0] = matmul(star(A[np.ix_(above, above)], soft), into, soft)
    return vectors - vectors.max()

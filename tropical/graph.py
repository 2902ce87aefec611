"""Weighted graphs of networkx as matrices over a semiring, and back."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from numbers import Rational, Real

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, convert, is_exact
from tropical._square import as_square
from tropical.errors import InputError, ShapeError
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["from_graph", "to_graph"]


def from_graph(
    G: nx.Graph,
    weight: str | None = "weight",
    nodelist: Sequence[Hashable] | None = None,
    semiring: Semiring = MAX_PLUS,
) -> np.ndarray:
    """The matrix A of a graph: A_ij is the weight of the edge i → j, the semiring's zero where there is none.

    Parameters
    ----------
    G : networkx graph
        Directed or not (an edge then counts in both directions), with parallel edges or not: their weights are
        combined by ⊕.
    weight : str or None
        The attribute that holds the weights. None: every edge has weight 0, the unit.
    nodelist : sequence of nodes, optional
        Order of rows and columns, by default that of G. A part of the nodes gives the induced subgraph.
    semiring : Semiring

    Returns
    -------
    (n, n) array
        float64; exact (dtype object) if a weight is a Fraction.

    Raises
    ------
    InputError
        An edge without the attribute, a weight that is no real number, is NaN or the infinity that is not the
        zero: the message names the edge. Nodes in `nodelist` that G does not have, or twice. Fractions at ε > 0.

    Notes
    -----
    O(n² + edges). Equivalent to `networkx.to_numpy_array` with `nonedge` the zero, but for the checks: networkx takes
    1 for a missing weight.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("a", "b", 2.0), ("b", "a", 1.0)])
    >>> from_graph(G)
    array([[-inf,   2.],
           [  1., -inf]])
    """
    if not isinstance(G, nx.Graph):
        raise InputError(f"G is a {type(G).__name__}; pass a networkx graph")
    index = _index_of(G, nodelist)
    weights: dict[tuple[int, int], list] = {}
    for u, v, attributes in G.edges(data=True):
        if u in index and v in index:
            value = 0 if weight is None else _weight_of(u, v, attributes, weight, semiring)
            weights.setdefault((index[u], index[v]), []).append(value)
            if not G.is_directed() and u != v:
                weights.setdefault((index[v], index[u]), []).append(value)
    exact = any(isinstance(w, Fraction) for several in weights.values() for w in several)
    if exact and not semiring.is_tropical:
        raise InputError(f"a weight is a Fraction and eps = {semiring.eps:g}: pass floats")
    dtype = EXACT if exact else np.dtype(np.float64)
    A = np.full((len(index), len(index)), semiring.zero, dtype)
    for place, several in weights.items():
        values = convert(np.array([*several, None], dtype=object)[:-1], EXACT).astype(dtype)
        A[place] = values[0] if len(values) == 1 else semiring.sum(values)
    return A


def _index_of(G: nx.Graph, nodelist) -> dict:
    nodes = list(G) if nodelist is None else list(nodelist)
    index = {node: i for i, node in enumerate(nodes)}
    if len(index) < len(nodes):
        twice = next(node for i, node in enumerate(nodes) if index[node] != i)
        raise InputError(f"nodelist has {twice!r} twice; pass each node once")
    for node in nodes:
        if node not in G:
            raise InputError(f"nodelist has {node!r}, which is no node of G")
    return index


def _weight_of(u, v, attributes: dict, weight: str, semiring: Semiring):
    if weight not in attributes:
        raise InputError(
            f"edge {u!r} -> {v!r} has no attribute {weight!r}; set it, or pass weight=None for weights of 0"
        )
    value = attributes[weight]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"edge {u!r} -> {v!r} has weight {value!r}; pass a real number")
    if not semiring.sign * value < np.inf:
        raise InputError(
            f"edge {u!r} -> {v!r} has weight {value}; pass a finite one ({semiring.zero} for no edge)"
        )
    return value if isinstance(value, Rational) or not hasattr(value, "item") else value.item()


def to_graph(
    A: ArrayLike, nodelist: Sequence[Hashable] | None = None, semiring: Semiring = MAX_PLUS
) -> nx.DiGraph:
    """The directed graph of a matrix: an edge i → j with attribute `weight` for each entry that is not the zero.

    Parameters
    ----------
    A : (n, n) array
    nodelist : sequence of n nodes, optional
        Names of the rows; 0, 1, … by default.
    semiring : Semiring
        Its zero means no edge: −∞ for max, +∞ for min.

    Returns
    -------
    networkx.DiGraph
        Weights are Python floats, or Fractions for exact A.

    Examples
    --------
    >>> list(to_graph([[-np.inf, 2.0], [1.0, -np.inf]], "ab").edges(data="weight"))
    [('a', 'b', 2.0), ('b', 'a', 1.0)]
    """
    A = as_square(A, semiring)
    nodes = list(range(len(A))) if nodelist is None else list(nodelist)
    if len(nodes) != len(A) or len(set(nodes)) != len(nodes):
        raise ShapeError(
            f"nodelist has {len(nodes)} nodes, {len(set(nodes))} of them different, and A has shape {A.shape}; "
            "pass one node for each row"
        )
    G = nx.DiGraph()
    G.add_nodes_from(nodes)
    rows, columns = np.nonzero(semiring.zero != A)
    values = A[rows, columns] if is_exact(A) else A[rows, columns].tolist()
    G.add_weighted_edges_from(
        (nodes[i], nodes[j], w) for i, j, w in zip(rows.tolist(), columns.tolist(), values, strict=True)
    )
    return G

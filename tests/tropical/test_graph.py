"""Graphs of networkx as matrices and back."""

from fractions import Fraction
from math import inf, nan

import networkx as nx
import numpy as np
import pytest

from tropical import MAX_PLUS, MIN_PLUS, InputError, Semiring, from_graph, matmul, star, to_graph


@pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS, Semiring(eps=0.5)], ids=str)
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_against_networkx(kind, semiring):
    rng = np.random.default_rng(0)
    G = kind()
    G.add_nodes_from("dcbaxyz")
    for _ in range(12):
        u, v = rng.choice(list(G), 2)
        G.add_edge(str(u), str(v), weight=float(rng.integers(-3, 9)), cost=1)
    np.testing.assert_array_equal(
        from_graph(G, semiring=semiring), nx.to_numpy_array(G, nonedge=semiring.zero)
    )
    order = ["x", "a", "d"]
    want = nx.to_numpy_array(G, nodelist=order, weight="cost", nonedge=semiring.zero)
    np.testing.assert_array_equal(from_graph(G, "cost", order, semiring), want)
    back = to_graph(from_graph(G, semiring=semiring), list(G), semiring)
    assert nx.utils.graphs_equal(back, _stripped(G))


def _stripped(G):
    H = nx.DiGraph()
    H.add_nodes_from(G)
    H.add_weighted_edges_from((u, v, w) for u, v, w in G.to_directed().edges(data="weight"))
    return H


def test_parallel_edges_are_summed():
    for kind in (nx.MultiDiGraph, nx.MultiGraph):
        G = kind()
        G.add_weighted_edges_from([(0, 1, 3.0), (0, 1, 5.0), (1, 1, 2.0), (1, 1, 1.0)])
        assert from_graph(G)[0, 1] == 5.0
        assert from_graph(G, semiring=MIN_PLUS)[[0, 1], [1, 1]].tolist() == [3.0, 1.0]
        soft = from_graph(G, semiring=Semiring(eps=1.0))
        assert soft[0, 1] == pytest.approx(np.logaddexp(3, 5), rel=1e-15)
        assert soft[1, 1] == pytest.approx(np.logaddexp(1, 2), rel=1e-15)  # a loop counts once
        assert (from_graph(G)[1, 0] == -inf) == G.is_directed()


def test_all_pairs_shortest_paths_of_a_graph():
    G = nx.gnp_random_graph(25, 0.2, seed=3, directed=True)
    nx.set_edge_attributes(G, {e: 1 + (5 * k) % 7 for k, e in enumerate(G.edges)}, "length")
    want = nx.floyd_warshall_numpy(G, weight="length")
    np.testing.assert_array_equal(star(from_graph(G, "length", semiring=MIN_PLUS), MIN_PLUS), want)


def test_exact_weights_and_units():
    G = nx.DiGraph()
    G.add_weighted_edges_from([("a", "b", Fraction(1, 3)), ("b", "a", 2), ("b", "b", np.float64(0.5))])
    A = from_graph(G)
    assert A.dtype == object
    assert A[0, 1] == Fraction(1, 3)
    assert A[1, 1] == Fraction(1, 2)
    assert matmul(A, A)[0, 0] == Fraction(7, 3)
    assert to_graph(A)[0][1]["weight"] == Fraction(1, 3)
    hops = from_graph(G, weight=None)
    np.testing.assert_array_equal(hops, [[-inf, 0.0], [0.0, 0.0]])
    assert from_graph(G, weight=None, nodelist=["b"]).tolist() == [[0.0]]


def test_empty_graphs():
    assert from_graph(nx.Graph()).shape == (0, 0)
    assert from_graph(nx.empty_graph(2)).tolist() == [[-inf] * 2] * 2
    assert to_graph(np.zeros((0, 0))).number_of_nodes() == 0
    assert list(to_graph([[inf]], semiring=MIN_PLUS).edges) == []


def weighted(value):
    G = nx.DiGraph()
    G.add_edge("u", "v", weight=value)
    return G


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_graph(nx.path_graph(2)), "edge 0 -> 1 has no attribute 'weight'; set it"),
        (lambda: from_graph(weighted("far")), "edge 'u' -> 'v' has weight 'far'; pass a real number"),
        (lambda: from_graph(weighted(None)), "has weight None"),
        (lambda: from_graph(weighted(True)), "has weight True"),
        (lambda: from_graph(weighted(1j)), "pass a real number"),
        (lambda: from_graph(weighted(nan)), "edge 'u' -> 'v' has weight nan; pass a finite one"),
        (lambda: from_graph(weighted(inf)), r"has weight inf; pass a finite one \(-inf for no edge\)"),
        (lambda: from_graph(weighted(-inf), semiring=MIN_PLUS), "has weight -inf"),
        (lambda: from_graph(weighted(Fraction(1)), semiring=Semiring(eps=1.0)), "pass floats"),
        (lambda: from_graph(weighted(1), nodelist=["u", "w"]), "'w', which is no node"),
        (lambda: from_graph(weighted(1), nodelist=["u", "v", "u"]), "'u' twice"),
        (lambda: from_graph(np.zeros((2, 2))), "ndarray; pass a networkx graph"),
        (lambda: to_graph(np.zeros((2, 2)), ["a"]), "nodelist has 1 nodes"),
        (lambda: to_graph(np.zeros((2, 2)), ["a", "a"]), "1 of them different"),
        (lambda: to_graph([[nan]]), "is nan"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()

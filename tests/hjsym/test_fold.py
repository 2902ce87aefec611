"""Folding of affine layers: the same function identically over Fractions, fewer layers, one rounding a weight."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym._rows import Rows
from hjsym.network import Network, Node, needed
from tropical.sparse import SparseMatrix

R = np.random.default_rng(23)


def dyadic(*shape) -> np.ndarray:
    return R.integers(-9, 10, shape) / 4


def sparse(rows: int, columns: int) -> SparseMatrix:
    dense = dyadic(rows, columns) * (R.uniform(size=(rows, columns)) < 0.25)
    return SparseMatrix((rows, columns), *np.nonzero(dense), dense[np.nonzero(dense)])


def points(network: Network, count: int = 5) -> list[list[Fraction]]:
    return [[Fraction(int(v), 7) for v in row] for row in R.integers(-30, 31, (count, network.input_size))]


def kinds(network: Network) -> list[str]:
    return [type(node.layer).__name__ for node in network.nodes]


CHAINS = {
    "batch norm behind": ([layers.Affine(dyadic(3, 4), dyadic(3)), layers.Scale(dyadic(3), dyadic(3))], ["Affine"]),
    "batch norm in front": ([layers.Scale(dyadic(4), dyadic(4)), layers.Affine(dyadic(3, 4), dyadic(3))], ["Affine"]),
    "sparse": ([layers.Affine(sparse(9, 4), dyadic(9)), layers.Scale(dyadic(9), dyadic(9))], ["Affine"]),
    "two scales": ([layers.Scale(dyadic(4), dyadic(4)), layers.Scale(dyadic(4), dyadic(4))], ["Scale"]),
    "two choices": ([layers.Gather([3, 1, 1]), layers.Gather([2, 0])], ["Gather"]),
    "a choice of outputs": ([layers.Affine(dyadic(5, 4), dyadic(5)), layers.Gather([4, 0])], ["Affine"]),
    "a choice of inputs": ([layers.Gather([3, 1, 1, 2]), layers.Affine(dyadic(2, 4), dyadic(2))], ["Affine"]),
    "repeated outputs stay": (
        [layers.Affine(dyadic(1, 4), dyadic(1)), layers.Gather([0] * 9)], ["Affine", "Gather"]
    ),
    "a bottleneck stays": (
        [layers.Affine(dyadic(1, 4), dyadic(1)), layers.Affine(dyadic(9, 1), dyadic(9))], ["Affine", "Affine"]
    ),
    "three affine": ([layers.Affine(dyadic(n, m), dyadic(n)) for m, n in ((4, 6), (6, 7), (7, 3))], ["Affine"]),
    "identities": (
        [layers.Identity(), layers.Affine(dyadic(3, 4), dyadic(3)), layers.Identity(), layers.Relu(),
         layers.Identity()],
        ["Affine", "Relu"],
    ),
    "an identity alone": ([layers.Identity()], ["Identity"]),
    "a head on the input": ([layers.Identity(), layers.Softmax()], ["Identity", "Softmax"]),
    "a scale behind a choice": (
        [layers.Gather([3, 1, 1]), layers.Scale(dyadic(3), dyadic(3)), layers.Relu()], ["Gather", "Scale", "Relu"]
    ),
    "around a bend": (
        [layers.Scale(dyadic(4), dyadic(4)), layers.Affine(dyadic(5, 4), dyadic(5)), layers.Relu(),
         layers.Scale(dyadic(5), dyadic(5)), layers.Affine(dyadic(2, 5), dyadic(2)),
         layers.Scale(dyadic(2), dyadic(2))],
        ["Affine", "Relu", "Affine"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("chain, left", CHAINS.values(), ids=CHAINS)
def test_chains(chain, left):
    network = Network.sequential(4, chain)
    folded = network.fold()
    assert kinds(folded) == left
    assert folded.parameters <= network.parameters
    if network.head is None:
        exact = network.to_exact().fold()
        x = points(network)
        assert exact.exact and exact(x).tolist() == network.to_exact()(x).tolist()
    x = R.normal(size=(20, 4))
    np.testing.assert_allclose(folded(x), network(x), rtol=1e-13, atol=1e-12)


def test_weights_round_once():
    """Numbers of a folded float network are the exact products, each rounded to the nearest float."""
    network = Network.sequential(
        3, [layers.Affine(R.normal(size=s), R.normal(size=s[0])) for s in ((4, 3), (2, 4))]
    )
    folded, exact = network.fold(), network.to_exact().fold()
    for kind in ("weight", "bias"):
        got, want = (getattr(n.nodes[0].layer, kind) for n in (folded, exact))
        assert got.tolist() == np.vectorize(float)(want).tolist()
    network = Network.sequential(
        3, [layers.Affine(R.normal(size=(4, 3)), R.normal(size=4)), layers.Scale(*R.normal(size=(2, 4)))]
    )
    folded, exact = network.fold(), network.to_exact().fold()
    assert folded.nodes[0].layer.bias.tolist() == [float(v) for v in exact.nodes[0].layer.bias]


def test_values_that_others_read_stay():
    nodes = [
        Node(layers.Affine(dyadic(4, 4), dyadic(4)), (0,)),
        Node(layers.Scale(dyadic(4), dyadic(4)), (1,)),
        Node(layers.Add(), (1, 2)),
        Node(layers.Identity(), (3,)),
        Node(layers.Add(), (4, 0)),
    ]
    network = Network(4, tuple(nodes))
    folded = network.to_exact().fold()
    assert kinds(folded) == ["Affine", "Scale", "Add", "Add"]
    x = points(network)
    assert folded(x).tolist() == network.to_exact()(x).tolist()


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_random_networks(networks_with_points, data):
    network, x = data.draw(networks_with_points())
    folded = network.to_exact().fold()
    assert folded(x).tolist() == network.to_exact()(x).tolist()
    assert folded.parameters <= network.parameters and len(folded.nodes) <= len(network.nodes)


def test_batch_norm_behind_a_convolution(model):
    arrays = {"W": R.normal(size=(3, 2, 3, 3)), **{k: R.uniform(0.5, 2, 3) for k in "gbmv"}}
    live = model(
        "Conv{pads=[1,1,1,1]} x W -> h; BatchNormalization h g b m v -> n; Relu n -> y",
        arrays, shape=("N", 2, 5, 4), rank=4,
    )  # fmt: skip
    network = hjsym.load(live)
    folded = network.fold()
    assert (kinds(network), kinds(folded)) == (["Affine", "Scale", "Relu"], ["Affine", "Relu"])
    assert isinstance(folded.nodes[0].layer.weight, SparseMatrix)
    x = R.normal(size=(10, 40))
    np.testing.assert_allclose(folded(x), network(x), rtol=1e-13, atol=1e-13)


def test_rows_compose_as_matrices():
    first, second = layers.Affine(dyadic(5, 4), dyadic(5)), layers.Affine(sparse(3, 5), dyadic(3))
    rows = Rows.of(second, 5).after(Rows.of(first, 4))
    weight = np.asarray(second.weight) @ first.weight
    bias = np.asarray(second.weight) @ first.bias + second.bias
    layer = rows.layer(exact=False, sparse=False)
    assert layer.weight.tolist() == weight.tolist() and layer.bias.tolist() == bias.tolist()
    assert Rows.of(second, 5).work(Rows.of(first, 4)) == sum(
        (first.weight != 0).sum(axis=1)[second.weight.columns]
    )
    assert rows.chosen([2, 0]).layer(True, True).weight.tolist() == weight[[2, 0]].tolist()


def test_needed_nodes_are_numbered_anew():
    nodes = [
        Node(layers.Relu(), (0,)),
        Node(layers.Identity(), (0,)),
        Node(layers.Add(), (0, 2)),
        Node(layers.Relu(), (1,)),
    ]
    assert [(type(n.layer).__name__, n.inputs) for n in needed(nodes, 3)] == [
        ("Identity", (0,)),
        ("Add", (0, 1)),
    ]
    assert [n.inputs for n in needed(nodes)] == [(0,), (1,)]

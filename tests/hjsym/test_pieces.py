"""Affine pieces by passes back over what is active, against differences in rational arithmetic."""

import numpy as np
import pytest

from hjsym import layers
from hjsym.network import Network, Node
from hjsym.pieces import affine_piece
from tropical.sparse import SparseMatrix


def sparse(rng, *shape) -> SparseMatrix:
    dense = rng.integers(-8, 9, size=shape) / 4 * (rng.uniform(size=shape) < 0.5)
    return SparseMatrix(shape, *np.nonzero(dense), dense[np.nonzero(dense)])


def tangled(rng) -> Network:
    """Sparse and dense maps, entries read twice by choices, pools, sums and concatenations; the input read late."""
    nodes = [
        Node(layers.Affine(sparse(rng, 8, 5), rng.integers(-4, 5, size=8) / 4), (0,)),
        Node(layers.Relu(), (1,)),
        Node(layers.Maximum([[0, 1, 2], [1, 2, 3], [5, 6, 7], [7, 7, 7]]), (2,)),
        Node(layers.Gather([3, 3, 0, 1, 2, 0]), (3,)),
        Node(layers.Affine(sparse(rng, 6, 6), rng.integers(-4, 5, size=6) / 4), (4,)),
        Node(layers.clip(-1, 2), (5,)),
        Node(layers.Add([2.0, -0.5]), (6, 4)),
        Node(layers.Concat(3), (7, 0, 3)),
        Node(layers.prelu(rng.integers(-4, 5, size=15) / 4), (8,)),
        Node(layers.Scale(rng.integers(1, 5, size=15) / 2, rng.integers(-4, 5, size=15) / 4), (9,)),
        Node(layers.Affine(rng.integers(-4, 5, size=(3, 15)) / 4, np.ones(3)), (10,)),
    ]
    return Network(5, tuple(nodes))


@pytest.mark.parametrize("seed", range(3))
def test_against_differences(seed):
    rng = np.random.default_rng(seed)
    network = tangled(rng)
    x = rng.integers(-(2**20), 2**20, size=(2, 4, 5)) / 2**17
    slope, intercept = affine_piece(network, x)
    assert slope.shape == (2, 4, 3, 5) and intercept.shape == (2, 4, 3)
    exact = network.to_exact()
    exact_slope, exact_intercept = affine_piece(exact, x)
    for index in np.ndindex(2, 4):
        step = np.eye(5) * 2.0**-40
        differences = (exact(x[index] + step) - exact(x[index])) * 2**40
        assert (exact_slope[index] == differences.T).all()  # inside a region, exactly
        assert (exact_slope[index] @ x[index] + exact_intercept[index] == exact(x[index])).all()
        alone = affine_piece(network, x[index], [2, 0])
        np.testing.assert_array_equal(alone[0], slope[index][[2, 0]])
        np.testing.assert_array_equal(alone[1], intercept[index][[2, 0]])
    np.testing.assert_allclose(slope, exact_slope.astype(float), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(intercept, exact_intercept.astype(float), rtol=1e-13, atol=1e-13)


def test_sums_of_sums_stay_small():
    """Each sum reads its operand twice; 60 of them would be 2^60 rows."""
    nodes = [Node(layers.Add([0.5, 0.5]), (k, k)) for k in range(60)]
    slope, intercept = affine_piece(Network(2, tuple(nodes)), [1.0, 2.0])
    assert (slope == np.eye(2)).all() and (intercept == 0).all()


def test_nothing_is_active():
    network = Network.sequential(
        2, [layers.Affine(np.eye(2), [0.0, 0.0]), layers.Relu(), layers.Affine([[1.0, 1.0]], [3.0])]
    )
    for x in ([-1.0, -1.0], [[-1.0, -1.0]] * 3, np.zeros((0, 2))):
        slope, intercept = affine_piece(network, x)
        assert (slope == 0).all() and (intercept == 3).all() and slope.shape == (*np.shape(x)[:-1], 1, 2)
    constant = Network(
        2, (Node(layers.Affine([[1.0, 2.0]], [1.0]), (0,)), Node(layers.Gather(np.zeros(0, int)), (1,)))
    )
    assert affine_piece(constant, [1.0, 2.0])[0].shape == (0, 2)

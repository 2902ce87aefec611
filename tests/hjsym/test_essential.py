"""Explicit P and Q of compiled networks, and their linear regions, against the networks themselves."""

import numpy as np
import pytest

import hjsym
from hjsym import layers
from hjsym.network import Network, Node
from tropical import Box, InputError, linear_regions


def bent_network(seed: int, outputs: int = 2) -> Network:
    """A residual network with slopes below and above 1, so that rails are swapped and branches differ in scale."""
    rng = np.random.default_rng(seed)

    def affine(rows, columns):
        return layers.Affine(rng.normal(size=(rows, columns)), rng.normal(size=rows))

    nodes = [
        Node(affine(4, 2), (0,)),
        Node(layers.LeakyRelu(0.01), (1,)),
        Node(affine(4, 4), (2,)),
        Node(layers.Relu(), (3,)),
        Node(layers.Add(), (4, 2)),
        Node(layers.LeakyRelu(1.5), (5,)),
        Node(affine(outputs, 4), (6,)),
    ]
    return Network(2, tuple(nodes))


@pytest.mark.parametrize("seed", range(3))
def test_regions_of_a_network(seed):
    f = hjsym.compile(bent_network(seed), exact=True)
    regions = linear_regions(f)
    for region in regions:
        x = region.witness
        assert (region.slope @ x + region.intercept == f.network(x)).all()
    points = np.random.default_rng(seed).normal(size=(5, 2))
    for k, (P, Q) in enumerate(f.essential()):
        assert (P(points) - Q(points) == f.network(points)[:, k]).all()


def test_floats_are_rounded_once_at_the_end():
    network = bent_network(5)
    rounded, exact = hjsym.compile(network).essential(), hjsym.compile(network, exact=True).essential()
    for pair, exact_pair in zip(rounded, exact, strict=True):
        for p, q in zip(pair, exact_pair, strict=True):
            np.testing.assert_array_equal(p.slopes, q.slopes.astype(float))
            np.testing.assert_array_equal(p.coefficients, q.coefficients.astype(float))


def test_one_output_and_a_domain():
    f = hjsym.compile(bent_network(1, outputs=1), exact=True)
    P, Q = f.essential()
    inside_P, inside_Q = f.essential(Box(-1, 1))
    assert len(inside_P) <= len(P) and len(inside_Q) <= len(Q)
    points = np.random.default_rng(0).uniform(-1, 1, size=(20, 2))
    assert (inside_P(points) == P(points)).all() and (inside_Q(points) == Q(points)).all()


def test_soft_networks_have_no_regions():
    soft = Network.sequential(1, [layers.Affine([[1.0]], [0.0]), layers.Softplus(0.5)])
    with pytest.raises(InputError, match="deform"):
        hjsym.compile(soft).essential()
    P, Q = hjsym.compile(soft).deform(0).essential()
    assert (len(P), len(Q)) == (2, 1)

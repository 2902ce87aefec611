"""The intervals that errors are sent back through hold every slope between two points, for each layer."""

import numpy as np
import pytest

from hjsym import layers
from hjsym.adjoint_rounding import _back, _repeated, network_bound
from hjsym.network import Network, Node

RNG = np.random.default_rng(0)
WAVE = layers.PiecewiseLinear([-1.0, -0.25, -0.25, 2.0], [0.5, -1.0, 3.0, 0.0, 2.0], 0.75)
GROUPS = layers.Maximum([[0, 1, 5], [2, 5, 2], [3, 3, 3], [4, 0, 1]])
LAYERS = [
    layers.Affine(RNG.normal(size=(3, 6)), RNG.normal(size=3)),
    layers.Scale(RNG.normal(size=6), RNG.normal(size=6)),
    layers.Identity(),
    layers.Gather([1, 3, 3, 0, 3]),
    layers.Add([1.0, -0.5, 3.0]),
    layers.Concat(2),
    layers.Relu(),
    layers.Softplus(0.1),
    layers.LeakyRelu(-0.5),
    layers.prelu([0.1, 0.5, -2.0, 0.0, 1.0, 1.5]),
    WAVE,
    WAVE.deform(0.2),
    GROUPS,
    GROUPS.deform(0.3),
    layers.Maximum(),
    layers.LogSumExp(2.0),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("size", [1e-9, 0.1, 3.0])
def test_slopes_between_two_points(layer, size):
    """|B (F(x) − F(h)) − A (x − h)| ≤ R |x − h| for every h within the errors of x and B within the radius."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        x = [rng.normal(size=6) * 2 for _ in range(layer.operands)]
        errors = [size * rng.random(6) * (rng.random(6) < 0.7) for _ in x]
        h = [v + e * rng.choice([-1, 1, rng.uniform(-1, 1)], size=6) for v, e in zip(x, errors, strict=True)]
        change = layer(*x) - layer(*h)
        centre = rng.normal(size=(2, len(change)))
        radius = rng.random(size=centre.shape) * rng.choice([0.0, 0.5])
        B = centre + radius * rng.uniform(-1, 1, size=centre.shape)
        parts = _back(layer, centre, radius, *zip(x, errors, strict=True))
        steps = [v - w for v, w in zip(x, h, strict=True)]
        off = B @ change - sum(A @ d for (A, _), d in zip(parts, steps, strict=True))
        room = sum(R @ abs(d) for (_, R), d in zip(parts, steps, strict=True))
        assert (abs(off) <= room + 1e-13).all()


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_without_errors_slopes_are_those_of_the_piece(layer):
    rng = np.random.default_rng(4)
    x = [rng.normal(size=6) for _ in range(layer.operands)]
    centre = rng.normal(size=(2, layer.output_size(*[6] * len(x))))
    parts = _back(layer, centre, np.zeros(centre.shape), *((v, np.zeros(6)) for v in x))
    assert all((R < 1e-12).all() for _, R in parts)


def test_repeated_entries():
    assert _repeated(np.array([[3, 1, 3, 1, 1], [0, 1, 2, 3, 4]])).tolist() == [
        [False, False, True, True, True],
        [False] * 5,
    ]
    assert _repeated(np.zeros((0, 2), dtype=int)).shape == (0, 2)


def test_layers_that_nobody_reads():
    affine = layers.Affine([[1.0, 2.0]], [0.1])
    network = Network(
        2, (Node(affine, (0,)), Node(layers.Relu(), (0,)), Node(affine, (2,)), Node(layers.Add(), (3, 3)))
    )
    bound = network_bound(network, [[0.1, 0.2], [np.nan, 1.0]])
    assert 0 < bound[0] < 1e-14 and bound[1] == np.inf

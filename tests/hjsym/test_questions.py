"""Questions to networks: exact answers against finite differences and scipy.optimize, bounds against exact answers."""

from fractions import Fraction
from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import differential_evolution

import hjsym
from hjsym import layers
from hjsym.layer_norms import lipschitz_bound, margin_bounds, weight_norm
from hjsym.network import Network, Node
from hjsym.questions import _steepest_step
from tropical import Box, BudgetExceeded, Circuit, InputError, Polyhedron, Slice
from tropical.domain import Domain
from tropical.sparse import SparseMatrix

NORMS = [1, 2, inf]


def dense(rng, *shape):
    return [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in pairwise(shape)]


def branching(rng) -> Network:
    """A residual network with every kind of layer that bends or chooses."""
    pool = layers.Maximum([[0, 1], [1, 2], [2, 3], [3, 3]])
    nodes = [
        Node(layers.Affine(rng.normal(size=(4, 2)), rng.normal(size=4)), (0,)),
        Node(layers.LeakyRelu(-0.5), (1,)),
        Node(pool, (2,)),
        Node(layers.Add([1.0, -2.0]), (3, 1)),
        Node(layers.Gather([0, 0, 3]), (4,)),
        Node(layers.Concat(2), (5, 2)),
        Node(layers.Scale(rng.normal(size=7), rng.normal(size=7)), (6,)),
        Node(layers.clip(-1, 2), (7,)),
        Node(
            layers.Affine(SparseMatrix((3, 7), [0, 1, 2, 2], [1, 0, 4, 6], rng.normal(size=4)), np.ones(3)),
            (8,),
        ),
    ]
    return Network(2, tuple(nodes))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_bounds_are_above_the_exact_constants(norm, seed):
    rng = np.random.default_rng(seed)
    for source in (dense(rng, 2, 6, 3), dense(rng, 3, 4, 4, 2), branching(rng)):
        exact = hjsym.lipschitz(source, norm)
        part = hjsym.lipschitz(source, norm, max_regions=3)
        assert exact.exact and not part.exact
        assert 0 < part.lower <= exact.upper and exact.lower <= part.upper < 1000 * exact.upper
        f = hjsym.compile(source)
        slope, _ = f.affine_at(rng.normal(size=(200, f.variables)) * 3)
        sizes = np.linalg.norm(slope, norm, axis=(-2, -1))
        assert sizes.max() <= float(exact.upper) * (1 + 1e-12)
        assert (np.linalg.norm(exact.slope.astype(float), norm)) == pytest.approx(
            float(exact.upper), rel=1e-11
        )


def test_bounds_of_known_networks():
    net = [([[3.0, 0.0], [4.0, 0.0]], [0.0, 0.0]), ([[1.0, 3.0]], [0.0])]
    for norm, product in ((1, 7 * 3), (2, 5 * np.sqrt(10)), (inf, 4 * 4)):
        assert product <= lipschitz_bound(hjsym.load(net), norm) * (1 + 1e-15) <= product * (1 + 1e-9)
    for chosen in (layers.Gather([0, 1, 0]), layers.Maximum([[0, 1, 1], [2, 0, 2]])):  # one entry comes twice
        network = Network.sequential(3, [chosen])
        bounds = [lipschitz_bound(network, norm) for norm in NORMS]
        assert bounds == pytest.approx([2, np.sqrt(2), 1], rel=1e-13)
        assert [hjsym.lipschitz(network, norm).value for norm in NORMS] == pytest.approx(bounds, rel=1e-11)
    soft = Network.sequential(2, [layers.Affine([[3.0, 4.0]], [0.0]), layers.Softplus(0.5)])
    found = hjsym.lipschitz(soft)
    assert not found.exact and 5 <= found.upper < 5.0001 and found.lower == 0
    along = hjsym.lipschitz(soft, 2, Slice([0, 0], [[30, 0], [0, 30]]))
    assert 150 <= along.upper < 150.001


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(NORMS), st.integers(0, 2**32))
def test_weight_norms(rows, columns, norm, seed):
    W = np.random.default_rng(seed).normal(size=(rows, columns))
    exact = np.array([[Fraction(a) for a in row] for row in W], dtype=object)
    sparse = SparseMatrix(W.shape, *np.indices(W.shape).reshape(2, -1), W.ravel())
    for weight in (W, exact, sparse, sparse.astype(np.dtype(object))):
        assert 1 - 1e-15 <= weight_norm(weight, norm) / np.linalg.norm(W, norm) <= 1 + 1e-9


def test_margins_subtract_the_last_layer():
    """Scores (z, z + 1) keep their difference whatever z is, so the bound of that is 0."""
    net = hjsym.load([([[5.0]], [0.0]), ([[1.0], [1.0], [3.0]], [0.0, 1.0, 0.0])])
    for norm in NORMS:
        assert margin_bounds(net, norm, 0) == pytest.approx([0, 0, 10], rel=1e-12, abs=1e-12)
    one_layer = hjsym.load([([[1.0, 2.0], [0.0, 0.0]], [0.0, 0.0])])  # f_0 − f_1 = x + 2y, in the dual norms
    for norm, size in ((1, 2), (2, np.sqrt(5)), (inf, 3)):
        assert margin_bounds(one_layer, norm, 0) == pytest.approx([0, size], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_distances_and_their_bounds(norm, seed):
    rng = np.random.default_rng(seed)
    for source in (dense(rng, 2, 6, 3), dense(rng, 2, 4, 4, 1), branching(rng)):
        x = rng.normal(size=2)
        exact = hjsym.nearest_boundary(source, x, norm)
        bound = hjsym.nearest_boundary(source, x, norm, max_regions=1)
        assert exact.exact and not bound.exact and bound.classes[0] == exact.classes[0]
        assert 0 < bound.lower <= exact.upper and exact.lower <= bound.upper
        network = hjsym.load(source)
        scores = network.to_exact()(exact.point) if exact.point is not None else []
        if len(scores):
            assert (scores == 0).all() if len(scores) == 1 else sorted(scores)[-1] == sorted(scores)[-2]
        # within the distance every point has the class of x
        steps = rng.normal(size=(400, 2))
        steps *= (
            min(float(exact.lower), 100) * (1 - 1e-9) / np.linalg.norm(steps, norm, axis=1, keepdims=True)
        )
        values = network(x + steps * rng.uniform(size=(400, 1)))
        classes = (values[:, 0] > 0) if values.shape[1] == 1 else values.argmax(axis=1)
        assert (classes == exact.classes[0]).all()


def test_a_stored_network():
    """64 inputs are too many for regions: proved bounds on both sides, and a point with two classes."""
    f = hjsym.compile("examples/models/digits-relu.onnx")
    x = np.linspace(0, 1, 64)
    near = hjsym.nearest_boundary(f, x, max_regions=100)
    assert not near.exact and 0 < near.lower < near.upper < 10
    scores = f.network.to_exact()(near.point)
    assert scores[near.classes[0]] == scores[near.classes[1]] == max(scores)
    found = hjsym.lipschitz(f, domain=Box(0, 1))
    slope, _ = f.affine_at(np.random.default_rng(0).uniform(size=(100, 64)))
    steepest = np.linalg.norm(slope, 2, axis=(1, 2)).max()
    assert not found.exact and 0.5 * steepest < found.lower < found.upper and steepest <= found.upper


@pytest.mark.parametrize("norm", NORMS)
def test_lower_bounds_without_regions(norm):
    rng = np.random.default_rng(0)
    f = hjsym.compile(dense(rng, 3, 5, 4, 2))
    for domain in (Domain(), Box(-1, 1), Box(0, np.inf), Slice([0, 1, 0], [[1, 0, 2], [0, 3, 0]])):
        exact = hjsym.lipschitz(f, norm, domain)
        assert 0.2 * exact.lower < _steepest_step(f, norm, domain) <= exact.upper
    flat = hjsym.compile([(np.zeros((2, 3)), np.ones(2))])
    assert _steepest_step(flat, norm, Domain()) == 0
    narrow = Polyhedron([[1, 1, 1], [-1, -1, -1]], [1e-9, 0])  # where no random point falls
    assert _steepest_step(f, norm, narrow) == 0


def test_extrema_against_a_search():
    f, box = hjsym.compile(dense(np.random.default_rng(4), 2, 6, 6, 2)), Box(-2, 3)
    for output in (0, 1):
        top = hjsym.maximize(f, box, output=output)
        low = hjsym.minimize(f, box, output=output)
        assert f.network.to_exact()(top.point)[output] == top.value
        assert f.network.to_exact()(low.point)[output] == low.value
        for sign, value in ((-1, top.value), (1, low.value)):
            search = differential_evolution(
                lambda x, s=sign, k=output: s * f.network(x)[k], [(-2, 3)] * 2, seed=0, tol=1e-10, maxiter=300
            )
            assert sign * search.fun == pytest.approx(float(value), abs=1e-5)


@settings(max_examples=25)
@given(st.data())
def test_a_network_equals_itself_and_no_shifted_one(networks_with_points, data):
    network, _ = data.draw(networks_with_points(max_depth=2))
    f = hjsym.compile(network)
    assert hjsym.equivalent(f, hjsym.compile(network, exact=True))
    last = network.nodes[-1].layer
    shifted = layers.Affine(last.weight, last.bias + np.eye(len(last.bias))[0] * 2.0**-40)
    other = Network(network.input_size, (*network.nodes[:-1], Node(shifted, network.nodes[-1].inputs)))
    found = hjsym.equivalent(f, other)
    assert not found and (found.values[1] - found.values[0])[0] == Fraction(1, 2**40)
    assert (network.to_exact()(found.point) == found.values[0]).all()


def test_rounding_is_seen():
    """Weights to float32 change the function; folding a batch norm by a power of two does not."""
    rng = np.random.default_rng(0)
    (W, b), (V, c) = dense(rng, 2, 5, 1)
    exactly_scaled = [(W * 4, b * 4), (V / 4, c)]
    assert hjsym.equivalent([(W, b), (V, c)], exactly_scaled)
    rounded = [(W.astype(np.float32).astype(float), b), (V, c)]
    assert not hjsym.equivalent([(W, b), (V, c)], rounded)


def test_convexity_of_networks():
    rng = np.random.default_rng(1)
    (W, b), (V, c), (U, a) = dense(rng, 2, 5, 4, 2)
    assert hjsym.is_convex([(W, b), (abs(V), c), (abs(U), a)], output=1)
    concave = hjsym.is_convex([(W, b), (abs(V), c), (-abs(U), a)], output=1)
    assert not concave
    values = hjsym.load([(W, b), (abs(V), c), (-abs(U), a)]).to_exact()(concave.points)[:, 1]
    assert (values == concave.values).all() and 2 * values[1] > values[0] + values[2]


def test_pairs_are_domains():
    net = dense(np.random.default_rng(0), 2, 4, 2)
    box, pair = Box([-1, 0], 1), ([-1, 0], 1)
    assert hjsym.equivalent(net, net, pair).regions == hjsym.equivalent(net, net, box).regions
    assert hjsym.lipschitz(net, 1, pair).value == hjsym.lipschitz(net, 1, box).value
    assert hjsym.maximize(net, pair).value == hjsym.maximize(net, box).value
    assert hjsym.is_convex(net, pair).regions == hjsym.is_convex(net, box).regions
    near = hjsym.nearest_boundary(net, [0.5, 0.5], 2, pair)
    assert near.upper == hjsym.nearest_boundary(net, [0.5, 0.5], 2, box).upper
    assert hjsym.lipschitz(net, 1, pair, max_regions=1).lower > 0


def test_bad_input():
    net = dense(np.random.default_rng(0), 2, 3, 1)
    for ask in (hjsym.lipschitz, lambda f, norm: hjsym.nearest_boundary(f, [0, 0], norm)):
        with pytest.raises(InputError, match="pass 1, 2 or"):
            ask(net, 3)
    sigmoid = Network.sequential(1, [layers.Affine([[1.0]], [0.0]), layers.Sigmoid()])
    with pytest.raises(InputError, match="Sigmoid and g with NoneType"):
        hjsym.equivalent(sigmoid, [([[1.0]], [0.0])])
    soft = Network.sequential(1, [layers.Affine([[1.0]], [0.0]), layers.Softplus()])
    with pytest.raises(InputError, match="deform"):
        hjsym.nearest_boundary(soft, [0.0])
    with pytest.raises(InputError, match="partial"):
        hjsym.maximize(net, partial=True)
    many = Circuit.identity(2) + 0
    for ask in (hjsym.lipschitz, lambda f, **o: hjsym.nearest_boundary(f, [1, 2], **o)):
        with pytest.raises(BudgetExceeded):  # a circuit has no layers to bound
            ask(many, max_regions=1)

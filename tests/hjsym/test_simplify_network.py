"""Smaller networks: equality proved over regions, each stated reason against exact values, proofs that are checked."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.datasets import load_dataset
from hjsym.network import Network, Node
from hjsym.simplification import Simplification, simplify_network
from tropical import Box, BudgetExceeded, InputError, Polyhedron, Slice
from tropical.sparse import SparseMatrix

EIGHTH = Fraction(1, 8)
THIN = Box([-1, 2], [0, 2])  # without interior
TRIANGLE = Polyhedron([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])


def inside(domain, d: int, count: int = 30, seed: int = 0) -> np.ndarray:
    """Rational points of a domain."""
    rng = np.random.default_rng(seed)
    if isinstance(domain, Box):
        low, high = (np.array([Fraction(v) for v in end.tolist()]) for end in domain.bounds(d))
        share = np.array([[Fraction(int(v), 60) for v in row] for row in rng.integers(0, 61, (count, d))])
        return low + share * (high - low)
    if domain is TRIANGLE:
        pairs = np.sort(rng.integers(0, 61, (count, 2)), axis=1)
        return np.array([[Fraction(int(a), 60), Fraction(int(b - a), 60)] for a, b in pairs])
    return np.array([[Fraction(int(v), 7) for v in row] for row in rng.integers(-90, 91, (count, d))])


def verify(found: Simplification, source, domain, d: int, regions: bool = True) -> None:
    """What is said holds: exact equality at points and over regions, every relation between units, the proof."""
    network = hjsym.load(source).without_head().to_exact()
    points = inside(domain, d)
    assert found.exact(points).tolist() == network(points).tolist()
    values = found.proof.network.values(points)
    for removal in found.proof:
        h = values[removal.layer + 1]
        size = h.shape[1]
        known = removal.reason in ("inactive", "constant", "proportional", "dependent")
        if known and max(removal.units[0], *removal.equals, 0) < size:
            total = sum((c * h[:, j] for j, c in removal.equals.items()), removal.constant)
            assert (h[:, removal.units[0]] == total).all()
        if removal.reason in ("linear", "merged"):
            z = values[found.proof.network.nodes[removal.layer].inputs[0]]
            layer = found.proof.network.nodes[removal.layer].layer
            for unit in (u for u in removal.units if u < size):
                breaks = layer.breaks[:, unit if layer.breaks.shape[1] > 1 else 0]
                assert not any(z[:, unit].min() < place < z[:, unit].max() for place in breaks)
    for k, intervals in enumerate(found.proof.bounds.intervals):
        for i, (low, high) in enumerate(intervals):
            assert all(low <= v <= high for v in values[k][:, i])
    assert found.proof.check()
    if regions:
        assert hjsym.equivalent(found.exact, network, domain)


NUMBER = st.integers(-3, 3).map(lambda k: Fraction(k, 2))


@st.composite
def chains(draw, d: int = 2) -> Network:
    """Small weights, so that units often are constant, equal, proportional or dependent."""
    made, size = [], d
    for _ in range(draw(st.integers(1, 2))):
        width = draw(st.integers(1, 5))
        rows = st.lists(NUMBER, min_size=size, max_size=size)
        weight = draw(st.lists(rows, min_size=width, max_size=width))
        made.append(layers.Affine(weight, draw(st.lists(NUMBER, min_size=width, max_size=width))))
        made.append(
            draw(st.sampled_from([layers.Relu(), layers.Relu(), layers.LeakyRelu(0.25), layers.clip(-1, 1)]))
        )
        size = width
    weight = draw(st.lists(st.lists(NUMBER, min_size=size, max_size=size), min_size=1, max_size=2))
    made.append(layers.Affine(weight, [Fraction(0)] * len(weight)))
    return Network.sequential(d, made, exact=True)


@given(network=chains(), domain=st.sampled_from([None, Box(0, 1), THIN, Box(-4, 4), TRIANGLE]))
@settings(max_examples=40, deadline=None)
def test_random_networks(network, domain):
    found = simplify_network(network, domain, points=32)
    verify(found, network, domain, 2, regions=domain is not THIN)
    before, after = found.saving.units
    left = sum(
        size for node, size in zip(found.network.nodes, found.network.sizes[1:], strict=True)
        if isinstance(node.layer, layers.PiecewiseLinear)
    )  # fmt: skip
    assert left == after <= before and not found.change.any()


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_networks_with_residual_edges(networks_with_points, data):
    network, points = data.draw(networks_with_points())
    found = simplify_network(network, points=16)
    assert found.exact(points).tolist() == network.to_exact()(points).tolist()
    assert found.proof.check()


# ---- each reason by itself ----------------------------------------------------------------------------


def reasons(found: Simplification) -> list[str]:
    return [removal.reason for removal in found.proof]


def test_inactive_and_constant_units():
    net = [([[1, 1], [-1, -1], [0, 0], [1, -1]], [0, -3, 2, 0]), ([[1, 5, 3, -1]], [1])]
    found = simplify_network(net, Box(-1, 1))
    assert reasons(found) == ["inactive", "constant"]
    assert [r.constant for r in found.proof] == [0, 2]
    (weight, bias), (second, last) = found.network.pairs()
    assert weight.tolist() == [[1, 1], [1, -1]] and bias.tolist() == [0, 0]
    assert second.tolist() == [[1, -1]] and last.tolist() == [7]
    verify(found, net, Box(-1, 1), 2)


def test_units_that_nothing_reads():
    net = [([[1, 1], [1, -1]], [0, 0]), ([[1, 1], [0, 2]], [0, 0]), ([[1, 0]], [0])]
    found = simplify_network(net)
    assert reasons(found) == ["unread", "linear"]  # a sum of ReLUs is never negative
    verify(found, net, None, 2)
    net[1] = ([[1, 0], [0, 2]], [0, 0])  # what only that unit read is read no more
    found = simplify_network(net)
    assert reasons(found).count("unread") == 2
    verify(found, net, None, 2)


def test_multiples_on_all_of_space():
    net = [([[1, -2], [3, -6], [-1, 2], [0.5, -1]], [1, 3, -1, 0.5]), ([[1, 1, 1, 4]], [0])]
    found = simplify_network(net)
    assert [(r.units, r.equals) for r in found.proof] == [((1,), {0: 3}), ((3,), {0: Fraction(1, 2)})]
    assert found.network.nodes[-1].layer.weight.tolist() == [[6, 1]]
    verify(found, net, None, 2)
    same = Network.sequential(
        1, [layers.Affine([[1], [1], [2]], [0, 0, 0]), layers.clip(-1, 1), layers.Affine([[1, 1, 1]], [0])]
    )
    assert [(r.units, r.equals) for r in simplify_network(same).proof] == [((1,), {0: 1})]


def test_dependent_units():
    """Rows of rank 2 that are all active: the third is a combination of two, and one unit bends so the layer stays."""
    net = [([[1, 0], [0, 1], [1, 1], [1, -1]], [2, 2, 3, 0]), (np.eye(4), np.zeros(4))]
    found = simplify_network(net, Box(-1, 1))
    assert reasons(found) == ["dependent"]
    (removal,) = found.proof
    assert (removal.units, removal.equals, removal.constant) == ((2,), {0: 1, 1: 1}, -1)
    verify(found, net, Box(-1, 1), 2)


def test_linear_layers_go():
    net = [([[1, 0], [0, 1], [1, 1]], [2, 2, 3]), ([[1, -1, 2], [0, 1, 1]], [0, 0]), ([[1, 1]], [0])]
    found = simplify_network(net, Box(-1, 1))
    assert "linear" in reasons(found) and found.saving.units[1] < 5
    verify(found, net, Box(-1, 1), 2)
    everything = simplify_network(net, Box(Fraction(1, 2), 1))
    assert [type(node.layer) for node in everything.network.nodes] == [layers.Affine]
    verify(everything, net, Box(Fraction(1, 2), 1), 2)


def test_a_bottleneck_loses_its_bend_and_keeps_its_shape():
    rng = np.random.default_rng(0)
    net = [
        (rng.integers(1, 5, (1, 6)), [1]),
        (rng.integers(-4, 5, (5, 1)), np.zeros(5)),
        (np.ones((1, 5)), [0]),
    ]
    found = simplify_network(net, Box(0, 1))
    assert found.saving.layers[0][2] == 0 and found.network.parameters <= hjsym.load(net).parameters
    verify(found, net, Box(0, 1), 6, regions=False)


def test_active_units_become_the_sums_that_are_read():
    """Six active units of rank 4, one that bends, one output: a single unit is left of the six."""
    rng = np.random.default_rng(1)
    weight = rng.integers(-4, 5, (7, 4)) / 4
    net = [(weight, [5.0] * 6 + [0.0]), (rng.integers(1, 4, (1, 7)), [0.5])]
    found = simplify_network(net, Box(-1, 1))
    assert reasons(found)[-1] == "merged" and found.saving.units == (7, 2)
    assert len(found.network.pairs()) == 2
    verify(found, net, Box(-1, 1), 4, regions=False)
    assert hjsym.equivalent(found.exact, net, Box(-1, 1))


def test_nothing_left_is_a_constant():
    net = [([[1.0], [-1.0]], [-5.0, -5.0]), ([[1.0, 2.0], [1.0, 1.0]], [0.0, 1.0]), ([[3.0, 1.0]], [0.25])]
    found = simplify_network(net, Box(-1, 1))
    assert found.saving.units == (4, 0)
    assert found.network([[0.5], [-1.0]]).tolist() == [[1.25], [1.25]]
    verify(found, net, Box(-1, 1), 1)


def test_one_layer_alone():
    net = [([[1.0, 2.0]], [0.0])]
    found = simplify_network(net)
    assert not len(found.proof) and found.proof.check() and found.saving.units == (0, 0)
    assert found.network.pairs()[0][0].tolist() == [[1, 2]]


# ---- deciding -----------------------------------------------------------------------------------------


def test_linear_programs_prove_more_than_intervals():
    """|x| + |y| ≤ 2 on the square, |x| + |y| as four ReLUs: its unit minus 2.25 is inactive; intervals say ≤ 1.75."""
    rows = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    net = [(rows, [0] * 4), ([[1, 1, 1, 1], [1, 0, 1, -1]], [-2.25, 0]), ([[1, 1]], [0])]
    found = simplify_network(net, Box(-1, 1))
    assert "inactive" in reasons(found)
    verify(found, net, Box(-1, 1), 2)
    forward = found.proof.bounds.forward(3)
    assert forward[0][1] > 0 >= found.proof.bounds.intervals[3][0][1]


def test_programs_choose_lines_that_the_plain_rule_does_not():
    """Found by trying seeds: with the plain lines a unit stays undecided that a program proves to be inactive."""
    rng = np.random.default_rng(6)
    decided = 0
    for _ in range(12):
        net = [
            (rng.integers(-4, 5, (5, 3)) / 4, rng.integers(-2, 3, 5) / 4),
            (rng.integers(-4, 5, (4, 5)) / 4, rng.integers(-7, 0, 4) / 4),
            (np.ones((1, 4)), [0]),
        ]
        plain, found = (simplify_network(net, Box(-1, 1), programs=n) for n in (0, 100))
        assert found.saving.undecided <= plain.saving.undecided
        decided += plain.saving.undecided - found.saving.undecided
        verify(found, net, Box(-1, 1), 3, regions=False)
    assert decided > 0


def test_polyhedra():
    """On the triangle x + y ≤ 1 no box knows that x + y − 1 is never positive."""
    net = [([[1, 1], [1, -1], [2, 2]], [-1, 0, 1]), ([[5, 1, 1]], [0])]
    assert "inactive" not in reasons(simplify_network(net, Box(0, 1)))
    found = simplify_network(net, TRIANGLE)
    assert reasons(found)[0] == "inactive" and found.saving.units == (3, 2)
    verify(found, net, TRIANGLE, 2)
    deep = [([[1, 0], [0, 1], [-1, 1]], [0, 0, 0]), ([[1, 1, 0], [1, -1, 1]], [-1.5, 0]), ([[1, 1]], [0])]
    found = simplify_network(deep, TRIANGLE)
    assert "inactive" in reasons(found)
    verify(found, deep, TRIANGLE, 2)


def test_half_open_boxes():
    domain = Box([0, -np.inf], [np.inf, 0])
    net = [([[1, 0], [0, 1], [1, -1], [1, 1]], [1, -1, 2, 0]), ([[1, 2, 3, 4]], [0])]
    found = simplify_network(net, domain)
    assert found.saving.units == (4, 2) and set(reasons(found)) == {"inactive", "merged"}
    assert found.proof.check() and hjsym.equivalent(found.exact, net, domain)


def test_a_point_as_domain():
    net = [([[1.0, -1.0], [2.0, 1.0]], [0.0, 1.0]), ([[1.0, 1.0]], [0.0])]
    found = simplify_network(net, Box([0.25, 0.5], [0.25, 0.5]))
    assert found.saving.units[1] == 0
    assert found.network([0.25, 0.5]).tolist() == hjsym.load(net)([0.25, 0.5]).tolist()


# ---- proofs that lie ----------------------------------------------------------------------------------


def test_false_proofs_are_found():
    net = [([[1, 1], [2, 2], [-1, -1], [1, -1]], [0, 0, -3, 0]), ([[1, 2, 5, 1]], [0])]
    proof = simplify_network(net, Box(-1, 1)).proof
    assert proof.check()
    removals = list(proof.removals)
    k = next(k for k, r in enumerate(removals) if r.reason == "proportional")
    lies = [
        replace(removals[k], equals={0: Fraction(3)}),
        replace(removals[k], units=(3,)),
        replace(removals[k], reason="unread"),
        replace(removals[k], reason="dependent"),
        replace(removals[k], layer=0),
    ]
    for lie in lies:
        assert not replace(proof, removals=(*removals[:k], lie, *removals[k + 1 :])).check()
    assert not replace(proof, removals=()).check()
    assert not replace(proof, result=hjsym.load(net).to_exact()).check()
    assert not replace(proof, pieces={2: [0, 0, 0, 0]}).check()


def test_false_bounds_are_found():
    rows = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    net = [(rows, [0] * 4), ([[1, 1, 1, 1], [1, 0, 1, -1]], [-2.25, 0]), ([[1, 1]], [0])]
    bounds = simplify_network(net, Box(-1, 1)).proof.bounds
    assert bounds.check()
    for value, entry in ((0, 0), (1, 2), (3, 0)):
        low, high = bounds.intervals[value][entry]
        for lie in ((low, high - EIGHTH), (low + EIGHTH, high)):
            bounds.intervals[value][entry] = lie
            assert not bounds.check() or value == 3  # a bound from a program may have room
        bounds.intervals[value][entry] = (low, high)
    bounds.intervals[3][0] = (bounds.intervals[3][0][0], Fraction(-1))
    assert not bounds.check()


# ---- floats -------------------------------------------------------------------------------------------


def test_floats_change_no_more_than_said():
    rng = np.random.default_rng(4)
    net = [(rng.normal(size=(9, 3)), rng.normal(size=9) + 2), (rng.normal(size=(2, 9)), rng.normal(size=2))]
    net[0][0][1] = net[0][0][0] * 0.3
    net[0][1][1] = net[0][1][0] * 0.3
    domain = Box(-0.5, 0.5)
    found = simplify_network(net, domain)
    assert found.saving.units[1] < found.saving.units[0] and not found.network.exact
    points = inside(domain, 3)
    difference = abs(found.network.to_exact()(points) - found.exact(points)).max(axis=0)
    assert (difference <= [Fraction(v) for v in found.change]).all()
    assert 0 < found.change.max() < 1e-13
    verify(found, net, domain, 3, regions=False)


def test_what_needs_no_rounding_keeps_its_bits():
    rng = np.random.default_rng(5)
    net = [
        (rng.normal(size=(6, 3)), np.array([0, 0, -9, 0, -9, 0.0])),
        (rng.normal(size=(2, 6)), rng.normal(size=2)),
    ]
    found = simplify_network(net, Box(-1, 1))
    assert set(reasons(found)) == {"inactive"} and not found.change.any()
    (weight, _), (second, bias) = found.network.pairs()
    kept = [0, 1, 3, 5]
    assert weight.tolist() == net[0][0][kept].tolist() and second.tolist() == net[1][0][:, kept].tolist()
    assert bias.tolist() == net[1][1].tolist()


def test_digits():
    """The trained network: nothing to save on the whole cube, a quarter of the units around an image."""
    network = hjsym.load("examples/models/digits-relu.onnx")
    whole = simplify_network(network, Box(0, 1))
    assert whole.saving.units == (48, 48) and whole.saving.undecided == 0
    image = load_dataset("digits")[0][0]
    domain = Box(np.maximum(image - 1 / 16, 0), np.minimum(image + 1 / 16, 1))
    found = simplify_network(network, domain)
    assert found.saving.units == (48, 37) and found.saving.parameters == (2778, 1935)
    points = inside(domain, 64, count=1)
    assert found.exact(points).tolist() == network.to_exact()(points).tolist()
    assert found.change.max() < 1e-13


# ---- other layers ---------------------------------------------------------------------------------------


def test_sparse_layers_stay_sparse(model):
    rng = np.random.default_rng(2)
    live = model(
        "Conv x W b -> h; Relu h -> r; Conv r V -> z; Relu z -> q; Flatten q -> f; Gemm f U -> y",
        {"W": rng.integers(-3, 4, (2, 1, 2, 2)) / 2, "b": np.array([-9.0, 0.5]),
         "V": rng.integers(-3, 4, (2, 2, 2, 2)) / 2, "U": rng.integers(-3, 4, (18, 2)) / 2},
        shape=("N", 1, 5, 5),
    )  # fmt: skip
    found = simplify_network(live, Box(0, 1))
    assert dict(found.saving.layers[0][3])["inactive"] == 16
    assert isinstance(found.network.nodes[0].layer.weight, SparseMatrix)
    verify(found, live, Box(0, 1), 25, regions=False)


def test_branches_and_pools():
    """A block inside a branch is reduced; units in front of a pool or a sum stay; their bounds are still right."""
    rng = np.random.default_rng(3)
    nodes = [
        Node(layers.Affine(rng.integers(-3, 4, (4, 2)) / 2, [0.0] * 4), (0,)),
        Node(layers.Relu(), (1,)),
        Node(layers.Maximum([[0, 1], [2, 3], [1, 3]]), (2,)),
        Node(layers.Affine([[1, 1, 1], [-1, -1, -1], [1, -1, 0]], [0.5, -0.5, 0]), (3,)),
        Node(layers.Relu(), (4,)),
        Node(layers.Affine(rng.integers(-3, 4, (3, 3)) / 2, [1.0] * 3), (5,)),
        Node(layers.Add([1.0, -0.5]), (6, 3)),
        Node(layers.Concat(2), (7, 1)),
        Node(layers.Affine(rng.integers(-3, 4, (2, 7)) / 2, [0.0] * 2), (8,)),
    ]
    network = Network(2, tuple(nodes))
    found = simplify_network(network, Box(-2, 1))
    assert next((r.layer, r.reason) for r in found.proof) == (4, "inactive")
    verify(found, network, Box(-2, 1), 2)


def test_heads_and_compiled_networks():
    net = Network.sequential(
        2,
        [
            layers.Affine([[1.0, 1], [2, 2]], [0, 0]),
            layers.Relu(),
            layers.Affine(np.eye(2), [0, 0]),
            layers.Softmax(),
        ],
    )
    found = simplify_network(net)
    assert isinstance(found.network.head, layers.Softmax) and found.exact.head is None
    points = np.random.default_rng(0).normal(size=(9, 2))
    np.testing.assert_allclose(found.network(points), net(points), rtol=1e-15)
    assert simplify_network(hjsym.compile(net)).saving == found.saving


def test_refusals():
    net = [([[1.0, 1.0]], [0.0]), ([[1.0]], [0.0])]
    soft = Network.sequential(
        1, [layers.Affine([[1.0]], [0.0]), layers.Softplus(), layers.Affine([[1.0]], [0.0])]
    )
    for source, domain, options, why in (
        (soft, None, {}, "Softplus.*eps = 0"),
        (net, Slice([0, 0], [[1, 0]]), {}, "domain is a Slice"),
        (net, Box(1, 0), {}, "give low <= high"),
        (net, Polyhedron([[1, 0], [-1, 0]], [0, -1]), {}, "is empty"),
        (net, None, {"points": 0}, "at least 1 point"),
        (net, None, {"programs": -1}, "programs -1"),
    ):
        with pytest.raises(InputError, match=why):
            simplify_network(source, domain, **options)
    large = Network.sequential(2000, [layers.Affine(np.ones((1001, 2000)), np.zeros(1001))])
    with pytest.raises(BudgetExceeded, match="parameters"):
        simplify_network(large)


def test_table():
    net = [([[1, 1], [2, 2], [-1, -1]], [0, 0, -3]), ([[1, 2, 5]], [0])]
    text = str(simplify_network(net, Box(-1, 1)).saving)
    assert text.splitlines()[0].split() == ["layer", "before", "after"]
    assert "Relu 1" in text and "1 inactive, 1 proportional" in text and "every unit decided" in text

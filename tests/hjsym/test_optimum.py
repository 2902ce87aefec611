"""Extreme values of networks: programs and their proved bounds against exact regions, and against other programs."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

import hjsym
from hjsym import layers
from hjsym.datasets import load_dataset
from hjsym.network import Network, Node
from hjsym.optimum.enclosures import Interval, enclose
from hjsym.optimum.linear_model import LinearModel
from tropical import Box, BudgetExceeded, Circuit, InputError, Polyhedron, Slice

DIGITS = "examples/models/digits-relu.onnx"


def dense(rng, *shape):
    return [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in pairwise(shape)]


def every_layer(rng) -> Network:
    """A residual network with every kind of layer that bends or chooses."""
    nodes = [
        Node(layers.Affine(rng.normal(size=(4, 2)), rng.normal(size=4)), (0,)),
        Node(layers.LeakyRelu(-0.5), (1,)),
        Node(layers.Maximum([[0, 1], [1, 2], [2, 3], [3, 3]]), (2,)),
        Node(layers.Add([1.0, -2.0]), (3, 1)),
        Node(layers.Gather([0, 0, 3]), (4,)),
        Node(layers.Concat(2), (5, 2)),
        Node(layers.Scale(rng.normal(size=7), rng.normal(size=7)), (6,)),
        Node(layers.clip(-1, 2), (7,)),
        Node(layers.Affine(rng.normal(size=(3, 7)), np.ones(3)), (8,)),
        Node(layers.softshrink(0.5), (9,)),
        Node(layers.prelu(rng.normal(size=3)), (10,)),
    ]
    return Network(2, tuple(nodes))


def pooled(rng) -> Network:
    """Maxima of rectified values, some of which another maximum reads as well."""
    first = layers.Affine(rng.normal(size=(6, 2)), rng.normal(size=6) - 1)
    last = layers.Affine(rng.normal(size=(2, 4)), rng.normal(size=2))
    pool = layers.Maximum([[0, 1, 2], [2, 3, 4], [5, 5, 5], [4, 5, 0]])
    return Network.sequential(2, [first, layers.Relu(), pool, last])


def thirds(network: Network) -> Network:
    """Fractions that no float holds."""
    nodes = []
    for node in network.to_exact().nodes:
        changed = {
            k: v / 3 if isinstance(v, np.ndarray) and v.dtype == object else v
            for k, v in node.layer.arguments().items()
        }
        nodes.append(Node(type(node.layer)(**changed), node.inputs))
    return Network(network.input_size, tuple(nodes))


DOMAINS = [
    Box([-2, -1], [1, 3]),
    Polyhedron([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 2, 3, Fraction(1, 3)]),  # bounded by its vertices
    Polyhedron([[-1, 0], [0, -1], [1, 2]], [0, 0, 2]),  # bounded by propagation
    Slice([0.5, 0], [[1, 2]], Box(-1, 1)),
    Slice(
        [Fraction(1, 3), 0], [[1, 2], [Fraction(1, 7), -1]], Polyhedron([[1, 1], [-1, 0], [0, -1]], [1, 1, 1])
    ),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: type(d).__name__)
def test_programs_enclose_what_regions_find(domain):
    rng = np.random.default_rng(1)
    for source in (dense(rng, 2, 5, 4, 2), pooled(rng), thirds(every_layer(rng))):
        f = hjsym.compile(source)
        for ask, sign in ((hjsym.maximize, 1), (hjsym.minimize, -1)):
            exact = ask(f, domain, output=1, method="regions")
            found = ask(f, domain, output=1, method="milp")
            assert exact.exact and exact.gap == 0 and exact.solver_bound is None
            assert (
                sign * found.value <= sign * exact.value <= sign * found.bound
            )  # Fractions and floats, exactly
            assert found.gap <= 1.1e-6 * max(1, abs(float(exact.value)))
            assert found.solver_bound == pytest.approx(float(exact.value), abs=1e-5)
            x = found.point
            if isinstance(domain, Slice):
                directions, origin = (
                    np.vectorize(Fraction, otypes=[object])(v) for v in (domain.directions, domain.origin)
                )
                x = origin + x @ directions
            assert f.network.to_exact()(x)[1] == found.value
            inside = domain.inequalities(2)
            assert all(np.dot(row[:-1], found.point) + row[-1] >= 0 for row in inside)


@settings(max_examples=20)
@given(st.data())
def test_any_network(networks_with_points, data):
    network, points = data.draw(networks_with_points(max_depth=2))
    exact = hjsym.maximize(network, Box(-4, 4))
    found = hjsym.maximize(network, Box(-4, 4), method="milp", time_limit=10)
    assert found.value <= exact.value <= found.bound
    assert max(network.to_exact()(points)[:, 0]) <= found.bound
    assert found.bound - exact.value <= 1.1e-6 * max(1, abs(exact.value))


def by_big_m(pairs, low, high) -> float:
    """The largest output by the textbook's program of a ReLU network, from intervals alone."""
    d = len(low)
    lows, highs, integral, rows = list(low), list(high), [0] * d, []
    x, l, u = list(range(d)), np.array(low, float), np.array(high, float)  # noqa: E741
    for k, (W, b) in enumerate(pairs):
        zl, zu = (np.maximum(s * W, 0) * s @ l + np.minimum(s * W, 0) * s @ u + b for s in (1, -1))
        zl, zu = np.minimum(zl, zu), np.maximum(zl, zu)
        last, start = k == len(pairs) - 1, len(lows)
        n = len(b)
        lows += list(zl if last else np.zeros(n)) + [0] * (0 if last else n)
        highs += list(zu if last else np.maximum(zu, 0)) + [1] * (0 if last else n)
        integral += [0] * n + [1] * (0 if last else n)
        for i in range(n):
            row = {start + i: 1.0} | {j: -w for j, w in zip(x, W[i], strict=True)}  # y − Wx
            if last:
                rows.append((row, b[i], b[i]))
                continue
            a = start + n + i
            rows.append((row, b[i], np.inf))
            rows.append((row | {a: -zl[i]}, -np.inf, b[i] - zl[i]))
            rows.append(({start + i: 1.0, a: -zu[i]}, -np.inf, 0))
        x, l, u = list(range(start, start + n)), np.maximum(zl, 0), np.maximum(zu, 0)  # noqa: E741
    A = np.zeros((len(rows), len(lows)))
    for i, (row, _, _) in enumerate(rows):
        A[i, list(row)] = list(row.values())
    sides = [[r[k] for r in rows] for k in (1, 2)]
    cost = np.zeros(len(lows))
    cost[x[0]] = -1
    return -milp(
        cost, integrality=integral, bounds=Bounds(lows, highs), constraints=LinearConstraint(A, *sides)
    ).fun


@pytest.mark.parametrize("seed", range(3))
def test_another_program(seed):
    rng = np.random.default_rng(seed)
    pairs = dense(rng, 16, 8, 6, 1)
    found = hjsym.maximize(pairs, Box(-0.5, 0.5))  # too many corners for regions
    assert found.solver_bound is not None
    assert float(found.value) == pytest.approx(by_big_m(pairs, [-0.5] * 16, [0.5] * 16), abs=1e-4)
    assert 0 <= found.gap < 1e-5


def test_out_of_time():
    """Whatever is proved when the time is up holds."""
    rng = np.random.default_rng(3)
    pairs = dense(rng, 3, 12, 12, 1)
    best = hjsym.maximize(pairs, Box(-1, 1))
    early = hjsym.maximize(pairs, Box(-1, 1), method="milp", time_limit=1e-3)
    assert early.value <= best.value < early.bound and not early.exact
    rough = hjsym.maximize(pairs, Box(-1, 1), method="milp", gap=0.5)
    assert rough.value <= best.value <= rough.bound <= rough.value + Fraction(0.5) * max(1, abs(rough.value))


# ---- margins ---------------------------------------------------------------------------------------------


def test_margins_of_digits():
    """A ball around an image in which no image has another class, and one in which there is one."""
    images, digits = load_dataset("digits")
    f, x, label = hjsym.compile(DIGITS), images[1], int(digits[1])

    def ball(radius):
        return Box(np.maximum(x - radius, 0), np.minimum(x + radius, 1))

    def margins(points):
        scores = f.network(points)
        return scores[..., label] - np.delete(scores, label, axis=-1).max(axis=-1)

    safe = hjsym.least_margin(f, label, ball(0.02), time_limit=20)
    assert 0 < safe.bound <= safe.value < margins(x) and safe.gap < 1e-6
    corners = np.random.default_rng(0).choice([-0.02, 0.02], size=(2000, 64))
    assert margins(np.clip(x + corners, 0, 1)).min() >= safe.bound
    scores = f.network.to_exact()(safe.point)
    assert safe.value == scores[label] - max(np.delete(scores, label))
    lost = hjsym.least_margin(f, label, ball(0.15), time_limit=6, gap=0.5)
    assert lost.bound <= lost.value < 0
    scores = f.network.to_exact()(lost.point)
    assert scores.argmax() != label
    assert (abs(lost.point - x) <= 0.15 + 1e-15).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_margins_by_regions_and_programs(outputs):
    rng = np.random.default_rng(outputs)
    f, box = hjsym.compile(dense(rng, 2, 6, outputs)), Box(-1, 1)
    for label in range(max(outputs, 2)):
        exact = hjsym.least_margin(f, label, box)
        found = hjsym.least_margin(f, label, box, method="milp")
        assert exact.exact and found.bound <= exact.value <= found.value <= found.bound + Fraction(1e-5)
        scores = f.network.to_exact()(exact.point)
        rest = max(np.delete(scores, label)) if outputs > 1 else 0
        own = scores[label] if outputs > 1 else scores[0] * (1 if label else -1)
        assert exact.value == own - rest


# ---- parts -----------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.data())
def test_intervals_hold_in_rational_arithmetic(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    network = every_layer(rng)
    network = thirds(network) if data.draw(st.booleans()) else network
    low = rng.normal(size=2)
    high = low + rng.exponential(size=2) * data.draw(st.sampled_from([0.0, 1e-9, 1.0]))
    values = [Interval(low, high)]
    for node in network.nodes:
        values.append(enclose(node.layer, *(values[i] for i in node.inputs)))
    for _ in range(5):
        share = rng.integers(0, 5, size=2)
        x = [
            Fraction(a) + (Fraction(b) - Fraction(a)) * int(s) / 4
            for a, b, s in zip(low, high, share, strict=True)
        ]
        for value, interval in zip(network.to_exact().values(x), values, strict=True):
            assert all(Fraction(a) <= v <= Fraction(b) for v, a, b in zip(value, *interval, strict=True))


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_any_multipliers_prove_a_bound(seed):
    """In Fractions, over the corners of what a few rows leave of a cube; multipliers are those of HiGHS and noise."""
    rng = np.random.default_rng(seed)
    model = LinearModel()
    x = model.add(-np.ones(3), rng.uniform(0, 2, size=3))
    inner = [Fraction(v) for v in rng.uniform(model.low, model.high)]
    A = rng.normal(size=(4, 3))
    sides = [float(sum(Fraction(a) * v for a, v in zip(row, inner, strict=True))) for row in A]
    sides = np.nextafter(sides, np.inf) + np.array([0, 0, 0.1, 1])
    model.require(np.repeat(range(4), 3), np.tile(x, 4), A.ravel(), sides, equal=False)
    c = rng.normal(size=3)
    value = sum(Fraction(a) * v for a, v in zip(c, inner, strict=True))
    found = model.relaxed(c)
    assert value <= found.bound < float(c @ found.x) + 1e-9
    assert value <= model._bound(c, abs(rng.normal(size=4)), model.low, model.high)


def test_contradictions_are_proved():
    model = LinearModel()
    x = model.add([0.0, 0.0], [1.0, 1.0])
    model.require([0, 0], x, [1, 1], 3.0, equal=True)
    assert model.relaxed(np.ones(2)).bound == -np.inf
    model = LinearModel()
    x = model.add([0.0, 0.0], [1.0, 1.0])
    model.require([0, 0, 1, 1], [*x, *x], [1, 1, -1, -1], [2.0, -2.0], equal=False)  # one point is left
    assert 2 <= model.relaxed(np.ones(2)).bound < 2 + 1e-12


# ---- what is refused -------------------------------------------------------------------------------------


def test_falling_back():
    rng = np.random.default_rng(0)
    pairs = dense(rng, 2, 6, 1)
    exact = hjsym.maximize(pairs, Box(-1, 1))
    found = hjsym.maximize(pairs, Box(-1, 1), max_regions=2)
    assert exact.exact and found.solver_bound is not None and found.value <= exact.value <= found.bound
    with pytest.raises(BudgetExceeded):
        hjsym.maximize(pairs, max_regions=2)  # all of R^2: no program is bounded
    with pytest.raises(BudgetExceeded):
        hjsym.maximize(pairs, Box(-1, 1), max_regions=2, method="regions")


def test_bad_input():
    pairs = dense(np.random.default_rng(0), 2, 3, 2)
    box = Box(-1, 1)
    with pytest.raises(InputError, match="pass one of auto, regions, milp"):
        hjsym.maximize(pairs, box, method="simplex")
    for options in ({"time_limit": 0}, {"gap": -1}, {"time_limit": float("nan")}):
        with pytest.raises(InputError, match="pass a time above 0"):
            hjsym.maximize(pairs, box, method="milp", **options)
    for domain in (None, Box(0, np.inf), Polyhedron([[1, 1]], [1]), Slice([0, 0], [[1, 0]])):
        with pytest.raises(InputError, match="not seen to be bounded"):
            hjsym.maximize(pairs, domain, method="milp")
    ridge = [
        ([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]),
        ([[-1.0, -1.0]], [0.0]),
    ]  # −|x|, on a segment at (0, 1/9)
    segment = Polyhedron([[1, 3], [-1, -3], [1, 0], [-1, 0]], [Fraction(1, 3), Fraction(-1, 3), 1, 1])
    with pytest.raises(InputError, match="no interior"):
        hjsym.maximize(ridge, segment, method="milp")
    with pytest.raises(InputError, match="empty"):
        flat = [[1, 1], [-1, -1], [1, 0], [-1, 0], [0, 1], [0, -1]]
        hjsym.maximize(pairs, Polyhedron(flat, [-3, 2, 1, 1, 1, 1]), method="milp")
    with pytest.raises(InputError, match="output 2 of 2"):
        hjsym.maximize(pairs, box, output=2)
    with pytest.raises(InputError, match="label 2 of 2"):
        hjsym.least_margin(pairs, 2, box)
    with pytest.raises(InputError, match="Circuit"):
        hjsym.maximize(Circuit.identity(2) + 0, box, method="milp")
    with pytest.raises(InputError, match="Circuit"):
        hjsym.least_margin(Circuit.identity(2) + 0, 0, box)
    soft = Network.sequential(1, [layers.Affine([[1.0]], [0.0]), layers.Softplus()])
    with pytest.raises(InputError, match="eps"):
        hjsym.maximize(soft, box, method="milp")
    tiny = hjsym.load([([[Fraction(1, 10**400)]], [Fraction(0)])])
    with pytest.raises(InputError, match="below the floats"):
        hjsym.maximize(tiny, box, method="milp")


def test_extreme_numbers():
    """Floats beyond what HiGHS works with: the bound holds, and corners of the box are tried."""
    box = Box(-1, 1)
    for scale in (1e-12, 1e18):
        pairs = [
            (np.array([[scale, -scale], [3, 1]]), np.zeros(2)),
            (np.array([[1 / scale, -scale]]), np.zeros(1)),
        ]
        exact = hjsym.maximize(pairs, box, method="regions")
        found = hjsym.maximize(pairs, box, method="milp", time_limit=2)
        assert 0 < found.value <= exact.value <= found.bound
    with pytest.raises(InputError, match="beyond the floats"):
        hjsym.maximize([(np.full((1, 2), 1e200), [0.0]), (np.full((1, 1), 1e200), [0.0])], box, method="milp")
    with pytest.raises(InputError, match="beyond the floats"):
        hjsym.maximize([([[1.0]], [0.0])], Box(0, Fraction(10) ** 400), method="milp")
    for layer in (layers.Identity(), layers.Gather([0, 0]), layers.Maximum(), layers.Add([1.0])):
        found = hjsym.maximize(Network.sequential(2, [layer]), box, method="milp")
        assert found.value == 1 <= found.bound < 1 + 1e-12

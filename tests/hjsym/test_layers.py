"""The algebra of layers: each against its formula in plain Python, compiled over the rationals, and in pieces."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.network import Network, Node
from tropical.errors import InputError, ShapeError
from tropical.sparse import SparseMatrix

QUARTERS = st.integers(-12, 12).map(lambda k: k / 4)
RATIONALS = st.fractions(-4, 4, max_denominator=30)


def numbers(n):
    return st.lists(QUARTERS, min_size=n, max_size=n)


@st.composite
def bends(draw, size):
    """A piecewise-linear layer, shared by all units or with its own columns."""
    k, n = draw(st.integers(0, 3)), draw(st.sampled_from([1, size]))
    breaks = np.sort(np.array(draw(numbers(k * n))).reshape(k, n), axis=0)
    slopes = np.array(draw(numbers((k + 1) * n))).reshape(k + 1, n)
    return layers.PiecewiseLinear(breaks, slopes, np.array(draw(numbers(n))))


@st.composite
def steps(draw, sizes):
    """A layer and the values that it reads, of a network whose values have these sizes."""
    read = draw(st.integers(0, len(sizes) - 1))
    size = sizes[read]
    index = st.integers(0, size - 1)
    kind = draw(st.sampled_from(["bend", "max", "gather", "scale", "sparse", "add", "concat", "named"]))
    if kind == "bend":
        return draw(bends(size)), (read,)
    if kind == "named":
        named = [
            layers.Relu(),
            layers.absolute(),
            layers.clip(-1, 2),
            layers.LeakyRelu(-0.5),
            layers.softshrink(1),
        ]
        return draw(st.sampled_from(named)), (read,)
    if kind == "max":
        k = draw(st.integers(1, 3))
        groups = draw(st.lists(st.lists(index, min_size=k, max_size=k), min_size=1, max_size=3))
        return layers.Maximum(draw(st.sampled_from([groups, None]))), (read,)
    if kind == "gather":
        return layers.Gather(draw(st.lists(index, min_size=1, max_size=3))), (read,)
    if kind == "scale":
        return layers.Scale(draw(numbers(size)), draw(numbers(size))), (read,)
    if kind == "sparse":
        rows = draw(st.lists(st.tuples(st.integers(0, 1), index, QUARTERS), max_size=4))
        entries = zip(*rows, strict=True) if rows else ([], [], [])
        return layers.Affine(SparseMatrix((2, size), *entries), draw(numbers(2))), (read,)
    if kind == "add":
        others = [k for k, n in enumerate(sizes) if n == size]
        chosen = draw(st.lists(st.sampled_from(others), min_size=1, max_size=3))
        return layers.Add(draw(numbers(len(chosen)))), tuple(chosen)
    chosen = draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=2))
    return layers.Concat(len(chosen)), tuple(chosen)


@st.composite
def networks(draw):
    sizes, nodes = [draw(st.integers(1, 3))], []
    for _ in range(draw(st.integers(1, 5))):
        layer, inputs = draw(steps(sizes))
        nodes.append(Node(layer, inputs))
        sizes.append(layer.output_size(*(sizes[i] for i in inputs)))
    return Network(sizes[0], tuple(nodes))


# ---- plain Python, over the rationals ------------------------------------------------------------------


def plain(layer, *inputs):
    """The layer's formula as its documentation states it, on lists of Fractions."""
    q, x = Fraction, inputs[0]
    if isinstance(layer, layers.PiecewiseLinear):
        columns = layer.slopes.shape[1]
        result = []
        for k, z in enumerate(x):
            c = k if columns > 1 else 0
            slopes, places = [[q(v) for v in a[:, c]] for a in (layer.slopes, layer.breaks)]
            hinges = ((r - s) * max(z - b, 0) for s, r, b in zip(slopes, slopes[1:], places, strict=False))
            result.append(slopes[0] * z + q(layer.intercept[c]) + sum(hinges))
        return result
    if isinstance(layer, layers.Maximum):
        return [max(x)] if layer.groups is None else [max(x[i] for i in g) for g in layer.groups.tolist()]
    if isinstance(layer, layers.Gather):
        return [x[i] for i in layer.index.tolist()]
    if isinstance(layer, layers.Scale):
        return [q(f) * v + q(b) for f, v, b in zip(layer.factor, x, layer.bias, strict=True)]
    if isinstance(layer, layers.Affine):
        rows = np.asarray(layer.weight).tolist()
        return [
            sum(q(w) * v for w, v in zip(r, x, strict=True)) + q(b)
            for r, b in zip(rows, layer.bias, strict=True)
        ]
    if isinstance(layer, layers.Add):
        return [
            sum(q(f) * v for f, v in zip(layer.factors, vs, strict=True)) for vs in zip(*inputs, strict=True)
        ]
    assert isinstance(layer, layers.Concat)
    return [v for part in inputs for v in part]


def plain_network(network, x):
    values = [list(x)]
    for node in network.nodes:
        values.append(plain(node.layer, *(values[i] for i in node.inputs)))
    return values[-1]


@settings(max_examples=120)
@given(network=networks(), data=st.data())
def test_networks_and_their_compilation_are_the_formulas(network, data):
    x = data.draw(st.lists(RATIONALS, min_size=network.input_size, max_size=network.input_size))
    expected = plain_network(network, x)
    exact = hjsym.compile(network, exact=True)
    assert exact(x).tolist() == network.to_exact()(x).tolist() == expected
    slope, intercept = exact.affine_at(x)
    assert (slope @ np.array(x, object) + intercept).tolist() == expected
    for node in (*exact.P.nodes, *exact.Q.nodes):
        assert all((np.asarray(weights) >= 0).all() for weights, _ in getattr(node, "terms", ()))
    point, f = np.array(x, float), hjsym.compile(network)
    scale = 1e-12 * max(1.0, *np.abs(f.parts(point)).flat)
    np.testing.assert_allclose(np.subtract(*f.parts(point)), np.array(expected, float), rtol=0, atol=scale)
    np.testing.assert_allclose(network(point), np.array(expected, float), rtol=1e-9, atol=scale)
    soft = f.deform(0.25)
    assert (np.abs(soft(point) - f(point)) <= soft.deformation_bound() + scale).all()


@settings(max_examples=60)
@given(network=networks(), data=st.data())
def test_affine_piece_is_the_gradient_inside_a_region(network, data):
    x = data.draw(st.lists(RATIONALS, min_size=network.input_size, max_size=network.input_size))
    step = [Fraction((-1) ** k, 10**9 + k) for k in range(len(x))]
    near, nearer = ([v + s / n for v, s in zip(x, step, strict=True)] for n in (1, 2))
    slope, intercept = hjsym.compile(network, exact=True).affine_at(near)
    assert (slope @ np.array(near, object) + intercept).tolist() == plain_network(network, near)
    # Within 1e-9 of a rational point, the segment from it lies in one region: both of its points do.
    assert (slope @ np.array(nearer, object) + intercept).tolist() == plain_network(network, nearer)


def test_affine_pieces_of_many_points_and_some_outputs():
    rng = np.random.default_rng(0)
    chain = [
        layers.Affine(rng.normal(size=(6, 3)), rng.normal(size=6)),
        layers.Relu(),
        layers.Maximum([[0, 1], [2, 5]]),
    ]
    f = hjsym.compile(Network.sequential(3, chain))
    points = rng.normal(size=(4, 5, 3))
    slopes, intercepts = f.affine_at(points)
    assert slopes.shape == (4, 5, 2, 3) and intercepts.shape == (4, 5, 2)
    np.testing.assert_allclose(
        (slopes @ points[..., None])[..., 0] + intercepts, f(points), rtol=1e-12, atol=1e-12
    )
    one, at = f.affine_at(points[1, 2], outputs=1)
    np.testing.assert_allclose(one[0], slopes[1, 2, 1], rtol=1e-14)
    np.testing.assert_allclose(at[0], intercepts[1, 2, 1], rtol=1e-14)


def test_soft_layers_keep_their_temperatures():
    """β max(z − c) at temperature ε, and ε log Σ exp over groups, in 40 digits."""
    import mpmath

    bend = layers.PiecewiseLinear([-1.0, 2.0], [0.5, 2.0, -1.0], 0.25, eps=0.5)
    network = Network.sequential(2, [bend, layers.Maximum([[0, 1], [1, 1]], eps=0.125)])
    for x in ([0.5, -3.0], [2.0, 40.0], [-1.0, -1.0]):
        with mpmath.workdps(40):
            e = mpmath.mpf("0.5")
            soft = [e * mpmath.log(1 + mpmath.exp(mpmath.mpf(z - c) / e)) for z in x for c in (-1, 2)]
            u, v = (
                mpmath.mpf(z) / 2 + 1.5 * a - 3 * b + mpmath.mpf("0.25")
                for z, a, b in zip(x, soft[::2], soft[1::2], strict=True)
            )
            low = mpmath.mpf("0.125")
            expected = [
                float(low * mpmath.log(mpmath.exp(a / low) + mpmath.exp(b / low)))
                for a, b in ((u, v), (v, v))
            ]
        np.testing.assert_allclose(network(x), expected, rtol=1e-13)
        np.testing.assert_allclose(np.subtract(*hjsym.compile(network).parts(x)), expected, rtol=1e-12)


WRONG = [
    (lambda: layers.PiecewiseLinear([1.0, 0.0], [0, 1, 2]), InputError, "breaks do not ascend"),
    (lambda: layers.PiecewiseLinear([1.0], [0, 1, 2]), ShapeError, r"shapes \(1,\), \(3,\), \(\)"),
    (lambda: layers.PiecewiseLinear(np.zeros((1, 2)), np.zeros((2, 3))), ShapeError, r"\(1, 2\), \(2, 3\)"),
    (lambda: layers.PiecewiseLinear([0], [0, np.inf]), InputError, r"slopes\[1\] is inf"),
    (lambda: layers.clip(2, 1), InputError, "clip to"),
    (lambda: layers.clip(np.nan, 1), InputError, "clip to"),
    (lambda: layers.Maximum([[0, -1]]), InputError, "groups"),
    (lambda: layers.Maximum([[0], [1]], eps=-1), InputError, "eps of Maximum is -1"),
    (lambda: layers.Maximum([0, 1]), ShapeError, r"groups have shape \(2,\)"),
    (lambda: layers.Gather([0.5]), InputError, "index has dtype float64"),
    (lambda: layers.Scale([1.0, 2.0], [0.0]), ShapeError, r"\(2,\) and bias \(1,\)"),
    (lambda: layers.Add([]), ShapeError, "factors"),
    (lambda: layers.Concat(0), InputError, "Concat of 0"),
    (lambda: Network.sequential(2, [layers.Maximum([[2]])]), ShapeError, "reach entry 2 but 2"),
    (lambda: Network.sequential(2, [layers.Gather([2])]), ShapeError, "goes up to 2 but 2"),
    (lambda: Network.sequential(2, [layers.prelu([1.0] * 3)]), ShapeError, "3 units but 2"),
]


@pytest.mark.parametrize("make, error, message", WRONG, ids=[message for *_, message in WRONG])
def test_wrong_layers(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_layer_of_fractions_makes_the_whole_network_exact():
    chain = [
        layers.Affine([[0.1]], [0.2]),
        layers.Scale([Fraction(1, 3)], [Fraction(0)]),
        layers.clip(0, 0.3),
    ]
    network = Network.sequential(1, chain)
    assert network.exact
    assert network([0.5]).tolist() == [min(max((Fraction(0.1) / 2 + Fraction(0.2)) / 3, 0), Fraction(0.3))]


def test_exact_rational_network_of_convolutions_and_pools():
    from hjsym.frontends.tensors import Builder
    from hjsym.frontends.windows import Window, average_pool, convolution, max_pool

    rng = np.random.default_rng(1)
    weight, bias = rng.integers(-4, 5, (2, 1, 2, 2)) / 4, np.array([0.25, -0.5])
    b = Builder((1, 4, 4))
    t = convolution(b, b.input, weight, bias, Window.of((2, 2), before=1), 1, "")
    t = max_pool(b, b.elementwise(t, layers.clip(0, 1), ""), Window.of((2, 2), 2, before=(1, 0)), "")
    t = average_pool(b, t, Window.of((2, 2)), "", count_padding=True)
    f = hjsym.compile(b.finish(t), exact=True)
    x = [Fraction(int(v), 7) for v in rng.integers(-9, 10, 16)]
    padded = [
        [Fraction(0)] * 6,
        *([Fraction(0), *x[4 * i : 4 * i + 4], Fraction(0)] for i in range(4)),
        [Fraction(0)] * 6,
    ]
    expected = []
    for w, c in zip(weight, bias, strict=True):
        conv = [
            [
                sum(Fraction(w[0, i, j]) * padded[r + i][s + j] for i in (0, 1) for j in (0, 1)) + Fraction(c)
                for s in range(5)
            ]
            for r in range(5)
        ]
        bent = [[min(max(v, Fraction(0)), Fraction(1)) for v in row] for row in conv]
        pooled = [
            [
                max(bent[r][s] for r in range(max(2 * p - 1, 0), 2 * p + 1) for s in (2 * q, 2 * q + 1))
                for q in range(2)
            ]
            for p in range(3)
        ]
        expected += [
            sum(pooled[p + i][q + j] for i in (0, 1) for j in (0, 1)) / 4 for p in range(2) for q in range(1)
        ]
    assert f(x).tolist() == expected == f.network(x).tolist()

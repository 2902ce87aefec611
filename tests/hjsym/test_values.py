"""Values and gradients of compiled networks: from the network, in every digit that floats have, with a proved bound."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.network import Network, Node
from tropical import Rational
from tropical.circuit import Affine, Input, entries
from tropical.errors import InputError


def he_network(*sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(m, d)) * np.sqrt(2 / d), rng.normal(size=m) / 10)
        for d, m in itertools.pairwise(sizes)
    ]


def bent_network(seed=0):
    """Every kind of layer, with a residual sum."""
    rng = np.random.default_rng(seed)

    def affine(rows, columns):
        return layers.Affine(rng.normal(size=(rows, columns)), rng.normal(size=rows))

    return Network(
        3,
        (
            Node(affine(6, 3), (0,)),
            Node(layers.clip(-1.5, 0.7), (1,)),
            Node(affine(6, 6), (2,)),
            Node(layers.LeakyRelu(0.01), (3,)),
            Node(layers.Add([1.0, -0.3]), (4, 2)),
            Node(layers.Maximum([[0, 1], [2, 5], [3, 3], [4, 0]]), (5,)),
            Node(layers.Scale(rng.normal(size=4), rng.normal(size=4)), (6,)),
            Node(layers.absolute(), (7,)),
            Node(layers.Concat(2), (8, 6)),
            Node(layers.Gather([1, 6, 3, 7, 0]), (9,)),
            Node(affine(5, 5), (10,)),
            Node(layers.Relu(), (11,)),
            Node(affine(2, 5), (12,)),
        ),
    )


def close_to(value, exact, bound):
    """|value − exact| ≤ bound, entry by entry in rational numbers."""
    triples = zip(np.ravel(value), np.ravel(exact), np.ravel(bound), strict=True)
    return all(abs(Fraction(float(v)) - e) <= Fraction(float(b)) for v, e, b in triples)


# ---- without a temperature ---------------------------------------------------------------------------


def test_deep_networks_do_not_cancel():
    f = hjsym.compile(he_network(16, *[24] * 16, 2))
    x = np.random.default_rng(1).normal(size=16)
    expected = f.network.to_exact()(x)
    relative = [abs(Fraction(v) / e - 1) for v, e in zip(f(x), expected, strict=True)]
    assert max(relative) < 1e-12 and close_to(f(x), expected, f.error_bound(x))
    assert (f.error_bound(x) < 1e-10 * abs(f(x))).all()  # through |W| it would be 1e7 times that
    p, q = f.parts(x)
    assert abs((p - q) / f(x) - 1).max() > 1e-9  # while the rails have lost most of theirs
    assert (abs(p - q - f(x)) <= Rational.error_bound(f, x)).all()


@settings(max_examples=40)
@given(data=st.data())
def test_bound_of_values(networks_with_points, data):
    network, points = data.draw(networks_with_points())
    f, x = hjsym.compile(network), np.array(points, float)
    assert close_to(f(x), network.to_exact()(x), f.error_bound(x))


@pytest.mark.parametrize("seed", range(3))
def test_bound_with_every_layer(seed):
    network = bent_network(seed)
    f, x = (
        hjsym.compile(network),
        np.random.default_rng(seed).normal(size=(6, 3)) * [[0.1], [1], [3], [1], [30], [1e6]],
    )
    bound = f.error_bound(x)
    assert bound.shape == f(x).shape
    assert (
        close_to(f(x), network.to_exact()(x), bound)
        and (bound <= 1e-12 * abs(x).max(axis=1)[:, None] + 1e-12).all()
    )
    for circuit in (f.P, f.Q):
        assert close_to(
            circuit(x[:2]),
            circuit(np.vectorize(Fraction, otypes=[object])(x[:2])),
            circuit.error_bound(x[:2]),
        )


def test_bound_of_one_bend():
    """Its own rounding, which is seen: the input has none."""
    rng = np.random.default_rng(0)
    wave = layers.PiecewiseLinear(np.sort(rng.normal(size=4)), rng.normal(size=5), 0.3)
    x = rng.normal(size=(300, 1)) * 2
    network = Network.sequential(1, [wave])
    f = hjsym.compile(network)
    assert close_to(f(x), network.to_exact()(x), f.error_bound(x))
    assert not close_to(f(x), network.to_exact()(x), f.error_bound(x) / 50)
    for eps in (0.3, 4.0):
        soft = wave.deform(eps)
        values, bounds = soft(x)[:, 0], f.deform(eps).error_bound(x)[:, 0]
        with mpmath.workdps(40):
            bends = [mpmath.mpf(b) - mpmath.mpf(a) for a, b in itertools.pairwise(soft.slopes[:, 0].tolist())]
            gates = list(zip(bends, soft.breaks[:, 0].tolist(), strict=True))
            ratios = []
            for z, v, b in zip(x[:, 0].tolist(), values, bounds, strict=True):
                exact = mpmath.mpf(z) * soft.slopes[0, 0] + soft.intercept[0]
                exact += sum(w * eps * mpmath.log1p(mpmath.exp((mpmath.mpf(z) - c) / eps)) for w, c in gates)
                ratios.append(abs(v - exact) / b)
        assert 0.005 < max(ratios) <= 1


@pytest.mark.parametrize("eps", [0.0, 1e-13, 0.5])
def test_bound_on_bends(eps):
    """Rounding decides on which side of their bends most units of two layers are, and which entries win."""
    rng = np.random.default_rng(7)
    W, V = rng.normal(size=(6, 6)), rng.normal(size=(5, 6))
    for trial in range(8):
        x = rng.normal(size=6)
        b = -(W @ x) * (rng.random(6) < 0.7)  # zero but for rounding
        h = np.maximum(W @ x + b, 0) + 0.5 * (trial % 2)
        c = -(V @ h)
        network = Network.sequential(
            6,
            [
                layers.Affine(W, b),
                layers.clip(0.0, 3.0),
                layers.Scale(np.ones(6), np.full(6, 0.5 * (trial % 2))),
                layers.Affine(V, c),
                layers.LeakyRelu(-0.5),
                layers.Maximum([[0, 1, 1], [2, 3, 4], [0, 0, 0], [1, 4, 2]]),
                layers.Affine(rng.normal(size=(2, 4)), [0.0, 1.0]),
            ],
        )
        f = hjsym.compile(network).deform(eps)
        value, bound = f(x), f.error_bound(x)
        assert (bound < 1e-12).all()
        if eps == 0:
            assert close_to(value, network.to_exact()(x), bound)
        elif eps > 0.1:
            with mpmath.workdps(60):
                exact = difference_in_digits(f, x)
                assert all(abs(v - e) <= b for v, e, b in zip(value, exact, bound, strict=True))


def test_points_of_fractions_are_taken_exactly():
    network = bent_network()
    f, x = hjsym.compile(network), [Fraction(1, 3), Fraction(-2, 7), Fraction(5, 11)]
    assert f(x).tolist() == hjsym.compile(network, exact=True)(x).tolist()
    assert {type(v) for v in f(x)} == {Fraction} and (f.error_bound(x) == 0).all()
    slope, intercept = f.affine_at(x)
    assert (slope @ np.array(x) + intercept).tolist() == f(x).tolist()


def test_gradient_is_the_slope_of_the_piece():
    f = hjsym.compile(bent_network())
    x = np.random.default_rng(2).normal(size=(4, 5, 3))
    exact = hjsym.compile(f.network, exact=True).affine_at(x[0])[0]
    assert f.gradient(x).shape == (4, 5, 2, 3)
    np.testing.assert_allclose(f.gradient(x)[0], exact.astype(float), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(f.gradient(x), f.P.gradient(x) - f.Q.gradient(x), rtol=1e-10, atol=1e-11)


# ---- with one ------------------------------------------------------------------------------------------


def difference_in_digits(f, x):
    """P_ε(x) − Q_ε(x), gate by gate in mpmath."""
    values = {}
    for node in dict.fromkeys((*f.P.nodes, *f.Q.nodes)):
        if isinstance(node, Input):
            values[node] = [mpmath.mpf(v) for v in x.tolist()]
        elif isinstance(node, Affine):
            values[node] = [mpmath.mpf(float(b)) for b in node.bias]
            for weights, operand in node.terms:
                for i, j, w in entries(weights):
                    values[node][i] += mpmath.mpf(float(w)) * values[operand][j]
        else:
            eps = mpmath.mpf(f.P._temperature(node))
            rows = zip(*(values[b] for b in node.branches), strict=True)
            values[node] = [eps * mpmath.log(sum(mpmath.exp(v / eps) for v in row)) for row in rows]
    return [p - q for p, q in zip(values[f.P.node], values[f.Q.node], strict=True)]


def dyadic(network):
    """Weights of few digits, so that no slope of a rail has been rounded."""

    def rounded(layer):
        if isinstance(layer, layers.Affine):
            return layers.Affine(np.round(layer.weight * 64) / 64, np.round(layer.bias * 64) / 64)
        if isinstance(layer, layers.Scale):
            return layers.Scale(np.round(layer.factor * 64) / 64, np.round(layer.bias * 64) / 64)
        return {"LeakyRelu": layers.LeakyRelu(0.25), "Add": layers.Add([1.0, -0.25])}.get(
            type(layer).__name__, layer
        )

    return Network(network.input_size, tuple(Node(rounded(n.layer), n.inputs) for n in network.nodes))


@pytest.mark.parametrize("eps", [0.02, 0.5, 8.0])
def test_deformed_values_are_those_of_the_deformed_rails(eps):
    f = hjsym.compile(dyadic(bent_network())).deform(eps)
    points = np.random.default_rng(3).normal(size=(4, 3)) * [[1], [1], [4], [30]]
    with mpmath.workdps(200):  # exponentials of large numbers are subtracted
        for x in points:
            value, bound = f(x), f.error_bound(x)
            for v, e, b in zip(value, difference_in_digits(f, x), bound, strict=True):
                assert abs(mpmath.mpf(float(v)) - e) <= b <= 1e-11 * (1 + eps + abs(x).max())
    assert f.network.nodes[-2].layer.eps == eps and f(points).shape == (4, 2)


def test_deformed_deep_networks_do_not_cancel():
    f = hjsym.compile(he_network(8, *[12] * 14, 1)).deform(0.05)
    x = np.random.default_rng(1).normal(size=8)
    with mpmath.workdps(60):
        (expected,) = difference_in_digits(f, x)
        assert abs(mpmath.mpf(float(f(x)[0])) - expected) <= f.error_bound(x)[0]
        assert abs(mpmath.mpf(float(f(x)[0])) / expected - 1) < 1e-12


@pytest.mark.parametrize("eps", [0.3, 2.0])
def test_deformed_gradient(eps):
    f, h = hjsym.compile(bent_network(1)).deform(eps), 1e-3
    x = np.random.default_rng(4).normal(size=(10, 3))
    for k, step in enumerate(h * np.eye(3)):
        differences = (8 * (f(x + step) - f(x - step)) - (f(x + 2 * step) - f(x - 2 * step))) / (12 * h)
        np.testing.assert_allclose(f.gradient(x)[..., k], differences, rtol=0, atol=1e-7)
    np.testing.assert_allclose(f.gradient(x), f.P.gradient(x) - f.Q.gradient(x), rtol=1e-9, atol=1e-10)


def test_soft_bends_do_not_cancel_far_out():
    soft = layers.clip(-1.0, 2.0).deform(0.5)
    assert soft(np.array([1e18, -1e18, 1e9])).tolist() == [2.0, -1.0, 2.0]
    slope, intercept = soft.tangent(np.array([1e18, -1e18, 0.5]))
    assert slope[:2].tolist() == [0, 0] and intercept[:2].tolist() == [2, -1] and 0.8 < slope[2] < 1


def test_deforming_back_and_forth():
    chain = [layers.Affine([[1.0], [-2.0]], [0.5, 0.25]), layers.Softplus(0.5), layers.LogSumExp(2.0)]
    f = hjsym.compile(Network.sequential(1, chain))
    hard = f.deform(0)
    assert [str(node.layer) for node in hard.network.nodes[1:]] == ["Relu", "Maximum"]
    for x in (-3.0, 0.125, 2.0):  # max(x + ½, −2x + ¼, 0)
        assert hard([x])[0] == max(x + 0.5, -2 * x + 0.25, 0)
        slope, intercept = hard.affine_at([x])
        assert slope[0, 0] * x + intercept[0] == hard([x])[0]
    assert hard.exactly.is_exact and hard.exactly([Fraction(1, 8)]) == [Fraction(5, 8)]
    np.testing.assert_allclose(hard.deform(0.5)([1.0]), f.deform(0.5)([1.0]), rtol=1e-15)
    np.testing.assert_allclose(f.deform(1e-300)([1.0]), hard([1.0]), rtol=1e-15)


def test_exact_networks_have_no_temperature():
    network = hjsym.load([([[1]], [0]), ([[1]], [0])]).to_exact()
    assert network.deform(0) is not None
    with pytest.raises(InputError, match=r"exact network at eps = 0\.5"):
        network.deform(0.5)

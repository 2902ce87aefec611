"""Compiled networks are the networks: identically over the rationals, to rounding in floats."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.network import Network, Node
from tropical.errors import InputError


def difference(f, x):
    """P(x) − Q(x), where f(x) would be the network itself."""
    p, q = f.parts(x)
    return p - q


THIRD = Fraction(1, 3)
GRID = [Fraction(k, 7) for k in range(-20, 21)]


# ---- equality ----------------------------------------------------------------------------------------


@settings(max_examples=120)
@given(data=st.data())
def test_compilation_is_the_network(networks_with_points, data):
    network, points = data.draw(networks_with_points())
    expected = network.to_exact()(points)
    assert hjsym.compile(network, exact=True)(points).tolist() == expected.tolist()
    f, points = hjsym.compile(network), np.array(points, float)
    scale = max(1.0, *np.abs(f.parts(points)[0]).flat)  # P − Q cancels: the error is relative to P
    np.testing.assert_allclose(difference(f, points), expected.astype(float), rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("sizes", [(2, 1), (3, 8, 2), (5, 16, 16, 3), (2, 4, 4, 4, 1)])
def test_float_compilation_of_random_networks(sizes):
    rng = np.random.default_rng(len(sizes))
    network = hjsym.load(
        [(rng.normal(size=(m, d)), rng.normal(size=m)) for d, m in itertools.pairwise(sizes)]
    )
    points = np.random.default_rng(0).normal(size=(4, 10, sizes[0]))
    f = hjsym.compile(network)
    assert f(points).shape == (4, 10, sizes[-1]) and f.variables == sizes[0]
    np.testing.assert_allclose(difference(f, points), network(points), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("slope", [0.0, 1.0, 0.25, -1.0, -3.0, 1.5, 4.0, THIRD, -THIRD, 4 * THIRD])
def test_leaky_relu_of_any_slope(slope):
    first, last = ([[1.0, -2.0], [0.5, 1.0]], [0.25, -1.0]), ([[1.0, -1.0], [2.0, 0.0]], [0.0, 1.0])
    chain = [layers.Affine(*first), layers.LeakyRelu(slope), layers.Affine(*last)]
    f = hjsym.compile(Network.sequential(2, chain), exact=True)
    for x, y in zip(GRID, reversed(GRID[::-3] * 3), strict=False):
        z = [x - 2 * y + Fraction(1, 4), x / 2 + y - 1]
        a, b = (v if v > 0 else Fraction(slope) * v for v in z)
        assert f([x, y]).tolist() == [a - b, 2 * a + 1]


AFFINE = layers.Affine([[0.1, 0.7], [0.3, 0.9]], [0.1, 0.1])  # no negative weight: Q is zero
CHAINS = [[layers.Relu()], [layers.Identity()], [layers.LeakyRelu(0.1)], [AFFINE], [AFFINE, layers.Relu()]]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: ", ".join(map(str, chain)))
def test_exact_compilation_where_parts_are_zero(chain):
    network = Network.sequential(2, chain)
    f = hjsym.compile(network, exact=True)
    for x in ([THIRD, -THIRD], [Fraction(-7, 3), Fraction(2, 9)]):
        assert [type(v) for v in f(x)] == [Fraction, Fraction]
        assert f(x).tolist() == network.to_exact()(x).tolist()
    assert f.is_exact


TWICE = [layers.Affine([[1.0, -2.0], [0.5, 1.0]], [0.5, 0.0]), layers.Softplus(0.5)]
SOFT = {
    "softplus": Network.sequential(2, TWICE * 2),
    "two temperatures": Network.sequential(2, [layers.Softplus(30.0), TWICE[0], layers.Relu(), TWICE[1]]),
    "log-sum-exp": Network.sequential(2, [*TWICE, TWICE[0], layers.LogSumExp(2.0)]),
    "log-sum-exp of one": Network.sequential(2, [layers.Affine([[1.0, -1.0]], [2.0]), layers.LogSumExp(3.0)]),
    "log-sum-exp of a sum": Network(2, (Node(layers.Add(), (0, 0)), Node(layers.LogSumExp(0.5), (1,)))),
}


@pytest.mark.parametrize("network", SOFT.values(), ids=SOFT)
def test_gates_keep_their_own_temperatures(network):
    points = np.random.default_rng(4).normal(size=(40, 2)) * 5
    f = hjsym.compile(network)
    np.testing.assert_allclose(difference(f, points), network(points), rtol=1e-12, atol=1e-12)


# ---- form --------------------------------------------------------------------------------------------


def polynomials(circuit):
    return [circuit[i].expand() for i in range(circuit.outputs)]


def value(polynomial, x):
    """max_j W_j·x + b_j in plain Python."""
    rows = zip(polynomial.slopes.tolist(), polynomial.coefficients.tolist(), strict=True)
    return max(sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in rows)


@settings(max_examples=60)
@given(data=st.data())
def test_parts_are_tropical_polynomials(networks_with_points, data):
    network, points = data.draw(networks_with_points(max_depth=2))
    f = hjsym.compile(network, exact=True)
    for node in (*f.P.nodes, *f.Q.nodes):
        assert all((weights >= 0).all() for weights, _ in getattr(node, "terms", ()))
    assume(sum(f.P.monomial_count()) + sum(f.Q.monomial_count()) < 3000)
    pairs = list(zip(polynomials(f.P), polynomials(f.Q), strict=True))
    for x, expected in zip(points, network.to_exact()(points).tolist(), strict=True):
        assert [value(p, x) - value(q, x) for p, q in pairs] == expected


def count_monomials(pairs):
    """Monomials of P and Q unit by unit: products multiply, a maximum adds; no cancellation."""
    p = q = [1] * len(pairs[0][0][0])
    for k, (weight, _) in enumerate(pairs):
        p = [a + b for a, b in zip(p, q, strict=True)] if k else p
        rows = [[(w, a, b) for w, a, b in zip(row, p, q, strict=True) if w] for row in weight]
        p, q = (
            [math.prod(a if (w > 0) == up else b for w, a, b in row) for row in rows] for up in (True, False)
        )
    return p, q


@pytest.mark.parametrize("sizes", [(2, 1), (1, 2, 1), (2, 3, 2), (3, 4, 2, 1), (2, 9, 9, 9, 3)])
def test_monomial_count(sizes):
    rng = np.random.default_rng(sum(sizes))
    shapes = itertools.pairwise(sizes)
    pairs = [(rng.choice([-2, -1, 0, 1, 3], size=(m, d)).tolist(), [0] * m) for d, m in shapes]
    f = hjsym.compile(pairs)
    expected = count_monomials(pairs)
    assert (f.P.monomial_count(), f.Q.monomial_count()) == expected
    if max(map(sum, expected)) < 10**4:
        assert tuple([len(p) for p in polynomials(c)] for c in (f.P, f.Q)) == expected


@pytest.mark.parametrize("head", [layers.Softmax, layers.Sigmoid])
def test_head_is_kept_apart(head):
    network = Network.sequential(2, [layers.Affine([[1.0, -1.0], [2.0, 0.5]], [0.0, 1.0]), head()])
    f, x = hjsym.compile(network), np.random.default_rng(6).normal(size=(9, 2))
    assert isinstance(f.head, head) and f.network.head is None and f.deform(0.5).head is f.head
    np.testing.assert_allclose(f.head(f(x)), network(x), rtol=1e-14)


@pytest.mark.parametrize("layer", [layers.Softplus(), layers.LogSumExp()])
def test_transcendental_layers_are_not_exact(layer):
    with pytest.raises(UnsupportedLayerError, match=rf"layer 1 \({layer}\) is transcendental"):
        hjsym.compile(Network.sequential(2, [layers.Relu(), layer]), exact=True)


# ---- pieces and temperatures -------------------------------------------------------------------------


@settings(max_examples=60)
@given(data=st.data())
def test_affine_piece(networks_with_points, data):
    network, points = data.draw(networks_with_points())
    f, exact = hjsym.compile(network, exact=True), network.to_exact()
    for x in points:
        slope, intercept = f.affine_at(x)
        assert (slope @ x + intercept).tolist() == exact(x).tolist()  # on ties too
        values, bends = [np.array(x, object)], []
        for node in exact.nodes:
            bends += values[node.inputs[0]].tolist() * isinstance(node.layer, (layers.Relu, layers.LeakyRelu))
            values.append(node.layer(*(values[i] for i in node.inputs)))
        if all(bends):  # inside a region, so that x' is in it too
            near = np.array([v + Fraction((-1) ** k, 10**15) for k, v in enumerate(x)])
            assert (slope @ near + intercept).tolist() == exact(near).tolist()


@settings(max_examples=80)
@given(data=st.data(), eps=st.sampled_from([0.01, 0.3, 1.0, 10.0]))
def test_deformation_bound(networks_with_points, data, eps):
    network, points = data.draw(networks_with_points())
    points, f = np.array(points, float), hjsym.compile(network)
    soft = f.deform(eps)
    gap, bound = np.abs(soft(points) - f(points)), soft.deformation_bound()
    assert isinstance(soft, hjsym.TropicalNetwork)
    rounding = soft.error_bound(points) + f.error_bound(points)
    assert (gap <= bound + rounding + 2.0**-50 * gap).all()
    assert (f.deformation_bound() == 0).all()


def test_deformation_bound_is_attained():
    f = hjsym.compile([([[1.0]], [0.0]), ([[3.0]], [0.0])]).deform(0.5)
    assert f([0.0])[0] == pytest.approx(1.5 * math.log(2), rel=1e-15)
    assert f.deformation_bound()[0] == pytest.approx(1.5 * math.log(2), rel=1e-13)
    with pytest.raises(InputError, match="eps = 0"):
        f.affine_at([0.0])


# ---- facts from the literature -----------------------------------------------------------------------

# Zhang, Naitzat, Lim (2018): output H − G, with a ReLU max(H, G) − G; (b, w1, w2).
ZNL = [([[-1, 1], [1, -3], [1, 2], [-4, 1], [3, 2]], [1, -1, 2, 0, -2]), ([[1, 2, 1, -1, -3]], [0])]
G = [(0, 1, 7), (0, 5, 6), (-6, 10, 13), (-6, 14, 12)]
H = [(1, 4, 7), (3, 5, 9), (-1, 6, 1), (2, 6, 8), (-2, 7, 0), (1, 7, 3), (0, 8, 2)]


@pytest.mark.parametrize("relu, P", [(False, H), (True, H + G)])
def test_znl_polynomials(relu, P):
    chain = [n.layer for n in hjsym.load(ZNL).nodes] + [layers.Relu()] * relu
    f = hjsym.compile(Network.sequential(2, chain), exact=True)
    for x, y in itertools.product(GRID[::4], repeat=2):
        expected = [[max(b + v * x + w * y for b, v, w in terms)] for terms in (P, G)]
        assert [part.tolist() for part in f.parts([x, y])] == expected
    known = {(0, 0): (3, 0), (1, 1): (20, 20), (-1, 2): (16, 13), (3, -1): (24, 24), (-2, -3): (-16, -23)}
    for point, expected in known.items() if relu else ():
        assert tuple(part[0] for part in f.parts(point)) == expected


def hull_vertices(points):
    """Points that alone are the farthest in some direction; the grid is fine enough for exponents up to 3."""
    tops = []
    for u, v in itertools.product(range(-9, 10), repeat=2):
        farthest = max(u * x + v * y for x, y in points)
        tops.append([p for p in points if u * p[0] + v * p[1] == farthest])
    return {top[0] for top in tops if len(top) == 1}


def test_maximum_of_two():
    f = hjsym.compile([([[1, -1], [0, 1], [0, -1]], [0, 0, 0]), ([[1, 1, -1]], [0])], exact=True)
    expected = ({(0, 2), (0, 3), (1, 1), (1, 2)}, {(0, 1), (0, 2)})
    for circuit, slopes in zip((f.P, f.Q), expected, strict=True):
        p = circuit.expand()
        assert hull_vertices(set(map(tuple, p.slopes.tolist()))) == slopes and not p.coefficients.any()
    for x, y in itertools.product(GRID[::5], repeat=2):
        assert f([x, y]).tolist() == [max(x, y)]


@pytest.mark.parametrize("k", range(1, 6))
def test_tent_map(k):
    inner = [([[1], [1]], [0, -0.5])] + [([[2, -4]] * 2, [0, -0.5])] * (k - 1)
    f = hjsym.compile([*inner, ([[2, -4]], [0])], exact=True)
    for x in GRID:
        y = x
        for _ in range(k):
            y = 2 * max(y, Fraction(0)) - 4 * max(y - Fraction(1, 2), Fraction(0))
        assert f([x]).tolist() == [y]


def test_slope_through_eight_layers():
    weight = 1 + 2.0**-52
    f = hjsym.compile([([[weight]], [0.0])] * 8, exact=True)
    slope, intercept = f.affine_at([1])
    assert slope.tolist() == [[(1 + Fraction(1, 2**52)) ** 8]] and intercept.tolist() == [0]
    assert f([1]).tolist() == [Fraction(weight) ** 8]

"""Tropical functions back as networks: equality proved over regions, exact values, depths, and what is refused."""

from fractions import Fraction
from math import ceil, inf, log2

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hjsym
from hjsym.layers import Affine, Maximum, Relu, Scale
from hjsym.network import Network
from tropical import Circuit, InputError, Polynomial, Rational, Semiring, variables

NUMBER = st.fractions(-4, 4, max_denominator=6)


@st.composite
def polynomials(draw, d: int = 2, sign: int = 1, most: int = 7) -> Polynomial:
    n = draw(st.integers(1, most))
    slopes = draw(st.lists(st.lists(NUMBER, min_size=d, max_size=d), min_size=n, max_size=n))
    coefficients = draw(st.lists(NUMBER, min_size=n, max_size=n))
    return Polynomial(np.array(slopes, object), np.array(coefficients, object), Semiring(sign))


def brute(p: Polynomial, x) -> Fraction:
    best = max if p.semiring.sign > 0 else min
    return best(
        sum(a * b for a, b in zip(row, x, strict=True)) + c
        for row, c in zip(p.slopes, p.coefficients, strict=True)
    )


POINTS = [[Fraction(a, 7), Fraction(b, 5)] for a, b in ((0, 0), (3, -8), (-20, 11), (40, 2), (-1, -1))]


@pytest.mark.parametrize("maxout", [False, True])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_polynomials(maxout, data):
    p = data.draw(polynomials(sign=data.draw(st.sampled_from([1, -1]))))
    net = hjsym.to_network(p, maxout)
    assert net.exact and net(POINTS)[:, 0].tolist() == [brute(p, x) for x in POINTS]
    assert hjsym.equivalent(net, p)
    if not maxout:
        hidden = sum(isinstance(node.layer, Relu) for node in net.nodes)
        assert hidden <= ceil(log2(len(p)))
        assert net.nodes[0].layer.weight.shape[0] <= 3 * (len(p) + 1) // 2


@pytest.mark.parametrize("maxout", [False, True])
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_rational_functions(maxout, data):
    sign = data.draw(st.sampled_from([1, -1]))
    p, q = (data.draw(polynomials(sign=sign, most=4)) for _ in "PQ")
    net = hjsym.to_network(p / q, maxout)
    assert net(POINTS)[:, 0].tolist() == [brute(p, x) - brute(q, x) for x in POINTS]
    assert hjsym.equivalent(net, p / q)


def test_depth_of_generic_pieces():
    """A maximum of N affine functions in general position takes ⌈log₂ N⌉ layers of ReLUs, as Arora et al. say."""
    rng = np.random.default_rng(0)
    for n in (2, 3, 4, 5, 8, 9, 17):
        p = Polynomial(rng.normal(size=(n, 3)), rng.normal(size=n))
        net = hjsym.to_network(p)
        assert [type(node.layer) for node in net.nodes] == [Affine, Relu] * ceil(log2(n)) + [Affine]
        x = rng.normal(size=(100, 3)) * 5
        np.testing.assert_allclose(net(x)[:, 0], p(x), rtol=1e-14, atol=1e-13)


@pytest.mark.parametrize("maxout", [False, True])
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_circuits_of_networks(maxout, networks_with_points, data):
    """The rails of a compiled network, taken as mere circuits, become a network that computes the same."""
    network, points = data.draw(networks_with_points(max_depth=2))
    f = hjsym.compile(network, exact=True)
    net = hjsym.to_network(Rational(f.P, f.Q), maxout)
    assert net(points).tolist() == network.to_exact()(points).tolist()
    top = hjsym.to_network(f.P, maxout)
    assert top(points).tolist() == f.P(points).tolist()


@pytest.mark.parametrize("maxout", [False, True])
def test_circuits_that_share_and_skip(maxout):
    x = Circuit.identity(2, exact=True)
    early = x.affine([[1, 0], [0, -2]]) + 0
    late = (early.affine([[1, 1]]) + x.affine([[3, 1]])) + early.affine([[2, 0]])
    c = late * early[0] * x.affine([[0, 1]], [5])
    points = np.array(POINTS, object)
    net = hjsym.to_network(c, maxout)
    assert net(points).tolist() == c(points).tolist()
    assert hjsym.equivalent(net, c)
    assert hjsym.to_network(x, maxout)(points).tolist() == points.tolist()


def test_a_compiled_network_gives_back_its_own_layers():
    pairs = [([[1.0, -2.0], [0.5, 3.0]], [0.0, 1.0]), ([[2.0, -1.0]], [0.25])]
    f = hjsym.compile(pairs)
    net = hjsym.to_network(f)
    assert net is f.network
    for (weight, bias), (given_weight, given_bias) in zip(net.pairs(), pairs, strict=True):
        assert weight.tolist() == given_weight and bias.tolist() == given_bias
    assert hjsym.equivalent(hjsym.load(net.pairs()), f)
    assert hjsym.to_network(pairs).pairs()[1][0].tolist() == [[2.0, -1.0]]


def test_pairs_are_refused_for_other_networks():
    with pytest.raises(InputError, match=r"layer 1 \(Scale\).*has Relu there"):
        Network.sequential(1, [Affine([[1.0]], [0.0]), Scale([2.0], [0.0])]).pairs()
    with pytest.raises(InputError, match="ends with a Relu"):
        Network.sequential(1, [Affine([[1.0]], [0.0]), Relu()]).pairs()


def test_soft_functions_need_maxout():
    x, y = variables(2)
    p = (x**2 + y + 1).deform(0.5)
    points = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(InputError, match="pass maxout=True"):
        hjsym.to_network(p)
    np.testing.assert_allclose(hjsym.to_network(p, maxout=True)(points)[:, 0], p(points), rtol=1e-14)
    low = Polynomial([[1, 0], [0, 1]], [0, 1], Semiring(-1, 0.5))
    np.testing.assert_allclose(hjsym.to_network(low, maxout=True)(points)[:, 0], low(points), rtol=1e-14)
    soft = hjsym.compile([([[1.0, -1.0]], [0.0]), ([[-2.0]], [1.0])]).deform(0.25)
    with pytest.raises(InputError, match="pass maxout=True"):
        hjsym.to_network(soft)
    net = hjsym.to_network(soft, maxout=True)
    assert any(isinstance(node.layer, Maximum) and node.layer.eps == 0.25 for node in net.nodes)
    np.testing.assert_allclose(net(points), soft(points), rtol=1e-13, atol=1e-13)


def test_degenerate_polynomials():
    constant = Polynomial([[0, 0], [0, 0]], [1, 3])
    assert hjsym.to_network(constant)([[5.0, 6.0]]).tolist() == [[3.0]]
    same = Polynomial([[1, 2]] * 5, [0, 1, 1, 1, 0])
    assert hjsym.to_network(same)([[1.0, 1.0]]).tolist() == [[4.0]]
    gap = Polynomial([[1, 0], [9, 9]], [0, -inf])
    assert [node.layer.weight.tolist() for node in hjsym.to_network(gap).nodes] == [[[1.0, 0.0]]]
    for maxout in (False, True):
        with pytest.raises(InputError, match="zero of its semiring"):
            hjsym.to_network(Polynomial([[1, 0]], [-inf]), maxout)


@given(p=polynomials())
@example(p=Polynomial([[Fraction(1, 3), 0], [0, 0]], [Fraction(0), Fraction(1, 7)]))
@settings(max_examples=10, deadline=None)
def test_floats_of_an_exact_network(p):
    """to_float rounds each weight to the nearest; an exact network evaluated at a point says how far that is off."""
    exact = hjsym.to_network(p, maxout=True)
    net = exact.to_float()
    assert not net.exact and net.to_float() is net
    weights = exact.nodes[0].layer.weight
    assert net.nodes[0].layer.weight.tolist() == [[float(v) for v in row] for row in weights.tolist()]

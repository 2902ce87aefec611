"""Circuits against their own expansions, exactly at rational points, and against differences."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tropical import BudgetExceeded, Circuit, InputError, Polynomial, Rational, Semiring
from tropical.circuit import combine, evaluate_together, soft_max

rationals = st.fractions(-5, 5, max_denominator=12)


@st.composite
def circuits(draw, weights=(0, 1, 2, Fraction(1, 3)), depth=3, dtype=object, d=2):
    """Random circuits that share nodes: each layer is affine in an earlier one, or ⊕ or ⊗ of two."""
    signed = st.integers(-3, 3).map(Fraction)
    matrix = draw(st.lists(st.lists(signed, min_size=d, max_size=d), min_size=2, max_size=2))
    made = [Circuit.identity(d).affine(np.array(matrix).astype(dtype), draw(st.tuples(signed, signed)))]
    for _ in range(draw(st.integers(1, depth))):
        a, b = draw(st.sampled_from(made)), draw(st.sampled_from(made))
        kind = draw(st.sampled_from(["affine", "max", "max", "product"]))
        if kind == "affine":
            row = st.tuples(*[st.sampled_from(weights)] * 2)
            w = np.array([draw(row), draw(row)], dtype=object).astype(dtype)
            made.append(a.affine(w, np.array(draw(st.tuples(signed, signed)), dtype=object).astype(dtype)))
        else:
            made.append(a + b if kind == "max" else a * b)
    return made[-1]


points = st.tuples(rationals, rationals)


def brute_force(p: Polynomial, x) -> tuple[Fraction, set[tuple]]:
    """The maximum over the monomials of an exact polynomial and every (slope, intercept) attaining it."""
    monomials = [
        (sum(w * v for w, v in zip(row, x, strict=True)) + b, (*row, b))
        for row, b in zip(p.slopes, p.coefficients, strict=True)
    ]
    best = max(value for value, _ in monomials)
    return best, {monomial for value, monomial in monomials if value == best}


RELU_NET = (Circuit.identity(2).affine([[1, -2], [3, 1]], [0, 1]) + 0).affine([[1, 2]], [0.5])


# ---- expansion -------------------------------------------------------------------------------------


@given(c=circuits(), x=points)
def test_values_and_affine_pieces_are_those_of_the_expansion(c, x):
    values, (slopes, intercepts) = c(x), c.affine_at(x)
    for i, p in enumerate(c.expand()):
        best, dominant = brute_force(p, x)
        assert values[i] == best == p(x) and type(values[i]) is Fraction
        assert (*slopes[i], intercepts[i]) in dominant
        assert {type(v) for v in (*slopes[i], intercepts[i])} == {Fraction}


@given(c=circuits())
def test_monomial_count_is_the_length_of_the_expansion(c):
    assert c.monomial_count() == [len(p) for p in c.expand()]


@given(c=circuits(weights=(0, 1, 2), depth=2), eps=st.sampled_from([0.1, 1.0, 8.0]), x=points)
def test_soft_circuits_with_whole_weights_are_their_expansion(c, eps, x):
    c = _to_float(c).deform(eps)
    x = np.array(x, dtype=float)
    polynomials = c.expand()
    assert c.monomial_count() == [len(p) for p in polynomials]
    assert all(p.semiring == Semiring(1, eps) for p in polynomials)
    np.testing.assert_allclose(c(x), [p(x) for p in polynomials], rtol=1e-13, atol=1e-13 * (eps + 1))
    np.testing.assert_allclose(c.gradient(x), [p.gradient(x) for p in polynomials], rtol=1e-12, atol=1e-12)


def _to_float(c: Circuit) -> Circuit:
    """The same graph with float weights, nodes shared as before."""
    done = {}
    for node in c.nodes:
        parts = [done[u] for u in node.operands]
        if not parts:
            done[node] = Circuit.identity(node.size)
        elif hasattr(node, "bias"):
            weights = [w.astype(float) for w, _ in node.terms]
            done[node] = combine(list(zip(weights, parts, strict=True)), node.bias.astype(float))
        else:
            done[node] = soft_max(parts)
    return done[c.node]


def test_budget_says_the_exact_count_of_a_circuit_too_large_to_expand():
    c = Circuit.identity(1).affine([[1], [-1]])
    for _ in range(7):
        c = (c + c.affine([[1, 1], [0, 1]])).affine([[1, 1], [1, 0]])  # the count about squares
    with pytest.raises(BudgetExceeded, match="monomials of the expanded circuit") as caught:
        c.expand()
    assert caught.value.reached == sum(c.monomial_count()) > 10**15
    assert np.isfinite(c([0.5])).all()  # evaluation costs gates, not monomials


def test_expansion_is_of_the_needed_outputs_only():
    one = RELU_NET.expand()
    assert isinstance(one, Polynomial) and len(one) == 4
    wide = Circuit.identity(2).affine(np.ones((3, 2))) + 0
    assert [len(p) for p in wide.expand(limit=6)] == [2, 2, 2]
    assert wide[1].expand(limit=2)([1.0, 2.0]) == 3


# ---- deformation -----------------------------------------------------------------------------------


@given(c=circuits(depth=4), eps=st.sampled_from([1e-3, 0.5, 20.0]), x=points)
@example(c=RELU_NET, eps=1.0, x=(0, 0))
def test_deformation_stays_within_its_bound(c, eps, x):
    c, x = _to_float(c), np.array(x, dtype=float)
    sharp, soft = c.deform(0)(x), c.deform(eps)(x)
    bound = c.deform(eps).deformation_bound()
    rounding = 1e-13 * (np.abs(sharp) + bound + 10)
    assert np.all(soft - sharp >= -rounding) and np.all(soft - sharp <= bound + rounding)
    assert not c.deform(0).deformation_bound().any()


@pytest.mark.parametrize("eps", [1e-3, 1.0, 50.0])
def test_deformation_bound_is_attained_where_branches_tie(eps):
    x = Circuit.identity(2)
    hidden = (x.affine([[1, 2], [3, -1]]) + 0) * 1.5  # every branch ties at the origin but for the factor
    c = (hidden.affine([[1, 2]]) + hidden.affine([[2, 1]])).deform(eps)
    sharp = c.deform(0)([0.0, 0.0])
    bound = c.deformation_bound()
    assert bound == pytest.approx(3 * eps * math.log(2) + eps * math.log(2), rel=1e-13)
    assert c([0.0, 0.0]) - sharp == pytest.approx(bound, rel=1e-12)


def test_gates_keep_their_own_temperatures_until_deformed():
    x = Circuit.identity(1)
    c = soft_max([soft_max([x, x], eps=1.0), x], eps=0.25)
    assert not c.is_tropical and c.deform(0).is_tropical
    assert c([0.0]) == pytest.approx(0.25 * math.log(2**4 + 1), rel=1e-14)  # e^{4 log 2} + e^0
    assert c.deform(0.5)([0.0]) == pytest.approx(0.5 * math.log(3), rel=1e-14)


# ---- derivatives -----------------------------------------------------------------------------------


@given(c=circuits(weights=(0, 1, 2, Fraction(1, 2))), eps=st.sampled_from([0.5, 2.0]), x=points)
def test_gradient_equals_finite_differences(c, eps, x):
    c, x, h = _to_float(c).deform(eps), np.array(x, dtype=float), 1e-4
    steps = h * np.eye(2)
    # fourth order: h^4 and rounding / h both are about 1e-12 of the scale
    differences = (8 * (c(x + steps) - c(x - steps)) - (c(x + 2 * steps) - c(x - 2 * steps))) / (12 * h)
    scale = 1 + np.abs(c(x)).max() + np.abs(c.gradient(x)).max() ** 2
    np.testing.assert_allclose(c.gradient(x), differences.T, rtol=0, atol=1e-9 * scale)


@given(c=circuits(), x=points)
def test_at_temperature_zero_the_gradient_is_the_slope(c, x):
    slopes, _ = c.affine_at(x)
    assert c.gradient(x).tolist() == slopes.tolist()


# ---- building and sharing --------------------------------------------------------------------------


@given(x=points)
def test_operators_against_values(x):
    a = Circuit.identity(2).affine([[1, -2], [3, 1]], [Fraction(1, 3), 1])
    b = a + Fraction(1, 2)
    (a1, a2), (b1, b2) = a(x), b(x)
    assert b(x).tolist() == [max(a1, Fraction(1, 2)), max(a2, Fraction(1, 2))]
    assert (a + b)(x).tolist() == [max(a1, b1), max(a2, b2)]
    assert (a * b)(x).tolist() == [a1 + b1, a2 + b2] and (3 * b)(x).tolist() == [b1 + 3, b2 + 3]
    assert (b**2)(x).tolist() == [2 * b1, 2 * b2] and not (b**0)(x).any()
    assert b[1](x).tolist() == [b2] and b[::-1](x).tolist() == [b2, b1]
    assert (a / b)(x).tolist() == [a1 - b1, a2 - b2]
    assert combine([([[1, 2]], a), ([[0, 1]], b)], [7])(x).tolist() == [a1 + 2 * a2 + b2 + 7]


def test_rational_powers_of_exact_circuits_are_exact():
    c = Circuit.identity(1).affine([[Fraction(1, 3)]]) + 0
    assert (c ** Fraction(2, 3))([1]).tolist() == [Fraction(2, 9)]
    (one,) = (c**0)([1])
    assert one == 0 and type(one) is Fraction


def test_shared_nodes_are_evaluated_once_and_give_what_they_give_alone():
    hidden = Circuit.identity(2).affine([[1, -2], [3, 1]]) + 0
    a, b = hidden.affine([[1, 2]]), hidden.affine([[2, 1]]) + 1
    assert len(set(a.nodes) & set(b.nodes)) == len(hidden.nodes)
    assert a.gates == 2 and (a + b).gates == 2 + 1 + 1  # not 2 + 2 + 1 + 1
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    for together, alone in zip(evaluate_together((a, b), x), (a, b), strict=True):
        assert together.shape == (5, 4, 1) and np.array_equal(together, alone(x))


def test_a_shared_chain_costs_its_gates_not_its_paths():
    c = Circuit.identity(1)
    for _ in range(200):  # 2^200 paths
        c = (c + c) ** 0.5
    assert c.gates == 200
    assert c([1.0]) == 2.0**-200 and c.gradient([1.0]) == 2.0**-200


@pytest.mark.parametrize("lead", [(), (3,), (0,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes(lead, dtype):
    c = (Circuit.identity(2).affine(np.ones((3, 2), dtype), np.zeros(3, dtype)) + 0).deform(0.5)
    x = np.ones((*lead, 2), dtype)
    assert c(x).shape == (*lead, 3) and c.gradient(x).shape == (*lead, 3, 2)
    assert c.affine(np.eye(3, dtype=dtype)).outputs == 3
    slopes, intercepts = c.deform(0).affine_at(x)
    assert slopes.shape == (*lead, 3, 2) and intercepts.shape == (*lead, 3)


def test_float32_circuits_stay_float32():
    ones, zeros = np.ones((3, 2), np.float32), np.zeros(3, np.float32)
    c = Circuit.identity(2).affine(ones, zeros)
    assert c.dtype == c(np.ones(2, np.float32)).dtype == np.float32
    for grown in (c + 0, c * 2.0, c**2, c[0], c + c):
        assert grown.dtype == np.float32, grown


def test_nan_propagates():
    assert np.isnan(RELU_NET([math.nan, 1.0])).all() and np.isnan(RELU_NET.deform(1.0)([math.nan, 1.0])).all()


def test_text():
    assert repr(RELU_NET) == "<Circuit: R^2 → R^1, 2 max gates, float64>"
    exact = Circuit.identity(1).affine([[Fraction(1, 3)]])
    assert repr(exact) == "<Circuit: R^1 → R^1, 0 max gates, exact>"


def deep(layers: int) -> Circuit:
    """Two units a layer, each fed by both below: the number of monomials squares from layer to layer."""
    c = Circuit.identity(1).affine([[1], [-1]])
    for _ in range(layers):
        c = (c + c.affine([[1, 1], [0, 1]])).affine([[1, 1], [1, 0]])
    return c


@pytest.mark.parametrize("layers", [30, 3000])
def test_a_count_too_long_to_write_down_is_refused(layers):
    with pytest.raises(BudgetExceeded, match="binary digits of the number of monomials") as caught:
        deep(layers).expand()
    assert caught.value.reached > 10**6
    assert np.isfinite(deep(3)([1.0])).all()


def test_exact_circuits_refuse_a_temperature_at_once():
    with pytest.raises(InputError, match=r"exact circuit at eps = 0\.5"):
        Circuit.identity(1, exact=True).deform(0.5)


def test_parts_of_a_rational_share_their_identity():
    with pytest.raises(InputError, match="different identities"):
        Rational(Circuit.identity(1) + 0, Circuit.identity(1) + 0)

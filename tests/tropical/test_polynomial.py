"""Polynomials: values, derivatives, operators, exact mode, dtypes, errors and text."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    InputError,
    Polynomial,
    Semiring,
    variables,
)

SEMIRINGS = [MAX_PLUS, MIN_PLUS, Semiring(1, 0.7), Semiring(-1, 2.0)]
dyadic = st.integers(-32, 32).map(lambda k: k / 8)
over_each_semiring = pytest.mark.parametrize("semiring", SEMIRINGS, ids=str)


@st.composite
def polynomials(draw, semiring=MAX_PLUS, max_terms=5, min_terms=1, d=2):
    terms = draw(st.integers(min_terms, max_terms))
    row = st.lists(dyadic, min_size=d, max_size=d)
    slopes = np.array(draw(st.lists(row, min_size=terms, max_size=terms))).reshape(terms, d)
    coefficient = dyadic | st.just(semiring.zero)
    return Polynomial(slopes, draw(st.lists(coefficient, min_size=terms, max_size=terms)), semiring)


points = st.lists(dyadic, min_size=2, max_size=2)


def near(a, b, scale: float = 100.0) -> bool:
    """Equal as far as rounding of numbers of this scale allows; equal infinities are near."""
    return bool(a == b) or abs(a - b) <= 64 * 2.0**-52 * scale


def random_polynomial(terms=6, d=3, seed=0, semiring=MAX_PLUS, dtype=np.float64) -> Polynomial:
    rng = np.random.default_rng(seed)
    return Polynomial(
        rng.normal(size=(terms, d)).astype(dtype), rng.normal(size=terms).astype(dtype), semiring
    )


# ---- operators are the semiring's, pointwise -------------------------------------------------------


@over_each_semiring
@given(data=st.data())
def test_operators_commute_with_evaluation(semiring, data):
    p, q = data.draw(polynomials(semiring)), data.draw(polynomials(semiring, min_terms=0))
    x, c = data.draw(points), data.draw(dyadic)
    assert near((p + q)(x), semiring.add(p(x), q(x)))
    assert near((p * q)(x), semiring.mul(p(x), q(x)))
    assert near((p + c)(x), semiring.add(p(x), c)) and near((c + p)(x), semiring.add(p(x), c))
    assert near((p * c)(x), p(x) + c) and near((c * p)(x), p(x) + c)
    assume(q(x) != semiring.zero)
    assert near((p / q)(x), p(x) - q(x))


@over_each_semiring
@given(data=st.data(), k=st.integers(0, 4))
@example(data=None, k=0)
def test_whole_powers_are_multiples(semiring, data, k):
    p = data.draw(polynomials(semiring, max_terms=4)) if data else random_polynomial(d=2, semiring=semiring)
    x = data.draw(points) if data else [1.0, 2.0]
    power = p**k
    assert near(power(x), k * p(x) if k else 0.0)
    product = Polynomial([[0, 0]], [0], semiring)
    for _ in range(k):
        product = product * p
    assert near(power(x), product(x))


@given(p=polynomials(), x=points, k=st.sampled_from([0.5, 1.5, Fraction(3, 4), 2.25]))
def test_tropical_powers_are_real(p, x, k):
    assert near((p**k)(x), float(k) * p(x))


def test_a_single_monomial_has_every_power():
    p = Polynomial([[2.0, -1.0]], [3.0], Semiring(1, 0.5))
    assert (p**-1.5)([1.0, 4.0]) == -1.5 * (2 - 4 + 3)
    assert (1 / p)([1.0, 4.0]) == 1 - (2 - 4 + 3)


def test_numpy_scalars_on_the_left_leave_the_operator_to_the_polynomial():
    p = random_polynomial()
    for scalar in (np.float64(2), np.float32(2), np.int64(2)):
        assert isinstance(scalar + p, Polynomial) and isinstance(scalar * p, Polynomial)


def test_variables_are_the_coordinates():
    for semiring in SEMIRINGS:
        assert [v([3.0, -4.0, 5.0]) for v in variables(3, semiring)] == [3, -4, 5]


# ---- exact mode ------------------------------------------------------------------------------------


def all_fractions(*arrays) -> bool:
    return all(type(v) is Fraction for a in arrays for v in np.asarray(a, dtype=object).flat)


@pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
@settings(max_examples=30)
@given(data=st.data())
def test_exact_equals_float_on_dyadic_input_and_stays_exact(semiring, data):
    p, q = (data.draw(polynomials(semiring, max_terms=4)) for _ in range(2))
    x = data.draw(points)
    exact_x = np.array([Fraction(v) for v in x])
    for f in (p, p + q, p * q, p**3, p**0.5, p + 2, p * 0.25):
        e = f.to_exact()
        assert e.is_exact and e.dtype == object and e.variables == f.variables
        assert e(x) == e(exact_x) == f(exact_x) == f(x)
        assert e.argmax(x) == f.argmax(x)
        assert e.gradient(x).tolist() == f.gradient(x).tolist() and all_fractions(e.gradient(x))
        assert e.weights(x).tolist() == f.weights(x).tolist() and all_fractions(e.weights(x))
        assert all_fractions(e.excess(x), e.entropy(x), e.slopes)
        assert f(x) == semiring.zero or all_fractions(e(x), *e.affine_at(x))
    for e in (p.to_exact() + q, p * q.to_exact(), p.to_exact() ** Fraction(1, 3), p.to_exact() * 0.1):
        assert e.is_exact and all_fractions(e.slopes)
    assert p.to_exact().to_float()(x) == p(x)


def test_exact_mode_does_not_round():
    third = Fraction(1, 3)
    p = Polynomial([[third, 1], [0, 0]], np.array([Fraction(1, 7), Fraction(0)]))
    value = p([third, Fraction(1, 10**30)])
    assert value == third * third + Fraction(1, 10**30) + Fraction(1, 7) and type(value) is Fraction
    assert (p**third)([1, 1]) == third * (third + 1 + Fraction(1, 7))
    with pytest.raises(InputError, match=r"exact entries at eps = 0.5: .*use eps = 0 or call to_float\(\)"):
        p.deform(0.5)


# ---- derivatives -----------------------------------------------------------------------------------

SOFT = [random_polynomial(5, 2, 1, Semiring(1, 0.7)), random_polynomial(7, 3, 2, Semiring(-1, 0.2))]
SOFT += [random_polynomial(300, 2, 3, Semiring(1, 0.05)), random_polynomial(1, 2, 4, Semiring(1, 1.0))]


def mp_value(reference, p, x, eps=None):
    """p(x) from its definition in 60 digits; x and eps may be 60-digit numbers."""
    mp, sign, eps = reference.MP, p.semiring.sign, p.semiring.eps if eps is None else eps
    terms = [
        sign * (sum(mp.mpf(w) * v for w, v in zip(row, x, strict=True)) + mp.mpf(b))
        for row, b in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)
    ]
    return sign * eps * mp.log(mp.fsum(mp.exp(z / eps) for z in terms))


@pytest.mark.parametrize("p", SOFT, ids=repr)
def test_derivatives_equal_differences_in_60_digits(p, reference):
    mp, d, h = reference.MP, p.variables, reference.MP.mpf(10) ** -15
    x = np.random.default_rng(9).normal(size=d)
    exact = [mp.mpf(v) for v in x.tolist()]

    def at(*steps):
        moved = list(exact)
        for k, s in steps:
            moved[k] += s * h
        return mp_value(reference, p, moved)

    gradient = [(at((k, 1)) - at((k, -1))) / (2 * h) for k in range(d)]
    hessian = [
        (at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))) / (4 * h * h)
        for i in range(d)
        for j in range(d)
    ]
    eps = mp.mpf(p.semiring.eps)
    entropy = p.semiring.sign * (
        mp_value(reference, p, exact, eps + h) - mp_value(reference, p, exact, eps - h)
    )
    assert max(reference.errors(p.gradient(x), gradient)) <= 1e-14 * abs(p.slopes).max()
    assert max(reference.errors(p.hessian(x), hessian)) <= 1e-13 * (abs(p.slopes).max() ** 2 / p.semiring.eps)
    assert reference.errors(p.entropy(x), [entropy / (2 * h)])[0] <= 1e-13
    assert reference.errors(p(x), [mp_value(reference, p, exact)])[0] <= 1e-14 * (1 + abs(p(x)))


def test_the_hessian_is_zero_at_temperature_zero():
    assert not random_polynomial().hessian(np.zeros((4, 3))).any()


def test_value_and_gradient_is_both():
    p, x = SOFT[0], np.ones((3, 2))
    value, gradient = p.value_and_gradient(x)
    assert np.array_equal(value, p(x)) and np.array_equal(gradient, p.gradient(x))


@over_each_semiring
@given(data=st.data())
def test_the_deformation_lies_between_zero_and_its_bound(semiring, data):
    p, x = data.draw(polynomials(semiring, max_terms=6, min_terms=0)), data.draw(points)
    excess = semiring.sign * p.excess(x)
    assert 0 <= excess <= p.deformation_bound()
    if semiring.sign * p(x) > -math.inf:
        assert near(p(x), p.deform(0.0)(x) + semiring.sign * excess)


def test_the_deformation_bound_is_attained_where_all_terms_tie():
    p = Polynomial(np.eye(7), np.zeros(7), Semiring(1, 0.3))
    assert p.excess(np.zeros(7)) == pytest.approx(0.3 * math.log(7), rel=1e-15)
    assert p.excess(np.zeros(7)) <= p.deformation_bound() <= 0.3 * math.log(7) * (1 + 1e-14)


# Core check of Miñoza, Legara, Monterola, "The Hamilton–Jacobi Theory of Deep Learning", arXiv:2605.28983:
# y = (−1.5, −.5, .5, 1.5), g = (1, .3, .3, 1), t = 1. Digits from a separate 30-digit evaluation.
GOLDEN = [
    # eps, x, f, f_0, f', f'', H(π)
    (1.0, -1.0, 0.68226430329687, -0.1125, -0.17512109648197, 0.16900754534758, 1.1988630718884),
    (0.3, 0.0, -0.14911086745667, -0.3625, 0.0, 0.23831034993682, 0.78324194832612),
    (0.05, 2.0, 0.13840749649709, 0.1375, 0.2589931039508, 0.088313541375438, 0.090094810126261),
]


@pytest.mark.parametrize("eps, x, f, f_0, slope, curvature, entropy", GOLDEN)
def test_golden_values(eps, x, f, f_0, slope, curvature, entropy):
    y, g = np.array([-1.5, -0.5, 0.5, 1.5]), np.array([1.0, 0.3, 0.3, 1.0])
    p = Polynomial(y / 2, -g - y**2 / 4, Semiring(1, eps))
    got = [p(x), p.deform(0)(x), p.gradient(x)[0], p.hessian(x)[0, 0], p.entropy(x)]
    assert got == pytest.approx([f, f_0, slope, curvature, entropy], rel=1e-13, abs=1e-13)
    assert p.excess(x) == pytest.approx(f - f_0, rel=1e-11)


# ---- text --------------------------------------------------------------------------------------------


def test_text():
    x, y = variables(2)
    assert str(x * y + 3 * x**2 + 1) == "x1 x2 ⊕ 3 x1^2 ⊕ 1"
    assert str(Polynomial([[-1, 0.5], [0, 0]], [-2.25, 0])) == "-2.25 x1^-1 x2^0.5 ⊕ 0"
    assert str(Polynomial([[Fraction(1, 3)]], [Fraction(2, 7)])) == "2/7 x1^1/3"
    assert str(Polynomial(np.zeros((0, 1)), [])) == "-inf"
    assert repr(x) == "<Polynomial: 1 monomials in 2 variables over max-plus, float64>"
    assert str(random_polynomial(13)) == repr(random_polynomial(13))
    assert "over log-min-plus, eps = 0.2, float32>" in repr(
        random_polynomial(2, 1, 0, Semiring(-1, 0.2), np.float32)
    )
    assert repr(x.to_exact()).endswith("over max-plus, exact>")


# ---- many monomials, few points: pieces of the monomials ---------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@over_each_semiring
def test_pieces_give_what_the_whole_gives(semiring, dtype, count, monkeypatch):
    rng = np.random.default_rng(count)
    p = Polynomial(*(rng.integers(-8, 9, s).astype(dtype) for s in ((700, 3), 700)), semiring)  # with ties
    x = rng.normal(size=(count, 3)).astype(dtype)
    x[0, 0] = np.nan if count == 20 else x[0, 0]
    whole = p(x), *p.value_and_gradient(x), p.argmax(x)
    monkeypatch.setattr("tropical._evaluation._PIECE", 128)
    pieces = p(x), *p.value_and_gradient(x), p.argmax(x)
    if semiring.is_tropical:
        for got, want in zip(pieces, whole, strict=True):
            assert np.array_equal(got, want, equal_nan=True)
    tolerance = 64 * float(np.finfo(dtype).eps)
    for got, want in zip(pieces, whole, strict=True):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    for threads in (1, 2, 3):
        monkeypatch.setattr("tropical._threads._WORTHWHILE", 1)
        for got, want in zip(p.value_and_gradient(x, n_threads=threads), pieces[1:3], strict=True):
            assert np.array_equal(got, want, equal_nan=True)


@over_each_semiring
def test_infinite_coordinates_and_absent_monomials_in_pieces(semiring, monkeypatch):
    rng = np.random.default_rng(4)
    coefficients = np.where(rng.random(300) < 0.9, semiring.zero, 1.0)
    coefficients[:140] = semiring.zero  # a whole piece of them
    p = Polynomial(rng.integers(-1, 2, (300, 2)), coefficients, semiring)
    x = np.array([[np.inf, 1.0], [0.5, -np.inf], [1.0, 2.0], [np.inf, -np.inf]])
    want = p.value_and_gradient(x)
    monkeypatch.setattr("tropical._evaluation._PIECE", 64)
    for got, one in zip(p.value_and_gradient(x), want, strict=True):
        np.testing.assert_allclose(got, one, rtol=1e-13, atol=1e-13)
    nothing = Polynomial(np.zeros((200, 1)), np.full(200, semiring.zero), semiring)
    assert nothing([1.0]) == semiring.zero
    assert nothing.argmax([1.0]) == -1
    assert np.array_equal(nothing.gradient([1.0]), [0.0])


@over_each_semiring
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_point_gives_what_a_batch_of_one_gives(semiring, dtype):
    rng = np.random.default_rng(0)
    p = Polynomial(rng.normal(size=(70, 3)).astype(dtype), rng.normal(size=70).astype(dtype), semiring)
    for x in (
        rng.normal(size=3).astype(dtype),
        np.array([0, np.nan, 0], dtype),
        np.array([1, np.inf, 0], dtype),
    ):
        value, gradient = p.value_and_gradient(x)
        values, gradients = p.value_and_gradient(x[None])
        assert value.dtype == gradient.dtype == dtype and gradient.shape == (3,)
        assert np.array_equal(value, values[0], equal_nan=True)
        assert np.array_equal(value, p(x), equal_nan=True)
        assert np.array_equal(gradient, gradients[0], equal_nan=True)

"""Polynomials from and to dictionaries, exact numbers, powers, composition, substitution, merging."""

import math
from decimal import Decimal
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    BudgetExceeded,
    InputError,
    Polynomial,
    Rational,
    Semiring,
    SemiringMismatchError,
    ShapeError,
    variables,
)

INF = math.inf
THIRD = Fraction(1, 3)
SEMIRINGS = [MAX_PLUS, MIN_PLUS, Semiring(1, 0.7), Semiring(-1, 2.0)]
over_each_semiring = pytest.mark.parametrize("semiring", SEMIRINGS, ids=str)
over_tropical = pytest.mark.parametrize("semiring", SEMIRINGS[:2], ids=str)
fractions = st.fractions(-4, 4, max_denominator=6)
dyadic = st.integers(-16, 16).map(lambda k: k / 8)
whole = st.integers(0, 3)


@st.composite
def polynomials(
    draw, semiring=MAX_PLUS, numbers=fractions, exponents=fractions, max_terms=4, min_terms=0, d=2
):
    row = st.tuples(*[exponents] * d)
    terms = draw(
        st.lists(st.tuples(row, numbers | st.just(semiring.zero)), min_size=min_terms, max_size=max_terms)
    )
    slopes = np.array([w for w, _ in terms], dtype=object).reshape(len(terms), d)
    p = Polynomial(slopes, np.array([b for _, b in terms], dtype=object), semiring.deform(0))
    return p if semiring.is_tropical else p.to_float().deform(semiring.eps)


points = st.tuples(fractions, fractions).map(lambda t: np.array(t, dtype=object))


def near(a, b) -> bool:
    return bool(a == b) or abs(a - b) <= 1e-12 * (1 + abs(b))


def plain(p: Polynomial) -> bool:
    """Whether every entry is a Fraction, or an infinity."""
    return all(type(v) is Fraction or abs(v) == INF for a in (p.slopes, p.coefficients) for v in a.flat)


# ---- dictionaries --------------------------------------------------------------------------------------


def test_dictionaries():
    p = Polynomial.from_dict({(2, 1): 3, (0, 0): -INF, (0, 1): 2.5})
    assert p.dtype == np.float64 and p.to_dict() == {(2, 1): 3, (0, 1): 2.5}
    assert Polynomial.from_dict({2: 3, 0: 1}, MIN_PLUS)([4.0]) == 1
    q = Polynomial.from_dict({(THIRD, 0): 1})
    assert q.is_exact and plain(q)
    assert Polynomial.from_dict({}, variables=3).variables == 3
    assert Polynomial.from_dict({(): 5})([]) == 5
    assert Polynomial([[1], [2], [1]], [3, 4, 5]).to_dict() == {(1,): 5, (2,): 4}


@over_each_semiring
@settings(max_examples=15)
@given(data=st.data())
def test_dictionaries_and_back(semiring, data):
    p = data.draw(polynomials(semiring)).merge()
    q = Polynomial.from_dict(p.to_dict(), semiring, variables=2)
    assert q.same_terms(p) and (q.is_exact == p.is_exact or not len(p))


# ---- exact stays exact ---------------------------------------------------------------------------------

EXACT_NUMBERS = [THIRD, flint.fmpq(1, 3), flint.fmpz(7), Decimal("0.1"), Fraction(np.int64(1), 3)]


def value_of(number) -> Fraction:
    if isinstance(number, Decimal):
        return Fraction(1, 10)
    return Fraction(int(number.numerator), int(number.denominator))


@pytest.mark.parametrize("number", EXACT_NUMBERS, ids=lambda v: f"{type(v).__name__} {v}")
@pytest.mark.parametrize("semiring", SEMIRINGS[:2], ids=str)
def test_an_exact_number_makes_every_result_exact(number, semiring):
    p = Polynomial([[0.1, 1.0], [0.0, 0.0]], [0.3, 0.2], semiring)
    e, v = p.to_exact(), value_of(number)
    x = [Fraction(1, 7), Fraction(5)]
    better = max if semiring.sign > 0 else min
    for q, expected in {
        "p + c": (p + number, better(e(x), v)),
        "c + p": (number + p, better(e(x), v)),
        "p * c": (p * number, e(x) + v),
        "c * p": (number * p, e(x) + v),
        "p ** c": (p**number, v * e(x)),
        "compose": (p.compose(number, p), e([v, e(x)])),
        "substitute": (p.substitute({1: number}), e([x[0], v])),
        "from_dict": (
            Polynomial.from_dict({(number, 0.1): 0.3}, semiring),
            v / 7 + Fraction(0.1) * 5 + Fraction(0.3),
        ),
    }.values():
        assert q.is_exact and plain(q) and q(x) == expected
    for f, expected in ((p / number, e(x) - v), (number / p, v - e(x)), ((p / p) * number, v)):
        assert f.is_exact and f(x) == expected


def test_exact_and_float_polynomials_meet_exactly():
    tenth, e = Polynomial([[0.1]], [0.1]), Polynomial([[THIRD]], [THIRD])
    for q in (tenth + e, e + tenth, tenth * e, e * tenth, tenth.compose(e), e.compose(tenth)):
        assert q.is_exact and plain(q)
    assert (tenth * e).coefficients[0] == Fraction(0.1) + THIRD == (e * tenth).coefficients[0]
    assert (tenth * e).slopes[0, 0] == Fraction(0.1) + THIRD
    for f in (Rational(tenth, e), Rational(e, tenth)):
        assert f.is_exact and type(f([Fraction(1)])) is Fraction


def test_floats_stay_floats():
    p = Polynomial(np.float32([[1, 2]]), np.float32([3]))
    for q in (p + 1, p * 0.5, p**2, p**0.5, p.substitute({0: 1.5}), p.merge(), p.normal_form()):
        assert q.dtype == np.float32
    assert (p + np.float64(0.1)).dtype == np.float64  # a NumPy scalar says what it is


def test_integers_beyond_the_floats_are_exact():
    p = variables(1)[0] * 2**70 + 1
    assert p.is_exact and p([Fraction(1)]) == 2**70 + 1
    huge = Polynomial([[Fraction(10) ** 400]], np.array([Fraction(1)]))
    assert huge([Fraction(1)]) == 10**400 + 1
    with pytest.raises(InputError, match="beyond the floats"):
        huge.to_float()


def test_exact_numbers_have_no_temperature():
    x = variables(1, Semiring(eps=1.0))[0]
    for action in (lambda: x + THIRD, lambda: x * THIRD, lambda: x**THIRD):
        with pytest.raises(InputError, match="exact entries at eps = 1"):
            action()
    assert (x ** Fraction(2))([3.0]) == 6.0


# ---- powers --------------------------------------------------------------------------------------------


@over_tropical
@settings(max_examples=15)
@given(data=st.data(), k=st.fractions(0, 3, max_denominator=5), x=points)
def test_powers_are_exact_multiples(semiring, data, k, x):
    p = data.draw(polynomials(semiring, min_terms=1))
    value = (p**k)(x)
    assert value == (0 if k == 0 else p(x) if p(x) == semiring.zero else k * p(x))


def test_powers_of_the_zero():
    zero = Polynomial([[1.0]], [-INF])
    assert (zero**0)([5.0]) == 0 and (zero**2)([5.0]) == -INF
    with pytest.raises(InputError, match="power -1 of the zero polynomial"):
        zero**-1
    for k in (INF, math.nan):
        with pytest.raises(InputError, match="pass a finite exponent"):
            zero**k


# ---- composition ---------------------------------------------------------------------------------------


@over_tropical
@settings(max_examples=20)
@given(data=st.data(), x=points)
@example(data=None, x=np.array([Fraction(1), Fraction(2)]))
def test_composition_is_evaluation_at_values(semiring, data, x):
    if data is None:  # 0^0 = 1, and no term reads the zero
        p, inner = (
            Polynomial([[0, 1]], [Fraction(2)], semiring),
            [Polynomial(np.zeros((0, 2)), [], semiring)] * 2,
        )
        inner[1] = variables(2, semiring)[1]
    else:
        p = data.draw(polynomials(semiring, exponents=st.fractions(0, 3, max_denominator=3)))
        inner = [data.draw(polynomials(semiring) | fractions) for _ in range(2)]
        inner[0] = data.draw(polynomials(semiring))
    composed = p.compose(*inner)
    assert isinstance(composed, Polynomial) and composed.variables == 2
    values = [q(x) if isinstance(q, Polynomial) else q for q in inner]
    assert composed(x) == p.to_exact()(np.array(values, dtype=object))


@over_tropical
@settings(max_examples=15)
@given(data=st.data(), x=points)
def test_negative_powers_and_rational_parts_give_rational_functions(semiring, data, x):
    p = data.draw(polynomials(semiring, min_terms=1, max_terms=2))
    q, r = (data.draw(polynomials(semiring, max_terms=1)) + Fraction(0) for _ in range(2))
    lowest = min(w for w in (*p.slopes.flat, 0))
    f = p.compose(q, r)
    assert isinstance(f, Rational) or lowest == 0 or min(len(q.merge()), len(r.merge())) == 1
    assert f.is_exact and f(x) == p([q(x), r(x)])
    g = p.compose(q / r, 2)
    assert isinstance(g, Rational) and g(x) == p([q(x) - r(x), Fraction(2)])
    h = (p / (q * r)).compose(r / q, q)
    assert h(x) == p([r(x) - q(x), q(x)]) - (q * r)([r(x) - q(x), q(x)])


@pytest.mark.parametrize("semiring", SEMIRINGS[2:], ids=str)
@settings(max_examples=15)
@given(data=st.data(), x=st.tuples(dyadic, dyadic))
def test_composition_at_positive_temperature(semiring, data, x):
    p = data.draw(polynomials(semiring, dyadic, whole))
    q, r = (data.draw(polynomials(semiring, dyadic, dyadic, 3)) + 1.0 for _ in range(2))
    assert near(p.compose(q, r)(x), p([q(x), r(x)]))
    assert near(p.compose(q, -1.5)(x), p([q(x), -1.5]))


@settings(max_examples=15)
@given(data=st.data(), x=points)
def test_composition_is_associative_and_changes_the_number_of_variables(data, x):
    nonnegative = st.fractions(0, 2, max_denominator=2)
    p = data.draw(polynomials(exponents=nonnegative, max_terms=2, d=3))
    q = [data.draw(polynomials(exponents=nonnegative, max_terms=2, d=1)) for _ in range(3)]
    r = data.draw(polynomials(exponents=nonnegative, max_terms=2))
    assert p.compose(*q).variables == 1 and p.compose(*q).compose(r).variables == 2
    assert p.compose(*q).compose(r)(x) == p.compose(*(f.compose(r) for f in q))(x)


def test_substitution():
    x, y, z = variables(3)
    p = 2 * x * y**2 + z + 1
    assert p.substitute({}).same_terms(p)
    assert p.substitute({0: y, 2: 3}).same_terms(2 * y**3 + 3 + 1)
    assert p.substitute({1: x + y}).equals(2 * x * (x + y) ** 2 + z + 1)
    assert p.substitute({1: x / y})([1.0, 2.0, 3.0]) == max(2 + 1 + 2 * (1 - 2), 3, 1)
    f = (p / (x + y)).substitute({0: x * y})
    assert f([1.0, 2.0, 3.0]) == max(2 + 3 + 4, 3, 1) - max(3, 2)


REFUSED = {
    r"got 1 functions for 2 variables": lambda x, y: (x + y).compose(x),
    r"at numbers, call p\(x\)": lambda x, y: (x + y).compose(1, 2),
    r"got a str; pass polynomials": lambda x, y: (x + y).compose(x, "y"),
    r"there is no variable 2; they are counted from 0 to 1": lambda x, y: x.substitute({2: 1}),
    r"there is no variable 'x'": lambda x, y: x.substitute({"x": 1}),
    r"one polynomial has 2 variables, the other 3": lambda x, y: (x + y).compose(x, variables(3)[0]),
    r"variable 0 has negative exponents, and what replaces it is the zero": lambda x, y: (x**-1).substitute(
        {0: -INF}
    ),
    r"power 0.5 at eps = 1": lambda x, y: (x.deform(1) ** 0.5).compose((x + y).deform(1), y.deform(1)),
    r"the dictionary is empty.*pass variables=": lambda x, y: Polynomial.from_dict({}),
    r"exponents \(1, 2\) are 2 numbers; pass 1": lambda x, y: Polynomial.from_dict({1: 0, (1, 2): 0}),
    r"coefficients must not be NaN": lambda x, y: x + math.nan,
    r"slopes must be finite": lambda x, y: Polynomial.from_dict({(INF,): 0}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(InputError, match=message):
        REFUSED[message](*variables(2))


def test_compositions_over_other_semirings_and_too_large_are_refused():
    x, y = variables(2)
    with pytest.raises(
        SemiringMismatchError, match="one polynomial is over max-plus, the other over min-plus"
    ):
        (x + y).compose(*variables(2, MIN_PLUS))
    many = Polynomial(np.random.default_rng(0).normal(size=(4000, 2)), np.zeros(4000))
    with pytest.raises(BudgetExceeded, match="composition: 16,000,001, the limit is"):
        (x * y + 1).compose(many, many)
    with pytest.raises(BudgetExceeded, match="composition"):
        Polynomial([[60.0]], [0.0], Semiring(eps=1)).compose(many.deform(1))
    with pytest.raises(ShapeError):
        x + variables(3)[0]
    for bad in ("x", 1j, None, np.ones(2)):
        with pytest.raises(TypeError):
            x + bad


def test_infinite_coefficients():
    x = variables(1)[0]
    top = x + INF
    assert top([5.0]) == INF and (top * -INF)([5.0]) == -INF and (x * INF)([1.0]) == INF
    assert top.normal_form().to_dict() == {(0,): INF} == (x * INF).normal_form().to_dict()
    assert top.equals(x * INF) and not top.equals(x) and top.equals_up_to_scaling(x) is None
    assert (x * -INF).merge().to_dict() == {} and (x * -INF).equals(Polynomial(np.zeros((0, 1)), []))


# ---- merging -------------------------------------------------------------------------------------------


@over_each_semiring
@settings(max_examples=20)
@given(data=st.data(), x=st.tuples(dyadic, dyadic))
def test_merging_keeps_the_function_and_each_slope_once(semiring, data, x):
    few = st.sampled_from([0, 1, -1.5])
    p = data.draw(polynomials(semiring, dyadic, few, max_terms=9))
    p = data.draw(st.sampled_from([p, p.to_float()]))
    m = p.merge()
    slopes = list(map(tuple, m.slopes.tolist()))
    assert m.dtype == p.dtype and len(set(slopes)) == len(slopes)
    first = [
        tuple(w)
        for w, b in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)
        if b != semiring.zero
    ]
    assert slopes == list(dict.fromkeys(first))
    assert m(x) == p(x) if semiring.is_tropical else near(m(x), p(x))


def test_merging_at_positive_temperature_adds_exponentials():
    p = Polynomial([[1.0], [0.0], [1.0], [1.0]], [1.0, 5.0, 2.0, -INF], Semiring(1, 0.5))
    assert p.merge().to_dict() == pytest.approx(
        {(1,): 0.5 * math.log(math.exp(2) + math.exp(4)), (0,): 5.0}, rel=1e-15
    )
    shuffled = Polynomial(p.slopes[::-1], p.coefficients[::-1], p.semiring)
    assert shuffled.merge().same_terms(p.merge())  # bit by bit
    tiny = Polynomial([[0.0], [0.0]], [1.0, 2.0], Semiring(1, 5e-324))
    assert tiny.merge().to_dict() == {(0,): 2.0}

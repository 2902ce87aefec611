"""Infinities, NaN, empty arrays, ties, subnormal numbers and extreme temperatures."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from tropical import MAX_PLUS, MIN_PLUS, InputError, Polynomial, Semiring, hopf_lax, legendre, matmul

INF, NAN = math.inf, math.nan
DTYPES = [np.float32, np.float64]
many_or_few = pytest.mark.parametrize("many", [False, True], ids=["few points", "many points"])


@dataclass
class Case:
    """A polynomial at a point over max-plus, and what its kernels give.

    `powers` are e^(z − max z) for each monomial: the weights at eps = 1 up to a factor. At eps = 0 the argmax
    has weight 1.
    """

    slopes: list
    coefficients: list
    x: list
    value: float
    argmax: int
    powers: list
    dtypes: list = field(default_factory=lambda: DTYPES)

    def at_unit_temperature(self) -> tuple[float, float, list]:
        """excess, entropy and weights"""
        total = sum(self.powers)
        weights = [power / total for power in self.powers] if total else self.powers
        excess = math.log1p(sum(sorted(self.powers)[:-1]))
        return excess, -sum(w * math.log(w) for w in weights if w), weights


CASES = {
    # monomials that are the zero
    "a row of zeros": Case([[1], [2]], [-INF, -INF], [3], -INF, -1, [0, 0]),
    "a single zero": Case([[1]], [-INF], [3], -INF, -1, [0]),
    "a zero is dropped": Case([[1], [2], [1]], [-INF, -1, -INF], [3], 5, 1, [0, 1, 0]),
    "a zero at x = 0": Case([[1], [0]], [-INF, 2], [0], 2, 1, [0, 1]),
    # the opposite infinity
    "infinity wins": Case([[1], [2]], [0, INF], [3], INF, 1, [0, 1]),
    "infinities share": Case([[1], [2]], [INF, INF], [3], INF, 0, [1, 1]),
    "infinity and zero": Case([[1], [2]], [-INF, INF], [3], INF, 1, [0, 1]),
    # infinite points
    "0 * inf = 0": Case([[0], [0]], [1, -1000], [INF], 1, 0, [1, 0]),
    "0 * -inf = 0": Case([[0], [1]], [1, 5], [-INF], 1, 0, [1, 0]),
    "x = inf": Case([[0], [1]], [1, 5], [INF], INF, 1, [0, 1]),
    "x = -inf drops": Case([[2], [1]], [1, 5], [-INF], -INF, -1, [0, 0]),
    "x = -inf, negative slope": Case([[-1], [1]], [1, 5], [-INF], INF, 0, [1, 0]),
    "zero absorbs an infinite power": Case([[1]], [-INF], [INF], -INF, -1, [0]),
    "x = -inf absorbs an infinite coefficient": Case([[1], [0]], [INF, 0], [-INF], 0, 1, [0, 1]),
    "inf then -inf": Case([[1, 1], [0, 0]], [0, 0], [INF, -INF], 0, 1, [0, 1]),
    "-inf then inf": Case([[1, 1], [0, 0]], [0, 0], [-INF, INF], 0, 1, [0, 1]),
    "-inf from the last variable": Case([[1, 1, 1]], [0], [INF, 2, -INF], -INF, -1, [0]),
    "a finite coordinate beside": Case([[0, 2], [0, 1]], [-9, 0], [INF, 4], 4, 1, [math.exp(-5), 1]),
    "a huge product is not the zero": Case([[1, -1e308]], [0], [INF, 10], INF, 0, [1], dtypes=[np.float64]),
    "a huge product that is compensated": Case(
        [[0, -3e307]], [1.7e308], [INF, 10], -1.3e308, 0, [1], dtypes=[np.float64]
    ),
    # ties
    "a tie": Case([[1], [-1]], [0, 0], [0], 0, 0, [1, 1]),
    "a tie among zeros": Case([[1]] * 3, [-INF, 4, 4], [0], 4, 1, [0, 1, 1]),
    "zeros of either sign tie": Case([[1], [1]], [-0.0, 0.0], [0], 0, 0, [1, 1]),
    # empty
    "no monomial": Case(np.zeros((0, 2)), [], [1, 2], -INF, -1, []),
    "no monomial at infinity": Case(np.zeros((0, 2)), [], [INF, -INF], -INF, -1, []),
    "no variable": Case([[], []], [3, 4], [], 4, 1, [math.exp(-1), 1]),
    "no variable, no monomial": Case(np.zeros((0, 0)), [], [], -INF, -1, []),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eps", [0.0, 1.0])
def test_case_and_its_mirror_image(name, dtype, sign, eps, reference):
    case = CASES[name]
    if dtype not in case.dtypes:
        pytest.skip("these numbers overflow single precision")
    # min over (W, −b) at −x is −(max over (W, b) at x)
    slopes = np.array(case.slopes, dtype=dtype).reshape(len(case.coefficients), len(case.x))
    coefficients, x = sign * np.array(case.coefficients, dtype), sign * np.array([case.x], dtype)
    one_hot = np.arange(len(slopes)) == case.argmax
    excess, entropy, weights = case.at_unit_temperature() if eps else (0.0, 0.0, one_hot)
    tolerance = 8 * float(np.finfo(dtype).eps)
    for kernel, got in reference.outputs_of_every_kernel(slopes, coefficients, x, sign, eps).items():
        assert sign * got["values"][0] == pytest.approx(case.value + excess, rel=tolerance), kernel
        assert sign * got["excess"][0] == pytest.approx(excess, rel=tolerance, abs=0)
        assert got["entropy"][0] == pytest.approx(entropy, rel=2 * tolerance, abs=0)
        assert got["argmax"][0] == case.argmax, kernel
        assert got["weights"][0] == pytest.approx(np.asarray(weights, float), rel=tolerance, abs=0)
        # slopes are moderate, unlike x
        gradient = np.asarray(weights, float) @ slopes
        assert got["gradient"][0] == pytest.approx(gradient, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [1, -1])
def test_hessian_of_case(name, dtype, sign):
    case = CASES[name]
    if dtype not in case.dtypes:
        pytest.skip("these numbers overflow single precision")
    slopes = np.array(case.slopes, dtype).reshape(len(case.coefficients), len(case.x))
    coefficients, x = sign * np.array(case.coefficients, dtype), sign * np.array(case.x, dtype)
    weights = np.asarray(case.at_unit_temperature()[2], float)
    with np.errstate(over="ignore"):  # squares of huge slopes, which a lone monomial has
        centred = slopes - weights @ slopes
        want = sign * (weights * centred.T) @ centred
    got = Polynomial(slopes, coefficients, Semiring(sign, 1.0)).hessian(x)
    assert got == pytest.approx(want, rel=16 * float(np.finfo(dtype).eps), abs=1e-30)


@pytest.mark.parametrize("terms", [0, 1, 300])
def test_a_nan_coordinate_makes_its_hessian_nan(terms):
    p = Polynomial(np.ones((terms, 2)), np.zeros(terms), Semiring(1, 1.0))
    got = p.hessian([[1.0, 2.0], [NAN, INF], [1.0, 2.0]])
    assert np.isnan(got[1]).all() and not got[[0, 2]].any()


@pytest.mark.parametrize("slope", [1.0, 0.0])  # a NaN counts even where its power is zero
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eps", [0.0, 1.0])
@pytest.mark.parametrize("other", [0.0, INF, -INF])
@pytest.mark.parametrize("terms", [0, 1, 300])
@many_or_few
def test_a_nan_coordinate_makes_its_point_nan_and_no_other(slope, sign, eps, other, terms, many, reference):
    x = np.array([[1.0, 2.0], [other, NAN], [NAN, other], [1.0, 2.0]])
    got = reference.kernel_outputs(np.full((terms, 2), slope), np.zeros(terms), x, sign, eps, many)
    nan = [False, True, True, False]
    for name in ("values", "excess", "entropy"):
        assert np.isnan(got[name]).tolist() == nan, name
    for name in ("gradient", "weights"):
        assert np.all(np.isnan(got[name]) == np.array(nan)[:, None]), name
    assert np.all(got["argmax"][nan] == -1)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eps", [0.0, 1.0])
@pytest.mark.parametrize("position", [0, 255, 256, 299])
def test_a_special_term_is_found_in_every_block(position, eps, sign, reference):
    slopes, coefficients = np.ones((300, 1)), np.full(300, -sign * INF)
    coefficients[position] = 7.0
    got = reference.kernel_outputs(slopes, coefficients, np.ones((1, 1)), sign, eps)
    assert got["values"][0] == 8 and got["argmax"][0] == position and got["excess"][0] == 0
    assert np.array_equal(got["weights"][0], np.arange(300) == position)
    coefficients[position] = NAN  # only sums may hold NaN: a Polynomial refuses it
    assert np.isnan(Semiring(sign, eps).sum(coefficients))
    coefficients[position] = sign * INF
    assert Semiring(sign, eps).sum(coefficients) == sign * INF


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("terms", [2, 5, 300])
@pytest.mark.parametrize(
    "dtype, eps", [(np.float64, 1e-300), (np.float64, 5e-324), (np.float32, 1e-30), (np.float32, 1e-45)]
)
@many_or_few
def test_tiny_temperatures_are_tropical_except_at_ties(dtype, eps, terms, sign, many, reference):
    coefficients = sign * np.linspace(0, 1, terms).astype(dtype)
    arrays = np.zeros((terms, 1), dtype), coefficients, np.zeros((1, 1), dtype)
    got = reference.kernel_outputs(*arrays, sign, eps, many)
    want = reference.kernel_outputs(*arrays, sign, 0.0, many)
    assert {name: a.tolist() for name, a in got.items()} == {name: a.tolist() for name, a in want.items()}
    coefficients[:] = sign
    tied = reference.kernel_outputs(*arrays, sign, eps, many)
    assert tied["values"][0] == sign and tied["argmax"][0] == 0
    assert tied["weights"][0] == pytest.approx(1 / terms, rel=4 * float(np.finfo(dtype).eps))
    assert tied["entropy"][0] == pytest.approx(math.log(terms), rel=4 * float(np.finfo(dtype).eps))
    excess = sign * float(dtype(eps)) * math.log(terms)
    rounding = 4 * float(np.finfo(dtype).eps) * abs(excess) + float(np.finfo(dtype).smallest_subnormal)
    assert abs(float(tied["excess"][0]) - excess) <= rounding


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype, eps", [(np.float64, 1e300), (np.float32, 1e35)])
@many_or_few
def test_huge_temperatures_weigh_all_terms_alike(dtype, eps, sign, many, reference):
    coefficients = np.linspace(-5, 5, 100).astype(dtype)
    arrays = np.ones((100, 1), dtype), coefficients, np.ones((1, 1), dtype)
    got = reference.kernel_outputs(*arrays, sign, eps, many)
    tolerance = 8 * float(np.finfo(dtype).eps)
    assert got["weights"][0] == pytest.approx(0.01, rel=tolerance)
    assert got["entropy"][0] == pytest.approx(math.log(100), rel=tolerance)
    assert sign * got["values"][0] == pytest.approx(eps * math.log(100), rel=tolerance)


@pytest.mark.parametrize("eps", [0.0, 1e-300, 1e300, 1.7e308])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_lone_monomial_is_exact_at_every_temperature(eps, sign):
    p = Polynomial([[3.0], [1.0]], [1e-300, -sign * INF], Semiring(sign, eps))
    assert p([0.1]) == 3 * 0.1 and p.excess([0.1]) == 0 and p.entropy([0.1]) == 0
    assert p.gradient([0.1]).tolist() == [3.0] and p.weights([0.1]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "coefficients, eps, variance",  # of slopes 0 and 2, which is 1 where both have half the weight
    [([0.0, 0.0], 1e-300, 1), ([0.0, 0.0], 1e300, 1), ([0.0, 1.0], 1e-300, 0), ([0.0, 1.0], 1e300, 1)],
)
def test_hessian_at_extreme_temperatures(coefficients, eps, variance, sign):
    p = Polynomial([[0.0], [2.0]], coefficients, Semiring(sign, eps))
    assert p.hessian([0.0]) == pytest.approx(sign * variance / eps, rel=1e-15)


@pytest.mark.parametrize("sign", [1, -1])
def test_log_products_at_extreme_temperatures(sign):
    A, B = sign * np.array([[0.0, 1.0], [3.0, 3.0]]), np.array([[0.0], [0.0]])
    for eps in (5e-324, 1e-300):  # what a tie adds is below the last digit
        assert np.array_equal(matmul(A, B, Semiring(sign, eps)), matmul(A, B, Semiring(sign, 0.0)))
    assert matmul(A, B, Semiring(sign, 1e300)) == pytest.approx(sign * 1e300 * math.log(2), rel=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [1, -1])
def test_products_of_subnormal_and_of_huge_numbers_round_once(sign, dtype, reference):
    tiny, huge = (getattr(np.finfo(dtype), name) for name in ("smallest_subnormal", "max"))
    A = sign * np.array([[tiny, 3 * tiny], [huge, -huge]], dtype)
    B = sign * np.array([[tiny, huge], [-4 * tiny, huge]], dtype)
    want = [[2 * tiny, huge], [huge, INF]]  # the last is huge + huge
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = matmul(A, B, Semiring(sign, 0.0))
            assert np.array_equal(got, sign * np.array(want, dtype)), name


def test_transforms_of_subnormal_and_of_huge_numbers(reference):
    tiny = 5e-324
    f = np.array([3 * tiny, tiny, 1e300, 2 * tiny])
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            assert hopf_lax(f, 0.25).tolist() == [3 * tiny, tiny, 1.0, 2 * tiny], name
            assert legendre(f, [0.0, 1.0, 2.0, 3.0], [-tiny, 0.0, tiny]).tolist() == [-2 * tiny, -tiny, tiny]


@pytest.mark.parametrize("dtype", DTYPES)
def test_subnormal_values_are_not_flushed(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    p = Polynomial(np.array([[1], [2]], dtype), np.array([0, 0], dtype))
    assert p(np.array([[tiny], [-tiny]])).tolist() == [2 * float(tiny), -float(tiny)]


@pytest.mark.parametrize("semiring", [MAX_PLUS, Semiring(1, 0.5), Semiring(-1, 0.5)], ids=str)
@pytest.mark.parametrize("terms, variables, points", [(0, 2, 3), (4, 0, 3), (0, 0, 3), (4, 2, 0), (0, 0, 0)])
def test_empty_arrays_give_arrays_of_the_right_shape(terms, variables, points, semiring):
    p = Polynomial(np.zeros((terms, variables)), np.zeros(terms), semiring)
    x = np.ones((points, variables))
    value = semiring.sum(np.zeros(terms))
    assert np.array_equal(p(x), np.full(points, value))
    assert p.gradient(x).shape == (points, variables) and not p.gradient(x).any()
    assert p.weights(x).shape == (points, terms)
    assert p.argmax(x).tolist() == [0 if terms else -1] * points
    assert p.hessian(x).shape == (points, variables, variables) and not p.hessian(x).any()


@pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
@pytest.mark.parametrize("x", [[math.nan, 1.0], [math.inf, 1.0], [-math.inf, 1.0]])
def test_exact_mode_agrees_with_floats_at_special_points(semiring, x):
    p = Polynomial([[0, 1], [1, 0], [-1, 2]], [3, 4, semiring.zero], semiring)
    assert float(p.to_exact()(x)) == pytest.approx(p(x), nan_ok=True)
    assert p.to_exact().argmax(x) == p.argmax(x)


def test_exact_polynomials_without_variables_or_terms():
    p = Polynomial(np.zeros((2, 0), dtype=object), np.array([Fraction(1), Fraction(2)]))
    assert p(np.zeros((3, 0))).tolist() == [2, 2, 2] and p.argmax(np.zeros((3, 0))).tolist() == [1] * 3
    empty = Polynomial(np.zeros((0, 2), dtype=object), np.zeros(0, dtype=object))
    assert empty([1, 2]) == -math.inf and empty.argmax([1, 2]) == -1


def test_a_temperature_below_single_precision_still_shares_ties():
    p = Polynomial(np.zeros((2, 1), np.float32), np.zeros(2, np.float32), Semiring(1, 1e-300))
    assert p.weights(np.zeros(1, np.float32)).tolist() == [0.5, 0.5]


def test_foreign_byte_order_is_read():
    p = Polynomial(np.array([[2.0]], dtype=">f8"), np.array([1.0], dtype=">f8"))
    assert p(np.array([3.0], dtype=">f8")) == 7.0


@pytest.mark.parametrize("exponent", [NAN, INF])
@pytest.mark.parametrize("eps", [0.0, 1.0])
def test_powers_are_finite(exponent, eps):
    with pytest.raises(InputError, match="pass a finite exponent"):
        Polynomial([1.0, 2.0], [0.0, 0.0], Semiring(1, eps)) ** exponent

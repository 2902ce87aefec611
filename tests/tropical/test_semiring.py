"""The laws of the semirings, in floats within proved bounds and in Fractions exactly."""

import itertools
import math
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import softmax

from tropical import MAX_PLUS, MIN_PLUS, InputError, Semiring, ShapeError, TropicalError, _core, _threads

INF, NAN = math.inf, math.nan
ULP = 2.0**-52

TROPICAL = [MAX_PLUS, MIN_PLUS]
SOFT = [Semiring(1, 1.0), Semiring(-1, 1.0), Semiring(1, 0.01), Semiring(-1, 30.0)]
every = pytest.mark.parametrize("s", TROPICAL + SOFT, ids=str)
tropical = pytest.mark.parametrize("s", TROPICAL, ids=str)
soft = pytest.mark.parametrize("s", SOFT, ids=str)

numbers = st.floats(-1e6, 1e6)
extended = numbers | st.sampled_from([INF, -INF, 0.0, -0.0])
fractions = st.fractions(-1000, 1000, max_denominator=97)


def close(s: Semiring, *operands: float) -> float:
    """The error allowed to a few operations on these."""
    return 16 * ULP * (max(map(abs, operands)) + s.eps)


# ---- laws ------------------------------------------------------------------------------------------


@every
@given(a=extended, b=extended)
@example(a=INF, b=-INF)
@example(a=INF, b=INF)
def test_sum_and_product_commute(s, a, b):
    assert s.add(a, b) == s.add(b, a)
    assert s.mul(a, b) == s.mul(b, a)


@tropical
@given(a=extended, b=extended, c=extended)
@example(a=-INF, b=INF, c=-INF)
def test_tropical_sum_associates_exactly(s, a, b, c):
    assert s.add(s.add(a, b), c) == s.add(a, s.add(b, c))


@soft
@given(a=numbers, b=numbers, c=numbers)
@example(a=0.0, b=0.0, c=0.0)
def test_soft_sum_associates_within_rounding(s, a, b, c):
    assert abs(s.add(s.add(a, b), c) - s.add(a, s.add(b, c))) <= close(s, a, b, c)


@tropical
@given(a=st.integers(-99, 99), b=st.integers(-99, 99), c=st.integers(-99, 99))
def test_product_distributes_exactly_over_tropical_sum(s, a, b, c):
    assert s.mul(a, s.add(b, c)) == s.add(s.mul(a, b), s.mul(a, c))


@soft
@given(a=numbers, b=numbers, c=numbers)
def test_product_distributes_over_soft_sum(s, a, b, c):
    assert abs(s.mul(a, s.add(b, c)) - s.add(s.mul(a, b), s.mul(a, c))) <= 2 * close(s, a, b, c)


@every
@given(a=extended)
@example(a=INF)
@example(a=-INF)
def test_zero_and_one(s, a):
    assert s.add(a, s.zero) == a
    assert s.mul(a, s.one) == a
    assert s.mul(a, s.zero) == s.mul(s.zero, a) == s.zero  # also for the opposite infinity


@every
@given(a=numbers)
@example(a=0.0)
def test_idempotent_only_at_temperature_zero(s, a):
    assert abs(s.add(a, a) - (a + s.sign * s.eps * math.log(2))) <= (close(s, a) if s.eps else 0)


@every
@given(a=numbers, b=numbers)
@example(a=0.0, b=-60.0)
def test_min_is_the_mirror_image_of_max(s, a, b):
    mirror = Semiring(-s.sign, s.eps)
    assert s.add(a, b) == -mirror.add(-a, -b)
    assert s.sum([a, b, a]) == -mirror.sum([-a, -b, -a])


@every
@given(a=numbers, b=numbers, step=st.floats(0, 1e6))
def test_sum_is_monotone(s, a, b, step):
    assert s.add(a + step, b) >= s.add(a, b) - close(s, a, b)


@soft
@given(a=numbers, b=numbers)
@example(a=0.0, b=0.0)
@example(a=0.0, b=1e6)
def test_soft_sum_exceeds_the_tropical_by_at_most_eps_log_2(s, a, b):
    excess = s.sign * (s.add(a, b) - s.deform(0).add(a, b))
    assert 0 <= excess <= s.eps * math.log(2) + close(s, a, b)


@every
@given(a=st.lists(numbers, max_size=9))
@example(a=[])
@example(a=[0.0])
def test_sum_is_the_folded_addition(s, a):
    folded = reduce(s.add, a, s.zero)
    allowed = close(s, *a) * len(a) if s.eps and a else 0
    assert s.sum(a) == folded or abs(s.sum(a) - folded) <= allowed


@soft
@given(a=st.lists(numbers, min_size=1, max_size=6))
@example(a=[0.0, -1e6])
@example(a=[1e6] * 6)
def test_soft_sums_equal_60_digits(s, a, reference):
    want = reference.log_semiring(a, s.sign, s.eps)["values"]
    scale = max(map(abs, a)) + s.eps * math.log(len(a)) + 1
    assert reference.errors(s.sum(a), [want])[0] <= 4 * ULP * scale
    if len(a) == 2:
        assert reference.errors(s.add(*a), [want])[0] <= 4 * ULP * scale


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_arrays_added_equal_60_digits(s, count, dtype, reference):
    rows = np.random.default_rng(count).normal(scale=3, size=(count, 40)).astype(dtype)
    rows[:, :5] = rows[:1, :5]  # ties
    ulp = float(np.finfo(dtype).eps)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = s.add(*rows)
        assert got.dtype == dtype
        for value, column in zip(got, rows.T.tolist(), strict=True):
            if s.is_tropical:
                assert value == reference.max_plus(column, s.sign)[0], name
                continue
            want = reference.log_semiring(column, s.sign, float(dtype(s.eps)))
            top, excess = reference.max_plus(column, s.sign)[0], float(want["excess"])
            # eps itself is rounded, and exponents are sums of two numbers
            bound = ulp * (abs(float(want["values"])) + 8 * abs(excess) + max(map(abs, column)))
            assert reference.errors(value, [want["values"]])[0] <= bound, (name, top)


@soft
@pytest.mark.parametrize("gap", [1.0, 36.0, 60.0, 600.0])
@pytest.mark.parametrize("others", [1, 2, 7])
def test_what_lies_far_below_zero_is_seen(s, gap, others, reference):
    # softplus far to the left: its value is the small term
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = s.add(0.0, *[-s.sign * s.eps * gap] * others)
        assert got == pytest.approx(s.sign * s.eps * math.log1p(others * math.exp(-gap)), rel=1e-13, abs=0), (
            name
        )


@tropical
@given(a=st.lists(fractions, min_size=1, max_size=6), c=fractions)
def test_fractions_are_exact(s, a, c):
    best = max(a) if s.sign > 0 else min(a)
    total = s.sum(np.array(a, dtype=object))
    assert total == best and type(total) is Fraction
    (total,) = s.add(a[:1], [c])
    assert total == (max if s.sign > 0 else min)(a[0], c) and type(total) is Fraction
    product = s.mul(a[0], c)
    assert product == a[0] + c and type(product) is Fraction
    assert s.mul(a[0], s.zero) == s.zero == s.mul(s.zero, a[0])
    assert s.add(a[:1], s.zero).tolist() == a[:1]


@tropical
def test_fractions_may_be_scalars(s):
    third, half = Fraction(1, 3), Fraction(1, 2)
    assert s.add(third, half) == (half if s.sign > 0 else third)
    assert s.add(third, s.zero) == s.mul(third, s.one) == s.sum([third]) == third


# ---- special values --------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("other", [0.0, INF, -INF, NAN])
def test_nan_propagates(s, other):
    for result in (s.add(NAN, other), s.add(other, NAN), s.mul(NAN, other), s.mul(other, NAN)):
        assert math.isnan(result)
    assert math.isnan(s.sum([other, NAN, other]))


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values_among_several_arrays(s, dtype, reference):
    cases = [  # as max-plus, and what comes out at eps = 0
        ([-INF, -INF, -INF], -INF), ([-INF, 2.0, -INF], 2.0), ([INF, 1.0, -INF], INF), ([INF, INF, 0.0], INF),
        ([1.0, NAN, 2.0], NAN), ([NAN, INF, -INF], NAN), ([0.0, 1.0, NAN], NAN), ([-INF, -INF, 5e-324], 5e-324),
    ]  # fmt: skip
    rows = s.sign * np.array([case for case, _ in cases]).T.astype(dtype)
    want = s.sign * np.array([value for _, value in cases], dtype)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            np.testing.assert_array_equal(s.add(*rows), want, err_msg=name)
            for pair in itertools.combinations(rows, 2):
                np.testing.assert_allclose(
                    s.add(*pair), s.sum(np.stack(pair), axis=0), rtol=1e-6, err_msg=name
                )


@tropical
def test_nan_propagates_among_fractions(s):
    a, nan = np.array([Fraction(1)], dtype=object), np.array([NAN], dtype=object)
    for result in (s.add(a, nan)[0], s.add(nan, a)[0], s.mul(a, nan)[0], s.sum(np.append(a, nan))):
        assert math.isnan(result)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("eps", [5e-324, 1e-300, 1e-30, 1e30])
def test_extreme_temperatures_agree_with_the_kernel(eps, dtype, sign):
    s = Semiring(sign, eps)
    for a in ([1.0, 2.0], [-3.0, -3.0], [INF, 1.0], [-INF, 1.0]):
        a = np.array(a, dtype)
        assert s.add(a[0], a[1]) == pytest.approx(s.sum(a), rel=1e-6)
        assert s.add(a[0], a[1], a[0]) == pytest.approx(s.sum(a[[0, 1, 0]]), rel=1e-6)


# ---- arrays ----------------------------------------------------------------------------------------


@every
def test_sum_over_an_empty_axis_is_the_zero(s):
    assert s.sum(np.zeros((3, 0))).tolist() == [s.zero] * 3
    assert s.sum(np.zeros((0, 2)), axis=0).tolist() == [s.zero] * 2
    assert s.sum(np.zeros((0, 2))).shape == (0,)


@tropical
def test_exact_sum_over_an_empty_axis_is_the_zero(s):
    assert s.sum(np.zeros((2, 0), dtype=object)).tolist() == [s.zero] * 2


@every
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_sum_runs_along_any_axis_of_any_layout(s, axis):
    a = np.random.default_rng(2).normal(size=(3, 4, 5))
    want = np.apply_along_axis(lambda row: reduce(s.add, row), axis, a)
    for layout in (a, np.asfortranarray(a), np.repeat(a, 2, axis=0)[::2], a[:, ::-1][:, ::-1]):
        np.testing.assert_allclose(s.sum(layout, axis=axis), want, rtol=1e-14, atol=1e-14 * s.eps)


LAYOUTS = {
    "as it is": lambda a: a,
    "by columns": np.asfortranarray,
    "every other row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every third column": lambda a: np.repeat(a, 3, axis=1)[:, ::3],
    "part of longer rows": lambda a: np.pad(a, ((1, 2), (3, 4)))[1:-2, 3:-4],
    "upwards": lambda a: a[::-1].copy()[::-1],
}


@every
@pytest.mark.parametrize("columns", [3, 100])  # rows copied, and rows taken where they are
@pytest.mark.parametrize("layout", LAYOUTS)
def test_addition_of_any_layout_with_broadcasting(s, columns, layout):
    rng = np.random.default_rng(columns)
    a, row, column = rng.normal(size=(7, columns)), rng.normal(size=columns), rng.normal(size=(7, 1))
    full = [np.broadcast_to(v, a.shape) for v in (a, row, column, 0.5)]
    want = s.sum(np.stack(full), axis=0)
    given = LAYOUTS[layout](a)
    for array in given, row, column:
        array.flags.writeable = False
    np.testing.assert_allclose(s.add(given, row, column, 0.5), want, rtol=1e-14, atol=1e-14 * s.eps)
    np.testing.assert_allclose(s.add(given, row), s.add(a, full[1]), rtol=0)
    out = LAYOUTS[layout](np.empty_like(a))
    assert s.add(row, given, out=out) is out
    assert np.array_equal(out, s.add(a, full[1]))
    assert np.array_equal(s.add(given[None, :, None], row)[0, :, 0], out)


@every
def test_addition_does_not_depend_on_threads(s, monkeypatch):
    a, b = np.random.default_rng(3).normal(size=(2, 500, 70))
    want = s.add(a, b, n_threads=1), s.add(a, b[0], n_threads=1)
    monkeypatch.setattr(_threads, "_WORTHWHILE", 0)
    for n_threads in (None, 2, 3):
        got = s.add(a, b, n_threads=n_threads), s.add(a, b[0], n_threads=n_threads)
        assert [v.tobytes() for v in got] == [v.tobytes() for v in want]


def test_addition_longer_than_between_two_looks_at_signals():
    a = np.random.default_rng(4).normal(size=(2, 1_100_000))
    s = Semiring(-1, 0.5)
    want = s.sum(a, axis=0)
    np.testing.assert_allclose(s.add(a[0], a[1], n_threads=1), want, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(s.add(a, a[1], n_threads=1)[0], want, rtol=1e-14, atol=1e-14)


@every
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 5)])
def test_addition_of_empty_arrays(s, shape):
    assert s.add(np.empty(shape), np.empty(shape)).shape == shape
    assert s.add(np.empty(shape), np.empty(shape[-1:])).shape == shape


# ---- errors and text -------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [0, 2, "max", None])
def test_sign_is_refused(sign):
    with pytest.raises(InputError, match=r"sign is .*; pass \+1 for max or -1 for min"):
        Semiring(sign)


@pytest.mark.parametrize("eps", [-1.0, -5e-324, INF, NAN])
def test_temperature_is_refused(eps):
    with pytest.raises(InputError, match=r"eps is .*; pass a finite temperature >= 0"):
        Semiring(eps=eps)


def test_unfit_operands_are_refused():
    with pytest.raises(InputError, match=r"exact operands at eps = 0.5.*pass floats"):
        Semiring(eps=0.5).add(Fraction(1, 3), 1)
    with pytest.raises(InputError, match="dtype complex128; pass float32, float64, integers"):
        MAX_PLUS.add(1j, 0)
    with pytest.raises(InputError, match="nothing to add; pass at least one array"):
        MAX_PLUS.add()
    with pytest.raises(ShapeError, match=r"operands have shapes \(2,\), \(3,\)"):
        MAX_PLUS.add(np.zeros(2), np.zeros(3))
    with pytest.raises(ShapeError, match=r"out is float32 \(2,\); pass an array of dtype float64"):
        MAX_PLUS.add(np.zeros(2), 1.0, out=np.zeros(2, np.float32))
    with pytest.raises(InputError, match="out shares memory with an input"):
        MAX_PLUS.add(same := np.zeros(2), 1.0, out=same)
    with pytest.raises(ShapeError, match=r"ragged.*rows of equal length"):
        MAX_PLUS.sum([[1.0], [1.0, 2.0]])
    with pytest.raises(InputError, match="got a str in an exact array; pass int, float or"):
        MAX_PLUS.sum(np.array([Fraction(1), "one"], dtype=object))
    assert issubclass(InputError, (TropicalError, ValueError))


def test_the_core_refuses_branches_that_do_not_fit():
    out = np.zeros((3, 4))
    for branches, message in [
        ([], "at least one branch"),
        ([np.zeros((2, 4))], "branch has shape"),
        ([out.copy(), np.zeros((3, 5))], "branch has shape"),
        ([np.zeros((4, 3)).T], "rows of a branch are not contiguous"),
    ]:
        with pytest.raises(ValueError, match=message):
            _core.gate(branches, out, 1, 0.5)
    with pytest.raises(ValueError, match="gate needs eps > 0"):
        _core.gate([out], out, 1, 0.0)


def test_equality_and_text():
    assert Semiring(1, 0) == MAX_PLUS != MIN_PLUS and MAX_PLUS.deform(1.0) != MAX_PLUS
    assert Semiring(-1.0, 2) == MIN_PLUS.deform(2.0) and hash(Semiring(-1, 0)) == hash(MIN_PLUS)
    assert [str(s) for s in (MAX_PLUS, MIN_PLUS, Semiring(1, 0.5), Semiring(-1, 2.0))] == [
        "max-plus",
        "min-plus",
        "log-max-plus, eps = 0.5",
        "log-min-plus, eps = 2",
    ]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_are_softmax_along_the_last_axis(sign, dtype):
    a = np.random.default_rng(0).normal(size=(3, 4, 70)).astype(dtype)
    expected = softmax(sign * a.astype(float) / 0.3, axis=-1)
    np.testing.assert_allclose(Semiring(sign, 0.3).weights(a), expected, rtol=30 * np.finfo(dtype).eps)
    out = np.empty((70, 3, 4), dtype).transpose(1, 2, 0)
    assert Semiring(sign, 0.3).weights(a, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=30 * np.finfo(dtype).eps)
    best = (sign * a).argmax(axis=-1)
    np.testing.assert_array_equal(Semiring(sign).weights(a), np.eye(70)[best])


def test_weights_of_special_rows():
    with np.errstate(all="raise"):
        weights = Semiring(eps=1.0).weights([[-np.inf, 0.0], [-np.inf, -np.inf], [NAN, 0.0]])
    np.testing.assert_array_equal(weights[:2], [[0.0, 1.0], [0.0, 0.0]])
    assert np.isnan(weights[2]).all()
    assert Semiring(eps=1.0).weights(np.zeros((0, 3))).shape == (0, 3)
    with pytest.raises(InputError, match="of floats along an axis"):
        MAX_PLUS.weights(np.array([Fraction(1)]))
    with pytest.raises(InputError, match="along an axis"):
        MAX_PLUS.weights(1.0)

"""Several polynomials together: the bits of each alone, and of exact arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    InputError,
    Polynomial,
    PolynomialMap,
    Semiring,
    ShapeError,
    _core,
    _threads,
    variables,
)

LENGTHS = [
    2,
    3,
    0,
    8,
    1,
    33,
    2,
    63,
    5,
    64,
    65,
    2,
    40,
    24,
    2,
]  # panels of 64 filled up, broken off and outgrown
SEMIRINGS = [MAX_PLUS, MIN_PLUS, Semiring(1, 0.5), Semiring(-1, 0.5), Semiring(1, 3.0), Semiring(1, 1e-310)]
DTYPES = [np.float32, np.float64]
INF, NAN = np.inf, np.nan

dtypes = pytest.mark.parametrize("dtype", DTYPES)


def random_map(d: int, dtype, semirings=SEMIRINGS, lengths=LENGTHS, seed=0) -> PolynomialMap:
    rng = np.random.default_rng(seed)
    return PolynomialMap(
        Polynomial(rng.normal(size=(n, d)).astype(dtype), rng.normal(size=n).astype(dtype), semiring)
        for n, semiring in zip(lengths, itertools.cycle(semirings))
    )


def points(count: int, d: int, dtype) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, d)).astype(dtype)


def assert_bits_of_each_alone(reference, f: PolynomialMap, x: np.ndarray) -> None:
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got, want = f(x), np.stack([p(x) for p in f], axis=-1)
        assert got.dtype == want.dtype and got.shape == (*x.shape[:-1], len(f))
        assert np.array_equal(np.isnan(got), np.isnan(want)), name
        assert np.array_equal(reference.bits(got)[got == got], reference.bits(want)[got == got]), name


@pytest.mark.parametrize("d", [0, 1, 2, 3, 4, 5, 17, 104, 105, 209])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 33, 130])
@dtypes
def test_the_bits_of_each_alone(d, count, dtype, reference):
    assert_bits_of_each_alone(reference, random_map(d, dtype), points(count, d, dtype))


@pytest.mark.parametrize("semiring", SEMIRINGS, ids=str)
@pytest.mark.parametrize("count", [3, 300])
@dtypes
def test_many_small_polynomials_of_one_semiring(semiring, count, dtype, reference):
    f = random_map(6, dtype, [semiring], lengths=[2, 3, 4, 8, 5] * 40)
    assert_bits_of_each_alone(reference, f, points(count, 6, dtype))


@pytest.mark.parametrize("count", [5, 40])
@dtypes
def test_special_values(count, dtype, reference):
    x = points(count, 3, dtype)
    x[1, 0], x[2], x[3, 2], x[4] = NAN, [INF, 0, 1], -INF, [INF, NAN, -INF]
    f = random_map(3, dtype)
    zeros = [Polynomial(np.ones((4, 3), dtype), np.full(4, -s.sign * INF, dtype), s) for s in SEMIRINGS]
    infinite = [Polynomial(np.ones((2, 3), dtype), np.array([INF, -INF], dtype), s) for s in SEMIRINGS]
    huge = [Polynomial(np.full((2, 3), 1e30, dtype), np.zeros(2, dtype), s) for s in SEMIRINGS]
    x[0] = 1e30  # whose products are beyond single precision
    assert_bits_of_each_alone(reference, PolynomialMap([*f, *zeros, *infinite, *huge]), x)


@pytest.mark.parametrize("many", [False, True])
@dtypes
def test_exact_arithmetic_bit_for_bit(many, dtype, reference):
    f, x = random_map(3, dtype, [MAX_PLUS, MIN_PLUS]), points(4, 3, dtype)
    want = [
        [
            reference.max_plus(reference.affine_terms(p.slopes, p.coefficients, v), p.semiring.sign)[0]
            for p in f
        ]
        for v in x
    ]
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = f(np.tile(x, (10, 1)))[-4:] if many else f(x)
        assert np.array_equal(reference.bits(got), reference.bits(np.array(want, dtype))), name


@pytest.mark.parametrize("many", [False, True])
@dtypes
def test_60_digits(many, dtype, reference):
    lengths = [1, 2, 4, 8, 30, 64]
    f, x = random_map(3, dtype, [Semiring(1, 0.25), Semiring(-1, 2.0)], lengths), points(4, 3, dtype)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = f(np.tile(x, (10, 1)))[-4:] if many else f(x)
        for row, v in zip(got, x, strict=True):
            for value, p in zip(row, f, strict=True):
                z = reference.affine_terms(p.slopes, p.coefficients, v)
                want = reference.log_semiring(z, p.semiring.sign, p.semiring.eps)["values"]
                scale = abs(want) + p.semiring.eps * np.log(len(p)) + 1
                assert reference.errors(value, [want])[0] <= 4 * float(np.finfo(dtype).eps) * scale, name


def test_results_do_not_depend_on_threads_or_slices(monkeypatch):
    f, x = random_map(6, np.float64), points(1000, 6, np.float64)
    want = f(x, n_threads=1)
    monkeypatch.setattr(_threads, "_WORTHWHILE", 0)
    for n_threads in (None, 2, 3):
        assert f(x, n_threads=n_threads).tobytes() == want.tobytes()


def test_more_work_than_fits_between_two_looks_at_signals():
    f = random_map(300, np.float64, [MAX_PLUS], lengths=[4] * 400)
    x = points(700, 300, np.float64)
    slopes, b = np.concatenate([p.slopes for p in f]), np.concatenate([p.coefficients for p in f])
    want = (x @ slopes.T + b).reshape(700, 400, 4).max(axis=2)
    np.testing.assert_allclose(f(x), want, rtol=1e-13, atol=1e-12)


# ---- arrays ----------------------------------------------------------------------------------------


def test_points_of_any_layout_into_outputs_of_any_layout():
    f, x = random_map(5, np.float64), points(24, 5, np.float64)
    want = f(x)
    layouts = [np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], np.repeat(x, 3, axis=1)[:, ::3]]
    layouts.append(x[::-1].copy()[::-1])
    outs = [
        np.empty((24, 15)),
        np.empty((24, 15), order="F"),
        np.empty((48, 30))[::2, ::2],
        np.empty((24, 15))[::-1],
    ]
    for layout, out in zip(layouts, outs, strict=True):
        layout.flags.writeable = False
        assert f(layout, out=out) is out
        assert np.array_equal(out, want)
    assert np.array_equal(f(x.reshape(2, 3, 4, 5)), want.reshape(2, 3, 4, 15))
    assert f(x[0]).shape == (15,) and np.array_equal(f(x[0]), [p(x[0]) for p in f])
    assert f(np.empty((0, 5))).shape == (0, 15)


def test_dtypes_meet_in_the_wider_one():
    single, double = random_map(2, np.float32, lengths=[3, 4]), random_map(2, np.float64, lengths=[3, 4])
    x = points(20, 2, np.float32)
    assert single(x).dtype == np.float32
    assert np.array_equal(single(x.astype(float)), np.stack([p(x.astype(float)) for p in single], axis=-1))
    both = PolynomialMap([*single, *double])
    assert both.dtype == np.float64 and np.array_equal(both(x)[:, 2:], double(x.astype(float)))


def test_fractions_stay_exact():
    x, y = variables(2)
    f = PolynomialMap([(x + y).to_exact(), x * y**2 + Fraction(1, 3), x**2])
    assert f([Fraction(1, 7), 0]).tolist() == [Fraction(1, 7), Fraction(1, 3), Fraction(2, 7)]
    assert f([[0.5, 2.0]]).tolist() == [[2, Fraction(9, 2), 1]]
    floats = PolynomialMap([x + y])
    assert floats([[Fraction(1, 3), Fraction(1, 7)]]).tolist() == [[Fraction(1, 3)]]


def test_it_is_a_sequence_of_its_polynomials():
    x, y = variables(2)
    f = PolynomialMap([x, x + y + 0])
    assert len(f) == 2 and list(f) == [f[0], f[1]] and f.variables == 2
    assert repr(f) == "<PolynomialMap: R^2 → R^2, 4 monomials, float64>"


# ---- errors ----------------------------------------------------------------------------------------


def test_what_is_refused():
    x, y = variables(2)
    with pytest.raises(InputError, match="no polynomial to evaluate; pass at least one"):
        PolynomialMap([])
    with pytest.raises(InputError, match="polynomial 1 is a float; pass Polynomials"):
        PolynomialMap([x, 1.0])
    with pytest.raises(ShapeError, match=r"polynomials in \[1, 2\] variables"):
        PolynomialMap([x, variables(1)[0]])
    f = PolynomialMap([x, y])
    with pytest.raises(ShapeError, match=r"x has shape \(3,\) but there are 2 variables"):
        f([1.0, 2.0, 3.0])
    with pytest.raises(
        ShapeError, match=r"out is float64 \(2,\); pass an array of dtype float64 and shape \(4, 2\)"
    ):
        f(np.zeros((4, 2)), out=np.zeros(2))
    frozen = np.zeros((4, 2))
    frozen.flags.writeable = False
    with pytest.raises(InputError, match="out is read-only"):
        f(np.zeros((4, 2)), out=frozen)
    z = np.zeros((4, 2))
    with pytest.raises(InputError, match="out shares memory with an input"):
        f(z, out=z)
    with pytest.raises(InputError, match="n_threads is 0"):
        f(z, n_threads=0)


PANELS = np.zeros((2, 3, 64)), np.zeros(128)
BAD_PLACES = [
    ([0, 1], [2, 3], "polynomial 1 starts at 1"),  # overlap
    ([60], [5], "polynomial 0 starts at 60 with 5"),  # across panels
    ([0], [0], "with 0 monomials"),
    ([64], [1], "no polynomial lies in the panel before"),
    ([-64, 64], [1, 1], "polynomial 0 starts at -64"),
    ([0, 64, 128], [1, 1, 1], "panels has shape"),
    ([0, 64], [1], "terms has shape"),
]


@pytest.mark.parametrize(("first", "terms", "message"), BAD_PLACES)
def test_the_core_refuses_monomials_out_of_place(first, terms, message):
    with pytest.raises(ValueError, match=message):
        _core.Layer(*PANELS, np.array(first), np.array(terms), 1, 0.0)


def test_the_core_refuses_arrays_of_other_shapes():
    layer = _core.Layer(*PANELS, np.array([0, 64]), np.array([2, 2]), 1, 0.0)
    for x, values in [((5, 2), (5, 2)), ((5, 3), (4, 2)), ((5, 3), (5, 3))]:
        with pytest.raises(ValueError, match="has shape"):
            layer.fill(np.zeros(x), True, np.zeros(values))
    with pytest.raises(ValueError, match="coefficients has shape"):
        _core.Layer(PANELS[0], np.zeros(64), np.array([0, 64]), np.array([2, 2]), 1, 0.0)
    with pytest.raises(ValueError, match="panels has shape"):
        _core.Layer(np.zeros((2, 3, 32)), PANELS[1], np.array([0, 64]), np.array([2, 2]), 1, 0.0)

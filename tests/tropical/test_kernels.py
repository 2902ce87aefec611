"""Every output of the compiled kernels against their plain-Python twins, on every instruction set."""

from functools import cache

import numpy as np
import pytest

from tropical import Polynomial, Semiring, _core, core_info
from tropical._threads import usable_threads

TERMS = [0, 1, 2, 3, 5, 10, 50, 63, 64, 65, 257]  # around the panel of 64, and vector tails
VARIABLES = [0, 1, 2, 3, 5, 17]
POINTS = [0, 1, 2, 3, 5]
SHAPES = [(n, d, POINTS[(i + k) % 5]) for i, n in enumerate(TERMS) for k, d in enumerate(VARIABLES)]
# tiles; one block of 104 variables, and past its end
SHAPES += [(3, 4, 33), (5, 1, 65), (66, 2, 17), (2, 104, 9), (3, 105, 2), (70, 105, 5), (5, 209, 3)]
TEMPERATURES = [0.05, 0.3, 1.0, 7.0]
DTYPES = [np.float32, np.float64]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
dtypes = pytest.mark.parametrize("dtype", DTYPES)
signs = pytest.mark.parametrize("sign", [1, -1])


def normal(rng, shape, dtype):
    return rng.normal(size=shape)


def integers(rng, shape, dtype):
    return rng.integers(-2, 3, shape)  # many ties


def wide(rng, shape, dtype):
    return rng.normal(size=shape) * 10.0 ** rng.integers(-8, 9, shape)  # every rounding matters


def subnormal(rng, shape, dtype):
    # beside numbers near 1, so that their products stay subnormal and are not all zero
    return rng.integers(-9, 10, shape) * rng.choice([1.0, np.finfo(dtype).smallest_subnormal], shape)


@cache
def instance(shape: tuple[int, int, int], dtype, kind=normal):
    """slopes (N, d), coefficients (N,) and points (B, d)."""
    terms, variables, points = shape
    rng = np.random.default_rng([*shape, np.dtype(dtype).itemsize])
    sizes = [(terms, variables), (terms,), (points, variables)]
    return tuple(kind(rng, size, dtype).astype(dtype) for size in sizes)


@pytest.fixture(scope="module")
def twin_terms(reference):
    """The terms z of an instance, a list of N for each point, as exact arithmetic rounds them."""

    @cache
    def terms(shape, dtype, kind=normal):
        slopes, coefficients, points = instance(shape, dtype, kind)
        return [reference.affine_terms(slopes, coefficients, x) for x in points]

    return terms


def assert_max_plus(reference, z, shape, dtype, sign, kind):
    slopes, coefficients, points = instance(shape, dtype, kind)
    best = [reference.max_plus(row, sign) for row in z]
    values = np.array([value for value, _ in best], dtype=dtype)
    argmax = np.array([index for _, index in best], dtype=np.int64)
    gradient = slopes[argmax] if len(slopes) else np.zeros_like(points)
    for name, got in reference.outputs_of_every_kernel(slopes, coefficients, points, sign).items():
        assert np.array_equal(reference.bits(got["values"]), reference.bits(values)), name
        assert np.array_equal(got["argmax"], argmax), name
        assert np.array_equal(got["gradient"], gradient), name
        assert np.array_equal(got["weights"], argmax[:, None] == np.arange(len(slopes))), name
        assert not got["excess"].any() and not got["entropy"].any(), name


@shapes
@dtypes
@signs
def test_max_plus_equals_exact_arithmetic_bit_for_bit(shape, dtype, sign, reference, twin_terms):
    assert_max_plus(reference, twin_terms(shape, dtype), shape, dtype, sign, normal)


@pytest.mark.parametrize("kind", [integers, wide, subnormal])
@pytest.mark.parametrize("shape", [(7, 1, 5), (40, 3, 5), (300, 2, 3)], ids=str)
@dtypes
@signs
def test_max_plus_on_hard_numbers(kind, shape, dtype, sign, reference, twin_terms):
    assert_max_plus(reference, twin_terms(shape, dtype, kind), shape, dtype, sign, kind)


def test_the_twin_rounds_as_the_processor_does(reference):
    # the twin is itself tested against hardware: sums and products of two numbers round once
    rng = np.random.default_rng(5)
    for dtype in DTYPES:
        a, b = (wide(rng, 500, dtype).astype(dtype) for _ in range(2))
        assert [reference.fma(x, 1, y, dtype) for x, y in zip(a, b, strict=True)] == (a + b).tolist()
        assert [reference.fma(x, y, 0, dtype) for x, y in zip(a, b, strict=True)] == (a * b).tolist()
    # through double precision this would round to even twice and come out at 1
    just_above_half = 1 + reference.Fraction(1, 2**24) + reference.Fraction(1, 2**80)
    assert reference.round_to(just_above_half, np.float32) == 1 + 2.0**-23


@shapes
@dtypes
@signs
def test_log_semiring_equals_60_digits(shape, dtype, sign, reference, twin_terms):
    terms, variables, _ = shape
    slopes, coefficients, points = instance(shape, dtype)
    eps = float(dtype(TEMPERATURES[(terms + variables) % len(TEMPERATURES)]))
    ulp = float(np.finfo(dtype).eps)
    results = reference.outputs_of_every_kernel(slopes, coefficients, points, sign, eps)
    for i, z in enumerate(twin_terms(shape, dtype)):
        if not z:
            continue  # the empty sum is in test_special_values.py
        want = reference.log_semiring(z, sign, eps)
        gradient = reference.mean_slope(want["weights"], slopes)
        top, spread = reference.max_plus(z, sign)[0], eps * np.log(len(z))
        for name, got in results.items():

            def worst(output, expected, got=got, i=i):
                return max(reference.errors(got[output][i], expected), default=0.0)

            assert got["argmax"][i] == reference.max_plus(z, sign)[1], name
            assert worst("values", [want["values"]]) <= 4 * ulp * (abs(top) + spread + 1), name
            assert worst("excess", [want["excess"]]) <= 8 * ulp * (spread + eps), name
            assert worst("entropy", [want["entropy"]]) <= 8 * ulp * (np.log(len(z)) + 1), name
            assert worst("weights", want["weights"]) <= 45 * ulp, name
            assert worst("gradient", gradient) <= 45 * ulp * np.abs(slopes).max(initial=0), name


@dtypes
@signs
@pytest.mark.parametrize("gap", [0.5, 5.0, 20.0, 60.0, 80.0])
@pytest.mark.parametrize("order", [1, -1])
def test_excess_and_entropy_have_no_cancellation(gap, order, dtype, sign, reference):
    # at a gap of 60 the value is the larger term to all digits; the excess still is e^-60 to 14 of them
    mp = reference.MP
    z = np.repeat(np.array([0.0, -gap], dtype=dtype)[::order], [1, 80][::order])  # in panels of their own
    rest = 80 * mp.exp(-gap)
    want, entropy = mp.log1p(rest), mp.log1p(rest) + gap * rest / (1 + rest)
    nothing = np.zeros((len(z), 0), dtype)
    for name, out in reference.outputs_of_every_kernel(nothing, sign * z, nothing[:1], sign, 1.0).items():
        excess = sign * mp.mpf(float(out["excess"][0]))
        assert abs(excess / want - 1) <= 90 * np.finfo(dtype).eps, name  # 80 sums
        assert abs(mp.mpf(float(out["entropy"][0])) / entropy - 1) <= 90 * np.finfo(dtype).eps, (
            name
        )  # 80 sums


@dtypes
@signs
@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize("columns", TERMS)
def test_reduce_equals_the_polynomial_without_variables(columns, eps, dtype, sign, reference):
    rng = np.random.default_rng(columns)
    z = rng.normal(size=(4, columns)).astype(dtype)
    eps = float(dtype(eps))
    values = np.full(4, -77, dtype=dtype)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            _core.reduce(z, sign, eps, values)
        for got, row in zip(values, z.tolist(), strict=True):
            top, index = reference.max_plus(row, sign)
            if eps == 0 or index < 0:
                assert got == top, name
                continue
            want = reference.log_semiring(row, sign, eps)["values"]
            bound = 4 * float(np.finfo(dtype).eps) * (abs(top) + eps * np.log(columns) + 1)
            assert reference.errors(got, [want])[0] <= bound, name


@pytest.mark.parametrize("eps", [0.0, 0.3])
@dtypes
@signs
@pytest.mark.parametrize("count", [15, 16, 17, 31, 33, 63, 64, 65, 129])
def test_points_together_give_what_they_give_alone(count, sign, dtype, eps, reference):
    slopes, coefficients, points = instance((70, 3, count), dtype)
    p = Polynomial(slopes, coefficients, Semiring(sign, eps))
    tolerance = 8 * float(np.finfo(dtype).eps) if eps else 0
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            for method in (p, p.gradient, p.argmax):
                alone = np.array([method(x) for x in points])
                np.testing.assert_allclose(method(points), alone, rtol=tolerance, atol=2 * tolerance)


@pytest.mark.parametrize("eps", [0.0, 0.3])
def test_work_cut_into_slices_gives_what_single_points_give(eps):
    # enough that the wrapper stops between slices to look for Ctrl-C
    slopes, coefficients, points = instance((20_000, 2, 300), np.float64)
    p = Polynomial(slopes, coefficients, Semiring(1, eps))
    np.testing.assert_allclose(p(points), [p(x) for x in points], rtol=4e-15 if eps else 0)
    assert np.array_equal(p.argmax(points), [p.argmax(x) for x in points])


def test_unknown_instruction_set_is_refused():
    with pytest.raises(ValueError, match=r"unknown instruction set 'sse2'.*baseline, avx2, avx512"):
        _core.set_ceiling("sse2")


BAD_LENGTHS = {
    "points": np.zeros((5, 3)),
    "values": np.zeros(4),
    "excess": np.zeros(6),
    "entropy": np.zeros(0),
    "argmax": np.zeros(4, np.int64),
    "gradient": np.zeros((5, 3)),
    "weights": np.zeros((4, 3)),
}


@pytest.mark.parametrize("name", BAD_LENGTHS)
def test_wrong_lengths_are_refused_before_any_memory_is_touched(name):
    # three monomials in two variables at five points; the kernels check nothing themselves
    packed = Polynomial(np.ones((3, 2)), np.zeros(3))._packed
    arguments = {"points": np.zeros((5, 2)), "tiles": False} | {name: BAD_LENGTHS[name]}
    with pytest.raises(ValueError, match=rf"{name} has shape .* length \d needed on axis"):
        packed.fill(**arguments)


def test_core_info_says_what_runs():
    info = core_info()
    assert info["instruction_set"] in ("baseline", "avx2", "avx512")
    assert int(info["threads"]) == usable_threads()
    assert info["compiler"]

"""The exponential inside the kernels, against mpmath and against the processor's long double."""

import numpy as np
import pytest

from tropical import _core

DTYPES = [np.float32, np.float64]
CUTOFF = {np.float32: -85.0, np.float64: -707.0}  # below it e^a need not be accurate, only negligible
# The relative error is at most (unit + |a|) u, u half an ulp of 1. Without a fused multiply-add a/log 2 is
# rounded before it is split, which counts where |a| is in the hundreds.
UNITS = {"baseline": 60.0, "avx2": 1.2, "avx512": 1.2}

needs_long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here"
)


@pytest.fixture(params=list(UNITS))
def units(request, reference):
    """The error bound of one instruction set, which runs during the test."""
    with reference.instruction_set(request.param) as runs:
        if not runs:
            pytest.skip(f"this processor has no {request.param}")
        yield UNITS[request.param]


def exp(a: np.ndarray) -> np.ndarray:
    out = np.full_like(a, -1)
    _core.exp_nonpositive(a, out)
    return out


def arguments(count: int, dtype, seed: int = 0) -> np.ndarray:
    """Half spread evenly down to the cutoff, a quarter tiny, a quarter where the reduction changes integer."""
    rng = np.random.default_rng(seed)
    cutoff, quarter = CUTOFF[dtype], count // 4
    even = rng.uniform(cutoff, 0, count - 2 * quarter)
    tiny = -(10.0 ** rng.uniform(-30, 0, quarter))
    breaks = -(rng.integers(0, int(-cutoff / np.log(2)), quarter) + 0.5) * np.log(2)
    near_breaks = breaks * (1 + rng.normal(0, 4 * np.finfo(dtype).eps, quarter))
    a = np.concatenate([even, tiny, near_breaks]).astype(dtype)
    return a[a >= cutoff]


def worst_error(a: np.ndarray) -> float:
    """Largest relative error in units of u, less the |a| that is promised away."""
    want = np.exp(a.astype(np.longdouble))
    relative = np.abs(exp(a).astype(np.longdouble) / want - 1)
    return float(np.max(2 * relative / np.finfo(a.dtype).eps - np.abs(a)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_mpmath(dtype, units, reference):
    mp = reference.MP
    a = arguments(4000, dtype)
    for argument, got in zip(a.tolist(), exp(a).tolist(), strict=True):
        relative = abs(mp.mpf(got) / mp.exp(mp.mpf(argument)) - 1)
        assert relative <= (units + abs(argument)) * float(np.finfo(dtype).eps) / 2, argument


@needs_long_double
@pytest.mark.parametrize("dtype", DTYPES)
def test_error_as_a_share_of_the_largest_term(dtype, units):
    a = arguments(10**5, dtype, seed=2)
    error = np.abs(exp(a).astype(np.longdouble) - np.exp(a.astype(np.longdouble)))
    assert float(error.max()) <= 1.4 * np.finfo(dtype).eps / 2


@needs_long_double
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_points(dtype, units):
    assert worst_error(arguments(10**6, dtype, seed=1)) < units


@needs_long_double
@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
def test_ten_million_points(dtype, units):
    for seed in range(10):  # in parts, since long doubles take 16 bytes each
        assert worst_error(arguments(10**6, dtype, seed=100 + seed)) < units


@pytest.mark.parametrize("dtype", DTYPES)
def test_end_points(dtype, units):
    cutoff = dtype(CUTOFF[dtype])
    a = np.array([0.0, -0.0, cutoff, np.nextafter(cutoff, dtype(0))], dtype=dtype)
    one, one_again, *smallest = exp(a)
    assert one == one_again == 1
    want = np.exp(a[2:].astype(np.longdouble)).astype(dtype)
    assert np.all(np.abs(smallest / want - 1) <= (units + np.abs(cutoff)) * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_below_the_cutoff_the_power_is_negligible(dtype, units):
    cutoff = CUTOFF[dtype]
    a = np.array([1.001 * cutoff, 1.1 * cutoff, 2 * cutoff], dtype=dtype)
    assert np.all((exp(a) >= 0) & (exp(a) <= 1.01 * np.exp(cutoff)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_power_exceeds_one(dtype, units):
    # a weight above 1 would break 0 <= excess and the sum of the weights
    a = -np.geomspace(np.finfo(dtype).tiny, 1, 10_000, dtype=dtype)
    assert np.all(exp(a) <= 1)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 129])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_length_fills_its_output_and_no_more(count, dtype, units):
    # vector loops have tails: an entry must not depend on how many follow it
    a = arguments(200, dtype)[:count]
    whole = exp(arguments(200, dtype))
    buffer = np.full(count + 8, 7, dtype=dtype)
    _core.exp_nonpositive(a, buffer[:count])
    assert np.array_equal(buffer[:count], whole[:count])
    assert np.all(buffer[count:] == 7)


def test_length_mismatch_is_refused():
    with pytest.raises(ValueError, match=r"out has shape \(3,\), length 2 needed"):
        _core.exp_nonpositive(np.zeros(2), np.zeros(3))

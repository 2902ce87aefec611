"""The logarithm inside the kernels, against mpmath and against the processor's long double."""

import numpy as np
import pytest

from tropical import _core

DTYPES = [np.float32, np.float64]


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def log(request, reference):
    """The logarithm of one instruction set."""
    with reference.instruction_set(request.param) as runs:
        if not runs:
            pytest.skip(f"this processor has no {request.param}")

        def call(s: np.ndarray) -> np.ndarray:
            out = np.full_like(s, -1)
            _core.log_positive(s, out)
            return out

        yield call


def arguments(count: int, dtype) -> np.ndarray:
    """Quarters: just above and just below 1, down to the last bit, up to the number of monomials there may be, and
    down to the smallest sum of exponentials."""
    rng = np.random.default_rng(0)
    double, quarter = dtype is np.float64, count // 4
    apart = np.finfo(dtype).eps * 2.0 ** rng.uniform(0, np.finfo(dtype).nmant, 2 * quarter)
    near = 1 + apart * np.repeat([1, -0.5], quarter)
    large = 2.0 ** rng.uniform(0, 62 if double else 30, count - 3 * quarter)
    small = 2.0 ** rng.uniform(-1020 if double else -124, 0, quarter)
    return np.concatenate([near, large, small]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mpmath(dtype, log, reference):
    s = arguments(2000, dtype)
    unit = float(np.finfo(dtype).eps) / 2
    for argument, got in zip(s.tolist(), log(s).tolist(), strict=True):
        want = reference.MP.log(argument)
        ulp = float(np.spacing(abs(dtype(float(want)))))
        assert abs(got - want) <= min(2 * ulp, unit * (1 + 2 * abs(want))), argument


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_points(dtype, log):
    s = arguments(10**6, dtype)
    want = np.log(s.astype(np.longdouble))
    error = np.abs(log(s).astype(np.longdouble) - want)
    assert np.all(error <= np.finfo(dtype).eps / 2 * (1 + 2 * np.abs(want)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_and_powers_of_two(dtype, log):
    exponents = np.arange(-120, 31)
    got = log((2.0**exponents).astype(dtype))
    assert got[120] == 0
    np.testing.assert_allclose(got, np.log(2.0) * exponents, rtol=float(np.finfo(dtype).eps))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 31, 33, 65])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_length(count, dtype, log):
    s = arguments(200, dtype)
    np.testing.assert_array_equal(log(s[:count]), log(s)[:count])

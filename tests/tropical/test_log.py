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
            _core.log_from_one(s, out)
            return out

        yield call


def arguments(count: int, dtype) -> np.ndarray:
    """A half just above 1, down to the last bit, and a half up to the number of monomials there may be."""
    rng = np.random.default_rng(0)
    near = 1 + np.finfo(dtype).eps * 2.0 ** rng.uniform(0, np.finfo(dtype).nmant, count // 2)
    far = 2.0 ** rng.uniform(0, 62 if dtype is np.float64 else 30, count - count // 2)
    return np.concatenate([near, far]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mpmath(dtype, log, reference):
    s = arguments(2000, dtype)
    unit = float(np.finfo(dtype).eps) / 2
    for argument, got in zip(s.tolist(), log(s).tolist(), strict=True):
        want = reference.MP.log(argument)
        ulp = float(np.spacing(dtype(float(want))))
        assert abs(got - want) <= min(2 * ulp, unit * (1 + 2 * want)), argument


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_points(dtype, log):
    s = arguments(10**6, dtype)
    want = np.log(s.astype(np.longdouble))
    error = np.abs(log(s).astype(np.longdouble) - want)
    assert np.all(error <= np.finfo(dtype).eps / 2 * (1 + 2 * want))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_and_powers_of_two(dtype, log):
    powers = 2.0 ** np.arange(31).astype(dtype)
    got = log(powers.astype(dtype))
    assert got[0] == 0
    np.testing.assert_allclose(got, np.log(2.0) * np.arange(31), rtol=float(np.finfo(dtype).eps))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 31, 33, 65])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_length(count, dtype, log):
    s = arguments(200, dtype)
    np.testing.assert_array_equal(log(s[:count]), log(s)[:count])

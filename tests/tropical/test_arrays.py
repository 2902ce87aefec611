"""What points and entries may be: dtypes, shapes, memory layouts. What comes out: dtype and shape."""

from fractions import Fraction

import numpy as np
import pytest

from tropical import MAX_PLUS, MIN_PLUS, InputError, Polynomial, Semiring, ShapeError

F16, F32, F64, EXACT = np.float16, np.float32, np.float64, np.dtype(object)

# entries given as, points given as, values come as
DTYPE_TABLE = [
    (F64, F64, F64),
    (F32, F32, F32),
    (F32, F64, F64),
    (F64, F32, F64),
    (F16, F32, F32),
    (F32, F16, F32),
    (np.int64, F32, F64),
    (np.int8, np.uint8, F64),
    (F32, np.int32, F32),  # integers take the precision of the polynomial
    (F32, np.bool_, F32),
    (F32, list, F32),  # as do Python numbers
    (F64, list, F64),
    (list, F32, F64),
    (EXACT, F32, EXACT),
    (EXACT, np.int16, EXACT),
    (EXACT, list, EXACT),
    (F64, EXACT, EXACT),
    (F32, EXACT, EXACT),
]
METHODS = ["__call__", "excess", "entropy", "gradient", "weights", "hessian"]


def given_as(kind, values):
    return values if kind is list else np.array(values).astype(kind)


@pytest.mark.parametrize("entries, points, result", DTYPE_TABLE)
def test_dtypes(entries, points, result):
    p = Polynomial(given_as(entries, [[1, 2], [0, 1]]), given_as(entries, [0, 1]))
    x = given_as(points, [[1, 0], [1, 1], [0, 0]])
    assert p(x).dtype == result
    assert p(x).tolist() == [1, 3, 1]
    assert p.gradient(x).dtype == p.weights(x).dtype == p.hessian(x).dtype == result
    assert p.argmax(x).dtype == np.int64
    if result == EXACT:
        assert all(type(v) is Fraction for v in p(x))


SEMIRING_TABLE = [
    (np.float32, np.float32, np.float32),
    (np.float32, np.float64, np.float64),
    (np.float16, np.float32, np.float32),
    (np.int32, np.int64, np.float64),
    (np.bool_, np.float64, np.float64),
    (object, np.float64, object),
]


@pytest.mark.parametrize("first, second, result", SEMIRING_TABLE)
def test_dtypes_of_semiring_sums_and_products(first, second, result):
    a, b = np.ones(3, first), np.zeros((2, 1), second)
    for outcome in (MAX_PLUS.add(a, b), MIN_PLUS.mul(a, b)):
        assert outcome.dtype == result and outcome.shape == (2, 3)
    if result is not object:
        assert Semiring(eps=1.0).add(a, b).dtype == result


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("method", METHODS)
def test_soft_results_keep_the_dtype(method, dtype):
    p = Polynomial(np.eye(2, dtype=dtype), np.zeros(2, dtype), Semiring(1, 0.5))
    assert getattr(p, method)(np.ones((4, 2), dtype)).dtype == dtype


def test_mixed_entries_take_the_wider_dtype():
    assert Polynomial(np.ones((1, 1), F32), np.ones(1, F64)).dtype == F64
    assert Polynomial(np.ones((1, 1), F32), [Fraction(1, 3)]).is_exact
    assert (Polynomial(np.ones((1, 1), F32), np.ones(1, F32)) + 0.1).dtype == F32


@pytest.mark.parametrize("eps", [0.0, 0.5])
@pytest.mark.parametrize("lead", [(), (1,), (4,), (0,), (2, 3), (2, 0, 3), (1, 2, 1, 2)])
def test_leading_axes_are_kept(lead, eps):
    p = Polynomial(np.arange(10.0).reshape(5, 2), np.arange(5.0), Semiring(1, eps))
    x = np.random.default_rng(0).normal(size=(*lead, 2))
    assert p(x).shape == p.argmax(x).shape == p.entropy(x).shape == p.excess(x).shape == lead
    assert p.gradient(x).shape == (*lead, 2)
    assert p.weights(x).shape == (*lead, 5)
    assert p.hessian(x).shape == (*lead, 2, 2)
    for index in np.ndindex(*lead):
        assert p(x)[index] == pytest.approx(p(x[index]), rel=1e-15)
        assert p.hessian(x)[index] == pytest.approx(p.hessian(x[index]), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_points_of_one_variable_may_be_scalars(eps):
    p = Polynomial([1, -2], [0, 1], Semiring(1, eps))  # one-dimensional slopes are one variable
    for x in (0.25, np.float64(0.25), np.array(0.25)):
        assert p(x) == p([0.25]) and np.ndim(p(x)) == 0
        assert p.gradient(x).shape == (1,) and p.weights(x).shape == (2,) and p.hessian(x).shape == (1, 1)
    assert p(1) == p([1.0])


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "strided": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    "unaligned": lambda a: np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape),
    "nested lists": np.ndarray.tolist,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_memory_layout_does_not_matter(layout, eps):
    rng = np.random.default_rng(4)
    slopes, coefficients, x = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(7, 3))
    p, arrange = Polynomial(slopes, coefficients, Semiring(1, eps)), LAYOUTS[layout]
    q = Polynomial(arrange(slopes), coefficients, Semiring(1, eps))
    for method in ["argmax", *METHODS]:
        assert np.array_equal(getattr(p, method)(x), getattr(q, method)(arrange(x))), method


def test_broadcast_points_are_read_right():
    p = Polynomial(np.eye(2), [0, 0])
    x = np.broadcast_to(np.array([1.0, 3.0]), (4, 2))
    assert p(x).tolist() == [3, 3, 3, 3]


def test_entries_are_copied_and_read_only():
    slopes, coefficients = np.eye(2), np.zeros(2)
    p = Polynomial(slopes, coefficients)
    slopes[:], coefficients[:] = 9, 9
    assert p([1.0, 2.0]) == 2
    for array in (p.slopes, p.coefficients):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_points_are_left_alone():
    x = np.random.default_rng(1).normal(size=(5, 2))
    before = x.copy()
    p = Polynomial(np.eye(2), [0, 0], Semiring(-1, 0.5))
    for method in METHODS:
        getattr(p, method)(x)
    assert np.array_equal(x, before)


def strided(shape, dtype):
    """An array of that shape whose entries do not lie beside each other."""
    return np.full((*shape, 2), 7, dtype)[..., 0]


@pytest.mark.parametrize("method", [*METHODS, "argmax"])
@pytest.mark.parametrize("make", [np.empty, strided])
@pytest.mark.parametrize("lead", [(), (3,), (5, 8), (0,)])
@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_out_takes_the_results(method, make, lead, eps):
    p = Polynomial([[1, 0], [0, 1], [2, -1]], [0, 0, 1], Semiring(eps=eps))
    x = np.random.default_rng(3).normal(size=(*lead, 2))
    want = np.asarray(getattr(p, method)(x))
    out = make(want.shape, want.dtype)
    assert getattr(p, method)(x, out=out) is out
    assert np.array_equal(out, want)


def test_out_of_values_with_gradients_and_of_exact_results():
    p = Polynomial([[1, 0], [0, 1]], [0, 0])
    x = np.random.default_rng(3).normal(size=(4, 2))
    values, gradient = np.empty(4), np.empty((4, 2))
    got = p.value_and_gradient(x, out=(values, gradient))
    assert got[0] is values and got[1] is gradient
    assert np.array_equal(values, p(x)) and np.array_equal(gradient, p.gradient(x))
    exact = np.empty(4, dtype=object)
    assert p.to_exact()(x, out=exact) is exact
    assert all(isinstance(v, Fraction) for v in exact) and np.array_equal(exact.astype(float), p(x))


def test_out_that_does_not_fit():
    p, x = Polynomial([[1, 0], [0, 1]], [0, 0]), np.zeros((4, 2))
    frozen = np.empty(4)
    frozen.flags.writeable = False
    for out, message in [
        (np.empty(3), r"out is float64 \(3,\); pass an array of dtype float64 and shape \(4,\)"),
        (np.empty(4, np.float32), "out is float32"),
        ([0.0] * 4, "out is list"),
        (frozen, "read-only"),
        (x[:, 0], "shares memory"),
    ]:
        with pytest.raises((InputError, ShapeError), match=message):
            p(x, out=out)


def test_integers_are_never_rounded():
    p = Polynomial([[2**60]], [-(2**53)])  # a float64 holds both
    assert p.to_exact()([1]) == 2**60 - 2**53
    for odd in (2**53 + 1, -(2**53) - 1, 2**63 + 1):
        with pytest.raises(InputError, match="no float64 holds it"):
            Polynomial([[0]], [odd])
        with pytest.raises(InputError, match="no float64 holds it"):
            p(np.array([odd]))
        assert p.to_exact()([odd]) == 2**60 * odd - 2**53


def test_fractions_of_numpy_integers_do_not_overflow():
    big = Fraction(np.int64(2**62))
    p = Polynomial([[big], [big]], [0, big])
    assert p([Fraction(2)]) == 2**63 + 2**62

"""Semiring matrix products, against fractions, mpmath and published examples."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import inf, nan

from tropical import MAX_PLUS, MIN_PLUS, InputError, Semiring, ShapeError, matmul

TROPICAL = [MAX_PLUS, MIN_PLUS]
SIZES = [
    (1, 1, 1),
    (2, 3, 5),
    (4, 1, 33),
    (5, 129, 65),
    (193, 10, 31),
    (4, 300, 40),  # three blocks of the inner index
    (64, 64, 64),
    (3, 0, 2),
    (0, 3, 2),
    (2, 3, 0),
]


def random_pair(m, k, n, dtype, sign=1, seed=0):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    for M in (A, B):
        M[rng.random(M.shape) < 0.1] = -inf
    return (sign * A).astype(dtype), (sign * B).astype(dtype)


def by_definition(A, B, semiring):
    """Every sum, rounded once, and its extremum; the first index that attains it, −1 for the zero."""
    with np.errstate(invalid="ignore"):
        terms = A[:, :, None] + B[None]
    extremum, first = (np.max, np.argmax) if semiring.sign > 0 else (np.min, np.argmin)
    if not A.shape[1]:
        shape = (A.shape[0], B.shape[1])
        return np.full(shape, semiring.zero), np.full(shape, -1)
    C = extremum(terms, axis=1)
    return C, np.where(np.isinf(C), -1, first(terms, axis=1))


@pytest.mark.parametrize("semiring", TROPICAL, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_product_bit_for_bit(size, dtype, semiring, reference):
    A, B = random_pair(*size, dtype, semiring.sign)
    want, where = by_definition(A, B, semiring)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            C, index = matmul(A, B, semiring, return_argmax=True)
            np.testing.assert_array_equal(matmul(A, B, semiring), want)
        assert C.dtype == dtype
        np.testing.assert_array_equal(C, want)
        np.testing.assert_array_equal(index, where)


@pytest.mark.parametrize("semiring", [*TROPICAL, Semiring(eps=0.5)], ids=str)
def test_strides_batches_and_vectors(semiring):
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(6, 4, 70)), rng.normal(size=(6, 70, 5))
    plain = np.stack([matmul(a, b, semiring) for a, b in zip(A, B, strict=True)])
    close = {"rtol": 1e-13} if semiring.eps else {"rtol": 0}
    np.testing.assert_allclose(matmul(A, B, semiring), plain, **close)
    np.testing.assert_allclose(matmul(A[:, ::-1], B, semiring), plain[:, ::-1], **close)
    flipped = matmul(B.transpose(0, 2, 1), A.transpose(0, 2, 1), semiring)  # transposed views
    np.testing.assert_allclose(flipped.transpose(0, 2, 1), plain, **close)
    np.testing.assert_allclose(matmul(A[:1], B, semiring)[3], matmul(A[0], B[3], semiring), **close)
    np.testing.assert_allclose(matmul(A[0, 1], B[0], semiring), plain[0, 1], **close)
    np.testing.assert_allclose(matmul(A[0], B[0, :, 2], semiring), plain[0, :, 2], **close)
    assert matmul(A[0, 0], B[0, :, 0], semiring) == pytest.approx(plain[0, 0, 0], rel=1e-13)
    read_only = A[0]
    read_only.flags.writeable = False
    np.testing.assert_allclose(matmul(read_only, B[0], semiring), plain[0], **close)


@pytest.mark.parametrize("semiring", TROPICAL, ids=str)
def test_zero_absorbs_the_other_infinity(semiring):
    zero, s = semiring.zero, semiring.sign
    A = np.array([[zero, 1.0], [-zero, 2.0], [zero, zero]])
    B = np.array([[-zero, 3.0], [0.0, zero]])
    C, index = matmul(A, B, semiring, return_argmax=True)
    np.testing.assert_array_equal(C, [[1.0, zero], [-zero, -zero], [zero, zero]])
    np.testing.assert_array_equal(index, [[1, -1], [0, 0], [-1, -1]])
    A[0, 1] = nan
    assert np.isnan(matmul(A, B, semiring)[0, 0])
    assert matmul(A, B, semiring)[1, 0] == s * inf


@given(st.data())
def test_exact_products_are_exact(data):
    entry = st.one_of(st.fractions(-3, 3, max_denominator=7), st.just(-inf))
    m, k, n = (data.draw(st.integers(1, 3)) for _ in range(3))
    A = np.array(data.draw(st.lists(entry, min_size=m * k, max_size=m * k)), dtype=object).reshape(m, k)
    B = np.array(data.draw(st.lists(entry, min_size=k * n, max_size=k * n)), dtype=object).reshape(k, n)
    C, index = matmul(A, B, return_argmax=True)
    for i in range(m):
        for j in range(n):
            terms = [A[i, q] + B[q, j] for q in range(k)]
            assert C[i, j] == max(terms)
            assert isinstance(C[i, j], Fraction) or C[i, j] == -inf
            assert index[i, j] == (-1 if C[i, j] == -inf else terms.index(max(terms)))


@pytest.mark.parametrize("eps", [1e-3, 0.05, 0.5, 20.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_log_product_against_mpmath(eps, sign):
    """Also where every scaled product underflows: rows and columns that share no large term."""
    A, B = random_pair(5, 12, 4, np.float64, sign, seed=3)
    A[0], B[:, 0] = -sign * 40.0, -sign * 40.0
    A[0, 0], B[1, 0] = sign * 40.0, sign * 40.0
    C = matmul(A, B, Semiring(sign, eps))
    with mpmath.workdps(60):
        for i in range(5):
            for j in range(4):
                terms = [sign * (mpmath.mpf(a) + mpmath.mpf(b)) for a, b in zip(A[i], B[:, j], strict=True)]
                top = max(terms)
                want = sign * (
                    top + eps * mpmath.log(mpmath.fsum(mpmath.exp((t - top) / eps) for t in terms))
                )
                scale = abs(A[i][np.isfinite(A[i])]).max() + abs(B[:, j][np.isfinite(B[:, j])]).max()
                assert abs(C[i, j] - want) <= 4 * 2.0**-52 * (scale + eps * mpmath.log(12) + 1)


def test_log_product_with_empty_rows_and_infinities():
    semiring = Semiring(eps=0.5)
    A = np.array([[-inf, -inf], [inf, 0.0], [nan, 0.0]])
    B = np.array([[0.0, -inf], [1.0, 2.0]])
    C = matmul(A, B, semiring)
    assert C[0].tolist() == [-inf, -inf]
    assert C[1].tolist() == [inf, 2.0]  # (+∞) ⊗ (−∞) is the zero, which leaves 0 + 2
    assert np.isnan(C[2]).all()
    assert matmul(np.zeros((2, 0)), np.zeros((0, 3)), semiring).tolist() == [[-inf] * 3] * 2


@given(st.integers(0, 1000))
def test_product_laws(seed):
    rng = np.random.default_rng(seed)
    A, B, C = (rng.integers(-9, 9, size=(4, 4)).astype(float) for _ in range(3))
    for semiring in TROPICAL:
        left = matmul(matmul(A, B, semiring), C, semiring)
        np.testing.assert_array_equal(left, matmul(A, matmul(B, C, semiring), semiring))
        summed = matmul(A, semiring.add(B, C), semiring)
        np.testing.assert_array_equal(summed, semiring.add(matmul(A, B, semiring), matmul(A, C, semiring)))


def test_published_products():
    """libsemigroups' examples of MaxPlusMat and MinPlusMat."""
    X = [[-2, 2, 2], [-1, 0, 0], [1, -3, 1]]
    Y = [[-inf, 0, 0], [0, 1, 0], [1, -1, 0]]
    np.testing.assert_array_equal(matmul(X, Y), [[3, 3, 2], [1, 1, 0], [2, 1, 1]])
    np.testing.assert_array_equal(matmul(X, X), [[3, 2, 3], [1, 1, 1], [2, 3, 3]])
    Z = [[0, 3, inf], [2, 0, 1], [inf, 4, 0]]
    np.testing.assert_array_equal(matmul(Z, Z, MIN_PLUS), [[0, 3, 4], [2, 0, 1], [6, 4, 0]])


# ---- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: matmul(np.ones((2, 3)), np.ones((2, 3))), r"A has shape \(2, 3\) and B \(2, 3\)"),
        (lambda: matmul(np.ones((2, 2, 3)), np.ones((3, 3, 3))), "leading axes do not broadcast"),
        (lambda: matmul(1.0, np.ones((2, 2))), "not scalars"),
        (lambda: matmul([["a"]], [[1.0]]), "has dtype"),
        (lambda: matmul([[1.0]], [[1.0]], Semiring(eps=1.0), return_argmax=True), "needs eps = 0, got 1"),
        (lambda: matmul([[Fraction(1)]], [[1.0]], Semiring(eps=1.0)), "transcendental"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()

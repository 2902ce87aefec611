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


@pytest.mark.parametrize("semiring", [*TROPICAL, Semiring(eps=0.5)], ids=str)
@pytest.mark.parametrize("m", [1, 3, 100])
def test_strides_that_are_zero_or_negative(m, semiring):
    rng = np.random.default_rng(2)
    column, row = rng.normal(size=(m, 1)), rng.normal(size=(1, 64))
    A, B = rng.normal(size=(m, 50)), rng.normal(size=(50, 64))
    for left in (A, A[:, ::-1], np.broadcast_to(column, (m, 50)), np.broadcast_to(A[:1], (m, 50))):
        for right in (B, B[::-1], np.broadcast_to(row, (50, 64)), np.broadcast_to(B[:, :1], (50, 64))):
            want = matmul(left.copy(), right.copy(), semiring)
            np.testing.assert_array_equal(matmul(left, right, semiring), want)
            np.testing.assert_array_equal(
                matmul(right.T, left.T, semiring), matmul(right.T.copy(), left.T.copy(), semiring)
            )


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


def ranged_pair(m, k, n, dtype, spread, seed):
    """Entries whose exponents are so far apart that most products of exponentials underflow."""
    rng = np.random.default_rng(seed)
    A, B = (spread * rng.normal(size=shape) for shape in ((m, k), (k, n)))
    for M in (A, B):
        M[rng.random(M.shape) < 0.2] = -inf
    A[0], B[:, 0] = -inf, -inf
    A[0, k - 1], B[0, 0] = 3.0, 4.0  # they do not meet: the zero, unless k is 1
    return A.astype(dtype), B.astype(dtype)


@pytest.mark.parametrize("eps", [1e-25, 1e-3, 0.5, 30.0, 1e20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [1.0, 300.0])
@pytest.mark.parametrize("size", [(1, 9, 5), (6, 9, 1), (5, 3, 9), (7, 5, 70), (3, 140, 33)], ids=str)
def test_log_product_within_its_bound(size, spread, dtype, eps, reference):
    A, B = ranged_pair(*size, dtype, spread, seed=sum(size))
    want = reference.soft_product(A, B, 1, eps)
    bound = reference.soft_product_bound(A, B, eps)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            C, mirrored = matmul(A, B, Semiring(eps=eps)), matmul(-A, -B, Semiring(-1, eps))
        np.testing.assert_array_equal(-mirrored, C)
        for i, j in np.ndindex(C.shape):
            if want[i][j] == -mpmath.inf:
                assert C[i, j] == -inf
            else:
                assert abs(mpmath.mpf(float(C[i, j])) - want[i][j]) <= bound[i, j], (name, i, j)


@pytest.mark.parametrize("eps", [1e-300, 1e300])
def test_log_product_out_of_the_range_of_the_kernels(eps):
    A, B = ranged_pair(4, 5, 3, np.float64, 1.0, seed=0)
    C, hard = matmul(A, B, Semiring(eps=eps)), matmul(A, B)
    finite = hard > -inf
    np.testing.assert_array_equal(np.isneginf(C), ~finite)
    count = (np.isfinite(A[:, :, None] + B).sum(axis=1))[finite]
    np.testing.assert_allclose(C[finite], hard[finite] + eps * np.log(count), rtol=1e-14)


def test_log_products_of_sparse_matrices_are_not_in_doubt(reference):
    """Rows and columns that do not meet: the zero, and everything else right, at a size of several blocks."""
    rng = np.random.default_rng(0)
    A, B = (np.where(rng.random((150, 150)) < 0.02, rng.normal(size=(150, 150)), -inf) for _ in range(2))
    C, count = matmul(A, B, Semiring(eps=0.5)), np.isfinite(A[:, :, None] + B).sum(axis=1)
    np.testing.assert_array_equal(np.isfinite(C), count > 0)
    alone = count == 1  # one term: no exponential at all
    np.testing.assert_allclose(C[alone], matmul(A, B)[alone], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [(1, 40, 9), (9, 40, 1), (9, 40, 40), (70, 3, 3)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values_of_log_products(size, dtype, sign, reference):
    """NaN spoils its row or column; the wrong infinity wins unless it meets the zero."""
    m, k, n = size
    A, B = random_pair(m, k, n, dtype, sign, seed=4)
    A[m // 2, 1], B[k - 1, n // 2] = sign * inf, sign * inf
    A[m - 1, 0] = nan
    with np.errstate(invalid="ignore"):
        terms = Semiring(sign).mul(A[:, :, None], B[None])
        want = Semiring(sign, 0.5).sum(terms, axis=1)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            C = matmul(A, B, Semiring(sign, 0.5))
        np.testing.assert_array_equal(np.isnan(C), np.isnan(want))
        np.testing.assert_array_equal(np.isinf(C), np.isinf(want))
        np.testing.assert_allclose(C, want, rtol=100 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("semiring", TROPICAL, ids=str)
@pytest.mark.parametrize("size", [(1, 40, 37), (37, 40, 1), (1, 3, 1), (9, 40, 40)], ids=str)
def test_special_values_of_products(size, semiring, reference):
    """Over every kernel for few rows, many rows and columns that are contiguous."""
    m, k, n = size
    A, B = random_pair(m, k, n, np.float64, semiring.sign, seed=5)
    A[0, 1], B[k - 1, n // 2] = semiring.sign * inf, semiring.sign * inf
    for spoiled in (False, True):
        A[m - 1, 0] = nan if spoiled else A[m - 1, 0]
        terms = semiring.mul(A[:, :, None], B[None])
        extremum = np.max if semiring.sign > 0 else np.min
        want = extremum(terms, axis=1)
        for name in reference.INSTRUCTION_SETS:
            with reference.instruction_set(name):
                for C in (
                    matmul(A, B, semiring),
                    matmul(np.asfortranarray(A), np.asfortranarray(B), semiring),
                    matmul(B.T, A.T, semiring).T,
                    matmul(A, B, semiring, return_argmax=True)[0],
                ):
                    np.testing.assert_array_equal(C, want)


@pytest.mark.parametrize("semiring", [*TROPICAL, Semiring(eps=0.5), Semiring(-1, 1e-3)], ids=str)
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((300, 200), (200, 150)),
        ((1, 900), (900, 3000)),
        ((3000, 900), (900, 1)),
        ((130, 40, 41), (130, 41, 42)),
        ((130, 1, 300), (300, 300)),
    ],
    ids=str,
)
def test_threads_do_not_change_bits(a, b, semiring):
    rng = np.random.default_rng(6)
    A, B = rng.normal(size=a), rng.normal(size=b)
    want = matmul(A, B, semiring, n_threads=1)
    for threads in (2, 3):
        np.testing.assert_array_equal(matmul(A, B, semiring, n_threads=threads), want)
    if semiring.is_tropical:
        _, index = matmul(A, B, semiring, return_argmax=True, n_threads=3)
        np.testing.assert_array_equal(index, matmul(A, B, semiring, return_argmax=True, n_threads=1)[1])


@pytest.mark.parametrize("semiring", [MAX_PLUS, Semiring(-1, 0.5)], ids=str)
def test_out(semiring):
    rng = np.random.default_rng(7)
    A, B = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(3, 5, 6))
    want = matmul(A, B, semiring)
    for out in (
        np.empty(want.shape),
        np.empty(want.shape[::-1]).T,
        np.empty((2, 3, 4, 12))[..., ::2],
        np.empty((2, 3, 8, 6))[:, :, ::2],
        np.empty((2, 3, 4, 6))[:, :, ::-1],
    ):
        assert matmul(A, B, semiring, out=out) is not None
        np.testing.assert_array_equal(out, want)
    for left, right in ((A[0, 0, 0], B[0]), (A[0, 0], B[0, :, 0]), (A[0, 0, 0], B[0, :, 0])):
        want = matmul(left, right, semiring)
        strided = np.empty((*want.shape, 2))[..., 0]
        matmul(left, right, semiring, out=strided)
        np.testing.assert_array_equal(strided, want)
    exact = np.empty((1, 1), dtype=object)
    matmul([[Fraction(1, 3)]], [[Fraction(1, 3)]], out=exact)
    assert exact[0, 0] == Fraction(2, 3)


@pytest.mark.parametrize("semiring", [*TROPICAL, Semiring(eps=0.5)], ids=str)
@pytest.mark.parametrize(
    ("a", "b"), [((0, 2, 3), (0, 3, 4)), ((5, 0, 3), (3, 4)), ((5, 2, 0), (0, 4)), ((2, 3), (3, 0))], ids=str
)
def test_sizes_of_zero(a, b, semiring):
    C = matmul(np.zeros(a), np.zeros(b), semiring)
    assert C.shape == np.matmul(np.zeros(a), np.zeros(b)).shape
    assert (semiring.zero == C).all()
    if semiring.is_tropical:
        assert (matmul(np.zeros(a), np.zeros(b), semiring, return_argmax=True)[1] == -1).all()


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
        (lambda: matmul([[1.0]], [[1.0]], out=np.empty((2, 2))), r"out is float64 \(2, 2\)"),
        (lambda: matmul([[1.0]], [[1.0]], n_threads=0), "n_threads is 0"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 6, 3), (1, 32, 32), (4, 6, 1), (4, 17, 5)])
def test_a_nan_anywhere_reaches_the_log_product(dtype, shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    for k in range(inner):
        A, B = rng.normal(size=(rows, inner)).astype(dtype), rng.normal(size=(inner, columns)).astype(dtype)
        A[0, k] = np.nan
        spoiled = np.isnan(matmul(A, B, Semiring(eps=0.5)))
        assert spoiled[0].all() and not spoiled[1:].any()
        spoiled = np.isnan(matmul(B.T, A.T, Semiring(eps=0.5)))
        assert spoiled[:, 0].all() and not spoiled[:, 1:].any()


@pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
@pytest.mark.parametrize("rows", [3, 900])  # more than a slice
def test_a_nan_reaches_the_products_of_a_batch_that_share_a_factor(semiring, rows):
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(4, rows, 70)), rng.normal(size=(70, 90))
    A[2, rows // 2, 33], B[41, 7] = np.nan, np.nan
    want = np.isnan(A).any(axis=2)[:, :, None] | np.isnan(B).any(axis=0)
    np.testing.assert_array_equal(np.isnan(matmul(A, B, semiring)), want)
    np.testing.assert_array_equal(np.isnan(matmul(A, B[None] + 0, semiring)), want)

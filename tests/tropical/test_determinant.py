"""Tropical determinants, singularity and ranks, against all permutations and published examples."""

import math
from fractions import Fraction
from itertools import combinations, permutations
from math import inf, nan

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tropical import (
    MIN_PLUS,
    BudgetExceeded,
    InputError,
    Semiring,
    column_rank,
    count_optimal_permutations,
    determinant,
    is_singular,
    matmul,
    tropical_rank,
)


def exactly(A):
    return np.array([Fraction(a) if np.isfinite(a) else a for a in A.flat] + [None])[:-1].reshape(A.shape)


def random_square(seed):
    """Few values, generic, widely different sizes, or a sum x_i + y_j in which rounding decides."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    A = [
        rng.integers(-2, 3, size=(n, n)).astype(float),
        rng.normal(size=(n, n)),
        rng.normal(size=(n, n)) * 10.0 ** rng.integers(-12, 12, size=(n, n)),
        rng.normal(size=n)[:, None] + rng.normal(size=n),
    ][seed % 4]
    A[rng.random((n, n)) < 0.5 * rng.random()] = -inf
    return A


def all_sums(A):
    """Σ A_{i,σ(i)} for each permutation without a zero entry, exactly."""
    sums = []
    for s in permutations(range(len(A))):
        terms = [A[i][j] for i, j in enumerate(s)]
        if -inf not in terms:
            sums.append(sum(map(Fraction, terms)))
    return sums


@pytest.mark.parametrize(("A", "want"), [([[1, 2], [3, 4]], 5), ([[0, 5, 2], [1, 0, 7], [4, 3, 0]], 16)])
def test_published_determinants(A, want):
    assert determinant(A) == want
    assert determinant(-np.array(A, dtype=float), MIN_PLUS) == -want
    exact = determinant(exactly(np.array(A)))
    assert exact == want
    assert isinstance(exact, Fraction)


@given(st.integers(0, 10**6))
@example(3)
def test_against_all_permutations(seed):
    A = random_square(seed)
    sums = all_sums(A)
    for matrix, semiring in ((A, Semiring()), (-A, MIN_PLUS), (exactly(A) / 3, Semiring())):
        value, s = determinant(matrix, semiring, return_permutation=True)
        count = count_optimal_permutations(matrix, semiring)
        if not sums:
            assert (value, s, count) == (semiring.zero, None, 0)
            assert is_singular(matrix, semiring)
            continue
        best = max(sums)
        want = best / 3 if matrix.dtype == object else semiring.sign * float(best)
        assert value == want
        assert sum(Fraction(A[i, j]) for i, j in enumerate(s)) == best
        assert count == sums.count(best)
        assert is_singular(matrix, semiring) == (count > 1)


def test_scipy_is_put_right():
    """SciPy's floats cannot tell these two permutations apart; their exact sums differ by 2^-60."""
    A = np.array([[2.0**-60, 1.0], [1.0, 2.0]])
    value, s = determinant(A, return_permutation=True)
    assert s.tolist() == [0, 1]
    assert not is_singular(A)
    assert value == 2.0
    assert is_singular(A - [[2.0**-60, 0.0], [0.0, 0.0]])
    huge = np.array([[1.7e308, -1.7e308], [-1.7e308, -1.7e308]])
    assert determinant(huge, return_permutation=True)[1].tolist() == [0, 1]
    far = exactly(A) * Fraction(10) ** 400
    assert determinant(far, return_permutation=True)[1].tolist() == [0, 1]
    near = np.array([[Fraction(1, 3), Fraction(1, 3)], [Fraction(1, 3), Fraction(1, 3)]], dtype=object)
    assert is_singular(near)
    near[0, 1] += Fraction(1, 10**40)
    assert determinant(near, return_permutation=True)[1].tolist() == [1, 0]
    assert not is_singular(near)


@given(st.integers(0, 10**6))
def test_laws(seed):
    """det(A ⊗ B) ≥ det A ⊗ det B; scaling rows adds; transposes agree."""
    rng = np.random.default_rng(seed)
    A, B = rng.integers(-5, 5, size=(2, 4, 4)).astype(float)
    assert determinant(matmul(A, B)) >= determinant(A) + determinant(B)
    assert determinant(A.T) == determinant(A)
    assert determinant(A + np.arange(4.0)[:, None]) == determinant(A) + 6


@pytest.mark.parametrize("eps", [0.05, 1.0, 10.0])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n", [1, 4, 6])
def test_soft_determinant(n, sign, eps):
    rng = np.random.default_rng(n)
    A = rng.normal(size=(n, n))
    A[rng.random((n, n)) < 0.2] = -inf
    A[np.arange(n), np.arange(n)] = 0.0
    with mpmath.workdps(40):
        terms = [mpmath.exp(mpmath.mpf(t.numerator) / t.denominator / eps) for t in all_sums(A)]
        want = eps * mpmath.log(mpmath.fsum(terms))
    got = sign * determinant(sign * A, Semiring(sign, eps))
    assert got == pytest.approx(float(want), rel=1e-13, abs=1e-13 * eps)
    assert -1e-14 <= got - determinant(A) <= eps * math.log(math.factorial(n)) + 1e-14


def test_large_integers_against_the_dual():
    """A = u_i + v_j − slack, slack 0 on a hidden permutation: the determinant is Σu + Σv."""
    rng = np.random.default_rng(0)
    n = 200
    u, v, hidden = rng.integers(-99, 99, n), rng.integers(-99, 99, n), rng.permutation(n)
    slack = rng.integers(0, 50, size=(n, n))
    slack[np.arange(n), hidden] = 0
    assert determinant((u[:, None] + v - slack).astype(float)) == u.sum() + v.sum()
    slack += 1
    slack[np.arange(n), hidden] = 0
    A = (u[:, None] + v - slack).astype(float)
    assert not is_singular(A)
    assert count_optimal_permutations(A) == 1
    assert determinant(A, return_permutation=True)[1].tolist() == hidden.tolist()


def test_special_sizes():
    for semiring in (Semiring(), Semiring(eps=1.0)):
        assert determinant(np.zeros((0, 0)), semiring) == 0.0
        assert determinant([[3.5]], semiring) == 3.5
        assert determinant([[-inf]], semiring) == -inf
    assert not is_singular(np.zeros((0, 0)))
    assert count_optimal_permutations(np.zeros((0, 0))) == 1
    assert count_optimal_permutations(np.zeros((7, 7))) == 5040
    assert determinant(np.zeros((3, 3), np.float32)).dtype == np.float32


# ---- ranks ---------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.sampled_from([1, -1]))
def test_tropical_rank_by_definition(seed, sign):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 4, size=2)
    A = rng.integers(-2, 3, size=(m, n)).astype(float)
    A[rng.random((m, n)) < 0.2] = -inf
    want = 0
    for r in range(1, min(m, n) + 1):
        for rows in combinations(range(m), r):
            for columns in combinations(range(n), r):
                sums = all_sums(A[np.ix_(rows, columns)])
                want = max(want, r if sums and sums.count(max(sums)) == 1 else 0)
    assert tropical_rank(sign * A, Semiring(sign)) == want
    assert want <= min(column_rank(sign * A, Semiring(sign)), column_rank(sign * A.T, Semiring(sign)))


@given(st.integers(0, 10**6))
def test_column_rank_counts_generators(seed):
    rng = np.random.default_rng(seed)
    A = rng.integers(-4, 5, size=(4, 3)).astype(float)
    rank = column_rank(A)
    more = matmul(A, rng.integers(-4, 5, size=(3, 2)).astype(float))  # columns of the same space
    order = rng.permutation(5)
    assert column_rank(np.hstack([A, more])[:, order]) == rank
    assert column_rank(exactly(A)) == rank
    assert column_rank(np.hstack([A, np.full((4, 1), -inf)])) == rank


def test_published_ranks():
    """Develin, Santos and Sturmfels, section 1: the matrix with 1 on the diagonal, 0 elsewhere, for minima."""
    C = np.eye(4)
    assert tropical_rank(C) == 4
    assert tropical_rank(-C) == 2  # its factor rank is 4
    assert tropical_rank(np.zeros((3, 5))) == 1
    assert (column_rank(np.zeros((3, 5))), column_rank(np.zeros((0, 3)))) == (1, 0)
    assert tropical_rank(np.full((2, 2), -inf)) == column_rank(np.full((2, 2), -inf)) == 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: determinant([[1.0, 2.0]]), InputError, r"A has shape \(1, 2\)"),
        (lambda: determinant([[nan]]), InputError, "is nan"),
        (lambda: determinant([[inf]]), InputError, "is inf; pass finite"),
        (
            lambda: determinant(np.zeros((25, 25)), Semiring(eps=1.0)),
            BudgetExceeded,
            "33,?554,?432, the limit",
        ),
        (
            lambda: determinant([[0.0]], Semiring(eps=1.0), return_permutation=True),
            InputError,
            "eps = 0, got 1",
        ),
        (lambda: is_singular([[0.0]], Semiring(eps=1.0)), InputError, "eps = 0, got 1"),
        (lambda: count_optimal_permutations(np.zeros((21, 21))), BudgetExceeded, "permutations of 21 rows"),
        (lambda: tropical_rank([0.0]), InputError, "one matrix"),
        (lambda: tropical_rank(np.zeros((9, 9)), limit=10), BudgetExceeded, "the rank is at least 1"),
        (lambda: column_rank([[0.0]], Semiring(eps=1.0)), InputError, "eps = 0, got 1"),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()

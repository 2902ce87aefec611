"""Truncation: errors at points beside 60 digits, bounds over boxes beside what sampling and optimising find."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import InputError, Polynomial, Semiring, variables

SIGNS = pytest.mark.parametrize("sign", [1, -1])


def random_polynomial(n, d, seed, semiring) -> Polynomial:
    rng = np.random.default_rng(seed)
    return Polynomial(rng.normal(size=(n, d)), 3 * rng.normal(size=n), semiring)


def without(p: Polynomial, rows) -> Polynomial:
    kept = np.setdiff1d(np.arange(len(p)), rows)
    return Polynomial(p.slopes[kept], p.coefficients[kept], p.semiring)


def digits(reference, p: Polynomial, x):
    """p(x) in 60 digits."""
    mp, sign, eps = reference.MP, p.semiring.sign, p.semiring.eps
    z = [
        sum(mp.mpf(w) * mp.mpf(v) for w, v in zip(row, x, strict=True)) + mp.mpf(b)
        for row, b in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)
    ]
    return sign * eps * mp.log(mp.fsum(mp.exp(sign * v / eps) for v in z))


@SIGNS
@settings(max_examples=15)
@given(seed=st.integers(0, 1000), log_tol=st.floats(-12, 1))
@example(seed=0, log_tol=1.0)
def test_the_error_at_points_is_the_largest_change(reference, sign, seed, log_tol):
    p = random_polynomial(12, 2, seed, Semiring(sign, 0.4))
    points = np.random.default_rng(seed + 1).normal(size=(5, 2)) * 2
    t = p.truncate(10**log_tol, points=points)
    assert t.polynomial.same_terms(without(p, t.removed)) and len(t.polynomial) >= 1
    changes = [abs(digits(reference, p, x) - digits(reference, t.polynomial, x)) for x in points.tolist()]
    assert float(max(changes)) == pytest.approx(t.error, rel=1e-13, abs=0)
    assert t.error <= 10**log_tol * (1 + 1e-12)
    # as many as the tolerance allows: the lightest of those left would have been too much
    left = np.setdiff1d(np.arange(len(p)), t.removed)
    if len(left) > 1:
        lightest = min(left, key=lambda j: p.weights(points)[:, j].max())
        lost = p.weights(points)[:, [*t.removed, lightest]].sum(axis=1).max()
        assert lost >= 1 or -0.4 * math.log1p(-lost) > 10**log_tol * (1 - 1e-12)


@SIGNS
@settings(max_examples=15)
@given(seed=st.integers(0, 1000), log_tol=st.floats(-9, 1), d=st.integers(1, 3))
def test_the_bound_over_a_box_holds_inside_it(reference, sign, seed, log_tol, d):
    rng = np.random.default_rng(seed)
    p = random_polynomial(15, d, seed, Semiring(sign, 0.5))
    lower = rng.normal(size=d)
    upper = lower + rng.exponential(size=d)
    t = p.truncate(10**log_tol, box=(lower, upper))
    assert t.error <= 10**log_tol * (1 + 1e-14) and t.polynomial.same_terms(without(p, t.removed))
    corners = np.stack(np.meshgrid(*zip(lower, upper, strict=True), indexing="ij"), axis=-1).reshape(-1, d)
    points = np.concatenate([corners, rng.uniform(lower, upper, size=(200, d))])
    changes = abs(p(points) - t.polynomial(points))
    assert changes.max() <= t.error + 1e-14 * abs(p(points)).max()
    worst = points[changes.argmax()].tolist()
    assert abs(digits(reference, p, worst) - digits(reference, t.polynomial, worst)) <= t.error


@SIGNS
def test_the_bound_is_attained_for_one_monomial(sign):
    semiring = Semiring(sign, 0.3)
    p = Polynomial([[1.0], [0.2], [-1.0]], sign * np.array([0.0, -3.0, 0.0]), semiring)
    t = p.truncate(1e-3, box=(-2, 2))
    assert t.removed == (1,)
    grid = np.linspace(-2, 2, 4001)[:, None]
    largest = abs(p(grid) - t.polynomial(grid)).max()
    assert largest <= t.error <= largest * (1 + 1e-5)
    flat = p.truncate(1e-3, box=([1.0], [1.0]))
    assert flat.error == pytest.approx(p.truncate(1e-3, points=[1.0]).error, rel=1e-12)


def test_zeros_go_first_and_one_monomial_stays():
    x = variables(1, Semiring(eps=1.0))[0]
    p = x * -math.inf + x + 0
    t = p.truncate(0.0, points=[[0.0]])
    assert t.removed == (0,) and t.error == 0 and len(t.polynomial) == 2
    assert (
        len(p.truncate(1e300, points=[[0.0]]).polynomial)
        == 1
        == len(p.truncate(1e300, box=(-1, 1)).polynomial)
    )
    assert (x * -math.inf).truncate(1.0, box=(0, 1)).removed == (0,)
    assert len(p.truncate(0.0, points=np.zeros((0, 1))).polynomial) == 1  # nowhere asked for


def test_single_precision_stays():
    p = Polynomial(np.float32([[1], [0], [2]]), np.float32([0, -30, 0]), Semiring(eps=0.5))
    t = p.truncate(1e-6, box=(-1, 1))
    assert t.removed == (1,) and t.polynomial.dtype == np.float32


REFUSED = {
    r"truncate needs eps > 0; at eps = 0 use normal_form": lambda p: p.deform(0).truncate(1, box=(0, 1)),
    r"tol is -1; pass a finite tolerance": lambda p: p.truncate(-1, box=(0, 1)),
    r"pass either points= or box=": lambda p: p.truncate(1),
    r"give low <= high": lambda p: p.truncate(1, box=(1, 0)),
    r"pass finite points": lambda p: p.truncate(1, points=[[math.nan]]),
    r"coefficients\[2\] is inf": lambda p: (p + math.inf).truncate(1, box=(0, 1)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(InputError, match=message):
        REFUSED[message](variables(1, Semiring(eps=1.0))[0] + 1)

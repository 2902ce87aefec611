"""Pruning: every decision with its proof, against brute force, and over boxes and polyhedra."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import MIN_PLUS, InputError, Polynomial, Semiring, ShapeError, pruning
from tropical.pruning import as_polyhedron

FACT = [[1, 0], [0, 1], [2, 2], [1, 1], [2, 0], [0, 2]]


def random_polynomial(seed, d, n=12):
    rng = np.random.default_rng(seed)
    W = rng.integers(0, 4, size=(n, d)).astype(float) if seed % 3 else rng.normal(size=(n, d))
    b = rng.integers(-3, 4, size=n).astype(float) if seed % 3 else rng.normal(size=n)
    if seed % 3 == 2:
        b[:] = 0  # ties everywhere
    W[-1], b[-1] = W[0], b[0]
    if seed % 2:
        b[1] = -math.inf
    sign = 1 if seed % 5 < 3 else -1
    return Polynomial(W, sign * b, Semiring(sign)), rng


def check(p, domain=None):
    """Every proof of the report, in Fractions, from the definitions."""
    q, report = p.prune(domain, return_report=True)
    assert len(q) == len(p.prune(domain)) == len(report.kept)
    assert sorted([*report.kept, *report.removed]) == list(range(len(p)))
    assert (q.slopes == p.slopes[list(report.kept)]).all()
    s, exact, kept = p.semiring.sign, p.to_exact(), list(report.kept)
    G, h = as_polyhedron(domain, p.variables) or (np.zeros((0, p.variables)), np.zeros(0))
    for j, removal in report.removed.items():
        if removal.reason == "zero":
            assert p.coefficients[j] == p.semiring.zero
            continue
        weights, multipliers = removal.combination.weights, removal.combination.multipliers
        assert set(weights) <= set(kept)
        assert sum(weights.values()) == 1
        assert all(v > 0 for v in (*weights.values(), *multipliers.values()))
        slope = s * sum(v * exact.slopes[i] for i, v in weights.items())
        level = s * sum(v * exact.coefficients[i] for i, v in weights.items())
        for k, v in multipliers.items():
            slope, level = slope + v * G[k], level - v * h[k]
        assert (slope == s * exact.slopes[j]).all()
        assert level >= s * exact.coefficients[j]
        if removal.reason == "duplicate":
            assert [(exact.slopes[i] == exact.slopes[j]).all() for i in weights] == [True]
        if removal.reason == "tied":
            assert level == s * exact.coefficients[j]
    for j in kept:
        x = report.witnesses[j]
        values = dict(zip(kept, s * (exact.slopes[kept] @ x + exact.coefficients[kept]), strict=True))
        assert all(values[j] > v for i, v in values.items() if i != j)
        assert (G @ x <= h).all()
    return q, report


@pytest.mark.parametrize("semiring", [Semiring(), MIN_PLUS])
def test_published_example(semiring):
    """max(x, y, 2x+2y, x+y, 2x, 2y) loses x+y alone; the example of TropicalNN.jl's pruning of monomials."""
    _, report = check(
        Polynomial(FACT, np.zeros(6), semiring)
    )  # all in one plane, so that the sign is no matter
    assert report.kept == (0, 1, 2, 4, 5)
    assert report.removed[3].reason == "tied"


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(0, 3))
@example(2, 2)
def test_hull_and_programs_agree(seed, d):
    """The two ways share no code; they keep the same monomials for the same reasons."""
    p, _ = random_polynomial(seed, d)
    _, by_hull = check(p)
    known = pruning._Known(p)
    pruning._by_programs(known, None, True)
    want = {p.slopes[j].tobytes() for j in by_hull.kept}
    assert {p.slopes[j].tobytes() for j in known.kept} == want
    assert len(known.kept) == len(by_hull.kept)
    for j, removal in known.removed.items():
        if j in by_hull.removed:
            assert by_hull.removed[j].reason == removal.reason


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans())
def test_the_function_stays(seed, d, boxed):
    """At random points p and its pruning agree; without one monomial more they differ at its witness."""
    p, rng = random_polynomial(seed, d)
    domain = (-1, Fraction(3, 2)) if boxed else None
    q, report = check(p, domain)
    points = np.array([[Fraction(int(v), 8) for v in row] for row in rng.integers(-8, 13, size=(20, d))])
    assert (q.to_exact()(points) == p.to_exact()(points)).all()
    for j in report.kept:
        rest = [i for i in range(len(q)) if report.kept[i] != j]
        less = Polynomial(q.slopes[rest], q.coefficients[rest], q.semiring).to_exact()
        x = report.witnesses[j]
        assert less(x) != q.to_exact()(x)


@settings(max_examples=6)
@given(st.integers(0, 10**6))
def test_many_variables(seed):
    """Five variables: few points by the hull, and the same by linear programs."""
    p, _ = random_polynomial(seed, 5, 14)
    _, report = check(p)
    known = pruning._Known(p)
    pruning._by_programs(known, None, False)
    assert {p.slopes[j].tobytes() for j in known.kept} == {p.slopes[j].tobytes() for j in report.kept}


def test_reasons():
    """max(0, x, 2x, 3x−9) and others: x ties with 0 and 2x at x = 0 alone."""
    p = Polynomial([[0], [1], [2], [3], [1], [2], [2], [5]], [0, 0, 0, -9, -1, 0, -1, -math.inf])
    _, report = check(p)
    assert report.kept == (0, 2, 3)
    reasons = {j: r.reason for j, r in report.removed.items()}
    assert reasons == {1: "tied", 4: "dominated", 5: "duplicate", 6: "duplicate", 7: "zero"}
    assert report.removed[1].combination.weights == {0: Fraction(1, 2), 2: Fraction(1, 2)}
    _, report = check(p, (1, 5))
    assert report.kept == (2,)
    assert report.removed[0].reason == "dominated"
    assert report.removed[3].combination.multipliers  # 3x − 9 stays below 2x because x ≤ 5 < 9
    _, report = check(p, (0, 9))
    assert report.removed[3].reason == "tied"  # at x = 9


def test_domains():
    p = Polynomial(FACT, np.zeros(6))
    q, _ = check(p, (1, 2))
    assert q.slopes.tolist() == [[2, 2]]
    q, _ = check(p, ([-math.inf, 1], [math.inf, 2]))
    assert q.slopes.tolist() == [[2, 2], [0, 2]]
    half_plane = (np.array([[1.0, 1.0]]), np.array([0.0]))  # x + y ≤ 0
    q, report = check(p, half_plane)
    assert report.kept == (0, 1, 4, 5)
    assert report.removed[2].reason == "tied"  # at the origin
    line = (np.array([[1, -1], [-1, 1]]), np.array([0, 0]))  # x = y: one of each set that agrees there
    q, _ = check(p, line)
    assert sorted(q.slopes.sum(axis=1).tolist()) == [1, 4]
    corner = (np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]), np.array([0, 0, 0, 0]))
    assert len(check(p, corner)[0]) == 1
    flat = Polynomial([[0, 0], [1, 1], [2, 2]], [0, 5, 0])  # a Newton polytope of dimension 1
    assert len(check(flat, (0, 1))[0]) == 1
    assert len(check(flat)[0]) == 3


def test_rounding_decides_nothing():
    """The middle monomial is above, on and below the others' mean by 2^−60."""
    for step, kept, reason in ((1, 3, None), (0, 2, "tied"), (-1, 2, "dominated")):
        b = np.array([Fraction(0), Fraction(1, 3) + Fraction(step, 2**60), Fraction(2, 3)], dtype=object)
        for W in ([[0], [1], [2]], np.pad([[0], [1], [2]], ((0, 0), (0, 7)))):
            W = np.array([[Fraction(int(v)) for v in row] for row in np.asarray(W)], dtype=object)
            q, report = check(Polynomial(W, b))
            assert len(q) == kept
            assert report.removed.get(1) is None or report.removed[1].reason == reason
        assert len(check(Polynomial(W[:, :1], b), (-1, 1))[0]) == kept


@pytest.mark.parametrize("power", [-400, -310, 160, 400])
def test_scales_beyond_the_floats(power):
    """Slopes and coefficients times one number keep the regions, also where floats underflow or overflow."""
    rng = np.random.default_rng(7)
    W = np.array([[Fraction(int(v)) for v in row] for row in rng.integers(0, 5, size=(12, 2))], dtype=object)
    b = np.array([Fraction(int(v)) for v in rng.integers(-3, 4, size=12)], dtype=object)
    want = [check(Polynomial(W, b), domain)[1].kept for domain in (None, (-1, 1))]
    scale = Fraction(10) ** power
    p = Polynomial(W * scale, b * scale)
    assert [check(p, domain)[1].kept for domain in (None, (-1, 1))] == want
    assert [len(c) for c in p.subdivision().cells] == [len(c) for c in Polynomial(W, b).subdivision().cells]


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_exact_mode_equals_float_mode(seed):
    p, _ = random_polynomial(seed, 2)
    _, floats = check(p)
    _, exact = check(p.to_exact())
    assert floats.kept == exact.kept
    assert floats.removed == exact.removed


def test_few_monomials():
    assert len(Polynomial(np.zeros((0, 2)), []).prune()) == 0
    _, report = check(Polynomial([[1, 2], [3, 4]], [-math.inf, -math.inf]))
    assert (report.kept, report.removed[0].reason) == ((), "zero")
    _, report = check(Polynomial([[1, 2]] * 3, [1, 3, 3]))
    assert report.kept == (1,)
    assert {r.reason for r in report.removed.values()} == {"duplicate"}
    assert len(check(Polynomial(np.zeros((3, 0)), [1, 3, 2]))[0]) == 1


def test_many_monomials():
    """16,384 terms of a product with 28 essential ones: sums of 14 segments max(0, w·x + b)."""
    rng = np.random.default_rng(0)
    p = Polynomial([[0.0, 0.0]], [0.0])
    for w, b in zip(rng.integers(-8, 9, size=(14, 2)), rng.integers(-8, 9, size=14), strict=True):
        p = p * Polynomial([[0, 0], w], [0, b])
    q = p.prune()
    points = rng.normal(size=(200, 2)) * 3
    assert len(p) == 2**14
    assert len(q) <= 1 + 14 + 14 * 13 // 2  # regions of an arrangement of lines
    assert np.array_equal(q(points), p(points))


def test_bad_input():
    p = Polynomial(FACT, np.zeros(6))
    with pytest.raises(InputError, match=r"eps = 0, got 0.5.*merge\(\).*truncate\(tol\)"):
        p.deform(0.5).prune()
    with pytest.raises(InputError, match=r"coefficients\[0\] is inf"):
        Polynomial([[1.0]], [math.inf]).prune()
    with pytest.raises(InputError, match="low <= high"):
        p.prune((1, 0))
    with pytest.raises(InputError, match="empty"):
        p.prune((np.array([[1.0, 0], [-1, 0]]), np.array([0.0, -1])))
    with pytest.raises(InputError, match="NaN"):
        p.prune((math.nan, 0))
    with pytest.raises(InputError, match=r"h\[0\] is inf"):
        p.prune((np.array([[1.0, 0]]), np.array([math.inf])))
    with pytest.raises(ShapeError, match=r"low has shape \(3,\)"):
        p.prune(([0, 0, 0], 1))
    with pytest.raises(ShapeError, match=r"G has shape \(1, 3\)"):
        p.prune((np.ones((1, 3)), np.ones(1)))
    with pytest.raises(ShapeError, match="no pair"):
        p.prune(1.0)

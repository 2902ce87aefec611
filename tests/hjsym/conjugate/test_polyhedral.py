"""Conjugates of maxima of affine functions, against linear programs, brute force in Fractions, and each other."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hjsym.conjugate import Improper, MaxAffine, PolyhedralConjugate, as_function, conjugate
from tropical import MIN_PLUS, BudgetExceeded, Polynomial, ShapeError, variables

FEW = settings(max_examples=25)
DYADIC = st.integers(-12, 12).map(lambda k: k / 4)


@st.composite
def polynomials(draw, d=None, max_terms=7):
    d = draw(st.integers(1, 3)) if d is None else d
    rows = draw(st.lists(st.tuples(*[DYADIC] * (d + 1)), min_size=1, max_size=max_terms))
    rows = np.array(rows)
    return Polynomial(rows[:, :-1], rows[:, -1])


def points_for(p, y):
    return y[..., 0] if p.variables == 1 else y


def by_program(p: Polynomial, y: np.ndarray) -> float:
    """min −b·λ, straight from HiGHS."""
    A = np.vstack([p.slopes.T, np.ones(len(p))])
    found = linprog(-p.coefficients, A_eq=A, b_eq=np.append(y, 1.0))
    return found.fun if found.status == 0 else np.inf


def by_bases(p: Polynomial, y) -> Fraction | float:
    """The least −b·λ over all affinely independent subsets, in Fractions."""
    W = [[Fraction(v) for v in row] for row in p.slopes.tolist()]
    b = [Fraction(v) for v in p.coefficients.tolist()]
    best = np.inf
    for size in range(1, p.variables + 2):
        for rows in itertools.combinations(range(len(b)), size):
            weights = solve([[*W[j], Fraction(1)] for j in rows], [*map(Fraction, y), Fraction(1)])
            if weights is not None and min(weights) >= 0:
                best = min(best, -sum(w * b[j] for w, j in zip(weights, rows, strict=True)))
    return best


def solve(columns, right):
    """Gauss–Jordan for Σ x_j columns_j = right, columns independent; None if there is no solution."""
    rows = [[*(c[i] for c in columns), r] for i, r in enumerate(right)]
    for k in range(len(columns)):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i, row in enumerate(rows):
            if i != k:
                rows[i] = [v - row[k] * w for v, w in zip(row, rows[k], strict=True)]
    if any(row[-1] for row in rows[len(columns) :]):
        return None
    return [row[-1] for row in rows[: len(columns)]]


# ---- laws ----------------------------------------------------------------------------------------------


@FEW
@given(polynomials(max_terms=5), st.data())
def test_values_are_the_least_over_all_bases(p, data):
    y = np.array([data.draw(DYADIC) for _ in range(p.variables)])
    if data.draw(st.booleans()):  # most random points are outside
        weights = np.array([data.draw(st.integers(0, 3)) for _ in range(len(p))])
        y = p.slopes.T @ weights / max(weights.sum(), 1) if weights.sum() in (1, 2, 4) else p.slopes[0]
    expected = by_bases(p, y)
    f = conjugate(p.to_exact())
    value = f(points_for(p, np.array([Fraction(v) for v in y.tolist()], dtype=object)))
    assert value == expected
    if expected < np.inf:
        assert isinstance(value, Fraction)
    rounded = conjugate(p)(points_for(p, y))
    assert (rounded == np.inf) == (expected == np.inf)
    if expected < np.inf:
        assert abs(rounded - float(expected)) <= 1e-12


@FEW
@given(polynomials(), st.data())
def test_fenchel_young(p, data):
    x = np.array([[data.draw(DYADIC) for _ in range(p.variables)] for _ in range(3)])
    f, g = as_function(p), conjugate(p)
    y = points_for(p, np.array([[data.draw(DYADIC) for _ in range(p.variables)] for _ in range(3)]))
    inner = (x * y.reshape(x.shape)).sum(axis=1)
    assert (f(points_for(p, x)) + g(y) >= inner - 1e-12).all()
    at = f.argmax(points_for(p, x))
    assert np.abs(f(points_for(p, x)) + g(at) - (x * at.reshape(x.shape)).sum(axis=1)).max() <= 1e-12
    inside = g(y) < np.inf
    assert (np.abs(g.gap(y)[inside]) <= 1e-12).all()
    assert np.isnan(g.gap(y)[~inside]).all()


@FEW
@given(polynomials())
@example(Polynomial([[0.0], [0.0]], [0.0, 1.0]))
def test_the_conjugate_of_the_conjugate_is_the_pruned_polynomial(p):
    again = conjugate(p).conjugate()
    assert isinstance(again, MaxAffine)
    assert again.polynomial.equals(p)
    assert again.polynomial.same_terms(p.prune())


@FEW
@given(polynomials(d=2), polynomials(d=2), st.data())
def test_order_is_reversed_and_the_smaller_of_two_has_the_larger_conjugate(p, q, data):
    larger = p + q  # ⊕: the maximum
    y = np.array([[data.draw(DYADIC) for _ in range(2)] for _ in range(4)])
    assert (conjugate(larger)(y) <= np.minimum(conjugate(p)(y), conjugate(q)(y)) + 1e-12).all()


@FEW
@given(polynomials(d=2, max_terms=4), polynomials(d=2, max_terms=4), st.data())
def test_a_sum_has_the_infimal_convolution_for_its_conjugate(p, q, data):
    from hjsym.conjugate import infimal_convolution

    y = np.array([[data.draw(DYADIC) for _ in range(2)] for _ in range(3)])
    f, g = conjugate(p), conjugate(q)
    h = infimal_convolution(f, g)
    expected = [by_program(p * q, point) for point in y]
    np.testing.assert_allclose(h(y), expected, atol=1e-9)
    assert (h(y) <= f(p.slopes[0]) + g(y - p.slopes[0]) + 1e-12).all()


@FEW
@given(polynomials(), st.data())
def test_weights_are_few_and_have_y_as_their_mean(p, data):
    weights = np.array([data.draw(st.integers(0, 3)) for _ in range(len(p))])
    weights = weights / weights.sum() if weights.sum() else np.eye(len(p))[0]
    exact = sum(
        (Fraction(w) * v for w, v in zip(weights.tolist(), p.to_exact().slopes, strict=True)), Fraction(0)
    )
    total = sum(map(Fraction, weights.tolist()))
    y = points_for(p, (exact / total)[None])
    g = conjugate(p)
    found = g.weights(y)[0]
    assert sum(found) == 1 and min(found) >= 0 and (found > 0).sum() <= p.variables + 1
    assert (found @ p.to_exact().slopes == exact / total).all()
    assert -(found @ p.to_exact().coefficients) == g(y)[0]


# ---- both ways to the values ---------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "d"), [(60, 1), (40, 2), (25, 3), (12, 4)])
def test_programs_and_the_whole_conjugate_agree(n, d, monkeypatch):
    rng = np.random.default_rng(d)
    W = rng.normal(size=(n, d))
    p = Polynomial(W, -(W**2).sum(axis=1) + rng.normal(size=n) / 4)
    y = points_for(p, rng.normal(size=(8, d)) * 0.7)
    whole, single = PolyhedralConjugate(p), PolyhedralConjugate(p)
    monkeypatch.setattr("hjsym.conjugate.polyhedral.facet_bound", lambda *_: 10**30)
    assert not single.is_whole
    monkeypatch.undo()
    assert whole.is_whole and (whole.method, single.method) == ("polyhedral", "lp")
    expected = np.array([by_program(p, point) for point in y.reshape(8, d)])
    np.testing.assert_allclose(whole(y), expected, atol=1e-9)
    np.testing.assert_allclose(single(y), whole(y), rtol=1e-13, atol=1e-13)
    inside = expected < np.inf
    for f in (whole, single):
        assert (np.abs(f.gap(y))[inside] <= 1e-12).all()
        weights = f.weights(y)[inside]
        assert ((weights > 0).sum(axis=1) <= d + 1).all() and (weights >= 0).all()
        np.testing.assert_allclose(weights @ W, y.reshape(8, d)[inside], atol=1e-12)
        np.testing.assert_allclose(-weights @ p.coefficients, whole(y)[inside], atol=1e-12)


def test_programs_in_many_variables_are_proved():
    rng = np.random.default_rng(3)
    p = Polynomial(rng.normal(size=(150, 8)), rng.normal(size=150))
    f = conjugate(p)
    assert f.method == "lp" and f.exact
    y = np.vstack([rng.normal(size=(3, 8)) / 6, 4 * np.ones(8), p.slopes[7], (p.slopes[0] + p.slopes[1]) / 2])
    values = f(y)
    assert values[3] == np.inf
    expected = [by_program(p, point) for point in y[:3]]
    np.testing.assert_allclose(values[:3], expected, rtol=1e-9)
    assert np.nanmax(f.gap(y)) <= 1e-12
    exact = f(np.array([[Fraction(v) for v in y[0].tolist()]], dtype=object))[0]
    assert isinstance(exact, Fraction) and abs(float(exact) - values[0]) <= 1e-12
    with pytest.raises(BudgetExceeded, match="call it at points"):
        _ = f.envelope


# ---- where it is infinite ------------------------------------------------------------------------------


def test_the_boundary_is_decided_to_the_last_bit():
    x, y = variables(2)
    f = conjugate(x + y + 0)
    edge = [[0.5, 0.5], [0.5, np.nextafter(0.5, 1)], [0.0, 0.0], [0.0, -5e-324], [1.0, 0.0]]
    assert (f(edge) < np.inf).tolist() == [True, False, True, False, True]
    g = conjugate(Polynomial([-1.0, 1.0], [0.0, 0.0]))  # |x|
    assert (g([-1.0, 1.0, 1 + 2.0**-52]) < np.inf).tolist() == [True, True, False]


def test_a_solver_that_calls_the_outside_optimal_is_not_believed():
    """HiGHS accepts points 1e-9 outside of the hull."""
    rng = np.random.default_rng(0)
    W = np.vstack([np.eye(8), -np.eye(8), rng.normal(size=(60, 8)) / 8])
    f = conjugate(Polynomial(W, rng.normal(size=len(W))))
    assert f.method == "lp"
    out = np.zeros(8)
    out[0] = 1 + 1e-9
    assert by_program(f.polynomial, out) < np.inf
    assert f(out) == np.inf and f(np.eye(8)[0]) < np.inf


def test_flat_hulls_allow_for_rounding_and_fractions_do_not():
    f = conjugate(Polynomial(np.eye(4), np.zeros(4)))
    assert f([0.1, 0.2, 0.3, 0.4]) == 0
    assert f([0.1, 0.2, 0.3, 0.4 + 1e-12]) == np.inf
    z = np.random.default_rng(0).normal(size=(200, 4)) * 30
    y = np.exp(z - z.max(axis=1, keepdims=True))
    assert (f(y / y.sum(axis=1, keepdims=True)) == 0).all()
    third = Fraction(1, 3)
    exact = np.array([[third, third, third, 0], [third, third, third, Fraction(1, 10**30)]], dtype=object)
    assert f(exact).tolist() == [0, np.inf]


# ---- degenerate input ----------------------------------------------------------------------------------


def test_single_terms_duplicates_and_zeros():
    f = conjugate(Polynomial([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], [3.0, 4.0, -np.inf]))
    assert f([[1.0, 2.0], [1.0, 2.5]]).tolist() == [-4.0, np.inf]
    assert f.argmax([1.0, 2.0]).tolist() == [0.0, 0.0]
    assert f.weights([1.0, 2.0]).tolist() == [0.0, 1.0]


def test_improper_functions_are_constants():
    none = conjugate(Polynomial(np.zeros((0, 2)), np.zeros(0)))
    assert isinstance(none, Improper) and none([1.0, 2.0]) == np.inf
    top = conjugate(Polynomial([[1.0]], [np.inf]))
    assert top(3.0) == -np.inf and top.conjugate()(3.0) == np.inf


def test_a_minimum_has_no_affine_minorant():
    from hjsym.errors import HullWarning, NotConvexError

    p = Polynomial([-1.0, 1.0], [0.0, 0.0], MIN_PLUS)  # −|x|
    with pytest.warns(HullWarning):
        f = conjugate(p)
    assert f.of_hull and f(0.3) == np.inf and f.conjugate()(0.3) == -np.inf
    with pytest.raises(NotConvexError) as caught:
        conjugate(p, strict=True)
    a, m, b = caught.value.witness
    assert p(m) > (p(a) + p(b)) / 2
    affine = Polynomial([[2.0], [2.0]], [1.0, 5.0], MIN_PLUS)  # 2x + 1
    assert conjugate(affine)([2.0, 2.5]).tolist() == [-1.0, np.inf]


def test_points_with_nan_or_infinity():
    f = conjugate(Polynomial([-1.0, 1.0], [0.0, 0.0]))
    assert np.isnan(f(np.nan)) and f(np.inf) == np.inf and f(-np.inf) == np.inf
    g = conjugate(Polynomial(np.eye(2), np.zeros(2)))
    values = g([[np.nan, 0.0], [np.inf, -np.inf], [0.5, 0.5]])
    assert np.isnan(values[0]) and values[1:].tolist() == [np.inf, 0.0]
    with pytest.raises(ShapeError, match=r"pass points of shape \(..., 2\)"):
        g([1.0, 2.0, 3.0])


def test_values_broadcast():
    f = conjugate(Polynomial(np.eye(2), np.zeros(2)))
    y = np.random.default_rng(0).normal(size=(2, 3, 4, 2))
    assert f(y).shape == (2, 3, 4) and f.argmax(y).shape == y.shape and f.weights(y).shape == (2, 3, 4, 2)
    g = conjugate(Polynomial([-1.0, 1.0], [0.0, 0.0]))
    assert g(np.zeros((2, 3))).shape == (2, 3) and g.argmax(np.zeros((2, 3))).shape == (2, 3)
    assert g(np.zeros((0,))).shape == (0,)

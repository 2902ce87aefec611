"""Conjugates of log-sum-exp, against closed forms, 30-digit arithmetic, and the problem on each face by itself."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.conjugate import EntropyOnHull, as_function, conjugate
from hjsym.conjugate.hull import Hull
from hjsym.hopf import LSELayer
from tropical import Polynomial, Semiring

FEW = settings(max_examples=30)
DYADIC = st.integers(-12, 12).map(lambda k: k / 4)
TEMPERATURES = st.sampled_from([2.0, 1.0, 0.25, 0.01, 1e-5])


@st.composite
def layers(draw, max_terms=6):
    d = draw(st.integers(1, 3))
    rows = np.array(draw(st.lists(st.tuples(*[DYADIC] * (d + 1)), min_size=1, max_size=max_terms)))
    return Polynomial(rows[:, :-1], rows[:, -1], Semiring(eps=draw(TEMPERATURES)))


def points_for(p, y):
    return y[..., 0] if p.variables == 1 else y


def xlogx(v):
    return v * np.log(np.where(v > 0, v, 1.0))


# ---- golden numbers and closed forms -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eps", "y", "value"),
    [
        (1.0, 0.25, -0.4153815403079),
        (0.3, 0.6, 1.0185460753213),
        (0.3, 0.75, 1.5625),
        (1.0, 0.75, 1.5625),
        (0.05, -0.75, 1.5625),
    ],
)
def test_golden_values_of_four_atoms(eps, y, value):
    """Atoms −1.5 … 1.5 with data 1, .3, .3, 1 at t = 1; digits from 30-digit arithmetic."""
    layer = LSELayer.from_initial_data([-1.5, -0.5, 0.5, 1.5], [1, 0.3, 0.3, 1], eps)
    f = conjugate(layer)
    assert isinstance(f, EntropyOnHull)
    assert f(y) == pytest.approx(value, abs=5e-14)
    assert 0 <= f.gap(y) <= 1e-14
    assert f(np.nextafter(0.75, 1)) == np.inf


@given(st.floats(0, 1), TEMPERATURES)
@FEW
def test_softplus(y, eps):
    f = conjugate(Polynomial([0.0, 1.0], [0.0, 0.0], Semiring(eps=eps)))
    expected = eps * (xlogx(np.array(y)) + xlogx(np.array(1 - y)))
    assert abs(f(y) - expected) <= 4e-16 * max(1, eps)
    if 1e-300 < y < 1:  # below, weights are subnormal numbers
        assert f.argmax(y) == pytest.approx(eps * (math.log(y) - math.log1p(-y)), rel=1e-9, abs=1e-12)
    elif y in (0, 1):
        assert np.isnan(f.argmax(y))


def test_the_entropy_of_the_simplex_with_its_faces():
    f = conjugate(Polynomial(np.eye(4), np.zeros(4), Semiring(eps=1.0)))
    rng = np.random.default_rng(0)
    y = rng.dirichlet(np.ones(4), size=200)
    y[50:100, 1] = 0
    y[80:100, 2] = 0
    y = y / y.sum(axis=1, keepdims=True)
    y = np.vstack([y, np.eye(4), [[0.5, 0.6, -0.1, 0.0]], [[0.5, 0.25, 0.25, 1e-12]]])
    values = f(y)
    np.testing.assert_allclose(values[:-2], xlogx(y[:-2]).sum(axis=1), rtol=0, atol=3e-15)
    assert (values[-2:] == np.inf).all()
    assert np.nanmax(f.gap(y)) <= 1e-14
    np.testing.assert_allclose(f.weights(y[:200]), y[:200], atol=1e-12)


def test_independent_bits_add_up():
    """LSE over the corners of a cube is a sum of softplus."""
    corners = np.array(list(np.ndindex(2, 2, 2)), float)
    tilt = np.array([0.5, -1.0, 2.0])
    f = conjugate(Polynomial(corners, corners @ tilt, Semiring(eps=0.5)))
    y = np.array([[0.2, 0.5, 0.9], [0.0, 0.5, 0.9], [0.0, 1.0, 0.25], [1.0, 1.0, 1.0], [1e-12, 0.5, 1e-200]])
    expected = 0.5 * (xlogx(y) + xlogx(1 - y)).sum(axis=1) - y @ tilt
    np.testing.assert_allclose(f(y), expected, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(f.argmax(y[0]), 0.5 * np.log(y[0] / (1 - y[0])) - tilt, rtol=1e-13)
    assert np.isnan(f.argmax(y[1:4])).all()
    np.testing.assert_allclose(f.argmax(y[4])[[0, 2]], 0.5 * np.log(y[4, [0, 2]]) - tilt[[0, 2]], rtol=1e-9)
    assert np.nanmax(f.gap(y)) <= 1e-14


@pytest.mark.parametrize("eps", [1.0, 0.1, 1e-3])
def test_thirty_digits(eps):
    rng = np.random.default_rng(5)
    W, b = rng.normal(size=(7, 2)), rng.normal(size=7)
    y = rng.dirichlet(np.ones(7)) @ W
    f = conjugate(Polynomial(W, b, Semiring(eps=eps)))
    with mpmath.workdps(40):
        E, rows, c = mpmath.mpf(eps), [[mpmath.mpf(v) for v in row] for row in W], [mpmath.mpf(v) for v in b]
        start = f.argmax(y)

        def residual(u, v):
            z = [(r[0] * u + r[1] * v + k) / E for r, k in zip(rows, c, strict=True)]
            e = [mpmath.exp(t - max(z)) for t in z]
            return [
                mpmath.fsum(w * (r[k] - mpmath.mpf(y[k])) for w, r in zip(e, rows, strict=True))
                for k in (0, 1)
            ]

        x = mpmath.findroot(residual, [mpmath.mpf(v) for v in start], tol=1e-50)
        z = [(r[0] * x[0] + r[1] * x[1] + k) / E for r, k in zip(rows, c, strict=True)]
        top = max(z)
        value = (
            x[0] * y[0] + x[1] * y[1] - E * (top + mpmath.log(mpmath.fsum(mpmath.exp(t - top) for t in z)))
        )
    assert float(abs(f(y) - value)) <= 1e-15 * max(1, float(abs(value)))
    np.testing.assert_allclose(start, [float(v) for v in x], rtol=1e-12)


def test_close_to_the_boundary_of_a_hull_in_space():
    """Steps that share products among points lose their way to one of these; it is solved by itself."""
    rng = np.random.default_rng(0)
    p = Polynomial(rng.normal(size=(100, 3)), rng.normal(size=100), Semiring(eps=0.1))
    y = p.gradient(20 * rng.normal(size=(400, 3)))
    y += (p.slopes.mean(axis=0) - y) * 2.0**-40
    f = conjugate(p)
    assert (f.gap(y) <= 1e-14).all()
    assert (np.abs(p.gradient(f.argmax(y)) - y) <= 1e-14).all()


@pytest.mark.parametrize("inwards", [1e-3, 1e-8, 1e-12, 3e-13, 1e-13])
def test_close_to_the_corners_of_a_flat_simplex(inwards):
    """Nine points in R^20, whose weights are unique; within rounding y is on some facets and off others."""
    rng = np.random.default_rng(0)
    W, b, eps = rng.normal(size=(9, 20)), rng.normal(size=9), 0.3
    weights = (1 - inwards) * np.eye(9) + inwards / 9
    y = W + inwards * (W.mean(axis=0) - W)
    f = conjugate(LSELayer(W, b, eps).polynomial)
    entropy = eps * (weights * np.log(weights)).sum(axis=1) - weights @ b
    np.testing.assert_allclose(f(y), entropy, rtol=0, atol=1e-9)
    assert (f.gap(y) < 1e-9).all()


def test_a_hull_as_thin_as_rounding():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(6, 2)) @ [[1.0, 0.3, 0.7], [0.2, 1.1, -0.4]]  # a plane, but for rounding
    f = conjugate(Polynomial(W, np.zeros(6), Semiring(eps=0.3)))
    assert f.domain.dim == 3
    values = f(np.vstack([W, W.mean(axis=0), rng.dirichlet(np.ones(6), size=20) @ W]))
    assert ((values >= -0.3 * math.log(6) - 1e-14) & ((values <= 1e-14) | (values == np.inf))).all()


# ---- laws ----------------------------------------------------------------------------------------------


@FEW
@given(layers(), st.data())
def test_bounds_by_the_limit_and_certificates(p, data):
    weights = np.array([data.draw(st.integers(0, 3)) for _ in range(len(p))], float)
    weights = weights / weights.sum() if weights.sum() else np.eye(len(p))[0]
    y = points_for(p, np.vstack([weights @ p.slopes, p.slopes[0], p.slopes[0] + 100]))
    soft, hard = conjugate(p), conjugate(p.deform(0))
    a, b = soft(y), hard(y)
    assert ((a == np.inf) == (b == np.inf)).all() and a[-1] == np.inf and a[1] < np.inf
    inside = a < np.inf
    rounding = 1e-13 * (1 + np.abs(b[inside]))
    assert (a[inside] <= b[inside] + rounding).all()
    assert (a[inside] >= b[inside] - p.deformation_bound() - rounding).all()
    gap = soft.gap(y)
    assert (gap[inside] <= 1e-12).all() and (gap[inside] >= 0).all() and np.isnan(gap[~inside]).all()
    found = soft.weights(y)[inside]
    np.testing.assert_allclose(found @ p.slopes, y.reshape(3, -1)[inside], atol=1e-11)
    primal = p.semiring.eps * xlogx(found).sum(axis=1) - found @ p.coefficients
    np.testing.assert_allclose(primal, a[inside], atol=1e-12)


@FEW
@given(layers(), st.data())
def test_fenchel_young_with_equality_at_the_gradient(p, data):
    f, g = as_function(p), conjugate(p)
    x = points_for(p, np.array([[data.draw(DYADIC) for _ in range(p.variables)] for _ in range(2)]))
    other = points_for(p, p.slopes[:1])
    inner = (x.reshape(2, -1) * other.reshape(1, -1)).sum(axis=1)
    assert (f(x) + g(other) >= inner - 1e-12).all()
    gap = f.gap(x)
    assert (gap[gap < np.inf] <= 1e-12).all()  # y may be rounded off the hull, where some weight underflows
    assert (gap[gap < np.inf] >= -1e-12).all()


@FEW
@given(layers())
def test_at_extreme_slopes_it_is_minus_the_log_sum_of_those_equal_to_it(p):
    hull = Hull(p.slopes)
    for row in hull.polytope.vertices:
        equal = (p.slopes == row).all(axis=1)
        merged = Polynomial(p.slopes[equal] * 0, p.coefficients[equal], p.semiring)
        y = row[0] if p.variables == 1 else row
        assert conjugate(p)(y) == pytest.approx(-merged(row * 0), rel=1e-15, abs=1e-15)


def test_on_a_face_it_is_the_conjugate_of_the_face():
    rng = np.random.default_rng(1)
    W = np.vstack([[[0, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4]], rng.integers(0, 2, size=(9, 3))]).astype(
        float
    )
    W = W[W.sum(axis=1) <= 4]
    b = rng.normal(size=len(W))
    p = Polynomial(W, b, Semiring(eps=0.7))
    y = np.array([[0.5, 1.0, 0.0], [0.0, 0.0, 2.5], [2.0, 2.0, 0.0], [1.0, 1.0, 2.0]])
    faces = [
        W[:, 2] == 0,
        (W[:, :2] == 0).all(axis=1),
        (W[:, 2] == 0) & (W.sum(axis=1) == 4),
        W.sum(axis=1) == 4,
    ]
    for point, on in zip(y, faces, strict=True):
        alone = conjugate(Polynomial(W[on], b[on], Semiring(eps=0.7)))(point)
        assert conjugate(p)(point) == pytest.approx(alone, rel=1e-14)


def test_faces_without_facets_are_found_by_programs():
    """Twelve variables: the hull is never built; a cube's corners and some points inside."""
    rng = np.random.default_rng(2)
    cube = np.array([[b >> k & 1 for k in range(12)] for b in rng.choice(2**12, 300, replace=False)], float)
    b = rng.normal(size=300)
    p = Polynomial(cube, b, Semiring(eps=1.0))
    hull = Hull(cube)
    assert not hull.is_cheap
    on = cube[:, 3] == 1
    y = np.vstack([cube[on].mean(axis=0), cube[0], cube.mean(axis=0), np.full(12, 2.0)])
    assert [len(hull.face(point)) for point in y] == [on.sum(), 1, 300, 0]
    f = conjugate(p)
    alone = conjugate(Polynomial(cube[on], b[on], Semiring(eps=1.0)))
    np.testing.assert_allclose(f(y), [alone(y[0]), -b[0], f(y[2]), np.inf], rtol=1e-13)
    assert np.nanmax(f.gap(y)) <= 1e-12


def test_it_tends_to_the_polyhedral_conjugate():
    rng = np.random.default_rng(7)
    p = Polynomial(rng.normal(size=(30, 3)), rng.normal(size=30))
    y = rng.dirichlet(np.ones(30), size=5) @ p.slopes
    limit = conjugate(p)(y)
    for eps in (1e-2, 1e-5, 1e-9):
        f = conjugate(p.deform(eps))
        assert (np.abs(f(y) - limit) <= eps * math.log(30) * (1 + 1e-9) + 1e-14).all()
        assert np.nanmax(f.gap(y)) <= 1e-13


def test_the_conjugate_of_the_conjugate_is_the_layer():
    p = Polynomial([[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]], [0.0, 1.0, 2.0], Semiring(eps=0.5))
    again = conjugate(p).conjugate()
    assert again.polynomial.same_terms(p) and again.polynomial.semiring == p.semiring


def test_hostile_scales():
    """Slopes and coefficients of very different sizes."""
    W = np.array([[0.0, 0.0], [1e8, 0.0], [0.0, 1e-8], [1e8, 1e-8]])
    f = conjugate(Polynomial(W, np.zeros(4), Semiring(eps=1.0)))
    y = np.array([0.25e8, 0.75e-8])
    expected = 2 * (0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert f(y) == pytest.approx(expected, rel=1e-14) and f.gap(y) <= 1e-13
    g = conjugate(Polynomial([0.0, 1.0], [0.0, 1e6], Semiring(eps=1e-3)))
    assert g(0.5) == pytest.approx(-0.5e6 - 1e-3 * math.log(2), rel=1e-15)

"""Pairs in several variables and the rules of calculus, against closed forms and brute-force suprema."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.conjugate import (
    Ball,
    BoxIndicator,
    Gridded,
    Improper,
    LargestSum,
    LogDet,
    Power,
    Quadratic,
    Radial,
    SecondOrderCone,
    Separable,
    as_function,
    biconjugate,
    conjugate,
    deconvolution,
    half_squared_norm,
    indicator,
    infimal_convolution,
    norm,
    perspective,
    simplex,
    support,
)
from tropical import Box, InputError, Polyhedron, Polynomial, Polytope, Semiring, ShapeError, variables

RNG = np.random.default_rng(0)
WIDE = Quadratic([[2.0, 1.0], [1.0, 3.0]], [1.0, -1.0], 0.5)
x1, x2 = variables(2)
FUNCTIONS = {
    "max-affine": as_function(x1 + x2 + 0),
    "log-sum-exp": as_function(
        Polynomial([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [0.0, 1.0, 2.0], Semiring(eps=0.5))
    ),
    "quadratic": WIDE,
    "singular quadratic": Quadratic([[1, 1], [1, 1]]),
    "quadratic on a line": Quadratic(np.eye(2), E=[[1.0, 2.0]], e=[3.0]),
    "norm": norm(2),
    "norm 1": norm(2, 1),
    "norm ∞": norm(2, np.inf),
    "norm 3": norm(2, 3),
    "half squared norm 1.5": half_squared_norm(2, 1.5),
    "half squared norm 1": half_squared_norm(2, 1),
    "separable": Separable([Power(1), Power(4)]),
    "box": BoxIndicator([0, -1], [np.inf, 2]),
    "ball": indicator(Ball(2, 2.0, np.array([1.0, 0.0]))),
    "simplex": simplex(2),
    "polyhedron": indicator(Polyhedron([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])),
    "polytope": indicator(Polytope([[0, 0], [2, 0], [1, 3]])),
    "cone": SecondOrderCone(2),
    "largest": LargestSum(1, 2),
    "perspective": perspective(Power(2)),
    "scaled": (3 * norm(2)).shift([1.0, 2.0]).tilt([0.25, 0.5]).dilate(-2.0) + 1.5,
    "sum": norm(2) + half_squared_norm(2),
}


def points(count=12, d=2):
    return np.random.default_rng(1).normal(size=(count, d)) * 1.5


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fenchel_young(name):
    """f(x) + f*(y) ≥ ⟨x, y⟩ for all x, y, with equality at subgradients of either."""
    f = FUNCTIONS[name]
    g, x, y = f.conjugate(), points(), points()[::-1]
    a, b = f(x), g(y)
    assert not np.isnan(a).any() and not np.isnan(b).any()
    assert (a[:, None] + b >= x @ y.T - 1e-12).all()
    for h in (f, g):
        gap = h.gap(x)
        assert (h(x[gap == gap]) < np.inf).all()
        assert (np.abs(gap[gap == gap]) <= 2e-13 * (1 + np.abs(x).max() ** 4)).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_hull_of_a_closed_convex_function_is_itself(name):
    f, x = FUNCTIONS[name], points()
    np.testing.assert_allclose(biconjugate(f)(x), f(x), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(
        f.conjugate().conjugate().conjugate()(x), f.conjugate()(x), rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if n not in ("perspective", "cone")])
def test_the_conjugate_is_the_supremum_over_a_fine_grid(name):
    """From below, and nearly attained where the maximiser is in the grid."""
    f = FUNCTIONS[name]
    side = np.arange(-8, 8.001, 0.0625)
    X = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    if name == "simplex":
        X = np.column_stack([side[(side >= 0) & (side <= 1)], 1 - side[(side >= 0) & (side <= 1)]])
    if name == "quadratic on a line":
        X = np.column_stack([3 - 2 * side, side])
    values, g = f(X), f.conjugate()
    X, values = X[values < np.inf], values[values < np.inf]
    for y in points(6):
        below = (X @ y - values).max()
        assert below <= g(y) + 1e-12
        at = g.argmax(y)
        if g(y) < np.inf and np.isfinite(at).all() and np.abs(at).max() < 7.9:
            assert g(y) - below <= 0.3


# ---- pairs ---------------------------------------------------------------------------------------------


def test_the_maximum_of_the_entries_and_the_simplex():
    d, y = 3, np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.6], [1.2, -0.2, 0.0], [0.0, 0.0, 1.0]])
    for f in (LargestSum(1, d), as_function(Polynomial(np.eye(d), np.zeros(d)))):
        assert f.conjugate()(y).tolist() == [0, np.inf, np.inf, 0]
    assert simplex(d).conjugate()([3.0, 1.0, 2.0]) == 3


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_norms_and_their_squares(p):
    q = {1: np.inf, 1.5: 3, 2: 2, 3: 1.5, np.inf: 1}[p]
    y = points(20, 3)
    size = np.linalg.norm(y, q, axis=1)
    np.testing.assert_allclose(half_squared_norm(3, p).conjugate()(y), size**2 / 2, rtol=1e-13)
    unit = y / size[:, None]
    assert (norm(3, p).conjugate()(unit * (1 - 1e-15)) == 0).all()
    assert (norm(3, p).conjugate()(unit * (1 + 1e-12)) == np.inf).all()
    np.testing.assert_allclose(norm(3, p)(y), np.linalg.norm(y, p, axis=1), rtol=1e-14)


def test_quadratic_functions_on_the_range_of_a_singular_matrix():
    B = np.random.default_rng(2).normal(size=(4, 2))
    f = Quadratic(B @ B.T, [1.0, 2.0, 3.0, 4.0])
    y = points(5, 2) @ B.T + [1.0, 2.0, 3.0, 4.0]
    pinv = np.linalg.pinv(B @ B.T)
    moved = y - [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_allclose(f.conjugate()(y), (moved @ pinv * moved).sum(axis=1) / 2, rtol=1e-10)
    assert (f.conjugate()(y + 1e-8 * np.linalg.svd(B.T)[2][-1]) == np.inf).all()


def test_largest_sums():
    f = LargestSum(2, 4)
    assert f([1.0, 5.0, 3.0, 4.0]) == 9
    y = [[0.5, 0.5, 0.5, 0.5], [1.0, 1.0, 0.0, 0.0], [1.5, 0.5, 0.0, 0.0], [0.5, 0.5, 0.5, 0.25]]
    assert f.conjugate()(y).tolist() == [0, 0, np.inf, np.inf]


def test_log_det():
    f, n = LogDet(3), 3
    A = np.random.default_rng(3).normal(size=(5, n, n))
    Y = -(A @ A.transpose(0, 2, 1)) - 0.1 * np.eye(n)
    expected = -n - np.linalg.slogdet(-Y)[1]
    np.testing.assert_allclose(f.conjugate()(Y.reshape(5, 9)), expected, rtol=1e-12)
    assert f.conjugate()(np.eye(n).ravel()) == np.inf
    np.testing.assert_allclose(
        f.conjugate().argmax(Y.reshape(5, 9)), -np.linalg.inv(Y).reshape(5, 9), rtol=1e-6
    )


def test_the_perspective_of_half_the_squared_norm():
    f = perspective(half_squared_norm(2))
    x, t = points(), np.abs(points()[:, :1]) + 0.1
    np.testing.assert_allclose(f(np.hstack([x, t])), (x**2).sum(axis=1) / (2 * t[:, 0]), rtol=1e-14)
    at = np.hstack([x, -(x**2).sum(axis=1, keepdims=True) / 2])
    assert (f.conjugate()(at) == 0).all()
    assert (f.conjugate()(at + np.array([0, 0, 1e-9])) == np.inf).all()
    assert f([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).tolist() == [np.inf, np.inf, 0.0]


def test_the_recession_function_closes_a_perspective():
    p = Polynomial([[1.0, 0.0], [0.0, 1.0], [-1.0, -2.0]], [3.0, 4.0, 5.0], Semiring(eps=0.5))
    x = points()
    flat = perspective(as_function(p))(np.hstack([x, np.zeros((len(x), 1))]))
    np.testing.assert_allclose(flat, (x @ p.slopes.T).max(axis=1), rtol=1e-12)


def test_half_the_squared_distance():
    """½dist²_C ↔ ½‖y‖² + σ_C."""
    C, y = indicator(Box(-1, 2), 2), points()
    f = infimal_convolution(half_squared_norm(2), C)
    inside = np.clip(y, -1, 2)
    np.testing.assert_allclose(f(y), ((y - inside) ** 2).sum(axis=1) / 2, atol=1e-15)
    expected = (y**2).sum(axis=1) / 2 + np.maximum(2 * y, -y).sum(axis=1)
    np.testing.assert_allclose(f.conjugate()(y), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "C", [Polytope([[0, 0], [2, 0], [1, 3]]), Polyhedron([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])]
)
def test_supports_are_the_largest_products_with_the_vertices(C):
    vertices = C.vertices if isinstance(C, Polytope) else np.array([[0, 0], [1, 0], [0, 1]])
    y = points()
    np.testing.assert_allclose(support(C)(y), (y @ vertices.T).max(axis=1), rtol=1e-12, atol=1e-12)
    assert (indicator(C)(vertices) == 0).all()


def test_sets_without_bounds_or_points():
    quadrant = support(Polyhedron([[-1, 0], [0, -1]], [0, 0]))
    assert quadrant([[-1.0, -2.0], [1.0, -2.0], [0.0, 0.0]]).tolist() == [0, np.inf, 0]
    orthant = support(Box(0, np.inf), 2)
    assert orthant([[-1.0, -2.0], [1.0, -2.0], [0.0, 0.0]]).tolist() == [0, np.inf, 0]
    empty = Polyhedron([[1.0], [-1.0]], [0.0, -1.0])
    assert indicator(empty)(0.5) == np.inf and support(empty)(0.5) == -np.inf
    with pytest.raises(ShapeError, match="pass variables=d"):
        indicator(Box(-1, 1))
    with pytest.raises(InputError, match="no set known here"):
        indicator([1, 2])


# ---- rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_scaling_shifting_tilting(name):
    f, y, a, v = FUNCTIONS[name], points(), np.array([0.5, -1.0]), np.array([2.0, 0.25])
    g = f.conjugate()
    cases = [
        ((f + 3).conjugate()(y), g(y) - 3),
        (f.shift(a).conjugate()(y), g(y) + y @ a),
        (f.tilt(v).conjugate()(y), g(y - v)),
        ((2 * f).conjugate()(y), 2 * g(y / 2)),
        ((2 * f.dilate(0.5)).conjugate()(y), 2 * g(y)),
        (f.dilate(-4.0).conjugate()(y), g(y / -4)),
        ((2 * f.shift(a).tilt(v) + 1).conjugate()(y), 2 * (g(y / 2 - v) + (y / 2 - v) @ a) - 1),
    ]
    for ours, expected in cases:
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


def test_linear_maps():
    A = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    z = points()
    kernel = np.linalg.svd(A)[2][-1]
    for name in ("norm", "quadratic", "separable", "log-sum-exp", "max-affine"):
        f = FUNCTIONS[name]
        h = f.compose(A)
        x = points(12, 3)
        np.testing.assert_allclose(h(x), f(x @ A.T), rtol=1e-12)
        if name in ("norm", "quadratic", "separable"):
            np.testing.assert_allclose(h.conjugate()(z @ A), f.conjugate()(z), rtol=1e-9, atol=1e-12)
        assert (h.conjugate()(z @ A + 0.01 * kernel) == np.inf).all()
    with pytest.raises(InputError, match="dependent rows"):
        norm(2).compose([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    "pair", [("quadratic", "norm"), ("quadratic", "log-sum-exp"), ("norm", "log-sum-exp")]
)
def test_sums_of_smooth_functions(pair):
    """(f + g)* at y = ∇f(x) + ∇g(x) is ⟨x, y⟩ − f(x) − g(x)."""
    f, g = (FUNCTIONS[name] for name in pair)
    x = points(5)
    y = f.argmax(x) + g.argmax(x)
    h = (f + g).conjugate()
    np.testing.assert_allclose(h(y), (x * y).sum(axis=1) - f(x) - g(x), rtol=1e-8, atol=1e-8)


def test_infima_of_functions_have_maxima_of_conjugates():
    """(min f_i)* = max f_i*, of a function that is not convex."""
    x = np.linspace(-6, 6, 4801)
    f = np.minimum((x - 1) ** 2, (x + 1) ** 2 + 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = conjugate(Gridded(f, x))
    y = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(g(y), np.maximum(y**2 / 4 + y, y**2 / 4 - y - 0.5), atol=1e-6)


def test_the_infimum_is_minus_the_conjugate_at_zero():
    assert -WIDE.conjugate()([0.0, 0.0]) == pytest.approx(WIDE(np.linalg.solve(WIDE.Q, -WIDE.b)))
    p = Polynomial([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [0.0, 1.0, 2.0])
    assert -conjugate(p)([0.0, 0.0]) == pytest.approx(1.0)


def test_deconvolution_undoes_convolution():
    y = points()
    a, b = Quadratic(np.diag([1.0, 2.0])), Quadratic([[3.0, 1.0], [1.0, 2.0]], [1.0, 0.0])
    back = deconvolution(infimal_convolution(a, b), b)
    np.testing.assert_allclose(back(y), a(y), rtol=1e-10)
    square, triangle = (
        indicator(Polytope([[0, 0], [2, 0], [0, 2], [2, 2]])),
        indicator(Polytope([[0, 0], [1, 0], [0, 1]])),
    )
    f = deconvolution(infimal_convolution(square, triangle), triangle)
    inside = (np.abs(y - 1) <= 1).all(axis=1)
    assert ((f(y) == 0) == inside).all()
    with pytest.raises(InputError, match="no closed form"):
        deconvolution(norm(2), norm(2, 1))


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_radial_functions_of_random_profiles(seed):
    rng = np.random.default_rng(seed)
    p = Power(float(rng.uniform(1.1, 4)))
    f = Radial(float(rng.uniform(0.5, 2)) * p, 3, float(rng.choice([1, 1.5, 2, 3, np.inf])), even=True)
    x = rng.normal(size=(4, 3))
    assert (np.abs(f.gap(x)) <= 1e-12 * (1 + f(x))).all()
    assert (np.abs(f.conjugate().gap(x)) <= 1e-12 * (1 + f.conjugate()(x))).all()


def test_functions_that_do_not_fit():
    with pytest.raises(ShapeError, match="give two or more of the same"):
        norm(2) + norm(3)
    with pytest.raises(InputError, match="pass a finite number > 0"):
        0 * norm(2)
    with pytest.raises(InputError, match="not known to be even"):
        Radial(Power(1).shift(1.0), 2)
    with pytest.raises(InputError, match="convex for p >= 1"):
        Power(0.5)


def test_indefinite_forms_have_no_conjugate():
    from fractions import Fraction

    for Q in ([[1.0, 2.0], [2.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]):
        for matrix in (np.array(Q), np.array([[Fraction(v) for v in row] for row in Q], dtype=object)):
            f = Quadratic(matrix)
            a, m, b = f.convexity().witness
            assert f(m) > (f(a) + f(b)) / 2
            assert isinstance(f.conjugate(), Improper) and f.conjugate().of_hull
    assert Quadratic([[1.0, 0.0], [0.0, 0.0]]).convexity().convex
    assert math.isinf(Quadratic([[1.0, 0.0], [0.0, -1.0]], E=[[0.0, 1.0]]).conjugate()([0.0, 0.0])) is False


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_value_is_nan_but_at_nan(name):
    special = [0.0, -0.0, 1.0, 5e-324, -1e-320, 1e150, -1e308, 1e308, np.inf, -np.inf, np.nan]
    y = np.vstack([np.repeat(special, 2).reshape(-1, 2), np.random.default_rng(0).choice(special, (20, 2))])
    for f in (FUNCTIONS[name], FUNCTIONS[name].conjugate()):
        values, nan = f(y), np.isnan(y).any(axis=1)
        assert (np.isnan(values) == nan).all()
        assert (values[np.isinf(y).any(axis=1) & ~nan] == np.inf).all()
        assert f.argmax(y).shape == y.shape and f.gap(y).shape == nan.shape
        assert f(np.zeros((0, 2), np.float32)).shape == (0,) and f(np.zeros((2, 0, 2))).shape == (2, 0)
        assert np.isfinite(f(np.array([0, 0]))) == np.isfinite(f([0.0, 0.0]))

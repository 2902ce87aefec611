"""Proximal points, Moreau envelopes and proximal averages, against formulas, Moreau's identities and optimality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from hjsym.conjugate import (
    Ball,
    BoxIndicator,
    Improper,
    LargestSum,
    LogDet,
    Points,
    Power,
    Quadratic,
    SecondOrderCone,
    Separable,
    as_function,
    half_squared_norm,
    indicator,
    infimal_convolution,
    moreau_envelope,
    norm,
    prox,
    proximal_average,
    simplex,
)
from hjsym.errors import NotConvexError
from tropical import Box, InputError, Polyhedron, Polynomial, Polytope

RNG = np.random.default_rng(0)
MANY = Polynomial(RNG.normal(size=(40, 3)), RNG.normal(size=40))
FUNCTIONS = {
    "|x|": Power(1),
    "|x|^1.5": Power(1.5),
    "x²/2": Power(2),
    "|x|³/3": Power(3),
    "x⁴/4": Power(4),
    "interval": Power(np.inf),
    "sum on a line": Power(4) + Power(1),
    "convolution on a line": infimal_convolution(Power(3), Power(1.5)),
    "rescaled": (2 * Power(3)).shift(1.0).tilt(0.5).dilate(-3.0) + 3,
    "norm": norm(3),
    "norm 1": norm(3, 1),
    "norm ∞": norm(3, np.inf),
    "half squared norm": half_squared_norm(3),
    "half squared norm 3": half_squared_norm(3, 3),
    "separable": Separable([Power(1), Power(2), Power(3)]),
    "box": BoxIndicator([0, -1], [np.inf, 1]),
    "largest": LargestSum(2, 4),
    "simplex": simplex(3),
    "cone": SecondOrderCone(3),
    "ball": indicator(Ball(2, 2.0, np.ones(2))),
    "polyhedron": indicator(Polyhedron([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])),
    "polytope": indicator(Polytope([[0, 0], [2, 0], [0, 1]])),
    "quadratic": Quadratic([[1, 1], [1, 1]], [1.0, 2.0]),
    "quadratic on a plane": Quadratic(np.eye(3), E=[[1.0, 1.0, 1.0]], e=[1.0]),
    "max-affine": as_function(MANY),
    "log-sum-exp": as_function(MANY.deform(0.3)),
    "cold log-sum-exp": as_function(MANY.deform(1e-4)),
    "sum with a square": norm(3) + half_squared_norm(3),
    "envelope": moreau_envelope(norm(3, 1), 0.5),
}


def points(f, count=6):
    x = np.random.default_rng(1).normal(size=(count, f.variables)) * 2
    return x[:, 0] if f.variables == 1 else x


def squares(x, f):
    return x**2 if f.variables == 1 else (x**2).sum(axis=-1)


@pytest.mark.parametrize("lam", [0.7, 5.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_moreau_identities(name, lam):
    """prox_{λf}(x) + λ prox_{f*/λ}(x/λ) = x and e_λf(x) + e_{1/λ}f*(x/λ) = ‖x‖²/2λ."""
    f = FUNCTIONS[name]
    g, x = f.conjugate(), points(f)
    loose = 1e-8 if name == "half squared norm 3" else 1e-12
    np.testing.assert_allclose(prox(f, lam, x) + lam * prox(g, 1 / lam, x / lam), x, atol=loose)
    total = moreau_envelope(f, lam)(x) + moreau_envelope(g, 1 / lam)(x / lam)
    np.testing.assert_allclose(total, squares(x, f) / (2 * lam), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_proximal_points_are_best(name):
    """(x − p)/λ is a subgradient at p: f(p) + f*(s) = ⟨p, s⟩."""
    f, lam = FUNCTIONS[name], 0.7
    x = points(f)
    p = prox(f, lam, x)
    slope = (x - p) / lam
    envelope = moreau_envelope(f, lam)
    inner = p * slope if f.variables == 1 else (p * slope).sum(axis=-1)
    value = envelope(x) - squares(x - p, f) / (2 * lam)  # f(p), where rounding may take p off the domain
    dual = moreau_envelope(f.conjugate(), 1 / lam)(x / lam) - squares(p / lam, f) * lam / 2
    np.testing.assert_allclose(value + dual, inner, atol=1e-8 if "3" in name else 1e-12)
    np.testing.assert_allclose(envelope.argmax(x), slope, atol=1e-12)


@given(st.floats(-20, 20), st.floats(0.05, 20))
@settings(max_examples=30)
def test_formulas(x, lam):
    assert prox(Power(1), lam, x) == np.sign(x) * max(abs(x) - lam, 0)
    assert prox(Power(2), lam, x) == pytest.approx(x / (1 + lam), rel=1e-15)
    cubic = np.sign(x) * (np.sqrt(1 + 4 * lam * abs(x)) - 1) / (2 * lam)
    assert prox(Power(3), lam, x) == pytest.approx(cubic, rel=1e-9, abs=1e-14)
    huber = moreau_envelope(Power(1), 1.0)
    expected = x / (1 + lam) if abs(x) <= 1 + lam else x - lam * np.sign(x)
    assert prox(huber, lam, x) == pytest.approx(expected, rel=1e-14, abs=1e-14)
    quartic = prox(Power(4), lam, x)
    assert quartic + lam * quartic**3 == pytest.approx(x, rel=1e-13, abs=1e-13)


def test_blocks_and_projections():
    x = np.array([3.0, 4.0])
    np.testing.assert_allclose(prox(norm(2), 1.0, x), 0.8 * x)
    assert prox(norm(2), 6.0, x).tolist() == [0.0, 0.0]
    assert prox(indicator(Box(-1, 2), 2), 1.0, x).tolist() == [2.0, 2.0]
    np.testing.assert_allclose(prox(simplex(3), 1.0, [0.5, 1.5, -3.0]), [0.0, 1.0, 0.0])
    largest = prox(LargestSum(1, 3), 0.5, [1.0, 0.9, -2.0])
    np.testing.assert_allclose(largest, [0.7, 0.7, -2.0])
    np.testing.assert_allclose(prox(SecondOrderCone(3), 1.0, [3.0, 4.0, 0.0]), [1.5, 2.0, 2.5])


def test_eigenvalues_of_log_det():
    f, lam = LogDet(3), 0.7
    A = np.random.default_rng(4).normal(size=(4, 3, 3))
    x = ((A + A.transpose(0, 2, 1)) / 2).reshape(4, 9)
    p = prox(f, lam, x)
    np.testing.assert_allclose(
        (x - p) / lam, -np.linalg.inv(p.reshape(4, 3, 3)).reshape(4, 9), rtol=1e-9, atol=1e-9
    )


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_maxima_of_affine_functions_by_another_road(seed):
    """Epigraph form, by SLSQP."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    W, b, x, lam = rng.integers(-3, 4, size=(n, d)), rng.integers(-4, 5, size=n), rng.normal(size=d), 0.8
    p = prox(as_function(Polynomial(W, b)), lam, x[0] if d == 1 else x)
    rows = {
        "type": "ineq",
        "fun": lambda v: v[-1] - W @ v[:-1] - b,
        "jac": lambda v: np.column_stack([-W, np.ones(n)]),
    }
    start = np.append(x, (W @ x + b).max())
    found = minimize(
        lambda v: v[-1] + ((v[:-1] - x) ** 2).sum() / (2 * lam), start, constraints=rows, tol=1e-12
    )
    best = (W @ np.atleast_1d(p) + b).max() + ((np.atleast_1d(p) - x) ** 2).sum() / (2 * lam)
    assert best <= found.fun + 1e-9


def test_envelopes_grow_as_lam_falls():
    f, x = as_function(MANY), points(as_function(MANY))
    values = [moreau_envelope(f, lam)(x) for lam in (10.0, 1.0, 0.1, 1e-6)]
    assert all((a <= b + 1e-12).all() for a, b in zip(values, [*values[1:], f(x)], strict=True))
    np.testing.assert_allclose(values[-1], f(x), atol=1e-4)


# ---- proximal averages ---------------------------------------------------------------------------------


def test_proximal_averages():
    f, g, x = Power(1), Power(2), np.linspace(-3, 3, 13)
    mean = proximal_average([f, g], [0.25, 0.75], lam=0.5)
    np.testing.assert_allclose(prox(mean, 0.5, x), 0.25 * prox(f, 0.5, x) + 0.75 * prox(g, 0.5, x))
    envelopes = 0.25 * moreau_envelope(f, 0.5)(x) + 0.75 * moreau_envelope(g, 0.5)(x)
    np.testing.assert_allclose(moreau_envelope(mean, 0.5)(x), envelopes, rtol=1e-14)
    values = mean(x)
    slope = np.clip(x / 0.75, -1, 1)
    epigraphical = x * slope - 0.375 * slope**2  # (¼f* + ¾g*)*
    assert (values >= epigraphical - 1e-12).all() and (values <= 0.25 * f(x) + 0.75 * g(x) + 1e-12).all()
    assert np.abs(mean.gap(x)).max() <= 1e-12 and np.abs(mean.conjugate().gap(x)).max() <= 1e-12
    side = np.linspace(-40, 40, 160_001)
    finite = mean(side)
    for y in (-0.7, 0.2, 1.0):
        assert (y * side - finite).max() == pytest.approx(mean.conjugate()(y), abs=1e-6)


def test_the_average_of_a_point_and_another_is_a_point_between():
    mean = proximal_average([indicator(Box(0, 0), 1), indicator(Box(2, 2), 1)])
    assert prox(mean, 1.0, 7.0) == 1.0
    same = proximal_average([Power(1), Power(1)])
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(same(x), np.abs(x), atol=1e-12)


# ---- refusals ------------------------------------------------------------------------------------------


def test_functions_that_are_not_convex_are_refused():
    for call in (lambda f: prox(f, 1.0, 0.5), lambda f: moreau_envelope(f, 1.0)):
        with pytest.raises(NotConvexError, match="take its hull"):
            call(Points([[-1.0], [1.0]]))
    with pytest.raises(InputError, match="no proximal point"):
        prox(Improper(np.inf), 1.0, 0.0)
    assert moreau_envelope(Improper(np.inf), 1.0)(0.0) == np.inf


def test_what_a_quasi_newton_method_cannot_do_is_said():
    with pytest.raises(InputError, match="kinks stop a quasi-Newton method"):
        prox(half_squared_norm(3, 1) + norm(3, np.inf), 0.5, [1.0, -2.0, 0.5])
    for lam in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="pass a finite number > 0"):
            prox(Power(1), lam, 1.0)

"""Solutions of Hamilton–Jacobi equations: closed forms from the literature, golden digits, and laws.

The closed forms are in L. C. Evans, *Partial Differential Equations*, chapters 3 and 4, or follow by one integral. The
digits of Burgers' equation are those of C. Basdevant et al., Computers & Fluids 14 (1986), with more places; those of
the control problem of J. Han, A. Jentzen, W. E, PNAS 115 (2018), by Tricomi's function.
"""

import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_ndtr

from hjsym.solutions import Characteristics, Mixture, hopf, hopf_cole, hopf_cole_radial, hopf_lax
from tropical.errors import BudgetExceeded, InputError, ShapeError

QUARTER = st.integers(-8, 8).map(lambda k: k / 4)
POSITIVE = st.integers(1, 8).map(lambda k: k / 4)


def positive_definite(draw, d):
    rows = draw(st.lists(st.lists(QUARTER, min_size=d, max_size=d), min_size=d, max_size=d))
    return np.array(rows) @ np.array(rows).T + np.eye(d) / 4


@st.composite
def mixtures(draw):
    d, n = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    Q = np.array([positive_definite(draw, d) for _ in range(n)])
    b = np.array(draw(st.lists(st.lists(QUARTER, min_size=d, max_size=d), min_size=n, max_size=n)))
    c = np.array(draw(st.lists(QUARTER, min_size=n, max_size=n)))
    return Mixture(Q, b, c, draw(st.sampled_from([0.0, 0.5, 2.0])))


@st.composite
def metrics(draw, d):
    return positive_definite(draw, d)


# ---- mixtures of quadratics --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mixture", "exact"),
    [
        (Mixture([[[1.0]]], [[0.0]], [0.0]), lambda x, t: x**2 / (2 * (1 + t))),
        (Mixture([[[-1.0]]], [[0.0]], [0.0]), lambda x, t: -(x**2) / (2 * (1 - t))),
        (Mixture([[[0.0]]], [[3.0]], [1.0]), lambda x, t: 3 * x + 1 - t * 9 / 2),
        (
            Mixture.of_distances([[-1.0], [2.0]], [0.25, 0.0], weight=3.0),
            lambda x, t: np.minimum(
                3 * (x + 1) ** 2 / (2 * (1 + 3 * t)) + 0.25, 3 * (x - 2) ** 2 / (2 * (1 + 3 * t))
            ),
        ),
        (
            Mixture([[[2.0]]], [[0.0]], [0.0], 0.3),
            lambda x, t: 2 * x**2 / (2 * (1 + 2 * t)) + 0.15 * np.log(1 + 2 * t),
        ),
    ],
)
def test_closed_forms_for_half_p_squared(mixture, exact):
    x = np.linspace(-3, 3, 13)
    for t in (0.0, 0.25, 0.75):
        np.testing.assert_allclose(mixture.at(t, kappa=0.5)(x[:, None]), exact(x, t), rtol=1e-14, atol=1e-14)


@given(st.data())
@settings(max_examples=50)
def test_of_mixtures(data):
    """The semigroup, the equation, and derivatives by central differences."""
    u0 = data.draw(mixtures())
    A, kappa = data.draw(metrics(u0.variables)), data.draw(POSITIVE)
    x = np.array(data.draw(st.lists(QUARTER, min_size=u0.variables, max_size=u0.variables)))
    once, twice = u0.at(0.75, kappa, A), u0.at(0.5, kappa, A).at(0.25, kappa, A)
    for name in ("Q", "b", "c"):
        np.testing.assert_allclose(getattr(once, name), getattr(twice, name), rtol=1e-11, atol=1e-11)
    if not u0.eps:  # derivatives jump at ties
        return
    u, h = u0.at(0.5, kappa, A), 1e-4
    steps = h * np.eye(u0.variables)
    gradient = np.array([u(x + s) - u(x - s) for s in steps]) / (2 * h)
    np.testing.assert_allclose(u.gradient(x), gradient, rtol=1e-5, atol=1e-6)
    hessian = np.array([u.gradient(x + s) - u.gradient(x - s) for s in steps]) / (2 * h)
    np.testing.assert_allclose(u.hessian(x), hessian, rtol=1e-5, atol=1e-6)
    rate = (u0.at(0.5 + h, kappa, A)(x) - u0.at(0.5 - h, kappa, A)(x)) / (2 * h)
    p, X = u.gradient(x), u.hessian(x)
    right = kappa * u.eps * np.trace(A @ X) - kappa * p @ A @ p
    np.testing.assert_allclose(rate, right, rtol=1e-4, atol=1e-5)


def test_a_soft_mixture_is_what_quadrature_gives():
    u0 = Mixture(
        [np.diag([1.0, 2.0]), [[1.0, 0.5], [0.5, 1.0]]], [[0.0, 1.0], [-2.0, 0.0]], [0.0, 1.0], eps=0.4
    )
    x = np.array([[0.3, -0.5], [2.0, 1.0]])
    u, v = u0.at(0.7, kappa=0.5), hopf_cole(u0, x, 0.7, kappa=0.5, nu=0.2, nodes=101)
    np.testing.assert_allclose(u(x), v.value, rtol=1e-13)
    np.testing.assert_allclose(u.gradient(x), v.gradient, rtol=1e-12)
    np.testing.assert_allclose(u.hessian(x), v.hessian, rtol=1e-11, atol=1e-12)


def test_shocks_are_ties_and_move_with_the_mean_speed():
    u0 = Mixture.of_distances([[-1.0], [1.0]], [0.0, 0.5])
    (place,) = u0.shock_set().vertices.ravel()
    left, right = u0._parts(np.array([place]))
    assert left == right
    u = u0.at(2.0, kappa=0.5)
    np.testing.assert_allclose(u.shock_set().vertices, [[0.75]])  # (x + 1)² = (x − 1)² + 3 at t = 2
    with pytest.raises(InputError, match="equal matrices"):
        Mixture([[[1.0]], [[2.0]]], [[0.0], [0.0]], [0.0, 0.0]).shock_set()


def test_times_past_the_blow_up_are_refused():
    u0 = Mixture([np.diag([1.0, -2.0])], [[0.0, 0.0]], [0.0])
    assert u0.blow_up_time(kappa=0.5) == 0.5
    assert u0.blow_up_time(kappa=0.5, A=np.diag([1.0, 0.25])) == 2.0
    with pytest.raises(InputError, match=r"exists for 0 ≤ t < 0\.5"):
        u0.at(0.5, kappa=0.5)
    assert Mixture([[[0.0]]], [[1.0]], [0.0]).blow_up_time() == math.inf


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[[1.0, 2.0], [0.0, 1.0]]], [[0.0, 0.0]], [0.0]), InputError, "not symmetric"),
        (([[[1.0]]], [[0.0]], [0.0], -1.0), InputError, "eps is -1.0"),
        (([[[np.nan]]], [[0.0]], [0.0]), InputError, "finite"),
        (([[[1.0]]], [[0.0, 1.0]], [0.0]), ShapeError, "shapes"),
        ((np.zeros((0, 1, 1)), np.zeros((0, 1)), []), InputError, "no quadratics"),
    ],
)
def test_bad_mixtures(arguments, error, message):
    with pytest.raises(error, match=message):
        Mixture(*arguments)


@pytest.mark.parametrize("A", [[[1.0, 0.0]], [[-1.0]], [[math.nan]]])
def test_bad_metrics(A):
    with pytest.raises((InputError, ShapeError)):
        Mixture([[[1.0]]], [[0.0]], [0.0]).at(1.0, A=A)


# ---- Hopf–Cole by quadrature -------------------------------------------------------------------------


def viscous_distance(x, t, eps):
    """u_t + ½u_x² = (ε/2)u_xx from |x|."""
    right = (t / 2 - x) / eps + log_ndtr((x - t) / np.sqrt(eps * t))
    left = (t / 2 + x) / eps + log_ndtr(-(x + t) / np.sqrt(eps * t))
    return -eps * np.logaddexp(right, left)


@pytest.mark.parametrize("eps", [1.0, 0.2, 1e-3])
def test_viscous_distance(eps):
    x = np.linspace(-3, 3, 13)
    u = hopf_cole(lambda y: np.abs(y[..., 0]), x[:, None], 1.0, kappa=0.5, nu=eps / 2, nodes=1601)
    difference = np.abs(u.value - viscous_distance(x, 1.0, eps))
    assert difference.max() < 0.02 * eps  # of second order in h/√(εt), as |y| has a kink
    assert difference.max() <= u.error.max()


BURGERS = [(-0.5, 0.25, 0.80319842084063), (0.01, 0.25, -0.12640470199812), (-0.05, 0.5, 0.97898217839507)]


@pytest.mark.parametrize(("x", "t", "velocity"), BURGERS)
def test_burgers(x, t, velocity):
    u = hopf_cole(lambda y: np.cos(np.pi * y[..., 0]) / np.pi, [x], t, kappa=0.5, nu=0.01 / np.pi)
    np.testing.assert_allclose(u.gradient, [velocity], rtol=0, atol=1e-14)


def test_steepest_slope_of_burgers():
    u = hopf_cole(
        lambda y: np.cos(np.pi * y[..., 0]) / np.pi,
        [0.0],
        1.60368804566 / np.pi,
        kappa=0.5,
        nu=0.01 / np.pi,
        nodes=801,
    )
    np.testing.assert_allclose(u.hessian, [[-152.005161597953]], rtol=1e-12)


@pytest.mark.parametrize(
    ("d", "kappa", "golden"),
    [(100, 1, 4.590161724604883), (100, 10, 4.492929491346301), (10, 1, 2.157022464824727)],
)
def test_stochastic_control_in_many_dimensions(d, kappa, golden):
    u = hopf_cole_radial(lambda r: np.log((1 + r**2) / 2), 0.0, 1.0, d=d, kappa=kappa)
    assert abs(u - golden) < 1e-13
    a = mpmath.mpf(d) / 2  # −(1/λ)[λ log 2 − a log 4 + log U(a, a − λ + 1, ¼)]
    tricomi = mpmath.log(mpmath.hyperu(a, a - kappa + 1, mpmath.mpf(1) / 4))
    assert abs(u + (kappa * mpmath.log(2) - a * mpmath.log(4) + tricomi) / kappa) < 1e-13


@pytest.mark.parametrize("d", [1, 2, 3, 7])
def test_radial_quadratics_in_every_dimension(d):
    r = np.array([0.0, 0.5, 4.0])
    u = hopf_cole_radial(lambda s: s**2 / 2, r, 1.5, d=d, kappa=0.5, nu=0.1)
    mixture = Mixture([np.eye(d)], [np.zeros(d)], [0.0], eps=0.2).at(1.5, kappa=0.5)
    np.testing.assert_allclose(u, mixture(r[:, None] * np.eye(d)[0]), rtol=1e-12)


@given(shift=st.floats(-2, 2), eps=st.sampled_from([0.05, 0.5]), lift=st.floats(0, 2))
@settings(max_examples=15)
def test_laws_of_the_semigroup(shift, eps, lift):
    """Monotone, a contraction in the sup norm, and semiconcave."""
    x = np.linspace(-2, 2, 9)[:, None]

    def solve(g):
        return hopf_cole(g, x, 0.5, kappa=0.5, nu=eps / 2, nodes=401)

    u = solve(lambda y: np.sin(y[..., 0] + shift))
    v = solve(lambda y: np.sin(y[..., 0] + shift) + lift * np.cos(y[..., 0]) ** 2)
    assert (v.value >= u.value - 1e-13).all()
    assert np.abs(v.value - u.value).max() <= lift + 1e-13
    assert (u.hessian <= 1 / 0.5).all()  # ∇²u ≤ I/2κt


def test_data_on_a_part_of_the_line():
    u = hopf_cole(
        lambda y: np.where(y[..., 0] >= 0, 0, np.inf), [[-30.0], [2.0]], 1.0, kappa=0.5, nu=0.5, nodes=4001
    )
    np.testing.assert_allclose(u.value, -log_ndtr([-30.0, 2.0]), rtol=1e-2)  # a jump: of first order


def test_bad_questions_to_quadrature():
    with pytest.raises(ShapeError, match="d ≤ 3"):
        hopf_cole(lambda y: y[..., 0], np.zeros((2, 4)), 1.0)
    with pytest.raises(InputError, match="t is 0"):
        hopf_cole(lambda y: y[..., 0], [0.0], 0.0)
    with pytest.raises(InputError, match="odd"):
        hopf_cole(lambda y: y[..., 0], [0.0], 1.0, nodes=100)
    with pytest.raises(InputError, match="no solution at this time"):
        hopf_cole(lambda y: -(y[..., 0] ** 2), [0.0], 1.0)
    with pytest.raises(BudgetExceeded, match="values of g"):
        hopf_cole(lambda y: y[..., 0], np.zeros((100, 3)), 1.0)
    with pytest.raises(InputError, match="NaN"):
        hopf_cole(lambda y: y[..., 0] * np.nan, [0.0], 1.0)
    with pytest.raises(ShapeError, match="g gave shape"):
        hopf_cole(lambda y: np.zeros(3), [0.0], 1.0)
    with pytest.raises(InputError, match="distances"):
        hopf_cole_radial(lambda r: r, -1.0, 1.0, d=2)


# ---- grids -------------------------------------------------------------------------------------------

LINE = np.linspace(-6, 6, 1201)


def ball(v):
    return np.where(np.abs(v) <= 1 + 1e-9, 0.0, np.inf)


@pytest.mark.parametrize(
    ("g", "lagrangian", "exact"),
    [
        (abs(LINE), lambda v: v**2 / 2, lambda x, t: np.where(abs(x) <= t, x**2 / (2 * t), abs(x) - t / 2)),
        (-abs(LINE), lambda v: v**2 / 2, lambda x, t: -abs(x) - t / 2),
        (LINE**2 / 2, ball, lambda x, t: np.maximum(abs(x) - t, 0) ** 2 / 2),
        (
            abs(LINE),
            lambda v: 0.75 * abs(v) ** (4 / 3),
            lambda x, t: np.where(abs(x) <= t, 0.75 * t ** (-1 / 3) * abs(x) ** (4 / 3), abs(x) - t / 4),
        ),
    ],
)
def test_hopf_lax_on_grids(g, lagrangian, exact):
    x = np.linspace(-3, 3, 61)
    for t in (0.5, 1.0, 2.0):  # minimisers lie on the grid
        np.testing.assert_allclose(hopf_lax(g, LINE, x, t, lagrangian), exact(x, t), atol=1e-3)


def test_the_shock_of_a_ramp():
    """v₀ = 1, then 1 − y on [0, 1], then 0: a shock at (1 + t)/2 from t = 1 on (Evans, section 3.4.1)."""
    y = np.linspace(-4, 4, 1601)
    g = np.where(y <= 0, y, np.where(y <= 1, y - y**2 / 2, 0.5))
    x = np.linspace(-1, 3, 401)
    u = hopf_lax(g, y, x, 2.0, lambda v: v**2 / 2)
    slopes = np.diff(u) / np.diff(x)
    place = x[np.argmin(np.diff(slopes))] + 0.01
    assert abs(place - 1.5) < 0.02


def test_the_hopf_formula_with_a_hamiltonian_that_is_not_convex():
    """From g = |x| all momenta are in [−1, 1]: u is the conjugate of tH there, by brute force."""
    x, p = np.linspace(-3, 3, 61), np.linspace(-1, 1, 401)
    u = hopf(abs(x), x, p, 0.5, lambda q: np.cos(3 * q))
    expected = (p * x[:, None] - 0.5 * np.cos(3 * p)).max(axis=1)
    np.testing.assert_allclose(u, expected, atol=1e-12)


def test_both_formulas_agree_where_both_hold():
    x = np.linspace(-2, 2, 41)
    g = np.maximum(x - 1, 0) + x**2 / 4
    y = np.linspace(-8, 8, 3201)
    wide = np.maximum(y - 1, 0) + y**2 / 4
    lax = hopf_lax(wide, y, x, 0.5, lambda v: v**2 / 2)
    formula = hopf(wide, y, np.linspace(-4, 5, 9001), 0.5, lambda p: p**2 / 2)
    np.testing.assert_allclose(formula[1200:2001:20], lax, atol=1e-5)
    assert (lax <= g).all()


def test_bad_questions_to_grids():
    with pytest.raises(ShapeError, match="pass nodes and slopes for each axis"):
        hopf(np.zeros((3, 3)), [0.0, 1.0, 2.0], [0.0, 1.0], 1.0, lambda p: p)
    with pytest.raises(InputError, match="t is -1"):
        hopf_lax([0.0], [0.0], [0.0], -1, lambda v: v)
    with pytest.raises(ShapeError, match="Lagrangian gave shape"):
        hopf_lax([0.0], [0.0], [0.0], 1, lambda v: np.zeros(3))
    with pytest.raises(BudgetExceeded, match="pairs of nodes"):
        hopf_lax(np.zeros(20_000), np.arange(20_000.0), np.arange(20_000.0), 1, lambda v: v)


# ---- characteristics ---------------------------------------------------------------------------------


def test_lines_carry_the_solution_until_they_meet():
    """Along the lines of a quadratic u is the mixture's."""
    y1, y2, p1, p2 = sympy.symbols("y1 y2 p1 p2", real=True)
    g = y1**2 / 2 + y1 * y2 / 2 + y2**2 + 3 * y1
    lines = Characteristics(p1**2 / 2 + p2**2 / 2, g, [p1, p2], [y1, y2])
    u0 = Mixture([[[1.0, 0.5], [0.5, 2.0]]], [[3.0, 0.0]], [0.0])
    start = {y1: 0.5, y2: -1.25, lines.t: 0.75}
    x = [float(e.subs(start)) for e in lines.position]
    np.testing.assert_allclose(float(lines.value.subs(start)), u0.at(0.75, kappa=0.5)(x), rtol=1e-14)


def test_shock_times():
    y, p, q, z = sympy.symbols("y p q z", real=True)
    nodes = np.linspace(-1, 1, 201)
    assert Characteristics(p**2 / 2, y**2, [p], [y]).shock_time(nodes[:, None]) == math.inf
    blown = Characteristics(p**2 / 2 + q**2, -(y**2) / 2 + z**2, [p, q], [y, z])
    assert blown.shock_time([[0.3, 0.4]]) == 1.0
    # v₀ = −tanh y under p⁴/4: the steepest of (tanh³)′ = 3 tanh² sech² is ¾, at tanh² = ½
    steep = Characteristics(p**4 / 4, -sympy.log(sympy.cosh(y)), [p], [y])
    assert abs(steep.shock_time(np.linspace(-2, 2, 4001)[:, None]) - 4 / 3) < 1e-6


def test_bad_characteristics():
    y, p, a = sympy.symbols("y p a", real=True)
    with pytest.raises(InputError, match=r"H has the symbols \['a'\]"):
        Characteristics(a * p**2, y, [p], [y])
    with pytest.raises(ShapeError, match="momenta"):
        Characteristics(p**2, y, [p], [])
    with pytest.raises(ShapeError, match="pass points"):
        Characteristics(p**2, y, [p], [y]).shock_time([0.0])

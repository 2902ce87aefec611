"""The solver on grids: observed orders, closed forms past shocks, the Hopf formula, and the laws of monotone schemes.

Closed forms: L. C. Evans, *Partial Differential Equations*, chapters 3 and 4.
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_ndtr

import hjsym
from hjsym.hopf import LSELayer
from hjsym.solutions import hopf, march
from hjsym.systems import LearnedHamiltonian
from tropical.errors import BudgetExceeded, InputError, ShapeError

X = np.linspace(-4, 4, 161)
NEAR = np.abs(X) <= 2
LAYER = hjsym.hamiltonian(LSELayer([[1.0], [-1.0], [0.5]], [0.0, 0.0, 0.25], eps=0.5))


def half(x, p):
    return sum(q**2 for q in p) / 2


# ---- orders ------------------------------------------------------------------------------------------


def burgers(x, t):
    """u_t + ½u_x² = 0 from cos(πy)/π, by its characteristics x = y − t sin πy."""
    y = np.array([brentq(lambda y, a=a: y - t * np.sin(np.pi * y) - a, a - 1, a + 1, xtol=1e-15) for a in x])
    return np.cos(np.pi * y) / np.pi + t * np.sin(np.pi * y) ** 2 / 2


@pytest.mark.parametrize(("order", "least", "most"), [(1, 0.9, 1.1), (2, 1.5, 2.2), (5, 4.5, 6.0)])
def test_order_where_the_solution_is_smooth(order, least, most):
    errors = []
    for n in (80, 160):
        x = np.linspace(-1, 1, n, endpoint=False)
        cfl = 0.75 * (40 / n) ** (2 / 3 if order == 5 else 0)
        found = march(half, np.cos(np.pi * x) / np.pi, x, 0.15, order=order, boundary="periodic", cfl=cfl)
        errors.append(np.abs(found.values - burgers(x, 0.15)).max())
    assert least < np.log2(errors[0] / errors[1]) < most


@pytest.mark.parametrize("order", [1, 2, 5])
def test_quadratics_in_three_variables(order):
    """½xᵀQ(I + tQ)⁻¹x, of which slopes of second order are exact but for steps in time."""
    x = np.linspace(-1, 1, 13)
    grid = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1)
    Q = np.array([[1.0, 0.3, 0.0], [0.3, 0.5, -0.2], [0.0, -0.2, 2.0]])

    def value(t):
        return np.einsum("...a,ab,...b->...", grid, Q @ np.linalg.inv(np.eye(3) + t * Q), grid) / 2

    found = march(half, value(0), [x, x, x], 0.2, order=order)
    inner = (slice(4, 9),) * 3
    assert np.abs(found.values - value(0.2))[inner].max() < (0.15 if order == 1 else 5e-4)


# ---- viscosity solutions -----------------------------------------------------------------------------


def huber(x, t):
    return np.where(np.abs(x) <= t, x**2 / (2 * t), np.abs(x) - t / 2)


def ramp(x, t):
    """v = 1, then 1 − y, then 0; at t = 2 the shock is at 3/2."""
    if t:
        return np.minimum(x - t / 2, 0.5)
    return np.where(x <= 0, x, np.where(x <= 1, x - x**2 / 2, 0.5))


SHOCKS = {
    "a rarefaction": (half, huber, lambda x: np.abs(x), 1.0),
    "a standing shock": (half, lambda x, t: -np.abs(x) - t / 2, lambda x: -np.abs(x), 1.0),
    "a concave Hamiltonian": (lambda x, p: -half(x, p), lambda x, t: -huber(x, t), lambda x: -np.abs(x), 1.0),
    "a ramp that breaks": (half, ramp, lambda x: ramp(x, 0), 2.0),
    "an N-wave": (
        half,
        lambda x, t: np.minimum(x**2 / (2 * (1 + t)) - 0.5, 0),
        lambda x: np.minimum(x**2 / 2 - 0.5, 0),
        2.0,
    ),
    "level sets that move": (
        lambda x, p: np.abs(p[0]),
        lambda x, t: np.maximum(np.abs(x) - t, 0) ** 2 / 2,
        lambda x: x**2 / 2,
        1.0,
    ),
}


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize(("H", "exact", "g", "t"), SHOCKS.values(), ids=SHOCKS)
def test_past_shocks(H, exact, g, t, order):
    """The error falls with h and is that of the scheme, not of a wrong weak solution."""
    errors = []
    for n in (81, 161):
        x = np.linspace(-4, 4, n)
        errors.append(np.abs(march(H, g(x), x, t, order=order).values - exact(x, t))[np.abs(x) <= 2].max())
    assert errors[1] < (0.15 if order == 1 else 0.06)
    assert errors[1] < 0.75 * errors[0]


def test_without_dissipation_it_is_no_viscosity_solution():
    found = march(half, -np.abs(X), X, 0.3, order=1, speeds=[1e-9], cfl=1e-9 / 0.05 * 0.01)
    assert np.abs(found.values + np.abs(X) + 0.15)[NEAR].max() > 0.1


def test_a_hamiltonian_that_is_not_convex():
    """Against the Hopf formula; its slopes cover those of the data."""

    def H(x, p):
        return np.cos(3 * p[0])

    exact = hopf(np.abs(X), X, np.linspace(-1, 1, 2001), 0.5, lambda p: np.cos(3 * p))
    for order, most in ((1, 0.1), (5, 0.02)):
        found = march(H, np.abs(X), X, 0.5, order=order)
        assert found.speeds[0] == pytest.approx(3, rel=0.01)  # between the slopes ±1 of the data
        assert np.abs(found.values - exact)[NEAR].max() < most


def test_viscous_distance():
    """u_t + ½u_x² = (ε/2)u_xx from |x|."""
    eps, t = 0.2, 1.0
    right = (t / 2 - X) / eps + log_ndtr((X - t) / np.sqrt(eps * t))
    left = (t / 2 + X) / eps + log_ndtr(-(X + t) / np.sqrt(eps * t))
    found = march(half, np.abs(X), X, t, viscosity=eps / 2)
    assert np.abs(found.values + eps * np.logaddexp(right, left))[NEAR].max() < 1e-3


# ---- systems -----------------------------------------------------------------------------------------


def test_a_layer_and_its_equation():
    V = sympy.lambdify([LAYER.x[0], LAYER.t], LAYER.fields["V"])

    x = np.linspace(-6, 6, 161)

    def error(system):
        return np.abs(march(system, V(x, 0.0), x, 0.5).values - V(x, 0.5))[np.abs(x) < 2].max()

    assert error(LAYER) < 1e-5
    assert error(replace(LAYER, viscosity=0)) > 0.01  # the negative control


def test_a_source_that_depends_on_time():
    """The kernel gauge, u_t + |∇u|² = εΔu − εd/2t in two variables, from time 1 on."""
    layer = LSELayer([[1.0, 0.0], [-0.5, 0.5], [0.0, -1.0]], [0.0, 0.25, 0.0], eps=0.5)
    system = hjsym.hamiltonian(layer, gauge="kernel")
    V = sympy.lambdify([*system.x, system.t], system.fields["V"])
    x = np.linspace(-4, 4, 41)
    mesh = np.meshgrid(x, x, indexing="ij")
    found = march(system, V(*mesh, 1.0), [x, x], 1.25, start=1.0)
    inner = (slice(10, 31),) * 2
    assert np.abs(found.values - V(*mesh, 1.25))[inner].max() < 1e-3


def test_a_hamiltonian_of_position_and_momentum():
    """H = (p² + q²)/2 from q²/2: tan(π/4 − t) q²/2, by Riccati's equation."""
    q, p = sympy.symbols("q p", real=True)
    system = LearnedHamiltonian(p**2 / 2 + q**2 / 2, (q,), (p,)).system()
    found = march(system, X**2 / 2, X, 0.5)
    assert np.abs(found.values - np.tan(np.pi / 4 - 0.5) * X**2 / 2)[NEAR].max() < 1e-5


# ---- laws of monotone schemes ------------------------------------------------------------------------

DATA = st.lists(st.integers(-8, 8).map(lambda k: k / 8), min_size=12, max_size=12).map(np.array)


@given(
    g=DATA, above=DATA, lift=st.integers(-4, 4), nu=st.sampled_from([0.0, 0.1]),
    boundary=st.sampled_from(["periodic", "extrapolate"]), H=st.sampled_from([half, lambda x, p: np.cos(p[0])]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_monotone_contracting_and_blind_to_constants(g, above, lift, nu, boundary, H):
    x = np.arange(12.0) / 4
    speeds = [60.0]

    def u(data):
        return march(H, data, x, 0.1, order=1, viscosity=nu, boundary=boundary, speeds=speeds, cfl=1.0).values

    low, high = u(g), u(g + np.abs(above))
    if boundary == "periodic":
        assert (high >= low - 1e-12).all()
        assert np.abs(u(above) - low).max() <= np.abs(above - g).max() + 1e-12
    np.testing.assert_allclose(u(g + lift), low + lift, atol=1e-11)


# ---- questions ---------------------------------------------------------------------------------------


def test_progress_and_what_is_returned():
    seen = []
    found = march(half, np.abs(X), X, 0.5, progress=seen.append)
    assert seen == list(range(1, found.steps + 1)) and found.t == 0.5
    np.testing.assert_array_equal(found.x[0], X)
    assert found.speeds[0] == pytest.approx(1.2, rel=0.02)
    assert march(half, X, X, 0.5).steps < found.steps  # one slope


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        ((half, np.zeros((4,) * 4), [X[:4]] * 4, 1.0), {}, ShapeError, "1 to 3"),
        ((half, np.zeros(5), X, 1.0), {}, ShapeError, "axes have"),
        ((half, np.zeros(3), X[:3], 1.0), {}, ShapeError, "at least 4"),
        ((half, np.zeros(5), [0.0, 1.0, 2.0, 3.0, 5.0], 1.0), {}, InputError, "even distances"),
        ((half, np.zeros(5), [4.0, 3.0, 2.0, 1.0, 0.0], 1.0), {}, InputError, "ascending"),
        ((half, np.full(161, np.nan), X, 1.0), {}, InputError, "initial values are finite"),
        ((half, 0 * X, X, 0.0), {}, InputError, "t is 0"),
        ((half, 0 * X, X, 1.0), {"start": 2.0}, InputError, "finite time > 2"),
        ((half, 0 * X, X, 1.0), {"order": 3}, InputError, "order is 3"),
        ((half, 0 * X, X, 1.0), {"boundary": "wall"}, InputError, "'wall'"),
        ((half, 0 * X, X, 1.0), {"cfl": 1.5}, InputError, "cfl 1.5"),
        ((half, 0 * X, X, 1.0), {"viscosity": -1.0}, InputError, "viscosity is -1"),
        ((half, 0 * X, X, 1.0), {"speeds": [-1.0]}, InputError, "speeds"),
        ((half, 0 * X, X, 1e9), {"viscosity": 1.0}, BudgetExceeded, "nodes times steps"),
        ((half, np.broadcast_to(0.0, (5000, 5000)), [np.arange(5000.0)] * 2, 1.0), {}, BudgetExceeded, "nodes"),
        ((lambda x, p: np.sqrt(p[0] - 1), 0 * X, X, 1.0), {}, InputError, "H is not finite"),
        ((lambda x, p: np.exp(p[0] ** 2), X**3, X, 1.0), {}, InputError, "H is not finite"),
        ((LAYER, np.zeros((5, 5)), [X[:5]] * 2, 1.0), {}, ShapeError, "1 variables but the grid has 2"),
    ],
)  # fmt: skip
def test_bad_questions(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        march(*arguments, **keywords)


def test_symbols_without_values_are_refused():
    a = sympy.Symbol("a")
    with pytest.raises(InputError, match=r"no values for \['a'\]"):
        march(replace(LAYER, H=a * LAYER.p[0] ** 2), 0 * X, X, 1.0)
    system = replace(LAYER, H=a * LAYER.p[0] ** 2, parameters={a: 2.0})
    assert march(system, X, X, 0.5).values[80] == pytest.approx(-1.0)  # p·x − tH(p)

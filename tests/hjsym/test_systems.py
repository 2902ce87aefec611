"""Networks as Hamilton–Jacobi systems: residuals that SymPy reduces to 0, and not where something is wrong; layers
read back off their fields; flows against torch and against solved differential equations."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from scipy.special import erf, expit

import hjsym
from hjsym.hopf import LSELayer
from hjsym.systems import (
    HJSystem,
    StateSpace,
    attention,
    attention_heads,
    gru,
    hamiltonian,
    integrate_and_fire,
    log_semiring_step,
    lstm,
    residual_step,
    rnn,
)
from hjsym.systems.residual import reduced_residual
from tropical import Polynomial, Semiring
from tropical.errors import BudgetExceeded, InputError, ShapeError

LAYER = LSELayer([[1.0, -1.0], [2.0, 0.5], [0.0, 0.3]], [0.0, 0.5, -1.0], 0.3)
POINTS = np.array([[0.3, -0.7], [1.25, 2.0]])


def numbers(*shape):
    return np.random.default_rng(math.prod(shape)).normal(size=shape) / 2


def values(system: HJSystem, points) -> np.ndarray:
    output = system.output.subs({s: sympy.Rational(repr(float(v))) for s, v in system.parameters.items()})
    return np.array([sympy.lambdify(system.x, output)(*x) for x in np.atleast_2d(points)], dtype=float)


# ---- solutions ---------------------------------------------------------------------------------------

WAVES = {
    "plane wave": hamiltonian(LAYER),
    "kernel": hamiltonian(LAYER, gauge="kernel"),
    "symbols": hamiltonian(LSELayer([[1.0], [-2.0]], [0.5, 0.0], 0.7, kappa=1.5), symbolic=True),
    "symbols, kernel": hamiltonian(LSELayer([[1.0], [-2.0]], [0.5, 0.0], 0.7), gauge="kernel", symbolic=True),
    "softplus": hamiltonian("softplus", eps=0.3),
    "sigmoid": hamiltonian("sigmoid", eps=0.5),
    "tanh": hamiltonian("tanh", eps=2),
    "silu": hamiltonian("silu"),
    "gelu": hamiltonian("gelu"),
    "attention": attention([[1.0], [0.5], [-1.0]], [[2.0], [0.1], [0.7]]),
    "attention with values as keys": attention([[0.5, 1.0], [-1.0, 0.2]], [[0.5, 1.0], [-1.0, 0.2]], eps=0.4),
}


@pytest.mark.parametrize("system", WAVES.values(), ids=WAVES)
def test_residuals_reduce_to_zero(system):
    for name in system.fields:
        assert system.residual(name) == 0
        assert system.residual_at([0.3] * len(system.x), 0.7, name) < 1e-30


@pytest.mark.parametrize("name", ["plane wave", "kernel", "sigmoid", "gelu", "attention"])
def test_residuals_of_another_viscosity_do_not(name):
    system = WAVES[name]
    wrong = replace(system, viscosity=2 * system.viscosity)
    assert wrong.residual() != 0 and wrong.residual_at([0.3] * len(system.x), 0.7) > 1e-6


def test_the_kernel_gauge_without_its_defect_is_no_solution():
    s = WAVES["kernel"]
    wrong = replace(s, source=0)
    assert sympy.simplify(wrong.residual() + sympy.Rational(3, 10) * 2 / (2 * s.t)) == 0


def test_conventions_cannot_be_mixed():
    """H = |p|²/2 with the plane waves of |p|²."""
    s = WAVES["softplus"]
    half = replace(s, H=s.H / 2, viscosity=s.viscosity / 2)
    assert half.residual() != 0


def test_a_residual_is_that_of_differences():
    """reduced_residual against difference quotients, for a function that is no solution."""
    x, t = sympy.symbols("x t", real=True)
    V = hjsym.LogSumExp(sympy.Rational(1, 2), 2 * x + t**2, x**2)
    found = reduced_residual(lambda W: sympy.Eq(W.diff(t) + W.diff(x) ** 2, 3 * W.diff(x, 2)), V, (x, t))
    at, h = (0.3, 0.7), 1e-4

    def v(a, b):
        return 0.5 * np.logaddexp(2 * (2 * a + b**2), 2 * a**2)

    a, b = at
    quotient = (v(a, b + h) - v(a, b - h)) / (2 * h) + ((v(a + h, b) - v(a - h, b)) / (2 * h)) ** 2
    quotient -= 3 * (v(a + h, b) + v(a - h, b) - 2 * v(a, b)) / h**2
    modes = {
        m: math.exp(2 * z) for m, z in zip(sorted(found.free_symbols - {x, t}, key=str), (), strict=False)
    }
    assert found != 0 and not modes
    system = HJSystem(
        "", "exact", "", sympy.Symbol("p1") ** 2, (x,), (sympy.Symbol("p1"),), t, 3, fields={"V": V}
    )
    equation = system._equation(V)
    exact = float((equation.lhs - equation.rhs).doit().subs({x: a, t: b}))
    assert abs(exact - quotient) < 1e-5


ACTIVATIONS = {
    "softplus": lambda x: np.logaddexp(x, 0),
    "sigmoid": expit,
    "tanh": np.tanh,
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_read_off_their_fields(name):
    x = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(values(hamiltonian(name), x[:, None]), ACTIVATIONS[name](x), rtol=1e-12)


def test_layers_are_read_off_their_fields():
    for system in (WAVES["plane wave"], WAVES["kernel"], hamiltonian(LAYER, symbolic=True)):
        np.testing.assert_allclose(values(system, POINTS), LAYER(POINTS), rtol=1e-12)
    network = [([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -3.0]], [0.25])]
    system = hamiltonian(network)
    np.testing.assert_allclose(values(system, POINTS), hjsym.load(network)(POINTS).ravel(), rtol=1e-12)
    assert set(system.fields) == {"V_P", "V_Q"}
    two = hamiltonian([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0])])
    np.testing.assert_allclose([values(s, [[-2.0]])[0] for s in two], [0.0, 2.0])


def test_a_maximum_solves_its_equation_off_the_kinks_and_is_the_limit():
    p = Polynomial([[1.0], [-1.0], [0.25]], [0.0, 0.0, 1.0])
    system = hamiltonian(p)
    V = sympy.lambdify([*system.x, system.t], system.fields["V"])
    h = 1e-5
    for x, t in itertools.product((-2.0, 0.1, 3.0), (0.0, 0.5)):
        rate, slope = (V(x, t + h) - V(x, t - h)) / (2 * h), (V(x + h, t) - V(x - h, t)) / (2 * h)
        assert abs(rate + slope**2) < 1e-8
    soft = hamiltonian(p.deform(1e-6))
    np.testing.assert_allclose(values(soft, [[0.4]]), values(system, [[0.4]]), atol=1e-5)
    # viscosity solution: −V is the largest of the waves, and Hopf–Lax from −V(x, 0) gives it at t
    y = np.linspace(-10, 10, 20001)
    start = V(y, 0.0)
    lax = (start + (0.4 - y) ** 2 / (4 * 0.5)).min()
    assert abs(lax - V(0.4, 0.5)) < 1e-6


def test_attention_is_that_of_numpy():
    K, V = numbers(5, 3), numbers(5, 2)
    q = numbers(3)
    weights = np.exp(K @ q / np.sqrt(3))
    np.testing.assert_allclose(values(attention(K, V), q)[0], weights / weights.sum() @ V, rtol=1e-12)
    assert "w = ∇F" in attention(K, K).reason and "no gradient" in attention(K, V).reason


def test_heads_under_a_causal_mask():
    X, W = numbers(4, 4), [np.random.default_rng(k).normal(size=(4, 4)) for k in range(3)]
    heads = attention_heads(*W, X, heads=2, causal_at=1)
    q, k, v = (X @ M.T for M in W)
    for h, (system, Q) in enumerate(heads):
        part = slice(2 * h, 2 * h + 2)
        scores = np.exp(q[1, part] @ k[:2, part].T / np.sqrt(2))
        np.testing.assert_allclose(
            values(system, Q @ X[1])[0], scores / scores.sum() @ v[:2, part], rtol=1e-12
        )
    for (system, _), (lettered, _) in zip(heads, attention_heads(*W, X, 2, 1, symbolic=True), strict=True):
        assert len(lettered.parameters) == 9  # two keys and two values of two numbers, ε
        numbered = lettered.output.subs(lettered.parameters)
        place = dict(zip(system.x, (0.3, -0.7), strict=True))
        np.testing.assert_allclose(
            [float(w.subs(place)) for w in numbered],
            [float(w.subs(place)) for w in system.output],
            rtol=1e-12,
        )


def test_log_semiring_steps_are_rows_of_the_product():
    A, u = np.array([[0.0, -1.0], [-np.inf, 0.5]]), np.array([0.3, -0.2])
    found = [values(s, [u])[0] for s in log_semiring_step(A, 0.5)]
    np.testing.assert_allclose(found, 0.5 * np.logaddexp.reduce((A + u) / 0.5, axis=1), rtol=1e-14)
    tropical = [values(s, [u])[0] for s in log_semiring_step(A, 0)]
    np.testing.assert_allclose(tropical, (A + u).max(axis=1))
    cell = integrate_and_fire(0.9, 0.1)
    expected = 0.1 * np.logaddexp((0.4 + math.log(0.9)) / 0.1, 0.7 / 0.1)
    np.testing.assert_allclose(values(cell, [[0.4, 0.7]]), [expected], rtol=1e-14)
    assert cell.residual() == 0


# ---- flows -------------------------------------------------------------------------------------------

FLOWS = {
    "residual": residual_step(numbers(3, 2), numbers(3), numbers(2, 3), numbers(2), 0.1),
    "relu residual": residual_step(numbers(3, 2), numbers(3), numbers(2, 3), numbers(2), 0.1, "relu"),
    "rnn": rnn(numbers(2, 2), numbers(2, 1), numbers(2), [1.0]),
    "gru": gru(numbers(6, 2), numbers(6), numbers(6)),
    "lstm": lstm(numbers(4, 1), numbers(4)),
    "state space": StateSpace(numbers(2, 2), numbers(2, 1), step=0.5).system([0.7]),
}


@pytest.mark.parametrize("system", FLOWS.values(), ids=FLOWS)
def test_characteristics_are_the_flow_and_the_costates_its_adjoint(system):
    """p·δx is constant along the solutions of Hamilton's equations: the co-state equation, by differences."""
    d = len(system.x)
    assert system.is_linear_in_p and system.viscosity == 0
    rates = sympy.lambdify(
        [system.x, system.p], [*(system.H.diff(q) for q in system.p), *(-system.H.diff(v) for v in system.x)]
    )

    def solve(x, p):
        y = solve_ivp(lambda _, y: rates(y[:d], y[d:]), (0, 1), [*x, *p], rtol=1e-11, atol=1e-12).y[:, -1]
        return y[:d], y[d:]

    x, p, dx, h = numbers(d) + 0.3, np.arange(1.0, d + 1), np.ones(d), 1e-5
    _, costate = solve(x, p)
    moved = (solve(x + h * dx, p)[0] - solve(x - h * dx, p)[0]) / (2 * h)
    assert abs(costate @ moved - p @ dx) < 1e-7
    assert len(system.hamilton_equations) == 2 * d


def test_the_defect_is_of_second_order_in_the_step_and_none_for_a_hold():
    def defect(h):
        return residual_step(numbers(3, 2), numbers(3), numbers(2, 3), numbers(2), h).defect(POINTS)

    ratio = defect(0.1) / defect(0.05)
    assert ((ratio > 3.5) & (ratio < 4.5)).all()
    assert (FLOWS["state space"].defect(POINTS) < 1e-10).all()


def test_recurrent_cells_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    u, h, c = (
        torch.randn(3, dtype=torch.double),
        torch.randn(2, dtype=torch.double),
        torch.randn(2, dtype=torch.double),
    )
    for name in ("RNN", "GRU", "LSTM"):
        for kind in (name, name + "Cell"):
            module = getattr(torch.nn, kind)(3, 2).double()
            system = hamiltonian(module, u=u.numpy())
            state = (h, c) if name == "LSTM" else h
            with torch.no_grad():
                if kind == name:
                    state = tuple(s[None] for s in state) if name == "LSTM" else state[None]
                    after = module(u[None], state)[1]
                    after = [a[0] for a in after] if name == "LSTM" else after[0]
                else:
                    after = module(u, state)
            start = np.concatenate([c.numpy(), h.numpy()]) if name == "LSTM" else h.numpy()
            end = np.concatenate([after[1].numpy(), after[0].numpy()]) if name == "LSTM" else after.numpy()
            rates = sympy.lambdify([system.x], [system.H.diff(q) for q in system.p])
            np.testing.assert_allclose(start + rates(start), end, rtol=1e-12, atol=1e-13)
    with pytest.raises(InputError, match="pass u="):
        hamiltonian(torch.nn.GRU(3, 2))
    with pytest.raises(hjsym.UnsupportedLayerError, match="several layers"):
        hamiltonian(torch.nn.GRU(3, 2, num_layers=2), u=u.numpy())


def test_state_space_steps_compose_and_take_diagonals():
    slow, fast = (StateSpace([-1.0, 0.5], [[1.0], [2.0]], step=s) for s in (1.0, 0.5))
    x = fast(fast([1.0, 1.0], [3.0]), [3.0])
    np.testing.assert_allclose(slow([1.0, 1.0], [3.0]), x, rtol=1e-13)
    np.testing.assert_allclose(slow.discrete[0], np.diag(np.exp([-1.0, 0.5])), rtol=1e-14)
    x1, x2, p1, p2, u1 = sympy.symbols("x1 x2 p1 p2 u1", real=True)
    assert sympy.expand(slow.system().H - p1 * (u1 - x1) - p2 * (2 * u1 + x2 / 2)) == 0


# ---- what a system says ------------------------------------------------------------------------------


def test_the_lagrangian_is_the_conjugate_and_refuses_flows():
    system = WAVES["plane wave"]
    v = sympy.symbols("v1 v2", real=True)
    assert sympy.expand(system.lagrangian - (v[0] ** 2 + v[1] ** 2) / 4) == 0
    with pytest.raises(InputError, match="linear in p"):
        _ = FLOWS["rnn"].lagrangian


def test_print_says_the_label():
    for system in (*WAVES.values(), *FLOWS.values()):
        assert f"({system.label})" in system.latex() and system.label in str(system)
        assert system._repr_latex_().startswith("$")
    assert "structural" in str(FLOWS["gru"]) and "linearised" in str(WAVES["attention"])


def test_hamiltonians_as_functions_of_arrays():
    system = FLOWS["rnn"]
    x, p = numbers(2, 5), numbers(2, 5) + 1
    W, drive = numbers(2, 2), numbers(2, 1)[:, 0] + numbers(2)
    expected = (p * (np.tanh(W @ x + drive[:, None]) - x)).sum(axis=0)
    np.testing.assert_allclose(system.lambdify()(x, p, 0.0), expected, rtol=1e-12)


def test_large_layers_are_written_in_matrix_symbols():
    system = hamiltonian(LSELayer(numbers(100, 80), numbers(100), 1.0))
    assert system.is_matrix and system.H.shape == (1, 1) and not system.fields
    with pytest.raises(BudgetExceeded, match=r"equation of log-sum-exp .* 80, the limit is 64; read H"):
        _ = system.pde


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: hamiltonian(LAYER, gauge="other"), InputError, "gauge"),
        (lambda: hamiltonian(Polynomial([[1.0]], [0.0], Semiring(-1))), InputError, "minima"),
        (lambda: attention([[1.0]], [[1.0], [2.0]]), ShapeError, "keys"),
        (lambda: attention([[1.0]], [[1.0]], eps=-1), InputError, "temperature"),
        (lambda: attention([[np.nan]], [[1.0]]), InputError, "finite"),
        (lambda: gru(numbers(4, 2), numbers(4)), ShapeError, "three blocks"),
        (lambda: lstm(numbers(4, 2), numbers(4)), ShapeError, "four blocks"),
        (lambda: rnn(numbers(2, 2), U=numbers(2, 2)), InputError, "together"),
        (lambda: rnn(numbers(2, 2), activation="step"), InputError, "activation"),
        (lambda: StateSpace(numbers(2, 3), numbers(2, 1)), ShapeError, "A has shape"),
        (lambda: StateSpace([1.0], [[1.0]], step=0), InputError, "step is 0"),
        (lambda: log_semiring_step([[-np.inf]], 1.0), InputError, "row of A"),
        (lambda: integrate_and_fire(0.0, 1.0), InputError, "tau"),
        (lambda: WAVES["gelu"].residual("W"), InputError, "no field"),
        (lambda: FLOWS["gru"].residual(), InputError, "no solution"),
        (lambda: HJSystem("", "proved", "", 0, (), (), sympy.Symbol("t")), InputError, "label"),
    ],
)
def test_bad_questions(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_soft_networks_of_several_layers_are_refused_by_name():
    from hjsym import layers
    from hjsym.network import Network

    deep = Network.sequential(
        1,
        [
            layers.Affine([[1.0], [2.0]], [0.0, 0.0]),
            layers.Softplus(0.5),
            layers.Affine([[1.0, -1.0]], [0.0]),
        ],
    )
    with pytest.raises(hjsym.UnsupportedLayerError, match="one ε"):
        hamiltonian(deep)

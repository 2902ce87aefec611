"""Hamiltonian networks as formulas: against numpy, torch's autograd, brackets in SymPy, and integrated motion."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from hjsym.errors import UnsupportedLayerError
from hjsym.systems import LearnedHamiltonian, compare
from tropical.errors import BudgetExceeded, InputError, ShapeError

q1, p1, q2, p2 = sympy.symbols("q1 p1 q2 p2", real=True)
OSCILLATOR = LearnedHamiltonian(p1**2 / 2 + q1**2 / 2, (q1,), (p1,))


def network(seed, inputs=4, hidden=3, activation="tanh"):
    rng = np.random.default_rng(seed)
    layers = [
        (rng.normal(size=(hidden, inputs)), rng.normal(size=hidden)),
        (rng.normal(size=(1, hidden)), rng.normal(size=1)),
    ]
    return layers, LearnedHamiltonian.from_weights(layers, activation)


@pytest.mark.parametrize(
    ("activation", "gate"), [("tanh", np.tanh), ("sin", np.sin), ("softplus", lambda z: np.logaddexp(z, 0))]
)
def test_networks_are_their_formulas(activation, gate):
    layers, H = network(0, activation=activation)
    x = np.random.default_rng(1).normal(size=(4, 7))
    (W, b), (V, c) = layers
    expected = V @ gate(W @ x + b[:, None]) + c
    np.testing.assert_allclose(sympy.lambdify((*H.q, *H.p), H.H)(*x), expected[0], rtol=1e-12)


def test_networks_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    H = LearnedHamiltonian.from_torch(module)
    x = torch.randn(4, dtype=torch.double, requires_grad=True)
    module(x).sum().backward()
    rates = sympy.lambdify((*H.q, *H.p), [H.H.diff(s) for s in (*H.q, *H.p)])
    np.testing.assert_allclose(rates(*x.detach().numpy()), x.grad.numpy(), rtol=1e-12)
    with pytest.raises(UnsupportedLayerError, match="Linear → ReLU → Linear"):
        LearnedHamiltonian.from_torch(
            torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
        )


def test_first_integrals_of_a_translation_invariant_network():
    """Units that see only q1 − q2 and the momenta conserve p1 + p2, and nothing else that is linear."""
    layers, _ = network(2, hidden=5)
    layers[0][0][:, 1] = -layers[0][0][:, 0]
    H = LearnedHamiltonian.from_weights(layers)
    energy, total = H.first_integrals
    assert sympy.expand(total / total.coeff(p1)) == p1 + p2
    assert sympy.simplify(H.bracket(total)) == 0 and H.bracket(energy) == 0
    x0 = [0.3, -0.2, 1.0, 0.5]
    gradient = sympy.lambdify((*H.q, *H.p), [H.H.diff(s) for s in (*H.q, *H.p)])

    def motion(_, z):
        g = gradient(*z)
        return [g[2], g[3], -g[0], -g[1]]

    z = solve_ivp(motion, (0, 5), x0, rtol=1e-10, atol=1e-12).y[:, -1]
    assert abs(z[2] + z[3] - 1.5) < 1e-9 and abs(z[2] - 1.0) > 1e-3
    assert network(3, hidden=5)[1].first_integrals[1:] == ()


def test_first_integrals_of_a_formula():
    free = LearnedHamiltonian(p1**2 + p2**2 / 2 + q2**2, (q1, q2), (p1, p2))
    assert free.first_integrals[1:] == (p1,)
    assert free.bracket(q1) == 2 * p1


@given(seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_separability_is_refuted_by_a_point_or_proved(seed):
    layers, H = network(seed, inputs=2)
    assert H.is_separable().holds is False
    at = dict(zip((*H.q, *H.p), map(sympy.Rational, H.is_separable().witness), strict=True))
    assert abs(H.H.diff(H.q[0], H.p[0]).subs(at).evalf(40)) > 1e-20
    layers[0][0][0, 0] = layers[0][0][1, 1] = layers[0][0][2, 1] = 0.0  # each unit sees q or p
    assert LearnedHamiltonian.from_weights(layers).is_separable().holds is True


def test_convexity_in_the_momenta():
    layers, _ = network(0, activation="softplus")
    layers[1] = (abs(layers[1][0]), layers[1][1])
    assert LearnedHamiltonian.from_weights(layers, "softplus").is_convex_in_momenta()
    verdict = network(0)[1].is_convex_in_momenta()
    assert verdict.holds is False
    H = network(0)[1]
    hessian = np.array(
        sympy.hessian(H.H, H.p).subs(dict(zip((*H.q, *H.p), verdict.witness, strict=True))).evalf(30), float
    )
    assert np.linalg.eigvalsh(hessian).min() < 0
    assert OSCILLATOR.is_convex_in_momenta()
    assert LearnedHamiltonian(-(p1**2), (q1,), (p1,)).is_convex_in_momenta().holds is False
    assert LearnedHamiltonian(p1**4 + p1**2, (q1,), (p1,)).is_convex_in_momenta().holds is None


def test_sketches_and_the_lagrangian():
    H = network(4, inputs=2)[1]
    sketch = sympy.lambdify((q1, p1), H.taylor(3, [0.5, -0.25]) - H.H)
    errors = [abs(sketch(0.5 + h, -0.25 + h)) for h in (0.2, 0.1)]
    assert 12 < errors[0] / errors[1] < 20  # of fourth order
    assert sympy.expand(OSCILLATOR.lagrangian - (sympy.Symbol("v1", real=True) ** 2 - q1**2) / 2) == 0
    with pytest.raises(InputError, match="not proved"):
        _ = H.lagrangian


def test_is_this_the_oscillator():
    x, y = sympy.symbols("x y", real=True)
    renamed = LearnedHamiltonian(x**2 / 2 + y**2 / 2 + 3, (x,), (y,))
    assert compare(renamed, OSCILLATOR).equal
    stiff = LearnedHamiltonian(p1**2 / 2 + q1**2, (q1,), (p1,))
    found = compare(stiff, OSCILLATOR)
    assert (found.equal, found.energy_error, found.field_error, found.scale) == (
        False,
        0.25,
        1.0,
        np.sqrt(2.0),
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LearnedHamiltonian(p1 * sympy.Symbol("m"), (q1,), (p1,)), InputError, r"\['m'\]"),
        (lambda: LearnedHamiltonian(p1, (q1, q2), (p1,)), ShapeError, "positions"),
        (
            lambda: LearnedHamiltonian.from_weights([(np.ones((1, 3)), np.zeros(1))]),
            ShapeError,
            "even number",
        ),
        (lambda: LearnedHamiltonian.from_weights([(np.ones((2, 2)), np.zeros(2))]), ShapeError, "2 outputs"),
        (lambda: LearnedHamiltonian.from_weights([(np.ones((1, 2)), np.zeros(2))]), ShapeError, "layer 0"),
        (
            lambda: LearnedHamiltonian.from_weights([(np.full((1, 2), np.nan), np.zeros(1))]),
            InputError,
            "finite",
        ),
        (
            lambda: LearnedHamiltonian.from_weights([(np.ones((1, 2)), np.zeros(1))], "relu"),
            InputError,
            "activation",
        ),
        (
            lambda: LearnedHamiltonian.from_weights([(np.ones((2000, 2)), np.zeros(2000))]),
            BudgetExceeded,
            "numbers",
        ),
        (lambda: compare(OSCILLATOR, network(0)[1]), ShapeError, "degrees of freedom"),
    ],
)
def test_bad_hamiltonians(make, error, message):
    with pytest.raises(error, match=message):
        make()


# ---- sketches ----------------------------------------------------------------------------------------


def largest_on_a_grid(f, H, low=-1.0, high=1.0, nodes=81):
    grid = np.meshgrid(*[np.linspace(low, high, nodes)] * 2)
    return np.abs(np.broadcast_to(sympy.lambdify((*H.q, *H.p), f)(*grid), grid[0].shape)).max()


@pytest.mark.parametrize("activation", ["tanh", "softplus", "sigmoid", "sin", "silu"])
@pytest.mark.parametrize(("kind", "degree", "denominator"), [("taylor", 3, 0), ("rational", 2, 2)])
def test_errors_of_sketches_are_enclosed(activation, kind, degree, denominator):
    """No point of a fine grid is above the bound, and the largest of them is close to it."""
    pytest.importorskip("flint")
    layers, _ = network(1, inputs=2, hidden=6, activation=activation)
    layers[0] = (layers[0][0] / 2, layers[0][1])
    H = LearnedHamiltonian.from_weights(layers, activation)
    found = H.sketch(kind, degree, denominator, digits=5, most_cells=400)
    sampled = largest_on_a_grid(H.H - found.expr, H)
    assert sampled <= found.bound and found.reached <= found.bound
    assert found.bound <= 1.25 * sampled
    assert "proved" in str(found) and r"\pm" in found._repr_latex_()


def test_sketches_of_deeper_networks_and_other_boxes():
    pytest.importorskip("flint")
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(n, m)) / 2, rng.normal(size=n) / 2) for m, n in ((2, 4), (4, 3), (3, 1))]
    H = LearnedHamiltonian.from_weights(layers)
    found = H.sketch(degree=2, box=([0.25, -0.5], [0.75, 0.0]))
    q, p = np.meshgrid(np.linspace(0.25, 0.75, 41), np.linspace(-0.5, 0, 41))
    sampled = np.abs(sympy.lambdify((q1, p1), H.H - found.expr)(q, p)).max()
    assert sampled <= found.bound <= 1.2 * sampled
    sampled_only = H.sketch(degree=2, box=([0.25, -0.5], [0.75, 0.0]), proved=False)
    assert sampled_only.bound is None and "estimated" in str(sampled_only)
    assert sampled_only.expr == found.expr and sampled_only.reached <= found.bound


def test_rational_sketches_find_rational_hamiltonians():
    H = LearnedHamiltonian((p1**2 + q1**2) / (2 + q1**2), (q1,), (p1,))
    found = H.sketch("rational", 2, 2, digits=12, proved=False)
    assert found.reached < 1e-9
    quadratic = OSCILLATOR.sketch("rational", 2, 0, digits=12, proved=False)
    assert sympy.expand(quadratic.expr - OSCILLATOR.H) == 0


def test_a_pole_is_not_bounded():
    pytest.importorskip("flint")
    H = LearnedHamiltonian(1 / (q1 - sympy.Rational(1, 3)) + p1, (q1,), (p1,))
    found = H.sketch(degree=1, most_cells=60)
    assert found.bound == np.inf and found.reached > 10


def test_is_this_the_oscillator_everywhere():
    pytest.importorskip("flint")
    bump = LearnedHamiltonian(p1**2 / 2 + q1**2 / 2 + sympy.exp(-400 * (q1 - 0.03) ** 2), (q1,), (p1,))
    found = compare(bump, OSCILLATOR, nodes=3, proved=True, most_cells=1000)
    assert found.energy_error < 0.4 and not found.equal  # hardly seen by the grid
    assert 0.5 < found.energy_bound < 0.9 and "proved" in str(found)
    assert str(compare(OSCILLATOR, OSCILLATOR)) == "equal, but for a constant"
    assert compare(OSCILLATOR, OSCILLATOR, proved=True).energy_bound < 1e-12


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "spline"}, InputError, "'spline'"),
        ({"degree": -1}, InputError, "degree is -1"),
        ({"kind": "rational", "denominator": -1}, InputError, "degrees are 4 and -1"),
        ({"digits": 20}, InputError, "digits is 20"),
        ({"box": (1, -1)}, InputError, "low < high"),
        ({"box": ([0, 0, 0], 1)}, ShapeError, "2 numbers each"),
        ({"box": (0, np.inf)}, InputError, "finite"),
    ],
)
def test_bad_sketches(arguments, error, message):
    with pytest.raises(error, match=message):
        OSCILLATOR.sketch(**arguments)


def test_sketches_of_too_many_variables():
    symbols = sympy.symbols("a:8")
    H = LearnedHamiltonian(sum(s**2 for s in symbols), symbols[:4], symbols[4:])
    with pytest.raises(BudgetExceeded, match="nodes of a fit"):
        H.sketch(proved=False)

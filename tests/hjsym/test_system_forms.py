"""How systems are written: symbols whose values give the numbers back, matrix symbols at any size, residual networks,
selective models, anisotropic layers and Lagrangians, each against NumPy, SciPy, torch or brute force."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import erf, expit

import hjsym
from hjsym import layers
from hjsym.errors import NotConvexError, UnsupportedLayerError
from hjsym.hopf import LSELayer
from hjsym.network import Network, Node
from hjsym.systems import (
    HJSystem,
    SelectiveStateSpace,
    SmoothGate,
    SpaceTimeNetwork,
    StateSpace,
    TransformerBlock,
    attention,
    gru,
    hamiltonian,
    lstm,
    residual_step,
    rnn,
)
from tropical import Polynomial
from tropical.errors import BudgetExceeded, InputError, ShapeError


def numbers(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).round(2) / 2


def residual(gate, d=2, m=3, blocks=2, h=0.25, seed=0) -> Network:
    """Affine 3 → d, blocks of their own weights, Affine d → 1."""
    nodes = [Node(layers.Affine(numbers(d, 3), numbers(d)), (0,))]
    for k in range(blocks):
        at = len(nodes)
        nodes += [
            Node(layers.Affine(numbers(m, d, seed=seed + k), numbers(m, seed=seed + k)), (at,)),
            Node(gate, (at + 1,)),
            Node(layers.Affine(numbers(d, m, seed=seed + k), numbers(d, seed=seed + k)), (at + 2,)),
            Node(layers.Add((1.0, h)), (at, at + 3)),
        ]
    nodes.append(Node(layers.Affine(numbers(1, d), [0.0]), (len(nodes),)))
    return Network(3, tuple(nodes))


def block(d, m, **options):
    square = [numbers(d, d, seed=k) for k in range(4)]
    return TransformerBlock(*square, numbers(m, d), numbers(m), numbers(d, m), numbers(d), **options)


SELECTIVE = SelectiveStateSpace(
    -np.exp(numbers(2, 3)), numbers(3, 2), numbers(3, 2), (numbers(2, 2), numbers(2))
)
INPUTS = numbers(4, 2, seed=5)
A = np.array([[2.0, 0.5], [0.5, 1.0]])
LAYER = LSELayer([[1.0, -1.0], [2.0, 0.5]], [0.0, 0.5], 0.5, kappa=1.5)

# ---- symbols -----------------------------------------------------------------------------------------

SYMBOLIC = {
    "lse": lambda s: hamiltonian(LAYER, symbolic=s),
    "lse, kernel": lambda s: hamiltonian(LAYER, symbolic=s, gauge="kernel", t=0.5),
    "lse, anisotropic": lambda s: hamiltonian(LAYER, symbolic=s, A=A),
    "maximum": lambda s: hamiltonian(Polynomial([[1.0], [-1.0], [0.5]], [0.0, 1.0, 0.25]), symbolic=s),
    "relu network": lambda s: hamiltonian([(numbers(2, 2), numbers(2)), ([[1.0, -1.0]], [0.5])], symbolic=s),
    **{
        name: lambda s, name=name: hamiltonian(name, eps=0.5, w=[1.0, 0.5], b=0.25, symbolic=s)
        for name in ("softplus", "sigmoid", "tanh", "silu")
    },
    "relu": lambda s: hamiltonian("relu", w=[1.0, -2.0], b=0.5, symbolic=s),
    "gelu": lambda s: hamiltonian("gelu", w=[1.0, -2.0], b=0.5, symbolic=s),
    "residual step": lambda s: residual_step(
        numbers(3, 2), numbers(3), numbers(2, 3), numbers(2), symbolic=s
    ),
    "residual network": lambda s: hamiltonian(residual(SmoothGate("gelu")), symbolic=s),
    "attention": lambda s: attention(numbers(3, 2), numbers(3, 2, seed=1), symbolic=s),
    "rnn": lambda s: rnn(numbers(2, 2), numbers(2, 1), numbers(2), [1.0], symbolic=s),
    "gru": lambda s: gru(numbers(6, 2), numbers(6), numbers(6, seed=1), symbolic=s),
    "lstm": lambda s: lstm(numbers(8, 2), numbers(8), symbolic=s),
    "state space": lambda s: StateSpace(numbers(2, 2), numbers(2, 1)).system([0.5], symbolic=s),
    "selective": lambda s: SELECTIVE.system(INPUTS[:2], symbolic=s),
    "transformer": lambda s: block(2, 3, biases=numbers(4, 2)).system(2, symbolic=s),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_values_for_the_symbols_give_the_system_of_numbers(name):
    symbols, plain = SYMBOLIC[name](True), SYMBOLIC[name](False)
    assert symbols.parameters and not plain.parameters
    assert set(symbols.parameters) <= symbols.H.free_symbols.union(
        symbols.viscosity.free_symbols, *(V.free_symbols for V in symbols.fields.values())
    )
    here = dict(zip((*plain.x, *plain.p, plain.t), (0.3, -0.7, 0.45, 1.1, 0.2, 0.9, -1.3, 0.4), strict=False))
    here |= {v: 0.3 + 0.1 * k for k, v in enumerate((*plain.x, *plain.p))} | {plain.t: 0.7}

    def value(expr, system):
        return complex(sympy.N(expr.subs(system.parameters).subs(here)))

    pairs = [(symbols.H, plain.H), (symbols.viscosity, plain.viscosity)]
    pairs += [(symbols.fields[key], V) for key, V in plain.fields.items()]
    if isinstance(plain.output, sympy.Expr):
        pairs.append((symbols.output, plain.output))
    for a, b in pairs:
        assert value(a, symbols) == pytest.approx(value(b, plain), rel=1e-12, abs=1e-14)


def test_symbols_have_a_limit_with_the_size():
    with pytest.raises(BudgetExceeded, match="the cell: 930, the limit is 400; leave out symbolic"):
        rnn(numbers(30, 30), symbolic=True)


UNITS = {
    "softplus": lambda z: 0.5 * np.logaddexp(z / 0.5, 0),
    "sigmoid": lambda z: expit(z / 0.5),
    "tanh": lambda z: np.tanh(z / 0.5),
    "silu": lambda z: z * expit(z / 0.5),
    "relu": lambda z: np.maximum(z, 0),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
}


@pytest.mark.parametrize("name", UNITS)
def test_units_with_weights(name):
    options = {} if name in ("relu", "gelu") else {"eps": 0.5}
    system = hamiltonian(name, w=[1.0, -0.5], b=0.25, **options)
    x = numbers(2, 5)
    found = sympy.lambdify(system.x, system.output)(*x)
    np.testing.assert_allclose(found, UNITS[name](x[0] - 0.5 * x[1] + 0.25), rtol=1e-12, atol=1e-15)
    if name != "relu":
        assert system.residual_at([0.3, -0.4], 0.7) < 1e-30
        assert HJSystem(**{**vars(system), "viscosity": 2}).residual_at([0.3, -0.4], 0.7) > 1e-4


# ---- anisotropic -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gauge", ["plane wave", "kernel"])
def test_anisotropic_layers(gauge):
    system = hamiltonian(LAYER, A=A, gauge=gauge, t=0.5)
    assert system.residual() == 0 and system.residual_at([0.3, -0.2], 0.7) < 1e-30
    x = numbers(2, 5)
    np.testing.assert_allclose(sympy.lambdify(system.x, system.output)(*x), LAYER(x.T), rtol=1e-12)
    parts = vars(system)
    for wrong in ({"A": None}, {"viscosity": system.viscosity * 2}, {"H": system.H / 2}):
        assert HJSystem(**{**parts, **wrong}).residual_at([0.3, -0.2], 0.05) > 1e-4
    if gauge == "kernel":
        assert HJSystem(**{**parts, "source": 0}).residual_at([0.3, -0.2], 0.7) > 1e-4
    assert r"\operatorname{tr}" in system.latex() and "A   " in str(system)


def test_anisotropic_residuals_of_symbols():
    for gauge in ("plane wave", "kernel"):
        assert (
            hamiltonian(
                LSELayer([[1.0, 2.0]] * 2, [0.0, 1.0], 1.0), A=A, gauge=gauge, symbolic=True
            ).residual()
            == 0
        )


def test_an_anisotropic_lagrangian_is_the_inverse_form():
    v = np.array([0.3, -0.8])
    L = sympy.lambdify(sympy.symbols("v1 v2", real=True), hamiltonian(LAYER, A=A).lagrangian)
    assert L(*v) == pytest.approx(v @ np.linalg.solve(A, v) / (4 * 1.5), rel=1e-14)


# ---- matrix symbols ----------------------------------------------------------------------------------


def of_rates(step):
    """p·(step(x) − x) of points (n, d)."""
    return lambda x, p: (p * (step(x) - x)).sum(axis=-1)


W70, U70 = numbers(70, 70) / 4, numbers(210, 70) / 4
LARGE = {
    "rnn": (rnn(W70, b=numbers(70)), of_rates(lambda x: np.tanh(x @ W70.T + numbers(70)))),
    "residual": (
        residual_step(numbers(80, 70) / 4, numbers(80), numbers(70, 80), numbers(70), activation="silu"),
        lambda x, p: (
            p
            * (
                (lambda z: z * expit(z))(x @ (numbers(80, 70) / 4).T + numbers(80)) @ numbers(70, 80).T
                + numbers(70)
            )
        ).sum(axis=-1),
    ),
    "state space": (
        StateSpace(W70, numbers(70, 2)).system([1.0, -2.0]),
        lambda x, p: (p * (x @ W70.T + numbers(70, 2) @ [1.0, -2.0])).sum(axis=-1),
    ),
    "lse": (
        hamiltonian(LSELayer(numbers(5, 70), numbers(5), 1.0, kappa=2.0), A=np.diag(np.arange(1.0, 71.0))),
        lambda x, p: 2 * (p**2 @ np.arange(1.0, 71.0)),
    ),
    "attention": (
        attention(W70, W70, eps=2.0),
        lambda x, p: (
            -2
            * (
                p
                * (
                    (lambda e: e / e.sum(axis=-1, keepdims=True))(
                        np.exp((x @ W70.T + 0.5 * (W70**2).sum(1)) / 2)
                    )
                    @ W70
                )
            ).sum(axis=-1)
        ),
    ),
    "transformer": (
        block(8, 9, heads=2, biases=numbers(4, 8), causal=True, gate="gelu").system(9),
        lambda x, p: (
            p
            * block(8, 9, heads=2, biases=numbers(4, 8), causal=True, gate="gelu")
            .rate(x.reshape(-1, 9, 8))
            .reshape(x.shape)
        ).sum(axis=-1),
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_systems_are_functions_of_arrays(name):
    system, expected = LARGE[name]
    x, p = numbers(3, system.size, seed=2), numbers(3, system.size, seed=3)
    assert system.is_matrix and len(str(system)) < 1500 and system.label in system.latex()
    np.testing.assert_allclose(system.lambdify()(x.T, p.T, 0.5), expected(x, p), rtol=1e-10)
    assert system.lambdify()(x[0], p[0], 0.5).shape == ()
    for ask in ("pde", "hamilton_equations", "lagrangian"):
        with pytest.raises(
            BudgetExceeded, match=f"{system.size}, the limit is 64; read H, lambdify and defect"
        ):
            getattr(system, ask)
    with pytest.raises(ShapeError, match="x and p have shapes"):
        system.lambdify()(x[0, :-1], p[0, :-1])


def test_gated_cells_in_matrix_symbols_are_those_in_scalars():
    """The same cell, padded with states that do nothing, so that it is large."""
    for make, gates in ((gru, 3), (lstm, 4)):
        W, drive = numbers(gates * 2, 2), numbers(gates * 2)
        small = make(W, drive)
        grown = np.zeros((gates, 70, 70)), np.zeros((gates, 70))
        grown[0][:, :2, :2], grown[1][:, :2] = W.reshape(gates, 2, 2), drive.reshape(gates, 2)
        large = make(grown[0].reshape(-1, 70), grown[1].ravel())
        blocks = len(small.x) // 2
        x, p = numbers(blocks * 2, seed=1), numbers(blocks * 2, seed=2)
        wide = [np.pad(v.reshape(blocks, 2), ((0, 0), (0, 68))).ravel() for v in (x, p)]
        assert large.lambdify()(*wide, 0.0) == pytest.approx(float(small.lambdify()(x, p, 0.0)), rel=1e-12)
        assert large.defect(wide[0]) == pytest.approx(small.defect(x), rel=1e-7)


def test_inputs_without_values_are_asked_for():
    with pytest.raises(InputError, match="u; give their values"):
        StateSpace(W70, numbers(70, 2)).system().lambdify()


# ---- residual networks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gate",
    [SmoothGate("tanh"), layers.Relu(), layers.Softplus(0.5), layers.clip(-1, 1), layers.LeakyRelu(0.1)],
    ids=str,
)
def test_residual_networks_are_steps_of_their_flow(gate):
    network = residual(gate)
    system = hamiltonian(network)
    assert system.label == "structural" and system.is_linear_in_p and "Affine 3 → 2" in system.readout
    rates = [
        sympy.lambdify([system.x], [system.H.subs(system.t, t).diff(q) for q in system.p]) for t in (0.1, 0.4)
    ]
    inputs = numbers(6, 3)
    values = network.values(inputs)
    for x, after, rate in ((values[1], values[5], rates[0]), (values[5], values[9], rates[1])):
        np.testing.assert_allclose(after, x + 0.25 * np.transpose(rate(x.T)), rtol=1e-12, atol=1e-14)
    ends = []
    for x in values[1]:
        for rate in rates:
            x = solve_ivp(lambda _, y, rate=rate: rate(y), (0, 0.25), x, rtol=1e-10, atol=1e-12).y[:, -1]
        ends.append(x)
    np.testing.assert_allclose(
        system.defect(values[1]), np.linalg.norm(ends - values[9], axis=1), rtol=1e-6, atol=1e-9
    )


def test_equal_blocks_have_one_hamiltonian_and_sizes_their_own():
    one = residual(SmoothGate("tanh"), blocks=1).nodes[1:-1]
    tied = Network(2, (*one[:0], *(Node(n.layer, tuple(i - 1 for i in n.inputs)) for n in one)))
    twice = (*tied.nodes, *(Node(n.layer, tuple(i + 4 for i in n.inputs)) for n in tied.nodes))
    system = hamiltonian(Network(2, twice))
    assert system.t not in system.H.free_symbols and system.H == hamiltonian(tied).H
    wider = (*tied.nodes, Node(layers.Affine(numbers(2, 2), numbers(2)), (4,)))
    wider += tuple(Node(n.layer, tuple(i + 5 for i in n.inputs)) for n in tied.nodes)
    assert [s.label for s in hamiltonian(Network(2, wider))] == ["structural"] * 2


def test_a_gate_behind_the_sum_belongs_to_the_block():
    nodes = [
        Node(layers.Affine(numbers(2, 2), numbers(2)), (0,)),
        Node(layers.Add(), (0, 1)),
        Node(layers.Relu(), (2,)),
    ]
    system = hamiltonian(Network(2, tuple(nodes)))
    x, p = numbers(2, 4), numbers(2, 4, seed=1)
    after = Network(2, tuple(nodes))(x.T).T
    np.testing.assert_allclose(system.lambdify()(x, p, 0.0), (p * (after - x)).sum(axis=0), atol=1e-14)


def test_piecewise_linear_residual_networks_are_pairs_once_compiled():
    network = residual(layers.Relu(), blocks=1, m=2)
    pair = hamiltonian(hjsym.compile(network))
    x = numbers(4, 3)
    assert pair.label == "exact"
    np.testing.assert_allclose(sympy.lambdify(pair.x, pair.output)(*x.T), network(x)[:, 0], rtol=1e-10)


def test_layers_without_a_formula_are_refused_by_name():
    nodes = [Node(layers.Maximum([[0, 1], [1, 0]]), (0,)), Node(layers.Add(), (0, 1))]
    with pytest.raises(UnsupportedLayerError, match="Maximum of 2 in a residual block"):
        hamiltonian(Network(2, tuple(nodes)))


def test_large_residual_networks():
    network = residual(layers.clip(-1, 1), d=70, m=5)
    system = hamiltonian(network)
    x, p = numbers(70, 2), numbers(70, 2, seed=1)
    values = network.values(numbers(1, 3))
    for t, start, end in ((0.1, 1, 5), (0.3, 5, 9)):
        moved = (values[end] - values[start]).T / 0.25
        state = np.broadcast_to(values[start].T, x.shape)
        np.testing.assert_allclose(system.lambdify()(state, p, t), (p * moved).sum(axis=0), rtol=1e-9)


def test_residual_modules_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    class Block(torch.nn.Module):
        def __init__(self, gate):
            super().__init__()
            self.F = torch.nn.Sequential(torch.nn.Linear(2, 3), gate, torch.nn.Linear(3, 2))

        def forward(self, x):
            return x + 0.5 * self.F(x)

    for gate in (torch.nn.Tanh(), torch.nn.GELU(), torch.nn.SiLU(), torch.nn.Sigmoid(), torch.nn.ReLU()):
        net = (
            torch.nn.Sequential(torch.nn.Linear(4, 2), Block(gate), Block(gate), torch.nn.Linear(2, 1))
            .double()
            .eval()
        )
        system = hamiltonian(net)
        x = torch.randn(5, 2, dtype=torch.double)
        for t, part in ((0.2, net[1]), (0.7, net[2])):
            expected = part.F(x).detach().numpy()
            found = [
                float(
                    system.H.diff(q).subs(system.t, t).subs(dict(zip(system.x, x[0].tolist(), strict=True)))
                )
                for q in system.p
            ]
            np.testing.assert_allclose(found, expected[0], rtol=1e-12)
        assert "size 0.5" in system.readout
    with pytest.raises(UnsupportedLayerError, match="Tanh"):
        hamiltonian(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()))


def test_trained_blocks_of_torch_keep_their_norms_and_biases():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 6, norm_first=True, batch_first=True).double().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
        x = torch.randn(3, 5, 4, dtype=torch.double)
        np.testing.assert_allclose(
            TransformerBlock.from_torch(layer)(x.numpy()), layer(x).numpy(), rtol=1e-10, atol=1e-10
        )


# ---- selective models --------------------------------------------------------------------------------


def test_selective_steps_are_exponentials_and_solved_flows():
    h = numbers(2, 3)
    u = INPUTS[0]
    times = np.logaddexp(numbers(2, 2) @ u + numbers(2), 0)
    np.testing.assert_allclose(SELECTIVE.times(u), times, rtol=1e-14)
    drive = numbers(3, 2) @ u
    for k in range(2):
        block = np.zeros((4, 4))
        block[:3, :3], block[:3, 3] = np.diag(SELECTIVE.A[k]), drive * u[k]
        expected = expm(times[k] * block) @ [*h[k], 1.0]
        np.testing.assert_allclose(SELECTIVE(h, u)[k], expected[:3], rtol=1e-12)
    system = SELECTIVE.system(INPUTS)
    assert system.label == "exact" and "time" in system.reason
    assert system.defect(numbers(2, 6)).max() < 1e-9


def test_a_selective_model_runs_as_its_recurrence():
    outputs, states = SELECTIVE.run(INPUTS)
    h = np.zeros((2, 3))
    for k, u in enumerate(INPUTS):
        length = np.log1p(np.exp(numbers(2, 2) @ u + numbers(2)))[:, None]
        h = np.exp(length * SELECTIVE.A) * h + (np.exp(length * SELECTIVE.A) - 1) / SELECTIVE.A * np.outer(
            u, numbers(3, 2) @ u
        )
        np.testing.assert_allclose(states[k + 1], h, rtol=1e-12)
        np.testing.assert_allclose(outputs[k], h @ (numbers(3, 2) @ u), rtol=1e-12)


def test_the_hold_of_mamba_is_structural_and_functions_are_taken():
    options = (SELECTIVE.A, SELECTIVE.B, SELECTIVE.C, SELECTIVE.time)
    euler = SelectiveStateSpace(*options, hold="Euler").system(INPUTS[0])
    assert euler.label == "structural" and (euler.defect(numbers(2, 6)) > 1e-4).all()
    called = SelectiveStateSpace(SELECTIVE.A, lambda u: u @ numbers(3, 2).T, SELECTIVE.C, SELECTIVE.times)
    np.testing.assert_array_equal(called.run(INPUTS)[0], SELECTIVE.run(INPUTS)[0])
    with pytest.raises(InputError, match="pass u="):
        called.system()
    with pytest.raises(InputError, match="hold is"):
        SelectiveStateSpace(*options, hold="first")
    with pytest.raises(InputError, match="> 0"):
        SelectiveStateSpace(SELECTIVE.A, SELECTIVE.B, SELECTIVE.C, lambda u: -(u**2)).times(INPUTS)
    with pytest.raises(ShapeError, match="u has shape"):
        SELECTIVE.run(numbers(4, 3))
    slow = SelectiveStateSpace(np.zeros((1, 1)), [[1.0]], [[1.0]], ([[0.0]], [0.0]))  # A = 0: no division
    np.testing.assert_allclose(slow([[1.0]], [3.0]), [[1 + 9 * np.log(2)]], rtol=1e-14)


# ---- Lagrangians -------------------------------------------------------------------------------------

X, P, T = sympy.symbols("x1 p1 t", real=True)


def of_formula(H) -> HJSystem:
    return HJSystem("a formula", "exact", "given", H, (X,), (P,), T)


@pytest.mark.parametrize(
    ("H", "reach"),
    [
        (P**4 / 4 + X**2, 3),
        (sympy.sqrt(1 + P**2), 0.9),
        (sympy.Max(P, -2 * P), 0.9),
        (P**2 - X, 3),
        (sympy.Abs(P) ** 3 / 3, 3),
    ],
    ids=str,
)
def test_lagrangians_are_maxima_by_brute_force(H, reach):
    L = sympy.lambdify((X, sympy.Symbol("v1", real=True)), of_formula(H).lagrangian)
    p = np.linspace(-6, 6, 200001)
    energies = sympy.lambdify((X, P), H)(0.5, p)
    for v in np.linspace(-reach, reach, 5):
        assert float(L(0.5, v)) == pytest.approx((p * v - energies).max(), abs=1e-6)


def test_hamiltonians_that_are_not_convex_have_no_lagrangian():
    with pytest.raises(NotConvexError, match="not convex in p") as caught:
        _ = of_formula(P**4 - P**2).lagrangian
    a, m, b = map(float, caught.value.witness)
    share = (m - a) / (b - a)
    f = lambda p: p**4 - p**2  # noqa: E731
    assert f(m) > (1 - share) * f(a) + share * f(b)
    with pytest.raises(BudgetExceeded, match="FromCallable"):
        _ = of_formula(sympy.Add(*(sympy.exp(k * P) for k in range(1, 40)))).lagrangian


def test_lagrangians_of_space_time_networks():
    net = SpaceTimeNetwork([-1.0, 0.0, 1.0], [0.5, 0.0, 0.5], [0.0, -0.5, 0.0])
    L = sympy.lambdify(sympy.Symbol("v1", real=True), net.system().lagrangian)
    p = np.linspace(-1, 1, 2001)
    for v in (-2.0, 0.25, 3.0):
        assert L(v) == pytest.approx((v * p - net.hamiltonian(p)).max(), abs=1e-12)
    bent = SpaceTimeNetwork([-1.0, 0.0, 1.0], [0.0, 0.5, 0.0], [0.0, -0.5, 0.0])
    with pytest.raises(NotConvexError) as caught:
        _ = bent.system().lagrangian
    a, m, b = caught.value.witness
    share = (m - a) / (b - a)
    assert bent.hamiltonian(m) > (1 - share) * bent.hamiltonian(a) + share * bent.hamiltonian(b)
    saddle = SpaceTimeNetwork([[0.0, 0], [1, 0], [0, 1], [1, 1]], [0.0, 1, 1, 0], [0.0, -0.1, -0.1, 0])
    verdict = saddle.convexity()
    assert verdict.convex is False
    a, m, b = verdict.witness
    share = np.linalg.norm(m - a) / np.linalg.norm(b - a)
    assert saddle.hamiltonian(m) > (1 - share) * saddle.hamiltonian(a) + share * saddle.hamiltonian(b)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: hamiltonian(LAYER, gauge="kernel", t=0), InputError, "t is 0"),
        (lambda: hamiltonian(LAYER, gauge="kernel", t=-1), InputError, "t is -1"),
        (lambda: hamiltonian(LAYER, gauge="kernel").residual_at([0.0, 0.0], 0), InputError, "t > 0"),
        (lambda: hamiltonian(LAYER).residual_at([0.0], 1.0), ShapeError, "x has 1"),
        (lambda: hamiltonian("tanh", eps=-1), InputError, "eps is -1"),
        (lambda: hamiltonian("softplus", eps=0), InputError, "temperature > 0"),
        (lambda: hamiltonian("sigmoid", w=[0.0, 0.0]), InputError, "w is 0"),
        (lambda: hamiltonian(LAYER, A=[[1.0, 2.0], [0.0, 1.0]]), InputError, "not symmetric"),
        (lambda: hamiltonian(LAYER, A=[[1.0, 2.0], [2.0, 1.0]]), InputError, "eigenvalue -1"),
        (lambda: hamiltonian(LAYER, A=np.eye(3)), ShapeError, "A has shape"),
        (lambda: residual_step([[1.0]], [0.0], [[1.0]], [0.0], h=-1), InputError, "h is -1"),
        (lambda: rnn(numbers(2, 2)).defect([0.0, 0.0, 0.0]), ShapeError, "points have shape"),
        (lambda: rnn(numbers(4, 2)), ShapeError, "square"),
        (lambda: SmoothGate("step"), InputError, "activation 'step'"),
        (lambda: hamiltonian("mish"), UnsupportedLayerError, "activation 'mish' is not known; read are gelu"),
        (lambda: hamiltonian(SELECTIVE, u=INPUTS, A=A), InputError, "A means nothing for SelectiveStateSpace"),
        (lambda: hamiltonian(LAYER, epsilon=1), InputError, "epsilon means nothing for LSELayer"),
        (lambda: hamiltonian(residual(layers.Relu()), u=[1.0]), InputError, "u means nothing for a residual"),
    ],
)  # fmt: skip
def test_bad_questions(make, error, message):
    with pytest.raises(error, match=message):
        make()

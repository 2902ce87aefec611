"""Log-sum-exp layers as Hamilton–Jacobi equations, against mpmath, finite differences and closed forms."""

import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from hjsym.hopf import LSELayer, symbolic_residual
from hjsym.layers import Affine, LogSumExp, Relu, Softplus
from hjsym.network import Network
from tropical import BudgetExceeded, InputError, ShapeError

# Miñoza, Legara, Monterola, arXiv:2605.28983, core check; digits recomputed to 30 figures.
ATOMS, VALUES, TIME = [-1.5, -0.5, 0.5, 1.5], [1.0, 0.3, 0.3, 1.0], 1.0
GOLDEN = [
    # eps, x, f, f_0, f', f'', H(π), ũ
    (1.0, -1.0, 0.68226430329687, -0.1125, -0.17512109648197, 0.16900754534758, 1.1988630718884, 0.83324782018777),
    (0.3, 0.0, -0.14911086745667, -0.3625, 0.0, 0.23831034993682, 0.78324194832612, 0.34816858385318),
    (0.05, 2.0, 0.13840749649709, 0.1375, 0.2589931039508, 0.088313541375438, 0.090094810126261, 0.84997480283829),
]  # fmt: skip
GENERIC = ["plane wave", "kernel", "kernel normalised", "network"]


def random_layer(
    seed: int, neurons: int = 7, variables: int = 3, eps: float = 0.4, kappa: float = 1.0
) -> LSELayer:
    rng = np.random.default_rng(seed)
    return LSELayer(rng.normal(size=(neurons, variables)), rng.normal(size=neurons), eps, kappa)


def mp_field(layer: LSELayer, gauge: str, t: float):
    """F or u as a function of (x_1 … x_d, time) in mpmath, from its definition."""
    rows = [[mpmath.mpf(float(w)) for w in row] for row in layer.W]
    offsets = [mpmath.mpf(float(b)) for b in layer.b]
    kappa, eps = mpmath.mpf(layer.kappa), mpmath.mpf(layer.eps)

    def plane_wave(*arguments):
        *x, s = arguments
        phases = [
            sum(w * v for w, v in zip(row, x, strict=True)) + b + s * kappa * sum(w * w for w in row)
            for row, b in zip(rows, offsets, strict=True)
        ]
        return eps * mpmath.log(sum(mpmath.exp(z / eps) for z in phases))

    def kernel(*arguments):
        *x, now = arguments
        costs = []
        for row, b in zip(rows, offsets, strict=True):
            y = [2 * kappa * t * w for w in row]
            g = -b - kappa * t * sum(w * w for w in row)
            costs.append(g + sum((v - c) ** 2 for v, c in zip(x, y, strict=True)) / (4 * kappa * now))
        return -eps * mpmath.log(sum(mpmath.exp(-c / eps) for c in costs))

    return plane_wave if gauge == "plane wave" else kernel


def derivatives(field, point: list[float]) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """∂_time, |∇|² and Δ by numerical differentiation in 40 digits; the last coordinate is the time."""
    d = len(point) - 1
    order = np.eye(d + 1, dtype=int).tolist()
    gradient = [mpmath.diff(field, point, tuple(order[k])) for k in range(d)]
    laplacian = sum(mpmath.diff(field, point, tuple(2 * np.array(order[k]))) for k in range(d))
    return mpmath.diff(field, point, tuple(order[d])), sum(g * g for g in gradient), laplacian


@pytest.fixture(autouse=True)
def forty_digits():
    with mpmath.workdps(40):
        yield


# ---- golden values and closed forms ----------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"eps={row[0]},x={row[1]}")
def test_core_check_of_the_paper(row):
    eps, x, f, limit, slope, curvature, entropy, normalised = row
    layer = LSELayer.from_initial_data(ATOMS, VALUES, eps, TIME)
    point = [x]
    got = [
        layer(point),
        layer.polynomial.deform(0)(point),
        layer.polynomial.gradient(point)[0],
        layer.polynomial.hessian(point)[0, 0],
        layer.polynomial.entropy(point),
        layer.kernel(TIME).u_normalised(point),
    ]
    np.testing.assert_allclose(got, [f, limit, slope, curvature, entropy, normalised], rtol=1e-13, atol=1e-15)


def test_initial_data_round_trip():
    gauge = LSELayer.from_initial_data(ATOMS, VALUES, 0.3, t=0.7, kappa=2.0).kernel(0.7)
    y, g = gauge.initial_data
    np.testing.assert_allclose(y.ravel(), ATOMS, rtol=1e-15)
    np.testing.assert_allclose(g, VALUES, rtol=1e-15)


def test_hopf_lax_of_the_absolute_value():
    """u_t + ½u_x² = 0 from |x| on a fine grid: x²/2t inside |x| ≤ t, |x| − t/2 outside (Evans, PDE, §3.3)."""
    grid = np.linspace(-4, 4, 8001)
    gauge = LSELayer.from_initial_data(grid, np.abs(grid), eps=0.1, t=1.0, kappa=0.5).kernel(1.0)
    x = np.linspace(-2.5, 2.5, 41)
    exact = np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5)
    np.testing.assert_allclose(gauge.hopf_lax(x[:, None]), exact, atol=1e-6)


def test_sum_starts_from_its_data_and_the_normalised_one_does_not():
    gauge = LSELayer.from_initial_data(ATOMS, VALUES, 0.05).kernel(1.0)
    at_atoms = np.array(ATOMS)[:, None]
    np.testing.assert_allclose(gauge.u(at_atoms, t=1e-4), VALUES, atol=1e-12)
    assert (gauge.u_normalised(at_atoms, t=1e-4) < np.array(VALUES) - 0.15).all()


# ---- the equations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gauge", GENERIC)
@pytest.mark.parametrize(("neurons", "variables"), [(1, 1), (2, 1), (3, 2)])
def test_sympy_reduces_the_residual_to_zero(gauge, neurons, variables):
    assert symbolic_residual(gauge, neurons, variables) == 0


def test_the_defect_is_needed():
    """Negative control: without the defect εd/2t the un-normalised sum does not solve the equation."""
    t, eps = sympy.symbols("t epsilon", positive=True)
    x, y, g = sympy.symbols("x y g", real=True)
    u = -eps * sympy.log(sympy.exp(-(g + (x - y) ** 2 / (4 * t)) / eps))
    residual = sympy.simplify(u.diff(t) + u.diff(x) ** 2 - eps * u.diff(x, 2))
    assert sympy.simplify(residual + eps / (2 * t)) == 0
    assert residual != 0


@pytest.mark.parametrize("kappa", [1.0, 0.5, 3.0])
def test_plane_wave_equation_by_differences(kappa):
    layer = random_layer(1, kappa=kappa)
    point = [0.3, -0.2, 0.5, 0.25]
    time, square, laplacian = derivatives(mp_field(layer, "plane wave", 1), point)
    assert abs(time - kappa * square - layer.viscosity * laplacian) < 1e-12
    assert abs(time - 2 * kappa * square - layer.viscosity * laplacian) > 1e-3  # another κ is seen
    np.testing.assert_allclose(
        layer.plane_wave(point[:3], 0.25), float(mp_field(layer, "plane wave", 1)(*point))
    )


@pytest.mark.parametrize("kappa", [1.0, 0.5, 3.0])
@pytest.mark.parametrize("t", [0.5, 2.0])
def test_kernel_equation_by_differences(kappa, t):
    layer = random_layer(2, kappa=kappa)
    point = [0.3, -0.2, 0.5, t]
    field = mp_field(layer, "kernel", t)
    time, square, laplacian = derivatives(field, point)
    defect = layer.eps * layer.variables / (2 * t)
    assert abs(time + kappa * square - layer.viscosity * laplacian + defect) < 1e-12
    np.testing.assert_allclose(layer.kernel(t).u(point[:3]), float(field(*point)), rtol=1e-14)


@given(
    st.integers(0, 50),
    st.sampled_from([0.05, 0.4, 3.0]),
    st.sampled_from([0.25, 1.0, 4.0]),
    st.sampled_from([0.5, 1.0]),
)
def test_residuals_by_moments_vanish(seed, eps, t, kappa):
    layer = random_layer(seed, eps=eps, kappa=kappa)
    points = np.random.default_rng(seed).normal(size=(20, 3))
    gauge = layer.kernel(t)
    assert np.abs(layer.plane_wave.residual(points, s=0.3)).max() < 1e-13
    for normalised in (False, True):
        assert np.abs(gauge.residual(points, normalised)).max() < 1e-13
    assert np.abs(gauge.identity_defect(points)).max() < 1e-13


def test_time_is_a_gauge():
    layer = random_layer(4)
    points = np.random.default_rng(4).normal(size=(30, 3))
    for t in (0.1, 1.0, 7.0):
        action = (points**2).sum(axis=1) / (4 * t)
        np.testing.assert_allclose(action - layer.kernel(t).u(points), layer(points), atol=1e-12)


def test_hopf_lax_is_the_limit_within_its_bound():
    layer = random_layer(5)
    points = np.random.default_rng(5).normal(size=(50, 3))
    for eps in (1.0, 0.1, 1e-3):
        gauge = LSELayer(layer.W, layer.b, eps).kernel(1.0)
        gap = gauge.hopf_lax(points) - gauge.u(points)
        assert (gap >= -1e-12).all()
        assert gap.max() <= eps * math.log(layer.neurons) + 1e-12


def test_printed_equations():
    layer = LSELayer([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], eps=0.5)
    x1, x2 = sympy.symbols("x1 x2", real=True)
    s = sympy.Symbol("s", real=True)
    field = sympy.Function("F")(x1, x2, s)
    expected = field.diff(x1) ** 2 + field.diff(x2) ** 2 + 0.5 * (field.diff(x1, 2) + field.diff(x2, 2))
    assert layer.plane_wave.pde() == sympy.Eq(field.diff(s), expected)
    assert r"\Delta F" in layer.plane_wave.latex()
    assert r"\frac{0.5}{t}" in layer.kernel(1.0).latex()
    assert r"\tilde u" in layer.kernel(1.0).latex(normalised=True)
    assert "utilde" in str(layer.kernel(1.0).pde(normalised=True))


# ---- reading, writing, refusing ----------------------------------------------------------------------------


def test_from_network_and_back():
    layer = random_layer(6)
    points = np.random.default_rng(6).normal(size=(10, 3))
    network = layer.to_network()
    np.testing.assert_allclose(network(points)[:, 0], layer(points), rtol=1e-14)
    np.testing.assert_array_equal(LSELayer.from_network(network).W, layer.W)
    softplus = Network.sequential(3, [Affine([[1.0, 2.0, -1.0]], [0.5]), Softplus(0.3)])
    np.testing.assert_allclose(LSELayer.from_network(softplus)(points), softplus(points)[:, 0], rtol=1e-14)
    with pytest.raises(InputError, match="Affine 3 → 1 → Relu"):
        LSELayer.from_network(Network.sequential(3, [Affine([[1.0, 2.0, -1.0]], [0.5]), Relu()]))


def test_save_and_load(tmp_path):
    layer = LSELayer([[1.0], [2.0]], [0.0, 1.0], 0.5, labels=[0, 1])
    layer.save(tmp_path / "layer.npz", note="kept")
    again = LSELayer.load(tmp_path / "layer.npz")
    np.testing.assert_array_equal(again.W, layer.W)
    np.testing.assert_array_equal(again.labels, layer.labels)
    assert again.eps == 0.5
    assert [p.name for p in tmp_path.iterdir()] == ["layer.npz"]


def test_class_probabilities():
    layer = LSELayer([[1.0], [2.0], [0.0]], [0.0, 1.0, 0.5], 0.5, labels=[0, 1, 0])
    weights = layer.polynomial.weights([0.3])
    np.testing.assert_allclose(layer.class_probabilities([0.3]), [weights[0] + weights[2], weights[1]])
    with pytest.raises(InputError, match="no labels"):
        random_layer(0).class_probabilities([0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSELayer([[1.0]], [0.0], 0.0), "eps is 0.0"),
        (lambda: LSELayer([[1.0]], [0.0], math.nan), "eps is nan"),
        (lambda: LSELayer([[1.0]], [0.0], 1.0, kappa=-1.0), "kappa is -1.0"),
        (lambda: LSELayer([[math.nan]], [0.0], 1.0), r"slopes\[0, 0\] is nan"),
        (lambda: LSELayer([[1.0]], [-math.inf], 1.0), "infinite offset"),
        (lambda: LSELayer(np.zeros((0, 2)), [], 1.0), "no neurons"),
        (lambda: LSELayer([[1.0]], [0.0], 1.0, labels=[0, 1]), "labels have shape"),
        (lambda: LSELayer([[1.0]], [0.0, 1.0], 1.0), r"slopes have shape \(1, 1\)"),
        (lambda: LSELayer([[1.0]], [0.0], 1.0).kernel(0.0), "t is 0.0"),
        (lambda: LSELayer([[1.0]], [0.0], 1.0).kernel(1.0).u([0.0], t=-1.0), "t is -1.0"),
        (lambda: symbolic_residual("heat"), "gauge 'heat' is unknown"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_sizes_are_capped():
    with pytest.raises(BudgetExceeded, match="use residual"):
        symbolic_residual("plane wave", 10, 10)
    with pytest.raises(ShapeError, match="unreadable"):
        LSELayer(np.zeros((2, 101)), np.zeros(2), 1.0).plane_wave.pde()


def test_log_sum_exp_layer_agrees():
    layer = random_layer(8)
    points = np.random.default_rng(8).normal(size=(5, 3))
    phases = points @ layer.W.T + layer.b
    np.testing.assert_allclose(LogSumExp(layer.eps)(phases)[:, 0], layer(points), rtol=1e-14)

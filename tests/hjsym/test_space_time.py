"""The Hamiltonian of max networks in space and time: the Hopf formula by brute force, and what violates the theorem."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hjsym.systems import SpaceTimeNetwork, hamiltonian
from tropical.errors import InputError, ShapeError

QUARTER = st.integers(-8, 8).map(lambda k: k / 4)


def networks(d, most=5):
    row = st.tuples(*[QUARTER] * d, QUARTER, QUARTER)
    rows = st.lists(row, min_size=1, max_size=most, unique_by=lambda r: r[:d])
    return rows.map(
        lambda rows: SpaceTimeNetwork(*(np.array(rows)[:, part] for part in (slice(0, d), d, d + 1)))
    )


def by_programs(net, p) -> float:
    """H(p) by its definition: first J*(p), then the least θ among the means that attain it."""
    A = np.vstack([net.momenta.T, np.ones(len(net.theta))])
    first = linprog(net.gamma, A_eq=A, b_eq=[*p, 1], bounds=(0, None))
    if first.status == 2:
        return np.inf
    rows = [*A, net.gamma]
    second = linprog(net.theta, A_eq=rows, b_eq=[*p, 1, first.fun], bounds=(0, None))
    return second.fun if second.status == 0 else np.nan  # the equality of optima was lost to rounding


@given(data=st.data(), d=st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_the_hamiltonian_is_that_of_its_definition(data, d):
    net = data.draw(networks(d))
    alpha = np.array(
        data.draw(st.lists(st.integers(0, 4), min_size=len(net.theta), max_size=len(net.theta))), float
    )
    p = alpha @ net.momenta / alpha.sum() if alpha.any() else np.full(d, 7.0)
    found = net.hamiltonian(p[0] if d == 1 else p)
    expected = by_programs(net, p)
    if np.isfinite(found) and np.isfinite(expected):  # means of three may round off the hull
        np.testing.assert_allclose(found, expected, atol=1e-7)
    if not alpha.any():
        assert found == np.inf


@given(net=networks(1), x=QUARTER, t=st.integers(0, 8).map(lambda k: k / 4))
@settings(max_examples=60, deadline=None)
def test_networks_without_violations_are_the_hopf_formula(net, x, t):
    """S(x, t) = max_p (px − J*(p) − tH(p)) by brute force over momenta, which the p_i are among."""
    if net.violations:
        return
    p = np.union1d(np.linspace(net.momenta.min(), net.momenta.max(), 201), net.momenta[:, 0])
    conjugate = net.at(0)
    J = np.array([by_hull(net, q) for q in p])
    value = (p * x - J - t * net.hamiltonian(p)).max()
    np.testing.assert_allclose(net([x], t), value, atol=1e-9)
    assert conjugate([x]) == net([x], 0)


def by_hull(net, p) -> float:
    """J*(p): the lower hull of the points (p_i, γ_i), by all pairs."""
    q, g = net.momenta[:, 0], net.gamma
    best = [g[i] for i in range(len(q)) if q[i] == p]
    for i in range(len(q)):
        for k in range(len(q)):
            if q[i] < p < q[k]:
                best.append(g[i] + (p - q[i]) / (q[k] - q[i]) * (g[k] - g[i]))
    return min(best)


def test_facts():
    """|x| − t/2: H = ½ on [−1, 1] (J. Darbon, G. P. Langlois, T. Meng, 2020, example 3.1, scaled)."""
    net = SpaceTimeNetwork([1.0, -1.0], [0.5, 0.5], [0.0, 0.0])
    np.testing.assert_array_equal(net.hamiltonian([-1.0, 0.0, 0.3, 1.0, 1.1]), [0.5, 0.5, 0.5, 0.5, np.inf])
    assert net([3.0], 2.0) == 2.0
    # H may be convex on each cell and not on their union
    net = SpaceTimeNetwork([-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0])
    assert net.violations == () and net.cells == ((1, 2), (0, 1))[:: 1 if net.cells[0] == (1, 2) else -1]
    np.testing.assert_allclose(net.hamiltonian([-0.5, 0.0, 0.5]), [0.5, 1.0, 0.5])


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (SpaceTimeNetwork([0.0, 0.0], [1.0, 2.0], [0.0, 0.0]), "repeat"),
        (SpaceTimeNetwork([-1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]), r"neurons \[1\] are nowhere"),
        (SpaceTimeNetwork([-1.0, 0.0, 1.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]), "neuron 1 is a mean"),
    ],
)
def test_networks_that_solve_no_equation(net, message):
    with pytest.raises(InputError, match=message):
        hamiltonian(net)


def test_the_system_in_two_variables():
    net = SpaceTimeNetwork([[1, 0], [0, 1], [-1, -1], [0, 0]], [0.5, 0.2, 0.3, 0.1], [0.0, 0.0, 0.0, 0.0])
    system = hamiltonian(net)
    H = sympy.lambdify(system.p, system.H)
    points = np.array([[0.0, 0.0], [0.5, 0.5], [0.2, 0.1], [-0.5, -0.5]])
    np.testing.assert_allclose([float(H(*q)) for q in points], net.hamiltonian(points), rtol=1e-12)
    assert H(3.0, 3.0) == sympy.oo or H(3.0, 3.0) == np.inf
    assert system.label == "exact" and system.output.subs(
        {system.x[0]: 2, system.x[1]: 1, system.t: 1}
    ) == Fraction(3, 2)


def test_momenta_on_a_line_of_the_plane():
    net = SpaceTimeNetwork([[0.0, 0.0], [1.0, 1.0]], [0.0, 1.0], [0.0, 0.0])
    np.testing.assert_allclose(net.hamiltonian([[0.5, 0.5], [0.5, 0.25]]), [0.5, np.inf])


def test_bad_networks():
    with pytest.raises(ShapeError, match="momenta"):
        SpaceTimeNetwork([1.0], [1.0, 2.0], [0.0])
    with pytest.raises(InputError, match="finite"):
        SpaceTimeNetwork([np.inf], [1.0], [0.0])
    with pytest.raises(InputError, match="t is -1"):
        SpaceTimeNetwork([1.0], [1.0], [0.0])([0.0], -1)

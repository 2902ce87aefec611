"""Solutions on grids as maps of their data: closed forms, the algebra, the semigroup's defect, and shocks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.solutions import Mixture, Propagator, shock_set
from tropical import Semiring
from tropical.errors import BudgetExceeded, InputError, ShapeError

TILTED = np.array([[2.0, 0.6], [0.6, 0.5]])
TWO_WELLS = Mixture(
    [np.diag([1.0, 2.0]), [[1.0, 0.5], [0.5, 1.0]]], [[0.0, 1.0], [-0.5, 0.0]], [0.0, 0.1], eps=0.3
)


def grid(*x):
    return np.stack(np.meshgrid(*x, indexing="ij"), axis=-1)


# ---- closed forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("A", [None, np.diag([2.0, 0.5]), TILTED], ids=["plain", "diagonal", "full"])
@pytest.mark.parametrize("kappa", [0.5, 2.0])
def test_mixtures_in_two_variables(A, kappa):
    """Soft minima of quadratics at the temperature ν/κ stay so; far from the ends sums are integrals."""
    x = [np.linspace(-5, 5, 61), np.linspace(-4, 4, 65)]
    points, inner = grid(*x), (slice(22, 39),) * 2
    u = Propagator(x, 0.5, kappa=kappa, nu=0.3 * kappa, A=A)(TWO_WELLS(points))
    exact = TWO_WELLS.at(0.5, kappa, A)(points)
    np.testing.assert_allclose(u[inner], exact[inner], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("A", [np.diag([2.0, 0.5]), TILTED], ids=["diagonal", "full"])
def test_hard_mixtures_in_two_variables(A):
    """Above the minimum over the plane, by what half a node costs."""
    x = [np.linspace(-4, 4, 65)] * 2
    u0 = Mixture(TWO_WELLS.Q, TWO_WELLS.b, TWO_WELLS.c)
    points, inner = grid(*x), (slice(24, 41),) * 2
    excess = (Propagator(x, 0.5, A=A)(u0(points)) - u0.at(0.5, A=A)(points))[inner]
    steepest = np.linalg.norm(
        np.linalg.inv(A) / 2 + np.eye(2) * 2, 2
    )  # of the cost's and the data's curvature
    assert excess.min() >= -1e-14 and excess.max() <= steepest * 2 * (8 / 64 / 2) ** 2


def test_three_variables_and_separate_data():
    x = [np.linspace(-3, 3, n) for n in (21, 25, 23)]
    points = grid(*x)
    u0 = Mixture([np.diag([1.0, 2.0, 3.0])], np.zeros((1, 3)), [0.0], eps=0.5)
    propagator = Propagator(x, 0.2, nu=0.5, A=np.diag([1.0, 2.0, 0.5]))
    both = propagator(np.stack([u0(points), u0(points) + 1]))
    exact = u0.at(0.2, 1.0, propagator.A)(points)
    inner = (slice(9, 13),) * 3
    np.testing.assert_allclose(both[0][inner], exact[inner], atol=1e-4)
    np.testing.assert_allclose(both[1], both[0] + 1, rtol=1e-14)


@pytest.mark.parametrize("nu", [0.0, 0.4])
def test_all_pairs_and_axis_by_axis_agree(nu):
    x = [np.linspace(0, 2, 9), np.linspace(0, 3, 13)]
    propagator = Propagator(x, 0.3, kappa=0.5, nu=nu, A=np.diag([2.0, 0.5]))
    g = np.random.default_rng(0).normal(size=(2, 9, 13))
    for normalised in (True, False):
        np.testing.assert_allclose(
            propagator(g, normalised), propagator._by_pairs(g, normalised), rtol=0, atol=1e-13
        )


# ---- the algebra -------------------------------------------------------------------------------------

LINE = np.linspace(-1, 1, 17)
VALUES = st.lists(st.integers(-8, 8).map(lambda k: k / 4), min_size=17, max_size=17).map(np.array)


@given(
    f=VALUES,
    g=VALUES,
    t=st.sampled_from([0.25, 1.0]),
    kappa=st.sampled_from([0.5, 1.0]),
    eps=st.sampled_from([0, 0.1]),
)
@settings(max_examples=40, deadline=None)
def test_linear_monotone_contracting_and_semiconcave(f, g, t, kappa, eps):
    """Over the min-plus semiring at temperature ε."""
    S = Propagator(LINE, t, kappa=kappa, nu=kappa * eps)
    soft = Semiring(sign=-1, eps=eps)
    u, v = S(f, normalised=False), S(g, normalised=False)
    both = S(soft.add(f, g), normalised=False)
    np.testing.assert_allclose(both, soft.add(u, v), atol=1e-13)
    np.testing.assert_allclose(S(f + 0.75, normalised=False), u + 0.75, atol=1e-13)
    assert (S(np.minimum(f, g), normalised=False) <= np.minimum(u, v) + 1e-13).all()
    assert np.abs(u - v).max() <= np.abs(f - g).max() + 1e-13
    assert (np.diff(u, 2) <= (LINE[1] - LINE[0]) ** 2 / (2 * kappa * t) + 1e-13).all()
    hard = Propagator(LINE, t, kappa=kappa)(f)
    assert ((hard - u >= -1e-13) & (hard - u <= eps * math.log(17) + 1e-13)).all()


# ---- the semigroup -----------------------------------------------------------------------------------


@pytest.mark.parametrize("h", [0.5, 0.4, 0.3])
def test_the_defect_of_the_soft_semigroup_is_its_bound(h):
    """Of a single well, whose middle is at a node for some x and between two for others."""
    x = np.arange(-80, 81) * h
    s, t, kappa, nu = 0.3, 0.2, 0.5, 0.1
    first, then, both = (Propagator(x, time, kappa=kappa, nu=nu) for time in (s, t, s + t))
    g = np.where(x == 0, 0.0, np.inf)
    defect = np.abs(then(first(g)) - both(g))[60:101].max()
    bound = then.semigroup_bound(s)
    assert 0.5 * bound < defect <= bound * (1 + 1e-9) + 1e-14
    sigma = s * t / (s + t)
    assert bound == pytest.approx(2 * nu / kappa * math.exp(-4 * math.pi**2 * nu * sigma / h**2), rel=0.35)
    plain = then(first(g, False), False) - both(g, False)
    gap = -nu / kappa * math.log(math.sqrt(4 * math.pi * nu * sigma) / h)
    np.testing.assert_allclose(plain[60:101], gap, atol=bound + 1e-12)


@given(
    a=st.floats(0.3, 3),
    nu=st.sampled_from([0.0, 0.05, 0.5]),
    s=st.floats(0.1, 1),
    t=st.floats(0.1, 1),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_the_bound_holds_in_two_variables(a, nu, s, t, seed):
    x = [np.arange(-20, 21) * 0.3, np.arange(-16, 17) * 0.4]
    tilt = 0.3 * (seed % 2)
    A = np.array([[a, tilt * a], [tilt * a, 1.0 + tilt]])
    maps = [Propagator(x, time, nu=nu, A=A) for time in (s, t, s + t)]
    centre = np.random.default_rng(seed).integers(-2, 3, size=2)
    g = np.full((41, 33), np.inf)
    g[20 + centre[0], 16 + centre[1]] = 0.0
    inner = slice(16, 25), slice(13, 20)
    defect = (maps[1](maps[0](g)) - maps[2](g))[inner]
    bound = maps[1].semigroup_bound(s) + 1e-12
    reach = 6 * math.sqrt(2 * nu * np.linalg.eigvalsh(A)[1] * s * t / (s + t))
    if reach < 3.6:  # else the grid ends too early
        assert np.abs(defect).max() <= bound
    if not nu:
        assert defect.min() >= -1e-12


# ---- shocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [1.5, 2.0, 3.0])
def test_the_shock_of_a_ramp(t):
    """v₀ = 1, then 1 − y on [0, 1], then 0: at (1 + t)/2 after t = 1, where v falls by 1 (Evans, section 3.4.1)."""
    y = np.linspace(-6, 6, 2401)
    g = np.where(y <= 0, y, np.where(y <= 1, y - y**2 / 2, 0.5))
    found = shock_set(g, y, t, kappa=0.5)
    np.testing.assert_allclose(found.points, [[(1 + t) / 2]], atol=0.005)
    np.testing.assert_allclose(found.jumps, [1.0], atol=0.01)
    assert not len(shock_set(g, y, 0.5, kappa=0.5).points)


def test_a_curve_of_shocks():
    """Two wells of different depths: on the curve the two quadratics tie, and their slopes differ by the jump."""
    x = [np.linspace(-2, 2, 161), np.linspace(-2, 2, 121)]
    centres, heights = np.array([[-1.0, 0.0], [0.5, 0.75]]), [0.0, 0.25]
    u0 = Mixture.of_distances(centres, heights, weight=20.0)
    found = shock_set(u0(grid(*x)), x, 1.0, kappa=0.5)
    u = u0.at(1.0, kappa=0.5)
    near = (np.abs(found.points) < 1.5).all(axis=1)
    left, right = u._parts(found.points[near]).T
    assert near.sum() > 100 and np.abs(left - right).max() < 0.02
    slopes = u._slopes(found.points[near])
    np.testing.assert_allclose(
        found.jumps[near], np.linalg.norm(slopes[:, 0] - slopes[:, 1], axis=1), atol=0.1
    )


@pytest.mark.parametrize("d", [1, 2])
def test_pictures(d, tmp_path):
    pytest.importorskip("matplotlib")
    x = [np.linspace(-1, 1, 41)] * d
    ax = shock_set(-np.abs(grid(*x)).sum(axis=-1), x, 0.2).plot()
    ax.figure.savefig(tmp_path / "shocks.png")
    assert (tmp_path / "shocks.png").stat().st_size > 5000


# ---- questions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Propagator(LINE, 0.0), InputError, "t is 0"),
        (lambda: Propagator(LINE, 1.0, kappa=-1.0), InputError, "kappa is -1"),
        (lambda: Propagator(LINE, 1.0, nu=-0.5), InputError, "nu is -0.5"),
        (lambda: Propagator(LINE, 1.0, A=[[-1.0]]), InputError, "positive definite"),
        (lambda: Propagator(LINE**3, 1.0), InputError, "even distances"),
        (lambda: Propagator(LINE, 1.0)(np.zeros(5)), ShapeError, r"pass \(..., 17\)"),
        (lambda: Propagator([np.arange(100.0)] * 2, 1.0, A=TILTED), BudgetExceeded, "pairs of nodes"),
        (lambda: Propagator(LINE, 1.0).semigroup_bound(-1.0), InputError, "s is -1"),
        (lambda: shock_set(LINE, LINE, -1.0), InputError, "t is -1"),
        (lambda: shock_set(LINE, LINE, 1.0, apart=1), InputError, "apart is 1"),
        (lambda: shock_set(np.zeros(3), LINE, 1.0), ShapeError, "axes have"),
        (lambda: shock_set(np.full(17, np.inf), LINE, 1.0), InputError, "everywhere"),
        (lambda: shock_set(np.zeros((4, 4, 4)), [np.arange(4.0)] * 3, 1.0).plot(), ShapeError, "pictures"),
    ],
)  # fmt: skip
def test_bad_questions(make, error, message):
    with pytest.raises(error, match=message):
        make()

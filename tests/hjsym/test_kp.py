"""KP residuals in SymPy and by cumulants, u against mpmath, line solitons and their web against numeric u; what is
no solution."""

import doctest
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.hopf import LSELayer
from hjsym.kp import KP, TauFunction, symbolic_residual
from tropical.errors import BudgetExceeded, InputError, ShapeError

ROOT = Path(__file__).resolve().parents[2]
K, C = np.array([-1.1, -0.4, 0.3, 0.9, 1.6]), np.array([0.0, 0.7, -0.3, 0.4, 0.0])


@st.composite
def taus(draw, least=1):
    """Slopes apart from each other, so that solitons are."""
    n = draw(st.integers(least, 6))
    gaps = draw(st.lists(st.floats(0.2, 1.5), min_size=n, max_size=n))
    c = draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n))
    return TauFunction(np.cumsum(gaps) - sum(gaps) / 2, c, draw(st.floats(0.05, 2)))


COORDINATES = st.tuples(*[st.floats(-10, 10)] * 3)


# ---- the equation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_residual_is_zero_in_symbols(count):
    assert symbolic_residual(count) == 0


@pytest.mark.parametrize("place", range(4))
def test_no_other_equation_is_solved(place):
    """Each coefficient matters: one more of any is no longer solved by two exponentials."""
    other = list(KP)
    other[place] += 1
    assert symbolic_residual(2, equation=other) != 0
    tau = TauFunction(K, C, 0.5)
    assert tau.residual(np.linspace(-3, 3, 41), 0.4, 0.2, equation=other).max() > 0.05


def test_the_expression_solves_the_equation_as_it_is_printed():
    """SymPy differentiates τ itself; evaluated to 40 digits at a point."""
    tau = TauFunction([-1, 2], [0, 1], eps=2)
    x, y, T = sympy.symbols("x y T", real=True)
    u = 2 * 2**2 * sympy.log(tau.expression()).diff(x, 2)
    (unknown,) = tau.equation().lhs.atoms(sympy.core.function.AppliedUndef)
    residual, second = tau.equation().lhs.subs(unknown, u).doit(), u.diff(y, 2)
    with mpmath.workdps(40):
        at = [mpmath.mpf(v) for v in (0.25, -0.125, 0.5)]
        zero, some, value = sympy.lambdify((x, y, T), (residual, second, u), "mpmath", cse=True)(*at)
    assert abs(zero) < 1e-34 and abs(some) > 1e-3
    assert float(tau.u(*map(float, at))) == pytest.approx(float(value), rel=1e-13)


@settings(max_examples=60)
@given(taus(), COORDINATES)
def test_residual_by_cumulants(tau, at):
    x, y, T = at
    assert tau.residual(x + np.linspace(-2, 2, 9), y, T).max() < 1e-10


def test_many_neurons():
    rng = np.random.default_rng(0)
    tau = TauFunction(rng.uniform(-2, 2, 10_000), rng.normal(size=10_000), 0.02)
    x, y = rng.uniform(-5, 5, (2, 7, 40))  # more than a block
    residual = tau.residual(x, y, 0.1)
    assert residual.shape == (7, 40) and residual.max() < 1e-11
    assert tau.residual(x, y, 0.1, equation=(-4, 1, 6, 2)).max() > 1e-3


# ---- values ------------------------------------------------------------------------------------------


def _by_mpmath(tau, x, y, T):
    """F and u = 2ε² ∂_x² log τ by numerical differentiation with 60 digits."""
    with mpmath.workdps(60):
        k, c = ([mpmath.mpf(v) for v in values.tolist()] for values in (tau.k, tau.c))

        def log_tau(s):
            return mpmath.log(
                sum(
                    mpmath.exp((p * s + p**2 * y + p**3 * T + q) / tau.eps) for p, q in zip(k, c, strict=True)
                )
            )

        second = mpmath.diff(log_tau, mpmath.mpf(x), 2)
        return float(tau.eps * log_tau(x)), float(2 * mpmath.mpf(tau.eps) ** 2 * second)


@settings(max_examples=25)
@given(taus(), COORDINATES)
def test_values_against_mpmath(tau, at):
    F, u = _by_mpmath(tau, *at)
    assert float(tau(*at)) == pytest.approx(F, rel=1e-13, abs=1e-12)
    assert float(tau.u(*at)) == pytest.approx(u, rel=1e-7, abs=1e-11)
    assert 0 <= tau.u(*at) <= (tau.k[-1] - tau.k[0]) ** 2 / 2 * (1 + 1e-12)


def test_nothing_overflows():
    tau = TauFunction(100 * K, C, 1e-3)
    x = np.array([-1e6, 0.0, 1e6])
    assert np.isfinite(tau(x, 1e6, -1e4)).all() and np.isfinite(tau.u(x, 1e6, -1e4)).all()
    assert np.isfinite(tau.residual(x, 1e6, -1e4)).all()


def test_y_is_the_plane_wave_time():
    layer = LSELayer(K[:, None], C, eps=0.3)
    tau, x = TauFunction.from_layer(layer), np.linspace(-3, 3, 13)
    np.testing.assert_allclose(tau(x, 0.7), layer.plane_wave(x[:, None], 0.7), rtol=1e-13)
    h = 1e-4
    second = (tau(x + h, 0.7) - 2 * tau(x, 0.7) + tau(x - h, 0.7)) / h**2
    np.testing.assert_allclose(tau.u(x, 0.7), 2 * 0.3 * second, atol=1e-5)


def test_equal_slopes_are_one_exponential():
    twice = TauFunction([1.0, -1.0, 1.0], [0.0, 0.3, 0.5], 0.4)
    assert twice.k.tolist() == [-1.0, 1.0] and len(twice) == 2
    expected = 0.4 * np.log(np.exp(1.25) + np.exp(0.0))
    assert twice.c[1] == pytest.approx(expected)
    merged = twice.u(np.linspace(-1, 1, 5), 0.2)
    np.testing.assert_allclose(
        merged, TauFunction([-1.0, 1.0], [0.3, expected], 0.4).u(np.linspace(-1, 1, 5), 0.2)
    )
    assert TauFunction([2.0, 2.0], [0.0, 1.0]).u(1.0, 1.0) == 0


# ---- solitons ------------------------------------------------------------------------------------------


@given(st.floats(-2, 0), st.floats(0.1, 2), st.floats(-1, 1), st.floats(0.1, 2), COORDINATES)
def test_two_exponentials_are_one_soliton(a, b, c, eps, at):
    tau = TauFunction([a, b], [0.0, c], eps)
    (soliton,) = tau.solitons()
    assert soliton.upward is None
    assert float(tau.u(*at)) == pytest.approx(float(soliton(*at)), rel=1e-8, abs=1e-10)
    top = tau.u(soliton.ridge(at[1], at[2]), at[1], at[2])
    assert float(top) == pytest.approx((b - a) ** 2 / 2, rel=1e-9) == soliton.amplitude


def _profile(tau, soliton, y, T):
    """u across a ridge: the largest value, and where."""
    x = soliton.ridge(y, T) + np.linspace(-1.5, 1.5, 3001)
    values = tau.u(x, y, T)
    return values.max(), x[values.argmax()] - soliton.ridge(y, T)


def test_asymptotics():
    """For y → +∞ one soliton [1, N], for y → −∞ N − 1 solitons [j, j + 1], at their places with their heights."""
    tau, T = TauFunction(K, C, 0.4), 0.5
    rays = [s for s in tau.solitons(T) if s.upward is not None]
    assert [s.pair for s in rays if s.upward] == [(0, 4)]
    assert [s.pair for s in rays if not s.upward] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    for soliton in rays:
        for far in (40.0, 60.0):
            y = far if soliton.upward else -far
            height, shift = _profile(tau, soliton, y, T)
            assert height == pytest.approx(soliton.amplitude, rel=1e-6) and abs(shift) < 2e-3
            along = soliton.ridge(y, T) + 0.3
            step = 7.0 if soliton.upward else -7.0
            moved = tau.u(along + step * soliton.direction[0], y + step * soliton.direction[1], T)
            assert float(moved) == pytest.approx(float(tau.u(along, y, T)), rel=1e-6)
            later = tau.u(along + 0.25 * soliton.speed, y, T + 0.25)
            assert float(later) == pytest.approx(float(tau.u(along, y, T)), rel=1e-6)


def test_the_web_is_where_u_is():
    """On edges of the web u tends to the height of their soliton as ε → 0, off it to 0."""
    T, eps = 3.0, 0.02
    tau = TauFunction(K, C, eps)
    web, solitons = tau.web(T), tau.solitons(T)
    inner = [s for s in solitons if s.upward is None]
    assert len(solitons) == len(web.cells) and inner
    for soliton in solitons:
        (x, y) = np.mean(soliton.ends, axis=0)
        if soliton.upward is not None:
            y += 2.0 if soliton.upward else -2.0
            x = soliton.ridge(y, T)
        assert float(tau.u(x, y, T)) == pytest.approx(soliton.amplitude, rel=1e-3), soliton.pair
    grid = np.stack(np.meshgrid(np.linspace(-12, 12, 60), np.linspace(-12, 12, 60)), axis=-1)
    x, y = grid[..., 0], grid[..., 1]
    values = K * x[..., None] + K**2 * y[..., None] + K**3 * T + C
    first, second = np.sort(values, axis=-1)[..., [-1, -2]].transpose(2, 0, 1)
    u = tau.u(x, y, T)
    assert (u[first - second > 30 * eps] < 1e-9).all() and (u[first - second < eps / 10] > 0.05).all()


def test_the_web_is_exact():
    tau = TauFunction([-1.0, 0.25, 1.5], [0.5, 0.0, 0.0])
    web = tau.web(Fraction(1, 3))
    ((x, y),) = web.vertices
    thetas = {
        k * x + k**2 * y + k**3 / 3 + c
        for k, c in ((Fraction(-1), Fraction(1, 2)), (Fraction(1, 4), 0), (Fraction(3, 2), 0))
    }
    assert isinstance(x, Fraction) and len(thetas) == 1
    assert web.is_balanced()


# ---- what is refused, pictures, examples -----------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: TauFunction([], []), InputError, "no exponentials"),
        (lambda: TauFunction([1.0, np.nan], [0.0, 0.0]), InputError, "not finite"),
        (lambda: TauFunction([1.0, 2.0], [0.0]), ShapeError, r"\(2,\)"),
        (lambda: TauFunction([[1.0]], [[0.0]]), ShapeError, r"\(N,\)"),
        (lambda: TauFunction([1.0], [0.0], 0.0), InputError, "eps"),
        (lambda: TauFunction([1.0, 1.0], [0.0, 2.0]).web(), InputError, "two different slopes"),
        (lambda: TauFunction([1.0, 2.0], [0.0, 2.0]).solitons(np.nan), InputError, "finite time"),
        (lambda: TauFunction.from_layer(LSELayer(np.eye(2), [0, 0], 1.0)), InputError, "on a line"),
        (lambda: TauFunction([1.0], [0.0]).u([1.0, 2.0], [1.0, 2.0, 3.0]), ShapeError, "broadcast"),
        (lambda: symbolic_residual(0), InputError, "at least"),
        (lambda: symbolic_residual(7), BudgetExceeded, "numeric"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_one_exponential_is_flat():
    tau = TauFunction([1.5], [0.2])
    assert tau.u(0.3, 0.2, 0.1) == 0 and tau.residual(np.zeros(3), 0.0).tolist() == [0, 0, 0]
    assert tau.residual(np.zeros(0), 0.0).shape == (0,)


def test_picture():
    pytest.importorskip("matplotlib")
    ax = TauFunction(K, C).plot(2.0, box=((-9, 9), (-6, 6)), pixels=50)
    assert ax.get_xlim() == (-9, 9) and ax.get_ylim() == (-6, 6)
    assert len(ax.lines) >= len(TauFunction(K, C).web(2.0).cells)
    assert ax.images[0].get_array().shape == (50, 50)


def test_examples_of_the_page():
    result = doctest.testfile(str(ROOT / "docs" / "kp.md"), module_relative=False)
    assert result.attempted > 5 and result.failed == 0

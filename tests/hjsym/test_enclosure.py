"""Suprema of formulas over boxes, proved: against mpmath on fine grids, and in closed form."""

import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.symbols import LogSumExp
from hjsym.systems import supremum
from hjsym.systems.power_series import PowerSeries
from tropical.errors import InputError

pytest.importorskip("flint")
x, y = sympy.symbols("x y", real=True)
FORMULAS = {
    "polynomial": x**3 - 2 * x * y + y - 1,
    "cancelling": sympy.tanh(x + y) - sympy.tanh(x) - sympy.tanh(y),
    "rational": (x - y) / (2 + x * y),
    "root": sympy.sqrt(3 + x * y) - x,
    "inverse root": (2 + x) ** sympy.Rational(-3, 2),
    "power": (2 + x) ** y,
    "waves": sympy.sin(3 * x) * sympy.cos(2 * y) + sympy.atan(x),
    "hyperbolic": sympy.sinh(x) - sympy.cosh(y) / 2,
    "Gaussian": sympy.erf(x) - sympy.exp(-(y**2)) + sympy.tan(x / 2),
    "soft": LogSumExp(sympy.Rational(1, 4), x, 2 * y, 0) - sympy.log(3 + x),
    "constants": sympy.pi * x + sympy.E - sympy.Float(0.1),
}


def values(f, points):
    g = sympy.lambdify((x, y), f, "mpmath")
    return [g(*map(mpmath.mpf, point)) for point in points]


@pytest.mark.parametrize("f", FORMULAS.values(), ids=FORMULAS)
def test_between_the_largest_value_on_a_grid_and_a_little_more(f):
    grid = np.linspace(-1, 1, 33)
    sampled = max(map(abs, values(f, [(a, b) for a in grid for b in grid])))
    found = supremum(f, [x, y], rtol=0.02, most_cells=3000)
    assert sampled <= found.upper <= 1.02 * found.lower
    assert abs(values(f, [found.at])[0]) >= found.lower
    assert found.lower <= 1.05 * sampled


@given(st.lists(st.integers(-8, 8), min_size=6, max_size=6), st.floats(-2, 1), st.floats(0.01, 2))
@settings(max_examples=30, deadline=None)
def test_polynomials_in_one_variable(numbers, low, width):
    """|f| is largest at an end or where f′ = 0."""
    f = sum(c * x**k for k, c in enumerate(numbers))
    found = supremum(f, [x], (low, low + width), rtol=1e-3, atol=1e-9)
    roots = np.roots([k * c for k, c in reversed(list(enumerate(numbers)))][:-1] or [0])
    inner = [r.real for r in roots if abs(r.imag) < 1e-9 and low < r.real < low + width]
    largest = max(abs(np.polyval(numbers[::-1], v)) for v in (low, low + width, *inner))
    assert found.lower - 1e-9 <= largest * (1 + 1e-9)
    assert largest <= found.upper * (1 + 1e-9) + 1e-9
    assert found.upper <= found.lower * 1.001 + 1e-9


@pytest.mark.parametrize("z", [-3.0, 0.25, 1.5])
@pytest.mark.parametrize("f", [sympy.tanh(x), LogSumExp(1, x, 0), sympy.cosh(x)])
def test_coefficients_are_those_of_mpmath(f, z):
    found = PowerSeries(f, (x,)).coefficients([z], [1.0], 6)
    with mpmath.workdps(30):
        g = {
            sympy.tanh(x): mpmath.tanh, sympy.cosh(x): mpmath.cosh,
            LogSumExp(1, x, 0): lambda s: mpmath.log(1 + mpmath.exp(s)),
        }[f]  # fmt: skip
        expected = mpmath.taylor(g, mpmath.mpf(z), 5)
    assert all(abs(float(a) - float(b)) <= 1e-14 for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("f", [1 / (x - y), 1 / x, sympy.log(x), sympy.sqrt(x), sympy.tan(2 * x)])
def test_poles_and_ends_of_domains_have_no_bound(f):
    assert supremum(f, [x, y], most_cells=50).upper == math.inf


def test_constants_and_single_symbols():
    assert supremum(sympy.Integer(-3), [x]).upper == pytest.approx(3)
    found = supremum(y, [x, y], ([0, -2], [5, 1]))
    assert found.lower == pytest.approx(2) and found.upper == pytest.approx(2) and found.at[1] == -2


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (sympy.Symbol("m") * x, "symbol m"),
        (sympy.gamma(x), "gamma"),
        (sympy.Abs(x), "Abs"),
        (sympy.oo + x, "oo"),
    ],
)
def test_formulas_that_are_refused(f, message):
    with pytest.raises(InputError, match=message):
        supremum(f, [x, y])


def test_without_python_flint(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "flint", None)
    with pytest.raises(InputError, match=r"hjsym\[proof\]"):
        supremum(x, [x])

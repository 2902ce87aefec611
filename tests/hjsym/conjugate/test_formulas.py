"""Expressions of functions of several variables, infimal convolutions, proximal maps as formulas: against numbers."""

import numpy as np
import pytest
import sympy

from hjsym.conjugate import LogSumExp, conjugate, infimal_convolution, norm, prox
from hjsym.conjugate.symbolic.prox import ProximalMap
from tropical import Polynomial, Semiring
from tropical.errors import InputError

x, y, lam = sympy.symbols("x y lam", real=True)
POINTS = np.array([[0.25, 0.5], [1.0, 1.0], [-0.5, 0.0], [0.0, -2.0], [2.0, 0.25]])

FUNCTIONS = [
    x**2 + y**4,
    sympy.exp(x) + abs(y),
    x**2 + x * y + y**2 + 3 * x,
    (x + y) ** 2 / 2,
    sympy.Max(x, y, 0),
    sympy.Max(x + y, 2 * x, sympy.Rational(1, 3)),
    sympy.sqrt(1 + x**2 + y**2),
]


@pytest.mark.parametrize("f", FUNCTIONS, ids=str)
def test_conjugates_in_two_variables_are_their_expressions(f):
    c = conjugate(f)
    values = c(POINTS)
    for point, value in zip(POINTS, values, strict=True):
        at = dict(zip(sympy.symbols("y1 y2", real=True), map(sympy.Rational, point), strict=True))
        assert float(c.expr.subs(at)) == pytest.approx(float(value), rel=1e-13, abs=1e-13)


def test_soft_functions_print_as_their_symbol():
    f = LogSumExp(Polynomial([[1.0, 0.0], [0.0, 2.0]], [0.0, 1.0], Semiring(eps=0.5)))
    at = dict(zip(sympy.symbols("y1 y2", real=True), (0.25, -1.0), strict=True))
    assert float(f.expr.subs(at)) == pytest.approx(float(f([0.25, -1.0])), rel=1e-13)
    with pytest.raises(InputError, match="EntropyOnHull is numeric"):
        _ = f.conjugate().expr


PAIRS = [
    (sympy.exp(x), x**2 / 2),
    (abs(x), x**2 / 2),
    (sympy.log(1 + sympy.exp(x)), abs(x)),
    (sympy.exp(x), sympy.exp(x)),
]


@pytest.mark.parametrize(("f", "g"), PAIRS, ids=str)
def test_infimal_convolutions_of_formulas_are_formulas(f, g):
    found = infimal_convolution(f, g)
    z = np.linspace(-20, 20, 400_001)
    for point in (-1.0, 0.5, 2.0):
        least = np.min(sympy.lambdify(x, f)(z) + sympy.lambdify(x, g)(point - z))
        assert found(point) == pytest.approx(least, abs=1e-7)
        assert float(found.expr.subs(found.symbol, sympy.Rational(point))) == pytest.approx(least, abs=1e-7)


def test_proximal_maps_without_a_point():
    soft = prox(abs(x), sympy.Symbol("lam", positive=True))
    assert isinstance(soft, ProximalMap)
    assert soft.expr.subs({soft.symbol: 3, sympy.Symbol("lam", positive=True): 1}) == 2
    block = prox(norm(2), 1.0)
    np.testing.assert_allclose(block([3.0, 4.0]), [2.4, 3.2])
    assert prox(-sympy.log(x), 1)(1.0) == pytest.approx((1 + np.sqrt(5)) / 2)

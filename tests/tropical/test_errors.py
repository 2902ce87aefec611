"""Every refusal says what was got, what is needed and what to do."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tropical import (
    MIN_PLUS,
    BudgetExceeded,
    Circuit,
    InputError,
    Polynomial,
    Rational,
    Semiring,
    SemiringMismatchError,
    ShapeError,
    TropicalError,
    matmul,
    mixed_volume,
    star,
)
from tropical.circuit import combine, soft_max

LINE, PLANE = Polynomial([1.0, -1.0], [0, 0]), Polynomial([[1.0, 0.0], [0.0, 1.0]], [0, 0])
MANY = Polynomial(np.zeros((4000, 1)), np.zeros(4000))
X, XY = Circuit.identity(1), Circuit.identity(2)
RELU = X + 0
SOFT = RELU.deform(0.4)
DEEP = RELU.affine([[1], [2]]) + RELU.affine([[1], [1]])  # two outputs of two monomials each

SHAPES = {
    r"slopes have shape \(3, 2\) and coefficients \(2,\); pass .*\(N, d\)": lambda: Polynomial(
        np.ones((3, 2)), [1, 2]
    ),
    r"slopes have shape \(1, 1, 1\)": lambda: Polynomial([[[1]]], [1]),
    r"slopes is ragged.*rows of equal length": lambda: Polynomial([[1], [1, 2]], [1, 2]),
    r"x has shape \(5, 3\) but there are 2 variables; pass points of shape \(\.\.\., 2\)": lambda: PLANE(
        np.ones((5, 3))
    ),
    r"x has shape \(\) but there are 2 variables": lambda: PLANE(1.0),
    r"x has shape \(3,\) but there are 1 variables": lambda: RELU([1.0, 2.0, 3.0]),
    r"one polynomial has 1 variables, the other 2": lambda: LINE + PLANE,
    r"P has 1 variables and Q has 2": lambda: Rational(LINE, PLANE),
    r"P has 1 outputs and Q has 2": lambda: Rational(RELU, DEEP),
    r"weights have shape \(1, 3\) but the circuit has 2 outputs; pass weights of shape \(k, 2\)": (
        lambda: XY.affine([[1, 2, 3]])
    ),
    r"bias has shape \(3,\) and weights \[\(1, 2\)\]; pass \(k,\) and \(k, m\)": lambda: XY.affine(
        [[1, 2]], [1, 2, 3]
    ),
    r"circuits with \[1, 2\] outputs; give all the same": lambda: soft_max([RELU, DEEP]),
}

VALUES = {
    r"coefficients\[1\] is nan; coefficients must not be NaN": lambda: Polynomial([1, 2], [0, math.nan]),
    r"slopes\[1, 0\] is inf; slopes must be finite": lambda: Polynomial([1, math.inf], [0, 0]),
    r"slopes has dtype complex128; pass float32": lambda: Polynomial([1j], [0]),
    r"exact entries at eps = 0.5: .*use eps = 0 or call to_float": lambda: Polynomial(
        [Fraction(1)], [0], Semiring(1, 0.5)
    ),
    r"semiring is 'max'; pass MAX_PLUS, MIN_PLUS or a Semiring": lambda: Polynomial([1.0], [0], "max"),
    r"semiring is None": lambda: matmul(np.eye(2), np.eye(2), None),
    r"semiring is -1": lambda: star(-np.eye(2), -1),
    r"got a str; pass a Polynomial or a number": lambda: LINE.equals("x"),
    r"got a Rational; pass a Polynomial or a number": lambda: LINE.equals(LINE / LINE),
    r"mixed_volume got a int; pass Polytopes or Polynomials": lambda: mixed_volume(1, 2),
    r"coefficients\[1\] is 9007199254740993; no float64 holds it; pass a Fraction": lambda: Polynomial(
        [[0], [1]], [0, 2**53 + 1]
    ),
    r"A\[0, 0\] is -9007199254740993; no float64": lambda: star([[-(2**53) - 1]]),
    r"affine_at needs eps = 0, got 0.5; use gradient or deform": lambda: LINE.deform(0.5).affine_at(0.0),
    r"no dominant monomial there": lambda: LINE.affine_at(math.nan),
    r"power -2: .*use 1 / p\*\*2": lambda: LINE**-2,
    r"power 0.5 at eps = 0.4: .*scale the entries by 0.5 and deform to 0.2": lambda: LINE.deform(0.4) ** 0.5,
    r"P is a Polynomial and Q a Circuit; pass two Polynomials or two Circuits": lambda: Rational(LINE, RELU),
    r"weight -2.0 on a circuit is negative.*carry numerator and denominator": lambda: RELU.affine([[-2.0]]),
    r"weight -1.0 on a circuit is negative": lambda: RELU**-1,
    r"weights contain NaN or infinity": lambda: X.affine([[math.inf]]),
    r"bias contains NaN or infinity": lambda: X.affine([[1]], [math.nan]),
    r"deformed to different temperatures .*deform both": lambda: SOFT + RELU.deform(0.3),
    r"different temperatures": lambda: combine([([[1]], SOFT), ([[1]], RELU)]),
    r"affine_at needs every gate at eps = 0; use gradient, or deform\(0\)": lambda: SOFT.affine_at([1.0]),
    r"weight 0.5 is not a whole number: .*evaluate it, or deform\(0\)": lambda: (SOFT**0.5).expand(),
    r"gates at different temperatures \[0.0, 1.0\] .*deform\(eps\) to one of them": lambda: soft_max(
        [X, RELU], eps=1.0
    ).expand(),
    r"operands start from different identities; build all from one Circuit.identity": lambda: (
        RELU + Circuit.identity(1)
    ),
    r"eps is -1.0; pass a finite temperature >= 0": lambda: RELU.deform(-1.0),
}

MISMATCHES = {
    r"over max-plus, the other over min-plus; deform one": lambda: (
        LINE * Polynomial([1.0, -1.0], [0, 0], MIN_PLUS)
    ),
    r"over max-plus, the other over log-max-plus, eps = 0.5": lambda: LINE + LINE.deform(0.5),
    r"P is over max-plus, Q over log-max-plus, eps = 0.5": lambda: Rational(LINE, LINE.deform(0.5)),
}


@pytest.mark.parametrize("message", SHAPES)
def test_shapes(message):
    with pytest.raises(ShapeError, match=message):
        SHAPES[message]()


@pytest.mark.parametrize("message", VALUES)
def test_values(message):
    with pytest.raises(InputError, match=message):
        VALUES[message]()


@pytest.mark.parametrize("message", MISMATCHES)
def test_semirings(message):
    with pytest.raises(SemiringMismatchError, match=message):
        MISMATCHES[message]()


OPERATORS = [lambda a: a + "x", lambda a: "x" * a, lambda a: a ** "x", lambda a: a / "x", lambda a: a + 1j]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("operand", [LINE, RELU, LINE / LINE, RELU / RELU], ids=repr)
def test_foreign_operands(operator, operand):
    with pytest.raises(TypeError, match=r"unsupported operand|can't multiply"):
        operator(operand)


BUDGETS = {
    r"product of polynomials: 16,000,000, the limit is 10,000,000; keep the factors apart": (
        lambda: MANY * MANY,
        16_000_000,
    ),
    r"power of a polynomial: 1\.3419·10\^40 \(41 digits\), the limit": (
        lambda: Polynomial(np.zeros((100, 1)), np.zeros(100), Semiring(1, 1.0)) ** 50,
        math.comb(149, 50),
    ),
    r"monomials of the expanded circuit: 8, the limit is 7; evaluate the circuit, or raise limit=": (
        lambda: DEEP.expand(limit=7),
        8,
    ),
}


@pytest.mark.parametrize("message", BUDGETS)
def test_budgets_are_checked_before_anything_is_built(message):
    action, size = BUDGETS[message]
    with pytest.raises(BudgetExceeded, match=message) as caught:
        action()
    assert caught.value.reached == size > caught.value.limit
    assert isinstance(caught.value, TropicalError) and not isinstance(caught.value, InputError)

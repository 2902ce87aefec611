"""Formulas read from text: what they mean, and that nothing else is read, whatever it says."""

import math
from contextlib import suppress

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.reports.formula import read_formula
from tropical.errors import InputError

x, y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("x**2/2 + abs(x)", x**2 / 2 + sympy.Abs(x)),
        ("x^2^0.5", x ** sympy.sqrt(2)),
        (" -x + +y*3", 3 * y - x),
        ("0.1*x + 1_000.5", x / 10 + sympy.Rational(2001, 2)),
        ("0.12345678901234567890123*x", sympy.Rational(12345678901234567890123, 10**23) * x),
        ("max(x, -y, 2) - min(x, 1)", sympy.Max(x, -y, 2) - sympy.Min(x, 1)),
        ("relu(x) + softplus(y)", sympy.Max(x, 0) + sympy.log(1 + sympy.exp(y))),
        ("logsumexp(x, y)", sympy.log(sympy.exp(x) + sympy.exp(y))),
        ("x if x > 0 else -2*x", sympy.Piecewise((x, x > 0), (-2 * x, True))),
        ("x**2 if -1 <= x < 1 else inf", sympy.Piecewise((x**2, (x >= -1) & (x < 1)), (sympy.oo, True))),
        ("e**x + sin(pi*x)", sympy.exp(x) + sympy.sin(sympy.pi * x)),
        ("1e-999999999*x", sympy.S.Zero),
        ("x*" + "9" * 300, int("9" * 300) * x),
    ],
)
def test_formulas(text, expr):
    assert read_formula(text) == expr


def test_parameters_are_positive():
    p = sympy.Symbol("p", positive=True)
    assert read_formula("abs(x)**p/p", {"p"}) == sympy.Abs(x) ** p / p


TREES = st.recursive(
    st.one_of(
        st.integers(0, 50).map(str), st.sampled_from(["0.5", "2.25", "1e-2"]), st.sampled_from(["x", "y"])
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"({t})**2"),
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "atan", "abs"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} < 1 else {t[2]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(TREES)
def test_formulas_mean_what_python_computes(text):
    """Against Python's own evaluation of the same text in 60 digits."""
    names = {name: getattr(mpmath, name) for name in ("sin", "cos", "tanh", "atan")}
    point = {"x": mpmath.mpf("0.3"), "y": mpmath.mpf("-1.7")}
    with mpmath.workdps(60):
        try:
            found = read_formula(text)
        except InputError as error:  # of limits alone
            assert "beyond" in str(error) or "too long" in str(error)
            return
        want = eval(text, {"__builtins__": {"abs": abs, "max": max}}, names | point)
        numbers = {x: sympy.Rational(3, 10), y: sympy.Rational(-17, 10)}
        got = sympy.N(found.subs(numbers), 30)
        # decimals of the text are floats to Python, which are off by 2^-53
        assert abs(got - sympy.Float(want, 30)) <= 1e-9 * (1 + abs(got)) or math.isinf(want)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("__import__('os').system('touch /tmp/owned')", "no function that is known"),
        ("x.__class__.__mro__", "no arithmetic"),
        ("(lambda: 1)()", "no function that is known"),
        ("[a for a in x]", "no arithmetic"),
        ("x[0]", "no arithmetic"),
        ("(a := 3)", "no arithmetic"),
        ("f'{x}'", "no arithmetic"),
        ("'a'*9", "no real number"),
        ("True", "no real number"),
        ("1j*x", "no real number"),
        ("sqrt(-1)*x", "no real number"),
        ("log(0)", "no real number"),
        ("x**sqrt(-2)", "no real number"),
        ("exec('1')", "no function that is known"),
        ("eval(x)", "no function that is known"),
        ("abs(x=1)", "no function that is known"),
        ("abs(*x)", "no arithmetic"),
        ("abs(x, y)", "wrong number of arguments"),
        ("abs()", "wrong number of arguments"),
        ("abs", "function without an argument"),
        ("x and y", "no arithmetic"),
        ("not x", "no arithmetic"),
        ("x < y", "no arithmetic"),
        ("x if x else y", "no comparison"),
        ("x if x == y else y", "no comparison"),
        ("x // 2", "no arithmetic"),
        ("x @ y", "no arithmetic"),
        ("1/0", "divides by 0"),
        ("0**-1", "divides by 0"),
        ("9**9**9", "exponent beyond"),
        ("10**99**2", "exponent beyond"),
        ("(x**90)**90", "exponent beyond"),
        ("exp(exp(exp(100)))", "beyond 700"),
        ("exp(700)**90", "exponent beyond"),
        ("sin(10**90)", "beyond 700"),
        ("(10**90)**90", "too long"),
        ("x*" + "9" * 1990, "too long"),
        ("1e999", "too large"),
        ("x" + "+x" * 2000, "characters"),
        ("(" * 300 + "x" + ")" * 300, "no formula"),
        ("-" * 400 + "x", "nested more than"),
        ("x =", "no formula"),
        ("", "no formula"),
        ("\x00", "no formula"),
        ("x\ny", "no formula"),
        ("import os", "no formula"),
    ],
)
def test_nothing_else_is_read(text, why):
    with pytest.raises(InputError, match=why):
        read_formula(text)


@settings(max_examples=50)
@given(st.text(max_size=40) | st.text("x()*+-/ ,.019eif<>abs_[]'", max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(InputError):
        assert isinstance(read_formula(text), sympy.Expr)

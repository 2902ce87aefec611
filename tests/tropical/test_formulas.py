"""LaTeX of functions: read back as a formula, it has their values."""

import re
from fractions import Fraction

import numpy as np
import pytest

from tropical import MIN_PLUS, Circuit, Polynomial, Rational, Semiring, variables
from tropical.errors import BudgetExceeded


def read(latex, x):
    """The value of a formula at x, by Python: the few commands it has are replaced."""
    code = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"Fraction(\1, \2)", latex)
    code = re.sub(r"x_\{(\d+)\}", r"x[\1]", code).replace(r",\,", ",").replace(r"\cdot 10^", "* 10.0**")
    code = re.sub(r"\\(max|min)", r"\1", code).replace(r"\left", "").replace(r"\right", "")
    code = re.sub(r"(?<=[\d)]) (?=x\[|max|min|\()", " * ", code.replace("{", "(").replace("}", ")"))
    return eval(code, {"Fraction": Fraction, "max": max, "min": min, "x": {k: v for k, v in enumerate(x, 1)}})


POINTS = [[0, 0], [2, -3], [Fraction(-1, 2), 4], [100, 7]]


def test_polynomials_and_rational_functions():
    x, y = variables(2)
    p = x**2 * y + 3 * x + Fraction(-2, 3) * y**-1.5 + 7
    functions = [p.to_exact(), p.to_exact() / (x + y), p.to_exact() / (Fraction(1, 2) * x), x / p.to_exact()]
    for f in (*functions, Polynomial([[1, -1], [0, 0]], [-3, 1], MIN_PLUS).to_exact()):
        for point in POINTS:
            assert read(f.latex(), point) == f(point)


def test_exact_text():
    x, y = variables(2)
    assert (
        (2.5 * x + y**3) / (1e-9 * y)
    ).latex() == r"\max\left(x_{1} + 2.5,\, 3 x_{2}\right) - \left(x_{2} + 1 \cdot 10^{-9}\right)"
    assert x.latex() == "x_{1}" and (x / 0).latex() == "x_{1}" and (0 * x**0).latex() == "0"
    soft = [Polynomial([[1], [-1]], [0, 0], Semiring(sign, 0.5)).latex() for sign in (1, -1)]
    assert soft[0] == r"\operatorname{LSE}_{0.5}\left(x_{1},\, -x_{1}\right)" and "softmin" in soft[1]
    empty = [Polynomial(np.zeros((0, 1)), [], Semiring(sign)).latex() for sign in (1, -1)]
    assert empty == [r"-\infty", r"\infty"]


def test_circuits():
    x = Circuit.identity(2, exact=True)
    hidden = x.affine([[1, -2], [Fraction(1, 3), 1]], [-1, 0]) + 0
    P, Q = hidden.affine([[2, Fraction(1, 2)], [0, 1]], [0, -5]), x.affine([[1, 1], [0, 0]], [0, 3])
    f = Rational(P, Q)
    rows = f.latex().removeprefix(r"\begin{pmatrix} ").removesuffix(r" \end{pmatrix}").split(r" \\ ")
    for point in POINTS:
        assert [read(row, point) for row in rows] == f(point).tolist()
    nested = (P[0] + Q[0]).affine([[3]], [1])
    assert read(nested.latex(), [5, 1]) == nested([5, 1])[0]
    assert r"\operatorname{LSE}_{0.25}" in Circuit.identity(1).__add__(0).deform(0.25).latex()


def test_size_is_capped():
    rng = np.random.default_rng(0)
    small, large = (Polynomial(rng.normal(size=(n, 2)), rng.normal(size=n)) for n in (5, 100))
    assert small._repr_latex_() == rf"$\displaystyle {small.latex()}$" and large._repr_latex_() is None
    with pytest.raises(BudgetExceeded, match=r"operations in the formula: 501, the limit is 500"):
        large.latex(limit=500)
    x = Circuit.identity(1)
    for _ in range(200):  # its formula would have 2²⁰⁰ operations
        x = x * x + 1
    assert x._repr_latex_() is None

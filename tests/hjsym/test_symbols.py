"""Maximum, LogSumExp and GibbsMean: values, derivatives and code against 50 digits and finite differences."""

import itertools
import math
import pickle

import mpmath
import numpy as np
import pytest
import sympy

import hjsym
from hjsym import GibbsMean, LogSumExp, Maximum, runtime, symbols
from hjsym.expr import default_symbols
from tropical import Polynomial
from tropical.errors import BudgetExceeded

X, Y, Z = sympy.symbols("x y z", real=True)
E = sympy.Symbol("e", positive=True)
EPS = [0, 0.25, 3.0]
FORMS = [X + 2 * Y, 3 - X, X * Y / 2, sympy.Integer(-1)]
VALUES = [X**2, sympy.Integer(4), Y - X, X * Y]
POINTS = [(0.5, -1.25), (-3.0, 2.0), (40.0, 1.5), (-700.0, 0.125)]


def functions(eps):
    """(expression, its value in mpmath at numbers x and y)."""

    def weights(x, y):
        z = [mpmath.mpf(v.subs({X: x, Y: y}).evalf(60)) for v in FORMS]
        if eps == 0:
            return z, [mpmath.mpf(k == z.index(max(z))) for k in range(len(z))]
        total = sum(mpmath.exp(v / eps) for v in z)
        return z, [mpmath.exp(v / eps) / total for v in z]

    def top(x, y):
        z, _ = weights(x, y)
        return max(z) if eps == 0 else eps * mpmath.log(sum(mpmath.exp(v / eps) for v in z))

    def mean(x, y):
        _, p = weights(x, y)
        return sum(w * mpmath.mpf(v.subs({X: x, Y: y}).evalf(60)) for w, v in zip(p, VALUES, strict=True))

    return [(LogSumExp(eps, *FORMS), top), (GibbsMean(eps, FORMS, VALUES), mean)]


def exactly(point):
    return dict(zip((X, Y), map(sympy.Rational, point), strict=True))


both = pytest.mark.parametrize("which", [0, 1], ids=["maximum", "mean"])


# ---- values ------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("eps", EPS)
def test_evalf(which, eps):
    f, oracle = functions(eps)[which]
    assert f.atoms(Maximum) or eps or which == 1
    with mpmath.workdps(50):
        for point in POINTS:
            value = mpmath.mpf(f.subs(exactly(point)).evalf(40))
            assert mpmath.almosteq(value, oracle(*map(sympy.Rational, point)), 1e-38)


@both
@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("modules", ["math", "mpmath", "sympy", "numpy", "scipy"])
def test_lambdify(which, eps, modules):
    f, oracle = functions(eps)[which]
    compiled = sympy.lambdify((X, Y), f, modules)
    with mpmath.workdps(50):
        for point in POINTS:
            expected = float(oracle(*map(sympy.Rational, point)))
            assert float(compiled(*point)) == pytest.approx(expected, rel=1e-13)
            if modules in ("numpy", "scipy"):
                np.testing.assert_allclose(
                    compiled(np.full((2, 3), point[0]), point[1]), expected, rtol=1e-13
                )


@both
@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("modules", ["torch", "jax"])
def test_lambdify_and_gradients_by_frameworks(which, eps, modules):
    framework = pytest.importorskip(modules)
    if modules == "torch":
        pytest.importorskip("sympy.printing.pytorch", reason="SymPy before 1.13 writes no torch")
    f, oracle = functions(eps)[which]
    compiled = sympy.lambdify((X, Y), f, modules)
    slopes = [sympy.lambdify((X, Y), f.diff(s), "mpmath") for s in (X, Y)]
    for point in POINTS[:3]:
        expected = [float(oracle(*map(sympy.Rational, point))), *(float(s(*point)) for s in slopes)]
        if modules == "torch":
            x, y = (framework.tensor([v, v], dtype=framework.float64, requires_grad=True) for v in point)
            value = compiled(x, y)
            value.sum().backward()
            got = [value[1].item(), x.grad[0].item(), y.grad[0].item()]
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
        else:
            value, grads = framework.jit(framework.value_and_grad(compiled, (0, 1)))(*point)
            np.testing.assert_allclose([value, *grads], expected, rtol=2e-5, atol=1e-4)  # single precision


def test_small_tails_keep_their_digits():
    f = LogSumExp(1, X, 0)
    for modules in ("math", "numpy"):
        assert float(sympy.lambdify(X, f, modules)(-60.0)) == pytest.approx(math.exp(-60), rel=1e-14)
        assert sympy.lambdify(X, f, modules)(np.float64(1e300)) == 1e300

    assert float(LogSumExp(1, -60, 0)) == pytest.approx(math.exp(-60), rel=1e-14)
    assert float(LogSumExp(2, -sympy.oo, 3)) == 3 and LogSumExp(2, -sympy.oo, -sympy.oo).evalf() == -sympy.oo


def test_runtime_of_special_values():
    assert math.isnan(runtime.tropical_maximum(1.0, math.nan)) and math.isnan(
        runtime.log_sum_exp(1, (math.nan, 2))
    )
    a = np.array([-np.inf, 1.0, np.nan])
    np.testing.assert_array_equal(runtime.log_sum_exp(1.0, (a, -np.inf)), [-np.inf, 1.0, np.nan])
    np.testing.assert_array_equal(runtime.log_sum_exp(1e-320, (a, 2.0)), [2, 2, np.nan])
    np.testing.assert_array_equal(runtime.gibbs_mean(0, (a[:2], 1.0), (5, a[:2])), [-np.inf, 5.0])
    assert (
        runtime.log_sum_exp(0, (1, 2)) == 2 and runtime.log_sum_exp(0.5, (-math.inf, -math.inf)) == -math.inf
    )


# ---- evaluation by SymPy -------------------------------------------------------------------------------


def test_nothing_is_evaluated_but_numbers():
    f = Maximum(X, X, X + 1)
    assert f.args == (X, X, X + 1) and f.subs(X, 2) == 3 and Maximum(X) == X
    assert Maximum(sympy.sqrt(2), sympy.Rational(7, 5)) == sympy.sqrt(2)
    assert Maximum() == -sympy.oo and Maximum(-sympy.oo, 3) == 3 and LogSumExp(0, X, Y) == Maximum(X, Y)
    assert Maximum(sympy.nan, 1).args and f.is_extended_real and GibbsMean(E, (X, Y), (X, 2)).is_extended_real
    assert GibbsMean(0, (1, 3, 3), (X, Y, 7)) == Y
    with pytest.raises(ValueError, match="2 arguments and 1 values"):
        GibbsMean(1, (X, Y), (1,))


def test_hundreds_of_terms():
    # SymPy's own Max of 40 such terms takes seconds to build and minutes to differentiate.
    rng = np.random.default_rng(0)
    p = Polynomial(rng.normal(size=(400, 2)), rng.normal(size=400))
    f = hjsym.expression(p)
    assert len(f.args) == 400 and len(f.subs(default_symbols(2)[0], 1).args) == 400
    slope = f.diff(default_symbols(2)[1])
    for x in rng.normal(size=(2, 2)):
        values = dict(zip(default_symbols(2), x.tolist(), strict=True))
        assert float(f.subs(values)) == pytest.approx(p(x), rel=1e-14)
        assert float(slope.subs(values)) == p.gradient(x)[1]


def test_rewriting():
    f, g = Maximum(*FORMS), LogSumExp(E, *FORMS)
    for point in POINTS[:2]:
        at = exactly(point)
        for form in (sympy.Max, sympy.Piecewise):
            assert f.rewrite(form).subs(at) == f.subs(at)
        assert Maximum(X, Y).rewrite(sympy.Abs).subs(at) == max(at.values())
        assert f.diff(X).rewrite(sympy.Piecewise).subs(at) == f.diff(X).subs(at)
        at[E] = sympy.Rational(1, 3)
        for h, form in ((g, sympy.log), (g.diff(Y), sympy.exp)):
            assert not h.rewrite(form).atoms(LogSumExp, GibbsMean)
            assert abs(h.rewrite(form).subs(at).evalf(30) / h.subs(at).evalf(30) - 1) < 1e-25
    with pytest.raises(BudgetExceeded, match=r"comparisons in the Piecewise: 44,850"):
        Maximum(*(k * X for k in range(300))).rewrite(sympy.Piecewise)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_the_first_of_equal_terms_is_selected(order):
    z, v = [X, X, -X], [10, 20, 30]
    f = GibbsMean(0, [z[k] for k in order], [v[k] for k in order])
    for x in (-1, 0, 2):
        first = max(order, key=lambda k: (z[k].subs(X, x), -order.index(k)))
        assert f.subs(X, x) == v[first] == f.rewrite(sympy.Piecewise).subs(X, x)
        assert sympy.lambdify(X, f, "numpy")(np.array([x]))[0] == v[first] == sympy.lambdify(X, f, "math")(x)


def test_printing():
    f = Maximum(X, 2 * Y)
    assert str(f**2 + 1) == "Max(x, 2*y)**2 + 1" and "Max(x, 2⋅y)" in sympy.pretty(f, use_unicode=True)
    assert (
        sympy.latex(f) == r"\max\left(x, 2 y\right)" and sympy.latex(f**2) == r"\max\left(x, 2 y\right)^{2}"
    )
    assert sympy.latex(LogSumExp(E, X, 3)) == r"\operatorname{LSE}_{e}\left(x, 3\right)"
    assert sympy.latex(f.diff(Y)) == r"\left\langle 0, 2 \right\rangle_{\arg\max\left(x, 2 y\right)}"
    assert r"\operatorname{LSE}_{e}" in sympy.latex(LogSumExp(E, X, 3).diff(X))
    assert f._repr_latex_().startswith("$")


def test_what_sympy_does_to_expressions():
    for f in (
        Maximum(*FORMS),
        LogSumExp(2, *FORMS),
        GibbsMean(2, FORMS, VALUES),
        GibbsMean(0, FORMS, VALUES),
    ):
        slopes, at = [f, f.diff(X), f.diff(Y), f * X + f**2], exactly(POINTS[0])
        for cse in (False, True):
            compiled = sympy.lambdify((X, Y), slopes, cse=cse)
            expected = [float(e.subs(at).evalf()) for e in slopes]
            np.testing.assert_allclose(compiled(*POINTS[0]), expected, rtol=1e-12)
        for changed in (
            sympy.simplify(f),
            sympy.expand(f),
            f.xreplace({X: X}),
            pickle.loads(pickle.dumps(f)),
        ):
            assert abs(changed.subs(at).evalf(20) - f.subs(at).evalf(20)) < 1e-15
        assert sympy.sympify(sympy.srepr(f), locals=vars(symbols)) == f
        assert f.free_symbols == {X, Y} and f.replace(Y, Z).free_symbols == {X, Z}


# ---- derivatives -----------------------------------------------------------------------------------------


def differences(f, at, s, digits=40):
    """A central difference of order 4, in many digits."""
    with mpmath.workdps(digits):
        h = mpmath.mpf(10) ** -8
        steps = [
            mpmath.mpf(f.subs(at | {s: at[s] + sympy.Rational(k, 10**8)}).evalf(digits))
            for k in (-2, -1, 1, 2)
        ]
        return (steps[0] - 8 * steps[1] + 8 * steps[2] - steps[3]) / (12 * h)


@pytest.mark.parametrize("s", [X, Y, E])
def test_derivatives_at_positive_temperature(s):
    for f in (LogSumExp(E, *FORMS), LogSumExp(E * X**2, *FORMS[:2]), GibbsMean(E, FORMS, VALUES)):
        at = exactly((0.5, -1.25)) | {E: sympy.Rational(3, 2)}
        with mpmath.workdps(40):
            for g, variable in ((f, s), (f.diff(s), X)):
                exact = mpmath.mpf(g.diff(variable).subs(at).evalf(40))
                assert abs(exact - differences(g, at, variable)) < 1e-25


def test_derivatives_of_maxima():
    f = Maximum(*FORMS) * X
    for point in POINTS:
        for s in (X, Y):
            exact = mpmath.mpf(f.diff(s).subs(exactly(point)).evalf(30))
            assert mpmath.almosteq(exact, differences(f, exactly(point), s), 1e-14)
            assert f.diff(s).atoms(sympy.Heaviside) == set()
    assert f.diff(X, X).subs(exactly(POINTS[0])) == -2  # x (3 − x) there


def test_partial_derivatives_by_argument():
    z = sympy.symbols("z:3", real=True)
    at = dict(zip(z, (1, 5, 2), strict=True))
    assert [Maximum(*z).fdiff(k).subs(at) for k in (1, 2, 3)] == [0, 1, 0]
    f = LogSumExp(E, *z)
    for k, s in enumerate(z, start=2):
        assert f.fdiff(k) == f.diff(s)
    assert f.fdiff(1) == f.diff(E)
    assert sum(f.diff(s).subs(at | {E: 2}).evalf(30) for s in z) == pytest.approx(1, abs=1e-25)

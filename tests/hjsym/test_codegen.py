"""Functions and C code from compiled networks: the values of the network, whatever computes them."""

import ctypes
import itertools
import shutil
import subprocess
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

import hjsym
from hjsym import layers
from hjsym.codegen import C_FUNCTIONS
from hjsym.network import Network, Node
from hjsym.program import program
from tropical.errors import BudgetExceeded, InputError, ShapeError


def affine(rng, rows, columns):
    return layers.Affine(rng.normal(size=(rows, columns)), rng.normal(size=rows))


def bent_network(seed=0):
    """Every layer, with functions of one variable that are convex, concave and neither."""
    rng = np.random.default_rng(seed)
    wave = layers.PiecewiseLinear([-1.0, -0.25, -0.25, 2.0], [0.5, -1.0, 3.0, 0.0, 2.0], 0.75)
    return Network(
        3,
        (
            Node(affine(rng, 6, 3), (0,)),
            Node(layers.clip(-1.5, 0.7), (1,)),
            Node(affine(rng, 6, 6), (2,)),
            Node(layers.LeakyRelu(1.75), (3,)),  # concave
            Node(layers.Add([1.0, -0.3]), (4, 2)),
            Node(layers.Maximum([[0, 1], [2, 5], [3, 3], [4, 0]]), (5,)),
            Node(layers.Scale(rng.normal(size=4), rng.normal(size=4)), (6,)),
            Node(layers.absolute(), (7,)),
            Node(layers.Concat(2), (8, 6)),
            Node(layers.Gather([1, 6, 3, 7, 0]), (9,)),
            Node(wave, (10,)),
            Node(layers.Identity(), (11,)),
            Node(affine(rng, 5, 5), (12,)),
            Node(layers.prelu([0.1, 0.5, -2.0, 0.0, 1.0]), (13,)),
            Node(affine(rng, 2, 5), (14,)),
        ),
    )


def deep(*sizes):
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(m, d)) * np.sqrt(2 / d), rng.normal(size=m)) for d, m in itertools.pairwise(sizes)
    ]


POINTS = np.random.default_rng(5).normal(size=(12, 3)) * np.tile([[1], [1], [3], [30]], (3, 1))
TOLERANCE = {"rtol": 1e-11, "atol": 1e-11}
EPS = [0.0, 0.4]


@pytest.fixture(params=EPS, ids="eps {}".format)
def f(request):
    return hjsym.compile(bent_network()).deform(request.param)


# ---- Python ------------------------------------------------------------------------------------------


def test_numpy(f):
    compiled = f.lambdify()
    np.testing.assert_allclose(np.stack(compiled(*POINTS.T), axis=-1), f(POINTS), **TOLERANCE)
    grid = compiled(POINTS[:, :1], POINTS[:2, 1], 0.5)
    assert [g.shape for g in grid] == [(12, 2)] * 2


@pytest.mark.parametrize("modules", ["math", "mpmath"])
def test_single_points(f, modules):
    compiled = f.lambdify(modules)
    for x in POINTS[:3]:
        np.testing.assert_allclose([float(v) for v in compiled(*x.tolist())], f(x), **TOLERANCE)


def test_mpmath_computes_in_its_precision():
    network = bent_network()
    exact = hjsym.compile(network, exact=True)
    compiled, x = exact.lambdify("mpmath"), [Fraction(1, 3), Fraction(2, 7), Fraction(-5, 11)]
    with mpmath.workdps(50):
        numbers = [mpmath.mpf(v.numerator) / v.denominator for v in x]
        for got, v in zip(compiled(*numbers), exact(x), strict=True):
            assert mpmath.almosteq(got, mpmath.mpf(v.numerator) / v.denominator, 1e-45)


def test_torch_and_its_gradients(f):
    torch = pytest.importorskip("torch")
    columns = [torch.tensor(c, requires_grad=True) for c in POINTS.T]
    values = f.lambdify("torch")(*columns)
    np.testing.assert_allclose(np.stack([v.detach() for v in values], axis=-1), f(POINTS), **TOLERANCE)
    for k, v in enumerate(values):
        slopes = torch.autograd.grad(v.sum(), columns, retain_graph=True)
        np.testing.assert_allclose(np.stack(slopes, axis=-1), f.gradient(POINTS)[:, k], **TOLERANCE)


def test_jax_and_its_gradients(f):
    jax = pytest.importorskip("jax")
    compiled, x = f.lambdify("jax"), POINTS[:4] / 3
    with jax.enable_x64(True):
        np.testing.assert_allclose(
            np.stack(compiled(*map(jax.numpy.asarray, x.T)), axis=-1), f(x), **TOLERANCE
        )
        slopes = jax.grad(lambda *v: compiled(*v)[1].sum(), (0, 1, 2))(*x.T)
        np.testing.assert_allclose(np.stack(slopes, axis=-1), f.gradient(x)[:, 1], **TOLERANCE)


def test_deep_networks_keep_their_digits_and_their_size():
    f = hjsym.compile(deep(4, *[12] * 10, 1))
    x = np.random.default_rng(1).normal(size=(5, 4))
    with pytest.raises(BudgetExceeded):
        f.expr()  # nested, it has some 10¹³ operations
    np.testing.assert_allclose(f.lambdify()(*x.T), f(x)[:, 0], rtol=1e-11)
    parameters = f.network.parameters
    with pytest.raises(BudgetExceeded, match="limit is 1,000") as caught:
        f.lambdify(limit=1000)
    assert 2 * parameters < caught.value.reached < 3 * parameters


def test_bends_do_not_cancel_far_out():
    clip = hjsym.compile(Network.sequential(1, [layers.clip(-1.0, 2.0)]))
    for eps in EPS:
        compiled = clip.deform(eps).lambdify()
        assert compiled(np.array([1e18, -1e18, 1e300])).tolist() == [2.0, -1.0, 2.0]


def test_one_output_is_no_list_and_a_constant_is_a_number():
    assert hjsym.compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])]).lambdify()(5.0, 2.0) == 7
    assert hjsym.compile([([[0.0]], [3.0])]).lambdify()(np.zeros(4)) == 3
    assert hjsym.compile([([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])]).lambdify()(1, 2) == [1, 2]


def test_names_of_arguments():
    f = hjsym.compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])])
    h0, a = sympy.symbols("h0 a", real=True)
    assert f.lambdify(symbols=(h0, a))(h0=5.0, a=2.0) == 7
    assert [s.name for s, _ in program(f.network, (h0, a)).steps] == ["hh0", "hh1", "hh2"]
    with pytest.raises(ShapeError, match="got 1 symbols for 2 variables"):
        f.lambdify(symbols=(a,))
    with pytest.raises(InputError, match="pass one of 'numpy'"):
        f.lambdify("numexpr")


def test_units_that_no_output_reads_are_left_out():
    f = hjsym.compile([([[1.0], [2.0]], [0.0, 1.0]), ([[0.0, 3.0]], [0.5])])
    assert [str(e) for _, e in program(f.network).steps] == ["2.0*x1 + 1", "Max(h0, 0)", "3.0*h2 + 0.5"]


# ---- C -----------------------------------------------------------------------------------------------

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def compiled(tmp_path, source, *functions):
    file, library = tmp_path / "code.c", tmp_path / "code.so"
    file.write_text(source)
    strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", *strict, "-o", library, file, "-lm"], check=True)
    loaded = ctypes.CDLL(str(library))
    return [getattr(loaded, name) for name in functions]


def called(function, x, outputs):
    x, y = np.ascontiguousarray(x, float), np.empty(outputs)
    pointer = ctypes.POINTER(ctypes.c_double)
    function(x.ctypes.data_as(pointer), y.ctypes.data_as(pointer))
    return y


@needs_compiler
def test_c_code(f, tmp_path):
    (function,) = compiled(tmp_path, f.ccode("scores"), "scores")
    for x in POINTS:
        np.testing.assert_allclose(called(function, x, 2), f(x), **TOLERANCE)
    assert np.isnan(called(function, [np.nan, 1.0, 1.0], 2)).all()


@needs_compiler
def test_c_code_of_exact_networks(tmp_path):
    third = Fraction(1, 3)
    f = hjsym.compile([([[third, -1]], [0]), ([[2 * third], [10**30]], [1, third])], exact=True)
    (function,) = compiled(tmp_path, f.ccode(), "network")
    np.testing.assert_allclose(called(function, [5.0, 1.0], 2), f([5, 1]).astype(float), rtol=1e-15)


@needs_compiler
def test_c_code_of_sympy(tmp_path):
    x, y = sympy.symbols("x y", real=True)
    f = hjsym.Maximum(*(k * x - k * k * y / 20 for k in range(-30, 31)))
    g = hjsym.LogSumExp(0.25, x, 2 * y, x - y)
    expressions = [f, f.diff(x), g, g.diff(x), g.diff(y, x)]
    lines = [
        f"double f{k}(double x, double y) {{ return {sympy.ccode(e)}; }}" for k, e in enumerate(expressions)
    ]
    source = "\n".join(
        ["#include <math.h>", *(C_FUNCTIONS[k] for k in ("log_sum_exp", "gibbs_mean")), *lines]
    )
    names = [f"f{k}" for k in range(len(expressions))]
    for function, e in zip(compiled(tmp_path, source, *names), expressions, strict=True):
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * 2
        for point in POINTS[:6, :2].tolist():
            value = float(e.subs(dict(zip((x, y), map(sympy.Rational, point), strict=True))).evalf())
            assert function(*point) == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_c_code_holds_only_what_it_needs():
    hard, soft = (hjsym.compile(deep(2, 3, 1)).deform(eps).ccode() for eps in EPS)
    assert "tropical_max(" in hard and "log_sum_exp" not in hard
    assert "log_sum_exp(" in soft and "tropical_max" not in soft
    assert hard.startswith("#include <math.h>\n") and "void network(const double *x, double *y)" in hard


@pytest.mark.parametrize("name", ["", "2f", "f g", "double", "tropical_max", "exp", "é", "f;"])
def test_names_that_c_cannot_take(name):
    with pytest.raises(InputError, match="pass an identifier"):
        hjsym.compile(deep(2, 1)).ccode(name)

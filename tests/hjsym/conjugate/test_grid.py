"""Conjugates on grids and of Python functions, against brute force and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym.conjugate import FromCallable, Gridded, Improper, c_transform, conjugate
from hjsym.errors import HullWarning
from tropical import InputError, ShapeError, legendre


def brute(f, nodes, y):
    X = np.stack(np.meshgrid(*nodes, indexing="ij"), -1).reshape(-1, len(nodes))
    return (X @ y - f.ravel()).max()


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_every_axis_and_every_sign(seed):
    """In one to four variables, non-uniform nodes, +∞ in places: only the first axis takes f itself, not −f."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 5))
    shape = tuple(rng.integers(1, 6, size=d))
    f = rng.normal(size=shape) * 3
    f[rng.random(shape) < 0.2] = np.inf
    f.flat[rng.integers(f.size)] = 0.5
    nodes = [np.cumsum(rng.random(n) + 0.01) - n / 4 for n in shape]
    slopes = [np.sort(rng.normal(size=int(rng.integers(1, 4))) * 2) for _ in shape]
    g = Gridded(f, nodes, bounded=True).conjugate()
    table = g.on_grid(slopes)
    for index in np.ndindex(*table.values.shape):
        y = np.array([s[i] for s, i in zip(slopes, index, strict=True)])
        value = brute(f, nodes, y)
        assert table.values[index] == pytest.approx(value, rel=1e-13, abs=1e-13)
        point = np.array([x[i] for x, i in zip(nodes, table.argmax[(slice(None), *index)], strict=True)])
        assert point @ y - f[tuple(table.argmax[(slice(None), *index)])] == pytest.approx(value, abs=1e-12)
        single = y[0] if d == 1 else y
        assert g(single) == pytest.approx(value, rel=1e-13, abs=1e-13)
        at = np.atleast_1d(g.argmax(single))
        place = tuple(int(np.flatnonzero(x == c)[0]) for x, c in zip(nodes, at, strict=True))
        assert at @ y - f[place] == pytest.approx(value, abs=1e-12)
    assert not table.truncated.any()


def test_only_the_grid_s_own_slopes_are_claimed():
    x = np.linspace(-2, 2, 401)
    f = Gridded(x**2 / 2, x)
    g = f.conjugate()
    y = np.array([-3.0, -1.0, 0.5, 1.99, 2.5])
    assert g.is_truncated(y).tolist() == [True, False, False, False, True]
    assert g.domain.contains(y[:, None]).tolist() == [False, True, True, True, False]
    assert g.on_grid(y).truncated.tolist() == [True, False, False, False, True]
    inside = y[1:4]
    assert (inside**2 / 2 - g(inside) >= -1e-15).all()
    assert (inside**2 / 2 - g(inside) <= g.error_bound(1.0)).all()
    assert g.error_bound() == pytest.approx(0.01**2 / 8, rel=1e-6)
    assert not Gridded(x**2 / 2, x, bounded=True).conjugate().is_truncated(y).any()


@pytest.mark.parametrize("n", [21, 81])
def test_the_error_bound_in_two_variables(n):
    x, y = np.linspace(-3, 3, n), np.linspace(-2, 2, n + 4)
    f = x[:, None] ** 2 / 2 + 2 * y**2 + x[:, None] * y / 2
    slopes = np.random.default_rng(0).uniform(-0.7, 0.7, size=(50, 2))
    exact = np.einsum("ni,ij,nj->n", slopes, np.linalg.inv([[1.0, 0.5], [0.5, 4.0]]), slopes) / 2
    g = Gridded(f, [x, y]).conjugate()
    off = exact - g(slopes)
    largest = np.linalg.eigvalsh([[1.0, 0.5], [0.5, 4.0]])[-1]
    assert (off >= -1e-14).all() and (off <= g.error_bound(largest)).all() and off.max() > 0


def test_double_wells():
    x = np.linspace(-2, 2, 801)
    f = Gridded((x**2 - 1) ** 2, x)
    a, m, b = f.convexity().witness
    values = (np.array([a, m, b]).ravel() ** 2 - 1) ** 2
    share = (m - a) / (b - a)
    assert values[1] > (1 - share) * values[0] + share * values[2]
    with pytest.warns(HullWarning, match="closed convex hull"):
        g = conjugate(f)
    assert g.of_hull and g(0.0) == 0
    back = g.conjugate()
    np.testing.assert_allclose(back([-0.5, 0.0, 1.0, 1.5]), [0, 0, 0, 1.5625], atol=1e-12)
    np.testing.assert_allclose(g([1.0, -2.0]), legendre(f.values, x, [-2.0, 1.0])[::-1], rtol=1e-14)
    assert Gridded(np.abs(x), x).convexity().convex and not Gridded(np.abs(x), x).of_hull


def test_convexity_in_several_variables_is_not_proved_by_lines():
    x = np.linspace(-1, 1, 21)
    saddle = Gridded(x[:, None] * x, [x, x])  # linear along both axes
    assert saddle.convexity().convex is None
    hollow = Gridded(np.where(np.abs(x) == 1, 0.0, np.inf), x)
    a, m, b = hollow.convexity().witness
    assert hollow(a[0]) == hollow(b[0]) == 0 and hollow(m[0]) == np.inf


def test_values_between_nodes_and_outside():
    f = Gridded([[0.0, 1.0], [2.0, np.inf]], [[0.0, 1.0], [0.0, 2.0]])
    points = [[0.5, 0.0], [0.0, 1.0], [0.5, 1.0], [1.0, 2.0], [-0.1, 0.0]]
    assert f(points).tolist() == [1.0, 0.5, np.inf, np.inf, np.inf]


def test_improper_and_malformed_grids():
    assert isinstance(Gridded([np.inf, np.inf], [0.0, 1.0]).conjugate(), Improper)
    assert Gridded([np.inf, np.inf], [0.0, 1.0]).conjugate()(0.0) == -np.inf
    assert Gridded([0.0, -np.inf], [0.0, 1.0]).conjugate()(0.0) == np.inf
    with pytest.raises(InputError, match="NaN"):
        Gridded([0.0, np.nan], [0.0, 1.0])
    with pytest.raises(ShapeError, match="pass one for each axis"):
        Gridded(np.zeros((2, 2)), [[0.0, 1.0]])
    with pytest.raises(InputError, match="strictly increasing"):
        Gridded([0.0, 1.0], [1.0, 0.0])


# ---- c-transforms --------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_c_transforms(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 7, size=2)
    cost, f = rng.normal(size=(n, m)), rng.normal(size=n)
    once = c_transform(f, cost)
    np.testing.assert_allclose(once, (cost - f[:, None]).min(axis=0), rtol=1e-15)
    twice = c_transform(once, cost.T)
    assert (twice >= f - 1e-14).all()
    np.testing.assert_allclose(c_transform(twice, cost), once, atol=1e-14)
    soft = c_transform(f, cost, eps=0.3)
    np.testing.assert_allclose(
        soft, -0.3 * np.logaddexp.reduce((f[:, None] - cost) / 0.3, axis=0), rtol=1e-12
    )
    assert (soft <= once + 1e-14).all() and (soft >= once - 0.3 * math.log(n) - 1e-14).all()


def test_the_cost_of_a_product_gives_the_legendre_transform():
    x, y = np.linspace(-1, 1, 9), np.linspace(-2, 2, 5)
    f = np.random.default_rng(0).normal(size=9)
    np.testing.assert_allclose(c_transform(-f, -np.outer(x, y)), -legendre(f, x, y), rtol=1e-14)
    with pytest.raises(ShapeError, match=r"pass \(..., n\) and \(n, m\)"):
        c_transform(f, np.zeros((3, 4)))


# ---- Python functions ----------------------------------------------------------------------------------

PAIRS = [
    (lambda x: x**2 / 2, lambda y: y**2 / 2, [-2.0, 0.0, 3.0]),
    (np.exp, lambda y: y * np.log(y) - y, [0.1, 1.0, 5.0]),
    (lambda x: -np.log(x), lambda y: -1 - np.log(-y), [-3.0, -1.0, -0.1]),
    (lambda x: np.sqrt(1 + x**2), lambda y: -np.sqrt(1 - y**2), [-0.9, 0.0, 0.5]),
    (lambda x: np.logaddexp(0, x), lambda y: y * np.log(y) + (1 - y) * np.log1p(-y), [0.01, 0.5, 0.9]),
]


@pytest.mark.parametrize(("f", "expected", "y"), PAIRS)
def test_python_functions_of_one_variable(f, expected, y):
    y = np.array(y)
    g = conjugate(FromCallable(f))
    np.testing.assert_allclose(g(y), expected(y), rtol=1e-9, atol=1e-9)
    assert g.method == "numeric" and not g.exact
    assert np.nanmax(g.gap(y)) <= 1e-6


def test_a_kink_needs_its_slopes():
    assert np.abs(conjugate(FromCallable(np.abs, 1, np.sign))([-0.5, 0.0, 0.99])).max() <= 1e-300
    assert conjugate(FromCallable(np.abs))([1.5, -2.0]).tolist() == [np.inf, np.inf]


def test_suprema_that_are_not_attained():
    exp, softplus = (
        conjugate(FromCallable(np.exp, 1, np.exp)),
        conjugate(FromCallable(lambda x: np.logaddexp(0, x))),
    )
    assert exp([-1.0, 0.0]).tolist() == [np.inf, 0.0]
    assert softplus([-0.1, 0.0, 1.0, 1.1]).tolist() == [np.inf, 0.0, 0.0, np.inf]
    assert conjugate(FromCallable(lambda x: -np.log(x)))([0.0, 1.0]).tolist() == [np.inf, np.inf]


def test_python_functions_of_several_variables():
    Q = np.array([[2.0, 0.5], [0.5, 1.0]])
    f = FromCallable(lambda x: (x @ Q * x).sum(axis=1) / 2, 2, lambda x: x @ Q, True, 0.5)
    y = np.random.default_rng(0).normal(size=(5, 2))
    g = conjugate(f)
    exact = (y @ np.linalg.inv(Q) * y).sum(axis=1) / 2
    assert (
        (g(y) <= exact + 1e-14).all()
        and (exact - g(y) <= g.gap(y) + 1e-14).all()
        and (g.gap(y) < 1e-12).all()
    )
    sphere = conjugate(FromCallable(lambda x: np.sqrt(1 + (x**2).sum(axis=1)), 2))
    assert sphere([0.3, 0.4]) == pytest.approx(-math.sqrt(0.75), abs=1e-9)
    assert sphere([0.8, 0.8]) == np.inf


def test_python_functions_that_do_not_fit():
    with pytest.raises(ShapeError, match="vectorise it"):
        FromCallable(lambda x: 1.0)([0.0, 1.0])
    with pytest.raises(InputError, match="shift it"):
        conjugate(FromCallable(lambda x: -np.log(x - 1000)))(0.5)
    with pytest.raises(InputError, match="pass FromCallable"):
        conjugate(np.exp)

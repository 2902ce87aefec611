"""Proved rounding bounds against the exact values: rational arithmetic, or 60 digits for log-sum-exp."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from tropical import Circuit, Polynomial, Rational, Semiring
from tropical.circuit import Affine, Input, combine, entries, soft_max

EPS = [0.0, 0.03, 2.0]


def exact_values(circuit, x):
    """The circuit at one point of floats, gate by gate: Fractions, and mpmath's numbers above a soft gate."""
    values = {}
    for node in circuit.nodes:
        if isinstance(node, Input):
            values[node] = [Fraction(float(v)) for v in x]
        elif isinstance(node, Affine):
            rows = [Fraction(float(b)) for b in node.bias]
            for weights, operand in node.terms:
                for i, j, w in entries(weights):
                    w, v = Fraction(float(w)), values[operand][j]
                    rows[i] = rows[i] + w * v if isinstance(v, Fraction) else mp(rows[i]) + mp(w) * v
            values[node] = rows
        else:
            eps = node.eps if circuit.eps is None else circuit.eps
            branches = zip(*(values[b] for b in node.branches), strict=True)
            values[node] = [log_sum_exp(eps, row) if eps else max(row) for row in branches]
    return values[circuit.node]


def mp(v):
    return mpmath.mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else v


def log_sum_exp(eps, row):
    return eps * mpmath.log(sum(mpmath.exp(mp(v) / eps) for v in row))


def random_circuit(seed, dtype=float, eps=None):
    """Two layers of gates over weights of many digits and sizes; the second has a gate of three branches."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return (rng.normal(size=shape) * 10.0 ** rng.integers(-2, 3, size=shape)).astype(dtype)

    x = Circuit.identity(3)
    hidden = x.affine(draw(5, 3), draw(5)) + x.affine(draw(5, 3), draw(5))
    inner = [combine([(abs(draw(4, 5)), hidden), (draw(4, 3), x)], draw(4)) for _ in range(3)]
    c = soft_max(inner).affine(abs(draw(2, 4)), draw(2))
    return c if eps is None else c.deform(eps)


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_circuits(dtype, eps):
    with mpmath.workdps(60):
        for seed in range(6):
            c = random_circuit(seed, dtype, eps)
            points = (
                np.random.default_rng(seed).normal(size=(6, 3)).astype(dtype)
                * 10.0 ** np.arange(-2, 4)[:, None]
            )
            points = points.astype(dtype)
            values, bounds = c(points), c.error_bound(points)
            assert values.dtype == dtype and bounds.dtype == float and bounds.shape == values.shape
            for x, row, bound in zip(points, values, bounds, strict=True):
                for v, e, b in zip(row, exact_values(c, x), bound, strict=True):
                    assert abs(mp(Fraction(float(v))) - mp(e)) <= b
            unit, scale = np.finfo(dtype).eps, abs(values) + c.eps
            assert (bounds <= 1e4 * unit * scale).all()  # nor absurdly large


def test_the_bound_is_of_the_size_of_what_cancels():
    x = Circuit.identity(1)
    P, Q = x.affine([[0.1]], [1e9]) + 0.5, x.affine([[0.3]], [1e9]) + 0.5
    f = Rational(P, Q)
    assert 1e-8 < f.error_bound([1.0])[0] < 1e-6
    exact = Fraction(0.1) - Fraction(0.3)
    assert abs(Fraction(float(f([1.0])[0])) - exact) <= Fraction(float(f.error_bound([1.0])[0]))


def test_sparse_weights_are_bounded_as_dense_ones():
    from scipy import sparse

    rng = np.random.default_rng(3)
    W = rng.normal(size=(6, 8)) * (rng.random((6, 8)) < 0.3)
    dense, thin = (Circuit.identity(8).affine(w, rng.normal(size=6) * 0) for w in (W, sparse.csr_array(W)))
    x = rng.normal(size=(9, 8))
    for i in range(9):
        for v, e, b in zip(thin(x[i]), exact_values(thin, x[i]), thin.error_bound(x[i]), strict=True):
            assert abs(Fraction(float(v)) - e) <= Fraction(float(b))
    assert (thin.error_bound(x) <= dense.error_bound(x)).all()


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("sign", [1, -1])
def test_polynomials(sign, eps):
    rng = np.random.default_rng(1)
    slopes, coefficients = rng.normal(size=(40, 4)) * 10, rng.normal(size=40)
    coefficients[3] = -sign * np.inf
    p = Polynomial(slopes, coefficients, Semiring(sign, eps))
    points = rng.normal(size=(12, 4)) * 10.0 ** np.arange(-4, 8)[:, None]
    values, bounds = p(points), p.error_bound(points)
    rows = np.delete(slopes, 3, axis=0), np.delete(coefficients, 3)
    with mpmath.workdps(60):
        for x, v, b in zip(points, values, bounds, strict=True):
            exact = [
                Fraction(c) + sum(Fraction(w) * Fraction(t) for w, t in zip(row, x, strict=True))
                for row, c in zip(*rows, strict=True)
            ]
            top = max(sign * z for z in exact)
            expected = sign * (log_sum_exp(eps, [sign * z for z in exact]) if eps else mp(top))
            assert (
                abs(mp(Fraction(v)) - expected) <= b <= 1e-13 * (float(max(abs(z) for z in exact)) + eps + 1)
            )


def test_rational_functions_of_polynomials():
    rng = np.random.default_rng(5)
    P, Q = (Polynomial(rng.normal(size=(7, 2)), 1e6 + rng.normal(size=7)) for _ in range(2))
    f, points = P / Q, rng.normal(size=(50, 2))
    exact = f.to_exact()(points)
    gaps = [abs(Fraction(v) - e) for v, e in zip(f(points), exact, strict=True)]
    assert all(g <= Fraction(b) for g, b in zip(gaps, f.error_bound(points), strict=True)) and max(gaps) > 0


def test_exact_functions_have_no_error():
    x = Circuit.identity(2, exact=True)
    c = x.affine([[Fraction(1, 3), 1]]) + 0
    p = Polynomial([[Fraction(1, 3), 1]], [Fraction(1, 7)])
    for f in (c, c / c, p, p / p):
        assert np.all(f.error_bound([[1, 2], [3, 4]]) == 0)
        assert np.shape(f.error_bound([[1, 2], [3, 4]])) == np.shape(f([[1, 2], [3, 4]]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_bounded_is_inf():
    c = Circuit.identity(2).affine([[1e300, 1.0]]) + 0
    assert c.error_bound([1e200, 0.0])[0] == np.inf and c.error_bound([np.nan, 0.0])[0] == np.inf
    assert Polynomial([[1e300]], [0.0]).error_bound([1e200]) == np.inf
    assert c.error_bound([1e-300, 1.0])[0] < 1e-15


def test_underflow_is_bounded_too():
    c = Circuit.identity(1).affine([[1e-200]])
    assert c([1e-200])[0] == 0 < c.error_bound([1e-200])[0]


@pytest.mark.parametrize("eps", [0.5, 3.0])
def test_one_soft_gate(eps):
    """Operands that no rounding reaches, so that the gate's own error is all there is; it is seen, and bounded."""
    x = np.random.default_rng(0).uniform(-6 * eps, 6 * eps, size=(300, 1))
    identity = Circuit.identity(1)
    c = soft_max([identity, identity**0], eps)
    p = Polynomial([[1.0], [0.0]], [0.0, 0.0], Semiring(eps=eps))
    for f in (c, p):
        values, bounds = np.ravel(f(x)), np.ravel(f.error_bound(x))
        with mpmath.workdps(40):
            errors = [
                abs(v - log_sum_exp(eps, [Fraction(t), Fraction(0)]))
                for v, t in zip(values, x[:, 0], strict=True)
            ]
        assert all(e <= b for e, b in zip(errors, bounds, strict=True))
        assert max(e / b for e, b in zip(errors, bounds, strict=True)) > 0.02

"""Derivatives of the entropy and of its natural gradient, against 60 digits and differences of those."""

import mpmath
import numpy as np
import pytest

from hjsym import EntropyLandscape
from hjsym.hopf import LSELayer
from tropical import InputError, Polynomial, Semiring, ShapeError, Slice

CASES = [(1, 6, 0.4), (1, 3, 0.02), (2, 7, 0.5), (2, 16, 0.05), (3, 9, 0.3)]


def landscape(d: int, N: int) -> EntropyLandscape:
    return EntropyLandscape.of_atoms(np.random.default_rng(10 * d + N).normal(size=(N, d)))


def place(d: int) -> np.ndarray:
    return np.random.default_rng(d).normal(size=d) * 0.4


def exact_weights(H, x, eps):
    z = [mpmath.fdot(W, x) + mpmath.mpf(b) for W, b in zip(H.W.tolist(), H.b.tolist(), strict=True)]
    e = [mpmath.exp((a - max(z)) / eps) for a in z]
    return z, [a / mpmath.fsum(e) for a in e]


def exact_entropy(H, x, eps):
    return -mpmath.fsum(p * mpmath.log(p) for p in exact_weights(H, x, eps)[1])


def exact_natural_gradient(H, x, eps):
    """−Cov(W, W)⁻¹ Cov(W, z), by LU decomposition."""
    z, p = exact_weights(H, x, eps)
    W, d = mpmath.matrix(H.W.tolist()), len(x)
    mean = [mpmath.fsum(p[j] * W[j, k] for j in range(len(p))) for k in range(d)]
    height = mpmath.fdot(p, z)
    C, c = mpmath.matrix(d, d), mpmath.matrix(d, 1)
    for j, weight in enumerate(p):
        for k in range(d):
            c[k] += weight * (W[j, k] - mean[k]) * (z[j] - height)
            for m in range(d):
                C[k, m] += weight * (W[j, k] - mean[k]) * (W[j, m] - mean[m])
    return -mpmath.lu_solve(C, c)


def difference(f, x, eps, *directions):
    """The mixed derivative of f(x, ε) along (v, dε) directions, by nested central differences with 400 digits."""
    if not directions:
        return f(x, eps)
    h = mpmath.mpf(10) ** -40
    (v, s), *rest = directions
    ends = [
        difference(f, [a + sign * h * c for a, c in zip(x, v, strict=True)], eps + sign * h * s, *rest)
        for sign in (1, -1)
    ]
    return (ends[0] - ends[1]) / (2 * h)


@pytest.fixture(params=CASES, ids=str)
def case(request):
    d, N, eps = request.param
    with mpmath.workdps(400):
        yield landscape(d, N), place(d), eps, np.random.default_rng(0).normal(size=(2, d))


def exactly(f, H, x, eps, *directions):
    """A derivative in 400 digits, rounded; directions are vectors, or "eps"."""
    zero = [0] * len(x)
    ways = [(zero, 1) if isinstance(v, str) else (list(map(mpmath.mpf, v)), 0) for v in directions]
    result = difference(lambda y, e: f(H, y, e), list(map(mpmath.mpf, x)), mpmath.mpf(eps), *ways)
    return float(result) if not isinstance(result, mpmath.matrix) else np.array(result, float).ravel()


def close(got, expected, rel=1e-11, least=1e-300):
    np.testing.assert_allclose(got, expected, rtol=0, atol=rel * max(least, np.abs(expected).max()))


def test_derivatives_of_the_entropy(case):
    H, x, eps, (v, w) = case
    h = exact_entropy
    close(H(x, eps), exactly(h, H, x, eps))
    close(H.gradient(x, eps) @ v, exactly(h, H, x, eps, v))
    close(v @ H.hessian(x, eps) @ w, exactly(h, H, x, eps, v, w))
    close(np.einsum("abc,a,b,c", H.third(x, eps), v, v, w), exactly(h, H, x, eps, v, v, w))
    close(H.fourth_along(x, v, eps), exactly(h, H, x, eps, v, v, v, v))
    close(H.eps_derivative(x, eps), exactly(h, H, x, eps, "eps"))
    close(H.eps_gradient(x, eps) @ v, exactly(h, H, x, eps, v, "eps"))
    close(v @ H.eps_hessian(x, eps) @ w, exactly(h, H, x, eps, v, w, "eps"))


def test_derivatives_of_the_natural_gradient(case):
    H, x, eps, (v, w) = case
    n, g = H.natural_gradient(x[None], eps), exact_natural_gradient
    close(n.value[0], exactly(g, H, x, eps))
    close(n.jacobian[0] @ v, exactly(g, H, x, eps, v))
    close(n.second(v[None], w[None])[0], exactly(g, H, x, eps, v, w), 1e-10, 1)
    close(n.eps_derivative[0], exactly(g, H, x, eps, "eps"), 1e-11, 1)
    close(n.eps_jacobian(v[None])[0], exactly(g, H, x, eps, v, "eps"), 1e-10, 1)
    close(n.eps_second[0], exactly(g, H, x, eps, "eps", "eps"), 1e-10, eps**-2)


@pytest.mark.parametrize(("d", "eps"), [(1, 1e-3), (2, 4e-3), (2, 0.1), (3, 1e-2)])
def test_the_natural_gradient_does_not_underflow(d, eps):
    """Far out and in the cold, where weights are below 10⁻³⁰⁰ and ∇H is 0, against as many digits as that needs."""
    H, x = landscape(d, 8), np.full(d, 7.3)
    assert not H.gradient(x, 1e-3).any()
    with mpmath.workdps(round(25 / eps) + 200):
        expected = np.array(
            exact_natural_gradient(H, list(map(mpmath.mpf, x)), mpmath.mpf(eps)), float
        ).ravel()
    np.testing.assert_allclose(H.natural_gradient(x[None], eps).value[0], expected, rtol=1e-11)


def test_repeated_terms_count_but_do_not_hide_the_rest():
    """Two equal terms on top: the entropy is log 2 all around, and the natural gradient is still that of the others."""
    H, x, eps = EntropyLandscape.of_atoms([0.0, 0.0, 1.0, 3.0]), [0.1], 1e-3
    with mpmath.workdps(2000):
        expected = float(exact_natural_gradient(H, [mpmath.mpf("0.1")], mpmath.mpf(eps))[0])
    assert H(x, eps) == pytest.approx(np.log(2), rel=1e-15)
    assert H.natural_gradient([x], eps).value[0, 0] == pytest.approx(expected, rel=1e-12)


def test_it_is_the_gradient_in_the_fisher_metric():
    H, x = landscape(2, 9), place(2)
    G, D = H.fisher(x, 0.4), H.natural_gradient(x[None], 0.4)
    close(G @ D.value[0], H.gradient(x, 0.4))
    pi = H.weights(np.stack([x + 1e-5 * u for u in (*np.eye(2), *-np.eye(2))]), 0.4)
    scores = (np.log(pi[:2]) - np.log(pi[2:])) / 2e-5
    close(np.einsum("n,an,bn->ab", H.weights(x, 0.4), scores, scores), G, 1e-8)  # E[∂ log π ∂ log π]


def test_sources_agree():
    y, g = np.random.default_rng(1).normal(size=(5, 2)), np.arange(5) / 7
    layer = LSELayer.from_initial_data(y, g, eps=0.3, t=0.8)
    gauge, p = layer.kernel(2.0), layer.polynomial
    mirrored = Polynomial(-p.slopes, -p.coefficients, Semiring(sign=-1, eps=0.3))
    x = np.array([0.3, -0.2])
    direct = EntropyLandscape.of_atoms(y, g, weight=1 / 1.6)
    for source in (layer, gauge, p, mirrored, layer.to_network(), direct):
        close(EntropyLandscape.of(source)(x, 0.3), direct(x, 0.3), 1e-13)
    cut = EntropyLandscape.of(layer, Slice([0.1, 0.0], [[0.4, -0.4]]))
    close(cut([0.5], 0.3), direct(x, 0.3), 1e-13)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: EntropyLandscape([0.0, np.nan], [0, 0]), InputError, "finite"),
        (lambda: EntropyLandscape([0.0, 1.0], [0, np.nan]), InputError, "offsets"),
        (lambda: EntropyLandscape([0.0, 1.0], [-np.inf, -np.inf]), InputError, "no terms"),
        (lambda: EntropyLandscape([0.0, 1.0], [0]), ShapeError, r"\(N, d\)"),
        (lambda: EntropyLandscape.of_atoms([0.0, 1.0], weight=-1.0), InputError, "weight"),
        (lambda: EntropyLandscape.of_atoms([0.0, 1.0])([[0.0]], 0.0), InputError, "temperature"),
        (lambda: EntropyLandscape.of_atoms([0.0, 1.0])([[0.0]], np.nan), InputError, "temperature"),
        (lambda: EntropyLandscape.of_atoms([0.0, 1.0])([[0.0, 1.0]], 1.0), ShapeError, "variables"),
    ],
)  # fmt: skip
def test_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()

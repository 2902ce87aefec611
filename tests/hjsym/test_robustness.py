"""Certified radii under attack, and bounds against mpmath, eigenvalues, exact distances and all pairs of slopes."""

import doctest
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import hjsym
from hjsym import layers
from hjsym.adjoint_rounding import jacobian_enclosure
from hjsym.hopf import LSELayer
from hjsym.network import Network, Node
from hjsym.robustness import certify, hessian_norm, smoothness
from hjsym.robustness.farthest import farthest
from tropical import (
    Circuit,
    InputError,
    Polynomial,
    PolynomialMap,
    Rational,
    Semiring,
    ShapeError,
)

ROOT = Path(__file__).resolve().parents[2]
NORMS = [1, 2, math.inf]
DUAL = {1: math.inf, 2: 2, math.inf: 1}


def random_layer(seed=0, neurons=9, variables=3, eps=0.3, labels=None) -> LSELayer:
    rng = np.random.default_rng(seed)
    return LSELayer(rng.normal(size=(neurons, variables)), rng.normal(size=neurons), eps, labels=labels)


def random_network(seed=0, sizes=(3, 8, 6, 3)) -> list:
    rng = np.random.default_rng(seed)
    pairs = zip(sizes[1:], sizes[:-1], strict=True)
    return [(rng.normal(size=(m, d)) * np.sqrt(2 / d), rng.normal(size=m) / 3) for m, d in pairs]


def bent_network(seed=0) -> Network:
    """Every kind of layer, with a residual sum, groups that overlap and bends of both signs."""
    rng = np.random.default_rng(seed)

    def affine(rows, columns):
        return layers.Affine(rng.normal(size=(rows, columns)), rng.normal(size=rows))

    return Network(
        3,
        (
            Node(affine(6, 3), (0,)),
            Node(layers.clip(-1.5, 0.7), (1,)),
            Node(affine(6, 6), (2,)),
            Node(layers.Maximum([[0, 1], [2, 5], [3, 3], [4, 0], [1, 2]]), (3,)),
            Node(layers.Gather([0, 1, 2, 3, 4, 0]), (4,)),
            Node(layers.Add([1.0, -0.3]), (5, 2)),
            Node(layers.Scale(rng.normal(size=6), rng.normal(size=6)), (6,)),
            Node(layers.absolute(), (7,)),
            Node(layers.Concat(2), (8, 1)),
            Node(affine(2, 12), (9,)),
        ),
    )


# ---- attack ----------------------------------------------------------------------------------------------


def projected(h, radius, norm):
    sizes = np.linalg.norm(h, norm, axis=-1, keepdims=True)
    return h * np.minimum(1, radius[..., None] / np.maximum(sizes, 1e-300))


def steepest(g, norm):
    """Directions of norm 1 in which g·h is largest."""
    if norm == 2:
        return g / np.maximum(np.linalg.norm(g, axis=-1, keepdims=True), 1e-300)
    if norm == math.inf:
        return np.sign(g)
    best = np.eye(g.shape[-1])[abs(g).argmax(axis=-1)]
    return best * np.sign(g)


def attacked(margin, gradient, x, radius, norm, restarts=40, steps=25, seed=0):
    """The least margin that projected gradient descent finds within the ball, per point."""
    rng = np.random.default_rng(seed)
    radius = np.broadcast_to(radius, (restarts, len(x)))
    h = projected(rng.normal(size=(restarts, *x.shape)) * radius[..., None], radius, norm)
    h[: restarts // 2] = steepest(h[: restarts // 2], norm) * radius[: restarts // 2, :, None]
    h[0] = -steepest(gradient(x), norm) * radius[0, :, None]
    least = np.full(len(x), np.inf)
    for step in range(steps):
        least = np.minimum(least, margin(x + h).min(axis=0))
        h = projected(
            h - steepest(gradient(x + h), norm) * radius[..., None] * 0.7 / (1 + step), radius, norm
        )
    return np.minimum(least, margin(x + h).min(axis=0))


def test_the_attack_finds_what_is_there():
    """On |x| < c, whose boundary is at a known distance, it gets through just beyond it."""
    layer = LSELayer([[1.0, 1.0], [-1.0, 1.0]], [0.0, 0.0], eps=1e-3)
    x = np.array([[0.0, 0.0]])
    for norm, distance in ((1, 1.0), (2, math.sqrt(0.5)), (math.inf, 0.5)):
        for factor, through in ((1.01, True), (0.98, False)):
            least = attacked(
                lambda z: 1 - layer(z),
                lambda z: -layer.polynomial.gradient(z),
                x,
                np.array(distance * factor),
                norm,
            )
            assert (least < 0).all() == through


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("eps", [1.0, 0.1, 0.0])
@pytest.mark.parametrize("scale", [1.0, -0.4])
def test_layers_under_attack(norm, eps, scale):
    rng = np.random.default_rng(1)
    p = Polynomial(rng.normal(size=(9, 3)), rng.normal(size=9), Semiring(eps=eps))
    x = rng.normal(size=(60, 3)) * 1.5
    level = float(np.median(scale * p(x)))
    found = certify(p, x, norm, level=level, scale=scale)
    np.testing.assert_array_equal(found.decision, scale * p(x) > level)
    sign = np.where(found.decision, 1.0, -1.0)
    margin, gradient = (
        lambda z: sign * (scale * p(z) - level),
        lambda z: sign[:, None] * scale * p.gradient(z),
    )
    least = attacked(margin, gradient, x, found.radius, norm)
    assert (least > -1e-13).all() and (found.radius > 0).all()
    assert (found.radius >= found.lipschitz).all()
    bends = smoothness(p, norm).convex * abs(scale)
    slope = np.linalg.norm(scale * p.gradient(x), DUAL[norm], axis=1)
    m = abs(scale * p(x) - level)  # the formulas of the three radii, in plain floats
    L = abs(scale) * np.linalg.norm(p.slopes, DUAL[norm], axis=1).max()
    np.testing.assert_allclose(found.lipschitz, m / L, rtol=1e-9)
    if eps:
        by_curvature = (-slope + np.sqrt(slope**2 + 2 * bends * m)) / bends
        np.testing.assert_allclose(found.curvature, by_curvature, rtol=1e-9)
        convex = (found.decision == 1) == (scale > 0)
        np.testing.assert_allclose(found.convexity[convex], (m / slope)[convex], rtol=1e-9)
        np.testing.assert_allclose(found.convexity[~convex], by_curvature[~convex], rtol=1e-9)
    further = attacked(
        lambda z: sign * (scale * p(z) - level),
        lambda z: sign[:, None] * scale * p.gradient(z),
        x,
        found.radius * 3,
        norm,
    )
    assert (further < 0).mean() > 0.3  # the attack is not a blind one


def classes_margin(score, gradient, winner):
    """The margin to the best rival, and its gradient; `winner` (B,)."""
    rows = np.arange(len(winner))

    def margins(z):
        s = score(z)
        own = s[..., rows, winner]
        s[..., rows, winner] = -np.inf
        return own, s

    def margin(z):
        own, s = margins(z)
        return own - s.max(axis=-1)

    def slope(z):
        rival = margins(z)[1].argmax(axis=-1)
        J = gradient(z)
        return J[..., rows, winner, :] - np.take_along_axis(J, rival[..., None, None], axis=-2)[..., 0, :]

    return margin, slope


@pytest.mark.parametrize("norm", NORMS)
def test_classes_of_layers_under_attack(norm):
    classes = np.array([0, 3, 7])
    labels = classes[np.arange(12) % 3]
    layer = random_layer(4, 12, 4, 0.2, labels)
    x = np.random.default_rng(2).normal(size=(60, 4))
    found = certify(layer, x, norm)
    np.testing.assert_array_equal(found.decision, layer.class_probabilities(x).argmax(axis=1))
    parts = [Polynomial(layer.W[labels == c], layer.b[labels == c], Semiring(eps=0.2)) for c in classes]
    winner = np.searchsorted(classes, found.decision)

    def score(z):
        return np.stack([p(z) for p in parts], axis=-1)

    def gradient(z):
        return np.stack([p.gradient(z) for p in parts], axis=-2)

    least = attacked(*classes_margin(score, gradient, winner), x, found.radius, norm)
    assert (least > -1e-13).all() and (found.radius > 0).all()
    for same in (parts, PolynomialMap(parts)):
        np.testing.assert_array_equal(certify(same, x, norm).radius, found.radius)
    two = certify(Rational(parts[0], parts[1]), x, norm)
    np.testing.assert_array_equal(two.radius, certify([parts[1], parts[0]], x, norm).radius)
    np.testing.assert_array_equal(two.decision, parts[0](x) > parts[1](x))


def concave_network() -> list:
    """4 less softplus or ReLU units: the tangent lies above f, and the radius m/‖∇f‖ would be a wrong one."""
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(6, 2)), rng.normal(size=6)), (-np.ones((1, 6)), [4.0])]


NETWORKS = {
    "deep": random_network(),
    "bent": bent_network(),
    "one output": random_network(3, (2, 10, 1)),
    "concave": concave_network(),
}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("eps", [0.0, 0.2, 3.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_under_attack(name, eps, norm):
    f = hjsym.compile(NETWORKS[name])
    f = f.deform(eps) if eps else f
    x = np.random.default_rng(3).normal(size=(40, f.variables))
    found = certify(f, x, norm)
    if f.network.output_size == 1:
        sign = np.where(found.decision, 1.0, -1.0)
        margin, slope = lambda z: sign * f(z)[..., 0], lambda z: sign[:, None] * f.gradient(z)[..., 0, :]
    else:
        margin, slope = classes_margin(f, f.gradient, found.decision)
        np.testing.assert_array_equal(found.decision, f(x).argmax(axis=1))
    assert (attacked(margin, slope, x, found.radius, norm, restarts=12, steps=12) > -1e-12).all()
    assert (found.radius > 0).all() and (found.margin <= margin(x)).all()
    if eps == 3.0:
        assert (found.convexity > found.lipschitz).mean() > 0.3  # curvature is worth its while


@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_circuits_under_attack(eps):
    """Without the network that they come from, P and Q are bounded gate by gate."""
    f = hjsym.compile(random_network(2, (2, 5, 3))).deform(eps)
    f = Rational(f.P, f.Q)
    x = np.random.default_rng(0).normal(size=(20, 2))
    found = certify(f, x)
    margin, slope = classes_margin(f, f.gradient, found.decision)
    assert (attacked(margin, slope, x, found.radius, 2, restarts=10) > -1e-12).all()
    assert (found.radius > 0).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["deep", "one output"])
def test_no_radius_exceeds_the_exact_distance(name, norm):
    f = hjsym.compile(random_network(1, (2, 6, 5, 3) if name == "deep" else (2, 8, 1)))
    for x in np.random.default_rng(0).normal(size=(4, 2)):
        found, exact = certify(f, x, norm), hjsym.nearest_boundary(f, x, norm)
        assert exact.exact
        assert found.radius <= exact.upper and found.decision == exact.classes[0]


def test_convex_networks_have_the_radius_of_their_gradient():
    """A ReLU network with weights ≥ 0 is convex: above the level m/‖∇f‖ holds at ε = 0 too."""
    rng = np.random.default_rng(0)
    net = [
        (rng.normal(size=(6, 2)), rng.normal(size=6)),
        (rng.uniform(size=(5, 6)), -np.ones(5)),
        (np.ones((1, 5)), [-1.0]),
    ]
    f = hjsym.compile(net)
    x = rng.normal(size=(30, 2)) * 2
    found = certify(f, x)
    above = found.decision == 1
    assert above.any() and (~above).any()
    slope = np.linalg.norm(f.gradient(x[above])[:, 0], axis=1)
    np.testing.assert_allclose(found.convexity[above], f(x[above])[:, 0] / slope, rtol=1e-9)
    assert (found.convexity[~above] == 0).all()


# ---- constants -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [1, 2, math.inf])
@pytest.mark.parametrize(
    "shapes", [((40, 3), (30, 3)), ((1, 2), (1, 2)), ((700, 2), (600, 2)), ((5, 40), (9, 40))]
)
def test_farthest_is_the_largest_of_all_pairs(norm, shapes):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=s) for s in shapes)
    A, B = A * 1e150, B * 1e150
    exact = (
        cdist(A / 1e150, B / 1e150, {1: "cityblock", 2: "euclidean", math.inf: "chebyshev"}[norm]).max()
        * 1e150
    )
    found = farthest(A, B, norm, 10**6)
    assert found.exact and found.lower <= exact <= found.upper <= exact * (1 + 1e-12)
    assert np.linalg.norm(A[found.pair[0]] - B[found.pair[1]], norm) == pytest.approx(exact, rel=1e-12)


def test_too_many_pairs_leave_bounds():
    turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 20_001)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    found = farthest(circle, circle, 2, 10**5)
    assert not found.exact and found.lower <= 2 <= found.upper < 2.001
    bounds = smoothness(Polynomial(circle, np.zeros(len(turn)), Semiring(eps=1.0)), max_pairs=10**5)
    assert 1 <= bounds.convex < 1.001


@given(st.integers(0, 10**6), st.floats(0.1, 10), st.floats(0.05, 5))
@example(0, 1.0, 1.0)
def test_laws_of_scaling_and_shifting(seed, c, eps):
    """f_{cε}(x; cW, cb) = c f_ε scales both constants by c; a shift of all slopes changes no curvature."""
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(int(rng.integers(1, 8)), 2)), None
    b = rng.normal(size=len(W))
    one = smoothness(LSELayer(W, b, eps))
    other = smoothness(LSELayer(c * W, c * b, c * eps))
    shifted = smoothness(LSELayer(W + 3.5, b, eps))
    scaled = smoothness(LSELayer(W, b, eps), scale=-c)
    assert other.lipschitz == pytest.approx(c * one.lipschitz)
    assert other.convex == pytest.approx(c * one.convex) == scaled.concave
    assert shifted.convex == pytest.approx(one.convex, rel=1e-9)
    assert one.convex <= one.paper * (1 + 1e-9) and scaled.convex == 0
    x = rng.normal(size=(4, 2))
    radii = [certify(LSELayer(s * W, s * b, s * eps), x, level=0.1 * s).radius for s in (1.0, c)]
    np.testing.assert_allclose(*radii, rtol=1e-8)


@pytest.mark.parametrize("eps", [0.05, 0.5, 5.0])
def test_hessians_are_within_the_bound(eps):
    layer = random_layer(6, 20, 4, eps)
    x = np.random.default_rng(0).normal(size=(2, 50, 4))
    norms = hessian_norm(layer, x)
    weights = layer.polynomial.weights(x)
    for index in np.ndindex(2, 10):
        pi = weights[index]
        centred = layer.W - pi @ layer.W
        exact = np.linalg.norm(centred.T @ (pi[:, None] * centred), 2) / eps
        assert norms[index] == pytest.approx(exact, rel=1e-10, abs=1e-13)
    bounds = smoothness(layer)
    assert norms.max() <= bounds.convex <= bounds.paper


def test_the_bound_is_attained_and_the_norm_not_monotone():
    """Two slopes that tie: ∇²f = diam²/4ε. Off the tie it rises with ε first, which the bound never does."""
    p = LSELayer([[3.0, 0.0], [0.0, 4.0]], [1.0, 1.0], 0.5).polynomial
    assert hessian_norm(p, [0.0, 0.0]) == pytest.approx(smoothness(p).convex, rel=1e-12) == 12.5
    norms = [hessian_norm(p.deform(eps), [1.0, 0.0]) for eps in (0.1, 1.0)]
    with mpmath.workdps(30):
        exact = [
            25 / (4 * mpmath.mpf(eps) * mpmath.cosh(mpmath.mpf(3) / (2 * mpmath.mpf(eps))) ** 2)
            for eps in (0.1, 1)
        ]
    np.testing.assert_allclose(norms, [float(v) for v in exact], rtol=1e-12)
    assert norms[0] < norms[1] and smoothness(p.deform(0.1)).convex > smoothness(p.deform(1.0)).convex


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("eps", [0.1, 1.0])
def test_second_differences_of_networks_are_within_the_bounds(name, eps):
    f = hjsym.compile(NETWORKS[name]).deform(eps)
    bounds = smoothness(f)
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(300, f.variables)), rng.normal(size=(300, f.variables))
    h *= 1e-3 / np.linalg.norm(h, axis=1, keepdims=True)
    second = (f.network(x + h) - 2 * f.network(x) + f.network(x - h)) / 1e-6
    assert (second <= bounds.convex + 1e-6).all() and (-second <= bounds.concave + 1e-6).all()
    first = abs(f.network(x + h) - f.network(x - h)) / 2e-3
    assert (first <= bounds.lipschitz).all()
    if name != "bent":  # where layers are many the bounds multiply
        assert (abs(second).max(axis=0) > bounds.curvature / 300).any()


def test_one_hidden_layer_is_a_weighted_gram_matrix():
    """∇²f = Wᵀ diag(v σ″)W, σ″ ≤ 1/4ε: the two sides are the norms of the parts with v of one sign."""
    (W, b), (v, c) = random_network(5, (3, 7, 1))
    bounds = smoothness(hjsym.compile([(W, b), (v, c)]).deform(0.7))
    for side, part in ((bounds.convex, np.maximum(v[0], 0)), (bounds.concave, np.maximum(-v[0], 0))):
        exact = np.linalg.norm(W.T @ (part[:, None] * W), 2) / (4 * 0.7)
        assert exact <= side[0] <= exact * (1 + 1e-6)


def test_a_layer_as_a_network_has_the_same_constants():
    layer = random_layer(2)
    one, other = smoothness(layer), smoothness(layer.to_network())
    assert other.convex[0] == pytest.approx(one.convex, rel=1e-9) and other.concave[0] == 0
    assert one.lipschitz <= other.lipschitz[0]


def test_jacobians_are_enclosed():
    network = bent_network(2).deform(0.3)
    x = np.random.default_rng(0).normal(size=(5, 3))
    centre, radius = jacobian_enclosure(network, x)
    h = 1e-5
    for k, e in enumerate(np.eye(3) * h):
        slope = (network(x + e) - network(x - e)) / (2 * h)
        assert (abs(slope - centre[..., k]) <= radius[..., k] + 1e-7).all()
    assert radius.max() < 1e-11 and (radius >= 0).all()


# ---- edges and bad input ---------------------------------------------------------------------------------


def test_one_slope_is_exact():
    p = Polynomial([[3.0, 4.0]], [1.0], Semiring(eps=0.5))
    found, bounds = certify(p, [[1.0, 1.0], [-1.0, -1.0]]), smoothness(p)
    np.testing.assert_allclose(found.radius, [8 / 5, 6 / 5], rtol=1e-12)
    assert (found.radius <= [8 / 5, 6 / 5]).all()
    assert bounds.convex == 0 and bounds.pair is None and bounds.lipschitz == pytest.approx(5)
    twice = Polynomial([[3.0, 4.0]] * 3, [1.0] * 3, Semiring(eps=0.5))
    assert smoothness(twice).convex == 0
    flat = certify(Polynomial([[0.0, 0.0]], [1.0]), [0.0, 0.0])
    assert flat.radius == np.inf and flat.decision == 1


def test_radii_round_down():
    """Where the exact radius is known in rational numbers, the float is not above it."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        w, b, x = (float(v) for v in rng.normal(size=3))
        found = certify(Polynomial([[w]], [b]), [x])
        with mpmath.workdps(60):
            exact = abs(mpmath.mpf(w) * mpmath.mpf(x) + mpmath.mpf(b)) / abs(mpmath.mpf(w))
            assert mpmath.mpf(float(found.radius)) <= exact
            assert mpmath.mpf(float(found.radius)) >= exact * (1 - 1e-10) - 1e-14


def test_a_decision_that_rounding_hides_has_no_radius():
    p = Polynomial([[1.0], [1.0]], [1e16, 1e16], Semiring(eps=1.0))
    assert certify(p, [1.0], level=1e16 + 2).radius == 0
    assert certify(LSELayer([[1.0], [-1.0]], [0.0, 0.0], 1.0, labels=[0, 1]), [0.0]).radius == 0


def test_shapes():
    layer = random_layer()
    assert certify(layer, np.zeros((0, 3))).radius.shape == (0,)
    assert certify(layer, np.zeros((2, 5, 3))).radius.shape == (2, 5)
    assert hessian_norm(layer, np.zeros((0, 3))).shape == (0,)
    wide = certify(layer, np.random.default_rng(0).normal(size=(50, 3)))
    assert wide.margin.shape == wide.decision.shape == (50,)


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: hessian_norm(Polynomial([1.0], [0.0]), 0.0), InputError, "eps is 0"),
        (lambda: LSELayer([[1.0]], [0.0], -1.0), InputError, "eps is -1"),
        (lambda: certify(random_layer(), [1.0, np.nan, 0.0]), InputError, r"x\[1\] is nan"),
        (lambda: certify(random_layer(), [1.0, 2.0]), ShapeError, "there are 3 variables"),
        (lambda: certify(random_layer(), np.ones(3), 3), InputError, "norm 3"),
        (lambda: certify(random_layer(), np.ones(3), level=np.nan), InputError, "level is nan"),
        (lambda: certify(random_layer(), np.ones(3), scale=0.0), InputError, "scale is 0"),
        (lambda: certify(random_layer(labels=np.zeros(9, int)), np.ones(3)), InputError, "labelled 0"),
        (lambda: certify([random_layer()], np.ones(3)), InputError, "one score decides nothing"),
        (lambda: certify([random_layer(), random_layer(variables=2)], np.ones(3)), ShapeError, r"\[2, 3\]"),
        (
            lambda: certify([random_layer()] * 2, np.ones(3), level=1.0),
            InputError,
            "level and scale are for one",
        ),
        (lambda: certify(random_network(), np.ones(3), level=1.0), InputError, "the network has 3"),
        (
            lambda: certify(hjsym.compile(random_network(), exact=True), np.ones(3)),
            InputError,
            "over Fractions",
        ),
        (lambda: certify(Circuit.identity(2, exact=True) + 0, np.ones(2)), InputError, "over Fractions"),
        (lambda: certify(Polynomial([1.0], [0.0]).to_exact(), 1.0), InputError, "over Fractions"),
        (lambda: smoothness(Polynomial([1.0], [0.0], Semiring(-1))), InputError, "of minima"),
        (lambda: smoothness(Polynomial([1.0], [-np.inf])), InputError, "no finite coefficient"),
        (lambda: smoothness(random_layer(), scale=np.inf), InputError, "scale is inf"),
        (lambda: hessian_norm(random_network(), np.ones(3)), InputError, "pass an LSELayer"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_extremes_have_no_unsafe_radius():
    """Overflow leaves radius 0 or bounds that are infinite, never NaN and no warning."""
    huge = LSELayer([[1e200], [-1e200]], [0.0, 0.0], eps=1e-3)
    assert smoothness(huge).convex == np.inf and smoothness(huge).lipschitz == pytest.approx(1e200)
    for x in (1.0, 1e-300, 1e150):
        found = certify(huge, x, level=1.0)
        assert 0 <= found.radius <= 1e200
    faint = certify(Polynomial([[1e-200], [-1e-200]], [1e-30, 0.0], Semiring(eps=1.0)), 0.0)
    assert faint.decision == 1 and faint.radius >= 0.69 / 1e-200
    beyond = certify([([[1e200]], [0.0]), ([[1e200]], [0.0])], 1.0)
    assert beyond.radius == 0
    line = certify(Polynomial([[1e-200]], [1.0], Semiring(eps=1.0)), 0.0)
    assert 0.99e200 < line.radius <= 1e200  # a square of 1e-200 is 0
    cold = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=1e-300)
    assert 0 < certify(cold, 0.5, level=0.2).radius <= 0.3


def test_examples_of_the_page(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert hjsym.certify is certify
    page = doctest.testfile(str(ROOT / "docs" / "robustness.md"), module_relative=False)
    assert page.attempted > 10 and page.failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("eps", [0.0, 0.05, 0.5])
def test_a_trained_network_under_attack(norm, eps):
    images, _ = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    f = hjsym.compile(ROOT / "examples/models/digits-relu.onnx")
    f, x = (f.deform(eps) if eps else f), images[:60] / 16
    found = certify(f, x, norm)
    margin, slope = classes_margin(f, f.gradient, found.decision)
    assert (attacked(margin, slope, x, found.radius, norm, restarts=40, steps=40) > -1e-11).all()
    assert (attacked(margin, slope, x, found.radius * 20, norm, restarts=10, steps=20) < 0).mean() > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
def test_a_trained_layer_under_attack(norm):
    images, _ = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    layer, x = LSELayer.load(ROOT / "examples/models/digits-lse.npz"), images[:200] / 16
    parts = [
        Polynomial(layer.W[layer.labels == c], layer.b[layer.labels == c], Semiring(eps=layer.eps))
        for c in range(10)
    ]
    found = certify(layer, x, norm)
    margin, slope = classes_margin(
        lambda z: np.stack([p(z) for p in parts], axis=-1),
        lambda z: np.stack([p.gradient(z) for p in parts], axis=-2),
        found.decision,
    )
    assert (attacked(margin, slope, x, found.radius, norm, restarts=30, steps=30) > -1e-11).all()

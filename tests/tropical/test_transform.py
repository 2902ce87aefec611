"""Grid transforms, against brute force in Fractions, mpmath, closed forms and SciPy's distance transform."""

import doctest
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from scipy.special import log_ndtr

import tropical.transform
from tropical import InputError, Semiring, ShapeError, _core, hopf_cole, hopf_lax, legendre, matmul

U = 2.0**-53
INSTRUCTION_SETS = ["baseline", "avx2", "avx512"]
SIZES = [1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 127, 128, 130, 300]

dyadic = st.integers(-64, 64).map(lambda k: k / 8)
extended = st.one_of(dyadic, st.just(math.inf))
lines = st.lists(extended, min_size=1, max_size=24)
finite_lines = st.lists(st.floats(-100, 100), min_size=1, max_size=40)


@pytest.fixture(params=INSTRUCTION_SETS)
def instruction_set(request):
    before = _core.instruction_set()
    _core.set_ceiling(request.param)
    yield request.param
    _core.set_ceiling(before)


def random_nodes(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.cumsum(rng.uniform(0.01, 2, n)) - n / 2


def samples(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    s = np.linspace(-1, 1, n)
    holes = rng.normal(size=n)
    holes[rng.random(n) < 0.6] = np.inf
    return {
        "noise": rng.normal(size=n),
        "walk": np.cumsum(rng.normal(size=n)),
        "convex": 50 * s**2,
        "concave": -50 * s**2,
        "lines": np.abs(10 * s),
        "constant": np.full(n, 0.1),
        "holes": holes,
        "far": 1e9 + rng.normal(size=n),
    }


# ---- plain twins, in Fractions: exact, smallest index first --------------------------------------------


def best(terms: list[tuple[int, Fraction]]) -> tuple[float, int]:
    if not terms:
        return math.inf, -1
    index, value = min(terms, key=lambda term: (term[1], term[0]))
    return value, index


def exact_legendre(f, x, p):
    points = [(i, Fraction(v), Fraction(x[i])) for i, v in enumerate(f) if v < math.inf]
    found = [best([(i, v - Fraction(q) * xi) for i, v, xi in points]) for q in p]
    return [-value for value, _ in found], [index for _, index in found]


def exact_hopf_lax(f, x, w, at):
    """At the nodes of indices `at`."""
    w, points = Fraction(w), [(i, Fraction(v), Fraction(x[i])) for i, v in enumerate(f) if v < math.inf]
    found = [best([(i, v + w * (Fraction(x[j]) - xi) ** 2) for i, v, xi in points]) for j in at]
    return [value for value, _ in found], [index for _, index in found]


# ---- Legendre ------------------------------------------------------------------------------------------


@given(lines, st.data())
@example([0.0, 0.0, 0.0], None)
def test_legendre_of_dyadic_data_is_exact_with_the_smallest_index(f, data):
    n = len(f)
    if data is None:
        x, p = [0.0, 1.0, 2.0], [-1.0, 0.0, 0.0, 1.0]
    else:
        gaps = data.draw(st.lists(st.integers(1, 8), min_size=n, max_size=n))
        x = list(np.cumsum(gaps) / 4 - 3.0)
        p = sorted(data.draw(st.lists(dyadic, max_size=12)))
    values, winners = legendre(f, x, p, return_argmax=True)
    expected, where = exact_legendre(f, x, p)
    assert values.tolist() == expected
    assert winners.tolist() == where


@pytest.mark.parametrize("n", SIZES)
def test_legendre_error(n, instruction_set):
    rng = np.random.default_rng(n)
    x, p = random_nodes(rng, n), np.sort(rng.normal(size=33) * 3)
    for name, f in samples(rng, n).items():
        values, winners = legendre(f, x, p, return_argmax=True)
        expected, _ = exact_legendre(f, x, p)
        for v, i, e, q in zip(values, winners, expected, p, strict=True):
            if i < 0:
                assert v == -np.inf == e
                continue
            assert abs(Fraction(v) - e) <= 8 * U * (abs(q * x[i]) + abs(f[i])), name
            assert v == float(Fraction(q) * Fraction(x[i]) - Fraction(f[i])), name


@given(finite_lines)
def test_biconjugate_is_the_convex_hull(f):
    f, x = np.array(f), np.arange(float(len(f)))
    slopes = np.unique((f[:, None] - f) / (x[:, None] - x + np.eye(len(f))))
    hull = legendre(legendre(f, x, slopes), slopes, x)
    # the hull, from its definition: the least chord over each node
    for k in range(len(f)):
        least = min(
            (f[i] * (x[j] - x[k]) + f[j] * (x[k] - x[i])) / (x[j] - x[i]) if i < j else f[k]
            for i in range(k + 1)
            for j in range(k, len(f))
        )
        assert hull[k] == pytest.approx(least, rel=1e-12, abs=1e-11)


@pytest.mark.parametrize(
    ("function", "conjugate"),
    [
        (np.abs, lambda p: np.maximum(0, 8 * (np.abs(p) - 1))),  # on [−8, 8]
        (lambda x: x**2 / 2, lambda p: p**2 / 2),
        (lambda x: np.maximum(x, 0), lambda p: np.maximum(8 * (p - 1), np.maximum(-8 * p, 0))),
        (lambda x: -np.abs(x), lambda p: 8 + 8 * np.abs(p)),
        (
            lambda x: np.where(np.abs(x) <= 1, x**2 / 2, np.inf),
            lambda p: np.where(np.abs(p) <= 1, p**2 / 2, np.abs(p) - 0.5),
        ),
    ],
)  # fmt: skip
def test_legendre_closed_forms(function, conjugate):
    h = 1 / 64
    x, p = np.linspace(-8, 8, 1025), np.linspace(-3, 3, 101)
    values = legendre(function(x), x, p)
    # f'' <= 1, so the nearest node loses h²/8 at most, and a maximum over fewer points is never larger
    assert (values <= conjugate(p) + 1e-14).all()
    assert (values >= conjugate(p) - h**2 / 8 - 1e-14).all()


def test_legendre_in_several_variables_negates_between_axes():
    rng = np.random.default_rng(3)
    x, y, p, q = (np.sort(rng.normal(size=k)) for k in (6, 7, 4, 5))
    f = rng.normal(size=(6, 7))
    brute = (p[:, None, None, None] * x[:, None] + q[:, None, None] * y - f).max(axis=(2, 3))
    ours = legendre(-legendre(f, y, q, axis=1), x, p, axis=0)
    np.testing.assert_allclose(ours, brute, rtol=1e-14, atol=1e-14)


# ---- Hopf–Lax ------------------------------------------------------------------------------------------


@given(lines, st.sampled_from([1 / 16, 0.5, 1.0, 4.0]), st.sampled_from([-1, 1]))
@example([math.inf, 0.0, 0.0, math.inf, 0.0], 1.0, -1)
def test_hopf_lax_of_dyadic_data_is_exact_with_the_smallest_index(f, w, sign):
    values, winners = hopf_lax(-sign * np.array(f), t=1 / (4 * w), sign=sign, return_argmax=True)
    expected, where = exact_hopf_lax(f, range(len(f)), w, range(len(f)))
    assert (-sign * values).tolist() == expected
    assert winners.tolist() == where


@given(lines, st.data())
def test_hopf_lax_on_any_nodes(f, data):
    gaps = data.draw(st.lists(st.integers(1, 8), min_size=len(f), max_size=len(f)))
    x = list(np.cumsum(gaps) / 4)
    values, winners = hopf_lax(f, t=0.5, x=x, return_argmax=True)
    expected, where = exact_hopf_lax(f, x, 0.5, range(len(f)))
    assert values.tolist() == expected
    assert winners.tolist() == where


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("w", [1e-4, 0.037, 5.0])
def test_hopf_lax_error(n, w, instruction_set):
    rng = np.random.default_rng(n)
    x = random_nodes(rng, n)
    t = 1 / (4 * w)
    w = 1 / (4 * t)
    for name, f in samples(rng, n).items():
        for nodes in (None, x):
            y = np.arange(float(n)) if nodes is None else x
            values, winners = hopf_lax(f, t, x=nodes, return_argmax=True)
            at = sorted({0, n - 1, *rng.integers(n, size=6).tolist()})
            expected, _ = exact_hopf_lax(f, y, w, at)
            for j, e in zip(at, expected, strict=True):
                v, i = values[j], winners[j]
                if i < 0:
                    assert v == np.inf == e
                    continue
                d = y[j] - y[i]
                assert abs(Fraction(v) - e) <= 8 * U * (abs(f[i]) + w * d * d), name
                assert v == f[i] + w * (d * d)


def test_large_grids_lose_no_digits():
    """Heights f + w x² grow to 10¹¹ here: an envelope of those would be right to 10⁻⁵ only."""
    n = 300_000
    f = np.zeros(n)
    f[:] = np.inf
    rng = np.random.default_rng(1)
    at = np.sort(rng.choice(n, 2000, replace=False))
    f[at] = rng.random(2000)
    values = hopf_lax(f, t=0.25)
    some = rng.choice(n, 400, replace=False)
    brute = (f[at] + (some[:, None] - at) ** 2.0).min(axis=1)
    np.testing.assert_array_equal(values[some], brute)


@pytest.mark.parametrize("shape", [(1,), (40,), (17, 23), (64, 70), (9, 10, 11)])
def test_distance_transform(shape, instruction_set):
    rng = np.random.default_rng(len(shape))
    for density in (0.5, 0.05):
        inside = rng.random(shape) < density
        inside.flat[0] = True
        ours, winners = hopf_lax(np.where(inside, 0.0, np.inf), t=0.25, return_argmax=True)
        np.testing.assert_array_equal(ours, np.rint(distance_transform_edt(~inside) ** 2))
        chosen = np.stack(np.unravel_index(winners, shape))
        assert inside[tuple(chosen)].all()
        np.testing.assert_array_equal(((chosen - np.indices(shape)) ** 2).sum(0), ours)


def test_distance_transform_with_spacings():
    rng = np.random.default_rng(0)
    inside = rng.random((20, 30)) < 0.05
    ours = hopf_lax(np.where(inside, 0.0, np.inf), t=0.25, spacing=[0.5, 3.0])
    np.testing.assert_allclose(ours, distance_transform_edt(~inside, sampling=[0.5, 3.0]) ** 2, rtol=1e-14)


CLOSED_FORMS = {  # u_t + ½u_x² = 0, CONVEX analysis by hand: (u at 0, u at t, slope bound for the domain)
    "abs": (np.abs, lambda x, t: np.where(np.abs(x) <= t, x**2 / (2 * t), np.abs(x) - t / 2)),
    "minus abs": (lambda x: -np.abs(x), lambda x, t: -np.abs(x) - t / 2),
    "half square": (lambda x: x**2 / 2, lambda x, t: x**2 / (2 * (1 + t))),
    "concave square": (lambda x: -(x**2) / 2, lambda x, t: -(x**2) / (2 * (1 - t))),
    "line": (lambda x: 2 * x, lambda x, t: 2 * x - 2 * t),
    "two wells": (
        lambda x: np.minimum((x - 1) ** 2 / 2 + 0.3, (x + 1) ** 2 / 2),
        lambda x, t: np.minimum((x - 1) ** 2 / 2 / (1 + t) + 0.3, (x + 1) ** 2 / 2 / (1 + t)),
    ),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
@pytest.mark.parametrize("t", [0.1, 0.75])
def test_hopf_lax_closed_forms(name, t):
    initial, solution = CLOSED_FORMS[name]
    h = 1 / 128
    x = np.arange(-12, 12 + h / 2, h)
    u = hopf_lax(initial(x), t, spacing=h, kappa=0.5)
    inner = np.abs(x) <= 2  # the concave square's winner is x/(1 − t), within the grid for these
    exact = solution(x[inner], t)
    # A minimum over fewer points is not smaller, and a node within h/2 of the minimiser z loses at most
    # (h/2)²/2 (f'' + 1/t), f'' <= 1 away from kinks, which are nodes.
    assert (u[inner] >= exact - 1e-13).all()
    assert (u[inner] <= exact + h**2 / 8 * (1 + 1 / t) + 1e-13).all()


def test_hopf_lax_in_two_variables_against_brute_force():
    rng = np.random.default_rng(5)
    f, x, y = rng.normal(size=(9, 12)), np.sort(rng.normal(size=9)), np.sort(rng.normal(size=12))
    t, kappa = 0.3, 0.7
    cost = ((x[:, None] - x) ** 2)[:, None, :, None] + ((y[:, None] - y) ** 2)[None, :, None, :]
    brute = f + cost / (4 * kappa * t)
    for sign, total in ((-1, brute), (1, f - cost / (4 * kappa * t))):
        flat = total.reshape(9, 12, -1)
        best_value, best_index = (
            (flat.min(-1), flat.argmin(-1)) if sign < 0 else (flat.max(-1), flat.argmax(-1))
        )
        values, winners = hopf_lax(f, t, x=[x, y], kappa=kappa, sign=sign, return_argmax=True)
        np.testing.assert_allclose(values, best_value, rtol=1e-13, atol=1e-13)
        np.testing.assert_array_equal(winners, best_index)


@given(finite_lines, st.floats(0.05, 5), st.floats(0.05, 5))
def test_semigroup_up_to_the_grid(f, s, t):
    """min over z of (x−z)²/4s + (z−y)²/4t is (x−y)²/4(s+t) at a z between nodes: off by (h/2)²(1/4s + 1/4t)."""
    together, apart = hopf_lax(f, s + t), hopf_lax(hopf_lax(f, s), t)
    slack = 1e-11
    assert (apart >= together - slack).all()
    assert (apart <= together + (1 / s + 1 / t) / 16 + slack).all()


@given(st.data(), st.sampled_from(["hard", "soft"]), st.floats(0.05, 20))
def test_monotone_contraction_that_commutes_with_constants(data, kind, t):
    n = data.draw(st.integers(1, 30))
    entries = st.lists(st.floats(-50, 50), min_size=n, max_size=n).map(np.array)
    f, g, c = data.draw(entries), data.draw(entries), data.draw(st.floats(-50, 50))

    def step(a):
        return hopf_lax(a, t) if kind == "hard" else hopf_cole(a, t, 0.7)

    slack = 1e-12
    assert (step(np.minimum(f, g)) <= np.minimum(step(f), step(g)) + slack).all()
    assert np.abs(step(f) - step(g)).max() <= np.abs(f - g).max() + slack
    np.testing.assert_allclose(step(f + c), step(f) + c, rtol=0, atol=2e-12)
    if kind == "hard":  # min-plus linear
        np.testing.assert_array_equal(step(np.minimum(f, g)), np.minimum(step(f), step(g)))


# ---- Hopf–Cole -----------------------------------------------------------------------------------------


def mp_hopf_cole(f: np.ndarray, w: float, eps: float, j: int) -> mpmath.mpf:
    with mpmath.workdps(40):
        total = mpmath.fsum(
            mpmath.exp(-(mpmath.mpf(float(v)) + mpmath.mpf(w) * (j - i) ** 2) / mpmath.mpf(eps))
            for i, v in enumerate(f)
            if v < math.inf
        )
        return -mpmath.mpf(eps) * mpmath.log(total) if total else mpmath.inf


def soft_error_bound(f: np.ndarray, w: float, eps: float, j: int, u: float) -> float:
    """8 u of |f| + w d² over the terms of weight, 100 u ε, and the rounding of u itself."""
    cost = w * (np.arange(len(f)) - j) ** 2.0
    z = f + cost
    weighty = z <= z.min() + 40 * eps
    return U * (8 * (np.abs(f) + cost)[weighty].max() + 100 * eps + abs(u))


@pytest.mark.parametrize("n", [1, 2, 5, 63, 64, 65, 200])
def test_hopf_cole_against_mpmath(n, instruction_set):
    rng = np.random.default_rng(n)
    for name, f in samples(rng, n).items():
        for w, eps in [
            (1e-4, 1.0),
            (0.01, 1.0),
            (0.01, 0.03),
            (2.0, 0.5),
            (1.0, 1e-4),
            (3.0, 10.0),
            (1e-3, 1e3),
        ]:
            t = 1 / (4 * w)
            values = hopf_cole(f, t, eps)
            for j in {0, n // 3, n - 1}:
                exact = mp_hopf_cole(f, 1 / (4 * t), eps, j)
                if exact == mpmath.inf:
                    assert values[j] == np.inf
                    continue
                bound = soft_error_bound(f, w, eps, j, float(exact))
                assert abs(mpmath.mpf(float(values[j])) - exact) <= bound, (name, w, eps, j)


@pytest.mark.parametrize(
    "f", [lambda i: 20.0 * i, lambda i: 30.0 * np.abs(i - 150), lambda i: (i % 7) * 400.0]
)
def test_hopf_cole_where_exponentials_underflow(f):
    """f/ε ranges over tens of thousands: e^{−f/ε} is 0 nearly everywhere, and a plain convolution is −ε log 0."""
    values = f(np.arange(300))
    for w, eps in [(0.01, 0.05), (1e-3, 0.02), (5.0, 1.0)]:
        u = hopf_cole(values, 1 / (4 * w), eps)
        with np.errstate(divide="ignore"):
            naive = -eps * np.log(np.exp(-values / eps))
        assert np.isinf(naive).any()
        for j in range(0, 300, 37):
            exact = mp_hopf_cole(values, 1 / (4 * (1 / (4 * w))), eps, j)
            bound = soft_error_bound(values, w, eps, j, float(exact))
            assert abs(mpmath.mpf(float(u[j])) - exact) <= bound


def test_long_lines_are_done_in_pieces():
    """Between which the wrapper looks for Ctrl-C."""
    f, w, eps = np.random.default_rng(0).normal(size=(3000, 2)), 0.05, 1.0
    reach = 60  # terms farther away are below e^(-180 + 8)
    padded = np.pad(f, ((reach, reach), (0, 0)), constant_values=np.inf)
    terms = [np.exp(-(padded[reach + d :][:3000] + w * d**2) / eps) for d in range(-reach, reach + 1)]
    u = hopf_cole(f, 1 / (4 * w), eps, axes=0)
    np.testing.assert_allclose(u, -eps * np.log(np.sum(terms, axis=0)), rtol=0, atol=1e-14)


@given(
    st.integers(0, 10**6),
    st.sampled_from([1e-13, 1e-6, 1e-2, 1.0, 30.0, 1e4]),
    st.sampled_from([0.02, 0.5, 4.0]),
    st.sampled_from([1e-3, 0.05, 1.0]),
)
def test_truncation_stays_within_tol_and_above(seed, tol, eps, w):
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(rng.integers(1, 8), rng.integers(1, 700))) * rng.choice([0.1, 10, 1000])
    f[rng.random(f.shape) < rng.choice([0, 0.9])] = np.inf
    full = hopf_cole(f, 1 / (4 * w), eps)
    cut = hopf_cole(f, 1 / (4 * w), eps, tol=tol)
    known = np.isfinite(full)
    assert np.array_equal(known, np.isfinite(cut))
    slack = 100 * U * (eps + np.abs(f[np.isfinite(f)]).max(initial=0) + w * 700**2)
    assert (cut[known] >= full[known] - slack).all()
    assert (cut[known] <= full[known] + tol + slack).all()


def test_truncation_truncates():
    """tol is not decoration: a generous one changes the result, by less than it allows."""
    f = np.zeros(4000)
    full, cut = hopf_cole(f, 2500.0, 1.0), hopf_cole(f, 2500.0, 1.0, tol=0.5)
    assert 1e-6 < (cut - full).max() <= 0.5


@pytest.mark.parametrize("w", [1e-3, 0.3, 8.0])
def test_soft_lies_below_hard_by_at_most_eps_log_n(w):
    rng = np.random.default_rng(0)
    f = rng.normal(size=(3, 500)) * 5
    hard = hopf_lax(f, 1 / (4 * w), axes=1)
    for eps in (1e-3, 0.1, 10.0):
        gap = hard - hopf_cole(f, 1 / (4 * w), eps, axes=1)
        assert (gap >= -1e-13).all()
        assert (gap <= eps * math.log(500) + 1e-12).all()


@pytest.mark.parametrize(("t", "eps"), [(0.5, 0.2), (1.0, 0.05), (2.0, 1.0)])
def test_viscous_closed_forms(t, eps):
    """u_t + ½u_x² = (ε/2)u_xx: κ = ½. The rectangle rule is off by ~e^{−π²·2εt s/h²}, nothing, for the square; for
    |x| the kink adds h²/12 of its jump 2 in e^{−f/ε}/ε against a kernel of height (2πεt)^{−1/2}."""
    h = 1 / 64
    x = np.arange(-1024, 1025) * h
    inner = np.abs(x) <= 3
    u = hopf_cole(x**2 / 2, t, eps, spacing=h, kappa=0.5, normalised=True)
    exact = x**2 / (2 * (1 + t)) + eps / 2 * math.log(1 + t)
    np.testing.assert_allclose(u[inner], exact[inner], rtol=0, atol=2e-13)
    u = hopf_cole(np.abs(x), t, eps, spacing=h, kappa=0.5, normalised=True)
    root = math.sqrt(eps * t)
    left = (t / 2 - x) / eps + log_ndtr((x - t) / root)
    right = (t / 2 + x) / eps + log_ndtr(-(x + t) / root)
    exact = -eps * np.logaddexp(left, right)
    log_kernel = -(x**2) / (2 * t * eps) - 0.5 * math.log(2 * math.pi * eps * t)
    error = eps * (h**2 / 6 / eps) * np.exp(log_kernel + exact / eps)
    assert (np.abs(u - exact)[inner] <= 1.1 * error[inner] + 1e-12).all()
    assert np.abs(u - exact)[inner].max() >= 0.5 * error[inner].max() > 1e-10


def test_separable_axes_and_normalisation():
    rng = np.random.default_rng(7)
    f, eps, t, kappa, h = rng.normal(size=(6, 5)), 0.3, 0.8, 0.6, (0.4, 0.9)
    i, j = np.indices(f.shape)
    cost = (h[0] * (i[..., None, None] - i)) ** 2 + (h[1] * (j[..., None, None] - j)) ** 2
    z = -(f + cost / (4 * kappa * t)) / eps
    brute = -eps * np.log(np.exp(z).sum(axis=(2, 3)))
    plain = hopf_cole(f, t, eps, spacing=h, kappa=kappa)
    np.testing.assert_allclose(plain, brute, rtol=1e-14, atol=1e-14)
    weight = math.prod(hk / math.sqrt(4 * math.pi * kappa * eps * t) for hk in h)
    normalised = hopf_cole(f, t, eps, spacing=h, kappa=kappa, normalised=True)
    np.testing.assert_allclose(normalised, brute - eps * math.log(weight), rtol=1e-14, atol=1e-14)


def soft_reference(f: np.ndarray, w: float, eps: float, rows: np.ndarray) -> np.ndarray:
    """In long double, with the largest term of each row taken out."""
    j, i = rows[:, None].astype(np.longdouble), np.arange(len(f), dtype=np.longdouble)
    z = f.astype(np.longdouble) + np.longdouble(w) * (j - i) ** 2
    low = z.min(axis=1)
    return low - eps * np.log(np.exp((low[:, None] - z) / eps).sum(axis=1))


SOFT_SHAPES = {  # f of the place, in units of ε: which way of summing each is to take is said beside it
    "flat": lambda i, noise: 3 * noise,
    "hilly": lambda i, noise: 80 * np.sin(i / 90) + noise,  # products, each block with its own scale
    "steps": lambda i, noise: 400.0 * (i // 100 % 2) + noise,  # flat blocks far apart: factors up to e^400
    "cliffs": lambda i, noise: 3000.0 * (i // 150 % 2) + noise,  # beyond the range of factors
    "steep": lambda i, noise: 9.0 * i + noise,  # term by term
    "spikes": lambda i, noise: np.where(i % 50 == 7, 0, 500.0) + noise,  # one term of weight in a block
    "holes": lambda i, noise: np.where(i % 130 < 110, np.inf, noise),  # blocks without a term
}


@pytest.mark.parametrize("name", SOFT_SHAPES)
@pytest.mark.parametrize("eps", [0.3, 20.0])
def test_hopf_cole_in_every_regime(name, eps, instruction_set):
    i = np.arange(700.0)
    f = eps * SOFT_SHAPES[name](i, np.random.default_rng(3).normal(size=i.size))
    for curvature in (1e-5, 1e-3, 0.06, 3.0):  # of the kernel: from all terms within reach to a few
        t = 1 / (4 * eps * curvature)
        w = 1 / (4 * t)
        u, rows = hopf_cole(f, t, eps), i[::3].astype(int)
        for j, exact in zip(rows, soft_reference(f, w, eps, rows), strict=True):
            assert abs(u[j] - exact) <= soft_error_bound(f, w, eps, j, float(exact)), (curvature, j)


def test_weights_and_other_nodes_by_a_product_of_matrices():
    rng = np.random.default_rng(12)
    f, v, x, t, eps = rng.normal(size=60), rng.uniform(0.5, 2, 60), np.sort(rng.normal(size=60)), 0.7, 0.2
    costs = (x[:, None] - x) ** 2 / (4 * t)
    u = matmul(costs, f - eps * np.log(v), Semiring(-1, eps))
    np.testing.assert_allclose(u, -eps * np.log(np.exp(-(f + costs) / eps) @ v), rtol=1e-13, atol=1e-14)
    grid = np.arange(60.0)
    u = matmul((grid[:, None] - grid) ** 2 / (4 * t), f, Semiring(-1, eps))
    np.testing.assert_allclose(u, hopf_cole(f, t, eps), rtol=1e-13, atol=1e-14)


# ---- exact ----------------------------------------------------------------------------------------------

thirds = st.integers(-60, 60).map(lambda k: Fraction(k, 3))
exact_lines = st.lists(st.one_of(thirds, st.just(math.inf)), min_size=1, max_size=14)


@given(exact_lines, st.lists(thirds, max_size=8).map(sorted), st.data())
def test_exact_legendre_is_brute_force(f, p, data):
    gaps = data.draw(st.lists(st.integers(1, 5), min_size=len(f), max_size=len(f)))
    x = [Fraction(int(k), 7) for k in np.cumsum(gaps)]
    values, winners = legendre(f, x, p, return_argmax=True)
    expected, where = exact_legendre(f, x, p)
    assert values.tolist() == expected
    assert winners.tolist() == where
    assert values.dtype == object
    assert all(isinstance(v, Fraction) or v == -math.inf for v in values)


@given(exact_lines, st.sampled_from([Fraction(1, 3), 2, 0.25]), st.sampled_from([-1, 1]), st.booleans())
@example([math.inf, Fraction(1, 3)], Fraction(1, 3), -1, True)
def test_exact_hopf_lax_is_brute_force(f, t, sign, with_nodes):
    f, scale = np.array([*f, Fraction(1, 3)], dtype=object), 4 * Fraction(t) * Fraction(2, 3)
    x = [Fraction(k * k + 3 * k, 5) for k in range(len(f))] if with_nodes else None
    values, winners = hopf_lax(-sign * f, t, x=x, kappa=Fraction(2, 3), sign=sign, return_argmax=True)
    expected, where = exact_hopf_lax(f, x or range(len(f)), 1 / scale, range(len(f)))
    assert (-sign * values).tolist() == expected
    assert winners.tolist() == where


def test_exact_and_float_agree_in_two_variables():
    f = np.random.default_rng(8).integers(-8, 8, size=(7, 9)) / 4
    arguments = {"spacing": (0.5, 2), "kappa": 2, "return_argmax": True}
    values, winners = hopf_lax(f, 0.5, **arguments)
    exact_values, exact_winners = hopf_lax(np.vectorize(Fraction, otypes=[object])(f), 0.5, **arguments)
    assert values.tolist() == exact_values.tolist()
    np.testing.assert_array_equal(winners, exact_winners)


def test_exact_special_values():
    third, inf = Fraction(1, 3), math.inf
    f = np.array([[third, -inf, -inf], [inf, inf, inf], [inf, 0, third]], dtype=object)
    values, winners = hopf_lax(f, 1, axes=1, return_argmax=True)
    assert values.tolist() == [[-inf] * 3, [inf] * 3, [Fraction(1, 4), 0, Fraction(1, 4)]]
    assert winners.tolist() == [[1] * 3, [-1] * 3, [7] * 3]
    assert all(v != v for v in hopf_lax(np.array([third, math.nan], dtype=object), 1))
    assert legendre(np.empty((2, 0)), [], [third]).tolist() == [[-inf], [-inf]]


# ---- arrays --------------------------------------------------------------------------------------------

STEPS = {
    "hopf_lax": lambda f, axis: hopf_lax(f, 0.7, axes=axis),
    "hopf_lax max": lambda f, axis: hopf_lax(f, 0.7, axes=axis, sign=1),
    "hopf_cole": lambda f, axis: hopf_cole(f, 0.7, 0.2, axes=axis),
    "legendre": lambda f, axis: legendre(f, np.arange(f.shape[axis]), [-1.0, 0.0, 0.5], axis=axis),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (70, 3), (2, 66, 9), (3, 2, 17), (2, 3, 4, 5)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_axis_is_the_line_by_line_transform(name, shape, dtype, instruction_set):
    rng = np.random.default_rng(11)
    f = rng.normal(size=shape).astype(dtype)
    f[rng.random(shape) < 0.2] = -np.inf if "max" in name else np.inf
    for axis in range(-1, len(shape)):
        out = STEPS[name](f, axis)
        expected = np.apply_along_axis(lambda line: STEPS[name](line, 0), axis, f)
        assert out.dtype == dtype
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", STEPS)
def test_dtypes(name):
    f = np.random.default_rng(0).integers(-5, 5, size=60)
    as_double = STEPS[name](f.astype(float), 0)
    results = {np.float64: np.float64, np.float32: np.float32, np.float16: np.float32, np.int8: np.float64}
    for given_type, expected in results.items():
        out = STEPS[name](f.astype(given_type), 0)
        assert out.dtype == expected
        np.testing.assert_array_equal(out, as_double.astype(expected))
    assert STEPS[name](f > 0, 0).dtype == np.float64


@pytest.mark.parametrize("name", STEPS)
def test_memory_layouts_give_the_same_bits_and_inputs_stay(name):
    base = np.random.default_rng(1).normal(size=(12, 20))
    f = base[::2, ::-2]
    expected = STEPS[name](f.copy(), 1)
    read_only = f.copy()
    read_only.flags.writeable = False
    for view in (f, np.asfortranarray(f), read_only):
        before = view.copy()
        np.testing.assert_array_equal(STEPS[name](view, 1), expected)
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("name", ["hopf_lax", "hopf_lax max", "legendre"])
def test_hard_transforms_are_the_same_bits_everywhere(name):
    rng = np.random.default_rng(2)
    before, results = _core.instruction_set(), []
    f = rng.normal(size=(40, 90))
    for isa in INSTRUCTION_SETS:
        _core.set_ceiling(isa)
        results.append(STEPS[name](f, 0))
    _core.set_ceiling(before)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


OUTPUT_STEPS = {
    "hopf_lax": lambda f, **to: hopf_lax(f, 0.7, **to),
    "hopf_lax argmax": lambda f, **to: hopf_lax(f, 0.7, return_argmax=True, **to),
    "hopf_cole": lambda f, **to: hopf_cole(f, 0.7, 0.2, normalised=True, **to),
    "legendre": lambda f, **to: legendre(f, np.arange(f.shape[0]), np.arange(f.shape[0]) / 9, axis=0, **to),
}


@pytest.mark.parametrize("name", OUTPUT_STEPS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_go_where_the_caller_wants_them(name, dtype):
    f = np.random.default_rng(9).normal(size=(30, 41)).astype(dtype)
    expected = OUTPUT_STEPS[name](f)
    for space in (
        np.empty((30, 41), dtype),
        np.empty((41, 30), dtype).T,
        np.empty((60, 82), dtype)[::2, ::-2],
    ):
        result = OUTPUT_STEPS[name](f, out=space)
        values, winners = result if "argmax" in name else (result, None)
        assert values is space
        np.testing.assert_array_equal(space, expected[0] if "argmax" in name else expected)
        if winners is not None:
            np.testing.assert_array_equal(winners, expected[1])


@pytest.mark.parametrize("name", OUTPUT_STEPS)
@pytest.mark.parametrize("shape", [(600, 700), (200, 30, 40), (7, 40_000)])
def test_results_do_not_depend_on_the_number_of_threads(name, shape):
    f = np.random.default_rng(9).normal(size=shape)
    results = [OUTPUT_STEPS[name](f, n_threads=n) for n in (1, 2, 3, None)]
    for other in results[1:]:
        np.testing.assert_array_equal(np.asarray(results[0]), np.asarray(other))


def test_one_long_line_is_shared_out_between_threads():
    f = np.cumsum(np.random.default_rng(9).normal(size=30_000))
    one = hopf_cole(f, 1e4, 0.5, n_threads=1)
    np.testing.assert_array_equal(one, hopf_cole(f, 1e4, 0.5, n_threads=3))
    two_axes = np.stack([f, f[::-1]])
    alone = hopf_cole(two_axes, 1e4, 0.5, n_threads=1)
    np.testing.assert_array_equal(alone, hopf_cole(two_axes, 1e4, 0.5, n_threads=3))


def test_special_values():
    nan, inf = np.nan, np.inf
    f = np.array([[0.0, nan, 1], [1, -inf, -inf], [inf, inf, inf], [inf, 0, inf], [-inf, nan, 0]])
    x = np.arange(3.0)
    values, winners = legendre(f, x, [0.0, 1.0], return_argmax=True)
    np.testing.assert_array_equal(values, [[nan, nan], [inf, inf], [-inf, -inf], [0, 1], [nan, nan]])
    np.testing.assert_array_equal(winners, [[-1, -1], [1, 1], [-1, -1], [1, 1], [-1, -1]])
    expected = np.array([[nan] * 3, [-inf] * 3, [inf] * 3, [1, 0, 1], [nan] * 3])
    values, winners = hopf_lax(f, 0.25, axes=1, return_argmax=True)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(winners, [[-1] * 3, [4] * 3, [-1] * 3, [10] * 3, [-1] * 3])
    np.testing.assert_array_equal(hopf_lax(-f, 0.25, axes=1, sign=1), -expected)
    np.testing.assert_array_equal(hopf_cole(f, 0.25, 1e-3, axes=1), expected)


def test_zero_size():
    assert hopf_lax(np.empty((3, 0)), 1.0).shape == (3, 0)
    assert hopf_cole(np.empty((0, 4)), 1.0, 1.0, tol=1e-3).shape == (0, 4)
    assert legendre(np.empty((2, 4)), np.arange(4), []).shape == (2, 0)
    values, winners = legendre(np.empty((2, 0)), [], [0.0, 1.0], return_argmax=True)
    assert (values == -np.inf).all() and (winners == -1).all() and values.shape == (2, 2)
    values, winners = hopf_lax(np.empty((0, 5)), 1.0, return_argmax=True)
    assert values.shape == winners.shape == (0, 5)


def test_order_of_axes_does_not_matter_to_the_value():
    f = np.random.default_rng(4).integers(-9, 9, size=(8, 9, 10)).astype(float)
    np.testing.assert_array_equal(hopf_lax(f, 0.25), hopf_lax(f, 0.25, axes=(2, 0, 1)))
    np.testing.assert_allclose(hopf_cole(f, 0.25, 1.0), hopf_cole(f, 0.25, 1.0, axes=(1, 2, 0)), rtol=1e-14)


ERRORS = [
    (lambda f: hopf_lax(f, 0.0), InputError, "t is 0.0; pass a finite number > 0"),
    (lambda f: hopf_lax(f, -1), InputError, "t is -1"),
    (lambda f: hopf_lax(f, np.nan), InputError, "t is nan"),
    (lambda f: hopf_lax(f, 1, spacing=np.nan), InputError, "spacing is nan"),
    (lambda f: hopf_lax(f, 1, spacing=[1, 0]), InputError, "spacing is 0"),
    (lambda f: hopf_lax(f, 1, spacing=[1, 1, 1]), ShapeError, r"spacing has shape \(3,\) for 2 axes"),
    (lambda f: hopf_lax(f, 1, spacing="wide"), InputError, "spacing is 'wide'"),
    (lambda f: hopf_lax(f, 1, kappa=0), InputError, "kappa is 0"),
    (lambda f: hopf_lax(f, 1, sign=0), InputError, "sign is 0"),
    (lambda f: hopf_lax(f, 1, axes=()), InputError, "axes is empty"),
    (lambda f: hopf_lax(f, 1, axes=2), ShapeError, r"axis 2 of an f of shape \(3, 4\)"),
    (lambda f: hopf_lax(f, 1, axes=(1, -1)), InputError, "twice"),
    (lambda f: hopf_lax(f, 1, x=[0, 1, 1], axes=0), InputError, r"x\[1\] = 1.0, x\[2\] = 1.0; pass strictly incr"),
    (lambda f: hopf_lax(f, 1, x=[0, np.inf, 1], axes=0), InputError, r"x\[1\] is inf"),
    (lambda f: hopf_lax(f, 1, x=[0, 1], axes=0), ShapeError, r"x has shape \(2,\); pass shape \(3,\)"),
    (lambda f: hopf_lax(f, 1, x=[[0, 1, 2]], axes=None), ShapeError, "1 arrays of nodes for 2 axes"),
    (lambda f: hopf_lax(f, 1, x=[0, 1, 2], spacing=2.0, axes=0), InputError, "both spacing"),
    (lambda f: hopf_lax(f, 1e-300, spacing=1e100), InputError, "leaves the range of doubles"),
    (lambda f: hopf_lax(1.0, 1), ShapeError, "f is a scalar"),
    (lambda f: hopf_lax(f + 0j, 1), InputError, "complex128"),
    (lambda f: hopf_lax([Fraction(1, 3)], np.inf), InputError, "t is inf"),
    (lambda f: hopf_lax([Fraction(1, 3)], Fraction(-1, 3)), InputError, "t is Fraction"),
    (lambda f: hopf_lax([Fraction(1, 3)], 1, x=[Fraction(1), np.nan]), ShapeError, r"x has shape \(2,\)"),
    (lambda f: legendre([Fraction(1, 3)], [0], [Fraction(1), np.inf]), InputError, r"p\[1\] is inf"),
    (lambda f: hopf_cole([Fraction(1, 3)], 1, 1), InputError, "exact entries, and log-sum-exp is"),
    (lambda f: hopf_lax(f, 1, out=np.zeros((4, 3))), ShapeError, r"out is float64 \(4, 3\)"),
    (lambda f: hopf_lax(f, 1, out=f), InputError, "shares memory"),
    (lambda f: hopf_cole(f, 1, 1, out=np.zeros((3, 4), np.float32)), ShapeError, "out is float32"),
    (lambda f: hopf_cole(f, 1, 1, n_threads=0), InputError, "n_threads is 0"),
    (lambda f: legendre(f, [0, 1, 2, 3], [0], out=[0.0] * 3), ShapeError, "out is list"),
    (lambda f: hopf_cole(f, 1, 0), InputError, "eps is 0"),
    (lambda f: hopf_cole(f, 1, -1.0), InputError, "eps is -1.0"),
    (lambda f: hopf_cole(f, 1, 1e-300), InputError, "eps is 1e-300, outside"),
    (lambda f: hopf_cole(f, 1, 1, tol=0), InputError, "tol is 0"),
    (lambda f: hopf_cole(f, 0, 1), InputError, "t is 0"),
    (lambda f: legendre(f, [0, 1, 2], [0]), ShapeError, r"x has shape \(3,\); pass shape \(4,\)"),
    (lambda f: legendre(f, [3, 2, 1, 0], [0]), InputError, "strictly increasing"),
    (lambda f: legendre(f, [0, 1, 2, 3], [1, 0]), InputError, "non-decreasing"),
    (lambda f: legendre(f, [0, 1, 2, 3], [np.nan]), InputError, r"p\[0\] is nan"),
    (lambda f: legendre(f, [0, 1, 2, 3], [0], axis=5), ShapeError, "axis 5"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_say_what_was_got_and_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call(np.zeros((3, 4)))


def test_compiled_layer_checks_shapes():
    f, out = np.zeros((2, 3, 4)), np.zeros((2, 3, 5))
    with pytest.raises(ValueError, match="out has shape"):
        _core.hopf_lax(f, None, 1.0, 1, out)
    with pytest.raises(ValueError, match="x has shape"):
        _core.hopf_lax(f, np.arange(2.0), 1.0, 1, f.copy())
    with pytest.raises(ValueError, match="winners has shape"):
        _core.hopf_lax(f, None, 1.0, 1, f.copy(), np.zeros((2, 3, 3), np.int64))
    with pytest.raises(ValueError, match="earlier has shape"):
        _core.compose_winners(np.zeros((2, 3, 3), np.int64), np.zeros((2, 3, 4), np.int64))
    with pytest.raises(ValueError, match="out has shape"):
        _core.SoftTransform(f, 1.0, 1.0, 40.0, 64, np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="step is 65"):
        _core.SoftTransform(f, 1.0, 1.0, 40.0, 65, f.copy())


def test_documentation_examples_run():
    result = doctest.testmod(tropical.transform)
    assert result.attempted > 8
    assert result.failed == 0

"""Exponents with known answers, the paper's rows, closed forms against mpmath and quadrature, manifolds of known
dimension, and fits that are handed in."""

import doctest
import itertools
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

import hjsym
from hjsym import scaling
from hjsym.hopf import LSELayer
from tropical.errors import BudgetExceeded, InputError, ShapeError

ROOT = Path(__file__).resolve().parents[2]
SIZES = np.array([10.0, 20, 40, 80, 160, 320])


# ---- power laws --------------------------------------------------------------------------------------


@given(st.floats(-3, 3), st.floats(0.01, 100))
def test_a_power_law_is_found(exponent, amplitude):
    law = scaling.power_law(SIZES, amplitude * SIZES**exponent)
    assert law.exponent == pytest.approx(exponent, abs=1e-12) and law.alpha == -law.exponent
    assert law.amplitude == pytest.approx(amplitude, rel=1e-10)
    assert law.interval == pytest.approx((exponent, exponent), abs=1e-10)
    np.testing.assert_allclose(law.local, exponent, atol=1e-12)
    np.testing.assert_allclose(law([5.0, 1000.0]), amplitude * np.array([5.0, 1000.0]) ** exponent, rtol=1e-9)


def _noisy(rng, rows=()):
    return 3 * SIZES**-0.7 * np.exp(0.2 * rng.normal(size=(*rows, len(SIZES))))


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(3)
    for method, low, high in (
        ("t", 0.86, 0.94),
        ("bootstrap", 0.72, 0.94),
    ):  # quantiles of few residuals are short
        laws = [
            scaling.power_law(SIZES, _noisy(rng), confidence=0.9, method=method, resamples=400)
            for _ in range(400)
        ]
        hits = np.mean([law.interval[0] <= -0.7 <= law.interval[1] for law in laws])
        assert low < hits < high, method


def test_student_interval_is_that_of_the_covariance_of_polyfit():
    errors = _noisy(np.random.default_rng(1))
    law = scaling.power_law(SIZES, errors, confidence=0.95)
    coefficients, covariance = np.polyfit(np.log(SIZES), np.log(errors), 1, cov=True)
    quantile = 2.7764451051977987  # of Student's t, 0.975, 4 degrees of freedom: tables
    reach = quantile * np.sqrt(covariance[0, 0])
    np.testing.assert_allclose(law.interval, coefficients[0] + np.array([-reach, reach]), rtol=1e-10)


def test_repetitions_are_resampled_and_averaged():
    rng = np.random.default_rng(5)
    errors = _noisy(rng, (40,))
    law = scaling.power_law(SIZES, errors, rng=1)
    assert law.method == "bootstrap" and law.interval[0] < law.exponent < law.interval[1]
    np.testing.assert_array_equal(law.errors, errors.mean(axis=0))
    deviation = np.std([scaling.power_law(SIZES, _noisy(rng, (40,))).exponent for _ in range(60)])
    assert (law.interval[1] - law.interval[0]) / 3.92 == pytest.approx(deviation, rel=0.4)
    again = scaling.power_law(SIZES, errors, rng=1)
    assert again.interval == law.interval != scaling.power_law(SIZES, errors, rng=2).interval


@pytest.mark.parametrize(
    "sizes, errors, options, message",
    [
        ([1, 2], [1, 2], {}, "three or more"),
        ([1, 2, 2], [1, 2, 3], {}, "increasing"),
        ([0, 1, 2], [1, 2, 3], {}, "positive numbers"),
        ([1, 2, 3], [1, np.nan, 3], {}, r"errors\[1\]"),
        ([1, 2, 3], [1, 0, 3], {}, "positive number"),
        ([1, 2, 3], [1, 2], {}, "shape"),
        ([1, 2, 3], [1, 2, 3], {"confidence": 1.0}, "confidence"),
        ([1, 2, 3], [1, 2, 3], {"method": "z"}, "method"),
    ],
)
def test_bad_measurements_are_named(sizes, errors, options, message):
    with pytest.raises(InputError, match=message):
        scaling.power_law(sizes, errors, **options)


def test_law_is_drawn():
    pytest.importorskip("matplotlib")
    ax = scaling.power_law(SIZES, _noisy(np.random.default_rng(0))).plot(label="risk")
    assert ax.get_xscale() == "log" and "risk: slope" in ax.get_legend().get_texts()[0].get_text()


# ---- quadrature --------------------------------------------------------------------------------------


def test_layers_of_a_box_are_the_integral():
    """Against SciPy's adaptive quadrature, of the exponential itself."""
    x = 0.7
    exact, _ = integrate.quad(
        lambda y: np.exp(-abs(y) - (x - y) ** 2 / 4), -2, 2, points=[0], epsabs=0, epsrel=1e-13
    )
    expected = np.log(exact / 4) + x**2 / 4
    assert scaling.box_layer(1, 40, rule="gauss")([x]) == pytest.approx(expected, abs=1e-13)
    assert scaling.box_layer(1, 4000)([x]) == pytest.approx(expected, abs=1e-6)
    exact, _ = integrate.dblquad(
        lambda a, b: np.exp(-(np.hypot(a, b) + ((x - a) ** 2 + (0.2 - b) ** 2) / 2) / 0.5),
        -1, 1, -1, 1, epsabs=0, epsrel=1e-7,
    )  # fmt: skip
    options = {"eps": 0.5, "t": 0.5, "half_width": 1.0}
    value = scaling.box_layer(2, 40, rule="gauss", **options)([x, 0.2])
    assert value == pytest.approx(0.5 * np.log(exact / 4) + (x**2 + 0.04) / 2, abs=1e-6)


# arXiv:2605.28983, rows of its experiment 2
@pytest.mark.parametrize("d, slope", [(1, -1.08), (2, -0.54), (4, -0.34)])
def test_rates_of_the_paper(d, slope):
    law = scaling.quadrature_rate(d, reference="paper")
    assert round(law.exponent, 2) == slope
    low, high = scaling.quadrature_rate(d, reference="paper", confidence=0.5).interval
    assert law.interval[0] < low < high < law.interval[1]


def test_end_points_are_of_first_order_and_midpoints_of_second():
    nodes = (8, 16, 32, 64, 128)
    for d, (rule, order) in itertools.product((1, 2), {"endpoints": 1, "midpoints": 2}.items()):
        law = scaling.quadrature_rate(d, nodes, rule=rule)
        assert law.local[-1] == pytest.approx(-order / d, abs=0.06), (d, rule)
    assert scaling.quadrature_rate(1, rule="midpoints").exponent == pytest.approx(-2.0, abs=0.01)
    rms = scaling.quadrature_rate(1, nodes, measure="rms")
    assert (rms.errors < scaling.quadrature_rate(1, nodes).errors).all()


def test_end_points_are_off_by_the_same_constant_for_data_that_vanish_at_the_ends():
    for weight, n in itertools.product((6.0, 9.0), (40, 200)):
        options = {"g": lambda y, w=weight: w * (y**2).sum(axis=-1)}
        fine = scaling.box_layer(1, 100, rule="gauss", **options)
        x = np.linspace(-0.3, 0.3, 5)[:, None]
        gap = scaling.box_layer(1, n, rule="endpoints", **options)(x) - fine(x)
        np.testing.assert_allclose(gap, -np.log(n / (n - 1)), atol=1e-9)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: scaling.box_layer(4, 60), BudgetExceeded, "5,000,000"),
        (lambda: scaling.box_layer(1, 1, rule="endpoints"), InputError, "both ends"),
        (lambda: scaling.box_layer(1, 4, rule="simpson"), InputError, "midpoints"),
        (lambda: scaling.box_layer(1, 4, eps=0.0), InputError, "eps"),
        (lambda: scaling.box_layer(0, 4), InputError, "at least one"),
        (lambda: scaling.box_layer(2, 4, g=lambda y: y), ShapeError, "one value a point"),
        (lambda: scaling.quadrature_rate(3), InputError, "nodes="),
        (lambda: scaling.quadrature_rate(1, rule="gauss"), InputError, "endpoints"),
        (lambda: scaling.quadrature_rate(1, measure="l1"), InputError, "measure"),
        (lambda: scaling.quadrature_rate(1, reference="finer"), InputError, "reference"),
        (lambda: scaling.quadrature_rate(2, points=[[1.0]]), ShapeError, "2 variables"),
        (lambda: scaling.quadrature_rate(2, points=np.empty((0, 2))), InputError, "one finite point"),
        (lambda: scaling.quadrature_rate(1, points=[[np.nan]]), InputError, "one finite point"),
    ],
)
def test_bad_quadrature_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---- prescribed temperatures -------------------------------------------------------------------------


# arXiv:2605.28983, rows of its experiment 3
@pytest.mark.parametrize("d, alpha", [(1, 2.05), (2, 0.91), (4, 0.53)])
def test_what_the_paper_reads_as_a_scaling_law_is_a_closed_form(d, alpha):
    study = scaling.prescribed_rate(d)
    assert round(study.measured.alpha, 2) == alpha
    n = study.measured.sizes ** (1 / d)
    np.testing.assert_allclose(study.closed_form, d / n * np.log(n / (n - 1)), rtol=1e-12)
    np.testing.assert_allclose(study.measured.errors[-2:], study.closed_form[-2:], rtol=1e-3)
    assert study.corrected[-1] < 1e-3 * study.closed_form[-1]
    midpoints = scaling.prescribed_rate(d, rule="midpoints").measured
    assert midpoints.errors[-1] < 1e-4 * study.measured.errors[-1]


def test_the_exponent_is_the_one_asked_for():
    for power in (0.4, 0.8, 1.2):
        law = scaling.prescribed_rate(1, (64, 128, 256, 512), power=power).measured
        assert law.alpha == pytest.approx(1 + power, abs=0.02)


def test_two_neurons_have_the_rate_of_their_temperature():
    with mpmath.workdps(30):
        integral = mpmath.quad(lambda s: mpmath.log(1 + mpmath.exp(-s)) ** 2, [0, 1, 5, 20, 80])
        expected = mpmath.sqrt(integral / 4)  # over [−2, 2], ε = 1, without the tails
    assert float(scaling.two_neuron_loss(1.0)) == pytest.approx(float(expected), rel=1e-14)
    assert round(float(scaling.two_neuron_loss(1.0)), 3) == 0.274
    eps, a = 0.1, 3.0
    square, _ = integrate.quad(
        lambda x: (eps * np.log(2 * np.cosh(x / eps)) - x) ** 2, 0, a, points=[0.5], epsrel=1e-12
    )
    assert float(scaling.two_neuron_loss(eps, a)) == pytest.approx(np.sqrt(square / a), rel=1e-9)
    for bad in (0.0, [1.0, np.nan]):
        with pytest.raises(InputError, match="finite numbers"):
            scaling.two_neuron_loss(bad)


@settings(max_examples=20)
@given(st.floats(0.2, 5), st.integers(0, 2**31))
def test_units_change_the_temperature_by_their_square(scale, seed):
    rng = np.random.default_rng(seed)
    layer = LSELayer(rng.normal(size=(5, 2)), rng.normal(size=5), 0.3)
    large, x = scaling.rescaled(layer, scale), rng.normal(size=(4, 2))
    np.testing.assert_allclose(large(scale * x), scale**2 * layer(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(large.polynomial.weights(scale * x), layer.polynomial.weights(x), rtol=1e-9)
    old, new = layer.kernel(2.0), large.kernel(2.0)
    np.testing.assert_allclose(new.y, scale * old.y)
    np.testing.assert_allclose(new.g, scale**2 * old.g, atol=1e-12)


def _entropy_derivatives(layer, x, h=1e-4):
    H = [float(layer.polynomial.entropy([x + k * h])) for k in (-1, 0, 1)]
    return (H[2] - H[0]) / (2 * h), (H[2] - 2 * H[1] + H[0]) / h**2


def test_folds_move_with_the_square_of_the_units():
    y = np.array([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])  # logits −(x − y)²/2: the golden fold below, to 14 digits
    eps, x, c = 0.32551819104949, 1.8418211870037, 3.0
    layer = LSELayer(y[:, None], -(y**2) / 2, eps)
    assert np.abs(_entropy_derivatives(layer, x)).max() < 1e-6
    large = scaling.rescaled(layer, c)
    assert large.eps == pytest.approx(c**2 * eps)
    assert np.abs(_entropy_derivatives(large, c * x, c * 1e-4)).max() < 1e-6
    at_old = LSELayer(large.W, large.b, eps)  # ε* = N^{−1/d} would stay
    assert np.abs(_entropy_derivatives(at_old, c * x)).max() > 1e-2
    with pytest.raises(InputError, match="scale"):
        scaling.rescaled(layer, 0.0)


# ---- dimension ---------------------------------------------------------------------------------------


def test_dimension_of_a_curve_says_how_ambiguous_it_is():
    found = {name: scaling.dimension_of_curve(alpha) for name, alpha in scaling.PUBLISHED_EXPONENTS.items()}
    assert [round(v.d_eff, 1) for v in found.values()] == [13.2, 2.9, 4.2, 2.6]  # arXiv:2605.28983
    curve = found["video"]
    assert curve.range == pytest.approx((1 / 0.24, 4 / 0.24)) and list(curve.readings) == [1, 2, 4]
    assert "2/α" in str(curve) and "4/α" in str(curve) and "16.7" in str(curve)
    fitted = scaling.dimension_of_curve(scaling.power_law(SIZES, _noisy(np.random.default_rng(1))))
    assert fitted.range[0] < fitted.d_eff < fitted.readings[4] < fitted.range[1]
    assert "interval" in str(fitted)
    for bad in (0.0, -0.3, np.nan):
        with pytest.raises(InputError, match="α > 0"):
            scaling.dimension_of_curve(bad)


def _sphere(rng, n, d):
    v = rng.normal(size=(n, d + 1))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def _swiss_roll(rng, n):
    t, h = rng.uniform(4, 14, n), rng.uniform(0, 20, n)
    return np.column_stack([t * np.cos(t), h, t * np.sin(t)])


@pytest.mark.parametrize(
    "make, dimension",
    [
        (lambda rng: _sphere(rng, 1500, 2), 2),
        (lambda rng: _sphere(rng, 1500, 3) @ rng.normal(size=(4, 9)), 3),
        (lambda rng: _swiss_roll(rng, 1500), 2),
        (lambda rng: rng.uniform(size=(1500, 5)) @ np.linalg.qr(rng.normal(size=(12, 5)))[0].T, 5),
        (lambda rng: rng.uniform(size=(1500, 1)), 1),
    ],
    ids=["sphere", "3-sphere in R^9", "Swiss roll", "5-plane in R^12", "line"],
)
def test_dimension_of_known_manifolds(make, dimension):
    pytest.importorskip("skdim")
    found = scaling.intrinsic_dimension(make(np.random.default_rng(2)))
    assert found.estimates.keys() == {"MLE", "TwoNN"}
    for name, value in found.estimates.items():
        assert value == pytest.approx(dimension, rel=0.12), name
    assert found.range[0] <= found.range[1]


def test_dimension_leaves_duplicates_out_and_passes_options():
    pytest.importorskip("skdim")
    X = _sphere(np.random.default_rng(0), 300, 2)
    once, twice = (scaling.intrinsic_dimension(data) for data in (X, np.vstack([X, X[:50]])))
    assert twice.estimates == once.estimates and twice.duplicates == 50 and "50 duplicates" in str(twice)
    assert scaling.intrinsic_dimension(X, executor=ThreadPoolExecutor).estimates == once.estimates
    near = scaling.intrinsic_dimension(X, "MLE", n_neighbors=8).estimates["MLE"]
    assert near != once.estimates["MLE"] and near == pytest.approx(2, rel=0.2)
    for bad, message in (
        ([1.0, 2.0], "shape"),
        ([[1.0, np.nan]] * 3, "finite"),
        ([[1.0, 2.0]] * 9, "1 different"),
    ):
        with pytest.raises(InputError, match=message):
            scaling.intrinsic_dimension(bad)
    with pytest.raises(InputError, match="TwoNN"):
        scaling.intrinsic_dimension(X, ["best"])


def test_what_to_install_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "skdim.id", None)
    with pytest.raises(InputError, match=r"hjsym\[dimension\]"):
        scaling.intrinsic_dimension(np.eye(4))


# ---- fits --------------------------------------------------------------------------------------------


def _off_by(gap):
    """A fit whose risk is known: the target without noise, a constant beside it."""

    def fit(x, y, *, n_neurons, eps, seed):
        target = scaling.box_layer(x.shape[1], 40, rule="gauss", eps=0.1, t=0.25)
        return lambda points: target(points) + gap / n_neurons

    return fit


def test_risk_is_what_the_fit_leaves():
    study = scaling.risk_study(1, (50, 100, 400, 1600), repetitions=2, fit=_off_by(0.3))
    assert study.neurons.tolist() == [4, 5, 7, 12]  # n^{1/3}
    np.testing.assert_allclose(study.risks, [0.3 / study.neurons] * 2, rtol=1e-12)
    assert study.bounds == {"Lipschitz": -1 / 3, "convex Lipschitz": -2 / 5}
    assert "worst case of convex" in str(study)
    pytest.importorskip("matplotlib")
    assert "convex Lipschitz: -0.40" in [t.get_text() for t in study.plot().get_legend().get_texts()]


def test_risk_depends_on_the_seed_alone():
    options = {"samples": (30, 60, 120), "repetitions": 2, "fresh": 200}
    first, done = scaling.risk_study(2, **options, rng=4), []
    with ThreadPoolExecutor(2) as pool:
        second = scaling.risk_study(2, **options, rng=4, executor=pool, progress=done.append)
    np.testing.assert_array_equal(first.risks, second.risks)
    assert first.law.interval == second.law.interval and done == [1, 2, 3, 4, 5, 6]
    assert (scaling.risk_study(2, **options, rng=5).risks != first.risks).any()


@pytest.mark.slow
def test_risk_from_processes():
    options = {"samples": (30, 60, 120), "repetitions": 2, "fresh": 200}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        apart = scaling.risk_study(2, **options, executor=pool)
    np.testing.assert_array_equal(apart.risks, scaling.risk_study(2, **options).risks)


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 3])
def test_risk_falls_at_least_as_fast_as_the_worst_case(d):
    study = scaling.risk_study(d, (100, 200, 400, 800, 1600), repetitions=3)
    assert study.law.exponent < study.bounds["Lipschitz"] and study.law.interval[0] > -1


def test_trained_rates_are_those_of_the_temperature():
    prescribed = scaling.trained_rate(1, (10, 20, 40), samples=1000, starts=1)
    assert prescribed.alpha == pytest.approx(1.5, abs=0.3)
    np.testing.assert_array_less(prescribed.errors, 1.5 * scaling.two_neuron_loss(1 / prescribed.sizes))
    fixed = scaling.trained_rate(1, (10, 20, 40), eps=0.1, samples=1000, starts=2)
    assert abs(fixed.exponent) < 0.1


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: scaling.risk_study(4), "1, 2 and 3"),
        (lambda: scaling.risk_study(1, (2, 10, 20)), "at least 4"),
        (lambda: scaling.risk_study(1, ()), "three sizes"),
        (lambda: scaling.risk_study(1, repetitions=1), "repetitions"),
        (lambda: scaling.risk_study(1, noise=np.nan), "noise"),
        (lambda: scaling.trained_rate(0, (1, 2, 3)), "1 or more"),
        (lambda: scaling.trained_rate(1, (0, 2, 3)), "at least 1"),
    ],
)
def test_bad_studies_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


# ---- examples ----------------------------------------------------------------------------------------


def test_examples_of_the_page_and_its_dimension():
    pytest.importorskip("skdim")
    assert doctest.testmod(scaling.dimension).failed == 0
    result = doctest.testfile(str(ROOT / "docs" / "scaling.md"), module_relative=False)
    assert result.attempted > 8 and result.failed == 0


def test_public_names_are_there():
    assert hjsym.scaling is scaling
    for name in scaling.__all__:
        assert hasattr(scaling, name), name

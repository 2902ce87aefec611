"""Attribution of log-sum-exp layers against mpmath, finite differences and sums with an atom left out."""

import doctest
import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import hjsym
from hjsym import _gibbs_rows
from hjsym.attribution import attribute
from hjsym.hopf import LSELayer
from tropical import BudgetExceeded, InputError, Polynomial, Semiring, ShapeError

ROOT = Path(__file__).resolve().parents[2]


def random_layer(seed=0, neurons=7, variables=3, eps=0.4, kappa=1.0) -> LSELayer:
    rng = np.random.default_rng(seed)
    return LSELayer(rng.normal(size=(neurons, variables)), rng.normal(size=neurons), eps, kappa)


def mp_terms(slopes, offsets, x):
    """W·x + b in 400 digits."""
    return [
        sum(mpmath.mpf(float(w)) * mpmath.mpf(float(v)) for w, v in zip(row, x, strict=True))
        + mpmath.mpf(float(b))
        for row, b in zip(slopes, offsets, strict=True)
    ]


def mp_lse(terms, eps):
    return mpmath.mpf(eps) * mpmath.log(sum(mpmath.exp(z / mpmath.mpf(eps)) for z in terms))


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(400):
        yield


# ---- weights, losses, entropy, gap -------------------------------------------------------------------


@pytest.mark.parametrize("eps", [3.0, 0.4, 0.02, 1e-4])
def test_against_sums_in_many_digits(eps):
    """A loss is f less f without the atom, each summed on its own; at 1e-4 all weights but one underflow."""
    layer = random_layer(3, eps=eps)
    points = np.random.default_rng(1).normal(size=(6, 3))
    found = attribute(layer, points, top=7, t=0.7)
    g = layer.kernel(0.7).g
    losses = found.losses()
    for i, x in enumerate(points):
        terms = mp_terms(layer.W, layer.b, x)
        f = mp_lse(terms, eps)
        pi = [mpmath.exp((z - f) / mpmath.mpf(eps)) for z in terms]
        assert abs(found.value[i] - f) < 1e-14 * (1 + abs(f))
        assert found.index[i].tolist() == sorted(range(7), key=lambda j: -terms[j])
        first, second = sorted(terms)[:-3:-1]
        assert abs(found.gap[i] - (first - second)) < 1e-15 * abs(x).sum()
        entropy = -sum(p * mpmath.log(p) for p in pi)
        assert abs(found.entropy[i] - entropy) < 1e-12 / eps * entropy + 1e-300
        assert abs(found.mean[i] - sum(p * v for p, v in zip(pi, g, strict=True))) < 1e-13 / eps
        for k, j in enumerate(found.index[i]):
            exact = f - mp_lse(terms[:j] + terms[j + 1 :], eps)
            assert abs(found.weight[i, k] - pi[j]) < 1e-14 / eps * pi[j] + 1e-300
            assert abs(found.loss[i, k] - exact) < 1e-14 / eps * exact + 1e-300
            assert losses[i, j] == pytest.approx(found.loss[i, k], rel=1e-14 / eps, abs=1e-300)


def test_a_loss_that_one_minus_weight_would_lose():
    """π = 1 − 2e-44 is 1 in floats: the loss is Δ = 100ε nonetheless, not ∞."""
    layer = LSELayer([[1.0], [0.0]], [0.0, 0.0], eps=0.01)
    found = attribute(layer, 1.0)
    assert found.weight[0] == 1.0
    assert found.loss[0] == pytest.approx(1.0, rel=1e-15)
    assert found.loss[1] == pytest.approx(0.01 * float(mpmath.exp(-100)), rel=1e-13)
    assert found.entropy == pytest.approx(101 * float(mpmath.exp(-100)), rel=1e-12)


def test_gap_is_taken_of_differences():
    """Terms of size 1e9 differ by 1e-3: their difference in floats would be off by 1e-7."""
    layer = LSELayer([[1e9, 1e-3], [1e9, 0.0], [0.0, 0.0]], [0.0, 0.0, 0.0], eps=1e-5)
    found = attribute(layer, [1.0, 1.0])
    assert found.gap == 1e-3
    assert found.loss[0] == pytest.approx(1e-3, rel=1e-10)


@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_one_atom_and_equal_atoms(eps):
    alone = attribute(Polynomial([[1.0, 2.0]], [3.0], Semiring(eps=eps)), [1.0, 1.0])
    assert (alone.weight, alone.loss, alone.gap, alone.entropy) == (1.0, np.inf, np.inf, 0.0)
    assert alone.is_particle
    twice = attribute(Polynomial(np.ones((3, 2)), np.zeros(3), Semiring(eps=eps)), [1.0, 1.0])
    assert twice.gap == 0 and twice.sharpness == 0 and not twice.is_particle
    assert twice.index.tolist() == [0, 1, 2]
    np.testing.assert_allclose(twice.loss, eps * np.log(1.5), rtol=1e-15)
    np.testing.assert_allclose(twice.entropy, np.log(3) if eps else 0.0, rtol=1e-15)


def test_at_eps_0_the_loss_is_the_gap():
    rng = np.random.default_rng(5)
    slopes, offsets, points = rng.normal(size=(9, 2)), rng.normal(size=9), rng.normal(size=(30, 2))
    found = attribute(Polynomial(slopes, offsets), points, top=3)
    for i, x in enumerate(points):
        z = slopes @ x + offsets
        without = [np.delete(z, j).max() for j in found.index[i]]
        np.testing.assert_allclose(found.loss[i], z.max() - without, atol=1e-14)
    assert (found.weight == [1.0, 0.0, 0.0]).all() and (found.entropy == 0).all()
    assert (found.sharpness == np.inf).all() and found.is_particle.all()


def test_atoms_of_coefficient_zero_are_in_no_sum():
    offsets = [0.0, -np.inf, 1.0]
    p = Polynomial([[1.0], [5.0], [-1.0]], offsets, Semiring(eps=0.3))
    found = attribute(p, [[2.0], [-1.0]], top=3, ids=["a", "b", "c"])
    assert found.index.tolist() == [[0, 2], [2, 0]]
    assert [row["id"] for row in found.table(1)] == ["c", "a"]
    assert (found.losses()[:, 1] == 0).all()


# ---- laws --------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.floats(0.05, 20), st.floats(0.02, 5))
@example(0, 1.0, 1.0)
def test_scaling_temperature_slopes_and_offsets_changes_no_weight(seed, c, eps):
    """f_{cε}(x; cW, cb) = c f_ε(x; W, b), and so for gaps and losses."""
    rng = np.random.default_rng(seed)
    W, b, x = rng.normal(size=(6, 2)), rng.normal(size=6), rng.normal(size=(3, 2))
    one, other = attribute(LSELayer(W, b, eps), x), attribute(LSELayer(c * W, c * b, c * eps), x)
    np.testing.assert_array_equal(one.index, other.index)
    np.testing.assert_allclose(other.weight, one.weight, rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(other.entropy, one.entropy, rtol=1e-10, atol=1e-300)
    for name in ("value", "gap", "loss"):
        np.testing.assert_allclose(getattr(other, name), c * getattr(one, name), rtol=1e-10, atol=1e-12)


@given(st.integers(0, 10**6), st.floats(0.0, 2.0))
def test_particle_proves_a_weight_above_one_half(seed, eps):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    p = Polynomial(rng.normal(size=(n, 2)) * 3, rng.normal(size=n), Semiring(eps=eps))
    found = attribute(p, rng.normal(size=(5, 2)))
    assert (found.weight[..., 0][found.is_particle] > 0.5).all()
    assert (found.weight.sum(axis=-1) <= 1 + 1e-14).all()
    assert (found.effective >= 1).all() and (found.effective <= n * (1 + 1e-14)).all()


def test_distance_decides_nothing():
    """Atoms at ±1 seen from 0: both lie outside √(2εt) = 0.45, and yet each weighs one half."""
    found = attribute(LSELayer.from_initial_data([-1.0, 1.0], [0.0, 0.0], eps=0.1, t=1.0), 0.0)
    assert found.weight.tolist() == [0.5, 0.5] and not found.is_particle


# ---- derivatives ---------------------------------------------------------------------------------------


def test_influence_against_finite_differences():
    layer, x, t, h = random_layer(2, 5, 2, eps=0.5, kappa=1.7), np.array([0.3, -0.4]), 0.8, 1e-6
    found = attribute(layer, x, top=5, t=t)
    influence = found.influence()
    y, g = layer.kernel(t).initial_data

    def change(make):
        return (make(h)(x) - make(-h)(x)) / (2 * h)

    for k, j in enumerate(found.index):
        e = np.eye(5)[j]
        assert influence.b[k] == pytest.approx(
            change(lambda s, e=e: LSELayer(layer.W, layer.b + s * e, 0.5)), abs=1e-9
        )

        def from_data(dy, dg):
            return LSELayer.from_initial_data(y + dy, g + dg, 0.5, t, 1.7)

        assert influence.g[k] == pytest.approx(change(lambda s, e=e: from_data(0.0, s * e)), abs=1e-9)
        for i in range(2):
            unit = np.outer(e, np.eye(2)[i])
            dW = change(lambda s, u=unit: LSELayer(layer.W + s * u, layer.b, 0.5))
            assert influence.W[k, i] == pytest.approx(dW, abs=1e-9)
            dy = change(lambda s, u=unit: from_data(s * u, 0.0))
            assert influence.y[k, i] == pytest.approx(dy, abs=1e-9)
    eps_slope = (LSELayer(layer.W, layer.b, 0.5 + h)(x) - LSELayer(layer.W, layer.b, 0.5 - h)(x)) / (2 * h)
    assert found.entropy == pytest.approx(eps_slope, abs=1e-9)


def test_golden_entropy():
    # arXiv:2605.28983, core check, ε = 0.3 at x = 0; recomputed to 30 digits
    layer = LSELayer.from_initial_data([-1.5, -0.5, 0.5, 1.5], [1.0, 0.3, 0.3, 1.0], eps=0.3)
    found = attribute(layer, 0.0)
    assert found.entropy == pytest.approx(0.78324194832612, abs=5e-15)
    assert found.value == pytest.approx(-0.14911086745667, abs=5e-15)


# ---- sizes, blocks, executors --------------------------------------------------------------------------


def test_blocks_do_not_matter(monkeypatch):
    """In blocks of few points, and with the search for the largest in runs, as in one piece by sorting."""
    rng = np.random.default_rng(8)
    n = 5000
    slopes, offsets = np.round(rng.normal(size=(n, 2)), 1), np.round(rng.normal(size=n), 1)
    p, x = Polynomial(slopes, offsets, Semiring(eps=0.3)), np.round(rng.normal(size=(3, 7, 2)), 1)
    labels, seen = rng.choice(["a", "b", "c"], size=n), []
    small = attribute(p, x, top=6, labels=labels, progress=seen.append)
    assert small.weight.shape == (3, 7, 6) and small.class_weight.shape == (3, 7, 3)
    z = x.reshape(-1, 2) @ slopes.T + offsets
    order = np.argsort(-z, axis=1, kind="stable")[:, :6]
    np.testing.assert_array_equal(small.index.reshape(-1, 6), order)
    exact = np.exp(z / 0.3) / np.exp(z / 0.3).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(small.weight.reshape(-1, 6), np.take_along_axis(exact, order, 1), rtol=1e-12)
    masses = np.stack([exact[:, labels == c].sum(axis=1) for c in "abc"], axis=1)
    np.testing.assert_allclose(small.class_weight.reshape(-1, 3), masses, rtol=1e-12)
    monkeypatch.setattr(_gibbs_rows, "_TOGETHER", 1)
    again = attribute(p, x, top=6, labels=labels, progress=seen.append)
    np.testing.assert_allclose(again.weight, small.weight, rtol=1e-12)
    np.testing.assert_array_equal(again.index, small.index)
    assert seen[-6:] == [4, 8, 12, 16, 20, 21]


@pytest.mark.parametrize("n, k", [(5, 5), (40, 3), (1024, 7), (3000, 2), (3000, 40)])
def test_largest_with_ties(n, k):
    z = np.random.default_rng(n).integers(0, 12, size=(20, n)).astype(float)
    np.testing.assert_array_equal(_gibbs_rows.largest(z, k), np.argsort(-z, axis=1, kind="stable")[:, :k])


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_executor(pool):
    layer, x, seen = random_layer(), np.random.default_rng(1).normal(size=(200, 3)), []
    with pool(2) as executor:
        found = attribute(layer, x, executor=executor, progress=seen.append)
    alone = attribute(layer, x)
    np.testing.assert_array_equal(found.loss, alone.loss)
    assert seen[-1] == 200


def test_points_of_a_pool_that_breaks_are_done_here():
    from concurrent.futures import Executor, Future
    from concurrent.futures.process import BrokenProcessPool

    class Dying(Executor):
        def submit(self, *_):
            future = Future()
            future.set_exception(BrokenProcessPool("killed"))
            return future

    x = np.random.default_rng(2).normal(size=(9, 3))
    with pytest.warns(RuntimeWarning, match="a worker of Dying ended"):
        found = attribute(random_layer(), x, executor=Dying())
    np.testing.assert_array_equal(found.loss, attribute(random_layer(), x).loss)


@pytest.mark.slow
def test_a_million_atoms_in_bounded_memory():
    import tracemalloc

    rng = np.random.default_rng(0)
    p = Polynomial(rng.normal(size=(10**6, 3)), rng.normal(size=10**6), Semiring(eps=0.2))
    x = rng.normal(size=(40, 3))
    attribute(p, x[:1])
    tracemalloc.start()
    found = attribute(p, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6  # the matrix of points and atoms alone would have 320e6 bytes
    z = x[7] @ p.slopes.T + p.coefficients
    assert found.index[7].tolist() == np.argsort(-z)[:10].tolist()


def test_no_points():
    found = attribute(random_layer(), np.zeros((0, 3)))
    assert found.loss.shape == (0, 7) and "0 points" in str(found)


# ---- links and reading ---------------------------------------------------------------------------------


def test_training_points_are_linked():
    """Nadaraya–Watson regression on the digits, whose atoms are the training images."""
    images, digits = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    train, test = images[:300] / 16, images[300:305] / 16
    layer = LSELayer.from_initial_data(train, np.zeros(300), eps=0.05)
    found = attribute(
        layer, test, top=3, labels=digits[:300], ids=np.arange(300), inputs=images[:300].reshape(-1, 8, 8)
    )
    kernel = np.exp(-((test[:, None] - train) ** 2).sum(axis=2) / 0.2)
    masses = np.stack([kernel[:, digits[:300] == c].sum(axis=1) for c in range(10)], axis=1)
    np.testing.assert_allclose(found.class_weight, masses / masses.sum(axis=1, keepdims=True), rtol=1e-11)
    assert found.kept_inputs.shape == (5, 3, 8, 8)
    assert (found.kept_inputs[2, 1] == images[found.index[2, 1]].reshape(8, 8)).all()
    assert found.table(2)[1]["label"] == digits[found.index[2, 1]]


def test_reading():
    found = attribute(random_layer(), np.zeros((7, 3)), top=2, ids=[f"<{k}>" for k in range(7)])
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["weight"] == found.weight.tolist() and plain["ids"][0][0] == f"<{found.index[0, 0]}>"
    assert "and 2 points more" in str(found) and "ε = 0.4" in repr(found)
    html = found._repr_html_()
    assert "&lt;" in html and "<td><" not in html and html.count("<tr>") == 15
    pytest.importorskip("matplotlib")
    ax = found.plot(3)
    widths = sorted((bar.get_width() for bar in ax.patches), reverse=True)
    np.testing.assert_array_equal(widths, found.weight[3])


def test_sources_agree():
    layer, x = random_layer(), np.ones(3)
    expected = attribute(layer, x, t=0.6)
    for source in (layer.kernel(0.6), layer.to_network()):
        found = attribute(source, x, t=0.6)
        np.testing.assert_array_equal(found.loss, expected.loss)
        assert found.mean == expected.mean
    assert attribute(layer.kernel(0.6), x).t == 0.6
    np.testing.assert_array_equal(attribute(layer.polynomial, x).weight, expected.weight)


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda a: a(random_layer(), [1.0, np.nan, 0.0]), InputError, r"x\[1\] is nan"),
        (lambda a: a(random_layer(), np.full(3, 1e308)), InputError, "overflow"),
        (lambda a: a(random_layer(), [1.0, 2.0]), ShapeError, r"\(2,\) but there are 3"),
        (lambda a: a(random_layer(), np.ones(3), top=0), InputError, "top is 0"),
        (lambda a: a(random_layer(), np.ones(3), t=0.0), InputError, "t is 0.0"),
        (lambda a: a(random_layer(), np.ones(3), labels=[1, 2]), ShapeError, "labels have shape"),
        (lambda a: a(random_layer(), np.ones(3)).table(1), InputError, "point 1 of 1"),
        (lambda a: a(random_layer(), np.ones(3)).kept_inputs, InputError, "pass inputs="),
        (lambda a: a(Polynomial([1.0], [0.0], Semiring(-1, 1.0)), 1.0), InputError, "of minima"),
        (lambda a: a(Polynomial([1.0], [0.0]).to_exact(), 1.0), InputError, "over Fractions"),
        (lambda a: a(Polynomial([1.0], [-np.inf]), 1.0), InputError, "no finite coefficient"),
        (lambda a: a([(np.eye(2), np.zeros(2))], np.ones(2)), InputError, "needs Affine → LogSumExp"),
        (lambda a: a(random_layer(), np.ones(3), progress=3), InputError, "progress is 3"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make(attribute)


def test_all_weights_have_a_budget(monkeypatch):
    monkeypatch.setattr("hjsym.attribution._MOST_NUMBERS", 20)
    with pytest.raises(BudgetExceeded, match="21"):
        attribute(random_layer(), np.zeros((3, 3))).weights()


def test_examples_of_the_page(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert hjsym.attribute is attribute
    page = doctest.testfile(str(ROOT / "docs" / "attribution.md"), module_relative=False)
    assert page.attempted > 5 and page.failed == 0

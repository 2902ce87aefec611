"""Training without scikit-learn: gradients against mpmath and differences, fits whose answer is known, merging."""

import doctest
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hjsym.hopf import LSELayer
from hjsym.training import Schedule, fit_lse, initial_data, merge_neurons
from hjsym.training.data import Scaling, joined
from hjsym.training.descent import Watch, adam, lbfgs
from hjsym.training.objectives import LogLoss, SquaredError
from hjsym.training.partition import max_affine
from hjsym.training.pull_back import pull_back
from hjsym.training.schedule import kept_apart
from hjsym.training.start import starting_table
from tropical import Polynomial, Semiring
from tropical.errors import InputError, ShapeError

ROOT = Path(__file__).resolve().parents[2]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_examples_of_the_page():
    pytest.importorskip("sklearn")
    result = doctest.testfile(str(ROOT / "docs" / "training.md"), module_relative=False)
    assert result.attempted > 10 and result.failed == 0


def test_scikit_learn_is_not_imported_unasked(tmp_path):
    code = (
        "import sys, hjsym, hjsym.training; assert not any(m.split('.')[0] == 'sklearn' for m in sys.modules)\n"
        "sys.modules['sklearn'] = None\n"
        "try: hjsym.LSERegressor\n"
        "except ImportError as e: assert 'install hjsym[sklearn]' in str(e)\n"
        "else: raise SystemExit('no error')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)  # not beside the sources


# ---- gradients -----------------------------------------------------------------------------------------


def exact_pull_back(W, b, eps, x, r):
    """Σ_i r_i π_j(x_i)(x_i, 1) in 40 digits."""
    with mpmath.workdps(40):
        rows = np.zeros((len(W), len(W[0]) + 1), dtype=object) + mpmath.mpf(0)
        for point, weight in zip(x, r, strict=True):
            z = [mpmath.fdot(w, point) + mpmath.mpf(c) for w, c in zip(W.tolist(), b.tolist(), strict=True)]
            top = max(z)
            e = [mpmath.exp((v - top) / mpmath.mpf(eps)) for v in z]
            for j, share in enumerate(e):
                mass = mpmath.mpf(weight) * share / sum(e)
                rows[j] += [mass * v for v in [*map(mpmath.mpf, point), 1]]
        return rows.astype(float)


@pytest.fixture(params=["masses", "weights"])
def route(request, monkeypatch):
    """Both ways to a pull-back, whatever the size."""
    module = sys.modules["hjsym.training.pull_back"]
    monkeypatch.setattr(module, "_SMALL", 0 if request.param == "masses" else 10**9)


@pytest.mark.parametrize("eps", [1e-12, 1e-3, 0.1, 1.0, 1e3])
@pytest.mark.parametrize(("neurons", "points", "d"), [(1, 3, 1), (3, 40, 2), (70, 20, 3)])
def test_pull_back_against_mpmath(route, eps, neurons, points, d):
    g = rng(neurons)
    W, b, x, r = (
        g.normal(size=(neurons, d)),
        g.normal(size=neurons),
        g.normal(size=(points, d)),
        g.normal(size=points),
    )
    r[0] = 0
    p = Polynomial(W, b, Semiring(eps=eps))
    expected = exact_pull_back(W, b, eps, x.tolist(), r.tolist())
    np.testing.assert_allclose(pull_back(p, x, p(x), r), expected, rtol=1e-9, atol=1e-9 * np.abs(r).sum())


@given(st.integers(0, 10**6), st.sampled_from([0.05, 0.3, 2.0]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_masses_of_the_pull_back_add_up(route, seed, eps):
    """Σ_j π_j = 1, so the last column sums to Σ r, and the rest to Σ r x."""
    g = rng(seed)
    p = _random_polynomial(g, eps)
    x, r = g.normal(size=(25, 2)) * 3, g.normal(size=25)
    total = pull_back(p, x, p(x), r).sum(axis=0)
    np.testing.assert_allclose(total, [*(r @ x), r.sum()], atol=1e-11)


def _random_polynomial(g, eps):
    n = int(g.integers(1, 90))
    return Polynomial(5 * g.normal(size=(n, 2)), g.normal(size=n), Semiring(eps=eps))


def _central_differences(f, at, step=1e-6):
    return np.array([(f(at + step * e)[0] - f(at - step * e)[0]) / (2 * step) for e in np.eye(len(at))])


@pytest.mark.parametrize("signs", [(1,), (-1,), (1, -1)])
@pytest.mark.parametrize("eps", [0.2, None])
@pytest.mark.parametrize("rows", [slice(None), np.array([3, 1, 30])])
def test_squared_error_against_differences(signs, eps, rows):
    g = rng(1)
    x = g.normal(size=(40, 3))
    objective = SquaredError(x, np.abs(x).sum(axis=1), g.uniform(size=40), signs, 4, eps, 0.03)
    at = g.normal(size=len(signs) * 16 + (eps is None))
    loss, gradient = objective(at, rows)
    np.testing.assert_allclose(
        gradient, _central_differences(lambda p: objective(p, rows), at), rtol=1e-6, atol=1e-8
    )
    if isinstance(rows, slice):
        decay = 0.03 * (objective.split(at)[0][..., :-1] ** 2).sum()
        assert loss == pytest.approx(objective.error(at) + decay, rel=1e-12)


@pytest.mark.parametrize("rows", [slice(None), np.array([3, 1, 30])])
def test_log_loss_against_differences_and_probabilities(rows):
    g = rng(2)
    x, labels = g.normal(size=(40, 2)), g.integers(0, 3, 40)
    objective = LogLoss(x, labels, g.uniform(size=40), 3, 2, 0.7, 0.03)
    at = g.normal(size=18)
    loss, gradient = objective(at, rows)
    np.testing.assert_allclose(
        gradient, _central_differences(lambda p: objective(p, rows), at), rtol=1e-6, atol=1e-8
    )
    table = at.reshape(6, 3)
    layer = LSELayer(table[:, :2], table[:, 2], 0.7, labels=[0, 0, 1, 1, 2, 2])
    chosen = layer.class_probabilities(x[rows])[np.arange(len(x[rows])), labels[rows]]
    expected = -np.average(np.log(chosen), weights=objective.weights[rows])
    assert loss - 0.03 * (table[:, :2] ** 2).sum() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("far", [1e4, -1e4])
def test_a_temperature_that_runs_away_stays_finite(far):
    g = rng(14)
    objective = SquaredError(g.normal(size=(9, 1)), g.normal(size=9), np.ones(9), (1,), 2, None)
    loss, gradient = objective(np.append(g.normal(size=4), far))
    assert np.isfinite(loss) and np.isfinite(gradient).all()


def test_gradients_of_torch(route):
    torch = pytest.importorskip("torch")
    g = rng(3)
    x, y = g.normal(size=(30, 2)), g.normal(size=30)
    at = np.append(g.normal(size=30), -0.5)
    _, gradient = SquaredError(x, y, np.ones(30), (1, -1), 5, None, 0.1)(at)
    p = torch.tensor(at, requires_grad=True)
    table, eps = p[:-1].reshape(2, 5, 3), p[-1].exp()
    heads = [eps * torch.logsumexp((torch.tensor(x) @ w[:, :2].T + w[:, 2]) / eps, 1) for w in table]
    loss = ((heads[0] - heads[1] - torch.tensor(y)) ** 2).mean() + 0.1 * (table[..., :2] ** 2).sum()
    loss.backward()
    np.testing.assert_allclose(gradient, p.grad.numpy(), rtol=1e-11, atol=1e-13)


# ---- descent -------------------------------------------------------------------------------------------


def test_adam_takes_the_steps_of_its_definition():
    """Two steps on f(p) = p²/2 from 1, by hand: m̂ and v̂ are 1 and 1, then (.9·.1 + .1·p)/.19 and the like."""
    seen = []
    adam(lambda p, rows: (p[0] ** 2 / 2, p.copy()), np.array([1.0]), _Recorder(seen), 2, 0.1)
    first = 1 - 0.1 / (1 + 1e-8)
    mean = (0.9 * 0.1 + 0.1 * first) / (1 - 0.81)
    square = (0.999 * 0.001 + 0.001 * first**2) / (1 - 0.999**2)
    np.testing.assert_allclose(seen, [first, first - 0.1 * mean / (np.sqrt(square) + 1e-8)], rtol=1e-12)


class _Recorder(Watch):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def sees(self, parameters, loss):
        self.seen.append(parameters[0])
        return super().sees(parameters, loss)


def test_lbfgs_survives_an_objective_that_overflows():
    def cliff(p):
        return (np.inf, p) if p[0] > 2 else (float(np.exp(-p[0])), -np.exp(-p))

    descent = lbfgs(cliff, np.array([0.0]), Watch(), 50)
    assert 1 < descent.parameters[0] <= 2


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_early_stopping_returns_the_parameters_of_least_error(solver):
    g = rng(4)
    x = g.uniform(-1, 1, (40, 1))
    y = x[:, 0] ** 2 + 0.3 * g.normal(size=40)
    schedule = Schedule(solver=solver, max_iter=2000, early_stopping=True, n_iter_no_change=10)
    fit = fit_lse(x, y, n_neurons=30, eps=0.001, seed=0, schedule=schedule)
    assert fit.steps < 2000 and len(fit.validation_errors) == fit.steps
    assert fit.error == pytest.approx(min(fit.validation_errors) * y.var(), rel=1e-3)


def test_rows_kept_apart_are_a_partition():
    train, apart = kept_apart(10, 0.25, rng())
    assert sorted([*train, *apart]) == list(range(10)) and len(apart) == 2
    with pytest.raises(InputError, match="early_stopping would keep 1 of 1"):
        kept_apart(1, 0.5, rng())


def test_progress_counts_steps_of_all_starts_and_stages():
    x = np.linspace(-1, 1, 30)[:, None]
    seen = []
    options = dict(n_neurons=3, eps=0.01, temperature="annealed", n_init=2, seed=0)
    fit_lse(x, x[:, 0] ** 2, schedule=Schedule(solver="adam", max_iter=12), progress=seen.append, **options)
    assert seen == list(range(1, 25))


# ---- data ----------------------------------------------------------------------------------------------


def test_joined_rows_keep_the_least_squares_problem():
    g = rng(5)
    x, y, w = g.integers(0, 3, (50, 2)).astype(float), g.normal(size=50), g.integers(0, 3, 50).astype(float)
    rows, means, weights = joined(x, y, w)
    assert weights.sum() == w.sum() and len(np.unique(rows, axis=0)) == len(rows)
    gaps = [
        (w * (f(x) - y) ** 2).sum() - (weights * (f(rows) - means) ** 2).sum()
        for f in (lambda p: p[:, 0] ** 2, lambda p: np.sin(p[:, 1]))
    ]
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-12)  # the same constant for every f


def test_scaling_of_tables_there_and_back():
    g = rng(6)
    x, y = 5 + 3 * g.normal(size=(30, 2)), 100 * g.normal(size=30)
    scaling = Scaling.of(x, y, np.ones(30))
    table = g.normal(size=(2, 4, 3))
    inner, _ = scaling.scale(x, y)
    for signs in ((1, -1), (-1, 1)):
        outer = scaling.table_back(table, signs)
        np.testing.assert_allclose(scaling.table_there(outer, signs), table, atol=1e-12)

        def value(t, points, eps, signs=signs):
            return sum(
                s * Polynomial(h[:, :-1], h[:, -1], Semiring(eps=eps))(points)
                for s, h in zip(signs, t, strict=True)
            )

        expected = scaling.middle + scaling.unit * value(table, inner, 0.3)
        np.testing.assert_allclose(value(outer, x, 0.3 * scaling.unit), expected, rtol=1e-11)


# ---- fits ----------------------------------------------------------------------------------------------


def test_a_layer_is_found_again():
    truth = LSELayer([[1.0, 0.0], [-1.0, 0.5], [0.0, -1.0]], [0.0, 0.3, -0.2], eps=0.2)
    x = rng(7).uniform(-2, 2, (300, 2))
    schedule = Schedule(max_iter=2000, tol=1e-12)
    for temperature, eps in (("fixed", 0.2), ("learnt", 0.5), ("annealed", 0.2)):
        fit = fit_lse(
            x, truth(x), n_neurons=3, eps=eps, temperature=temperature, n_init=3, seed=0, schedule=schedule
        )
        assert fit.eps == pytest.approx(0.2, rel=1e-5)
        order = np.argsort(fit.table[0, :, 0])
        np.testing.assert_allclose(fit.table[0][order, :2], [[-1, 0.5], [0, -1], [1, 0]], atol=1e-4)
        np.testing.assert_allclose(fit.table[0][order, 2], [0.3, -0.2, 0.0], atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "f"),
    [("convex", np.abs), ("concave", lambda v: -np.abs(v)), ("difference", lambda v: np.sin(3 * v))],
)
@pytest.mark.parametrize("init", ["partition", "random"])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_shapes(shape, f, init, solver):
    x = np.linspace(-1, 1, 200)[:, None]
    y = f(x[:, 0])
    schedule = Schedule(solver=solver, max_iter=400, learning_rate=0.05)
    fit = fit_lse(x, y, shape=shape, n_neurons=8, eps=0.02, init=init, seed=1, n_init=2, schedule=schedule)
    assert fit.error < 0.01 * y.var()
    np.testing.assert_allclose(np.mean((fit(x) - y) ** 2), fit.error, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_starts_side_by_side_are_those_one_after_another(batch_size):
    x = np.linspace(-1, 1, 60)[:, None]
    schedule = Schedule("adam" if batch_size else "lbfgs", max_iter=30, batch_size=batch_size)
    seen = {executor: [] for executor in (None, ThreadPoolExecutor)}
    alone, together = (
        fit_lse(
            x, np.sin(3 * x[:, 0]), n_neurons=3, init="random", n_init=4, seed=0, schedule=schedule,
            executor=executor, progress=steps.append,
        )
        for executor, steps in seen.items()
    )  # fmt: skip
    np.testing.assert_array_equal(alone.table, together.table)
    assert alone.losses == together.losses
    assert len(seen[ThreadPoolExecutor]) == 4 and max(seen[None]) == seen[ThreadPoolExecutor][-1]


def test_the_same_seed_gives_the_same_bits_in_any_order_of_rows():
    g = rng(8)
    x, y = g.normal(size=(60, 2)), g.normal(size=60)
    order = g.permutation(60)
    first, second = (fit_lse(a, b, n_neurons=5, seed=3) for a, b in ((x, y), (x, y)))
    np.testing.assert_array_equal(first.table, second.table)
    mixed = fit_lse(x[order], y[order], n_neurons=5, seed=3, schedule=Schedule(max_iter=20))
    plain = fit_lse(x, y, n_neurons=5, seed=3, schedule=Schedule(max_iter=20))
    np.testing.assert_allclose(mixed.table, plain.table, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("eps", [1e-300, 1e-9, 1e9])
def test_extreme_temperatures(eps):
    g = rng(9)
    x = g.uniform(-1, 1, (100, 1))
    y = np.abs(x[:, 0]) + x[:, 0]
    fit = fit_lse(x, y, n_neurons=4, eps=eps, seed=0)
    linear = np.polynomial.Polynomial.fit(x[:, 0], y, 1)
    if eps < 1:  # a maximum of planes
        assert fit.error < 1e-6
    else:  # ∇²f ≤ diam²/4ε: nothing but planes
        assert fit.error == pytest.approx(np.mean((linear(x[:, 0]) - y) ** 2), rel=1e-4)


def test_degenerate_data():
    x = np.linspace(-1, 1, 50)
    line = np.column_stack([x, 2 * x])  # collinear
    assert fit_lse(line, np.abs(x), n_neurons=4, eps=0.01, seed=0).error < 1e-5
    assert fit_lse(line, np.full(50, 3.0), seed=0).error < 1e-8  # constant targets
    one = fit_lse(line[:1], [2.0], seed=0)  # one row
    np.testing.assert_allclose(one(line[:1]), [2.0], atol=1e-8)
    plane = fit_lse(line, x, n_neurons=1, eps=0.1, seed=0)  # N = 1 is a plane, whatever ε is
    np.testing.assert_allclose(plane(line), x, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(eps=0.0), "eps is 0.0; pass a finite number > 0"),
        (dict(eps=np.nan), "eps is nan"),
        (dict(eps=1e30), "so hot a layer rounds to an affine"),
        (dict(n_neurons=0), "n_neurons is 0; pass a whole number >= 1"),
        (dict(n_neurons=2.5), "n_neurons is 2.5"),
        (dict(shape="round"), "shape is 'round'"),
        (dict(temperature="cold"), "temperature is 'cold'"),
        (dict(init="zero"), "init is 'zero'"),
        (dict(decay=-1.0), "decay is -1.0"),
        (dict(weights=np.zeros(4)), "none is positive"),
        (dict(weights=np.array([1.0, -1, 1, 1])), "sample weights are negative"),
        (dict(targets=[1.0, np.nan, 0, 0]), "NaN or infinite entries"),
        (dict(points=np.full((4, 1), np.inf)), "NaN or infinite entries"),
        (dict(progress=3), "progress is 3"),
    ],
)
def test_what_a_fit_refuses(changes, message):
    arguments = dict(points=np.arange(4.0)[:, None], targets=np.arange(4.0), seed=0) | changes
    with pytest.raises(InputError, match=message):
        fit_lse(arguments.pop("points"), arguments.pop("targets"), **arguments)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(solver="sgd"), "solver is 'sgd'"),
        (dict(batch_size=3), "batch_size is for solver='adam'"),
        (dict(solver="adam", batch_size=-3), "batch_size is -3"),
        (dict(max_iter=0), "max_iter is 0"),
        (dict(validation_fraction=1.5), "pass a share below 1"),
        (dict(tol=-1.0), "tol is -1.0"),
    ],
)
def test_what_a_schedule_refuses(settings, message):
    with pytest.raises(InputError, match=message):
        Schedule(**settings)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"points have shape \(4,\)"):
        fit_lse(np.zeros(4), np.zeros(4))
    with pytest.raises(ShapeError, match=r"targets \(3,\)"):
        fit_lse(np.zeros((4, 1)), np.zeros(3))
    with pytest.raises(ShapeError, match=r"start has shape \(3, 2\); .* shape \(1, 3, 2\)"):
        fit_lse(np.zeros((4, 1)), np.zeros(4), n_neurons=3, start=np.zeros((3, 2)))
    layer = LSELayer([[1.0]], [0.0], 1.0)
    with pytest.raises(ShapeError, match=r"pass \(B, 1\)"):
        initial_data(layer, np.zeros((4, 2)), np.zeros(4))


def test_starts_have_mean_error_zero():
    g = rng(10)
    x, y, w = g.normal(size=(50, 2)), g.normal(size=50), g.uniform(size=50)
    for signs in ((1,), (-1,), (1, -1)):
        table = starting_table("partition", (x, y, w), signs, 60, 0.3, g)
        error = SquaredError(x, y, w, signs, 60, 0.3).predict(table.ravel(), x) - y
        assert abs(w @ error) < 1e-10 and table.shape == (len(signs), 60, 3)


# ---- merging -------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.2, 3.0]), st.sampled_from([0.0, 1e-6, 1e-2, 0.5]))
@settings(max_examples=60, deadline=None)
def test_merging_keeps_its_bound(seed, eps, tol):
    g = rng(seed)
    W = np.repeat(g.normal(size=(4, 2)), 3, axis=0) + 10.0 ** g.uniform(-6, 0) * g.normal(size=(12, 2))
    layer = LSELayer(np.vstack([W, W[:2]]), g.normal(size=14), eps)
    low = g.normal(size=2)
    high = low + np.array([2.0, 1.0])
    merged = merge_neurons(layer, tol, (low, high))
    assert merged.error <= tol * (1 + 1e-12) and merged.layer.neurons == merged.groups.max() + 1 <= 12
    x = np.vstack([g.uniform(low, high, (200, 2)), low, high, [low[0], high[1]], [high[0], low[1]]])
    change = layer(x) - merged.layer(x)
    assert (change >= -1e-13).all() and (change <= merged.error + 1e-13).all()


def test_dropping_a_duplicate_is_not_merging():
    layer = LSELayer([[1.0], [1.0], [-1.0]], [0.0, 0.0, 0.0], 0.5)
    dropped = LSELayer(layer.W[1:], layer.b[1:], 0.5)
    x = np.array([[2.0]])
    assert layer(x) - dropped(x) == pytest.approx(0.5 * np.log(2), rel=1e-3)
    np.testing.assert_allclose(merge_neurons(layer, 0, (-3, 3)).layer(x), layer(x), rtol=1e-15)
    with pytest.raises(InputError, match="tol is -1"):
        merge_neurons(layer, -1)
    with pytest.raises(InputError, match="the box is unbounded"):
        merge_neurons(layer, 1, box=(-np.inf, 1))
    assert merge_neurons(LSELayer([[1.0]], [0.0], 1.0), 0.1).layer.neurons == 1


# ---- initial data --------------------------------------------------------------------------------------


def test_error_bars_cover_the_truth():
    """Over 120 noisy data sets the errors divided by their bars have spread 1, for every y_j and g_j."""
    truth = LSELayer.from_initial_data([[-1.5], [0.0], [1.0]], [0.2, 0.5, 0.1], eps=0.1, t=0.5)
    x = np.linspace(-3, 3, 150)[:, None]
    start = np.column_stack([truth.W, truth.b])[None]
    g, scores = rng(11), []
    for _ in range(120):
        y = truth(x) + 0.02 * g.normal(size=150)
        fit = fit_lse(x, y, n_neurons=3, eps=0.1, start=start)
        layer = LSELayer(fit.table[0, :, :-1], fit.table[0, :, -1], 0.1)
        found = initial_data(layer, x, y, t=0.5)
        truly = truth.kernel(0.5)
        scores.append(
            [*((found.y - truly.y) / found.y_error).ravel(), *((found.g - truly.g) / found.g_error)]
        )
    np.testing.assert_allclose(np.std(scores, axis=0), 1, atol=0.25)  # four standard deviations of a spread
    assert np.abs(np.mean(scores, axis=0)).max() < 0.35
    assert found.noise == pytest.approx(0.02, rel=0.25) and found.rank == 6


def test_error_bars_by_differences_of_refits():
    """The covariance against that of least squares by the Jacobian of (y, g) ↦ f, from central differences."""
    y, g = np.array([-1.0, 0.5]), np.array([0.3, 0.0])
    x = np.linspace(-2, 2, 60)[:, None]
    layer = LSELayer.from_initial_data(y, g, eps=0.3, t=2.0)
    targets = layer(x) + 0.1 * np.cos(7 * x[:, 0])
    at = np.array([y[0], g[0], y[1], g[1]])

    def f(p):
        return LSELayer.from_initial_data(p[::2], p[1::2], eps=0.3, t=2.0)(x)

    J = np.column_stack([(f(at + 1e-6 * e) - f(at - 1e-6 * e)) / 2e-6 for e in np.eye(4)])
    expected = ((layer(x) - targets) ** 2).sum() / 56 * np.linalg.inv(J.T @ J)
    np.testing.assert_allclose(initial_data(layer, x, targets, t=2.0).covariance, expected, rtol=1e-5)
    wider = initial_data(layer, x, targets, t=2.0, learnt_eps=True)
    assert wider.rank == 5 and (np.diag(wider.covariance) >= np.diag(expected) * (1 - 1e-3)).all()


def test_what_the_data_do_not_see_has_infinite_bars():
    twice = LSELayer([[1.0], [1.0], [-1.0]], [0.0, 0.0, 0.0], 0.2)
    x = np.linspace(-1, 1, 50)[:, None]
    found = initial_data(twice, x, twice(x) + 0.01 * np.cos(9 * x[:, 0]))
    assert np.isinf(found.g_error[:2]).all() and np.isfinite(found.g_error[2]) and found.rank < 6
    few = initial_data(LSELayer([[1.0], [-1.0]], [0.0, 0.0], 0.2), x[:3], np.ones(3))
    assert np.isinf(few.g_error).all()  # three rows for four parameters: the noise is unknown
    with pytest.raises(InputError, match="NaN or infinite"):
        initial_data(twice, x, np.where(x[:, 0] > 0.9, np.nan, 0.0))
    with pytest.raises(InputError, match="merge neurons first"):
        initial_data(LSELayer(np.ones((4000, 1)), np.ones(4000), 1.0), x, x[:, 0])


# ---- the paper's experiments, arXiv:2605.28983 -----------------------------------------------------------


@pytest.mark.parametrize("eps", [0.5, 0.1, 0.04])
def test_recovery(eps):
    """g = |y|, eight atoms in [−2, 2], x in [−2.4, 2.4], N = 10: |g − |y|| ≤ .012 once duplicates are merged."""
    y = np.linspace(-2, 2, 8)
    x = np.linspace(-2.4, 2.4, 400)[:, None]
    hopf_lax = x[:, 0] ** 2 / 4 - (np.abs(y) + (x - y) ** 2 / 4).min(axis=1)
    schedule = Schedule(max_iter=5000, tol=1e-12)
    fit = fit_lse(x, hopf_lax, n_neurons=10, eps=eps, n_init=4, seed=0, schedule=schedule)
    layer = LSELayer(fit.table[0, :, :-1], fit.table[0, :, -1], eps)
    merged = merge_neurons(layer, 1e-4, (-2.4, 2.4)).layer
    atoms, values = merged.kernel(1.0).initial_data
    assert np.abs(values - np.abs(atoms[:, 0])).max() <= 0.012
    np.testing.assert_allclose(merged(x), layer(x), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("eps", "stated"), [(0.08, 12.4), (0.12, 8.38), (0.2, 5.18), (0.35, 3.18), (0.6, 2.13), (1.0, 1.57)]
)
def test_curvature(eps, stated):
    """max f″ of 30 neurons fitted to |x| by 4000 steps of Adam, the best of three starts, and diam²/4ε above it."""
    x, test = rng(99).uniform(-2, 2, 500)[:, None], np.linspace(-1.8, 1.8, 200)[:, None]
    fits = []
    for seed in range(3):
        g = rng(seed)
        start = np.column_stack([0.4 * g.standard_normal(30), 0.2 * g.standard_normal(30)])[None]
        schedule = Schedule(solver="adam", max_iter=4000, learning_rate=0.01)
        fits.append(
            fit_lse(
                x, np.abs(x[:, 0]), n_neurons=30, eps=eps, standardize=False, start=start, schedule=schedule
            )
        )
    (head,) = min(fits, key=lambda fit: np.mean((fit(test) - np.abs(test[:, 0])) ** 2)).polynomials
    largest = head.hessian(test).max()
    assert largest == pytest.approx(stated, rel=0.005)
    assert largest <= np.ptp(head.slopes) ** 2 / (4 * eps)


# ---- max-affine fits -----------------------------------------------------------------------------------


def test_max_affine_is_stationary_and_finds_a_polyhedral_function():
    g = rng(12)
    W, b = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]]), np.array([0.0, 0.0, -1.0])
    x = g.uniform(-2, 2, (400, 2))
    y = (x @ W.T + b).max(axis=1)
    planes, error, _ = min((max_affine(x, y, np.ones(400), 3, g) for _ in range(10)), key=lambda fit: fit[1])
    assert error < 1e-10
    np.testing.assert_allclose(
        planes[np.argsort(planes[:, 0])], [[-1, 0, 0], [0, 2, -1], [1, 0, 0]], atol=1e-4
    )

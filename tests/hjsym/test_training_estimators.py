"""The estimators in scikit-learn's company: its own checks, what a fit leaves, probabilities, refusals."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import hjsym
from hjsym.hopf import LSELayer
from hjsym.training import LSEClassifier, LSERegressor, MaxAffineRegressor
from tropical.errors import InputError

X = np.random.default_rng(0).uniform(-2, 2, (150, 2))
ABS = np.abs(X).sum(axis=1)
RING = np.where(np.hypot(*X.T) < 1.2, "in", "out")


def _checks():
    small = [
        LSERegressor(),
        LSERegressor(5, shape="difference", solver="adam", batch_size=16, max_iter=200, learning_rate=0.05),
        LSEClassifier(),
        MaxAffineRegressor(n_init=2),
    ]
    for estimator in small:
        # The ways of weighing rows differ in the order of random batches.
        skipped = "sample_weight_equivalence" if getattr(estimator, "batch_size", None) else "none of them"
        for made, check in estimator_checks_generator(estimator, legacy=True):
            name = getattr(check, "func", check).__name__
            if skipped not in name:
                yield pytest.param(
                    made, check, id=f"{type(made).__name__}-{estimator.get_params().get('solver')}-{name}"
                )


@pytest.mark.filterwarnings("ignore")  # the checks warn about checks
@pytest.mark.parametrize(("estimator", "check"), list(_checks()))
def test_checks_of_scikit_learn(estimator, check):
    try:
        check(estimator)
    except Exception as error:
        if type(error).__name__ == "SkipTest":
            pytest.skip(str(error))
        raise


# ---- regression ----------------------------------------------------------------------------------------


def test_a_convex_fit_is_a_layer():
    model = LSERegressor(10, random_state=0).fit(X, ABS)
    assert isinstance(model.layer_, LSELayer) and model.layer_.eps == model.eps_
    np.testing.assert_allclose(model.layer_(X), model.predict(X), rtol=1e-13)
    np.testing.assert_array_equal(model.polynomial_(X), model.predict(X))
    assert model.score(X, ABS) > 0.99 and not hasattr(model, "rational_")
    assert hjsym.hamiltonian(model.layer_) is not None
    gauge = model.layer_.kernel(0.5)
    np.testing.assert_allclose(gauge.identity_defect(X), 0, atol=1e-9)


def test_other_shapes_leave_their_functions():
    model = LSERegressor(10, shape="concave", random_state=0).fit(X, -ABS)
    np.testing.assert_allclose(model.polynomial_(X), model.predict(X), rtol=1e-12, atol=1e-12)
    assert model.polynomial_.semiring.sign == -1 and not hasattr(model, "layer_")
    with pytest.raises(InputError, match="shape='convex'"):
        model.merged(0.1)
    model.set_params(shape="difference").fit(X, X[:, 0] * X[:, 1])
    np.testing.assert_allclose(model.rational_(X), model.predict(X), rtol=1e-9, atol=1e-12)
    assert not hasattr(model, "polynomial_") and model.score(X, X[:, 0] * X[:, 1]) > 0.98


def test_units_do_not_matter():
    """A fit to cy at cε is c times the fit to y; so it is in units of x."""
    plain = LSERegressor(6, eps=0.2, temperature="fixed", random_state=0, max_iter=30).fit(X, ABS)
    for c, s in ((1024.0, 2.0), (1 / 64, 4.0)):
        scaled = LSERegressor(6, eps=0.2 * c, temperature="fixed", random_state=0, max_iter=30).fit(
            s * X, c * ABS
        )
        np.testing.assert_allclose(scaled.predict(s * X), c * plain.predict(X), rtol=1e-7)


def test_one_neuron_is_linear_regression():
    """Whatever ε is: b takes up nothing but the constant."""
    y = ABS + X[:, 0]
    model = LSERegressor(1, alpha=0.0, tol=1e-10, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), LinearRegression().fit(X, y).predict(X), atol=1e-5)


def test_warm_start_goes_on():
    model = LSERegressor(8, random_state=0, max_iter=5, warm_start=True)
    losses = [model.fit(X, ABS).loss_curve_[-1] for _ in range(6)]
    assert all(np.diff(losses) <= 1e-12) and losses[-1] < losses[0]
    model.set_params(max_iter=1).fit(X, ABS)
    assert model.loss_curve_[0] <= losses[-1] + 1e-12  # ε goes on as well
    cold = clone(model).set_params(warm_start=False)
    assert cold.fit(X, ABS).loss_curve_ == cold.fit(X, ABS).loss_curve_
    model.set_params(n_neurons=4).fit(X, ABS)  # another shape starts anew
    assert model.layer_.neurons == 4


@pytest.mark.parametrize(
    "model", [LSERegressor(3, init="random", n_init=3, max_iter=20), LSEClassifier(2, n_init=3, max_iter=20)]
)
def test_starts_on_an_executor(model):
    model.set_params(random_state=0)
    y = X[:, 0] > 0 if isinstance(model, LSEClassifier) else ABS
    together = clone(model).set_params(executor=partial(ThreadPoolExecutor, 2))
    np.testing.assert_array_equal(clone(together).fit(X, y).layer_.W, model.fit(X, y).layer_.W)


def test_initial_data_of_a_fit():
    truth = LSELayer.from_initial_data([[-1.0, 0], [1.0, 0.5], [0, 1.0]], [0.0, 0.2, 0.1], eps=0.1)
    y = truth(X) + 0.01 * np.random.default_rng(1).normal(size=150)
    model = LSERegressor(3, eps=0.1, temperature="fixed", n_init=3, alpha=0.0, random_state=0).fit(X, y)
    found = model.initial_data(X, y)
    order = np.argsort(found.y[:, 0])
    assert found.noise == pytest.approx(0.01, rel=0.2)
    truly = truth.kernel(1.0)
    rank = np.argsort(truly.y[:, 0])
    assert (np.abs(found.g[order] - truly.g[rank]) < 4 * found.g_error[order]).all()
    assert (np.abs(found.y[order] - truly.y[rank]) < 4 * found.y_error[order]).all()
    crowded = LSERegressor(8, eps=0.1, temperature="annealed", random_state=0).fit(X, y)
    assert crowded.initial_data(X, y, merge=0.02).g.shape == (crowded.merged(0.02).layer.neurons,)


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (LSERegressor(5, random_state=0), ABS),
        (LSERegressor(5, shape="concave", random_state=0), -ABS),
        (LSERegressor(5, shape="difference", random_state=0), X[:, 0] * X[:, 1]),
        (MaxAffineRegressor(4, random_state=0), ABS),
        (LSEClassifier(5, eps=0.5, random_state=0), RING),
    ],
)
def test_fitted_estimators_are_networks(estimator, y):
    model = make_pipeline(StandardScaler(), estimator).fit(X, y)
    network = hjsym.load(model)
    expected = model.predict_proba(X) if y is RING else model.predict(X)[:, None]
    np.testing.assert_allclose(network(X), expected, rtol=1e-7, atol=1e-9)
    if estimator.get_params().get("shape") == "convex":
        assert LSELayer.from_network(estimator).eps == estimator.eps_


def test_pickles_and_grids():
    model = make_pipeline(StandardScaler(), LSERegressor(5, random_state=0)).fit(X, ABS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    grid = GridSearchCV(LSERegressor(random_state=0), {"n_neurons": [1, 8]}, cv=3).fit(X, ABS)
    assert grid.best_params_ == {"n_neurons": 8}


def test_nan_and_weights_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        LSERegressor().fit(np.where(X > 1.9, np.nan, X), ABS)
    with pytest.raises(ValueError, match="NaN"):
        LSEClassifier().fit(X, RING).predict([[np.nan, 0.0]])
    for estimator, y in ((LSERegressor(), ABS), (LSEClassifier(), RING), (MaxAffineRegressor(), ABS)):
        with pytest.raises(InputError, match="negative"):
            estimator.fit(X, y, sample_weight=-np.ones(150))


def test_max_affine_regressor_finds_planes():
    model = MaxAffineRegressor(4, random_state=0).fit(X, ABS)
    assert model.score(X, ABS) > 1 - 1e-10
    assert model.polynomial_.semiring.is_tropical
    with pytest.raises(InputError, match="n_pieces is 0"):
        MaxAffineRegressor(0).fit(X, ABS)


# ---- classification ------------------------------------------------------------------------------------


def test_probabilities_are_gibbs_weights():
    x, y = load_iris(return_X_y=True)
    model = LSEClassifier(3, random_state=0, eps=0.25).fit(x, y)
    P = model.predict_proba(x)
    np.testing.assert_allclose(model.layer_.class_probabilities(x), P, atol=1e-12)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-14)
    assert (model.classes_[P.argmax(axis=1)] == model.predict(x)).all()
    np.testing.assert_allclose(np.exp(model.predict_log_proba(x)), P)
    np.testing.assert_allclose(model.heads_(x), model.decision_function(x))
    loss = -np.log(P[np.arange(150), y]).mean()
    assert loss <= model.loss_curve_[-1] <= loss + 0.2  # the rest is the decay
    assert cross_val_score(LSEClassifier(2, random_state=0, alpha=1e-2), x, y).mean() > 0.93


def test_one_neuron_a_class_is_logistic_regression():
    x, y = load_iris(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    model = LSEClassifier(1, alpha=0.01, tol=1e-9, max_iter=2000, random_state=0).fit(x, y)
    peer = LogisticRegression(C=1 / (2 * 0.01 * 150), tol=1e-10, max_iter=5000).fit(x, y)
    np.testing.assert_allclose(model.predict_proba(x), peer.predict_proba(x), atol=1e-4)


def test_the_temperature_of_a_classifier_is_a_gauge():
    one, cold = (LSEClassifier(4, eps=eps, random_state=0).fit(X, RING) for eps in (1.0, 2.0**-40))
    np.testing.assert_allclose(one.predict_proba(X), cold.predict_proba(X), atol=1e-10)
    np.testing.assert_allclose(cold.layer_.W, 2.0**-40 * one.layer_.W)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_ring_is_learnt(solver):
    model = LSEClassifier(8, solver=solver, learning_rate=0.05, alpha=1e-4, random_state=0).fit(X, RING)
    assert model.score(X, RING) > 0.95 and list(model.classes_) == ["in", "out"]
    assert model.decision_function(X).shape == (150,)
    again = model.set_params(warm_start=True, max_iter=1).fit(X, RING)
    assert again.score(X, RING) > 0.95 and again.n_iter_ <= 1


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="1 class"):
        LSEClassifier().fit(X, np.ones(150, int))
    with pytest.raises(ValueError, match="1 class"):
        LSEClassifier().fit(X, RING, sample_weight=(RING == "in").astype(float))


def test_early_stopping_with_a_class_of_one_row():
    y = np.r_[["rare"], RING[1:]]
    model = LSEClassifier(early_stopping=True, validation_fraction=0.3, random_state=0).fit(X, y)
    assert set(model.classes_) == {"in", "out", "rare"} and len(model.validation_errors_) == model.n_iter_

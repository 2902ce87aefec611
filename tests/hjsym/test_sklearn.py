"""Pipelines and linear models of scikit-learn against their own predictions."""

import warnings

import numpy as np
import pytest

import hjsym
from hjsym.errors import UnsupportedLayerError
from hjsym.layers import Sigmoid, Softmax
from tropical import Box
from tropical.errors import InputError

pytest.importorskip("sklearn")
from sklearn import linear_model, svm
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_regression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

R = np.random.default_rng(13)
X = R.normal(size=(80, 4)) * [1, 5, 0.1, 2] + [0, 3, -1, 10]
FAR = R.normal(size=(40, 4)) * 20  # outside of what was fitted, where clipping shows
NUMBER = X @ [1, -2, 3, 0.5] + abs(X[:, 0])
TWO = (X[:, 0] + X[:, 1] > 3).astype(int)
THREE = TWO + (X[:, 3] > 10)


def fit(estimator, target):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # weights are all that is wanted
        return estimator.fit(X, target)


def close(got, expected):
    np.testing.assert_allclose(got, np.reshape(expected, np.shape(got)), rtol=1e-11, atol=1e-11)


SCALERS = [
    StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False), MinMaxScaler(),
    MinMaxScaler((-2, 0.5), clip=True), MaxAbsScaler(), RobustScaler(), RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False), PCA(2), PCA(3, whiten=True), TruncatedSVD(2), SelectKBest(f_regression, k=2),
    VarianceThreshold(0.5), "passthrough",
]  # fmt: skip


@pytest.mark.parametrize("scaler", SCALERS, ids=lambda scaler: str(scaler).partition(", score_func")[0])
def test_steps_before_a_perceptron(scaler):
    pipeline = make_pipeline(scaler, MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0))
    fitted = fit(pipeline, NUMBER)
    close(hjsym.load(fitted)(FAR), fitted.predict(FAR))
    close(hjsym.compile(fitted)(FAR), fitted.predict(FAR))
    if scaler != "passthrough":
        step = fitted.steps[0][1]
        close(hjsym.load(step)(FAR), step.transform(FAR))


def test_a_classifier_behind_two_scalers():
    perceptron = MLPClassifier(hidden_layer_sizes=(6, 4), max_iter=5, random_state=0)
    pipeline = fit(make_pipeline(StandardScaler(), MinMaxScaler(), perceptron), THREE)
    network = hjsym.load(pipeline)
    assert isinstance(network.head, Softmax)
    close(network(X), pipeline.predict_proba(X))
    folded = network.fold()
    assert [str(node.layer).split()[0] for node in folded.nodes] == [
        "Affine",
        "Relu",
        "Affine",
        "Relu",
        "Affine",
        "Softmax",
    ]
    close(folded(X), pipeline.predict_proba(X))
    small = hjsym.simplify_network(pipeline, Box(X.min(axis=0), X.max(axis=0)))
    assert small.proof.check()
    close(small.network(X), pipeline.predict_proba(X))


REGRESSORS = [
    linear_model.LinearRegression(), linear_model.LinearRegression(fit_intercept=False), linear_model.Ridge(),
    linear_model.Lasso(0.1), linear_model.ElasticNet(0.1), linear_model.BayesianRidge(), linear_model.Lars(),
    linear_model.HuberRegressor(), linear_model.SGDRegressor(max_iter=5, random_state=0), svm.LinearSVR(max_iter=50),
]  # fmt: skip


@pytest.mark.parametrize("estimator", REGRESSORS, ids=str)
def test_linear_regressors(estimator):
    fitted = fit(estimator, NUMBER)
    close(hjsym.load(fitted)(FAR), fitted.predict(FAR))


def test_several_targets():
    fitted = fit(linear_model.LinearRegression(), np.stack([NUMBER, X[:, 2]], axis=1))
    close(hjsym.load(fitted)(FAR), fitted.predict(FAR))


CLASSIFIERS = [
    linear_model.RidgeClassifier(), linear_model.Perceptron(), linear_model.SGDClassifier(random_state=0),
    svm.LinearSVC(max_iter=50),
]  # fmt: skip


@pytest.mark.parametrize("target", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=str)
def test_linear_classifiers(estimator, target):
    fitted = fit(estimator, target)
    network = hjsym.load(fitted)
    assert network.head is None
    close(network(X), fitted.decision_function(X))


@pytest.mark.parametrize("target, head", [(TWO, Sigmoid), (THREE, Softmax)], ids=["two", "three"])
@pytest.mark.parametrize(
    "estimator", [linear_model.LogisticRegression(max_iter=20), LinearDiscriminantAnalysis()], ids=str
)
def test_probabilities(estimator, target, head):
    fitted = fit(make_pipeline(StandardScaler(), estimator), target)
    network = hjsym.load(fitted)
    assert isinstance(network.head, head)
    probabilities = fitted.predict_proba(X)
    close(network(X), probabilities[:, 1:] if head is Sigmoid else probabilities)
    close(hjsym.compile(fitted)(X), fitted.decision_function(X))


def test_a_model_for_each_class_has_no_head():
    fitted = fit(linear_model.LogisticRegression(solver="liblinear"), TWO)
    assert isinstance(hjsym.load(fitted).head, Sigmoid)
    fitted = fit(linear_model.LogisticRegression(max_iter=20), THREE)
    fitted.multi_class = "ovr"  # as releases before 1.8 have it
    network = hjsym.load(fitted)
    assert network.head is None
    close(network(X), fitted.decision_function(X))


REFUSED = [
    (Normalizer(), "Normalizer is not an affine map"),
    (PolynomialFeatures(2), "PolynomialFeatures is not an affine map"),
    (DecisionTreeRegressor(), "DecisionTreeRegressor is not an affine map"),
    (linear_model.PoissonRegressor(), "PoissonRegressor is not an affine map"),
]


@pytest.mark.parametrize("step, message", REFUSED, ids=str)
def test_refused(step, message):
    fitted = fit(step, abs(NUMBER))
    with pytest.raises(UnsupportedLayerError, match=message):
        hjsym.load(fitted)
    if hasattr(step, "transform"):
        with pytest.raises(UnsupportedLayerError, match=message):
            hjsym.load(fit(make_pipeline(step, linear_model.Ridge()), NUMBER))


@pytest.mark.parametrize(
    "step", [StandardScaler(), MinMaxScaler(), PCA(), linear_model.Ridge(), MLPRegressor()], ids=str
)
def test_not_fitted(step):
    with pytest.raises(InputError, match="is not fitted; call fit first"):
        hjsym.load(step)
    with pytest.raises(InputError, match="is not fitted; call fit first"):
        hjsym.load(Pipeline([("step", step)]))


def test_a_pipeline_of_nothing():
    with pytest.raises(InputError, match="no steps but passthrough"):
        hjsym.load(Pipeline([("step", "passthrough")]))

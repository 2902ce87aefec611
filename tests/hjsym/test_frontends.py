"""Readers of lists and scikit-learn models against those models; what they refuse; documentation examples."""

import doctest
import importlib
import pkgutil
import sys
import warnings

import numpy as np
import pytest

import hjsym
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.layers import Sigmoid, Softmax
from hjsym.network import Network
from tropical.errors import InputError, ShapeError

sklearn = pytest.importorskip("sklearn")
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402

X = np.random.default_rng(7).normal(size=(60, 3))
RING = (np.hypot(X[:, 0], X[:, 1]) > 1.1).astype(int)
TARGETS = {
    "binary": RING,
    "classes": RING + 2 * (X[:, 2] > 0.3),
    "labels": np.stack([RING, X[:, 2] > 0], axis=1).astype(int),
    "number": X[:, 0] * X[:, 1],
    "vector": np.stack([X[:, 0] * X[:, 1], abs(X[:, 2])], axis=1),
}


def _fit(make, target, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few steps are enough to have weights
        return make(hidden_layer_sizes=(5, 4), max_iter=8, random_state=0, **options).fit(X, TARGETS[target])


# ---- scikit-learn ------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("target, head", [("binary", Sigmoid), ("classes", Softmax), ("labels", Sigmoid)])
def test_classifier(activation, target, head):
    fitted = _fit(MLPClassifier, target, activation=activation)
    network = hjsym.load(fitted)
    assert isinstance(network.head, head)
    expected = fitted.predict_proba(X)
    expected = expected[:, 1:] if target == "binary" else expected
    np.testing.assert_allclose(network(X), expected, rtol=1e-12)
    f = hjsym.compile(fitted)
    assert isinstance(f.head, head)
    np.testing.assert_allclose(f.head(f(X)), expected, rtol=1e-12)


def test_classifier_scores_decide_the_class():
    fitted = _fit(MLPClassifier, "classes")
    scores = hjsym.compile(fitted)(X)
    assert fitted.classes_[scores.argmax(axis=1)].tolist() == fitted.predict(X).tolist()


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("target", ["number", "vector"])
def test_regressor(activation, target):
    fitted = _fit(MLPRegressor, target, activation=activation)
    network = hjsym.load(fitted)
    assert network.head is None
    expected = fitted.predict(X).reshape(len(X), -1)
    np.testing.assert_allclose(network(X), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(hjsym.compile(fitted)(X), expected, rtol=1e-12, atol=1e-13)


def test_classes_derived_from_an_mlp():
    class Mine(MLPRegressor):
        pass

    fitted = _fit(Mine, "number")
    np.testing.assert_allclose(hjsym.load(fitted)(X)[:, 0], fitted.predict(X), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_curved_activations_are_refused(activation):
    with pytest.raises(UnsupportedLayerError, match=f"'{activation}' of MLPClassifier"):
        hjsym.load(_fit(MLPClassifier, "binary", activation=activation))


@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_unfitted(make):
    with pytest.raises(InputError, match=f"{make.__name__} is not fitted"):
        hjsym.load(make())


# ---- lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", [list, tuple])
def test_list_of_arrays(container):
    first, last = ([[1, -1], [2, 0], [0, 1]], [0, -1, 0.5]), (np.array([[1.0, 2.0, -1.0]]), np.array([3.0]))
    network = hjsym.load(container([first, last]))
    for x, y in [(1.0, 2.0), (-1.0, 0.5), (3.0, -2.0)]:
        expected = max(x - y, 0) + 2 * max(2 * x - 1, 0) - max(y + 0.5, 0) + 3
        assert network([x, y]).tolist() == [expected]


def test_network_is_taken_as_it_is():
    network = hjsym.load([([[1.0]], [0.0])])
    assert hjsym.load(network) is network


def test_one_pair_is_affine():
    assert hjsym.load([([[2.0]], [1.0])])([-3.0]).tolist() == [-5.0]


LISTS = [
    ([], InputError, "empty list"),
    ([([[1.0]], [0.0]), np.eye(2)], InputError, "entry 1 of the list is a ndarray"),
    ([([[1.0]],)], InputError, "entry 0 of the list is a tuple"),
    ([([[1.0], [2.0, 3.0]], [0.0, 0.0])], ShapeError, "weight is ragged"),
    ([([[1.0]], [[0.0], [1.0, 2.0]])], ShapeError, "bias is ragged"),
    ([([[1.0, 2.0], [3.0, float("nan")]], [0.0, 0.0])], InputError, r"weight\[1, 1\] is nan"),
    ([([[1.0, 2.0]], [float("inf")])], InputError, r"bias\[0\] is inf"),
    ([([["a"]], [0.0])], InputError, "weight has dtype"),
    ([([[1j]], [0.0])], InputError, "weight has dtype complex128"),
    ([([[None]], [0.0])], InputError, "NoneType"),
    ([([[1.0, 2.0]], [0.0]), ([[1.0, 2.0]], [0.0])], ShapeError, "layer 2"),
]


@pytest.mark.parametrize("source, error, message", LISTS)
def test_wrong_lists(source, error, message):
    with pytest.raises(error, match=message):
        hjsym.load(source)


@pytest.mark.parametrize("source", [None, 3, b"model.onnx", np.eye(2), {"W": 1}, Network, hjsym.load])
def test_wrong_objects(source):
    with pytest.raises(
        UnsupportedLayerError, match=r"cannot read a network from \S*" + type(source).__name__
    ):
        hjsym.load(source)


def test_wrong_paths(tmp_path):
    with pytest.raises(ModelFileError, match=r"net\.h5 is neither \.onnx nor \.npz"):
        hjsym.load(tmp_path / "net.h5")
    for name in ("missing.onnx", "missing.npz"):
        with pytest.raises(ModelFileError, match=f"{name} is not a file"):
            hjsym.load(str(tmp_path / name))


def test_live_onnx_model(model):
    live = model("Gemm x W -> y", {"W": np.arange(6.0).reshape(3, 2)})
    assert hjsym.load(live)([1.0, 2.0, 3.0]).tolist() == [16.0, 22.0]
    with pytest.raises(UnsupportedLayerError, match="GraphProto"):
        hjsym.load(live.graph)


def test_npz_file(tmp_path):
    np.savez(tmp_path / "layer.npz", W=[[1.0, 2.0], [0.0, -1.0]], b=[0.5, 0.0], eps=0.5)
    expected = 0.5 * np.logaddexp((1 + 2 * 3 + 0.5) / 0.5, -3 / 0.5)
    np.testing.assert_allclose(hjsym.load(tmp_path / "layer.npz")([1.0, 3.0]), [expected], rtol=1e-15)


# ---- documentation -----------------------------------------------------------------------------------

MODULES = ["hjsym", *(m.name for m in pkgutil.walk_packages(hjsym.__path__, "hjsym."))]


NEEDS = {
    "hjsym.notebook": "ipywidgets",
    "hjsym.reports.pretty": "rich",
    "hjsym.scaling.dimension": "skdim",  # which the tests of frameworks install
}


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_documentation_examples(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    importlib.import_module(name)
    assert doctest.testmod(sys.modules[name]).failed == 0  # hjsym.compile, the attribute, is the function


def test_some_documentation_examples_ran():
    for name in ("hjsym.compile", "hjsym.network", "hjsym.symbols", "hjsym.frontends"):
        importlib.import_module(name)
        assert doctest.testmod(sys.modules[name]).attempted > 0

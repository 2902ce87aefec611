"""What people do with objects before they read anything: print, copy, pickle, mistype a name, pass NaN."""

import copy
import pickle
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest

import hjsym
import tropical
from hjsym.hopf import LSELayer
from tropical._display import short
from tropical.sparse import SparseMatrix

x, y = tropical.variables(2)
LAYER = LSELayer(np.linspace(-1, 1, 80).reshape(40, 2), np.zeros(40), eps=0.5)
NETWORK = [(np.arange(64.0).reshape(32, 2) - 30, np.ones(32)), (np.ones((1, 32)), np.array([0.1]))]
f = hjsym.compile(NETWORK)

OBJECTS = {
    "polynomial": lambda: x + y + 0,
    "soft polynomial": lambda: (x + y + 0).deform(0.5),
    "map": lambda: tropical.PolynomialMap([x + y, x * y + 1]),
    "sparse matrix": lambda: SparseMatrix((2, 3), [0, 1, 1], [2, 0, 2], [5.0, 1.0, -1.0]),
    "rational": lambda: (x + y) / (x + 0),
    "circuit": lambda: tropical.Circuit.identity(2).affine([[1, 2], [3, 4]]) + 0,
    "network": lambda: f.network,
    "compiled": lambda: hjsym.compile(NETWORK),
    "layer": lambda: LAYER,
    "kernel gauge": lambda: LAYER.kernel(),
    "landscape": lambda: hjsym.EntropyLandscape.of(LAYER),
    "system": lambda: hjsym.hamiltonian(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5)),
    "square": lambda: hjsym.diagram(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5)),
    "attribution": lambda: hjsym.attribute(LAYER, [0.3, 0.1]),
    "certificate": lambda: hjsym.certify(LAYER, [0.3, 0.1]),
    "smoothness": lambda: hjsym.smoothness(LAYER),
    "Lipschitz": lambda: hjsym.lipschitz(f),
    "convexity": lambda: hjsym.is_convex([(NETWORK[0][0], NETWORK[0][1]), (-NETWORK[1][0], NETWORK[1][1])]),
    "extremum": lambda: hjsym.maximize(f, tropical.Box(-1, 1.1)),
    "regions": lambda: tropical.linear_regions(x + y + 0),
    "critical points": lambda: hjsym.critical_points(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5), 0.3),
    "extremal": lambda: hjsym.pontryagin(f.network, [1.0, 2.0], [1.0]),
}
VALUES = {"polynomial", "soft polynomial", "map", "rational", "circuit", "network", "compiled", "layer"}


USES = {
    "sparse matrix": lambda o: o @ np.array([1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_printed_in_one_line(name):
    text = repr(OBJECTS[name]())
    assert len(text) < 280 and "\n" not in text


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
@pytest.mark.parametrize("name", OBJECTS)
def test_copied_and_pickled_after_use(name, again):
    """Compiled tables that evaluation leaves behind stay behind."""
    thing = OBJECTS[name]()
    points = np.array([[0.3, -1.2], [2.0, 0.5]])
    use = USES.get(name, lambda o: o(points) if name in VALUES else 0)
    values = use(thing)
    found = again(thing)
    assert repr(found) == repr(thing)
    np.testing.assert_array_equal(use(found), values)


@pytest.mark.parametrize(
    "value, text",
    [
        (Fraction(3, 2), "3/2"),
        (Fraction(10**30, 3**40), "≈8.22526e+10"),
        (Fraction(10**400, 3), "≈∞"),
        (np.float64(1.25), "1.25"),
        (np.bool_(True), "True"),
        (np.array([Fraction(1, 3), Fraction(2)]), "[1/3, 2]"),
        (np.zeros((3, 4)), "<3×4 float64>"),
        ((1, "a", None), "(1, 'a', None)"),
        (list(range(100)), "<100 of int>"),
    ],
)
def test_short_text(value, text):
    assert short(value) == text


def test_points_that_are_not_finite_spoil_their_own_rows_only():
    points = np.array([[1.0, 2.0], [np.nan, 0.0], [np.inf, 1.0], [-np.inf, np.inf]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thing in (f, OBJECTS["circuit"]()):
            slope, intercept = thing.affine_at(points)
            gradient = thing.gradient(points)
            assert np.isnan(thing(points)[1]).all()
            for found in (slope, intercept, gradient):
                assert np.isnan(found[1:]).all()
                np.testing.assert_array_equal(found[0], found[0])
            np.testing.assert_array_equal(slope[0], thing.affine_at(points[0])[0])
        assert np.isnan(((x + y) / (x + 0))(points[2:3])).all()


@pytest.mark.parametrize("package", [tropical, hjsym])
def test_a_misspelt_name_carries_what_suggestions_need(package):
    with pytest.raises(AttributeError) as caught:
        _ = package.maximzie
    assert caught.value.name == "maximzie" and caught.value.obj is package


def test_run_as_a_module():
    found = subprocess.run(
        [sys.executable, "-P", "-m", "hjsym", "--help"], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("usage: hjsym")


@pytest.mark.parametrize("suffix, framework", [(".pt", "torch"), (".keras", "Keras"), (".pkl", "pickle")])
def test_files_that_run_code_are_named(suffix, framework):
    with pytest.raises(hjsym.ModelFileError, match=f"of {framework}.*export it to .onnx"):
        hjsym.load(f"model{suffix}")


def test_what_means_nothing_is_refused():
    with pytest.raises(tropical.InputError, match="eps means nothing for relu"):
        hjsym.hamiltonian("relu", eps=2)
    with pytest.raises(tropical.InputError, match="eps is 'a'"):
        tropical.Semiring(eps="a")
    with pytest.raises(tropical.InputError, match="entry 0 of the list is a tuple of 3"):
        hjsym.load([(np.ones((2, 2)), np.ones(2), np.ones(2))])
    with pytest.raises(tropical.InputError, match="on one line"):
        hjsym.plot_slice(NETWORK, [[0, 0], [1, 1], [2, 2]])
    for d in (-1, 2.5, "xy"):
        with pytest.raises(tropical.InputError, match="whole number"):
            tropical.variables(d)
    with pytest.raises(IndexError, match="region 3 of 3"):
        tropical.linear_regions(x + y + 0)[3]


def test_bounds_in_many_dimensions_do_not_wait_for_cells():
    """Where cells have too many corners the search ends at the first, instead of leaving out one by one."""
    rng = np.random.default_rng(0)
    wide = [(rng.normal(size=(60, 20)), rng.normal(size=60)), (rng.normal(size=(2, 60)), np.zeros(2))]
    found = hjsym.lipschitz(wide)
    assert not found.exact and 0 < found.lower <= found.upper < np.inf
    with pytest.raises(tropical.BudgetExceeded, match="corners"):
        hjsym.equivalent(wide, [(2 * wide[0][0], 2 * wide[0][1]), (wide[1][0] / 2, wide[1][1])])

"""Diagrams over temperature: every fold and pitchfork, counts against searches, merge trees, executors, pictures."""

import doctest
import pickle
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import hjsym.bifurcation
from hjsym import EntropyLandscape, critical_points
from hjsym.bifurcation import (
    bifurcation_diagram,
    draw_counts,
    draw_diagram,
    draw_landscape,
    merge_tree,
    sweep,
)
from tropical import InputError, ShapeError, Slice
from tropical.errors import WorkerError

ROOT = Path(__file__).resolve().parents[2]
LINE = EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
THREE = EntropyLandscape.of_atoms([-1.0, 0.0, 1.0])


def clusters(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(-1, 0.4, size=(8, 2)), rng.normal(1, 0.4, size=(8, 2))])


@pytest.fixture(scope="module")
def line():
    return bifurcation_diagram(LINE, (0.05, 2.0))


@pytest.fixture(scope="module")
def plane():
    return bifurcation_diagram(EntropyLandscape.of_atoms(clusters(0)), (0.2, 2.0), (-4.0, 4.0), levels=4)


def test_the_line(line):
    assert line.confirmed and not line.pitchforks and len(line.folds) == 4
    assert [f.eps for f in line.folds][::3] == pytest.approx([0.32551819104949, 0.51015823343836], abs=1e-13)
    for f in line.folds:
        values = LINE.natural_gradient(f.x[None], f.eps)
        assert abs(values.value[0, 0]) < 1e-13 and abs(values.jacobian[0, 0]) < 1e-11
        assert abs(f.H_vvv) > 0.1 and abs(f.H_v_eps) > 0.1 and f.residual < 1e-12
    for eps in np.geomspace(0.051, 1.9, 23):
        x, index = line.at(eps)
        found = critical_points(LINE, eps)
        order = np.argsort(x[:, 0])
        assert index[order].tolist() == found.indices.tolist()
        np.testing.assert_allclose(x[order], found.x, atol=0.02)


@pytest.mark.parametrize("c", [0.1, 7.0])
def test_diagrams_scale(line, c):
    """y → cy multiplies every temperature by c²; ε* = N^{−1/d} stays where it is."""
    scaled = bifurcation_diagram(EntropyLandscape.of_atoms(c * LINE.W), (0.05 * c * c, 2 * c * c), levels=4)
    assert [f.eps / c**2 for f in scaled.folds] == pytest.approx([f.eps for f in line.folds], rel=1e-10)


def test_pitchforks():
    diagram = bifurcation_diagram(THREE, (0.02, 2.0))
    assert diagram.confirmed and not diagram.folds
    assert [p.eps for p in diagram.pitchforks] == pytest.approx([0.34175053197388], abs=1e-13)
    five = bifurcation_diagram(EntropyLandscape.of_atoms([-2.0, -1, 0, 1, 2]), (0.02, 2.0))
    assert (len(five.folds), len(five.pitchforks), five.confirmed) == (2, 1, True)
    assert five.folds[0].eps == pytest.approx(five.folds[1].eps, rel=1e-12)
    np.testing.assert_allclose(five.folds[0].x, -five.folds[1].x, rtol=1e-9)


def test_a_broken_symmetry_turns_the_pitchfork_into_a_fold():
    diagram = bifurcation_diagram(EntropyLandscape.of_atoms([-1.0, 0.001, 1.0]), (0.02, 2.0))
    assert [b.kind for b in diagram.bifurcations] == ["fold"] and diagram.confirmed
    assert diagram.folds[0].eps == pytest.approx(0.3417, abs=0.01)


def test_a_pitchfork_in_the_plane():
    """A kite, symmetric about the second axis alone: the null direction lies across."""
    H = EntropyLandscape.of_atoms([[-1.0, 0], [0, 0.1], [1, 0], [0, 3.0]])
    diagram = bifurcation_diagram(H, (0.25, 1.0), levels=3)
    assert diagram.confirmed
    for p in diagram.pitchforks:
        assert abs(p.x[0]) < 1e-9 and abs(p.v[0]) == pytest.approx(1)
        assert len(critical_points(H, p.eps * 0.999)) - len(critical_points(H, p.eps * 1.001)) == 2
        assert p.opens == "cold"
    assert diagram.pitchforks


def test_the_plane(plane):
    assert plane.confirmed and len(plane.folds) >= 4
    for f in plane.folds:
        spectrum = np.sort(
            np.abs(np.linalg.eigvals(plane.landscape.natural_gradient(f.x[None], f.eps).jacobian[0]))
        )
        assert spectrum[0] < 1e-9 * (1 + spectrum[1]) and f.opens == "cold"
    coldest = plane.folds[0].eps
    assert plane.count(coldest * 0.999) == plane.count(coldest * 1.001) + 2
    for branch in plane.branches:
        residual = plane.landscape.natural_gradient(branch.x, branch.eps).value
        assert np.abs(residual).max() < 1e-8
        assert len(branch.events) == np.abs(np.diff(branch.index)).sum()


def test_slices_of_space():
    y = np.random.default_rng(3).normal(size=(6, 3))
    diagram = bifurcation_diagram(EntropyLandscape.of_atoms(y), (0.1, 2.0), Slice(y[0], [y[1] - y[0]]))
    assert diagram.confirmed and diagram.landscape.variables == 1


# ---- merge trees -----------------------------------------------------------------------------------


def test_maxima_merge_into_one(line):
    tree = line.merge_tree("maxima")
    assert nx.is_forest(tree.to_undirected()) and len(tree) == 5 and tree.number_of_edges() == 4
    (root,) = (k for k in tree if tree.out_degree(k) == 0)
    assert tree.nodes[root]["death"] is None
    for a, b, data in tree.edges(data=True):
        assert data["eps"] == tree.nodes[a]["death"] and data["kind"] == "fold"
        assert tree.nodes[b]["death"] is None or tree.nodes[b]["death"] > data["eps"]


def test_minima_are_basins_of_atoms(line):
    tree = merge_tree(line)
    inner = [k for k in tree if not isinstance(k, tuple)]
    assert sorted(tree.nodes[k]["atom"] for k in inner) == [1, 2, 3, 4]
    assert all(tree.out_degree(k) == 1 for k in inner)
    assert {k for k in tree if isinstance(k, tuple)} <= {("outside", 0), ("outside", 5)}


def test_a_basin_divides_at_a_pitchfork():
    diagram = bifurcation_diagram(THREE, (0.02, 2.0))
    tree = diagram.merge_tree()
    assert set(tree.edges) == {(0, ("outside", 0)), (0, ("outside", 2))}
    maxima = diagram.merge_tree("maxima")
    assert sorted(d for _, d in maxima.out_degree()) == [0, 1, 1]


def test_basins_of_the_plane(plane):
    tree = plane.merge_tree("maxima")
    born_cold = [k for k in tree if not isinstance(k, tuple) and tree.nodes[k]["birth"] == 0.2]
    assert len(born_cold) == len(plane.levels[0].of_kind("maximum"))
    assert nx.is_directed_acyclic_graph(tree) and max(d for _, d in tree.out_degree()) == 1


# ---- sweeps, executors, pictures ----------------------------------------------------------------------


class Eager:
    """Runs what is submitted at once, through pickles, as another process would."""

    def submit(self, task, *args, **options):
        future = Future()
        future.set_result(pickle.loads(pickle.dumps(task(*pickle.loads(pickle.dumps(args)), **options))))
        return future


class Broken:
    def submit(self, task, *args, **options):
        future = Future()
        future.set_exception(BrokenProcessPool("killed"))
        return future

    def shutdown(self, wait, cancel_futures):
        pass


def test_executors_change_nothing():
    eps = [0.1, 0.35, 0.5, 0.51, 1.0]
    alone = sweep(LINE, eps)
    assert [len(level) for level in alone] == [9, 7, 5, 3, 1]
    with ThreadPoolExecutor(2) as pool:
        for executor in (Eager(), pool):
            done = []
            levels = sweep(LINE, eps, executor=executor, progress=done.append)
            assert done == [1, 2, 3, 4, 5]
            for a, b in zip(alone, levels, strict=True):
                assert (a.x == b.x).all() and a.degree == b.degree
    with pytest.warns(RuntimeWarning, match="a worker of Broken ended"):
        levels = sweep(LINE, eps, executor=Broken())
    assert [len(level) for level in levels] == [9, 7, 5, 3, 1]
    with pytest.raises(WorkerError, match="3 Brokens broke one after another"):
        sweep(LINE, eps, executor=lambda: Broken())


@pytest.mark.slow
def test_processes():
    with ProcessPoolExecutor(2) as pool:
        levels = sweep(LINE, [0.1, 0.35], executor=pool)
        diagram = bifurcation_diagram(THREE, (0.1, 1.0), executor=pool)
    assert [len(level) for level in levels] == [9, 7] and len(diagram.pitchforks) == 1


@pytest.mark.slow
def test_counts_of_the_paper_row():
    """Two clusters ∓(1, 1), sd 0.4, N = 16, each third of the paper's 120 temperatures, everywhere in the plane: all
    confirmed, falling, and one in the heat."""
    levels = sweep(EntropyLandscape.of_atoms(clusters(0)), np.logspace(-2, 0.8, 120)[::3])
    assert all(level.confirmed and level.degree == 1 for level in levels)
    counts = np.array([len(level) for level in levels])
    assert counts[0] > 50 and (counts[-13:] == 1).all() and (np.diff(counts) <= 0).all()


def test_progress():
    done = []
    bifurcation_diagram(THREE, (0.1, 1.0), levels=4, progress=done.append)
    assert done == list(range(1, 9))


def test_pictures(line, plane, tmp_path):
    pytest.importorskip("matplotlib")
    ax = draw_diagram(line)
    assert {t.get_text() for t in ax.get_legend().get_texts()} == {"fold (4)", "minimum", "maximum"}
    curves = [item for item in ax.lines if len(item.get_xydata()) > 2 and item.get_linestyle() == "-"]
    assert len(curves) == 9  # of one index each
    ax.figure.savefig(tmp_path / "line.png")
    plane.plot(coordinate=1).figure.savefig(tmp_path / "plane.png")
    ax = draw_landscape(plane.landscape, 0.3, (-4.0, 4.0), resolution=20)
    found = critical_points(plane.landscape, 0.3, (-4.0, 4.0))
    offsets = np.vstack([c.get_offsets() for c in ax.collections[1:]])
    np.testing.assert_allclose(sorted(offsets.tolist()), found.x)
    ax.figure.savefig(tmp_path / "landscape.png")
    ax = draw_counts(sweep(LINE, [0.5, 0.1, 1.0]))
    assert ax.lines[0].get_ydata().tolist() == [9, 5, 1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bifurcation_diagram(LINE, (1.0, 0.1)), InputError, "cold < hot"),
        (lambda: bifurcation_diagram(LINE, (0.0, 0.1)), InputError, "temperature"),
        (lambda: bifurcation_diagram(LINE, (0.1, 1.0), levels=1), InputError, "two levels"),
        (lambda: sweep(LINE, 0.1), ShapeError, "list of temperatures"),
        (lambda: sweep(LINE, [0.1, -1.0]), InputError, "temperature"),
        (lambda: sweep(LINE, [0.1], progress=3), InputError, "progress"),
        (lambda: merge_tree(bifurcation_diagram(THREE, (0.5, 1.0)), "saddles"), InputError, "minima"),
    ],
)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_page():
    pytest.importorskip("matplotlib")
    pytest.importorskip("flint")
    result = doctest.testfile(str(ROOT / "docs" / "bifurcation.md"), module_relative=False)
    assert result.attempted > 15 and result.failed == 0


def test_public_names_have_docstrings():
    for name in hjsym.bifurcation.__all__:
        assert getattr(hjsym.bifurcation, name).__doc__, name

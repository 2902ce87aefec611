"""Critical points of the entropy and their bifurcations: golden digits, degrees, Delaunay in the cold, symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from hjsym import EntropyLandscape, critical_points
from hjsym.bifurcation import branch_point, fold, follow
from tropical import Box, InputError, Slice
from tropical.errors import DivergenceError

LINE = [-2.6, -1.5, -0.4, 0.7, 1.7, 2.7]  # of arXiv:2605.28983, with logits −(x − y)²/2
FOLDS = [0.32551819104949, 0.51015823343836]  # the first and the last, by 30-digit arithmetic
PITCHFORK = 0.34175053197388  # of y = −1, 0, 1


def line() -> EntropyLandscape:
    return EntropyLandscape.of_atoms(LINE)


def clusters(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(-1, 0.4, size=(8, 2)), rng.normal(1, 0.4, size=(8, 2))])


# ---- one variable ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eps", "count"),
    [(1e-3, 9), (0.01, 9), (0.3, 9), (0.33, 7), (0.4, 5), (0.5, 5), (0.51, 3), (0.52, 1), (10, 1), (1e3, 1)],
)
def test_counts_on_the_line(eps, count):
    found = critical_points(line(), eps)
    assert len(found) == count and found.confirmed and found.degree == -1
    assert [p.kind for p in found] == ["maximum", "minimum"] * (count // 2) + ["maximum"]


@pytest.mark.parametrize("offset", [1e-4, 1e-7, 1e-10, 1e-12])
def test_counts_close_to_a_fold(offset):
    before, after = (critical_points(line(), FOLDS[0] + s * offset) for s in (-1, 1))
    assert (len(before), len(after)) == (9, 7)
    merging = np.sort(np.abs(before.x[:, 0] - 1.8418211870037))[:2]
    np.testing.assert_allclose(
        merging, np.sqrt(2 * offset * 2.065440 / 4.325887), rtol=0.02 + 1e-8 / offset**0.5
    )


def test_golden_folds():
    first = fold(line(), 1.84, 0.325)
    assert first.eps == pytest.approx(FOLDS[0], abs=1e-13)
    assert first.x == pytest.approx([1.8418211870037], abs=1e-12)
    assert (first.H_vvv, first.H_v_eps) == pytest.approx((-4.325887, -2.065440), abs=5e-7)
    last = fold(line(), 0.57, 0.51)
    assert last.eps == pytest.approx(FOLDS[1], abs=1e-13)
    assert (first.opens, last.opens, first.index) == ("cold", "cold", 0)


@given(c=st.floats(0.01, 100), shift=st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_folds_scale_with_the_square(c, shift):
    """y → cy + a takes x to cx + a and ε to c²ε."""
    f = fold(EntropyLandscape.of_atoms(c * np.array(LINE) + shift), c * 1.8418 + shift, c * c * 0.3255)
    assert f.eps == pytest.approx(c * c * FOLDS[0], rel=1e-9)
    assert f.x == pytest.approx([c * 1.8418211870037 + shift], rel=1e-7)


def test_golden_pitchfork():
    p = branch_point(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), 0.01, 0.33)
    assert p.kind == "pitchfork" and p.eps == pytest.approx(PITCHFORK, abs=1e-13)
    assert abs(p.H_vvv) < 1e-12 > abs(p.H_v_eps) and p.opens == "cold"
    assert p.H_vvvv < 0 > p.H_vv_eps
    below, above = (
        critical_points(EntropyLandscape.of_atoms([-1.0, 0, 1]), PITCHFORK + s * 1e-8) for s in (-1, 1)
    )
    assert (len(below), len(above)) == (3, 1)
    amplitude = np.sqrt(6e-8 * p.H_vv_eps / p.H_vvvv)
    assert below.x[:, 0] == pytest.approx([-amplitude, 0, amplitude], rel=1e-3, abs=1e-12)


def test_all_four_folds_by_continuation():
    H, seen = line(), []
    for p in critical_points(H, 0.1):
        branch = follow(H, p.x, 0.1, (0.1, 2.0))
        assert branch.end == "eps"
        np.testing.assert_allclose(
            [H.natural_gradient(x[None], e).value[0, 0] for x, e in zip(branch.x, branch.eps, strict=True)],
            0,
            atol=1e-9,
        )
        seen += [e.eps for e in branch.events if e.kind == "fold"]
    folds = np.unique(np.round(seen, 11))
    assert len(folds) == 4 and len(seen) == 8  # each from both of the points that meet there
    assert folds[[0, -1]] == pytest.approx(FOLDS, abs=1e-10)
    for below, above, count in zip(folds, [*folds[1:], 3.0], (7, 5, 3, 1), strict=True):
        assert len(critical_points(H, (below + above) / 2)) == count


@given(y=st.lists(st.floats(-3, 3), min_size=2, max_size=7), eps=st.floats(0.02, 5), g=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_signs_alternate_on_every_line(y, eps, g):
    """All critical points lie between the outermost ties; there is one more maximum than minima."""
    y = np.round(y, 2)
    if len(np.unique(y)) < 2:
        return
    H = EntropyLandscape.of_atoms(y, g * np.sin(np.arange(len(y))))
    found = critical_points(H, eps)
    assert found.degree == -1
    if found.confirmed:
        assert set(found.indices[::2]) == {1} and set(found.indices[1::2]) <= {0}
    dense = np.linspace(found.low[0], found.high[0], 3001)[:, None]
    changes = np.sign(H.natural_gradient(dense, eps).value[:, 0])
    assert len(found) >= np.abs(np.diff(changes[changes != 0])).sum() / 2
    assert len(critical_points(H, eps, (found.low - 50, found.high + 50))) == len(found)


def test_a_plateau_is_no_critical_point():
    """Here ∇H and ∇²H are exactly 0 in floats on most of the interval."""
    H = EntropyLandscape.of_atoms([0.0, 10.0])
    x = np.linspace(-4, 4, 100)[:, None]
    assert not H.gradient(x, 1e-3).any() and not H.hessian(x, 1e-3).any()
    found = critical_points(H, 1e-3, (-4, 14))
    assert [(p.kind, float(p.x[0])) for p in found] == [("maximum", 5.0)] and found.confirmed


# ---- the plane -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("eps", [0.002, 0.05, 0.3, 6.0])
def test_degree_in_the_plane(seed, eps):
    """Everywhere the indices add up to 1: maxima and minima less saddles."""
    found = critical_points(EntropyLandscape.of_atoms(clusters(seed)), eps)
    assert found.confirmed and found.degree == 1
    H = EntropyLandscape.of_atoms(clusters(seed))
    eigenvalues = np.linalg.eigvalsh(H.hessian(found.x, eps))
    firm = np.abs(eigenvalues).min(axis=1) > 1e-9 * np.abs(eigenvalues).max(axis=1)
    assert ((eigenvalues < 0).sum(axis=1) == found.indices)[firm].all()
    steep = np.linalg.norm(H.gradient(found.x, eps), axis=1)
    assert (steep <= 1e-11 * np.abs(eigenvalues).max(axis=1) * (1 + np.abs(found.x).max(axis=1))).all()


def test_cold_maxima_are_delaunay_circumcentres():
    """As ε → 0 maxima of the entropy are the vertices of the Voronoi diagram."""
    y = np.random.default_rng(5).uniform(-1, 1, size=(10, 2))
    found = critical_points(EntropyLandscape.of_atoms(y), 1e-5)
    centres = []
    for triangle in y[Delaunay(y).simplices]:
        edges = triangle[1:] - triangle[0]
        centres.append(triangle[0] + np.linalg.solve(2 * edges, (edges**2).sum(axis=1)))
    maxima = np.array([p.x for p in found.of_kind("maximum")])
    assert found.confirmed and len(maxima) == len(centres)
    apart = np.linalg.norm(maxima[:, None] - np.array(centres), axis=2)
    assert (apart.min(axis=0) < 1e-9 * (1 + np.linalg.norm(centres, axis=1))).all()


def test_a_box_hides_points():
    H = EntropyLandscape.of_atoms(clusters(0))
    everywhere, boxed = critical_points(H, 0.05), critical_points(H, 0.05, Box(-2.5, 2.5))
    assert len(everywhere) > len(boxed) == sum(np.abs(p.x).max() <= 2.5 for p in everywhere)
    assert boxed.confirmed and boxed.degree == boxed.index_sum


def test_square_symmetry():
    """The four corners of a square: one maximum in the middle while hot."""
    H = EntropyLandscape.of_atoms([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    found = critical_points(H, 1.0)
    assert len(found) == 1 and found[0].kind == "maximum"
    np.testing.assert_allclose(found[0].x, 0, atol=1e-12)


def test_folds_in_the_plane():
    """A fold solved in the plane, its numbers by differences, and counts on either side."""
    H = EntropyLandscape.of_atoms(clusters(0))
    branches = [follow(H, p.x, 0.3, (0.3, 3.0)) for p in critical_points(H, 0.3)]
    events = [e for b in branches for e in b.events]
    assert {e.kind for e in events} == {"fold"}
    f = max(events, key=lambda e: e.eps)
    assert len(critical_points(H, f.eps - 1e-4)) == len(critical_points(H, f.eps + 1e-4)) + 2
    values, vectors = np.linalg.eigh(H.hessian(f.x, f.eps))
    null = np.abs(values).argmin()
    assert abs(values[null]) < 1e-9 * np.abs(values).max()
    assert abs(vectors[:, null] @ f.v) == pytest.approx(1, abs=1e-9)
    h = 1e-4
    ends = [H.hessian(f.x + s * h * f.v, f.eps) for s in (1, -1)]
    assert f.H_vvv == pytest.approx(f.v @ (ends[0] - ends[1]) @ f.v / (2 * h), rel=1e-5)
    ends = [H.gradient(f.x, f.eps + s * h) for s in (1, -1)]
    assert f.H_v_eps == pytest.approx(f.v @ (ends[0] - ends[1]) / (2 * h), rel=1e-5)


def test_slices_of_space():
    """On a line through space the critical points are those of the restricted logits."""
    y = np.random.default_rng(2).normal(size=(7, 4))
    origin, direction = y[0], y[1] - y[0]
    cut = critical_points(EntropyLandscape.of_atoms(y), 0.2, Slice(origin, [direction], Box(-2, 3)))
    H = EntropyLandscape.of_atoms(y)
    for p in cut:
        assert H.gradient(origin + p.x[0] * direction, 0.2) @ direction == pytest.approx(0, abs=1e-9)
    values = H(origin + np.linspace(-2, 3, 4001)[:, None] * direction, 0.2)
    turns = np.abs(np.diff(np.sign(np.diff(values)))).sum() / 2
    assert len(cut) == turns and cut.confirmed
    plane = critical_points(EntropyLandscape.of_atoms(y), 0.5, Slice.through(y[:3]))
    assert plane.confirmed and plane.degree == 1


# ---- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda H: critical_points(H, 0.0), "temperature"),
        (lambda H: critical_points(H, np.inf), "temperature"),
        (lambda H: critical_points(H, 0.1, (3, 3)), "flat"),
        (lambda H: critical_points(H, 0.1, (0, np.inf)), "unbounded"),
        (lambda H: critical_points(H, 0.1, ([[1.0]], [1.0])), "polyhedron"),
        (lambda H: critical_points(EntropyLandscape.of_atoms(np.eye(4)[:, :3]), 0.1), "Slice"),
        (lambda H: follow(H, 0.1, 0.5, (0.1, 0.2)), "range"),
        (lambda H: follow(H, 0.1, 0.1, (0.1, 0.2), towards="up"), "towards"),
        (lambda H: fold(H, np.nan, 0.1), "finite"),
        (lambda H: fold(H, [0.0, 1.0], 0.1), "1 finite numbers"),
    ],
)
def test_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(line())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0], "two different slopes"),
        ([2.0, 2.0], "span 0 of 1"),
        ([[0.0, 0], [1, 1], [3, 3]], "span 1 of 2 dimensions.*constant along.*Slice across"),
        (np.array([[0.1, 0.3], [0.2, 0.6], [0.7, 2.1]]), "span 1 of 2"),
        ([[0.0, 1.0], [1.0, 0.0]], "span 1 of 2"),
    ],
)
def test_without_isolated_points(y, message):
    """Values and derivatives of H are there all the same."""
    H = EntropyLandscape.of_atoms(y)
    assert np.isfinite(H.hessian(np.zeros(H.variables), 0.5)).all()
    for call in (lambda: critical_points(H, 0.5), lambda: fold(H, np.zeros(H.variables), 0.5)):
        with pytest.raises(InputError, match=message):
            call()


def test_collinear_data_on_a_line_across():
    y = np.array([[0.0, 0], [1, 1], [3, 3]])
    cut = critical_points(EntropyLandscape.of_atoms(y), 0.1, Slice([0, 0], [[1, 1]]))
    assert cut.confirmed
    np.testing.assert_allclose(
        cut.x, critical_points(EntropyLandscape.of_atoms([0, 1, 3], weight=2.0), 0.1).x
    )


def test_images_on_a_slice():
    """Fewer atoms than dimensions, which is no matter on the slice."""
    y = np.random.default_rng(0).normal(size=(10, 64))
    found = critical_points(EntropyLandscape.of_atoms(y), 8.0, Slice.through(y[:3]))
    assert found.confirmed and found.degree == 1


@pytest.mark.parametrize("eps", [1e-300, 1e-30])
def test_too_cold_for_floats(eps):
    with pytest.raises(InputError, match="resolve"):
        critical_points(line(), eps)


def test_a_square_with_its_centre_has_a_multiple_point():
    H = EntropyLandscape.of_atoms([[1.0, 1], [1, -1], [-1, 1], [-1, -1], [0, 0]])
    p = branch_point(H, [0.0, 0.0], 0.57, [1.0, 0.0])
    assert p.kind == "multiple" and p.eps == pytest.approx(0.58213, abs=1e-5)
    assert (len(critical_points(H, 0.58)), len(critical_points(H, 0.59))) == (9, 1)


def test_no_fold_to_be_found():
    with pytest.raises(DivergenceError, match="fold"):
        fold(EntropyLandscape.of_atoms([0.0, 1.0]), 0.3, 0.5)

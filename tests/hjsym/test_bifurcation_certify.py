"""Proofs of the number of critical points: against the floats, and never where it is not so."""

import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hjsym import EntropyLandscape, critical_points
from hjsym.bifurcation import certify, fold
from tropical import InputError, Slice
from tropical.errors import BudgetExceeded

flint = pytest.importorskip("flint")

LINE = [-2.6, -1.5, -0.4, 0.7, 1.7, 2.7]


def plane(N: int = 6) -> EntropyLandscape:
    return EntropyLandscape.of_atoms(np.random.default_rng(4).normal(size=(N, 2)))


@pytest.mark.parametrize(
    ("eps", "count"),
    [(0.001, 9), (0.1, 9), (0.3255, 9), (0.33, 7), (0.4, 5), (0.5, 5), (0.51, 3), (0.6, 1), (50, 1)],
)
def test_counts_on_the_line_are_proved(eps, count):
    """There are 5, not 11, at ε = ½."""
    proof = certify(EntropyLandscape.of_atoms(LINE), eps)
    assert proof.count == count and proof.indices.tolist() == [1, 0] * (count // 2) + [1]
    assert (proof.enclosures[:, 1] - proof.enclosures[:, 0]).max() < 1e-13
    found = critical_points(EntropyLandscape.of_atoms(LINE), eps).x
    np.testing.assert_allclose(proof.enclosures.mean(axis=1), found, atol=1e-12)


def test_enclosures_contain_the_exact_points():
    """By bisection with 60 digits of Cov(W, z), which shares nothing with the proof."""
    H, eps = EntropyLandscape.of_atoms(LINE), 0.3
    proof = certify(H, eps)

    def covariance(x):
        z = [mpmath.mpf(w) * x + mpmath.mpf(b) for w, b in zip(H.W[:, 0].tolist(), H.b.tolist(), strict=True)]
        e = [mpmath.exp(v / mpmath.mpf(eps)) for v in z]
        p = [v / mpmath.fsum(e) for v in e]
        mean = mpmath.fdot(p, z)
        return mpmath.fsum(q * w * (v - mean) for q, w, v in zip(p, H.W[:, 0].tolist(), z, strict=True))

    with mpmath.workdps(60):
        for low, high in proof.enclosures[:, :, 0].tolist():
            assert covariance(mpmath.mpf(low)) * covariance(mpmath.mpf(high)) < 0


def test_on_both_sides_of_a_fold():
    H = EntropyLandscape.of_atoms(LINE)
    f = fold(H, 1.84, 0.325)
    assert [certify(H, f.eps * (1 + s)).count for s in (-1e-9, 1e-9)] == [9, 7]


def test_close_to_a_pitchfork():
    """Three zeros within 10⁻⁶ of each other are told apart or left open, never miscounted."""
    H = EntropyLandscape.of_atoms([-1.0, 0.0, 1.0])
    for offset, count in ((-1e-8, 3), (1e-8, 1), (0, None)):
        proof = certify(H, 0.34175053197388 + offset, max_boxes=3000)
        assert proof.count in (count, None)
        if proof.count is None:
            assert (np.abs(proof.undecided).min(axis=1) < 1e-3).any()


@pytest.mark.parametrize("eps", [0.1, 0.3, 1.0])
def test_counts_in_a_box_of_the_plane(eps):
    H, box = plane(), (-2.0, 2.0)
    proof, found = certify(H, eps, box), critical_points(H, eps, box)
    assert proof.count == len(found) and proof.indices.tolist() == found.indices.tolist()
    assert ((found.x > proof.enclosures[:, 0] - 1e-9) & (found.x < proof.enclosures[:, 1] + 1e-9)).all()
    assert (1 - 2 * (proof.indices % 2)).sum() == found.degree


def test_the_whole_plane():
    H = EntropyLandscape.of_atoms([[0.0, 1.0], [1.0, -0.7], [-1.1, -0.6], [0.1, 0.2]])
    proof = certify(H, 0.4)
    assert proof.count == len(critical_points(H, 0.4))
    assert (1 - 2 * (proof.indices % 2)).sum() == 1


@given(
    y=st.lists(st.integers(-12, 12), min_size=2, max_size=5, unique=True),
    eps=st.floats(0.05, 4),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_floats_find_what_is_proved(y, eps, seed):
    H = EntropyLandscape.of_atoms(np.array(y) / 4, np.random.default_rng(seed).normal(size=len(y)) / 5)
    proof = certify(H, eps, max_boxes=3000)
    if proof.count is not None:
        assert proof.count == len(critical_points(H, eps))


def test_repeated_atoms_count():
    """Two atoms at 0 shift the maximum between 0 and 1 unlike one: compared with the float landscape of each."""
    for y in ([0.0, 0.0, 1.0, 2.5], [0.0, 1.0, 2.5]):
        H = EntropyLandscape.of_atoms(y)
        proof, found = certify(H, 0.3), critical_points(H, 0.3)
        np.testing.assert_allclose(proof.enclosures.mean(axis=1), found.x, atol=1e-12)


def test_a_point_on_the_boundary_is_undecided():
    proof = certify(EntropyLandscape.of_atoms([-1.0, 1.0]), 0.5, (0.0, 1.0))
    assert proof.count is None and len(proof.enclosures) == 0
    assert (proof.undecided[:, 0] <= 0).any()


def test_a_small_budget_leaves_boxes():
    reports = []
    proof = certify(plane(), 0.1, (-2.0, 2.0), max_boxes=300, progress=reports.append)
    assert proof.count is None and len(proof.undecided) and proof.boxes >= 300 and reports == [100, 200, 300]


def test_slices():
    y = np.random.default_rng(2).normal(size=(5, 4))
    line = Slice(y[0], [y[1] - y[0]])
    assert certify(EntropyLandscape.of_atoms(y), 0.2, line).count == len(
        critical_points(EntropyLandscape.of_atoms(y), 0.2, line)
    )


def test_refused(monkeypatch):
    H = EntropyLandscape.of_atoms(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.raises(BudgetExceeded, match="9,880"):
        certify(H, 1.0, (-1.0, 1.0))
    with pytest.raises(InputError, match="temperature"):
        certify(H, -1.0)
    before = flint.ctx.prec
    certify(EntropyLandscape.of_atoms(LINE), 1.0)
    assert flint.ctx.prec == before
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(InputError, match=r"hjsym\[proof\]"):
        certify(EntropyLandscape.of_atoms(LINE), 1.0)

"""The rows and counterexamples: all figures met, every one able to miss, no claim without its counterexample."""

import re

import numpy as np
import pytest

from hjsym.paper import data, runner
from hjsym.paper.images import ImagesMissing
from hjsym.paper.row import Study
from hjsym.paper.rows import ROWS, bifurcations, hessians, identity, networks, scaling, training
from hjsym.paper.wrong import COUNTEREXAMPLES
from hjsym.training import Merged

LONG = {
    "bifurcation-clusters",
    "robustness-1d",
    "trained-law-1",
    "trained-law-2",
    "trained-law-4",
    "wrong-10-cold",
}
EVERY = [
    pytest.param(row, id=row.name, marks=[pytest.mark.slow] if row.name in LONG else [])
    for row in (*ROWS, *COUNTEREXAMPLES)
]


@pytest.mark.parametrize("row", EVERY)
def test_row_meets_its_figures(row):
    pytest.importorskip("sklearn")
    try:
        outcome = row.run(Study(True, np.random.default_rng(7)))
    except ImagesMissing as missing:
        pytest.skip(str(missing))
    assert [m for m in outcome.measurements if not m.passes] == []
    assert any(m.kind != "shown" for m in outcome.measurements)
    assert all(m.reason and m.quantity for m in outcome.measurements)


def test_names():
    names = [row.name for row in (*ROWS, *COUNTEREXAMPLES)]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    assert list(runner.ROW_NAMES) == names
    assert [int(row.name.split("-")[1]) for row in COUNTEREXAMPLES] == list(range(1, 17))
    assert all(row.claim and row.truth for row in COUNTEREXAMPLES) and not any(row.claim for row in ROWS)


def misses(run, **options) -> int:
    outcome = run(Study(True, np.random.default_rng(0)))
    return sum(not m.passes for m in outcome.measurements)


def test_another_layer_misses_the_golden_values(monkeypatch):
    assert misses(identity.core_check) == 0
    right = data.core_layer
    monkeypatch.setattr(identity, "core_layer", lambda eps: right(eps * (1 + 1e-12)))
    assert misses(identity.core_check) > 5


def test_another_solution_misses_the_identity(monkeypatch):
    monkeypatch.setattr(identity, "CORE_DATA", data.CORE_DATA + 1e-14)
    assert misses(identity.identity) == 5


def test_other_folds_are_missed(monkeypatch):
    monkeypatch.setattr(bifurcations, "SIX_ATOMS", np.add(data.SIX_ATOMS, [0, 0, 0, 0, 0, 1e-6]))
    assert misses(bifurcations.six_atom_folds) >= 3


def test_nodes_elsewhere_miss_the_rates(monkeypatch):
    right = scaling.quadrature_rate
    swapped = {"midpoints": "endpoints", "endpoints": "midpoints"}

    def other(*args, rule="endpoints", **options):
        return right(*args, rule=swapped[rule], **options)

    monkeypatch.setattr(scaling, "quadrature_rate", other)
    assert misses(scaling.quadrature) >= 6


def test_unmerged_duplicates_miss_the_initial_data(monkeypatch):
    monkeypatch.setattr(training, "merge_neurons", lambda layer, tol, box: Merged(layer, None, 0.0))
    assert misses(training.recovery) >= 6


def test_images_are_split_without_overlap():
    pytest.importorskip("sklearn")
    x, labels, unseen, truth = hessians.split("digits", 5, True, np.random.default_rng(0))
    assert len(x) == len(labels) == 1497 and len(unseen) == len(truth) == 300
    assert not {tuple(row) for row in x.round(9)} & {tuple(row) for row in unseen.round(9)}


def test_another_temperature_is_not_attention(monkeypatch):
    right = networks.attention_by_complex_step
    monkeypatch.setattr(
        networks, "attention_by_complex_step", lambda Q, K, V, eps: right(Q, K, V, eps * (1 + 1e-11))
    )
    assert misses(networks.attention) == 5


def test_complex_steps_are_softmax_attention():
    rng = np.random.default_rng(3)
    Q, K, V = rng.normal(size=(2, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    scores = np.exp(Q @ K.T / 0.7)
    expected = scores / scores.sum(axis=1, keepdims=True) @ V
    np.testing.assert_allclose(networks.attention_by_complex_step(Q, K, V, 0.7), expected, rtol=1e-14)


def test_two_clusters_are_those_of_the_legacy_generator():
    y, g = data.two_clusters()
    # NumPy's documentation of legacy seeding: RandomState(42).standard_normal()[:2] = .49671415, −.1382643
    np.testing.assert_allclose((y[0] + 1) / 0.4, [0.49671415, -0.1382643], atol=1e-8)
    assert g.tolist() == [0.0] * 8 + [1.0] * 8

"""Forecasts, against what the work they foretell then gives."""

import tracemalloc
from itertools import pairwise
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.forecast import log2_region_bound
from hjsym.network import Network
from tropical import InputError, linear_regions


@settings(max_examples=30)
@given(st.data())
def test_small_networks(networks_with_points, data):
    network, _ = data.draw(networks_with_points(max_depth=2))
    f = hjsym.compile(network, exact=data.draw(st.booleans()))
    sizes = f.forecast(points=50)
    assert np.allclose(sizes.log2_P, [log2(n) for n in f.P.monomial_count()], atol=1e-12)
    assert np.allclose(sizes.log2_Q, [log2(n) for n in f.Q.monomial_count()], atol=1e-12)
    regions = len(linear_regions(f))
    assert log2(regions) <= sizes.log2_region_bound + 1e-9
    assert 1 <= sizes.regions_seen <= sizes.regions_estimated and sizes.regions_seen <= 50


@pytest.mark.parametrize(
    ("shape", "bound"),
    [
        ([2, 4, 4, 1], 121),  # Serra, Tjandraatmadja, Ramalingam 2018
        ([2, 4, 4, 4, 1], 1331),
        ([3, 5, 1], 1 + 5 + 10 + 10),  # one layer: an arrangement in general position
        ([2, 1, 4, 1], (1 + 4) + 1),  # one unit leaves a line where it is on and a point where it is off
    ],
)
def test_serra_bound(shape, bound):
    rng = np.random.default_rng(0)
    net = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in pairwise(shape)]
    assert 2 ** log2_region_bound(hjsym.load(net)) == pytest.approx(bound, rel=1e-12)
    assert len(linear_regions(hjsym.compile(net))) <= bound


def test_bound_of_other_layers():
    rng = np.random.default_rng(0)
    start = layers.Affine(rng.normal(size=(4, 2)), rng.normal(size=4))
    for bend, bound in (
        (layers.clip(-1, 1), 1 + 8 + 28),
        (layers.Maximum(), 1 + 6 + 15),
        (layers.Maximum([[0, 1], [2, 3], [3, 3]]), 1 + 2 + 1),
        (layers.Identity(), 1),
    ):
        network = Network.sequential(2, [start, bend])
        assert 2 ** log2_region_bound(network) == pytest.approx(bound)
        assert len(linear_regions(hjsym.compile(network))) <= bound


def test_estimate_finds_most_regions():
    rng = np.random.default_rng(0)
    f = hjsym.compile([(rng.normal(size=(8, 2)), rng.normal(size=8)), (np.ones((1, 8)), [0])])
    sizes = f.forecast(4000)
    regions = len(linear_regions(f))
    assert 0.7 * regions < sizes.regions_seen <= sizes.regions_estimated < 1.2 * regions
    assert f.forecast(4000, seed=0).regions_seen == sizes.regions_seen
    assert sizes.regions_seen == hjsym.compile(f.network, exact=True).forecast(4000).regions_seen


@pytest.mark.parametrize("shape", [[3, 8, 1], [2, 16, 16, 1], [4, 6, 6, 1]])
def test_memory_of_regions(shape):
    rng = np.random.default_rng(0)
    f = hjsym.compile([(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in pairwise(shape)])
    sizes = f.forecast()
    assert f.exactly.is_exact  # compiled before memory is traced
    tracemalloc.start()
    regions = linear_regions(f)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    each = sizes.region_bytes / sizes.regions_estimated
    assert each / 3 < held / len(regions) < each * 3


def test_a_stored_network_is_quick():
    f = hjsym.compile("examples/models/digits-relu.onnx")
    sizes = f.forecast()
    assert sizes.log2_P[3] == pytest.approx(log2(f.P.monomial_count()[3]), rel=1e-12)
    held = sum(a.nbytes for n in f.P.nodes if hasattr(n, "bias") for a in (n.bias, *(w for w, _ in n.terms)))
    assert held < sizes.circuit_bytes < 2 * held and sizes.points == 1000 == sizes.regions_seen
    text = str(sizes)
    assert f"2^{sizes.log2_P.max():.1f}" in text and "1,000 seen by 1,000" in text


def test_smooth_networks_and_bad_input():
    soft = hjsym.compile(Network.sequential(1, [layers.Affine([[1.0]], [0.0]), layers.Softplus()]))
    assert soft.forecast().log2_P.tolist() == [1.0] and soft.forecast().regions_seen == 2
    flat = hjsym.compile([([[1.0, 2.0]], [0.0])]).forecast()
    assert (flat.log2_region_bound, flat.regions_seen, flat.regions_estimated) == (0.0, 1, 1.0)
    with pytest.raises(InputError, match="points is 0"):
        soft.forecast(0)

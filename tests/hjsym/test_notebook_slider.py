"""The slider of temperature, moved without a browser: what it evaluates, draws and refuses."""

import doctest
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp

import hjsym
from hjsym._temperature import draw
from hjsym.hopf import LSELayer
from hjsym.layers import Affine, Relu
from hjsym.network import Network
from hjsym.notebook import temperature_slider
from tropical import Box, BudgetExceeded, Circuit, InputError, Polynomial, PolynomialMap, Slice, variables
from tropical._figures import PALETTE, new_figure

pytest.importorskip("ipywidgets")
to_rgb = pytest.importorskip("matplotlib.colors").to_rgb

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(3)
W, B = RNG.normal(size=(5, 2)), RNG.normal(size=5)
LAYER = LSELayer(W, B, eps=0.25)
NET = [(RNG.normal(size=(6, 2)), RNG.normal(size=6)), (RNG.normal(size=(3, 6)), RNG.normal(size=3))]
x, y = variables(2)


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures that cost nothing, where values are looked at."""
    monkeypatch.setattr("hjsym.notebook.inline_svg", lambda draw, size: "")


def by_scipy(points, eps):
    z = points @ W.T + B
    return z.max(axis=-1) if eps == 0 else eps * logsumexp(z / eps, axis=-1)


def by_numpy(points, eps, net=NET):
    (A, a), (C, c) = net
    h = points @ A.T + a
    h = np.maximum(h, 0) if eps == 0 else eps * np.logaddexp(0, h / eps)
    return h @ C.T + c


def visit(shown, count=5):
    """Moves the slider to some temperatures, the first, the last and its own."""
    for k in np.linspace(0, len(shown.temperatures) - 1, count).astype(int):
        shown.slider.index = int(k)
        assert shown.eps == shown.temperatures[k]
        yield shown.eps


@pytest.mark.parametrize(
    "f", [LAYER, LAYER.polynomial, LAYER.kernel(2.0), LAYER.polynomial.deform(0)], ids=repr
)
def test_values_of_a_layer_are_those_of_scipy(undrawn, f):
    shown = temperature_slider(f, ([-2, -1], [2, 3]), resolution=9, steps=7)
    for eps in visit(shown):
        np.testing.assert_allclose(shown.values[..., 0], by_scipy(shown.points, eps), rtol=1e-12, atol=1e-12)
    assert shown.points[0, 0].tolist() == [-2, -1] and shown.points[-1, -1].tolist() == [2, 3]
    assert shown.points[0, 1].tolist() == [-1.5, -1]  # the first coordinate runs along rows


def test_values_of_a_network_on_a_slice(undrawn):
    wide = [(RNG.normal(size=(6, 20)), NET[0][1]), NET[1]]
    origin, way = RNG.normal(size=20), RNG.normal(size=(1, 20))
    shown = temperature_slider(wide, Slice(origin, way, Box(-1, 2)), resolution=7, steps=5)
    s = np.linspace(-1, 2, 7)
    np.testing.assert_allclose(shown.points, origin + s[:, None] * way, rtol=1e-15, atol=1e-15)
    for eps in visit(shown):
        np.testing.assert_allclose(shown.values, by_numpy(shown.points, eps, wide), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "f",
    [
        NET, [NET[0], (NET[1][0][:1], NET[1][1][:1])], hjsym.compile(NET, exact=True), hjsym.compile(NET).P,
        PolynomialMap([x + y, x * y + 1]), PolynomialMap([(x + y).to_exact(), x]), (x + y) / (x * y + 0),
        (x + y).to_exact(),
    ],
    ids=lambda f: type(f).__name__,
)  # fmt: skip
def test_planes_of_everything_that_has_a_temperature(undrawn, f):
    shown = temperature_slider(f, (-2, 2), resolution=12, steps=3)
    away = []
    for eps in visit(shown, 4):
        assert shown.values.shape[:2] == (12, 12) and np.isfinite(shown.values).all()
        away.append(np.abs(shown.values - shown._cold).max())
        assert away[-1] <= shown._on.bound(eps) * (1 + 1e-9) + 1e-12
    assert away == sorted(away) and away[0] == 0 < away[-1]


def test_the_left_end_is_the_tropical_limit_and_the_rest_is_logarithmic(undrawn):
    shown = temperature_slider(LAYER, (-2, 2), resolution=5, eps=(0.001, 1.0), steps=31)
    assert shown.temperatures[0] == 0.0 and shown.slider.options[0] == ("0", 0.0)
    others = np.setdiff1d(shown.temperatures[1:], [0.25])
    np.testing.assert_allclose(np.diff(np.log(others)), np.log(1000) / 30, rtol=1e-9)
    assert others[0] == 0.001 and others[-1] == 1.0
    assert shown.eps == 0.25 and shown.slider.description == "ε"


def test_default_temperatures_span_the_range_of_the_values(undrawn):
    shown = temperature_slider(Polynomial([[1.0], [-1.0]], [0, 0]), (-7, 7))
    assert (shown.temperatures[1], shown.temperatures[-1]) == (0.007, 7.0) and len(shown.temperatures) == 61
    flat = temperature_slider(Polynomial([[0.0]], [1.0]), (-1, 1))
    assert flat.temperatures[-1] == 1.0


def test_a_network_of_one_temperature_starts_there(undrawn):
    soft = Network.sequential(1, [Affine([[1.0]], [0.0]), Relu()]).deform(0.125)
    assert temperature_slider(soft, (-1, 1), resolution=5).eps == 0.125
    assert temperature_slider(NET, (-1, 1), resolution=5).eps == 0


def test_what_is_written_beside_the_picture(undrawn):
    shown = temperature_slider(LAYER, (-2, 2), resolution=5)
    html = shown.picture.value
    away = np.abs(by_scipy(shown.points, 0.25) - by_scipy(shown.points, 0)).max()
    assert f"{away:.6g}" in html and f"{0.25 * np.log(5):.6g}" in html
    pi = LAYER.polynomial.weights(shown.points)
    assert f"{-(pi * np.log(pi)).sum(axis=-1).mean():.6g}" in html
    shown.slider.value = 0.0
    assert "entropy" not in shown.picture.value


ONE = [NET[0], (NET[1][0][:1], NET[1][1][:1])]
PICTURES = {
    "a line": (Polynomial([[1.0], [-1.0]], [0, 0]), (-1, 1), "PolyCollection"),
    "terms": (LAYER, (-2, 2), "image"),
    "classes": (NET, (-2, 2), "image"),
    "values": (ONE, (-2, 2), "image"),
}


@pytest.mark.parametrize("f, domain, kind", PICTURES.values(), ids=PICTURES)
def test_pictures_change_and_take_the_colours_of_the_notebook(f, domain, kind):
    shown = temperature_slider(f, domain, resolution=20, steps=3)
    before = shown.picture.value
    shown.slider.index = len(shown.temperatures) - 1
    html = shown.picture.value
    assert html != before and kind in html and html.count("<svg") == 1
    assert "currentColor" in html and "#222222" not in html and "#ffffff" not in html
    assert not re.search(
        r"<script|<style|<link|\bon\w+=|https?://(?!www\.w3\.org|purl\.org|creativecommons)", html
    )


def test_paint_of_terms_is_as_strong_as_their_weight():
    shown = temperature_slider(LAYER, (-2, 2), resolution=9)
    figure = new_figure()
    draw(figure, shown._on, 0.25, shown.values, shown._cold)
    painted = figure.axes[0].images[0].get_array()
    z = shown.points @ W.T + B
    weights = np.exp((z - by_scipy(shown.points, 0.25)[..., None]) / 0.25)
    np.testing.assert_allclose(painted[..., 3], 0.7 * weights.max(axis=-1), rtol=1e-6)
    for k in range(5):
        colors = painted[..., :3][z.argmax(axis=-1) == k]
        np.testing.assert_array_equal(colors, np.tile(to_rgb(PALETTE[k]), (len(colors), 1)))


def test_the_last_line_of_a_cell_shows_it(undrawn):
    shown = temperature_slider(LAYER, (-2, 2), resolution=3)
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in (bundle[0] if isinstance(bundle, tuple) else bundle)
    assert shown.widget.children == (shown.slider, shown.picture)


@pytest.mark.parametrize(
    "f, domain, options, error, message",
    [
        (LAYER, None, {}, InputError, "unbounded or no box"),
        (LAYER, ([0, 0], [0, 1]), {}, InputError, "unbounded or flat"),
        (LAYER, ([0, 0], [np.inf, 1]), {}, InputError, "unbounded or flat"),
        (LAYER, Slice([0, 0], [[1, 1]]), {}, InputError, "Slice within a Box"),
        (LAYER, Slice([0, 0], [[1, 1]], ([[1.0]], [1.0])), {}, InputError, "Slice within a Box"),
        (LSELayer(np.eye(3), np.zeros(3), 1.0), (-1, 1), {}, InputError, "3 dimensions; pass a Slice"),
        (LAYER, (-1, 1), {"eps": (0, 1)}, InputError, "0 < low < high"),
        (LAYER, (-1, 1), {"eps": (1, np.inf)}, InputError, "0 < low < high"),
        (LAYER, (-1, 1), {"steps": 1}, InputError, "steps is 1"),
        (LAYER, (-1, 1), {"resolution": 1}, InputError, "resolution is 1"),
        (LAYER, (-1, 1), {"resolution": 1001}, BudgetExceeded, "points"),
        (Circuit.identity(2, exact=True) + 0, (-1, 1), {}, InputError, "over Fractions"),
    ],
)
def test_what_is_refused(f, domain, options, error, message):
    with pytest.raises(error, match=message):
        temperature_slider(f, domain, **options)


@pytest.mark.parametrize("missing", ["ipywidgets", "matplotlib.figure"])
def test_without_the_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r"install hjsym\[(notebook|plot)\]"):
        temperature_slider(LAYER, (-1, 1), resolution=3)


def test_the_page_about_notebooks():
    pytest.importorskip("pandas")
    page = doctest.testfile(str(ROOT / "docs" / "notebook.md"), module_relative=False)
    assert page.attempted > 10 and page.failed == 0

"""Pages in Chromium, without a window: what they show is what the library computes, at every temperature."""

import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import hjsym
from hjsym.bifurcation import EntropyLandscape, bifurcation_diagram, critical_points
from hjsym.conjugate import conjugate
from hjsym.datasets import load_dataset
from hjsym.hopf import LSELayer
from hjsym.layers import Add, Affine, Concat, Gather, LeakyRelu, Maximum, PiecewiseLinear, Relu, Scale
from hjsym.network import Network, Node
from hjsym.page import network_data, view, write_page
from tropical import Box, Slice

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = [
    *([] if CHROMIUM else ["Chromium (apt-get install chromium)"]),
    *([] if importlib.util.find_spec("playwright") else ["playwright (hjsym[browser])"]),
]
if MISSING and os.environ.get("HJSYM_BROWSER") == "required":
    raise RuntimeError(f"these tests need {' and '.join(MISSING)}")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}"),
]

MODELS = Path(__file__).resolve().parents[2] / "examples" / "models"
ATOMS = np.array([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
SIX = LSELayer(ATOMS, -(ATOMS**2) / 2, 0.3)
WINDOW = (-3.5, 3.6)
RECORD = (
    "addEventListener('securitypolicyviolation', (e) => (window.violations ??= []).push(e.violatedDirective))"
)


# How many ticks are drawn on another.
OVERLAPS = """(() => {
  const ticks = Array.from(document.querySelectorAll("main svg text.tick"), (t) => t.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return ticks.filter((a, i) => a.width && ticks.slice(i + 1).some((b) => b.width && meet(a, b))).length;
})()"""
# All along the slider: values that are no numbers, and curves with such.
SWEEP = """(() => {
  const bad = [];
  for (let k = 0; k <= STEPS; k += 37) {
    setEps(epsOf(k));
    draw();
    for (const e of document.querySelectorAll("[data-value]")) {
      if (!Number.isFinite(Number(e.dataset.value))) bad.push([k, e.dataset.key]);
    }
    for (const path of document.querySelectorAll("main path")) {
      if (path.getAttribute("d").includes("NaN")) bad.push([k, path.getAttribute("class")]);
    }
  }
  return bad;
})()"""


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


class Shown:
    """A page in a tab, with all that it complained of and asked for."""

    def __init__(self, tab, path: Path):
        self.tab, self.troubles, self.requests = tab, [], []
        tab.on("console", lambda message: self.troubles.append(message.text))
        tab.on("pageerror", lambda error: self.troubles.append(str(error)))
        tab.on("dialog", lambda dialog: (self.troubles.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.add_init_script(RECORD)
        tab.goto(path.as_uri())
        tab.wait_for_selector("[data-key=f]", state="attached")
        self.url = path.as_uri()

    def settle(self):
        """Until what was asked for is drawn."""
        self.tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def eps(self, value: float):
        """Type a temperature."""
        self.tab.fill("#eps-exact", repr(float(value)))
        self.tab.press("#eps-exact", "Enter")
        self.settle()

    def move(self, *point: float):
        """The point to coordinates that no slider has to hit."""
        for k, value in enumerate(point):
            self.tab.evaluate(f"setPoint({k}, {float(value)!r})")
        self.settle()

    def values(self) -> dict[str, float]:
        """Every value on the page, by its key."""
        pairs = self.tab.evaluate(
            "Array.from(document.querySelectorAll('[data-key]'), (e) => [e.dataset.key, e.dataset.value])"
        )
        return {key: float(value.replace("Infinity", "inf")) for key, value in pairs}

    def curves(self) -> dict[str, np.ndarray]:
        """What is drawn, and the points (n, k) where."""
        found = self.tab.evaluate(
            "(() => { const p = pointsOfLine(); return { ...valuesAt(p), points: p }; })()"
        )
        return {k: np.array(v, float) for k, v in found.items() if v is not None}

    def assert_quiet(self):
        assert self.troubles == []
        assert self.requests == [self.url]
        assert self.tab.evaluate("window.violations ?? []") == []


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> Path:
    """The page of six neurons, written once."""
    return write_page(SIX, tmp_path_factory.mktemp("six") / "six.html", domain=WINDOW, t=0.7).path


@pytest.fixture
def show(chromium, tmp_path):
    """Open a page, of a model or written before; at the end nothing may have gone wrong in it."""
    contexts, shown = [], []

    def open_page(model, *, screen=None, **options) -> Shown:
        written = isinstance(model, Path) and model.suffix == ".html"
        path = model if written else write_page(model, tmp_path / "page.html", **options).path
        contexts.append(chromium.new_context(**(screen or {})))
        shown.append(Shown(contexts[-1].new_page(), path))
        return shown[-1]

    yield open_page
    for page in shown:
        page.assert_quiet()
    for context in contexts:
        context.close()


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


# ---- layers ------------------------------------------------------------------------------------------


def test_layer_of_one_input(show, six):
    page, point = show(six), 0.8123
    page.move(point)
    hard, hopf_lax = SIX.polynomial.deform(0), SIX.kernel(0.7).hopf_lax
    for eps in (0.0, 0.003, 0.3, 0.51, 7.0):
        page.eps(eps)
        shown, curves = page.values(), page.curves()
        x, p = curves["points"], SIX.polynomial.deform(eps)
        u = LSELayer(SIX.W, SIX.b, eps).kernel(0.7).u if eps else hopf_lax
        expected = {"soft": p(x), "reading": p(x), "hard": hard(x), "u": u(x), "u0": hopf_lax(x)}
        for key, values in expected.items():
            close(curves[key], values)
        close([shown[k] for k in ("f", "f0", "reading")], [p([point]), hard([point]), p([point])])
        close([shown["u"], shown["u0"]], [u([point]), hopf_lax([point])])
        close([shown["excess"], shown["H"]], [p.excess([point]), p.entropy([point])])
        found = hjsym.attribute(p, [point], top=6)
        for j, weight, loss in zip(found.index, found.weight, found.loss, strict=True):
            close([shown[f"weight-{j}"], shown[f"loss-{j}"]], [weight, loss])
        slope = p.gradient([point])
        close(shown["slope"], slope)
        close(shown["soft-conjugate"], conjugate(p)(slope)[0])
        close(shown["hard-conjugate"], conjugate(hard)(slope)[0])


def test_critical_points_and_folds(show, six):
    page, H = show(six), EntropyLandscape(SIX.W, SIX.b)
    for eps in (0.02, 0.3256, 0.5, 0.51, 1.0):
        page.eps(eps)
        shown, expected = page.values(), critical_points(H, eps, WINDOW)
        cells = page.tab.eval_on_selector_all(
            "#critical tbody td.name", "(all) => all.map((c) => c.textContent)"
        )
        assert cells == [p.kind for p in expected]
        for k, p in enumerate(expected):
            close([shown[f"critical-{k}"], shown[f"critical-entropy-{k}"]], [p.x[0], p.entropy])
    diagram = bifurcation_diagram(H, (1e-3, 10.0), WINDOW)
    assert len(diagram.folds) == 4
    for k, fold in enumerate(diagram.bifurcations):
        close([shown[f"event-{k}"], shown[f"event-x-{k}"]], [fold.eps, fold.x[0]])
        close([shown[f"event-third-{k}"], shown[f"event-mixed-{k}"]], [fold.H_vvv, fold.H_v_eps])


def test_square_has_the_errors_of_the_diagram(show, six):
    page = show(six)
    for eps in (0.01, 0.3, 2.0):
        page.eps(eps)
        shown = page.values()
        square = hjsym.diagram(SIX, eps, 0.7, points=page.curves()["points"])
        assert square.holds
        for arrow in square.arrows:
            key = f"{arrow.source}-{arrow.target}"
            if key == "network-network":
                continue
            assert shown[f"arrow-{key}"] <= shown[f"bound-{key}"]
            if key not in ("entropic-polyhedral", "network-entropic"):  # at points of their own
                close(shown[f"arrow-{key}"], arrow.error)
        assert page.tab.locator("#arrows .bad").count() == 0


def test_layer_on_a_plane_through_images(show):
    """Values are those of the whole layer of 64 inputs, at points of the plane."""
    layer, images = LSELayer.load(MODELS / "digits-lse.npz"), load_dataset("digits")[0][[3, 6, 0]]
    page = show(MODELS / "digits-lse.npz", points=[3, 6, 0], t=0.5)
    for eps, s in ((0.5, (0.31, 0.62)), (0.0, (0.9, -0.1)), (0.02, (0.45, 0.25))):
        page.eps(eps)
        page.move(*s)
        shown, curves = page.values(), page.curves()
        p = layer.polynomial.deform(eps)
        lifted = images[0] + curves["points"] @ (images[1:] - images[0])
        close(curves["soft"], p(lifted))
        close(curves["reading"], p(lifted))
        x = images[0] + np.array(s) @ (images[1:] - images[0])
        found = hjsym.attribute(p, x, top=8, labels=layer.labels)
        close(shown["f"], found.value)
        close(shown["H"], found.entropy)
        for j, weight, loss in zip(found.index, found.weight, found.loss, strict=True):
            if weight > 0:  # neurons of no weight are in no order
                close([shown[f"weight-{j}"], shown[f"loss-{j}"]], [weight, loss])
        best = np.argsort(-found.class_weight)[0]
        close(shown[f"class-{found.classes[best]}"], found.class_weight[best])
        assert page.tab.locator("#arrows .bad").count() == 0
    field = page.tab.evaluate("fieldOf('entropy')")
    grid = np.stack(np.meshgrid(*[np.linspace(-0.25, 1.25, field["size"])] * 2), axis=-1)
    close(np.array(field["values"]), p.entropy(images[0] + grid.reshape(-1, 2) @ (images[1:] - images[0])))


def test_neurons_left_out_change_no_more_than_the_page_says(show, monkeypatch):
    from hjsym.page import layer_data

    monkeypatch.setattr(layer_data, "MOST_ATOMS", 40)
    rng = np.random.default_rng(4)
    layer = LSELayer(rng.normal(size=(300, 2)), rng.normal(size=300), 0.3)
    page = show(layer, domain=([-1, -1], [1, 1]))
    assert "260 of 300 neurons" in page.tab.inner_text("#left-out")
    for eps in (0.0, 0.1, 1.0):
        page.eps(eps)
        curves, bound = page.curves(), page.values()["rest"]
        change = layer.polynomial.deform(eps)(curves["points"]) - curves["soft"]
        assert change.min() > -1e-12
        assert change.max() < bound + 1e-12
        assert (bound > 0) == (eps > 0)


# ---- networks ----------------------------------------------------------------------------------------


def every_kind() -> Network:
    """A graph of all kinds of layers with an Add, a Concat and a skip."""
    rng = np.random.default_rng(7)
    return Network(2, (
        Node(Affine(rng.normal(size=(6, 2)), rng.normal(size=6)), (0,)),
        Node(LeakyRelu(-0.3), (1,)),
        Node(Scale(rng.normal(size=6), rng.normal(size=6)), (2,)),
        Node(PiecewiseLinear([-1, 0.5, 1], [0.5, -1, 2, 0.25], 0.1), (3,)),
        Node(Add([1.5, -2.0]), (4, 1)),
        Node(Maximum([[0, 1, 2], [3, 4, 4]]), (5,)),
        Node(Gather([5, 0, 0]), (4,)),
        Node(Concat(3), (6, 7, 0)),
        Node(Relu(), (8,)),
        Node(Affine(rng.normal(size=(2, 7)), rng.normal(size=2)), (9,)),
    ))  # fmt: skip


@pytest.mark.parametrize("name", ["digits-relu.onnx", "digits-conv.onnx", "every kind"])
def test_network_and_its_rails(show, name):
    source = every_kind() if name == "every kind" else MODELS / name
    f = hjsym.compile(source)
    if name == "every kind":
        origin, directions = np.zeros(2), np.eye(2)
        page = show(source, domain=Box(-2, 2))
    else:
        images = load_dataset("digits")[0][[8, 1, 5]]
        origin, directions = images[0], images[1:] - images[0]
        page = show(source, points=[8, 1, 5])
    page.tab.select_option("#output", "1")
    plane = view.Plane(origin, directions, None, ("a", "b"), "")
    sliced = network_data.on_plane(
        hjsym.load(source), plane
    ).f  # its P and Q split other signs than those of f
    for eps, s in ((0.0, (0.3, 0.4)), (0.02, (0.7, -0.1)), (1.0, (1.0, 1.1))):
        page.eps(eps)
        page.move(*s)
        shown, curves = page.values(), page.curves()
        soft, x = f.deform(eps), origin + curves["points"] @ directions
        close(curves["soft"], soft(x)[:, 1])
        close(curves["hard"], f.deform(0)(x)[:, 1])
        P, Q = sliced.deform(eps).parts(curves["points"])
        close(curves["P"], P[:, 1])
        close(curves["Q"], Q[:, 1])
        close(shown["bound"], eps and soft.deformation_bound()[1])
        close(shown["f"], soft(origin + np.array(s) @ directions)[1])
        assert page.tab.locator("#arrows .bad").count() == 0
        last = soft.network.nodes[-1].layer
        hidden = soft.network.values(origin + np.array(s) @ directions)[-2]
        for unit, part in enumerate(np.asarray(last.weight)[1] * hidden):
            if f"part-{unit}" in shown:
                close(shown[f"part-{unit}"], part)


def test_table_of_a_network_with_too_many_weights(show, monkeypatch):
    monkeypatch.setattr(network_data, "MOST_NUMBERS", 100)
    f, images = hjsym.compile(MODELS / "digits-relu.onnx"), load_dataset("digits")[0][[3, 6]]
    page = show(MODELS / "digits-relu.onnx")
    assert "2,778" in page.tab.inner_text("#about")
    assert "values are a table" in page.tab.inner_text("#left-out")
    page.tab.focus("#eps")
    for keys, k in (("Home", 0), ("ArrowRight", 1), ("End", -1)):
        page.tab.keyboard.press(keys)
        page.settle()
        shown, curves = page.values(), page.curves()
        eps = page.tab.evaluate("state.eps")
        assert eps == page.tab.evaluate("table.eps")[k]
        x = images[0] + curves["s"][:, None] * (images[1] - images[0])
        close(curves["soft"], f.deform(eps)(x)[:, 0])
        at = images[0] + page.tab.evaluate("state.point")[0] * (images[1] - images[0])
        close(shown["f"], f.deform(eps)(at)[0])


# ---- the page as a page ------------------------------------------------------------------------------


def test_keys_move_the_sliders(show, six):
    page = show(six)
    page.tab.focus("#eps")
    page.tab.keyboard.press("Home")
    page.settle()
    assert page.tab.evaluate("state.eps") == 0
    assert page.tab.get_attribute("#eps", "aria-valuetext") == "ε = 0, tropical"
    for presses in range(1, 4):
        page.tab.keyboard.press("ArrowRight")
        page.settle()
        eps = 1e-3 * 1e4 ** ((presses - 1) / 999)
        close(page.tab.evaluate("state.eps"), eps)
        close(page.values()["f"], SIX.polynomial.deform(eps)([page.tab.evaluate("state.point")[0]]))
    page.tab.keyboard.press("End")
    page.tab.keyboard.press("Tab")  # to the point
    assert page.tab.evaluate("document.activeElement.id") == "point-0"
    page.tab.keyboard.press("End")
    page.settle()
    close(page.values()["f"], SIX.polynomial.deform(10.0)([WINDOW[1]]))
    page.tab.wait_for_timeout(600)  # the sentence for screen readers comes when the sliders rest
    assert page.tab.inner_text("#status").startswith("ε = 10, x = 3.6: f is ")


def test_pointer_and_buttons(show):
    page = show(MODELS / "digits-lse.npz", screen={"viewport": {"width": 1200, "height": 900}})
    page.tab.click("#tropical")
    page.settle()
    assert page.values()["excess"] == 0
    page.tab.click("#own")
    page.settle()
    assert page.tab.evaluate("state.eps") == 0.5
    box = page.tab.locator("#map").bounding_box()
    page.tab.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.4)
    page.settle()
    there = page.tab.evaluate("state.point")
    assert 0.3 < there[0] < 0.7
    assert 0.4 < there[1] < 0.9
    for field in ("value", "entropy", "regions"):
        page.tab.check(f"input[value={field}]")
        page.settle()
        assert page.tab.locator("#map canvas").is_visible() == (field != "regions")
        assert page.tab.locator("#planar").is_visible() == (field == "entropy")
    assert page.tab.locator("#planar").evaluate("(e) => e.textContent") == "1 maximum2 saddles"
    page.tab.fill("#eps-exact", "minus one")
    page.tab.press("#eps-exact", "Enter")
    assert page.tab.get_attribute("#eps-exact", "aria-invalid") == "true"
    assert page.tab.evaluate("state.eps") == 0.5


def test_everything_has_a_name(show):
    page = show(MODELS / "digits-relu.onnx")
    nameless = page.tab.evaluate(
        "Array.from(document.querySelectorAll('input, select, button'))"
        ".filter((e) => !e.textContent.trim() && !e.labels?.length && !e.ariaLabel).map((e) => e.id)"
    )
    assert nameless == []
    pictures = page.tab.locator("[role=img]:visible")
    assert pictures.count() == 3
    assert all(len(picture.get_attribute("aria-label")) > 20 for picture in pictures.all())
    assert page.tab.evaluate("document.documentElement.lang") == "en"
    reached = set()
    for _ in range(16):
        page.tab.keyboard.press("Tab")
        reached.add(page.tab.evaluate("document.activeElement.id || document.activeElement.value"))
    assert {"eps", "point-0", "point-1", "eps-exact", "output", "tropical", "regions"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_light_and_dark_wide_and_narrow(show, six, tmp_path, scheme, width):
    Image = pytest.importorskip("PIL.Image")
    screen = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page = show(six, screen=screen)
    assert page.tab.evaluate("document.documentElement.scrollWidth") == width
    page.tab.screenshot(path=tmp_path / "page.png", full_page=True)
    picture = np.asarray(Image.open(tmp_path / "page.png").convert("L"), float)
    assert (picture.mean() < 60) == (scheme == "dark")
    assert picture.std() > 10  # something is drawn
    clear = page.tab.evaluate(OVERLAPS)
    assert clear == 0


def test_hostile_names_are_text(show):
    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u2028.npz"
    page = show(LSELayer([[1.0], [-1.0]], [0.0, 0.0], 0.5), title=name)
    assert page.tab.locator("#title").evaluate("(e) => e.textContent") == name
    assert page.tab.evaluate("data.title") == name
    assert page.tab.locator("main script, header script, img").count() == 0


def test_no_position_of_the_slider_shows_a_nan(show):
    page = show(LSELayer([[1.0], [1.0], [-1.0], [300.0]], [0.0, 0.0, 0.0, -800.0], 0.5), domain=(-3, 3))
    bad = page.tab.evaluate(SWEEP)
    assert bad == []
    assert page.tab.locator("#arrows .bad").count() == 0


def test_slice_within_a_box(show):
    rng = np.random.default_rng(2)
    layer = LSELayer(rng.normal(size=(9, 5)), rng.normal(size=9), 0.4, kappa=0.5)
    chart = Slice(rng.normal(size=5), rng.normal(size=(1, 5)), Box(-1, 2))
    page = show(layer, domain=chart, t=2.0)
    curves = page.curves()
    x = np.asarray(chart.origin) + curves["points"] @ np.asarray(chart.directions)
    close(curves["soft"], layer(x))
    gauge = LSELayer(layer.W @ chart.directions.T, layer.W @ chart.origin + layer.b, 0.4, 0.5).kernel(2.0)
    close(curves["u"], gauge.u(curves["points"]))
    assert page.tab.locator("#arrows .bad").count() == 0

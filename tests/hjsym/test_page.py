"""Pages as files: what is in them, that it is safe, what they leave out. `test_page_browser` opens them."""

import base64
import doctest
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym.cli import main
from hjsym.hopf import LSELayer
from hjsym.layers import Affine, Relu, Sigmoid, Softplus
from hjsym.network import Network
from hjsym.page import layer_data, network_data, network_page, view, write_page
from hjsym.page.document import SCRIPTS, as_json, document
from hjsym.page.scales import eps_range
from tropical import Box, Polyhedron, Slice
from tropical.errors import InputError, ShapeError

MODELS = Path(__file__).resolve().parents[2] / "examples" / "models"
THREE = LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.1)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of scripts and styles as a browser takes it."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.raw: list[tuple[str, dict, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, text):
        if self.cdata_elem in ("script", "style"):
            tag, attributes = next(e for e in reversed(self.found) if e[0] == self.cdata_elem)
            self.raw.append((tag, attributes, text))

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


def data_of(text: str) -> dict:
    (found,) = (
        t for tag, attributes, t in Elements(text).raw if attributes.get("type") == "application/json"
    )
    return json.loads(found)


def page_of(model, tmp_path, **options):
    page = write_page(model, tmp_path / "page.html", **options)
    text = page.path.read_text(encoding="utf-8")
    assert page.size == len(text.encode()) < 5_000_000
    return page, text, data_of(text)


# ---- a safe, whole file ------------------------------------------------------------------------------


def test_policy_allows_the_scripts_and_the_style_and_nothing_else(tmp_path):
    _, text, _ = page_of(THREE, tmp_path)
    elements = Elements(text)
    (policy,) = (
        m["content"] for m in elements.of("meta") if m.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    assert set(rules) == {"script-src", "style-src"}
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        texts = [t for name, a, t in elements.raw if name == tag and a.get("type") != "application/json"]
        hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts}
        assert set(rules[rule].split()) == hashes
        assert len(texts) == (len(SCRIPTS) if tag == "script" else 1)
    assert not any(
        name.startswith("on") or (name in ("style", "src", "href") and not value.startswith("#"))
        for _, attributes in elements.found
        for name, value in attributes.items()
    )
    assert not elements.of("link") + elements.of("img") + elements.of("iframe")


NASTY = st.text(st.sampled_from("</script>&\"'\u2028\u2029@\\!-[]aſ\0\ud7ff"), max_size=40)


@settings(max_examples=30)
@given(NASTY)
def test_no_text_ends_its_element(name):
    data = {"title": name, "leftOut": [name, {name: name}]}
    assert json.loads(as_json(data)) == data
    assert not set(as_json(data)) & set("<>&\u2028\u2029")
    text = document(name, data)
    assert data_of(text) == data
    harmless = Elements(document("x", {}))
    assert [tag for tag, _ in Elements(text).found] == [tag for tag, _ in harmless.found]


def test_hostile_file_names_and_labels_are_text(tmp_path):
    name = "a<img src=x onerror=alert(1)>&<script>alert(2)<!--.npz"
    THREE.save(tmp_path / name)
    _, text, data = page_of(tmp_path / name, tmp_path)
    assert data["title"] == name
    assert (
        page_of(THREE, tmp_path, title="\udcff")[2]["title"] == "?"
    )  # a byte of a file name that is no text
    assert "<img" not in text
    assert len(Elements(text).of("script")) == len(SCRIPTS) + 1


def test_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "page.html"
    write_page(THREE, path)
    before = path.read_bytes()
    with pytest.raises(InputError):
        write_page(THREE, path, domain=(1, 0))

    def interrupted(self, data):
        with self.open("wb") as file:
            file.write(data[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_page(LSELayer([[2.0], [1.0]], [0.0, 0.0], 0.1), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["page.html"]


def test_pages_of_one_model_are_the_same_bytes(tmp_path):
    net = [([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -3.0]], [0.25])]
    pages = [write_page(net, tmp_path / f"{k}.html").path.read_bytes() for k in range(2)]
    assert pages[0] == pages[1]


# ---- what is in it -----------------------------------------------------------------------------------


def test_weights_of_the_slice_are_there_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    layer = LSELayer(rng.normal(size=(7, 4)), rng.normal(size=7), 0.3)
    chart = Slice(rng.normal(size=4), rng.normal(size=(2, 4)), Box(-1, 1))
    page, _, data = page_of(layer, tmp_path, domain=chart)
    assert (page.kind, page.variables, data["start"]) == ("layer", 2, pytest.approx([-0.2, 0.0]))
    assert np.array_equal(np.array(data["layer"]["slopes"]).T, layer.W @ chart.directions.T)
    assert np.array_equal(data["layer"]["offsets"], layer.b + layer.W @ chart.origin)


def test_cells_are_the_linear_regions_and_cover_the_window(tmp_path):
    page, _, data = page_of(MODELS / "digits-relu.onnx", tmp_path)
    cells = data["regions"]["cells"]
    assert page.cells == len(cells) == 256  # of the largest score on the plane through images 3, 6 and 0
    corners = [np.array(cell["corners"]) for cell in cells]
    areas = [
        abs(np.sum(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1))) / 2 for p in corners
    ]
    assert sum(areas) == pytest.approx(1.5**2, rel=1e-4)
    f, images = (
        hjsym.compile(MODELS / "digits-relu.onnx"),
        hjsym.datasets.load_dataset("digits")[0][[3, 6, 0]],
    )
    centres = np.array([p.mean(axis=0) for p in corners])
    classes = f(images[0] + centres @ (images[1:] - images[0])).argmax(axis=1)
    assert [cell["label"] for cell in cells] == list(map(str, classes))
    assert len({(cell["label"], cell["colour"]) for cell in cells}) == len(set(classes))
    assert data["network"]["bound"] == pytest.approx(f.deform(1.0).deformation_bound())


def test_window_holds_the_bends(tmp_path):
    """Bends are at ±½; two fifths of what lies between is added on either side."""
    _, _, data = page_of(THREE, tmp_path)
    assert data["view"]["low"] == pytest.approx([-0.9])
    assert data["view"]["high"] == pytest.approx([0.9])
    bends = sorted({round(x, 12) for cell in data["regions"]["cells"] for (x,) in cell["corners"]})
    assert bends == pytest.approx([-0.9, -0.5, 0.5, 0.9])


@pytest.mark.parametrize(
    "model", [LSELayer([[1.0, 2.0]], [0.0], 0.5), LSELayer(np.zeros((3, 1)), [0.0, 1.0, 2.0], 1.0)]
)
def test_layers_without_bends_have_pages(tmp_path, model):
    page, _, data = page_of(model, tmp_path)
    assert page.cells == 1
    assert data["bifurcation"] is None
    assert any("bifurcation diagram" in text for text in page.left_out)


def test_affine_network_has_a_page(tmp_path):
    page, _, data = page_of(Network.sequential(2, [Affine([[1.0, -2.0]], [0.5])]), tmp_path)
    assert (page.kind, page.cells, data["network"]["bound"]) == ("network", 1, [0.0])


def test_head_is_left_out_and_said_to_be(tmp_path):
    net = Network.sequential(1, [Affine([[1.0]], [0.5]), Relu(), Affine([[2.0]], [0.0]), Sigmoid()])
    _, _, data = page_of(net, tmp_path)
    assert "in front of the final Sigmoid" in data["about"]
    assert len(data["network"]["nodes"]) == 3


def test_own_temperature_of_a_soft_network_is_a_button_and_several_are_named(tmp_path):
    first, last = Affine([[1.0], [-2.0]], [0.5, 0.0]), Affine([[1.0, 1.0]], [0.0])
    one = Network.sequential(1, [first, Softplus(0.25), last])
    assert page_of(one, tmp_path)[2]["eps"]["own"] == 0.25
    two = Network.sequential(1, [first, Softplus(0.25), last, Relu()])
    page, _, data = page_of(two, tmp_path)
    assert data["eps"]["own"] is None
    assert "own temperatures" in page.left_out[0]


def test_exact_networks_and_unknown_data_sets_have_pages(tmp_path):
    layers = [Affine([[1.0, 0.5, 0.25], [-2.0, 0.0, 1.0]], [0.5, 0.0]), Relu(), Affine([[1.0, 1.0]], [0.0])]
    net = Network.sequential(3, layers, metadata={"dataset": "cifar"})
    page, _, data = page_of(net.to_exact(), tmp_path)
    assert "through the origin" in page.text
    assert data["network"]["nodes"][-1]["matrices"][0]["data"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("scale", "own", "expected"),
    [
        (8.0, None, (1e-3, 10.0)),
        (2.0, 1e-6, (1e-6, 1.0)),
        (0.0, 300.0, (1e-4, 1e3)),
        (1e-30, None, (1e-34, 1e-30)),
        (1.0, 1e300, (1e-4, 1e100)),
    ],
)
def test_slider_is_around_the_scale_and_the_own_temperature(scale, own, expected):
    found = eps_range(scale, own)
    assert (found["low"], found["high"]) == pytest.approx(expected)
    assert found["own"] == own


# ---- large models ------------------------------------------------------------------------------------


def test_large_layer_keeps_its_winners_and_bounds_the_rest(tmp_path):
    rng = np.random.default_rng(1)
    layer = LSELayer(rng.normal(size=(30_000, 2)), rng.normal(size=30_000), 0.2)
    page, _, data = page_of(layer, tmp_path)
    kept = LSELayer(np.array(data["layer"]["slopes"]).T, data["layer"]["offsets"], 0.2)
    assert kept.neurons == layer_data.MOST_ATOMS
    assert data["rest"]["count"] == 30_000 - layer_data.MOST_ATOMS
    assert "26,000 of 30,000 neurons" in page.left_out[0]
    low, high = data["view"]["low"], data["view"]["high"]
    x = rng.uniform(low, high, size=(2000, 2))
    for eps in (0.05, 0.2, 5.0):
        change = layer.polynomial.deform(eps)(x) - kept.polynomial.deform(eps)(x)
        bound = eps * np.logaddexp(0.0, np.log(data["rest"]["count"]) - data["rest"]["gap"] / eps)
        assert change.min() >= -1e-12
        assert change.max() <= bound + 1e-12
    hard = layer.polynomial.deform(0)
    assert np.array_equal(hard(x), kept.polynomial.deform(0)(x))


def test_network_with_too_many_weights_is_a_table(tmp_path):
    rng = np.random.default_rng(2)
    sizes = (50, 400, 400, 12)
    net = [(rng.normal(size=(m, n)) / n**0.5, rng.normal(size=m)) for n, m in pairwise(sizes)]
    page, _, data = page_of(net, tmp_path)
    assert (page.kind, page.variables) == ("table", 1)
    assert any(f"{400 + 400 + 400 * 401 + 12 * 401:,} weights" in text for text in page.left_out)
    f, table = hjsym.compile(net), data["table"]
    directions = view.choose_plane(f.network, 50, None, None, 2).directions
    for k in (0, 20, 40):
        x = np.array(table["points"])[:, None] * directions[:1]
        np.testing.assert_allclose(
            np.array(table["values"][k]), f.deform(table["eps"][k])(x).T[:10], rtol=1e-9, atol=1e-9
        )


def test_regions_and_monomials_beyond_the_budget_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(network_page, "_WORK", 60 * 1000)
    page, _, data = page_of(MODELS / "digits-relu.onnx", tmp_path)
    assert page.cells == len(data["regions"]["cells"]) == 73
    assert data["network"]["monomials"] is None
    assert any("beyond the first 73" in text for text in page.left_out)
    assert any("too many monomials" in text for text in page.left_out)


# ---- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (THREE, {"t": 0.0}, "t is 0.0; pass a finite time"),
        (LSELayer([[1e200], [1.0]], [0.0, 0.0], 1.0), {}, "reach 1e+200; a page computes with their squares"),
        ([([[1.0]], [-1e300]), ([[1.0]], [0.0])], {}, "reach 1e+300"),
        (THREE, {"t": float("nan")}, "t is nan"),
        (THREE, {"domain": (0, np.inf)}, "unbounded or flat"),
        (THREE, {"domain": (1.0, 1.0)}, "unbounded or flat"),
        (THREE, {"domain": Polyhedron([[1.0]], [1.0])}, "polyhedron"),
        (THREE, {"points": [0, 1]}, "names no data set"),
        (THREE, {"points": [0, 1], "domain": (0, 1)}, "both"),
        (THREE, {"variables": 2}, "variables is 2 and the model has 1 inputs"),
        (MODELS / "digits-lse.npz", {"points": [0]}, "two different numbers"),
        (MODELS / "digits-lse.npz", {"points": [0, 0, 1]}, "two different numbers"),
        (MODELS / "digits-lse.npz", {"points": [0, 1797]}, "points 0 to 1,796"),
        (MODELS / "digits-lse.npz", {"domain": (0, 1)}, "64 variables; a page shows 1 or 2"),
        (MODELS / "digits-lse.npz", {"domain": Slice(np.zeros(64), np.zeros((1, 64)))}, "dependent"),
    ],
)
def test_refusals_say_what_to_do(tmp_path, model, options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        write_page(model, tmp_path / "page.html", **options)
    assert not list(tmp_path.iterdir())


def test_a_slice_of_three_directions_is_refused(tmp_path):
    layer = LSELayer(np.eye(4), np.zeros(4), 0.5)
    with pytest.raises(ShapeError, match="3 variables"):
        write_page(layer, tmp_path / "page.html", domain=Slice(np.zeros(4), np.eye(4)[:3]))


def test_names_of_the_largest_plane():
    plane = view.choose_plane(LSELayer(np.eye(5), np.zeros(5), 0.5), 5, None, None, 1)
    assert plane.variables == 1
    assert plane.axes == ("s",)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(1), atol=1e-15)
    assert network_data.on_plane(hjsym.load([(np.eye(5), np.zeros(5))]), plane).network.input_size == 1


# ---- the command -------------------------------------------------------------------------------------


def test_command_writes_the_page_and_says_what_is_on_it(tmp_path, capsys):
    path = tmp_path / "new" / "page.html"
    arguments = [
        "page",
        str(MODELS / "digits-relu.onnx"),
        "-o",
        str(path),
        "--slice",
        "8,1",
        "--title",
        "A line",
    ]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "the line through digits #8, class 8; digits #1, class 1" in printed.out
    assert data_of(path.read_text(encoding="utf-8"))["title"] == "A line"
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["command"], found["kind"], found["variables"]) == ("page", "network", 1)
    assert (found["path"], found["size"], found["left_out"]) == (str(path), path.stat().st_size, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--slice", "3"], "two different numbers"),
        (["--box", "-1,1"], "64 variables"),
        (["--time", "0"], "t is 0.0"),
    ],
)
def test_command_refuses_in_one_line(tmp_path, capsys, options, message):
    code = main(["page", str(MODELS / "digits-lse.npz"), "-o", str(tmp_path / "page.html"), *options])
    printed = capsys.readouterr()
    assert (code, printed.out, printed.err.count("\n")) == (2, "", 1)
    assert message in printed.err
    assert not list(tmp_path.iterdir())


def test_examples_of_the_documentation_run():
    result = doctest.testfile(str(MODELS.parents[1] / "docs" / "page.md"), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0

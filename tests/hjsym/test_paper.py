"""The reproduction as a machine: measurements, what is kept, executors, the report, the command line."""

import base64
import doctest
import hashlib
import json
import re
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from html.parser import HTMLParser
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from hjsym.cli import main
from hjsym.paper import drawing, images, reproduce, runner, store
from hjsym.paper.page import page
from hjsym.paper.row import Measurement, Outcome, Row, at_least, at_most, near, shown
from hjsym.paper.store import FinishedRow
from tropical.errors import InputError


@pytest.mark.parametrize(
    ("measurement", "passes"),
    [
        (near("q", 1.0, 1.05, 0.05001, ""), True),
        (near("q", 1.0, 1.06, 0.05, ""), False),
        (near("q", 0.0, 0.0, 0.0, ""), True),
        (near("q", 1.0, np.nan, 1e9, ""), False),
        (at_most("q", 1.0, 1.0, ""), True),
        (at_most("q", 1.0, 1.0000001, ""), False),
        (at_most("q", 1.0, np.nan, ""), False),
        (at_least("q", 1.0, 1.0, ""), True),
        (at_least("q", 1.0, 0.99, ""), False),
        (shown("q", 3.0, ""), True),
        (shown("q", np.nan, ""), False),
    ],
)
def test_measurements(measurement, passes):
    assert measurement.passes is passes


def test_unknown_kind():
    with pytest.raises(InputError, match="kind is 'about'"):
        Measurement("q", 1.0, 1.0, 0.0, "", "about")


@pytest.fixture
def rows(monkeypatch):
    """Four small rows in place of the paper's, and how often each was run."""
    runs = {name: 0 for name in "abcd"}

    def make(name: str) -> Row:
        def run(study) -> Outcome:
            runs[name] += 1
            value = float(study.rng.normal())
            return Outcome((shown(f"{name} <&> {study.fast}", value, "random"),), remarks=("<b>bold</b>",))

        return Row(name, f"row {name}", "made up", run, minutes=ord(name))

    monkeypatch.setattr(runner, "_ALL", {name: make(name) for name in runs})
    return runs


def values(done) -> list[float]:
    return [row.measurements[0].ours for row in done.rows]


def test_rows_are_kept_and_seeded(rows, tmp_path):
    seen = []
    first = reproduce(tmp_path, progress=seen.append)
    assert seen == [0, 1, 2, 3, 4] and len(set(values(first))) == 4
    assert [row.name for row in first.rows] == list("abcd")
    second = reproduce(tmp_path)
    assert second.rows == first.rows and set(rows.values()) == {1}
    alone = reproduce(tmp_path / "other", only="c")
    assert values(alone) == values(first)[2:3]  # whatever runs before it
    assert values(reproduce(tmp_path, seed=1)) != values(first)  # another seed is another study
    assert values(reproduce(tmp_path, fast=True)) == values(first) and rows["a"] == 3
    assert values(reproduce(tmp_path)) == values(first) and rows["a"] == 4


def test_an_interrupted_run_loses_nothing(rows, tmp_path, monkeypatch):
    def stop(study):
        raise KeyboardInterrupt

    whole = runner._ALL["b"]
    monkeypatch.setitem(runner._ALL, "b", Row("b", "", "", stop, minutes=ord("b")))
    with pytest.raises(KeyboardInterrupt):
        reproduce(tmp_path)
    assert rows == {"a": 0, "b": 0, "c": 1, "d": 1}  # the longest begin
    monkeypatch.setitem(runner._ALL, "b", whole)
    assert reproduce(tmp_path).passes
    assert set(rows.values()) == {1}
    assert not list(tmp_path.rglob("*.part*"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mark": 1}', "null"])
def test_a_file_that_does_not_read_is_done_again(rows, tmp_path, text):
    first = reproduce(tmp_path, only="a")
    (tmp_path / "rows" / "a.json").write_text(text)
    assert values(reproduce(tmp_path, only="a")) == values(first) and rows["a"] == 2


def test_code_or_versions_that_change_invalidate(rows, tmp_path, monkeypatch):
    reproduce(tmp_path, only="a")
    monkeypatch.setattr(store, "_code", lambda: "another version")
    reproduce(tmp_path, only="a")
    assert rows["a"] == 2


def test_what_goes_wrong_in_a_row_is_its_result(rows, tmp_path, monkeypatch):
    def fail(study):
        raise ZeroDivisionError("one <over> none")

    def miss(study):
        raise images.ImagesMissing("There is no data.")

    monkeypatch.setitem(runner._ALL, "b", Row("b", "", "", fail))
    monkeypatch.setitem(runner._ALL, "c", Row("c", "", "", miss))
    done = reproduce(tmp_path)
    assert [row.passes for row in done.rows] == [True, False, True, True] and not done.passes
    assert "ZeroDivisionError: one &lt;over&gt; none" in done.report.read_text()
    assert not (tmp_path / "rows" / "b.json").exists() and not (tmp_path / "rows" / "c.json").exists()


@pytest.mark.parametrize("options", [{"only": "e"}, {"only": ["a", "e"]}, {"seed": -1}, {"seed": 0.5}])
def test_bad_options_are_refused_before_anything_is_made(rows, tmp_path, options):
    with pytest.raises(InputError, match=r"unknown; known are a, b, c, d|seed is"):
        reproduce(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_executors_change_nothing(rows, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        assert values(reproduce(tmp_path / "1", executor=pool)) == values(reproduce(tmp_path / "2"))


def test_processes(tmp_path):
    only = ["softplus-relu", "wrong-08-recovery"]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        side_by_side = reproduce(tmp_path / "1", only=only, fast=True, executor=pool)
    one_by_one = reproduce(tmp_path / "2", only=only, fast=True)
    assert side_by_side.passes
    assert [r.measurements for r in side_by_side.rows] == [r.measurements for r in one_by_one.rows]


def test_rows_of_a_pool_that_breaks_are_run_here(rows, tmp_path):
    class Dead:
        def submit(self, *_):
            future = Future()
            future.set_exception(BrokenExecutor("gone"))
            return future

    with pytest.warns(RuntimeWarning, match="a worker of Dead ended"):
        done = reproduce(tmp_path / "1", executor=Dead())
    assert values(done) == values(reproduce(tmp_path / "2"))


# ---- the report --------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Every tag with its attributes, and that they nest."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parse(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    return tags


HOSTILE = '<script>alert("x")</script>&'


def test_the_report_is_escaped_and_asks_for_nothing():
    row = FinishedRow(
        HOSTILE, HOSTILE, HOSTILE, "", "", 1.0, (near(HOSTILE, 1.0, 2.0, 0.5, HOSTILE),), (HOSTILE,),
        ((HOSTILE, HOSTILE, "<svg/>"),), error=HOSTILE,
    )  # fmt: skip
    wrong = FinishedRow("w", "t", "s", HOSTILE, HOSTILE, 1.0)
    text = page([row, wrong], fast=True, seed=3, pictures=False)
    tags = parse(text)
    names = {tag for tag, _ in tags.seen}
    assert "script" not in names and not names & {"link", "iframe", "object", "embed"}
    assert tags.text.count(HOSTILE) >= 8
    assert all(a["src"].startswith("data:") for tag, a in tags.seen if tag == "img")
    assert not any(name.startswith("on") or name == "style" for _, a in tags.seen for name in a)
    assert all(a["href"].startswith("#") for tag, a in tags.seen if tag == "a")
    policy = next(a["content"] for _, a in tags.seen if a.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (
        policy.startswith("default-src 'none'") and f"'sha256-{digest}'" in policy and "unsafe" not in policy
    )
    assert "Where the paper is wrong" in tags.text and "install hjsym[plot]" in tags.text
    assert "1 rows pass, 1 fail" in tags.text
    assert "prefers-color-scheme:dark" in style


def test_pictures_follow_the_theme_and_are_xml(tmp_path):
    pytest.importorskip("matplotlib")
    done = reproduce(tmp_path, only=["softplus-relu", "identity"], fast=True)
    for row in done.rows:
        assert row.pictures
        for _, _, svg in row.pictures:
            assert ET.fromstring(svg).tag.endswith("svg")
            assert "prefers-color-scheme:dark" in svg and "currentColor" in svg and "#222222;" not in svg
    text = done.report.read_text()
    assert text.count("data:image/svg+xml;base64,") == sum(len(row.pictures) for row in done.rows)
    assert sorted(p.name for p in (tmp_path / "rows").iterdir()) == [
        "identity-1.svg", "identity-2.svg", "identity.json", "softplus-relu-1.svg", "softplus-relu.json",
    ]  # fmt: skip
    record = json.loads((tmp_path / "rows" / "identity.json").read_text())
    assert record["measurements"][0]["quantity"].startswith("sup |f + u")


def test_without_matplotlib_there_is_a_report_without_plots(tmp_path, monkeypatch):
    for module in (runner, store):
        monkeypatch.setattr(module, "can_draw", lambda: False)
    done = reproduce(tmp_path, only=["identity", "softplus-relu"], fast=True)
    assert done.passes and [len(row.pictures) for row in done.rows] == [1, 0]  # SVG by hand needs nothing
    assert "matplotlib is not installed" in done.report.read_text()


def test_animation():
    x, frames = [0.0, 1.0, 2.0], [[[0.0, 1.0, 4.0], [0.0, 2.0, 8.0]]]
    svg = ET.fromstring(drawing.animate("t", "c", x, frames, ["<f>"], ["ε = 1", "ε = 2"]).svg)
    space = "{http://www.w3.org/2000/svg}"
    curve = svg.find(f"{space}path/{space}animate").get("values").split(";")
    assert len(curve) == 3 and curve[0] == curve[2] != curve[1]  # there and back
    ends = [float(frame.split(",")[-1]) for frame in curve]
    assert ends[1] < ends[0]  # a larger value stands higher
    assert [t.text for t in svg.iter(f"{space}text")][-2:] == ["ε = 1", "ε = 2"]


# ---- images ------------------------------------------------------------------------------------------


def test_images_that_are_not_there_are_said_to_be_missing(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    images.read_images.cache_clear()
    monkeypatch.setattr(images, "_network_answers", lambda: False)
    for cached_only, why in ((True, "fast run does not download"), (False, "does not answer")):
        with pytest.raises(images.ImagesMissing, match=why):
            images.read_images("mnist", cached_only)
    done = reproduce(tmp_path / "out", only="phase-mnist-two", fast=True)
    assert done.passes and done.rows[0].skipped and "skipped" in done.report.read_text()


def test_without_scikit_learn_rows_of_images_are_skipped(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    images.read_images.cache_clear()
    done = reproduce(tmp_path, only=["phase-digits-two", "hessian-mnist", "wrong-07-sensitivity"], fast=True)
    assert done.passes and all("scikit-learn" in row.skipped for row in done.rows)


def test_images_from_the_cache(tmp_path, monkeypatch):
    datasets = pytest.importorskip("sklearn.datasets")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    kept = tmp_path / "openml" / "openml.org" / "api" / "v1" / "json" / "data" / "list" / "data_name"
    (kept / "mnist_784").mkdir(parents=True)
    asked = []

    def fetch(name, **options):
        asked.append((name, options["version"]))
        return np.full((3, 784), 255), np.array(["3", "7", "1"])

    monkeypatch.setattr(datasets, "fetch_openml", fetch)
    images.read_images.cache_clear()
    points, labels = images.read_images("mnist", True)
    assert asked == [("mnist_784", 1)] and points.max() == 1.0 and labels.tolist() == [3, 7, 1]
    images.read_images.cache_clear()
    monkeypatch.setattr(datasets, "fetch_openml", lambda *a, **o: (_ for _ in ()).throw(OSError("cut off")))
    with pytest.raises(images.ImagesMissing, match="cut off"):
        images.read_images("mnist", True)
    images.read_images.cache_clear()


def test_principal_components():
    points = np.random.default_rng(0).normal(size=(50, 4)) * [1, 5, 2, 0.5] + 3
    projected = images.principal_components(points, 2)
    covariance = np.cov(projected.T)
    expected = np.linalg.eigvalsh(np.cov(points.T))[::-1][:2]
    np.testing.assert_allclose(np.diag(covariance), expected, rtol=1e-12)
    assert abs(covariance[0, 1]) < 1e-12


# ---- the command line --------------------------------------------------------------------------------


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_command_line(capsys, tmp_path):
    code, out, err = run(capsys, "paper", "--out", tmp_path, "--fast", "--only", "softplus-relu")
    assert code == 0 and "softplus-relu" in out and "passes" in out and "1/1 rows" in err
    assert (tmp_path / "report.html").exists()


def test_a_figure_that_is_missed_exits_with_1(capsys, tmp_path, rows, monkeypatch):
    missed = Row("a", "t", "s", lambda study: Outcome((near("the figure", 1.0, 2.0, 0.5, ""),)))
    monkeypatch.setitem(runner._ALL, "a", missed)
    code, out, _ = run(capsys, "paper", "--out", tmp_path, "--only", "a")
    assert code == 1 and "FAILED" in out and "the figure: stated 1, found 2" in out


def test_bad_input_exits_with_2(capsys, tmp_path):
    for arguments, message in (
        (["--only", "nothing"], "row 'nothing' is unknown"),
        (["--jobs", "0"], "jobs is 0"),
        (["--seed", "-1"], "seed is -1"),
    ):
        code, out, err = run(capsys, "paper", "--out", tmp_path / "x", *arguments)
        assert (code, out) == (2, "") and message in err
    with pytest.raises(SystemExit):
        main(["paper"])


def test_examples_run_as_they_stand():
    page_of_it = Path(__file__).resolve().parents[2] / "docs" / "paper.md"
    result = doctest.testfile(str(page_of_it), module_relative=False)
    assert result.attempted > 3 and result.failed == 0

"""The tutorials, the gallery and the guide run as they stand, and so does what they quote."""

import doctest
import importlib
import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where tutorials may write; the examples are at hand."""
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", sorted((ROOT / "docs/tutorials").glob("*.md")), ids=lambda path: path.stem)
def test_tutorial(path, folder):
    pytest.importorskip("matplotlib")
    result = doctest.testfile(str(path), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0
    drawn = re.findall(r'savefig\("(.+?)"', path.read_text())
    assert all((folder / name).exists() for name in drawn)


def test_gallery(tmp_path, monkeypatch, capsys):
    """It draws the pictures that are stored, none of them large."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["gallery.py", str(tmp_path)])
    runpy.run_path(str(ROOT / "examples/gallery.py"), run_name="__main__")
    assert " 0 of " in capsys.readouterr().out
    stored = {path.name for path in (ROOT / "docs/pictures/gallery").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == stored
    assert all(path.stat().st_size < 80_000 for path in tmp_path.iterdir())


def test_guide():
    text = (ROOT / "docs/how-to-choose.md").read_text()
    assert doctest.testfile(str(ROOT / "docs/how-to-choose.md"), module_relative=False).failed == 0
    for name in re.findall(r"`((?:tropical|hjsym)(?:\.\w+)+)", text):
        package, _, path = name.partition(".")
        thing = importlib.import_module(package)
        for part in path.split("."):
            thing = getattr(thing, part)


COPIED = {"_build", "measurements", "project"}  # folders that building the site fills


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if not COPIED & {*path.relative_to(ROOT / "docs").parts}
    ],
    ids=lambda path: path.stem,
)
def test_links_lead_to_files(path):
    for link in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert link.startswith("http") or (path.parent / link).exists(), link


@pytest.mark.slow
def test_slice_of_other_images(folder, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["slice.py", str(folder), "0", "1", "2"])
    runpy.run_path(str(ROOT / "examples/slice.py"), run_name="__main__")
    assert (folder / "slice.png").exists()
    assert "0: (" in capsys.readouterr().out


def test_the_trained_network_is_what_its_script_trains(monkeypatch):
    """The script's gradient against differences, and the stored model against the script's own forward pass."""
    import numpy as np
    import scipy.optimize

    import hjsym
    from hjsym.datasets import load_dataset

    script = runpy.run_path(str(ROOT / "examples/train_conv.py"))
    images, digits = load_dataset("digits")
    windows = script["patches"](images[:20])
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=sum(int(np.prod(s)) for s in script["SHAPES"].values()))
    error = scipy.optimize.check_grad(
        lambda p: script["objective"](p, windows, digits[:20])[0],
        lambda p: script["objective"](p, windows, digits[:20])[1],
        parameters,
    )
    assert error < 1e-4 * np.linalg.norm(script["objective"](parameters, windows, digits[:20])[1])
    model = script["to_onnx"](script["unpacked"](parameters))
    np.testing.assert_allclose(
        hjsym.load(model)(images[:20]),
        script["scores"](script["unpacked"](parameters), windows)[0],
        rtol=1e-11,
    )
    stored = hjsym.load(ROOT / "examples/models/digits-conv.onnx")
    assert (stored(images).argmax(axis=1) == digits).mean() > 0.97

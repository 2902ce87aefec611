"""The tutorials run as they stand, and so does what they quote."""

import doctest
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
    assert all((folder / name).exists() for name in ["slice.png"] if name in path.read_text())


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

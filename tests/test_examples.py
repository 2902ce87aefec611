"""Examples that draw: they run, and write what they say."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def test_curves(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["curves.py", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "curves.py"), run_name="__main__")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["boundary.png", "curve.png", "intersection.png"]
    assert "multiplicities 12 = 12" in capsys.readouterr().out


def test_conjugates(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["conjugates.py", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "conjugates.py"), run_name="__main__")
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["conjugates.png", "double-well.png", "proximal-maps.png"]
    said = capsys.readouterr().out
    assert "= y*log(y) + (1 - y)*log(1 - y) for y in Interval(0, 1)" in said
    assert "prox of exp(x): x - LambertW(lambda*exp(x))" in said


def test_scaling(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["scaling.py", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "scaling.py"), run_name="__main__")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kp-web.png", "quadrature-rates.png", "risk.png"]
    assert "midpoints, d = 1: <PowerLaw 0.84·N^-2.005" in capsys.readouterr().out

"""The check of an installed copy: it passes here, and notices a core that is wrong."""

import subprocess
import sys

import numpy as np
import pytest

import tropical
from hjsym import selftest
from tropical import Polynomial, _core


def test_an_installed_copy_passes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "hjsym.selftest"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.endswith("all agree\n"), done.stdout + done.stderr
    assert not done.stderr and len(done.stdout.splitlines()) == 2 + len(selftest._CHECKS)


def test_the_instruction_set_is_put_back():
    before = _core.instruction_set()
    selftest._maxima()
    assert _core.instruction_set() == before


def broken_values(monkeypatch):
    right = Polynomial.__call__
    monkeypatch.setattr(
        Polynomial, "__call__", lambda self, x, **options: np.nextafter(right(self, x, **options), 9e99)
    )


def broken_gradient(monkeypatch):
    right = Polynomial.gradient
    monkeypatch.setattr(Polynomial, "gradient", lambda self, x: right(self, x) * (1 + 1e-12) + 1e-12)


def broken_product(monkeypatch):
    right = tropical.matmul
    monkeypatch.setattr(tropical, "matmul", lambda A, B: right(A, B) + (np.arange(len(A)) == 5))


@pytest.mark.parametrize(
    ("damage", "found"),
    [(broken_values, "maxima"), (broken_gradient, "layers"), (broken_product, "matrices")],
)
def test_a_wrong_core_is_found(monkeypatch, capsys, damage, found):
    damage(monkeypatch)
    assert selftest.main() == 1
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "FAILED" in lines[found]
    assert "checks failed" in list(lines.values())[-1]

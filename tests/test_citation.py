"""What is to be cited is the version that is installed, and the paper that the pages name."""

import re
import tomllib
from pathlib import Path

import hjsym

ROOT = Path(__file__).resolve().parents[1]


def test_one_version():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (cited,) = re.findall(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == declared == hjsym.__version__


def test_one_paper():
    (number,) = re.findall(r"value: arXiv:(\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert f"https://arxiv.org/abs/{number}" in (ROOT / "CITATION.cff").read_text()
    assert f"arXiv:{number}" in (ROOT / "README.md").read_text()

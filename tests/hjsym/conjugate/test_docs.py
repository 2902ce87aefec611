"""The examples of the modules and of the page run as they stand."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import hjsym.conjugate

MODULES = sorted(m.name for m in pkgutil.walk_packages(hjsym.conjugate.__path__, "hjsym.conjugate."))
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_modules(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_examples_of_the_page():
    result = doctest.testfile(str(ROOT / "docs" / "conjugate.md"), module_relative=False)
    assert result.attempted > 10 and result.failed == 0


def test_public_names_are_there():
    for name in hjsym.conjugate.__all__:
        assert getattr(hjsym.conjugate, name).__doc__, name

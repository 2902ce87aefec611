"""Gives the tests of this folder their plain-Python twins of the kernels, and their random polynomials."""

import importlib.util
from pathlib import Path

import pytest


def _load(name: str):
    # Under pytest's importlib mode a test file cannot import its neighbours by name.
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_REFERENCE = _load("reference")


@pytest.fixture(scope="session")
def reference():
    """The module reference.py."""
    return _REFERENCE


@pytest.fixture(scope="session")
def networks():
    """The module region_networks.py."""
    return _load("region_networks")


@pytest.fixture(scope="session")
def walk_in_python():
    """The enumeration of regions in plain Python."""
    return _load("region_reference").walk

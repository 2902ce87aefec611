"""Runs the examples in the docstrings."""

import doctest
import importlib
import pkgutil

import pytest

import tropical

MODULES = ["tropical", *sorted(m.name for m in pkgutil.iter_modules(tropical.__path__, "tropical."))]
WITH_EXAMPLES = {
    "tropical",
    "tropical.circuit",
    "tropical.polynomial",
    "tropical.rational",
    "tropical.semiring",
}
NEEDS = {"tropical._tables": "pandas"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0 or name not in WITH_EXAMPLES  # else the examples were not found

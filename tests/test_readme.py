"""The examples of the README and of the first page of the site run as they stand."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("page", "least"), [("README.md", 20), ("docs/index.md", 2), ("docs/page.md", 2)])
def test_examples(page, least, monkeypatch):
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / page), module_relative=False)
    assert result.attempted > least
    assert result.failed == 0

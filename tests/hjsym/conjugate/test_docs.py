"""The examples of the page run as they stand; those of the modules do in test_frontends.py."""

import doctest
from pathlib import Path

import hjsym.conjugate

ROOT = Path(__file__).resolve().parents[3]


def test_examples_of_the_page():
    result = doctest.testfile(str(ROOT / "docs" / "conjugate.md"), module_relative=False)
    assert result.attempted > 10 and result.failed == 0


def test_public_names_are_there():
    for name in hjsym.conjugate.__all__:
        assert getattr(hjsym.conjugate, name).__doc__, name

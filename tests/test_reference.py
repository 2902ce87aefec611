"""The reference in docs/ lists every public name exactly once, and nothing else.

Its pages hold blocks of a module and names of it, which Sphinx makes descriptions of; these tests read them without.
"""

import importlib
import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import hjsym

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs/reference").glob("*.md"))
BLOCK = re.compile(r"^```\{reference\} (\S+)\n(.*?)^```$", re.M | re.S)
BLOCKS = [(module, names.split()) for page in PAGES for module, names in BLOCK.findall(page.read_text())]
MODULES = sorted({module for module, _ in BLOCKS})
LISTED = Counter((module, name) for module, names in BLOCKS for name in names)


def value(module: str, name: str):
    return getattr(importlib.import_module(module), name)


def test_public_modules_are_in_the_reference():
    named = {f"hjsym.{name}" for name in hjsym.__all__ if inspect.ismodule(getattr(hjsym, name))}
    assert {"tropical", "hjsym"} | named <= {
        *MODULES,
        "hjsym.robustness",  # whose names hjsym itself has
    }


def test_no_name_twice():
    """Not even under the names of two modules."""
    objects = Counter(id(value(*place)) for place in LISTED)
    assert [place for place, n in LISTED.items() if n > 1 or objects[id(value(*place))] > 1] == []


@pytest.mark.parametrize("module", [*MODULES, "hjsym.robustness"])
def test_every_public_name_is_listed(module):
    described = {id(value(*place)) for place in LISTED}
    names = importlib.import_module(module).__all__
    missing = [
        name
        for name in names
        if not inspect.ismodule(value(module, name)) and id(value(module, name)) not in described
    ]
    assert missing == []


def test_only_public_names_are_listed():
    assert [place for place in LISTED if place[1] not in importlib.import_module(place[0]).__all__] == []


def test_pages_have_nothing_but_such_blocks():
    assert len(PAGES) > 10
    assert [
        page.name
        for page in PAGES
        if page.read_text().count("```") != 2 * len(BLOCK.findall(page.read_text()))
    ] == []

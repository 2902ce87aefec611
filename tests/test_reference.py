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
LISTED = Counter(
    (module, name)
    for page in PAGES
    for module, names in BLOCK.findall(page.read_text())
    for name in names.split()
)
# All of whose names are public; of others stand those that these return.
PACKAGES = [
    "tropical",
    "hjsym",
    *(f"hjsym.{name}" for name in hjsym.__all__ if inspect.ismodule(getattr(hjsym, name))),
    "hjsym.datasets",
    "hjsym.errors",
    "hjsym.layers",
    "hjsym.paper",
]


def value(module: str, name: str):
    return getattr(importlib.import_module(module), name)


def test_no_name_twice():
    """Not even under the names of two modules."""
    objects = Counter(id(value(*place)) for place in LISTED)
    assert [place for place, n in LISTED.items() if n > 1 or objects[id(value(*place))] > 1] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_listed(package):
    described = {id(value(*place)) for place in LISTED}
    public = {name: value(package, name) for name in importlib.import_module(package).__all__}
    missing = [name for name, v in public.items() if not inspect.ismodule(v) and id(v) not in described]
    assert missing == []


def test_only_public_names_are_listed():
    assert [place for place in LISTED if place[1] not in importlib.import_module(place[0]).__all__] == []


def test_pages_have_nothing_but_such_blocks():
    """One that is misspelt would be left out here, and by Sphinx."""
    assert len(PAGES) > 10
    for page in PAGES:
        text = page.read_text()
        assert text.count("```") == 2 * len(BLOCK.findall(text)), page.name

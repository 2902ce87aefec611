"""What the site makes of docstrings, tutorials and links, without Sphinx."""

import doctest
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
TUTORIALS = sorted(DOCS.glob("tutorials/*.md"))


@pytest.fixture(scope="module")
def extension():
    return lambda name: runpy.run_path(str(DOCS / "_ext" / f"{name}.py"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("f + u = |x|²/4κt", r"f + u = \|x\|²/4κt"),
        ("two `Polynomial`s, ``|x|`` and `a|b`", r"two `Polynomial`\ s, ``|x|`` and `a|b`"),
        ("`Polynomial` s", "`Polynomial` s"),
    ],
)
def test_text_of_docstrings(extension, line, expected):
    assert extension("plain_docstrings")["plain"]([line]) == [expected]


def test_examples_in_docstrings_stay(extension):
    lines = ["|x| of", "", ">>> a | b  # `c`s", "'|'", "", "|y|"]
    assert extension("plain_docstrings")["plain"](lines) == [r"\|x\| of", *lines[1:-1], r"\|y\|"]


def test_tables_in_docstrings(extension):
    found = extension("plain_docstrings")["plain"](
        ["| a | b |", "|---|---|", r"| \|x\| | `c` |", "", "after"]
    )
    rows = ["   * - a", "     - b", r"   * - \|x\|", "     - `c`"]
    assert found == ["", ".. list-table::", "   :header-rows: 1", "", *rows, "", "", "after"]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorials_as_notebooks(extension, path):
    """Every example that is not skipped is in a cell, in its order, and what it prints is in none."""
    text = path.read_text()
    page = extension("doctests_as_cells")["as_notebook"](text)
    cells = page.split("```{code-cell} ipython3\n")[2:]  # after the hidden one
    sources = [
        line for cell in cells for line in cell.split("```")[0].splitlines() if not line.startswith(":")
    ]
    examples = doctest.DocTestParser().get_examples(text)
    expected = "".join(e.source for e in examples if not e.options.get(doctest.SKIP))
    assert [line.split("  # doctest:")[0] for line in expected.splitlines()] == sources
    assert ">>>" not in page


def test_links_lead_to_copies(extension):
    relink = extension("repository_pages")["_relink"]
    root = DOCS.parent
    inside = relink(
        "[a](../benchmarks/CONJUGATE.md#x) [b](https://a.b) [c](kp.md)", DOCS / "kp.md", DOCS / "kp.md"
    )
    assert inside == "[a](measurements/CONJUGATE.md#x) [b](https://a.b) [c](kp.md)"
    page = DOCS / "project/CONTRIBUTING.md"
    links = "[a](docs/kp.md) [b](LICENSE) [c](README.md) [d](docs) ![e](docs/pictures/none.png)"
    copied = relink(links, root / "CONTRIBUTING.md", page)
    assert (
        copied == "[a](../kp.md) [b](../../LICENSE) [c](path:../../README.md) d ![e](docs/pictures/none.png)"
    )

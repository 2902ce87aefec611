"""Tutorials hold examples as doctests, which the tests run and compare; in the site they are cells of a notebook.

Each example that prints becomes the end of a cell, and what it shows there is what it showed in this build: tables,
formulas and pictures instead of text where objects have them. Without execution pages stay as they are.
"""

import doctest
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(?:python|pycon)?\n(>>>.*?)^```$", re.M | re.S)
_BLANK = re.compile(r"\n\n```\n")  # ends what doctest expects; nobody has to see it
_OPTION = re.compile(r"\s*# doctest:.*$", re.M)
_HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"
# Where the examples may write, beside the models that they read.
_FOLDER = f"""
import os, tempfile
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
os.symlink({str(_ROOT / "examples")!r}, "examples")
%xmode Minimal
"""


def _cell(source: str, *options: str) -> str:
    return "\n".join(["```{code-cell} ipython3", *options, source.strip(), "```", ""])


def _cells(block: re.Match) -> str:
    cells, pending = [], ""
    for example in doctest.DocTestParser().get_examples(textwrap.dedent(block[1])):
        source = _OPTION.sub("", example.source)
        if example.options.get(doctest.SKIP):
            cells.append(f"```python\n{source}```\n")
            continue
        pending += source
        if example.want or example.exc_msg:
            cells.append(_cell(pending, *([":tags: [raises-exception]"] if example.exc_msg else [])))
            pending = ""
    return "\n".join(cells + ([_cell(pending)] if pending else []))


def as_notebook(text: str) -> str:
    """A page with doctests as a notebook in MyST."""
    title, end, rest = text.partition("\n")
    return _HEAD + title + end + "\n" + _cell(_FOLDER, ":tags: [remove-cell]") + _BLOCK.sub(_cells, rest)


def _convert(app: "Sphinx", docname: str, source: list[str]) -> None:
    source[0] = _BLANK.sub("\n```\n", source[0])
    runs = app.config.nb_execution_mode != "off" and docname.startswith("tutorials/")
    if runs and _BLOCK.search(source[0]) and not source[0].startswith("---"):
        source[0] = as_notebook(source[0])


def setup(app: "Sphinx") -> dict:
    app.connect("source-read", _convert, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The directive `reference`: a module as its argument, then the names, one a line, that are described there.

A table of the names and their first lines comes first, then each in full. `tests/test_reference.py` reads the same
blocks: every public name stands in exactly one of them.
"""

import importlib
import inspect

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def _described(module: str, name: str) -> list[str]:
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        kind, options = "exception" if issubclass(value, BaseException) else "class", [":members:"]
    else:
        kind, options = "function" if callable(value) else "data", []
    return [f".. auto{kind}:: {module}.{name}", *(f"   {option}" for option in options), ""]


class Reference(SphinxDirective):
    """Descriptions of the named members of a module."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        module, names = self.arguments[0], [line.strip() for line in self.content if line.strip()]
        table = [".. autosummary::", "   :nosignatures:", "", *(f"   ~{module}.{name}" for name in names), ""]
        rest = [line for name in names for line in _described(module, name)]
        text = "\n".join(["```{eval-rst}", *table, *rest, "```"])
        return self.parse_text_to_nodes(text, allow_section_headings=False)


def setup(app: Sphinx) -> dict:
    app.add_directive("reference", Reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

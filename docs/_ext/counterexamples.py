"""The directive `counterexamples`: claims of the paper that fail, what holds, and the row that computes it."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from hjsym.paper.wrong import COUNTEREXAMPLES


class Counterexamples(SphinxDirective):
    """A table from what `hjsym paper` itself prints, so that the two cannot differ."""

    def run(self) -> list[nodes.Node]:
        lines = ["````{list-table}", ":header-rows: 1", ":widths: 30 50 20", ":class: counterexamples", ""]
        lines += ["* - claim", "  - what holds", "  - row"]
        for row in sorted(COUNTEREXAMPLES, key=lambda row: row.name):
            lines += [f"* - {_plain(row.claim)}", f"  - {_plain(row.truth)}", f"  - `{row.name}`"]
        return self.parse_text_to_nodes("\n".join([*lines, "````"]))


def _plain(text: str) -> str:
    return "".join("\\" + c if c in "*_|`[]<$" else c for c in text)


def setup(app: Sphinx) -> dict:
    app.add_directive("counterexamples", Counterexamples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

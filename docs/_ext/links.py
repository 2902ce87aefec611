"""Names in code type lead to the reference, in pages and docstrings alike, where no other object can be meant.

A class may stand without its module (`Polynomial`), everything else with it or with its class (`hjsym.certify`,
`Polynomial.deform`): a bare `power` or `value` is more often an argument than a function.
"""

from collections import defaultdict

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode


def _by_ending(app: Sphinx) -> dict[str, set]:
    found = defaultdict(set)
    for name, entry in app.env.domains["py"].objects.items():
        parts = name.split(".")
        for k in range(len(parts)):
            if k < len(parts) - 1 or entry.objtype in ("class", "exception"):
                found[".".join(parts[k:])].add((entry.docname, entry.node_id))
    return found


def _link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    endings = _by_ending(app)
    for literal in list(doctree.findall(nodes.literal)):
        places = endings.get(literal.astext().removesuffix("()"), ())
        above = literal.parent
        while above is not None and not isinstance(above, (nodes.reference, nodes.title)):
            above = above.parent
        if above is None and len(places) == 1:
            ((target, node_id),) = places
            literal.replace_self(make_refnode(app.builder, docname, target, node_id, literal.deepcopy()))


def setup(app: Sphinx) -> dict:
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

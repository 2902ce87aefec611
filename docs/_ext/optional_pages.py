"""Lines of a table of contents that end with a star may match nothing, which Sphinx would warn of."""

import re
from fnmatch import fnmatch

from sphinx.application import Sphinx

_PATTERN = re.compile(r"^[\w/-]+\*\n", re.M)


def _without_empty(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        source[0] = _PATTERN.sub(
            lambda line: (
                line[0] if any(fnmatch(name, line[0].strip()) for name in app.env.found_docs) else ""
            ),
            source[0],
        )


def setup(app: Sphinx) -> dict:
    app.connect("source-read", _without_empty)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Contents on the first page: a pattern may match nothing, and `*` stands for the pages named nowhere else there."""

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ENTRY = re.compile(r"^[\w/*-]+\n", re.M)


def _resolve(app: "Sphinx", docname: str, source: list[str]) -> None:
    if docname != app.config.root_doc:
        return
    pages = sorted(app.env.found_docs - {docname})
    patterns = {line.strip() for line in _ENTRY.findall(source[0])} - {"*"}
    rest = [page for page in pages if "/" not in page and not any(fnmatch(page, p) for p in patterns)]

    def entry(line: re.Match) -> str:
        pattern = line[0].strip()
        if pattern == "*":
            return "".join(f"{page}\n" for page in rest)
        return line[0] if "*" not in pattern or any(fnmatch(page, pattern) for page in pages) else ""

    source[0] = _ENTRY.sub(entry, source[0])


def setup(app: "Sphinx") -> dict:
    app.connect("source-read", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

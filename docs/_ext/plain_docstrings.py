"""Docstrings are written to be read in a terminal; this makes of them the reStructuredText that they would be.

|x| is an absolute value and not a substitution, `Polynomial`s a plural, and a table may be one of Markdown.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LITERAL = re.compile(r"(``.*?``|`[^`]*`_?)")
_PLURAL = re.compile(r"(?<!`)(`[^`]+`)(?=[a-zA-Z])")
_RULE = re.compile(r"\|( *:?-+:? *\|)+")


def _text(line: str) -> str:
    parts = _LITERAL.split(line)
    parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
    return _PLURAL.sub(r"\1\\ ", "".join(parts))


def _cells(row: str) -> list[str]:
    return [_text(cell.strip().replace(r"\|", "|")) for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])]


def _table(rows: list[str]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        first, *others = _cells(row)
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return lines


def plain(lines: list[str]) -> list[str]:
    """Lines of a docstring as reStructuredText."""
    found, example, k = [], False, 0
    while k < len(lines):
        example = bool(lines[k].strip()) and (example or lines[k].lstrip().startswith(">>>"))
        if example:
            found.append(lines[k])
        elif k + 1 < len(lines) and _RULE.fullmatch(lines[k + 1].strip()):
            end = next((n for n in range(k, len(lines)) if not lines[n].startswith("|")), len(lines))
            found += ["", *_table([lines[k], *lines[k + 2 : end]]), ""]
            k = end - 1
        else:
            found.append(_text(lines[k]))
        k += 1
    return found


def _rewrite(app, what, name, value, options, lines: list[str]) -> None:
    lines[:] = plain(lines)


def _not_ours(app, what, name, value, skip, options) -> bool | None:
    """Members that scikit-learn adds to estimators by itself, with references into its own pages."""
    return True if name.startswith("set_") and name.endswith("_request") else None


def setup(app: "Sphinx") -> dict:
    app.connect("autodoc-process-docstring", _rewrite, priority=100)  # before numpydoc
    app.connect("autodoc-skip-member", _not_ours)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Pages that live outside docs/: measurements beside the benchmarks, and what belongs to the repository as a whole.

They are copied in before each build, into folders that git ignores, and links to them lead to the copies.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_DOCS = Path(__file__).resolve().parents[1]
_ROOT = _DOCS.parent
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
_TITLES = {"RESULTS": "The core beside its peers, Zen 5", "RESULTS-zen4": "The core beside its peers, Zen 4"}
_OF_THE_PROJECT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")


def _homes() -> dict[Path, Path]:
    measured = {path: _DOCS / "measurements" / path.name for path in sorted(_ROOT.glob("benchmarks/*.md"))}
    return measured | {
        _ROOT / name: _DOCS / "project" / name for name in _OF_THE_PROJECT if (_ROOT / name).exists()
    }


def _relink(text: str, source: Path, page: Path) -> str:
    """Links of a file as they are from its page: to pages, or to files; of those to folders the text."""
    homes = _homes()

    def link(match: re.Match) -> str:
        target = (source.parent / match[2]).resolve()
        if not target.exists():
            return match[0]
        if target.is_dir():
            return match[1]
        home = homes.get(target, target)
        outside = "path:" if home.suffix == ".md" and _DOCS not in home.parents else ""
        return f"[{match[1]}]({outside}{os.path.relpath(home, page.parent)}{match[3] or ''})"

    return _LINK.sub(link, text)


def _copy(app: "Sphinx", config) -> None:
    homes = _homes()
    for old in {*_DOCS.glob("measurements/*.md"), *_DOCS.glob("project/*.md")} - {*homes.values()}:
        old.unlink()
    for source, page in homes.items():
        text = _relink(source.read_text(encoding="utf-8"), source, page)
        if not text.startswith("# "):
            text = f"# {_title(source)}\n\n{text}"
        page.parent.mkdir(exist_ok=True)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def _title(source: Path) -> str:
    return _TITLES.get(source.stem, source.stem.replace("-", " ").capitalize())


def _relink_page(app: "Sphinx", docname: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(docname))
    if page not in _homes().values():
        source[0] = _relink(source[0], page, page)


def setup(app: "Sphinx") -> dict:
    app.connect("config-inited", _copy)
    app.connect("source-read", _relink_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

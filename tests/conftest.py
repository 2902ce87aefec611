"""Checks that the tests meet the installed packages, not the source folders; hypothesis settings."""

from html.parser import HTMLParser
from pathlib import Path

import hypothesis
import pytest

import tropical

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
# for runs whose subject is the compiled code, not the laws: pytest --hypothesis-profile=quick
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("ci"), max_examples=15)
hypothesis.settings.load_profile("ci")

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_sessionstart(session):
    installed = Path(tropical.__file__).resolve()
    if installed.is_relative_to(REPOSITORY / "tropical"):
        raise SystemExit(f"tests import {installed}, the source folder; run `make test`")


class _Markup(HTMLParser):
    """HTML as it reads: elements with their attributes, and the texts between them; elements have to close in order."""

    def __init__(self, html: str):
        super().__init__()
        self.texts: list[str] = [""]
        self.elements: list[tuple[str, dict]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        self._open.append(tag)
        self.texts.append("")

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data

    @property
    def is_inert(self) -> bool:
        """Whether it only shows: nothing that runs, loads or links, and no two signs of a formula in one text."""
        shown = {"div", "b", "span", "table", "thead", "tbody", "tr", "th", "td"}
        drawn = {"svg", "rect", "text", "tspan", "polyline", "polygon", "circle"}
        quiet = all(
            not name.startswith("on") and name not in ("href", "src") for _, a in self.elements for name in a
        )
        plain = all(len(piece) == 1 for piece in self.texts if "$" in piece or "\\" in piece)
        return {tag for tag, _ in self.elements} <= shown | drawn and quiet and plain


@pytest.fixture(scope="session")
def read_html():
    """The class that reads what notebooks are given."""
    return _Markup

"""The rows of a reproduction as columns, for pandas and notebooks."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from hjsym.paper.page import verdict
from hjsym.paper.store import FinishedRow
from tropical._html import card, facts, table, text

if TYPE_CHECKING:
    from hjsym.paper.runner import Reproduction

__all__ = ["columns_of", "summary_html"]


def columns_of(rows: Sequence[FinishedRow], first: int | None) -> dict[str, np.ndarray]:
    """A row for each figure; one without figures for what was skipped or failed."""
    pairs = list(islice(((row, m) for row in rows for m in row.measurements or (None,)), first))
    figures = [m for _, m in pairs]
    words = {
        "row": [row.name for row, _ in pairs],
        "verdict": [verdict(row)[0] for row, _ in pairs],
        "kind": ["" if m is None else m.kind for m in figures],
    }
    numbers = ("stated", "ours", "difference", "tolerance")
    columns = {name: np.array(values, dtype=str) for name, values in words.items()}
    columns["quantity"] = np.array(["" if m is None else m.quantity for m in figures], dtype=object)
    columns |= {name: np.array([getattr(m, name, None) for m in figures], dtype=float) for name in numbers}
    columns["passes"] = np.array([m is not None and m.passes for m in figures], dtype=bool)
    return columns


def summary_html(done: "Reproduction") -> str:
    """The verdicts, row by row."""
    counts = {}
    for row in done.rows:
        counts[verdict(row)[0]] = counts.get(verdict(row)[0], 0) + 1
    title = "Reproduction: " + ", ".join(f"{count} {word}" for word, count in counts.items())
    columns = {
        "row": [row.name for row in done.rows],
        "what": [text(row.title, 200) for row in done.rows],
        "verdict": [verdict(row)[0] for row in done.rows],
        "seconds": [row.seconds for row in done.rows],
    }
    return card(title, table(columns), facts({"report": str(done.report)}))

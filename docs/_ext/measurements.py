"""Tables from benchmarks/*.md: two processors side by side, and every case in which a peer is faster.

`side-by-side` takes the two files; `slower-than-a-peer` looks through all of them, and none can be left out by hand.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
_PEER = re.compile(r"([A-Za-z][^|]*?) ~?([\d,]*\.?\d+)x?(?: \(([^)]*)\))?(?:, (?=[A-Za-z])|$)")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of the tables of a file, by the names of their columns; of two of one name the first."""
    names: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            names = []
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not names:
            names = cells
        elif not set(line) <= set("|-: "):
            yield dict(zip(reversed(names), reversed(cells), strict=True))


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["````{list-table}", ":header-rows: 1", ""]
    for row in [head, *rows]:
        lines += [f"{'* -' if k == 0 else '  -'} {cell or '–'}" for k, cell in enumerate(row)]
    return "\n".join([*lines, "````"])


class SideBySide(SphinxDirective):
    """Ours, its share of the limit, and how many times as long the best peer takes, for each of two files."""

    required_arguments = 2
    option_spec: ClassVar = {"names": lambda text: [name.strip() for name in text.split(",")]}

    def run(self) -> list[nodes.Node]:
        first, second = (
            {
                (row["case"], row["op"], row["type"]): row
                for row in _rows(_BENCHMARKS / name)
                if "limit, ms" in row
            }
            for name in self.arguments
        )
        rows = [[*key, *self._cells(first[key]), *self._cells(second[key])] for key in first if key in second]
        columns = [
            f"{name}: {what}"
            for name in self.options["names"]
            for what in ("ms (of limit)", "best peer / ours")
        ]
        return self.parse_text_to_nodes(_table(["case", "op", "type", *columns], rows))

    @staticmethod
    def _cells(row: dict[str, str]) -> list[str]:
        return [row["ours, ms (of limit)"], row["best peer / ours"]]


def _faster(row: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Peers that are faster, and by how much, beside their share of our time."""
    best = row.get("best peer / ours", "").strip("*")
    if re.fullmatch(r"0\.\d+", best):
        yield re.split(":", next(v for k, v in row.items() if k.startswith("best peer, ms")))[0], best
    for name, value in row.items():
        if name.startswith(("peers", "other peers")):
            for peer, ratio, error in _PEER.findall(value):
                if float(ratio.replace(",", "")) < 1:
                    yield f"{peer}{', whose answer is NaN' if error == 'nan' else ''}", ratio


class SlowerThanAPeer(SphinxDirective):
    """Every row of the tables in which a peer takes less than our time."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for path in sorted(_BENCHMARKS.glob("*.md")):
            for row in _rows(path):
                case = " ".join(row[k] for k in ("case", "op", "type") if k in row)
                rows += [
                    [case, peer, ratio, f"[{path.stem}](measurements/{path.name})"]
                    for peer, ratio in _faster(row)
                ]
        return self.parse_text_to_nodes(_table(["case", "peer", "its time / ours", "table"], rows))


def setup(app: Sphinx) -> dict:
    app.add_directive("side-by-side", SideBySide)
    app.add_directive("slower-than-a-peer", SlowerThanAPeer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

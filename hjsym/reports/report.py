"""A report: headings, lines, tables and checks for people, and the same as plain data for machines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hjsym._printable import printable

__all__ = ["Check", "Heading", "Line", "Report", "Table"]


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Line:
    text: str


@dataclass(frozen=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Check:
    """A figure that has to be at most a limit."""

    what: str
    value: float
    limit: float

    @property
    def holds(self) -> bool:
        return bool(self.value <= self.limit)

    @property
    def shown(self) -> str:
        return "0" if self.value == 0 else f"{self.value:.2e}"

    @property
    def verdict(self) -> str:
        need = "exactly 0" if self.limit == 0 else f"≤ {self.limit:.3g}"
        return f"{'ok' if self.holds else 'FAILED'}, {need} needed"


@dataclass
class Report:
    """What a command has to say.

    Text from files goes through `printable`, so that no name in a model can reach the terminal as an escape.

    Attributes
    ----------
    data : dict
        What ``--json`` prints, beside `holds` and the checks: plain numbers, texts, lists and dictionaries, and arrays.
    blocks : list
        What is printed for people, in order.
    """

    data: dict = field(default_factory=dict)
    blocks: list[Heading | Line | Table | Check] = field(default_factory=list)

    def heading(self, text: str) -> None:
        self.blocks.append(Heading(printable(text)))

    def line(self, text: str = "") -> None:
        self.blocks += [Line(printable(part)) for part in text.split("\n")]

    def check(self, what: str, value: float, limit: float) -> None:
        self.blocks.append(Check(printable(what), float(value), float(limit)))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        head, *body = (tuple(map(printable, row)) for row in (header, *rows))
        self.blocks.append(Table(head, tuple(body)))

    @property
    def checks(self) -> list[Check]:
        return [block for block in self.blocks if isinstance(block, Check)]

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return all(check.holds for check in self.checks)

    def __str__(self) -> str:
        from hjsym.reports.plain import as_text

        return as_text(self)

"""Reports as plain text, for pipes and files and where rich is not installed."""

from functools import singledispatch

from hjsym.reports.report import Check, Heading, Line, Report, Table

__all__ = ["as_text", "is_number"]


def as_text(report: Report) -> str:
    """The whole report."""
    return "\n".join(line.rstrip() for block in report.blocks for line in _lines(block)).strip("\n")


@singledispatch
def _lines(block) -> list[str]:
    raise TypeError(f"{type(block).__name__} is no block of a report")


@_lines.register
def _(block: Heading) -> list[str]:
    return ["", block.text, "─" * len(block.text)]


@_lines.register
def _(block: Line) -> list[str]:
    return [f"  {block.text}"]


@_lines.register
def _(block: Check) -> list[str]:
    return [f"  {block.what:58} {block.shown:>10}   {block.verdict}"]


@_lines.register
def _(block: Table) -> list[str]:
    columns = list(zip(block.header, *block.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(is_number(cell) for cell in column[1:]) for column in columns]
    return [
        "  "
        + "   ".join(
            c.rjust(w) if numbers else c.ljust(w) for c, w, numbers in zip(row, widths, right, strict=True)
        )
        for row in (block.header, *block.rows)
    ]


def is_number(cell: str) -> bool:
    """Whether a cell is to stand on the right of its column."""
    return not cell or cell.lstrip("+-−")[:1] in set("0123456789∞.–")

"""Reports on a terminal, by rich."""

from functools import singledispatch

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from hjsym.reports.plain import is_number
from hjsym.reports.report import Check, Heading, Line, Report, Table

__all__ = ["show"]


def show(report: Report, console: Console) -> None:
    """Print the report; nothing in it is read as markup."""
    checks: list[Check] = []
    for block in report.blocks:
        if isinstance(block, Check):
            checks.append(block)
            continue
        _print_checks(checks, console)
        console.print(_rendered(block))
        checks = []
    _print_checks(checks, console)


def _print_checks(checks: list[Check], console: Console) -> None:
    if not checks:
        return
    grid = Grid.grid(padding=(0, 2))
    for check in checks:
        grid.add_row(
            Text("✓", "green") if check.holds else Text("✗", "bold red"),
            Text(check.what),
            Text(check.shown, justify="right"),
            Text(check.verdict, "dim" if check.holds else "bold red"),
        )
    console.print(Padding(grid, (0, 2)))


@singledispatch
def _rendered(block):
    raise TypeError(f"{type(block).__name__} is no block of a report")


@_rendered.register
def _(block: Heading):
    return Text(f"\n{block.text}", "bold cyan")


@_rendered.register
def _(block: Line):
    return Padding(Text(block.text), (0, 2))


@_rendered.register
def _(block: Table):
    grid = Grid(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for cells in zip(block.header, *block.rows, strict=True):
        numbers = all(map(is_number, cells[1:]))
        grid.add_column(Text(cells[0]), justify="right" if numbers else "left", no_wrap=numbers)
    for row in block.rows:
        grid.add_row(*map(Text, row))
    return Padding(grid, (0, 2))

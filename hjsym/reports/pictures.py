"""Pictures that a report writes and lists."""

from collections.abc import Iterable
from pathlib import Path

from hjsym._files import replaced
from hjsym.reports.report import Report

__all__ = ["list_pictures", "save_axes"]


def list_pictures(report: Report, paths: Iterable[Path]) -> None:
    """A section with the files, which are written as they are gone through."""
    report.heading("Pictures")
    report.data["pictures"] = []
    for path in paths:
        report.data["pictures"].append(path)
        report.line(str(path))


def save_axes(ax, path: Path) -> Path:
    """Write the figure of some axes of matplotlib; the file appears whole or not at all."""
    with replaced(path) as part:
        ax.figure.savefig(part, dpi=150, bbox_inches="tight")
    return path

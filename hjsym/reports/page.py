"""What the command line says about a page that it has written."""

from dataclasses import asdict

from hjsym.page import Page
from hjsym.reports.report import Report

__all__ = ["page_report"]

_SHOWN = {
    "layer": "the log-sum-exp layer, computed in the page at every ε",
    "network": "the network as P ⊘ Q, computed in the page at every ε",
    "table": "a table of values of the network",
}


def page_report(page: Page) -> Report:
    """Where it is, what it shows, and what it leaves out."""
    report = Report(asdict(page))
    report.heading(f"{page.path}, {page.size:,} bytes")
    report.line(f"shows: {_SHOWN[page.kind]}")
    report.line(f"looks at: {page.text}, {page.cells:,} linear regions")
    for text in page.left_out:
        report.line(f"leaves out: {text}")
    return report

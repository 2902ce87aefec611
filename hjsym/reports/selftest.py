"""The checks of `hjsym.selftest` as a report."""

from hjsym.reports.report import Report
from hjsym.selftest import results, versions
from tropical import core_info

__all__ = ["selftest_report"]


def selftest_report() -> Report:
    """A line for each check; the report fails if one of them does."""
    report = Report({"versions": versions() | {"kernels": core_info()}, "results": []})
    rows = []
    for result in results():
        report.data["results"].append(
            {"name": result.name, "holds": result.holds, "seconds": result.seconds, "detail": result.detail}
        )
        verdict = "ok" if result.holds else "FAILED"
        rows.append([result.name, f"{result.seconds:.2f}", verdict, result.detail])
    report.line(", ".join(f"{name} {value}" for name, value in versions().items()))
    report.table(["what", "seconds", "", "how well"], rows)
    failed = sum(not result["holds"] for result in report.data["results"])
    report.check(f"checks of {len(rows)} that failed", failed, 0.0)
    return report

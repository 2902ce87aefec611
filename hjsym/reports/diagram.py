"""The commutative square of a layer, with the error of each arrow beside its proved bound."""

from pathlib import Path

from hjsym.reports.model import Model
from hjsym.reports.pictures import list_pictures, save_axes
from hjsym.reports.report import Report
from hjsym.square import Diagram, diagram
from tropical.errors import InputError

__all__ = ["diagram_report"]


def diagram_report(
    path: Path,
    eps: float | None = None,
    t: float = 1.0,
    seed: int = 0,
    latex: bool = False,
    figures: Path | None = None,
) -> Report:
    """The square drawn, a check for each arrow, and the routes by which they were checked."""
    if seed < 0:
        raise InputError(f"--seed is {seed}; pass a whole number >= 0")
    model = Model.read(path)
    square = diagram(model.lse, eps, t, seed=seed)
    layer = square.layer
    report = Report({
        "model": path,
        "layer": {"neurons": layer.neurons, "variables": layer.variables, "eps": layer.eps, "kappa": layer.kappa},
        "t": square.t, "points": len(square.points), "limit_bound": square.limit_bound,
        "arrows": [
            {
                "source": a.source, "target": a.target, "claim": a.claim, "route": a.route, "error": a.error,
                "bound": a.bound, "holds": a.holds,
            }
            for a in square.arrows
        ],
        "latex": square.latex(),
    })  # fmt: skip
    report.heading(f"{path.name}: the square of {layer.neurons} neurons in {layer.variables} variables")
    report.line(f"ε = {layer.eps:g}, kernel gauge at t = {square.t:g}, κ = {layer.kappa:g}")
    report.line()
    report.line(_drawn(square))
    report.heading(f"Each arrow, at {len(square.points)} points: its error and the bound that is proved")
    for arrow in square.arrows:
        report.check(f"{arrow.source} → {arrow.target}: {arrow.claim}", arrow.error, arrow.bound)
    report.heading("The other side of each")
    report.table(
        ["arrow", "by"], [[f"{arrow.source} → {arrow.target}", arrow.route] for arrow in square.arrows]
    )
    if latex:
        report.heading("LaTeX")
        report.line(square.latex())
    if figures is not None:
        drawn = (save_axes(square.plot(), folder) for folder in [figures / f"{path.stem}-square.png"])
        list_pictures(report, drawn)
    return report


def _drawn(square: Diagram) -> str:
    """The corners, joined by the errors."""
    error = {(a.source, a.target): f"{a.error:.1e}" for a in square.arrows}

    def across(source: str, target: str) -> str:
        return f"── {error[source, target]:^7} ──→"

    def down(left: str, right: str) -> list[str]:
        return [
            f"{'│':<20}│",
            f"{'│ ' + error['network', left]:<12}{error['tropical', right]:>7} │",
            f"{'↓':<20}↓",
        ]

    solutions = ["f_ε " + across("network", "tropical") + " f_0", *down("viscous", "inviscid")]
    conjugates = ["f_ε " + across("network", "tropical") + " f_0", *down("entropic", "polyhedral")]
    solutions += ["u_ε " + across("viscous", "inviscid") + " u_0"]
    conjugates += ["f_ε*" + across("entropic", "polyhedral") + " f_0*"]
    return "\n".join(f"{a:<34}{b}" for a, b in zip(solutions, conjugates, strict=True))

"""A log-sum-exp layer read as a viscous Hamilton–Jacobi equation in both gauges, each checked."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hjsym import hopf
from hjsym.layers import Affine
from hjsym.plotting import attribution_figure
from hjsym.reports.examples import Asked, Examples
from hjsym.reports.model import Model
from hjsym.reports.pictures import list_pictures
from hjsym.reports.report import Report
from hjsym.reports.sweep import Sweep
from hjsym.reports.votes import describe_votes, neuron_names

__all__ = ["layer_report"]

_ATOMS = 4  # shown


def layer_report(
    model: Model, asked: Asked, t: float = 1.0, latex: bool = False, figures: Path | None = None
) -> Report:
    """f as initial data, f as a solution at time t, who decides at a point, and f_ε beside f_0."""
    layer, path = model.lse, model.path
    examples = Examples.of(asked, model.dataset, layer.variables)
    report = Report({"model": path, "network": model.description, "point": examples.description})
    report.heading(f"{path.name}: the layer f(x) = ε log Σ_j exp((W_j·x + b_j)/ε)")
    _describe_size(report, layer, examples)
    _describe_plane_wave(report, layer, examples, latex)
    _describe_kernel(report, layer, t, examples, latex)
    describe_votes(report, layer, examples, t)
    sweep = Sweep.of_polynomial(layer.polynomial, examples.points)
    sweep.describe(report, f"f_ε − f_0 over {examples.name}")
    if figures is not None:
        list_pictures(report, _pictures(layer, examples.point, sweep, figures, path))
    return report


def _pictures(layer: hopf.LSELayer, x: np.ndarray, sweep: Sweep, folder: Path, path: Path) -> Iterator[Path]:
    yield sweep.draw(folder / f"{path.stem}-eps-sweep.png", path.name)
    p, names = layer.polynomial, [f"neuron {name}" for name in neuron_names(layer)]
    target = folder / f"{path.stem}-attribution.png"
    yield attribution_figure(target, "Gibbs weights π", x, p.weights(x), names, p.gradient(x))


def _describe_size(report: Report, layer: hopf.LSELayer, examples: Examples) -> None:
    parameters = Affine(layer.W, layer.b).parameters
    report.line(
        f"{layer.neurons} neurons, {layer.variables} variables, {parameters:,} parameters, ε = {layer.eps:g}"
    )
    right = None
    if layer.labels is not None and examples.labels is not None:
        right = (layer.class_probabilities(examples.points).argmax(axis=1) == examples.labels).mean()
        report.line(f"as a classifier by its Gibbs weights: {right:.2%} of {examples.name} right")
    report.data["layer"] = {
        "neurons": layer.neurons, "variables": layer.variables, "eps": layer.eps, "kappa": layer.kappa,
        "viscosity": layer.viscosity, "accuracy": right,
    }  # fmt: skip


def _describe_plane_wave(report: Report, layer: hopf.LSELayer, examples: Examples, latex: bool) -> None:
    gauge = layer.plane_wave
    report.heading("Plane-wave gauge: f is the initial data (exact)")
    nu = layer.viscosity
    report.line(f"F_s = |∇F|² + {nu:g} ΔF,   F(x, 0) = f(x),   slopes W_j, phases b_j + s|W_j|²")
    if latex:
        report.line(f"LaTeX: {gauge.latex()}")
    report.data["plane_wave"] = {"latex": gauge.latex()}
    symbolic = hopf.symbolic_residual("plane wave", 3, 2)
    report.check("residual, SymPy, every weight a symbol (N = 3, d = 2)", float(symbolic != 0), 0.0)
    worst = np.abs(gauge.residual(examples.points)).max()
    report.check(f"residual, moments, {examples.name}", worst, 1e-12)


def _describe_kernel(report: Report, layer: hopf.LSELayer, t: float, examples: Examples, latex: bool) -> None:
    gauge, points = layer.kernel(t), examples.points
    report.heading(f"Kernel gauge: f is the solution at t = {t:g} of data g_j at atoms y_j = 2tW_j (exact)")
    defect = layer.eps * layer.variables / 2
    report.line(f"u_t + |∇u|² = {layer.viscosity:g} Δu − {defect:g}/t      u, the sum itself: starts from g")
    report.line(
        f"ũ_t + |∇ũ|² = {layer.viscosity:g} Δũ               ũ = u + {defect:g} log(4π·{layer.viscosity:g}·t)"
    )
    if latex:
        report.line(f"LaTeX: {gauge.latex()}")
        report.line(f"LaTeX: {gauge.latex(normalised=True)}")
    _describe_atoms(report, gauge)
    for normalised in (False, True):
        name = "kernel normalised" if normalised else "kernel"
        symbol = "ũ" if normalised else "u"
        symbolic = hopf.symbolic_residual(name, 3, 2)
        report.check(f"residual of {symbol}, SymPy, every weight a symbol", float(symbolic != 0), 0.0)
        worst = np.abs(gauge.residual(points, normalised)).max()
        report.check(f"residual of {symbol}, moments, {examples.name}", worst, 1e-12)
    report.check("f + u − |x|²/4t, relative", np.abs(gauge.identity_defect(points)).max(), 1e-12)
    if layer.neurons > 1:
        gap = np.abs(gauge.hopf_lax(points) - gauge.u(points)).max() / (layer.eps * math.log(layer.neurons))
        report.check("|Hopf–Lax − u| over ε log N", gap, 1.0)


def _describe_atoms(report: Report, gauge: hopf.KernelGauge) -> None:
    y, g = gauge.initial_data
    lowest = np.argsort(g)[:_ATOMS]
    rest = " …" if y.shape[1] > 5 else ""
    rows = [
        [str(j), f"{g[j]:.6f}", f"{np.linalg.norm(y[j]):.6f}", " ".join(f"{v:+.3f}" for v in y[j, :5]) + rest]
        for j in lowest
    ]
    report.line(f"initial data: {len(g)} atoms, the lowest {len(rows)}:")
    report.table(["j", "g_j", "|y_j|", "y_j"], rows)
    report.data["kernel"] = {
        "t": gauge.t, "latex": gauge.latex(), "latex_normalised": gauge.latex(normalised=True),
        "atoms": [{"atom": j, "g": g[j], "y": y[j]} for j in lowest],
    }  # fmt: skip

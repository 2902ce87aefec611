"""What decides at one input: neurons of a log-sum-exp layer or inputs of a network, and how far the decision holds."""

import math
from pathlib import Path

import numpy as np

from hjsym.attribution import Attribution
from hjsym.compile import TropicalNetwork, compile
from hjsym.hopf import LSELayer
from hjsym.plotting import attribution_figure
from hjsym.reports.differences import STEP, nearby
from hjsym.reports.examples import Asked, Examples
from hjsym.reports.model import Model
from hjsym.reports.pictures import list_pictures
from hjsym.reports.report import Report
from hjsym.reports.votes import describe_votes, neuron_names
from hjsym.robustness import certify
from tropical import Polynomial
from tropical.errors import InputError

__all__ = ["explanation_report"]

_NORMS = (2, math.inf, 1)
_ROUNDING = 1e-12


def explanation_report(
    path: Path,
    asked: Asked,
    eps: float | None = None,
    top: int = 10,
    output: int | None = None,
    figures: Path | None = None,
) -> Report:
    """Weights and losses without each part, the largest ones first, and certified radii in three norms."""
    if top < 1:
        raise InputError(f"--top is {top}; list at least one")
    model = Model.read(path)
    examples = Examples.of(asked, model.dataset, model.network.input_size)
    report = Report({"model": path, "point": examples.description})
    report.heading(f"{path.name} at {examples.title}")
    if model.layer is not None:
        drawn = _explain_layer(report, model.layer, examples, eps, top, output)
    else:
        drawn = _explain_network(report, compile(model.floats), examples, eps, top, output)
    if figures is not None:
        title, shares, names, slope = drawn
        target = figures / f"{path.stem}-attribution.png"
        list_pictures(
            report, (attribution_figure(p, title, examples.point, shares, names, slope) for p in [target])
        )
    return report


# ---- the neurons of a layer --------------------------------------------------------------------------


def _explain_layer(
    report: Report, layer: LSELayer, examples: Examples, eps: float | None, top: int, output: int | None
) -> tuple:
    if output not in (None, 0):
        raise InputError(f"--output is {output}; a log-sum-exp layer has the one output 0")
    if eps is not None:
        layer = LSELayer(layer.W, layer.b, eps, layer.kappa, layer.labels)
    report.line(f"f = {layer(examples.point):.12g} at ε = {layer.eps:g}")
    found = describe_votes(report, layer, examples, top=top)
    _check_votes(report, layer, found)
    _describe_certificate(report, layer, examples.point)
    p, x = layer.polynomial, examples.point
    return "Gibbs weights π", p.weights(x), [f"neuron {n}" for n in neuron_names(layer)], p.gradient(x)


def _check_votes(report: Report, layer: LSELayer, found: Attribution) -> None:
    """Losses against the layer with a neuron taken out."""
    p, x = layer.polynomial, found.x
    worst = 0.0
    for j, loss in zip(found.index, found.loss, strict=True):
        rest = np.arange(len(p)) != j
        if rest.any():
            without = Polynomial(p.slopes[rest], p.coefficients[rest], p.semiring)(x)
            worst = max(worst, abs(found.value - without - loss))
    size = (np.abs(p.slopes) @ np.abs(x) + np.abs(p.coefficients)).max() + layer.eps
    report.check("losses − f with the neuron taken out, relative", worst / size, _ROUNDING)


# ---- the inputs of a network -------------------------------------------------------------------------


def _explain_network(
    report: Report, f: TropicalNetwork, examples: Examples, eps: float | None, top: int, output: int | None
) -> tuple:
    if eps is not None:
        f = f.deform(eps)
    x = examples.point
    scores = f(x)
    chosen = int(scores.argmax()) if output is None else output
    if not 0 <= chosen < len(scores):
        raise InputError(f"--output is {output}; the network has outputs 0 to {len(scores) - 1}")
    slope = f.gradient(x)[chosen]
    shares, losses = slope * x, scores[chosen] - _without_each(f, x, chosen)
    constant = float(scores[chosen] - shares.sum())
    report.line(f"output {chosen}: f = {scores[chosen]:.12g} = Σ slope × input {constant:+.12g}")
    order = np.argsort(-np.abs(shares), kind="stable")[:top]
    rows = [
        {"input": int(k), "x": x[k], "slope": slope[k], "share": shares[k], "loss": losses[k]} for k in order
    ]
    report.data["attribution"] = {
        "output": chosen, "value": scores[chosen], "scores": scores, "constant": constant, "inputs": rows,
    }  # fmt: skip
    report.table(
        ["input", "x", "slope", "slope × x", "f falls with it at 0 by"],
        [
            [f"x{row['input'] + 1}", *(f"{row[k]:.6f}" for k in ("x", "slope", "share", "loss"))]
            for row in rows
        ],
    )
    _check_slope(report, f, x, chosen)
    _describe_certificate(report, f, x)
    names = [f"x{k}" for k in range(1, len(x) + 1)]
    return f"slope × input, output {chosen}", shares, names, slope


def _without_each(f: TropicalNetwork, x: np.ndarray, output: int) -> np.ndarray:
    """f with one coordinate after the other set to 0; where it is 0 already nothing is lost."""
    values = np.full(len(x), f(x)[output])
    for k in np.flatnonzero(x):
        point = x.copy()
        point[k] = 0
        values[k] = f(point)[output]
    return values


def _check_slope(report: Report, f: TropicalNetwork, x: np.ndarray, output: int) -> None:
    """The slope along itself, near the point, by a central difference of the network as it was read."""
    x = nearby(x)
    slope = f.gradient(x)[output]
    size = np.linalg.norm(slope)
    if not size:
        return
    step = STEP * max(1.0, np.abs(x).max()) * slope / size
    ahead, back = (f.network(x + s * step)[output] for s in (1, -1))
    found = (ahead - back) / (2 * np.linalg.norm(step))
    report.check("|slope| − difference along it, near the point, relative", abs(found - size) / size, 1e-6)


# ---- certificates ------------------------------------------------------------------------------------


def _describe_certificate(report: Report, f, x: np.ndarray) -> None:
    """Radii in which the decision is proved to be the same."""
    report.heading("How far the decision is proved to hold")
    rows, report.data["certificates"] = [], []
    for norm in _NORMS:
        found = certify(f, x, norm)
        entry = {
            name: getattr(found, name) for name in ("radius", "lipschitz", "curvature", "convexity", "margin")
        }
        called = "inf" if norm == math.inf else str(norm)
        report.data["certificates"].append({"norm": called, "decision": found.decision} | entry)
        rows.append([f"‖·‖_{'∞' if norm == math.inf else norm}", *(f"{v:.6g}" for v in entry.values())])
    report.line(f"decision: {_decision(f, int(found.decision))}")
    report.table(["norm", "radius", "by Lipschitz", "by curvature", "by convexity", "margin"], rows)


def _decision(f, decision: int) -> str:
    """In words: a class, or the sign of one function."""
    if isinstance(f, LSELayer) and f.labels is not None:
        return f"class {decision}"
    if isinstance(f, LSELayer) or f.network.output_size == 1:
        return "f > 0" if decision else "f ≤ 0"
    return f"output {decision} is the largest"

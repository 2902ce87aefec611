"""Which neurons of a log-sum-exp layer decide at a point."""

import math

import numpy as np

from hjsym.attribution import Attribution, attribute
from hjsym.hopf import LSELayer
from hjsym.reports.examples import Examples
from hjsym.reports.report import Report

__all__ = ["describe_votes", "neuron_names"]

_CLASSES = 3  # shown


def describe_votes(
    report: Report, layer: LSELayer, examples: Examples, t: float = 1.0, top: int = 5
) -> Attribution:
    """Gibbs weights, exact leave-one-out losses, entropy, and what the classes get."""
    report.heading(f"Attribution at {examples.title}")
    found = attribute(layer, examples.point, top=top, t=t)
    report.line(
        f"entropy H(π) = {found.entropy:.6f} nats: as many as {found.effective:.3f} equal neurons; "
        f"Δ/ε = {found.sharpness:.3f}, log N = {math.log(layer.neurons):.3f}"
    )
    report.line(f"soft prediction of the initial value, E_π[g] = {found.mean:.6f}")
    report.data["attribution"] = {
        "value": found.value, "eps": found.eps, "t": found.t, "entropy": found.entropy,
        "effective": found.effective, "gap": found.gap, "mean": found.mean, "atoms": found.table(),
        "classes": None,
    }  # fmt: skip
    if layer.labels is not None:
        best = np.argsort(-found.class_weight)
        report.data["attribution"]["classes"] = [
            {"class": found.classes[c], "weight": found.class_weight[c]} for c in best
        ]
        masses = (f"{found.classes[c]}: {found.class_weight[c]:.6f}" for c in best[:_CLASSES])
        report.line("class masses: " + ", ".join(masses))
    names = neuron_names(layer)
    rows = [
        [names[row["atom"]], f"{row['weight']:.6f}", f"{row['loss']:.6f}", f"{row['g']:.6f}"]
        for row in found.table()
    ]
    report.table(["neuron", "π", "f falls without it by", "g"], rows)
    return found


def neuron_names(layer: LSELayer) -> list[str]:
    """Numbers, with the class that each votes for."""
    if layer.labels is None:
        return [str(j) for j in range(layer.neurons)]
    return [f"{j} ({label})" for j, label in enumerate(layer.labels)]

"""The affine piece of a network at a point, in floats and in rational arithmetic."""

import numpy as np

from hjsym.compile import TropicalNetwork
from hjsym.reports.report import Report

__all__ = ["describe_piece"]

_SHOWN = 5  # entries of the slope


def describe_piece(report: Report, f: TropicalNetwork, x: np.ndarray, called: str) -> None:
    """f = s·x + c around x for the largest output, checked over Fractions, and the active monomials of P and Q."""
    report.heading(f"The affine piece at {called}")
    scores = f(x)
    winner = int(scores.argmax())
    report.line(f"largest output: {winner}, f = {scores[winner]:.12g}")
    g = f.exactly
    slopes, intercepts = (a[winner] for a in g.affine_at(x))
    slope, intercept = slopes.astype(float), float(intercepts)
    top = np.argsort(-np.abs(slope))[:_SHOWN]
    shown = " ".join(f"{slope[k]:+.4f}·x{k + 1}" for k in top) + (" …" if len(slope) > _SHOWN else "")
    report.line(
        f"f = s·x + c around it, c = {intercept:.12g}, s = {shown}, |s| = {np.linalg.norm(slope):.6g}"
    )
    report.data["piece"] = {
        "output": winner, "value": scores[winner], "scores": scores, "slope": slope, "intercept": intercept,
    }  # fmt: skip
    exact_x = np.array([*map(type(intercepts), x.tolist())], dtype=object)
    value = slopes @ exact_x + intercepts
    report.check("s·x + c − f(x) in rational arithmetic", abs(float(value - g(x)[winner])), 0.0)
    for name, part in (("P", g.P), ("Q", g.Q)):
        exponents, coefficient = (a[winner] for a in part.affine_at(x))
        degree, largest = float(sum(exponents)), float(max(exponents))
        report.data["piece"][name] = {
            "coefficient": float(coefficient), "degree": degree, "largest_exponent": largest,
        }  # fmt: skip
        report.line(
            f"active monomial of {name}: coefficient {float(coefficient):.12g}, "
            f"degree Σ exponents = {degree:.12g}, largest exponent {largest:.6g}"
        )

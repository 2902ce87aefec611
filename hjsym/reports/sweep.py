"""How far a function is from its tropical limit as the temperature falls, beside the proved bound."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hjsym.compile import TropicalNetwork
from hjsym.plotting import eps_sweep_figure
from hjsym.reports.report import Report
from tropical import Polynomial

__all__ = ["Sweep"]

_EPS = np.logspace(0, -4, 9)


@dataclass(frozen=True, eq=False)
class Sweep:
    """max |f_ε − f_0| over points at each temperature, and its bound for all points."""

    deviation: np.ndarray
    bound: np.ndarray

    @classmethod
    def of_network(cls, f: TropicalNetwork, points: np.ndarray) -> "Sweep":
        scores, deformed = f(points), [f.deform(eps) for eps in _EPS]
        return cls(
            np.array([np.abs(g(points) - scores).max() for g in deformed]),
            np.array([g.deformation_bound().max() for g in deformed]),
        )

    @classmethod
    def of_polynomial(cls, p: Polynomial, points: np.ndarray) -> "Sweep":
        deformed = [p.deform(eps) for eps in _EPS]
        return cls(
            np.array([q.excess(points).max() for q in deformed]),
            np.array([q.deformation_bound() for q in deformed]),
        )

    def describe(self, report: Report, what: str) -> None:
        """A section of the report, with the check that the bound holds."""
        report.heading(f"Temperature: {what}")
        if not self.bound.any():
            report.data["sweep"] = []
            report.line("the network is affine: no gate to deform")
            return
        ratios = self.deviation / self.bound
        columns = {"eps": _EPS, "deviation": self.deviation, "bound": self.bound, "ratio": ratios}
        report.data["sweep"] = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        rows = [
            [f"{e:.4g}", f"{d:.3e}", f"{b:.3e}", f"{r:.2g}"]
            for e, d, b, r in zip(*columns.values(), strict=True)
        ]
        report.table(["ε", "max |f_ε − f_0|", "proved bound", "ratio"], rows)
        report.check("largest ratio to the bound", ratios.max(), 1.0)

    def draw(self, path: Path, title: str) -> Path:
        return eps_sweep_figure(path, title, _EPS, self.deviation, self.bound)

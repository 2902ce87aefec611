"""Pictures, written to files; matplotlib is imported when one is asked for."""

from pathlib import Path

import numpy as np

from hjsym._files import replaced
from tropical._figures import BLUE, GREEN, GREY, RED, new_figure

__all__ = ["attribution_figure", "eps_sweep_figure"]


def _new_figure(columns: int, width: float):
    figure = new_figure(figsize=(width, 3.4), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _save(figure, path: Path) -> Path:
    with replaced(path) as part:
        figure.savefig(part, dpi=150)
    return path


def eps_sweep_figure(
    path: Path, title: str, eps: np.ndarray, deviation: np.ndarray, bound: np.ndarray
) -> Path:
    """max |f_ε − f_0| over the points, and the proved bound, against ε on logarithmic axes."""
    figure, (axis,) = _new_figure(1, 5.2)
    axis.loglog(eps, bound, color=RED, linestyle="--", label="proved bound, all x")
    axis.loglog(eps, deviation, color=BLUE, marker="o", markersize=4, label="measured maximum")
    axis.set_xlabel("temperature ε")
    axis.set_ylabel("|f_ε − f_0|")
    axis.set_title(title)
    axis.grid(True, which="major", color=GREY, alpha=0.3)
    axis.legend(frameon=False)
    return _save(figure, path)


def attribution_figure(
    path: Path, title: str, point: np.ndarray, shares: np.ndarray, names: list[str], slope: np.ndarray
) -> Path:
    """The point, the largest attribution weights, and the local slope; square points are drawn as images."""
    figure, (left, middle, right) = _new_figure(3, 10.0)
    order = np.argsort(-np.abs(shares))[:10]
    middle.barh([names[j] for j in order][::-1], shares[order][::-1], color=BLUE)
    middle.set_xlabel("weight")
    if shares.min() > 0:  # Gibbs weights fall off exponentially
        middle.set_xscale("log")
    middle.set_title(title)
    side = round(len(point) ** 0.5)
    for axis, values, name, colours in (
        (left, point, "input", "Greys"),
        (right, slope, "local slope ∇f", "PuOr"),
    ):
        axis.set_title(name)
        if side * side != len(values):
            axis.bar(np.arange(len(values)), values, color=GREEN)
            continue
        top = np.abs(values).max() or 1.0
        low = 0.0 if colours == "Greys" else -top
        image = axis.imshow(values.reshape(side, side), cmap=colours, vmin=low, vmax=top)
        axis.set_axis_off()
        figure.colorbar(image, ax=axis, shrink=0.8)
    return _save(figure, path)

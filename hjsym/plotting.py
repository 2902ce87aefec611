"""Pictures, written to files; matplotlib is imported when one is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from hjsym._files import replaced
from hjsym.compile import TropicalNetwork, compile
from hjsym.layers import Affine
from hjsym.network import Network, Node
from tropical import Box, Slice, decision_regions
from tropical._arrays import as_array, to_floats
from tropical._figures import BLUE, GREEN, GREY, RED, axes_or_new, new_figure
from tropical.errors import ShapeError

__all__ = ["attribution_figure", "eps_sweep_figure", "plot_slice", "plot_weights"]


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
    plot_weights([names[j] for j in order], shares[order], middle)
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


def plot_weights(names: list[str], weights: np.ndarray, ax=None):
    """Bars from top to bottom on the matplotlib Axes given, or on those of a new figure, which are returned."""
    ax = axes_or_new(ax)
    ax.barh(names[::-1], weights[::-1], color=BLUE)
    ax.set_xlabel("weight")
    if weights.min() > 0:  # Gibbs weights fall off exponentially
        ax.set_xscale("log")
    return ax


def plot_slice(f, points: ArrayLike, ax=None, *, margin: float = 0.25, shape=None, names=None, **options):
    """Draw the decision regions of a network on the plane through three of its inputs.

    Coordinates are those of the triangle, whose corners are at (0, 0), (1, 0) and (0, 1). Inputs that are square
    images, or of the `shape` given, stand at the corners. Regions are exact, see `tropical.decision_regions`.

    Parameters
    ----------
    f : network, or what `hjsym.compile` makes of one
        With one output f the classes are 0, where f < 0, and 1.
    points : (3, d) array
    ax : matplotlib Axes, optional
        Those of a new figure by default.
    margin : float
        How far the picture reaches beyond the triangle.
    shape : (int, int), optional
        Height and width of an image.
    names : sequence of str, optional
        Of the classes.
    **options
        As for `tropical.linear_regions`.

    Returns
    -------
    Axes

    Examples
    --------
    >>> net = [(np.eye(4), np.zeros(4)), ([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]], np.zeros(3))]
    >>> ax = plot_slice(net, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['0', '1', '2']
    """
    points = as_array("points", points)
    if points.ndim != 2 or len(points) != 3:
        raise ShapeError(f"points have shape {points.shape}; pass three of them, (3, d)")
    f = f if isinstance(f, TropicalNetwork) else compile(f)
    if f.network.output_size == 1:
        scores = Affine([[0.0], [1.0]], [0.0, 0.0])
        nodes = (*f.network.nodes, Node(scores, (len(f.network.nodes),)))
        f = compile(Network(f.network.input_size, nodes))
    window = Box(-margin, 1 + margin)
    decided = decision_regions(f, Slice.through(points, window), **options)
    ax = decided.plot(axes_or_new(ax), window=((-margin, 1 + margin),) * 2, names=names)
    ax.set_aspect("equal")
    _draw_corners(ax, to_floats(points), shape)
    return ax


def _draw_corners(ax, points: np.ndarray, shape) -> None:
    """The inputs at the corners: as images, or as dots where they are none."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    places = [(0, 0), (1, 0), (0, 1)]
    ax.plot(*np.array([*places, places[0]]).T, color="white", linewidth=1, linestyle=":")
    side = round(points.shape[1] ** 0.5)
    shape = shape or (side, side)
    if np.prod(shape) != points.shape[1] or points.shape[1] < 4:
        ax.scatter(*np.transpose(places), color="white", edgecolors="black", zorder=4)
        return
    for place, point in zip(places, points, strict=True):
        image = OffsetImage(point.reshape(shape), zoom=36 / max(shape), cmap="Greys", interpolation="nearest")
        ax.add_artist(AnnotationBbox(image, place, pad=0.15))

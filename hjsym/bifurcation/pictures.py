"""Pictures of entropy landscapes and bifurcation diagrams, with matplotlib."""

import numpy as np

from hjsym.bifurcation.critical import CriticalPoints, critical_points
from hjsym.bifurcation.landscape import EntropyLandscape
from tropical import Slice
from tropical._figures import BLUE, GREEN, GREY, INK, RED, axes_or_new

__all__ = ["draw_counts", "draw_diagram", "draw_landscape"]

_KINDS = {"minimum": (BLUE, "v"), "saddle": (GREEN, "D"), "maximum": (RED, "^"), "degenerate": (INK, "*")}


def draw_landscape(source, eps: float, domain=None, ax=None, *, resolution: int = 200, found=None):
    """Draw H over an interval or a rectangle, with its critical points by kind.

    Parameters
    ----------
    source, eps, domain
        As for `critical_points`.
    ax : matplotlib Axes, optional
        Those of a new figure by default.
    resolution : int
        Points along either axis.
    found : CriticalPoints, optional
        Those to mark, where they are known already.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = draw_landscape(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), 0.2, (-2, 2))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['minimum (1)', 'maximum (2)']
    """
    found = critical_points(source, eps, domain) if found is None else found
    H = EntropyLandscape.of(
        source, Slice(domain.origin, domain.directions) if isinstance(domain, Slice) else None
    )
    ax = axes_or_new(ax)
    axes = [np.linspace(a, b, resolution) for a, b in zip(found.low, found.high, strict=True)]
    if H.variables == 1:
        ax.plot(axes[0], H(axes[0][:, None], eps), color=INK, linewidth=1.2)
        ax.set_ylabel("entropy H (nats)")
        _mark(ax, found, lambda x: (x[:, 0], H(x, eps)))
    else:
        grid = np.stack(np.meshgrid(*axes), axis=-1)
        shown = ax.pcolormesh(*axes, H(grid, eps), cmap="Greys", shading="gouraud")
        ax.figure.colorbar(shown, ax=ax, label="entropy H (nats)")
        ax.set_ylabel("x2")
        _mark(ax, found, lambda x: x.T)
    ax.set_xlabel("x" if H.variables == 1 else "x1")
    ax.set_title(
        f"ε = {eps:.4g}: {len(found)} critical points" + ("" if found.confirmed else ", not confirmed")
    )
    return ax


def _mark(ax, found: CriticalPoints, place) -> None:
    for kind, (color, marker) in _KINDS.items():
        points = found.of_kind(kind)
        if points:
            at = place(np.array([p.x for p in points]))
            label = f"{kind} ({len(points)})"
            ax.scatter(
                *at,
                color=color,
                marker=marker,
                s=28,
                zorder=3,
                edgecolors="white",
                linewidths=0.5,
                label=label,
            )
    if len(found):
        ax.legend(framealpha=0.85, edgecolor="none")


def draw_diagram(diagram, ax=None, coordinate: int = 0):
    """Draw a coordinate of the critical points of a `BifurcationDiagram` against ε, coloured by Morse index.

    Folds are dots and pitchforks stars.

    Parameters
    ----------
    diagram : BifurcationDiagram
    ax : matplotlib Axes, optional
        Those of a new figure by default.
    coordinate : int
        Of x, counted from 0.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from hjsym.bifurcation import bifurcation_diagram
    >>> ax = draw_diagram(bifurcation_diagram(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), (0.2, 0.5)))
    """
    ax, d = axes_or_new(ax), len(diagram.low)
    kinds = ["minimum", "maximum"] if d == 1 else ["minimum", "saddle", "maximum"]
    for branch in diagram.branches:
        for eps, x, index in branch.pieces():
            ax.plot(eps, x[:, coordinate], color=_KINDS[kinds[index]][0], linewidth=1.2)
    for events, marker, label in ((diagram.folds, "o", "fold"), (diagram.pitchforks, "*", "pitchfork")):
        if events:
            at = [e.eps for e in events], [e.x[coordinate] for e in events]
            ax.plot(
                *at, marker, color=INK, markersize=7 if marker == "*" else 4, label=f"{label} ({len(events)})"
            )
    for kind in kinds:
        ax.plot([], [], color=_KINDS[kind][0], label=kind)
    ax.set_xscale("log")
    ax.set_xlabel("temperature ε")
    ax.set_ylabel("x" if d == 1 else f"x{coordinate + 1}")
    ax.legend(frameon=False)
    return ax


def draw_counts(levels, ax=None):
    """Draw the numbers of critical points, by kind, against ε.

    Parameters
    ----------
    levels : sequence of CriticalPoints
        As `sweep` returns them; those that the degree does not confirm are hollow.
    ax : matplotlib Axes, optional
        Those of a new figure by default.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from hjsym.bifurcation import sweep
    >>> levels = sweep(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), [0.2, 0.3, 0.4])
    >>> ax = draw_counts(levels)
    """
    ax, levels = axes_or_new(ax), sorted(levels, key=lambda level: level.eps)
    eps = [level.eps for level in levels]
    total = [len(level) for level in levels]
    ax.step(eps, total, where="mid", color=INK, linewidth=1.2, label="all")
    for kind, (color, _) in _KINDS.items():
        counts = [len(level.of_kind(kind)) for level in levels]
        if any(counts):
            ax.step(eps, counts, where="mid", color=color, linewidth=1, label=kind)
    doubtful = [(e, n) for e, n, level in zip(eps, total, levels, strict=True) if not level.confirmed]
    if doubtful:
        ax.plot(*np.transpose(doubtful), "o", color=GREY, markerfacecolor="none", label="not confirmed")
    ax.set_xscale("log")
    ax.set_xlabel("temperature ε")
    ax.set_ylabel("critical points")
    ax.legend(frameon=False)
    return ax

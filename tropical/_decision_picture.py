"""Pictures of decision regions in the plane: classes as colours, regions as thin lines, the boundary as a thick one."""

from typing import TYPE_CHECKING

import numpy as np

from tropical._figures import GREY, INK, PALETTE, axes_or_new, sides
from tropical._region_picture import polygon, spread_of, window_of
from tropical.errors import InputError

if TYPE_CHECKING:
    from tropical.decision import DecisionRegions

__all__ = ["draw", "segment"]

# P. Tol, "Colour schemes", 2021: three of the muted ones that differ from the palette's seven
_COLOURS = [*PALETTE, "#882255", "#332288", GREY]


def draw(decided: "DecisionRegions", window, names, ax):
    """Fill each region with the colour of its class, and draw the facets between classes."""
    regions = decided.regions
    if regions.variables != 2:
        raise InputError(
            f"the regions have {regions.variables} variables; draw those of two, or of a Slice along two directions"
        )
    ax = axes_or_new(ax)
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.patches import Patch

    (left, right), (low, high) = (window_of(regions) if window is None else sides(window, 2)).tolist()
    reach = 4 * (right - left + high - low) + spread_of(regions)
    present = sorted(set(decided.classes.tolist()))
    colour = {c: _COLOURS[k % len(_COLOURS)] for k, c in enumerate(present)}
    shapes = [polygon(region, reach) for region in regions]
    faces = [colour[c] for c in decided.classes.tolist()]
    ax.add_collection(
        PolyCollection(shapes, facecolors=faces, edgecolors="white", linewidths=0.3, alpha=0.55)
    )
    segments = [segment(*facet, reach) for facet in decided.facets()]
    ax.add_collection(LineCollection(segments, colors=INK, linewidths=1.8, capstyle="round"))
    labels = [str(c) if names is None else str(names[c]) for c in present]
    patches = [Patch(color=colour[c], alpha=0.55) for c in present]
    ax.legend(patches, labels, loc="upper right", framealpha=0.9)
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    return ax


def segment(points: np.ndarray, directions: np.ndarray, reach: float) -> np.ndarray:
    """The two ends of an edge, with what goes to infinity cut off after a length `reach`."""
    points, away = points.astype(float), directions.astype(float)
    if not len(away):
        return points
    away /= np.abs(away).max(axis=1, keepdims=True)  # whole numbers may be huge
    away *= reach / np.linalg.norm(away, axis=1, keepdims=True)
    return np.concatenate([points, points[:1] + away])[-2:]

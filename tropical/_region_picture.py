"""Pictures of linear regions in the plane, with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from tropical._figures import axes_or_new, sides
from tropical._region_shape import exact_array, vertices
from tropical.errors import InputError

if TYPE_CHECKING:
    from tropical.regions import Regions

__all__ = ["draw", "polygon", "spread_of", "window_of"]


def polygon(region, reach: float) -> np.ndarray:
    """Corners (n, 2) of a region in order, with its directions to infinity cut off after a length `reach`."""
    from scipy.spatial import ConvexHull

    corners = exact_array(vertices(region._column("rays"))).astype(
        float
    )  # a point of each face, if lines lie in it
    directions = region.directions.astype(float)
    if len(directions):
        # rays of huge whole numbers stay finite: by the largest entry first
        directions /= np.abs(directions).max(axis=1, keepdims=True)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        far = (corners[:, None] + reach * directions[None]).reshape(-1, 2)
        corners = np.concatenate([corners, far])
    centre = corners.mean(axis=0)
    corners = corners[np.argsort(np.arctan2(*(corners - centre).T[::-1]))]
    return corners if not len(directions) else corners[ConvexHull(corners).vertices]


def draw(regions: "Regions", window, colour_of: np.ndarray, ax):
    """Fill each region within the window ((x1 low, x1 high), (x2 low, x2 high)) with a colour by number."""
    if regions.variables != 2:
        raise InputError(
            f"the regions have {regions.variables} variables; draw those of two, or of a Slice along two directions"
        )
    ax = axes_or_new(ax)
    from matplotlib import colormaps
    from matplotlib.collections import PolyCollection

    (left, right), (low, high) = (window_of(regions) if window is None else sides(window, 2)).tolist()
    reach = 4 * (right - left + high - low) + spread_of(regions)
    shapes = [polygon(region, reach) for region in regions]
    # neighbours of one number stay apart by their edges; a golden step keeps near numbers apart in colour
    colours = colormaps["viridis"]((colour_of * 0.6180339887498949) % 1)
    ax.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="white", linewidths=0.4))
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    return ax


def _corners(regions: "Regions") -> np.ndarray:
    points = [v for region in regions for v in region.vertices.astype(float).tolist()]
    return np.array(points or [[0.0, 0.0]])


def spread_of(regions: "Regions") -> float:
    return 4 * float(np.abs(_corners(regions)).max())


def window_of(regions: "Regions") -> np.ndarray:
    """Most vertices, with a margin; a few far away do not count."""
    low, high = np.quantile(_corners(regions), [0.05, 0.95], axis=0)
    margin = 0.25 * (high - low) + (high == low)
    return np.stack([low - margin, high + margin], axis=1)

"""What of a curve or surface lies in a box, for pictures of it."""

from itertools import pairwise

import numpy as np

__all__ = ["box_of", "clip", "clipped_edge", "clipped_polygon"]


def box_of(h) -> np.ndarray:
    """The vertices with half their extent, at least 1, around them, equally long on all sides."""
    points = h.vertices.astype(float) if len(h.vertices) else np.zeros((1, h.variables))
    low, high = points.min(axis=0), points.max(axis=0)
    half = max(1.0, (high - low).max())
    middle = (low + high) / 2
    return np.stack([middle - half, middle + half], axis=1)


def _generators(h, cell) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and directions of a cell as floats; lineality goes both ways."""
    directions = [*cell.rays, *h.lineality, *-h.lineality]
    directions = np.array(directions, dtype=float).reshape(len(directions), h.variables)
    return h.vertices[list(cell.vertices)].astype(float), directions


def _reach(points: np.ndarray, box: np.ndarray) -> float:
    return 4 * float(np.abs(box).max() + np.abs(points).max() + 1)


def clipped_edge(curve, cell, box: np.ndarray) -> np.ndarray | None:
    """The two ends of what lies in the box."""
    points, directions = _generators(curve, cell)
    far = [points[0] + d / np.linalg.norm(d) * _reach(points, box) for d in directions]
    ends = far if len(far) == 2 else [*points, *far]
    polygon = clip(np.array([ends[0], ends[1]]), box)
    return polygon[[0, -1]] if len(polygon) else None


def clipped_polygon(surface, cell, box: np.ndarray) -> np.ndarray:
    """What of a cell lies in the box, as corners in order around it."""
    points, directions = _generators(surface, cell)
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    reach = _reach(points, box)
    # A cone of rays, cut far outside the box: sums of two rays reach its corners.
    steps = [reach * u for u in unit] + [reach * (u + v) for u in unit for v in unit]
    corners = np.concatenate([points, *(points + step for step in steps)])
    return clip(_around(corners, np.array(cell.normal, dtype=float)), box)


def _around(corners: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The convex hull of coplanar points in R³, in order around it."""
    from scipy.spatial import ConvexHull, QhullError

    kept = np.delete(np.arange(3), np.abs(normal).argmax())
    try:
        return corners[ConvexHull(corners[:, kept]).vertices]
    except QhullError:  # thinner than floats tell
        return corners[:0]


def clip(polygon: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A convex polygon, or a segment, cut at each side of a box in turn (Sutherland and Hodgman)."""
    closed = len(polygon) > 2
    for axis, (low, high) in enumerate(box):
        for sign, bound in ((1, low), (-1, -high)):
            inside = sign * polygon[:, axis] - bound
            kept: list[np.ndarray] = []
            order = list(range(len(polygon))) + ([0] if closed and len(polygon) else [])
            for i, j in pairwise(order):
                if inside[i] >= 0:
                    kept.append(polygon[i])
                if inside[i] * inside[j] < 0:
                    kept.append(polygon[i] + inside[i] / (inside[i] - inside[j]) * (polygon[j] - polygon[i]))
            if not closed and len(polygon) and inside[-1] >= 0:
                kept.append(polygon[-1])
            polygon = np.array(kept).reshape(len(kept), polygon.shape[1])
    return polygon

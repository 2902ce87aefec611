"""Exact convex hulls of integer points that span their space.

Qhull, in floats, proposes the vertices. Their hull is built in integers, every other point is then held against it
exactly, and points that turn out to lie outside join the proposal; so rounding costs time and never a facet.
"""

import math
from itertools import combinations

import numpy as np

from tropical._lattice import IntegerPoints, Planes, pivot_columns
from tropical.errors import BudgetExceeded

__all__ = [
    "MAX_BOUND",
    "FlatError",
    "beneath_beyond",
    "check_facets",
    "convex_hull",
    "extreme",
    "facet_bound",
    "facets",
    "left_out",
    "outline",
    "to_unit",
]

MAX_BOUND = 10**10  # of facets that there could be; most hulls have far fewer
_MAX_FACETS = 10**7


def facet_bound(n: int, D: int) -> int:
    """Facets that n points in D dimensions can have, to within a factor of 2: McMullen's C(n − ⌈D/2⌉, ⌊D/2⌋)."""
    return 2 * math.comb(max(n - (D + 1) // 2, 1), D // 2)


def check_facets(n: int, D: int) -> None:
    """Refuse points in four and more dimensions that could have so many facets that Qhull would not come back."""
    bound = facet_bound(n, D)
    if D > 3 and bound > MAX_BOUND:
        raise BudgetExceeded(
            f"convex hull of {n:,} points in {D} dimensions (bound on its facets)",
            bound,
            MAX_BOUND,
            "prune() first, or take fewer variables",
        )


def convex_hull(points: IntegerPoints) -> tuple[np.ndarray, Planes]:
    """Facets of the hull, cut into simplices without new vertices, and their planes with outward normals.

    Parameters
    ----------
    points : IntegerPoints, (N, D), D ≥ 1
        Spanning the space; equal points are allowed.

    Returns
    -------
    simplices : (F, D) int array
    planes : Planes
        Not reduced: |n| is (D − 1)! times the volume of the simplex, so Σ (c − n·x) is D! times the volume.
    """
    D = points.width
    if D == 1:
        X = points.integers
        ends = np.array([[int(X[:, 0].argmin())], [int(X[:, 0].argmax())]])
        normal = np.array([[-1], [1]], dtype=X.dtype)
        return ends, Planes(normal, normal[:, 0] * X[ends[:, 0], 0])
    check_facets(len(points), D)
    chosen = _proposal(points.floats)
    if chosen is None or (D == 2 and 8 * len(chosen) > len(points)):
        chosen = np.arange(len(points))
    while True:
        simplices, planes = _exact_hull(points, chosen)
        if len(chosen) == len(points):
            return simplices, planes
        rest = left_out(len(points), chosen)
        outside = rest[(planes.all_signs(points, rest) > 0).any(axis=1)]
        if not len(outside):
            return simplices, planes
        chosen = np.union1d(chosen, outside)


def left_out(count: int, chosen: np.ndarray) -> np.ndarray:
    """The numbers below `count` that are not chosen, ascending."""
    rest = np.ones(count, bool)
    rest[chosen] = False
    return np.flatnonzero(rest)


def _proposal(floats: np.ndarray) -> np.ndarray | None:
    """Vertices of the hull as floats have them, or None where Qhull sees no full-dimensional hull."""
    from scipy.spatial import ConvexHull, QhullError  # a fifth of the time to import this package

    try:
        return ConvexHull(to_unit(floats)).vertices
    except (QhullError, ValueError):  # flat to rounding, or too large for floats
        return None


def to_unit(floats: np.ndarray) -> np.ndarray:
    """Each column divided by its largest entry, for Qhull's tolerances."""
    largest = np.abs(floats).max(axis=0, initial=0.0)
    return floats / np.where(largest > 0, largest, 1.0)


def _exact_hull(points: IntegerPoints, chosen: np.ndarray) -> tuple[np.ndarray, Planes]:
    if points.width > 2:
        try:
            return beneath_beyond(points, chosen)
        except FlatError:  # a proposal of too few vertices
            return beneath_beyond(points, np.arange(len(points)))
    cycle = chosen[outline(points.rows(chosen))]
    edges = np.stack([cycle, np.roll(cycle, -1)], axis=1)
    return edges, Planes.through(points, edges)


def outline(X: np.ndarray) -> np.ndarray:
    """Which points are the vertices of their convex polygon, anticlockwise, by monotone chains."""
    order = np.lexsort((X[:, 1], X[:, 0]))
    x, y = X[order, 0].tolist(), X[order, 1].tolist()

    def chain(sequence: range) -> list[int]:
        kept: list[int] = []
        for i in sequence:
            while len(kept) > 1:
                a, b = kept[-2], kept[-1]
                if (x[b] - x[a]) * (y[i] - y[a]) > (y[b] - y[a]) * (x[i] - x[a]):
                    break
                kept.pop()
            kept.append(i)
        return kept[:-1]

    return order[chain(range(len(x))) + chain(range(len(x) - 1, -1, -1))]


class FlatError(Exception):
    """The points lie in a hyperplane."""


def beneath_beyond(points: IntegerPoints, order: np.ndarray) -> tuple[np.ndarray, Planes]:
    """The hull of points[order], point after point, in integers; D ≥ 2.

    A new point replaces the facets that it sees strictly by the cone over their rim. A facet whose plane holds the
    point stays, and the cone continues it: all simplices are nondegenerate, and the facets are triangulated.

    References
    ----------
    H. Edelsbrunner, Algorithms in Combinatorial Geometry, 1987, section 8.4.
    """
    D, X = points.width, points.rows(order)
    rows, _ = pivot_columns(X - X[:1])
    if len(rows) < D:
        raise FlatError
    start = [int(order[0]), *(int(order[r]) for r in rows)]
    inner = X[[0, *rows]].sum(axis=0)  # D + 1 times a point inside

    def outward(simplices: np.ndarray) -> Planes:
        planes = Planes.through(points, simplices)
        value = (planes.normal * inner).sum(axis=1) - (D + 1) * planes.offset
        return planes.turned(np.where(value < 0, 1, -1))

    simplices = np.array(list(combinations(start, D)))
    planes = outward(simplices)
    first = set(start)
    for p in order.tolist():
        if p in first:
            continue
        seen = planes.all_signs(points, np.array([p]))[0] > 0
        if not seen.any():
            continue
        cone = np.array([[*ridge, p] for ridge in _rim(simplices[seen])])
        simplices = np.concatenate([simplices[~seen], cone])
        planes = planes.replaced(~seen, outward(cone))
        if len(simplices) > _MAX_FACETS:
            raise BudgetExceeded("facets of a convex hull", len(simplices), _MAX_FACETS, "take fewer points")
    return simplices, planes


def _rim(simplices: np.ndarray) -> list[tuple[int, ...]]:
    """The ridges that belong to one of the facets alone."""
    rim: set[tuple[int, ...]] = set()
    for facet in np.sort(simplices, axis=1).tolist():
        rim ^= {tuple(facet[:k] + facet[k + 1 :]) for k in range(len(facet))}
    return sorted(rim)


def facets(points: IntegerPoints, planes: Planes) -> tuple[Planes, np.ndarray]:
    """The distinct ones of the planes of a hull, in lowest terms, and which points lie on which, (N, F) bool."""
    rows = np.column_stack([planes.normal, planes.offset]).astype(object)
    rows //= np.gcd.reduce(rows, axis=1)[:, None]
    rows = np.array(sorted(set(map(tuple, rows.tolist()))), dtype=object)
    if points.dtype != object:
        rows = rows.astype(np.int64)
    distinct = Planes(rows[:, :-1], rows[:, -1])
    return distinct, distinct.all_signs(points, np.arange(len(points))) == 0


def extreme(on: np.ndarray, D: int) -> np.ndarray:
    """Which corners of the simplices of a hull are vertices, given which of them lie on which facet.

    A corner may lie inside a face. Not if it is one of only D corners on a facet; else it is a vertex unless
    another corner lies on all of its facets.
    """
    sure = on[:, on.sum(axis=0) == D].any(axis=1)
    for v in np.flatnonzero(~sure):
        sure[v] = on[:, on[v]].all(axis=1).sum() == 1
    return sure

"""The regular triangulation under lifted points: the upper hull of (w, b), decided exactly.

1. Qhull proposes simplices in floats; where that fails, once more for lifts that bend a little.
2. The proposal is a triangulation of conv{w} and concave if, in integers: no simplex is flat; each ridge lies in two
   simplices that bend down towards each other, or in one and on the boundary of conv{w}; the volumes sum to that of
   conv{w}. For then the number of simplices over a generic point is constant, as it changes only across a boundary
   ridge, and it is 1; and a piecewise linear function that is concave across each ridge is concave.
3. Every other point is found on or below all planes, or, where there are many, on or below that of the simplex which
   holds it, in integers; else the proposal is refused.
4. What is refused is built point by point in integers instead.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tropical._convex_hull import beneath_beyond, left_out, to_unit
from tropical._lattice import IntegerPoints, Planes

__all__ = ["Triangulation", "locate", "regular_triangulation", "without"]

_FEW = 1 << 23  # pairs of a point and a plane that are looked at one by one
_BEND = 2.0**-20  # of the second proposal, relative to the range of the lifts


@dataclass(frozen=True, eq=False)
class Triangulation:
    """Simplices under the upper hull, with the plane of each and the height of every point.

    Attributes
    ----------
    simplices : (F, d + 1) int array
    planes : Planes
        In dimension d + 1; the last entry of a normal is d! times the volume of the simplex.
    cell : (F,) int array
        Simplices of equal number lie in one plane and make one cell.
    neighbours : (F, d + 1) int array
        The simplex across the ridge that leaves out each vertex; −1 at the boundary.
    others : (M,) int array
        Points that are no vertex of a simplex.
    height : (M,) int8 array
        0 where it lies on the upper hull, −1 below.
    """

    simplices: np.ndarray
    planes: Planes
    cell: np.ndarray
    neighbours: np.ndarray
    others: np.ndarray
    height: np.ndarray


def regular_triangulation(
    points: IntegerPoints, base: IntegerPoints, corners: np.ndarray, outer: Planes, volume: int
) -> Triangulation:
    """From the lifted points (N, d + 1) over `base`, whose hull has these corners, planes and d! times this volume."""
    chosen = corners
    for simplices in [_chain(points)] if points.width == 2 else _proposals(points):
        triangulation = _checked(points, base, outer, volume, simplices)
        if triangulation is not None and not (triangulation.height > 0).any():
            return triangulation
        if len(chosen) == len(corners):  # of the first proposal, which has few vertices
            chosen = np.union1d(corners, simplices)
    while True:  # until no point lies above; the corners span the whole
        triangulation = _checked(points, base, outer, volume, _built(points, chosen))
        above = triangulation.others[triangulation.height > 0]
        if not len(above):
            return triangulation
        chosen = np.union1d(chosen, above)


def _chain(points: IntegerPoints) -> np.ndarray:
    """The intervals under the upper hull of points in the plane."""
    X = points.integers
    order = np.lexsort((X[:, 1], X[:, 0]))
    x, y = X[order, 0].tolist(), X[order, 1].tolist()
    kept: list[int] = []
    for i in range(len(x)):
        if i + 1 < len(x) and x[i] == x[i + 1]:
            continue  # a higher point stands over the same slope
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (x[b] - x[a]) * (y[i] - y[a]) < (y[b] - y[a]) * (x[i] - x[a]):
                break
            kept.pop()
        kept.append(i)
    return np.stack([order[kept[:-1]], order[kept[1:]]], axis=1)


def _proposals(points: IntegerPoints):
    """Upper facets of float hulls: of the points, then of points bent a little so that every plane splits."""
    from scipy.spatial import ConvexHull, QhullError  # a fifth of the time to import this package

    unit = to_unit(points.floats)
    noise = np.random.default_rng(0).uniform(-1, 1, len(unit))  # splits what lies on a sphere
    radius = (unit[:, :-1] ** 2).sum(axis=1)
    for bend in (0.0, _BEND):
        bent = unit.copy()
        bent[:, -1] -= bend * (radius + 2.0**-16 * noise)
        try:
            hull = ConvexHull(bent)
        except (QhullError, ValueError):  # flat to rounding, or too large for floats
            continue
        yield hull.simplices[hull.equations[:, -2] > 0].astype(np.int64)


def _built(points: IntegerPoints, chosen: np.ndarray) -> np.ndarray:
    """The upper hull of the chosen points, which span all directions but perhaps the last.

    A point below one of them makes up for that, and is on no upper facet.
    """
    X = points.rows(np.append(chosen, chosen[0])).astype(object)
    X[-1, -1] -= 1
    simplices, planes = beneath_beyond(IntegerPoints(X), np.arange(len(X)))
    return chosen[simplices[planes.normal[:, -1] > 0]]


def _checked(
    points: IntegerPoints, base: IntegerPoints, outer: Planes, volume: int, simplices: np.ndarray
) -> Triangulation | None:
    """Steps 2 and 3; None if the simplices are no concave triangulation of the whole."""
    simplices = np.sort(simplices, axis=1)
    planes = Planes.through(points, simplices)
    upright = planes.normal[:, -1] != 0
    if not upright.all():
        simplices = simplices[upright]
        planes = Planes.through(points, simplices)
    last = planes.normal[:, -1]
    planes = planes.turned(np.where(last < 0, -1, 1))
    if sum(planes.normal[:, -1].tolist()) != volume:
        return None
    ridges = _matched_ridges(simplices)
    if ridges is None:
        return None
    (f, i), (g, j), rim = ridges
    there = planes.signs(points, simplices[g, j], f)
    back = planes.signs(points, simplices[f, i], g)
    flat = there == 0
    if (there > 0).any() or (back > 0).any() or (flat != (back == 0)).any():
        return None
    if not _lie_opposite(base, simplices, (f[flat], i[flat]), (g[flat], j[flat])):
        return None
    if not _on_boundary(base, outer, rim):
        return None
    count = len(simplices)
    neighbours = np.full(simplices.shape, -1)
    neighbours[f, i], neighbours[g, j] = g, f
    links = coo_array((np.ones(flat.sum(), bool), (f[flat], g[flat])), shape=(count, count))
    cell = connected_components(links, directed=False)[1]
    others = left_out(len(points), simplices)
    if len(others) * count <= _FEW:  # the upper hull is the lowest plane
        height = planes.all_signs(points, others).max(axis=1, initial=-1)
    else:
        height = planes.signs(points, others, locate(base, simplices, planes, neighbours, others))
    return Triangulation(simplices, planes, cell, neighbours, others, height)


def _matched_ridges(simplices: np.ndarray):
    """Both (simplex, vertex left out) of inner ridges, and the outer ridges; None if three simplices share one."""
    count, size = simplices.shape
    ridges = np.concatenate([np.delete(simplices, k, axis=1) for k in range(size)])
    order = np.lexsort(ridges.T[::-1])
    ridges = ridges[order]
    simplex, vertex = order % count, order // count
    same = (ridges[1:] == ridges[:-1]).all(axis=1)
    if (same[1:] & same[:-1]).any():
        return None
    first = np.flatnonzero(same)
    alone = np.ones(len(ridges), bool)
    alone[first] = alone[first + 1] = False
    return (simplex[first], vertex[first]), (simplex[first + 1], vertex[first + 1]), ridges[alone]


def _lie_opposite(base: IntegerPoints, simplices: np.ndarray, here, there) -> bool:
    """Whether pairs of simplices lie on the two sides of the ridge that they share."""
    (f, i), (g, j) = here, there
    ridge = without(simplices[f], i)
    walls, index = Planes.through(base, ridge), np.arange(len(f))
    one = walls.signs(base, simplices[f, i], index)
    other = walls.signs(base, simplices[g, j], index)
    return bool((one * other < 0).all())


def without(simplices: np.ndarray, vertex: np.ndarray) -> np.ndarray:
    """Simplices that each lack one vertex, given by position."""
    kept = np.arange(simplices.shape[1]) != vertex[:, None]
    return simplices[kept].reshape(len(simplices), simplices.shape[1] - 1)


def _on_boundary(base: IntegerPoints, outer: Planes, rim: np.ndarray) -> bool:
    used, position = np.unique(rim, return_inverse=True)
    on = outer.all_signs(base, used) == 0
    return bool(on[position.reshape(rim.shape)].all(axis=1).any(axis=1).all())


def locate(
    base: IntegerPoints, simplices: np.ndarray, planes: Planes, neighbours: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """A simplex that holds each of the other points.

    A walk in floats from the nearest vertex to ever lower planes comes close, as the upper hull is the lowest
    plane. A walk through walls that have the point beyond them, found in integers, ends it; should that go round
    in circles, all simplices are tried.
    """
    if not len(others):
        return np.empty(0, int)
    at = _walk(base, simplices, planes, neighbours, others)
    lost = np.arange(len(others))
    for _ in range(64 + len(simplices)):
        wall = _crossed(base, simplices, at[lost], others[lost])
        lost, wall = lost[wall >= 0], wall[wall >= 0]
        if not len(lost):
            return at
        at[lost] = neighbours[at[lost], wall]
    everything = np.arange(len(simplices))
    for row in lost.tolist():
        wall = _crossed(base, simplices, everything, np.full(len(simplices), others[row]))
        at[row] = int((wall < 0).argmax())
    return at


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _walk(base, simplices, planes, neighbours, others) -> np.ndarray:
    """From a simplex at the nearest vertex to neighbours with lower planes, all points at once; in floats."""
    from scipy.spatial import KDTree  # a fifth of the time to import this package

    some = np.empty(len(base), int)
    some[simplices] = np.arange(len(simplices))[:, None]
    vertices = np.unique(simplices)
    unit = to_unit(base.floats)
    if not np.isfinite(unit).all():
        return np.zeros(len(others), int)
    at = some[vertices[KDTree(unit[vertices]).query(unit[others])[1]]]
    normal, offset = planes.floats
    slope, level = normal[:, :-1] / normal[:, -1:], offset / normal[:, -1]
    q = base.floats[others]
    height = level[at] - (slope[at] * q).sum(axis=1)
    active = np.arange(len(others))
    for _ in range(len(simplices)):
        near = neighbours[at[active]]
        heights = level[near] - (slope[near] * q[active][:, None]).sum(axis=2)
        heights[near < 0] = np.inf
        best = heights.argmin(axis=1)
        rows = np.arange(len(active))
        lower = heights[rows, best] < height[active]
        active, best, rows = active[lower], best[lower], rows[lower]
        if not len(active):
            break
        at[active] = near[rows, best]
        height[active] = heights[rows, best]
    return at


def _crossed(base: IntegerPoints, simplices: np.ndarray, at: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A wall of simplex at[m], named by the vertex opposite, that has points[m] beyond it; −1 if there is none."""
    used, position = np.unique(at, return_inverse=True)
    crossed = np.full(len(points), -1)
    for k in range(simplices.shape[1]):
        walls = Planes.through(base, np.delete(simplices[used], k, axis=1))
        inward = walls.signs(base, simplices[used, k], np.arange(len(used)))
        crossed[walls.signs(base, points, position) * inward[position] < 0] = k
    return crossed

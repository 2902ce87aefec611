"""The cells of a regular subdivision from its triangulation, and the points that they are dual to; exactly."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from tropical._lattice import IntegerPoints, Planes
from tropical._regular import Triangulation, regular_triangulation
from tropical._square import round_to
from tropical.polytope import Polytope

__all__ = ["best_of_slopes", "cells_in_order", "dual_points", "triangulate"]


def best_of_slopes(slopes: np.ndarray, lifts: np.ndarray) -> np.ndarray:
    """For each monomial the one of equal slope with the largest lift, the first of several."""
    order = np.lexsort((-lifts, *slopes.T))  # stable
    new = (slopes[order[1:]] != slopes[order[:-1]]).any(axis=1)
    first = np.flatnonzero(np.append(True, new))
    best = np.empty(len(lifts), int)
    best[order] = np.repeat(order[first], np.diff(np.append(first, len(order))))
    return best


def triangulate(points: IntegerPoints, polytope: Polytope, best: np.ndarray) -> Triangulation:
    """Of the best monomials of all slopes, by their numbers."""
    corners, outer = polytope.hull
    chosen = np.flatnonzero(best == np.arange(len(best)))
    t = regular_triangulation(
        points.take(chosen),
        polytope.base.take(chosen),
        np.searchsorted(chosen, np.unique(best[corners])),
        outer,
        polytope.scaled_volume,
    )
    return replace(t, simplices=chosen[t.simplices], others=chosen[t.others])


def cells_in_order(
    points: IntegerPoints, t: Triangulation, twins: np.ndarray, kept: np.ndarray
) -> tuple[tuple[tuple[int, ...], ...], Triangulation]:
    """The monomials of each cell, and the triangulation with its cells in their order.

    `twins` are pairs of a point of the triangulation and an equal one that it leaves out; `kept` names the points.
    """
    count = int(t.cell.max()) + 1
    inside = np.column_stack([np.repeat(t.cell, t.simplices.shape[1]), t.simplices.ravel()])
    on = t.others[t.height == 0]
    if len(on):  # other points on the hull: in every cell whose plane holds them
        first = np.unique(t.cell, return_index=True)[1]
        planes = Planes(t.planes.normal[first], t.planes.offset[first])
        i, c = np.nonzero(planes.all_signs(points, on) == 0)
        inside = np.concatenate([inside, np.column_stack([c, on[i]])])
    if len(twins):
        around = defaultdict(list)
        for cell, point in inside[np.isin(inside[:, 1], twins[:, 0])].tolist():
            around[point].append(cell)
        more = [(cell, twin) for point, twin in twins.tolist() for cell in around[point]]
        inside = np.concatenate([inside, np.array(more, dtype=int).reshape(-1, 2)])
    inside = inside[np.lexsort((inside[:, 1], inside[:, 0]))]
    inside = inside[np.append(True, (np.diff(inside, axis=0) != 0).any(axis=1))]
    starts = [0, *(np.flatnonzero(np.diff(inside[:, 0])) + 1).tolist(), len(inside)]
    monomials = kept[inside[:, 1]].tolist()
    cells = [tuple(monomials[a:b]) for a, b in pairwise(starts)]
    order = sorted(range(count), key=cells.__getitem__)
    rank = np.empty(count, int)
    rank[order] = np.arange(count)
    return tuple(cells[c] for c in order), replace(t, cell=rank[t.cell])


def dual_points(points: IntegerPoints, normal: np.ndarray, offset: np.ndarray, exact: bool, sign: int):
    """Dual vertices and values of cells in the planes n·X = c, X = scale·(w, b) − centre."""
    scale = points.scale
    level = offset.astype(object) + sum(normal[:, k].astype(object) * m for k, m in enumerate(points.centre))
    entries = [
        _quotients(
            normal[:, k] if k >= 0 else level, normal[:, -1], (scale[k] if k >= 0 else 1) / scale[-1], exact
        )
        for k in (*range(len(scale) - 1), -1)
    ]
    *x, values = [column if sign > 0 else 0 - column for column in entries]  # 0 − 0 is +0
    return np.stack(x, axis=1), values


def _quotients(above: np.ndarray, below: np.ndarray, factor: Fraction, exact: bool) -> np.ndarray:
    """factor·above/below: Fractions, or the nearest floats."""
    above, below = above.astype(object) * factor.numerator, below.astype(object) * factor.denominator
    if not exact:
        try:
            return (above / below).astype(np.float64)  # a quotient of Python integers is correctly rounded
        except OverflowError:
            pass
    values = [Fraction(a, b) for a, b in zip(above.tolist(), below.tolist(), strict=True)]
    if exact:
        return np.array([*values, None], dtype=object)[:-1]
    return np.array([round_to(np.dtype(np.float64), v) for v in values])

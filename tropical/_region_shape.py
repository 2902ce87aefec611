"""The shape of one region from its generators, in rational arithmetic: vertices, an interior point, the volume."""

from fractions import Fraction
from math import factorial, inf

import numpy as np

__all__ = ["echelon", "exact_array", "interior_point", "reduced", "vertices", "volume"]


def exact_array(rows, width: int | None = None) -> np.ndarray:
    """Nested lists of Fractions as an array of objects; `width` is the last axis where there are no rows."""
    array = np.array(rows, dtype=object)
    return array.reshape(0, width) if width is not None and not len(rows) else array


def vertices(rays: list) -> list[list[Fraction]]:
    """Points s/t of the rays with t > 0."""
    return [[Fraction(a, ray[-1]) for a in ray[:-1]] for ray in rays if ray[-1] > 0]


def interior_point(rays: list) -> list[Fraction]:
    """The mean of the vertices, moved by the sum of the directions to infinity."""
    corners = vertices(rays)
    directions = [ray[:-1] for ray in rays if ray[-1] == 0]
    d = len(rays[0]) - 1
    return [
        sum((c[i] for c in corners), Fraction(0)) / len(corners) + sum(r[i] for r in directions)
        for i in range(d)
    ]


def volume(rays: list, lines: list, facets: list[int]) -> Fraction | float:
    """The volume, infinite for an unbounded region; `facets` are sets of rays, as bits.

    Pulling triangulation: a polytope is the union of the pyramids from its first vertex over the facets that do
    not contain it, and so on down; the facets of a facet are the largest of its intersections with the others.
    """
    if lines or any(ray[-1] == 0 for ray in rays):
        return inf
    corners = vertices(rays)
    d = len(corners[0])
    total = Fraction(0)
    for simplex in _simplices((1 << len(rays)) - 1, facets, d):
        first, *others = (corners[v] for v in simplex)
        total += abs(_determinant([[a - b for a, b in zip(v, first, strict=True)] for v in others]))
    return total / factorial(d)


def _simplices(face: int, facets: list[int], dimension: int):
    """Simplices of a triangulation of a face, as lists of its vertices."""
    apex = (face & -face).bit_length() - 1
    if dimension == 0:
        yield [apex]
        return
    for facet in facets:
        if not facet >> apex & 1:
            ridges = {facet & other for other in facets if other != facet} - {0}
            largest = [r for r in ridges if not any(r != s and r & ~s == 0 for s in ridges)]
            for simplex in _simplices(facet, largest, dimension - 1):
                yield [apex, *simplex]


def _determinant(rows: list[list[Fraction]]) -> Fraction:
    rows, result = [list(row) for row in rows], Fraction(1)
    for column in range(len(rows)):
        pivot = next((r for r in range(column, len(rows)) if rows[r][column]), None)
        if pivot is None:
            return Fraction(0)
        rows[column], rows[pivot] = rows[pivot], rows[column]
        result *= rows[column][column] * (1 if pivot == column else -1)
        for r in range(column + 1, len(rows)):
            factor = rows[r][column] / rows[column][column]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[column], strict=True)]
    return result


def echelon(lines: list) -> list[tuple[int, list[Fraction]]]:
    """(pivot, row) of the reduced echelon form of the lines, a basis that depends on their span alone."""
    rows = [[Fraction(a) for a in line[:-1]] for line in lines]
    basis: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        row = reduced(row, basis)
        pivot = next(i for i, a in enumerate(row) if a)
        row = [a / row[pivot] for a in row]
        basis = [(p, reduced(r, [(pivot, row)])) for p, r in basis] + [(pivot, row)]
    return basis


def reduced(vector: list[Fraction], basis) -> list[Fraction]:
    """The vector minus its part along the basis."""
    for pivot, row in basis:
        factor = vector[pivot]
        vector = [a - factor * b for a, b in zip(vector, row, strict=True)] if factor else vector
    return vector

"""Betti numbers of the sets that a piecewise-linear function cuts out of a line or a plane, exactly."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

import networkx as nx

from tropical._rails import compared, rails, scores
from tropical._region_program import primitive, value, whole
from tropical._region_shape import echelon, reduced
from tropical.circuit import Circuit
from tropical.domain import Domain, as_domain
from tropical.errors import InputError
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import Regions, linear_regions

__all__ = ["betti_numbers"]


def betti_numbers(
    f: Circuit | Polynomial | Rational, domain: Domain | None = None, *, closed: bool = True, **options
) -> dict[int, tuple[int, ...]]:
    """How many components, and in the plane how many holes, the points of each class form.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0. With several outputs the class of a point is its largest output; one output f has the classes 0,
        where f ≤ 0, and 1, where f ≥ 0.
    domain : Box, Polyhedron or Slice, optional
        Of one or two dimensions, such as a `Slice` along two directions; all of R^d by default. What it cuts off is
        no part of a set, so a ring that leaves the domain has no hole.
    closed : bool
        Of the sets {f_c ≥ all others}, in which ties count: parts that touch in a point are one, and a point where the
        class only ties is a part of its own. False takes the sets {f_c > all others}.
    **options
        As for `linear_regions`; ``partial`` is refused.

    Returns
    -------
    dict of class to (b0,) on lines, and to (b0, b1) in planes
        b0 components, b1 holes: components of the rest that are bounded and inside the domain.

    Raises
    ------
    InputError
        In more than two dimensions.

    Notes
    -----
    The regions of f and of the comparison of its outputs, their edges and vertices are the cells of a complex, and
    which outputs are largest on a cell is decided by whole numbers at what generates it. A closed set shrinks onto its
    bounded cells, so b0 − b1 is their alternating count, vertices − edges + polygons, and b0 counts what vertices
    join. For an open set b0 − b1 is the alternating count of all its cells inside the domain (Poincaré duality), and b1
    counts what vertices join in the rest (Alexander duality). Cost: that of the regions.

    References
    ----------
    J. E. Grigsby, K. Lindsey, "On transversality of bent hyperplane arrangements and the topological expressiveness of
    ReLU neural networks", SIAM Journal on Applied Algebra and Geometry 6 (2022), for the complex.

    Examples
    --------
    >>> x = Circuit.identity(2, exact=True)
    >>> size = x.affine([[1, 1]]) + x.affine([[1, -1]]) + x.affine([[-1, 1]]) + x.affine([[-1, -1]])    # |x| + |y|
    >>> ring = size.affine([[1]], [1]) / (size.affine([[2]], [-2]) + 2)             # 1 − | |x| + |y| − 2 |
    >>> betti_numbers(ring), betti_numbers(ring, (0, 4))
    ({0: (2, 1), 1: (1, 1)}, {0: (2, 0), 1: (1, 0)})
    """
    if options.get("partial"):
        raise InputError("partial=True could leave out a component; raise max_regions instead")
    P, Q = rails(f)
    dimension = len(as_domain(domain).chart(P.variables)[0]) - 1
    if not 1 <= dimension <= 2:
        raise InputError(f"the domain has {dimension} dimensions; pass a Slice along one or two directions")
    branches = [Q, P] if P.outputs == 1 else scores(P, Q)
    regions = linear_regions(Rational(*compared(branches)), domain, **options)
    cells = _cells(regions)
    count = _of_closed if closed else _of_open
    return {c: count(cells, c)[:dimension] for c in range(len(branches))}


# Homogeneous coordinates in whole numbers, the last one 0 for a direction, without a part along common lines
Key = tuple[int, ...]


class _Cell(NamedTuple):
    """A polygon, an edge or a vertex without its boundary."""

    dimension: int
    corners: tuple[int, ...]
    bounded: bool
    outside: bool  # whether it lies on the boundary of the domain
    largest: frozenset[int]  # the outputs that are the largest there


def _of_closed(cells: list[_Cell], label: int) -> tuple[int, int]:
    mine = [cell for cell in cells if label in cell.largest]
    components = nx.number_connected_components(_joined(mine))
    return components, components - sum((-1) ** cell.dimension for cell in mine if cell.bounded)


def _of_open(cells: list[_Cell], label: int) -> tuple[int, int]:
    rest = [cell for cell in cells if cell.largest - {label}]
    leaving = {corner for cell in rest if cell.outside or not cell.bounded for corner in cell.corners}
    top = max(cell.dimension for cell in cells)
    holes = (
        sum(leaving.isdisjoint(part) for part in nx.connected_components(_joined(rest))) if top == 2 else 0
    )
    mine = (cell for cell in cells if cell.largest == {label} and not cell.outside)
    return holes + sum((-1) ** (top - cell.dimension) for cell in mine), holes


def _joined(cells: list[_Cell]) -> nx.Graph:
    """The vertices of the cells, those of one cell joined."""
    graph = nx.Graph()
    for cell in cells:
        nx.add_path(graph, cell.corners)
    return graph


def _cells(regions: Regions) -> list[_Cell]:
    """All cells; where there are lines, modulo these."""
    cells: dict[frozenset[int], _Cell] = {}
    ids: dict[Key, int] = {}
    basis = echelon(regions._table.lines[0])
    top = regions.variables - len(basis)
    numbers, maps = regions._maps
    forms = [_whole(form, regions.variables + 1) for form in maps]
    for number, rays in zip(numbers, regions._table.rays, strict=True):
        given = {_key(ray, basis): ray for ray in rays}
        largest = {
            key: frozenset(i for i, form in enumerate(forms[number]) if not value(form, r))
            for key, r in given.items()
        }
        outside = {
            key: {i for i, b in enumerate(regions.program.bounds) if not value(b, r)}
            for key, r in given.items()
        }
        for dimension, keys in _faces(list(given), top):
            name = frozenset(ids.setdefault(key, len(ids)) for key in keys)
            if name not in cells:
                cells[name] = _Cell(
                    dimension,
                    tuple(ids[key] for key in keys if key[-1]),
                    all(key[-1] for key in keys),
                    dimension < top and bool(set.intersection(*(outside[key] for key in keys))),
                    frozenset.intersection(*(largest[key] for key in keys)),
                )
    return list(cells.values())


def _whole(form, width: int) -> list[list[int]]:
    """The rows s_i − max of a map, times a common number."""
    scale = lcm(*(a.denominator for a in form))
    integers = [int(a * scale) for a in form]
    return [integers[k : k + width] for k in range(0, len(form), width)]


def _key(ray, basis) -> Key:
    if basis:
        ray = whole([[*reduced([Fraction(a) for a in ray[:-1]], basis), Fraction(ray[-1])]])[0][0]
    return tuple(primitive(list(ray)))


def _faces(keys: list[Key], top: int) -> Iterator[tuple[int, list[Key]]]:
    """(dimension, generators) of a cell and of its faces, those of a polygon in order around it."""
    corners = [key for key in keys if key[-1]]
    if top == 2:
        ordered = _around(corners, [key for key in keys if not key[-1]])
        yield 2, ordered
        for edge in pairwise([*ordered, ordered[0]]):
            if edge[0][-1] or edge[1][-1]:
                yield 1, list(edge)
    elif top == 1:
        yield 1, keys
    for corner in corners:
        yield 0, [corner]


def _around(corners: list[Key], away: list[Key]) -> list[Key]:
    """Around a polygon; one to infinity begins with a direction and ends with the other, if it has two."""
    if away:  # its corners are on the graph of a convex function over the line across the sum of both
        u, v, _ = (sum(entries) for entries in zip(*away, strict=True))
        first, *last = sorted(away, key=lambda key: v * key[0] - u * key[1])
        return [first, *sorted(corners, key=lambda key: Fraction(v * key[0] - u * key[1], key[2])), *last]
    first, *between, last = sorted(
        corners, key=lambda key: (Fraction(key[0], key[2]), Fraction(key[1], key[2]))
    )
    (a, b, c), (p, q, r) = first, last
    line = [b * r - c * q, c * p - a * r, a * q - b * p]  # positive to the left of it
    side = {key: value(line, key) for key in between}
    below = [key for key in between if side[key] < 0]
    above = [key for key in between if side[key] > 0]
    return [first, *below, last, *above[::-1]]

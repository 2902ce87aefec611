"""Betti numbers of the sets that a piecewise-linear function cuts out of a line or a plane, exactly."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np

from tropical._rails import compared, rails, scores
from tropical._region_program import value
from tropical._region_shape import echelon, reduced
from tropical.circuit import Circuit, combine, soft_max
from tropical.domain import Domain, as_domain
from tropical.errors import InputError
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import Regions, linear_regions

__all__ = ["betti_numbers"]


def betti_numbers(
    f: Circuit | Polynomial | Rational,
    domain: Domain | None = None,
    *,
    label: int = 1,
    closed: bool = True,
    **options,
) -> tuple[int, ...]:
    """How many components, and in the plane how many holes, the set of the points of one class has.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0. With several outputs the class of a point is its largest output; one output f has the classes 0,
        where f ≤ 0, and 1, where f ≥ 0.
    domain : Box, Polyhedron or Slice, optional
        Of one or two dimensions, such as a `Slice` along two directions; all of R^d by default. What it cuts off is
        no part of the set, so a ring that leaves the domain has no hole.
    label : int
        The class.
    closed : bool
        Of the set {f_label ≥ all others}, in which ties count: two parts that touch in a point are one, and a point
        where the class only ties is a part of its own. False takes {f_label > all others}.
    **options
        As for `linear_regions`; ``partial`` is refused.

    Returns
    -------
    (b0,) or (b0, b1)
        b0 components, b1 holes: bounded components of what is left of the plane.

    Raises
    ------
    InputError
        In more than two dimensions.

    Notes
    -----
    On each region of f and of the comparison of its outputs the closed set is a face, possibly the whole, and regions
    meet in faces of both; so the set is a complex of polygons with known vertices. b0 counts what the vertices join.
    The set shrinks onto its bounded faces, so b0 − b1 is their alternating count, vertices − edges + polygons. The
    open set has the numbers of {f_label ≥ all others + δ}, with δ below the least positive value of the difference
    at a vertex: it varies linearly in between. Cost: that of the regions.

    References
    ----------
    J. E. Grigsby, K. Lindsey, "On transversality of bent hyperplane arrangements and the topological
    expressiveness of ReLU neural networks", SIAM Journal on Applied Algebra and Geometry 6 (2022).

    Examples
    --------
    >>> from tropical import Box
    >>> x = Circuit.identity(2, exact=True)
    >>> size = x.affine([[1, 1]]) + x.affine([[1, -1]]) + x.affine([[-1, 1]]) + x.affine([[-1, -1]])    # |x| + |y|
    >>> ring = size.affine([[1]], [1]) / (size.affine([[2]], [-2]) + 2)             # 1 − | |x| + |y| − 2 |
    >>> betti_numbers(ring), betti_numbers(ring, label=0), betti_numbers(ring, Box(0, 4))
    ((1, 1), (2, 1), (1, 0))
    """
    if options.get("partial"):
        raise InputError("partial=True could leave out a component; raise max_regions instead")
    P, Q = rails(f)
    dimension = len(as_domain(domain).chart(P.variables)[0]) - 1
    if not 1 <= dimension <= 2:
        raise InputError(f"the domain has {dimension} dimensions; pass a Slice along one or two directions")
    branches = [Q, P] if P.outputs == 1 else scores(P, Q)
    if not 0 <= label < len(branches):
        raise InputError(f"label {label} of {len(branches)} classes; classes count from 0")
    mine = branches.pop(label)
    others = soft_max(branches)
    if not closed:
        rise = _least_rise(linear_regions(Rational(*compared([others, mine])), domain, **options))
        others = combine([(np.ones(1), others)], np.array([rise]))
    regions = linear_regions(Rational(*compared([others, mine])), domain, **options)
    vertices, edges, polygons = _complex(regions)
    graph = nx.Graph(edges)
    graph.add_nodes_from(vertices)
    components = nx.number_connected_components(graph)
    holes = components - len(vertices) + len(edges) - polygons
    return (components, holes)[:dimension]


def _complex(regions: Regions) -> tuple[set, set, int]:
    """Vertices, bounded edges and the number of bounded polygons of the set where mine − max(mine, others) is 0.

    Where there are lines, all are taken modulo these.
    """
    basis = echelon(regions._table.lines[0])
    vertices, edges, polygons = set(), set(), 0
    for (_, mine), rays in _forms(regions):
        face = [ray for ray in rays if value(mine, ray) == 0]
        corners = [tuple(reduced([Fraction(a, r[-1]) for a in r[:-1]], basis)) for r in face if r[-1] > 0]
        vertices.update(corners)
        if any(mine) or regions.variables - len(basis) < 2:
            edges.update([frozenset(corners)] if len(corners) == 2 else [])
            continue
        away = [ray[:-1] for ray in face if ray[-1] == 0]
        edges.update(map(frozenset, _sides(corners, away)))
        polygons += not away
    return vertices, edges, polygons


def _forms(regions: Regions) -> Iterator[tuple[list[list[Fraction]], list]]:
    """Per region the forms of others − max and mine − max, and the generators."""
    width, (numbers, maps) = regions.variables + 1, regions._maps
    for number, rays in zip(numbers, regions._table.rays, strict=True):
        yield [maps[number][:width], maps[number][width:]], rays


def _least_rise(regions: Regions) -> Fraction:
    """Half of the least positive value of mine − others at a vertex."""
    rises = [
        (value(mine, ray) - value(others, ray)) / ray[-1]
        for (others, mine), rays in _forms(regions)
        for ray in rays
        if ray[-1] > 0
    ]
    return min((rise for rise in rises if rise > 0), default=Fraction(2)) / 2


def _sides(corners: list, away: list) -> Iterator[tuple]:
    """The bounded edges of a polygon with these corners that goes to infinity in the directions `away`."""
    if away:  # the graph of a convex function over the line across their sum
        u, v = (sum(entries) for entries in zip(*away, strict=True))
        return pairwise(sorted(corners, key=lambda c: v * c[0] - u * c[1]))
    first, *between, last = sorted(corners)
    across = [
        (last[0] - first[0]) * (c[1] - first[1]) - (last[1] - first[1]) * (c[0] - first[0]) for c in between
    ]
    below = [c for c, side in zip(between, across, strict=True) if side < 0]
    above = [c for c, side in zip(between, across, strict=True) if side > 0]
    return pairwise([first, *below, last, *above[::-1], first])

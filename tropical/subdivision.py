"""The regular subdivision of a Newton polytope that is dual to a tropical polynomial, decided exactly."""

import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import networkx as nx
import numpy as np

from tropical._arrays import EXACT, convert, frozen, refuse_where
from tropical._cells import best_of_slopes, cells_in_order, dual_points, triangulate
from tropical._convex_hull import check_facets, convex_hull, extreme, facets, outline
from tropical._html import ShowsItself
from tropical._lattice import IntegerPoints, Planes
from tropical._regular import Triangulation, without
from tropical._square import need_tropical
from tropical.polytope import Polytope, edges_from

__all__ = ["Face", "Subdivision", "refuse_infinite", "subdivision"]


@dataclass(frozen=True)
class Face:
    """A face of a subdivision that cells share, or that lies on the boundary of the Newton polytope.

    Attributes
    ----------
    monomials : tuple of int
        All monomials on it.
    vertices : tuple of int
        Those at its vertices.
    cells : tuple of int
        The cells that it belongs to.
    lattice_length : int or Fraction, or None
        Of an edge: the w_i − w_j at its ends in units of a primitive vector of Z^d. It is the weight of the part of
        the hypersurface dual to the edge.
    direction : tuple of int, or None
        Of a ridge (codimension 1): the primitive direction of its dual edge, from the dual vertex of cells[0] to
        that of cells[1], or to infinity if there is none. Modulo `Subdivision.lineality`.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> edge = (x**2 + y + 0).subdivision().edges[0]
    >>> edge.monomials, edge.lattice_length, edge.direction
    ((1, 2), 1, (-1, 0))
    """

    monomials: tuple[int, ...]
    vertices: tuple[int, ...]
    cells: tuple[int, ...]
    lattice_length: int | Fraction | None = None
    direction: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Subdivision(ShowsItself):
    """The dual subdivision of a tropical polynomial; made by ``p.subdivision()``.

    Its cells are the upper faces of the points (w_i, b_i) (lower ones for sign −1), projected. Each cell is dual to a
    vertex of the hypersurface: the point x at which exactly the monomials of the cell attain p(x).

    Attributes
    ----------
    polytope : Polytope
        The Newton polytope.
    cells : tuple of tuples of int
        All monomials that attain p at the dual vertex, the vertices of the cell and others alike (the marked points
        of the cell), ascending; cells in the order of these tuples. Monomials whose coefficient is the
        semiring's zero are in none.
    cell_vertices : tuple of tuples of int
        The vertices of each cell alone, one of each set of equal monomials; anticlockwise in dimension 2.
    essential : tuple of int
        All monomials that are vertices of cells, one of each set of equal ones: each is the largest alone on an open
        set, and together they make the function.
    vertices : (C, d) array
        The dual vertices: Fractions if the polynomial is exact, else the nearest floats.
    values : (C,) array
        p there.
    volumes : tuple of int or Fraction
        dim! times the volume of each cell relative to the lattice Z^d in its affine hull: 1 for a unimodular simplex.
    ridges : tuple of Face
        Of codimension 1, interior and boundary; dual to the edges of the hypersurface.
    edges : tuple of Face
        Of dimension 1, dual to the maximal cells of the hypersurface. In two variables these are the ridges.
    lineality : (d − dim, d) array of Fractions
        What x may move along, if the Newton polytope is of lower dimension: then `vertices` are representatives that
        are 0 in as many coordinates, and the hypersurface is invariant.
    is_triangulation : bool
        Whether every cell has dim + 1 monomials.
    is_unimodular : bool
        Whether every cell has volume 1 and dim + 1 monomials; the hypersurface is then smooth.

    Notes
    -----
    Exact for floats, which are dyadic rationals, and Fractions. Qhull proposes a triangulation, which is proved in
    integers (see `tropical/_regular.py`); cells that Qhull would split, such as squares, come back whole. 16,384 points
    in the plane take some 0.05 s if few of them are vertices and 0.3 s if all are.

    References
    ----------
    D. Maclagan, B. Sturmfels, Introduction to Tropical Geometry, 2015, sections 2.3 and 3.1; J. De Loera, J. Rambau,
    F. Santos, Triangulations, 2010.

    Examples
    --------
    >>> from tropical import Polynomial
    >>> p = Polynomial([[2, 0], [0, 2], [1, 1], [1, 0], [0, 1], [0, 0]], [1, 1, 2, 2, 2, 2])
    >>> s = p.subdivision()
    >>> s.cells, s.volumes
    (((0, 2, 3), (1, 2, 4), (2, 3, 4, 5)), (1, 1, 2))
    >>> s.vertices.tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    >>> len(s.edges), {e.lattice_length for e in s.edges}, s.is_triangulation
    (8, {1}, False)
    >>> s.dim, s.essential, s.adjacency.number_of_edges(), s.is_unimodular, s.lineality.shape
    (2, (0, 1, 2, 3, 4, 5), 2, False, (0, 2))
    >>> s.cell_vertices[2], s.exact_vertices[0].tolist(), len(s.ridges)
    ((5, 3, 2, 4), [Fraction(1, 1), Fraction(0, 1)], 8)
    >>> ax = s.plot()
    """

    polytope: Polytope
    is_exact: bool
    sign: int
    cells: tuple[tuple[int, ...], ...]
    vertices: np.ndarray
    values: np.ndarray
    kept: np.ndarray  # which monomials the points of the polytope are
    lifted: IntegerPoints | None  # those points, in coordinates of the affine hull, with their lifts
    triangulation: Triangulation | None  # of these points, cells in the order above

    @property
    def dim(self) -> int:
        """The dimension of the Newton polytope; −1 if there are no monomials."""
        return self.polytope.dim

    @property
    def lineality(self) -> np.ndarray:
        return self.polytope.affine_hull.lineality

    @cached_property
    def volumes(self) -> tuple[int | Fraction, ...]:
        if self.dim < 1:
            return (1,) * len(self.cells)
        t, polytope = self.triangulation, self.polytope
        sums = np.zeros(len(self.cells), dtype=object)
        np.add.at(sums, t.cell, t.planes.normal[:, -1].astype(object))
        factor = polytope.affine_hull.density / math.prod(polytope.base.scale)
        a, b = factor.numerator, factor.denominator
        return tuple(v * a // b if v * a % b == 0 else Fraction(v * a, b) for v in sums.tolist())

    @cached_property
    def is_triangulation(self) -> bool:
        return all(len(cell) == self.dim + 1 for cell in self.cells)

    @cached_property
    def is_unimodular(self) -> bool:
        return self.is_triangulation and all(volume == 1 for volume in self.volumes)

    def _html(self) -> str:
        from tropical._notebook import subdivision_html

        return subdivision_html(self)

    def __repr__(self) -> str:
        where = f"of a polytope of dimension {self.dim} in R^{self.polytope.variables}"
        return f"<Subdivision {where}: {len(self.cells)} cells, {'exact' if self.is_exact else 'float64'}>"

    @cached_property
    def exact_vertices(self) -> np.ndarray:
        """The dual vertices as Fractions, before any rounding."""
        if self.is_exact or self.dim < 1:
            return convert(self.vertices, EXACT)
        t = self.triangulation
        first = np.unique(t.cell, return_index=True)[1]
        x, _ = dual_points(self.lifted, t.planes.normal[first], t.planes.offset[first], True, self.sign)
        return self.polytope.affine_hull.lifted(x)

    # ---- faces -----------------------------------------------------------------------------------

    @cached_property
    def cell_vertices(self) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(self.kept[rows].tolist()) for rows in self._corners)

    @cached_property
    def _corners(self) -> list[np.ndarray]:
        """The vertices of each cell as points of the polytope; anticlockwise in dimension 2."""
        if self.dim < 1:
            return [np.searchsorted(self.kept, cell[:1]) for cell in self.cells]
        return self._vertices_of(np.ones(len(self.triangulation.cell), bool))

    def _vertices_of(self, chosen: np.ndarray) -> list[np.ndarray]:
        """The vertices of the cells that have one of the chosen simplices."""
        t = self.triangulation
        order = np.flatnonzero(chosen)[np.argsort(t.cell[chosen], kind="stable")]
        parts = np.split(t.simplices[order], np.flatnonzero(np.diff(t.cell[order])) + 1)
        return [self._vertices_among(np.unique(part)) for part in parts if len(part)]

    @cached_property
    def essential(self) -> tuple[int, ...]:
        """Monomials at vertices of cells, one of each set of equal ones: those that are largest alone somewhere."""
        if self.dim < 1:
            return tuple(cell[0] for cell in self.cells)
        t = self.triangulation
        simple = np.array([len(cell) == self.dim + 1 for cell in self.cells])[t.cell]
        rows = set(t.simplices[simple].ravel().tolist())
        rows.update(*(corners.tolist() for corners in self._vertices_of(~simple)))
        return tuple(self.kept[sorted(rows)].tolist())

    def _vertices_among(self, rows: np.ndarray) -> np.ndarray:
        base, dim = self.polytope.base, self.dim
        if dim == 1:
            x = base.rows(rows)[:, 0]
            return rows[[int(x.argmin()), int(x.argmax())]]
        if dim == 2:
            return rows[outline(base.rows(rows))]
        if len(rows) == dim + 1:
            return rows
        on = self._facets_of(rows)
        return rows[on.any(axis=1)][extreme(on[on.any(axis=1)], dim)]

    def _facets_of(self, rows: np.ndarray) -> np.ndarray:
        """Which of some points lie on which facet of their hull."""
        points = self.polytope.base.take(rows)
        return facets(points, convex_hull(points)[1])[1]

    @cached_property
    def edges(self) -> tuple[Face, ...]:
        if self.dim < 1:
            return ()
        if self.dim == 2:
            return self.ridges
        cells_of = defaultdict(list)
        for cell, corners in enumerate(self._corners):
            for ends in self._edges_of(corners):
                cells_of[ends].append(cell)
        ends = np.array(sorted(cells_of)).reshape(-1, 2)
        lengths = self._lattice_lengths(ends)
        return tuple(
            Face(
                self._between(i, j, cells_of[i, j]),
                tuple(self.kept[[i, j]].tolist()),
                tuple(cells_of[i, j]),
                length,
            )
            for (i, j), length in zip(ends.tolist(), lengths, strict=True)
        )

    def _edges_of(self, corners: np.ndarray) -> list[tuple[int, int]]:
        """The edges of a cell as ascending pairs of points; not for dimension 2."""
        corners = np.sort(corners)
        if len(corners) <= self.dim + 1:
            return list(combinations(corners.tolist(), 2))
        pairs = edges_from(self._facets_of(corners), self.dim)
        return [(int(corners[i]), int(corners[j])) for i, j in pairs]

    def _between(self, i: int, j: int, cells: list[int]) -> tuple[int, ...]:
        """All monomials on the edge from point i to point j."""
        smallest = min((self.cells[c] for c in cells), key=len)
        ends = sorted(self.kept[[i, j]].tolist())
        if len(smallest) == self.dim + 1:
            return tuple(ends)
        rows = np.searchsorted(self.kept, smallest)
        base = self.polytope.base
        return tuple(np.array(smallest)[_on_line(base.rows(rows), base.rows(i), base.rows(j))].tolist())

    def _lattice_lengths(self, ends: np.ndarray) -> list[int | Fraction]:
        points = self._lattice
        steps = points.rows(ends[:, 0]) - points.rows(ends[:, 1])
        common = math.lcm(*(s.numerator for s in points.scale)) if points.scale else 1
        factors = np.array([s.denominator * (common // s.numerator) for s in points.scale], dtype=object)
        whole = np.gcd.reduce(steps.astype(object) * factors, axis=1, initial=0).tolist()
        return [v // common if v % common == 0 else Fraction(v, common) for v in whole]

    @cached_property
    def _lattice(self) -> IntegerPoints:
        return IntegerPoints(self.polytope.points)

    @cached_property
    def ridges(self) -> tuple[Face, ...]:
        if self.dim < 1:
            return ()
        t, base = self.triangulation, self.polytope.base
        f, k = np.nonzero(self._is_wall)
        walls = without(t.simplices[f], k)
        planes = Planes.through(base, walls)
        planes = planes.turned(-planes.signs(base, t.simplices[f, k], np.arange(len(f))).astype(int))
        here, there = t.cell[f], np.where(t.neighbours[f, k] < 0, -1, t.cell[t.neighbours[f, k]])
        directions = self._primitive(planes.normal)
        groups: dict[tuple, list[int]] = defaultdict(list)
        for row, key in enumerate(zip(here.tolist(), there.tolist(), map(tuple, directions), strict=True)):
            groups[key].append(row)
        faces = []
        for (a, b, direction), rows in sorted(groups.items()):
            corners, monomials = self._ridge_points(a, b, walls[rows], planes, rows[0])
            faces.append((corners, monomials, (a,) if b < 0 else (a, b), self._placed(direction)))
        lengths = [None] * len(faces)
        if self.dim == 2:
            lengths = self._lattice_lengths(np.array([corners for corners, *_ in faces]))
        return tuple(
            Face(monomials, tuple(self.kept[list(corners)].tolist()), cells, length, direction)
            for (corners, monomials, cells, direction), length in zip(faces, lengths, strict=True)
        )

    @property
    def _is_wall(self) -> np.ndarray:
        """Which walls of simplices bound a cell, each once: seen from the lower cell."""
        t = self.triangulation
        beyond = np.where(t.neighbours < 0, len(self.cells), t.cell[t.neighbours])
        return beyond > t.cell[:, None]

    def _primitive(self, normal: np.ndarray) -> list[list[int]]:
        """Normals in the integers of the base as primitive integer directions of the dual space."""
        scale = self.polytope.base.scale
        common = math.lcm(*(s.denominator for s in scale))
        factors = np.array([s.numerator * (common // s.denominator) for s in scale], dtype=object)
        whole = normal.astype(object) * factors * self.sign
        return (whole // np.gcd.reduce(whole, axis=1, initial=0)[:, None]).tolist()

    def _placed(self, direction: tuple[int, ...]) -> tuple[int, ...]:
        """From coordinates of the affine hull to those of R^d."""
        out = [0] * self.polytope.variables
        for k, v in zip(self.polytope.affine_hull.pivots, direction, strict=True):
            out[k] = v
        return tuple(out)

    def _ridge_points(self, a: int, b: int, walls: np.ndarray, planes: Planes, row: int):
        """Vertices (points of the polytope) and all monomials of the ridge of cell a with cell b or the boundary."""
        cell, used = self.cells[a], np.unique(walls)
        if len(cell) == self.dim + 1 or (b >= 0 and len(self.cells[b]) == self.dim + 1):
            return tuple(used.tolist()), tuple(self.kept[used].tolist())
        if b >= 0:
            shared = set(self.cells[b])
            monomials = tuple(m for m in cell if m in shared)
        else:
            rows = np.searchsorted(self.kept, cell)
            on = planes.signs(self.polytope.base, rows, np.full(len(rows), row)) == 0
            monomials = tuple(np.array(cell)[on].tolist())
        vertices = np.intersect1d(self._corners[a], used)
        return tuple(vertices.tolist()), monomials

    @cached_property
    def adjacency(self) -> nx.Graph:
        """The cells as nodes, with an edge, that has the `ridge`, where two share one: the hypersurface's graph."""
        graph = nx.Graph()
        graph.add_nodes_from(range(len(self.cells)))
        graph.add_edges_from((*r.cells, {"ridge": r}) for r in self.ridges if len(r.cells) == 2)
        return graph

    def plot(self, ax=None, **style):
        """Draw the subdivision of a polygon with matplotlib; see `tropical.plotting.plot_subdivision`."""
        from tropical.plotting import plot_subdivision

        return plot_subdivision(self, ax, **style)


def _on_line(X: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    X, step = (X - a).astype(object), (b - a).astype(object)
    on = np.ones(len(X), bool)
    for i, j in combinations(range(len(step)), 2):
        on &= X[:, i] * step[j] == X[:, j] * step[i]
    return on


def subdivision(polynomial) -> Subdivision:
    """The dual subdivision of a polynomial at ε = 0.

    Raises
    ------
    InputError
        ε > 0, or a coefficient that is the infinity which is not the semiring's zero.
    BudgetExceeded
        So many monomials in so many variables that there could be 10^10 cells.
    """
    p = polynomial
    need_tropical("a dual subdivision", p.semiring, "log-sum-exp has no cells; call deform(0)")
    refuse_infinite(p)
    kept = np.flatnonzero(p.coefficients != p.semiring.zero)
    polytope = Polytope(p.slopes[kept])
    lifts = p.semiring.sign * p.coefficients[kept]
    if polytope.dim < 1:
        return _single(p, polytope, kept, lifts)
    check_facets(len(kept), polytope.dim + 1)
    points = polytope.base.with_column(lifts)
    best = best_of_slopes(polytope.points, lifts)
    t = triangulate(points, polytope, best)
    twins = np.flatnonzero((best != np.arange(len(best))) & (lifts == lifts[best]))
    cells, t = cells_in_order(points, t, np.column_stack([best[twins], twins]), kept)
    first = np.unique(t.cell, return_index=True)[1]
    x, values = dual_points(
        points, t.planes.normal[first], t.planes.offset[first], p.is_exact, p.semiring.sign
    )
    return Subdivision(
        polytope,
        p.is_exact,
        p.semiring.sign,
        cells,
        frozen(polytope.affine_hull.lifted(x)),
        frozen(values),
        kept,
        points,
        t,
    )


def refuse_infinite(p) -> None:
    """Refuse the infinity that is not the semiring's zero."""
    need = "the polynomial is infinite everywhere; pass finite coefficients"
    refuse_where(p.coefficients == -p.semiring.zero, "coefficients", p.coefficients, need)


def _single(p, polytope: Polytope, kept: np.ndarray, lifts: np.ndarray) -> Subdivision:
    """Of monomials of one slope, or none: at most one cell, a point."""
    best = kept[lifts == lifts.max()] if len(kept) else kept
    cells = (tuple(best.tolist()),) if len(kept) else ()
    values = p.coefficients[best[:1]]
    origin = polytope.affine_hull.lifted(np.zeros((len(cells), 0), values.dtype)) if cells else p.slopes[:0]
    return Subdivision(
        polytope,
        p.is_exact,
        p.semiring.sign,
        cells,
        frozen(origin),
        frozen(values),
        kept,
        None,
        None,
    )

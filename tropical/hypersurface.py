"""Tropical hypersurfaces: where the maximum is attained twice; curves in the plane, surfaces in space."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_points, convert, frozen, is_finite, refuse_where
from tropical._tables import HasTable
from tropical.errors import InputError
from tropical.subdivision import Face, Subdivision, subdivision

__all__ = ["Hypersurface", "HypersurfaceCell", "hypersurface"]


@dataclass(frozen=True)
class HypersurfaceCell:
    """A maximal cell of a hypersurface, of dimension d − 1: conv(vertices) + cone(rays) + lineality.

    Attributes
    ----------
    monomials : tuple of int
        Those that attain the maximum on it; dual to it is the edge that they span.
    weight : int or Fraction
        The lattice length of that edge.
    normal : tuple of int
        The primitive direction of that edge; one of the two.
    vertices : tuple of int
        Rows of `Hypersurface.vertices`.
    rays : tuple of tuples of int
        Primitive directions in which it is unbounded.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> cell = (x**2 + y + 0).hypersurface().cells[0]
    >>> cell.monomials, cell.weight, cell.normal, cell.direction, cell.is_bounded
    ((1, 2), 1, (0, 1), (-1, 0), False)
    """

    monomials: tuple[int, ...]
    weight: int | Fraction
    normal: tuple[int, ...]
    vertices: tuple[int, ...]
    rays: tuple[tuple[int, ...], ...]
    _direction: tuple[int, ...] | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether there are no rays; lineality is not looked at."""
        return not self.rays

    @property
    def direction(self) -> tuple[int, ...]:
        """Of an edge of a curve: the primitive direction from vertices[0] to vertices[1], or to infinity."""
        if self._direction is None:
            raise InputError("only edges of plane curves have a direction; this cell has a normal")
        return self._direction


@dataclass(frozen=True, eq=False, repr=False)
class Hypersurface(HasTable):
    """The points at which at least two monomials attain p(x): a balanced polyhedral complex of dimension d − 1.

    Made by ``p.hypersurface()``. Its cells are dual to those of ``p.subdivision()``, vertices to the cells of full
    dimension, maximal cells to edges.

    Attributes
    ----------
    vertices : (k, d) array
        Fractions if the polynomial is exact, else the nearest floats. If the Newton polytope has dimension n < d, the
        hypersurface is invariant under the `lineality` space and these are points of its smallest cells.
    cells : tuple of HypersurfaceCell
        The maximal cells: edges of a curve, polygons of a surface.
    lineality : (d − n, d) array of Fractions
    subdivision : Subdivision
        Of the Newton polytope.

    Raises
    ------
    InputError
        ε > 0, an infinite coefficient that is not the zero.

    Notes
    -----
    Decided exactly, for floats as for Fractions. Cost: that of the subdivision, and one pass over its edges.

    References
    ----------
    D. Maclagan, B. Sturmfels, Introduction to Tropical Geometry, 2015, Theorems 3.1.3 and 3.3.2; G. Mikhalkin,
    "Enumerative tropical algebraic geometry in R²", J. Amer. Math. Soc. 18 (2005), for simple curves and genus.

    Examples
    --------
    >>> from tropical import Polynomial, variables
    >>> x, y = variables(2)
    >>> line = (x + y + 0).hypersurface()
    >>> line.vertices, [(c.direction, c.weight) for c in line.cells]
    (array([[0., 0.]]), [((-1, 0), 1), ((0, -1), 1), ((1, 1), 1)])
    >>> slopes = [(i, j) for i in range(4) for j in range(4 - i)]
    >>> h = Polynomial(slopes, [-(i * i + j * j + i * j) for i, j in slopes]).hypersurface()
    >>> len(h.vertices), len(h.cells), h.genus, h.is_smooth, h.is_balanced()
    (9, 18, 1, True, True)
    >>> h.contains([[0.0, 0.0], [-1.0, -1.0]]), h.is_simple, h.variables, h.lineality.shape
    (array([False, False]), True, 2, (0, 2))
    >>> h.graph.number_of_nodes(), h.graph.number_of_edges(), h.ends(h.cells[0]), len(h.separating([0]))
    (9, 9, (0, 1), 2)
    >>> ax = line.plot()
    """

    vertices: np.ndarray
    cells: tuple[HypersurfaceCell, ...]
    subdivision: Subdivision
    _polynomial: object

    @property
    def variables(self) -> int:
        """d, the dimension of the space."""
        return self._polynomial.variables

    @property
    def lineality(self) -> np.ndarray:
        return self.subdivision.lineality

    def __repr__(self) -> str:
        kind = "exact" if self.subdivision.is_exact else "float64"
        size = f"{len(self.vertices)} vertices, {len(self.cells)} maximal cells"
        return f"<Hypersurface in R^{self.variables}: {size}, {kind}>"

    def _shape(self) -> tuple[int, int]:
        return len(self.cells), 5

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        from tropical._notebook import cell_columns

        return cell_columns(self, first)

    def _html(self) -> str:
        from tropical._notebook import hypersurface_html

        return hypersurface_html(self)

    # ---- what it is ------------------------------------------------------------------------------

    @cached_property
    def graph(self) -> nx.Graph:
        """Vertices and bounded edges. Nodes have `position` and, for a curve, `rays`, the unbounded cells at them.

        Edges of the graph of a curve have the `weight` and the index `cell` of their cell, all of them the
        primitive `direction` from the node of smaller number.
        """
        graph = nx.Graph()
        for k, position in enumerate(self.vertices):
            graph.add_node(k, position=position, rays=())
        if self.subdivision.dim > 2:
            for ridge in self.subdivision.ridges:
                if len(ridge.cells) == 2:
                    graph.add_edge(*ridge.cells, direction=ridge.direction)
            return graph
        for k, cell in enumerate(self.cells):
            if len(cell.vertices) == 2:
                graph.add_edge(*cell.vertices, direction=cell._direction, weight=cell.weight, cell=k)
            else:
                graph.nodes[cell.vertices[0]]["rays"] += (k,)
        return graph

    @property
    def is_smooth(self) -> bool:
        """Whether every cell of the subdivision is a unimodular simplex."""
        return self.subdivision.is_unimodular

    @property
    def is_simple(self) -> bool:
        """Of a plane curve: whether it is dual to triangles and parallelograms only."""
        self._need_curve("is_simple")
        corners = self.subdivision.cell_vertices
        return all(len(ends) < 4 or k in self._crossings for k, ends in enumerate(corners))

    @cached_property
    def genus(self) -> int:
        """Of a plane curve: its independent cycles once crossings, vertices dual to parallelograms, are taken apart.

        For a simple curve this is Mikhalkin's genus, summed over its components. A smooth curve of degree d has
        (d − 1)(d − 2)/2.
        """
        self._need_curve("genus")
        graph = nx.Graph()
        for k, cell in enumerate(self.cells):
            for v in cell.vertices:
                graph.add_edge(("edge", k), ("vertex", v, self._strand(v, cell)))
        loops = graph.number_of_edges() - graph.number_of_nodes()
        return loops + nx.number_connected_components(graph)

    def _strand(self, vertex: int, cell: HypersurfaceCell):
        """Which of the two lines through a crossing the cell belongs to; 0 where there is no crossing."""
        return cell.normal if vertex in self._crossings else 0

    @cached_property
    def _crossings(self) -> set[int]:
        """Vertices dual to parallelograms."""
        if self.subdivision.dim != 2:
            return set()
        slopes = self._slopes
        return {
            k
            for k, ends in enumerate(self.subdivision.cell_vertices)
            if len(ends) == 4
            and (slopes[ends[0]] + slopes[ends[2]] == slopes[ends[1]] + slopes[ends[3]]).all()
        }

    @cached_property
    def _slopes(self) -> np.ndarray:
        return convert(self._polynomial.slopes, EXACT)

    def _need_curve(self, what: str) -> None:
        if self.variables != 2:
            raise InputError(
                f"{what} is defined for plane curves; this hypersurface lies in R^{self.variables}"
            )

    def contains(self, x: ArrayLike) -> np.ndarray:
        """Whether points of shape (..., d) lie on it; exact for the numbers as given."""
        p = self._polynomial
        x = convert(as_points(x, p.variables, p.dtype), EXACT)
        refuse_where(~is_finite(x), "x", x, "x must be finite")
        kept = self.subdivision.kept
        if not len(kept):
            return np.zeros(x.shape[:-1], bool)[()]
        terms = p.semiring.sign * (x @ self._slopes[kept].T + convert(p.coefficients[kept], EXACT))
        number: dict[tuple, int] = {}  # of each slope: monomials that share one do not make a hypersurface
        numbers = np.array([number.setdefault(tuple(w), len(number)) for w in self._slopes[kept]])
        best = terms == terms.max(axis=-1, keepdims=True)
        return (
            np.where(best, numbers, -1).max(axis=-1) != np.where(best, numbers, len(number)).min(axis=-1)
        )[()]

    def separating(self, monomials: Iterable[int]) -> tuple[HypersurfaceCell, ...]:
        """The maximal cells with one of the given monomials on one side and another monomial on the other.

        For p = P ⊕ Q and the monomials of P, they part {P ≥ Q} from {P < Q}. See `Rational.decision_cells`.
        """
        chosen = set(monomials)
        return tuple(c for c in self.cells if len({m in chosen for m in self.ends(c)}) == 2)

    def ends(self, cell: HypersurfaceCell) -> tuple[int, int]:
        """The monomials on the two sides of a maximal cell: those at the ends of the edge that it is dual to."""
        return self._ends[cell.monomials]

    @cached_property
    def _ends(self) -> dict[tuple[int, ...], tuple[int, int]]:
        return {edge.monomials: edge.vertices for edge in self.subdivision.edges}

    def plot(self, ax=None, **options):
        """Draw a curve or a surface with matplotlib; see `tropical.plotting`. Returns the axes."""
        from tropical.plotting import plot_curve, plot_surface

        return (plot_surface if self.variables == 3 else plot_curve)(self, ax, **options)

    # ---- balancing -------------------------------------------------------------------------------

    def is_balanced(self) -> bool:
        """Whether Σ weight · (primitive vector of the cell modulo the face) = 0 around each face of codimension 2.

        True by theory (the structure theorem); computed from the weights and the exact places of cells.
        """
        return all(self._is_balanced_at(face, around) for face, around in self._faces_of_codimension_2())

    def _faces_of_codimension_2(self):
        """Each as the cells of the subdivision at its vertices, with the maximal cells that contain it."""
        s = self.subdivision
        if s.dim < 2:
            return
        if s.dim > 3:
            raise InputError(f"balancing is checked up to dimension 3; the Newton polytope has {s.dim}")
        faces = [Face(cell, (), (k,)) for k, cell in enumerate(s.cells)] if s.dim == 2 else s.ridges
        cells_of = defaultdict(list)
        for cell in self.cells:
            for v in cell.vertices:
                cells_of[v].append(cell)
        for face in faces:
            on = set(face.monomials)
            yield face, [cell for cell in cells_of[face.cells[0]] if on.issuperset(cell.monomials)]

    def _is_balanced_at(self, face: Face, around: list[HypersurfaceCell]) -> bool:
        """In coordinates x ↦ (e·x, f·x), with e, f in the plane of the dual polygon, σ points along ±(−β, α).

        Its edge is αe + βf, weight times a primitive vector; so ±(−β, α) is weight times the primitive vector of
        σ modulo the face, up to one factor for all. The sign is where a point of σ lies, seen from the face.
        """
        edges = [np.array(c.normal, dtype=object) * c.weight for c in around]
        e = edges[0]
        f = next(v for v in edges if (e @ e) * (v @ v) != (e @ v) ** 2)
        here, total = self._inner_point(face.cells, self._rays_of(face)), np.zeros(2, dtype=object)
        ee, ef, ff = e @ e, e @ f, f @ f
        for cell, edge in zip(around, edges, strict=True):  # α and β times the Gram determinant of e and f
            alpha = (edge @ e) * ff - (edge @ f) * ef
            beta = (edge @ f) * ee - (edge @ e) * ef
            step = self._inner_point(cell.vertices, cell.rays) - here
            side = -beta * (e @ step) + alpha * (f @ step)
            if alpha * (e @ step) + beta * (f @ step) != 0 or side == 0:
                return False
            total = total + np.array([-beta, alpha], dtype=object) * (1 if side > 0 else -1)
        return not total.any()

    def _rays_of(self, face: Face) -> tuple:
        return (face.direction,) if self.subdivision.dim == 3 and len(face.cells) == 1 else ()

    def _inner_point(self, vertices, rays) -> np.ndarray:
        """A point in the relative interior of conv(vertices) + cone(rays), exact."""
        mean = self.subdivision.exact_vertices[list(vertices)].sum(axis=0) / Fraction(len(vertices))
        return sum((np.array(r, dtype=object) for r in rays), mean)


def hypersurface(polynomial) -> Hypersurface:
    """The hypersurface of a polynomial at ε = 0."""
    s = subdivision(polynomial)
    vertices = s.vertices if s.dim > 0 else frozen(s.vertices[:0])
    return Hypersurface(vertices, _maximal_cells(polynomial, s), s, polynomial)


def _maximal_cells(polynomial, s: Subdivision) -> tuple[HypersurfaceCell, ...]:
    if s.dim < 1:
        return ()
    outer = defaultdict(list)
    for ridge in s.ridges:
        if len(ridge.cells) == 1 and s.dim > 1:
            outer[ridge.cells[0]].append((set(ridge.monomials), ridge.direction))
    cells = []
    for edge in s.edges:
        on = set(edge.monomials)
        rays = {direction for k in edge.cells for monomials, direction in outer[k] if on <= monomials}
        normal = _primitive(polynomial, edge)
        direction = _along(normal, edge, s) if s.polytope.variables == 2 else None
        cells.append(
            HypersurfaceCell(
                edge.monomials, edge.lattice_length, normal, edge.cells, tuple(sorted(rays)), direction
            )
        )
    return tuple(cells)


def _primitive(polynomial, edge: Face) -> tuple[int, ...]:
    """The primitive direction of an edge of the subdivision whose first entry other than 0 is positive."""
    start, end = polynomial.slopes[list(edge.vertices)].tolist()
    step = [(Fraction(b) - Fraction(a)) / edge.lattice_length for a, b in zip(start, end, strict=True)]
    sign = next(1 if v > 0 else -1 for v in step if v)
    return tuple(int(sign * v) for v in step)


def _along(normal: tuple[int, ...], edge: Face, s: Subdivision) -> tuple[int, int]:
    """The direction of an edge of a plane curve; a line's is normal to its slopes."""
    return edge.direction if s.dim == 2 else (-normal[1], normal[0])

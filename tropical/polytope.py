"""Polytopes as convex hulls of points: vertices, facets, volumes, sums and mixed volumes, decided exactly."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tropical._affine import AffineHull
from tropical._arrays import EXACT, as_array, as_points, convert, frozen, is_exact, is_finite, refuse_where
from tropical._convex_hull import convex_hull, extreme, facets
from tropical._figures import BLUE, PALE, axes_or_new
from tropical._lattice import IntegerPoints, Planes, content
from tropical._square import round_to
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["Polytope", "edges_from", "mixed_volume", "newton_polytope"]

_MAX_POINTS = 10**7
_MAX_SUMMANDS = 10


class Polytope:
    """The convex hull of finitely many points of R^d, of any dimension from −1 (none) to d.

    Parameters
    ----------
    points : (N, d) array
        Finite floats, which are taken as the dyadic rationals that they are, or Fractions. Repeated points and
        points that are no vertices are allowed.

    Attributes
    ----------
    vertices : (k, d) array
        Of the dtype of the points; anticlockwise for d = 2, else in the order of the points.
    vertex_indices : (k,) int array
        Which of the points they are, one of each set of equal points.
    dim : int
        −1 for no points.

    Raises
    ------
    ShapeError, InputError
        Points that are no matrix, or not finite.
    BudgetExceeded
        So many points in so many dimensions that the hull could have 10^10 facets.

    Notes
    -----
    Every decision is exact: Qhull proposes vertices, and the hull is built and checked in integers. N = 10^5 points
    in the plane take about 0.1 s. ``P + Q`` is the Minkowski sum.

    Examples
    --------
    >>> P = Polytope([[0, 0], [2, 0], [1, 1], [0, 2], [1, 0]])
    >>> P.vertices
    array([[0., 0.],
           [2., 0.],
           [0., 2.]])
    >>> P.dim, float(P.volume), P.lattice_volume, P.contains([[1, 1], [2, 1]])
    (2, 2.0, 4, array([ True, False]))
    >>> len(P.facets), P.edges, P.vertex_indices.tolist(), P.variables, P.is_exact
    (3, ((0, 1), (0, 2), (1, 2)), [0, 1, 3], 2, False)
    >>> G, h = P.halfspaces
    >>> G.tolist(), h.tolist(), len(P.equations[1])
    ([[-1.0, 0.0], [0.0, -1.0], [1.0, 1.0]], [0.0, 0.0, 2.0], 0)
    >>> ax = P.plot()
    """

    def __init__(self, points: ArrayLike):
        points = as_array("points", points)
        if points.ndim != 2:
            raise ShapeError(f"points have shape {points.shape}; pass points of shape (N, d)")
        refuse_where(~is_finite(points), "points", points, "points must be finite")
        self.points = frozen(points)

    def __repr__(self) -> str:
        size = f"dimension {self.dim} in R^{self.variables}, {len(self.vertex_indices)} vertices"
        return f"<Polytope: {size}, {'exact' if self.is_exact else self.points.dtype.name}>"

    @property
    def variables(self) -> int:
        """d, the dimension of the space."""
        return self.points.shape[1]

    @property
    def is_exact(self) -> bool:
        """Whether entries are Fractions."""
        return is_exact(self.points)

    @property
    def dim(self) -> int:
        """The dimension of the affine hull; −1 for no points."""
        return self.affine_hull.dim if len(self.points) else -1

    # ---- the hull --------------------------------------------------------------------------------

    @cached_property
    def affine_hull(self) -> AffineHull:
        return AffineHull(self.points)

    @cached_property
    def base(self) -> IntegerPoints:
        """The points as integers in coordinates of their affine hull."""
        return IntegerPoints(self.points[:, self.affine_hull.pivots])

    @cached_property
    def hull(self) -> tuple[np.ndarray, Planes]:
        """Simplices of the boundary and their planes, in the integers of `base`; dim ≥ 1."""
        return convex_hull(self.base)

    @cached_property
    def _facets(self) -> tuple[Planes, np.ndarray]:
        """Distinct planes, and which of the corners lie on which."""
        simplices, planes = self.hull
        return facets(self.base.take(np.unique(simplices)), planes)

    @cached_property
    def vertex_indices(self) -> np.ndarray:
        if self.dim < 1:
            return np.arange(len(self.points))[: self.dim + 1]
        simplices = self.hull[0]
        if self.dim == 2:
            return simplices[:, 0]
        corners = np.unique(simplices)
        return corners[extreme(self._facets[1], self.dim)]

    @property
    def vertices(self) -> np.ndarray:
        return self.points[self.vertex_indices]

    @cached_property
    def scaled_volume(self) -> int:
        """dim! times the volume in the integers of `base`; dim ≥ 1."""
        _, planes = self.hull
        return sum((planes.offset - (planes.normal * self.base.rows(0)).sum(axis=1)).tolist())

    @cached_property
    def lattice_volume(self) -> int | Fraction:
        """dim! times the volume relative to Z^d in the affine hull, exact: 1 for a point or a unimodular simplex."""
        if self.dim < 1:
            return self.dim + 1
        volume = self.scaled_volume / math.prod(self.base.scale) * self.affine_hull.density
        return volume.numerator if volume.denominator == 1 else volume

    @property
    def volume(self):
        """The volume in R^d: 0 below dimension d; a Fraction if exact, else the nearest float."""
        volume = Fraction(0)
        if self.dim == self.variables:
            volume = Fraction(self.lattice_volume) / math.factorial(self.dim)
        return volume if self.is_exact else float(round_to(np.dtype(np.float64), volume))

    @cached_property
    def halfspaces(self) -> tuple[np.ndarray, np.ndarray]:
        """(G, h) with P = {x of the affine hull : G x ≤ h}; one row a facet, G in lowest integers.

        Floats are the nearest to these.
        """
        if self.dim < 1:
            return self._rounded(np.zeros((0, self.variables))), self._rounded(np.zeros(0))
        rows = self._facets[0].in_coordinates(self.base, _UnitScale(self.dim))
        G = np.zeros((len(rows), self.variables), dtype=object)
        G[:, self.affine_hull.pivots] = rows.normal
        unit = np.array([content(row) for row in rows.normal])
        return self._rounded(G / unit[:, None]), self._rounded(rows.offset / unit)

    @cached_property
    def equations(self) -> tuple[np.ndarray, np.ndarray]:
        """(E, e) with affine hull {x : E x = e}; no rows in full dimension."""
        E = self.affine_hull.lineality
        return self._rounded(E), self._rounded(E @ self.affine_hull.origin)

    def _rounded(self, exact: np.ndarray) -> np.ndarray:
        return convert(exact.astype(object), EXACT) if self.is_exact else exact.astype(np.float64)

    @cached_property
    def facets(self) -> tuple[tuple[int, ...], ...]:
        """Facets as tuples of rows of `vertices`, in the order of `halfspaces`."""
        if self.dim < 1:
            return ()
        return tuple(tuple(np.flatnonzero(on).tolist()) for on in self._on_vertices.T)

    @cached_property
    def _on_vertices(self) -> np.ndarray:
        corners = np.unique(self.hull[0])
        return self._facets[1][np.searchsorted(corners, self.vertex_indices)]

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Edges as pairs of rows of `vertices`: those that no third vertex joins on all their facets."""
        if self.dim < 1:
            return ()
        return tuple(edges_from(self._on_vertices, self.dim))

    def contains(self, x: ArrayLike) -> np.ndarray:
        """Whether points of shape (..., d) lie in the polytope, boundary included; exact."""
        x = as_points(x, self.variables, self.points.dtype)
        refuse_where(~is_finite(x), "x", x, "x must be finite")
        flat = x.reshape(math.prod(x.shape[:-1]), self.variables)
        if not len(self.points):
            return np.zeros(x.shape[:-1], bool)[()]
        inside = np.ones(len(flat), bool)
        if self.dim < self.variables:
            E, origin = self.affine_hull.lineality, self.affine_hull.origin
            inside &= ((convert(flat, EXACT) - origin) @ E.T == 0).all(axis=1)
        if self.dim > 0 and len(flat):
            points = IntegerPoints(flat[:, self.affine_hull.pivots])
            planes = self._facets[0].in_coordinates(self.base, points)
            signs = planes.all_signs(points, np.arange(len(flat)))
            inside &= (signs <= 0).all(axis=1)
        return inside.reshape(x.shape[:-1])[()]

    # ---- sums and pictures -----------------------------------------------------------------------

    def __add__(self, other: Polytope) -> Polytope:
        """The Minkowski sum {x + y}, from sums of vertices; floats round once."""
        if not isinstance(other, Polytope):
            return NotImplemented
        _check_dimensions([self, other])
        a, b = self.vertices, other.vertices
        if is_exact(a) != is_exact(b):
            a, b = convert(a, EXACT), convert(b, EXACT)
        return Polytope(_pairwise(a, b))

    def plot(self, ax=None, **style):
        """Draw a polygon (d = 2) with matplotlib and return the axes; `style` goes to `Axes.fill`."""
        if self.variables != 2:
            raise InputError(f"the polytope lies in R^{self.variables}; plot draws d = 2")
        ax = axes_or_new(ax)
        x, y = self.vertices.astype(float).T
        ax.fill(x, y, **{"facecolor": PALE, "edgecolor": BLUE, **style})
        ax.plot(x, y, "o", color=BLUE, markersize=4)
        ax.set_aspect("equal")
        return ax


class _UnitScale:
    """Coordinates themselves as integers."""

    def __init__(self, dim: int):
        self.scale, self.centre = [Fraction(1)] * dim, [0] * dim


def edges_from(on: np.ndarray, dim: int) -> list[tuple[int, int]]:
    """Pairs of vertices that span an edge, given which vertices lie on which facet."""
    shared = on.astype(np.int64) @ on.T.astype(np.int64)
    pairs = np.argwhere(np.triu(shared >= dim - 1, 1))
    return [(i, j) for i, j in pairs.tolist() if on[:, on[i] & on[j]].all(axis=1).sum() == 2]


def newton_polytope(polynomial) -> Polytope:
    """The convex hull of the slopes whose coefficient is not the semiring's zero."""
    kept = polynomial.coefficients != polynomial.semiring.zero
    return Polytope(polynomial.slopes[kept])


def mixed_volume(*polytopes):
    """The mixed volume of d polytopes in R^d: MV = Σ_S (−1)^{d − |S|} vol(Σ_{i∈S} P_i) over the nonempty subsets S.

    MV(P, …, P) = d! vol(P). By Bernstein's theorem it counts the common zeros, in the torus, of d generic
    polynomials with these Newton polytopes; for tropical hypersurfaces it is the number of points of their stable
    intersection with multiplicities.

    Parameters
    ----------
    *polytopes : d Polytopes, or Polynomials for their Newton polytopes

    Returns
    -------
    int or Fraction if all of them are exact or integral, else the nearest float.

    Raises
    ------
    ShapeError
        Not as many polytopes as dimensions.
    BudgetExceeded
        More than 10 polytopes (2^d sums), or 10^7 sums of vertices.

    Notes
    -----
    All sums are built in integers, each from the vertices of the last: 2^d − 1 convex hulls.

    References
    ----------
    D. N. Bernstein, "The number of roots of a system of equations", Funct. Anal. Appl. 9 (1975); D. Cox, J. Little,
    D. O'Shea, Using Algebraic Geometry, 2005, section 7.4.

    Examples
    --------
    >>> square, triangle = Polytope([[0, 0], [1, 0], [0, 1], [1, 1]]), Polytope([[0, 0], [2, 0], [0, 2]])
    >>> mixed_volume(square, triangle), mixed_volume(triangle, triangle)      # 2² meets by Bézout
    (4, 4)
    """
    if not polytopes:
        raise ShapeError("mixed_volume got no polytopes; pass d of them in R^d")
    polytopes = [_polytope_of(p) for p in polytopes]
    d = _check_dimensions(polytopes)
    if len(polytopes) != d:
        raise ShapeError(f"mixed_volume got {len(polytopes)} polytopes in R^{d}; pass {d}")
    if d > _MAX_SUMMANDS:
        raise BudgetExceeded(
            "sums for a mixed volume", 2**d - 1, 2**_MAX_SUMMANDS - 1, "take fewer variables"
        )
    if any(p.dim < 0 for p in polytopes):
        return 0
    dtype = EXACT if any(p.is_exact for p in polytopes) else np.dtype(np.float64)
    stacked = IntegerPoints(np.concatenate([convert(p.vertices, dtype) for p in polytopes]))
    parts = np.split(stacked.integers, np.cumsum([len(p.vertices) for p in polytopes])[:-1])
    sums: dict[tuple[int, ...], np.ndarray] = {}
    total = 0
    for size in range(1, d + 1):
        for chosen in combinations(range(d), size):
            *some, last = chosen
            points = _pairwise(sums[tuple(some)], parts[last]) if some else parts[last]
            hull = Polytope.__new__(Polytope)
            hull.points = points
            sums[chosen] = points[hull.vertex_indices]
            if hull.dim == d:
                total += (-1) ** (d - size) * hull.scaled_volume
    value = Fraction(total, math.factorial(d)) / math.prod(stacked.scale)
    if value.denominator == 1:
        return value.numerator
    return value if all(p.is_exact for p in polytopes) else float(value)


def _polytope_of(p) -> Polytope:
    if not (isinstance(p, Polytope) or hasattr(p, "newton_polytope")):
        raise InputError(f"mixed_volume got a {type(p).__name__}; pass Polytopes or Polynomials")
    return p if isinstance(p, Polytope) else newton_polytope(p)


def _check_dimensions(polytopes: list[Polytope]) -> int:
    sizes = sorted({p.variables for p in polytopes})
    if len(sizes) > 1:
        raise ShapeError(f"polytopes lie in spaces of {sizes} dimensions; give all the same")
    return sizes[0]


def _pairwise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if len(a) * len(b) > _MAX_POINTS:
        raise BudgetExceeded("vertices of a Minkowski sum", len(a) * len(b), _MAX_POINTS, "simplify first")
    return (a[:, None] + b[None]).reshape(-1, a.shape[1])

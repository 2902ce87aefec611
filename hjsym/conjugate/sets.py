"""Indicators (0 on a set, +∞ off it) and support functions σ_C(y) = sup_{x ∈ C} ⟨x, y⟩, which are conjugate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.conjugate._programs import Program
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.boxes import BoxIndicator, HypersimplexIndicator
from hjsym.conjugate.domains import Ball, Halfspaces, Sublevel
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.maxaffine import MaxAffine
from hjsym.conjugate.radial import Power, Radial
from tropical import Box, Polyhedron, Polynomial, Polytope
from tropical._arrays import as_array, convert, is_exact
from tropical._dominance import Terms
from tropical.domain import as_polyhedron
from tropical.errors import InputError, ShapeError

__all__ = [
    "Points",
    "PolyhedronIndicator",
    "PolyhedronSupport",
    "SecondOrderCone",
    "indicator",
    "simplex",
    "support",
]


def indicator(C, variables: int | None = None) -> ConvexFunction:
    """0 on C, +∞ off it.

    Parameters
    ----------
    C : Box, Polyhedron, Polytope, Ball, Points, SecondOrderCone, or a SymPy Interval or FiniteSet
        Closed. For a point set that is not convex the conjugate is that of its hull.
    variables : int, optional
        d, where C does not say: for a Box of numbers.

    Examples
    --------
    >>> cube = indicator(Box(-1, 1), 3)
    >>> float(cube.conjugate()([1.0, -2.0, 0.5]))                         # ‖y‖₁
    3.5
    >>> triangle = indicator(Polytope([[0, 0], [1, 0], [0, 1]]))
    >>> triangle([[0.5, 0.5], [0.6, 0.5]]), float(triangle.conjugate()([2.0, 3.0]))
    (array([ 0., inf]), 3.0)
    """
    match C:
        case Box():
            return _box(C, variables)
        case Polyhedron():
            return _polyhedron(C)
        case Polytope():
            return _hull(C)
        case Ball():
            ball = Radial(Power(np.inf), C.variables, C.p)
            return ball.dilate(1 / C.radius).shift(C.centre)
        case SecondOrderCone() | Points():
            return C
        case sympy.Interval():
            return BoxIndicator(float(C.start), float(C.end))
        case sympy.FiniteSet():
            return Points([[sympy_number(v)] for v in sorted(C.args, key=float)])
    raise InputError(
        f"a {type(C).__name__} is no set known here; pass a Box, Polyhedron, Polytope, Ball, Points, "
        "SecondOrderCone, or a SymPy Interval or FiniteSet"
    )


def support(C, variables: int | None = None) -> ConvexFunction:
    """sup{⟨x, y⟩ : x ∈ C}; see `indicator` for C.

    Parameters
    ----------
    C, variables
        As for `indicator`.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> float(support(Ball(2, 2.0, np.zeros(2)))([3.0, 4.0]))
    10.0
    """
    return indicator(C, variables).conjugate()


def simplex(d: int) -> HypersimplexIndicator:
    """The indicator of the probability simplex {y ≥ 0, Σy = 1}; its conjugate is max_k x_k.

    Parameters
    ----------
    d : int
        The number of variables.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> f = simplex(3)
    >>> f([[0.5, 0.5, 0.0], [0.5, 0.6, 0.0]]), float(f.conjugate()([1.0, 4.0, 2.0]))
    (array([ 0., inf]), 4.0)
    """
    return HypersimplexIndicator(1, d)


def sympy_number(value):
    return float(value) if not value.is_Rational else value


def _box(box: Box, variables: int | None) -> BoxIndicator:
    sizes = {np.size(v) for v in (box.low, box.high) if np.ndim(v)}
    d = variables or (sizes.pop() if sizes else None)
    if d is None:
        raise ShapeError("the box has numbers for bounds; pass variables=d, or vectors")
    low, high = (np.asarray(bound, float) for bound in box.bounds(d))
    return BoxIndicator(low, high)


def _polyhedron(C: Polyhedron) -> ConvexFunction:
    d = np.shape(C.G)[1]
    G, h = as_polyhedron(C, d)
    try:
        Terms(convert(np.zeros((0, d)), G.dtype), convert(np.zeros(0), h.dtype), (G, h))
    except InputError:
        return Improper(np.inf, d)
    exact = is_exact(as_array("G", C.G)) or is_exact(as_array("h", C.h))
    return PolyhedronIndicator(*((G, h) if exact else (G.astype(float), h.astype(float))))


def _hull(polytope: Polytope) -> ConvexFunction:
    if polytope.dim < 0:
        return Improper(np.inf, polytope.variables)
    zeros = convert(np.zeros(len(polytope.points)), polytope.points.dtype)
    return MaxAffine(Polynomial(polytope.points, zeros)).conjugate()


@dataclass(frozen=True, eq=False)
class Points(ConvexFunction):
    """The indicator of finitely many points, (N, d); not convex, and its conjugate is the support of their hull.

    >>> f = Points([[-1.0], [1.0]])
    >>> f.conjugate()([-3.0, 2.0]), f.conjugate().conjugate()([0.0, 2.0])
    (array([3., 2.]), array([ 0., inf]))
    """

    points: ArrayLike
    rational = True

    def __post_init__(self):
        points = Polytope(self.points).points
        if not len(points):
            raise InputError("points are none; pass at least one, or Improper(inf, d)")
        object.__setattr__(self, "points", points)

    @property
    def variables(self) -> int:
        return self.points.shape[1]

    @property
    def of_hull(self) -> bool:
        return not self._is_single

    @property
    def _is_single(self) -> bool:
        return bool((self.points == self.points[0]).all())

    @property
    def domain(self):
        return Sublevel(self)

    def convexity(self) -> Convexity:
        if self._is_single:
            return Convexity(True, "a single point")
        other = self.points[int((self.points != self.points[0]).any(axis=1).argmax())]
        return Convexity(
            False,
            "points without what is between them",
            (self.points[0], (self.points[0] + other) / 2, other),
        )

    def _values(self, y: np.ndarray) -> np.ndarray:
        inside = (y[:, None] == self.points).all(axis=2).any(axis=1)
        return np.where(inside, 0.0, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.where((self._values(y) == 0)[:, None], np.zeros(y.shape), np.nan)

    def conjugate(self) -> MaxAffine:
        zeros = convert(np.zeros(len(self.points)), self.points.dtype)
        return MaxAffine(Polynomial(self.points, zeros), "known pair", self.of_hull)


@dataclass(frozen=True, eq=False)
class PolyhedronIndicator(ConvexFunction):
    """The indicator of {G x ≤ h}, not empty; membership is decided exactly."""

    G: np.ndarray
    h: np.ndarray
    method = "polyhedral"

    @property
    def variables(self) -> int:
        return self.G.shape[1]

    @property
    def domain(self) -> Halfspaces:
        return Halfspaces(self.G, self.h)

    def conjugate(self) -> PolyhedronSupport:
        return PolyhedronSupport(self.G, self.h)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.where(self.domain.contains(y), 0.0, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.where(self.domain.contains(y)[:, None], np.zeros_like(y), np.nan)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """The nearest point, by C. Lawson and R. Hanson, Solving Least Squares Problems, 1974, chapter 23."""
        from scipy.optimize import nnls

        G, h = self.G.astype(float), self.h.astype(float)
        target, rows = np.append(np.zeros(self.variables), 1.0), []
        for point in x:
            E = np.vstack([-G.T, G @ point - h])
            residual = E @ nnls(E, target)[0] - target
            rows.append(point - residual[:-1] / residual[-1] if residual[-1] < 0 else point)
        return np.reshape(rows, x.shape)

    def _envelope(self, x: np.ndarray, lam: float) -> np.ndarray:
        return ((x - self._prox(x, lam)) ** 2).sum(axis=1) / (2 * lam)


@dataclass(frozen=True, eq=False)
class PolyhedronSupport(ConvexFunction):
    """sup{⟨x, y⟩ : G x ≤ h} = min{h·μ : μ ≥ 0, Gᵀμ = y}: one proved linear program for each point.

    >>> f = support(Polyhedron([[-1, 0], [0, -1], [1, 1]], [0, 0, 1]))    # of a triangle
    >>> f([[2.0, 3.0], [-1.0, -1.0]])
    array([3., 0.])
    """

    G: np.ndarray
    h: np.ndarray
    method = "lp"

    @property
    def rational(self) -> bool:
        return is_exact(self.G)

    @property
    def variables(self) -> int:
        return self.G.shape[1]

    @property
    def domain(self):
        return Sublevel(self)

    def conjugate(self) -> PolyhedronIndicator:
        return PolyhedronIndicator(self.G, self.h)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return x - lam * self.conjugate()._prox(x / lam, 1 / lam)

    @cached_property
    def _program(self) -> Program:
        return Program(self.G.T, self.h)

    def _optima(self, y: np.ndarray):
        exact = is_exact(y) or self.rational
        return exact, [self._program.solve(point, exact) for point in y]

    def _values(self, y: np.ndarray) -> np.ndarray:
        exact, found = self._optima(y)
        h = convert(self.h, y.dtype) if exact else self.h
        values = [np.inf if f is None else h[f.used] @ f.weights for f in found]
        return np.array([*values, None], dtype=object)[:-1] if exact else np.array(values, float)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        _, found = self._optima(y)
        return np.array([np.full(self.variables, np.nan) if f is None else f.prices for f in found]).reshape(
            y.shape
        )


@dataclass(frozen=True, eq=False)
class SecondOrderCone(ConvexFunction):
    """The indicator of {(x, t) ∈ R^{d−1} × R : ‖x‖₂ ≤ t}, or of its polar cone, −t in place of t.

    >>> f = SecondOrderCone(3)
    >>> f.conjugate()([[3.0, 4.0, -5.0], [3.0, 4.0, 5.0]])
    array([ 0., inf])
    """

    dimension: int
    sign: int = 1
    method = "known pair"

    @property
    def variables(self) -> int:
        return self.dimension

    @property
    def domain(self):
        return Sublevel(self)

    def conjugate(self) -> SecondOrderCone:
        return SecondOrderCone(self.dimension, -self.sign)

    def _values(self, y: np.ndarray) -> np.ndarray:
        size, t = np.linalg.norm(y[:, :-1], axis=1), self.sign * y[:, -1]
        return np.where(size <= t * (1 + (4 + self.dimension) * 2.0**-53), 0.0, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.where((self._values(y) == 0)[:, None], np.zeros_like(y), np.nan)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        size, t = np.linalg.norm(x[:, :-1], axis=1), self.sign * x[:, -1]
        half = np.clip((size + t) / 2, 0.0, None)
        unit = x[:, :-1] / np.where(size > 0, size, 1.0)[:, None]
        onto = np.column_stack([half[:, None] * unit, self.sign * half])
        return np.where((size <= t)[:, None], x, np.where((size <= -t)[:, None], 0.0, onto))

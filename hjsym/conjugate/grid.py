"""Functions known at the nodes of a grid: discrete conjugates by one linear-time Legendre transform along each axis.

f*(p, q) = max_x p·x + max_y (q·y − f(x, y)): after the first axis each inner result enters the next step negated.
With ∇²f ≤ K the nodes miss at most Σ_k h_k²K/8 of the supremum, h_k the widest gap of axis k, wherever the maximiser
is inside the grid. Where it is at an end, the grid was too small for the slope, and the value is only a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.domains import Orthotope
from hjsym.conjugate.improper import Improper
from tropical import Polynomial, Semiring, legendre, matmul
from tropical._arrays import as_array
from tropical._grids import as_nodes
from tropical.errors import InputError, ShapeError

__all__ = ["GridConjugate", "GridTransform", "Gridded", "c_transform"]

_BLOCK = 1 << 20  # nodes that are compared at a time


@dataclass(frozen=True, eq=False)
class Gridded(ConvexFunction):
    """f by its values at the nodes of a grid, multilinear between them, +∞ outside.

    Parameters
    ----------
    values : (n_1, …, n_d) array
        +∞ marks nodes outside of the domain.
    nodes : d arrays (n_k,), or one array for d = 1
        Strictly increasing, at any distances.
    bounded : bool
        Whether f is +∞ beyond the grid; else conjugates say where the end of the grid was the maximiser.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 401)
    >>> f = Gridded(x[:, None] ** 2 / 2 + x**2, [x, x])                   # x²/2 + y²
    >>> g = f.conjugate()
    >>> g([[1.0, 0.5]]).round(6), g.is_truncated([[1.0, 0.5], [3.0, 0.0]])
    (array([0.5625]), array([False,  True]))
    """

    values: ArrayLike
    nodes: Sequence[ArrayLike]
    bounded: bool = False
    method = "grid"
    exact = False

    def __post_init__(self):
        values = np.ascontiguousarray(as_array("values", self.values).astype(float))
        nodes = _each_axis(self.nodes)
        if values.ndim != len(nodes) or not values.size:
            raise ShapeError(
                f"values have shape {values.shape} for {len(nodes)} arrays of nodes; pass one for each axis"
            )
        nodes = tuple(
            np.asarray(as_nodes(f"nodes[{k}]", x, n, strict=True), float)
            for k, (x, n) in enumerate(zip(nodes, values.shape, strict=True))
        )
        if (values != values).any():
            raise InputError("values have NaN; mark nodes outside of the domain by inf")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "nodes", nodes)

    @property
    def variables(self) -> int:
        return len(self.nodes)

    @property
    def domain(self) -> Orthotope:
        """The box of the grid; where values are +∞ f is so, too."""
        return Orthotope(np.array([x[0] for x in self.nodes]), np.array([x[-1] for x in self.nodes]))

    @cached_property
    def of_hull(self) -> bool:
        return self.convexity().convex is False

    def _values(self, y: np.ndarray) -> np.ndarray:
        out = np.where(self.domain.contains(y), 0.0, np.inf)
        inside = out == 0
        out[inside] = self._interpolated(y[inside])
        return out

    def _interpolated(self, y: np.ndarray) -> np.ndarray:
        """The mean over the corners of a cell, those of weight 0 left out."""
        places = [
            np.clip(np.searchsorted(x, c, "right") - 1, 0, max(len(x) - 2, 0))
            for x, c in zip(self.nodes, y.T, strict=True)
        ]
        shares = [
            (c - x[i]) / (x[i + 1] - x[i]) if len(x) > 1 else np.zeros(len(c))
            for x, c, i in zip(self.nodes, y.T, places, strict=True)
        ]
        total = np.zeros(len(y))
        for corner in np.ndindex(*(2,) * self.variables):
            weight = np.prod([s if c else 1 - s for s, c in zip(shares, corner, strict=True)], axis=0)
            at = tuple(
                np.minimum(i + c, n - 1) for i, c, n in zip(places, corner, self.values.shape, strict=True)
            )
            with np.errstate(invalid="ignore"):
                total = total + np.where(weight > 0, weight * self.values[at], 0.0)
        return total

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        raise InputError("a function on a grid has no slopes between nodes; its conjugate has maximisers")

    def convexity(self) -> Convexity:
        """In one variable decided by the slopes; in more only refuted by lines along axes, else unknown."""
        for axis, x in enumerate(self.nodes):
            found = _bend(np.moveaxis(self.values, axis, -1), x)
            if found is not None:
                where, i, j, k = found
                points = []
                for place in (i, j, k):
                    index = list(where)
                    index.insert(axis, place)
                    points.append(np.array([n[m] for n, m in zip(self.nodes, index, strict=True)]))
                return Convexity(False, f"slopes fall along axis {axis}", tuple(points))
        if self.variables == 1:
            return Convexity(True, "slopes between nodes do not fall")
        return Convexity(None, "slopes along axes do not fall, which does not prove convexity")

    def conjugate(self) -> ConvexFunction:
        if (self.values == -np.inf).any() or (self.values == np.inf).all():
            return Improper(np.inf if (self.values == -np.inf).any() else -np.inf, self.variables)
        return GridConjugate(self)


def _each_axis(arrays: Sequence[ArrayLike]) -> list[ArrayLike]:
    """A list of arrays, of which one may have been given alone."""
    return [arrays] if len(arrays) and np.ndim(arrays[0]) == 0 else list(arrays)


def _bend(values: np.ndarray, x: np.ndarray):
    """(line, i, j, k) along the last axis: finite values at i < k, and one above their chord at j; None for none."""
    for line in np.ndindex(*values.shape[:-1]):
        row = values[line]
        finite = np.flatnonzero(np.isfinite(row))
        if len(finite) < 2:
            continue
        gap = np.flatnonzero(np.diff(finite) > 1)
        if len(gap):
            g = int(gap[0])
            return line, int(finite[g]), int(finite[g]) + 1, int(finite[g + 1])
        slopes = np.diff(row[finite]) / np.diff(x[finite])
        scale = 8 * 2.0**-52 * np.abs(row[finite]).max() / np.diff(x[finite]).min()
        falls = np.flatnonzero(np.diff(slopes) < -scale)
        if len(falls):
            j = int(falls[0]) + 1
            return line, int(finite[j - 1]), int(finite[j]), int(finite[j + 1])
    return None


@dataclass(frozen=True, eq=False)
class GridTransform:
    """A conjugate on a grid of slopes.

    Attributes
    ----------
    values : (m_1, …, m_d) array
    argmax : (d, m_1, …, m_d) int array
        Indices of the maximising node.
    truncated : (m_1, …, m_d) bool array
        Where that node is at an end of the grid of an unbounded f: the value is only a lower bound.
    """

    values: np.ndarray
    argmax: np.ndarray
    truncated: np.ndarray


@dataclass(frozen=True, eq=False)
class GridConjugate(ConvexFunction):
    """f*(y) = max over nodes of ⟨x, y⟩ − f(x); convex, whatever f is."""

    function: Gridded
    method = "grid"
    exact = False

    @property
    def variables(self) -> int:
        return self.function.variables

    @property
    def of_hull(self) -> bool:
        return self.function.of_hull

    @property
    def domain(self):
        """The slopes for which the grid is large enough; all of R^d for a bounded f."""
        return _Covered(self)

    @cached_property
    def _pieces(self) -> list[Polynomial]:
        f = self.function
        finite = np.flatnonzero(f.values.ravel() < np.inf)
        places = np.unravel_index(finite, f.values.shape)
        X = np.column_stack([x[i] for x, i in zip(f.nodes, places, strict=True)])
        b = -f.values.ravel()[finite]
        return [Polynomial(X[s : s + _BLOCK], b[s : s + _BLOCK]) for s in range(0, len(b), _BLOCK)]

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.max([p(y) for p in self._pieces], axis=0)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        values, nodes = zip(*(p.value_and_gradient(y) for p in self._pieces), strict=True)
        best = np.argmax(values, axis=0)
        return np.stack(nodes)[best, np.arange(len(y))]

    def is_truncated(self, y: ArrayLike) -> np.ndarray:
        """Where the maximising node is at an end of the grid of an unbounded f."""
        points, shape = self._points(y)
        x, box = self._argmax(points), self.function.domain
        at_end = ((x == box.low) | (x == box.high)).any(axis=1)
        return (at_end & (not self.function.bounded)).reshape(shape)[()]

    def conjugate(self) -> ConvexFunction:
        """The closed convex hull of the nodes' values, exactly."""
        from hjsym.conjugate.polyhedral import PolyhedralConjugate

        slopes = np.concatenate([p.slopes for p in self._pieces])
        return PolyhedralConjugate(
            Polynomial(slopes, np.concatenate([p.coefficients for p in self._pieces])), self.of_hull
        )

    def on_grid(self, slopes: Sequence[ArrayLike]) -> GridTransform:
        """f* on a grid of slopes, in time linear in both grids.

        >>> x = np.linspace(-2, 2, 401)
        >>> t = Gridded(x[:, None] ** 2 / 2 + x**2, [x, x]).conjugate().on_grid([[0.0, 1.0, 3.0], [0.5]])
        >>> t.values.round(6).ravel(), t.truncated.ravel()
        (array([0.0625, 0.5625, 4.0625]), array([False, False,  True]))
        """
        f = self.function
        slopes = _each_axis(slopes)
        if len(slopes) != f.variables:
            raise ShapeError(
                f"got {len(slopes)} arrays of slopes for {f.variables} variables; pass one for each"
            )
        values, winners = f.values, []
        for axis in reversed(range(f.variables)):
            values, best = legendre(
                values if not winners else -values, f.nodes[axis], slopes[axis], axis, True
            )
            winners = [best, *(np.take_along_axis(w, np.maximum(best, 0), axis) for w in winners)]
        argmax = np.stack(winners)
        ends = [(a == 0) | (a == n - 1) for a, n in zip(argmax, f.values.shape, strict=True)]
        return GridTransform(values, argmax, np.logical_or.reduce(ends) & (not f.bounded))

    def error_bound(self, curvature: float | Sequence[float] | None = None) -> float:
        """Σ_k h_k² K_k/8, which f* exceeds the value by at most where it is not truncated.

        K_k bounds the second derivative of f along axis k; by default the largest second difference, an estimate.
        """
        f = self.function
        bounds = (
            [_curvature(np.moveaxis(f.values, k, -1), x) for k, x in enumerate(f.nodes)]
            if curvature is None
            else curvature
        )
        gaps = [np.diff(x).max() if len(x) > 1 else 0.0 for x in f.nodes]
        return float(
            sum(h * h * k / 8 for h, k in zip(gaps, np.broadcast_to(bounds, len(gaps)), strict=True))
        )


def _curvature(values: np.ndarray, x: np.ndarray) -> float:
    if len(x) < 3:
        return 0.0
    with np.errstate(invalid="ignore"):
        slopes = np.diff(values) / np.diff(x)
        second = np.diff(slopes) / ((x[2:] - x[:-2]) / 2)
    return float(np.nanmax(np.where(np.isfinite(second), second, 0.0), initial=0.0))


@dataclass(frozen=True, eq=False)
class _Covered:
    """Slopes at which a conjugate on a grid is not cut off."""

    conjugate: GridConjugate

    @property
    def variables(self) -> int:
        return self.conjugate.variables

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = as_array("y", y)
        return ~self.conjugate.is_truncated(y[..., 0] if self.variables == 1 and y.ndim else y)


def c_transform(f: ArrayLike, cost: ArrayLike, eps: float = 0.0) -> np.ndarray:
    """f^c(y_j) = min_i c(x_i, y_j) − f(x_i), the c-transform of optimal transport; its soft version for ε > 0.

    At ε > 0 it is −ε log Σ_i exp((f_i − c_ij)/ε): add ε log of the weights of the x_i to f for a measure.

    Parameters
    ----------
    f : (n,) or (..., n) array
    cost : (n, m) array
    eps : float
        ε ≥ 0.

    Returns
    -------
    (m,) or (..., m) array

    Notes
    -----
    f^{ccc} = f^c at ε = 0. For c = −x·y, f^c(y) = −(−f)*(y).

    Examples
    --------
    >>> c_transform([0.0, 1.0], [[0.0, 4.0], [1.0, 1.0]])
    array([0., 0.])
    """
    f, cost = as_array("f", f), as_array("cost", cost)
    if cost.ndim != 2 or f.ndim < 1 or f.shape[-1] != len(cost):
        raise ShapeError(f"f has shape {f.shape} and cost {cost.shape}; pass (..., n) and (n, m)")
    rows = -f.reshape(-1, f.shape[-1])
    return np.asarray(matmul(rows, cost, Semiring(sign=-1, eps=eps))).reshape(*f.shape[:-1], cost.shape[1])

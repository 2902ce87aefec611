"""The shock set of an inviscid solution: where the minimum of the Hopf–Lax formula is attained at two places apart.

Neighbouring nodes x, x' have minimisers y, y' of g(y) + |x − y|²/4κt. Along the edge between them the two parabolas
differ by an affine function, so that they tie at one place, exactly; there ∇u jumps by |y − y'|/2κt. Off shocks
minimisers of neighbours are as close as the characteristics were, and on shocks they stay apart however fine the grid.

Source: P. Cannarsa, C. Sinestrari, *Semiconcave Functions, Hamilton–Jacobi Equations, and Optimal Control*, 2004,
section 1.6 and chapter 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.solutions._input import as_even_nodes, positive_numbers
from tropical import hopf_lax
from tropical._display import summary
from tropical.errors import InputError, ShapeError

__all__ = ["ShockSet", "shock_set"]


@dataclass(frozen=True, eq=False)
class ShockSet:
    """Where edges of the grid cross shocks.

    Attributes
    ----------
    points : (n, d) array
        The ties.
    jumps : (n,) array
        By how much |∇u| jumps there.
    x : tuple of d arrays
        The grid.
    values : array with d axes
        u on it.

    Examples
    --------
    >>> x = np.linspace(-4, 4, 81)
    >>> found = shock_set(np.minimum(4 * abs(x + 1), 4 * abs(x - 1)), x, 1.0)
    >>> found.points.round(9) + 0, found.jumps.round(9), found.values.shape
    (array([[0.]]), array([1.]), (81,))
    >>> ax = found.plot()
    """

    points: np.ndarray
    jumps: np.ndarray
    x: tuple[np.ndarray, ...]
    values: np.ndarray

    __repr__ = summary

    def plot(self, ax=None):
        """u and its shocks, of one or two variables, on new axes of matplotlib unless given; returns the axes."""
        from tropical._figures import BLUE, GREY, RED, axes_or_new

        if len(self.x) > 2:
            raise ShapeError(f"the shocks have {len(self.x)} variables; pictures are of 1 or 2")
        ax = axes_or_new(ax)
        if len(self.x) == 1:
            ax.plot(self.x[0], self.values, color=BLUE)
            ax.plot(self.points[:, 0], np.interp(self.points[:, 0], self.x[0], self.values), "o", color=RED)
            ax.set(xlabel="x", ylabel="u")
            return ax
        ax.contour(*self.x, self.values.T, levels=20, colors=GREY, linewidths=0.7)
        ax.scatter(*self.points.T, s=4 * self.jumps / self.jumps.max(initial=1e-300), color=RED, zorder=3)
        ax.set(xlabel="x₁", ylabel="x₂", aspect="equal")
        return ax


def shock_set(
    g: ArrayLike, x: ArrayLike | Sequence[ArrayLike], t: float, *, kappa: float = 1.0, apart: float = 8.0
) -> ShockSet:
    """The shocks at time t of u_t + κ|∇u|² = 0 from g on an even grid.

    Parameters
    ----------
    g : array with d axes
        Initial values at the nodes, +∞ where there are none.
    x : array or sequence of d arrays
        The nodes of each axis.
    t : float
        Time > 0.
    kappa : float
        κ > 0.
    apart : float
        How many nodes the minimisers of neighbours are apart at a shock, at least. Where g is smooth and its
        characteristics have drawn near, minimisers are a few apart without any shock: refine until the set stays.

    Returns
    -------
    ShockSet

    Notes
    -----
    Cost O(size) for each axis. Places are exact for data at the nodes alone, and within O(h) for what these sample.

    Examples
    --------
    Two wells meet where (x + 1)² = (x − 1)² + 2t, and |∇u| jumps there by 2/t:

    >>> x = np.linspace(-4, 4, 801)
    >>> found = shock_set(np.minimum(4 * abs(x + 1), 4 * abs(x - 1) + 1), x, 1.0, kappa=0.5)
    >>> found.points.round(12), found.jumps.round(12)
    (array([[0.5]]), array([2.]))
    """
    g = np.asarray(g, dtype=float)
    x, spacing = as_even_nodes(x)
    t, kappa = positive_numbers(t=t, kappa=kappa)
    if g.shape != tuple(map(len, x)):
        raise ShapeError(f"g has shape {g.shape} but the axes have {[len(a) for a in x]} nodes")
    if not apart >= 2:
        raise InputError(f"apart is {apart}; pass a number of nodes ≥ 2")
    values, winners = hopf_lax(g, t, spacing, kappa=kappa, return_argmax=True)
    if (winners < 0).any():
        raise InputError("g is +inf everywhere; pass data with a finite value")
    nodes = np.stack(np.meshgrid(*x, indexing="ij"), axis=-1)
    y, data = nodes.reshape(-1, len(x))[winners], g.ravel()[winners]
    points, jumps = zip(
        *(_on_edges(nodes, y, data, k, spacing, 4 * kappa * t, apart) for k in range(len(x))), strict=True
    )
    return ShockSet(np.concatenate(points), np.concatenate(jumps), x, values)


def _on_edges(
    nodes: np.ndarray,
    y: np.ndarray,
    data: np.ndarray,
    axis: int,
    spacing: list[float],
    scale: float,
    apart: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The ties on edges along an axis whose ends have minimisers y, with data there, that are apart; and the jumps."""
    before, after = (
        tuple(some if k == axis else slice(None) for k in range(len(spacing)))
        for some in (slice(None, -1), slice(1, None))
    )
    found = np.nonzero(np.abs((y[after] - y[before]) / spacing).max(axis=-1) >= apart)
    left, right, place = y[before][found], y[after][found], nodes[before][found]
    lead = data[after][found] - data[before][found]
    lead = lead + (((place - right) ** 2).sum(axis=1) - ((place - left) ** 2).sum(axis=1)) / scale
    catching_up = 2 * (right - left)[:, axis] / scale
    along = np.divide(lead, catching_up, out=np.zeros_like(lead), where=catching_up != 0)
    place[:, axis] += np.clip(along, 0.0, spacing[axis])
    return place, 2 * np.linalg.norm(right - left, axis=1) / scale

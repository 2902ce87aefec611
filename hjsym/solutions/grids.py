"""Inviscid solutions on grids: the Hopf–Lax formula for any Lagrangian, the Hopf formula for any Hamiltonian.

u_t + H(∇u) = 0 with u(·, 0) = g has the viscosity solution

    Hopf–Lax, H convex:  u(x, t) = min_y (g(y) + t L((x − y)/t)),  L = H*,
    Hopf, g convex:      u(x, t) = max_p (p·x − g*(p) − t H(p)) = (g* + tH)*(x).

For H = κ|p|² on an even grid `tropical.hopf_lax` is the fast one. Sources: E. Hopf, J. Math. Mech. 14 (1965);
M. Bardi, L. C. Evans, Nonlinear Anal. 8 (1984); L. C. Evans, *Partial Differential Equations*, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hjsym.solutions._input import positive_numbers
from tropical import MIN_PLUS, legendre, matmul
from tropical._arrays import refuse_where
from tropical.errors import BudgetExceeded, ShapeError

__all__ = ["hopf", "hopf_lax"]

_MOST_PAIRS = 200_000_000


def hopf_lax(
    g: ArrayLike, y: ArrayLike, x: ArrayLike, t: float, lagrangian: Callable[[np.ndarray], ArrayLike]
) -> np.ndarray:
    """u(x_i) = min_j (g_j + t L((x_i − y_j)/t)) for data at nodes of the line.

    Parameters
    ----------
    g : (..., m) array
        Values at the nodes; +∞ outside a domain.
    y : (m,) array
        The nodes.
    x : (n,) array
        Where the solution is wanted.
    t : float
        Time > 0.
    lagrangian : callable
        L on arrays of velocities, in (−∞, ∞]; the conjugate of a convex Hamiltonian.

    Returns
    -------
    (..., n) array

    Notes
    -----
    Cost O(nm), by the min-plus matrix product. The minimum over nodes is above that over the line by at most
    (L's steepest slope + g's) · h/2 with h the distance of nodes.

    Examples
    --------
    H(p) = p⁴/4 from |x| at t = 1, where L(v) = ¾|v|^{4/3}, is ¾|x|^{4/3} up to |x| = 1:

    >>> y = np.linspace(-4, 4, 801)
    >>> u = hopf_lax(abs(y), y, [0.5, 2.0], 1.0, lambda v: 0.75 * abs(v) ** (4 / 3))
    >>> (u - [0.75 * 0.5 ** (4 / 3), 2 - 1 / 4]).round(12) + 0
    array([0., 0.])
    """
    g, y, x = (np.asarray(a, dtype=float) for a in (g, y, x))
    if y.ndim != 1 or x.ndim != 1 or g.ndim == 0 or g.shape[-1] != len(y):
        raise ShapeError(
            f"g, y and x have shapes {g.shape}, {y.shape}, {x.shape}; pass (..., m), (m,) and (n,)"
        )
    (t,) = positive_numbers(t=t)
    if len(x) * len(y) > _MOST_PAIRS:
        raise BudgetExceeded("pairs of nodes", len(x) * len(y), _MOST_PAIRS, "pass fewer x at a time")
    costs = t * np.asarray(lagrangian(np.subtract.outer(x, y) / t), dtype=float)
    if costs.shape != (len(x), len(y)):
        raise ShapeError(
            f"the Lagrangian gave shape {costs.shape} for velocities of shape {(len(x), len(y))}"
        )
    refuse_where(np.isnan(costs), "lagrangian", costs, "values are finite or +inf")
    rows = g.reshape(-1, len(y))
    return matmul(rows, np.ascontiguousarray(costs.T), MIN_PLUS).reshape(*g.shape[:-1], len(x))


def hopf(
    g: ArrayLike,
    x: ArrayLike | Sequence[ArrayLike],
    p: ArrayLike | Sequence[ArrayLike],
    t: float,
    hamiltonian: Callable[..., ArrayLike],
) -> np.ndarray:
    """u = (g* + tH)* on the nodes x, for convex g and any continuous H, convex or not.

    Parameters
    ----------
    g : array with d axes
        Values at the nodes, of a function that is convex (others are replaced by their convex hull).
    x : array or sequence of d arrays
        The nodes of each axis, ascending.
    p : array or sequence of d arrays
        The slopes of each axis that the maximum is taken over, ascending; they have to cover those of g.
    t : float
        Time > 0.
    hamiltonian : callable
        H(p_1, …, p_d) on arrays that broadcast.

    Returns
    -------
    array of the shape of g

    Notes
    -----
    Two Legendre transforms, O(size) for each axis. Beyond the slopes given the result is too low, and so it is by up
    to |x|·h/2 between them, h their distance.

    Examples
    --------
    H = |p_1| + |p_2| from ½|x|² gives ½ Σ (|x_i| − t)₊²:

    >>> x = np.linspace(-2, 2, 5)
    >>> g = (x[:, None] ** 2 + x**2) / 2
    >>> p = np.linspace(-3, 3, 61)
    >>> hopf(g, [x, x], [p, p], 1.0, lambda a, b: abs(a) + abs(b))[:3, :3]
    array([[1. , 0.5, 0.5],
           [0.5, 0. , 0. ],
           [0.5, 0. , 0. ]])
    """
    g = np.asarray(g, dtype=float)
    x, p = ([np.asarray(a, dtype=float)] if np.ndim(a[0]) == 0 else list(a) for a in (x, p))
    if not len(x) == len(p) == g.ndim:
        raise ShapeError(
            f"g has {g.ndim} axes, x {len(x)} and p {len(p)}; pass nodes and slopes for each axis"
        )
    (t,) = positive_numbers(t=t)
    conjugate = _transform(g, x, p)
    grid = np.meshgrid(*p, indexing="ij", sparse=True)
    momentum = np.broadcast_to(np.asarray(hamiltonian(*grid), dtype=float), conjugate.shape)
    refuse_where(np.isnan(momentum), "hamiltonian", momentum, "values are numbers")
    return _transform(conjugate + t * momentum, p, x)


def _transform(f: np.ndarray, nodes: Sequence[np.ndarray], slopes: Sequence[np.ndarray]) -> np.ndarray:
    """f* in several variables, one axis after the other; inner results enter negated."""
    for axis in range(f.ndim):
        f = legendre(f if axis == 0 else -f, nodes[axis], slopes[axis], axis=axis)
    return f

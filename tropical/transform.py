"""Transforms of functions on grids: Legendre, Hopf–Lax and its soft version, Hopf–Cole, in near-linear time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core, _dask
from tropical._arrays import EXACT, as_output, convert, is_exact
from tropical._exact_lines import exact_hopf_lax_lines, exact_legendre_lines
from tropical._grids import (
    as_axes,
    as_grid,
    as_lines,
    as_node_arrays,
    as_nodes,
    as_spacings,
    positive,
    weight,
)
from tropical._lines import hopf_cole_lines, hopf_lax_lines, legendre_lines
from tropical.errors import InputError

__all__ = ["hopf_cole", "hopf_lax", "legendre"]

_UNSEEN = 38.0  # n terms below e^-38/n of the largest add less than 2^-54 to it
_EPS_RANGE = 1e-290, 1e290  # where 1/eps and eps times a gap are finite


def legendre(
    f: ArrayLike,
    x: ArrayLike,
    p: ArrayLike,
    axis: int = -1,
    return_argmax: bool = False,
    *,
    out: np.ndarray | None = None,
    n_threads: int | None = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The discrete Legendre transform f*(p_j) = max_i (p_j x_i − f_i) along one axis.

    Parameters
    ----------
    f : (..., n, ...) array
        Values at the nodes. +∞ marks a point outside the domain.
    x : (n,) array
        Nodes, strictly increasing; any distances.
    p : (m,) array
        Slopes, non-decreasing.
    axis : int
        The axis of length n.
    return_argmax : bool
        Whether to return the maximiser too: ∂f*(p_j) contains its node.
    out : array, optional
        Where the values go, of their shape and dtype and apart from f; any strides.
    n_threads : int, optional
        Threads, all that help by default. No result depends on it.

    Returns
    -------
    values : (..., m, ...) array
        f*, of the dtype of f; exact (Fractions) if f, x or p is.
    argmax : (..., m, ...) array of int64
        The least i that attains the maximum; −1 where there is none. Only if `return_argmax`.

    Raises
    ------
    InputError
        Nodes that do not increase, slopes that decrease, either not finite; an `out` that is f or read-only.
    ShapeError
        Lengths that do not fit, an axis that f does not have, an `out` of another shape or dtype.

    Notes
    -----
    Cost O(n + m) a line: the lower convex hull by a monotone stack, then one walk over the slopes. f need not
    be convex: f* is that of its convex hull. With f ≡ +∞ (or n = 0), f* ≡ −∞; one −∞ makes f* ≡ +∞; NaN makes its
    line NaN. Values are p x_i − f_i of the winning i, rounded once; the winner is exact up to rounding of
    differences, so the error is below 8 u (|p_j x_i| + |f_i|), u the unit roundoff.

    A dask array gives dask arrays, and nothing is computed yet: each chunk of the axis has its own transform, and the
    maximum of these is taken, so that nothing moves; with one chunk along the axis it has the bits of NumPy's.

    The transform in several variables takes one axis after the other. Its inner results enter the next step
    negated: f*(p, q) = max_x (p x + max_y (q y − f)) = max_x (p x − (−f*_y)).

    References
    ----------
    Y. Lucet, "Faster than the fast Legendre transform, the linear-time Legendre transform", Numer.
    Algorithms 16 (1997), 171–185.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 5)
    >>> legendre(np.abs(x), x, [-1.5, -1, 0, 1, 2])     # ind[−1, 1], up to the end of the grid
    array([1., 0., 0., 0., 2.])
    >>> legendre(x**2 / 2, x, [0, 1], return_argmax=True)
    (array([0. , 0.5]), array([2, 3]))
    >>> y = np.array([0.0, 1.0])
    >>> f = x[:, None] ** 2 / 2 + y                      # f*(p, q) = p²/2 + max(0, q − 1)
    >>> legendre(-legendre(f, y, [0, 1, 3], axis=1), x, [0, 1], axis=0)
    array([[0. , 0. , 2. ],
           [0.5, 0.5, 2.5]])
    """
    lazy = _dask.is_dask(f)
    f = f if lazy else as_grid(f)
    (axis,) = as_axes(axis, f)
    x = as_nodes("x", x, f.shape[axis], strict=True)
    p = as_nodes("p", p, None, strict=False)
    exact = any(map(is_exact, (f, x, p)))
    if lazy:
        _dask.refuse_out(out)
        options = {"p": p, "axis": axis, "return_argmax": return_argmax, "n_threads": n_threads or 1}
        return _dask.legendre(f, axis, x, len(p), exact, return_argmax, partial(legendre, **options))
    shape = (*f.shape[:axis], len(p), *f.shape[axis + 1 :])
    winners = np.empty(shape, dtype=np.int64) if return_argmax else None
    result = as_output(out, shape, EXACT if exact else f.dtype, f)
    values = np.ascontiguousarray(result)
    if exact:
        exact_legendre_lines(convert(f, EXACT), axis, x, p, values, winners)
    else:
        legendre_lines(np.ascontiguousarray(f), axis, x, p, values, winners, n_threads)
    return _delivered(values, result, winners)


def hopf_lax(
    f: ArrayLike,
    t: float,
    spacing: float | Sequence[float] = 1.0,
    x: ArrayLike | Sequence[ArrayLike] | None = None,
    kappa: float = 1.0,
    axes: int | Sequence[int] | None = None,
    sign: int = -1,
    return_argmax: bool = False,
    *,
    out: np.ndarray | None = None,
    n_threads: int | None = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The Hopf–Lax step u(y) = min_x (f(x) + |x − y|²/4κt), the quadratic inf-convolution, on a grid.

    u is the viscosity solution of u_t + κ|∇u|² = 0 from u = f at time 0, with the minimum taken over the nodes.
    For κ = ½ it is the Moreau envelope of parameter t; for f = 0 on a set and +∞ off it, and κt = ¼, the
    squared distance to the set.

    Parameters
    ----------
    f : array
        Values on the grid. +∞ marks a point outside the domain (−∞ if sign = +1).
    t : float
        Time, > 0.
    spacing : float or sequence
        Distance of nodes, > 0, one for all `axes` or one for each.
    x : array or sequence of arrays, optional
        Nodes instead of `spacing`, strictly increasing, at any distances: one array if there is one axis,
        else one for each of `axes`.
    kappa : float
        κ > 0 in the Hamiltonian κ|p|².
    axes : int or sequence of int, optional
        The axes that are space; the others number separate functions. All of them by default.
    sign : {-1, +1}
        −1 as above; +1 the mirror image max_x (f(x) − |x − y|²/4κt).
    return_argmax : bool
        Whether to return the optimal nodes too.
    out : array, optional
        Where the values go, of their shape and dtype and apart from f; any strides.
    n_threads : int, optional
        Threads, all that help by default. No result depends on it.

    Returns
    -------
    values : array
        u, of shape and dtype of f; exact (Fractions) if f or x is, and then in t, κ and `spacing` too.
    argmax : array of int64
        For each y, the place in ``f.ravel()`` of an optimal x (`numpy.unravel_index` gives its indices); −1 where
        there is none. Along an axis the smallest index wins. Only if `return_argmax`.

    Raises
    ------
    InputError
        t, κ or a spacing that is not positive and finite, nodes that do not increase, both `spacing` and `x`,
        no axes; an `out` that is f or read-only.
    ShapeError
        Lengths that do not fit, axes that f does not have, an `out` of another shape or dtype.

    Notes
    -----
    Cost O(size) for each axis: the lower envelope of parabolas by a monotone stack, then one walk. Infinite
    entries: f ≡ +∞ gives +∞; one −∞ gives −∞ on all it reaches; NaN makes its line NaN. Values are
    f_i + w d² of the winning i with d an integer multiple of the spacing and w = spacing²/4κt; for one axis the
    error is below 8 u (|f_i| + w d²), and axes add theirs. With exact numbers (dyadic, not too long)
    the result is exact.

    A dask array gives a dask array, of the same bits, and nothing is computed yet: before each axis it is rechunked so
    that lines are whole.

    Equivalent to ``scipy.ndimage.distance_transform_edt(...)**2`` for f in {0, +∞} and κt = ¼.

    References
    ----------
    P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions", Theory of Computing 8
    (2012), 415–428. L. C. Evans, *Partial Differential Equations*, 2nd ed., section 3.3.2.

    Examples
    --------
    >>> hopf_lax(np.abs([-2.0, -1, 0, 1, 2]), t=1, kappa=0.5)          # Huber: x²/2, then |x| − ½
    array([1.5, 0.5, 0. , 0.5, 1.5])
    >>> outside = np.array([[np.inf, np.inf, np.inf], [0, np.inf, np.inf]])
    >>> hopf_lax(outside, t=0.25, return_argmax=True)                  # squared distances
    (array([[1., 2., 5.],
           [0., 1., 4.]]), array([[3, 3, 3],
           [3, 3, 3]]))
    """
    lazy = _dask.is_dask(f)
    f = f if lazy else as_grid(f)
    axes = as_axes(axes, f)
    if sign not in (1, -1):
        raise InputError(f"sign is {sign!r}; pass -1 for a minimum or +1 for a maximum")
    nodes = [None] * len(axes)
    if x is not None:
        if np.any(np.asarray(spacing) != 1.0):
            raise InputError(f"got both spacing = {spacing!r} and nodes x; pass one of them")
        nodes = as_node_arrays(x, axes, f)
    exact = is_exact(f) or any(grid is not None and is_exact(grid) for grid in nodes)
    scale = 4 * positive("t", t, exact) * positive("kappa", kappa, exact)
    steps = as_spacings(spacing, axes, exact)
    weights = [weight(step, scale) for step in steps]
    if lazy:
        _dask.refuse_out(out)
        if return_argmax:
            raise InputError(
                "return_argmax needs f in memory, and this is a dask array; call f.compute() first"
            )
        common = {"t": t, "kappa": kappa, "sign": sign, "n_threads": n_threads or 1}
        along = [
            partial(hopf_lax, axes=axis, **common, **({"spacing": step} if grid is None else {"x": grid}))
            for axis, grid, step in zip(axes, nodes, steps, strict=True)
        ]
        return _dask.along_axes(f, axes, along, exact)
    result = as_output(out, f.shape, EXACT if exact else f.dtype, f)
    values, winners = np.ascontiguousarray(result), None
    source = convert(f, EXACT) if exact else np.ascontiguousarray(f)
    for axis, grid, w in zip(axes, nodes, weights, strict=True):
        won = np.empty(f.shape, dtype=np.int64) if return_argmax else None
        if exact:
            exact_hopf_lax_lines(source, axis, grid, w, sign, values, won)
        else:
            hopf_lax_lines(source, axis, grid, w, sign, values, won, n_threads)
        if return_argmax:
            _core.compose_winners(as_lines(winners, axis), as_lines(won, axis))
            winners = won
        source = values
    return _delivered(values, result, winners)


def hopf_cole(
    f: ArrayLike,
    t: float,
    eps: float,
    spacing: float | Sequence[float] = 1.0,
    kappa: float = 1.0,
    axes: int | Sequence[int] | None = None,
    tol: float | None = None,
    normalised: bool = False,
    *,
    out: np.ndarray | None = None,
    n_threads: int | None = None,
) -> np.ndarray:
    """The soft Hopf–Lax step u(y) = −ε log Σ_x exp(−(f(x) + |x − y|²/4κt)/ε), in the log domain.

    Normalised, each term has the weight of the heat kernel and the rectangle rule, Π_a h_a/√(4πκεt), and u is
    the solution of u_t + κ|∇u|² = κεΔu from u = f at time 0 (Hopf and Cole), up to the error of that rule
    and of the ends of the grid. Plain, the sum has no weights and tends to `hopf_lax` as ε → 0.

    Parameters
    ----------
    f : array
        Values on the grid. +∞ is no term.
    t : float
        Time, > 0.
    eps : float
        Temperature ε, > 0, in the units of f. Viscosity ν means ε = ν/κ.
    spacing : float or sequence
        Distance h of nodes, > 0, one for all `axes` or one for each.
    kappa : float
        κ > 0 in the Hamiltonian κ|p|².
    axes : int or sequence of int, optional
        The axes that are space; the others number separate functions. All of them by default.
    tol : float, optional
        How far u may be off, > 0, in the units of f. None leaves out only terms whose sum is less than half a
        unit in the last place of the largest.
    normalised : bool
        Whether terms have weights as above, or 1.
    out : array, optional
        Where the values go, of their shape and dtype and apart from f; any strides.
    n_threads : int, optional
        Threads, all that help by default. No result depends on it.

    Returns
    -------
    array
        u, of shape and dtype of f. It is +∞ where all terms are none, −∞ where some f is −∞ and NaN where some
        f is NaN, on the whole line.

    Raises
    ------
    InputError
        t, ε, κ, tol or a spacing that is not positive and finite, no axes, exact (Fraction) entries; an `out` that
        is f or read-only.
    ShapeError
        Axes that f does not have, an `out` of another shape or dtype.

    Notes
    -----
    Truncation. Let n be the length of an axis, k their number, and L = log n − log(e^{tol/kε} − 1), at most
    log n + 38, which adds up to less than 2^{−54}. A block of terms is left out for a tile of results if a lower bound
    shows each of its terms to be below e^{−L} times the largest term of each result; that one is known, it is
    e^{−u_0/ε} with u_0 of `hopf_lax`. The largest is kept, at most n are left out, so their share is below n e^{−L} and
    0 ≤ u_truncated − u ≤ ε log(1 + n e^{−L}) = tol/k. The step is monotone and commutes with constants, so later axes
    pass this on unchanged or smaller, and for all axes 0 ≤ u_truncated − u ≤ tol.

    Cost O(size · support) multiply-adds for each axis, where support is the number of nodes within
    √(4κt(ε L + u_0 − min f)) of y, n at most. Where u_0 is more than 32 ε above f some 64 nodes away, terms are
    exponentials one by one, some twenty times as dear. Quadrature weights v_i enter as f_i − ε log v_i. For nodes at
    other distances, ``matmul(costs, f, Semiring(-1, eps))`` with the n × n costs is the step along an axis.
    A dask array gives a dask array, and nothing is computed yet; lines are whole, as for `hopf_lax`.
    Nothing of weight underflows, however large the range of f/ε. Rounding error, u the unit roundoff: below
    8 u (|f| + |x − y|²/4κt) over the terms of weight, plus 100 u ε.

    References
    ----------
    E. Hopf, "The partial differential equation u_t + uu_x = μu_xx", Comm. Pure Appl. Math. 3 (1950);
    J. D. Cole, Quart. Appl. Math. 9 (1951).

    Examples
    --------
    >>> hopf_cole([0.0, 0.0], t=0.25, eps=1.0).round(6)                # −log(1 + e^{−1})
    array([-0.313262, -0.313262])
    >>> x = np.linspace(-8, 8, 801)
    >>> u = hopf_cole(x**2 / 2, t=1, eps=0.1, spacing=0.02, kappa=0.5, normalised=True)
    >>> float(u[400].round(12)), round(0.05 * math.log(2), 12)         # x²/2(1 + t) + (ε/2) log(1 + t)
    (0.034657359028, 0.034657359028)
    """
    lazy = _dask.is_dask(f)
    f = f if lazy else as_grid(f)
    if is_exact(f):
        raise InputError(
            "f has exact entries, and log-sum-exp is transcendental: pass f.astype(float), or use hopf_lax"
        )
    axes = as_axes(axes, f)
    eps = positive("eps", eps)
    if not _EPS_RANGE[0] < eps < _EPS_RANGE[1]:
        raise InputError(
            f"eps is {eps!r}, outside {_EPS_RANGE}; rescale f and t, or use hopf_lax for eps = 0"
        )
    scale = 4 * positive("t", t) * positive("kappa", kappa)
    steps = as_spacings(spacing, axes)
    weights = [weight(step, scale) for step in steps]
    share = 0.0 if tol is None else positive("tol", tol) / (len(axes) * eps)
    shift = sum(eps * (0.5 * math.log(math.pi * scale * eps) - math.log(step)) for step in steps)
    if lazy:
        _dask.refuse_out(out)
        apiece = None if tol is None else tol / len(axes)
        common = {"t": t, "eps": eps, "kappa": kappa, "tol": apiece, "n_threads": n_threads or 1}
        along = [
            partial(hopf_cole, axes=axis, spacing=step, **common)
            for axis, step in zip(axes, steps, strict=True)
        ]
        values = _dask.along_axes(f, axes, along)
        return values + values.dtype.type(shift) if normalised else values
    result = as_output(out, f.shape, f.dtype, f)
    values, source = np.ascontiguousarray(result), np.ascontiguousarray(f)
    for axis, w in zip(axes, weights, strict=True):
        hopf_cole_lines(source, axis, w, eps, _cut(f.shape[axis], share), values, n_threads)
        source = values
    if normalised:
        values += values.dtype.type(shift)
    return _delivered(values, result, None)


def _cut(n: int, share: float) -> float:
    """L with n e^−L = e^share − 1, but log n + 38 at most: more makes no difference."""
    log_n = math.log(max(n, 1))
    if share > 1:  # e^share may overflow
        return max(0.0, log_n - share - math.log1p(-math.exp(-share)))
    return log_n + (min(_UNSEEN, max(-log_n, -math.log(math.expm1(share)))) if share else _UNSEEN)


def _delivered(values: np.ndarray, result: np.ndarray, winners: np.ndarray | None):
    """Copies contiguous values to where the caller wants them; with the winners, if there are any."""
    if values is not result:
        result[...] = values
    return result if winners is None else (result, winners)

"""Transforms of functions on grids: Legendre, Hopf–Lax and its soft version, Hopf–Cole, in near-linear time."""

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core
from tropical._arrays import as_array, is_exact
from tropical.errors import InputError, ShapeError

__all__ = ["hopf_cole", "hopf_lax", "legendre"]

_UNDERFLOW = 745.0  # e^-745 is below the least positive double
_EPS_RANGE = 1e-290, 1e290  # where 1/eps and eps times a gap are finite


def legendre(
    f: ArrayLike, x: ArrayLike, p: ArrayLike, axis: int = -1, return_argmax: bool = False
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

    Returns
    -------
    values : (..., m, ...) array
        f*, of the dtype of f.
    argmax : (..., m, ...) array of int64
        The least i that attains the maximum; −1 where there is none. Only if `return_argmax`.

    Raises
    ------
    InputError
        Nodes that do not increase, slopes that decrease, either not finite, exact (Fraction) entries.
    ShapeError
        Lengths that do not fit, an axis that f does not have.

    Notes
    -----
    Cost O(n + m) a line: the lower convex hull by a monotone stack, then one walk over the slopes. f need not
    be convex: f* is that of its convex hull. With f ≡ +∞ (or n = 0), f* ≡ −∞; one −∞ makes f* ≡ +∞; NaN makes its
    line NaN. Values are p x_i − f_i of the winning i, rounded once; the winner is exact up to rounding of
    differences, so the error is below 8 u (|p_j x_i| + |f_i|), u the unit roundoff.

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
    f = _as_grid(f)
    (axis,) = _as_axes(axis, f)
    x = _as_nodes("x", x, f.shape[axis], strict=True)
    p = _as_nodes("p", p, None, strict=False)
    shape = (*f.shape[:axis], len(p), *f.shape[axis + 1 :])
    out = np.empty(shape, dtype=f.dtype)
    winners = np.empty(shape, dtype=np.int64) if return_argmax else None
    _core.legendre(_lines(f, axis), x, p, _lines(out, axis), _lines(winners, axis))
    return (out, winners) if return_argmax else out


def hopf_lax(
    f: ArrayLike,
    t: float,
    spacing: float | Sequence[float] = 1.0,
    x: ArrayLike | Sequence[ArrayLike] | None = None,
    kappa: float = 1.0,
    axes: int | Sequence[int] | None = None,
    sign: int = -1,
    return_argmax: bool = False,
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

    Returns
    -------
    values : array
        u, of shape and dtype of f.
    argmax : array of int64
        For each y, the place in ``f.ravel()`` of an optimal x (`numpy.unravel_index` gives its indices); −1 where
        there is none. Along an axis the smallest index wins. Only if `return_argmax`.

    Raises
    ------
    InputError
        t, κ or a spacing that is not positive and finite, nodes that do not increase, both `spacing` and `x`,
        no axes, exact (Fraction) entries.
    ShapeError
        Lengths that do not fit, axes that f does not have.

    Notes
    -----
    Cost O(size) for each axis: the lower envelope of parabolas by a monotone stack, then one walk. Infinite
    entries: f ≡ +∞ gives +∞; one −∞ gives −∞ on all it reaches; NaN makes its line NaN. Values are
    f_i + w d² of the winning i with d an integer multiple of the spacing and w = spacing²/4κt; for one axis the
    error is below 8 u (|f_i| + w d²), and axes add theirs. With exact numbers (dyadic, not too long)
    the result is exact.

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
    f = _as_grid(f)
    axes = _as_axes(axes, f)
    scale = 4 * _positive("t", t) * _positive("kappa", kappa)
    if sign not in (1, -1):
        raise InputError(f"sign is {sign!r}; pass -1 for a minimum or +1 for a maximum")
    steps = _as_spacings(spacing, axes)
    nodes = [None] * len(axes)
    if x is not None:
        if np.any(np.asarray(spacing) != 1.0):
            raise InputError(f"got both spacing = {spacing!r} and nodes x; pass one of them")
        nodes = _as_node_arrays(x, axes, f)
    weights = [_weight(1.0 if x is not None else step, scale) for step in steps]
    out, winners, source = np.empty_like(f), None, f
    for axis, grid, w in zip(axes, nodes, weights, strict=True):
        won = np.empty(f.shape, dtype=np.int64) if return_argmax else None
        _core.hopf_lax(_lines(source, axis), grid, w, -sign, _lines(out, axis), _lines(won, axis))
        if return_argmax:
            winners = _compose_winners(winners, won, axis)
        source = out
    return (out, winners) if return_argmax else out


def hopf_cole(
    f: ArrayLike,
    t: float,
    eps: float,
    spacing: float | Sequence[float] = 1.0,
    kappa: float = 1.0,
    axes: int | Sequence[int] | None = None,
    tol: float | None = None,
    normalised: bool = False,
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
        How far u may be off, > 0, in the units of f. None leaves out only terms that are zero in double
        precision beside the largest.
    normalised : bool
        Whether terms have weights as above, or 1.

    Returns
    -------
    array
        u, of shape and dtype of f. It is +∞ where all terms are none, −∞ where some f is −∞ and NaN where some
        f is NaN, on the whole line.

    Raises
    ------
    InputError
        t, ε, κ, tol or a spacing that is not positive and finite, no axes, exact (Fraction) entries.
    ShapeError
        Axes that f does not have.

    Notes
    -----
    Truncation. Let n be the length of an axis, k their number, and L = log n − log(e^{tol/kε} − 1). A block
    of terms is left out for a tile of results if a lower bound shows each of its terms to be below e^{−L} times
    the largest term of each result; that one is known, it is e^{−u_0/ε} with u_0 of `hopf_lax`. The largest is kept,
    at most n are left out, so their share is below n e^{−L} and
    0 ≤ u_truncated − u ≤ ε log(1 + n e^{−L}) = tol/k. The step is monotone and commutes with constants, so later axes
    pass this on unchanged or smaller, and for all axes 0 ≤ u_truncated − u ≤ tol.

    Cost O(size · support) multiply-adds for each axis, where support is the number of nodes within
    √(4κt(ε L + u_0 − min f)) of y, n at most; where √(2κtε) is but a few nodes, each term is an exponential.
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
    f = _as_grid(f)
    axes = _as_axes(axes, f)
    eps = _positive("eps", eps)
    if not _EPS_RANGE[0] < eps < _EPS_RANGE[1]:
        raise InputError(
            f"eps is {eps!r}, outside {_EPS_RANGE}; rescale f and t, or use hopf_lax for eps = 0"
        )
    scale = 4 * _positive("t", t) * _positive("kappa", kappa)
    steps = _as_spacings(spacing, axes)
    weights = [_weight(step, scale) for step in steps]
    share = math.inf if tol is None else _positive("tol", tol) / (len(axes) * eps)
    out, source, shift = np.empty_like(f), f, 0.0
    for axis, step, w in zip(axes, steps, weights, strict=True):
        cut = _UNDERFLOW if tol is None else _cut(f.shape[axis], share)
        _core.hopf_cole(_lines(source, axis), w, eps, cut, _lines(out, axis))
        shift += eps * (0.5 * math.log(math.pi * scale * eps) - math.log(step))
        source = out
    if normalised:
        out += out.dtype.type(shift)
    return out


# ---- what the kernels rely on ----------------------------------------------------------------------


def _cut(n: int, share: float) -> float:
    """L with n e^−L = e^share − 1."""
    if share > 1:  # e^share may overflow
        return max(0.0, math.log(max(n, 1)) - share - math.log1p(-math.exp(-share)))
    return min(_UNDERFLOW, max(0.0, math.log(max(n, 1)) - math.log(math.expm1(share))))


def _lines(a: np.ndarray | None, axis: int) -> np.ndarray | None:
    """A view of shape (outer, length, inner) with `axis` in the middle."""
    if a is None:
        return None
    return a.reshape(math.prod(a.shape[:axis]), a.shape[axis], math.prod(a.shape[axis + 1 :]))


def _compose_winners(earlier: np.ndarray | None, won: np.ndarray, axis: int) -> np.ndarray:
    """Places in the raveled array: where `earlier` steps led from, at the index `won` along `axis`."""
    if earlier is None:
        earlier = np.arange(won.size, dtype=np.int64).reshape(won.shape)
    if won.size == 0:
        return earlier
    return np.where(won < 0, -1, np.take_along_axis(earlier, np.maximum(won, 0), axis))


def _positive(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {value!r}; pass a positive number") from None
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{name} is {value!r}; pass a finite number > 0")
    return number


def _weight(step: float, scale: float) -> float:
    w = step * step / scale if scale > 0 else math.inf
    if not (math.isfinite(w) and w >= np.finfo(float).tiny):
        raise InputError(
            f"spacing²/(4 kappa t) = {step!r}²/{scale!r} leaves the range of doubles; rescale x and t"
        )
    return w


def _refuse_exact(name: str, a: np.ndarray) -> np.ndarray:
    if is_exact(a):
        raise InputError(
            f"{name} has exact entries; transforms are in floating point: pass {name}.astype(float)"
        )
    return a


def _as_grid(f: ArrayLike) -> np.ndarray:
    f = _refuse_exact("f", as_array("f", f))
    if f.ndim == 0:
        raise ShapeError("f is a scalar; pass values on a grid, shape (n,) or more")
    return np.ascontiguousarray(f)


def _as_axes(axes: int | Sequence[int] | None, f: np.ndarray) -> tuple[int, ...]:
    """Distinct axes >= 0, in the order given."""
    if axes is None:
        return tuple(range(f.ndim))
    chosen = (axes,) if isinstance(axes, Integral) else tuple(axes)
    if not chosen:
        raise InputError("axes is empty: nothing to transform; pass axes, or None for all of them")
    for axis in chosen:
        if not (isinstance(axis, Integral) and -f.ndim <= axis < f.ndim):
            raise ShapeError(
                f"axis {axis!r} of an f of shape {f.shape}; pass axes from {-f.ndim} to {f.ndim - 1}"
            )
    normal = tuple(int(axis) % f.ndim for axis in chosen)
    if len(set(normal)) < len(normal):
        raise InputError(f"axes {chosen} name an axis of shape {f.shape} twice; pass each once")
    return normal


def _as_spacings(spacing: float | Sequence[float], axes: tuple[int, ...]) -> list[float]:
    if np.ndim(spacing) == 0:
        return [_positive("spacing", spacing)] * len(axes)
    if np.shape(spacing) != (len(axes),):
        raise ShapeError(
            f"spacing has shape {np.shape(spacing)} for {len(axes)} axes; pass one number, or one for each"
        )
    return [_positive("spacing", h) for h in spacing]


def _as_node_arrays(x, axes: tuple[int, ...], f: np.ndarray) -> list[np.ndarray]:
    single = len(axes) == 1 and not (isinstance(x, Sequence) and len(x) == 1 and np.ndim(x[0]) == 1)
    arrays = [x] if single else list(x)
    if len(arrays) != len(axes):
        raise ShapeError(f"x has {len(arrays)} arrays of nodes for {len(axes)} axes; pass one for each")
    return [
        _as_nodes("x" if single else f"x[{k}]", a, f.shape[axis], strict=True)
        for k, (a, axis) in enumerate(zip(arrays, axes, strict=True))
    ]


def _as_nodes(name: str, x: ArrayLike, length: int | None, strict: bool) -> np.ndarray:
    """Finite, (strictly) increasing, float64."""
    x = np.ascontiguousarray(_refuse_exact(name, as_array(name, x)), dtype=np.float64)
    if x.ndim != 1 or (length is not None and len(x) != length):
        needed = "(m,)" if length is None else f"({length},)"
        raise ShapeError(f"{name} has shape {x.shape}; pass shape {needed}")
    if not np.isfinite(x).all():
        k = int(np.argmin(np.isfinite(x)))
        raise InputError(f"{name}[{k}] is {x[k]}; pass finite numbers")
    wrong = np.flatnonzero(x[1:] <= x[:-1] if strict else x[1:] < x[:-1])
    if wrong.size:
        k = int(wrong[0])
        kind = "strictly increasing" if strict else "non-decreasing"
        raise InputError(
            f"{name}[{k}] = {x[k]!s}, {name}[{k + 1}] = {x[k + 1]!s}; pass {kind} numbers (sort them)"
        )
    return x

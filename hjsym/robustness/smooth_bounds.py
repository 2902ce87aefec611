"""Lipschitz constants and curvature bounds of log-sum-exp layers and deformed networks, on all of R^d.

A layer has the slopes E_π W and the second derivatives Cov_π(W)/ε. Networks go layer by layer, see `curvature_bounds`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from hjsym.compile import TropicalNetwork, compile
from hjsym.export import to_network
from hjsym.hopf import LSELayer
from hjsym.layer_norms import lipschitz_bound
from hjsym.network import Network
from hjsym.robustness.curvature_bounds import network_curvature
from hjsym.robustness.farthest import farthest
from tropical import Circuit, Polynomial, Rational
from tropical._arrays import FLOAT64, as_points, refuse_where
from tropical._display import summary
from tropical._html import ShowsFields
from tropical._norms import as_norm
from tropical._rounding import rounded_up
from tropical.errors import InputError

__all__ = [
    "DUAL", "PAIRS", "Smoothness", "as_finite", "as_finite_points", "as_network", "as_polynomial", "dual_norms",
    "hessian_norm", "largest_norm", "network_constants", "scaled_up", "smoothness",
]  # fmt: skip

PAIRS = 10**8  # of slopes that are compared, some seconds
DUAL = {1: math.inf, 2: 2, math.inf: 1}
_TOGETHER = 1 << 24  # numbers of Hessians at once


@dataclass(frozen=True, eq=False)
class Smoothness(ShowsFields):
    """Bounds that hold on all of R^d; of a network one number for each output. All are rounded upwards.

    Attributes
    ----------
    lipschitz : float or (m,) array
        |f(x) − f(y)| ≤ lipschitz·‖x − y‖.
    convex, concave : float or (m,) array
        −concave·‖h‖² ≤ h·∇²f h ≤ convex·‖h‖².
    norm : number
        Of points: 1, 2 or ∞.
    paper : float or None
        Of a layer, max‖W_j‖²/ε, which arXiv:2605.28983 has in place of `convex`.
    diameter : (float, float) or None
        Of a layer: bounds on the largest ‖W_i − W_j‖ in the dual norm, equal but for rounding unless there were too
        many pairs.
    pair : (int, int) or None
        Slopes that are as far apart as the lower bound says.

    Examples
    --------
    >>> found = smoothness(LSELayer([[3.0], [-1.0]], [0.0, 0.0], eps=0.5))
    >>> round(found.lipschitz, 9), float(round(found.curvature, 9)), found.concave, found.pair
    (3.0, 8.0, 0.0, (0, 1))
    """

    lipschitz: float | np.ndarray
    convex: float | np.ndarray
    concave: float | np.ndarray
    norm: float
    paper: float | None = None
    diameter: tuple[float, float] | None = None
    pair: tuple[int, int] | None = None

    __repr__ = summary

    @property
    def curvature(self) -> float | np.ndarray:
        """A Lipschitz constant of the gradient: the larger side."""
        return np.maximum(self.convex, self.concave)[()]


def smoothness(f, norm: float = 2, *, scale: float = 1.0, max_pairs: int = PAIRS) -> Smoothness:
    """Lipschitz constant and curvature bounds of scale·f.

    Parameters
    ----------
    f : LSELayer, Polynomial, network, or what `hjsym.compile` makes of one, or a circuit
        Over maxima, at any ε; at ε = 0 the curvature of what bends is infinite.
    norm : 1, 2 or math.inf
        Of points.
    scale : float
        An output weight: it multiplies everything, and a negative one turns the sides around.
    max_pairs : int
        How many distances of slopes may be looked at; then the diameter is bounded by a ball.

    Raises
    ------
    InputError
        A function over Fractions, of minima, or without finite coefficients.

    Notes
    -----
    Of a layer `lipschitz` and `convex` are as small as possible. Of a network they are products and sums over the
    layers, see `hjsym.robustness.curvature_bounds`; the curvature is found in norm 2, and that for ∞ is d times as
    large. A layer costs O(N d) and the pairs of slopes that are far out.

    Examples
    --------
    >>> layer = LSELayer([[3.0], [4.0]], [0.0, 0.0], eps=0.5)
    >>> s = smoothness(layer)
    >>> round(s.lipschitz, 12), round(s.convex, 12), s.concave, round(s.paper, 9)
    (4.0, 0.5, 0.0, 32.0)
    >>> float(layer.polynomial.hessian([0.0])[0, 0])                  # at the tie: attained
    0.5
    >>> net = compile([([[1.0, 0.0], [0.0, 2.0]], [0.0, 0.0]), ([[1.0, -1.0]], [0.0])]).deform(0.5)
    >>> s = smoothness(net)
    >>> s.convex.round(9), s.concave.round(9)                        # 1²/4ε up, 2²/4ε down
    (array([0.5]), array([2.]))
    """
    norm, scale = as_norm(norm), as_finite("scale", scale)
    if not isinstance(f, Polynomial | LSELayer):
        return _network_smoothness(f, norm, scale)
    p = as_polynomial(f)
    far = farthest(p.slopes, p.slopes, DUAL[norm], max_pairs)
    bound = _curvature(far.upper, p.semiring.eps) * abs(scale)
    bound = float(rounded_up(np.asarray(bound), 2)) if bound else 0.0
    steepest = largest_norm(p.slopes, norm)
    with np.errstate(over="ignore"):
        paper = abs(scale) * np.float64(steepest) ** 2 / p.semiring.eps if p.semiring.eps else math.inf
    sides = (bound, 0.0) if scale >= 0 else (0.0, bound)
    lipschitz = float(rounded_up(np.asarray(steepest * abs(scale)), 1))
    return Smoothness(
        lipschitz, *sides, norm, float(paper), (far.lower, far.upper), far.pair if len(p) > 1 else None
    )


def _network_smoothness(f, norm: float, scale: float) -> Smoothness:
    network = as_network(f).network
    steep, convex, concave = network_constants(network, norm, scale * np.eye(network.output_size))
    product = scaled_up(lipschitz_bound(network, norm), abs(scale))
    return Smoothness(np.minimum(steep, product), convex, concave, norm)


def network_constants(
    network: Network, norm: float, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row of directions (q, m) times the outputs: a Lipschitz constant by intervals, and (convex, concave)."""
    convex, concave, slopes = network_curvature(network, directions)
    wider = network.input_size if norm == math.inf else 1  # ‖h‖₂² ≤ d‖h‖_∞²
    convex, concave = (scaled_up(side, wider) for side in (convex, concave))
    return rounded_up(dual_norms(slopes, norm), network.input_size + 8), convex, concave


def hessian_norm(f: LSELayer | Polynomial, x: ArrayLike) -> np.ndarray:
    """‖∇²f(x)‖₂ at points (..., d), the largest eigenvalue of Cov_π(W)/ε; at most ``smoothness(f).convex``.

    It is not monotone in ε: at a tie it falls like 1/ε, and far from one it rises from 0 before it falls.

    >>> layer = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.1)
    >>> [hessian_norm(layer.polynomial.deform(eps), [0.5]).round(4) for eps in (0.1, 0.5, 2.0)]
    [np.float64(0.0018), np.float64(0.8399), np.float64(0.47)]
    """
    p = as_polynomial(f)
    _need_temperature(p)
    points = as_finite_points(x, p.variables)
    flat = points.reshape(prod(points.shape[:-1]), p.variables)
    step = max(1, _TOGETHER // p.variables**2)
    parts = [
        np.linalg.eigvalsh(p.hessian(flat[k : k + step]))[:, -1] for k in range(0, max(1, len(flat)), step)
    ]
    return np.maximum(np.concatenate(parts), 0).reshape(points.shape[:-1])[()]


# ---- reading arguments, norms ----------------------------------------------------------------------------


def as_polynomial(f) -> Polynomial:
    """A polynomial of maxima in float64 without terms that are zero."""
    p = f.polynomial if isinstance(f, LSELayer) else f
    if not isinstance(p, Polynomial):
        raise InputError(f"got a {type(f).__name__}; pass an LSELayer or a Polynomial")
    if p.is_exact or p.semiring.sign != 1:
        kind = "over Fractions" if p.is_exact else "of minima"
        raise InputError(
            f"the polynomial is {kind}; pass one of maxima in floats (to_float(), or slopes and coefficients negated)"
        )
    kept = p.coefficients > -np.inf
    if not kept.any() or (p.coefficients == np.inf).any():
        raise InputError("the polynomial has no finite coefficient, or one of +inf; pass at least one atom")
    if kept.all() and p.dtype == FLOAT64:
        return p
    return Polynomial(p.slopes[kept].astype(float), p.coefficients[kept].astype(float), p.semiring)


def as_network(f) -> TropicalNetwork:
    if isinstance(f, Circuit | Rational) and not isinstance(f, TropicalNetwork):
        f = to_network(f, maxout=True)
    f = f if isinstance(f, TropicalNetwork) else compile(f)
    if f.is_exact:
        raise InputError("the network is over Fractions; compile it without exact=True")
    return f


def _need_temperature(p: Polynomial) -> None:
    if not p.semiring.eps:
        raise InputError("eps is 0: second derivatives are 0 or undefined; pass a layer at eps > 0")


def as_finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise InputError(f"{name} is {value}; pass a finite number")
    return float(value)


def as_finite_points(x: ArrayLike, variables: int) -> np.ndarray:
    points = as_points(x, variables, FLOAT64).astype(float)
    refuse_where(~np.isfinite(points), "x", points, "points must be finite")
    return points


def dual_norms(rows: np.ndarray, norm: float) -> np.ndarray:
    """Dual norms along the last axis, as computed, from numbers scaled to be near 1."""
    top = abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    scale = np.ldexp(1.0, np.clip(np.frexp(top)[1], -1000, 1000))
    with np.errstate(over="ignore"):
        return np.linalg.norm(rows / scale, DUAL[norm], axis=-1) * scale[..., 0]


def largest_norm(slopes: np.ndarray, norm: float) -> float:
    """max‖W_j‖ in the dual norm, rounded up."""
    return float(rounded_up(dual_norms(slopes, norm), slopes.shape[1] + 4).max())


def _curvature(diameter: float, eps: float) -> float:
    """diam²/4ε, rounded up; 0 for one slope, and else infinite at ε = 0."""
    if not diameter or not eps:
        return math.inf if diameter else 0.0
    with np.errstate(over="ignore"):
        return float(rounded_up(np.float64(diameter) ** 2 / (4 * eps), 4))


def scaled_up(bound, factor: float):
    """factor·bound upwards, exactly 0 where the bound is."""
    bound = np.asarray(bound)
    return np.where(bound > 0, rounded_up(bound * factor, 1), 0.0)[()] if factor else np.zeros(bound.shape)

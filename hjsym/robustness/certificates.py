"""How fast log-sum-exp layers and deformed networks can change, and radii within which a decision is proved to hold.

A layer f_ε with slopes W_j is Lipschitz with max‖W_j‖, at every ε, and 0 ⪯ ∇²f_ε = Cov_π(W)/ε ⪯ diam(W)²/4ε by
Popoviciu's inequality, attained where the two farthest slopes tie, and the same when all slopes are shifted.
(arXiv:2605.28983 has max‖W_j‖²/ε, which is never smaller.)

A margin m = f_w − f_c > 0 between two scores of x stays positive within each of

    m/L,   2m/(a + √(a² + 2Km)),   2m/(a + √(a² + 2K₊m)),   a = ‖∇f_w − ∇f_c‖ at x,

L a Lipschitz constant of f_w − f_c, K a bound on its curvature, and K₊ ≤ K one on how far it bends down: the curvature
of f_c for layers, since f_w is convex. With a constant f_c the last radius is m/‖∇f‖. Norms of points are p = 1, 2 or
∞, those of slopes dual. The norm of ∇²f at one point can rise with ε; f and the entropy are monotone, it is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from hjsym.hopf import LSELayer
from hjsym.robustness.margins import NetworkScores, PolynomialScores
from hjsym.robustness.smooth_bounds import (
    PAIRS,
    Smoothness,
    as_finite,
    as_finite_points,
    as_network,
    as_polynomial,
    hessian_norm,
    smoothness,
)
from tropical import Polynomial, PolynomialMap, Rational
from tropical._display import summary
from tropical._html import card
from tropical._norms import as_norm
from tropical._rounding import U, rounded_up
from tropical._tables import HasTable
from tropical.errors import InputError

__all__ = ["Certificate", "Smoothness", "certify", "hessian_norm", "smoothness"]

_DOWN = 1 - 32 * U  # for quotients and roots that may only be too small
_TOGETHER = 1 << 24  # numbers of Jacobians at once


@dataclass(frozen=True, eq=False)
class Certificate(HasTable):
    """Radii around points (..., d) within which the decision is proved to be the one at the point.

    Attributes
    ----------
    radius : (...) array
        For each rival the best of three radii, the least over the rivals; 0 where the decision itself is not proved.
    lipschitz, curvature, convexity : (...) arrays
        The least over the rivals of each: m/L, by curvature on both sides, and by that which can hurt.
    margin : (...) array
        Lower bounds of the margin to the nearest rival at the point, at least 0.
    decision : (...) array of int
        The largest score, of a labelled layer the class; of one function f, 1 where scale·f > level, else 0.
    norm : number
        1, 2 or ∞.

    Examples
    --------
    >>> found = certify(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.25), [[2.0], [0.5]], level=0.1)
    >>> found.decision, found.radius.round(3), bool((found.radius >= found.lipschitz).all())
    (array([1, 1]), array([1.9 , 0.42]), True)
    """

    radius: np.ndarray
    lipschitz: np.ndarray
    curvature: np.ndarray
    convexity: np.ndarray
    margin: np.ndarray
    decision: np.ndarray
    norm: float

    def _shape(self) -> tuple[int, int]:
        return np.size(self.radius), 7

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        names = ("decision", "margin", "radius", "lipschitz", "curvature", "convexity")
        columns = {name: np.ravel(getattr(self, name))[:first] for name in names}
        return {"point": np.arange(len(columns["radius"])), **columns}

    def _units(self) -> dict[str, str]:
        length = f"units of x, in the norm {self.norm:g}"
        return {
            "margin": "units of f",
            **dict.fromkeys(("radius", "lipschitz", "curvature", "convexity"), length),
        }

    def _html(self) -> str:
        title = f"Certificate: radii in the norm {self.norm:g} around {np.size(self.radius):,} points"
        return card(title, self._first_rows())

    __repr__ = summary


def certify(
    f,
    x: ArrayLike,
    norm: float = 2,
    *,
    level: float | None = None,
    scale: float = 1.0,
    max_pairs: int = PAIRS,
) -> Certificate:
    """Radii within which no point changes the decision of f at x: proved, roundings included.

    Parameters
    ----------
    f
        What decides, over maxima and in floats:

        - an `LSELayer` or a `Polynomial` at ε ≥ 0: whether scale·f > level; a `Rational` of two: whether f > 0;
        - an `LSELayer` with labels, where no level is given: the class of largest weight;
        - a sequence of layers and polynomials, or a `PolynomialMap`: the largest of them;
        - a network, or what `hjsym.compile` made of one, `deform` included: its largest output, or with one output
          whether scale·f > level; circuits and their quotients too, gate by gate, which ignores what cancels in P − Q.
    x : (..., d) array
        Finite points.
    norm : 1, 2 or math.inf
        In which radii are measured.
    level : float, optional
        0 by default.
    scale : float
        An output weight, which is not 0; only with a level.
    max_pairs : int
        As for `smoothness`.

    Returns
    -------
    Certificate

    Notes
    -----
    Values, gradients and constants are bounded with their roundings, and radii are rounded down: the decision of the
    exact function, with weights as they are stored, is the same everywhere in the open ball. At ε = 0 a network has
    only the Lipschitz radius; `hjsym.nearest_boundary` has the distance itself. Cost: an evaluation with gradients,
    and for each class that occurs the constants against all others.

    Examples
    --------
    >>> layer = LSELayer([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], eps=0.25)
    >>> above = certify(layer, [2.0, 0.0])                            # f(2, 0) > 0: f is convex, so m/‖∇f‖
    >>> above.convexity.round(4), above.radius == above.convexity, above.lipschitz.round(4)
    (np.float64(2.0008), np.True_, np.float64(2.0001))
    >>> below = certify(layer, [-0.4, -0.4])                          # on the tie, where f bends up most
    >>> below.decision, below.convexity.round(4), below.lipschitz.round(4)
    (np.int64(0), np.float64(0.2395), np.float64(0.2267))
    >>> net = [([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-1.0])]
    >>> certify(net, [0.0, 0.0]).radius.round(4)                      # the exact distance is 0.7071
    np.float64(0.7071)
    """
    norm = as_norm(norm)
    scores = _scores(f, norm, level, scale, max_pairs)
    points = as_finite_points(x, scores.variables)
    flat = np.ascontiguousarray(points).reshape(prod(points.shape[:-1]), scores.variables)
    step = max(1, _TOGETHER // (scores.count * scores.variables + scores.width))
    parts = [_certified(scores, flat[k : k + step]) for k in range(0, max(1, len(flat)), step)]
    shape = points.shape[:-1]
    columns = [np.concatenate(column).reshape(shape)[()] for column in zip(*parts, strict=True)]
    return Certificate(*columns, norm)


def _certified(scores, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """(radius, lipschitz, curvature, convexity, margin, decision) of points (B, d)."""
    with np.errstate(all="ignore"):
        values, errors = scores.values(x)
        winner = values.argmax(axis=1) if len(x) else np.zeros(0, int)
        found = np.full((4, len(x)), np.inf)
        margin = np.full(len(x), np.inf)
        gradients = scores.gradients(x)
        for w in np.unique(winner).tolist():
            rows = np.flatnonzero(winner == w)
            lipschitz, two_sided, one_sided = scores.against(w)
            for c in range(scores.count):
                if c == w:
                    continue
                gap = values[rows, w] - values[rows, c]
                sure = errors[rows, w] + errors[rows, c] + 2 * U * abs(gap)
                m = np.maximum(gap - rounded_up(sure, 3), 0) * _DOWN
                slope = np.minimum(scores.slope(gradients, rows, w, c), lipschitz[c])
                radii = [m / lipschitz[c], _radius(m, slope, two_sided[c]), _radius(m, slope, one_sided[c])]
                radii = [np.where((m > 0) & ~np.isnan(r), r * _DOWN, 0.0) for r in radii]  # NaN: an overflow
                found[0, rows] = np.minimum(found[0, rows], np.maximum.reduce(radii))
                found[1:, rows] = np.minimum(found[1:, rows], radii)
                margin[rows] = np.minimum(margin[rows], m)
    return (*found, margin, scores.names[winner])


def _radius(m: np.ndarray, slope: np.ndarray, bend: float) -> np.ndarray:
    """The r with slope·r + bend·r²/2 = m, without cancellation or squares that underflow; 0 if the bend is infinite."""
    if not np.isfinite(bend):
        return np.zeros(m.shape)
    return 2 * m / (slope + np.hypot(slope, math.sqrt(2 * bend) * np.sqrt(m)))


def _scores(f, norm: float, level: float | None, scale: float, max_pairs: int):
    """What certify compares."""
    scale, constant = as_finite("scale", scale), 0.0 if level is None else as_finite("level", level)
    if not scale:
        raise InputError("scale is 0, and so is the function; pass another output weight")
    several = isinstance(f, PolynomialMap) or (
        isinstance(f, Sequence) and len(f) > 0 and all(isinstance(p, Polynomial | LSELayer) for p in f)
    )
    labelled = isinstance(f, LSELayer) and f.labels is not None and level is None
    if (several or labelled) and (level is not None or scale != 1):
        raise InputError("level and scale are for one function; leave them out where scores are compared")
    if labelled:
        names, f = _class_scores(f)
        return PolynomialScores([(p, 1.0) for p in f], norm, max_pairs, names)
    if several:
        return PolynomialScores([(as_polynomial(p), 1.0) for p in f], norm, max_pairs)
    if isinstance(f, Polynomial | LSELayer):
        p = as_polynomial(f)
        return PolynomialScores([(_constant(p, constant), 1.0), (p, scale)], norm, max_pairs)
    if isinstance(f, Rational) and isinstance(f.P, Polynomial):
        P, Q = as_polynomial(f.P), as_polynomial(f.Q)
        if constant or scale != 1:
            raise InputError("level and scale are for polynomials and networks; change P and Q instead")
        return PolynomialScores([(Q, 1.0), (P, 1.0)], norm, max_pairs)
    return NetworkScores(as_network(f), norm, constant, scale)


def _class_scores(layer: LSELayer) -> tuple[np.ndarray, list[Polynomial]]:
    """The classes, and for each the log-sum-exp of its neurons; the largest has the largest share of the weights."""
    p, labels = layer.polynomial, layer.labels
    if len(classes := np.unique(labels)) < 2:
        raise InputError(f"all neurons are labelled {classes[0]}; pass level= to certify the value instead")
    rows = [labels == c for c in classes]
    return classes, [Polynomial(p.slopes[r], p.coefficients[r], p.semiring) for r in rows]


def _constant(p: Polynomial, level: float) -> Polynomial:
    return Polynomial(np.zeros((1, p.variables)), [level], p.semiring)

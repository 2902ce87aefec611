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

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from hjsym._farthest import farthest
from hjsym.adjoint_rounding import jacobian_enclosure
from hjsym.compile import TropicalNetwork, compile
from hjsym.curvature_bounds import network_curvature
from hjsym.hopf import LSELayer
from hjsym.layer_norms import lipschitz_bound, margin_bounds
from tropical import Circuit, Polynomial, PolynomialMap, Rational
from tropical._arrays import FLOAT64, as_points, refuse_where
from tropical._norms import as_norm
from tropical._rounding import U, gradient_bound, rounded_up
from tropical.errors import InputError, ShapeError

__all__ = ["Certificate", "Smoothness", "certify", "hessian_norm", "smoothness"]

_PAIRS = 10**8  # of slopes that are compared, some seconds
_DUAL = {1: math.inf, 2: 2, math.inf: 1}
_DOWN = 1 - 32 * U  # for quotients and roots that may only be too small
_TOGETHER = 1 << 24  # numbers of Hessians or Jacobians at once


# ---- constants of all of R^d -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Smoothness:
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
    """

    lipschitz: float | np.ndarray
    convex: float | np.ndarray
    concave: float | np.ndarray
    norm: float
    paper: float | None = None
    diameter: tuple[float, float] | None = None
    pair: tuple[int, int] | None = None

    @property
    def curvature(self) -> float | np.ndarray:
        """A Lipschitz constant of the gradient: the larger side."""
        return np.maximum(self.convex, self.concave)[()]


def smoothness(f, norm: float = 2, *, scale: float = 1.0, max_pairs: int = _PAIRS) -> Smoothness:
    """Lipschitz constant and curvature bounds of scale·f.

    Parameters
    ----------
    f : LSELayer, Polynomial, network, or what `hjsym.compile` makes of one
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
        A function over Fractions, of minima, without finite coefficients, or a circuit that is no network.

    Notes
    -----
    Of a layer `lipschitz` and `convex` are as small as possible. Of a network they are products and sums over the
    layers, see `hjsym.curvature_bounds`; the curvature is found in norm 2, and that for ∞ is d times as large. A layer
    costs O(N d) and the pairs of slopes that are far out.

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
    norm, scale = as_norm(norm), _finite("scale", scale)
    if not isinstance(f, Polynomial | LSELayer):
        return _network_smoothness(f, norm, scale)
    p = _polynomial(f)
    far = farthest(p.slopes, p.slopes, _DUAL[norm], max_pairs)
    bound = _curvature(far.upper, p.semiring.eps) * abs(scale)
    bound = float(rounded_up(np.asarray(bound), 2)) if bound else 0.0
    steepest = _largest(p.slopes, norm)
    with np.errstate(over="ignore"):
        paper = abs(scale) * np.float64(steepest) ** 2 / p.semiring.eps if p.semiring.eps else math.inf
    sides = (bound, 0.0) if scale >= 0 else (0.0, bound)
    lipschitz = float(rounded_up(np.asarray(steepest * abs(scale)), 1))
    return Smoothness(
        lipschitz, *sides, norm, float(paper), (far.lower, far.upper), far.pair if len(p) > 1 else None
    )


def _network_smoothness(f, norm: float, scale: float) -> Smoothness:
    f = _network(f)
    scores = _NetworkScores(f, norm, 0.0)
    eye = scale * np.eye(f.network.output_size)
    lipschitz, convex, concave = scores.constants(eye)
    return Smoothness(np.minimum(lipschitz, _scaled_up(scores.steepest, abs(scale))), convex, concave, norm)


def hessian_norm(f: LSELayer | Polynomial, x: ArrayLike) -> np.ndarray:
    """‖∇²f(x)‖₂ at points (..., d), the largest eigenvalue of Cov_π(W)/ε; at most ``smoothness(f).convex``.

    It is not monotone in ε: at a tie it falls like 1/ε, and far from one it rises from 0 before it falls.

    >>> layer = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.1)
    >>> [hessian_norm(layer.polynomial.deform(eps), [0.5]).round(4) for eps in (0.1, 0.5, 2.0)]
    [np.float64(0.0018), np.float64(0.8399), np.float64(0.47)]
    """
    p = _polynomial(f)
    _need_temperature(p)
    points = _points(x, p.variables)
    flat = points.reshape(prod(points.shape[:-1]), p.variables)
    step = max(1, _TOGETHER // p.variables**2)
    parts = [
        np.linalg.eigvalsh(p.hessian(flat[k : k + step]))[:, -1] for k in range(0, max(1, len(flat)), step)
    ]
    return np.maximum(np.concatenate(parts), 0).reshape(points.shape[:-1])[()]


# ---- certificates ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Certificate:
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
        The largest score; of one function f, 1 where scale·f > level, else 0.
    norm : number
        1, 2 or ∞.
    """

    radius: np.ndarray
    lipschitz: np.ndarray
    curvature: np.ndarray
    convexity: np.ndarray
    margin: np.ndarray
    decision: np.ndarray
    norm: float


def certify(
    f,
    x: ArrayLike,
    norm: float = 2,
    *,
    level: float | None = None,
    scale: float = 1.0,
    max_pairs: int = _PAIRS,
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
          whether scale·f > level.
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
    >>> below = certify(layer, [-1.0, -1.0])                          # towards the tie f bends up
    >>> below.decision, below.radius.round(4), below.lipschitz.round(4)
    (np.int64(0), np.float64(0.8267), np.float64(0.8267))
    >>> net = compile([([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-1.0])])
    >>> certify(net, [0.0, 0.0]).radius.round(4)                      # the exact distance is 0.7071
    np.float64(0.7071)
    """
    norm = as_norm(norm)
    scores = _scores(f, norm, level, scale, max_pairs)
    points = _points(x, scores.variables)
    flat = np.ascontiguousarray(points).reshape(prod(points.shape[:-1]), scores.variables)
    step = max(1, _TOGETHER // (scores.count * scores.variables + scores.width))
    parts = [_certified(scores, flat[k : k + step]) for k in range(0, max(1, len(flat)), step)]
    shape = points.shape[:-1]
    columns = [np.concatenate(column).reshape(shape)[()] for column in zip(*parts, strict=True)]
    return Certificate(*columns, norm)


def _certified(scores, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """(radius, lipschitz, curvature, convexity, margin, decision) of points (B, d)."""
    values, errors = scores.values(x)
    winner = values.argmax(axis=1) if len(x) else np.zeros(0, int)
    found = np.full((4, len(x)), np.inf)
    margin = np.full(len(x), np.inf)
    gradients = scores.gradients(x)
    with np.errstate(all="ignore"):
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
                radii = [np.where(m > 0, np.where(np.isnan(r), np.inf, r) * _DOWN, 0.0) for r in radii]
                found[0, rows] = np.minimum(found[0, rows], np.maximum.reduce(radii))
                found[1:, rows] = np.minimum(found[1:, rows], radii)
                margin[rows] = np.minimum(margin[rows], m)
    return (*found, margin, winner)


def _radius(m: np.ndarray, slope: np.ndarray, bend: float) -> np.ndarray:
    """The r with slope·r + bend·r²/2 = m, without cancellation; 0 where the bend is infinite."""
    return 2 * m / (slope + np.sqrt(slope**2 + 2 * bend * m)) if np.isfinite(bend) else np.zeros(m.shape)


def _scores(f, norm: float, level: float | None, scale: float, max_pairs: int):
    """What certify compares."""
    scale, constant = _finite("scale", scale), 0.0 if level is None else _finite("level", level)
    if not scale:
        raise InputError("scale is 0, and so is the function; pass another output weight")
    several = isinstance(f, PolynomialMap) or (
        isinstance(f, Sequence) and len(f) > 0 and all(isinstance(p, Polynomial | LSELayer) for p in f)
    )
    labelled = isinstance(f, LSELayer) and f.labels is not None and level is None
    if (several or labelled) and (level is not None or scale != 1):
        raise InputError("level and scale are for one function; leave them out where scores are compared")
    if labelled:
        f, several = _class_scores(f), True
    if several:
        return _PolynomialScores([(_polynomial(p), 1.0) for p in f], norm, max_pairs)
    if isinstance(f, Polynomial | LSELayer):
        p = _polynomial(f)
        return _PolynomialScores([(_constant(p, constant), 1.0), (p, scale)], norm, max_pairs)
    if isinstance(f, Rational) and isinstance(f.P, Polynomial):
        P, Q = _polynomial(f.P), _polynomial(f.Q)
        if constant or scale != 1:
            raise InputError("level and scale are for polynomials and networks; change P and Q instead")
        return _PolynomialScores([(Q, 1.0), (P, 1.0)], norm, max_pairs)
    return _NetworkScores(_network(f), norm, constant, scale)


def _class_scores(layer: LSELayer) -> list[Polynomial]:
    """For each class the log-sum-exp of its neurons; the largest has the largest share of the weights."""
    p = layer.polynomial
    if len(classes := np.unique(layer.labels)) < 2:
        raise InputError(f"all neurons are labelled {classes[0]}; pass level= to certify the value instead")
    return [
        Polynomial(p.slopes[layer.labels == c], p.coefficients[layer.labels == c], p.semiring)
        for c in classes
    ]


def _constant(p: Polynomial, level: float) -> Polynomial:
    return Polynomial(np.zeros((1, p.variables)), [level], p.semiring)


class _PolynomialScores:
    """Scores s_c f_c with polynomials f_c, the largest of which decides."""

    def __init__(self, scaled: list[tuple[Polynomial, float]], norm: float, max_pairs: int):
        self.polynomials, self.scales = zip(*scaled, strict=True)
        self.norm, self.max_pairs, self.count = norm, max_pairs, len(scaled)
        sizes = {p.variables for p in self.polynomials}
        if len(sizes) > 1:
            raise ShapeError(
                f"scores are of {sorted(sizes)} variables; pass those of one number of variables"
            )
        if self.count < 2:
            raise InputError(
                "one score decides nothing; pass at least two, or a single polynomial and a level"
            )
        self.variables, self.width = sizes.pop(), 0
        self.steepest = [
            float(rounded_up(np.asarray(abs(s) * _largest(p.slopes, norm)), 1)) for p, s in scaled
        ]

    def values(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and bounds on their errors, (B, m). At ε = 0 the error counts three times: the slope found is that
        of a term within twice the error of the largest, which bounds the score from below."""
        values, errors = [], []
        for p, s in zip(self.polynomials, self.scales, strict=True):
            value, error = np.asarray(p(x)), np.asarray(p.error_bound(x))
            values.append(s * value)
            factor = 1.0 if p.semiring.eps else 3.0
            errors.append(rounded_up(abs(s) * factor * error + U * abs(s * value), 3))
        return np.stack(values, axis=-1), np.stack(errors, axis=-1)

    def gradients(self, x: np.ndarray) -> tuple[list, list]:
        """Of each score the gradient (B, d) and a bound on its error in the dual norm (B,)."""
        centres, radii = [], []
        for p, s, steepest in zip(self.polynomials, self.scales, self.steepest, strict=True):
            centres.append(s * p.gradient(x))
            error = gradient_bound(p, x) * steepest if p.semiring.eps else np.zeros(len(x))
            radii.append(rounded_up(error + 2 * U * steepest, 3))
        return centres, radii

    def slope(self, gradients: tuple[list, list], rows: np.ndarray, w: int, c: int) -> np.ndarray:
        """Upper bounds of ‖∇f_w − ∇f_c‖."""
        centres, radii = gradients
        error = radii[w][rows] + radii[c][rows]
        return rounded_up(_norms(centres[w][rows] - centres[c][rows], self.norm) + error, self.variables + 8)

    def against(self, w: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of f_w − f_c for all c: Lipschitz constants, and bounds on curvature on both sides, and downwards."""
        steep, both, down = np.zeros((3, self.count))
        for c in range(self.count):
            if c != w:
                far = farthest(self._slopes[w], self._slopes[c], _DUAL[self.norm], self.max_pairs)
                steep[c] = min(far.upper, rounded_up(np.asarray(self.steepest[w] + self.steepest[c]), 1))
                down[c] = rounded_up(np.asarray(self._sides[w][1] + self._sides[c][0]), 1)
                both[c] = max(down[c], rounded_up(np.asarray(self._sides[w][0] + self._sides[c][1]), 1))
        return steep, both, down

    @cached_property
    def _slopes(self) -> list[np.ndarray]:
        """Scaled; only a function is, whose rival has the slope 0, so that no difference cancels."""
        return [s * p.slopes for p, s in zip(self.polynomials, self.scales, strict=True)]

    @cached_property
    def _sides(self) -> list[tuple[float, float]]:
        """(convex, concave) of each score."""
        found = []
        for p, s in zip(self.polynomials, self.scales, strict=True):
            bounds = smoothness(p, self.norm, scale=s, max_pairs=self.max_pairs)
            found.append((bounds.convex, bounds.concave))
        return found


class _NetworkScores:
    """The outputs of a network, the largest of which decides; a single one against a level."""

    def __init__(self, f: TropicalNetwork, norm: float, level: float, scale: float = 1.0):
        self.network, self.norm, self.single = f.network, norm, f.network.output_size == 1
        if not self.single and (level or scale != 1):
            raise InputError(
                f"level and scale are for one output, and the network has {f.network.output_size}"
            )
        self.variables, self.f = f.variables, f
        self.count = 2 if self.single else f.network.output_size
        self.width = sum(f.network.sizes)
        self.level, self.scale = level, scale

    @cached_property
    def steepest(self) -> float:
        return lipschitz_bound(self.network, self.norm)

    def values(self, x):
        value, error = self.f(x), self.f.error_bound(x)
        if self.single:
            value, error = self.scale * value, abs(self.scale) * error
            value, error = (
                np.concatenate(a, axis=-1) for a in ((value * 0 + self.level, value), (error * 0, error))
            )
        return value, rounded_up(error + U * abs(value), 3)

    def gradients(self, x):
        return jacobian_enclosure(self.network, x)

    def slope(self, gradients, rows, w, c):
        centre, radius = gradients
        if self.single:
            difference, error = self.scale * centre[rows, 0], abs(self.scale) * radius[rows, 0]
        else:
            difference, error = centre[rows, w] - centre[rows, c], radius[rows, w] + radius[rows, c]
        largest = rounded_up(abs(difference) * (1 + 2 * U) + error, 3)
        return rounded_up(_norms(largest, self.norm), self.variables + 8)

    def against(self, w):
        m = self.network.output_size
        directions = np.eye(m)[w] - np.eye(m) if not self.single else np.array([[1.0], [1.0]]) * self.scale
        directions = directions * (1 if w or not self.single else -1)
        steep, convex, concave = self.constants(directions)
        if self.single:
            bound = np.full(2, _scaled_up(self.steepest, abs(self.scale)))
        else:
            bound = margin_bounds(self.network, self.norm, w)
        return np.minimum(steep, bound), np.maximum(convex, concave), concave

    def constants(self, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each row of directions times f: a Lipschitz constant by intervals, and (convex, concave)."""
        convex, concave, slopes = network_curvature(self.network, directions)
        wider = self.variables if self.norm == math.inf else 1  # ‖h‖₂² ≤ d‖h‖_∞²
        convex, concave = (_scaled_up(side, wider) for side in (convex, concave))
        return rounded_up(_norms(slopes, self.norm), self.variables + 8), convex, concave


# ---- reading arguments, norms ------------------------------------------------------------------------------


def _polynomial(f) -> Polynomial:
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
    return Polynomial(p.slopes[kept].astype(float), p.coefficients[kept].astype(float), p.semiring)


def _network(f) -> TropicalNetwork:
    if isinstance(f, Circuit | Rational) and not isinstance(f, TropicalNetwork):
        raise InputError(
            f"{f!r} is no network: its gates would be bounded one by one, though P and Q cancel; pass polynomials, or "
            "hjsym.to_network(f)"
        )
    f = f if isinstance(f, TropicalNetwork) else compile(f)
    if f.is_exact:
        raise InputError("the network is over Fractions; compile it without exact=True")
    return f


def _need_temperature(p: Polynomial) -> None:
    if not p.semiring.eps:
        raise InputError("eps is 0: second derivatives are 0 or undefined; pass a layer at eps > 0")


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise InputError(f"{name} is {value}; pass a finite number")
    return float(value)


def _points(x: ArrayLike, variables: int) -> np.ndarray:
    points = as_points(x, variables, FLOAT64).astype(float)
    refuse_where(~np.isfinite(points), "x", points, "points must be finite")
    return points


def _norms(rows: np.ndarray, norm: float) -> np.ndarray:
    """Dual norms along the last axis, as computed, from numbers scaled to be near 1."""
    top = abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    scale = np.where((top > 0) & np.isfinite(top), 2.0 ** np.clip(np.frexp(top)[1], -1000, 1000), 1.0)
    with np.errstate(over="ignore"):
        return np.linalg.norm(rows / scale, _DUAL[norm], axis=-1) * scale[..., 0]


def _largest(slopes: np.ndarray, norm: float) -> float:
    """max‖W_j‖ in the dual norm, rounded up."""
    return float(rounded_up(_norms(slopes, norm), slopes.shape[1] + 4).max())


def _curvature(diameter: float, eps: float) -> float:
    """diam²/4ε, rounded up; 0 for one slope, and else infinite at ε = 0."""
    if not diameter or not eps:
        return math.inf if diameter else 0.0
    with np.errstate(over="ignore"):
        return float(rounded_up(np.float64(diameter) ** 2 / (4 * eps), 4))


def _scaled_up(bound, factor: float):
    """factor·bound upwards, exactly 0 where the bound is."""
    bound = np.asarray(bound)
    return np.where(bound > 0, rounded_up(bound * factor, 1), 0.0)[()] if factor else np.zeros(bound.shape)

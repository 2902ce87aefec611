"""The zeros of the natural gradient in an interval."""

from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from hjsym.bifurcation.landscape import EntropyLandscape
from hjsym.bifurcation.seeds import leading_ties, mesh

__all__ = ["scan"]

_OFFSETS = np.array([0.0, 0.3, 1.0, 3.0, 10.0])  # around a jump, in units of its width
_RESOLVED = 0.03  # relative error of the cubic at which an interval is understood
_ROUNDING = 32 * np.finfo(float).eps
_DEPTH = 45
_MOST = 200_000


def scan(H: EntropyLandscape, eps: float, low: np.ndarray, high: np.ndarray):
    """Zeros (n, 1), the degree of H' on the interval, and intervals that could not be resolved (k, 2, 1).

    A run of values that are rounding is a zero where n has opposite signs around it, and otherwise a double one.
    """
    noise = _ROUNDING * max(abs(low[0]), abs(high[0]))
    nodes, values, unresolved = _sampled(H, eps, low[0], high[0], noise)
    f = lambda t: H.natural_gradient(np.array([[t]]), eps).value[0, 0]  # noqa: E731
    firm = np.flatnonzero(np.abs(values) > noise)
    roots = []
    for a, b in pairwise(firm):
        if values[a] * values[b] < 0:
            roots.append(brentq(f, nodes[a], nodes[b], xtol=noise / 64, rtol=4 * np.finfo(float).eps))
        elif b > a + 1:
            roots.append(nodes[a + 1 + np.abs(values[a + 1 : b]).argmin()])
    ends = np.sign(np.where(np.abs(values[[0, -1]]) > noise, values[[0, -1]], 0))
    degree = int(ends[1] - ends[0]) // 2 if ends.all() else None
    return np.array(roots).reshape(-1, 1), degree, unresolved[:, :, None]


def _sampled(H: EntropyLandscape, eps: float, low: float, high: float, noise: float):
    """Nodes fine enough to see all zeros, n there, and the intervals where refining ended first."""
    grid = mesh([low], [high], 257)
    ties = leading_ties(H, low, high, grid)
    width = H.blur(eps)
    around = (ties[:, None] + width * np.concatenate([_OFFSETS, -_OFFSETS[1:]])).ravel()
    nodes = np.unique(np.concatenate([grid[:, 0], around[(around > low) & (around < high)]]))
    values, slopes = _evaluate(H, eps, nodes)
    a = np.arange(len(nodes) - 1)
    finest = 1e-11 * max(high - low, width)
    unresolved = np.empty((0, 2))
    for _ in range(_DEPTH):
        left, right = nodes[a], nodes[a + 1]
        middle = (left + right) / 2
        at, slope = _evaluate(H, eps, middle)
        vague = ~_understood(right - left, values[a], values[a + 1], slopes[a], slopes[a + 1], at)
        rounding = np.maximum.reduce([np.abs(values[a]), np.abs(values[a + 1]), np.abs(at)]) <= noise
        fine = (right - left < finest) | rounding
        steep = np.minimum(np.abs(slopes[a]), np.abs(slopes[a + 1])) > 1e-5
        flat = (
            vague & fine & ~(steep & (slopes[a] * slopes[a + 1] > 0))
        )  # one zero at most where n is monotone
        unresolved = np.vstack([unresolved, np.column_stack([left, right])[flat]])
        vague &= ~fine
        halves = np.concatenate([middle[vague], left[vague]])
        order = np.argsort(np.append(nodes, middle))
        nodes = np.append(nodes, middle)[order]
        values, slopes = np.append(values, at)[order], np.append(slopes, slope)[order]
        a = np.searchsorted(nodes, halves)
        if not len(a) or len(nodes) > _MOST:
            break
    return nodes, values, unresolved


def _understood(h, va, vb, sa, sb, at) -> np.ndarray:
    """Whether the cubic through values and slopes at the ends predicts the middle, and its zeros are the changes of
    sign at nodes: it has no hump that comes near 0 from one side."""
    predicted = (va + vb) / 2 + h * (sa - sb) / 8
    size = np.maximum.reduce([np.abs(va), np.abs(vb), np.abs(at)])
    close = np.abs(predicted - at) <= _RESOLVED * size
    monotone = (np.sign(sa) == np.sign(sb)) & (np.abs(h * (sa + sb) / 2 - (vb - va)) < 0.5 * np.abs(vb - va))
    steep = np.maximum(np.abs(sa), np.abs(sb)) * h
    far = np.minimum.reduce([np.abs(va), np.abs(vb), np.abs(at)]) > steep / 2
    return close & (monotone | far)


def _evaluate(H: EntropyLandscape, eps: float, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = H.natural_gradient(nodes[:, None], eps)
    return n.value[:, 0], n.jacobian[:, 0, 0]

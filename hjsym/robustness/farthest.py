"""The largest distance between two finite sets of vectors, in three norms, with few of the pairs looked at.

With radii ρ and σ around one centre no pair is farther apart than ρ_i + σ_j. So rows are taken from the outside in,
each with those of the other set that could still be farther than the best pair so far. In the norm ∞ the coordinates
decide one by one, and there are no pairs at all.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

__all__ = ["Farthest", "farthest"]

_BLOCK = 256  # rows whose distances are found together
_METRICS = {1: "cityblock", 2: "euclidean"}
_TINY = 2.0**-500  # relative to the largest number: squares below it underflow


@dataclass(frozen=True)
class Farthest:
    """The distance between two bounds, with the rows of a pair that has it, or the best one seen.

    `exact` says that all pairs are accounted for: then the bounds differ by rounding alone.
    """

    lower: float
    upper: float
    pair: tuple[int, int]
    exact: bool


def farthest(A: np.ndarray, B: np.ndarray, norm: float, max_pairs: int) -> Farthest:
    """max ‖a − b‖ over the rows of A and B, none of them empty, in norm 1, 2 or ∞, by at most `max_pairs` distances."""
    scale = max(float(abs(A).max(initial=0)), float(abs(B).max(initial=0)))
    if (A[0] == A).all() and (A[0] == B).all():
        return Farthest(0.0, 0.0, (0, 0), True)
    scale = 2.0 ** math.frexp(scale)[1] if scale < 2.0**1000 else 2.0**1020
    if norm == math.inf:
        distance, pair, left = _by_coordinates(A / scale, B / scale)
    else:
        scaled = A / scale
        others = scaled if B is A else B / scale
        distance, pair, left = _by_pairs(scaled, others, _METRICS[norm], max_pairs)
    slack = (2 * A.shape[1] + 16) * 2.0**-52
    upper = (max(distance, left) * (1 + slack) + _TINY) * scale
    return Farthest(max(0.0, distance * (1 - slack) - _TINY) * scale, upper, pair, left <= distance)


def _by_coordinates(A: np.ndarray, B: np.ndarray) -> tuple[float, tuple[int, int], float]:
    best, pair = 0.0, (0, 0)
    for high, low, turned in ((A, B, False), (B, A, True)):
        spread = high.max(axis=0, initial=-np.inf) - low.min(axis=0, initial=np.inf)
        if len(spread) and spread.max() > best:
            k = int(spread.argmax())
            i, j = int(high[:, k].argmax()), int(low[:, k].argmin())
            best, pair = float(spread[k]), ((j, i) if turned else (i, j))
    return best, pair, best


def _by_pairs(A, B, metric: str, max_pairs: int) -> tuple[float, tuple[int, int], float]:
    """The largest distance seen, its pair, and a bound on those not looked at (0 if all are accounted for)."""
    centre = ((A.max(axis=0) + A.min(axis=0)) / 2)[None]
    rho = cdist(A, centre, metric)[:, 0]
    sigma = rho if B is A else cdist(B, centre, metric)[:, 0]
    best, pair = _zigzag(A, B, metric, int(rho.argmax()))
    order_a, order_b = (_far_out(r, best - s.max()) for r, s in ((rho, sigma), (sigma, rho)))
    if not (len(order_a) and len(order_b)):
        return best, pair, 0.0
    A, rho, B, sigma = A[order_a], rho[order_a], B[order_b], sigma[order_b]
    looked_at = 0
    for start in range(0, len(A), _BLOCK):
        reach = rho[start]
        if reach + sigma[0] <= best:
            break
        if looked_at > max_pairs:
            return best, pair, float(reach + sigma[0])
        others = int(np.searchsorted(-sigma, reach - best, side="right"))
        distances = cdist(A[start : start + _BLOCK], B[:others], metric)
        looked_at += distances.size
        k = int(distances.argmax())
        if distances.flat[k] > best:
            i, j = divmod(k, others)
            best, pair = float(distances.flat[k]), (int(order_a[start + i]), int(order_b[j]))
    return best, pair, 0.0


def _far_out(radii: np.ndarray, least: float) -> np.ndarray:
    """Rows with a radius above the least, the largest first."""
    rows = np.flatnonzero(radii > least)
    return rows[np.argsort(-radii[rows], kind="stable")]


def _zigzag(A, B, metric: str, i: int) -> tuple[float, tuple[int, int]]:
    """A far pair: from row i of A to the farthest of B, back, and so on."""
    best, pair = 0.0, (0, 0)
    for _ in range(4):
        to_b = cdist(A[i : i + 1], B, metric)[0]
        j = int(to_b.argmax())
        to_a = cdist(B[j : j + 1], A, metric)[0]
        i = int(to_a.argmax())
        if to_a[i] <= best:
            break
        best, pair = float(to_a[i]), (i, j)
    return best, pair

"""Where critical points sit in the cold, as starts of searches: at ties between the highest terms.

As ε → 0 the natural gradient is X − x, where X is constant but for jumps of width ε. A critical point is then

- a tie of the d + 1 highest terms, which is their X: a maximum;
- a tie of d + 1 terms below a dominant one, where the X of that one with d of them surround it: a minimum;
- in the plane a tie of the first two terms where the next two tie as well, between their X: a saddle.

Within the jump X is a mean of the X_s with weights ∝ det_s² e^{U_s·x/ε}, U_s the sum of the slopes of simplex s, so
that the place at which the mean is x follows from linear equations for the logarithms of the weights.
"""

import math
from itertools import combinations

import numpy as np

from hjsym.bifurcation.landscape import EntropyLandscape, solve_ties

__all__ = ["cold_seeds", "leading_ties", "mesh"]

_FEW = 50_000  # sets of terms whose ties are all looked at
_PAIRINGS = ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))


def mesh(low: np.ndarray, high: np.ndarray, per_axis: int) -> np.ndarray:
    """A regular grid of a box, (per_axis^d, d)."""
    axes = [np.linspace(a, b, per_axis) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def leading_ties(H: EntropyLandscape, low: float, high: float, points: np.ndarray) -> np.ndarray:
    """In one variable: the ties, in an interval, of terms in the first four places at some of the points."""
    for _ in range(2):
        found = _ties(H, _sets(H, points), 2, [(0, 1)])[0]
        found = found[(found[:, 0] >= low) & (found[:, 0] <= high)]
        points = np.vstack([points, found])
    return np.unique(found)


def cold_seeds(
    H: EntropyLandscape, eps: float, low: np.ndarray, high: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """In the plane: starts near all cold critical points in a box; with many terms, of terms in the first four places
    at some of the points."""
    for _ in range(2):
        sets = _sets(H, points)
        threes = _ties(H, sets, 3, [(0, 1), (0, 2)])
        fours = _ties(H, sets, 4, [(0, 1), (2, 3)])
        found = np.vstack([threes[0], fours[0], _minima(H, eps, *threes), _saddles(H, eps, *fours)])
        found = found[((found >= low) & (found <= high)).all(axis=1)]
        if math.comb(len(H.distinct[1]), 4) <= _FEW:
            break
        points = np.vstack([points, found])
    return np.unique(found, axis=0)


def _sets(H: EntropyLandscape, points: np.ndarray) -> np.ndarray:
    """Sets of four terms: all of them if they are few, else those in the first four places at points."""
    (W, b), k = H.distinct, min(4, len(H.distinct[1]))
    if math.comb(len(b), k) <= _FEW:
        return np.array(list(combinations(range(len(b)), k)))
    z = points @ W.T + b
    return np.unique(np.sort(np.argpartition(-z, k - 1, axis=1)[:, :k], axis=1), axis=0)


def _ties(H: EntropyLandscape, sets: np.ndarray, size: int, equal) -> tuple[np.ndarray, np.ndarray]:
    """Ties of `size` terms of each set, as `equal` says, and their terms; those of terms in lower places left out."""
    W, b = H.distinct
    if size == 4 and sets.shape[1] == 4:
        terms = np.vstack([sets[:, pairing] for pairing in _PAIRINGS])
    else:
        terms = np.vstack(
            [sets[:, chosen] for chosen in combinations(range(sets.shape[1]), size)] or [sets[:0]]
        )
        terms = np.unique(terms, axis=0)
    if terms.shape[1] != size:
        return np.empty((0, W.shape[1])), np.empty((0, size), dtype=int)
    ties, kept = solve_ties(W, b, terms, equal)
    terms, z = terms[kept], ties @ W.T + b
    place = min(max(4, size), z.shape[1])
    bar = -np.partition(-z, place - 1, axis=1)[:, place - 1]
    high = np.take_along_axis(z, terms, axis=1).min(axis=1) >= bar - 1e-9 * (1 + np.abs(z).max(axis=1))
    return ties[high], terms[high]


def _minima(H: EntropyLandscape, eps: float, ties: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Ties of three terms below a dominant one, moved to where the three X of that with two of them balance."""
    W, b = H.distinct
    top = (ties @ W.T + b).argmax(axis=1)
    below = (terms != top[:, None]).all(axis=1)
    ties, terms, top = ties[below], terms[below], top[below]
    simplices = [np.column_stack([top, np.delete(terms, k, axis=1)]) for k in range(3)]
    centres, logs, fine = _simplices(W, b, simplices)
    shares = _solved(np.stack([centres[1] - centres[0], centres[2] - centres[0]], axis=2), ties - centres[0])
    shares = np.column_stack([1 - shares.sum(axis=1), shares])
    fine &= (shares > 0).all(axis=1)
    left = np.stack([W[terms[:, 0]] - W[terms[:, k]] for k in (1, 2)], axis=1)
    return _moved(ties, eps, left, shares, logs, fine)


def _saddles(H: EntropyLandscape, eps: float, ties: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Ties of two pairs, moved along the tie of the higher pair to where its two X with one of the lower balance."""
    W, b = H.distinct
    z = ties @ W.T + b
    swapped = z[np.arange(len(z)), terms[:, 0]] < z[np.arange(len(z)), terms[:, 2]]
    terms = np.where(swapped[:, None], terms[:, [2, 3, 0, 1]], terms)
    centres, logs, fine = _simplices(W, b, [terms[:, [0, 1, 2]], terms[:, [0, 1, 3]]])
    way = centres[1] - centres[0]
    share = ((ties - centres[0]) * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-300)
    shares = np.column_stack([1 - share, share])
    fine &= (shares > 0).all(axis=1)
    left = np.stack([W[terms[:, 3]] - W[terms[:, 2]], W[terms[:, 0]] - W[terms[:, 1]]], axis=1)
    return _moved(ties, eps, left, shares, logs, fine)


def _simplices(W: np.ndarray, b: np.ndarray, simplices: list[np.ndarray]):
    """X and log det² of simplices given as columns of terms, and the rows in which none is flat."""
    matrices = [np.stack([W[s[:, 1]] - W[s[:, 0]], W[s[:, 2]] - W[s[:, 0]]], axis=1) for s in simplices]
    right = [np.stack([b[s[:, 0]] - b[s[:, 1]], b[s[:, 0]] - b[s[:, 2]]], axis=1) for s in simplices]
    dets = np.stack([np.linalg.det(m) for m in matrices], axis=1)
    fine = (
        np.abs(dets) > 1e-12 * np.stack([np.linalg.norm(m, axis=2).prod(axis=1) for m in matrices], axis=1)
    ).all(1)
    centres = [_solved(m, r) for m, r in zip(matrices, right, strict=True)]
    return centres, np.log(np.maximum(dets**2, 1e-300)), fine


def _moved(
    ties, eps: float, left: np.ndarray, shares: np.ndarray, logs: np.ndarray, fine: np.ndarray
) -> np.ndarray:
    """x + εu with left·u = log(share/share_0) − log(det²/det_0²), and 0 for a second row without a share."""
    right = np.zeros((len(ties), 2))
    safe = np.where(shares > 0, shares, 1.0)
    right[:, : shares.shape[1] - 1] = np.log(safe[:, 1:] / safe[:, :1]) - (logs[:, 1:] - logs[:, :1])
    return (ties + eps * _solved(left, right))[fine]


def _solved(matrices: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of systems of two equations; 0 where they are singular."""
    singular = np.abs(np.linalg.det(matrices)) <= 1e-14 * np.linalg.norm(matrices, axis=2).prod(axis=1)
    safe = np.where(singular[:, None, None], np.eye(2), matrices)
    return np.where(singular[:, None], 0.0, np.linalg.solve(safe, right[..., None])[..., 0])

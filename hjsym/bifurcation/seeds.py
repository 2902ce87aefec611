"""Where critical points sit in the cold, as starts of searches: at ties between the highest terms.

As ε → 0 the natural gradient is X − x with X constant but for jumps. A critical point is then a tie of d + 1 terms (on
their X, or where runners-up change places beside a dominant term) or, in the plane, of two pairs of terms (on the ridge
between two basins, where the third place changes hands). Only terms of the first d + 2 places matter.
"""

import math
from itertools import combinations

import numpy as np

from hjsym.bifurcation.landscape import EntropyLandscape, solve_ties

__all__ = ["cold_seeds", "mesh"]

_FEW = 50_000  # sets of terms whose ties are all looked at
_PAIRINGS = ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))


def mesh(low: np.ndarray, high: np.ndarray, per_axis: int) -> np.ndarray:
    """A regular grid of a box, (per_axis^d, d)."""
    axes = [np.linspace(a, b, per_axis) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def cold_seeds(H: EntropyLandscape, low: np.ndarray, high: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Ties, within a box, of the terms that are highest at some of the points or at a tie of such terms.

    With few terms all ties are looked at, wherever the points are; those of terms that are never highest are left out.
    """
    found = np.empty((0, H.variables))
    everything = _everything(H)
    if everything is not None:
        found = _ties(H, everything, only_highest=True)
        return np.unique(found[((found >= low) & (found <= high)).all(axis=1)], axis=0)
    for _ in range(2):
        found = _ties(H, _leaders(H, points))
        found = found[((found >= low) & (found <= high)).all(axis=1)]
        points = np.vstack([points, found])
    return np.unique(found, axis=0)


def _everything(H: EntropyLandscape) -> np.ndarray | None:
    """All sets of d + 2 terms, or None where they are too many."""
    N, k = len(H.distinct[1]), min(H.variables + 2, len(H.distinct[1]))
    return np.array(list(combinations(range(N), k))) if math.comb(N, k) <= _FEW else None


def _leaders(H: EntropyLandscape, points: np.ndarray) -> np.ndarray:
    """The sets of the d + 2 (in one variable 4) highest terms that occur, (sets, k)."""
    W, b = H.distinct
    k = min(4, len(b))
    z = points @ W.T + b
    return np.unique(np.sort(np.argpartition(-z, k - 1, axis=1)[:, :k], axis=1), axis=0)


def _highest(H: EntropyLandscape, ties: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Whether at a tie its terms are among the d + 2 highest, with some tolerance."""
    (W, b), k = H.distinct, terms.shape[1]
    z = ties @ W.T + b
    place = min(max(H.variables + 2, k), z.shape[1])
    bar = -np.partition(-z, place - 1, axis=1)[:, place - 1]
    return np.take_along_axis(z, terms, axis=1).min(axis=1) >= bar - 1e-9 * (1 + np.abs(z).max(axis=1))


def _ties(H: EntropyLandscape, leaders: np.ndarray, only_highest: bool = False) -> np.ndarray:
    """Ties of d + 1 terms of each set and, in the plane, of two pairs."""
    (W, b), d = H.distinct, H.variables
    subsets = [leaders[:, chosen] for chosen in combinations(range(leaders.shape[1]), d + 1)]
    kinds = [(np.unique(np.vstack(subsets), axis=0), [(0, k) for k in range(1, d + 1)])]
    if d == 2 and leaders.shape[1] == 4:
        kinds.append((np.vstack([leaders[:, pairing] for pairing in _PAIRINGS]), [(0, 1), (2, 3)]))
    found = []
    for terms, equal in kinds:
        ties, kept = solve_ties(W, b, terms, equal)
        found.append(ties[_highest(H, ties, terms[kept])] if only_highest else ties)
    return np.vstack(found)

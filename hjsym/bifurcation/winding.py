"""How often the natural gradient turns along edges and around cells of a rectangle: degrees of ∇H in the plane.

n = G⁻¹∇H with G positive definite, so that both fields have the same degree. The turn along an edge is summed over
pieces that are cut until it changes little from end to middle to end.
"""

from itertools import pairwise

import numpy as np

from hjsym.bifurcation.landscape import EntropyLandscape

__all__ = ["cell_degrees", "grid_degrees", "turns"]

_SMALL = 0.7  # radians within half a piece
_PIECES = 6
_DEPTH = 36


def turns(H: EntropyLandscape, eps: float, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The angle by which n turns along segments (m, 2) → (m, 2); NaN where it vanishes or turns without end.

    A piece is cut where the terms in the first three places change: in the cold n jumps there, and between two such
    cuts it could turn once around unseen.
    """
    total = np.zeros(len(start))
    which = np.repeat(np.arange(len(start)), _PIECES)
    t0 = np.tile(np.arange(_PIECES) / _PIECES, len(start))
    t1 = t0 + 1 / _PIECES
    at = lambda which, t: start[which] + t[:, None] * (end - start)[which]  # noqa: E731
    n0, n1 = _field(H, eps, at(which, t0)), _field(H, eps, at(which, t1))
    for _ in range(_DEPTH):
        share, changes = _cuts(H, at(which, t0), at(which, t1))
        middle = t0 + share * (t1 - t0)
        nm = _field(H, eps, at(which, middle))
        first, second = _angle(n0, nm), _angle(nm, n1)
        rough = ~((np.abs(first) < _SMALL) & (np.abs(second) < _SMALL) & (changes <= 1))
        np.add.at(total, which[~rough], (first + second)[~rough])
        if not rough.any():
            return total
        which = np.tile(which[rough], 2)
        t0, t1 = np.append(t0[rough], middle[rough]), np.append(middle[rough], t1[rough])
        n0, n1 = np.vstack([n0[rough], nm[rough]]), np.vstack([nm[rough], n1[rough]])
    total[which] = np.nan
    return total


def _cuts(H: EntropyLandscape, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where to cut segments, as shares of their lengths, and how many of the first three terms change along them."""
    W, b = H.distinct
    z0, z1 = start @ W.T + b, end @ W.T + b
    k = min(3, len(b))
    top0, top1 = (np.zeros(z.shape, dtype=bool) for z in (z0, z1))
    for top, z in ((top0, z0), (top1, z1)):
        np.put_along_axis(top, np.argpartition(-z, k - 1, axis=1)[:, :k], True, axis=1)
    leaving, coming = top0 & ~top1, top1 & ~top0
    here, out, into = np.arange(len(z0)), leaving.argmax(axis=1), coming.argmax(axis=1)
    before, after = (z[here, out] - z[here, into] for z in (z0, z1))
    drop = np.where(before > after, before - after, 1.0)
    share = np.where(leaving.any(axis=1) & (before > after), before / drop, 0.5)
    return np.clip(share, 1e-3, 1 - 1e-3), leaving.sum(axis=1)


def grid_degrees(
    H: EntropyLandscape, eps: float, xs: np.ndarray, ys: np.ndarray
) -> tuple[np.ndarray, int | None]:
    """The degree on each cell between the lines xs and ys, (len(xs) − 1, len(ys) − 1), NaN where an edge has none,
    and that of the whole rectangle, from its boundary alone."""
    across = np.array([[[x0, y], [x1, y]] for x0, x1 in pairwise(xs) for y in ys])
    along = np.array([[[x, y0], [x, y1]] for x in xs for y0, y1 in pairwise(ys)])
    a = turns(H, eps, across[:, 0], across[:, 1]).reshape(len(xs) - 1, len(ys))
    b = turns(H, eps, along[:, 0], along[:, 1]).reshape(len(xs), len(ys) - 1)
    cells = (a[:, :-1] + b[1:] - a[:, 1:] - b[:-1]) / (2 * np.pi)
    outer = (a[:, 0].sum() + b[-1].sum() - a[:, -1].sum() - b[0].sum()) / (2 * np.pi)
    return np.round(cells), None if np.isnan(outer) else round(outer)


def cell_degrees(H: EntropyLandscape, eps: float, cells: np.ndarray) -> np.ndarray:
    """The degree on each of the cells (k, 2, 2), given as (low, high); NaN where an edge has none."""
    (x0, y0), (x1, y1) = np.moveaxis(cells, 0, -1)
    corners = np.stack([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]).transpose(2, 0, 1)
    following = np.roll(corners, -1, axis=1)
    total = turns(H, eps, corners.reshape(-1, 2), following.reshape(-1, 2)).reshape(-1, 4).sum(axis=1)
    return np.round(total / (2 * np.pi))


def _field(H: EntropyLandscape, eps: float, points: np.ndarray) -> np.ndarray:
    parts = np.array_split(points, max(1, len(points) * len(H) // 400_000))
    return np.vstack([H.natural_gradient(part, eps).value for part in parts])


def _angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(axis=1))

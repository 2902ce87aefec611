"""Edge subdivision in NumPy, the peer of regions in floats: regions of a ReLU network within a box.

The polyhedral complex is held by its vertices and edges alone. Each unit cuts the edges at whose ends it has opposite
signs; two new vertices are joined where they lie on one face of dimension 2. A vertex knows the sign of every unit
and bound of the box, 0 for the d hyperplanes it lies on; with one of those zeros replaced by ±1 its signs are those of
a face. Signs are compared by sums of random 64-bit numbers.

It takes for granted that no d + 1 hyperplanes meet, that nothing happens outside the box, and that floats tell signs
apart; where that fails regions are lost without a word.

A. Berzins, "Polyhedral complex extraction from ReLU networks using edge subdivision", ICML 2023.
"""

import itertools

import numpy as np

__all__ = ["count_regions"]


def count_regions(layers: list, reach: float) -> int:
    """How many regions [(W, b), …] with a linear last layer has in the box of ±reach, as far as floats tell."""
    d = len(layers[0][0][0])
    units = sum(len(b) for _, b in layers[:-1])
    code = np.random.default_rng(0).integers(2**63, size=2 * d + units, dtype=np.uint64)
    x, signs, edges = _box(d, reach, units)
    number = 2 * d
    for W, b in layers[:-1]:
        W, b = np.array(W), np.array(b)
        for w, c in zip(W, b, strict=True):
            x, signs, edges = _cut(x, signs, edges, x @ w + c, number, code, d)
            number += 1
        x = np.maximum(x @ W.T + b, 0)
    return len(_regions(signs, code, d))


def _box(d: int, reach: float, units: int):
    """Corners, their signs, and the edges: pairs of corners that differ in one entry."""
    corners = np.array(list(itertools.product([-1, 1], repeat=d)))
    signs = np.zeros((2**d, 2 * d + units), np.int8)
    signs[:, :d], signs[:, d : 2 * d] = corners > 0, corners < 0  # 0 on the bound, 1 inside
    numbers = np.arange(2**d)
    edges = [np.stack([numbers, numbers ^ 1 << k], axis=1)[(numbers >> k & 1) == 0] for k in range(d)]
    return corners * reach, signs, np.concatenate(edges)


def _cut(x, signs, edges, values, number, code, d):
    signs[:, number] = np.sign(values)
    ends = values[edges]
    split = ends[:, 0] * ends[:, 1] < 0
    if not split.any():
        return x, signs, edges
    (a, b), (u, v) = edges[split].T, ends[split].T
    t = (u / (u - v))[:, None]
    made = np.sign(signs[a] + signs[b])  # along an edge no sign changes but to 0 at its ends
    made[:, number] = 0
    new = len(x) + np.arange(len(a))
    x, signs = np.concatenate([x, (1 - t) * x[a] + t * x[b]]), np.concatenate([signs, made])
    joined = _joined(made, number, code, d) + new[0]
    halves = np.concatenate([np.stack([a, new], axis=1), np.stack([new, b], axis=1)])
    return x, signs, np.concatenate([edges[~split], halves, joined])


def _joined(made, number, code, d):
    """Pairs of new vertices on one face of dimension 2."""
    others = made.copy()
    others[:, number] = 1
    zeros = np.nonzero(others[:, : number + 1] == 0)[1].reshape(len(made), d - 1)
    # a bound of the box has but one side
    own = made.astype(np.uint64) @ code
    plus, minus = own[:, None] + code[zeros], own[:, None] - code[zeros]
    inside = zeros >= 2 * d
    vertex = np.broadcast_to(np.arange(len(made))[:, None], zeros.shape)
    keys = np.concatenate([plus.ravel(), minus[inside]])
    vertex = np.concatenate([vertex.ravel(), vertex[inside]])
    order = np.argsort(keys, kind="stable")
    keys, vertex = keys[order], vertex[order]
    pairs = np.flatnonzero(keys[:-1] == keys[1:])
    return np.stack([vertex[pairs], vertex[pairs + 1]], axis=1)


def _regions(signs, code, d):
    """Codes of the regions: the signs of the units around each vertex."""
    zeros = np.nonzero(signs == 0)[1].reshape(len(signs), d)
    units = signs[:, 2 * d :].astype(np.uint64) @ code[2 * d :]
    steps = np.where(zeros >= 2 * d, code[zeros], 0)
    sums = [
        units + steps @ np.array(s, dtype=np.int64).astype(np.uint64)
        for s in itertools.product([-1, 1], repeat=d)
    ]
    return np.unique(np.concatenate(sums))

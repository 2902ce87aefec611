"""Times layers of many small polynomials, gates and circuits against NumPy; prints a table of ratios.

    python benchmarks/layers.py                   every case
    python benchmarks/layers.py gate circuit      those whose name contains a word

Peers and the library take turns in every round of one process on one thread; the median round counts. NumPy
multiplies by BLAS and keeps all monomials at all points in memory, as frameworks of networks do; "in blocks" of
points it keeps them in the cache. PyTorch takes part where it is installed.
"""

import itertools
import os
import sys
from functools import reduce

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from rounds import compare
from scipy.special import logsumexp

from tropical import Circuit, Polynomial, PolynomialMap, Semiring
from tropical.circuit import soft_max

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

LAYERS = [  # points, variables, units, branches
    (100_000, 2, 64, 2),
    (10_000, 16, 256, 4),
    (10_000, 64, 256, 8),
    (1_000, 784, 300, 4),
    (1, 784, 300, 4),
]


def by_numpy(x: np.ndarray, W: np.ndarray, b: np.ndarray, units: int, eps: float) -> np.ndarray:
    z = (x @ W.T + b).reshape(len(x), units, -1)
    top = z.max(axis=2)
    return top if eps == 0 else top + eps * np.log(np.exp((z - top[:, :, None]) / eps).sum(axis=2))


def by_torch(x, W, b, units: int, eps: float):
    with torch.inference_mode():
        z = torch.addmm(b, x, W.T).reshape(len(x), units, -1)
        return z.amax(2) if eps == 0 else eps * torch.logsumexp(z / eps, 2)


def in_blocks(x: np.ndarray, *rest) -> np.ndarray:
    rows = max(1, 100_000 // len(rest[0]))
    return np.concatenate([by_numpy(x[i : i + rows], *rest) for i in range(0, len(x), rows)])


def layers(rng: np.random.Generator):
    for (points, d, units, branches), eps, dtype in itertools.product(
        LAYERS, (0.0, 0.5), (np.float32, np.float64)
    ):
        W = rng.normal(size=(units * branches, d)).astype(dtype)
        b, x = rng.normal(size=len(W)).astype(dtype), rng.normal(size=(points, d)).astype(dtype)
        parts = np.split(np.arange(len(W)), units)
        f = PolynomialMap(Polynomial(W[part], b[part], Semiring(eps=eps)) for part in parts)
        arguments = x, W, b, units, eps
        f(x[:20])  # packs
        np.testing.assert_allclose(f(x[:100]), by_numpy(x[:100], *arguments[1:]), rtol=1e-3, atol=1e-3)
        peers = {
            "one by one": (lambda f=f, x=x: np.stack([p(x) for p in f], axis=-1), 1),
            "NumPy": (lambda a=arguments: by_numpy(*a), 1),
            "NumPy in blocks": (lambda a=arguments: in_blocks(*a), 1),
        }
        if torch:
            tensors = *map(torch.from_numpy, arguments[:3]), units, eps
            peers["PyTorch"] = (lambda a=tensors: by_torch(*a), 1)
        name = f"layer, {points:,} × {d} → {units} of {branches}, ε = {eps:g}, {np.dtype(dtype).name}"
        yield name, lambda f=f, x=x: f(x), peers


def gates(rng: np.random.Generator):
    for branches, eps, dtype in itertools.product((2, 4, 8), (0.0, 0.5), (np.float32, np.float64)):
        arrays, s = list(rng.normal(size=(branches, 1000, 300)).astype(dtype)), Semiring(eps=eps)
        if eps:
            pairwise = lambda a=arrays, e=eps: e * reduce(np.logaddexp, [v / e for v in a])  # noqa: E731
            peers = {"NumPy logaddexp": (pairwise, 1)}
            peers["SciPy logsumexp"] = (lambda a=arrays, e=eps: e * logsumexp(np.stack(a) / e, axis=0), 1)
        else:
            peers = {"NumPy maximum": (lambda a=arrays: reduce(np.maximum, a), 1)}
            peers["NumPy max of a stack"] = (lambda a=arrays: np.stack(a).max(axis=0), 1)
        name = f"gate of {branches}, 1,000 × 300, ε = {eps:g}, {np.dtype(dtype).name}"
        yield name, lambda s=s, a=arrays: s.add(*a), peers


def circuits(rng: np.random.Generator):
    """A network of two hidden layers of ReLU, and one of maxout, against the loop that a person would write."""
    widths = [64, 256, 256, 10]
    W = [np.abs(rng.normal(size=(b, a))) for a, b in itertools.pairwise(widths)]
    x = rng.normal(size=(1000, widths[0]))
    relu = reduce(lambda c, w: c.affine(w) + 0, W[:-1], Circuit.identity(widths[0])).affine(W[-1])
    more = [[w * (k + 1) for k in range(4)] for w in W[:-1]]
    maxout = reduce(
        lambda c, ws: soft_max([c.affine(w) for w in ws]), more, Circuit.identity(widths[0])
    ).affine(W[-1])

    def relu_numpy(v):
        for w in W[:-1]:
            v = np.maximum(v @ w.T, 0)
        return v @ W[-1].T

    def maxout_numpy(v):
        for ws in more:
            v = np.max([v @ w.T for w in ws], axis=0)
        return v @ W[-1].T

    for name, c, peer in (("ReLU", relu, relu_numpy), ("maxout of 4", maxout, maxout_numpy)):
        np.testing.assert_allclose(c(x), peer(x))
        yield (
            f"circuit, {name}, 64-256-256-10, 1,000 points",
            lambda c=c: c(x),
            {"NumPy": (lambda p=peer: p(x), 1)},
        )
        soft = c.deform(0.5)
        yield f"circuit, {name}, 64-256-256-10, 1,000 points, ε = 0.5", lambda c=soft: c(x), {}


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    cases = itertools.chain(layers(generator), gates(generator), circuits(generator))
    compare(cases, sys.argv[1:], ("numpy", "scipy"))

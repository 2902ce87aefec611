"""Attribution and certified radii beside NumPy and SciPy.

    python benchmarks/attribution.py            # all cases
    python benchmarks/attribution.py N=1000000  # those whose name contains a word

`hjsym.attribute` gives value, entropy, gap, soft prediction, and the ten largest weights with their leave-one-out
losses. "SciPy" is what one writes without it: terms by a matrix product, `logsumexp`, `softmax`, the entropy by
`xlogy`, `argpartition`, and −ε log1p(−π). It has all terms at once, and loses a loss where π is 1 in floats; "SciPy,
blocks" is the same in blocks of as many points as ours takes. "logsumexp + softmax" is these two alone.

Farthest slopes: `hjsym.smoothness` beside SciPy's `pdist`, or `cdist` in blocks; the extremes of a hull (Qhull) in few
variables. CPU time of one thread; the median of three rounds.
"""

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from rounds import compare
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp, softmax, xlogy

from hjsym import attribute, smoothness
from tropical import Polynomial, Semiring

EPS = 0.5


def leave_one_out(pi):
    with np.errstate(divide="ignore"):
        return -EPS * np.log1p(-pi)


def by_scipy(W, b, x, block=None):
    found = []
    for k in range(0, len(x), block or len(x)):
        z = (x[k : k + (block or len(x))] @ W.T + b) / EPS
        value, pi = EPS * logsumexp(z, axis=1), softmax(z, axis=1)
        entropy = -xlogy(pi, pi).sum(axis=1)
        mean = pi @ (-b - (W**2).sum(axis=1))
        index = np.argpartition(pi, -10, axis=1)[:, -10:]
        top = np.take_along_axis(pi, index, axis=1)
        found.append((value, entropy, mean, index, top, leave_one_out(top)))
    return found


def softmax_alone(W, b, x):
    z = (x @ W.T + b) / EPS
    return EPS * logsumexp(z, axis=1), softmax(z, axis=1)


def by_blocks(W):
    return max(cdist(W[k : k + 256], W[k:]).max() for k in range(0, len(W), 256))


def cases():
    rng = np.random.default_rng(0)
    sizes = [
        (100, 64, 1), (100, 64, 1_000), (100, 64, 10_000), (10_000, 16, 1), (10_000, 16, 100), (10_000, 16, 1_000),
        (1_000_000, 3, 1), (1_000_000, 3, 10), (1_000_000, 16, 1), (1_000_000, 16, 10),
    ]  # fmt: skip
    for N, d, B in sizes:
        W, b, x = rng.normal(size=(N, d)), rng.normal(size=N), rng.normal(size=(B, d))
        p = Polynomial(W, b, Semiring(eps=EPS))
        block = max(4, 2**18 // N)

        def ours(p=p, x=x):
            return attribute(p, x)

        peers = {
            "SciPy": (lambda W=W, b=b, x=x: by_scipy(W, b, x), 1),
            "SciPy, blocks": (lambda W=W, b=b, x=x, k=block: by_scipy(W, b, x, k), 1),
            "logsumexp + softmax": (lambda W=W, b=b, x=x: softmax_alone(W, b, x), 1),
        }
        yield f"attribute N={N} d={d}, {B} points", ours, peers
    for N, d in [(1_000, 3), (10_000, 3), (10_000, 64), (1_000_000, 3)]:
        W = rng.normal(size=(N, d))
        p = Polynomial(W, np.zeros(N), Semiring(eps=EPS))
        peers = {}
        if N <= 10_000:
            peers["pdist"] = (lambda W=W: pdist(W).max(), 1)
            peers["cdist in blocks"] = (lambda W=W: by_blocks(W), 1)
        if d <= 3:
            peers["Qhull, then pdist"] = (lambda W=W: pdist(W[ConvexHull(W).vertices]).max(), 1)
        yield f"smoothness N={N} d={d}", lambda p=p: smoothness(p), peers


if __name__ == "__main__":
    compare(cases(), sys.argv[1:], ("numpy", "scipy"))

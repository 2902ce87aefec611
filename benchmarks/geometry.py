"""Times polytopes, subdivisions and pruning against SciPy's Qhull and against plain Python over Fractions.

    python benchmarks/geometry.py                  every case
    python benchmarks/geometry.py prune            those whose name contains a word

Qhull alone proves nothing: it is what an exact answer costs at least. Plain Python stands for what a computer algebra
system does with a tropical curve: it solves for the tie of every pair and tests it against all monomials, or solves a
linear program a monomial. Where it would take minutes it gets fewer monomials, and its time is scaled up (marked ~).
"""

import itertools
import os
import sys
from fractions import Fraction

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from rounds import compare
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

from tropical import Polynomial, Polytope, mixed_volume


def dense(d: int) -> Polynomial:
    """A smooth curve of degree d."""
    W = [(i, j) for i in range(d + 1) for j in range(d + 1 - i)]
    return Polynomial(W, [-(i * i + j * j + i * j) for i, j in W])


def edges_python(p: Polynomial) -> list:
    """For each pair of monomials the segment of the line of their tie on which no other beats them, in Fractions."""
    W = [[Fraction(v) for v in row] for row in p.slopes.tolist()]
    b = [Fraction(v) for v in p.coefficients.tolist()]
    found = []
    for i, j in itertools.combinations(range(len(W)), 2):
        u, v = W[i][0] - W[j][0], W[i][1] - W[j][1]
        square = u * u + v * v
        at = ((b[j] - b[i]) * u / square, (b[j] - b[i]) * v / square)
        low, high = None, None
        for w, c in zip(W, b, strict=True):
            rate = (w[0] - W[i][0]) * -v + (w[1] - W[i][1]) * u
            gap = (w[0] - W[i][0]) * at[0] + (w[1] - W[i][1]) * at[1] + c - b[i]
            if rate > 0:
                high = -gap / rate if high is None else min(high, -gap / rate)
            elif rate < 0:
                low = -gap / rate if low is None else max(low, -gap / rate)
            elif gap > 0:
                low, high = 1, 0
                break
        if low is None or high is None or low < high:
            found.append((i, j, low, high))
    return found


def prune_by_programs(W: np.ndarray, b: np.ndarray, count: int) -> list[int]:
    """One linear program in floats for each of the first monomials: can it beat all others?"""
    kept = []
    for j in range(count):
        rest = np.delete(np.arange(len(W)), j)
        A = np.column_stack([W[rest] - W[j], np.ones(len(rest))])
        bounds = [(None, None)] * W.shape[1] + [(None, 1)]
        result = linprog([0] * W.shape[1] + [-1], A, b[j] - b[rest], bounds=bounds)
        if result.x[-1] > 1e-9:
            kept.append(j)
    return kept


def qhull(W: np.ndarray, b: np.ndarray) -> ConvexHull:
    return ConvexHull(np.column_stack([W, b]))


def cases(rng: np.random.Generator):
    for d in (10, 20):
        p = dense(d)
        small = dense(10)
        factor = (len(p) / len(small)) ** 3
        yield (
            f"subdivision and edges, degree {d}",
            lambda p=p: p.subdivision().edges,
            {
                "Qhull": (lambda p=p: qhull(p.slopes, p.coefficients), 1),
                "plain Python": (lambda p=small: edges_python(p), factor),
            },
        )
    W = rng.normal(size=(16384, 2))
    products = dense(127)
    for name, p in (
        ("16,384 points, 46 vertices", Polynomial(W, rng.normal(size=len(W)))),
        ("16,384 points, all vertices", Polynomial(W, -(W**2).sum(axis=1))),
        ("8,256 lattice points, all vertices", products),
    ):
        peers = {"Qhull": (lambda p=p: qhull(p.slopes, p.coefficients), 1)}
        yield f"subdivision, {name}", p.subdivision, peers
        yield f"prune, {name}", p.prune, peers
    W, b = rng.normal(size=(400, 3)), rng.normal(size=400)
    p = Polynomial(W, b)
    yield (
        "prune, 400 terms of 3 variables",
        p.prune,
        {
            "Qhull": (lambda: qhull(W, b), 1),
            "HiGHS, a program each": (lambda: prune_by_programs(W, b, 40), 10),
        },
    )
    yield (
        "prune over a box, 400 terms of 3 variables",
        lambda: p.prune((-1, 1)),
        {"HiGHS, a program each": (lambda: prune_by_programs(W, b, 40), 10)},
    )
    W6, b6 = rng.normal(size=(300, 6)), 3 * rng.normal(size=300)
    yield (
        "prune, 300 terms of 6 variables",
        Polynomial(W6, b6).prune,
        {"HiGHS, a program each": (lambda: prune_by_programs(W6, b6, 30), 10)},
    )
    grid = np.array(list(itertools.product(range(25), repeat=3)))
    yield (
        "volume and facets, 15,625 lattice points in space",
        lambda: (Polytope(grid).volume, Polytope(grid).facets),
        {"Qhull": (lambda: ConvexHull(grid).volume, 1)},
    )
    bodies = [Polytope(rng.integers(0, 30, size=(40, 3))) for _ in range(3)]
    yield "mixed volume of three polytopes in space", lambda: mixed_volume(*bodies), {}


if __name__ == "__main__":
    compare(cases(np.random.default_rng(0)), sys.argv[1:], ("numpy", "scipy"), rounds=5)

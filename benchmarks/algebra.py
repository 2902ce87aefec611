"""Times algebra of matrices and polynomials against SciPy, networkx, NumPy, pure Python; prints a table of ratios.

    python benchmarks/algebra.py                  every case
    python benchmarks/algebra.py star eigen       those whose name contains a word

Peers and the library take turns in every round of one process on one thread; the median round counts. Pure Python
stands for what a computer algebra system does with a matrix of ring elements. Where a peer would take minutes it
runs on a smaller matrix, and its time is scaled up by its exponent (marked ~).
"""

import itertools
import math
import os
import sys
from fractions import Fraction

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import networkx as nx
import numpy as np
from rounds import compare
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import floyd_warshall

import tropical
from tropical import MIN_PLUS, Semiring

SMALL = 60  # nodes that pure Python gets


def karp_python(A: list[list[float]]) -> float:
    """Karp's maximum cycle mean, as in the textbook."""
    n = len(A)
    D = [[0.0] * n]
    for _ in range(n):
        last = D[-1]
        D.append([max(last[i] + A[i][j] for i in range(n)) for j in range(n)])
    return max(min((D[n][j] - D[k][j]) / (n - k) for k in range(n)) for j in range(n))


def karp_numpy(A: np.ndarray) -> float:
    n = len(A)
    D = np.zeros((n + 1, n))
    for k in range(n):
        D[k + 1] = (D[k][:, None] + A).max(axis=0)
    return ((D[n] - D[:n]) / (n - np.arange(n))[:, None]).min(axis=0).max()


def star_python(A: list[list[float]]) -> list[list[float]]:
    C = [row[:] for row in A]
    for k, pivots in enumerate(C):
        for row in C:
            through = row[k]
            row[:] = [min(a, through + b) for a, b in zip(row, pivots, strict=True)]
    return C


def solve_python(A: list[list[float]], b: list[float]) -> list[float]:
    return [min(bi - row[k] for bi, row in zip(b, A, strict=True)) for k in range(len(A[0]))]


def logsumexp_star(A: np.ndarray) -> np.ndarray:
    """The inverse itself; right only while exponentials stay in range."""
    return np.log(np.linalg.inv(np.eye(len(A)) - np.exp(A)))


def perron_numpy(A: np.ndarray) -> float:
    return math.log(max(abs(np.linalg.eigvals(np.exp(A)))))


def roots_python(terms: list[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """Every crossing of two monomials at which both are the value, as computer algebra systems find roots."""
    found = set()
    for k, (w, b) in enumerate(terms):
        for v, c in terms[k + 1 :]:
            x = (b - c) / (v - w)
            if max(u * x + a for u, a in terms) == w * x + b:
                found.add(x)
    return sorted(found)


def equal_python(p: list[tuple[Fraction, Fraction]], q: list[tuple[Fraction, Fraction]]) -> bool:
    """Equal values at the roots of both and beyond them, in one variable."""
    cuts = sorted({*roots_python(p), *roots_python(q)}) or [Fraction(0)]
    points = [cuts[0] - 1, *cuts, cuts[-1] + 1]
    return all(max(u * x + a for u, a in p) == max(u * x + a for u, a in q) for x in points)


def scaled(n: int, exponent: int) -> float:
    return max(1.0, (n / SMALL) ** exponent)


def cases(rng: np.random.Generator):
    for n in (100, 1000):
        A = rng.normal(size=(n, n))
        small = np.abs(A[:SMALL, :SMALL]).tolist()
        lengths = np.abs(A)
        soft = A - tropical.eigenvalue(A, Semiring(eps=1.0)) - 1.0
        b = tropical.matmul(A, rng.normal(size=n))
        G = nx.DiGraph(lengths[:SMALL, :SMALL])
        yield (
            f"star, min-plus, n = {n}",
            lambda L=lengths: tropical.star(L, MIN_PLUS),
            {
                "SciPy floyd_warshall": (lambda L=lengths: floyd_warshall(L), 1),
                "networkx floyd_warshall_numpy": (lambda L=lengths, n=n: _nx_star(L), 1),
                "pure Python": (lambda S=small: star_python(S), scaled(n, 3)),
            },
        )
        yield (
            f"best_paths, min-plus, n = {n}",
            lambda L=lengths: tropical.best_paths(L, MIN_PLUS),
            {
                "SciPy floyd_warshall": (lambda L=lengths: floyd_warshall(L, return_predecessors=True), 1),
                "networkx all_pairs_dijkstra": (lambda G=G: dict(nx.all_pairs_dijkstra(G)), scaled(n, 3)),
            },
        )
        yield (
            f"star, eps = 1, n = {n}",
            lambda W=soft: tropical.star(W, Semiring(eps=1.0)),
            {
                "NumPy inv": (lambda W=soft: logsumexp_star(W), 1),
            },
        )
        yield (
            f"eigenvalue, n = {n}",
            lambda A=A: tropical.eigenvalue(A),
            {
                "NumPy Karp": (lambda A=A: karp_numpy(A), 1),
                "pure Python Karp": (lambda S=small: karp_python(S), scaled(n, 3)),
            },
        )
        yield (
            f"eigenvectors, n = {n}",
            lambda A=A: tropical.eigenvectors(A),
            {
                "NumPy Karp, value alone": (lambda A=A: karp_numpy(A), 1),
            },
        )
        yield (
            f"eigenvalue, eps = 1, n = {n}",
            lambda A=A: tropical.eigenvalue(A, Semiring(eps=1.0)),
            {
                "NumPy eigvals": (lambda A=A: perron_numpy(A), 1),
            },
        )
        yield (
            f"determinant, n = {n}",
            lambda A=A: tropical.determinant(A),
            {
                "SciPy assignment": (lambda A=A: linear_sum_assignment(A, maximize=True), 1),
                "networkx assignment": (lambda S=small: _nx_assignment(S), scaled(n, 3)),
            },
        )
        yield (
            f"solve, n = {n}",
            lambda A=A, b=b: tropical.solve(A, b),
            {
                "NumPy": (lambda A=A, b=b: (b[:, None] - A).min(axis=0), 1),
                "pure Python": (lambda S=small: solve_python(S, S[0]), scaled(n, 2)),
            },
        )
        yield f"is_solvable, n = {n}", lambda A=A, b=b: tropical.is_solvable(A, b), {}
        yield f"transient, integers, n = {n}", lambda A=A: tropical.transient(np.rint(9 * A)), {}
    exact = np.array([[Fraction(v) for v in row] for row in rng.normal(size=(100, 100))], dtype=object)
    yield (
        "eigenvalue, Fractions, n = 100",
        lambda: tropical.eigenvalue(exact),
        {"pure Python Karp": (lambda: karp_python(exact[:20, :20].tolist()), (100 / 20) ** 3)},
    )


def polynomial_cases(rng: np.random.Generator):
    for n in (100, 10_000):
        W = np.arange(n, dtype=float)
        p = tropical.Polynomial(W, rng.normal(size=n) * n - (W - n / 2) ** 2)
        e = p.to_exact()
        half = tropical.split_form(p)
        terms = list(zip(e.slopes[:SMALL, 0].tolist(), e.coefficients[:SMALL].tolist(), strict=True))
        scale = max(1.0, (n / SMALL) ** 3)
        small = n < 1000  # beyond that an estimate of its time would say nothing
        by_pairs = {"pure Python": (lambda t=terms: roots_python(t), scale)} if small else {}
        yield f"roots, n = {n}", p.roots, by_pairs
        yield f"roots, Fractions, n = {n}", e.roots, by_pairs
        yield (
            f"equals, one variable, n = {n}",
            lambda p=p, q=half: p.equals(q),
            {"pure Python": (lambda t=terms: equal_python(t, t), scale)} if small else {},
        )
    for n in (20, 200):
        W = rng.integers(-50, 50, size=(n, 2)).astype(float)
        p = tropical.Polynomial(W, rng.normal(size=n) - (W**2).sum(axis=1))
        q = p + p**0.5 * p.substitute({0: 0.0, 1: 0.0}) ** 0.5 * -1e6  # nowhere the value
        yield f"equals, two variables, n = {n}", lambda p=p, q=q: p.equals(q), {}
        yield f"normal_form, two variables, n = {n}", p.normal_form, {}


def _nx_star(lengths: np.ndarray) -> np.ndarray:
    """networkx's loop over NumPy rows, without the making of its graph."""
    A = lengths.copy()
    for i in range(len(A)):
        A = np.minimum(A, A[i, :][np.newaxis, :] + A[:, i][:, np.newaxis])
    return A


def _nx_assignment(A: list[list[float]]) -> dict:
    n = len(A)
    G = nx.Graph()
    G.add_weighted_edges_from((i, n + j, A[i][j] + 10.0) for i in range(n) for j in range(n))
    return nx.max_weight_matching(G, maxcardinality=True)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    compare(itertools.chain(cases(rng), polynomial_cases(rng)), sys.argv[1:], ("numpy", "scipy", "networkx"))

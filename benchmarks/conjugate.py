"""Times convex conjugates against HiGHS, Qhull, SciPy's optimisers and, where it is installed, cvxpy.

    python benchmarks/conjugate.py                  every case
    python benchmarks/conjugate.py entropy          those whose name contains a word

HiGHS and cvxpy give a value within a tolerance, and call points a little outside of the domain feasible; ours are
proved or come with their gap. A peer that would take minutes gets fewer points, and its time is scaled up (marked ~).
"""

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from rounds import compare
from scipy.optimize import linprog, minimize
from scipy.spatial import ConvexHull
from scipy.special import logsumexp, softmax

from hjsym.conjugate import Gridded, conjugate, prox
from hjsym.conjugate.maxaffine import MaxAffine
from tropical import Polynomial, Semiring

try:
    import cvxpy
except ImportError:
    cvxpy = None

POINTS = 1000  # at which a conjugate is asked for
FEW = 4  # of them, for a peer that takes a program each


def by_highs(p: Polynomial, y: np.ndarray) -> list[float]:
    A = np.vstack([p.slopes.T, np.ones(len(p))])
    return [linprog(-p.coefficients, A_eq=A, b_eq=np.append(point, 1.0)).fun for point in y]


def by_cvxpy(p: Polynomial, y: np.ndarray) -> float:
    weights = cvxpy.Variable(len(p))
    cost = -p.semiring.eps * cvxpy.sum(cvxpy.entr(weights)) - p.coefficients @ weights
    constraints = [cvxpy.sum(weights) == 1, p.slopes.T @ weights == y]
    return cvxpy.Problem(cvxpy.Minimize(cost), constraints).solve(solver="CLARABEL")


def by_bfgs(p: Polynomial, y: np.ndarray) -> float:
    """sup_x x·y − f(x)."""
    eps = p.semiring.eps

    def dual(x: np.ndarray) -> tuple[float, np.ndarray]:
        z = (p.slopes @ x + p.coefficients) / eps
        return eps * logsumexp(z) - x @ y, p.slopes.T @ softmax(z) - y

    return -minimize(dual, np.zeros(len(y)), jac=True, method="BFGS", options={"gtol": 1e-10}).fun


def prox_by_slsqp(p: Polynomial, x: np.ndarray) -> np.ndarray:
    """In the epigraph form."""
    rows = np.column_stack([-p.slopes, np.ones(len(p))])
    constraint = {"type": "ineq", "fun": lambda v: rows @ v - p.coefficients, "jac": lambda v: rows}
    start = np.append(x, (p.slopes @ x + p.coefficients).max())

    def objective(v: np.ndarray) -> tuple[float, np.ndarray]:
        return v[-1] + ((v[:-1] - x) ** 2).sum() / 2, np.append(v[:-1] - x, 1.0)

    return minimize(objective, start, jac=True, constraints=constraint, method="SLSQP").x[:-1]


def cases(rng: np.random.Generator):
    for n, d in ((1000, 2), (1000, 3)):
        W = rng.normal(size=(n, d))
        p = Polynomial(W, -(W**2).sum(axis=1))  # every slope counts
        y = W[rng.integers(n, size=(POINTS, d + 1))].mean(axis=1)
        lifted = np.column_stack([W, p.coefficients])
        name = f"max-affine, {n} terms, d = {d}"
        yield (
            f"{name}: whole, and {POINTS} values",
            lambda p=p, y=y: conjugate(p)(y),
            {"HiGHS, a program a point": (lambda p=p, y=y: by_highs(p, y[:FEW]), POINTS / FEW)},
        )
        whole = conjugate(p)
        whole(y)
        yield (f"{name}: {POINTS} values more", lambda f=whole, y=y: f(y), {})
        yield (f"{name}: {POINTS} times weights", lambda f=whole, y=y: f.weights(y), {})
        yield (
            f"{name}: whole",
            lambda p=p: conjugate(p).envelope,
            {"Qhull": (lambda X=lifted: ConvexHull(X), 1)},
        )
    W, b = rng.normal(size=(1000, 10)), rng.normal(size=1000)
    y = rng.normal(size=10) / 10
    p = Polynomial(W, b)
    single = conjugate(p)
    single(y)
    yield (
        "max-affine, 1000 terms, d = 10: a value, proved",
        lambda f=single, y=y: f(y),
        {"HiGHS": (lambda p=p, y=y: by_highs(p, y[None]), 1)},
    )
    yield (
        "max-affine, 1000 terms, d = 10: a proximal point",
        lambda p=p, y=y: prox(MaxAffine(p), 1.0, y),
        {"SciPy SLSQP": (lambda p=p, y=y: prox_by_slsqp(p, y), 1)},
    )
    for eps in (1.0, 0.1, 0.01):
        q = p.deform(eps)
        soft = conjugate(q)
        soft(y)
        peers = {"SciPy BFGS": (lambda q=q, y=y: by_bfgs(q, y), 1)}
        if cvxpy is not None:
            peers["cvxpy"] = (lambda q=q, y=y: by_cvxpy(q, y), 1)
        yield (
            f"entropy on a hull, 1000 terms, d = 10, eps = {eps:g}: a value",
            lambda f=soft, y=y: f(y),
            peers,
        )
        many = y + rng.normal(size=(100, 10)) / 100
        yield (
            f"entropy on a hull, 1000 terms, d = 10, eps = {eps:g}: 100 values",
            lambda f=soft, y=many: f(y),
            {"SciPy BFGS": (lambda q=q, y=many: [by_bfgs(q, point) for point in y[:FEW]], 100 / FEW)},
        )
    small = Polynomial([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], np.zeros(3), Semiring(eps=1.0))
    inside = rng.dirichlet(np.ones(3), size=POINTS)[:, :2]
    soft = conjugate(small)
    yield (f"entropy on a triangle: {POINTS} values", lambda: soft(inside), {})
    x = np.linspace(-1, 1, 1000)
    grid = Gridded(x[:, None] ** 2 + np.abs(x), [x, x]).conjugate()
    yield ("grid of 1000²: values, maximisers, flags", lambda: grid.on_grid([x, x]), {})


if __name__ == "__main__":
    packages = ("numpy", "scipy", *(() if cvxpy is None else ("cvxpy",)))
    compare(cases(np.random.default_rng(0)), sys.argv[1:], packages)

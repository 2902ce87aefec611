"""Whether an installed copy computes what it should, on this machine: ``python -m hjsym.selftest``.

A few seconds, without network, files or extras. Each check compares with a road that shares no code with the library:
Fractions, 40 digits of mpmath, brute force, or values from the literature. Exit code 0 if all agree, 1 if not.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import mpmath
import numpy as np

import hjsym
import tropical
from hjsym.hopf import LSELayer
from tropical import Polynomial, Semiring, _core

__all__ = ["Result", "main", "results", "versions"]

_SETS = ("baseline", "avx2", "avx512")


@contextmanager
def _at_most(instructions: str) -> Iterator[str]:
    """The kernels of an older processor."""
    best = _core.instruction_set()
    _core.set_ceiling(instructions)
    try:
        yield _core.instruction_set()
    finally:
        _core.set_ceiling(best)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def _maxima() -> str:
    """Max-plus values equal those over Fractions, with the same bits on every instruction set."""
    rng = np.random.default_rng(0)
    slopes, intercepts, points = (
        rng.integers(-(2**20), 2**20, s) / 2**10 for s in ((130, 3), (130,), (70, 3))
    )
    W, b, x = ([[Fraction(v) for v in row] for row in np.atleast_2d(a)] for a in (slopes, intercepts, points))
    terms = [[sum(map(Fraction.__mul__, w, p)) + c for w, c in zip(W, b[0], strict=True)] for p in x]
    want = [float(max(row)) for row in terms]
    seen = {}
    for ceiling in _SETS:
        with _at_most(ceiling) as name:
            seen[name] = Polynomial(slopes, intercepts)(points).tolist()
            _require(seen[name] == want, f"values by the kernels for {name} differ from those over Fractions")
    return ", ".join(seen)


def _soft_maxima() -> str:
    """Log-sum-exp agrees with 40 digits at temperatures from 1e-3 to 1e3."""
    rng, worst = np.random.default_rng(1), 0.0
    slopes, intercepts, x = rng.normal(size=(50, 2)), rng.normal(size=50), rng.normal(size=2)
    with mpmath.workdps(40):
        z = [
            mpmath.fdot(map(mpmath.mpf, w), map(mpmath.mpf, x)) + c
            for w, c in zip(slopes, intercepts, strict=True)
        ]
        for eps in (1e-3, 0.1, 1.0, 1e3):
            want = eps * mpmath.log(mpmath.fsum(mpmath.exp(v / eps) for v in z))
            error = float(abs(Polynomial(slopes, intercepts, Semiring(eps=eps))(x) - want))
            worst = max(worst, error / np.spacing(float(abs(max(z))) + eps * np.log(50) + 1))
    _require(worst <= 4, f"a value is off by {worst:.1f} ulp, 4 are promised")
    return f"{worst:.2f} of 4 ulp at most"


def _layer() -> str:
    """A layer's values, slope and curvature are those computed in 30 digits; its equation reduces to 0 in SymPy."""
    # y = (−3/2, −1/2, 1/2, 3/2), g = (1, 3/10, 3/10, 1), t = 1 of arXiv:2605.28983; W = y/2t, b = −g − y²/4t
    y, g = np.array([-1.5, -0.5, 0.5, 1.5]), np.array([1.0, 0.3, 0.3, 1.0])
    for eps, x, f, slope, curvature in (
        (1.0, -1.0, 0.68226430329687, -0.17512109648197, 0.16900754534758),
        (0.3, 0.0, -0.14911086745667, 0.0, 0.23831034993682),
        (0.05, 2.0, 0.13840749649709, 0.2589931039508, 0.088313541375438),
    ):
        p = LSELayer(y[:, None] / 2, -g - y**2 / 4, eps).polynomial
        got = p([x]), p.gradient([x])[0], p.hessian([x])[0, 0]
        _require(np.allclose(got, (f, slope, curvature), rtol=0, atol=2e-14), f"ε = {eps}: {got}")
    residual = hjsym.hamiltonian(LSELayer([[1.0], [-1.0]], [0.0, 0.5], eps=0.5)).residual()
    _require(residual == 0, f"the residual is {residual}")
    return "F_t = |∇F|² + εΔF"


def _products() -> str:
    """Matrix products and shortest paths agree with brute force."""
    rng = np.random.default_rng(2)
    A, B = rng.integers(-99, 100, (2, 37, 37)).astype(float)
    _require((tropical.matmul(A, B) == (A[:, :, None] + B).max(axis=1)).all(), "a max-plus product is wrong")
    D = np.abs(A)
    want = np.where(np.eye(37, dtype=bool), 0, D)
    for k in range(37):
        want = np.minimum(want, want[:, k, None] + want[k])
    got = tropical.star(D, Semiring(sign=-1))
    _require((got == want).all(), "shortest paths are wrong")
    return "37 × 37"


def _networks() -> str:
    """A network equals P − Q over Fractions, and its regions are as many as brute force finds signs."""
    rng = np.random.default_rng(3)
    layers = [(rng.integers(-9, 10, s), rng.integers(-9, 10, s[0])) for s in ((3, 2), (2, 3), (1, 2))]
    f = hjsym.compile(layers, exact=True)
    signs = set()
    for p in product(map(Fraction, range(-40, 41, 8)), repeat=2):
        h = np.array([v / 7 for v in p])
        x = h
        for W, b in layers[:-1]:
            h = np.maximum(W @ h + b, 0)
            signs |= {tuple(v > 0 for v in h)} if len(h) == 3 else set()
        _require((layers[-1][0] @ h + layers[-1][1] == f(x)).all(), f"f({x}) is not the network's value")
    first = tropical.linear_regions(hjsym.compile([layers[0], ([[1, 1, 1]], [0])], exact=True))
    _require(
        len(first) == 7 and len(signs) <= 7,
        f"three lines in general position make 7 regions, not {len(first)}",
    )
    return "exact at 121 points"


def _conjugates() -> str:
    """The conjugate of a layer is what 30 digits give, and +∞ off the hull of its slopes."""
    y, g = np.array([-1.5, -0.5, 0.5, 1.5]), np.array([1.0, 0.3, 0.3, 1.0])
    for eps, p, want in ((1.0, 0.25, -0.4153815403079), (0.3, 0.6, 1.0185460753213), (0.3, 0.75, 1.5625)):
        star = hjsym.conjugate.conjugate(LSELayer(y[:, None] / 2, -g - y**2 / 4, eps))
        _require(abs(star(p) - want) < 1e-12 and star(0.76) == np.inf, f"f*({p}) at ε = {eps} is {star(p)}")
    return "entropy on a hull"


_CHECKS: dict[str, Callable[[], str]] = {
    "maxima": _maxima,
    "log-sum-exp": _soft_maxima,
    "layers": _layer,
    "matrices": _products,
    "networks": _networks,
    "conjugates": _conjugates,
}


@dataclass(frozen=True)
class Result:
    """What came of one check."""

    name: str
    holds: bool
    seconds: float
    detail: str


def versions() -> dict[str, str]:
    """What runs here."""
    return {
        "hjsym": hjsym.__version__,
        "Python": sys.version.split()[0],
        "NumPy": np.__version__,
        "kernels": " ".join(tropical.core_info().values()),
    }


def results() -> Iterator[Result]:
    """Each check as it is done."""
    for name, check in _CHECKS.items():
        start = time.perf_counter()
        try:
            holds, detail = True, check()
        except Exception as error:  # whatever it is, the next checks run
            holds, detail = False, f"{type(error).__name__}: {error}"
        yield Result(name, holds, time.perf_counter() - start, detail)


def main() -> int:
    """Run all checks and print a line for each; 0 if all agree, else 1."""
    print(", ".join(f"{name} {value}" for name, value in versions().items()))
    failed = 0
    for result in results():
        failed += not result.holds
        verdict = f"{'ok    ' if result.holds else 'FAILED'}  {result.detail}"
        print(f"{result.name:12} {result.seconds:6.2f} s  {verdict}", flush=True)
    print(f"{failed} of {len(_CHECKS)} checks failed" if failed else "all agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Times transforms on grids against SciPy and NumPy, and prints a table of ratios.

    python benchmarks/transform.py                every case
    python benchmarks/transform.py edt soft       those whose name contains a word

Peers and the library take turns in every round of one process on one thread; the median round counts.
A brute force in NumPy that would take minutes is timed on part of the results and scaled up (marked ~).
"""

import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from scipy.ndimage import distance_transform_edt

import tropical
from tropical import hopf_cole, hopf_lax, legendre

ROUNDS = 3
ROWS = 200  # of the matrix of a brute force that is timed in part


def brute_legendre(f: np.ndarray, x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return (p[:, None] * x - f).max(axis=1)


def brute_hopf_lax(f: np.ndarray, w: float, rows: np.ndarray) -> np.ndarray:
    return (f + w * (rows[:, None] - np.arange(float(len(f)))) ** 2).min(axis=1)


def brute_hopf_cole(f: np.ndarray, w: float, eps: float, rows: np.ndarray) -> np.ndarray:
    z = -(f + w * (rows[:, None] - np.arange(float(len(f)))) ** 2) / eps
    top = z.max(axis=1)
    return -eps * (top + np.log(np.exp(z - top[:, None]).sum(axis=1)))


def gemm_of_exp(f: np.ndarray, w: float, eps: float) -> np.ndarray:
    """Two separable products of exponentials; right only while e^{−f/ε} does not underflow."""
    kernels = [np.exp(-w / eps * (np.arange(n)[:, None] - np.arange(n)) ** 2.0) for n in f.shape]
    least = f.min()
    return least - eps * np.log(kernels[0] @ np.exp((least - f) / eps) @ kernels[1])


Case = tuple[Callable[[], np.ndarray], dict[str, tuple[Callable[[], np.ndarray], float]]]


def line_cases(rng: np.random.Generator) -> dict[str, Case]:
    n = 10**6
    rows = np.sort(rng.choice(n, ROWS, replace=False)).astype(float)
    x, p = np.linspace(-1, 1, n), np.linspace(-5, 5, n)
    shapes = {
        "noise": rng.normal(size=n),
        "walk": np.cumsum(rng.normal(size=n)),
        "convex": 1e5 * x**2,
    }
    cases: dict[str, Case] = {}
    for name, f in shapes.items():
        cases[f"legendre 10⁶ {name}"] = (
            lambda f=f: legendre(f, x, p),
            {"NumPy brute force": (lambda f=f: brute_legendre(f, x, p[:20]), n / 20)},
        )
        cases[f"hopf_lax 10⁶ {name}"] = (
            lambda f=f: hopf_lax(f, 2.5),
            {"NumPy brute force": (lambda f=f: brute_hopf_lax(f, 0.1, rows[:20]), n / 20)},
        )
    n = 10**5
    rows = np.sort(rng.choice(n, ROWS, replace=False)).astype(float)
    f = rng.random(n)
    # the standard deviation of the kernel is n/20, or n/20 is 8 of them
    for name, deviation in (("sd n/20", n / 20), ("sd n/160", n / 160)):
        eps, w = 0.5, 0.5 / (2 * deviation**2)
        peer = {"NumPy brute force": (lambda w=w: brute_hopf_cole(f, w, 0.5, rows[:20]), n / 20)}
        cases[f"soft 10⁵ {name} tol 1e-9"] = (
            lambda w=w, eps=eps: hopf_cole(f, 1 / (4 * w), eps, tol=1e-9),
            peer,
        )
        cases[f"soft 10⁵ {name} full"] = (lambda w=w, eps=eps: hopf_cole(f, 1 / (4 * w), eps), peer)
    return cases


def plane_cases(rng: np.random.Generator) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for n in (1000, 3000):
        for density in (0.5, 0.01, 0.0005):
            inside = rng.random((n, n)) < density
            f = np.where(inside, 0.0, np.inf)
            outside = ~inside
            for g in (f, f.astype(np.float32)):
                cases[f"edt {n}² {100 * density:g} % {g.dtype}"] = (
                    lambda g=g: hopf_lax(g, 0.25),
                    {"SciPy EDT": (lambda outside=outside: distance_transform_edt(outside), 1.0)},
                )
    for n in (512, 1024):
        f = rng.random((n, n))
        w = 0.5 / (2 * (n / 20) ** 2)
        cases[f"soft {n}² full"] = (
            lambda f=f, w=w: hopf_cole(f, 1 / (4 * w), 0.5),
            {"NumPy GEMM of exp": (lambda f=f, w=w: gemm_of_exp(f, w, 0.5), 1.0)},
        )
    return cases


def measure(run: Callable[[], np.ndarray]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main(words: list[str]) -> None:
    info = ", ".join(f"{package} {version(package)}" for package in ("numpy", "scipy"))
    isa = tropical.core_info()["instruction_set"]
    print(f"One thread, {isa} kernels, {info}. Ratios above 1: we are faster.\n")
    print("| case | ours, ms | peer | peer, ms | peer / ours |")
    print("|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    for name, (ours, peers) in {**line_cases(rng), **plane_cases(rng)}.items():
        if words and not any(word in name for word in words):
            continue
        ours()
        times: dict[str, list[float]] = {"ours": [], **{peer: [] for peer in peers}}
        for _ in range(ROUNDS):
            times["ours"].append(measure(ours))
            for peer, (run, factor) in peers.items():
                times[peer].append(factor * measure(run))
        mine = median(times["ours"])
        for peer, (_, factor) in peers.items():
            theirs, mark = median(times[peer]), "~" if factor > 1 else ""
            print(
                f"| {name} | {1e3 * mine:.1f} | {peer} | {mark}{1e3 * theirs:.1f} | {mark}{theirs / mine:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])

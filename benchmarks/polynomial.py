"""Times one polynomial at many points against NumPy and SciPy, and prints a table of ratios.

    make bench                                    every case
    python benchmarks/polynomial.py W1a W1b       some of them

Peers and the library take turns in every round of one process on one thread; the median round counts.
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
from scipy.special import logsumexp

import tropical
from tropical import Polynomial, Semiring

EPS = 0.5
ROUNDS = 5
CASES = {  # name: (points, monomials, variables)
    "W1a": (100_000, 64, 2),
    "W1b": (100_000, 1024, 2),
    "W1c": (10_000, 4096, 16),
    "W1d": (10_000, 1024, 784),
    "W1e": (1_000_000, 256, 3),
    "W1f": (1, 1_000_000, 8),
}
CHUNK = 1 << 20  # bytes of a peer's temporary, its best blocking


def numpy_values(x: np.ndarray, slopes: np.ndarray, b: np.ndarray, eps: float) -> np.ndarray:
    """The way a NumPy expert writes it: matrix product and reduction, in chunks that stay in cache."""
    rows = max(1, CHUNK // (len(b) * x.itemsize))
    out = np.empty(len(x), x.dtype)
    for start in range(0, len(x), rows):
        z = x[start : start + rows] @ slopes.T
        z += b
        top = z.max(axis=1)
        if eps:
            z -= top[:, None]
            z *= 1 / eps
            np.exp(z, out=z)
            top += eps * np.log(z.sum(axis=1))
        out[start : start + rows] = top
    return out


def scipy_values(x: np.ndarray, slopes: np.ndarray, b: np.ndarray, eps: float) -> np.ndarray:
    return eps * logsumexp((x @ slopes.T + b) / eps, axis=1)


def medians(contestants: dict[str, Callable[[], np.ndarray]]) -> dict[str, float]:
    """Median seconds of each; a warm-up, then rounds in which each runs once."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(ROUNDS + 1):
        for name, run in contestants.items():
            start = time.process_time()
            run()
            if round_:
                times[name].append(time.process_time() - start)
    return {name: median(values) for name, values in times.items()}


def run_case(case: str, dtype: type, eps: float) -> str:
    points, monomials, variables = CASES[case]
    rng = np.random.default_rng(sum(map(ord, case)))
    x = rng.standard_normal((points, variables)).astype(dtype)
    slopes = (3 / np.sqrt(variables) * rng.standard_normal((monomials, variables))).astype(dtype)
    b = rng.standard_normal(monomials).astype(dtype)
    p = Polynomial(slopes, b, Semiring(eps=eps))
    contestants = {"ours": lambda: p(x), "NumPy": lambda: numpy_values(x, slopes, b, eps)}
    if eps and points * monomials <= 10**8:
        contestants["SciPy"] = lambda: scipy_values(x, slopes, b, eps)
    seconds = medians(contestants)
    peers = [
        f"{seconds[name] / seconds['ours']:.1f}" if name in seconds else "–" for name in ("NumPy", "SciPy")
    ]
    kind = "log-sum-exp" if eps else "max"
    size = f"{points:,} × {monomials:,} × {variables}"
    return f"| {case} | {size} | {kind} | {np.dtype(dtype).name} | {1e3 * seconds['ours']:.2f} | {' | '.join(peers)} |"


def main(names: list[str]) -> None:
    info = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy"))
    print(
        f"One thread, {tropical.core_info()['instruction_set']} kernels, {info}. Ratios above 1: we are faster.\n"
    )
    print(
        "| case | points × monomials × variables | values | type | ours, ms | NumPy / ours | SciPy / ours |"
    )
    print("|---|---|---|---|---|---|---|")
    for case in names or CASES:
        for dtype in (np.float64, np.float32):
            for eps in (0.0, EPS):
                print(run_case(case, dtype, eps), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

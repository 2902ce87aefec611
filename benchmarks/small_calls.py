"""What one small call costs: 1 point, 3 monomials, 2 variables, beside a NumPy ufunc on two 2-vectors.

python benchmarks/small_calls.py
"""

import timeit
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np

from tropical import Polynomial, Semiring

ROUNDS = 9
CALLS = 20_000


def microseconds(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """CPU time of one call of each; medians of interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(timeit.timeit(call, number=CALLS, timer=process_time))
    return {name: 1e6 * median(rounds) / CALLS for name, rounds in times.items()}


def main() -> None:
    slopes, b, x = (
        np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),
        np.array([0.0, 0.0, 1.0]),
        np.array([2.0, 3.0]),
    )
    hard, soft = Polynomial(slopes, b), Polynomial(slopes, b, Semiring(eps=0.5))
    calls = {
        "np.add of two 2-vectors": lambda: np.add(x, x),
        "NumPy: (slopes @ x + b).max()": lambda: (slopes @ x + b).max(),
        "p(x), max": lambda: hard(x),
        "p(x), log-sum-exp": lambda: soft(x),
        "p.value_and_gradient(x), max": lambda: hard.value_and_gradient(x),
        "p.value_and_gradient(x), log-sum-exp": lambda: soft.value_and_gradient(x),
    }
    times = microseconds(calls)
    ufunc = times["np.add of two 2-vectors"]
    print("| call | µs | of np.add |\n|---|---|---|")
    for name, time in times.items():
        print(f"| {name} | {time:.2f} | {time / ufunc:.1f} |")


if __name__ == "__main__":
    main()

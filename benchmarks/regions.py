"""Times exact linear regions, and P and Q from them, beside plain Python and a splitter by linear programs.

    python benchmarks/regions.py              every network
    python benchmarks/regions.py 32 4,10      those whose shape contains a word

All take turns in one process on one thread; the least CPU time of a few rounds counts. The peers:

- "edges": edge subdivision in NumPy, edge_subdivision.py, in floats within a box of ±1000, and how many regions it
  finds there;
- "Python": the same algorithm in whole numbers of Python, tests/tropical/region_reference.py;
- "HiGHS": cells by inequalities, each cut decided by a linear program with scipy.optimize.linprog, in floats within a
  box of ±10⁶, with the last interior point of a cell kept so that one program is enough for a cut.

A slow peer runs on the small networks only. Networks are torch's default initialisation from seed 0, as doubles.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from scipy.optimize import linprog

from tropical import Circuit, Rational, essential, linear_regions
from tropical._region_program import compile_program
from tropical.circuit import combine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tropical"))
import region_networks
import region_reference
from edge_subdivision import count_regions

SHAPES = [
    [2, 10, 5, 1],
    [2, 16, 16, 1],
    [2, 32, 32, 1],
    [2, 64, 64, 1],
    [2, 64, 64, 64, 1],
    [3, 10, 10, 1],
    [4, 10, 10, 1],
    [5, 10, 10, 1],
    [1, 512, 1],
]
ROUNDS = 5
PYTHON_UP_TO, HIGHS_UP_TO = 300_000, 20_000  # regions × units


def rails(layers: list) -> Rational:
    """The network in floats; those are dyadic rationals, and taken as such."""
    F, G = Circuit.identity(len(layers[0][0][0])), None
    for k, (W, b) in enumerate(layers):
        W = np.array(W)
        plus, minus = np.maximum(W, 0), np.maximum(-W, 0)
        if G is None:
            H, G = F.affine(W, b), F.affine(plus * 0)
        else:
            H, G = combine([(plus, F), (minus, G)], b), combine([(plus, G), (minus, F)])
        F = H if k == len(layers) - 1 else H + G
    return Rational(F, G)


def by_linear_programs(layers: list) -> int:
    """How many regions there are, as far as linear programs in floats tell."""
    d = len(layers[0][0][0])
    box = [(-1e6, 1e6)] * d

    def far_side(A, b, row):
        """A point of {A x ≤ b} where row·(x, 1) is above a tolerance, or None."""
        result = linprog(-row[:-1], A, b, bounds=box, method="highs")
        return result.x if -result.fun + row[-1] > 1e-7 else None

    def count(layer, forms, i, A, b, point):
        if layer == len(layers) - 1:
            return 1
        W, bias = layers[layer]
        z = np.array(W) @ forms
        z[:, -1] += bias
        if i == len(z):
            active = (z @ [*point, 1] > 0)[:, None]
            return count(layer + 1, np.where(active, z, 0), 0, A, b, point)
        row = z[i] if z[i] @ [*point, 1] <= 0 else -z[i]
        kept = np.vstack([A, row[:-1]]), np.append(b, -row[-1])
        other = far_side(A, b, row) if len(A) else far_side(None, None, row)
        total = count(layer, forms, i + 1, *kept, point)
        if other is not None:
            other = (other + inner(np.vstack([A, -row[:-1]]), np.append(b, row[-1]))) / 2
            total += count(layer, forms, i + 1, np.vstack([A, -row[:-1]]), np.append(b, row[-1]), other)
        return total

    def inner(A, b):
        """The centre of a largest ball."""
        norms = np.linalg.norm(A, axis=1)[:, None]
        result = linprog([0] * d + [-1], np.hstack([A, norms]), b, bounds=[*box, (0, 1)], method="highs")
        return result.x[:-1]

    identity = np.hstack([np.eye(d), np.zeros((d, 1))])
    return count(0, identity, 0, np.zeros((0, d)), np.zeros(0), np.full(d, 0.123))


def least(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def main(words: list[str]) -> None:
    print("| network | regions | ms | P, Q monomials | ms, with regions | edges | Python | HiGHS |")
    print("|---|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        name = ",".join(map(str, shape))
        if words and not any(word in name for word in words):
            continue
        layers = region_networks.torch_default(shape)
        f = rails(layers)
        regions = linear_regions(f)
        pair = essential(f)
        ours = least(lambda f=f: linear_regions(f), ROUNDS)
        both = least(lambda f=f: essential(f), ROUNDS)
        found = []
        taken = least(lambda layers=layers, found=found: found.append(count_regions(layers, 1000)), ROUNDS)
        edges = f"{taken / ours:.2f}x, {found[0]} found"
        python = highs = "–"
        decisions = len(regions) * sum(shape[1:-1])
        if decisions <= PYTHON_UP_TO:
            program = compile_program(f)
            taken = least(lambda program=program: sum(1 for _ in region_reference.walk(program)), 1)
            python = f"{taken / ours:.0f}x"
        if decisions <= HIGHS_UP_TO:
            found = []
            taken = least(lambda layers=layers, found=found: found.append(by_linear_programs(layers)), 1)
            highs = f"{taken / ours:.0f}x, {found[0]} found"
        sizes = ", ".join(str(len(p)) for p in pair)
        cells = name, len(regions), f"{1e3 * ours:.1f}", sizes, f"{1e3 * both:.1f}", edges, python, highs
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What work beyond one machine would cost, from rates measured on this one: 10⁹ points, 10⁶ monomials, 70·10⁹ weights.

    python benchmarks/costs.py            # the table
    python benchmarks/costs.py --check    # also runs two of its rows at a tenth of their size: some minutes

Each row is run at a size that takes about a second, on one core (the median CPU time of three), and scaled to its own
by the count of operations, which its docstring gives. Memory and disk are counted, not measured; float64 throughout.
"""

import argparse
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

import hjsym
import tropical
from hjsym.layer_norms import lipschitz_bound
from tropical import Polynomial, Semiring, stream

ROUNDS = 3
GIGA = 1e9
WIDTH, HIDDEN, LAYERS, HEADS, HEAD = 8192, 28672, 80, 64, 128  # of published models of 70·10⁹ weights
CONTEXT = 8192


@dataclass(frozen=True)
class Row:
    """`run(k)` does k units of work, of which the whole has `units`; the sizes in bytes are of the whole."""

    name: str
    run: Callable[[float], Callable[[], object]]
    base: float
    units: float
    memory: float
    disk: float = 0.0

    def seconds(self) -> float:
        """Of the whole; the first run is as cold as the whole would be, and counts like the others."""
        work = self.run(self.base)
        return median(cpu_seconds(work) for _ in range(ROUNDS)) / self.base * self.units


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def polynomial(N: int, d: int, eps: float) -> Polynomial:
    rng = np.random.default_rng(0)
    slopes = rng.normal(size=(N, d))
    return Polynomial(
        slopes, -(slopes**2).sum(axis=1) / 2, Semiring(eps=eps)
    )  # each is the largest somewhere


def from_file_to_file(folder: Path, N: int, d: int, eps: float, method: str):
    """Points × monomials, read from a .npy file in the order of the points and written to one."""
    p = polynomial(N, d, eps)

    def run(count: float):
        rng, path = np.random.default_rng(1), folder / f"{int(count)}.npy"
        if not path.exists():
            points = np.lib.format.open_memmap(path, "w+", float, (int(count), d))
            for start in range(0, int(count), 1 << 20):
                points[start : start + (1 << 20)] = rng.normal(size=points[start : start + (1 << 20)].shape)
        return lambda: stream(getattr(p, method), path, folder / "results.npy")

    return run


def at_points(N: int, d: int, eps: float, method: str):
    """Points × monomials × (variables + an exponential where ε > 0)."""
    p = polynomial(N, d, eps)

    def run(count: float):
        x = np.random.default_rng(1).normal(size=(int(count), d))
        return lambda: stream(getattr(p, method), x)

    return run


def attribution(N: int, d: int):
    """Points × atoms."""
    p = polynomial(N, d, 0.1)

    def run(count: float):
        x = np.random.default_rng(1).normal(size=(int(count), d))
        return lambda: hjsym.attribute(p, x, top=10)

    return run


def block(width: int):
    """A feed-forward block of a transformer of this width, with ReLU in the place of its smooth gate."""
    rng, hidden = np.random.default_rng(0), width * HIDDEN // WIDTH
    up, down = rng.normal(size=(hidden, width)), rng.normal(size=(width, hidden))
    return [(up / math.sqrt(width), np.zeros(hidden)), (down / math.sqrt(hidden), np.zeros(width))]


def values_of_blocks(width: int):
    """Tokens × weights."""
    f = hjsym.compile(block(width))

    def run(units: float):
        x = np.random.default_rng(1).normal(size=(int(units / (2 * width * width * HIDDEN / WIDTH)), width))
        return lambda: f(x)

    return run


def of_blocks(what: Callable, width: int):
    """Weights, or for slopes weights × outputs; units are those of one block."""
    net = block(width)
    f = hjsym.compile(net)
    return lambda _: lambda: what(net, f)


def attention(_: float):
    """Queries × keys × (dimension + an exponential): scores of one head as a log-sum-exp of the keys."""
    p = polynomial(CONTEXT, HEAD, math.sqrt(HEAD))
    x = np.random.default_rng(1).normal(size=(256, HEAD))
    return lambda: p.value_and_gradient(x)


def rows(folder: Path) -> list[Row]:
    million, billion, small = 10**6, 10**9, 1024
    weights = 2 * WIDTH * HIDDEN
    base = 2 * small * small * HIDDEN // WIDTH
    pieces = 4 * (1 << 22)
    table = 2 * 9 * 8 * million  # slopes and coefficients, and as the kernel has them
    soft, hard = (partial(at_points, million, 8, eps) for eps in (0.1, 0.0))
    return [
        Row("10⁹ points, 64 monomials in 2 variables, max; file to file",
            from_file_to_file(folder, 64, 2, 0.0, "__call__"), 3e7, billion, pieces, 24 * billion),
        Row("the same, log-sum-exp",
            from_file_to_file(folder, 64, 2, 0.1, "__call__"), 3e7, billion, pieces, 24 * billion),
        Row("the same, its gradient",
            from_file_to_file(folder, 64, 2, 0.1, "gradient"), 3e7, billion, pieces, 32 * billion),
        Row("10⁶ monomials in 8 variables at 10⁶ points, max",
            hard("__call__"), 1e3, million, table + pieces, 72 * million),
        Row("the same, log-sum-exp", soft("__call__"), 1e3, million, table + pieces, 72 * million),
        Row("the same, its gradient", soft("gradient"), 1e3, million, table + pieces, 128 * million),
        Row("the same, attribution to the ten largest", attribution(million, 8), 50, million,
            table + 5 * 8 * million * 4, 320 * million),
        Row("10⁶ monomials at 10⁹ points, log-sum-exp",
            soft("__call__"), 1e3, billion, table + pieces, 72 * billion),
        Row(f"{LAYERS} feed-forward blocks {WIDTH:,} → {HIDDEN:,} → {WIDTH:,} with ReLU: values at 10⁶ tokens",
            values_of_blocks(small), 256 * base, million * LAYERS * weights, 8 * weights, 8 * LAYERS * weights),
        Row("the same blocks compiled to P ⊘ Q, one after the other",
            of_blocks(lambda net, f: hjsym.compile(net), small), base, LAYERS * weights, 7 * 8 * weights,
            8 * LAYERS * weights),
        Row("their affine pieces around one token, all outputs",
            of_blocks(lambda net, f: f.affine_at(np.ones(small)), small), base * small,
            LAYERS * weights * WIDTH, 7 * 8 * weights, 8 * LAYERS * weights),
        Row("their Lipschitz bounds, proved, from 1- and ∞-norms",
            of_blocks(lambda net, f: lipschitz_bound(f.network, math.inf), small), base, LAYERS * weights,
            3 * 8 * weights, 8 * LAYERS * weights),
        Row(f"attention of {LAYERS}·{HEADS} heads, {CONTEXT:,} keys and queries, as log-sum-exps with gradients",
            attention, 256, LAYERS * HEADS * CONTEXT, 4 * 8 * CONTEXT * HEAD, 0),
    ]  # fmt: skip


def duration(seconds: float) -> str:
    for size, name in ((31557600, "years"), (86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}" if seconds >= 10 * size else f"{seconds / size:.1f} {name}"
    return f"{seconds:.1f} s"


def amount(size: float) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return "–" if not size else f"{size / 1e3:.3g} kB"


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="run two rows at a tenth of their size")
    check = parser.parse_args().check
    print(f"{processor()}, one core, {tropical.core_info()['instruction_set']} kernels\n")
    print("| work | one core | cores for an hour | memory of a worker | disk |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        told, found = [], rows(Path(name))
        for row in found:
            seconds = row.seconds()
            told.append(seconds)
            costs = duration(seconds), f"{math.ceil(seconds / 3600):,}", amount(row.memory), amount(row.disk)
            print("|", " | ".join((row.name, *costs)), "|", flush=True)
        if check:
            print("\n| a tenth of | foretold | measured |\n|---|---|---|")
            for k in (1, 3):
                measured = cpu_seconds(found[k].run(found[k].units / 10))
                print(f"| {found[k].name} | {duration(told[k] / 10)} | {duration(measured)} |", flush=True)


if __name__ == "__main__":
    main()

"""Times the library beside its peers, and writes a markdown table.

    python benchmarks/run.py                                     W1, this environment, one thread
    python benchmarks/run.py W1b W2a --python PYTHON --threads 2 --out table.md

Every environment (this one, and one for each --python) gets one long-lived worker process. In each round
every contestant runs once; the median of the rounds counts. One thread: CPU time of the pinned process. More
threads: wall time.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import limits
import workloads

HERE = Path(__file__).parent
FAMILIES = ["ours", *(f"peers.{path.stem}" for path in sorted((HERE / "peers").glob("[!_]*.py")))]
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}  # a peer with a larger error is shown but is not the best
PATIENCE = 180  # seconds until a worker that does not answer is ended


class WorkerDied(Exception):
    pass


class Worker:
    """A process in one environment, and the families of contestants that it has."""

    def __init__(self, python: str, threads: int):
        self.python, self.threads = python, threads
        self.families: list[str] = []
        self.start()

    def start(self) -> None:
        threads = str(self.threads)
        variables = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "RAYON")
        environment = os.environ | {f"{name}_NUM_THREADS": threads for name in variables}
        environment |= {"BENCH_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE", "JAX_PLATFORMS": "cpu"}
        environment["PATH"] = f"{Path(self.python).parent}{os.pathsep}{environment['PATH']}"
        environment.setdefault("CXXFLAGS", "-O3 -march=native -ffast-math")  # read by pykeops
        if self.threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self.process = subprocess.Popen(
            [self.python, str(HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        for family in self.families:
            self.ask("load", family)

    def ask(self, *request: str) -> dict:
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            self.process.kill()
            self.process.wait()
            raise WorkerDied
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@dataclass
class Result:
    """What is known of one contestant at one workload."""

    error: float
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.seconds)


def start_workers(pythons: Iterable[str], threads: int) -> tuple[list[Worker], dict[str, str]]:
    """Gives each family to the first environment that has it. Returns the workers and the versions."""
    workers, versions = [], {}
    missing = dict.fromkeys(FAMILIES, "")
    for python in pythons:
        worker = Worker(python, threads)
        for family in list(missing):
            answer = worker.ask("load", family)
            if answer["ok"]:
                worker.families.append(family)
                versions |= answer["versions"]
                del missing[family]
            else:
                missing[family] = answer["error"]
        workers.append(worker)
    for family, error in missing.items():
        print(f"skipped {family}: {error}", file=sys.stderr)
    return workers, versions


def measure(
    workers: list[Worker], key: tuple[str, str, str], rounds: int, budget: float
) -> dict[str, Result]:
    """Interleaved rounds of all contestants at one workload; one that used up its budget stops early."""
    results: dict[str, Result] = {}
    live: list[tuple[Worker, str]] = []
    clock = "cpu" if workers[0].threads == 1 else "wall"

    def attempt(worker: Worker, *request: str) -> dict | None:
        try:
            answer = worker.ask(*request)
        except WorkerDied:
            print(f"{' '.join(key)}: {' '.join(request)} ended its process", file=sys.stderr)
            live[:] = [(other, name) for other, name in live if other is not worker]
            worker.start()
            return None
        if not answer["ok"]:
            print(f"{' '.join(key)}: {' '.join(request)} failed: {answer['error']}", file=sys.stderr)
            return None
        return answer

    for worker in workers:
        answer = attempt(worker, "workload_is", *key)
        for name in answer["names"] if answer else ():
            prepared = attempt(worker, "prepare", name)
            if prepared:
                results[name] = Result(prepared["error_of_result"])
                live.append((worker, name))
    for _ in range(rounds):
        for worker, name in list(live):
            if sum(results[name].seconds) < budget and (worker, name) in live:
                answer = attempt(worker, "time", name)
                if answer:
                    results[name].seconds.append(answer[clock])
    return {name: result for name, result in results.items() if result.seconds}


def table_row(key: tuple[str, str, str], results: dict[str, Result], least: float | None) -> str:
    """One line of the table. Ratios of peers are to ours, or to the best peer where we take no part."""
    ours = results.pop("ours", None)
    ranked = sorted(results.items(), key=lambda item: item[1].median)
    best = next((item for item in ranked if item[1].error < TOLERANCE[key[2]]), None)
    unit = ours or (best[1] if best else None)

    def timed(result: Result) -> str:
        share = f" ({least / result.median:.0%})" if least else ""
        return f"{1e3 * result.median:.4g}{share}"

    cells = [*key, f"{1e3 * least:.4g}" if least else "–"]
    cells += [timed(ours), f"{ours.error:.0e}"] if ours else ["–", "–"]
    cells += [f"{best[0]}: {timed(best[1])}", f"{best[1].error:.0e}"] if best else ["–", "–"]
    cells.append(f"**{best[1].median / ours.median:.2f}**" if best and ours else "–")
    cells.append(
        ", ".join(
            f"{name} {result.median / unit.median:.2f} ({result.error:.0e})"
            for name, result in ranked
            if unit and (name, result) != best
        )
    )
    return "| " + " | ".join(cells) + " |"


COLUMNS = (
    "case",
    "op",
    "type",
    "limit, ms",
    "ours, ms (of limit)",
    "error",
    "best peer, ms (of limit)",
    "error",
    "best peer / ours",
    "other peers / ours (error)",
)


def report(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the markdown text, as they become known."""
    rates = limits.measure()
    workers, versions = start_workers([sys.executable, *options.python], options.threads)
    cases = [case for case in workloads.CASES if case.startswith(tuple(options.cases))]
    yield f"    {shown_command()}\n"
    clock = "CPU time of one thread" if options.threads == 1 else f"wall time of {options.threads} threads"
    yield f"- {clock}; medians of {options.rounds} interleaved rounds"
    yield f"- processor: {processor()}"
    yield f"- measured: {rates}" if rates else "- no limits: limits.c needs a compiler and FMA instructions"
    yield "- " + ", ".join(f"{name} {version}" for name, version in versions.items())
    yield "- peers are given beside ours, or beside the best peer where the library has no such function\n"
    yield "| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|"
    for case in cases:
        for op, dtype in workloads.names(case):
            key = (case, op, dtype)
            results = measure(workers, key, options.rounds, options.budget)
            least = limits.limit(workloads.make(*key), rates, options.threads) if rates else None
            yield table_row(key, results, least)
    for worker in workers:
        worker.close()


def shown_command() -> str:
    """The command, with environments by their folder's name."""
    arguments = ["/".join(Path(a).parts[1:][-3:]) if os.path.isabs(a) else a for a in sys.argv[1:]]
    return shlex.join(["python", "benchmarks/run.py", *arguments])


def processor() -> str:
    """Name, family and model, and cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        facts = {name.strip(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        name = f"{facts['model name']}, family {facts['cpu family']}, model {facts['model']}"
    except (OSError, KeyError, ValueError):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=["W1"], help="W1a … W4v, or the start of such names")
    parser.add_argument("--python", action="append", default=[], help="interpreter of one more environment")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=2, help="seconds for a contestant at a workload")
    parser.add_argument("--out", type=Path, help="file for the table, beside standard output")
    options = parser.parse_args()
    text = ""
    for line in report(options):
        print(line, flush=True)
        text += line + "\n"
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()

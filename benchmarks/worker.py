"""One process that holds the contestants of one virtual environment; started and driven by run.py.

Requests and answers are lines of JSON. Each answer has "ok"; if false, "error" says why.
"""

import gc
import importlib
import json
import os
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
from contestants import REGISTRY, THREADS, Contestant, Run
from workloads import Workload, make

SHORT = 5e-3  # seconds


class Worker:
    def __init__(self):
        self.contestants: list[Contestant] = []
        self.workload: Workload | None = None
        self.takers: dict[str, Contestant] = {}  # of the workload, by name
        self.runs: dict[str, Run] = {}

    def load(self, family: str) -> dict:
        """Imports a family; an environment without its packages says so."""
        module = importlib.import_module(family)
        self.contestants += REGISTRY[module.__name__]
        if hasattr(module, "versions"):
            return {"versions": module.versions()}
        return {"versions": {package: version(package) for package in module.PACKAGES}}

    def workload_is(self, case: str, op: str, dtype: str) -> dict:
        self.runs.clear()
        self.workload = None  # before the next one is made
        gc.collect()
        self.workload = make(case, op, dtype)
        self.takers = {c.name: c for c in self.contestants if c.takes(self.workload)}
        return {"names": list(self.takers)}

    def prepare(self, name: str) -> dict:
        """Prepares, runs once (which may compile) and measures the error."""
        run = self.takers[name].prepare(self.workload)
        results = run()
        results = results if isinstance(results, tuple) else (results,)
        error = self.workload.error(tuple(np.asarray(a) for a in results))
        self.runs[name] = run
        return {"error_of_result": error}

    def time(self, name: str) -> dict:
        """Seconds of one run; of a short one, the mean of as many as fit into SHORT after it.

        The first run finds caches and predictors as the collector and the other contestants left them, which costs
        anyone some tenths of a millisecond.
        """
        run = self.runs[name]
        gc.collect()
        gc.disable()
        times = _times(run, 1)
        if times["wall"] < SHORT:
            times = _times(run, round(SHORT / times["wall"]))
        gc.enable()
        return times


def _times(run: Run, count: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu / count, "wall": wall / count}


def main() -> None:
    warnings.simplefilter("ignore")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-THREADS:])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what peers print goes to stderr
    worker = Worker()
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        try:
            answer = {"ok": True, **getattr(worker, command)(*arguments)}
        except Exception as error:  # a peer may fail in any way; the others go on
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}".splitlines()[0][:160]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

"""Max-plus results have the same bits under every ceiling on the instruction set, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

# Random numbers, not integers, so that another order of rounding would show; sizes past the edges of panels and tiles.
RESULTS = """
import hashlib, json
import numpy as np
from tropical import MAX_PLUS, MIN_PLUS, Polynomial, PolynomialMap, Semiring, hopf_lax, legendre, matmul, star
from tropical import _core

rng = np.random.default_rng(0)
results = {"runs": _core.instruction_set().encode()}

def keep(name, *arrays):
    results[name] = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)

for dtype in (np.float32, np.float64):
    for sign in (1, -1):
        semiring, label = Semiring(sign), f"{np.dtype(dtype).name}, sign {sign}"
        for terms, d in ((1, 1), (7, 3), (65, 17), (300, 40)):
            slopes, constants = rng.normal(size=(terms, d)).astype(dtype), rng.normal(size=terms).astype(dtype)
            if terms > 7:
                constants[3], slopes[5] = -sign * np.inf, slopes[6]
                constants[5] = constants[6]  # a tie
            p = Polynomial(slopes, constants, semiring)
            for count in (1, 67, 700):
                x = rng.normal(size=(count, d)).astype(dtype)
                x[0, 0] = 5e-324 if dtype is np.float64 else 1e-45
                keep(f"{label}: {terms} terms, {count} points", p(x), p.argmax(x), p.gradient(x))
        parts = [(rng.normal(size=(n, 6)).astype(dtype), np.zeros(n, dtype)) for n in (2, 5, 70)]
        maps = PolynomialMap([Polynomial(*part, semiring) for part in parts])
        keep(f"{label}: layer", maps(rng.normal(size=(300, 6)).astype(dtype)))
        for rows, inner, columns in ((1, 1, 1), (33, 65, 17), (130, 140, 150)):
            A, B = rng.normal(size=(rows, inner)).astype(dtype), rng.normal(size=(inner, columns)).astype(dtype)
            keep(f"{label}: product {rows}", matmul(A, B, semiring))
        keep(f"{label}: closure", star(sign * -abs(rng.normal(size=(120, 120)).astype(dtype)), semiring))
        z = rng.normal(size=(40, 333)).astype(dtype)
        keep(f"{label}: sums", semiring.add(z, z[::-1], z[0]), semiring.sum(z, axis=1), semiring.sum(z, axis=0))
        nodes = np.sort(rng.normal(size=333)).astype(dtype)
        keep(f"{label}: transform", legendre(z, nodes, nodes, axis=1), hopf_lax(z, 0.5))
print(json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in results.items()}))
"""


def results(ceiling: str) -> dict[str, str]:
    environment = {
        **os.environ,
        "TROPICAL_CPU": ceiling,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-P", "-c", RESULTS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def test_max_plus_results_are_identical_on_every_instruction_set(reference):
    if len(reference.available_instruction_sets()) == 1:
        pytest.skip("this processor has one instruction set")
    found = {name: results(name) for name in reference.available_instruction_sets()}
    assert len({result.pop("runs") for result in found.values()}) == len(found)  # they really differ
    first, *others = found.values()
    assert len(first) > 60
    for other in others:
        assert {name for name in first if first[name] != other[name]} == set()

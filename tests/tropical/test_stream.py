"""Functions of more points than fit into memory: files, interrupted runs, executors, memory."""

import doctest
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tropical import InputError, Polynomial, PolynomialMap, Semiring, ShapeError, stream

RNG = np.random.default_rng(0)
SOFT = Polynomial(RNG.normal(size=(20, 3)), RNG.normal(size=20), Semiring(eps=0.1))
X = RNG.normal(size=(1037, 3))


@pytest.mark.parametrize("rows", [None, 1, 64, 100, 1030, 5000])
def test_pieces_are_the_whole(rows, tmp_path):
    np.save(tmp_path / "x.npy", X)
    seen = []
    for f in (SOFT, SOFT.deform(0), SOFT.gradient, SOFT.weights, PolynomialMap([SOFT, SOFT.deform(0)])):
        found = stream(f, tmp_path / "x.npy", tmp_path / "y.npy", rows=rows, progress=seen.append)
        assert isinstance(found, np.memmap) and found.dtype == float and not found.flags.writeable
        if rows != 1 or f == SOFT.deform(0):  # by single points log-sum-exps are rounded in another way
            np.testing.assert_array_equal(found, f(X))
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), found)
        np.testing.assert_array_equal(stream(f, X, rows=rows), found)
        assert seen[-1] == len(X)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy"]


def test_arrays_and_dtypes(tmp_path):
    x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(500, 3), order="F")
    x[:] = X[:500]
    out = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.int64, (500,))
    assert stream(SOFT.argmax, x, out, rows=128) is out
    np.testing.assert_array_equal(out, SOFT.argmax(np.array(x)))
    exact = SOFT.deform(0).to_exact()
    assert (stream(exact, X[:70].tolist(), rows=64) == exact(X[:70])).all()


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, partial(ProcessPoolExecutor, 2)])
def test_executors_change_nothing(pool, tmp_path):
    if pool is not ThreadPoolExecutor:
        pool = partial(pool, mp_context=multiprocessing.get_context("spawn"))
    found = stream(SOFT.gradient, X, tmp_path / "y.npy", rows=64, executor=pool, ahead=3)
    np.testing.assert_array_equal(found, SOFT.gradient(X))


class Stop(Exception):
    pass


def interrupted(f, points, path, after):
    def stop(done):
        if done > after:
            raise Stop

    with pytest.raises(Stop):
        stream(f, points, path, rows=64, progress=stop)


@pytest.mark.parametrize("torn", [0, 5, -3, -64 * 24])
def test_an_interrupted_run_goes_on(torn, tmp_path):
    """Also from a file that ends within a row or a piece."""
    path, part, seen = tmp_path / "y.npy", tmp_path / "y.npy.part", []
    path.write_bytes(b"what was there before")
    interrupted(SOFT.gradient, X, path, 500)
    assert path.read_bytes() == b"what was there before"
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size + torn)
    found = stream(SOFT.gradient, X, path, rows=64, resume=True, progress=seen.append)
    np.testing.assert_array_equal(found, SOFT.gradient(X))
    assert seen[0] == (512 if torn >= 0 else 448) and seen[-1] == len(X) and not part.exists()


def test_an_interrupted_run_into_an_array_goes_on():
    out, seen = np.full(len(X), np.nan), []
    interrupted(SOFT, X, out, 500)
    assert np.isfinite(out).sum() == 512
    assert stream(SOFT, X, out, rows=64, begin=512, progress=seen.append) is out
    np.testing.assert_array_equal(out, SOFT(X))
    assert seen[0] == 576


def test_a_run_goes_on_with_what_it_was_of_alone(tmp_path):
    path = tmp_path / "y.npy"
    interrupted(SOFT, X, path, 500)
    with pytest.raises(InputError, match=r"holds other results for points 448 to 511; .* without resume"):
        stream(SOFT.deform(0.2), X, path, rows=64, resume=True)
    with pytest.raises(InputError, match=r"is not of results float64 \(1037, 3\)"):
        stream(SOFT.gradient, X, path, rows=64, resume=True)
    np.testing.assert_array_equal(stream(SOFT.gradient, X, path), SOFT.gradient(X))


KILLED = """
import os, signal, sys
import numpy as np
from tropical import Polynomial, stream

def kill(done):
    if done > 500:
        os.kill(os.getpid(), signal.{signal})

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background has it ignored
stream(Polynomial(np.eye(3), np.zeros(3)), "x.npy", "y.npy", rows=64, progress=kill)
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_a_killed_run_goes_on(name, tmp_path):
    np.save(tmp_path / "x.npy", X)
    command = [sys.executable, "-P", "-c", KILLED.format(signal=name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == -getattr(signal, name), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy.part"]
    seen, path = [], tmp_path / "y.npy"
    found = stream(Polynomial(np.eye(3), np.zeros(3)), X, path, rows=64, resume=True, progress=seen.append)
    assert seen[0] >= 512
    np.testing.assert_array_equal(found, X.max(axis=1))


BOUNDED = """
import resource, sys
import numpy as np
from tropical import Polynomial, stream

with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) for line in status if line.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + (48 << 20),) * 2)
p = Polynomial(np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2))
try:
    np.array(np.load("x.npy", mmap_mode="r"))
except MemoryError:
    stream(p, "x.npy", "y.npy")
    print("streamed")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits and /proc are those of Linux")
def test_memory_is_bounded(tmp_path):
    """96 megabytes of points and as many rows of results in a process that may take 48 of its own."""
    count = 6 << 20
    points = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", float, (count, 2))
    points[:: count // 8, 1] = np.arange(8)
    del points
    command = [sys.executable, "-P", "-c", BOUNDED]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout == "streamed\n", done.stderr
    values = np.load(tmp_path / "y.npy", mmap_mode="r")
    assert values.shape == (count,) and values[:: count // 8].tolist() == list(range(8))
    assert values.sum() == sum(range(8))


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"points": X[:0]}, InputError, r"points have shape \(0, 3\)"),
        ({"points": X[:, :2]}, ShapeError, r"x has shape \(1, 2\) but there are 3 variables"),
        ({"f": lambda x: x.sum()}, ShapeError, r"f gave shape \(\) for one point"),
        ({"f": lambda x: x[:1]}, ShapeError, r"f gave float64 \(1, 3\) for points 0 to 63"),
        ({"rows": 0}, InputError, "rows is 0"),
        ({"ahead": 0}, InputError, "ahead is 0"),
        ({"begin": 64}, InputError, "begin is 64; .* an array as out"),
        ({"begin": 64, "out": "y.npy"}, InputError, "begin is 64; .* an array as out"),
        ({"begin": 1037, "out": np.empty(1037)}, InputError, "begin is 1037"),
        ({"out": np.empty(5)}, ShapeError, r"out is float64 \(5,\); results are float64 \(1037,\)"),
        ({"out": [1.0]}, ShapeError, r"out is list \(\)"),
        ({"resume": True}, InputError, "resume is for a path"),
        ({"f": SOFT.deform(0).to_exact(), "out": "y.npy"}, InputError, "does not hold them"),
        ({"executor": 3}, InputError, "executor is a int"),
    ],
)
def test_bad_input(arguments, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        stream(**{"f": SOFT, "points": X, "rows": 64} | arguments)
    assert not list(tmp_path.iterdir())


def test_the_page_runs():
    page = Path(__file__).resolve().parents[2] / "docs/beyond-one-machine.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 20 and result.failed == 0

"""Linear regions in parts that executors run, what is left out, progress, and Ctrl-C."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import (
    Box,
    BudgetExceeded,
    Circuit,
    InputError,
    Polyhedron,
    Slice,
    _region_search,
    essential,
    linear_regions,
)
from tropical._region_program import compile_program
from tropical._region_search import Search
from tropical.circuit import combine, soft_max

COLUMNS = ("winners", "outputs", "rays", "lines", "ties", "facets")


def assert_same(a, b):
    """The same regions in the same order."""
    for name in COLUMNS:
        assert list(getattr(a._table, name)) == list(getattr(b._table, name)), name
    assert [list(forms) for forms in a._table.forms] == [list(forms) for forms in b._table.forms]
    assert a.complete == b.complete


def holds(cell: Polyhedron, x) -> bool:
    return bool((cell.G @ np.array(x) <= cell.h).all())


@pytest.fixture(scope="module")
def threads():
    """A pool, and small searches cut into parts as well."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(_region_search, "PARTS", 6)
        yield pool


@settings(max_examples=15)
@given(
    st.sampled_from([[1, 9, 3, 1], [2, 7, 5, 1], [3, 6, 2, 1], [4, 4, 3, 1]]),
    st.integers(0, 2**32),
    st.sampled_from([None, Box(-2, 2)]),
    st.integers(1, 300),
)
@example([2, 7, 5, 1], 0, None, 20)
def test_parts_are_the_whole(threads, networks, shape, seed, domain, limit):
    f = networks.rails(networks.seeded(shape, seed))
    whole = linear_regions(f, domain, executor=threads)
    assert_same(whole, linear_regions(f, domain))
    assert len(whole._table.parts) > 1 or len(whole) < 20
    some = linear_regions(f, domain, executor=threads, max_regions=limit, partial=True)
    assert_same(some, linear_regions(f, domain, max_regions=limit, partial=True))
    for region in linear_regions(f, domain)[limit:]:
        assert sum(holds(cell, region.witness) for cell in some.left_out) == 1


def test_gates_of_many_branches_in_parts(threads):
    rng = np.random.default_rng(1)
    x = Circuit.identity(2, exact=True)
    f = soft_max([x.affine(rng.integers(-9, 10, (3, 2)), rng.integers(-9, 10, 3)) for _ in range(9)])
    f = f + f.affine(rng.integers(0, 3, (3, 3)), [0, 1, 2])
    assert len(_region_search.Search.of(linear_regions(f).program, False).cells()) >= 6
    assert_same(linear_regions(f, executor=threads), linear_regions(f))


def test_processes(networks):
    f = networks.rails(networks.seeded([3, 6, 6, 1]))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert_same(linear_regions(f, executor=pool), linear_regions(f))
        for part, whole in zip(essential(f, executor=pool), essential(f), strict=True):
            assert (part.slopes == whole.slopes).all() and (part.coefficients == whole.coefficients).all()
        with pytest.raises(BudgetExceeded, match="linear regions: 101, the limit is 100"):
            linear_regions(f, executor=pool, max_regions=100)


def test_what_a_search_found_can_be_stored(networks):
    (part,) = linear_regions(networks.rails(networks.seeded([2, 5, 3, 1])))._table.parts
    wanted = [part.rays_of(k) for k in range(len(part))]  # with integers that the copy has to find again
    again = pickle.loads(pickle.dumps(part))
    assert [again.rays_of(k) for k in range(len(again))] == wanted
    assert [again.facets_of(k) for k in range(len(again))] == [part.facets_of(k) for k in range(len(part))]


def test_a_worker_that_dies(networks):
    f = networks.rails(networks.seeded([3, 6, 6, 1]))
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context, initializer=os._exit, initargs=(1,)) as pool,
        pytest.warns(RuntimeWarning, match=r"a worker of ProcessPoolExecutor ended .* in this process"),
    ):
        assert_same(linear_regions(f, executor=pool), linear_regions(f))


def test_an_error_in_a_worker_is_that_of_the_search(networks):
    class Failing:
        def submit(self, *args):
            future = Future()
            future.set_exception(ZeroDivisionError("in a worker"))
            return future

    with pytest.raises(ZeroDivisionError, match="in a worker"):
        linear_regions(networks.rails(networks.seeded([3, 6, 6, 1])), executor=Failing())


def large(networks):
    """Hours of work."""
    return networks.rails(networks.seeded([8, 60, 60, 1]))


def test_ctrl_c_stops_threads_that_work(networks):
    class Interrupting(ThreadPoolExecutor):
        def submit(self, *args):
            if self._threads:
                time.sleep(0.1)
                raise KeyboardInterrupt
            return super().submit(*args)

    with Interrupting(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            linear_regions(large(networks), executor=pool)
        start = time.perf_counter()
    assert time.perf_counter() - start < 1


INTERRUPTED = """
import signal, threading, time
import numpy as np
from tropical import Circuit, linear_regions

rng = np.random.default_rng(0)
f = Circuit.identity(8)
for shape in ((60, 8), (60, 60)):
    f = f.affine(rng.normal(size=shape), rng.normal(size=60)) + 0 if f.variables == f.outputs else f.affine(abs(
        rng.normal(size=shape)), rng.normal(size=60)) + 0
sent = []
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background has it ignored

def interrupt():
    sent.append(time.perf_counter())
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

threading.Timer(0.5, interrupt).start()
try:
    linear_regions(f, max_regions=10**9)
except KeyboardInterrupt:
    print(time.perf_counter() - sent[0])
"""


def test_ctrl_c_stops_a_search_within_a_second():
    command = [sys.executable, "-P", "-c", INTERRUPTED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1


def test_other_threads_run_during_a_search(networks):
    f = networks.rails(networks.seeded([3, 20, 12, 1]))
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(time.perf_counter())

    search = _region_search.Search.of(linear_regions(f, max_regions=1, partial=True).program, False)
    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    search.run(10**6)
    end = time.perf_counter()
    done.set()
    ticker.join()
    assert sum(start < t < end for t in ticks) >= 2  # with the GIL held none would fall inside


# ---- what is left out ------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.sampled_from([[1, 6, 1], [2, 5, 3, 1], [3, 4, 2, 1]]),
    st.integers(0, 2**32),
    st.sampled_from([None, Box(-2, 2), "slice"]),
    st.integers(1, 12),
)
def test_regions_and_what_is_left_out_cover_the_domain(networks, shape, seed, domain, limit):
    f = networks.rails(networks.seeded(shape, seed))
    if domain == "slice":
        domain = Slice([1] * shape[0], np.eye(shape[0], dtype=int)[:1], within=Box(-3, 4))
    whole = linear_regions(f, domain)
    some = linear_regions(f, domain, max_regions=limit, partial=True)
    assert some.complete == (len(whole) <= limit) == (not some.left_out)
    found = set(some._table.winners)
    for region, winners in zip(whole, whole._table.winners, strict=True):
        inside = [holds(cell, region.witness) for cell in some.left_out]
        assert sum(inside) == (winners not in found)
        assert (some.locate(region.witness) >= 0) == (winners in found)


def a_cell_with_too_many_corners() -> Circuit:
    """On the box [0, 1]^12: x1 cuts at 1/4 and 1/2; a third hyperplane meets 5,544 edges where x1 < 1/4, then fewer."""
    x = Circuit.identity(12, exact=True)
    unit = np.eye(12, dtype=int)
    two = x.affine([unit[0], unit[0]], [Fraction(-1, 4), Fraction(-1, 2)]) + 0
    last = combine([(np.array([[100, 0]]), two), (1 - unit[:1], x)], [Fraction(-11, 2)]) + 0
    return two.affine([[1, 1]]) * last


def test_a_cell_with_too_many_corners_is_left_out(threads):
    f, box = a_cell_with_too_many_corners(), Box(0, 1)
    with pytest.raises(BudgetExceeded, match="generators of one cell") as caught:
        linear_regions(f, box)
    error = caught.value
    assert (error.stage, error.reached, error.limit) == ("generators of one cell", 4097, 4096)
    assert "partial=True" in error.hint and len(error.result) == 3 and not error.result.complete
    some = linear_regions(f, box, partial=True)
    assert len(some) == 3 and not some.complete
    (cell,) = some.left_out
    for x1, outside in ((Fraction(1, 8), True), (Fraction(3, 8), False), (Fraction(3, 4), False)):
        x = [x1] + [Fraction(2, 5)] * 11
        assert holds(cell, x) == outside == (some.locate(x) < 0)
    with pytest.raises(BudgetExceeded, match="generators of one cell"):
        linear_regions(f, box, executor=threads)


def test_a_domain_with_too_many_corners_is_left_out_as_a_whole():
    x = Circuit.identity(20, exact=True)
    nothing = linear_regions(x + 0, Box(0, 1), partial=True)
    assert len(nothing) == 0 and not nothing.complete and nothing.count("maps") == 0
    (cell,) = nothing.left_out
    assert cell.G.shape == (40, 20) and holds(cell, [1] * 20) and not holds(cell, [2] * 20)
    assert nothing.locate([Fraction(1, 2)] * 20) == -1 and len(nothing.graph) == 0


def test_an_exceeded_budget_carries_what_there_is(networks):
    f = networks.rails(networks.seeded([2, 8, 1]))
    with pytest.raises(BudgetExceeded) as caught:
        linear_regions(f, max_regions=36)
    error = caught.value
    assert (error.stage, error.reached, error.limit) == ("linear regions", 37, 36)
    assert "max_regions" in error.hint
    some = linear_regions(f, max_regions=36, partial=True)
    assert_same(error.result, some)
    assert error.result._table.gaps == some._table.gaps
    with pytest.raises(BudgetExceeded) as caught:
        essential(f, max_regions=36)
    assert caught.value.result is f
    again = pickle.loads(pickle.dumps(BudgetExceeded("a", 2, 1, "b", result=[3])))
    assert (again.reached, again.result) == (2, [3])


# ---- progress --------------------------------------------------------------------------------------------


def test_progress_in_parts(threads, networks):
    f = networks.rails(networks.seeded([2, 16, 1]))
    seen = []
    regions = linear_regions(f, executor=threads, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == len(regions)

    def stop(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        linear_regions(f, executor=threads, progress=stop)


class Bar:
    """As much of tqdm's bar as is used."""

    def __init__(self, unit):
        self.n, self.unit, self.open = 0, unit, True

    def update(self, by):
        self.n += by

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False


def test_bars(monkeypatch, networks, capsys):
    f = networks.rails(networks.seeded([2, 32, 1]))
    made = []
    module = ModuleType("tqdm.auto")
    module.tqdm = lambda unit: made.append(Bar(unit)) or made[-1]
    monkeypatch.setitem(sys.modules, "tqdm", ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    linear_regions(f, progress=True)
    (bar,) = made
    assert (bar.n, bar.unit, bar.open) == (512, " regions", False)
    linear_regions(f, progress=False)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    capsys.readouterr()
    linear_regions(f, progress=True)
    assert capsys.readouterr() == ("", "\r256 regions\r512 regions\n")
    with pytest.raises(InputError, match="progress is 3"):
        linear_regions(f, progress=3)


def test_a_bar_of_rich(monkeypatch, networks):
    shown = []

    class Progress:
        def __init__(self, *columns, console, transient):
            shown.append(console)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            shown.append("closed")

        def add_task(self, description, total):
            return description

        def update(self, task, completed):
            shown.append((task, completed))

    rich = SimpleNamespace(Progress=Progress, SpinnerColumn=list, TextColumn=str, TimeElapsedColumn=list)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setitem(sys.modules, "rich", ModuleType("rich"))
    monkeypatch.setitem(sys.modules, "rich.progress", rich)
    console = SimpleNamespace(Console=lambda stderr: "stderr" if stderr else "stdout")
    monkeypatch.setitem(sys.modules, "rich.console", console)
    linear_regions(networks.rails(networks.seeded([2, 32, 1])), progress=True)
    assert shown == ["stderr", ("regions", 256), ("regions", 512), "closed"]


def test_a_look_between_gates_may_stop_the_search():
    """300 gates that cut nothing, each of them looked at on the 4,096 corners of a cube."""
    x = Circuit.identity(12, exact=True)
    f = x.affine(np.ones((300, 12), dtype=int), [1] * 300) + 0

    def stop(found):
        raise InterruptedError(found)

    with pytest.raises(InterruptedError, match="0"):
        Search.of(compile_program(f, Box(0, 1)), False).run(10, progress=stop)

"""Pieces of work by executors: their order, how many are handed out, and workers that are killed."""

import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from tropical import (
    Box,
    Circuit,
    InputError,
    Polynomial,
    PolynomialMap,
    Semiring,
    WorkerError,
    betti_numbers,
    decision_regions,
    equivalent,
    essential,
    is_convex,
    linear_regions,
    lipschitz,
    maximize,
    minimize,
    nearest_boundary,
)
from tropical._workers import as_done, in_order

pytestmark = [
    pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(), reason="tasks are of this module"
    ),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
PROCESSES = partial(ProcessPoolExecutor, mp_context=multiprocessing.get_context("fork"))
RUNS = pytest.mark.parametrize("run", [in_order, as_done])


def squared(folder, k, killers=()):
    """k², and a line in the folder; the first process to come to one of the killers kills itself."""
    with (folder / str(k)).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if k in killers:
        try:
            (folder / f"killed at {k}").touch(exist_ok=False)
        except FileExistsError:
            return k**2
        os.kill(os.getpid(), signal.SIGKILL)
    return k**2


def work(folder, *killers):
    return [(folder, k, killers) for k in range(12)]


def times(folder, k) -> list[int]:
    """The processes that computed piece k."""
    return [int(line) for line in (folder / str(k)).read_text().split()]


@RUNS
@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor, partial(PROCESSES, 2)])
def test_every_piece_once_and_in_order(run, executor, tmp_path):
    found = list(run(squared, work(tmp_path), executor))
    assert (found if run is in_order else sorted(found)) == [k**2 for k in range(12)]
    assert all(len(times(tmp_path, k)) == 1 for k in range(12))


@RUNS
def test_a_killed_worker_of_an_executor_is_replaced_by_this_process(run, tmp_path):
    with (
        PROCESSES(1) as pool,
        pytest.warns(RuntimeWarning, match="ProcessPoolExecutor ended .* this process"),
    ):
        found = list(run(squared, work(tmp_path, 7), pool))
    assert found == [k**2 for k in range(12)]
    (worker,) = times(tmp_path, 0)
    assert worker != os.getpid()
    assert all(times(tmp_path, k) == [worker] for k in range(7))  # kept, not done again
    assert times(tmp_path, 7) == [worker, os.getpid()]
    assert all(times(tmp_path, k) == [os.getpid()] for k in range(8, 12))


@RUNS
def test_a_killed_worker_of_a_maker_of_executors_is_replaced_by_another_pool(run, tmp_path):
    found = list(run(squared, work(tmp_path, 0, 3, 7), partial(PROCESSES, 1)))
    assert sorted(found) == [k**2 for k in range(12)]
    runs = [times(tmp_path, k) for k in range(12)]
    assert [len(run) for run in runs] == [2, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1]
    workers = {pid for run in runs for pid in run}
    assert len(workers) == 4 and os.getpid() not in workers


def suicide():
    os.kill(os.getpid(), signal.SIGKILL)


def test_pools_that_break_without_end_are_an_error():
    with pytest.raises(WorkerError, match=r"3 ProcessPoolExecutors broke one after another .* fewer workers"):
        list(in_order(suicide, [()] * 3, partial(PROCESSES, 1)))


class Postponed(Executor):
    """Runs a piece when it is asked for, and counts those that were not asked for yet."""

    def __init__(self):
        self.waiting, self.most, self.cancelled = 0, 0, 0

    def submit(self, function, *arguments):
        outer = self

        class OnDemand(Future):
            def result(self, timeout=None):
                outer.waiting -= 1
                return function(*arguments)

            def cancel(self):
                outer.cancelled += 1
                return True

        self.waiting += 1
        self.most = max(self.most, self.waiting)
        return OnDemand()


def test_no_more_than_ahead_are_handed_out_and_the_rest_is_cancelled():
    executor = Postponed()
    results = in_order(abs, ((-k,) for k in range(1000)), executor, ahead=5)
    assert [next(results) for _ in range(20)] == list(range(20))
    assert executor.most == 5
    results.close()
    assert executor.cancelled == executor.waiting == 4


def test_an_error_in_a_piece_is_that_of_the_work():
    started = threading.Event()

    def fail(k):
        started.set()
        raise ZeroDivisionError(f"in piece {k}")

    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError, match="in piece 0"):
        list(in_order(fail, [(0,), (1,)], pool))
    assert started.is_set()


def test_a_submit_that_finds_the_pool_broken():
    class Broken(ThreadPoolExecutor):
        def submit(self, *_):
            raise BrokenExecutor("gone")

    with Broken() as pool, pytest.warns(RuntimeWarning, match="a worker of Broken ended"):
        assert list(in_order(abs, [(-1,), (-2,)], pool)) == [1, 2]
    with pytest.raises(WorkerError):
        list(in_order(abs, [(-1,)], Broken))


@pytest.mark.parametrize("executor", [2, "processes"])
def test_what_is_no_executor_is_refused(executor):
    with pytest.raises(InputError, match=r"executor is a (int|str); pass a concurrent.futures.Executor"):
        list(in_order(abs, [(1,)], executor))


def test_a_search_for_regions_goes_on_without_a_worker(networks):
    f, pools, killed = networks.rails(networks.seeded([3, 12, 8, 1])), [], []
    others = set(multiprocessing.active_children())

    def make():
        pools.append(PROCESSES(2))
        return pools[-1]

    def kill(found):
        if not killed:
            killed.append((set(multiprocessing.active_children()) - others).pop())
            killed[0].kill()

    alone, found = linear_regions(f), linear_regions(f, executor=make, progress=kill)
    assert len(pools) == 2 and killed[0].exitcode == -signal.SIGKILL
    assert [region.witness.tolist() for region in found] == [region.witness.tolist() for region in alone]


# ---- what is sent to workers ---------------------------------------------------------------------------


def test_what_was_evaluated_can_be_sent():
    """The kernel's own form of a polynomial cannot be pickled, and is made again."""
    rng = np.random.default_rng(0)
    p = Polynomial(rng.normal(size=(20, 2)), rng.normal(size=20), Semiring(eps=0.1))
    deep = Circuit.identity(2)
    for _ in range(300):  # far more layers than Python's stack has room for
        deep = deep.affine(abs(rng.normal(size=(2, 2))) / 2, rng.normal(size=2)) + 0
    x = rng.normal(size=(40, 2))
    for f in (p, PolynomialMap([p, p.deform(0)]), deep, deep / deep.affine(np.eye(2))):
        wanted = f(x)
        again = pickle.loads(pickle.dumps(f))
        np.testing.assert_array_equal(again(x), wanted)
    assert not pickle.loads(pickle.dumps(p)).slopes.flags.writeable


# ---- questions that regions answer ---------------------------------------------------------------------

QUESTIONS = {
    "essential": lambda f, executor: [str(p) for p in essential(f, executor=executor)],
    "maximize": lambda f, executor: vars(maximize(f, Box(-1, 1), executor=executor)),
    "minimize": lambda f, executor: vars(minimize(f, Box(-1, 1), executor=executor)),
    "lipschitz": lambda f, executor: vars(lipschitz(f, executor=executor)),
    "is_convex": lambda f, executor: vars(is_convex(f, executor=executor)),
    "equivalent": lambda f, executor: vars(equivalent(f, f + f, executor=executor)),
    "nearest_boundary": lambda f, executor: vars(nearest_boundary(f, [0, 1], executor=executor)),
    "decision_regions": lambda f, executor: decision_regions(f, executor=executor).classes.tolist(),
    "betti_numbers": lambda f, executor: str(betti_numbers(f, executor=executor)),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_take_an_executor(name, networks):
    f, used = networks.rails(networks.seeded([2, 6, 2])), []

    class Counting(ThreadPoolExecutor):
        def submit(self, *arguments):
            used.append(arguments)
            return super().submit(*arguments)

    with Counting(2) as pool:
        found, alone = QUESTIONS[name](f, pool), QUESTIONS[name](f, None)
    assert str(found) == str(alone) and used

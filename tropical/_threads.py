"""Threads for the kernels, which release the GIL: slices of one array handed to a pool that stays.

A pool of Python threads, not OpenMP: handing over a slice costs some 20 µs, which is nothing beside the
millisecond of work below which no thread is used, and a forked child starts with a pool of its own, where
OpenMP's would hang. The caller works too, and does not wait for a thread that has not begun when nothing is left: where
other programs keep the processors busy, threads cost no more than one. Slices are whole tiles and no result depends on
how they are cut.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock

from tropical.errors import InputError

__all__ = ["run_in_slices", "usable_threads"]

_TILE = 64  # every slice but the last is a multiple: TP_TILE_MAX
_WORTHWHILE = 1 << 25  # multiply-adds from which a second thread pays, about a millisecond
_SLICE = 1 << 27  # multiply-adds in a slice, so that an interrupt is not kept waiting
_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)


def usable_threads() -> int:
    """Processors this process may use, at most OMP_NUM_THREADS where that is set."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(count, int(limit)) if limit.isdigit() and int(limit) else count


def run_in_slices(
    work: Callable[[slice], None], total: int, cost: int, n_threads: int | None, *, unit: int = _TILE
) -> None:
    """Call `work` on slices that cover range(total), `cost` multiply-adds an item, on some threads.

    Slices start at multiples of `unit`; the last one may end behind `total`. None takes `usable_threads` where the
    work is worth it; results never depend on the number.
    """
    if n_threads is not None and n_threads < 1:
        raise InputError(f"n_threads is {n_threads}; pass a whole number >= 1, or None for all that help")
    if n_threads == 1 or total * cost < _WORTHWHILE or (threads := n_threads or usable_threads()) == 1:
        work(slice(0, total))
        return
    items = min(-(-total // (4 * threads)), _SLICE // max(1, cost))
    step = max(unit, items // unit * unit)
    if step >= total:
        work(slice(0, total))
        return
    starts, lock, stopped = iter(range(0, total, step)), Lock(), False

    def share() -> None:
        nonlocal stopped
        try:
            while not stopped:
                with lock:
                    start = next(starts, None)
                if start is None:
                    return
                work(slice(start, start + step))
        except BaseException:
            stopped = True
            raise

    pool = _pools.get(threads)
    if pool is None:  # threads that come here at once agree on one; the others have begun no thread
        pool = _pools.setdefault(threads, ThreadPoolExecutor(threads - 1, thread_name_prefix="tropical"))
    futures = []
    try:  # from the first share on, so that an interrupt at any moment stops them all
        for _ in range(threads - 1):
            futures.append(pool.submit(share))
        share()
    finally:
        stopped = True
        futures = [future for future in futures if not future.cancel()]  # those that have begun
        wait(futures)  # nobody writes to the caller's arrays any more
    for future in futures:
        future.result()

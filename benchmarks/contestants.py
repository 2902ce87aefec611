"""What a contestant is: a name, the workloads it takes, and how it prepares for one of them."""

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from workloads import Workload

__all__ = ["REGISTRY", "THREADS", "Contestant", "Run", "contestant", "rows_in_cache"]

THREADS = int(os.environ.get("BENCH_THREADS", "1"))

Run = Callable[[], object]  # computes an array, or a tuple of values and gradients


@dataclass(frozen=True)
class Contestant:
    """`prepare` is not timed and returns the function that is. The name may serve several kinds of workload."""

    name: str
    kind: type[Workload]
    ops: tuple[str, ...]
    fits: Callable[[Workload], bool]
    prepare: Callable[[Workload], Run]

    def takes(self, workload: Workload) -> bool:
        return isinstance(workload, self.kind) and workload.op in self.ops and self.fits(workload)


REGISTRY: dict[str, list[Contestant]] = defaultdict(list)  # by the module that registers them


def contestant(name: str, kind: type[Workload], *ops: str, fits=lambda workload: True):
    """Decorator that registers a `prepare` function for a kind of workload and some of its ops."""

    def register(prepare: Callable[[Workload], Run]) -> Callable[[Workload], Run]:
        REGISTRY[prepare.__module__].append(Contestant(name, kind, ops, fits, prepare))
        return prepare

    return register


def rows_in_cache(numbers_per_row: int, dtype, total: int, divides: bool = False) -> int:
    """Rows whose temporary is about a megabyte, the best blocking of a chunked peer; a divisor if asked."""
    rows = max(1, min(total, (1 << 20) // (numbers_per_row * dtype.itemsize)))
    while divides and total % rows:
        rows -= 1
    return rows

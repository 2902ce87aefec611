from collections.abc import Callable, Sequence

import numpy as np

from tropical._region_pack import PackedGates, PackedLinear
from tropical._region_table import Part

class Walk:
    def __init__(
        self,
        inputs: np.ndarray,
        packed: Sequence[PackedLinear | PackedGates],
        outputs: Sequence[int],
        branch_counts: Sequence[int],
        limit: int,
        partial: bool,
        progress: Callable[[int], object] | None,
        prefix: Sequence[int] = (),
        stop: int | None = None,
    ) -> None: ...
    def run(self, bounds: list[tuple[int, np.ndarray]]) -> Part | None: ...
    def doubles(self) -> tuple[np.ndarray, np.ndarray]: ...

class Generators:
    known: dict[int, tuple[int, ...]]
    lines: list[list[tuple[int, ...]]]
    def __init__(self, width: int) -> None: ...
    @staticmethod
    def of(
        width: int,
        rays: np.ndarray,
        limbs: np.ndarray,
        start: np.ndarray,
        known: dict[int, tuple[int, ...]],
        lines: list[list[tuple[int, ...]]],
    ) -> Generators: ...
    def vector(self, ray: int) -> tuple[int, ...]: ...
    def is_infinite(self, ray: int) -> bool: ...

def facets_of(names: np.ndarray, tight: np.ndarray, infinite: int) -> list[list[tuple[int, int]]]: ...
def fail_allocation(k: int) -> None: ...
def blocks_held() -> int | None: ...

from collections.abc import Callable, Sequence

import numpy as np

from tropical._region_pack import PackedGates, PackedLinear

class Walk:
    winners: list[bytes] | list[tuple[int, ...]]
    ties: list[tuple[tuple[int, int], ...]]
    rays: list[tuple[tuple[int, ...], ...]]
    lines: list[tuple[tuple[int, ...], ...]]
    facets: list[bytes]
    outputs: list[tuple[int, ...]]
    forms: list[dict[bytes, int]]
    complete: bool
    def __init__(
        self,
        inputs: np.ndarray,
        packed: Sequence[PackedLinear | PackedGates],
        outputs: Sequence[int],
        branch_counts: Sequence[int],
        limit: int,
        partial: bool,
        progress: Callable[[int], object] | None,
    ) -> None: ...
    def run(self, bounds: list[list[int]]) -> bool: ...

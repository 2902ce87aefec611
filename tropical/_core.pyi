import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32] | NDArray[np.float64]

PANEL_SIZE: int

def set_ceiling(ceiling: str | None) -> None: ...
def instruction_set() -> str: ...
def compiler() -> str: ...

class Polynomial:
    def __init__(self, panels: _Floats, coefficients: _Floats, terms: int, sign: int, eps: float) -> None: ...
    def parts(self, panels: int) -> list[Polynomial]: ...
    def at(self, point: _Floats, gradient: _Floats | None = None) -> float: ...
    def fill(
        self,
        points: _Floats,
        tiles: bool,
        values: _Floats | None = None,
        gradient: _Floats | None = None,
        argmax: NDArray[np.int64] | None = None,
        excess: _Floats | None = None,
        entropy: _Floats | None = None,
        weights: _Floats | None = None,
    ) -> None: ...
    def fill_hessian(self, points: _Floats, hessians: _Floats) -> None: ...

class Layer:
    def __init__(
        self,
        panels: _Floats,
        coefficients: _Floats,
        first: NDArray[np.int64],
        terms: NDArray[np.int64],
        sign: int,
        eps: float,
    ) -> None: ...
    def fill(self, points: _Floats, tiles: bool, values: _Floats) -> None: ...

def gate(branches: list[_Floats], out: _Floats, sign: int, eps: float) -> None: ...
def reduce(z: _Floats, sign: int, eps: float, values: _Floats, weights: _Floats | None = None) -> None: ...
def exp_nonpositive(a: _Floats, out: _Floats) -> None: ...
def log_positive(s: _Floats, out: _Floats) -> None: ...
def matmul(
    a: _Floats,
    b: _Floats,
    c: _Floats,
    sign: int,
    accumulate: bool = False,
    index: NDArray[np.int64] | None = None,
) -> bool: ...
def log_matmul(
    a: _Floats, b: _Floats, c: _Floats, sign: int, eps: float, prepared: _Floats | None = None
) -> None: ...
def log_prepared_size(inner: int, columns: int) -> int: ...
def log_prepare(b: _Floats, sign: int, eps: float, prepared: _Floats) -> None: ...
def chain(
    state: _Floats,
    transitions: _Floats,
    emissions: _Floats | None,
    messages: _Floats | None,
    sign: int,
    eps: float,
    bare: bool,
    fixed: bool,
    shared: bool,
) -> bool: ...
def backtrack(messages: _Floats, transitions: _Floats, path: NDArray[np.int64], sign: int) -> None: ...
def close(c: _Floats, sign: int) -> None: ...
def line_blocks(outer: int, length: int, inner: int) -> tuple[int, int]: ...
def legendre(
    f: _Floats,
    x: NDArray[np.float64],
    p: NDArray[np.float64],
    out: _Floats,
    winners: NDArray[np.int64] | None = None,
    first: int = 0,
    stop: int = ...,
) -> None: ...
def hopf_lax(
    f: _Floats,
    x: NDArray[np.float64] | None,
    w: float,
    sign: int,
    out: _Floats,
    winners: NDArray[np.int64] | None = None,
    first: int = 0,
    stop: int = ...,
) -> None: ...
def compose_winners(earlier: NDArray[np.int64] | None, winners: NDArray[np.int64]) -> None: ...

class SoftTransform:
    def __init__(self, f: _Floats, w: float, eps: float, cut: float, step: int, out: _Floats) -> None: ...
    def fill(self, first: int = 0, stop: int = ...) -> None: ...

class SparseRows:
    def __init__(
        self, offsets: NDArray[np.int64], places: NDArray[np.int32], entries: _Floats, columns: int
    ) -> None: ...
    def pull(self, at: NDArray[np.int64], slopes: _Floats, to: _Floats) -> None: ...

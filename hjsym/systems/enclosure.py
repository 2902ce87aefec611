"""max |f| of a formula over a box, enclosed from both sides by a proof: Taylor series in ball arithmetic, on cells.

On the cell c ± r a function of d variables is a_0 + a_1(δ) + a_2(δ) + R(δ), |δ_k| ≤ r_k. The gradient and the second
derivatives at c are those of series along e_k and e_k + e_l, so that terms of f that cancel do so here; R is the third
coefficient of s ↦ f(z + sδ) with balls for z and δ. In one variable all coefficients up to the seventh are exact. The
cell with the largest bound is halved until that is close to the largest |f(c)|.

Sources: R. E. Moore, *Interval Analysis*, 1966, chapter 11; arithmetic as in `hjsym.systems.power_series`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.expr import symbolic
from hjsym.systems.power_series import PowerSeries, at_least, at_most
from tropical.errors import InputError, ShapeError

__all__ = ["Supremum", "as_box", "supremum"]

_LINE_ORDER = 7  # coefficients that are exact in one variable
_MOST_CORNERS = 6  # variables up to which all corners of the box are looked at


@dataclass(frozen=True)
class Supremum:
    """lower ≤ max |f| ≤ upper over the box, both proved.

    Attributes
    ----------
    lower, upper : float
        +∞ above where f has, or may have, a pole in the box.
    at : tuple of float
        A point where |f| ≥ lower.
    cells : int
        How many were looked at.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> found = supremum(x**2 - x, [x], (0, 1))
    >>> found.lower <= 0.25 <= found.upper, len(found.at), found.cells > 0
    (True, 1, True)
    """

    lower: float
    upper: float
    at: tuple[float, ...]
    cells: int


def as_box(box: ArrayLike, d: int) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) as arrays of d numbers each, from numbers or arrays."""
    try:
        low, high = (np.broadcast_to(np.asarray(side, dtype=float), d) for side in box)
    except ValueError:
        raise ShapeError(f"box is {box!r}; pass (low, high), numbers or {d} numbers each") from None
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise InputError(f"box is {box!r}; pass finite low < high")
    return low, high


def supremum(
    f: sympy.Expr,
    symbols: Sequence[sympy.Symbol],
    box: ArrayLike = (-1, 1),
    *,
    rtol: float = 0.05,
    atol: float = 0.0,
    most_cells: int = 4000,
) -> Supremum:
    """max |f| over a box of the symbols, enclosed.

    Parameters
    ----------
    f : sympy.Expr
        Sums, products, powers, exp, log, sqrt, trigonometric and hyperbolic functions, erf, LogSumExp. Floats are taken
        as the binary fractions that they are.
    symbols : sequence of sympy.Symbol
        d of them.
    box : (low, high)
        Numbers, or arrays of d.
    rtol, atol : float
        The search ends at upper ≤ lower (1 + rtol) + atol,
    most_cells : int
        or after so many cells, with what is proved until then.

    Raises
    ------
    InputError
        Other symbols or functions, a box that is empty or unbounded; python-flint is not installed.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> found = supremum(sympy.sin(x) - x + x**3 / 6, [x])               # at x = ±1
    >>> found.lower <= np.sin(1) - 5 / 6 <= found.upper <= 1.05 * found.lower
    True
    >>> supremum(1 / (x - y), [x, y], most_cells=100).upper
    inf
    """
    f = PowerSeries(symbolic(f, "f"), tuple(symbols))
    bound = _on_line if len(symbols) == 1 else _by_second_derivatives
    return _search(f, bound, symbols, box, rtol, atol, most_cells)


def _on_line(f: PowerSeries, centre: np.ndarray, radius: np.ndarray) -> float:
    exact = f.coefficients(centre, radius, _LINE_ORDER)
    rest = f.coefficients([f.ball(centre[0], radius[0])], [f.ball(0.0, radius[0])], _LINE_ORDER + 1)
    return at_most(sum(map(abs, exact), f.ball(0.0)) + abs(rest[-1]))


def _by_second_derivatives(f: PowerSeries, centre: np.ndarray, radius: np.ndarray) -> float:
    along = [f.coefficients(centre, row, 3) for row in np.diag(radius)]
    total = abs(along[0][0]) + sum((abs(a[1]) + abs(a[2]) for a in along), f.ball(0.0))
    for k, j in combinations(range(len(radius)), 2):
        both = f.coefficients(centre, np.diag(radius)[k] + np.diag(radius)[j], 3)
        total += abs(both[2] - along[k][2] - along[j][2])
    cell = [f.ball(c, r) for c, r in zip(centre, radius, strict=True)]
    rest = f.coefficients(cell, [f.ball(0.0, r) for r in radius], 4)
    return at_most(total + abs(rest[3]))


def _search(
    f: PowerSeries, bound: Callable, symbols, box, rtol: float, atol: float, most_cells: int
) -> Supremum:
    low, high = as_box(box, len(symbols))
    search = _Search(f, bound, np.array([s in f.expr.free_symbols for s in symbols], bool))
    if len(symbols) <= _MOST_CORNERS:
        for corner in product(*zip(low, high, strict=True)):
            search.reach(np.array(corner))
    middle = (low + high) / 2
    search.cells = [search.see(middle, _widened((high - low) / 2, np.abs(middle)))]
    while len(search.cells) < most_cells and search.upper > search.lower * (1 + rtol) + atol:
        search.halve()
    return Supremum(search.lower, search.upper, tuple(map(float, search.at)), len(search.cells))


@dataclass
class _Search:
    """Cells in a heap, the one with the largest bound first."""

    f: PowerSeries
    bound: Callable
    matters: np.ndarray  # which variables the formula has
    lower: float = 0.0
    at: np.ndarray | None = None
    seen: int = 0
    cells: list = field(default_factory=list)

    @property
    def upper(self) -> float:
        return -self.cells[0][0]

    def reach(self, point: np.ndarray) -> None:
        value = at_least(self.f.coefficients(point, np.zeros_like(point), 1)[0])
        if self.at is None or value > self.lower:
            self.lower, self.at = value, point

    def see(self, centre: np.ndarray, radius: np.ndarray) -> tuple:
        self.reach(centre)
        self.seen += 1
        return -self.bound(self.f, centre, radius), self.seen, centre, radius

    def halve(self) -> None:
        _, _, centre, radius = heapq.heappop(self.cells)
        here = np.arange(len(radius)) == np.argmax(np.where(self.matters, radius, -1.0))
        half = np.where(here, radius / 2, radius)
        shift = np.where(here, half, 0.0)
        half = _widened(half, np.abs(centre) + radius)
        for middle in (centre - shift, centre + shift):
            heapq.heappush(self.cells, self.see(middle, half))


def _widened(radius: np.ndarray, size: np.ndarray) -> np.ndarray:
    """For midpoints of that size are rounded."""
    return radius * (1 + 2.0**-50) + size * 2.0**-52

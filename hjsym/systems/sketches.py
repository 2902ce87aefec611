"""Polynomials and rational functions close to a formula on a box, with the error that is proved there.

The rational sketch N/D minimises Σ w² (N − f D)² over Chebyshev nodes with D(centre) = 1 and w = 1/D of the round
before, by linear least squares; after some rounds that is least squares of N/D − f (C. K. Sanathanan, J. Koerner,
"Transfer function synthesis as a ratio of two complex polynomials", IEEE Trans. Autom. Control 8, 1963).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import mpmath
import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym._latex import latex, latex_of
from hjsym.systems.enclosure import as_box, supremum
from hjsym.systems.system import mixed
from tropical.errors import BudgetExceeded, InputError

__all__ = ["Sketch", "on_nodes", "sketch_of", "taylor_polynomial"]

_ROUNDS = 10
_MOST_NODES = 20_000
_LEAST = 1e-9  # coefficients below this part of the largest are left out


@dataclass(frozen=True)
class Sketch:
    r"""A simple formula beside another one.

    Attributes
    ----------
    expr : sympy.Expr
        The sketch; its coefficients are floats, which the bound takes as the binary fractions that they are.
    kind : {"taylor", "rational"}
    low, high : tuple of float
        The box.
    bound : float or None
        max |f − expr| is proved to be at most this; ∞ if a pole in the box was not excluded, None if nothing was asked
        to be proved.
    reached : float
        |f − expr| at some point of the box: proved to be so where there is a bound, else computed in floats.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> found = sketch_of(sympy.cos(x), (x,), degree=2, box=(-0.5, 0.5), proved=False)
    >>> found.expr, found.bound, found.reached < 0.003, found.latex()
    (1 - 0.5*x**2, None, True, '1 - 0.5 x^{2} \\pm 0.0026\\ \\text{(estimated)}')
    """

    expr: sympy.Expr
    kind: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    bound: float | None
    reached: float

    def __str__(self) -> str:
        error = (
            f"≥ {self.reached:.3g}, estimated"
            if self.bound is None
            else f"≤ {self.bound:.3g}, proved (and ≥ {self.reached:.3g})"
        )
        sides = " × ".join(f"[{a:g}, {b:g}]" for a, b in zip(self.low, self.high, strict=True))
        return f"{self.expr}\n  error on {sides}: {error}"

    def latex(self) -> str:
        """The sketch with its error in LaTeX."""
        bound = self.reached if self.bound is None else self.bound
        number = latex(sympy.oo if bound == math.inf else sympy.Float(bound, 2))
        return rf"{latex(self.expr)} \pm {number}" + (r"\ \text{(estimated)}" if self.bound is None else "")

    def _repr_latex_(self) -> str | None:
        return latex_of(self, self.expr)


def taylor_polynomial(
    f: sympy.Expr, symbols: Sequence[sympy.Symbol], degree: int, around: Sequence | None = None
) -> sympy.Expr:
    """The Taylor polynomial of a total degree about a point, the origin by default, exactly."""
    around = [sympy.S.Zero] * len(symbols) if around is None else [mixed(float(v)) for v in around]
    point = dict(zip(symbols, around, strict=True))
    derivatives = _derivatives(f, symbols, degree)
    return _about(symbols, around, {e: D.xreplace(point) for e, D in derivatives.items()})


def _taylor_in_floats(f: sympy.Expr, symbols: tuple, degree: int, around: np.ndarray) -> sympy.Expr:
    """The same with coefficients of 30 digits, from derivatives that are compiled together."""
    derivatives = _derivatives(f, symbols, degree)
    with mpmath.workdps(30):
        point = [mpmath.mpf(float(a)) for a in around]
        numbers = sympy.lambdify(symbols, list(derivatives.values()), "mpmath", cse=True)(*point)
        numbers = [sympy.Float(sympy.sympify(v), 30) for v in numbers]
    return _about(symbols, [mixed(float(a)) for a in around], dict(zip(derivatives, numbers, strict=True)))


def _derivatives(f: sympy.Expr, symbols: tuple, degree: int) -> dict[tuple[int, ...], sympy.Expr]:
    """∂^e f for all exponents e of a total degree."""
    if degree != int(degree) or degree < 0:
        raise InputError(f"degree is {degree!r}; pass a whole number ≥ 0")
    found: dict = {}
    for e in _powers(len(symbols), degree):
        k = next((k for k, n in enumerate(e) if n), None)
        found[e] = f if k is None else found[(*e[:k], e[k] - 1, *e[k + 1 :])].diff(symbols[k])
    return found


def _about(symbols: tuple, around: Sequence, derivatives: dict) -> sympy.Expr:
    """Σ ∂^e f (v − a)^e / e!, multiplied out; the derivatives are numbers and stay as they are."""
    names = {e: sympy.Dummy() for e in derivatives}
    terms = (
        name * math.prod((v - a) ** n / math.factorial(n) for v, a, n in zip(symbols, around, e, strict=True))
        for e, name in names.items()
    )
    polynomial = sympy.collect(sympy.expand(sympy.Add(*terms)), symbols)
    return polynomial.xreplace({names[e]: number for e, number in derivatives.items()})


def sketch_of(
    f: sympy.Expr,
    symbols: tuple,
    kind: str = "taylor",
    degree: int = 4,
    denominator: int = 2,
    box: ArrayLike = (-1, 1),
    digits: int = 6,
    proved: bool = True,
    most_cells: int = 500,
) -> Sketch:
    """A sketch of any formula; see `LearnedHamiltonian.sketch`."""
    low, high = as_box(box, len(symbols))
    if kind not in ("taylor", "rational"):
        raise InputError(f"kind is {kind!r}; pass 'taylor' or 'rational'")
    if digits != int(digits) or not 1 <= digits <= 15:
        raise InputError(f"digits is {digits!r}; pass a whole number from 1 to 15")
    if kind == "taylor":
        parts = [_taylor_in_floats(f, symbols, degree, (low + high) / 2)]
    else:
        parts = _rational(f, symbols, degree, denominator, low, high)
    rounded = [_rounded(part, symbols, digits) for part in parts]
    expr = rounded[0] if len(parts) == 1 else rounded[0] / rounded[1]
    sides = tuple(map(float, low)), tuple(map(float, high))
    if not proved:
        values = on_nodes(f - expr, symbols, _nodes(low, high, 9))
        return Sketch(expr, kind, *sides, None, float(np.abs(values).max()))
    quick = [sympy.horner(part) if part.free_symbols else part for part in rounded]
    found = supremum(
        f - (quick[0] if len(quick) == 1 else quick[0] / quick[1]),
        symbols,
        (low, high),
        most_cells=most_cells,
    )
    return Sketch(expr, kind, *sides, found.upper, found.lower)


def _rounded(polynomial: sympy.Expr, symbols: tuple, digits: int) -> sympy.Expr:
    """With coefficients of so many digits, and without those that are rounding."""
    terms = sympy.Poly(polynomial, *symbols).terms()
    numbers = [float(c) for _, c in terms]
    least = _LEAST * max(map(abs, numbers), default=0.0)
    kept = [
        _short(c, digits) * sympy.Mul(*(s**k for s, k in zip(symbols, powers, strict=True)))
        for (powers, _), c in zip(terms, numbers, strict=True)
        if abs(c) > least
    ]
    return sympy.Add(*kept)


def _short(number: float, digits: int) -> sympy.Expr:
    number = float(f"{number:.{digits - 1}e}")
    return sympy.Integer(int(number)) if number == int(number) else sympy.Float(number)


def on_nodes(expr: sympy.Expr, symbols: Sequence, nodes: Sequence[np.ndarray]) -> np.ndarray:
    """Values at nodes, one array a variable; a constant has as many."""
    values = np.asarray(sympy.lambdify(symbols, expr, "numpy")(*nodes), dtype=float)
    return np.broadcast_to(values, nodes[0].shape)


def _nodes(low: np.ndarray, high: np.ndarray, count: int) -> list[np.ndarray]:
    """Chebyshev nodes of the second kind, ends included, all combinations of them, one array a variable."""
    if (total := count ** len(low)) > _MOST_NODES:
        raise BudgetExceeded("nodes of a fit", total, _MOST_NODES, "pass lower degrees, or kind='taylor'")
    line = -np.cos(np.pi * np.arange(count) / (count - 1))
    grid = np.meshgrid(*[line] * len(low), indexing="ij")
    return [(a + b) / 2 + (b - a) / 2 * g.ravel() for a, b, g in zip(low, high, grid, strict=True)]


def _rational(f, symbols: tuple, degree: int, denominator: int, low: np.ndarray, high: np.ndarray) -> list:
    """Numerator and denominator."""
    if min(degree, denominator) < 0:
        raise InputError(f"the degrees are {degree} and {denominator}; pass whole numbers ≥ 0")
    count = min(degree + denominator + 3, int(_MOST_NODES ** (1 / len(symbols))))
    nodes = _nodes(low, high, max(count, 3))
    values = on_nodes(f, symbols, nodes)
    middle, half = (low + high) / 2, (high - low) / 2
    scaled = [(x - m) / h for x, m, h in zip(nodes, middle, half, strict=True)]
    above, below = _powers(len(symbols), degree), _powers(len(symbols), denominator)[1:]
    tops, bottoms = (
        np.array([math.prod(u**k for u, k in zip(scaled, e, strict=True)) for e in some])
        .reshape(len(some), len(values))
        .T
        for some in (above, below)
    )
    weights, best = np.ones(len(values)), None
    for _ in range(_ROUNDS):
        matrix = np.hstack([tops, -values[:, None] * bottoms]) * weights[:, None]
        found = np.linalg.lstsq(matrix, values * weights, rcond=None)[0]
        D = 1 + bottoms @ found[len(above) :]
        error = np.inf if (D <= 0).any() else np.abs(tops @ found[: len(above)] / D - values).max()
        if best is None or error < best[0]:
            best = error, found
        weights = 1 / np.maximum(np.abs(D), 1e-3)
    units = [(s - mixed(float(m))) / mixed(float(h)) for s, m, h in zip(symbols, middle, half, strict=True)]

    def polynomial(exponents, numbers) -> sympy.Expr:
        terms = (
            mixed(float(c)) * sympy.Mul(*(u**k for u, k in zip(units, e, strict=True)))
            for e, c in zip(exponents, numbers, strict=True)
        )
        return sympy.expand(sympy.Add(*terms))

    return [polynomial(above, best[1][: len(above)]), 1 + polynomial(below, best[1][len(above) :])]


def _powers(d: int, degree: int) -> list[tuple[int, ...]]:
    """Exponents of total degree at most that, the constant first."""
    return sorted((e for e in product(range(degree + 1), repeat=d) if sum(e) <= degree), key=sum)

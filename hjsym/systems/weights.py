"""How the weights of a layer are written: as numbers, as symbols, or of a large layer as matrix symbols."""

from dataclasses import dataclass, field

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.systems.gates import GATES, Applied
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = [
    "MOST_COORDINATES", "MOST_NUMBERS", "MOST_SYMBOLS", "Weights", "column", "coordinates", "dot", "finite_array",
    "hadamard", "mixed", "pairing",
]  # fmt: skip

MOST_COORDINATES = 64  # of a state that is written out in scalars
MOST_NUMBERS = 4_000  # of a layer that is
MOST_SYMBOLS = 400  # of a layer whose weights are symbols


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights on their way into a formula, and the values of the symbols that stand for them.

    Attributes
    ----------
    form : {"numbers", "symbols", "matrices"}
    parameters : dict of symbol to number or array
        Filled as weights are written.
    """

    form: str
    parameters: dict = field(default_factory=dict)

    @classmethod
    def of(cls, what: str, coordinates: int, numbers: int, symbolic: bool = False) -> "Weights":
        """Numbers for a layer of a readable size, matrix symbols for a larger one; symbols where they are asked for."""
        large = coordinates > MOST_COORDINATES or numbers > MOST_NUMBERS
        if symbolic and (large or numbers > MOST_SYMBOLS):
            raise BudgetExceeded(
                f"symbols for the weights of {what}", numbers, MOST_SYMBOLS,
                "leave out symbolic=True: numbers take their place, and matrix symbols in layers too large for those",
            )  # fmt: skip
        return cls("symbols" if symbolic else "matrices" if large else "numbers")

    @property
    def is_matrix(self) -> bool:
        return self.form == "matrices"

    def matrix(self, name: str, array: ArrayLike) -> sympy.MatrixBase | sympy.MatrixSymbol:
        """An array (m, n); symbols are name_1_1 … name_m_n."""
        array = np.asarray(array)
        if self.is_matrix:
            symbol = sympy.MatrixSymbol(name, *array.shape)
            self.parameters[symbol] = array
            return symbol
        if self.form == "numbers":
            return sympy.Matrix(*array.shape, [mixed(v) for v in array.ravel()])
        entries = [self.scalar(f"{name}_{i + 1}_{j + 1}", v) for (i, j), v in np.ndenumerate(array)]
        return sympy.Matrix(*array.shape, entries)

    def vector(self, name: str, array: ArrayLike) -> sympy.MatrixBase | sympy.MatrixSymbol:
        """An array (m,) as a column; symbols are name_1 … name_m."""
        array = np.asarray(array)
        if self.form == "symbols":
            return sympy.Matrix([self.scalar(f"{name}_{i}", v) for i, v in enumerate(array, 1)])
        return self.matrix(name, array[:, None])

    def scalar(self, name: str, value, **assumptions) -> sympy.Expr:
        """One number; real, unless `assumptions` say more."""
        if self.form != "symbols":
            return mixed(value)
        symbol = sympy.Symbol(name, **(assumptions or {"real": True}))
        self.parameters[symbol] = value
        return symbol

    def state(self, d: int, x: str = "x", p: str = "p") -> tuple:
        """States and momenta as tuples of symbols, x1 … xd, or of one matrix symbol."""
        return _matrix_symbols(d, x, p) if self.is_matrix else _symbols(d, x, p)

    def inputs(self, name: str, m: int) -> sympy.MatrixBase | sympy.MatrixSymbol:
        """A column of m inputs that nothing is known of, name1 … namem."""
        if self.is_matrix:
            return sympy.MatrixSymbol(name, m, 1)
        return sympy.Matrix([sympy.Symbol(f"{name}{k}", real=True) for k in range(1, m + 1)])

    def gate(self, name: str, z):
        """A gate of a column."""
        return Applied(name, z) if self.is_matrix else z.applyfunc(GATES[name][0])


def coordinates(d: int) -> tuple[tuple, tuple]:
    """Real symbols x1 … xd and p1 … pd; matrix symbols x and p of shape (d, 1), alone in a tuple, where that is too
    many."""
    return _matrix_symbols(d, "x", "p") if d > MOST_COORDINATES else _symbols(d, "x", "p")


def _matrix_symbols(d: int, *names: str) -> tuple:
    return tuple((sympy.MatrixSymbol(name, d, 1),) for name in names)


def _symbols(d: int, *names: str) -> tuple:
    return tuple(tuple(sympy.Symbol(f"{name}{k}", real=True) for k in range(1, d + 1)) for name in names)


def column(symbols: tuple):
    """States as a column: a matrix of scalars, or the matrix symbol itself."""
    return symbols[0] if isinstance(symbols[0], sympy.MatrixSymbol) else sympy.Matrix(symbols)


def hadamard(a, b):
    """The product entry by entry of two columns."""
    if isinstance(a, sympy.MatrixBase) and isinstance(b, sympy.MatrixBase):
        return a.multiply_elementwise(b)
    return sympy.hadamard_product(a, b)


def pairing(p: tuple, rates) -> sympy.Expr:
    """p·F of momenta and a column; of matrix symbols a 1 × 1 matrix."""
    return p[0].T * rates if isinstance(p[0], sympy.MatrixSymbol) else dot(p, rates)


def mixed(value) -> sympy.Expr:
    """A number as a rational: a float as the shortest decimal that is read back as it."""
    if isinstance(value, sympy.Basic):
        return value
    if isinstance(value, float | np.floating):
        return sympy.Rational(repr(float(value)))
    return sympy.Rational(int(value.numerator), int(value.denominator))


def dot(row, symbols) -> sympy.Expr:
    """Σ a·v of numbers or expressions a and symbols or expressions v."""
    return sympy.Add(*(mixed(a) * v for a, v in zip(row, symbols, strict=True)))


def finite_array(name: str, value, shape: tuple) -> np.ndarray:
    """A finite float array of a shape, in which None is any length."""
    array = np.asarray(value, dtype=float)
    if array.ndim != len(shape) or any(
        n is not None and n != m for n, m in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join("n" if n is None else str(n) for n in shape)
        raise ShapeError(f"{name} has shape {array.shape}; pass ({wanted})")
    if not np.isfinite(array).all():
        raise InputError(f"{name} has entries that are not finite")
    return array

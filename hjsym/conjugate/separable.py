"""Sums over blocks of coordinates: f(x) = Σ f_i(x_i) has f*(y) = Σ f_i*(y_i)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.derived import Combined
from hjsym.conjugate.domains import Product, Sublevel
from hjsym.conjugate.extended import add
from tropical.errors import InputError, ShapeError

__all__ = ["Separable"]


@dataclass(frozen=True, eq=False)
class Separable(Combined):
    """f(x) = Σ_i f_i(x_i), the variables of the parts taken in order.

    >>> from hjsym.conjugate.radial import Power
    >>> f = Separable([Power(2), Power(1)])                               # x²/2 + |y|
    >>> f.conjugate()([[3.0, 0.5], [3.0, 1.5]])
    array([4.5, inf])
    """

    parts: Sequence[ConvexFunction]

    def __post_init__(self):
        parts = tuple(self.parts)
        if not parts or not all(isinstance(part, ConvexFunction) for part in parts):
            raise InputError("parts are to be one or more functions; make them with as_function")
        object.__setattr__(self, "parts", parts)

    @property
    def variables(self) -> int:
        return sum(part.variables for part in self.parts)

    @property
    def rational(self) -> bool:
        return all(part.rational for part in self.parts)

    @property
    def domain(self):
        sets = tuple(part.domain for part in self.parts)
        if all(hasattr(s, "variables") for s in sets):
            return Product(sets)
        return Sublevel(self)

    def convexity(self) -> Convexity:
        verdicts = [part.convexity() for part in self.parts]
        for verdict in verdicts:
            if verdict.convex is False:  # its witness is one of the part alone
                return Convexity(False, f"a part is not convex: {verdict.reason}")
        if all(verdicts):
            return Convexity(True, "a sum of convex functions of separate variables")
        return next(v for v in verdicts if v.convex is None)

    def conjugate(self) -> "Separable":
        return self._conjugate

    @cached_property
    def _conjugate(self) -> "Separable":
        return Separable([part.conjugate() for part in self.parts])

    def _cut(self, y: np.ndarray) -> list[np.ndarray]:
        return np.split(y, np.cumsum([part.variables for part in self.parts])[:-1], axis=1)

    def _values(self, y: np.ndarray) -> np.ndarray:
        values = [part._values(block) for part, block in zip(self.parts, self._cut(y), strict=True)]
        return (
            reduce(add, values)
            if len({v.dtype for v in values}) == 1 and values[0].dtype != object
            else sum(values)
        )

    def _each(self, call: Callable, y: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [call(part, block) for part, block in zip(self.parts, self._cut(y), strict=True)], axis=1
        )

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        x = self._each(lambda part, block: part._argmax(block), y)
        return np.where((x == x).all(axis=1)[:, None], x, np.nan)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return self._each(lambda part, block: part._prox(block, lam), x)

    def __add__(self, other):
        """The sum part by part, where the parts have the same variables."""
        if isinstance(other, Separable) and [p.variables for p in other.parts] == [
            p.variables for p in self.parts
        ]:
            return Separable([p + q for p, q in zip(self.parts, other.parts, strict=True)])
        if isinstance(other, ConvexFunction) and other.variables != self.variables:
            raise ShapeError(
                f"functions of {self.variables} and {other.variables} variables; give both the same"
            )
        return super().__add__(other)

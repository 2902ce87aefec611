"""Sums: (f + g)* = f* □ g* where the relative interiors of the domains of f and g meet, or both are polyhedral.

Else f* □ g* is not closed, and its closure is meant (R. T. Rockafellar, Convex Analysis, 1970, theorem 16.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.derived import Combined
from hjsym.conjugate.envelope import squared_norm_parameter
from hjsym.conjugate.extended import add
from tropical.errors import InputError, ShapeError

__all__ = ["Sum", "same_variables"]


def same_variables(parts) -> tuple[ConvexFunction, ...]:
    parts = tuple(parts)
    sizes = sorted({part.variables for part in parts})
    if len(parts) < 2 or len(sizes) > 1:
        raise ShapeError(f"got {len(parts)} functions of {sizes} variables; give two or more of the same")
    return parts


@dataclass(frozen=True, eq=False)
class Sum(Combined):
    """f(x) = Σ f_i(x) of functions of the same variables; made by ``f + g``.

    >>> from hjsym.conjugate.radial import Power
    >>> g = Sum([Power(1), Power(2)]).conjugate()                         # ½(|y| − 1)₊²
    >>> g([0.5, 3.0])
    array([0., 2.])
    """

    parts: Sequence[ConvexFunction]

    def __post_init__(self):
        object.__setattr__(self, "parts", same_variables(self.parts))

    def convexity(self) -> Convexity:
        if all(part.convexity() for part in self.parts):
            return Convexity(True, "a sum of convex functions")
        return Convexity(None, "not all summands are proved to be convex")

    def _values(self, y: np.ndarray) -> np.ndarray:
        return reduce(add, (part._values(y) for part in self.parts))

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return sum(part._argmax(y) for part in self.parts)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """Of f + ‖·‖²/2μ it is prox_{κf}(κx/λ), 1/κ = 1/λ + 1/μ."""
        for part, other in ((0, 1), (1, 0)):
            mu = squared_norm_parameter(self.parts[other]) if len(self.parts) == 2 else None
            if mu is not None:
                kappa = 1 / (1 / lam + 1 / mu)
                return self.parts[part]._prox(kappa * x / lam, kappa)
        return super()._prox(x, lam)

    def conjugate(self) -> ConvexFunction:
        if not all(part.convexity() for part in self.parts):
            raise InputError("(f + g)* = f* □ g* needs convex f and g; one of them is not proved to be")
        from hjsym.conjugate.convolution import infimal_convolution

        return infimal_convolution(*(part.conjugate() for part in self.parts))

"""The functions that are +∞ or −∞ everywhere, which are conjugate to each other."""

from dataclasses import dataclass

import numpy as np

from hjsym.conjugate.base import ConvexFunction
from tropical.errors import InputError

__all__ = ["Improper"]


@dataclass(frozen=True, eq=False)
class Improper(ConvexFunction):
    """f ≡ +∞ or f ≡ −∞ on R^d (Rockafellar 1970, section 12): the conjugates of each other.

    >>> f = Improper(np.inf, 2)
    >>> f([[1.0, 2.0]]), f.conjugate()([[1.0, 2.0]])
    (array([inf]), array([-inf]))
    """

    value: float
    dimension: int = 1
    of_hull: bool = False
    method: str = "rule"

    def __post_init__(self):
        if self.value not in (np.inf, -np.inf):
            raise InputError(f"value is {self.value}; pass inf or -inf")

    @property
    def variables(self) -> int:
        return self.dimension

    @property
    def domain(self):
        from hjsym.conjugate.domains import Empty, Space

        return Space(self.dimension) if self.value < 0 else Empty(self.dimension)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.full(len(y), float(self.value))

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.full(y.shape, np.nan)

    def conjugate(self) -> "Improper":
        return Improper(-self.value, self.dimension, self.of_hull)

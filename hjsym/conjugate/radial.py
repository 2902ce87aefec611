"""Even functions of a norm: (φ ∘ ‖·‖)* = φ* ∘ ‖·‖_*, norms, their powers and balls among them.

φ is an even function of one variable, so φ* is even as well (R. T. Rockafellar, Convex Analysis, 1970, theorem 15.3;
the dual norm of ‖·‖_p is ‖·‖_q with 1/p + 1/q = 1).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.domains import Ball, Orthotope, Space, Sublevel, dual_exponent, norm_of
from tropical.errors import InputError, ShapeError

__all__ = ["Power", "Radial", "half_squared_norm", "norm"]


@dataclass(frozen=True, eq=False)
class Power(ConvexFunction):
    """|x|^p/p in one variable, 1 ≤ p ≤ ∞; for p = 1 it is |x|, for p = ∞ the indicator of [−1, 1].

    >>> Power(4).conjugate()([-1.0, 8.0])                                 # ¾|y|^{4/3}
    array([ 0.75, 12.  ])
    """

    p: float
    method: str = "known pair"
    of_hull = False

    def __post_init__(self):
        if not self.p >= 1:
            raise InputError(f"p is {self.p!r}; |x|^p/p is convex for p >= 1")

    @property
    def variables(self) -> int:
        return 1

    @property
    def domain(self):
        return Orthotope(-np.ones(1), np.ones(1)) if self.p == np.inf else Space(1)

    def conjugate(self) -> "Power":
        return Power(dual_exponent(self.p))

    def _values(self, y: np.ndarray) -> np.ndarray:
        size = np.abs(y[:, 0])
        if self.p == np.inf:
            return np.where(size <= 1, 0.0, np.inf)
        with np.errstate(over="ignore"):
            return size**self.p / self.p

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        if self.p == np.inf:
            return np.where(np.abs(y) <= 1, 0.0, np.nan)
        if self.p == 1:
            return np.sign(y)
        with np.errstate(over="ignore"):
            return np.sign(y) * np.abs(y) ** (self.p - 1)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        size = np.abs(x)
        if self.p == np.inf:
            return np.clip(x, -1.0, 1.0)
        if self.p == 1:
            return np.sign(x) * np.maximum(size - lam, 0.0)
        if self.p == 2:
            return x / (1 + lam)
        if self.p == 3:
            return np.sign(x) * 2 * size / (np.sqrt(1 + 4 * lam * size) + 1)
        return super()._prox(x, lam)


@dataclass(frozen=True, eq=False)
class Radial(ConvexFunction):
    """x ↦ φ(‖x‖_p) on R^d for an even convex φ of one variable.

    Parameters
    ----------
    profile : ConvexFunction
        φ. That it is even is checked for `Power` and for expressions; else say so with `even`.
    dimension : int
    p : float
        1 ≤ p ≤ ∞.

    Examples
    --------
    >>> f = Radial(Power(1), 2, 1)                                        # |x| + |y|
    >>> f.conjugate()([[1.0, -1.0], [1.5, 0.0]])                          # the indicator of a square
    array([ 0., inf])
    """

    profile: ConvexFunction
    dimension: int
    p: float = 2
    even: bool | None = None

    def __post_init__(self):
        if self.profile.variables != 1 or not self.p >= 1 or self.dimension < 1:
            raise ShapeError(
                f"profile has {self.profile.variables} variables, p is {self.p}, dimension {self.dimension}; "
                "pass a function of one variable, p >= 1, dimension >= 1"
            )
        if self.even is None and not _is_even(self.profile):
            raise InputError("the profile is not known to be even; pass even=True if it is")

    @property
    def variables(self) -> int:
        return self.dimension

    @property
    def method(self) -> str:
        return self.profile.method

    @property
    def exact(self) -> bool:
        return self.profile.exact

    @property
    def of_hull(self) -> bool:
        return self.profile.of_hull

    @property
    def domain(self):
        if isinstance(self.profile, Power):
            return (
                Ball(self.p, 1.0, np.zeros(self.dimension))
                if self.profile.p == np.inf
                else Space(self.dimension)
            )
        return Sublevel(self)

    def convexity(self) -> Convexity:
        return self.profile.convexity()

    def conjugate(self) -> "Radial":
        return self._conjugate

    @cached_property
    def _conjugate(self) -> "Radial":
        return Radial(self.profile.conjugate(), self.dimension, dual_exponent(self.p), True)

    def _sizes(self, y: np.ndarray) -> np.ndarray:
        """‖y‖, with what is within rounding of 1 in a ball."""
        size = norm_of(y, self.p)
        if isinstance(self.profile, Power) and self.profile.p == np.inf:
            inside = self.domain.contains(y)
            return np.where(inside, np.minimum(size, 1.0), size)
        return size

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self.profile(self._sizes(y))

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        size = self._sizes(y)
        return np.asarray(self.profile.argmax(size))[:, None] * _aligned(y, self.p)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        if self.p != 2 and self.dimension > 1:
            return self._prox_by_entries(x, lam)
        size = norm_of(x, 2)
        shrunk = self.profile._prox(size[:, None], lam)[:, 0]
        return x * np.where(size > 0, shrunk / np.where(size > 0, size, 1.0), 0.0)[:, None]

    def _prox_by_entries(self, x: np.ndarray, lam: float) -> np.ndarray:
        """Closed forms for ‖·‖₁, ‖·‖_∞ and their balls."""
        power = self.profile.p if isinstance(self.profile, Power) else None
        if (self.p, power) == (1, 1):
            return np.sign(x) * np.maximum(np.abs(x) - lam, 0.0)
        if (self.p, power) == (np.inf, np.inf):
            return np.clip(x, -1.0, 1.0)
        if (self.p, power) == (1, np.inf):
            return project_to_cross_polytope(x)
        if (self.p, power) == (np.inf, 1):
            return x - lam * project_to_cross_polytope(x / lam)
        return super()._prox(x, lam)


def project_to_cross_polytope(x: np.ndarray) -> np.ndarray:
    """The points with ‖p‖₁ ≤ 1 nearest to rows of x: soft thresholding, the threshold found by sorting.

    J. Duchi, S. Shalev-Shwartz, Y. Singer, T. Chandra, ICML 2008.
    """
    size = np.abs(x)
    ordered = -np.sort(-size, axis=1)
    thresholds = (np.cumsum(ordered, axis=1) - 1) / np.arange(1, x.shape[1] + 1)
    count = (ordered > thresholds).sum(axis=1) - 1
    threshold = np.where(size.sum(axis=1) > 1, thresholds[np.arange(len(x)), np.maximum(count, 0)], 0.0)
    return np.sign(x) * np.maximum(size - threshold[:, None], 0.0)


def _aligned(y: np.ndarray, p: float) -> np.ndarray:
    """u with ⟨u, y⟩ = ‖y‖_p and dual norm 1; 0 for y = 0."""
    if p == 1:
        return np.sign(y)
    size = norm_of(y, p)[:, None]
    unit = y / np.where(size > 0, size, 1.0)
    if p == np.inf:
        first = np.arange(y.shape[1]) == np.abs(unit).argmax(axis=1)[:, None]
        return np.where(first, np.sign(y), 0.0)
    return np.sign(unit) * np.abs(unit) ** (p - 1)


def _is_even(profile: ConvexFunction) -> bool:
    if isinstance(profile, Power):
        return True
    try:
        expr = profile.expr
    except InputError:
        return False
    (x,) = sorted(expr.free_symbols, key=str) or [None]
    return x is None or (expr.subs(x, -x) - expr).simplify() == 0


def norm(d: int, p: float = 2) -> Radial:
    """‖x‖_p on R^d, whose conjugate is the indicator of the unit ball of the dual norm.

    Parameters
    ----------
    d : int
        The number of variables.
    p : float
        1 ≤ p ≤ ∞.

    Returns
    -------
    Radial

    Examples
    --------
    >>> norm(2).conjugate()([[0.6, 0.8], [0.8, 0.8]])
    array([ 0., inf])
    """
    return Radial(Power(1), d, p)


def half_squared_norm(d: int, p: float = 2) -> Radial:
    """½‖x‖_p², whose conjugate is ½‖y‖_q².

    Parameters
    ----------
    d : int
        The number of variables.
    p : float
        1 ≤ p ≤ ∞; q is its dual, 1/p + 1/q = 1.

    Returns
    -------
    Radial

    Examples
    --------
    >>> float(half_squared_norm(2, 1).conjugate()([3.0, -4.0]))            # half the square of the largest entry
    8.0
    """
    return Radial(Power(2), d, p)

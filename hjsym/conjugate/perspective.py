"""Perspectives (x, t) ↦ t f(x/t) and their conjugates, the indicators of {(y, s) : f*(y) + s ≤ 0}.

For t = 0 the closed perspective is the recession function of f, for t < 0 it is +∞ (R. T. Rockafellar, Convex
Analysis, 1970, section 8; corollary 13.5.1).
"""

from dataclasses import dataclass

import numpy as np

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.derived import Derived
from hjsym.conjugate.extended import add

__all__ = ["EpigraphIndicator", "Perspective", "perspective"]


def perspective(f: ConvexFunction) -> "Perspective":
    """(x, t) ↦ t f(x/t), t the last variable.

    >>> from hjsym.conjugate.radial import half_squared_norm
    >>> g = perspective(half_squared_norm(2))                             # ‖x‖²/2t
    >>> g([[2.0, 0.0, 4.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    array([0.5, inf, 0. ])
    >>> g.conjugate()([[1.0, 1.0, -1.0], [1.0, 1.0, -0.9]])              # s + ½‖y‖² ≤ 0
    array([ 0., inf])
    """
    from hjsym.conjugate.dispatch import as_function

    return Perspective(as_function(f))


@dataclass(frozen=True, eq=False)
class Perspective(Derived):
    """(x, t) ↦ t f(x/t) for t > 0, the recession function of f for t = 0, +∞ for t < 0."""

    function: ConvexFunction

    @property
    def variables(self) -> int:
        return self.function.variables + 1

    def convexity(self):
        return self.function.convexity()

    def conjugate(self) -> "EpigraphIndicator":
        return EpigraphIndicator(self.function)

    def _values(self, y: np.ndarray) -> np.ndarray:
        x, t = y[:, :-1], y[:, -1]
        out = np.full(len(y), np.inf)
        up = t > 0
        out[up] = t[up] * _at(self.function, x[up] / t[up][:, None])
        out[t == 0] = _recession(self.function, x[t == 0])
        return out

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        """(p, −f*(p)) with p a slope of f at x/t."""
        x, t = y[:, :-1], y[:, -1]
        out = np.full(y.shape, np.nan)
        up = np.flatnonzero(t > 0)
        at = x[up] / t[up][:, None]
        p = self.function._argmax(at)
        out[up] = np.column_stack([p, self.function._values(at) - (p * at).sum(axis=1)])
        return out


def _at(f: ConvexFunction, x: np.ndarray) -> np.ndarray:
    return f._everywhere(x, f._values, ())


def _recession(f: ConvexFunction, x: np.ndarray) -> np.ndarray:
    """lim_{s → ∞} (f(a + s x) − f(a))/s, which grows with s; one that has not settled at s = 2^1000 counts as +∞."""
    a = f._anchor()
    base = f._values(a[None])
    with np.errstate(over="ignore", invalid="ignore"):
        near, far = (add(_at(f, a + s * x), -base) / s for s in (2.0**500, 2.0**1000))
    settled = far <= near + 1e-9 * np.abs(near)
    return np.where((x == 0).all(axis=1), 0.0, np.where(settled, far, np.inf))


@dataclass(frozen=True, eq=False)
class EpigraphIndicator(Derived):
    """The indicator of {(y, s) : f*(y) + s ≤ 0}."""

    function: ConvexFunction
    exact = True

    @property
    def variables(self) -> int:
        return self.function.variables + 1

    def conjugate(self) -> Perspective:
        return Perspective(self.function.conjugate().conjugate())

    def _values(self, y: np.ndarray) -> np.ndarray:
        value, s = self.function.conjugate()._values(y[:, :-1]), y[:, -1]
        return np.where(value + s <= 2.0**-50 * np.minimum(np.abs(value), np.abs(s)), 0.0, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.where((self._values(y) == 0)[:, None], np.zeros_like(y), np.nan)

"""Functions that are Python code: conjugates by search, with the best certificate that code allows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hjsym.conjugate._descent import minimise_smooth
from hjsym.conjugate._line import best_of, crossing
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.domains import Sublevel
from hjsym.conjugate.extended import inner
from tropical.errors import InputError, ShapeError

__all__ = ["FromCallable", "NumericConjugate"]

_FAR = 2.0 ** np.array([40, 400])  # where a supremum that is not attained is looked for


@dataclass(frozen=True, eq=False)
class FromCallable(ConvexFunction):
    """f as vectorised Python code: (n, d) points to (n,) values; (n,) numbers to (n,) values for d = 1.

    Parameters
    ----------
    f : callable
        +∞ (or NaN) outside of the domain.
    variables : int
    gradient : callable, optional
        Of the same points, of their shape; by central differences if left out.
    convex : bool, optional
        Whether f is convex. If it is not, what is found may be a local supremum.
    strong_convexity : float
        m ≥ 0 such that f − m‖x‖²/2 is convex. Then gaps are proved; for m = 0 they are estimates.

    Examples
    --------
    >>> f = FromCallable(lambda x: np.cosh(x), 1, np.sinh, strong_convexity=1.0)
    >>> g = f.conjugate()
    >>> y = np.array([-1.0, 0.0, 2.0])
    >>> np.abs(g(y) - (y * np.arcsinh(y) - np.sqrt(1 + y**2))).max() < 1e-15, g.gap(y).max() < 1e-15
    (np.True_, np.True_)
    """

    f: Callable
    variables: int = 1
    gradient: Callable | None = None
    convex: bool | None = None
    strong_convexity: float = 0.0
    exact = False
    method = "numeric"

    def __post_init__(self):
        if not callable(self.f) or not (isinstance(self.variables, int) and self.variables >= 1):
            raise InputError("pass a callable, and variables=d for points of shape (n, d)")
        if not self.strong_convexity >= 0:
            raise InputError(f"strong_convexity is {self.strong_convexity}; pass a number >= 0")

    @property
    def domain(self):
        return Sublevel(self)

    def convexity(self) -> Convexity:
        told = (
            "as was said"
            if self.convex is not None
            else "Python code is not inspected; pass convex=True if it is"
        )
        return Convexity(self.convex, told)

    def _shaped(self, y: np.ndarray) -> np.ndarray:
        return y[:, 0] if self.variables == 1 else y

    def _values(self, y: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            values = np.asarray(self.f(self._shaped(y)), float)
        if values.shape != (len(y),):
            need = f"({len(y)},) for points of shape {self._shaped(y).shape}"
            raise ShapeError(f"f gave shape {values.shape}, and {need} is needed; vectorise it")
        return np.where(values == values, values, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        inside = np.isfinite(self._values(y))
        if self.gradient is None:
            slopes = self._differences(y)
        else:
            with np.errstate(all="ignore"):
                slopes = np.asarray(self.gradient(self._shaped(y)), float)
            if slopes.shape != self._shaped(y).shape:
                raise ShapeError(f"gradient gave shape {slopes.shape}; {self._shaped(y).shape} is needed")
        slopes = slopes.reshape(y.shape)
        return np.where((inside & np.isfinite(slopes).all(axis=1))[:, None], slopes, np.nan)

    def _differences(self, y: np.ndarray) -> np.ndarray:
        step = 2.0**-17 * np.maximum(1.0, np.abs(y))
        columns = []
        for k in range(self.variables):
            e = (np.arange(self.variables) == k) * step
            with np.errstate(invalid="ignore"):
                columns.append((self._values(y + e) - self._values(y - e)) / (2 * step[:, k]))
        return np.column_stack(columns)

    def conjugate(self) -> "NumericConjugate":
        return NumericConjugate(self)


@dataclass(frozen=True, eq=False)
class NumericConjugate(ConvexFunction):
    """sup_x ⟨x, y⟩ − f(x) by search: always a lower bound.

    `gap` is ‖∇f(x) − y‖²/2m for an m-strongly convex f, which is proved; for m = 0 the distance to the tangent value
    at the slope that was met, ⟨x, y − ∇f(x)⟩, an estimate.
    """

    function: FromCallable
    exact = False
    method = "numeric"

    @property
    def variables(self) -> int:
        return self.function.variables

    @property
    def of_hull(self) -> bool:
        return self.function.convex is False

    @property
    def domain(self):
        return Sublevel(self)

    def conjugate(self) -> FromCallable:
        return self.function

    def _search(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, d), NaN where the supremum is not attained, and values."""
        return self._on_line(y[:, 0]) if self.variables == 1 else self._in_space(y)

    def _on_line(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        f, inside = self.function, float(self._start()[0])

        def rise(x: np.ndarray) -> np.ndarray:
            slopes = f._argmax(x[:, None])[:, 0]
            beyond = np.where(x < inside, -np.inf, np.inf)
            return np.where(slopes == slopes, slopes, beyond) - y

        low, high = crossing(rise, np.full(len(y), inside))
        attained = np.isfinite(low) & np.isfinite(high)
        known = [np.where(attained, end, inside) for end in (low, high)]
        x, least = best_of(lambda z: f._values(z[:, None]) - z * y, *known)
        side = np.where(attained, np.sign(x), np.sign(low))
        near, farther = (side * s * y - f._values((side * s)[:, None]) for s in _FAR)
        with np.errstate(invalid="ignore"):
            grows = farther > near + 1e-6 * (1 + np.abs(near))
        limit = np.where(~attained & grows, np.inf, np.maximum(near, farther))
        return np.where(attained, x, np.nan)[:, None], np.maximum(limit, -least)

    def _start(self) -> np.ndarray:
        for size in (0.0, 1.0, -1.0, 0.5, -0.5, 1e-3, -1e-3, 10.0, -10.0):
            point = np.full(self.variables, size)
            if np.isfinite(self.function._argmax(point[None])).all():
                return point
        raise InputError("f has no slope at 0 nor at ±1e-3, ±0.5, ±1, ±10 (in all coordinates); shift it")

    def _in_space(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        f, start = self.function, self._start()
        rows = np.reshape(
            [
                minimise_smooth(
                    lambda x, at=point: float(f._values(x[None])[0] - at @ x),
                    lambda x, at=point: f._argmax(x[None])[0] - at,
                    (start,),
                )
                for point in y
            ],
            y.shape,
        )
        values = inner(rows, y) - f._values(rows)
        lost = (np.abs(rows).max(axis=1) > 1e8) & (values > 1e6)
        return np.where(lost[:, None], np.nan, rows), np.where(lost, np.inf, values)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self._search(y)[1]

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return self._search(y)[0]

    def _gap(self, y: np.ndarray) -> np.ndarray:
        x, _ = self._search(y)
        residual = self.function._argmax(np.where(x == x, x, self._start())) - y
        m = self.function.strong_convexity
        gaps = (residual**2).sum(axis=1) / (2 * m) if m > 0 else np.abs(inner(np.nan_to_num(x), residual))
        return np.where((x == x).all(axis=1), gaps, np.nan)

"""Infimal convolutions (f □ g)(x) = inf_z f(z) + g(x − z), for which (f □ g)* = f* + g* always."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from hjsym.conjugate._descent import minimise_smooth
from hjsym.conjugate._line import best_of, crossing, slopes_of
from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.derived import Combined
from hjsym.conjugate.envelope import MoreauEnvelope, squared_norm_parameter
from hjsym.conjugate.extended import add, inner
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.polyhedral import PolyhedralConjugate
from hjsym.conjugate.quadratic import Quadratic
from hjsym.conjugate.separable import Separable
from hjsym.conjugate.sums import same_variables
from hjsym.errors import UndecidedError
from tropical.errors import InputError

__all__ = ["InfimalConvolution", "infimal_convolution"]

_TOLERANCE = 1e-6  # relative gap between the bounds of a value beyond which it counts as not found


@dataclass(frozen=True, eq=False)
class InfimalConvolution(Combined):
    """(f □ g)(x) = inf_z f(z) + g(x − z), and so on for more than two.

    Notes
    -----
    Exact where a rule gives it (see `infimal_convolution`). Else in one variable by bisection on the subgradients,
    down to neighbouring floats; in more by minimising over z. `gap` is f*(y) + g*(y) + (f □ g)(x) − ⟨x, y⟩ for a
    slope y of f at z, which bounds the error.

    Examples
    --------
    >>> from hjsym.conjugate.radial import Power
    >>> huber = InfimalConvolution([Power(1), Power(2)])
    >>> huber([0.5, 3.0])
    array([0.125, 2.5  ])
    """

    parts: Sequence[ConvexFunction]
    method = "numeric"
    exact = False

    def __post_init__(self):
        object.__setattr__(self, "parts", same_variables(self.parts))

    def conjugate(self) -> ConvexFunction:
        return self._conjugate

    @cached_property
    def _conjugate(self) -> ConvexFunction:
        return reduce(lambda f, g: f + g, [part.conjugate() for part in self.parts])

    @cached_property
    def _pair(self) -> tuple[ConvexFunction, ConvexFunction]:
        first, *rest = self.parts
        return first, rest[0] if len(rest) == 1 else InfimalConvolution(rest)

    def _bounds(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Upper and lower bounds of values at x (n, d), and slopes y that give the lower ones."""
        if self.variables == 1:
            return self._bounds_from(x, self._split_line(x[:, 0])[:, None])
        found = [self._search(point) for point in x]
        upper, lower, slopes = (
            (np.array(part) for part in zip(*found, strict=True)) if found else (x[:, 0], x[:, 0], x)
        )
        return upper, lower, slopes.reshape(x.shape)

    def _bounds_from(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """By the slopes of f at z and of g at x − z."""
        f, g = self._pair
        upper = add(f._values(z), g._values(x - z))
        slopes = [f._argmax(z), g._argmax(x - z)]
        lower = [self._dual(x, s) for s in slopes]
        best = np.where((lower[0] >= lower[1])[:, None], *slopes)
        return upper, np.maximum(*lower), best

    def _dual(self, x: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """⟨x, y⟩ − f*(y) − g*(y), −∞ where there is no slope y."""
        some = (slopes == slopes).all(axis=1)
        y = np.where(some[:, None], slopes, 0.0)
        f, g = self._pair
        total = add(f.conjugate()._values(y), g.conjugate()._values(y))
        return np.where(some, inner(x, y) - total, -np.inf)

    def _split_line(self, x: np.ndarray) -> np.ndarray:
        """z with f(z) + g(x − z) least, in one variable."""
        f, g = self._pair
        low, high = f._anchor()[0], g._anchor()[0]
        slopes_f, slopes_g = slopes_of(f, low), slopes_of(g, high)

        def rise(z: np.ndarray) -> np.ndarray:
            a, b = slopes_f(z), slopes_g(x - z)
            return np.where(np.isinf(a), a, a - b)

        ends = crossing(rise, np.where(np.isfinite(f._values((x - high)[:, None])), x - high, low))
        ends = [np.where(np.isfinite(end), end, x - high) for end in ends]
        return best_of(lambda z: add(f._values(z[:, None]), g._values((x - z)[:, None])), *ends)[0]

    def _search(self, x: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Bounds and a slope at one point, first by the dual problem, which is the smoother one for most f and g."""
        f, g = self._pair
        a, b = f.conjugate(), g.conjugate()
        row, upper, lower, best = x[None], np.inf, -np.inf, np.full(len(x), np.nan)

        def improve(y: np.ndarray, *candidates: np.ndarray) -> None:
            nonlocal upper, lower, best
            value = float(self._dual(row, y[None])[0])
            if value > lower:
                lower, best = value, y
            for z in candidates:
                if np.isfinite(z).all():
                    upper = min(upper, float(add(f._values(z[None]), g._values((x - z)[None]))[0]))

        y = minimise_smooth(
            lambda y: -float(self._dual(row, y[None])[0]),
            lambda y: (a._argmax(y[None]) + b._argmax(y[None]))[0] - x,
            (a._anchor(), b._anchor()),
        )
        if np.abs(y).max() > 1e8 and -self._dual(row, y[None])[0] < -1e6:
            return np.inf, np.inf, np.full(len(x), np.nan)
        improve(y, a._argmax(y[None])[0], x - b._argmax(y[None])[0])
        if upper - lower > _TOLERANCE * (1 + abs(lower)) / 1000:
            z = minimise_smooth(
                lambda z: float(add(f._values(z[None]), g._values((x - z)[None]))[0]),
                lambda z: (f._argmax(z[None]) - g._argmax((x - z)[None]))[0],
                (a._argmax(y[None])[0], f._anchor(), x - g._anchor()),
            )
            for slope in (f._argmax(z[None])[0], g._argmax((x - z)[None])[0]):
                improve(slope, z)
        return upper, lower, best

    def _values(self, y: np.ndarray) -> np.ndarray:
        upper, lower, _ = self._bounds(y)
        with np.errstate(invalid="ignore"):
            open_ = (upper < np.inf) | (lower > -np.inf)
            wide = open_ & ~(upper - lower <= _TOLERANCE * (1 + np.abs(lower))) & (lower < np.inf)
        if self.variables > 1 and wide.any():
            k = int(wide.argmax())
            raise InputError(
                f"(f □ g)({y[k]}) is only known to be between {lower[k]:.6g} and {upper[k]:.6g}: kinks stop a "
                "quasi-Newton method; give polyhedral, quadratic or separable f and g"
            )
        return upper

    def _gap(self, y: np.ndarray) -> np.ndarray:
        upper, lower, _ = self._bounds(y)
        with np.errstate(invalid="ignore"):
            return np.where(lower > -np.inf, upper - lower, np.nan)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return self._bounds(y)[2]


def infimal_convolution(*parts: ConvexFunction) -> ConvexFunction:
    """(f □ g)(x) = inf_z f(z) + g(x − z) of what `as_function` takes, exactly where a rule gives it.

    Of polyhedral conjugates and of quadratic functions it is one; of convex formulas in one variable it is a formula
    where f* + g* has a conjugate as one; of separable functions of one variable each it is taken in each; with ‖·‖²/2λ
    it is a Moreau envelope.

    Parameters
    ----------
    *parts : ConvexFunction, or what `as_function` takes
        Two or more, of the same variables.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> from hjsym.conjugate.radial import Power
    >>> infimal_convolution(Power(2), Power(2))([2.0])                    # x²/4
    array([1.])
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> infimal_convolution(sympy.Abs(x), x**2 / 2).expr                 # Huber's function
    Piecewise((x**2/2, Abs(x) <= 1), (Abs(x) - 1/2, True))
    """
    from hjsym.conjugate.dispatch import as_function

    return reduce(_convolved, same_variables(map(as_function, parts)))


def _convolved(f: ConvexFunction, g: ConvexFunction) -> ConvexFunction:
    for improper in (h for h in (f, g) if isinstance(h, Improper)):
        return improper
    formula = _as_formula(f, g)
    if formula is not None:
        return formula
    for kind in (PolyhedralConjugate, Quadratic):
        if isinstance(f, kind) and isinstance(g, kind):
            return (f.conjugate() + g.conjugate()).conjugate()
    if all(isinstance(h, Separable) and len(h.parts) == h.variables for h in (f, g)):
        return Separable([_convolved(p, q) for p, q in zip(f.parts, g.parts, strict=True)])
    for one, other in ((f, g), (g, f)):
        lam = squared_norm_parameter(other)
        if lam is not None:
            return MoreauEnvelope(one, lam)
    return InfimalConvolution([f, g])


def _as_formula(f: ConvexFunction, g: ConvexFunction) -> ConvexFunction | None:
    """(f* + g*)* of two convex formulas, which is f □ g where that is closed; None where it is no formula."""
    from hjsym.conjugate.symbolic.function import SymbolicFunction
    from hjsym.conjugate.symbolic.read import symbolic_function

    if not all(isinstance(h, SymbolicFunction) and h.convexity() for h in (f, g)):
        return None
    a, b = f.conjugate(), g.conjugate()
    if not all(isinstance(h, SymbolicFunction) for h in (a, b)):
        return None
    total = a.expr + b.expr.subs(b.symbol, a.symbol)
    try:
        found = symbolic_function(total, a.symbol, a.domain & b.domain, f.symbol).conjugate()
    except (InputError, UndecidedError):
        return None
    return found if isinstance(found, SymbolicFunction) else None

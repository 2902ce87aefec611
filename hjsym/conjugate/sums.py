"""Sums and infimal convolutions, which are conjugate: (f □ g)* = f* + g*, and (f + g)* = f* □ g*.

The first holds always. The second holds where the relative interiors of the domains of f and g meet, or both are
polyhedral (R. T. Rockafellar, Convex Analysis, 1970, theorem 16.4); else f* □ g* is not closed, and its closure is meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from hjsym.conjugate._line import best_of, crossing, slopes_of, sum_at
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.domains import Sublevel
from hjsym.conjugate.envelope import MoreauEnvelope, squared_norm_parameter
from hjsym.conjugate.extended import add, inner
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.polyhedral import PolyhedralConjugate
from hjsym.conjugate.quadratic import Quadratic
from hjsym.conjugate.separable import Separable
from tropical.errors import InputError, ShapeError

__all__ = ["InfimalConvolution", "Sum", "infimal_convolution"]


def _checked(parts) -> tuple[ConvexFunction, ...]:
    parts = tuple(parts)
    sizes = sorted({part.variables for part in parts})
    if len(parts) < 2 or len(sizes) > 1:
        raise ShapeError(f"got {len(parts)} functions of {sizes} variables; give two or more of the same")
    return parts


@dataclass(frozen=True, eq=False)
class Sum(ConvexFunction):
    """f(x) = Σ f_i(x) of functions of the same variables; made by ``f + g``.

    >>> from hjsym.conjugate.radial import Power
    >>> g = Sum([Power(1), Power(2)]).conjugate()                         # ½(|y| − 1)₊²
    >>> g([0.5, 3.0])
    array([0., 2.])
    """

    parts: Sequence[ConvexFunction]
    method = "rule"

    def __post_init__(self):
        object.__setattr__(self, "parts", _checked(self.parts))

    @property
    def variables(self) -> int:
        return self.parts[0].variables

    @property
    def exact(self) -> bool:
        return all(part.exact for part in self.parts)

    @property
    def of_hull(self) -> bool:
        return any(part.of_hull for part in self.parts)

    @property
    def domain(self):
        return Sublevel(self)

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
        return infimal_convolution(*(part.conjugate() for part in self.parts))


@dataclass(frozen=True, eq=False)
class InfimalConvolution(ConvexFunction):
    """(f □ g)(x) = inf_z f(z) + g(x − z), and so on for more than two.

    Notes
    -----
    Exact where a rule gives it (see `infimal_convolution`). Else in one variable by bisection on the subgradients, down to
    neighbouring floats; in more by minimising over z. `gap` is f*(y) + g*(y) + (f □ g)(x) − ⟨x, y⟩ for a slope y of
    f at z, which bounds the error.

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
        object.__setattr__(self, "parts", _checked(self.parts))

    @property
    def variables(self) -> int:
        return self.parts[0].variables

    @property
    def of_hull(self) -> bool:
        return any(part.of_hull for part in self.parts)

    @property
    def domain(self):
        return Sublevel(self)

    def conjugate(self) -> ConvexFunction:
        return self._conjugate

    @cached_property
    def _conjugate(self) -> ConvexFunction:
        return reduce(lambda f, g: f + g, [part.conjugate() for part in self.parts])

    @cached_property
    def _pair(self) -> tuple[ConvexFunction, ConvexFunction]:
        first, *rest = self.parts
        return first, rest[0] if len(rest) == 1 else InfimalConvolution(rest)

    def split(self, x: np.ndarray) -> np.ndarray:
        """z (n, d) with (f □ g)(x) = f(z) + g(x − z) for points x (n, d), f the first part and g the others."""
        return self._split_line(x[:, 0])[:, None] if self.variables == 1 else self._split_space(x)

    def _split_line(self, x: np.ndarray) -> np.ndarray:
        f, g = self._pair
        low, high = f._anchor()[0], g._anchor()[0]
        slopes_f, slopes_g = slopes_of(f, low), slopes_of(g, high)

        def rise(z: np.ndarray) -> np.ndarray:
            a, b = slopes_f(z), slopes_g(x - z)
            return np.where(np.isinf(a), a, a - b)

        ends = crossing(rise, np.where(np.isfinite(f._values((x - high)[:, None])), x - high, low))
        ends = [np.where(np.isfinite(end), end, x - high) for end in ends]
        return best_of(lambda z: add(f._values(z[:, None]), g._values((x - z)[:, None])), *ends)[0]

    def _split_space(self, x: np.ndarray) -> np.ndarray:
        from hjsym.conjugate._descent import minimise_smooth

        f, g = self._pair
        rows = []
        for point in x:
            def value(z, point=point):
                return float(sum_at(f._values(z[None]), g._values((point - z)[None]))[0])

            def slope(z, point=point):
                return (f._argmax(z[None]) - g._argmax((point - z)[None]))[0]

            starts = (f._anchor(), point - g._anchor())
            rows.append(minimise_smooth(value, slope, starts))
        return np.reshape(rows, x.shape)

    def _values(self, y: np.ndarray) -> np.ndarray:
        f, g = self._pair
        z = self.split(y)
        return add(f._values(z), g._values(y - z))

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        """The slope of f at z, or of g at x − z, that is nearer to being one of both."""
        f, g = self._pair
        z, dual = self.split(y), self.conjugate()
        a, b = f._argmax(z), g._argmax(y - z)
        bound = [np.where((s == s).all(axis=1), inner(s, y) - _at(dual, s), -np.inf) for s in (a, b)]
        slope = np.where((bound[0] >= bound[1])[:, None], a, b)
        return np.where(np.isfinite(np.maximum(*bound))[:, None], slope, np.nan)


def _at(f: ConvexFunction, x: np.ndarray) -> np.ndarray:
    return f._everywhere(x, f._values, ())


def infimal_convolution(*parts: ConvexFunction) -> ConvexFunction:
    """(f □ g)(x) = inf_z f(z) + g(x − z), exactly where a rule gives it.

    Of polyhedral conjugates and of quadratic functions it is one; of separable functions of one variable each it is taken
    in each; with ‖·‖²/2λ it is a Moreau envelope.

    >>> from hjsym.conjugate.radial import Power
    >>> infimal_convolution(Power(2), Power(2))([2.0])                    # x²/4
    array([1.])
    """
    return reduce(_convolved, _checked(parts))


def _convolved(f: ConvexFunction, g: ConvexFunction) -> ConvexFunction:
    for improper in (h for h in (f, g) if isinstance(h, Improper)):
        return improper
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

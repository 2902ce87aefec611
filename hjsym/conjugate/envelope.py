"""Proximal points and Moreau envelopes: e_λf(x) = min_p f(p) + ‖x − p‖²/2λ, attained at p = prox_{λf}(x).

prox_{λf}(x) + λ prox_{f*/λ}(x/λ) = x and e_λf(x) + e_{1/λ}f*(x/λ) = ‖x‖²/2λ for closed convex f (J.-J. Moreau, Bull.
Soc. Math. France 93, 1965); for others they are wrong, and refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.conjugate._line import best_of, crossing, slopes_of
from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.derived import Derived
from hjsym.conjugate.domains import Space
from hjsym.conjugate.extended import add
from hjsym.conjugate.extended import inner as inner_product
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.radial import Power, Radial, half_squared_norm
from hjsym.conjugate.rules import Transformed
from hjsym.errors import NotConvexError
from tropical.errors import InputError

_TOLERANCE = 1e-9  # of the gap of a proximal point found by search, relative to its terms

__all__ = ["MoreauEnvelope", "moreau_envelope", "prox", "squared_norm_parameter"]


def prox(f: ConvexFunction, lam: float, x: ArrayLike | None = None) -> np.ndarray | Callable:
    """prox_{λf}(x) = argmin_p f(p) + ‖x − p‖²/2λ, of the shape of x; the map itself if no x is given.

    Parameters
    ----------
    f : ConvexFunction, or what `as_function` takes
        Convex and proper.
    lam : float
        λ > 0.
    x : array, optional
        Points (..., d); numbers in one variable.

    Returns
    -------
    array, or a callable
        Without x, of a SymPy expression in one variable a `ProximalMap`, which has a formula too, and a λ that may be a
        symbol; of anything else a function of points.

    Raises
    ------
    NotConvexError
        f is not convex: the nearest points may be many, and Moreau's identities fail.

    Notes
    -----
    Closed forms where there are some; else in one variable bisection on x ∈ p + λ∂f(p) down to neighbouring floats,
    and in more a quasi-Newton method.

    Examples
    --------
    >>> from hjsym.conjugate.radial import norm
    >>> prox(norm(2), 1.0, [3.0, 4.0])                                    # block soft thresholding
    array([2.4, 3.2])
    >>> import sympy
    >>> prox(sympy.Abs(sympy.Symbol("x", real=True)), 1).expr             # soft thresholding
    Piecewise((0, Abs(x) <= 1), (Abs(x) - 1, True))*sign(x)
    """
    if x is None:
        return _map_of(f, lam)
    f, lam = _checked(f, lam)
    points, _ = f._points(x)
    found = f._everywhere(points, lambda p: f._prox(p.astype(float), lam), (f.variables,))
    return found.reshape(np.shape(x))[()]


def _map_of(f, lam) -> Callable:
    if isinstance(f, sympy.Expr) and len(f.free_symbols) == 1:
        from hjsym.conjugate.symbolic.prox import symbolic_prox
        from hjsym.conjugate.symbolic.read import symbolic_function

        return symbolic_prox(symbolic_function(f, *f.free_symbols), lam)
    f, lam = _checked(f, lam)
    return partial(prox, f, lam)


def moreau_envelope(f: ConvexFunction, lam: float) -> ConvexFunction:
    """e_λf(x) = min_p f(p) + ‖x − p‖²/2λ, whose conjugate is f* + λ‖·‖²/2.

    Parameters
    ----------
    f : ConvexFunction, or what `as_function` takes
        Convex and proper.
    lam : float
        λ > 0.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> from hjsym.conjugate.radial import Power
    >>> moreau_envelope(Power(1), 1.0)([0.5, 3.0])                        # Huber's function
    array([0.125, 2.5  ])
    """
    f, lam = _checked(f, lam, proper=False)
    return f if isinstance(f, Improper) else MoreauEnvelope(f, lam)


def _checked(f, lam: float, proper: bool = True) -> tuple[ConvexFunction, float]:
    from hjsym.conjugate.dispatch import as_function

    f, lam = as_function(f), float(lam)
    if not (np.isfinite(lam) and lam > 0):
        raise InputError(f"lam is {lam}; pass a finite number > 0")
    verdict = f.convexity()
    if verdict.convex is False:
        raise NotConvexError(
            f"f is not convex ({verdict.reason}); take its hull, conjugate(f).conjugate()", verdict.witness
        )
    if proper and isinstance(f, Improper):
        raise InputError(f"f is {f.value} everywhere and has no proximal point; pass a proper function")
    return f, lam


@dataclass(frozen=True, eq=False)
class MoreauEnvelope(Derived):
    """e_λf of a proper closed convex f: finite and differentiable on R^d, with gradient (x − prox_{λf}(x))/λ."""

    function: ConvexFunction
    lam: float

    @property
    def domain(self) -> Space:
        return Space(self.variables)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self.function._envelope(y, self.lam)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return (y - self.function._prox(y, self.lam)) / self.lam

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return x + lam / (lam + self.lam) * (self.function._prox(x, lam + self.lam) - x)

    def conjugate(self) -> ConvexFunction:
        return self.function.conjugate() + self.lam * half_squared_norm(self.variables)


def squared_norm_parameter(f: ConvexFunction) -> float | None:
    """λ where f is ‖·‖₂²/2λ, else None."""
    if isinstance(f, Transformed):
        lam = squared_norm_parameter(f.function)
        plain = not (f.offset.any() or f.slope.any() or f.constant)
        return lam / (f.scale * f.dilation**2) if lam is not None and plain else None
    if isinstance(f, Radial) and (f.p == 2 or f.variables == 1):
        return squared_norm_parameter(f.profile)
    return 1.0 if isinstance(f, Power) and f.p == 2 else None


def prox_by_search(f: ConvexFunction, x: np.ndarray, lam: float) -> np.ndarray:
    """Without a closed form."""
    if f.variables > 1:
        return _prox_in_space(f, x, lam)
    inner = float(f._anchor()[0])
    slopes, at = slopes_of(f, inner), x[:, 0]
    low, high = crossing(lambda p: slopes(p) + (p - at) / lam, np.full(len(x), inner))
    return best_of(lambda p: add(f._values(p[:, None]), (at - p) ** 2 / (2 * lam)), low, high)[0][:, None]


def _prox_in_space(f: ConvexFunction, x: np.ndarray, lam: float) -> np.ndarray:
    from hjsym.conjugate._descent import minimise_smooth

    inner, rows = f._anchor(), []
    for point in x:
        rows.append(
            minimise_smooth(
                lambda p, at=point: float(f._values(p[None])[0]) + ((at - p) ** 2).sum() / (2 * lam),
                lambda p, at=point: f._argmax(p[None])[0] + (p - at) / lam,
                (point, inner),
            )
        )
    found = np.reshape(rows, x.shape)
    y = (x - found) / lam
    gap = add(add(f._values(found), f.conjugate()._values(y)), -inner_product(found, y))
    size = 1 + np.abs(f._values(found)) + (np.abs(found) * np.abs(y)).sum(axis=1)
    if not (gap <= _TOLERANCE * size).all():
        raise InputError(
            f"the proximal point of a {type(f).__name__} in {f.variables} variables was not found: the gap is "
            f"{np.nanmax(gap):.2g}; kinks stop a quasi-Newton method, use a separable or polyhedral form"
        )
    return found


def envelope_of_conjugate(f: ConvexFunction, x: np.ndarray, lam: float) -> np.ndarray:
    """e_λ of f*: at p = x − λq, q = prox_{f/λ}(x/λ), f*(p) = ⟨p, q⟩ − f(q), whatever rounding does to p."""
    q = f._prox(x / lam, 1 / lam)
    p = x - lam * q
    return inner_product(p, q) - f._values(q) + lam * (q**2).sum(axis=1) / 2


def find_anchor(f: ConvexFunction) -> np.ndarray:
    """A point of the domain: 0, or a maximiser of f*, or a point near 0."""
    d = f.variables
    tried = [np.zeros(d)]
    dual, eye = f.conjugate(), np.eye(d)
    slopes = np.concatenate(
        [np.zeros((1, d)), *(s * np.concatenate([eye, np.ones((1, d))]) for s in (1.0, -1.0, 0.1, -0.1))]
    )
    tried += list(dual._argmax(slopes))
    tried += [s * np.ones(d) for s in (0.5, -0.5, 1.0, -1.0, 1e-3, -1e-3, 10.0, -10.0)]
    for point in tried:
        if np.isfinite(point).all() and np.isfinite(f._values(point[None])[0]):
            return point
    raise InputError("no point of the domain was found; shift f so that 0 lies in it")

"""Viscous solutions by Hopf–Cole and quadrature in the log domain, from any initial data.

u_t + κ|∇u|² = νΔu with u(·, 0) = g has the solution

    u(x, t) = −ε log E exp(−g(x + √(2νt) Z)/ε),    ε = ν/κ,  Z a standard normal vector of R^d,

of which the exponent alone is summed: nothing over- or underflows however small ε is. Gradients come from the
same sum: with y the point at which g is read and π its Gibbs weights, ∇u = E_π[x − y]/2κt and
∇²u = (I − Cov_π(y)/2νt)/2κt ≤ I/2κt.

Sources: E. Hopf (1950), J. D. Cole (1951); for the trapezoidal rule on the line L. N. Trefethen, J. A. C. Weideman,
"The exponentially convergent trapezoidal rule", SIAM Review 56 (2014), section 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, special

from hjsym.solutions._input import positive_numbers
from tropical._arrays import as_points
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["Viscous", "hopf_cole", "hopf_cole_radial"]

_UNSEEN = 45.0  # below the largest exponent: e^-45 of a sum is beyond rounding
_MOST_NODES = 50_000_000  # evaluations of g in one call


class Viscous(NamedTuple):
    """A viscous solution at some points.

    Attributes
    ----------
    value : (...) array
        u.
    gradient : (..., d) array
        ∇u.
    hessian : (..., d, d) array
        ∇²u.
    error : (...) array
        An estimate: how far the values are from those of the rule with every other node.

    Examples
    --------
    >>> u = hopf_cole(lambda y: y[..., 0] ** 2 / 2, [[1.0]], t=1.0, kappa=0.5, nu=0.1)
    >>> u.value.shape, u.gradient.round(9), u.hessian.round(9), bool(u.error < 1e-12)
    ((1,), array([[0.5]]), array([[[0.5]]]), True)
    """

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    error: np.ndarray


def hopf_cole(
    g: Callable[[np.ndarray], ArrayLike],
    x: ArrayLike,
    t: float,
    *,
    kappa: float = 1.0,
    nu: float = 1.0,
    nodes: int = 201,
) -> Viscous:
    """The solution of u_t + κ|∇u|² = νΔu from g, at points x and time t, by the trapezoidal rule.

    Parameters
    ----------
    g : callable
        Takes points (..., d), returns values (...); +∞ outside a domain is allowed.
    x : (..., d) array
        Points, d ≤ 3; more variables need `hopf_cole_radial` or `Mixture`.
    t : float
        Time > 0.
    kappa, nu : float
        κ, ν > 0; the temperature is ε = ν/κ.
    nodes : int
        Nodes along each axis, odd. They are laid where the integrand is above e⁻⁴⁵ of its largest value.

    Returns
    -------
    Viscous
        Values, gradients, and an estimate of the error.

    Raises
    ------
    InputError
        Parameters that are not positive, an even number of nodes, values of g that are NaN or all +∞; data that fall
        faster than −|y|²/4κt, from which there is no solution at that time.
    ShapeError
        d > 3, or values of g of another shape.
    BudgetExceeded
        More than 5·10⁷ values of g, saying how many.

    Notes
    -----
    The rule converges geometrically for smooth g once its spacing is below √(2νt), and in second order where g has
    kinks. A well of g that is narrower than a twentieth of √(2νt) and far away can be missed. Cost: nodes^d values
    of g a point, and a few hundred to find where they count.

    Examples
    --------
    >>> u = hopf_cole(lambda y: y[..., 0] ** 2 / 2, [[1.0], [3.0]], t=1.0, kappa=0.5, nu=0.1)
    >>> exact = np.array([1.0, 9.0]) / 4 + 0.1 * np.log(2)               # x²/2(1 + t) + (ε/2) log(1 + t), ε = 0.2
    >>> bool(abs(u.value - exact).max() < 1e-14), u.gradient.ravel().round(12)
    (True, array([0.5, 1.5]))
    """
    x = np.asarray(x, dtype=float)
    if x.ndim == 0 or not 1 <= x.shape[-1] <= 3:
        raise ShapeError(f"x has shape {x.shape}; pass points (..., d) with d ≤ 3, or use hopf_cole_radial")
    x = as_points(x, x.shape[-1], np.dtype(np.float64))
    t, kappa, nu = positive_numbers(t=t, kappa=kappa, nu=nu)
    if nodes < 5 or nodes % 2 == 0:
        raise InputError(f"nodes is {nodes}; pass an odd number from 5")
    d, count = x.shape[-1], nodes ** x.shape[-1] * math.prod(x.shape[:-1])
    if count > _MOST_NODES:
        raise BudgetExceeded("values of g", count, _MOST_NODES, "pass fewer points at a time, or fewer nodes")
    integrand = _Integrand(g, nu / kappa, math.sqrt(2 * nu * t))
    centre, radius = integrand.window(x)
    exponents, displacements = integrand.on_grid(x, centre, radius, nodes)
    axes, every = tuple(range(-d, 0)), (..., *[slice(None, None, 2)] * d)
    total, coarse = special.logsumexp(exponents, axes), special.logsumexp(exponents[every], axes)
    cell = d * math.log(2 * radius / (nodes - 1) / (integrand.deviation * math.sqrt(2 * math.pi)))
    weights = np.exp(exponents - special.logsumexp(exponents, axes, keepdims=True))
    points = displacements.reshape(*x.shape[:-1], -1, d)
    weights = weights.reshape(*x.shape[:-1], -1)
    mean = np.einsum("...n,...nd->...d", weights, points)
    spread = points - mean[..., None, :]
    covariance = np.einsum("...n,...nd,...ne->...de", weights, spread, spread)
    hessian = (np.eye(d) - covariance / integrand.deviation**2) / (2 * kappa * t)
    error = integrand.eps * np.abs(total - coarse - d * math.log(2))
    return Viscous(-integrand.eps * (total + cell), -mean / (2 * kappa * t), hessian, error)


@dataclass(frozen=True)
class _Integrand:
    """exp(−g(y)/ε − |y − x|²/2σ²), by its exponent."""

    g: Callable
    eps: float
    deviation: float

    def on_grid(self, x, centre, radius: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        """Exponents (..., nodes, …) and displacements y − x on a cube around x + centre."""
        d = x.shape[-1]
        line = np.linspace(-radius, radius, nodes)
        cube = np.stack(np.meshgrid(*[line] * d, indexing="ij"), axis=-1)
        displacements = centre[(..., *[None] * d, slice(None))] + cube
        y = x[(..., *[None] * d, slice(None))] + displacements
        squares = (displacements**2).sum(axis=-1) / (2 * self.deviation**2)
        return -_values(self.g, y) / self.eps - squares, displacements

    def window(self, x: np.ndarray) -> tuple[np.ndarray, float]:
        """Where the exponent is largest beside each x, and a radius beyond which it is 45 below that."""
        d = x.shape[-1]
        coarse = (401, 61, 25)[d - 1]
        centre, radius = np.zeros_like(x), 9 * self.deviation
        inside = (..., *[slice(1, -1)] * d)
        for _ in range(40):
            exponents, displacements = self.on_grid(x, centre, radius, coarse)
            top = exponents.max(axis=tuple(range(-d, 0)), keepdims=True)
            seen = exponents >= top - _UNSEEN
            border = seen.copy()
            border[inside] = False
            if border.any() or np.isneginf(top).any():
                radius *= 2
                continue
            flat = exponents.reshape(*x.shape[:-1], -1).argmax(axis=-1)[..., None, None]
            best = np.take_along_axis(displacements.reshape(*x.shape[:-1], -1, d), flat, axis=-2)[..., 0, :]
            away = np.abs(displacements - best[(..., *[None] * d, slice(None))]).max(axis=-1)
            needed = away[seen].max() + 4 * radius / (coarse - 1)
            centre = best
            if needed >= 0.7 * radius:
                return centre, needed
            radius = needed
        raise InputError(
            "g falls as fast as −|y|²/4κt, or is +inf all around a point; there is no solution at this time then"
        )


def hopf_cole_radial(
    g: Callable[[np.ndarray], ArrayLike],
    r: ArrayLike,
    t: float,
    *,
    d: int,
    kappa: float = 1.0,
    nu: float = 1.0,
) -> np.ndarray:
    """The same solution from data g(|y|) on R^d, at distance r from the origin, in any dimension.

    |x + √(2νt) Z|² is 2νt times a noncentral χ² variable of d degrees of freedom, so one integral in one variable
    is left, whatever d is.

    Parameters
    ----------
    g : callable
        The data as a function of the distance ρ ≥ 0, elementwise.
    r : array
        Distances |x| ≥ 0.
    t, kappa, nu : float
        As in `hopf_cole`.
    d : int
        The dimension, ≥ 1.

    Returns
    -------
    array
        u, of the shape of r; the quadrature is asked for 12 digits of exp(−u/ε).

    Examples
    --------
    The stochastic control problem u_t + Δu = λ|∇u|² in 100 dimensions with u(x, 1) = log((1 + |x|²)/2), at the
    origin and time 0 (J. Han, A. Jentzen, W. E, PNAS 115 (2018), section 3.2):

    >>> u = hopf_cole_radial(lambda s: np.log((1 + s**2) / 2), 0.0, t=1.0, d=100)
    >>> float(u.round(9))
    4.590161725
    """
    t, kappa, nu = positive_numbers(t=t, kappa=kappa, nu=nu)
    if d != int(d) or d < 1:
        raise InputError(f"d is {d}; pass a dimension, at least 1")
    r = np.asarray(r, dtype=float)
    if not (r >= 0).all():
        raise InputError("r has negative or NaN entries; pass distances from the origin")
    eps, deviation = nu / kappa, math.sqrt(2 * nu * t)
    return np.vectorize(lambda s: _radial_value(g, s / deviation, d, eps, deviation), otypes=[float])(r)


def _radial_value(g, shift: float, d: int, eps: float, deviation: float) -> float:
    """−ε log of ∫ exp(−g(σρ)/ε) p(ρ) dρ, with p the density of |shift·e₁ + Z| in R^d and σ the deviation."""
    order = d / 2 - 1

    def exponent(rho):
        z = shift * rho
        if shift:
            rest = (1 - d / 2) * math.log(shift) + d / 2 * np.log(rho) + np.log(special.ive(order, z)) + z
        else:
            rest = (d - 1) * np.log(rho) - order * math.log(2) - special.gammaln(d / 2)
        return -_values(g, deviation * rho) / eps + rest - (rho**2 + shift**2) / 2

    spread = 12 + math.sqrt(d)
    places = np.linspace(1e-9, shift + spread + 40, 4001)
    heights = exponent(places)
    top = heights.max()
    seen = places[heights > top - 60]
    low, high, peak = seen[0], seen[-1], places[heights.argmax()]
    step = places[1] - places[0]
    low, high = max(low - step, 0.0), high + step
    body, _ = integrate.quad(
        lambda s: math.exp(float(exponent(np.array(max(s, 1e-300)))) - top),
        low, high, points=[peak], limit=400, epsabs=0, epsrel=1e-13,
    )  # fmt: skip
    return -eps * (top + math.log(body))


def _values(g, y: np.ndarray) -> np.ndarray:
    values = np.asarray(g(y), dtype=float)
    if values.shape != y.shape and values.shape != y.shape[:-1]:
        raise ShapeError(
            f"g gave shape {values.shape} for points of shape {y.shape}; one value a point is needed"
        )
    if np.isnan(values).any():
        raise InputError("g gave NaN; values are finite, or +inf outside a domain")
    return values

"""The known pairs of smooth convex functions of one variable, up to shifts, scales and tilts.

A pair is h on (lo, hi) and h* on (h'(lo), h'(hi)), strictly convex and conjugate to each other there; each serves in
both directions. C·h(αx + β) + d x + e has the conjugate C·h*((y − d)/αC) − β(y − d)/α − e, and on a part of
the interval the same formula holds between the slopes at its ends: so these few stand for all their relatives,
pieces included.

Sources: R. T. Rockafellar, Convex Analysis (1970), section 12; J. M. Borwein and A. S. Lewis, Convex Analysis and
Nonlinear Optimization (2006), section 3.3. The tests check each against a maximisation that knows none of this.
"""

from dataclasses import dataclass
from functools import cached_property

import mpmath
import sympy
from sympy import (
    E,
    Expr,
    LambertW,
    S,
    Symbol,
    acosh,
    asin,
    asinh,
    atan,
    cos,
    cosh,
    exp,
    log,
    oo,
    pi,
    sinh,
    sqrt,
    tan,
)

__all__ = ["PAIRS", "Pair", "entropy_and_square", "exponential_and_square", "logarithm_and_square", "power"]

u = Symbol("u", real=True)
v = Symbol("v", real=True)


@dataclass(frozen=True)
class Pair:
    """h(u) on (lo, hi) with its slopes there, and h*(v) on (slope_lo, slope_hi), with the values at their ends."""

    name: str
    h: Expr
    slope: Expr
    interval: tuple[Expr, Expr]
    values: tuple[Expr, Expr]
    conjugate: Expr
    contact: Expr
    slopes: tuple[Expr, Expr]
    conjugate_values: tuple[Expr, Expr]
    base: Expr
    """A point where h and h' are simple."""

    @property
    def reverse(self) -> "Pair":
        """h* with h as its conjugate."""
        swap = {u: v, v: u}
        h, slope, conjugate, contact = (
            e.xreplace(swap) for e in (self.conjugate, self.contact, self.h, self.slope)
        )
        base = self.slope.subs(u, self.base)
        return Pair(
            f"conjugate of {self.name}", h, slope, self.slopes, self.conjugate_values,
            conjugate, contact, self.interval, self.values, base,
        )  # fmt: skip

    @cached_property
    def ends(self) -> tuple[float, float]:
        return tuple(float(e) for e in self.interval)

    @cached_property
    def curvature(self):
        """h'' as a function of a float, for finding the pair; NaN where it fails."""
        f = sympy.lambdify(u, sympy.diff(self.slope, u), modules=["mpmath"])

        def call(t: float) -> float:
            try:
                with mpmath.workdps(60):
                    return float(f(mpmath.mpf(t)).real)
            except (ZeroDivisionError, ValueError, OverflowError, TypeError):
                return float("nan")

        return call

    @cached_property
    def base_curvature(self) -> Expr:
        return sympy.simplify(sympy.diff(self.slope, u).subs(u, self.base))


def power(p: Expr) -> Pair:
    """u^p/p for p > 1, −u^p/p for p < 1, on u > 0; conjugate exponents 1/p + 1/q = 1."""
    q = sympy.cancel(p / (p - 1))
    above = (p - 1).is_positive
    s = 1 if above else -1
    at_0 = S.Zero if p.is_positive else oo
    at_oo = s * oo if p.is_positive else S.Zero
    slope = s * u ** sympy.together(p - 1)
    c_at_0 = S.Zero if above or not p.is_positive else oo
    c_far = oo if above else (S.Zero if p.is_positive else -oo)
    contact = (s * v) ** sympy.together(1 / (p - 1))
    return Pair(
        f"power {p}", s * u**p / p, slope, (S.Zero, oo), (at_0, at_oo),
        s * (s * v) ** q / q, contact, (S.Zero, oo) if above else (-oo, S.Zero),
        (c_at_0, c_far) if above else (c_far, c_at_0), S.One,
    )  # fmt: skip


def exponential_and_square(m: Expr) -> Pair:
    """e^u + m u²/2."""
    w = LambertW(exp(v / m) / m)
    return Pair(
        "exponential and square", exp(u) + m * u**2 / 2, exp(u) + m * u, (-oo, oo), (oo, oo),
        v**2 / (2 * m) - m * (w + w**2 / 2), v / m - w, (-oo, oo), (oo, oo), S.Zero,
    )  # fmt: skip


def entropy_and_square(m: Expr) -> Pair:
    """u log u − u + m u²/2 on u > 0."""
    w = LambertW(m * exp(v))
    return Pair(
        "entropy and square", u * log(u) - u + m * u**2 / 2, log(u) + m * u, (S.Zero, oo), (S.Zero, oo),
        (w + w**2 / 2) / m, w / m, (-oo, oo), (S.Zero, oo), S.One,
    )  # fmt: skip


def logarithm_and_square(m: Expr) -> Pair:
    """−log u + m u²/2 on u > 0."""
    x = (v + sqrt(v**2 + 4 * m)) / (2 * m)
    return Pair(
        "logarithm and square", -log(u) + m * u**2 / 2, -1 / u + m * u, (S.Zero, oo), (oo, oo),
        (v * x - 1) / 2 + log(x), x, (-oo, oo), (-oo, oo), S.One,
    )  # fmt: skip


_R = (-oo, oo)
_L2 = log(2)
_ENTROPY = v * log(v) + (1 - v) * log(1 - v)
_BALANCED = ((1 + v) * log(1 + v) + (1 - v) * log(1 - v)) / 2
_BOSE = v * log(v) - (1 + v) * log(1 + v)
_ROOT = sqrt(1 + v**2)
_W = LambertW(E * v)

_ONE_WAY = (
    Pair("exponential", exp(u), exp(u), _R, (S.Zero, oo), v * log(v) - v, log(v), (S.Zero, oo), (S.Zero, oo), S.Zero),
    Pair("logarithm", -log(u), -1 / u, (S.Zero, oo), (oo, -oo), -1 - log(-v), -1 / v, (-oo, S.Zero), (-oo, oo), S.One),
    Pair("softplus", log(1 + exp(u)), 1 / (1 + exp(-u)), _R, (S.Zero, oo), _ENTROPY, log(v) - log(1 - v),
         (S.Zero, S.One), (S.Zero, S.Zero), S.Zero),
    Pair("log cosh", log(cosh(u)), sympy.tanh(u), _R, (oo, oo), _BALANCED, (log(1 + v) - log(1 - v)) / 2,
         (-S.One, S.One), (_L2, _L2), S.Zero),
    Pair("Bose", -log(1 - exp(u)), 1 / (exp(-u) - 1), (-oo, S.Zero), (S.Zero, oo), _BOSE, log(v) - log(1 + v),
         (S.Zero, oo), (S.Zero, -oo), -_L2),
    Pair("log cos", -log(cos(u)), tan(u), (-pi / 2, pi / 2), (oo, oo), v * atan(v) - log(1 + v**2) / 2, atan(v),
         _R, (oo, oo), S.Zero),
    Pair("cosh", cosh(u), sinh(u), _R, (oo, oo), v * asinh(v) - _ROOT, asinh(v), _R, (oo, oo), S.Zero),
    Pair("sinh", sinh(u), cosh(u), (S.Zero, oo), (S.Zero, oo), v * acosh(v) - sqrt(v**2 - 1), acosh(v),
         (S.One, oo), (S.Zero, oo), _L2),
    Pair("hyperbola", sqrt(1 + u**2), u / sqrt(1 + u**2), _R, (oo, oo), -sqrt(1 - v**2), v / sqrt(1 - v**2),
         (-S.One, S.One), (S.Zero, S.Zero), S.Zero),
    Pair("conjugate hyperbola", -sqrt(u**2 - 1), -u / sqrt(u**2 - 1), (S.One, oo), (S.Zero, -oo),
         -sqrt(v**2 - 1), -v / sqrt(v**2 - 1), (-oo, -S.One), (-oo, S.Zero), sqrt(2)),
    Pair("cosine", -cos(u), sympy.sin(u), (-pi / 2, pi / 2), (S.Zero, S.Zero), v * asin(v) + sqrt(1 - v**2), asin(v),
         (-S.One, S.One), (pi / 2, pi / 2), S.Zero),
    Pair("tangent", tan(u), 1 / cos(u) ** 2, (S.Zero, pi / 2), (S.Zero, oo), v * atan(sqrt(v - 1)) - sqrt(v - 1),
         atan(sqrt(v - 1)), (S.One, oo), (S.Zero, oo), pi / 4),
    Pair("interval barrier", -log(1 - u**2), 2 * u / (1 - u**2), (-S.One, S.One), (oo, oo),
         _ROOT - 1 - log((1 + _ROOT) / 2), v / (1 + _ROOT), _R, (oo, oo), S.Zero),
    Pair("line times exponential", u * exp(u), (u + 1) * exp(u), (-S(2), oo), (-2 * exp(-2), oo),
         (_W - 1) ** 2 * v / _W, _W - 1, (-exp(-2), oo), (4 * exp(-2), oo), S.Zero),
)  # fmt: skip

PAIRS: tuple[Pair, ...] = tuple(p for pair in _ONE_WAY for p in (pair, pair.reverse))


def mirror_symbols() -> tuple[Symbol, Symbol]:
    """The variables that the formulas of pairs are written in."""
    return u, v

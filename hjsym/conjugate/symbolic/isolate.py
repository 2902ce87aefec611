"""All zeros of an expression on a bounded interval, isolated in interval arithmetic and refined to 35 digits.

An interval is dropped where the enclosure of f excludes 0, and kept where that of f' does: there f is monotone, and
has a zero exactly if its signs at the ends differ. Everything else is halved, up to a limit.
"""

import mpmath
import sympy
from mpmath import iv
from sympy import Expr, Symbol, oo

from hjsym.conjugate.symbolic.implicit import to_mpf

__all__ = ["enclosure", "isolated_zeros"]

_LIMIT = 4000
_DIGITS = 50
_FAR = 1e6


def enclosure(f: Expr, x: Symbol):
    """f as a function of mpmath intervals that returns an enclosure, or None where it has none."""
    names = ("exp", "log", "sqrt", "sin", "cos", "tan")
    modules = {name: getattr(iv, name) for name in names} | {"mpf": iv.mpf, "pi": iv.pi, "E": iv.e}
    modules |= {
        "sinh": lambda t: (iv.exp(t) - iv.exp(-t)) / 2,
        "cosh": lambda t: (iv.exp(t) + iv.exp(-t)) / 2,
        "tanh": lambda t: 1 - 2 / (iv.exp(2 * t) + 1),
    }
    known = (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.sinh, sympy.cosh, sympy.tanh)
    if any(not isinstance(n, known) for n in f.atoms(sympy.Function)):
        return None
    g = sympy.lambdify(x, f, modules=[modules, "mpmath"])

    def call(t):
        try:
            value = iv.mpf(g(t))
        except Exception:  # division by an interval around 0, and many more in mpmath
            return None
        return None if mpmath.isnan(mpmath.mpf(value.a)) or mpmath.isnan(mpmath.mpf(value.b)) else value

    return call


def isolated_zeros(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr] | None:
    """Zeros in (a, b) as Floats of 35 digits; None where they could not be isolated.

    An unbounded end is cut off where the enclosure of f beyond excludes 0.
    """
    if (f.free_symbols | a.free_symbols | b.free_symbols) - {x}:
        return None
    value, slope = enclosure(f, x), enclosure(sympy.diff(f, x), x)
    if value is None or slope is None:
        return None
    point = sympy.lambdify(x, f, modules=["mpmath"])
    found, tried = [], 0
    with mpmath.workdps(_DIGITS):
        todo = [(to_mpf(a), to_mpf(b))]
        if a is -oo and b is oo:
            todo = [(-mpmath.inf, mpmath.mpf(0)), (mpmath.mpf(0), mpmath.inf)]
        while todo:
            lo, hi = todo.pop()
            tried += 1
            if tried > _LIMIT:
                return None
            cell = iv.mpf([lo, hi])
            v = value(cell)
            if v is not None and 0 not in v:
                continue
            if not mpmath.isfinite(hi - lo):
                middle = _beyond(lo) if hi == mpmath.inf else -_beyond(-hi)
                if abs(middle) > _FAR:
                    return None
                todo += [(lo, middle), (middle, hi)]
                continue
            s = slope(cell)
            if v is not None and s is not None and 0 not in s:
                found += _zero(point, lo, hi)
                continue
            middle = (lo + hi) / 2
            todo += [(lo, middle), (middle, hi)]
        return _distinct(f, x, sorted(found))


def _distinct(f: Expr, x: Symbol, found: list) -> list[Expr]:
    """Zeros at an end of two cells once; a simple number where that is a zero exactly."""
    kept: list[Expr] = []
    for k, z in enumerate(found):
        if k and z - found[k - 1] <= mpmath.mpf(10) ** -40 * (1 + abs(z)):
            continue
        near = sympy.Rational(round(720 * z), 720)
        exact = abs(z - mpmath.mpf(near.p) / near.q) < mpmath.mpf(10) ** -40 and f.subs(x, near) == 0
        kept.append(near if exact else sympy.Float(str(z), 35))
    return kept


def _beyond(end):
    """A point of a half-line from `end` to ∞, further away each time."""
    return 2 * end + 1 if end >= 0 else mpmath.mpf(0)


def _zero(f, lo, hi) -> list:
    """The zero of a monotone function between lo and hi, if there is one."""
    left, right = mpmath.sign(f(lo)), mpmath.sign(f(hi))
    if left * right > 0:
        return []
    if left == 0 or right == 0:
        return [lo if left == 0 else hi]
    for _ in range(200):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if mpmath.sign(f(middle)) == left else (lo, middle)
    return [(lo + hi) / 2]

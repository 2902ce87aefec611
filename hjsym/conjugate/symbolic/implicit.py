"""The inverse of a derivative that has no closed form, as a SymPy function that evaluates by bracketing."""

import mpmath
import numpy as np
import sympy

__all__ = ["MODULES", "SlopeInverse", "invert_array", "slope_inverse", "to_mpf"]

_STEPS = 400


class SlopeInverse(sympy.Function):
    """``SlopeInverse(Lambda(x, f'(x)), y, a, b)``: the x in (a, b) with f'(x) = y, for an increasing f'.

    It evaluates to any precision, and differentiates in y to 1/f''(x).

    >>> x, y = sympy.symbols("x y", real=True)
    >>> root = SlopeInverse(sympy.Lambda(x, x**5 + x), y, -sympy.oo, sympy.oo)
    >>> root.subs(y, 2).evalf(20)
    1.0000000000000000000
    >>> root.diff(y).subs(y, 2).evalf()
    0.166666666666667
    """

    nargs = 4

    def fdiff(self, argindex=2):
        slope, _, _, _ = self.args
        if argindex != 2:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        (x,) = slope.variables
        return 1 / slope.expr.diff(x).subs(x, self)

    def _eval_is_real(self):
        return True

    def _eval_evalf(self, prec):
        slope, y, a, b = self.args
        if y.free_symbols or slope.free_symbols or a.free_symbols or b.free_symbols:
            return None
        f = sympy.lambdify(slope.variables, slope.expr, modules=["mpmath"])
        with mpmath.workprec(prec + 10):
            root = invert(f, *(to_mpf(e) for e in (y, a, b)))
        return sympy.Float(root, precision=prec)

    def _latex(self, printer, exp=None):
        slope, y, _, _ = self.args
        (x,) = slope.variables
        body = rf"\left({printer._print(x)} \mapsto {printer._print(slope.expr)}\right)^{{-1}}"
        body += rf"\left({printer._print(y)}\right)"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"

    def _mpmathcode(self, printer, **kwargs):
        slope, y, a, b = self.args
        ends = ", ".join(_end(e, printer, "mpmath.inf") for e in (a, b))
        variable = printer._print(slope.variables[0])
        return f"slope_inverse(lambda {variable}: {printer._print(slope.expr)}, {printer._print(y)}, {ends})"

    def _numpycode(self, printer, **kwargs):
        slope, y, a, b = self.args
        ends = ", ".join(_end(e, printer, "numpy.inf") for e in (a, b))
        variable = printer._print(slope.variables[0])
        return f"slope_inverse_array(lambda {variable}: {printer._print(slope.expr)}, {printer._print(y)}, {ends})"

    _scipycode = _numpycode


def slope_inverse(slope, x, y, a, b) -> SlopeInverse:
    """SlopeInverse of an expression in x, with a variable of its own."""
    t = sympy.Dummy(x.name, real=True)
    return SlopeInverse(sympy.Lambda(t, slope.subs(x, t)), y, a, b)


def to_mpf(e):
    """A number, finite or not, to the working precision of mpmath."""
    if e in (sympy.oo, -sympy.oo):
        return mpmath.inf if e is sympy.oo else -mpmath.inf
    return mpmath.mpf(str(e.evalf(mpmath.mp.dps + 5)))


def _end(e, printer, infinity: str) -> str:
    if e in (sympy.oo, -sympy.oo):
        return "float('inf')" if e is sympy.oo else "-float('inf')"
    return printer._print(e)


def _started(y, a: float, b: float):
    """Finite points around which, or between which, the solution is looked for."""
    if a > -np.inf and b < np.inf:
        return a, b
    if a > -np.inf:
        return a, a + 1
    return (b - 1, b) if b < np.inf else (-1.0, 1.0)


def invert(f, y, a, b):
    """The x in (a, b) with f(x) = y to working precision: an interval that grows where it may, then halves."""
    a, b, y = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(y)
    lo, hi = map(mpmath.mpf, _started(y, a, b))
    step = mpmath.mpf(1)
    while a == -mpmath.inf and _at(f, lo) > y and step < mpmath.mpf(10) ** 300:
        lo, step = lo - step, 2 * step
    step = mpmath.mpf(1)
    while b == mpmath.inf and _at(f, hi) < y and step < mpmath.mpf(10) ** 300:
        hi, step = hi + step, 2 * step
    return _bracketed(lambda t: _at(f, t) - y, lo, hi)


def _bracketed(f, lo, hi):
    """The zero of an increasing function in [lo, hi]: bisection at first, then the Illinois rule."""
    for _ in range(12):
        middle = (lo + hi) / 2
        lo, hi = (lo, middle) if f(middle) > 0 else (middle, hi)
    below, above, side, last = f(lo), f(hi), 0, lo
    for _ in range(_STEPS):
        point = (lo * above - hi * below) / (above - below) if above != below else (lo + hi) / 2
        if not lo < point < hi:
            point = (lo + hi) / 2
        value = f(point)
        if value == 0 or point in (lo, hi) or abs(point - last) <= abs(point) * mpmath.eps / 4:
            return point
        last = point
        if value > 0:
            hi, above = point, value
            below, side = (below / 2 if side > 0 else below), 1
        else:
            lo, below = point, value
            above, side = (above / 2 if side < 0 else above), -1
    return (lo + hi) / 2


def _at(f, x):
    try:
        return mpmath.re(f(x))
    except (ZeroDivisionError, ValueError):
        return mpmath.nan


def invert_array(f, y, a, b):
    """`invert` at once for an array in its own floating-point type."""
    y = np.asarray(y)
    dtype = y.dtype if y.dtype.kind == "f" else np.float64
    lo, hi = (np.full(y.shape, e, dtype) for e in _started(y, float(a), float(b)))
    with np.errstate(all="ignore"):
        for ends, grows, direction in ((lo, float(a) == -np.inf, -1), (hi, float(b) == np.inf, 1)):
            step = dtype(1) if isinstance(dtype, type) else dtype.type(1)
            for _ in range(1000 if grows else 0):
                short = direction * (f(ends) - y) < 0
                if not short.any():
                    break
                ends[short] += direction * step
                step *= 2
        for _ in range(140):
            middle = (lo + hi) / 2
            above = f(middle) > y
            lo, hi = np.where(above, lo, middle), np.where(above, middle, hi)
    return (lo + hi) / 2


def _real(name: str):
    """A function of mpmath that is refused where it leaves the reals, whatever real number comes of it later."""
    f = getattr(mpmath, name)

    def call(*args):
        value = f(*args)
        if isinstance(value, mpmath.mpc):
            raise ValueError(f"{name} of {args} is complex")
        return value

    return call


MODULES = {"slope_inverse": invert, "polygamma": mpmath.psi} | {
    name: _real(name) for name in ("sqrt", "log", "acos", "asin", "acosh", "atanh", "lambertw")
}

"""Formulas as functions of float64 arrays, right to about 1e-13, and never NaN where they are defined.

A formula is evaluated twice, in double and in extended precision, and the extended value is returned; where the two
differ by much it is taken from mpmath instead. That catches cancellation and overflow inside of a formula whose value
is ordinary (log(1 + eˣ) at 1000, the removable point of log cos). Where the platform has no extended precision, only
what is not finite is caught.
"""

import mpmath
import numpy as np
import sympy
from scipy.special import lambertw
from sympy import Expr, Symbol
from sympy.codegen.rewriting import expm1_opt, log1p_opt, optimize

from hjsym.conjugate.symbolic_implicit import MODULES
from hjsym.conjugate.symbolic_numbers import compiled

__all__ = ["FloatFormula"]

_AGREE = 1e-10  # of double with extended precision, whose own error is 2000 times smaller


class FloatFormula:
    """One formula in one variable, for float64 arrays of shape (n,)."""

    def __init__(self, expr: Expr, x: Symbol):
        self.expr, self.x = expr, x
        self._fast = None
        self._precise = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        if not self.expr.has(self.x):
            return np.full(values.shape, float(self.expr))
        if self._fast is None:
            self._fast = _lambdified(self.expr, self.x)
        wide = values.astype(np.longdouble)
        with np.errstate(all="ignore"):
            double, extended = self._evaluated(values), self._evaluated(wide)
            out = extended.astype(np.float64)
            doubtful = ~(np.abs(double - extended) <= _AGREE * np.abs(extended)) | ~np.isfinite(out)
        for k in np.flatnonzero(doubtful):
            out[k] = self._slow(values[k])
        return out

    def _evaluated(self, values: np.ndarray) -> np.ndarray:
        try:
            result = np.asarray(self._fast(values))
        except (TypeError, AttributeError, FloatingPointError):
            return np.full(values.shape, np.nan, values.dtype)
        if result.dtype.kind == "c":
            result = np.where(result.imag == 0, result.real, np.nan)
        return np.broadcast_to(result, values.shape)

    def _slow(self, value: float) -> float:
        if self._precise is None:
            self._precise = compiled(self.expr, self.x)
        for digits in (40, 120, 400):
            with mpmath.workdps(digits):
                result = self._precise(mpmath.mpf(float(value)))
                with mpmath.workdps(2 * digits):
                    again = self._precise(mpmath.mpf(float(value)))
                if not mpmath.isnan(again) and abs(result - again) <= 1e-17 * abs(again):
                    return float(again)
        return float(again)


def _lambdified(expr: Expr, x: Symbol):
    optimised = optimize(expr, [expm1_opt, log1p_opt]) if expr.count_ops() < 200 else expr
    return sympy.lambdify(
        x, optimised, modules=[{"LambertW": _lambert, "lambertw": _lambert, **MODULES}, "numpy"]
    )


def _lambert(z, branch=0):
    """The real value of W, NaN beyond its branch point."""
    w = lambertw(np.asarray(z, np.float64), int(branch))
    return np.where(w.imag == 0, w.real, np.nan)

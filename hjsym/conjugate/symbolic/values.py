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

from hjsym.conjugate.symbolic.implicit import invert_array
from hjsym.conjugate.symbolic.legendre import Span
from hjsym.conjugate.symbolic.numbers import compiled, value_at
from hjsym.errors import UndecidedError

__all__ = ["FloatFormula", "SpanTable"]

_AGREE = 1e-10  # of double with extended precision, whose own error is 2000 times smaller


class FloatFormula:
    """One formula in one variable, for float64 arrays of shape (n,)."""

    def __init__(self, expr: Expr, x: Symbol):
        roots = {r: r.evalf(40) for r in expr.atoms(sympy.polys.rootoftools.ComplexRootOf)}
        self.expr, self.x = expr.xreplace(roots), x
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
        for dtype in (values.dtype, np.float64):  # SciPy's functions know no extended precision
            try:
                result = np.asarray(self._fast(values.astype(dtype, copy=False)))
                break
            except (TypeError, AttributeError, NameError):  # the last two: a function that NumPy has not
                result = np.array(np.nan, values.dtype)
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
    own = {"LambertW": _lambert, "lambertw": _lambert, "slope_inverse_array": invert_array}
    return sympy.lambdify(x, optimised, modules=[own, "numpy", "scipy"])


def _lambert(z, branch=0):
    """The real value of W, NaN beyond its branch point."""
    w = lambertw(np.asarray(z, np.float64), int(branch))
    return np.where(w.imag == 0, w.real, np.nan)


class SpanTable:
    """Spans, and values at nodes, as a function of float64 arrays with its slopes."""

    def __init__(self, spans: list[Span], nodes: dict[Expr, Expr], x: Symbol):
        self._spans, self._x = spans, x
        self._ends = [(float(s.a), float(s.b)) for s in spans]
        self._nodes = {float(n): float(v) for n, v in nodes.items()}
        self._formulas = [FloatFormula(s.expr, x) for s in spans]
        self._derivatives = [FloatFormula(s.slope, x) for s in spans]

    def values(self, at: np.ndarray) -> np.ndarray:
        """Values, +∞ outside of the spans and nodes."""
        out = self._filled(at, self._formulas, np.inf)
        for node, value in self._nodes.items():
            out[at == node] = value
        return out

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """Derivatives; at a node the one of the two beside it that is less in size, NaN where none is finite."""
        out = self._filled(at, self._derivatives, np.nan)
        for k in np.flatnonzero(np.isin(at, list(self._nodes))):
            out[k] = self._slope_at_node(at[k])
        return out

    def _filled(self, at: np.ndarray, formulas: list[FloatFormula], missing: float) -> np.ndarray:
        out = np.full(len(at), missing)
        for (a, b), f in zip(self._ends, formulas, strict=True):
            inside = (a < at) & (at < b)
            if inside.any():
                out[inside] = f(at[inside])
        return out

    def _slope_at_node(self, node: float) -> float:
        if not np.isfinite(self._nodes[node]):
            return np.nan
        if not self._spans:
            return 0.0
        beside = [
            self._limit(span, side)
            for span, ends in zip(self._spans, self._ends, strict=True)
            for side in (0, 1)
            if ends[side] == node
        ]
        return min((s for s in beside if np.isfinite(s)), key=abs, default=np.nan)

    def _limit(self, span: Span, side: int) -> float:
        try:
            return float(value_at(span.slope, self._x, (span.a, span.b)[side], "+-"[side]))
        except (UndecidedError, TypeError):
            return np.nan

"""A formula in the arithmetic of power series whose coefficients are balls: its Taylor coefficients, enclosed.

Arb, through python-flint, has that arithmetic and the elementary functions; tanh is by its differential equation here.
Source: F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Comput. 66
(2017).
"""

import math
from collections.abc import Callable, Sequence

import sympy

from hjsym.symbols import LogSumExp
from tropical.errors import InputError

__all__ = ["PowerSeries", "at_least", "at_most"]

_BITS = 80


class PowerSeries:
    """A formula as a list of operations on power series whose coefficients are balls."""

    def __init__(self, expr: sympy.Expr, symbols: tuple):
        try:
            import flint
        except ImportError:
            raise InputError("a proved bound needs python-flint; install hjsym[proof]") from None
        self.expr, self.flint, self.inputs, self._steps = expr, flint, len(symbols), []
        self._places = dict(zip(symbols, range(len(symbols)), strict=True))
        self._result = self._add(expr)

    def _add(self, expr: sympy.Expr) -> int:
        """The place of the result among all, inputs first."""
        if expr in self._places:
            return self._places[expr]
        if (expr.is_number and not expr.args) or expr.is_Rational:
            step = (None, self._constant(expr))
        elif expr.is_Symbol:
            raise InputError(f"the formula has the symbol {expr} besides {list(self._places)[: self.inputs]}")
        else:
            step = (self._operation(expr), tuple(self._add(a) for a in self._operands(expr)))
        self._steps.append(step)
        self._places[expr] = self.inputs + len(self._steps) - 1
        return self._places[expr]

    def _constant(self, expr: sympy.Expr):
        flint = self.flint
        if expr.is_Rational:
            value = flint.arb(flint.fmpq(int(expr.p), int(expr.q)))
        elif expr.is_Float:
            p, q = sympy.Rational(expr).as_numer_denom()
            value = flint.arb(flint.fmpq(int(p), int(q)))
        elif expr in (sympy.pi, sympy.E):
            value = flint.arb.pi() if expr is sympy.pi else flint.arb(1).exp()
        else:
            raise InputError(f"the formula has {expr}, of which no ball is known here")
        return value

    def _operands(self, expr: sympy.Expr) -> tuple:
        if expr.is_Pow and expr.exp.is_Rational and expr.exp.q <= 2:
            return (expr.base,)
        return expr.args

    def _operation(self, expr: sympy.Expr) -> Callable:
        if expr.is_Add:
            return lambda *a: _folded(a, lambda u, v: u + v)
        if expr.is_Mul:
            return lambda *a: _folded(a, lambda u, v: u * v)
        if expr.is_Pow:
            if expr.exp.is_Integer:
                return lambda a, n=int(expr.exp): _power(a, n)
            if expr.exp.is_Rational and expr.exp.q == 2:
                return lambda a, n=int(expr.exp.p): _power(a.sqrt(), n)
            return lambda a, b: (b * a.log()).exp()
        if isinstance(expr, LogSumExp):
            return _log_sum_exp
        name = type(expr).__name__
        if name == "tanh":
            return self._tanh
        if name in ("sinh", "cosh"):
            sign = 1 if name == "cosh" else -1
            return lambda a: (a.exp() + sign * (-a).exp()) * self.flint.arb(0.5)
        if name not in ("exp", "log", "sin", "cos", "tan", "atan", "erf"):
            raise InputError(f"the formula has the function {name}, of which no series is known here")
        return lambda a: getattr(a, name)()

    def _tanh(self, z):
        """y = tanh z by y' = (1 − y²)z', from the ball of tanh at the constant term."""
        coefficients = z.coeffs() or [self.flint.arb(0)]
        y, rest = [coefficients[0].tanh()], [1 - coefficients[0].tanh() ** 2]
        for k in range(1, self.flint.ctx.cap):
            terms = [j * coefficients[j] * rest[k - j] for j in range(1, min(k, len(coefficients) - 1) + 1)]
            y.append(sum(terms, self.flint.arb(0)) / k)
            rest.append(-sum((y[j] * y[k - j] for j in range(k + 1)), self.flint.arb(0)))
        return self.flint.arb_series(y)

    def coefficients(self, at: Sequence, towards: Sequence, length: int) -> list:
        """The first Taylor coefficients of s ↦ f(at + s towards) at 0, balls or numbers in, balls out."""
        series, context = self.flint.arb_series, self.flint.ctx
        before = context.prec, context.cap
        try:
            context.prec, context.cap = _BITS, length
            values = [series([self.ball(a), self.ball(v)]) for a, v in zip(at, towards, strict=True)]
            for operation, operands in self._steps:
                values.append(
                    series([operands]) if operation is None else operation(*(values[k] for k in operands))
                )
            found = values[self._result].coeffs()
        except ZeroDivisionError:  # a series that starts at 0 has no inverse
            found = [self.flint.arb("nan")] * length
        finally:
            context.prec, context.cap = before
        return found + [self.flint.arb(0)] * (length - len(found))

    def ball(self, middle, radius: float = 0.0):
        """A ball that holds the numbers within a radius of a float, or the ball that is given."""
        arb = self.flint.arb
        return middle if isinstance(middle, arb) else arb(float(middle), float(radius))


def at_least(ball) -> float:
    """A float that is at most |v| for all v in a ball; 0 for what is not a number."""
    value = float(ball.abs_lower())
    return math.nextafter(value, 0.0) if math.isfinite(value) and value else 0.0


def at_most(ball) -> float:
    """A float that is at least |v| for all v in a ball; +∞ for what is not a number."""
    value = float(ball.abs_upper())
    return math.nextafter(value, math.inf) if math.isfinite(value) else math.inf


def _folded(terms, operation):
    total = terms[0]
    for term in terms[1:]:
        total = operation(total, term)
    return total


def _power(a, n: int):
    if n < 0:
        return _power(a, -n).inv()
    half = _power(a, n // 2) if n > 1 else None
    if n == 1:
        return a
    square = half * half
    return square * a if n % 2 else square


def _log_sum_exp(eps, *z):
    """ε log Σ e^{z/ε}."""
    total = _folded([(a * eps.inv()).exp() for a in z], lambda u, v: u + v)
    return eps * total.log()

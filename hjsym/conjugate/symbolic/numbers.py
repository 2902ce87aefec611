"""Signs, orders, limits and values of SymPy expressions, decided or said to be undecided.

A number is decided by its value in 30 digits where that is away from 0, else by SymPy's zero test. An expression
with parameters is decided by their assumptions alone. Samples (`draws`, `probes`) only choose among cases whose
boundaries are known exactly.
"""

from functools import lru_cache

import mpmath
import sympy
from sympy import Expr, S, Symbol, oo

from hjsym.conjugate.symbolic.implicit import MODULES, to_mpf
from hjsym.errors import UndecidedError

__all__ = [
    "between",
    "compiled",
    "draws",
    "is_finite",
    "lambert_exponential",
    "order",
    "ordered",
    "probes",
    "short_constant",
    "sign",
    "sign_on",
    "spoken",
    "to_mpf",
    "value_at",
]

_DIGITS = 30
_TINY = sympy.Float("1e-18")


def spoken(e: Expr) -> str:
    """An expression for a message, with the names that its symbols stand for."""
    return str(e.xreplace({d: Symbol(d.name) for d in e.atoms(sympy.Dummy)}))


@lru_cache(maxsize=4096)
def sign(e: Expr) -> int | None:
    """−1, 0 or 1; None where it is not decided."""
    e = sympy.sympify(e)
    if e is S.Infinity or e is S.NegativeInfinity:
        return 1 if e is S.Infinity else -1
    if not e.free_symbols:
        return _sign_of_number(e)
    for form in (lambda: e, lambda: sympy.factor(e), lambda: sympy.simplify(e)):
        t = form()
        for answer, known in ((1, t.is_positive), (-1, t.is_negative), (0, t.is_zero)):
            if known:
                return answer
    return None


def _sign_of_number(e: Expr) -> int | None:
    v = e.evalf(_DIGITS)
    if v.is_extended_real is False or v is S.NaN or not v.is_number:
        return None
    if v.is_infinite or abs(v) > _TINY:
        return 1 if v > 0 else -1
    if e.has(sympy.Float):  # ours, of 35 digits: those of the user are rationals by now
        return 0
    if e.has(sympy.LambertW):
        e = e.replace(sympy.exp, lambert_exponential)
    return 0 if e == 0 or e.equals(0) else None


def lambert_exponential(e: Expr) -> Expr:
    """eᵉ with W(z)/z for e^{−W(z)}, which SymPy does not know to be the same."""
    lambert = [term for term in sympy.Add.make_args(e) if isinstance(-term, sympy.LambertW)]
    if len(lambert) != 1:
        return sympy.exp(e)
    w = -lambert[0]
    return sympy.exp(e + w) * w / w.args[0]


def order(a: Expr, b: Expr) -> int:
    """The sign of a − b; raises UndecidedError."""
    if a == b:
        return 0
    if a in (oo, -oo) or b in (oo, -oo):
        return 1 if a is S.Infinity or b is S.NegativeInfinity else -1
    s = sign(a - b)
    if s is None:
        raise UndecidedError(
            f"cannot order {spoken(a)} and {spoken(b)}; declare the parameters positive, or replace them by numbers"
        )
    return s


def ordered(values) -> list[Expr]:
    """Distinct values, increasing, by insertion: few of them, each comparison exact."""
    result: list[Expr] = []
    for v in values:
        k, found = 0, False
        while k < len(result):
            s = order(v, result[k])
            if s <= 0:
                found = s == 0
                break
            k += 1
        if not found:
            result.insert(k, v)
    return result


def between(r: Expr, a: Expr, b: Expr) -> bool:
    return order(r, a) > 0 and order(b, r) > 0


def is_finite(v: Expr) -> bool:
    """Whether v is a finite real number or a real expression of parameters."""
    if v.has(S.NaN, S.ComplexInfinity, oo, -oo, sympy.AccumBounds) or v.is_extended_real is False:
        return False
    if v.free_symbols:
        return True
    n = v.evalf(_DIGITS)
    return bool(n.is_number and n.is_extended_real is not False and n.is_finite is not False)


_SPREAD = ("1.3717", "0.6181", "2.2914", "0.3333", "3.7321", "1.9073")


def draws(symbols, count: int = 3) -> list[dict[Symbol, Expr]]:
    """Values for parameters that obey their assumptions, always the same."""
    symbols = sorted(symbols, key=lambda s: (s.name, s.class_key(), getattr(s, "dummy_index", 0)))
    if not symbols:
        return [{}]
    result = []
    for k in range(count):
        row = {}
        for i, s in enumerate(symbols):
            v = sympy.Rational(_SPREAD[(3 * k + 2 * i) % len(_SPREAD)]) + sympy.Rational(i, 7)
            v = sympy.Integer(1 + (k + i) % 3) if s.is_integer else v
            if s.is_positive is None and s.is_negative is None and s.is_nonnegative is None:
                v = v if (k + i) % 2 else -v
            row[s] = -v if s.is_nonpositive else v
        result.append(row)
    return result


def probes(a: Expr, b: Expr, count: int = 1) -> list[Expr]:
    """Rational points inside the numeric interval (a, b), spread over its scale."""
    a, b = (
        e if e in (oo, -oo) else sympy.Rational(str(e.evalf(_DIGITS))) for e in map(sympy.sympify, (a, b))
    )
    parts = [sympy.Rational(int(1e4 * ((0.4142 + 0.618034 * k) % 1)) or 1, 10**4) for k in range(count)]
    if a is S.NegativeInfinity and b is S.Infinity:
        return [(2 * p - 1) / (1 - p) / p * sympy.Rational(3, 4) for p in parts]
    if a is S.NegativeInfinity:
        return [b - p / (1 - p) for p in parts]
    if b is S.Infinity:
        return [a + p / (1 - p) for p in parts]
    return [a + (b - a) * p for p in parts]


def sign_on(e: Expr, x: Symbol, a: Expr, b: Expr) -> int:
    """The sign of an expression that has none of its zeros inside (a, b), at points of it; raises if
    values of the parameters disagree."""
    seen = set()
    for row in draws((e.free_symbols | a.free_symbols | b.free_symbols) - {x}):
        v = e.subs(x, probes(a.subs(row), b.subs(row))[0]).subs(row).evalf(_DIGITS)
        if not v.is_number or v.is_extended_real is False or v is S.NaN:
            return 0 if v is S.NaN else _complex(e)
        seen.add(0 if abs(v) < _TINY else (1 if v > 0 else -1))
    if len(seen) > 1:
        raise UndecidedError(f"the sign of {spoken(e)} depends on its parameters; declare or replace them")
    return seen.pop()


def _complex(e: Expr) -> int:
    raise UndecidedError(f"{spoken(e)} is not real where it was asked for; restrict the domain")


@lru_cache(maxsize=2048)
def value_at(e: Expr, x: Symbol, a: Expr, side: str = "+") -> Expr:
    """The value of e at a, or its limit there from the side "+" or "-"; ±oo are values too."""
    if not e.has(x):
        return e
    if a not in (oo, -oo):
        v = e.subs(x, a)
        if is_finite(v):
            return v
    v = _quick_limit(e, x, a, side)
    if v is None:
        try:
            v = sympy.limit(e, x, a, "-" if a is S.Infinity else "+" if a is S.NegativeInfinity else side)
        except Exception as error:  # SymPy's limits fail in many ways
            raise UndecidedError(
                f"no limit of {spoken(e)} at {spoken(a)} was found ({type(error).__name__})"
            ) from error
    if v.has(sympy.Limit, S.NaN, S.ComplexInfinity, sympy.AccumBounds) or v.has(x):
        raise UndecidedError(f"no limit of {spoken(e)} at {spoken(a)} was found (SymPy answers {v})")
    return v


def _quick_limit(e: Expr, x: Symbol, a: Expr, side: str) -> Expr | None:
    """Of polynomials and of what SymPy evaluates at infinity; at a finite point of terms that diverge one way."""
    if a not in (oo, -oo):
        signs = {s for t in sympy.Add.make_args(e) for s in [_divergence(t, x, a, side)] if s != 0}
        return oo * signs.pop() if len(signs) == 1 and None not in signs else None
    if e.is_polynomial(x):
        p = sympy.Poly(e, x)
        s = sign(p.LC())
        return None if s is None else s * oo * (1 if a is S.Infinity or p.degree() % 2 == 0 else -1)
    v = e.subs(x, a)
    return v if v in (oo, -oo) or (is_finite(v) and not v.has(x) and v != 0) else None


def _divergence(term: Expr, x: Symbol, a: Expr, side: str) -> int | None:
    """0 if the term is finite at a, ±1 if one logarithm or pole takes it to ±∞, its other factors not being 0."""
    if is_finite(term.subs(x, a)):
        return 0
    total, poles = 1, 0
    for factor in sympy.Mul.make_args(term):
        at = factor.subs(x, a)
        if is_finite(at):
            s = sign(at)
            if s in (0, None):
                return None
            total *= s
            continue
        pole = _pole(factor, x, a, side)
        if pole is None:
            return None
        total, poles = total * pole, poles + 1
    return total if poles == 1 else None


def _pole(factor: Expr, x: Symbol, a: Expr, side: str) -> int | None:
    inner = factor.args[0] if factor.args else factor
    if not is_finite(inner.subs(x, a)) or sign(inner.subs(x, a)) != 0:
        return None
    if isinstance(factor, sympy.log):
        return -1
    if not isinstance(factor, sympy.Pow) or not factor.exp.is_negative:
        return None
    if not factor.exp.is_integer or factor.exp.is_even:
        return 1
    slope = sign(sympy.diff(inner, x).subs(x, a))  # an odd pole, simple in `inner`
    return None if slope in (0, None) else slope * (1 if side == "+" else -1)


def short_constant(c: Expr) -> Expr:
    """A short form of a number or of an expression of parameters."""
    c = sympy.sympify(c)
    if c.is_Rational or not is_finite(c):
        return c
    c = c.rewrite(sympy.exp) if c.has(sympy.sinh, sympy.cosh, sympy.tanh) else c
    c = sympy.expand_log(c, force=not c.free_symbols)
    return sympy.simplify(c) if c.count_ops() < 60 else sympy.factor_terms(c)


@lru_cache(maxsize=1024)
def compiled(e: Expr, *symbols: Symbol):
    """e as a function of mpmath numbers."""
    roots = {r: r.evalf(80) for r in e.atoms(sympy.polys.rootoftools.ComplexRootOf)}
    f = sympy.lambdify(symbols, e.xreplace(roots), modules=[MODULES, "mpmath"])

    def call(*values):
        try:
            v = f(*values)
        except (ZeroDivisionError, ValueError, OverflowError):
            return mpmath.nan
        return mpmath.nan if isinstance(v, mpmath.mpc) else mpmath.mpf(v)

    return call

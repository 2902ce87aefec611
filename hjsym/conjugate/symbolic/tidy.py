"""Short real forms of formulas on an interval: logarithms split by signs, |y| in place of roots of ±y."""

import mpmath
import sympy
from sympy import Abs, Expr, S, Symbol, log, oo

from hjsym.conjugate.symbolic.numbers import compiled, draws, order, probes, sign_on
from hjsym.errors import UndecidedError

__all__ = ["same", "signed_form", "tidy"]


def tidy(e: Expr, y: Symbol, lo: Expr, hi: Expr) -> Expr:
    """The shortest of a few forms of e that are equal on (lo, hi)."""
    t, s = _signed(y, lo, hi)
    e = sympy.sympify(e).subs(y, s * t)
    ends = (lo, hi) if s == 1 else (-hi, -lo)
    forms = [e, _collected(e)]
    if e.has(log):
        split = e.replace(
            lambda n: isinstance(n, log) and n.has(t), lambda n: _split_log(n.args[0], t, *ends)
        )
        forms += [split, _collected(split)]
    if any(isinstance(p, sympy.Pow) and p.exp.is_Rational and p.exp.q == 2 for p in e.atoms(sympy.Pow)):
        merged = _merged_roots(_collected(e))
        forms += [merged, _collected(merged), sympy.factor_terms(merged)]
    if any(p.exp.free_symbols or not p.exp.is_Integer for p in e.atoms(sympy.Pow)):
        forms += [sympy.powsimp(forms[0]), sympy.powsimp(forms[1]), sympy.factor_terms(forms[1])]
    return min(forms, key=lambda f: f.count_ops()).subs(t, s * y)


def _signed(y: Symbol, lo: Expr, hi: Expr) -> tuple[Symbol, int]:
    """A symbol t that knows its sign, and s with y = s·t."""
    try:
        if lo is not -oo and order(lo, S.Zero) >= 0:
            return sympy.Dummy("t", positive=True), 1
        if hi is not oo and order(hi, S.Zero) <= 0:
            return sympy.Dummy("t", positive=True), -1
    except UndecidedError:
        pass
    return sympy.Dummy("t", real=True), 1


def _collected(e: Expr) -> Expr:
    e = sympy.expand(e, log=False)
    logs = sorted(e.atoms(log), key=str)
    return sympy.collect(e, logs) if logs else e


def _merged_roots(e: Expr) -> Expr:
    """Products of square roots under one root, squares taken out: √λ·√(4 + x²/λ) = √(4λ + x²)."""
    return e.replace(lambda n: isinstance(n, (sympy.Mul, sympy.Pow)), _merged_root)


def _merged_root(product: Expr) -> Expr:
    roots, rest, parts = S.One, S.One, 0
    for factor in sympy.Mul.make_args(product):
        base, exponent = factor.as_base_exp()
        if exponent in (S.Half, -S.Half):
            roots, parts = roots * base ** (2 * exponent), parts + 1
        else:
            rest *= factor
    if not parts:
        return product
    top, bottom = sympy.fraction(sympy.cancel(sympy.together(roots)))
    if bottom.could_extract_minus_sign():
        top, bottom = -top, -bottom
    if not bottom.is_positive and bottom != 1:
        return product
    return rest * sympy.sqrt(top) / sympy.sqrt(bottom)


def _split_log(argument: Expr, t: Symbol, lo: Expr, hi: Expr) -> Expr:
    """log of a product as a sum, each factor with the sign that makes it positive on (lo, hi)."""
    top, bottom = sympy.fraction(sympy.together(argument))
    total = S.Zero
    for part, direction in ((top, 1), (bottom, -1)):
        for factor in sympy.Mul.make_args(sympy.factor(part)):
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sympy.exp):
                total += direction * factor.exp
            elif not base.has(t):
                total += direction * exponent * log(abs(base) if base.is_number else base)
            else:
                try:
                    s = sign_on(base, t, lo, hi)
                except UndecidedError:
                    return log(argument)
                total += direction * exponent * log(sympy.expand(s * base))
    return total if not total.has(S.ImaginaryUnit, S.NaN) else log(argument)


def same(e: Expr, f: Expr, y: Symbol, lo: Expr, hi: Expr) -> bool:
    """Whether two analytic formulas agree in 30 digits at points of (lo, hi)."""
    difference = e - f
    if difference == 0:
        return True
    parameters = sorted((difference.free_symbols | lo.free_symbols | hi.free_symbols) - {y}, key=str)
    f1, f2 = compiled(e, y, *parameters), compiled(f, y, *parameters)
    with mpmath.workdps(40):
        for row in draws(parameters, 2):
            fixed = [mpmath.mpf(row[s].p) / row[s].q for s in parameters]
            for p in probes(lo.subs(row), hi.subs(row), 3):
                point = mpmath.mpf(p.p) / p.q
                left, right = f1(point, *fixed), f2(point, *fixed)
                if not abs(left - right) <= mpmath.mpf(10) ** -30 * (1 + abs(left)):
                    return False
    return True


def signed_form(e: Expr, y: Symbol, s: int) -> Expr:
    """e, valid where s·y > 0, with |y| for the s·y under roots and logarithms and y elsewhere."""
    t, size = sympy.Dummy("t", positive=True), Abs(y)
    e = e.subs(y, s * t)
    e = e.replace(
        lambda n: (isinstance(n, sympy.Pow) and n.base == t and not n.exp.is_integer) or n == log(t),
        lambda n: n.subs(t, size),
    )
    return e.subs(t, s * y)

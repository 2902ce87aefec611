"""The x with g'(x) = y, in closed form where one of a few templates has it.

One-to-one functions are peeled off from the outside; what remains is tried as a rational function of degree at most
3 in x or 2 in e^{kx}, or as one of four forms that Lambert's W inverts. Each template proposes candidates; one is
taken only if it solves the equation in 30 digits at points of its interval.
"""

import itertools
from collections.abc import Iterator

import mpmath
import sympy
from sympy import Expr, LambertW, S, Symbol, acos, acosh, asinh, cos, cosh, exp, log, oo, pi, sinh, sqrt

from hjsym.conjugate.symbolic.numbers import (
    between,
    compiled,
    draws,
    lambert_exponential,
    ordered,
    probes,
    sign,
    to_mpf,
)
from hjsym.conjugate.symbolic.zeros import exponential_polynomial
from hjsym.errors import UndecidedError

__all__ = ["lambert_solutions", "solve_slope"]

_Part = tuple[Expr, Expr, Expr]


def solve_slope(
    slope: Expr, x: Symbol, y: Symbol, a: Expr, b: Expr, lo: Expr, hi: Expr
) -> list[_Part] | None:
    """Formulas (x(y), from, to) for the solution in (a, b) of slope(x) = y, y from lo to hi; None without one."""
    try:
        for cuts, candidates in _candidates(slope, x, y):
            for more in ([], [S.Zero]):  # odd slopes have other formulas on either side of 0
                ends = ordered([lo, *(c for c in [*cuts, *more] if between(c, lo, hi)), hi])
                parts = _chosen(candidates, ends, slope, x, y, a, b)
                if parts is not None:
                    return parts
    except (UndecidedError, sympy.PolynomialError):
        return None
    return None


def _chosen(candidates, ends, slope, x, y, a, b) -> list[_Part] | None:
    """The candidate that solves the equation, for each interval between ends."""
    parts = []
    for left, right in itertools.pairwise(ends):
        formula = next((c for c in candidates if _solves(c, slope, x, y, a, b, left, right)), None)
        if formula is None:
            return None
        parts.append((formula, left, right))
    return parts


def _solves(candidate: Expr, slope: Expr, x: Symbol, y: Symbol, a: Expr, b: Expr, lo: Expr, hi: Expr) -> bool:
    if candidate.has(S.NaN, sympy.zoo, oo) or not candidate.has(y):
        return False
    symbols = (candidate.free_symbols | slope.free_symbols | a.free_symbols | b.free_symbols) - {x, y}
    symbols |= (lo.free_symbols | hi.free_symbols) - {x, y}
    symbols = sorted(symbols, key=str)
    solution, f = compiled(candidate, y, *symbols), compiled(slope, x, *symbols)
    with mpmath.workdps(40):
        for row in draws(symbols, 2):
            fixed = [mpmath.mpf(row[s].p) / row[s].q for s in symbols]
            left, right = (to_mpf(e.subs(row)) for e in (a, b))
            for p in probes(lo.subs(row), hi.subs(row), 3):
                target = mpmath.mpf(p.p) / p.q
                point = solution(target, *fixed)
                if not left <= point <= right or not mpmath.isfinite(point):
                    return False
                if not abs(f(point, *fixed) - target) <= mpmath.mpf(10) ** -25 * (1 + abs(target)):
                    return False
    return True


def _candidates(slope: Expr, x: Symbol, y: Symbol) -> Iterator[tuple[list[Expr], list[Expr]]]:
    """(cuts in y, candidates): between cuts one candidate is right."""
    for lhs, targets in _peeled(slope, x, y):
        if lhs == x:
            yield [], targets
            continue
        for target in targets:
            yield from _rational(lhs, x, y, target)
            yield from _exponential(lhs, x, target)
            yield from _lambert(lhs, x, target)


# ---- peeling -----------------------------------------------------------------------------------------------


def _peeled(lhs: Expr, x: Symbol, target: Expr) -> Iterator[tuple[Expr, list[Expr]]]:
    """Equations lhs = target with fewer and fewer functions around x."""
    targets = [target]
    for _ in range(8):
        yield lhs, targets
        constant, rest = lhs.as_independent(x, as_Add=True)
        factor, inner = rest.as_independent(x, as_Add=False)
        if (constant, factor) != (0, 1):
            targets = [(t - constant) / factor for t in targets]
            lhs = inner
            continue
        inverse = _INVERSES.get(type(lhs))
        if isinstance(lhs, sympy.Pow) and not lhs.exp.has(x):
            roots = [t ** (1 / lhs.exp) for t in targets] + [(-t) ** (1 / lhs.exp) for t in targets]
            lhs, targets = lhs.base, [s * r for r in roots for s in (1, -1)]
        elif inverse is not None:
            lhs, targets = lhs.args[0], [f(t) for t in targets for f in inverse]
        elif lhs.is_Mul and lhs == sympy.sqrt(lhs**2):
            return
        else:
            squared = _squared(lhs, x)
            if squared is None:
                return
            lhs, targets = squared, [t**2 for t in targets]


def _squared(lhs: Expr, x: Symbol) -> Expr | None:
    """The square of a product with square roots, where that is rational."""
    if not lhs.is_Mul or not any(
        isinstance(n, sympy.Pow) and n.exp.is_Rational and n.exp.q == 2 for n in lhs.args
    ):
        return None
    square = sympy.cancel(sympy.expand(lhs**2))
    return square if square.is_rational_function(x) else None


_INVERSES = {
    exp: (log,),
    log: (exp,),
    sinh: (asinh,),
    asinh: (sinh,),
    cosh: (acosh, lambda t: -acosh(t)),
    acosh: (cosh,),
    sympy.tanh: (lambda t: log((1 + t) / (1 - t)) / 2,),
    sympy.atanh: (sympy.tanh,),
    sympy.tan: (sympy.atan,),
    sympy.atan: (sympy.tan,),
    sympy.sin: (sympy.asin, lambda t: pi - sympy.asin(t)),
    sympy.asin: (sympy.sin,),
    cos: (acos, lambda t: -acos(t)),
    acos: (cos,),
}


# ---- templates ---------------------------------------------------------------------------------------------


def _rational(lhs: Expr, x: Symbol, y: Symbol, target: Expr):
    top, bottom = sympy.fraction(sympy.together(lhs))
    if not (top.is_polynomial(x) and bottom.is_polynomial(x)):
        return
    p = sympy.Poly(sympy.expand(top - target * bottom), x)
    if p.degree() == 1:
        yield [], [sympy.cancel(-p.nth(0) / p.nth(1))]
    elif p.degree() == 2:
        yield [], _quadratic(*p.all_coeffs())
    elif p.degree() == 3:
        yield _cubic(*p.all_coeffs(), y)
    elif p.degree() in (4, 6) and all(k % (p.degree() // 2) == 0 for (k,) in p.monoms()):
        n = p.degree() // 2
        squares = _quadratic(p.nth(2 * n), p.nth(n), p.nth(0))
        yield [], [s * r ** sympy.Rational(1, n) for r in squares for s in (1, -1)]


def _quadratic(a: Expr, b: Expr, c: Expr) -> list[Expr]:
    root = sqrt(sympy.factor_terms(sympy.expand(b**2 - 4 * a * c)))
    divided = [(-b + s * root) / (2 * a) for s in (1, -1)]
    # 2c/(−b ± r) has no 0/0 where a vanishes
    return (divided if not a.free_symbols else []) + [2 * c / (-b + s * root) for s in (1, -1)] + divided


def _cubic(a: Expr, b: Expr, c: Expr, d: Expr, y: Symbol) -> tuple[list[Expr], list[Expr]]:
    """Viète's real roots: t³ − 3Pt = 2Q with x = t − b/3a."""
    b, c, d = b / a, c / a, d / a
    P = sympy.simplify((b**2 - 3 * c) / 9)
    Q = sympy.expand((9 * b * c - 27 * d - 2 * b**3) / 54)
    if P == 0:
        return [], [s * (2 * s * Q) ** sympy.Rational(1, 3) - b / 3 for s in (1, -1)]
    if P.has(y) or sign(P) is None:
        return [], []
    if sign(P) < 0:
        z = sympy.expand(Q / (-P) ** sympy.Rational(3, 2))
        return [], [2 * sqrt(-P) * sinh(asinh(z) / 3) - b / 3]
    z = sympy.expand(Q / P ** sympy.Rational(3, 2))
    cuts = [c for s in (-1, 1) for c in sympy.solve(z - s, y)]
    hyperbolic = [2 * sqrt(P) * s * cosh(acosh(s * z) / 3) - b / 3 for s in (1, -1)]
    angles = [2 * sqrt(P) * cos(acos(z) / 3 - 2 * pi * k / 3) - b / 3 for k in (0, 1, 2)]
    return cuts, hyperbolic + angles


def _exponential(lhs: Expr, x: Symbol, target: Expr):
    k, q, u = exponential_polynomial(lhs, x)
    if k is None:
        return
    top, bottom = sympy.fraction(sympy.together(q))
    p = sympy.Poly(sympy.expand(top - target * bottom), u)
    if p.degree() == 1:
        yield [], [log(sympy.cancel(-p.nth(0) / p.nth(1))) / k]
    elif p.degree() == 2:
        yield [], [log(r) / k for r in _quadratic(*p.all_coeffs())]


def _lambert(lhs: Expr, x: Symbol, target: Expr):
    for branch in (0, -1):
        found = lambert_solutions(lhs, x, target, branch)
        found += list(_power_times_exponential(lhs, x, target, branch))
        if found:
            yield [], found


def lambert_solutions(lhs: Expr, x: Symbol, target: Expr, branch: int) -> list[Expr]:
    """Solutions of lhs = target on a branch of Lambert's W, for the forms that have one solution on each."""
    forms = (_line_and_exponential, _logarithm_and_power)
    return [c for form in forms for c in form(lhs, x, target, branch)]


def _line_and_exponential(lhs, x, target, branch):
    """a x + b + c e^{kx} = y, and (a x + b) e^{kx} = y."""
    exponentials = [e for e in lhs.atoms(exp) if e.has(x)]
    if len(exponentials) != 1:
        return
    (e,) = exponentials
    k = e.exp.diff(x)
    scale = sympy.exp(sympy.expand(e.exp - k * x))
    E = sympy.Dummy("E")
    form = sympy.expand(lhs.xreplace({e: E * scale}))
    if k.has(x) or not form.is_polynomial(x, E):
        return
    p = sympy.Poly(form, x, E)
    a, b, c, d = (p.coeff_monomial(m) for m in (x, 1, E, x * E))
    if set(p.monoms()) <= {(1, 0), (0, 0), (0, 1)} and a != 0:
        t = (target - b) / a
        yield t - LambertW(k * c / a * exp(k * t), branch) / k
    elif set(p.monoms()) <= {(1, 1), (0, 1), (0, 0)} and d != 0:
        shift = c / d
        yield LambertW(k * (target - b) / d * exp(k * shift), branch) / k - shift


def _logarithm_and_power(lhs, x, target, branch):
    """a log(px + q) + b (px + q)^s + c = y, and (a log + b)·(px + q)^s + c = y: exponential in t = log(px + q)."""
    logs = [n for n in lhs.atoms(log) if n.has(x)]
    if len(logs) != 1 or not logs[0].args[0].is_polynomial(x) or sympy.degree(logs[0].args[0], x) != 1:
        return
    line = logs[0].args[0]
    p, q = sympy.Poly(line, x).all_coeffs()
    t = sympy.Dummy("t", real=True)
    form = sympy.powsimp(sympy.expand(lhs.xreplace({logs[0]: t}).subs(x, (exp(t) - q) / p)))
    form = sympy.powdenest(form, force=True)
    for solution in _line_and_exponential(form, t, target, branch):
        yield (lambert_exponential(solution) - q) / p


def _power_times_exponential(lhs, x, target, branch):
    """a xᵐ e^{c xⁿ} = y: xⁿ = W(cn/m·(y/a)^{n/m})·m/cn."""
    if not lhs.is_Mul and not isinstance(lhs, exp):
        return
    a, rest = lhs.as_independent(x, as_Add=False)
    powers = rest.as_powers_dict()
    m = powers.get(x, S.Zero)
    exponentials = [f for f in sympy.Mul.make_args(rest) if isinstance(f, exp)]
    if len(exponentials) != 1 or m == 0 or rest != x**m * exponentials[0]:
        return
    c, power = exponentials[0].exp.as_independent(x, as_Add=False)
    base, n = power.as_base_exp()
    if base != x or n.has(x):
        return
    for s in (1, -1):
        inner = c * n / m * (s * target / a) ** (n / m)
        yield s * (m / (c * n) * LambertW(inner, branch)) ** (1 / n)

"""Which known pair, shifted, scaled and tilted, a smooth expression is: g(x) = C·h(αx + β) + d x + e.

The tilt drops out of g'' = Cα²·h''(αx + β). Candidates for (α, β) are read off the expression; a candidate is taken
where the curvatures agree in floats at several points, and kept only if g itself agrees in 30 digits.
"""

from dataclasses import dataclass
from itertools import combinations

import mpmath
import sympy
from sympy import Expr, S, Symbol, pi

from hjsym.conjugate.symbolic.numbers import compiled, draws, is_finite, order, probes, short_constant, sign
from hjsym.conjugate.symbolic.pairs import (
    PAIRS,
    Pair,
    entropy_and_square,
    exponential_and_square,
    logarithm_and_square,
    mirror_symbols,
    power,
)  # fmt: skip
from hjsym.errors import UndecidedError

__all__ = ["Match", "find_match"]

_U, _V = mirror_symbols()
_POINTS = 4
_ENOUGH = 2  # matches of which the shorter is taken


@dataclass(frozen=True)
class Match:
    """g(x) = C·h(αx + β) + d x + e."""

    pair: Pair
    C: Expr
    alpha: Expr
    beta: Expr
    d: Expr
    e: Expr

    @property
    def method(self) -> str:
        plain = (self.C, self.alpha, self.beta, self.d, self.e) == (1, 1, 0, 0, 0)
        return "known pair" if plain else "rule"

    def expr(self, x: Symbol) -> Expr:
        return self.C * self.pair.h.subs(_U, self.alpha * x + self.beta) + self.d * x + self.e

    def conjugate(self, y: Symbol) -> Expr:
        z = (y - self.d) / (self.alpha * self.C)
        return self.C * self.pair.conjugate.subs(_V, z) - self.beta * (y - self.d) / self.alpha - self.e

    def contact(self, y: Symbol) -> Expr:
        """The x with g'(x) = y."""
        z = (y - self.d) / (self.alpha * self.C)
        return (self.pair.contact.subs(_V, z) - self.beta) / self.alpha

    def slope_at(self, x: Symbol, end: Expr) -> Expr | None:
        """lim g' at an end of the interval of the pair; None elsewhere."""
        k = self._end(end)
        return None if k is None else self._slope_end(k)

    def conjugate_value_at(self, slope: Expr) -> Expr | None:
        """lim g* at the slope at one of the ends of the pair; None elsewhere, or where only a limit tells."""
        for k in (0, 1):
            value = self.pair.conjugate_values[k]
            if self._slope_end(k) == slope:
                if not is_finite(value):
                    tilt = self.beta == 0 or is_finite(slope)
                    return sympy.oo * sign(self.C * value) if tilt else None
                if is_finite(slope):
                    return self.C * value - self.beta * (slope - self.d) / self.alpha - self.e
        return None

    def _slope_end(self, k: int) -> Expr:
        s = self.pair.slopes[k]
        return s * sign(self.alpha * self.C) if not is_finite(s) else self.d + self.alpha * self.C * s

    def _end(self, end: Expr) -> int | None:
        for k in (0, 1):
            u = self.pair.interval[k]
            if u in (sympy.oo, -sympy.oo):
                if end in (sympy.oo, -sympy.oo) and end * sign(self.alpha) == u:
                    return k
            elif end not in (sympy.oo, -sympy.oo) and order(self.alpha * end + self.beta, u) == 0:
                return k
        return None


def find_match(g: Expr, x: Symbol, a: Expr, b: Expr) -> Match | None:
    """A pair that g is on (a, b), of either sign of C; the shortest formula where there are several."""
    q = sympy.diff(g, x, 2)
    parameters = (g.free_symbols | a.free_symbols | b.free_symbols) - {x}
    row = draws(parameters)[0]
    sample = _sampled(q, x, a.subs(row), b.subs(row), row)
    if sample is None:
        return None
    found = []
    for alpha, beta in _candidates(g, q, x, (sample[0][0], row)):
        for pair in _pairs_at(q, x, alpha, beta, sample, row):
            match = _completed(pair, g, q, x, alpha, beta)
            if match is not None and _covers(match, a, b) and _agrees(match, g, x, a, b, parameters):
                found.append(match)
                if match.method == "known pair":
                    return match
        if len(found) >= _ENOUGH:
            break
    return min(found, key=_complexity, default=None)


def _covers(match: Match, a: Expr, b: Expr) -> bool:
    """Whether all of (a, b) is mapped into the interval of the pair."""
    s = sign(match.alpha)
    images = [e * s if e in (sympy.oo, -sympy.oo) else match.alpha * e + match.beta for e in (a, b)]
    low, high = images if s == 1 else images[::-1]
    try:
        return order(low, match.pair.interval[0]) >= 0 and order(match.pair.interval[1], high) >= 0
    except UndecidedError:
        return False


def _complexity(match: Match) -> tuple[int, int]:
    """How many of α and β are irrational numbers, then the length of the formula."""
    y = Symbol("y", real=True)
    irrational = sum(e.is_number and not e.is_Rational for e in (match.alpha, match.beta))
    return irrational, sympy.expand(match.conjugate(y)).count_ops()


def _sampled(q: Expr, x: Symbol, a: Expr, b: Expr, row) -> list[tuple[float, float]] | None:
    f = compiled(q.subs(row), x)
    result = []
    for p in probes(a, b, _POINTS):
        with mpmath.workdps(60):  # curvatures decay, and are differences of what does not
            value = f(mpmath.mpf(p.p) / p.q)
        if not mpmath.isfinite(value):
            return None
        result.append((float(p), float(value)))
    return result if all(v != 0 for _, v in result) else None


# ---- candidates ----------------------------------------------------------------------------------------


def _candidates(g: Expr, q: Expr, x: Symbol, inside) -> list[tuple[Expr, Expr]]:
    """(α, β) that the expression suggests."""
    linear, quadratic, ratios = _shapes(g, q, x)
    found = [*linear, *ratios]
    for p, r, s in quadratic:
        center = -r / (2 * p)
        width = sympy.sqrt(sympy.factor(abs(r**2 - 4 * p * s))) / (2 * abs(p))
        if sign(width) == 1:
            found += [(1 / width, -center / width), (1 / (2 * width), S.Half - center / (2 * width))]
    for (p, r), (s, t) in combinations(linear, 2):
        x1, x2 = -r / p, -t / s
        gap = x2 - x1
        if sign(gap) in (1, -1):
            found += [(1 / gap, -x1 / gap), (2 / gap, -(x1 + x2) / gap)]
    found.append((S.One, S.Zero))
    spread = [(c * k, d * k) for c, d in found for k in (S.One, S.Half, S(2))]
    shifted = _quarter_turns(found, *inside) if g.has(sympy.sin, sympy.cos, sympy.tan) else []
    both = [(s * c, s * d) for c, d in [*found, *spread, *shifted] for s in (1, -1)]
    return list(dict.fromkeys((sympy.sympify(c), sympy.expand(d)) for c, d in both))


def _quarter_turns(lines, point: float, row) -> list[tuple[Expr, Expr]]:
    """Shifts by multiples of π/2 that bring a point near to 0."""
    shifted = []
    for c, d in lines:
        turns = round(float((c * point + d).subs(row)) / float(pi / 2))
        shifted += [(c, d - k * pi / 2) for k in (turns - 1, turns, turns + 1)]
    return shifted


def _shapes(g: Expr, q: Expr, x: Symbol):
    linear, quadratic, ratios = [], [], []
    for node in {*sympy.preorder_traversal(g), *sympy.preorder_traversal(sympy.factor_terms(q))}:
        if not isinstance(node, Expr) or not node.has(x):
            continue
        if node.is_polynomial(x):
            c = sympy.Poly(node, x).all_coeffs()
            if len(c) == 2 and c not in linear:
                linear.append(c)
            elif len(c) == 3:
                quadratic.append(c)
        elif node.is_Add:
            ratios += _exponent_gap(node, x)
        elif isinstance(node, sympy.Pow) and not node.base.has(x) and node.exp.is_polynomial(x):
            c = sympy.Poly(sympy.expand(node.exp), x).all_coeffs()
            ratios += [tuple(k * sympy.log(node.base) for k in c)] if len(c) == 2 else []
    return [tuple(c) for c in linear], quadratic, ratios


def _exponent_gap(node: sympy.Add, x: Symbol) -> list[tuple[Expr, Expr]]:
    """αx + β of c·e^{αx} + d = d(1 ± e^{αx + β}), and of sums of two exponentials."""
    if len(node.args) != 2:
        return []
    ratio = sympy.powsimp(node.args[0] / node.args[1])
    constant, rest = ratio.as_independent(x, as_Add=False)
    if not isinstance(rest, sympy.exp) or not sympy.diff(rest.exp, x, 1).is_constant(x):
        return []
    c = sympy.expand(rest.exp)
    if not c.is_polynomial(x) or sympy.degree(c, x) != 1:
        return []
    p, r = sympy.Poly(c, x).all_coeffs()
    return [(p, sympy.expand_log(r + sympy.log(abs(constant)), force=True))]


# ---- pairs at a candidate --------------------------------------------------------------------------------


def _pairs_at(q: Expr, x: Symbol, alpha: Expr, beta: Expr, sample, row):
    """Pairs whose curvature is proportional to q there."""
    try:
        a, b = float(alpha.subs(row)), float(beta.subs(row))
    except TypeError:
        return
    points = [a * t + b for t, _ in sample]
    values = [value for _, value in sample]
    for pair in PAIRS:
        lo, hi = pair.ends
        if all(lo < t < hi for t in points) and _proportional(values, map(pair.curvature, points)):
            yield pair
    if min(points) > 0:
        yield from _powers(q, x, alpha, beta, points, values)
    yield from _with_square(q, x, alpha, beta, points, values)


def _proportional(values, others) -> bool:
    first = next(others)
    if not first > 0:
        return False
    ratio = values[0] / first
    return all(
        abs(value - ratio * other) <= 1e-9 * abs(value)
        for value, other in zip(values[1:], others, strict=True)
    )


def _powers(q, x, alpha, beta, points, values):
    """q = k·(αx + β)^r with r found exactly, p = r + 2."""
    if len(set(points)) < 3:
        return
    rates = [
        mpmath.log(abs(values[k] / values[0])) / mpmath.log(points[k] / points[0])
        for k in range(1, len(points))
    ]
    if max(abs(r - rates[0]) for r in rates) > 1e-8 * (1 + abs(rates[0])):
        return
    line = alpha * x + beta
    r = sympy.simplify(sympy.diff(q, x) * line / (alpha * q))
    if not r.has(x) and sign(r + 2) in (1, -1) and sign(r + 1) in (1, -1):
        yield power(r + 2)


def _with_square(q, x, alpha, beta, points, values):
    """q = k·h₀''(αx + β) + c for the exponential, the entropy and the logarithm."""
    families = (
        (exponential_and_square, mpmath.exp, sympy.exp),
        (entropy_and_square, lambda t: 1 / t, lambda t: 1 / t),
        (logarithm_and_square, lambda t: 1 / t**2, lambda t: 1 / t**2),
    )
    for family, curve, symbolic in families:
        if family is not exponential_and_square and min(points) <= 0:
            continue
        h = [curve(t) for t in points]
        if h[1] == h[0]:
            continue
        k = (values[1] - values[0]) / (h[1] - h[0])
        c = values[0] - k * h[0]
        if abs(c) < 1e-9 * abs(values[0]) or any(
            abs(value - k * t - c) > 1e-9 * abs(value) for value, t in zip(values, h, strict=True)
        ):
            continue
        top = symbolic(alpha * x + beta)
        exact_k = sympy.simplify(sympy.diff(q, x) / sympy.diff(top, x))
        m = sympy.simplify(q / exact_k - top)
        if not exact_k.has(x) and not m.has(x) and sign(m) == 1:
            yield family(m)


def _completed(pair: Pair, g: Expr, q: Expr, x: Symbol, alpha: Expr, beta: Expr) -> Match | None:
    """C, d and e from values at the base of the pair."""
    base = (pair.base - beta) / alpha
    h1 = pair.slope.subs(_U, pair.base)
    try:
        C = short_constant(q.subs(x, base) / (alpha**2 * pair.base_curvature))
        d = short_constant(sympy.diff(g, x).subs(x, base) - C * alpha * h1)
        e = short_constant(g.subs(x, base) - C * pair.h.subs(_U, pair.base) - d * base)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return Match(pair, C, alpha, beta, d, e) if all(map(is_finite, (C, d, e))) and C != 0 else None


def _agrees(match: Match, g: Expr, x: Symbol, a: Expr, b: Expr, parameters) -> bool:
    symbols = sorted(parameters, key=str)
    f, h = compiled(g, x, *symbols), compiled(match.expr(x), x, *symbols)
    with mpmath.workdps(40):
        for row in draws(parameters, 2):
            fixed = [mpmath.mpf(row[s].p) / row[s].q for s in symbols]
            for p in probes(a.subs(row), b.subs(row), 3):
                point = mpmath.mpf(p.p) / p.q
                left, right = f(point, *fixed), h(point, *fixed)
                if not abs(left - right) <= mpmath.mpf(10) ** -25 * (1 + abs(left)):
                    return False
    return True

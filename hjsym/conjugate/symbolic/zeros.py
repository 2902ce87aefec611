"""Real zeros of expressions in one variable on an interval: all of them, or an error.

Exact numbers where a template or SymPy has them; else, on bounded intervals, 35 digits of each zero, isolated in
interval arithmetic.
"""

import sympy
from sympy import Expr, S, Symbol, oo

from hjsym.conjugate.symbolic.isolate import isolated_zeros
from hjsym.conjugate.symbolic.numbers import between, is_finite, ordered, sign, spoken
from hjsym.errors import UndecidedError

__all__ = ["exponential_polynomial", "has_one_sign", "zeros"]


def zeros(u: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr]:
    """The zeros of u in the open interval (a, b), increasing; raises UndecidedError."""
    if not u.has(x):
        return []
    found = []
    for factor in _factors(u, x):
        found += [z for z in _zeros_of_factor(factor, x, a, b) if between(z, a, b)]
    return ordered(found)


def _factors(u: Expr, x: Symbol) -> list[Expr]:
    numerator, _ = sympy.fraction(sympy.together(u))
    numerator = sympy.factor(numerator) if numerator.is_Add else numerator
    factors = []
    for part in sympy.Mul.make_args(numerator):
        base, exponent = part.as_base_exp()
        if isinstance(part, sympy.exp) or not base.has(x) or exponent.is_negative:
            continue
        factors += _factors(base, x) if base.is_Mul else [base]
    return factors


def _zeros_of_factor(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr]:
    if has_one_sign(f, x, a, b):
        return []
    for method in (_of_polynomial, _of_exponentials, _of_inverse, _of_lambert, _by_solveset, isolated_zeros):
        found = method(f, x, a, b)
        if found is not None:
            return found
    raise UndecidedError(
        f"cannot find where {spoken(f)} = 0 on ({a}, {b}); write the function as a Piecewise, or pass a smaller domain"
    )


def has_one_sign(f: Expr, x: Symbol, a: Expr, b: Expr) -> bool:
    """Whether SymPy's assumptions give f a sign on (a, b)."""
    if f.is_positive or f.is_negative:
        return True
    for end, direction in ((a, 1), (b, -1)):
        if end not in (oo, -oo):
            t = sympy.Dummy("t", positive=True)
            g = f.subs(x, end + direction * t)
            if g.is_positive or g.is_negative:
                return True
            g = sympy.expand(g)
            if g.is_positive or g.is_negative:
                return True
    return False


def _of_polynomial(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr] | None:
    if not f.is_polynomial(x):
        return None
    p = sympy.Poly(f, x)
    if p.degree() <= 2:
        return _of_quadratic(*p.all_coeffs()) if p.degree() == 2 else [-p.nth(0) / p.nth(1)]
    if len(p.terms()) == 2 and p.nth(0) != 0:
        return _of_power(p.degree(), -p.nth(0) / p.LC())
    if p.free_symbols_in_domain:
        return None
    try:
        return list(dict.fromkeys(p.real_roots()))
    except (NotImplementedError, sympy.PolynomialError, sympy.polys.polyerrors.DomainError):
        return None


def _of_quadratic(a: Expr, b: Expr, c: Expr) -> list[Expr] | None:
    discriminant = sympy.factor(b**2 - 4 * a * c)
    s = sign(discriminant)
    if s is None:
        return None
    if s < 0:
        return []
    root = sympy.sqrt(discriminant)
    return list(dict.fromkeys(sympy.expand((-b + r) / (2 * a)) for r in (-root, root)))


def _of_power(n: int, c: Expr) -> list[Expr] | None:
    """Real zeros of xⁿ − c."""
    s = sign(c)
    if s is None or (s < 0 and n % 2 == 0):
        return None if s is None else []
    root = s * sympy.root(abs(c), n)
    return [root] if n % 2 else [-root, root]


def _of_exponentials(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr] | None:
    """Polynomials in e^{kx}: x = log(z)/k for each positive zero z."""
    k, polynomial, u = exponential_polynomial(f, x)
    if k is None:
        return None
    positive = []
    for factor in _factors(polynomial, u):
        found = _of_polynomial(factor, u, S.Zero, oo)
        if found is None:
            return None
        positive += [z for z in found if sign(z) == 1]
        if any(sign(z) is None for z in found):
            return None
    return [sympy.log(z) / k for z in positive]


def exponential_polynomial(f: Expr, x: Symbol) -> tuple[Expr | None, Expr, Symbol]:
    """k, q, u with f = q(e^{kx}) and q rational in u; k is None where there is none."""
    u = sympy.Dummy("u", positive=True)
    f = (
        f.rewrite(sympy.exp)
        if f.has(sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)
        else f
    )
    slopes, replaced = [], {}
    for e in f.atoms(sympy.exp, sympy.Pow):
        if not e.exp.has(x):
            continue
        k = e.exp.diff(x) * (1 if isinstance(e, sympy.exp) else sympy.log(e.base))
        if k.has(x):
            return None, f, u
        slopes.append((e, k))
    if not slopes:
        return None, f, u
    base = slopes[0][1]
    for _, k in slopes[1:]:
        ratio = sympy.simplify(k / base)
        if not ratio.is_Rational:
            return None, f, u
        base = base * sympy.gcd(S.One, ratio) if ratio.q != 1 else base
    base = -base if sign(base) == -1 else base
    for e, k in slopes:
        power = sympy.simplify(k / base)
        if not power.is_Integer:
            return None, f, u
        replaced[e] = e.subs(x, 0) * u**power
    q = f.xreplace(replaced)
    return (None, f, u) if q.has(x) else (base, q, u)


def _of_inverse(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr] | None:
    """c·F(v) + d with F one-to-one: v = F⁻¹(−d/c)."""
    constant, rest = f.as_independent(x, as_Add=True)
    factor, inner = rest.as_independent(x, as_Add=False)
    target = -constant / factor
    inverses = {
        sympy.exp: lambda t: sympy.log(t) if sign(t) == 1 else None,
        sympy.log: sympy.exp,
        sympy.sinh: sympy.asinh,
        sympy.asinh: sympy.sinh,
        sympy.LambertW: lambda t: t * sympy.exp(t) if sign(t + 1) in (0, 1) else None,
        sympy.atan: lambda t: sympy.tan(t) if sign(sympy.pi / 2 - abs(t)) == 1 else None,
        sympy.tanh: lambda t: sympy.atanh(t) if sign(1 - t**2) == 1 else None,
    }
    if type(inner) not in inverses or len(inner.args) != 1:
        if (
            isinstance(inner, sympy.Pow)
            and not inner.exp.has(x)
            and not inner.exp.is_integer
            and sign(target) == 1
        ):
            return zeros(inner.base - target ** (1 / inner.exp), x, a, b)
        return None
    if isinstance(inner, sympy.exp) and sign(target) in (0, -1):
        return []
    if isinstance(inner, sympy.LambertW) and sign(target + 1) == -1:
        return []
    v = inverses[type(inner)](target)
    return None if v is None else zeros(inner.args[0] - v, x, a, b)


def _of_lambert(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr] | None:
    """Forms that become w eʷ = z, whose real solutions are on the two real branches of W."""
    from hjsym.conjugate.symbolic.inverse import lambert_solutions

    constant, rest = f.as_independent(x, as_Add=True)
    found = [lambert_solutions(rest, x, -constant, branch) for branch in (0, -1)]
    if not found[0] or len(found[0]) > 1 or (found[0] + found[1])[0].free_symbols:
        return None
    return list(dict.fromkeys(z for branch in found for z in branch if is_finite(z)))


def _by_solveset(f: Expr, x: Symbol, a: Expr, b: Expr) -> list[Expr] | None:
    if f.count_ops() > 40:
        return None
    t = sympy.Dummy("t", real=True)
    try:
        found = sympy.solveset(f.subs(x, t), t, sympy.Interval.open(a, b))
    except Exception:  # SymPy's solvers fail in many ways
        return None
    if found is S.EmptySet:
        return []
    return list(found) if isinstance(found, sympy.FiniteSet) else None

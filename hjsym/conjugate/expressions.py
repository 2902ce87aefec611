"""SymPy expressions in several variables: what class of functions they belong to.

In this order: quadratic; a maximum of affine functions; ε log of a sum of exponentials of affine functions; a
function of √Σx_k²; a sum of functions of fewer variables each.
"""

from collections.abc import Sequence
from fractions import Fraction

import networkx as nx
import numpy as np
import sympy

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.boxes import BoxIndicator
from hjsym.conjugate.entropic import LogSumExp
from hjsym.conjugate.maxaffine import MaxAffine
from hjsym.conjugate.quadratic import Quadratic
from hjsym.conjugate.radial import Radial
from hjsym.conjugate.separable import Separable
from hjsym.symbols import LogSumExp as LogSumExpSymbol
from tropical import Box, Polynomial, Semiring
from tropical.domain import as_box
from tropical.errors import InputError, ShapeError

__all__ = ["from_expression"]


def from_expression(expr: sympy.Expr, symbols: Sequence[sympy.Symbol], domain=None) -> ConvexFunction:
    """The function of the symbols, in their order, that an expression is.

    Raises
    ------
    InputError
        Symbols that are not listed, or a form that is not recognised.

    Examples
    --------
    >>> x, y = sympy.symbols("x y", real=True)
    >>> f = from_expression(sympy.sqrt(1 + x**2 + y**2), (x, y))
    >>> f.conjugate()([[0.6, 0.0], [0.8, 0.8]])                          # −√(1 − ‖y‖²)
    array([-0.8,  inf])
    """
    symbols = tuple(symbols)
    extra = expr.free_symbols - set(symbols)
    if extra:
        raise InputError(
            f"{expr} has the symbols {sorted(map(str, extra))} beside x = {symbols}; list or substitute them"
        )
    for reading in (_quadratic, _max_affine, _log_sum_exp, _radial, _separable):
        f = reading(expr, symbols)
        if f is not None:
            return f if domain is None else f + _restriction(domain, len(symbols))
    raise InputError(
        f"{expr} is not quadratic, a maximum of affine functions, a log-sum-exp of them, a function of the Euclidean "
        "norm, or a sum of functions of separate variables; build it with the calculus of hjsym.conjugate, or use "
        "FromCallable"
    )


def _restriction(domain, d: int) -> BoxIndicator:
    box = as_box(domain) if not isinstance(domain, Box) else domain
    return BoxIndicator(*(np.asarray(bound, float) for bound in box.bounds(d)))


def number(value: sympy.Expr) -> Fraction | float:
    """A rational number as a Fraction, any other real one as the nearest float."""
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    try:
        return float(value)
    except TypeError:
        raise InputError(f"{value} is no real number; substitute numbers for parameters") from None


def _array(values) -> np.ndarray:
    """Fractions if all are, else floats."""
    exact = all(isinstance(v, Fraction) for v in np.ravel(np.array(values, dtype=object)))
    return np.array(values, dtype=object if exact else float)


def _affine(expr: sympy.Expr, symbols) -> tuple[list, object] | None:
    """(slope, constant) of an affine expression."""
    try:
        poly = sympy.Poly(expr, *symbols)
    except sympy.PolynomialError:
        return None
    if poly.total_degree() > 1 or not all(c.is_number for c in poly.coeffs()):
        return None
    slope = [number(poly.coeff_monomial(s)) for s in symbols]
    return slope, number(poly.coeff_monomial(1))


def _quadratic(expr: sympy.Expr, symbols) -> Quadratic | None:
    try:
        poly = sympy.Poly(expr, *symbols)
    except sympy.PolynomialError:
        return None
    if poly.total_degree() > 2 or not all(c.is_number for c in poly.coeffs()):
        return None
    Q = [[number(c) for c in row] for row in sympy.hessian(expr, symbols).tolist()]
    b = [number(poly.coeff_monomial(s)) for s in symbols]
    values = _array([*np.ravel(np.array(Q, dtype=object)), *b, number(poly.coeff_monomial(1))])
    d = len(symbols)
    return Quadratic(values[: d * d].reshape(d, d), values[d * d : -1], values[-1])


def _max_affine(expr: sympy.Expr, symbols) -> MaxAffine | None:
    terms = _terms(expr, symbols)
    if terms is None:
        return None
    rows = _array([[*slope, constant] for slope, constant in terms])
    return MaxAffine(Polynomial(rows[:, :-1], rows[:, -1]))


def _terms(expr: sympy.Expr, symbols) -> list | None:
    """The affine functions of which an expression is the maximum; sums and positive multiples of such are such."""
    if isinstance(expr, sympy.Max):
        parts = [_terms(a, symbols) for a in expr.args]
        return None if None in parts else [t for part in parts for t in part]
    if isinstance(expr, sympy.Abs):
        inside = _affine(expr.args[0], symbols)
        return inside and [inside, ([-w for w in inside[0]], -inside[1])]
    plain = _affine(expr, symbols)
    if plain is not None:
        return [plain]
    if isinstance(expr, sympy.Mul):
        scale, rest = expr.as_coeff_Mul()
        inside = _terms(rest, symbols) if scale.is_positive and rest != expr else None
        return inside and [([number(scale) * w for w in slope], number(scale) * c) for slope, c in inside]
    if isinstance(expr, sympy.Add):
        parts = [_terms(a, symbols) for a in expr.args]
        if None in parts or np.prod([len(p) for p in parts]) > 10_000:
            return None
        total = [([Fraction(0)] * len(symbols), Fraction(0))]
        for part in parts:
            total = [([a + b for a, b in zip(s, t, strict=True)], c + e) for s, c in total for t, e in part]
        return total
    return None


def _log_sum_exp(expr: sympy.Expr, symbols) -> LogSumExp | None:
    scale, rest = expr.as_coeff_Mul()
    if isinstance(rest, LogSumExpSymbol) and scale == 1 and rest.args[0].is_number:
        eps, exponents = float(rest.args[0]), [a / rest.args[0] for a in rest.args[1:]]
        weights = [sympy.S.One] * len(exponents)
    elif isinstance(rest, sympy.log) and scale.is_positive:
        eps, exponents, weights = float(scale), [], []
        for term in sympy.Add.make_args(sympy.expand(rest.args[0], power_exp=False)):
            weight, power = sympy.powsimp(term).as_independent(*symbols)
            if not weight.is_positive or not (power == 1 or isinstance(power, sympy.exp)):
                return None
            weights.append(weight)
            exponents.append(sympy.S.Zero if power == 1 else power.args[0])
    else:
        return None
    rows = [_affine(e, symbols) for e in exponents]
    if None in rows:
        return None
    W = eps * np.array([slope for slope, _ in rows], float)
    b = eps * np.array([float(c) + float(sympy.log(w)) for (_, c), w in zip(rows, weights, strict=True)])
    return LogSumExp(Polynomial(W, b, Semiring(eps=eps)))


def _radial(expr: sympy.Expr, symbols) -> Radial | None:
    from hjsym.conjugate.dispatch import as_function

    if len(symbols) < 2 or not set(symbols) <= expr.free_symbols:
        return None
    r = sympy.Dummy("r", real=True)
    profile = expr.subs({s: 0 for s in symbols[1:]}, simultaneous=True).subs(symbols[0], r)
    size = sympy.sqrt(sympy.Add(*(s**2 for s in symbols)))
    if (
        sympy.simplify(profile.subs(r, size) - expr) != 0
        or sympy.simplify(profile - profile.subs(r, -r)) != 0
    ):
        return None
    return Radial(as_function(profile, r), len(symbols), 2, True)


def _separable(expr: sympy.Expr, symbols) -> ConvexFunction | None:
    from hjsym.conjugate.dispatch import as_function

    graph = nx.Graph()
    graph.add_nodes_from(symbols)
    terms = sympy.Add.make_args(sympy.expand(expr))
    for term in terms:
        used = sorted(term.free_symbols, key=str)
        nx.add_path(graph, used)
    blocks = [sorted(block, key=symbols.index) for block in nx.connected_components(graph)]
    if len(blocks) < 2:
        return None
    order = [s for block in blocks for s in block]
    if order != list(symbols):
        if any(len(block) > 1 for block in blocks):
            raise ShapeError(f"{expr} is a sum over blocks {blocks}; list the symbols in that order")
        blocks.sort(key=lambda block: symbols.index(block[0]))
    constant = sympy.Add(*(t for t in terms if not t.free_symbols))
    parts = []
    for block in blocks:
        part = sympy.Add(*(t for t in terms if t.free_symbols & set(block)))
        parts.append(as_function(part, block[0] if len(block) == 1 else tuple(block)))
    f = Separable(parts)
    return f if constant == 0 else f + float(constant)

"""Polynomials, circuits and rational functions as SymPy expressions, unevaluated.

SymPy's own evaluation is quadratic in the size of a maximum; the functions of `hjsym.symbols` stay as they are
built. What would be too large is refused with its size before it is built.
"""

from collections.abc import Iterator, Sequence
from functools import cmp_to_key

import numpy as np
import sympy

from hjsym.symbols import LogSumExp, Maximum
from tropical import Circuit, Polynomial, Rational, linear_regions
from tropical._formulas import operation_counts
from tropical.circuit import Affine, Input, Node, entries
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = [
    "affine_form",
    "default_symbols",
    "expression",
    "number",
    "rational_expression",
    "soft_maximum",
    "symbolic",
]

_CANONICAL = cmp_to_key(sympy.Basic.compare)
FORMS = ("nested", "max", "piecewise")
Symbols = Sequence[sympy.Symbol]
Expressions = sympy.Expr | list[sympy.Expr]


def symbolic(value, name: str) -> sympy.Basic:
    """A SymPy object or a number as SymPy's; text is refused, as SymPy would run it as Python.

    >>> symbolic("__import__('os').system('true')", "H")
    Traceback (most recent call last):
        ...
    tropical.errors.InputError: H is text; pass a SymPy expression (sympy.parse_expr makes one of text, and runs it)
    >>> symbolic(0.5, "H")
    0.500000000000000
    """
    if isinstance(value, str):
        raise InputError(
            f"{name} is text; pass a SymPy expression (sympy.parse_expr makes one of text, and runs it)"
        )
    try:
        return sympy.sympify(value, strict=True)
    except sympy.SympifyError:
        raise InputError(f"{name} is a {type(value).__name__}; pass a SymPy expression or a number") from None


def default_symbols(d: int, name: str = "x") -> tuple[sympy.Symbol, ...]:
    """Real symbols x1 … xd."""
    return tuple(sympy.Symbol(f"{name}{k}", real=True) for k in range(1, d + 1))


def expression(
    f: Polynomial | Circuit | Rational, symbols: Symbols | None = None, *, limit: int = 1_000_000
) -> Expressions:
    """A function of `tropical` as a SymPy expression in ordinary notation; a list where it has several outputs.

    A polynomial is the `Maximum` or `LogSumExp` of its monomials (the negative of one, over min-plus), a circuit a
    nest of those, a rational function the difference P − Q.

    Parameters
    ----------
    f : Polynomial, Circuit or Rational
    symbols : sequence of sympy.Symbol, optional
        One per variable; x1 … xd by default.
    limit : int
        Largest number of operations in the printed formula.

    Raises
    ------
    BudgetExceeded
        If the formula would be larger, saying how large.

    Examples
    --------
    >>> from tropical import MIN_PLUS, variables
    >>> x, y = variables(2)
    >>> expression((x**2 + 3 * y) / (x * y + 1))
    Max(2.0*x1, x2 + 3.0) - Max(x1 + x2, 1)
    >>> expression(variables(1, MIN_PLUS)[0] + 0)
    -Max(-x1, 0)
    """
    parts = (f.P, f.Q) if isinstance(f, Rational) else (f,)
    if not isinstance(parts[0], Polynomial | Circuit):
        raise InputError(f"got a {type(f).__name__}; pass a Polynomial, a Circuit or a Rational")
    symbols = checked_symbols(symbols, f.variables)
    check_size(sum(map(_size, parts)), limit)
    built: dict[Node, list[sympy.Expr]] = {}
    outputs = [
        [_of_polynomial(part, symbols)] if isinstance(part, Polynomial) else _of_circuit(part, symbols, built)
        for part in parts
    ]
    return one_or_list([row[0] if len(row) == 1 else row[0] - row[1] for row in zip(*outputs, strict=True)])


def rational_expression(
    f, symbols: Symbols | None, form: str, limit: int, domain, options: dict
) -> Expressions:
    """f in one of the `FORMS`; see `hjsym.TropicalNetwork.expr`."""
    if form not in FORMS:
        raise InputError(f"form is {form!r}; pass one of {', '.join(map(repr, FORMS))}")
    if form == "nested":
        if domain is not None or options:
            raise InputError(
                "form='nested' holds everywhere and takes no domain; pass form='max' or 'piecewise'"
            )
        return expression(f, symbols, limit=limit)
    if not (f.P.is_tropical and f.Q.is_tropical):
        raise InputError(f"form={form!r} needs every gate at eps = 0; use deform(0), or form='nested'")
    if form == "piecewise":
        return _piecewise(f, symbols, limit, linear_regions(f, domain, **options))
    pairs = f.essential(domain, **options)
    pairs = [Rational(*pair) for pair in ([pairs] if isinstance(pairs, tuple) else pairs)]
    check_size(sum(_size(g.P) + _size(g.Q) for g in pairs), limit)
    return one_or_list([expression(g, symbols, limit=limit) for g in pairs])


# ---- what all of them need ---------------------------------------------------------------------------


def one_or_list(expressions: list) -> Expressions:
    return expressions[0] if len(expressions) == 1 else expressions


def check_size(operations: int, limit: int) -> None:
    if operations > limit:
        raise BudgetExceeded(
            "operations in the printed formula", operations, limit,
            "take fewer outputs, affine_at for one region, or raise limit=",
        )  # fmt: skip


def checked_symbols(symbols: Symbols | None, d: int) -> tuple[sympy.Symbol, ...]:
    symbols = default_symbols(d) if symbols is None else tuple(symbols)
    if len(symbols) != d:
        raise ShapeError(f"got {len(symbols)} symbols for {d} variables; pass one symbol per variable")
    return symbols


def number(value) -> sympy.Expr:
    """Exact rationals stay exact; floats stay floats of the same 53 bits."""
    if isinstance(value, (float, np.floating)):
        return sympy.Integer(int(value)) if value in (-1.0, 0.0, 1.0) else sympy.Float(float(value))
    return sympy.Rational(value.numerator, value.denominator)


def affine_form(weights, bias, atoms: Sequence[sympy.Expr]) -> sympy.Expr:
    """Σ weight · atom + bias over pairs (place, weight), in SymPy's order but without its evaluation, which takes
    several times as long."""
    terms = sorted((_times(number(w), atoms[j]) for j, w in weights), key=_CANONICAL)
    terms = [t for t in (number(bias), *terms) if t is not sympy.S.Zero] or [sympy.S.Zero]
    return terms[0] if len(terms) == 1 else sympy.Add(*terms, evaluate=False)


def _times(weight: sympy.Expr, atom: sympy.Expr) -> sympy.Expr:
    if weight is sympy.S.One or atom.is_Number:
        return weight * atom
    return sympy.Mul(weight, atom, evaluate=False)


def soft_maximum(eps: float, branches: Sequence[sympy.Expr]) -> sympy.Expr:
    return LogSumExp(number(eps), *branches) if eps > 0 else Maximum(*branches)


# ---- polynomials and circuits ------------------------------------------------------------------------


def _size(part: Polynomial | Circuit) -> int:
    """Nodes of the expression tree, before building it."""
    if isinstance(part, Polynomial):
        return len(part) + 1 + int((part.slopes != 0).sum()) * 2
    return sum(operation_counts(part))


def _of_polynomial(part: Polynomial, symbols: Symbols) -> sympy.Expr:
    sign, eps = part.semiring.sign, part.semiring.eps
    kept = part.coefficients != part.semiring.zero
    rows = zip(sign * part.slopes[kept], sign * part.coefficients[kept], strict=True)
    terms = [affine_form([(j, w) for j, w in enumerate(row) if w != 0], b, symbols) for row, b in rows]
    return sign * (soft_maximum(eps, terms) if terms else sympy.S.NegativeInfinity)


def _of_circuit(part: Circuit, symbols: Symbols, built: dict[Node, list[sympy.Expr]]) -> list[sympy.Expr]:
    """One for each output; `built` keeps those of every node, which circuits share."""
    for node in part.nodes:
        if node in built:
            continue
        if isinstance(node, Input):
            built[node] = list(symbols)
        elif isinstance(node, Affine):
            rows = [[number(b)] for b in node.bias]
            for weights, operand in node.terms:
                for i, j, weight in entries(weights):
                    rows[i].append(number(weight) * built[operand][j])
            built[node] = [sympy.Add(*row) for row in rows]
        else:
            eps = part._temperature(node)
            branches = zip(*(built[b] for b in node.branches), strict=True)
            built[node] = [soft_maximum(eps, row) for row in branches]
    return built[part.node]


# ---- regions -----------------------------------------------------------------------------------------


def _piecewise(f, symbols: Symbols | None, limit: int, regions) -> Expressions:
    """Per output a Piecewise over its affine maps, each where one of its regions is."""
    if not regions.complete:
        raise InputError(
            "partial=True leaves out regions, where f would have no value; raise max_regions instead"
        )
    symbols = checked_symbols(symbols, regions.variables)
    width, count = 2 * len(symbols) + 1, len(regions)
    check_size(f.P.outputs * width * (count + sum(len(regions.facets(k)) for k in range(count))), limit)
    conditions = [_inside(region, symbols, f.is_exact) for region in regions]
    maps = [np.column_stack([region.slope, region.intercept]) for region in regions]
    outputs = [[tuple(rows[i]) for rows in maps] for i in range(f.P.outputs)]
    return one_or_list([_cases(rows, conditions, symbols, f.is_exact) for rows in outputs])


def _cases(maps: list[tuple], conditions: list, symbols: Symbols, exact: bool) -> sympy.Expr:
    where: dict[tuple, list] = {}
    for row, condition in zip(maps, conditions, strict=True):
        where.setdefault(row, []).append(condition)
    cases = [
        (_line(row, symbols, exact), sympy.Or(*c, evaluate=False) if len(c) > 1 else c[0])
        for row, c in where.items()
    ]
    return cases[0][0] if len(cases) == 1 else sympy.Piecewise(*cases, evaluate=False)


def _line(row: Sequence, symbols: Symbols, exact: bool) -> sympy.Expr:
    row = row if exact else [float(v) for v in row]
    return affine_form(_nonzero(row[:-1]), row[-1], symbols)


def _inside(region, symbols: Symbols, exact: bool) -> sympy.Basic:
    """G x ≤ h; in floats each row is scaled to numbers that they hold."""
    rows = []
    for g, h in zip(*region.halfspaces, strict=True):
        if not exact:
            top = max(abs(v) for v in g)
            g, h = [float(v / top) for v in g], float(h / top)
        rows.append(sympy.Le(affine_form(_nonzero(g), h * 0, symbols), number(h), evaluate=False))
    return sympy.And(*rows, evaluate=False) if len(rows) != 1 else rows[0]


def _nonzero(row: Sequence) -> Iterator[tuple[int, object]]:
    return ((j, w) for j, w in enumerate(row) if w != 0)

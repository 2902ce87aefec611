"""Formulas as text, read without evaluating them: arithmetic, comparisons and named functions, and nothing else."""

import ast
import math
import operator
from collections.abc import Callable
from fractions import Fraction

import sympy

from tropical.errors import InputError

__all__ = ["read_formula"]

_LONGEST = 2000  # characters
_DEEPEST = 50  # levels
_POWER = 100  # the largest exponent
_BITS = 4000  # of a number
_EXPONENT = 700  # e to more than this is no float

_FUNCTIONS: dict[str, Callable] = {
    "abs": sympy.Abs, "sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log, "sign": sympy.sign,
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "asin": sympy.asin, "acos": sympy.acos,
    "atan": sympy.atan, "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh, "asinh": sympy.asinh,
    "acosh": sympy.acosh, "atanh": sympy.atanh, "max": sympy.Max, "min": sympy.Min,
    "relu": lambda z: sympy.Max(z, 0), "softplus": lambda z: sympy.log(1 + sympy.exp(z)),
    "logsumexp": lambda *z: sympy.log(sympy.Add(*map(sympy.exp, z))),
}  # fmt: skip
_SEVERAL = {"max", "min", "logsumexp"}
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "inf": sympy.oo}
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_COMPARISONS = {ast.Lt: sympy.Lt, ast.LtE: sympy.Le, ast.Gt: sympy.Gt, ast.GtE: sympy.Ge}


def read_formula(text: str, parameters: frozenset[str] | set[str] = frozenset()) -> sympy.Expr:
    """The expression that a text writes down, in real symbols, positive ones where they are `parameters`.

    Numbers, ``+ - * / **`` (or ``^``), ``a if x > 0 else b``, and the functions abs, sqrt, exp, log, sign, max, min,
    relu, softplus, logsumexp, and the circular and hyperbolic ones with their inverses. Decimals are read as the
    fractions that they write. Nothing is evaluated by Python, and sizes are limited, so that a text from anywhere may
    be read.

    Raises
    ------
    InputError
        Anything else, with the place.

    Examples
    --------
    >>> read_formula("x^2/2 + 0.1*abs(x)")
    x**2/2 + Abs(x)/10
    >>> read_formula("x if x > 0 else -2*x")
    Piecewise((x, x > 0), (-2*x, True))
    """
    if len(text) > _LONGEST:
        raise InputError(f"the formula has {len(text):,} characters; at most {_LONGEST:,} are read")
    try:
        text = text.strip().replace("^", "**")
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise InputError(f"{text!r} is no formula: {reason}; write one like x**2/2 + abs(x)") from None
    return _Reader(text, parameters).read(tree.body, 0)


class _Reader:
    """From the tree of a text to SymPy, node by node."""

    def __init__(self, text: str, parameters):
        self.text, self.parameters = text, parameters

    def read(self, node: ast.AST, depth: int) -> sympy.Expr:
        if depth > _DEEPEST:
            raise InputError(f"the formula is nested more than {_DEEPEST} deep; write it flatter")
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self._refuse(node, "is no arithmetic")
        return self._checked(node, method(node, depth + 1))

    def _checked(self, node: ast.AST, value):
        """Real numbers and powers of a size that floats have, so that nothing later takes forever."""
        if not isinstance(value, sympy.Expr):
            return value
        if value.has(sympy.I, sympy.zoo, sympy.nan):
            raise self._refuse(node, "is no real number")
        if any(max(abs(q.p).bit_length(), q.q.bit_length()) > _BITS for q in value.atoms(sympy.Rational)):
            raise self._refuse(node, "has a number that is too long")
        for power, largest in ((sympy.Pow, _POWER), (sympy.exp, _EXPONENT)):
            if any(e.exp.is_number and not abs(e.exp) <= largest for e in value.atoms(power)):
                raise self._refuse(node, f"has an exponent beyond {largest}")
        return value

    def _refuse(self, node: ast.AST, why: str) -> InputError:
        part = ast.get_source_segment(self.text, node) or self.text
        return InputError(
            f"{part[:60]!r} {why}; a formula has numbers, names, + - * / **, a if x > 0 else b, "
            f"and {', '.join(_FUNCTIONS)}"
        )

    def _constant(self, node: ast.Constant, depth: int) -> sympy.Expr:
        if type(node.value) not in (int, float):
            raise self._refuse(node, "is no real number")
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise self._refuse(node, "is too large a number")
        if not node.value:
            return sympy.S.Zero
        written = ast.get_source_segment(self.text, node)
        return sympy.Rational(Fraction(written) if isinstance(node.value, float) else node.value)

    def _name(self, node: ast.Name, depth: int) -> sympy.Expr:
        if node.id in _CONSTANTS:
            return _CONSTANTS[node.id]
        if node.id in _FUNCTIONS:
            raise self._refuse(node, "is a function without an argument")
        assumption = {"positive": True} if node.id in self.parameters else {"real": True}
        return sympy.Symbol(node.id, **assumption)

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> sympy.Expr:
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise self._refuse(node, "is no arithmetic")
        value = self.read(node.operand, depth)
        return -value if isinstance(node.op, ast.USub) else value

    def _binop(self, node: ast.BinOp, depth: int) -> sympy.Expr:
        left, right = self.read(node.left, depth), self.read(node.right, depth)
        if isinstance(node.op, ast.Pow):
            return self._power(node, left, right)
        if type(node.op) not in _OPERATORS:
            raise self._refuse(node, "is no arithmetic")
        if isinstance(node.op, ast.Div) and right == 0:
            raise self._refuse(node, "divides by 0")
        return _OPERATORS[type(node.op)](left, right)

    def _power(self, node: ast.AST, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if exponent.is_number and not abs(exponent) <= _POWER:
            raise self._refuse(node, f"has an exponent beyond {_POWER}")
        if base == 0 and exponent.is_negative:
            raise self._refuse(node, "divides by 0")
        return base**exponent

    def _ifexp(self, node: ast.IfExp, depth: int) -> sympy.Expr:
        condition = self._condition(node.test, depth)
        return sympy.Piecewise(
            (self.read(node.body, depth), condition), (self.read(node.orelse, depth), True)
        )

    def _condition(self, node: ast.AST, depth: int):
        if not isinstance(node, ast.Compare) or any(type(op) not in _COMPARISONS for op in node.ops):
            raise self._refuse(node, "is no comparison by <, <=, > or >=")
        sides = [self.read(part, depth) for part in (node.left, *node.comparators)]
        links = zip(node.ops, sides, sides[1:], strict=False)
        return sympy.And(*(_COMPARISONS[type(op)](a, b) for op, a, b in links))

    def _call(self, node: ast.Call, depth: int) -> sympy.Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in _FUNCTIONS or node.keywords:
            raise self._refuse(node, "is no function that is known")
        if not node.args or (len(node.args) > 1 and name not in _SEVERAL):
            raise self._refuse(node, "has the wrong number of arguments")
        values = [self.read(argument, depth) for argument in node.args]
        if any(v.is_number and not abs(v) <= _EXPONENT for v in values) and name != "abs":
            raise self._refuse(node, f"has an argument beyond {_EXPONENT}")
        return _FUNCTIONS[name](*values)

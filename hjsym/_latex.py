"""LaTeX by SymPy in which a name is never a command, and formulas that are too long to show."""

import re
from collections.abc import Callable
from itertools import islice

import sympy
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

from tropical._formulas import in_display
from tropical._html import shown

__all__ = ["formula_of", "is_long", "latex", "latex_of"]

_SHOWN = 1_500  # parts of a formula that a notebook shows
_LETTERS = 20_000
_MOST_LETTERS = 40  # of a name that is spelled
_NAME = re.compile(r"\w+([_^](\w+|\{\w+(,\s?\w+)*\}))*'*")  # as SymPy reads them: x, x1, theta_12, x_{1,2}


class _Printer(LatexPrinter):
    """SymPy's printer, which takes a name with a brace or backslash for LaTeX: here only plain names are."""

    def _print_Symbol(self, expr, style="plain"):
        return super()._print_Symbol(expr, style) if _NAME.fullmatch(expr.name) else _spelled(expr.name)

    _print_RandomSymbol = _print_Symbol

    def _print_Function(self, expr, exp=None):
        name = expr.func.__name__
        if not isinstance(expr, AppliedUndef) or _NAME.fullmatch(name):
            return super()._print_Function(expr, exp)
        written = rf"{_spelled(name)}\left({', '.join(map(self._print, expr.args))}\right)"
        return written if exp is None else f"{written}^{{{exp}}}"


def _spelled(name: str) -> str:
    """Letters and digits as they are, a dot for anything else."""
    letters = (c if c.isalnum() and c.isascii() else r"{\cdot}" for c in name[:_MOST_LETTERS])
    return rf"\mathtt{{{''.join(letters)}}}"


def latex(expr) -> str:
    r"""`sympy.latex`, with names of symbols and functions that could be anything spelled out.

    >>> x, odd = sympy.symbols("x1"), sympy.Symbol(r"\input{a}")
    >>> print(latex(x**2 + 1), latex(odd))
    x_{1}^{2} + 1 \mathtt{{\cdot}input{\cdot}a{\cdot}}
    """
    return _Printer().doprint(expr)


def is_long(*exprs: sympy.Basic) -> bool:
    """Whether they have more parts than a notebook shows; no more are looked at."""
    parts = (part for expr in exprs for part in sympy.preorder_traversal(expr))
    return len(list(islice(parts, _SHOWN + 1))) > _SHOWN


def latex_of(thing, *exprs: sympy.Basic) -> str | None:
    """What a notebook shows of a thing with `latex()`, made of some expressions; None where they are long."""
    return shown(lambda: None if is_long(*exprs) else in_display(thing.latex()), _LETTERS)


def formula_of(make: Callable[[], sympy.Basic]) -> str | None:
    """What a notebook shows of an expression; None where making it fails or it is long."""

    def write() -> str | None:
        expr = make()
        return None if is_long(expr) else in_display(latex(expr))

    return shown(write, _LETTERS)

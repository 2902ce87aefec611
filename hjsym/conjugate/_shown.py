"""What notebooks show of functions of convex analysis."""

import functools
import inspect

import numpy as np

from hjsym._latex import formula_of
from hjsym.conjugate.base import ConvexFunction
from tropical import Polynomial
from tropical._html import card, facts, text

__all__ = ["html_of", "latex_of"]

_FEW_VARIABLES, _FEW_NUMBERS = 3, 60  # of a function whose expression is looked for
_SMALL = 10_000  # numbers of a hull whose dimension is worked out to be shown


def html_of(f: ConvexFunction) -> str:
    """What a function of convex analysis is, where it lives, and how it was found; nothing is worked out for it."""
    rows = {"variables": f.variables, "domain": _domain(f.domain)}
    names = {"method": "found by", "exact": "exact but for rounding", "of_hull": "of a convex hull"}
    for name, words in names.items():
        if not isinstance(getattr(type(f), name), property | functools.cached_property):
            rows[words] = getattr(f, name)
    title = type(f).__name__ if "__dataclass_params__" in vars(type(f)) else repr(f).strip("<>")
    return card(title, text(inspect.getdoc(type(f)).partition("\n")[0], 200), facts(rows))


def latex_of(f: ConvexFunction) -> str | None:
    """Its expression, where there is one and it is small."""
    small = f.variables <= _FEW_VARIABLES and _numbers_in(f) <= _FEW_NUMBERS
    return formula_of(lambda: f.expr) if small else None


def _numbers_in(value) -> int:
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, Polynomial):
        return value.slopes.size
    if isinstance(value, tuple):
        return sum(map(_numbers_in, value))
    return sum(map(_numbers_in, vars(value).values())) if isinstance(value, ConvexFunction) else 0


def _domain(domain) -> str:
    if type(domain).__name__ == "Space":
        return f"R^{domain.variables}"
    points = getattr(domain, "points", None)
    if points is not None:
        return repr(domain).strip("<>") if points.size <= _SMALL else f"Hull of {len(points):,} points"
    return str(domain) if type(domain).__module__.startswith("sympy") else type(domain).__name__.strip("_")

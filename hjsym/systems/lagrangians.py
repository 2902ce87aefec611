"""Lagrangians L(v) = max_p (p·v − H) by the conjugate module, of Hamiltonians that are proved convex in p."""

import numpy as np
import sympy

from hjsym.errors import NotConvexError
from tropical.errors import BudgetExceeded, InputError

__all__ = ["conjugated"]

_MOST_OPERATIONS = 60  # of a Hamiltonian that is conjugated in symbols, which takes seconds
_MOST_WITH_PARAMETERS = 15  # of one with other symbols than p


def conjugated(H: sympy.Expr, p: tuple, v: tuple) -> sympy.Expr:
    """H* by the conjugate module, once H is proved convex; what does not depend on p is set aside."""
    from hjsym.conjugate import as_function

    rest, kinetic = H.as_independent(*p, as_Add=True)
    if (operations := int(sympy.count_ops(kinetic))) > _MOST_OPERATIONS:
        raise BudgetExceeded(
            "operations in a Hamiltonian to conjugate in symbols", operations, _MOST_OPERATIONS,
            "hjsym.conjugate.FromCallable gives the Lagrangian as numbers where H is convex",
        )  # fmt: skip
    if (others := kinetic.free_symbols - set(p)) and operations > _MOST_WITH_PARAMETERS:
        raise InputError(
            f"H couples p with {', '.join(sorted(map(str, others)))} and is not proved convex in p; put values in for "
            "them, or take the Lagrangian as numbers by hjsym.conjugate.FromCallable"
        )
    one = len(p) == 1
    f = as_function(kinetic, p[0] if one else p, v[0] if one else None)
    verdict = f.convexity()
    if verdict.convex is False:
        raise NotConvexError(
            f"H is not convex in p ({verdict.reason}; momenta {_shown(verdict.witness)}), and has no Lagrangian; "
            "hjsym.conjugate gives that of its convex hull",
            verdict.witness,
        )
    if verdict.convex is None:
        raise InputError(
            f"H is not proved convex in p ({verdict.reason}); if it is, hjsym.conjugate.conjugate(H, p) is L"
        )
    dual = f.conjugate()
    return (dual.piecewise if one else dual.expr.subs(_named(dual.expr, v), simultaneous=True)) - rest


def _shown(witness: tuple | None) -> str:
    """Momenta as numbers that can be read."""
    return ", ".join(f"{np.asarray(w, dtype=float).tolist()}" for w in witness or ())


def _named(expr: sympy.Expr, v: tuple) -> dict:
    """From the conjugate module's y1 … yd to the velocities."""
    return {sympy.Symbol(f"y{k}", real=True): w for k, w in enumerate(v, 1)}

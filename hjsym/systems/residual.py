"""Residuals of equations of second order in SymPy, reduced to 0 without asking SymPy to simplify exponentials."""

from collections.abc import Callable, Sequence

import sympy

from hjsym.symbols import LogSumExp

__all__ = ["reduced_residual", "without_floats"]


def without_floats(expr: sympy.Expr) -> sympy.Expr:
    """The same with every float as the rational number that it is."""
    return expr.xreplace({f: sympy.Rational(f) for f in expr.atoms(sympy.Float)})


def reduced_residual(
    equation: Callable[[sympy.Expr], sympy.Eq], V: sympy.Expr, variables: Sequence[sympy.Symbol]
) -> sympy.Expr:
    """Left minus right side of the equation of V, as one fraction with its numerator expanded.

    In ε log Σ e^{z_j/ε} each exponential is a function of its own, whose derivatives are itself times a rational
    function: the residual becomes rational in these unknowns.
    """
    modes: dict = {}
    both = equation(sympy.Function("V")(*variables))
    both = _in_modes(without_floats(both.lhs - both.rhs), modes, variables)
    V = _in_modes(without_floats(V), modes, variables)
    expr = without_floats(both.subs(sympy.Function("V")(*variables), V).doit())
    derivatives = {d: d.expr * _growth(modes[d.expr], d.variables) for d in expr.atoms(sympy.Derivative)}
    expr = expr.xreplace(derivatives)
    others = {e: sympy.Dummy() for e in expr.atoms(sympy.exp, sympy.erf)}
    names = {mode: sympy.Dummy(positive=True) for mode in modes}
    expr, back = _in_weights(
        expr.xreplace(others).xreplace(names), {u: sympy.exp(modes[m]) for m, u in names.items()}
    )
    numerator, denominator = sympy.together(expr).as_numer_denom()
    return (sympy.expand(numerator) / denominator).xreplace(back | {u: e for e, u in others.items()})


def _in_weights(expr: sympy.Expr, values: dict) -> tuple[sympy.Expr, dict]:
    """The same in fewer unknowns, and what the unknowns are. An expression in the ratios of the modes alone does
    not change where they add to 1, and there it is a polynomial in all of them but one."""
    total = sympy.Add(*values)
    scaled = expr.xreplace({total: sympy.S.One})
    if len(values) < 2 or not expr.has(total) or scaled.atoms(sympy.log):
        return expr, values
    last, everything = list(values)[-1], sympy.Add(*values.values())
    return scaled.xreplace({last: 1 - (total - last)}), {u: e / everything for u, e in values.items()}


def _in_modes(expr: sympy.Expr, modes: dict, variables: Sequence[sympy.Symbol]) -> sympy.Expr:
    """The same with a function of its own for each e^{z_j/ε}, in Gibbs weights too; their exponents go to `modes`."""
    known = {phase: mode for mode, phase in modes.items()}
    for total in expr.atoms(LogSumExp):
        eps, *phases = total.args
        own = []
        for phase in phases:
            if phase / eps not in known:
                known[phase / eps] = sympy.Function(f"m{len(known)}")(*variables)
            own.append(known[phase / eps])
        sums = sympy.Add(*own)
        weights = {sympy.exp((z - total) / eps): mode / sums for z, mode in zip(phases, own, strict=True)}
        expr = expr.xreplace(weights).xreplace({total: eps * sympy.log(sums)})
    modes |= {mode: phase for phase, mode in known.items()}
    return expr


def _growth(phase: sympy.Expr, variables: Sequence[sympy.Symbol]) -> sympy.Expr:
    """The derivatives of e^phase, divided by it."""
    growth = sympy.S.One
    for v in variables:
        growth = growth.diff(v) + growth * phase.diff(v)
    return growth

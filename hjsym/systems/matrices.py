"""Hamiltonians in matrix symbols as functions of arrays."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import sympy
from numpy.typing import ArrayLike

from tropical.errors import InputError, ShapeError

__all__ = ["matrix_function"]


def matrix_function(H: sympy.Expr, x: tuple, p: tuple, t: sympy.Symbol, parameters: Mapping) -> Callable:
    """H(x, p, t) of states and momenta (d, ...), some rows of which make each matrix symbol of x and p.

    H is a sum of c(t) p_kᵀF(x, t), whose F is evaluated at all points at once, as columns of a matrix, or tr(PᵀF(X)),
    at one point after the other, with the rows of X end to end.
    """
    if unknown := _free(H) - {*x, *p, t, *parameters}:
        raise InputError(
            f"H has the symbols {', '.join(sorted(map(str, unknown)))}; give their values, such as u="
        )
    arguments = [*x, *p, t, *parameters]
    evaluate = (
        _trace_function(H, p, arguments) if isinstance(H, sympy.Trace) else _sum_function(H, p, t, arguments)
    )
    sizes = [math.prod(s.shape) for s in x]
    size = sum(sizes)

    def function(x: ArrayLike, p: ArrayLike, t: float = 0.0) -> np.ndarray:
        x, p = (np.asarray(v, dtype=float) for v in (x, p))
        if x.shape[:1] != (size,) or p.shape != x.shape:
            raise ShapeError(f"x and p have shapes {x.shape} and {p.shape}; pass ({size}, ...) both")
        states, momenta = (np.split(v.reshape(size, -1), np.cumsum(sizes)[:-1]) for v in (x, p))
        return evaluate(states, momenta, t, tuple(parameters.values())).reshape(x.shape[1:])

    return function


def _free(H: sympy.Expr) -> set:
    return H.atoms(sympy.MatrixSymbol) | {s for s in H.free_symbols if isinstance(s, sympy.Symbol)}


def _sum_function(H: sympy.Expr, p: tuple, t: sympy.Symbol, arguments: list) -> Callable:
    terms = []
    for term in sympy.Add.make_args(H):
        factor, (momentum, *rest) = term.as_coeff_matrices()
        field = sympy.lambdify(arguments, sympy.MatMul(*rest).doit(deep=False), "numpy")
        terms.append((sympy.lambdify(t, factor, "numpy"), p.index(momentum.T), field))

    def evaluate(states, momenta, t, values):
        total = np.zeros(states[0].shape[1])
        for factor, place, field in terms:
            moved = field(*states, *momenta, t, *values)
            total = total + factor(t) * (momenta[place] * moved).sum(axis=0)
        return total

    return evaluate


def _trace_function(H: sympy.Trace, p: tuple, arguments: list) -> Callable:
    (P,) = p
    _, *rest = H.arg.args
    field = sympy.lambdify(arguments, sympy.MatMul(*rest).doit(deep=False), "numpy")

    def evaluate(states, momenta, t, values):
        points = zip(*(v.T.reshape(-1, *P.shape) for v in (*states, *momenta)), strict=True)
        return np.array([(p * field(x, p, t, *values)).sum() for x, p in points])

    return evaluate

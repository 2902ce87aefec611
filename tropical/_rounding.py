"""Proved bounds on the rounding of values, computed beside them (running error analysis).

Assumed of the arithmetic, with u half the spacing of floats at 1: a sum, product or quotient has a relative error of at
most u, or an absolute one below the smallest normal number; n products summed in any order, with or without fused
multiply-adds, are off by at most γ_n Σ|w_j x_j|, γ_n = nu/(1 − nu); exp and log1p are right to 4 units in the last
place; sums of exponentials are as docs/accuracy.md promises. Nothing else: bounds are rounded upwards, and are
inf where a value could have overflowed.

Errors of operands pass through |W|, and through a maximum, soft or not, as the largest of them, since it grows by no
more than its operands do.

Source: N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, sections 3.1 and 3.3.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import FLOAT64, as_points, common_dtype, is_exact
from tropical.circuit import Affine, Circuit, Input, Node, in_order, node_values
from tropical.semiring import Semiring
from tropical.sparse import SparseMatrix, Weights, cast

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial
    from tropical.rational import Rational

__all__ = [
    "absolute", "affine_error", "circuit_bounds", "difference_bound", "gradient_bound", "polynomial_bound",
    "rounded_up", "soft_add_error", "soft_sum_error",
]  # fmt: skip

U = 2.0**-53


def gamma(n: int, unit: float = U) -> float:
    """A little more than nu/(1 − nu)."""
    return n * unit / (1 - n * unit) * (1 + 4 * U)


def rounded_up(bound: np.ndarray, operations: int, dtype: np.dtype = FLOAT64) -> np.ndarray:
    """A bound of nonnegative terms computed in so many operations, beyond what they rounded or what underflowed."""
    with np.errstate(all="ignore"):
        bound = bound * (1 + (2 * operations + 10) * U) + (operations + 2) * float(np.finfo(dtype).tiny)
    return np.where(np.isnan(bound), np.inf, bound)  # 0 times inf, or NaN in x


def absolute(weights: Weights) -> Weights:
    """|W| in float64, dense or sparse."""
    if isinstance(weights, SparseMatrix):
        return cast(weights.with_data(abs(weights.data)), FLOAT64)
    return abs(weights).astype(float)


def _terms(weights: Weights) -> int:
    """The most products in one row."""
    if isinstance(weights, SparseMatrix):
        return int(np.diff(weights.offsets).max(initial=0))
    return 1 if weights.ndim == 1 else weights.shape[1]


def _times(x: np.ndarray, weights: Weights) -> np.ndarray:
    return x * weights if weights.ndim == 1 else x @ weights.T


def affine_error(
    terms: Sequence[tuple[Weights, np.ndarray, np.ndarray]], bias: np.ndarray, dtype: np.dtype = FLOAT64
) -> np.ndarray:
    """Of Σ W x + bias, for terms (W, x as computed, error of x)."""
    count = max((_terms(weights) for weights, _, _ in terms), default=0) + len(terms) + 1
    unit = float(np.finfo(dtype).eps) / 2
    size, passed = abs(bias).astype(float), 0.0
    with np.errstate(all="ignore"):
        for weights, x, error in terms:
            weights = absolute(weights)
            size = size + _times(abs(x).astype(float), weights)
            passed = passed + _times(error, weights)
        return rounded_up(passed + gamma(count, unit) * size, 2 * count, dtype)


def soft_add_error(eps: float, value: np.ndarray) -> np.ndarray:
    """Of a ⊕_ε b = max + ε log1p(e^{−|a − b|/ε}) at exact operands.

    The argument g of the exponential has relative error 3u, and g e^{−g} ≤ 1/e; the exponential and the logarithm add
    8u each, ε and its product 2u of at most ε log 2, the sum u of the value.
    """
    unit = float(np.finfo(value.dtype).eps) / 2
    return rounded_up(20 * unit * eps + unit * abs(value).astype(float), 4, value.dtype)


def soft_sum_error(eps: float, value: np.ndarray, count: int) -> np.ndarray:
    """Of ε log Σ e^{z/ε} over `count` terms at exact operands, by the kernels' promise."""
    unit = float(np.finfo(value.dtype).eps) / 2
    spread = eps * (1 + float(np.log(max(count, 1))))
    return rounded_up(8 * unit * (abs(value).astype(float) + 2 * spread + 1), 8, value.dtype)


def circuit_bounds(circuits: Sequence[Circuit], x: ArrayLike) -> tuple[np.ndarray, ...]:
    """Bounds on the errors of `evaluate_together`, of the shapes of its values."""
    first = circuits[0]
    points = as_points(x, first.variables, common_dtype(*(c.dtype for c in circuits)))
    if is_exact(points):
        return tuple(np.zeros((*points.shape[:-1], c.outputs)) for c in circuits)
    order = in_order(c.node for c in circuits)
    values = node_values(first, order, points)
    errors: dict[Node, np.ndarray] = {}
    for node in order:
        errors[node] = _node_error(first, node, values, errors)
    return tuple(errors[c.node] for c in circuits)


def _node_error(circuit: Circuit, node: Node, values: dict, errors: dict) -> np.ndarray:
    value = values[node]
    if isinstance(node, Input):
        return np.zeros(value.shape)
    if isinstance(node, Affine):
        terms = [(weights, values[operand], errors[operand]) for weights, operand in node.terms]
        return np.broadcast_to(affine_error(terms, node.bias, value.dtype), value.shape)
    semiring = Semiring(eps=circuit._temperature(node))
    (first, *others), total = node.branches, values[node.branches[0]]
    error = errors[first]
    for other in others:
        error = np.maximum(error, errors[other])
        if semiring.eps:
            total = semiring.add(total, values[other])
            error = rounded_up(error + soft_add_error(semiring.eps, total), 1)
    return error


def terms_bound(p: "Polynomial", x: np.ndarray) -> np.ndarray:
    """Of any term W·x + b, a chain of d fused multiply-adds: at most γ_d times another polynomial, of the absolute
    values."""
    from tropical.polynomial import Polynomial

    kept = np.isfinite(p.coefficients)
    slopes, coefficients = (absolute(a[kept]) for a in (p.slopes, p.coefficients))
    size = Polynomial(slopes, coefficients)(abs(x).astype(float)) if kept.any() else np.zeros(x.shape[:-1])
    d = p.variables
    return rounded_up(gamma(d, float(np.finfo(x.dtype).eps) / 2) * size, d + 1, x.dtype)


def polynomial_bound(p: "Polynomial", x: np.ndarray) -> np.ndarray:
    """Of the values of a polynomial, from those of its terms."""
    if is_exact(x):
        return np.zeros(x.shape[:-1])[()]
    error = terms_bound(p, x)
    if p.semiring.eps:
        error = rounded_up(error + soft_sum_error(p.semiring.eps, np.asarray(p(x)), len(p)), 1)
    return error[()]


def gradient_bound(p: "Polynomial", x: np.ndarray) -> np.ndarray:
    """Of a gradient E_π[W] at ε > 0, as a multiple of the largest slope in any norm; x in float64.

    Terms that are off by at most e change each weight by a factor of at most e^{2e/ε}; sums of N weights and their
    exponentials round by γ_{N+40} more.
    """
    with np.errstate(over="ignore"):
        moved = np.expm1(2 * terms_bound(p, x) / p.semiring.eps)
    return rounded_up(moved + gamma(len(p) + 40), 8)


def difference_bound(f: "Rational", x: ArrayLike) -> np.ndarray:
    """Of P(x) − Q(x) as computed."""
    p, q = f.parts(x)
    if is_exact(np.asarray(p)):
        return np.zeros(np.shape(p))[()]
    circuits = isinstance(f.P, Circuit)
    errors = circuit_bounds((f.P, f.Q), x) if circuits else (f.P.error_bound(x), f.Q.error_bound(x))
    with np.errstate(invalid="ignore"):
        gap = np.asarray(p - q)
    unit = float(np.finfo(gap.dtype).eps) / 2
    return rounded_up(errors[0] + errors[1] + unit * abs(gap).astype(float), 3, gap.dtype)[()]

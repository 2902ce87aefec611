"""How much a network changes when its exact weights are rounded: a bound over a domain, proved."""

from fractions import Fraction
from math import inf, nextafter
from numbers import Real

import numpy as np

from hjsym import layers
from hjsym._rows import Rows
from hjsym.network import Network
from hjsym.simplification.bend import infinite
from hjsym.simplification.value_bounds import ValueBounds
from tropical.domain import Domain

__all__ = ["rounding_change"]

ZERO = Fraction(0)


def rounding_change(exact: Network, rounded: Network, domain: Domain | None) -> np.ndarray:
    """Bounds of |exact(x) − rounded(x)| over x in the domain, one an output, rounded upwards; may be infinite.

    Both have the same layers and differ in the numbers of affine maps alone; rounded is taken as the function of its
    exact weights. Errors go forward as intervals do: |W' h' − W h| ≤ |W' − W| |h| + |W'| |h' − h|.
    """
    bounds = ValueBounds(exact, domain)
    errors: list[list[Real]] = [[ZERO] * exact.input_size]
    for k, (node, other) in enumerate(zip(exact.nodes, rounded.nodes, strict=True), start=1):
        operands = [errors[i] for i in node.inputs]
        if k in bounds.maps:
            size = exact.sizes[node.inputs[0]]
            largest = [max(abs(low), abs(high)) for low, high in bounds.intervals[node.inputs[0]]]
            errors.append(_of_map(bounds.maps[k], Rows.of(other.layer, size), largest, operands[0]))
        elif k in bounds.bends:
            steepest = [max(abs(s) for s in bend.slopes) for bend in bounds.bends[k]]
            errors.append([_times(s, e) for s, e in zip(steepest, operands[0], strict=True)])
        elif isinstance(node.layer, layers.Concat):
            errors.append([e for operand in operands for e in operand])
        elif isinstance(node.layer, layers.Add):
            factors = [abs(f) for f in node.layer.factors.tolist()]
            errors.append(
                [
                    _sum(_times(f, e) for f, e in zip(factors, es, strict=True))
                    for es in zip(*operands, strict=True)
                ]
            )
        else:
            members = node.layer.members(len(operands[0])).tolist()
            errors.append([max(operands[0][j] for j in group) for group in members])
    return np.array([_up(e) for e in errors[-1]])


def _of_map(exact: Rows, rounded: Rows, largest: list[Real], errors: list[Real]) -> list[Real]:
    out = []
    for i, (row, other) in enumerate(zip(exact.rows, rounded.rows, strict=True)):
        total: Real = abs(rounded.bias[i] - exact.bias[i])
        for j in {**row, **other}:
            change = abs(other.get(j, ZERO) - row.get(j, ZERO))
            total = _sum([total, _times(change, largest[j]), _times(abs(other.get(j, ZERO)), errors[j])])
        out.append(total)
    return out


def _times(factor: Fraction, size: Real) -> Real:
    """A product of numbers ≥ 0, where 0 times infinity is 0."""
    return ZERO if not factor else inf if infinite(size) else factor * size


def _sum(terms) -> Real:
    terms = list(terms)
    return inf if any(map(infinite, terms)) else sum(terms, ZERO)


def _up(value: Real) -> float:
    """The next float above, or the value itself where it is one."""
    if infinite(value):
        return inf
    try:
        near = float(value)
    except OverflowError:
        return inf
    return near if near >= value else nextafter(near, inf)

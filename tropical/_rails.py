"""Functions as pairs of circuits over one identity: f = P − Q, so that several can be combined."""

import numpy as np

from tropical._region_program import circuits_of
from tropical.circuit import Affine, Circuit, Input, Max, Node, combine, in_order, soft_max
from tropical.errors import InputError

__all__ = ["compared", "rails", "scores"]


def rails(f, source: Input | None = None) -> tuple[Circuit, Circuit]:
    """Circuits P and Q with f = P − Q, without rounding, from the identity `source` if one is given.

    f is a Circuit, a Polynomial of either sign, or a Rational of either, at ε = 0.
    """
    parts, sign = circuits_of(f)
    if not all(circuit.is_tropical for circuit in parts):
        raise InputError("a gate at eps > 0 has no linear regions; deform(0) first")
    parts = _moved(parts, source or parts[0].node.source)
    P, Q = parts if len(parts) == 2 else (parts[0], parts[0] ** 0)
    return (P, Q) if sign > 0 else (Q, P)


def _moved(circuits: list[Circuit], source: Input) -> list[Circuit]:
    """The circuits at ε = 0, with `source` in place of their own identity."""
    moved: dict[Node, Node] = {}
    for node in in_order(c.node for c in circuits):
        if isinstance(node, Input):
            moved[node] = source
        elif isinstance(node, Affine):
            terms = tuple((weights, moved[operand]) for weights, operand in node.terms)
            moved[node] = Affine(node.size, terms, node.bias)
        else:
            moved[node] = Max(node.size, tuple(moved[b] for b in node.branches))
    return [Circuit(moved[c.node], 0.0) for c in circuits]


def scores(P: Circuit, Q: Circuit | None) -> list[Circuit]:
    """P_i + Σ_{k≠i} Q_k for each output: they compare as f_i = P_i − Q_i do, and are tropical."""
    unit = np.eye(P.outputs, dtype=int)
    return [combine([(row[None], P)] + ([(1 - row[None], Q)] if Q is not None else [])) for row in unit]


def compared(branches: list[Circuit]) -> tuple[Circuit, Circuit]:
    """P and Q with P_i − Q_i = s_i − max_k s_k for the branches s."""
    columns = np.eye(len(branches))
    together = combine([(column[:, None], s) for column, s in zip(columns, branches, strict=True)])
    return together, soft_max(branches).affine(np.ones((len(branches), 1)))

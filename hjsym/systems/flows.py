"""Layers that step a flow x' = F(x): what residual blocks, recurrent cells and transformers have in common.

The transport equation V_t + p·F(x) = 0, p = ∇V, has the flow for characteristics and H = p·F is linear in p; its
co-states are what backpropagation carries (`hjsym.pontryagin`). A layer x ↦ x + hF(x) is Euler's step of it, and how
far that is from the flow is its defect.

Source: W. E, "A proposal on machine learning via dynamical systems", Commun. Math. Stat. 5 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from hjsym.systems.gates import GATES, gate_name
from hjsym.systems.system import HJSystem
from hjsym.systems.weights import Weights, column, finite_array, pairing
from tropical.errors import InputError, ShapeError

__all__ = ["flow_defect", "flow_system", "in_turn", "residual_step"]

_T = sympy.Symbol("t", real=True)


def flow_system(
    name: str,
    H: sympy.Expr,
    x: tuple,
    p: tuple,
    step: Callable[[np.ndarray], np.ndarray],
    rate: Callable[[np.ndarray], np.ndarray],
    h: float,
    reason: str,
    parameters: dict | None = None,
) -> HJSystem:
    """The system of H = p·F and, for the defect, of F and the layer as functions of arrays (..., d)."""
    return HJSystem(
        name=name, label="structural", reason=reason, H=H, x=x, p=p, t=_T,
        parameters=parameters or {}, readout=f"the layer is one step of size {h:g} along x' = ∂H/∂p",
        defect=flow_defect(step, rate, h, sum(math.prod(s.shape) if s.is_Matrix else 1 for s in x)),
    )  # fmt: skip


def flow_defect(
    step: Callable | list[Callable], rate: Callable | list[Callable], h: float | list[float], d: int
) -> Callable[[ArrayLike], np.ndarray]:
    """|x(h) − layer(x)| at points (..., d), with x(h) on the flow through x, solved to ten digits; shape (...).

    Lists are taken one after the other, the flow without coming back to the layers in between.
    """
    if callable(step):
        step, rate, h = [step], [rate], [h]
    lengths = h if isinstance(h, list) else [h] * len(step)

    def flowed(x: np.ndarray) -> np.ndarray:
        for F, length in zip(rate, lengths, strict=True):
            x = solve_ivp(lambda _, y, F=F: F(y), (0, length), x, rtol=1e-11, atol=1e-12).y[:, -1]
        return x

    def defect(points: ArrayLike) -> np.ndarray:
        points = np.asarray(points, dtype=float)
        if points.shape[-1:] != (d,):
            raise ShapeError(f"points have shape {points.shape}; pass (..., {d})")
        ends = np.reshape([flowed(x) for x in points.reshape(-1, d)], points.shape)
        for layer in step:
            points = layer(points)
        return np.linalg.norm(ends - points, axis=-1)

    return defect


def in_turn(parts: list[sympy.Expr], times, t: sympy.Symbol) -> sympy.Expr:
    """The first part up to times[0], the second up to times[1] and so on, the last from then on: H of steps
    whose weights differ."""
    if all(part == parts[0] for part in parts):
        return parts[0]
    conditions = [t < sympy.sympify(end) for end in times]
    if not getattr(parts[0], "is_Matrix", False):
        return sympy.Piecewise(*zip(parts, [*conditions, True], strict=True))
    starts = [True, *(sympy.Not(c) for c in conditions)]
    ends = [*conditions, True]
    shares = [sympy.Piecewise((1, sympy.And(a, b)), (0, True)) for a, b in zip(starts, ends, strict=True)]
    return sympy.Add(*(share * part for share, part in zip(shares, parts, strict=True)))


def residual_step(
    W1: ArrayLike,
    b1: ArrayLike,
    W2: ArrayLike,
    b2: ArrayLike,
    h: float = 1.0,
    activation: str = "tanh",
    symbolic: bool = False,
) -> HJSystem:
    """The block x ↦ x + h(W₂ σ(W₁x + b₁) + b₂), for networks of them see `hjsym.hamiltonian`.

    With `symbolic` the weights stay symbols W_1_i_j, b_1_i, W_2_i_j, b_2_i, up to four hundred of them.

    Parameters
    ----------
    W1, b1, W2, b2 : (m, d), (m,), (d, m) and (d,) arrays
    h : float
        The step.
    activation : str
        σ: "tanh", "relu", "sigmoid", "softplus", "gelu" or "silu".
    symbolic : bool
        Keep weights as symbols.

    Returns
    -------
    HJSystem

    Examples
    --------
    >>> residual_step([[1.0]], [0.0], [[2.0]], [0.5]).H
    p1*(2*tanh(x1) + 1/2)
    >>> residual_step([[1.0]], [0.0], [[2.0]], [0.5], symbolic=True).H
    p1*(W_2_1_1*tanh(W_1_1_1*x1 + b_1_1) + b_2_1)
    """
    W1 = finite_array("W1", W1, (None, None))
    hidden, d = W1.shape
    b1, W2 = finite_array("b1", b1, (hidden,)), finite_array("W2", W2, (d, hidden))
    b2 = finite_array("b2", b2, (d,))
    if not (np.isfinite(h) and h > 0):
        raise InputError(f"h is {h}; pass a step > 0")
    function = GATES[gate_name(activation)][1]
    weights = Weights.of("the block", d, W1.size + W2.size + hidden + d, symbolic)
    x, p = weights.state(d)
    inner = weights.matrix("W_1", W1) * column(x) + weights.vector("b_1", b1)
    rates = weights.matrix("W_2", W2) * weights.gate(activation, inner) + weights.vector("b_2", b2)

    def rate(y):
        return function(y @ W1.T + b1) @ W2.T + b2

    return flow_system(
        f"residual block of {d} states and {hidden} {activation} units", pairing(p, rates), x, p,
        lambda y: y + h * rate(y), rate, h,
        "Euler's step of a transport equation; its co-states are exact, its flow is not", weights.parameters,
    )  # fmt: skip

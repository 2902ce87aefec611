"""Recurrent cells as unit Euler steps of flows, an input held fixed: RNN, GRU and LSTM.

Source: B. Chang, M. Chen, E. Haber, E. H. Chi, "AntisymmetricRNN", ICLR 2019, for recurrent cells as Euler steps;
the conventions of the gates are torch's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hjsym.systems.flows import flow_system
from hjsym.systems.gates import GATES, gate_name, sigmoid
from hjsym.systems.system import HJSystem
from hjsym.systems.weights import Weights, column, finite_array, hadamard, pairing
from tropical.errors import InputError, ShapeError

__all__ = ["gru", "lstm", "rnn"]


def rnn(
    W: ArrayLike, U: ArrayLike | None = None, b: ArrayLike | None = None, u: ArrayLike | None = None,
    activation: str = "tanh", symbolic: bool = False,
) -> HJSystem:  # fmt: skip
    """The cell h ↦ σ(Wh + Uu + b) at an input u: H = p·(−h + σ(Wh + Uu + b)), one unit Euler step.

    With `symbolic` the weights stay symbols W_i_j and b_i, which is Uu + b.

    Parameters
    ----------
    W : (d, d) array
    U : (d, m) array, optional
        What the input enters by, together with `u`.
    b : (d,) array, optional
        0 by default.
    u : (m,) array, optional
        The input that the cell is held at.
    activation : str
        σ: "tanh", "relu", "sigmoid", "softplus", "gelu" or "silu".
    symbolic : bool
        Keep weights as symbols.

    Returns
    -------
    HJSystem

    Examples
    --------
    >>> rnn([[0.5]], b=[0.25]).H
    p1*(-x1 + tanh(x1/2 + 1/4))
    """
    W, drive = _cell(W, U, b, u)
    d = len(W)
    function = GATES[gate_name(activation)][1]
    weights = Weights.of("the cell", d, W.size + d, symbolic)
    x, p = weights.state(d)
    state = column(x)
    rates = weights.gate(activation, weights.matrix("W", W) * state + weights.vector("b", drive)) - state

    def rate(y):
        return function(y @ W.T + drive) - y

    return flow_system(
        f"recurrent cell of {d} {activation} units", pairing(p, rates), x, p, lambda y: y + rate(y), rate, 1.0,
        "a unit Euler step of h' = −h + σ(Wh + Uu + b), an input held fixed", weights.parameters,
    )  # fmt: skip


def _cell(W, U, b, u) -> tuple[np.ndarray, np.ndarray]:
    """The recurrent matrix and what the input adds, Uu + b."""
    W = finite_array("W", W, (None, None))
    if W.shape[0] != W.shape[1]:
        raise ShapeError(f"W has shape {W.shape}; pass a square matrix (d, d)")
    drive = np.zeros(len(W)) if b is None else finite_array("b", b, (len(W),))
    if (U is None) != (u is None):
        raise InputError("pass U and the input u together, or neither")
    if U is not None:
        U = finite_array("U", U, (len(W), None))
        drive = drive + U @ finite_array("u", u, (U.shape[1],))
    return W, drive


def _gate(weights: Weights, name: str, W: np.ndarray, state, *biases: tuple[str, np.ndarray]):
    """W_name·state + the biases, one gate of a cell."""
    total = weights.matrix(f"W_{name}", W) * state
    for letter, bias in biases:
        total = total + weights.vector(f"{letter}_{name}", bias)
    return total


def gru(
    W: ArrayLike, drive: ArrayLike, recurrent_bias: ArrayLike | None = None, symbolic: bool = False
) -> HJSystem:
    """The gated cell h ↦ zh + (1 − z)n in torch's convention, at a fixed input.

    W (3d, d) stacks the recurrent blocks of the reset, update and new gates, `drive` (3d,) is what the input adds, and
    `recurrent_bias` (3d,) the bias beside W, which in the new gate the reset multiplies. H = p·(1 − z)(n − h).
    With `symbolic` weights stay symbols W_r_i_j, W_z_i_j, W_n_i_j, b_r_i (drive and bias), b_z_i, b_n_i (drive) and
    c_n_i (bias).

    >>> gru([[0.5], [1.0], [-1.0]], [0.0, 0.0, 0.25]).label
    'structural'
    """
    W = finite_array("W", W, (None, None))
    d = W.shape[1]
    if len(W) != 3 * d:
        raise ShapeError(f"W has shape {W.shape}; a GRU has three blocks, (3d, d)")
    drive = finite_array("drive", drive, (3 * d,))
    extra = (
        np.zeros(3 * d)
        if recurrent_bias is None
        else finite_array("recurrent_bias", recurrent_bias, (3 * d,))
    )
    weights = Weights.of("the GRU", d, W.size + 4 * d, symbolic)
    x, p = weights.state(d)
    state = column(x)
    (Wr, Wz, Wn), both, (_, _, c) = np.split(W, 3), np.split(drive + extra, 3), np.split(extra, 3)
    r = weights.gate("sigmoid", _gate(weights, "r", Wr, state, ("b", both[0])))
    keep = weights.gate("sigmoid", -_gate(weights, "z", Wz, state, ("b", both[1])))  # 1 − z
    inner = hadamard(r, _gate(weights, "n", Wn, state, ("c", c)))
    new = weights.gate("tanh", inner + weights.vector("b_n", drive[2 * d :]))

    def rate(y):
        s = y @ W.T + extra
        gates = sigmoid(s[..., : 2 * d] + drive[: 2 * d])
        new = np.tanh(gates[..., :d] * s[..., 2 * d :] + drive[2 * d :])
        return (1 - gates[..., d:]) * (new - y)

    return flow_system(
        f"gated recurrent unit of {d} states", pairing(p, hadamard(keep, new - state)), x, p,
        lambda y: y + rate(y), rate, 1.0,
        "a unit Euler step of h' = (1 − z)(n − h), an input held fixed", weights.parameters,
    )  # fmt: skip


def lstm(W: ArrayLike, drive: ArrayLike, symbolic: bool = False) -> HJSystem:
    """The cell (c, h) ↦ (fc + ig, o tanh(fc + ig)) in torch's convention, at a fixed input.

    W (4d, d) stacks the recurrent blocks of the input, forget, cell and output gates, `drive` (4d,) is what the input
    and the biases add. States are c, then h: H = p_c·((f − 1)c + ig) + p_h·(o tanh(fc + ig) − h).
    With `symbolic` weights stay symbols W_i_i_j, W_f_i_j, W_g_i_j, W_o_i_j and b_i_i, b_f_i, b_g_i, b_o_i.

    >>> system = lstm([[0.5], [1.0], [-1.0], [0.25]], [0.0, 0.0, 0.0, 0.0])
    >>> system.size, system.label
    (2, 'structural')
    """
    W = finite_array("W", W, (None, None))
    d = W.shape[1]
    if len(W) != 4 * d:
        raise ShapeError(f"W has shape {W.shape}; an LSTM has four blocks, (4d, d)")
    drive = finite_array("drive", drive, (4 * d,))
    weights = Weights.of("the LSTM", 2 * d, W.size + 4 * d, symbolic)
    x, p, (c, h), (p_c, p_h) = _two_states(weights, d)
    i, f, g, o = (
        weights.gate("tanh" if name == "g" else "sigmoid", _gate(weights, name, part, column(h), ("b", bias)))
        for name, part, bias in zip("ifgo", np.split(W, 4), np.split(drive, 4), strict=True)
    )
    moved = hadamard(f, column(c)) + hadamard(i, g)
    H = pairing(p_c, moved - column(c)) + pairing(p_h, hadamard(o, weights.gate("tanh", moved)) - column(h))

    def rate(y):
        c, state = y[..., :d], y[..., d:]
        s = state @ W.T + drive
        i, f, o = (sigmoid(s[..., k * d : (k + 1) * d]) for k in (0, 1, 3))
        moved = f * c + i * np.tanh(s[..., 2 * d : 3 * d])
        return np.concatenate([moved - c, o * np.tanh(moved) - state], axis=-1)

    return flow_system(
        f"long short-term memory of {d} cells", H, x, p, lambda y: y + rate(y), rate, 1.0,
        "a unit Euler step, an input held fixed; the states are the cells, then the outputs", weights.parameters,
    )  # fmt: skip


def _two_states(weights: Weights, d: int) -> tuple:
    """x and p of cells and outputs, then their halves."""
    if not weights.is_matrix:
        x, p = weights.state(2 * d)
        return x, p, (x[:d], x[d:]), (p[:d], p[d:])
    (c, p_c), (h, p_h) = weights.state(d, "c", "p_c"), weights.state(d, "h", "p_h")
    return (*c, *h), (*p_c, *p_h), (c, h), (p_c, p_h)

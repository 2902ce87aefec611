"""Pre-norm transformer blocks as the flow of interacting tokens.

Tokens x_1 … x_n move by dx_i/dt = Σ_h O_h Σ_j π^h_ij V_h y_j + W₂ σ(W₁ y_i + b₁) + b₂ with y = norm(x) and attention
weights π^h_ij ∝ exp(⟨Q_h y_i, K_h y_j⟩/√d_h): H(x, p) = Σ_i p_i·(…), linear in p. The block takes an Euler step of
the attention, then one of the rest. In the limit of many tokens the sum over j is an integral against their
distribution, which H then depends on. The norm divides by a standard deviation: a map in front, outside of the class.

Sources: M. E. Sander, P. Ablin, M. Blondel, G. Peyré, "Sinkformers", AISTATS 2022; B. Geshkovski, C. Letrouit,
Y. Polyanskiy, P. Rigollet, "A mathematical perspective on transformers", arXiv:2312.10794.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.torch_steps import to_array
from hjsym.layers import Softmax
from hjsym.systems import gates
from hjsym.systems.flows import flow_system
from hjsym.systems.gates import GATES, gate_name
from hjsym.systems.system import HJSystem
from hjsym.systems.transformer_formulas import in_matrices, in_scalars
from hjsym.systems.weights import Weights
from tropical.errors import InputError, ShapeError

__all__ = ["TransformerBlock"]

_ARRAYS = ("query", "key", "value", "out", "W1", "b1", "W2", "b2", "biases")


@dataclass(frozen=True, eq=False)
class TransformerBlock:
    """x ↦ z = x + Attention(norm(x)), then z + W₂ σ(W₁ norm(z) + b₁) + b₂, for tokens (n, d).

    Parameters
    ----------
    query, key, value, out : (d, d) array
        Projections, applied as W @ token; `heads` blocks of rows each, of columns in `out`.
    W1, b1, W2, b2 : (m, d), (m,), (d, m), (d,) array
        The feed-forward part.
    heads : int
        A divisor of d.
    gate : {"relu", "gelu", "silu", "tanh", "sigmoid", "softplus"}
        Its activation.
    norm : bool
        Whether tokens are normalised (to mean 0 and variance 1, without weights) in front of both parts.
    causal : bool
        Whether token i attends to tokens 1 … i only.
    norm_eps : float
        What is added to the variance.

    Examples
    --------
    >>> W = np.eye(2)
    >>> block = TransformerBlock(W, W, W, W, np.ones((3, 2)), np.zeros(3), np.ones((2, 3)) / 4, np.zeros(2))
    >>> block.rate([[1.0, 0.0], [0.0, 1.0]]).shape, len(block.arrays), block.system(tokens=2).label
    ((2, 2), 9, 'structural')
    """

    query: ArrayLike
    key: ArrayLike
    value: ArrayLike
    out: ArrayLike
    W1: ArrayLike
    b1: ArrayLike
    W2: ArrayLike
    b2: ArrayLike
    heads: int = 1
    gate: str = "relu"
    norm: bool = True
    causal: bool = False
    norm_eps: float = 1e-5
    biases: ArrayLike | None = None

    def __post_init__(self):
        if self.biases is None:
            object.__setattr__(self, "biases", np.zeros((4, np.shape(self.query)[-1])))
        for name in _ARRAYS:
            array = np.asarray(getattr(self, name), dtype=float)
            if not np.isfinite(array).all():
                raise InputError(f"{name} has entries that are not finite")
            object.__setattr__(self, name, array)
        d, m = self.query.shape[-1], len(self.b1)
        wanted = {n: (d, d) for n in ("query", "key", "value", "out")}
        wanted |= {"W1": (m, d), "b1": (m,), "W2": (d, m), "b2": (d,), "biases": (4, d)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ShapeError(f"{name} has shape {getattr(self, name).shape}; pass {shape}")
        if self.heads < 1 or d % self.heads:
            raise InputError(f"heads is {self.heads}; pass a divisor of {d}")
        gate_name(self.gate)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """All weights."""
        return tuple(getattr(self, name) for name in _ARRAYS)

    @classmethod
    def from_torch(cls, module) -> TransformerBlock:
        """torch's TransformerEncoderLayer with norm_first=True in evaluation mode; weights of its norms are multiplied
        into what comes after them."""
        if type(module).__name__ != "TransformerEncoderLayer" or not module.norm_first or module.training:
            raise UnsupportedLayerError(
                f"{type(module).__name__} is not read; pass a TransformerEncoderLayer(norm_first=True) after eval()"
            )
        attention, d = module.self_attn, module.linear1.in_features
        gate = getattr(module.activation, "__name__", type(module.activation).__name__).lower()
        if gate not in GATES:
            raise UnsupportedLayerError(f"activation {gate} is not read; read are {', '.join(GATES)}")
        (scale1, shift1), (scale2, shift2) = (
            (_or(m.weight, np.ones(d)), _or(m.bias, np.zeros(d))) for m in (module.norm1, module.norm2)
        )
        projections = np.split(to_array(attention.in_proj_weight), 3)
        offsets = np.split(_or(attention.in_proj_bias, np.zeros(3 * d)), 3)
        biases = [b + W @ shift1 for W, b in zip(projections, offsets, strict=True)]
        W1, W2 = to_array(module.linear1.weight), to_array(module.linear2.weight)
        return cls(
            *(W * scale1 for W in projections),
            to_array(attention.out_proj.weight),
            W1 * scale2,
            _or(module.linear1.bias, np.zeros(len(W1))) + W1 @ shift2,
            W2,
            _or(module.linear2.bias, np.zeros(d)),
            attention.num_heads,
            gate,
            norm_eps=module.norm1.eps,
            biases=[*biases, _or(attention.out_proj.bias, np.zeros(d))],
        )

    # ---- numbers ---------------------------------------------------------------------------------

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """The block at tokens of shape (..., n, d)."""
        x = np.asarray(x, dtype=float)
        z = x + self._attention(self._normed(x))
        return z + self._feed(self._normed(z))

    def rate(self, x: ArrayLike) -> np.ndarray:
        """dx/dt of the flow, at tokens (..., n, d)."""
        y = self._normed(np.asarray(x, dtype=float))
        return self._attention(y) + self._feed(y)

    def _normed(self, x: np.ndarray) -> np.ndarray:
        return gates.layer_norm(x, self.norm_eps) if self.norm else x

    def _attention(self, y: np.ndarray) -> np.ndarray:
        heads, width = self.heads, y.shape[-1] // self.heads
        q, k, v = (
            np.swapaxes((y @ W.T + b).reshape(*y.shape[:-1], heads, width), -3, -2)
            for W, b in zip((self.query, self.key, self.value), self.biases, strict=False)
        )
        scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(width)
        if self.causal:
            scores = np.where(np.tri(y.shape[-2], dtype=bool), scores, -np.inf)
        mixed_values = Softmax()(scores) @ v
        return np.swapaxes(mixed_values, -3, -2).reshape(y.shape) @ self.out.T + self.biases[3]

    def _feed(self, y: np.ndarray) -> np.ndarray:
        return GATES[self.gate][1](y @ self.W1.T + self.b1) @ self.W2.T + self.b2

    # ---- symbols ---------------------------------------------------------------------------------

    def system(self, tokens: int, symbolic: bool = False) -> HJSystem:
        """H(x, p) for so many tokens, whose features are the states x1 … x(nd), one token after the other.

        `defect` takes points (..., nd): how far the block is from the flow over time 1. With `symbolic` weights stay
        symbols W_Q_i_j, W_K_i_j, W_V_i_j, W_O_i_j, b_Q_i, …, W_1_i_j, b_1_i, W_2_i_j, b_2_i. More than 64 states or
        4,000 weights are written in matrix symbols, H = tr(PᵀF(X)) with tokens for rows.
        """
        if tokens < 1:
            raise InputError(f"tokens is {tokens}; pass how many there are, at least 1")
        d = self.query.shape[0]
        weights = Weights.of("the block", tokens * d, sum(a.size for a in self.arrays), symbolic)
        H, x, p = (in_matrices if weights.is_matrix else in_scalars)(self, weights, tokens)

        def flat(function):
            return lambda x: function(x.reshape(*x.shape[:-1], tokens, d)).reshape(x.shape)

        return flow_system(
            f"transformer block, {tokens} tokens of {d} features, {self.heads} heads", H, x, p,
            flat(self.__call__), flat(self.rate), 1.0,
            "Euler's step of the attention, then of the feed-forward part; tokens interact, and norms divide",
            weights.parameters,
        )  # fmt: skip


def _or(value, default: np.ndarray) -> np.ndarray:
    return default if value is None else to_array(value)

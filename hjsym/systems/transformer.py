"""Pre-norm transformer blocks as the flow of interacting tokens.

Tokens x_1 … x_n move by dx_i/dt = Σ_h O_h Σ_j π^h_ij V_h y_j + W₂ σ(W₁ y_i + b₁) + b₂ with y = norm(x) and attention
weights π^h_ij ∝ exp(⟨Q_h y_i, K_h y_j⟩/√d_h): H(x, p) = Σ_i p_i·(…), linear in p. The block takes an Euler step of
the attention, then one of the rest. In the limit of many tokens the sum over j is an integral against their
distribution, which H then depends on. The norm divides by a standard deviation: a map in front, outside of the class.

Sources: M. E. Sander, P. Ablin, M. Blondel, G. Peyré, "Sinkformers", AISTATS 2022; B. Geshkovski, C. Letrouit,
Y. Polyanskiy, P. Rigollet, "A mathematical perspective on transformers", arXiv:2312.10794.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.special import ndtr

from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.torch_steps import to_array
from hjsym.layers import Softmax
from hjsym.systems.flows import flow_system
from hjsym.systems.system import MOST_COORDINATES, HJSystem, coordinates, mixed
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["TransformerBlock"]


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
    gate : {"relu", "gelu"}
        Its activation.
    norm : bool
        Whether tokens are normalised (to mean 0 and variance 1, without weights) in front of both parts.
    causal : bool
        Whether token i attends to tokens 1 … i only.
    norm_eps : float
        What is added to the variance.
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

    def __post_init__(self):
        for entry in fields(self)[:8]:
            array = np.asarray(getattr(self, entry.name), dtype=float)
            if not np.isfinite(array).all():
                raise InputError(f"{entry.name} has entries that are not finite")
            object.__setattr__(self, entry.name, array)
        d, m = self.query.shape[-1], len(self.b1)
        wanted = {n: (d, d) for n in ("query", "key", "value", "out")}
        wanted |= {"W1": (m, d), "b1": (m,), "W2": (d, m), "b2": (d,)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ShapeError(f"{name} has shape {getattr(self, name).shape}; pass {shape}")
        if self.heads < 1 or d % self.heads:
            raise InputError(f"heads is {self.heads}; pass a divisor of {d}")
        if self.gate not in ("relu", "gelu"):
            raise InputError(f"gate is {self.gate!r}; pass 'relu' or 'gelu'")

    @classmethod
    def from_torch(cls, module) -> "TransformerBlock":
        """torch's TransformerEncoderLayer with norm_first=True in evaluation mode, without biases in the attention and
        weights in the norms."""
        if type(module).__name__ != "TransformerEncoderLayer" or not module.norm_first or module.training:
            raise UnsupportedLayerError(
                f"{type(module).__name__} is not read; pass a TransformerEncoderLayer(norm_first=True) after eval()"
            )
        attention = module.self_attn
        biases = [v for v in (attention.in_proj_bias, attention.out_proj.bias) if v is not None]
        weights = [v for n in (module.norm1, module.norm2) for v in (n.weight, n.bias) if v is not None]
        trivial = [1.0, 0.0] * (len(weights) // 2) if len(weights) % 2 == 0 else [1.0] * len(weights)
        if any(to_array(v).any() for v in biases) or any(
            (to_array(v) != t).any() for v, t in zip(weights, trivial, strict=True)
        ):
            raise UnsupportedLayerError(
                "biases of attention and weights of norms are not read; fold them into the projections"
            )
        query, key, value = np.split(to_array(attention.in_proj_weight), 3)
        parts = (module.linear1, module.linear2)
        feed = [
            v
            for m in parts
            for v in (to_array(m.weight), np.zeros(m.out_features) if m.bias is None else to_array(m.bias))
        ]
        gate = getattr(module.activation, "__name__", type(module.activation).__name__).lower()
        return cls(
            query,
            key,
            value,
            to_array(attention.out_proj.weight),
            *feed,
            attention.num_heads,
            gate,
            norm_eps=module.norm1.eps,
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
        if not self.norm:
            return x
        return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + self.norm_eps)

    def _attention(self, y: np.ndarray) -> np.ndarray:
        heads, width = self.heads, y.shape[-1] // self.heads
        q, k, v = (
            np.swapaxes((y @ W.T).reshape(*y.shape[:-1], heads, width), -3, -2)
            for W in (self.query, self.key, self.value)
        )
        scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(width)
        if self.causal:
            scores = np.where(np.tri(y.shape[-2], dtype=bool), scores, -np.inf)
        mixed_values = Softmax()(scores) @ v
        return np.swapaxes(mixed_values, -3, -2).reshape(y.shape) @ self.out.T

    def _feed(self, y: np.ndarray) -> np.ndarray:
        z = y @ self.W1.T + self.b1
        return (np.maximum(z, 0) if self.gate == "relu" else z * ndtr(z)) @ self.W2.T + self.b2

    # ---- symbols ---------------------------------------------------------------------------------

    def system(self, tokens: int) -> HJSystem:
        """H(x, p) for so many tokens, whose features are the states x1 … x(nd), one token after the other.

        `defect` takes points (..., nd): how far the block is from the flow over time 1.
        """
        d = self.query.shape[0]
        if tokens < 1 or tokens * d > MOST_COORDINATES:
            raise BudgetExceeded(
                "coordinates of the tokens",
                tokens * d,
                MOST_COORDINATES,
                "pass fewer tokens, or a block of fewer features",
            )
        x, p = coordinates(tokens * d)
        rows = [sympy.Matrix(x[i * d : (i + 1) * d]) for i in range(tokens)]
        normed = [self._symbolic_norm(row) for row in rows]
        moved = self._symbolic_attention(normed)
        rates = [r for y, a in zip(normed, moved, strict=True) for r in a + self._symbolic_feed(y)]
        shape = (tokens, d)

        def flat(function):
            return lambda points: function(points.reshape(*points.shape[:-1], *shape)).reshape(points.shape)

        return flow_system(
            f"transformer block, {tokens} tokens of {d} features, {self.heads} heads", rates, x, p,
            flat(self.__call__), flat(self.rate), 1.0,
            "Euler's step of the attention, then of the feed-forward part; tokens interact, and norms divide",
        )  # fmt: skip

    def _symbolic_norm(self, row: sympy.Matrix) -> sympy.Matrix:
        if not self.norm:
            return row
        mean = sum(row) / len(row)
        variance = sum((v - mean) ** 2 for v in row) / len(row)
        return (
            (row - mean * sympy.ones(len(row), 1)) / sympy.sqrt(variance + mixed(self.norm_eps))
        ).as_mutable()

    def _symbolic_attention(self, normed: list) -> list:
        width = len(normed[0]) // self.heads
        q, k, v = ([_matrix(W) * y for y in normed] for W in (self.query, self.key, self.value))
        out = _matrix(self.out)
        outputs = []
        for i in range(len(normed)):
            seen = range(i + 1 if self.causal else len(normed))
            joined: list = []
            for h in range(self.heads):
                part = slice(h * width, (h + 1) * width)
                scores = [sympy.exp(q[i][part, 0].dot(k[j][part, 0]) / sympy.sqrt(width)) for j in seen]
                total = sympy.Add(*scores)
                joined += [
                    sympy.Add(*(s * v[j][r] for s, j in zip(scores, seen, strict=True))) / total
                    for r in range(part.start, part.stop)
                ]
            outputs.append(out * sympy.Matrix(joined))
        return outputs

    def _symbolic_feed(self, y: sympy.Matrix) -> sympy.Matrix:
        hidden = _matrix(self.W1) * y + _matrix(self.b1[:, None])
        if self.gate == "relu":
            hidden = hidden.applyfunc(lambda z: sympy.Max(z, 0, evaluate=False))
        else:
            hidden = hidden.applyfunc(lambda z: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2)
        return _matrix(self.W2) * hidden + _matrix(self.b2[:, None])


def _matrix(W: np.ndarray) -> sympy.Matrix:
    return sympy.Matrix([[mixed(w) for w in row] for row in W])

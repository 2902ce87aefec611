"""Attention of one query over fixed keys, as a linearised Hamilton–Jacobi equation.

With F(q, t) = ε log Σ_j exp((q·k_j + t|k_j|²)/ε) and π its Gibbs weights, the output w = Σ_j π_j v_j solves

    w_t = 2 ∇F·∇w + ε Δw

identically: the equation of F linearised around F. The layer is w at t = 0, with ε = √d by convention. It is a
gradient where the values are the keys: w = ∇F.

Source: derived here; A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.1, for the layer.
"""

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.symbols import LogSumExp
from hjsym.systems.system import MOST_NUMBERS, HJSystem, coordinates, dot, mixed
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["attention", "attention_heads"]

_T = sympy.Symbol("t", real=True)


def attention(keys: ArrayLike, values: ArrayLike, eps: float | None = None) -> HJSystem:
    """The system of one query over keys (N, d) and values (N, m), one field for each of the m outputs.

    A causal mask is the choice of the keys up to the query's place. ε is √d unless given.

    Examples
    --------
    >>> system = attention([[1.0], [0.0]], [[2.0], [0.0]])
    >>> system.label, system.residual()
    ('linearised', 0)
    """
    K, V = np.asarray(keys, dtype=float), np.asarray(values, dtype=float)
    if K.ndim != 2 or V.ndim != 2 or len(K) != len(V) or not len(K):
        raise ShapeError(f"keys have shape {K.shape} and values {V.shape}; pass (N, d) and (N, m), N ≥ 1")
    if not (np.isfinite(K).all() and np.isfinite(V).all()):
        raise InputError("keys or values have entries that are not finite")
    N, d = K.shape
    x, p = coordinates(d)
    if N * (d + V.shape[1]) > MOST_NUMBERS or not isinstance(x, tuple):
        raise BudgetExceeded(
            "numbers in an attention head",
            N * (d + V.shape[1]),
            MOST_NUMBERS,
            "pass fewer keys, or one head",
        )
    eps = sympy.sqrt(d) if eps is None else mixed(eps)
    if not eps > 0:
        raise InputError(f"eps is {eps}; pass a temperature > 0")
    k = [[mixed(v) for v in row] for row in K]
    phases = [dot(row, x) + _T * dot(row, row) for row in k]
    F = LogSumExp(eps, *phases)
    weights = [sympy.exp((z - F) / eps) for z in phases]
    drift = [dot(column, weights) for column in K.T]
    outputs = [dot(column, weights) for column in V.T]
    names = ["w"] if len(outputs) == 1 else [f"w{i}" for i in range(1, len(outputs) + 1)]
    same = K.shape == V.shape and (K == V).all()
    return HJSystem(
        name=f"attention of one query over {N} keys in {d} dimensions", label="linearised",
        reason="the values are the keys, so w = ∇F with F a solution of F_t = |∇F|² + εΔF" if same
        else "no gradient in general, for the values are not the keys; w is carried by the solution F",
        H=-2 * dot(drift, p), x=x, p=p, t=_T, viscosity=eps,
        fields=dict(zip(names, outputs, strict=True)), readout="the output at the query q is w(q, 0)",
        output=sympy.Tuple(*(w.subs(_T, 0) for w in outputs)) if len(outputs) > 1 else outputs[0].subs(_T, 0),
    )  # fmt: skip


def attention_heads(
    W_query: ArrayLike,
    W_key: ArrayLike,
    W_value: ArrayLike,
    tokens: ArrayLike,
    heads: int,
    causal_at: int | None = None,
) -> list[tuple[HJSystem, np.ndarray]]:
    """One system for each head of a self-attention layer, and its query matrix (d/heads, d).

    The matrices are (d, d) as in torch, W @ token; the tokens have shape (n, d), without biases. For a token z the
    layer gives O applied to the heads' w(W_query z, 0), end to end. `causal_at` leaves the keys up to that token.
    """
    X = np.asarray(tokens, dtype=float)
    matrices = [np.asarray(W, dtype=float) for W in (W_query, W_key, W_value)]
    d = X.shape[-1]
    if X.ndim != 2 or any(W.shape != (d, d) for W in matrices) or heads < 1 or d % heads:
        shapes = [W.shape for W in matrices]
        raise ShapeError(
            f"tokens have shape {X.shape}, matrices {shapes}, heads {heads}; pass (n, d), (d, d), a divisor of d"
        )
    seen = X if causal_at is None else X[: causal_at + 1]
    blocks = [np.split(W, heads) for W in matrices]
    return [(attention(seen @ K.T, seen @ V.T), Q) for Q, K, V in zip(*blocks, strict=True)]

"""Attention of one query over fixed keys, as a linearised Hamilton–Jacobi equation.

With F(q, t) = ε log Σ_j exp((q·k_j + t|k_j|²)/ε) and π its Gibbs weights, the output w = Σ_j π_j v_j solves

    w_t = 2 ∇F·∇w + ε Δw

identically: the equation of F linearised around F. The layer is w at t = 0, with ε = √d by convention. It is a
gradient where the values are the keys: w = ∇F.

Source: derived here; A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.1, for the layer.
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.symbols import LogSumExp
from hjsym.systems.gates import Applied
from hjsym.systems.system import HJSystem
from hjsym.systems.waves import temperature
from hjsym.systems.weights import Weights, dot
from tropical.errors import InputError, ShapeError

__all__ = ["attention", "attention_heads"]

_T = sympy.Symbol("t", real=True)


def attention(
    keys: ArrayLike, values: ArrayLike, eps: float | None = None, symbolic: bool = False
) -> HJSystem:
    """The system of one query over keys (N, d) and values (N, m), one field for each of the m outputs.

    A causal mask is the choice of the keys up to the query's place. ε is √d unless given. With `symbolic` they stay
    symbols k_j_i, v_j_i and epsilon. A large head has no fields written out, but H = −2 p·∇F in matrix symbols.

    Parameters
    ----------
    keys : (N, d) array
    values : (N, m) array
    eps : float, optional
        ε > 0, by which scores are divided; √d by default.
    symbolic : bool
        Keep keys, values and ε as symbols.

    Returns
    -------
    HJSystem

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
    weights = Weights.of("the attention head", d, N * (d + V.shape[1]) + 1, symbolic)
    x, p = weights.state(d)
    scale = weights.scalar("epsilon", sympy.sqrt(d) if eps is None else temperature(eps), positive=True)
    same = K.shape == V.shape and (K == V).all()
    system = {
        "name": f"attention of one query over {N} keys in {d} dimensions", "label": "linearised",
        "reason": "the values are the keys, so w = ∇F with F a solution of F_t = |∇F|² + εΔF" if same
        else "no gradient in general, for the values are not the keys; w is carried by the solution F",
        "x": x, "p": p, "t": _T, "viscosity": scale, "parameters": weights.parameters,
        "readout": "the output at the query q is w(q, 0)",
    }  # fmt: skip
    if weights.is_matrix:
        return HJSystem(H=_matrix_drift(weights, x, p, K, scale), **system)
    k = weights.matrix("k", K)
    v = k if same else weights.matrix("v", V)
    phases = [dot(k.row(j), x) + _T * dot(k.row(j), k.row(j)) for j in range(N)]
    F = LogSumExp(scale, *phases)
    shares = [sympy.exp((z - F) / scale) for z in phases]
    drift = [dot(k.col(i), shares) for i in range(d)]
    outputs = [dot(v.col(i), shares) for i in range(v.cols)]
    names = ["w"] if len(outputs) == 1 else [f"w{i}" for i in range(1, len(outputs) + 1)]
    return HJSystem(
        **system, H=-2 * dot(drift, p), fields=dict(zip(names, outputs, strict=True)),
        output=sympy.Tuple(*(w.subs(_T, 0) for w in outputs)) if len(outputs) > 1 else outputs[0].subs(_T, 0),
    )  # fmt: skip


def _matrix_drift(weights: Weights, x: tuple, p: tuple, K: np.ndarray, eps: sympy.Expr) -> sympy.Expr:
    """−2 pᵀ Kᵀ softmax((Kx + t s)/ε), s_j = |k_j|²."""
    keys, squares = weights.matrix("K", K), weights.vector("s", (K**2).sum(axis=1))
    return -2 * (p[0].T * keys.T * Applied("softmax", (keys * x[0] + _T * squares) / eps))


def attention_heads(
    W_query: ArrayLike,
    W_key: ArrayLike,
    W_value: ArrayLike,
    tokens: ArrayLike,
    heads: int,
    causal_at: int | None = None,
    symbolic: bool = False,
) -> list[tuple[HJSystem, np.ndarray]]:
    """One system for each head of a self-attention layer, and its query matrix (d/heads, d).

    The matrices are (d, d) as in torch, W @ token; the tokens have shape (n, d), without biases. For a token z the
    layer gives O applied to the heads' w(W_query z, 0), end to end. `causal_at` leaves the keys up to that token; with
    `symbolic` the keys and values of each head stay symbols, as in `attention`.

    Parameters
    ----------
    W_query, W_key, W_value : (d, d) arrays
    tokens : (n, d) array
    heads : int
        A divisor of d.
    causal_at : int, optional
        The last token to attend to; all by default.
    symbolic : bool
        As for `attention`.

    Returns
    -------
    list of (HJSystem, (d/heads, d) array)

    Examples
    --------
    >>> W = np.eye(2)
    >>> found = attention_heads(W, W, W, tokens=[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], heads=2)
    >>> [(system.label, query.shape) for system, query in found]
    [('linearised', (1, 2)), ('linearised', (1, 2))]
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
    return [
        (attention(seen @ K.T, seen @ V.T, symbolic=symbolic), Q) for Q, K, V in zip(*blocks, strict=True)
    ]

"""The Hamiltonian p·F of a transformer block as a formula: in scalars, or with tokens for rows of a matrix symbol."""

import sympy

from hjsym.systems.gates import Applied
from hjsym.systems.weights import Weights, dot, mixed

__all__ = ["in_matrices", "in_scalars"]


def in_scalars(block, weights: Weights, tokens: int) -> tuple[sympy.Expr, tuple, tuple]:
    """H, x and p, the states being the features of one token after the other."""
    d = block.query.shape[0]
    x, p = weights.state(tokens * d)
    rows = [sympy.Matrix(x[i * d : (i + 1) * d]) for i in range(tokens)]
    normed = [_norm(row, block.norm_eps) if block.norm else row for row in rows]
    feed = _feed(block, weights)
    rates = [a + feed(y) for y, a in zip(normed, _attention(block, weights, normed), strict=True)]
    return dot([r for token in rates for r in token], p), x, p


def _norm(row: sympy.Matrix, eps: float) -> sympy.Matrix:
    mean = sum(row) / len(row)
    variance = sum((v - mean) ** 2 for v in row) / len(row)
    return (row - mean * sympy.ones(len(row), 1)) / sympy.sqrt(variance + mixed(eps))


def _projections(block, weights: Weights) -> list[tuple]:
    """(W, b) of query, key, value and out; no biases where all are 0."""
    arrays = zip("QKVO", (block.query, block.key, block.value, block.out), block.biases, strict=True)
    return [
        (weights.matrix(f"W_{name}", W), weights.vector(f"b_{name}", b) if block.biases.any() else None)
        for name, W, b in arrays
    ]


def _affine(pair: tuple, y):
    W, b = pair
    return W * y if b is None else W * y + b


def _attention(block, weights: Weights, normed: list[sympy.Matrix]) -> list[sympy.Matrix]:
    width = len(normed[0]) // block.heads
    *projections, out = _projections(block, weights)
    q, k, v = ([_affine(pair, y) for y in normed] for pair in projections)
    outputs = []
    for i in range(len(normed)):
        seen = range(i + 1 if block.causal else len(normed))
        joined: list = []
        for h in range(block.heads):
            part = slice(h * width, (h + 1) * width)
            scores = [sympy.exp(q[i][part, 0].dot(k[j][part, 0]) / sympy.sqrt(width)) for j in seen]
            total = sympy.Add(*scores)
            joined += [
                sympy.Add(*(s * v[j][r] for s, j in zip(scores, seen, strict=True))) / total
                for r in range(part.start, part.stop)
            ]
        outputs.append(_affine(out, sympy.Matrix(joined)))
    return outputs


def _feed(block, weights: Weights):
    W1, b1 = weights.matrix("W_1", block.W1), weights.vector("b_1", block.b1)
    W2, b2 = weights.matrix("W_2", block.W2), weights.vector("b_2", block.b2)
    return lambda y: W2 * weights.gate(block.gate, W1 * y + b1) + b2


def in_matrices(block, weights: Weights, tokens: int) -> tuple[sympy.Expr, tuple, tuple]:
    """H = tr(PᵀF(X)) with X and P of shape (tokens, d)."""
    d = block.query.shape[0]
    X, P = (sympy.MatrixSymbol(name, tokens, d) for name in "XP")
    ones = sympy.OneMatrix(tokens, 1)
    Y = Applied("layer_norm", X, mixed(block.norm_eps)) if block.norm else X
    softmax = "causal_softmax" if block.causal else "softmax_rows"
    width = d // block.heads

    def affine(name: str, W, b, y):
        moved = y * weights.matrix(f"W_{name}", W).T
        return moved + ones * weights.vector(f"b_{name}", b).T if b.any() else moved

    heads = []
    for h in range(block.heads):
        part = slice(h * width, (h + 1) * width)
        q, k, v = (
            affine(f"{name}{h + 1}", W[part], b[part], Y)
            for name, W, b in zip("QKV", (block.query, block.key, block.value), block.biases, strict=False)
        )
        mixed_values = Applied(softmax, q * k.T / sympy.sqrt(width)) * v
        heads.append(affine(f"O{h + 1}", block.out[:, part], block.biases[3] * (h == 0), mixed_values))
    hidden = Applied(block.gate, affine("1", block.W1, block.b1, Y))
    F = sympy.MatAdd(*heads, affine("2", block.W2, block.b2, hidden))
    return sympy.Trace(P.T * F), (X,), (P,)

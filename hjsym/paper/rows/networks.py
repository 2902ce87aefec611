"""Attention and a transformer block, each against a route that never forms a softmax.

Attention is a derivative: with G(s) = ε log Σ_j exp((q·k_j + s v_j)/ε), an output Σ_j π_j v_j is G′(0). Complex
steps give it to rounding, G(ih)/ih as h → 0 (J. N. Lyness, C. B. Moler, 1967), and mpmath by differences.
"""

import math

import mpmath
import numpy as np

from hjsym.hopf import LSELayer
from hjsym.paper.row import Outcome, Picture, Row, Study, at_most
from hjsym.systems.transformer import TransformerBlock
from tropical import Polynomial, Semiring
from tropical._figures import PALETTE

__all__ = ["ROWS"]

_STATED = "stated as agreement to rounding, ≤ 1e-13, between two routes that share no formula"
_QUERIES, _KEYS, _OUTPUTS = 8, 12, 16
_STEP = 1e-30


def _potential(scores: np.ndarray, eps: float) -> np.ndarray:
    """ε log Σ exp(scores/ε) over the last axis, for complex scores."""
    top = scores.real.max(axis=-1, keepdims=True)
    return eps * np.log(np.exp((scores - top) / eps).sum(axis=-1)) + top[..., 0]


def attention_by_complex_step(Q: np.ndarray, K: np.ndarray, V: np.ndarray, eps: float) -> np.ndarray:
    """d/ds ε log Σ_j exp((q·k_j + s v_jc)/ε) at s = 0, for each query and each column c of V."""
    scores = (Q @ K.T)[:, None, :] + 1j * _STEP * V.T
    return _potential(scores, eps).imag / _STEP


def gradient_by_complex_step(Q: np.ndarray, K: np.ndarray, eps: float) -> np.ndarray:
    """∇_q ε log Σ_j exp(q·k_j/ε), one coordinate of q after the other."""
    moved = Q[:, None, :] + 1j * _STEP * np.eye(Q.shape[1])
    return _potential(moved @ K.T, eps).imag / _STEP


def attention(study: Study) -> Outcome:
    """Gibbs weights of the core times the values, against the derivative of a log-sum-exp."""
    trials = 40 if study.fast else 500
    measurements, worst = [], {}
    for d in (4, 8, 16, 32, 64):
        eps = math.sqrt(d)
        by_values, by_gradient = 0.0, 0.0
        for _ in range(trials):
            Q, K = study.rng.normal(size=(_QUERIES, d)), study.rng.normal(size=(_KEYS, d))
            V = study.rng.normal(size=(_KEYS, _OUTPUTS))
            F = Polynomial(K, np.zeros(_KEYS), Semiring(eps=eps))
            ours = F.weights(Q) @ V
            by_values = max(by_values, np.abs(ours - attention_by_complex_step(Q, K, V, eps)).max())
            by_gradient = max(by_gradient, np.abs(F.gradient(Q) - gradient_by_complex_step(Q, K, eps)).max())
        worst[d] = by_values
        what = f"{trials} trials, d = {d}"
        measurements.append(at_most(f"max |Σπv − dG/ds|, {what}", 1e-13, by_values, _STATED))
        measurements.append(
            at_most(f"max |∇F − complex step|, values = keys, {what}", 1e-13, by_gradient, _STATED)
        )
    defect = _equation_defect(study.rng)
    measurements.append(
        at_most(
            "|w_s − 2∇F·∇w − εΔw|, relative, by differences in 50 digits, d = 3", 1e-13, defect,
            "the linearised equation holds identically; derivatives by mpmath lose half the digits",
        )
    )  # fmt: skip
    remark = (
        "The paper’s script compares softmax(QKᵀ/√d)V with softmax(QKᵀ/√d)V, which agree whatever attention is. Here "
        "the other side is a derivative of F and no softmax is formed."
    )

    def draw(figure) -> None:
        axis = figure.subplots()
        axis.semilogy(list(worst), list(worst.values()), "o-", color=PALETTE[0], label="largest deviation")
        axis.axhline(1e-13, color=PALETTE[5], ls="--", label="allowed")
        axis.set_xscale("log", base=2)
        axis.set_xlabel("d")
        axis.legend()

    picture = Picture("Attention", "Deviation of the two routes, over all trials.", draw, (5, 3))
    return Outcome(tuple(measurements), (picture,), (remark,))


def _equation_defect(rng: np.random.Generator) -> float:
    """How far w = Σπv is from w_s = 2∇F·∇w + εΔw at a random query and time, differentiated by mpmath."""
    d = 3
    K = [[mpmath.mpf(v) for v in row] for row in rng.normal(size=(5, d)).tolist()]
    V = [mpmath.mpf(v) for v in rng.normal(size=5).tolist()]
    q = [mpmath.mpf(v) for v in rng.normal(size=d).tolist()]
    with mpmath.workdps(50):
        eps = mpmath.sqrt(d)

        def phases(q, s):
            return [mpmath.exp((mpmath.fdot(k, q) + s * mpmath.fdot(k, k)) / eps) for k in K]

        def F(*at):
            return eps * mpmath.log(mpmath.fsum(phases(at[:d], at[d])))

        def w(*at):
            e = phases(at[:d], at[d])
            return mpmath.fdot(e, V) / mpmath.fsum(e)

        at = (*q, mpmath.mpf("0.1"))
        unit = [tuple(int(i == k) for i in range(d + 1)) for k in range(d + 1)]
        time = mpmath.diff(w, at, unit[d])
        transport = 2 * mpmath.fsum(
            mpmath.diff(F, at, unit[k]) * mpmath.diff(w, at, unit[k]) for k in range(d)
        )
        diffusion = eps * mpmath.fsum(mpmath.diff(w, at, tuple(2 * n for n in unit[k])) for k in range(d))
        return float(abs(time - transport - diffusion) / max(abs(time), abs(transport), abs(diffusion)))


def transformer_block(study: Study) -> Outcome:
    """Pre-norm attention and feed-forward part, d = 8, N = 32, against 40 digits with derivatives for softmax."""
    d, hidden, tokens = 8, 32, 8
    trials = 2 if study.fast else 20
    worst = 0.0
    for _ in range(trials):
        shapes = [(d, d)] * 4 + [(hidden, d), (hidden,), (d, hidden), (d,)]
        weights = [study.rng.normal(size=shape) / math.sqrt(shape[-1]) for shape in shapes]
        block = TransformerBlock(*weights, heads=2)
        X = study.rng.normal(size=(tokens, d))
        expected = _block_in_high_precision(block, X)
        worst = max(worst, np.abs(block(X) - expected).max() / max(1, np.abs(expected).max()))
    measurements = [at_most(f"max |block − 40 digits|, {trials} random blocks", 1e-13, worst, _STATED)]
    for eps in (0.05, 0.1, 0.2, 0.5, 1.0):
        layer = LSELayer(study.rng.normal(size=(hidden, d)), study.rng.normal(size=hidden), eps)
        z = study.rng.normal(size=(50 if study.fast else 2000, d))
        x = (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
        error = np.abs(layer.kernel(1.0).identity_defect(x)).max()
        measurements.append(
            at_most(
                f"max |f + u − |x|²/4t|, log-sum-exp part of {hidden} neurons, ε = {eps:g}", 1e-13, error,
                "stated as ≤ 1e-12; relative to max(|x|²/4t, 1), u from atoms and data",
            )
        )  # fmt: skip
    remark = (
        "LayerNorm divides by a standard deviation: a map in front, outside of the class. A block as a whole is one "
        "step of interacting tokens, not the solution of one Hamilton–Jacobi equation."
    )
    return Outcome(tuple(measurements), (), (remark,))


def _block_in_high_precision(block: TransformerBlock, X: np.ndarray) -> np.ndarray:
    """The block in 40 digits; each attention output is the derivative of a log-sum-exp, by differences."""
    with mpmath.workdps(40):
        x = _rows(X)
        y = [_normed(row, block.norm_eps) for row in x]
        q, k, v = ([_apply(W, row) for row in y] for W in (block.query, block.key, block.value))
        width = len(x[0]) // block.heads
        result = []
        for i, row in enumerate(x):
            heads = [
                _attended(q[i], k, v, slice(h * width, (h + 1) * width), c)
                for h in range(block.heads)
                for c in range(h * width, (h + 1) * width)
            ]
            z = [a + b for a, b in zip(row, _apply(block.out, heads), strict=True)]
            inner = _apply(block.W1, _normed(z, block.norm_eps), block.b1)
            outer = _apply(block.W2, [max(t, mpmath.mpf(0)) for t in inner], block.b2)
            result.append([float(a + b) for a, b in zip(z, outer, strict=True)])
    return np.array(result)


def _attended(q: list, keys: list, values: list, part: slice, column: int) -> mpmath.mpf:
    eps = mpmath.sqrt(part.stop - part.start)
    scores = [mpmath.fdot(q[part], k[part]) for k in keys]

    def potential(s):
        return eps * mpmath.log(
            mpmath.fsum(mpmath.exp((z + s * v[column]) / eps) for z, v in zip(scores, values, strict=True))
        )

    return mpmath.diff(potential, 0)


def _rows(X: np.ndarray) -> list[list[mpmath.mpf]]:
    return [[mpmath.mpf(v) for v in row] for row in X.tolist()]


def _apply(W: np.ndarray, x: list, b: np.ndarray | None = None) -> list:
    shift = [0.0] * len(W) if b is None else b.tolist()
    return [mpmath.fdot(row, x) + c for row, c in zip(_rows(W), shift, strict=True)]


def _normed(row: list, norm_eps: float) -> list:
    mean = mpmath.fsum(row) / len(row)
    variance = mpmath.fsum((v - mean) ** 2 for v in row) / len(row)
    return [(v - mean) / mpmath.sqrt(variance + norm_eps) for v in row]


ROWS = (
    Row("attention", "Attention is a Gibbs average, the derivative of a log-sum-exp",
        "random Q, K, V: 8 queries, 12 keys, 16 outputs, d = 4 … 64, ε = √d", attention, 1.0),
    Row("transformer-block", "A pre-norm transformer block",
        "attention with LayerNorm, feed-forward part of 32 neurons, d = 8", transformer_block, 0.5),
)  # fmt: skip

"""Plain-Python twins of the kernels, and the ways tests call the kernels themselves.

Max-plus: rational arithmetic with one correct rounding per fused multiply-add. Log-semiring: mpmath at 60
digits, on the terms z_j that the max-plus twin gives, so that the two kinds of error are judged apart.
"""

import os
from contextlib import contextmanager
from fractions import Fraction

import mpmath
import numpy as np

from tropical import Polynomial, Semiring, _core

FORMATS = {np.dtype(np.float32): (24, -149, 128), np.dtype(np.float64): (53, -1074, 1024)}
MP = mpmath.mp.clone()
MP.dps = 60


def round_to(value: Fraction, dtype) -> float:
    """The number of `dtype` nearest to an exact one, ties to even, with subnormals and overflow."""
    precision, lowest, highest = FORMATS[np.dtype(dtype)]
    if value == 0:
        return 0.0
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    if abs(value) < Fraction(2) ** exponent:
        exponent -= 1
    quantum = Fraction(2) ** max(exponent - precision + 1, lowest)
    rounded = round(value / quantum) * quantum  # Fraction rounds halves to even
    if abs(rounded) >= Fraction(2) ** highest:
        return float("inf") if value > 0 else float("-inf")
    return float(rounded)


def fma(a: float, b: float, c: float, dtype) -> float:
    """a·b + c of finite numbers, rounded once; an infinite c stays."""
    if not np.isfinite(c):
        return float(c)
    return round_to(Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)), dtype)


def affine_terms(slopes: np.ndarray, coefficients: np.ndarray, x: np.ndarray) -> list[float]:
    """z_j = fma(w_jd, x_d, … fma(w_j1, x_1, b_j)) at one finite point."""
    terms = []
    for row, z in zip(slopes, coefficients.tolist(), strict=True):
        for w, v in zip(row, x, strict=True):
            z = fma(w, v, z, slopes.dtype)
        terms.append(z)
    return terms


def max_plus(z: list[float], sign: int) -> tuple[float, int]:
    """The largest term (smallest for sign −1) and its first index, or the zero and −1."""
    zero = -sign * float("inf")
    best = max(z, default=zero) if sign > 0 else min(z, default=zero)
    return (zero, -1) if best == zero else (best, z.index(best))


def log_semiring(z: list[float], sign: int, eps: float) -> dict:
    """What the kernels give for terms z at eps > 0, in 60 digits; some term must be finite."""
    terms = [sign * MP.mpf(float(v)) for v in z]
    top, eps = max(terms), MP.mpf(float(eps))
    exponents = [(t - top) / eps for t in terms]
    powers = [MP.exp(a) for a in exponents]
    rest = MP.fsum(powers)
    log_rest = MP.log(rest)
    weights = [e / rest for e in powers]
    moment = MP.fsum(w * a for w, a in zip(weights, exponents, strict=True) if a != -MP.inf)
    # log(1 + tiny) keeps its digits only if the 1 is left out of the sum
    others = MP.fsum(sorted(powers)[:-1])
    return {
        "values": sign * (top + eps * log_rest),
        "excess": sign * eps * MP.log1p(others) if others else MP.mpf(0),
        "entropy": log_rest - moment,
        "weights": weights,
    }


def mean_slope(weights: list, slopes: np.ndarray) -> list:
    """Σ_j w_j W_j in 60 digits."""
    return [
        MP.fsum(w * MP.mpf(float(s)) for w, s in zip(weights, column, strict=True)) for column in slopes.T
    ]


def errors(got: np.ndarray, want: list) -> list[float]:
    """|got − want| entry by entry, without rounding `want` first."""
    return [float(abs(MP.mpf(float(g)) - w)) for g, w in zip(np.ravel(got), want, strict=True)]


OUTPUTS = ("values", "excess", "entropy", "argmax", "gradient", "weights")
MANY = 70  # points: past the threshold of the kernel for many points, and no whole number of its tiles


def kernel_outputs(slopes, coefficients, points, sign=1, eps=0.0, many=False) -> dict[str, np.ndarray]:
    """Every output at the points; with `many`, of their last repetition among enough for that kernel."""
    p, count = Polynomial(slopes, coefficients, Semiring(sign, eps)), len(points)
    if many and count:
        points = np.tile(points, (-(-MANY // count), 1))
    results = {name: np.asarray((p if name == "values" else getattr(p, name))(points)) for name in OUTPUTS}
    return {name: result[len(points) - count :] for name, result in results.items()}


def outputs_of_every_kernel(slopes, coefficients, points, sign=1, eps=0.0) -> dict[str, dict]:
    """`kernel_outputs` for each instruction set, for few and for many points."""
    results = {}
    for name in INSTRUCTION_SETS:
        with instruction_set(name):
            for many in (False, True):
                label = f"{name}, {'many' if many else 'few'} points"
                results[label] = kernel_outputs(slopes, coefficients, points, sign, eps, many)
    return results


def bits(array: np.ndarray) -> np.ndarray:
    """The same memory as integers: distinguishes ±0, equates NaNs of one pattern."""
    return array.view({4: np.int32, 8: np.int64}[array.dtype.itemsize])


@contextmanager
def instruction_set(name: str):
    """Runs the kernels of one instruction set; yields whether this processor has it."""
    _core.set_ceiling(name)
    try:
        yield _core.instruction_set() == name
    finally:
        _core.set_ceiling(os.environ.get("TROPICAL_CPU") or None)


def available_instruction_sets() -> list[str]:
    names = []
    for name in ("baseline", "avx2", "avx512"):
        with instruction_set(name) as runs:
            names += [name] * runs
    return names


INSTRUCTION_SETS = available_instruction_sets()


def soft_product(A: np.ndarray, B: np.ndarray, sign: int, eps: float) -> list[list]:
    """C_ij = ε log Σ_k e^{(A_ik + B_kj)/ε} in 60 digits; entries are finite or the zero."""
    rows = []
    for row in A:
        rows.append([])
        for column in B.T:
            pairs = zip(row, column, strict=True)
            terms = [sign * (MP.mpf(float(a)) + MP.mpf(float(b))) for a, b in pairs if np.isfinite(a + b)]
            if not terms:
                rows[-1].append(MP.mpf(-sign * np.inf))
                continue
            top, e = max(terms), MP.mpf(float(eps))
            rows[-1].append(sign * (top + e * MP.log(MP.fsum(MP.exp((t - top) / e) for t in terms))))
    return rows


def soft_product_bound(A: np.ndarray, B: np.ndarray, eps: float) -> np.ndarray:
    """A third of the error that `matmul` promises at ε > 0 for large entries: what it mostly keeps to."""
    u = float(np.finfo(A.dtype).eps) / 2
    largest = [np.abs(np.where(np.isfinite(M), M, 0).astype(np.float64)) for M in (A, B)]
    scale = largest[0].max(axis=1, initial=0)[:, None] + largest[1].max(axis=0, initial=0)
    return 4 * u * scale + u * eps * (150 + A.shape[1] / 128)


def scan(start: np.ndarray, transitions: list, emissions: list, semiring: Semiring) -> list[np.ndarray]:
    """Forward messages of one chain, α_t(j) = ⊕_i (α_{t−1}(i) ⊗ A(i, j)) ⊗ e_t(j), a list of numbers at a time."""
    messages = [np.asarray(semiring.mul(start, emissions[0]))]
    for A, e in zip(transitions, emissions[1:], strict=True):
        terms = semiring.mul(messages[-1][:, None], A)
        messages.append(np.asarray(semiring.mul(semiring.sum(terms, axis=0), e)))
    return messages

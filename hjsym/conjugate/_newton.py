"""min ψ(θ) = log Σ_j exp(A_j·θ + a_j) for many matrices A at once, by Newton's method with a proved step.

Along a direction p, |ψ‴| ≤ β ψ″ with β the range of the A_j·p, so a step of log(1 + β)/β times Newton's never raises
ψ, and tends to Newton's own (T. Sun, Q. Tran-Dinh, "Generalized self-concordant functions", Math. Programming 178,
2019, theorem 2). The full step is taken wherever it lowers ψ enough. Where the a_j differ by much more than 1 the
weights at θ = 0 tell nothing of the others; then they are first divided by τ, which falls to 1.

The matrices are A_j = W_j − y, so that the mean m of A is the residual and E[AAᵀ] − mmᵀ, the Hessian, is got without
cancellation: by Sherman and Morrison, Newton's step is −E[AAᵀ]⁻¹m/(1 − q), q = m·E[AAᵀ]⁻¹m.
"""

import math

import numpy as np

__all__ = ["Minimum", "minimise"]

_MILD = 12.0  # range of the a_j that needs no higher temperature
_FACTOR = 4.0  # by which the temperature falls
_EARLY = 0.1  # decrement of ψ at which it falls on
_EARLY_LIMIT = 30  # steps after which it does so anyway
_DONE = 2.0**-26  # range of A·step, the relative change of a ratio of weights: the step squares the error


class Minimum:
    """θ (n, k), ψ there (n,), the weights π (n, N), the residual Σπ_jA_j (n, k) and E[AAᵀ] (n, k, k)."""

    def __init__(self, A: np.ndarray, a: np.ndarray, theta: np.ndarray):
        self.A, self.a, self.theta = A, a, theta
        self.value, self.weights = _log_sum(A, a, theta)
        self.mean = (self.weights[:, None, :] @ A)[:, 0]
        self.second = np.matmul(A.transpose(0, 2, 1) * self.weights[:, None, :], A)

    def inverse(self) -> np.ndarray:
        """E[AAᵀ]⁻¹, scaled to a unit diagonal first."""
        diagonal = np.arange(self.second.shape[1])
        scale = np.sqrt(np.maximum(self.second[:, diagonal, diagonal], 5e-324))
        scales = scale[:, :, None] * scale[:, None, :]
        matrix = self.second / scales
        matrix[:, diagonal, diagonal] += 2.0**-50
        with np.errstate(all="ignore"):
            return np.linalg.inv(matrix) / scales

    def step(self) -> tuple[np.ndarray, np.ndarray]:
        """Newton's step and its decrement squared."""
        towards = np.matmul(self.inverse(), self.mean[:, :, None])[:, :, 0]
        q = np.clip((self.mean * towards).sum(axis=1), 0.0, None)
        rest = np.maximum(1.0 - q, 2.0**-20)
        return -towards / rest[:, None], q / rest


def _log_sum(A: np.ndarray, a: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z = np.matmul(A, theta[:, :, None])[:, :, 0] + a
    top = z.max(axis=1, keepdims=True)
    weights = np.exp(z - top)
    total = weights.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], weights / total


def minimise(A: np.ndarray, a: np.ndarray, limit: int) -> Minimum:
    """The minimum over θ for each A of shape (n, N, k), a (N,); after at most `limit` steps for each temperature."""
    theta = np.zeros((len(A), A.shape[2]))
    tau = max(1.0, float(np.ptp(a)) / _MILD)
    while tau > 1.0:
        theta = _descend(A, a / tau, theta, min(limit, _EARLY_LIMIT), False)
        lower = max(1.0, tau / _FACTOR)
        theta *= tau / lower
        tau = lower
    return Minimum(A, a, _descend(A, a, theta, limit, True))


def _descend(A: np.ndarray, a: np.ndarray, theta: np.ndarray, limit: int, to_the_end: bool) -> np.ndarray:
    """Newton's steps until none changes a weight by a relevant factor, or, if not `to_the_end`, ψ by much."""
    theta, last = theta.copy(), np.full(len(A), math.inf)
    going = np.arange(len(A))
    for _ in range(limit):
        part = A if len(going) == len(A) else A[going]
        here = Minimum(part, a, theta[going])
        step, decrement = here.step()
        moved = np.matmul(part, step[:, :, None])[:, :, 0]
        beta = np.ptp(moved, axis=1)
        useful = (beta > _DONE) & ((beta > 0.1) | (beta < 0.5 * last[going])) & (beta < math.inf)
        if not to_the_end:
            useful &= decrement > _EARLY
        taken = useful | (beta <= _DONE)
        last[going] = beta
        length = _length(part, a, here, step, decrement, beta)
        theta[going[taken]] += (length[:, None] * step)[taken]
        going = going[useful]
        if not len(going):
            break
    return theta


def _length(part: np.ndarray, a: np.ndarray, here: Minimum, step, decrement, beta) -> np.ndarray:
    """1 where the full step lowers ψ by a quarter of what a parabola would, or is small; else the proved one."""
    full = beta < 0.5
    if not full.all():
        there, _ = _log_sum(part[~full], a, (here.theta + step)[~full])
        full[~full] = there <= here.value[~full] - 0.25 * decrement[~full]
    return np.where(full, 1.0, np.log1p(beta) / np.where(beta > 0, beta, 1.0))

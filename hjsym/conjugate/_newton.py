"""min ψ(θ) = log Σ_j exp((W_j − y)·θ + a_j) for many y at once, by Newton's method with a proved step.

Along a direction p, |ψ‴| ≤ β ψ″ with β the range of the W_j·p, so a step of log(1 + β)/β times Newton's never raises
ψ, and tends to Newton's own (T. Sun, Q. Tran-Dinh, "Generalized self-concordant functions", Math. Programming 178,
2019, theorem 2). The full step is taken wherever it lowers ψ enough. Where the a_j differ by much more than 1 the
weights at θ = 0 tell nothing of the others; then they are first divided by τ, which falls to 1.

With A_j = W_j − y the mean m of A is the residual, and E[AAᵀ] − mmᵀ is the Hessian; by Sherman and Morrison, Newton's
step is −E[AAᵀ]⁻¹m/(1 − q), q = m·E[AAᵀ]⁻¹m. The way to the minimum is made with W itself, by products of matrices that
all y share, and E[AAᵀ] from E[WWᵀ]; that cancels where y is close to the boundary of the hull, so the last steps use
the A_j of each y. Where the cancellation has led astray, to θ from which they do not arrive, all steps use the A_j.
"""

import math

import numpy as np

__all__ = ["Minimum", "Slopes", "minimise"]

_MILD = 12.0  # range of the a_j that needs no higher temperature
_FACTOR = 4.0  # by which the temperature falls
_EARLY = 0.1  # decrement of ψ at which it falls on
_EARLY_LIMIT = 30  # steps after which it does so anyway
_NEAR = 0.1  # range of A·step from which on the differences are used
_DONE = 2.0**-26  # range of A·step, the relative change of a ratio of weights: the step squares the error
_PRODUCTS = 1 << 24  # of columns for all j, beyond which they are not kept
_BLOCK = 1 << 17  # numbers in the differences of a block of points


class Slopes:
    """W (N, k) with what all y share: a centre, and the products of its columns about it."""

    def __init__(self, W: np.ndarray):
        self.W, self.size = W, W.shape[1]
        self.centre = W.min(axis=0) / 2 + W.max(axis=0) / 2
        self.first, self.second = np.triu_indices(self.size)
        self.are_few = len(W) * len(self.first) <= _PRODUCTS
        self.centred = W - self.centre
        self.products = self.centred[:, self.first] * self.centred[:, self.second] if self.are_few else None


class _Shared:
    """Scores and moments of W_j − y from those of W_j."""

    def __init__(self, slopes: Slopes, y: np.ndarray):
        self.slopes, self.W, self.y = slopes, slopes.centred, y - slopes.centre

    def scores(self, rows: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return theta @ self.W.T - (theta * self.y[rows]).sum(axis=1, keepdims=True)

    def moments(self, rows: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y, all_ = self.y[rows], self.slopes
        mean = weights @ self.W
        square = np.empty((len(rows), all_.size, all_.size))
        square[:, all_.first, all_.second] = square[:, all_.second, all_.first] = weights @ all_.products
        cross = mean[:, :, None] * y[:, None, :]
        return mean - y, square - cross - cross.transpose(0, 2, 1) + y[:, :, None] * y[:, None, :]


class _Apart:
    """Those of A_j = W_j − y, (n, N, k), without cancellation."""

    def __init__(self, W: np.ndarray, y: np.ndarray):
        self.W, self.y, self.A = W, y, W - y[:, None]

    def some(self, rows: np.ndarray) -> "_Apart":
        return _Apart(self.W, self.y[rows])

    def _of(self, rows: np.ndarray) -> np.ndarray:
        return self.A if len(rows) == len(self.A) else self.A[rows]

    def scores(self, rows: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return np.matmul(self._of(rows), theta[:, :, None])[:, :, 0]

    def moments(self, rows: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        A = self._of(rows)
        mean = np.matmul(weights[:, None, :], A)[:, 0]
        return mean, np.matmul(A.transpose(0, 2, 1) * weights[:, None, :], A)


class Minimum:
    """θ (n, k), ψ there (n,), the weights π (n, N), the residual m (n, k) and E[AAᵀ] (n, k, k)."""

    def __init__(self, data: _Shared | _Apart, rows: np.ndarray, a: np.ndarray, theta: np.ndarray):
        self.theta = theta
        self.value, self.weights = _log_sum(data.scores(rows, theta) + a)
        self.mean, self.second = data.moments(rows, self.weights)

    def inverse(self) -> np.ndarray:
        """E[AAᵀ]⁻¹, scaled to a unit diagonal first."""
        diagonal = np.arange(self.second.shape[1])
        scale = np.sqrt(np.maximum(self.second[:, diagonal, diagonal], 5e-324))
        scales = scale[:, :, None] * scale[:, None, :]
        matrix = self.second / scales
        matrix[:, diagonal, diagonal] += 2.0**-50
        try:
            return np.linalg.inv(matrix) / scales
        except np.linalg.LinAlgError:  # a hull as thin as rounding
            return np.linalg.pinv(matrix, rcond=2.0**-50, hermitian=True) / scales

    def step(self) -> tuple[np.ndarray, np.ndarray]:
        """Newton's step and its decrement squared."""
        towards = np.matmul(self.inverse(), self.mean[:, :, None])[:, :, 0]
        q = np.clip((self.mean * towards).sum(axis=1), 0.0, None)
        rest = np.maximum(1.0 - q, 2.0**-20)
        return -towards / rest[:, None], q / rest


def _log_sum(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    top = z.max(axis=1, keepdims=True)
    weights = np.exp(z - top)
    total = weights.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], weights / total


def minimise(slopes: Slopes, y: np.ndarray, a: np.ndarray, limit: int):
    """The minima for a (N,) and the rows of y (n, k), in blocks: (which rows, their A (·, N, k), what was found).

    After at most `limit` steps.
    """
    theta = _approach(_Shared(slopes, y), a, limit) if slopes.are_few else None
    size = max(1, _BLOCK // slopes.W.size)
    for start in range(0, len(y), size):
        block = slice(start, start + size)
        apart = _Apart(slopes.W, y[block])
        ended = _from_start(apart, a, limit) if theta is None else _arrive(apart, a, theta[block], limit)
        yield block, apart.A, Minimum(apart, np.arange(len(ended)), a, ended)


def _from_start(data: _Apart, a: np.ndarray, limit: int) -> np.ndarray:
    return _descend(data, a, _approach(data, a, limit), limit, _DONE)[0]


def _arrive(apart: _Apart, a: np.ndarray, theta: np.ndarray, limit: int) -> np.ndarray:
    """The minima from θ close to them; from the start where some thirty steps do not arrive."""
    theta, left = _descend(apart, a, theta, min(limit, _EARLY_LIMIT), _DONE)
    astray = np.flatnonzero(left > _NEAR)
    if len(astray):
        theta[astray] = _from_start(apart.some(astray), a, limit)
    return theta


def _approach(data: _Shared | _Apart, a: np.ndarray, limit: int) -> np.ndarray:
    """Close to the minimum from θ = 0, through higher temperatures."""
    theta, limit = np.zeros(data.y.shape), min(limit, _EARLY_LIMIT)
    tau = max(1.0, float(np.ptp(a)) / _MILD)
    while tau > 1.0:
        theta, _ = _descend(data, a / tau, theta, limit, _NEAR, _EARLY)
        lower = max(1.0, tau / _FACTOR)
        theta *= tau / lower
        tau = lower
    return _descend(data, a, theta, limit, _NEAR)[0]


def _descend(
    data, a: np.ndarray, theta: np.ndarray, limit: int, small: float, enough: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Newton's steps until one changes the ratios of weights by less than `small`, or ψ by less than `enough`.

    Returns where they end, and by how much the last of them changed the ratios.
    """
    theta, last = theta.copy(), np.full(len(theta), math.inf)
    going = np.arange(len(theta))
    for _ in range(limit):
        here = Minimum(data, going, a, theta[going])
        step, decrement = here.step()
        moved = data.scores(going, step)
        beta = np.ptp(moved, axis=1)
        useful = (beta > small) & ((beta > 0.1) | (beta < 0.5 * last[going])) & (beta < math.inf)
        useful &= decrement > enough
        taken = useful | (beta <= small)
        last[going] = beta
        length = _length(data, going, a, here, step, decrement, beta)
        theta[going[taken]] += (length[:, None] * step)[taken]
        going = going[useful]
        if not len(going):
            break
    return theta, last


def _length(data, rows: np.ndarray, a: np.ndarray, here: Minimum, step, decrement, beta) -> np.ndarray:
    """1 where the full step lowers ψ by a quarter of what a parabola would, or is small; else the proved one."""
    full = beta < 0.5
    if not full.all():
        there, _ = _log_sum(data.scores(rows[~full], (here.theta + step)[~full]) + a)
        full[~full] = there <= here.value[~full] - 0.25 * decrement[~full]
    return np.where(full, 1.0, np.log1p(beta) / np.where(beta > 0, beta, 1.0))

"""What training makes small: squared errors of sums of log-sum-exps, and the log-loss of labelled neurons.

Parameters are one vector: a table (heads, N, d + 1) of slopes with the offsets as last column, and log ε at the end
where ε is learnt. Objectives give the value and the gradient, which the core sums over the points (`pull_back`).
"""

from dataclasses import dataclass, replace

import numpy as np

from hjsym.training.pull_back import pull_back
from tropical import Polynomial, Semiring

__all__ = ["LogLoss", "SquaredError"]

_EVERY = slice(None)
_FAR = 60.0  # of |log ε|, ε in standard deviations: nothing changes any more


def _polynomial(table: np.ndarray, eps: float) -> Polynomial:
    return Polynomial(table[:, :-1], table[:, -1], Semiring(eps=eps))


@dataclass(frozen=True, eq=False)
class SquaredError:
    """Σ_i w_i (f(x_i) − y_i)² / Σ_i w_i + decay |W|² of f = Σ_h sign_h LSE_h at one temperature.

    Parameters
    ----------
    points, targets, weights : (B, d), (B,), (B,) arrays
    signs : tuple of ±1
        (1,) is convex, (−1,) concave, (1, −1) a difference.
    neurons : int
        N of each head.
    eps : float or None
        None reads log ε from the end of the parameters.
    decay : float
    """

    points: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    signs: tuple[int, ...]
    neurons: int
    eps: float | None
    decay: float = 0.0

    def part(self, rows: np.ndarray) -> "SquaredError":
        """The objective on some rows only."""
        return replace(self, points=self.points[rows], targets=self.targets[rows], weights=self.weights[rows])

    def split(self, parameters: np.ndarray) -> tuple[np.ndarray, float]:
        """The table (heads, N, d + 1) and ε."""
        shape = (len(self.signs), self.neurons, self.points.shape[1] + 1)
        if self.eps is not None:
            return parameters.reshape(shape), self.eps
        # Line searches may try any log ε.
        return parameters[:-1].reshape(shape), float(np.exp(np.clip(parameters[-1], -_FAR, _FAR)))

    def predict(self, parameters: np.ndarray, points: np.ndarray) -> np.ndarray:
        """f at points."""
        table, eps = self.split(parameters)
        return sum(s * _polynomial(part, eps)(points) for s, part in zip(self.signs, table, strict=True))

    def error(self, parameters: np.ndarray) -> float:
        """The weighted mean of the squared errors."""
        squares = (self.predict(parameters, self.points) - self.targets) ** 2
        return float(self.weights @ squares / self.weights.sum())

    def __call__(self, parameters: np.ndarray, rows: np.ndarray | slice = _EVERY) -> tuple[float, np.ndarray]:
        """Value and gradient, on the given rows of the data."""
        table, eps = self.split(parameters)
        points, weights = self.points[rows], self.weights[rows]
        heads = [_polynomial(part, eps) for part in table]
        values = [head(points) for head in heads]
        residual = sum(s * v for s, v in zip(self.signs, values, strict=True)) - self.targets[rows]
        cotangents = 2 * weights * residual / weights.sum()
        gradient = np.stack(
            [
                s * pull_back(h, points, v, cotangents)
                for s, h, v in zip(self.signs, heads, values, strict=True)
            ]
        )
        gradient[..., :-1] += 2 * self.decay * table[..., :-1]
        gradient = gradient.ravel()
        if self.eps is None:  # ∂f/∂ε is the entropy
            by_eps = sum(s * cotangents @ h.entropy(points) for s, h in zip(self.signs, heads, strict=True))
            gradient = np.append(gradient, eps * by_eps)
        penalty = self.decay * (table[..., :-1] ** 2).sum()
        return float(cotangents @ residual / 2 + penalty), gradient


@dataclass(frozen=True, eq=False)
class LogLoss:
    """−Σ_i w_i log P(c_i | x_i) / Σ_i w_i + decay |W|² with P(c | x) the Gibbs weight of the neurons of class c.

    ε log P(c | x) = f_c − f, where f_c is the log-sum-exp of the neurons of c and f that of all.

    Parameters
    ----------
    points, labels, weights : (B, d), (B,), (B,) arrays
        Labels 0 … C − 1.
    classes, neurons : int
        C, and how many neurons vote for each.
    eps, decay : float
    """

    points: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    classes: int
    neurons: int
    eps: float
    decay: float = 0.0

    def part(self, rows: np.ndarray) -> "LogLoss":
        """The objective on some rows only."""
        return replace(self, points=self.points[rows], labels=self.labels[rows], weights=self.weights[rows])

    def table(self, parameters: np.ndarray) -> np.ndarray:
        """(C, N, d + 1)."""
        return parameters.reshape(self.classes, self.neurons, self.points.shape[1] + 1)

    def error(self, parameters: np.ndarray) -> float:
        """The mean log-loss, without the decay."""
        total = _polynomial(self.table(parameters).reshape(-1, self.points.shape[1] + 1), self.eps)
        loss = self.weights @ total(self.points)
        for c, part in enumerate(self.table(parameters)):
            mine = self.labels == c
            loss -= self.weights[mine] @ _polynomial(part, self.eps)(self.points[mine])
        return float(loss / self.eps / self.weights.sum())

    def __call__(self, parameters: np.ndarray, rows: np.ndarray | slice = _EVERY) -> tuple[float, np.ndarray]:
        """Value and gradient, on the given rows of the data."""
        table = self.table(parameters)
        points, labels, weights = self.points[rows], self.labels[rows], self.weights[rows]
        cotangents = weights / (self.eps * weights.sum())
        total = _polynomial(table.reshape(-1, table.shape[-1]), self.eps)
        values = total(points)
        gradient = pull_back(total, points, values, cotangents).reshape(table.shape)
        loss = cotangents @ values
        for c, part in enumerate(table):
            mine = labels == c
            own = _polynomial(part, self.eps)
            values = own(points[mine])
            loss -= cotangents[mine] @ values
            gradient[c] -= pull_back(own, points[mine], values, cotangents[mine])
        gradient[..., :-1] += 2 * self.decay * table[..., :-1]
        return float(loss + self.decay * (table[..., :-1] ** 2).sum()), gradient.ravel()

"""Training as the paper's code does it: Adam on the squared error of a log-sum-exp layer.

Source: D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
"""

from collections.abc import Callable, Sequence

import numpy as np

from hjsym.training.pull_back import pull_back
from tropical import Polynomial, Semiring

__all__ = ["adam", "loss_and_gradient"]


def adam(
    parameters: Sequence[np.ndarray], gradient: Callable[[], Sequence[np.ndarray]], steps: int, rate: float
) -> None:
    """Move the parameters in place, by so many steps against what `gradient` gives for them."""
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    for step in range(1, steps + 1):
        for p, g, m, s in zip(parameters, gradient(), means, squares, strict=True):
            m += 0.1 * (g - m)
            s += 0.001 * (g**2 - s)
            p -= rate * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8)


def loss_and_gradient(
    x: np.ndarray, target: np.ndarray, W: np.ndarray, b: np.ndarray, eps: float, scale: float = 1.0
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Mean square error of scale·f(x), and its derivatives in W, b and scale.

    ∂f/∂b_j = π_j and ∂f/∂W_j = π_j x.
    """
    layer = Polynomial(W, b, Semiring(eps=eps))
    values = layer(x)
    residual = scale * values - target
    pull = 2 / len(x) * residual
    table = scale * pull_back(layer, x, values, pull)
    return float(np.mean(residual**2)), table[:, :-1], table[:, -1], float(pull @ values)

"""Trains one log-sum-exp layer as a classifier of the UCI digits and writes examples/models/digits-lse.npz.

80 neurons, eight for each class. With Gibbs weights π(x), P(class c | x) = Σ_{j votes for c} π_j(x), so that
log P = f_c − f for the log-sum-exps f_c over the neurons of c and f over all: a difference of convex
functions, maximised over (W, b) by L-BFGS. Run it again with `make train`; takes half a minute.
"""

from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.model_selection import train_test_split

from hjsym.datasets import load_dataset
from hjsym.hopf import LSELayer
from tropical import Polynomial, Semiring

OUTPUT = Path(__file__).parent / "models" / "digits-lse.npz"
CLASSES, PER_CLASS, EPS, DECAY = 10, 8, 0.5, 1e-4
LABELS = np.repeat(np.arange(CLASSES), PER_CLASS)


def objective(parameters: np.ndarray, images: np.ndarray, digits: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of f − f_c plus DECAY·|W|², and its gradient.

    ∂f/∂z_j = π_j, and f_c has the weights of its own neurons, so the gradient in the phases is π − π^c.
    """
    parameters = parameters.reshape(len(LABELS), -1)
    W, b = parameters[:, :-1], parameters[:, -1]
    semiring = Semiring(eps=EPS)
    everyone = Polynomial(W, b, semiring)
    slack = everyone.weights(images)
    loss = everyone(images).sum()
    for c in range(CLASSES):
        mine = digits == c
        votes = np.equal(LABELS, c)
        own = Polynomial(W[votes], b[votes], semiring)
        loss -= own(images[mine]).sum()
        slack[np.ix_(mine, votes)] -= own.weights(images[mine])
    count = len(images)
    gradient = np.column_stack([slack.T @ images, slack.sum(axis=0)]) / count
    gradient[:, :-1] += 2 * DECAY * W
    return loss / count + DECAY * (W**2).sum(), gradient.ravel()


def main() -> None:
    images, digits = load_dataset("digits")
    train, test, train_digits, test_digits = train_test_split(images, digits, test_size=0.25, random_state=0)
    start = np.random.default_rng(0).normal(scale=0.3, size=(len(LABELS), images.shape[1] + 1))
    fit = minimize(
        objective, start.ravel(), (train, train_digits), method="L-BFGS-B", jac=True, options={"maxiter": 500}
    )
    parameters = fit.x.reshape(start.shape)
    layer = LSELayer(parameters[:, :-1], parameters[:, -1], EPS, labels=LABELS)
    accuracy = (layer.class_probabilities(test).argmax(axis=1) == test_digits).mean()
    print(
        f"loss {fit.fun:.4f} after {fit.nit} steps; accuracy on {len(test)} images kept apart: {accuracy:.4f}"
    )
    layer.save(OUTPUT, dataset="digits")
    print(f"wrote {OUTPUT.name}, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

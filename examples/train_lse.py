"""Trains one log-sum-exp layer as a classifier of the UCI digits and writes examples/models/digits-lse.npz.

80 neurons, eight for each class. With Gibbs weights π(x), P(class c | x) = Σ_{j votes for c} π_j(x), so that
ε log P = f_c − f for the log-sum-exps f_c over the neurons of c and f over all: a difference of convex functions,
maximised over (W, b) by L-BFGS. `hjsym.LSEClassifier` does the same on standardised inputs; here pixels are left as
they are, so that weights can be compared between pixels. Run it again with `make train`; takes seconds.
"""

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from hjsym.datasets import load_dataset
from hjsym.hopf import LSELayer
from hjsym.training.descent import Watch, lbfgs
from hjsym.training.objectives import LogLoss

OUTPUT = Path(__file__).parent / "models" / "digits-lse.npz"
CLASSES, PER_CLASS, EPS, DECAY = 10, 8, 0.5, 2e-4


def main() -> None:
    images, digits = load_dataset("digits")
    train, test, train_digits, test_digits = train_test_split(images, digits, test_size=0.25, random_state=0)
    loss = LogLoss(train, train_digits, np.ones(len(train)), CLASSES, PER_CLASS, EPS, DECAY)
    start = np.random.default_rng(0).normal(scale=0.3, size=(CLASSES * PER_CLASS, images.shape[1] + 1))
    watch = Watch()
    parameters = lbfgs(loss, start.ravel(), watch, max_iter=500, tol=1e-5).parameters.reshape(start.shape)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    layer = LSELayer(parameters[:, :-1], parameters[:, -1], EPS, labels=labels)
    accuracy = (layer.class_probabilities(test).argmax(axis=1) == test_digits).mean()
    print(
        f"loss {watch.losses[-1]:.4f} after {len(watch.losses)} steps; accuracy on {len(test)} images kept apart: "
        f"{accuracy:.4f}"
    )
    layer.save(OUTPUT, dataset="digits")
    print(f"wrote {OUTPUT.name}, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

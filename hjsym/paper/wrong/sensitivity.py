"""Counterexample: raising ε does not reduce sensitivity at every point, nor at most points of trained layers."""

import math

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.paper.row import Outcome, Row, Study, at_least, near, shown
from hjsym.paper.rows.hessians import split, trained_on_images
from hjsym.robustness import hessian_norm

__all__ = ["SENSITIVITY"]


def smoothing_is_not_monotone(study: Study) -> Outcome:
    """f″ beside a tie, then the curvature of layers trained on digits at digits that they have not seen."""
    temperatures = (0.1, 0.3, 1.0)
    beside = [
        float(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps).polynomial.hessian([1.0])[0, 0])
        for eps in temperatures
    ]
    closed = [1 / (eps * math.cosh(1 / eps) ** 2) for eps in temperatures]
    x, labels, unseen, _ = split("digits", 50, study.fast, study.rng)
    layers = [trained_on_images(x, labels, eps, 200 if study.fast else 1000, study.rng) for eps in (0.1, 0.3)]
    cold, warm = (hessian_norm(layer, unseen) for layer in layers)
    rows = [
        near(f"f″(1) of ε log 2cosh(x/ε), ε = {eps:g}", exact, found, 1e-12, "sech²(1/ε)/ε")
        for eps, found, exact in zip(temperatures, beside, closed, strict=True)
    ]
    return Outcome((
        *rows,
        at_least("f″(1) at ε = .3 over ε = .1", 1e3, beside[1] / beside[0],
                 "it rises, since the kink’s width reaches x = 1"),
        at_least("digits, N = 128: share of unseen images where ‖∇²f‖ is larger at ε = .3 than at .1", 0.5,
                 (warm > cold).mean(), "most of them"),
        at_least("the same: median at ε = .3 over that at .1", 1.5, np.median(warm) / np.median(cold), "it rises"),
        shown("the same: maximum at ε = .3 over that at .1", warm.max() / cold.max(),
              "the bound falls as 1/ε, and so may this"),
    ))  # fmt: skip


SENSITIVITY = Row(
    "wrong-07-sensitivity", "7. Raising ε reduces sensitivity",
    "two neurons ±x; digits, 50 principal components, N = 128",
    smoothing_is_not_monotone, 0.5,
    claim="Raising ε monotonically reduces the sensitivity ‖∇²f‖.",
    truth="The bound diam(W)²/4ε falls. The norm itself does not, at most points: away from a tie it rises until the "
    "kink has become as wide as the distance to it. f and H are monotone in ε.",
)  # fmt: skip

"""Counterexamples about sensitivity and attribution: monotone smoothing, and when one neuron dominates."""

import math

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.paper.row import Outcome, Row, Study, near, shown
from tropical import Polynomial, Semiring

__all__ = ["DOMINANCE"]


def dominance_is_not_distance(study: Study) -> Outcome:
    """Both atoms are farther than √(2εt) from x, and neither dominates; the gap over ε decides."""
    eps, t = 0.1, 1.0
    layer = LSELayer.from_initial_data([-1.0, 1.0], [0.0, 0.0], eps, t)
    weights = layer.polynomial.weights([0.0])
    gaps = np.array([0.5, 1.0, 2.0, 4.0]) * eps * math.log(2)
    tops = [Polynomial([[0.0], [0.0]], [0.0, -gap], Semiring(eps=eps)).weights([0.0])[0] for gap in gaps]
    rows = [
        shown("√(2εt), the paper’s radius", math.sqrt(2 * eps * t), "both atoms are at distance 1"),
        near("largest weight at x = 0", 0.5, float(weights.max()), 0.0, "a tie, exactly"),
    ]
    why = "1/(1 + e^(−Δ/ε)): dominance begins where Δ/ε exceeds log N"
    for gap, top in zip(gaps, tops, strict=True):
        what = f"top weight at a gap Δ = {gap / (eps * math.log(2)):g} ε log N, N = 2"
        rows.append(near(what, 1 / (1 + math.exp(-gap / eps)), top, 1e-15, why))
    return Outcome(tuple(rows))


DOMINANCE = Row(
    "wrong-12-dominance", "12. A dominant neuron outside √(2εt)", "y = ±1, x = 0, ε = .1, t = 1",
    dominance_is_not_distance,
    claim="Outside of the radius √(2εt) of the transition one neuron dominates.",
    truth="y = ±1, x = 0, ε = .1 gives weights (½, ½) at distance 1 > .447. What counts is the gap Δ between the two "
    "largest terms: Δ/ε against log N.",
)  # fmt: skip

"""Counterexamples about trained layers: what a scaling law with prescribed ε measures, and recovery."""

import math

import numpy as np
from scipy.integrate import quad

from hjsym.hopf import LSELayer
from hjsym.paper.row import Outcome, Row, Study, at_most, near
from hjsym.paper.rows.training import misfit
from hjsym.scaling import two_neuron_loss

__all__ = ["RECOVERY", "TRAINED_LAW"]


def two_neurons_follow_the_law(study: Study) -> Outcome:
    """The error of ε log 2cosh(x/ε), two neurons, against |x| on U(−2, 2), with ε = 1/N as prescribed."""
    sizes = (10, 25, 50, 100, 200, 500)
    errors = [_two_neuron_error(1 / n) for n in sizes]
    exponent = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    constant = float(two_neuron_loss(1.0))
    return Outcome((
        near("error of two neurons at ε = .002, over ε^(3/2)", 0.274, errors[-1] / sizes[-1] ** -1.5, 5e-4,
             "√ζ(3)/4 = .274096…; three digits are given"),
        near("the same against √ζ(3)/4", constant, errors[-1] / sizes[-1] ** -1.5, 1e-9,
             "∫₀^∞ log²(1 + e^(−s)) ds = ζ(3)/4"),
        near("fitted exponent in “N” of two neurons, ε = 1/N", 1.5, exponent, 1e-6,
             "3/2: steeper than the law, though no neuron was ever added"),
    ))  # fmt: skip


def _two_neuron_error(eps: float) -> float:
    """Root mean square of ε log(e^{x/ε} + e^{−x/ε}) − |x| over U(−2, 2)."""
    layer = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps)

    def square(s: float) -> float:
        return float(layer.polynomial.excess([eps * s])) ** 2

    integral = (
        quad(square, 0, 2, epsabs=0, epsrel=1e-12)[0]
        + quad(square, 2, min(2 / eps, 40), epsabs=0, epsrel=1e-12)[0]
    )
    return math.sqrt(eps * integral / 2)


TRAINED_LAW = Row(
    "wrong-06-trained-law", "6. Trained networks obey N^(−1/d)", "f = |x| on U(−2, 2), ε = 1/N",
    two_neurons_follow_the_law,
    claim="Trained layers follow the scaling law N^(−1/d), as theory predicts.",
    truth="ε is prescribed as N^(−1/d), and the error follows ε. Two neurons, whatever N, give .274 ε^(3/2). With ε "
    "fixed the error is flat in N (see the trained scaling law).",
)  # fmt: skip


def recovery_does_not_improve(study: Study) -> Outcome:
    """Ten neurons for eight atoms: two are duplicates. The function is the same, the data read off it are not."""
    y = np.linspace(-2, 2, 8)
    x = np.linspace(-2.4, 2.4, 400)[:, None]
    rows = []
    for eps in (0.5, 0.1, 0.04):
        exact = LSELayer.from_initial_data(y, np.abs(y), eps)
        twice = [2, 5]
        b = exact.b.copy()
        b[twice] -= eps * math.log(2)
        student = LSELayer(np.append(exact.W, exact.W[twice], axis=0), np.append(b, b[twice]), eps)
        rows.append(at_most(f"sup |student − teacher|, ε = {eps:g}", 1e-15, np.abs(student(x) - exact(x)).max(),
            "the same function; rounding"))  # fmt: skip
        rows.append(near(f"max |g − |y|| as read off, ε = {eps:g}", eps * math.log(2), misfit(student), 1e-14,
            "ε log 2 at each duplicate: it falls with ε, for no merit of a small ε"))  # fmt: skip
        merged = student.polynomial.merge()
        clean = misfit(LSELayer(merged.slopes, merged.coefficients, eps))
        rows.append(at_most(f"max |g − |y|| after merging, ε = {eps:g}", 1e-14, clean,
            "equal slopes are ⊕_ε-added; rounding"))  # fmt: skip
    return Outcome(tuple(rows))


RECOVERY = Row(
    "wrong-08-recovery", "8. Recovery improves as ε → 0", "g = |y|, 8 atoms in [−2, 2], N = 10",
    recovery_does_not_improve,
    claim="The initial data recovered from a trained network approach the truth as ε → 0.",
    truth="A neuron that occurs k times has its g raised by ε log k. That is what falls with ε. Once duplicates are "
    "merged recovery is as good at ε = .5 as at .04.",
)  # fmt: skip

"""Recurrences over the log-semiring, u⁺ = A ⊗_ε u: hidden Markov models, log-space state-space models, spiking cells.

Every entry of u⁺ is a log-sum-exp of entries of u, and so a plane-wave solution; the steps compose as matrices
do, a semigroup that is exact at every ε and Viterbi's at ε = 0.

Source for the cell: Miñoza, arXiv:2602.11206 (2026), the leaky integrate-and-fire neuron in log form.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hjsym.hopf import LSELayer
from hjsym.systems.system import HJSystem
from hjsym.systems.waves import log_sum_exp, maximum
from tropical import Polynomial, Semiring
from tropical.errors import InputError, ShapeError

__all__ = ["integrate_and_fire", "log_semiring_step"]


def log_semiring_step(A: ArrayLike, eps: float) -> list[HJSystem]:
    """The systems of u⁺_i = ε log Σ_j exp((A_ij + u_j)/ε), one a row of A (m, n); −∞ in A is no transition.

    >>> systems = log_semiring_step([[0.0, 1.0], [-2.0, 0.0]], eps=0.5)
    >>> len(systems), systems[0].label
    (2, 'exact')
    """
    A = np.asarray(A, dtype=float)
    if A.ndim != 2 or np.isnan(A).any() or (np.inf == A).any():
        raise ShapeError(f"A has shape {A.shape}; pass a matrix (m, n) of numbers below +∞")
    if (-np.inf == A).all(axis=1).any():
        raise InputError("a row of A is −∞: nothing leads to that state; leave it out")
    return [_of_row(row, eps) for row in A]


def integrate_and_fire(tau: float, eps: float) -> HJSystem:
    """The leaky integrate-and-fire membrane V⁺ = ε log(e^{(V + log τ)/ε} + e^{I/ε}), in x1 = V and x2 = I.

    >>> integrate_and_fire(tau=0.5, eps=1.0).label
    'exact'
    """
    if not (math.isfinite(tau) and tau > 0):
        raise InputError(f"tau is {tau}; pass a decay factor > 0")
    return _of_row(np.array([math.log(tau), 0.0]), eps)


def _of_row(row: np.ndarray, eps: float) -> HJSystem:
    there = np.flatnonzero(row > -np.inf)
    slopes, offsets = np.eye(len(row))[there], row[there]
    if eps == 0:
        return maximum(Polynomial(slopes, offsets, Semiring()))
    return log_sum_exp(LSELayer(slopes, offsets, eps))

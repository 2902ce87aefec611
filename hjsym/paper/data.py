"""Data of the paper's experiments, with the parameters of its public code (arXiv:2605.28983)."""

import numpy as np

from hjsym.hopf import LSELayer

__all__ = ["CORE_ATOMS", "CORE_DATA", "SIX_ATOMS", "core_layer", "two_clusters"]

CORE_ATOMS = np.array([-1.5, -0.5, 0.5, 1.5])
CORE_DATA = np.array([1.0, 0.3, 0.3, 1.0])
SIX_ATOMS = np.array([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])  # of the project page: weights ∝ exp(−(x − y)²/2ε)


def core_layer(eps: float) -> LSELayer:
    """The layer of the identity check: four atoms at time 1."""
    return LSELayer.from_initial_data(CORE_ATOMS, CORE_DATA, eps, t=1.0)


def two_clusters() -> tuple[np.ndarray, np.ndarray]:
    """Atoms y (16, 2) and values g (16,): eight around (−1, −1) with g = 0, eight around (1, 1) with g = 1, sd 0.4.

    The paper draws them with NumPy's legacy generator, seed 42.
    """
    generator = np.random.RandomState(42)
    first = generator.standard_normal((8, 2)) * 0.4 - 1.0
    second = generator.standard_normal((8, 2)) * 0.4 + 1.0
    return np.vstack([first, second]), np.repeat([0.0, 1.0], 8)

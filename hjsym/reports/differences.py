"""Where gradients are held against differences of values."""

import numpy as np

__all__ = ["STEP", "nearby"]

STEP = 1e-6  # relative to the size of the point


def nearby(x: np.ndarray) -> np.ndarray:
    """A point close to x that is on no bend, unless by bad luck."""
    return x + 1e-3 * np.maximum(np.abs(x), 1) * np.random.default_rng(0).uniform(-1, 1, x.shape)

"""Quadrature by a normalised layer: its error against the number of atoms, on grids with or without their end points."""

import math

import numpy as np

from hjsym.hopf import LSELayer

__all__ = ["QUADRATURE_SIZES", "evaluation_points", "exact_layer", "grid", "normalised_layer", "slope"]

# Points along each axis, by dimension, as in the paper's code.
QUADRATURE_SIZES = {
    1: (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048), 2: (3, 5, 8, 12, 18, 28, 40, 60), 4: (2, 3, 4, 5, 6, 7, 9, 12, 15),
}  # fmt: skip


def slope(sizes, errors) -> float:
    """The exponent of a power law, by least squares in logarithms."""
    return float(np.polyfit(np.log(np.asarray(sizes, float)), np.log(errors), 1)[0])


def evaluation_points(d: int, seed: int) -> np.ndarray:
    """400 points of [−1.5, 1.5]^d; the paper's code takes the seeds 100 + d and 200 + d."""
    return np.random.default_rng(seed).uniform(-1.5, 1.5, (400, d))


def grid(d: int, n: int, midpoints: bool) -> np.ndarray:
    """n^d points of [−2, 2]^d: the mid points of n cells along each axis, or n with both ends."""
    axis = -2 + 4 * (np.arange(n) + 0.5) / n if midpoints else np.linspace(-2, 2, n)
    return np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)


def normalised_layer(x: np.ndarray, y: np.ndarray, g: np.ndarray, eps: float) -> np.ndarray:
    """ε log of the mean of exp((W_j·x + b_j)/ε), W and b from atoms y with values g at time 1."""
    return LSELayer.from_initial_data(y, g, eps)(x) - eps * math.log(len(y))


def exact_layer(x: np.ndarray, eps: float = 1.0) -> np.ndarray:
    """The limit of the normalised layer for g = |y| on [−2, 2]^d, by Gauss–Legendre rules on each side of 0."""
    d = x.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss({1: 60, 2: 40, 4: 10}[d])
    axis, weight = np.concatenate([nodes - 1, nodes + 1]), np.tile(weights, 2) / 4
    y = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)
    log_weights = sum(np.meshgrid(*[np.log(weight)] * d, indexing="ij")).ravel()
    return LSELayer.from_initial_data(y, np.linalg.norm(y, axis=1) - eps * log_weights, eps)(x)

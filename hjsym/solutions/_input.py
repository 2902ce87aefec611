"""What the solvers share of checking times, metrics and grids."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tropical.errors import InputError, ShapeError

__all__ = ["as_even_nodes", "as_metric", "positive_numbers"]


def positive_numbers(**numbers: float) -> list[float]:
    """The numbers as floats, each finite and > 0."""
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value}; pass a finite number > 0")
    return [float(v) for v in numbers.values()]


def as_metric(A: ArrayLike | None, d: int) -> np.ndarray:
    """A of H(p) = κ pᵀAp, symmetric and positive definite; the identity for None."""
    if A is None:
        return np.eye(d)
    A = np.asarray(A, dtype=float)
    if A.shape != (d, d):
        raise ShapeError(f"A has shape {A.shape}; pass ({d}, {d})")
    if not np.isfinite(A).all() or (A != A.T).any() or np.linalg.eigvalsh(A).min() <= 0:
        raise InputError("A is not symmetric and positive definite; u_t + κ∇uᵀA∇u needs a convex Hamiltonian")
    return A


def as_even_nodes(
    x: ArrayLike | Sequence[ArrayLike], least: int = 2
) -> tuple[tuple[np.ndarray, ...], list[float]]:
    """The nodes of each axis, ascending at even distances, and those; an array of numbers is one axis."""
    x = [x] if np.ndim(x[0]) == 0 else list(x)
    x = tuple(np.asarray(a, dtype=float) for a in x)
    if not all(a.ndim == 1 and len(a) >= least for a in x):
        raise ShapeError(f"x has shapes {[a.shape for a in x]}; pass at least {least} nodes for each axis")
    for k, a in enumerate(x):
        h = (a[-1] - a[0]) / (len(a) - 1)
        if not (h > 0 and np.abs(np.diff(a) - h).max() <= 1e-9 * h + 1e-15 * np.abs(a).max()):
            raise InputError(f"the nodes of axis {k} are not ascending at even distances; use np.linspace")
    return x, [float((a[-1] - a[0]) / (len(a) - 1)) for a in x]

"""What functions of a square matrix over a semiring ask of it before work starts."""

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_array, is_exact, refuse_where
from tropical.errors import InputError, ShapeError
from tropical.semiring import Semiring, check_semiring

__all__ = ["as_entries", "as_square", "identity", "need_tropical", "round_to", "shrunk"]

_LEAST, _LARGEST = 1e-290, 1e290  # at eps > 0: sums over paths, 1/eps and eps times a logarithm stay finite


def as_entries(name: str, A: ArrayLike, semiring: Semiring) -> np.ndarray:
    """An array without NaN and without the infinity that is not the semiring's zero."""
    check_semiring(semiring)
    A = as_array(name, A)
    if is_exact(A) and not semiring.is_tropical:
        raise InputError(
            f"{name} is exact and eps = {semiring.eps:g}: log-sum-exp is transcendental; pass floats"
        )
    with np.errstate(invalid="ignore"):  # NaN among Fractions
        bad = ~np.less(semiring.sign * A, np.inf)  # NaN fails every comparison
    if bad.any():
        need = f"pass finite entries, and {semiring.zero} for the zero of {semiring} (no edge)"
        refuse_where(np.asarray(bad), name, A, need)
    if not semiring.is_tropical:
        _check_range(name, A, semiring.eps)
    return A


def _check_range(name: str, A: np.ndarray, eps: float) -> None:
    if not _LEAST <= eps <= _LARGEST:
        raise InputError(
            f"eps is {eps:g}, outside [{_LEAST:g}, {_LARGEST:g}]; rescale {name} and eps together"
        )
    large = np.isfinite(A) & (np.abs(A.astype(np.float64)) > _LARGEST)
    if large.any():
        refuse_where(large, name, A, f"at eps > 0 pass |entries| <= {_LARGEST:g}, or rescale {name} and eps")


def as_square(A: ArrayLike, semiring: Semiring, *, batched: bool = False) -> np.ndarray:
    """Entries as above, of shape (n, n), or (..., n, n) with `batched`."""
    A = as_entries("A", A, semiring)
    if A.ndim < 2 or A.shape[-1] != A.shape[-2] or (A.ndim > 2 and not batched):
        need = "square matrices, of shape (..., n, n)" if batched else "one square matrix, of shape (n, n)"
        raise ShapeError(f"A has shape {A.shape}; pass {need}")
    return A


def need_tropical(what: str, semiring: Semiring, hint: str) -> None:
    if not semiring.is_tropical:
        raise InputError(f"{what} needs eps = 0, got {semiring.eps:g}; {hint}")


def identity(n: int, dtype: np.dtype, semiring: Semiring) -> np.ndarray:
    """The unit 0 on the diagonal, the zero elsewhere."""
    I = np.full((n, n), semiring.zero, dtype)  # noqa: E741 - its name in every formula
    np.fill_diagonal(I, round_to(dtype, 0))
    return I


def round_to(dtype: np.dtype, value):
    """A scalar of `dtype` nearest to a rational or an infinity; exact values stay."""
    if dtype != EXACT:
        try:
            value = float(value)
        except OverflowError:  # of a Fraction
            value = np.inf if value > 0 else -np.inf
        with np.errstate(over="ignore"):
            return dtype.type(value)
    if isinstance(value, float) and not np.isfinite(value):
        return value
    return as_array("value", np.array(value, dtype=object))[()]


def shrunk(A: np.ndarray) -> tuple[np.ndarray, float]:
    """A times a power of two such that sums over paths of floats do not overflow, and that power."""
    if is_exact(A) or not A.size:
        return A, 1.0
    factor = 2.0**-20  # paths have fewer arcs
    largest = np.abs(A, where=np.isfinite(A), out=np.zeros_like(A)).max()
    return (A * A.dtype.type(factor), factor) if largest > np.finfo(A.dtype).max * factor else (A, 1.0)

"""Normalises what describes a grid: values, axes, spacings, nodes, and the lines along an axis."""

import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_array, convert, is_exact, refuse_where
from tropical.errors import InputError, ShapeError

__all__ = [
    "as_axes",
    "as_grid",
    "as_lines",
    "as_node_arrays",
    "as_nodes",
    "as_spacings",
    "positive",
    "weight",
]


def as_lines(a: np.ndarray | None, axis: int) -> np.ndarray | None:
    """A view of shape (outer, length, inner) with `axis` in the middle."""
    if a is None:
        return None
    return a.reshape(math.prod(a.shape[:axis]), a.shape[axis], math.prod(a.shape[axis + 1 :]))


def positive(name: str, value: float | Fraction, exact: bool = False) -> float | Fraction:
    """A finite number > 0: a float, or a Fraction if `exact`."""
    try:
        number = convert(np.array(value, dtype=object).reshape(1), EXACT)[0] if exact else float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {value!r}; pass a positive number") from None
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{name} is {value!r}; pass a finite number > 0")
    return number


def weight(step: float | Fraction, scale: float | Fraction) -> float | Fraction:
    """step²/scale, in range if they are floats."""
    if isinstance(step, Fraction) and isinstance(scale, Fraction):
        return step * step / scale
    w = step * step / scale if scale > 0 else math.inf
    if not (math.isfinite(w) and w >= np.finfo(float).tiny):
        raise InputError(
            f"spacing²/(4 kappa t) = {step!r}²/{scale!r} leaves the range of doubles; rescale x and t"
        )
    return w


def as_grid(f: ArrayLike) -> np.ndarray:
    f = as_array("f", f)
    if f.ndim == 0:
        raise ShapeError("f is a scalar; pass values on a grid, shape (n,) or more")
    return f


def as_axes(axes: int | Sequence[int] | None, f: np.ndarray) -> tuple[int, ...]:
    """Distinct axes >= 0, in the order given."""
    if axes is None:
        return tuple(range(f.ndim))
    chosen = (axes,) if isinstance(axes, Integral) else tuple(axes)
    if not chosen:
        raise InputError("axes is empty: nothing to transform; pass axes, or None for all of them")
    for axis in chosen:
        if not (isinstance(axis, Integral) and -f.ndim <= axis < f.ndim):
            raise ShapeError(
                f"axis {axis!r} of an f of shape {f.shape}; pass axes from {-f.ndim} to {f.ndim - 1}"
            )
    normal = tuple(int(axis) % f.ndim for axis in chosen)
    if len(set(normal)) < len(normal):
        raise InputError(f"axes {chosen} name an axis of shape {f.shape} twice; pass each once")
    return normal


def as_spacings(spacing: float | Sequence[float], axes: tuple[int, ...], exact: bool = False) -> list:
    """One for each axis."""
    if np.ndim(spacing) == 0:
        return [positive("spacing", spacing, exact)] * len(axes)
    if np.shape(spacing) != (len(axes),):
        raise ShapeError(
            f"spacing has shape {np.shape(spacing)} for {len(axes)} axes; pass one number, or one for each"
        )
    return [positive("spacing", h, exact) for h in spacing]


def as_node_arrays(x, axes: tuple[int, ...], f: np.ndarray) -> list[np.ndarray]:
    single = len(axes) == 1 and not (isinstance(x, Sequence) and len(x) == 1 and np.ndim(x[0]) == 1)
    arrays = [x] if single else list(x)
    if len(arrays) != len(axes):
        raise ShapeError(f"x has {len(arrays)} arrays of nodes for {len(axes)} axes; pass one for each")
    return [
        as_nodes("x" if single else f"x[{k}]", a, f.shape[axis], strict=True)
        for k, (a, axis) in enumerate(zip(arrays, axes, strict=True))
    ]


def as_nodes(name: str, x: ArrayLike, length: int | None, strict: bool) -> np.ndarray:
    """Finite, (strictly) increasing, float64 or exact."""
    x = as_array(name, x)
    x = x if is_exact(x) else np.ascontiguousarray(x, dtype=np.float64)
    if x.ndim != 1 or (length is not None and len(x) != length):
        needed = "(m,)" if length is None else f"({length},)"
        raise ShapeError(f"{name} has shape {x.shape}; pass shape {needed}")
    finite = np.array([isinstance(v, Fraction) for v in x], bool) if is_exact(x) else np.isfinite(x)
    refuse_where(~finite, name, x, "pass finite numbers")
    wrong = np.flatnonzero(x[1:] <= x[:-1] if strict else x[1:] < x[:-1])
    if wrong.size:
        k = int(wrong[0])
        kind = "strictly increasing" if strict else "non-decreasing"
        raise InputError(
            f"{name}[{k}] = {x[k]!s}, {name}[{k + 1}] = {x[k + 1]!s}; pass {kind} numbers (sort them)"
        )
    return x

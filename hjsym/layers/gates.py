"""Layers that bend: piecewise-linear functions of one variable, and maxima; both have soft versions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.layers.base import Layer, as_index, finite, scalar, temperature
from tropical import Semiring
from tropical._arrays import is_exact
from tropical.errors import InputError, ShapeError

__all__ = [
    "LeakyRelu",
    "LogSumExp",
    "Maximum",
    "PiecewiseLinear",
    "Relu",
    "Softplus",
    "absolute",
    "clip",
    "prelu",
    "softshrink",
]


@dataclass(frozen=True, eq=False)
class PiecewiseLinear(Layer):
    """Entry by entry a continuous piecewise-linear function of one variable.

    f(z) = slopes[0]·z + intercept + Σ_k (slopes[k+1] − slopes[k]) · max(z − breaks[k], 0)

    Parameters
    ----------
    breaks : (k,) or (k, n) array
        Where f bends, in ascending order; the same for all entries, or one column for each.
    slopes : (k + 1,) or (k + 1, n) array
        Of the pieces from left to right.
    intercept : number or (n,) array
        Where the leftmost line meets z = 0.
    eps : float
        Temperature of the maxima: above 0 each is ε log(1 + e^{(z − break)/ε}).
    label : str
        A name to print.

    Examples
    --------
    >>> relu6 = PiecewiseLinear([0, 6], [0, 1, 0], 0)
    >>> relu6(np.array([-1.0, 2.5, 7.0]))
    array([0. , 2.5, 6. ])
    >>> relu6.bends.ravel(), relu6.intercepts.ravel(), relu6.parameters
    (array([ 1., -1.]), array([0., 0., 6.]), 0)
    >>> relu6.pieces(np.array([2.5, 7.0])), relu6.tangent(np.array([2.5]))
    ((array([1., 0.]), array([0., 6.])), (array([1.]), array([0.])))
    >>> relu6.deform(0.1)(np.array([0.0])).round(4)
    array([0.0693])
    """

    breaks: ArrayLike
    slopes: ArrayLike
    intercept: ArrayLike = 0.0
    eps: float = 0.0
    label: str = ""

    def __post_init__(self):
        if not isinstance(self.label, str) or not self.label.isprintable() or len(self.label) > 80:
            raise InputError(f"the label is {self.label!r:.90}; pass a short text that can be printed")
        breaks, slopes, intercept = finite(breaks=self.breaks, slopes=self.slopes, intercept=self.intercept)
        shapes = breaks.shape, slopes.shape, intercept.shape
        units = {shape[1:] for shape in shapes[:2]} | {shapes[2]}
        if breaks.ndim not in (1, 2) or len(slopes) != len(breaks) + 1 or len(units - {(), (1,)}) > 1:
            raise ShapeError(
                f"breaks, slopes and intercept have shapes {shapes[0]}, {shapes[1]}, {shapes[2]}; "
                "pass (k,), (k + 1,) and () for all entries alike, or (k, n), (k + 1, n) and (n,)"
            )
        n = max((shape[0] for shape in units if shape), default=1)
        breaks, slopes = (
            np.broadcast_to(a if a.ndim == 2 else a[:, None], (len(a), n)) for a in (breaks, slopes)
        )
        if (breaks[1:] < breaks[:-1]).any():
            raise InputError("breaks do not ascend; sort them, and slopes from left to right with them")
        self._set(
            breaks=breaks,
            slopes=slopes,
            intercept=np.broadcast_to(intercept, (n,)),
            eps=temperature(self, self.eps),
        )

    @property
    def bends(self) -> np.ndarray:
        """How much the slope grows at each break."""
        return self.slopes[1:] - self.slopes[:-1]

    @property
    def intercepts(self) -> np.ndarray:
        """Where the line of each piece meets z = 0; one row a piece."""
        steps = -self.bends * self.breaks
        return np.concatenate([self.intercept[None], self.intercept + np.add.accumulate(steps, axis=0)])

    @property
    def parameters(self) -> int:
        return self.slopes.size if self.slopes.shape[1] > 1 else 0

    def output_size(self, *sizes: int) -> int:
        if self.slopes.shape[1] not in (1, sizes[0]):
            raise ShapeError(f"{self} has {self.slopes.shape[1]} units but {sizes[0]} values come in")
        return sizes[0]

    def pieces(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slope and intercept of the piece that each entry of x lies on, the left one at a break."""
        lines = self.intercepts
        slope, intercept = (np.broadcast_to(a[0], x.shape) for a in (self.slopes, lines))
        for k, place in enumerate(self.breaks):
            right = x > place
            slope = np.where(right, self.slopes[k + 1], slope)
            intercept = np.where(right, lines[k + 1], intercept)
        return slope, intercept

    def tangent(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slope and intercept of the tangent at each entry of x: at ε = 0 of the piece, the left one at a break."""
        slope, intercept = self.pieces(x)
        if self.eps == 0:
            return slope, intercept
        value = self(x)
        for bend, place in zip(self.bends, self.breaks, strict=True):
            share = self._exponential(x - place)
            slope = slope + np.where(x > place, -bend, bend) * (share / (1 + share))
        return slope, value - slope * x

    def _exponential(self, gap: np.ndarray) -> np.ndarray:
        if is_exact(gap):
            raise InputError(f"{self} over Fractions: exponentials are transcendental; use floats")
        with np.errstate(over="ignore"):  # eps may be tiny
            return np.exp(-abs(gap) / self.eps)

    def __call__(self, x):
        slope, intercept = self.pieces(x)
        value = x * slope + intercept
        if (
            self.eps
        ):  # how far each soft maximum lies above the hard one; bends that cancel far out never meet
            for bend, place in zip(self.bends, self.breaks, strict=True):
                value = value + bend * (self.eps * np.log1p(self._exponential(x - place)))
        return value

    def deform(self, eps: float) -> Layer:
        if eps == self.eps:
            return self
        label = self.label or type(self).__name__
        return PiecewiseLinear(self.breaks, self.slopes, self.intercept, eps, label)

    def __str__(self) -> str:
        return (self.label or type(self).__name__) + (f" eps {self.eps:g}" if self.eps else "")


class Relu(PiecewiseLinear):
    """x ↦ max(x, 0).

    >>> Relu()(np.array([-1.0, 2.0])), Relu().deform(0.5).eps
    (array([0., 2.]), 0.5)
    """

    def __init__(self):
        super().__init__([0], [0, 1])

    def __call__(self, x):
        return np.maximum(x, 0)

    def deform(self, eps):
        return Softplus(eps) if eps else self

    def arguments(self):
        return {}


class LeakyRelu(PiecewiseLinear):
    """x ↦ x for x > 0 and slope · x otherwise, for any real slope.

    >>> LeakyRelu(0.1)(np.array([-2.0, 3.0])), float(LeakyRelu(0.1).slope)
    (array([-0.2,  3. ]), 0.1)
    """

    def __init__(self, slope: float = 0.01):
        slope = scalar("slope of LeakyRelu", slope)
        super().__init__([0], np.array([slope[()], slope[()] * 0 + 1]))

    @property
    def slope(self):
        """That of the left side."""
        return self.slopes[0, 0]

    def arguments(self):
        return {"slope": self.slope}

    def __str__(self) -> str:
        return f"LeakyRelu slope {float(self.slope):g}"


class Softplus(PiecewiseLinear):
    """x ↦ ε log(1 + e^{x/ε}).

    >>> Softplus(0.1)(np.array([-1.0, 0.0, 1.0])).round(6), Softplus().deform(0.1).arguments()
    (array([5.000000e-06, 6.931500e-02, 1.000005e+00]), {'eps': 0.1})
    """

    def __init__(self, eps: float = 1.0):
        super().__init__([0], [0, 1], eps=_positive(self, eps))

    def __call__(self, x):
        return Semiring(eps=self.eps).add(x, 0.0)

    def deform(self, eps):
        return Softplus(eps) if eps else Relu()

    def arguments(self):
        return {"eps": self.eps}


def absolute() -> PiecewiseLinear:
    """x ↦ |x|.

    >>> absolute()(np.array([-3.0, 2.0]))
    array([3., 2.])
    """
    return PiecewiseLinear([0], [-1, 1], label="Abs")


def clip(low: float = -np.inf, high: float = np.inf) -> Layer:
    """x ↦ min(max(x, low), high): ReLU6, hardtanh, one-sided clips.

    >>> clip(-1, 1)(np.array([-3.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    if not low <= high or low == np.inf or high == -np.inf:
        raise InputError(f"clip to [{low}, {high}]; the lower bound must be finite or -inf and the smaller")
    label = f"Clip {float(low):g} … {float(high):g}"
    below, above = low > -np.inf, high < np.inf
    breaks = [v for v, there in ((low, below), (high, above)) if there]
    slopes = [0] * below + [1] + [0] * above
    return PiecewiseLinear(breaks, slopes, low if below else 0, label=label)


def prelu(slopes: ArrayLike) -> PiecewiseLinear:
    """x ↦ x for x > 0 and slope · x otherwise, with a slope for each entry.

    Parameters
    ----------
    slopes : (n,) array
        Of the left sides, one for each entry.

    Returns
    -------
    PiecewiseLinear

    Examples
    --------
    >>> prelu([0.5, -1.0])(np.array([-2.0, -2.0]))
    array([-1.,  2.])
    """
    slopes = np.asarray(slopes)
    return PiecewiseLinear(np.zeros((1, len(slopes))), np.stack([slopes, slopes * 0 + 1]), label="PRelu")


def softshrink(width: float) -> PiecewiseLinear:
    """x ↦ x moved towards 0 by `width`, and 0 within it.

    >>> softshrink(1.0)(np.array([-3.0, 0.5, 3.0]))
    array([-2.,  0.,  2.])
    """
    return PiecewiseLinear([-width, width], [1, 0, 1], width, label=f"Softshrink {float(width):g}")


@dataclass(frozen=True, eq=False)
class Maximum(Layer):
    """x ↦ max of x over each group, at temperature `eps`: pools, maxout, reductions.

    Parameters
    ----------
    groups : (outputs, k) array of int, optional
        The entries of each group; one group of all by default. An entry may repeat, to fill up a smaller
        group; at eps > 0 it then counts as often.
    eps : float
        0 takes the maximum, above it ε log Σ e^{x/ε}.

    Examples
    --------
    >>> pool = Maximum([[0, 1], [2, 3]])
    >>> pool(np.array([1.0, 5.0, 2.0, 0.0])), pool.output_size(4), pool.members(4).tolist()
    (array([5., 2.]), 2, [[0, 1], [2, 3]])
    >>> pool.deform(1.0).shares(np.array([0.0, 0.0, 0.0, 1.0])).round(4)
    array([[0.5   , 0.5   ],
           [0.2689, 0.7311]])
    """

    groups: ArrayLike | None = None
    eps: float = 0.0

    def __post_init__(self):
        if self.groups is not None:
            groups = as_index("groups", self.groups)
            if groups.ndim != 2 or not groups.shape[1]:
                raise ShapeError(f"groups have shape {groups.shape}; pass (outputs, k) with k ≥ 1")
            self._set(groups=groups)
        self._set(eps=temperature(self, self.eps))

    def output_size(self, *sizes: int) -> int:
        if self.groups is None:
            return 1
        if self.groups.max(initial=-1) >= sizes[0]:
            raise ShapeError(f"groups reach entry {self.groups.max()} but {sizes[0]} values come in")
        return len(self.groups)

    def members(self, size: int) -> np.ndarray:
        """The groups, spelled out for an input of this size."""
        return np.arange(size)[None] if self.groups is None else self.groups

    def shares(self, x: np.ndarray) -> np.ndarray:
        """Gibbs weights within each group at eps > 0, (..., outputs, k)."""
        members = x[..., self.members(x.shape[-1])]
        with np.errstate(over="ignore"):
            weights = np.exp((members - members.max(axis=-1, keepdims=True)) / self.eps)
        return weights / weights.sum(axis=-1, keepdims=True)

    def deform(self, eps):
        if eps == self.eps:
            return self
        return LogSumExp(eps) if eps and self.groups is None else Maximum(self.groups, eps)

    def __call__(self, x):
        members = x[..., self.members(x.shape[-1])]
        return np.asarray(Semiring(eps=self.eps).sum(members)) if self.eps else members.max(axis=-1)

    def __str__(self) -> str:
        kind = "" if self.groups is None else f" of {self.groups.shape[1]}"
        return type(self).__name__ + kind + (f" eps {self.eps:g}" if self.eps else "")


class LogSumExp(Maximum):
    """x ↦ ε log Σ_i e^{x_i/ε}, one number.

    >>> LogSumExp(0.5)(np.array([1.0, 1.0])).round(6)
    array([1.346574])
    """

    def __init__(self, eps: float = 1.0):
        super().__init__(None, _positive(self, eps))

    def arguments(self):
        return {"eps": self.eps}


def _positive(layer: Layer, eps: float) -> float:
    if not (np.isfinite(eps) and eps > 0):
        raise InputError(f"eps of {type(layer).__name__} is {eps}; pass a finite temperature > 0")
    return eps

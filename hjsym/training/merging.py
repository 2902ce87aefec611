"""Neurons that a layer can do without: slopes nearly equal merged with ⊕_ε, and terms of no weight left out.

At ε > 0 dropping a duplicate, or keeping the larger of two, changes f by up to ε log 2: equal slopes merge with ⊕_ε.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import fcluster, linkage

from hjsym.hopf import LSELayer
from tropical import Box, Semiring
from tropical._display import summary
from tropical.errors import InputError

__all__ = ["Merged", "merge_neurons"]

_MOST = 20_000  # neurons whose distances are taken pair by pair


@dataclass(frozen=True, eq=False)
class Merged:
    """A layer with fewer neurons.

    Attributes
    ----------
    layer : LSELayer
    groups : (N,) integer array
        The new neuron of each old one, −1 where it was left out.
    error : float
        0 ≤ f_old − f_new ≤ error in the box.

    Examples
    --------
    >>> found = merge_neurons(LSELayer([[1.0], [1.0]], [0.0, 0.0], eps=0.5), tol=0.0)
    >>> found.layer.neurons, found.groups, found.error
    (1, array([0, 0]), 0.0)
    """

    layer: LSELayer
    groups: np.ndarray
    error: float

    __repr__ = summary


def merge_neurons(
    layer: LSELayer, tol: float, box: Box | tuple[ArrayLike, ArrayLike] = (-1.0, 1.0)
) -> Merged:
    """Fewer neurons for the same function, to a tolerance in a box.

    A group of near-equal slopes with Gibbs weights π at the centre c of the box becomes the one neuron of slope
    W̄ = Σ π_j W_j and of the group's value at c, which is what ⊕_ε gives where slopes are equal. Then neurons of too
    little weight to matter are left out, as by `Polynomial.truncate`. Each may take half of the tolerance.

    Parameters
    ----------
    layer : LSELayer
    tol : float
        The largest change of a value, ≥ 0; at 0 only equal slopes merge.
    box : Box or (low, high)
        Bounded: numbers or (d,) arrays.

    Returns
    -------
    Merged

    Notes
    -----
    With slopes within a diameter δ, Hoeffding's lemma, and log E e^s ≤ max s, give, at |x − c| ≤ R,
    0 ≤ f_old − f_new ≤ min(δ²R²/8ε, δR); R is half the diagonal of the box. Groups are those of complete linkage;
    cost N² log N.

    References
    ----------
    W. Hoeffding, "Probability inequalities for sums of bounded random variables", J. Amer. Statist. Assoc. 58
    (1963), eq. (4.16).

    Examples
    --------
    >>> layer = LSELayer([[1.0], [1.0], [-1.0], [0.0]], [0.0, 0.0, 0.0, -9.0], eps=0.5)
    >>> merged = merge_neurons(layer, tol=1e-6)
    >>> merged.layer.b.round(6), merged.groups
    (array([0.346574, 0.      ]), array([ 0,  0,  1, -1]))
    """
    if not (math.isfinite(tol) and tol >= 0):
        raise InputError(f"tol is {tol}; pass a finite tolerance >= 0, in the units of the values")
    if layer.neurons > _MOST:
        raise InputError(f"the layer has {layer.neurons:,} neurons; merging takes at most {_MOST:,}")
    box = box if isinstance(box, Box) else Box(*box)
    low, high = (np.asarray(side, float) for side in box.bounds(layer.variables))
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    if not math.isfinite(radius):
        raise InputError("the box is unbounded, where every bound is infinite; pass finite low and high")
    reach = max(math.sqrt(8 * layer.eps * tol / 2), tol / 2)
    groups = _groups(layer.W, reach / radius if radius else math.inf)
    together, error = _joined(layer, groups, centre, radius)
    left = together.polynomial.truncate(tol / 2, box=box)
    new = np.full(together.neurons, -1)
    new[np.setdiff1d(np.arange(together.neurons), left.removed)] = np.arange(len(left.polynomial))
    kept = LSELayer(left.polynomial.slopes, left.polynomial.coefficients, layer.eps, layer.kappa)
    return Merged(kept, new[groups], error + left.error)


def _joined(layer: LSELayer, groups, centre, radius: float) -> tuple[LSELayer, float]:
    """One neuron for each group, and what that changes."""
    semiring, values = Semiring(eps=layer.eps), layer.W @ centre + layer.b
    slopes, offsets, error = [], [], 0.0
    for k in range(groups.max() + 1):
        mine = groups == k
        spread = radius * _diameter(layer.W[mine])
        if spread == 0 and (layer.W[mine] == layer.W[mine][0]).all():  # neurons alone keep their bits
            slopes.append(layer.W[mine][0])
            offsets.append(semiring.sum(layer.b[mine]) if mine.sum() > 1 else layer.b[mine][0])
            continue
        slopes.append(_gibbs(values[mine], layer.eps) @ layer.W[mine])
        offsets.append(semiring.sum(values[mine]) - slopes[-1] @ centre)
        error = max(error, min(spread**2 / (8 * layer.eps), spread))
    return LSELayer(slopes, offsets, layer.eps, layer.kappa), float(error)


def _gibbs(values: np.ndarray, eps: float) -> np.ndarray:
    weights = np.exp((values - values.max()) / eps)
    return weights / weights.sum()


def _groups(W: np.ndarray, diameter: float) -> np.ndarray:
    """Groups of slopes within a diameter, numbered by their first member."""
    if len(W) == 1:
        return np.zeros(1, int)
    labels = fcluster(linkage(W, "complete"), diameter, "distance")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _diameter(W: np.ndarray) -> float:
    return float(np.sqrt(((W[:, None] - W[None]) ** 2).sum(axis=-1)).max()) if len(W) > 1 else 0.0

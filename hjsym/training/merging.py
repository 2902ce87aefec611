"""Neurons whose slopes are nearly equal, merged with ⊕_ε, with a bound on what that changes.

At ε > 0 dropping a duplicate, or keeping the larger of two, changes f by up to ε log 2: equal slopes merge with ⊕_ε.
"""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from hjsym.hopf import LSELayer
from tropical import Semiring
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
        The new neuron of each old one.
    error : float
        0 ≤ f_old − f_new ≤ error wherever |x − centre| ≤ radius.
    """

    layer: LSELayer
    groups: np.ndarray
    error: float


def merge_neurons(
    layer: LSELayer, tol: float, centre: np.ndarray | None = None, radius: float = 1.0
) -> Merged:
    """Merge neurons whose slopes are so near that f changes by at most `tol` within a ball.

    A group with Gibbs weights π at the centre c becomes the one neuron of slope W̄ = Σ π_j W_j and of the group's
    value at c, which is what ⊕_ε gives where slopes are equal.

    Parameters
    ----------
    layer : LSELayer
    tol : float
        The largest change of a value, ≥ 0; at 0 only equal slopes merge.
    centre : (d,) array, optional
        The centre of the ball, the origin by default.
    radius : float
        R.

    Returns
    -------
    Merged

    Notes
    -----
    With slopes within a diameter δ, Hoeffding's lemma and f_group ≤ max give, at |x − c| ≤ R,
    0 ≤ f_old − f_new ≤ min(δ²R²/8ε, δR). Groups are those of complete linkage; cost N² log N.

    References
    ----------
    W. Hoeffding, "Probability inequalities for sums of bounded random variables", J. Amer. Statist. Assoc. 58
    (1963), eq. (4.16).

    Examples
    --------
    >>> layer = LSELayer([[1.0], [1.0], [-1.0]], [0.0, 0.0, 0.0], eps=0.5)
    >>> merged = merge_neurons(layer, tol=0)
    >>> merged.layer.b.round(6), 0.5 * np.log(2).round(6)
    (array([0.346574, 0.      ]), np.float64(0.3465735))
    """
    if not (np.isfinite(tol) and tol >= 0 and np.isfinite(radius) and radius > 0):
        raise InputError(f"tol is {tol} and radius {radius}; pass finite numbers, tol >= 0 and radius > 0")
    if layer.neurons > _MOST:
        raise InputError(f"the layer has {layer.neurons:,} neurons; merging takes at most {_MOST:,}")
    W, b, eps = np.asarray(layer.W), np.asarray(layer.b), layer.eps
    centre = np.zeros(layer.variables) if centre is None else np.asarray(centre, float)
    groups = _groups(W, max(np.sqrt(8 * eps * tol), tol) / radius)
    values = W @ centre + b
    slopes, offsets, error = [], [], 0.0
    for k in range(groups.max() + 1):
        mine = groups == k
        reach = radius * _diameter(W[mine])
        if reach == 0:  # ⊕_ε of equal slopes, and neurons alone keep their bits
            slopes.append(W[mine][0])
            offsets.append(Semiring(eps=eps).sum(b[mine]) if mine.sum() > 1 else b[mine][0])
            continue
        slopes.append(_gibbs(values[mine], eps) @ W[mine])
        offsets.append(Semiring(eps=eps).sum(values[mine]) - slopes[-1] @ centre)
        error = max(error, min(reach**2 / (8 * eps), reach))
    return Merged(LSELayer(slopes, offsets, eps, layer.kappa), groups, float(error))


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

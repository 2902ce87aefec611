"""Rates that are those of a prescribed temperature, and what a change of units does to one.

Three closed forms stand beside the measurements.

- Gaussian data g = |y|²/2 at t = 1, atoms on an end-point grid of n^d points in [−2, 2]^d: but for what the box cuts
  off, the layer is off by the constant −dε log(n/(n − 1)), the number of nodes that the mean divides by, at every x.
  With ε = n^{−p} its root mean square falls like N^{−(1+p)/d}: whatever exponent p asks for. With midpoint nodes
  there is no such error.
- Two neurons ±x with any offset b = 0 give |x| on [−a, a] up to ε log(1 + e^{−2|x|/ε}), whose root mean square is
  ε^{3/2} √(ζ(3)/8a) (for a = 2: 0.274 ε^{3/2}). With ε = N^{−1} two neurons "scale" like N^{−3/2}.
- y ↦ cy with g ↦ c²g multiplies every temperature by c²: ε* = N^{−1/d}, which is blind to c, is not a law of the data.

Sources: the experiment with Gaussian data is that of arXiv:2605.28983 (public code, `run_all.py`, experiment 3), which
reads its error as a scaling law; the closed forms are derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from hjsym.hopf import LSELayer
from hjsym.scaling.fits import PowerLaw, power_law
from hjsym.scaling.quadrature import PAPER_NODES, box_layer
from tropical.errors import InputError

__all__ = ["PrescribedRate", "prescribed_rate", "rescaled", "two_neuron_loss"]

_NODES = {**PAPER_NODES, 4: (7, 9, 11, 13, 15)}


@dataclass(frozen=True, eq=False)
class PrescribedRate:
    """What `prescribed_rate` returns.

    Attributes
    ----------
    measured : PowerLaw
        Of the root mean square error of the layer.
    closed_form : (k,) array
        dε log(n/(n − 1)), or 0 for midpoints.
    temperatures : (k,) array
        ε.
    corrected : (k,) array
        The root mean square error once the constant is taken off: what is left of the grid and of the box.

    Examples
    --------
    >>> found = prescribed_rate(1, (8, 16, 32))
    >>> found.temperatures, found.closed_form.round(4), round(found.measured.alpha, 2)
    (array([0.125  , 0.0625 , 0.03125]), array([0.0167, 0.004 , 0.001 ]), 2.03)
    """

    measured: PowerLaw
    closed_form: np.ndarray
    temperatures: np.ndarray
    corrected: np.ndarray


def prescribed_rate(
    d: int,
    nodes: Sequence[int] | None = None,
    *,
    power: float = 1.0,
    rule: str = "endpoints",
    confidence: float = 0.95,
) -> PrescribedRate:
    """The error of the layer of g = |y|²/2 at t = 1 and ε = n^{−power}, and the closed form that it is.

    The exact f of atoms all over R^d is |x|²/12 + (d/2)ε log(4πε/3) − dε log 4; points are 400 uniform ones of
    [−1.5, 1.5]^d with seed 200 + d.

    Parameters
    ----------
    d : int
        Variables.
    nodes : sequence of int, optional
        n for each axis; for d = 1, 2, 4 the lists of the public code.
    power : float
        p of ε = n^{−p}; 1 is ε = N^{−1/d}. 0 keeps ε = 1 fixed, where the box cuts off more than the grid leaves out.
    rule : {"endpoints", "midpoints"}
    confidence : float
        As for `power_law`.

    Examples
    --------
    >>> E3 = prescribed_rate(1)
    >>> round(E3.measured.alpha, 2)                                 # the paper's 2.05
    2.05
    >>> (E3.measured.errors / E3.closed_form)[2:].round(4)          # no scaling law: a constant, in closed form
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    >>> [round(prescribed_rate(1, (32, 64, 128, 256), power=p).measured.alpha, 2) for p in (0.5, 1.0, 1.2)]
    [1.51, 2.01, 2.21]
    """
    if nodes is None:
        if d not in _NODES:
            raise InputError(f"there is no list of nodes for d = {d}; pass nodes=, several n for each axis")
        nodes = _NODES[d]
    if rule not in ("endpoints", "midpoints"):
        raise InputError(f"rule is {rule!r}; pass 'endpoints' or 'midpoints'")
    x = np.random.default_rng(200 + d).uniform(-1.5, 1.5, (400, d))
    n = np.array(nodes, dtype=float)
    eps = n**-power
    gaps = []
    for count, e in zip(nodes, eps, strict=True):
        exact = (x**2).sum(axis=1) / 12 + d * e * (np.log(4 * np.pi * e / 3) / 2 - np.log(4))
        gaps.append(box_layer(d, count, rule=rule, g=_half_square, eps=e)(x) - exact)
    gaps = np.array(gaps)
    constant = d * eps * np.log(n / (n - 1)) if rule == "endpoints" else np.zeros(len(n))
    return PrescribedRate(
        power_law(n**d, _rms(gaps), confidence=confidence), constant, eps, _rms(gaps + constant[:, None])
    )


def _half_square(y: np.ndarray) -> np.ndarray:
    return (y**2).sum(axis=-1) / 2


def _rms(rows: np.ndarray) -> np.ndarray:
    return np.sqrt((rows**2).mean(axis=1))


def two_neuron_loss(eps: ArrayLike, half_width: float = 2.0) -> np.ndarray:
    """√(ζ(3)/8a) ε^{3/2}: the root mean square over [−a, a] of ε log(e^{x/ε} + e^{−x/ε}) − |x|.

    Left out is what lies beyond a, of relative size e^{−4a/ε}.

    Parameters
    ----------
    eps : array
        ε > 0.
    half_width : float
        a > 0.

    Returns
    -------
    array of the shape of eps

    Examples
    --------
    >>> float(two_neuron_loss(1.0).round(4))
    0.2741
    >>> x, eps = np.linspace(-2, 2, 100_001), 0.05
    >>> layer = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps)
    >>> float(np.sqrt(np.mean((layer(x[:, None]) - abs(x)) ** 2)).round(6)), float(two_neuron_loss(eps).round(6))
    (0.003064, 0.003064)
    """
    eps = np.asarray(eps, dtype=float)
    if not (np.isfinite(eps).all() and (eps > 0).all() and 0 < half_width < np.inf):
        raise InputError(f"eps is {eps} and half_width {half_width}; pass finite numbers > 0")
    return np.sqrt(special.zeta(3) / (8 * half_width)) * eps**1.5


def rescaled(layer: LSELayer, scale: float) -> LSELayer:
    """The layer of the same data in other units: W ↦ cW, b ↦ c²b, ε ↦ c²ε, so that f_c(cx) = c²f(x).

    In the kernel gauge y ↦ cy and g ↦ c²g. Gibbs weights at cx are those at x, so every fold of the entropy moves from
    ε to c²ε. A rule ε* = N^{−1/d} gives the same temperature for both layers.

    Parameters
    ----------
    layer : LSELayer
    scale : float
        c > 0.

    Returns
    -------
    LSELayer

    Examples
    --------
    >>> layer = LSELayer([[1.0], [-1.0], [0.2]], [0.0, 0.1, 0.3], eps=0.5)
    >>> large = rescaled(layer, 3.0)
    >>> bool(np.isclose(large([3 * 0.4]), 9 * layer([0.4]))), large.eps
    (True, 4.5)
    """
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"scale is {scale}; pass a finite number > 0")
    return LSELayer(scale * layer.W, scale**2 * layer.b, scale**2 * layer.eps, layer.kappa, layer.labels)

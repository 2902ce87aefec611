"""Initial data recovered from a fitted layer, with error bars.

In the kernel gauge at time t, y_j = 2κtW_j and g_j = −b_j − κt|W_j|²: the error bars of (y, g) are those of the
least-squares parameters (W, b), carried over to first order.
"""

from dataclasses import dataclass

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.training.data import checked
from tropical._display import summary
from tropical.errors import InputError, ShapeError

__all__ = ["InitialData", "initial_data"]

_BLOCK = 1 << 20  # entries of the Jacobian of one block of points
_MOST = 5000  # parameters whose covariance is made
_BLIND = 1e-12  # of the largest eigenvalue: directions that the data do not see
_MIXED = 1e-6  # the part of such a direction that an entry may have and still be called determined


@dataclass(frozen=True, eq=False)
class InitialData:
    """Atoms and initial values, with standard errors.

    Attributes
    ----------
    t : float
    y : (N, d) array
        Atoms.
    g : (N,) array
        Initial values at the atoms.
    y_error, g_error : arrays of the same shapes
        Standard errors; infinite where the data do not determine the entry.
    covariance : (N(d + 1), N(d + 1)) array
        Of (y_1, g_1, y_2, g_2, …), within the directions that the data see.
    noise : float
        The estimated standard deviation of the targets around f.
    rank : int
        How many directions of the parameters the data see.

    Examples
    --------
    >>> layer = LSELayer.from_initial_data([-1.0, 1.0], [0.0, 0.5], eps=0.2)
    >>> x = np.linspace(-3, 3, 100)[:, None]
    >>> found = initial_data(layer, x, layer(x) + 0.01 * (-1.0) ** np.arange(100))
    >>> found.y.ravel().round(2), found.covariance.shape, found.rank, bool((found.y_error < 0.02).all())
    (array([-1.,  1.]), (4, 4), 4, True)
    """

    t: float
    y: np.ndarray
    g: np.ndarray
    y_error: np.ndarray
    g_error: np.ndarray
    covariance: np.ndarray
    noise: float
    rank: int

    __repr__ = summary


def initial_data(
    layer: LSELayer, points, targets, weights=None, *, t: float = 1.0, learnt_eps: bool = False
) -> InitialData:
    """(y, g) of a layer fitted to data by least squares, with error bars.

    Parameters
    ----------
    layer : LSELayer
        A least-squares fit to the data that follow.
    points, targets : (B, d) and (B,) arrays
    weights : (B,) array, optional
        Inverse variances of the targets up to a factor.
    t : float
        The time of the kernel gauge, > 0.
    learnt_eps : bool
        Whether ε was fitted as well, and so adds to the uncertainty of all else.

    Returns
    -------
    InitialData

    Notes
    -----
    With J the derivatives of the f(x_i) in the parameters, π_j(x_i)(x_i, 1) and the entropy for ε, the covariance of
    the parameters is s²(JᵀwJ)⁻¹, s² = Σ w_i(f(x_i) − y_i)²/(B − rank): the Gauss–Newton (Fisher) matrix. These are
    the asymptotic standard errors of nonlinear least squares: right where the targets are a layer of this many
    neurons plus independent noise, the fit is the minimum near the truth (neurons have no names: up to a permutation),
    no neuron is a duplicate, nothing was penalised, and B is large. They say nothing about a wrong number of neurons or
    ε, and with exact targets they measure the conditioning of the fit alone. Directions whose eigenvalue is below
    1e-12 of the largest, parameters being scaled to J of equal column norms, are not seen: what has a part in
    them gets an infinite error. Cost B(N(d + 1))² by blocks of points.

    References
    ----------
    G. A. F. Seber, C. J. Wild, Nonlinear Regression, Wiley (1989), §2.1.

    Examples
    --------
    >>> layer = LSELayer.from_initial_data([-1.0, 1.0], [0.0, 0.5], eps=0.2)
    >>> x = np.linspace(-3, 3, 100)[:, None]
    >>> found = initial_data(layer, x, layer(x) + 0.01 * (-1.0) ** np.arange(100))
    >>> found.g.round(3), bool((found.g_error < 0.01).all())
    (array([0. , 0.5]), True)
    """
    points, targets, weights = checked(points, targets, weights)
    if points.shape[1] != layer.variables:
        raise ShapeError(
            f"points have shape {points.shape}; pass (B, {layer.variables}), as the layer has them"
        )
    size = layer.neurons * (layer.variables + 1) + learnt_eps
    if size > _MOST:
        raise InputError(
            f"{size:,} parameters; error bars are given for at most {_MOST:,}: merge neurons first"
        )
    gauge = layer.kernel(t)
    inverse, blind = _inverse(_normal_matrix(layer, points, weights, learnt_eps))
    rank = size - blind.shape[1]
    freedom = np.count_nonzero(weights) - rank
    squares = weights @ (layer(points) - targets) ** 2
    variance = squares / freedom if freedom > 0 else np.inf if squares > 0 else 0.0
    change = _change(layer, t, size)
    with np.errstate(invalid="ignore"):  # ∞·0 where the noise is unknown
        covariance = variance * (change @ inverse @ change.T)
    covariance[np.isnan(covariance)] = np.inf
    errors = np.sqrt(np.maximum(np.diag(covariance), 0))
    unseen = np.abs(change @ blind) > _MIXED * np.abs(change).max(axis=1, keepdims=True)
    errors[unseen.any(axis=1)] = np.inf
    errors = errors.reshape(layer.neurons, layer.variables + 1)
    return InitialData(
        float(t), gauge.y, gauge.g, errors[:, :-1], errors[:, -1], covariance, float(np.sqrt(variance)), rank
    )


def _normal_matrix(layer: LSELayer, points, weights, learnt_eps: bool) -> np.ndarray:
    """JᵀwJ, the parameters ordered (W_1, b_1, W_2, b_2, …) and ε last."""
    size = layer.neurons * (layer.variables + 1) + learnt_eps
    normal = np.zeros((size, size))
    step = max(1, _BLOCK // size)
    for start in range(0, len(points), step):
        some = points[start : start + step]
        lifted = np.column_stack([some, np.ones(len(some))])
        jacobian = (layer.polynomial.weights(some)[:, :, None] * lifted[:, None]).reshape(len(some), -1)
        if learnt_eps:
            jacobian = np.column_stack([jacobian, layer.polynomial.entropy(some)])
        normal += jacobian.T @ (weights[start : start + step, None] * jacobian)
    return normal


def _inverse(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pseudo-inverse after scaling to a unit diagonal, and a basis of the directions not seen."""
    scale = np.sqrt(np.diag(normal))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(normal / np.outer(scale, scale))
    seen = values > _BLIND * values[-1]
    directions = vectors / scale[:, None]
    blind = directions[:, ~seen]
    return (directions[:, seen] / values[seen]) @ directions[:, seen].T, blind


def _change(layer: LSELayer, t: float, size: int) -> np.ndarray:
    """∂(y_1, g_1, y_2, …)/∂(W_1, b_1, W_2, …): dy = 2κt dW and dg = −db − 2κt W·dW."""
    d, time = layer.variables, layer.kappa * t
    change = np.zeros((layer.neurons * (d + 1), size))
    for j, slope in enumerate(layer.W):
        at = j * (d + 1)
        change[range(at, at + d), range(at, at + d)] = 2 * time
        change[at + d, at : at + d] = -2 * time * slope
        change[at + d, at + d] = -1
    return change

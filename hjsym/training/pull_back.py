"""Gradients of log-sum-exp layers in their parameters, summed over points by the compiled core.

For cotangents r_i at points x_i, the gradient of Σ_i r_i f(x_i) is Σ_i r_i π_j(x_i) (x_i, 1) in (W_j, b_j). Since
π_j(x_i) = exp((W_j·x_i + b_j − f(x_i))/ε), the sum over the r_i > 0 is, in logarithms, the value at W_j of another
log-sum-exp polynomial,

    q(w) = ε log Σ_i exp((x_i·w − f(x_i) + ε log r_i)/ε),    Σ_i r_i π_j(x_i) = exp((q(W_j) + b_j)/ε),

whose gradient is the mean of the x_i under these masses: points and slopes change places, and no array of points by
neurons is made.
"""

import numpy as np

from tropical import Polynomial

__all__ = ["pull_back"]

_BLOCK = 1 << 20  # entries of the weights of one block of points, eight megabytes
_SMALL = 1 << 15  # entries up to which weights are the faster way
_COLD = 1e-7  # of the values: a colder sum lifts their rounding out of the exponents above 1e-9


def pull_back(
    polynomial: Polynomial, points: np.ndarray, values: np.ndarray, cotangents: np.ndarray
) -> np.ndarray:
    """The gradient of Σ_i r_i f(x_i) in the slopes and coefficients of f.

    Parameters
    ----------
    polynomial : Polynomial
        f, over max at ε > 0, with N monomials in d variables.
    points : (B, d) array
    values : (B,) array
        f at the points.
    cotangents : (B,) array
        r_i, finite.

    Returns
    -------
    (N, d + 1) array
        The gradient in W, and in b as the last column.

    Notes
    -----
    One pass of the core over points and neurons, O(BNd), and temporaries of size B + N only. Where ε is so small
    beside the values that the differences in the exponents would lose digits, and where all is small, from Gibbs
    weights by blocks instead.

    Examples
    --------
    >>> from tropical import Semiring
    >>> f = Polynomial([[1.0], [-1.0]], [0.0, 0.0], Semiring(eps=1.0))
    >>> x = np.array([[0.0], [1.0]])
    >>> pull_back(f, x, f(x), np.array([2.0, 0.0]))
    array([[0., 1.],
           [0., 1.]])
    """
    largest = max(np.abs(values).max(initial=0.0), np.abs(polynomial.coefficients).max(initial=0.0))
    small = len(polynomial) * len(points) <= _SMALL
    if small or polynomial.semiring.eps < _COLD * largest:
        return _from_weights(polynomial, points, cotangents)
    gradient = np.zeros((len(polynomial), points.shape[1] + 1))
    for sign in (1, -1):
        some = sign * cotangents > 0
        if some.any():
            gradient += sign * _masses(polynomial, points[some], values[some], sign * cotangents[some])
    return gradient


def _masses(polynomial: Polynomial, points, values, cotangents) -> np.ndarray:
    """Σ_i r_i π_j(x_i) (x_i, 1) for r > 0."""
    eps = polynomial.semiring.eps
    dual = Polynomial(points, eps * np.log(cotangents) - values, polynomial.semiring)
    logarithms, means = dual.value_and_gradient(polynomial.slopes)
    mass = np.exp((logarithms + polynomial.coefficients) / eps)[:, None]
    return np.hstack([mass * means, mass])


def _from_weights(polynomial: Polynomial, points, cotangents) -> np.ndarray:
    gradient = np.zeros((len(polynomial), points.shape[1] + 1))
    step = max(1, _BLOCK // len(polynomial))
    for start in range(0, len(points), step):
        some = points[start : start + step]
        weighted = polynomial.weights(some).T * cotangents[start : start + step]
        gradient += np.hstack([weighted @ some, weighted.sum(axis=1, keepdims=True)])
    return gradient

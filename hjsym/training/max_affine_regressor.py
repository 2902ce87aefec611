"""Least-squares convex regression by a maximum of affine functions, the baseline, as a scikit-learn estimator."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from hjsym.training.data import Scaling, check_weights, joined
from hjsym.training.estimators import seed_of
from hjsym.training.partition import max_affine
from hjsym.training.schedule import check_count
from tropical import Polynomial

__all__ = ["MaxAffineRegressor"]


class MaxAffineRegressor(RegressorMixin, BaseEstimator):
    """Fit max_k (w_k·x + b_k) by least squares: the layer at ε = 0, by the alternating partition.

    Each step fits a plane to every cell of a partition of the data, then takes the cells where each plane is the
    largest, until they stay; the best of several random partitions is kept. A local method, as every practical one:
    the full problem of convex regression, a value and a subgradient at each of B points, is a quadratic program with
    B² constraints.

    Parameters
    ----------
    n_pieces : int
        K.
    n_init : int
        Random partitions to start from.
    max_iter : int
        Steps of each.
    random_state : int, numpy RandomState or None

    Attributes
    ----------
    polynomial_ : Polynomial
        The fit, over max-plus.
    n_iter_ : int
        Steps of the best start.
    n_features_in_ : int

    References
    ----------
    A. Magnani, S. P. Boyd, "Convex piecewise-linear fitting", Optimization and Engineering 10 (2009), §3.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 100)[:, None]
    >>> model = MaxAffineRegressor(n_pieces=2, random_state=0).fit(x, np.abs(x[:, 0]))
    >>> np.sort(model.polynomial_.slopes.ravel()).round(6)
    array([-1.,  1.])
    >>> model.predict([[-1.5], [0.5]]).round(6)
    array([1.5, 0.5])
    """

    def __init__(self, n_pieces=10, *, n_init=10, max_iter=100, random_state=None):
        self.n_pieces = n_pieces
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Fit to points X (B, d) and targets y (B,), with weights (B,) ≥ 0 where given."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        check_weights(weights)
        pieces, steps = check_count("n_pieces", self.n_pieces), check_count("max_iter", self.max_iter)
        rng = np.random.default_rng(seed_of(self.random_state))
        scaling = Scaling.of(X, y, weights)
        data = joined(*scaling.scale(X, y), weights)
        fits = [max_affine(*data, pieces, rng, steps) for _ in range(check_count("n_init", self.n_init))]
        planes, _, self.n_iter_ = min(fits, key=lambda fit: fit[1])
        planes = scaling.table_back(planes[None], (1,))[0]
        self.polynomial_ = Polynomial(planes[:, :-1], planes[:, -1])
        return self

    def predict(self, X):
        """The maximum at points X (B, d); returns (B,)."""
        check_is_fitted(self)
        return self.polynomial_(validate_data(self, X, dtype=np.float64, reset=False))

"""Regression by one log-sum-exp layer, or a difference of two, as a scikit-learn estimator."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from hjsym.hopf import LSELayer
from hjsym.training.estimators import schedule_of, seed_of
from hjsym.training.fit import LSEFit, fit_lse
from hjsym.training.merging import Merged, merge_neurons
from hjsym.training.recovery import InitialData, initial_data
from tropical import Polynomial, Rational, Semiring
from tropical.errors import InputError

__all__ = ["LSERegressor"]


class LSERegressor(RegressorMixin, BaseEstimator):
    """Least-squares fit of f(x) = ε log Σ_j exp((W_j·x + b_j)/ε): a search over initial data.

    In the kernel gauge at time t the layer is the viscous Hamilton–Jacobi solution from values g_j at atoms y_j, so
    training moves atoms and values until the solution at time t passes through the data; `initial_data` gives them
    with error bars. A layer is convex: ``shape`` says what else to fit. A scale a > 0 and an offset c in front of
    the layer would fit no more, since a·LSE_ε(z) + c = LSE_{aε}(az + c).

    Parameters
    ----------
    n_neurons : int
        N, of each head.
    eps : float, optional
        Temperature ε > 0 in the units of the targets; a tenth of their standard deviation by default.
    temperature : {"learnt", "fixed", "annealed"}
        Whether `eps` is where ε starts, is kept, or is reached in stages from the standard deviation of the targets.
    shape : {"convex", "concave", "difference"}
        LSE, −LSE, or the difference of two (DLSE), which comes near every continuous function on a compact set.
    alpha : float
        Weight of |W|² beside the mean of (f − y)², both of standardised data.
    solver : {"lbfgs", "adam"}
    max_iter : int
        Steps, each a value and a gradient (L-BFGS may take a few more for its line searches).
    tol : float
        L-BFGS ends where no entry of the gradient is larger.
    learning_rate, batch_size
        Of Adam; without a batch size each step takes all rows.
    early_stopping : bool
        Keep `validation_fraction` of the distinct rows apart, stop after `n_iter_no_change` steps without a new
        least error there, and return the parameters of least error.
    init : {"partition", "random"}
        Planes fitted to the cells of a random Voronoi partition, or normal random numbers.
    n_init : int
        Starts, of which the one of least error is kept.
    standardize : bool
        Descend on inputs and targets of mean 0 and standard deviation 1; the result is in the data's own units.
    warm_start : bool
        Start from the last fit, and from its temperature if that is learnt, where its shape is the same.
    random_state : int, numpy RandomState or None
    progress : callable, bool or None
        Called with the number of steps done; True draws a bar.
    executor : callable that makes a concurrent.futures.Executor, optional
        Runs the starts, as in `fit_lse`: ``partial(ProcessPoolExecutor, 4)``. No executor itself, since scikit-learn
        copies parameters.

    Attributes
    ----------
    layer_ : LSELayer
        For shape "convex": the way to attribution, `hjsym.hamiltonian`, `hjsym.diagram` and the gauges.
    polynomial_ : Polynomial
        The fitted function for shapes "convex" and "concave" (then with sign −1, a soft minimum).
    rational_ : Rational
        The fitted function for shape "difference".
    eps_ : float
    loss_curve_, validation_errors_ : lists of float
    n_iter_, n_features_in_ : int
    converged_ : bool

    Notes
    -----
    A step costs one pass of the compiled core over points and neurons each way; no array of points by neurons is
    made (`hjsym.training.pull_back`). Equal rows are joined and sorted first, so that a fit depends neither on the
    order of the rows nor on whether a weight is written as repetition.

    References
    ----------
    G. C. Calafiore, S. Gaubert, C. Possieri, "Log-sum-exp neural networks and posynomial models for convex and
    log-log-convex data", IEEE Trans. Neural Netw. Learn. Syst. 31 (2020); "A universal approximation result for
    difference of log-sum-exp neural networks", ibid. 31 (2020).

    Examples
    --------
    >>> x = np.linspace(-2, 2, 200)[:, None]
    >>> model = LSERegressor(n_neurons=5, eps=0.05, temperature="fixed", random_state=0).fit(x, np.abs(x[:, 0]))
    >>> model.score(x, np.abs(x[:, 0])) > 0.999
    True
    >>> model.merged(tol=1e-3).layer.W.round(2).ravel().tolist()
    [-1.0, 1.0]
    >>> model.predict([[1.0]]).round(1)
    array([1.])
    >>> model.initial_data(x, np.abs(x[:, 0]), merge=1e-3).y.ravel().round(1)
    array([-2.,  2.])
    """

    def __init__(
        self,
        n_neurons=20,
        *,
        eps=None,
        temperature="learnt",
        shape="convex",
        alpha=1e-6,
        solver="lbfgs",
        max_iter=500,
        tol=1e-6,
        learning_rate=0.006,
        batch_size=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=20,
        init="partition",
        n_init=1,
        standardize=True,
        warm_start=False,
        random_state=None,
        progress=None,
        executor=None,
    ):
        self.n_neurons = n_neurons
        self.eps = eps
        self.temperature = temperature
        self.shape = shape
        self.alpha = alpha
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.init = init
        self.n_init = n_init
        self.standardize = standardize
        self.warm_start = warm_start
        self.random_state = random_state
        self.progress = progress
        self.executor = executor

    def fit(self, X, y, sample_weight=None):
        """Fit to points X (B, d) and targets y (B,), with weights (B,) ≥ 0 where given."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        start = self._last(X.shape[1])
        goes_on = start is not None and self.temperature == "learnt"
        fit = fit_lse(
            X, y, weights, shape=self.shape, n_neurons=self.n_neurons, eps=self.fit_.eps if goes_on else self.eps,
            temperature=self.temperature, decay=self.alpha, init=self.init, n_init=self.n_init,
            standardize=self.standardize, schedule=schedule_of(self), seed=seed_of(self.random_state),
            start=start, progress=self.progress, executor=self.executor,
        )  # fmt: skip
        self.fit_, self.eps_, self.n_iter_ = fit, fit.eps, fit.steps
        self.loss_curve_, self.validation_errors_ = fit.losses, fit.validation_errors
        self.converged_ = fit.converged
        self._box = X.min(axis=0), X.max(axis=0)
        _name_functions(self, fit)
        return self

    def predict(self, X):
        """f at points X (B, d); returns (B,)."""
        check_is_fitted(self)
        return self.fit_(validate_data(self, X, dtype=np.float64, reset=False))

    def merged(self, tol: float) -> Merged:
        """The layer without neurons that it can do without, changed by at most `tol` in the box of the training data.

        See `hjsym.training.merge_neurons`.
        """
        return merge_neurons(self._convex(), tol, self._box)

    def initial_data(
        self, X, y, *, t: float = 1.0, sample_weight=None, merge: float | None = None
    ) -> InitialData:
        """Atoms y_j and initial values g_j in the kernel gauge at time t, with error bars from data (X, y).

        `merge` first calls `merged` with that tolerance; equal neurons have no error bars of their own.
        See `hjsym.training.recovery.initial_data`.
        """
        layer = self._convex() if merge is None else self.merged(merge).layer
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, reset=False)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        return initial_data(layer, X, y, weights, t=t, learnt_eps=self.temperature == "learnt")

    def _convex(self) -> LSELayer:
        check_is_fitted(self)
        if not hasattr(self, "layer_"):
            raise InputError(f"the fit has shape {self.shape!r}; one layer is what shape='convex' gives")
        return self.layer_

    def _last(self, variables: int) -> np.ndarray | None:
        """The table of the last fit, to start from."""
        if not (self.warm_start and hasattr(self, "fit_")):
            return None
        table = self.fit_.table
        heads = 2 if self.shape == "difference" else 1
        return table if table.shape == (heads, self.n_neurons, variables + 1) else None


def _name_functions(estimator, fit: LSEFit) -> None:
    """Set layer_, polynomial_ or rational_, and forget those of another shape."""
    for name in ("layer_", "polynomial_", "rational_"):
        estimator.__dict__.pop(name, None)
    first = fit.polynomials[0]
    match fit.signs:
        case (1,):
            estimator.layer_ = LSELayer(first.slopes, first.coefficients, fit.eps)
            estimator.polynomial_ = estimator.layer_.polynomial
        case (-1,):
            soft_minimum = Semiring(sign=-1, eps=fit.eps)
            estimator.polynomial_ = Polynomial(-first.slopes, -first.coefficients, soft_minimum)
        case _:
            estimator.rational_ = Rational(*fit.polynomials)

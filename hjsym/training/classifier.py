"""Classification by the Gibbs weights of one log-sum-exp layer, as a scikit-learn estimator."""

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from hjsym.hopf import LSELayer
from hjsym.training.classification import fit_labelled
from hjsym.training.data import check_weights
from hjsym.training.estimators import schedule_of, seed_of
from hjsym.training.schedule import check_positive
from tropical import Polynomial, PolynomialMap, Semiring
from tropical.errors import InputError

__all__ = ["LSEClassifier"]


class LSEClassifier(ClassifierMixin, BaseEstimator):
    """Softmax over one log-sum-exp head f_c per class: P(c | x) = exp((f_c(x) − f(x))/ε), f = ⊕_ε over all heads.

    All heads together are one layer whose neurons are labelled, P(c | x) being the Gibbs weight of those of class c.
    With one neuron a class it is multinomial logistic regression. In the kernel gauge neuron j is an atom y_j with
    initial value g_j that belongs to a class, and P(c | x) is the share of the solution that comes from its atoms.

    Parameters
    ----------
    n_neurons : int
        N for each class.
    eps : float
        The temperature that `layer_` is to have. A gauge: P depends on W/ε and b/ε only, so there is nothing in the
        data to learn ε from, and predictions do not depend on it.
    alpha : float
        Weight of |W|² (at ε = 1 and for standardised inputs) beside the mean log-loss.
    solver, max_iter, tol, learning_rate, batch_size, n_init
        As in `LSERegressor`.
    early_stopping, validation_fraction, n_iter_no_change
        As there; what is watched is the log-loss.
    warm_start, random_state, progress, executor
        As there.

    Attributes
    ----------
    classes_ : (C,) array
    layer_ : LSELayer
        CN neurons, labelled by the index of their class: the way to attribution, `hjsym.hamiltonian` and the gauges.
    polynomial_ : Polynomial
        f, the log-partition function.
    heads_ : PolynomialMap
        x ↦ (f_c(x))_c.
    loss_curve_, validation_errors_ : lists of float
    n_iter_, n_features_in_ : int
    converged_ : bool

    Notes
    -----
    A step costs two passes of the compiled core each way; no array of points by neurons is made.

    Examples
    --------
    >>> x = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    >>> ring = np.array(["out", "out", "in", "out", "out"])
    >>> model = LSEClassifier(n_neurons=2, random_state=0).fit(x, ring)
    >>> model.predict(x).tolist()
    ['out', 'out', 'in', 'out', 'out']
    >>> model.layer_.labels
    array([0, 0, 1, 1])
    >>> model.predict_proba(x).shape, model.decision_function(x).shape
    ((5, 2), (5,))
    >>> bool(np.allclose(np.exp(model.predict_log_proba(x)), model.predict_proba(x)))
    True
    """

    def __init__(
        self,
        n_neurons=4,
        *,
        eps=1.0,
        alpha=1e-3,
        solver="lbfgs",
        max_iter=300,
        tol=1e-5,
        learning_rate=0.006,
        batch_size=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=20,
        n_init=1,
        warm_start=False,
        random_state=None,
        progress=None,
        executor=None,
    ):
        self.n_neurons = n_neurons
        self.eps = eps
        self.alpha = alpha
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.warm_start = warm_start
        self.random_state = random_state
        self.progress = progress
        self.executor = executor

    def fit(self, X, y, sample_weight=None):
        """Fit to points X (B, d) and class labels y (B,), with weights (B,) ≥ 0 where given."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        check_weights(weights)
        last = self._last(y, X.shape[1])
        self.classes_, labels = np.unique(y, return_inverse=True)
        seen = len(np.unique(labels[weights > 0]))
        if seen < 2:
            raise InputError(f"the targets have {seen} class; a classifier needs at least 2 classes")
        eps = check_positive("eps", self.eps)
        table, run = fit_labelled(
            X, labels, weights, classes=len(self.classes_), n_neurons=self.n_neurons, eps=eps, decay=self.alpha,
            n_init=self.n_init, schedule=schedule_of(self), seed=seed_of(self.random_state), start=last,
            progress=self.progress, executor=self.executor,
        )  # fmt: skip
        flat = table.reshape(-1, table.shape[-1])
        self.layer_ = LSELayer(
            flat[:, :-1], flat[:, -1], eps, labels=np.repeat(np.arange(len(table)), len(table[0]))
        )
        self.polynomial_ = self.layer_.polynomial
        self.heads_ = PolynomialMap(Polynomial(w[:, :-1], w[:, -1], Semiring(eps=eps)) for w in table)
        self.n_iter_, self.converged_ = len(run.losses), run.converged
        self.loss_curve_, self.validation_errors_ = run.losses, run.validation_errors
        return self

    def decision_function(self, X):
        """The heads f_c at X, shape (B, C); for two classes f_1 − f_0, shape (B,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X):
        """The class of the largest head."""
        largest = self._scores(X).argmax(axis=1)
        return self.classes_[largest]

    def predict_log_proba(self, X):
        """log P(c | x), shape (B, C)."""
        scores = self._scores(X)
        return log_softmax(scores / self.layer_.eps, axis=1)

    def predict_proba(self, X):
        """P(c | x), shape (B, C), columns in the order of `classes_`."""
        return np.exp(self.predict_log_proba(X))

    def _scores(self, X) -> np.ndarray:
        check_is_fitted(self)
        return self.heads_(validate_data(self, X, dtype=np.float64, reset=False))

    def _last(self, y, variables: int) -> np.ndarray | None:
        """The table of the last fit, to start from, at the temperature asked for now."""
        if not (self.warm_start and hasattr(self, "layer_")):
            return None
        if not np.array_equal(self.classes_, np.unique(y)) or self.layer_.variables != variables:
            return None
        if self.layer_.neurons != len(self.classes_) * self.n_neurons:
            return None
        table = np.column_stack([self.layer_.W, self.layer_.b]) * (self.eps / self.layer_.eps)
        return table.reshape(len(self.classes_), self.n_neurons, variables + 1)

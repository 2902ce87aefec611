"""Networks from fitted scikit-learn estimators: MLPs, linear models, trained layers, and affine steps before them."""

from collections.abc import Iterable, Sequence

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.layers import Affine, Gather, Identity, Layer, Maximum, Relu, Scale, Sigmoid, Softmax
from hjsym.network import Network
from tropical import Polynomial
from tropical.errors import InputError

__all__ = ["load_sklearn"]

_HIDDEN = {"relu": Relu, "identity": Identity}
_OUTPUT = {"identity": None, "softmax": Softmax, "logistic": Sigmoid, "relu": Relu}


def load_sklearn(estimator) -> Network:
    """The network of a fitted estimator; where it gives probabilities by a softmax or a logistic function of scores
    that is the head. Of other classifiers the outputs are their decision function."""
    steps = [step for _, step in estimator.steps] if _is(estimator, "Pipeline") else [estimator]
    steps = [step for step in steps if step is not None and not isinstance(step, str)]  # "passthrough"
    if not steps:
        raise InputError("the pipeline has no steps but passthrough; give it an estimator")
    made = [layer for step in steps for layer in _layers(step)]
    return Network.sequential(_fitted(steps[0], "n_features_in_"), made)


def _is(estimator, *names: str) -> bool:
    """Whether its class, or one that this derives from, has one of these names."""
    return any(cls.__name__ in names for cls in type(estimator).__mro__)


def _fitted(estimator, attribute: str):
    if not hasattr(estimator, attribute):
        raise InputError(f"this {type(estimator).__name__} is not fitted; call fit first")
    return getattr(estimator, attribute)


def _layers(step) -> Sequence[Layer]:
    for names, rule in _RULES.items():
        if _is(step, *names):
            return rule(step)
    read = ", ".join(sorted(name for names in _RULES for name in names))
    raise UnsupportedLayerError(
        f"scikit-learn's {type(step).__name__} is not an affine map or an MLP that is read; read are {read} and "
        "pipelines of these"
    )


# ---- perceptrons and linear models -----------------------------------------------------------------------


def _mlp(estimator) -> list[Layer]:
    name, weights = type(estimator).__name__, _fitted(estimator, "coefs_")
    if estimator.activation not in _HIDDEN:
        raise UnsupportedLayerError(
            f"activation {estimator.activation!r} of {name} is not piecewise linear; "
            "train with activation='relu' or 'identity'"
        )
    if estimator.out_activation_ not in _OUTPUT:
        raise UnsupportedLayerError(f"output activation {estimator.out_activation_!r} of {name} is not known")
    made: list[Layer] = []
    for weight, bias in zip(weights, estimator.intercepts_, strict=True):
        made += [Affine(np.asarray(weight).T, bias), _HIDDEN[estimator.activation]()]
    made.pop()
    if (head := _OUTPUT[estimator.out_activation_]) is not None:
        made.append(head())
    return made


def _linear(estimator) -> list[Layer]:
    weight = np.atleast_2d(_fitted(estimator, "coef_"))
    return [Affine(weight, np.broadcast_to(estimator.intercept_, len(weight)).astype(float))]


def _probabilistic(estimator) -> list[Layer]:
    """Scores behind a logistic function, or a softmax unless there is a model for each class."""
    made = _linear(estimator)
    binary = len(made[0].bias) == 1
    kind = getattr(estimator, "multi_class", "auto")
    if kind == ("multinomial" if binary else "ovr") or (
        not binary and getattr(estimator, "solver", "") == "liblinear"
    ):
        return made
    return [*made, Sigmoid() if binary else Softmax()]


# ---- layers that were trained here -------------------------------------------------------------------------


def _lse_regressor(estimator) -> list[Layer]:
    fit = _fitted(estimator, "fit_")
    made = _maxima(fit.polynomials, fit.eps)
    return made if fit.signs == (1,) else [*made, Affine([fit.signs], [0.0])]


def _lse_classifier(estimator) -> list[Layer]:
    heads, eps = _fitted(estimator, "heads_"), estimator.layer_.eps
    return [*_maxima(heads, eps), Scale(np.full(len(heads), 1 / eps), np.zeros(len(heads))), Softmax()]


def _max_affine(estimator) -> list[Layer]:
    return _maxima([_fitted(estimator, "polynomial_")], 0.0)


def _maxima(heads: Iterable[Polynomial], eps: float) -> list[Layer]:
    """All affine functions at once, then the maximum of those of each head, at ε."""
    heads = list(heads)
    weight = np.concatenate([head.slopes for head in heads])
    bias = np.concatenate([head.coefficients for head in heads])
    groups = np.arange(len(bias)).reshape(len(heads), -1)
    return [Affine(weight, bias), Maximum(groups if len(heads) > 1 else None).deform(eps)]


# ---- steps before them -------------------------------------------------------------------------------------


def _standard(step) -> list[Layer]:
    size = _fitted(step, "n_features_in_")
    return [_shifted(step.mean_ if step.with_mean else None, step.scale_, size)]


def _robust(step) -> list[Layer]:
    return [_shifted(step.center_, step.scale_, _fitted(step, "n_features_in_"))]


def _shifted(center, scale, size: int) -> Scale:
    """(x − center) / scale, either of which may be left out."""
    factor = np.ones(size) if scale is None else 1 / np.asarray(scale, dtype=float)
    return Scale(factor, np.zeros(size) if center is None else -factor * center)


def _min_max(step) -> list[Layer]:
    made: list[Layer] = [Scale(_fitted(step, "scale_"), step.min_)]
    return [*made, layers.clip(*map(float, step.feature_range))] if step.clip else made


def _max_abs(step) -> list[Layer]:
    made: list[Layer] = [_shifted(None, _fitted(step, "scale_"), step.n_features_in_)]
    return [*made, layers.clip(-1, 1)] if getattr(step, "clip", False) else made


def _principal(step) -> list[Layer]:
    components = _fitted(step, "components_")
    if getattr(step, "whiten", False):
        tiny = np.finfo(components.dtype).eps  # as scikit-learn keeps from dividing by 0
        components = components / np.maximum(np.sqrt(step.explained_variance_), tiny)[:, None]
    mean = getattr(step, "mean_", None)
    return [Affine(components, np.zeros(len(components)) if mean is None else -components @ mean)]


def _selection(step) -> list[Layer]:
    return [Gather(np.flatnonzero(step.get_support()))]


_RULES = {
    ("MLPClassifier", "MLPRegressor"): _mlp,
    ("LogisticRegression", "LinearDiscriminantAnalysis"): _probabilistic,
    ("LinearModel", "LinearClassifierMixin", "BaseSGDRegressor"): _linear,
    ("LSERegressor",): _lse_regressor,
    ("LSEClassifier",): _lse_classifier,
    ("MaxAffineRegressor",): _max_affine,
    ("StandardScaler",): _standard,
    ("MinMaxScaler",): _min_max,
    ("MaxAbsScaler",): _max_abs,
    ("RobustScaler",): _robust,
    ("PCA", "TruncatedSVD"): _principal,
    ("SelectorMixin",): _selection,
}

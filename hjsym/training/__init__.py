"""Training of log-sum-exp layers as a search over initial data.

`LSERegressor`, `LSEClassifier` and `MaxAffineRegressor` are scikit-learn estimators and need scikit-learn, which is
imported when one is asked for; `fit_lse`, `merge_neurons` and `initial_data` do without.
"""

import importlib

from hjsym.training.fit import LSEFit, fit_lse
from hjsym.training.merging import Merged, merge_neurons
from hjsym.training.recovery import InitialData, initial_data
from hjsym.training.schedule import Schedule

__all__ = [
    "InitialData",
    "LSEClassifier",
    "LSEFit",
    "LSERegressor",
    "MaxAffineRegressor",
    "Merged",
    "Schedule",
    "fit_lse",
    "initial_data",
    "merge_neurons",
]

_ESTIMATORS = {
    "LSEClassifier": "classifier",
    "LSERegressor": "regressor",
    "MaxAffineRegressor": "max_affine_regressor",
}


def __getattr__(name: str):
    if name not in _ESTIMATORS:
        raise AttributeError(f"module 'hjsym.training' has no attribute {name!r}")
    try:
        importlib.import_module("sklearn.base")
    except ImportError:
        raise ImportError(
            f"{name} is a scikit-learn estimator, and scikit-learn is not installed; install hjsym[sklearn]"
        ) from None
    return getattr(importlib.import_module(f"hjsym.training.{_ESTIMATORS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS})

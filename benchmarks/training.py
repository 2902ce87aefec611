"""Trained layers beside scikit-learn's networks and convex regression: scores of cross-validation and times.

    python benchmarks/training.py

Real data that scikit-learn brings along. Inputs have mean 0 and standard deviation 1, targets too; five folds, the
same for all. In regression each contestant has four settings, chosen among by three folds within each training set.
Times are of one fit at the setting chosen, CPU time of one process, the mean over the folds.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import time
import warnings
from importlib.metadata import version

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hjsym.training import LSEClassifier, LSERegressor, MaxAffineRegressor

FOLDS = 5


def worst_area():
    """The largest area among the nuclei of a sample, from ten means over them: area grows as the square of length."""
    """The largest area among the nuclei of a sample, from the ten means over them."""
    data = load_breast_cancer()
    return data.data[:, :10], data.data[:, list(data.feature_names).index("worst area")]


REGRESSIONS = {
    "diabetes, 442 × 10": load_diabetes(return_X_y=True),
    "breast cancer, worst area from means, 569 × 10": worst_area(),
}
REGRESSORS = {
    "`LSERegressor`": (LSERegressor(alpha=1e-3, random_state=0), {"n_neurons": [1, 2, 4, 8]}),
    "`LSERegressor`, difference": (
        LSERegressor(shape="difference", alpha=1e-3, random_state=0),
        {"n_neurons": [1, 2, 4, 8]},
    ),
    "`MaxAffineRegressor`": (MaxAffineRegressor(random_state=0), {"n_pieces": [1, 2, 4, 8]}),
    "`MLPRegressor`, L-BFGS": (
        MLPRegressor(solver="lbfgs", max_iter=500, random_state=0),
        {"hidden_layer_sizes": [(20,), (100,)], "alpha": [1e-1, 10.0]},
    ),
    "`MLPRegressor`, Adam, early stopping": (
        MLPRegressor(early_stopping=True, max_iter=1000, random_state=0),
        {"hidden_layer_sizes": [(20,), (100,)], "learning_rate_init": [1e-3, 1e-2]},
    ),
    "`Ridge`": (Ridge(), {"alpha": [0.1, 1.0, 10.0, 100.0]}),
}
CLASSIFIERS = {
    "`LSEClassifier`, 8 neurons a class": LSEClassifier(8, random_state=0),
    "`LSEClassifier`, 1 neuron a class": LSEClassifier(1, random_state=0),
    "`MLPClassifier`, 100 hidden": MLPClassifier(max_iter=300, random_state=0),
    "`LogisticRegression`": LogisticRegression(max_iter=1000),
}


def timed(model, X, y) -> float:
    start = time.process_time()
    model.fit(X, y)
    return time.process_time() - start


def row(name: str, scores, times) -> None:
    print(
        f"| {name} | {np.mean(scores):.3f} ± {np.std(scores):.3f} | {1e3 * np.mean(times):.0f} |", flush=True
    )


def regressions() -> None:
    for name, (X, y) in REGRESSIONS.items():
        print(f"\n## {name}: R²\n\n| model | R², five folds | ms a fit |\n|---|---|---|")
        for label, (model, grid) in REGRESSORS.items():
            scores, times = [], []
            for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(X):
                inner = make_pipeline(
                    StandardScaler(), TransformedTargetRegressor(model, transformer=StandardScaler())
                )
                prefix = "transformedtargetregressor__regressor__"
                settings = {prefix + key: values for key, values in grid.items()}
                best = GridSearchCV(inner, settings, cv=3, refit=False).fit(X[train], y[train]).best_params_
                chosen = clone(inner).set_params(**best)
                times.append(timed(chosen, X[train], y[train]))
                scores.append(chosen.score(X[test], y[test]))
            row(label, scores, times)


def classifications() -> None:
    X, y = load_digits(return_X_y=True)
    print(
        "\n## digits, 1797 × 64, ten classes: accuracy\n\n| model | accuracy, five folds | ms a fit |\n|---|---|---|"
    )
    for label, model in CLASSIFIERS.items():
        scores, times = [], []
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y):
            fitted = make_pipeline(StandardScaler(), clone(model))
            times.append(timed(fitted, X[train], y[train]))
            scores.append(fitted.score(X[test], y[test]))
        row(label, scores, times)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", RuntimeWarning)  # MLPs that overflow at a large step
    print(f"numpy {version('numpy')}, scikit-learn {version('scikit-learn')}")
    regressions()
    classifications()

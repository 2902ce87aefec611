"""Intrinsic dimension: what an exponent of a scaling law says about it, which is little, and what data say.

An exponent is not a dimension: E ~ N^{−α} has α = s/d, where s = 1 for Lipschitz targets and 2 for targets with two
derivatives, and twice that if E is a squared error. d_eff = 1/α is one of d = 1/α, 2/α and 4/α, and which of them no
curve tells.

Data do: `intrinsic_dimension` asks the estimators of scikit-dimension.

Sources: U. Sharma, J. Kaplan, "Scaling laws from the data manifold dimension", JMLR 23 (2022), for α = 4/d; the
readings 1/α of published exponents are those of arXiv:2605.28983. E. Levina, P. J. Bickel, "Maximum likelihood
estimation of intrinsic dimension", NIPS 17 (2004); E. Facco, M. d'Errico, A. Rodriguez, A. Laio, "Estimating the
intrinsic dimension of datasets by a minimal neighborhood information", Sci. Rep. 7 (2017); J. Bac et al.,
"Scikit-dimension", Entropy 23 (2021).
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from hjsym.scaling.fits import PowerLaw
from tropical._arrays import refuse_where
from tropical._workers import Workers, in_order
from tropical.errors import InputError, ShapeError

__all__ = [
    "PUBLISHED_EXPONENTS",
    "CurveDimension",
    "DataDimension",
    "dimension_of_curve",
    "intrinsic_dimension",
]

PUBLISHED_EXPONENTS = {  # as read in arXiv:2605.28983
    "language, Kaplan": 0.076,
    "language, Chinchilla": 0.35,
    "video": 0.24,
    "mathematics": 0.38,
}
_READINGS = {
    1: "Lipschitz target, error itself",
    2: "Lipschitz target and squared error, or two derivatives and error itself",
    4: "two derivatives, squared error",
}


@dataclass(frozen=True)
class CurveDimension:
    """What a rate α says about dimension: between 1/α and 4/α; what `dimension_of_curve` returns.

    Attributes
    ----------
    alpha : float
    interval : (float, float) or None
        Of α.

    Examples
    --------
    >>> found = dimension_of_curve(0.5)
    >>> found.d_eff, found.range, len(found.readings)
    (2.0, (2.0, 8.0), 3)
    """

    alpha: float
    interval: tuple[float, float] | None = None

    @property
    def d_eff(self) -> float:
        """1/α, the smallest reading."""
        return 1 / self.alpha

    @property
    def readings(self) -> dict[int, float]:
        """c/α for c = 1, 2 and 4."""
        return {c: c / self.alpha for c in _READINGS}

    @property
    def range(self) -> tuple[float, float]:
        """From the smallest reading to the largest, at the ends of the interval of α where there is one."""
        low, high = self.interval or (self.alpha, self.alpha)
        return 1 / high, (4 / low if low > 0 else math.inf)

    def __str__(self) -> str:
        lines = [
            f"d_eff = 1/α = {self.d_eff:.1f} for α = {self.alpha:.3g}; up to a factor of 4, as it may be"
        ]
        lines += [f"  {value:.1f} = {c}/α: {_READINGS[c]}" for c, value in self.readings.items()]
        if self.interval:
            lines.append("  with the interval of α: {:.1f} to {:.1f}".format(*self.range))
        return "\n".join(lines)


def dimension_of_curve(rate: float | PowerLaw) -> CurveDimension:
    """What the exponent of a scaling law says about the dimension of the data, with its ambiguity.

    Parameters
    ----------
    rate : float or PowerLaw
        α > 0 of E ~ N^{−α}; of a fit its interval is carried along.

    Examples
    --------
    >>> print(dimension_of_curve(0.076))
    d_eff = 1/α = 13.2 for α = 0.076; up to a factor of 4, as it may be
      13.2 = 1/α: Lipschitz target, error itself
      26.3 = 2/α: Lipschitz target and squared error, or two derivatives and error itself
      52.6 = 4/α: two derivatives, squared error
    >>> [round(dimension_of_curve(alpha).d_eff, 1) for alpha in PUBLISHED_EXPONENTS.values()]
    [13.2, 2.9, 4.2, 2.6]
    """
    alpha, interval = (rate, None)
    if isinstance(rate, PowerLaw):
        alpha, interval = rate.alpha, (-rate.interval[1], -rate.interval[0])
    if not (math.isfinite(alpha) and alpha > 0):
        raise InputError(f"the rate is {alpha}; pass α > 0 of an error that falls like N^(−α)")
    return CurveDimension(float(alpha), interval)


@dataclass(frozen=True)
class DataDimension:
    """Estimates of the intrinsic dimension of data; what `intrinsic_dimension` returns.

    Attributes
    ----------
    estimates : mapping of str to float
        By estimator.
    points : int
        Different ones.
    duplicates : int
        Repeated ones, left out.
    ambient : int
        The number of columns.

    Examples
    --------
    >>> DataDimension({"TwoNN": 1.98}, points=500, duplicates=0, ambient=3).estimates["TwoNN"]
    1.98
    """

    estimates: Mapping[str, float]
    points: int
    duplicates: int
    ambient: int
    range: tuple[float, float] = field(init=False)

    def __post_init__(self):
        values = list(self.estimates.values())
        object.__setattr__(self, "range", (min(values), max(values)))

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value:.2f}" for name, value in self.estimates.items())
        less = f" ({self.duplicates} duplicates left out)" if self.duplicates else ""
        return f"{parts}; from {self.points} points{less} in R^{self.ambient}"


def intrinsic_dimension(
    X: ArrayLike, estimators: Sequence[str] = ("MLE", "TwoNN"), *, executor: Workers = None, **options
) -> DataDimension:
    """The intrinsic dimension of data by estimators of scikit-dimension.

    Parameters
    ----------
    X : (n, D) array
        Points, at least 3 different ones. Duplicates, whose distance 0 the estimators divide by, are left out.
    estimators : sequence of str
        Names of `skdim.id`: "MLE" (Levina and Bickel), "TwoNN" (Facco et al.), "CorrInt", "DANCo", "lPCA", "TLE" …
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Runs the estimators, as in `tropical.linear_regions`.
    **options
        For the estimators, where they take them: ``n_neighbors=20``.

    Returns
    -------
    DataDimension

    Raises
    ------
    InputError
        scikit-dimension is not there, an unknown estimator, points that are not finite, fewer than 3 different ones.
    ShapeError
        X is no table.

    Notes
    -----
    Estimators disagree where the data are few or curved: more than one is asked by default. All are biased
    downwards in high dimension: points would have to be exponentially many.

    Examples
    --------
    >>> t = np.random.default_rng(0).uniform(0, 6, (500, 1))
    >>> print(intrinsic_dimension(np.hstack([np.cos(t), np.sin(t), t])))           # a helix
    MLE 0.98, TwoNN 0.99; from 500 points in R^3
    """
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or 0 in X.shape:
        raise ShapeError(f"X has shape {X.shape}; pass n points of D numbers, (n, D)")
    refuse_where(~np.isfinite(X), "X", X, "points must be finite")
    different = np.unique(X, axis=0)
    if len(different) < 3:
        raise InputError(f"X has {len(different)} different points; an estimate needs 3, a good one hundreds")
    if isinstance(estimators, str):
        estimators = (estimators,)
    known = _known_estimators()
    if not estimators or not set(estimators) <= known.keys():
        raise InputError(f"estimators are {list(estimators)}; pass some of {', '.join(sorted(known))}")
    padded = different if X.shape[1] > 1 else np.pad(different, ((0, 0), (0, 1)))  # skdim refuses one column
    work = [(known[name], padded, options) for name in estimators]
    estimates = dict(zip(estimators, in_order(_estimate, work, executor), strict=True))
    return DataDimension(estimates, len(different), len(X) - len(different), X.shape[1])


def _known_estimators() -> dict[str, type]:
    try:
        module = importlib.import_module("skdim.id")
    except ImportError:
        raise InputError(
            "estimators of dimension are those of scikit-dimension; install hjsym[dimension]"
        ) from None
    return {name: value for name, value in vars(module).items() if isinstance(value, type) and name[0] != "_"}


def _estimate(kind: type, X: np.ndarray, options: dict) -> float:
    """Local estimators take the neighbourhood when they fit, all others their options when they are made."""
    at_fit = {"n_neighbors"} & options.keys() & set(inspect.signature(kind.fit).parameters)
    made = kind(**{name: value for name, value in options.items() if name not in at_fit})
    return float(made.fit(X, **{name: options[name] for name in at_fit}).dimension_)

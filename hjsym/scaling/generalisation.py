"""Risk of fitted layers against the number of samples, and error of fitted layers against their width.

For Lipschitz initial data g on a box and a fixed time t > 0, f = |x|²/4t − u(x, t) is convex and Lipschitz. Two
worst-case rates of the root mean square risk stand beside a measured exponent:

- n^{−1/(d+2)}: the minimax rate over Lipschitz functions of d variables. It is also what N = n^{d/(d+2)} neurons cost
  in variance, σ√(N/n), whatever the target.
- n^{−2/(d+4)}: the rate over convex Lipschitz functions, of metric entropy δ^{−d/2}. The functions that a layer
  reaches at fixed t are convex, so this is the rate of their class. It is derived from the entropy and has not been
  confirmed against the text of the theorem in arXiv:2605.28983, which names the first.

Both bound the worst function of their class. A fit of one smooth function may be faster than either; one with too
many neurons slower than the second.

Sources: C. J. Stone, "Optimal global rates of convergence for nonparametric regression", Ann. Statist. 10 (1982);
E. M. Bronshtein, "ε-entropy of convex sets and functions", Siberian Math. J. 17 (1976); A. Guntuboyina, B. Sen, "Global
risk bounds and adaptation in univariate convex regression", Probab. Theory Relat. Fields 163 (2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from hjsym.scaling.fits import PowerLaw, power_law
from hjsym.scaling.quadrature import box_layer, euclidean
from hjsym.training import fit_lse
from tropical._progress import Progress, reporting
from tropical._workers import Workers, in_order
from tropical.errors import InputError

__all__ = ["RiskStudy", "convex_rate", "lipschitz_rate", "risk_study", "trained_rate"]

Fit = Callable[..., Callable[[np.ndarray], np.ndarray]]
_HALF_WIDTH = 2.0
_NODES = {1: 40, 2: 24, 3: 10}  # of the target, on each side of 0


def lipschitz_rate(d: int) -> float:
    """−1/(d + 2): the minimax exponent of the root mean square risk over Lipschitz functions.

    >>> [lipschitz_rate(d) for d in (2, 8)]
    [-0.25, -0.1]
    """
    return -1 / (d + 2)


def convex_rate(d: int) -> float:
    """−2/(d + 4): the exponent over convex Lipschitz functions, from their metric entropy.

    >>> [convex_rate(d) for d in (1, 4)]
    [-0.4, -0.25]
    """
    return -2 / (d + 4)


@dataclass(frozen=True, eq=False)
class RiskStudy:
    """Risk against the number of samples; what `risk_study` returns.

    Attributes
    ----------
    variables : int
        d.
    law : PowerLaw
        Of the mean risk over n, with a bootstrap over repetitions.
    risks : (repetitions, k) array
        Root mean squares of f̂ − f over fresh points.
    neurons : (k,) array
        N = n^power.

    Examples
    --------
    >>> law = power_law([50, 100, 200], [0.1, 0.07, 0.05])
    >>> study = RiskStudy(1, law, np.array([[0.1, 0.07, 0.05]]), np.array([4, 5, 6]))
    >>> ax = study.plot()
    """

    variables: int
    law: PowerLaw
    risks: np.ndarray
    neurons: np.ndarray
    bounds: dict[str, float] = field(init=False)

    def __post_init__(self):
        d = self.variables
        bounds = {"Lipschitz": lipschitz_rate(d), "convex Lipschitz": convex_rate(d)}
        object.__setattr__(self, "bounds", bounds)

    def __str__(self) -> str:
        low, high = self.law.interval
        lines = [f"d = {self.variables}: risk ~ n^{self.law.exponent:.3f} [{low:.3f}, {high:.3f}]"]
        lines += [
            f"  n^{rate:.3f} is the worst case of {name} functions" for name, rate in self.bounds.items()
        ]
        return "\n".join(lines)

    def plot(self, ax=None):
        """Risks, the fitted line and both rates on logarithmic axes, on new ones unless given; returns them."""
        from tropical._figures import BLUE, GREY, INK

        ax = self.law.plot(ax, label=f"d = {self.variables}", color=BLUE)
        n, start = self.law.sizes, self.law(self.law.sizes[0])
        for (name, rate), style, color in zip(self.bounds.items(), (":", "--"), (GREY, INK), strict=True):
            ax.loglog(n, start * (n / n[0]) ** rate, style, color=color, label=f"{name}: {rate:.2f}")
        ax.set(xlabel="samples n", ylabel="risk")
        ax.legend(frameon=False)
        return ax


@dataclass(frozen=True, eq=False)
class _Trial:
    """One sample, one fit, one risk. Its own class so that processes can be handed it."""

    target: Callable
    variables: int
    eps: float
    noise: float
    fresh: int
    fit: Fit

    def __call__(self, samples: int, neurons: int, seed: int) -> float:
        rng = np.random.default_rng(seed)
        x = rng.uniform(-_HALF_WIDTH, _HALF_WIDTH, (samples, self.variables))
        y = self.target(x) + self.noise * rng.normal(size=samples)
        fitted = self.fit(x, y, n_neurons=neurons, eps=self.eps, seed=int(rng.integers(2**31)))
        fresh = rng.uniform(-_HALF_WIDTH, _HALF_WIDTH, (self.fresh, self.variables))
        return float(np.sqrt(np.mean((fitted(fresh) - self.target(fresh)) ** 2)))


def risk_study(
    d: int,
    samples: Sequence[int] = (100, 200, 400, 800, 1600, 3200),
    *,
    repetitions: int = 5,
    power: float | None = None,
    g: Callable[[np.ndarray], ArrayLike] = euclidean,
    eps: float = 0.1,
    t: float = 0.25,
    noise: float = 0.2,
    fresh: int = 2000,
    fit: Fit = fit_lse,
    rng: np.random.Generator | int | None = 0,
    confidence: float = 0.95,
    executor: Workers = None,
    progress: Progress = None,
) -> RiskStudy:
    """Risk against n for data f(x) + noise with f of Lipschitz initial data g at time t, N = n^{d/(d+2)} neurons.

    Points are uniform in [−2, 2]^d, f is `box_layer` with atoms there, and what is fitted has its temperature.

    Parameters
    ----------
    d : int
        1, 2 or 3.
    samples : sequence of int
        n, in increasing order, three or more.
    repetitions : int
        Samples and fits for each n, ≥ 2.
    power : float, optional
        N = n^power neurons; d/(d + 2) by default, d/(d + 4) balances variance with the N^{−2/d} of smooth convex f.
    g, eps, t
        The initial data, the temperature and the time of f.
    noise : float
        σ of the normal noise, ≥ 0.
    fresh : int
        Points that the risk is measured at.
    fit : callable
        ``fit(x, y, n_neurons=, eps=, seed=)`` returns a function of points (m, d); `hjsym.training.fit_lse` by default,
        and with ``functools.partial(fit_lse, schedule=Schedule("adam", max_iter=3000))`` by Adam.
    rng : numpy Generator or seed
        The result depends on it alone, not on the executor.
    confidence : float
        Of the bootstrap over repetitions.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Runs the fits, as in `tropical.linear_regions`; processes need a `fit` that can be pickled.
    progress : callable, bool, optional
        Called with the number of fits done; True draws a bar.

    Returns
    -------
    RiskStudy

    Examples
    --------
    >>> study = risk_study(1, (50, 100, 200, 400), repetitions=4)
    >>> study.neurons, {name: round(rate, 3) for name, rate in study.bounds.items()}
    (array([4, 5, 6, 7]), {'Lipschitz': -0.333, 'convex Lipschitz': -0.4})
    >>> print(str(study)[:13])
    d = 1: risk ~
    """
    if d not in _NODES:
        raise InputError(f"d is {d}; the target is integrated for 1, 2 and 3 variables")
    if repetitions < 2 or not (math.isfinite(noise) and noise >= 0) or fresh < 1:
        raise InputError(
            f"repetitions = {repetitions}, noise = {noise}, fresh = {fresh}; pass at least 2, 0 and 1"
        )
    samples = [int(n) for n in samples]
    if min(samples, default=0) < 4:
        raise InputError(f"samples are {samples}; pass three sizes or more, each at least 4")
    power = d / (d + 2) if power is None else power
    neurons = [max(2, round(n**power)) for n in samples]
    target = box_layer(d, _NODES[d], rule="gauss", g=g, eps=eps, t=t, half_width=_HALF_WIDTH)
    trial = _Trial(target, d, eps, noise, fresh, fit)
    seeds = np.random.default_rng(rng).integers(2**63, size=(repetitions, len(samples))).tolist()
    work = [(n, N, seed) for row in seeds for n, N, seed in zip(samples, neurons, row, strict=True)]
    risks = np.reshape(_all_of(trial, work, executor, progress), (repetitions, len(samples)))
    law = power_law(samples, risks, confidence=confidence, rng=0)
    return RiskStudy(d, law, risks, np.array(neurons))


def trained_rate(
    d: int,
    widths: Sequence[int],
    *,
    eps: float | None = None,
    samples: int = 4000,
    fresh: int = 800,
    starts: int = 5,
    fit: Fit = fit_lse,
    rng: np.random.Generator | int | None = 0,
    confidence: float = 0.95,
    executor: Workers = None,
    progress: Progress = None,
) -> PowerLaw:
    """The error of layers fitted to |x| on [−2, 2]^d against their width N, the best of some starts.

    Parameters
    ----------
    d : int
        Variables.
    widths : sequence of int
        N, in increasing order, three or more.
    eps : float, optional
        A temperature for all; by default ε = N^{−1/d}, as prescribed in arXiv:2605.28983.
    samples, fresh : int
        Points to fit and to test on.
    starts : int
        Fits for each N, of which the one with the least test error counts, as in the paper.
    fit, rng, confidence, executor, progress
        As for `risk_study`.

    Notes
    -----
    The paper's exponents −1.01, −0.50 and −0.20 for d = 1, 2, 4 are of 3000 steps of Adam. In one variable a better
    optimum gives −1.5: at ε = 1/N two neurons have that rate (see `two_neuron_loss`). The exponent is that of the
    temperature, and at fixed ε the error does not fall with N.

    Examples
    --------
    >>> [abs(round(trained_rate(1, (4, 8, 16), eps=e, samples=400, starts=1).exponent)) for e in (None, 0.1)]
    [1, 0]
    """
    if d < 1 or starts < 1 or samples < 1 or fresh < 1:
        raise InputError(
            f"d = {d}, starts = {starts}, samples = {samples}, fresh = {fresh}; each is 1 or more"
        )
    widths = [int(n) for n in widths]
    if min(widths, default=0) < 1:
        raise InputError(f"widths are {widths}; pass three or more, each at least 1")
    draw = np.random.default_rng(rng)
    seeds = draw.integers(2**63, size=(starts, len(widths))).tolist()
    x, other = (draw.uniform(-_HALF_WIDTH, _HALF_WIDTH, (m, d)) for m in (samples, fresh))
    trial = _Training(x, other, fit)
    heat = [n ** (-1 / d) if eps is None else eps for n in widths]
    work = [(*one, seed) for row in seeds for *one, seed in zip(widths, heat, row, strict=True)]
    errors = np.reshape(_all_of(trial, work, executor, progress), (starts, len(widths)))
    return power_law(widths, errors.min(axis=0), confidence=confidence)


@dataclass(frozen=True, eq=False)
class _Training:
    """One fit of |x|, one test error."""

    x: np.ndarray
    fresh: np.ndarray
    fit: Fit

    def __call__(self, neurons: int, eps: float, seed: int) -> float:
        fitted = self.fit(self.x, euclidean(self.x), n_neurons=neurons, eps=eps, seed=seed)
        return float(np.sqrt(np.mean((fitted(self.fresh) - euclidean(self.fresh)) ** 2)))


def _all_of(trial: Callable, work: Sequence[tuple], executor: Workers, progress: Progress) -> list[float]:
    found = []
    with reporting(progress, "fits") as report, closing(in_order(trial, work, executor)) as results:
        for result in results:
            found.append(result)
            if report is not None:
                report(len(found))
    return found

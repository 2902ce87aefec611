"""Trained layers, with the data, sizes, steps and seeds of the paper's code."""

import math

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.paper.row import Drawing, Outcome, Picture, Row, Study, at_most, near, shown
from hjsym.robustness import hessian_norm, smoothness
from hjsym.scaling import power_law
from hjsym.training import merge_neurons
from hjsym.training.descent import Watch, adam, lbfgs
from hjsym.training.objectives import SquaredError
from tropical._figures import INK, PALETTE

__all__ = ["ROWS", "curvatures", "misfit", "train"]


def train(
    x: np.ndarray,
    target: np.ndarray,
    W: np.ndarray,
    b: np.ndarray,
    eps: float,
    steps: int,
    rate: float,
    batches=None,
) -> LSELayer:
    """The layer that so many steps of Adam make of slopes W and offsets b."""
    objective = SquaredError(x, target, np.ones(len(x)), (1,), len(b), eps)
    start = np.column_stack([W, b]).ravel()
    return _layer(adam(objective, start, Watch(), steps, rate, batches).parameters, len(b), eps)


def _layer(parameters: np.ndarray, neurons: int, eps: float) -> LSELayer:
    table = parameters.reshape(neurons, -1)
    return LSELayer(table[:, :-1], table[:, -1], eps)


def _error(layer: LSELayer, x: np.ndarray, target: np.ndarray) -> float:
    return float(np.sqrt(np.mean((layer(x) - target) ** 2)))


# ---- the scaling law ---------------------------------------------------------------------------------

_SIZES = {1: (10, 25, 50, 100, 200, 500), 2: (20, 50, 100, 200, 500), 4: (50, 100, 200, 500)}
_EXPONENTS = {1: 1.01, 2: 0.50, 4: 0.20}
_UNFINISHED = (
    "stated to two decimals, with the seeds of the paper’s code; but 3,000 steps do not end the training, and where it "
    "is depends on rounding: a factor 2 of the loss, which only Adam’s 1e-8 sees, moves α̂ by .08 for d = 1"
)
_DIGITS = {
    1: (0.05, _UNFINISHED),
    2: (0.005, "stated to two decimals; with the seeds of the paper’s code"),
    4: (0.02, _UNFINISHED),
}  # fmt: skip


def trained_law(d: int):
    """Test error in N for f = |x|, with ε = N^(−1/d), and with ε = .1."""

    def run(study: Study) -> Outcome:
        sizes = _SIZES[d][:3] if study.fast else _SIZES[d]
        steps, starts = ({1: 1000, 2: 200, 4: 200}[d], 1) if study.fast else (3000, 5)
        cooled = [_trained_error(d, n, n ** (-1 / d), steps, starts) for n in sizes]
        fixed = [_trained_error(d, n, 0.1, steps, min(starts, 2)) for n in sizes]
        exponent, flat = (power_law(sizes, errors).alpha for errors in (cooled, fixed))
        tolerance, why = (0.1, f"a fast run: three sizes, {steps} steps, one start") if study.fast else (
            _DIGITS[d])  # fmt: skip
        measurements = [
            near(f"fitted α̂ with ε = N^(−1/d), d = {d}", _EXPONENTS[d], exponent, tolerance, why),
            shown("test error, largest N, ε = N^(−1/d)", cooled[-1], f"N = {sizes[-1]}"),
            shown("test error, largest N, ε = .1", fixed[-1], f"N = {sizes[-1]}"),
        ]
        if d == 1:
            measurements.append(at_most("fitted α̂ with ε = .1, d = 1", 0.05, flat,
                "stated as flat in N: more neurons do not help where ε is the error"))  # fmt: skip
        else:
            measurements.append(
                shown(f"fitted α̂ with ε = .1, d = {d}", flat, "flat only where N^(−1/d) < .1")
            )

        def draw(figure) -> None:
            axis = figure.subplots()
            axis.loglog(sizes, cooled, "o-", color=PALETTE[0], label=f"ε = N^(−1/d), α̂ = {exponent:.2f}")
            axis.loglog(sizes, fixed, "s-", color=PALETTE[1], label=f"ε = .1, α̂ = {flat:.2f}")
            axis.set_xlabel("neurons N")
            axis.set_ylabel("test error")
            axis.legend()

        picture = Picture(
            f"Trained layers, d = {d}", "The error follows the ε that is prescribed, not N.", draw, (5, 3)
        )
        return Outcome(tuple(measurements), (picture,))

    return run


def _trained_error(d: int, n: int, eps: float, steps: int, starts: int) -> float:
    """The best test error of some starts."""
    data = np.random.default_rng(42 + d)
    x, test = data.uniform(-2.0, 2.0, (4000, d)), data.uniform(-2.0, 2.0, (800, d))
    target, truth = np.linalg.norm(x, axis=1), np.linalg.norm(test, axis=1)
    errors = []
    for start in range(starts):
        rng = np.random.default_rng(start + d * 100)
        W, b = rng.standard_normal((n, d)) * (0.5 / math.sqrt(d)), rng.standard_normal(n) * 0.3
        errors.append(_error(train(x, target, W, b, eps, steps, 0.006), test, truth))
    return min(errors)


# ---- recovery of initial data --------------------------------------------------------------------------


def recovery(study: Study) -> Outcome:
    """Ten neurons for the Hopf–Lax solution of eight atoms of g = |y|, then duplicates merged."""
    y = np.linspace(-2, 2, 8)
    x = np.linspace(-2.4, 2.4, 400)[:, None]
    target = x[:, 0] ** 2 / 4 - (np.abs(y) + (x - y) ** 2 / 4).min(axis=1)
    steps, starts = (100, 2) if study.fast else (5000, 8)
    measurements, drawn = [], []
    for eps in (0.5, 0.1, 0.04):
        layer = min(
            (_recovered(x, target, eps, steps, start) for start in range(starts)),
            key=lambda f: _error(f, x, target),
        )
        merged = merge_neurons(layer, 1e-5, (-2.4, 2.4)).layer
        raw, clean = (misfit(f) for f in (layer, merged))
        drawn.append((eps, layer.kernel(1.0).initial_data, merged.kernel(1.0).initial_data))
        measurements += [
            at_most(f"max |g − |y||, duplicates merged, ε = {eps:g}", 0.012, clean, "stated as ≤ .012"),
            shown(f"max |g − |y||, not merged, ε = {eps:g}", raw, "the paper’s reading: it falls with ε"),
            near(f"neurons left of ten, ε = {eps:g}", 2, merged.neurons, 0, "two atoms, y ≈ ∓2/7, are ever the best"),
            at_most(f"sup |what is left − trained|, ε = {eps:g}", 1e-5, float(np.abs(merged(x) - layer(x)).max()),
                    "what merging was allowed to change, proved"),
        ]  # fmt: skip
    remark = (
        "Neurons without weight on [−2.4, 2.4] are left out with the duplicates: the data say nothing about them. "
        "There the solution is a maximum of two affine functions, since only the two inner atoms are ever best: "
        "eight of ten neurons end up as duplicates, whatever ε is."
    )

    def draw(figure) -> None:
        axes = figure.subplots(1, 3, sharey=True)
        curve = np.linspace(-1, 1, 51)
        for axis, (eps, raw, clean) in zip(axes, drawn, strict=True):
            axis.plot(curve, np.abs(curve), color=INK, lw=1, label="|y|")
            axis.plot(*raw, "o", mfc="none", color=PALETTE[5], label="as trained")
            axis.plot(*clean, "o", color=PALETTE[0], label="merged")
            axis.set_title(f"ε = {eps:g}")
            axis.set_xlabel("y")
        axes[0].legend()

    picture = Picture(
        "Recovery", "Initial data read off trained layers, before and after merging duplicates.", draw, (8, 3)
    )
    return Outcome(tuple(measurements), (picture,), (remark,))


def _recovered(x: np.ndarray, target: np.ndarray, eps: float, steps: int, start: int) -> LSELayer:
    """Adam, then L-BFGS-B to the end."""
    rng = np.random.default_rng(start)
    W, b = rng.standard_normal(10)[:, None] * 0.4, rng.standard_normal(10) * 0.2
    begun = train(x, target, W, b, eps, steps, 0.008)
    objective = SquaredError(x, target, np.ones(len(x)), (1,), 10, eps)
    start = np.column_stack([begun.W, begun.b]).ravel()
    return _layer(lbfgs(objective, start, Watch(), 10_000, 1e-14).parameters, 10, eps)


def misfit(layer: LSELayer) -> float:
    """max |g_j − |y_j|| of the data in the kernel gauge at t = 1."""
    y, g = layer.kernel(1.0).initial_data
    return float(np.abs(g - np.abs(y[:, 0])).max())


# ---- curvature ---------------------------------------------------------------------------------------


def robustness(study: Study) -> Outcome:
    """The largest second derivative of layers trained on |x|, and two bounds of it."""
    stated = {0.08: 12.4, 0.12: 8.38, 0.2: 5.18, 0.35: 3.18, 0.6: 2.13, 1.0: 1.57}
    x = np.random.default_rng(99).uniform(-2.0, 2.0, 500)[:, None]
    test = np.linspace(-1.8, 1.8, 200)[:, None]
    if study.fast:
        stated = {eps: stated[eps] for eps in (0.08, 0.35)}
    measurements, found = [], []
    for eps, curvature in stated.items():
        layer = _best_of_three(x, test, eps)
        largest, constants = float(hessian_norm(layer, test).max()), smoothness(layer)
        spread, theirs = constants.convex, constants.paper
        found.append((eps, largest, spread, theirs))
        measurements += [
            near(
                f"max f″, ε = {eps:g}",
                curvature,
                largest,
                0.05 if curvature > 10 else 0.005,
                "stated to three digits; with the seeds of the paper’s code",
            ),
            at_most(
                f"max f″ over diam(W)²/4ε, ε = {eps:g}",
                1 + 1e-12,
                largest / spread,
                "Popoviciu’s inequality; rounding",
            ),
            at_most(
                f"diam(W)²/4ε over the paper’s max|W|²/ε, ε = {eps:g}",
                1 + 1e-12,
                spread / theirs,
                "diam ≤ 2 max|W|",
            ),
        ]

    draw = curvatures(found, "largest f″")
    picture = Picture("Curvature", "Measured on 200 points, and the two bounds.", draw, (5, 3))
    return Outcome(tuple(measurements), (picture,))


def curvatures(found, label: str) -> Drawing:
    """A picture of (ε, largest curvature, diam²/4ε, max|W|²/ε)."""

    def draw(figure) -> None:
        axis = figure.subplots()
        eps, largest, spread, theirs = zip(*found, strict=True)
        axis.loglog(eps, theirs, "s--", color=PALETTE[5], label="max|W|²/ε, the paper’s")
        axis.loglog(eps, spread, "^--", color=PALETTE[1], label="diam(W)²/4ε")
        axis.loglog(eps, largest, "o-", color=PALETTE[0], label="measured")
        axis.set_xlabel("ε")
        axis.set_ylabel(label)
        axis.legend()

    return draw


def _best_of_three(x: np.ndarray, test: np.ndarray, eps: float) -> LSELayer:
    layers = []
    for start in range(3):
        rng = np.random.default_rng(start)
        W, b = rng.standard_normal(30)[:, None] * 0.4, rng.standard_normal(30) * 0.2
        layers.append(train(x, np.abs(x[:, 0]), W, b, eps, 4000, 0.01))
    return min(layers, key=lambda f: _error(f, test, np.abs(test[:, 0])))


ROWS = (
    *(
        Row(f"trained-law-{d}", f"Trained “scaling law”, d = {d}",
            f"f = |x| on U(−2, 2)^{d}, 4000/800 points, 3000 steps of Adam, rate .006, best of 5",
            trained_law(d), minutes)
        for d, minutes in ((1, 6.0), (2, 6.0), (4, 7.0))
    ),
    Row("recovery", "Recovery of initial data", "g = |y|, 8 atoms in [−2, 2], 400 points of [−2.4, 2.4], N = 10, t = 1",
        recovery, 0.6),
    Row("robustness-1d", "Curvature of layers trained on |x|", "N = 30, 500 points of U(−2, 2), ε = .08 … 1",
        robustness, 0.5),
)  # fmt: skip

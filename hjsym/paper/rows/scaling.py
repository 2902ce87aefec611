"""Rates: quadrature with N atoms, the “scaling law” of experiment E3, and intrinsic dimensions."""

import math

import numpy as np

from hjsym.paper.rates import (
    QUADRATURE_SIZES,
    evaluation_points,
    exact_layer,
    grid,
    normalised_layer,
    slope,
)
from hjsym.paper.row import Outcome, Picture, Row, Study, at_most, near, shown
from tropical._figures import INK, PALETTE

__all__ = ["ROWS"]

_STATED_ENDS = {1: -1.08, 2: -0.54, 4: -0.34}
_STATED_MIDDLES = {1: -2.00, 2: -1.23, 4: -0.65}
_TWO_DIGITS = "stated to two decimals"
_EARLY = (
    "stated for sizes before the asymptotic −2/d, where odd n put an atom on the kink of g: it depends on the sizes, which "
    "are not given"
)


def quadrature_rate(study: Study) -> Outcome:
    """The error of a normalised layer in the number of atoms: what the end points do to it."""
    measurements, drawn = [], []
    for d, sizes in QUADRATURE_SIZES.items():
        x = evaluation_points(d, 100 + d)
        exact = exact_layer(x)
        paper = _reference_of_the_paper(x, d)
        atoms = [n**d for n in sizes]
        ends = [np.abs(_layer(x, d, n, False) - paper).max() for n in sizes]
        middles = [np.abs(_layer(x, d, n, True) - exact).max() for n in sizes]
        drawn.append((d, atoms, ends, middles))
        measurements.append(
            near(
                f"exponent with end points, d = {d}", _STATED_ENDS[d], slope(atoms, ends), 0.005, _TWO_DIGITS
            )
        )
        tolerance, why = (0.006, _TWO_DIGITS) if d == 1 else (0.15, _EARLY)
        measurements.append(
            near(
                f"exponent with mid points, d = {d}",
                _STATED_MIDDLES[d],
                slope(atoms, middles),
                tolerance,
                why,
            )
        )
    for d, pair in ((1, (512, 1024)), (2, (128, 256))):
        x = evaluation_points(d, 100 + d)
        exact = exact_layer(x)
        errors = [np.abs(_layer(x, d, n, True) - exact).max() for n in pair]
        late = slope([n**d for n in pair], errors)
        measurements.append(near(f"exponent with mid points at n = {pair[0]} to {pair[1]}, d = {d}", -2 / d, late, 0.02,
                                 "−2/d: the mid-point rule is of second order; even n"))  # fmt: skip
    remark = (
        "The rate N^(−1/d) is that of the end points, whose share of the weight is too large by a half. Mid points "
        "have the rate N^(−2/d)."
    )
    return Outcome(tuple(measurements), (_rates_picture(drawn),), (remark,))


def _layer(x: np.ndarray, d: int, n: int, midpoints: bool) -> np.ndarray:
    y = grid(d, n, midpoints)
    return normalised_layer(x, y, np.linalg.norm(y, axis=1), 1.0)


def _reference_of_the_paper(x: np.ndarray, d: int) -> np.ndarray:
    """A finer grid with end points, and in four dimensions 100,000 random atoms."""
    if d < 4:
        return _layer(x, d, {1: 16384, 2: 120}[d], False)
    y = np.random.default_rng(777 + d).uniform(-2.0, 2.0, (100_000, d))
    return normalised_layer(x, y, np.linalg.norm(y, axis=1), 1.0)


def _rates_picture(drawn: list) -> Picture:
    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (d, atoms, ends, middles) in enumerate(drawn):
            axis.loglog(atoms, ends, "o-", ms=3, color=PALETTE[k], label=f"d = {d}, end points")
            axis.loglog(atoms, middles, "s--", ms=3, color=PALETTE[k], label=f"d = {d}, mid points")
        axis.set_xlabel("atoms N")
        axis.set_ylabel("sup error")
        axis.legend(ncol=2)

    return Picture("Quadrature", "The same layer, the same data: the atoms’ places decide the rate.", draw)


def scaling_law_e3(study: Study) -> Outcome:
    """g = |y|²/2 and ε = 1/n: the whole loss is the constant dε log(n/(n − 1)) of the normalisation."""
    stated = {1: 2.05, 2: 0.91, 4: 0.53}
    sizes = QUADRATURE_SIZES | {4: (7, 9, 11, 13, 15)}
    measurements, drawn = [], []
    for d, axis_sizes in sizes.items():
        x = evaluation_points(d, 200 + d)
        errors = [_e3_errors(x, d, n) for n in axis_sizes]
        losses = [math.sqrt((e**2).mean()) for e in errors]
        formula = [d / n * math.log(n / (n - 1)) for n in axis_sizes]
        atoms = [n**d for n in axis_sizes]
        drawn.append((d, atoms, losses, formula))
        measurements.append(near(f"fitted α̂, d = {d}", stated[d], -slope(atoms, losses), 0.005, _TWO_DIGITS))
        late = [
            abs(a / b - 1) for a, b, n in zip(losses, formula, axis_sizes, strict=True) if n >= 40 or d == 4
        ]
        measurements.append(at_most(f"|loss / (dε log(n/(n − 1))) − 1|, largest n, d = {d}", 1e-4, late[-1],
                                    "the grid’s cell is 4/(n − 1), not 4/n; what is left is quadrature, ~e^(−n)"))  # fmt: skip
        measurements.append(at_most(f"spread of the error over x, over the loss, d = {d}", 1e-3,
                                    errors[-1].std() / losses[-1], "the error is one constant: nothing is approximated"))  # fmt: skip

    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (d, atoms, losses, formula) in enumerate(drawn):
            axis.loglog(atoms, losses, "o", ms=4, color=PALETTE[k], label=f"d = {d}, loss")
            axis.loglog(atoms, formula, "-", lw=1, color=PALETTE[k], label=f"d = {d}, dε log(n/(n − 1))")
        axis.set_xlabel("atoms N = n^d")
        axis.legend(ncol=2)

    picture = Picture("Experiment E3", "The “scaling law” is the formula of a normalising constant.", draw)
    return Outcome(tuple(measurements), (picture,))


def _e3_errors(x: np.ndarray, d: int, n: int) -> np.ndarray:
    """Layer minus target: the Gaussian integral over all of R^d, in closed form."""
    eps = 1 / n
    y = grid(d, n, False)
    square = (x**2).sum(axis=1)
    target = square / 12 + d / 2 * eps * math.log(4 * math.pi * eps / 3) - d * eps * math.log(4)
    return normalised_layer(x, y, (y**2).sum(axis=1) / 2, eps) - target


def intrinsic_dimension(study: Study) -> Outcome:
    """1/α for published exponents, and what else the same α may mean."""
    curves = {
        "language (Kaplan)": (0.076, 13.2), "language (Chinchilla)": (0.35, 2.9), "video": (0.24, 4.2),
        "mathematics": (0.38, 2.6),
    }  # fmt: skip
    measurements = []
    for name, (alpha, stated) in curves.items():
        d_eff = 1 / alpha
        measurements.append(
            near(f"d_eff = 1/α, {name}, α = {alpha:g}", stated, d_eff, 0.05, "stated to one decimal")
        )
        measurements.append(
            shown(f"the same α with loss ∝ N^(−2/d), {name}", 2 * d_eff, "error of second order, or squared")
        )
        measurements.append(shown(f"the same α with loss ∝ N^(−4/d), {name}", 4 * d_eff, "both"))
    remark = (
        "An exponent alone gives no dimension: first or second order, and a loss that is an error or its square, make α "
        "mean 1/d, 2/d or 4/d. The quadrature row above shows 1 and 2 for the same data."
    )

    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (name, (alpha, _)) in enumerate(curves.items()):
            axis.plot([1 / alpha, 4 / alpha], [k, k], "-", color=PALETTE[0])
            axis.plot([1 / alpha, 2 / alpha, 4 / alpha], [k] * 3, "o", color=PALETTE[0])
            axis.text(4 / alpha * 1.05, k, name, va="center", color=INK)
        axis.set_xscale("log")
        axis.set_xlim(2, 200)
        axis.set_yticks([])
        axis.set_xlabel("dimension that α could mean: 1/α, 2/α, 4/α")

    picture = Picture("Ambiguity", "A factor of 2 to 4 that the exponent does not decide.", draw, (6, 2.6))
    return Outcome(tuple(measurements), (picture,), (remark,))


ROWS = (
    Row("quadrature-rate", "Quadrature with N atoms", "g = |y|, ε = t = 1, [−2, 2]^d, d = 1, 2, 4", quadrature_rate, 0.1),
    Row("scaling-e3", "The “scaling law” of experiment E3", "g = |y|²/2, ε = N^(−1/d), t = 1", scaling_law_e3, 0.1),
    Row("intrinsic-dimension", "Intrinsic dimension from scaling exponents",
        "published α: Kaplan .076, Chinchilla .35, video .24, mathematics .38", intrinsic_dimension),
)  # fmt: skip

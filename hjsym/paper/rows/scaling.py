"""Rates: quadrature with N atoms, the “scaling law” of experiment E3, and intrinsic dimensions."""

from hjsym.paper.row import Outcome, Picture, Row, Study, at_most, near, shown
from hjsym.scaling import PUBLISHED_EXPONENTS, dimension_of_curve, prescribed_rate, quadrature_rate
from tropical._figures import INK, PALETTE

__all__ = ["ROWS"]

_TWO_DIGITS = "stated to two decimals"
_EARLY = "stated to two decimals, but not for which n: near n = 5 the list decides the second digit"


def quadrature(study: Study) -> Outcome:
    """The error of a normalised layer in the number of atoms: what the end points do to it."""
    measurements, drawn = [], []
    for d, ends, middles in ((1, -1.08, -2.00), (2, -0.54, -1.23), (4, -0.34, -0.65)):
        with_ends = quadrature_rate(d, reference="paper")
        with_middles = quadrature_rate(d, rule="midpoints")
        drawn.append((d, with_ends, with_middles))
        measurements.append(
            near(f"exponent with end points, d = {d}", ends, with_ends.exponent, 0.005, _TWO_DIGITS)
        )
        if d == 1:
            what, found, tolerance, why = "the same sizes", with_middles, 0.005, _TWO_DIGITS
        else:
            what, nodes = {2: ("n = 5 … 40", (5, 8, 12, 18, 28, 40)), 4: ("n = 3 … 7", (3, 4, 5, 6, 7))}[d]
            found, tolerance, why = quadrature_rate(d, nodes, rule="midpoints"), 0.02, _EARLY
        measurements.append(
            near(f"exponent with mid points, d = {d}, {what}", middles, found.exponent, tolerance, why)
        )
        measurements.append(
            shown(
                f"exponent with mid points, d = {d}, all sizes", with_middles.exponent, "asymptotically −2/d"
            )
        )
    late = quadrature_rate(2, (64, 128, 256), rule="midpoints").exponent
    measurements.append(near("exponent with mid points, d = 2, n = 64 … 256", -1.0, late, 0.03,
                             "−2/d: mid points are of second order; the kink at 0 costs a logarithm"))  # fmt: skip

    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (d, with_ends, with_middles) in enumerate(drawn):
            axis.loglog(
                with_ends.sizes, with_ends.errors, "o-", ms=3, color=PALETTE[k], label=f"d = {d}, end points"
            )
            axis.loglog(
                with_middles.sizes,
                with_middles.errors,
                "s--",
                ms=3,
                color=PALETTE[k],
                label=f"d = {d}, mid points",
            )
        axis.set_xlabel("atoms N")
        axis.set_ylabel("sup error")
        axis.legend(ncol=2)

    remark = (
        "The rate N^(−1/d) is that of the end points, whose share of the weight is twice what it should be. Mid points "
        "have the rate N^(−2/d)."
    )
    picture = Picture(
        "Quadrature", "The same layer, the same data: where the atoms are decides the rate.", draw
    )
    return Outcome(tuple(measurements), (picture,), (remark,))


def scaling_law_e3(study: Study) -> Outcome:
    """g = |y|²/2 and ε = 1/n: the whole loss is the constant dε log(n/(n − 1)) of the normalisation."""
    measurements, drawn = [], []
    for d, stated in ((1, 2.05), (2, 0.91), (4, 0.53)):
        found = prescribed_rate(d)
        drawn.append((d, found))
        ratio = found.measured.errors / found.closed_form
        measurements += [
            near(f"fitted α̂, d = {d}", stated, found.measured.alpha, 0.005, _TWO_DIGITS),
            near(f"loss over dε log(n/(n − 1)), largest n, d = {d}", 1.0, ratio[-1], 1e-4 if d == 4 else 1e-10,
                 "mean over n^d points of cells 4/(n − 1); what is left is quadrature, e^(−n)"),
            at_most(f"loss without that constant, over the loss, largest n, d = {d}", 1e-3,
                    found.corrected[-1] / found.measured.errors[-1], "nothing else: the loss is one constant"),
        ]  # fmt: skip

    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (d, found) in enumerate(drawn):
            axis.loglog(
                found.measured.sizes,
                found.measured.errors,
                "o",
                ms=4,
                color=PALETTE[k],
                label=f"d = {d}, loss",
            )
            axis.loglog(
                found.measured.sizes,
                found.closed_form,
                "-",
                lw=1,
                color=PALETTE[k],
                label=f"d = {d}, dε log(n/(n − 1))",
            )
        axis.set_xlabel("atoms N = n^d")
        axis.legend(ncol=2)

    picture = Picture("Experiment E3", "The “scaling law” is the formula of a normalising constant.", draw)
    return Outcome(tuple(measurements), (picture,))


def intrinsic_dimension(study: Study) -> Outcome:
    """1/α for published exponents, and what else the same α may mean."""
    found = {name: dimension_of_curve(alpha) for name, alpha in PUBLISHED_EXPONENTS.items()}
    measurements = []
    for (name, curve), stated in zip(found.items(), (13.2, 2.9, 4.2, 2.6), strict=True):
        measurements.append(
            near(
                f"d_eff = 1/α, {name}, α = {curve.alpha:g}",
                stated,
                curve.d_eff,
                0.05,
                "stated to one decimal",
            )
        )
        measurements += [
            shown(
                f"the same α read as {c}/d, {name}",
                curve.readings[c],
                "second order, or a squared loss, or both",
            )
            for c in (2, 4)
        ]
    remark = (
        "An exponent alone gives no dimension: first or second order, and a loss that is an error or its square, make "
        "α mean 1/d, 2/d or 4/d. The quadrature row shows 1 and 2 for the same data."
    )

    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (name, curve) in enumerate(found.items()):
            axis.plot(list(curve.readings.values()), [k] * 3, "o-", color=PALETTE[0])
            axis.text(curve.range[1] * 1.05, k, name, va="center", color=INK)
        axis.set_xscale("log")
        axis.set_xlim(2, 200)
        axis.set_yticks([])
        axis.set_xlabel("dimension that α could mean: 1/α, 2/α, 4/α")

    picture = Picture("Ambiguity", "A factor of 2 to 4 that the exponent does not decide.", draw, (6, 2.6))
    return Outcome(tuple(measurements), (picture,), (remark,))


ROWS = (
    Row("quadrature-rate", "Quadrature with N atoms", "g = |y|, ε = t = 1, [−2, 2]^d, d = 1, 2, 4", quadrature, 0.1),
    Row("scaling-e3", "The “scaling law” of experiment E3", "g = |y|²/2, ε = N^(−1/d), t = 1", scaling_law_e3, 0.1),
    Row("intrinsic-dimension", "Intrinsic dimension from scaling exponents",
        "published α: Kaplan .076, Chinchilla .35, video .24, mathematics .38", intrinsic_dimension),
)  # fmt: skip

"""The identity f + u = |x|²/4t, the golden values behind it, and softplus → ReLU."""

import math

import mpmath
import numpy as np

from hjsym.conjugate import conjugate
from hjsym.layers import Softplus
from hjsym.paper.data import CORE_ATOMS, CORE_DATA, core_layer
from hjsym.paper.drawing import animate
from hjsym.paper.row import Drawing, Outcome, Picture, Row, Study, at_most, near
from tropical._figures import INK, PALETTE

__all__ = ["ROWS"]

_FOURTEEN = "given to fourteen digits, from 30-digit arithmetic; a few units of float64 rounding"
# ε, x: f, f_0, f′, f″, H(π), ũ. Computed from the definitions in 30-digit arithmetic.
GOLDEN = {
    (1.0, -1.0): (0.68226430329687, -0.1125, -0.17512109648197, 0.16900754534758, 1.1988630718884, 0.83324782018777),
    (0.3, 0.0): (-0.14911086745667, -0.3625, 0.0, 0.23831034993682, 0.78324194832612, 0.34816858385318),
    (0.05, 2.0): (0.13840749649709, 0.1375, 0.2589931039508, 0.088313541375438, 0.090094810126261, 0.84997480283829),
}  # fmt: skip
# (ε, p): f*(p), from the same.
GOLDEN_CONJUGATE = {
    (1.0, 0.25): -0.4153815403079,
    (0.3, 0.6): 1.0185460753213,
    (0.05, 0.75): 1.5625,
    (1.0, 0.75): 1.5625,
}


def core_check(study: Study) -> Outcome:
    """f, its limit, derivatives, entropy, the normalised solution and the conjugate against golden values."""
    measurements = []
    for (eps, x), golden in GOLDEN.items():
        layer, point = core_layer(eps), np.array([x])
        p = layer.polynomial
        found = (
            p(point), p.deform(0)(point), p.gradient(point)[0], p.hessian(point)[0, 0], p.entropy(point),
            layer.kernel(1.0).u_normalised(point),
        )  # fmt: skip
        names = ("f", "f_0", "f′", "f″", "H(π)", "ũ")
        for name, value, ours in zip(names, golden, found, strict=True):
            tolerance = 1e-14 * max(1, abs(value))
            measurements.append(near(f"{name} at ε = {eps:g}, x = {x:g}", value, ours, tolerance, _FOURTEEN))
    for (eps, slope), value in GOLDEN_CONJUGATE.items():
        ours = conjugate(core_layer(eps))(slope)
        measurements.append(near(f"f*({slope:g}) at ε = {eps:g}", value, ours, 1e-13, _FOURTEEN))
    outside = conjugate(core_layer(0.3))(0.75 + 2**-40)
    measurements.append(
        at_most(
            "1/f*(p) just outside of the slopes, p = .75 + 2⁻⁴⁰", 0, 1 / outside, "f* = +∞ there, exactly"
        )
    )
    return Outcome(tuple(measurements))


def identity(study: Study) -> Outcome:
    """f from (W, b) by the compiled core; u from (y, g) by distances, in float64 and in 40 digits."""
    x = np.linspace(-2.5, 2.5, 500)[:, None]
    some = x[:: 25 if study.fast else 1]
    temperatures = (1.0, 0.5, 0.2, 0.1, 0.05)
    two_ways, exactly = [], []
    for eps in temperatures:
        layer = core_layer(eps)
        two_ways.append(np.abs(layer.kernel(1.0).identity_defect(x)).max())
        action = some[:, 0] ** 2 / 4
        high = [_u_in_high_precision(v, eps) for v in some[:, 0]]
        errors = [
            float(abs(mpmath.mpf(v) ** 2 / 4 - u - f))
            for v, u, f in zip(some[:, 0], high, layer(some), strict=True)
        ]
        exactly.append((np.array(errors) / np.maximum(action, 1)).max())
    why = "stated as 5e-16; relative to max(|x|²/4t, 1), for the identity subtracts numbers of that size"
    measurements = [
        at_most(f"sup |f + u − x²/4| at ε = {eps:g}, both in float64", 5e-16, error, why)
        for eps, error in zip(temperatures, two_ways, strict=True)
    ]
    measurements += [
        at_most(f"sup |f − (x²/4 − u)| at ε = {eps:g}, u in 40 digits", 5e-16, error, why)
        for eps, error in zip(temperatures, exactly, strict=True)
    ]
    remark = (
        "u is computed from the atoms and their data, f from slopes and offsets: neither is defined by the other. "
        "The paper’s transformer check sets u = |x|²/4t − f and then tests f + u = |x|²/4t, which cannot fail."
    )
    return Outcome(tuple(measurements), (_identity_picture(x), _cooling()), (remark,))


def _u_in_high_precision(x: float, eps: float) -> mpmath.mpf:
    with mpmath.workdps(40):
        costs = [
            mpmath.mpf(g) + (mpmath.mpf(x) - mpmath.mpf(y)) ** 2 / 4
            for y, g in zip(CORE_ATOMS, CORE_DATA, strict=True)
        ]
        return -eps * mpmath.log(mpmath.fsum(mpmath.exp(-c / mpmath.mpf(eps)) for c in costs))


def _identity_picture(x: np.ndarray) -> Picture:
    def draw(figure) -> None:
        left, right = figure.subplots(1, 2)
        layer = core_layer(0.2)
        left.plot(x, layer(x), color=PALETTE[0], label="f")
        left.plot(x, layer.kernel(1.0).u(x), color=PALETTE[5], label="u")
        left.plot(x, layer(x) + layer.kernel(1.0).u(x), color=PALETTE[2], label="f + u")
        left.plot(x, x**2 / 4, ":", color=INK, label="x²/4")
        left.set_title("ε = 0.2")
        left.legend()
        for k, eps in enumerate((1.0, 0.2, 0.05)):
            right.plot(
                x,
                core_layer(eps).kernel(1.0).identity_defect(x) * 1e16,
                ".",
                ms=3,
                color=PALETTE[k],
                label=f"ε = {eps:g}",
            )
        right.set_title("defect, in units of 10⁻¹⁶")
        right.legend()
        for axis in (left, right):
            axis.set_xlabel("x")

    return Picture("The identity", "f + u lies on the parabola; what is left is rounding.", draw)


def _cooling() -> Drawing:
    places = np.linspace(-2.5, 2.5, 60)[:, None]
    temperatures = np.geomspace(1, 0.02, 24)
    soft = [core_layer(eps)(places) for eps in temperatures]
    hard = [core_layer(1.0).polynomial.deform(0)(places)] * len(temperatures)
    labels = [f"ε = {eps:.3f}" for eps in temperatures]
    return animate(
        "Cooling", "The layer falls onto its tropical limit as ε → 0, by at most ε log 4.",
        places[:, 0], [soft, hard], ["f_ε", "f_0 = max"], labels,
    )  # fmt: skip


def softplus_to_relu(study: Study) -> Outcome:
    """sup |softplus_ε − ReLU| on [−3, 3] is ε log 2, at 0."""
    z = np.linspace(-3, 3, 1201)
    temperatures = (1.0, 0.5, 0.1, 0.01, 0.001, 0.0001)
    measurements = []
    for eps in temperatures:
        gap = np.asarray(Softplus(eps)(z)) - np.maximum(z, 0)
        expected = eps * math.log(2)
        why = "ε log 2, an identity: log(1 + e⁰) = log 2; two units of rounding"
        measurements.append(
            near(f"sup |softplus_ε − ReLU| at ε = {eps:g}", expected, gap.max(), 4.5e-16 * expected, why)
        )
        if eps == 1.0:
            measurements.append(near("where it is attained", 0.0, z[gap.argmax()], 0.0, "at the tie"))

    def draw(figure) -> None:
        axis = figure.subplots()
        for k, eps in enumerate((1.0, 0.5, 0.1)):
            axis.plot(z, Softplus(eps)(z), color=PALETTE[k], label=f"ε = {eps:g}")
        axis.plot(z, np.maximum(z, 0), "--", color=INK, label="ReLU")
        axis.set_xlabel("z")
        axis.legend()

    return Outcome(
        tuple(measurements),
        (Picture("softplus → ReLU", "The gap is largest at the tie z = 0.", draw, (5, 3)),),
    )


ROWS = (
    Row("core-check", "Golden values of one layer", "y = (−1.5, −.5, .5, 1.5), g = (1, .3, .3, 1), t = 1", core_check),
    Row("identity", "A layer is a Hopf–Cole solution: f + u = |x|²/4t",
        "as above, ε = 1, .5, .2, .1, .05, 500 points of [−2.5, 2.5]", identity),
    Row("softplus-relu", "softplus becomes ReLU as ε → 0", "z ∈ [−3, 3]", softplus_to_relu),
)  # fmt: skip

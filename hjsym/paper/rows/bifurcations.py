"""Bifurcations of the attribution entropy: folds of six atoms, the pitchfork of three, two clusters."""

import math
from itertools import pairwise

import mpmath
import numpy as np

from hjsym.bifurcation import (
    Bifurcation,
    CriticalPoints,
    EntropyLandscape,
    branch_point,
    critical_points,
    fold,
)
from hjsym.paper.data import SIX_ATOMS, two_clusters
from hjsym.paper.drawing import animate
from hjsym.paper.row import Drawing, Outcome, Picture, Row, Study, at_most, near, shown
from tropical._figures import INK, PALETTE

__all__ = ["ROWS"]

_COLOURS = {"minimum": PALETTE[0], "saddle": PALETTE[1], "maximum": PALETTE[5], "degenerate": INK}
_DIGITS = (
    "fourteen digits, from the equations H_x = H_xx = 0 in high precision; ours by Newton’s method in float64"
)
_SIX_DIGITS = "stated to six decimals"


# ---- one variable ------------------------------------------------------------------------------------


def six_atom_folds(study: Study) -> Outcome:
    """Counts 9, 7, 5, 3, 1 across four folds; the first and the last to fourteen digits, and again in mpmath."""
    H = EntropyLandscape.of_atoms(SIX_ATOMS)
    temperatures = np.geomspace(0.05, 0.8, 30 if study.fast else 120)
    found = [critical_points(H, eps) for eps in temperatures]
    folds = _folds(H, found)
    between = [0.2, *(math.sqrt(a.eps * b.eps) for a, b in pairwise(folds)), 0.7]
    counts = [len(critical_points(H, eps)) for eps in between]
    unseen = sum(abs(len(points) - _sign_changes(H, points.eps)) for points in found)
    unconfirmed = sum(not points.confirmed for points in found)
    first, last = folds[0], folds[-1]
    exact_x, exact_eps = _fold_in_high_precision(first.x[0], first.eps)
    measurements = [
        near("folds", 4, len(folds), 0, "stated; found by bisection of the number of critical points")
    ]
    measurements += [
        near(f"critical points at ε = {eps:.4g}", stated, count, 0, "stated: 9/7/5/3/1 across four folds")
        for eps, stated, count in zip(between, (9, 7, 5, 3, 1), counts, strict=False)
    ]
    measurements += [
        near("ε of the first fold", 0.32551819104949, first.eps, 1e-12, _DIGITS),
        near("x of the first fold", 1.8418211870037, first.x[0], 1e-12, _DIGITS),
        near("H_xxx there", -4.325887, first.H_vvv, 6e-7, _SIX_DIGITS),
        near("H_xε there", -2.065440, first.H_v_eps, 6e-7, _SIX_DIGITS),
        near("ε of the last fold", 0.51015823343836, last.eps, 1e-12, _DIGITS),
        near("ε of the first fold, 30 digits, H differentiated by differences", float(exact_eps), first.eps, 1e-13,
             "an oracle that has no derivative formula: mpmath"),
        near("x of the first fold, the same", float(exact_x), first.x[0], 1e-11, "the same; x turns at a fold"),
        at_most("temperatures whose count differs from the changes of sign of H′ on a grid", 0, unseen,
                "no root finding"),
        at_most("temperatures whose count the degree does not confirm", 0, unconfirmed, "Σ (−1)^index is the degree"),
    ]  # fmt: skip
    pictures = (_branches(found, folds), _six_atoms_heated(H))
    return Outcome(tuple(measurements), pictures)


def _folds(H: EntropyLandscape, found: list[CriticalPoints]) -> list[Bifurcation]:
    """Where the number of critical points changes, by bisection, then solved from the closest pair."""
    brackets = [(a, b) for a, b in pairwise(found) if len(a) != len(b)]
    folds = []
    while brackets:
        cold, hot = brackets.pop(0)
        if hot.eps - cold.eps < 1e-5 * cold.eps:
            gaps = np.diff(cold.x[:, 0])
            k = int(gaps.argmin())
            folds.append(fold(H, cold.x[k, 0] + gaps[k] / 2, cold.eps))
            continue
        middle = critical_points(H, math.sqrt(cold.eps * hot.eps))
        brackets = [(a, b) for a, b in ((cold, middle), (middle, hot)) if len(a) != len(b)] + brackets
    return sorted(folds, key=lambda f: f.eps)


def _sign_changes(H: EntropyLandscape, eps: float) -> int:
    slope = np.sign(H.gradient(np.linspace(-4, 4, 40_001)[:, None], eps)[:, 0])
    slope = slope[slope != 0]
    return int((slope[1:] != slope[:-1]).sum())


def _fold_in_high_precision(x: float, eps: float):
    with mpmath.workdps(30):
        atoms = [mpmath.mpf(repr(v)) for v in SIX_ATOMS.tolist()]

        def entropy(x, eps):
            e = [mpmath.exp(-((x - y) ** 2) / (2 * eps)) for y in atoms]
            total = mpmath.fsum(e)
            return -mpmath.fsum(w / total * mpmath.log(w / total) for w in e)

        def equations(x, eps):
            return [mpmath.diff(entropy, (x, eps), (n, 0)) for n in (1, 2)]

        return mpmath.findroot(equations, (mpmath.mpf(x), mpmath.mpf(eps)), tol=1e-24, verify=False)


def _branches(found: list[CriticalPoints], folds: list[Bifurcation]) -> Picture:
    def draw(figure) -> None:
        axis = figure.subplots()
        _scatter(axis, found, lambda p: p.x[0])
        axis.plot([f.eps for f in folds], [f.x[0] for f in folds], "x", color=INK, ms=8, label="fold")
        axis.axvline(1 / 6, color=INK, ls=":", lw=1, label="ε* = N^(−1/d)")
        axis.set_xlabel("ε")
        axis.set_ylabel("x")
        axis.legend(loc="upper right")

    return Picture(
        "Bifurcation diagram", "Critical points of H for six atoms: pairs meet in folds as ε rises.", draw
    )


def _scatter(axis, found: list[CriticalPoints], height) -> None:
    for kind, colour in _COLOURS.items():
        pairs = [(points.eps, height(p)) for points in found for p in points.of_kind(kind)]
        if pairs:
            axis.semilogx(*zip(*pairs, strict=True), ".", ms=4, color=colour, label=kind)


def _six_atoms_heated(H: EntropyLandscape) -> Drawing:
    x = np.linspace(-4, 4, 120)
    temperatures = np.geomspace(0.05, 1.0, 24)
    frames = [H(x[:, None], eps) for eps in temperatures]
    labels = [f"ε = {eps:.3f}, {len(critical_points(H, eps))} critical points" for eps in temperatures]
    return animate("The entropy landscape", "Six atoms, heated: maxima and minima vanish in pairs.",
                   x, [frames], ["H(π)"], labels, window=(0, math.log(6)))  # fmt: skip


def pitchfork(study: Study) -> Outcome:
    """y = (−1, 0, 1): the minimum at 0 takes in both maxima at once."""
    H = EntropyLandscape.of_atoms([-1.0, 0.0, 1.0])
    point = branch_point(H, 0.01, 0.33)
    temperatures = np.geomspace(0.1, 0.8, 60)
    found = [critical_points(H, eps) for eps in temperatures]

    def draw(figure) -> None:
        axis = figure.subplots()
        _scatter(axis, found, lambda p: p.x[0])
        axis.plot([point.eps], [point.x[0]], "x", color=INK, ms=8, label="pitchfork")
        axis.set_xlabel("ε")
        axis.set_ylabel("x")
        axis.legend()

    counts = [_sign_changes(H, point.eps * f) for f in (0.99, 1.01)]
    return Outcome((
        near("ε_c", 0.34175053197388, point.eps, 1e-12, "fourteen digits, from H_xx(0; ε) = 0"),
        near("x_c", 0.0, point.x[0], 1e-12, "by symmetry"),
        near("H_xxx there", 0.0, point.H_vvv, 1e-9, "0 by symmetry: no fold"),
        near("H_xε there", 0.0, point.H_v_eps, 1e-9, "0 by symmetry: no fold"),
        near("critical points just below", 3, counts[0], 0, "changes of sign of H′"),
        near("critical points just above", 1, counts[1], 0, "changes of sign of H′"),
        shown("H_xxxx there", point.H_vvvv, "not 0: the branch that turns is bent"),
    ), (Picture("The pitchfork", "Symmetric data: three critical points become one.", draw, (5, 3)),))  # fmt: skip


# ---- the plane ---------------------------------------------------------------------------------------


def two_cluster_bifurcations(study: Study) -> Outcome:
    """Every critical point over temperature, its number confirmed by the winding of ∇H on the boundary."""
    y, g = two_clusters()
    H = EntropyLandscape.of_atoms(y, g, weight=0.5)
    temperatures = np.logspace(-2, 0.8, 12 if study.fast else 120)
    found = [critical_points(H, eps) for eps in temperatures]
    unconfirmed = sum(not points.confirmed for points in found)
    defect = max(_displacement(H, found[k]) for k in (0, len(found) // 2, -1))
    hottest = found[-1]
    measurements = (
        at_most("temperatures whose count the degree does not confirm", 0, unconfirmed,
                "Morse: Σ (−1)^index is the winding number of ∇H on the boundary, counted there alone"),
        at_most("farthest a point is from its zero, one Newton step in 40 digits", 1e-9, defect, "in units of x"),
        near("critical points at ε = 6.3", 1, len(hottest), 0, "in the heat H has one maximum"),
        near("of these, maxima", 1, len(hottest.of_kind("maximum")), 0, "the same"),
        shown("critical points at ε = .01", len(found[0]), "the paper’s search finds about a fifth of them"),
        shown("critical points nearest to ε = ½", len(min(found, key=lambda p: abs(p.eps - 0.5))),
              "counted and confirmed"),
    )  # fmt: skip
    return Outcome(measurements, (_counts(found), _diagram(found), _maps(H, y, g, study.fast)))


def _displacement(H: EntropyLandscape, points: CriticalPoints) -> float:
    """The longest Newton step Dn⁻¹n from the points found, with n = −Cov(W, W)⁻¹Cov(W, z) summed in 40 digits."""
    steps = []
    W, b = [[list(map(mpmath.mpf, row)) for row in H.W.tolist()], list(map(mpmath.mpf, H.b.tolist()))]
    with mpmath.workdps(40):
        for x in points.x.tolist():
            at = list(map(mpmath.mpf, x))
            z = [mpmath.fdot(w, at) + c for w, c in zip(W, b, strict=True)]
            top = max(z)
            e = [mpmath.exp((v - top) / mpmath.mpf(points.eps)) for v in z]
            pi = [v / mpmath.fsum(e) for v in e]
            mean = [mpmath.fdot(pi, column) for column in zip(*W, strict=True)]
            height = mpmath.fdot(pi, z)
            centred = [[a - m for a, m in zip(w, mean, strict=True)] for w in W]
            covariance = mpmath.matrix(2, 2)
            right = mpmath.matrix(2, 1)
            for p, w, v in zip(pi, centred, z, strict=True):
                for i in range(2):
                    right[i] -= p * w[i] * (v - height)
                    for j in range(2):
                        covariance[i, j] += p * w[i] * w[j]
            steps.append([float(v) for v in mpmath.lu_solve(covariance, right)])
    jacobians = H.natural_gradient(points.x, points.eps).jacobian
    return float(np.abs(np.linalg.solve(jacobians, np.array(steps)[..., None])).max())


def _counts(found: list[CriticalPoints]) -> Picture:
    def draw(figure) -> None:
        axis = figure.subplots()
        for kind in ("minimum", "saddle", "maximum"):
            axis.loglog([p.eps for p in found], [max(len(p.of_kind(kind)), 0.5) for p in found], ".-",
                        color=_COLOURS[kind], label=kind)  # fmt: skip
        axis.axvline(0.25, color=INK, ls=":", lw=1, label="ε* = N^(−1/d), not scale-covariant")
        axis.set_xlabel("ε")
        axis.set_ylabel("critical points (½ stands for 0)")
        axis.legend()

    return Picture("Counts", "Critical points of each kind over temperature, none hidden by a box.", draw)


def _diagram(found: list[CriticalPoints]) -> Picture:
    def draw(figure) -> None:
        axis = figure.subplots()
        _scatter(axis, found, lambda p: p.entropy)
        axis.axhline(math.log(16), color=INK, ls=":", lw=1, label="log N")
        axis.set_xlabel("ε")
        axis.set_ylabel("H at critical points")
        axis.legend()

    return Picture("Bifurcation diagram", "H at its critical points, two clusters.", draw)


def _maps(H: EntropyLandscape, y: np.ndarray, g: np.ndarray, fast: bool) -> Picture:
    side = np.linspace(-3, 3, 60 if fast else 120)
    grid = np.stack(np.meshgrid(side, side), axis=-1)

    def draw(figure) -> None:
        axes = figure.subplots(1, 3, sharey=True)
        for axis, eps in zip(axes, (0.05, 0.25, 3.0), strict=True):
            image = axis.imshow(
                H(grid, eps), extent=(-3, 3, -3, 3), origin="lower", cmap="Greys", vmin=0, vmax=math.log(16)
            )
            axis.scatter(*y.T, s=8, c=np.where(g > 0, PALETTE[2], PALETTE[4]))
            for p in critical_points(H, eps):
                if np.abs(p.x).max() < 3:
                    axis.scatter(
                        *p.x,
                        marker={0: "v", 1: "D", 2: "^"}[p.index],
                        s=28,
                        color=_COLOURS[p.kind],
                        edgecolors="black",
                        linewidths=0.6,
                    )
            axis.set_title(f"ε = {eps:g}")
            axis.grid(False)
        figure.colorbar(image, ax=axes, label="H(π)")

    return Picture("Landscapes", "Minima ▾, saddles ◆ and maxima ▴ of H; small dots are atoms.", draw, (9, 3))


ROWS = (
    Row("bifurcation-six-atoms", "Folds of six atoms on the line",
        "y = (−2.6, −1.5, −.4, .7, 1.7, 2.7), weights ∝ exp(−(x − y)²/2ε)", six_atom_folds, 0.3),
    Row("bifurcation-pitchfork", "The pitchfork of three atoms", "y = (−1, 0, 1)", pitchfork),
    Row("bifurcation-clusters", "Critical points of the entropy of two clusters",
        "16 atoms around ∓(1, 1), sd .4, ε ∈ logspace(−2, .8, 120)", two_cluster_bifurcations, 2.0),
)  # fmt: skip

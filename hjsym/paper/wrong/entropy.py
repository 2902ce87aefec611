"""Counterexamples about the entropy landscape and about sensitivity: folds, counts, scales, dominance, smoothing."""

import math

import numpy as np
from scipy.optimize import brentq, fsolve, root

from hjsym.bifurcation import EntropyLandscape, critical_points
from hjsym.hopf import LSELayer
from hjsym.paper.data import SIX_ATOMS, two_clusters
from hjsym.paper.row import Outcome, Row, Study, at_least, near, shown
from tropical import Polynomial, Semiring

__all__ = ["COLD", "DOMINANCE", "MERGING", "SCALE"]


def sign_changes(H: EntropyLandscape, eps: float, low: float, high: float) -> int:
    """How often H′ changes its sign on 40,000 points: a count that knows nothing of root finding."""
    slope = np.sign(H.gradient(np.linspace(low, high, 40_000)[:, None], eps)[:, 0])
    slope = slope[slope != 0]
    return int((slope[1:] != slope[:-1]).sum())


def not_every_merging_is_a_fold(study: Study) -> Outcome:
    """Six atoms have five critical points at ε = ½; three symmetric ones have a pitchfork."""
    six, three = EntropyLandscape.of_atoms(SIX_ATOMS), EntropyLandscape.of_atoms([-1.0, 0.0, 1.0])
    origin = np.zeros((1, 1))
    pitchfork = brentq(lambda eps: three.hessian(origin, eps)[0, 0, 0], 0.2, 0.6, xtol=1e-15)
    h = 1e-5
    mixed = (three.gradient(origin, pitchfork + h) - three.gradient(origin, pitchfork - h))[0, 0] / (2 * h)
    minima = sum(p.kind == "minimum" for p in critical_points(six, 0.1))
    return Outcome((
        near("critical points of six atoms at ε = .5", 5, sign_changes(six, 0.5, -8, 8),
             0, "changes of sign of H′; the paper’s page says 11"),
        near("minima of six atoms at ε = .1", 4, minima, 0, "the outer two have none: H falls to 0 beyond them"),
        near("ε of the pitchfork of y = (−1, 0, 1)", 0.34175053197388, pitchfork, 1e-13,
             "fourteen digits; root of H_xx(0; ε)"),
        near("critical points just below it", 3, sign_changes(three, pitchfork * 0.99, -4, 4), 0,
             "two maxima, a minimum"),
        near("critical points just above it", 1, sign_changes(three, pitchfork * 1.01, -4, 4), 0,
             "three have become one; a fold would leave none"),
        near("H_xε at it", 0.0, mixed, 1e-9, "0 by symmetry; a fold needs it ≠ 0"),
    ))  # fmt: skip


MERGING = Row(
    "wrong-09-merging", "9. Each merging is a fold, with a basin at each atom",
    "y = (−2.6, −1.5, −.4, .7, 1.7, 2.7) and "
    "(−1, 0, 1), weights ∝ exp(−(x − y)²/2ε)", not_every_merging_is_a_fold,
    claim="As ε rises basins merge in folds; each support point has a basin near it; there are 11 critical points at "
    "ε = .5.",
    truth="Symmetric data have pitchforks, where H_xε = 0. The outermost atoms have no basin. At ε = .5 there are 5.",
)  # fmt: skip


def cold_counts_are_wrong(study: Study) -> Outcome:
    """The paper's search (fsolve on ∇H, accepted at |∇H| ≤ 1e-6, in a box) beside one on the natural gradient."""
    y, g = two_clusters()
    H = EntropyLandscape.of_atoms(y, g, weight=0.5)
    eps = 0.01
    right = critical_points(H, eps)
    theirs = _search_of_the_paper(H, y, eps)
    distance = np.linalg.norm(theirs[:, None] - right.x, axis=-1).min(axis=1)
    inside = (np.abs(right.x) < 2.9).all(axis=1)
    starts = study.rng.uniform(-2.5, 2.5, size=(400, 2))
    flat = np.linalg.norm(H.gradient(starts, eps), axis=1) <= 1e-6
    far = np.linalg.norm(starts[:, None] - right.x, axis=-1).min(axis=1) > 0.12
    return Outcome((
        shown("points the paper’s search accepts at ε = .01", len(theirs), "from the atoms and 150 random starts"),
        shown("of these, not within .01 of any critical point", int((distance > 0.01).sum()), "fake"),
        at_least("share of random points with |∇H| ≤ 1e-6, farther than .12 from any critical point", 0.1,
                 (flat & far).mean(), "they pass its test for a root, and are none: H is flat there"),
        at_least("critical points in its box that it misses", 1, int(inside.sum() - (distance <= 0.01).sum()),
                 "beside the search on the natural gradient, which cold plateaus do not flatten"),
        at_least("critical points outside of its box", 1, int((~inside).sum()), "the box |x_k| < 2.9 hides them"),
        near("Σ (−1)^index over all of them", right.degree, right.index_sum, 0,
             "the degree of ∇H on the boundary, counted there alone"),
    ))  # fmt: skip


def _search_of_the_paper(H: EntropyLandscape, y: np.ndarray, eps: float) -> np.ndarray:
    """What it accepts, (n, 2): starts, tolerance, box and merging distance as in its code."""
    generator = np.random.default_rng(0)
    starts = np.vstack(
        [y, np.column_stack([generator.uniform(-2.5, 2.5, 150), generator.uniform(-2.5, 2.5, 150)])]
    )
    found: list[np.ndarray] = []
    for start in starts:
        x, details, _, _ = fsolve(lambda x: H.gradient(x, eps), start, full_output=True, xtol=1e-12)
        rejected = np.linalg.norm(details["fvec"]) > 1e-6 or np.abs(x).max() >= 2.9
        if not rejected and all(np.linalg.norm(x - other) >= 0.12 for other in found):
            found.append(x)
    return np.array(found)


COLD = Row(
    "wrong-10-cold", "10. Bifurcation counts in the cold", "two clusters of eight atoms, ε = .01",
    cold_counts_are_wrong, 0.2,
    claim="The numbers of critical points at ε ≤ .05, found from the atoms and random starts in a box.",
    truth="Where one neuron rules, ∇H underflows, and any point passes for a root; real ones are missed, and some lie "
    "outside of the box. Newton’s method with the analytic Hessian, on the natural gradient, finds more.",
)  # fmt: skip


def eps_star_is_not_covariant(study: Study) -> Outcome:
    """The first fold of six atoms, and of the same atoms three times as far apart."""
    folds = []
    for scale in (1.0, 3.0):
        H = EntropyLandscape.of_atoms(scale * SIX_ATOMS)

        def conditions(v, H=H, scale=scale):
            x, eps = np.array([[v[0] * scale]]), v[1] * scale**2
            return [H.gradient(x, eps)[0, 0] * scale, H.hessian(x, eps)[0, 0, 0] * scale**2]

        folds.append(root(conditions, [1.84, 0.326], tol=1e-13).x[1] * scale**2)
    return Outcome((
        near("ε of the first fold", 0.32551819104949, folds[0], 1e-12, "fourteen digits; solved with H_x = H_xx = 0"),
        near("ε of the same fold for 3y, over that for y", 9.0, folds[1] / folds[0], 1e-9, "c² = 9, an identity"),
        shown("N^(−1/d), of both", 1 / len(SIX_ATOMS), "N and d have not changed, and every transition has"),
    ))  # fmt: skip


SCALE = Row(
    "wrong-11-scale", "11. The critical temperature N^(−1/d)", "six atoms, and the same times 3",
    eps_star_is_not_covariant,
    claim="ε* = N^(−1/d) is the temperature of the transition.",
    truth="Under y → cy every transition moves to c²ε, and N^(−1/d) stays where it is: in units of the data it can "
    "be anything.",
)  # fmt: skip


def dominance_is_not_distance(study: Study) -> Outcome:
    """Both atoms are farther than √(2εt) from x, and neither dominates; the gap over ε decides."""
    eps, t = 0.1, 1.0
    layer = LSELayer.from_initial_data([-1.0, 1.0], [0.0, 0.0], eps, t)
    weights = layer.polynomial.weights([0.0])
    gaps = np.array([0.5, 1.0, 2.0, 4.0]) * eps * math.log(2)
    tops = [Polynomial([[0.0], [0.0]], [0.0, -gap], Semiring(eps=eps)).weights([0.0])[0] for gap in gaps]
    rows = [
        shown("√(2εt), the paper’s radius", math.sqrt(2 * eps * t), "both atoms are at distance 1"),
        near("largest weight at x = 0", 0.5, float(weights.max()), 0.0, "a tie, exactly"),
    ]
    why = "1/(1 + e^(−Δ/ε)): dominance begins where Δ/ε exceeds log N"
    for gap, top in zip(gaps, tops, strict=True):
        what = f"top weight at a gap Δ = {gap / (eps * math.log(2)):g} ε log N, N = 2"
        rows.append(near(what, 1 / (1 + math.exp(-gap / eps)), top, 1e-15, why))
    return Outcome(tuple(rows))


DOMINANCE = Row(
    "wrong-12-dominance", "12. A dominant neuron outside √(2εt)", "y = ±1, x = 0, ε = .1, t = 1",
    dominance_is_not_distance,
    claim="Outside of the radius √(2εt) of the transition one neuron dominates.",
    truth="y = ±1, x = 0, ε = .1 gives weights (½, ½) at distance 1 > .447. What counts is the gap Δ between the two "
    "largest terms: Δ/ε against log N.",
)  # fmt: skip

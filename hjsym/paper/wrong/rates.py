"""Counterexamples about rates: a constant that passes for a law, end points, dimensions, and what is minimax."""

import math

import numpy as np
from scipy.optimize import linprog, nnls

from hjsym.paper.row import Outcome, Row, Study, at_least, at_most, near, shown
from hjsym.scaling import box_layer, power_law, prescribed_rate, quadrature_rate
from tropical import Polynomial, Semiring

__all__ = ["DIMENSION", "END_POINTS", "MINIMAX", "NO_LAW"]

_SIZES = (64, 128, 256, 512, 1024)


def constant_is_no_law(study: Study) -> Outcome:
    """E3 in one dimension with the normalisation put right: the loss vanishes at once."""
    sizes = (16, 32, 64, 128, 256)
    found = prescribed_rate(1, sizes)
    steep = prescribed_rate(1, sizes, power=1.2)
    middles = prescribed_rate(1, sizes, rule="midpoints").measured.errors
    return Outcome((
        near("loss over ε log(n/(n − 1)) at n = 256", 1.0, found.measured.errors[-1] * 256 / math.log(256 / 255),
             1e-9, "an identity"),
        at_most("loss at n = 32 without that constant", 1e-6, found.corrected[1],
                "already quadrature’s e^(−n): no power"),
        at_most("loss at n = 64 without it", 1e-13, found.corrected[2], "rounding"),
        at_most("loss at n = 64 with mid points", 1e-13, middles[2], "no such constant, and no law either"),
        near("exponent with ε = 1/n", 2.0, found.measured.alpha, 0.03, "1 + 1: log(n/(n − 1)) ≈ 1/n, times ε"),
        near("exponent with ε = n^(−1.2)", 2.2, steep.measured.alpha, 0.03, "1 + 1.2: whatever is prescribed"),
    ))  # fmt: skip


NO_LAW = Row(
    "wrong-04-no-law", "4. Experiment E3 is a scaling law", "g = y²/2, ε = 1/n, d = 1", constant_is_no_law,
    claim="The loss of the normalised layer falls as N^(−1/d): a scaling law.",
    truth="The loss is the constant dε log(n/(n − 1)), from 4/n in place of the cell 4/(n − 1). Without it nothing is "
    "left.",
)  # fmt: skip


def end_points_make_the_rate(study: Study) -> Outcome:
    """The same integrand and sizes, three rules."""
    exponents = [quadrature_rate(1, _SIZES, rule=rule).exponent for rule in ("endpoints", "midpoints")]
    x = np.random.default_rng(101).uniform(-1.5, 1.5, (400, 1))
    exact = box_layer(1, 40, rule="gauss")(x)
    halved = power_law(_SIZES, [np.abs(_trapezoidal(n)(x) - exact).max() for n in _SIZES])
    return Outcome((
        near("exponent with end points", -1.0, exponents[0], 0.03, "−1: both ends weigh twice what they should"),
        near("exponent with mid points", -2.0, exponents[1], 0.01, "−2: second order"),
        near("exponent with end points at half weight", -2.0, halved.exponent, 0.1,
             "−2 again: the trapezoidal rule, on the same atoms"),
    ))  # fmt: skip


def _trapezoidal(n: int) -> Polynomial:
    """The layer of n atoms with both ends, which have half the weight 1/(n − 1) of the others."""
    layer = box_layer(1, n, rule="endpoints")
    shares = np.full(n, n / (n - 1))
    shares[[0, -1]] /= 2
    return Polynomial(layer.slopes, layer.coefficients + np.log(shares), Semiring(eps=1.0))


END_POINTS = Row(
    "wrong-05-end-points", "5. The quadrature rate N^(−1/d)", "g = |y|, ε = t = 1, [−2, 2]", end_points_make_the_rate,
    claim="N atoms approximate the solution at the rate N^(−1/d).",
    truth="That is the rate of a grid whose end points have full weight. Mid points, or half weight at the ends, have "
    "N^(−2/d).",
)  # fmt: skip


def convex_is_smaller_than_lipschitz(study: Study) -> Outcome:
    """What layers at fixed t can be: convex; their least-squares risk falls faster than the Lipschitz rate."""
    x = np.linspace(-1, 1, 201)
    best = _best_convex_error(x, -np.abs(x))
    sizes = (64, 256, 1024, 4096, 16384)
    repeats = 20 if study.fast else 100
    risks = [np.sqrt(np.mean([_convex_risk(study.rng, n) for _ in range(repeats)])) for n in sizes]
    measured = power_law(sizes, risks).exponent
    rows = [
        near("distance of −|x|, which is Lipschitz, from all convex functions on [−1, 1]", 0.5, best, 1e-9,
             "½, at the constant −½; a linear program over convex functions on 201 points"),
        at_most("fitted exponent of the risk of convex least squares, d = 1", -1 / 3, measured,
                "steeper than n^(−1/(d + 2)) = n^(−1/3), which the claim says no method can be"),
        near("the same, against n^(−2/(d + 4)) = n^(−2/5)", -0.4, measured, 0.04,
             f"entropy of convex functions; {repeats} repetitions, L₂ risk away from the ends, target 4x²"),
    ]  # fmt: skip
    rows += [
        shown(f"2/(d + 4) over 1/(d + 2), d = {d}", 2 * (d + 2) / (d + 4), "above 1: faster") for d in (2, 3)
    ]
    return Outcome(tuple(rows))


def _best_convex_error(x: np.ndarray, target: np.ndarray) -> float:
    """min over convex f of max |f − target| on equidistant points: a linear program in (f, error)."""
    n = len(x)
    convex = np.zeros((n - 2, n + 1))
    for k in range(n - 2):
        convex[k, k : k + 3] = [-1, 2, -1]
    identity, ones = np.eye(n), np.ones((n, 1))
    A = np.vstack([convex, np.hstack([identity, -ones]), np.hstack([-identity, -ones])])
    b = np.concatenate([np.zeros(n - 2), target, -target])
    return float(linprog(np.eye(n + 1)[-1], A_ub=A, b_ub=b, bounds=[(None, None)] * n + [(0, None)]).fun)


def _convex_risk(rng: np.random.Generator, n: int) -> float:
    """Mean square error on [−.8, .8] of convex least squares for 4x² + noise of sd .3 at n points of [−1, 1]."""
    x = rng.uniform(-1, 1, n)
    values = 4 * x**2 + rng.normal(scale=0.3, size=n)
    knots = np.linspace(-1, 1, 81)[:-1]

    def basis(x: np.ndarray) -> np.ndarray:
        """1, −1, −x and the hinges: with coefficients ≥ 0 all convex functions with these knots."""
        hinges = np.maximum(x[:, None] - knots, 0)
        return np.column_stack([np.ones_like(x), -np.ones_like(x), -x, hinges])

    A = basis(x)
    root = np.linalg.cholesky(A.T @ A + 1e-9 * n * np.eye(A.shape[1]))
    coefficients = nnls(root.T, np.linalg.solve(root, A.T @ values))[0]
    check = np.linspace(-0.8, 0.8, 401)
    return float(((basis(check) @ coefficients - 4 * check**2) ** 2).mean())


MINIMAX = Row(
    "wrong-13-minimax", "13. The minimax rate n^(−1/(d + 2))", "convex least squares, n = 64 … 16,384, d = 1",
    convex_is_smaller_than_lipschitz, 0.3,
    claim="A layer learns Lipschitz initial data at the minimax rate n^(−1/(d + 2)).",
    truth="That is the rate for Lipschitz functions. At fixed t the functions that a layer can be are convex, a "
    "smaller class, whose entropy gives n^(−2/(d + 4)). This is derived here and not confirmed against "
    "the theorem’s own text.",
)  # fmt: skip


def exponents_give_no_dimension(study: Study) -> Outcome:
    """One layer on one-dimensional data: exponents 1, 2 and 4, so d_eff = 1, ½ and ¼."""
    ends, middles = (
        quadrature_rate(1, _SIZES, rule=rule, measure="rms") for rule in ("endpoints", "midpoints")
    )
    squared = power_law(_SIZES, middles.errors**2)
    found = [1 / rate.alpha for rate in (ends, middles, squared)]
    what = ("end points, error", "mid points, error", "mid points, squared error")
    rows = [
        near(f"d_eff = 1/α, {name}", stated, ours, 0.02, "the data have one dimension each time")
        for name, stated, ours in zip(what, (1.0, 0.5, 0.25), found, strict=True)
    ]
    rows.append(at_least("largest over smallest", 3.8, max(found) / min(found), "a factor of 4"))
    return Outcome(tuple(rows))


DIMENSION = Row(
    "wrong-14-dimension", "14. The intrinsic dimension is 1/α", "g = |y|, ε = t = 1, [−2, 2]",
    exponents_give_no_dimension,
    claim="A measured exponent α of a scaling law gives the intrinsic dimension d_eff = 1/α.",
    truth="Rates of second order and squared losses make α = 1/d, 2/d or 4/d: 1/α is the dimension up to a factor of 2 "
    "to 4.",
)  # fmt: skip

"""Counterexamples about layers and their algebra: Hopf–Lax and ReLU, homomorphisms, limits, softplus, GELU and SiLU."""

import math

import mpmath
import numpy as np
from scipy.integrate import quad

from hjsym.hopf import LSELayer
from hjsym.layers import Softplus
from hjsym.paper.row import Outcome, Row, Study, at_most, near, shown
from hjsym.systems import hamiltonian
from tropical import MAX_PLUS, Polynomial, Semiring

__all__ = ["ACTIVATIONS", "HOMOMORPHISM", "HOPF_LAX", "LIMITS", "SOFTPLUS"]


def hopf_lax_is_not_relu(study: Study) -> Outcome:
    """The paper's script, then the right formula for random w, b, t."""
    x = np.linspace(-2, 2, 500)
    y = np.linspace(0, 5, 1000)
    script = ((x[:, None] - y) ** 2 / 4).min(axis=1)
    theirs = np.abs(script - np.maximum(x, 0))
    error = 0.0
    for _ in range(20):
        w, b, t = study.rng.normal(), study.rng.normal(), study.rng.uniform(0.5, 2)
        layer = LSELayer([[w], [0.0]], [b, 0.0], eps=1.0)
        u = layer.kernel(t).hopf_lax(x[:, None])
        right = x**2 / (4 * t) - u
        error = max(error, np.abs(right - np.maximum(w * x + b, 0)).max())
    return Outcome((
        near("sup |Hopf–Lax of g = 0 on [0, 5] − ReLU| on [−2, 2]", 2.0, theirs.max(), 1e-5,
             "what the script prints, 2.0000: u_0 = 0 for x ≥ 0, so the error is x"),
        at_most("sup ||x|²/4t − Hopf–Lax of the two atoms of ReLU − ReLU|, 20 random units", 1e-14, error,
                "the identity that holds; rounding of numbers up to 2"),
    ))  # fmt: skip


HOPF_LAX = Row(
    "wrong-01-hopf-lax", "1. Hopf–Lax recovers ReLU", "verify.py of the paper’s code, test 5", hopf_lax_is_not_relu,
    claim="Hopf–Lax with g = 0 on a dense grid of [0, 5] gives ReLU.",
    truth="ReLU(wx + b) = |x|²/4t − min{|x|²/4t, −b − t|w|² + |x − 2tw|²/4t}: two atoms, and the parabola.",
)  # fmt: skip


def no_homomorphism(study: Study) -> Outcome:
    """φ(a ⊕_ε b) against φ(a) ⊕ φ(b) for φ(a) = ca, all additive monotone maps there are."""
    eps = 0.5
    soft = Semiring(eps=eps)
    a, b = np.meshgrid(np.linspace(-3, 3, 121), np.linspace(-3, 3, 121))
    scales = (0.0, 0.5, 1.0, 2.0)
    defects = [np.abs(c * soft.add(a, b) - MAX_PLUS.add(c * a, c * b)).max() for c in scales]
    rows = [
        near(f"sup |φ(a ⊕_ε b) − φ(a) ⊕ φ(b)|, φ(a) = {c:g}a", c * eps * math.log(2), d, 1e-15,
             "cε log 2, attained at a = b; zero for c = 0 alone")
        for c, d in zip(scales, defects, strict=True)
    ]  # fmt: skip
    rows.append(
        near(
            "a ⊕_ε a − a",
            eps * math.log(2),
            float(soft.add(1.25, 1.25) - 1.25),
            1e-15,
            "⊕_ε is not idempotent",
        )
    )
    cooled = [np.abs(Semiring(eps=e).add(a, b) - MAX_PLUS.add(a, b)).max() for e in (0.1, 0.01, 0.001)]
    rows.append(near("defect of the identity map, ε = .1 over ε = .001", 100.0, cooled[0] / cooled[2], 1e-9,
                     "it vanishes like ε: a limit, not a homomorphism"))  # fmt: skip
    return Outcome(tuple(rows))


HOMOMORPHISM = Row(
    "wrong-02-homomorphism", "2. An exact semiring homomorphism", "the paper’s commutative square", no_homomorphism,
    claim="Taking ε → 0 is an exact semiring homomorphism from the log-semiring to the tropical one.",
    truth="φ(a ⊕ a) = φ(a) forces φ(a + ε log 2) = φ(a), so φ ≡ 0: none exists but the trivial one. "
    "The tropical semiring is the limit of the log-semirings, at distance ε log 2.",
)  # fmt: skip


def limits_do_not_commute(study: Study) -> Outcome:
    """N → ∞ at fixed ε for g = |y| on [−2, 2], summed and averaged."""
    eps, x = 0.5, 0.3
    sizes = (10**2, 10**3, 10**4, 10**5)
    sums = [_soft_minimum(n, eps, x) for n in sizes]
    growth = (sums[0] - sums[-1]) / 3
    means = [u + eps * math.log(n) for n, u in zip(sizes, sums, strict=True)]

    def density(y: float) -> float:
        return math.exp(-(abs(y) + (x - y) ** 2 / 4) / eps) / 4

    limit = -eps * math.log(quad(density, -2, 2, points=[0.0], epsabs=1e-13, epsrel=1e-13)[0])
    y = np.linspace(-2, 2, 10**5)
    return Outcome((
        near("fall of the sum’s u for ten times as many atoms", eps * math.log(10), growth, 1e-4,
             "ε log 10, up to the error of the rule: it has no limit"),
        near("mean’s u at N = 10⁵ against the integral", limit, means[-1], 1e-9,
             "midpoint rule, error N⁻²; the integral by adaptive quadrature"),
        near("mean’s u at N = 10⁵, then ε → 0 (ε = 1e-5)", float((np.abs(y) + (x - y) ** 2 / 4).min()),
             _soft_minimum(10**5, 1e-5, x) + 1e-5 * math.log(10**5), 2e-4, "of the order ε log(1/ε) = 1e-4"),
        shown("the sum’s u at N = 10⁵ minus Hopf–Lax, same ε = .5", sums[-1] - 0.0225,
              "below the minimum, and falling"),
    ))  # fmt: skip


def _soft_minimum(n: int, eps: float, x: float) -> float:
    """−ε log Σ_j exp(−(|y_j| + (x − y_j)²/4)/ε) at n midpoints of [−2, 2]."""
    y = -2 + 4 * (np.arange(n) + 0.5) / n
    return float(LSELayer.from_initial_data(y, np.abs(y), eps).kernel(1.0).u([x]))


LIMITS = Row(
    "wrong-03-limits", "3. Limits in either order", "g = |y| on [−2, 2], t = 1, ε = ½", limits_do_not_commute,
    claim="ε → 0 and N → ∞ may be taken in either order.",
    truth="The un-normalised sum has no limit N → ∞ at ε > 0: it diverges as ε log N. The mean-log-sum-exp, which "
    "divides by N, has both limits.",
)  # fmt: skip


def softplus_has_two_atoms(study: Study) -> Outcome:
    """What one atom can do, and what two can."""
    eps = 0.5
    one = Polynomial([[1.7]], [0.4], Semiring(eps=eps))
    two = Polynomial([[1.0], [0.0]], [0.0, 0.0], Semiring(eps=eps))
    z = np.linspace(-3, 3, 301)
    return Outcome((
        near("f″ of one atom, anywhere", 0.0, float(np.abs(one.hessian(z[:, None])).max()), 0.0, "affine, exactly"),
        near("softplus″(0) by differences", 1 / (4 * eps), float(_second_difference(Softplus(eps))), 1e-7,
             "1/4ε; central differences of step 1e-4"),
        at_most("sup |softplus − two atoms|", 1e-15, float(np.abs(two(z[:, None]) - Softplus(eps)(z)).max()),
                "the same function; rounding"),
    ))  # fmt: skip


def _second_difference(f, h: float = 1e-4) -> float:
    return (f(np.array(h)) - 2 * f(np.array(0.0)) + f(np.array(-h))) / h**2


SOFTPLUS = Row(
    "wrong-15-softplus", "15. softplus is one neuron", "ε = ½", softplus_has_two_atoms,
    claim="softplus is the log-sum-exp layer with N = 1.",
    truth="With N = 1 a layer is affine. softplus has two atoms: (w, b) and (0, 0).",
)  # fmt: skip


def silu_and_gelu_are_known(study: Study) -> Outcome:
    """SiLU as (1 − ε∂_ε) softplus_ε and GELU as (1 − 2s∂_s) of the heat flow of ReLU, in 30 digits."""
    points = [mpmath.mpf(v) for v in study.rng.normal(size=6).tolist()]
    with mpmath.workdps(30):
        eps = mpmath.mpf("0.7")
        silu = [
            abs(_silu(x, eps) - (_softplus(x, eps) - eps * mpmath.diff(lambda e, x=x: _softplus(x, e), eps)))
            for x in points
        ]
        half = mpmath.mpf(1) / 2
        gelu = [
            abs(
                x * mpmath.ncdf(x)
                - (_heated(x, half) - 2 * half * mpmath.diff(lambda s, x=x: _heated(x, s), half))
            )
            for x in points
        ]
        heat = [
            abs(mpmath.diff(_heated, (x, half), (0, 1)) - mpmath.diff(_heated, (x, half), (2, 0)))
            for x in points
        ]
        flow = [abs(_heated(x, half) - _convolved(x, half)) for x in points[:2]]
    unreduced = sum(hamiltonian(name).residual() != 0 for name in ("silu", "gelu"))
    why = "an identity; differences in 30 digits"
    return Outcome((
        at_most("max |SiLU − (1 − ε∂_ε)softplus_ε|, ε = .7", 1e-14, float(max(silu)), why),
        at_most("max |GELU − (1 − 2s∂_s)R| at s = ½", 1e-14, float(max(gelu)), why),
        at_most("max |R_s − R_xx|", 1e-12, float(max(heat)), why),
        at_most("max |R − heat kernel ∗ ReLU|", 1e-14, float(max(flow)),
                "R is the flow of ReLU; the integral by quadrature"),
        at_most("residuals that SymPy does not reduce to 0, of the systems of SiLU and GELU", 0, unreduced,
                "symbolic, of hjsym.hamiltonian"),
    ))  # fmt: skip


def _silu(x, eps):
    return x / (1 + mpmath.exp(-x / eps))


def _softplus(x, eps):
    return eps * mpmath.log1p(mpmath.exp(x / eps))


def _heated(x, s):
    """R(x, s) = xΦ(x/√2s) + √(s/π) exp(−x²/4s): ReLU after the heat flow R_s = R_xx."""
    return x * mpmath.ncdf(x / mpmath.sqrt(2 * s)) + mpmath.sqrt(s / mpmath.pi) * mpmath.exp(
        -(x**2) / (4 * s)
    )


def _convolved(x, s):
    def integrand(y):
        return y * mpmath.exp(-((x - y) ** 2) / (4 * s)) / mpmath.sqrt(4 * mpmath.pi * s)

    return mpmath.quad(integrand, [0, 1, 2, 4, 8, 16, mpmath.inf])


ACTIVATIONS = Row(
    "wrong-16-activations", "16. GELU and SiLU are open", "six random points", silu_and_gelu_are_known,
    claim="Whether GELU and SiLU belong to the theory is left open.",
    truth="SiLU = softplus_ε − εH(π) = (1 − ε∂_ε)softplus_ε, exactly. GELU = (1 − 2s∂_s)R at s = ½, where R_s = R_xx "
    "starts from ReLU: linear heat, with no Hamiltonian.",
)  # fmt: skip

"""The layer of any corner of the square: of a network, a polynomial, a conjugate, a solution or an equation."""

import numpy as np
import sympy

from hjsym.conjugate import EntropyOnHull, PolyhedralConjugate
from hjsym.hopf import KernelGauge, LSELayer
from hjsym.solutions import Mixture
from hjsym.symbols import LogSumExp
from hjsym.systems import HJSystem
from tropical import Polynomial
from tropical.errors import InputError

__all__ = ["layer_of"]


def layer_of(source, eps: float | None, t: float) -> tuple[LSELayer, float]:
    """The log-sum-exp layer that a corner belongs to, and the time of its kernel gauge."""
    kappa = 1.0
    if isinstance(source, KernelGauge):
        source, t = source.layer, source.t
    elif isinstance(source, PolyhedralConjugate | EntropyOnHull):
        source = source.polynomial
    elif isinstance(source, HJSystem):
        W, b, eps, kappa = _of_system(source, eps)
        source = LSELayer(W, b, eps, kappa)
    elif isinstance(source, Mixture):
        source, t = _of_solution(source, eps)
    if isinstance(source, Polynomial):
        if source.semiring.sign != 1:
            raise InputError("the polynomial takes minima; negate it, the square is that of maxima")
        source = source.to_float() if source.is_exact else source
        source = LSELayer(source.slopes, source.coefficients, _temperature(source.semiring.eps, eps))
    elif not isinstance(source, LSELayer):
        source = LSELayer.from_network(source)
    if eps is not None and eps != source.eps:
        source = LSELayer(source.W, source.b, eps, source.kappa)
    return source, t


def _temperature(own: float, wanted: float | None) -> float:
    if not (eps := own if wanted is None else wanted):
        raise InputError("the source is a limit at ε = 0; pass eps= to say which layer it is the limit of")
    return eps


def _of_solution(u: Mixture, eps: float | None) -> tuple[LSELayer, float]:
    """From min_j (g_j + |x − y_j|²/4t), hard or soft."""
    weight = u.Q[0, 0, 0] if u.variables else 0.0
    if weight <= 0 or (weight * np.eye(u.variables) != u.Q).any():
        raise InputError(
            "the solution is no minimum of |x − y_j|²/4κt with one t; only those come from layers"
        )
    t, y = 1 / (2 * weight), -u.b / weight
    g = u.c - weight * (y**2).sum(axis=1) / 2
    return LSELayer.from_initial_data(y, g, _temperature(u.eps, eps), t), t


def _of_system(system: HJSystem, eps: float | None) -> tuple[np.ndarray, np.ndarray, float, float]:
    """W, b, ε and κ from the solution of V_t + κ|∇V|² = νΔV that a layer or a maximum is."""
    V = system.fields.get("V")
    values = {s: sympy.nsimplify(v, rational=True) for s, v in system.parameters.items() if np.ndim(v) == 0}
    H = sympy.expand(system.H.subs(values)) if V is not None else None
    kappa = H.coeff(system.p[0], 2) if V is not None else 0
    if V is None or not kappa.is_positive or sympy.expand(H - kappa * sum(q**2 for q in system.p)) != 0:
        raise InputError(f"{system.name} has no solution of V_t + κ|∇V|² = νΔV in closed form to start from")
    is_kernel = bool(system.t.is_positive)  # at time 1, less |x|²/4κ; else plane waves at time 0
    soft, *terms = _terms(-V.subs(values).subs(system.t, int(is_kernel)))
    action = sum(v**2 for v in system.x) / (4 * kappa) if is_kernel else 0
    rows = [sympy.Poly(sympy.expand(z + action), *system.x) for z in terms]
    if any(row.total_degree() > 1 for row in rows):
        raise InputError(f"the solution of {system.name} is no log-sum-exp of affine functions")
    W = np.array([[row.coeff_monomial(v) for v in system.x] for row in rows], dtype=float)
    b = np.array([row.coeff_monomial(1) for row in rows], dtype=float)
    return W, b, _temperature(float(soft), eps), float(kappa)


def _terms(F: sympy.Expr) -> tuple:
    """ε and what the log-sum-exp is of; 0 and what the maximum is of."""
    if isinstance(F, LogSumExp):
        return F.args
    return (sympy.S.Zero, *(F.args if isinstance(F, sympy.Max) else (F,)))

"""Log-sum-exp layers, maxima and the activations that come from them, as solutions of V_t + κ|∇V|² = νΔV.

With plane waves F(x, t) = ε log Σ_j exp((W_j·x + b_j + tκ|W_j|²)/ε), V = −F solves the equation for ν = κε, and at
ε → 0, where F is a maximum, it is its viscosity solution. Softplus is the log-sum-exp of two terms, the sigmoid its
derivative, SiLU = (1 − ε∂_ε) softplus_ε, and tanh(x/ε) the derivative of ε log(e^{x/ε} + e^{−x/ε}).

Sources: the plane waves and the readings of SiLU and GELU are derived here; for the kernel gauge see `hjsym.hopf`.
"""

import sympy

from hjsym.hopf import LSELayer
from hjsym.symbols import LogSumExp
from hjsym.systems.system import HJSystem, coordinates, dot, mixed
from tropical import Polynomial, Rational
from tropical.errors import InputError

__all__ = ["gelu", "log_sum_exp", "maximum", "sigmoid", "silu", "softplus", "tanh", "tropical_rational"]

_MOST_NUMBERS = 20_000  # of a layer whose solution is written out
_T = sympy.Symbol("t", real=True)
_TIME = sympy.Symbol("t", positive=True)


def log_sum_exp(layer: LSELayer, gauge: str = "plane wave", symbolic: bool = False) -> HJSystem:
    """The system of a log-sum-exp layer, in the plane-wave gauge or the kernel gauge at time 1."""
    if gauge not in ("plane wave", "kernel"):
        raise InputError(f"gauge is {gauge!r}; pass 'plane wave' or 'kernel'")
    W, b, eps, kappa, values = _weights(layer, symbolic)
    build = _plane_wave if gauge == "plane wave" else _kernel
    return build(W, b, eps, kappa, values, layer.variables, layer.neurons)


def _weights(layer: LSELayer, symbolic: bool):
    """W, b, ε and κ as numbers, or as symbols with their values."""
    if not symbolic:
        W = [[mixed(w) for w in row] for row in layer.W]
        return W, [mixed(v) for v in layer.b], mixed(layer.eps), mixed(layer.kappa), {}
    N, d = layer.W.shape
    W = [[sympy.Symbol(f"W{j}_{k}", real=True) for k in range(1, d + 1)] for j in range(1, N + 1)]
    b = [sympy.Symbol(f"b{j}", real=True) for j in range(1, N + 1)]
    eps, kappa = sympy.symbols("epsilon kappa", positive=True)
    values = {
        w: v for row, numbers in zip(W, layer.W, strict=True) for w, v in zip(row, numbers, strict=True)
    }
    values |= dict(zip(b, layer.b, strict=True)) | {eps: layer.eps, kappa: layer.kappa}
    return W, b, eps, kappa, values


def _plane_wave(W, b, eps, kappa, values, d: int, neurons: int) -> HJSystem:
    x, p = coordinates(d)
    system = {
        "name": f"log-sum-exp of {neurons} affine functions of {d} variables, plane-wave gauge",
        "label": "exact",
        "reason": "each exponential solves the heat equation by itself, for all W, b and t (Hopf–Cole)",
        "H": _kinetic(p, kappa), "x": x, "p": p, "t": _T, "viscosity": kappa * eps, "parameters": values,
        "readout": "f(x) = −V(x, 0)",
    }  # fmt: skip
    if neurons * d > _MOST_NUMBERS or not isinstance(x, tuple):
        return HJSystem(**system)
    F = LogSumExp(eps, *(dot(w, x) + c + _T * kappa * _square(w) for w, c in zip(W, b, strict=True)))
    return HJSystem(**system, fields={"V": -F}, output=F.subs(_T, 0))


def _kernel(W, b, eps, kappa, values, d: int, neurons: int) -> HJSystem:
    x, p = coordinates(d)
    system = {
        "name": f"log-sum-exp of {neurons} affine functions of {d} variables, kernel gauge at time 1",
        "label": "exact",
        "reason": "f(x) + V(x, 1) = |x|²/4κ; the finite sum is not normalised, and −εd/2t is what that costs",
        "H": _kinetic(p, kappa), "x": x, "p": p, "t": _TIME, "viscosity": kappa * eps,
        "source": -eps * d / (2 * _TIME), "parameters": values, "readout": "f(x) = |x|²/4κ − V(x, 1)",
    }  # fmt: skip
    if neurons * d > _MOST_NUMBERS or not isinstance(x, tuple):
        return HJSystem(**system)
    costs = []
    for w, c in zip(W, b, strict=True):
        distance = sympy.Add(*((v - 2 * kappa * u) ** 2 for v, u in zip(x, w, strict=True)))
        costs.append(c + kappa * _square(w) - distance / (4 * kappa * _TIME))
    V = -LogSumExp(eps, *costs)
    return HJSystem(**system, fields={"V": V}, output=_square(x) / (4 * kappa) - V.subs(_TIME, 1))


def maximum(polynomial: Polynomial, kappa=1) -> HJSystem:
    """The system of a maximum of affine functions: the viscosity solution of V_t + κ|∇V|² = 0."""
    x, p = coordinates(polynomial.variables)
    kappa = mixed(kappa)
    system = {
        "name": f"maximum of {len(polynomial)} affine functions of {polynomial.variables} variables",
        "label": "exact",
        "reason": "Hopf–Lax: the maximum of plane waves is the viscosity solution, for H is convex and t ≥ 0",
        "H": _kinetic(p, kappa), "x": x, "p": p, "t": _T, "readout": "f(x) = −V(x, 0)",
    }  # fmt: skip
    if len(polynomial) * polynomial.variables > _MOST_NUMBERS or not isinstance(x, tuple):
        return HJSystem(**system)
    F = _wave_front(polynomial, x, kappa)
    return HJSystem(**system, fields={"V": -F}, output=F.subs(_T, 0))


def tropical_rational(f: Rational, kappa=1) -> HJSystem:
    """The pair of a tropical rational function P ⊘ Q: two solutions of one equation, f their difference."""
    x, p = coordinates(f.variables)
    kappa = mixed(kappa)
    P, Q = (_wave_front(part, x, kappa) for part in (f.P, f.Q))
    return HJSystem(
        name=f"tropical rational function of {len(f.P)} over {len(f.Q)} monomials",
        label="exact",
        reason="P and Q each are initial data of a viscosity solution; their difference solves no such equation",
        H=_kinetic(p, kappa), x=x, p=p, t=_T,
        fields={"V_P": -P, "V_Q": -Q}, readout="f(x) = V_Q(x, 0) − V_P(x, 0)", output=(P - Q).subs(_T, 0),
    )  # fmt: skip


def _wave_front(polynomial: Polynomial, x, kappa) -> sympy.Expr:
    """max_j (W_j·x + b_j + tκ|W_j|²), unevaluated."""
    rows = [[mixed(w) for w in row] for row in polynomial.slopes]
    offsets = [mixed(v) for v in polynomial.coefficients]
    terms = {dot(w, x) + c + _T * kappa * _square(w) for w, c in zip(rows, offsets, strict=True)}
    return sympy.Max(*terms, evaluate=False) if len(terms) > 1 else terms.pop()


# ---- activations of one variable ---------------------------------------------------------------------


def _softplus_wave(eps) -> tuple[sympy.Symbol, sympy.Symbol, sympy.Expr]:
    (x,), (p,) = coordinates(1)
    return x, p, LogSumExp(eps, x + _T, sympy.S.Zero)


def softplus(eps=1) -> HJSystem:
    """ε log(1 + e^{x/ε}): two atoms, of slopes 1 and 0."""
    eps = mixed(eps)
    x, p, F = _softplus_wave(eps)
    return HJSystem(
        name=f"softplus at ε = {eps}", label="exact",
        reason="log-sum-exp of the affine functions x and 0 (two atoms)",
        H=p**2, x=(x,), p=(p,), t=_T, viscosity=eps,
        fields={"V": -F}, readout="softplus(x) = −V(x, 0)", output=F.subs(_T, 0),
    )  # fmt: skip


def sigmoid(eps=1) -> HJSystem:
    """1/(1 + e^{−x/ε}), the slope of softplus: a Burgers shock."""
    eps = mixed(eps)
    x, p, F = _softplus_wave(eps)
    return HJSystem(
        name=f"sigmoid of x/ε at ε = {eps}", label="exact",
        reason="the slope P = F_x of a solution; it solves P_t = 2PP_x + εP_xx, a Burgers shock of speed −1",
        H=p**2, x=(x,), p=(p,), t=_T, viscosity=eps,
        fields={"V": -F}, readout="σ(x/ε) = −V_x(x, 0)", output=F.diff(x).subs(_T, 0),
    )  # fmt: skip


def tanh(eps=1) -> HJSystem:
    """tanh(x/ε), the slope of ε log(e^{x/ε} + e^{−x/ε})."""
    eps, ((x,), (p,)) = mixed(eps), coordinates(1)
    F = LogSumExp(eps, x + _T, -x + _T)
    return HJSystem(
        name=f"tanh of x/ε at ε = {eps}", label="exact",
        reason="the slope of a solution with the atoms ±1",
        H=p**2, x=(x,), p=(p,), t=_T, viscosity=eps,
        fields={"V": -F}, readout="tanh(x/ε) = −V_x(x, 0)", output=F.diff(x).subs(_T, 0),
    )  # fmt: skip


def silu(eps=1) -> HJSystem:
    """x/(1 + e^{−x/ε}) = (1 − ε∂_ε) softplus_ε: softplus without the entropy of its weights."""
    value = mixed(eps)
    eps = sympy.Symbol("epsilon", positive=True)
    x, p, F = _softplus_wave(eps)
    output = (F - eps * F.diff(eps)).subs(_T, 0).subs(eps, value)
    return HJSystem(
        name=f"SiLU of x at ε = {value}", label="exact",
        reason="softplus_ε − ε·entropy, and the entropy is ∂_ε of softplus_ε",
        H=p**2, x=(x,), p=(p,), t=_T, viscosity=value,
        fields={"V": -F.subs(eps, value)}, readout="SiLU(x) = −(1 − ε∂_ε) V(x, 0)", output=output,
    )  # fmt: skip


def gelu() -> HJSystem:
    """xΦ(x) = (1 − 2t∂_t) V at t = ½, with V the heat that starts as max(x, 0)."""
    (x,), (p,) = coordinates(1)
    z = x / sympy.sqrt(2 * _TIME)
    density = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    distribution = (1 + sympy.erf(z / sympy.sqrt(2))) / 2
    V = x * distribution + sympy.sqrt(2 * _TIME) * density
    return HJSystem(
        name="GELU", label="exact",
        reason="linear heat flow, V_t = V_xx from max(x, 0): exact, and no Hamilton–Jacobi equation, for H = 0",
        H=sympy.S.Zero, x=(x,), p=(p,), t=_TIME, viscosity=sympy.S.One,
        fields={"V": V}, readout="GELU(x) = (1 − 2t∂_t) V at t = ½",
        output=sympy.simplify((V - 2 * _TIME * V.diff(_TIME)).subs(_TIME, sympy.Rational(1, 2))),
    )  # fmt: skip


# ---- parts -------------------------------------------------------------------------------------------


def _kinetic(p, kappa) -> sympy.Expr:
    """κ|p|²."""
    return kappa * _square(p) if isinstance(p, tuple) else kappa * (p.T * p)


def _square(a) -> sympy.Expr:
    return sympy.Add(*(v**2 for v in a))

"""Units σ(w·x + b) whose activation comes from a log-sum-exp of two terms, and GELU, from the heat equation.

Softplus is the log-sum-exp of z = w·x + b and 0, the sigmoid its slope along w, SiLU = (1 − ε∂_ε) softplus_ε, and
tanh(z/ε) the slope of ε log(e^{z/ε} + e^{−z/ε}). With t|w|² for each term ±z they are plane waves.

Source: the plane waves and the readings of SiLU and GELU are derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.symbols import LogSumExp
from hjsym.systems.system import HJSystem
from hjsym.systems.waves import square, temperature
from hjsym.systems.weights import Weights, dot, finite_array
from tropical.errors import InputError

__all__ = ["gelu", "relu", "sigmoid", "silu", "softplus", "tanh"]

_T = sympy.Symbol("t", real=True)
_TIME = sympy.Symbol("t", positive=True)


@dataclass(frozen=True, eq=False)
class _Unit:
    """z = w·x + b of a unit, |w|², ε, and what an HJSystem needs of them."""

    weights: Weights
    x: tuple
    p: tuple
    w: sympy.MatrixBase
    z: sympy.Expr
    eps: sympy.Expr

    @property
    def square(self) -> sympy.Expr:
        return square(self.w)

    def system(self, name: str, reason: str, F: sympy.Expr, readout: str, output: sympy.Expr) -> HJSystem:
        return HJSystem(
            name=name, label="exact", reason=reason, H=square(self.p), x=self.x, p=self.p, t=_T,
            viscosity=self.eps, parameters=self.weights.parameters,
            fields={"V": -F}, readout=readout, output=output.subs(_T, 0),
        )  # fmt: skip

    def slope(self, F: sympy.Expr) -> sympy.Expr:
        """w·∇F/|w|²."""
        return dot(self.w, [F.diff(v) for v in self.x]) / self.square


def _unit(name: str, w: ArrayLike, b: float, eps, symbolic: bool) -> _Unit:
    w = finite_array("w", np.atleast_1d(w), (None,))
    b = float(finite_array("b", b, ()))
    if not w.any():
        raise InputError(f"w is 0 and the {name} a constant; pass a weight that is not 0")
    weights = Weights.of(f"the {name}", len(w), len(w) + 2, symbolic)
    if weights.is_matrix:
        raise InputError(
            f"w has {len(w)} entries; units are written out, and a large one is the layer of an LSELayer"
        )
    x, p = weights.state(len(w))
    column = weights.vector("w", w)
    eps = weights.scalar("epsilon", temperature(eps), positive=True)
    return _Unit(weights, x, p, column, dot(column, x) + weights.scalar("b", b), eps)


def softplus(eps=1, w: ArrayLike = 1.0, b: float = 0.0, symbolic: bool = False) -> HJSystem:
    """ε log(1 + e^{(w·x + b)/ε}): two atoms, of slopes w and 0.

    >>> softplus(eps=2).fields["V"], softplus(eps=2).residual()
    (-LogSumExp(2, t + x1, 0), 0)
    """
    unit = _unit("softplus", w, b, eps, symbolic)
    F = _softplus_wave(unit)
    return unit.system(
        f"softplus at ε = {unit.eps}", "log-sum-exp of the affine functions w·x + b and 0 (two atoms)",
        F, "softplus(w·x + b) = −V(x, 0)", F,
    )  # fmt: skip


def sigmoid(eps=1, w: ArrayLike = 1.0, b: float = 0.0, symbolic: bool = False) -> HJSystem:
    """1/(1 + e^{−(w·x + b)/ε}), the slope of softplus: a Burgers shock.

    >>> sigmoid(eps=2).residual(), sigmoid().readout
    (0, 'σ((w·x + b)/ε) = −w·∇V(x, 0)/|w|²')
    """
    unit = _unit("sigmoid", w, b, eps, symbolic)
    F = _softplus_wave(unit)
    return unit.system(
        f"sigmoid of (w·x + b)/ε at ε = {unit.eps}",
        "the slope P = ∇F of a solution; it solves P_t = ∇|P|² + εΔP, a Burgers shock along w of speed −|w|",
        F, "σ((w·x + b)/ε) = −w·∇V(x, 0)/|w|²", unit.slope(F),
    )  # fmt: skip


def tanh(eps=1, w: ArrayLike = 1.0, b: float = 0.0, symbolic: bool = False) -> HJSystem:
    """tanh((w·x + b)/ε), the slope of ε log(e^{z/ε} + e^{−z/ε}).

    >>> tanh(eps=2).pde
    Eq(Derivative(V(x1, t), t) + Derivative(V(x1, t), x1)**2, 2*Derivative(V(x1, t), (x1, 2)))
    """
    unit = _unit("tanh", w, b, eps, symbolic)
    F = LogSumExp(unit.eps, unit.z + _T * unit.square, -unit.z + _T * unit.square)
    return unit.system(
        f"tanh of (w·x + b)/ε at ε = {unit.eps}", "the slope of a solution with the atoms ±w",
        F, "tanh((w·x + b)/ε) = −w·∇V(x, 0)/|w|²", unit.slope(F),
    )  # fmt: skip


def silu(eps=1, w: ArrayLike = 1.0, b: float = 0.0, symbolic: bool = False) -> HJSystem:
    """z/(1 + e^{−z/ε}) = (1 − ε∂_ε) softplus_ε, z = w·x + b: softplus without the entropy of its weights.

    >>> silu(eps=2).residual(), silu().readout
    (0, 'SiLU(w·x + b) = −(1 − ε∂_ε) V(x, 0)')
    """
    unit = _unit("SiLU", w, b, eps, symbolic)
    F, here = _softplus_wave(unit), sympy.Symbol("epsilon", positive=True)
    wave = LogSumExp(here, *F.args[1:])
    output = (wave - here * wave.diff(here)).subs(here, unit.eps)
    return unit.system(
        f"SiLU of w·x + b at ε = {unit.eps}", "softplus_ε − ε·entropy, and the entropy is ∂_ε of softplus_ε",
        F, "SiLU(w·x + b) = −(1 − ε∂_ε) V(x, 0)", output,
    )  # fmt: skip


def _softplus_wave(unit: _Unit) -> sympy.Expr:
    return LogSumExp(unit.eps, unit.z + _T * unit.square, sympy.S.Zero)


def relu(w: ArrayLike = 1.0, b: float = 0.0, symbolic: bool = False) -> HJSystem:
    """max(w·x + b, 0), the softplus at ε → 0.

    >>> relu().H, relu().viscosity
    (p1**2, 0)
    """
    unit = _unit("ReLU", w, b, 1, symbolic)
    unit.weights.parameters.pop(unit.eps, None)
    F = sympy.Max(unit.z + _T * unit.square, 0, evaluate=False)
    return HJSystem(
        name="ReLU of w·x + b", label="exact",
        reason="Hopf–Lax: the maximum of plane waves is the viscosity solution, for H is convex and t ≥ 0",
        H=square(unit.p), x=unit.x, p=unit.p, t=_T, parameters=unit.weights.parameters,
        fields={"V": -F}, readout="ReLU(w·x + b) = −V(x, 0)", output=F.subs(_T, 0),
    )  # fmt: skip


def gelu(w: ArrayLike = 1.0, b: float = 0.0, symbolic: bool = False) -> HJSystem:
    """zΦ(z) = (1 − 2t∂_t) V at t = 1/2|w|², with V the heat that starts as max(z, 0), z = w·x + b.

    >>> gelu().H, gelu().label
    (0, 'exact')
    """
    unit = _unit("GELU", w, b, 1, symbolic)
    unit.weights.parameters.pop(unit.eps, None)
    spread = sympy.sqrt(2 * _TIME * unit.square)
    z = unit.z / spread
    density = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    V = unit.z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2 + spread * density
    output = (V - 2 * _TIME * V.diff(_TIME)).subs(_TIME, 1 / (2 * unit.square))
    return HJSystem(
        name="GELU of w·x + b", label="exact",
        reason="linear heat flow, V_t = ΔV from max(w·x + b, 0): exact, and no Hamilton–Jacobi equation, for H = 0",
        H=sympy.S.Zero, x=unit.x, p=unit.p, t=_TIME, viscosity=sympy.S.One, parameters=unit.weights.parameters,
        fields={"V": V}, readout="GELU(w·x + b) = (1 − 2t∂_t) V at t = 1/2|w|²", output=sympy.simplify(output),
    )  # fmt: skip

"""The Hamiltonian of a max network in space and time, by the theorem of Darbon, Langlois and Meng.

A network S(x, t) = max_i (p_i·x − tθ_i − γ_i) starts from J(x) = max_i (p_i·x − γ_i) and, where

    (1) the p_i are distinct,
    (2) every γ_i is J*(p_i): no neuron is idle at t = 0,
    (3) θ_j < Σα_iθ_i for every other α ∈ Δ with Σα_ip_i = p_j and Σα_iγ_i = γ_j: none is idle at t > 0 either,

it is the viscosity solution of S_t + H(∇S) = 0 with

    H(p) = min {Σα_iθ_i : α ∈ Δ, Σα_ip_i = p, Σα_iγ_i = J*(p)}    on conv{p_i}, +∞ off it.

The α of the minimum are those of the cell of the dual subdivision of J that p lies in, so that H is a lower hull of
the θ over each cell.

Source: J. Darbon, G. P. Langlois, T. Meng, "Overcoming the curse of dimensionality for some Hamilton–Jacobi partial
differential equations via neural network architectures", Res. Math. Sci. 7 (2020), theorem 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.conjugate import Convexity, MaxAffine, PolyhedralConjugate
from hjsym.errors import NotConvexError
from hjsym.systems.system import HJSystem
from hjsym.systems.weights import MOST_COORDINATES, coordinates, dot, mixed
from tropical import Polynomial
from tropical._arrays import EXACT, as_points, convert
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["SpaceTimeNetwork"]

_T = sympy.Symbol("t", nonnegative=True)


@dataclass(frozen=True, eq=False)
class SpaceTimeNetwork:
    """S(x, t) = max_i (p_i·x − tθ_i − γ_i) for t ≥ 0, and the Hamiltonian that it has learnt.

    Parameters
    ----------
    momenta : (N, d) array
        p_i; d = 1 may be given as (N,).
    theta, gamma : (N,) array
        θ_i and γ_i.

    Examples
    --------
    >>> net = SpaceTimeNetwork([1.0, -1.0], [0.5, 0.5], [0.0, 0.0])              # |x| − t/2
    >>> net.hamiltonian([-1.0, 0.25, 2.0])
    array([0.5, 0.5, inf])
    >>> net.violations
    ()
    >>> net.system().H
    Piecewise((1/2, (p1 >= -1) & (p1 <= 1)), (oo, True))
    >>> net.at(1.0)([0.0]), net.cells, net.convexity().convex, net.variables
    (np.float64(-0.5), ((0, 1),), True, 1)
    """

    momenta: ArrayLike
    theta: ArrayLike
    gamma: ArrayLike

    def __post_init__(self):
        p = np.asarray(self.momenta, dtype=float)
        p = p[:, None] if p.ndim == 1 else p
        theta, gamma = np.asarray(self.theta, dtype=float), np.asarray(self.gamma, dtype=float)
        if p.ndim != 2 or not len(p) or theta.shape != (len(p),) or gamma.shape != (len(p),):
            raise ShapeError(
                f"momenta, theta and gamma have shapes {p.shape}, {theta.shape}, {gamma.shape}; "
                "pass (N, d), (N,) and (N,) with N ≥ 1"
            )
        if not all(np.isfinite(a).all() for a in (p, theta, gamma)):
            raise InputError("momenta, theta or gamma have entries that are not finite")
        for name, value in (("momenta", p), ("theta", theta), ("gamma", gamma)):
            object.__setattr__(self, name, value)

    @property
    def variables(self) -> int:
        """d."""
        return self.momenta.shape[1]

    def at(self, t: float) -> Polynomial:
        """S(·, t) as a tropical polynomial; S(·, 0) = J are the initial data."""
        if not t >= 0:
            raise InputError(f"t is {t}; the network is a solution for t ≥ 0")
        return Polynomial(self.momenta, -self.gamma - t * self.theta)

    def __call__(self, x: ArrayLike, t: float) -> np.ndarray:
        """S at points (..., d) and a time."""
        return self.at(t)(x)

    # ---- cells -----------------------------------------------------------------------------------

    @cached_property
    def cells(self) -> tuple[tuple[int, ...], ...]:
        """The neurons of each cell of the dual subdivision of J: those that are largest together at one x."""
        exact = self.at(0).to_exact()
        heights = exact.slopes @ exact.subdivision().exact_vertices.T + exact.coefficients[:, None]
        largest = heights == heights.max(axis=0)
        return tuple(tuple(map(int, np.flatnonzero(column))) for column in largest.T)

    @cached_property
    def _pieces(self) -> list[tuple[PolyhedralConjugate, tuple[int, ...]]]:
        """H over each cell: the conjugate of max_i (p_i·y − θ_i), i in the cell."""
        return [
            (MaxAffine(Polynomial(self.momenta[list(cell)], -self.theta[list(cell)])).conjugate(), cell)
            for cell in self.cells
        ]

    def hamiltonian(self, p: ArrayLike) -> np.ndarray:
        """H at momenta (..., d), or at numbers of any shape for d = 1; +∞ off the hull of the p_i, exactly decided.

        Over each cell H is convex and piecewise linear; it is continuous, and over all of the hull need not be convex.
        """
        p = np.asarray(p, dtype=float)
        points = p.reshape(-1, 1) if self.variables == 1 else as_points(p, self.variables, np.dtype(float))
        flat = points.reshape(-1, self.variables)
        values = np.full(len(flat), np.inf)
        for piece, _ in self._pieces:
            values = np.minimum(values, piece(flat[:, 0] if self.variables == 1 else flat))
        return values.reshape(p.shape if self.variables == 1 else p.shape[:-1])[()]

    @cached_property
    def violations(self) -> tuple[str, ...]:
        """Which assumptions of the theorem fail, and for which neurons; empty if S solves the equation of H."""
        found = []
        if len(np.unique(self.momenta, axis=0)) < len(self.momenta):
            found.append("momenta repeat; merge neurons of one slope")
        active = {i for cell in self.cells for i in cell}
        if idle := sorted(set(range(len(self.theta))) - active):
            found.append(f"neurons {idle} are nowhere the largest at t = 0")
        for i in sorted(active):
            if not self._leads(i):
                found.append(f"neuron {i} is a mean of others at t = 0 and not above that mean afterwards")
        return tuple(found)

    def _leads(self, i: int) -> bool:
        """Whether θ_i is below every other mean of θ over p_i, in each cell that has i."""
        for _, cell in self._pieces:
            others = [k for k in cell if k != i]
            if i not in cell or not others:
                continue
            mean = MaxAffine(Polynomial(self.momenta[others], -self.theta[others]).to_exact()).conjugate()
            point, theta = convert(self.momenta[i], EXACT), convert(self.theta[[i]], EXACT)[0]
            if not theta < mean(point[0] if self.variables == 1 else point):
                return False
        return True

    # ---- convexity -------------------------------------------------------------------------------

    def convexity(self) -> Convexity:
        """Whether H is convex, decided exactly: then no affine piece of it is above the θ of any neuron.

        A witness is three momenta (a, m, b), m between the others and H(m) above the chord.
        """
        for piece, cell in self._pieces:
            envelope = piece.envelope.to_exact()
            inside = convert(self.momenta[list(cell)], EXACT)
            heights = envelope.slopes @ convert(self.momenta, EXACT).T + envelope.coefficients[:, None]
            for row, i in np.argwhere(heights > convert(self.theta, EXACT)):
                return Convexity(
                    False, "a piece of H is above it elsewhere", self._chord(inside, heights[row], cell, i)
                )
        return Convexity(True, "no affine piece of H is above the θ of any neuron")

    def _chord(self, inside: np.ndarray, heights: np.ndarray, cell: tuple, i: int) -> tuple:
        """From the middle of where the affine piece is H, towards neuron i."""
        on = [k for k, j in enumerate(cell) if heights[j] == convert(self.theta, EXACT)[j]]
        start, end = inside[on].sum(axis=0) / Fraction(len(on)), convert(self.momenta[i], EXACT)
        share = Fraction(1, 2)
        while True:
            middle = start + share * (end - start)
            low, here, high = (float(self.hamiltonian(self._point(v))) for v in (start, middle, end))
            if here > (1 - share) * low + share * high or share < Fraction(1, 2**30):
                return tuple(self._point(v) for v in (start, middle, end))
            share /= 2

    def _point(self, v: np.ndarray):
        v = v.astype(float)
        return float(v[0]) if self.variables == 1 else v

    def _lagrangian(self, v: tuple) -> sympy.Expr:
        """max_i (p_i·v − θ_i) once H is convex: its conjugate, for the p_i are the corners of H."""
        verdict = self.convexity()
        if not verdict:
            raise NotConvexError(
                f"H is not convex in p ({verdict.reason}; momenta {verdict.witness}), and has no Lagrangian",
                verdict.witness,
            )
        rows = [dot(row, v) - mixed(th) for row, th in zip(self.momenta, self.theta, strict=True)]
        return sympy.Max(*rows, evaluate=False) if len(rows) > 1 else rows[0]

    # ---- symbols ---------------------------------------------------------------------------------

    def system(self) -> HJSystem:
        """The equation with H in symbols, −∞ < p < ∞: one piece a cell of momenta.

        Raises
        ------
        InputError
            A network that violates an assumption: it solves no such equation, and `violations` says why.
        """
        if self.violations:
            raise InputError(f"the network solves no Hamilton–Jacobi equation: {'; '.join(self.violations)}")
        if self.variables > MOST_COORDINATES:
            raise BudgetExceeded(
                "variables of H in symbols",
                self.variables,
                MOST_COORDINATES,
                "use hamiltonian(p), which is numbers",
            )
        x, p = coordinates(self.variables)
        cases = [case for piece, _ in self._pieces for case in self._cases(piece, p)]
        H = sympy.Piecewise(*cases, (sympy.oo, True))
        waves = [
            dot(row, x) - _T * mixed(th) - mixed(g)
            for row, th, g in zip(self.momenta, self.theta, self.gamma, strict=True)
        ]
        S = sympy.Max(*waves, evaluate=False) if len(waves) > 1 else waves[0]
        return HJSystem(
            name=f"max network of {len(self.theta)} neurons in {self.variables} variables and time", label="exact",
            reason="viscosity solution by the theorem of Darbon, Langlois and Meng, whose assumptions hold",
            H=H, x=x, p=p, t=_T, fields={"V": S}, readout="the network is V(x, t)", output=S, dual=self._lagrangian,
        )  # fmt: skip

    def _cases(self, piece: PolyhedralConjugate, p) -> list[tuple[sympy.Expr, sympy.Expr]]:
        """H over one cell: on each of its faces below the θ, an affine function and the inequalities of the face."""
        envelope, polytope = piece.envelope, piece.domain.polytope
        inside = [dot(a, p) <= mixed(c) for a, c in zip(*polytope.halfspaces, strict=True)]
        inside += [sympy.Eq(dot(a, p), mixed(c)) for a, c in zip(*polytope.equations, strict=True)]
        rows = [
            dot(slope, p) + mixed(c) for slope, c in zip(envelope.slopes, envelope.coefficients, strict=True)
        ]
        value = sympy.Max(*rows, evaluate=False) if len(rows) > 1 else rows[0]
        return [(value, sympy.And(*inside))]

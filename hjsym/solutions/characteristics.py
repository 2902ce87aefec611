"""Characteristics of u_t + H(∇u) = 0 in symbols: straight lines, until the first two of them meet.

From y starts the line x = y + t ∇H(p) with p = ∇g(y) constant and u = g + t (p·∇H(p) − H(p)) along it. The map
y ↦ x ceases to be invertible at the first time at which I + t ∇²H(p) ∇²g(y) is singular,

    t* = 1 / max_y λ_max(−∇²H ∇²g).

Source: L. C. Evans, *Partial Differential Equations*, 2nd ed., section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.expr import symbolic
from tropical.errors import InputError, ShapeError

__all__ = ["Characteristics"]


@dataclass(frozen=True, eq=False)
class Characteristics:
    """The lines that carry the data g under the Hamiltonian H, both SymPy expressions.

    Parameters
    ----------
    H : sympy.Expr
        In the momenta p.
    g : sympy.Expr
        In the variables y; both twice differentiable where they are asked for.
    p, y : sequence of sympy.Symbol
        d of each.

    Examples
    --------
    >>> y, p = sympy.symbols("y p", real=True)
    >>> burgers = Characteristics(p**2 / 2, sympy.cos(sympy.pi * y) / sympy.pi, [p], [y])
    >>> burgers.position[0]
    -t*sin(pi*y) + y
    >>> float(burgers.shock_time(np.linspace(-1, 1, 2001)[:, None]) * np.pi)        # at y = 0
    1.0
    >>> burgers.momentum, burgers.value, burgers.compression
    ((-sin(pi*y),), t*sin(pi*y)**2/2 + cos(pi*y)/pi, Matrix([[pi*cos(pi*y)]]))
    """

    H: sympy.Expr
    g: sympy.Expr
    p: Sequence[sympy.Symbol]
    y: Sequence[sympy.Symbol]
    t = sympy.Symbol("t", nonnegative=True)

    def __post_init__(self):
        object.__setattr__(self, "H", symbolic(self.H, "H"))
        object.__setattr__(self, "g", symbolic(self.g, "g"))
        object.__setattr__(self, "p", tuple(self.p))
        object.__setattr__(self, "y", tuple(self.y))
        if len(self.p) != len(self.y) or not self.p:
            raise ShapeError(f"got {len(self.p)} momenta and {len(self.y)} variables; pass d ≥ 1 of each")
        for name, expr, known in (("H", self.H, self.p), ("g", self.g, self.y)):
            if unknown := expr.free_symbols - set(known):
                raise InputError(
                    f"{name} has the symbols {sorted(map(str, unknown))} besides {known}; give them values"
                )

    @cached_property
    def momentum(self) -> tuple[sympy.Expr, ...]:
        """p = ∇g(y)."""
        return tuple(self.g.diff(v) for v in self.y)

    def _on_line(self, expr: sympy.Expr) -> sympy.Expr:
        return expr.subs(dict(zip(self.p, self.momentum, strict=True)), simultaneous=True)

    @cached_property
    def position(self) -> tuple[sympy.Expr, ...]:
        """x = y + t ∇H(p)."""
        return tuple(v + self.t * self._on_line(self.H.diff(q)) for v, q in zip(self.y, self.p, strict=True))

    @cached_property
    def value(self) -> sympy.Expr:
        """u along the line, g + t (p·∇H(p) − H(p))."""
        action = sympy.Add(*(q * self.H.diff(q) for q in self.p)) - self.H
        return self.g + self.t * self._on_line(action)

    @cached_property
    def compression(self) -> sympy.Matrix:
        """−∇²H(p) ∇²g(y); lines run together where it has a positive eigenvalue."""
        return -self._on_line(sympy.hessian(self.H, self.p)) * sympy.hessian(self.g, self.y)

    @cached_property
    def _compiled(self) -> Callable:
        return sympy.lambdify(self.y, self.compression, "numpy", cse=True)

    def shock_time(self, y: ArrayLike) -> float:
        """The first time at which lines from near one of the points y (n, d) meet; ∞ if they never do.

        The maximum is taken over the points given, so it is above the true t* by what lies between them.
        """
        y = np.asarray(y, dtype=float)
        if y.ndim != 2 or y.shape[1] != len(self.y):
            raise ShapeError(f"y has shape {y.shape}; pass points (n, {len(self.y)})")
        worst = max((_largest(np.asarray(self._compiled(*point), dtype=float)) for point in y), default=0.0)
        return 1 / worst if worst > 0 else np.inf


def _largest(matrix: np.ndarray) -> float:
    """The largest real eigenvalue; 0 if there is none."""
    values = np.linalg.eigvals(matrix)
    real = values.real[np.abs(values.imag) <= 1e-12 * np.abs(values).max(initial=1.0)]
    return float(real.max(initial=0.0))

"""Whether two Hamiltonians are the same, and how they differ: as formulas, at points, and with proved bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.systems.enclosure import as_box, supremum
from hjsym.systems.learned import LearnedHamiltonian
from hjsym.systems.sketches import on_nodes, sketch_of
from tropical.errors import BudgetExceeded, ShapeError

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """How two Hamiltonians differ; what `compare` returns.

    Attributes
    ----------
    equal : bool
        Whether SymPy proves that they differ by a constant.
    energy_error : float
        max |H₁ − H₂ − c| over a grid of the box, with the best constant c there.
    field_error : float
        max |∇H₁ − ∇H₂| over the grid: the error of the equations of motion.
    scale : float
        max |∇H₂|, to compare it with.
    energy_bound : float or None
        max |H₁ − H₂ − c| over the whole box is proved to be at most this; None if that was not asked for.
    sketch : sympy.Expr
        The Taylor polynomial of H₁ − H₂ − c of degree 2 about the middle of the box: what has to be added to H₂ first.

    Examples
    --------
    >>> q, p = sympy.symbols("q1 p1", real=True)
    >>> a, b = (LearnedHamiltonian(p**2 / 2 + k * q**2, (q,), (p,)) for k in (1, 2))
    >>> found = compare(a, b)
    >>> found.equal, found.energy_error > 0, found.energy_bound
    (False, True, None)
    """

    equal: bool
    energy_error: float
    field_error: float
    scale: float
    energy_bound: float | None
    sketch: sympy.Expr

    def __str__(self) -> str:
        if self.equal:
            return "equal, but for a constant"
        proved = (
            "" if self.energy_bound is None else f", proved to be at most {self.energy_bound:.3g} everywhere"
        )
        return (
            f"energies differ by up to {self.energy_error:.3g} at nodes{proved}; forces and velocities by "
            f"{self.field_error:.3g} of {self.scale:.3g}\n  H₁ − H₂ ≈ {self.sketch}"
        )


def compare(
    a: LearnedHamiltonian,
    b: LearnedHamiltonian,
    box: ArrayLike = (-1, 1),
    nodes: int = 9,
    *,
    proved: bool = False,
    most_cells: int = 500,
) -> Comparison:
    """Is this the oscillator? Two Hamiltonians of the same size, as formulas, on a grid of a box, and all over it.

    Parameters
    ----------
    a, b : LearnedHamiltonian
        With the same number of degrees of freedom; symbols may differ.
    box : (low, high)
        Numbers, or arrays of 2n: of q, then of p.
    nodes : int
        Of the grid along each axis.
    proved : bool
        Whether to prove a bound between the nodes too, which needs python-flint.
    most_cells : int
        How long to work on that; see `hjsym.systems.supremum`.

    Examples
    --------
    >>> q, p = sympy.symbols("q1 p1", real=True)
    >>> oscillator = LearnedHamiltonian(p**2 / 2 + q**2 / 2, (q,), (p,))
    >>> pendulum = LearnedHamiltonian(p**2 / 2 + 1 - sympy.cos(q), (q,), (p,))
    >>> found = compare(pendulum, oscillator, (-0.5, 0.5), proved=True)
    >>> found.equal, found.field_error < 0.03 * found.scale, found.energy_error < found.energy_bound < 0.0015
    (False, True, True)
    >>> compare(LearnedHamiltonian(p**2 + q**2 / 2, (q,), (p,)), oscillator).sketch
    0.5*p1**2
    """
    if len(a.q) != len(b.q):
        raise ShapeError(f"the Hamiltonians have {len(a.q)} and {len(b.q)} degrees of freedom")
    symbols = (*a.q, *a.p)
    other = b.H.subs(dict(zip((*b.q, *b.p), symbols, strict=True)), simultaneous=True)
    difference = sympy.expand(a.H - other)
    low, high = as_box(box, len(symbols))
    if nodes < 2 or nodes ** len(symbols) > 10**6:
        raise BudgetExceeded(
            "nodes of the grid", nodes ** len(symbols), 10**6, "pass fewer nodes, at least 2"
        )
    grid = np.meshgrid(*(np.linspace(*sides, nodes) for sides in zip(low, high, strict=True)))
    values = [on_nodes(e, symbols, grid) for e in (difference, *(difference.diff(s) for s in symbols))]
    slopes = [on_nodes(other.diff(s), symbols, grid) for s in symbols]
    energy, *fields = values
    error, constant = float(np.ptp(energy) / 2), float(energy.max() / 2 + energy.min() / 2)
    size = np.abs(on_nodes(other, symbols, grid)).max() + np.abs(energy).max()
    equal = bool(error <= 1e-9 * size and not sympy.simplify(difference).free_symbols)
    bound = (
        supremum(difference - constant, symbols, (low, high), most_cells=most_cells).upper if proved else None
    )
    sketch = sketch_of(difference - constant, symbols, degree=2, box=(low, high), proved=False).expr
    return Comparison(
        equal, error,
        *(float(np.sqrt(sum(v**2 for v in parts)).max()) for parts in (fields, slopes)),
        bound, sketch - sketch.subs(dict.fromkeys(symbols, 0)),
    )  # fmt: skip

"""Any equation u_t + H(x, ∇u, t) = νΔu + source, marched forward on a grid: to check what has a formula elsewhere.

With p⁻ and p⁺ the one-sided slopes, u falls at the rate of Lax and Friedrichs' Hamiltonian

    H((p⁻ + p⁺)/2) − Σ_k α_k (p_k⁺ − p_k⁻)/2,    α_k ≥ max |∂H/∂p_k| over the slopes that occur,

by steps of Euler, Heun or Shu and Osher (convex combinations of Euler's). With first-order slopes the scheme is
monotone, and so converges to the viscosity solution (M. G. Crandall, P.-L. Lions, "Two approximations of solutions of
Hamilton–Jacobi equations", Math. Comp. 43, 1984). Where there is a formula use it: it is exact, and some thousand times
as fast. A general package for the method of lines has no such Hamiltonian, and one for reachability no viscosity.

Sources: S. Osher, C.-W. Shu, SIAM J. Numer. Anal. 28 (1991), section 2; C.-W. Shu, S. Osher, J. Comput. Phys. 77
(1988).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.solutions._input import as_even_nodes
from hjsym.solutions.stencils import BOUNDARIES, GHOSTS, ORDERS, laplacian, one_sided_slopes
from hjsym.systems.system import HJSystem
from tropical._arrays import refuse_where
from tropical._display import summary
from tropical._progress import Progress, reporting
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["GridSolution", "march"]

_MOST_NODES = 2 * 10**7
_MOST_UPDATES = 2 * 10**10  # nodes times steps
_SAMPLES = 33, 9, 5  # momenta along each axis that speeds are sampled at, in 1, 2 and 3 variables
_STAGES = {1: (), 2: (1 / 2,), 5: (3 / 4, 1 / 3)}  # shares of the old values in the stages after the first


@dataclass(frozen=True)
class GridSolution:
    """What `march` returns.

    Attributes
    ----------
    values : array with d axes
        u at the nodes and the last time.
    x : tuple of d arrays
        The nodes of each axis.
    t : float
        The last time.
    steps : int
        How many were made.
    speeds : tuple of d floats
        The largest α_k: what is at a node depends on what is within α_k·t of it.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 41)
    >>> found = march(lambda x, p: p[0] ** 2 / 2, x**2 / 2, x, 0.5)
    >>> found.values.shape, found.t, found.steps > 5, len(found.speeds)
    ((41,), 0.5, True, 1)
    """

    values: np.ndarray
    x: tuple[np.ndarray, ...]
    t: float
    steps: int
    speeds: tuple[float, ...]

    __repr__ = summary


def march(
    hamiltonian: HJSystem | Callable,
    g: ArrayLike,
    x: ArrayLike | Sequence[ArrayLike],
    t: float,
    *,
    start: float = 0.0,
    viscosity: float | None = None,
    order: int = 5,
    boundary: str = "extrapolate",
    speeds: Sequence[float] | None = None,
    cfl: float = 0.75,
    progress: Progress = None,
) -> GridSolution:
    """u at time t of u_t + H(x, ∇u, t) = νΔu + source with u = g at `start`, on a grid in at most 3 variables.

    Parameters
    ----------
    hamiltonian : HJSystem or callable
        A system as `hjsym.hamiltonian` reads it, convex in p or not; or H(x, p) of tuples of d arrays each, which
        broadcast.
    g : array with d axes
        Finite initial values at the nodes.
    x : array or sequence of d arrays
        The nodes of each axis, ascending at even distances, at least 4.
    t : float
        Time > `start`.
    start : float
        The time of g; of systems that have none at 0.
    viscosity : float, optional
        ν ≥ 0; that of the system, or 0 for a callable.
    order : {1, 2, 5}
        Of the slopes: 1 (monotone; Euler), 2 (ENO; Heun) or 5 (WENO; Runge–Kutta of third order).
    boundary : {"extrapolate", "periodic"}
        Beyond the ends the last slope goes on, or the values of the other end, whose node is not repeated in x.
    speeds : sequence of d floats, optional
        Bounds of |∂H/∂p_k|. By default they are sampled over the slopes that occur, at 33, 9² or 5³ momenta.
    cfl : float
        The step as a part, in (0, 1], of the largest that keeps the first order monotone.
    progress : callable or bool, optional
        Called with the number of steps; True for a bar.

    Returns
    -------
    GridSolution

    Raises
    ------
    ShapeError
        More than 3 variables; nodes that do not fit g.
    InputError
        t ≤ `start`, uneven nodes, values that are not finite, now or later (with the time); parameters out of range.
    BudgetExceeded
        More than 2·10⁷ nodes, or 2·10¹⁰ nodes times steps, saying how many.

    Notes
    -----
    Errors: O(h) for order 1 where u is smooth and at most O(√h) else, past shocks too (Crandall and Lions); 2 and 5
    are of these orders where u is smooth, of first order beside its kinks; none of this is a bound. Steps are ∝ h, and
    ∝ h² where ν is above αh; for the fifth order in time as well take cfl ∝ h^{2/3}. Within α_k·t of an end that lets
    information in, values are those of the boundary's choice. Cost: about 40 operations a node, axis and stage.

    Examples
    --------
    A layer's own equation, from its own initial data:

    >>> import hjsym
    >>> from hjsym.hopf import LSELayer
    >>> system = hjsym.hamiltonian(LSELayer([[1.0], [-1.0], [0.5]], [0.0, 0.0, 0.25], eps=0.5))
    >>> V = sympy.lambdify([system.x[0], system.t], system.fields["V"])
    >>> x = np.linspace(-6, 6, 97)
    >>> u = march(system, V(x, 0.0), x, 0.5).values
    >>> inner = abs(x) < 3
    >>> bool(abs(u - V(x, 0.5))[inner].max() < 1e-4)
    True

    H = |p| moves the level sets of the data; kinks stay kinks:

    >>> u = march(lambda x, p: abs(p[0]), x**2 / 2, x, 1.0).values
    >>> bool(abs(u - np.maximum(abs(x) - 1, 0) ** 2 / 2)[inner].max() < 0.02)
    True
    """
    g, x, spacing = _as_grid(g, x)
    if order not in ORDERS or boundary not in BOUNDARIES or not 0 < cfl <= 1:
        raise InputError(
            f"order is {order!r}, boundary {boundary!r} and cfl {cfl!r}; pass one of {ORDERS}, one of {BOUNDARIES}, "
            "and a number in (0, 1]"
        )
    if not (math.isfinite(t) and math.isfinite(start) and t > start):
        raise InputError(f"t is {t}; pass a finite time > {start}, when u = g")
    equation = _Equation.of(hamiltonian, x, viscosity)
    scheme = _Scheme(
        equation, spacing, order, boundary, cfl, None if speeds is None else _as_speeds(speeds, len(x))
    )
    with reporting(progress, "steps") as report, np.errstate(over="ignore", invalid="ignore"):
        return scheme.run(g, start, float(t), report)


@dataclass(frozen=True)
class _Equation:
    """H less the source on the nodes, at momenta that broadcast with them, and ν."""

    H: Callable
    x: tuple
    viscosity: float
    is_autonomous: bool

    @classmethod
    def of(cls, source, x: tuple, viscosity: float | None) -> _Equation:
        mesh = tuple(np.meshgrid(*x, indexing="ij", sparse=True))
        nu, moves = 0.0, False
        if isinstance(source, HJSystem):
            if len(source.x) != len(x):
                raise ShapeError(f"the system has {len(source.x)} variables but the grid has {len(x)} axes")
            values = {s: v for s, v in source.parameters.items() if np.ndim(v) == 0}
            rate = (source.H - source.source).subs(values)
            moves, nu = rate.has(source.t), source.viscosity.subs(values)
            if nu.free_symbols or (unknown := rate.free_symbols - {*source.x, *source.p, source.t}):
                raise InputError(
                    f"the system has no values for {sorted(map(str, nu.free_symbols or unknown))}"
                )
            H = sympy.lambdify([source.x, source.p, source.t], rate, "numpy", cse=True)
        else:

            def H(x, p, t):
                return source(x, p)

        nu = float(nu) if viscosity is None else float(viscosity)
        if not (math.isfinite(nu) and nu >= 0):
            raise InputError(f"viscosity is {nu}; pass a finite number ≥ 0")
        return cls(H, mesh, nu, not moves)

    def __call__(self, p: Sequence, t: float) -> np.ndarray:
        return np.asarray(self.H(self.x, tuple(p), t), dtype=float)

    def speeds(self, low: np.ndarray, high: np.ndarray, t: float) -> np.ndarray:
        """max |∂H/∂p_k| over the nodes and a lattice of momenta in a box, by central differences."""
        lattice = [np.linspace(a, b, _SAMPLES[len(low) - 1]) for a, b in zip(low, high, strict=True)]
        steps = np.diag(1e-4 * (high - low))
        found = np.zeros(len(low))
        for p in product(*lattice):
            for k, step in enumerate(steps):
                change = np.abs(self(p + step, t) - self(p - step, t)).max()
                found[k] = np.maximum(found[k], change / (2 * step[k]))  # which keeps NaN
        return found


@dataclass
class _Scheme:
    equation: _Equation
    spacing: list[float]
    order: int
    boundary: str
    cfl: float
    given: np.ndarray | None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    alpha: np.ndarray | None = None

    def run(self, u: np.ndarray, start: float, end: float, report) -> GridSolution:
        t, steps, most = start, 0, 0.0
        nodes = tuple(np.ravel(a) for a in self.equation.x)
        while t < end:
            slopes = self._slopes(u)
            self._see_speeds(slopes, t)
            dt = self._step()
            left = (end - t) / dt if dt else math.inf
            if left * u.size > _MOST_UPDATES:
                raise BudgetExceeded(
                    f"nodes times steps from t = {t:g} on", int(min(left * u.size, 1e300)), _MOST_UPDATES,
                    "pass fewer nodes or an earlier t; steps shrink where slopes grow",
                )  # fmt: skip
            dt = (end - t) / max(1, math.ceil(left))
            first = u + dt * self._rate(u, slopes, t)
            u, t, steps = self._stages(u, first, t, dt), (end if left <= 1 else t + dt), steps + 1
            most = np.maximum(most, self.alpha)
            if not np.isfinite(u).all():
                raise InputError(f"the solution is not finite at t = {t:.6g}; stop before")
            if report is not None:
                report(steps)
        return GridSolution(u, nodes, end, steps, tuple(map(float, most)))

    def _stages(self, u: np.ndarray, new: np.ndarray, t: float, dt: float) -> np.ndarray:
        """Heun's or Shu and Osher's stages from the first, each a mean of u and a step of Euler."""
        ahead = 1.0  # how far the stage is, in steps
        for share in _STAGES[self.order]:
            new = share * u + (1 - share) * (new + dt * self._rate(new, self._slopes(new), t + ahead * dt))
            ahead = (1 - share) * (ahead + 1)
        return new

    def _slopes(self, u: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return [one_sided_slopes(u, h, k, self.order, self.boundary) for k, h in enumerate(self.spacing)]

    def _rate(self, u: np.ndarray, slopes, t: float) -> np.ndarray:
        rate = -self.equation([(a + b) / 2 for a, b in slopes], t)
        for alpha, (a, b) in zip(self.alpha, slopes, strict=True):
            rate = rate + alpha / 2 * (b - a)
        if self.equation.viscosity:
            rate += self.equation.viscosity * laplacian(u, self.spacing, self.order, self.boundary)
        return rate

    def _see_speeds(self, slopes, t: float) -> None:
        """α for the slopes that occur and a tenth more, again when they leave that, or when H moves."""
        if self.given is not None:
            self.alpha = self.given
            return
        low = np.array([min(a.min(), b.min()) for a, b in slopes])
        high = np.array([max(a.max(), b.max()) for a, b in slopes])
        if self.low is None or (low < self.low).any() or (high > self.high).any():
            margin = 0.1 * (high - low) + 1e-3 * (1 + np.maximum(np.abs(low), np.abs(high)))
            self.low, self.high = low - margin, high + margin
        elif self.equation.is_autonomous:
            return
        self.alpha = self.equation.speeds(self.low, self.high, t)

    def _step(self) -> float:
        """cfl of the longest step that keeps the first order monotone, and the fifth stable."""
        h = np.array(self.spacing)
        diffusion = (3 if self.order == 5 else 2) * self.equation.viscosity * (1 / h**2).sum()
        fastest = (self.alpha / h).sum() + diffusion
        if not math.isfinite(fastest):
            raise InputError("H is not finite at slopes that occur, or is too steep; see where it is defined")
        return self.cfl / fastest if fastest else math.inf


def _as_grid(g: ArrayLike, x) -> tuple[np.ndarray, tuple[np.ndarray, ...], list[float]]:
    g = np.asarray(g, dtype=float)
    if not 1 <= g.ndim <= 3:
        raise ShapeError(
            f"g has {g.ndim} axes; grids are for 1 to 3, and for more there are Mixture and hopf_cole_radial"
        )
    if g.size > _MOST_NODES:
        raise BudgetExceeded("nodes", g.size, _MOST_NODES, "pass a coarser grid")
    x, spacing = as_even_nodes(x, GHOSTS + 1)
    if tuple(map(len, x)) != g.shape:
        raise ShapeError(f"g has shape {g.shape} but the axes have {[len(a) for a in x]} nodes")
    refuse_where(~np.isfinite(g), "g", g, "initial values are finite")
    return g, x, spacing


def _as_speeds(speeds: Sequence[float], d: int) -> np.ndarray:
    speeds = np.asarray(speeds, dtype=float)
    if speeds.shape != (d,) or not (np.isfinite(speeds) & (speeds >= 0)).all():
        raise InputError(f"speeds are {speeds.tolist()}; pass {d} finite numbers ≥ 0, bounds of |∂H/∂p_k|")
    return speeds

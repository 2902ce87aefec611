"""The commutative square of a layer: network ↔ tropical polynomial ↔ Hamilton–Jacobi equations ↔ convex conjugates.

                 ε → 0
    f_ε  ──────────────────→  f_0                f_ε = ε log Σ e^{(W·x + b)/ε},  f_0 = max
     │ \\                     / │
     │  f_ε* ──────────→ f_0*   │                entropy → polyhedral conjugate
     ↓                          ↓
    u_ε  ──────────────────→  u_0                u = |x|²/4κt − f: viscous and inviscid solutions

Every arrow is an identity or a limit with a proved bound. Here each is checked at points by a route that does not share
its formula: the corner at its end is computed from its own data, and compared.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from hjsym.conjugate import EntropyOnHull, PolyhedralConjugate, conjugate
from hjsym.hopf import KernelGauge, LSELayer
from hjsym.systems import HJSystem, hamiltonian
from tropical import Polynomial
from tropical._arrays import as_points
from tropical.errors import InputError, ShapeError

__all__ = ["Arrow", "Diagram", "diagram"]

_ULP = 2.0**-50  # a few units of rounding, which the bound of an identity allows
_INWARDS = 2.0**-40  # the least part of the way to the mean of all slopes
_MOST_QUERIES = 16  # of conjugates, which are a program each in many variables
_MOST_SYMBOLS = 12  # N·d up to which equations are also checked in 40 digits


@dataclass(frozen=True)
class Arrow:
    """One arrow, checked.

    Attributes
    ----------
    source, target : str
        Names of corners.
    claim : str
        What is checked.
    route : str
        How the other side was computed.
    error : float
        The largest deviation over the points.
    bound : float
        What it may be, proved: of a limit a multiple of ε, of an identity rounding.
    """

    source: str
    target: str
    claim: str
    route: str
    error: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the error is within the bound."""
        return self.error <= self.bound


def diagram(
    source, eps: float | None = None, t: float = 1.0, *, points: ArrayLike | None = None, seed: int = 0
) -> "Diagram":
    """The square of a layer from any of its corners, with every arrow checked.

    Parameters
    ----------
    source
        A corner: an `LSELayer`, a network Affine → LogSumExp, a `Polynomial` at ε ≥ 0; a `KernelGauge` (initial data at
        atoms); f_ε* or f_0* as `hjsym.conjugate` returns them.
    eps : float, optional
        Temperature ε > 0; that of the source where it has one.
    t : float
        Time of the kernel gauge, > 0; that of a `KernelGauge`.
    points : (n, d) array, optional
        Where arrows are checked; by default 64 normal ones, as far out as the atoms reach.
    seed : int
        Of those.

    Examples
    --------
    >>> square = diagram(LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.1))
    >>> square.holds, len(square.arrows)
    (True, 9)
    >>> from hjsym.conjugate import conjugate
    >>> again = diagram(conjugate(square.corners["tropical"]), eps=0.1)        # from its convex corner
    >>> bool(np.allclose(again.layer(square.points), square.layer(square.points)))
    True
    """
    layer, t = _layer(source, eps, t)
    if points is None:
        reach = 1 + np.abs(layer.kernel(t).y).max()
        points = np.random.default_rng(seed).normal(size=(64, layer.variables)) * reach
    return Diagram(layer, t, as_points(points, layer.variables, np.dtype(float)).reshape(-1, layer.variables))


def _layer(source, eps: float | None, t: float) -> tuple[LSELayer, float]:
    if isinstance(source, KernelGauge):
        source, t = source.layer, source.t
    elif isinstance(source, PolyhedralConjugate | EntropyOnHull):
        source = source.polynomial
    if isinstance(source, Polynomial):
        if source.semiring.sign != 1:
            raise InputError("the polynomial takes minima; negate it, the square is that of maxima")
        eps = source.semiring.eps if eps is None else eps
        if not eps:
            raise InputError(
                "the source is a limit at ε = 0; pass eps= to say which layer it is the limit of"
            )
        source = source.to_float() if source.is_exact else source
        source = LSELayer(source.slopes, source.coefficients, eps)
    elif not isinstance(source, LSELayer):
        source = LSELayer.from_network(source)
    if eps is not None and eps != source.eps:
        source = LSELayer(source.W, source.b, eps, source.kappa)
    return source, t


@dataclass(frozen=True, eq=False)
class Diagram:
    """The six corners of a layer and the arrows between them; what `diagram` returns.

    Attributes
    ----------
    layer : LSELayer
    t : float
        Time of the kernel gauge.
    points : (n, d) array
        Where the arrows were checked.
    """

    layer: LSELayer
    t: float
    points: np.ndarray

    def __post_init__(self):
        if not len(self.points):
            raise ShapeError("there are no points to check the arrows at; pass at least one")

    @cached_property
    def gauge(self) -> KernelGauge:
        return self.layer.kernel(self.t)

    @cached_property
    def corners(self) -> dict:
        """network f_ε, tropical f_0, viscous u_ε and inviscid u_0 at time t, entropic f_ε*, polyhedral f_0*."""
        soft, hard = self.layer.polynomial, self.layer.polynomial.deform(0)
        return {
            "network": soft, "tropical": hard,
            "viscous": self.gauge.u, "inviscid": self.gauge.hopf_lax,
            "entropic": conjugate(soft), "polyhedral": conjugate(hard),
        }  # fmt: skip

    @cached_property
    def systems(self) -> dict[str, HJSystem]:
        """The equations of the two solutions."""
        return {
            "viscous": hamiltonian(self.layer, gauge="kernel"),
            "inviscid": hamiltonian(self.layer.polynomial.deform(0)),
        }

    @property
    def limit_bound(self) -> float:
        """ε log N, which bounds each of the four limits."""
        return self.layer.eps * math.log(self.layer.neurons)

    # ---- arrows ----------------------------------------------------------------------------------

    @cached_property
    def arrows(self) -> tuple[Arrow, ...]:
        return tuple(self._arrows())

    @property
    def holds(self) -> bool:
        """Whether every arrow does."""
        return all(arrow.holds for arrow in self.arrows)

    def _arrows(self) -> Iterator[Arrow]:
        x, layer = self.points, self.layer
        f, f0, u, u0 = (self.corners[name](x) for name in ("network", "tropical", "viscous", "inviscid"))
        z = np.einsum("nd,jd->nj", x, layer.W) + layer.b
        action = (x**2).sum(axis=1) / (4 * layer.kappa * self.t)
        rounding = _ULP * (
            np.abs(z).max()
            + action.max()
            + np.abs(self.gauge.g).max()
            + layer.eps * math.log(layer.neurons + 1)
        )
        by_scipy = layer.eps * logsumexp(z / layer.eps, axis=1)
        yield Arrow(
            "network",
            "network",
            "f_ε by the compiled core",
            "SciPy's logsumexp",
            np.abs(f - by_scipy).max(),
            rounding,
        )
        yield Arrow(
            "network", "tropical", "0 ≤ f_ε − f_0 ≤ ε log N", "NumPy's maximum", _outside(f - z.max(axis=1), rounding),
            self.limit_bound + rounding,
        )  # fmt: skip
        yield Arrow(
            "network",
            "viscous",
            "f_ε + u_ε = |x|²/4κt",
            "u_ε from its atoms",
            np.abs(f + u - action).max(),
            rounding,
        )
        yield Arrow(
            "tropical", "inviscid", "f_0 + u_0 = |x|²/4κt", "u_0 by Hopf–Lax from its atoms",
            np.abs(f0 + u0 - action).max(), rounding,
        )  # fmt: skip
        yield Arrow(
            "viscous", "inviscid", "0 ≤ u_0 − u_ε ≤ ε log N", "each from its atoms", _outside(u0 - u, rounding),
            self.limit_bound + rounding,
        )  # fmt: skip
        yield self._equation_holds()
        yield from self._convex_corner(f, f0, z)

    def _equation_holds(self) -> Arrow:
        """The equation of u_ε at the points: in 40 digits where it is small, else by moments of Gibbs weights."""
        claim = "u_t + κ|∇u|² = νΔu − εd/2t"
        if self.layer.neurons * self.layer.variables <= _MOST_SYMBOLS:
            system = self.systems["viscous"]
            error = max(system.residual_at(x, self.t) for x in self.points[:2])
            return Arrow("viscous", "viscous", claim, "SymPy's derivatives in 40 digits", error, 1e-30)
        error = np.abs(self.gauge.residual(self.points)).max()  # E|D|² = |E D|² + Var D for all weights
        rounding = 8 * (self.layer.neurons + self.layer.variables + 10) * np.finfo(float).eps
        return Arrow("viscous", "viscous", claim, "moments of the Gibbs weights", error, rounding)

    def _convex_corner(self, f, f0, z: np.ndarray) -> Iterator[Arrow]:
        """At the first points; means are moved a little into the hull, off which conjugates are +∞.

        For weights λ of mean y, 0 ≤ f(x) + f*(y) − x·y ≤ ε KL(λ‖π) with π the Gibbs weights. KL is convex and below
        max −log π_j, so that λ = (1 − s)π + sμ makes it s(f(x) − min z_j) at most, whatever μ.
        """
        layer, x, f, f0, z = self.layer, *(a[:_MOST_QUERIES] for a in (self.points, f, f0, z))
        soft, hard = self.corners["entropic"], self.corners["polyhedral"]
        weights = np.exp((z - z.max(axis=1, keepdims=True)) / layer.eps)
        means = weights @ layer.W / weights.sum(axis=1, keepdims=True)
        largest, s = layer.W[z.argmax(axis=1)], self._inwards
        inner = means + (layer.W.mean(axis=0) - means) * s if s < 1 else largest
        size = (np.abs(x) @ np.abs(layer.W).max(axis=0)).max() + np.abs(layer.b).max() + layer.eps
        rounding, hard_rounding = 4 * _ULP * size, 4 * _ULP * (size + _size_of_pieces(hard, inner))
        claim = "f(x) + f*(y) = x·y at y = ∇f(x)"
        gap = f + _at(soft, inner) - (x * inner).sum(axis=1)
        yield Arrow(
            "network", "entropic", claim, "f_ε* at the mean of the Gibbs weights", np.abs(gap).max(),
            s * (f - z.min(axis=1)).max() + rounding,
        )  # fmt: skip
        gap = f0 + _at(hard, largest) - (x * largest).sum(axis=1)
        yield Arrow(
            "tropical", "polyhedral", claim, "f_0* at the largest slope", np.abs(gap).max(), hard_rounding,
        )  # fmt: skip
        yield Arrow(
            "entropic", "polyhedral", "0 ≤ f_0* − f_ε* ≤ ε log N", "entropy beside a hull, at means",
            _outside(_at(hard, inner) - _at(soft, inner), hard_rounding), self.limit_bound + hard_rounding,
        )  # fmt: skip

    @property
    def _inwards(self) -> float:
        """The part s of the way from a Gibbs mean to that of all slopes, at which rounding stays in the hull.

        Moved by δ, the point is there for μ_j = (1 + A_j·C⁻¹δ/s)/N in place of 1/N, where A_j is W_j less the mean and
        C the covariance; so |A_j·C⁻¹δ| ≤ s does. The hull is taken in coordinates that tell its points apart. 1 where
        it is thinner than rounding.
        """
        W = self.layer.W[:, self.corners["entropic"].domain.polytope.affine_hull.pivots]
        moved = (len(W) + 8) * np.finfo(float).eps * np.abs(W).max(axis=0, initial=0.0)
        reach = len(W) * np.abs(np.linalg.pinv(W - W.mean(axis=0), rcond=0)).T @ moved
        s = max(_INWARDS, reach.max(initial=0.0))
        return float(s) if s < 0.5 else 1.0

    @cached_property
    def graph(self) -> nx.DiGraph:
        """The corners with their `value`s, and the arrows with theirs, as attributes."""
        graph = nx.MultiDiGraph()
        for name, value in self.corners.items():
            graph.add_node(name, value=value)
        for arrow in self.arrows:
            graph.add_edge(arrow.source, arrow.target, arrow=arrow)
        return graph

    # ---- print -----------------------------------------------------------------------------------

    def __str__(self) -> str:
        head = f"{self.layer.neurons} neurons, {self.layer.variables} variables, ε = {self.layer.eps:g}, t = {self.t:g}"
        rows = [
            f"{'' if a.holds else '✗ '}{a.source + ' → ' + a.target:<24} {a.claim:<34} {a.error:9.2e} ≤ {a.bound:8.2e}"
            for a in self.arrows
        ]
        return "\n".join([head, *rows])

    def latex(self) -> str:
        """The square as an array in LaTeX, with the measured errors on its arrows."""
        found = {(a.source, a.target): a.error for a in self.arrows}

        def over(source: str, target: str, arrow: str) -> str:
            error = sympy.latex(sympy.Float(found[source, target], 2))
            return rf"{arrow}{{{error}}}"

        return (
            r"\begin{array}{ccc} f_\varepsilon & "
            + over("network", "tropical", r"\xrightarrow")
            + r" & f_0 \\ \downarrow & & \downarrow \\ u_\varepsilon & "
            + over("viscous", "inviscid", r"\xrightarrow")
            + r" & u_0 \end{array} \qquad f_\varepsilon^* "
            + over("entropic", "polyhedral", r"\xrightarrow")
            + r" f_0^*"
        )

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def plot(self, ax=None):
        """The corners and arrows with errors and bounds, on new axes of matplotlib unless given; returns the axes."""
        from tropical._figures import BLUE, RED, axes_or_new

        ax = axes_or_new(ax)
        places = {
            "network": (0, 1), "tropical": (3, 1), "viscous": (0, 0), "inviscid": (3, 0),
            "entropic": (0.8, 0.5), "polyhedral": (2.2, 0.5),
        }  # fmt: skip
        for arrow in self.arrows:
            if arrow.source == arrow.target:
                continue
            a, b = np.array(places[arrow.source], float), np.array(places[arrow.target], float)
            colour = BLUE if arrow.holds else RED
            ax.annotate(
                "", b, a, arrowprops={"arrowstyle": "->", "color": colour, "shrinkA": 24, "shrinkB": 24}
            )
            ax.text(
                *(a + b) / 2,
                f"{arrow.error:.1e} ≤ {arrow.bound:.1e}",
                ha="center",
                va="center",
                fontsize=7,
                backgroundcolor="w",
            )
        names = {
            "network": "f_ε",
            "tropical": "f₀",
            "viscous": "u_ε",
            "inviscid": "u₀",
            "entropic": "f_ε*",
            "polyhedral": "f₀*",
        }
        for name, (px, py) in places.items():
            ax.text(px, py, f"{names[name]}\n{name}", ha="center", va="center", fontsize=9)
        ax.set(xlim=(-0.5, 3.5), ylim=(-0.25, 1.25))
        ax.set_axis_off()
        return ax


def _outside(differences: np.ndarray, rounding: float) -> float:
    """The largest of numbers that are to be ≥ 0, and +∞ if one is below 0 by more than rounding."""
    return math.inf if differences.min() < -rounding else float(differences.max())


def _size_of_pieces(hard: PolyhedralConjugate, y: np.ndarray) -> float:
    """The largest Σ|x_k||y_k| + |v| of pieces x·y − v of f_0*, to which the rounding of its values is relative."""
    if hard.is_whole:
        pieces = hard.envelope
        return float((np.abs(y) @ np.abs(pieces.slopes).T + np.abs(pieces.coefficients)).max())
    steepest = np.abs(hard.argmax(y).reshape(y.shape))
    return float((steepest @ np.abs(hard.polynomial.slopes).max(axis=0)).max())


def _at(function, y: np.ndarray) -> np.ndarray:
    return function(y[:, 0] if y.shape[1] == 1 else y)

"""The commutative square of a layer: network ↔ tropical polynomial ↔ Hamilton–Jacobi equations ↔ convex conjugates.

                 ε → 0
    f_ε  ──────────────────→  f_0                f_ε = ε log Σ e^{(W·x + b)/ε},  f_0 = max
     │ \\                     / │
     │  f_ε* ──────────→ f_0*   │                entropy → polyhedral conjugate
     ↓                          ↓
    u_ε  ──────────────────→  u_0                u = |x|²/4κt − f: viscous and inviscid solutions

Every arrow is an identity or a limit with a proved bound, and is checked at points (`hjsym.square.arrows`). Any
corner is enough to build the others (`hjsym.square.corners`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.conjugate import conjugate
from hjsym.hopf import KernelGauge, LSELayer
from hjsym.square.arrows import Arrow, check_arrows
from hjsym.square.corners import layer_of
from hjsym.systems import HJSystem, hamiltonian
from tropical._arrays import as_points
from tropical._formulas import in_display
from tropical._html import shown
from tropical._tables import HasTable
from tropical.errors import ShapeError

__all__ = ["Arrow", "Diagram", "diagram"]


def diagram(
    source, eps: float | None = None, t: float = 1.0, *, points: ArrayLike | None = None, seed: int = 0
) -> Diagram:
    """The square of a layer from any of its corners, with every arrow checked.

    Parameters
    ----------
    source
        A corner: an `LSELayer`, a network Affine → LogSumExp, a `Polynomial` at ε ≥ 0; a `KernelGauge` (initial data at
        atoms), the `HJSystem` of a layer or a maximum, a solution as a `hjsym.solutions.Mixture` of |x − y_j|²/4t;
        f_ε* or f_0* as `hjsym.conjugate` returns them.
    eps : float, optional
        Temperature ε > 0; that of the source where it has one.
    t : float
        Time of the kernel gauge, > 0; that of a `KernelGauge` or of a solution.
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
    layer, t = layer_of(source, eps, t)
    if points is None:
        reach = 1 + np.abs(layer.kernel(t).y).max()
        points = np.random.default_rng(seed).normal(size=(64, layer.variables)) * reach
    return Diagram(layer, t, as_points(points, layer.variables, np.dtype(float)).reshape(-1, layer.variables))


@dataclass(frozen=True, eq=False)
class Diagram(HasTable):
    r"""The six corners of a layer and the arrows between them; what `diagram` returns.

    Attributes
    ----------
    layer : LSELayer
    t : float
        Time of the kernel gauge.
    points : (n, d) array
        Where the arrows were checked.

    Examples
    --------
    >>> square = diagram(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.1))
    >>> sorted(square.corners), len(square.systems), square.graph.number_of_edges(), square.holds
    (['entropic', 'inviscid', 'network', 'polyhedral', 'tropical', 'viscous'], 2, 9, True)
    >>> round(square.limit_bound, 9), square.gauge.t, square.arrows[0].source
    (0.069314718, 1.0, 'network')
    >>> square.latex().startswith(r"\begin{array}")
    True
    >>> ax = square.plot()
    """

    layer: LSELayer
    t: float
    points: np.ndarray

    def __repr__(self) -> str:
        return f"<Diagram of {self.layer!r} at t = {self.t:g}>"

    def __post_init__(self):
        if not len(self.points):
            raise ShapeError("there are no points to check the arrows at; pass at least one")

    @cached_property
    def gauge(self) -> KernelGauge:
        """The layer as the solution at time t."""
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
        """All nine, each checked at the points by a second route."""
        return tuple(check_arrows(self))

    @property
    def holds(self) -> bool:
        """Whether every arrow does."""
        return all(arrow.holds for arrow in self.arrows)

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
        """The square as an array in LaTeX, with the measured errors on its arrows, and the bound of its limits."""
        found = {(a.source, a.target): sympy.latex(sympy.Float(a.error, 2)) for a in self.arrows}

        def right(source: str, target: str) -> str:
            return rf"\xrightarrow{{{found[source, target]}}}"

        def down(source: str, target: str) -> str:
            return rf"\Big\downarrow{{\scriptstyle {found[source, target]}}}"

        return (
            rf"\begin{{array}}{{ccc}} f_\varepsilon & {right('network', 'tropical')} & f_0 \\ "
            rf"{down('network', 'viscous')} & & {down('tropical', 'inviscid')} \\ "
            rf"u_\varepsilon & {right('viscous', 'inviscid')} & u_0 \end{{array}} \qquad "
            rf"\begin{{array}}{{ccc}} f_\varepsilon & {right('network', 'tropical')} & f_0 \\ "
            rf"{down('network', 'entropic')} & & {down('tropical', 'polyhedral')} \\ "
            rf"f_\varepsilon^* & {right('entropic', 'polyhedral')} & f_0^* \end{{array}} \qquad "
            rf"\varepsilon \log N = {sympy.latex(sympy.Float(self.limit_bound, 2))}"
        )

    def _repr_latex_(self) -> str | None:
        return shown(lambda: in_display(self.latex()) if "arrows" in vars(self) else None)

    def _shape(self) -> tuple[int, int]:
        return len(self.arrows), 7

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        arrows = self.arrows[:first]
        columns = {
            name: np.array([getattr(arrow, name) for arrow in arrows], dtype=object)
            for name in ("source", "target", "claim", "route")
        }
        columns |= {name: np.array([getattr(arrow, name) for arrow in arrows]) for name in ("error", "bound")}
        return columns | {"holds": np.array([arrow.holds for arrow in arrows], dtype=bool)}

    def _html(self) -> str:
        from hjsym._notebook import diagram_html

        return diagram_html(self)

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

"""Which basins of the entropy merge into which as temperature rises, as a graph.

A minimum of H is where one term answers alone: its basin, of the flow down the natural gradient, is a basin of
attribution; a maximum is where terms are torn. As ε grows a minimum or maximum meets a point of another index at a fold
and vanishes; what was its basin then flows to another one, or out of the region. At a branch point it may divide.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
from scipy.integrate import solve_ivp

from hjsym.bifurcation.singular import Bifurcation
from tropical.errors import InputError

__all__ = ["merge_tree"]

_AFTER = 1e-3  # relative distance in ε beyond an event at which the flow is followed, at most
_AWAY = 1e-3  # of the scale of x, by which a start leaves a point that flows nowhere
_TIME = 1e6  # flows leave the ghost of a fold slowly, and rest at their ends cheaply
_FAR = 20.0  # sides of the region, out to which a flow that leaves it is followed to name its term


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A part of a curve, between events, that is all of one index; cold end first."""

    eps: np.ndarray
    x: np.ndarray
    event: Bifurcation | None

    def at(self, eps: float) -> np.ndarray | None:
        if not self.eps[0] <= eps <= self.eps[-1]:
            return None
        return np.array([np.interp(math.log(eps), np.log(self.eps), column) for column in self.x.T])


def merge_tree(diagram, of: str = "minima") -> nx.DiGraph:
    """The basins of a `BifurcationDiagram`, with an edge from each that vanishes to what takes it over.

    Parameters
    ----------
    diagram : BifurcationDiagram
    of : {"minima", "maxima"}

    Returns
    -------
    networkx.DiGraph
        Nodes are numbers with ``x`` (where it was at ``birth``), ``atom`` (the term of largest weight there),
        ``birth`` and ``death`` (temperatures, death None for what is there at the hottest); edges have ``eps`` and
        ``kind``, as of a `Bifurcation`. A node ``("outside", atom)`` stands for what flows out of the
        region to where that term rules. With folds alone no node has two edges, and the graph is a forest.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape, bifurcation_diagram
    >>> y = [-2.6, -1.5, -0.4, 0.7, 1.7, 2.7]
    >>> tree = merge_tree(bifurcation_diagram(EntropyLandscape.of_atoms(y), (0.05, 2.0)), "maxima")
    >>> [(round(float(tree.nodes[a]["x"][0]), 2), round(float(tree.nodes[b]["x"][0]), 2), round(data["eps"], 3))
    ...  for a, b, data in sorted(tree.edges(data=True), key=lambda edge: edge[2]["eps"])]
    [(2.2, 1.2, 0.326), (-2.05, -0.95, 0.388), (-0.95, 0.15, 0.51), (0.15, 1.2, 0.51)]
    """
    if of not in ("minima", "maxima"):
        raise InputError(f"of is {of!r}; pass 'minima' or 'maxima'")
    H, d = diagram.landscape, diagram.landscape.variables
    stretches = sorted(
        (s for branch in diagram.branches for s in _stretches(branch, 0 if of == "minima" else d)),
        key=lambda s: (s.eps[0], *s.x[0]),
    )
    graph = nx.DiGraph()
    for k, s in enumerate(stretches):
        atom = int(H.weights(s.x[0], float(s.eps[0])).argmax())
        death = None if s.event is None and s.eps[-1] == diagram.eps_range[1] else float(s.eps[-1])
        graph.add_node(k, x=s.x[0], atom=atom, birth=float(s.eps[0]), death=death)
    times = sorted(b.eps for b in diagram.bifurcations)
    for k, s in enumerate(stretches):
        for heir in _heirs(diagram, stretches, s, times, -1.0 if of == "minima" else 1.0):
            if heir not in graph:
                graph.add_node(heir, atom=heir[1])
            if heir != k:
                graph.add_edge(k, heir, eps=s.event.eps, kind=s.event.kind)
    return graph


def _stretches(branch, index: int) -> list[_Stretch]:
    """The parts of a curve of one index, each with the event at its hot end, if any."""
    cuts = [0, *branch.places, len(branch.eps)]
    found = []
    for k, (a, b) in enumerate(pairwise(cuts)):
        if a == b or branch.index[a] != index:
            continue
        before = branch.events[k - 1] if k else None
        after = branch.events[k] if k < len(branch.events) else None
        eps, x = list(branch.eps[a:b]), list(branch.x[a:b])
        if before is not None:
            eps, x = [before.eps, *eps], [before.x, *x]
        if after is not None:
            eps, x = [*eps, after.eps], [*x, after.x]
        falling = eps[-1] < eps[0]
        hot = before if falling else after
        order = np.argsort(eps, kind="stable")
        found.append(_Stretch(np.array(eps)[order], np.array(x)[order], hot))
    return found


def _heirs(diagram, stretches, s: _Stretch, times, sign: float) -> set:
    """The stretches, or the outside, to which the flow leads from where a stretch ends in an event."""
    if s.event is None:
        return set()
    later = min((t for t in times if t > s.event.eps * (1 + 1e-9)), default=math.inf)
    eps = min(s.event.eps * (1 + _AFTER), math.sqrt(s.event.eps * min(later, s.event.eps * 4)))
    H = diagram.landscape
    starts = [s.event.x]
    if s.event.kind != "fold":
        step = _AWAY * H.length(eps) * s.event.v
        starts = [s.event.x + step, s.event.x - step]
    alive = {k: x for k, t in enumerate(stretches) if (x := t.at(eps)) is not None and t is not s}
    return {_goal(diagram, alive, x, eps, sign) for x in starts}


def _goal(diagram, alive: dict, x: np.ndarray, eps: float, sign: float):
    """Where ±n leads from a point: the stretch it ends at, or the outside."""
    H, low, high = diagram.landscape, diagram.low, diagram.high
    end, left = _flow(H, eps, sign, x, low, high)
    if not left and alive:
        return min(alive, key=lambda k: np.linalg.norm(alive[k] - end))
    far = _FAR * (high - low)
    end, _ = _flow(H, eps, sign, end, low - far, high + far)
    return "outside", int(H.weights(end, eps).argmax())


def _flow(
    H, eps: float, sign: float, x: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Where the flow of ±n from a point ends, and whether that is the boundary of a box."""

    def inside(_, y):
        return float(np.minimum(y - low, high - y).min())

    inside.terminal = True
    flow = solve_ivp(
        lambda _, y: sign * H.natural_gradient(y[None], eps).value[0],
        (0, _TIME), x, method="LSODA", events=inside, rtol=1e-8, atol=1e-10 * H.length(eps),
        jac=lambda _, y: sign * H.natural_gradient(y[None], eps).jacobian[0],
    )  # fmt: skip
    return flow.y[:, -1], flow.status == 1

"""A network on a view: the network of one or two variables that it is there, in the three kinds of layers of a page.

Everything linear becomes one kind, a sum of matrices applied to earlier values; the others are bends of one variable
and maxima over groups. `scripts/network.js` evaluates them, and their rails P and Q by the rule of `hjsym.rails`.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hjsym import layers
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import UnsupportedLayerError
from hjsym.network import Network, Node, needed
from hjsym.page.view import Plane, View
from tropical.errors import BudgetExceeded
from tropical.sparse import SparseMatrix

__all__ = ["MOST_NUMBERS", "NetworkOnPlane", "on_plane", "own_temperatures"]

MOST_NUMBERS = 120_000  # weights in a page: some 2.5 megabytes, a tenth of a second a move of the slider
_MOST_MONOMIALS = 24_000  # of P and Q of all outputs
_MOST_OUTPUTS = 10  # in tables of values
_TABLE = (129, 41)  # points and temperatures of these
_SAMPLES = 9  # points a coordinate at which the scale of f is read
_DECADES = 8  # over which it is looked for


@dataclass(frozen=True, eq=False)
class NetworkOnPlane:
    """The restriction of a network, piecewise linear, to the coordinates of a plane."""

    network: Network

    @cached_property
    def f(self) -> TropicalNetwork:
        return compile(self.network)

    @property
    def fits(self) -> bool:
        """Whether its weights are few enough to be written into a page."""
        return self.network.parameters <= MOST_NUMBERS

    @cached_property
    def bound(self) -> np.ndarray:
        """|f_ε − f_0| ≤ bound·ε, per output: `deformation_bound` goes with ε."""
        return self.f.deform(1.0).deformation_bound()

    def scale(self, view: View) -> float:
        """The least power of ten at which f_ε is as far from f_0 on the window as half the range of f_0 there."""
        points = view.points(_SAMPLES)
        hard = self.f(points)
        spread = float(np.ptp(hard, axis=0).max())
        if not (spread > 0 and self.bound.max() > 0):
            return 1.0
        least = math.floor(math.log10(spread / (2 * self.bound.max())))  # below, the bound says no
        for power in range(least, least + _DECADES):
            if np.abs(self.f.deform(10.0**power)(points) - hard).max() > spread / 2:
                break
        return 10.0**power

    def monomials(self, view: View, max_regions: int) -> list | None:
        """(P, Q) of each output by essential monomials on the window; None where there are too many."""
        try:
            pairs = self.f.essential(view.box, max_regions=max_regions)
        except BudgetExceeded:
            return None
        pairs = pairs if isinstance(pairs, list) else [pairs]
        if sum(len(P) + len(Q) for P, Q in pairs) > _MOST_MONOMIALS:
            return None
        return pairs

    def to_json(self, monomials: list | None) -> dict:
        sizes = self.network.sizes
        return {
            "nodes": [_node(node, [sizes[i] for i in node.inputs]) for node in self.network.nodes],
            "outputs": self.network.output_size,
            "bound": self.bound.tolist(),
            "monomials": monomials and [{"P": _polynomial(P), "Q": _polynomial(Q)} for P, Q in monomials],
        }

    def table(self, view: View, eps_range: tuple[float, float]) -> dict:
        """Values on a line at 0 and a ladder of temperatures, for networks that do not fit."""
        points, temperatures = _TABLE
        line = np.linspace(*view.window[0], points)[:, None]
        ladder = [0.0, *np.geomspace(*eps_range, temperatures - 1)]
        values = [self.f.deform(eps)(line)[:, :_MOST_OUTPUTS].T for eps in ladder]
        return {
            "points": line[:, 0].tolist(),
            "eps": [float(eps) for eps in ladder],
            "values": [[row.tolist() for row in at] for at in values],
            "outputs": min(self.network.output_size, _MOST_OUTPUTS),
            "bound": self.bound[:_MOST_OUTPUTS].tolist(),
        }


def own_temperatures(network: Network) -> set[float]:
    """Those of all bends and maxima, 0 of hard ones."""
    gates = layers.PiecewiseLinear | layers.Maximum
    return {node.layer.eps for node in network.nodes if isinstance(node.layer, gates)}


def on_plane(network: Network, plane: Plane) -> NetworkOnPlane:
    """The scores of the network, in front of its head, as a function of the coordinates of the plane."""
    scores = network.without_head()
    first = layers.Affine(plane.directions.T, plane.origin)
    nodes = [Node(first, (0,))]
    for node in scores.nodes:
        inputs = tuple(i + 1 for i in node.inputs)
        if isinstance(node.layer, layers.Affine) and inputs == (1,):
            merged = layers.Affine(*plane.restricted(node.layer.weight, node.layer.bias))
            nodes.append(Node(merged, (0,), node.name))
        else:
            nodes.append(Node(node.layer, inputs, node.name))
    return NetworkOnPlane(Network(plane.variables, needed(nodes)).deform(0))


def _node(node: Node, sizes: list[int]) -> dict:
    layer = node.layer
    found = {"inputs": list(node.inputs)}
    match layer:
        case layers.PiecewiseLinear():
            return found | {
                "kind": "bend",
                "breaks": layer.breaks.tolist(),
                "slopes": layer.slopes.tolist(),
                "intercept": layer.intercept.tolist(),
            }
        case layers.Maximum():
            return found | {"kind": "maximum", "groups": layer.members(sizes[0]).tolist()}
        case _:
            matrices, bias = _linear(layer, sizes)
            return found | {
                "kind": "linear",
                "matrices": [_matrix(m) for m in matrices],
                "bias": bias.tolist(),
            }


def _linear(layer: layers.Layer, sizes: list[int]) -> tuple[list, np.ndarray]:
    """The matrices and the bias of an affine layer of any kind, whose operands have these sizes."""
    size = sizes[0]
    everything = np.arange(size)
    match layer:
        case layers.Affine():
            return [layer.weight], layer.bias
        case layers.Scale():
            return [SparseMatrix((size, size), everything, everything, layer.factor)], layer.bias
        case layers.Gather():
            return [SparseMatrix.selection(layer.index, size)], np.zeros(len(layer.index))
        case layers.Add():
            return [
                SparseMatrix((size, size), everything, everything, np.full(size, float(factor)))
                for factor in layer.factors
            ], np.zeros(size)
        case layers.Identity():
            return [SparseMatrix.selection(everything, size)], np.zeros(size)
        case layers.Concat():
            sizes = np.asarray(sizes)
            starts = np.cumsum(sizes) - sizes
            return [
                SparseMatrix((sizes.sum(), n), start + np.arange(n), np.arange(n), np.ones(n))
                for start, n in zip(starts, sizes, strict=True)
            ], np.zeros(sizes.sum())
    raise UnsupportedLayerError(f"{layer} has no form on a page; take it out of the network")


def _matrix(weight) -> dict:
    if isinstance(weight, SparseMatrix):
        return {
            "shape": list(weight.shape),
            "rows": weight.rows.tolist(),
            "columns": weight.columns.tolist(),
            "data": weight.data.tolist(),
        }
    return {"shape": list(weight.shape), "data": np.asarray(weight).ravel().tolist()}


def _polynomial(p) -> dict:
    return {"slopes": p.slopes.T.tolist(), "offsets": p.coefficients.tolist()}

"""A log-sum-exp layer on a view: its slopes and offsets there, which are those of a layer of one or two variables."""

from dataclasses import dataclass

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.page.view import Plane, View
from tropical.pruning import essential

__all__ = ["MOST_ATOMS", "LayerOnPlane", "on_plane"]

MOST_ATOMS = 4000  # whose exponentials a browser sums at hundreds of points while a slider moves
_SAMPLES = 24  # points a coordinate at which neurons are ranked


@dataclass(frozen=True, eq=False)
class LayerOnPlane:
    """The restriction of a layer to a plane, or of some of its neurons.

    Attributes
    ----------
    layer : LSELayer
        Of k variables, the coordinates of the plane.
    kept : (n,) array of int
        The neurons of the whole layer that it has.
    """

    layer: LSELayer
    kept: np.ndarray

    def names(self) -> list[str]:
        labels = self.layer.labels
        if labels is None:
            return [f"neuron {j}" for j in self.kept]
        return [f"neuron {j} (class {c})" for j, c in zip(self.kept, labels, strict=True)]

    def reduced(self, view: View) -> "LayerOnPlane":
        """With at most `MOST_ATOMS` neurons: those that are the largest somewhere, and come nearest to that."""
        layer = self.layer
        if layer.neurons <= MOST_ATOMS:
            return self
        behind = np.full(layer.neurons, np.inf)
        for x in view.points(_SAMPLES if layer.variables == 2 else _SAMPLES**2):
            z = layer.W @ x + layer.b
            np.minimum(behind, z.max() - z, out=behind)
        winners = essential(layer.polynomial.deform(0))
        if len(winners) <= MOST_ATOMS:
            behind[winners] = -1.0
        kept = np.sort(np.argsort(behind, kind="stable")[:MOST_ATOMS])
        labels = None if layer.labels is None else layer.labels[kept]
        return LayerOnPlane(LSELayer(layer.W[kept], layer.b[kept], layer.eps, layer.kappa, labels), kept)

    def lead_over_rest(self, whole: "LayerOnPlane", corners: np.ndarray) -> float:
        """Δ, the least lead of the largest neuron here over those of `whole` that are not here, on the window.

        The lead is convex, and affine on linear regions of this layer that cover the window, so that it is least at one
        of their corners (n, k). Neurons left out change f_ε by ε log(1 + count·e^{−Δ/ε}) at most.
        """
        rest = np.ones(whole.layer.neurons, dtype=bool)
        rest[self.kept] = False
        W, b = whole.layer.W[rest], whole.layer.b[rest]
        largest = self.layer.polynomial.deform(0)(corners)
        return min(float(top - (W @ x + b).max()) for x, top in zip(corners, largest, strict=True))

    def to_json(self, t: float) -> dict:
        layer = self.layer
        return {
            "slopes": layer.W.T.tolist(),
            "offsets": layer.b.tolist(),
            "names": self.names(),
            "labels": None if layer.labels is None else layer.labels.tolist(),
            "kappa": layer.kappa,
            "time": t,
        }


def on_plane(layer: LSELayer, plane: Plane) -> LayerOnPlane:
    """The layer as a function of the coordinates of the plane."""
    slopes, offsets = plane.restricted(layer.W, layer.b)
    return LayerOnPlane(
        LSELayer(slopes, offsets, layer.eps, layer.kappa, layer.labels), np.arange(layer.neurons)
    )

"""All that a page of a log-sum-exp layer shows."""

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.page.bifurcation_data import bifurcation_of, critical_points_of
from hjsym.page.cells import Cells, cells_of_layer
from hjsym.page.layer_data import LayerOnPlane, on_plane
from hjsym.page.scales import eps_range, start, view_of
from hjsym.page.view import Plane, View

__all__ = ["layer_page"]

_SAMPLES = 9  # points a coordinate at which the scale of the terms is read


def layer_page(layer: LSELayer, plane: Plane, t: float) -> dict:
    """The data of the page."""
    whole = on_plane(layer, plane)
    view = view_of(plane, lambda: whole.layer.polynomial.deform(0).prune())
    on = whole.reduced(view)
    eps = eps_range(_spread(on.layer, view), layer.eps)
    diagram, why = bifurcation_of(on.layer, view, (eps["low"], eps["high"]))
    regions = cells_of_layer(on, view)
    rest = _rest(on, whole, regions)
    left_out = [_told(rest, layer.neurons)] if rest else []
    left_out += [why] if why else []
    left_out += [] if regions.complete else [f"linear regions beyond the first {len(regions.corners):,}"]
    return {
        "kind": "layer",
        "about": _about(layer),
        "view": view.to_json(),
        "eps": eps,
        "start": start(view),
        "layer": on.to_json(t),
        "rest": rest,
        "regions": regions.to_json(),
        "bifurcation": diagram,
        "planar": critical_points_of(on.layer, view),
        "leftOut": left_out,
    }


def _about(layer: LSELayer) -> str:
    labels = "" if layer.labels is None else f", labelled with {len(np.unique(layer.labels))} classes"
    inputs = "one input" if layer.variables == 1 else f"{layer.variables:,} inputs"
    return f"A log-sum-exp layer of {layer.neurons:,} neurons in {inputs}{labels}, used at ε = {layer.eps:g}."


def _rest(on: LayerOnPlane, whole: LayerOnPlane, regions: Cells) -> dict | None:
    """How many neurons are left out, and how far below the largest they are; None for that where it is not known."""
    count = whole.layer.neurons - on.layer.neurons
    if not count:
        return None
    corners = np.unique(np.concatenate(regions.corners), axis=0)
    return {"count": count, "gap": on.lead_over_rest(whole, corners) if regions.complete else None}


def _told(rest: dict, neurons: int) -> str:
    text = f"{rest['count']:,} of {neurons:,} neurons, those farthest below the largest on the window"
    if rest["gap"] is None:
        return text + "; values are those of the layer without them"
    return text + f", which add at most ε log(1 + {rest['count']} exp(−{rest['gap']:.6g}/ε)) to f_ε there"


def _spread(layer: LSELayer, view: View) -> float:
    """By how much terms differ at a point of the window, at the median of points."""
    z = view.points(_SAMPLES) @ layer.W.T + layer.b
    return float(np.median(np.ptp(z, axis=1)))

"""The bifurcation diagram of a layer along a line, solved by `hjsym.bifurcation` for a page to draw."""

import numpy as np

from hjsym.bifurcation import BifurcationDiagram, EntropyLandscape, bifurcation_diagram, critical_points
from hjsym.hopf import LSELayer
from hjsym.page.scales import home
from hjsym.page.view import View
from tropical.errors import DivergenceError, InputError

__all__ = ["MOST_ATOMS", "bifurcation_of", "critical_points_of"]

MOST_ATOMS = 256  # a few seconds
_MOST_IN_THE_PLANE = 100  # likewise
_KINDS = ("minimum", "maximum")  # by Morse index


def bifurcation_of(layer: LSELayer, view: View, eps_range: tuple[float, float]) -> tuple[dict | None, str]:
    """The diagram along the first coordinate, the second being 0 or the middle of the window, and why there is none."""
    if layer.neurons > MOST_ATOMS:
        return None, f"the bifurcation diagram, which is solved for up to {MOST_ATOMS} neurons"
    at = home(view)
    W, b = layer.W[:, :1], layer.b + layer.W[:, 1:] @ at
    try:
        H = EntropyLandscape(W, b)
        diagram = bifurcation_diagram(H, eps_range, tuple(view.window[0].tolist()))
    except (InputError, DivergenceError) as error:
        return None, f"the bifurcation diagram: {error}"
    return _as_json(diagram, at), ""


def critical_points_of(layer: LSELayer, view: View) -> dict | None:
    """All critical points of the entropy in the window of a plane, at the layer's own temperature."""
    if view.plane.variables == 1 or layer.neurons > _MOST_IN_THE_PLANE:
        return None
    try:
        found = critical_points(layer, layer.eps, view.box)
    except (InputError, OverflowError):  # slopes on a line, ε too small or too large
        return None
    points = [{"at": p.x.tolist(), "kind": p.kind, "entropy": p.entropy} for p in found]
    return {"eps": layer.eps, "points": points, "confirmed": found.confirmed}


def _as_json(diagram: BifurcationDiagram, at: np.ndarray) -> dict:
    return {
        "at": at.tolist(),
        "range": list(diagram.eps_range),
        "confirmed": diagram.confirmed,
        "pieces": [
            {"kind": _KINDS[index], "eps": eps.tolist(), "x": x[:, 0].tolist()}
            for branch in diagram.branches
            for eps, x, index in branch.pieces()
        ],
        "events": [
            {"kind": e.kind, "eps": e.eps, "x": float(e.x[0]), "third": e.H_vvv, "mixed": e.H_v_eps}
            for e in diagram.bifurcations
        ],
    }

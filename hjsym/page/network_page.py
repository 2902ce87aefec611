"""All that a page of a network shows."""

from dataclasses import replace

from hjsym.network import Network
from hjsym.page.cells import cells_of_network
from hjsym.page.network_data import MOST_NUMBERS, NetworkOnPlane, on_plane, own_temperatures
from hjsym.page.scales import eps_range, start, view_of
from hjsym.page.view import Plane

__all__ = ["network_page"]

_WORK = 10_000_000  # regions × weights: a few seconds of the search
_LIGHT = 5_000  # weights of a network whose bends are looked for everywhere, to choose a window
_HEAVY = 30_000  # weights from which a region costs more than in proportion
_FEWEST_REGIONS = 40


def network_page(network: Network, plane: Plane) -> dict:
    """The data of the page."""
    network = network.to_float()
    on = on_plane(network, plane)
    if not on.fits:
        plane = _line(plane)
        on = on_plane(network, plane)
    weights = max(1, on.network.parameters)
    most = int(_WORK / (weights * (1 + weights / _HEAVY)))
    view = view_of(plane, (lambda: on.f) if weights <= _LIGHT else None)
    own = own_temperatures(network)
    eps = eps_range(on.scale(view), max(own) or None if len(own) == 1 else None)
    left_out, regions, monomials = [], None, None
    if len(own) > 1:
        left_out.append(
            "the network's own temperatures, which are several: the page has one for all its maxima"
        )
    if most >= _FEWEST_REGIONS:
        regions = cells_of_network(on, view, most)
        if regions.complete:
            monomials = on.monomials(view, most)
        else:
            left_out.append(f"linear regions beyond the first {len(regions.corners):,}")
    else:
        left_out.append("the linear regions, whose search would take long")
    if on.fits and monomials is None:
        left_out.append("explicit P and Q at ε = 0, and their Hopf–Lax solutions: too many monomials")
    data = {
        "about": _about(network),
        "view": view.to_json(),
        "eps": eps,
        "start": start(view),
        "layers": str(network),
        "regions": regions and regions.to_json(),
        "bifurcation": None,
    }
    if on.fits:
        return {"kind": "network", "network": on.to_json(monomials), "leftOut": left_out, **data}
    left_out.insert(0, _too_large(on, network))
    return {"kind": "table", "table": on.table(view, (eps["low"], eps["high"])), "leftOut": left_out, **data}


def _line(plane: Plane) -> Plane:
    """The first coordinate alone."""
    if plane.variables == 1:
        return plane
    marks = tuple((at[:1], name) for at, name in plane.marks if not any(at[1:]))
    window = None if plane.window is None else plane.window[:1]
    text = f"the line s₂ = 0 of {plane.text}"
    return replace(
        plane, directions=plane.directions[:1], window=window, axes=plane.axes[:1], marks=marks, text=text
    )


def _about(network: Network) -> str:
    outputs = "one output" if network.output_size == 1 else f"{network.output_size:,} outputs"
    head = "" if network.head is None else f"; f is the scores in front of the final {network.head}"
    return (
        f"A network of {len(network.nodes)} layers and {network.parameters:,} parameters, "
        f"from {network.input_size:,} inputs to {outputs}{head}."
    )


def _too_large(on: NetworkOnPlane, network: Network) -> str:
    shown = min(network.output_size, 10)
    return (
        f"the {on.network.parameters:,} weights of the slice, more than the {MOST_NUMBERS:,} that a page holds: "
        f"values are a table, computed by the library, of {shown} outputs at some points and temperatures"
    )

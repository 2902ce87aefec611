"""What notebooks show of the classes of this package, and the columns of their tables."""

import math

import numpy as np

from hjsym._latex import is_long
from tropical import _svg
from tropical._figures import BLUE, GREEN, RED
from tropical._html import ROWS, Markup, bar, card, facts, table, text

__all__ = [
    "attribution_html",
    "bifurcation_html",
    "compiled_html",
    "diagram_html",
    "layer_html",
    "network_columns",
    "system_columns",
    "system_html",
]

_QUICK = 1_000, 3  # numbers and variables of a layer whose arrows take less than a second
_MOST_POINTS = 4_000  # of the curves in a picture


# ---- networks and layers -------------------------------------------------------------------------------


def network_columns(network, first: int | None) -> dict[str, np.ndarray]:
    """One row a layer."""
    nodes = network.nodes[:first]
    return {
        "value": np.arange(1, len(nodes) + 1),
        "name": np.array([node.name for node in nodes], dtype=object),
        "layer": np.array([str(node.layer) for node in nodes], dtype=object),
        "reads": np.array([", ".join(map(str, node.inputs)) for node in nodes], dtype=object),
        "size": np.array(network.sizes[1 : len(nodes) + 1]),
        "parameters": np.array([node.layer.parameters for node in nodes]),
    }


def compiled_html(f) -> str:
    """Of a compiled network whose formula is too long: its layers, and how large P and Q are."""
    parts = {name: repr(part).strip("<>") for name, part in (("P", f.P), ("Q", f.Q))}
    rows = {**parts, "head": None if f.head is None else str(f.head)}
    return card(repr(f).strip("<>"), facts(rows), f.network._first_rows())


def layer_html(layer) -> str:
    """Of a log-sum-exp layer whose formula is too long."""
    title = f"LSELayer: {layer.neurons:,} neurons in {layer.variables:,} variables"
    rows = {"temperature ε": layer.eps, "κ in H = κ|p|²": layer.kappa, "viscosity ν = κε": layer.viscosity}
    return card(title, facts(rows), layer._first_rows())


# ---- equations -------------------------------------------------------------------------------------------


def system_columns(system, first: int | None) -> dict[str, np.ndarray]:
    """Every formula of a Hamilton–Jacobi system by its name."""
    rows = {"H": system.H, "viscosity": system.viscosity, "source": system.source}
    rows |= {} if system.A is None else {"A": system.A}
    rows |= {f"field {name}": solution for name, solution in system.fields.items()}
    rows |= {} if system.output is None else {"output": system.output}
    names = list(rows)[:first]
    formulas = np.empty(len(names), dtype=object)
    formulas[:] = [rows[name] for name in names]
    return {"quantity": np.array(names, dtype=object), "formula": formulas}


def system_html(system) -> str:
    """Of a system whose Hamiltonian is too long a formula."""
    from hjsym.systems.system import LABELS

    columns = system_columns(system, ROWS)
    formulas = {n: _formula(e) for n, e in zip(columns["quantity"], columns["formula"], strict=True)}
    about = {
        "label": f"{system.label}: {LABELS[system.label]}", "why": text(system.reason, 300),
        "coordinates": system.size, "read off": text(system.readout, 300) if system.readout else None,
    }  # fmt: skip
    return card(f"HJSystem: {system.name}", facts(about), facts(formulas))


def _formula(expr) -> Markup:
    from hjsym.systems.system import readable

    return Markup("a long formula") if is_long(expr) else text(readable(expr), 300)


# ---- the square ----------------------------------------------------------------------------------------

_PLACES = {
    "network": (60, 30, "f_ε"), "tropical": (400, 30, "f₀"), "viscous": (60, 210, "u_ε"),
    "inviscid": (400, 210, "u₀"), "entropic": (160, 120, "f_ε*"), "polyhedral": (300, 120, "f₀*"),
}  # fmt: skip


def diagram_html(square) -> str:
    layer = square.layer
    title = f"Diagram: {layer.neurons:,} neurons, {layer.variables:,} variables, ε = {layer.eps:g}, t = {square.t:g}"
    checked = "arrows" in vars(square)
    if not checked and (layer.W.size > _QUICK[0] or layer.variables > _QUICK[1]):
        return card(title, text("the arrows are not checked yet: ask for .arrows, or print it"))
    holds = "every arrow holds" if square.holds else "some arrows do not hold"
    rows = square._columns()
    rows |= {name: [f"{value:.2g}" for value in rows[name]] for name in ("error", "bound")}
    rows["holds"] = [Markup("✓" if h else f'<b style="color:{RED}">✗</b>') for h in rows["holds"]]
    return card(f"{title}: {holds}", _square(square), table(rows))


def _square(square) -> str:
    shapes = []
    for arrow in square.arrows:
        if arrow.source != arrow.target:
            shapes += _arrow(arrow)
    for name, (x, y, sign) in _PLACES.items():
        shapes.append(_svg.words((x, y), sign, size=13, more='font-weight="bold"'))
        shapes.append(_svg.words((x, y + 13), name))
    return _svg.picture(460, 240, "the commutative square, with the error on each arrow", shapes)


def _arrow(arrow) -> list[str]:
    """A line with a head, and its error beside."""
    start, end = (
        np.array(_PLACES[name][:2], float) + np.array([0, 3]) for name in (arrow.source, arrow.target)
    )
    along = (end - start) / np.linalg.norm(end - start)
    start, end = start + 30 * along, end - 30 * along
    across = np.array([-along[1], along[0]])
    color = "currentColor" if arrow.holds else RED
    head = [end - 6 * along + 3 * across, end, end - 6 * along - 3 * across]
    flat = abs(along[1]) < 0.1
    place = (start + end) / 2 + np.array([0, -4] if flat else [8, 3])
    error = ("" if arrow.holds else "✗ ") + f"{arrow.error:.2g}"
    return [
        _svg.line([start, end], color=color),
        _svg.line(head, color=color),
        _svg.words(place, error, "middle" if flat else "start", size=8.5),
    ]


# ---- attribution ---------------------------------------------------------------------------------------


def attribution_html(found, points: int) -> str:
    """The atoms kept at the first points, with bars."""
    parts = []
    for point in range(points):
        rows = found.table(point)
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        columns["π"] = [bar(weight) for weight in columns["weight"]]
        parts += [text(found._summary(point), 300), table(columns, units=found._units())]
    left = found._size - points
    return card(repr(found).strip("<>"), *parts, text(f"and {left:,} points more") if left > 0 else None)


# ---- bifurcations --------------------------------------------------------------------------------------


def bifurcation_html(diagram) -> str:
    points = sum(len(branch.eps) for branch in diagram.branches)
    drawn = _curves(diagram) if 0 < points <= _MOST_POINTS else None
    confirmed = "yes" if diagram.confirmed else f"no; {len(diagram.missed)} points lie on no curve"
    return card(
        repr(diagram).strip("<>"), drawn, facts({"confirmed by the degree": confirmed}), diagram._first_rows()
    )


def _curves(diagram) -> str:
    """The first coordinate of the curves against log ε: minima blue, saddles green, maxima red; folds are dots."""
    kinds = [BLUE, RED] if len(diagram.low) == 1 else [BLUE, GREEN, RED]
    heights = np.concatenate([branch.x[:, 0] for branch in diagram.branches])
    low, high = float(heights.min()), float(heights.max())
    margin = 0.05 * (high - low) or 1.0
    log_eps = np.log10(diagram.eps_range)
    view = _svg.View((log_eps, (low - margin, high + margin)), height=220)
    shapes = []
    for branch in diagram.branches:
        for eps, x, index in branch.pieces():
            pixels = view(np.column_stack([np.log10(eps), x[:, 0]]))
            shapes.append(_svg.line(pixels, color=kinds[min(index, len(kinds) - 1)], width=1.8))
    for event in diagram.bifurcations:
        hollow = event.kind != "fold"
        shapes.append(_svg.circle(view([math.log10(event.eps), event.x[0]]), 3, hollow=hollow))
    label = "critical points, their first coordinate against the logarithm of ε"
    names = zip(
        kinds, ["minima", "maxima"] if len(kinds) == 2 else ["minima", "saddles", "maxima"], strict=True
    )
    legend = ", ".join(f'<span style="color:{color}">━</span> {name}' for color, name in names)
    axes = f"x1 against log₁₀ ε: {legend}, ● folds, ○ other bifurcations"
    return view.picture(label, shapes) + f"<div>{axes}</div>"

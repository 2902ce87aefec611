"""What notebooks show of the classes of this package beside their formulas, and the columns of their tables."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tropical import _svg
from tropical._clipping import box_of, clip, clipped_edge
from tropical._decision_picture import segment
from tropical._figures import PALETTE
from tropical._formulas import stored_numbers
from tropical._html import ROWS, Markup, card, facts, table
from tropical._region_picture import polygon, spread_of, window_of
from tropical._tables import coordinates, objects
from tropical.circuit import Circuit
from tropical.polynomial import Polynomial
from tropical.polynomial_map import PolynomialMap
from tropical.rational import Rational

if TYPE_CHECKING:
    from tropical.decision import DecisionRegions
    from tropical.hypersurface import Hypersurface
    from tropical.regions import Region, Regions
    from tropical.subdivision import Subdivision

__all__ = [
    "cell_columns",
    "decision_html",
    "function_html",
    "hypersurface_html",
    "region_columns",
    "region_html",
    "regions_html",
    "subdivision_html",
]

_DRAWN = 400  # regions or cells in a picture
_LISTED = 5_000  # regions of which maps are worked out to show the first
_COLORS = (*PALETTE, "#882255", "#332288")  # the last two of P. Tol, "Colour schemes", 2021


# ---- functions -----------------------------------------------------------------------------------------


def function_html(f) -> str:
    """Of functions whose formula is too long."""
    title = repr(f).strip("<>")
    if isinstance(f, Polynomial):
        kept = f.slopes[:ROWS]
        columns = {"b": f.coefficients[:ROWS]} | {f"x{k}": kept[:, k - 1] for k in range(1, f.variables + 1)}
        return card(title, table(columns, rows=len(f)))
    if isinstance(f, PolynomialMap):
        some = f.polynomials[:ROWS]
        columns = {"output": range(1, len(some) + 1), "monomials": [len(p) for p in some]}
        return card(title, table(columns | {"over": [p.semiring for p in some]}, rows=len(f)))
    if isinstance(f, Rational):
        return card(type(f).__name__, facts({"P": repr(f.P).strip("<>"), "Q": repr(f.Q).strip("<>")}))
    return card(title, facts(_circuit(f)))


def _circuit(c: Circuit) -> dict[str, object]:
    return {
        "variables": c.variables,
        "outputs": c.outputs,
        "max gates": c.gates,
        "weights": stored_numbers(c),
    }


# ---- linear regions ------------------------------------------------------------------------------------


def region_columns(regions: "Regions", first: int | None) -> dict[str, np.ndarray]:
    """Of each region its map, how it lies, and a point of its interior, all rounded."""
    some = regions[:first]
    if not some:
        return {name: np.zeros(0, int) for name in ("map", "facets")}
    rows = np.stack([region._map.reshape(-1) for region in some])
    d, names = regions.variables, []
    for output in range(1, rows.shape[1] // (d + 1) + 1):
        prefix = f"f{output}_" if rows.shape[1] > d + 1 else ""
        names += [f"{prefix}slope_x{k}" for k in range(1, d + 1)] + [f"{prefix}intercept"]
    maps = coordinates("", rows)
    return {
        "map": regions.labels("maps")[:first],
        "facets": np.array([len(regions.facets(region.number)) for region in some]),
        "bounded": np.array([region.is_bounded for region in some]),
        **dict(zip(names, maps.values(), strict=True)),
        **coordinates("x", np.stack([region.witness for region in some])),
    }


def regions_html(regions: "Regions") -> str:
    many = len(regions) > _LISTED
    return card(
        repr(regions).strip("<>"),
        _drawn(regions, [_COLORS[k % len(_COLORS)] for k in regions.labels("maps").tolist()])
        if _is_drawn(regions)
        else None,
        None if many else regions._first_rows(),
    )


def _is_drawn(regions: "Regions") -> bool:
    return regions.variables == 2 and 0 < len(regions) <= _DRAWN


def _drawn(regions: "Regions", colors: list[str], facets=()) -> str:
    """A picture of regions of the plane, and of pieces of a boundary between them."""
    view = _svg.View(window_of(regions))
    reach = 4 * float(np.ptp(view.box, axis=1).sum()) + spread_of(regions)
    shapes = []
    for region, color in zip(regions, colors, strict=True):
        corners = clip(polygon(region, reach), view.box)
        if len(corners) > 2:
            shapes.append(_svg.polygon(view(corners), color))
    for ends in facets:
        seen = clip(np.asarray(ends, dtype=float), view.box)
        if len(seen):
            shapes.append(_svg.line(view(seen[[0, -1]]), width=2.4))
    return view.picture(repr(regions).strip("<>"), shapes)


def region_html(region: "Region") -> str:
    rows = {"slope": region.slope, "intercept": region.intercept, "a point inside": region.witness}
    return card(repr(region).strip("<>"), facts({k: v if np.ndim(v) else str(v) for k, v in rows.items()}))


def decision_html(decided: "DecisionRegions") -> str:
    regions, classes = decided.regions, decided.classes
    present, counts = np.unique(classes, return_counts=True)
    title = f"DecisionRegions: {len(present)} classes on {len(regions)} regions"
    columns = {"class": present, "regions": counts}
    if len(regions) <= _LISTED:
        pieces = decided.components()
        columns["connected pieces"] = [pieces[c] for c in present.tolist()]
    if not _is_drawn(regions):
        return card(title, table(columns))
    color = {c: _COLORS[k % len(_COLORS)] for k, c in enumerate(present.tolist())}
    columns[""] = [_swatch(color[c]) for c in present.tolist()]
    return card(title, _drawn(regions, [color[c] for c in classes.tolist()], _ends(decided)), table(columns))


def _swatch(color: str):
    square = f"display:inline-block;width:1em;height:.8em;background:{color};opacity:.55"
    return Markup(f'<span style="{square}" aria-hidden="true"></span>')


def _ends(decided: "DecisionRegions") -> list[np.ndarray]:
    reach = 8 * float(np.ptp(window_of(decided.regions), axis=1).sum()) + 2 * spread_of(decided.regions)
    return [segment(*facet, reach) for facet in decided.facets()]


# ---- hypersurfaces and their duals ---------------------------------------------------------------------


def cell_columns(h: "Hypersurface", first: int | None) -> dict[str, np.ndarray]:
    """Of each maximal cell what is dual to it."""
    cells = h.cells[:first]
    weights = [cell.weight for cell in cells]
    whole = not any(isinstance(w, Fraction) for w in weights)
    return {
        "weight": np.array(weights, dtype=int if whole else float),
        "bounded": np.array([cell.is_bounded and not len(h.lineality) for cell in cells], dtype=bool),
        "normal": objects([cell.normal for cell in cells]),
        "monomials": objects([cell.monomials for cell in cells]),
        "vertices": objects([cell.vertices for cell in cells]),
    }


def hypersurface_html(h: "Hypersurface") -> str:
    drawn = h.variables == 2 and 0 < len(h.cells) <= _DRAWN
    return card(repr(h).strip("<>"), _curve(h) if drawn else None, h._first_rows())


def _curve(h: "Hypersurface") -> str:
    view = _svg.View(box_of(h))
    shapes = []
    for cell in h.cells:
        ends = clipped_edge(h, cell, view.box)
        if ends is None:
            continue
        pixels = view(ends)
        shapes.append(_svg.line(pixels, width=1.2 + 0.9 * min(float(cell.weight) - 1, 6)))
        if cell.weight != 1:
            dx, dy = pixels[-1] - pixels[0]
            right = np.array([dy, -dx]) / max(np.hypot(dx, dy), 1.0) * (10 if dy >= 0 else -10)
            shapes.append(_svg.words(pixels.mean(axis=0) + right + np.array([0, 3]), str(cell.weight)))
    shapes += [_svg.circle(pixel) for pixel in view(h.vertices.astype(float))]
    return view.picture(f"tropical curve: {len(h.vertices)} vertices, {len(h.cells)} edges", shapes)


def subdivision_html(s: "Subdivision") -> str:
    polygon_ = s.polytope.variables == 2 and s.dim == 2 and len(s.cells) <= _DRAWN
    kept = s.cells[:ROWS]
    columns = {
        "cell": range(1, len(kept) + 1),
        "lattice volume": s.volumes[:ROWS],
        "monomials": objects(kept),
    }
    return card(repr(s).strip("<>"), _dual(s) if polygon_ else None, table(columns, rows=len(s.cells)))


def _dual(s: "Subdivision") -> str:
    points = s.polytope.points.astype(float)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * float((high - low).max())
    view = _svg.View(np.stack([low - margin, high + margin], axis=1))
    place = dict(zip(s.kept.tolist(), view(points), strict=True))
    shapes = [_svg.line([place[i] for i in edge.vertices]) for edge in s.edges]
    at_vertices = {i for cell in s.cell_vertices for i in cell}
    inside = {i for cell in s.cells for i in cell} - at_vertices
    shapes += [_svg.circle(place[i]) for i in sorted(at_vertices)]
    shapes += [_svg.circle(place[i], hollow=True) for i in sorted(inside)]
    return view.picture(f"subdivision of a polygon into {len(s.cells)} cells", shapes)

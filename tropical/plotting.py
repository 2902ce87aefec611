"""Pictures of tropical curves and surfaces, with matplotlib, in colours that colour-blind readers can tell apart."""

from itertools import cycle, islice

import numpy as np

from tropical._clipping import box_of, clipped_edge, clipped_polygon
from tropical._figures import BLUE, INK, ORANGE, PALETTE, axes_or_new, new_figure, sides
from tropical.errors import InputError
from tropical.polynomial import Polynomial

__all__ = [
    "PALETTE",
    "plot_curve",
    "plot_decision_boundary",
    "plot_duality",
    "plot_subdivision",
    "plot_surface",
]


def plot_curve(curve, ax=None, *, box=None, cells=None, colors=None, weights: bool = True, **style):
    """Draw a tropical plane curve; widths grow with weights, and weights other than 1 are written beside.

    Parameters
    ----------
    curve : Hypersurface in the plane, or the Polynomial that it is of
    ax : matplotlib Axes, optional
        Those of a new figure by default.
    box : Box or ((x0, x1), (y0, y1)), optional
        What to show; by default the vertices with a margin.
    cells : sequence of HypersurfaceCell, optional
        Those to draw, without the vertices; all of them by default.
    colors : sequence of colours, optional
        One for each cell.
    weights : bool
        Whether to write weights.
    **style
        For the lines.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> ax = plot_curve(x**2 + y + 0, box=((-2, 2), (-2, 2)))
    >>> ax.get_xlim() == (-2, 2)
    True
    """
    curve = curve.hypersurface() if isinstance(curve, Polynomial) else curve
    if curve.variables != 2:
        raise InputError(f"the hypersurface lies in R^{curve.variables}; plot_curve draws d = 2")
    ax = axes_or_new(ax)
    box = box_of(curve) if box is None else sides(box, 2)
    drawn = curve.cells if cells is None else cells
    colors = [INK] * len(drawn) if colors is None else colors
    for cell, color in zip(drawn, colors, strict=True):
        ends = clipped_edge(curve, cell, box)
        if ends is None:
            continue
        width = 1.2 + 0.9 * (float(cell.weight) - 1)
        ax.plot(*ends.T, **{"color": color, "linewidth": width, "solid_capstyle": "round", **style})
        if weights and cell.weight != 1:
            ax.annotate(f"{cell.weight}", ends.mean(axis=0), xytext=(4, 4), textcoords="offset points")
    if cells is None:
        ax.plot(*curve.vertices.astype(float).T, "o", color=INK, markersize=3.5)
    ax.set_xlim(box[0])
    ax.set_ylim(box[1])
    ax.set_aspect("equal")
    return ax


def plot_subdivision(subdivision, ax=None, **style):
    """Draw the subdivision of a polygon (d = 2); `style` goes to the lines. Returns the axes.

    Vertices are filled, monomials inside cells or edges hollow, monomials below the hull crosses.

    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> ax = plot_subdivision((x**2 + y + 0).subdivision())
    """
    s = subdivision
    if s.polytope.variables != 2:
        raise InputError(f"the subdivision lies in R^{s.polytope.variables}; plot draws d = 2")
    ax = axes_or_new(ax)
    points = dict(zip(s.kept.tolist(), s.polytope.points.astype(float), strict=True))
    for edge in s.edges:
        x, y = zip(*(points[i] for i in edge.vertices), strict=True)
        ax.plot(x, y, **{"color": BLUE, "linewidth": 1.2, **style})
    at_vertices = {i for cell in s.cell_vertices for i in cell}
    marked = {i for cell in s.cells for i in cell} - at_vertices
    below = points.keys() - at_vertices - marked
    for some, marker, face in ((at_vertices, "o", BLUE), (marked, "o", "white"), (below, "x", ORANGE)):
        if some:
            x, y = zip(*(points[i] for i in sorted(some)), strict=True)
            edge = {} if marker == "x" else {"edgecolors": BLUE}
            ax.scatter(x, y, marker=marker, color=face, zorder=3, s=24, **edge)
    ax.set_aspect("equal")
    return ax


def plot_surface(surface, ax=None, *, box=None, **style):
    """Draw a tropical surface in R³, cut off at a box; `style` goes to the polygons. Returns the axes.

    Parameters are those of `plot_curve`; `ax` has to be three-dimensional.

    Parameters
    ----------
    surface : Hypersurface in R³, or the Polynomial that it is of
    ax : matplotlib Axes, optional
        Three-dimensional ones; those of a new figure by default.
    box : Box or ((x0, x1), (y0, y1), (z0, z1)), optional
        What to show; by default the vertices with a margin.
    **style
        For the polygons.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from tropical import variables
    >>> x, y, z = variables(3)
    >>> plot_surface((x + y + z + 0).hypersurface(), box=((-1, 1),) * 3).name
    '3d'
    """
    surface = surface.hypersurface() if isinstance(surface, Polynomial) else surface
    if surface.variables != 3:
        raise InputError(f"the hypersurface lies in R^{surface.variables}; plot_surface draws d = 3")
    ax = axes_or_new(ax, projection="3d")
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    box = box_of(surface) if box is None else sides(box, 3)
    polygons = [clipped_polygon(surface, cell, box) for cell in surface.cells]
    shown = [(polygon, color) for polygon, color in zip(polygons, cycle(PALETTE)) if len(polygon) > 2]
    faces = Poly3DCollection(
        [polygon for polygon, _ in shown],
        **{"facecolors": [color for _, color in shown], "edgecolors": INK, "alpha": 0.55, **style},
    )
    ax.add_collection3d(faces)
    for side, set_limits in zip(box, (ax.set_xlim, ax.set_ylim, ax.set_zlim), strict=True):
        set_limits(side)
    return ax


def plot_duality(polynomial, figure=None):
    """Draw a plane curve beside its dual subdivision; each edge has the colour of the edge that it is dual to.

    Returns the matplotlib Figure, a new one unless given.

    Parameters
    ----------
    polynomial : Polynomial in two variables, ε = 0
    figure : matplotlib Figure, optional
        A new one by default.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> figure = plot_duality(x**2 + y**2 + x * y + 1 * x + 1 * y + 0)
    >>> [ax.get_title() for ax in figure.axes]
    ['tropical curve', 'dual subdivision']
    """
    curve = polynomial.hypersurface()
    if curve.variables != 2:
        raise InputError(f"the polynomial has {curve.variables} variables; plot_duality draws 2")
    figure = new_figure(figsize=(9, 4.5), layout="constrained") if figure is None else figure
    left, right = figure.subplots(1, 2)
    colors = list(islice(cycle(PALETTE[:-1]), len(curve.cells)))
    plot_curve(curve, left, colors=colors)
    left.set_title("tropical curve")
    subdivision = curve.subdivision
    subdivision.plot(right, linewidth=0)
    slopes = polynomial.slopes.astype(float)
    for edge, color in zip(subdivision.edges, colors, strict=True):
        right.plot(*slopes[list(edge.vertices)].T, color=color, linewidth=1.8, zorder=2)
    right.set_title("dual subdivision")
    return figure


def plot_decision_boundary(rational, ax=None, *, box):
    """Draw {P = Q} for f = P ⊘ Q in two variables, on the curve of P ⊕ Q of which it is a part.

    P wins where the background is blue, Q where it is orange; thin lines are where the winner changes its monomial.

    Parameters
    ----------
    rational : Rational of two Polynomials in two variables, ε = 0
    ax : matplotlib Axes, optional
        Those of a new figure by default.
    box : Box or ((x0, x1), (y0, y1))
        What to show.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> ax = plot_decision_boundary((x + y) / (x * y + 0), box=((-2, 2), (-2, 2)))
    """
    curve = rational.boundary_polynomial().hypersurface()
    boundary = rational.decision_cells()
    box = sides(box, 2)
    grid = np.stack(np.meshgrid(*(np.linspace(low, high, 400) for low, high in box)), axis=-1)
    P, Q = (part.to_float()(grid) for part in (rational.P, rational.Q))
    ax = axes_or_new(ax)
    where = {"extent": box.ravel(), "origin": "lower", "interpolation": "nearest"}
    ax.imshow(np.sign(P - Q), cmap=_two_colors(), vmin=-1, vmax=1, alpha=0.35, **where)
    others = [cell for cell in curve.cells if cell not in boundary]
    plot_curve(curve, ax, box=box, cells=others, weights=False, linewidth=0.5)
    return plot_curve(curve, ax, box=box, cells=boundary, weights=False, linewidth=2.2)


def _two_colors():
    from matplotlib.colors import ListedColormap

    return ListedColormap([ORANGE, "white", BLUE])

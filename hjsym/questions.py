"""Questions to networks, answered exactly by linear regions, and by bounds where there are too many of them.

Each takes what `hjsym.compile` returns or takes, or a function of `tropical`.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

import tropical
from hjsym.compile import TropicalNetwork
from hjsym.layer_norms import lipschitz_bound, margin_bounds, weight_norm
from hjsym.optimum import as_function
from tropical import (
    Convexity,
    Equivalence,
    Lipschitz,
    NearestBoundary,
    Slice,
)
from tropical._arrays import EXACT, as_array, convert
from tropical._chart import Chart
from tropical._norms import as_norm, norm_bounds
from tropical.domain import Domain, as_domain
from tropical.errors import BudgetExceeded, InputError
from tropical.nearest import Start

__all__ = ["equivalent", "is_convex", "lipschitz", "nearest_boundary"]

_REGIONS = 100_000  # after which bounds take over
_EXACT_PARAMETERS = 200_000  # of a network that is evaluated over Fractions for a bound


def equivalent(f, g, domain: Domain | None = None, **options) -> Equivalence:
    """Whether two networks have the same outputs at every point of a domain; see `tropical.equivalent`.

    Scores are compared, in front of a sigmoid or softmax, which must be of one kind.

    Parameters
    ----------
    f, g : networks, or what `hjsym.compile` made of them
        As anything that `hjsym.load` takes; at ε = 0.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default.
    **options
        As for `tropical.equivalent`.

    Returns
    -------
    Equivalence
        True where they are proved equal, else with a point where they differ.

    Examples
    --------
    >>> net = [([[1.0, -1.0], [2.0, 0.5]], [0.0, 1.0]), ([[2.0, -1.0]], [0.0])]
    >>> scaled = [([[4.0, -4.0], [2.0, 0.5]], [0.0, 1.0]), ([[0.5, -1.0]], [0.0])]
    >>> bool(equivalent(net, scaled))
    True
    >>> scaled[0][1][1] = 1.25
    >>> found = equivalent(net, scaled)
    >>> bool(found), (found.values[0] != found.values[1]).any()
    (False, np.True_)
    """
    f, g = as_function(f), as_function(g)
    kinds = [type(getattr(h, "head", None)).__name__ for h in (f, g)]
    if kinds[0] != kinds[1]:
        raise InputError(f"f ends with {kinds[0]} and g with {kinds[1]}; pass two networks of one head")
    return tropical.equivalent(f, g, domain, **options)


def is_convex(f, domain: Domain | None = None, *, output: int = 0, **options) -> Convexity:
    """Whether one output of a network is convex on a domain; see `tropical.is_convex`.

    Parameters
    ----------
    f : network, or what `hjsym.compile` made of it
        At ε = 0.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default.
    output : int
        Which output, where there are several.
    **options
        As for `tropical.is_convex`.

    Returns
    -------
    Convexity
        True where it is proved convex, else with points that show the contrary.

    Examples
    --------
    >>> bent = is_convex([([[1.0], [1.0]], [0.0, -1.0]), ([[1.0, -3.0]], [0.5])])
    >>> bool(bent), bent.points[1]                                        # concave at its bend at 1
    (False, array([Fraction(1, 1)], dtype=object))
    """
    return tropical.is_convex(as_function(f), domain, output=output, **options)


def lipschitz(
    f, norm: float = 2, domain: Domain | None = None, *, max_regions: int = _REGIONS, **options
) -> Lipschitz:
    """The Lipschitz constant of a network in one norm for inputs and outputs; see `tropical.lipschitz`.

    Where regions exceed their budget, or a gate is at ε > 0, the result has ``exact`` False: then ``upper`` is the
    product of the norms of the layers, for all of R^d, and ``lower`` the largest slope of the regions that were found,
    or where there is none an exact slope between two points.

    Parameters
    ----------
    f : network, or what `hjsym.compile` made of it
    norm : 1, 2 or math.inf
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default.
    max_regions : int
        How many regions to look at before bounds are given instead.
    **options
        As for `tropical.linear_regions`.

    Returns
    -------
    Lipschitz

    Examples
    --------
    >>> net = [([[3.0, 0.0], [0.0, 4.0]], [0.0, 0.0]), ([[1.0, -1.0]], [0.0])]
    >>> lipschitz(net).value, lipschitz(net, max_regions=1).exact
    (5.0, False)
    """
    f = as_function(f)
    as_norm(norm)
    if not isinstance(f, TropicalNetwork):
        return tropical.lipschitz(f, norm, domain, max_regions=max_regions, **options)
    found = None
    if f.P.is_tropical and f.Q.is_tropical:
        options["partial"] = not Chart(as_domain(domain), f.variables).is_large
        with suppress(BudgetExceeded):  # within one cell
            found = tropical.lipschitz(f, norm, domain, max_regions=max_regions, **options)
            if found.exact:
                return found
    scale = 1.0
    if isinstance(domain, Slice):
        scale = weight_norm(as_array("directions", domain.directions).T, norm) * (1 + 2.0**-50)
    upper = lipschitz_bound(f.network, norm) * scale * (1 + 2.0**-50)
    if found is None:
        found = Lipschitz(_steepest_step(f, norm, as_domain(domain)), upper, False, norm)
    return replace(found, upper=upper)


def _steepest_step(f: TropicalNetwork, norm: float, domain: Domain) -> Fraction | float:
    """A lower bound of the Lipschitz constant: the exact slope of f over a short step where it looks steep."""
    if f.network.parameters > _EXACT_PARAMETERS or any(node.layer.eps for node in f.network.nodes):
        return Fraction(0)
    chart = Chart(domain, f.variables)
    starts = chart.points(32, np.random.default_rng(0))
    if not len(starts):
        return Fraction(0)
    slopes = f.affine_at(chart.lifted(starts).astype(float))[0].astype(float) @ chart.directions.astype(float)
    best = int(np.argmax(np.linalg.norm(slopes, norm, axis=(1, 2))))
    step = convert(np.round(_steepest(slopes[best], norm) * 2**16) / 2**40, EXACT)
    ends = [end for end in (starts[best] + step, starts[best] - step) if end in chart]
    if not ends or not step.any():
        return Fraction(0)
    a, b = f.network.to_exact()(chart.lifted(np.stack([starts[best], ends[0]])))
    rise, run = norm_bounds(b - a, norm)[0], norm_bounds(step, norm)[1]
    return rise / run if norm != 2 else rise / run * (1 - 2.0**-50)


def _steepest(slope: np.ndarray, norm: float) -> np.ndarray:
    """A direction v in which ‖Jv‖ / ‖v‖ is the norm of J, as computed."""
    if norm == 2:
        return np.linalg.svd(slope)[2][0]
    if norm == 1:
        return (np.arange(slope.shape[1]) == abs(slope).sum(axis=0).argmax()).astype(float)
    return np.sign(slope[abs(slope).sum(axis=1).argmax()])


def nearest_boundary(
    f,
    x: ArrayLike,
    norm: float = 2,
    domain: Domain | None = None,
    *,
    max_regions: int = _REGIONS,
    **options,
) -> NearestBoundary:
    """The distance from x to the decision boundary of a network; see `tropical.nearest_boundary`.

    Where regions exceed their budget the result has ``exact`` False: ``upper`` is then the distance to a point of the
    boundary that rays from x met, and ``lower`` the smallest (f_c(x) − f_j(x)) / L_j over the other classes j, c that
    of x and L_j a Lipschitz constant of f_c − f_j by the norms of the layers. Both are proved.

    Parameters
    ----------
    f : network, or what `hjsym.compile` made of it
        At ε = 0.
    x : (d,) array
    norm : 1, 2 or math.inf
    domain : Box or Polyhedron, optional
        What counts as boundary lies there; all of R^d by default.
    max_regions : int
        How many regions to look at before bounds are given instead.
    **options
        As for `tropical.linear_regions`.

    Returns
    -------
    NearestBoundary

    Examples
    --------
    >>> net = [([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-1.0])]
    >>> near = nearest_boundary(net, [0.0, 0.0])
    >>> near.exact, near.point.tolist(), near.classes
    (True, [Fraction(1, 2), Fraction(1, 2)], (0, 1))
    >>> far = nearest_boundary(net, [0.0, 0.0], max_regions=1)
    >>> far.exact, 0.707 < far.lower <= far.upper < 0.708
    (False, True)
    """
    if options.get("partial"):
        raise InputError("partial=True could leave out the nearest face; raise max_regions instead")
    f = as_function(f)
    start = Start(f, x, as_norm(norm), domain)
    crossing = start.crossing()
    if crossing.upper == 0:
        return crossing
    try:
        return start.nearest(crossing, max_regions=max_regions, **options)
    except BudgetExceeded:
        if not isinstance(f, TropicalNetwork):
            raise
    if f.network.output_size == 1:
        constants = [lipschitz_bound(f.network, norm)] * 2
    else:
        constants = margin_bounds(f.network, norm, start.winner).tolist()
    pairs = [
        (m, c) for j, (m, c) in enumerate(zip(start.margins, constants, strict=True)) if j != start.winner
    ]
    lower = min(math.nextafter(float(m / Fraction(c)), 0) if c else math.inf for m, c in pairs)
    return replace(crossing, lower=lower)

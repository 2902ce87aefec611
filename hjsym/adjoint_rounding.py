"""How far the rounding of each layer gets: what `hjsym.rounding` sends through |W| goes through W here, by a pass back.

Let ĥ be the values as computed and h the exact ones. A layer's own rounding δ is added to F(ĥ) − F(h) = M (ĥ − h),
where M is W for an affine layer and for the others holds slopes between h and ĥ: one number where ĥ is farther from
every bend than its error, else an interval. So the error of the outputs is Σ A δ over all layers, A the product of the
M above: a matrix of intervals (centre, radius), in which products of many layers cancel as in the network. Radii take
in what rounding does to the centres.
"""

from functools import singledispatch

import numpy as np
from numpy.typing import ArrayLike

from hjsym import layers
from hjsym.adjoints import scattered
from hjsym.network import Network
from hjsym.rounding import layer_error, network_errors
from tropical._arrays import EXACT, FLOAT64, as_points, is_exact
from tropical._rounding import U, absolute, gamma, rounded_up

__all__ = ["jacobian_enclosure", "network_bound"]

Interval = tuple[np.ndarray, np.ndarray]


def network_bound(network: Network, x: ArrayLike) -> np.ndarray:
    """A bound on |network(x) as computed − its exact value|, (..., m); weights count as they are stored.

    Cost: a forward pass, and a pass back with m columns of intervals.
    """
    points = as_points(x, network.input_size, EXACT if network.exact else FLOAT64)
    if is_exact(points):
        return np.zeros((*points.shape[:-1], network.output_size))
    return _sweep(network, points)[0]


def jacobian_enclosure(network: Network, x: np.ndarray) -> Interval:
    """The Jacobian at points in floats as (centre, radius), (..., m, d): the exact one differs by at most the radius.

    It is the interval in which `network_bound` ends at the input: its slopes are those within the error of each value.
    """
    adjoint = _sweep(network, x)[1]
    shape = (*x.shape[:-1], network.output_size, x.shape[-1])
    return (np.zeros(shape), np.zeros(shape)) if adjoint is None else adjoint


def _sweep(network: Network, points: np.ndarray) -> tuple[np.ndarray, Interval | None]:
    """The bound on the outputs, and the interval of adjoints of the input."""
    values = network.values(points)
    errors = network_errors(network, values)
    eye = np.broadcast_to(np.eye(network.output_size), (*values[-1].shape, network.output_size))
    adjoints: list[Interval | None] = [None] * len(network.nodes) + [(eye, np.zeros(eye.shape))]
    total = np.zeros(values[-1].shape)
    with np.errstate(all="ignore"):
        for k in reversed(range(len(network.nodes))):
            node, adjoint = network.nodes[k], adjoints[k + 1]
            adjoints[k + 1] = None
            if adjoint is None:  # nothing that the output reads
                continue
            exact = [(values[i], np.zeros(values[i].shape)) for i in node.inputs]
            own = layer_error(node.layer, values[k + 1], *exact)
            size = abs(adjoint[0]) + adjoint[1]
            total = total + (size @ np.broadcast_to(own, values[k + 1].shape)[..., None])[..., 0]
            total = rounded_up(total, own.shape[-1] + 2)
            passed = _back(node.layer, *adjoint, *((values[i], errors[i]) for i in node.inputs))
            for i, part in zip(node.inputs, passed, strict=True):
                adjoints[i] = part if adjoints[i] is None else _sum(adjoints[i], part)
    return np.minimum(total, errors[-1]), adjoints[0]


def _sum(a: Interval, b: Interval) -> Interval:
    centre = a[0] + b[0]
    return centre, rounded_up(a[1] + b[1] + U * abs(centre), 3)


@singledispatch
def _back(layer, centre: np.ndarray, radius: np.ndarray, *pairs) -> list[Interval]:
    """The adjoints of a layer's operands from its own; `pairs` are their values and errors."""
    raise NotImplementedError(f"no rounding bound of {layer}")


@_back.register
def _(layer: layers.Affine, centre, radius, pair):
    rows = layer.weight.shape[0]
    spread = (radius + gamma(rows) * abs(centre)) @ absolute(layer.weight)
    return [(centre @ layer.weight, rounded_up(spread, rows + 4))]


@_back.register
def _(layer: layers.Scale, centre, radius, pair):
    return [_scaled(centre, radius, layer.factor, layer.factor)]


@_back.register
def _(layer: layers.Identity, centre, radius, pair):
    return [(centre, radius)]


@_back.register
def _(layer: layers.Gather, centre, radius, pair):
    return [_moved(centre, radius, layer.index, pair[0])]


@_back.register
def _(layer: layers.Add, centre, radius, *pairs):
    return [_scaled(centre, radius, factor, factor) for factor in layer.factors]


@_back.register
def _(layer: layers.Concat, centre, radius, *pairs):
    ends = np.cumsum([x.shape[-1] for x, _ in pairs])[:-1]
    parts = (np.split(a, ends, axis=-1) for a in (centre, radius))
    return list(zip(*parts, strict=True))


@_back.register
def _(layer: layers.PiecewiseLinear, centre, radius, pair):
    low, high = _slopes(layer, *pair)
    return [_scaled(centre, radius, low[..., None, :], high[..., None, :])]


@_back.register
def _(layer: layers.Maximum, centre, radius, pair):
    members = layer.members(pair[0].shape[-1])
    low, high = (_shares if layer.eps else _winners)(layer, members, *pair)
    flat = (*centre.shape[:-1], members.size)
    parts = _scaled(centre[..., None], radius[..., None], low[..., None, :, :], high[..., None, :, :])
    return [_moved(*(p.reshape(flat) for p in parts), members.ravel(), pair[0])]


def _scaled(centre, radius, low, high) -> Interval:
    """The product with numbers between low and high."""
    size = np.maximum(abs(low), abs(high))
    middle, half = (low + high) / 2, rounded_up(abs(high - low) / 2 + 2 * U * size, 4)
    product = centre * middle
    return product, rounded_up(radius * size + abs(centre) * half + U * abs(product), 6)


def _moved(centre, radius, index, x) -> Interval:
    """Added to zeros of the length of x at the places `index`."""
    count = len(index)
    spread = scattered(radius + gamma(count) * abs(centre), index, x.shape[-1])
    return scattered(centre, index, x.shape[-1]), rounded_up(spread, count + 4)


# ---- slopes between the exact value and the computed one -----------------------------------------------


def _slopes(layer: layers.PiecewiseLinear, x, error) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest slope of a piece within the error of x.

    Comparisons with x ± error are safe in floats, since rounding is monotone. At ε > 0 the slope at x moves by at
    most Σ|β|/4ε for each unit, and its own rounding.
    """
    if layer.eps:
        steep, jumps = abs(layer.slopes).max(axis=0), abs(layer.bends).sum(axis=0)
        steepest = layer.slopes.max(axis=0)
        slope = layer.tangent(x)[0]
        reach = error * jumps / (4 * layer.eps) + (20 + len(layer.breaks)) * U * (steep + jumps)
        reach = rounded_up(reach, 8)
        return np.maximum(slope - reach, layer.slopes.min(axis=0)), np.minimum(slope + reach, steepest)
    infinite = np.full((1, layer.breaks.shape[1]), np.inf)
    starts, ends = np.concatenate([-infinite, layer.breaks]), np.concatenate([layer.breaks, infinite])
    low, high = np.full(x.shape, np.inf), np.full(x.shape, -np.inf)
    for start, end, slope in zip(starts, ends, layer.slopes, strict=True):
        met = (start <= x + error) & (end >= x - error)
        low, high = (np.where(met, f(a, slope), a) for f, a in ((np.minimum, low), (np.maximum, high)))
    return low, high


def _winners(layer: layers.Maximum, members, x, error) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the entries of each group: 1 for one that wins for sure, up to 1 for those that may."""
    z, e = x[..., members], error[..., members]
    may_win = (z + e >= (z - e).max(axis=-1, keepdims=True)) & ~_repeated(members)
    alone = may_win & (may_win.sum(axis=-1, keepdims=True) == 1)
    return alone.astype(float), may_win.astype(float)


def _repeated(members: np.ndarray) -> np.ndarray:
    """Whether an entry stands in its group before."""
    order = np.argsort(members, axis=1, kind="stable")
    again = np.zeros(members.shape, dtype=bool)
    np.put_along_axis(again, order[:, 1:], np.diff(np.take_along_axis(members, order, axis=1)) == 0, axis=1)
    return again


def _shares(layer: layers.Maximum, members, x, error) -> tuple[np.ndarray, np.ndarray]:
    """Gibbs weights: where every entry moves by at most e, each changes by a factor of at most e^{2e/ε}."""
    shares, rounding = layer.shares(x), (40 + members.shape[1]) * U
    factor = np.expm1(2 * error[..., members].max(axis=-1, keepdims=True) / layer.eps)
    reach = rounded_up((shares + rounding) * factor * (1 + 16 * U) + rounding, 8)
    return np.maximum(shares - reach, 0.0), np.minimum(shares + reach, 1.0)

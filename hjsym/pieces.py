"""The affine piece of a network around points, or its tangent, by one pass forward and one back.

Going back, the adjoint of a value is the slope of the outputs in it. Of its rows, one for each entry of the value and
point, those behind flat bends and beaten entries of maxima are zero; they are left out, and so are the rows of the
matrices that would meet them. What each layer adds to the outputs besides goes to the intercept.
"""

from functools import singledispatch
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from hjsym import layers
from hjsym.network import Network
from tropical._arrays import EXACT, convert, is_exact
from tropical.sparse import SparseMatrix

__all__ = ["affine_piece"]

_TOGETHER = 1 << 24  # numbers of the layers times points that are taken at once


def affine_piece(network: Network, x: ArrayLike, outputs=None) -> tuple[np.ndarray, np.ndarray]:
    """Slope (..., m, d) and intercept (..., m) of an affine map that equals the network at x and near it
    wherever x is inside a region; exact for exact networks. `outputs` chooses some of the m. With layers at ε > 0
    it is the tangent at x.

    Cost: a forward pass, and a pass back with m columns over what is active at x.
    """
    values = network.values(x)
    axes, dtype = values[0].shape[:-1], values[0].dtype
    eye = convert(np.eye(network.output_size), dtype)
    eye = eye if outputs is None else eye[np.atleast_1d(outputs)]
    count = prod(axes)
    values = [value.reshape(count, value.shape[-1]) for value in values]
    if count == 1:
        slope, intercept = _Pass(network, values, eye).back()
        return slope.reshape(*axes, *slope.shape[1:]), intercept.reshape(*axes, len(eye))
    slope = np.empty((count, len(eye), network.input_size), dtype)
    intercept = np.empty((count, len(eye)), dtype)
    step = 1 if dtype == EXACT else max(1, _TOGETHER // (1 + network.parameters))
    for k in range(0, count, step):
        part = slice(k, k + step)
        slope[part], intercept[part] = _Pass(network, [value[part] for value in values], eye).back()
    return slope.reshape(*axes, *slope.shape[1:]), intercept.reshape(*axes, len(eye))


class _Adjoint(NamedTuple):
    """Slopes (r, m) in entries of a value, `rows` are point · size + entry; several may be of one, and add up.

    `every` says that the rows are all there are, in order."""

    rows: np.ndarray
    slopes: np.ndarray
    size: int
    every: bool = False

    def chosen(self, array: np.ndarray) -> np.ndarray:
        """The rows of an array."""
        return array if self.every else array.take(self.rows, axis=0)

    def dense(self, points: int) -> np.ndarray:
        """All rows, (points, size, m)."""
        if self.every:
            return self.slopes.reshape(points, self.size, self.slopes.shape[1])
        total = convert(np.zeros((points * self.size, self.slopes.shape[1])), self.slopes.dtype)
        if len(self.rows) and np.bincount(self.rows).max() > 1:
            np.add.at(total, self.rows, self.slopes)
        else:
            total[self.rows] = self.slopes
        return total.reshape(points, self.size, self.slopes.shape[1])

    def joined(self, other: "_Adjoint | None", points: int) -> "_Adjoint":
        """The sum of both."""
        if other is None:
            return self
        rows, slopes = (np.concatenate([getattr(a, n) for a in (self, other)]) for n in ("rows", "slopes"))
        both = _Adjoint(rows, slopes, self.size)
        return both if len(rows) <= points * self.size else _full(both.dense(points))


def _full(slopes: np.ndarray) -> _Adjoint:
    points, size, m = slopes.shape
    return _Adjoint(np.arange(points * size), slopes.reshape(points * size, m), size, True)


class _Pass:
    """One pass back for some points."""

    def __init__(self, network: Network, values: list[np.ndarray], eye: np.ndarray):
        self.network, self.values = network, values
        self.points = len(values[0])
        self.eye = eye
        self.intercept = convert(np.zeros((self.points, len(eye))), eye.dtype)

    def back(self) -> tuple[np.ndarray, np.ndarray]:
        """Slopes (points, m, d) and intercepts (points, m)."""
        nodes = self.network.nodes
        adjoints: list[_Adjoint | None] = [None] * len(nodes)
        adjoints.append(_full(np.repeat(self.eye.T[None], self.points, axis=0)))
        for k in reversed(range(len(nodes))):
            node, adjoint = nodes[k], adjoints[k + 1]
            adjoints[k + 1] = None
            if adjoint is None:  # nothing that the output reads
                continue
            passed = _back(node.layer, self, adjoint, *(self.values[i] for i in node.inputs))
            for i, part in zip(node.inputs, passed, strict=True):
                adjoints[i] = part.joined(adjoints[i], self.points)
        if adjoints[0] is None:
            none = np.zeros((self.points, len(self.eye), self.network.input_size))
            return convert(none, self.eye.dtype), self.intercept
        return adjoints[0].dense(self.points).swapaxes(1, 2), self.intercept

    def of_entries(self, adjoint: _Adjoint, array: np.ndarray) -> np.ndarray:
        """Those of an array with one row an entry that belong to the adjoint's rows."""
        return adjoint.chosen(array) if self.points == 1 else array.take(adjoint.rows % adjoint.size, axis=0)

    def add(self, constants: np.ndarray, adjoint: _Adjoint) -> None:
        """Constants of the entries, one for each row, go to the outputs by their slopes."""
        if self.points == 1:
            self.intercept += constants @ adjoint.slopes
        elif constants.any():
            place = adjoint.rows // adjoint.size, np.arange(len(constants))
            of_point = sparse.csr_array((constants, place), (self.points, len(constants)))
            self.intercept += of_point @ adjoint.slopes


# ---- the adjoints of a layer's operands, from that of its output ----------------------------------------


@singledispatch
def _back(layer, run: _Pass, adjoint: _Adjoint, *inputs: np.ndarray) -> tuple[_Adjoint, ...]:
    raise NotImplementedError(f"no affine piece of {layer}")


@_back.register
def _(layer: layers.Affine, run, adjoint, x):
    run.add(run.of_entries(adjoint, layer.bias), adjoint)
    if is_exact(adjoint.slopes):
        (slopes,) = adjoint.dense(1)
        return (_full((slopes.T @ layer.weight).T[None]),)
    if isinstance(layer.weight, SparseMatrix):
        return (_full(layer.weight.pulled(adjoint.rows, adjoint.slopes, run.points)),)
    if run.points == 1:
        return (_full((adjoint.chosen(layer.weight).T @ adjoint.slopes)[None]),)
    return (_full(layer.weight.T @ adjoint.dense(run.points)),)


@_back.register
def _(layer: layers.Scale, run, adjoint, x):
    run.add(run.of_entries(adjoint, layer.bias), adjoint)
    slopes = adjoint.slopes * run.of_entries(adjoint, layer.factor)[:, None]
    return (adjoint._replace(slopes=slopes),)


@_back.register
def _(layer: layers.Identity, run, adjoint, x):
    return (adjoint,)


@_back.register
def _(layer: layers.Gather, run, adjoint, x):
    size = x.shape[1]
    rows = adjoint.rows // adjoint.size * size + run.of_entries(adjoint, layer.index)
    return (_Adjoint(rows, adjoint.slopes, size),)


@_back.register
def _(layer: layers.Add, run, adjoint, *inputs):
    return tuple(adjoint._replace(slopes=adjoint.slopes * f) for f in layer.factors)


@_back.register
def _(layer: layers.Concat, run, adjoint, *inputs):
    parts, end, (points, entries) = [], 0, np.divmod(adjoint.rows, adjoint.size)
    for x in inputs:
        start, end = end, end + x.shape[1]
        mine = (start <= entries) & (entries < end)
        rows = points[mine] * x.shape[1] + entries[mine] - start
        parts.append(_Adjoint(rows, adjoint.slopes[mine], x.shape[1]))
    return tuple(parts)


@_back.register
def _(layer: layers.PiecewiseLinear, run, adjoint, x):
    if layer.slopes.shape[1] == 1:  # one function for all entries
        x = x.reshape(-1)[adjoint.rows]
        slope, intercept = (a[:, 0] for a in layer.tangent(x[:, None]))
    else:
        slope, intercept = (a.reshape(-1)[adjoint.rows] for a in layer.tangent(x))
    run.add(intercept, adjoint)
    kept = np.flatnonzero(slope)
    slopes, slope = adjoint.slopes[kept], slope[kept]
    if not (slope == 1).all():
        slopes = slopes * slope[:, None]
    return (_Adjoint(adjoint.rows[kept], slopes, adjoint.size),)


@_back.register
def _(layer: layers.Relu, run, adjoint, x):
    kept = (adjoint.chosen(x.reshape(-1)) > 0).nonzero()[0]
    return (_Adjoint(adjoint.rows.take(kept), adjoint.slopes.take(kept, axis=0), adjoint.size),)


@_back.register
def _(layer: layers.Maximum, run, adjoint, x):
    size, members = x.shape[1], run.of_entries(adjoint, layer.members(x.shape[1]))
    if run.points > 1:
        members = members + (adjoint.rows // adjoint.size * size)[:, None]
    arguments = x.take(members)
    if layer.eps:
        shares = layer.shares(x).reshape(-1, members.shape[1])[adjoint.rows]
        run.add(layer(x).reshape(-1)[adjoint.rows] - (shares * arguments).sum(axis=1), adjoint)
        slopes = adjoint.slopes[:, None, :] * shares[..., None]
        return (_Adjoint(members.ravel(), slopes.reshape(members.size, -1), size),)
    first = np.arange(0, members.size, members.shape[1])  # of each group
    winners = members.take(first + arguments.argmax(axis=1))
    return (_Adjoint(winners, adjoint.slopes, size),)

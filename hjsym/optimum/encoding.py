"""A network over a bounded polyhedron as a mixed-integer linear model, with bounds of every value that are proved.

A function of one variable z between l and u that bends at c_1 < … < c_m becomes z = l + Σ_k δ_k, δ_k the part of z on
piece k, and f(z) = f(l) + Σ_k s_k δ_k, with a binary a_k for each bend: d_{k−1} a_k ≤ δ_{k−1} and δ_k ≤ d_k a_k, d_k
the length of a piece, so that a_k = 0 keeps z left of c_k and a_k = 1 right of it. With a_k in [0, 1] that is the
convex hull of the graph. A maximum y of entries gets a binary for each that can win, of which one is 1:
z_j ≤ y ≤ z_j + M_j(1 − a_j). Bends that a value cannot reach, and entries that cannot win, take no part.

Source of the model of bends: J. P. Vielma, S. Ahmed, G. Nemhauser, "Mixed-integer models for nonseparable
piecewise-linear optimization", Operations Research 58 (2010), the incremental model.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatchmethod
from time import monotonic

import numpy as np

from hjsym import layers
from hjsym.layer_norms import float_weights
from hjsym.network import Network
from hjsym.optimum.enclosures import Interval, check, enclose
from hjsym.optimum.linear_model import LinearModel
from tropical._arrays import to_floats
from tropical.errors import InputError
from tropical.sparse import SparseMatrix, Weights

__all__ = ["Encoding", "Gate"]


@dataclass(frozen=True)
class Gate:
    """A value y that binaries decide about, and what it is of: z at `corners`, or the largest of several."""

    y: int
    binaries: np.ndarray
    operands: np.ndarray
    corners: np.ndarray | None = None
    values: np.ndarray | None = None

    def violation(self, x: np.ndarray) -> float:
        """How far the relaxed y is from what it stands for."""
        given = x[self.operands]
        value = given.max() if self.corners is None else np.interp(given[0], self.corners, self.values)
        return abs(float(x[self.y] - value))


class Encoding:
    """The model of a network.

    Parameters
    ----------
    network : Network
        At ε = 0.
    low, high : (d,) arrays of float
        Bounds of the inputs.
    rows : sequence of rows (a…, b)
        Inequalities a·x + b ≥ 0 besides.
    until : float
        A time of `time.monotonic`; up to then linear programs tighten the bounds of what enters gates.

    Attributes
    ----------
    model : LinearModel
    inputs, outputs : arrays of int
        Their variables.
    gates : list of Gate
    """

    def __init__(self, network: Network, low: np.ndarray, high: np.ndarray, rows=(), until: float = -np.inf):
        check(network)
        self.model, self.gates, self.until = LinearModel(), [], until
        self.inputs = self.model.add(low, high)
        for *a, b in rows:
            used = np.flatnonzero([bool(w) for w in a])
            entries = [-float(a[j]) for j in used]
            self.model.require(np.zeros(len(used)), self.inputs[used], entries, float(b), equal=False)
        self._linear_layers = 2 * bool(len(rows))
        values, pooled = [self.inputs], _rectified_pools(network)
        for k, node in enumerate(network.nodes, start=1):
            operands = [values[i] for i in node.inputs]
            if k in pooled:
                values.append(operands[0])
            elif pooled.intersection(node.inputs):
                zero = self.model.add(0.0, 0.0)
                groups = operands[0][node.layer.members(len(operands[0]))]
                values.append(self._maxima(np.column_stack([groups, np.repeat(zero, len(groups))])))
            else:
                values.append(self._encoded(node.layer, *operands))
        self.outputs = values[-1]

    def _interval(self, x: np.ndarray) -> Interval:
        return Interval(self.model.low[x], self.model.high[x])

    def _tighten(self, x: np.ndarray) -> None:
        """Bounds by linear programs, until the time is up; behind one linear layer intervals are as good."""
        if self._linear_layers < 2 and not self.gates:
            return
        for i in x:
            if monotonic() > self.until:
                return
            unit = np.zeros(self.model.size)
            unit[i] = 1.0
            high, low = self.model.relaxed(unit).bound, -self.model.relaxed(-unit).bound
            if high < low:
                raise InputError("the domain is empty; pass one that has points")
            self.model.high[i], self.model.low[i] = (
                min(self.model.high[i], high),
                max(self.model.low[i], low),
            )

    # ---- layers -------------------------------------------------------------------------------------

    @singledispatchmethod
    def _encoded(self, layer, *operands: np.ndarray) -> np.ndarray:
        """The variables behind a layer from those in front of it."""
        raise NotImplementedError(f"no model of {layer}")

    @_encoded.register
    def _(self, layer: layers.Affine, x):
        return self._sums(enclose(layer, self._interval(x)), layer.weight, x, layer.bias)

    @_encoded.register
    def _(self, layer: layers.Scale, x):
        factor = SparseMatrix((len(x), len(x)), np.arange(len(x)), np.arange(len(x)), layer.factor)
        return self._sums(enclose(layer, self._interval(x)), factor, x, layer.bias)

    @_encoded.register
    def _(self, layer: layers.Add, *operands):
        n, k = len(operands[0]), len(operands)
        places = np.arange(n * k)
        joined = SparseMatrix((n, n * k), places % n, places, np.repeat(layer.factors, n))
        reach = enclose(layer, *(self._interval(x) for x in operands))
        return self._sums(reach, joined, np.concatenate(operands), np.zeros(n))

    @_encoded.register
    def _(self, layer: layers.Identity, x):
        return x

    @_encoded.register
    def _(self, layer: layers.Gather, x):
        return x[layer.index]

    @_encoded.register
    def _(self, layer: layers.Concat, *operands):
        return np.concatenate(operands)

    @_encoded.register
    def _(self, layer: layers.PiecewiseLinear, x):
        places = np.broadcast_to(to_floats(layer.breaks), (len(layer.breaks), len(x)))
        z = self._interval(x)
        self._tighten(np.unique(x[((z.low < places) & (places < z.high) & (layer.bends != 0)).any(axis=0)]))
        reach, exact = enclose(layer, self._interval(x)), layer.to_exact()
        bends = [_columns(a, len(x)) for a in (exact.breaks, exact.slopes, exact.intercepts)]
        ends = zip(x, *reach, strict=True)
        return np.array([self._bend(*end, *bend) for end, *bend in zip(ends, *bends, strict=True)], dtype=int)

    @_encoded.register
    def _(self, layer: layers.Maximum, x):
        return self._maxima(x[layer.members(len(x))])

    def _sums(self, reach: Interval, weight: Weights, x: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Variables weight·x + bias."""
        self._linear_layers += 1
        z = self.model.add(*reach)
        rows, columns, entries = _entries(float_weights(weight))
        x = self._distinct(x)
        self.model.require(
            np.concatenate([rows, np.arange(len(z))]),
            np.concatenate([x[columns], z]),
            np.concatenate([entries, np.full(len(z), -1.0)]),
            -to_floats(bias),
        )
        return z

    def _distinct(self, x: np.ndarray) -> np.ndarray:
        """The variables with copies of those that come twice, whose entries would be added and so be rounded."""
        _, first = np.unique(x, return_index=True)
        again = np.setdiff1d(np.arange(len(x)), first)
        if not len(again):
            return x
        x, given = x.copy(), x[again]
        x[again] = self.model.add(*self._interval(given))
        rows, signs = np.tile(np.arange(len(again)), 2), np.repeat([1.0, -1.0], len(again))
        self.model.require(rows, np.concatenate([given, x[again]]), signs, np.zeros(len(again)))
        return x

    # ---- gates --------------------------------------------------------------------------------------

    def _bend(self, z: int, low: float, high: float, breaks: list, slopes: list, intercepts: list) -> int:
        """y = f(z) between low and high; f in Fractions, of which the model has the nearest floats."""
        left, right = float(self.model.low[z]), float(self.model.high[z])
        places = [float(c) for c in breaks]
        between = [k for k, c in enumerate(places) if left < c < right and slopes[k] != slopes[k + 1]]
        first = sum(c <= left for c in breaks)
        moved = sum(abs(s - r) * abs(c - Fraction(place)) for r, s, c, place in
                    zip(slopes, slopes[1:], breaks, places, strict=False))  # fmt: skip
        if not between and slopes[first] == 1 and intercepts[first] == 0 and not moved:
            return z
        (y,), error = self.model.add(low, high), _above(2 * moved)
        if not between:
            entries = [1.0, -float(slopes[first])]
            self.model.require([0, 0], [y, z], entries, float(intercepts[first]), error)
            return y
        corners = np.array([left, *(places[k] for k in between), right])
        slope = np.array([float(slopes[k]) for k in (first, *(k + 1 for k in between))])
        start = float(slopes[first] * Fraction(left) + intercepts[first])
        self._pieces(z, y, corners, slope, start, error)
        return y

    def _pieces(
        self, z: int, y: int, corners: np.ndarray, slopes: np.ndarray, start: float, error: float
    ) -> None:
        """y = f(z) for f with these corners, from the value `start` at the first, by the parts of z."""
        lengths, m = np.diff(corners), len(slopes) - 1
        parts = self.model.add(np.zeros(m + 1), np.nextafter(lengths, np.inf))
        a = self.model.add(np.zeros(m), np.ones(m), binary=True)
        ones = np.ones(m + 1)
        self.model.require(
            np.repeat([0, 1], m + 2),
            np.concatenate([[z], parts, [y], parts]),
            np.concatenate([[1], -ones, [1], -slopes]),
            [corners[0], start],
            [0.0, error],
        )
        columns = np.column_stack([a, parts[:-1], parts[1:], a]).ravel()
        entries = np.column_stack([lengths[:-1], -ones[1:], ones[1:], -lengths[1:]]).ravel()
        self.model.require(np.repeat(np.arange(2 * m), 2), columns, entries, np.zeros(2 * m), equal=False)
        values = start + np.concatenate([[0.0], np.cumsum(slopes * lengths)])
        self.gates.append(Gate(y, a, np.array([z]), corners, values))

    def _maxima(self, groups: np.ndarray) -> np.ndarray:
        z = self._interval(groups)
        wins = z.high >= z.low.max(axis=1, keepdims=True)
        open_ = np.unique(groups[wins & (wins.sum(axis=1, keepdims=True) > 1)])
        self._tighten(open_[self.model.low[open_] < self.model.high[open_]])
        return np.array([self._maximum(np.unique(group)) for group in groups], dtype=int)

    def _maximum(self, x: np.ndarray) -> int:
        """y = max(x), by those that can win."""
        z = self._interval(x)
        sure = int(z.low.argmax())
        able = np.union1d(np.flatnonzero(z.high > z.low[sure]), [sure])
        if len(able) == 1:
            return x[sure]
        x, (low, high) = x[able], self._interval(x[able])
        n = len(x)
        (y,) = self.model.add(low.max(), high.max())
        a = self.model.add(np.zeros(n), np.ones(n), binary=True)
        rivals = np.array([np.delete(high, j).max() for j in range(n)])
        above = np.nextafter(rivals - low, np.inf)
        each, ones, ys = np.arange(n), np.ones(n), np.full(n, y)
        self.model.require(
            np.concatenate([each, each, np.tile(each + n, 3)]),
            np.concatenate([x, ys, ys, x, a]),
            np.concatenate([ones, -ones, ones, -ones, above]),
            np.concatenate([np.zeros(n), above]),
            equal=False,
        )
        self.model.require(np.zeros(n), a, ones, 1.0)
        self._cap(y, x, low, high)
        self.gates.append(Gate(y, a, x))
        return y

    def _cap(self, y: int, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """y ≤ L + Σ_j s_j (x_j − l_j) with L = max l and s_j ≥ (u_j − L)/(u_j − l_j): sums of (x_j − L)⁺ from above."""
        sure = low.max()
        used = high > sure
        slopes = np.nextafter(np.minimum((high - sure)[used] / (high - low)[used] * (1 + 2.0**-50), 1.0), 2.0)
        side = Fraction(sure) - sum(Fraction(s) * Fraction(l) for s, l in zip(slopes, low[used], strict=True))  # noqa: E741
        columns = np.concatenate([[y], x[used]])
        self.model.require(
            np.zeros(len(columns)), columns, np.append(1.0, -slopes), _above(side), equal=False
        )


def _rectified_pools(network: Network) -> set[int]:
    """Values of ReLUs that only maxima read: max(z⁺) is max(z, 0), which takes no gate for each z."""
    readers: dict[int, list] = {k: [] for k in range(len(network.nodes) + 1)}
    for node in network.nodes:
        for i in node.inputs:
            readers[i].append(node.layer)
    return {
        k
        for k, node in enumerate(network.nodes, start=1)
        if isinstance(node.layer, layers.Relu) and readers[k]
        if all(isinstance(layer, layers.Maximum) for layer in readers[k])
    }


def _entries(weight: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if isinstance(weight, SparseMatrix):
        return weight.rows, weight.columns, weight.data
    rows, columns = np.nonzero(weight)
    return rows, columns, weight[rows, columns]


def _columns(array: np.ndarray, n: int) -> list[list]:
    """Column after column, n of them."""
    return np.broadcast_to(array, (len(array), n)).T.tolist()


def _above(number: Fraction) -> float:
    """A float that is no less."""
    return float(np.nextafter(float(number), np.inf)) if number else 0.0

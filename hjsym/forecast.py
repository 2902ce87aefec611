"""What exact work on a network would take, estimated before any of it is done."""

import math
from dataclasses import dataclass

import numpy as np

from hjsym import layers
from hjsym.network import Network
from tropical._arrays import EXACT
from tropical._html import card, facts
from tropical._tables import HasTable
from tropical.circuit import Affine, Max, Node, in_order
from tropical.errors import InputError, describe_size
from tropical.sparse import numbers

__all__ = ["Forecast", "forecast", "log2_region_bound"]


@dataclass(frozen=True, eq=False)
class Forecast(HasTable):
    """Sizes of what could be computed of a network.

    Attributes
    ----------
    log2_P, log2_Q : (m,) arrays of float
        log2 of the number of monomials that expanding P and Q would multiply out, for each output.
    log2_region_bound : float
        log2 of a number that activation regions on all of R^d never exceed; see `log2_region_bound`.
    regions_seen, points : int
        How many different activation regions random inputs fell into, and how many inputs those were.
    regions_estimated : float
        From that, how many regions such inputs fall into at all: an estimate from below, not a bound.
    circuit_bytes : int
        Of the numbers that the circuits of P and Q hold.
    region_bytes : float
        About what `tropical.linear_regions` would hold for the regions estimated, within a factor of two or three.

    Examples
    --------
    >>> import hjsym
    >>> net = [(np.ones((4, 2)), np.arange(4.0)), (np.ones((1, 4)), np.zeros(1))]
    >>> sizes = hjsym.compile(net).forecast()
    >>> sizes.log2_P, sizes.log2_Q, 2**sizes.log2_region_bound >= sizes.regions_seen
    (array([4.]), array([0.]), True)
    """

    log2_P: np.ndarray
    log2_Q: np.ndarray
    log2_region_bound: float
    regions_seen: int
    points: int
    regions_estimated: float
    circuit_bytes: int
    region_bytes: float

    def _shape(self) -> tuple[int, int]:
        return 2 * len(self.log2_P) + 6, 3

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        rows = [
            (f"monomials of {part}, output {i}, expanded", value, "log2")
            for part, values in (("P", self.log2_P), ("Q", self.log2_Q))
            for i, value in enumerate(values.tolist(), 1)
        ]
        rows += [
            ("linear regions, at most", self.log2_region_bound, "log2"),
            ("random inputs", self.points, "count"),
            ("regions of random inputs, seen", self.regions_seen, "count"),
            ("regions of random inputs, estimated", self.regions_estimated, "count"),
            ("memory of the circuits", self.circuit_bytes, "bytes"),
            ("memory of these regions", self.region_bytes, "bytes"),
        ]
        quantity, value, unit = zip(*rows[:first], strict=True)
        return {
            "quantity": np.array(quantity, dtype=object), "value": np.array(value, dtype=float),
            "unit": np.array(unit),
        }  # fmt: skip

    def _html(self) -> str:
        return card("Forecast", facts(dict(line.split("  ", 1) for line in str(self).splitlines())))

    def __str__(self) -> str:
        return "\n".join(
            [
                f"monomials of P, expanded     2^{self.log2_P.max():.1f}",
                f"monomials of Q, expanded     2^{self.log2_Q.max():.1f}",
                f"linear regions, at most      2^{self.log2_region_bound:.1f}",
                f"regions of random inputs     {self.regions_seen:,} seen by {self.points:,}, "
                f"about {describe_size(round(self.regions_estimated))} in all",
                f"memory of the circuits       {self.circuit_bytes / 1e6:,.2f} MB",
                f"memory of these regions      {self.region_bytes / 1e6:,.2f} MB",
            ]
        )


def forecast(f, points: int = 1000, seed: int = 0) -> Forecast:
    """Sizes of the expanded polynomials, of the regions and of memory; see `Forecast`.

    Parameters
    ----------
    f : TropicalNetwork
    points : int
        How many random inputs are tried, with standard normal entries, each scaled by a power of 2 from 1/8 to 8.
    seed : int
        Of these inputs.

    Notes
    -----
    The estimate is A. Chao's from below, s + a(a − 1) / (2(b + 1)), where s regions were seen, a of them once and
    b twice. Cost: `points` evaluations, and a pass over the weights; nothing is expanded or enumerated.

    References
    ----------
    A. Chao, "Nonparametric estimation of the number of classes in a population", Scandinavian Journal of Statistics
    11 (1984), in its bias-corrected form.

    Examples
    --------
    >>> import hjsym
    >>> f = hjsym.compile([([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, -1.0]), ([[1.0, 1.0, -2.0]], [0.0])])
    >>> sizes = f.forecast()
    >>> sizes.log2_P.tolist(), sizes.log2_Q.tolist(), round(2**sizes.log2_region_bound), sizes.regions_seen
    ([2.0], [1.0], 7, 7)
    """
    if points < 1:
        raise InputError(f"points is {points}; try at least one input")
    network, nodes = f.network, in_order([f.P.node, f.Q.node])
    gates = sum(node.size for node in nodes if isinstance(node, Max))
    seen, estimated = _sampled(network, points, np.random.default_rng(seed))
    d = network.input_size
    # Winners twice, names of some 2 d facets, a number and bits for some 2^d corners, no more than are allowed, and
    # a few forms of some 3 words an integer.
    per_region = 400 + 2 * gates + 16 * d + 12 * 2.0 ** min(d, 12) + 72 * (d + 1)
    return Forecast(
        f.P.deform(0).log2_monomial_count(),
        f.Q.deform(0).log2_monomial_count(),
        log2_region_bound(network),
        seen,
        points,
        estimated,
        _bytes(nodes),
        estimated * per_region,
    )


def _bytes(nodes: list[Node]) -> int:
    stored = [
        numbers(weights)
        for node in nodes
        if isinstance(node, Affine)
        for weights in (node.bias, *(w for w, _ in node.terms))
    ]
    each = {EXACT: 8 + 48 + 2 * 32}  # a pointer to a Fraction of two integers
    return sum(array.size * each.get(array.dtype, array.itemsize) for array in stored)


# ---- regions that random inputs fall into ------------------------------------------------------------


def _sampled(network: Network, points: int, rng: np.random.Generator) -> tuple[int, float]:
    """How many regions the inputs show, and Chao's estimate."""
    x = rng.normal(size=(points, network.input_size)) * 2.0 ** rng.integers(-3, 4, size=(points, 1))
    values = network.to_float().values(x)  # a pattern rounded is as likely as any
    winners = [
        pattern
        for node in network.nodes
        if (pattern := _winners(node.layer, values[node.inputs[0]])) is not None
    ]
    if not winners:
        return 1, 1.0
    _, counts = np.unique(np.concatenate(winners, axis=1), axis=0, return_counts=True)
    once, twice = (counts == 1).sum(), (counts == 2).sum()
    return len(counts), float(len(counts) + once * (once - 1) / (2 * (twice + 1)))


def _winners(layer: layers.Layer, x: np.ndarray) -> np.ndarray | None:
    """Per gate the number of the branch that wins, (points, gates); None for a layer without gates."""
    if isinstance(layer, layers.PiecewiseLinear):
        return sum((x > place).astype(np.int16) for place in layer.breaks)
    if isinstance(layer, layers.Maximum):
        return np.argmax(x[..., layer.members(x.shape[-1])], axis=-1).astype(np.int16)
    return None


# ---- a bound -------------------------------------------------------------------------------------------


def log2_region_bound(network: Network) -> float:
    """log2 of an upper bound of the number of activation regions.

    N hyperplanes cut a space of dimension r into Σ_{j≤r} C(N, j) cells at most. A layer of n units that bend at k
    places each has kn of them, a maximum over g entries g(g − 1)/2, and each region of one layer is cut by the next.
    In a chain of affine layers and ReLUs the dimension falls: with j of n ReLUs counted, no more than n − j are left,
    nor more than an affine layer has outputs.

    References
    ----------
    T. Serra, C. Tjandraatmadja, S. Ramalingam, "Bounding and counting linear regions of deep neural networks",
    ICML 2018, Theorem 1.

    Examples
    --------
    >>> import hjsym
    >>> net = hjsym.load([(np.ones((4, 2)), np.ones(4)), (np.ones((4, 4)), np.ones(4)), (np.ones((1, 4)), [0])])
    >>> round(2 ** log2_region_bound(net))
    121
    """
    chain = all(node.inputs == (k,) for k, node in enumerate(network.nodes))
    counts = np.full(network.input_size + 1, -np.inf)  # log2 of the count, by the dimension that is left
    counts[-1] = 0.0
    for node in network.nodes:
        layer, size = node.layer, network.sizes[node.inputs[0]]
        if isinstance(layer, layers.Affine) and chain:
            counts = _at_most(counts, layer.weight.shape[0])
        elif isinstance(layer, layers.PiecewiseLinear):
            counts = _cut(counts, len(layer.breaks) * size, size if chain and _is_relu(layer) else None)
        elif isinstance(layer, layers.Maximum):
            members = layer.members(size)
            counts = _cut(counts, sum(math.comb(len(set(group)), 2) for group in members.tolist()), None)
    return float(np.logaddexp2.reduce(counts))


def _is_relu(layer: layers.PiecewiseLinear) -> bool:
    """Whether each unit is constant on one side of its only bend."""
    return len(layer.breaks) == 1 and bool((layer.slopes == 0).any(axis=0).all())


def _at_most(counts: np.ndarray, rank: int) -> np.ndarray:
    """The dimension falls to `rank` where it is larger."""
    if rank >= len(counts) - 1:
        return counts
    return np.append(counts[:rank], np.logaddexp2.reduce(counts[rank:]))


def _cut(counts: np.ndarray, planes: int, units: int | None) -> np.ndarray:
    """Each region is cut by hyperplanes; with ReLU `units`, j of them leave a dimension of units − j."""
    cut = np.full_like(counts, -np.inf)
    for r, count in enumerate(counts):
        if count == -np.inf:
            continue
        j = np.arange(min(r, planes) + 1)
        ways = count + _log2_binomials(planes, len(j))
        left = np.full(len(j), r) if units is None else np.minimum(r, units - j)
        np.logaddexp2.at(cut, left, ways)
    return cut


def _log2_binomials(n: int, count: int) -> np.ndarray:
    """log2 C(n, j) for j < count ≤ n + 1."""
    j = np.arange(1, count)
    return np.concatenate([[0.0], np.cumsum(np.log2((n - j + 1) / j))])

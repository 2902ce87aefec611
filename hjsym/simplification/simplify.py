"""Smaller networks that compute the same on a domain, with a proof for each unit that went.

A unit goes where its value is an affine function of what stays: it is constant, a positive multiple of another, or a
combination of units that never leave their linear piece. Layers all of whose units are linear go altogether, and
affine maps that then meet become one.

Source: T. Serra, A. Kumar, S. Ramalingam, "Lossless compression of deep neural networks", CPAIOR 2020 (inactive
units, and active ones that depend on each other).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hjsym import layers
from hjsym.compile import TropicalNetwork
from hjsym.frontends import load
from hjsym.network import Network, Node
from hjsym.simplification.reduction import Reduction, Removal
from hjsym.simplification.rounding_change import rounding_change
from hjsym.simplification.unit_pieces import Pieces, find_pieces
from hjsym.simplification.value_bounds import ValueBounds
from tropical._display import summary
from tropical.domain import Domain
from tropical.errors import BudgetExceeded, InputError

__all__ = ["Proof", "Removal", "Saving", "Simplification", "simplify_network"]

_MOST_PARAMETERS = 2_000_000  # Fractions held, each some 100 bytes


@dataclass(frozen=True, eq=False)
class Proof:
    """The removals in order, and the bounds that they rest on.

    Attributes
    ----------
    network : Network
        What was simplified: over Fractions, with its affine layers folded, without its head. Removals count its
        layers and units.
    removals : tuple of Removal
    bounds : ValueBounds
        Where its values stay on the domain; value k + 1 is what layer k gives.
    result : Network
        What the removals leave.
    """

    network: Network
    removals: tuple[Removal, ...]
    bounds: ValueBounds = field(repr=False)
    pieces: Pieces = field(repr=False)
    result: Network = field(repr=False)

    def __len__(self) -> int:
        return len(self.removals)

    def __iter__(self) -> Iterator[Removal]:
        return iter(self.removals)

    def check(self) -> bool:
        """Derive everything again, in Fractions and without searching: each bound from those before it and the lines
        kept for it, each removal from bounds and weights, and that all of them together leave `result`."""
        if not self.bounds.check() or not all(map(self._stay, self.pieces)):
            return False
        replay = Reduction(self.bounds, self.pieces)
        return all(map(replay.repeat, self.removals)) and _same(replay.blocks.result(), self.result)

    def _stay(self, gate: int) -> bool:
        """Whether the bounds show the pieces that units of a bend are said to stay on."""
        intervals = self.bounds.intervals[self.network.nodes[gate - 1].inputs[0]]
        return all(
            piece is None or (bend.span(piece)[0] <= low and high <= bend.span(piece)[1])
            for piece, bend, (low, high) in zip(
                self.pieces[gate], self.bounds.bends[gate], intervals, strict=True
            )
        )


@dataclass(frozen=True)
class Saving:
    """Units (entries of piecewise-linear layers) and parameters before and after; prints as a table.

    Attributes
    ----------
    layers : tuple of (str, int, int, dict)
        Of each piecewise-linear layer its name, its units before and after, and how many went by reason.
    parameters : (int, int)
        Numbers that the network holds, before and after.
    undecided : int
        Units that no point was seen to move from their piece and no proof kept on it: there might be more to save.
    """

    layers: tuple[tuple[str, int, int, dict[str, int]], ...]
    parameters: tuple[int, int]
    undecided: int

    @property
    def units(self) -> tuple[int, int]:
        """All units, before and after."""
        return sum(row[1] for row in self.layers), sum(row[2] for row in self.layers)

    def __str__(self) -> str:
        rows = [
            (name, f"{a:,}", f"{b:,}", ", ".join(f"{n} {r}" for r, n in why.items()))
            for name, a, b, why in self.layers
        ]
        totals = (("units", self.units), ("parameters", self.parameters))
        rows += [(name, *(f"{n:,}" for n in pair), "") for name, pair in totals]
        rows = [("layer", "before", "after", ""), *rows]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines = [
            f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
            for row in rows
        ]
        open_units = f"undecided units: {self.undecided:,}" if self.undecided else "every unit decided"
        return "\n".join([*lines, open_units])


@dataclass(frozen=True, eq=False)
class Simplification:
    """What `simplify_network` found.

    Attributes
    ----------
    network : Network
        The smaller network, with the head of f. Of floats if f is: each number that is new is `exact`'s, rounded.
    exact : Network
        The smaller network over Fractions, without the head: equal to the scores of f at every point of the domain.
    saving : Saving
    proof : Proof
    change : (outputs,) array
        Bounds of the difference that rounding `exact` to floats makes to the scores on the domain, in real
        arithmetic; 0 where no number had to be rounded.

    Examples
    --------
    >>> W = [[1.0, 1.0], [2.0, 2.0]]
    >>> found = simplify_network([(W, [0.0, 0.0]), ([[1.0, 2.0]], [0.5])])
    >>> found.saving.units, found.proof.check(), found.change, found.network([1.0, 1.0])
    ((2, 1), True, array([0.]), array([10.5]))
    """

    network: Network
    exact: Network
    saving: Saving
    proof: Proof
    change: np.ndarray

    __repr__ = summary


def simplify_network(
    f, domain: Domain | None = None, *, programs: int = 1000, points: int = 256, seed: int = 0
) -> Simplification:
    """A network with fewer units that computes the same as f at every point of a domain.

    Parameters
    ----------
    f : Network, TropicalNetwork, or anything that `hjsym.load` takes
        At ε = 0. A head (sigmoid, softmax) is kept as it is. Floats are taken as the dyadic rationals they are.
    domain : Box or Polyhedron, optional
        Where the networks shall agree; all of R^d by default. Pairs (low, high) and (G, h) stand for these.
    programs : int
        How many linear programs may be solved to prove that a unit stays on its piece; with 0 intervals and plain
        linear bounds decide alone.
    points, seed : int
        Random points of the domain that show units move from one piece to another: for those no program is solved.

    Returns
    -------
    Simplification
        ``.network``, ``.saving`` (a table), ``.proof`` (a reason for each unit; ``.proof.check()`` derives all of
        it again), ``.exact`` and ``.change``.

    Raises
    ------
    InputError
        ε > 0 or an empty domain.
    BudgetExceeded
        More than two million parameters, which would have to be Fractions.

    Notes
    -----
    Units are looked at in layers that stand between affine ones: what reads a unit has to be an affine layer (after
    folding), so units in front of a residual sum or a pool stay. Lossless: nothing is approximated but by the final
    rounding of floats, of which ``change`` is a bound. The result need not be the smallest network there is:
    ``saving.undecided`` counts the units that the relaxation could not decide, a unit that leaves its piece only where
    no random point lies among them.

    References
    ----------
    Serra, Kumar, Ramalingam, CPAIOR 2020.

    Examples
    --------
    >>> from tropical import Box
    >>> W = [[1.0, 1.0], [2.0, 2.0], [1.0, -1.0], [-1.0, -1.0]]
    >>> net = [(W, [0.0, 0.0, 3.0, -2.0]), ([[1.0, 2.0, 1.0, 7.0]], [0.5])]
    >>> small = simplify_network(net, Box(-1, 1))
    >>> print(small.saving)
    layer       before  after
    Relu 1           4      2  1 inactive, 1 proportional
    units            4      2
    parameters      17      9
    every unit decided
    >>> small.network.nodes[-1].layer.weight, small.proof.check()
    (array([[5., 1.]]), True)
    """
    whole = f.network if isinstance(f, TropicalNetwork) else load(f)
    scores = whole.without_head()
    _refuse(scores, points, programs)
    folded = scores.to_exact().fold()
    bounds = ValueBounds(folded, domain)
    reducible = [block.gate for block in Reduction(bounds, {}).blocks.blocks]
    pieces, undecided = find_pieces(bounds, reducible, programs, points, np.random.default_rng(seed))
    reduction = Reduction(bounds, pieces)
    removals = reduction.run()
    exact = reduction.blocks.result()
    network = exact if scores.exact else exact.to_float()
    proof = Proof(folded, removals, bounds, pieces, exact)
    saving = _saving(scores, folded, network, removals, undecided)
    change = np.zeros(exact.output_size) if scores.exact else rounding_change(exact, network, domain)
    return Simplification(_with_head(network, whole), exact, saving, proof, change)


def _refuse(network: Network, points: int, programs: int) -> None:
    if points < 1 or programs < 0:
        raise InputError(f"points is {points} and programs {programs}; pass at least 1 point and 0 programs")
    if network.parameters > _MOST_PARAMETERS:
        raise BudgetExceeded(
            "parameters, which would all be Fractions", network.parameters, _MOST_PARAMETERS,
            "simplify a part of the network",
        )  # fmt: skip


def _saving(scores: Network, folded: Network, small: Network, removals, undecided: int) -> Saving:
    """The table; piecewise-linear layers come in the same order in `scores` and `folded`."""
    bends = [
        [k for k, node in enumerate(net.nodes) if isinstance(node.layer, layers.PiecewiseLinear)]
        for net in (scores, folded)
    ]
    rows = []
    for original, layer in zip(*bends, strict=True):
        node, size = scores.nodes[original], scores.sizes[original + 1]
        why: Counter[str] = Counter()
        for removal in removals:
            if removal.layer == layer:
                why[removal.reason] += len(removal.units) - len(removal.into)
        rows.append((node.name or f"{node.layer} {original}", size, size - why.total(), dict(+why)))
    return Saving(tuple(rows), (scores.parameters, small.parameters), undecided)


def _with_head(network: Network, whole: Network) -> Network:
    if whole.head is None:
        return network
    head = Node(whole.head, (len(network.nodes),), whole.nodes[-1].name)
    return Network(network.input_size, (*network.nodes, head), network.metadata, network.exact)


def _same(a: Network, b: Network) -> bool:
    """Whether two networks have the same layers with the same numbers."""
    return len(a.nodes) == len(b.nodes) and all(
        m.inputs == n.inputs and type(m.layer) is type(n.layer) and _arguments(m.layer) == _arguments(n.layer)
        for m, n in zip(a.nodes, b.nodes, strict=True)
    )


def _arguments(layer: layers.Layer) -> list:
    """What makes a layer, in a form that compares."""
    return [
        [getattr(value, "shape", None), np.asarray(value).tolist()] for value in layer.arguments().values()
    ]

"""Linear regions of piecewise-linear functions, exactly: enumeration, counts, adjacency, point location."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_points
from tropical._region import Region
from tropical._region_locate import winners_near
from tropical._region_pack import pack, unpack
from tropical._region_program import Program, compile_program, difference
from tropical._region_shape import echelon, interior_point, reduced, vertices
from tropical._regions import Walk
from tropical.circuit import Circuit
from tropical.domain import Domain
from tropical.errors import InputError
from tropical.polynomial import Polynomial
from tropical.rational import Rational

__all__ = ["Region", "Regions", "linear_regions"]

_KINDS = {"facet": "open", "affine": "maps"}  # other names in use


def linear_regions(
    f: Circuit | Polynomial | Rational,
    domain: Domain | None = None,
    *,
    max_regions: int = 1_000_000,
    partial: bool = False,
    progress: Callable[[int], object] | None = None,
) -> "Regions":
    """All regions on which f is affine, decided in whole numbers.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0. ``hjsym.compile(network)`` is one. Floats are taken as the dyadic rationals that they are.
    domain : Box, Polyhedron or Slice, optional
        Where to look; all of R^d by default, without a bounding box. Pairs (low, high) and (G, h) stand for the
        first two.
    max_regions : int
        Budget.
    partial : bool
        Return what was found when the budget is spent, with ``complete`` False, instead of raising.
    progress : callable, optional
        Called now and then with the number of regions found so far. An exception in it ends the work.

    Returns
    -------
    Regions

    Raises
    ------
    BudgetExceeded
        If there are more than `max_regions` regions, or a cell has more than 4096 corners and directions.
    InputError
        If a gate is at ε > 0 or the domain has no interior.

    Notes
    -----
    Gates are taken one after another; each cuts the cells found so far, on which its branches are affine. A cell
    is held by the generators of the cone over it, so a cut is decided by signs of whole numbers on them, and
    parallel, equal or concurrent hyperplanes need no special care. Cost: regions × (one pass through the circuit
    + generators of a cell × gates); the generators of a cell grow like 2^d in d dimensions.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> f = (x.affine([[1, -1]]) + 0).affine([[1]]) * (x.affine([[0, 1]]) + 0) / (x.affine([[0, -1]]) + 0)
    >>> regions = linear_regions(f)                       # max(x, y) by three ReLU units
    >>> len(regions), regions.count("maps"), regions.graph.number_of_edges()
    (4, 2, 4)
    >>> region = regions[regions.locate([5, 1])]
    >>> region.slope.tolist(), region.signs.tolist()
    ([[Fraction(1, 1), Fraction(0, 1)]], [1, 1, -1])
    """
    if max_regions < 1:
        raise InputError(f"max_regions is {max_regions}; allow at least one")
    program = compile_program(f, domain)
    inputs, steps = pack(program)
    walk = Walk(inputs, steps, program.outputs, program.branches, max_regions, partial, progress)
    if not walk.run(program.bounds):
        raise InputError("the domain has no interior; regions are those of a full-dimensional domain")
    return Regions(program, walk, vector=_is_vector(f))


def _is_vector(f) -> bool:
    return isinstance(f.P if isinstance(f, Rational) else f, Circuit)


class Regions(Sequence):
    """The linear regions of f: a sequence of `Region`; its order is that of the search.

    Attributes
    ----------
    complete : bool
        Whether they cover the domain; False only with ``partial=True``.
    variables : int
        Dimension of the domain.
    """

    def __init__(self, program: Program, table: Walk, vector: bool):
        self.program, self.complete = program, table.complete
        self._table, self._vector = table, vector

    @property
    def variables(self) -> int:
        return self.program.variables

    def __len__(self) -> int:
        """How many activation regions there are."""
        return len(self._table.winners)

    def __getitem__(self, k):
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        k = range(len(self))[k]
        return Region(self, k)

    def __iter__(self) -> Iterator[Region]:
        return (Region(self, k) for k in range(len(self)))

    # ---- the definitions in use --------------------------------------------------------------------

    def count(self, kind: str = "activation") -> int:
        """How many regions there are under one of the definitions in use.

        Parameters
        ----------
        kind : str
            - "activation": sets of points with one pattern of winning branches, which have an interior;
            - "convex": sets on which P and Q are one monomial each;
            - "open" or "facet": connected sets of one affine map, where crossing a facet connects;
            - "closed": the same where touching in a point already connects;
            - "maps" or "affine": sets of one affine map, connected or not.

            Each is at least as coarse as the one before.

        References
        ----------
        M. Stargalla, C. Hertrich, D. Reichman, "The computational complexity of counting linear regions in ReLU
        neural networks", arXiv:2505.16716 (2025), compares the definitions.
        """
        return int(self.labels(kind).max(initial=-1)) + 1

    def labels(self, kind: str) -> np.ndarray:
        """For each region the number, from 0, of the larger region of that kind which it is part of; see `count`."""
        kind = _KINDS.get(kind, kind)
        if kind == "activation":
            return np.arange(len(self))
        if kind == "convex":
            return _numbered(self._table.outputs)
        if kind == "maps":
            return np.array(self._maps[0], dtype=np.int64)
        if kind in ("open", "closed"):
            maps = self._maps[0]
            same = nx.Graph()
            same.add_nodes_from(range(len(self)))
            same.add_edges_from((a, b) for a, b in self.graph.edges if maps[a] == maps[b])
            if kind == "closed":
                same.add_edges_from(self._touching(maps))
            component = {}
            for number, nodes in enumerate(nx.connected_components(same)):
                component.update(dict.fromkeys(nodes, number))
            return np.array([component[k] for k in range(len(self))], dtype=np.int64)
        raise InputError(f"kind {kind!r}; pass 'activation', 'convex', 'open', 'closed' or 'maps'")

    def _touching(self, maps: list[int]) -> Iterator[tuple[int, int]]:
        """Pairs of regions of one map that share a vertex.

        Closures of regions meet in faces of both, and a face has a vertex; where there are lines, they are the
        same for all, and vertices are compared after reduction by them.
        """
        seen: dict[tuple, int] = {}
        for k, (rays, lines) in enumerate(zip(self._table.rays, self._table.lines, strict=True)):
            basis = echelon(lines)
            for corner in vertices(rays):
                key = (maps[k], *reduced(corner, basis))
                yield k, seen.setdefault(key, k)

    # ---- affine maps --------------------------------------------------------------------------------

    @cached_property
    def _output_forms(self) -> list[list[tuple]]:
        _, steps = pack(self.program)
        return [
            [unpack(data, steps[k].limbs) for data in forms]
            for k, forms in zip(self.program.outputs, self._table.forms, strict=True)
        ]

    @cached_property
    def _maps(self) -> tuple[list[int], list[tuple[Fraction, ...]]]:
        """Per region the number of its map P − Q, and the maps, flattened."""
        scale = [self.program.denominators[k] for k in self.program.outputs]
        common = lcm(*scale)
        numbers: dict[tuple, int] = {}
        of_pair: dict[tuple, int] = {}
        for ids in self._table.outputs:
            if ids not in of_pair:
                parts = [
                    [a * (common // s) for a in forms[i]]
                    for i, forms, s in zip(ids, self._output_forms, scale, strict=False)
                ]
                form = tuple(difference(*parts) if len(parts) == 2 else parts[0])
                of_pair[ids] = numbers.setdefault(form, len(numbers))
        sign = self.program.sign
        maps = [tuple(Fraction(sign * a, common) for a in form) for form in numbers]
        return [of_pair[ids] for ids in self._table.outputs], maps

    def monomials(self) -> list[list[list[list[Fraction]]]]:
        """The distinct pieces (slope…, intercept) of P, and of Q if there is one, per output, in order of slopes."""
        width, sign = self.variables + 1, self.program.sign
        parts = []
        for k, forms in enumerate(self._output_forms):
            outputs = len(forms[0]) // width
            pieces = [{form[width * i : width * (i + 1)] for form in forms} for i in range(outputs)]
            ordered = [sorted(piece, reverse=sign < 0) for piece in pieces]
            parts.append([[self.program.output(k, form) for form in piece] for piece in ordered])
        return parts

    # ---- neighbours and points ----------------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[bytes | tuple[int, ...], int]:
        return {winners: k for k, winners in enumerate(self._table.winners)}

    def facets(self, k: int) -> list[list[tuple[int, int]]]:
        """Per facet of region k the (gate, branch) that equal the winner on it; (−1, i) is bound i of the domain."""
        numbers = np.frombuffer(self._table.facets[k], dtype=np.int32).tolist()
        facets, at = [], 0
        while at < len(numbers):
            end = at + 1 + 2 * numbers[at]
            facets.append(list(zip(numbers[at + 1 : end : 2], numbers[at + 2 : end : 2], strict=True)))
            at = end
        return facets

    @cached_property
    def graph(self) -> nx.Graph:
        """Regions, by number, joined where they share a facet; the edge has the `gates` that switch there.

        Two regions share a facet exactly if the same branches of every gate are largest on it: the points with
        the same largest branches everywhere form one relatively open convex set.
        """
        graph = nx.Graph()
        graph.add_nodes_from(range(len(self)))
        waiting: dict[tuple, tuple[int, list]] = {}
        for k in range(len(self)):
            for facet in self.facets(k):
                if facet[0][0] < 0 and all(gate < 0 for gate, _ in facet):
                    continue
                key = self._facet_key(k, facet)
                if key not in waiting:
                    waiting[key] = k, facet
                else:
                    other, its_facet = waiting.pop(key)
                    gates = sorted({gate for gate, _ in facet + its_facet if gate >= 0})
                    graph.add_edge(other, k, gates=gates)
        return graph

    def _facet_key(self, k: int, facet) -> tuple:
        """The winners of region k, and of the gates with several largest branches on a facet those, as bits."""
        winners = self._table.winners[k]
        largest: dict[int, int] = {}
        for gate, branch in (*self._table.ties[k], *facet):
            if gate >= 0:
                largest[gate] = largest.get(gate, 1 << winners[gate]) | 1 << branch
        common = bytearray(winners) if isinstance(winners, bytes) else list(winners)
        for gate in largest:
            common[gate] = 0
        return self._key(common), tuple(sorted(largest.items()))

    def _key(self, winners: Sequence[int]) -> bytes | tuple[int, ...]:
        return bytes(winners) if isinstance(self._table.winners[0], bytes) else tuple(winners)

    def locate(self, x: ArrayLike) -> np.ndarray:
        """Numbers of the regions whose closures contain the points x, of shape (..., d); −1 outside the domain.

        Exact: floats are taken as dyadic rationals. A point on a boundary gets one of the regions that meet there.
        """
        points = as_points(x, self.variables, EXACT)
        inside = interior_point(self._table.rays[0])
        result = np.empty(points.shape[:-1], dtype=np.int64)
        for index in np.ndindex(*result.shape):
            winners = winners_near(self.program, points[index].tolist(), inside)
            result[index] = -1 if winners is None else self._index.get(self._key(winners), -1)
        return result[()]

    def plot(self, ax=None, *, window=None, kind: str = "activation"):
        """Draw regions of two variables, those of one `kind` in one colour; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure by default; ``ax.figure.savefig(file)`` saves it.
        window : Box or ((low, high), (low, high)), optional
            What to show of either variable; around most vertices by default.
        kind : str
            As for `count`.
        """
        from tropical._region_picture import draw

        return draw(self, window, self.labels(kind), ax)

    def __repr__(self) -> str:
        kind = "" if self.complete else ", incomplete"
        return f"<Regions: {len(self)} activation regions in {self.variables} variables{kind}>"


def _numbered(keys) -> np.ndarray:
    numbers: dict = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)

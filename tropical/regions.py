"""Linear regions of piecewise-linear functions, exactly: enumeration, counts, adjacency, point location."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_points
from tropical._progress import Progress, reporting
from tropical._region import Region
from tropical._region_locate import winners_near
from tropical._region_pack import pack, unpack
from tropical._region_program import Program, compile_program, difference
from tropical._region_search import Search, search_in_parts
from tropical._region_shape import echelon, exact_array, interior_point, reduced, vertices
from tropical._region_table import TOO_MANY_RAYS, Table
from tropical._tables import HasTable
from tropical._workers import Workers
from tropical.circuit import Circuit
from tropical.domain import Domain, Polyhedron
from tropical.errors import BudgetExceeded, InputError
from tropical.polynomial import Polynomial
from tropical.rational import Rational

__all__ = ["Region", "Regions", "budget_error", "linear_regions"]

_KINDS = {"facet": "open", "affine": "maps"}  # other names in use
MAX_RAYS = 4096  # of a cell: pairs of them are compared; csrc/cells.h


def linear_regions(
    f: Circuit | Polynomial | Rational,
    domain: Domain | None = None,
    *,
    max_regions: int = 1_000_000,
    partial: bool = False,
    progress: Progress = None,
    executor: Workers = None,
) -> Regions:
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
        Return what was found when the budget is spent, instead of raising: ``complete`` is False, and ``left_out``
        are the cells that were not looked at. A cell with too many corners is left out, and the others looked at.
    progress : callable or bool, optional
        Called now and then with the number of regions found so far. An exception in it ends the work. True draws a
        bar with tqdm or rich, whichever is installed, else a count.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Searches parts of the domain at once: a pool of threads, which run truly side by side, or of processes, or
        what offers the same, as ``dask.distributed.Client.get_executor()``. The regions are those without one, in
        their order; what a spent budget leaves out can be cut into more cells. A pool that breaks because a worker
        died is replaced by a new one of the callable's, or its work is done in this process, with a RuntimeWarning;
        parts that are done are kept.

    Returns
    -------
    Regions

    Raises
    ------
    BudgetExceeded
        If there are more than `max_regions` regions, or a cell has more than 4096 corners and directions. Its
        ``result`` are the `Regions` found until then.
    InputError
        If a gate is at ε > 0 or the domain has no interior.
    WorkerError
        If the pools that `executor` makes break again and again.

    Notes
    -----
    Gates are taken one after another; each cuts the cells found so far, on which its branches are affine. A cell
    is held by the generators of the cone over it, so a cut is decided by signs of whole numbers on them, and
    parallel, equal or concurrent hyperplanes need no special care. Doubles with a proved error decide almost all of
    these signs, whole numbers the others. Cost: regions × (one pass through the circuit + generators of a cell ×
    gates); the generators of a cell grow like 2^d in d dimensions. The search holds no lock of Python, except where
    it needs whole numbers.

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
    search = Search.of(program, partial)
    with reporting(progress, "regions") as report:
        if executor is None:
            parts = [search.run(max_regions, progress=report)]
        else:
            parts = search_in_parts(search, max_regions, executor, report)
    regions = Regions(program, Table(parts), vector=_is_vector(f))
    if not regions.complete and not partial:
        raise budget_error(regions, max_regions)
    return regions


def budget_error(regions: Regions, limit: int) -> BudgetExceeded:
    """Why regions are not all there, with those that are."""
    if regions._table.parts[-1].reason == TOO_MANY_RAYS:
        return BudgetExceeded(
            "generators of one cell", MAX_RAYS + 1, MAX_RAYS,
            "cells have too many corners in so many variables; look at a Slice, or without a box, or take "
            "partial=True, which leaves such cells out",
            result=regions,
        )  # fmt: skip
    return BudgetExceeded(
        "linear regions", limit + 1, limit,
        "raise max_regions, look at a smaller domain, or take partial=True",
        result=regions,
    )  # fmt: skip


def _is_vector(f) -> bool:
    return isinstance(f.P if isinstance(f, Rational) else f, Circuit)


class Regions(HasTable, Sequence):
    """The linear regions of f: a sequence of `Region`; its order is that of the search.

    Attributes
    ----------
    complete : bool
        Whether they cover the domain; False only with ``partial=True``.
    variables : int
        Dimension of the domain.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> regions = linear_regions((x + 0).affine([[1, 1]]))            # relu(x) + relu(y)
    >>> len(regions), regions.count("maps"), regions.labels("maps").tolist(), regions.complete
    (4, 4, [0, 1, 2, 3], True)
    >>> regions.locate([[1.0, 1.0], [-1.0, 2.0]]).tolist(), len(regions.facets(0)), regions.variables
    ([0, 2], 2, 2)
    >>> regions.graph.number_of_edges(), len(regions.monomials()[0][0]), len(regions.left_out)
    (4, 4, 0)
    >>> ax = regions.plot(kind="maps")
    """

    def __init__(self, program: Program, table: Table, vector: bool):
        self.program, self.complete = program, not table.gaps
        self._table, self._vector = table, vector

    @cached_property
    def left_out(self) -> list[Polyhedron]:
        """The cells that were not looked at, none if `complete`: with the regions they cover the domain, and overlap
        in boundaries only. Some inequalities may follow from others; on a slice they are in its coordinates."""
        return [_polyhedron(self.program.cell(gap), self.variables) for gap in self._table.gaps]

    @property
    def variables(self) -> int:
        """The dimension of the domain."""
        return self.program.variables

    def __len__(self) -> int:
        """How many activation regions there are."""
        return len(self._table.winners)

    def __getitem__(self, k):
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"region {k} of {len(self)}")
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

    def _pieces(self) -> list[list[list[tuple[int, ...]]]]:
        """The distinct pieces of P, and of Q, per output, as whole numbers; see `Program.output`."""
        width = self.variables + 1
        parts = []
        for forms in self._output_forms:
            columns = range(0, len(forms[0]), width) if forms else ()
            pieces = [{form[i : i + width] for form in forms} for i in columns]
            parts.append([sorted(piece, reverse=self.program.sign < 0) for piece in pieces])
        return parts

    def monomials(self) -> list[list[list[list[Fraction]]]]:
        """The distinct pieces (slope…, intercept) of P, and of Q if there is one, per output, in order of slopes."""
        output = self.program.output
        return [
            [[output(k, form) for form in piece] for piece in part] for k, part in enumerate(self._pieces())
        ]

    # ---- neighbours and points ----------------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[bytes | tuple[int, ...], int]:
        return {winners: k for k, winners in enumerate(self._table.winners)}

    def facets(self, k: int) -> list[list[tuple[int, int]]]:
        """Per facet of region k the (gate, branch) that equal the winner on it; (−1, i) is bound i of the domain."""
        return self._table.facets[k]

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
        """Numbers of the regions whose closures contain the points x, of shape (..., d); −1 outside the domain,
        and in what was left out.

        Exact: floats are taken as dyadic rationals. A point on a boundary gets one of the regions that meet there.
        """
        points = as_points(x, self.variables, EXACT)
        result = np.full(points.shape[:-1], -1, dtype=np.int64)
        if not len(self):
            return result[()]
        inside = interior_point(self._table.rays[0])
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

    def _shape(self) -> tuple[int, int]:
        outputs = len(self._maps[1][0]) // (self.variables + 1) if len(self) else 1
        return len(self), 3 + self.variables + outputs * (self.variables + 1)

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        from tropical._notebook import region_columns

        return region_columns(self, first)

    def _html(self) -> str:
        from tropical._notebook import regions_html

        return regions_html(self)

    def __repr__(self) -> str:
        kind = "" if self.complete else ", incomplete"
        return f"<Regions: {len(self)} activation regions in {self.variables} variables{kind}>"


def _polyhedron(forms: list[list[int]], variables: int) -> Polyhedron:
    G = exact_array([[Fraction(-a) for a in form[:-1]] for form in forms], variables)
    return Polyhedron(G, exact_array([Fraction(form[-1]) for form in forms]))


def _numbered(keys) -> np.ndarray:
    numbers: dict = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)

"""Decision regions: where which output of a function of several outputs is the largest, and the boundary between."""

from fractions import Fraction
from functools import cached_property

import networkx as nx
import numpy as np

from tropical._rails import rails, scores
from tropical._region import Region
from tropical._region_program import primitive, whole
from tropical._region_shape import echelon, exact_array, reduced, vertices
from tropical._tables import HasTable
from tropical.circuit import Circuit, soft_max
from tropical.domain import Domain
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import Regions, linear_regions

__all__ = ["DecisionRegions", "decision_regions"]


class DecisionRegions(HasTable):
    """The regions of max_i f_i, each of one class: the first i whose f_i is the largest.

    Attributes
    ----------
    regions : Regions
        Of max_i f_i as a circuit; the last gate compares the outputs.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> decided = decision_regions((x + 0).affine([[1, 1], [0, 0]], [-1, 0]), (-2, 2))
    >>> decided([[1.0, 1.0], [-1.0, -1.0]]).tolist(), decided.components()
    ([0, 1], {0: 1, 1: 1})
    >>> decided.classes.tolist(), decided.boundary.number_of_edges(), len(decided.facets())
    ([0, 1, 0, 1, 0, 1, 1], 3, 3)
    >>> ax = decided.plot(names=["above", "below"])
    """

    def __init__(self, regions: Regions):
        self.regions = regions

    @cached_property
    def classes(self) -> np.ndarray:
        """Per region its class."""
        return np.array(
            [self.regions._table.winners[k][-1] for k in range(len(self.regions))], dtype=np.int64
        )

    def __call__(self, x) -> np.ndarray:
        """Classes at points (..., d), exactly; on the boundary one of those that meet there."""
        return self.classes[self.regions.locate(x)]

    @cached_property
    def boundary(self) -> nx.Graph:
        """The edges of ``regions.graph`` between different classes: each is a facet of the decision boundary."""
        graph, classes = self.regions.graph, self.classes
        return graph.edge_subgraph((a, b) for a, b in graph.edges if classes[a] != classes[b]).copy()

    def facets(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The pieces of the decision boundary as (points (n, d), directions (k, d)) that generate them."""
        return [_common_face(self.regions[a], self.regions[b]) for a, b in self.boundary.edges]

    def components(self) -> dict[int, int]:
        """For each class that occurs, of how many connected open pieces it consists."""
        graph, classes = self.regions.graph, self.classes
        inner = nx.Graph()
        inner.add_nodes_from(graph)
        inner.add_edges_from((a, b) for a, b in graph.edges if classes[a] == classes[b])
        counts: dict[int, int] = {}
        for component in nx.connected_components(inner):
            c = int(classes[min(component)])
            counts[c] = counts.get(c, 0) + 1
        return dict(sorted(counts.items()))

    def plot(self, ax=None, *, window=None, names=None):
        """Draw classes of two variables, each in a colour, with the boundary between them; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure by default; ``ax.figure.savefig(file)`` saves it.
        window : Box or ((low, high), (low, high)), optional
            What to show of either variable; around most vertices by default.
        names : sequence of str, optional
            Of the classes, for the legend; their numbers by default.
        """
        from tropical._decision_picture import draw

        return draw(self, window, names, ax)

    def _shape(self) -> tuple[int, int]:
        rows, columns = self.regions._shape()
        return rows, columns + 1

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        return {"class": self.classes[:first], **self.regions._columns(first)}

    def _html(self) -> str:
        from tropical._notebook import decision_html

        return decision_html(self)

    def __repr__(self) -> str:
        return f"<DecisionRegions: {len(self.components())} classes on {len(self.regions)} regions>"


def decision_regions(
    f: Circuit | Polynomial | Rational, domain: Domain | None = None, **options
) -> DecisionRegions:
    """Where each output of f is the largest: the decision regions of a classifier.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0. With several outputs these are the scores in front of a softmax; one output f has the classes 0,
        where f ≤ 0, and 1, where f > 0, as the score in front of a sigmoid.
    domain : Box, Polyhedron or Slice, optional
    **options
        As for `linear_regions`.

    Notes
    -----
    f_i = P_i − Q_i is the largest where P_i + Σ_{k≠i} Q_k is, which is one more gate of m branches. Outputs that
    are equal on a whole region go to the first.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> relu = x + 0
    >>> two = relu.affine([[1, 1], [0, 0]], [-1, 0])                       # x⁺ + y⁺ − 1 against 0
    >>> decided = decision_regions(two)
    >>> decided([[2, 2], [0.2, 0.2]]).tolist(), decided.components(), len(decided.facets())
    ([0, 1], {0: 1, 1: 1}, 3)
    >>> decision_regions(relu.affine([[1, 1]], [-1]))([[2, 2], [0.2, 0.2]]).tolist()          # the sign of a score
    [1, 0]
    """
    P, Q = (f.P, f.Q) if isinstance(f, Rational) else (f, None)
    if not isinstance(P, Circuit) or P.outputs == 1:
        P, Q = rails(f)
    branches = [Q, P] if P.outputs == 1 else scores(P, Q)
    return DecisionRegions(linear_regions(soft_max(branches), domain, **options))


def _common_face(a: Region, b: Region) -> tuple[np.ndarray, np.ndarray]:
    """What generates both: closures of neighbours meet in a face of each, and its generators are of both.

    Where there are lines, which all regions share, the generators are compared without their parts along these.
    """
    lines = [line[:-1] for line in a._column("lines")]
    basis = echelon(a._column("lines"))
    both = [_generators(region, basis) for region in (a, b)]
    points, rays = ([row for row in first if row in second] for first, second in zip(*both, strict=True))
    away = rays + lines + [[-v for v in line] for line in lines]
    d = a.of.variables
    return exact_array(points, d), exact_array([[Fraction(v) for v in row] for row in away], d)


def _generators(region: Region, basis) -> tuple[list, list]:
    """Points and directions, the latter as whole numbers without a common factor."""
    rays = region._column("rays")
    away = ([Fraction(v) for v in ray[:-1]] for ray in rays if ray[-1] == 0)
    directions = [primitive(whole([reduced(row, basis)])[0][0]) for row in away]
    return [reduced(point, basis) for point in vertices(rays)], directions

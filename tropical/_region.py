"""One linear region: signs, affine map, inequalities, generators, volume; exact, and computed when asked for."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tropical._arrays import EXACT, as_points
from tropical._html import ShowsItself
from tropical._region_program import primitive, value
from tropical._region_shape import exact_array, interior_point, vertices, volume

if TYPE_CHECKING:
    from tropical.regions import Regions

__all__ = ["Region"]


@dataclass(frozen=True)
class Region(ShowsItself):
    """One activation region; its closure is a polyhedron with an interior. Everything is exact.

    Attributes
    ----------
    number : int
        Its place in `Regions`.

    Examples
    --------
    >>> from tropical import Box, linear_regions, variables
    >>> x, y = variables(2)
    >>> region = linear_regions(x + y, Box(0, 2))[0]                  # max(x, y) on a square, where x ≥ y
    >>> region.slope.tolist(), region.winners.tolist(), region.signs.tolist()
    ([Fraction(1, 1), Fraction(0, 1)], [0], [1])
    >>> region.vertices.shape, region.volume, region.is_bounded, len(region.directions)
    ((3, 2), Fraction(2, 1), True, 0)
    >>> region.witness.tolist(), len(region.halfspaces[1])
    ([Fraction(4, 3), Fraction(2, 3)], 3)
    >>> region.intercept
    Fraction(0, 1)
    """

    of: "Regions"
    number: int

    def _column(self, name: str):
        return getattr(self.of._table, name)[self.number]

    @property
    def winners(self) -> np.ndarray:
        """Per gate the branch that is the largest, the first of equal ones."""
        return np.array(list(self._column("winners")), dtype=np.int64)

    @property
    def signs(self) -> np.ndarray:
        """Per gate of two branches 1 where the first is the larger, −1 the second, 0 if equal all over the region.

        For a compiled ReLU that is the sign of its input. Gates of more branches have the number of the winner.
        """
        two = np.array(self.of.program.branches) == 2
        winners = self.winners
        signs = np.where(two, 1 - 2 * winners, winners)
        for gate, _ in self._column("ties"):
            signs[gate] = 0 if two[gate] else signs[gate]
        return signs

    @property
    def _map(self) -> np.ndarray:
        numbers, maps = self.of._maps
        rows = exact_array(maps[numbers[self.number]]).reshape(-1, self.of.variables + 1)
        return rows if self.of._vector else rows[0]

    @property
    def slope(self) -> np.ndarray:
        """Of f here: (m, d), or (d,) for polynomials."""
        return self._map[..., :-1]

    @property
    def intercept(self) -> np.ndarray | Fraction:
        """Of f here: (m,), or a number for polynomials."""
        return self._map[..., -1][()]

    @property
    def vertices(self) -> np.ndarray:
        """(n, d); none if a line lies in the region."""
        corners = [] if self._column("lines") else vertices(self._column("rays"))
        return exact_array(corners, self.of.variables)

    @property
    def directions(self) -> np.ndarray:
        """(k, d) directions in which the region goes to infinity; with the vertices they generate it."""
        lines = [line[:-1] for line in self._column("lines")]
        both = lines + [[-a for a in line] for line in lines]
        rays = [ray[:-1] for ray in self._column("rays") if ray[-1] == 0]
        return exact_array(rays + both, self.of.variables)

    @property
    def witness(self) -> np.ndarray:
        """A rational point of the interior."""
        return exact_array(interior_point(self._column("rays")))

    @property
    def is_bounded(self) -> bool:
        """Whether it does not go to infinity."""
        return not len(self.directions)

    @property
    def volume(self) -> Fraction | float:
        """Exact where the region is bounded, else inf."""
        rays = self._column("rays")
        on = [
            sum(1 << r for r, ray in enumerate(rays) if value(form, ray) == 0) for form in self._facet_forms
        ]
        return volume(rays, self._column("lines"), on)

    @cached_property
    def _facet_forms(self) -> list[list[int]]:
        program, winners = self.of.program, self._column("winners")
        forms = program.forms(winners)
        return [
            program.bounds[k] if gate < 0 else program.constraint(forms, gate, winners[gate], k)
            for (gate, k), *_ in self.of.facets(self.number)
        ]

    @property
    def halfspaces(self) -> tuple[np.ndarray, np.ndarray]:
        """(G, h) with the closure {x : G x ≤ h}, one row a facet, whole numbers without a common factor."""
        rows = [primitive(form) for form in self._facet_forms]
        G = exact_array([[Fraction(-a) for a in row[:-1]] for row in rows], self.of.variables)
        return G, exact_array([Fraction(row[-1]) for row in rows])

    def __contains__(self, x) -> bool:
        """Whether the closure contains the point x."""
        G, h = self.halfspaces
        point = as_points(x, self.of.variables, EXACT)
        return bool((G @ point <= h).all()) if len(G) else True

    def _html(self) -> str:
        from tropical._notebook import region_html

        return region_html(self)

    def __repr__(self) -> str:
        return f"<Region {self.number} of {len(self.of)}: {len(self.of.facets(self.number))} facets>"

"""Largest values of affine functions over a domain: exact, with multipliers that prove them over a polyhedron."""

from fractions import Fraction
from math import inf

import numpy as np

from hjsym.simplification.bend import infinite
from tropical._dominance import Terms
from tropical.domain import Box, Domain, as_domain, as_polyhedron

__all__ = ["Ground"]

ZERO = Fraction(0)
Multipliers = dict[int, Fraction]


class Ground:
    """A box, a polyhedron or all of R^d, over which affine functions {variable: slope} + constant are bounded."""

    def __init__(self, domain: Domain | None, d: int):
        self.domain, self.d = as_domain(domain), d
        self.low, self.high = [-inf] * d, [inf] * d
        self.polyhedron: tuple[np.ndarray, np.ndarray] | None = None
        self.origin: np.ndarray | None = None  # a point of a polyhedron
        if isinstance(self.domain, Box):
            low, high = (bound.tolist() for bound in self.domain.bounds(d))
            self.low, self.high = ([v if abs(v) == inf else Fraction(v) for v in end] for end in (low, high))
        elif (polyhedron := as_polyhedron(self.domain, d)) is not None:
            self.polyhedron = polyhedron
            terms = Terms(*_against_a_constant({}, ZERO, ZERO, d), polyhedron)  # refuses an empty one
            self.origin = np.array(terms.origin, dtype=object)
            for k in range(d):
                self.high[k] = self.upper({k: Fraction(1)}, ZERO)[0]
                self.low[k] = -self.upper({k: Fraction(-1)}, ZERO)[0]

    def upper(self, slopes: dict[int, Fraction], constant: Fraction) -> tuple[Fraction | float, Multipliers]:
        """An upper bound, the least one over a box, and the multipliers that prove it over a polyhedron."""
        if not slopes:
            return constant, {}
        if self.polyhedron is None:
            ends = [(s, (self.high if s > 0 else self.low)[k]) for k, s in slopes.items()]
            if any(infinite(end) for _, end in ends):
                return inf, {}
            return sum((s * end for s, end in ends), constant), {}
        guess = self._guess(slopes)
        if guess is None:
            return inf, {}
        limit = Fraction(guess + 1e-9 * (1 + abs(guess))) + constant
        multipliers = self.proof(slopes, constant, limit)
        return (inf, {}) if multipliers is None else (limit, multipliers)

    def proof(self, slopes: dict[int, Fraction], constant: Fraction, limit: Fraction) -> Multipliers | None:
        """Whether slopes·x + constant ≤ limit on the whole domain: decided exactly, with multipliers of its rows."""
        if self.polyhedron is None:
            return {} if self.upper(slopes, constant)[0] <= limit else None
        W, b = _against_a_constant(slopes, constant, limit, self.d)
        dominated, certificate = Terms(W, b, self.polyhedron).is_dominated(0, [1])
        return certificate.multipliers if dominated else None

    def holds(self, slopes: dict[int, Fraction], constant: Fraction, limit, multipliers: Multipliers) -> bool:
        """Whether the multipliers prove slopes·x + constant ≤ limit, by arithmetic alone."""
        if self.polyhedron is None:
            return self.upper(slopes, constant)[0] <= limit
        G, h = self.polyhedron
        if any(v < 0 for v in multipliers.values()):
            return False
        total = [sum((v * G[k, i] for k, v in multipliers.items()), ZERO) for i in range(self.d)]
        return total == [slopes.get(i, ZERO) for i in range(self.d)] and (
            sum((v * h[k] for k, v in multipliers.items()), constant) <= limit
        )

    def _guess(self, slopes: dict[int, Fraction]) -> float | None:
        """About the largest value of slopes·x, None where it seems to have no bound."""
        from scipy.optimize import linprog  # half of the time to import this package

        c = np.zeros(self.d)
        try:
            c[list(slopes)] = [-float(v) for v in slopes.values()]
            G, h = (np.asarray(a, dtype=float) for a in self.polyhedron)
        except OverflowError:
            return None
        result = linprog(c, G, h, bounds=[(None, None)] * self.d)
        return -result.fun if result.status == 0 else None


def _against_a_constant(slopes, constant, limit, d: int) -> tuple[np.ndarray, np.ndarray]:
    """The terms slopes·x + constant and limit, as rows."""
    W = np.full((2, d), ZERO, dtype=object)
    for k, v in slopes.items():
        W[0, k] = v
    b = np.empty(2, dtype=object)
    b[:] = [constant, limit]
    return W, b

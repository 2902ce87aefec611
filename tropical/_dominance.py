"""Whether an affine function ever rises above the maximum of others: decided exactly, with a certificate.

The term W_j·x + b_j is dominated by the terms i ∈ I over {G x ≤ h} if it is ≤ max_i(W_i·x + b_i) there. By
linear-programming duality either a point shows that it is not, or there are λ, μ ≥ 0 with Σλ_i = 1 and

    Σλ_i W_i + Gᵀμ = W_j,    Σλ_i b_i − μ·h ≥ b_j,

which show that it is. HiGHS looks for the point in floats. A point that it finds is checked in Fractions; otherwise
the simplex method in Fractions looks for (λ, μ), in the order in which HiGHS prefers the terms. What is returned has
been derived without rounding.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tropical.errors import InputError

__all__ = ["Combination", "Terms", "is_dominated"]

ZERO, ONE = Fraction(0), Fraction(1)
Vector = list[Fraction]


@dataclass(frozen=True)
class Combination:
    """Why a term is dominated: W_j = Σλ_i W_i + Gᵀμ and b_j ≤ Σλ_i b_i − μ·h.

    Attributes
    ----------
    weights : dict
        λ_i > 0 by index of the term; they sum to 1.
    multipliers : dict
        μ_k > 0 by row of G.
    """

    weights: dict[int, Fraction]
    multipliers: dict[int, Fraction]


def is_dominated(
    slopes: np.ndarray,
    coefficients: np.ndarray,
    j: int,
    others,
    polyhedron: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[bool, Combination | np.ndarray]:
    """Whether W_j·x + b_j ≤ max_{i ∈ others}(W_i·x + b_i) for all x, or for all x with G x ≤ h.

    Parameters
    ----------
    slopes, coefficients : (N, d) and (N,) arrays of finite Fractions
    j : int
    others : iterable of int
        Indices of the terms that may dominate; j is left out. Without any, nothing is dominated.
    polyhedron : (G, h), optional
        Fractions of shapes (k, d) and (k,). It must not be empty.

    Returns
    -------
    dominated : bool
    certificate : Combination or (d,) array of Fractions
        The multipliers if it is dominated, else a point at which term j exceeds every other.

    Raises
    ------
    InputError
        Where {G x ≤ h} is empty.

    Notes
    -----
    For many questions about the same terms make `Terms` once. One linear program of |others| rows in floats, and,
    unless its point proves the answer, a simplex method in Fractions on d + 1 rows.

    Examples
    --------
    >>> W = np.array([[Fraction(w)] for w in (0, 1, 2)])           # is x − 1 below max(0, 2x)?
    >>> b = np.array([Fraction(0), Fraction(-1), Fraction(0)])
    >>> is_dominated(W, b, 1, [0, 2])[1].weights
    {0: Fraction(1, 2), 2: Fraction(1, 2)}
    >>> is_dominated(W, b, 2, [0, 1])[0]
    False
    """
    return Terms(slopes, coefficients, polyhedron).is_dominated(j, others)


class Terms:
    """Affine functions W_i·x + b_i over R^d or a polyhedron, ready for questions of dominance."""

    unguided = 64  # numbers in a program below which the simplex method in Fractions alone is the faster

    def __init__(self, slopes: np.ndarray, coefficients: np.ndarray, polyhedron=None):
        self.slopes, self.coefficients = slopes.tolist(), coefficients.tolist()
        self.d = slopes.shape[1]
        G, h = polyhedron if polyhedron is not None else (np.zeros((0, self.d), object), np.zeros(0, object))
        self.G, self.h = G.tolist(), h.tolist()
        try:
            self._floats = [np.asarray(a, dtype=float) for a in (slopes, coefficients, G, h)]
        except OverflowError:  # a Fraction beyond the floats: no guess then
            self._floats = None
        self.origin = self._point_inside() if self.h else [ZERO] * self.d
        if self.origin is None:
            raise InputError(
                "the polyhedron {x : G x <= h} is empty, so every term is dominated; pass one with a point"
            )

    def is_dominated(self, j: int, others) -> tuple[bool, Combination | np.ndarray]:
        """As the function `is_dominated`."""
        others = [i for i in others if i != j]
        for i in others:
            if self.slopes[i] == self.slopes[j] and self.coefficients[i] >= self.coefficients[j]:
                return True, Combination({i: ONE}, {})
        if not others:
            return False, np.array(self.origin, dtype=object)
        point, columns = self._guess(j, others)
        if point is not None and self._exceeds(point, j, others):
            return False, np.array(point, dtype=object)
        return self._decide(j, others, columns)

    def slack(self, j: int, combination: Combination) -> Fraction:
        """Σλ_i b_i − μ·h − b_j ≥ 0, by which at least term j stays below the others; 0 proves no gap."""
        above = sum((v * self.coefficients[i] for i, v in combination.weights.items()), ZERO)
        above -= sum((v * self.h[k] for k, v in combination.multipliers.items()), ZERO)
        return above - self.coefficients[j]

    def attains(self, j: int, others) -> bool:
        """Whether a term that others dominate reaches their maximum somewhere: no (λ, μ) has Σλ_i b_i − μ·h > b_j."""
        others = [i for i in others if i != j]
        columns = [[*self.slopes[i], ONE] for i in others] + [[*row, ZERO] for row in self.G]
        gains = [self.coefficients[i] for i in others] + [-c for c in self.h]
        simplex = _Simplex(columns, gains, [*self.slopes[j], ONE])
        simplex.find_feasible()  # it is: the others dominate
        return not simplex.improve(self.coefficients[j], strictly=True)

    def _exceeds(self, x: Vector, j: int, others) -> bool:
        level = _dot(self.slopes[j], x) + self.coefficients[j]
        return all(_dot(row, x) <= c for row, c in zip(self.G, self.h, strict=True)) and all(
            _dot(self.slopes[i], x) + self.coefficients[i] < level for i in others
        )

    def _guess(self, j: int, others) -> tuple[Vector | None, list[int]]:
        """A point at which term j might exceed the others, and the rows of the program, tightest first.

        The program: the largest t ≤ 1 + max|b| such that term j exceeds the others by t, t deep in the polyhedron.
        Row numbers count `others` first, then G.
        """
        from scipy.optimize import linprog  # half of the time to import this package

        rows = list(range(len(others) + len(self.h)))
        if self._floats is None or len(rows) * (self.d + 1) <= self.unguided:
            return None, rows
        W, b, G, h = self._floats
        top = 1.0 + np.abs(b).max()
        depth = np.linalg.norm(G, axis=1)
        A = np.block([[W[others] - W[j], np.ones((len(others), 1))], [G, depth[:, None]]])
        c = np.concatenate([b[j] - b[others], h])
        if not (np.isfinite(A).all() and np.isfinite(c).all() and np.isfinite(top)):
            return None, rows
        result = linprog(
            np.append(np.zeros(self.d), -1.0), A, c, bounds=[(None, None)] * self.d + [(None, top)]
        )
        if result.x is None or result.status != 0:
            return None, rows
        order = np.lexsort((result.slack, result.ineqlin.marginals)).tolist()
        return ([Fraction(v) for v in result.x[:-1].tolist()] if result.x[-1] > 0 else None), order

    def _decide(self, j: int, others, order: list[int]) -> tuple[bool, Combination | np.ndarray]:
        n = len(others)
        columns = [[*self.slopes[i], ONE] for i in others] + [[*row, ZERO] for row in self.G]
        gains = [self.coefficients[i] for i in others] + [-c for c in self.h]
        simplex = _Simplex([columns[k] for k in order], [gains[k] for k in order], [*self.slopes[j], ONE])
        if not simplex.find_feasible():
            # y·(W_i, 1) ≥ 0, y·(G_k, 0) ≥ 0 and y·(W_j, 1) < 0: along −y the term j outgrows the others.
            ray = [-v for v in simplex.prices[:-1]]
            return False, np.array(self._far_along(ray, j, others), dtype=object)
        if simplex.improve(self.coefficients[j]):
            used = dict(sorted((order[k], v) for k, v in simplex.solution().items() if v))
            return True, Combination(
                {others[k]: v for k, v in used.items() if k < n},
                {k - n: v for k, v in used.items() if k >= n},
            )
        # At the optimum b_i + W_i·x ≤ y_{d+1} < b_j + W_j·x and G x ≤ h, for x = −(y_1 … y_d).
        return False, np.array([-v for v in simplex.prices[:-1]], dtype=object)

    def _far_along(self, ray: Vector, j: int, others) -> Vector:
        """origin + s·ray with s so large that term j exceeds the others."""
        start, s = self.origin, ZERO
        for i in others:
            slope = [a - b for a, b in zip(self.slopes[j], self.slopes[i], strict=True)]
            gap = _dot(slope, start) + self.coefficients[j] - self.coefficients[i]
            s = max(s, ONE - gap / _dot(slope, ray))
        return [a + s * b for a, b in zip(start, ray, strict=True)]

    def _point_inside(self) -> Vector | None:
        """A point with G x ≤ h, or None. Asks whether the constant 0 is dominated by the constant −1."""
        columns = [[ZERO] * self.d + [ONE]] + [[*row, ZERO] for row in self.G]
        simplex = _Simplex(columns, [-ONE] + [-c for c in self.h], [ZERO] * self.d + [ONE])
        simplex.find_feasible()  # λ = 1, μ = 0 is
        return None if simplex.improve(ZERO) else [-v for v in simplex.prices[:-1]]


class _Simplex:
    """max g·λ with Σλ_k a_k = r, λ ≥ 0, by the revised simplex method in Fractions with Bland's rule, which ends.

    Columns n, n+1, … are artificial units that make a first basis. `prices` are the multipliers y of the rows:
    no column has g_k > y·a_k at the optimum.
    """

    def __init__(self, columns: list[Vector], gains: Vector, right: Vector):
        m, self.n = len(right), len(columns)
        signs = [ONE if v >= 0 else -ONE for v in right]
        unit = [[s if i == k else ZERO for i in range(m)] for k, s in enumerate(signs)]
        self.columns, self.gains = columns + unit, gains
        self.basis = list(range(self.n, self.n + m))
        self.inverse = unit  # of the basis: a diagonal of signs is its own inverse
        self.values = [abs(v) for v in right]
        self.prices: Vector = []

    def find_feasible(self) -> bool:
        """Whether some λ ≥ 0 meets the equations; stands at one afterwards, else `prices` proves there is none."""
        costs = [ZERO] * self.n + [-ONE] * len(self.basis)
        if not self._climb(costs, ZERO):
            return False
        for row, k in enumerate(self.basis):
            if k >= self.n:  # at value 0: any column that meets its row takes its place
                self._exchange_out(row)
        return True

    def improve(self, target: Fraction, *, strictly: bool = False) -> bool:
        """Whether the maximum reaches `target`, or passes it; stops as soon as it does."""
        return self._climb(self.gains + [ZERO] * len(self.basis), target, strictly)

    def solution(self) -> dict[int, Fraction]:
        return dict(zip(self.basis, self.values, strict=True))

    def _climb(self, gains: Vector, target: Fraction, strictly: bool = False) -> bool:
        while True:
            used = [gains[k] for k in self.basis]
            value = _dot(used, self.values)
            if value > target or (value == target and not strictly):
                return True
            self.prices = [_dot(used, column) for column in zip(*self.inverse, strict=True)]
            entering = next((k for k in range(self.n) if gains[k] > _dot(self.prices, self.columns[k])), None)
            if entering is None:
                return False
            change = self._in_basis(entering)
            ratios = [
                (v / u, k, row)
                for row, (v, u, k) in enumerate(zip(self.values, change, self.basis, strict=True))
                if u > 0
            ]
            if not ratios:
                return self._follow_ray(entering, change, gains, target)
            self._pivot(min(ratios)[2], entering, change)

    def _follow_ray(self, entering: int, change: Vector, gains: Vector, target: Fraction) -> bool:
        """Without a bound: goes far enough along the ray to reach the target, as one more basic value."""
        rate = gains[entering] - _dot([gains[k] for k in self.basis], change)
        step = (target - _dot([gains[k] for k in self.basis], self.values)) / rate
        self.values = [v - step * u for v, u in zip(self.values, change, strict=True)] + [step]
        self.basis = [*self.basis, entering]
        return True

    def _in_basis(self, k: int) -> Vector:
        return [_dot(row, self.columns[k]) for row in self.inverse]

    def _exchange_out(self, row: int) -> None:
        for k in range(self.n):
            if k not in self.basis and _dot(self.inverse[row], self.columns[k]):
                self._pivot(row, k, self._in_basis(k))
                return

    def _pivot(self, row: int, entering: int, change: Vector) -> None:
        pivot = change[row]
        lead, value = [v / pivot for v in self.inverse[row]], self.values[row] / pivot
        for i, u in enumerate(change):
            if i == row:
                self.inverse[i], self.values[i] = lead, value
            elif u:
                self.inverse[i] = [a - u * b for a, b in zip(self.inverse[i], lead, strict=True)]
                self.values[i] -= u * value
        self.basis[row] = entering


def _dot(a: Vector, b: Vector) -> Fraction:
    return sum((u * v for u, v in zip(a, b, strict=True) if u and v), ZERO)

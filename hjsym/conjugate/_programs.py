"""Linear programs min c·λ with Aλ = r, λ ≥ 0, whose answers are proved: HiGHS proposes, rational arithmetic decides.

1. HiGHS solves the program in floats. The columns that it uses are a basis; their λ are proved to be ≥ 0, in floats
   with a bound on the rounding or else in Fractions, so the program has a point.
2. The prices x of a basis give c·λ ≥ r·x − (what they exceed the costs by), so value and bound enclose the optimum.
   In Fractions no price may exceed a cost.
3. Where HiGHS says that there is no point, a plane that separates r from the cone of the columns is found and proved
in
   floats with a bound on the rounding.
4. What none of these proves is decided by the simplex method in Fractions.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from hjsym.conjugate._exact import UNIT, is_surely_positive, solve_exactly
from tropical._arrays import EXACT, convert
from tropical._dominance import _Simplex

__all__ = ["Optimum", "Program"]


@dataclass(frozen=True)
class Optimum:
    """An optimal λ (few of its entries positive) with prices x, both as floats or both as Fractions.

    Attributes
    ----------
    used : (k,) int array
    weights : (k,) array
        λ at `used`, positive and 0 elsewhere.
    prices : (m,) array
        r·x is the optimal value, c − Aᵀx ≥ 0.
    """

    used: np.ndarray
    weights: np.ndarray
    prices: np.ndarray


class Program:
    """min c·λ with Aλ = r, λ ≥ 0 for one A (m, n) and c (n,), and many r; bounded below for every r."""

    def __init__(self, A: np.ndarray, c: np.ndarray):
        self.A, self.c = A, c
        with np.errstate(over="ignore"):
            self._A, self._c = A.astype(float), c.astype(float)
        self._floats_are_finite = bool(np.isfinite(self._A).all() and np.isfinite(self._c).all())

    def solve(self, r: np.ndarray, exact: bool) -> Optimum | None:
        """None if there is no point; in Fractions if `exact`."""
        guess = self._guess(r)
        if guess is not None:
            basis, prices = guess
            found = self._at_basis(basis, r, prices, exact)
            if found is not None:
                return found
        elif self._is_separated(r):
            return None
        return self._in_fractions(r, self._order(guess), exact)

    def _order(self, guess) -> list[int]:
        """Columns in the order in which they are likely to be used."""
        if guess is None:
            return list(range(len(self._c)))
        used, prices = guess
        excess = self._c - prices @ self._A
        excess[used] = -np.inf
        return np.argsort(excess, kind="stable").tolist()

    def _guess(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The columns that HiGHS uses, the largest first, and its prices."""
        from scipy.optimize import linprog  # half of the time to import this package

        target = r.astype(float)
        if not (self._floats_are_finite and np.isfinite(target).all()):
            return None
        result = linprog(self._c, A_eq=self._A, b_eq=target, method="highs-ds")
        if result.status != 0 or result.x is None:
            return None
        used = np.flatnonzero(result.x > 0)
        return used[np.argsort(-result.x[used])], result.eqlin.marginals

    def _at_basis(self, basis: np.ndarray, r: np.ndarray, prices: np.ndarray, exact: bool) -> Optimum | None:
        if len(basis) > len(r):
            return None
        if not exact and len(basis) == len(r):
            weights = is_surely_positive(self._A[:, basis], r.astype(float))
            if weights is not None:
                return Optimum(basis, weights, prices)
        weights = solve_exactly(self.A[:, basis], r)
        if weights is None or (weights < 0).any():
            return None
        if not exact:
            return Optimum(basis, weights.astype(float), prices)
        if len(basis) < len(r):
            return None
        prices = solve_exactly(self.A[:, basis].T, self.c[basis])
        if prices is None or (prices @ convert(self.A, EXACT) > convert(self.c, EXACT)).any():
            return None
        return Optimum(basis, weights, prices)

    def _is_separated(self, r: np.ndarray) -> bool:
        """Whether some v has v·A ≤ 0 and v·r > 0, proved: λ ≥ 0 cannot give r then."""
        from scipy.optimize import linprog

        target = r.astype(float)
        if not (self._floats_are_finite and np.isfinite(target).all()):
            return False
        m = len(target)
        result = linprog(-target, A_ub=self._A.T, b_ub=np.zeros(self._A.shape[1]), bounds=[(-1, 1)] * m)
        if result.x is None:
            return False
        v = result.x
        slack = (2 * m + 8) * UNIT
        above = (v @ self._A + slack * (np.abs(v) @ np.abs(self._A))).max(initial=0.0)
        gain = v @ target - slack * (np.abs(v) @ np.abs(target))
        # v may be off by `above` at some column; a last row of ones in A makes up for that.
        lift = v.copy()
        if (self._A[-1] == 1).all():
            lift[-1] -= above
            gain = lift @ target - slack * (np.abs(lift) @ np.abs(target))
            above = 0.0
        return bool(gain > 0 and above <= 0)

    def _in_fractions(self, r: np.ndarray, order: list[int], exact: bool) -> Optimum | None:
        columns, gains = convert(self.A, EXACT).T.tolist(), (-convert(self.c, EXACT)).tolist()
        simplex = _Simplex(
            [columns[k] for k in order], [gains[k] for k in order], [Fraction(v) for v in r.tolist()]
        )
        if not simplex.find_feasible():
            return None
        simplex.improve(inf)
        found = {order[k]: v for k, v in simplex.solution().items() if v and k < len(order)}
        used = np.array(sorted(found), dtype=int)
        weights = np.array([*(found[k] for k in used.tolist()), None], dtype=object)[:-1]
        prices = np.array([*(-v for v in simplex.prices), None], dtype=object)[:-1]
        return (
            Optimum(used, weights, prices)
            if exact
            else Optimum(used, weights.astype(float), prices.astype(float))
        )

"""Mixed-integer linear models whose bounds are proved: HiGHS proposes multipliers, and any multipliers give a bound.

For x with Ax ≤ b (or = b) and l ≤ x ≤ u, and y that is ≥ 0 at the inequalities,

    c·x ≤ y·b + Σ_j max(r_j l_j, r_j u_j),   r = c − Aᵀy.

Nothing about y has to be trusted: what the solver left undone in r is paid for with the bounds of the variables, of
which each has two. Roundings are counted, those of the sums as well as those of A, whose entries may be off by
a relative 2⁻⁵¹, and of b, which has an error bound of its own.

Source: A. Neumaier, O. Shcherbina, "Safe bounds in linear and mixed-integer linear programming", Mathematical
Programming 99 (2004), section 2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from tropical.errors import InputError

__all__ = ["LinearModel", "Relaxed"]

_UNIT = 2.0**-52
_TINY = 2.0**-900


@dataclass(frozen=True)
class Relaxed:
    """A proved upper bound of c·x, and the point where the solver has it, None if it has none."""

    bound: float
    x: np.ndarray | None


class LinearModel:
    """Variables with two finite bounds, some of them 0 or 1, and rows; both are added in batches.

    Attributes
    ----------
    low, high : (n,) arrays
        Bounds of the variables; they may be tightened in place.
    binary : (n,) array of bool
    """

    def __init__(self):
        self.low, self.high, self.binary = np.zeros(0), np.zeros(0), np.zeros(0, bool)
        self._entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._sides: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._rows = 0

    @property
    def size(self) -> int:
        return len(self.low)

    @property
    def rows(self) -> int:
        return self._rows

    def add(self, low, high, binary: bool = False) -> np.ndarray:
        """Numbers of new variables."""
        first, low, high = self.size, np.atleast_1d(low), np.atleast_1d(high)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise InputError(
                "bounds of some values are beyond the floats; scale the weights or shrink the domain"
            )
        self.low, self.high = np.append(self.low, low), np.append(self.high, high)
        self.binary = np.append(self.binary, np.full(len(low), binary))
        self.__dict__.pop("_matrix", None)
        return np.arange(first, self.size)

    def require(self, rows, columns, entries, sides, errors=0.0, *, equal: bool = True) -> None:
        """Rows Σ entries · x = sides, or ≤; `rows` count from 0, and a side is off by its error at most."""
        sides = np.atleast_1d(np.asarray(sides, float))
        self._entries.append((np.asarray(rows) + self._rows, columns, np.asarray(entries, float)))
        self._sides.append((sides, np.broadcast_to(errors, sides.shape), np.full(len(sides), equal)))
        self._rows += len(sides)
        self.__dict__.pop("_matrix", None)

    @cached_property
    def _matrix(self) -> tuple[sparse.csr_array, np.ndarray, np.ndarray, np.ndarray]:
        """A, b, the errors of b, and which rows are equations; those come first."""
        empty = [np.zeros(0)] * 3
        rows, columns, entries = (np.concatenate(v) for v in zip(*self._entries, empty, strict=True))
        sides, errors, equal = (np.concatenate(v) for v in zip(*self._sides, empty, strict=True))
        A = sparse.csr_array((entries, (rows.astype(int), columns.astype(int))), (self._rows, self.size))
        order = np.argsort(equal == 0, kind="stable")
        return A[order], sides[order], errors[order], equal[order] == 1

    # ---- relaxations --------------------------------------------------------------------------------

    def relaxed(self, c: np.ndarray, low=None, high=None) -> Relaxed:
        """The largest c·x for x in narrower bounds where those are given, without 0 or 1 being demanded.

        Where the rows contradict each other and that is proved, the bound is −∞.
        """
        low, high = (self.low if low is None else low), (self.high if high is None else high)
        A, b, _, equal = self._matrix
        found = self._solve(-c, A, b, equal, low, high)
        if found.status == 2 and self._is_empty(low, high):
            return Relaxed(-np.inf, None)
        if found.status != 0:
            return Relaxed(self._bound(c, np.zeros(len(b)), low, high), None)
        return Relaxed(self._bound(c, self._multipliers(found), low, high), found.x)

    @staticmethod
    def _solve(c, A, b, equal, low, high) -> OptimizeResult:
        k = np.count_nonzero(equal)
        return linprog(c, A[k:], b[k:], A[:k], b[:k], np.column_stack([low, high]), method="highs")

    @staticmethod
    def _multipliers(found: OptimizeResult) -> np.ndarray:
        return -np.concatenate([found.eqlin.marginals, np.minimum(found.ineqlin.marginals, 0)])

    def _is_empty(self, low, high) -> bool:
        """Whether no x is within all rows, proved by multipliers that bound 0·x below 0."""
        A, b, _, equal = self._matrix
        eye = sparse.eye_array(len(b), format="csr")
        excess = sparse.hstack([A, -eye, eye[:, : np.count_nonzero(equal)]], format="csr")
        extra = excess.shape[1] - self.size
        cost = np.append(np.zeros(self.size), np.ones(extra))
        found = self._solve(
            cost, excess, b, equal, np.append(low, np.zeros(extra)), np.append(high, np.full(extra, np.inf))
        )
        if found.status != 0:
            return False
        return self._bound(np.zeros(self.size), self._multipliers(found), low, high) < 0

    def _bound(self, c, y, low, high) -> float:
        """The bound at the head of this file, rounded upwards."""
        A, b, errors, _ = self._matrix
        size, used = abs(y), np.bincount(A.indices, minlength=self.size)
        r = c - A.T @ y
        doubt = (used + 12) * _UNIT * (abs(c) + abs(A).T @ size)
        widest = np.maximum(abs(low), abs(high))
        parts = np.concatenate([y * b, np.maximum(r * low, r * high)])
        paid = np.concatenate([size * (errors + 4 * _UNIT * abs(b)), doubt * widest])
        total = float(parts.sum() + paid.sum())
        rounding = (len(parts) + 8) * _UNIT * float(abs(parts).sum() + paid.sum())
        bound = total + rounding + _TINY * (1 + float(size.sum())) * (1 + float(widest.sum()))
        return bound if np.isfinite(bound) else np.inf

    # ---- with 0 or 1 --------------------------------------------------------------------------------

    def solve(self, c: np.ndarray, seconds: float, gap: float) -> tuple[np.ndarray | None, float]:
        """The point x that HiGHS finds for the largest c·x, and its bound; neither is proved."""
        A, b, _, equal = self._matrix
        rows = LinearConstraint(A, np.where(equal, b, -np.inf), b)
        options = {"time_limit": max(seconds, 0.01), "mip_rel_gap": gap}
        found = milp(
            -c,
            integrality=self.binary.astype(int),
            bounds=Bounds(self.low, self.high),
            constraints=rows,
            options=options,
        )
        bound = getattr(found, "mip_dual_bound", None)
        return found.x, np.inf if bound is None else -bound

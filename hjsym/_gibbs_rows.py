"""What points see of N atoms: largest terms, Gibbs weights, entropy, gap and leave-one-out losses, in blocks of points.

A block holds its terms z = W·x + b and weights π, some megabytes or four rows of N, whatever the number of points.
The terms come from a matrix product, the weights from the compiled core; nothing else is of size N but passes over
these two.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from tropical import Semiring
from tropical._workers import Workers, in_order
from tropical.errors import InputError

__all__ = ["GibbsRows"]

_TOGETHER = 1 << 18  # terms of a block: two megabytes, which stay in the cache
_FEWEST = 4  # points in a block all the same, since each block reads all slopes
_PARTS = 32  # for an executor
_SHORT = 1024  # atoms up to which whole rows are partitioned
_RUN = 64  # atoms of which only the largest term is looked at first
_VANISHING = 1e-280  # a sum of weights that has lost some to underflow


@dataclass(frozen=True, eq=False)
class GibbsRows:
    """Atoms with all that is summed over them.

    Attributes
    ----------
    slopes, offsets : (N, d) and (N,) arrays
    semiring : Semiring
    averaged : (N,) array
        What E_π is taken of.
    codes : (N,) array of int or None
        The class of each atom, from 0 to `classes` − 1.
    """

    slopes: np.ndarray
    offsets: np.ndarray
    semiring: Semiring
    averaged: np.ndarray
    codes: np.ndarray | None = None
    classes: int = 0

    def summary(
        self,
        points: np.ndarray,
        top: int,
        progress: Callable[[int], object] | None = None,
        executor: Workers = None,
    ) -> dict[str, np.ndarray]:
        """Of points (B, d): value, entropy, gap, mean (B,), index, weight, loss (B, top), mass (B, classes)."""
        size = max(_FEWEST, _TOGETHER // len(self.offsets))
        if executor is not None:
            size *= -(-len(points) // (size * _PARTS))
        parts = [points[k : k + size] for k in range(0, len(points), size)] or [points]
        results, done = [], 0
        with closing(in_order(self._part, [(part, top) for part in parts], executor)) as found:
            for part, result in zip(parts, found, strict=True):
                results.append(result)
                done += len(part)
                if progress is not None:
                    progress(done)
        return {name: np.concatenate([part[name] for part in results]) for name in results[0]}

    def _part(self, points: np.ndarray, top: int) -> dict[str, np.ndarray]:
        size = max(_FEWEST, _TOGETHER // len(self.offsets))
        blocks = [self._block(points[k : k + size], top) for k in range(0, max(1, len(points)), size)]
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}

    def _block(self, x: np.ndarray, top: int) -> dict[str, np.ndarray]:
        eps, rows = self.semiring.eps, np.arange(len(x))
        with np.errstate(over="ignore", invalid="ignore"):
            z = x @ self.slopes.T
            z += self.offsets
            if z.size and not np.isfinite(z.max() - z.min()):
                raise InputError(
                    "terms W·x + b overflow at these points; scale the points or the slopes down"
                )
        order = largest(z, min(len(self.offsets), max(top, 2)))
        first = order[:, 0]
        highest = z[rows, first]
        weights = self.semiring.weights(z)
        mean = weights @ self.averaged
        mass = self._mass(weights)
        weight = weights[rows[:, None], order[:, :top]]
        weights[rows, first] = 0.0
        others = weights.sum(axis=1)
        below = np.subtract(highest[:, None], z, out=z)
        spread = np.einsum("ij,ij->i", weights, below)
        surprise = _surprise(weight[:, 0], others)
        gap = self._gap(x, order)
        return {
            "value": highest + eps * surprise,
            "entropy": surprise + spread / eps if eps else np.zeros(len(x)),
            "gap": gap,
            "mean": mean,
            "mass": mass,
            "index": order[:, :top],
            "weight": weight,
            "loss": self._losses(weight, gap, surprise, others, weights, below, order),
        }

    def _mass(self, weights: np.ndarray) -> np.ndarray:
        """Σ π over the atoms of each class, (B, classes)."""
        if self.codes is None:
            return np.zeros((len(weights), 0))
        sums = [np.bincount(self.codes, row, self.classes) for row in weights]
        return np.array(sums).reshape(len(weights), self.classes)

    def _gap(self, x: np.ndarray, order: np.ndarray) -> np.ndarray:
        """z_1 − z_2 from the differences of slopes and offsets, which do not round as large terms do."""
        if order.shape[1] < 2:
            return np.full(len(x), np.inf)
        first, second = order[:, 0], order[:, 1]
        steps = ((self.slopes[first] - self.slopes[second]) * x).sum(axis=1)
        return np.maximum(steps + (self.offsets[first] - self.offsets[second]), 0)

    def _losses(self, weight, gap, surprise, others, weights, below, order) -> np.ndarray:
        """−ε log(1 − π) of the largest terms; of a dominant one through the log-sum-exp of the rest."""
        eps = self.semiring.eps
        if not eps:
            loss = np.zeros(weight.shape)
            loss[:, 0] = gap
            return loss
        with np.errstate(divide="ignore"):
            loss = -eps * np.log1p(-weight)
        dominant = np.flatnonzero(weight[:, 0] > 0.5)
        if order.shape[1] > 1 and len(dominant):
            second = np.take_along_axis(weights, order[:, 1:2], axis=1)[:, 0]
            share = second[dominant] / np.maximum(others[dominant], _VANISHING)
            for place in np.flatnonzero(others[dominant] < _VANISHING):
                share[place] = self._runner_up(below[dominant[place]], *order[dominant[place], :2])
            loss[dominant, 0] = _winner_loss(eps, gap[dominant], surprise[dominant], share)
        return loss

    def _runner_up(self, below: np.ndarray, first: int, second: int) -> float:
        """The weight of the second term among all but the first."""
        rest = -below
        rest[first] = -np.inf
        return self.semiring.weights(rest)[second]


def _winner_loss(eps: float, gap, surprise, share):
    """f − f₋₁ = (f − z_1) + (z_1 − z_2) − (f₋₁ − z_2) for a term of weight above ½, which does not cancel.

    `surprise` is −log π_1 and `share` the weight of the second term when the first is gone.
    """
    return gap + eps * (surprise + np.log(share))


def _surprise(weight: np.ndarray, others: np.ndarray) -> np.ndarray:
    """−log π_1, from π_1 or from the sum of the others, whichever is not near 1."""
    rare = others < 0.5
    return np.where(rare, -np.log1p(-np.where(rare, others, 0.0)), -np.log(weight))


def largest(z: np.ndarray, k: int) -> np.ndarray:
    """Places of the k largest of each row, largest first and the first of equal ones first, (rows, k)."""
    n = z.shape[1]
    if n <= _SHORT or k > n // (4 * _RUN):
        if k == n:
            return np.argsort(-z, axis=1, kind="stable")
        places = np.sort(np.argpartition(z, n - k, axis=1)[:, n - k :], axis=1)
        found = np.take_along_axis(z, places, axis=1)
        places = np.take_along_axis(places, np.argsort(-found, axis=1, kind="stable"), axis=1)
        least = found.min(axis=1)
        for row in np.flatnonzero((z >= least[:, None]).sum(axis=1) > k):
            places[row] = _largest_of(z[row], least[row], k)
        return places
    runs = z[:, : n // _RUN * _RUN].reshape(len(z), -1, _RUN).max(axis=2)
    bounds = np.partition(runs, runs.shape[1] - k, axis=1)[:, runs.shape[1] - k]
    return np.array([_largest_of(row, bound, k) for row, bound in zip(z, bounds, strict=True)]).reshape(-1, k)


def _largest_of(row: np.ndarray, bound: float, k: int) -> np.ndarray:
    """Of a row of which at least k are not below the bound."""
    places = np.flatnonzero(row >= bound)
    return places[np.argsort(-row[places], kind="stable")[:k]]

"""The Perron root of e^{A/ε} and its eigenvector, in the logarithmic domain, with bounds.

A is scaled by a diagonal similarity, E_ij = e^{(A_ij + x_j − x_i − s)/ε}. For every x the row sums of E enclose
its spectral radius (Collatz and Wielandt), and they are equal exactly if x is ε times the logarithm of the
Perron vector. The iteration starts from the max-plus potentials, for which E ≤ 1 with ones along a cycle, and
takes Noda's steps: solve (r I − E) y = 1, r the largest row sum, and add ε log y to x. These converge
quadratically. As E is built anew from A each time, entries that underflow come back once x brings them up.

References: T. Noda, "Note on the computation of the maximal eigenvalue of a non-negative irreducible matrix",
Numer. Math. 17 (1971), 382–386; L. Collatz, Math. Z. 48 (1942), 221–226.
"""

import numpy as np

from tropical._cycles import policy_iteration, strong_components
from tropical.errors import InputError

__all__ = ["class_roots", "perron"]

_ROUNDS = 100  # five to ten are usual
_PATIENCE = 10  # rounds without better bounds
_WIDE = 1e-6  # relative width of bounds that is no answer
_ULP = 2.0**-53


def class_roots(A: np.ndarray, eps: float) -> list[tuple[np.ndarray, float, float, np.ndarray]]:
    """Nodes, bounds of ε log ρ and log-eigenvector of each strongly connected component that has a cycle."""
    found = []
    for nodes in strong_components(-np.inf < A):
        found.append((nodes, *perron(A[np.ix_(nodes, nodes)], eps)))
    return found


def perron(A: np.ndarray, eps: float) -> tuple[float, float, np.ndarray]:
    """low ≤ ε log ρ(e^{A/ε}) ≤ high, and ε log of the right eigenvector, for a strongly connected A."""
    if len(A) == 1:
        return float(A[0, 0]), float(A[0, 0]), np.zeros(1)
    with np.errstate(all="ignore"):  # underflow is meant; infinities are looked for
        x, cycle = policy_iteration(A)
        shift = A[cycle, np.roll(cycle, -1)].sum() / len(cycle)
        low, high, error = _max_plus_bounds(A, eps, x)
        if high - low <= 8 * error:
            return low, high, x
        done, *result = _iterate(A, eps, shift, x)
        if not done:  # weak links decide: follow the eigenvector down from a temperature at which they do not
            spread = max(eps, -(A + x - x[:, None])[-np.inf < A].min() - abs(shift))
            stages = 2 + min(200, int(np.log2(spread) - np.log2(eps)))
            for warmth in np.geomspace(spread, eps, stages):
                done, *result = _iterate(A, warmth, shift, x)
                x = result[-1]
    low, high, _ = result
    if not high - low <= _WIDE * max(eps, abs(low), abs(high)):
        raise InputError(
            f"the spectral radius of e^(A/eps) at eps = {eps:g} was only enclosed: eps log of it lies in "
            f"[{low:.17g}, {high:.17g}]; take a larger eps, or eps = 0"
        )
    return tuple(result)


def _max_plus_bounds(A: np.ndarray, eps: float, x: np.ndarray) -> tuple[float, float, float]:
    """Bounds of ε log ρ that do without exponentials, and their rounding; close together if ε is tiny."""
    nodes, best = np.arange(len(A)), (A + x).argmax(axis=1)
    terms = A[nodes, best], x[best], -x
    sums = terms[0] + (terms[1] + terms[2])
    error = 4 * _ULP * sum(map(np.abs, terms)).max()
    return sums.min() - error, sums.max() + eps * np.log(len(A)) + error, error


def _iterate(A: np.ndarray, eps: float, shift: float, x: np.ndarray) -> tuple[bool, float, float, np.ndarray]:
    """Noda's steps from x; whether the bounds met, the best of them, and their x."""
    best, stale = (False, -np.inf, np.inf, x), 0
    for _ in range(_ROUNDS):
        E = A + x
        E -= x[:, None]
        E -= shift
        E /= eps
        np.exp(E, out=E)
        sums = E.sum(axis=1)
        error = _error_of_sums(A, x, shift, eps, E, sums)
        low = shift + eps * np.log(sums.min()) - error
        high = shift + eps * np.log(sums.max()) + error
        stale = 0 if high - low < best[2] - best[1] else stale + 1
        best = best if stale else (high - low <= 4 * error, low, high, x)
        if best[0] or stale > _PATIENCE:
            break
        x = x + eps * np.log(_step(E, sums))
        x -= x.max()
    return best


def _error_of_sums(A, x, shift: float, eps: float, E, sums) -> float:
    """Bound on |error| of shift + ε log(row sums): each exponent has a few roundings, the sum n more."""
    sizes = np.abs(A) + np.abs(x)
    sizes += np.abs(x)[:, None] + abs(shift)
    terms = np.multiply(E, sizes, where=E > 0, out=np.zeros_like(E)).sum(axis=1) / sums
    return 4 * _ULP * (terms.max() + abs(shift) + eps * (len(A) + abs(np.log(sums)).max()))


def _step(E: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """A positive vector nearer to the Perron vector of E than 1 is."""
    top = sums.max()
    try:
        y = np.linalg.solve(top * np.eye(len(E)) - E, np.ones(len(E)))
        y /= y.max()
    except np.linalg.LinAlgError:  # top is the root to the last bit
        y = np.zeros(len(E))
    usable = np.isfinite(y).all() and y.min() > 0
    return y if usable else (sums + top) / top  # else a step of the power method for E + top · I

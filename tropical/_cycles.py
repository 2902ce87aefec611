"""Best cycles of a weighted graph, decided in exact arithmetic.

Policy iteration in floats (Cochet-Terrasson, Cohen, Gaubert, Mc Gettrick, Quadrat, 1998) proposes for each
strongly connected component a cycle, its mean λ and potentials v. Both are then put to the proof:

1.  With R_ij = W_ij + v_j − v_i − λ, the sum of R along a cycle is its length times (its mean − λ). If R ≤ τ
    everywhere, an arc of a cycle whose mean reaches λ has R ≥ −(n − 1) τ. With bounds for all rounding this
    leaves few arcs, and no best cycle is lost.
2.  On these arcs the weights are taken as they are, as integers times one unit. Bellman and Ford's iteration
    finds potentials for λ, or a better cycle; in that case λ becomes its mean, and the iteration starts again.
3.  An arc lies on a best cycle exactly if it is tight for the potentials and within a strongly connected
    component of the tight arcs.

So λ is a rational number, and the critical arcs are those of the matrix as given, not of a rounded one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tropical._arrays import is_exact

__all__ = [
    "Critical",
    "as_integers",
    "best_cycles",
    "best_from",
    "policy_iteration",
    "strong_components",
    "within_range",
]

# Weights of arcs (rows, columns) as integers and their unit.
Exact = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Fraction]]

_ROUNDS = 200  # of policy iteration, which takes about ten; what it leaves undone, step 2 does
_ULP = 2.0**-53


@dataclass(frozen=True)
class Critical:
    """The best cycles of one strongly connected component."""

    nodes: np.ndarray  # of the component
    mean: Fraction
    cycle: list[int]  # one best cycle, its first node not repeated
    arcs: np.ndarray  # (k, 2): all arcs of best cycles


def best_cycles(W: np.ndarray) -> list[Critical]:
    """Largest cycle mean and critical arcs of each strongly connected component that has a cycle.

    W holds floats or Fractions, −∞ where there is no arc.
    """
    W, factor = within_range(W)
    rounded = W.astype(np.float64)
    found = []
    for nodes in strong_components(-np.inf < W):
        block = rounded[np.ix_(nodes, nodes)]
        with np.errstate(all="ignore"):  # overflow makes a bad guess
            guess = policy_iteration(block)
        mean, cycle, arcs = best_from(block, lambda i, j, at=nodes: as_integers(W[at[i], at[j]]), *guess)
        found.append(Critical(nodes, mean * factor, nodes[cycle].tolist(), nodes[arcs]))
    return found


def within_range(W: np.ndarray) -> tuple[np.ndarray, Fraction]:
    """Fractions that float64 can hold, and the factor taken out."""
    if not is_exact(W):
        return W, Fraction(1)
    top = max((abs(w) for w in W.flat if w != -np.inf), default=Fraction(0))
    shift = int(top.numerator).bit_length() - int(top.denominator).bit_length() - 1000
    factor = Fraction(2) ** max(0, shift)
    return np.array([w if w == -np.inf else w / factor for w in W.flat] + [None])[:-1].reshape(
        W.shape
    ), factor


def strong_components(arcs: np.ndarray) -> list[np.ndarray]:
    """Nodes of each strongly connected component that has an arc, from a boolean matrix."""
    n = len(arcs)
    if not n:
        return []
    count, label = connected_components(csr_array(arcs), directed=True, connection="strong")
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(1, count))
    return [nodes for nodes in np.split(order, starts) if len(nodes) > 1 or arcs[nodes[0], nodes[0]]]


# ---- 1. floats -----------------------------------------------------------------------------------------------


def policy_iteration(W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Potentials v and a cycle with max_j (W_ij + v_j) = λ + v_i up to rounding; W is strongly connected."""
    n = len(W)
    nodes = np.arange(n)
    choice = W.argmax(axis=1)
    slack = 8 * _ULP * np.abs(W, where=-np.inf < W, out=np.zeros_like(W)).max()
    for _ in range(_ROUNDS):
        mean, value, cycle = _evaluate(choice, W[nodes, choice])
        if mean.min() < mean.max():  # first let every node reach the best cycle it can
            reach = np.where(-np.inf < W, mean, -np.inf)
            best = reach.argmax(axis=1)
            gain = reach[nodes, best] > mean
        else:
            through = W + value
            best = through.argmax(axis=1)
            gain = through[nodes, best] > value + mean + slack + 8 * _ULP * np.abs(value)
        if not gain.any():
            break
        choice = np.where(gain, best, choice)
    return value, cycle


def _evaluate(choice: np.ndarray, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For one arc out of each node: the mean of the cycle that a node runs into, its value, the best cycle."""
    n = len(choice)
    roots, means, cycles = [], [], _cycles_of(choice)
    for cycle in cycles:
        roots.append(cycle[0])
        means.append(gain[cycle].sum() / len(cycle))
    step = choice.copy()
    step[roots] = roots  # a root absorbs, so doubling the steps ends in roots
    ends = _repeat(step)
    mean_at = np.empty(n)
    mean_at[roots] = means
    mean = mean_at[ends]
    value = gain - mean
    value[roots] = 0.0
    for _ in range(n.bit_length()):
        value = value + value[step]
        step = step[step]
    return mean, value, cycles[int(np.argmax(means))]


def _repeat(step: np.ndarray) -> np.ndarray:
    for _ in range(len(step).bit_length()):
        step = step[step]
    return step


def _cycles_of(step: np.ndarray) -> list[np.ndarray]:
    """The cycles of a map of nodes into nodes."""
    cycles, seen = [], set()
    for node in np.unique(_repeat(step)).tolist():
        if node not in seen:
            cycles.append(np.array(_cycle_through(step, node)))
            seen.update(cycles[-1].tolist())
    return cycles


def _candidates(W: np.ndarray, value: np.ndarray, mean: Fraction) -> np.ndarray:
    """Every arc of a cycle whose mean is at least `mean`, and few others (step 1 above)."""
    n, rate = len(W), float(mean)
    R = W + value
    R -= value[:, None]
    R -= rate
    sizes = np.abs(W) + np.abs(value)
    sizes += np.abs(value)[:, None] + abs(rate)
    error = 8 * _ULP * sizes + 2.0**-1070  # also of W, if its entries were rounded
    arcs = -np.inf < W
    excess = np.maximum(0.0, (R + error)[arcs].max())
    lowest = -1.01 * n * (excess + 2 * _ULP * abs(rate) + 2.0**-1070)
    return arcs & ~(R + error < lowest)  # an overflow gives NaN, which stays


# ---- 2. integers ---------------------------------------------------------------------------------------------


def as_integers(values: np.ndarray) -> tuple[np.ndarray, Fraction]:
    """Integers K and a unit with values = K · unit exactly; int64 below 2^62, else Python integers."""
    if is_exact(values):
        ratios = [(int(v.numerator), int(v.denominator)) for v in values.flat]  # Fractions may hold np.int64
        scale = math.lcm(*{denominator for _, denominator in ratios})
        K = [numerator * (scale // denominator) for numerator, denominator in ratios]
        dtype = np.int64 if max(map(abs, K), default=0) < 2**62 else object
        return np.array(K, dtype=dtype).reshape(values.shape), Fraction(1, scale)
    mantissa, top = np.frexp(values.astype(np.float64))
    K = np.ldexp(mantissa, 53).astype(np.int64)
    used = K != 0
    zeros = np.where(used, np.frexp((K & -K).astype(np.float64))[1] - 1, 0)  # K & −K is the lowest bit set
    K, exponent = K >> zeros, top - 53 + zeros  # odd times a power of two
    low = int(exponent[used].min()) if used.any() else 0
    shift = np.where(used, exponent - low, 0)
    if int((top[used] - low).max(initial=0)) >= 62:
        K, shift = K.astype(object), shift.astype(object)
    return K << shift, Fraction(2) ** low


def best_from(
    W: np.ndarray, exact: Exact, value: np.ndarray, cycle: np.ndarray
) -> tuple[Fraction, np.ndarray, np.ndarray]:
    """The largest cycle mean, a cycle that has it, and all arcs (k, 2) of such cycles: steps 1 to 3 above.

    W holds floats, each rounded once from what `exact` gives; value and cycle are a guess, the better the faster.
    """
    n, after = len(W), np.roll(cycle, -1)
    K, unit = exact(cycle, after)
    with np.errstate(all="ignore"):  # overflow costs time, not truth
        kept = _candidates(W, value, _total(K) * unit / len(K))
    rows, columns = _on_cycles(n, *np.nonzero(kept))
    K, unit = exact(rows, columns)
    chosen = np.searchsorted(rows * n + columns, cycle * n + after)
    while chosen is not None:
        length, total = len(chosen), _total(K[chosen])
        excess = _excess(K, length, total, n)
        u, better = _potentials(n, rows, columns, excess)
        cycle, chosen = rows[chosen], better
    tight = excess + u[columns] == u[rows]
    arcs = np.stack(_on_cycles(n, rows[tight], columns[tight]), axis=1)
    return total * unit / length, cycle, arcs


def _total(K: np.ndarray) -> int:
    return sum(K.tolist())


def _excess(K: np.ndarray, length: int, total: int, n: int) -> np.ndarray:
    """length · (K − mean), in Python integers where sums over paths could leave int64."""
    largest = max(abs(int(K.max())), abs(int(K.min())))
    if 2 * n * n * largest >= 2**62:
        K = K.astype(object)
    return length * K - total


def _on_cycles(n: int, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the arcs that lie on a cycle."""
    graph = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(n, n))
    _, label = connected_components(graph, directed=True, connection="strong")
    inside = label[rows] == label[columns]
    return rows[inside], columns[inside]


def _potentials(n: int, rows: np.ndarray, columns: np.ndarray, W: np.ndarray):
    """u with W_a + u_column ≤ u_row on each arc a, and None; or the arcs of a cycle of positive weight.

    Rows are sorted. A node points along the arc that raised it last; pointers close up only along a cycle of
    positive weight, and do so within n rounds if there is one.
    """
    tails, starts = np.unique(rows, return_index=True)
    sizes = np.diff(np.append(starts, len(rows)))
    u = np.zeros(n, W.dtype)
    step, by = np.arange(n), np.full(n, -1)
    while True:
        through = W + u[columns]
        best = np.maximum.reduceat(through, starts)
        raised = best > u[tails]
        if not raised.any():
            return u, None
        attaining = np.flatnonzero(through == np.repeat(best, sizes))
        first = attaining[np.unique(rows[attaining], return_index=True)[1]][raised]
        moved = tails[raised]
        u[moved], step[moved], by[moved] = best[raised], columns[first], first
        ends = _repeat(step)
        ends = ends[by[ends] >= 0]
        if len(ends):
            return u, by[_cycle_through(step, int(ends[0]))]


def _cycle_through(step: np.ndarray, node: int) -> list[int]:
    cycle = [node]
    while step[cycle[-1]] != node:
        cycle.append(int(step[cycle[-1]]))
    return cycle

"""Removes the monomials of a polynomial that are nowhere the largest alone, exactly and with a reason for each."""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from tropical._arrays import EXACT, convert
from tropical._cells import best_of_slopes
from tropical._convex_hull import MAX_BOUND, convex_hull, facet_bound
from tropical._dominance import Combination, Terms
from tropical._lattice import Planes, as_floats
from tropical._regular import locate, regular_triangulation
from tropical.domain import as_polyhedron
from tropical.errors import InputError
from tropical.subdivision import Subdivision, refuse_infinite, subdivision

__all__ = ["Pruning", "Removal", "essential", "hull_is_cheap", "prune"]

_CHEAP = (
    2 * 10**6
)  # facets that a hull in more than three variables may have to be preferred to linear programs


@dataclass(frozen=True)
class Removal:
    """Why a monomial was removed.

    Attributes
    ----------
    reason : str
        "zero": its coefficient is the semiring's zero. "duplicate": a kept monomial has the same slope and a
        coefficient at least as good. "dominated": it attains p(x) nowhere (in the domain). "tied": it attains p(x)
        somewhere, but only together with kept ones; this one is merely attained, not essential.
    combination : Combination or None
        The proof, in terms of kept monomials i: `weights` λ_i > 0 of sum 1, and `multipliers` μ_k > 0 of rows of the
        domain G x ≤ h, with Σλ_i s w_i + Gᵀμ = s w_j and Σλ_i s b_i − μ·h ≥ s b_j, s the sign of the semiring.
        None for "zero".

    Examples
    --------
    >>> from tropical import Polynomial
    >>> removal = Polynomial([0, 1, 2], [0, -1, 0]).prune(return_report=True)[1].removed[1]
    >>> removal.reason, removal.combination.weights                 # x − 1 below the mean of 0 and 2x
    ('dominated', {0: Fraction(1, 2), 2: Fraction(1, 2)})
    """

    reason: str
    combination: Combination | None = None


@dataclass(frozen=True, eq=False)
class Pruning:
    """What `prune` did.

    Attributes
    ----------
    kept : tuple of int
        The monomials that stay, ascending.
    removed : dict of int to Removal
    witnesses : dict of int to (d,) array of Fractions
        For each kept monomial a point (of the domain) at which it is better than every other kept one.

    Examples
    --------
    >>> from tropical import Polynomial
    >>> pruned, report = Polynomial([0, 1, 2], [0, -1, 0]).prune(return_report=True)
    >>> report.kept, report.removed[1].reason, report.witnesses[0].tolist()
    ((0, 2), 'dominated', [Fraction(-1, 1)])
    """

    kept: tuple[int, ...]
    removed: dict[int, Removal] = field(repr=False)
    witnesses: dict[int, np.ndarray] = field(repr=False)


def prune(polynomial, domain=None, *, return_report: bool = False):
    """The polynomial without the monomials that are nowhere the best alone; the same function (on the domain).

    Parameters
    ----------
    polynomial : Polynomial
        At ε = 0.
    domain : Box or Polyhedron, optional
        All of R^d by default. Pairs (low, high) and (G, h) stand for these. It may have no interior. Floats are
        taken as the dyadic rationals that they are.
    return_report : bool
        Also return a `Pruning`: the reason with a proof for each removed monomial, a witness for each kept one.

    Returns
    -------
    Polynomial
        With the fewest monomials, in their order. Of equal slopes the best coefficient stays, the first of several.
    Pruning
        If asked for.

    Raises
    ------
    InputError
        ε > 0; infinite coefficients that are not the semiring's zero; an empty domain; NaN.
    ShapeError
        A domain that does not fit.

    Notes
    -----
    Nothing rounds. Over R^d a monomial stays if and only if (w_j, b_j) is a vertex of the upper hull. Where the
    Newton polytope has at most 3 dimensions, or few points, the hull is built (see `subdivision`). Elsewhere, and
    over domains, linear programs ask whether a monomial is dominated by those already known to stay, and a point
    that says no gives one more of them: N programs with as many rows as monomials stay, each answer proved in
    Fractions.

    References
    ----------
    K. L. Clarkson, "More output-sensitive geometric algorithms", FOCS 1994.

    Examples
    --------
    >>> from tropical import Box, Polynomial
    >>> p = Polynomial([[1, 0], [0, 1], [2, 2], [1, 1], [2, 0], [0, 2]], [0, 0, 0, 0, 0, 0])
    >>> q, report = prune(p, return_report=True)
    >>> print(q)
    x1 ⊕ x2 ⊕ x1^2 x2^2 ⊕ x1^2 ⊕ x2^2
    >>> report.removed[3].reason, report.removed[3].combination.weights
    ('tied', {0: Fraction(1, 3), 1: Fraction(1, 3), 2: Fraction(1, 3)})
    >>> print(prune(p, Box(1, 2)))                               # on the square 1 ≤ x1, x2 ≤ 2
    x1^2 x2^2
    """
    p = polynomial
    if not p.semiring.is_tropical:
        raise InputError(
            f"prune needs eps = 0, got {p.semiring.eps:g}: every monomial adds to a log-sum-exp; use merge() for equal "
            "slopes, truncate(tol) to drop small ones with a bound, or deform(0)"
        )
    refuse_infinite(p)
    known = _decide(p, as_polyhedron(domain, p.variables), return_report)
    kept = sorted(known.kept)
    pruned = type(p)(p.slopes[kept], p.coefficients[kept], p.semiring)
    return (pruned, known.report(kept)) if return_report else pruned


def essential(polynomial) -> list[int]:
    """The monomials that `prune` keeps over R^d, ascending, for finite coefficients and ε = 0."""
    return sorted(_decide(polynomial, None, False).kept)


def hull_is_cheap(p) -> bool:
    """Whether the upper hull answers sooner than linear programs."""
    polytope = p.newton_polytope()
    bound = facet_bound(len(polytope.points), polytope.dim + 1)
    return bound <= (MAX_BOUND if polytope.dim <= 3 else _CHEAP)


def _decide(p, polyhedron, report: bool) -> "_Known":
    known = _Known(p)
    if len(known.rows):
        if hull_is_cheap(p) and (polyhedron is None or p.newton_polytope().dim == p.variables):
            _by_hull(known, subdivision(p), report)
        if known.kept is None or polyhedron is not None:
            _by_programs(known, polyhedron, report)
    else:
        known.kept = set()
    return known


class _Known:
    """What is known of the monomials: which stay (None: nothing yet), and why others go."""

    def __init__(self, p):
        self.p, self.sign = p, p.semiring.sign
        finite = p.coefficients != p.semiring.zero
        self.rows = np.flatnonzero(finite)
        self.removed = {int(j): Removal("zero") for j in np.flatnonzero(~finite)}
        self.kept: set[int] | None = None
        self.witnesses: dict[int, np.ndarray] = {}

    def candidates(self) -> tuple[list[int], set[int]]:
        """What may stay, and what goes because a monomial of equal slope is as good."""
        if self.kept is not None:
            return sorted(self.kept), set()
        best = best_of_slopes(self.p.slopes[self.rows], self.sign * self.p.coefficients[self.rows])
        some = self.rows[best == np.arange(len(best))]
        return some.tolist(), set(np.setdiff1d(self.rows, some).tolist())

    def report(self, kept: list[int]) -> Pruning:
        return Pruning(tuple(kept), dict(sorted(self.removed.items())), {j: self.witnesses[j] for j in kept})

    def same_slope(self, j: int, combination: Combination) -> bool:
        """Whether the combination is one monomial of the slope of j."""
        if len(combination.weights) != 1 or combination.multipliers:
            return False
        (i,) = combination.weights
        return bool((self.p.slopes[i] == self.p.slopes[j]).all())


# ---- by the upper hull -------------------------------------------------------------------------------


def _by_hull(known: _Known, s: Subdivision, report: bool) -> None:
    known.kept = set(s.essential)
    if not report:
        return
    gone = np.setdiff1d(known.rows, s.essential)
    attained = {j for cell in s.cells for j in cell}
    for j, weights in zip(gone.tolist(), _barycentric(s, gone), strict=True):
        combination = Combination(weights, {})
        reason = "tied" if j in attained else "dominated"
        known.removed[j] = Removal("duplicate" if known.same_slope(j, combination) else reason, combination)
    known.witnesses.update(_hull_witnesses(s))


def _barycentric(s: Subdivision, gone: np.ndarray) -> list[dict[int, Fraction]]:
    """Each of some monomials as a convex combination of vertices of a cell above or around it."""
    essential = np.array(s.essential)
    if s.dim == 0:
        return [{int(essential[0]): Fraction(1)} for _ in gone]
    vertices, points = np.searchsorted(s.kept, essential), np.searchsorted(s.kept, gone)
    base, lifted = s.polytope.base, s.lifted
    # Cells with more points are cut again, so that their corners are vertices.
    some = base.take(vertices)
    simplices, outer = convex_hull(some)
    t = regular_triangulation(
        lifted.take(vertices), some, np.unique(simplices), outer, s.polytope.scaled_volume
    )
    at = locate(base, vertices[t.simplices], t.planes, t.neighbours, points)
    corners = vertices[t.simplices[at]]
    each = np.arange(len(points))
    weights = []
    for k in range(corners.shape[1]):
        walls = Planes.through(base, np.delete(corners, k, axis=1))
        weights.append((walls.values(base, points, each), walls.values(base, corners[:, k], each)))
    return [
        {
            int(s.kept[corners[m, k]]): Fraction(int(part[m]), int(whole[m]))
            for k, (part, whole) in enumerate(weights)
            if part[m]
        }
        for m in each.tolist()
    ]


def _hull_witnesses(s: Subdivision) -> dict[int, np.ndarray]:
    """A point inside the region of each essential monomial: the mean of its vertices, moved along all of its rays."""
    exact = s.exact_vertices
    around, rays = defaultdict(list), defaultdict(set)
    for cell, corners in enumerate(s.cell_vertices):
        for j in corners:
            around[j].append(cell)
    for ridge in s.ridges:
        if len(ridge.cells) == 1:
            for j in ridge.vertices:
                rays[j].add(ridge.direction)
    witnesses = {}
    for j in s.essential:
        mean = exact[around[j]].sum(axis=0) / len(around[j])
        witnesses[j] = mean + sum((convert(np.array(ray), EXACT) for ray in rays[j]), start=0)
    return witnesses


# ---- by linear programs ------------------------------------------------------------------------------


def _by_programs(known: _Known, polyhedron, report: bool) -> None:
    """Over a polyhedron or in many dimensions; what a hull has already removed stays removed."""
    p, sign = known.p, known.sign
    candidates, gone = known.candidates()
    terms = Terms(convert(sign * p.slopes, EXACT), _finite(sign * p.coefficients), polyhedron)
    best = _Best(terms, candidates)
    stays: set[int] = set()
    witnesses: dict[int, np.ndarray] = {}

    def drop(j: int) -> None:
        gone.add(j)
        best.drop(j)

    def settle(j: int) -> None:
        """Either what stays dominates j, or one monomial more is known to stay."""
        dominated, proof = terms.is_dominated(j, sorted(stays))
        if dominated:
            drop(j)
            return
        top = best.at(proof)
        for i in top:
            if len(top) > 1:  # several attain the maximum there: the first with a point of its own
                dominated, proof = terms.is_dominated(i, [k for k in candidates if k not in gone])
            if not dominated:
                stays.add(i)
                witnesses[i] = proof
                return
            drop(i)

    for j in candidates:
        while j not in stays and j not in gone:
            settle(j)
    known.kept, known.witnesses = stays, witnesses
    if report:
        _prove(known, terms, gone)


def _prove(known: _Known, terms: Terms, gone: set[int]) -> None:
    """Combinations of what stays for all that is gone, those that went by the hull included."""
    stays = sorted(known.kept)
    proofs = {j: terms.is_dominated(j, stays)[1] for j in sorted(gone)}
    earlier = {j: r.combination for j, r in known.removed.items() if r.combination is not None}
    proofs.update({j: _substituted(c, proofs) for j, c in earlier.items()})
    for j, combination in proofs.items():
        attained = not terms.slack(j, combination) and terms.attains(j, stays)
        reason = "tied" if attained else "dominated"
        known.removed[j] = Removal("duplicate" if known.same_slope(j, combination) else reason, combination)


def _substituted(combination: Combination, proofs: dict[int, Combination]) -> Combination:
    """With monomials that are gone replaced by their own combinations."""
    weights, multipliers = defaultdict(Fraction), defaultdict(Fraction)
    for i, share in combination.weights.items():
        part = proofs.get(i, Combination({i: Fraction(1)}, {}))
        for k, v in part.weights.items():
            weights[k] += share * v
        for k, v in part.multipliers.items():
            multipliers[k] += share * v
    return Combination(dict(sorted(weights.items())), dict(sorted(multipliers.items())))


def _finite(coefficients: np.ndarray) -> np.ndarray:
    """In Fractions, with 0 for those of dropped monomials, which nobody asks about."""
    out = convert(coefficients, EXACT)
    return np.array([v if isinstance(v, Fraction) else Fraction(0) for v in out] + [None], dtype=object)[:-1]


class _Best:
    """The monomials that attain the maximum of the candidates at a point: floats sort out most, Fractions decide."""

    def __init__(self, terms: Terms, candidates: list[int]):
        self.terms = terms
        self.candidates = np.array(candidates)
        self.alive = np.ones(len(candidates), bool)
        self.slopes = _to_floats([terms.slopes[j] for j in candidates], terms.d)
        self.coefficients = _to_floats([[terms.coefficients[j]] for j in candidates], 1)[:, 0]

    def drop(self, j: int) -> None:
        self.alive[np.searchsorted(self.candidates, j)] = False

    def at(self, x: np.ndarray) -> list[int]:
        floats = _to_floats([x.tolist()], len(x))[0]
        value = self.slopes @ floats + self.coefficients
        size = np.abs(self.slopes) @ np.abs(floats) + np.abs(self.coefficients)
        bound = (2 * len(x) + 16) * (2.0**-53 * size + 2.0**-1074)
        low = np.where(self.alive, value - bound, -np.inf)
        lowest = np.max(low, initial=-np.inf, where=~np.isnan(low))
        near = self.candidates[self.alive & ~(value + bound < lowest)].tolist()
        point = x.tolist()
        exact = [
            sum((w * v for w, v in zip(self.terms.slopes[j], point, strict=True)), self.terms.coefficients[j])
            for j in near
        ]
        largest = max(exact)
        return [j for j, v in zip(near, exact, strict=True) if v == largest]


def _to_floats(rows: list[list[Fraction]], width: int) -> np.ndarray:
    """Within one rounding, or NaN, which decides nothing, near underflow and beyond the floats."""
    exact = np.array(rows, dtype=object).reshape(len(rows), width)
    floats = as_floats(exact)
    floats[(np.abs(floats) < 2.0**-1000) & (exact != 0)] = np.nan
    return floats

"""The point of a polytope that is nearest to the origin, in rational arithmetic."""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["dot", "nearest_in_hull"]

Vector = Sequence[Fraction]


def dot(a: Vector, b: Vector) -> Fraction:
    return sum((u * v for u, v in zip(a, b, strict=True)), Fraction(0))


def nearest_in_hull(points: Sequence[Vector]) -> list[Fraction]:
    """argmin ‖y‖₂ over the convex hull of the points, without rounding.

    Keeps affinely independent points of which y is the nearest mean with positive weights; a point on the near side
    of the plane through y across y joins them, and those whose weights fall to 0 leave. y gets shorter with each
    round, so there are finitely many.

    Source: P. Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11 (1976).
    """
    chosen = [min(points, key=lambda p: dot(p, p))]
    weights = [Fraction(1)]
    nearest = list(chosen[0])
    while True:
        entering = min(points, key=lambda p: dot(p, nearest))
        if dot(entering, nearest) >= dot(nearest, nearest):
            return nearest
        chosen.append(entering)
        weights.append(Fraction(0))
        while True:
            target = _weights_of_nearest(chosen)
            if all(t > 0 for t in target):
                weights = target
                break
            step = min(w / (w - t) for w, t in zip(weights, target, strict=True) if t <= 0)
            weights = [w + step * (t - w) for w, t in zip(weights, target, strict=True)]
            kept = [k for k, w in enumerate(weights) if w > 0]
            chosen, weights = [chosen[k] for k in kept], [weights[k] for k in kept]
        nearest = [dot(weights, column) for column in zip(*chosen, strict=True)]


def _weights_of_nearest(points: Sequence[Vector]) -> list[Fraction]:
    """Weights of sum 1 of the point nearest to the origin in the affine hull of independent points."""
    n = len(points)
    system = [[Fraction(0)] + [Fraction(1)] * (n + 1)]
    system += [[Fraction(1), *(dot(p, q) for q in points), Fraction(0)] for p in points]
    for k in range(n + 1):
        pivot = next(r for r in range(k, n + 1) if system[r][k])
        system[k], system[pivot] = system[pivot], system[k]
        system[k] = [a / system[k][k] for a in system[k]]
        for r in range(n + 1):
            if r != k and system[r][k]:
                factor = system[r][k]
                system[r] = [a - factor * b for a, b in zip(system[r], system[k], strict=True)]
    return [row[-1] for row in system[1:]]

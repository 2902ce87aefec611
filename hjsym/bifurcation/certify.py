"""Proofs of how many critical points there are in a box, by ball arithmetic and Krawczyk's test.

A box is cleared where the natural gradient n = X − x keeps to one side or its mean value form misses 0; it has exactly
one zero where the Krawczyk operator maps it into its interior; else it is halved.

Source: R. Krawczyk, Computing 4, 1969; A. Neumaier, "Interval methods for systems of equations", 1990, section 5.1.
"""

from dataclasses import dataclass

import numpy as np

from hjsym.bifurcation.critical import as_region, critical_points
from hjsym.bifurcation.landscape import as_eps
from hjsym.bifurcation.natural_balls import NaturalGradientBalls, import_flint
from tropical import Box
from tropical._display import summary
from tropical._html import card
from tropical._progress import Progress, reporting
from tropical._tables import HasTable, coordinates

__all__ = ["Certificate", "certify"]

_PRECISION = 80
_FINEST = 1e-9  # of the scale of x: smaller boxes are left undecided


@dataclass(frozen=True, eq=False)
class Certificate(HasTable):
    """What is proved about the critical points in a region.

    Attributes
    ----------
    eps : float
    low, high : (d,) arrays
        The region.
    enclosures : (k, 2, d) array
        Boxes (low, high), each with exactly one critical point, which lies in the region.
    indices : (k,) array
        Their Morse indices, proved; −1 where the sign could not be decided.
    undecided : (m, 2, d) array
        Boxes about which nothing is proved; there are no other critical points than in these and the enclosures.
    boxes : int
        How many boxes were looked at.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> proof = certify(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), 0.2)
    >>> proof.count, proof.indices.tolist(), len(proof.undecided), proof.enclosures.shape
    (3, [1, 0, 1], 0, (3, 2, 1))
    """

    eps: float
    low: np.ndarray
    high: np.ndarray
    enclosures: np.ndarray
    indices: np.ndarray
    undecided: np.ndarray
    boxes: int

    def _shape(self) -> tuple[int, int]:
        return len(self.enclosures), 1 + 2 * len(self.low)

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        boxes = self.enclosures[:first]
        sides = {**coordinates("low_x", boxes[:, 0]), **coordinates("high_x", boxes[:, 1])}
        return {"index": self.indices[:first], **sides}

    def _html(self) -> str:
        what = (
            f"undecided in {len(self.undecided):,} boxes" if self.count is None else "and no others, proved"
        )
        title = f"Certificate: {len(self.enclosures)} critical points at ε = {self.eps:g}, {what}"
        return card(title, self._first_rows())

    __repr__ = summary

    @property
    def count(self) -> int | None:
        """The number of critical points, or None if that is not decided."""
        return None if len(self.undecided) else len(self.enclosures)


def certify(
    source, eps: float, domain=None, *, max_boxes: int = 100_000, progress: Progress = None
) -> Certificate:
    """Prove the number of critical points of H(π(x; ε)) in a region, or say where it is undecided.

    Parameters
    ----------
    source, eps, domain
        As for `critical_points`; floats are taken as the numbers they are. Without a domain the proof is for the whole
        line or plane.
    max_boxes : int
        How many boxes to look at; what is left then is undecided.
    progress : callable or bool, optional
        Called with the number of boxes looked at; True draws a bar.

    Raises
    ------
    InputError
        If python-flint is not installed, and as `critical_points` does.
    BudgetExceeded
        More than 5,000 simplices (32 atoms in the plane, 100 on the line).

    Notes
    -----
    A critical point on the boundary of the region, or one at a fold, stays undecided. A box takes about a
    millisecond or a few for 16 atoms in the plane. On the line some hundred suffice; in the plane many are needed in
    the cold, on the scale ε/|W| of jumps, and on the whole plane along ridges that reach far out: pass a box there.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> proof = certify(EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7]), 0.5)
    >>> proof.count, proof.indices.tolist()
    (5, [1, 0, 1, 0, 1])
    """
    eps = as_eps(eps)
    flint = import_flint()
    H, low, high = as_region(source, domain, eps)
    precision, flint.ctx.prec = flint.ctx.prec, _PRECISION
    try:
        field = NaturalGradientBalls(H, eps)
        if domain is None or getattr(domain, "within", domain) is None:
            low, high = field.hull(low, high)
        with reporting(progress, "boxes") as report:
            return _Proof(field, low, high, max_boxes, report).run(critical_points(H, eps, Box(low, high)).x)
    finally:
        flint.ctx.prec = precision


class _Proof:
    """A region, the boxes with one zero, and those that are still open."""

    def __init__(
        self, field: NaturalGradientBalls, low: np.ndarray, high: np.ndarray, max_boxes: int, report
    ):
        self.field, self.low, self.high = field, low, high
        self.max_boxes, self.report, self.boxes = max_boxes, report, 0
        self.unique: list[
            tuple[np.ndarray, np.ndarray]
        ] = []  # boxes with one zero each, as large as could be
        self.enclosures: list[tuple[np.ndarray, np.ndarray]] = []  # of the same zeros, as small as could be

    def _look(self, low: np.ndarray, high: np.ndarray):
        self.boxes += 1
        if self.report is not None and self.boxes % 100 == 0:
            self.report(self.boxes)
        return self.field.look(low, high)

    def run(self, guesses: np.ndarray) -> Certificate:
        for guess in guesses:
            self._around(guess)
        undecided = self._cover()
        inside = []
        for low, high in self.enclosures:
            if (low > self.low).all() and (high < self.high).all():
                inside.append((low, high))
            elif not ((high < self.low) | (low > self.high)).any():
                undecided.append((low, high))  # on the boundary
        inside.sort(key=lambda box: tuple(box[0]))
        d = self.field.d
        indices = np.array([self.field.index(*box) for box in inside], dtype=int)
        return Certificate(
            self.field.eps, self.low, self.high, np.array(inside).reshape(-1, 2, d), indices,
            np.array(undecided).reshape(-1, 2, d), self.boxes,
        )  # fmt: skip

    def _around(self, guess: np.ndarray) -> None:
        """The largest box around a zero known in floats in which it is proved to be the only one."""
        radius = 4 * self.field.blur
        while radius > 1e-12 * self.field.scale:
            low, high = guess - radius, guess + radius
            verdict, smaller = self._look(low, high)
            if verdict == "one" and self._add(low, high, *smaller):
                return
            radius /= 2

    def _add(self, low, high, inner_low, inner_high) -> bool:
        """Enter the zero of a box, unless it is a known one; False where that cannot be told."""
        for _ in range(60):
            verdict, smaller = self._look(inner_low, inner_high)
            if verdict != "one" or (smaller[1] - smaller[0] > 0.99 * (inner_high - inner_low)).all():
                break
            inner_low, inner_high = smaller
        least, most = (
            np.minimum(low, inner_low),
            np.maximum(high, inner_high),
        )  # a ball is a little larger than its box
        for a, b in self.enclosures:
            if (low <= a).all() and (b <= high).all():
                return True  # that zero is in this box, which has but one
            if not ((most < a) | (least > b)).any():
                return False
        self.unique.append((low, high))
        self.enclosures.append((inner_low, inner_high))
        return True

    def _cover(self) -> list:
        """Halve the region until each part is empty or within a box with one zero; what is left."""
        parts, undecided = [(self.low, self.high)], []
        while parts:
            if self.boxes >= self.max_boxes:
                return undecided + parts
            low, high = parts.pop()
            if any((low >= a).all() and (high <= b).all() for a, b in self.unique):
                continue
            verdict, smaller = self._look(low, high)
            if verdict == "empty":
                continue
            if verdict == "one" and self._add(low, high, *smaller):
                continue
            k = int((high - low).argmax())
            if high[k] - low[k] < _FINEST * self.field.scale:
                undecided.append((low, high))
                continue
            cut = low[k] + 0.49 * (high[k] - low[k])
            left, right = high.copy(), low.copy()
            left[k] = right[k] = cut
            parts += [(low, left), (right, high)]
        return undecided

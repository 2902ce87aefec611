"""Balls that contain the natural gradient and its derivative over boxes, with python-flint.

By Cauchy–Binet the natural gradient is n = X − x with

    X(x) = Σ_s ω_s X_s / Σ_s ω_s,   ω_s = det_s² e^{(U_s·x + V_s)/ε},

over the simplices s of d + 1 terms, X_s where they tie, U_s and V_s the sums of their slopes and offsets: a mean with
positive weights, so that balls stay tight at every temperature. Simplices, their determinants and X_s are exact (floats
are dyadic rationals); weights are balls relative to that of the simplex that rules at the middle of the box, and those
that are negligible throughout are bounded together.

Source: F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Comput. 66,
2017; the mean value form and Krawczyk's operator as in A. Neumaier, "Interval methods for systems of equations", 1990.
"""

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np

from hjsym.bifurcation.landscape import EntropyLandscape
from tropical.errors import BudgetExceeded, InputError

__all__ = ["NaturalGradientBalls", "import_flint"]

_NEGLIGIBLE = 50  # weights below e^−50 of the largest are only bounded
_WIDE = 3.0  # width of a logarithm of a weight beyond which Krawczyk's test cannot succeed
_MOST_SIMPLICES = 5_000


def import_flint():
    """The module, which is an extra."""
    try:
        import flint
    except ImportError:
        raise InputError("proofs need the balls of python-flint; install hjsym[proof]") from None
    return flint


class NaturalGradientBalls:
    """n and Dn over boxes, as balls."""

    def __init__(self, H: EntropyLandscape, eps: float):
        self.flint, self.d, self.eps = import_flint(), H.variables, eps
        self.arb = self.flint.arb
        self.scale = H.length(eps)
        self.blur = H.blur(eps)
        counts = Counter(map(tuple, np.column_stack([H.W, H.b]).tolist()))
        size = math.comb(len(counts), self.d + 1)
        if size > _MOST_SIMPLICES:
            raise BudgetExceeded(
                "simplices of a proof",
                size,
                _MOST_SIMPLICES,
                "look at fewer atoms, or at a line through them",
            )
        simplices = [s for s in map(self._simplex, combinations(counts.items(), self.d + 1)) if s]
        self.centres, self.slopes, self.offsets = ([s[k] for s in simplices] for k in range(3))
        self.exact = [s[3] for s in simplices]
        self.float_slopes = np.array([[float(u) for u in row] for row in self.slopes])
        self.float_centres = np.array([[float(c) for c in row] for row in self.centres])
        self.float_offsets = np.array([float(c) for c in self.offsets])
        zero = self.arb(0)
        reach = [max((abs(c[k]).upper() for c in self.centres), default=zero) for k in range(self.d)]
        steep = [max((abs(u[k]).upper() for u in self.slopes), default=zero) for k in range(self.d)]
        small = self.arb(-_NEGLIGIBLE).exp() * len(simplices)
        self.rest = small.upper()  # of all weights that are left out
        self.rest_centre = [(small * 2 * r).upper() for r in reach]
        self.rest_slope = [(small * 2 * r).upper() for r in steep]
        self.rest_both = [[(small * 4 * a * b).upper() for b in steep] for a in reach]

    def _simplex(self, terms):
        """X_s, U_s/ε and V_s/ε + log det² as balls, and X_s exactly; None if the simplex is flat."""
        rows = [[Fraction(v) for v in term] for term, _ in terms]
        A = [[a - b for a, b in zip(row[:-1], rows[0][:-1], strict=True)] for row in rows[1:]]
        right = [rows[0][-1] - row[-1] for row in rows[1:]]
        det = A[0][0] if self.d == 1 else A[0][0] * A[1][1] - A[0][1] * A[1][0]
        if not det:
            return None
        if self.d == 1:
            exact = [right[0] / det]
        else:
            exact = [
                (right[0] * A[1][1] - A[0][1] * right[1]) / det,
                (A[0][0] * right[1] - right[0] * A[1][0]) / det,
            ]
        eps = Fraction(self.eps)
        prior = det**2 * math.prod(count for _, count in terms)
        slopes = [self._ball(sum(row[k] for row in rows) / eps) for k in range(self.d)]
        offset = self._ball(sum(row[-1] for row in rows) / eps) + self._ball(prior).log()
        return [self._ball(v) for v in exact], slopes, offset, exact

    def _ball(self, value: Fraction):
        return self.arb(self.flint.fmpq(value.numerator, value.denominator))

    def hull(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds that contain all X_s, decided exactly, and so all critical points."""
        margin = self.blur
        for k in range(self.d):
            values = [c[k] for c in self.exact]
            low[k] = min(low[k], float(min(values)) - margin - abs(float(min(values))) * 1e-12)
            high[k] = max(high[k], float(max(values)) + margin + abs(float(max(values))) * 1e-12)
        return low, high

    def look(self, low: np.ndarray, high: np.ndarray):
        """("empty", None), ("one", the smaller box) or ("open", None) for a box."""
        arb, d = self.arb, range(self.d)
        middle = (low + high) / 2
        box = [arb(float(low[k])).union(arb(float(high[k]))) for k in d]
        away = [box[k] - float(middle[k]) for k in d]
        terms = self._relevant(middle, away)
        weights = [(s, over.exp()) for s, _, over in terms]
        if self._missed(terms, weights, middle, away):
            return "empty", None
        if any(float(width.rad()) > _WIDE for _, _, width in terms):
            return "open", None
        value = self._value(terms, middle)
        jacobian = self._jacobian(terms, weights, middle, value)
        for k in d:
            spread = value[k] + sum((jacobian[k][m] * away[m] for m in d), arb(0))
            if not spread.contains(0):
                return "empty", None
        return self._krawczyk(value, jacobian, middle, away, box)

    def _relevant(self, middle: np.ndarray, away):
        """(s, log of its weight relative to the largest at the middle, the same over the box) where not negligible."""
        top = int((self.float_slopes @ middle + self.float_offsets).argmax())
        point = [self.arb(float(v)) for v in middle]
        ruling, base = self.slopes[top], self.offsets[top]
        kept = []
        for s, (slope, offset) in enumerate(zip(self.slopes, self.offsets, strict=True)):
            at, over = offset - base, self.arb(0)
            for u, v, p, a in zip(slope, ruling, point, away, strict=True):
                difference = u - v
                at += difference * p
                over += difference * a
            if not at + over < -_NEGLIGIBLE:
                kept.append((s, at, at + over))
        return kept

    def _missed(self, terms, weights, middle: np.ndarray, away) -> bool:
        """Whether X stays on one side of the box: along n at its middle Σ ω_s (X_s − x) is positive throughout."""
        arb, at = self.arb, np.exp([float(point) for _, point, _ in terms])
        way = (at / at.sum()) @ self.float_centres[[s for s, _, _ in terms]] - middle
        size = np.abs(way).max()
        if not size > 0:
            return False
        way, start = (way / size).tolist(), [float(v) for v in middle]
        shift = sum((w * a for w, a in zip(way, away, strict=True)), arb(0))
        total = arb(0)
        for s, weight in weights:
            ahead = sum((w * (c - p) for w, c, p in zip(way, self.centres[s], start, strict=True)), arb(0))
            total += weight * (ahead - shift)
        lost = sum(
            (abs(w) * (r + self.rest * (abs(p) + a.abs_upper()))
             for w, r, p, a in zip(way, self.rest_centre, start, away, strict=True)),
            arb(0),
        )  # fmt: skip
        return total > lost

    def _value(self, terms, middle: np.ndarray):
        """n at the middle of a box."""
        weights = [(s, at.exp()) for s, at, _ in terms]
        total = sum((w for _, w in weights), self.arb(0)) + self.arb(0, self.rest)
        found = []
        for k in range(self.d):
            p = float(middle[k])
            moment = sum((w * (self.centres[s][k] - p) for s, w in weights), self.arb(0))
            found.append((moment + self.arb(0, self.rest_centre[k] + self.rest * abs(p))) / total)
        return found

    def _jacobian(self, terms, weights, middle: np.ndarray, value):
        """Dn = −1 + Cov(X, U)/ε over a box, moments taken about their values at its middle."""
        arb, d = self.arb, range(self.d)
        total = sum((w for _, w in weights), arb(0)) + arb(0, self.rest)
        centre = [float(middle[k]) + float(value[k]) for k in d]
        # any slope will do: that of the mean at the middle, in floats
        at = np.exp([float(point) for _, point, _ in terms])
        slope = (at / at.sum()) @ self.float_slopes[[s for s, _, _ in terms]]
        first, second = [arb(0)] * self.d, [arb(0)] * self.d
        mixed = [[arb(0)] * self.d for _ in d]
        for s, w in weights:
            for k in d:
                c = w * (self.centres[s][k] - centre[k])
                first[k] += c
                for m in d:
                    mixed[k][m] += c * (self.slopes[s][m] - float(slope[m]))
            for m in d:
                second[m] += w * (self.slopes[s][m] - float(slope[m]))
        rows = []
        for k in d:
            lost = self.rest_centre[k] + self.rest * abs(centre[k])
            first[k] = (first[k] + arb(0, lost)) / total
            rows.append([])
            for m in d:
                steep = self.rest_slope[m] + self.rest * abs(float(slope[m]))
                both = self.rest_both[k][m] + lost * abs(float(slope[m])) + steep * abs(centre[k])
                mean = (second[m] + arb(0, steep)) / total
                rows[k].append((mixed[k][m] + arb(0, both)) / total - first[k] * mean - (1 if k == m else 0))
        return rows

    def _krawczyk(self, value, jacobian, middle: np.ndarray, away, box):
        """m − Yn(m) + (1 − Y Dn)(B − m), Y the inverse of the middle of Dn: within B it means one zero, off B none."""
        arb, d = self.arb, range(self.d)
        try:
            Y = np.linalg.inv([[float(v.mid()) for v in row] for row in jacobian])
        except np.linalg.LinAlgError:
            return "open", None
        if not np.isfinite(Y).all():
            return "open", None
        image = []
        for k in d:
            point = float(middle[k]) - sum((float(Y[k, j]) * value[j] for j in d), arb(0))
            for m in d:
                entry = sum((float(Y[k, j]) * jacobian[j][m] for j in d), arb(0))
                point += ((1 if k == m else 0) - entry) * away[m]
            image.append(point)
        if any(not image[k].overlaps(box[k]) for k in d):
            return "empty", None
        if all(box[k].contains_interior(image[k]) for k in d):
            return "one", (
                np.array([_down(v) for v in image]),
                np.array([_up(v) for v in image]),
            )
        return "open", None

    def index(self, low: np.ndarray, high: np.ndarray) -> int:
        """The Morse index of the critical point in a box with one, from the signs of det and trace of Dn; −1 unsure."""
        middle = (low + high) / 2
        away = [
            self.arb(float(a)).union(self.arb(float(b))) - float(m)
            for a, b, m in zip(low, high, middle, strict=True)
        ]
        terms = self._relevant(middle, away)
        weights = [(s, over.exp()) for s, _, over in terms]
        J = self._jacobian(terms, weights, middle, self._value(terms, middle))
        if self.d == 1:
            return 1 if J[0][0] < 0 else 0 if J[0][0] > 0 else -1
        det, trace = J[0][0] * J[1][1] - J[0][1] * J[1][0], J[0][0] + J[1][1]
        if det < 0:
            return 1
        return -1 if not det > 0 else 2 if trace < 0 else 0 if trace > 0 else -1


def _down(ball) -> float:
    return math.nextafter(float(ball.lower()), -math.inf)


def _up(ball) -> float:
    return math.nextafter(float(ball.upper()), math.inf)

"""A continuous piecewise-linear function of one variable on an interval: its range, its piece, lines above and below.

A line m·z + t lies above f on [l, u] for t = max (f(z) − m·z), which is attained at an end or a break; for each slope
m there is one such line, or none where [l, u] has no end on the side to which f − m·z grows. So a slope alone says
which line is meant, and whoever checks it derives t again.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import inf
from numbers import Real

from hjsym import layers

__all__ = ["Bend", "bends_of", "infinite"]


def infinite(end: Real) -> bool:
    """Whether an end of an interval is: the finite ones are Fractions, of any size."""
    return isinstance(end, float)


@dataclass(frozen=True)
class Bend:
    """f on the real line, by its breaks and the (slope, intercept) of its pieces."""

    breaks: tuple[Fraction, ...]
    pieces: tuple[tuple[Fraction, Fraction], ...]

    def __call__(self, z: Fraction) -> Fraction:
        slope, intercept = self.pieces[sum(z > b for b in self.breaks)]
        return slope * z + intercept

    @property
    def slopes(self) -> list[Fraction]:
        return [slope for slope, _ in self.pieces]

    @property
    def is_homogeneous(self) -> bool:
        """Whether f(c·z) = c·f(z) for all c > 0."""
        return not any(self.breaks) and not any(t for _, t in self.pieces)

    def piece(self, low: Real, high: Real) -> int | None:
        """The piece that [low, high] lies on."""
        ends = [-inf, *self.breaks, inf]
        return next((k for k in range(len(self.pieces)) if ends[k] <= low and high <= ends[k + 1]), None)

    def span(self, k: int) -> tuple[Real, Real]:
        """Where piece k lies."""
        ends = [-inf, *self.breaks, inf]
        return ends[k], ends[k + 1]

    def range(self, low: Real, high: Real) -> tuple[Real, Real]:
        """The least and the largest value on [low, high]."""
        bottom, top = (self.offset(Fraction(0), low, high, sign) for sign in (-1, 1))
        return -inf if bottom is None else bottom, inf if top is None else top

    def offset(self, slope: Fraction, low: Real, high: Real, sign: int) -> Fraction | None:
        """The t of the line slope·z + t above f on [low, high], below it for sign −1; None if there is none."""
        first, last = self.pieces[0][0] - slope, self.pieces[-1][0] - slope
        if (infinite(high) and sign * last > 0) or (infinite(low) and sign * first < 0):
            return None
        places = [z for z in (low, high, *self.breaks) if low <= z <= high and not infinite(z)]
        heights = [self(z) - slope * z for z in places or [Fraction(0)]]
        return max(heights, key=lambda t: sign * t)

    def lines(self, low: Real, high: Real, sign: int) -> list[Fraction]:
        """Slopes of lines above f on [low, high], below it for sign −1, that are worth trying."""
        bends = [b - a for a, b in zip(self.slopes, self.slopes[1:], strict=False)]
        if all(sign * b <= 0 for b in bends):  # a line along each piece touches f
            tried = self.slopes
        elif infinite(low) or infinite(high):
            tried = [self.slopes[0] if infinite(low) else self.slopes[-1]]
        else:
            tried = [_rounded((self(high) - self(low)) / (high - low))]
        return [m for m in tried if self.offset(m, low, high, sign) is not None]

    def best_line(self, low: Real, high: Real, sign: int) -> Fraction | None:
        """Of these the one that leaves the least area between it and f, None if there is none."""
        slopes = self.lines(low, high, sign)
        if len(slopes) < 2 or infinite(low) or infinite(high):
            return slopes[0] if slopes else None
        middle = (low + high) / 2
        return min(slopes, key=lambda m: sign * (m * middle + self.offset(m, low, high, sign)))


def _rounded(slope: Fraction) -> Fraction:
    """A slope of few digits: any will do."""
    try:
        return Fraction(float(slope))
    except OverflowError:
        return slope


def bends_of(layer: layers.PiecewiseLinear, size: int) -> list[Bend]:
    """The function of each of `size` entries; one object where they are alike."""
    columns = zip(layer.breaks.T.tolist(), layer.slopes.T.tolist(), layer.intercepts.T.tolist(), strict=True)
    found = [Bend(tuple(b), tuple(zip(s, t, strict=True))) for b, s, t in columns]
    return found * size if len(found) == 1 else found

"""Convex cells by double description: cut by a hyperplane exactly, in any dimension, bounded or not.

A cell {s : form(s) ≥ 0 for its forms} is held as the cone over it, {(s, t) : form(s, t) ≥ 0, t ≥ 0}, by whole
generators: lines (both directions), and rays, of which those with t > 0 are vertices s/t and those with t = 0
directions to infinity. Cells have an interior, and a hyperplane cuts one exactly if its form takes both signs on
the generators. No linear program is solved, and nothing is special about parallel, equal or concurrent hyperplanes.

Source: T. S. Motzkin, H. Raiffa, G. L. Thompson, R. M. Thrall, "The double description method" (1953); the test of
adjacency is that of K. Fukuda, A. Prodon, "Double description method revisited" (1996).
"""

from operator import mul

from tropical._region_program import primitive

__all__ = ["Cell", "value"]


def value(form, vector) -> int:
    return sum(map(mul, form, vector))


class Cell:
    """A cone by generators.

    Attributes
    ----------
    lines, rays : list of primitive whole vectors (s, t)
    tight : list of int
        Per ray the set of its constraints that are 0 on it, as bits; bit 0 is t ≥ 0.
    constraints : int
        How many there are.
    """

    __slots__ = ("constraints", "lines", "rays", "tight")

    def __init__(self, lines, rays, tight, constraints):
        self.lines, self.rays, self.tight, self.constraints = lines, rays, tight, constraints

    @classmethod
    def space(cls, d: int) -> "Cell":
        """All of R^d."""
        unit = [[int(i == j) for j in range(d + 1)] for i in range(d + 1)]
        return cls(unit[:d], unit[d:], [0], 1)

    def cut(self, form) -> tuple["Cell | None", "Cell | None"]:
        """The parts where form ≥ 0 and where form ≤ 0, None for one without interior; form must not be zero."""
        for k, line in enumerate(self.lines):
            slope = value(form, line)
            if slope:
                line = line if slope > 0 else [-a for a in line]
                return self._cut_lines(form, line, abs(slope), self.lines[:k] + self.lines[k + 1 :])
        values = [value(form, ray) for ray in self.rays]
        if min(values) >= 0:
            return self, None
        if max(values) <= 0:
            return None, self
        return self._cut_rays(values)

    def _cut_lines(self, form, line, slope, others):
        """A hyperplane across a line: every other generator moves along the line onto the hyperplane."""

        def moved(vector):
            v = value(form, vector)
            return primitive([slope * a - v * b for a, b in zip(vector, line, strict=True)])

        bit = 1 << self.constraints
        lines = [moved(other) for other in others]
        rays = [moved(ray) for ray in self.rays]
        tight = [t | bit for t in self.tight] + [bit - 1]
        return tuple(
            Cell(lines, [*rays, end], tight, self.constraints + 1) for end in (line, [-a for a in line])
        )

    def _cut_rays(self, values):
        bit = 1 << self.constraints
        needed = len(self.rays[0]) - len(self.lines) - 2  # hyperplanes that meet in a face of two rays
        up = [k for k, v in enumerate(values) if v > 0]
        down = [k for k, v in enumerate(values) if v < 0]
        new, new_tight = [], []
        for i in up:
            for j in down:
                common = self.tight[i] & self.tight[j]
                if common.bit_count() < needed or self._shared_by_others(common, i, j):
                    continue
                pairs = zip(self.rays[i], self.rays[j], strict=True)
                new.append(primitive([values[i] * b - values[j] * a for a, b in pairs]))
                new_tight.append(common | bit)
        on = [k for k, v in enumerate(values) if not v]
        new = [self.rays[k] for k in on] + new
        new_tight = [self.tight[k] | bit for k in on] + new_tight
        return tuple(
            Cell(
                self.lines,
                [self.rays[k] for k in side] + new,
                [self.tight[k] for k in side] + new_tight,
                self.constraints + 1,
            )
            for side in (up, down)
        )

    def _shared_by_others(self, common: int, i: int, j: int) -> bool:
        """Whether a third ray lies on all the hyperplanes that rays i and j share: then they span no face."""
        return any(common & ~t == 0 and k not in (i, j) for k, t in enumerate(self.tight))

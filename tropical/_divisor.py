"""Zeros and poles of rational functions in several variables: where P ⊘ Q bends, and by how much."""

from fractions import Fraction
from typing import TYPE_CHECKING

from tropical._square import need_tropical
from tropical.hypersurface import Hypersurface, HypersurfaceCell

if TYPE_CHECKING:
    from tropical.rational import Rational

__all__ = ["divisor"]


def divisor(f: "Rational") -> tuple[Hypersurface, tuple[int | Fraction, ...]]:
    need_tropical("a divisor", f.P.semiring, "log-sum-exp has no zeros; call deform(0)")
    P, Q = (p.to_exact().normal_form() for p in (f.P, f.Q))
    h = (P * Q).hypersurface()
    return h, tuple(
        _bend(P.slopes, h.ends(c), c, len(Q), 0) - _bend(Q.slopes, h.ends(c), c, len(Q), 1) for c in h.cells
    )


def _bend(slopes, ends: tuple[int, int], cell: HypersurfaceCell, count: int, part: int) -> int | Fraction:
    """By how many of the cell's normal the slope of P (part 0) or Q (part 1) jumps; monomial (i, j) is i·count + j."""
    here, there = (slopes[divmod(end, count)[part]] for end in ends)
    k = next(k for k, v in enumerate(cell.normal) if v)
    jump = abs(there[k] - here[k]) / abs(cell.normal[k])
    return jump.numerator if jump.denominator == 1 else jump

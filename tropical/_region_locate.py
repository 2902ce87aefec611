"""Which branches win near a point, exactly, with the ties of boundary points broken by an infinitesimal move."""

from fractions import Fraction
from math import lcm

from tropical._region_program import Gates, Linear, Program, value

__all__ = ["winners_near"]

Number = list  # of the coefficients at 1, ε, ε², …; lists compare in that order


def winners_near(program: Program, point: list[Fraction], inside: list[Fraction]) -> list[int] | None:
    """The winning branch of each gate next to a point of the domain; None for a point outside.

    The point moves by ε towards `inside`, a point of the interior, and by ε² along x_1, ε³ along x_2, … No affine
    function but a constant is constant under that, so after the move only equal branches tie.
    """
    scale = lcm(*(a.denominator for a in point))
    homogeneous = [*(int(a * scale) for a in point), scale]
    if any(value(form, homogeneous) < 0 for form in program.bounds):
        return None
    inward = [a - b for a, b in zip(inside, point, strict=True)]
    values: list[list[Number]] = [
        [
            [value(form, homogeneous), scale * value(form, inward), *(scale * a for a in form[:-1])]
            for form in program.inputs
        ]
    ]
    winners: list[int] = []
    for step in program.steps[1:]:
        if isinstance(step, Gates):
            rows = [[values[b][i] for b in step.branches] for i in range(step.size)]
            best = [max(branches) for branches in rows]
            winners += [branches.index(top) for branches, top in zip(rows, best, strict=True)]
            values.append(best)
        else:
            values.append(_sums(step, values, scale, program.variables + 2))
    return winners


def _sums(step: Linear, values: list[list[Number]], scale: int, length: int) -> list[Number]:
    sums = []
    for row, bias in zip(step.rows, step.bias, strict=True):
        total = [bias * scale] + [0] * (length - 1)
        for operand, scalar, weight in row:
            total = [t + weight * a for t, a in zip(total, values[operand][scalar], strict=True)]
        sums.append(total)
    return sums

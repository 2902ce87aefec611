"""Units of one layer that are multiples or combinations of others, decided over Fractions."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from hjsym._rows import Rows
from hjsym.simplification.bend import Bend

__all__ = ["AffineForm", "affine_form", "combination", "dependent", "proportional"]

ZERO, ONE = Fraction(0), Fraction(1)
AffineForm = tuple[dict[int, Fraction], Fraction]  # slopes in what a layer takes, and a constant


def affine_form(rows: Rows, unit: int, piece: tuple[Fraction, Fraction]) -> AffineForm:
    """slope · z + intercept of a unit that stays on one piece, z its row."""
    slope, intercept = piece
    return {j: slope * v for j, v in rows.rows[unit].items()}, slope * rows.bias[unit] + intercept


def combination(weights: Iterable[tuple[Fraction, AffineForm]], constant: Fraction = ZERO) -> AffineForm:
    """Σ weight · form + constant."""
    total: dict[int, Fraction] = {}
    for weight, (slopes, intercept) in weights:
        for j, v in slopes.items():
            total[j] = total.get(j, ZERO) + weight * v
        constant += weight * intercept
    return {j: v for j, v in total.items() if v}, constant


def proportional(rows: Rows, units: list[int], bends: list[Bend]) -> Iterable[tuple[int, int, Fraction]]:
    """(unit, earlier unit, c) with unit = c · the earlier one, c > 0; only bends with f(c·z) = c·f(z) allow c ≠ 1."""
    first: dict[tuple, tuple[int, Fraction]] = {}
    for unit in units:
        row = sorted(rows.rows[unit].items())
        scale = abs(row[0][1]) if row and bends[unit].is_homogeneous else ONE
        key = (bends[unit], rows.bias[unit] / scale, *((j, v / scale) for j, v in row))
        if key in first:
            other, size = first[key]
            yield unit, other, scale / size
        else:
            first[key] = unit, scale


def dependent(forms: dict[int, AffineForm]) -> tuple[int, dict[int, Fraction], Fraction] | None:
    """A unit that is Σ c_j · unit j + constant of others, c and the constant; the last that is, None if none is.

    Eliminates one form after another. Floats say first whether their rank leaves room for that: where it is full
    by a wide margin nothing is looked for.
    """
    if len(forms) < 2 or _has_full_rank(forms):
        return None
    reduced: list[
        tuple[int, dict[int, Fraction], dict[int, Fraction]]
    ] = []  # pivot, slopes, weights of units
    for unit, (slopes, _) in forms.items():
        left, weights = dict(slopes), {unit: ONE}
        for pivot, other, parts in reduced:
            factor = left.get(pivot, ZERO) / other[pivot]
            if factor:
                left = {
                    j: v for j in {**left, **other} if (v := left.get(j, ZERO) - factor * other.get(j, ZERO))
                }
                for k, part in parts.items():
                    weights[k] = weights.get(k, ZERO) - factor * part
        if not left:
            equals = {k: -v for k, v in weights.items() if v and k != unit}
            return unit, equals, forms[unit][1] - sum(v * forms[k][1] for k, v in equals.items())
        reduced.append((next(iter(left)), left, weights))
    return None


def _has_full_rank(forms: dict[int, AffineForm]) -> bool:
    columns = sorted({j for slopes, _ in forms.values() for j in slopes})
    place = {j: k for k, j in enumerate(columns)}
    matrix = np.zeros((len(forms), len(columns)))
    for i, (slopes, _) in enumerate(forms.values()):
        for j, v in slopes.items():
            matrix[i, place[j]] = float(v)
    return np.isfinite(matrix).all() and np.linalg.matrix_rank(matrix) == len(forms)

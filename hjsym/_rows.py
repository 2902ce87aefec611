"""Affine maps over Fractions by the nonzero entries of their rows: what folding and simplifying compute with."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import inf, lcm
from numbers import Real

import numpy as np

from hjsym import layers
from tropical._arrays import EXACT, convert, to_floats
from tropical.circuit import entries
from tropical.sparse import SparseMatrix

__all__ = ["IntegerRows", "Rows", "common_denominator"]

ZERO = Fraction(0)


@dataclass
class Rows:
    """x ↦ (Σ_j rows[i][j] x_j + bias[i])_i on vectors of length `inputs`; no entry is 0."""

    rows: list[dict[int, Fraction]]
    bias: list[Fraction]
    inputs: int

    @classmethod
    def of(cls, layer: layers.Layer, size: int) -> "Rows":
        """An Affine, Scale, Gather or Identity that takes vectors of length `size`."""
        if isinstance(layer, layers.Affine):
            rows: list[dict[int, Fraction]] = [{} for _ in range(layer.weight.shape[0])]
            exact = layer.to_exact()
            for i, j, value in entries(exact.weight):
                if value:
                    rows[i][j] = value
            return cls(rows, exact.bias.tolist(), size)
        if isinstance(layer, layers.Scale):
            exact = layer.to_exact()
            return cls(
                [{i: v} if v else {} for i, v in enumerate(exact.factor.tolist())], exact.bias.tolist(), size
            )
        index = layer.index.tolist() if isinstance(layer, layers.Gather) else range(size)
        return cls([{j: Fraction(1)} for j in index], [ZERO] * len(index), size)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def entries(self) -> int:
        """How many numbers it holds besides the bias."""
        return sum(map(len, self.rows))

    def work(self, inner: "Rows") -> int:
        """Products that ``self.after(inner)`` takes."""
        return sum(len(inner.rows[j]) for row in self.rows for j in row)

    def after(self, inner: "Rows") -> "Rows":
        """x ↦ self(inner(x))."""
        rows, bias = [], []
        for row, constant in zip(self.rows, self.bias, strict=True):
            total: dict[int, Fraction] = {}
            for j, value in row.items():
                constant += value * inner.bias[j]
                _add(total, inner.rows[j], value)
            rows.append({j: v for j, v in total.items() if v})
            bias.append(constant)
        return Rows(rows, bias, inner.inputs)

    def chosen(self, kept: Iterable[int]) -> "Rows":
        """The outputs `kept`."""
        kept = list(kept)
        return Rows([self.rows[i] for i in kept], [self.bias[i] for i in kept], self.inputs)

    def layer(self, exact: bool, sparse: bool) -> layers.Affine:
        """The layer, with each number rounded once where it is not to be exact."""
        places = [(i, j) for i, row in enumerate(self.rows) for j in row]
        rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
        data = _array([v for row in self.rows for v in row.values()], exact)
        shape = (len(self.rows), self.inputs)
        if sparse and 4 * len(data) <= shape[0] * shape[1]:
            return layers.Affine(SparseMatrix(shape, rows, columns, data), _array(self.bias, exact))
        weight = convert(np.zeros(shape), data.dtype)
        weight[rows, columns] = data
        return layers.Affine(weight, _array(self.bias, exact))


class IntegerRows:
    """The numbers of `Rows` as integers over one denominator, for many products: a Fraction costs a hundred times one.

    Each row is (columns, integers) of its positive entries, and of its negative ones.
    """

    def __init__(self, rows: Rows):
        values = [v for row in rows.rows for v in row.values()]
        scaled, self.denominator = common_denominator([*values, *rows.bias])
        self.bias, self.inputs = scaled[len(values) :], rows.inputs
        self.rows, start = [], 0
        for row in rows.rows:
            numbers = scaled[start : start + len(row)]
            start += len(row)
            self.rows.append(
                tuple(
                    _signed(list(row), numbers, keep)
                    for keep in ([v > 0 for v in numbers], [v < 0 for v in numbers])
                )
            )

    def pull(self, form: dict[int, Fraction]) -> tuple[dict[int, Fraction], Fraction]:
        """A form over the outputs as one over the inputs, and a constant."""
        factors, denominator = common_denominator(list(form.values()))
        denominator *= self.denominator
        total = np.zeros(self.inputs, dtype=object)
        constant = 0
        for i, factor in zip(form, factors, strict=True):
            constant += factor * self.bias[i]
            for columns, numbers in self.rows[i]:
                total[columns] += factor * numbers
        slopes = {j: Fraction(v, denominator) for j, v in enumerate(total.tolist()) if v}
        return slopes, Fraction(constant, denominator)

    def image(self, intervals: list[tuple[Real, Real]]) -> list[tuple[Real, Real]]:
        """Intervals of the outputs from those of the inputs; an infinite end is a float."""
        open_ends = [np.array([isinstance(pair[side], float) for pair in intervals], bool) for side in (0, 1)]
        finite = [[ZERO if isinstance(end, float) else end for end in pair] for pair in intervals]
        scaled, denominator = common_denominator([end for pair in finite for end in pair])
        ends = np.array([*scaled, None], dtype=object)[:-1].reshape(-1, 2).T
        denominator *= self.denominator
        found = []
        for i, ((up, rises), (down, falls)) in enumerate(self.rows):
            pair = []
            for side, infinite in ((0, -inf), (1, inf)):
                if open_ends[side][up].any() or open_ends[1 - side][down].any():
                    pair.append(infinite)
                    continue
                total = (rises * ends[side][up]).sum() + (falls * ends[1 - side][down]).sum()
                pair.append(Fraction(int(total), denominator) + Fraction(self.bias[i], self.denominator))
            found.append(tuple(pair))
        return found


def common_denominator(values: list[Fraction]) -> tuple[list[int], int]:
    """The numerators over one denominator, and that."""
    denominator = lcm(*(v.denominator for v in values))
    return [v.numerator * (denominator // v.denominator) for v in values], denominator


def _signed(columns: list[int], numbers: list[int], keep: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    kept = np.array([*(v for v, k in zip(numbers, keep, strict=True) if k), None], dtype=object)[:-1]
    return np.array([j for j, k in zip(columns, keep, strict=True) if k], dtype=np.int64), kept


def _add(total: dict[int, Fraction], row: dict[int, Fraction], factor: Fraction) -> None:
    """total += factor · row."""
    for j, value in row.items():
        total[j] = total.get(j, ZERO) + factor * value


def _array(values: list[Fraction], exact: bool) -> np.ndarray:
    array = np.array([*values, None], dtype=EXACT)[:-1]
    return array if exact else to_floats(array)

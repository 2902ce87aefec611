"""Proved bounds of every value inside a network over a domain, in Fractions.

Three rules, each tried where the one before does not decide on which piece a unit stays:

1. intervals go forward through the layers;
2. a linear bound goes back from a unit to the input: where it meets a bend, a line above or below the function on
   its known interval takes the function's place; over the domain the result a·x + b is bounded exactly;
3. the best such lines come from a linear program (HiGHS), whose multipliers weigh them; rule 2 is then repeated with
   these, so that rounding in the program can only weaken a bound, never make it wrong.

References: H. Zhang et al., "Efficient neural network robustness certification with general activation functions",
NeurIPS 2018 (rule 2); H. Salman et al., "A convex relaxation barrier to tight robustness verification of neural
networks", NeurIPS 2019 (that its best lines are the dual of the program of rule 3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from math import inf
from numbers import Real

from hjsym import layers
from hjsym._rows import IntegerRows, Rows
from hjsym.errors import UnsupportedLayerError
from hjsym.network import Network
from hjsym.simplification.bend import Bend, bends_of, infinite
from hjsym.simplification.ground import Ground, Multipliers
from tropical.domain import Domain

__all__ = ["LinearProof", "ValueBounds"]

ZERO = Fraction(0)
Interval = tuple[Real, Real]
Lines = dict[tuple[int, int, int], Fraction]  # (value, entry, sign) of what a bend gives → slope of the line


@dataclass(frozen=True)
class LinearProof:
    """Why sign · entry ≤ limit for an entry of a value: the lines that the bends before it are replaced by.

    Attributes
    ----------
    lines : dict
        Slopes by (value, entry, sign) of what a bend gives: sign 1 for a line above it, −1 for one below.
    multipliers : dict
        Of the rows of the polyhedron, if the domain is one.
    """

    value: int
    entry: int
    sign: int
    limit: Fraction
    lines: Lines
    multipliers: Multipliers


class ValueBounds:
    """Intervals that the entries of each value of an exact network stay in, over a domain.

    `intervals[k][i]` is (low, high) of entry i of value k, where value 0 is the input; infinite where unknown.
    """

    def __init__(self, network: Network, domain: Domain | None = None):
        for k, node in enumerate(network.nodes):
            if node.layer.eps or isinstance(node.layer, layers.Head):
                raise UnsupportedLayerError(
                    f"layer {k} ({node}) is not piecewise linear; bounds need eps = 0 and no head"
                )
        self.network, self.ground = network, Ground(domain, network.input_size)
        self.maps: dict[int, Rows] = {}
        self.bends: dict[int, list[Bend]] = {}
        for k, node in enumerate(network.nodes, start=1):
            size = network.sizes[node.inputs[0]]
            if isinstance(node.layer, layers.Affine | layers.Scale | layers.Gather | layers.Identity):
                self.maps[k] = Rows.of(node.layer, size)
            elif isinstance(node.layer, layers.PiecewiseLinear):
                self.bends[k] = bends_of(node.layer, size)
        self.integers = {k: IntegerRows(rows) for k, rows in self.maps.items()}
        self.intervals: list[list[Interval]] = [list(zip(self.ground.low, self.ground.high, strict=True))]
        self.proofs: dict[tuple[int, int, int], LinearProof] = {}
        self._lines: dict = {}  # what `line` has found, with the interval that it was for
        while len(self.intervals) <= len(network.nodes):
            self.intervals.append(self.forward(len(self.intervals)))

    def forward(self, k: int) -> list[Interval]:
        """The intervals of value k from those of its operands."""
        node = self.network.nodes[k - 1]
        return _forward(node.layer, self, k, *(self.intervals[i] for i in node.inputs))

    def renew(self, start: int) -> None:
        """Intervals of the values from `start` on, once those before have become smaller."""
        for k in range(start, len(self.intervals)):
            self.intervals[k] = [
                (max(a, c), min(b, d))
                for (a, b), (c, d) in zip(self.forward(k), self.intervals[k], strict=True)
            ]

    # ---- linear bounds -----------------------------------------------------------------------------

    def prove(self, value: int, entry: int, sign: int, limit: Fraction, lines: Lines) -> bool:
        """Lower the bound of sign · entry to `limit` if lines show that it holds; whether they do."""
        lines = dict(lines)
        form = self.linear_bound(value, entry, sign, lines)
        multipliers = None if form is None else self.ground.proof(*form, limit)
        if multipliers is None:
            return False
        self._lower(LinearProof(value, entry, sign, limit, lines, multipliers))
        return True

    def sharpen(self, value: int, entry: int, sign: int) -> dict[int, Fraction] | None:
        """Lower the bound of sign · entry as far as the plain choice of lines does; the slopes of its linear bound."""
        lines: Lines = {}
        form = self.linear_bound(value, entry, sign, lines)
        if form is None:
            return None
        limit, multipliers = self.ground.upper(*form)
        if not infinite(limit):
            self._lower(LinearProof(value, entry, sign, limit, lines, multipliers))
        return form[0]

    def _lower(self, proof: LinearProof) -> None:
        low, high = self.intervals[proof.value][proof.entry]
        if proof.limit < (high if proof.sign > 0 else -low):
            self.proofs[proof.value, proof.entry, proof.sign] = proof
            better = (low, proof.limit) if proof.sign > 0 else (-proof.limit, high)
            self.intervals[proof.value][proof.entry] = better

    def linear_bound(
        self, value: int, entry: int, sign: int, lines: Lines
    ) -> tuple[dict[int, Fraction], Fraction] | None:
        """(slopes, constant) of an affine function of the input that sign · entry does not exceed on the domain.

        Lines that are missing are chosen, so as to leave the least area, and added to `lines`.
        """
        forms: dict[int, dict[int, Fraction]] = {value: {entry: Fraction(sign)}}
        constant = ZERO
        for k in range(value, 0, -1):
            form = forms.pop(k, None)
            if not form:
                continue
            pulled = _back(self.network.nodes[k - 1].layer, self, k, form, lines)
            if pulled is None:
                return None
            parts, more = pulled
            constant += more
            for i, part in zip(self.network.nodes[k - 1].inputs, parts, strict=True):
                _accumulate(forms.setdefault(i, {}), part.items())
        return {j: v for j, v in forms.get(0, {}).items() if v}, constant

    def line(self, k: int, entry: int, sign: int, lines: Lines) -> tuple[Fraction, Fraction] | None:
        """(slope, intercept) of the line above (or below) the bend of value k at an entry, on its interval."""
        key = (k, entry, sign)
        interval = self.intervals[self.network.nodes[k - 1].inputs[0]][entry]
        known = self._lines.get((key, lines.get(key)))
        if known is None or known[0] is not interval:
            known = interval, *self._line(self.bends[k][entry], interval, sign, lines.get(key))
            self._lines[key, lines.get(key)] = known
        _, slope, line = known
        if slope is not None:
            lines[key] = slope
        return line

    def _line(self, bend: Bend, interval: Interval, sign: int, slope: Fraction | None):
        """The slope that was chosen, None where the bend does not bend on the interval, and the line."""
        stays = bend.piece(*interval)
        if stays is not None:
            return None, bend.pieces[stays]
        slope = bend.best_line(*interval, sign) if slope is None else slope
        offset = None if slope is None else bend.offset(slope, *interval, sign)
        return slope, None if offset is None else (slope, offset)

    # ---- checking ----------------------------------------------------------------------------------

    def check(self, last: int | None = None) -> bool:
        """Whether every bound up to value `last` follows from those before it, derived again."""
        last = len(self.intervals) - 1 if last is None else last
        if self.intervals[0] != list(zip(self.ground.low, self.ground.high, strict=True)):
            return False
        return all(
            self._follows(k, i, sign, plain) for k in range(1, last + 1) for i, sign, plain in self._claims(k)
        )

    def _claims(self, k: int) -> Iterable[tuple[int, int, Real]]:
        for i, (low, high) in enumerate(self.forward(k)):
            yield i, 1, high
            yield i, -1, -low

    def _follows(self, k: int, i: int, sign: int, plain: Real) -> bool:
        """Whether the bound of sign · entry i of value k is the plain one, or proved."""
        low, high = self.intervals[k][i]
        claimed = high if sign > 0 else -low
        if claimed >= plain:
            return True
        proof = self.proofs.get((k, i, sign))
        form = None if proof is None else self.linear_bound(k, i, sign, proof.lines)
        return form is not None and self.ground.holds(*form, claimed, proof.multipliers)


def _accumulate(total: dict[int, Fraction], part: Iterable[tuple[int, Fraction]]) -> None:
    for j, v in part:
        total[j] = total.get(j, ZERO) + v


# ---- forward: the intervals of a layer from those of its operands --------------------------------------


def _forward(layer, bounds: ValueBounds, k: int, *operands: list[Interval]) -> list[Interval]:
    if k in bounds.maps:
        return bounds.integers[k].image(operands[0])
    if k in bounds.bends:
        return [bend.range(*interval) for bend, interval in zip(bounds.bends[k], operands[0], strict=True)]
    if isinstance(layer, layers.Concat):
        return [interval for operand in operands for interval in operand]
    if isinstance(layer, layers.Add):
        factors = dict(enumerate(layer.factors.tolist()))
        total = IntegerRows(Rows([factors], [ZERO], len(factors)))
        return [total.image(list(entries))[0] for entries in zip(*operands, strict=True)]
    members = layer.members(len(operands[0])).tolist()
    return [tuple(max(operands[0][j][side] for j in group) for side in (0, 1)) for group in members]


# ---- back: a form over a value as forms over the operands, above it ------------------------------------


@singledispatch
def _back(layer, bounds: ValueBounds, k: int, form: dict[int, Fraction], lines: Lines):
    """Forms over the operands and a constant, whose sum `form` does not exceed; None if there is no bound."""
    slopes, constant = bounds.integers[k].pull({i: c for i, c in form.items() if c})
    return [slopes], constant


@_back.register
def _(layer: layers.PiecewiseLinear, bounds, k, form, lines):
    total, constant = {}, ZERO
    for i, c in form.items():
        if not c:
            continue
        line = bounds.line(k, i, 1 if c > 0 else -1, lines)
        if line is None:
            return None
        total[i], constant = c * line[0], constant + c * line[1]
    return [total], constant


@_back.register
def _(layer: layers.Add, bounds, k, form, lines):
    return [{i: c * f for i, c in form.items()} for f in layer.factors.tolist()], ZERO


@_back.register
def _(layer: layers.Concat, bounds, k, form, lines):
    parts, start = [], 0
    for i in bounds.network.nodes[k - 1].inputs:
        size = bounds.network.sizes[i]
        parts.append({j - start: c for j, c in form.items() if start <= j < start + size})
        start += size
    return parts, ZERO


@_back.register
def _(layer: layers.Maximum, bounds, k, form, lines):
    """The maximum is above each member, and equals one that is above all others, or stays below a constant."""
    operand = bounds.network.nodes[k - 1].inputs[0]
    intervals = bounds.intervals[operand]
    members = layer.members(len(intervals)).tolist()
    total: dict[int, Fraction] = {}
    constant = ZERO
    for i, c in form.items():
        group = members[i]
        best = max(group, key=lambda j: intervals[j][0])
        if c < 0 or all(intervals[j][1] <= intervals[best][0] for j in group if j != best):
            _accumulate(total, [(best, c)])
        elif c > 0:
            top = max(intervals[j][1] for j in group)
            if top == inf:
                return None
            constant += c * top
    return [total], constant

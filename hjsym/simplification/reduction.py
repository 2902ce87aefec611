"""Takes units out of a network one after another; each step states why, and can be repeated from that statement."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from hjsym.simplification.unit_blocks import Block, Blocks
from hjsym.simplification.unit_pieces import Pieces
from hjsym.simplification.unit_relations import affine_form, combination, dependent, proportional
from hjsym.simplification.value_bounds import ValueBounds

__all__ = ["Reduction", "Removal"]

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Removal:
    """Why a unit was taken out, or several at once.

    Attributes
    ----------
    layer : int
        The piecewise-linear layer of `Proof.network` that has the units.
    units : tuple of int
        Which entries of what it gives. Numbers from its size on are sums that an earlier removal put in.
    reason : str
        On the domain a unit is Σ equals[j] · unit j + constant, since it is

        - "inactive": it never leaves a piece of slope 0;
        - "constant": nothing varies in it;
        - "proportional": it is a positive multiple of another;
        - "dependent": it never leaves a linear piece, nor do those it equals.

        Otherwise it is "unread": nothing reads it; "linear": no unit of the layer leaves its linear piece, and the
        layer has become affine; "merged": these units never leave theirs, and the next layer reads fewer sums of
        them than there are, which are the units `into`.
    equals : dict of int to Fraction
    constant : Fraction
    into : tuple of int
    """

    layer: int
    units: tuple[int, ...]
    reason: str
    equals: dict[int, Fraction] = field(default_factory=dict)
    constant: Fraction = ZERO
    into: tuple[int, ...] = ()


class Reduction:
    """Removes units until no rule applies; `pieces` are the proved ones."""

    def __init__(self, bounds: ValueBounds, pieces: Pieces):
        self.bounds, self.blocks = bounds, Blocks(bounds)
        self.pieces = {gate: list(found) for gate, found in pieces.items()}

    def run(self) -> tuple[Removal, ...]:
        """Remove what can be removed."""
        done: list[Removal] = []
        while True:
            before = len(done)
            for gate in [block.gate for block in self.blocks.blocks]:
                for rule in (self._constants, self._multiples, self._dependent, self._linear, self._merged):
                    if (block := self._block(gate)) is None:  # it has been linear
                        break
                    for removal in rule(block):
                        self._apply(block, removal)
                        done.append(removal)
            if len(done) == before:
                return tuple(done)

    def _block(self, gate: int) -> Block | None:
        return next((block for block in self.blocks.blocks if block.gate == gate), None)

    def repeat(self, removal: Removal) -> bool:
        """Do a step again, if what it states holds."""
        block = self._block(removal.layer + 1)
        if block is None or not set(removal.units) <= set(self.blocks.alive[block.gate]):
            return False
        if not self._holds(block, removal):
            return False
        self._apply(block, removal)
        return True

    # ---- rules: each yields removals that hold one after another ------------------------------------

    def _constants(self, block: Block) -> Iterator[Removal]:
        rows, bends = self.blocks.maps[block.affine], self.blocks.bends[block.gate]
        for unit in list(self.blocks.alive[block.gate]):
            if not any(True for _ in self.blocks.rows_that_read(block, unit)):
                yield Removal(block.gate - 1, (unit,), "unread")
            elif not rows.rows[unit]:
                value = bends[unit](rows.bias[unit])
                yield Removal(block.gate - 1, (unit,), "constant", constant=value)
            elif (piece := self._piece(block, unit)) is not None and not piece[0]:
                yield Removal(block.gate - 1, (unit,), "inactive", constant=piece[1])

    def _multiples(self, block: Block) -> Iterator[Removal]:
        alive, bends = self.blocks.alive[block.gate], self.blocks.bends[block.gate]
        for unit, other, factor in list(proportional(self.blocks.maps[block.affine], alive, bends)):
            yield Removal(block.gate - 1, (unit,), "proportional", {other: factor})

    def _dependent(self, block: Block) -> Iterator[Removal]:
        while (found := dependent(self._linear_forms(block))) is not None:
            unit, equals, constant = found
            yield Removal(block.gate - 1, (unit,), "dependent", equals, constant)

    def _linear(self, block: Block) -> Iterator[Removal]:
        units = self.blocks.alive[block.gate]
        if len(self._linear_forms(block)) == len(units):
            yield Removal(block.gate - 1, tuple(units), "linear")

    def _merged(self, block: Block) -> Iterator[Removal]:
        size = len(self.bounds.bends[block.gate])
        bends = self.blocks.bends[block.gate]
        plain = self.bounds.network.nodes[block.gate - 1].layer.slopes.shape[1] == 1
        if not plain or bends[0].pieces[-1] != (ONE, ZERO) or any(bends[0].breaks):
            return
        last = len(bends[0].breaks)
        units = [u for u in self.blocks.alive[block.gate] if u < size and self.pieces[block.gate][u] == last]
        sums = self._sums(block, units)
        if len(sums) < len(units) and all(low is not None for _, _, low in sums):
            start = len(bends)
            yield Removal(block.gate - 1, tuple(units), "merged", into=tuple(range(start, start + len(sums))))

    # ---- what rules ask ------------------------------------------------------------------------------

    def _piece(self, block: Block, unit: int) -> tuple[Fraction, Fraction] | None:
        """(slope, intercept) of the piece that a unit never leaves."""
        number = self.pieces[block.gate][unit]
        return None if number is None else self.blocks.bends[block.gate][unit].pieces[number]

    def _linear_forms(self, block: Block):
        """The units that never leave a piece, as affine functions of what the layer takes."""
        rows = self.blocks.maps[block.affine]
        pieces = {unit: self._piece(block, unit) for unit in self.blocks.alive[block.gate]}
        return {unit: affine_form(rows, unit, piece) for unit, piece in pieces.items() if piece is not None}

    def _sums(
        self, block: Block, units: list[int]
    ) -> list[tuple[tuple, dict[int, Fraction], Fraction | None]]:
        """For each row that reads some of the units: where it is, its coefficients, the least value of its sum.

        The units lie on the last piece of a ReLU-like bend, where they are what they take.
        """
        found: dict[tuple[int, int], dict[int, Fraction]] = {}
        for unit in units:
            for rows, i, coefficient in self.blocks.rows_that_read(block, unit):
                found.setdefault((id(rows), i), {})[unit] = coefficient
        intervals = self.bounds.intervals[block.affine]
        sums = []
        for place, row in found.items():
            ends = [v * intervals[unit][0 if v > 0 else 1] for unit, v in row.items()]
            low = None if any(isinstance(end, float) for end in ends) else sum(ends, ZERO)
            sums.append((place, row, low))
        return sums

    # ---- doing it -------------------------------------------------------------------------------------

    def _holds(self, block: Block, removal: Removal) -> bool:
        rows, bends = self.blocks.maps[block.affine], self.blocks.bends[block.gate]
        forms = self._linear_forms(block)
        if removal.reason == "linear":
            return set(removal.units) == set(self.blocks.alive[block.gate]) == set(forms)
        if removal.reason == "merged":
            return removal in list(self._merged(block))
        (unit,) = removal.units
        if removal.reason == "unread":
            return not any(True for _ in self.blocks.rows_that_read(block, unit))
        if removal.reason == "constant":
            return not rows.rows[unit] and removal.constant == bends[unit](rows.bias[unit])
        if removal.reason == "inactive":
            return self._piece(block, unit) == (ZERO, removal.constant)
        if removal.reason == "proportional":
            ((other, factor),) = removal.equals.items()
            multiple = combination([(factor, (rows.rows[other], rows.bias[other]))])
            allowed = factor == 1 or (factor > 0 and bends[unit].is_homogeneous)
            return allowed and bends[unit] == bends[other] and multiple == (rows.rows[unit], rows.bias[unit])
        others = [(factor, forms[j]) for j, factor in removal.equals.items() if j in forms and j != unit]
        return (
            removal.reason == "dependent"
            and unit in forms
            and len(others) == len(removal.equals)
            and combination(others, removal.constant) == forms[unit]
        )

    def _apply(self, block: Block, removal: Removal) -> None:
        if removal.reason == "linear":
            pieces = {unit: self._piece(block, unit) for unit in removal.units}
            self.blocks.dissolve(block, pieces)
        elif removal.reason == "merged":
            self._merge(block, list(removal.units))
        else:
            self.blocks.substitute(block, removal.units[0], removal.equals, removal.constant)

    def _merge(self, block: Block, units: list[int]) -> None:
        """Put the sums that the next layer reads, moved so that they are never negative, in place of the units."""
        rows = self.blocks.maps[block.affine]
        readers = {id(self.blocks.maps[reader]): self.blocks.maps[reader] for reader in block.readers}
        sums = self._sums(block, units)
        new = []
        for _, row, low in sums:
            slopes, constant = combination((v, (rows.rows[unit], rows.bias[unit])) for unit, v in row.items())
            shift = max(-low, ZERO)
            new.append((self.blocks.append(block, slopes, constant + shift), shift))
            self.pieces[block.gate].append(len(self.blocks.bends[block.gate][0].pieces) - 1)
        for ((reader, i), row, _), (number, shift) in zip(sums, new, strict=True):
            kept = {j: v for j, v in readers[reader].rows[i].items() if j not in row}
            readers[reader].rows[i] = {**kept, number: ONE}
            readers[reader].bias[i] -= shift
        for unit in units:
            self.blocks.alive[block.gate].remove(unit)

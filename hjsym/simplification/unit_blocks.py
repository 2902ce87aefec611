"""A network as something to take units out of: affine map, bend, affine maps that read it; all over Fractions.

Units keep their numbers while others go, so that rows refer to them by number; only the network that comes out in
the end counts anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from hjsym import layers
from hjsym._rows import Rows
from hjsym.fold import fold
from hjsym.network import Network, Node, needed
from hjsym.simplification.bend import Bend
from hjsym.simplification.value_bounds import ValueBounds
from tropical.sparse import SparseMatrix

__all__ = ["Block", "Blocks"]

ZERO = Fraction(0)
_MOST_PRODUCTS = 1 << 22  # Fractions multiplied to join two affine maps


@dataclass(frozen=True)
class Block:
    """Values: an affine one, the bend that alone reads it, and the affine ones that alone read that."""

    affine: int
    gate: int
    readers: tuple[int, ...]


class Blocks:
    """The blocks of an exact network, and what is left of its units."""

    def __init__(self, bounds: ValueBounds):
        self.network = bounds.network
        self.maps = {k: Rows(list(m.rows), list(m.bias), m.inputs) for k, m in bounds.maps.items()}
        self.bends: dict[int, list[Bend]] = {k: list(b) for k, b in bounds.bends.items()}
        self.blocks = [block for k in self.bends if (block := self._block(k)) is not None]
        self.gates = {block.affine: block.gate for block in self.blocks}
        self.alive = {block.gate: list(range(len(self.bends[block.gate]))) for block in self.blocks}
        self.sources = {k: node.inputs for k, node in enumerate(self.network.nodes, start=1)}
        self.linear: set[int] = set()  # gates that are gone, the units of which have become affine

    def _block(self, gate: int) -> Block | None:
        nodes = self.network.nodes
        (affine,) = nodes[gate - 1].inputs
        readers = [k for k, node in enumerate(nodes, start=1) if gate in node.inputs]
        shared = sum(node.inputs.count(affine) for node in nodes) > 1
        mapped = [k for k in (affine, *readers) if k and isinstance(nodes[k - 1].layer, layers.Affine)]
        if not readers or shared or len(mapped) <= len(readers) or gate == len(nodes):
            return None
        return Block(affine, gate, tuple(readers))

    def rows_that_read(self, block: Block, unit: int) -> Iterable[tuple[Rows, int, Fraction]]:
        """(map, row number, coefficient) of the rows of readers in which a unit occurs."""
        for reader in block.readers:
            for i in self._outputs(reader):
                coefficient = self.maps[reader].rows[i].get(unit)
                if coefficient:
                    yield self.maps[reader], i, coefficient

    def substitute(self, block: Block, unit: int, equals: dict[int, Fraction], constant: Fraction) -> None:
        """Take a unit out that is Σ equals[j] · unit j + constant."""
        for rows, i, coefficient in list(self.rows_that_read(block, unit)):
            row = dict(rows.rows[i])
            del row[unit]
            for j, factor in equals.items():
                row[j] = row.get(j, ZERO) + coefficient * factor
            rows.rows[i] = {j: v for j, v in row.items() if v}
            rows.bias[i] += coefficient * constant
        self.alive[block.gate].remove(unit)

    def append(self, block: Block, row: dict[int, Fraction], bias: Fraction) -> int:
        """One more unit, of the bend that all share."""
        rows = self.maps[block.affine]
        rows.rows.append(row)
        rows.bias.append(bias)
        self.bends[block.gate].append(self.bends[block.gate][0])
        self.alive[block.gate].append(len(rows) - 1)
        return len(rows) - 1

    def dissolve(self, block: Block, pieces: dict[int, tuple[Fraction, Fraction]]) -> None:
        """The bend of a block is an affine piece for every unit: join it with its reader, or leave it affine."""
        rows = self.maps[block.affine]
        for unit, (slope, intercept) in pieces.items():
            rows.rows[unit] = {j: slope * v for j, v in rows.rows[unit].items()}
            rows.bias[unit] = slope * rows.bias[unit] + intercept
        self.linear.add(block.gate)
        self.blocks.remove(block)
        if len(block.readers) == 1 or not self.alive[block.gate]:
            for reader in block.readers:
                self._join(block, reader)

    def _join(self, block: Block, reader: int) -> None:
        """Let a reader take what the affine map of a dissolved block takes, if it needs no more numbers for that."""
        inner, outer = self.maps[block.affine], self.maps[reader]
        if outer.work(inner) > _MOST_PRODUCTS:
            return
        joined = outer.after(inner)
        held = outer.entries + sum(len(inner.rows[unit]) for unit in self.alive[block.gate])
        if joined.entries > held:
            return
        self.maps[reader], self.sources[reader] = joined, self.sources[block.affine]
        for k, other in enumerate(self.blocks):
            if block.affine in other.readers:
                rest = tuple(r for r in other.readers if r != block.affine)
                self.blocks[k] = replace(other, readers=(*rest, reader))

    def _outputs(self, value: int) -> Iterable[int]:
        """The entries of an affine value that are left."""
        gate = self.gates.get(value)
        return range(len(self.maps[value])) if gate is None else self.alive[gate]

    # ---- the network that is left ------------------------------------------------------------------

    def result(self) -> Network:
        """What is left, over Fractions."""
        nodes = tuple(self._node(k) for k in range(1, len(self.network.nodes) + 1))
        network = Network(self.network.input_size, needed(nodes), self.network.metadata, exact=True)
        return fold(network)

    def _node(self, k: int) -> Node:
        node, layer = self.network.nodes[k - 1], self.network.nodes[k - 1].layer
        if k in self.linear:
            layer = layers.Identity()
        elif k in self.alive and layer.slopes.shape[1] > 1:
            kept = self.alive[k]
            layer = layers.PiecewiseLinear(
                layer.breaks[:, kept], layer.slopes[:, kept], layer.intercept[kept], label=layer.label
            )
        elif isinstance(layer, layers.Affine):
            layer = self._affine(k, isinstance(layer.weight, SparseMatrix))
        return Node(layer, self.sources[k], node.name)

    def _affine(self, k: int, sparse: bool) -> layers.Affine:
        rows, source = self.maps[k].chosen(self._outputs(k)), self.sources[k][0]
        if source in self.alive:
            numbers = {unit: place for place, unit in enumerate(self.alive[source])}
            rows.rows = [{numbers[j]: v for j, v in row.items()} for row in rows.rows]
            rows.inputs = len(numbers)
        return rows.layer(exact=True, sparse=sparse or not rows.entries)

"""Networks in a neutral form: a validated, immutable graph of layers that hold plain arrays."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from hjsym.errors import one_line
from hjsym.layers import Affine, Head, Layer, Relu
from tropical._arrays import EXACT, FLOAT64, as_points
from tropical._dask import at_points, is_dask
from tropical._tables import HasTable
from tropical.errors import InputError, ShapeError, describe_size

__all__ = ["Network", "Node", "needed"]


@dataclass(frozen=True, eq=False)
class Node:
    """A layer applied to earlier values: 0 is the network's input, k the value of node k − 1.

    >>> from hjsym.layers import Add, Affine, Relu
    >>> residual = Network(1, (Node(Affine([[2.0]], [0.0]), (0,)), Node(Relu(), (1,)), Node(Add(), (0, 2))))
    >>> residual([[3.0], [-3.0]])                                   # x + relu(2x)
    array([[ 9.],
           [-3.]])
    """

    layer: Layer
    inputs: tuple[int, ...]
    name: str = ""

    def __str__(self) -> str:
        return one_line(self.name or str(self.layer), 80)


def needed(nodes: Sequence[Node], output: int | None = None) -> tuple[Node, ...]:
    """The nodes that value `output` depends on, by default the last, numbered anew.

    >>> from hjsym.layers import Identity
    >>> nodes = [Node(Identity(), (0,)), Node(Identity(), (0,)), Node(Identity(), (1,))]
    >>> [node.inputs for node in needed(nodes)]                     # without the second
    [(0,), (1,)]
    """
    output = len(nodes) if output is None else output
    wanted = {0, output}
    for k in range(output, 0, -1):
        if k in wanted:
            wanted.update(nodes[k - 1].inputs)
    number = {old: new for new, old in enumerate(sorted(wanted))}
    kept = (nodes[k - 1] for k in sorted(wanted) if k)
    return tuple(Node(node.layer, tuple(number[i] for i in node.inputs), node.name) for node in kept)


@dataclass(frozen=True, eq=False)
class Network(HasTable):
    """A feed-forward network; its last node is the output.

    Parameters
    ----------
    input_size : int
        Length of the input vector. Tensors are flattened in C order.
    nodes : sequence of Node
        In an order in which every node comes after its inputs.
    metadata : mapping of str to str
        What the source file said about itself.
    exact : bool
        Evaluate over Fractions, whatever the points are; implied by a layer of Fractions.

    Raises
    ------
    ShapeError
        Sizes that do not fit, with the node's name.

    Examples
    --------
    >>> from hjsym.layers import Affine, Relu
    >>> net = Network.sequential(2, [Affine([[1.0, -1.0]], [0.5]), Relu()])
    >>> net([[3.0, 1.0], [0.0, 1.0]])
    array([[2.5],
           [0. ]])
    >>> net.parameters
    3
    >>> net.output_size, net.head, [values.shape for values in net.values([[3.0, 1.0]])]
    (1, None, [(1, 2), (1, 1), (1, 1)])
    >>> net.to_exact()([[3, 1]]), net.to_exact().to_float()([[3.0, 1.0]])
    (array([[Fraction(5, 2)]], dtype=object), array([[2.5]]))
    >>> from hjsym.layers import Sigmoid
    >>> scored = Network.sequential(2, [Affine([[2.0, 0.0]], [0.0]), Affine([[1.0]], [1.0]), Sigmoid()])
    >>> len(scored.fold().nodes), type(scored.head).__name__, scored.without_head()([1.0, 0.0])
    (2, 'Sigmoid', array([3.]))
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scored.save(f"{folder}/net.json")
    ...     os.listdir(folder)
    ['net.json']
    """

    input_size: int
    nodes: tuple[Node, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False
    sizes: tuple[int, ...] = field(init=False)

    def __repr__(self) -> str:
        sizes = f"{self.input_size} → {self.output_size}, {len(self.nodes)} layers"
        return f"<Network: {sizes}, {self.parameters:,} parameters{', exact' if self.exact else ''}>"

    def __post_init__(self):
        if not self.nodes:
            raise InputError("the network has no layers; give at least one")
        sizes = [self.input_size]
        for k, node in enumerate(self.nodes):
            where = f"layer {k} ({node})"
            if len(node.inputs) != node.layer.operands:
                raise InputError(f"{where} has {len(node.inputs)} inputs; it takes {node.layer.operands}")
            if any(not 0 <= i <= k for i in node.inputs):
                raise InputError(f"{where} reads values {node.inputs}; only values 0 to {k} exist before it")
            try:
                sizes.append(node.layer.output_size(*(sizes[i] for i in node.inputs)))
            except ShapeError as error:
                raise ShapeError(f"{where}: {error}") from None
            if sizes[-1] > sys.maxsize:
                raise ShapeError(f"{where} gives {describe_size(sizes[-1])} values; no array is that long")
        exact = self.exact or any(node.layer.is_exact for node in self.nodes)
        nodes = (Node(n.layer.to_exact(), n.inputs, n.name) if exact else n for n in self.nodes)
        object.__setattr__(self, "exact", exact)
        object.__setattr__(self, "nodes", tuple(nodes))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        object.__setattr__(self, "sizes", tuple(sizes))

    def __reduce__(self):
        return Network, (self.input_size, self.nodes, dict(self.metadata), self.exact)

    @classmethod
    def sequential(cls, input_size: int, layers: Sequence[Layer], **kwargs) -> Network:
        """The chain of `layers`."""
        return cls(input_size, tuple(Node(layer, (k,)) for k, layer in enumerate(layers)), **kwargs)

    @property
    def output_size(self) -> int:
        """The length of the output vector."""
        return self.sizes[-1]

    @property
    def parameters(self) -> int:
        """How many numbers the layers hold."""
        return sum(node.layer.parameters for node in self.nodes)

    @property
    def head(self) -> Layer | None:
        """The final Sigmoid, Softmax or LogSoftmax, where there is one."""
        last = self.nodes[-1].layer
        return last if isinstance(last, Head) else None

    def without_head(self) -> Network:
        """The network of scores in front of the `head`; itself where there is none."""
        if self.head is None:
            return self
        if self.nodes[-1].inputs[0] != len(self.nodes) - 1 or len(self.nodes) == 1:
            raise InputError(
                f"{self.head} acts on value {self.nodes[-1].inputs[0]}, not on a layer right before it"
            )
        return Network(self.input_size, self.nodes[:-1], self.metadata, self.exact)

    def to_exact(self) -> Network:
        """The same network over Fractions: float weights are dyadic rationals, so nothing changes."""
        return self if self.exact else Network(self.input_size, self.nodes, self.metadata, exact=True)

    def deform(self, eps: float) -> Network:
        """The same network with every bend and every maximum at temperature `eps`: ReLU becomes softplus.

        >>> from hjsym.layers import Relu
        >>> print(Network.sequential(1, [Relu()]).deform(0.5).nodes[0].layer)
        Softplus eps 0.5
        """
        if self.exact and eps:
            raise InputError(f"an exact network at eps = {eps:g}: log-sum-exp is transcendental; use floats")
        nodes = tuple(Node(node.layer.deform(eps), node.inputs, node.name) for node in self.nodes)
        return Network(self.input_size, nodes, self.metadata, self.exact)

    def to_float(self) -> Network:
        """The float64 network nearest to an exact one, weight by weight."""
        if not self.exact:
            return self
        nodes = (Node(n.layer.to_float(), n.inputs, n.name) for n in self.nodes)
        return Network(self.input_size, tuple(nodes), self.metadata)

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Values of shape (..., output_size) at points of shape (..., input_size)."""
        if is_dask(x):
            dtype = EXACT if self.exact else FLOAT64
            return at_points(self, x, self.input_size, dtype, [(self.output_size,)])[0]
        return self.values(x)[-1]

    def values(self, x: ArrayLike) -> list[np.ndarray]:
        """What every node computes: the points first, the output last."""
        values = [as_points(x, self.input_size, EXACT if self.exact else FLOAT64)]
        with np.errstate(invalid="ignore"):  # infinite points
            for node in self.nodes:
                values.append(node.layer(*(values[i] for i in node.inputs)))
        return values

    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The list of (W, b) that `hjsym.load` reads as this network: ReLU between them and nothing after the last.

        Raises InputError for any other network, with the first layer that does not fit.

        >>> from hjsym.layers import Affine, Relu
        >>> net = Network.sequential(2, [Affine([[1.0, -1.0]], [0.5]), Relu(), Affine([[2.0]], [0.0])])
        >>> net.pairs()
        [(array([[ 1., -1.]]), array([0.5])), (array([[2.]]), array([0.]))]
        """
        for k, node in enumerate(self.nodes):
            wanted = (Affine, Relu)[k % 2]
            if not isinstance(node.layer, wanted) or node.inputs != (k,):
                raise InputError(
                    f"layer {k} ({node}) reads {node.inputs}; a list of (W, b) "
                    f"has {wanted.__name__} there, reading ({k},). Try fold(), or save the network as it is"
                )
        if len(self.nodes) % 2 == 0:
            raise InputError("the network ends with a Relu; a list of (W, b) ends with an Affine")
        affine = [node.layer for node in self.nodes[::2]]
        return [(np.asarray(layer.weight), layer.bias) for layer in affine]

    def fold(self) -> Network:
        """The same function with fewer affine layers: neighbours become one; see `hjsym.fold`."""
        from hjsym.fold import fold

        return fold(self)

    def to_onnx(self, path: str | os.PathLike | None = None, *, dtype: DTypeLike = np.float64):
        """The network as an ONNX model, written to `path` if that is given; see `hjsym.to_onnx`.

        >>> from hjsym.layers import Relu
        >>> model = Network.sequential(1, [Relu()]).to_onnx()
        >>> [node.op_type for node in model.graph.node]
        ['Relu']
        """
        from hjsym.export.to_onnx import to_onnx

        return to_onnx(self, path, dtype=dtype)

    def save(self, path: str | os.PathLike) -> None:
        """Write a .json or .npz file that `hjsym.load` reads back without loss, Fractions included.

        JSON is text for reading and small networks; .npz keeps float arrays in binary. The file appears whole
        or not at all, and nothing in it is pickled.
        """
        from hjsym.frontends.saved import save_network

        save_network(self, Path(path))

    def _shape(self) -> tuple[int, int]:
        return len(self.nodes), 6

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        from hjsym._notebook import network_columns

        return network_columns(self, first)

    def __str__(self) -> str:
        lines = [f"input of size {self.input_size}"]
        for k, (node, size) in enumerate(zip(self.nodes, self.sizes[1:], strict=True), start=1):
            source = "" if node.inputs == (k - 1,) else f"  reads {', '.join(map(str, node.inputs))}"
            lines.append(f"{k:3d}  {node.layer!s:24} size {size}{source}")
        return "\n".join([*lines, f"{self.parameters:,} parameters"])

"""Affine layers that follow each other as one: batch norm goes into the convolution or linear layer before it."""

import numpy as np

from hjsym import layers
from hjsym._rows import Rows
from hjsym.network import Network, Node
from tropical._arrays import EXACT, convert, to_floats
from tropical.sparse import SparseMatrix

__all__ = ["fold"]

_MOST_PRODUCTS = 1 << 22  # Fractions multiplied for one fold: seconds
_LINEAR = (layers.Affine, layers.Scale, layers.Gather, layers.Identity)


def fold(network: Network) -> Network:
    """The same function with fewer layers: affine neighbours become one where that does not take more numbers.

    Affine, Scale, Gather and Identity layers go into an affine one right before or behind them that nothing else
    reads, two of a kind become one, and identities go. Batch norm behind a convolution or a linear layer, or in
    front of one, so costs nothing any more.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Network
        Over Fractions the same function identically. In floats each new number is the exact one rounded once.

    Notes
    -----
    A product of two matrices is kept as it is where it holds fewer numbers than the matrix that it makes, as a
    bottleneck does, or where it would take more than 2²² multiplications of Fractions.

    Examples
    --------
    >>> from hjsym.layers import Affine, Relu, Scale
    >>> chain = [Affine([[1.0, -1.0]], [0.5]), Scale([2.0], [1.0]), Relu(), Scale([3.0], [0.0]), Affine([[1.0]], [0.0])]
    >>> folded = fold(Network.sequential(2, chain))
    >>> print(folded)
    input of size 2
      1  Affine 2 → 1             size 1
      2  Relu                     size 1
      3  Affine 1 → 1             size 1
    5 parameters
    >>> folded.nodes[0].layer.weight, folded.nodes[0].layer.bias
    (array([[ 2., -2.]]), array([2.]))
    """
    nodes, sizes, k = list(network.nodes), list(network.sizes), 0
    while k < len(nodes):
        merged = _merged(nodes, k, sizes, network.exact) if isinstance(nodes[k].layer, _LINEAR) else None
        if merged is None:
            k += 1
            continue
        source = nodes[k].inputs[0]  # the value that goes
        name = nodes[k].name or nodes[source - 1].name
        nodes[k] = Node(merged, nodes[source - 1].inputs, name)
        nodes, k = _without(nodes, source, source), k - 1
        del sizes[source]
    return Network(network.input_size, tuple(_without_identities(nodes)), network.metadata, network.exact)


def _without(nodes: list[Node], value: int, instead: int) -> list[Node]:
    """The nodes without the one that computes `value`, whose readers read the earlier `instead`."""
    kept = []
    for k, node in enumerate(nodes, start=1):
        if k != value:
            inputs = (instead if i == value else i - (i > value) for i in node.inputs)
            kept.append(Node(node.layer, tuple(inputs), node.name))
    return kept


def _without_identities(nodes: list[Node]) -> list[Node]:
    """Readers of an identity read what it reads; one that hands the input to the output or a head stays."""
    for k in range(len(nodes), 0, -1):
        node = nodes[k - 1]
        if not isinstance(node.layer, layers.Identity):
            continue
        last = k == len(nodes) or (isinstance(nodes[-1].layer, layers.Head) and k in nodes[-1].inputs)
        if not last or node.inputs[0] == k - 1 > 0:
            nodes = _without(nodes, k, node.inputs[0])
    return nodes


def _merged(nodes: list[Node], k: int, sizes: list[int], exact: bool) -> layers.Layer | None:
    """Node k and the one it reads as one layer, or None where they are better apart."""
    source = nodes[k].inputs[0]
    if source == 0 or sum(node.inputs.count(source) for node in nodes) != 1:
        return None
    outer, inner = nodes[k].layer, nodes[source - 1].layer
    if not isinstance(inner, _LINEAR):
        return None
    if isinstance(outer, layers.Gather) and isinstance(inner, layers.Gather):
        return layers.Gather(inner.index[outer.index])
    if isinstance(outer, layers.Scale) and isinstance(inner, layers.Affine | layers.Scale):
        return _scaled(inner, outer, exact)
    if not isinstance(outer, layers.Affine) and not isinstance(inner, layers.Affine):
        return None
    return _product(outer, inner, sizes[source], sizes[nodes[source - 1].inputs[0]], exact)


def _scaled(inner: layers.Affine | layers.Scale, outer: layers.Scale, exact: bool) -> layers.Layer:
    """outer(inner(x)): one product for each weight, which rounds once."""
    factor = outer.factor
    bias = convert(factor, EXACT) * convert(inner.bias, EXACT) + convert(outer.bias, EXACT)
    bias = bias if exact else to_floats(bias)
    if isinstance(inner, layers.Scale):
        return layers.Scale(factor * inner.factor, bias)
    weight = inner.weight
    if isinstance(weight, SparseMatrix):
        data = weight.data * factor[weight.rows]
        return layers.Affine(SparseMatrix(weight.shape, weight.rows, weight.columns, data), bias)
    return layers.Affine(weight * factor[:, None], bias)


def _product(outer, inner, between: int, size: int, exact: bool) -> layers.Affine | None:
    """outer(inner(x)) as one matrix, if it is no larger than both; `between` and `size` are what they take."""
    if _column_counts(outer, between) @ _row_counts(inner, between) > _MOST_PRODUCTS:
        return None
    affine = [layer for layer in (outer, inner) if isinstance(layer, layers.Affine)]
    sparse = any(isinstance(layer.weight, SparseMatrix) for layer in affine)
    merged = Rows.of(outer, between).after(Rows.of(inner, size)).layer(exact, sparse)
    return merged if merged.parameters <= outer.parameters + inner.parameters else None


def _row_counts(layer: layers.Layer, size: int) -> np.ndarray:
    """How many entries each of `size` rows has."""
    if not isinstance(layer, layers.Affine):
        return np.ones(size, int)
    if isinstance(layer.weight, SparseMatrix):
        return np.diff(layer.weight.offsets)
    return (layer.weight != 0).sum(axis=1)


def _column_counts(layer: layers.Layer, size: int) -> np.ndarray:
    if isinstance(layer, layers.Gather):
        return np.bincount(layer.index, minlength=size)
    if not isinstance(layer, layers.Affine):
        return np.ones(size, int)
    if isinstance(layer.weight, SparseMatrix):
        return np.bincount(layer.weight.columns, minlength=size)
    return (layer.weight != 0).sum(axis=0)

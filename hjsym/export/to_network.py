"""Tropical functions back as networks: maxima as trees of ReLUs, or as maxout layers."""

import numpy as np

from hjsym import layers
from hjsym.compile import TropicalNetwork
from hjsym.export.relu_chain import ReluChain
from hjsym.frontends import load
from hjsym.network import Network, Node
from tropical import Circuit, Polynomial, Rational
from tropical.circuit import Affine, Input, Max, in_order
from tropical.circuit import Node as CircuitNode
from tropical.errors import InputError

__all__ = ["to_network"]


def to_network(f, maxout: bool = False) -> Network:
    """A network that computes f.

    Parameters
    ----------
    f : Polynomial, Circuit, Rational of either, TropicalNetwork
        Over max-plus or min-plus. Anything that `hjsym.load` takes is read by it.
    maxout : bool
        Keep each maximum as one layer instead of a tree of ReLUs: a polynomial becomes an affine layer and a
        `Maximum`. Needed at ε > 0, where it is a log-sum-exp.

    Returns
    -------
    Network
        From R^d to the outputs of f, of which a polynomial has one; exact if f is. What `hjsym.compile` made gives
        back the layers it was made from. Otherwise ReLUs alternate with affine layers, and `Network.pairs` lists
        their (W, b).

    Raises
    ------
    InputError
        ε > 0 without `maxout`; a polynomial without monomials.

    Notes
    -----
    Over Fractions the network equals f identically. In floats each difference of two pieces rounds once, and a value
    that is carried past a layer does not. N pieces take ⌈log₂ N⌉ hidden layers, the first of at most
    3(N + 1)/2 units; a value carried on takes two units, or one where it cannot be negative.

    References
    ----------
    Arora, Basu, Mianjy, Mukherjee, ICLR 2018, Theorem 2.1. Maxout: I. Goodfellow, D. Warde-Farley, M. Mirza,
    A. Courville, Y. Bengio, "Maxout networks", ICML 2013.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> net = to_network((x**2 + y + 1) / (x * y + 0))             # max(2x, y, 1) − max(x + y, 0)
    >>> net([[3.0, -1.0], [-2.0, 0.5]])
    array([[4.],
           [1.]])
    >>> [weight.shape for weight, bias in net.pairs()]
    [(4, 2), (4, 4), (1, 4)]
    >>> print(to_network(x**2 + y + 1, maxout=True))
    input of size 2
      1  Affine 2 → 3             size 3
      2  Maximum                  size 1
    9 parameters
    """
    if isinstance(f, TropicalNetwork) and f.P.eps is None and f.Q.eps is None:
        return f.network
    if not isinstance(f, Polynomial | Circuit | Rational):
        return load(f)
    parts = [f.P, f.Q] if isinstance(f, Rational) else [f]
    if maxout:
        return _maxout(parts)
    circuits = [_as_circuit(part) for part in parts]
    if isinstance(f, Rational) and isinstance(f.P, Polynomial):
        circuits = [_as_circuit(part, circuits[0].node.source) for part in parts]
    if not all(c.is_tropical for c in circuits):
        raise InputError(
            "a gate at eps > 0 is a log-sum-exp, which no ReLUs compute; pass maxout=True, or deform(0)"
        )
    return ReluChain(circuits, _sign(parts)).network()


def _sign(parts) -> int:
    return parts[0].semiring.sign if isinstance(parts[0], Polynomial) else 1


def _monomials(p: Polynomial) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and coefficients without those at the semiring's zero, as max_j or as −max_j of them."""
    kept = [j for j, b in enumerate(p.coefficients) if b != p.semiring.zero]
    if not kept:
        raise InputError("the polynomial is the zero of its semiring; give it a monomial")
    return p.semiring.sign * p.slopes[kept], p.semiring.sign * p.coefficients[kept]


def _as_circuit(part: Polynomial | Circuit, source: Input | None = None) -> Circuit:
    """A polynomial as a circuit of one gate, up to its sign."""
    if isinstance(part, Circuit):
        return part
    slopes, coefficients = _monomials(part)
    x = Circuit(source) if source else Circuit.identity(part.variables, part.is_exact)
    terms = [x.affine(slopes[j : j + 1], coefficients[j : j + 1]) for j in range(len(slopes))]
    return terms[0] if len(terms) == 1 else Circuit(Max(1, tuple(t.node for t in terms), part.semiring.eps))


# ---- one layer for each maximum ----------------------------------------------------------------------


def _maxout(parts) -> Network:
    nodes: list[Node] = []

    def emit(layer: layers.Layer, *inputs: int) -> int:
        nodes.append(Node(layer, inputs))
        return len(nodes)

    if isinstance(parts[0], Polynomial):
        ends = []
        for p in parts:
            affine = emit(layers.Affine(*_monomials(p)), 0)
            ends.append(emit(layers.Maximum(None, p.semiring.eps), affine))
    else:
        built: dict[CircuitNode, int] = {}
        for node in in_order(c.node for c in parts):
            built[node] = _emit_node(emit, node, built, parts[0])
        ends = [built[c.node] for c in parts]
    if len(ends) == 2:
        emit(layers.Add(_sign(parts) * np.array([1.0, -1.0])), *ends)
    elif _sign(parts) < 0:
        emit(layers.Scale([-1.0], [0.0]), *ends)
    elif not nodes:
        emit(layers.Identity(), 0)
    return Network(parts[0].variables, tuple(nodes), exact=parts[0].is_exact)


def _emit_node(emit, node: CircuitNode, built: dict[CircuitNode, int], circuit: Circuit) -> int:
    if isinstance(node, Input):
        return 0
    if isinstance(node, Affine):
        ends = []
        for weights, operand in node.terms:
            bias = node.bias if not ends else node.bias * 0
            layer = (layers.Scale if weights.ndim == 1 else layers.Affine)(weights, bias)
            ends.append(emit(layer, built[operand]))
        return ends[0] if len(ends) == 1 else emit(layers.Add(np.ones(len(ends))), *ends)
    joined = emit(layers.Concat(len(node.branches)), *(built[b] for b in node.branches))
    groups = np.arange(node.size)[:, None] + node.size * np.arange(len(node.branches))
    return emit(layers.Maximum(groups, circuit._temperature(node)), joined)

"""Networks to tropical rational functions, exactly: one rule per layer.

Every value of the network is carried as a pair of rails (P, Q) with value P − Q, both tropical circuits.
With W = W⁺ − W⁻, an affine layer gives A = W⁺P + W⁻Q + b over B = W⁺Q + W⁻P, and a ReLU max(A, B) over B:
weights stay nonnegative, so both rails stay tropical polynomials, and nothing is expanded.

Source: L. Zhang, G. Naitzat, L.-H. Lim, "Tropical geometry of deep neural networks", ICML 2018, Prop. 5.1.
"""

from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import sympy

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.expr import rational_expression
from hjsym.frontends import load
from hjsym.network import Network
from tropical import Circuit, Rational
from tropical.circuit import combine, soft_max

__all__ = ["TropicalNetwork", "compile"]


class TropicalNetwork(Rational):
    """A network f as a tropical rational function P ⊘ Q of circuits; see `tropical.Rational`.

    Attributes
    ----------
    network : Network
        What was compiled, without its head.
    head : Layer or None
        The Sigmoid or Softmax that the network applies to f; it is not part of f.
    """

    def __init__(self, P: Circuit, Q: Circuit, network: Network, head: layers.Layer | None = None):
        super().__init__(P, Q)
        self.network = network
        self.head = head

    def deform(self, eps: float) -> "TropicalNetwork":
        """P_ε ⊘ Q_ε: every max gate becomes log-sum-exp at temperature `eps`."""
        return TropicalNetwork(self.P.deform(eps), self.Q.deform(eps), self.network, self.head)

    def expr(self, symbols=None, *, limit: int = 1_000_000) -> sympy.Expr | list[sympy.Expr]:
        """f as SymPy expressions P − Q, unevaluated; one expression, or a list of them for several outputs.

        Parameters
        ----------
        symbols : sequence of sympy.Symbol, optional
            One per variable; x1 … xd by default.
        limit : int
            Largest number of operations in the printed formula.

        Raises
        ------
        BudgetExceeded
            If the formula would be larger, saying how large.

        Examples
        --------
        >>> f = compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])])
        >>> f.expr()
        -2.0*x2 + 2.0*Max(x1, x2) + 1
        """
        return rational_expression(self.P, self.Q, symbols, limit)


def compile(source, exact: bool = False) -> TropicalNetwork:
    """Turn a network into its tropical rational function f = P ⊘ Q.

    Parameters
    ----------
    source
        Anything `hjsym.load` takes.
    exact : bool
        Compile over `fractions.Fraction`. Float weights are dyadic rationals, so f then equals the network
        identically, at every rational point.

    Returns
    -------
    TropicalNetwork
        ``f(x)`` has shape (..., m) for points (..., d). A final Sigmoid or Softmax is left out and kept in
        ``f.head``: f is the scores it acts on. Softplus and LogSumExp become gates at their temperature.

    Raises
    ------
    UnsupportedLayerError
        A layer that is not piecewise linear nor a log-sum-exp, by name and position.

    Notes
    -----
    Cost: one pass over the weights; the circuit has about four times as many.

    References
    ----------
    Zhang, Naitzat, Lim, ICML 2018, Theorem 5.4.

    Examples
    --------
    >>> f = compile([([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -3.0]], [0.25])])
    >>> f([2.0, 1.0])
    array([-10.75])
    >>> f.affine_at([2.0, 1.0])
    (array([[-0.5, -7. ]]), array([-2.75]))
    >>> compile(f.network, exact=True)([2, 1])
    array([Fraction(-43, 4)], dtype=object)
    """
    whole = load(source)
    network = whole.without_head()
    if exact:
        network = network.to_exact()
    values = [Rails(Circuit.identity(network.input_size, exact=network.exact))]
    for k, node in enumerate(network.nodes):
        operands = [values[i] for i in node.inputs]
        if exact and isinstance(node.layer, (layers.Softplus, layers.LogSumExp)):
            raise UnsupportedLayerError(
                f"layer {k} ({node.layer}) is transcendental; compile without exact=True"
            )
        try:
            values.append(_rule(node.layer, *operands))
        except UnsupportedLayerError as error:
            raise UnsupportedLayerError(f"layer {k} ({node.name or node.layer}): {error}") from None
    rails = values[-1]
    return TropicalNetwork(rails.P, rails.denominator, network, whole.head)


@dataclass(frozen=True, eq=False)
class Rails:
    """A vector of values P − Q; Q None is zero, which shallow layers often have."""

    P: Circuit
    Q: Circuit | None = None

    @property
    def denominator(self) -> Circuit:
        return self.P**0 if self.Q is None else self.Q


def _affine(pairs, bias=None) -> Circuit | None:
    """Σ weight @ circuit + bias without the terms that vanish; None if nothing is left and no bias."""
    kept = [(w, c) for w, c in pairs if c is not None and (w != 0).any()]
    if not kept and bias is None:
        return None
    return combine(kept or pairs[:1], bias)


def _scaled(rails: Rails, factor) -> Rails:
    """The values times a number of either sign."""
    if factor < 0:
        swapped = Rails(rails.denominator, rails.P)
        return _scaled(swapped, -factor)
    return Rails(rails.P**factor, None if rails.Q is None else rails.Q**factor)


def _split(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W⁺ and W⁻ with W = W⁺ − W⁻."""
    return np.where(weight > 0, weight, weight * 0), np.where(weight < 0, -weight, weight * 0)


def _linear(rails: Rails, weight: np.ndarray, bias: np.ndarray | None = None) -> Rails:
    positive, negative = _split(weight)
    P, Q = rails.P, rails.Q
    numerator = _affine([(positive, P), (negative, Q)], np.zeros(len(weight)) if bias is None else bias)
    return Rails(numerator, _affine([(positive, Q), (negative, P)]))


def _sum(a: Circuit | None, b: Circuit | None) -> Circuit | None:
    return a if b is None else b if a is None else a * b


@singledispatch
def _rule(layer, *operands: Rails) -> Rails:
    """The rails of one layer from those of its operands."""
    raise UnsupportedLayerError(
        f"{layer} is not piecewise linear; it can only be the last layer, where it is left out of f"
    )


@_rule.register
def _(layer: layers.Affine, rails: Rails) -> Rails:
    return _linear(rails, layer.weight, layer.bias)


@_rule.register
def _(layer: layers.Shift, rails: Rails) -> Rails:
    return Rails(combine([(np.ones(len(layer.bias)), rails.P)], layer.bias), rails.Q)


@_rule.register
def _(layer: layers.Identity, rails: Rails) -> Rails:
    return rails


@_rule.register
def _(layer: layers.Add, a: Rails, b: Rails) -> Rails:
    return Rails(a.P * b.P, _sum(a.Q, b.Q))


@_rule.register
def _(layer: layers.Relu, rails: Rails, eps: float = 0.0) -> Rails:
    return Rails(soft_max([rails.P, rails.denominator], eps), rails.Q)


@_rule.register
def _(layer: layers.Softplus, rails: Rails) -> Rails:
    return _rule.dispatch(layers.Relu)(layer, rails, layer.eps)


@_rule.register
def _(layer: layers.LeakyRelu, rails: Rails) -> Rails:
    """max(z, az) for a ≤ 1, min(z, az) = −max(−z, −az) above; over a common denominator."""
    a = layer.slope
    line, bent = rails, _scaled(rails, a)
    if a > 1:
        line, bent = _scaled(rails, -1), _scaled(rails, -a)
    # line = A − B and bent = C − D have the maximum max(A + D, C + B) − (B + D).
    numerator = soft_max([_sum(line.P, bent.Q), _sum(bent.P, line.Q)])
    denominator = _sum(line.Q, bent.Q)
    if a > 1:
        return Rails(numerator**0 if denominator is None else denominator, numerator)
    return Rails(numerator, denominator)


@_rule.register
def _(layer: layers.LogSumExp, rails: Rails) -> Rails:
    """LSE_i(P_i − Q_i) = LSE_i(P_i + Σ_{k≠i} Q_k) − Σ_k Q_k."""
    eye, ones = np.eye(rails.P.outputs), np.ones((1, rails.P.outputs))
    branches = [_affine([(row[None], rails.P), (ones - row, rails.Q)], np.zeros(1)) for row in eye]
    return Rails(soft_max(branches, layer.eps), _affine([(ones, rails.Q)]))

"""Which Hamilton–Jacobi system a layer or network is: `hamiltonian`."""

import numpy as np
from numpy.typing import ArrayLike

from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends import load
from hjsym.frontends.torch_steps import to_array
from hjsym.hopf import LSELayer
from hjsym.systems import flows, waves
from hjsym.systems.space_time import SpaceTimeNetwork
from hjsym.systems.system import HJSystem
from tropical import Polynomial, Rational
from tropical.errors import InputError

__all__ = ["hamiltonian"]

_ACTIVATIONS = {
    "gelu": waves.gelu, "sigmoid": waves.sigmoid, "silu": waves.silu,
    "softplus": waves.softplus, "swish": waves.silu, "tanh": waves.tanh,
}  # fmt: skip
_RECURRENT = ("RNN", "RNNCell", "GRU", "GRUCell", "LSTM", "LSTMCell")


def hamiltonian(
    source,
    *,
    u: ArrayLike | None = None,
    gauge: str = "plane wave",
    symbolic: bool = False,
    input_shape=None,
    **options,
) -> HJSystem | list[HJSystem]:
    """The Hamilton–Jacobi system that a layer or network solves or discretises.

    | source | system | label |
    |---|---|---|
    | `LSELayer`, soft `Polynomial`, Affine → LogSumExp or Softplus | viscous, H = κ p·p, ν = κε | exact |
    | `Polynomial` at ε = 0 | inviscid, its viscosity solution | exact |
    | `tropical.Rational`, piecewise-linear networks | a pair of these, f = V_Q − V_P | exact |
    | "sigmoid", "tanh", "silu", "gelu", "softplus" with eps= | the viscous equation, by derivatives | exact |
    | torch RNN, GRU, LSTM and their cells, at an input u | H = p·F, a unit Euler step | structural |
    | `hjsym.systems.SpaceTimeNetwork` | the Hamiltonian learnt by a max network of x and t | exact |
    | `hjsym.systems.StateSpace` | H = p·(Ax + Bu), the hold is the flow | exact |

    `hjsym.systems` has the rest by name: `attention`, `attention_heads`, `TransformerBlock`, `residual_step`,
    `log_semiring_step`, `integrate_and_fire`, `LearnedHamiltonian`.

    Parameters
    ----------
    source
        As in the table; networks as anything `hjsym.load` takes.
    u : (m,) array, optional
        The input that a recurrent layer or state-space model is held at.
    gauge : {"plane wave", "kernel"}
        For log-sum-exp layers; see `hjsym.hopf`.
    symbolic : bool
        Keep the weights of a log-sum-exp layer as symbols, their values in `parameters`.
    input_shape : sequence of int, optional
        The shape of one input of a network that does not say it.
    **options
        For networks those of `essential`, such as ``domain`` and ``max_regions``.

    Returns
    -------
    HJSystem, or a list of them for several outputs

    Raises
    ------
    UnsupportedLayerError
        A layer without a known equation, by name.
    BudgetExceeded
        A network with more regions, or a layer with more numbers, than symbols can carry.

    Examples
    --------
    >>> system = hamiltonian([([[1.0, -1.0], [0.0, 2.0]], [0.0, 1.0]), ([[1.0, 1.0]], [0.0])])
    >>> system.H, system.label
    (p1**2 + p2**2, 'exact')
    >>> print(hamiltonian("tanh", eps=2).pde)
    Eq(Derivative(V(x1, t), t) + Derivative(V(x1, t), x1)**2, 2*Derivative(V(x1, t), (x1, 2)))
    """
    if isinstance(source, str) and source.lower() in _ACTIVATIONS:
        return _ACTIVATIONS[source.lower()](**options)
    if isinstance(source, flows.StateSpace):
        return source.system(u)
    if isinstance(source, SpaceTimeNetwork):
        return source.system()
    if isinstance(source, LSELayer):
        return waves.log_sum_exp(source, gauge, symbolic)
    if isinstance(source, Polynomial):
        return _of_polynomial(source, gauge, symbolic)
    if isinstance(source, Rational) and not isinstance(source, TropicalNetwork):
        return waves.tropical_rational(source)
    if _is_recurrent(source):
        return _of_recurrent(source, u)
    if isinstance(source, TropicalNetwork):
        return _of_network(source, options)
    network = load(source, input_shape)
    if any(node.layer.eps for node in network.nodes):
        return waves.log_sum_exp(_log_sum_exp(network), gauge, symbolic)
    return _of_network(compile(network), options)


def _of_polynomial(polynomial: Polynomial, gauge: str, symbolic: bool) -> HJSystem:
    if polynomial.semiring.sign != 1:
        raise InputError("the polynomial takes minima; negate it, the equations are those of maxima")
    if not polynomial.semiring.eps:
        return waves.maximum(polynomial)
    layer = LSELayer(polynomial.slopes, polynomial.coefficients, polynomial.semiring.eps)
    return waves.log_sum_exp(layer, gauge, symbolic)


def _log_sum_exp(network) -> LSELayer:
    try:
        return LSELayer.from_network(network)
    except InputError as error:
        raise UnsupportedLayerError(
            f"{error}; deeper soft networks solve no equation of one ε, their layers do, each by itself"
        ) from None


def _of_network(f: TropicalNetwork, options: dict) -> HJSystem | list[HJSystem]:
    pairs = f.essential(**options)
    pairs = pairs if isinstance(pairs, list) else [pairs]
    systems = [waves.tropical_rational(Rational(P, Q)) for P, Q in pairs]
    return systems[0] if len(systems) == 1 else systems


def _is_recurrent(source) -> bool:
    return type(source).__module__.startswith("torch.") and type(source).__name__ in _RECURRENT


def _of_recurrent(module, u: ArrayLike | None) -> HJSystem:
    """torch's recurrent modules of one layer and one direction."""
    name = type(module).__name__
    if getattr(module, "num_layers", 1) != 1 or getattr(module, "bidirectional", False):
        raise UnsupportedLayerError(f"{name} of several layers or directions; pass one of them")
    if getattr(module, "proj_size", 0):
        raise UnsupportedLayerError(f"{name} with a projection (proj_size) is not read")
    if u is None:
        raise InputError(f"{name} is driven by an input; pass u=, of shape ({module.input_size},)")
    suffix = "" if name.endswith("Cell") else "_l0"
    U, W, a, b = (
        to_array(getattr(module, part + suffix, None))
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    u = np.asarray(u, dtype=float)
    if u.shape != (U.shape[1],):
        raise InputError(f"u has shape {u.shape}; pass ({U.shape[1]},), one input of {name}")
    outer = U @ u + (0 if a is None else a)
    inner = np.zeros(len(W)) if b is None else b
    if name.startswith("GRU"):
        return flows.gru(W, outer, inner)
    if name.startswith("LSTM"):
        return flows.lstm(W, outer + inner)
    return flows.rnn(W, b=outer + inner, activation=module.nonlinearity)

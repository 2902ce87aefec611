"""Which Hamilton–Jacobi system a layer or network is: `hamiltonian`."""

from __future__ import annotations

import inspect

import numpy as np
from numpy.typing import ArrayLike

from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends import load
from hjsym.frontends.torch_steps import to_array
from hjsym.hopf import LSELayer
from hjsym.network import Network
from hjsym.systems import cells, units, waves
from hjsym.systems.gates import SmoothGate
from hjsym.systems.residual_networks import residual_flows, residual_runs
from hjsym.systems.space_time import SpaceTimeNetwork
from hjsym.systems.state_space import SelectiveStateSpace, StateSpace
from hjsym.systems.system import HJSystem
from tropical import Polynomial, Rational
from tropical.errors import InputError

__all__ = ["hamiltonian"]

_ACTIVATIONS = {
    "gelu": units.gelu, "relu": units.relu, "sigmoid": units.sigmoid, "silu": units.silu,
    "softplus": units.softplus, "swish": units.silu, "tanh": units.tanh,
}  # fmt: skip
_TORCH_GATES = {
    name: SmoothGate(name.lower())
    for name in ("tanh", "Tanh", "sigmoid", "Sigmoid", "silu", "SiLU", "gelu", "GELU")
}
_RECURRENT = ("RNN", "RNNCell", "GRU", "GRUCell", "LSTM", "LSTMCell")


def hamiltonian(
    source,
    *,
    u: ArrayLike | None = None,
    gauge: str = "plane wave",
    symbolic: bool = False,
    A: ArrayLike | None = None,
    t: float = 1.0,
    input_shape=None,
    **options,
) -> HJSystem | list[HJSystem]:
    """The Hamilton–Jacobi system that a layer or network solves or discretises.

    | source | system | label |
    |---|---|---|
    | `LSELayer`, soft `Polynomial`, Affine → LogSumExp or Softplus | viscous, H = κ p·p, ν = κε | exact |
    | residual networks, torch's with tanh, sigmoid, SiLU, GELU too | H = p·F_k(x), an Euler step a block | structural |
    | `Polynomial` at ε = 0 | inviscid, its viscosity solution | exact |
    | `tropical.Rational`, piecewise-linear networks | a pair of these, f = V_Q − V_P | exact |
    | "softplus", "sigmoid", "tanh", "silu" with eps=, w=, b= | the viscous equation, by derivatives | exact |
    | "relu", "gelu" with w=, b= | its limit; linear heat, H = 0 | exact |
    | torch RNN, GRU, LSTM and their cells, at an input u | H = p·F, a unit Euler step | structural |
    | `hjsym.systems.SpaceTimeNetwork` | the Hamiltonian learnt by a max network of x and t | exact |
    | `hjsym.systems.StateSpace` | H = p·(Ax + Bu), the hold is the flow | exact |
    | `hjsym.systems.SelectiveStateSpace` | H = p·Δ(u)(Ax + B(u)u), a time change | exact |

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
        Keep weights as symbols, up to four hundred, with their values in `parameters`: `subs` of these gives the system
        of numbers.
    A : (d, d) array, optional
        For layers and maxima: H = κ pᵀAp and the viscosity ν tr(A∇²) with A symmetric and positive definite.
    t : float
        Time > 0 of the kernel gauge.
    input_shape : sequence of int, optional
        The shape of one input of a network that does not say it.
    **options
        For networks those of `essential`, such as ``domain`` and ``max_regions``.

    Returns
    -------
    HJSystem, or a list of them: for several outputs, or for residual blocks of several sizes

    Notes
    -----
    A residual network is read as a flow, whatever its gates; as a pair of solutions ``hamiltonian(compile(network))``
    reads one that is piecewise linear. H of several blocks depends on t, block k holding for its own step.

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
    if isinstance(source, str) and source.isidentifier():
        _refuse(source, A=A, u=u)
        if source.lower() not in _ACTIVATIONS:
            raise UnsupportedLayerError(
                f"activation {source!r} is not known; read are {', '.join(_ACTIVATIONS)}, and files by their path"
            )
        of = _ACTIVATIONS[source.lower()]
        _refuse(source, **{name: options[name] for name in options.keys() - inspect.signature(of).parameters})
        return of(symbolic=symbolic, **options)
    if isinstance(source, StateSpace | SelectiveStateSpace | SpaceTimeNetwork) or _is_of_torch(
        source, _RECURRENT
    ):
        _refuse(source, A=A, **options)
    if isinstance(source, LSELayer | Polynomial):
        _refuse(source, u=u, **options)
    if isinstance(source, StateSpace | SelectiveStateSpace):
        return source.system(u, symbolic)
    if isinstance(source, SpaceTimeNetwork):
        return source.system()
    if isinstance(source, LSELayer):
        return waves.log_sum_exp(source, gauge, symbolic, A, t)
    if isinstance(source, Polynomial):
        return _of_polynomial(source, gauge, symbolic, A, t)
    if isinstance(source, Rational) and not isinstance(source, TropicalNetwork):
        return waves.tropical_rational(source, symbolic=symbolic, A=A)
    if _is_of_torch(source, _RECURRENT):
        return _of_recurrent(source, u, symbolic)
    if isinstance(source, TropicalNetwork):
        return _of_network(source, symbolic, A, options)
    network = _loaded(source, input_shape)
    if flows := residual_flows(network, symbolic):
        _refuse("a residual network", A=A, u=u, **options)
        return flows[0] if len(flows) == 1 else flows
    if any(node.layer.eps for node in network.nodes):
        return waves.log_sum_exp(_log_sum_exp(network), gauge, symbolic, A, t)
    return _of_network(compile(network), symbolic, A, options)


def _refuse(source, **given) -> None:
    """What was given and means nothing for this source."""
    if unread := [name for name, value in given.items() if value is not None]:
        kind = source if isinstance(source, str) else type(source).__name__
        raise InputError(f"{', '.join(unread)} means nothing for {kind}; leave it out")


def _loaded(source, input_shape) -> Network:
    """The network; of torch with smooth gates too, if it has residual blocks for them."""
    try:
        return load(source, input_shape)
    except UnsupportedLayerError:
        if not _is_torch(source):
            raise
        from hjsym.frontends.torch import load_torch

        network = load_torch(source, input_shape, _TORCH_GATES)
        if not residual_runs(network):
            raise
        return network


def _is_torch(source) -> bool:
    return any(cls.__module__.partition(".")[0] == "torch" for cls in type(source).__mro__)


def _of_polynomial(polynomial: Polynomial, gauge: str, symbolic: bool, A, t: float) -> HJSystem:
    if polynomial.semiring.sign != 1:
        raise InputError("the polynomial takes minima; negate it, the equations are those of maxima")
    if not polynomial.semiring.eps:
        return waves.maximum(polynomial, symbolic=symbolic, A=A)
    layer = LSELayer(polynomial.slopes, polynomial.coefficients, polynomial.semiring.eps)
    return waves.log_sum_exp(layer, gauge, symbolic, A, t)


def _log_sum_exp(network) -> LSELayer:
    try:
        return LSELayer.from_network(network)
    except InputError as error:
        raise UnsupportedLayerError(
            f"{error}; deeper soft networks solve no equation of one ε, their layers do, each by itself"
        ) from None


def _of_network(f: TropicalNetwork, symbolic: bool, A, options: dict) -> HJSystem | list[HJSystem]:
    pairs = f.essential(**options)
    pairs = pairs if isinstance(pairs, list) else [pairs]
    systems = [waves.tropical_rational(Rational(P, Q), symbolic=symbolic, A=A) for P, Q in pairs]
    return systems[0] if len(systems) == 1 else systems


def _is_of_torch(source, names: tuple[str, ...]) -> bool:
    return type(source).__module__.startswith("torch.") and type(source).__name__ in names


def _of_recurrent(module, u: ArrayLike | None, symbolic: bool) -> HJSystem:
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
        return cells.gru(W, outer, inner, symbolic)
    if name.startswith("LSTM"):
        return cells.lstm(W, outer + inner, symbolic)
    return cells.rnn(W, b=outer + inner, activation=module.nonlinearity, symbolic=symbolic)

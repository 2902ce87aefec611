"""Residual networks as Euler's steps of flows: blocks x ↦ x + hF_k(x) one after the other, H(x, p, t) = p·F_k(x).

Block k takes the time from h_1 + … + h_{k−1} to h_1 + … + h_k: H is piecewise constant in t where weights differ.
What stands in front of the blocks, behind them, or changes the size of the state between them, is no part of the flow.

Sources: W. E, Commun. Math. Stat. 5 (2017); E. Haber, L. Ruthotto, "Stable architectures for deep neural networks",
Inverse Problems 34 (2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import sympy

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.network import Network
from hjsym.pontryagin import Step, steps_of
from hjsym.symbols import LogSumExp
from hjsym.systems.flows import flow_defect, in_turn
from hjsym.systems.gates import Applied, SmoothGate
from hjsym.systems.system import HJSystem
from hjsym.systems.weights import Weights, column, hadamard, mixed, pairing

__all__ = ["residual_flows", "residual_runs"]

_T = sympy.Symbol("t", real=True)


@dataclass(frozen=True)
class _Block:
    """Nodes start … stop − 1 are x ↦ x + hF(x). F is the value `branch` of the network, or where there is no such one
    what they make of x, minus x."""

    start: int
    stop: int
    h: float = 1.0
    branch: int | None = None


def residual_flows(network: Network, symbolic: bool = False) -> list[HJSystem]:
    """A system for each run of residual blocks that keep the size of the state; none for other networks."""
    return [_system(network, run, symbolic) for run in residual_runs(network)]


def residual_runs(network: Network) -> list[list[_Block]]:
    """The blocks that follow each other, run by run."""
    runs, run, steps = [], [], steps_of(network)
    for k, step in enumerate(steps):
        block = _block(network, step)
        if block is None and run and run[-1].stop == step.start and _is_gate(network, step):
            run[-1] = _Block(run[-1].start, step.stop)  # a gate behind the sum belongs to the block
        elif block is not None:
            run.append(block)
        if run and (k + 1 == len(steps) or (block is None and run[-1].stop != step.stop)):
            runs.append(run)
            run = []
    return runs


def _block(network: Network, step: Step) -> _Block | None:
    node = network.nodes[step.stop - 1]
    if not isinstance(node.layer, layers.Add) or node.inputs.count(step.start) != 1:
        return None
    factors = dict(zip(node.inputs, map(float, node.layer.factors), strict=True))
    if factors.pop(step.start) != 1:
        return None
    if len(factors) != 1 or len(node.inputs) != 2:
        return _Block(step.start, step.stop)
    ((branch, h),) = factors.items()
    last = network.nodes[branch - 1]
    if branch != step.start and _is_multiple(last.layer):
        h, branch = h * float(last.layer.factor[0]), last.inputs[0]
    return _Block(step.start, step.stop, h, branch) if h > 0 else _Block(step.start, step.stop)


def _is_multiple(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.Scale) and not layer.bias.any() and len(set(layer.factor)) == 1


def _is_gate(network: Network, step: Step) -> bool:
    layer = network.nodes[step.stop - 1].layer
    return step.stop == step.start + 1 and isinstance(layer, layers.PiecewiseLinear | SmoothGate)


def _system(network: Network, run: list[_Block], symbolic: bool) -> HJSystem:
    d, nodes = network.sizes[run[0].start], network.nodes[run[0].start : run[-1].stop]
    weights = Weights.of("the residual network", d, sum(n.layer.parameters for n in nodes), symbolic)
    x, p = weights.state(d)
    writer = _Writer(weights, {})
    parts = [pairing(p, writer.rate(network, block, column(x))) for block in run]
    ends = list(accumulate(block.h for block in run))
    times = [mixed(float(f"{end:.12g}")) for end in ends[:-1]]
    steps = ", ".join(f"{h:g}" for h in dict.fromkeys(block.h for block in run))
    return HJSystem(
        name=f"residual network of {len(run)} blocks in {d} states", label="structural",
        reason="Euler's steps of a transport equation, one a block; its co-states are exact, its flow is not",
        H=in_turn(parts, times, _T), x=x, p=p, t=_T, parameters=weights.parameters,
        readout=f"the blocks are steps of size {steps} along x' = ∂H/∂p from t = 0 to {ends[-1]:g}"
        f"{_around(network, run)}",
        defect=flow_defect(
            [_step(network, block) for block in run], [_rate(network, block) for block in run],
            [block.h for block in run], d,
        ),
    )  # fmt: skip


def _around(network: Network, run: list[_Block]) -> str:
    before = [str(n.layer) for n in network.nodes[: run[0].start]]
    after = [str(n.layer) for n in network.nodes[run[-1].stop :]]
    text = f", behind {' → '.join(before)}" if before else ""
    return text + (f", in front of {' → '.join(after)}" if after else "")


# ---- numbers -----------------------------------------------------------------------------------------


def _values(network: Network, block: _Block, x: np.ndarray) -> dict[int, np.ndarray]:
    values = {block.start: x}
    for k in range(block.start, block.stop):
        node = network.nodes[k]
        values[k + 1] = node.layer(*(values[i] for i in node.inputs))
    return values


def _step(network: Network, block: _Block) -> Callable:
    return lambda x: _values(network, block, x)[block.stop]


def _rate(network: Network, block: _Block) -> Callable:
    def rate(x):
        values = _values(network, block, x)
        return values[block.stop] - x if block.branch is None else values[block.branch]

    return rate


# ---- symbols -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Writer:
    """Layers as formulas; equal weights have equal symbols."""

    weights: Weights
    known: dict

    def rate(self, network: Network, block: _Block, x):
        values = {block.start: x}
        stop = block.stop if block.branch is None else block.branch
        for k in range(block.start, stop):
            node = network.nodes[k]
            values[k + 1] = self._applied(node.layer, [values[i] for i in node.inputs])
        return values[stop] - x if block.branch is None else values[stop]

    def _named(self, arrays: tuple, write: Callable):
        """What `write` makes of a number for the arrays, once for equal ones."""
        key = tuple(a.tobytes() for a in arrays)
        if key not in self.known:
            self.known[key] = write(len(self.known) + 1)
        return self.known[key]

    def _applied(self, layer: layers.Layer, inputs: list):
        z = inputs[0]
        match layer:
            case layers.Identity():
                return z
            case layers.Affine():
                W, b = (np.asarray(v, dtype=float) for v in (layer.weight, layer.bias))
                W, b = self._named(
                    (W, b),
                    lambda k: (self.weights.matrix(f"W_{k}", W), self.weights.vector(f"b_{k}", b)),
                )
                return W * z + b
            case layers.Scale():
                a, b = (np.asarray(v, dtype=float) for v in (layer.factor, layer.bias))
                a, b = self._named(
                    (a, b), lambda k: (self.weights.vector(f"a_{k}", a), self.weights.vector(f"b_{k}", b))
                )
                return hadamard(a, z) + b
            case layers.Add():
                terms = [z if f == 1 else mixed(f) * z for f, z in zip(layer.factors, inputs, strict=True)]
                return sum(terms[1:], terms[0])
            case SmoothGate():
                return self.weights.gate(layer.name, z)
            case layers.Sigmoid():
                return self.weights.gate("sigmoid", z)
            case layers.Softplus():
                return self._softplus(mixed(layer.eps), z)
            case layers.PiecewiseLinear() if layer.slopes.shape[1] == 1:
                return self._piecewise(layer, z)
        raise UnsupportedLayerError(
            f"{layer} in a residual block has no formula here; hjsym.pontryagin runs its flow, and "
            "hjsym.hamiltonian(hjsym.compile(network)) reads a piecewise-linear network as a whole"
        )

    def _softplus(self, eps: sympy.Expr, z):
        if self.weights.is_matrix:
            return eps * Applied("softplus", z / eps)
        return z.applyfunc(lambda v: LogSumExp(eps, v, 0))

    def _piecewise(self, layer: layers.PiecewiseLinear, z):
        """Its own sum of max(z − break, 0)."""
        one = sympy.OneMatrix(*z.shape) if self.weights.is_matrix else sympy.ones(*z.shape)
        total = mixed(layer.slopes[0, 0]) * z + mixed(layer.intercept[0]) * one
        for bend, place in zip(layer.bends[:, 0], layer.breaks[:, 0], strict=True):
            bent = (
                self.weights.gate("relu", z - mixed(place) * one)
                if not layer.eps
                else self._softplus(mixed(layer.eps), z - mixed(place) * one)
            )
            total = total + mixed(bend) * bent
        return total

"""Backpropagation as Pontryagin's co-state equations, for any feed-forward network.

A network is a discrete control system x_{l+1} = f_l(x_l, θ_l) with the cost Φ(x_L). With the Hamiltonians
H_l(x, p, θ) = p·f_l(x, θ) the co-states and the gradients are

    p_L = ∇Φ(x_L),    p_l = ∂_x H_l(x_l, p_{l+1}, θ_l),    ∂Φ/∂θ_l = ∂_θ H_l(x_l, p_{l+1}, θ_l):

exactly backpropagation. The co-state that goes with x_l is p_{l+1}; p_l in its place is wrong by the size of a
step. The map (x_l, p_l) → (x_{l+1}, p_{l+1}) has x ↦ H_l(x, p_{l+1}) for generating function and is symplectic;
for a residual step x + hF it is the symplectic Euler method of H = p·F.

Only ∂_θ H_l = 0 holds at an optimum; that θ_l maximises H_l fails in general.

Source: A. E. Bryson, Y.-C. Ho, *Applied Optimal Control* (1975), section 2.2; Q. Li, L. Chen, C. Tai, W. E,
"Maximum principle based algorithms for deep learning", JMLR 18 (2018), section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from hjsym.adjoints import curve, pull, push, weight_gradients
from hjsym.frontends import load
from hjsym.network import Network
from tropical._arrays import as_array, convert, refuse_where
from tropical._display import summary
from tropical.errors import InputError, ShapeError

__all__ = ["Extremal", "Step", "pontryagin", "steps_of"]


def pontryagin(
    source,
    x: ArrayLike,
    terminal: ArrayLike | Callable[[np.ndarray], ArrayLike],
    *,
    input_shape: Sequence[int] | None = None,
) -> Extremal:
    """States, co-states, Hamiltonians and gradients of a network at points x, for a cost of its outputs.

    Parameters
    ----------
    source
        Anything `hjsym.load` takes; its head, if any, is part of it.
    x : (..., d) array
        Points; gradients of weights are summed over them.
    terminal : (..., m) array or callable
        ∇Φ at the outputs, or a function that gives it there: for the squared error ``lambda y: 2 * (y - target)``,
        for one output ``[0, 1, 0]``.
    input_shape : sequence of int, optional
        The shape of one input, where the source does not know it; see `hjsym.load`.

    Returns
    -------
    Extremal

    Raises
    ------
    ShapeError
        Points or a terminal gradient of another shape.
    InputError
        A terminal gradient that is not finite.

    Notes
    -----
    Cost: a forward pass and twice that back. Over Fractions (an exact network without ε) all is exact.
    The derivative at a bend is that of its left side, of a maximum that of its first entry.

    Examples
    --------
    >>> net = [([[1.0, 2.0], [0.0, -1.0]], [0.0, 0.5]), ([[3.0, 1.0]], [0.0])]
    >>> run = pontryagin(net, [1.0, 1.0], lambda y: 2 * (y - 4.0))       # Φ = (y − 4)²
    >>> run.states[-1], run.costates[0]                                  # the output, and ∂Φ/∂x
    (array([9.]), array([30., 60.]))
    >>> run.gradients[0]["weight"]                                       # ∂Φ/∂W of the first layer
    array([[30., 30.],
           [ 0.,  0.]])
    >>> [float(H) for H in run.hamiltonians]                             # p_{l+1}·x_{l+1}
    [90.0, 90.0, 90.0]
    """
    network = load(source, input_shape)
    values = network.values(x)
    shape = values[-1].shape
    given = terminal(values[-1]) if callable(terminal) else terminal
    given = as_array("terminal", given)
    refuse_where(~np.isfinite(given.astype(float)), "terminal", given, "a gradient must be finite")
    try:
        given = np.broadcast_to(given, shape)
    except ValueError:
        raise ShapeError(
            f"terminal has shape {given.shape} but the outputs have {shape}; pass one number for each output"
        ) from None
    return Extremal(network, tuple(values), convert(given, values[-1].dtype))


@dataclass(frozen=True)
class Step:
    """The part of the network from one state to the next: all that a residual edge spans is one step.

    `start` and `stop` number values of the network, 0 for the input and k for that of node k − 1.
    """

    start: int
    stop: int


def steps_of(network: Network) -> tuple[Step, ...]:
    """The network cut wherever all paths from input to output pass through one value."""
    graph = nx.DiGraph([(i, k) for k, node in enumerate(network.nodes, 1) for i in node.inputs])
    above, last = nx.immediate_dominators(graph, 0), len(network.nodes)
    if last not in above:
        return (Step(0, last),)
    chain = [last]
    while chain[-1] != 0:
        chain.append(above[chain[-1]])
    return tuple(Step(*ends) for ends in pairwise(reversed(chain)))


@dataclass(frozen=True, eq=False)
class Extremal:
    """The states and co-states of a network at some points; what `pontryagin` returns.

    Attributes
    ----------
    network : Network
    values : tuple of (..., n_k) arrays
        What each node computes; the input first.
    terminal : (..., m) array
        ∇Φ at the outputs.
    """

    network: Network
    values: tuple[np.ndarray, ...]
    terminal: np.ndarray

    __repr__ = summary

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The network cut wherever all paths from input to output pass through one value."""
        return steps_of(self.network)

    @cached_property
    def _sweep(self) -> tuple[list[np.ndarray], list[dict]]:
        return _back(self.network, self.values, Step(0, len(self.network.nodes)), self.terminal)

    @property
    def adjoints(self) -> list[np.ndarray]:
        """∂Φ/∂v for every value v of the network, in the order of `values`."""
        return self._sweep[0]

    @property
    def gradients(self) -> list[dict]:
        """∂Φ/∂θ for every node: a dict from the name of an array of the layer to its gradient, empty without
        weights. Of a sparse matrix the gradient of its stored entries; those of a convolution stand in many
        places."""
        return self._sweep[1]

    @property
    def states(self) -> list[np.ndarray]:
        """x_0 … x_L, at the ends of the `steps`."""
        return [self.values[0], *(self.values[s.stop] for s in self.steps)]

    @property
    def costates(self) -> list[np.ndarray]:
        """p_0 … p_L, of the shapes of the `states`; p_0 is ∂Φ/∂x."""
        return [self.adjoints[0], *(self.adjoints[s.stop] for s in self.steps)]

    @property
    def hamiltonians(self) -> list[np.ndarray]:
        """H_l = p_{l+1}·f_l(x_l) of each step, of shape (...)."""
        return [(self.adjoints[s.stop] * self.values[s.stop]).sum(axis=-1) for s in self.steps]

    @property
    def rates(self) -> list[np.ndarray | None]:
        """p_{l+1}·(x_{l+1} − x_l) of each step: hH of the flow x' = F where a step is x + hF(x). None where
        a step changes the size of the state."""
        return [
            (self.adjoints[s.stop] * (self.values[s.stop] - self.values[s.start])).sum(axis=-1)
            if self._keeps_size(s)
            else None
            for s in self.steps
        ]

    @property
    def drifts(self) -> list[np.ndarray | None]:
        """How much `rates` changes from each step to the next. Along an autonomous flow H is constant, and
        with equal weights in all steps hH changes by O(h³) only."""
        return [None if a is None or b is None else b - a for a, b in pairwise(self.rates)]

    def wrongly_paired_gradients(self) -> list[dict]:
        """The `gradients` with p_l in place of p_{l+1}, in the steps that keep the size of the state.

        They are wrong by about the size of a step, and here to show it.
        """
        wrong = list(self.gradients)
        for s in filter(self._keeps_size, self.steps):
            sweep = _back(self.network, self.values, s, self.adjoints[s.start])[1]
            wrong[s.start : s.stop] = sweep[s.start : s.stop]
        return wrong

    def flow(self, step: int, dx: ArrayLike, dp: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """The map (x_l, p_l) → (x_{l+1}, p_{l+1}) of a step, linearised: where it takes tangents dx and dp (n,).

        From x_{l+1} = f(x_l) and p_l = f_xᵀ p_{l+1}: dx' = f_x dx and f_xᵀ dp' = dp − (Σ_i p_i f_i,xx) dx. For one
        point at a time.

        Raises
        ------
        InputError
            A step that changes the size of the state, or whose Jacobian is singular there (a dead unit
            without a residual edge): the co-states then do not flow forward.
        """
        s = self.steps[step]
        self._need_one_point("flow")
        if not self._keeps_size(s):
            sizes = self.values[s.start].shape[-1], self.values[s.stop].shape[-1]
            raise InputError(
                f"step {step} maps {sizes[0]} variables to {sizes[1]}; a flow keeps their number"
            )
        dx, dp = (np.asarray(v, dtype=float) for v in (dx, dp))
        jacobian = self._jacobian(s).astype(float)
        moved = jacobian @ dx
        curved = _bent(self.network, self.values, self.adjoints, s, dx)
        try:
            return moved, np.linalg.solve(jacobian.T, dp - curved)
        except np.linalg.LinAlgError:
            raise InputError(
                f"the Jacobian of step {step} is singular here; its co-states do not flow forward"
            ) from None

    def symplectic_defect(self, step: int) -> float:
        """max |MᵀJM − J| / max(1, |M|²) of the linearised map M of a step: rounding, as every step is symplectic."""
        size = self.values[self.steps[step].start].shape[-1]
        columns = [np.concatenate(self.flow(step, *np.split(e, 2))) for e in np.eye(2 * size)]
        M = np.array(columns).T
        unit, zero = np.eye(size), np.zeros((size, size))
        J = np.block([[zero, unit], [-unit, zero]])
        return float(np.abs(M.T @ J @ M - J).max() / max(1.0, np.abs(M).max() ** 2))

    def _keeps_size(self, step: Step) -> bool:
        return self.network.sizes[step.start] == self.network.sizes[step.stop]

    def _need_one_point(self, what: str) -> None:
        if self.values[0].ndim != 1:
            raise ShapeError(f"the points have shape {self.values[0].shape}; {what} is for one point (d,)")

    def _jacobian(self, step: Step) -> np.ndarray:
        size = self.values[step.stop].shape[-1]
        adjoints = _back(self.network, self.values, step, np.eye(size), weights=False)[0]
        return np.broadcast_to(adjoints[step.start], (size, self.values[step.start].shape[-1]))


def _back(
    network: Network, values: Sequence[np.ndarray], step: Step, adjoint: np.ndarray, weights: bool = True
) -> tuple[list[np.ndarray], list[dict]]:
    """Adjoints of the values and gradients of the nodes of a step, from the adjoint at its end."""
    adjoints: list[np.ndarray | None] = [None] * len(values)
    adjoints[step.stop] = adjoint
    gradients: list[dict] = [{} for _ in network.nodes]
    for k in reversed(range(step.start, step.stop)):
        node, p = network.nodes[k], adjoints[k + 1]
        inputs = [values[i] for i in node.inputs]
        if p is None:  # nothing that the output reads
            p = adjoints[k + 1] = np.zeros_like(values[k + 1])
        if weights:
            gradients[k] = weight_gradients(node.layer, p, *inputs)
        for i, part in zip(node.inputs, pull(node.layer, p, *inputs), strict=True):
            adjoints[i] = part if adjoints[i] is None else adjoints[i] + part
    if adjoints[step.start] is None:
        adjoints[step.start] = np.zeros_like(values[step.start])
    return adjoints, gradients


def _bent(network, values, adjoints, step: Step, dx: np.ndarray) -> np.ndarray:
    """(Σ_i p_i f_i,xx) dx of a step: tangents forward, then the change of the adjoints back."""
    tangents: list[np.ndarray | None] = [None] * len(values)
    tangents[step.start] = dx
    for k in range(step.start, step.stop):
        node = network.nodes[k]
        moving = tuple(np.zeros_like(values[i]) if tangents[i] is None else tangents[i] for i in node.inputs)
        tangents[k + 1] = push(node.layer, moving, *(values[i] for i in node.inputs))
    changes = [np.zeros_like(v) for v in values]
    for k in reversed(range(step.start, step.stop)):
        node = network.nodes[k]
        inputs = [values[i] for i in node.inputs]
        moving = tuple(np.zeros_like(values[i]) if tangents[i] is None else tangents[i] for i in node.inputs)
        passed = pull(node.layer, changes[k + 1], *inputs)
        bent = curve(node.layer, adjoints[k + 1], moving, *inputs)
        for i, linear, curved in zip(node.inputs, passed, bent, strict=True):
            changes[i] = changes[i] + linear + curved
    return changes[step.start]

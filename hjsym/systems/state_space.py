"""State-space models: linear flows that are held, or whose time runs at a speed that the input sets (Mamba).

Between inputs x' = Ax + Bu is solved exactly by a zero-order hold, so that the layer is the flow itself. A selective
model holds the input for a time Δ_k that it computes from it: each step is the same flow over another time, which is a
change of time dt/dk = Δ_k and nothing else.

Sources: A. Gu, K. Goel, C. Ré, "Efficiently modeling long sequences with structured state spaces", ICLR 2022;
A. Gu, T. Dao, "Mamba", arXiv:2312.00752, section 3.2 and algorithm 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.linalg import expm

from hjsym.systems.flows import flow_defect, in_turn
from hjsym.systems.gates import softplus
from hjsym.systems.system import HJSystem
from hjsym.systems.weights import Weights, column, dot, finite_array, hadamard, mixed, pairing
from tropical.errors import InputError, ShapeError

__all__ = ["SelectiveStateSpace", "StateSpace"]

_T = sympy.Symbol("t", real=True)


@dataclass(frozen=True, eq=False)
class StateSpace:
    """The linear model x' = Ax + Bu, y = Cx + Du, and its discretisation by a zero-order hold.

    Parameters
    ----------
    A : (n, n) array, or (n,) for a diagonal
    B : (n, m) array
    C : (k, n) array, optional
    D : (k, m) array, optional
    step : float
        Δ > 0, the time that an input is held. For another Δ at each input see
        `SelectiveStateSpace`.

    Examples
    --------
    >>> model = StateSpace([[0.0, 1.0], [-1.0, 0.0]], [[0.0], [1.0]], step=0.5)
    >>> model.system(u=[2.0]).H
    p1*x2 + p2*(2 - x1)
    >>> Ad, Bd = model.discrete
    >>> bool(np.allclose(Ad, [[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]]))
    True
    """

    A: ArrayLike
    B: ArrayLike
    C: ArrayLike | None = None
    D: ArrayLike | None = None
    step: float = 1.0

    def __post_init__(self):
        A = np.asarray(self.A, dtype=float)
        A = finite_array("A", np.diag(A) if A.ndim == 1 else A, (None, None))
        if len(A) != A.shape[1]:
            raise ShapeError(f"A has shape {A.shape}; pass (n, n), or the diagonal (n,)")
        B = finite_array("B", self.B, (len(A), None))
        C = np.eye(len(A)) if self.C is None else finite_array("C", self.C, (None, len(A)))
        D = (
            np.zeros((len(C), B.shape[1]))
            if self.D is None
            else finite_array("D", self.D, (len(C), B.shape[1]))
        )
        if not (np.isfinite(self.step) and self.step > 0):
            raise InputError(f"step is {self.step}; pass a time > 0")
        for name, value in (("A", A), ("B", B), ("C", C), ("D", D)):
            object.__setattr__(self, name, value)

    @property
    def discrete(self) -> tuple[np.ndarray, np.ndarray]:
        """(Ā, B̄) of x_{k+1} = Āx_k + B̄u_k: the flow over one step with the input held, by one matrix exponential."""
        n, m = self.B.shape
        block = expm(self.step * np.block([[self.A, self.B], [np.zeros((m, n + m))]]))
        return block[:n, :n], block[:n, n:]

    def __call__(self, x: ArrayLike, u: ArrayLike) -> np.ndarray:
        """The next state, from states (..., n) and inputs (..., m)."""
        Ad, Bd = self.discrete
        return np.asarray(x, dtype=float) @ Ad.T + np.asarray(u, dtype=float) @ Bd.T

    def system(self, u: ArrayLike | None = None, symbolic: bool = False) -> HJSystem:
        """H = p·(Ax + Bu) at an input; of symbols u1 … um if none is given, for which the defect takes zeros.

        With `symbolic` weights stay symbols A_i_j, B_i_j and u_i. The step is the flow, so the label is exact and
        the defect rounding. Co-states solve p' = −Aᵀp.
        """
        n, m = self.B.shape
        weights = Weights.of("the model", n, self.A.size + self.B.size, symbolic)
        x, p = weights.state(n)
        given = None if u is None else finite_array("u", u, (m,))
        inputs = weights.inputs("u", m) if given is None else weights.vector("u", given)
        rates = weights.matrix("A", self.A) * column(x) + weights.matrix("B", self.B) * inputs
        held = np.zeros(m) if given is None else given

        def rate(y):
            return y @ self.A.T + held @ self.B.T

        return HJSystem(
            name=f"state-space model of {n} states and {m} inputs, Δ = {self.step:g}", label="exact",
            reason="a zero-order hold is the flow itself, for piecewise constant inputs",
            H=pairing(p, rates), x=x, p=p, t=_T, parameters=weights.parameters,
            readout=f"the layer is the flow x' = ∂H/∂p over the time {self.step:g}",
            defect=flow_defect(lambda y: self(y, held), rate, self.step, n),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class SelectiveStateSpace:
    """The selective model h' = Ah + B(u)u, y = C(u)h + Du of c channels, each input u held for a time Δ(u) (Mamba).

    Channel k has n states of its own: h_k' = A_k h_k + B(u) u_k for the time Δ_k(u), A_k diagonal; B(u) and C(u) are
    shared. A step of the layer is 1 in its own time t, in which h' = Δ(u)(Ah + B(u)u): the time change dt → Δ dt.

    Parameters
    ----------
    A : (c, n) array
        Diagonals.
    B, C : (n, c) array, or callable
        B(u) = Bu and C(u) = Cu; or functions of inputs (..., c) with values (..., n).
    time : (W, b) of shapes (c, c) and (c,), or callable
        Δ(u) = log(1 + exp(Wu + b)); or a function of inputs (..., c) with values (..., c) > 0. A W of low rank is
        given as its product.
    D : (c,) array, optional
    hold : {"zero-order", "Euler"}
        What is made of B: (e^{ΔA} − 1)/A · B, which is the flow itself, or ΔB, as in the code of Mamba, which is not.

    Examples
    --------
    >>> model = SelectiveStateSpace([[-1.0]], [[2.0]], [[1.0]], ([[1.0]], [0.0]))
    >>> model.system().H                                                   # p·Δ(u)(Ah + B(u)u)
    p1*(2*u1**2 - x1)*LogSumExp(1, u1, 0)
    >>> system = model.system([0.5])
    >>> system.label, bool(system.defect([[1.0], [-3.0]]).max() < 1e-9)
    ('exact', True)
    >>> model.times([[0.0]]).round(4), [a.shape for a in model.run([[1.0], [0.5]])]
    (array([[0.6931]]), [(2, 1), (3, 1, 1)])
    """

    A: ArrayLike
    B: ArrayLike | Callable
    C: ArrayLike | Callable
    time: tuple | Callable
    D: ArrayLike | None = None
    hold: str = "zero-order"

    def __post_init__(self):
        A = finite_array("A", self.A, (None, None))
        c, n = A.shape
        checked = {"A": A, "D": np.zeros(c) if self.D is None else finite_array("D", self.D, (c,))}
        for name in ("B", "C"):
            value = getattr(self, name)
            checked[name] = value if callable(value) else finite_array(name, value, (n, c))
        if not callable(self.time):
            if not isinstance(self.time, tuple | list) or len(self.time) != 2:
                raise InputError(
                    "time is no pair; pass (W, b) of Δ = log(1 + exp(Wu + b)), or a function of u"
                )
            checked["time"] = tuple(
                finite_array(f"{name} of time", value, shape)
                for name, value, shape in zip("Wb", self.time, ((c, c), (c,)), strict=True)
            )
        if self.hold not in ("zero-order", "Euler"):
            raise InputError(f"hold is {self.hold!r}; pass 'zero-order' or 'Euler'")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    # ---- numbers ---------------------------------------------------------------------------------

    def times(self, u: ArrayLike) -> np.ndarray:
        """Δ(u) > 0 of inputs (..., c), of the same shape."""
        u = self._inputs(u)
        if not callable(self.time):
            W, b = self.time
            return softplus(u @ W.T + b)
        times = np.asarray(self.time(u), dtype=float)
        if times.shape != u.shape or not (np.isfinite(times).all() and (times > 0).all()):
            raise InputError(f"time(u) has shape {times.shape}; it needs {u.shape} of finite numbers > 0")
        return times

    def __call__(self, h: ArrayLike, u: ArrayLike) -> np.ndarray:
        """The next state, from states (..., c, n) and inputs (..., c)."""
        u, h = self._inputs(u), np.asarray(h, dtype=float)
        length = self.times(u)[..., None]
        z = length * self.A
        with np.errstate(invalid="ignore", divide="ignore"):
            slow = np.where(z == 0, 1.0, np.expm1(z) / z) if self.hold == "zero-order" else np.ones_like(z)
        return np.exp(z) * h + slow * length * self._drive(u)

    def run(self, u: ArrayLike, h: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Outputs (K, c) and states (K + 1, c, n) of a sequence of inputs (K, c), from a state, 0 by default."""
        u = self._inputs(u)
        states = [np.zeros(self.A.shape) if h is None else finite_array("h", h, self.A.shape)]
        for held in u:
            states.append(self(states[-1], held))
        return np.einsum("kcn,kn->kc", states[1:], self._of("C", u)) + self.D * u, np.array(states)

    def _inputs(self, u: ArrayLike) -> np.ndarray:
        u = np.asarray(u, dtype=float)
        if u.shape[-1:] != self.A.shape[:1] or not np.isfinite(u).all():
            raise ShapeError(f"u has shape {u.shape}; pass finite inputs (..., {len(self.A)})")
        return u

    def _of(self, name: str, u: np.ndarray) -> np.ndarray:
        weight = getattr(self, name)
        return np.asarray(weight(u), dtype=float) if callable(weight) else u @ weight.T

    def _drive(self, u: np.ndarray) -> np.ndarray:
        """B(u) u, of shape (..., c, n)."""
        return u[..., :, None] * self._of("B", u)[..., None, :]

    # ---- symbols ---------------------------------------------------------------------------------

    def system(self, u: ArrayLike | None = None, symbolic: bool = False) -> HJSystem:
        """H = Σ_k Δ_k(u) p_k·(A_k h_k + B(u)u_k) in the states x1 … x(cn), one channel after the other.

        At an input (c,); at a sequence of them (K, c), whose step k takes the time from k − 1 to k; or of symbols
        u1 … uc, for which the defect takes zeros. With `symbolic` weights stay symbols A_k_i, B_i_k, W_Delta_k_l and
        b_Delta_k.
        """
        c, n = self.A.shape
        weights = Weights.of("the selective model", c * n, self._size, symbolic)
        x, p = weights.state(c * n)
        if u is None or weights.form == "symbols":
            parts = [self._formula(weights, x, p, held) for held in self._symbols_or_numbers(weights, u)]
        else:
            parts = [self._numbers(weights, x, p, held, k) for k, held in enumerate(self._sequence(u), 1)]
        held = np.zeros((1, c)) if u is None else self._sequence(u)
        exact = self.hold == "zero-order"
        return HJSystem(
            name=f"selective state-space model of {c} channels with {n} states each",
            label="exact" if exact else "structural",
            reason="each step is the flow of h' = Ah + B(u)u over the time Δ(u), which is a change of time"
            if exact
            else "the states decay as in the flow over the time Δ(u), but the input enters by Euler's step",
            H=in_turn(parts, range(1, len(parts)), _T), x=x, p=p, t=_T, parameters=weights.parameters,
            readout="the layer is the flow x' = ∂H/∂p, an input from one whole number t to the next",
            defect=self._defect(held),
        )  # fmt: skip

    @property
    def _size(self) -> int:
        stored = [self.A, *(w for w in (self.B, self.C) if not callable(w))]
        return sum(w.size for w in stored) + (0 if callable(self.time) else sum(w.size for w in self.time))

    def _sequence(self, u: ArrayLike) -> np.ndarray:
        u = self._inputs(u)
        if u.ndim > 2 or not len(u):
            raise ShapeError(f"u has shape {u.shape}; pass one input (c,) or a sequence (K, c)")
        return np.atleast_2d(u)

    def _symbols_or_numbers(self, weights: Weights, u: ArrayLike | None) -> list[sympy.MatrixBase]:
        if callable(self.B) or callable(self.time) or weights.is_matrix:
            raise InputError(
                "B or time is a function, or the model is large, so that there is no formula in u; pass u= "
                "and leave out symbolic=True"
            )
        if u is None:
            return [weights.inputs("u", len(self.A))]
        return [sympy.Matrix([mixed(v) for v in held]) for held in self._sequence(u)]

    def _formula(self, weights: Weights, x: tuple, p: tuple, u: sympy.MatrixBase) -> sympy.Expr:
        n = self.A.shape[1]
        A, W = weights.matrix("A", self.A), weights.matrix("W_Delta", self.time[0])
        times = weights.gate("softplus", W * u + weights.vector("b_Delta", self.time[1]))
        drive = weights.matrix("B", self.B) * u
        channels = []
        for k, time in enumerate(times):
            own, momenta = x[k * n : (k + 1) * n], p[k * n : (k + 1) * n]
            rates = [a * v + b * u[k] for a, v, b in zip(A.row(k), own, drive, strict=True)]
            channels.append(time * dot(rates, momenta))
        return sympy.Add(*channels)

    def _numbers(self, weights: Weights, x: tuple, p: tuple, u: np.ndarray, step: int) -> sympy.Expr:
        times = np.repeat(self.times(u), self.A.shape[1])
        a = weights.vector(f"A_{step}", times * self.A.ravel())
        return pairing(
            p, hadamard(a, column(x)) + weights.vector(f"B_{step}", times * self._drive(u).ravel())
        )

    def _defect(self, inputs: np.ndarray) -> Callable:
        """Of all steps together, each on the flow that starts where the flow before it has ended."""
        size = self.A.size

        def rate(u):
            times, drive = np.repeat(self.times(u), self.A.shape[1]), self._drive(u).ravel()
            return lambda y: times * (self.A.ravel() * y + drive)

        def step(u):
            return lambda y: self(y.reshape(*y.shape[:-1], *self.A.shape), u).reshape(y.shape)

        return flow_defect([step(u) for u in inputs], [rate(u) for u in inputs], 1.0, size)

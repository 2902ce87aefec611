"""Layers that step a flow x' = F(x): residual networks, recurrent cells and state-space models.

The transport equation V_t + p·F(x) = 0, p = ∇V, has the flow for characteristics and H = p·F is linear in p; its
co-states are what backpropagation carries (`hjsym.pontryagin`). A layer x ↦ x + hF(x) is Euler's step of it, and how
far that is from the flow is its defect.

Sources: W. E, Commun. Math. Stat. 5 (2017); B. Chang et al., "AntisymmetricRNN", ICLR 2019, for recurrent cells;
A. Gu, K. Goel, C. Ré, ICLR 2022, and A. Gu, T. Dao, arXiv:2312.00752, for state-space models and their discretisation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from hjsym.layers import Sigmoid
from hjsym.systems.system import MOST_NUMBERS, HJSystem, coordinates, dot, mixed
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["StateSpace", "gru", "lstm", "residual_step", "rnn"]

_sigmoid = Sigmoid()
_T = sympy.Symbol("t", real=True)


def sigma(z: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-z))


def flow_system(
    name: str,
    rates: list[sympy.Expr],
    x,
    p,
    step: Callable[[np.ndarray], np.ndarray],
    rate: Callable[[np.ndarray], np.ndarray],
    h: float,
    reason: str,
    parameters: dict | None = None,
) -> HJSystem:
    """H = p·F for F given in symbols and, for the defect, as a function of arrays (..., d)."""
    return HJSystem(
        name=name, label="structural", reason=reason,
        H=dot(rates, p), x=x, p=p, t=_T,
        parameters=parameters or {}, readout=f"the layer is one step of size {h:g} along x' = ∂H/∂p",
        defect=lambda points: _defect(step, rate, h, points),
    )  # fmt: skip


def _defect(step, rate, h: float, points: ArrayLike) -> np.ndarray:
    """|x(h) − layer(x)| with x(h) on the flow through x, solved to ten digits; shape (...)."""
    points = np.asarray(points, dtype=float)
    flat = points.reshape(-1, points.shape[-1])
    ends = [solve_ivp(lambda _, y: rate(y), (0, h), x, rtol=1e-11, atol=1e-12).y[:, -1] for x in flat]
    return np.linalg.norm(np.reshape(ends, points.shape) - step(points), axis=-1)


def _scalars(name: str, d: int, numbers: int):
    x, p = coordinates(d)
    if not isinstance(x, tuple) or numbers > MOST_NUMBERS:
        raise BudgetExceeded(
            f"numbers in the flow of {name}",
            numbers,
            MOST_NUMBERS,
            "read a smaller layer, or use hjsym.pontryagin",
        )
    return x, p


def _linear(W: ArrayLike, z, b: ArrayLike | None = None) -> list[sympy.Expr]:
    """Wz + b in symbols."""
    rows = [dot(row, z) for row in np.asarray(W, dtype=float)]
    return (
        rows
        if b is None
        else [row + mixed(c) for row, c in zip(rows, np.asarray(b, dtype=float), strict=True)]
    )


def _array(name: str, value, shape: tuple) -> np.ndarray:
    """A finite float array of a shape, in which None is any length."""
    array = np.asarray(value, dtype=float)
    if array.ndim != len(shape) or any(
        n is not None and n != m for n, m in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join("n" if n is None else str(n) for n in shape)
        raise ShapeError(f"{name} has shape {array.shape}; pass ({wanted})")
    if not np.isfinite(array).all():
        raise InputError(f"{name} has entries that are not finite")
    return array


def residual_step(
    W1: ArrayLike, b1: ArrayLike, W2: ArrayLike, b2: ArrayLike, h: float = 1.0, activation: str = "tanh"
) -> HJSystem:
    """The block x ↦ x + h(W₂ σ(W₁x + b₁) + b₂)."""
    W1 = _array("W1", W1, (None, None))
    hidden, d = W1.shape
    b1, W2, b2 = _array("b1", b1, (hidden,)), _array("W2", W2, (d, hidden)), _array("b2", b2, (d,))
    symbol, function = _activation(activation)
    x, p = _scalars("the block", d, W1.size + W2.size + hidden + d)
    rates = _linear(W2, [symbol(z) for z in _linear(W1, x, b1)], b2)

    def rate(y):
        return function(y @ W1.T + b1) @ W2.T + b2

    return flow_system(
        f"residual block of {d} states and {hidden} {activation} units", rates, x, p,
        lambda y: y + h * rate(y), rate, h,
        "Euler's step of a transport equation; its co-states are exact, its flow is not",
    )  # fmt: skip


def rnn(
    W: ArrayLike, U: ArrayLike | None = None, b: ArrayLike | None = None, u: ArrayLike | None = None,
    activation: str = "tanh",
) -> HJSystem:  # fmt: skip
    """The cell h ↦ σ(Wh + Uu + b) at an input u: H = p·(−h + σ(Wh + Uu + b)), one unit Euler step."""
    W, drive = _cell(W, U, b, u)
    d = len(W)
    symbol, function = _activation(activation)
    x, p = _scalars("the cell", d, W.size + d)
    rates = [symbol(z) - v for z, v in zip(_linear(W, x, drive), x, strict=True)]

    def rate(y):
        return function(y @ W.T + drive) - y

    return flow_system(
        f"recurrent cell of {d} {activation} units", rates, x, p, lambda y: y + rate(y), rate, 1.0,
        "a unit Euler step of h' = −h + σ(Wh + Uu + b), an input held fixed",
    )  # fmt: skip


def _cell(W, U, b, u) -> tuple[np.ndarray, np.ndarray]:
    """The recurrent matrix and what the input adds, Uu + b."""
    W = _array("W", W, (None, None))
    if W.shape[0] % W.shape[1]:
        raise ShapeError(f"W has shape {W.shape}; pass one (d, d) block for each gate, stacked")
    drive = np.zeros(len(W)) if b is None else _array("b", b, (len(W),))
    if (U is None) != (u is None):
        raise InputError("pass U and the input u together, or neither")
    if U is not None:
        U = _array("U", U, (len(W), None))
        drive = drive + U @ _array("u", u, (U.shape[1],))
    return W, drive


def gru(W: ArrayLike, drive: ArrayLike, recurrent_bias: ArrayLike | None = None) -> HJSystem:
    """The gated cell h ↦ zh + (1 − z)n in torch's convention, at a fixed input.

    W (3d, d) stacks the recurrent blocks of the reset, update and new gates, `drive` (3d,) is what the input adds, and
    `recurrent_bias` (3d,) the bias beside W, which in the new gate the reset multiplies. H = p·(1 − z)(n − h).
    """
    W = _array("W", W, (None, None))
    d = W.shape[1]
    if len(W) != 3 * d:
        raise ShapeError(f"W has shape {W.shape}; a GRU has three blocks, (3d, d)")
    drive = _array("drive", drive, (3 * d,))
    extra = np.zeros(3 * d) if recurrent_bias is None else _array("recurrent_bias", recurrent_bias, (3 * d,))
    x, p = _scalars("the GRU", d, W.size + 3 * d)
    inner = _linear(W, x, extra)
    r = [sigma(a + mixed(c)) for a, c in zip(inner[:d], drive[:d], strict=True)]
    z = [sigma(a + mixed(c)) for a, c in zip(inner[d : 2 * d], drive[d : 2 * d], strict=True)]
    n = [sympy.tanh(q * a + mixed(c)) for q, a, c in zip(r, inner[2 * d :], drive[2 * d :], strict=True)]
    rates = [(1 - a) * (b - v) for a, b, v in zip(z, n, x, strict=True)]

    def rate(y):
        s = y @ W.T + extra
        gates = _sigmoid(s[..., : 2 * d] + drive[: 2 * d])
        new = np.tanh(gates[..., :d] * s[..., 2 * d :] + drive[2 * d :])
        return (1 - gates[..., d:]) * (new - y)

    return flow_system(
        f"gated recurrent unit of {d} states", rates, x, p, lambda y: y + rate(y), rate, 1.0,
        "a unit Euler step of h' = (1 − z)(n − h), an input held fixed",
    )  # fmt: skip


def lstm(W: ArrayLike, drive: ArrayLike) -> HJSystem:
    """The cell (c, h) ↦ (fc + ig, o tanh(fc + ig)) in torch's convention, at a fixed input.

    W (4d, d) stacks the recurrent blocks of the input, forget, cell and output gates, `drive` (4d,) is what the input
    and the biases add. States are c, then h: H = p_c·((f − 1)c + ig) + p_h·(o tanh(fc + ig) − h).
    """
    W = _array("W", W, (None, None))
    d = W.shape[1]
    if len(W) != 4 * d:
        raise ShapeError(f"W has shape {W.shape}; an LSTM has four blocks, (4d, d)")
    drive = _array("drive", drive, (4 * d,))
    x, p = _scalars("the LSTM", 2 * d, W.size + 4 * d)
    c, state = x[:d], x[d:]
    s = _linear(W, state, drive)
    i, f, o = ([sigma(a) for a in s[k * d : (k + 1) * d]] for k in (0, 1, 3))
    g = [sympy.tanh(a) for a in s[2 * d : 3 * d]]
    moved = [b * v + a * q for a, b, q, v in zip(i, f, g, c, strict=True)]
    rates = [m - v for m, v in zip(moved, c, strict=True)]
    rates += [a * sympy.tanh(m) - v for a, m, v in zip(o, moved, state, strict=True)]

    def rate(y):
        c, state = y[..., :d], y[..., d:]
        s = state @ W.T + drive
        i, f, o = (_sigmoid(s[..., k * d : (k + 1) * d]) for k in (0, 1, 3))
        moved = f * c + i * np.tanh(s[..., 2 * d : 3 * d])
        return np.concatenate([moved - c, o * np.tanh(moved) - state], axis=-1)

    return flow_system(
        f"long short-term memory of {d} cells", rates, x, p, lambda y: y + rate(y), rate, 1.0,
        "a unit Euler step, an input held fixed; the states are the cells, then the outputs",
    )  # fmt: skip


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
        Δ > 0, the time that an input is held. A selective model (Mamba) has another Δ at each input, which only changes
        how long the same flow runs.

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
        A = _array("A", np.diag(A) if A.ndim == 1 else A, (None, None))
        if len(A) != A.shape[1]:
            raise ShapeError(f"A has shape {A.shape}; pass (n, n), or the diagonal (n,)")
        B = _array("B", self.B, (len(A), None))
        C = np.eye(len(A)) if self.C is None else _array("C", self.C, (None, len(A)))
        D = np.zeros((len(C), B.shape[1])) if self.D is None else _array("D", self.D, (len(C), B.shape[1]))
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

    def system(self, u: ArrayLike | None = None) -> HJSystem:
        """H = p·(Ax + Bu) at an input; of symbols u1 … um if none is given.

        The step is the flow itself, so the label is exact and the defect rounding. Co-states solve p' = −Aᵀp.
        """
        n, m = self.B.shape
        x, p = _scalars("the model", n, self.A.size + self.B.size)
        symbols = [sympy.Symbol(f"u{k}", real=True) for k in range(1, m + 1)]
        given = None if u is None else _array("u", u, (m,))
        inputs = symbols if given is None else [mixed(v) for v in given]
        rates = [a + b for a, b in zip(_linear(self.A, x), _linear(self.B, inputs), strict=True)]
        held = np.zeros(m) if given is None else given

        def rate(y):
            return y @ self.A.T + held @ self.B.T

        return HJSystem(
            name=f"state-space model of {n} states and {m} inputs, Δ = {self.step:g}", label="exact",
            reason="a zero-order hold is the flow itself, for piecewise constant inputs",
            H=dot(rates, p), x=x, p=p, t=_T,
            readout=f"the layer is the flow x' = ∂H/∂p over the time {self.step:g}",
            defect=lambda points: _defect(lambda y: self(y, held), rate, self.step, points),
        )  # fmt: skip


def _activation(name: str) -> tuple[Callable, Callable]:
    """An activation in symbols and in arrays."""
    known = {
        "tanh": (sympy.tanh, np.tanh),
        "relu": (lambda z: sympy.Max(z, 0, evaluate=False), lambda z: np.maximum(z, 0)),
        "sigmoid": (sigma, _sigmoid),
        "softplus": (lambda z: sympy.log(1 + sympy.exp(z)), lambda z: np.logaddexp(z, 0)),
    }
    if name not in known:
        raise InputError(f"activation {name!r} is not known; pass one of {', '.join(known)}")
    return known[name]

"""Hamiltonian networks H(q, p), read as formulas: equations of motion, what is conserved, separable, convex.

A network H = W_L σ(… σ(W_1 z + b_1) …) + b_L of z = (q, p) depends on z through W_1 z alone. It is constant along
the null space of W_1, and each direction v there gives the linear first integral v_q·p − v_p·q, exactly.

Sources: S. Greydanus, M. Dzamba, J. Yosinski, "Hamiltonian neural networks", NeurIPS 2019, for the networks;
V. I. Arnold, *Mathematical Methods of Classical Mechanics*, sections 15 and 20, for the mechanics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import mpmath
import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.errors import UnsupportedLayerError
from hjsym.expr import symbolic
from hjsym.frontends.torch_steps import to_array
from hjsym.systems.sketches import Sketch, sketch_of, taylor_polynomial
from hjsym.systems.system import MOST_NUMBERS, HJSystem, dot, mixed
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["LearnedHamiltonian", "Verdict"]

_T = sympy.Symbol("t", real=True)
_GATES = {
    "tanh": sympy.tanh,
    "sigmoid": lambda z: 1 / (1 + sympy.exp(-z)),
    "softplus": lambda z: sympy.log(1 + sympy.exp(z)),
    "sin": sympy.sin,
    "silu": lambda z: z / (1 + sympy.exp(-z)),
}
_CONVEX = {"softplus"}


@dataclass(frozen=True)
class Verdict:
    """An answer that is proved, refuted at a point, or unknown.

    Attributes
    ----------
    holds : bool or None
        None where neither was proved.
    reason : str
        What proves it.
    witness : tuple of float or None
        The point (q, p) that refutes it.
    """

    holds: bool | None
    reason: str
    witness: tuple | None = None

    def __bool__(self) -> bool:
        """Whether it is proved."""
        return self.holds is True


@dataclass(frozen=True, eq=False)
class LearnedHamiltonian:
    """H(q, p) in SymPy, from a formula, from weights, or from a torch network.

    Parameters
    ----------
    H : sympy.Expr
        In q1 … qn and p1 … pn, real symbols, or in the symbols given.
    q, p : tuple of sympy.Symbol
        n of each.
    weights : list of (W, b), optional
        Of the network that H was read from; gives exact first integrals.
    activation : str, optional
        Of its hidden layers.

    Examples
    --------
    >>> q, p = sympy.symbols("q1 p1", real=True)
    >>> oscillator = LearnedHamiltonian(p**2 / 2 + q**2 / 2, (q,), (p,))
    >>> oscillator.equations
    (Eq(Derivative(q1(t), t), p1(t)), Eq(Derivative(p1(t), t), -q1(t)))
    >>> oscillator.is_separable().holds, oscillator.lagrangian
    (True, -q1**2/2 + v1**2/2)
    >>> oscillator.bracket(q), oscillator.is_convex_in_momenta().holds, oscillator.first_integrals
    (p1, True, (p1**2/2 + q1**2/2,))
    >>> oscillator.system().label, oscillator.taylor(2)
    ('exact', p1**2/2 + q1**2/2)
    >>> LearnedHamiltonian.from_weights([([[1.0, 0.0]], [0.0]), ([[2.0]], [0.0])]).H
    2*tanh(q1)
    """

    H: sympy.Expr
    q: tuple
    p: tuple
    weights: Sequence | None = None
    activation: str | None = None

    def __post_init__(self):
        object.__setattr__(self, "H", symbolic(self.H, "H"))
        object.__setattr__(self, "q", tuple(self.q))
        object.__setattr__(self, "p", tuple(self.p))
        if len(self.q) != len(self.p) or not self.q:
            raise ShapeError(f"got {len(self.q)} positions and {len(self.p)} momenta; pass n ≥ 1 of each")
        if unknown := self.H.free_symbols - {*self.q, *self.p}:
            raise InputError(
                f"H has the symbols {sorted(map(str, unknown))} besides q and p; give them values"
            )

    @classmethod
    def from_weights(cls, layers: Sequence, activation: str = "tanh") -> LearnedHamiltonian:
        """The network of a list of (W, b), with the activation between them, of inputs (q, p) and one output."""
        if activation not in _GATES:
            raise InputError(f"activation {activation!r} is not known; pass one of {', '.join(_GATES)}")
        layers = [(np.asarray(W, dtype=float), np.asarray(b, dtype=float)) for W, b in layers]
        size = layers[0][0].shape[-1] if layers else 0
        if size == 0 or size % 2:
            raise ShapeError(f"the network takes {size} inputs; a Hamiltonian takes (q, p), an even number")
        if (total := sum(W.size + b.size for W, b in layers)) > MOST_NUMBERS:
            raise BudgetExceeded(
                "numbers in the Hamiltonian",
                total,
                MOST_NUMBERS,
                "read a smaller network, or use hjsym.pontryagin",
            )
        q, p = (
            tuple(sympy.Symbol(f"{name}{k}", real=True) for k in range(1, size // 2 + 1)) for name in "qp"
        )
        values: list = [*q, *p]
        for k, (W, b) in enumerate(layers):
            if W.ndim != 2 or W.shape[1] != len(values) or b.shape != W.shape[:1]:
                raise ShapeError(
                    f"layer {k} has W {W.shape} and b {b.shape}, and {len(values)} values come in"
                )
            if not (np.isfinite(W).all() and np.isfinite(b).all()):
                raise InputError(f"layer {k} has weights that are not finite")
            values = [dot(row, values) + mixed(c) for row, c in zip(W, b, strict=True)]
            if k < len(layers) - 1:
                values = [_GATES[activation](v) for v in values]
        if len(values) != 1:
            raise ShapeError(f"the network has {len(values)} outputs; a Hamiltonian is one number")
        return cls(values[0], q, p, layers, activation)

    @classmethod
    def from_torch(cls, module) -> LearnedHamiltonian:
        """The same from torch's Sequential of Linear layers with one kind of activation between them."""
        children = list(module.children()) if hasattr(module, "children") else []
        names = [type(child).__name__ for child in children]
        linear, gates = names[::2], {name.lower() for name in names[1::2]}
        if set(linear) != {"Linear"} or len(gates) > 1 or len(names) % 2 == 0 or not gates <= set(_GATES):
            raise UnsupportedLayerError(
                f"the module is {' → '.join(names) or type(module).__name__}; Linear layers with one of "
                f"{', '.join(_GATES)} between them are read"
            )
        layers = [(to_array(m.weight), _bias(m)) for m in children[::2]]
        return cls.from_weights(layers, *gates)

    # ---- mechanics -------------------------------------------------------------------------------

    @property
    def equations(self) -> tuple[sympy.Eq, ...]:
        """q' = ∂H/∂p and p' = −∂H/∂q."""
        return self.system().hamilton_equations

    def system(self) -> HJSystem:
        """V_t + H(q, ∇V) = 0, whose characteristics are the motion."""
        return HJSystem(
            name=f"Hamiltonian of {len(self.q)} degrees of freedom", label="exact",
            reason="H is the network itself, as a formula", H=self.H, x=self.q, p=self.p, t=_T,
            readout="the network is H(q, p)",
        )  # fmt: skip

    @cached_property
    def first_integrals(self) -> tuple[sympy.Expr, ...]:
        """H, and the linear functions of (q, p) that it conserves, decided exactly: of a network from the null space
        of its first layer, of a formula from coordinates that it does not have."""
        n = len(self.q)
        if self.weights is not None:
            directions = [
                list(v)
                for v in sympy.Matrix([[mixed(w) for w in row] for row in self.weights[0][0]]).nullspace()
            ]
        else:
            absent = [k for k, s in enumerate((*self.q, *self.p)) if self.H.diff(s) == 0]
            directions = [[int(k == place) for k in range(2 * n)] for place in absent]
        momenta = [
            sympy.Add(
                *(a * s for a, s in zip(v[:n], self.p, strict=True)),
                *(-a * s for a, s in zip(v[n:], self.q, strict=True)),
            )
            for v in directions
        ]
        return (self.H, *momenta)

    def bracket(self, f: sympy.Expr, g: sympy.Expr | None = None) -> sympy.Expr:
        """The Poisson bracket {f, g} = Σ ∂f/∂q ∂g/∂p − ∂f/∂p ∂g/∂q, with g = H by default: the rate of f."""
        g = self.H if g is None else g
        pairs = zip(self.q, self.p, strict=True)
        return sympy.Add(*(f.diff(a) * g.diff(b) - f.diff(b) * g.diff(a) for a, b in pairs))

    # ---- structure -------------------------------------------------------------------------------

    def is_separable(self, seed: int = 0) -> Verdict:
        """Whether H = T(p) + V(q): proved by derivatives that vanish, refuted by a point where one does not."""
        mixed_terms = [self.H.diff(a, b) for a, b in product(self.q, self.p)]
        if all(term == 0 for term in mixed_terms):
            return Verdict(True, "∂²H/∂q∂p is 0, as a formula")
        point = self._point_where(
            lambda numbers: any(abs(v) > mpmath.mpf(10) ** -20 for v in numbers), mixed_terms, seed
        )
        if point is None:
            return Verdict(None, "∂²H/∂q∂p is below 1e-20 at all points tried, and not 0 as a formula")
        return Verdict(False, "∂²H/∂q∂p is not 0 at the point", point)

    def is_convex_in_momenta(self, seed: int = 0) -> Verdict:
        """Whether H is convex in p for each q: proved by its form, refuted by a point with a falling slope."""
        hessian = sympy.hessian(self.H, self.p)
        if not hessian.free_symbols:
            verdict = hessian.is_positive_semidefinite
            return Verdict(bool(verdict), f"its Hessian in p is the constant {hessian.tolist()}")
        if self._is_convex_by_form():
            return Verdict(True, "nonnegative sums of convex functions of affine ones")
        n = len(self.p)

        def negative(numbers) -> bool:
            return (
                min(
                    mpmath.eigsy(mpmath.matrix(n, n) + mpmath.matrix(np.reshape(numbers, (n, n)).tolist()))[0]
                )
                < -1e-20
            )

        point = self._point_where(negative, list(hessian), seed)
        if point is None:
            return Verdict(None, "no point with a negative eigenvalue was found, and the form proves nothing")
        return Verdict(False, "its Hessian in p has a negative eigenvalue at the point", point)

    def _is_convex_by_form(self) -> bool:
        if self.weights is None or self.activation not in _CONVEX:
            return False
        return all((W >= 0).all() for W, _ in self.weights[1:])

    def _point_where(self, holds: Callable, terms: list, seed: int) -> tuple | None:
        """A point among some hundred random ones at which terms, in 40 digits, are as wanted."""
        symbols = (*self.q, *self.p)
        f = sympy.lambdify(symbols, terms, "mpmath")
        points = (
            np.random.default_rng(seed).normal(size=(200, len(symbols))) * np.geomspace(0.1, 10, 200)[:, None]
        )
        with mpmath.workdps(40):
            for x in points:
                if holds([mpmath.mpf(v) for v in f(*map(mpmath.mpf, x))]):
                    return tuple(map(float, x))
        return None

    @property
    def lagrangian(self) -> sympy.Expr:
        """L(q, v) = max_p (p·v − H), in velocities v1 … vn; see `HJSystem.lagrangian` for when it has a formula. For
        numbers there is `hjsym.conjugate.FromCallable`."""
        return self.system().lagrangian

    # ---- sketches --------------------------------------------------------------------------------

    def taylor(self, degree: int = 4, around: Sequence[float] | None = None) -> sympy.Expr:
        """The Taylor polynomial of H of a total degree, around a point (q, p), the origin by default."""
        return taylor_polynomial(self.H, (*self.q, *self.p), degree, around)

    def sketch(
        self,
        kind: str = "taylor",
        degree: int = 4,
        denominator: int = 2,
        *,
        box: ArrayLike = (-1, 1),
        digits: int = 6,
        proved: bool = True,
        most_cells: int = 500,
    ) -> Sketch:
        """A polynomial or a rational function close to H on a box, with a proved bound on its error there.

        Parameters
        ----------
        kind : {"taylor", "rational"}
            The Taylor polynomial about the middle of the box; or numerator and denominator by weighted least squares.
        degree, denominator : int
            Total degrees; the second of "rational" only.
        box : (low, high)
            Numbers, or arrays of 2n: of q, then of p.
        digits : int
            Significant digits that coefficients are rounded to; the bound is that of the rounded sketch.
        proved : bool
            Whether to prove a bound, which needs python-flint; else the error is that at some thousand points.
        most_cells : int
            How long to work on the bound; see `hjsym.systems.supremum`.

        Examples
        --------
        >>> q, p = sympy.symbols("q1 p1", real=True)
        >>> pendulum = LearnedHamiltonian(p**2 / 2 + 1 - sympy.cos(q), (q,), (p,))
        >>> found = pendulum.sketch(degree=4, digits=4)
        >>> found.expr
        0.5*p1**2 - 0.04167*q1**4 + 0.5*q1**2
        >>> found.reached <= 0.00137 <= found.bound < 0.00145          # the next term of the cosine is 1/720
        True
        """
        return sketch_of(
            self.H, (*self.q, *self.p), kind, degree, denominator, box, digits, proved, most_cells
        )


def _bias(layer) -> np.ndarray:
    return np.zeros(layer.out_features) if layer.bias is None else to_array(layer.bias)

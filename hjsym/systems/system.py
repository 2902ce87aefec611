"""A Hamilton–Jacobi system: the equation that a layer solves or discretises, and how the layer is read off it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType

import mpmath
import numpy as np
import sympy
from sympy.printing.str import StrPrinter

from hjsym._latex import is_long, latex, latex_of
from hjsym.expr import symbolic
from hjsym.systems.lagrangians import conjugated
from hjsym.systems.matrices import matrix_function
from hjsym.systems.residual import reduced_residual, without_floats
from hjsym.systems.weights import MOST_COORDINATES, MOST_NUMBERS, coordinates, dot, mixed
from tropical._tables import HasTable
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["LABELS", "MOST_COORDINATES", "MOST_NUMBERS", "HJSystem", "coordinates", "dot", "mixed"]

_FEW_TERMS = 16  # of a maximum that SymPy may compare with each other

LABELS = {
    "exact": "the layer is a solution of the equation, identically",
    "linearised": "the layer solves the equation linearised around another solution, identically",
    "structural": "the layer is one step of a method for the equation; the defect says how far from its flow",
}


@dataclass(frozen=True, eq=False, repr=False)
class HJSystem(HasTable):
    """V_t + H(x, ∇V, t) = ν tr(A∇²V) + source, and its characteristics x' = ∂H/∂p, p' = −∂H/∂x.

    Small layers are written in scalars. Large ones are written in matrix symbols: `H`, `latex`, `lambdify` and `defect`
    work at any size, and what needs single coordinates says how many there are.

    Attributes
    ----------
    name : str
        What was read.
    label : {"exact", "linearised", "structural"}
        What the equation has to do with the layer; see `reason`.
    reason : str
        Why that is its label.
    H : sympy.Expr
        The Hamiltonian, in `x`, `p`, `t`, and symbols of `parameters`. Of large layers a 1 × 1 matrix expression.
    x, p : tuple of sympy.Symbol
        States and momenta (co-states); of large layers tuples of matrix symbols, which are columns of them.
    t : sympy.Symbol
        Time.
    viscosity : sympy.Expr
        ν.
    source : sympy.Expr
        What else stands on the right, such as the defect −εd/2t of the kernel gauge.
    A : sympy.Matrix or None
        The matrix of the second derivatives, symmetric and positive definite; None for the identity.
    parameters : mapping of sympy.Symbol to number or array
        The values of the symbols in H and in the fields, where weights were kept as symbols: with ``subs(parameters)``
        a layer of scalars is that of its numbers.
    fields : mapping of str to sympy.Expr
        Solutions in closed form, each of the same equation; empty where there is none.
    readout : str
        How the layer is read off the fields, in words.
    output : sympy.Expr or None
        The layer itself: what `readout` makes of the fields.
    defect : callable or None
        How far the given layer is from the flow of the equation at points (..., d); None where it is not at all.
    dual : callable or None
        L as an expression in velocities v1 … vd, from them, where H as a formula is not the best way to it.

    Examples
    --------
    >>> import hjsym
    >>> from hjsym.hopf import LSELayer
    >>> system = hjsym.hamiltonian(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5))
    >>> system.pde
    Eq(Derivative(V(x1, t), t) + Derivative(V(x1, t), x1)**2, Derivative(V(x1, t), (x1, 2))/2)
    >>> system.H, system.viscosity, system.source, system.size, system.is_linear_in_p, system.is_matrix
    (p1**2, 1/2, 0, 1, False, False)
    >>> system.residual(), bool(system.residual_at([0.3], 1.0) < 1e-30)
    (0, True)
    >>> system.initial_data["V"], system.lagrangian
    (-LogSumExp(1/2, x1, -x1), v1**2/4)
    >>> system.hamilton_equations
    (Eq(Derivative(x1(t), t), 2*p1(t)), Eq(Derivative(p1(t), t), 0))
    >>> float(system.lambdify()([0.0], [3.0], 0.0)), system.label in system.latex()
    (9.0, True)
    """

    name: str
    label: str
    reason: str
    H: sympy.Expr
    x: tuple
    p: tuple
    t: sympy.Symbol
    viscosity: sympy.Expr = sympy.S.Zero
    source: sympy.Expr = sympy.S.Zero
    A: sympy.Matrix | None = None
    parameters: Mapping = field(default_factory=dict)
    fields: Mapping = field(default_factory=dict)
    readout: str = ""
    output: sympy.Expr | None = None
    defect: Callable | None = None
    dual: Callable | None = None

    def __post_init__(self):
        if self.label not in LABELS:
            raise InputError(f"label is {self.label!r}; pass one of {', '.join(LABELS)}")
        for name in ("H", "viscosity", "source"):
            object.__setattr__(self, name, symbolic(getattr(self, name), name))
        self._protect()

    def __getstate__(self) -> dict:
        """Mappings that nobody can change are not pickled as such."""
        return {k: dict(v) if isinstance(v, MappingProxyType) else v for k, v in self.__dict__.items()}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._protect()

    def _protect(self) -> None:
        for name in ("parameters", "fields"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def is_matrix(self) -> bool:
        """Whether it is written in matrix symbols, for being large."""
        return any(isinstance(s, sympy.MatrixSymbol) for s in self.x)

    @property
    def size(self) -> int:
        """d, the number of coordinates."""
        return int(sum(math.prod(s.shape) for s in self.x)) if self.is_matrix else len(self.x)

    @property
    def initial_data(self) -> dict[str, sympy.Expr]:
        """The fields at t = 0."""
        return {name: solution.subs(self.t, 0) for name, solution in self.fields.items()}

    # ---- equations -------------------------------------------------------------------------------

    @property
    def pde(self) -> sympy.Eq:
        """V_t + H(x, ∇V, t) = ν tr(A∇²V) + source."""
        self._need_scalars("the equation")
        V = sympy.Function("V")(*self.x, self.t)
        return self._equation(V)

    def _equation(self, V: sympy.Expr) -> sympy.Eq:
        slopes = {q: sympy.Derivative(V, v) for q, v in zip(self.p, self.x, strict=True)}
        left = sympy.Derivative(V, self.t) + self.H.subs(slopes, simultaneous=True)
        return sympy.Eq(left, self.viscosity * self._second_order(V) + self.source, evaluate=False)

    def _second_order(self, V: sympy.Expr) -> sympy.Expr:
        """ΔV, or tr(A∇²V)."""
        if self.A is None:
            return sympy.Add(*(sympy.Derivative(V, (v, 2)) for v in self.x))
        places = product(enumerate(self.x), repeat=2)
        return sympy.Add(*(self.A[i, j] * sympy.Derivative(V, v, w) for (i, v), (j, w) in places))

    @property
    def hamilton_equations(self) -> tuple[sympy.Eq, ...]:
        """x' = ∂H/∂p and p' = −∂H/∂x, 2d equations in functions of t."""
        self._need_scalars("the equations")
        moving = {s: sympy.Function(s.name)(self.t) for s in (*self.x, *self.p)}
        forward = [(v, self.H.diff(q)) for v, q in zip(self.x, self.p, strict=True)]
        backward = [(q, -self.H.diff(v)) for v, q in zip(self.x, self.p, strict=True)]
        return tuple(
            sympy.Eq(
                sympy.Derivative(moving[s], self.t), rate.subs(moving, simultaneous=True), evaluate=False
            )
            for s, rate in forward + backward
        )

    @property
    def is_linear_in_p(self) -> bool:
        """Whether H is, in scalars, a flow p·F(x), whose Lagrangian is 0 on x' = F and +∞ off it."""
        if self.is_matrix:
            return False
        pieces = self.H.atoms(sympy.Piecewise)
        if any(where.free_symbols & set(self.p) for piece in pieces for _, where in piece.args):
            return False
        return all(self.H.diff(q, r) == 0 for q in self.p for r in self.p)

    @property
    def lagrangian(self) -> sympy.Expr:
        """L(x, v, t) = max_p (p·v − H), in velocities v1 … vd: +∞ where the maximum is.

        A convex quadratic of p by its inverse, anything else by `hjsym.conjugate`.

        Raises
        ------
        InputError
            H that is linear in p, whose Lagrangian is +∞ off the flow; H that is not proved convex in p.
        BudgetExceeded
            H that is too long a formula, or is written in matrix symbols.
        NotConvexError
            H that is not convex in p, with three momenta that show it.
        """
        self._need_scalars("the Lagrangian")
        if self.is_linear_in_p:
            raise InputError(
                "H is linear in p, so that L is 0 where v = ∂H/∂p and +∞ elsewhere; see hamilton_equations"
            )
        v = tuple(sympy.Symbol(f"v{k}", real=True) for k in range(1, len(self.p) + 1))
        if self.dual is not None:
            return self.dual(v)
        hessian = sympy.hessian(self.H, self.p)
        if not hessian.free_symbols & set(self.p) and hessian.is_positive_definite:
            return self._quadratic_lagrangian(sympy.Matrix(v), hessian)
        return conjugated(self.H, self.p, v)

    def _quadratic_lagrangian(self, v: sympy.Matrix, hessian: sympy.Matrix) -> sympy.Expr:
        rest = {q: 0 for q in self.p}
        offset = v - sympy.Matrix([self.H.diff(q).subs(rest) for q in self.p])
        return sympy.expand((offset.T * hessian.inv() * offset)[0] / 2 - self.H.subs(rest))

    # ---- checks ----------------------------------------------------------------------------------

    def residual(self, name: str | None = None) -> sympy.Expr:
        """V_t + H(x, ∇V, t) − νΔV − source of a field, reduced by SymPy: 0.

        Every exponential is taken for an unknown of its own, so 0 is a proof. Takes seconds from a hundred numbers in
        the layer on; `residual_at` is quick.
        """
        return reduced_residual(self._equation, self._field(name), (*self.x, self.t))

    def residual_at(self, x, t: float, name: str | None = None, digits: int = 40) -> float:
        """The residual at a point (d,), in arithmetic of so many digits, relative to the largest of its terms."""
        equation = self._equation(without_floats(self._field(name)))
        if np.size(x) != len(self.x):
            raise ShapeError(f"x has {np.size(x)} entries; the state has {len(self.x)}")
        if (self.t.is_positive and not t > 0) or (self.t.is_nonnegative and not t >= 0):
            raise InputError(f"t is {t}; the fields of {self.name} are there for t > 0")
        here = dict(
            zip((*self.x, self.t), [sympy.Rational(str(float(v))) for v in (*np.ravel(x), t)], strict=True)
        )
        here |= {s: sympy.Rational(str(v)) for s, v in self.parameters.items()}
        terms = [*sympy.Add.make_args(equation.lhs), *(-e for e in sympy.Add.make_args(equation.rhs))]
        with mpmath.workdps(digits):
            numbers = [sympy.N(without_floats(e.doit()).subs(here), digits) for e in terms]
            largest = max(map(abs, numbers))
            return float(abs(sum(numbers)) / largest) if largest else 0.0

    def _field(self, name: str | None) -> sympy.Expr:
        self._need_scalars("the residual")
        if not self.fields:
            raise InputError(f"{self.name} has no solution in closed form; its label is {self.label!r}")
        if name is not None and name not in self.fields:
            raise InputError(f"there is no field {name!r}; the fields are {', '.join(self.fields)}")
        return self.fields[name or next(iter(self.fields))]

    # ---- numbers ---------------------------------------------------------------------------------

    def lambdify(self, modules="numpy") -> Callable:
        """H as a function of (x, p, t), x and p being sequences of d arrays; `parameters` are put in.

        In matrix symbols a function of NumPy arrays (d, ...), whatever `modules` says.
        """
        if self.is_matrix:
            return matrix_function(self.H, self.x, self.p, self.t, self.parameters)
        H = self.H.subs({s: v for s, v in self.parameters.items() if np.ndim(v) == 0})
        return sympy.lambdify([self.x, self.p, self.t], H, modules, cse=True)

    # ---- print -----------------------------------------------------------------------------------

    def latex(self) -> str:
        """The Hamiltonian and its equation in LaTeX, with the label."""
        H = latex(self.H)
        second = (
            r"\Delta V" if self.A is None else rf"\operatorname{{tr}}\left({latex(self.A)}\nabla^2 V\right)"
        )
        right = rf"{latex(self.viscosity)}\,{second}" if self.viscosity != 0 else "0"
        if self.source != 0:
            right = f"{right} + {latex(self.source)}" if self.viscosity != 0 else latex(self.source)
        return (
            rf"H(x, p, t) = {H}, \qquad \partial_t V + H(x, \nabla V, t) = {right}"
            rf" \qquad \text{{({self.label})}}"
        )

    def _repr_latex_(self) -> str | None:
        return latex_of(self, self.H, self.viscosity, self.source, *([] if self.A is None else [self.A]))

    def _shape(self) -> tuple[int, int]:
        return 5 + len(self.fields), 2

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        from hjsym._notebook import system_columns

        return system_columns(self, first)

    def _html(self) -> str | None:
        from hjsym._notebook import system_html

        return system_html(self) if self._repr_latex_() is None else None

    def __repr__(self) -> str:
        return f"<HJSystem: {self.name}, {self.label}, {self.size} coordinates>"

    def __str__(self) -> str:
        lines = [
            self.name,
            f"  H           {_short(self.H)}",
            f"  viscosity   {_short(self.viscosity)}",
            *([f"  A           {_short(self.A)}"] if self.A is not None else []),
            *([f"  source      {_short(self.source)}"] if self.source != 0 else []),
            *([f"  {name:<11} {_short(V)}" for name, V in self.fields.items()]),
            *([f"  read off    {self.readout}"] if self.readout else []),
            f"  label       {self.label}: {LABELS[self.label]}",
            f"              {self.reason}",
        ]
        return "\n".join(lines)

    def _need_scalars(self, what: str) -> None:
        if self.is_matrix:
            raise BudgetExceeded(
                f"scalars for {what} of {self.name}, which is written in matrix symbols",
                self.size, MOST_COORDINATES,
                "read H, lambdify and defect, which work at this size, hjsym.pontryagin for co-states as arrays, "
                "or a layer of fewer states and weights",
            )  # fmt: skip


def readable(expr: sympy.Basic, digits: int = 6) -> sympy.Basic:
    """The same with long fractions as decimals of a few digits, to print."""
    long = {r: sympy.Float(r, digits) for r in expr.atoms(sympy.Rational) if r.q > 1000 or abs(r.p) > 10**9}
    return expr.xreplace(long)


class _Terms(StrPrinter):
    """Maxima term by term: to build one anew compares all its terms, which takes minutes for a hundred."""

    def _print_Max(self, maximum: sympy.Max) -> str:
        terms = sorted(maximum.args, key=sympy.default_sort_key)
        return f"Max({', '.join(str(readable(term)) for term in terms)})"


def _short(expr: sympy.Basic) -> str:
    if is_long(expr):
        return "a formula that is too long to write"
    has_many = any(len(maximum.args) > _FEW_TERMS for maximum in expr.atoms(sympy.Max))
    text = _Terms().doprint(expr) if has_many else str(readable(expr))
    return text if len(text) <= 300 else f"{text[:300]} … ({len(text):,} characters)"

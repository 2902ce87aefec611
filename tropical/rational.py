"""Tropical rational functions P ⊘ Q: in ordinary notation, differences P(x) − Q(x)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from tropical import _algebra, _bends, _divisor, _simplify
from tropical._arrays import is_number
from tropical._formulas import HasFormula
from tropical.circuit import Circuit, evaluate_together
from tropical.errors import InputError, SemiringMismatchError, ShapeError
from tropical.hypersurface import Hypersurface, HypersurfaceCell
from tropical.polynomial import Polynomial

__all__ = ["Rational"]


class Rational(HasFormula):
    """The tropical rational function f = P ⊘ Q, f(x) = P(x) − Q(x).

    Every continuous piecewise-linear function is one, so every ReLU network is. P and Q are both
    `Polynomial`s (values of shape (...)) or both `Circuit`s (values of shape (..., m)); circuits that share
    gates are evaluated once.

    Operators are the semiring's: ``+`` is ⊕, ``*`` is ⊗, ``/`` is ⊘, ``**`` takes powers of either sign.

    Parameters
    ----------
    P, Q : Polynomial or Circuit
        Numerator and denominator, over one semiring, with equally many variables (and outputs).

    Notes
    -----
    In floats P(x) − Q(x) cancels when both are large: the error is a few ulp of max(|P|, |Q|), which in deep
    networks can be far above an ulp of f; `error_bound` says. Exact P and Q do not round at all, and compiled
    networks (`hjsym.compile`) take their values from the network.

    References
    ----------
    L. Zhang, G. Naitzat, L.-H. Lim, "Tropical geometry of deep neural networks", ICML 2018, Theorem 5.4.

    Examples
    --------
    >>> from tropical import variables
    >>> x, = variables(1)
    >>> f = (x**2 + 0) / (x + 0)          # max(2x, 0) − max(x, 0)
    >>> f([[-1.0], [3.0]])
    array([0., 3.])
    >>> f.parts([[3.0]]), f.affine_at([3.0]), f.gradient([3.0]), f.variables, f.is_exact
    ((array([6.]), array([3.])), (array([1.]), np.float64(0.0)), array([1.]), 1, False)
    >>> soft = f.deform(0.1)
    >>> bool(abs(soft([3.0]) - f([3.0])) <= soft.deformation_bound())
    True
    >>> print(f.boundary_polynomial(), f.substitute({0: 2 * x}).P, *f.essential(), sep=", ")
    x1^2 ⊕ 0 ⊕ x1 ⊕ 0, 4 x1^2 ⊕ 0, 0 ⊕ x1^2, 0 ⊕ x1
    >>> f.to_exact()([3]), f.to_exact().to_float()([3.0])
    (Fraction(3, 1), np.float64(3.0))
    """

    __array_ufunc__ = None

    def __init__(self, P: Polynomial | Circuit, Q: Polynomial | Circuit):
        if type(P) is not type(Q) or not isinstance(P, (Polynomial, Circuit)):
            raise InputError(
                f"P is a {type(P).__name__} and Q a {type(Q).__name__}; pass two Polynomials or two Circuits"
            )
        if P.variables != Q.variables:
            raise ShapeError(f"P has {P.variables} variables and Q has {Q.variables}; give both the same")
        if isinstance(P, Circuit) and P.outputs != Q.outputs:
            raise ShapeError(f"P has {P.outputs} outputs and Q has {Q.outputs}; give both the same")
        if isinstance(P, Circuit) and P.node.source is not Q.node.source:
            raise InputError(
                "P and Q start from different identities; build both from one Circuit.identity(d)"
            )
        if isinstance(P, Polynomial) and P.semiring != Q.semiring:
            raise SemiringMismatchError(
                f"P is over {P.semiring}, Q over {Q.semiring}; deform one of them first"
            )
        if isinstance(P, Polynomial):
            if (Q.coefficients == Q.semiring.zero).all():
                raise InputError(
                    "Q is the zero polynomial, by which nothing is divided; pass another denominator"
                )
            if P.is_exact != Q.is_exact:  # a Fraction minus a float would be a float
                P, Q = P.to_exact(), Q.to_exact()
        self.P = P
        self.Q = Q

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def variables(self) -> int:
        """d, the number of variables."""
        return self.P.variables

    @property
    def is_exact(self) -> bool:
        """Whether both parts are over Fractions."""
        return self.P.is_exact and self.Q.is_exact

    def to_exact(self) -> Rational:
        """The same function over Fractions; nothing changes. For polynomials at ε = 0."""
        self._need_polynomials("to_exact")
        return Rational(self.P.to_exact(), self.Q.to_exact())

    def to_float(self) -> Rational:
        """The float64 parts nearest to exact ones. For polynomials."""
        self._need_polynomials("to_float")
        return Rational(self.P.to_float(), self.Q.to_float())

    @property
    def exactly(self) -> Rational:
        """What exact algorithms read in place of f; a subclass that had to round its parts has better ones."""
        return self

    def _need_polynomials(self, what: str) -> None:
        if not isinstance(self.P, Polynomial):
            raise InputError(
                f"{what} needs polynomials, and these are circuits; use Rational(P.expand(), Q.expand())"
            )

    def _need_one_variable(self, what: str, instead: str) -> None:
        self._need_polynomials(what)
        if self.variables != 1:
            raise ShapeError(
                f"f has {self.variables} variables; {what}() is for one; in more, use {instead}()"
            )

    def deform(self, eps: float) -> Rational:
        """P_ε ⊘ Q_ε."""
        return Rational(self.P.deform(eps), self.Q.deform(eps))

    def deformation_bound(self) -> np.ndarray:
        """A proved bound on |f_ε(x) − f_0(x)|, the same for all x.

        With 0 ≤ P_ε − P_0 ≤ δ_P and 0 ≤ Q_ε − Q_0 ≤ δ_Q the difference lies in [−δ_Q, δ_P].
        """
        return np.maximum(self.P.deformation_bound(), self.Q.deformation_bound())[()]

    # ---- values and derivatives ------------------------------------------------------------------

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """f(x) at points of shape (..., d)."""
        p, q = self.parts(x)
        with np.errstate(invalid="ignore"):  # where both are infinite
            return p - q

    def parts(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """P(x) and Q(x); work that circuits share is done once."""
        if isinstance(self.P, Circuit):
            return evaluate_together((self.P, self.Q), x)
        return self.P(x), self.Q(x)

    def error_bound(self, x: ArrayLike) -> np.ndarray:
        """A proved bound on |P(x) − Q(x) as computed − f(x)|, of the shape of f(x); 0 for exact functions.

        ``f.P.error_bound(x)`` and ``f.Q.error_bound(x)`` are those of the parts. P and Q count as they are stored.

        >>> from tropical import variables
        >>> x, = variables(1)
        >>> f = (0.1 * x + 1e9) / (x + 1e9)
        >>> 1e-8 < f.error_bound([2e9]) < 1e-5           # the parts are large and cancel
        np.True_
        """
        from tropical._rounding import difference_bound

        return difference_bound(self, x)

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """∇P(x) − ∇Q(x), shape (..., d), or (..., m, d) for circuits."""
        return self.P.gradient(x) - self.Q.gradient(x)

    def affine_at(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """(slope, intercept) of the affine piece that f coincides with around x; needs ε = 0.

        On the boundary between pieces the smallest index wins in P and in Q.
        """
        slope_p, intercept_p = self.P.affine_at(x)
        slope_q, intercept_q = self.Q.affine_at(x)
        return slope_p - slope_q, intercept_p - intercept_q

    def essential(self, domain=None, **options):
        """(P, Q) as explicit polynomials of their essential monomials; see `tropical.essential`."""
        from tropical.essential import essential

        return essential(self, domain, **options)

    # ---- algebra ---------------------------------------------------------------------------------

    def _operand(self, other) -> Rational:
        if isinstance(other, Rational):
            return other
        unit = self.Q**0
        return Rational(unit * other if is_number(other) else other, unit)

    def __add__(self, other) -> Rational:
        """f ⊕ g = (P_f Q_g ⊕ P_g Q_f) ⊘ (Q_f Q_g)."""
        if not _fits(other):
            return NotImplemented
        g = self._operand(other)
        return Rational(self.P * g.Q + g.P * self.Q, self.Q * g.Q)

    def __mul__(self, other) -> Rational:
        """f ⊗ g = (P_f P_g) ⊘ (Q_f Q_g)."""
        if not _fits(other):
            return NotImplemented
        g = self._operand(other)
        return Rational(self.P * g.P, self.Q * g.Q)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other) -> Rational:
        """f ⊘ g = (P_f Q_g) ⊘ (Q_f P_g)."""
        if not _fits(other):
            return NotImplemented
        g = self._operand(other)
        return Rational(self.P * g.Q, self.Q * g.P)

    def __rtruediv__(self, other) -> Rational:
        return self._operand(other) / self if _fits(other) else NotImplemented

    def __pow__(self, exponent: Real) -> Rational:
        """f^{⊗k}, the function k·f(x), for k of either sign; at ε > 0 for whole k."""
        if not is_number(exponent):
            return NotImplemented
        if exponent >= 0:
            return Rational(self.P**exponent, self.Q**exponent)
        return Rational(self.Q**-exponent, self.P**-exponent)

    def compose(self, *inner: Polynomial | Rational | Real) -> Rational:
        """f(g_1, …, g_d), with polynomials, rational functions or numbers; see `Polynomial.compose`.

        >>> from tropical import variables
        >>> x, y = variables(2)
        >>> f = (x + y) / (x * y)
        >>> f.compose(y / x, 2)([1.0, 5.0]) == f([4.0, 2.0])
        np.True_
        """
        self._need_polynomials("compose")
        (numerator, denominator), _ = _algebra.compose([self.P, self.Q], inner)
        return Rational(numerator, denominator)

    def substitute(self, mapping: Mapping[int, Polynomial | Rational | Real]) -> Rational:
        """f with variable k (from 0) replaced by mapping[k], a number or a function of the same d variables."""
        self._need_polynomials("substitute")
        return self.compose(*_algebra.coordinates(self.P, mapping))

    # ---- decided exactly -------------------------------------------------------------------------

    def equals(self, other: Rational | Polynomial | Real) -> bool:
        """Whether both are the same function, P_f ⊗ Q_g = P_g ⊗ Q_f; decided as in `Polynomial.equals`.

        Raises BudgetExceeded where a product has more than 10⁷ monomials.

        >>> from tropical import variables
        >>> x, y = variables(2)
        >>> ((x + y)**2 / (x**2 + y**2)).equals(0)
        True
        """
        self._need_polynomials("equals")
        return _simplify.equals(self, self._operand(other))

    def simplify(self) -> Rational:
        """The same function with fewer monomials, at ε = 0.

        P and Q take their normal form; the common monomial factor goes, so that exponents start at 0 and the last
        coefficient of Q is 0; in one variable common roots cancel, so that P and Q have none; in several, P or Q
        becomes a monomial where the other is a multiple of it. Decided exactly. In floats a cancellation
        that would round is left out: use `to_exact` first.

        Examples
        --------
        >>> from tropical import variables
        >>> x, y = variables(2)
        >>> f = ((x + y + 1) * (x + 2)).to_exact() / (x + 2)
        >>> print(f.simplify().P, "over", f.simplify().Q)
        1 ⊕ x2 ⊕ x1 over 0
        """
        self._need_polynomials("simplify")
        return _simplify.simplify(self)

    def zeros(self) -> list[tuple]:
        """(zero, multiplicity) in one variable at ε = 0: where f bends as a sum of terms does, ascending.

        These are the roots of P that are left when those of Q cancel, as in `Polynomial.roots`; a multiplicity is
        the change of slope. At the semiring's zero (−∞ for max) it is the slope there, if positive.

        >>> from tropical import variables
        >>> x, = variables(1)
        >>> f = (x + 1)**2 * x / (x + 3)
        >>> f.zeros(), f.poles()
        ([(-inf, 1), (1.0, 2)], [(3.0, 1)])
        """
        self._need_one_variable("zeros", "divisor")
        return _bends.zeros_and_poles(self)[0]

    def poles(self) -> list[tuple]:
        """(pole, multiplicity) in one variable at ε = 0: the zeros of 1 ⊘ f."""
        self._need_one_variable("poles", "divisor")
        return _bends.zeros_and_poles(self)[1]

    def divisor(self) -> tuple[Hypersurface, tuple[int | Fraction, ...]]:
        """Zeros and poles in any number of variables, at ε = 0: the hypersurface of P ⊗ Q with a multiplicity per cell.

        f bends by its multiplicity times the normal across a maximal cell: as a sum of terms does where it is
        positive, on a zero, the other way where it is negative, on a pole; 0 where P and Q bend alike. It is the
        weight of the cell in the hypersurface of P less that in Q's. Decided and given in Fractions, since products
        of floats would round. In one variable these are `zeros` and `poles`. Cost: a subdivision of |P|·|Q| points.

        >>> from tropical import variables
        >>> x, y = variables(2)
        >>> h, multiplicities = ((x + y)**2 / (x + y + 0)).divisor()
        >>> [(c.direction, m) for c, m in zip(h.cells, multiplicities)]
        [((-1, -1), 2), ((-1, 0), -1), ((0, -1), -1), ((1, 1), 1)]
        """
        self._need_polynomials("divisor")
        return _divisor.divisor(self)

    def decision_boundary(self) -> list[tuple]:
        """{x : P(x) = Q(x)} in one variable at ε = 0, as disjoint closed intervals (lower, upper), ascending.

        A point is an interval of length 0; ends may be infinite. Decided exactly; floats are rounded once. In more
        variables see `decision_cells`.

        >>> from tropical import variables
        >>> x, = variables(1)
        >>> ((x + 0) / (x**2 + -4)).decision_boundary()           # max(x, 0) = max(2x, −4)
        [(0.0, 0.0)]
        """
        self._need_one_variable("decision_boundary", "decision_cells")
        return _bends.decision_boundary(self)

    def decision_cells(self) -> tuple[HypersurfaceCell, ...]:
        """The maximal cells of the hypersurface of P ⊕ Q on which P = Q, at ε = 0; decided exactly.

        They make up {x : P(x) = Q(x)} but for two things: of a set with an interior, where both have one monomial,
        they are the boundary; and where P and Q only touch in less than d − 1 dimensions there is none. The
        monomials of a cell are those of `boundary_polynomial`, and its vertices those of the hypersurface.

        >>> from tropical import variables
        >>> x, y = variables(2)
        >>> f = (x + y) / (x * y + 0)                             # max(x, y) = max(x + y, 0)
        >>> [(c.monomials, c.direction) for c in f.decision_cells()]
        [((1, 3), (-1, 0)), ((0, 3), (0, -1)), ((1, 2), (0, 1)), ((0, 2), (1, 0))]
        """
        self._need_polynomials("decision_cells")
        cells = self.boundary_polynomial().hypersurface().cells
        return tuple(c for c in cells if len({m < len(self.P) for m in c.monomials}) == 2)

    def boundary_polynomial(self) -> Polynomial:
        """P ⊕ Q, the terms of P first: {P = Q} is where terms of both attain its value at once."""
        self._need_polynomials("boundary_polynomial")
        return self.P + self.Q

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: P = {self.P!r}, Q = {self.Q!r}>"

    def __str__(self) -> str:
        return f"({self.P}) ⊘ ({self.Q})"


def _fits(other) -> bool:
    return isinstance(other, (Rational, Polynomial, Circuit)) or is_number(other)

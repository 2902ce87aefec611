"""Tropical rational functions P ⊘ Q: in ordinary notation, differences P(x) − Q(x)."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from tropical.circuit import Circuit, evaluate_together
from tropical.errors import InputError, SemiringMismatchError, ShapeError
from tropical.polynomial import Polynomial

__all__ = ["Rational"]


class Rational:
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
    networks can be far above an ulp of f. Exact P and Q do not round at all.

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

    def deform(self, eps: float) -> "Rational":
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
        return p - q

    def parts(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """P(x) and Q(x); work that circuits share is done once."""
        if isinstance(self.P, Circuit):
            return evaluate_together((self.P, self.Q), x)
        return self.P(x), self.Q(x)

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

    def _operand(self, other) -> "Rational":
        if isinstance(other, Rational):
            return other
        unit = self.Q**0
        return Rational(unit * other if isinstance(other, Real) else other, unit)

    def __add__(self, other) -> "Rational":
        """f ⊕ g = (P_f Q_g ⊕ P_g Q_f) ⊘ (Q_f Q_g)."""
        if not isinstance(other, (Rational, Polynomial, Circuit, Real)):
            return NotImplemented
        g = self._operand(other)
        return Rational(self.P * g.Q + g.P * self.Q, self.Q * g.Q)

    def __mul__(self, other) -> "Rational":
        """f ⊗ g = (P_f P_g) ⊘ (Q_f Q_g)."""
        if not isinstance(other, (Rational, Polynomial, Circuit, Real)):
            return NotImplemented
        g = self._operand(other)
        return Rational(self.P * g.P, self.Q * g.Q)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other) -> "Rational":
        """f ⊘ g = (P_f Q_g) ⊘ (Q_f P_g)."""
        if not isinstance(other, (Rational, Polynomial, Circuit, Real)):
            return NotImplemented
        g = self._operand(other)
        return Rational(self.P * g.Q, self.Q * g.P)

    def __rtruediv__(self, other) -> "Rational":
        if not isinstance(other, (Polynomial, Circuit, Real)):
            return NotImplemented
        return self._operand(other) / self

    def __pow__(self, exponent: int) -> "Rational":
        """f^{⊗k}, the function k·f(x), for a whole number k."""
        if not isinstance(exponent, Real):
            return NotImplemented
        if exponent >= 0:
            return Rational(self.P**exponent, self.Q**exponent)
        return Rational(self.Q**-exponent, self.P**-exponent)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: P = {self.P!r}, Q = {self.Q!r}>"

"""Tropical polynomials: maxima, minima and their soft versions, of affine functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tropical import _algebra, _terms, _text
from tropical._arrays import (
    EXACT,
    as_array,
    common_dtype,
    convert,
    frozen,
    is_exact,
    is_finite,
    is_number,
    refuse_where,
    to_floats,
)
from tropical._evaluation import Evaluation
from tropical._formulas import HasFormula
from tropical._truncation import Truncation, truncate
from tropical.domain import Box
from tropical.errors import InputError, ShapeError
from tropical.semiring import MAX_PLUS, Semiring, check_semiring

if TYPE_CHECKING:
    from tropical.rational import Rational

__all__ = ["Polynomial", "variables"]


@dataclass(frozen=True, eq=False, repr=False)
class Polynomial(Evaluation, HasFormula):
    """The tropical polynomial p(x) = ⊕_j b_j ⊗ x^{⊗W_j}.

    In ordinary notation, over max-plus, p(x) = max_j (W_j·x + b_j); at temperature ε > 0,
    p(x) = ε log Σ_j exp((W_j·x + b_j)/ε), a log-sum-exp layer. Over min-plus both are mirrored. Slopes are
    any reals, so these are the generalised (Laurent, real-exponent) polynomials.

    Operators are the semiring's: ``p + q`` is ⊕, ``p * q`` is ⊗, ``p ** k`` is the k-fold ⊗ and ``p / q`` a
    `Rational`. A real number stands for the constant polynomial. ``p == q`` asks whether they are one object: `equals`
    compares functions, `same_terms` monomials.

    Parameters
    ----------
    slopes : (N, d) array
        Exponent vectors W_j, finite. Shape (N,) is read as one variable.
    coefficients : (N,) array
        b_j. The semiring's zero (−∞ for max) drops its monomial; NaN is refused.
    semiring : Semiring
        Sign and temperature.

    Raises
    ------
    ShapeError
        Shapes that do not fit.
    InputError
        NaN, infinite slopes, or exact entries at ε > 0.

    Notes
    -----
    float32 and float64 are kept, integers become float64. Arrays of `fractions.Fraction` make an exact
    polynomial: its values are Fractions and nothing rounds. Points have shape (..., d). In floats each
    W_j·x + b_j is a chain of fused multiply-adds that starts at b_j and runs through the variables in
    order: one rounding per variable. At ε = 0 that is the whole error. `n_threads` is how many threads share
    the points, or very many monomials: None takes as many as help, and no result depends on it. `out` takes
    the results: an array of their shape and dtype, of any strides, that overlaps no input. Points in a dask array
    give dask arrays, computed when they are asked for; points in files, see `stream`.

    Examples
    --------
    >>> p = Polynomial([[1, 0], [0, 1], [0, 0]], [0, 0, 1])      # max(x, y, 1)
    >>> p([[2.0, 3.0], [-1.0, -1.0]])
    array([3., 1.])
    >>> p.deform(0.5).weights([2.0, 3.0]).round(4)
    array([0.1173, 0.8668, 0.0159])
    >>> x, y = variables(2)
    >>> print(x * y + 3 * x**2 + 1)
    x1 x2 ⊕ 3 x1^2 ⊕ 1
    >>> p.variables, p.dtype, p.is_exact, p.to_exact().is_exact, p.to_exact().to_float().same_terms(p)
    (2, dtype('float64'), False, True, True)
    >>> soft = p.deform(0.5)
    >>> round(soft.deformation_bound(), 4), soft.gradient([2.0, 3.0]).round(4)
    (0.5493, array([0.1173, 0.8668]))
    >>> q = Polynomial([[0, 0], [2, 0], [1, 0], [2, 0]], [0, 0, -1, -3])       # x − 1 is never the largest
    >>> print(q.prune(), q.merge(), q.normal_form(), sep=", ")
    0 ⊕ x1^2, 0 ⊕ x1^2 ⊕ -1 x1, 0 ⊕ x1^2
    >>> q.to_dict(), q.same_terms(q.merge())
    ({(0.0, 0.0): 0.0, (2.0, 0.0): 0.0, (1.0, 0.0): -1.0}, False)
    >>> Polynomial([0, 1, 2], [0, 1, 0]).roots()
    [(-1.0, 1), (1.0, 1)]
    >>> p.newton_polytope().volume, len(p.subdivision().cells), len(p.hypersurface().cells)
    (0.5, 1, 3)
    """

    slopes: np.ndarray
    coefficients: np.ndarray
    semiring: Semiring = MAX_PLUS

    __array_ufunc__ = None  # lets NumPy scalars on the left leave the operators to us

    def __post_init__(self):
        check_semiring(self.semiring)
        slopes = as_array("slopes", self.slopes)
        coefficients = as_array("coefficients", self.coefficients)
        if slopes.ndim == 1:
            slopes = slopes[:, None]
        if slopes.ndim != 2 or coefficients.shape != slopes.shape[:1]:
            raise ShapeError(
                f"slopes have shape {slopes.shape} and coefficients {coefficients.shape}; "
                "pass slopes of shape (N, d) and coefficients of shape (N,)"
            )
        dtype = common_dtype(slopes.dtype, coefficients.dtype)
        if dtype == EXACT and not self.semiring.is_tropical:
            raise InputError(
                f"exact entries at eps = {self.semiring.eps:g}: log-sum-exp is transcendental; "
                "use eps = 0 or call to_float() first"
            )
        slopes, coefficients = convert(slopes, dtype), convert(coefficients, dtype)
        refuse_where(~is_finite(slopes), "slopes", slopes, "slopes must be finite")
        refuse_where(
            coefficients != coefficients, "coefficients", coefficients, "coefficients must not be NaN"
        )
        object.__setattr__(self, "slopes", frozen(slopes))
        object.__setattr__(self, "coefficients", frozen(coefficients))

    def __reduce__(self):
        return Polynomial, (self.slopes, self.coefficients, self.semiring)  # not what the kernel keeps

    # ---- what it is ------------------------------------------------------------------------------

    def __len__(self) -> int:
        """N, the number of monomials as given."""
        return len(self.coefficients)

    @property
    def variables(self) -> int:
        """d, the number of variables."""
        return self.slopes.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """float32, float64, or object for exact."""
        return self.coefficients.dtype

    @property
    def is_exact(self) -> bool:
        """Whether entries are Fractions."""
        return is_exact(self.coefficients)

    def to_float(self) -> Polynomial:
        """The float64 polynomial nearest to an exact one."""
        return Polynomial(to_floats(self.slopes), to_floats(self.coefficients), self.semiring)

    def to_exact(self) -> Polynomial:
        """The same polynomial over Fractions; floats are dyadic, so nothing changes. Needs ε = 0."""
        exact = EXACT
        return Polynomial(convert(self.slopes, exact), convert(self.coefficients, exact), self.semiring)

    def deform(self, eps: float) -> Polynomial:
        """The same monomials at temperature `eps`."""
        return Polynomial(self.slopes, self.coefficients, self.semiring.deform(eps))

    def deformation_bound(self) -> float:
        """ε log N, which bounds |p_ε(x) − p_0(x)| at every x and is attained where all terms tie."""
        return self.semiring.eps * math.log(len(self)) * (1 + 2.0**-50) if len(self) else 0.0

    # ---- algebra ---------------------------------------------------------------------------------

    def __add__(self, other) -> Polynomial:
        """p ⊕ q: the monomials of both."""
        return _algebra.add(self, other)

    def __mul__(self, other) -> Polynomial:
        """p ⊗ q: all N·M products of monomials; the function is the ordinary sum p(x) + q(x)."""
        return _algebra.multiply(self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: Real) -> Polynomial:
        """p^{⊗k}, the function k·p(x).

        At ε = 0 any k ≥ 0 scales slopes and coefficients: k·max(z) = max(k·z). At ε > 0, k is a whole number
        and the C(N+k−1, k) terms of the multinomial formula appear, since k·LSE_ε(z) ≠ LSE_ε(k·z).
        A single monomial has every real power.
        """
        return _algebra.power(self, exponent)

    def __truediv__(self, other):
        """p ⊘ q, a `Rational`."""
        return _algebra.divide(self, other)

    def __rtruediv__(self, other):
        return _algebra.divide(_algebra.operand(self, other), self) if is_number(other) else NotImplemented

    def compose(self, *inner: Polynomial | Rational | Real) -> Polynomial | Rational:
        """p(q_1, …, q_d), the polynomial (or `Rational`) y ↦ p(q_1(y), …, q_d(y)); also p at polynomials.

        Parameters
        ----------
        *inner : Polynomial, Rational or number, one for each variable
            Functions of the same variables, which need not be those of p; at least one is no number.

        Returns
        -------
        Polynomial
            If no q_k is a `Rational` and no sum q_k has a negative exponent; else a `Rational`.

        Raises
        ------
        InputError
            At ε > 0, for exponents of sums that are not whole (see `**`).
        BudgetExceeded
            More than 10⁷ terms, of which p's term j makes Π_k (size of q_k^{W_jk}); before any is made.

        Examples
        --------
        >>> x, y = variables(2)
        >>> print((x * y**2).compose(x + 1, 2 * y))
        4 x1 x2^2 ⊕ 5 x2^2
        """
        return _algebra.compose_one(self, inner)

    def substitute(self, mapping: Mapping[int, Polynomial | Rational | Real]) -> Polynomial | Rational:
        """p with variable k (from 0) replaced by mapping[k], a number or a function of the same d variables.

        >>> x, y = variables(2)
        >>> print((x * y + x).substitute({1: 3}))
        3 x1 ⊕ x1
        """
        return self.compose(*_algebra.coordinates(self, mapping))

    # ---- terms and equality ----------------------------------------------------------------------

    @classmethod
    def from_dict(
        cls, terms: Mapping, semiring: Semiring = MAX_PLUS, *, variables: int | None = None
    ) -> Polynomial:
        """The polynomial with coefficient terms[a] at the exponents a, tuples of d numbers (a number for d = 1).

        Exact if a coefficient or an exponent is a Fraction, a Decimal or a number of python-flint; `variables` is
        d for an empty dictionary.

        >>> print(Polynomial.from_dict({(2, 1): 3, (0, 0): 1}))
        3 x1^2 x2 ⊕ 1
        """
        return cls(*_terms.read_dict(terms, variables), semiring)

    def to_dict(self) -> dict[tuple, object]:
        """Coefficients by exponents: the inverse of `from_dict`. Equal exponents are merged, zeros left out."""
        return _terms.to_dict(self)

    def merge(self) -> Polynomial:
        """The same function with monomials of equal slopes ⊕-added into the first, and zeros left out.

        Without rounding at ε = 0. At ε > 0 each sum is rounded, whatever the order of its terms, as in
        ε·logaddexp. Cost N log N.
        """
        return _terms.merge(self)

    def normal_form(self) -> Polynomial:
        """Merged, and sorted by exponents; at ε = 0 only with the monomials that alone are the value somewhere.

        At ε = 0 two polynomials have equal normal forms if and only if they are equal functions. Which monomials
        count is decided exactly, as by `prune`.
        """
        return _terms.normal_form(self)

    def same_terms(self, other: Polynomial | Real) -> bool:
        """Whether both have the same monomials, in any order, zeros aside. Compares numbers exactly."""
        return _terms.same_terms(self, other)

    def equals(self, other: Polynomial | Real) -> bool:
        """Whether both are the same function on R^d: decided exactly, floats being the dyadic numbers they are.

        Notes
        -----
        At ε = 0 their normal forms must be equal, or, where hulls are dear (see `prune`), each monomial of one
        nowhere above the other, by linear programs in floats whose answers are proved in Fractions. At ε > 0 the
        functions agree only if `same_terms`, since exponentials of distinct linear functions are linearly
        independent, and so are those of distinct rational numbers (Lindemann and Weierstrass); `merge`, which
        rounds, may change the function by an ulp.

        Examples
        --------
        >>> x, y = variables(2)
        >>> (x + y).equals(x + y + x**0.5 * y**0.5), (x + y).same_terms(x + y + x**0.5 * y**0.5)
        (True, False)
        """
        return _terms.equals(self, other)

    def equals_up_to_scaling(self, other: Polynomial | Real) -> Fraction | float | None:
        """The constant c with p = c ⊗ q as functions, or None. Decided as in `equals`; a float c is rounded.

        >>> x, y = variables(2)
        >>> (x + y).equals_up_to_scaling(2 * x + 2 * y)
        -2.0
        """
        return _terms.equals_up_to_scaling(self, other)

    def truncate(
        self,
        tol: float,
        *,
        points: ArrayLike | None = None,
        box: Box | tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Truncation:
        """Fewer monomials at ε > 0, with |p(x) − q(x)| ≤ tol at all given points, or in all of a box.

        Leaves out the monomials of least weight, as many as the tolerance allows; the result has their rows and the
        error: at points −ε log(1 − π_S), where π_S is the weight of what was left out; over a box a proved bound.

        Parameters
        ----------
        tol : float
            In the units of the values.
        points : (..., d) array
        box : Box or (low, high)
            Bounded: numbers or (d,) arrays.

        Examples
        --------
        >>> p = Polynomial([0.0, 1.0, 2.0], [0.0, -50.0, 0.0], Semiring(eps=1.0))
        >>> t = p.truncate(1e-6, box=(-3, 3))
        >>> t.removed, 9.6e-23 < t.error < 9.7e-23
        ((1,), True)
        """
        return truncate(self, tol, points, box)

    def roots(self) -> list[tuple]:
        """(root, multiplicity) of a polynomial in one variable at ε = 0, ascending; see `tropical.roots`."""
        from tropical.roots import roots

        return roots(self)

    # ---- geometry --------------------------------------------------------------------------------

    def newton_polytope(self):
        """The convex hull of the slopes, a `Polytope`; the semiring's zeros are left out."""
        from tropical.polytope import newton_polytope

        return newton_polytope(self)

    def subdivision(self):
        """The dual regular subdivision of the Newton polytope, a `Subdivision`; needs ε = 0."""
        from tropical.subdivision import subdivision

        return subdivision(self)

    def hypersurface(self):
        """Where at least two monomials attain the value, a `Hypersurface`; needs ε = 0."""
        from tropical.hypersurface import hypersurface

        return hypersurface(self)

    def prune(self, domain=None, *, return_report: bool = False):
        """Without the monomials that are nowhere the best alone: the same function, on R^d or a Box or Polyhedron;
        needs ε = 0. The report proves each decision: see `tropical.pruning`.
        """
        from tropical.pruning import prune

        return prune(self, domain, return_report=return_report)

    # ---- reading ---------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return _text.summary(self)

    def __str__(self) -> str:
        return _text.formula(self)


def variables(d: int, semiring: Semiring = MAX_PLUS) -> tuple[Polynomial, ...]:
    """The coordinate functions x_1 … x_d as polynomials.

    Parameters
    ----------
    d : int
        How many.
    semiring : Semiring

    Returns
    -------
    tuple of d Polynomials

    Examples
    --------
    >>> x, y = variables(2)
    >>> (x + y + 0)([[3.0, -1.0], [-1.0, -2.0]])
    array([3., 0.])
    """
    if not isinstance(d, (int, np.integer)) or d < 0:
        raise InputError(f"d is {d!r}; pass how many variables there are, a whole number >= 0")
    return tuple(Polynomial(row[None], [0.0], semiring) for row in np.eye(d))

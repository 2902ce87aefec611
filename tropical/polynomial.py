"""Tropical polynomials: maxima, minima and their soft versions, of affine functions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tropical import _algebra, _core, _terms, _text
from tropical._arrays import (
    EXACT,
    as_array,
    as_output,
    as_points,
    common_dtype,
    convert,
    frozen,
    is_exact,
    is_finite,
    is_number,
    refuse_where,
    to_floats,
)
from tropical._threads import run_in_slices
from tropical._truncation import Truncation, truncate
from tropical.domain import Box
from tropical.errors import InputError, ShapeError
from tropical.semiring import MAX_PLUS, Semiring, check_semiring

if TYPE_CHECKING:
    from tropical.rational import Rational

__all__ = ["Polynomial", "variables"]

_TILES_FROM = 16  # points from which the kernel with points in the lanes is the faster one
_PIECE = 1 << 16  # monomials taken together where points are too few to share among threads, a few megabytes
_FEW = 256  # points below which they are
_SMALL = 1 << 20  # multiply-adds below which a call goes straight to the kernel


@dataclass(frozen=True, eq=False, repr=False)
class Polynomial:
    """The tropical polynomial p(x) = ⊕_j b_j ⊗ x^{⊗W_j}.

    In ordinary notation, over max-plus, p(x) = max_j (W_j·x + b_j); at temperature ε > 0,
    p(x) = ε log Σ_j exp((W_j·x + b_j)/ε), a log-sum-exp layer. Over min-plus both are mirrored. Slopes are
    any reals, so these are the generalised (Laurent, real-exponent) polynomials.

    Operators are the semiring's: ``p + q`` is ⊕, ``p * q`` is ⊗, ``p ** k`` is the k-fold ⊗ and ``p / q`` a
    `Rational`. A real number stands for the constant polynomial.

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
    the results: an array of their shape and dtype, of any strides, that overlaps no input.

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

    def to_float(self) -> "Polynomial":
        """The float64 polynomial nearest to an exact one."""
        return Polynomial(to_floats(self.slopes), to_floats(self.coefficients), self.semiring)

    def to_exact(self) -> "Polynomial":
        """The same polynomial over Fractions; floats are dyadic, so nothing changes. Needs ε = 0."""
        exact = EXACT
        return Polynomial(convert(self.slopes, exact), convert(self.coefficients, exact), self.semiring)

    def deform(self, eps: float) -> "Polynomial":
        """The same monomials at temperature `eps`."""
        return Polynomial(self.slopes, self.coefficients, self.semiring.deform(eps))

    def deformation_bound(self) -> float:
        """ε log N, which bounds |p_ε(x) − p_0(x)| at every x and is attained where all terms tie."""
        return self.semiring.eps * math.log(len(self)) * (1 + 2.0**-50) if len(self) else 0.0

    # ---- values and derivatives ------------------------------------------------------------------

    def __call__(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """p(x) at points of shape (..., d); returns shape (...). Cost N·d per point, no temporary."""
        if out is None and self._is_one_point(x):
            return x.dtype.type(self._packed.at(x))
        return self._run(x, n_threads, values=out)[0]

    def excess(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """p_ε(x) − p_0(x), without cancellation; between 0 and ε log N for max, mirrored for min."""
        return self._run(x, n_threads, excess=out)[0]

    def argmax(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """Index of the dominant monomial, int64; the smallest among ties, −1 where p(x) is the zero or NaN."""
        return self._run(x, n_threads, argmax=out)[0]

    def weights(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """Gibbs weights π_j(x) = ∂p/∂b_j, shape (..., N): softmax(z/ε); at ε = 0, 1 at the argmax."""
        return self._run(x, n_threads, weights=out)[0]

    def gradient(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """∇p(x) = E_π[W], shape (..., d); at ε = 0 the dominant slope, a subgradient on ties."""
        return self._run(x, n_threads, gradient=out)[0]

    def value_and_gradient(
        self,
        x: ArrayLike,
        *,
        out: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
        n_threads: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """p(x) and ∇p(x) in one pass."""
        values, gradient = out
        if values is gradient is None and self._is_one_point(x):
            gradient = np.empty_like(x)
            return x.dtype.type(self._packed.at(x, gradient)), gradient
        return self._run(x, n_threads, values=values, gradient=gradient)

    def entropy(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """H(π(x)) = −Σ π log π = ∂_ε p (for max), in nats; 0 at ε = 0."""
        return self._run(x, n_threads, entropy=out)[0]

    def hessian(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """∇²p(x) = Cov_π(W)/ε (negated for min), shape (..., d, d), by centred covariance; cost N·d² per point.

        At ε = 0 it is 0 off the tropical hypersurface, which is what is returned, and undefined on it.
        """
        x = self._points(x)
        d = self.variables
        hessian = as_output(out, (*x.shape, d), x.dtype, x)
        if self.semiring.is_tropical:
            hessian[...] = convert(np.zeros(hessian.shape), x.dtype)
            return hessian
        points = self._flat(x)
        rows = np.ascontiguousarray(hessian.reshape(len(points), d, d))
        kernel = self._kernel(x.dtype)
        run_in_slices(
            lambda part: kernel.fill_hessian(points[part], rows[part]),
            len(points), len(self) * (d + 8) * (d + 1), n_threads,
        )  # fmt: skip
        if not hessian.flags.c_contiguous:
            hessian[...] = rows.reshape(hessian.shape)
        return hessian

    def affine_at(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """The dominant monomial at x as (slope (..., d), intercept (...)); needs ε = 0."""
        if not self.semiring.is_tropical:
            raise InputError(f"affine_at needs eps = 0, got {self.semiring.eps:g}; use gradient or deform(0)")
        index = np.asarray(self.argmax(x))
        if (index < 0).any():
            raise InputError("the polynomial has no dominant monomial there (it is the zero, or x has NaN)")
        return self.slopes[index], self.coefficients[index]

    def _is_one_point(self, x: ArrayLike) -> bool:
        """Whether x can go straight to the kernel; most of the call would be arrays of one entry."""
        return (
            type(x) is np.ndarray
            and x.dtype is self.coefficients.dtype is not EXACT
            and x.shape == (self.slopes.shape[1],)
            and len(self.coefficients) <= _PIECE
            and (flags := x.flags).c_contiguous
            and flags.aligned
        )

    def _points(self, x: ArrayLike) -> np.ndarray:
        return as_points(x, self.variables, self.dtype)

    @cached_property
    def _packed(self) -> _core.Polynomial:
        return self._pack(self.dtype)

    def _pack(self, dtype: np.dtype) -> _core.Polynomial:
        """Slopes in panels (ceil(N/64), d, 64) and signed coefficients, as csrc/tropical_core.h has them."""
        panels = -(-len(self) // _core.PANEL_SIZE)
        slopes = np.zeros((panels * _core.PANEL_SIZE, self.variables), dtype)
        slopes[: len(self)] = self.slopes
        coefficients = np.full(len(slopes), -np.inf, dtype)
        coefficients[: len(self)] = self.semiring.sign * self.coefficients
        slopes = slopes.reshape(panels, _core.PANEL_SIZE, self.variables).transpose(0, 2, 1)
        semiring = self.semiring
        return _core.Polynomial(
            np.ascontiguousarray(slopes), coefficients, len(self), semiring.sign, semiring.eps
        )

    def _kernel(self, dtype: np.dtype) -> _core.Polynomial:
        return self._packed if dtype is self.dtype else self._pack(dtype)

    def _flat(self, x: np.ndarray) -> np.ndarray:
        """Points as the rows of a C-contiguous matrix."""
        return np.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), self.variables)

    def _run(
        self, x: ArrayLike, n_threads: int | None, **wanted: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        """The named outputs of the kernel at x, in one pass, into the given arrays or new ones."""
        x = self._points(x)
        lead = x.shape[:-1]
        results = {
            name: as_output(
                out, lead + self._tails.get(name, ()), np.dtype(np.int64) if name == "argmax" else x.dtype, x
            )
            for name, out in wanted.items()
        }
        if x.dtype == EXACT:
            for name, exact in zip(results, self.to_exact()._run_exact(x, tuple(results)), strict=True):
                results[name][...] = exact
        else:
            self._run_kernel(x, n_threads, results)
        return tuple(r if wanted[name] is not None else r[()] for name, r in results.items())

    def _run_kernel(self, x: np.ndarray, n_threads: int | None, results: dict[str, np.ndarray]) -> None:
        points = self._flat(x)
        count, kernel = len(points), self._kernel(x.dtype)
        # A view of each result, or a copy where its strides do not allow one.
        outputs = {
            n: np.ascontiguousarray(r).reshape(count, *self._tails.get(n, ())) for n, r in results.items()
        }
        tiles = count >= _TILES_FROM and any(results.keys() <= some for some in self._tiled)
        cost = len(self) * (self.variables + 8)
        if count < _FEW and len(self) > _PIECE and outputs.keys() <= self._pieced:
            self._run_pieces(kernel, points, n_threads, tiles, outputs)
        elif count * cost < _SMALL:
            kernel.fill(points, tiles, **outputs)
        else:
            run_in_slices(
                lambda part: kernel.fill(points[part], tiles, **{n: a[part] for n, a in outputs.items()}),
                count, cost, n_threads,
            )  # fmt: skip
        for name, result in results.items():
            if not result.flags.c_contiguous:
                result[...] = outputs[name].reshape(result.shape)

    def _run_pieces(
        self,
        kernel: _core.Polynomial,
        points: np.ndarray,
        n_threads: int | None,
        tiles: bool,
        outputs: dict[str, np.ndarray],
    ) -> None:
        """The outputs from those of pieces of the monomials, which threads share; pieces never depend on their number.

        p is the ⊕ of the pieces, and its gradient the mean of theirs with the Gibbs weights of that sum.
        """
        pieces = kernel.parts(_PIECE // _core.PANEL_SIZE)
        partial = {n: np.empty((len(pieces), *outputs[n].shape), outputs[n].dtype) for n in outputs}
        partial.setdefault("values", np.empty((len(pieces), len(points)), points.dtype))

        def fill(some: slice) -> None:
            for i in range(some.start, min(some.stop, len(pieces))):
                pieces[i].fill(points, tiles, **{n: a[i] for n, a in partial.items()})

        cost = len(points) * _PIECE * (self.variables + 8)
        run_in_slices(fill, len(pieces), cost, n_threads, unit=1)
        values = np.ascontiguousarray(partial["values"].T)
        if self.semiring.is_tropical:
            best = (self.semiring.sign * values).argmax(axis=1)  # the first one, or one with NaN
            rows = np.arange(len(points))
            for name, result in outputs.items():
                result[...] = partial[name][best, rows]
            if "argmax" in outputs:
                index = outputs["argmax"]
                index[index >= 0] += _PIECE * best[index >= 0]
            return
        total, weights = np.empty_like(values[:, 0]), np.empty_like(values)
        _core.reduce(values, self.semiring.sign, self.semiring.eps, total, weights)
        if not np.isfinite(total).all():  # infinite terms share their weight one by one
            kernel.fill(points, False, **outputs)
            return
        if "values" in outputs:
            outputs["values"][...] = total
        if "gradient" in outputs:
            np.einsum("ij,jik->ik", weights, partial["gradient"], out=outputs["gradient"])

    @cached_property
    def _tails(self) -> dict[str, tuple[int, ...]]:
        """Axes that an output has beyond those of the points."""
        return {"gradient": (self.variables,), "weights": (len(self),)}

    @cached_property
    def _tiled(self) -> list[set[str]]:
        """The sets of outputs that the kernel for many points gives in one pass."""
        if self.semiring.is_tropical:
            return [{"values", "gradient", "argmax"}]
        return [{"values", "gradient"}, {"excess", "entropy"}, {"argmax"}]

    @cached_property
    def _pieced(self) -> set[str]:
        """The outputs that can be put together from those of pieces of the monomials."""
        return {"values", "gradient", "argmax"} if self.semiring.is_tropical else {"values", "gradient"}

    def _run_exact(self, x: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, ...]:
        """As `_run` at ε = 0 in rational arithmetic, with plain comparisons."""
        lead = x.shape[:-1]
        values = np.empty(lead, dtype=object)
        argmax = np.full(lead, -1, dtype=np.int64)
        better = max if self.semiring.sign > 0 else min
        for index in np.ndindex(*lead):
            terms = self._exact_terms(x[index])
            values[index] = better(terms, default=self.semiring.zero)
            if values[index] == values[index] != self.semiring.zero:
                argmax[index] = terms.index(values[index])
        active = convert(np.equal.outer(argmax, np.arange(len(self))), EXACT)
        zeros = convert(np.zeros(lead), EXACT)
        results = {
            "values": lambda: values,
            "argmax": lambda: argmax,
            "weights": lambda: active,
            "gradient": lambda: active @ self.slopes,
            "excess": lambda: zeros,
            "entropy": lambda: zeros,
        }
        return tuple(np.asarray(results[name]())[()] for name in names)

    def _exact_terms(self, point: np.ndarray) -> list:
        """The terms W_j·x + b_j, in which the zero absorbs, 0·∞ is 0, and a NaN coordinate spoils all."""
        if any(v != v for v in point):
            return [math.nan] * max(1, len(self))
        if all(isinstance(v, Fraction) for v in point):
            return list(self.slopes @ point + self.coefficients)
        terms, zero = [], self.semiring.zero
        for slope, term in zip(self.slopes, self.coefficients, strict=True):
            for power in (w * v for w, v in zip(slope, point, strict=True) if w != 0):
                term = zero if zero in (term, power) else term + power
            terms.append(term)
        return terms

    # ---- algebra ---------------------------------------------------------------------------------

    def __add__(self, other) -> "Polynomial":
        """p ⊕ q: the monomials of both."""
        return _algebra.add(self, other)

    def __mul__(self, other) -> "Polynomial":
        """p ⊗ q: all N·M products of monomials; the function is the ordinary sum p(x) + q(x)."""
        return _algebra.multiply(self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: Real) -> "Polynomial":
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

    def compose(self, *inner: "Polynomial | Rational | Real") -> "Polynomial | Rational":
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

    def substitute(self, mapping: Mapping[int, "Polynomial | Rational | Real"]) -> "Polynomial | Rational":
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
    ) -> "Polynomial":
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

    def merge(self) -> "Polynomial":
        """The same function with monomials of equal slopes ⊕-added into the first, and zeros left out.

        Without rounding at ε = 0. At ε > 0 each sum is rounded, whatever the order of its terms, as in
        ε·logaddexp. Cost N log N.
        """
        return _terms.merge(self)

    def normal_form(self) -> "Polynomial":
        """Merged, and sorted by exponents; at ε = 0 only with the monomials that alone are the value somewhere.

        At ε = 0 two polynomials have equal normal forms if and only if they are equal functions. Which monomials
        count is decided exactly, as by `prune`.
        """
        return _terms.normal_form(self)

    def same_terms(self, other: "Polynomial | Real") -> bool:
        """Whether both have the same monomials, in any order, zeros aside. Compares numbers exactly."""
        return _terms.same_terms(self, other)

    def equals(self, other: "Polynomial | Real") -> bool:
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

    def equals_up_to_scaling(self, other: "Polynomial | Real") -> Fraction | float | None:
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

    >>> x, y = variables(2)
    >>> (x + y + 0)([[3.0, -1.0], [-1.0, -2.0]])
    array([3., 0.])
    """
    return tuple(Polynomial(row[None], [0.0], semiring) for row in np.eye(d))

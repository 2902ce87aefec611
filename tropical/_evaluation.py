"""Values and derivatives of a polynomial: which kernel runs, in which pieces, into which arrays."""

import math
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core, _dask
from tropical._arrays import EXACT, FLOAT64, as_output, as_points, convert, exact_sum, exact_sums
from tropical._threads import run_in_slices
from tropical.errors import InputError
from tropical.semiring import Semiring

__all__ = ["TILES_FROM", "Evaluation", "panels_of"]

TILES_FROM = 16  # points from which the kernel with points in the lanes is the faster one
_PIECE = 1 << 16  # monomials taken together where points are too few to share among threads, a few megabytes
_FEW = 256  # points below which they are
_SMALL = 1 << 20  # multiply-adds below which a call goes straight to the kernel


def panels_of(slopes: np.ndarray) -> np.ndarray:
    """Slopes (N, d), N a multiple of the panel, as panels (N / 64, d, 64): see csrc/tropical_core.h."""
    panels = slopes.reshape(len(slopes) // _core.PANEL_SIZE, _core.PANEL_SIZE, slopes.shape[1])
    return np.ascontiguousarray(panels.transpose(0, 2, 1))


class Evaluation:
    """What `Polynomial` inherits: its methods at points. It has the slopes, coefficients and semiring."""

    slopes: np.ndarray
    coefficients: np.ndarray
    semiring: Semiring

    def __call__(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """p(x) at points of shape (..., d); returns shape (...). Cost N·d per point, no temporary."""
        if out is None and self._is_one_point(x):
            return x.dtype.type(self._packed.at(x))
        return self._run(x, n_threads, values=out)[0]

    def error_bound(self, x: ArrayLike) -> np.ndarray:
        """A proved bound on |p(x) as computed − p(x)|, shape (...); 0 for exact polynomials."""
        from tropical._rounding import polynomial_bound

        if _dask.is_dask(x):
            return self._lazily(self.error_bound, x, [()], {0: FLOAT64})[0]
        return polynomial_bound(self, self._points(x))

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
        d = self.variables
        if _dask.is_dask(x):
            _dask.refuse_out(out)
            return self._lazily(partial(self.hessian, n_threads=n_threads or 1), x, [(d, d)])[0]
        x = self._points(x)
        hessian = as_output(out, (*x.shape, d), x.dtype, x)
        if self.semiring.is_tropical:
            hessian[...] = convert(np.zeros(hessian.shape), x.dtype)
            return hessian
        if x.dtype == EXACT:
            self.to_exact()  # refuses: the weights are transcendental
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
        if _dask.is_dask(x):
            return self._lazily(self.affine_at, x, [(self.variables,), ()], dict.fromkeys((0, 1), self.dtype))
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
        slopes = np.zeros((len(self) + -len(self) % _core.PANEL_SIZE, self.variables), dtype)
        slopes[: len(self)] = self.slopes
        coefficients = np.full(len(slopes), -np.inf, dtype)
        coefficients[: len(self)] = self.semiring.sign * self.coefficients
        semiring = self.semiring
        return _core.Polynomial(panels_of(slopes), coefficients, len(self), semiring.sign, semiring.eps)

    def _kernel(self, dtype: np.dtype) -> _core.Polynomial:
        return self._packed if dtype is self.dtype else self._pack(dtype)

    def _flat(self, x: np.ndarray) -> np.ndarray:
        """Points as the rows of a C-contiguous matrix."""
        return np.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), self.variables)

    def _run(
        self, x: ArrayLike, n_threads: int | None, **wanted: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        """The named outputs of the kernel at x, in one pass, into the given arrays or new ones."""
        if _dask.is_dask(x):
            _dask.refuse_out(*wanted.values())
            tails = [self._tails.get(name, ()) for name in wanted]
            kinds = {k: np.dtype(np.int64) for k, name in enumerate(wanted) if name == "argmax"}
            return self._lazily(partial(self._at_block, tuple(wanted), n_threads or 1), x, tails, kinds)
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

    def _at_block(self, names: tuple[str, ...], n_threads: int, x: np.ndarray):
        found = self._run(x, n_threads, **dict.fromkeys(names))
        return found if len(names) > 1 else found[0]

    def _lazily(self, function, x, tails, kinds=None) -> tuple:
        return _dask.at_points(function, x, self.variables, self.dtype, tails, kinds)

    def _run_kernel(self, x: np.ndarray, n_threads: int | None, results: dict[str, np.ndarray]) -> None:
        points = self._flat(x)
        count, kernel = len(points), self._kernel(x.dtype)
        # A view of each result, or a copy where its strides do not allow one.
        outputs = {
            n: np.ascontiguousarray(r).reshape(count, *self._tails.get(n, ())) for n, r in results.items()
        }
        tiles = count >= TILES_FROM and any(results.keys() <= some for some in self._tiled)
        cost = len(self) * (self.variables + (1 if self.semiring.is_tropical else 8))
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
            return list(exact_sums(self.slopes @ point, self.coefficients))
        terms, zero = [], self.semiring.zero
        for slope, term in zip(self.slopes, self.coefficients, strict=True):
            for w, v in zip(slope, point, strict=True):
                if w != 0:
                    power = w * v if isinstance(v, Fraction) else v if w > 0 else -v
                    term = zero if zero in (term, power) else exact_sum(term, power)
            terms.append(term)
        return terms

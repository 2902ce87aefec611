"""The semirings: two numbers, a sign and a temperature, give max-plus, min-plus and their log versions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core
from tropical._arrays import EXACT, as_array, as_output, common_dtype, convert, exact_sums, is_exact
from tropical._gates import fill_gate
from tropical.errors import InputError, ShapeError

__all__ = ["MAX_PLUS", "MIN_PLUS", "Semiring", "check_semiring"]


@dataclass(frozen=True)
class Semiring:
    """The semiring (R ∪ {−∞}, ⊕_ε, +), or its mirror image.

    For sign = +1 the sum is a ⊕_ε b = ε log(e^{a/ε} + e^{b/ε}), which is max(a, b) at ε = 0, and the zero
    is −∞. For sign = −1 it is −((−a) ⊕_ε (−b)), which is min(a, b) at ε = 0, and the zero is +∞. The
    product a ⊗ b is a + b with unit 0; the zero absorbs, also against the opposite infinity.

    ⊗ distributes over ⊕_ε for every ε. Only at ε = 0 is ⊕ idempotent: a ⊕_ε a = a + ε log 2.

    Parameters
    ----------
    sign : {+1, -1}
        +1 takes (soft) maxima, −1 (soft) minima.
    eps : float
        Temperature ε ≥ 0, in the units of the values.

    Examples
    --------
    >>> a, b = [2.0, 1.0], [3.0, 1.0]
    >>> Semiring().add(a, b), Semiring(sign=-1).add(a, b), Semiring(eps=1.0).add(a, b).round(4)
    (array([3., 1.]), array([2., 1.]), array([3.3133, 1.6931]))
    >>> soft = Semiring(eps=1.0)
    >>> soft.sum([0.0, 0.0, 0.0]).round(4), soft.mul(2.0, 3.0), soft.zero, soft.one
    (np.float64(1.0986), np.float64(5.0), -inf, 0.0)
    >>> soft.deform(0.0).is_tropical, soft.deform(0.0).sum([[1.0, 2.0], [5.0, 3.0]], axis=1)
    (True, array([2., 5.]))
    """

    sign: int = 1
    eps: float = 0.0

    def __post_init__(self):
        if self.sign not in (1, -1):
            raise InputError(f"sign is {self.sign!r}; pass +1 for max or -1 for min")
        try:
            eps = float(self.eps)
        except (TypeError, ValueError):
            eps = math.nan
        if not (math.isfinite(eps) and eps >= 0):
            raise InputError(f"eps is {self.eps!r}; pass a finite temperature >= 0 (0 is tropical)")
        object.__setattr__(self, "sign", int(self.sign))
        object.__setattr__(self, "eps", eps)

    @property
    def zero(self) -> float:
        """Neutral element of ⊕, absorbing for ⊗: −∞ for max, +∞ for min."""
        return -self.sign * math.inf

    @property
    def one(self) -> float:
        """Neutral element of ⊗: 0.0."""
        return 0.0

    @property
    def is_tropical(self) -> bool:
        """Whether ε = 0."""
        return self.eps == 0.0

    def deform(self, eps: float) -> Semiring:
        """The same sign at another temperature."""
        return Semiring(self.sign, eps)

    def add(
        self, *operands: ArrayLike, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """a ⊕ b ⊕ …, elementwise with broadcasting, of one or more arrays; NaN propagates.

        Equivalent to NumPy's ``eps * logaddexp(a / eps, b / eps)``, without its overflow for small ε and without
        temporaries. `out` takes the result: an array of its shape and dtype, of any strides, that overlaps no operand.
        At ε > 0 `n_threads` share large arrays, None as many as help; the result does not depend on it.

        >>> Semiring(eps=1.0).add([0.0, 1.0], [[2.0], [3.0]], -5.0).round(4)
        array([[2.1277, 2.3139],
               [3.0489, 3.1272]])
        """
        if not operands:
            raise InputError("nothing to add; pass at least one array")
        arrays = self._operands(*operands)
        arrays = _broadcast(arrays)
        total = as_output(out, arrays[0].shape, arrays[0].dtype, *arrays)
        if is_exact(total):
            total[...] = self._add_exact(arrays)
        elif self.is_tropical:
            better, (first, *others) = np.maximum if self.sign > 0 else np.minimum, arrays
            better(first, others[0] if others else first, out=total)
            for other in others[1:]:
                better(total, other, out=total)
        else:
            fill_gate(arrays, total, self.sign, self.eps, n_threads)
        return total if out is not None else total[()]

    def _add_exact(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        better = np.maximum if self.sign > 0 else np.minimum
        with np.errstate(invalid="ignore"):  # NaN, which comparisons of objects lose
            total = np.asarray(reduce(better, arrays))
        return np.where(reduce(np.logical_or, [a != a for a in arrays]), math.nan, total)

    def mul(self, a: ArrayLike, b: ArrayLike) -> np.ndarray:
        """a ⊗ b = a + b, elementwise with broadcasting; the zero absorbs every number, NaN propagates."""
        a, b = _broadcast(self._operands(a, b))
        with np.errstate(invalid="ignore", over="ignore"):
            total = np.asarray(exact_sums(a, b), dtype=object) if is_exact(a) else np.asarray(a + b)
        absorbed = ((a == self.zero) | (b == self.zero)) & (a == a) & (b == b)
        return np.where(absorbed, convert(np.asarray(self.zero), total.dtype), total)[()]

    def sum(self, a: ArrayLike, axis: int = -1) -> np.ndarray:
        """⊕ along one axis; the empty sum is the zero. Cost: one pass, no temporary of exponentials."""
        a = np.moveaxis(self._operands(a)[0], axis, -1)
        if is_exact(a):
            reducer = np.maximum if self.sign > 0 else np.minimum
            with np.errstate(invalid="ignore"):  # NaN among Fractions
                total = reducer.reduce(a, axis=-1, initial=self.zero)
            return np.where((a != a).any(axis=-1), math.nan, np.asarray(total))[()]
        values = np.empty(a.shape[:-1], dtype=a.dtype)
        rows = np.ascontiguousarray(a).reshape(values.size, a.shape[-1])
        _core.reduce(rows, self.sign, self.eps, values.reshape(-1))
        return values[()]

    def weights(self, a: ArrayLike, *, out: np.ndarray | None = None) -> np.ndarray:
        """Gibbs weights along the last axis, the derivatives of `sum`: softmax(±a/ε); at ε = 0, 1 at the first best.

        Equivalent to ``scipy.special.softmax(sign * a / eps, axis=-1)``, in one pass without temporaries. A row of
        nothing but zeros has weights 0, and NaN spoils its row. `out` is as for `add`.

        >>> Semiring(eps=1.0).weights([[0.0, 0.0], [0.0, -1000.0]]), Semiring().weights([1.0, 3.0, 3.0])
        (array([[0.5, 0.5],
               [1. , 0. ]]), array([0., 1., 0.]))
        """
        a = self._operands(a)[0]
        if is_exact(a) or not a.ndim:
            raise InputError("weights are of floats along an axis; pass an array of floats of shape (..., N)")
        weights = as_output(out, a.shape, a.dtype, a)
        rows = np.ascontiguousarray(a).reshape(math.prod(a.shape[:-1]), a.shape[-1])
        filled = np.ascontiguousarray(weights).reshape(rows.shape)
        _core.reduce(rows, self.sign, self.eps, np.empty(len(rows), a.dtype), filled)
        if not weights.flags.c_contiguous:
            weights[...] = filled.reshape(a.shape)
        return weights

    def _operands(self, *arrays: ArrayLike) -> list[np.ndarray]:
        arrays = [as_array("operand", a) for a in arrays]
        dtype = common_dtype(*(a.dtype for a in arrays))
        if dtype == EXACT and not self.is_tropical:
            raise InputError(f"exact operands at eps = {self.eps}: ⊕_ε is transcendental; pass floats")
        return [convert(a, dtype) for a in arrays]

    def latex(self) -> str:
        r"""What ⊕ is.

        >>> print(Semiring(eps=0.5).latex())
        a \oplus b = 0.5 \log\left(e^{a / 0.5} + e^{b / 0.5}\right), \quad a \otimes b = a + b
        """
        from tropical._formulas import sum_of_two

        return rf"a \oplus b = {sum_of_two(self.sign, self.eps)}, \quad a \otimes b = a + b"

    def _repr_latex_(self) -> str:
        from tropical._formulas import in_display

        return in_display(self.latex())

    def __str__(self) -> str:
        name = "max-plus" if self.sign > 0 else "min-plus"
        return name if self.is_tropical else f"log-{name}, eps = {self.eps:g}"


def _broadcast(arrays: list[np.ndarray]) -> Sequence[np.ndarray]:
    """The arrays with one shape."""
    try:
        if all(a.shape == arrays[0].shape for a in arrays):
            return arrays
        return np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ShapeError(f"operands have shapes {shapes}; pass shapes that broadcast to one") from None


MAX_PLUS = Semiring()
MIN_PLUS = Semiring(sign=-1)


def check_semiring(semiring) -> None:
    if not isinstance(semiring, Semiring):
        raise InputError(f"semiring is {semiring!r}; pass MAX_PLUS, MIN_PLUS or a Semiring(sign, eps)")

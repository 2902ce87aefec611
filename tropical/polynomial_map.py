"""Several polynomials in the same variables, evaluated together: the maxout or log-sum-exp layer of a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core, _dask
from tropical._arrays import EXACT, as_output, as_points, common_dtype
from tropical._evaluation import TILES_FROM, panels_of
from tropical._formulas import HasFormula
from tropical._threads import run_in_slices
from tropical.errors import InputError, ShapeError
from tropical.polynomial import Polynomial
from tropical.semiring import Semiring

__all__ = ["PolynomialMap"]


class PolynomialMap(HasFormula):
    """The map x ↦ (p_1(x), …, p_m(x)) of R^d into R^m, one pass over the points for all of them.

    Equivalent to ``np.stack([p(x) for p in polynomials], axis=-1)``, bit for bit; polynomials may differ in length,
    sign and temperature.

    Parameters
    ----------
    polynomials : iterable of Polynomial
        One or more, in the same variables. Their common dtype is that of the map.

    Raises
    ------
    InputError
        No polynomial, or something else among them.
    ShapeError
        Different numbers of variables.

    Notes
    -----
    Polynomials of one semiring share panels of 64 monomials: points are read once, and small polynomials, such as
    units of 2 to 8 branches, use all lanes of a vector. One of more than 64 monomials gains nothing by company and
    is evaluated by itself. Cost: that of all monomials, no temporary for each. Packing is done once and kept.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> layer = PolynomialMap([x + y, x * y + 1, x**2 + y**2 + 3])
    >>> layer([[2.0, 5.0], [0.0, -1.0]])
    array([[ 5.,  7., 10.],
           [ 0.,  1.,  3.]])
    """

    def __init__(self, polynomials: Iterable[Polynomial]):
        self.polynomials = tuple(polynomials)
        for i, p in enumerate(self.polynomials):
            if not isinstance(p, Polynomial):
                raise InputError(f"polynomial {i} is a {type(p).__name__}; pass Polynomials")
        if not self.polynomials:
            raise InputError(
                "no polynomial to evaluate; pass at least one, which says how many variables there are"
            )
        sizes = {p.variables for p in self.polynomials}
        if len(sizes) > 1:
            raise ShapeError(
                f"polynomials in {sorted(sizes)} variables; pass those of one number of variables"
            )
        self.variables = sizes.pop()
        self.dtype = common_dtype(*(p.dtype for p in self.polynomials))
        self._stacks: dict[np.dtype, list[tuple[_core.Layer, list[int]]]] = {}

    def __reduce__(self):
        return PolynomialMap, (self.polynomials,)  # not what the kernel keeps

    def __len__(self) -> int:
        """m, the number of polynomials."""
        return len(self.polynomials)

    def __iter__(self) -> Iterator[Polynomial]:
        return iter(self.polynomials)

    def __getitem__(self, i: int) -> Polynomial:
        return self.polynomials[i]

    def __call__(
        self, x: ArrayLike, *, out: np.ndarray | None = None, n_threads: int | None = None
    ) -> np.ndarray:
        """(p_1(x), …, p_m(x)) at points of shape (..., d); returns shape (..., m).

        `out` takes the results: an array of their shape and dtype, of any strides, that overlaps no input. `n_threads`
        share the points, None as many as help; no result depends on it.
        """
        if _dask.is_dask(x):
            _dask.refuse_out(out)
            function = partial(self, n_threads=n_threads or 1)
            return _dask.at_points(function, x, self.variables, self.dtype, [(len(self),)])[0]
        x = as_points(x, self.variables, self.dtype)
        result = as_output(out, (*x.shape[:-1], len(self)), x.dtype, x)
        points = np.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), self.variables)
        if result.flags.c_contiguous:
            self._fill(points, result.reshape(len(points), len(self)), n_threads)
        else:
            values = np.empty((len(points), len(self)), x.dtype)
            self._fill(points, values, n_threads)
            result[...] = values.reshape(result.shape)
        return result

    def _fill(self, points: np.ndarray, values: np.ndarray, n_threads: int | None) -> None:
        together = [] if points.dtype == EXACT else self._together(points.dtype)
        alone = set(range(len(self)))
        for layer, places in together:
            alone -= set(places)
            part = values if len(places) == len(self) else np.empty((len(points), len(places)), points.dtype)
            self._fill_together(layer, places, points, part, n_threads)
            if part is not values:
                values[:, places] = part
        for i in sorted(alone):
            values[:, i] = self[i](points, n_threads=n_threads)

    def _fill_together(self, layer, places, points, values, n_threads) -> None:
        cost = sum(len(self[i]) for i in places) * (self.variables + 8)
        run_in_slices(
            lambda part: layer.fill(points[part], len(points) >= TILES_FROM, values[part]),
            len(points), cost, n_threads,
        )  # fmt: skip

    def _together(self, dtype: np.dtype) -> list[tuple[_core.Layer, list[int]]]:
        """The polynomials that fit into a panel, one stack for each semiring, and which ones they are."""
        if dtype not in self._stacks:
            groups: dict[Semiring, list[int]] = {}
            for i, p in enumerate(self):
                if len(p) <= _core.PANEL_SIZE:
                    groups.setdefault(p.semiring, []).append(i)
            self._stacks[dtype] = [
                (_stacked([self[i] for i in places], semiring, dtype), places)
                for semiring, places in groups.items()
            ]
        return self._stacks[dtype]

    def __repr__(self) -> str:
        kind = "exact" if self.dtype == EXACT else self.dtype.name
        terms = sum(map(len, self))
        return f"<PolynomialMap: R^{self.variables} → R^{len(self)}, {terms} monomials, {kind}>"


def _stacked(polynomials: list[Polynomial], semiring: Semiring, dtype: np.dtype) -> _core.Layer:
    """Their monomials side by side; a panel that has no room for the next polynomial ends with coefficients −∞."""
    size = _core.PANEL_SIZE
    terms = np.array([max(1, len(p)) for p in polynomials])  # the empty sum is one zero
    first = np.empty_like(terms)
    place = 0
    for i, n in enumerate(terms.tolist()):
        place += -place % size if place % size + n > size else 0
        first[i] = place
        place += n
    places = np.concatenate(
        [np.arange(start, start + len(p)) for start, p in zip(first, polynomials, strict=True)]
    )
    slopes = np.zeros((place + -place % size, polynomials[0].variables), dtype)
    coefficients = np.full(len(slopes), -np.inf, dtype)
    slopes[places] = np.concatenate([p.slopes for p in polynomials])
    coefficients[places] = semiring.sign * np.concatenate([p.coefficients for p in polynomials]).astype(dtype)
    return _core.Layer(panels_of(slopes), coefficients, first, terms, semiring.sign, semiring.eps)

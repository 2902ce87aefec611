"""The proximal average: between convex functions lie convex functions whose proximal maps are the means of theirs.

pav = (Σ α_i (f_i + ‖·‖²/2λ)*)* − ‖·‖²/2λ has prox_{λ pav} = Σ α_i prox_{λf_i}, e_λ pav = Σ α_i e_λf_i, and the
proximal average of the f_i* with 1/λ for its conjugate (H. H. Bauschke, R. Goebel, Y. Lucet, X. Wang, SIAM J. Optim.
19, 2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hjsym.conjugate._line import best_of, crossing
from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.domains import Sublevel
from hjsym.conjugate.envelope import _checked
from tropical._arrays import as_array
from tropical.errors import InputError, ShapeError

__all__ = ["ProximalAverage", "proximal_average"]

_LARGEST = 1e150  # slopes beyond which the supremum of a value is taken to be +∞


def proximal_average(functions: Sequence[ConvexFunction], weights=None, lam: float = 1.0) -> ConvexFunction:
    """The proximal average of convex functions with weights α ≥ 0 of sum 1, equal by default.

    Parameters
    ----------
    functions : sequence of ConvexFunction, or what `as_function` takes
    weights : sequence of numbers, optional
        α_i ≥ 0 of sum 1; equal by default.
    lam : float
        The parameter λ > 0 of the proximal maps that are averaged.

    Returns
    -------
    ConvexFunction

    Examples
    --------
    >>> from hjsym.conjugate.radial import Power
    >>> mean = proximal_average([Power(1), Power(2)])
    >>> from hjsym.conjugate.envelope import moreau_envelope, prox
    >>> float(moreau_envelope(mean, 1.0)(3.0)), (2.5 + 9 / 4) / 2
    (2.375, 2.375)
    """
    parts = [_checked(f, lam)[0] for f in functions]
    if not parts or len({part.variables for part in parts}) > 1:
        raise ShapeError(
            f"got functions of {[p.variables for p in parts]} variables; give some of the same number"
        )
    alpha = (
        np.full(len(parts), 1 / len(parts)) if weights is None else as_array("weights", weights).astype(float)
    )
    if alpha.shape != (len(parts),) or (alpha < 0).any() or abs(alpha.sum() - 1) > len(parts) * 2.0**-50:
        raise InputError(f"weights are {alpha}; pass {len(parts)} numbers >= 0 of sum 1")
    return ProximalAverage(tuple(parts), alpha, float(lam))


@dataclass(frozen=True, eq=False)
class ProximalAverage(ConvexFunction):
    """Made by `proximal_average`; values are found by search for the point whose proximal point is x."""

    parts: tuple[ConvexFunction, ...]
    weights: np.ndarray
    lam: float
    method = "numeric"
    exact = False

    @property
    def variables(self) -> int:
        return self.parts[0].variables

    @property
    def domain(self):
        return Sublevel(self)

    def conjugate(self) -> "ProximalAverage":
        return ProximalAverage(tuple(part.conjugate() for part in self.parts), self.weights, 1 / self.lam)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        if lam == self.lam:
            return self._mean(lambda part: part._prox(x, lam))
        return super()._prox(x, lam)

    def _envelope(self, x: np.ndarray, lam: float) -> np.ndarray:
        if lam == self.lam:
            return self._mean(lambda part: part._envelope(x, lam))
        return super()._envelope(x, lam)

    def _mean(self, call) -> np.ndarray:
        return sum(w * call(part) for w, part in zip(self.weights, self.parts, strict=True) if w > 0)

    def _source(self, x: np.ndarray) -> np.ndarray:
        """u with prox_{λ pav}(u) = x, of which (u − x)/λ is a slope of pav at x."""
        if self.variables > 1:
            raise InputError(
                "values of a proximal average in several variables are not computed; its prox and envelope are"
            )
        ends = crossing(
            lambda u: self._mean(lambda part: part._prox(u[:, None], self.lam)[:, 0]) - x[:, 0], x[:, 0]
        )
        known = [np.where(np.isfinite(end), end, 0.0) for end in ends]
        u = best_of(lambda v: np.abs(self._prox(v[:, None], self.lam)[:, 0] - x[:, 0]), *known)[0]
        return np.where(np.isfinite(ends[0]) & np.isfinite(ends[1]) & (np.abs(u) < _LARGEST), u, np.nan)[
            :, None
        ]

    def _values(self, y: np.ndarray) -> np.ndarray:
        u = self._source(y)
        none = (u != u).any(axis=1)
        at = np.where(none[:, None], 0.0, u)
        values = self._envelope(at, self.lam) - ((at - y) ** 2).sum(axis=1) / (2 * self.lam)
        return np.where(none, np.inf, values)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return (self._source(y) - y) / self.lam

"""The entropy of Gibbs weights as a landscape over x, with its derivatives by joint cumulants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

import numpy as np
from numpy.typing import ArrayLike

from hjsym.bifurcation.natural_gradient import NaturalGradient, natural_gradient
from hjsym.hopf import KernelGauge, LSELayer
from tropical import Polynomial, Semiring, Slice
from tropical._arrays import as_array, as_points, frozen, is_finite, refuse_where, to_floats
from tropical._display import summary
from tropical._html import card
from tropical._tables import HasTable, coordinates
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["EntropyLandscape", "as_eps", "solve_ties", "tie_points"]

_MAX_SIMPLICES = 2_000_000
_FLAT = 2.0**-40


@dataclass(frozen=True, eq=False)
class EntropyLandscape(HasTable):
    """H(x; ε) = −Σ π_j log π_j, the entropy of π = softmax(z/ε) with z_j = W_j·x + b_j.

    Derivatives are joint cumulants κ of the slopes W and the heights z under π: ∇H = −κ(W, z)/ε²,
    ∇²H = −[κ(W, W) + κ(W, W, z)/ε]/ε², D³H = −[2κ(W, W, W)/ε + κ(W, W, W, z)/ε²]/ε², ∂_εH = κ(z, z)/ε³. The same
    terms at every ε: temperature is an argument of each method.

    Parameters
    ----------
    W : (N, d) array
        Slopes; (N,) is read as one variable. Terms may repeat.
    b : (N,) array
        Offsets. Terms at −∞ are left out.

    Raises
    ------
    InputError
        Slopes or offsets that are NaN or infinite, or no terms at all.
    ShapeError
        Shapes that do not fit.

    Examples
    --------
    >>> H = EntropyLandscape.of_atoms([-1.0, 0.0, 1.0])            # logits −(x − y)²/2
    >>> H([[0.25]], eps=0.3).round(6), H.gradient([[0.25]], eps=0.3).round(6)
    (array([0.790617]), array([[0.055122]]))
    >>> H.gradient([[9.0]], eps=0.01), H.natural_gradient([[9.0]], 0.01).value     # a plateau, and not
    (array([[-0.]]), array([[-8.5]]))
    >>> H.variables, H.weights([[0.0]], 0.5).round(4), H.at(0.5).semiring.eps
    (1, array([[0.2119, 0.5761, 0.2119]]), 0.5)
    >>> H.hessian([[0.0]], 0.3).round(4), H.third([[0.0]], 0.3).shape, H.fourth_along([[0.0]], [1.0], 0.3).round(3)
    (array([[[0.6388]]]), (1, 1, 1, 1), array([-44.435]))
    >>> H.eps_derivative([[0.25]], 0.3).round(4), H.eps_gradient([[0.25]], 0.3).round(4)
    (array([1.3243]), array([[-3.4398]]))
    >>> H.eps_hessian([[0.25]], 0.3).shape, H.fisher([[0.25]], 0.3).round(4)
    ((1, 1, 1), array([[[3.185]]]))
    >>> H.tie_points.ravel(), H.hull, H.distinct[0].ravel(), round(H.blur(0.5), 3)
    (array([-0.5,  0. ,  0.5]), (array([-0.5]), array([0.5])), array([-1.,  0.,  1.]), 0.25)
    >>> H.refuse_flat()                                             # the slopes span the line
    >>> from hjsym.hopf import LSELayer
    >>> EntropyLandscape.of(LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=1.0))([[0.0]], 1.0).round(6)
    array([0.693147])
    >>> H.length(0.1) >= H.blur(0.1), [bound.shape for bound in H.spread]
    (True, [(1,), (1,)])
    """

    W: ArrayLike
    b: ArrayLike

    __repr__ = summary

    def __post_init__(self):
        W, b = (to_floats(as_array(name, getattr(self, name))).astype(float) for name in ("W", "b"))
        W = W[:, None] if W.ndim == 1 else W
        if W.ndim != 2 or b.shape != W.shape[:1] or not W.shape[1]:
            raise ShapeError(f"W has shape {W.shape} and b {b.shape}; pass (N, d) and (N,)")
        refuse_where(~is_finite(W), "W", W, "slopes must be finite")
        refuse_where(np.isnan(b) | (b == np.inf), "b", b, "offsets must be finite, or −∞ for no term")
        W, b = W[b > -np.inf], b[b > -np.inf]
        object.__setattr__(self, "W", frozen(W))
        object.__setattr__(self, "b", frozen(b))
        if not len(b):
            raise InputError("there are no terms; pass at least one with a finite offset")

    # ---- made from -------------------------------------------------------------------------------

    @classmethod
    def of_atoms(
        cls, y: ArrayLike, g: ArrayLike | float = 0.0, weight: float = 1.0, domain: Slice | None = None
    ) -> EntropyLandscape:
        """Logits −weight·|x − y_j|²/2 − g_j: W = weight·y and b = −weight·|y|²/2 − g, without the square of x, which
        all share. ``weight=1/2t`` is the kernel gauge at time t. With a `Slice` as domain, restricted to it.
        """
        y = to_floats(as_array("y", y)).astype(float)
        y = y[:, None] if y.ndim == 1 else y
        if y.ndim != 2:
            raise ShapeError(f"y has shape {y.shape}; pass atoms of shape (N, d)")
        g = to_floats(as_array("g", g))
        if g.shape not in ((), y.shape[:1]):
            raise ShapeError(f"g has shape {g.shape}; pass a number or one for each of {len(y)} atoms")
        if not (math.isfinite(weight) and weight > 0):
            raise InputError(f"weight is {weight}; pass a finite number > 0")
        return _restricted(weight * y, -weight * (y**2).sum(axis=1) / 2 - g, domain)

    @classmethod
    def of(cls, source, domain: Slice | None = None) -> EntropyLandscape:
        """That of a `Polynomial`, an `LSELayer`, a `KernelGauge`, or a network Affine → LogSumExp."""
        if isinstance(source, EntropyLandscape):
            return source if domain is None else _restricted(source.W, source.b, domain)
        if isinstance(source, KernelGauge):
            source = source.layer
        if not isinstance(source, LSELayer | Polynomial):
            source = LSELayer.from_network(source)
        p = source.polynomial if isinstance(source, LSELayer) else source
        sign = p.semiring.sign
        return _restricted(sign * to_floats(p.slopes), sign * to_floats(p.coefficients), domain)

    def __len__(self) -> int:
        """N, without terms at −∞."""
        return len(self.b)

    @property
    def variables(self) -> int:
        """d."""
        return self.W.shape[1]

    def at(self, eps: float) -> Polynomial:
        """The log-sum-exp whose Gibbs weights these are."""
        return Polynomial(self.W, self.b, Semiring(eps=as_eps(eps)))

    # ---- reading ---------------------------------------------------------------------------------

    def _shape(self) -> tuple[int, int]:
        return len(self), self.variables + 1

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        return {"b": self.b[:first], **coordinates("W", self.W[:first])}

    def _html(self) -> str:
        title = f"EntropyLandscape: H(x; ε) of {len(self):,} terms in {self.variables:,} variables"
        return card(title, self._first_rows())

    # ---- values and derivatives ------------------------------------------------------------------

    def __call__(self, x: ArrayLike, eps: float) -> np.ndarray:
        """H at points of shape (..., d), in nats."""
        return self.at(eps).entropy(self._points(x))

    def weights(self, x: ArrayLike, eps: float) -> np.ndarray:
        """π, shape (..., N)."""
        return self.at(eps).weights(self._points(x))

    def gradient(self, x: ArrayLike, eps: float) -> np.ndarray:
        """∇H, shape (..., d). Underflows where one term rules alone; `natural_gradient` does not."""
        pi, w, z = self._moments(x, eps)
        return -np.einsum("...n,...nd,...n->...d", pi, w, z) / eps**2

    def hessian(self, x: ArrayLike, eps: float) -> np.ndarray:
        """∇²H, shape (..., d, d)."""
        pi, w, z = self._moments(x, eps)
        return -np.einsum("...n,...nd,...ne,...n->...de", pi, w, w, 1 + z / eps) / eps**2

    def third(self, x: ArrayLike, eps: float) -> np.ndarray:
        """D³H, shape (..., d, d, d)."""
        pi, w, z = self._moments(x, eps)
        raw = np.einsum("...n,...nd,...ne,...nf,...n->...def", pi, w, w, w, 2 / eps + z / eps**2)
        C, c = np.einsum("...n,...nd,...ne->...de", pi, w, w), np.einsum("...n,...nd,...n->...d", pi, w, z)
        pairs = np.einsum("...de,...f->...def", C, c)
        pairs = pairs + np.moveaxis(pairs, -1, -2) + np.moveaxis(pairs, -1, -3)
        return -(raw - pairs / eps**2) / eps**2

    def eps_derivative(self, x: ArrayLike, eps: float) -> np.ndarray:
        """∂H/∂ε = Var(z)/ε³ ≥ 0, shape (...)."""
        pi, _, z = self._moments(x, eps)
        return (pi * z**2).sum(axis=-1) / eps**3

    def eps_gradient(self, x: ArrayLike, eps: float) -> np.ndarray:
        """∂∇H/∂ε = 2κ(W, z)/ε³ + κ(W, z, z)/ε⁴, shape (..., d)."""
        pi, w, z = self._moments(x, eps)
        return np.einsum("...n,...nd,...n->...d", pi, w, 2 * z / eps**3 + z**2 / eps**4)

    def eps_hessian(self, x: ArrayLike, eps: float) -> np.ndarray:
        """∂∇²H/∂ε = [2κ(W, W) + 4κ(W, W, z)/ε + κ(W, W, z, z)/ε²]/ε³, shape (..., d, d)."""
        pi, w, z = self._moments(x, eps)
        raw = np.einsum("...n,...nd,...ne,...n->...de", pi, w, w, 2 + 4 * z / eps + z**2 / eps**2)
        C, c = np.einsum("...n,...nd,...ne->...de", pi, w, w), np.einsum("...n,...nd,...n->...d", pi, w, z)
        variance = (pi * z**2).sum(axis=-1)[..., None, None]
        return (raw - (C * variance + 2 * c[..., None] * c[..., None, :]) / eps**2) / eps**3

    def fourth_along(self, x: ArrayLike, v: ArrayLike, eps: float) -> np.ndarray:
        """D⁴H[v, v, v, v] = −[3κ(s, s, s, s) + κ(s, s, s, s, z)/ε]/ε⁴ with s = W·v, shape (...)."""
        pi, w, z = self._moments(x, eps)
        s = w @ np.asarray(v, float)
        m = {(i, j): (pi * s**i * z**j).sum(axis=-1) for i in range(5) for j in (0, 1)}
        fourth = m[4, 0] - 3 * m[2, 0] ** 2
        fifth = m[4, 1] - 4 * m[1, 1] * m[3, 0] - 6 * m[2, 0] * m[2, 1]
        return -(3 * fourth + fifth / eps) / eps**4

    def fisher(self, x: ArrayLike, eps: float) -> np.ndarray:
        """G = Cov(W, W)/ε², the Fisher information of x ↦ π, shape (..., d, d)."""
        pi, w, _ = self._moments(x, eps)
        return np.einsum("...n,...nd,...ne->...de", pi, w, w) / eps**2

    def natural_gradient(self, x: ArrayLike, eps: float | ArrayLike) -> NaturalGradient:
        """G⁻¹∇H and its derivatives at points (P, d), where nothing underflows; ε a number or (P,).

        Needs slopes that span the space, as `refuse_flat` checks.
        """
        x = self._points(x)
        return natural_gradient(self.W, self.b, x.reshape(-1, self.variables), eps)

    def _points(self, x: ArrayLike) -> np.ndarray:
        return as_points(x, self.variables, np.dtype(np.float64))

    def _moments(self, x: ArrayLike, eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """π (..., N), W − E[W] (..., N, d) and z − E[z] (..., N)."""
        x = self._points(x)
        pi = self.weights(x, eps)
        z = x @ self.W.T + self.b
        z = z - z.max(axis=-1, keepdims=True)
        w = self.W - (pi @ self.W)[..., None, :]
        return pi, w, z - (pi * z).sum(axis=-1, keepdims=True)

    def refuse_flat(self) -> None:
        """Raise an InputError if the slopes lie in a hyperplane, along whose normal H is constant.

        So they do if N ≤ d, or if data in the plane are collinear; then no critical point is isolated.
        """
        _, sizes, directions = np.linalg.svd(self.W - self.W.mean(axis=0), full_matrices=True)
        rank = int((sizes > _FLAT * np.abs(self.W - self.W[0]).max()).sum())
        if rank < self.variables:
            normal = ", ".join(f"{v:.4g}" for v in directions[-1])
            raise InputError(
                f"the {len(self)} slopes span {rank} of {self.variables} dimensions, so that the entropy is constant "
                f"along ({normal}) and has no isolated critical points; "
                + ("restrict it to a Slice across" if rank else "pass two different slopes or more")
            )

    # ---- where critical points can be ------------------------------------------------------------

    @cached_property
    def tie_points(self) -> np.ndarray:
        """Where d + 1 independent terms are equal, (S, d): of logits −|x − y|²/2 the circumcentres of all simplices.

        Every critical point of H, at every ε, lies in their convex hull: x = X(x) is a mean of them.

        Raises
        ------
        BudgetExceeded
            More than 2·10⁶ subsets (229 terms in the plane).
        """
        d = self.variables
        W, b = self.distinct
        size = math.comb(len(b), d + 1)
        if size > _MAX_SIMPLICES:
            raise BudgetExceeded(
                "tie points of d + 1 terms", size, _MAX_SIMPLICES, "pass a bounded domain to search"
            )
        terms = chain.from_iterable(combinations(range(len(b)), d + 1))
        return tie_points(W, b, np.fromiter(terms, dtype=int, count=size * (d + 1)).reshape(size, d + 1))

    @cached_property
    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """(W, b) without repetitions."""
        rows = np.unique(np.column_stack([self.W, self.b]), axis=0)
        return rows[:, :-1], rows[:, -1]

    @cached_property
    def hull(self) -> tuple[np.ndarray, np.ndarray]:
        """(low, high) of the tie points: a box that contains every critical point at every ε."""
        return self.tie_points.min(axis=0), self.tie_points.max(axis=0)

    @cached_property
    def spread(self) -> tuple[np.ndarray, np.ndarray]:
        """The box of the middle half of the tie points in each coordinate, (low, high): the scale of x."""
        W, b = self.distinct
        d, rng = self.variables, np.random.default_rng(0)
        if math.comb(len(b), d + 1) <= 20_000:
            ties = self.tie_points
        else:
            drawn = np.array([rng.choice(len(b), d + 1, replace=False) for _ in range(4000)])
            ties = tie_points(W, b, drawn)
        low, high = np.quantile(ties, [0.25, 0.75], axis=0)
        floor = 1e-3 * np.ptp(ties, axis=0).max()
        return low - floor, high + floor

    def blur(self, eps: float) -> float:
        """ε / the largest difference of slopes: over how long a way weights change by a factor e."""
        return eps / float(np.linalg.norm(np.ptp(self.W, axis=0)))

    def length(self, eps: float) -> float:
        """The scale of x: that of the tie points, and no less than `blur`."""
        low, high = self.spread
        return max(float(np.linalg.norm(high - low)), self.blur(eps))


def tie_points(W: np.ndarray, b: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    """Where the terms of each subset (S, d + 1) are equal; dependent subsets are left out."""
    return solve_ties(W, b, subsets, [(0, k) for k in range(1, W.shape[1] + 1)])[0]


def solve_ties(W, b, terms: np.ndarray, equal: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Where terms[:, i] = terms[:, j] for d pairs (i, j), and which rows of terms have such a point."""
    matrices = np.stack([W[terms[:, j]] - W[terms[:, i]] for i, j in equal], axis=1)
    right = np.stack([b[terms[:, i]] - b[terms[:, j]] for i, j in equal], axis=1)
    kept = np.abs(np.linalg.det(matrices)) > _FLAT * np.linalg.norm(matrices, axis=2).prod(axis=1)
    return np.linalg.solve(matrices[kept], right[kept][..., None])[..., 0], kept


def as_eps(eps: float) -> float:
    """A finite temperature > 0."""
    value = float(eps)
    if not (math.isfinite(value) and value > 0):
        raise InputError(
            f"eps is {eps}; pass a finite temperature > 0 (at ε = 0 the entropy is piecewise constant)"
        )
    return value


def _restricted(W: np.ndarray, b: np.ndarray, domain: Slice | None) -> EntropyLandscape:
    if domain is None:
        return EntropyLandscape(W, b)
    chart = np.array(domain.chart(W.shape[1]), dtype=object).astype(float)
    return EntropyLandscape(W @ chart[:, :-1], b + W @ chart[:, -1])

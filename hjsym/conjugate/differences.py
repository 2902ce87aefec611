"""What becomes of a difference of convex functions: Toland's duality, and deconvolution."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.convolution import InfimalConvolution
from hjsym.conjugate.derived import Derived
from hjsym.conjugate.maxaffine import MaxAffine, from_polynomial
from hjsym.conjugate.polyhedral import PolyhedralConjugate
from hjsym.conjugate.quadratic import Quadratic
from tropical import Polynomial, Rational
from tropical.errors import InputError, ShapeError

__all__ = ["Deconvolution", "TolandDual", "deconvolution", "toland_dual"]


def toland_dual(f: Rational) -> "TolandDual":
    """The dual of inf (P − Q) for a tropical rational function P ⊘ Q at ε = 0 of polynomials.

    P − Q has no conjugate that tells it: (P − Q)** is only its hull. But inf_x P(x) − Q(x) = inf_y Q*(y) − P*(y) (J.
    F. Toland, J. Math. Anal. Appl. 66, 1978), and Q* is affine between the slopes of Q while −P* is concave, so the
    least value is at a slope of Q.

    Parameters
    ----------
    f : Rational of two Polynomials
        At ε = 0.

    Returns
    -------
    TolandDual
        With `infimum` and `point`.

    Examples
    --------
    >>> from tropical import variables
    >>> (x,) = variables(1)
    >>> dual = toland_dual((x**2 + x**-2) / (x + x**-1))                  # 2|x| − |x|
    >>> dual.infimum, dual.point
    (Fraction(0, 1), array([0.]))
    """
    if not (isinstance(f, Rational) and all(isinstance(p, Polynomial) for p in (f.P, f.Q))):
        raise InputError(
            f"f is a {type(f).__name__}; pass P / Q of polynomials (of a network, expand its P and Q first)"
        )
    P, Q = from_polynomial(f.P), from_polynomial(f.Q)
    if not (isinstance(P, MaxAffine) and isinstance(Q, MaxAffine)):
        raise InputError(
            "P and Q are to be maxima of affine functions, at eps = 0 and sign +1; call deform(0)"
        )
    return TolandDual(P, Q)


@dataclass(frozen=True, eq=False)
class TolandDual:
    """y ↦ Q*(y) − P*(y), whose infimum is that of P − Q.

    Attributes
    ----------
    infimum : Fraction, or −inf
        inf P − Q, exact.
    slope : (d,) array or None
        The slope of Q at which it is attained, or which makes P − Q unbounded.
    point : (d,) array or None
        x with P(x) − Q(x) = infimum.
    """

    P: MaxAffine
    Q: MaxAffine

    def __call__(self, y) -> np.ndarray:
        """Q*(y) − P*(y), +∞ where Q* is."""
        above, below = self.Q.conjugate()(y), self.P.conjugate()(y)
        with np.errstate(invalid="ignore"):
            return np.where(above == np.inf, np.inf, above - below)[()]

    @cached_property
    def _best(self) -> tuple[Fraction | float, np.ndarray, np.ndarray | None]:
        """min_j −b_j − P*(w_j) over the terms of Q: each is inf_x P(x) − (w_j·x + b_j)."""
        q = self.Q.polynomial.to_exact()
        dual = PolyhedralConjugate(self.P.polynomial.to_exact())
        values = dual._values(q.slopes)
        outside = next((j for j, v in enumerate(values.tolist()) if v == np.inf), None)
        if outside is not None:
            return -np.inf, self.Q.polynomial.slopes[outside], None
        totals = [-b - v for b, v in zip(q.coefficients.tolist(), values.tolist(), strict=True)]
        j = totals.index(min(totals))
        return totals[j], self.Q.polynomial.slopes[j], dual._argmax(q.slopes[j : j + 1])[0]

    @property
    def infimum(self) -> Fraction | float:
        return self._best[0]

    @property
    def slope(self) -> np.ndarray:
        return self._best[1]

    @property
    def point(self) -> np.ndarray | None:
        x = self._best[2]
        exact = self.P.polynomial.is_exact or self.Q.polynomial.is_exact
        return x if x is None or exact else x.astype(float)


def deconvolution(f: ConvexFunction, g: ConvexFunction) -> ConvexFunction:
    """(f ⊖ g)(x) = sup_z f(x + z) − g(z), for which (h □ g) ⊖ g = h and (f ⊖ g)* is the hull of f* − g*.

    For quadratic functions, infimal convolutions of which g is a part, and polyhedral g: those of
    which the conjugate is a maximum of affine functions.

    References
    ----------
    J.-B. Hiriart-Urruty, "A general formula on the conjugate of the difference of functions", Canad. Math. Bull. 29,
    1986.

    Examples
    --------
    >>> from hjsym.conjugate.sets import indicator
    >>> from tropical import Polytope
    >>> big, small = (indicator(Polytope([[-r], [r]])) for r in (3.0, 1.0))
    >>> deconvolution(big, small)([0.0, 2.0, 2.5])                        # the Minkowski difference [−2, 2]
    array([ 0.,  0., inf])
    """
    from hjsym.conjugate.dispatch import as_function

    f, g = as_function(f), as_function(g)
    if f.variables != g.variables:
        raise ShapeError(f"functions of {f.variables} and {g.variables} variables; give both the same")
    if isinstance(f, Quadratic) and isinstance(g, Quadratic):
        a, b = f.conjugate(), g.conjugate()
        if isinstance(a, Quadratic) and isinstance(b, Quadratic) and not len(a.E) and not len(b.E):
            return Quadratic(a.Q - b.Q, a.b - b.b, a.c - b.c).conjugate()
    if isinstance(f, InfimalConvolution) and any(part is g for part in f.parts):
        rest = list(f.parts)
        rest.pop(next(k for k, part in enumerate(rest) if part is g))
        return rest[0] if len(rest) == 1 else InfimalConvolution(rest)
    if isinstance(g, PolyhedralConjugate):
        return Deconvolution(f, g)
    raise InputError(
        f"{type(f).__name__} ⊖ {type(g).__name__} has no closed form here: f* − g* is not convex in general; "
        "give a polyhedral or quadratic g, or take the difference of transforms on a grid"
    )


@dataclass(frozen=True, eq=False)
class Deconvolution(Derived):
    """sup_z f(x + z) − g(z) for a polyhedral g on a polytope: the supremum is at a vertex z of the graph of g."""

    function: ConvexFunction
    other: PolyhedralConjugate
    method = "polyhedral"
    of_hull = False

    @cached_property
    def _vertices(self) -> tuple[np.ndarray, np.ndarray]:
        """z and g(z)."""
        p = self.other.polynomial.prune()
        return p.slopes.astype(float), -p.coefficients.astype(float)

    def _all(self, y: np.ndarray) -> np.ndarray:
        z, values = self._vertices
        moved = (y[:, None] + z).reshape(-1, self.variables)
        return self.function._values(moved).reshape(len(y), len(z)) - values

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self._all(y).max(axis=1)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        best = self._all(y).argmax(axis=1)
        return self.function._argmax(y + self._vertices[0][best])

    def conjugate(self) -> ConvexFunction:
        raise InputError("the conjugate of f ⊖ g is the hull of f* − g*, which has no closed form here")

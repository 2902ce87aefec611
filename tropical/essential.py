"""Polynomials of the essential monomials of a circuit, without expanding it: by its linear regions."""

from fractions import Fraction

from tropical._region_shape import exact_array
from tropical.circuit import Circuit
from tropical.domain import Domain
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import linear_regions
from tropical.semiring import Semiring

__all__ = ["essential"]


def essential(f: Circuit | Polynomial | Rational, domain: Domain | None = None, **options):
    """f as explicit polynomials of its essential monomials only: those that are the largest somewhere.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0.
    domain : Box, Polyhedron or Slice, optional
        Essential there; all of R^d by default. On a slice they are polynomials in its coordinates.
    **options
        As for `linear_regions`; with ``partial`` monomials can be missing.

    Returns
    -------
    Polynomial for a Circuit or a Polynomial, (P, Q) for a Rational; a list of those for several outputs.
        Over Fractions if f is; else each entry is the float nearest to the exact one.

    Notes
    -----
    A monomial is essential if the polynomial changes without it, that is, if it alone is the largest on an open
    set. On a region of the gates of P, or of any finer partition, P is affine, and equals one monomial there,
    which is essential; conversely an open set where a monomial alone is the largest meets the interior of some
    region in an open set. So the affine pieces of P on the regions of the gates of P and Q together are exactly
    its essential monomials, once duplicates are left out, and the same holds for Q. Nothing is multiplied out.

    Examples
    --------
    >>> x = Circuit.identity(1)
    >>> print(essential((x + 1) * (x + 1) + x.affine([[1]], [1])))           # 2x, 2 and 1 + x, never the largest
    2 ⊕ x1^2
    """
    regions = linear_regions(f, domain, **options)
    parts = regions.monomials()
    exact = f.is_exact
    semiring = Semiring(sign=regions.program.sign)
    made = [[_polynomial(rows, semiring, exact) for rows in part] for part in parts]
    per_output = list(zip(*made, strict=True)) if isinstance(f, Rational) else made[0]
    return per_output[0] if len(per_output) == 1 else per_output


def _polynomial(rows: list[list[Fraction]], semiring: Semiring, exact: bool) -> Polynomial:
    array = exact_array(rows)
    p = Polynomial(array[:, :-1], array[:, -1], semiring)
    return p if exact else p.to_float()

"""Polynomials of the essential monomials of a circuit, without expanding it: by its linear regions."""

import numpy as np

from tropical._region_program import Program
from tropical._region_shape import exact_array
from tropical.circuit import Circuit
from tropical.domain import Domain
from tropical.errors import BudgetExceeded, InputError
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
        As for `linear_regions`, with ``executor`` and ``progress``; with ``partial`` monomials can be missing.

    Raises
    ------
    BudgetExceeded
        As by `linear_regions`; its ``result`` is f, as it was.

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
    try:
        regions = linear_regions(f, domain, **options)
    except BudgetExceeded as error:
        error.result = f  # some of its monomials are no form of it
        raise
    exact = f.is_exact
    semiring = Semiring(sign=regions.program.sign)
    made = [
        [_polynomial(regions.program, k, piece, semiring, exact) for piece in part]
        for k, part in enumerate(regions._pieces())
    ]
    per_output = list(zip(*made, strict=True)) if isinstance(f, Rational) else made[0]
    return per_output[0] if len(per_output) == 1 else per_output


def _polynomial(program: Program, k: int, forms: list, semiring: Semiring, exact: bool) -> Polynomial:
    """Of the forms of output k; floats are quotients of two integers, which Python rounds correctly."""
    if not exact:
        scale = program.sign * program.denominators[program.outputs[k]]
        try:
            array = np.array([[a / scale for a in form] for form in forms]) + 0.0  # without −0
        except OverflowError:
            raise InputError(
                "an essential monomial has an entry beyond the floats; pass a function over Fractions"
            ) from None
        return Polynomial(array[:, :-1], array[:, -1], semiring)
    array = exact_array([program.output(k, form) for form in forms])
    return Polynomial(array[:, :-1], array[:, -1], semiring)

"""Stable intersections of tropical hypersurfaces: points with multiplicities that add up to a mixed volume."""

from fractions import Fraction

import numpy as np

from tropical._square import need_tropical, round_to
from tropical.errors import SemiringMismatchError, ShapeError
from tropical.polytope import Polytope, mixed_volume
from tropical.subdivision import subdivision

__all__ = ["stable_intersection"]


def stable_intersection(*polynomials) -> list[tuple[np.ndarray, int | Fraction]]:
    """Where d hypersurfaces in R^d meet, also after any small shift of each: points with multiplicities.

    Over x lie the cells C_k of monomials that attain p_k(x), and the multiplicity of x is the mixed volume of
    C_1 … C_d; for two edges of plane curves that cross, weight · weight · |det of their primitive directions|.
    Curves that share an edge, or all of it, meet stably in points nevertheless.

    Parameters
    ----------
    *polynomials : d Polynomials in d variables over one semiring, ε = 0

    Returns
    -------
    list of (point, multiplicity)
        Points are (d,) arrays, of Fractions if all polynomials are exact, else of the nearest floats, in ascending
        order. Multiplicities are positive, and whole numbers for whole exponents.

    Raises
    ------
    ShapeError
        Not as many polynomials as variables.
    SemiringMismatchError, InputError
        Different semirings; ε > 0.
    BudgetExceeded
        A product of more than 10^7 monomials.

    Notes
    -----
    Decided exactly, also for floats. The points are among the vertices of the hypersurface of the product ⊗_k p_k,
    whose cells are the sums Σ_k C_k. By Bernstein's theorem multiplicities add up to the mixed volume of the
    Newton polytopes (`mixed_volume`).

    References
    ----------
    D. Maclagan, B. Sturmfels, Introduction to Tropical Geometry, 2015, Definition 3.6.5 and Theorem 4.6.8.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> [(point.tolist(), m) for point, m in stable_intersection(x + y + 0, x + 1 * y + 2)]
    [([1.0, 1.0], 1)]
    >>> line = x + y + 0
    >>> [(point.tolist(), m) for point, m in stable_intersection(line, line)]     # stable, so one point
    [([0.0, 0.0], 1)]
    """
    _check(polynomials)
    exact = [_vertices_only(p.to_exact()) for p in polynomials]
    if any(len(p) == 0 for p in exact):
        return []
    product, d = exact[0], len(exact)
    for p in exact[1:]:
        product = product * p
    s = subdivision(product)
    if s.dim < d:
        return []
    rounded = s.vertices if all(p.is_exact for p in polynomials) else _to_floats(s.vertices)
    sizes = [len(p) for p in exact]
    found = []
    for x, total, cell in zip(rounded, s.volumes, s.cells, strict=True):
        factors = np.unravel_index(cell, sizes)
        parts = [p.slopes[np.unique(rows)] for p, rows in zip(exact, factors, strict=True)]
        multiplicity = _mixed(parts, total)
        if multiplicity:
            found.append((x, multiplicity))
    return sorted(found, key=lambda pair: pair[0].tolist())


def _mixed(parts: list[np.ndarray], total) -> int | Fraction:
    """The mixed volume of the hulls of d sets of slopes; `total` is d! times the volume of their sum."""
    if any(len(part) == 1 for part in parts):
        return 0
    if len(parts) == 1:
        return total
    polytopes = [Polytope(part) for part in parts]
    if len(parts) > 2:
        return mixed_volume(*polytopes)
    twice = total - sum(p.lattice_volume for p in polytopes if p.dim == 2)
    return twice // 2 if twice % 2 == 0 else Fraction(twice) / 2


def _to_floats(points: np.ndarray) -> np.ndarray:
    return np.array([[round_to(np.dtype(np.float64), v) for v in x] for x in points])


def _vertices_only(p):
    """The monomials at vertices of the subdivision: the function is the same, and its product smaller."""
    kept = list(subdivision(p).essential)
    return type(p)(p.slopes[kept], p.coefficients[kept], p.semiring)


def _check(polynomials) -> None:
    if not polynomials:
        raise ShapeError("stable_intersection got no polynomials; pass d of them in d variables")
    first = polynomials[0]
    for p in polynomials:
        need_tropical("a stable intersection", p.semiring, "log-sum-exp has no hypersurface; call deform(0)")
        if p.semiring != first.semiring:
            raise SemiringMismatchError(
                f"one polynomial is over {first.semiring}, another over {p.semiring}; give all the same"
            )
        if p.variables != len(polynomials):
            raise ShapeError(
                f"got {len(polynomials)} polynomials and one in {p.variables} variables; pass d polynomials in d"
            )

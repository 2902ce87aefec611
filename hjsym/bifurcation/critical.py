"""All critical points of the entropy of Gibbs weights in an interval, a rectangle or a slice, with Morse indices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from hjsym.bifurcation.landscape import EntropyLandscape, as_eps
from hjsym.bifurcation.scan import scan
from hjsym.bifurcation.search import search
from tropical import Box, Slice
from tropical._display import summary
from tropical._tables import HasTable, coordinates
from tropical.domain import Domain, as_domain
from tropical.errors import InputError

__all__ = ["CriticalPoint", "CriticalPoints", "as_region", "critical_points"]

_RESOLUTION = 1e-14
_FLAT = 1e-7  # of the largest eigenvalue: one that is smaller may be 0


@dataclass(frozen=True)
class CriticalPoint:
    """One critical point.

    Attributes
    ----------
    x : (d,) array
    index : int
        Morse index: how many eigenvalues of ∇²H are negative; 0 is a minimum, d a maximum.
    kind : str
        ``"minimum"``, ``"saddle"``, ``"maximum"`` or, where an eigenvalue of G⁻¹∇²H is 0 up to rounding,
        ``"degenerate"``.
    entropy : float
        H, in nats.
    atom : int
        The term of largest weight.
    eigenvalues : (d,) array
        Of G⁻¹∇²H, ascending: −1 at a tie in the cold, 0 at a bifurcation.

    Examples
    --------
    >>> point = critical_points(EntropyLandscape.of_atoms([-1.0, 1.0]), 0.2)[0]
    >>> point.kind, point.index, round(float(point.x[0]), 9) + 0, round(point.entropy, 6)
    ('maximum', 1, 0.0, 0.693147)
    """

    x: np.ndarray
    index: int
    kind: str
    entropy: float
    atom: int
    eigenvalues: np.ndarray

    __repr__ = summary


@dataclass(frozen=True)
class CriticalPoints(HasTable):
    """The critical points in a region, and whether the degree of ∇H confirms their number.

    A sequence of `CriticalPoint`, ordered by x.

    Attributes
    ----------
    points : tuple of CriticalPoint
    eps : float
    low, high : (d,) arrays
        The region.
    degree : int or None
        The degree of ∇H on the boundary, counted there alone: in the plane its winding number, in one variable from the
        signs at the ends. None where ∇H vanishes on the boundary or could not be followed.
    suspects : (k, 2, d) array
        Cells (low, high) in which the number of points found does not agree with the degree on the cell's own boundary.

    Examples
    --------
    >>> found = critical_points(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), 0.2)
    >>> found.x.ravel().round(4) + 0, found.indices.tolist(), len(found.of_kind("maximum"))
    (array([-0.4773,  0.    ,  0.4773]), [1, 0, 1], 2)
    >>> found.degree, found.index_sum, found.confirmed
    (-1, -1, True)
    """

    points: tuple[CriticalPoint, ...]
    eps: float
    low: np.ndarray
    high: np.ndarray
    degree: int | None
    suspects: np.ndarray

    def __repr__(self) -> str:
        kinds = [p.kind for p in self.points]
        counts = ", ".join(f"{kind} × {kinds.count(kind)}" for kind in sorted(set(kinds)))
        confirmed = "confirmed" if self.confirmed else "not confirmed"
        return f"<CriticalPoints at eps = {self.eps:g}: {counts or 'none'}; {confirmed}>"

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[CriticalPoint]:
        return iter(self.points)

    def __getitem__(self, k: int) -> CriticalPoint:
        return self.points[k]

    @property
    def x(self) -> np.ndarray:
        """All positions, (n, d)."""
        return np.array([p.x for p in self.points]).reshape(len(self.points), len(self.low))

    @property
    def indices(self) -> np.ndarray:
        """All Morse indices, (n,)."""
        return np.array([p.index for p in self.points], dtype=int)

    def _shape(self) -> tuple[int, int]:
        return len(self), 4 + 2 * len(self.low)

    def _units(self) -> dict[str, str]:
        return {"entropy": "nats"}

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        points, d = self.points[:first], len(self.low)
        spectra = np.array([p.eigenvalues for p in points]).reshape(len(points), d)
        return {
            **coordinates("x", self.x[:first]),
            "kind": np.array([p.kind for p in points], dtype=str),
            "index": self.indices[:first],
            "entropy": np.array([p.entropy for p in points], dtype=float),
            "atom": np.array([p.atom for p in points], dtype=int),
            **coordinates("eigenvalue", spectra),
        }

    def of_kind(self, kind: str) -> tuple[CriticalPoint, ...]:
        """The minima, saddles, maxima or degenerate points."""
        return tuple(p for p in self.points if p.kind == kind)

    @property
    def index_sum(self) -> int:
        """Σ (−1)^index, which is the degree if none is missing and none degenerate."""
        return int((1 - 2 * (self.indices % 2)).sum())

    @property
    def confirmed(self) -> bool:
        """Whether no point is degenerate, the degree on the boundary is the sum of the indices, and no cell is suspect.

        This is evidence in floats, which a pair of points of opposite sign within one cell escapes; a proof is
        `hjsym.bifurcation.certify`.
        """
        return not (len(self.suspects) or self.of_kind("degenerate")) and self.degree == self.index_sum


def critical_points(source, eps: float, domain=None, *, cells: int = 24) -> CriticalPoints:
    """All critical points of H(π(x; ε)) in a region of the line or the plane.

    Zeros of the natural gradient n = G⁻¹∇H, which is of the size of x at every temperature, so that cold plateaus of H,
    where ∇H underflows, are no zeros.

    Parameters
    ----------
    source
        An `EntropyLandscape` (``EntropyLandscape.of_atoms(y)`` for logits −|x − y|²/2), an `LSELayer`, a
        `KernelGauge`, a `tropical.Polynomial`, or a network Affine → LogSumExp; their own temperature is not used.
    eps : float
        ε > 0.
    domain : Box, (low, high) or Slice, optional
        The region; of a `Slice` with one or two directions, and the critical points are those of H on the slice, in
        its coordinates. By default the hull of the tie points, outside of which there are none at any ε.
    cells : int
        In the plane: cells along either axis in which the degree is counted.

    Returns
    -------
    CriticalPoints

    Raises
    ------
    InputError
        ε ≤ 0, not finite, or so small that floats do not resolve where weights change; slopes that do not span the
        region (one atom, collinear data in the plane), where critical points are not isolated; more than two variables
        without a slice.

    Notes
    -----
    In one variable n is sampled at a grid and around ties, each interval halved until a cubic through values
    and slopes predicts its middle, and every change of sign refined to the last digits. In the plane Newton's
    method on n, with its analytic derivative, starts from a grid and from ties that are critical points in the
    cold; cells in which the winding number of n disagrees are quartered and searched again. A call for 16 atoms
    takes some 10 ms in one variable and half a second in the plane.

    Examples
    --------
    >>> H = EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
    >>> [len(critical_points(H, eps)) for eps in (0.1, 0.33, 0.5, 0.6)]
    [9, 7, 5, 1]
    >>> found = critical_points(H, 0.51)
    >>> [(p.kind, round(float(p.x[0]), 4)) for p in found], found.degree, found.confirmed
    ([('maximum', 0.5605), ('minimum', 0.5785), ('maximum', 1.2596)], -1, True)
    """
    eps = as_eps(eps)
    H, low, high = as_region(source, domain, eps)
    if H.variables == 1:
        roots, degree, suspects = scan(H, eps, low, high)
    else:
        roots, degree, suspects = search(H, eps, low, high, cells)
    return CriticalPoints(describe(H, roots, eps), eps, low, high, degree, suspects)


def as_region(source, domain, eps: float) -> tuple[EntropyLandscape, np.ndarray, np.ndarray]:
    """The landscape, restricted where the domain is a slice, and the bounds of the region.

    The hull of the tie points is widened by the length ε/W over which weights change.
    """
    domain = as_domain(domain)
    inside = domain
    if isinstance(domain, Slice):
        inside = domain.within or Domain()
        source = EntropyLandscape.of(source, replace(domain, within=None))
    H = EntropyLandscape.of(source)
    if H.variables > 2:
        raise InputError(
            f"there are {H.variables} variables; all critical points are found in one or two: pass a Slice of the space"
        )
    H.refuse_flat()
    low, high = _bounds(H, inside, eps)
    if not H.blur(eps) > _RESOLUTION * max(np.abs(low).max(), np.abs(high).max()):
        raise InputError(
            f"eps is {eps:g}: weights change over {H.blur(eps):.3g}, which floats as large as the region's bounds do "
            "not resolve; pass a larger eps, or look at ties, where critical points are in the cold"
        )
    return H, low, high


def _bounds(H: EntropyLandscape, region: Domain, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Of a box, or of a region that holds all critical points."""
    if isinstance(region, Box):
        low, high = (np.array([float(v) for v in bound]) for bound in region.bounds(H.variables))
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
            raise InputError(
                "the region is unbounded or flat; pass finite low < high, or None for all critical points"
            )
        return low, high
    if type(region) is not Domain:
        raise InputError("the region is a polyhedron; pass a Box, or None for all critical points")
    low, high = H.hull
    margin = 1e-3 * np.maximum(high - low, np.abs(high) + np.abs(low)) + H.blur(eps)
    return low - margin, high + margin


def describe(H: EntropyLandscape, x: ArrayLike, eps: float) -> tuple[CriticalPoint, ...]:
    """What is at critical points x (n, d), ordered by x."""
    x = np.asarray(x, float).reshape(-1, H.variables)
    x = x[np.lexsort(x.T[::-1])]
    if not len(x):
        return ()
    jacobians = H.natural_gradient(x, eps).jacobian
    spectra = np.sort(np.linalg.eigvals(jacobians).real, axis=1)
    flat = np.abs(spectra).min(axis=1) <= _FLAT * np.maximum(1, np.abs(spectra).max(axis=1))
    entropy, atoms = H(x, eps), H.weights(x, eps).argmax(axis=1)
    index = (spectra < 0).sum(axis=1)
    kinds = np.where(flat, "degenerate", np.where(index == 0, "minimum", "saddle"))
    kinds = np.where(~flat & (index == H.variables), "maximum", kinds)
    return tuple(
        CriticalPoint(p, int(i), str(k), float(h), int(a), s)
        for p, i, k, h, a, s in zip(x, index, kinds, entropy, atoms, spectra, strict=True)
    )

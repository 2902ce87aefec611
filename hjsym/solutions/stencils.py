"""Derivatives on an even grid: one-sided slopes, of which ENO and WENO take the smoother ones, and the Laplacian.

From the slopes D_{i+½} = (u_{i+1} − u_i)/h two are made at each node, p⁻ from the left and p⁺ from the right:

    order 1   p⁻ = D_{i−½}, p⁺ = D_{i+½};
    order 2   ENO: with half of the smaller second difference beside it, 0 where they differ in sign;
    order 5   WENO: a mean of three parabolas' slopes, its weights falling with the fourth power of their wiggles.

Sources: S. Osher, C.-W. Shu, "High-order essentially nonoscillatory schemes for Hamilton–Jacobi equations", SIAM J.
Numer. Anal. 28 (1991); G.-S. Jiang, D. Peng, "Weighted ENO schemes for Hamilton–Jacobi equations", SIAM J. Sci.
Comput. 21 (2000), equations 2.8–2.14.
"""

import numpy as np

__all__ = ["BOUNDARIES", "GHOSTS", "ORDERS", "laplacian", "one_sided_slopes"]

ORDERS = (1, 2, 5)
BOUNDARIES = ("extrapolate", "periodic")
GHOSTS = 3  # nodes beyond each end


def one_sided_slopes(
    u: np.ndarray, h: float, axis: int, order: int, boundary: str
) -> tuple[np.ndarray, np.ndarray]:
    """(p⁻, p⁺) along an axis, each of the shape of u."""
    D = np.diff(_padded(u, axis, boundary)) / h
    n = u.shape[axis]
    v = [D[..., k : k + n] for k in range(2 * GHOSTS)]  # v[2] is D_{i−½}, v[3] is D_{i+½}
    if order == 1:
        left, right = v[2], v[3]
    elif order == 2:
        curvature = np.diff(D)
        bend = [_smaller(curvature[..., k : k + n], curvature[..., k + 1 : k + n + 1]) / 2 for k in (1, 2)]
        left, right = v[2] + bend[0], v[3] - bend[1]
    else:
        left, right = _weno(*v[:5]), _weno(*v[:0:-1])
    return np.moveaxis(left, -1, axis), np.moveaxis(right, -1, axis)


def laplacian(u: np.ndarray, spacing: list[float], order: int, boundary: str) -> np.ndarray:
    """Δu by central differences, of second order, or of sixth for `order` 5."""
    weights = np.array([2, -27, 270, -490, 270, -27, 2]) / 180 if order == 5 else np.array([1.0, -2.0, 1.0])
    reach, total = len(weights) // 2, np.zeros_like(u)
    for axis, h in enumerate(spacing):
        padded, n = _padded(u, axis, boundary), u.shape[axis]
        terms = (w * padded[..., k : k + n] for k, w in enumerate(weights, GHOSTS - reach))
        total += np.moveaxis(sum(terms), -1, axis) / h**2
    return total


def _padded(u: np.ndarray, axis: int, boundary: str) -> np.ndarray:
    """u with the axis last and ghosts on both sides: copies from the other end, or the last slope carried on.

    No curvature is: what flows in would then be a parabola, from which solutions blow up.
    """
    u = np.moveaxis(u, axis, -1)
    if boundary == "periodic":
        return np.concatenate([u[..., -GHOSTS:], u, u[..., :GHOSTS]], axis=-1)
    far = np.arange(1, GHOSTS + 1)
    before = u[..., :1] + far[::-1] * (u[..., :1] - u[..., 1:2])
    after = u[..., -1:] + far * (u[..., -1:] - u[..., -2:-1])
    return np.concatenate([before, u, after], axis=-1)


def _smaller(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of two the one closer to 0, and 0 where their signs differ."""
    return np.where(a * b > 0, np.where(np.abs(a) < np.abs(b), a, b), 0.0)


def _weno(a, b, c, d, e) -> np.ndarray:
    """The slope between c and d, from five."""
    slopes = (2 * a - 7 * b + 11 * c) / 6, (-b + 5 * c + 2 * d) / 6, (2 * c + 5 * d - e) / 6
    wiggles = (
        13 / 12 * (a - 2 * b + c) ** 2 + (a - 4 * b + 3 * c) ** 2 / 4,
        13 / 12 * (b - 2 * c + d) ** 2 + (b - d) ** 2 / 4,
        13 / 12 * (c - 2 * d + e) ** 2 + (3 * c - 4 * d + e) ** 2 / 4,
    )
    floor = 1e-6 * np.maximum.reduce([s**2 for s in (a, b, c, d, e)]) + 1e-99
    weights = [share / (s + floor) ** 2 for share, s in zip((0.1, 0.6, 0.3), wiggles, strict=True)]
    return sum(w * s for w, s in zip(weights, slopes, strict=True)) / sum(weights)

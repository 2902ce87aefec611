"""The zeros of the natural gradient in a rectangle."""

import numpy as np

from hjsym.bifurcation.landscape import EntropyLandscape
from hjsym.bifurcation.seeds import cold_seeds, mesh
from hjsym.bifurcation.winding import cell_degrees, grid_degrees

__all__ = ["search"]

_PASSES = 3
_ROUNDS = 24
_STEPS = 60
_GRID = 40  # points along either axis at which the highest terms are looked up
_SAME = 1e-8  # of the scale: zeros that are nearer and of equal sign are one


def search(H: EntropyLandscape, eps: float, low: np.ndarray, high: np.ndarray, cells: int):
    """Zeros (n, 2), the degree on the boundary, and the cells (k, 2, 2) whose degree does not agree with them."""
    ties = cold_seeds(H, eps, low, high, _mesh_of_ties(H, eps, low, high))
    starts = np.vstack([mesh(low, high, cells), _mesh_of_ties(H, eps, low, high), ties])
    roots = zeros(H, eps, starts, low, high)
    for finer in range(_PASSES):
        xs, ys = (_lines(low[i], high[i], ties[:, i], roots[:, i], cells * (finer + 1)) for i in range(2))
        degrees, degree = grid_degrees(H, eps, xs, ys)
        corners = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1)
        boxes = np.stack([corners[:-1, :-1], corners[1:, 1:]], axis=2).reshape(-1, 2, 2)
        suspects = boxes[_disagreeing(H, eps, roots, boxes, degrees.ravel())]
        roots, suspects = _resolved(H, eps, roots, suspects, low, high)
        if not len(suspects) and (degree is None or degree == _signs(H, eps, roots).sum()):
            break
    return roots, degree, suspects


def _resolved(H: EntropyLandscape, eps: float, roots: np.ndarray, suspects: np.ndarray, low, high):
    """Zeros with those in suspect cells, quartered until their degrees agree, and the cells that are left."""
    for k in range(_ROUNDS):
        if not len(suspects):
            break
        suspects = _quarters(suspects, 0.47 + 0.02 * (k % 4))
        suspects = suspects[_disagreeing(H, eps, roots, suspects, cell_degrees(H, eps, suspects))]
        if len(suspects):
            inside = np.vstack([mesh(a, b, 4) for a, b in suspects])
            roots = zeros(H, eps, np.vstack([roots, inside]), low, high)
            suspects = suspects[_disagreeing(H, eps, roots, suspects, cell_degrees(H, eps, suspects))]
    return roots, suspects


def _signs(H: EntropyLandscape, eps: float, roots: np.ndarray) -> np.ndarray:
    """sign det Dn."""
    return np.sign(np.linalg.det(H.natural_gradient(roots, eps).jacobian)) if len(roots) else np.zeros(0)


def _quarters(cells: np.ndarray, share: float) -> np.ndarray:
    """Each cell (low, high) in four, cut at a share of its sides."""
    low, high = cells[:, 0], cells[:, 1]
    cut = low + share * (high - low)
    parts = []
    for choice in np.ndindex(2, 2):
        upper = np.array(choice, dtype=bool)
        parts.append(np.stack([np.where(upper, cut, low), np.where(upper, high, cut)], axis=1))
    return np.vstack(parts)


def _disagreeing(
    H: EntropyLandscape, eps: float, roots: np.ndarray, cells: np.ndarray, degrees
) -> np.ndarray:
    """Whether the zeros known in each cell do not add up to its degree."""
    inside = ((roots > cells[:, :1]) & (roots < cells[:, 1:])).all(axis=2)
    return ~(degrees == inside @ _signs(H, eps, roots))


def _mesh_of_ties(H: EntropyLandscape, eps: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """A grid, fine where atoms of the landscape have their ties, within the region."""
    near, far = H.spread
    margin = (far - near) + H.blur(eps)
    inside = np.clip(np.stack([near - margin, far + margin]), low, high)
    flat = inside[0] >= inside[1]
    return mesh(np.where(flat, low, inside[0]), np.where(flat, high, inside[1]), _GRID)


def _lines(low: float, high: float, ties: np.ndarray, roots: np.ndarray, cells: int) -> np.ndarray:
    """Lines of a grid, half of them even and half of them at quantiles of the ties, moved away from the zeros."""
    even = np.linspace(low, high, cells // 2 + 1)
    dense = np.quantile(ties, np.linspace(0, 1, cells - cells // 2 + 1)[1:-1]) if len(ties) else []
    lines = np.unique(np.concatenate([even, dense]))
    gaps = np.diff(lines).min(initial=high - low, where=np.diff(lines) > 1e-6 * (high - low))
    if not len(roots):
        return lines
    moves = gaps * np.linspace(-0.3, 0.3, 13)
    candidates = lines[1:-1, None] + moves
    distance = np.abs(candidates[..., None] - roots).min(axis=2)
    inner = candidates[np.arange(len(candidates)), distance.argmax(axis=1)]
    lines = np.unique(np.concatenate([[low], inner, [high]]))
    return lines[np.append(True, np.diff(lines) > 1e-9 * (high - low))]


def zeros(
    H: EntropyLandscape, eps: float, starts: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The zeros of n in the rectangle that Newton's method finds from the starts, each once."""
    parts = np.array_split(starts, max(1, len(starts) * len(H) // 400_000))
    found = np.vstack([_newton(H, eps, part, low, high) for part in parts])
    return _distinct(H, eps, found[((found >= low) & (found <= high)).all(axis=1)])


def _newton(H: EntropyLandscape, eps: float, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where damped Newton steps end at rounding."""
    margin, reach = 0.5 * (high - low), 0.1 * float(np.linalg.norm(high - low))
    tiny = 1e-12 * max(np.abs(low).max(), np.abs(high).max(), 1e-300)
    ended, n = [], H.natural_gradient(x, eps)
    value, jacobian = n.value, n.jacobian
    for _ in range(_STEPS):
        step = _steps(jacobian, value)
        length = np.linalg.norm(step, axis=1, keepdims=True)
        done = (length <= tiny)[:, 0]
        ended.append(x[done] - step[done])
        step *= np.minimum(1, reach / np.maximum(length, 1e-300))
        x, value, jacobian = _damped(H, eps, x[~done], step[~done], value[~done])
        inside = ((x > low - margin) & (x < high + margin)).all(axis=1)
        x, value, jacobian = x[inside], value[inside], jacobian[inside]
        if not len(x):
            break
    return np.vstack(ended)


def _steps(jacobian: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Dn⁻¹n, where Dn is singular a step along n."""
    (a, b), (c, d) = np.moveaxis(jacobian, 0, -1)
    det = a * d - b * c
    fine = np.abs(det) > 1e-14 * (np.abs(a * d) + np.abs(b * c))
    det = np.where(fine, det, 1.0)
    x, y = value.T
    solved = np.stack([(d * x - b * y) / det, (a * y - c * x) / det], axis=1)
    return np.where(fine[:, None], solved, -value)


def _damped(H: EntropyLandscape, eps: float, x: np.ndarray, step: np.ndarray, value: np.ndarray):
    """x − t·step with the first t of 1, ½, …, 1/32 at which |n| falls, and n and Dn there; starts without are given up,
    as those are that circle around a pair of zeros that has vanished."""
    size, waiting = np.linalg.norm(value, axis=1), np.arange(len(x))
    new, values, jacobians = x - step, np.empty_like(x), np.empty((len(x), 2, 2))
    for _ in range(6):
        if not len(waiting):
            break
        n = H.natural_gradient(new[waiting], eps)
        values[waiting], jacobians[waiting] = n.value, n.jacobian
        waiting = waiting[np.linalg.norm(n.value, axis=1) > size[waiting]]
        step[waiting] /= 2
        new[waiting] = x[waiting] - step[waiting]
    moved = np.ones(len(x), dtype=bool)
    moved[waiting] = False
    return new[moved], values[moved], jacobians[moved]


def _distinct(H: EntropyLandscape, eps: float, found: np.ndarray) -> np.ndarray:
    """One of each cluster; zeros that are close but of opposite sign are two."""
    if not len(found):
        return found
    signs = _signs(H, eps, found)
    kept: list[int] = []
    for k in np.lexsort(found.T):
        tolerance = _SAME * max(H.length(eps), np.abs(found[k]).max())
        close = [j for j in kept if np.abs(found[j] - found[k]).max() < tolerance and signs[j] == signs[k]]
        if not close:
            kept.append(k)
    return found[kept]

"""What a page looks at: a line or a plane in the space of the inputs, and a window on it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from hjsym.datasets import load_dataset
from hjsym.hopf import LSELayer
from hjsym.layers import Affine
from hjsym.network import Network
from tropical import Box, Slice
from tropical.domain import as_domain
from tropical.errors import InputError, ShapeError
from tropical.sparse import Weights

__all__ = ["Plane", "View", "choose_plane", "given_plane", "plane_through"]

_MARGIN = 0.25  # of a window around points, beyond their triangle
_LARGEST = 1e100  # of slopes and offsets
_SUBSCRIPTS = "₁₂"


@dataclass(frozen=True, eq=False)
class Plane:
    """Points origin + s·directions, with the names that the page gives to them.

    Attributes
    ----------
    origin : (d,) array
    directions : (k, d) array
        k is 1 or 2.
    window : (k, 2) array or None
        Where to look, (low, high) for each coordinate; None where the page is to choose.
    axes : tuple of str
        Names of the coordinates.
    text : str
        What the plane is, in one line.
    marks : tuple of (tuple of float, str)
        Points of note, in coordinates, and their names.
    """

    origin: np.ndarray
    directions: np.ndarray
    window: np.ndarray | None
    axes: tuple[str, ...]
    text: str
    marks: tuple[tuple[tuple[float, ...], str], ...] = ()

    @property
    def variables(self) -> int:
        return len(self.directions)

    def restricted(self, W: Weights, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slopes and offsets on the plane: W·(origin + D s) + b = (WD) s + (W·origin + b)."""
        with np.errstate(over="ignore", invalid="ignore"):
            slopes, offsets = W @ self.directions.T, W @ self.origin + b
        largest = max(float(np.abs(a).max(initial=0.0)) for a in (slopes, offsets))
        if not largest <= _LARGEST:
            raise InputError(
                f"slopes or offsets on the slice reach {largest:g}; a page computes with their squares: look at a "
                f"smaller slice, or scale the model to below {_LARGEST:g}"
            )
        return slopes, offsets


@dataclass(frozen=True, eq=False)
class View:
    """A plane with its window, (k, 2)."""

    plane: Plane
    window: np.ndarray

    @property
    def box(self) -> Box:
        return Box(self.window[:, 0], self.window[:, 1])

    def points(self, count: int) -> np.ndarray:
        """A grid of `count` points a coordinate, (count^k, k)."""
        axes = [np.linspace(low, high, count) for low, high in self.window]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))

    def to_json(self) -> dict:
        plane = self.plane
        return {
            "variables": plane.variables,
            "inputs": len(plane.origin),
            "low": self.window[:, 0].tolist(),
            "high": self.window[:, 1].tolist(),
            "axes": list(plane.axes),
            "text": plane.text,
            "marks": [{"at": list(at), "name": name} for at, name in plane.marks],
        }


def given_plane(domain, d: int) -> Plane:
    """The plane of a domain as users pass it: a Slice within a Box, or a Box or pair (low, high) of d ≤ 2 variables."""
    domain = as_domain(domain)
    if isinstance(domain, Slice):
        chart = np.array(domain.chart(d), dtype=object).astype(float)
        directions, origin, inside = chart[:, :-1].T, chart[:, -1], domain.within
        text = f"a slice of the {d} inputs, in its own coordinates"
    else:
        directions, origin, inside, text = np.eye(d), np.zeros(d), domain, _whole(d)
    k = len(directions)
    if k not in (1, 2):
        raise ShapeError(
            f"the domain has {k} variables; a page shows 1 or 2: pass a Slice with one or two directions"
        )
    if isinstance(inside, Box):
        window = np.stack([np.asarray(v, float) for v in inside.bounds(k)], axis=1)
        if not (np.isfinite(window).all() and (window[:, 0] < window[:, 1]).all()):
            raise InputError("the window is unbounded or flat; pass finite low < high")
    elif inside is None:
        window = None
    else:
        raise InputError("the window is a polyhedron; pass a Box, or leave it out")
    return Plane(origin, directions, window, _names(k, "s" if isinstance(domain, Slice) else "x"), text)


def plane_through(points: np.ndarray, names: Sequence[str]) -> Plane:
    """Through two or three points of note, whose coordinates are 0, or (0, 0), (1, 0) and (0, 1)."""
    k = len(points) - 1
    where = [(0.0,) * k, *(tuple(float(i == j) for j in range(k)) for i in range(k))]
    kind = "line" if k == 1 else "plane"
    text = f"the {kind} through {'; '.join(names)}"
    window = np.tile([-_MARGIN, 1 + _MARGIN], (k, 1))
    return Plane(
        points[0], points[1:] - points[0], window, _names(k, "s"), text, tuple(zip(where, names, strict=True))
    )


def choose_plane(
    model: LSELayer | Network, d: int, dataset: str | None, numbers: Sequence[int] | None, k: int | None
) -> Plane:
    """What to look at where nobody says: all of one or two inputs; points of the data set that the model names; else
    the directions in which the first weights differ most."""
    if numbers is not None:
        return _of_data(dataset, d, numbers)
    k = min(d, 2) if k is None else k
    if k not in (1, 2) or k > d:
        raise InputError(f"variables is {k} and the model has {d} inputs; a page shows 1 or 2 of them")
    if k == d:
        return Plane(np.zeros(d), np.eye(d), None, _names(d, "x"), _whole(d))
    if dataset:
        with suppress(InputError):  # it is not here, or of other inputs
            return _of_data(dataset, d, None, k)
    slopes = model.W if isinstance(model, LSELayer) else _first_weights(model)
    if slopes is None or len(slopes) < 2:
        directions = np.eye(d)[:k]
        text = "the line of the first input" if k == 1 else "the plane of the first two inputs"
        return Plane(np.zeros(d), directions, None, _names(k, "x"), text + ", the others being 0")
    centred = slopes - slopes.mean(axis=0)
    directions = np.linalg.svd(centred[:: max(1, len(centred) // 2000)], full_matrices=False)[2][:k]
    if len(directions) < k:
        directions = np.eye(d)[:k]
    kind = "line" if k == 1 else "plane"
    text = f"the {kind} through the origin along which the weights differ most"
    return Plane(np.zeros(d), directions, None, _names(k, "s"), text)


def _of_data(dataset: str | None, d: int, numbers: Sequence[int] | None, k: int = 2) -> Plane:
    if not dataset:
        raise InputError(
            "points are numbered, but the model names no data set; pass domain= with a Slice instead"
        )
    points, labels = load_dataset(dataset)
    if points.shape[1] != d:
        raise InputError(
            f"the model names the data set {dataset!r} of {points.shape[1]} columns but takes {d}"
        )
    numbers = [3, 6, 0][: k + 1] if numbers is None else list(numbers)
    if len(numbers) not in (2, 3) or len(set(numbers)) < len(numbers):
        raise InputError(f"points are {numbers}; pass two different numbers for a line, or three for a plane")
    if not all(0 <= n < len(points) for n in numbers):
        raise InputError(f"points are {numbers}; {dataset} has points 0 to {len(points) - 1:,}")
    names = [f"{dataset} #{n}, class {labels[n]}" for n in numbers]
    return plane_through(points[numbers], names)


def _first_weights(network: Network) -> np.ndarray | None:
    """The weights of the first affine layer, where it reads the input."""
    for node in network.nodes:
        if node.inputs == (0,) and isinstance(node.layer, Affine):
            return np.asarray(node.layer.weight, float)
    return None


def _names(k: int, letter: str) -> tuple[str, ...]:
    return (letter,) if k == 1 else tuple(letter + _SUBSCRIPTS[i] for i in range(k))


def _whole(d: int) -> str:
    return "its only input" if d == 1 else "its two inputs"

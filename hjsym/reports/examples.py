"""The points that a model is looked at: given on the command line, stored with a package, or random."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hjsym.datasets import load_dataset
from hjsym.frontends.limits import DEFAULT
from tropical._arrays import refuse_where
from tropical.errors import InputError

__all__ = ["Asked", "Examples"]


@dataclass(frozen=True)
class Asked:
    """Which points were asked for.

    Attributes
    ----------
    index : int
        The one that is looked at closely.
    file : Path or None
        A .npy or .csv file with a point a row.
    at : str or None
        Coordinates of a single point, with commas between them.
    """

    index: int = 0
    file: Path | None = None
    at: str | None = None


@dataclass(frozen=True, eq=False)
class Examples:
    """Points (n, d), their labels if known, what to call them, and which of them is looked at closely."""

    points: np.ndarray
    labels: np.ndarray | None
    name: str
    index: int = 0

    @classmethod
    def of(cls, asked: Asked, dataset: str | None, size: int) -> "Examples":
        """Those asked for; else of the data set that the model names, 1,000 normal ones if it names none."""
        labels = None
        if asked.at is not None:
            points, name = _typed(asked.at), "the point given"
        elif asked.file is not None:
            points = _read(asked.file)
            name = f"the {len(points):,} points of {asked.file.name}"
        elif dataset:
            points, labels = load_dataset(dataset)
            if points.shape[1] != size:
                raise InputError(
                    f"the model names the data set {dataset!r} of {points.shape[1]} columns but takes {size}"
                )
            name = f"the {len(points):,} {dataset}"
        else:
            points = np.random.default_rng(0).standard_normal((1000, size))
            name = "1,000 standard normal points"
        if points.shape[1] != size:
            raise InputError(
                f"a point has {points.shape[1]} coordinates but the model takes {size}; pass {size} numbers a point"
            )
        if not 0 <= asked.index < len(points):
            raise InputError(f"point {asked.index} was asked for; there are points 0 to {len(points) - 1:,}")
        return cls(points, labels, name, asked.index)

    @property
    def point(self) -> np.ndarray:
        return self.points[self.index]

    @property
    def label(self) -> int | None:
        return None if self.labels is None else int(self.labels[self.index])

    @property
    def title(self) -> str:
        """What to call the point that is looked at closely."""
        return f"point {self.index}" + ("" if self.label is None else f", labelled {self.label}")

    @property
    def description(self) -> dict:
        """For machines."""
        return {"index": self.index, "label": self.label, "of": self.name, "x": self.point}


def _typed(text: str) -> np.ndarray:
    try:
        point = np.array([[float(v) for v in text.split(",")]])
    except ValueError:
        raise InputError(f"--at is {text!r}; pass numbers with commas between them, such as 0.1,-2") from None
    return _finite(point, "--at")


_READERS = {
    ".npy": lambda path: np.lib.format.open_memmap(path, mode="r"),  # which holds sizes against the file
    ".csv": lambda path: np.loadtxt(path, delimiter=",", ndmin=2),
}


def _read(path: Path) -> np.ndarray:
    if not path.is_file():
        raise InputError(f"{path} is not a file; pass a .npy or .csv file with a point in each row")
    if path.stat().st_size > DEFAULT.file_bytes:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes; at most {DEFAULT.file_bytes:,} are read")
    if path.suffix not in _READERS:
        raise InputError(f"{path} is neither .npy nor .csv; pass one of them, with a point in each row")
    try:
        points = _READERS[path.suffix](path)
    except Exception as error:  # NumPy parses headers as Python literals and lets every failure through
        raise InputError(f"{path} holds no table of numbers: {error}; pass a point in each row") from None
    if points.dtype.kind not in "fiub" or points.ndim not in (1, 2):
        raise InputError(
            f"{path} has {points.dtype} of shape {points.shape}; pass real numbers of shape (points, coordinates)"
        )
    return _finite(np.atleast_2d(points).astype(float), path.name)


def _finite(points: np.ndarray, name: str) -> np.ndarray:
    refuse_where(~np.isfinite(points), name, points, "points must be finite")
    if not points.size:
        raise InputError(f"{name} holds no points; pass at least one")
    return points

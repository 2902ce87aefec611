"""Functions of more points than fit into memory, piece by piece, from and to files."""

import io
import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tropical._arrays import EXACT
from tropical._progress import Progress, reporting
from tropical._workers import Workers, in_order
from tropical.errors import InputError, ShapeError

__all__ = ["stream"]

_PIECE = 1 << 22  # bytes of a piece, of its points or of its results
_TILES = 64  # rows: a piece of fewer could be rounded in another way than all at once


def stream(
    f: Callable,
    points,
    out=None,
    *,
    rows: int | None = None,
    resume: bool = False,
    begin: int = 0,
    executor: Workers = None,
    ahead: int = 16,
    progress: Progress = None,
):
    """f at all points, in pieces of some rows: neither the points nor the results have to fit into memory.

    Parameters
    ----------
    f : callable
        Of points (n, ...), giving one array (n, ...) whose row k depends on point k alone: a `Polynomial` or one of its
        methods, a `PolynomialMap`, a `Circuit`, a network that was compiled.
    points : (B, ...) array, or path of a .npy file
        Anything with a shape that is sliced like an array, as `numpy.memmap` and arrays of Zarr and h5py are.
    out : array of the results' shape and dtype, or path of a .npy file, optional
        Where the results go: again anything that can be sliced. A file appears when it is complete. None
        returns them in memory.
    rows : int, optional
        Points in a piece; by default as many as make four megabytes of points or of results.
    resume : bool
        For a path: go on where a run ended that did not come to its end, instead of from the beginning.
    begin : int
        For an array: the first point to do; the rows of `out` before it stay as they are.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Computes pieces, as in `linear_regions`. This process reads and writes, so workers need no access to the files.
    ahead : int
        Pieces that are handed to the executor before the first of them is back: twice the workers keep all of them at
        work. The memory that is needed is that of so many pieces, points and results.
    progress : callable or bool, optional
        Called with the number of points done; True draws a bar.

    Returns
    -------
    array
        `out`; of a path, the file as a read-only memory map.

    Raises
    ------
    InputError
        No points; Fractions, which .npy files do not hold; an unfinished file that other numbers were written to.
    ShapeError
        An `out` that does not fit, or results that are not one row a point.

    Notes
    -----
    Rows are written in order. Results for a path go to ``out + ".part"``, which takes the place of `out` at the end. If
    the process is interrupted or killed, that file has all rows that were done; with ``resume=True`` the last whole
    piece is computed again, has to agree with what is there bit by bit, and the rest follows. Of an array the first
    rows are done, as many as were last reported to `progress`: go on with that number as `begin`.

    Bits are those of f at all points at once, if f's are independent of how points are split, as those of polynomials
    are. Numbers in files are in the byte order of this machine.

    Examples
    --------
    >>> import tempfile
    >>> from tropical import Polynomial
    >>> p = Polynomial([[1, 0], [0, 1], [0, 0]], [0, 0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/points.npy", np.arange(2000.0).reshape(1000, 2))
    ...     values = stream(p, f"{folder}/points.npy", f"{folder}/values.npy", rows=256)
    ...     values.shape, float(values[-1])
    ((1000,), 1999.0)
    """
    points = _as_rows(points)
    first = np.asarray(f(np.array(points[:1])))
    if first.shape[:1] != (1,):
        raise ShapeError(f"f gave shape {first.shape} for one point; it has to give one row for each point")
    shape, dtype = (points.shape[0], *first.shape[1:]), first.dtype
    if not 0 <= begin < shape[0] or (begin and (out is None or _is_path(out))):
        raise InputError(
            f"begin is {begin}; pass the number of a point, and an array as out whose rows before it are done"
        )
    stops = _stops(begin, shape[0], rows, max(_bytes(points.shape, points.dtype), _bytes(shape, dtype)))
    if ahead < 1:
        raise InputError(f"ahead is {ahead}; hand out at least one piece")
    with _written_to(out, shape, dtype, stops, resume) as target, reporting(progress, "points") as report:
        edges = list(pairwise([begin, *stops]))[target.finished :]
        work = ((np.array(points[start:stop]),) for start, stop in edges)
        with closing(in_order(f, work, executor, ahead=ahead)) as results:
            for (start, stop), result in zip(edges, results, strict=True):
                result = np.asarray(result)
                if result.shape != (stop - start, *shape[1:]) or result.dtype != dtype:
                    raise ShapeError(
                        f"f gave {result.dtype} {result.shape} for points {start} to {stop - 1}, and {dtype} "
                        f"{first.shape} for one; rows have to be alike"
                    )
                target.write(start, stop, result)
                if report is not None:
                    report(stop)
    return target.result()


def _is_path(value) -> bool:
    return isinstance(value, str | os.PathLike)


def _as_rows(points):
    if _is_path(points):
        points = np.load(points, mmap_mode="r")
    points = points if hasattr(points, "shape") and hasattr(points, "dtype") else np.asarray(points)
    if not points.shape or not points.shape[0]:
        raise InputError(f"points have shape {tuple(points.shape)}; pass one or more rows, (B, ...)")
    return points


def _bytes(shape: tuple[int, ...], dtype) -> int:
    return max(1, math.prod(shape[1:])) * np.dtype(dtype).itemsize


def _stops(begin: int, count: int, rows: int | None, width: int) -> list[int]:
    """Where pieces end. The last is joined by the one behind it if that has few rows."""
    if rows is not None and rows < 1:
        raise InputError(f"rows is {rows}; pass at least one, or None")
    rows = max(_TILES, _PIECE // width // _TILES * _TILES) if rows is None else rows
    stops = list(range(begin + rows, count, rows))
    if stops and count - stops[-1] < min(rows, _TILES):
        stops.pop()
    return [*stops, count]


class _Rows:
    """Results in an array, in memory or not."""

    finished = 0  # pieces that are there already

    def __init__(self, array):
        self.array = array

    def write(self, start: int, stop: int, result: np.ndarray) -> None:
        self.array[start:stop] = result

    def result(self):
        return self.array


class _File:
    """Results in a .npy file that grows row by row under another name: its length says how far it is."""

    def __init__(self, path: Path, file: BinaryIO, header: bytes, width: int, stops: list[int]):
        self.path, self.file, self.begin, self.width = path, file, len(header), width
        done = max(0, os.fstat(file.fileno()).st_size - self.begin) // width
        whole = sum(stop <= done for stop in stops)
        self.finished = max(0, whole - 1)
        self.checked = (
            stops[whole - 1] if whole else 0
        )  # rows that are there, of which the last piece is checked

    def write(self, start: int, stop: int, result: np.ndarray) -> None:
        data = np.ascontiguousarray(result).tobytes()
        self.file.seek(self.begin + start * self.width)
        if stop > self.checked:
            self.file.write(data)
            self.file.flush()
        elif self.file.read(len(data)) != data:
            raise InputError(
                f"{self.file.name} holds other results for points {start} to {stop - 1}; it is of another function or "
                "other points: start anew, without resume"
            )

    def finish(self) -> None:
        self.file.truncate()
        self.file.flush()
        os.fsync(self.file.fileno())

    def result(self) -> np.memmap:
        return np.load(self.path, mmap_mode="r")


@contextmanager
def _written_to(
    out, shape: tuple[int, ...], dtype: np.dtype, stops: list[int], resume: bool
) -> Iterator[Any]:
    if not _is_path(out):
        if resume:
            raise InputError(
                "resume is for a path; pass begin, the number of rows of the array that are done"
            )
        yield _Rows(np.empty(shape, dtype) if out is None else _fitting(out, shape, dtype))
        return
    if dtype == EXACT:
        raise InputError("results are Fractions, and a .npy file does not hold them; leave out away")
    path, header = Path(out), _header(shape, dtype)
    part = path.with_name(path.name + ".part")
    with open(part, "r+b" if resume and part.exists() else "w+b") as file:
        if file.read(len(header)) != header:
            if file.tell():
                raise InputError(f"{part} is not of results {dtype} {shape}; start anew, without resume")
            file.write(header)
            file.flush()
        target = _File(path, file, header, _bytes(shape, dtype), stops)
        yield target
        target.finish()
    os.replace(part, path)


def _fitting(out, shape: tuple[int, ...], dtype: np.dtype):
    got = tuple(getattr(out, "shape", ())), getattr(out, "dtype", type(out).__name__)
    if got != (shape, dtype):
        raise ShapeError(f"out is {got[1]} {got[0]}; results are {dtype} {shape}")
    return out


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """The first bytes of a .npy file, as NumPy writes them."""
    header, numpy_format = io.BytesIO(), np.lib.format
    described = {"descr": numpy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    numpy_format.write_array_header_1_0(header, described)
    return header.getvalue()

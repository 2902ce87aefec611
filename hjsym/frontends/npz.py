"""Arrays from .npz files that nobody has vouched for: no pickle, no surprise in size."""

import io
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hjsym.errors import ModelFileError
from hjsym.frontends.limits import DEFAULT, Limits

__all__ = ["names_in_npz", "read_npz"]

_DIRECTORY = (
    1 << 22
)  # bytes of an archive's list of members: some 90,000, which take 7 times as much once read
_COMPRESSIONS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # what NumPy writes; others ask for memory in their headers
_KINDS = "biufSU"
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz(path: Path, limits: Limits = DEFAULT) -> dict[str, np.ndarray]:
    """Every array of an .npz file, after its header has been held against the bytes that are there.

    Raises
    ------
    ModelFileError
        Not a zip file, truncated, a wrong checksum, an array whose size is not what its header says, arrays of
        other things than numbers and text (objects would need pickle), two arrays of one name, or more bytes once
        unpacked than the limits allow.
    """
    with _archive(path) as archive:
        members = archive.infolist()
        total = max(path.stat().st_size, sum(member.file_size for member in members))
        if total > limits.file_bytes:
            raise ModelFileError(f"{path} unpacks to {total:,} bytes; at most {limits.file_bytes:,} are read")
        names = [member.filename.removesuffix(".npy") for member in members]
        name, count = Counter(names).most_common(1)[0] if names else ("", 0)
        if count > 1:
            raise ModelFileError(f"{path} has {count} arrays called {name!r}")
        return {name: _read_member(archive, m, path) for name, m in zip(names, members, strict=True)}


def names_in_npz(path: Path) -> set[str]:
    """The names of the arrays in an .npz file; none where it is not one."""
    try:
        with _archive(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except ModelFileError:
        return set()


class _Capped(io.FileIO):
    """A file that refuses to be read in larger pieces than `most`, if that is not None."""

    most: int | None = None

    def read(self, size: int = -1, /) -> bytes:
        if self.most is not None and size > self.most:
            raise zipfile.BadZipFile(f"a list of members of {size:,} bytes; at most {self.most:,} are read")
        return super().read(size)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, its list of members read in bounds; what is wrong with it as a ModelFileError."""
    if not path.is_file():  # to open a pipe would wait
        raise ModelFileError(f"{path} is not a file; pass the path of an .npz file")
    try:
        with _Capped(path) as file:
            file.most = _DIRECTORY
            with zipfile.ZipFile(file) as archive:
                file.most = None
                yield archive
    except ModelFileError:
        raise
    except _DAMAGE as error:
        raise ModelFileError(f"{path} is not an .npz file or is damaged: {error}") from None


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> np.ndarray:
    if member.compress_type not in _COMPRESSIONS:
        raise ModelFileError(
            f"array {member.filename!r} of {path} is compressed by method {member.compress_type}; stored and deflated "
            "ones are read"
        )
    with archive.open(member) as stream:
        try:
            shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
        except Exception as error:  # NumPy parses headers as Python literals and lets every failure through
            raise ModelFileError(
                f"array {member.filename!r} of {path} has a broken header: {error}"
            ) from None
        if dtype.hasobject:
            raise ModelFileError(
                f"array {member.filename!r} of {path} holds Python objects; save plain numbers"
            )
        if dtype.kind not in _KINDS or not dtype.itemsize:
            raise ModelFileError(f"array {member.filename!r} of {path} has dtype {dtype}; save plain numbers")
        data = stream.read(member.file_size)
    needed = math.prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or len(data) != needed:
        raise ModelFileError(
            f"array {member.filename!r} of {path} has shape {shape} and needs {needed:,} bytes, but holds {len(data):,}"
        )
    try:
        return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    except (ValueError, OverflowError):
        raise ModelFileError(f"array {member.filename!r} of {path} cannot have shape {shape}") from None

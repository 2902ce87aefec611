"""Arrays from .npz files that nobody has vouched for: no pickle, no surprise in size."""

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hjsym.errors import ModelFileError

__all__ = ["MAX_BYTES", "names_in_npz", "read_npz"]

MAX_BYTES = 1 << 30  # of all arrays together, unpacked
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Every array of an .npz file, after its header has been held against the bytes that are there.

    Raises
    ------
    ModelFileError
        Not a zip file, truncated, a wrong checksum, an array whose size is not what its header says, object
        arrays (which would need pickle), or more than a gigabyte once unpacked.
    """
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of an .npz file")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > MAX_BYTES:
                raise ModelFileError(f"{path} unpacks to {total:,} bytes; at most {MAX_BYTES:,} are read")
            return {m.filename.removesuffix(".npy"): _read_member(archive, m, path) for m in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(f"{path} is not an .npz file or is damaged: {error}") from None


def names_in_npz(path: Path) -> set[str]:
    """The names of the arrays in an .npz file; none where it is not one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return set()


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> np.ndarray:
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
        data = stream.read(member.file_size)
    needed = math.prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or len(data) != needed:
        raise ModelFileError(
            f"array {member.filename!r} of {path} has shape {shape} and needs {needed:,} bytes, but holds {len(data):,}"
        )
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")

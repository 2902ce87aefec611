"""Arrays from .safetensors files that nobody has vouched for: the header is held against the bytes.

The format: eight bytes of header length, a JSON object from names to dtype, shape and offsets, the numbers.
Source: the format's description, github.com/huggingface/safetensors.
"""

import json
import math
from pathlib import Path

import numpy as np

from hjsym.errors import ModelFileError
from hjsym.frontends.npz import MAX_BYTES

__all__ = ["read_safetensors"]

_MAX_HEADER = 100_000_000  # the format's own limit
_DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"},
    **{f"I{8 * n}": f"<i{n}" for n in (1, 2, 4, 8)},
    **{f"U{8 * n}": f"<u{n}" for n in (1, 2, 4, 8)},
}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Every array of the file, bfloat16 as float32."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of a .safetensors file")
    size = path.stat().st_size
    if not 8 <= size <= MAX_BYTES:
        raise ModelFileError(f"{path} has {size:,} bytes; between 8 and {MAX_BYTES:,} are read")
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    if length > min(_MAX_HEADER, size - 8):
        raise ModelFileError(
            f"{path} announces a header of {length:,} bytes and has {size - 8:,}; it is truncated"
        )
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"the header of {path} is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise ModelFileError(f"the header of {path} is no object")
    body = memoryview(data)[8 + length :]
    return {name: _array(name, entry, body) for name, entry in header.items() if name != "__metadata__"}


def _array(name: str, entry, body: memoryview) -> np.ndarray:
    try:
        kind, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not all(type(n) is int and n >= 0 for n in (*shape, start, end)):
            raise ValueError(f"shape {shape} and offsets {start}, {end}")
        dtype = np.dtype(_DTYPES[kind])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"tensor {name!r} has a broken header: {error}") from None
    if not start <= end <= len(body) or end - start != math.prod(shape) * dtype.itemsize:
        raise ModelFileError(
            f"tensor {name!r} of shape {shape} needs {math.prod(shape) * dtype.itemsize:,} bytes and is said to "
            f"stand at {start:,} to {end:,} of {len(body):,}; the file is truncated or damaged"
        )
    array = np.frombuffer(body[start:end], dtype).reshape(shape)
    if kind == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array

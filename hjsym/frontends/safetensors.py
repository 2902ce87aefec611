"""Arrays from .safetensors files, which the `safetensors` package parses and holds against its header."""

from pathlib import Path

import numpy as np

from hjsym.errors import ModelFileError
from hjsym.frontends.limits import DEFAULT, Limits

__all__ = ["read_safetensors"]

_DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"},
    **{f"I{8 * n}": f"<i{n}" for n in (1, 2, 4, 8)},
    **{f"U{8 * n}": f"<u{n}" for n in (1, 2, 4, 8)},
}


def read_safetensors(path: Path, limits: Limits = DEFAULT) -> dict[str, np.ndarray]:
    """Every array of the file, bfloat16 as float32."""
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError:
        raise ModelFileError(
            f"{path} needs the safetensors package; pip install hjsym[safetensors], or keep the weights in .npz"
        ) from None
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of a .safetensors file")
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise ModelFileError(f"{path} has {size:,} bytes; at most {limits.file_bytes:,} are read")
    try:
        entries = deserialize(path.read_bytes())
    except SafetensorError as error:
        raise ModelFileError(f"{path} is damaged or no safetensors file: {error}") from None
    return {name: _array(name, entry) for name, entry in entries}


def _array(name: str, entry: dict) -> np.ndarray:
    kind = entry["dtype"]
    if kind not in _DTYPES:
        raise ModelFileError(f"tensor {name!r} has numbers of type {kind}; {', '.join(_DTYPES)} are read")
    try:
        array = np.frombuffer(entry["data"], np.dtype(_DTYPES[kind])).reshape(entry["shape"])
    except (ValueError, OverflowError):
        raise ModelFileError(f"tensor {name!r} cannot have shape {tuple(entry['shape'])}") from None
    if kind == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array

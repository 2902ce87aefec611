"""Networks from ONNX files, which are treated as hostile: everything is checked before it is used.

The `onnx` package parses; this module decides what may be trusted. Files have a size limit, external data must
lie inside the model's folder; tensors must hold as many bytes as their shape says (`onnx_tensors`), and operators
that are not listed are refused by name (`onnx_operators`).
"""

from collections.abc import Sequence
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.onnx_graph import STANDARD_DOMAINS, Reader
from hjsym.frontends.onnx_tensors import MAX_BYTES
from hjsym.network import Network

__all__ = ["MAX_BYTES", "load_onnx", "load_onnx_file"]

_OLDEST_OPSET = 7  # before it Add, Gemm and Dropout meant other things


def load_onnx_file(path: Path, input_shape: Sequence[int] | None = None) -> Network:
    """Read a .onnx file and the external data beside it."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of a .onnx file")
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise ModelFileError(f"{path} has {size:,} bytes; between 1 and {MAX_BYTES:,} are read")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ModelFileError(f"{path} is not an ONNX model or is truncated: {error}") from None
    _load_external_data(model, path.resolve().parent)
    return load_onnx(model, input_shape)


def load_onnx(model, input_shape: Sequence[int] | None = None) -> Network:
    """Read a live ONNX ModelProto (or GraphProto) whose data is in memory."""
    if not isinstance(model, onnx.ModelProto):
        raise UnsupportedLayerError(f"got an ONNX {type(model).__name__}; pass a ModelProto")
    if not model.graph.node:
        raise ModelFileError("the ONNX model has no graph; the file is truncated or not a model")
    for opset in model.opset_import:
        if opset.domain in STANDARD_DOMAINS and opset.version < _OLDEST_OPSET:
            raise UnsupportedLayerError(
                f"the model uses opset {opset.version}; {_OLDEST_OPSET} or newer is read, so convert it first"
            )
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return Reader(model.graph, input_shape).read(metadata)


# ---- external data ----------------------------------------------------------------------------------


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    constants = [a.t for node in model.graph.node for a in node.attribute if a.HasField("t")]
    return [*model.graph.initializer, *constants]


def _load_external_data(model: onnx.ModelProto, folder: Path) -> None:
    total = 0
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        path = folder / location
        try:
            inside = bool(location) and path.resolve().is_relative_to(folder)
            present = inside and path.is_file()
        except (ValueError, OSError):  # a NUL byte, a name too long
            inside = present = False
        if not inside or Path(location).is_absolute():
            raise ModelFileError(
                f"tensor {tensor.name!r} keeps its data in {location[:80]!r}, outside the model's folder; "
                "move the data beside the model"
            )
        if not present:
            raise ModelFileError(f"tensor {tensor.name!r} keeps its data in {location!r}, which is missing")
        available = path.stat().st_size
        try:
            offset = int(entries.get("offset", 0))
            length = int(entries.get("length", available - offset))
        except ValueError:
            raise ModelFileError(f"tensor {tensor.name!r} has a malformed offset or length") from None
        total += length
        if offset < 0 or length < 0 or offset + length > available or total > MAX_BYTES:
            raise ModelFileError(
                f"tensor {tensor.name!r} asks for {length:,} bytes at {offset:,} of {location!r}, which has "
                f"{available:,}; at most {MAX_BYTES:,} are read in all"
            )
        with path.open("rb") as file:
            file.seek(offset)
            tensor.raw_data = file.read(length)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]

"""Networks from ONNX files, which are treated as hostile: everything is checked before it is used.

The parser of the `onnx` package parses, in a child process first where the file is large enough to fill the memory;
this module decides what may be trusted. Files have a size limit, external data must lie inside the model's folder;
tensors must hold as many bytes as their shape says (`onnx_tensors`), and operators that are not listed are refused by
name (`onnx_operators`). Nothing else of `onnx` sees the model but its full check, if asked for, in a child process.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import TensorProto

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.child import in_child
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.onnx_graph import STANDARD_DOMAINS, Reader
from hjsym.network import Network

__all__ = ["evaluate", "input_of", "load_onnx", "load_onnx_file", "read_model"]

_OLDEST_OPSET = 7  # before it Add, Gemm and Dropout meant other things
_SMALL = 1 << 22  # bytes of a file: the parser takes up to 103 times as much, for empty attributes


def load_onnx_file(
    path: Path, input_shape: Sequence[int] | None = None, limits: Limits = DEFAULT, check: bool = False
) -> Network:
    """Read a .onnx file and the external data beside it."""
    return load_onnx(read_model(path, limits), input_shape, limits, check)


def read_model(path: Path, limits: Limits = DEFAULT) -> onnx.ModelProto:
    """The model in a .onnx file, with the external data beside it in memory."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of a .onnx file")
    size = path.stat().st_size
    if not 0 < size <= limits.file_bytes:
        raise ModelFileError(f"{path} has {size:,} bytes; between 1 and {limits.file_bytes:,} are read")
    data = path.read_bytes()
    if size > _SMALL:
        in_child("parse", data, limits, str(path))
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelFileError(f"{path} is not an ONNX model or is truncated: {error}") from None
    _load_external_data(model, path.resolve().parent, limits)
    return model


def load_onnx(
    model, input_shape: Sequence[int] | None = None, limits: Limits = DEFAULT, check: bool = False
) -> Network:
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
    if check:
        in_child("check", _serialized(model), limits, "the ONNX model")
    metadata = {_text(entry.key): _text(entry.value) for entry in model.metadata_props}
    return Reader(model, input_shape, limits).read(metadata)


def evaluate(model: onnx.ModelProto, points: np.ndarray, limits: Limits = DEFAULT) -> np.ndarray:
    """What ONNX's reference evaluator makes of points, of the input's type and shape, in a child process."""
    buffer = io.BytesIO()
    np.save(buffer, points, allow_pickle=False)
    data = buffer.getvalue() + _serialized(Reader(model, limits=limits).part())
    result = in_child("evaluate", data, limits, "the ONNX model")
    return np.load(io.BytesIO(result), allow_pickle=False)


def input_of(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """What the file says about the one input."""
    return Reader(model).ends()[0]


def _serialized(model: onnx.ModelProto) -> bytes:
    """The bytes of a model, of which protobuf writes two gigabytes."""
    try:
        return model.SerializeToString()
    except (EncodeError, ValueError) as error:
        raise ModelFileError(f"the ONNX model cannot be written for a child process: {error}") from None


def _text(value: str | bytes) -> str:
    """A string of protobuf, which is bytes where it is no text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


# ---- external data ----------------------------------------------------------------------------------


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    constants = [a.t for node in model.graph.node for a in node.attribute if a.HasField("t")]
    return [*model.graph.initializer, *constants]


def _load_external_data(model: onnx.ModelProto, folder: Path, limits: Limits) -> None:
    total = 0
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        entries = {_text(entry.key): _text(entry.value) for entry in tensor.external_data}
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
        if offset < 0 or length < 0 or offset + length > available or total > limits.file_bytes:
            raise ModelFileError(
                f"tensor {tensor.name!r} asks for {length:,} bytes at {offset:,} of {location!r}, which has "
                f"{available:,}; at most {limits.file_bytes:,} are read in all"
            )
        with path.open("rb") as file:
            file.seek(offset)
            tensor.raw_data = file.read(length)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]

"""ONNX operators that move numbers about: reshaping, slicing, joining, repeating, padding, resizing."""

import math

import numpy as np
from onnx import TensorProto

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.onnx_operands import (
    BATCH,
    constant_of,
    integers,
    lengths_of,
    numbers_of,
    optional,
    sample_axes,
    sample_axis,
    value_of,
)
from hjsym.frontends.tensors import Tensor, axis_of

__all__ = ["SHAPE_OPERATORS"]


def _read_identity(reader, node, operands, attributes):
    return value_of(operands[0], node.op_type)


def _read_dropout(reader, node, operands, attributes):
    mode = optional(operands, 2)
    if mode is not None and np.any(constant_of(mode, "the mode of Dropout")):
        raise UnsupportedLayerError("Dropout in training mode; export the model for inference")
    return value_of(operands[0], "Dropout")


def _read_flatten(reader, node, operands, attributes):
    value = value_of(operands[0], "Flatten")
    if attributes.get("axis", 1) not in (1, -len(value.shape) or 1):
        raise UnsupportedLayerError(
            f"Flatten from axis {attributes['axis']}; only axis 1 keeps samples apart"
        )
    return Tensor(value.index, (value.size,))


def _read_reshape(reader, node, operands, attributes):
    value = value_of(operands[0], "Reshape")
    target = lengths_of(operands[1], "the shape of Reshape")
    if target and target[0] is BATCH:
        target[0] = -1 if -1 not in target else 1
    if attributes.get("allowzero", 0) or any(n < -1 for n in target) or target.count(-1) > 1:
        raise UnsupportedLayerError(f"Reshape to {target} is not read; use one -1 and positive lengths")
    # 0 copies the input's length on that axis; the first axis has to stay the batch.
    lengths = [(0, *value.shape)[i] if n == 0 and i <= len(value.shape) else n for i, n in enumerate(target)]
    batch, *sample = lengths or [2]
    if batch > 1:
        raise UnsupportedLayerError(f"Reshape to {target} mixes samples; keep the batch as the first axis")
    return reader.builder.reshape(value, sample)


def _read_transpose(reader, node, operands, attributes):
    value = value_of(operands[0], "Transpose")
    order = attributes.get("perm", range(len(value.shape) + 1)[::-1])
    if not order or order[0] != 0:
        raise UnsupportedLayerError(f"Transpose to axes {list(order)} mixes samples; keep axis 0 first")
    return reader.builder.transpose(value, [k - 1 for k in order[1:]], node.name)


def _read_squeeze(reader, node, operands, attributes):
    value = value_of(operands[0], "Squeeze")
    axes = integers(operands, 1, attributes, "axes")
    axes = axes or [k + 1 for k, n in enumerate(value.shape) if n == 1]
    axes = sample_axes(axes, len(value.shape), "Squeeze") if axes else []
    return reader.builder.reshape(value, [n for k, n in enumerate(value.shape) if k not in axes])


def _read_unsqueeze(reader, node, operands, attributes):
    value, axes = value_of(operands[0], "Unsqueeze"), integers(operands, 1, attributes, "axes")
    rank = len(value.shape) + len(axes or [])
    axes = sample_axes(axes, rank, "Unsqueeze")
    lengths = iter(value.shape)
    return reader.builder.reshape(value, [1 if k in axes else next(lengths) for k in range(rank)])


def _read_concat(reader, node, operands, attributes):
    builder = reader.builder
    if not any(isinstance(v, Tensor) for v in operands):
        raise UnsupportedLayerError("Concat of constants; fold constants before export")
    rank = next(len(v.shape) for v in operands if isinstance(v, Tensor))
    axis = sample_axis(attributes["axis"], rank, "Concat")
    tensors = []
    for operand in operands:
        if not isinstance(operand, Tensor):
            array = numbers_of(operand, "operands of Concat")
            if array.ndim != rank + 1 or array.shape[0] != 1:
                raise UnsupportedLayerError(
                    f"Concat with a constant of shape {array.shape}; its batch must be 1"
                )
            operand = builder.constant(array[0])
        tensors.append(operand)
    return builder.concat(tensors, axis, node.name)


def _read_split(reader, node, operands, attributes):
    value = value_of(operands[0], "Split")
    axis = sample_axis(attributes.get("axis", 0), len(value.shape), "Split")
    sizes, length = integers(operands, 1, attributes, "split"), value.shape[axis]
    if sizes is None:
        part = -(-length // len(node.output))
        sizes = [min(part, length - k * part) for k in range(len(node.output))]
    if sum(sizes) != length or min(sizes) < 1 or len(sizes) != len(node.output):
        raise ModelFileError(f"Split of {length} entries into {sizes} for {len(node.output)} outputs")
    parts = np.split(value.places, np.cumsum(sizes)[:-1], axis)
    return [reader.builder.take(value, places, node.name) for places in parts]


def _read_slice(reader, node, operands, attributes):
    value = value_of(operands[0], "Slice")
    starts, ends, axes = (
        integers(operands, k, attributes, name) for k, name in ((1, "starts"), (2, "ends"), (3, "axes"))
    )
    steps = integers(operands, 4, {}, "steps")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    chosen = [slice(None)] * len(value.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        k = sample_axis(axis, len(value.shape), "Slice")
        if step < 0 and end < -value.shape[k]:
            end = None  # to the very first entry
        chosen[k] = slice(start, end, step)
    return _non_empty(reader, value, value.places[tuple(chosen)], node)


def _read_gather(reader, node, operands, attributes):
    value, index = value_of(operands[0], "Gather"), constant_of(operands[1], "indices of Gather")
    axis = sample_axis(attributes.get("axis", 0), len(value.shape), "Gather")
    if index.dtype.kind not in "iu":
        raise ModelFileError(f"indices of Gather have dtype {index.dtype}; integers are needed")
    reader.builder.spend(value.size // value.shape[axis] * index.size, "Gather")
    return _non_empty(reader, value, np.take(value.places, index, axis), node)


def _non_empty(reader, value, places, node):
    if not places.size:
        raise UnsupportedLayerError(f"{node.op_type} that leaves nothing of a value of shape {value.shape}")
    return reader.builder.take(value, places, node.name)


def _read_pad(reader, node, operands, attributes):
    value, rank = value_of(operands[0], "Pad"), len(value_of(operands[0], "Pad").shape)
    pads, mode = integers(operands, 1, attributes, "pads"), attributes.get("mode", b"constant")
    axes = integers(operands, 3, {}, "axes")
    axes = range(rank + 1) if axes is None else [axis_of(a, rank + 1) for a in axes]
    if pads is None or len(pads) != 2 * len(axes) or mode != b"constant":
        raise UnsupportedLayerError(
            f"Pad by {pads} in mode {mode!r}; only constant padding of every axis is read"
        )
    before, after = [0] * (rank + 1), [0] * (rank + 1)
    for k, axis in enumerate(axes):
        before[axis], after[axis] = pads[k], pads[k + len(axes)]
    if before[0] or after[0]:
        raise UnsupportedLayerError("Pad of the batch; only the axes of a sample are padded")
    fill = optional(operands, 2)
    fill = (
        attributes.get("value", 0.0) if fill is None else float(numbers_of(fill, "value of Pad").reshape(()))
    )
    return reader.builder.pad(value, before[1:], after[1:], fill, node.name)


def _read_cast(reader, node, operands, attributes):
    if attributes.get("to") not in (TensorProto.FLOAT, TensorProto.DOUBLE):
        raise UnsupportedLayerError(
            f"Cast to element type {attributes.get('to')} rounds; only to float and double"
        )
    return value_of(operands[0], "Cast")


def _read_shape(reader, node, operands, attributes):
    """The lengths of a value, the batch among them."""
    value = value_of(operands[0], "Shape")
    lengths = [BATCH, *value.shape][slice(attributes.get("start", 0), attributes.get("end"))]
    return np.array(lengths, dtype=object if BATCH in lengths else np.int64)


def _read_expand(reader, node, operands, attributes):
    value, target = value_of(operands[0], "Expand"), lengths_of(operands[1], "the shape of Expand")
    target = [1] * (len(value.shape) + 1 - len(target)) + target
    if len(target) != len(value.shape) + 1 or target[0] not in (BATCH, 1):
        raise UnsupportedLayerError(f"Expand to {target} moves the batch; keep it as the first axis")
    shape = np.broadcast_shapes(tuple(target[1:]), value.shape)
    reader.builder.spend(math.prod(shape), "Expand")
    return reader.builder.take(value, np.broadcast_to(value.places, shape), node.name)


def _read_tile(reader, node, operands, attributes):
    value, repeats = value_of(operands[0], "Tile"), integers(operands, 1, {}, "repeats")
    if len(repeats) != len(value.shape) + 1 or repeats[0] != 1 or min(repeats) < 1:
        raise UnsupportedLayerError(f"Tile by {repeats}; only the axes of a sample are repeated")
    reader.builder.spend(value.size * math.prod(repeats), "Tile")
    return reader.builder.take(value, np.tile(value.places, repeats[1:]), node.name)


def _image(operand, what: str, attributes) -> tuple[Tensor, int]:
    """A value of channels and two image axes, and the length of blocks."""
    value, block = value_of(operand, what), attributes.get("blocksize", 0)
    if len(value.shape) != 3 or block < 1:
        raise UnsupportedLayerError(f"{what} by blocks of {block} of a value of shape {value.shape} a sample")
    return value, block


def _read_depth_to_space(reader, node, operands, attributes):
    value, b = _image(operands[0], "DepthToSpace", attributes)
    channels, rows, columns = value.shape
    if attributes.get("mode", b"DCR") == b"DCR":
        places = value.places.reshape(b, b, -1, rows, columns).transpose(2, 3, 0, 4, 1)
    else:
        places = value.places.reshape(-1, b, b, rows, columns).transpose(0, 3, 1, 4, 2)
    return reader.builder.take(value, places.reshape(channels // b**2, rows * b, columns * b), node.name)


def _read_space_to_depth(reader, node, operands, attributes):
    value, b = _image(operands[0], "SpaceToDepth", attributes)
    channels, rows, columns = value.shape
    places = value.places.reshape(channels, rows // b, b, columns // b, b).transpose(2, 4, 0, 1, 3)
    return reader.builder.take(value, places.reshape(channels * b**2, rows // b, columns // b), node.name)


def _read_resize(reader, node, operands, attributes):
    """Nearest neighbours only: each entry of the result is one of the value."""
    value, mode = value_of(operands[0], node.op_type), attributes.get("mode", b"nearest")
    if mode != b"nearest" or attributes.get("antialias", 0) or "axes" in attributes:
        raise UnsupportedLayerError(f"{node.op_type} in mode {mode!r}; only nearest over all axes is read")
    old = (1, *value.shape)
    scales, sizes = _scales(operands, attributes), optional(operands, 3)
    new = (
        [math.floor(n * s) for n, s in zip(old, scales, strict=True)]
        if scales
        else lengths_of(sizes, "sizes")
    )
    if len(new) != len(old) or new[0] not in (1, BATCH) or min(new[1:]) < 1:
        raise UnsupportedLayerError(f"{node.op_type} of a value of shape {value.shape} a sample to {new}")
    scales = scales or [m / n for m, n in zip([1, *new[1:]], old, strict=True)]
    reader.builder.spend(math.prod(new[1:]), node.op_type)
    places = value.places
    for axis, (n, m, scale) in enumerate(zip(value.shape, new[1:], scales[1:], strict=True)):
        places = np.take(places, _nearest(n, m, scale, attributes, node.op_type == "Upsample"), axis)
    return reader.builder.take(value, places, node.name)


def _scales(operands, attributes) -> list[float]:
    given = attributes.get("scales")  # Upsample of opset 7
    k = 1 if len(operands) == 2 else 2  # Resize of opset 11 has a region of interest in between
    if given is None and optional(operands, k) is not None:
        given = numbers_of(operands[k], "scales").reshape(-1).tolist()
    return list(given or [])


def _nearest(length: int, size: int, scale: float, attributes, upsample: bool) -> np.ndarray:
    """For each of `size` entries the one of `length` nearest to it, as the attributes say."""
    where = attributes.get("coordinate_transformation_mode", b"asymmetric" if upsample else b"half_pixel")
    rule = attributes.get("nearest_mode", b"floor" if upsample else b"round_prefer_floor")
    i = np.arange(size)
    if where == b"asymmetric":
        x = i / scale
    elif where == b"align_corners":
        if size != length * scale:
            raise UnsupportedLayerError(
                f"Resize of {length} entries by {scale} with aligned corners; give sizes"
            )
        x = i * (length - 1) / max(size - 1, 1)
    elif where == b"half_pixel" or (where == b"pytorch_half_pixel" and size > 1):
        x = (i + 0.5) / scale - 0.5
    elif where == b"pytorch_half_pixel":
        x = np.zeros(size)
    else:
        raise UnsupportedLayerError(f"Resize with coordinates {where!r}")
    rules = {
        b"floor": np.floor,
        b"ceil": np.ceil,
        b"round_prefer_floor": lambda v: np.ceil(v - 0.5),
        b"round_prefer_ceil": lambda v: np.floor(v + 0.5),
    }
    if rule not in rules:
        raise ModelFileError(f"nearest_mode {rule!r}")
    return np.clip(rules[rule](x).astype(np.int64), 0, length - 1)


SHAPE_OPERATORS = {
    "Cast": _read_cast,
    "Concat": _read_concat,
    "DepthToSpace": _read_depth_to_space,
    "Dropout": _read_dropout,
    "Expand": _read_expand,
    "Flatten": _read_flatten,
    "Gather": _read_gather,
    "Identity": _read_identity,
    "Pad": _read_pad,
    "Reshape": _read_reshape,
    "Resize": _read_resize,
    "Shape": _read_shape,
    "Slice": _read_slice,
    "SpaceToDepth": _read_space_to_depth,
    "Split": _read_split,
    "Squeeze": _read_squeeze,
    "Tile": _read_tile,
    "Transpose": _read_transpose,
    "Unsqueeze": _read_unsqueeze,
    "Upsample": _read_resize,
}

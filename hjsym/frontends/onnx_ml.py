"""Operators of the domain ai.onnx.ml, as scikit-learn's converters write them: scaling and linear models."""

import numpy as np

from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.onnx_operands import vector_of

__all__ = ["ML_DOMAIN", "ML_OPERATORS"]

ML_DOMAIN = "ai.onnx.ml"


def _floats(attributes: dict, name: str) -> np.ndarray:
    array = np.asarray(attributes.get(name, []), dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ModelFileError(f"attribute {name!r} is no list of finite numbers")
    return array


def _read_scaler(reader, node, operands, attributes):
    """(x − offset) · scale."""
    value = vector_of(operands[0], "Scaler")
    offset, scale = (_floats(attributes, name) for name in ("offset", "scale"))
    if offset.size not in (1, value.size) or scale.size not in (1, value.size):
        raise ModelFileError(
            f"Scaler of {value.size} entries with {offset.size} offsets and {scale.size} scales"
        )
    return reader.builder.scale(value, scale, -offset * scale, node.name)


def _scores(reader, node, operands, attributes, rows: int | None):
    """coefficients @ x + intercepts, the coefficients row by row."""
    value = vector_of(operands[0], node.op_type)
    weight, bias = _floats(attributes, "coefficients"), _floats(attributes, "intercepts")
    rows = weight.size // value.size if rows is None else rows
    if rows < 1 or weight.size != rows * value.size or bias.size not in (0, rows):
        raise ModelFileError(
            f"{node.op_type} of {value.size} entries with {weight.size} coefficients and {bias.size} intercepts"
        )
    return reader.builder.linear(value, weight.reshape(rows, -1), bias if bias.size else None, node.name)


def _read_regressor(reader, node, operands, attributes):
    if attributes.get("post_transform", b"NONE") != b"NONE":
        raise UnsupportedLayerError(f"LinearRegressor with post_transform {attributes['post_transform']!r}")
    return _scores(reader, node, operands, attributes, attributes.get("targets", 1))


def _read_classifier(reader, node, operands, attributes):
    """The scores, or what a final softmax or logistic function makes of them; the label is left out."""
    heads = {b"NONE": None, b"SOFTMAX": layers.Softmax, b"LOGISTIC": layers.Sigmoid}
    kind = attributes.get("post_transform", b"NONE")
    scores = _scores(reader, node, operands, attributes, None)
    if kind not in heads or scores.size == 1:
        raise UnsupportedLayerError(
            f"LinearClassifier of {scores.size} rows with post_transform {kind!r}; two rows or more are read, with "
            "NONE, SOFTMAX or LOGISTIC"
        )
    return [None, reader.builder.head(heads[kind](), scores, node.name) if heads[kind] else scores]


ML_OPERATORS = {
    "LinearClassifier": _read_classifier,
    "LinearRegressor": _read_regressor,
    "Scaler": _read_scaler,
}

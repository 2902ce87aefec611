"""Readers: one file per source, each turning it into a `hjsym.Network`.

Live objects are recognised by the modules that define them, so no framework is imported that the caller
has not imported already.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.network import Network

__all__ = ["load"]


def load(source, input_shape: Sequence[int] | None = None) -> Network:
    """Read a network.

    Parameters
    ----------
    source : Network, list of (W, b), scikit-learn MLP, ONNX ModelProto, or path of a file
        In a list, W has shape (outputs, inputs), b (outputs,); ReLU stands between the layers and nothing
        after the last. Files: .onnx models, and .npz files of one log-sum-exp layer (`hopf.LSELayer.save`).

    Raises
    ------
    UnsupportedLayerError
        A layer or operator outside the supported ones, by name.
    ModelFileError
        A file that cannot be trusted or read.

    Examples
    --------
    >>> print(load([([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0]), ([[1.0, -1.0]], [0.5])]))
    input of size 2
      1  Affine 2 → 2             size 2
      2  Relu                     size 2
      3  Affine 2 → 1             size 1
    9 parameters
    """
    if isinstance(source, Network):
        return source
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.suffix == ".onnx":
            from hjsym.frontends.onnx import load_onnx_file

            return load_onnx_file(path, input_shape)
        if path.suffix == ".npz":
            from hjsym.hopf import LSELayer

            return LSELayer.load(path).to_network()
        raise ModelFileError(f"{path} is neither .onnx nor .npz; pass one of them, or (W, b) pairs of arrays")
    origin = _origin(source)
    if origin == "sklearn":
        from hjsym.frontends.sklearn import load_sklearn

        return load_sklearn(source)
    if origin == "onnx":
        from hjsym.frontends.onnx import load_onnx

        return load_onnx(source, input_shape)
    if isinstance(source, Sequence) and not isinstance(source, bytes):
        from hjsym.frontends.arrays import load_arrays

        return load_arrays(source)
    raise UnsupportedLayerError(
        f"cannot read a network from {type(source).__module__}.{type(source).__qualname__}; "
        "pass a list of (W, b), a scikit-learn MLP, an ONNX model or the path of a .onnx or .npz file"
    )


def _origin(source) -> str:
    """The package that defines the class of `source`, or one of its bases."""
    roots = {cls.__module__.partition(".")[0] for cls in type(source).__mro__}
    return next((name for name in ("sklearn", "onnx") if name in roots), "")

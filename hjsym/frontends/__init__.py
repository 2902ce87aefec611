"""Readers: one file per source, each turning it into a `hjsym.Network`.

Live objects are recognised by the modules that define them, so no framework is imported that the caller
has not imported already.
"""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.network import Network

__all__ = ["Limits", "load"]

_OF_FRAMEWORKS = {
    **dict.fromkeys((".pt", ".pth"), "torch"),
    **dict.fromkeys((".keras", ".h5"), "Keras"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "pickle"),
}


def load(
    source, input_shape: Sequence[int] | None = None, *, limits: Limits = DEFAULT, check: bool = False
) -> Network:
    """Read a network.

    Parameters
    ----------
    source
        What to read:

        - a `Network`, which is returned as it is;
        - a list of (W, b), arrays of NumPy or JAX: W has shape (outputs, inputs), b (outputs,); ReLU stands
          between the layers and nothing after the last;
        - a torch `nn.Module` in evaluation mode that `torch.fx` can trace, or an `ExportedProgram`;
        - a Keras 3 model, Sequential or Functional; an Equinox Sequential or MLP;
        - a fitted scikit-learn MLP or linear model, or a Pipeline of scalers and other affine steps before one; an
          ONNX ModelProto;
        - the path of a .onnx file; of a .json or .npz file that `Network.save` wrote; of a .json description
          beside a .safetensors file (`hjsym.frontends.described`); of an .npz file of one log-sum-exp layer
          (`hopf.LSELayer.save`).
    input_shape : sequence of int, optional
        The shape of one sample, without the batch, where the source does not know it: torch and Equinox
        modules that start with a convolution, ONNX models with open axes.
    limits : Limits, optional
        What a file, an ONNX model or a live object may make the reader do, `hjsym.Limits`.
    check : bool
        Of ONNX, also run `onnx.checker` with shape inference, in a child process within the limits of memory and
        time; it costs half a second. Without it the reader's own checks decide, see SECURITY.md.

    Returns
    -------
    Network
        A graph of the few layers of `hjsym.layers`, in inference. Tensors are flattened in C order.

    Raises
    ------
    UnsupportedLayerError
        A layer or operator outside the supported ones, by name and position.
    ModelFileError
        A file that cannot be trusted or read, or is larger than the limits.
    BudgetExceeded
        A network that would go beyond the limits, before that is built.

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
        return _load_file(Path(source), input_shape, limits, check)
    origin = _origin(source)
    if origin == "sklearn":
        from hjsym.frontends.sklearn import load_sklearn

        return load_sklearn(source)
    if origin in _WITH_SHAPE:
        module = import_module(f"hjsym.frontends.{origin}")
        options = {"limits": limits, **({"check": check} if origin == "onnx" else {})}
        return getattr(module, f"load_{origin}")(source, input_shape, **options)
    if isinstance(source, Sequence) and not isinstance(source, bytes):
        from hjsym.frontends.arrays import load_arrays

        return load_arrays(source)
    raise UnsupportedLayerError(
        f"cannot read a network from {type(source).__module__}.{type(source).__qualname__}; pass a list of (W, b), "
        "a torch, Keras or Equinox model, a scikit-learn MLP, an ONNX model or the path of a file"
    )


_WITH_SHAPE = ("keras", "equinox", "onnx", "torch")  # Keras before torch, which may be its back end


def _origin(source) -> str:
    """The package that defines the class of `source`, or one of its bases."""
    roots = {cls.__module__.partition(".")[0] for cls in type(source).__mro__}
    return next((name for name in ("sklearn", *_WITH_SHAPE) if name in roots), "")


def _load_file(path: Path, input_shape: Sequence[int] | None, limits: Limits, check: bool) -> Network:
    from hjsym.frontends import described, saved
    from hjsym.frontends.npz import names_in_npz

    if path.suffix == ".onnx":
        from hjsym.frontends.onnx import load_onnx_file

        return load_onnx_file(path, input_shape, limits, check)
    if path.suffix == ".npz":
        if "network" in names_in_npz(path):
            return saved.load_saved(path, limits=limits)
        from hjsym.hopf import LSELayer

        return LSELayer.load(path, limits=limits).to_network()
    if path.suffix == ".json":
        document = saved.read_json(path, limits)
        if document.get("format") == described.FORMAT:
            return described.load_described(path, document, limits)
        return saved.load_saved(path, document, limits)
    if path.suffix in _OF_FRAMEWORKS:
        raise ModelFileError(
            f"{path} is neither .onnx nor .npz nor .json but of {_OF_FRAMEWORKS[path.suffix]}, and could run code "
            "when it is read; load it there and pass the model, or export it to .onnx"
        )
    raise ModelFileError(
        f"{path} is neither .onnx nor .npz nor .json; pass one of them (of a .safetensors file the .json description "
        "beside it), or (W, b) pairs of arrays"
    )

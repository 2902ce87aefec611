"""Networks and tropical functions as ONNX models, for the run times that everybody has."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from hjsym._files import replaced
from hjsym.export.to_network import to_network
from hjsym.network import Network

if TYPE_CHECKING:
    import onnx

__all__ = ["to_onnx"]


def to_onnx(f, path: str | os.PathLike | None = None, *, dtype: DTypeLike = np.float64) -> "onnx.ModelProto":
    """An ONNX model that computes f, from "x" of shape (batch, d) to "y" of shape (batch, outputs).

    Parameters
    ----------
    f : Network, TropicalNetwork, Polynomial, Circuit, Rational
        Or anything that `hjsym.load` takes. A polynomial has one output. What `hjsym.compile` made is written
        without its head, as it is a function of scores; a Network with it.
    path : str or path, optional
        Where to write the model. The file appears whole or not at all.
    dtype : numpy.float64 or numpy.float32
        Of all tensors. float32 rounds the weights, each to the nearest.

    Returns
    -------
    onnx.ModelProto
        Checked by `onnx.checker`.

    Raises
    ------
    InputError
        A Fraction that no float64 holds, with its layer; a weight beyond float32; another dtype.
    BudgetExceeded
        A model too large for one file, before it is built.

    Notes
    -----
    The operators are of opset 17 and `hjsym.load` reads all of them. Values agree with those of the network up to
    rounding: sums may run in another order, and a bend in several places is a sum of ReLUs.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> model = to_onnx((x**2 + y) / (x + 0))                       # max(2x, y) − max(x, 0)
    >>> [node.op_type for node in model.graph.node]
    ['Gemm', 'ReduceMax', 'Gemm', 'ReduceMax', 'Sub']
    >>> import hjsym
    >>> hjsym.load(model)([[3.0, 1.0]])
    array([[3.]])
    """
    from hjsym.export.onnx_writer import Writer  # needs the extra "onnx"

    network = f if isinstance(f, Network) else to_network(f, maxout=True)
    model = Writer(network, np.dtype(dtype)).model()
    if path is not None:
        with replaced(Path(path)) as part:
            part.write_bytes(model.SerializeToString())
    return model

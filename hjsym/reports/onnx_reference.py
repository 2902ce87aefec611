"""Values of an ONNX model by the reference evaluator of onnx, which shares no code with ours."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Reference", "reference"]


@dataclass(frozen=True)
class Reference:
    """A function of points (n, d), what to call it, and how close to it a network has to be."""

    evaluate: Callable[[np.ndarray], np.ndarray]
    name: str
    limit: float


def reference(path: Path) -> Reference | None:
    """That of an .onnx file, None of any other."""
    if path.suffix != ".onnx":
        return None
    from onnx.helper import tensor_dtype_to_np_dtype

    from hjsym.frontends.onnx import evaluate, input_of, read_model

    model = read_model(path)
    kind = input_of(model).type.tensor_type
    dtype = tensor_dtype_to_np_dtype(kind.elem_type)
    shape = [d.dim_value for d in kind.shape.dim[1:]]

    def values(x: np.ndarray) -> np.ndarray:
        return evaluate(model, x.reshape(-1, *shape).astype(dtype)).reshape(len(x), -1).astype(float)

    return Reference(values, f"ONNX reference ({dtype.name})", 1e-12 if dtype == np.float64 else 1e-4)

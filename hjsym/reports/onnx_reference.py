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
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    evaluator = ReferenceEvaluator(model)
    source = model.graph.input[0]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(source.type.tensor_type.elem_type)
    shape = [d.dim_value for d in source.type.tensor_type.shape.dim[1:]]

    def evaluate(x: np.ndarray) -> np.ndarray:
        feed = {source.name: x.reshape(-1, *shape).astype(dtype)}
        return evaluator.run(None, feed)[0].reshape(len(x), -1).astype(float)

    return Reference(evaluate, f"ONNX reference ({dtype.name})", 1e-12 if dtype == np.float64 else 1e-4)

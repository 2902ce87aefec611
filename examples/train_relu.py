"""Trains the ReLU classifier of the demo on the UCI digits and writes examples/models/digits-relu.onnx.

64 pixels → 32 → 16 → 10 scores, in float64. Run it again with `make train`; takes a few seconds.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from hjsym.datasets import load_dataset

OUTPUT = Path(__file__).parent / "models" / "digits-relu.onnx"


def to_onnx(weights: list[np.ndarray], biases: list[np.ndarray]) -> onnx.ModelProto:
    """Gemm and Relu, one pair a layer, ending in the scores."""
    nodes, tensors, value = [], [], "image"
    last = len(weights) - 1
    for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        tensors += [numpy_helper.from_array(weight, f"W{k}"), numpy_helper.from_array(bias, f"b{k}")]
        result = "scores" if k == last else f"z{k}"
        nodes.append(helper.make_node("Gemm", [value, f"W{k}", f"b{k}"], [result], name=f"dense{k}"))
        if k < last:
            value = f"h{k}"
            nodes.append(helper.make_node("Relu", [result], [value], name=f"relu{k}"))
    image = helper.make_tensor_value_info("image", TensorProto.DOUBLE, ["batch", weights[0].shape[0]])
    scores = helper.make_tensor_value_info("scores", TensorProto.DOUBLE, ["batch", weights[-1].shape[1]])
    graph = helper.make_graph(nodes, "digits", [image], [scores], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"dataset": "digits"})
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    images, digits = load_dataset("digits")
    train, test, train_digits, test_digits = train_test_split(images, digits, test_size=0.25, random_state=0)
    classifier = MLPClassifier((32, 16), alpha=1e-2, max_iter=400, random_state=0)
    classifier.fit(train, train_digits)
    print(f"accuracy on {len(test)} images kept apart: {classifier.score(test, test_digits):.4f}")
    OUTPUT.write_bytes(to_onnx(classifier.coefs_, classifier.intercepts_).SerializeToString())
    print(f"wrote {OUTPUT.name}, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

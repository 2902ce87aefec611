"""Trains a small convolutional network on the UCI digits and writes examples/models/digits-conv.onnx.

8 × 8 pixels → 4 kernels of 3 × 3, ReLU → max pool of 2 × 2 → 16, ReLU → 10 scores, in float64: a softmax classifier
fitted by L-BFGS. Run it again with `make train`; takes half a minute.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from scipy.optimize import minimize
from sklearn.model_selection import train_test_split

from hjsym.datasets import load_dataset

OUTPUT = Path(__file__).parent / "models" / "digits-conv.onnx"
SHAPES = {"K": (4, 9), "k": (4,), "V": (16, 36), "v": (16,), "W": (10, 16), "w": (10,)}
DECAY, STEPS = 1e-3, 200


def unpacked(parameters: np.ndarray) -> dict[str, np.ndarray]:
    ends = np.cumsum([np.prod(shape) for shape in SHAPES.values()])
    parts = np.split(parameters, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(SHAPES.items(), parts, strict=True)}


def patches(images: np.ndarray) -> np.ndarray:
    """The 3 × 3 windows of 8 × 8 images, grouped by the pool that they enter: (B, 3·3 pools, 4 in each, 9)."""
    windows = np.lib.stride_tricks.sliding_window_view(images.reshape(-1, 8, 8), (3, 3), axis=(1, 2))
    pools = windows.reshape(-1, 3, 2, 3, 2, 9).swapaxes(2, 3)
    return np.ascontiguousarray(pools.reshape(-1, 9, 4, 9))


def scores(p: dict[str, np.ndarray], windows: np.ndarray) -> tuple:
    """Scores, and the values before them: (B, 16) hidden, (B, 36) pooled, which of 4 was the largest."""
    convolved = windows @ p["K"].T + p["k"]
    winner = convolved.argmax(axis=2)
    pooled = np.maximum(np.take_along_axis(convolved, winner[:, :, None], axis=2)[:, :, 0], 0)
    flat = pooled.swapaxes(1, 2).reshape(len(windows), -1)  # channels first, as in ONNX
    hidden = np.maximum(flat @ p["V"].T + p["v"], 0)
    return hidden @ p["W"].T + p["w"], hidden, flat, winner


def objective(parameters: np.ndarray, windows: np.ndarray, digits: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean cross-entropy plus DECAY·|parameters|², and its gradient."""
    p = unpacked(parameters)
    z, hidden, flat, winner = scores(p, windows)
    count, rows = len(z), np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    back = np.exp(logs)
    back[rows, digits] -= 1
    to_hidden = (back @ p["W"]) * (hidden > 0)
    to_flat = (to_hidden @ p["V"]) * (flat > 0)
    to_pooled = to_flat.reshape(count, 4, 9).swapaxes(1, 2)
    chosen = np.take_along_axis(windows[:, :, None], winner[:, :, :, None, None], axis=3)[:, :, :, 0]
    gradient = {
        "K": np.einsum("bpc,bpcw->cw", to_pooled, chosen),
        "k": to_pooled.sum(axis=(0, 1)),
        "V": to_hidden.T @ flat,
        "v": to_hidden.sum(axis=0),
        "W": back.T @ hidden,
        "w": back.sum(axis=0),
    }
    total = np.concatenate([gradient[name].ravel() for name in SHAPES]) / count
    loss = -logs[rows, digits].mean()
    return loss + DECAY * (parameters**2).sum(), total + 2 * DECAY * parameters


def to_onnx(p: dict[str, np.ndarray]) -> onnx.ModelProto:
    kernels = {**p, "K": p["K"].reshape(4, 1, 3, 3)}
    nodes = [
        helper.make_node("Conv", ["image", "K", "k"], ["convolved"]),
        helper.make_node("Relu", ["convolved"], ["bent"]),
        helper.make_node("MaxPool", ["bent"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "V", "v"], ["dense"], transB=1),
        helper.make_node("Relu", ["dense"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "W", "w"], ["scores"], transB=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.DOUBLE, ["batch", 1, 8, 8])
    result = helper.make_tensor_value_info("scores", TensorProto.DOUBLE, ["batch", 10])
    tensors = [numpy_helper.from_array(array, name) for name, array in kernels.items()]
    graph = helper.make_graph(nodes, "digits", [image], [result], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"dataset": "digits"})
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    images, digits = load_dataset("digits")
    train, test, train_digits, test_digits = train_test_split(images, digits, test_size=0.25, random_state=0)
    rng = np.random.default_rng(0)
    start = {
        name: rng.normal(size=s) * np.sqrt(2 / s[-1]) if len(s) > 1 else np.zeros(s)
        for name, s in SHAPES.items()
    }
    parameters = np.concatenate([start[name].ravel() for name in SHAPES])
    fit = minimize(
        objective,
        parameters,
        (patches(train), train_digits),
        method="L-BFGS-B",
        jac=True,
        options={"maxiter": STEPS},
    )
    p = unpacked(fit.x)
    accuracy = (scores(p, patches(test))[0].argmax(axis=1) == test_digits).mean()
    print(
        f"loss {fit.fun:.4f} after {fit.nit} steps; accuracy on {len(test)} images kept apart: {accuracy:.4f}"
    )
    OUTPUT.write_bytes(to_onnx(p).SerializeToString())
    print(f"wrote {OUTPUT.name}, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

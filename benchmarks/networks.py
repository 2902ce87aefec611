"""Times compiling a convolutional network and reading off its affine pieces, beside torch.

    python benchmarks/networks.py

The network is LeNet-5 with ReLUs and max pools, on images of 28×28, in float64. The peer is torch where that is
installed: forward, and `torch.func.jacrev` for the slope, which leaves the intercept to one more product.
All take turns on one thread; the least CPU time of several rounds counts.
"""

import os
import time
from collections.abc import Callable
from functools import partial

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import hjsym

ROUNDS = 15


def lenet(rng: np.random.Generator):
    """The model, and its weights by name."""
    shapes = {"c1": (6, 1, 5, 5), "c2": (16, 6, 5, 5), "f1": (120, 400), "f2": (84, 120), "f3": (10, 84)}
    weights = {k: rng.normal(size=s) * np.sqrt(2 / np.prod(s[1:])) for k, s in shapes.items()}
    biases = {k: 0.1 * rng.normal(size=len(w)) for k, w in weights.items()}
    nodes, value = [], "x"

    def add(kind: str, *operands: str, **attributes):
        nonlocal value
        nodes.append(helper.make_node(kind, [value, *operands], [f"v{len(nodes)}"], **attributes))
        value = f"v{len(nodes) - 1}"

    for name, pads in (("c1", [2] * 4), ("c2", [0] * 4)):
        add("Conv", name, f"{name}_b", pads=pads)
        add("Relu")
        add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    add("Flatten")
    for name in ("f1", "f2", "f3"):
        add("Gemm", name, f"{name}_b", transB=1)
        if name != "f3":
            add("Relu")
    stored = {**weights, **{f"{k}_b": b for k, b in biases.items()}}
    graph = helper.make_graph(
        nodes,
        "lenet",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info(value, TensorProto.DOUBLE, ["N", 10])],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model, stored


def torch_forward(stored: dict[str, np.ndarray]):
    """The same network as a function of one image or of several; None without torch."""
    try:
        import torch
    except ImportError:
        print("torch is not installed and left out\n")
        return None, None
    torch.set_num_threads(1)
    w = {name: torch.from_numpy(array) for name, array in stored.items()}
    F = torch.nn.functional

    def forward(x):
        for name, padding in (("c1", 2), ("c2", 0)):
            x = F.max_pool2d(F.relu(F.conv2d(x, w[name], w[f"{name}_b"], padding=padding)), 2)
        x = x.flatten(-3)
        for name in ("f1", "f2"):
            x = F.relu(F.linear(x, w[name], w[f"{name}_b"]))
        return F.linear(x, w["f3"], w["f3_b"])

    return torch, forward


def least(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: min(several) for name, several in times.items()}


def main() -> None:
    rng = np.random.default_rng(0)
    model, stored = lenet(rng)
    network = hjsym.load(model)
    f = hjsym.compile(network)
    torch, forward = torch_forward(stored)
    print(f"{network.parameters:,} stored numbers; read in {1e3 * least({'': partial(hjsym.load, model)})['']:.1f} ms, "
          f"compiled in {1e3 * least({'': partial(hjsym.compile, network)})['']:.1f} ms\n")  # fmt: skip
    print(
        "| images | ours: forward, ms | affine_at, ms | in forward passes | torch: forward | slope by jacrev |"
    )
    print("|---|---|---|---|---|---|")
    for count in (1, 10, 100):
        x = rng.uniform(size=(count, 784))
        x = x[0] if count == 1 else x
        runs = {"forward": partial(network, x), "affine": partial(f.affine_at, x)}
        if torch:
            images = torch.from_numpy(x.reshape(*x.shape[:-1], 1, 28, 28))
            slope = torch.func.jacrev(forward)
            runs["torch"] = partial(forward, images)
            runs["jacrev"] = partial(slope if count == 1 else torch.func.vmap(slope), images)
            got = runs["jacrev"]().reshape(*x.shape[:-1], 10, 784).numpy()
            np.testing.assert_allclose(f.affine_at(x)[0], got, rtol=1e-9, atol=1e-12)
        t = {name: 1e3 * seconds for name, seconds in least(runs).items()}
        peers = f"{t['torch']:.2f} | {t['jacrev']:.2f}" if torch else "– | –"
        print(
            f"| {count} | {t['forward']:.2f} | {t['affine']:.2f} | {t['affine'] / t['forward']:.2f} | {peers} |"
        )


if __name__ == "__main__":
    main()

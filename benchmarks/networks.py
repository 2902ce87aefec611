"""Times of networks: affine pieces of a convolutional one beside torch, and proved margins of the digits.

    python benchmarks/networks.py pieces
    python benchmarks/networks.py margins

Pieces are those of LeNet-5 with ReLUs and max pools, on images of 28×28, in float64. The peer is torch where that is
installed: forward, and `torch.func.jacrev` for the slope, which leaves the intercept to one more product. All take
turns on one thread; the least CPU time of several rounds counts.

Margins are `hjsym.least_margin` of the stored networks over all images within a radius of one of ten in each pixel. The
peer is HiGHS alone on the program of the textbook, with bounds by intervals: its bound is not proved.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import hjsym
from hjsym.datasets import load_dataset
from hjsym.optimum.encoding import Encoding
from tropical import Box

ROUNDS = 15
MODELS = Path(__file__).parents[1] / "examples" / "models"


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


def pieces() -> None:
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


def by_solver(network, label: int, low: np.ndarray, high: np.ndarray, limit: float) -> float:
    """The least margin that HiGHS claims, one program for each other class."""
    encoding = Encoding(network, low, high)
    worst = np.inf
    for rival in range(network.output_size):
        if rival != label:
            cost = np.zeros(encoding.model.size)
            cost[encoding.outputs[[rival, label]]] = 1.0, -1.0
            worst = min(worst, -encoding.model.solve(cost, limit, 1e-6)[1])
    return worst


def margins() -> None:
    images, digits = load_dataset("digits")
    print(
        "| network | radius | safe, not, open | ours, s: mean, most | largest gap | HiGHS, s: mean | decided |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in ("digits-relu", "digits-conv"):
        f = hjsym.compile(MODELS / f"{name}.onnx")
        for radius in (0.01, 0.02, 0.05, 0.1) if name == "digits-relu" else (0.01, 0.02, 0.05):
            found, times, theirs, decided = [], [], [], 0
            for x, label in zip(images[:10], digits[:10].tolist(), strict=True):
                low, high = np.maximum(x - radius, 0), np.minimum(x + radius, 1)
                start = time.process_time()
                found.append(hjsym.least_margin(f, label, Box(low, high), time_limit=30))
                times.append(time.process_time() - start)
                start = time.process_time()
                claimed = by_solver(f.network, label, low, high, 30 / 9)
                theirs.append(time.process_time() - start)
                decided += claimed > 0 or claimed >= float(found[-1].value) - 1e-3
            safe, lost = sum(m.bound > 0 for m in found), sum(m.value <= 0 for m in found)
            gap = max(float(m.gap) for m in found)
            print(f"| {name} | {radius} | {safe}, {lost}, {10 - safe - lost} | {np.mean(times):.2f}, {max(times):.2f} "
                  f"| {gap:.1e} | {np.mean(theirs):.2f} | {decided} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    for part in sys.argv[1:] or ("pieces", "margins"):
        {"pieces": pieces, "margins": margins}[part]()

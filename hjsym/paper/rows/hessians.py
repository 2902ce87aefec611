"""Curvature of layers trained on images, at images they have not seen, beside two bounds."""

import math
from collections.abc import Iterator

import numpy as np

from hjsym.hopf import LSELayer
from hjsym.paper.images import principal_components, read_images
from hjsym.paper.row import Outcome, Picture, Row, Study, at_most, near, shown
from hjsym.paper.rows.training import curvatures, train
from hjsym.robustness import hessian_norm, smoothness

__all__ = ["ROWS", "TEMPERATURES", "split", "trained_on_images"]

TEMPERATURES = (0.1, 0.3, 1.0, 3.0, 10.0)
_NEURONS, _UNSEEN, _BATCH = 128, 300, 256


def split(images: str, components: int, fast: bool, rng: np.random.Generator):
    """Principal components and labels of images to train on, and of 300 others."""
    pixels, labels = read_images(images, fast)
    order = rng.permutation(len(pixels))[:10_000]
    x, labels = principal_components(pixels[order], components), labels[order].astype(float)
    return x[_UNSEEN:], labels[_UNSEEN:], x[:_UNSEEN], labels[:_UNSEEN]


def trained_on_images(
    x: np.ndarray, labels: np.ndarray, eps: float, steps: int, rng: np.random.Generator
) -> LSELayer:
    """128 neurons fitted to the label as a number by Adam, rate .005, on 256 images a step."""

    def batches() -> Iterator[np.ndarray]:
        while True:
            yield rng.choice(len(x), _BATCH, replace=False)

    d = x.shape[1]
    W = rng.standard_normal((_NEURONS, d)) * (0.1 / d**0.5)
    b = np.full(_NEURONS, -eps * math.log(_NEURONS))  # so that f begins at 0
    return train(x, labels, W, b, eps, steps, 0.005, batches())


def bounded(images: str, components: int):
    def run(study: Study) -> Outcome:
        x, labels, unseen, truth = split(images, components, study.fast, study.rng)
        measurements, found = [], []
        for eps in TEMPERATURES:
            layer = trained_on_images(x, labels, eps, 200 if study.fast else 5000, study.rng)
            norms, constants = hessian_norm(layer, unseen), smoothness(layer)
            spread, theirs = constants.convex, constants.paper
            found.append((eps, norms.max(), spread, theirs))
            measurements += [
                at_most(f"max ‖∇²f‖ over diam(W)²/4ε, ε = {eps:g}", 1 + 1e-12, norms.max() / spread,
                        "Popoviciu’s inequality, a theorem; rounding"),
                at_most(f"max ‖∇²f‖ over the paper’s max|W|²/ε, ε = {eps:g}", 1 + 1e-12, norms.max() / theirs,
                        "stated as never violated"),
                near(f"‖∇²f‖ by differences of ∇f, over it, ε = {eps:g}", 1.0,
                     _by_differences(layer, unseen[norms.argmax()]), 1e-5,
                     "the largest, along its eigenvector; central differences"),
                shown(f"root mean square error at unseen images, ε = {eps:g}",
                      float(np.sqrt(np.mean((layer(unseen) - truth) ** 2))), "labels 0 … 9 as numbers"),
            ]  # fmt: skip

        draw = curvatures(found, "largest ‖∇²f‖")
        remark = (
            "A layer is trained anew for each ε. The paper also trains a factor in front of the layer, which it leaves "
            "out of curvature and bound; here it is 1, and the layer begins at f ≈ 0."
        )
        picture = Picture(
            "Hessian bound", "Largest curvature at 300 unseen images, and the bounds.", draw, (5, 3)
        )
        return Outcome(tuple(measurements), (picture,), (remark,))

    return run


def _by_differences(layer: LSELayer, x: np.ndarray) -> float:
    """|∇f(x + hv) − ∇f(x − hv)|/2h over the largest eigenvalue of ∇²f(x), v its eigenvector."""
    values, vectors = np.linalg.eigh(layer.polynomial.hessian(x))
    h, v = 1e-5 * min(layer.eps, 1.0), vectors[:, -1]
    change = layer.polynomial.gradient(x + h * v) - layer.polynomial.gradient(x - h * v)
    return float(np.linalg.norm(change) / (2 * h) / values[-1])


_SETS = (("digits", 50, "scikit-learn’s digits"), ("mnist", 50, "MNIST"), ("cifar10", 64, "CIFAR-10"))
ROWS = tuple(
    Row(f"hessian-{images}", f"Hessian bound on {called}",
        f"{called}, {components} principal components, N = 128, ε = .1 … 10", bounded(images, components), 1.0)
    for images, components, called in _SETS
)  # fmt: skip

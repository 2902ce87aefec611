"""Images: the digits that scikit-learn has with it; MNIST and CIFAR-10 from OpenML, where they are at hand."""

import socket
from functools import cache
from pathlib import Path

import numpy as np

from hjsym.datasets import load_dataset
from tropical.errors import InputError

__all__ = ["ImagesMissing", "principal_components", "read_images"]

# Names and versions at openml.org. CIFAR-10 is there in full and, enough for this, as 20,000 images.
_OPENML = {"mnist": ("mnist_784", 1), "cifar10": ("CIFAR_10_small", 1)}
_TITLES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}


class ImagesMissing(Exception):
    """Why a set of images is not there, in a sentence."""


@cache
def read_images(name: str, cached_only: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in [0, 1], (n, d), and integer labels (n,).

    `cached_only` never asks the network; else it is asked if it answers within three seconds.
    """
    if name == "digits":
        try:
            return load_dataset("digits")
        except InputError as error:
            raise ImagesMissing(
                f"Without scikit-learn there are no digits ({error}): this row is left out."
            ) from error
    try:
        from sklearn.datasets import fetch_openml, get_data_home
    except ImportError as error:
        raise ImagesMissing(
            "Images are read by scikit-learn, which is not installed: this row is left out."
        ) from error
    title, (dataset, version) = _TITLES[name], _OPENML[name]
    if not _is_cached(get_data_home(), dataset) and (cached_only or not _network_answers()):
        why = "a fast run does not download" if cached_only else "openml.org does not answer"
        raise ImagesMissing(
            f"{title} is not in scikit-learn’s cache of OpenML, and {why}: this row is left out."
        )
    try:
        pixels, labels = fetch_openml(
            dataset, version=version, return_X_y=True, as_frame=False, parser="liac-arff", n_retries=1
        )
    except (OSError, ValueError) as error:
        raise ImagesMissing(
            f"{title} could not be loaded from OpenML ({error}): this row is left out."
        ) from error
    return np.asarray(pixels, dtype=float) / 255, np.asarray(labels, dtype=int)


def _is_cached(home: str, dataset: str) -> bool:
    """Whether scikit-learn keeps OpenML's answer for a name; files are named after what was asked."""
    return any(dataset.lower() in path.name.lower() for path in Path(home, "openml").rglob("*"))


def _network_answers() -> bool:
    try:
        socket.create_connection(("api.openml.org", 443), timeout=3).close()
    except OSError:
        return False
    return True


def principal_components(points: np.ndarray, count: int) -> np.ndarray:
    """Coordinates on the first principal components, (n, count), each axis pointing where its largest entry is > 0."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:count]
    signs = np.sign(axes[np.arange(count), np.abs(axes).argmax(axis=1)])
    return centred @ (signs[:, None] * axes).T

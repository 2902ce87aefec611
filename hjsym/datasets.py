"""Real data that installed packages bring along, by the name a model file gives it."""

import numpy as np

from tropical.errors import InputError

__all__ = ["load_dataset"]


def load_dataset(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (B, d) and integer labels (B,).

    "digits": 1,797 handwritten digits of 8×8 pixels, scaled to [0, 1]; E. Alpaydin, C. Kaynak, "Optical
    Recognition of Handwritten Digits", UCI Machine Learning Repository (1998), as bundled with scikit-learn.

    Parameters
    ----------
    name : {"digits"}

    Returns
    -------
    points : (B, d) array
    labels : (B,) array of integers

    Examples
    --------
    >>> images, digits = load_dataset("digits")
    >>> images.shape, digits.shape, images.max()
    ((1797, 64), (1797,), np.float64(1.0))
    """
    if name != "digits":
        raise InputError(f"data set {name!r:.90} is unknown; known is 'digits'")
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputError("the digits come with scikit-learn; install hjsym[sklearn]") from None
    digits = load_digits()
    return digits.data / 16.0, digits.target

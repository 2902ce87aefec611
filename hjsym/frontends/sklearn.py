"""Networks from fitted scikit-learn MLPClassifier and MLPRegressor."""

import numpy as np

from hjsym.errors import UnsupportedLayerError
from hjsym.layers import Affine, Identity, Layer, Relu, Sigmoid, Softmax
from hjsym.network import Network
from tropical.errors import InputError

__all__ = ["load_sklearn"]

_HIDDEN = {"relu": Relu, "identity": Identity}
_OUTPUT = {"identity": None, "softmax": Softmax, "logistic": Sigmoid, "relu": Relu}


def load_sklearn(estimator) -> Network:
    """The network of a fitted MLP; a classifier keeps its softmax or logistic output as the head."""
    name = type(estimator).__name__
    if not any(c.__name__ in ("MLPClassifier", "MLPRegressor") for c in type(estimator).__mro__):
        raise UnsupportedLayerError(
            f"scikit-learn's {name} is not an MLP; pass MLPClassifier or MLPRegressor"
        )
    if not hasattr(estimator, "coefs_"):
        raise InputError(f"this {name} is not fitted; call fit first")
    if estimator.activation not in _HIDDEN:
        raise UnsupportedLayerError(
            f"activation {estimator.activation!r} of {name} is not piecewise linear; "
            "train with activation='relu' or 'identity'"
        )
    if estimator.out_activation_ not in _OUTPUT:
        raise UnsupportedLayerError(f"output activation {estimator.out_activation_!r} of {name} is not known")
    layers: list[Layer] = []
    for weight, bias in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        layers += [Affine(np.asarray(weight).T, bias), _HIDDEN[estimator.activation]()]
    layers.pop()
    if (head := _OUTPUT[estimator.out_activation_]) is not None:
        layers.append(head())
    return Network.sequential(layers[0].weight.shape[1], layers)

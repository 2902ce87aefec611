"""Activation functions by the names that Keras, JAX and our own descriptions call them."""

from collections.abc import Callable

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.refusals import refusal
from hjsym.frontends.tensors import Builder, Tensor

__all__ = ["ACTIVATIONS", "activate", "hard_sigmoid"]

_PLAIN: dict[str, Callable[[], layers.Layer]] = {
    **dict.fromkeys(("relu",), layers.Relu),
    **dict.fromkeys(("relu6",), lambda: layers.clip(0, 6)),
    **dict.fromkeys(("hard_tanh", "hardtanh"), lambda: layers.clip(-1, 1)),
    **dict.fromkeys(("abs", "absolute"), layers.absolute),
    **dict.fromkeys(("softplus",), layers.Softplus),
}
_HEADS = {"sigmoid": layers.Sigmoid, "softmax": layers.Softmax, "log_softmax": layers.LogSoftmax}
ACTIVATIONS = sorted([*_PLAIN, *_HEADS, "hard_sigmoid", "linear"])


def hard_sigmoid(builder: Builder, t: Tensor, name: str) -> Tensor:
    """min(max(x/6 + 1/2, 0), 1)."""
    return builder.emit(layers.clip(0, 1), [builder.scale(t, 1 / 6, 0.5, name)], name)


def activate(builder: Builder, t: Tensor, kind: str, name: str) -> Tensor:
    """t behind the activation called `kind`."""
    if kind in ("linear", "identity"):
        return t
    if kind == "hard_sigmoid":
        return hard_sigmoid(builder, t, name)
    if kind in _HEADS:
        if len(t.shape) != 1 and kind != "sigmoid":
            raise UnsupportedLayerError(f"{kind} of values of shape {t.shape} a sample; flatten them first")
        return builder.head(_HEADS[kind](), t, name)
    if kind not in _PLAIN:
        raise UnsupportedLayerError(f"activation {refusal(kind)}; read are {', '.join(ACTIVATIONS)}")
    return builder.emit(_PLAIN[kind](), [t], name)

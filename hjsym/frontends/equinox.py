"""Networks from live Equinox modules: Sequential, MLP and the layers in them; JAX is never imported here."""

import inspect
from collections.abc import Sequence

import numpy as np

from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.activations import activate
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.refusals import refusal
from hjsym.frontends.tensors import Builder, Tensor
from hjsym.frontends.windows import Window, average_pool, convolution, max_pool
from hjsym.network import Network
from tropical.errors import BudgetExceeded, InputError

__all__ = ["load_equinox"]


def load_equinox(module, input_shape: Sequence[int] | None = None, limits: Limits = DEFAULT) -> Network:
    """The network of an Equinox module, which maps one sample; dropout has to be in inference mode."""
    if input_shape is None:
        first = module
        while isinstance(getattr(first, "layers", None), tuple) and first.layers:
            first = first.layers[0]
        size = getattr(first, "in_features", None)
        if not isinstance(size, int):
            raise InputError("the module does not say the shape of its input; pass input_shape=")
        input_shape = (size,)
    builder = Builder(input_shape, limits)
    return builder.finish(_apply(builder, module, builder.input, "module"))


def _apply(builder: Builder, module, t: Tensor, path: str) -> Tensor:
    kind = type(module).__name__
    if kind == "Sequential":
        for k, layer in enumerate(module.layers):
            t = _apply(builder, layer, t, f"{path}.layers[{k}]")
        return t
    try:
        if kind == "MLP":
            return _mlp(builder, module, t, path)
        if kind not in _RULES:
            read = ", ".join(sorted([*_RULES, "MLP", "Sequential"]))
            raise UnsupportedLayerError(f"{refusal(kind)}; modules read are {read}")
        return _RULES[kind](builder, module, t, path)
    except UnsupportedLayerError as error:
        raise UnsupportedLayerError(f"{path} ({kind}): {error}") from None
    except BudgetExceeded as error:
        raise BudgetExceeded(
            f"{path} ({kind}): {error.stage}", error.reached, error.limit, error.hint
        ) from None


def _array(value) -> np.ndarray | None:
    return None if value is None else np.asarray(value).astype(np.float64)


def _linear(b: Builder, m, t: Tensor, name: str) -> Tensor:
    if "scalar" in (m.in_features, m.out_features):
        raise UnsupportedLayerError("scalar features; give them an axis of length 1")
    return b.linear(t, _array(m.weight), _array(m.bias), name)


def _mlp(b: Builder, m, t: Tensor, path: str) -> Tensor:
    # The default for the last activation is the identity, as a function without a name of its own.
    identity = inspect.signature(type(m)).parameters["final_activation"].default
    final = None if m.final_activation is identity else m.final_activation
    for k, layer in enumerate(m.layers):
        t = _linear(b, layer, t, f"{path}.layers[{k}]")
        t = _function(b, m.activation if k < len(m.layers) - 1 else final, t, path)
    return t


def _function(b: Builder, function, t: Tensor, name: str) -> Tensor:
    if function is None:
        return t
    called = getattr(function, "__name__", type(function).__name__)
    return b.flatten(t) if called == "ravel" else activate(b, t, called, name)


def _sides(padding) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(padding, str):
        raise UnsupportedLayerError(f"padding {padding!r}; give it in numbers")
    return tuple(p[0] for p in padding), tuple(p[1] for p in padding)


def _conv(b: Builder, m, t: Tensor, name: str) -> Tensor:
    if getattr(m, "padding_mode", "ZEROS").upper() != "ZEROS":
        raise UnsupportedLayerError(f"padding mode {m.padding_mode!r}; only zeros are read")
    weight, bias = _array(m.weight), _array(m.bias)
    before, after = _sides(m.padding)
    window = Window.of(weight.shape[2:], tuple(m.stride), tuple(m.dilation), before, after)
    return convolution(b, t, weight, None if bias is None else bias.ravel(), window, m.groups, name)


def _pool(pool, **options):
    def rule(b: Builder, m, t: Tensor, name: str) -> Tensor:
        before, after = _sides(m.padding)
        window = Window.of(
            tuple(m.kernel_size), tuple(m.stride), 1, before, after, getattr(m, "use_ceil", False)
        )
        return pool(b, t, window, name, **options)

    return rule


def _dropout(b: Builder, m, t: Tensor, name: str) -> Tensor:
    if not m.inference and m.p:
        raise UnsupportedLayerError("dropout in training mode; call equinox.nn.inference_mode first")
    return t


def _prelu(b: Builder, m, t: Tensor, name: str) -> Tensor:
    slopes = _array(m.negative_slope)
    return b.prelu(t, slopes.reshape(-1, *(1,) * (len(t.shape) - 1)) if slopes.size > 1 else slopes, name)


_RULES = {
    **dict.fromkeys([f"Conv{d}d" for d in "123"], _conv),
    **dict.fromkeys([f"MaxPool{d}d" for d in "123"], _pool(max_pool)),
    # Equinox divides by the whole window, the padding included.
    **dict.fromkeys([f"AvgPool{d}d" for d in "123"], _pool(average_pool, count_padding=True)),
    "Dropout": _dropout,
    "Identity": lambda b, m, t, name: t,
    "Lambda": lambda b, m, t, name: _function(b, m.fn, t, name),
    "Linear": _linear,
    "PReLU": _prelu,
}

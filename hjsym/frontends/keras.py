"""Networks from live Keras 3 models, Sequential and Functional, of any back end; Keras is never imported here.

Only what Keras documents is used: a model's `get_config`, its layers' `get_config` and `get_weights`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.activations import activate
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.refusals import refusal
from hjsym.frontends.tensors import Builder, Tensor
from hjsym.frontends.windows import Window, average_pool, convolution, max_pool
from hjsym.network import Network
from tropical.errors import BudgetExceeded

__all__ = ["load_keras"]


def load_keras(model, input_shape: Sequence[int] | None = None, limits: Limits = DEFAULT) -> Network:
    """The network of a built model with one input and one output; dropout and batch norm in inference."""
    shape = input_shape or tuple((model.input_shape or (None,))[1:])
    if any(n is None for n in shape) or not shape:
        raise UnsupportedLayerError(
            f"the model takes inputs of shape {shape}; pass input_shape= with fixed lengths"
        )
    builder = Builder(shape, limits)
    return builder.finish(_apply_model(builder, model, [builder.input]))


def _apply_model(builder: Builder, model, inputs: list[Tensor]) -> Tensor:
    config = model.get_config()
    if "input_layers" in config:
        return _functional(builder, model, config, inputs)
    if type(model).__name__ != "Sequential" and "layers" not in config:
        raise UnsupportedLayerError(
            f"{type(model).__name__} is neither Sequential nor Functional; its call cannot be read. Export it to ONNX"
        )
    (value,) = inputs
    for position, layer in enumerate(model.layers):
        value = _apply(builder, layer, [value], {}, position)
    return value


def _functional(builder: Builder, model, config: dict, inputs: list[Tensor]) -> Tensor:
    """Layers in the order of the configuration; each names the layers whose outputs it reads."""
    sources, outputs = (_references(config[k]) for k in ("input_layers", "output_layers"))
    if len(sources) != len(inputs) or len(outputs) != 1:
        raise UnsupportedLayerError(
            f"the model has {len(sources)} inputs and {len(outputs)} outputs; one each is read"
        )
    done = {(name, 0): value for (name, *_), value in zip(sources, inputs, strict=True)}
    calls = [
        (entry["name"], k, call, position)
        for position, entry in enumerate(config["layers"])
        for k, call in enumerate(entry["inbound_nodes"])
    ]
    while calls:  # a shared layer's later calls may read what stands behind it in the list
        ready = [c for c in calls if all((name, k) in done for name, k, _ in _tensors(c[2]["args"]))]
        if not ready:
            raise UnsupportedLayerError("the layers of the model read each other in a circle")
        for name, k, call, position in ready:
            operands = [done[n, j] for n, j, _ in _tensors(call["args"])]
            done[name, k] = _apply(builder, model.get_layer(name), operands, call["kwargs"], position)
        calls = [c for c in calls if (c[0], c[1]) not in done]
    name, k, *_ = outputs[0]
    return done[name, k]


def _references(entry) -> list[list]:
    """[[layer, call, tensor], …] from one of them or a list."""
    return [entry] if entry and isinstance(entry[0], str) else list(entry)


def _tensors(arguments) -> list[tuple]:
    """Every (layer, call, tensor) named among the arguments of a call."""
    if isinstance(arguments, dict):
        if arguments.get("class_name") == "__keras_tensor__":
            return [tuple(arguments["config"]["keras_history"])]
        arguments = list(arguments.values())
    if isinstance(arguments, (list, tuple)):
        return [reference for a in arguments for reference in _tensors(a)]
    return []


def _apply(builder: Builder, layer, operands: list[Tensor], keywords: dict, position: int) -> Tensor:
    kind = type(layer).__name__
    label = f"layer {position} {layer.name!r} ({kind})"
    try:
        if hasattr(layer, "layers"):
            return _apply_model(builder, layer, operands)
        rule = _RULES.get(kind)
        if rule is None:
            raise UnsupportedLayerError(f"{refusal(kind)}; layers read are {', '.join(sorted(_RULES))}")
        config = layer.get_config()
        weights = [np.asarray(w, dtype=np.float64) for w in layer.get_weights()]
        result = rule(builder, operands, config, weights, layer.name)
        activation = getattr(layer, "activation", None)
        if kind != "Softmax" and activation is not None:
            result = activate(builder, result, getattr(activation, "__name__", str(activation)), layer.name)
        return result
    except UnsupportedLayerError as error:
        raise UnsupportedLayerError(f"{label}: {error}") from None
    except BudgetExceeded as error:
        raise BudgetExceeded(f"{label}: {error.stage}", error.reached, error.limit, error.hint) from None


# ---- rules: builder, operands, configuration, weights, name --------------------------------------------


def _dense(b, operands, config, weights, name):
    kernel, *bias = weights
    return b.linear(operands[0], kernel.T, bias[0] if bias else None, name)


def _window(config: dict, kernel, t: Tensor, dilation=None) -> tuple[Window, bool]:
    last = config.get("data_format", "channels_last") == "channels_last"
    sizes = t.shape[:-1] if last else t.shape[1:]
    rank = len(kernel)
    stride = _spread(config.get("strides") or kernel, rank)
    dilation = _spread(config.get("dilation_rate", 1), rank)
    if config["padding"] == "same":
        return Window.same(sizes, kernel, stride, dilation), last
    if config["padding"] != "valid":
        raise UnsupportedLayerError(f"padding {config['padding']!r}; valid and same are read")
    return Window.of(kernel, stride, dilation), last


def _spread(value, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _conv(b, operands, config, weights, name):
    kernel, *bias = weights
    kernel = np.moveaxis(kernel, (-1, -2), (0, 1))
    window, last = _window(config, kernel.shape[2:], operands[0])
    bias = bias[0] if bias else None
    return convolution(b, operands[0], kernel, bias, window, config.get("groups", 1), name, last)


def _depthwise(b, operands, config, weights, name):
    kernel, *bias = weights
    kernel = np.moveaxis(kernel, (-2, -1), (0, 1))  # channels, multiplier, *kernel
    channels = len(kernel)
    kernel = kernel.reshape(-1, 1, *kernel.shape[2:])
    window, last = _window(config, kernel.shape[2:], operands[0])
    return convolution(b, operands[0], kernel, bias[0] if bias else None, window, channels, name, last)


def _pool(pool, **options):
    def rule(b, operands, config, weights, name):
        t = operands[0]
        window, last = _window(config, _spread(config["pool_size"], len(t.shape) - 1), t)
        return pool(b, t, window, name, channels_last=last, **options)

    return rule


def _global(kind: str):
    def rule(b, operands, config, weights, name):
        t, last = operands[0], config.get("data_format", "channels_last") == "channels_last"
        axes = range(len(t.shape) - 1) if last else range(1, len(t.shape))
        return b.reduce(t, axes, kind, config.get("keepdims", False), name)

    return rule


def _batch_norm(b, operands, config, weights, name):
    t, weights = operands[0], list(weights)
    axis = config["axis"][0] if isinstance(config["axis"], (list, tuple)) else config["axis"]
    axis = axis - 1 if axis > 0 else axis
    n = t.shape[axis]
    gamma = weights.pop(0) if config["scale"] else np.ones(n)
    beta = weights.pop(0) if config["center"] else np.zeros(n)
    return b.batch_norm(t, gamma, beta, *weights, config["epsilon"], axis, name)


def _relu(b, operands, config, weights, name):
    slope, top, threshold = (config.get(k) or 0.0 for k in ("negative_slope", "max_value", "threshold"))
    if threshold:
        raise UnsupportedLayerError(
            f"ReLU with threshold {threshold} jumps; it is continuous for threshold 0"
        )
    if config.get("max_value") is None:
        return b.emit(layers.LeakyRelu(slope) if slope else layers.Relu(), operands, name)
    return b.emit(
        layers.PiecewiseLinear([0, top], [slope, 1, 0], label=f"ReLU up to {top:g}"), operands, name
    )


def _softmax(b, operands, config, weights, name):
    if config.get("axis", -1) not in (-1, len(operands[0].shape)):
        raise UnsupportedLayerError(f"Softmax over axis {config['axis']}; only the last axis is read")
    return activate(b, operands[0], "softmax", name)


def _sample_axis(axis: int) -> int:
    if axis == 0:
        raise UnsupportedLayerError("axis 0 is the batch; name an axis of a sample")
    return axis - 1 if axis > 0 else axis


def _sides(value, rank: int) -> list[tuple[int, int]]:
    value = [value] * rank if isinstance(value, int) else value
    pairs = [value] if rank == 1 and all(isinstance(v, int) for v in value) else value
    return [(v, v) if isinstance(v, int) else tuple(v) for v in pairs]


def _zero_padding(b, operands, config, weights, name):
    t = operands[0]
    sides = _sides(config["padding"], len(t.shape) - 1)
    last = config.get("data_format", "channels_last") != "channels_first"
    sides = [*sides, (0, 0)] if last else [(0, 0), *sides]
    return b.pad(t, [s[0] for s in sides], [s[1] for s in sides], 0.0, name)


def _chain(factors: Callable[[int], list[float]]):
    return lambda b, operands, config, weights, name: b.add(operands, factors(len(operands)), name)


def _same(b, operands, config, weights, name):
    return operands[0]


_RULES = {
    **dict.fromkeys([f"Conv{d}D" for d in "123"], _conv),
    **dict.fromkeys([f"DepthwiseConv{d}D" for d in "12"], _depthwise),
    **dict.fromkeys([f"MaxPooling{d}D" for d in "123"], _pool(max_pool)),
    **dict.fromkeys([f"AveragePooling{d}D" for d in "123"], _pool(average_pool, count_padding=False)),
    **dict.fromkeys([f"GlobalAveragePooling{d}D" for d in "123"], _global("mean")),
    **dict.fromkeys([f"GlobalMaxPooling{d}D" for d in "123"], _global("max")),
    **dict.fromkeys([f"ZeroPadding{d}D" for d in "123"], _zero_padding),
    **dict.fromkeys(
        ["Dropout", "GaussianDropout", "GaussianNoise", "InputLayer", "ActivityRegularization"], _same
    ),
    **dict.fromkeys([f"SpatialDropout{d}D" for d in "123"], _same),
    "Activation": _same,
    "Add": _chain(lambda n: [1.0] * n),
    "Average": _chain(lambda n: [1.0 / n] * n),
    "BatchNormalization": _batch_norm,
    "Concatenate": lambda b, o, c, w, name: b.concat(o, _sample_axis(c["axis"]), name),
    "Dense": _dense,
    "Flatten": lambda b, o, c, w, name: b.flatten(o[0]),
    "Identity": _same,
    "LeakyReLU": lambda b, o, c, w, name: b.emit(layers.LeakyRelu(c["negative_slope"]), o, name),
    "Maximum": lambda b, o, c, w, name: b.maximum(o, name),
    "Minimum": lambda b, o, c, w, name: b.maximum(o, name, -1),
    "PReLU": lambda b, o, c, w, name: b.prelu(o[0], w[0], name),
    "Permute": lambda b, o, c, w, name: b.transpose(o[0], [k - 1 for k in c["dims"]], name),
    "ReLU": _relu,
    "Rescaling": lambda b, o, c, w, name: b.scale(
        o[0], np.asarray(c["scale"]), np.asarray(c["offset"]), name
    ),
    "Reshape": lambda b, o, c, w, name: b.reshape(o[0], c["target_shape"]),
    "Softmax": _softmax,
    "Subtract": _chain(lambda n: [1.0, -1.0]),
}

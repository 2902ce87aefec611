"""What torch's modules and functions on images do, on `Tensor`s: convolutions, pools, paddings, resampling.

A map that only moves entries is read off torch's own function, from where it takes the numbers 0, 1, 2, …; one that is
linear in each channel from what it makes of the unit images of a channel.
"""

import math
import sys
from itertools import product

import numpy as np
from scipy import sparse

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.tensors import Builder
from hjsym.frontends.torch_steps import all_axes, module_step, to_array
from hjsym.frontends.windows import Window, average_pool, convolution, max_pool, transposed_convolution
from tropical.sparse import as_weights

__all__ = ["FUNCTIONS", "MODULES"]


# ---- convolutions --------------------------------------------------------------------------------------


def conv(b: Builder, t, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, name=""):
    weight, rank = to_array(weight), weight.ndim - 2
    stride, dilation = all_axes(stride, rank), all_axes(dilation, rank)
    if padding == "same":
        extra = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        before, after = tuple(n // 2 for n in extra), tuple(n - n // 2 for n in extra)
    else:
        before = after = all_axes(0 if padding == "valid" else padding, rank)
    window = Window.of(weight.shape[2:], stride, dilation, before, after)
    return convolution(b, t, weight, to_array(bias), window, groups, name)


def conv_transposed(
    b: Builder, t, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1, name=""
):
    weight, rank = to_array(weight), weight.ndim - 2
    stride, padding, extra, dilation = (
        all_axes(v, rank) for v in (stride, padding, output_padding, dilation)
    )
    kernel = weight.shape[2:]
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(t.shape[1:], stride, padding, dilation, kernel, extra, strict=True)
    ]
    window = Window.of(kernel, stride, dilation, padding)
    return transposed_convolution(b, t, weight, to_array(bias), window, groups, sizes, name)


def _exported(b: Builder, t, w, c, stride, padding, dilation, transposed, output_padding, groups):
    """aten's convolution, which is both."""
    if transposed:
        return conv_transposed(b, t, w, c, stride, padding, output_padding, groups, dilation)
    return conv(b, t, w, c, stride, padding, dilation, groups)


def _conv_module(b: Builder, m, t, name):
    padding = m.padding
    if m.padding_mode != "zeros":
        t, padding = pad(b, t, m._reversed_padding_repeated_twice, m.padding_mode, name=name), 0
    return conv(b, t, m.weight, m.bias, m.stride, padding, m.dilation, m.groups, name)


# ---- pools ---------------------------------------------------------------------------------------------


def _pool_window(t, kernel_size, stride, padding, dilation, ceil_mode) -> Window:
    rank = len(t.shape) - 1
    kernel = all_axes(kernel_size, rank)
    stride = kernel if stride is None or stride == [] else all_axes(stride, rank)
    padding, dilation = all_axes(padding, rank), all_axes(dilation, rank)
    return Window.of(kernel, stride, dilation, padding, None, ceil_mode)


def maximum_pool(
    b: Builder,
    t,
    kernel_size,
    stride=None,
    padding=0,
    dilation=1,
    ceil_mode=False,
    return_indices=False,
    name="",
):
    if return_indices:
        raise UnsupportedLayerError("a max pool that also returns indices")
    return max_pool(b, t, _pool_window(t, kernel_size, stride, padding, dilation, ceil_mode), name)


def mean_pool(
    b: Builder, t, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
    divisor_override=None, name="",
):  # fmt: skip
    window = _pool_window(t, kernel_size, stride, padding, 1, ceil_mode)
    return average_pool(b, t, window, name, count_padding=count_include_pad, divisor=divisor_override)


def adaptive_mean(b: Builder, t, output_size, name=""):
    windows, shape = _adaptive_windows(t, output_size)
    area = math.prod(t.shape[1:])
    rows = np.repeat(np.arange(len(windows)), [len(w) for w in windows])
    data = np.concatenate([np.full(len(w), 1 / len(w)) for w in windows])
    matrix = sparse.coo_array((data, (rows, np.concatenate(windows))), (len(windows), area))
    return _on_channels(b, t, matrix, shape, name)


def adaptive_max(b: Builder, t, output_size, return_indices=False, name=""):
    if return_indices:
        raise UnsupportedLayerError("a max pool that also returns indices")
    windows, shape = _adaptive_windows(t, output_size)
    width, area = max(map(len, windows)), math.prod(t.shape[1:])
    b.spend(t.shape[0] * len(windows) * width, "the windows of an adaptive pool")
    groups = np.array([np.resize(w, width) for w in windows])  # a shorter one repeats its entries
    groups = groups + area * np.arange(t.shape[0])[:, None, None]
    return b.emit(layers.Maximum(groups.reshape(-1, width)), [t], name, (t.shape[0], *shape))


def _adaptive_windows(t, output_size) -> tuple[list[np.ndarray], tuple[int, ...]]:
    """The places of an image that each output pools: along an axis ⌊in/m⌋ … ⌈(i + 1)n/m⌉."""
    sizes = t.shape[1:]
    wanted = tuple(
        n if m is None else m for n, m in zip(sizes, all_axes(output_size, len(sizes)), strict=True)
    )
    places = np.arange(math.prod(sizes)).reshape(sizes)
    spans = [
        [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(sizes, wanted, strict=True)
    ]
    return [places[window].ravel() for window in product(*spans)], wanted


def _on_channels(b: Builder, t, matrix, shape: tuple[int, ...], name: str):
    """A matrix (outputs, area) applied to each channel."""
    matrix = sparse.coo_array(matrix)
    b.spend(t.shape[0] * matrix.nnz, "a linear map of images")
    whole = sparse.kron(sparse.eye_array(t.shape[0]), matrix, format="csr")
    layer = layers.Affine(as_weights("weight", whole), np.zeros(whole.shape[0]))
    return b.emit(layer, [t], name, (t.shape[0], *shape))


# ---- paddings and resampling ---------------------------------------------------------------------------


def pad(b: Builder, t, amounts, mode="constant", value=None, name=""):
    if len(amounts) > 2 * len(t.shape):
        raise UnsupportedLayerError(f"padding by {amounts} of values of shape {t.shape} a sample")
    if mode != "constant":
        function = sys.modules["torch"].nn.functional.pad
        return _moved(b, t, lambda places: function(places, tuple(amounts), mode), name)
    rank = len(t.shape)
    amounts = [*amounts, *[0] * (2 * rank - len(amounts))]
    return b.pad(t, amounts[0::2][::-1], amounts[1::2][::-1], value or 0.0, name)


def _moved(b: Builder, t, function, name=""):
    """A map that only moves, repeats or leaves out entries."""
    torch = sys.modules["torch"]
    places = torch.arange(math.prod(t.shape), dtype=torch.float64).reshape(1, *t.shape)
    found = function(places)
    if found.shape[0] != 1:
        raise UnsupportedLayerError("it repeats samples")
    return b.take(t, found[0].numpy().astype(np.int64), name)


def _resampled(b: Builder, t, function, name=""):
    """A map that is linear in each channel, and the same for all."""
    torch, sizes = sys.modules["torch"], t.shape[1:]
    area = math.prod(sizes)
    b.spend(area**2, "the unit images of a channel")
    found = function(torch.eye(area, dtype=torch.float64).reshape(area, 1, *sizes))
    return _on_channels(b, t, found.reshape(area, -1).numpy().T, tuple(found.shape[2:]), name)


def interpolate(b: Builder, t, size=None, scale_factor=None, mode="nearest", name="", **options):
    """Nearest neighbours move entries; linear and cubic interpolation are linear in them."""
    function = sys.modules["torch"].nn.functional.interpolate
    way = _moved if mode.startswith("nearest") else _resampled
    return way(b, t, lambda image: function(image, size, scale_factor, mode, **options), name)


def moving(name: str, namespace: str = ""):
    """A step of one of torch's functions that move entries."""

    def step(b: Builder, t, *arguments, **keywords):
        torch = sys.modules["torch"]
        function = getattr(torch.nn.functional if namespace else torch, name)
        return _moved(b, t, lambda places: function(places, *arguments, **keywords))

    return step


def _moving_module(b: Builder, m, t, name):
    return _moved(b, t, m, name)


def _upsample_module(b: Builder, m, t, name):
    return (_moved if m.mode.startswith("nearest") else _resampled)(b, t, m, name)


FUNCTIONS = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), conv),
    **dict.fromkeys([f"conv_transpose{d}d" for d in "123"], conv_transposed),
    **dict.fromkeys(
        [f"{p}max_pool{d}d{s}" for d in "123" for p in ("", "_") for s in ("", "_with_indices")]
        + ["boolean_dispatch"],
        maximum_pool,
    ),
    **dict.fromkeys([f"avg_pool{d}d" for d in "123"], mean_pool),
    **dict.fromkeys([f"adaptive_avg_pool{d}d" for d in "123"], adaptive_mean),
    **dict.fromkeys([f"adaptive_max_pool{d}d" for d in "123"], adaptive_max),
    **{name: moving(name) for name in ("flip", "roll")},
    **{name: moving(name, "functional") for name in ("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")},
    "convolution": _exported,
    "interpolate": interpolate,
    "pad": pad,
}

MODULES = {
    **dict.fromkeys([f"Conv{d}d" for d in "123"], _conv_module),
    **dict.fromkeys(
        [f"ConvTranspose{d}d" for d in "123"],
        module_step(
            conv_transposed, "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation"
        ),
    ),
    **dict.fromkeys(
        [f"MaxPool{d}d" for d in "123"],
        module_step(
            maximum_pool, "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"
        ),
    ),
    "AvgPool1d": module_step(mean_pool, "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    **dict.fromkeys(
        ("AvgPool2d", "AvgPool3d"),
        module_step(
            mean_pool,
            "kernel_size",
            "stride",
            "padding",
            "ceil_mode",
            "count_include_pad",
            "divisor_override",
        ),
    ),
    **dict.fromkeys([f"AdaptiveAvgPool{d}d" for d in "123"], module_step(adaptive_mean, "output_size")),
    **dict.fromkeys(
        [f"AdaptiveMaxPool{d}d" for d in "123"], module_step(adaptive_max, "output_size", "return_indices")
    ),
    **dict.fromkeys(
        [f"ConstantPad{d}d" for d in "123"],
        lambda b, m, t, name: pad(b, t, m.padding, value=m.value, name=name),
    ),
    **dict.fromkeys([f"ZeroPad{d}d" for d in "123"], lambda b, m, t, name: pad(b, t, m.padding, name=name)),
    **dict.fromkeys(
        [f"{kind}Pad{d}d" for d in "123" for kind in ("Reflection", "Replication", "Circular")]
        + ["PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "UpsamplingNearest2d"],
        _moving_module,
    ),
    "Upsample": _upsample_module,
    "UpsamplingBilinear2d": _upsample_module,
}

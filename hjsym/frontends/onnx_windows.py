"""ONNX operators that move a window over an image: convolutions and pools."""

from hjsym.errors import ModelFileError
from hjsym.frontends.onnx_operands import numbers_of, optional, value_of
from hjsym.frontends.windows import Window, average_pool, convolution, max_pool, transposed_convolution

__all__ = ["WINDOW_OPERATORS"]


def _read_window(attributes, kernel, sizes) -> Window:
    rank = len(sizes)
    stride, dilation = (tuple(attributes.get(k, [1] * rank)) for k in ("strides", "dilations"))
    pads = attributes.get("pads", [0] * 2 * rank)
    mode = attributes.get("auto_pad", b"NOTSET")
    if len(pads) != 2 * rank or not len(kernel) == len(stride) == len(dilation) == rank:
        raise ModelFileError(
            f"kernel {kernel}, strides {stride}, dilations {dilation}, pads {pads} of {rank} axes"
        )
    if mode in (b"SAME_UPPER", b"SAME_LOWER"):
        return Window.same(sizes, kernel, stride, dilation, mode == b"SAME_UPPER")
    if mode not in (b"NOTSET", b"VALID"):
        raise ModelFileError(f"auto_pad {mode!r}")
    pads = [0] * 2 * rank if mode == b"VALID" else pads
    return Window.of(
        kernel, stride, dilation, tuple(pads[:rank]), tuple(pads[rank:]), attributes.get("ceil_mode", 0)
    )


def _read_conv(reader, node, operands, attributes):
    value, weight = value_of(operands[0], "Conv"), numbers_of(operands[1], "weights of Conv")
    kernel = tuple(attributes.get("kernel_shape", weight.shape[2:]))
    window = _read_window(attributes, kernel, value.shape[1:])
    bias = None if optional(operands, 2) is None else numbers_of(operands[2], "bias of Conv")
    return convolution(reader.builder, value, weight, bias, window, attributes.get("group", 1), node.name)


def _read_transposed_conv(reader, node, operands, attributes):
    value, weight = (
        value_of(operands[0], "ConvTranspose"),
        numbers_of(operands[1], "weights of ConvTranspose"),
    )
    kernel, before = tuple(attributes.get("kernel_shape", weight.shape[2:])), value.shape[1:]
    plain = _read_window(
        {k: v for k, v in attributes.items() if k in ("strides", "dilations", "pads")}, kernel, before
    )
    extra = attributes.get("output_padding", [0] * len(before))
    parts = zip(before, kernel, plain.stride, plain.dilation, extra, strict=True)
    full = [s * (n - 1) + d * (k - 1) + 1 + e for n, k, s, d, e in parts]
    mode, wanted = attributes.get("auto_pad", b"NOTSET"), attributes.get("output_shape")
    if wanted is None and mode in (b"SAME_UPPER", b"SAME_LOWER"):
        wanted = [n * s for n, s in zip(before, plain.stride, strict=True)]
    if wanted is None:
        pads = zip(plain.before, plain.after, strict=True) if mode != b"VALID" else [(0, 0)] * len(full)
        sizes = [n - a - b for n, (a, b) in zip(full, pads, strict=True)]
        window = plain if mode != b"VALID" else Window.of(kernel, plain.stride, plain.dilation)
    else:
        sizes = list(wanted)[-len(full) :]
        totals = [max(n - m, 0) for n, m in zip(full, sizes, strict=True)]
        first = [t // 2 if mode == b"SAME_UPPER" else t - t // 2 for t in totals]
        rest = [t - a for t, a in zip(totals, first, strict=True)]
        window = Window.of(kernel, plain.stride, plain.dilation, tuple(first), tuple(rest))
    bias = None if optional(operands, 2) is None else numbers_of(operands[2], "bias of ConvTranspose")
    groups = attributes.get("group", 1)
    return transposed_convolution(reader.builder, value, weight, bias, window, groups, sizes, node.name)


def _read_pool(pool, **options):
    def read(reader, node, operands, attributes):
        value = value_of(operands[0], node.op_type)
        if "kernel_shape" not in attributes:
            raise ModelFileError("a pool without kernel_shape; the file is damaged")
        window = _read_window(attributes, tuple(attributes["kernel_shape"]), value.shape[1:])
        extra = {k: bool(attributes.get(v, 0)) for k, v in options.items()}
        return pool(reader.builder, value, window, node.name, **extra)

    return read


WINDOW_OPERATORS = {
    "AveragePool": _read_pool(average_pool, count_padding="count_include_pad"),
    "Conv": _read_conv,
    "ConvTranspose": _read_transposed_conv,
    "MaxPool": _read_pool(max_pool),
}

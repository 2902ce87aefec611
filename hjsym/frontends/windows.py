"""Convolutions and pools as layers of flat vectors: which entries each window sees, on any number of axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.tensors import Builder, Tensor
from tropical.sparse import SparseMatrix

__all__ = ["Window", "average_pool", "convolution", "max_pool", "transposed_convolution"]

_MAX_PARAMETER = 1 << 31  # of a length, stride or padding: beyond it index arithmetic could overflow


@dataclass(frozen=True)
class Window:
    """How a window of `kernel` moves over the axes of an image, one entry an axis.

    `before` and `after` are the padding; `ceil` keeps a last window that sticks out of it, if it starts inside.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    ceil: bool = False

    @classmethod
    def of(cls, kernel, stride=1, dilation=1, before=0, after=None, ceil: bool = False) -> "Window":
        """From numbers, which stand for all axes, or sequences."""
        kernel = tuple(int(k) for k in kernel)
        after = before if after is None else after
        spread = [
            tuple(int(n) for n in (v if isinstance(v, Sequence) else [v] * len(kernel)))
            for v in (stride, dilation, before, after)
        ]
        return cls(kernel, *spread, bool(ceil))

    @classmethod
    def same(cls, sizes, kernel, stride, dilation, upper: bool = True) -> "Window":
        """With the padding that makes ⌈size/stride⌉ windows; the odd one goes behind, if `upper`."""
        before, after = [], []
        for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
            total = max((-(-n // max(s, 1)) - 1) * s + (k - 1) * d + 1 - n, 0)
            before.append(total // 2 if upper else total - total // 2)
            after.append(total - before[-1])
        return cls.of(kernel, tuple(stride), tuple(dilation), tuple(before), tuple(after))

    def counts(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """How many windows there are along each axis; refuses what makes no sense."""
        parts = (self.kernel, self.stride, self.dilation, self.before, self.after)
        if any(len(part) != len(sizes) for part in parts):
            raise UnsupportedLayerError(
                f"a window of {' '.join(map(str, parts))} (kernel, stride, dilation, padding before and after) "
                f"over {len(sizes)} axes"
            )
        counts = []
        for n, k, s, d, a, b in zip(sizes, *parts, strict=True):
            if min(k, s, d) < 1 or min(a, b) < 0 or max(k, s, d, a, b) > _MAX_PARAMETER:
                raise UnsupportedLayerError(
                    f"a window of kernel {k}, stride {s}, dilation {d} and padding {a}, {b}; lengths from 1 and "
                    f"paddings from 0 are needed, up to {_MAX_PARAMETER:,}"
                )
            room = n + a + b - d * (k - 1) - 1
            count = room // s + 1
            if self.ceil and room % s and count * s < n + a:
                count += 1
            if room < 0:
                raise UnsupportedLayerError(
                    f"a window of kernel {k} and dilation {d} over {n} entries padded by {a}, {b}"
                )
            counts.append(count)
        return tuple(counts)

    def places(self, sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The entries of each window, −1 in the padding, and how many are inside image and padding.

        Shapes (windows, kernel) and (windows,), both flattened in C order.
        """
        rank = len(sizes)
        total, inside = np.zeros((1,) * 2 * rank, int), np.ones((1,) * 2 * rank, bool)
        padded = np.ones((1,) * rank, int)
        for axis, (n, count) in enumerate(zip(sizes, self.counts(sizes), strict=True)):
            starts = np.arange(count) * self.stride[axis] - self.before[axis]
            place = starts[:, None] + np.arange(self.kernel[axis]) * self.dilation[axis]
            shape = [1] * 2 * rank
            shape[axis], shape[rank + axis] = place.shape
            total = total * n + place.reshape(shape)
            inside = inside & ((place >= 0) & (place < n)).reshape(shape)
            present = (place < n + self.after[axis]).sum(axis=1)
            padded = padded * present.reshape([-1 if k == axis else 1 for k in range(rank)])
        total = np.where(inside, total, -1)
        windows = math.prod(self.counts(sizes))
        return total.reshape(windows, -1), padded.reshape(windows)


def _layout(t: Tensor, channels_last: bool) -> tuple[int, tuple[int, ...]]:
    """Channels and lengths of the image axes."""
    if len(t.shape) < 2:
        raise UnsupportedLayerError(
            f"a window over values of shape {t.shape} a sample; a channel axis and image axes are needed"
        )
    return (t.shape[-1], t.shape[:-1]) if channels_last else (t.shape[0], t.shape[1:])


def _joined(channels: int, counts: Sequence[int], channels_last: bool) -> tuple[int, ...]:
    return (*counts, channels) if channels_last else (channels, *counts)


def _positions(channel, place, channels: int, area: int, channels_last: bool):
    """Where an entry of a channel stands in the flat image."""
    return place * channels + channel if channels_last else channel * area + place


def convolution(
    builder: Builder, t: Tensor, weight: np.ndarray, bias, window: Window, groups: int, name: str,
    channels_last: bool = False,
) -> Tensor:  # fmt: skip
    """Cross-correlation with weight (outputs, channels / groups, *kernel), as one sparse matrix."""
    channels, sizes = _layout(t, channels_last)
    matrix = _matrix(builder, weight, window, groups, channels, sizes, channels_last)
    counts, outputs = window.counts(sizes), len(weight)
    bias, windows = _of_channels(bias, outputs), math.prod(counts)
    bias = np.tile(bias, windows) if channels_last else np.repeat(bias, windows)
    return builder.emit(layers.Affine(matrix, bias), [t], name, _joined(outputs, counts, channels_last))


def transposed_convolution(
    builder: Builder, t: Tensor, weight: np.ndarray, bias, window: Window, groups: int, sizes: Sequence[int], name: str
) -> Tensor:  # fmt: skip
    """The transpose of the convolution from an image of `sizes` to t; weight (channels, outputs / groups, *kernel)."""
    channels, before = _layout(t, False)
    outputs = groups * weight.shape[1] if weight.ndim > 1 else 0
    if min(sizes) < 1 or len(weight) != channels or window.counts(sizes) != before:
        raise UnsupportedLayerError(
            f"a transposed convolution of shape {t.shape} with weights {weight.shape} to {tuple(sizes)}"
        )
    matrix = _matrix(builder, weight, window, groups, outputs, sizes, False).T
    bias = np.repeat(_of_channels(bias, outputs), math.prod(sizes))
    return builder.emit(layers.Affine(matrix, bias), [t], name, (outputs, *sizes))


def _of_channels(bias, channels: int) -> np.ndarray:
    return np.zeros(channels) if bias is None else np.broadcast_to(np.asarray(bias, float), (channels,))


def _matrix(
    builder: Builder,
    weight: np.ndarray,
    window: Window,
    groups: int,
    channels: int,
    sizes,
    channels_last: bool,
) -> SparseMatrix:
    """The matrix of a convolution of an image of so many channels and these sizes."""
    outputs, depth = (*weight.shape, 0)[:2]
    if (
        weight.ndim != len(sizes) + 2 or window.kernel != weight.shape[2:]
        or groups < 1 or depth * groups != channels or outputs % groups or not weight.size
    ):  # fmt: skip
        raise UnsupportedLayerError(
            f"weights of shape {weight.shape} in {groups} groups with kernel {window.kernel} for {channels} channels "
            f"of shape {sizes}; (outputs, channels / groups, *kernel) is needed"
        )
    area, windows = math.prod(sizes), math.prod(window.counts(sizes))
    builder.spend(windows * weight.size, "convolution as a matrix")
    places, _ = window.places(sizes)
    group = np.arange(outputs) // (outputs // groups)
    channel = (group[:, None] * depth + np.arange(depth))[:, None, :, None]
    shape = (outputs, windows, depth, places.shape[1])
    keep = np.broadcast_to((places >= 0)[None, :, None], shape)
    columns = np.broadcast_to(
        _positions(channel, places[None, :, None], channels, area, channels_last), shape
    )
    rows = _positions(np.arange(outputs)[:, None], np.arange(windows), outputs, windows, channels_last)
    rows = np.broadcast_to(rows[:, :, None, None], shape)
    data = np.broadcast_to(weight.reshape(outputs, 1, depth, -1), shape)
    return SparseMatrix(
        (outputs * windows, channels * area), rows[keep], columns[keep], data[keep].astype(float)
    )


def _pooled(builder: Builder, t: Tensor, window: Window, channels_last: bool, what: str):
    """Entries (outputs, kernel) that each output pools, −1 in the padding; the padded counts; the shape."""
    channels, sizes = _layout(t, channels_last)
    counts = window.counts(sizes)
    builder.spend(channels * math.prod(counts) * math.prod(window.kernel), what)
    places, padded = window.places(sizes)
    area, windows = math.prod(sizes), len(places)
    members = _positions(np.arange(channels)[:, None, None], places, channels, area, channels_last)
    members = np.where(places < 0, -1, members)
    padded = np.broadcast_to(padded, (channels, windows))
    if channels_last:
        members, padded = members.swapaxes(0, 1), padded.T
    members = members.reshape(channels * windows, -1)
    return members, padded.ravel(), _joined(channels, counts, channels_last)


def max_pool(builder: Builder, t: Tensor, window: Window, name: str, channels_last: bool = False) -> Tensor:
    """The largest entry of each window; padding counts as −∞."""
    members, _, shape = _pooled(builder, t, window, channels_last, "windows of a max pool")
    real = members >= 0
    if not real.any(axis=1).all():
        raise UnsupportedLayerError(
            "a max pool has windows that lie wholly in the padding; their value is −∞"
        )
    first = members[np.arange(len(members)), real.argmax(axis=1)]
    return builder.emit(layers.Maximum(np.where(real, members, first[:, None])), [t], name, shape)


def average_pool(
    builder: Builder, t: Tensor, window: Window, name: str, *, count_padding: bool, divisor: int | None = None,
    channels_last: bool = False,
) -> Tensor:  # fmt: skip
    """The mean of each window, over its entries in the image or also over the padding's zeros."""
    members, padded, shape = _pooled(builder, t, window, channels_last, "windows of an average pool")
    real = members >= 0
    counts = padded if count_padding else real.sum(axis=1)
    counts = np.full(len(members), divisor) if divisor else counts
    if (counts == 0).any():
        raise UnsupportedLayerError("an average pool has windows that lie wholly in the padding")
    rows = np.broadcast_to(np.arange(len(members))[:, None], members.shape)[real]
    matrix = SparseMatrix((len(members), t.size), rows, members[real], 1.0 / counts[rows])
    return builder.emit(layers.Affine(matrix, np.zeros(len(members))), [t], name, shape)

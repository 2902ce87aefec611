"""Runs the kernels of transforms along an axis, on threads: floats in C order, shapes checked."""

import math
from threading import get_ident

import numpy as np

from tropical import _core
from tropical._grids import as_lines
from tropical._threads import run_in_slices

__all__ = ["hopf_cole_lines", "hopf_lax_lines", "legendre_lines"]

_POINT = 80  # multiply-adds that a point of an envelope costs
_PATIENCE = 1 << 27  # terms between two looks at signals: some tenths of a second if each is an exponential


def legendre_lines(f, axis, x, p, out, winners, n_threads) -> None:
    """Fill `out` and, unless it is None, `winners` with the transform of f along `axis`."""
    f, out, winners = (as_lines(a, axis) for a in (f, out, winners))
    blocks, width = _core.line_blocks(*f.shape)

    def some_blocks(part: slice) -> None:
        _core.legendre(f, x, p, out, winners, part.start, part.stop)

    run_in_slices(some_blocks, blocks, width * (len(x) + len(p)) * _POINT, n_threads, unit=1)


def hopf_lax_lines(f, axis, x, w, sign, out, winners, n_threads) -> None:
    """The same for the inf-convolution with w y², or for the sup-convolution if `sign` is +1."""
    f, out, winners = (as_lines(a, axis) for a in (f, out, winners))
    blocks, width = _core.line_blocks(*f.shape)

    def some_blocks(part: slice) -> None:
        _core.hopf_lax(f, x, w, -sign, out, winners, part.start, part.stop)

    run_in_slices(some_blocks, blocks, width * 2 * f.shape[1] * _POINT, n_threads, unit=1)


def hopf_cole_lines(f, axis, w, eps, cut, out, n_threads) -> None:
    """Fill `out`, which may be f, with the soft inf-convolution, up to terms e^−cut of the largest."""
    f, out = as_lines(f, axis), as_lines(out, axis)
    if f.size == 0:
        return
    n = f.shape[1]
    blocks, width = _core.line_blocks(*f.shape)
    step = max(1, _PATIENCE // (width * n) // 64) * 64
    pieces = -(-n // step)
    if pieces > 1 and np.may_share_memory(f, out):
        f = f.copy()  # what one thread reads another one may have overwritten
    transforms = {}  # one a thread: it remembers what it prepared for a block

    def some_pieces(part: slice) -> None:
        thread = get_ident()
        if thread not in transforms:
            transforms[thread] = _core.SoftTransform(f, w, eps, cut, step, out)
        transforms[thread].fill(part.start, part.stop)

    support = min(n, 2 * math.sqrt(cut * eps / w) + 64)
    cost = int(width * min(step, n) * (support + 2 * _POINT))
    run_in_slices(some_pieces, blocks * pieces, cost, n_threads, unit=1)

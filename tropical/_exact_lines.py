"""Transforms along an axis in Fractions: both are min_i (h_i − q_j x_i), found from the lower convex hull."""

import math
from bisect import bisect_left
from fractions import Fraction
from itertools import pairwise

import numpy as np

from tropical._arrays import EXACT, convert

__all__ = ["exact_hopf_lax_lines", "exact_legendre_lines"]


def exact_legendre_lines(f, axis, x, p, out, winners) -> None:
    """Fill `out` and, unless it is None, `winners` with max_i (p_j x_i − f_i) along `axis`."""
    x, p = convert(x, EXACT).tolist(), convert(p, EXACT).tolist()

    def line(f: list):
        values, won = _lowest(x, f, p)
        return [-v for v in values], won

    _each_line(line, f, axis, out, winners)


def exact_hopf_lax_lines(f, axis, x, w, sign, out, winners) -> None:
    """The same for min_i (f_i + w (x_j − x_i)²), or max_i (f_i − w (x_j − x_i)²) if `sign` is +1.

    x = None stands for 0, 1, 2, …
    """
    x = [Fraction(i) for i in range(f.shape[axis])] if x is None else convert(x, EXACT).tolist()
    squares, slopes = [w * y * y for y in x], [2 * w * y for y in x]

    def line(f: list):
        values, won = _lowest(x, [s - sign * v for s, v in zip(squares, f, strict=True)], slopes)
        return [-sign * (s + v) for s, v in zip(squares, values, strict=True)], won

    _each_line(line, f, axis, out, winners)


def _each_line(transform, f: np.ndarray, axis: int, out: np.ndarray, winners: np.ndarray | None) -> None:
    lines, results = np.moveaxis(f, axis, -1), np.moveaxis(out, axis, -1)
    for index in np.ndindex(lines.shape[:-1]):
        results[index], won = transform(lines[index].tolist())
        if winners is not None:
            np.moveaxis(winners, axis, -1)[index] = won


def _lowest(x: list, h: list, slopes: list) -> tuple[list, list[int]]:
    """min_i (h_i − q x_i) and the least i that attains it, for each q of `slopes`, which do not decrease."""

    def rise(i: int, j: int) -> Fraction:
        return (h[j] - h[i]) / (x[j] - x[i])

    hull: list[int] = []
    for i, value in enumerate(h):
        if isinstance(value, float):
            continue
        while len(hull) > 1 and rise(hull[-2], hull[-1]) >= rise(hull[-1], i):
            hull.pop()
        hull.append(i)
    if any(v != v for v in h):
        return [math.nan] * len(slopes), [-1] * len(slopes)
    if -math.inf in h:
        return [-math.inf] * len(slopes), [h.index(-math.inf)] * len(slopes)
    if not hull:
        return [math.inf] * len(slopes), [-1] * len(slopes)
    turns = [rise(i, j) for i, j in pairwise(hull)]
    winners = [hull[bisect_left(turns, q)] for q in slopes]
    return [h[i] - q * x[i] for i, q in zip(winners, slopes, strict=True)], winners

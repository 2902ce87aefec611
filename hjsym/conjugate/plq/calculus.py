"""Sums, infimal convolutions and proximal averages of convex PLQ functions, each one merge of sorted vertices: O(n)."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.plq.graph import PLQ
from tropical._arrays import EXACT, as_array, convert
from tropical.errors import InputError

__all__ = ["plq_infimal_convolution", "plq_proximal_average", "plq_sum"]


def plq_sum(*functions: PLQ) -> ConvexFunction:
    """f + g + …: slopes add at equal x. ≡ +∞ where the domains do not meet.

    Parameters
    ----------
    *functions : PLQ

    Returns
    -------
    PLQ, or Improper where it is +∞

    Examples
    --------
    >>> absolute = PLQ([0, 0], [-1, 1])
    >>> interval = PLQ([-1, 2], [0, 0], left=math.inf, right=math.inf)       # the indicator of [−1, 2]
    >>> plq_sum(absolute, interval)([-2.0, -1.0, 2.0])
    array([inf,  1.,  2.])
    """
    functions = _common(functions)
    first = max(f.ends[0] for f in functions)
    last = min(f.ends[1] for f in functions)
    hull = any(f.of_hull for f in functions)
    if first > last:
        return Improper(math.inf, 1, hull)
    x = _merged([f.x for f in functions], first, last)
    value = sum(f._values(x[:1, None])[0] for f in functions)
    if first == last:
        return PLQ(x, 0 * x, value, math.inf, math.inf, of_hull=hull)
    low = sum(f.slopes(x)[0] for f in functions)
    high = sum(f.slopes(x)[1] for f in functions)
    s = np.stack([low, high], axis=1).ravel()
    keep = np.array([math.isfinite(e) for e in s])
    left = math.inf if first > -math.inf else sum(f.left for f in functions)
    right = math.inf if last < math.inf else sum(f.right for f in functions)
    return PLQ(np.repeat(x, 2)[keep], s[keep], value, left, right, of_hull=hull)


def plq_infimal_convolution(*functions: PLQ) -> ConvexFunction:
    """(f □ g)(z) = inf_x f(x) + g(z − x): (f* + g* + …)*; ≡ −∞ where no common slope exists.

    Parameters
    ----------
    *functions : PLQ

    Returns
    -------
    PLQ, or Improper where it is −∞

    Examples
    --------
    >>> absolute, square = PLQ([0, 0], [-1, 1]), PLQ([0], [0], left=1, right=1)
    >>> plq_infimal_convolution(absolute, square)([0.5, 3.0])                # Huber's function
    array([0.125, 2.5  ])
    """
    return plq_sum(*(f.conjugate() for f in functions)).conjugate()


def plq_proximal_average(functions: Sequence[PLQ], weights=None, lam=1) -> PLQ:
    """The function whose proximal map is the mean of those of f_i, with weights α_i ≥ 0 of sum 1.

    Along z = x + λs the graph of the average is the mean of the graphs, and e_λ of it the mean of the e_λf_i.

    Parameters
    ----------
    functions : sequence of PLQ
    weights : sequence of numbers, optional
        α_i ≥ 0 of sum 1; equal by default.
    lam : number
        λ > 0.

    Returns
    -------
    PLQ

    Examples
    --------
    >>> absolute, square = PLQ([0, 0], [-1, 1]), PLQ([0], [0], left=1, right=1)
    >>> mean = plq_proximal_average([absolute, square])
    >>> float(mean.prox(1)(3.0)), (2.0 + 1.5) / 2
    (1.75, 1.75)
    """
    functions = _common(functions)
    exact = functions[0].rational
    lam = functions[0]._positive(lam)
    alpha = _weights(weights, len(functions), exact)
    z = _merged([f.x + lam * f.s for f in functions], -math.inf, math.inf)
    x = sum(a * f.prox(lam)(z) for a, f in zip(alpha, functions, strict=True))
    s = (z - x) / lam
    envelopes = (
        a * f.moreau_envelope(lam)._values(z[:1, None])[0] for a, f in zip(alpha, functions, strict=True)
    )
    value = sum(envelopes) - lam * s[0] ** 2 / 2
    ends = []
    for side in ("left", "right"):
        curvatures = [getattr(f, side) for f in functions]
        rate = sum(a / (1 + lam * k) for a, k in zip(alpha, curvatures, strict=True) if k != math.inf)
        ends.append(math.inf if rate == 0 else max((1 / rate - 1) / lam, 0 * lam))
    if not exact:  # means of rising sequences rise, but for rounding
        x, s = np.maximum.accumulate(x), np.maximum.accumulate(s)
    return PLQ(x, s, value, *ends, of_hull=any(f.of_hull for f in functions))


def _common(functions: Sequence[PLQ]) -> list[PLQ]:
    """All exact where one is."""
    functions = list(functions)
    if not functions or not all(isinstance(f, PLQ) for f in functions):
        raise InputError(f"got {functions}; pass one or more PLQ functions")
    if not any(f.rational for f in functions):
        return functions
    return [
        f
        if f.rational
        else PLQ(
            convert(f.x, EXACT), convert(f.s, EXACT), Fraction(f.value), f.left, f.right, of_hull=f.of_hull
        )
        for f in functions
    ]


def _weights(weights, n: int, exact: bool) -> list:
    if weights is None:
        return [Fraction(1, n) if exact else 1 / n] * n
    alpha = [Fraction(w) if exact else float(w) for w in as_array("weights", weights)]
    if len(alpha) != n or min(alpha) < 0 or abs(sum(alpha) - 1) > n * 2.0**-50:
        raise InputError(f"weights are {weights}; pass {n} numbers >= 0 of sum 1")
    return alpha


def _merged(vertices: list[np.ndarray], first, last) -> np.ndarray:
    """Distinct coordinates of all in [first, last], with its finite ends."""
    ends = [e for e in (first, last) if math.isfinite(e)]
    every = np.concatenate([*vertices, np.array(ends, vertices[0].dtype)])
    every = every[(every >= first) & (every <= last)]
    every = np.sort(every)
    return every[np.concatenate([[True], every[1:] != every[:-1]])]

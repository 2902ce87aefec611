"""Largest and smallest values of networks, and margins of their decisions: exact by regions, bounded by programs.

Each takes what `hjsym.compile` returns or takes, or a function of `tropical`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

import tropical
from hjsym.compile import TropicalNetwork, compile
from hjsym.layers import Affine, Layer, Maximum
from hjsym.network import Network, Node
from tropical import Box, Circuit, Extremum, Polynomial, Rational
from tropical.domain import Domain, as_domain
from tropical.errors import BudgetExceeded, InputError

__all__ = ["as_function", "least_margin", "maximize", "minimize"]

_METHODS = ("auto", "regions", "milp")
_CORNERS = 12  # in more dimensions than this a box has more corners than a cell may have


def as_function(f) -> Rational | Circuit | Polynomial:
    """A function of `tropical` as it is; anything else compiled."""
    return f if isinstance(f, Rational | Circuit | Polynomial) else compile(f)


def maximize(
    f,
    domain: Domain | None = None,
    *,
    output: int = 0,
    method: str = "auto",
    time_limit: float = 60.0,
    gap: float = 1e-6,
    max_regions: int = 100_000,
    **options,
) -> Extremum:
    """The largest value of one output of a network over a domain, or a value and a bound that it lies between.

    Parameters
    ----------
    f : network or function of `tropical`
        At ε = 0.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default; for "milp" a bounded one. On a slice, points are in its coordinates.
    output : int
        Which output, where there are several.
    method : "auto", "regions" or "milp"
        By all linear regions, which is exact, see `tropical.maximize`; or by mixed-integer programming, for networks
        with too many regions. "auto" takes the first and falls back to the second.
    time_limit : float
        Seconds after which "milp" returns what it has proved, give or take one linear program.
    gap : float
        "milp" is content with a bound within gap · max(1, |value|) of the value.
    max_regions : int
        Budget of "regions".
    **options
        As for `tropical.linear_regions`.

    Returns
    -------
    Extremum
        ``value`` is what f is at ``point``, exactly, by either method. ``bound`` is proved: by "regions" it is the
        value itself, by "milp" a float just above, or not so near if the time was up. ``solver_bound`` is what
        HiGHS says, which holds to its tolerances alone.

    Raises
    ------
    BudgetExceeded
        Too many regions, and no network or bounded domain that "milp" could take.
    InputError
        For "milp" an unbounded domain, or a polyhedron without an interior point.

    Notes
    -----
    By "milp", intervals bound what enters each gate, rounded outwards, and for up to a quarter of the time linear
    programs tighten them. The gates that can bend become binaries, and `scipy.optimize.milp` (HiGHS) looks for a
    point. Its bound is not taken on trust: a tree of linear relaxations is searched until the bounds that their
    multipliers prove, with all roundings counted, come down to the value. Cost: exponential in the gates that can
    bend on the domain, so small domains are easy; each node of the tree is one linear program.

    References
    ----------
    V. Tjeng, K. Xiao, R. Tedrake, "Evaluating robustness of neural networks with mixed integer programming", ICLR
    2019, for the programs; A. Neumaier, O. Shcherbina, "Safe bounds in linear and mixed-integer linear programming",
    Mathematical Programming 99 (2004), for the proofs.

    Examples
    --------
    >>> from tropical import Box
    >>> net = [([[1.0], [1.0]], [0.0, -1.0]), ([[1.0, -3.0]], [0.5])]
    >>> top = maximize(net, Box(-2, 4))
    >>> top.value, top.point, top.exact
    (Fraction(3, 2), array([Fraction(1, 1)], dtype=object), True)
    >>> top = maximize(net, Box(-2, 4), method="milp")
    >>> float(top.value), bool(top.value <= top.bound <= 1.5 + 1e-6)
    (1.5, True)
    """
    how = _How(method, time_limit, gap, {"max_regions": max_regions, **options})
    return _extreme(f, domain, output, 1, how)


def minimize(
    f,
    domain: Domain | None = None,
    *,
    output: int = 0,
    method: str = "auto",
    time_limit: float = 60.0,
    gap: float = 1e-6,
    max_regions: int = 100_000,
    **options,
) -> Extremum:
    """The smallest value of one output of a network over a domain, as in `maximize`; ``bound`` is then below it.

    Parameters
    ----------
    f, domain, output, method, time_limit, gap, max_regions, **options
        As for `maximize`.

    Returns
    -------
    Extremum
        With ``bound`` ≤ the smallest value ≤ ``value``.

    Examples
    --------
    >>> from tropical import Box
    >>> net = [([[1.0], [1.0]], [0.0, -1.0]), ([[1.0, -3.0]], [0.5])]
    >>> low = minimize(net, Box(-2, 4))
    >>> low.value, low.point, low.exact
    (Fraction(-9, 2), array([Fraction(4, 1)], dtype=object), True)
    """
    how = _How(method, time_limit, gap, {"max_regions": max_regions, **options})
    return _extreme(f, domain, output, -1, how)


def least_margin(
    f,
    label: int,
    domain: Domain,
    *,
    method: str = "auto",
    time_limit: float = 60.0,
    gap: float = 1e-6,
    max_regions: int = 100_000,
    **options,
) -> Extremum:
    """The smallest f_label(x) − max_{j ≠ label} f_j(x) over a domain: how safely all its points are of one class.

    A ``bound`` above 0 proves that every point of the domain has this class alone; a ``value`` of 0 or below comes
    with a ``point`` that has another one. With one output f the classes are 0, where f < 0, and 1, where f > 0.

    Parameters
    ----------
    f, domain, method, time_limit, gap, max_regions, **options
        As for `maximize`.
    label : int
        The class.

    Returns
    -------
    Extremum
        As of `minimize`.

    Examples
    --------
    >>> from tropical import Box
    >>> net = [([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, -1.0], [-1.0, 1.0]], [0.0, 0.0])]
    >>> least_margin(net, 0, Box([2, 0], [3, 1])).value                  # 2(x⁺ − y⁺), for x from 2 and y to 1
    Fraction(2, 1)
    >>> worst = least_margin(net, 0, Box([2, 0], [3, 5]))
    >>> worst.value, worst.point
    (Fraction(-6, 1), array([Fraction(2, 1), Fraction(5, 1)], dtype=object))
    """
    f, how = as_function(f), _How(method, time_limit, gap, {"max_regions": max_regions, **options})
    if not isinstance(f, TropicalNetwork):
        raise InputError(f"f is a {type(f).__name__}; pass a network, or what hjsym.compile makes of one")
    losses = _losses(label, f.network.output_size)

    def by_regions() -> Extremum:
        largest_loss = compile(_behind(f.network, [Affine(losses, np.zeros(len(losses))), Maximum()]))
        return _negated(tropical.maximize(largest_loss, domain, **how.regions))

    return _answer(f, domain, losses, -1, by_regions, how)


@dataclass(frozen=True)
class _How:
    """What users choose of the method; `regions` are options of `tropical.linear_regions`."""

    method: str
    time_limit: float
    gap: float
    regions: dict

    def __post_init__(self):
        if self.method not in _METHODS:
            raise InputError(f"method {self.method!r}; pass one of {', '.join(_METHODS)}")
        if not (self.time_limit > 0 and self.gap >= 0):
            raise InputError(
                f"time_limit is {self.time_limit} and gap {self.gap}; pass a time above 0 and a gap from 0 on"
            )


def _extreme(f, domain, output: int, sign: int, how: _How) -> Extremum:
    f = as_function(f)

    def by_regions() -> Extremum:
        ask = tropical.maximize if sign > 0 else tropical.minimize
        return ask(f, domain, output=output, **how.regions)

    if not isinstance(f, TropicalNetwork):
        if how.method == "milp":
            raise InputError(
                f"f is a {type(f).__name__}; for 'milp' pass a network, or what hjsym.compile returns"
            )
        return by_regions()
    if not 0 <= output < f.network.output_size:
        raise InputError(f"output {output} of {f.network.output_size}; outputs count from 0")
    return _answer(f, domain, sign * np.eye(1, f.network.output_size, output), sign, by_regions, how)


def _answer(
    f: TropicalNetwork,
    domain,
    objectives: np.ndarray,
    sign: int,
    by_regions: Callable[[], Extremum],
    how: _How,
) -> Extremum:
    """`sign` times the largest of objectives @ f(x)."""
    if not (f.P.is_tropical and f.Q.is_tropical):
        raise InputError(
            "a gate is at eps > 0, where extreme values are not those of regions; deform(0) first"
        )
    domain = as_domain(domain)
    if how.method == "regions" or (how.method == "auto" and not _has_many_corners(domain, f.variables)):
        try:
            return by_regions()
        except BudgetExceeded:
            if how.method == "regions" or not _is_bounded(domain, f.variables):
                raise
    from hjsym.optimum.branch_and_bound import largest_by_programs  # a fifth of the time to import hjsym

    found = largest_by_programs(f.network, domain, objectives, how.time_limit, how.gap)
    return found if sign > 0 else _negated(found)


def _has_many_corners(domain: Domain, d: int) -> bool:
    return isinstance(domain, Box) and d > _CORNERS


def _is_bounded(domain: Domain, d: int) -> bool:
    from hjsym.optimum.bounded import BoundedDomain  # scipy.optimize, as above

    with suppress(InputError):
        BoundedDomain(domain, d)
        return True
    return False


def _behind(network: Network, more: list[Layer]) -> Network:
    """The network with more layers at its end."""
    nodes = list(network.nodes)
    for layer in more:
        nodes.append(Node(layer, (len(nodes),)))
    return Network(network.input_size, tuple(nodes), exact=network.exact)


def _negated(e: Extremum) -> Extremum:
    solver_bound = None if e.solver_bound is None else -e.solver_bound
    return Extremum(-e.value, e.point, e.direction, -e.bound, solver_bound)


def _losses(label: int, outputs: int) -> np.ndarray:
    """The rows f_j − f_label, j ≠ label."""
    if not 0 <= label < max(outputs, 2):
        raise InputError(f"label {label} of {max(outputs, 2)} classes; classes count from 0")
    if outputs == 1:
        return np.array([[-1.0 if label else 1.0]])
    eye = np.eye(outputs)
    return np.delete(eye, label, axis=0) - eye[label]

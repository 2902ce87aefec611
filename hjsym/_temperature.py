"""A function at every temperature on a line or a rectangle, and pictures of it."""

from dataclasses import dataclass, replace

import numpy as np

from hjsym.compile import TropicalNetwork, compile
from hjsym.hopf import KernelGauge, LSELayer
from hjsym.layers import Maximum, PiecewiseLinear
from tropical import Box, Circuit, Polynomial, PolynomialMap, Rational, Slice
from tropical._figures import GREY, INK, PALETTE
from tropical.domain import as_domain
from tropical.errors import BudgetExceeded, InputError

__all__ = ["Sweep", "draw", "sweep"]

_MOST_WEIGHTS = 1 << 24  # of all points and terms: an eighth of a gigabyte
_MOST_POINTS = 1_000_000
_NAMED = 6  # terms or outputs with a colour of their own on a line


@dataclass(frozen=True, eq=False)
class Sweep:
    """A function and where it is looked at.

    Attributes
    ----------
    f : Polynomial, PolynomialMap, Rational or Circuit, in floats
    axes : tuple of one or two (n,) arrays
        Coordinates on the line or in the rectangle.
    points : (..., d) array
        Those of the space, y before x.
    """

    f: Polynomial | PolynomialMap | Rational | Circuit
    axes: tuple[np.ndarray, ...]
    points: np.ndarray

    @property
    def own_temperature(self) -> float:
        """Of a polynomial, or of a network whose gates have one in common; else 0."""
        if isinstance(self.f, Polynomial):
            return self.f.semiring.eps
        nodes = self.f.network.nodes if isinstance(self.f, TropicalNetwork) else ()
        found = {node.layer.eps for node in nodes if isinstance(node.layer, PiecewiseLinear | Maximum)}
        return found.pop() if len(found) == 1 else 0.0

    def at(self, eps: float):
        """f_ε."""
        if isinstance(self.f, PolynomialMap):
            return PolynomialMap([p.deform(eps) for p in self.f])
        return self.f.deform(eps)

    def values(self, eps: float) -> np.ndarray:
        """f_ε at the points, (..., m)."""
        values = self.at(eps)(self.points)
        return values if values.ndim == self.points.ndim else values[..., None]

    @property
    def has_terms(self) -> bool:
        """Whether weights of terms are few enough to be drawn."""
        return (
            isinstance(self.f, Polynomial)
            and len(self.f) * (self.points.size // self.f.variables) <= _MOST_WEIGHTS
        )

    def bound(self, eps: float) -> float:
        """What |f_ε − f_0| is proved to be at most, everywhere."""
        if isinstance(self.f, PolynomialMap):
            return max(p.deform(eps).deformation_bound() for p in self.f)
        return float(np.max(self.at(eps).deformation_bound()))


def sweep(source, domain, resolution: int | None) -> Sweep:
    """A source as users pass it, on a grid of the domain."""
    f = _function(source)
    chart, low, high = _window(domain, f.variables)
    k = len(low)
    resolution = {1: 401, 2: 141}[k] if resolution is None else resolution
    if int(resolution) != resolution or resolution < 2:
        raise InputError(f"resolution is {resolution}; pass the points along each axis, at least 2")
    if resolution**k > _MOST_POINTS:
        raise BudgetExceeded("points", resolution**k, _MOST_POINTS, "pass a smaller resolution")
    axes = tuple(np.linspace(a, b, int(resolution)) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(*axes), axis=-1) if k == 2 else axes[0][:, None]
    return Sweep(f, axes, grid @ chart[:, :-1].T + chart[:, -1])


def _function(source):
    """In floats, with a method `deform`, or a map of polynomials."""
    f = source.layer if isinstance(source, KernelGauge) else source
    f = f.polynomial if isinstance(f, LSELayer) else f
    if not isinstance(f, Polynomial | PolynomialMap | Rational | Circuit):
        f = compile(f)
    if isinstance(f, TropicalNetwork):
        return compile(f.network.to_float()) if f.is_exact else f
    if isinstance(f, PolynomialMap):
        return PolynomialMap([p.to_float() if p.is_exact else p for p in f])
    if f.is_exact and isinstance(f, Circuit):
        raise InputError("the circuit is over Fractions, where only ε = 0 exists; pass one in floats")
    return f.to_float() if f.is_exact else f


def _window(domain, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (directions, origin) of the points of space in coordinates s, and the bounds of s."""
    domain = as_domain(domain)
    inside = domain.within if isinstance(domain, Slice) else domain
    k = len(domain.directions) if isinstance(domain, Slice) else d
    if k not in (1, 2):
        raise InputError(
            f"the domain has {k} dimensions; pass a Slice along one or two directions, within a Box: "
            "Slice(origin, directions, Box(-1, 1))"
        )
    if not isinstance(inside, Box):
        raise InputError("the domain is unbounded or no box; pass (low, high), or a Slice within a Box")
    low, high = (np.array([float(v) for v in bound]) for bound in inside.bounds(k))
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise InputError("the box is unbounded or flat; pass finite low < high in each direction")
    whole = replace(domain, within=None) if isinstance(domain, Slice) else domain
    return np.array(whole.chart(d), dtype=float), low, high


# ---- pictures ------------------------------------------------------------------------------------------


def draw(figure, on: Sweep, eps: float, values: np.ndarray, cold: np.ndarray) -> None:
    """The values at a temperature, and those at 0 beside them."""
    if len(on.axes) == 1:
        _draw_line(figure, on, eps, values, cold)
    else:
        _draw_rectangle(figure.add_subplot(), on, eps, values, cold)


def _draw_line(figure, on: Sweep, eps: float, values: np.ndarray, cold: np.ndarray) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1)) if on.has_terms else (None, None)
    upper = figure.subplots() if upper is None else upper
    x = on.axes[0]
    for i in range(values.shape[1]):
        name = "" if values.shape[1] == 1 else f"{i + 1}"
        color = PALETTE[i] if i < _NAMED else GREY
        upper.plot(x, cold[:, i], color=INK, linewidth=0.9, linestyle="--", label="f₀" if i == 0 else None)
        upper.plot(x, values[:, i], color=color, linewidth=1.8, label=f"f{name} at ε" if i < _NAMED else None)
    upper.legend()
    if lower is not None:
        _draw_weights(lower, x, on.at(eps).weights(on.points))
    (lower or upper).set_xlabel("x" if on.f.variables == 1 else "s")


def _draw_weights(ax, x: np.ndarray, weights: np.ndarray) -> None:
    """Shares of the terms that are large somewhere, one above the other."""
    largest = np.argsort(-weights.max(axis=0), kind="stable")[:_NAMED]
    largest = np.sort(largest)
    rest = np.clip(1 - weights[:, largest].sum(axis=1), 0, 1)
    colors = [*PALETTE[: len(largest)], GREY]
    ax.stackplot(x, *weights[:, largest].T, rest, colors=colors, alpha=0.6, linewidth=0)
    ax.set_ylim(0, 1)
    ax.set_ylabel("weights")


def _draw_rectangle(ax, on: Sweep, eps: float, values: np.ndarray, cold: np.ndarray) -> None:
    extent = [on.axes[0][0], on.axes[0][-1], on.axes[1][0], on.axes[1][-1]]
    how = {"origin": "lower", "extent": extent, "interpolation": "nearest"}
    if values.shape[-1] > 1:
        ax.imshow(_colors(values.argmax(axis=-1), np.full(values.shape[:2], 0.55)), **how)
        _draw_borders(ax, on, cold.argmax(axis=-1))
    elif on.has_terms:
        weights = on.at(eps).weights(on.points)
        winner = weights.argmax(axis=-1)
        ax.imshow(_colors(winner, 0.7 * np.take_along_axis(weights, winner[..., None], -1)[..., 0]), **how)
        _draw_levels(ax, on, values[..., 0])
    else:
        top = np.abs(values).max() or 1.0
        ax.imshow(values[..., 0], cmap="PuOr", vmin=-top, vmax=top, alpha=0.7, **how)
        _draw_levels(ax, on, values[..., 0])
        for some, style in ((cold, "--"), (values, "-")):
            if some.min() < 0 < some.max():
                ax.contour(*on.axes, some[..., 0], [0.0], colors=INK, linestyles=style, linewidths=1.6)
    ax.set_aspect("equal" if 0.2 < np.ptp(on.axes[0]) / np.ptp(on.axes[1]) < 5 else "auto")
    ax.grid(False)
    names = ("x1", "x2") if on.f.variables == 2 else ("s1", "s2")
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])


def _colors(numbers: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """RGBA of numbers, which take the palette in turn."""
    from matplotlib.colors import to_rgb

    table = np.array([to_rgb(color) for color in PALETTE])
    return np.dstack([table[numbers % len(table)], alpha])


def _draw_levels(ax, on: Sweep, values: np.ndarray) -> None:
    if np.ptp(values) > 0:
        ax.contour(*on.axes, values, 9, colors=INK, linewidths=0.5, linestyles="-", alpha=0.6)


def _draw_borders(ax, on: Sweep, classes: np.ndarray) -> None:
    """Between classes at ε = 0."""
    for c in np.unique(classes)[1:]:
        ax.contour(*on.axes, (classes == c).astype(float), [0.5], colors=INK, linestyles="--", linewidths=1)

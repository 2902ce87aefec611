"""A row of the reproduction: an experiment of the paper, the figures it states, and ours beside them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tropical.errors import InputError

__all__ = [
    "Drawing",
    "Measurement",
    "Outcome",
    "Picture",
    "Row",
    "Study",
    "at_least",
    "at_most",
    "near",
    "shown",
]

_KINDS = ("near", "at most", "at least", "shown")


@dataclass(frozen=True)
class Measurement:
    """One figure: what is stated, what was found, and how far apart they may be.

    Attributes
    ----------
    quantity : str
        What was measured, in words and signs.
    stated : float or None
        The figure of the paper, or what mathematics says it must be; None where there is none.
    ours : float
        What was found.
    tolerance : float
        How far `ours` may be from `stated`, or beyond it for the kinds "at most" and "at least".
    reason : str
        Where the stated figure comes from and why the tolerance is what it is.
    kind : {"near", "at most", "at least", "shown"}
        How they are compared; "shown" is not.
    """

    quantity: str
    stated: float | None
    ours: float
    tolerance: float
    reason: str
    kind: str = "near"

    def __post_init__(self):
        if self.kind not in _KINDS:
            raise InputError(f"kind is {self.kind!r}; pass one of {', '.join(map(repr, _KINDS))}")
        for name in ("stated", "ours", "tolerance"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else float(value))

    @property
    def difference(self) -> float | None:
        """ours − stated."""
        return None if self.stated is None else self.ours - self.stated

    @property
    def passes(self) -> bool:
        """Whether the figure is met; NaN never is."""
        if self.kind == "shown":
            return math.isfinite(self.ours)
        excess = {"near": abs, "at most": float, "at least": lambda d: -d}[self.kind](self.difference)
        return excess <= self.tolerance


def near(quantity: str, stated: float, ours: float, tolerance: float, reason: str) -> Measurement:
    """|ours − stated| ≤ tolerance."""
    return Measurement(quantity, stated, ours, tolerance, reason)


def at_most(quantity: str, limit: float, ours: float, reason: str) -> Measurement:
    """ours ≤ limit."""
    return Measurement(quantity, limit, ours, 0.0, reason, "at most")


def at_least(quantity: str, limit: float, ours: float, reason: str) -> Measurement:
    """ours ≥ limit."""
    return Measurement(quantity, limit, ours, 0.0, reason, "at least")


def shown(quantity: str, ours: float, reason: str) -> Measurement:
    """A number worth seeing that nothing is stated about."""
    return Measurement(quantity, None, ours, 0.0, reason, "shown")


@dataclass(frozen=True)
class Picture:
    """What matplotlib draws: `draw` gets an empty figure of `size` inches."""

    title: str
    caption: str
    draw: Callable[[object], None]
    size: tuple[float, float] = (7.2, 3.4)


@dataclass(frozen=True)
class Drawing:
    """A picture that is SVG already."""

    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Outcome:
    """What running a row gives.

    Attributes
    ----------
    measurements : tuple of Measurement
    pictures : tuple of Picture or Drawing
    remarks : tuple of str
        Sentences: what the paper did otherwise, what the figures do not say.
    """

    measurements: tuple[Measurement, ...] = ()
    pictures: tuple[Picture | Drawing, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """How a row is to be run: whether in a hurry, and its own source of random numbers."""

    fast: bool
    rng: np.random.Generator = field(compare=False)


@dataclass(frozen=True)
class Row:
    """An experiment, or a claim and what refutes it.

    Attributes
    ----------
    name : str
        What `only=` asks for.
    title : str
        What it shows.
    source : str
        The paper's experiment: data and parameters.
    run : callable
        Study → Outcome, or `hjsym.paper.images.ImagesMissing`.
    minutes : float
        About how long the full run takes, so that the longest begin first.
    claim, truth : str
        Of a counterexample: what the paper says, and what holds instead.
    """

    name: str
    title: str
    source: str
    run: Callable[[Study], Outcome]
    minutes: float = 0.1
    claim: str = ""
    truth: str = ""

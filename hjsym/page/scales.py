"""Where the slider for ε runs, and where a page starts: from the scales of the model itself."""

import math
from collections.abc import Callable

import numpy as np

from hjsym.page.cells import breaks_window
from hjsym.page.view import Plane, View

__all__ = ["eps_range", "home", "start", "view_of"]

_DECADES = 4
_MOST_DECADES = 100  # on either side of 1, whatever the temperature of the model
_START = 0.4  # of the window: off the middle, about which models tend to be symmetric


def eps_range(scale: float, own: float | None = None) -> dict:
    """Whole decades below a scale at which nothing is left to see, and around the model's own temperature."""
    high = round(math.log10(scale)) if scale > 0 else 0
    low = high - _DECADES
    if own is not None:
        low, high = min(low, math.floor(math.log10(own))), max(high, math.ceil(math.log10(own)))
    low, high = max(low, -_MOST_DECADES), min(high, _MOST_DECADES)
    return {"own": own, "low": 10.0**low, "high": 10.0**high}


def view_of(plane: Plane, make: Callable | None) -> View:
    """The plane with its window; where it has none, around the bends of the function that `make` makes, if any."""
    window = plane.window
    if window is None and make is not None:
        window = breaks_window(make(), plane.variables)
    return View(plane, np.tile([-1.0, 1.0], (plane.variables, 1)) if window is None else window)


def home(view: View) -> np.ndarray:
    """The second coordinate, (0,) or (1,), of the line that a page starts on: 0 if that is in the window, else the
    middle."""
    rest = view.window[1:]
    return np.where((rest[:, 0] <= 0) & (rest[:, 1] >= 0), 0.0, rest.mean(axis=1))


def start(view: View) -> list[float]:
    """Where the point starts, on that line."""
    low, high = view.window[0]
    return [low + _START * (high - low), *home(view).tolist()]

"""Widgets for notebooks: a function and its regions as the temperature moves.

ipywidgets and matplotlib, which the extra `notebook` installs, come in when a widget is made; other objects show
themselves without either.
"""

import numpy as np

from hjsym._temperature import Sweep, draw, sweep
from tropical._figures import inline_svg
from tropical._html import card, facts
from tropical.errors import InputError

__all__ = ["TemperatureSlider", "temperature_slider"]

_SIZES = {1: (6.4, 3.8), 2: (4.8, 4.2)}  # inches


def temperature_slider(
    f,
    domain,
    *,
    eps: tuple[float, float] | None = None,
    steps: int = 60,
    resolution: int | None = None,
) -> "TemperatureSlider":
    """A slider of ε over f_ε on a line or a rectangle, on a logarithmic scale with 0 at its left end.

    On a line it draws f_ε, f_0 dashed and, of a polynomial or layer, the Gibbs weights of its terms. On a rectangle it
    draws which term of a polynomial weighs most, the paler the less it does, or which output is the largest, with the
    borders at ε = 0 dashed; of a single output its values and where they are 0.

    Parameters
    ----------
    f
        An `LSELayer`, a `KernelGauge`, a `Polynomial`, `PolynomialMap`, `Rational` or `Circuit`, or a network as for
        `hjsym.compile`.
    domain : Box, (low, high) or Slice
        Bounded, of one or two dimensions; of functions of more variables a `Slice` within a `Box`.
    eps : (float, float), optional
        The first temperature above 0 and the last; by default a thousandth and all of the range of f_0 there.
    steps : int
        How many temperatures above 0. The temperature of a polynomial or layer itself is one more.
    resolution : int, optional
        Points along each axis.

    Returns
    -------
    TemperatureSlider
        The last line of a cell shows it.

    Raises
    ------
    InputError
        If ipywidgets or matplotlib is not installed; a domain that is unbounded or has another dimension; temperatures
        that are not 0 < low < high.
    BudgetExceeded
        More than 10⁶ points.

    Notes
    -----
    A move costs one evaluation at all points and a picture, some tenths of a second.

    Examples
    --------
    >>> from hjsym.hopf import LSELayer
    >>> layer = LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.25)
    >>> shown = temperature_slider(layer, (-2, 2), eps=(0.01, 1.0), steps=5, resolution=5)
    >>> shown.eps, shown.values.ravel().round(4)
    (0.25, array([2.0006, 1.0318, 0.5599, 1.0318, 2.0006]))
    >>> shown.temperatures.round(3)
    array([0.   , 0.01 , 0.032, 0.1  , 0.25 , 0.316, 1.   ])
    >>> shown.slider.value = 0.0                              # as a hand on the slider does
    >>> shown.values.ravel()
    array([2. , 1. , 0.5, 1. , 2. ])
    """
    on = sweep(f, domain, resolution)
    cold = on.values(0.0)
    if int(steps) != steps or steps < 2:
        raise InputError(f"steps is {steps}; pass at least 2 temperatures above 0")
    low, high = _range(cold) if eps is None else (float(e) for e in eps)
    if not (0 < low < high < np.inf):
        raise InputError(f"eps is {eps}; pass (low, high) with 0 < low < high")
    ladder = np.geomspace(low, high, int(steps))
    ladder[[0, -1]] = low, high
    return TemperatureSlider(on, np.unique([0.0, *ladder, on.own_temperature]), cold)


def _range(cold: np.ndarray) -> tuple[float, float]:
    """A thousandth and all of what values at ε = 0 span, to one digit."""
    span = float(np.ptp(cold)) or 1.0
    return float(f"{span / 1000:.1g}"), float(f"{span:.1g}")


class TemperatureSlider:
    """What `temperature_slider` returns: a widget, and what it shows as arrays.

    Attributes
    ----------
    slider : ipywidgets.SelectionSlider
        Its `value` is the temperature, one of `temperatures`.
    picture : ipywidgets.HTML
        The picture, inline SVG in the colours of the notebook, and its numbers.
    widget : ipywidgets.VBox
        Both, to be put into other widgets.
    temperatures : (k,) array
        From 0 up.
    points : (..., d) array
        Where f is evaluated.
    values : (..., m) array
        f_ε there, at the temperature shown.

    Examples
    --------
    >>> shown = temperature_slider([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])], (-1, 1), resolution=3)
    >>> shown.points.ravel(), shown.values.ravel(), shown.eps
    (array([-1.,  0.,  1.]), array([1., 0., 1.]), 0.0)
    >>> shown.slider.value = shown.temperatures[-1]
    >>> shown.picture.value.count("<svg"), len(shown.widget.children)
    (1, 2)
    """

    def __init__(self, on: Sweep, temperatures: np.ndarray, cold: np.ndarray):
        widgets = _import_ipywidgets()
        self._on, self._cold = on, cold
        self.temperatures, self.points = temperatures, on.points
        self.slider = widgets.SelectionSlider(
            options=[(f"{eps:.3g}", eps) for eps in temperatures.tolist()],
            value=on.own_temperature,
            description="ε",
            layout={"width": "32em", "max_width": "100%"},
        )
        self.picture = widgets.HTML()
        self.widget = widgets.VBox([self.slider, self.picture])
        self._show()
        self.slider.observe(self._show, names="value")

    @property
    def eps(self) -> float:
        """The temperature shown."""
        return self.slider.value

    def _show(self, change=None) -> None:
        eps, on = self.eps, self._on
        self.values = on.values(eps)
        svg = inline_svg(lambda figure: draw(figure, on, eps, self.values, self._cold), _SIZES[len(on.axes)])
        away = float(np.abs(self.values - self._cold).max())
        rows = {
            "temperature ε": eps,
            "largest |f_ε − f₀| here": away,
            "proved bound everywhere": on.bound(eps),
        }
        if on.has_terms and eps > 0:
            rows["mean entropy here, nats"] = float(on.at(eps).entropy(on.points).mean())
        self.picture.value = card("", svg, facts(rows))

    def _repr_mimebundle_(self, **options):
        return self.widget._repr_mimebundle_(**options)


def _import_ipywidgets():
    try:
        import ipywidgets
    except ImportError:
        raise InputError("widgets need ipywidgets; install hjsym[notebook]") from None
    return ipywidgets

"""What all pictures share: colours that colour-blind readers can tell apart, and axes; matplotlib comes in late."""

import io
import re
from collections.abc import Callable
from threading import Lock

import numpy as np

from tropical.domain import Box
from tropical.errors import InputError, ShapeError

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PALE",
    "PALETTE",
    "RED",
    "axes_or_new",
    "inline_svg",
    "new_figure",
    "sides",
]

# M. Okabe, K. Ito, "Color universal design", 2008; without black, yellow last
BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW = PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
)  # fmt: skip
PALE = "#cfe2f3"  # fills beside lines in blue
INK, GREY = "#222222", "#999999"

_RC = {
    "axes.edgecolor": INK, "axes.facecolor": "none", "axes.grid": True, "axes.labelcolor": INK,
    "axes.titlesize": "medium", "font.size": 9.0, "grid.alpha": 0.35, "grid.color": GREY,
    "legend.frameon": False, "legend.fontsize": "small", "savefig.transparent": True, "svg.hashsalt": "hjsym",
    "text.color": INK, "xtick.color": INK, "ytick.color": INK,
}  # fmt: skip
_STYLE = re.compile(r"\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_ONE_AT_A_TIME = Lock()  # the settings above are matplotlib's global ones for as long as a picture takes


def new_figure(**options):
    """A figure that no window shows."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("pictures need matplotlib; install hjsym[plot]") from None
    return Figure(**options)


def inline_svg(draw: Callable, size: tuple[float, float]) -> str:
    """What `draw` makes of an empty figure of some inches, as an SVG element with its ink in the reader's colour."""
    new_figure()  # says so where matplotlib is missing
    from matplotlib import rc_context

    file = io.StringIO()
    with _ONE_AT_A_TIME, rc_context(_RC):
        figure = new_figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue().replace(INK, "currentColor")
    text = text[text.index("<svg") :]
    # the style sheet would hold for the whole page around it; these two are inherited
    return _STYLE.sub("", text, count=1).replace(
        "<svg", '<svg stroke-linejoin="round" stroke-linecap="butt"', 1
    )


def axes_or_new(ax, **options):
    """The axes given, or those of a new figure; options are those of new axes."""
    return new_figure().add_subplot(**options) if ax is None else ax


def sides(box, d: int) -> np.ndarray:
    """What to show, (d, 2): of a bounded Box, or as ((low, high), …), one pair for each axis."""
    rows = np.stack(box.bounds(d), axis=1) if isinstance(box, Box) else np.asarray(box)
    rows = rows.astype(float)
    if rows.shape != (d, 2):
        raise ShapeError(
            f"what to show has shape {rows.shape}; pass a Box, or (low, high) for each of {d} axes"
        )
    if not (np.isfinite(rows).all() and (rows[:, 0] < rows[:, 1]).all()):
        raise InputError("what to show is unbounded or flat; pass finite low < high on each axis")
    return rows

"""Small pictures as inline SVG, in the colours of the notebook around them."""

from collections.abc import Iterable, Sequence

import numpy as np

from tropical._html import text

__all__ = ["SIZE", "View", "circle", "line", "picture", "polygon", "words"]

SIZE = 320  # pixels along the longer side
_MARGIN = 22
_LEFT = 48  # for numbers at an axis


class View:
    """A rectangle of the plane ((x0, x1), (y0, y1)), and where its points are in the picture; y points up."""

    def __init__(self, box, *, width: float = SIZE, height: float | None = None):
        self.box = np.asarray(box, dtype=float)
        (x0, x1), (y0, y1) = self.box
        height = width * (y1 - y0) / (x1 - x0) if height is None else height
        shrink = min(1.0, 1.2 * SIZE / height)
        self.width, self.height = width * shrink, max(40.0, height * shrink)

    def __call__(self, points) -> np.ndarray:
        """Pixels (n, 2) of points (n, 2)."""
        low, high = self.box.T
        unit = (np.asarray(points, dtype=float).reshape(-1, 2) - low) / (high - low)
        return unit * np.array([self.width, -self.height]) + np.array([_LEFT, self.height + _MARGIN / 2])

    def picture(self, label: str, shapes: Iterable[str]) -> str:
        """The shapes in a frame that bears the ends of both axes."""
        frame = (
            f'<rect x="{_LEFT}" y="{_MARGIN / 2}" width="{self.width:.5g}" height="{self.height:.5g}" fill="none" '
            'stroke="currentColor" stroke-opacity=".35"/>'
        )
        (x0, x1), (y0, y1) = self.box
        below, right, above = self.height + 1.2 * _MARGIN, _LEFT + self.width, _MARGIN / 2
        ends = [
            words((_LEFT, below), f"{x0:.4g}", "start"), words((right, below), f"{x1:.4g}", "end"),
            words((_LEFT - 4, below - _MARGIN * 0.75), f"{y0:.4g}", "end"),
            words((_LEFT - 4, above + 8), f"{y1:.4g}", "end"),
        ]  # fmt: skip
        return picture(
            self.width + _LEFT + _MARGIN, self.height + 1.5 * _MARGIN, label, [*shapes, frame, *ends]
        )


def picture(width: float, height: float, label: str, shapes: Iterable[str]) -> str:
    """The whole picture; what is drawn beyond its sides is cut off."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{_plain(label)}" '
        f'viewBox="0 0 {width:.5g} {height:.5g}" width="{width:.5g}" style="max-width:100%;height:auto" '
        f'font-family="sans-serif" font-size="10">{"".join(shapes)}</svg>'
    )


def _plain(label: str) -> str:
    """Escaped for an attribute, where no element can stand."""
    return text(label.replace("$", "").replace("\\", ""))


def line(pixels, *, color: str = "currentColor", width: float = 1.2, more: str = "") -> str:
    """A line through pixels (n, 2)."""
    style = f'fill="none" stroke="{color}" stroke-width="{width:.3g}" stroke-linecap="round"'
    return f'<polyline points="{_points(pixels)}" {style} {more}/>'


def polygon(pixels, color: str, *, opacity: float = 0.4) -> str:
    """A polygon filled with a colour, with a thin edge."""
    edge = 'stroke="currentColor" stroke-opacity=".45" stroke-width=".6"'
    return f'<polygon points="{_points(pixels)}" fill="{color}" fill-opacity="{opacity:.3g}" {edge}/>'


def circle(pixel, radius: float = 2.5, *, color: str = "currentColor", hollow: bool = False) -> str:
    """A dot; hollow ones are rings."""
    x, y = np.ravel(pixel)
    paint = f'fill="none" stroke="{color}"' if hollow else f'fill="{color}"'
    return f'<circle cx="{x:.5g}" cy="{y:.5g}" r="{radius:.3g}" {paint}/>'


def words(
    pixel: Sequence[float], what: str, anchor: str = "middle", *, size: float = 9, more: str = ""
) -> str:
    """Text; in SVG formulas are not looked for, and elements within it would not be drawn."""
    x, y = np.ravel(pixel)
    written = text(what).replace("<span>", "<tspan>").replace("</span>", "</tspan>")
    return (
        f'<text x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}" font-size="{size:.3g}" fill="currentColor" {more}>'
        f"{written}</text>"
    )


def _points(pixels) -> str:
    return " ".join(f"{x:.5g},{y:.5g}" for x, y in np.asarray(pixels).tolist())

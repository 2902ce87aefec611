"""Pictures of the report: SVG that follows the reader's light or dark theme, from matplotlib or by hand."""

from collections.abc import Sequence
from html import escape

import numpy as np

from hjsym.paper.row import Drawing, Picture
from tropical._figures import INK, PALETTE, inline_svg

__all__ = ["animate", "can_draw", "to_svg"]

_THEME = f"<style>svg{{color:{INK}}}@media (prefers-color-scheme:dark){{svg{{color:#dddddd}}}}</style>"


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def to_svg(picture: Picture | Drawing) -> str:
    """The picture as one SVG document, ink in the reader's colour."""
    if isinstance(picture, Drawing):
        return picture.svg
    text = inline_svg(picture.draw, picture.size)
    opening = text.index(">") + 1
    return text[:opening] + _THEME + text[opening:]


def animate(
    title: str,
    caption: str,
    x: Sequence[float],
    curves: Sequence[Sequence[Sequence[float]]],
    names: Sequence[str],
    labels: Sequence[str],
    *,
    seconds: float = 9.0,
    window: tuple[float, float] | None = None,
) -> Drawing:
    """Curves that move: curves[k][i] are the values of curve k in frame i at the places x.

    Frames follow each other and return; labels[i] stands above frame i. Plain SVG, without matplotlib.
    """
    x, values = np.asarray(x, float), np.asarray(curves, float)
    low, high = window or (values.min(), values.max())
    width, height, left, top = 560, 300, 44, 34
    across = left + (x - x[0]) / (x[-1] - x[0]) * (width - left - 14)
    down = top + (high - values) / (high - low) * (height - top - 34)
    there_and_back = [*range(len(labels)), *range(len(labels) - 2, 0, -1), 0]
    timing = f'dur="{seconds}s" repeatCount="indefinite"'
    parts = []
    for k, name in enumerate(names):
        paths = [_path(across, frame) for frame in down[k]]
        moves = ";".join(paths[i] for i in there_and_back)
        parts.append(
            f'<path d="{paths[0]}" fill="none" stroke="{PALETTE[k]}" stroke-width="2">'
            f'<animate attributeName="d" {timing} values="{moves}"/></path>'
            f'<text x="{width - 14}" y="{top + 14 * k}" text-anchor="end" fill="{PALETTE[k]}">{escape(name)}</text>'
        )
    for i, label in enumerate(labels):
        visible = ";".join("1" if j == i else "0" for j in there_and_back)
        parts.append(
            f'<text x="{left}" y="20" opacity="{int(i == 0)}">{escape(label)}'
            f'<animate attributeName="opacity" calcMode="discrete" {timing} values="{visible}"/></text>'
        )
    frame = (
        f'<path d="M{left},{top}V{height - 34}H{width - 14}" fill="none" stroke="currentColor" stroke-width="1"/>'
        f'<text x="{left}" y="{height - 18}">{x[0]:g}</text>'
        f'<text x="{width - 14}" y="{height - 18}" text-anchor="end">{x[-1]:g}</text>'
        f'<text x="{left - 4}" y="{top + 8}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{left - 4}" y="{height - 36}" text-anchor="end">{low:.3g}</text>'
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="currentColor">{_THEME}{frame}{"".join(parts)}</svg>'
    )
    return Drawing(title, caption, svg)


def _path(across: np.ndarray, down: np.ndarray) -> str:
    return "M" + "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))

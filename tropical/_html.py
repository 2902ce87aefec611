"""The pieces of what notebooks show: escaped text, tables and pictures that end, and classes that show themselves.

All takes the colours of the notebook, light or dark: `currentColor`, thinned by opacity, and no background. Names may
come from files of strangers, so that text gets into HTML through `text` alone, in which notebooks typeset no formula
either.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from html import escape
from itertools import islice
from numbers import Real

import numpy as np

from tropical._display import short

__all__ = [
    "ROWS",
    "Markup",
    "ShowsItself",
    "bar",
    "card",
    "facts",
    "number",
    "shown",
    "table",
    "text",
]

MOST_CHARACTERS = 200_000  # of what one object shows
ROWS = 10  # of a table that are shown
_MOST_COLUMNS = 12
_MOST_LETTERS = 80  # of a name
_MOST_DIGITS = 12  # of a numerator


class ShowsItself:
    """What notebooks ask for HTML: subclasses give `_html`, which returns None where the usual text is enough.

    Nothing that goes wrong in it reaches the reader, who then sees the usual text; nor does what is very long.
    """

    def _html(self) -> str | None:
        raise NotImplementedError

    def _repr_html_(self) -> str | None:
        return shown(self._html)


class ShowsFields(ShowsItself):
    """Dataclasses that show their fields, those that are long by what they are."""

    def _html(self) -> str:
        return card(
            type(self).__name__, facts({f.name: getattr(self, f.name) for f in fields(self) if f.repr})
        )


def shown(write: Callable[[], str | None], most: int = MOST_CHARACTERS) -> str | None:
    """What `write` returns; None where it fails or is longer than `most`."""
    try:
        with np.errstate(all="ignore"):
            written = write()
    except Exception:  # a cell of a notebook must not fail for its picture
        return None
    return written if written is not None and len(written) <= most else None


class Markup(str):
    """HTML made here, which tables take as it is."""


def text(value: object, most: int = _MOST_LETTERS) -> Markup:
    r"""Any text as HTML: escaped, of one line, and of no more than `most` characters.

    Signs that begin formulas stand in elements of their own, across which no notebook looks for the end of one.

    >>> text("<script>")
    '&lt;script&gt;'
    >>> text("$x$ and \n\\(")
    '<span>$</span>x<span>$</span> and �<span>\\</span>('
    """
    letters = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[: most + 1])
    letters = letters if len(letters) <= most else f"{letters[: most - 1]}…"
    return Markup("".join(f"<span>{c}</span>" if c in "$\\" else escape(c) for c in letters))


def number(value: Real) -> str:
    """Six digits; a Fraction as it is, where it is short.

    >>> number(1 / 3), number(Fraction(-1, 3)), number(float("inf")), number(12345678), number(10**400)
    ('0.333333', '−1/3', '∞', '12,345,678', 'about 2^1,328')
    """
    if isinstance(value, int | np.integer):
        value = Fraction(int(value))
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) < 10**_MOST_DIGITS:
        written = f"{value.numerator:,}" if value.denominator == 1 else str(value)
    else:
        try:
            written = f"{float(value):.6g}"
        except OverflowError:  # a Fraction beyond the floats
            sign = "-" if value < 0 else ""
            written = f"about {sign}2^{int(abs(value)).bit_length() - 1:,}"
    return written.replace("inf", "∞").replace("nan", "NaN").replace("-", "−")


def _cell(value: object) -> tuple[str, bool]:
    """The HTML of one entry, and whether it is a number."""
    if isinstance(value, Markup):
        return value, False
    if value is None:
        return "", False
    if isinstance(value, bool | np.bool_):
        return ("yes" if value else "no"), False
    if isinstance(value, Real):
        return number(value), True
    return text(value if isinstance(value, str) else short(value)), False


def table(
    columns: Mapping[str, Sequence], *, rows: int | None = None, units: Mapping[str, str] | None = None
) -> str:
    """The first rows of columns of one length, and how many there are: `rows`, where the columns are cut already."""
    names, units = list(islice(columns, _MOST_COLUMNS)), units or {}
    rows = len(next(iter(columns.values()), ())) if rows is None else rows
    heads = [f"{name} ({units[name]})" if len(units.get(name, "")) in range(1, 7) else name for name in names]
    head = "".join(f'<th style="text-align:left">{text(name)}</th>' for name in heads)
    cells = zip(*(columns[name][:ROWS] for name in names), strict=True)
    body = "".join(f"<tr>{''.join(map(_td, row))}</tr>" for row in cells)
    left = [
        f"{count - most:,} {what} more"
        for count, most, what in ((rows, ROWS, "rows"), (len(columns), _MOST_COLUMNS, "columns"))
        if count > most
    ]
    return (
        f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        + (f'<div style="opacity:.7">{" and ".join(left)}</div>' if left else "")
        + "</div>"
    )


def _td(value: object) -> str:
    written, numeric = _cell(value)
    style = "text-align:right;font-variant-numeric:tabular-nums" if numeric else "text-align:left"
    return f'<td style="{style}">{written}</td>'


def facts(rows: Mapping[str, object]) -> str:
    """Names and what they are, one a line."""
    lines = "".join(
        f'<tr><th scope="row" style="text-align:left">{text(name)}</th>'
        f'<td style="text-align:left">{_cell(value)[0]}</td></tr>'
        for name, value in rows.items()
        if value is not None
    )
    return f"<table><tbody>{lines}</tbody></table>"


def card(title: str, *parts: str | None) -> str:
    """A line that says what this is, and what there is to see."""
    body = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<div class="tex2jax_ignore mathjax_ignore"><div><b>{text(title, 300)}</b></div>{body}</div>'


def bar(share: float) -> Markup:
    """A bar as long as a share of 1, for tables."""
    share = min(max(float(share), 0.0), 1.0) if share == share else 0.0
    style = f"display:inline-block;height:.7em;width:{8 * share:.3g}em;background:currentColor;opacity:.5"
    return Markup(f'<span style="{style}" aria-hidden="true"></span>')

"""Errors of networks and of convex analysis; those of the algebra are in `tropical.errors`."""

from hjsym.reports.printable import printable
from tropical.errors import InputError

__all__ = [
    "HullWarning",
    "ModelFileError",
    "NotConvexError",
    "UndecidedError",
    "UnsupportedLayerError",
    "one_line",
]


_LONGEST = 2000  # characters of a message


def one_line(text: str, longest: int = _LONGEST) -> str:
    """Text that may quote a file, fit for a terminal: what is not printable escaped, what is long cut.

    >>> print(one_line("two\\nlines \\x1b[2J"))
    two\\nlines \\x1b[2J
    >>> one_line("x" * 50, longest=40)
    'xxxxxxxxxx… (50 characters)'
    """
    short = printable(text[:longest])
    if max(len(text), len(short)) <= longest:
        return short
    return f"{short[: longest - 30]}… ({len(text):,} characters)"


class _OneLine(InputError):
    """Says on one line what it says; names in a file may hold escape codes, newlines and marks of direction."""

    def __init__(self, message: str = ""):
        super().__init__(one_line(str(message)))


class ModelFileError(_OneLine):
    """A model file that is truncated, too large, inconsistent or reaches outside its folder."""


class UnsupportedLayerError(_OneLine):
    """A layer that is not piecewise linear, or not known here; the message names it."""


class UndecidedError(InputError):
    """A sign, an order, a zero or a limit that is needed exactly and could not be decided."""


class NotConvexError(InputError):
    """A function that is not convex where one was required.

    Attributes
    ----------
    witness : (a, m, b) or None
        Points with m between a and b, at which f is above its chord.
    """

    def __init__(self, message: str, witness=None):
        super().__init__(message, witness)
        self.witness = witness

    def __str__(self) -> str:
        return self.args[0]


class HullWarning(UserWarning):
    """A transform of a function that is not convex, and so that of its closed convex hull."""

"""Errors of networks and of convex analysis; those of the algebra are in `tropical.errors`."""

from hjsym._printable import printable
from tropical.errors import InputError

__all__ = ["HullWarning", "ModelFileError", "NotConvexError", "UndecidedError", "UnsupportedLayerError"]


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
    """A model file that is truncated, too large, inconsistent or reaches outside its folder.

    >>> import hjsym
    >>> try:
    ...     hjsym.load("missing.onnx")
    ... except ModelFileError as error:
    ...     print(type(error).__name__)
    ModelFileError
    """


class UnsupportedLayerError(_OneLine):
    """A layer that is not piecewise linear, or not known here; the message names it.

    >>> import hjsym
    >>> from hjsym.layers import Sigmoid
    >>> from hjsym.network import Network
    >>> try:
    ...     hjsym.compile(Network.sequential(2, [Sigmoid(), Sigmoid()]))
    ... except UnsupportedLayerError as error:
    ...     print(str(error).partition(";")[0])
    layer 0 (Sigmoid): Sigmoid is not piecewise linear
    """


class UndecidedError(InputError):
    """A sign, an order, a zero or a limit that is needed exactly and could not be decided.

    >>> from tropical import TropicalError
    >>> issubclass(UndecidedError, TropicalError)
    True
    """


class NotConvexError(InputError):
    """A function that is not convex where one was required.

    Attributes
    ----------
    witness : (a, m, b) or None
        Points with m between a and b, at which f is above its chord.

    Examples
    --------
    >>> import sympy
    >>> from hjsym.conjugate import conjugate
    >>> x = sympy.Symbol("x", real=True)
    >>> try:
    ...     conjugate(-(x**2), strict=True)
    ... except NotConvexError as error:
    ...     print(len(error.witness))
    3
    """

    def __init__(self, message: str, witness=None):
        super().__init__(message, witness)
        self.witness = witness

    def __str__(self) -> str:
        return self.args[0]


class HullWarning(UserWarning):
    """A transform of a function that is not convex, and so that of its closed convex hull.

    >>> import warnings, sympy
    >>> from hjsym.conjugate import conjugate
    >>> x = sympy.Symbol("x", real=True)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     f = conjugate(-(x**2))
    >>> caught[0].category.__name__, f.of_hull
    ('HullWarning', True)
    """

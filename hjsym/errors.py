"""Errors of networks and of convex analysis; those of the algebra are in `tropical.errors`."""

from tropical.errors import InputError

__all__ = ["HullWarning", "ModelFileError", "NotConvexError", "UndecidedError", "UnsupportedLayerError"]


class ModelFileError(InputError):
    """A model file that is truncated, too large, inconsistent or reaches outside its folder."""


class UnsupportedLayerError(InputError):
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

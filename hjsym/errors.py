"""Errors of reading and converting networks; those of the algebra are in `tropical.errors`."""

from tropical.errors import InputError

__all__ = ["ModelFileError", "UndecidedError", "UnsupportedLayerError"]


class ModelFileError(InputError):
    """A model file that is truncated, too large, inconsistent or reaches outside its folder."""


class UnsupportedLayerError(InputError):
    """A layer that is not piecewise linear, or not known here; the message names it."""


class UndecidedError(InputError):
    """A sign, an order, a zero or a limit that is needed exactly and could not be decided."""

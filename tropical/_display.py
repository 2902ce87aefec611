"""Results in one line: six digits, long Fractions as the floats near to them, large arrays by their shape."""

from dataclasses import fields
from fractions import Fraction

import numpy as np

__all__ = ["short", "summary"]

_MOST = 6  # entries of an array or a sequence that are written out
_LONGEST = 120  # characters of anything else
_LONG = 12  # characters, beyond which a Fraction is written as a float


def summary(result) -> str:
    """A dataclass as ``<Name: field=value, …>``, without what is None; a `__repr__` for results."""
    entries = ((f.name, getattr(result, f.name)) for f in fields(result) if f.repr)
    text = ", ".join(f"{name}={short(value)}" for name, value in entries if value is not None)
    return f"<{type(result).__name__}: {text}>"


def short(value) -> str:
    """A value of a few dozen characters."""
    if isinstance(value, Fraction):
        text = str(value)
        return text if len(text) <= _LONG else f"≈{_rounded(value)}"
    if isinstance(value, np.generic) and not isinstance(value, np.floating):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return short(value[()])
        if value.size > _MOST:
            return (
                f"<{'×'.join(map(str, value.shape))} {'Fractions' if value.dtype == object else value.dtype}>"
            )
        return f"[{', '.join(map(short, value))}]"
    if isinstance(value, (tuple, list)):
        if len(value) > _MOST:
            return f"<{len(value)} of {type(value[0]).__name__}>"
        return f"({', '.join(map(short, value))})"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"<{type(value).__name__}>"


def _rounded(value: Fraction) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return "∞" if value > 0 else "−∞"

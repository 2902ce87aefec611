"""Normalises what users pass into arrays of float32, float64 or exact rationals.

Exact arrays have dtype object and hold `fractions.Fraction`, or a float infinity where the semiring's
zero is meant. Float values are dyadic rationals, so float → exact is lossless and allowed; exact →
float is rounding and happens only where it is asked for.
"""

from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real

import numpy as np
from numpy.typing import ArrayLike

from tropical.errors import InputError, ShapeError

__all__ = [
    "EXACT",
    "as_array",
    "as_output",
    "as_points",
    "common_dtype",
    "convert",
    "exact_sum",
    "exact_sums",
    "frozen",
    "is_exact",
    "is_finite",
    "is_number",
    "points_error",
    "refuse_where",
    "spoiled",
    "to_floats",
]

EXACT = np.dtype(object)
FLOAT64 = np.dtype(np.float64)


def is_exact(array: np.ndarray) -> bool:
    return array.dtype == EXACT


def is_number(value) -> bool:
    """Whether this is one real number that an array may hold; python-flint's and decimal's are."""
    return isinstance(value, (Real, Decimal)) or (
        hasattr(value, "numerator") and hasattr(value, "denominator")
    )


def _is_plain(value) -> bool:
    """Whether this is a Fraction of Python integers; one of NumPy's could overflow without a word."""
    return type(value) is Fraction and type(value.numerator) is int and type(value.denominator) is int


def _to_fraction(value):
    if isinstance(value, Fraction):
        return value if _is_plain(value) else Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, (float, np.floating)) and not np.isfinite(value):
        return float(value)
    if isinstance(value, (int, float, Rational, np.integer, np.floating, np.bool_)):
        return Fraction(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, Decimal):
        return Fraction(value) if value.is_finite() else float(value)
    if is_number(value):  # fmpq and fmpz of python-flint, SymPy's Rational
        return Fraction(int(value.numerator), int(value.denominator))
    raise InputError(
        f"got a {type(value).__name__} in an exact array; pass int, float or fractions.Fraction entries"
    )


def as_array(name: str, value: ArrayLike, *, default: np.dtype = FLOAT64) -> np.ndarray:
    """An array of float32, float64 or Fractions; integers and plain sequences take `default`, without rounding."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name} is ragged: {error}; pass rows of equal length") from None
    if array.dtype.kind == "f" and not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not array.flags.aligned:  # a field of a packed structure: C may not read it in place
        array = array.copy()
    if array.dtype in (np.float32, np.float64):
        # A list of Python floats says nothing about precision; an array or a NumPy scalar does.
        return array if hasattr(value, "dtype") else array.astype(default, copy=False)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.kind in "iub":
        if array.dtype.itemsize == 8 and default != EXACT:
            _refuse_rounding(name, array)
        return convert(array, default)
    if is_exact(array):
        return convert(array, EXACT)
    raise InputError(f"{name} has dtype {array.dtype}; pass float32, float64, integers or fractions.Fraction")


def _refuse_rounding(name: str, array: np.ndarray) -> None:
    """Integers beyond 2^53 are taken only where a float64 holds them."""
    if array.size and max(int(array.max()), -int(array.min())) > 2**53:
        rounds = np.array([int(float(v)) != v for v in array.ravel().tolist()]).reshape(array.shape)
        refuse_where(rounds, name, array, "no float64 holds it; pass a Fraction to stay exact, or a float")


def convert(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """To `dtype`; to exact without rounding, entry by entry."""
    if dtype != EXACT or (is_exact(array) and all(map(_is_plain, array.flat))):
        return array.astype(dtype, copy=False)
    out = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        out[index] = _to_fraction(value)
    return out


def exact_sum(a, b):
    """a + b of entries of exact arrays; an infinity wins over a Fraction, be that beyond the floats.

    >>> exact_sum(Fraction(10**400), -np.inf)
    -inf
    """
    if isinstance(a, float) == isinstance(b, float):
        return a + b
    return a if isinstance(a, float) else b


exact_sums = np.frompyfunc(exact_sum, 2, 1)


def is_finite(array: np.ndarray) -> np.ndarray:
    """As np.isfinite, for Fractions beyond the floats too."""
    if not is_exact(array):
        return np.isfinite(array)
    return np.array([isinstance(v, Fraction) for v in array.flat], dtype=bool).reshape(array.shape)


def to_floats(array: np.ndarray) -> np.ndarray:
    """Fractions rounded to float64."""
    try:
        return array.astype(float)
    except OverflowError:
        raise InputError(
            "an exact number is beyond the floats, whose largest is 1.8e308; stay exact, or scale it first"
        ) from None


def common_dtype(*dtypes: np.dtype) -> np.dtype:
    """Exact if any is exact, else the wider float."""
    return EXACT if EXACT in dtypes else np.result_type(*dtypes)


def as_points(x: ArrayLike, variables: int, dtype: np.dtype) -> np.ndarray:
    """Points of shape (..., variables) in a dtype that fits `dtype`; a scalar is a point of one variable."""
    if (
        type(x) is np.ndarray
        and x.dtype is dtype is not EXACT
        and x.shape[-1:] == (variables,)
        and x.flags.aligned
    ):
        return x  # the common case, which a call at one point should not pay for
    x = as_array("x", x, default=dtype)
    if x.ndim == 0 and variables == 1:
        x = x.reshape(1)
    if x.ndim == 0 or x.shape[-1] != variables:
        raise points_error(x.shape, variables)
    return convert(x, common_dtype(x.dtype, dtype))


def points_error(shape: tuple[int, ...], variables: int) -> ShapeError:
    return ShapeError(
        f"x has shape {shape} but there are {variables} variables; pass points of shape (..., {variables})"
    )


def spoiled(x: np.ndarray, *results: np.ndarray) -> tuple[np.ndarray, ...]:
    """Results (…, more axes) with NaN at those of the points x (…, d) that are not finite."""
    if x.dtype == EXACT or (lost := ~np.isfinite(x).all(axis=-1)).sum() == 0:
        return results
    return tuple(np.where(lost.reshape(lost.shape + (1,) * (r.ndim - lost.ndim)), np.nan, r) for r in results)


def as_output(
    out: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype, *inputs: np.ndarray
) -> np.ndarray:
    """`out` once it is known to fit and to overlap no input, or a new array where it is None."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != dtype:
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ShapeError(f"out is {got}; pass an array of dtype {dtype} and shape {shape}, or none")
    if not out.flags.writeable:
        raise InputError("out is read-only; pass an array that may be written to")
    if any(np.may_share_memory(out, array) for array in inputs):
        raise InputError("out shares memory with an input; pass an array of its own")
    return out


def frozen(array: np.ndarray) -> np.ndarray:
    """A C-contiguous read-only copy."""
    array = np.array(array, order="C")
    array.flags.writeable = False
    return array


def refuse_where(bad: np.ndarray, name: str, array: np.ndarray, need: str) -> None:
    """Name the first entry that is bad, if any."""
    where = np.argwhere(bad)
    if len(where):
        index = tuple(where[0].tolist())
        raise InputError(f"{name}{list(index)} is {array[index]}; {need}")

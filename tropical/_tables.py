"""Results as tables: columns for pandas, with their units, and the same columns for notebooks."""

from collections.abc import Sequence

import numpy as np

from tropical._arrays import to_floats
from tropical._html import ROWS, ShowsItself, card, table
from tropical.errors import BudgetExceeded, InputError

__all__ = ["HasTable", "coordinates", "import_pandas", "objects"]

_MOST_NUMBERS = 1 << 26  # of a table: half a gigabyte
_WIDEST = 100_000  # columns of which a notebook shows the first


class HasTable(ShowsItself):
    """What results with rows inherit: `to_pandas`, and the first rows in notebooks."""

    def _shape(self) -> tuple[int, int]:
        """Rows and columns of the table, before any of it is made."""
        raise NotImplementedError

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        """Those of the first rows, or of all."""
        raise NotImplementedError

    def _units(self) -> dict[str, str]:
        """Of columns that have any."""
        return {}

    def to_pandas(self):
        """The rows as a ``pandas.DataFrame``; ``frame.attrs["units"]`` has the units of columns that have any.

        Returns
        -------
        pandas.DataFrame
            Numbers are float64 or int64, Fractions rounded once; words that repeat are categories.

        Raises
        ------
        InputError
            If pandas is not installed.
        BudgetExceeded
            Above 2²⁶ numbers, before any is written.

        Examples
        --------
        >>> from tropical import linear_regions, variables
        >>> x, y = variables(2)
        >>> linear_regions(x + y + 0).to_pandas()[["slope_x1", "slope_x2", "intercept", "bounded"]]
           slope_x1  slope_x2  intercept  bounded
        0       1.0       0.0        0.0    False
        1       0.0       1.0        0.0    False
        2       0.0       0.0        0.0    False
        """
        pandas = import_pandas()
        rows, columns = self._shape()
        if rows * columns > _MOST_NUMBERS:
            raise BudgetExceeded(
                "numbers in the table", rows * columns, _MOST_NUMBERS, "ask for fewer rows or variables"
            )
        columns = self._columns()
        frame = pandas.DataFrame({name: _stored(pandas, column) for name, column in columns.items()})
        frame.attrs["units"] = {name: unit for name, unit in self._units().items() if name in columns}
        return frame

    def _html(self) -> str | None:
        return card(repr(self).strip("<>"), self._first_rows())

    def _first_rows(self) -> str:
        rows, columns = self._shape()
        return table(self._columns(ROWS) if columns <= _WIDEST else {}, rows=rows, units=self._units())


def import_pandas():
    """pandas, which is an extra."""
    try:
        import pandas
    except ImportError:
        raise InputError("tables need pandas; install hjsym[notebook]") from None
    return pandas


def _stored(pandas, column):
    column = np.asarray(column)
    return pandas.Categorical(column) if column.dtype.kind == "U" else column


def coordinates(name: str, points: np.ndarray) -> dict[str, np.ndarray]:
    """One column for each coordinate of points (n, d): name1 … named."""
    points = to_floats(np.asarray(points)).astype(float)
    return {f"{name}{k}": points[:, k - 1] for k in range(1, points.shape[1] + 1)}


def objects(values: Sequence) -> np.ndarray:
    """A column of things that NumPy would take apart."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column

"""Long tables of numbers: written row by row, read in parts, thinned for drawing.

A run of a million steps has a million rows. Beyond 4 MB the rows move from memory to a temporary
file, so that the memory of a run does not grow with its steps.
"""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

#: Maximum bytes of a table in memory; longer tables use a temporary file.
IN_MEMORY = 1 << 22

#: Rows read at once.
PART = 1 << 15

#: Approximate maximum number of rows per column of a table for drawing.
DRAWN = 2_000


class Table:
    """A table of numbers to which rows can be added.

    The temporary file is unnamed, in the folder chosen by `TMPDIR`, and is deleted with the table
    or at the end of the process.

    Args:
        columns: the type of each column by its name; integers up to 2⁵³, or floats.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._columns = dict(columns)
        self._rows = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        weakref.finalize(self, self._file.close)

    def append(self, rows: npt.NDArray[np.float64]) -> None:
        """Add rows [n, columns] at the end.

        Raises:
            OSError: the temporary file cannot be written; the message has its folder and the cure.
        """
        with _storing():
            self._file.write(rows.tobytes())
        self._rows += len(rows)

    def parts(self) -> Iterator[pd.DataFrame]:
        """All rows in order, in parts; one part without rows for an empty table."""
        row = 8 * len(self._columns)
        for first in range(0, max(1, self._rows), PART):
            with _storing():
                self._file.seek(first * row)
                data = self._file.read(min(PART, self._rows - first) * row)
                self._file.seek(0, 2)
            block = np.frombuffer(data, np.float64).reshape(-1, len(self._columns))
            columns = zip(self._columns.items(), block.T, strict=True)
            yield pd.DataFrame(
                {name: values.astype(kind) for (name, kind), values in columns},
                index=range(first, first + len(block)),
            )

    def __reduce__(self) -> tuple[Any, ...]:
        blocks = [part.to_numpy(np.float64) for part in self.parts()]
        return _table_of, (self._columns, np.concatenate(blocks))


def _table_of(columns: Mapping[str, str], rows: npt.NDArray[np.float64]) -> Table:
    table = Table(columns)
    table.append(rows)
    return table


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}; a long run keeps its metrics in a temporary file there: free some "
            "space, or set the environment variable TMPDIR to another folder",
            tempfile.gettempdir(),
        ) from error


class ReadWhenAsked:
    """A field that holds a `Table` or a `DataFrame` and returns a `DataFrame`.

    The first access reads the whole `Table` and replaces it by the `DataFrame`.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, holder: None, owner: type) -> ReadWhenAsked: ...
    @overload
    def __get__(self, holder: object, owner: type) -> pd.DataFrame: ...

    def __get__(self, holder: object, owner: type) -> pd.DataFrame | ReadWhenAsked:
        if holder is None:  # dataclasses look for a default: there is none
            raise AttributeError(self._name)
        held: Table | pd.DataFrame = vars(holder)[self._name]
        if isinstance(held, Table):
            held = vars(holder)[self._name] = pd.concat(list(held.parts()))
            held.index = pd.RangeIndex(len(held))
        return held

    def __set__(self, holder: object, table: Table | pd.DataFrame) -> None:
        vars(holder)[self._name] = table

    def parts(self, holder: object) -> Iterator[pd.DataFrame]:
        """The rows in order, in parts, without reading a whole `Table`."""
        held: Table | pd.DataFrame = vars(holder)[self._name]
        if isinstance(held, Table):
            yield from held.parts()
        else:
            for first in range(0, max(1, len(held)), PART):
                yield held.iloc[first : first + PART]


def thinned(parts: Iterable[pd.DataFrame], rows: int) -> pd.DataFrame:
    """A table for drawing: all rows, or a selection of a long table that keeps its peaks.

    From every stretch of a long table, keep the first row and, for each column, the rows of its
    smallest and largest values: no peak and no gap is lost.

    Args:
        parts: the table, in order.
        rows: total number of rows.
    """
    stretch = -(-rows // DRAWN)
    return pd.concat([part if stretch <= 1 else _extremes(part, stretch) for part in parts])


def _extremes(part: pd.DataFrame, stretch: int) -> pd.DataFrame:
    values = part.to_numpy(np.float64)
    low, high = (np.where(np.isnan(values), missing, values) for missing in (np.inf, -np.inf))
    kept = [
        first + np.concatenate([[0], few.argmin(axis=0), many.argmax(axis=0)])
        for first in range(0, len(part), stretch)
        for few, many in [(low[first : first + stretch], high[first : first + stretch])]
    ]
    return part.iloc[np.unique(np.concatenate(kept))] if kept else part

"""The table of a sweep: one row per run, in a CSV file to which rows are appended.

A row is on the disk before the next run begins. If the process is killed while it writes, the next
one drops the incomplete line. A row with new columns, and the end of a sweep, write the whole file
anew, under another name that is then renamed.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from swarm_nca.atomic import write_atomically, writing

#: The first columns, and the last ones; keys and measures stand between them.
FIRST = ("run", "status", "seed")
LAST = ("seconds", "failure", "plan")

DONE, FAILED = "done", "failed"

Row = Mapping[str, str]


class Table:
    """The rows of a sweep, and the file that holds them.

    Args:
        path: the file; its rows are read if it exists.
        keys: the columns of the keys that are swept.

    Raises:
        ValueError: the file is not the table of a sweep.
    """

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        held: list[str] = []
        if path.exists():
            held = self._read()
        middle = dict.fromkeys([*keys, *(name for name in held if name not in (*FIRST, *LAST))])
        self.columns = [*FIRST, *middle, *LAST]
        self._write()

    def done(self, run: str) -> bool:
        """Whether a run is finished."""
        return run in self.rows and self.rows[run]["status"] == DONE

    def add(self, values: Mapping[str, Any]) -> Row:
        """Add the row of a run; it replaces an earlier row of the same run.

        Raises:
            NotWritten: an error of the file system, such as a full disk.
        """
        cells = {name: cell(value) for name, value in values.items()}
        row = {name: text for name, text in cells.items() if text}
        new = [name for name in values if name not in self.columns]
        self.rows[row["run"]] = row
        if new:
            self.columns = [*self.columns[: -len(LAST)], *new, *LAST]
            self._write()
            return row
        with writing(self.path), self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(self._csv([row]))
            file.flush()
            os.fsync(file.fileno())
        return row

    def sort(self, order: Iterable[str]) -> None:
        """Write the whole file anew: first the rows of these runs, then all others."""
        ordered = [run for run in order if run in self.rows]
        self.rows = {run: self.rows[run] for run in dict.fromkeys([*ordered, *self.rows])}
        self._write()

    def _read(self) -> list[str]:
        """Read the rows; returns the columns."""
        text = self.path.read_bytes().decode("utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]  # a killed process may leave half a line
        header, *lines = csv.reader(io.StringIO(whole)) if whole else [[]]
        if header[-2:-1] == ["error"]:  # in older tables
            header[-2] = "failure"
        if header and (tuple(header[: len(FIRST)]) != FIRST or tuple(header[-len(LAST) :]) != LAST):
            raise ValueError(
                f"{self.path}: this is not the table of a sweep; choose another folder with --out"
            )
        for line in lines:
            if len(line) == len(header) and line[1] in (DONE, FAILED):
                row = {name: text for name, text in zip(header, line, strict=True) if text}
                self.rows[line[0]] = row
        return header

    def _write(self) -> None:
        header = self._csv_line(self.columns)
        write_atomically(self.path, (header + self._csv(self.rows.values())).encode())

    def _csv(self, rows: Iterable[Row]) -> str:
        return "".join(self._csv_line([row.get(name, "") for name in self.columns]) for row in rows)

    @staticmethod
    def _csv_line(cells: Sequence[str]) -> str:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        return line.getvalue()


def cell(value: Any) -> str:
    """A value as the text of a cell; numbers to the last bit, lists and mappings as JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str) and value.isprintable():
        return value
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def number(row: Row, name: str) -> float:
    """The number in a cell; nan if there is none."""
    try:
        return float(row.get(name, ""))
    except ValueError:
        return math.nan

"""Reads patterns of Life in run-length encoded text, their common exchange format.

A file has optional lines of comments (`#N Glider`), a header (`x = 3, y = 3, rule = B3/S23`) and
the rows: `b` for a dead cell, `o` for a live cell, `$` for the end of a row, each after a count
unless it is 1, and `!` for the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swarm_nca.bounds import LONGEST_SIDE
from swarm_nca.images.pictures import Grey, check_pixels

#: The ending of pattern files.
ENDING = ".rle"

#: Maximum characters of a pattern: more than the largest canvas needs.
_MOST = 4_000_000

_HEADER = re.compile(r"x\s*=\s*(\d+)\s*,\s*y\s*=\s*(\d+)\s*(?:,\s*rule\s*=\s*(\S+)\s*)?", re.I)
_RUN = re.compile(r"(\d*)([bo$!])|\s+")


@dataclass(frozen=True, eq=False)
class Pattern:
    """A pattern: its cells [H, W], 1 where alive, and the rule named in the text, if any."""

    grey: Grey
    rule: str | None = None


def read_pattern(text: str, base: str | Path = ".") -> Pattern:
    """A pattern from run-length encoded text, or from a file of it.

    Args:
        text: the text, or the path of a file that ends in `.rle`, relative to `base`.

    Raises:
        ValueError: a file that cannot be read, or invalid text.
    """
    if not is_file(text):
        return parse_pattern(text)
    path = Path(base) / text
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            written = file.read(_MOST + 1)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    try:
        return parse_pattern(written)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def is_file(text: str) -> bool:
    """Whether this is the name of a pattern file, not a pattern."""
    return text.lower().endswith(ENDING)


def parse_pattern(text: str) -> Pattern:
    """A pattern from its text.

    Raises:
        ValueError: invalid text, no live cell, or a pattern larger than its header or a canvas.
    """
    if len(text) > _MOST:
        raise ValueError(f"a pattern has at most {_MOST:,} characters, got {len(text):,}")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    header = _HEADER.fullmatch(lines[0].strip()) if lines else None
    runs, (rows, columns) = _runs("\n".join(lines[1:] if header else lines))
    if not runs:
        raise ValueError(f"a pattern has at least one live cell (o), got {text[:40]!r}")
    if header is not None:
        wide, high = int(header[1][:9]), int(header[2][:9])
        if rows > high or columns > wide:
            raise ValueError(
                f"its header says x = {wide}, y = {high}, but its rows take x = {columns}, "
                f"y = {rows}: correct the header"
            )
        rows, columns = high, wide
    if max(rows, columns) > LONGEST_SIDE:
        raise ValueError(f"{rows:,}×{columns:,} cells do not fit: {LONGEST_SIDE:,} a side at most")
    check_pixels(1, rows, columns)
    grey = np.zeros((rows, columns), np.float32)
    for row, first, last in runs:
        grey[row, first:last] = 1.0
    return Pattern(grey, header[3] if header is not None else None)


def _runs(text: str) -> tuple[list[tuple[int, int, int]], tuple[int, int]]:
    """Runs of live cells as (row, first column, one past the last), and (rows, columns)."""
    runs: list[tuple[int, int, int]] = []
    row = column = widest = highest = at = 0
    while at < len(text):
        found = _RUN.match(text, at)
        if found is None:
            shown = text[at : at + 12]
            raise ValueError(
                f"a pattern consists of counts, b, o, $ and !, with two states only; got {shown!r}"
            )
        at, kind = found.end(), found[2]
        if kind is None:
            continue
        if kind == "!":
            return runs, (highest, widest)
        count = int(found[1][:9] or 1)
        if kind == "$":
            row, column = row + count, 0
            continue
        if kind == "o" and count:
            runs.append((row, column, column + count))
            highest = row + 1
        column += count
        widest = max(widest, column)
    raise ValueError("a pattern ends with !, but this text does not: check that it is complete")

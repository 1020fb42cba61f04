"""How a mistake in a file is told: one line with the place, the path, what is wrong and the cure.

Every message has the shape `file:line:column: path: what is wrong, what was given (did you mean
…?)`, the shape compilers use, so that editors can jump to the place. A place without a line is a
whole file (it does not exist) or a `--set` on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = Any
"""A `Scalar`, a list of `Plain`, or a dict from `Scalar` to `Plain`."""

Path: TypeAlias = tuple[Any, ...]
"""Keys of mappings and numbers of list entries, from the root down."""


class Place(NamedTuple):
    """Where something stands; lines and columns count from 1, None where there is no line."""

    file: str
    line: int | None = None
    column: int | None = None


class LocatedError(ValueError):
    """A mistake in a user's file, with its place. `str(error)` is the one line to show.

    Attributes: `file`, `line`, `column` (from 1, or None), `path` (`perturbations[1].radius`,
    empty for the whole file), `message`, and `given`, the offending plain value if there is one.
    """

    def __init__(self, message: str, place: Place, path: Path = (), given: Plain = None) -> None:
        super().__init__(message, place, path, given)  # the arguments make it picklable
        self.file, self.line, self.column = place
        self.path = dotted(path)
        self.message = message
        self.given = given

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        return _one_line(": ".join(part for part in (place, self.path, self.message) if part))


def dotted(path: Path) -> str:
    """The path as people write it: `("perturbations", 1, "at")` is `perturbations[1].at`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif isinstance(step, str) and re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text


def shown(value: Plain, width: int = 60) -> str:
    """The value on one line as a reader would write it in YAML, cut to `width` characters."""
    text = _flow(value, width) if value is not None else "nothing"
    return text if len(text) <= width else text[: width - 1] + "…"


def _flow(value: Plain, width: int) -> str:
    """YAML's one-line style; stops early, what lies past `width` is cut anyway."""
    if isinstance(value, dict):
        pairs = (f"{key}: {_flow(item, width)}" for key, item in value.items())
        return "{" + _join(pairs, width) + "}"
    if isinstance(value, list | tuple):
        return "[" + _join((_flow(item, width) for item in value), width) + "]"
    if value is None or isinstance(value, bool):
        return str({None: "null", True: "true", False: "false"}[value])
    return repr(value)


def _join(parts: Iterable[str], width: int) -> str:
    text = ""
    for part in parts:
        text += f", {part}" if text else part
        if len(text) > width:
            break
    return text


def _one_line(text: str) -> str:
    """Line breaks become spaces; what a terminal would obey instead of show is escaped."""
    text = re.sub(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*", " ", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

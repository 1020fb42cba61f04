"""Error messages of files: one line with the place, the path, the mistake and the cure.

Every message has the form `file:line:column: path: mistake, value received (did you mean …?)`, as
compilers write it, so that editors can jump to the place. A place without a line means the whole
file (for example a missing one) or a `--set` on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

#: Maximum characters of a message.
LONGEST_LINE = 2000

Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = Any
"""A `Scalar`, a list of `Plain`, or a dict from `Scalar` to `Plain`."""

Path: TypeAlias = tuple[Any, ...]
"""Keys of mappings and numbers of list entries, from the root down."""


class Place(NamedTuple):
    """A place in a file; line and column count from 1, None without a line."""

    file: str
    line: int | None = None
    column: int | None = None


class LocatedError(ValueError):
    """A mistake in a user's file, with its place. `str(error)` is the message in one line.

    Attributes: `file`, `line`, `column` (from 1, or None), `path` (`perturbations[1].radius`,
    empty for the whole file), `message`, `given`, the offending plain value if there is one, and
    `others`, the lines of further mistakes in the same file.
    """

    def __init__(
        self,
        message: str,
        place: Place,
        path: Path = (),
        given: Plain = None,
        others: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, place, path, given, others)  # the arguments make it picklable
        self.file, self.line, self.column = place
        self.path = dotted(path)
        self.message = message
        self.given = given
        self.others = others

    def __str__(self) -> str:
        more = f" (and {len(self.others)} more)" if self.others else ""
        return self.lines[0] + more

    @property
    def lines(self) -> tuple[str, ...]:
        """All mistakes found, each in one line; this one first."""
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        parts = (_cut(place), _cut(self.path), self.message)
        return one_line(": ".join(part for part in parts if part)), *self.others

    def beside(self, others: Iterable[LocatedError]) -> LocatedError:
        """This mistake, with other mistakes of the same file."""
        lines = [line for other in others for line in other.lines]
        place = Place(self.file, self.line, self.column)
        message, _, path, given, earlier = self.args
        return LocatedError(message, place, path, given, (*earlier, *lines))


def dotted(path: Path) -> str:
    """The path as text: `("perturbations", 1, "at")` is `perturbations[1].at`."""
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
    """The value in YAML on one line, cut to `width` characters."""
    text = _flow(value, width) if value is not None else "nothing"
    return text if len(text) <= width else text[: width - 1] + "…"


def _flow(value: Plain, width: int) -> str:
    """The value in YAML's one-line style; stops soon after `width` characters."""
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


def one_line(text: str) -> str:
    """The text on one line.

    Line breaks become spaces, unprintable characters are escaped. Very long words, and texts of
    more than `LONGEST_LINE` characters, are cut in the middle.
    """
    text = _cut(re.sub(r"\S{400,}", lambda word: _cut(word[0], 200), text), LONGEST_LINE)
    text = re.sub(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*", " ", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str, longest: int = 400) -> str:
    """The text; if longer than `longest`, its beginning and its end."""
    return text if len(text) <= longest else f"{text[: longest - 101]}…{text[-100:]}"

"""A YAML file as a tree of plain data, with the place of every value and key.

The tree is built from PyYAML's parsing events, which still have marks. It holds only mappings,
lists and scalars. Tags, merge keys, duplicate keys and a second document are refused. Aliases may
repeat values up to a limit (against the "billion laughs" attack).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from swarm_nca.config.errors import LocatedError, Path, Place, Plain, Scalar, shown
from swarm_nca.config.scalars import from_plain

DEEPEST = 50
MOST_VALUES = 20_000

MAPPING_IN_TEXT = "mapping values are not allowed"

# part of PyYAML's message; plain words; whether to report the place where the construct begins
PLAIN_WORDS = (
    ("found character '\\t'", "this is a tab; use spaces", False),
    ("cannot start any token", "text that begins with this character needs quotes", False),
    ("expected the node content", "a value is expected here", False),
    (MAPPING_IN_TEXT, "unexpected ': '; text that holds one needs quotes", False),
    ("could not find expected ':'", "'key: value' is expected (a space after the colon)", True),
    ("expected <block end>", "this line has another indent than those above, or no key", False),
    ("expected ',' or ']'", "a ',' is missing here, or the ']' that closes the list", False),
    ("expected ',' or '}'", "a ',' is missing here, or the '}' that closes the mapping", False),
    ("unexpected end of stream", "the quote that opens here is never closed", True),
)


@dataclass(frozen=True)
class Node:
    """A value with its place. `value` is a scalar, or a list or a dict of nodes."""

    place: Place
    value: Scalar | list[Node] | dict[Scalar, Node]
    keys: dict[Scalar, Place] = field(default_factory=dict)  # of a mapping: the place of each key

    def child(self, step: object) -> Node | None:
        """The value at a key or a list number; None if there is none."""
        if isinstance(self.value, dict) and isinstance(step, Scalar):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None

    def children(self) -> list[Node]:
        """The direct children, in file order."""
        if isinstance(self.value, dict):
            return list(self.value.values())
        return self.value if isinstance(self.value, list) else []

    def changes(self) -> Iterator[str]:
        """The sources of all values of this subtree that have no line in a file."""
        if self.place.line is None:
            yield self.place.file
        for child in self.children():
            yield from child.changes()

    def data(self) -> Plain:
        """The plain data, in new lists and dicts."""
        if isinstance(self.value, dict):
            return {key: node.data() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.data() for node in self.value]
        return self.value


def compose(text: str, file: str, numbered: bool = True) -> Node:
    """The tree of one YAML document; with `numbered=False` places have no lines and columns.

    Raises:
        LocatedError: an empty text, or one that is not plain YAML.
    """
    return _Composer(text, file, numbered).document()


class _Composer:
    """Builds nodes from the events of a text, by recursive descent."""

    def __init__(self, text: str, file: str, numbered: bool) -> None:
        self.text, self.file, self.numbered = text, file, numbered
        self.anchors: dict[str, Node] = {}
        self.values = 0
        self.events: Any  # a yaml.SafeLoader, used as its parser only; its methods are untyped

    def document(self) -> Node:
        try:
            self.events = yaml.SafeLoader(self.text)
        except yaml.reader.ReaderError as error:
            line_start = self.text.rfind("\n", 0, error.position) + 1
            place = self._place(self.text.count("\n", 0, line_start), error.position - line_start)
            what = f"the character {self.text[error.position]!r} is not allowed in YAML"
            raise LocatedError(what, place) from error
        try:
            return self._document()
        except yaml.MarkedYAMLError as error:
            raise self._syntax_error(error) from error
        except LocatedError:
            raise
        except (ValueError, OverflowError) as error:  # from an escape like "\UFFFFFFFF"
            mark = self.events.get_mark()
            what = "this escape names no character"
            raise LocatedError(what, self._place(mark.line, mark.column)) from error

    def _document(self) -> Node:
        self.events.get_event()  # the stream starts
        if self.events.check_event(yaml.StreamEndEvent):
            raise LocatedError("the file is empty", self._place(0, 0))
        self.events.get_event()  # the document starts
        root = self._node(())
        self.events.get_event()  # the document ends
        if not self.events.check_event(yaml.StreamEndEvent):
            raise LocatedError("a second document starts here; keep one per file", self._here())
        return root

    def _node(self, path: Path) -> Node:
        place = self._here()
        event = self.events.get_event()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, place, path)
        self._count(1, len(path), place, path)
        if event.tag is not None:
            what = f"the tag {event.tag} is not allowed; write plain data"
            raise LocatedError(what, place, path)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(place, self._scalar(event, place, path))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._list(place, path)
        else:
            node = self._mapping(place, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _alias(self, anchor: str | None, place: Place, path: Path) -> Node:
        if anchor not in self.anchors:  # unknown, or incomplete: the value would contain itself
            what = f"the alias *{anchor} has no complete value &{anchor} above it"
            raise LocatedError(what, place, path)
        node = self.anchors[anchor]
        size, height = _measure(node)  # at most MOST_VALUES, since its values were counted before
        self._count(size, len(path) + height, place, path)
        return node

    def _count(self, more: int, depth: int, place: Place, path: Path) -> None:
        self.values += more
        if self.values > MOST_VALUES:
            what = f"more than {MOST_VALUES:,} values, counting those that aliases repeat"
            raise LocatedError(what, place, path)
        if depth > DEEPEST:
            raise LocatedError(f"nested more than {DEEPEST} levels deep", place, ())

    def _scalar(self, event: yaml.ScalarEvent, place: Place, path: Path) -> Scalar:
        try:
            event.value.encode()
            return from_plain(event.value) if event.implicit[0] else event.value
        except UnicodeEncodeError as error:
            what = "half of a surrogate pair is no character; write the character itself"
            raise LocatedError(what, place, path) from error
        except ValueError as error:
            raise LocatedError(str(error), place, path) from error

    def _list(self, place: Place, path: Path) -> Node:
        entries: list[Node] = []
        while not self.events.check_event(yaml.SequenceEndEvent):
            entries.append(self._node((*path, len(entries))))
        self.events.get_event()
        return Node(place, entries)

    def _mapping(self, place: Place, path: Path) -> Node:
        values: dict[Scalar, Node] = {}
        keys: dict[Scalar, Place] = {}
        while not self.events.check_event(yaml.MappingEndEvent):
            event = self.events.peek_event()
            if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value == "<<":
                what = "merge keys (<<) are not allowed; write the keys out"
                raise LocatedError(what, self._here(), path)
            key_place = self._here()
            key = self._node(path).value
            if isinstance(key, list | dict):
                raise LocatedError("a key must be text or a number", key_place, path)
            if key in values:
                what = f"the key {shown(key)} is given twice"
                if keys[key].line is not None:
                    what += f", first in line {keys[key].line}"
                raise LocatedError(what, key_place, (*path, key), key)
            keys[key] = key_place
            values[key] = self._node((*path, key))
        self.events.get_event()
        return Node(place, values, keys)

    def _here(self) -> Place:
        mark = self.events.peek_event().start_mark
        return self._place(mark.line, mark.column)

    def _place(self, line: int, column: int) -> Place:
        return Place(self.file, line + 1, column + 1) if self.numbered else Place(self.file)

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> LocatedError:
        problem = error.problem or error.context or "cannot be read"
        mark = error.problem_mark or error.context_mark
        what = f"not valid YAML: {problem}"
        for fragment, words, at_beginning in PLAIN_WORDS:
            if fragment in problem:
                what = words
                mark = (error.context_mark or mark) if at_beginning else mark
                break
        if mark and MAPPING_IN_TEXT in problem and (shift := _indented(self.text, mark.line)):
            column, above = shift
            what = (
                f"this key is indented by {column} spaces and the key above it by {above}; indent "
                "all keys of one mapping by the same number"
            )
            return LocatedError(what, self._place(mark.line, column))
        place = self._place(mark.line, mark.column) if mark else Place(self.file)
        return LocatedError(what, place)


def _indented(text: str, number: int) -> tuple[int, int] | None:
    """The indents of a line's key and of the key above, if the line is indented deeper.

    YAML reads such a line as a continuation of the text above, up to the colon after its key.
    """
    lines = text.splitlines()[: number + 1]
    key = re.match(r"( +)[\w-]+:(?: |$)", lines[-1]) if len(lines) > number else None
    above = next((line for line in reversed(lines[:-1]) if line.strip()), "")
    other = re.match(r"([ -]*)[\w-]+: *[^ #]", above)
    if key is None or other is None or len(key[1]) <= len(other[1]):
        return None
    return len(key[1]), len(other[1])


def _measure(node: Node) -> tuple[int, int]:
    """The number of values of a subtree, its root included, and the levels below the root."""
    parts = [_measure(child) for child in node.children()]
    return 1 + sum(size for size, _ in parts), max((1 + height for _, height in parts), default=0)

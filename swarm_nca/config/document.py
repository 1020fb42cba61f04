"""A located YAML document: plain data with the place of each value in the file.

Documents are read here, validated against a schema, and changed from the command line (`--set`).
Code that finds a mistake later reports it with its place through the document.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import Any, TypeVar, overload

from swarm_nca.config.errors import LocatedError, Path, Place, Plain, shown
from swarm_nca.config.relocation import is_path, path_from
from swarm_nca.config.tree import DEEPEST, Node, compose
from swarm_nca.suggestion import did_you_mean, nearest

T = TypeVar("T")

#: Maximum bytes of a file; reading so many takes about a second.
MOST_BYTES = 1_000_000


@dataclasses.dataclass(frozen=True)
class Document:
    """One YAML document, made by `read` or `parse`; immutable."""

    file: str
    root: Node

    @property
    def data(self) -> Plain:
        """The plain data, a new copy at each access."""
        return self.root.data()

    @overload
    def validate(self, model: type[T]) -> T: ...
    @overload
    def validate(self, model: object) -> Any: ...
    def validate(self, model: Any) -> Any:
        """The data as an instance of `model`: a pydantic model, a dataclass, or any type.

        Models should forbid extra keys. A stdlib dataclass follows the model that contains it; on
        its own it accepts any key.

        Raises:
            LocatedError: the most informative mistake, with the lines of the others.
        """
        # Import pydantic only when a file is validated.
        from swarm_nca.config.validation import validate

        return validate(self, model)

    def error(self, path: Path, message: str, *, key: bool = False) -> LocatedError:
        """An error for the caller to raise, with the place of the value at `path`.

        `path` holds keys and list numbers, `("perturbations", 1, "at")`. If a part of it is not in
        the file (a default was used), the place is that of the deepest mapping or list on the path.
        `key=True` gives the place of the key instead of its value. `given` is the value at the
        path.
        """
        node, place, inside = self.root, self.root.place, True
        for step in path:
            child = node.child(step)
            if child is None:
                inside = False
                break
            place = node.keys[step] if key and step in node.keys else child.place
            node = child
        whole = inside or not path
        if whole and place.line is not None and (changes := dict.fromkeys(node.changes())):
            message += f" (with {' '.join(changes)})"  # the override may cause the mistake
        return LocatedError(message, place, path, node.data() if inside else None)

    @contextlib.contextmanager
    def at(self, *path: Any) -> Iterator[None]:
        """Turn a ValueError or OSError of the block into a `LocatedError` at the path.

        For calls of code that does not use documents: `with document.at("rule"): load_rule(name)`.
        """
        try:
            yield
        except LocatedError:
            raise
        except (ValueError, OSError) as error:
            raise self.error(path, _reason(error)) from error

    def with_overrides(self, overrides: Iterable[str]) -> Document:
        """The document with `key=value` changes, as in `--set links.drop=0.1`.

        Keys are dotted, list entries numbered from 0 (`perturbations.0.at` or
        `perturbations[0].at`); values are YAML. Missing mappings on the path are added. A mistake
        in such a value is located by `--set key=value` instead of a line. File paths in values
        are relative to the working directory, as in every other option.
        """
        root, folder = self.root, FilePath(self.file).parent
        for override in overrides:
            root = _overridden(root, override, folder)
        return dataclasses.replace(self, root=root)

    def with_node(self, key: str, node: Node, folder: FilePath) -> Document:
        """The document with a node of another document at a dotted key; see `with_overrides`.

        A mistake in the value is located in the node's own file.

        Args:
            folder: file paths in the node are relative to it.
        """
        steps = _steps(key)
        if steps is None:
            raise LocatedError("a dotted key is expected, such as links.drop", node.place, (key,))
        home = FilePath(self.file).parent
        leaf = _relocated(steps[-1], node, home, steps[-2:-1], folder)
        return dataclasses.replace(self, root=_replaced(self.root, steps, (), leaf))


def read(path: str | os.PathLike[str]) -> Document:
    """Read a YAML file.

    Raises:
        LocatedError: the file is missing, too large, not UTF-8 or not plain YAML.
    """
    file = os.fspath(path)
    try:
        with FilePath(file).open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise LocatedError(f"no such file{_similar(FilePath(file))}", Place(file)) from None
    except IsADirectoryError:
        raise LocatedError("this is a folder, a YAML file is expected", Place(file)) from None
    except (OSError, ValueError) as error:  # ValueError: an impossible file name
        raise LocatedError(f"cannot be read: {_reason(error)}", Place(file)) from error
    if len(content) > MOST_BYTES:
        raise LocatedError(
            f"has more than {MOST_BYTES:,} bytes: shorten it, or check the path", Place(file)
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig", "replace")) + 1
        what = f"not UTF-8 text: byte 0x{content[error.start]:02x}; save the file as UTF-8"
        raise LocatedError(what, Place(file, before.count(b"\n") + 1, column)) from error
    return parse(text, file)


def parse(text: str, file: str = "<text>") -> Document:
    """Read YAML from a text; `file` is its name in messages."""
    return Document(file, compose(text, file))


def _overridden(root: Node, override: str, folder: FilePath) -> Node:
    source = f"--set {override}"
    name, equals, text = override.partition("=")
    steps = _steps(name)
    if not equals or not text.strip() or steps is None:
        raise LocatedError("key=value is expected, such as links.drop=0.1", Place(source))
    leaf = compose(text, source, numbered=False)
    leaf = _relocated(steps[-1], leaf, folder, steps[-2:-1], FilePath())
    return _replaced(root, steps, (), leaf)


def _steps(key: str) -> list[str] | None:
    """The parts of a dotted key, `perturbations[0].at` too; None if it is not one."""
    steps = re.sub(r"\[(\d+)\]", r".\1", key.strip()).split(".")
    return steps if all(steps) and len(steps) <= DEEPEST else None


def _relocated(
    key: Any, node: Node, folder: FilePath, above: list[Any], given_in: FilePath
) -> Node:
    """The node of a key, with file paths relative to `given_in` made relative to `folder`.

    Args:
        above: the parent key, if any.
    """
    if isinstance(node.value, dict):
        values = {
            name: _relocated(name, child, folder, [key], given_in)
            for name, child in node.value.items()
        }
        return dataclasses.replace(node, value=values)
    if isinstance(node.value, list):
        return dataclasses.replace(
            node,
            value=[_relocated(key, child, folder, above, given_in) for child in node.value],
        )
    if above == [key] == ["rule"]:  # the setting `rule` of a rule family is not a path
        return node
    if is_path(str(key), node.value):
        return dataclasses.replace(node, value=path_from(folder, given_in, str(node.value)))
    return node


def _replaced(node: Node, steps: list[str], path: Path, leaf: Node) -> Node:
    """A copy of the node with `leaf` at the end of the steps."""
    if not steps:
        return leaf
    step, *rest = steps
    if isinstance(node.value, list):
        if step not in map(str, range(len(node.value))):
            have = f"has entries 0 to {len(node.value) - 1}" if node.value else "is an empty list"
            raise LocatedError(f"{have}, got {shown(step)}", leaf.place, path, step)
        entries = list(node.value)
        entries[int(step)] = _replaced(entries[int(step)], rest, (*path, int(step)), leaf)
        return dataclasses.replace(node, value=entries)
    if not isinstance(node.value, dict) and node.value is not None:
        what = f"is {shown(node.value)}, so there is no {shown(step)} in it"
        raise LocatedError(what, leaf.place, path, step)
    values = node.value or {}
    key = next((key for key in values if str(key) == step), step)
    child = values.get(key, Node(leaf.place, None))
    key_place = node.keys[key] if rest and key in node.keys else leaf.place
    return Node(
        node.place,
        {**values, key: _replaced(child, rest, (*path, key), leaf)},
        {**node.keys, key: key_place},
    )


def _reason(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        named = f": {error.filename}" if error.filename else ""
        return error.strerror[0].lower() + error.strerror[1:] + named
    return str(error) or type(error).__name__


def _similar(file: FilePath) -> str:
    """A hint at the file in the same folder with the most similar name; suffixes are ignored."""
    try:
        names = {entry.stem: entry.name for entry in sorted(file.parent.iterdir())}
    except OSError:
        return ""
    meant = nearest(file.stem, names)
    return did_you_mean(file.name, [names[meant]]) if meant else ""

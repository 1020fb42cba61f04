"""Converts paths that are relative to a file's folder into paths relative to another folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

#: Keys whose texts are paths, at any depth.
PATHS = ("file", "folder")

#: Keys whose texts are paths if they have this ending.
ENDINGS = {"rle": ".rle"}

#: Keys whose texts are paths or shipped names; a path contains a slash or a dot.
NAMES_OR_PATHS = ("rule", "weights")


def relocated(data: Any, old: Path, new: Path, shipped: Collection[str] = ()) -> Any:
    """Plain data with its paths, relative to `old`, made relative to `new`.

    Args:
        shipped: the names of shipped rules, which are not paths.
    """
    return _moved(None, data, old, new, shipped)


def _moved(above: Any, data: Any, old: Path, new: Path, shipped: Collection[str]) -> Any:
    """The data under the key `above`."""
    if isinstance(data, list | tuple):
        return [_moved(above, part, old, new, shipped) for part in data]
    if not isinstance(data, dict):
        return data
    moved = {}
    for key, value in data.items():
        # The setting `rule` of a rule family is not a path.
        rule = key in NAMES_OR_PATHS and isinstance(value, str) and above != "rule"
        if _always_path(key, value) or (rule and value not in shipped):
            moved[key] = path_from(new, old, value)
        else:
            moved[key] = _moved(key, value, old, new, shipped)
    return moved


def is_path(key: str, value: Any) -> bool:
    """Whether the value of a key is a path, judged by key and text."""
    if not isinstance(value, str):
        return False
    return _always_path(key, value) or (
        key in NAMES_OR_PATHS and any(sign in value for sign in "./\\")
    )


def _always_path(key: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return key in PATHS or (key in ENDINGS and value.lower().endswith(ENDINGS[key]))


def path_from(new: Path, old: Path, path: str) -> str:
    """A path relative to `old`, made relative to `new`; absolute paths are unchanged."""
    if Path(path).is_absolute():
        return path
    target = Path(os.path.realpath(old), path)
    if ".." in Path(path).parts:  # after a symbolic link, ".." starts from the link's target
        target = Path(os.path.realpath(target.parent), target.name)
    try:
        return Path(os.path.relpath(target, os.path.realpath(new))).as_posix()
    except ValueError:  # on another drive
        return str(target)

"""Converts paths that are relative to a file's folder into paths relative to another folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

#: Keys whose texts are paths, at any depth.
PATHS = ("file", "folder")

#: Keys whose texts are paths if they have this ending.
ENDINGS = {"rle": ".rle"}

#: Keys whose texts are paths or shipped names; a path contains a slash or a dot.
NAMES_OR_PATHS = ("rule", "weights")


def relocated(data: Any, old: Path, new: Path) -> Any:
    """Plain data with its paths, relative to `old`, made relative to `new`."""
    if isinstance(data, dict):
        return {
            key: path_from(new, old, value)
            if _always_path(key, value)
            else relocated(value, old, new)
            for key, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [relocated(part, old, new) for part in data]
    return data


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

"""Paths in a file start from the file's own folder; these tell them from another one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

#: The keys whose texts are paths, in whatever file and however deep.
PATHS = ("file", "folder")

#: The keys whose texts are paths if they end so, and else something else.
ENDINGS = {"rle": ".rle"}

#: The keys whose texts are paths or names of what ships; a path has a slash or a dot in it.
NAMES_OR_PATHS = ("rule", "weights")


def relocated(data: Any, old: Path, new: Path) -> Any:
    """Plain data that was read in one folder, its paths told as they are from another."""
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
    """Whether this is a path, as far as it tells by itself."""
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
    """A path that starts in `old`, told from `new`; absolute ones stay as they are."""
    if Path(path).is_absolute():
        return path
    there = Path(os.path.realpath(old), path)
    if ".." in Path(path).parts:  # which is where a link leads, if one stands before it
        there = Path(os.path.realpath(there.parent), there.name)
    try:
        return Path(os.path.relpath(there, os.path.realpath(new))).as_posix()
    except ValueError:  # on another drive
        return str(there)

"""Files that are whole or not there: written beside their place, then moved into it.

Whether a place can be written to is best found out by writing to it: before hours of work, not
after them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

_UMASK = os.umask(0)
os.umask(_UMASK)


def write_atomically(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file, whole or piece by piece, so that a reader, or a crash, never meets half."""
    handle, temporary = _beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        # As an ordinary new file would be; mkstemp's are for the owner alone.
        os.chmod(temporary, 0o666 & ~_UMASK)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def check_file(path: Path) -> None:
    """A ValueError unless `write_atomically` can put a file there; leaves no trace."""
    if path.is_dir():
        raise ValueError(f"{path}: this is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path}: this is no ordinary file; choose another")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: the folder {path.parent} does not exist; make it first")
    _try(path, path)


def check_folder(folder: Path) -> None:
    """A ValueError unless files can be put in a folder, made if it is missing; leaves no trace."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        which = "this" if there == folder else there
        raise ValueError(f"{folder}: {which} is a file, not a folder; choose another place")
    _try(there / "new", folder)


def _try(path: Path, wanted: Path) -> None:
    try:
        handle, temporary = _beside(path)
    except OSError as error:
        raise ValueError(
            f"{wanted}: nothing can be written there ({error.strerror}); choose another place"
        ) from error
    os.close(handle)
    os.unlink(temporary)


def _beside(path: Path) -> tuple[int, str]:
    """A file of its own in the same folder, open to write, and its name."""
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")

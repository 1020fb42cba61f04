"""Files that are whole or not there: written beside their place, then moved into it.

What is written beside a place carries the number of its process in its name and, where the system
tells it, the moment at which that process began. So the next process that writes to the place can
remove what a killed one left, and leaves alone what a living one is writing.

Whether a place can be written to is best found out by writing to it: before hours of work, not
after them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_UMASK = os.umask(0)
os.umask(_UMASK)

_FULL = (errno.ENOSPC, errno.EDQUOT)


class NotWritten(OSError):
    """An error of the file system, told with the file that was to be written and with a cure.

    Args:
        path: the file or folder.
        cause: what the system said.
    """

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(cause.errno, cause.strerror or str(cause), str(path))

    def __str__(self) -> str:
        space = "free some space on that disk, or " if self.errno in _FULL else ""
        return f"{self.filename}: not written ({self.strerror}); {space}choose another place"


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise any OSError within as a `NotWritten` of this path."""
    try:
        yield
    except OSError as error:
        raise NotWritten(path, error) from error


def write_atomically(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file, whole or piece by piece, so that a reader, or a crash, never meets half of it.

    Raises:
        NotWritten: a disk that is full, or the like; what was there before still is.
    """
    with writing(path):
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


def temporary_name(path: Path, ending: str) -> Path:
    """The name beside a path for what this process is about to move there.

    Args:
        ending: letters, digits and `_`.
    """
    return path.with_name(f"{_prefix(path)}{ending}")


def leftovers(path: Path) -> list[Path]:
    """What processes that have ended left beside a path under temporary names."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.([1-9]\d{{0,8}})\.(\d+)\.\w+")
    found = ((name, pattern.fullmatch(name)) for name in os.listdir(path.parent))
    return [
        path.with_name(name)
        for name, match in found
        if match and _born(int(match[1])) not in (match[2], _UNKNOWN)
    ]


def remove_leftovers(path: Path) -> None:
    """Remove the files that killed processes left beside a path; those that cannot be, stay."""
    for file in leftovers(path):
        if not file.is_dir():
            with contextlib.suppress(OSError):
                file.unlink()


def check_file(path: Path) -> None:
    """A ValueError unless `write_atomically` can put a file there; leaves no trace."""
    _check_reachable(path)
    if path.is_dir():
        raise ValueError(f"{path}: this is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path}: this is no ordinary file; choose another")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: the folder {path.parent} does not exist; make it first")
    check_beside(path)


def check_folder(folder: Path) -> None:
    """A ValueError unless files can be put in a folder, made if it is missing; leaves no trace."""
    _check_reachable(folder)
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        which = "this" if there == folder else there
        raise ValueError(f"{folder}: {which} is a file, not a folder; choose another place")
    missing = folder.absolute().parts[len(there.absolute().parts) :]
    check_beside(there / max(missing, key=len, default="new"), folder)


def check_beside(path: Path, wanted: Path | None = None) -> None:
    """A ValueError unless a file can be written beside a path, as moving it there begins.

    Args:
        wanted: what a message names instead of `path`.
    """
    try:
        handle, temporary = _beside(path)
    except OSError as error:
        raise ValueError(
            f"{wanted or path}: nothing can be written there ({error.strerror}); "
            "choose another place"
        ) from error
    try:
        os.close(handle)
        os.unlink(temporary)
    except BaseException:  # a signal
        Path(temporary).unlink(missing_ok=True)
        raise


def _check_reachable(path: Path) -> None:
    """A ValueError for a name that is too long, or for links that lead nowhere but in a circle."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ValueError(
            f"{path}: nothing can be written there ({error.strerror}); choose another place"
        ) from error


def _beside(path: Path) -> tuple[int, str]:
    """A file of its own in the same folder, open to write, and its name."""
    remove_leftovers(path)
    return tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))


def _prefix(path: Path) -> str:
    return f".{path.name}.{os.getpid()}.{_born(os.getpid())}."


#: Stands for the beginning of a process that lives, on a system that does not tell when it began.
_UNKNOWN = "0"


def _born(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None if no such process lives."""
    if os.name == "nt":
        return _UNKNOWN  # a process that is asked there by a signal would be stopped by it
    try:
        os.kill(pid, 0)
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except ProcessLookupError:
        return None
    except OSError:
        return _UNKNOWN  # it lives: as another user's, or where there is no /proc
    return None if state in "ZX" else fields[18]

"""Atomic file writing: a file is written under a temporary name, then renamed.

A temporary name contains the id of its process and, where the system provides it, the start time of
the process. The next process that writes to the same path can therefore remove files of killed
processes without touching files of running ones.

The `check_…` functions test whether a path is writable by writing a temporary file. Call them
before hours of work.
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
    """An error of the file system; the message names the path and a cure.

    Args:
        path: the file or folder to be written.
        cause: the error of the system.
    """

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(cause.errno, cause.strerror or str(cause), str(path))

    def __str__(self) -> str:
        space = "free some space on that disk, or " if self.errno in _FULL else ""
        return f"{self.filename}: not written ({self.strerror}); {space}choose another place"


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Context manager: turn any OSError into a `NotWritten` for this path."""
    try:
        yield
    except OSError as error:
        raise NotWritten(path, error) from error


def write_atomically(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file from bytes or pieces; readers and crashes never leave or see half a file.

    Raises:
        NotWritten: a full disk or a similar error; an existing file stays unchanged.
    """
    with writing(path):
        handle, temporary = _beside(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines([data] if isinstance(data, bytes) else data)
                file.flush()
                os.fsync(file.fileno())
            # The usual permissions of a new file; mkstemp gives access to the owner only.
            os.chmod(temporary, 0o666 & ~_UMASK)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def temporary_name(path: Path, ending: str) -> Path:
    """A temporary name in the same folder, for a file that this process will rename to `path`.

    Args:
        ending: letters, digits and `_`.
    """
    return path.with_name(f"{_prefix(path)}{ending}")


def leftovers(path: Path) -> list[Path]:
    """Temporary files of ended processes for this path."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.([1-9]\d{{0,8}})\.(\d+)\.\w+")
    found = ((name, pattern.fullmatch(name)) for name in os.listdir(path.parent))
    return [
        path.with_name(name)
        for name, match in found
        if match and _start_time(int(match[1])) not in (match[2], _UNKNOWN)
    ]


def remove_leftovers(path: Path) -> None:
    """Remove `leftovers` of a path; files that cannot be removed stay."""
    for file in leftovers(path):
        if not file.is_dir():
            with contextlib.suppress(OSError):
                file.unlink()


def check_file(path: Path) -> None:
    """Raise a ValueError unless `write_atomically` can write this file; leaves no trace."""
    _check_reachable(path)
    if path.is_dir():
        raise ValueError(f"{path}: this is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path}: this is no ordinary file; choose another")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: the folder {path.parent} does not exist; make it first")
    check_beside(path)


def check_folder(folder: Path) -> None:
    """Raise a ValueError unless the folder, existing or new, can take files; leaves no trace."""
    _check_reachable(folder)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        which = "this" if existing == folder else existing
        raise ValueError(f"{folder}: {which} is a file, not a folder; choose another place")
    missing = folder.absolute().parts[len(existing.absolute().parts) :]
    check_beside(existing / max(missing, key=len, default="new"), folder)


def check_beside(path: Path, wanted: Path | None = None) -> None:
    """Raise a ValueError unless a temporary file can be written in the folder of `path`.

    Args:
        wanted: the path that the message names instead of `path`.
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
    """Raise a ValueError for a name that is too long or a circle of symbolic links."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ValueError(
            f"{path}: nothing can be written there ({error.strerror}); choose another place"
        ) from error


def _beside(path: Path) -> tuple[int, str]:
    """A new temporary file in the folder of `path`: its open handle and its name."""
    remove_leftovers(path)
    return tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))


def _prefix(path: Path) -> str:
    return f".{path.name}.{os.getpid()}.{_start_time(os.getpid())}."


#: Start time of a running process where the system does not provide it.
_UNKNOWN = "0"


def _start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None if the process does not run."""
    if os.name == "nt":
        return _UNKNOWN  # os.kill(pid, 0) would stop the process on Windows
    try:
        os.kill(pid, 0)
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except ProcessLookupError:
        return None
    except OSError:
        return _UNKNOWN  # the process runs under another user, or the system has no /proc
    return None if state in "ZX" else fields[18]

"""Allows one training, sweep or stress suite per folder, by a lock that ends with the process.

A killed process leaves the lock file but not the lock. The next process locks the same file and
removes it at its end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from swarm_nca.atomic import writing

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def locked(file: Path, work: str = "training") -> Iterator[None]:
    """Hold a lock on a folder; on Windows, which lacks these locks, do nothing.

    Args:
        file: the lock file in that folder; created, and removed at the end.
        work: what its holder does there, for the message.

    Raises:
        ValueError: another process holds the lock.
        NotWritten: an error of the file system, such as no support for locks.
    """
    if sys.platform == "win32":
        yield
        return
    handle = None
    try:
        with writing(file), _signals_later():
            handle = _taken(file, work)
        yield
    finally:
        if handle is not None:
            with _signals_later():
                # Removed before the release, so that a waiting process creates a new file.
                file.unlink(missing_ok=True)
                os.close(handle)


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM, so that neither interrupts between the lock and its record."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _taken(file: Path, work: str) -> int:
    """The lock file, open and locked; it holds this process's number."""
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if file.exists() and os.path.samestat(os.fstat(handle), file.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
                return handle
        except BlockingIOError as error:
            pid = os.read(handle, 20).decode(errors="replace").strip()
            os.close(handle)
            stop = f"stop it with kill {pid}, " if pid else ""
            raise ValueError(
                f"{file.parent}: {f'process {pid}' if pid else 'another process'} is {work} in "
                f"this folder; wait until it ends, {stop}or choose another folder with --out"
            ) from error
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its owner has just removed it

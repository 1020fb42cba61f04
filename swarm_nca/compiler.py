"""The C compiler of this machine."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path


def found_compiler() -> str | None:
    """The C compiler of this machine; None if there is none."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def compiler() -> str:
    """The C compiler of this machine.

    Raises:
        FileNotFoundError: there is none.
    """
    if found := found_compiler():
        return found
    raise FileNotFoundError("found no C compiler (cc, gcc or clang): install one, such as gcc")


def shared_library(source: Path, *flags: str) -> ctypes.CDLL:
    """A C file, compiled and loaded; the compiled file is deleted at once.

    Raises:
        FileNotFoundError: there is no C compiler.
        OSError: the compiler fails, or its output cannot be loaded.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # A loaded library cannot be loaded again under its name.
        target = Path(folder) / f"{source.stem}.so"
        run(compiler(), *flags, "-shared", "-fPIC", "-o", str(target), str(source))
        return ctypes.CDLL(str(target))


def run(*command: str) -> str:
    """What a command prints.

    Raises:
        FileNotFoundError: no such command.
        OSError: it fails.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise FileNotFoundError(f"found no {command[0]!r}: install the GNU binutils") from None
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout

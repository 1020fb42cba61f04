"""SIGTERM and Ctrl-C stop a command in the same way: it removes unfinished files, then exits."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import typer

#: Exit code of a stopped command.
STOPPED = 130


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C: clean up, print "stopped", exit with code 130."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo("stopped", err=True)
        raise typer.Exit(STOPPED) from error
    finally:
        signal.signal(signal.SIGTERM, former)

"""Commands that are stopped leave nothing half done behind, whichever signal stops them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import typer

#: The exit code of a command that was stopped.
STOPPED = 130


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Take the system's wish to end the process (SIGTERM) as Ctrl-C: tidy up, exit code 130."""

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

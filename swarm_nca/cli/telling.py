"""How commands speak: results on stdout, bad input in one line on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def told_in_one_line(
    kinds: tuple[type[Exception], ...] = (ValueError, OSError),
) -> Iterator[None]:
    """Bad input: one line on stderr, and exit code 2."""
    try:
        yield
    except kinds as error:
        tell(error)
        raise typer.Exit(2) from error


def tell(error: Exception) -> None:
    """One line on stderr."""
    typer.echo(" ".join(str(error).split()), err=True)


def console() -> Console:
    """Standard output, for tables."""
    from rich.console import Console

    # Piped, a table is as wide as it needs to be: lines that wrap are hard to search.
    return Console() if sys.stdout.isatty() else Console(width=200)

"""Output of commands: results on stdout, errors of the user as one line on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from swarm_nca.extensions import ExtensionError

if TYPE_CHECKING:
    from rich.console import Console


#: Words of torch's errors when memory is exhausted.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


@contextlib.contextmanager
def told_in_one_line(
    kinds: tuple[type[Exception], ...] = (ValueError, OSError),
) -> Iterator[None]:
    """Turn errors of `kinds`, and exhausted memory, into one line on stderr and exit code 2."""
    try:
        yield
    except kinds as error:
        tell(error)
        raise typer.Exit(2) from error
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or any(word in str(error) for word in _NO_MEMORY)):
            raise
        tell(ValueError("not enough memory: use fewer worlds, smaller pictures or fewer steps"))
        raise typer.Exit(2) from error


def tell(error: Exception, all_of_them: bool = False) -> None:
    """Print an error as one line on stderr; with `all_of_them` one line for each located error."""
    from swarm_nca.config import LocatedError
    from swarm_nca.config.errors import one_line

    lines = [one_line(str(error))]
    if all_of_them and isinstance(error, LocatedError):
        lines = list(error.lines)
    for line in lines:
        typer.echo(" ".join(line.split()), err=True)


class Commands(TyperGroup):
    """A group of commands that prints a usage error as one line."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; a usage error ends with one line on stderr and exit code 2."""
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        try:
            code = super().main(*args, **(extra | {"standalone_mode": False}))
        except typer.Abort:
            raise SystemExit(1) from None
        except ExtensionError as error:  # raised while modules are imported, before any command
            tell(error)
            raise SystemExit(2) from error
        except Exception as error:
            # Typer exports no base class of click's errors; all of them have this method.
            if not hasattr(error, "format_message"):
                raise
            message, context = error.format_message(), getattr(error, "ctx", None)
            if "\n" in message:  # no command was given: the message is the help
                typer.echo(message, err=True)
            else:
                command = "swarm-nca" if context is None else context.command_path
                tell(ValueError(f"{message.rstrip('.')}; see {command} --help"))
            raise SystemExit(2) from error
        raise SystemExit(code or 0)


def console() -> Console:
    """A console on standard output, for tables."""
    from rich.console import Console

    # A pipe gets wide tables, because wrapped lines are hard to search.
    return Console() if sys.stdout.isatty() else Console(width=200)

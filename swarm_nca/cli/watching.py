"""The progress bar of a run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress as Bar

from swarm_nca.scenario.runner import Progress


@contextlib.contextmanager
def watched(name: str, quiet: bool = False) -> Iterator[Progress | None]:
    """Show a bar on stderr; yields the function that sets its steps done and total.

    Yields None, without a bar, if `quiet` is set or stderr is not a terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name)

        def update(done: int, steps: int) -> None:
            description = name if done < steps else f"{name}: writing"
            bar.update(task, completed=done, total=steps, description=description)

        yield update

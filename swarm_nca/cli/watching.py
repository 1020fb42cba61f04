"""A bar for whoever watches a run from a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress as Bar

from swarm_nca.scenario.runner import Progress


@contextlib.contextmanager
def watched(name: str, quiet: bool = False) -> Iterator[Progress | None]:
    """A bar on stderr; yields what tells it the steps done and in all, None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name)

        def tell(done: int, steps: int) -> None:
            now = name if done < steps else f"{name}: writing"
            bar.update(task, completed=done, total=steps, description=now)

        yield tell

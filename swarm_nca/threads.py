"""Number of torch threads.

`swarm_nca/__init__.py` sets `OMP_WAIT_POLICY=passive` before torch is imported, unless the
environment has a value of its own, so that threads do not wait in a loop.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator

#: Worlds with fewer cells than this run fastest on one core.
SMALL = 4_096


def threads_for(cells: int) -> contextlib.AbstractContextManager[None]:
    """Context manager: use as many torch threads as suit a world of `cells` cells.

    Small products are faster on one core than on several, above all on a busy machine. One core
    also gives the same bytes on every machine; several may sum in another order.
    """
    return threads(1 if cells < SMALL else available_cores())


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Context manager: use `count` torch threads, then restore the previous number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def available_cores() -> int:
    """The cores that this process may use; torch's thread count if OMP_NUM_THREADS is set."""
    import torch

    if "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

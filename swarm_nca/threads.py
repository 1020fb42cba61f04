"""How many cores torch may take."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator

#: The number of cells below which one core does best.
SMALL = 4_096


def threads_for(cells: int) -> contextlib.AbstractContextManager[None]:
    """Within this block as many as suit a world of that size.

    Small products are slower on several cores than on one, most of all on a busy machine; and on
    one they give the same bytes on every machine, while several may sum in another order.
    """
    return threads(1 if cells < SMALL else available_cores())


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Within this block so many, whatever it was before and will be again."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def available_cores() -> int:
    """All that this process may run on, unless OMP_NUM_THREADS says otherwise."""
    import torch

    if "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

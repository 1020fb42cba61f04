"""Number of torch threads.

`swarm_nca/__init__.py` sets `GOMP_SPINCOUNT=10000` before torch is imported, unless the environment
has `OMP_WAIT_POLICY` or `GOMP_SPINCOUNT`: torch's threads then wait in a loop for a short time, and
sleep after that.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

#: Whether a thread works on a job of `on_threads`, which would wait for itself.
_inside = threading.local()

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


def on_threads(job: Callable[[int, int], None], pieces: int, count: int) -> None:
    """Call job(number, piece) for all pieces, on several threads.

    Every thread takes the next piece when it has finished one, so that a thread that has to wait
    for its core delays the others by one piece at most. Inside a job torch uses one thread.

    Args:
        job: called with the number of its thread, from 0, and of the piece, from 0; the calls of
            one thread follow one another.
        pieces: how many.
        count: the most threads; a call inside a job uses the thread of that job only.

    Raises:
        The first error of a job, after all threads have ended.
    """

    count = min(count, pieces)
    if count <= 1 or getattr(_inside, "job", False):
        for piece in range(pieces):
            job(0, piece)
        return
    ticket = itertools.count()

    def work(number: int) -> None:
        _inside.job = True
        try:
            while (piece := next(ticket)) < pieces:
                job(number, piece)
        finally:
            _inside.job = False

    with threads(1):
        others = [_pool(count - 1).submit(work, number) for number in range(1, count)]
        try:
            work(0)
        finally:
            wait(others)
        for other in others:
            other.result()


@functools.cache
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, "swarm_nca")


if hasattr(os, "register_at_fork"):  # a forked child has none of these threads
    os.register_at_fork(after_in_child=_pool.cache_clear)

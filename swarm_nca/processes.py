"""Local worker processes: each takes one core and ends with the process that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local(workers: int) -> ProcessPoolExecutor:
    """An executor of new processes, which share nothing with this one.

    A program that uses it needs the guard `if __name__ == "__main__":`, as every program that
    starts processes.
    """
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )


def stop(executor: Executor) -> None:
    """End an executor's work at once; of local workers, also the processes."""
    workers = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(5)
        if worker.is_alive():
            worker.kill()


def _begin() -> None:
    """Prepare a worker: one thread, and no Ctrl-C, which is for the process that started it."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    import torch

    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """End this process when its parent has ended, even if it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

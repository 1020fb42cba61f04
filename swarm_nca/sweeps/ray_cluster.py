"""A Ray cluster as an executor: a run is a Ray task of one core.

Ray itself starts, places and repeats tasks. The nodes of the cluster need this package. They must
see the files that a scenario or recipe names, and the sweep's folder if runs leave files, under
the same paths.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any
from urllib.parse import urlsplit

#: How often Ray repeats a task whose worker process died.
RETRIES = 1

#: Seconds that a cluster may take to answer.
ANSWERS_IN = 5


class RayExecutor(Executor):
    """An executor whose calls are tasks of a Ray cluster.

    Args:
        address: `auto` for the cluster that runs on this machine, its address, or `local` for a
            cluster of this process only.
        workers: the cores of a `local` cluster.

    Attributes:
        workers: the cores of the cluster.

    Raises:
        ValueError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str, workers: int | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise ValueError('--ray needs Ray: pip install "swarm-nca[ray]"') from error
        if ray.is_initialized():
            self._owner = False
        else:
            _connect(ray, address, workers)
            self._owner = True
        self._ray: Any = ray
        self._refs: dict[Future[Any], Any] = {}
        self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start `fn(*args, **kwargs)` as a task."""
        task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(fn)
        ref = task.remote(*args, **kwargs)
        future: Future[Any] = ref.future()
        self._refs[future] = ref
        future.add_done_callback(lambda done: self._refs.pop(done, None))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; tasks that run are stopped if `cancel_futures` is set."""
        if cancel_futures:
            for ref in list(self._refs.values()):
                self._ray.cancel(ref, force=True)
        if self._owner:
            self._ray.shutdown()


def _connect(ray: Any, address: str, workers: int | None) -> None:
    cores = {"num_cpus": workers, "include_dashboard": False} if address == "local" else {}
    try:
        _check_answers(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **cores)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"--ray {address}: no Ray cluster answers ({str(error).splitlines()[0]}); start one "
            "with: ray start --head"
        ) from error


def _check_answers(address: str) -> None:
    """Raise an OSError if nothing listens at an address with a port; Ray itself takes minutes."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), ANSWERS_IN).close()

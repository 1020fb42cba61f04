"""A Ray cluster of two worker processes gives the rows of this process."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from swarm_nca.sweeps import running, sweep
from swarm_nca.sweeps.ray_cluster import RayExecutor
from tests.sweeps.conftest import Inline


def test_a_cluster_of_two_workers_gives_the_same_rows(
    write: Callable[..., Path], tmp_path: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setattr(running, "_draw", lambda opening, swept: None)
    cores = []

    def progress(finished: int, failed: int, runs: int) -> None:
        cores.append(ray.cluster_resources()["CPU"])

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        path = write()
        there = sweep(path, tmp_path / "ray", ray=cluster.address, seeds="1", progress=progress)
    finally:
        cluster.shutdown()
    assert not ray.is_initialized()
    assert cores == [2.0] * 4
    here = sweep(path, tmp_path / "here", executor=inline, seeds="1")
    assert [{**row, "seconds": ""} for row in there.rows] == [
        {**row, "seconds": ""} for row in here.rows
    ]
    assert there.failed == 0
    assert sweep(path, tmp_path / "ray", executor=inline).repeated == 4
    assert "RAY_ADDRESS" not in os.environ


def test_an_address_where_nothing_listens_is_refused_without_ray(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray, "init", lambda **settings: pytest.fail("Ray was asked"))
    with socket.socket() as taken:  # bound, but it does not listen
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ValueError, match=r"no Ray cluster answers .*: ray start --head"):
            RayExecutor(address)

"""Number of cores that a command uses."""

import os

import pytest

from swarm_nca.threads import available_cores


@pytest.fixture(autouse=True)
def clear_cache(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    available_cores.cache_clear()
    yield
    available_cores.cache_clear()


def test_only_cores_of_this_process_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 3


def test_all_cores_count_without_sched_getaffinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 64


def test_omp_num_threads_overrides_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    assert available_cores() == 2

"""How many cores a command takes."""

import os

import pytest

from swarm_nca.threads import available_cores


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    available_cores.cache_clear()
    yield
    available_cores.cache_clear()


def test_only_those_that_the_process_may_run_on_are_taken(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 3


def test_all_are_taken_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 64


def test_the_environment_has_the_last_word(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    assert available_cores() == 2

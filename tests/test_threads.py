"""Number of cores that a command uses."""

import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from swarm_nca.threads import available_cores, on_threads


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


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000"), ({"OMP_WAIT_POLICY": "active"}, "None"), ({"GOMP_SPINCOUNT": "9"}, "9")],
)
def test_waiting_threads_soon_sleep_unless_the_environment_says_otherwise(given, expected):
    others = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    environment = {name: value for name, value in os.environ.items() if name not in others}
    code = "import os, swarm_nca; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected


def test_a_job_that_shares_pieces_itself_does_not_wait_for_itself():
    done = []

    def outer(_, piece):
        on_threads(lambda _, inner: done.append((piece, inner)), 3, 2)

    on_threads(outer, 4, 2)
    assert sorted(done) == [(piece, inner) for piece in range(4) for inner in range(3)]


@pytest.mark.parametrize("hands", [1, 2, 5])
def test_shared_pieces_are_each_done_once_and_never_two_by_one_hand_at_a_time(hands):
    busy, done, lock = set(), [], threading.Lock()

    def job(hand: int, piece: int) -> None:
        with lock:
            assert hand not in busy
            busy.add(hand)
        time.sleep(0.001)
        with lock:
            busy.remove(hand)
            done.append(piece)

    on_threads(job, 12, hands)
    assert sorted(done) == list(range(12))


def test_shared_jobs_see_one_torch_thread_and_their_errors_arrive():
    before, seen = torch.get_num_threads(), []

    def job(hand: int, piece: int) -> None:
        seen.append(torch.get_num_threads())
        if piece == 3:
            raise ValueError("piece 3")

    with pytest.raises(ValueError, match="piece 3"):
        on_threads(job, 8, 2)
    assert set(seen) == {1}
    assert torch.get_num_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    code = """
import os, torch
from swarm_nca.threads import on_threads
on_threads(lambda number, piece: None, 4, 2)
child = os.fork()
if not child:
    done = []
    on_threads(lambda number, piece: done.append(piece), 4, 2)
    os._exit(len(done))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "4"

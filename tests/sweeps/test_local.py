"""Local worker processes: killed ones are replaced, and none outlives a killed sweep."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm_nca.sweeps import sweep
from tests.sweeps.conftest import Inline

#: Sweeps with one worker. During the second run it kills the worker (SIGKILL); during the fourth it
#: prints the worker's number and kills itself.
SCRIPT = """
import multiprocessing, os, signal, sys, threading, time
from swarm_nca.sweeps import sweep

def later(act):
    threading.Timer(0.1, act).start()

def kill():
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, signal.SIGKILL)

def end():
    print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def progress(finished, failed, runs):
    assert not failed
    if finished in (1, 3):
        later(kill if finished == 1 else end)

if __name__ == "__main__":
    sweep(sys.argv[1], sys.argv[2], workers=1, progress=progress)
"""

SLOW = """\
name: board
rule: {kind: life, rule: B3/S23}
images: {soup: 0.4, size: [8, 8]}
steps: 60
record: {picture: false}
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_sweep_survives_kills_of_its_worker_and_of_itself(
    write: Callable[..., Path], tmp_path: Path, inline: Inline
) -> None:
    path, out = write("base: board.yaml\nseeds: 0-5\n", SLOW), tmp_path / "out"
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", str(path), str(out)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    workers = [int(number) for number in done.stdout.split()]
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers
    assert not any(map(alive, workers))
    before = list(csv.reader((out / "table.csv").open(newline="")))
    assert len(before) - 1 >= 3
    swept = sweep(path, out, executor=inline)
    assert (len(swept.rows), swept.failed) == (6, 0)
    assert inline.calls == 6 - (len(before) - 1)
    after = list(csv.reader((out / "table.csv").open(newline="")))
    assert after[: len(before)] == before  # the same seconds: no run was repeated
    alone = sweep(path, tmp_path / "alone", executor=inline)
    for row, other in zip(swept.rows, alone.rows, strict=True):
        assert {**row, "seconds": ""} == {**other, "seconds": ""}

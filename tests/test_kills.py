"""Commands killed at random moments lose no results; the next start removes temporary files.

`SWARM_NCA_KILLS=100` kills 100 trainings and 60 runs. The default is 4 trainings and 3 runs.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

from swarm_nca.rules import load_rule

KILLS = int(os.environ.get("SWARM_NCA_KILLS", "4"))

#: Kills in a row before a training is allowed to finish.
IN_A_ROW = 4

#: Forks a process for each command, so that imports take no time. A signal stops the process after
#: some seconds of its own processor time: SIGPROF, which ends a process at any point as SIGKILL
#: does, or SIGTERM. Prints the exit code and the seconds of processor time.
SERVER = """
import json, os, signal, sys
import matplotlib.backends.backend_agg, matplotlib.figure, torch._dynamo
import swarm_nca.cli.closing, swarm_nca.cli.run_command, swarm_nca.cli.training_page
import swarm_nca.recording.report, swarm_nca.scenario, swarm_nca.training.command
from swarm_nca.cli import main

for line in sys.stdin:
    request = json.loads(line)
    child = os.fork()
    if not child:
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        if request["number"] == signal.SIGTERM:
            signal.signal(signal.SIGPROF, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.setitimer(signal.ITIMER_PROF, request["after"])
        sys.argv = ["swarm-nca", *request["command"]]
        try:
            main()
        except SystemExit as end:
            signal.setitimer(signal.ITIMER_PROF, 0)
            os._exit(end.code or 0)  # freeing memory would take longer than the command
    _, status, used = os.wait4(child, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)
"""

RECIPE = """
name: tiny
data: [{folder: shapes}]
held_out: 2
iterations: 30
batch: 4
pool: 4
steps: 3
rule: {hidden: [6, 5]}
average: 0.9
log_every: 7
checkpoint_every: 5
"""

SCENARIO = """
name: tiny
rule: digits
images: {file: shapes/bar/0.png, size: [9, 9]}
steps: 4
record: {picture: false}
"""

#: Allowed exit codes by signal: stopped, finished before the signal, or ended by the system (also
#: with SIGTERM, before the command had begun).
CODES = {
    signal.SIGTERM: (130, 0, -signal.SIGTERM),
    signal.SIGPROF: (-signal.SIGPROF, 0),
    None: (0,),
}

Start = Callable[..., tuple[int, float]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """start("run", …, number=SIGTERM, after=0.2) gives exit code and seconds of processor time."""
    log = tmp_path_factory.mktemp("log") / "log"
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def started(
        *command: object, number: signal.Signals | None = None, after: float = 0.0
    ) -> tuple[int, float]:
        request = {
            "command": [str(word) for word in command],
            "log": str(log),
            "number": number,
            "after": after,
        }
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code, worked = server.stdout.readline().split()
        assert int(code) in CODES[number], log.read_text()[-3000:]
        return int(code), float(worked)

    yield started
    server.kill()
    server.communicate(timeout=60)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a recipe, a scenario, and small pictures for both."""
    for size, name in ((7, "bar"), (14, "sheet")):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for number in range(3):
            ink = np.full((28, 28), 255, np.uint8)
            ink[6 : 12 + number, 6 : 6 + size] = 0
            Image.fromarray(ink).save(tmp_path / "shapes" / name / f"{number}.png")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    return tmp_path


def left_in(folder: Path) -> list[str]:
    """Names of temporary files."""
    return [file.name for file in folder.rglob(".*")]


def log_without_times(folder: Path) -> list[str]:
    return [row.rsplit(",", 1)[0] for row in (folder / "log.csv").read_text().splitlines()]


def checkpoint(folder: Path) -> dict[str, object]:
    """Tensors and header of the checkpoint, without times."""
    path = folder / "checkpoint.safetensors"
    with safe_open(str(path), framework="np") as file:
        header = json.loads(file.metadata()["swarm_nca_training"])
    del header["seconds"]
    return {name: value.tobytes() for name, value in load_file(path).items()} | header


def test_a_training_killed_and_resumed_equals_an_uninterrupted_one(
    start: Start, files: Path
) -> None:
    recipe, whole = files / "recipe.yaml", files / "whole"
    _, work = start("train", recipe, "--out", whole)
    moments = random.Random(1)
    killed = done = 0
    reached = []
    while killed < KILLS:
        folder = files / f"killed-{done}"
        out = ("train", recipe, "--out", folder)
        resume = ("train", "--resume", folder)
        for _ in range(min(IN_A_ROW, KILLS - killed)):
            command = resume if (folder / "checkpoint.safetensors").is_file() else out
            number = moments.choice((signal.SIGTERM, signal.SIGPROF))
            before = left_in(files)  # a process stopped at once does not remove earlier files
            code, _ = start(*command, number=number, after=moments.uniform(0.01, work))
            killed += code != 0
            if number == signal.SIGTERM and code != -signal.SIGTERM:
                assert set(left_in(files)) <= set(before)
            if code and (folder / "checkpoint.safetensors").is_file():
                reached.append(checkpoint(folder)["iteration"])
            if code == 0:
                break
        start(*(resume if (folder / "checkpoint.safetensors").is_file() else out))
        assert left_in(files) == []
        names = [sorted(one.name for one in run.iterdir()) for run in (folder, whole)]
        assert names[0] == names[1]
        assert load_rule(folder).hash() == load_rule(whole).hash()
        assert checkpoint(folder) == checkpoint(whole)
        assert log_without_times(folder) == log_without_times(whole)
        assert (folder / "strip.png").read_bytes() == (whole / "strip.png").read_bytes()
        done += 1
        assert done <= 10 * KILLS
    print(f"{killed} kills of train, {done} trainings equal; resumed from {reached}")


def test_a_killed_run_leaves_a_whole_run_folder_and_the_next_run_removes_temporary_files(
    start: Start, files: Path
) -> None:
    scenario = files / "scenario.yaml"
    expected = []
    for seed in (0, 1):
        _, work = start("run", scenario, "--seed", seed, "--out", files / "expected")
        expected.append((files / "expected" / "metrics.csv").read_bytes())
    names = sorted(one.name for one in (files / "expected").iterdir())
    place, moments = files / "runs" / "run", random.Random(2)
    killed = tries = present = 0
    while killed < -(-KILLS * 6 // 10):
        seed, tries = tries % 2, tries + 1
        command = ("run", scenario, "--seed", seed, "--out", place)
        number = moments.choice((signal.SIGTERM, signal.SIGPROF))
        before = place.exists()
        code, _ = start(*command, number=number, after=moments.uniform(0.01, work))
        killed += code != 0
        assert tries <= 10 * KILLS
        if place.parent.exists() and number == signal.SIGTERM and code != -signal.SIGTERM:
            assert left_in(place.parent) == []
            assert place.exists() >= before
        if place.exists():
            assert sorted(one.name for one in place.iterdir()) == names
            assert (place / "metrics.csv").read_bytes() in expected
            present += 1
        start(*command)
        assert [one.name for one in place.parent.iterdir()] == ["run"]
        assert sorted(one.name for one in place.iterdir()) == names
        assert (place / "metrics.csv").read_bytes() == expected[seed]
    print(f"{killed} kills of run in {tries} tries, {present} with a run in place")

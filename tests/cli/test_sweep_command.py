"""`swarm-nca sweep`: exit codes, summaries, and mistakes in one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.sweeps import running
from swarm_nca.sweeps.work import Outcome, perform
from tests.sweeps.conftest import BASE, SWEEP, Inline


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a sweep; runs happen in this process, without a figure."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "board.yaml").write_text(BASE)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    monkeypatch.setattr(running, "local", lambda workers: Inline())
    monkeypatch.setattr(running, "_draw", lambda opening, swept: None)
    return tmp_path


def swarm_nca(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_a_sweep_prints_how_many_runs_it_did_and_where_the_table_is(folder):
    done = swarm_nca("sweep", "sweep.yaml", "--set", "steps=3", "--seeds", "0-2")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"small: 6 runs done\n{Path('runs/sweep-small/table.csv')}\n"
    done = swarm_nca("sweep", "sweep.yaml", "--seeds", "0-2")
    assert "small: 12 runs done, 6 of them earlier\n" in done.stdout
    assert swarm_nca("sweep", "sweep.yaml", "--quiet").output == ""


def test_a_failed_run_is_named_with_its_values_and_gives_exit_code_1(folder, monkeypatch):
    def fails(plan, folder, keep):
        failed = plan.values["steps"] == 4 and plan.seed == 1
        return Outcome(error="no luck") if failed else perform(plan, folder, keep)

    monkeypatch.setattr(running, "perform", fails)
    done = swarm_nca("sweep", "sweep.yaml", "--out", "here")
    assert done.exit_code == 1
    assert "(steps=4, images.soup=0.2, seed=1) failed: no luck" in done.stdout
    assert "small: 6 runs done, 2 failed" in done.stdout
    done = swarm_nca("sweep", "sweep.yaml", "--out", "there", "--on-error", "stop", "-q")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "failed: no luck" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sweep", "gone.yaml"), "no such file"),
        (("sweep", "board.yaml"), "this is a scenario; use: swarm-nca run board.yaml"),
        (("run", "sweep.yaml"), "this is a sweep; use: swarm-nca sweep sweep.yaml"),
        (("sweep", "chimera"), "this is a scenario; use: swarm-nca run chimera"),
        (("run", "lost-messages"), "this is a sweep; use: swarm-nca sweep lost-messages"),
        (("sweep", "sweep.yaml", "--set", "stepps=1"), "unknown key 'stepps' (did you mean"),
        (("sweep", "sweep.yaml", "--set", "steps"), "key=value,value,… is expected"),
        (("sweep", "sweep.yaml", "--seeds", "a"), "--seeds a: seeds are numbers"),
        (("sweep", "sweep.yaml", "--out", "board.yaml"), "is a file, not a folder"),
    ],
)
def test_bad_input_gives_one_line_exit_code_2_and_no_files(folder, arguments, words):
    before = sorted(folder.rglob("*"))
    done = swarm_nca(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert words in line
    assert sorted(folder.rglob("*")) == before


def test_check_reports_a_sweep_and_its_mistakes(folder):
    assert swarm_nca("check", "sweep.yaml").stdout == "sweep.yaml: OK (sweep)\n"
    (folder / "bad.yaml").write_text(SWEEP.replace("images.soup", "images.soop"))
    done = swarm_nca("check", "bad.yaml")
    assert done.exit_code == 2
    assert done.stderr.startswith("bad.yaml:5:17: images.soop: unknown key 'soop'")

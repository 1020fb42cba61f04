"""Sweeps run every plan once, go on after failures, and resume."""

import csv
import json
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from PIL import Image

from swarm_nca import perturbations
from swarm_nca.scenario import run
from swarm_nca.sweeps import running, sweep
from swarm_nca.sweeps.work import Outcome, perform
from tests.sweeps.conftest import BASE, SWEEP, Inline


@pytest.fixture(autouse=True)
def no_figure(request, monkeypatch):
    """Leave out the figure, which takes longer than the runs."""
    if "figure" not in request.node.name:
        monkeypatch.setattr(running, "_draw", lambda opening, swept: None)


def rows(folder):
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"}
            for row in csv.DictReader(file)
        ]


def test_every_row_has_the_measures_of_its_own_run_and_its_whole_plan(write, inline, tmp_path):
    swept = sweep(write(), tmp_path / "out", executor=inline)
    assert (len(swept.rows), swept.failed, inline.calls) == (8, 0, 8)
    for row in swept.rows:
        overrides = [f"steps={row['steps']}", f"images.soup={row['images.soup']}"]
        alone = run(tmp_path / "board.yaml", overrides=overrides, seed=int(row["seed"]))
        assert float(row["alive"]) == alone.pooled["alive"].iloc[-1]
        assert (row["expectations"], row["met"]) == ("1", str(int(alone.passed)))
        plan = json.loads(row["plan"])["scenario"]
        assert plan["steps"] == int(row["steps"])
        assert plan["rule"] == {"kind": "life", "rule": "B3/S23"}
    assert len({row["alive"] for row in swept.rows}) > 1


def test_a_repeated_sweep_runs_only_what_is_missing(write, inline, tmp_path):
    path, out = write(), tmp_path / "out"
    first = sweep(path, out, executor=inline, seeds="0")
    before = (out / "table.csv").read_text().splitlines()
    more = sweep(path, out, executor=inline)
    assert (len(first.rows), len(more.rows), more.repeated, inline.calls) == (4, 8, 4, 8)
    again = sweep(path, out, executor=inline)
    assert (again.repeated, inline.calls) == (8, 8)
    assert set(before) <= set((out / "table.csv").read_text().splitlines())  # seconds too


def test_rows_do_not_depend_on_the_executor_or_on_the_order_of_results(write, inline, tmp_path):
    sweep(write(), tmp_path / "one", executor=inline)
    with ThreadPoolExecutor(3) as threads:
        sweep(tmp_path / "sweep.yaml", tmp_path / "three", executor=threads)
    assert rows(tmp_path / "one") == rows(tmp_path / "three")


def test_a_failed_run_is_a_row_and_is_tried_again_by_the_next_sweep(
    write, inline, tmp_path, monkeypatch
):
    def fails(plan, folder, keep):
        if plan.values["steps"] == 3 and plan.seed == 0:
            return Outcome(error="no luck")
        return perform(plan, folder, keep)

    monkeypatch.setattr(running, "perform", fails)
    swept = sweep(write(), tmp_path / "out", executor=inline)
    assert (len(swept.rows), swept.failed) == (8, 2)
    assert {row["failure"] for row in swept.rows if row["status"] == "failed"} == {"no luck"}
    monkeypatch.undo()
    swept = sweep(tmp_path / "sweep.yaml", tmp_path / "out", executor=inline)
    assert (swept.failed, swept.repeated, inline.calls) == (0, 6, 10)


def test_an_error_within_a_run_is_told_in_its_row(write, inline, tmp_path, monkeypatch):
    def broken(self, world, seed=0):
        raise RuntimeError("line 1\nline 2")

    path = write(base=BASE + "perturbations:\n  - {at: 2, kind: noise, strength: 1}\n")
    opened = running.opened(path)
    plans = running.checked(opened)
    monkeypatch.setattr(perturbations.Noise, "__call__", broken)
    assert perform(plans[0], tmp_path / "x", False).error == "RuntimeError: line 1 line 2"


def test_on_error_stop_ends_after_the_first_failure(write, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "perform", lambda *_: Outcome(error="no"))
    swept = sweep(write(), tmp_path / "out", executor=Inline(), workers=1, on_error="stop")
    assert [row["status"] for row in swept.rows] == ["failed"]


class Dying(Inline):
    """A pool whose worker dies with one plan, as often as `deaths` says."""

    deaths = 0
    made = 0

    def __init__(self):
        super().__init__()
        type(self).made += 1

    def submit(self, fn, /, plan, folder, keep):
        if plan.values["steps"] == 3 and plan.seed == 0 and type(self).deaths:
            type(self).deaths -= 1
            future = Future()
            future.set_exception(BrokenProcessPool("a worker died"))
            return future
        return super().submit(fn, plan, folder, keep)


@pytest.mark.parametrize(("deaths", "failed", "made"), [(1, 0, 2), (2, 1, 3)])
def test_a_run_whose_worker_died_is_tried_again_alone_and_then_fails(
    write, tmp_path, monkeypatch, deaths, failed, made
):
    pool = type("Pool", (Dying,), {"deaths": deaths})
    monkeypatch.setattr(running, "local", lambda workers: pool())
    text = SWEEP.replace("  images.soup: [0.2, 0.5]\n", "")
    swept = sweep(write(text), tmp_path / "out", workers=1)
    assert (len(swept.rows), swept.failed, pool.made) == (4, failed, made)
    errors = [row["failure"] for row in swept.rows if row["status"] == "failed"]
    assert all("died twice" in error for error in errors)


def test_ctrl_c_keeps_the_finished_rows(write, inline, tmp_path):
    def stop(finished, failed, runs):
        if finished == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(write(), tmp_path / "out", executor=inline, workers=1, progress=stop)
    assert len(rows(tmp_path / "out")) == 3
    assert sweep(tmp_path / "sweep.yaml", tmp_path / "out", executor=inline).repeated == 3
    assert not (tmp_path / "out" / ".lock").exists()


def test_runs_that_are_kept_leave_a_report(write, inline, tmp_path):
    swept = sweep(write(SWEEP + "keep: true\n"), tmp_path / "out", executor=inline, seeds="0")
    for row in swept.rows:
        assert (tmp_path / "out" / "runs" / row["run"] / "report.html").is_file()


def test_the_figure_has_a_panel_for_each_key(write, inline, tmp_path):
    swept = sweep(write(), tmp_path / "out", executor=inline)
    wide = Image.open(swept.folder / "sweep.png").size
    narrow = sweep(tmp_path / "sweep.yaml", tmp_path / "o2", executor=inline, overrides=["steps=3"])
    assert (narrow.folder / "sweep.pdf").is_file()
    assert Image.open(narrow.folder / "sweep.png").size == wide


def test_a_folder_of_other_files_is_refused_before_the_first_run(write, inline, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"holds 'notes.txt' and no table.csv"):
        sweep(write(), tmp_path / "own", executor=inline)
    assert inline.calls == 0


RECIPE = """\
name: tiny
task: {kind: transition, teacher: {kind: life, rule: B3/S23}, ahead: 1}
iterations: 2
batch: 2
"""


def test_trainings_are_swept_with_their_scores(write, inline, tmp_path):
    text = "base: board.yaml\ngrid: {schedule.rate: [1e-3, 1e-2]}\nseeds: 0\n"
    swept = sweep(write(text, RECIPE), tmp_path / "out", executor=inline)
    assert swept.failed == 0, swept.rows
    first, second = swept.rows
    assert first["train_loss"] != second["train_loss"]
    assert (tmp_path / "out" / "runs" / first["run"] / "rule.safetensors").is_file()
    assert json.loads(first["plan"])["recipe"]["schedule"] == {"rate": 0.001}


def test_a_measure_that_trainings_lack_is_refused_after_the_first(write, inline, tmp_path):
    text = "base: board.yaml\ngrid: {schedule.rate: [1e-3, 1e-2]}\nshow: [train_los]\n"
    with pytest.raises(ValueError, match=r"3:8: show\[0\]: no measure .*mean 'train_loss'"):
        sweep(write(text, RECIPE), tmp_path / "out", executor=inline, workers=1)
    assert inline.calls == 1
    path = write(text.replace("train_los", "train_loss"), RECIPE)
    assert sweep(path, tmp_path / "out", executor=inline).repeated == 1

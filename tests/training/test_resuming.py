"""Resuming: which changes since the checkpoint are allowed, and which are refused."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from swarm_nca.rules import Classes, Mlp, load_rule, read_rule, save_rule
from swarm_nca.training import loop
from swarm_nca.training.command import train
from swarm_nca.training.folder import Folder
from swarm_nca.training.lock import locked

RECIPE = """
name: own
data: [{folder: shapes}]
held_out: 2
iterations: 6
batch: 4
pool: 4
steps: 3
rule: {hidden: [6, 5]}
log_every: 1
checkpoint_every: 2
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe beside a folder of pictures of two classes."""
    for size, name in enumerate(("bar", "sheet"), 8):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for number in range(4):
            ink = np.full((28, 28), 255, np.uint8)
            ink[4 : 10 + number, 4 : 4 + size] = 0
            Image.fromarray(ink).save(tmp_path / "shapes" / name / f"{number}.png")
    path = tmp_path / "own.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def interrupted(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Folder]:
    """interrupted("name"): a run of that recipe that was stopped in its fourth iteration."""

    def interrupt(self: object, iteration: int, *values: float) -> None:
        if iteration == 3:
            os.kill(os.getpid(), signal.SIGINT)

    def run(place: Path) -> Folder:
        folder = Folder(place)
        with monkeypatch.context() as patched:
            patched.setattr("swarm_nca.training.folder.Log.add", interrupt)
            assert train(recipe, folder.path) == 130
        assert header(folder)["iteration"] == 4  # the one that was under way is finished
        return folder

    return run


@pytest.fixture
def stopped(recipe: Path, interrupted: Callable[..., Folder]) -> Folder:
    return interrupted(recipe.with_name("stopped"))


def header(folder: Folder) -> dict[str, object]:
    with safe_open(str(folder.checkpoint), framework="np") as file:
        found: dict[str, object] = json.loads(file.metadata()["swarm_nca_training"])
    return found


def test_a_run_resumes_by_its_folder_after_folder_and_pictures_were_moved(
    recipe: Path, stopped: Folder
) -> None:
    assert train(recipe, recipe.with_name("whole")) == 0
    elsewhere = recipe.parent / "other" / "place"
    shutil.copytree(stopped.path, elsewhere / "stopped")
    shutil.copytree(recipe.parent / "shapes", elsewhere / "shapes")
    assert train(None, resume=elsewhere / "stopped") == 0
    ends = [load_rule(run).hash() for run in (recipe.with_name("whole"), elsewhere / "stopped")]
    assert ends[0] == ends[1]


def test_name_and_intervals_may_change(recipe: Path, stopped: Folder) -> None:
    assert train(recipe, recipe.with_name("whole")) == 0
    changes = ["name=renamed", "log_every=2", "checkpoint_every=1"]
    assert train(recipe, resume=stopped.path, overrides=changes) == 0
    assert load_rule(stopped.path).hash() == load_rule(recipe.with_name("whole")).hash()
    logged = [row.split(",")[0] for row in stopped.log.read_text().split()[1:]]
    assert logged == ["6"]  # the former process was kept from logging


def test_a_run_resumes_through_a_link_to_its_folder(
    recipe: Path, interrupted: Callable[..., Folder]
) -> None:
    (recipe.parent / "scratch" / "deep" / "runs").mkdir(parents=True)
    link = recipe.with_name("runs")
    link.symlink_to(recipe.parent / "scratch" / "deep" / "runs")
    interrupted(link / "own")
    assert train(None, resume=link / "own") == 0
    assert train(recipe, recipe.with_name("whole")) == 0
    assert load_rule(link / "own").hash() == load_rule(recipe.with_name("whole")).hash()


def test_damaged_rows_of_the_log_are_dropped(stopped: Folder) -> None:
    with stopped.log.open("ab") as log:
        log.write(b"4,1,0,0.5,1e-3,2\nx,1,2,3,4,5\n7,\xff\xfe")
    assert train(None, resume=stopped.path) == 0
    logged = [row.split(",")[0] for row in stopped.log.read_text().split()[1:]]
    assert logged == ["4", "5", "6"]


def test_changed_pictures_are_refused_and_the_run_folder_is_unchanged(
    recipe: Path, stopped: Folder
) -> None:
    picture = recipe.parent / "shapes" / "bar" / "0.png"
    changed = np.asarray(Image.open(picture)).copy()
    changed[20:, :] = 0
    before = {file.name: file.read_bytes() for file in stopped.path.iterdir()}
    for number in range(4):  # whichever are held out
        Image.fromarray(changed).save(picture.with_name(f"{number}.png"))
    with pytest.raises(ValueError, match="made with other pictures than the recipe's data has"):
        train(recipe, resume=stopped.path)
    assert before == {file.name: file.read_bytes() for file in stopped.path.iterdir()}


def test_renamed_classes_are_refused(recipe: Path, stopped: Folder) -> None:
    (recipe.parent / "shapes" / "bar").rename(recipe.parent / "shapes" / "beam")
    with pytest.raises(ValueError, match="bar, sheet; the data has beam, sheet: start a new run"):
        train(recipe, resume=stopped.path)


@pytest.mark.parametrize("changes", [[], ["rule.weights=null"], ["rule.weights=digits"]])
def test_a_run_resumes_without_its_initial_rule_and_keeps_its_name(
    recipe: Path, stopped: Folder, interrupted: Callable[..., Folder], changes: list[str]
) -> None:
    rule, weights = load_rule(stopped.path), recipe.with_name("begun.safetensors")
    rule.shown_above = 0.3
    save_rule(rule, weights, {})
    recipe.write_text(RECIPE.replace("rule: {", "rule: {weights: begun.safetensors, "))
    assert train(recipe, recipe.with_name("whole")) == 0
    further = interrupted(recipe.with_name("further"))
    weights.unlink()
    written = further.recipe.read_bytes()
    assert train(None, resume=further.path, overrides=changes) == 0
    trained, card = read_rule(further.rule)
    assert trained.hash() == load_rule(recipe.with_name("whole")).hash()
    assert trained.shown_above == 0.3
    assert card["began_with"] == rule.hash()
    assert card["recipe"]["rule"]["weights"] == "begun.safetensors"
    assert further.recipe.read_bytes() == written


def test_changes_made_when_resuming_hold_when_resuming_again(
    recipe: Path, interrupted: Callable[..., Folder]
) -> None:
    first = interrupted(recipe.with_name("first"))
    (recipe.parent / "shapes").rename(recipe.parent / "moved")
    changes = [f"data.0.folder={recipe.parent / 'moved'}", "name=renamed"]
    assert train(None, resume=first.path, overrides=changes) == 0
    assert train(None, resume=first.path) == 0
    assert read_rule(first.rule)[1]["recipe"]["name"] == "renamed"


def test_another_versions_checkpoint_is_refused_with_the_cure(stopped: Folder) -> None:
    changed = header(stopped) | {"format": 1}
    save_file(
        load_file(stopped.checkpoint),
        stopped.checkpoint,
        {"swarm_nca_training": json.dumps(changed)},
    )
    with pytest.raises(ValueError, match=r"^\S+ made by another version of swarm_nca; finish"):
        train(None, resume=stopped.path)


def test_a_run_older_than_a_key_of_the_recipe_resumes_with_its_default(
    recipe: Path, stopped: Folder
) -> None:
    assert train(recipe, recipe.with_name("whole")) == 0
    made = header(stopped)
    settings = dict(made["recipe"])  # type: ignore[call-overload]
    assert settings.pop("device") == "cpu"
    settings["rule"] = dict(settings["rule"])
    assert settings["rule"].pop("hearing") == "slots"
    save_file(
        load_file(stopped.checkpoint),
        stopped.checkpoint,
        {"swarm_nca_training": json.dumps(made | {"recipe": settings})},
    )
    assert train(None, resume=stopped.path) == 0
    ends = [load_rule(run).hash() for run in (recipe.with_name("whole"), stopped.path)]
    assert ends[0] == ends[1]


def test_neither_recipe_nor_resume_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match=r"name a recipe, or give --resume and the folder of a"):
        train(None)


def test_a_users_recipe_in_a_folder_is_not_replaced(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (recipe.parent / "exp").mkdir()
    monkeypatch.chdir(recipe.parent / "exp")
    mine = Path("recipe.yaml")
    mine.write_text("# my thoughts\n" + RECIPE.replace("shapes", "../shapes"))
    before = mine.read_bytes()
    for given in (mine, Path("..", "exp", "recipe.yaml"), recipe):
        with pytest.raises(ValueError, match=r"is in use; choose another folder with --out"):
            train(given, Path())
    assert mine.read_bytes() == before


def test_sigterm_leaves_a_checkpoint_and_prints_the_command_to_resume(recipe: Path) -> None:
    """Before that, a second training in the folder is refused."""
    recipe.write_text(RECIPE.replace("iterations: 6", "iterations: 100000"))
    folder = Folder(recipe.with_name("ended"))
    command = [sys.executable, "-m", "swarm_nca", "train", str(recipe), "--out", str(folder.path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not folder.checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(ValueError, match=f"process {process.pid} is training in this folder"):
        train(None, resume=folder.path)
    with pytest.raises(ValueError, match=f"resume with --resume {folder.path}, or choose another"):
        train(recipe, folder.path)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"swarm-nca train --resume {folder.path}" in err
    assert f"after iteration {header(folder)['iteration']};" in err


def log_without_times(folder: Folder) -> list[str]:
    return [row.rsplit(",", 1)[0] for row in folder.log.read_text().splitlines()]


@pytest.mark.parametrize("stop_at", [1, 3, 4, 7])
def test_the_log_equals_an_uninterrupted_runs_for_checkpoints_between_its_rows(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    recipe.write_text(RECIPE.replace("iterations: 6", "iterations: 8"))
    changes = ["log_every=3", "checkpoint_every=100"]
    whole, stopped = Folder(recipe.with_name("whole")), Folder(recipe.with_name("stopped"))
    assert train(recipe, whole.path, overrides=changes) == 0
    advance = loop.Trainer.advance

    def advanced(trainer: loop.Trainer) -> object:
        report = advance(trainer)
        if report.iteration == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return report

    with monkeypatch.context() as patched:
        patched.setattr(loop.Trainer, "advance", advanced)
        assert train(recipe, stopped.path, overrides=changes) == 130
    assert header(stopped)["iteration"] == stop_at
    assert train(None, resume=stopped.path) == 0
    assert [row.split(",")[0] for row in log_without_times(whole)[1:]] == ["3", "6", "8"]
    assert log_without_times(stopped) == log_without_times(whole)


def test_checkpoints_are_made_after_the_first_iteration_and_by_time(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    save = loop.save_checkpoint

    def saved(trainer: loop.Trainer, *others: object) -> None:
        made.append(trainer.iteration)
        save(trainer, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "save_checkpoint", saved)
    changes = ["iterations=5", "checkpoint_every=1000"]
    assert train(recipe, recipe.with_name("one"), overrides=changes) == 0
    assert made == [1, 5]
    made.clear()
    monkeypatch.setattr(loop, "SECONDS", 0.0)
    assert train(recipe, recipe.with_name("two"), overrides=changes) == 0
    assert made == [1, 2, 3, 4, 5]


def test_a_folder_in_which_another_process_trains_is_refused(recipe: Path, stopped: Folder) -> None:
    fresh = Folder(recipe.with_name("fresh"))
    fresh.path.mkdir()
    for folder, arguments in ((fresh, (recipe, fresh.path)), (stopped, (None, None, stopped.path))):
        before = {file: file.read_bytes() for file in folder.path.iterdir()}
        with locked(folder.lock):
            message = (
                f"^{folder.path}: process {os.getpid()} is training in this folder; wait until it "
                f"ends, stop it with kill {os.getpid()}, or choose another folder with --out$"
            )
            with pytest.raises(ValueError, match=message):
                train(*arguments)
        assert before == {file: file.read_bytes() for file in folder.path.iterdir()}
        assert train(*arguments) == 0
        assert not folder.lock.exists()


def test_lock_and_temporary_files_of_a_killed_training_are_removed(
    recipe: Path, stopped: Folder
) -> None:
    code = (
        "import sys; from pathlib import Path; from swarm_nca.atomic import temporary_name;"
        "[temporary_name(Path(one), 'x1_').write_text('half') for one in sys.argv[1:]]"
    )
    fresh = Folder(recipe.with_name("fresh"))
    fresh.path.mkdir()
    for folder in (fresh, stopped):
        folder.lock.write_text("1\n")  # a number that lives, as numbers are given again
        files = [folder.recipe, folder.checkpoint, folder.rule, folder.log, folder.strip]
        subprocess.run([sys.executable, "-c", code, *map(str, files)], check=True)
        assert len(list(folder.path.glob(".*"))) == 6
    assert train(recipe, fresh.path) == 0
    assert train(None, resume=stopped.path) == 0
    for folder in (fresh, stopped):
        assert list(folder.path.glob(".*")) == []


@pytest.mark.parametrize("what", ["log.csv", "rule.safetensors"])
def test_a_full_disk_is_reported_with_file_cure_and_command_to_resume(
    recipe: Path, stopped: Folder, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    open_file, replace = Path.open, os.replace

    def opened(path: Path, mode: str = "r", **others: Any) -> Any:
        return full() if mode == "a" else open_file(path, mode, **others)

    def replaced(old: str, new: Path) -> None:
        return full() if new.name == "rule.safetensors" else replace(old, new)

    if what == "log.csv":
        monkeypatch.setattr(Path, "open", opened)
    else:
        monkeypatch.setattr(os, "replace", replaced)
    with pytest.raises(OSError, match=r"not written \(No space") as raised:
        train(None, resume=stopped.path)
    assert str(raised.value) == (
        f"{stopped.path / what}: not written (No space left on device); free some space on that "
        "disk, or choose another place; then resume with swarm-nca train --resume "
        f"{stopped.path}"
    )
    monkeypatch.undo()
    assert train(None, resume=stopped.path) == 0


@pytest.mark.parametrize("out", ["loop", "loop/in", "a" * 300, "new/" + "a" * 300])
def test_an_impossible_path_is_refused_before_anything_is_written(recipe: Path, out: str) -> None:
    recipe.with_name("loop").symlink_to(recipe.with_name("loop"))
    before = set(recipe.parent.rglob("*"))
    with pytest.raises(ValueError, match=r"\((Too many|File name).*\); choose another place$"):
        train(recipe, recipe.parent / out)
    assert set(recipe.parent.rglob("*")) == before


def test_a_run_with_immigrants_resumes_with_the_same_guest(
    recipe: Path, interrupted: Callable[..., Folder]
) -> None:
    def guest(seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        rule = Mlp(Classes.named("bar", "sheet"), hidden=(4,), generator=generator)
        rule.output.data.normal_(std=0.1, generator=generator)
        save_rule(rule, recipe.with_name("rule.safetensors"))

    guest(1)
    change = "{kind: immigrants, share: 0.5, rule: rule.safetensors}"
    recipe.write_text(f"{RECIPE}faults: [{{change: {change}}}]\n")
    assert train(recipe, recipe.with_name("whole")) == 0
    stopped = interrupted(recipe.with_name("stopped"))
    assert "../rule.safetensors" in stopped.recipe.read_text()
    guest(2)
    with pytest.raises(ValueError, match="made with other rules of immigrants"):
        train(None, resume=stopped.path)
    guest(1)
    assert train(None, resume=stopped.path) == 0
    assert load_rule(stopped.path).hash() == load_rule(recipe.with_name("whole")).hash()

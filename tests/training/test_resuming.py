"""What a run may find changed when it goes on, and what it must not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from swarm_nca.rules import load_rule, read_rule, save_rule
from swarm_nca.training.command import train
from swarm_nca.training.folder import Folder

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
def stopped(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A run of that recipe that was interrupted after its third iteration."""
    folder = Folder(recipe.with_name("stopped"))

    def interrupt(self: object, iteration: int, *values: float) -> None:
        if iteration == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr("swarm_nca.training.folder.Log.add", interrupt)
        assert train(recipe, folder.path) == 130
    assert header(folder)["iteration"] == 4  # the one that was under way is finished
    return folder


def header(folder: Folder) -> dict[str, object]:
    with safe_open(str(folder.checkpoint), framework="np") as file:
        found: dict[str, object] = json.loads(file.metadata()["swarm_nca_training"])
    return found


def test_a_run_goes_on_by_its_folder_alone_wherever_folder_and_pictures_are_now(
    recipe: Path, stopped: Folder
) -> None:
    assert train(recipe, recipe.with_name("whole")) == 0
    elsewhere = recipe.parent / "other" / "place"
    shutil.copytree(stopped.path, elsewhere / "stopped")
    shutil.copytree(recipe.parent / "shapes", elsewhere / "shapes")
    assert train(None, resume=elsewhere / "stopped") == 0
    ends = [load_rule(run).hash() for run in (recipe.with_name("whole"), elsewhere / "stopped")]
    assert ends[0] == ends[1]


def test_name_and_frequencies_of_telling_may_change(recipe: Path, stopped: Folder) -> None:
    changes = ["name=renamed", "log_every=2", "checkpoint_every=1"]
    assert train(recipe, resume=stopped.path, overrides=changes) == 0


def test_pictures_that_changed_meanwhile_are_refused_and_the_run_is_left_as_it_was(
    recipe: Path, stopped: Folder
) -> None:
    picture = recipe.parent / "shapes" / "bar" / "0.png"
    changed = np.asarray(Image.open(picture)).copy()
    changed[20:, :] = 0
    before = {file.name: file.read_bytes() for file in stopped.path.iterdir()}
    for number in range(4):  # whichever are held out
        Image.fromarray(changed).save(picture.with_name(f"{number}.png"))
    with pytest.raises(ValueError, match="made with other pictures or classes"):
        train(recipe, resume=stopped.path)
    assert before == {file.name: file.read_bytes() for file in stopped.path.iterdir()}


def test_classes_that_were_renamed_are_refused(recipe: Path, stopped: Folder) -> None:
    (recipe.parent / "shapes" / "bar").rename(recipe.parent / "shapes" / "beam")
    with pytest.raises(ValueError, match="made with other pictures or classes"):
        train(recipe, resume=stopped.path)


def test_a_run_remembers_what_it_began_with_when_that_is_another_rule_now(
    recipe: Path, stopped: Folder
) -> None:
    save_rule(load_rule(stopped.path), recipe.with_name("begun.safetensors"), {})
    began = load_rule(stopped.path).hash()
    change = ["rule.weights=begun.safetensors", "iterations=2"]
    os.chdir(recipe.parent)
    assert train(recipe, recipe.with_name("further"), overrides=change) == 0
    shutil.copy(recipe.with_name("further") / "rule.safetensors", "begun.safetensors")
    assert train(None, resume=recipe.with_name("further")) == 0
    card = read_rule(recipe.with_name("further") / "rule.safetensors")[1]
    assert card["began_with"] == began


def test_another_versions_checkpoint_is_refused_with_the_cure(stopped: Folder) -> None:
    told = header(stopped) | {"format": 1}
    save_file(
        load_file(stopped.checkpoint), stopped.checkpoint, {"swarm_nca_training": json.dumps(told)}
    )
    with pytest.raises(ValueError, match=r"another version of swarm_nca; finish .* or begin anew"):
        train(None, resume=stopped.path)


def test_neither_a_recipe_nor_a_run_to_resume_is_a_mistake_with_its_cure() -> None:
    with pytest.raises(ValueError, match=r"name a recipe, or with --resume the folder of a run"):
        train(None)


def test_a_recipe_in_the_folder_it_is_to_be_trained_into_is_not_replaced(recipe: Path) -> None:
    (recipe.parent / "exp").mkdir()
    mine = recipe.parent / "exp" / "recipe.yaml"
    mine.write_text("# my thoughts\n" + RECIPE.replace("shapes", "../shapes"))
    before = mine.read_bytes()
    with pytest.raises(ValueError, match=r"would be replaced by the run's own recipe\.yaml"):
        train(mine, mine.parent)
    assert mine.read_bytes() == before


def test_an_end_by_the_system_is_an_interruption_that_can_be_resumed(recipe: Path) -> None:
    recipe.write_text(RECIPE.replace("iterations: 6", "iterations: 100000"))
    folder = Folder(recipe.with_name("ended"))
    command = [sys.executable, "-m", "swarm_nca", "train", str(recipe), "--out", str(folder.path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not folder.checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"swarm-nca train --resume {folder.path}" in err
    assert f"after iteration {header(folder)['iteration']};" in err

"""Broken scenarios: exit code 2, one line with place and cure, no files written."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.rules import Mlp, Rule, save_rule

TEXT = """\
name: broken
seed: 0
rule: busy.safetensors
images: {dataset: strokes, label: 7}
steps: 40
perturbations:
  - {at: 20, kind: damage, shape: disc, center: [14, 14], radius: 4}
expect:
  - {metric: cell_accuracy, at: 20, min: 0.95}
"""

STROKES = "{dataset: strokes, label: 7}"
DISC = "{at: 20, kind: damage, shape: disc, center: [14, 14], radius: 4}"
EXPECT = "{metric: cell_accuracy, at: 20, min: 0.95}"

#: (mistake, text in the file, its replacement, line of the message, words of the message)
BROKEN = [
    ("an unknown key", "steps:", "stepps:", 5, "unknown key 'stepps' (did you mean 'steps'?)"),
    ("a missing key", "steps: 40\n", "", 1, "missing key 'steps'"),
    ("a wrong type", "steps: 40", "steps: many", 5, "a whole number, got 'many'"),
    ("true for a number", "steps: 40", "steps: true", 5, "a whole number, got true"),
    ("false for a share", "steps: 40", "steps: 40\nlinks: {drop: false}", 6, "a number, got false"),
    ("true for a label", "label: 7", "label: true", 4, "a whole number or text, got true"),
    ("true for a place", "[14, 14]", "[14, true]", 7, "center[1]: must be a number, got true"),
    ("true for a bound", "min: 0.95", "min: true", 9, "expect[0].min: must be a number, got true"),
    ("true for a kind", "kind: damage", "kind: true", 7, "no kind is called"),
    ("no steps", "steps: 40", "steps: 0", 5, "must be at least 1, got 0"),
    ("a key given twice", "seed: 0", "seed: 0\nseed: 1", 3, "given twice, first in line 2"),
    ("bad YAML", "seed: 0", "seed: [0", 3, "missing here, or the ']'"),
    ("a tab", "steps: 40\n", "steps: 40\n\tstart: zeros\n", 6, "use spaces"),
    ("a negative seed", "seed: 0", "seed: -1", 2, "must be at least 0"),
    ("a name with a slash", "name: broken", "name: a/b", 1, "name also names the run folder"),
    ("a name too long", "name: broken", f"name: {'ö' * 51}", 1, "at most 100 bytes, got 102"),
    ("no such rule", "busy.safetensors", "digitz", 3, "no rule 'digitz'"),
    (
        "no such rule file",
        "busy.safetensors",
        "gone.safetensors",
        3,
        "there is no such file",
    ),
    ("NaN weights", "busy.safetensors", "nan.safetensors", 3, "not finite"),
    ("a truncated checkpoint", "busy.safetensors", "cut.safetensors", 3, "not a readable"),
    ("an empty checkpoint", "busy.safetensors", "empty.safetensors", 3, "not a readable"),
    ("a wrong channel count", "busy.safetensors", "channels.safetensors", 3, "has the shape"),
    ("weights that are no rule", "busy.safetensors", "foreign.safetensors", 3, "but not a rule"),
    ("JSON that is no rule", "busy.safetensors", "other.json", 3, "not a TensorFlow.js graph"),
    ("a rule for graphs", "busy.safetensors", "graphs.safetensors", 4, "9 slots"),
    ("a missing picture", STROKES, "{file: gone.png}", 4, "there is no such file"),
    ("an unreadable picture", STROKES, "{file: broken.yaml}", 4, "not a readable picture"),
    ("an empty picture", STROKES, "{file: white.png}", 4, "shows no ink"),
    ("a picture too faint", STROKES, "{file: faint.png, ink: dark}", 4, "no living cell"),
    ("a missing folder", STROKES, "{folder: gone}", 4, "there is no such folder"),
    ("label 11", "label: 7", "label: 11", 4, "label 11 is no class: give 0–9"),
    ("no such data set", "dataset: strokes", "dataset: stroks", 4, "did you mean 'strokes'?"),
    ("two origins", STROKES, "{dataset: strokes, glyph: 7}", 4, "exactly one of"),
    ("a canvas too small", "steps: 40", "steps: 40\ncanvas: [20, 20]", 6, "enlarge the canvas"),
    ("a canvas too large", "steps: 40", "steps: 40\ncanvas: [9, 99999]", 6, "at most 4096"),
    ("a canvas too wide", "steps: 40", "steps: 40\ncanvas: [4096, 4096]", 6, "at most 4,194,304"),
    ("no such start", "steps: 40", "steps: 40\nstart: ones", 6, "must be 'zeros' or 'random'"),
    ("no such engine", "steps: 40", "steps: 40\nengine: agent", 6, "did you mean 'agents'?"),
    ("drop above 1", "steps: 40", "steps: 40\nlinks: {drop: 2}", 6, "must be at most 1"),
    ("no such grid", "steps: 40", "steps: 40\ntopology: {kind: hexagon}", 6, "must be 'grid'"),
    ("at beyond steps", "{at: 20, kind", "{at: 40, kind", 7, "0 to 39 in a run of 40 steps"),
    ("a negative at", "{at: 20, kind", "{at: -1, kind", 7, "at: must be at least 0, got -1"),
    ("no such kind", "kind: damage", "kind: damege", 7, "did you mean 'damage'?"),
    ("a negative radius", "radius: 4", "radius: -4", 7, "radius: must be above 0"),
    ("no radius", ", radius: 4", "", 7, "'disc' needs center and radius"),
    ("a misspelt radius", "radius: 4", "radios: 4", 7, "did you mean 'radius'?"),
    ("damage beside it", "[14, 14]", "[80, 14]", 7, "covers nothing of the canvas of 28 × 28"),
    ("no cell left", DISC, DISC.replace("4}", "40, target: pixels}"), 7, "leaves no living cell"),
    ("a mutation too large", DISC, "{at: 1, kind: mutate, images: {glyph: 3, scale: 2}}", 7, "fit"),
    ("a mutation's file", DISC, "{at: 1, kind: mutate, images: {file: gone.png}}", 7, "no such"),
    ("no such world", DISC, "{at: 1, kind: restart, world: 3}", 7, "got 3"),
    ("no such class", DISC, "{at: 1, kind: draw, glyph: 3, label: Q}", 7, "label 'Q' is no class"),
    ("no such metric", "cell_accuracy", "cell_acuracy", 9, "did you mean 'cell_accuracy'?"),
    ("a bound without end", "min: 0.95", "max: .inf", 9, "must be a finite number, got inf"),
    ("a bound that is none", "min: 0.95", "min: .nan", 9, "must be a finite number, got nan"),
    ("an endless radius", "radius: 4", "radius: .inf", 7, "radius: must be a finite number"),
    ("no centre", "[14, 14]", "[14, .nan]", 7, "center[1]: must be a finite number, got nan"),
    ("no drop", "steps: 40", "steps: 40\nlinks: {drop: .nan}", 6, "must be a finite number"),
    ("an endless turn", "label: 7", "label: 7, rotate: .inf", 4, "finite number"),
    (
        "more noise than float32",
        DISC,
        "{at: 1, kind: rates, noise: 1e39}",
        7,
        "noise: must be at m",
    ),
    ("a jolt too strong", DISC, "{at: 1, kind: noise, strength: 1e200}", 7, "strength: must be at"),
    ("a radius too large", "radius: 4", "radius: 1e155", 7, "radius: must be at most 1e+06"),
    (
        "a point too far",
        DISC,
        "{at: 1, kind: draw, points: [[1e200, 1]]}",
        7,
        "[0][0]: must be at m",
    ),
    ("a step too late", "{at: 20, kind", f"{{at: 1{'0' * 29}, kind", 7, "at: must be at most 100"),
    ("steps without end", "steps: 40", f"steps: 1{'0' * 30}", 5, "steps: must be at most 1000"),
    ("too many pictures", "label: 7", "label: 7, count: 99999", 4, "count: must be at most 2000"),
    ("a seed too large", "seed: 0", f"seed: {1 << 64}", 2, "seed: must be at most 1844674"),
    ("a name of letters", "name: broken", f"name: '{'x ' * 50_000}'", 1, "name also names the run"),
    (
        "a key too deep",
        "steps: 40",
        "steps: 40\n start: zeros",
        6,
        "indented by 1 spaces and the key",
    ),
    ("no bounds", ", min: 0.95", "", 9, "needs min, max or both"),
    ("bounds crossed", "min: 0.95", "min: 0.95, max: 0.1", 9, "min must be at most max"),
    ("percent", "min: 0.95", "min: 95", 9, "write 95 % as 0.95"),
    ("expected too late", EXPECT, EXPECT.replace("20", "41"), 9, "must be a step of the run"),
]


@pytest.fixture
def folder(tmp_path: Path, rule: Rule, monkeypatch) -> Path:
    """A folder with unusable rules and pictures."""
    monkeypatch.chdir(tmp_path)
    good = save_rule(rule, tmp_path / "busy.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(good[: len(good) // 2])
    (tmp_path / "empty.safetensors").touch()
    save_file({"weight": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    (tmp_path / "other.json").write_text(json.dumps({"rule": "none"}))
    save_rule(Mlp(slots=5), tmp_path / "graphs.safetensors")
    # Rules that save_rule refuses to write.
    more = Mlp(free_channels=10).state_dict()
    with safe_open(str(tmp_path / "graphs.safetensors"), framework="pt") as file:
        header, weights = file.metadata(), {one: file.get_tensor(one) for one in more}
    save_file(weights | {"output": more["output"]}, tmp_path / "channels.safetensors", header)
    weights["middle"][3, 5] = float("nan")
    save_file(weights, tmp_path / "nan.safetensors", header)
    Image.fromarray(np.full((28, 28), 255, np.uint8)).save(tmp_path / "white.png")
    faint = np.full((28, 28), 255, np.uint8)
    faint[9:12, 9:12] = 240
    Image.fromarray(faint).save(tmp_path / "faint.png")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "line", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_mistake_gives_one_located_line_and_no_files(folder, old, new, line, words):
    assert old in TEXT
    (folder / "broken.yaml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    before = sorted(folder.rglob("*"))
    done = CliRunner().invoke(app, ["run", "broken.yaml", "--out", "runs/out"])
    assert done.exit_code == 2
    assert done.stdout == ""
    (message,) = done.stderr.splitlines()
    assert len(message) < 1000
    assert re.match(rf"broken\.yaml:{line}:\d+: ", message), message
    assert words in message
    assert sorted(folder.rglob("*")) == before
    assert CliRunner().invoke(app, ["check", "broken.yaml"]).stderr == done.stderr


def test_check_prints_one_line_per_mistake(folder):
    text = TEXT.replace("steps: 40", "steps: 10").replace("label: 7", "label: 7, scale: 200")
    text += "  - {metric: undecided, at: 11, max: 1}\nlinks: {drop: 2}\nrecrod: {every: 2}\n"
    (folder / "broken.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "broken.yaml"])
    assert [line.split(" ", 2)[1] for line in done.stderr.splitlines()] == [
        "recrod:", "images.scale:", "links.drop:",
    ]  # fmt: skip
    (line,) = CliRunner().invoke(app, ["run", "broken.yaml"]).stderr.splitlines()
    assert line == f"{done.stderr.splitlines()[0]} (and 2 more)"


def test_check_prints_every_mistake_found_while_loading(folder):
    text = TEXT.replace("steps: 40", "steps: 10").replace("at: 20, min", "at: 30, min")
    text = text.replace("expect:", "  - {at: 3, kind: mutate, images: {file: gone.png}}\nexpect:")
    (folder / "broken.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "broken.yaml"])
    paths = [line.split(" ", 2)[1] for line in done.stderr.splitlines()]
    assert paths == ["perturbations[0].at:", "expect[0].at:", "perturbations[1].images:"]
    text = TEXT.replace("[14, 14]", "[80, 14]").replace("expect:", f"  - {DISC}\nexpect:")
    text = text.replace("expect:", "  - {at: 9, kind: draw, points: [[90, 90]]}\nexpect:")
    (folder / "broken.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "broken.yaml"])
    paths = [line.split(" ", 2)[1] for line in done.stderr.splitlines()]
    assert sorted(paths) == ["perturbations[0]:", "perturbations[2]:"]


def test_the_unbroken_scenario_passes(folder):
    (folder / "broken.yaml").write_text(TEXT)
    done = CliRunner().invoke(app, ["check", "broken.yaml"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "broken.yaml: OK (scenario)" in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("steps=-1", "--set steps=-1: steps: must be at least 1, got -1"),
        ("steps", "--set steps: key=value is expected"),
        ("perturbations.4.at=1", "--set perturbations.4.at=1: perturbations: has entries 0 to 0"),
        ("perturbations.0.radius=-1", "radius: must be above 0"),
        ("stepps=3", "unknown key 'stepps' (did you mean 'steps'?)"),
    ],
)
def test_a_mistake_in_set_names_the_option(folder, change, words):
    (folder / "broken.yaml").write_text(TEXT)
    done = CliRunner().invoke(app, ["run", "broken.yaml", "--set", change])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert words in line
    assert not (folder / "runs").exists()


def test_no_scenario_runs_if_a_later_file_is_broken(folder):
    (folder / "fine.yaml").write_text(TEXT.replace("broken", "fine"))
    (folder / "broken.yaml").write_text(TEXT.replace("steps: 40", "steps: -3"))
    done = CliRunner().invoke(app, ["run", "fine.yaml", "broken.yaml"])
    assert done.exit_code == 2
    assert not (folder / "runs").exists()

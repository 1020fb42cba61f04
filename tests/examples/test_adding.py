"""The code in swarm_nca/README.md runs unchanged and does what the README says.

The test installs the code as a package with entry points, as another project would.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import swarm_nca
import swarm_nca as sn
from swarm_nca.links import LINKS
from swarm_nca.measure.metrics import OTHERS, measure
from swarm_nca.perturbations import KINDS
from swarm_nca.randomness import Draws
from swarm_nca.rules import READOUTS, RULES, readout_of
from swarm_nca.swarm import Swarm
from swarm_nca.tasks import TASKS

README = Path(swarm_nca.__file__).parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)

#: The imports that the README leaves out.
IMPORTS = """
from __future__ import annotations
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal
import networkx as nx
import numpy as np
import torch
from torch import Tensor, nn
import swarm_nca as sn
from swarm_nca.bounds import Share
from swarm_nca.links import Links
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.metrics import Metric
from swarm_nca.measure.readings import Ratio
from swarm_nca.perturbations import Perturbation
from swarm_nca.render import cells_rgb, png
from swarm_nca.randomness import Stream, threshold
from swarm_nca.rules import Readout, Rule
from swarm_nca.tasks import Task
from swarm_nca.topologies import number_slots
"""

METADATA = "Metadata-Version: 2.1\nName: added-swarm\nVersion: 1.0\n"

ENTRIES = """\
[swarm_nca.rules]
spread = added_swarm:Spread
[swarm_nca.tasks]
level = added_swarm:Level
[swarm_nca.perturbations]
fade = added_swarm:Fade
[swarm_nca.links]
bursts = added_swarm:Bursts
"""

RECIPE = """\
name: level
task: {kind: level, level: 0.5, size: 5}
rule: {kind: spread, channels: 2}
iterations: 2
batch: 3
steps: 2
"""

SCENARIO = """\
rule: trained/rule.safetensors
images: {soup: 1.0, size: [6, 6]}
steps: 4
links: {kind: bursts, drop: 0.5}
perturbations:
  - {at: 2, kind: fade, share: 1.0}
record: {picture: false}
expect:
  - {metric: state_largest, at: 4, max: 1}
"""


CODE = IMPORTS + "\n".join(BLOCKS)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the installed package."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "added_swarm.py").write_text(CODE, encoding="utf-8")
    info = folder / "added_swarm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRIES)
    return folder


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """A module with all code blocks."""
    made = ModuleType("added")
    sys.modules["added"] = made  # dataclasses resolve annotations there
    exec(compile(CODE, str(README), "exec"), vars(made))
    return made


@pytest.fixture
def added(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with each line added to the table that the README names."""
    tables: dict[str, Any] = {
        "RULES": RULES, "READOUTS": READOUTS, "TASKS": TASKS, "LINKS": LINKS, "KINDS": KINDS,
        "OTHERS": OTHERS,
    }  # fmt: skip
    lines = re.findall(r"`\"(\w+)\": (\w+)` in `(\w+)`", README.read_text(encoding="utf-8"))
    assert len(lines) == len(tables)
    for key, name, table in lines:
        monkeypatch.setitem(tables[table], key, getattr(module, name))
    return module


def board(rule: sn.Rule, **others: object) -> sn.World:
    world = sn.World.from_images(torch.ones(2, 6, 6), rule, **others)
    generator = torch.Generator().manual_seed(1)
    return world.with_state(torch.randn(world.state.shape, generator=generator))


def test_a_rule_family_can_be_saved_and_runs_in_both_engines(
    added: ModuleType, tmp_path: Path
) -> None:
    rule = sn.make_rule(kind="spread", channels=3).requires_grad_(False)
    again = sn.load_rule(sn.save_rule(rule, tmp_path / "spread.safetensors"))
    assert (again.hash(), again.header()) == (rule.hash(), rule.header())

    world = board(again)
    batched, agents = (Swarm(world[0], again, seed=3, engine=how) for how in ("batched", "agents"))
    for _ in range(3):
        batched.step()
        agents.step()
    torch.testing.assert_close(batched.world.state, agents.world.state)
    torch.testing.assert_close(batched.world.state, sn.rollout(world[0], rule, 3, seed=3).state)


def test_a_read_out_and_its_metric_agree(added: ModuleType) -> None:
    world = board(rule := sn.make_rule(kind="spread"))
    plus = world.readout.image(world, 1)
    assert plus.shape == (6, 6)
    assert np.array_equal(plus.ravel(), world[1].state[:, -1].numpy() > 0)
    assert measure(world, rule)["positive"] == pytest.approx(
        float((world.state[:, -1] > 0).double().mean())
    )
    assert readout_of(world.readout.to_json()) == world.readout
    life = sn.make_rule(kind="life")
    assert "positive" not in measure(board(life), life)


def test_bursts_lose_all_or_no_messages_of_a_cell(added: ModuleType) -> None:
    rule = sn.make_rule(kind="spread").requires_grad_(False)
    world = board(rule, links=added.Bursts(drop=0.5))
    rows = torch.arange(world.cells)
    draws = Draws(0, world.key[world.world_of], world.site, world.step[world.world_of])
    heard = world.links.arriving(world.neighbors, rows, draws, 0)
    others = (world.neighbors != world.cells) & (world.neighbors != rows[:, None])
    arrived = ((heard != world.cells) & others).sum(dim=1)
    whole = arrived == others.sum(dim=1)
    assert bool((whole | (arrived == 0)).all())
    assert 0.25 < float(whole.double().mean()) < 0.75
    assert bool((heard[:, 4] == rows).all())

    swarms = [Swarm(world[0], rule, engine=how) for how in ("batched", "agents")]
    for swarm in swarms:
        swarm.step()
    torch.testing.assert_close(swarms[0].world.state, swarms[1].world.state)


def test_a_perturbation_acts_and_checks_its_bounds(added: ModuleType) -> None:
    world = board(sn.make_rule(kind="spread"))
    torch.testing.assert_close(added.Fade(share=0.5)(world).state, world.state / 2)
    with pytest.raises(ValueError, match="share must be at most 1, got 50"):
        added.Fade(share=50)


def test_a_topology_is_a_graph_with_slots(added: ModuleType) -> None:
    rule = sn.make_rule(kind="spread").requires_grad_(False)
    world = sn.World.from_graph(added.ring(12), rule)
    assert sn.rollout(world, rule, 2).cells == 12
    assert set(world.topology.to_networkx()[0]) == {0, 1, 2, 10, 11}


def test_a_package_with_entry_points_works_on_the_command_line(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "level.yaml").write_text(RECIPE)
    (tmp_path / "fading.yaml").write_text(SCENARIO)
    (tmp_path / "broken.yaml").write_text(SCENARIO.replace("share: 1.0", "share: 50"))
    commands = (
        ("train", "level.yaml", "--out", "trained"),
        ("run", "fading.yaml", "--out", "run", "--quiet"),
        ("view", "fading.yaml", "--headless", "--steps", "3", "--out", "seen.png"),
        ("view", "--rule", "trained", "--headless", "--steps", "2", "--out", "rule.png"),
        ("check", "broken.yaml"),
    )
    code = (
        "from swarm_nca.cli import app\n"
        f"for one in {commands!r}:\n"
        "    try:\n        app(list(one))\n"
        "    except SystemExit as end:\n        print(one[0], 'ends with', end.code)\n"
    )
    paths = os.pathsep.join([str(installed), str(Path(swarm_nca.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    output = done.stdout + done.stderr
    for end in ("train ends with 0", "run ends with 0", "check ends with 2"):
        assert end in output, output
    assert output.count("view ends with 0") == 2, output
    for picture in ("seen.png", "rule.png"):
        with Image.open(tmp_path / picture) as shown:
            assert len(shown.convert("RGB").getcolors(1 << 24)) > 3
    assert "broken.yaml:6:32: perturbations[0].share: must be at most 1, got 50" in output
    assert load_file(tmp_path / "trained" / "rule.safetensors")["drift"].abs().max() > 0
    resolved = (tmp_path / "run" / "scenario.yaml").read_text()
    assert "kind: bursts" in resolved
    assert "fade" in (tmp_path / "run" / "events.csv").read_text()


@pytest.mark.parametrize("group", ["tasks", "links"])
def test_an_entry_point_that_cannot_be_imported_gives_one_line(group: str, tmp_path: Path) -> None:
    info = tmp_path / "gone_swarm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA.replace("added", "gone"))
    (info / "entry_points.txt").write_text(f"[swarm_nca.{group}]\ngone = gone_swarm:Gone\n")
    file = "level.yaml" if group == "tasks" else "life.yaml"
    (tmp_path / "level.yaml").write_text(RECIPE)
    (tmp_path / "life.yaml").write_text(
        "rule: {kind: life}\nimages: {soup: 0.5, size: [3, 3]}\nsteps: 1\n"
    )
    done = command(tmp_path, tmp_path, "check", file)
    assert done.returncode == 2
    assert (done.stdout, done.stderr.count("\n")) == ("", 1), done.stderr
    assert f"'gone' of swarm_nca.{group} cannot be imported" in done.stderr
    assert "uninstall gone-swarm" in done.stderr


def command(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with an installed package."""
    paths = os.pathsep.join([str(installed), str(Path(swarm_nca.__file__).parents[1])])
    return subprocess.run(
        [sys.executable, "-m", "swarm_nca", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True,
    )  # fmt: skip

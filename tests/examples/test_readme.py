"""The README's Python runs as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from swarm_nca import World, load_rule, rollout
from swarm_nca.rules import Rule

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)

#: What the README leaves out.
IMPORTS = """
from __future__ import annotations
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal
import networkx as nx
from pydantic import Field
from torch import Tensor
from torch.nn import functional
import swarm_nca as sn
from swarm_nca.measure.census import Census
from swarm_nca.measure.metrics import Metric
from swarm_nca.measure.readings import Ratio
from swarm_nca.perturbations import Perturbation
from swarm_nca.rules import Rule
from swarm_nca.topologies import number_slots
from swarm_nca.world import World
"""


def block(beginning: str) -> dict[str, Any]:
    """What the one block that contains these words leaves behind when it has run."""
    (code,) = (code for code in BLOCKS if beginning in code)
    module = ModuleType("readme")
    sys.modules["readme"] = module  # where dataclasses look for what annotations mean
    exec(compile(IMPORTS + code, str(README), "exec"), vars(module))
    return vars(module)


def test_no_block_is_left_out() -> None:
    assert len(BLOCKS) == 3


def test_a_first_session_runs_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = block("sn.run(")
    assert names["agent"].neighbors
    assert len(names["world"]) == 1


def test_the_unit_test_of_one_agent_passes() -> None:
    block("lone_agent")["test_an_agent_surrounded_by_twos_turns_towards_two"]()


@pytest.fixture(scope="module")
def added() -> dict[str, Any]:
    return block("class Careful")


def world_of(rule: Rule) -> World:
    return World.from_images(torch.ones(1, 5, 5), rule, labels=[3])


def test_a_rule_of_ones_own_has_the_weights_and_keeps_its_promise(added: dict[str, Any]) -> None:
    careful = added["careful"].requires_grad_(False)
    world = world_of(careful)
    after = rollout(world, careful, 1, noise=0.0)
    change = (after.state - world.state).abs()
    plain = rollout(world, load_rule("digits"), 1, noise=0.0).state - world.state
    torch.testing.assert_close(after.state - world.state, plain.clamp(-0.1, 0.1))
    assert float(change.max()) == pytest.approx(0.1)


def test_a_perturbation_of_ones_own_fades_and_refuses_what_is_no_share(
    added: dict[str, Any],
) -> None:
    fade: Callable[..., Any] = added["Fade"]
    world = world_of(load_rule("digits")).restarted("random", 1)
    torch.testing.assert_close(fade(share=0.5)(world).state, world.state / 2)
    taken = TypeAdapter(fade)
    assert taken.validate_python({"kind": "fade", "share": 0.5}) is not None
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        taken.validate_python({"kind": "fade", "share": 50})


def test_a_topology_a_loss_and_a_metric_of_ones_own(added: dict[str, Any]) -> None:
    rule = load_rule("digits")
    ring = World.from_graph(added["ring"](12), rule)
    assert ring.cells == 12
    assert rollout(ring, rule, 2).cells == 12
    assert float(added["cross_entropy"](world_of(rule))) == pytest.approx(2.302585, abs=1e-5)
    assert added["sevens"].share

"""A widened rule computes the same, and learns with the added units."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import swarm_nca as sn
from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import Mlp, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up

BusyRule = Callable[..., Rule]

RECIPE = """
name: wider
data: [{dataset: strokes, count: 60}]
held_out: 10
rule: {weights: digits, hidden: [96, 80]}
iterations: 3
"""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("settings", "hidden"),
    [
        ({"hidden": (12, 10)}, (20, 17)),
        ({"hidden": (12, 10)}, (12, 11)),
        ({"hidden": (12, 10), "hearing": "ring"}, (13, 10)),
        ({"hidden": (7, 6, 5)}, (9, 7, 5)),
        ({"hidden": (12, 10), "hearing": "sobel"}, (16, 16)),
    ],
)
def test_a_widened_rule_goes_the_same_course(
    busy_rule: BusyRule, settings: dict[str, Any], hidden: tuple[int, ...]
) -> None:
    rule = busy_rule(torch.float64, **settings)
    assert isinstance(rule, Mlp)
    wide = rule.widened(hidden, seeded())
    assert wide.hidden == hidden
    world = tiny_world(".##.\n##.#\n#.3#", rule).restarted("random", 1)
    after, wide_after = (sn.rollout(world, each, 9, 3).state for each in (rule, wide))
    assert not torch.equal(after, world.state)
    torch.testing.assert_close(wide_after, after, rtol=0, atol=1e-12)


def test_the_added_units_learn_and_depend_on_the_seed() -> None:
    rule = sn.load_rule("digits")
    assert isinstance(rule, Mlp)
    wide = rule.widened((96, 88), seeded()).requires_grad_(True)  # type: ignore[attr-defined]
    world = sn.World.from_images(sn.images.strokes(2, seed=1).grey, wide)
    sn.rollout(world, wide, 4).state.square().sum().backward()
    torch.optim.SGD(wide.parameters(), lr=1e-3).step()
    wide.zero_grad()
    sn.rollout(world, wide, 4).state.square().sum().backward()
    gradients = {name: weight.grad for name, weight in wide.named_parameters()}
    added = {"perception": (slice(None), slice(80, None)), "output": (slice(80, None),)}
    added |= {"middle": (slice(80, None), slice(80, None)), "middle_bias": (slice(80, None),)}
    for name, part in added.items():
        gradient = gradients[name]
        assert gradient is not None
        assert gradient[part].abs().max() > 0, name
    again, other = (rule.widened((96, 88), seeded(seed)) for seed in (0, 1))
    assert rule.widened((96, 88), seeded()).hash() == again.hash() != other.hash()


@pytest.mark.parametrize(
    ("hidden", "reason"),
    [((80, 79), "at least"), ((96,), "not layers"), ((96, 80, 8), "not layers"), (96, "hidden is")],
)
def test_fewer_units_or_other_layers_are_refused(hidden: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Mlp().widened(hidden)


def test_widening_leaves_the_global_generator_alone() -> None:
    rule, before = Mlp(), torch.get_rng_state()
    rule.widened((96, 96), seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_training_goes_on_from_a_smaller_rule(tmp_path: Path) -> None:
    document = parse(RECIPE)
    rule, *_ = set_up(document.validate(Recipe), document)
    again, *_ = set_up(document.validate(Recipe), document)
    small = sn.load_rule("digits")
    assert rule.hash() == again.hash()
    assert torch.equal(rule.get_parameter("perception")[:, :80], small.get_parameter("perception"))
    assert rule.get_parameter("middle").shape == (96, 80)
    for others in ("64, 80", "96, 80, 8"):
        document = parse(RECIPE.replace("96, 80", others))
        with pytest.raises(LocatedError, match=r"its hidden is \[80, 80\]: set rule\.hidden to it"):
            set_up(document.validate(Recipe), document)

"""Rules whose layers read quantized inputs; `test_whole_numbers` computes them in integers."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.engine import rollout
from swarm_nca.rules import Quantized
from swarm_nca.world import World


class Halved:
    """Overrides `change` from outside the class."""

    def change(self, prepared, messages):
        return 0.5 * super().change(prepared, messages)  # type: ignore[misc]


class MixedIn(Halved, Quantized):
    kind = "mixed_in"


class Overriding(Quantized):
    kind = "overriding"

    def change(self, prepared, messages):
        return 0.5 * super().change(prepared, messages)


@pytest.mark.parametrize("family", [MixedIn, Overriding])
def test_an_overridden_change_of_a_rule_with_quantized_inputs_is_obeyed(family) -> None:
    def stepped(kind: type[Quantized]):
        rule = kind(hidden=(6, 6), inputs="int4", generator=torch.Generator().manual_seed(3))
        rule.requires_grad_(False).noise = 0.0
        world = World.from_images(torch.full((1, 6, 6), 0.9), rule)
        return rollout(world, rule, 1, seed=2).state

    usual = stepped(Quantized)
    assert usual.abs().max() > 0
    torch.testing.assert_close(stepped(family), 0.5 * usual)

"""Rules quantized throughout: whole numbers give what the floats give."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from swarm_nca.engine import rollout
from swarm_nca.rules import Classes, Quantized, whole_numbers
from swarm_nca.rules.filters import FILTERS
from swarm_nca.rules.inputs import INPUTS
from swarm_nca.rules.whole_numbers import change, counted, multiplied
from swarm_nca.world import World

RANGED = ("int1", "int3", "uint1", "uint4")


def rule_of(**settings: Any) -> Quantized:
    """An untrained rule whose scales, ranges and biases all differ."""
    generator = torch.Generator().manual_seed(4)
    usual: dict[str, Any] = {
        "classes": Classes.named("a", "b"),
        "free_channels": 3,
        "hidden": (70, 11),
        "scales": "output",
    }
    rule = Quantized(**usual | settings, generator=generator).requires_grad_(False)
    for name, weight in rule.named_parameters():
        if name not in rule.names:
            weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    return rule


def given(cells: int = 50) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return (
        torch.rand(cells, 9, generator=generator),
        1.5 * torch.randn(cells, 9, 5, generator=generator),
    )


@pytest.mark.parametrize("bits", [(1, 1), (4, 2), (8, 8)])
@pytest.mark.parametrize("size", [1, 64, 189])
def test_a_count_of_bits_is_the_product(bits: tuple[int, int], size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    left = torch.randint(2 ** bits[0], (20, size), generator=generator).numpy()
    right = torch.randint(2 ** bits[1], (size, 30), generator=generator).numpy()
    assert (counted(left, right) == left @ right).all()


@pytest.mark.parametrize("filters", ["ste_sign", "ste_heaviside", "ternary", "int4"])
@pytest.mark.parametrize("inputs", [*RANGED, "ste_sign", "ste_heaviside", "ste_tern", "dorefa"])
def test_whole_numbers_give_the_change_of_the_rule(filters: str, inputs: str) -> None:
    rule = rule_of(filters=filters, inputs=inputs, planes=(2, 1, 2))
    expected = rule(*given())
    assert bool(expected.std() > 0)
    for products in (counted, multiplied):
        torch.testing.assert_close(change(rule, *given(), products), expected, atol=1e-5, rtol=1e-5)


def test_the_whole_numbers_of_a_layer_are_exact() -> None:
    """In float64 a product of small integers has no rounding: both must be equal to the bit."""
    rule = rule_of(filters="ste_sign", inputs=("int4", "uint4", "uint4")).double()
    messages = given()[1].double()
    heard = messages.flatten(1)
    reach = rule.reach_of(0, 1)
    read = INPUTS["int4"].codes(heard / reach)
    signs = FILTERS["ste_sign"].codes(rule.perception / rule.reach)[9:]
    exact = (2 * read - 15) @ (2 * signs - 1)
    floats = (15 * INPUTS["int4"](heard, reach) / reach) @ (2.0 * signs.double() - 1)
    assert torch.equal(exact, floats.round().long())
    found = whole_numbers._sums(rule, 0, heard, reach, signs[None], counted)
    assert torch.equal((15 * found[:, 0]).round().long(), exact)


def test_a_world_steps_alike_in_floats_and_in_whole_numbers() -> None:
    rule = rule_of(filters="ste_sign", planes=2, inputs=("int4", "uint4", "uint4"))
    image = torch.rand(1, 12, 12, generator=torch.Generator().manual_seed(6))
    world = World.from_images(image, rule)
    floats = rollout(world, rule, 1, seed=3).state
    assert bool((floats != 0).any())
    padded = torch.cat([world.state, world.state.new_zeros(1, 5)])
    changes = change(rule, world.stimulus, padded[world.neighbors])
    rule.noise = 0.0
    quiet = rollout(world, rule, 1, seed=3).state
    fired = (quiet != 0).any(1)
    torch.testing.assert_close(quiet[fired], changes[fired], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"inputs": ("int4", "float", "uint4")}, "middle has floats"),
        ({"inputs": "int4", "filters": ("float", "int4", "int4")}, "perception has floats"),
        ({"inputs": "int4", "scales": "both"}, "set rule.scales: output"),
        ({"inputs": "int4", "hearing": "dyadic"}, "set hearing: slots"),
    ],
)
def test_rules_with_floats_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        change(rule_of(**settings), *given())

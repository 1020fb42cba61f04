"""Settings: what lies within bounds makes a rule, and its shapes are known before it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from swarm_nca.randomness import LONGEST_ROW
from swarm_nca.rules import Classes, Rule
from swarm_nca.rules.settings import BOUNDS, NOISY_CHANNELS, Settings

FEW = Classes.named("a", "b")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hearing": "ring"},
        {"hearing": "ring", "stimulus_size": 2, "slots": 6},
        {"classes": FEW, "free_channels": 3, "hidden": (4, 7), "slots": 1, "stimulus_size": 5},
    ],
    ids=str,
)
def test_the_shapes_are_those_of_the_rules_weights(given: dict[str, Any]) -> None:
    rule = Rule(**given)
    expected = {name: tuple(weight.shape) for name, weight in rule.state_dict().items()}
    assert Settings.from_json(rule.settings()).shapes() == expected


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_rule_can_be_made_at_both_ends_of_every_bound(name: str) -> None:
    bound = BOUNDS[name]
    small = {"classes": FEW, "free_channels": 1, "hidden": (1, 1), "slots": 1, "noise": 0.0}
    low, high = bound.low, bound.high
    if name == "alive_above":
        high = float(np.nextafter(1.0, 0.0))
    for end in (low, high):
        assert getattr(Rule(**small | {name: end}), name) == end  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=name):
        Rule(**small | {name: high * 2 + 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5), np.int64(1), 1, 0.5])
def test_numbers_of_numpy_become_plain_ones_and_plain_ones_stay(number: Any) -> None:
    rate = Rule(fire_rate=number).fire_rate
    assert rate == number
    assert type(rate) is (int if isinstance(number, int | np.integer) else float)


def test_noise_serves_as_many_channels_as_one_row_of_the_table_has() -> None:
    assert NOISY_CHANNELS == LONGEST_ROW
    assert Rule(FEW, free_channels=NOISY_CHANNELS - 2, hidden=(1, 1)).channels == LONGEST_ROW
    assert Rule(FEW, free_channels=NOISY_CHANNELS, hidden=(1, 1), noise=0.0).noise == 0.0

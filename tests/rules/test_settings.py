"""Bounds of settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from swarm_nca.randomness import LONGEST_ROW
from swarm_nca.rules import Classes, Mlp
from swarm_nca.rules.settings import BOUNDS, NOISY_CHANNELS

FEW = Classes.named("a", "b")


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_both_ends_of_every_bound_are_accepted(name: str) -> None:
    bound = BOUNDS[name]
    small: dict[str, Any] = {
        "classes": FEW,
        "free_channels": 1,
        "hidden": (1, 1),
        "slots": 1,
        "noise": 0.0,
    }
    low, high = bound.low, bound.high
    if name == "angle":
        small |= {"hearing": "sobel", "slots": 9}
    if name == "alive_above":
        high = float(np.nextafter(1.0, 0.0))
    for end in (low, high):
        assert getattr(Mlp(**small | {name: end}), name) == end  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=name):
        Mlp(**small | {name: high * 2 + 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5), np.int64(1), 1, 0.5])
def test_numpy_numbers_become_plain_numbers(number: Any) -> None:
    rate = Mlp(fire_rate=number).fire_rate
    assert rate == number
    assert type(rate) is (int if isinstance(number, int | np.integer) else float)


def test_noise_supports_as_many_channels_as_a_table_row() -> None:
    assert NOISY_CHANNELS == LONGEST_ROW
    assert Mlp(FEW, free_channels=NOISY_CHANNELS - 2, hidden=(1, 1)).channels == LONGEST_ROW
    assert Mlp(FEW, free_channels=NOISY_CHANNELS, hidden=(1, 1), noise=0.0).noise == 0.0

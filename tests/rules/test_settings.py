"""Bounds of settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from swarm_nca.randomness import LONGEST_ROW
from swarm_nca.rules import Classes, Mlp
from swarm_nca.rules.settings import BOUNDS, NOISY_CHANNELS

FEW = Classes.named("a", "b")


#: Setting → the smallest and the largest value that is accepted.
ENDS = {
    "free_channels": (1, 1_024),
    "slots": (1, 1_024),
    "stimulus_size": (0, 4_096),
    "fire_rate": (0.0, 1.0),
    "noise": (0.0, 1e6),
    "alive_above": (0.0, float(np.nextafter(1.0, 0.0))),
    "angle": (-360.0, 360.0),
    "undecided_below": (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max)),
    "shown_above": (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max)),
}


@pytest.mark.parametrize("name", sorted(BOUNDS.keys() - {"hidden"}))
def test_both_ends_of_every_bound_are_accepted(name: str) -> None:
    low, high = ENDS[name]
    small: dict[str, Any] = {
        "classes": FEW,
        "free_channels": 1,
        "hidden": (1, 1),
        "slots": 1,
        "noise": 0.0,
    }
    if name == "angle":
        small |= {"hearing": "sobel", "slots": 9}
    for end in (low, high):
        assert getattr(Mlp(**small | {name: end}), name) == end  # type: ignore[arg-type]
    for beyond in (low - abs(low) - 1, high * 2 + 1):
        with pytest.raises(ValueError, match=name):
            Mlp(**small | {name: beyond})  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5), np.int64(1), 1, 0.5])
def test_numpy_numbers_become_plain_numbers(number: Any) -> None:
    rate = Mlp(fire_rate=number).fire_rate
    assert rate == number
    assert type(rate) is (int if type(number) is int else float)


def test_noise_supports_as_many_channels_as_a_table_row() -> None:
    assert NOISY_CHANNELS == LONGEST_ROW
    assert Mlp(FEW, free_channels=NOISY_CHANNELS - 2, hidden=(1, 1)).channels == LONGEST_ROW
    assert Mlp(FEW, free_channels=NOISY_CHANNELS, hidden=(1, 1), noise=0.0).noise == 0.0

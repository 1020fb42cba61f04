"""The majority rule: a cell is on if most cells in its neighbourhood, itself included, are on."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from swarm_nca.rules import Bit, Habitat, Rule


class Majority(Rule):
    """One bit; every pixel is a cell, and dark pixels are on at the start.

    Args:
        share: a cell is on if a larger share of its slots is on, in [0, 1].
    """

    kind = "majority"
    update = "replace"

    def __init__(self, share: float = 0.5) -> None:
        super().__init__(Bit(), channels=1, stimulus_size=0, fire_rate=1.0)
        self.share = share

    @property
    def habitat(self) -> Habitat:
        """Every pixel is a cell."""
        return Habitat(sprout=(1.0,), senses=False)

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """The next states [M, 1] from messages [M, 9, 1]."""
        return (messages.mean(dim=1) > self.share).to(messages.dtype)

    def settings(self) -> dict[str, Any]:
        """The share."""
        return {"share": self.share}

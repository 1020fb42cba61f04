"""Elementary automata: Wolfram's 256 rules on rows of cells (Wolfram 1983).

A cell uses its own state and those of its two neighbours in the row: bit 4·left + 2·own + right of
the rule's number is its next state. Each row of a picture runs independently.
"""

from __future__ import annotations

import operator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from swarm_nca.rules.readout import Bit
from swarm_nca.rules.rule import Habitat, Rule

#: The slots of the left neighbour, the cell itself and the right neighbour.
_LEFT, _OWN, _RIGHT = 3, 4, 5


class Elementary(Rule):
    """One of the 256 elementary rules: one channel, 0 or 1; all cells fire in every step; exact.

    Args:
        number: the rule, 0 to 255.

    Raises:
        ValueError: another number.
    """

    kind: ClassVar[str] = "elementary"
    update: ClassVar[Literal["add", "replace"]] = "replace"

    def __init__(self, number: int = 110) -> None:
        try:
            whole = operator.index(number)
        except TypeError:
            whole = -1
        if not 0 <= whole < 256 or isinstance(number, bool):
            raise ValueError(f"an elementary rule has a number from 0 to 255, got {number!r}")
        super().__init__(Bit(), channels=1, stimulus_size=0, fire_rate=1.0)
        self.number = whole
        self._table: Tensor
        bits = torch.tensor([whole >> pattern & 1 for pattern in range(8)], dtype=torch.uint8)
        self.register_buffer("_table", bits, persistent=False)

    @property
    def habitat(self) -> Habitat:
        """Every pixel is a cell; dark pixels are on at the start."""
        return Habitat(sprout=(1.0,), senses=False)

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """The next states [M, 1] from messages [M, 9, 1]."""
        bits = (messages.squeeze(2) > 0.5).long()
        pattern = 4 * bits[:, _LEFT] + 2 * bits[:, _OWN] + bits[:, _RIGHT]
        return self._table[pattern][:, None].to(messages.dtype)

    def sweep(self, states: Tensor, torus: bool) -> Tensor:
        """The next states of pictures [B, 1, H, W]."""
        own = (states[:, 0] > 0.5).long()
        left, right = own.roll(1, dims=2), own.roll(-1, dims=2)
        if not torus or own.shape[2] == 1:  # no cell is its own neighbour
            left[:, :, 0], right[:, :, -1] = 0, 0
        return self._table[4 * left + 2 * own + right].to(states.dtype)[:, None]

    def settings(self) -> dict[str, Any]:
        """The number."""
        return {"number": self.number}

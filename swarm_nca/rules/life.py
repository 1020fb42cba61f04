"""Game of Life and other life-like rules: any B/S rule on eight neighbours (Conway 1970).

`B3/S23`: a dead cell with three live neighbours is born; a live cell with two or three survives.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from swarm_nca.rules.readout import Bit
from swarm_nca.rules.rule import Habitat, Rule

_FORM = re.compile(r"B([0-8]*)/S([0-8]*)", re.IGNORECASE)


class Life(Rule):
    """A life-like rule: one channel, 0 or 1; all cells fire in every step; exact.

    Args:
        rule: the neighbour counts of births and survivals, such as `B3/S23` or `B36/S23`.

    Raises:
        ValueError: not a B/S rule.
    """

    kind: ClassVar[str] = "life"
    update: ClassVar[Literal["add", "replace"]] = "replace"

    def __init__(self, rule: str = "B3/S23") -> None:
        form = _FORM.fullmatch(rule) if isinstance(rule, str) else None
        if form is None:
            raise ValueError(
                "a rule of Life gives the neighbour counts of births and survivals, such as "
                f"B3/S23; got {rule!r}"
            )
        super().__init__(Bit(), channels=1, stimulus_size=0, fire_rate=1.0)
        birth, survival = ("".join(sorted(set(part))) for part in form.groups())
        self.rule = f"B{birth}/S{survival}"
        table = torch.zeros(2, 9, dtype=torch.uint8)
        for alive, counts in enumerate((birth, survival)):
            table[alive, [int(count) for count in counts]] = 1
        self._living = table.reshape(-1).nonzero().view(-1).tolist()
        self._table: Tensor
        self.register_buffer("_table", table.reshape(-1), persistent=False)

    @property
    def habitat(self) -> Habitat:
        """Every pixel is a cell; dark pixels are alive at the start."""
        return Habitat(sprout=(1.0,), senses=False)

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """The next states [M, 1] from messages [M, 9, 1]."""
        alive = messages.squeeze(2) > 0.5
        own = alive[:, 4].long()
        count = alive.sum(dim=1) - own
        return self._table[own * 9 + count][:, None].to(messages.dtype)

    def sweep(self, states: Tensor, torus: bool) -> Tensor:
        """The next states of boards [B, 1, H, W], by uint8 sums along rows and columns."""
        board = (states[:, 0] > 0.5).to(torch.uint8)
        whole = _around(_around(board, 1, torus), 2, torus)
        # The count includes the cell itself: 9 · own + (whole − own) indexes the table.
        index = whole.add_(board, alpha=8)
        # A few uint8 comparisons are faster than a look-up by int64 indices.
        alive = torch.zeros_like(index, dtype=torch.bool)
        for number in self._living:
            alive |= index == number
        return alive.to(states.dtype)[:, None]

    def settings(self) -> dict[str, Any]:
        """The rule as text."""
        return {"rule": self.rule}


def _around(board: Tensor, dim: int, torus: bool) -> Tensor:
    """The sum of each cell and the cells before and after it along one axis."""
    total = board.clone()
    length = board.shape[dim]
    total.narrow(dim, 1, length - 1).add_(board.narrow(dim, 0, length - 1))
    total.narrow(dim, 0, length - 1).add_(board.narrow(dim, 1, length - 1))
    if torus and length > 1:
        total.select(dim, 0).add_(board.select(dim, length - 1))
        total.select(dim, length - 1).add_(board.select(dim, 0))
    return total

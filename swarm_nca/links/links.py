"""Loss of messages between cells.

A lost message is an index to the absent row, so its slot reads zeros in this step. A cell's own
message is never lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from swarm_nca.arguments import real
from swarm_nca.bounds import Share
from swarm_nca.randomness import StepDraws, Stream, threshold


@dataclass(frozen=True)
class Links:
    """Lossy links. Other kinds extend this class and decide on losses in `arriving`.

    Attributes:
        drop: the probability that a message is lost, in [0, 1], drawn independently for every
            receiving cell, slot and step. At 0, links of every kind lose nothing.
        kind: name in scenarios; each class has its own.
    """

    USUAL: ClassVar[str] = "lossy"

    drop: Share = 0.0
    kind: str = field(default="lossy", repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drop", real("drop", self.drop))
        if not 0.0 <= self.drop <= 1.0:
            raise ValueError(f"drop is a probability between 0 and 1, got {self.drop}")

    def arriving(self, neighbors: Tensor, rows: Tensor, draws: StepDraws, t: int) -> Tensor:
        """The rows whose messages arrive at the firing rows, after losses.

        Agents call this for one row at a time with a smaller table, so the result may depend on
        slots, draws and the step, but not on the numbers of the sending rows.

        Args:
            neighbors: int64 [N, K], the index table.
            rows: int64 [M], the rows that fire.
            draws: the draws of the run.
            t: the step, counted from the start of the draws.

        Returns:
            int64 [M, K], rows to read messages from; N for no message.
        """
        senders = neighbors.index_select(0, rows)
        if self.drop == 0.0:
            return senders
        limit, absent = threshold(self.drop), len(neighbors)
        lost = torch.stack(
            [
                draws.word(t, Stream.LOSS + slot).index_select(0, rows) < limit
                for slot in range(neighbors.shape[1])
            ],
            dim=1,
        )
        return torch.where(lost & (senders != rows[:, None]), absent, senders)

    def settings(self) -> dict[str, Any]:
        """The settings as a scenario writes them; the default kind is left out."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.kind == self.USUAL:
            del settings["kind"]
        return settings

"""What happens to a message on its way from one cell to another.

A message that is lost is an index that points at nobody: its slot reads as zeros for this step.
What a cell tells itself is never lost.
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
    """How messages travel. Other kinds extend this class and say what is lost in `arriving`.

    Attributes:
        drop: the chance that one message of one step is lost, in [0, 1], drawn anew for every
            listener, slot and step. Where it is 0, links of every kind lose nothing.
        kind: its name in scenarios; each class has its own.
    """

    USUAL: ClassVar[str] = "lossy"

    drop: Share = 0.0
    kind: str = field(default="lossy", repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drop", real("drop", self.drop))
        if not 0.0 <= self.drop <= 1.0:
            raise ValueError(f"drop is a chance between 0 and 1, got {self.drop}")

    def arriving(self, neighbors: Tensor, rows: Tensor, draws: StepDraws, t: int) -> Tensor:
        """Who is heard by the rows that fire, after losses.

        Agents ask for one row at a time, from a table of their own: an answer may depend on slots,
        draws and the step, and not on who speaks there.

        Args:
            neighbors: int64 [N, K], the index table.
            rows: int64 [M], the rows that fire.
            draws: the run's draws, and `t` the step counted from their start.

        Returns:
            int64 [M, K], rows to read messages from, N for silence.
        """
        heard = neighbors.index_select(0, rows)
        if self.drop == 0.0:
            return heard
        limit, nobody = threshold(self.drop), len(neighbors)
        lost = torch.stack(
            [
                draws.word(t, Stream.LOSS + slot).index_select(0, rows) < limit
                for slot in range(neighbors.shape[1])
            ],
            dim=1,
        )
        return torch.where(lost & (heard != rows[:, None]), nobody, heard)

    def settings(self) -> dict[str, Any]:
        """All that makes these links, as a scenario spells it; the usual kind is left out."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.kind == self.USUAL:
            del told["kind"]
        return told

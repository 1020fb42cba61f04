"""Links between cells: loss, delay and rounding of messages.

A lost message is an index to the absent row, so its slot reads zeros in this step, or the last
message that arrived there. The message of a cell to itself is its memory: links do not change it.
`engine.mail` carries the messages, and the world holds what is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor

from swarm_nca.arguments import real
from swarm_nca.bounds import Positive, Share, check_bounds
from swarm_nca.randomness import StepDraws, Stream, threshold

#: The longest delay: a world holds what each cell said in as many steps.
LONGEST_DELAY = 64

Delay = Annotated[int, Ge(0), Le(LONGEST_DELAY)]


@dataclass(frozen=True)
class Links:
    """Links that lose, delay and round messages, in any combination.

    Other kinds extend this class and override `arriving`, which decides on losses.

    Attributes:
        drop: the probability that a message is lost, in [0, 1], drawn independently for every
            receiving cell, slot and step. At 0, links of every kind lose nothing.
        on_loss: what a cell hears in the slot of a lost message: `zeros`, or the `last` message
            that arrived there; zeros before the first one.
        delay: steps on the way, 0 to 64; or a pair (least, most), from which the delay of each
            receiving cell, slot and step is drawn. A cell hears zeros from before the first step.
        bits: bits per channel, 1 to 16; messages are not rounded when None. The 2ᵇ − 1 levels lie
            symmetrically around 0; with 1 bit they are −`range` and `range`.
        range: the largest magnitude of a rounded channel, above 0. With 8 bits and a range of 1.27
            the levels are 0.01 apart, as in Walker, Palm, Moreno, Faina, Stoy and Risi,
            "Physical Neural Cellular Automata for 2D Shape Classification" (IROS 2022).
        kind: name in scenarios; each class has its own.

    Raises:
        ValueError: a value out of range.
    """

    USUAL: ClassVar[str] = "lossy"

    drop: Share = 0.0
    on_loss: Literal["zeros", "last"] = field(default="zeros", kw_only=True)
    delay: Delay | tuple[Delay, Delay] = field(default=0, kw_only=True)
    bits: Annotated[int, Ge(1), Le(16)] | None = field(default=None, kw_only=True)
    range: Positive = field(default=4.0, kw_only=True)
    kind: str = field(default="lossy", repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drop", real("drop", self.drop))
        if not 0.0 <= self.drop <= 1.0:
            raise ValueError(f"drop is a probability between 0 and 1, got {self.drop}")
        if self.on_loss not in ("zeros", "last"):
            raise ValueError(f"on_loss must be zeros or last, got {self.on_loss!r}")
        check_bounds(self)
        own = self.__dataclass_fields__["kind"].default
        if self.kind != own:
            raise ValueError(f"these links are of the kind {own!r}, got kind {self.kind!r}")
        if self.slowest < self.fastest:
            raise ValueError(
                f"delay must be (least, most), got {self.delay}: swap them, or give one number"
            )

    @property
    def fastest(self) -> int:
        """The shortest delay in steps."""
        return self.delay[0] if isinstance(self.delay, tuple) else self.delay

    @property
    def slowest(self) -> int:
        """The longest delay in steps."""
        return self.delay[1] if isinstance(self.delay, tuple) else self.delay

    def rounded(self, message: Tensor) -> Tensor:
        """Messages [..., C] as their receivers read them; gradients pass within the range."""
        if self.bits is None:
            return message
        within = message.clamp(-self.range, self.range)
        if self.bits == 1:
            coarse = torch.where(message < 0, -self.range, self.range).to(message)
        else:
            step = self.range / (2 ** (self.bits - 1) - 1)
            coarse = (within / step).round() * step
        return within + (coarse - within).detach() if message.requires_grad else coarse

    def delays(self, rows: Tensor, slots: int, draws: StepDraws, t: int) -> Tensor | int:
        """int64 [M, K], the delay of each message to the rows; one number if all are equal.

        Args:
            rows: int64 [M], the rows that fire; on a GPU all rows, in one or several calls.
            slots: K.
            draws, t: see `arriving`.
        """
        least, most = self.fastest, self.slowest
        if least == most:
            return least
        drawn = [draws.word_of(t, Stream.DELAY + slot, rows) for slot in range(slots)]
        return least + (torch.stack(drawn, dim=1) * (most - least + 1) >> 32)

    def arriving(self, neighbors: Tensor, rows: Tensor, draws: StepDraws, t: int) -> Tensor:
        """The rows whose messages arrive at the firing rows, after losses.

        Agents call this for one row at a time with a smaller table, so the result may depend on
        slots, draws and the step, but not on the numbers of the sending rows.

        Args:
            neighbors: int64 [N, K], the index table.
            rows: int64 [M], the rows that fire; on a GPU all rows, in one or several calls.
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
                draws.word_of(t, Stream.LOSS + slot, rows) < limit
                for slot in range(neighbors.shape[1])
            ],
            dim=1,
        )
        return torch.where(lost & (senders != rows[:, None]), absent, senders)

    def settings(self) -> dict[str, Any]:
        """The settings as a scenario writes them; defaults other than `drop` are left out."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name == "drop"
            or getattr(self, field.name) != (self.USUAL if field.name == "kind" else field.default)
        }

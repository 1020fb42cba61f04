"""The backend for GPUs: every cell is computed in every step, and those that fire are changed.

Choosing the firing rows would make the processor wait for the GPU in every step. With a mask the
steps of a run follow one another without a wait, as long as nothing reads the states.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.engine.gather import Stepper
from swarm_nca.kernels.compiled import Kernel
from swarm_nca.randomness import table_for
from swarm_nca.rules import Rule, through
from swarm_nca.world import World

#: Rows computed at once: with 9 slots of 24 channels their messages take 226 MB.
PIECE = 1 << 18


class MaskedStepper(Stepper):
    """Steps all cells of a world in place; same arguments and results as `Stepper`.

    `draws` must serve rows that do not fire, as `Draws` does.

    Raises:
        ValueError: as `Stepper`; immigrants, or links that repeat the last message.
    """

    #: [N, C], what the cells of a step would become.
    _new: Tensor

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """Why this backend does not support a world on its device; None if it does."""
        return "a CPU computes the firing cells only" if world.state.is_cpu else _lacks(world)

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step; waits for the step."""
        return self._acts.nonzero().view(-1)

    def _choose(self, alive: Tensor | None) -> None:
        self._acts = self._draws.firing(self.steps, self._fire_rate)
        if self._mail.frozen is not None:
            self._acts = self._acts & ~self._mail.frozen
        if alive is not None:
            self._acts = self._acts & alive

    def _change_chosen(self, bank: Tensor) -> None:
        for start in range(0, self._world.cells, PIECE):
            self._answer(bank, slice(start, start + PIECE))
        if self._rule.update != "replace":
            self._new += self.state
        # Chosen, not multiplied: what a cell would become need not be finite.
        torch.where(self._acts[:, None], self._new, self.state, out=self.state)

    def _answer(self, bank: Tensor, part: slice) -> None:
        """Keep the rule's answer, with noise, for some of the rows, which read rows of a bank."""
        member, rows, answer = self._members[0], self._rows[part], self._new[part]
        direct = self._mail.direct
        table = self._mail.table[part] if direct else self._mail.arriving(rows, self.steps)
        messages = bank.index_select(0, table.reshape(-1)).view(*table.shape, bank.shape[1])
        if member.layers:
            answer.copy_(through(member.layers, member.prepared[part], messages))
        else:
            answer.copy_(member.change(member.prepared[part], messages))
        if self._noise:
            answer.add_(self._normals(rows), alpha=self._noise)

    def _compiled(self, slots: Tensor | None) -> list[Kernel]:
        return []

    def _allot(self) -> None:
        reason = _lacks(self._world)
        if reason is not None:
            raise ValueError(f"{reason}; use Stepper")
        if self._noise:  # made now, because it is copied to the device
            table_for(self._rule.channels, self._padded.dtype, self._padded.device)
        self._threads = 1
        self._rows = torch.arange(self._world.cells, device=self._padded.device)
        self._acts = torch.zeros_like(self._rows, dtype=torch.bool)
        self._new = torch.empty_like(self.state)


def _lacks(world: World) -> str | None:
    """What masked steps do not support in a world; None if nothing."""
    if world.guests:
        return "masked steps need one rule for all cells"
    if world.links.on_loss == "last":
        return "masked steps do not keep what was last heard"
    return None
